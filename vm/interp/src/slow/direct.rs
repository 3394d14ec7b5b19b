//! The general implementation of the instructions that ordinary programs run
//! often, a function each: the dispatcher has a handler of its own for them.

use super::attrs::load_method;
use super::build::unpack;
use super::calls::{call, call_ex, return_};
use super::{Flow, NEXT, Regs, Step, generate, jump, look};
use crate::frames::{code_at, function_at};
use crate::generators;
use crate::lang::Stage;
use pyrite_bytecode::{CmpOp, FRAME_HEADER, Ins};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyFunction};
use pyrite_objects::ops::BinOp;
use pyrite_objects::shape::shape_of;
use pyrite_objects::vm::Vm;

/// Calls `$m!` with the names of this file's instructions.
macro_rules! direct_ops {
    ($m:ident) => {
        $m! {
            LOAD_ATTR STORE_ATTR LOAD_METHOD LOAD_SUBSCR STORE_SUBSCR DELETE_SUBSCR
            ADD SUB MUL TRUEDIV FLOORDIV MOD POW LSHIFT RSHIFT AND OR XOR ADDK SUBK MULK FLOORDIVK MODK ANDK LSHIFTK RSHIFTK
            LT LE EQ NE GT GE JLT JLE JEQ JNE JGT JGE JNLT JNLE JNEQ JNNE JNGT JNGE IN NOT JT JF
            GET_ITER FOR_ITER CALL CALL_KW CALL_METHOD CALL_METHOD_KW CALL_EX RETURN RETURN_GENERATOR YIELD SEND MAKE_FUNCTION
            BUILD_TUPLE BUILD_LIST BUILD_MAP BUILD_SET BUILD_STRING FORMAT_VALUE LIST_APPEND SET_ADD MAP_ADD UNPACK_SEQUENCE
        }
    };
}
pub(crate) use direct_ops;

macro_rules! steps {
    ($(fn $name:ident($vm:ident, $pc:ident, $base:ident, $ins:ident) $body:block)*) => {
        $(
            #[allow(non_snake_case, reason = "named as the instructions are")]
            #[inline]
            pub(crate) fn $name($vm: &mut Vm, $pc: *const u64, $base: *mut Value, $ins: Ins) -> Step {
                let _ = $pc;
                $body
            }
        )*
    };
}

fn konst(base: *mut Value, i: usize) -> Value {
    // SAFETY: the compiler names constants that exist.
    unsafe { *code_at(base).consts.add(i) }
}

fn put(base: *mut Value, ins: Ins, v: Value) -> Step {
    Regs(base).set(ins.a(), v);
    NEXT
}

#[inline(always)]
fn binary(vm: &mut Vm, base: *mut Value, ins: Ins, op: BinOp) -> Step {
    let r = Regs(base);
    let v = vm.binary(op, r.get(ins.b()), r.get(ins.c()), ins.d() == 1)?;
    put(base, ins, v)
}

#[inline(always)]
fn binary_const(vm: &mut Vm, base: *mut Value, ins: Ins, op: BinOp) -> Step {
    let x = Regs(base).get(ins.b());
    let v = vm.binary(op, x, konst(base, ins.c()), ins.d() == 1)?;
    put(base, ins, v)
}

#[inline(always)]
fn compare(vm: &mut Vm, base: *mut Value, ins: Ins, op: CmpOp) -> Step {
    let r = Regs(base);
    let v = vm.compare(op, r.get(ins.b()), r.get(ins.c()))?;
    put(base, ins, v)
}

#[inline(always)]
fn compare_jump(
    vm: &mut Vm,
    pc: *const u64,
    base: *mut Value,
    ins: Ins,
    op: CmpOp,
    when: bool,
) -> Step {
    let r = Regs(base);
    let v = vm.compare(op, r.get(ins.a()), r.get(ins.b()))?;
    if vm.truth(v)? == when {
        jump(vm, pc, ins.s16() as isize)
    } else {
        NEXT
    }
}

#[inline(always)]
fn truth_jump(vm: &mut Vm, pc: *const u64, base: *mut Value, ins: Ins, when: bool) -> Step {
    if vm.truth(Regs(base).get(ins.a()))? == when {
        jump(vm, pc, ins.off() as isize)
    } else {
        NEXT
    }
}

/// A call after `LOAD_METHOD`: where the arguments start, and how many.
#[inline(always)]
fn method_window(r: &Regs, ins: Ins) -> (usize, usize) {
    if r.get(ins.a() + FRAME_HEADER).is_some() {
        (ins.a() + FRAME_HEADER, ins.b() + 1)
    } else {
        (ins.a() + FRAME_HEADER + 1, ins.b())
    }
}

steps! {
    fn LOAD_ATTR(vm, pc, base, ins) {
        let v = vm.getattr(Regs(base).get(ins.b()), code_at(base).ics[ins.c()].name)?;
        put(base, ins, v)
    }
    fn STORE_ATTR(vm, pc, base, ins) {
        let r = Regs(base);
        vm.setattr(r.get(ins.a()), code_at(base).ics[ins.c()].name, r.get(ins.b()))?;
        NEXT
    }
    fn LOAD_METHOD(vm, pc, base, ins) {
        let r = Regs(base);
        let (f, this) = load_method(vm, r.get(ins.b()), code_at(base).ics[ins.c()].name)?;
        r.set(ins.a(), f);
        r.set(ins.a() + FRAME_HEADER, this);
        NEXT
    }
    fn LOAD_SUBSCR(vm, pc, base, ins) {
        let r = Regs(base);
        let v = vm.getitem(r.get(ins.b()), r.get(ins.c()))?;
        put(base, ins, v)
    }
    fn STORE_SUBSCR(vm, pc, base, ins) {
        let r = Regs(base);
        vm.setitem(r.get(ins.a()), r.get(ins.b()), r.get(ins.c()))?;
        NEXT
    }
    fn DELETE_SUBSCR(vm, pc, base, ins) {
        let r = Regs(base);
        vm.delitem(r.get(ins.a()), r.get(ins.b()))?;
        NEXT
    }
    fn ADD(vm, pc, base, ins) { binary(vm, base, ins, BinOp::Add) }
    fn SUB(vm, pc, base, ins) { binary(vm, base, ins, BinOp::Sub) }
    fn MUL(vm, pc, base, ins) { binary(vm, base, ins, BinOp::Mul) }
    fn TRUEDIV(vm, pc, base, ins) { binary(vm, base, ins, BinOp::TrueDiv) }
    fn FLOORDIV(vm, pc, base, ins) { binary(vm, base, ins, BinOp::FloorDiv) }
    fn MOD(vm, pc, base, ins) { binary(vm, base, ins, BinOp::Mod) }
    fn POW(vm, pc, base, ins) { binary(vm, base, ins, BinOp::Pow) }
    fn LSHIFT(vm, pc, base, ins) { binary(vm, base, ins, BinOp::LShift) }
    fn RSHIFT(vm, pc, base, ins) { binary(vm, base, ins, BinOp::RShift) }
    fn AND(vm, pc, base, ins) { binary(vm, base, ins, BinOp::And) }
    fn OR(vm, pc, base, ins) { binary(vm, base, ins, BinOp::Or) }
    fn XOR(vm, pc, base, ins) { binary(vm, base, ins, BinOp::Xor) }
    fn ADDK(vm, pc, base, ins) { binary_const(vm, base, ins, BinOp::Add) }
    fn SUBK(vm, pc, base, ins) { binary_const(vm, base, ins, BinOp::Sub) }
    fn MULK(vm, pc, base, ins) { binary_const(vm, base, ins, BinOp::Mul) }
    fn FLOORDIVK(vm, pc, base, ins) { binary_const(vm, base, ins, BinOp::FloorDiv) }
    fn MODK(vm, pc, base, ins) { binary_const(vm, base, ins, BinOp::Mod) }
    fn ANDK(vm, pc, base, ins) { binary_const(vm, base, ins, BinOp::And) }
    fn LSHIFTK(vm, pc, base, ins) { binary_const(vm, base, ins, BinOp::LShift) }
    fn RSHIFTK(vm, pc, base, ins) { binary_const(vm, base, ins, BinOp::RShift) }
    fn LT(vm, pc, base, ins) { compare(vm, base, ins, CmpOp::Lt) }
    fn LE(vm, pc, base, ins) { compare(vm, base, ins, CmpOp::Le) }
    fn EQ(vm, pc, base, ins) { compare(vm, base, ins, CmpOp::Eq) }
    fn NE(vm, pc, base, ins) { compare(vm, base, ins, CmpOp::Ne) }
    fn GT(vm, pc, base, ins) { compare(vm, base, ins, CmpOp::Gt) }
    fn GE(vm, pc, base, ins) { compare(vm, base, ins, CmpOp::Ge) }
    fn JLT(vm, pc, base, ins) { compare_jump(vm, pc, base, ins, CmpOp::Lt, true) }
    fn JLE(vm, pc, base, ins) { compare_jump(vm, pc, base, ins, CmpOp::Le, true) }
    fn JEQ(vm, pc, base, ins) { compare_jump(vm, pc, base, ins, CmpOp::Eq, true) }
    fn JNE(vm, pc, base, ins) { compare_jump(vm, pc, base, ins, CmpOp::Ne, true) }
    fn JGT(vm, pc, base, ins) { compare_jump(vm, pc, base, ins, CmpOp::Gt, true) }
    fn JGE(vm, pc, base, ins) { compare_jump(vm, pc, base, ins, CmpOp::Ge, true) }
    fn JNLT(vm, pc, base, ins) { compare_jump(vm, pc, base, ins, CmpOp::Lt, false) }
    fn JNLE(vm, pc, base, ins) { compare_jump(vm, pc, base, ins, CmpOp::Le, false) }
    fn JNEQ(vm, pc, base, ins) { compare_jump(vm, pc, base, ins, CmpOp::Eq, false) }
    fn JNNE(vm, pc, base, ins) { compare_jump(vm, pc, base, ins, CmpOp::Ne, false) }
    fn JNGT(vm, pc, base, ins) { compare_jump(vm, pc, base, ins, CmpOp::Gt, false) }
    fn JNGE(vm, pc, base, ins) { compare_jump(vm, pc, base, ins, CmpOp::Ge, false) }
    fn IN(vm, pc, base, ins) {
        let r = Regs(base);
        let t = vm.contains(r.get(ins.c()), r.get(ins.b()))?;
        let v = vm.bool(t != (ins.d() == 1));
        put(base, ins, v)
    }
    fn NOT(vm, pc, base, ins) {
        let t = vm.truth(Regs(base).get(ins.b()))?;
        let v = vm.bool(!t);
        put(base, ins, v)
    }
    fn JT(vm, pc, base, ins) { truth_jump(vm, pc, base, ins, true) }
    fn JF(vm, pc, base, ins) { truth_jump(vm, pc, base, ins, false) }
    fn GET_ITER(vm, pc, base, ins) {
        let v = vm.get_iter(Regs(base).get(ins.b()))?;
        put(base, ins, v)
    }
    fn FOR_ITER(vm, pc, base, ins) {
        let r = Regs(base);
        let it = r.get(ins.a());
        if it.is_ptr() && shape_of(it).layout == Layout::Generator {
            let none = vm.none;
            let window = ins.c() + FRAME_HEADER;
            if generators::resume_in_window(vm, it, base, window, pc, Stage::ForIter, none)? {
                return Ok(Flow::Reload);
            }
        }
        match vm.iter_next(it)? {
            Some(v) => {
                r.set(ins.b(), v);
                jump(vm, pc, 1)
            }
            None => NEXT,
        }
    }
    fn CALL(vm, pc, base, ins) {
        look(vm)?;
        let f = Regs(base).get(ins.a());
        call(vm, pc, base, ins.a() + FRAME_HEADER, ins.b(), f, Value::NULL, ins.c())
    }
    fn CALL_KW(vm, pc, base, ins) {
        look(vm)?;
        let r = Regs(base);
        let (f, names) = (r.get(ins.a()), r.get(ins.a() + 1));
        call(vm, pc, base, ins.a() + FRAME_HEADER, ins.b(), f, names, ins.c())
    }
    fn CALL_METHOD(vm, pc, base, ins) {
        look(vm)?;
        let r = Regs(base);
        let (window, n) = method_window(&r, ins);
        call(vm, pc, base, window, n, r.get(ins.a()), Value::NULL, ins.c())
    }
    fn CALL_METHOD_KW(vm, pc, base, ins) {
        look(vm)?;
        let r = Regs(base);
        let (window, n) = method_window(&r, ins);
        call(vm, pc, base, window, n, r.get(ins.a()), r.get(ins.a() + 1), ins.c())
    }
    fn CALL_EX(vm, pc, base, ins) {
        look(vm)?;
        let r = Regs(base);
        let a = ins.a();
        let kwargs = if ins.b() == 1 {
            r.get(a + FRAME_HEADER + 1)
        } else {
            Value::NULL
        };
        let v = call_ex(vm, r.get(a), r.get(a + FRAME_HEADER), kwargs)?;
        r.set(ins.c(), v);
        NEXT
    }
    fn RETURN(vm, pc, base, ins) {
        let v = Regs(base).get(ins.a());
        return_(vm, base, v)
    }
    fn RETURN_GENERATOR(vm, pc, base, ins) {
        let g = generators::make(vm, base, pc, ins.a());
        return_(vm, base, g)
    }
    fn YIELD(vm, pc, base, ins) { generate::yield_(vm, pc, base, ins) }
    fn SEND(vm, pc, base, ins) { generate::send(vm, pc, base, ins) }
    fn MAKE_FUNCTION(vm, pc, base, ins) {
        let r = Regs(base);
        let c = ins.c();
        let globals = function_at(base).globals.get();
        let f = vm.new_function(konst(base, ins.b()), globals);
        let func: Gc<PyFunction> = Gc::from_value(f);
        if ins.d() & 1 != 0 {
            func.defaults.set(r.get(c));
        }
        if ins.d() & 2 != 0 {
            func.kwdefaults.set(r.get(c + 1));
        }
        if ins.d() & 4 != 0 {
            // The dict may collect: what was stored so far must be known.
            vm.write_barrier(f);
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
        put(base, ins, f)
    }
    fn BUILD_TUPLE(vm, pc, base, ins) {
        let v = vm.new_tuple(Regs(base).slice(ins.b(), ins.c()));
        put(base, ins, v)
    }
    fn BUILD_LIST(vm, pc, base, ins) {
        let v = vm.new_list(Regs(base).slice(ins.b(), ins.c()));
        put(base, ins, v)
    }
    fn BUILD_MAP(vm, pc, base, ins) {
        let r = Regs(base);
        let d = vm.new_dict();
        for i in 0..ins.c() {
            vm.dict_set(d, r.get(ins.b() + 2 * i), r.get(ins.b() + 2 * i + 1))?;
        }
        put(base, ins, d)
    }
    fn BUILD_SET(vm, pc, base, ins) {
        let r = Regs(base);
        let s = vm.new_set(vm.types.set);
        for i in 0..ins.c() {
            vm.set_add(s, r.get(ins.b() + i))?;
        }
        put(base, ins, s)
    }
    fn BUILD_STRING(vm, pc, base, ins) {
        let r = Regs(base);
        // Parts may be instances of str subclasses.
        for i in ins.b()..ins.b() + ins.c() {
            if let Some(s) = vm.as_str(r.get(i)) {
                r.set(i, s);
            }
        }
        let v = vm.str_join(r.slice(ins.b(), ins.c()));
        put(base, ins, v)
    }
    fn FORMAT_VALUE(vm, pc, base, ins) {
        let r = Regs(base);
        let mut v = r.get(ins.b());
        v = match ins.d() {
            1 => vm.str(v)?,
            2 => vm.repr(v)?,
            3 => {
                let s = vm.repr(v)?;
                pyrite_objects::misc::ascii(vm, s)
            }
            _ => v,
        };
        let spec = if ins.c() == 0xFFFF {
            Value::NULL
        } else {
            r.get(ins.c())
        };
        let s = vm.format(v, spec)?;
        put(base, ins, s)
    }
    fn LIST_APPEND(vm, pc, base, ins) {
        let r = Regs(base);
        vm.list_append(r.get(ins.a()), r.get(ins.b()));
        NEXT
    }
    fn SET_ADD(vm, pc, base, ins) {
        let r = Regs(base);
        vm.set_add(r.get(ins.a()), r.get(ins.b()))?;
        NEXT
    }
    fn MAP_ADD(vm, pc, base, ins) {
        let r = Regs(base);
        vm.dict_set(r.get(ins.a()), r.get(ins.b()), r.get(ins.c()))?;
        NEXT
    }
    fn UNPACK_SEQUENCE(vm, pc, base, ins) {
        let r = Regs(base);
        unpack(vm, &r, ins.a(), r.get(ins.b()), ins.c())?;
        NEXT
    }
}
