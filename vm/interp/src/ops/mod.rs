//! The handlers, each written once. The interpreter and the trace recorder are
//! instantiations of this file.
//!
//! A handler that returns [`Ctl::Slow`] has changed nothing. What this file has
//! are the fast handlers: leaves for the common case. Many instructions have a
//! second one in [`mid`], complete but for what is rare, which the interpreter
//! tries when the first gives up and which the recorder takes at once; then comes
//! the general implementation in `slow`.

mod build;
mod calls;
mod generators;
mod iterate;
pub mod mid;

use crate::lang::{Attr, AttrStore, PyMachine, Stage, field};
pub(crate) use build::tuple_of;
use calls::{call_method, call_window};
pub(crate) use calls::{defaults, jumps_when};
use pyrite_bytecode::{FRAME_HEADER, Ins};
use pyrite_machine::{Cmp, Ctl, Value};

const HEADER: isize = FRAME_HEADER as isize;

/// Continues only if the condition holds.
macro_rules! need {
    ($m:ident, $b:expr) => {{
        let b = $b;
        if !$m.branch(b) {
            return Ctl::Slow;
        }
    }};
}

/// Continues only if the condition does not hold.
macro_rules! refuse {
    ($m:ident, $b:expr) => {{
        let b = $b;
        if $m.branch(b) {
            return Ctl::Slow;
        }
    }};
}

macro_rules! handlers {
    ($($(#[$meta:meta])* fn $name:ident($m:ident, $ins:ident) $body:block)*) => {
        $($(#[$meta])*
        #[allow(non_snake_case, reason = "named as the instructions are")]
        #[inline(always)]
        pub fn $name<M: PyMachine>($m: &mut M, $ins: Ins) -> Ctl $body)*
    };
}

/// Operands of a binary instruction: two registers, or register and constant.
#[inline(always)]
fn operands<M: PyMachine, const K: bool>(m: &mut M, ins: Ins) -> (M::V, M::V) {
    let x = m.reg(ins.b() as isize);
    let y = if K {
        m.konst(ins.c())
    } else {
        m.reg(ins.c() as isize)
    };
    (x, y)
}

macro_rules! arith {
    ($name:ident, $int:ident, $float:ident) => {
        #[inline(always)]
        fn $name<M: PyMachine, const K: bool>(m: &mut M, ins: Ins) -> Ctl {
            let (x, y) = operands::<M, K>(m, ins);
            let xi = m.is_int(x);
            if m.branch(xi) {
                let yi = m.is_int(y);
                if m.branch(yi) {
                    let (a, b) = (m.unbox_int(x), m.unbox_int(y));
                    let (r, overflow) = m.$int(a, b);
                    refuse!(m, overflow);
                    let r = m.box_int(r);
                    m.set_reg(ins.a() as isize, r);
                    return Ctl::Next;
                }
                need!(m, m.is_float(y));
                let a = m.unbox_int(x);
                let (a, b) = (m.int_to_float(a), m.unbox_float(y));
                let r = m.$float(a, b);
                let r = m.box_float(r);
                m.set_reg(ins.a() as isize, r);
                return Ctl::Next;
            }
            need!(m, m.is_float(x));
            let yf = m.is_float(y);
            let b = if m.branch(yf) {
                m.unbox_float(y)
            } else {
                need!(m, m.is_int(y));
                let b = m.unbox_int(y);
                m.int_to_float(b)
            };
            let a = m.unbox_float(x);
            let r = m.$float(a, b);
            let r = m.box_float(r);
            m.set_reg(ins.a() as isize, r);
            Ctl::Next
        }
    };
}

arith!(add, iadd, fadd);
arith!(sub, isub, fsub);
arith!(mul, imul, fmul);

/// Both operands as doubles, of which at least one is a float or division asks for them.
#[inline(always)]
fn as_double<M: PyMachine>(m: &mut M, v: M::V) -> Option<M::F> {
    let f = m.is_float(v);
    if m.branch(f) {
        return Some(m.unbox_float(v));
    }
    let i = m.is_int(v);
    if !m.branch(i) {
        return None;
    }
    let i = m.unbox_int(v);
    Some(m.int_to_float(i))
}

#[inline(always)]
fn divide<M: PyMachine, const K: bool>(m: &mut M, ins: Ins) -> Ctl {
    let (x, y) = operands::<M, K>(m, ins);
    let Some(a) = as_double(m, x) else {
        return Ctl::Slow;
    };
    let Some(b) = as_double(m, y) else {
        return Ctl::Slow;
    };
    let zero = m.value(Value::float(0.0));
    let zero = m.unbox_float(zero);
    refuse!(m, m.fcmp(Cmp::Eq, b, zero));
    let r = m.fdiv(a, b);
    let r = m.box_float(r);
    m.set_reg(ins.a() as isize, r);
    Ctl::Next
}

#[inline(always)]
fn int_division<M: PyMachine, const K: bool, const MOD: bool>(m: &mut M, ins: Ins) -> Ctl {
    let (x, y) = operands::<M, K>(m, ins);
    need!(m, m.is_int(x));
    need!(m, m.is_int(y));
    let (a, b) = (m.unbox_int(x), m.unbox_int(y));
    let (zero, minus) = (m.int(0), m.int(-1));
    refuse!(m, m.icmp(Cmp::Eq, b, zero));
    refuse!(m, m.icmp(Cmp::Eq, b, minus));
    let r = if MOD { m.imod(a, b) } else { m.idiv(a, b) };
    let r = m.box_int(r);
    m.set_reg(ins.a() as isize, r);
    Ctl::Next
}

macro_rules! bitwise {
    ($name:ident, $int:ident) => {
        #[inline(always)]
        fn $name<M: PyMachine, const K: bool>(m: &mut M, ins: Ins) -> Ctl {
            let (x, y) = operands::<M, K>(m, ins);
            need!(m, m.is_int(x));
            need!(m, m.is_int(y));
            let (a, b) = (m.unbox_int(x), m.unbox_int(y));
            let r = m.$int(a, b);
            let r = m.box_int(r);
            m.set_reg(ins.a() as isize, r);
            Ctl::Next
        }
    };
}

bitwise!(and, iand);
bitwise!(or, ior);
bitwise!(xor, ixor);

#[inline(always)]
fn shift_const<M: PyMachine, const LEFT: bool>(m: &mut M, ins: Ins) -> Ctl {
    let (x, y) = operands::<M, true>(m, ins);
    need!(m, m.is_int(x));
    need!(m, m.is_int(y));
    let (a, n) = (m.unbox_int(x), m.unbox_int(y));
    let n = m.promote_int(n);
    let r = if LEFT {
        if !(0..16).contains(&n) {
            return Ctl::Slow;
        }
        let (r, overflow) = m.ishl(a, n);
        refuse!(m, overflow);
        r
    } else {
        if !(0..64).contains(&n) {
            return Ctl::Slow;
        }
        m.ishr(a, n)
    };
    let r = m.box_int(r);
    m.set_reg(ins.a() as isize, r);
    Ctl::Next
}

/// Truth of a comparison of numbers; `None`: the slow way.
#[inline(always)]
fn compare<M: PyMachine>(m: &mut M, op: Cmp, x: M::V, y: M::V) -> Option<M::B> {
    let xi = m.is_int(x);
    if m.branch(xi) {
        let yi = m.is_int(y);
        if m.branch(yi) {
            let (a, b) = (m.unbox_int(x), m.unbox_int(y));
            return Some(m.icmp(op, a, b));
        }
        let yf = m.is_float(y);
        if !m.branch(yf) {
            return None;
        }
        let a = m.unbox_int(x);
        let (a, b) = (m.int_to_float(a), m.unbox_float(y));
        return Some(m.fcmp(op, a, b));
    }
    let xf = m.is_float(x);
    if !m.branch(xf) {
        return None;
    }
    let a = m.unbox_float(x);
    let yf = m.is_float(y);
    let b = if m.branch(yf) {
        m.unbox_float(y)
    } else {
        let yi = m.is_int(y);
        if !m.branch(yi) {
            return None;
        }
        let b = m.unbox_int(y);
        m.int_to_float(b)
    };
    Some(m.fcmp(op, a, b))
}

#[inline(always)]
fn compare_value<M: PyMachine>(m: &mut M, ins: Ins, op: Cmp) -> Ctl {
    let (x, y) = operands::<M, false>(m, ins);
    let Some(b) = compare(m, op, x, y) else {
        return Ctl::Slow;
    };
    let truth = m.branch(b);
    set_bool(m, ins.a(), truth);
    Ctl::Next
}

#[inline(always)]
fn set_bool<M: PyMachine>(m: &mut M, r: usize, truth: bool) {
    let known = m.known();
    let v = m.value(if truth { known.true_ } else { known.false_ });
    m.set_reg(r as isize, v);
}

#[inline(always)]
fn compare_jump<M: PyMachine, const WHEN: bool>(m: &mut M, ins: Ins, op: Cmp) -> Ctl {
    let (x, y) = (m.reg(ins.a() as isize), m.reg(ins.b() as isize));
    let Some(b) = compare(m, op, x, y) else {
        return Ctl::Slow;
    };
    if m.branch(b) == WHEN {
        m.jump(ins.s16() as isize);
    }
    Ctl::Next
}

/// Truth of a value for the common classes; `None`: the slow way.
#[inline(always)]
fn truth<M: PyMachine>(m: &mut M, v: M::V) -> Option<bool> {
    let known = m.known();
    let t = m.value(known.true_);
    let b = m.same(v, t);
    if m.branch(b) {
        return Some(true);
    }
    let f = m.value(known.false_);
    let b = m.same(v, f);
    if m.branch(b) {
        return Some(false);
    }
    let i = m.is_int(v);
    if m.branch(i) {
        let i = m.unbox_int(v);
        let zero = m.int(0);
        let b = m.icmp(Cmp::Ne, i, zero);
        return Some(m.branch(b));
    }
    let n = m.value(known.none);
    let b = m.same(v, n);
    if m.branch(b) {
        return Some(false);
    }
    None
}

#[inline(always)]
fn jump_if<M: PyMachine, const WHEN: bool>(m: &mut M, ins: Ins) -> Ctl {
    let v = m.reg(ins.a() as isize);
    match truth(m, v) {
        Some(t) => {
            if t == WHEN {
                m.jump(ins.off() as isize);
            }
            Ctl::Next
        }
        None => Ctl::Slow,
    }
}

#[inline(always)]
fn jump_none<M: PyMachine, const WHEN: bool>(m: &mut M, ins: Ins) -> Ctl {
    let v = m.reg(ins.a() as isize);
    let n = m.value(m.known().none);
    let b = m.same(v, n);
    if m.branch(b) == WHEN {
        m.jump(ins.off() as isize);
    }
    Ctl::Next
}

#[inline(always)]
fn load_attr<M: PyMachine>(m: &mut M, o: M::V, found: Attr<M::V>) -> Option<M::V> {
    match found {
        Attr::Slot(f) => Some(m.load(o, f)),
        Attr::Member(f) => {
            let v = m.load(o, f);
            let unset = m.is_null(v);
            if m.branch(unset) { None } else { Some(v) }
        }
        Attr::Overflow(f, i) => {
            let a = m.load(o, f);
            let i = m.int(i as i64);
            Some(m.load_elem(a, field::ARRAY_ELEMS, i))
        }
        Attr::Value(v) => Some(m.value(v)),
        Attr::Loaded(v) => Some(v),
        Attr::Method(_) | Attr::ClassMethod(..) | Attr::Property(_) | Attr::Miss => None,
    }
}

/// Stores into a list by index. Unless `full`, not into one that needs the
/// collector told.
#[inline(always)]
fn store_item<M: PyMachine>(m: &mut M, o: M::V, i: M::V, v: M::V, full: bool) -> Ctl {
    need!(m, m.is_int(i));
    let len = m.load_int(o, field::LIST_LEN);
    let items = m.load(o, field::LIST_ITEMS);
    let i = m.unbox_int(i);
    let zero = m.int(0);
    let negative = m.icmp(Cmp::Lt, i, zero);
    let i = if m.branch(negative) {
        m.iadd_wrapping(i, len)
    } else {
        i
    };
    need!(m, m.below(i, len));
    if m.store_blocked(items) {
        if !full {
            return Ctl::Slow;
        }
        m.unblock(items);
    }
    m.store_elem(items, field::ARRAY_ELEMS, i, v);
    Ctl::Next
}

pub(crate) use {handlers, need, refuse};

handlers! {
    fn NOP(_m, _ins) { Ctl::Next }
    fn MOVE(m, ins) {
        let v = m.reg(ins.b() as isize);
        m.set_reg(ins.a() as isize, v);
        Ctl::Next
    }
    fn LOAD_CONST(m, ins) {
        let v = m.konst(ins.b());
        m.set_reg(ins.a() as isize, v);
        Ctl::Next
    }
    fn LOAD_INT(m, ins) {
        let v = m.value(Value::small(ins.off()));
        m.set_reg(ins.a() as isize, v);
        Ctl::Next
    }
    fn CHECK_BOUND(m, ins) {
        let v = m.reg(ins.a() as isize);
        refuse!(m, m.is_null(v));
        Ctl::Next
    }
    fn CLEAR(m, ins) {
        let v = m.value(Value::NULL);
        m.set_reg(ins.a() as isize, v);
        Ctl::Next
    }
    fn LOAD_CELL(m, ins) {
        let c = m.reg(ins.b() as isize);
        let v = m.load(c, field::CELL);
        refuse!(m, m.is_null(v));
        m.set_reg(ins.a() as isize, v);
        Ctl::Next
    }
    fn STORE_CELL(m, ins) {
        let c = m.reg(ins.a() as isize);
        let v = m.reg(ins.b() as isize);
        if m.store_blocked(c) {
            return Ctl::Slow;
        }
        m.store(c, field::CELL, v);
        Ctl::Next
    }
    fn LOAD_GLOBAL(m, ins) {
        match m.global(ins.c()) {
            Some(v) => {
                m.set_reg(ins.a() as isize, v);
                Ctl::Next
            }
            None => Ctl::Slow,
        }
    }
    fn LOAD_ATTR(m, ins) {
        let o = m.reg(ins.b() as isize);
        need!(m, m.is_ptr(o));
        let found = m.attr(ins.c(), o, false);
        match load_attr(m, o, found) {
            Some(v) => {
                m.set_reg(ins.a() as isize, v);
                Ctl::Next
            }
            None => Ctl::Slow,
        }
    }
    fn STORE_ATTR(m, ins) {
        let o = m.reg(ins.a() as isize);
        let v = m.reg(ins.b() as isize);
        need!(m, m.is_ptr(o));
        match m.attr_store(ins.c(), o, false) {
            AttrStore::Slot(f) => {
                if m.store_blocked(o) {
                    return Ctl::Slow;
                }
                m.store(o, f, v);
                Ctl::Next
            }
            AttrStore::Add(f, shape) => {
                if m.store_blocked(o) {
                    return Ctl::Slow;
                }
                m.store(o, f, v);
                m.store_shape(o, shape);
                Ctl::Next
            }
            _ => Ctl::Slow,
        }
    }
    fn LOAD_METHOD(m, ins) {
        let o = m.reg(ins.b() as isize);
        need!(m, m.is_ptr(o));
        let w = ins.a() as isize;
        let found = m.attr(ins.c(), o, false);
        if let Attr::Method(f) = found {
            let f = m.value(f);
            m.set_reg(w, f);
            m.set_reg(w + HEADER, o);
            return Ctl::Next;
        }
        match load_attr(m, o, found) {
            Some(f) => {
                let null = m.value(Value::NULL);
                m.set_reg(w, f);
                m.set_reg(w + HEADER, null);
                Ctl::Next
            }
            None => Ctl::Slow,
        }
    }
    fn LOAD_SUBSCR(m, ins) {
        let (o, i) = (m.reg(ins.b() as isize), m.reg(ins.c() as isize));
        need!(m, m.is_ptr(o));
        need!(m, m.is_int(i));
        let known = m.known();
        let list = m.has_shape(o, known.list);
        let (len, items, elems) = if m.branch(list) {
            let n = m.load_int(o, field::LIST_LEN);
            let a = m.load(o, field::LIST_ITEMS);
            (n, a, field::ARRAY_ELEMS)
        } else {
            need!(m, m.has_shape(o, known.tuple));
            let n = m.load_int(o, field::TUPLE_LEN);
            (n, o, field::TUPLE_ELEMS)
        };
        let i = m.unbox_int(i);
        let zero = m.int(0);
        let negative = m.icmp(Cmp::Lt, i, zero);
        let i = if m.branch(negative) { m.iadd_wrapping(i, len) } else { i };
        need!(m, m.below(i, len));
        let v = m.load_elem(items, elems, i);
        m.set_reg(ins.a() as isize, v);
        Ctl::Next
    }
    fn STORE_SUBSCR(m, ins) {
        let (o, i, v) = (m.reg(ins.a() as isize), m.reg(ins.b() as isize), m.reg(ins.c() as isize));
        need!(m, m.is_ptr(o));
        need!(m, m.has_shape(o, m.known().list));
        store_item(m, o, i, v, false)
    }
    fn LIST_APPEND(m, ins) {
        let (l, v) = (m.reg(ins.a() as isize), m.reg(ins.b() as isize));
        build::append(m, l, v, false)
    }
    fn ADD(m, ins) { add::<M, false>(m, ins) }
    fn SUB(m, ins) { sub::<M, false>(m, ins) }
    fn MUL(m, ins) { mul::<M, false>(m, ins) }
    fn TRUEDIV(m, ins) { divide::<M, false>(m, ins) }
    fn FLOORDIV(m, ins) { int_division::<M, false, false>(m, ins) }
    fn MOD(m, ins) { int_division::<M, false, true>(m, ins) }
    fn AND(m, ins) { and::<M, false>(m, ins) }
    fn OR(m, ins) { or::<M, false>(m, ins) }
    fn XOR(m, ins) { xor::<M, false>(m, ins) }
    fn ADDK(m, ins) { add::<M, true>(m, ins) }
    fn SUBK(m, ins) { sub::<M, true>(m, ins) }
    fn MULK(m, ins) { mul::<M, true>(m, ins) }
    fn FLOORDIVK(m, ins) { int_division::<M, true, false>(m, ins) }
    fn MODK(m, ins) { int_division::<M, true, true>(m, ins) }
    fn ANDK(m, ins) { and::<M, true>(m, ins) }
    fn LSHIFTK(m, ins) { shift_const::<M, true>(m, ins) }
    fn RSHIFTK(m, ins) { shift_const::<M, false>(m, ins) }
    fn NEG(m, ins) {
        let v = m.reg(ins.b() as isize);
        let f = m.is_float(v);
        if m.branch(f) {
            let x = m.unbox_float(v);
            let x = m.fneg(x);
            let r = m.box_float(x);
            m.set_reg(ins.a() as isize, r);
            return Ctl::Next;
        }
        need!(m, m.is_int(v));
        let i = m.unbox_int(v);
        let zero = m.int(0);
        let (r, overflow) = m.isub(zero, i);
        refuse!(m, overflow);
        let r = m.box_int(r);
        m.set_reg(ins.a() as isize, r);
        Ctl::Next
    }
    fn NOT(m, ins) {
        let v = m.reg(ins.b() as isize);
        match truth(m, v) {
            Some(t) => {
                set_bool(m, ins.a(), !t);
                Ctl::Next
            }
            None => Ctl::Slow,
        }
    }
    fn LT(m, ins) { compare_value(m, ins, Cmp::Lt) }
    fn LE(m, ins) { compare_value(m, ins, Cmp::Le) }
    fn EQ(m, ins) { compare_value(m, ins, Cmp::Eq) }
    fn NE(m, ins) { compare_value(m, ins, Cmp::Ne) }
    fn GT(m, ins) { compare_value(m, ins, Cmp::Gt) }
    fn GE(m, ins) { compare_value(m, ins, Cmp::Ge) }
    fn IS(m, ins) {
        let (x, y) = operands::<M, false>(m, ins);
        let b = m.same(x, y);
        let t = m.branch(b);
        set_bool(m, ins.a(), t != (ins.d() == 1));
        Ctl::Next
    }
    fn JUMP(m, ins) {
        m.jump(ins.off() as isize);
        Ctl::Next
    }
    fn LOOP(m, ins) {
        refuse!(m, m.poll());
        m.loop_edge(ins)
    }
    fn JT(m, ins) { jump_if::<M, true>(m, ins) }
    fn JF(m, ins) { jump_if::<M, false>(m, ins) }
    fn JNONE(m, ins) { jump_none::<M, true>(m, ins) }
    fn JNOTNONE(m, ins) { jump_none::<M, false>(m, ins) }
    fn JLT(m, ins) { compare_jump::<M, true>(m, ins, Cmp::Lt) }
    fn JLE(m, ins) { compare_jump::<M, true>(m, ins, Cmp::Le) }
    fn JEQ(m, ins) { compare_jump::<M, true>(m, ins, Cmp::Eq) }
    fn JNE(m, ins) { compare_jump::<M, true>(m, ins, Cmp::Ne) }
    fn JGT(m, ins) { compare_jump::<M, true>(m, ins, Cmp::Gt) }
    fn JGE(m, ins) { compare_jump::<M, true>(m, ins, Cmp::Ge) }
    fn JNLT(m, ins) { compare_jump::<M, false>(m, ins, Cmp::Lt) }
    fn JNLE(m, ins) { compare_jump::<M, false>(m, ins, Cmp::Le) }
    fn JNEQ(m, ins) { compare_jump::<M, false>(m, ins, Cmp::Eq) }
    fn JNNE(m, ins) { compare_jump::<M, false>(m, ins, Cmp::Ne) }
    fn JNGT(m, ins) { compare_jump::<M, false>(m, ins, Cmp::Gt) }
    fn JNGE(m, ins) { compare_jump::<M, false>(m, ins, Cmp::Ge) }
    fn JIS(m, ins) {
        let (x, y) = (m.reg(ins.a() as isize), m.reg(ins.b() as isize));
        let b = m.same(x, y);
        if m.branch(b) {
            m.jump(ins.s16() as isize);
        }
        Ctl::Next
    }
    fn JISNOT(m, ins) {
        let (x, y) = (m.reg(ins.a() as isize), m.reg(ins.b() as isize));
        let b = m.same(x, y);
        if !m.branch(b) {
            m.jump(ins.s16() as isize);
        }
        Ctl::Next
    }
    fn FOR_ITER(m, ins) { iterate::next(m, ins) }
    fn CALL(m, ins) {
        let w = ins.a() as isize;
        let f = m.reg(w);
        call_window(m, f, w + HEADER, ins.b(), ins.c(), false)
    }
    fn CALL_METHOD(m, ins) { call_method(m, ins, false) }
    fn RETURN(m, ins) {
        let v = m.reg(ins.a() as isize);
        let Some((Stage::Call, call)) = m.peek_return() else { return Ctl::Slow };
        m.pop_frame();
        m.set_reg(call.c() as isize, v);
        Ctl::Next
    }
}
