//! The second handlers: everything that is generic about an instruction.
//!
//! The interpreter calls one of them when the fast handler of the same name gave
//! up (or where there is none), so they may be long, and need not begin with the
//! commonest case. The recorder tries both in the same order.

use super::calls::{call_method, call_named, call_window, enter_function, return_};
use super::{HEADER, build, generators, handlers, iterate, load_attr, need, operands};
use crate::lang::{Attr, AttrStore, PyMachine, Stage, field};
use pyrite_bytecode::{CmpOp, Ins};
use pyrite_machine::{Ctl, Value};
use pyrite_objects::ops::BinOp;

/// Runs the arithmetic special method of an instruction's operands, if that is a
/// Python function.
#[inline(always)]
fn binary<M: PyMachine, const K: bool>(m: &mut M, ins: Ins, op: BinOp) -> Ctl {
    let (x, y) = operands::<M, K>(m, ins);
    match m.binary_method(op, ins.d() == 1, x, y) {
        Some(f) => enter_function(m, f, &[x, y], Stage::Binary),
        None => Ctl::Slow,
    }
}

#[inline(always)]
fn compare_method<M: PyMachine>(m: &mut M, x: M::V, y: M::V, op: CmpOp) -> Ctl {
    match m.compare_method(op, x, y) {
        Some(f) => enter_function(m, f, &[x, y], Stage::Binary),
        None => Ctl::Slow,
    }
}

#[inline(always)]
fn compare<M: PyMachine>(m: &mut M, ins: Ins, op: CmpOp) -> Ctl {
    let (x, y) = operands::<M, false>(m, ins);
    compare_method(m, x, y, op)
}

#[inline(always)]
fn compare_jump<M: PyMachine>(m: &mut M, ins: Ins, op: CmpOp) -> Ctl {
    let (x, y) = (m.reg(ins.a() as isize), m.reg(ins.b() as isize));
    compare_method(m, x, y, op)
}

handlers! {
    fn LOAD_ATTR(m, ins) {
        let o = m.reg(ins.b() as isize);
        need!(m, m.is_ptr(o));
        let found = m.attr(ins.c(), o, true);
        if let Attr::Property(f) = found {
            return enter_function(m, f, &[o], Stage::Value);
        }
        let bound = match found {
            Attr::Method(f) => Some((f, o)),
            Attr::ClassMethod(f, class) => Some((f, class)),
            _ => None,
        };
        if let Some((f, this)) = bound {
            return match build::method(m, f, this) {
                Some(v) => {
                    m.set_reg(ins.a() as isize, v);
                    Ctl::Next
                }
                None => Ctl::Slow,
            };
        }
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
        let how = m.attr_store(ins.c(), o, true);
        match how {
            AttrStore::Setter(f) => return enter_function(m, f, &[o, v], Stage::Drop),
            AttrStore::Miss => return Ctl::Slow,
            AttrStore::Overflow(f, i) => {
                let a = m.load(o, f);
                let i = m.int(i as i64);
                if m.store_blocked(a) {
                    m.unblock(a);
                }
                m.store_elem(a, field::ARRAY_ELEMS, i, v);
                return Ctl::Next;
            }
            _ => {}
        }
        if m.store_blocked(o) {
            m.unblock(o);
        }
        match how {
            AttrStore::Add(f, shape) => {
                m.store(o, f, v);
                m.store_shape(o, shape);
            }
            AttrStore::Slot(f) => m.store(o, f, v),
            _ => {}
        }
        Ctl::Next
    }
    fn LOAD_METHOD(m, ins) {
        let o = m.reg(ins.b() as isize);
        need!(m, m.is_ptr(o));
        let w = ins.a() as isize;
        let found = m.attr(ins.c(), o, true);
        let (f, this) = match found {
            Attr::Method(f) => (m.value(f), o),
            Attr::ClassMethod(f, class) => (m.value(f), class),
            _ => match load_attr(m, o, found) {
                Some(f) => (f, m.value(Value::NULL)),
                None => return Ctl::Slow,
            },
        };
        m.set_reg(w, f);
        m.set_reg(w + HEADER, this);
        Ctl::Next
    }
    fn LOAD_SUPER_METHOD(m, ins) {
        let b = ins.b() as isize;
        let (class, this) = (m.reg(b), m.reg(b + 1));
        need!(m, m.is_ptr(class));
        need!(m, m.is_ptr(this));
        match m.super_method(ins.c(), class, this) {
            Some(f) => {
                let f = m.value(f);
                let w = ins.a() as isize;
                m.set_reg(w, f);
                m.set_reg(w + HEADER, this);
                Ctl::Next
            }
            None => Ctl::Slow,
        }
    }
    fn LOAD_CLOSURE(m, ins) {
        let f = m.reg(-4);
        let cells = m.load(f, field::FUNC_CLOSURE);
        let i = m.int(ins.b() as i64);
        let v = m.load_elem(cells, field::TUPLE_ELEMS, i);
        m.set_reg(ins.a() as isize, v);
        Ctl::Next
    }
    fn MAKE_CELL(m, ins) { build::cell(m, ins) }
    fn STORE_CELL(m, ins) {
        let c = m.reg(ins.a() as isize);
        let v = m.reg(ins.b() as isize);
        if m.store_blocked(c) {
            m.unblock(c);
        }
        m.store(c, field::CELL, v);
        Ctl::Next
    }
    fn LOAD_SUBSCR(m, ins) {
        let (o, i) = (m.reg(ins.b() as isize), m.reg(ins.c() as isize));
        need!(m, m.is_ptr(o));
        match m.item_method(o, false) {
            Some(f) => enter_function(m, f, &[o, i], Stage::Value),
            None => Ctl::Slow,
        }
    }
    fn STORE_SUBSCR(m, ins) {
        let (o, i, v) = (m.reg(ins.a() as isize), m.reg(ins.b() as isize), m.reg(ins.c() as isize));
        need!(m, m.is_ptr(o));
        let list = m.has_shape(o, m.known().list);
        if m.branch(list) {
            return super::store_item(m, o, i, v, true);
        }
        match m.item_method(o, true) {
            Some(f) => enter_function(m, f, &[o, i, v], Stage::Drop),
            None => Ctl::Slow,
        }
    }
    fn LIST_APPEND(m, ins) {
        let (l, v) = (m.reg(ins.a() as isize), m.reg(ins.b() as isize));
        build::append(m, l, v, true)
    }
    fn BUILD_TUPLE(m, ins) { build::tuple(m, ins) }
    fn BUILD_LIST(m, ins) { build::list(m, ins) }
    fn BUILD_MAP(m, ins) { build::map(m, ins) }
    fn BUILD_SLICE(m, ins) { build::slice(m, ins) }
    fn UNPACK_SEQUENCE(m, ins) { build::unpack(m, ins) }
    fn ADD(m, ins) { binary::<M, false>(m, ins, BinOp::Add) }
    fn SUB(m, ins) { binary::<M, false>(m, ins, BinOp::Sub) }
    fn MUL(m, ins) { binary::<M, false>(m, ins, BinOp::Mul) }
    fn TRUEDIV(m, ins) { binary::<M, false>(m, ins, BinOp::TrueDiv) }
    fn FLOORDIV(m, ins) { binary::<M, false>(m, ins, BinOp::FloorDiv) }
    fn MOD(m, ins) { binary::<M, false>(m, ins, BinOp::Mod) }
    fn AND(m, ins) { binary::<M, false>(m, ins, BinOp::And) }
    fn OR(m, ins) { binary::<M, false>(m, ins, BinOp::Or) }
    fn XOR(m, ins) { binary::<M, false>(m, ins, BinOp::Xor) }
    fn ADDK(m, ins) { binary::<M, true>(m, ins, BinOp::Add) }
    fn SUBK(m, ins) { binary::<M, true>(m, ins, BinOp::Sub) }
    fn MULK(m, ins) { binary::<M, true>(m, ins, BinOp::Mul) }
    fn LT(m, ins) { compare(m, ins, CmpOp::Lt) }
    fn LE(m, ins) { compare(m, ins, CmpOp::Le) }
    fn EQ(m, ins) { compare(m, ins, CmpOp::Eq) }
    fn NE(m, ins) { compare(m, ins, CmpOp::Ne) }
    fn GT(m, ins) { compare(m, ins, CmpOp::Gt) }
    fn GE(m, ins) { compare(m, ins, CmpOp::Ge) }
    fn JLT(m, ins) { compare_jump(m, ins, CmpOp::Lt) }
    fn JLE(m, ins) { compare_jump(m, ins, CmpOp::Le) }
    fn JEQ(m, ins) { compare_jump(m, ins, CmpOp::Eq) }
    fn JNE(m, ins) { compare_jump(m, ins, CmpOp::Ne) }
    fn JGT(m, ins) { compare_jump(m, ins, CmpOp::Gt) }
    fn JGE(m, ins) { compare_jump(m, ins, CmpOp::Ge) }
    fn JNLT(m, ins) { compare_jump(m, ins, CmpOp::Lt) }
    fn JNLE(m, ins) { compare_jump(m, ins, CmpOp::Le) }
    fn JNEQ(m, ins) { compare_jump(m, ins, CmpOp::Eq) }
    fn JNNE(m, ins) { compare_jump(m, ins, CmpOp::Ne) }
    fn JNGT(m, ins) { compare_jump(m, ins, CmpOp::Gt) }
    fn JNGE(m, ins) { compare_jump(m, ins, CmpOp::Ge) }
    fn GET_ITER(m, ins) { iterate::get_iter(m, ins) }
    fn FOR_ITER(m, ins) {
        let it = m.reg(ins.a() as isize);
        need!(m, m.is_ptr(it));
        let known = m.known();
        let shape = m.shape(it);
        if shape == known.generator {
            let none = m.value(known.none);
            return generators::resume(m, it, ins.c() as isize + HEADER, Stage::ForIter, none);
        }
        if shape == known.dict_key_iter
            || shape == known.dict_value_iter
            || shape == known.dict_item_iter
        {
            return iterate::next_of_dict(m, ins);
        }
        Ctl::Slow
    }
    fn SEND(m, ins) {
        let (it, v) = (m.reg(ins.a() as isize), m.reg(ins.b() as isize));
        need!(m, m.is_ptr(it));
        need!(m, m.has_shape(it, m.known().generator));
        generators::resume(m, it, ins.c() as isize + HEADER, Stage::Send, v)
    }
    fn YIELD(m, ins) { generators::suspend(m, ins) }
    fn GET_YIELD_FROM_ITER(m, ins) {
        let v = m.reg(ins.b() as isize);
        need!(m, m.is_ptr(v));
        need!(m, m.has_shape(v, m.known().generator));
        m.set_reg(ins.a() as isize, v);
        Ctl::Next
    }
    fn CALL(m, ins) {
        let w = ins.a() as isize;
        let f = m.reg(w);
        call_window(m, f, w + HEADER, ins.b(), ins.c(), true)
    }
    fn CALL_METHOD(m, ins) { call_method(m, ins, true) }
    fn CALL_KW(m, ins) {
        let w = ins.a() as isize;
        let f = m.reg(w);
        call_named(m, f, w + 1, w + HEADER, ins.b())
    }
    fn CALL_METHOD_KW(m, ins) {
        let w = ins.a() as isize;
        let f = m.reg(w);
        let this = m.reg(w + HEADER);
        let none = m.is_null(this);
        if m.branch(none) {
            call_named(m, f, w + 1, w + HEADER + 1, ins.b())
        } else {
            call_named(m, f, w + 1, w + HEADER, ins.b() + 1)
        }
    }
    fn RETURN(m, ins) { return_(m, ins) }
    fn PUSH_EXC(m, ins) {
        let prev = m.handled();
        let e = m.reg(ins.b() as isize);
        m.set_handled(e);
        m.set_reg(ins.a() as isize, prev);
        Ctl::Next
    }
    fn POP_EXC(m, ins) {
        let e = m.reg(ins.a() as isize);
        m.set_handled(e);
        Ctl::Next
    }
}
