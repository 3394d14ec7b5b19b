//! Calls and returns.

use super::{Flow, NEXT, Regs, Step, jump};
use crate::calls;
use crate::frames::{self, caller_of, code_at, return_at, return_pc};
use crate::generators;
use crate::lang::Stage;
use crate::unwind::top_of;
use pyrite_bytecode::{CmpOp, Ins, Op};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyFunction, PyMethod, PyNative};
use pyrite_objects::native::intrinsic;
use pyrite_objects::ops::BinOp;
use pyrite_objects::shape::shape_of;
use pyrite_objects::vm::{R, Vm};

/// Calls `f` with `n` arguments at register `window`, of which those named by
/// `kwnames` come last. A Python function gets a frame; the result goes to
/// register `dst`.
#[allow(clippy::too_many_arguments, reason = "the parts of a call instruction")]
pub(super) fn call(
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
    // For a native callee alone, not for what it or any other may call.
    let floor = std::mem::take(&mut vm.call_floor);
    if f.is_ptr() {
        let s = shape_of(f);
        match s.layout {
            Layout::Native => {
                vm.enter_native()?;
                vm.collect_floor = if is_collector(f) { floor } else { 0 };
                let v = vm.call_native(f, args, kwnames);
                vm.collect_floor = 0;
                r.set(dst, v?);
                return NEXT;
            }
            Layout::Function => {
                return push_function(vm, pc, base, window, n, f, kwnames, Stage::Call);
            }
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
                    let n = n + 1;
                    return push_function(vm, pc, base, window, n, func, kwnames, Stage::Call);
                }
            }
            Layout::Type if n == 1 && kwnames.is_null() => {
                if let Some(v) = convert(vm, f, args[0])? {
                    r.set(dst, v);
                    return NEXT;
                }
                if let Some(flow) = instantiate(vm, pc, base, window, n, f, kwnames)? {
                    return Ok(flow);
                }
            }
            Layout::Type => {
                if let Some(flow) = instantiate(vm, pc, base, window, n, f, kwnames)? {
                    return Ok(flow);
                }
            }
            _ => {}
        }
    }
    let v = vm.call_kw(f, args, kwnames)?;
    r.set(dst, v);
    NEXT
}

/// True for the native functions that look for dead objects.
pub(crate) fn is_collector(f: Value) -> bool {
    if !f.is_ptr() || shape_of(f).layout != Layout::Native {
        return false;
    }
    // SAFETY: definitions are statics.
    let def = unsafe { &*Gc::<PyNative>::from_value(f).def.get() };
    def.intrinsic == intrinsic::COLLECT
}

/// `class(v)` of a built-in class that converts; `None`: by its `__new__`.
fn convert(vm: &mut Vm, class: Value, v: Value) -> R<Option<Value>> {
    let t = vm.types;
    let class = Gc::from_value(class);
    Ok(if class == t.str_ {
        Some(vm.str(v)?)
    } else if class == t.type_ {
        Some(vm.shown_class(v).value())
    } else if class == t.bool_ {
        let b = vm.truth(v)?;
        Some(vm.bool(b))
    } else if class == t.int && v.is_int() || class == t.float && v.is_float() {
        Some(v)
    } else if class == t.float {
        v.as_int().map(|i| Value::float(i as f64))
    } else if class == t.int {
        // Truncation towards zero.
        v.as_float()
            .filter(|f| f.abs() < 1e15)
            .map(|f| vm.new_int(f as i64))
    } else {
        None
    })
}

/// Instantiation of a class with a Python `__init__`, which gets a frame: what the
/// generic way leaves, because the bump window was empty or because arguments have
/// to be sorted. `None`: not such a class.
fn instantiate(
    vm: &mut Vm,
    pc: *const u64,
    base: *mut Value,
    window: usize,
    n: usize,
    class: Value,
    kwnames: Value,
) -> R<Option<Flow>> {
    let crate::lang::Callee::Class { init, code, .. } = calls::class_callee(vm, class) else {
        return Ok(None);
    };
    // The instance lies where the callable's header slot is, and is the first
    // argument, so the others move up by one register.
    let window = window + 1;
    let size = code.frame_size.max(n as u32 + 1);
    // SAFETY: only compared.
    frames::grow(vm, unsafe { base.add(window) }, size)?;
    let obj = vm.new_instance(Gc::from_value(class));
    let r = Regs(base);
    for i in (0..n).rev() {
        r.set(window + i + 1, r.get(window + i - 1));
    }
    r.set(window, obj);
    let flow = push_function(vm, pc, base, window, n + 1, init, kwnames, Stage::Init)?;
    r.set(window - 5, obj);
    Ok(Some(flow))
}

/// Gives a Python function its frame; arguments are already in the window.
#[allow(clippy::too_many_arguments, reason = "the parts of a call instruction")]
fn push_function(
    vm: &mut Vm,
    pc: *const u64,
    base: *mut Value,
    window: usize,
    n: usize,
    f: Value,
    kwnames: Value,
    stage: Stage,
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
        // While binding may allocate, the new registers are roots already; those
        // above the locals hold valid words, if old ones.
        // SAFETY: only compared.
        let end = unsafe { new.add(code.frame_size as usize) };
        vm.alloc.top = vm.alloc.top.max(end as u64);
        match &args {
            Args::Stack(v) => calls::bind(vm, func, v.as_slice(), kwnames, new)?,
            Args::Tuple(t) => calls::bind(vm, func, vm.tuple_items(*t), kwnames, new)?,
        }
    }
    // SAFETY: header words of the new window.
    unsafe {
        *new.sub(4) = f;
        *new.sub(3) = crate::interp::return_word(pc, stage);
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
        if !vm.is_str(k) {
            return Err(vm.type_error("keywords must be strings"));
        }
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
pub(super) fn return_(vm: &mut Vm, base: *mut Value, v: Value) -> Step {
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
        Stage::Value => {
            vm.base = caller_of(base);
            Regs(vm.base).set(call.a(), v);
        }
        Stage::Drop => vm.base = caller_of(base),
        Stage::Binary => {
            vm.base = caller_of(base);
            vm.pc = back as u64;
            vm.alloc.top = top_of(vm.base);
            return finish_binary(vm, back, call, v);
        }
    }
    vm.pc = back as u64;
    Ok(Flow::Reload)
}

/// The second half of an arithmetic or comparing instruction whose left operand's
/// method returned `v`.
fn finish_binary(vm: &mut Vm, back: *const u64, ins: Ins, v: Value) -> Step {
    let base = vm.base;
    let r = Regs(base);
    let mut v = v;
    if let Some((op, constant)) = arithmetic(ins.op()) {
        if v == vm.not_implemented {
            let y = if constant {
                // SAFETY: the compiler names constants that exist.
                unsafe { *code_at(base).consts.add(ins.c()) }
            } else {
                r.get(ins.c())
            };
            v = vm.binary_rest(op, r.get(ins.b()), y, ins.d() == 1)?;
        }
    } else if let Some(op) = comparison(ins.op()) {
        let jumps = crate::ops::jumps_when(ins.op());
        if v == vm.not_implemented {
            let (x, y) = if jumps.is_some() {
                (r.get(ins.a()), r.get(ins.b()))
            } else {
                (r.get(ins.b()), r.get(ins.c()))
            };
            v = vm.compare_rest(op, x, y)?;
        }
        if let Some(when) = jumps {
            if vm.truth(v)? == when {
                return jump(vm, back, ins.s16() as isize);
            }
            return Ok(Flow::Reload);
        }
    }
    r.set(ins.a(), v);
    Ok(Flow::Reload)
}

/// The operator of an arithmetic instruction, and whether its right operand is a
/// constant.
fn arithmetic(op: Op) -> Option<(BinOp, bool)> {
    Some(match op {
        Op::ADD => (BinOp::Add, false),
        Op::SUB => (BinOp::Sub, false),
        Op::MUL => (BinOp::Mul, false),
        Op::TRUEDIV => (BinOp::TrueDiv, false),
        Op::FLOORDIV => (BinOp::FloorDiv, false),
        Op::MOD => (BinOp::Mod, false),
        Op::AND => (BinOp::And, false),
        Op::OR => (BinOp::Or, false),
        Op::XOR => (BinOp::Xor, false),
        Op::ADDK => (BinOp::Add, true),
        Op::SUBK => (BinOp::Sub, true),
        Op::MULK => (BinOp::Mul, true),
        _ => return None,
    })
}

/// The operator of a comparing instruction.
fn comparison(op: Op) -> Option<CmpOp> {
    Some(match op {
        Op::LT | Op::JLT | Op::JNLT => CmpOp::Lt,
        Op::LE | Op::JLE | Op::JNLE => CmpOp::Le,
        Op::EQ | Op::JEQ | Op::JNEQ => CmpOp::Eq,
        Op::NE | Op::JNE | Op::JNNE => CmpOp::Ne,
        Op::GT | Op::JGT | Op::JNGT => CmpOp::Gt,
        Op::GE | Op::JGE | Op::JNGE => CmpOp::Ge,
        _ => return None,
    })
}
