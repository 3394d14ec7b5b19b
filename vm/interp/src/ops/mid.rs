//! The second handlers: everything that is generic about an instruction.
//!
//! The interpreter calls one of them when the fast handler of the same name gave
//! up (or where there is none), so they may be long, and need not begin with the
//! commonest case. The recorder tries both in the same order.

use super::calls::{call_method, call_named, call_window, enter_function, length, return_};
use super::{
    HEADER, build, generators, handlers, iterate, load_attr, need, operands, refuse, set_bool,
};
use crate::lang::{Attr, AttrStore, PyMachine, Stage, field};
use pyrite_bytecode::{CmpOp, CodeFlags, Ins};
use pyrite_machine::{Cmp, Ctl, Value};
use pyrite_objects::ops::BinOp;

/// Flags of code whose frames are generators'.
const GENERATORS: u32 = CodeFlags::GENERATOR | CodeFlags::COROUTINE | CodeFlags::ASYNC_GENERATOR;

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

/// Integers of two operands that are ints or bools, at least one a bool.
#[inline(always)]
fn with_bool<M: PyMachine>(m: &mut M, x: M::V, y: M::V) -> Option<(M::I, M::I)> {
    let (x, first) = int_or_bool(m, x)?;
    let (y, second) = int_or_bool(m, y)?;
    (first || second).then_some((x, y))
}

/// The integer of an int or bool, and whether it was a bool.
#[inline(always)]
fn int_or_bool<M: PyMachine>(m: &mut M, v: M::V) -> Option<(M::I, bool)> {
    let int = m.is_int(v);
    if m.branch(int) {
        return Some((m.unbox_int(v), false));
    }
    let object = m.is_ptr(v);
    if !m.branch(object) {
        return None;
    }
    let b = m.has_shape(v, m.known().bool_);
    if !m.branch(b) {
        return None;
    }
    let v = m.load(v, field::BOOL_INT);
    Some((m.unbox_int(v), true))
}

/// Sums and differences of bools, else as [`binary`].
#[inline(always)]
fn count<M: PyMachine, const K: bool>(m: &mut M, ins: Ins, op: BinOp) -> Ctl {
    let (x, y) = operands::<M, K>(m, ins);
    if let Some((a, b)) = with_bool(m, x, y) {
        let (r, overflow) = if op == BinOp::Add {
            m.iadd(a, b)
        } else {
            m.isub(a, b)
        };
        refuse!(m, overflow);
        let r = m.box_int(r);
        m.set_reg(ins.a() as isize, r);
        return Ctl::Next;
    }
    binary::<M, K>(m, ins, op)
}

/// Truth of what is no bool, int or None.
#[inline(always)]
fn truth_of<M: PyMachine>(m: &mut M, v: M::V) -> Option<bool> {
    let float = m.is_float(v);
    if m.branch(float) {
        let zero = m.value(Value::float(0.0));
        let (f, zero) = (m.unbox_float(v), m.unbox_float(zero));
        let b = m.fcmp(Cmp::Ne, f, zero);
        return Some(m.branch(b));
    }
    let object = m.is_ptr(v);
    if !m.branch(object) {
        return None;
    }
    if let Some(n) = length(m, v) {
        let zero = m.int(0);
        let b = m.icmp(Cmp::Ne, n, zero);
        return Some(m.branch(b));
    }
    m.always_true(v).then_some(true)
}

#[inline(always)]
fn truth_jump<M: PyMachine>(m: &mut M, ins: Ins, when: bool) -> Ctl {
    let v = m.reg(ins.a() as isize);
    let Some(t) = truth_of(m, v) else {
        return Ctl::Slow;
    };
    if t == when {
        m.jump(ins.off() as isize);
    }
    Ctl::Next
}

#[inline(always)]
fn compare_method<M: PyMachine>(m: &mut M, x: M::V, y: M::V, op: CmpOp) -> Ctl {
    match m.compare_method(op, x, y) {
        Some(f) => enter_function(m, f, &[x, y], Stage::Binary),
        None => Ctl::Slow,
    }
}

/// True of two strings.
#[inline(always)]
fn strings<M: PyMachine>(m: &mut M, x: M::V, y: M::V) -> bool {
    for v in [x, y] {
        let object = m.is_ptr(v);
        if !m.branch(object) {
            return false;
        }
        let string = m.has_shape(v, m.known().str_);
        if !m.branch(string) {
            return false;
        }
    }
    true
}

#[inline(always)]
fn equal_strings<M: PyMachine>(m: &mut M, x: M::V, y: M::V) -> bool {
    let eq = m.str_eq(x, y);
    let zero = m.int(0);
    let b = m.icmp(Cmp::Ne, eq, zero);
    m.branch(b)
}

/// `EQ` and `NE`
#[inline(always)]
fn equality<M: PyMachine>(m: &mut M, ins: Ins, op: CmpOp) -> Ctl {
    let (x, y) = operands::<M, false>(m, ins);
    if strings(m, x, y) {
        let t = equal_strings(m, x, y) == (op == CmpOp::Eq);
        set_bool(m, ins.a(), t);
        return Ctl::Next;
    }
    compare_method(m, x, y, op)
}

/// `JEQ` and its kin: `when` says for which truth of `op` it jumps.
#[inline(always)]
fn equality_jump<M: PyMachine>(m: &mut M, ins: Ins, op: CmpOp, when: bool) -> Ctl {
    let (x, y) = (m.reg(ins.a() as isize), m.reg(ins.b() as isize));
    if strings(m, x, y) {
        if (equal_strings(m, x, y) == (op == CmpOp::Eq)) == when {
            m.jump(ins.s16() as isize);
        }
        return Ctl::Next;
    }
    compare_method(m, x, y, op)
}

/// An `int` or `str`, or a tuple (of such, or what is asked will refuse): a key
/// that a dict finds without running Python code.
#[inline(always)]
fn plain_key<M: PyMachine>(m: &mut M, key: M::V) -> bool {
    let int = m.is_int(key);
    if m.branch(int) {
        return true;
    }
    let object = m.is_ptr(key);
    if !m.branch(object) {
        return false;
    }
    let string = m.has_shape(key, m.known().str_);
    if m.branch(string) {
        return true;
    }
    let tuple = m.has_shape(key, m.known().tuple);
    m.branch(tuple)
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
        let shape = m.shape(o);
        let known = m.known();
        if shape == known.dict {
            if !plain_key(m, i) {
                return Ctl::Slow;
            }
            let v = m.dict_find(o, i);
            refuse!(m, m.is_null(v));
            m.set_reg(ins.a() as isize, v);
            return Ctl::Next;
        }
        if shape == known.str_ {
            need!(m, m.is_int(i));
            let i = m.unbox_int(i);
            let v = m.str_char(o, i);
            refuse!(m, m.is_null(v));
            m.set_reg(ins.a() as isize, v);
            return Ctl::Next;
        }
        if shape == known.list || shape == known.tuple {
            return Ctl::Slow;
        }
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
        let dict = m.has_shape(o, m.known().dict);
        if m.branch(dict) {
            if !plain_key(m, i) {
                return Ctl::Slow;
            }
            let entry = m.dict_place(o, i);
            let zero = m.int(0);
            refuse!(m, m.icmp(Cmp::Lt, entry, zero));
            m.dict_put(o, entry, v);
            return Ctl::Next;
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
    fn ADD(m, ins) { count::<M, false>(m, ins, BinOp::Add) }
    fn SUB(m, ins) { count::<M, false>(m, ins, BinOp::Sub) }
    fn MUL(m, ins) { binary::<M, false>(m, ins, BinOp::Mul) }
    fn TRUEDIV(m, ins) { binary::<M, false>(m, ins, BinOp::TrueDiv) }
    fn FLOORDIV(m, ins) { binary::<M, false>(m, ins, BinOp::FloorDiv) }
    fn MOD(m, ins) { binary::<M, false>(m, ins, BinOp::Mod) }
    fn AND(m, ins) { binary::<M, false>(m, ins, BinOp::And) }
    fn OR(m, ins) { binary::<M, false>(m, ins, BinOp::Or) }
    fn XOR(m, ins) { binary::<M, false>(m, ins, BinOp::Xor) }
    fn ADDK(m, ins) { count::<M, true>(m, ins, BinOp::Add) }
    fn SUBK(m, ins) { count::<M, true>(m, ins, BinOp::Sub) }
    fn MULK(m, ins) { binary::<M, true>(m, ins, BinOp::Mul) }
    fn LT(m, ins) { compare(m, ins, CmpOp::Lt) }
    fn LE(m, ins) { compare(m, ins, CmpOp::Le) }
    fn EQ(m, ins) { equality(m, ins, CmpOp::Eq) }
    fn NE(m, ins) { equality(m, ins, CmpOp::Ne) }
    fn GT(m, ins) { compare(m, ins, CmpOp::Gt) }
    fn GE(m, ins) { compare(m, ins, CmpOp::Ge) }
    fn JLT(m, ins) { compare_jump(m, ins, CmpOp::Lt) }
    fn JLE(m, ins) { compare_jump(m, ins, CmpOp::Le) }
    fn JEQ(m, ins) { equality_jump(m, ins, CmpOp::Eq, true) }
    fn JNE(m, ins) { equality_jump(m, ins, CmpOp::Ne, true) }
    fn JGT(m, ins) { compare_jump(m, ins, CmpOp::Gt) }
    fn JGE(m, ins) { compare_jump(m, ins, CmpOp::Ge) }
    fn JNLT(m, ins) { compare_jump(m, ins, CmpOp::Lt) }
    fn JNLE(m, ins) { compare_jump(m, ins, CmpOp::Le) }
    fn JNEQ(m, ins) { equality_jump(m, ins, CmpOp::Eq, false) }
    fn JNNE(m, ins) { equality_jump(m, ins, CmpOp::Ne, false) }
    fn JNGT(m, ins) { compare_jump(m, ins, CmpOp::Gt) }
    fn JNGE(m, ins) { compare_jump(m, ins, CmpOp::Ge) }
    fn NOT(m, ins) {
        let v = m.reg(ins.b() as isize);
        let Some(t) = truth_of(m, v) else {
            return Ctl::Slow;
        };
        set_bool(m, ins.a(), !t);
        Ctl::Next
    }
    fn JT(m, ins) { truth_jump(m, ins, true) }
    fn JF(m, ins) { truth_jump(m, ins, false) }
    fn IN(m, ins) {
        let (item, c) = operands::<M, false>(m, ins);
        need!(m, m.is_ptr(c));
        let shape = m.shape(c);
        let known = m.known();
        let tables = [known.dict, known.set, known.frozenset, known.tuple, known.list];
        if shape != known.str_ && !tables.contains(&shape) || !plain_key(m, item) {
            return Ctl::Slow;
        }
        let found = m.contains(c, item);
        let zero = m.int(0);
        refuse!(m, m.icmp(Cmp::Lt, found, zero));
        let b = m.icmp(Cmp::Ne, found, zero);
        let t = m.branch(b);
        set_bool(m, ins.a(), t != (ins.d() == 1));
        Ctl::Next
    }
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
        if shape == known.str_ascii_iter {
            return iterate::next_of_str(m, ins);
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
        if m.code().flags.0 & GENERATORS != 0 {
            // What a generator's resumer handles is not the generator's own.
            return Ctl::Slow;
        }
        let prev = m.handled();
        let e = m.reg(ins.b() as isize);
        m.set_handled(e);
        m.set_reg(ins.a() as isize, prev);
        Ctl::Next
    }
    fn POP_EXC(m, ins) {
        if m.code().flags.0 & GENERATORS != 0 {
            return Ctl::Slow;
        }
        let e = m.reg(ins.a() as isize);
        m.set_handled(e);
        Ctl::Next
    }
}
