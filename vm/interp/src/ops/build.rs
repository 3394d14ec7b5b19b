//! Building tuples, lists and other small objects, and taking sequences apart.
//!
//! A trace may leave such an object virtual: it is an allocation and stores.

use super::{need, refuse};
use crate::lang::{PyMachine, field};
use pyrite_bytecode::Ins;
use pyrite_machine::{Ctl, Value, header_word};
use pyrite_objects::layout::{
    Layout, NativeLayout, PyCell, PyDict, PyList, PyMethod, PyRange, PySeqIter, PySlice, PyTuple,
    kind,
};
use pyrite_objects::shape::shape_of;

/// More items than this are built by a loop in Rust.
const MAX_ITEMS: usize = 16;

/// A tuple of these items; `None`: no room.
#[inline(always)]
pub(crate) fn tuple_of<M: PyMachine>(m: &mut M, items: &[M::V]) -> Option<M::V> {
    let words = PyTuple::WORDS + items.len();
    let t = m.alloc(header_word(PyTuple::KIND, words, m.known().tuple), words)?;
    let n = m.int(items.len() as i64);
    m.store_int(t, field::TUPLE_LEN, n);
    for (i, &v) in items.iter().enumerate() {
        let i = m.int(i as i64);
        m.store_elem(t, field::TUPLE_ELEMS, i, v);
    }
    Some(t)
}

/// `BUILD_TUPLE`
#[inline(always)]
pub(super) fn tuple<M: PyMachine>(m: &mut M, ins: Ins) -> Ctl {
    let n = ins.c();
    if n > MAX_ITEMS {
        return Ctl::Slow;
    }
    let t = if n == 0 {
        let v = m.known().empty_tuple;
        m.value(v)
    } else {
        let words = PyTuple::WORDS + n;
        let Some(t) = m.alloc(header_word(PyTuple::KIND, words, m.known().tuple), words) else {
            return Ctl::Slow;
        };
        let len = m.int(n as i64);
        m.store_int(t, field::TUPLE_LEN, len);
        for i in 0..n {
            let v = m.reg((ins.b() + i) as isize);
            let i = m.int(i as i64);
            m.store_elem(t, field::TUPLE_ELEMS, i, v);
        }
        t
    };
    m.set_reg(ins.a() as isize, t);
    Ctl::Next
}

/// `BUILD_LIST`
#[inline(always)]
pub(super) fn list<M: PyMachine>(m: &mut M, ins: Ins) -> Ctl {
    let n = ins.c();
    if n > MAX_ITEMS {
        return Ctl::Slow;
    }
    let known = m.known();
    let header = header_word(PyList::KIND, PyList::WORDS, known.list);
    let Some(l) = m.alloc(header, PyList::WORDS) else {
        return Ctl::Slow;
    };
    if n > 0 {
        let words = 2 + n;
        let header = header_word(kind::ARRAY, words, known.array);
        let Some(items) = m.alloc(header, words) else {
            return Ctl::Slow;
        };
        let len = m.int(n as i64);
        m.store_int(items, field::ARRAY_CAP, len);
        for i in 0..n {
            let v = m.reg((ins.b() + i) as isize);
            let i = m.int(i as i64);
            m.store_elem(items, field::ARRAY_ELEMS, i, v);
        }
        m.store_int(l, field::LIST_LEN, len);
        m.store(l, field::LIST_ITEMS, items);
    }
    m.set_reg(ins.a() as isize, l);
    Ctl::Next
}

/// `BUILD_MAP` of nothing.
#[inline(always)]
pub(super) fn map<M: PyMachine>(m: &mut M, ins: Ins) -> Ctl {
    if ins.c() != 0 {
        return Ctl::Slow;
    }
    let header = header_word(PyDict::KIND, PyDict::WORDS, m.known().dict);
    let Some(d) = m.alloc(header, PyDict::WORDS) else {
        return Ctl::Slow;
    };
    m.set_reg(ins.a() as isize, d);
    Ctl::Next
}

/// `BUILD_SLICE`
#[inline(always)]
pub(super) fn slice<M: PyMachine>(m: &mut M, ins: Ins) -> Ctl {
    let header = header_word(PySlice::KIND, PySlice::WORDS, m.known().slice);
    let Some(s) = m.alloc(header, PySlice::WORDS) else {
        return Ctl::Slow;
    };
    let b = ins.b() as isize;
    for (i, f) in [field::SLICE_START, field::SLICE_STOP, field::SLICE_STEP]
        .into_iter()
        .enumerate()
    {
        let v = m.reg(b + i as isize);
        m.store(s, f, v);
    }
    m.set_reg(ins.a() as isize, s);
    Ctl::Next
}

/// `MAKE_CELL`
#[inline(always)]
pub(super) fn cell<M: PyMachine>(m: &mut M, ins: Ins) -> Ctl {
    let header = header_word(PyCell::KIND, PyCell::WORDS, m.known().cell);
    let Some(c) = m.alloc(header, PyCell::WORDS) else {
        return Ctl::Slow;
    };
    let v = m.reg(ins.a() as isize);
    m.store(c, field::CELL, v);
    m.set_reg(ins.a() as isize, c);
    Ctl::Next
}

/// A bound method of a Python or native function.
#[inline(always)]
pub(super) fn method<M: PyMachine>(m: &mut M, f: Value, this: M::V) -> Option<M::V> {
    let (known, s) = (m.known(), shape_of(f));
    let shape = if s.id() == known.slot_wrapper {
        known.method_wrapper
    } else if s.layout == Layout::Native {
        known.native_method
    } else {
        known.method
    };
    let b = m.alloc(
        header_word(PyMethod::KIND, PyMethod::WORDS, shape),
        PyMethod::WORDS,
    )?;
    let f = m.value(f);
    m.store(b, field::METHOD_FUNC, f);
    m.store(b, field::METHOD_THIS, this);
    Some(b)
}

/// A list or tuple iterator.
#[inline(always)]
pub(super) fn sequence_iter<M: PyMachine>(m: &mut M, shape: u32, seq: M::V) -> Option<M::V> {
    let header = header_word(PySeqIter::KIND, PySeqIter::WORDS, shape);
    let it = m.alloc(header, PySeqIter::WORDS)?;
    m.store(it, field::SEQ_SEQ, seq);
    Some(it)
}

/// `range(start, stop, step)` of small numbers; `step` is known and not 0.
#[inline(always)]
pub(super) fn range<M: PyMachine>(m: &mut M, start: M::I, stop: M::I, step: i64) -> Option<M::V> {
    use pyrite_machine::Cmp;
    let by = m.int(step);
    let (low, high) = if step > 0 {
        (start, stop)
    } else {
        (stop, start)
    };
    let some = m.icmp(Cmp::Lt, low, high);
    let length = if m.branch(some) {
        let (span, overflow) = m.isub(high, low);
        if m.branch(overflow) {
            return None;
        }
        if step == 1 || step == -1 {
            span
        } else {
            let one = m.int(1);
            let size = m.int(step.abs());
            let last = m.isub_wrapping(span, one);
            let n = m.idiv(last, size);
            m.iadd_wrapping(n, one)
        }
    } else {
        m.int(0)
    };
    let header = header_word(PyRange::KIND, PyRange::WORDS, m.known().range);
    let r = m.alloc(header, PyRange::WORDS)?;
    for (f, i) in [
        (field::RANGE_START, start),
        (field::RANGE_STOP, stop),
        (field::RANGE_BY, by),
        (field::RANGE_LENGTH, length),
    ] {
        let v = m.box_int(i);
        m.store(r, f, v);
    }
    Some(r)
}

/// `UNPACK_SEQUENCE` of a tuple or list of the right length.
#[inline(always)]
pub(super) fn unpack<M: PyMachine>(m: &mut M, ins: Ins) -> Ctl {
    let n = ins.c();
    if n > MAX_ITEMS {
        return Ctl::Slow;
    }
    let v = m.reg(ins.b() as isize);
    need!(m, m.is_ptr(v));
    let shape = m.shape(v);
    let known = m.known();
    let (len, items, elems) = if shape == known.tuple {
        (m.load_int(v, field::TUPLE_LEN), v, field::TUPLE_ELEMS)
    } else if shape == known.list {
        let items = m.load(v, field::LIST_ITEMS);
        refuse!(m, m.is_null(items));
        (m.load_int(v, field::LIST_LEN), items, field::ARRAY_ELEMS)
    } else {
        return Ctl::Slow;
    };
    let want = m.int(n as i64);
    need!(m, m.icmp(pyrite_machine::Cmp::Eq, len, want));
    // The sequence's own register may be among those written.
    for i in 0..n {
        let at = m.int(i as i64);
        let x = m.load_elem(items, elems, at);
        m.set_reg((ins.a() + i) as isize, x);
    }
    Ctl::Next
}

/// `LIST_APPEND`, and `list.append` on a list: into free room. Unless `full`, not
/// into storage that needs the collector told.
#[inline(always)]
pub(super) fn append<M: PyMachine>(m: &mut M, l: M::V, v: M::V, full: bool) -> Ctl {
    let len = m.load_int(l, field::LIST_LEN);
    let items = m.load(l, field::LIST_ITEMS);
    refuse!(m, m.is_null(items));
    let cap = m.load_int(items, field::ARRAY_CAP);
    need!(m, m.below(len, cap));
    if m.store_blocked(items) {
        if !full {
            return Ctl::Slow;
        }
        m.unblock(items);
    }
    m.store_elem(items, field::ARRAY_ELEMS, len, v);
    let one = m.int(1);
    let n = m.iadd_wrapping(len, one);
    m.store_int(l, field::LIST_LEN, n);
    Ctl::Next
}
