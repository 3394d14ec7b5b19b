//! The general implementation of every instruction, on the VM's memory.
//!
//! `slow_step` is also what a compiled trace calls for an instruction it did not
//! record in detail: it leaves window and instruction pointer in the VM.

mod attrs;
mod build;
pub(crate) mod calls;
pub(crate) mod direct;
mod generate;
mod imports;
mod matching;
mod names;

pub use attrs::load_method;
pub use calls::{call_ex, function_text};

use crate::frames::{code_at, function_at};
use crate::state::{Hot, state};
use crate::unwind::{top_of, unwind};
use attrs::load_super;
use build::{dict_merge, dict_update, unpack_ex};
use direct::direct_ops;
use imports::{import_from, import_star};
use matching::{match_class, match_keys};
use names::{empty_cell, load_global, namespace_get, unbound_local, undefined};
use pyrite_bytecode::{FRAME_HEADER, Ins, Op};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, PyCell};
use pyrite_objects::ops::BinOp;
use pyrite_objects::vm::{R, Raised, Vm};

/// How the dispatcher goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// With the next instruction of the same window.
    Next,
    /// At `vm.pc` in `vm.base`.
    Reload,
    /// The frame that Rust entered is done: `vm.result`.
    Leave,
}

type Step = R<Flow>;
const NEXT: Step = Ok(Flow::Next);

/// Registers of a window.
struct Regs(*mut Value);

impl Regs {
    #[inline(always)]
    fn get(&self, r: usize) -> Value {
        // SAFETY: the compiler names registers within the window.
        unsafe { *self.0.add(r) }
    }
    #[inline(always)]
    fn set(&self, r: usize, v: Value) {
        // SAFETY: as above.
        unsafe { *self.0.add(r) = v }
    }
    fn slice(&self, from: usize, n: usize) -> &'static [Value] {
        // SAFETY: as above; the VM stack neither moves nor shrinks.
        unsafe { std::slice::from_raw_parts(self.0.add(from), n) }
    }
}

/// Executes one instruction. `pc` is behind it.
pub fn slow_step(vm: &mut Vm, pc: *const u64, base: *mut Value, ins: Ins) -> Flow {
    whole_step(vm, pc, base, ins, step)
}

/// Executes one instruction by `f`, the general implementation of its kind.
#[inline(always)]
pub(crate) fn whole_step(
    vm: &mut Vm,
    pc: *const u64,
    base: *mut Value,
    ins: Ins,
    f: impl FnOnce(&mut Vm, *const u64, *mut Value, Ins) -> Step,
) -> Flow {
    vm.pc = pc as u64;
    vm.base = base;
    vm.alloc.top = top_of(base);
    match f(vm, pc, base, ins) {
        Ok(f) => f,
        Err(Raised) => raised(vm, base, ins),
    }
}

#[cold]
fn raised(vm: &mut Vm, base: *mut Value, ins: Ins) -> Flow {
    debug_assert!(vm.exc.is_some(), "{ins:?} raised without an exception");
    let again = matches!(ins.op(), Op::RERAISE) || ins.op() == Op::RAISE && ins.d() == 0;
    unwind(vm, again && vm.base == base)
}

/// Answers what waits for a safe point. Calls come here while something does, whatever
/// they call: the limit they compare with is zero then.
#[inline]
fn look(vm: &mut Vm) -> R<()> {
    if vm.polled() {
        pyrite_objects::misc::run_pending(vm)?;
    }
    Ok(())
}

fn jump(vm: &mut Vm, pc: *const u64, off: isize) -> Step {
    // SAFETY: the compiler's offsets stay within the code.
    vm.pc = unsafe { pc.offset(off) } as u64;
    Ok(Flow::Reload)
}

pub(crate) fn step(vm: &mut Vm, pc: *const u64, base: *mut Value, ins: Ins) -> Step {
    let r = Regs(base);
    let (a, b, c) = (ins.a(), ins.b(), ins.c());
    let code = || code_at(base);
    // SAFETY: the compiler names constants that exist.
    let konst = |i: usize| unsafe { *code().consts.add(i) };
    let name = |i: usize| code().ics[i].name;
    macro_rules! put {
        ($v:expr) => {{
            let v = $v;
            r.set(a, v);
            return NEXT;
        }};
    }
    macro_rules! direct {
        ($($name:ident)*) => {
            match ins.op() {
                $(Op::$name => return direct::$name(vm, pc, base, ins),)*
                _ => {}
            }
        };
    }
    direct_ops!(direct);
    match ins.op() {
        Op::NOP => NEXT,
        Op::MOVE => put!(r.get(b)),
        Op::LOAD_CONST => put!(konst(b)),
        Op::LOAD_INT => put!(Value::small(ins.off())),
        Op::CHECK_BOUND => {
            if r.get(a).is_null() {
                return Err(unbound_local(vm, konst(b)));
            }
            NEXT
        }
        Op::DELETE_FAST => {
            if r.get(a).is_null() {
                return Err(unbound_local(vm, konst(b)));
            }
            put!(Value::NULL)
        }
        Op::CLEAR => put!(Value::NULL),
        Op::MAKE_CELL => {
            let cell = vm.alloc::<PyCell>(vm.types.cell);
            cell.content.set(r.get(a));
            put!(cell.value())
        }
        Op::LOAD_CELL => {
            let v = Gc::<PyCell>::from_value(r.get(b)).content.get();
            if v.is_null() {
                return Err(empty_cell(vm, konst(c), ins.d() == 1));
            }
            put!(v)
        }
        Op::STORE_CELL => {
            let cell = r.get(a);
            Gc::<PyCell>::from_value(cell).content.set(r.get(b));
            vm.write_barrier(cell);
            NEXT
        }
        Op::DELETE_CELL => {
            let cell = Gc::<PyCell>::from_value(r.get(a));
            if cell.content.get().is_null() {
                return Err(empty_cell(vm, konst(c), ins.d() == 1));
            }
            cell.content.set(Value::NULL);
            NEXT
        }
        Op::LOAD_CLOSURE => {
            let closure = function_at(base).closure.get();
            put!(vm.tuple_get(closure, b))
        }
        Op::LOAD_CLASSDEREF => {
            let v = namespace_get(vm, r.get(0), konst(c))?;
            if v.is_some() {
                put!(v)
            }
            let v = Gc::<PyCell>::from_value(r.get(b)).content.get();
            if v.is_null() {
                return Err(empty_cell(vm, konst(c), true));
            }
            put!(v)
        }
        Op::LOAD_GLOBAL => {
            let f = function_at(base);
            let v = load_global(vm, f, c)?;
            put!(v)
        }
        Op::STORE_GLOBAL => {
            let g = function_at(base).globals.get();
            vm.dict_set_str(g, name(c), r.get(a));
            NEXT
        }
        Op::DELETE_GLOBAL => {
            let g = function_at(base).globals.get();
            if vm.dict_remove_str(g, name(c)).is_null() {
                return Err(undefined(vm, name(c)));
            }
            NEXT
        }
        Op::LOAD_NAME => {
            let v = namespace_get(vm, r.get(b), name(c))?;
            if v.is_some() {
                put!(v)
            }
            let f = function_at(base);
            let v = load_global(vm, f, c)?;
            put!(v)
        }
        Op::STORE_NAME => {
            let ns = r.get(b);
            if vm.is_exact_dict(ns) {
                vm.dict_set_str(ns, name(c), r.get(a));
            } else {
                vm.setitem(ns, name(c), r.get(a))?;
            }
            NEXT
        }
        Op::DELETE_NAME => {
            let ns = r.get(b);
            if vm.is_exact_dict(ns) {
                if vm.dict_remove_str(ns, name(c)).is_null() {
                    return Err(undefined(vm, name(c)));
                }
            } else {
                let res = vm.delitem(ns, name(c));
                let ke = vm.types.key_error;
                if vm.catch(res, ke)?.is_none() {
                    return Err(undefined(vm, name(c)));
                }
            }
            NEXT
        }
        Op::DELETE_ATTR => {
            vm.setattr(r.get(a), name(c), Value::NULL)?;
            NEXT
        }
        Op::LOAD_SUPER_ATTR => {
            let v = load_super(vm, r.get(b), r.get(b + 1), name(c))?;
            put!(v)
        }
        Op::LOAD_SUPER_METHOD => {
            let (class, this) = (r.get(b), r.get(b + 1));
            if vm.is_type(class) && this.is_some() {
                let tc = pyrite_objects::super_::super_check(vm, class, this)?;
                let (f, bind) = pyrite_objects::super_::super_find(vm, class, this, tc, name(c));
                if f.is_some() && bind.is_some() && vm.is_method(f) {
                    r.set(a, f);
                    r.set(a + FRAME_HEADER, this);
                    return NEXT;
                }
            }
            let v = load_super(vm, class, this, name(c))?;
            r.set(a, v);
            r.set(a + FRAME_HEADER, Value::NULL);
            NEXT
        }
        Op::BUILD_SLICE => {
            let s = vm.alloc::<pyrite_objects::layout::PySlice>(vm.types.slice);
            s.start.set(r.get(b));
            s.stop.set(r.get(b + 1));
            s.step.set(r.get(b + 2));
            put!(s.value())
        }
        Op::MATMUL => put!(vm.binary(BinOp::MatMul, r.get(b), r.get(c), ins.d() == 1)?),
        Op::NEG => put!(vm.unary(vm.names.neg, "unary -", r.get(b))?),
        Op::POS => put!(vm.unary(vm.names.pos, "unary +", r.get(b))?),
        Op::INVERT => put!(vm.unary(vm.names.invert, "unary ~", r.get(b))?),
        Op::IS => put!(vm.bool((r.get(b) == r.get(c)) != (ins.d() == 1))),
        Op::JUMP => jump(vm, pc, ins.off() as isize),
        Op::LOOP => loop_edge(vm, base, ins),
        Op::JNONE | Op::JNOTNONE => {
            let n = r.get(a) == vm.none;
            if n == (ins.op() == Op::JNONE) {
                jump(vm, pc, ins.off() as isize)
            } else {
                NEXT
            }
        }
        Op::JIS | Op::JISNOT => {
            let same = r.get(a) == r.get(b);
            if same == (ins.op() == Op::JIS) {
                jump(vm, pc, ins.s16() as isize)
            } else {
                NEXT
            }
        }
        Op::BUILD_CLASS_FN => {
            let globals = function_at(base).globals.get();
            let own = crate::ic::own_builtins(vm, globals);
            let d = if own.is_null() { vm.builtins } else { own };
            let v = namespace_get(vm, d, vm.names.build_class)?;
            if v.is_null() {
                return Err(vm.name_error("__build_class__ not found"));
            }
            put!(v)
        }
        Op::LIST_EXTEND => {
            let it = r.get(b);
            if ins.d() == 1 {
                let class = vm.class_of(it);
                if vm.lookup(class, vm.names.iter).is_null()
                    && vm.lookup(class, vm.names.getitem).is_null()
                {
                    let m = format!(
                        "Value after * must be an iterable, not {}",
                        vm.class_name(it)
                    );
                    return Err(vm.type_error(&m));
                }
            }
            vm.list_extend(r.get(a), it)?;
            NEXT
        }
        Op::LIST_TO_TUPLE => put!(vm.list_to_tuple(r.get(b))),
        Op::SET_UPDATE => {
            let s = r.get(a);
            vm.for_each(r.get(b), |vm, v| vm.set_add(s, v))?;
            NEXT
        }
        Op::DICT_UPDATE => {
            dict_update(vm, r.get(a), r.get(b))?;
            NEXT
        }
        Op::DICT_MERGE => {
            dict_merge(vm, r.get(a), r.get(b), r.get(c))?;
            NEXT
        }
        Op::UNPACK_EX => {
            unpack_ex(vm, &r, a, r.get(b), c & 0xFF, c >> 8)?;
            NEXT
        }
        Op::IMPORT_NAME => {
            let f = vm.dict_get_str(vm.builtins, vm.names.import);
            if f.is_null() {
                return Err(vm.import_error("__import__ not found"));
            }
            let globals = function_at(base).globals.get();
            let none = vm.none;
            let locals = if code().flags.has(pyrite_bytecode::CodeFlags::NAMESPACE) {
                r.get(0)
            } else {
                none
            };
            put!(vm.call(f, &[name(c), globals, locals, r.get(b + 1), r.get(b)])?)
        }
        Op::IMPORT_FROM => put!(import_from(vm, r.get(b), name(c))?),
        Op::IMPORT_STAR => {
            import_star(vm, r.get(a), r.get(b))?;
            NEXT
        }
        Op::RAISE => {
            if ins.d() == 0 {
                let e = vm.handled;
                if e.is_null() || e == vm.none {
                    return Err(vm.runtime_error("No active exception to reraise"));
                }
                vm.exc = e;
                return Err(Raised);
            }
            let e = vm.make_raisable(r.get(a))?;
            if ins.d() == 2 {
                let cause = r.get(b);
                let cause = if cause == vm.none {
                    vm.none
                } else if vm.is_exception_class(cause) {
                    vm.call(cause, &[])?
                } else if vm.is_exception(cause) {
                    cause
                } else {
                    return Err(vm.type_error("exception causes must derive from BaseException"));
                };
                let x: Gc<pyrite_objects::layout::PyException> = Gc::from_value(e);
                x.cause.set(cause);
                x.suppress.set(Value::small(1));
                vm.write_barrier(e);
            }
            Err(vm.raise(e))
        }
        Op::RERAISE => {
            vm.exc = r.get(a);
            Err(Raised)
        }
        Op::PUSH_EXC => {
            let prev = crate::generators::begin_handling(vm, base, r.get(b));
            put!(prev)
        }
        Op::POP_EXC => {
            crate::generators::end_handling(vm, base, r.get(a));
            NEXT
        }
        Op::CHECK_EXC_MATCH => {
            let t = vm.exc_matches(r.get(b), r.get(c))?;
            put!(vm.bool(t))
        }
        Op::CHECK_EG_MATCH => {
            let (m, rest) = pyrite_objects::misc::except_star(vm, r.get(b), r.get(c))?;
            r.set(a, m);
            r.set(a + 1, rest);
            if m != vm.none {
                vm.handled = m;
            }
            NEXT
        }
        Op::PREP_RERAISE_STAR => put!(pyrite_objects::misc::prep_reraise_star(
            vm,
            r.get(b),
            r.get(c)
        )?),
        Op::LOAD_ASSERTION_ERROR => put!(vm.types.assertion_error.value()),
        Op::EXC_TRIPLE => {
            let e = r.get(b);
            let tb = Gc::<pyrite_objects::layout::PyException>::from_value(e)
                .traceback
                .get();
            r.set(a, vm.class_of(e).value());
            r.set(a + 1, e);
            r.set(a + 2, if tb.is_null() { vm.none } else { tb });
            NEXT
        }
        Op::LOAD_SPECIAL => {
            let o = r.get(b);
            let n = vm.names;
            let name = [n.enter, n.exit, n.aenter, n.aexit][ins.d() as usize & 3];
            let class = vm.class_of(o);
            let f = vm.lookup(class, name);
            if f.is_null() {
                let kind = if ins.d() < 2 {
                    "context manager"
                } else {
                    "asynchronous context manager"
                };
                let mut m = format!(
                    "'{}' object does not support the {kind} protocol",
                    vm.class_name(o)
                );
                if ins.d() & 1 == 1 {
                    m.push_str(&format!(" (missed {} method)", vm.str_to_string(name)));
                }
                return Err(vm.type_error(&m));
            }
            if vm.is_method(f) {
                r.set(a, f);
                r.set(a + FRAME_HEADER, o);
            } else {
                let v = vm.descr_get_any(f, o, class.value())?;
                r.set(a, v);
                r.set(a + FRAME_HEADER, Value::NULL);
            }
            NEXT
        }
        Op::GET_YIELD_FROM_ITER => {
            let v = r.get(b);
            let t = vm.types;
            let class = vm.class_of(v);
            if class == t.generator {
                put!(v)
            }
            if class == t.coroutine {
                let own = code().flags.0
                    & (pyrite_bytecode::CodeFlags::COROUTINE
                        | pyrite_bytecode::CodeFlags::ITERABLE_COROUTINE);
                if own == 0 {
                    return Err(vm.type_error(
                        "cannot 'yield from' a coroutine object in a non-coroutine generator",
                    ));
                }
                put!(v)
            }
            put!(vm.get_iter(v)?)
        }
        Op::GET_AWAITABLE => put!(pyrite_objects::misc::get_awaitable(vm, r.get(b), ins.d())?),
        Op::GET_AITER => put!(pyrite_objects::misc::get_aiter(vm, r.get(b))?),
        Op::GET_ANEXT => put!(pyrite_objects::misc::get_anext(vm, r.get(b))?),
        Op::END_ASYNC_FOR => {
            let e = r.get(a);
            if vm.is_instance(e, vm.types.stop_async_iteration) {
                return NEXT;
            }
            vm.exc = e;
            Err(Raised)
        }
        Op::MATCH_SEQUENCE | Op::MATCH_MAPPING => {
            let class = vm.class_of(r.get(b));
            let d = vm.type_data(class);
            let t = if ins.op() == Op::MATCH_SEQUENCE {
                d.pattern_sequence
            } else {
                d.pattern_mapping
            };
            put!(vm.bool(t))
        }
        Op::MATCH_KEYS => put!(match_keys(vm, r.get(b), r.get(c))?),
        Op::MATCH_CLASS => put!(match_class(
            vm,
            r.get(b),
            r.get(c),
            r.get(c + 1),
            ins.d() as usize
        )?),
        Op::COPY_DICT_WITHOUT_KEYS => {
            let d = vm.new_dict();
            dict_update(vm, d, r.get(b))?;
            for &k in vm.tuple_items(r.get(c)) {
                vm.dict_remove(d, k)?;
            }
            put!(d)
        }
        Op::GET_LEN => {
            let n = vm.len(r.get(b))?;
            put!(vm.new_int(n as i64))
        }
        Op::SETUP_ANNOTATIONS => {
            let ns = r.get(a);
            if namespace_get(vm, ns, vm.names.annotations)?.is_null() {
                let d = vm.new_dict();
                vm.setitem(ns, vm.names.annotations, d)?;
            }
            NEXT
        }
        Op::PRINT_EXPR => {
            let hook = vm.dict_get_str(vm.sys_dict, vm.names.displayhook);
            if hook.is_null() {
                return Err(vm.runtime_error("lost sys.displayhook"));
            }
            vm.call(hook, &[r.get(a)])?;
            NEXT
        }
        Op::ENTER => enter_function(vm, base),
        Op::HALT => Ok(Flow::Leave),
        _ => Err(vm.system_error("an instruction without an implementation")),
    }
}

/// The back-edge of a loop, when something is to be looked at.
fn loop_edge(vm: &mut Vm, base: *mut Value, ins: Ins) -> Step {
    if vm.polled() {
        pyrite_objects::misc::run_pending(vm)?;
    }
    let code = code_at(base);
    let l = &mut code.loops[ins.b()];
    let header = l.header;
    if l.counter < 0 {
        match (state(vm).hot_loop)(vm, ins) {
            Hot::Resume => return Ok(Flow::Reload),
            Hot::Raise => return Err(Raised),
            Hot::Return(v) => return calls::return_(vm, vm.base, v),
            Hot::Nothing => {}
        }
    }
    vm.pc = header as u64;
    Ok(Flow::Reload)
}

/// A hot function begins.
fn enter_function(vm: &mut Vm, base: *mut Value) -> Step {
    vm.pc = code_at(base).entry as u64;
    match (state(vm).hot_function)(vm) {
        Hot::Resume | Hot::Nothing => Ok(Flow::Reload),
        Hot::Raise => Err(Raised),
        Hot::Return(v) => calls::return_(vm, vm.base, v),
    }
}
