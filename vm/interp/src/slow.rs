//! The general implementation of every instruction, on the VM's memory.
//!
//! `slow_step` is also what a compiled trace calls for an instruction it did not
//! record in detail: it leaves window and instruction pointer in the VM.

use crate::calls;
use crate::frames::{self, caller_of, code_at, function_at, return_at, return_pc};
use crate::generators;
use crate::ic;
use crate::lang::Stage;
use crate::state::{Hot, state};
use crate::unwind::{top_of, unwind};
use pyrite_bytecode::{CmpOp, FRAME_HEADER, Ins, Op};
use pyrite_machine::{Ctl, Value};
use pyrite_objects::layout::{Gc, Layout, PyCell, PyFunction, PyMethod, PyModule, PyType};
use pyrite_objects::ops::BinOp;
use pyrite_objects::shape::shape_of;
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
    vm.pc = pc as u64;
    vm.base = base;
    vm.alloc.top = top_of(base);
    match step(vm, pc, base, ins) {
        Ok(f) => f,
        Err(Raised) => {
            debug_assert!(vm.exc.is_some(), "{:?} raised without an exception", ins);
            let again = matches!(ins.op(), Op::RERAISE) || ins.op() == Op::RAISE && ins.d() == 0;
            unwind(vm, again && vm.base == base)
        }
    }
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
    macro_rules! binary {
        ($op:ident) => {
            put!(vm.binary(BinOp::$op, r.get(b), r.get(c), ins.d() == 1)?)
        };
        ($op:ident, k) => {
            put!(vm.binary(BinOp::$op, r.get(b), konst(c), ins.d() == 1)?)
        };
    }
    macro_rules! compare {
        ($op:ident) => {
            put!(vm.compare(CmpOp::$op, r.get(b), r.get(c))?)
        };
    }
    macro_rules! compare_jump {
        ($op:ident, $when:expr) => {{
            let v = vm.compare(CmpOp::$op, r.get(a), r.get(b))?;
            if vm.truth(v)? == $when {
                jump(vm, pc, ins.s16() as isize)
            } else {
                NEXT
            }
        }};
    }
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
        Op::LOAD_ATTR => {
            let o = r.get(b);
            ic::fill_load(vm, code(), function_at(base).code.get(), c, o);
            put!(vm.getattr(o, name(c))?)
        }
        Op::STORE_ATTR => {
            let o = r.get(a);
            ic::fill_store(vm, code(), function_at(base).code.get(), c, o);
            vm.setattr(o, name(c), r.get(b))?;
            NEXT
        }
        Op::DELETE_ATTR => {
            vm.setattr(r.get(a), name(c), Value::NULL)?;
            NEXT
        }
        Op::LOAD_METHOD => {
            let o = r.get(b);
            ic::fill_load(vm, code(), function_at(base).code.get(), c, o);
            let (f, this) = load_method(vm, o, name(c))?;
            r.set(a, f);
            r.set(a + FRAME_HEADER, this);
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
                if f.is_some()
                    && bind.is_some()
                    && matches!(vm.layout_of(f), Layout::Function | Layout::Native)
                {
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
        Op::LOAD_SUBSCR => put!(vm.getitem(r.get(b), r.get(c))?),
        Op::STORE_SUBSCR => {
            vm.setitem(r.get(a), r.get(b), r.get(c))?;
            NEXT
        }
        Op::DELETE_SUBSCR => {
            vm.delitem(r.get(a), r.get(b))?;
            NEXT
        }
        Op::BUILD_SLICE => {
            let s = vm.alloc::<pyrite_objects::layout::PySlice>(vm.types.slice);
            s.start.set(r.get(b));
            s.stop.set(r.get(b + 1));
            s.step.set(r.get(b + 2));
            put!(s.value())
        }
        Op::ADD => binary!(Add),
        Op::SUB => binary!(Sub),
        Op::MUL => binary!(Mul),
        Op::TRUEDIV => binary!(TrueDiv),
        Op::FLOORDIV => binary!(FloorDiv),
        Op::MOD => binary!(Mod),
        Op::POW => binary!(Pow),
        Op::MATMUL => binary!(MatMul),
        Op::LSHIFT => binary!(LShift),
        Op::RSHIFT => binary!(RShift),
        Op::AND => binary!(And),
        Op::OR => binary!(Or),
        Op::XOR => binary!(Xor),
        Op::ADDK => binary!(Add, k),
        Op::SUBK => binary!(Sub, k),
        Op::MULK => binary!(Mul, k),
        Op::FLOORDIVK => binary!(FloorDiv, k),
        Op::MODK => binary!(Mod, k),
        Op::ANDK => binary!(And, k),
        Op::LSHIFTK => binary!(LShift, k),
        Op::RSHIFTK => binary!(RShift, k),
        Op::NEG => put!(vm.unary(vm.names.neg, "unary -", r.get(b))?),
        Op::POS => put!(vm.unary(vm.names.pos, "unary +", r.get(b))?),
        Op::INVERT => put!(vm.unary(vm.names.invert, "unary ~", r.get(b))?),
        Op::NOT => {
            let t = vm.truth(r.get(b))?;
            put!(vm.bool(!t))
        }
        Op::LT => compare!(Lt),
        Op::LE => compare!(Le),
        Op::EQ => compare!(Eq),
        Op::NE => compare!(Ne),
        Op::GT => compare!(Gt),
        Op::GE => compare!(Ge),
        Op::IS => put!(vm.bool((r.get(b) == r.get(c)) != (ins.d() == 1))),
        Op::IN => {
            let t = vm.contains(r.get(c), r.get(b))?;
            put!(vm.bool(t != (ins.d() == 1)))
        }
        Op::JUMP => jump(vm, pc, ins.off() as isize),
        Op::LOOP => loop_edge(vm, base, ins),
        Op::JT | Op::JF => {
            let t = vm.truth(r.get(a))?;
            if t == (ins.op() == Op::JT) {
                jump(vm, pc, ins.off() as isize)
            } else {
                NEXT
            }
        }
        Op::JNONE | Op::JNOTNONE => {
            let n = r.get(a) == vm.none;
            if n == (ins.op() == Op::JNONE) {
                jump(vm, pc, ins.off() as isize)
            } else {
                NEXT
            }
        }
        Op::JLT => compare_jump!(Lt, true),
        Op::JLE => compare_jump!(Le, true),
        Op::JEQ => compare_jump!(Eq, true),
        Op::JNE => compare_jump!(Ne, true),
        Op::JGT => compare_jump!(Gt, true),
        Op::JGE => compare_jump!(Ge, true),
        Op::JNLT => compare_jump!(Lt, false),
        Op::JNLE => compare_jump!(Le, false),
        Op::JNEQ => compare_jump!(Eq, false),
        Op::JNNE => compare_jump!(Ne, false),
        Op::JNGT => compare_jump!(Gt, false),
        Op::JNGE => compare_jump!(Ge, false),
        Op::JIS | Op::JISNOT => {
            let same = r.get(a) == r.get(b);
            if same == (ins.op() == Op::JIS) {
                jump(vm, pc, ins.s16() as isize)
            } else {
                NEXT
            }
        }
        Op::GET_ITER => put!(vm.get_iter(r.get(b))?),
        Op::FOR_ITER => {
            let it = r.get(a);
            if it.is_ptr() && shape_of(it).layout == Layout::Generator {
                let none = vm.none;
                if generators::resume_in_window(
                    vm,
                    it,
                    base,
                    c + FRAME_HEADER,
                    pc,
                    Stage::ForIter,
                    none,
                )? {
                    return Ok(Flow::Reload);
                }
            }
            match vm.iter_next(it)? {
                Some(v) => {
                    r.set(b, v);
                    jump(vm, pc, 1)
                }
                None => NEXT,
            }
        }
        Op::CALL => call(vm, pc, base, a + FRAME_HEADER, b, r.get(a), Value::NULL, c),
        Op::CALL_KW => call(vm, pc, base, a + FRAME_HEADER, b, r.get(a), r.get(a + 1), c),
        Op::CALL_METHOD | Op::CALL_METHOD_KW => {
            let names = if ins.op() == Op::CALL_METHOD {
                Value::NULL
            } else {
                r.get(a + 1)
            };
            if r.get(a + FRAME_HEADER).is_some() {
                call(vm, pc, base, a + FRAME_HEADER, b + 1, r.get(a), names, c)
            } else {
                call(vm, pc, base, a + FRAME_HEADER + 1, b, r.get(a), names, c)
            }
        }
        Op::CALL_EX => {
            let f = r.get(a);
            let kwargs = if b == 1 {
                r.get(a + FRAME_HEADER + 1)
            } else {
                Value::NULL
            };
            let v = call_ex(vm, f, r.get(a + FRAME_HEADER), kwargs)?;
            r.set(c, v);
            NEXT
        }
        Op::RETURN => return_(vm, base, r.get(a)),
        Op::MAKE_FUNCTION => {
            let globals = function_at(base).globals.get();
            let f = vm.new_function(konst(b), globals);
            let func: Gc<PyFunction> = Gc::from_value(f);
            if ins.d() & 1 != 0 {
                func.defaults.set(r.get(c));
            }
            if ins.d() & 2 != 0 {
                func.kwdefaults.set(r.get(c + 1));
            }
            if ins.d() & 4 != 0 {
                let pairs = r.get(c + 2);
                let d = vm.new_dict();
                for i in (0..vm.tuple_len(pairs)).step_by(2) {
                    let (k, v) = (vm.tuple_get(pairs, i), vm.tuple_get(pairs, i + 1));
                    vm.dict_set(d, k, v)?;
                }
                func.annotations.set(d);
            }
            if ins.d() & 8 != 0 {
                func.closure.set(r.get(c + 3));
            }
            vm.write_barrier(f);
            put!(f)
        }
        Op::BUILD_CLASS_FN => {
            let v = vm.dict_get_str(vm.builtins, vm.names.build_class);
            if v.is_null() {
                return Err(vm.name_error("__build_class__ not found"));
            }
            put!(v)
        }
        Op::BUILD_TUPLE => put!(vm.new_tuple(r.slice(b, c))),
        Op::BUILD_LIST => put!(vm.new_list(r.slice(b, c))),
        Op::BUILD_SET => {
            let s = vm.new_set(vm.types.set);
            for i in 0..c {
                vm.set_add(s, r.get(b + i))?;
            }
            put!(s)
        }
        Op::BUILD_MAP => {
            let d = vm.new_dict();
            for i in 0..c {
                vm.dict_set(d, r.get(b + 2 * i), r.get(b + 2 * i + 1))?;
            }
            put!(d)
        }
        Op::BUILD_STRING => {
            // Parts may be instances of str subclasses.
            for i in 0..c {
                if let Some(s) = vm.as_str(r.get(b + i)) {
                    r.set(b + i, s);
                }
            }
            put!(vm.str_join(r.slice(b, c)))
        }
        Op::FORMAT_VALUE => {
            let mut v = r.get(b);
            v = match ins.d() {
                1 => vm.str(v)?,
                2 => vm.repr(v)?,
                3 => {
                    let s = vm.repr(v)?;
                    pyrite_objects::misc::ascii(vm, s)
                }
                _ => v,
            };
            let spec = if c == 0xFFFF { Value::NULL } else { r.get(c) };
            put!(vm.format(v, spec)?)
        }
        Op::LIST_APPEND => {
            vm.list_append(r.get(a), r.get(b));
            NEXT
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
        Op::SET_ADD => {
            vm.set_add(r.get(a), r.get(b))?;
            NEXT
        }
        Op::SET_UPDATE => {
            let s = r.get(a);
            vm.for_each(r.get(b), |vm, v| vm.set_add(s, v))?;
            NEXT
        }
        Op::MAP_ADD => {
            vm.dict_set(r.get(a), r.get(b), r.get(c))?;
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
        Op::UNPACK_SEQUENCE => {
            unpack(vm, &r, a, r.get(b), c)?;
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
            let prev = vm.handled;
            vm.handled = r.get(b);
            put!(prev)
        }
        Op::POP_EXC => {
            vm.handled = r.get(a);
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
            if matches!(vm.layout_of(f), Layout::Function | Layout::Native) {
                r.set(a, f);
                r.set(a + FRAME_HEADER, o);
            } else {
                let v = vm.descr_get_any(f, o, class.value())?;
                r.set(a, v);
                r.set(a + FRAME_HEADER, Value::NULL);
            }
            NEXT
        }
        Op::RETURN_GENERATOR => {
            let g = generators::make(vm, base, pc, a);
            return_(vm, base, g)
        }
        Op::YIELD => yield_(vm, pc, base, ins),
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
        Op::SEND => send(vm, pc, base, ins),
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
        Op::HALT => Ok(Flow::Leave),
    }
}

#[cold]
fn unbound_local(vm: &mut Vm, name: Value) -> Raised {
    let m = format!(
        "cannot access local variable '{}' where it is not associated with a value",
        vm.str_to_string(name)
    );
    vm.unbound_local_error(&m)
}

#[cold]
fn empty_cell(vm: &mut Vm, name: Value, free: bool) -> Raised {
    if free {
        let m = format!(
            "cannot access free variable '{}' where it is not associated with a value in enclosing scope",
            vm.str_to_string(name)
        );
        vm.name_error(&m)
    } else {
        unbound_local(vm, name)
    }
}

#[cold]
fn undefined(vm: &mut Vm, name: Value) -> Raised {
    let m = format!("name '{}' is not defined", vm.str_to_string(name));
    let text = vm.new_str(&m);
    let e = vm.new_exception(vm.types.name_error, &[text]);
    vm.set_slot(e, vm.names.name_plain, name);
    vm.raise(e)
}

fn load_global(vm: &mut Vm, f: Gc<PyFunction>, i: usize) -> R {
    let code = code_at(vm.base);
    let globals = f.globals.get();
    let v = ic::load_global(vm, code, f.code.get(), i, globals);
    if v.is_some() {
        return Ok(v);
    }
    let name = code.ics[i].name;
    // A module may run with builtins of its own.
    let own = vm.dict_get_str(globals, vm.names.builtins);
    if own.is_some() {
        let d = if vm.layout_of(own) == Layout::Module {
            Gc::<PyModule>::from_value(own).dict.get()
        } else {
            own
        };
        if d != vm.builtins {
            let v = namespace_get(vm, d, name)?;
            if v.is_some() {
                return Ok(v);
            }
        }
    }
    Err(undefined(vm, name))
}

/// A name in a namespace: a dict, or any mapping (whose KeyError means absence).
fn namespace_get(vm: &mut Vm, ns: Value, name: Value) -> R {
    if vm.is_exact_dict(ns) {
        return Ok(vm.dict_get_str(ns, name));
    }
    let r = vm.getitem(ns, name);
    let ke = vm.types.key_error;
    Ok(vm.catch(r, ke)?.unwrap_or(Value::NULL))
}

/// Callable of `o.name`, and `o` if that is a method found on its class (else null).
pub fn load_method(vm: &mut Vm, o: Value, name: Value) -> R<(Value, Value)> {
    let class = vm.class_of(o);
    let layout = vm.layout_of(o);
    if vm.type_memo(class).object_getattribute
        && !matches!(layout, Layout::Type | Layout::Module | Layout::Super)
    {
        let f = vm.lookup(class, name);
        if f.is_some()
            && matches!(vm.layout_of(f), Layout::Function | Layout::Native)
            && vm.instance_get(o, name).is_null()
        {
            return Ok((f, o));
        }
    }
    let v = vm.getattr(o, name)?;
    // A bound method made on the spot is taken apart again.
    if v.is_ptr() && shape_of(v).layout == Layout::Method && shape_of(v).class() == vm.types.method
    {
        let m: Gc<PyMethod> = Gc::from_value(v);
        return Ok((m.func.get(), m.this.get()));
    }
    Ok((v, Value::NULL))
}

fn load_super(vm: &mut Vm, class: Value, this: Value, name: Value) -> R {
    if class.is_null() {
        return Err(vm.runtime_error("super(): empty __class__ cell"));
    }
    if this.is_null() {
        return Err(vm.runtime_error("super(): arg[0] deleted"));
    }
    if !vm.is_type(class) {
        return Err(vm.runtime_error("super(): __class__ is not a type"));
    }
    let tc = pyrite_objects::super_::super_check(vm, class, this)?;
    let v = pyrite_objects::super_::super_lookup(vm, class, this, tc, name)?;
    if v.is_some() {
        return Ok(v);
    }
    let s = vm.alloc::<pyrite_objects::layout::PySuper>(vm.types.super_);
    s.class.set(class);
    s.this.set(this);
    s.this_class.set(tc);
    vm.getattr(s.value(), name)
}

/// Calls `f` with `n` arguments at register `window`, of which those named by
/// `kwnames` come last. A Python function gets a frame; the result goes to
/// register `dst`.
#[allow(clippy::too_many_arguments, reason = "the parts of a call instruction")]
fn call(
    vm: &mut Vm,
    pc: *const u64,
    base: *mut Value,
    window: usize,
    n: usize,
    f: Value,
    kwnames: Value,
    dst: usize,
) -> Step {
    let r = Regs(base);
    let args = r.slice(window, n);
    if f.is_ptr() {
        let s = shape_of(f);
        match s.layout {
            Layout::Function => return push_function(vm, pc, base, window, n, f, kwnames),
            Layout::Method if s.class() == vm.types.method => {
                let m: Gc<PyMethod> = Gc::from_value(f);
                let func = m.func.get();
                if vm.layout_of(func) == Layout::Function
                    && n + window + 2 < code_at(base).frame_size as usize
                {
                    for i in (0..n).rev() {
                        r.set(window + i + 1, r.get(window + i));
                    }
                    r.set(window, m.this.get());
                    return push_function(vm, pc, base, window, n + 1, func, kwnames);
                }
            }
            Layout::Type => {
                // The bump window may be empty: make room, then the generic way again.
                if kwnames.is_null()
                    && let crate::lang::Callee::Class { words, code, .. } =
                        calls::class_callee(vm, f)
                    && code.arg_count as usize == n + 1
                    && vm.heap.reserve_room(words * 8 + 16)
                {
                    let mut m = crate::interp::Interp {
                        pc,
                        base,
                        k: code_at(base).consts,
                        vm,
                    };
                    // SAFETY: `pc` is behind the call.
                    let ins = Ins(unsafe { *pc.sub(1) });
                    // SAFETY: only compared and checked.
                    frames::grow(vm, unsafe { base.add(window + 1) }, code.frame_size)?;
                    if crate::ops::medium(&mut m, ins) == Ctl::Next {
                        vm.pc = m.pc as u64;
                        vm.base = m.base;
                        return Ok(Flow::Reload);
                    }
                }
            }
            _ => {}
        }
    }
    let v = vm.call_kw(f, args, kwnames)?;
    r.set(dst, v);
    NEXT
}

/// Gives a Python function its frame; arguments are already in the window.
fn push_function(
    vm: &mut Vm,
    pc: *const u64,
    base: *mut Value,
    window: usize,
    n: usize,
    f: Value,
    kwnames: Value,
) -> Step {
    let func: Gc<PyFunction> = Gc::from_value(f);
    // SAFETY: a function's code data is never freed.
    let code = unsafe { &*func.code_data.get() };
    // SAFETY: only compared by `grow` before it is used.
    let new = unsafe { base.add(window) };
    frames::grow(vm, new, code.frame_size)?;
    if code.simple && kwnames.is_null() && n == code.arg_count as usize {
        for i in n..code.locals as usize {
            // SAFETY: registers of the new window, which fits.
            unsafe { *new.add(i) = Value::NULL };
        }
    } else {
        // Binding reorders: from a copy, into a clean window.
        let args = if n <= pyrite_objects::types::StackVec::MAX {
            let mut v = pyrite_objects::types::StackVec::new();
            for i in 0..n {
                // SAFETY: the arguments.
                v.push(unsafe { *new.add(i) });
            }
            Args::Stack(v)
        } else {
            // SAFETY: the arguments.
            let t = vm.new_tuple(unsafe { std::slice::from_raw_parts(new, n) });
            Args::Tuple(t)
        };
        let top = code.locals as usize;
        for i in 0..top.max(n) {
            // SAFETY: as above.
            unsafe { *new.add(i) = Value::NULL };
        }
        // While binding may allocate, the new registers are roots already.
        // SAFETY: only compared.
        let end = unsafe { new.add(code.frame_size as usize) };
        vm.alloc.top = vm.alloc.top.max(end as u64);
        clear_stale(vm, new, top, code.frame_size as usize);
        match &args {
            Args::Stack(v) => calls::bind(vm, func, v.as_slice(), kwnames, new)?,
            Args::Tuple(t) => calls::bind(vm, func, vm.tuple_items(*t), kwnames, new)?,
        }
    }
    // SAFETY: header words of the new window.
    unsafe {
        *new.sub(4) = f;
        *new.sub(3) = crate::interp::return_word(pc, Stage::Call);
        *new.sub(2) = crate::interp::link_word(code_at(base).consts, window as isize);
        *new.sub(1) = Value::NULL;
    }
    vm.pc = code.entry as u64;
    vm.base = new;
    vm.alloc.top = top_of(new);
    Ok(Flow::Reload)
}

#[expect(
    clippy::large_enum_variant,
    reason = "lives for one call, on the native stack where the collector looks"
)]
enum Args {
    Stack(pyrite_objects::types::StackVec),
    Tuple(Value),
}

/// Unsets the registers of a new window above its locals: words above the old
/// top may be anything written since the last collection, all valid, so this is
/// only for those the collector is about to see for the first time.
fn clear_stale(_vm: &mut Vm, new: *mut Value, from: usize, to: usize) {
    for i in from..to {
        // SAFETY: registers of the new window.
        unsafe { *new.add(i) = Value::NULL };
    }
}

/// `f(*args, **kwargs)`.
pub fn call_ex(vm: &mut Vm, f: Value, args: Value, kwargs: Value) -> R {
    let t = vm.tuple_from_iterable_checked(f, args)?;
    if kwargs.is_null() || vm.dict_len(kwargs) == 0 {
        return vm.call(f, vm.tuple_items(t));
    }
    let n = vm.tuple_len(t);
    let nkw = vm.dict_len(kwargs);
    let all = vm.new_tuple_uninit(n + nkw);
    let names = vm.new_tuple_uninit(nkw);
    for i in 0..n {
        let v = vm.tuple_get(t, i);
        vm.tuple_init(all, i, v);
    }
    let mut pos = 0;
    let mut i = 0;
    while let Some((k, v)) = vm.dict_next(kwargs, &mut pos) {
        vm.tuple_init(names, i, k);
        vm.tuple_init(all, n + i, v);
        i += 1;
    }
    vm.call_kw(f, vm.tuple_items(all), names)
}

trait CheckedTuple {
    fn tuple_from_iterable_checked(&mut self, f: Value, args: Value) -> R;
}

impl CheckedTuple for Vm {
    fn tuple_from_iterable_checked(&mut self, f: Value, args: Value) -> R {
        if args.is_ptr() && shape_of(args).layout == Layout::Tuple {
            return Ok(args);
        }
        let class = self.class_of(args);
        if self.lookup(class, self.names.iter).is_null()
            && self.lookup(class, self.names.getitem).is_null()
        {
            let m = format!(
                "{} argument after * must be an iterable, not {}",
                function_text(self, f)?,
                self.class_name(args)
            );
            return Err(self.type_error(&m));
        }
        self.tuple_from_iterable(args)
    }
}

/// `module.qualname()` of a callable, for messages.
pub fn function_text(vm: &mut Vm, f: Value) -> R<String> {
    let q = vm.getattr_opt(f, vm.names.qualname)?;
    if q.is_null() || !vm.is_str(q) {
        return vm.str_string(f);
    }
    let q = vm.str_to_string(q);
    let m = vm.getattr_opt(f, vm.names.module)?;
    if m.is_some() && vm.is_str(m) && !vm.str_is(m, "builtins") {
        return Ok(format!("{}.{q}()", vm.str_to_string(m)));
    }
    Ok(format!("{q}()"))
}

/// Returns `v` from the window `base`.
fn return_(vm: &mut Vm, base: *mut Value, v: Value) -> Step {
    let ret = return_at(base);
    let stage = Stage::from_bits(ret >> 48);
    if ret & crate::lang::FRAME_OBJECT != 0 {
        let index = code_at(base).index_of(vm.pc as *const u64) - 1;
        frames::detach(vm, base, index);
    }
    let back = return_pc(ret);
    // SAFETY: behind the calling instruction.
    let call = Ins(unsafe { *back.sub(1) });
    match stage {
        Stage::Root => {
            vm.result = v;
            return Ok(Flow::Leave);
        }
        Stage::RootGen => {
            let g = generators::generator_of(base);
            generators::finished(vm, g, false);
            vm.result = v;
            return Ok(Flow::Leave);
        }
        Stage::Call => {
            vm.base = caller_of(base);
            Regs(vm.base).set(call.c(), v);
        }
        Stage::Init => {
            // SAFETY: the instance lies in the callable's place.
            let obj = unsafe { *base.sub(5) };
            if v != vm.none {
                let m = format!("__init__() should return None, not '{}'", vm.class_name(v));
                vm.base = caller_of(base);
                vm.pc = back as u64;
                return Err(vm.type_error(&m));
            }
            vm.base = caller_of(base);
            Regs(vm.base).set(call.c(), obj);
        }
        Stage::ForIter => {
            let g = generators::generator_of(base);
            generators::finished(vm, g, false);
            vm.base = caller_of(base);
        }
        Stage::Send => {
            let g = generators::generator_of(base);
            generators::finished(vm, g, false);
            vm.base = caller_of(base);
            Regs(vm.base).set(call.a() + 1, v);
        }
    }
    vm.pc = back as u64;
    Ok(Flow::Reload)
}

fn yield_(vm: &mut Vm, pc: *const u64, base: *mut Value, ins: Ins) -> Step {
    let r = Regs(base);
    let g = generators::generator_of(base);
    let mut v = r.get(ins.b());
    if ins.d() == 1 {
        v = pyrite_objects::misc::wrap_async_value(vm, v);
    }
    let ret = return_at(base);
    let stage = Stage::from_bits(ret >> 48);
    let index = code_at(base).index_of(pc) - 1;
    if ret & crate::lang::FRAME_OBJECT != 0 {
        frames::detach(vm, base, index);
    }
    generators::suspend(vm, g, base, pc, ins.c());
    let back = return_pc(ret);
    match stage {
        Stage::ForIter | Stage::Send => {
            // SAFETY: behind the resuming instruction.
            let call = Ins(unsafe { *back.sub(1) });
            vm.base = caller_of(base);
            let dst = if stage == Stage::ForIter {
                call.b()
            } else {
                call.a() + 1
            };
            Regs(vm.base).set(dst, v);
            jump(vm, back, 1)
        }
        _ => {
            state(vm).yielded = true;
            vm.result = v;
            Ok(Flow::Leave)
        }
    }
}

/// `SEND`: sends register `b` into the iterator in `a`.
fn send(vm: &mut Vm, pc: *const u64, base: *mut Value, ins: Ins) -> Step {
    let r = Regs(base);
    let (it, v) = (r.get(ins.a()), r.get(ins.b()));
    let layout = vm.layout_of(it);
    if matches!(layout, Layout::Generator | Layout::Coroutine)
        && generators::resume_in_window(vm, it, base, ins.c() + FRAME_HEADER, pc, Stage::Send, v)?
    {
        return Ok(Flow::Reload);
    }
    let res = if matches!(layout, Layout::Generator | Layout::Coroutine) {
        match generators::resume(vm, it, v, Value::NULL)? {
            pyrite_objects::generator::Resumed::Yielded(v) => Some(v),
            pyrite_objects::generator::Resumed::Returned(v) => {
                r.set(ins.a() + 1, v);
                return NEXT;
            }
        }
    } else if v == vm.none {
        let class = vm.class_of(it);
        let f = vm.lookup(class, vm.names.next);
        if f.is_null() {
            let m = format!("'{}' object is not an iterator", vm.class_name(it));
            return Err(vm.type_error(&m));
        }
        let res = vm.call_method_value(f, it, &[]);
        caught_stop(vm, res, &r, ins)?
    } else {
        let res = vm.call_method(it, vm.names.send, &[v]);
        caught_stop(vm, res, &r, ins)?
    };
    match res {
        Some(v) => {
            r.set(ins.a() + 1, v);
            jump(vm, pc, 1)
        }
        None => NEXT,
    }
}

fn caught_stop(vm: &mut Vm, res: R, r: &Regs, ins: Ins) -> R<Option<Value>> {
    match res {
        Ok(v) => Ok(Some(v)),
        Err(e) => {
            if !vm.exc_is(vm.types.stop_iteration) {
                return Err(e);
            }
            let stop = vm.take_exc();
            let v = pyrite_objects::exceptions::stop_value(vm, stop);
            r.set(ins.a() + 1, v);
            Ok(None)
        }
    }
}

/// The back-edge of a loop, when something is to be looked at.
fn loop_edge(vm: &mut Vm, base: *mut Value, ins: Ins) -> Step {
    if vm.poll != 0 {
        pyrite_objects::misc::run_pending(vm)?;
    }
    let code = code_at(base);
    let l = &mut code.loops[ins.b()];
    let header = l.header;
    if l.counter < 0 {
        match (state(vm).hot_loop)(vm, ins) {
            Hot::Resume => return Ok(Flow::Reload),
            Hot::Raise => return Err(Raised),
            Hot::Nothing => {}
        }
    }
    vm.pc = header as u64;
    Ok(Flow::Reload)
}

fn dict_update(vm: &mut Vm, d: Value, other: Value) -> R<()> {
    if vm.is_exact_dict(other) {
        return vm.dict_update_dict(d, other);
    }
    let class = vm.class_of(other);
    if vm.lookup(class, vm.names.keys).is_null() && vm.getattr_opt(other, vm.names.keys)?.is_null()
    {
        let m = format!("'{}' object is not a mapping", vm.class_name(other));
        return Err(vm.type_error(&m));
    }
    let keys = vm.call_method(other, vm.names.keys, &[])?;
    vm.for_each(keys, |vm, k| {
        let v = vm.getitem(other, k)?;
        vm.dict_set(d, k, v)
    })
}

fn dict_merge(vm: &mut Vm, d: Value, other: Value, f: Value) -> R<()> {
    if !vm.is_dict(other) && vm.getattr_opt(other, vm.names.keys)?.is_null() {
        let m = format!(
            "{} argument after ** must be a mapping, not {}",
            function_text(vm, f)?,
            vm.class_name(other)
        );
        return Err(vm.type_error(&m));
    }
    let keys = vm.call_method(other, vm.names.keys, &[])?;
    vm.for_each(keys, |vm, k| {
        if !vm.is_str(k) {
            let m = format!("{} keywords must be strings", function_text(vm, f)?);
            return Err(vm.type_error(&m));
        }
        if vm.dict_get(d, k)?.is_some() {
            let m = format!(
                "{} got multiple values for keyword argument '{}'",
                function_text(vm, f)?,
                vm.str_to_string(k)
            );
            return Err(vm.type_error(&m));
        }
        let v = vm.getitem(other, k)?;
        vm.dict_set(d, k, v)
    })
}

fn unpack(vm: &mut Vm, r: &Regs, a: usize, v: Value, n: usize) -> R<()> {
    if v.is_ptr() {
        let class = shape_of(v).class();
        let items = if class == vm.types.tuple {
            Some(vm.tuple_items(v))
        } else if class == vm.types.list {
            Some(vm.list_items(v))
        } else {
            None
        };
        if let Some(items) = items {
            if items.len() == n {
                for (i, &x) in items.iter().enumerate() {
                    r.set(a + i, x);
                }
                return Ok(());
            }
            if items.len() > n {
                return Err(vm.value_error(&format!("too many values to unpack (expected {n})")));
            }
            return Err(vm.value_error(&format!(
                "not enough values to unpack (expected {n}, got {})",
                items.len()
            )));
        }
    }
    let it = unpack_iter(vm, v)?;
    // Targets are written last: an error leaves them alone.
    let l = vm.new_list(&[]);
    for i in 0..n {
        match vm.iter_next(it)? {
            Some(x) => vm.list_append(l, x),
            None => {
                return Err(vm.value_error(&format!(
                    "not enough values to unpack (expected {n}, got {i})"
                )));
            }
        }
    }
    if vm.iter_next(it)?.is_some() {
        return Err(vm.value_error(&format!("too many values to unpack (expected {n})")));
    }
    for i in 0..n {
        r.set(a + i, vm.list_get(l, i));
    }
    Ok(())
}

fn unpack_iter(vm: &mut Vm, v: Value) -> R {
    let class = vm.class_of(v);
    if vm.lookup(class, vm.names.iter).is_null() && vm.lookup(class, vm.names.getitem).is_null() {
        let m = format!("cannot unpack non-iterable {} object", vm.class_name(v));
        return Err(vm.type_error(&m));
    }
    vm.get_iter(v)
}

fn unpack_ex(vm: &mut Vm, r: &Regs, a: usize, v: Value, before: usize, after: usize) -> R<()> {
    let it = unpack_iter(vm, v)?;
    let l = vm.new_list(&[]);
    vm.list_extend(l, it)?;
    let n = vm.list_len(l);
    if n < before + after {
        let m = format!(
            "not enough values to unpack (expected at least {}, got {n})",
            before + after
        );
        return Err(vm.value_error(&m));
    }
    let middle = {
        let items = vm.new_list(&[]);
        for i in before..n - after {
            let v = vm.list_get(l, i);
            vm.list_append(items, v);
        }
        items
    };
    for i in 0..before {
        r.set(a + i, vm.list_get(l, i));
    }
    r.set(a + before, middle);
    for i in 0..after {
        r.set(a + before + 1 + i, vm.list_get(l, n - after + i));
    }
    Ok(())
}

fn import_from(vm: &mut Vm, module: Value, name: Value) -> R {
    let v = vm.getattr_opt(module, name)?;
    if v.is_some() {
        return Ok(v);
    }
    // A submodule whose parent does not have it yet (circular imports).
    let pkg = vm.getattr_opt(module, vm.names.name)?;
    let mut pkg_text = String::from("<unknown module name>");
    if pkg.is_some() && vm.is_str(pkg) {
        pkg_text = vm.str_to_string(pkg);
        let full = format!("{pkg_text}.{}", vm.str_to_string(name));
        let full = vm.new_str(&full);
        let m = vm.dict_get(vm.modules, full)?;
        if m.is_some() {
            return Ok(m);
        }
    }
    let file = vm.getattr_opt(module, vm.names.file)?;
    let n = vm.str_to_string(name);
    let m = if file.is_null() || !vm.is_str(file) {
        format!("cannot import name '{n}' from '{pkg_text}' (unknown location)")
    } else {
        let spec = vm.getattr_opt(module, vm.names.spec)?;
        let mut initializing = false;
        if spec.is_some() {
            let i = vm.getattr_opt(spec, vm.names.initializing)?;
            initializing = i.is_some() && vm.truth(i)?;
        }
        let f = vm.str_to_string(file);
        if initializing {
            format!(
                "cannot import name '{n}' from partially initialized module '{pkg_text}' (most likely due to a circular import) ({f})"
            )
        } else {
            format!("cannot import name '{n}' from '{pkg_text}' ({f})")
        }
    };
    let text = vm.new_str(&m);
    let e = vm.new_exception(vm.types.import_error, &[text]);
    let pkg_name = vm.new_str(&pkg_text);
    vm.set_slot(e, vm.names.msg, text);
    vm.set_slot(e, vm.names.name_plain, pkg_name);
    let path = if file.is_null() { vm.none } else { file };
    vm.set_slot(e, vm.names.path_plain, path);
    Err(vm.raise(e))
}

fn import_star(vm: &mut Vm, module: Value, ns: Value) -> R<()> {
    let all = vm.getattr_opt(module, vm.names.all)?;
    let d = vm.getattr(module, vm.names.dict)?;
    let (names, skip) = if all.is_some() {
        (vm.list_from_iterable(all)?, false)
    } else {
        let keys = vm.call_method(d, vm.names.keys, &[])?;
        (vm.list_from_iterable(keys)?, true)
    };
    for i in 0..vm.list_len(names) {
        let n = vm.list_get(names, i);
        if !vm.is_str(n) {
            let mname = vm.getattr_opt(module, vm.names.name)?;
            let m = format!(
                "{} in {}.__{}__ must be str, not {}",
                if skip { "Key" } else { "Item" },
                vm.str_to_string(mname),
                if skip { "dict" } else { "all" },
                vm.class_name(n)
            );
            return Err(vm.type_error(&m));
        }
        if skip && vm.str_to_string(n).starts_with('_') {
            continue;
        }
        let exact = vm.as_str(n).unwrap_or(n);
        let key = vm.intern_value(exact);
        let v = vm.getattr(module, key)?;
        if vm.is_exact_dict(ns) {
            vm.dict_set_str(ns, key, v);
        } else {
            vm.setitem(ns, key, v)?;
        }
    }
    Ok(())
}

fn match_keys(vm: &mut Vm, subject: Value, keys: Value) -> R {
    let n = vm.tuple_len(keys);
    let out = vm.new_tuple_uninit(n);
    let seen = vm.new_set(vm.types.set);
    let get = vm.intern("get");
    let f = vm.getattr(subject, get)?;
    let dummy = vm.new_instance(vm.types.object);
    for i in 0..n {
        let k = vm.tuple_get(keys, i);
        if vm.set_contains(seen, k)? {
            let m = format!(
                "mapping pattern checks duplicate key ({})",
                vm.repr_string(k)?
            );
            return Err(vm.value_error(&m));
        }
        vm.set_add(seen, k)?;
        let v = vm.call(f, &[k, dummy])?;
        if v == dummy {
            return Ok(vm.none);
        }
        vm.tuple_init(out, i, v);
    }
    Ok(out)
}

fn match_class(vm: &mut Vm, subject: Value, class: Value, kwnames: Value, positional: usize) -> R {
    if !vm.is_type(class) {
        return Err(vm.type_error("called match pattern must be a class"));
    }
    if !vm.isinstance(subject, class)? {
        return Ok(vm.none);
    }
    let out = vm.new_list(&[]);
    let seen = vm.new_set(vm.types.set);
    let t: Gc<PyType> = Gc::from_value(class);
    let n = vm.type_name(t);
    if positional > 0 {
        let args = vm.getattr_opt(class, vm.names.match_args)?;
        let mut self_match = false;
        let args = if args.is_some() {
            match vm.as_tuple(args) {
                Some(t) => t,
                None => {
                    let m = format!(
                        "{n}.__match_args__ must be a tuple (got {})",
                        vm.class_name(args)
                    );
                    return Err(vm.type_error(&m));
                }
            }
        } else {
            let ty = vm.types;
            self_match = [
                ty.bool_,
                ty.bytearray,
                ty.bytes,
                ty.dict,
                ty.float,
                ty.frozenset,
                ty.int,
                ty.list,
                ty.set,
                ty.str_,
                ty.tuple,
            ]
            .iter()
            .any(|&b| vm.is_subclass(t, b));
            vm.empty_tuple
        };
        let allowed = if self_match { 1 } else { vm.tuple_len(args) };
        if allowed < positional {
            let s = if allowed == 1 { "" } else { "s" };
            let m =
                format!("{n}() accepts {allowed} positional sub-pattern{s} ({positional} given)");
            return Err(vm.type_error(&m));
        }
        if self_match {
            vm.list_append(out, subject);
        } else {
            for i in 0..positional {
                let name = vm.tuple_get(args, i);
                let Some(exact) = vm.as_str(name) else {
                    let m = format!(
                        "__match_args__ elements must be strings (got {})",
                        vm.class_name(name)
                    );
                    return Err(vm.type_error(&m));
                };
                if !match_attr(vm, subject, exact, seen, out, &n)? {
                    return Ok(vm.none);
                }
            }
        }
    }
    for &name in vm.tuple_items(kwnames) {
        if !match_attr(vm, subject, name, seen, out, &n)? {
            return Ok(vm.none);
        }
    }
    Ok(vm.list_to_tuple(out))
}

fn match_attr(
    vm: &mut Vm,
    subject: Value,
    name: Value,
    seen: Value,
    out: Value,
    class: &str,
) -> R<bool> {
    if vm.set_contains(seen, name)? {
        let m = format!(
            "{class}() got multiple sub-patterns for attribute {}",
            vm.repr_string(name)?
        );
        return Err(vm.type_error(&m));
    }
    vm.set_add(seen, name)?;
    let key = vm.intern_value(name);
    let v = vm.getattr_opt(subject, key)?;
    if v.is_null() {
        return Ok(false);
    }
    vm.list_append(out, v);
    Ok(true)
}
