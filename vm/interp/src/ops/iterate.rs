//! Iteration: `iter()` of the built-in containers, and the next item.

use super::build::{sequence_iter, tuple_of};
use super::{need, refuse};
use crate::lang::{PyMachine, field};
use pyrite_bytecode::Ins;
use pyrite_machine::{Cmp, Ctl, header_word};
use pyrite_objects::layout::{NativeLayout, PyDictIter, PyRangeIter};

/// `FOR_ITER` over a range, list or tuple.
#[inline(always)]
pub(super) fn next<M: PyMachine>(m: &mut M, ins: Ins) -> Ctl {
    let it = m.reg(ins.a() as isize);
    need!(m, m.is_ptr(it));
    let known = m.known();
    let shape = m.shape(it);
    if shape == known.range_iter {
        let left = m.load_int(it, field::RANGE_REMAINING);
        let (zero, one) = (m.int(0), m.int(1));
        let more = m.icmp(Cmp::Gt, left, zero);
        if m.branch(more) {
            let i = m.load_int(it, field::RANGE_NEXT);
            let step = m.load_int(it, field::RANGE_STEP);
            // Numbers of a range iterator, one step past its end included,
            // fit a word; `remaining` cannot underflow.
            let v = m.box_int(i);
            let next = m.iadd_wrapping(i, step);
            let left = m.isub_wrapping(left, one);
            m.store_int(it, field::RANGE_NEXT, next);
            m.store_int(it, field::RANGE_REMAINING, left);
            m.set_reg(ins.b() as isize, v);
            m.jump(1);
        }
        return Ctl::Next;
    }
    if shape == known.list_iter || shape == known.tuple_iter {
        let seq = m.load(it, field::SEQ_SEQ);
        refuse!(m, m.is_null(seq));
        let i = m.load_int(it, field::SEQ_INDEX);
        let (len, items, elems) = if shape == known.list_iter {
            (
                field::LIST_LEN,
                m.load(seq, field::LIST_ITEMS),
                field::ARRAY_ELEMS,
            )
        } else {
            (field::TUPLE_LEN, seq, field::TUPLE_ELEMS)
        };
        let len = m.load_int(seq, len);
        let more = m.below(i, len);
        // Exhaustion drops the sequence: the slow way.
        need!(m, more);
        let v = m.load_elem(items, elems, i);
        let one = m.int(1);
        let next = m.iadd_wrapping(i, one);
        m.store_int(it, field::SEQ_INDEX, next);
        m.set_reg(ins.b() as isize, v);
        m.jump(1);
        return Ctl::Next;
    }
    Ctl::Slow
}

/// `FOR_ITER` over the keys, values or items of a dict that has not changed size.
/// Deleted entries, and the end, go the slow way.
#[inline(always)]
pub(super) fn next_of_dict<M: PyMachine>(m: &mut M, ins: Ins) -> Ctl {
    let it = m.reg(ins.a() as isize);
    let known = m.known();
    let shape = m.shape(it);
    let d = m.load(it, field::DICT_ITER_DICT);
    refuse!(m, m.is_null(d));
    let used = m.load_int(d, field::DICT_USED);
    let len = m.load_int(it, field::DICT_ITER_LEN);
    need!(m, m.icmp(Cmp::Eq, used, len));
    // Entries behind as many as there are keys have deleted ones in front of them,
    // or are more than there were at the start.
    let i = m.load_int(it, field::DICT_ITER_INDEX);
    need!(m, m.below(i, len));
    let entries = m.load(d, field::DICT_ENTRIES);
    let at = m.iadd_wrapping(i, i);
    let at = m.iadd_wrapping(at, i);
    let key = m.load_elem(entries, field::ENTRY_KEY, at);
    refuse!(m, m.is_null(key));
    let v = if shape == known.dict_key_iter {
        key
    } else {
        let value = m.load_elem(entries, field::ENTRY_VALUE, at);
        if shape == known.dict_value_iter {
            value
        } else {
            let Some(t) = tuple_of(m, &[key, value]) else {
                return Ctl::Slow;
            };
            t
        }
    };
    let one = m.int(1);
    let next = m.iadd_wrapping(i, one);
    m.store_int(it, field::DICT_ITER_INDEX, next);
    m.set_reg(ins.b() as isize, v);
    m.jump(1);
    Ctl::Next
}

/// `FOR_ITER` over an ASCII string; the end goes the slow way.
#[inline(always)]
pub(super) fn next_of_str<M: PyMachine>(m: &mut M, ins: Ins) -> Ctl {
    let it = m.reg(ins.a() as isize);
    let s = m.load(it, field::SEQ_SEQ);
    refuse!(m, m.is_null(s));
    // The iterator may be over an instance of a subclass.
    need!(m, m.has_shape(s, m.known().str_));
    let i = m.load_int(it, field::SEQ_INDEX);
    let len = m.load_int(s, field::TEXT_LEN);
    need!(m, m.below(i, len));
    let v = m.str_char(s, i);
    refuse!(m, m.is_null(v));
    let one = m.int(1);
    let next = m.iadd_wrapping(i, one);
    m.store_int(it, field::SEQ_INDEX, next);
    m.set_reg(ins.b() as isize, v);
    m.jump(1);
    Ctl::Next
}

/// Header of an object of this native layout and shape.
#[inline(always)]
fn header<T: NativeLayout>(shape: u32) -> u64 {
    header_word(T::KIND, T::WORDS, shape)
}

/// `GET_ITER` of a list, tuple, range, dict or generator.
#[inline(always)]
pub(super) fn get_iter<M: PyMachine>(m: &mut M, ins: Ins) -> Ctl {
    let v = m.reg(ins.b() as isize);
    need!(m, m.is_ptr(v));
    let known = m.known();
    let shape = m.shape(v);
    let it = if shape == known.list || shape == known.tuple {
        let class = if shape == known.list {
            known.list_iter
        } else {
            known.tuple_iter
        };
        match sequence_iter(m, class, v) {
            Some(it) => it,
            None => return Ctl::Slow,
        }
    } else if shape == known.generator {
        v
    } else if shape == known.range {
        let start = m.load(v, field::RANGE_START);
        let by = m.load(v, field::RANGE_BY);
        let length = m.load(v, field::RANGE_LENGTH);
        need!(m, m.is_int(start));
        need!(m, m.is_int(by));
        need!(m, m.is_int(length));
        let (start, by, length) = (m.unbox_int(start), m.unbox_int(by), m.unbox_int(length));
        // The number behind the last one must fit a word, too.
        let (span, overflow) = m.imul(length, by);
        refuse!(m, overflow);
        let (_, overflow) = m.iadd(start, span);
        refuse!(m, overflow);
        let words = PyRangeIter::WORDS;
        let Some(it) = m.alloc(header::<PyRangeIter>(known.range_iter), words) else {
            return Ctl::Slow;
        };
        m.store_int(it, field::RANGE_NEXT, start);
        m.store_int(it, field::RANGE_REMAINING, length);
        m.store_int(it, field::RANGE_STEP, by);
        it
    } else if shape == known.dict {
        let used = m.load_int(v, field::DICT_USED);
        let words = PyDictIter::WORDS;
        let Some(it) = m.alloc(header::<PyDictIter>(known.dict_key_iter), words) else {
            return Ctl::Slow;
        };
        m.store_int(it, field::DICT_ITER_LEN, used);
        m.store(it, field::DICT_ITER_DICT, v);
        it
    } else {
        return Ctl::Slow;
    };
    m.set_reg(ins.a() as isize, it);
    Ctl::Next
}
