//! Calls that become frames, and returns from them.

use super::{HEADER, build, need, refuse, truth};
use crate::lang::{Callee, PyMachine, Stage, field};
use pyrite_bytecode::{Ins, Op};
use pyrite_machine::{Cmp, Ctl, Value};
use pyrite_objects::code::CodeData;
use pyrite_objects::native::intrinsic;

/// Calls the callable `f`, whose `nargs` arguments start at register `window`;
/// its result goes to register `dst`. Unless `full`, only the commonest case: a
/// Python function with as many parameters.
#[inline(always)]
pub(super) fn call_window<M: PyMachine>(
    m: &mut M,
    f: M::V,
    window: isize,
    nargs: usize,
    dst: usize,
    full: bool,
) -> Ctl {
    need!(m, m.is_ptr(f));
    match m.callee(f, full) {
        Callee::Function(code) => {
            if !code.simple || !m.room(window, code.frame_size) {
                return Ctl::Slow;
            }
            let params = code.arg_count as usize;
            if params != nargs {
                if !full {
                    return Ctl::Slow;
                }
                let Some(d) = defaults(m, f, nargs, params) else {
                    return Ctl::Slow;
                };
                put_defaults(m, d, window, nargs, params);
            }
            m.set_reg(window - 4, f);
            m.push_frame(window, code, params as u32, Stage::Call);
            Ctl::Next
        }
        Callee::Class {
            header,
            words,
            init,
            code,
        } => {
            // The instance goes where the class was, and is the first argument of
            // `__init__`, so the arguments move up by one register.
            let params = code.arg_count as usize;
            if !code.simple || !m.room(window + 1, code.frame_size) || params < nargs + 1 {
                return Ctl::Slow;
            }
            let init = m.value(init);
            let missing = if params == nargs + 1 {
                None
            } else {
                match defaults(m, init, nargs + 1, params) {
                    Some(d) => Some(d),
                    None => return Ctl::Slow,
                }
            };
            let Some(obj) = m.alloc(header, words) else {
                return Ctl::Slow;
            };
            for i in (0..nargs as isize).rev() {
                let v = m.reg(window + i);
                m.set_reg(window + i + 1 + 1, v);
            }
            if let Some(d) = missing {
                put_defaults(m, d, window + 1, nargs + 1, params);
            }
            m.set_reg(window - 4, obj);
            m.set_reg(window + 1 - 4, init);
            m.set_reg(window + 1, obj);
            m.push_frame(window + 1, code, params as u32, Stage::Init);
            Ctl::Next
        }
        Callee::Intrinsic(which) => match call_intrinsic(m, which, window, nargs) {
            Some(v) => {
                m.set_reg(dst as isize, v);
                Ctl::Next
            }
            None => Ctl::Slow,
        },
        Callee::Range => match range(m, window, nargs) {
            Some(v) => {
                m.set_reg(dst as isize, v);
                Ctl::Next
            }
            None => Ctl::Slow,
        },
        Callee::Other => Ctl::Slow,
    }
}

/// Defaults of a function that cover its parameters from `nargs` on: the tuple
/// and its length.
#[inline(always)]
pub(crate) fn defaults<M: PyMachine>(
    m: &mut M,
    f: M::V,
    nargs: usize,
    params: usize,
) -> Option<(M::V, usize)> {
    if nargs > params {
        return None;
    }
    let d = m.load(f, field::FUNC_DEFAULTS);
    let object = m.is_ptr(d);
    if !m.branch(object) {
        return None;
    }
    // `__defaults__` may be None.
    let tuple = m.has_shape(d, m.known().tuple);
    if !m.branch(tuple) {
        return None;
    }
    let have = m.load_int(d, field::TUPLE_LEN);
    let have = m.promote_int(have) as usize;
    (have <= params && have >= params - nargs).then_some((d, have))
}

/// Writes the defaults of the parameters from `nargs` on.
#[inline(always)]
fn put_defaults<M: PyMachine>(
    m: &mut M,
    (d, have): (M::V, usize),
    window: isize,
    nargs: usize,
    params: usize,
) {
    for i in nargs..params {
        let at = m.int((i + have - params) as i64);
        let v = m.load_elem(d, field::TUPLE_ELEMS, at);
        m.set_reg(window + i as isize, v);
    }
}

/// `CALL_METHOD`
#[inline(always)]
pub(super) fn call_method<M: PyMachine>(m: &mut M, ins: Ins, full: bool) -> Ctl {
    let w = ins.a() as isize;
    let f = m.reg(w);
    let this = m.reg(w + HEADER);
    let none = m.is_null(this);
    if m.branch(none) {
        call_window(m, f, w + HEADER + 1, ins.b(), ins.c(), full)
    } else {
        call_window(m, f, w + HEADER, ins.b() + 1, ins.c(), full)
    }
}

/// More parameters than this are bound in Rust when some are given by name.
const MAX_NAMED: usize = 12;

/// Calls a Python function with `nargs` arguments from `window` on, of which the
/// last have the names in the tuple in register `names`.
#[expect(clippy::needless_range_loop, reason = "see the comment inside")]
#[inline(always)]
pub(super) fn call_named<M: PyMachine>(
    m: &mut M,
    f: M::V,
    names: isize,
    window: isize,
    nargs: usize,
) -> Ctl {
    need!(m, m.is_ptr(f));
    let Callee::Function(code) = m.callee(f, false) else {
        return Ctl::Slow;
    };
    let params = code.arg_count as usize;
    if !code.simple || params > MAX_NAMED || nargs > params || !m.room(window, code.frame_size) {
        return Ctl::Slow;
    }
    let names = m.reg(names);
    let names = m.promote(names);
    let Some(sources) = bind_names(code, names, nargs) else {
        return Ctl::Slow;
    };
    let first = nargs - sources.named();
    // Which parameters are left to their defaults.
    let missing = match (first..params).find(|&i| sources.at(i) == DEFAULT) {
        None => None,
        Some(i) => match defaults(m, f, i, params) {
            Some(d) => Some((i, d)),
            None => return Ctl::Slow,
        },
    };
    // Counted by index: a slice's iterator would name a local (see `dispatch`).
    let null = m.value(Value::NULL);
    let mut values = [null; MAX_NAMED];
    for i in first..params {
        if sources.at(i) != DEFAULT {
            values[i] = m.reg(window + sources.at(i) as isize);
        }
    }
    if let Some((i, d)) = missing {
        put_defaults(m, d, window, i, params);
    }
    for i in first..params {
        if sources.at(i) != DEFAULT {
            m.set_reg(window + i as isize, values[i]);
        }
    }
    m.set_reg(window - 4, f);
    m.push_frame(window, code, params as u32, Stage::Call);
    Ctl::Next
}

/// Argument number of no argument.
const DEFAULT: usize = 31;

/// Argument numbers by parameter, five bits each, and behind them how many
/// arguments have names. One word: see `dispatch` about locals.
#[derive(Clone, Copy)]
struct Sources(u64);

impl Sources {
    fn at(self, i: usize) -> usize {
        (self.0 >> (5 * i)) as usize & 31
    }
    fn with(self, i: usize, n: usize) -> Sources {
        Sources(self.0 & !(31 << (5 * i)) | (n as u64) << (5 * i))
    }
    fn named(self) -> usize {
        (self.0 >> (5 * MAX_NAMED)) as usize
    }
}

/// Matches names with parameters; `None` for anything that raises, or that needs
/// a comparison of characters.
#[inline(never)]
fn bind_names(code: &CodeData, names: Value, nargs: usize) -> Option<Sources> {
    use pyrite_objects::layout::{Gc, PyTuple};
    let items = |t: Value| {
        let n = Gc::<PyTuple>::from_value(t).len.get();
        // SAFETY: a tuple's items follow its length.
        unsafe { std::slice::from_raw_parts(t.ptr().add(2).cast::<Value>(), n) }
    };
    let (names, params) = (items(names), items(code.varnames));
    let first = nargs.checked_sub(names.len())?;
    let mut s = Sources(((names.len() as u64) << (5 * MAX_NAMED)) | ((1 << (5 * MAX_NAMED)) - 1));
    for i in 0..first {
        s = s.with(i, i);
    }
    for (k, &name) in names.iter().enumerate() {
        let total = code.arg_count as usize;
        let i = (code.posonly_count as usize..total).find(|&i| params[i] == name)?;
        if s.at(i) != DEFAULT {
            return None;
        }
        s = s.with(i, first + k);
    }
    Some(s)
}

/// Runs a Python function on these arguments in a window above everything the
/// running frame uses.
#[inline(always)]
pub(super) fn enter_function<M: PyMachine>(
    m: &mut M,
    f: Value,
    args: &[M::V],
    stage: Stage,
) -> Ctl {
    let f = m.value(f);
    let Callee::Function(code) = m.callee(f, false) else {
        return Ctl::Slow;
    };
    let window = m.code().frame_size as isize + HEADER;
    if !code.simple || code.arg_count as usize != args.len() || !m.room(window, code.frame_size) {
        return Ctl::Slow;
    }
    let null = m.value(Value::NULL);
    m.set_reg(window - 5, null);
    m.set_reg(window - 4, f);
    for (i, &v) in args.iter().enumerate() {
        m.set_reg(window + i as isize, v);
    }
    m.push_frame(window, code, args.len() as u32, stage);
    Ctl::Next
}

/// Result of a native function that handlers know; `None`: call it.
#[inline(always)]
fn call_intrinsic<M: PyMachine>(m: &mut M, which: u8, window: isize, nargs: usize) -> Option<M::V> {
    match (which, nargs) {
        (intrinsic::LEN, 1) => {
            let v = m.reg(window);
            let object = m.is_ptr(v);
            if !m.branch(object) {
                return None;
            }
            let n = length(m, v)?;
            Some(m.box_int(n))
        }
        (intrinsic::ISINSTANCE, 2) => {
            let (v, c) = (m.reg(window), m.reg(window + 1));
            let is = m.isinstance(v, c)?;
            let known = m.known();
            Some(m.value(if is { known.true_ } else { known.false_ }))
        }
        (intrinsic::LIST_APPEND, 2) => {
            let (l, v) = (m.reg(window), m.reg(window + 1));
            let object = m.is_ptr(l);
            if !m.branch(object) {
                return None;
            }
            let list = m.has_shape(l, m.known().list);
            if !m.branch(list) || build::append(m, l, v, true) == Ctl::Slow {
                return None;
            }
            let none = m.known().none;
            Some(m.value(none))
        }
        (intrinsic::ABS, 1) => {
            let v = m.reg(window);
            let int = m.is_int(v);
            if !m.branch(int) {
                return None;
            }
            let i = m.unbox_int(v);
            let zero = m.int(0);
            let negative = m.icmp(Cmp::Lt, i, zero);
            if !m.branch(negative) {
                return Some(v);
            }
            let (r, overflow) = m.isub(zero, i);
            if m.branch(overflow) {
                return None;
            }
            Some(m.box_int(r))
        }
        (intrinsic::MIN | intrinsic::MAX, 2) => {
            let (x, y) = (m.reg(window), m.reg(window + 1));
            for v in [x, y] {
                let int = m.is_int(v);
                if !m.branch(int) {
                    return None;
                }
            }
            let (a, b) = (m.unbox_int(x), m.unbox_int(y));
            // Of equal ones the first counts.
            let second = if which == intrinsic::MIN {
                m.icmp(Cmp::Lt, b, a)
            } else {
                m.icmp(Cmp::Gt, b, a)
            };
            Some(if m.branch(second) { y } else { x })
        }
        _ => None,
    }
}

/// Length of a built-in container; `v` is an object.
#[inline(always)]
pub(super) fn length<M: PyMachine>(m: &mut M, v: M::V) -> Option<M::I> {
    let shape = m.shape(v);
    let known = m.known();
    Some(if shape == known.list {
        m.load_int(v, field::LIST_LEN)
    } else if shape == known.tuple {
        m.load_int(v, field::TUPLE_LEN)
    } else if shape == known.str_ || shape == known.bytes {
        m.load_int(v, field::TEXT_LEN)
    } else if shape == known.dict {
        m.load_int(v, field::DICT_USED)
    } else if shape == known.set {
        let d = m.load(v, field::SET_DICT);
        m.load_int(d, field::DICT_USED)
    } else {
        return None;
    })
}

/// `range(...)` of small integers.
#[inline(always)]
fn range<M: PyMachine>(m: &mut M, window: isize, nargs: usize) -> Option<M::V> {
    if nargs == 0 || nargs > 3 {
        return None;
    }
    for i in 0..nargs as isize {
        let v = m.reg(window + i);
        let int = m.is_int(v);
        if !m.branch(int) {
            return None;
        }
    }
    let mut arg = |i: isize| {
        let v = m.reg(window + i);
        m.unbox_int(v)
    };
    let first = arg(0);
    if nargs == 1 {
        let zero = m.int(0);
        return build::range(m, zero, first, 1);
    }
    let second = arg(1);
    if nargs == 2 {
        return build::range(m, first, second, 1);
    }
    let step = arg(2);
    let step = m.promote_int(step);
    if step == 0 || step.unsigned_abs() > 1 << 32 {
        return None;
    }
    build::range(m, first, second, step)
}

/// Gives a finished function's value to the instruction that ran it; what is
/// left is the generator's or the caller's without a window.
#[inline(always)]
pub(super) fn return_<M: PyMachine>(m: &mut M, ins: Ins) -> Ctl {
    use pyrite_objects::generator::state;
    let v = m.reg(ins.a() as isize);
    match m.peek_return() {
        Some((Stage::Call, call)) => {
            m.pop_frame();
            m.set_reg(call.c() as isize, v);
            Ctl::Next
        }
        Some((Stage::Init, call)) => {
            let none = m.value(m.known().none);
            need!(m, m.same(v, none));
            // The arguments were moved up by one register for the instance, so
            // the instance lies one register lower than the header slot.
            let obj = m.reg(-5);
            m.pop_frame();
            m.set_reg(call.c() as isize, obj);
            Ctl::Next
        }
        Some((Stage::Value, call)) => {
            m.pop_frame();
            m.set_reg(call.a() as isize, v);
            Ctl::Next
        }
        Some((Stage::Drop, _)) => {
            m.pop_frame();
            Ctl::Next
        }
        Some((Stage::Binary, call)) => {
            let no = m.value(m.known().not_implemented);
            refuse!(m, m.same(v, no));
            let Some(when) = jumps_when(call.op()) else {
                m.pop_frame();
                m.set_reg(call.a() as isize, v);
                return Ctl::Next;
            };
            let Some(t) = truth(m, v) else {
                return Ctl::Slow;
            };
            m.pop_frame();
            if t == when {
                m.jump(call.s16() as isize);
            }
            Ctl::Next
        }
        Some((stage @ (Stage::ForIter | Stage::Send), call)) => {
            let g = m.reg(-5);
            if m.store_blocked(g) {
                m.unblock(g);
            }
            let s = m.int(state::FINISHED as i64);
            let null = m.value(Value::NULL);
            m.store_int(g, field::GEN_STATE, s);
            m.store(g, field::GEN_REGS, null);
            m.pop_frame();
            if stage == Stage::Send {
                m.set_reg(call.a() as isize + 1, v);
            }
            Ctl::Next
        }
        _ => Ctl::Slow,
    }
}

/// For a comparing jump: whether it jumps when the comparison holds.
pub(crate) fn jumps_when(op: Op) -> Option<bool> {
    match op {
        Op::JLT | Op::JLE | Op::JEQ | Op::JNE | Op::JGT | Op::JGE => Some(true),
        Op::JNLT | Op::JNLE | Op::JNEQ | Op::JNNE | Op::JNGT | Op::JNGE => Some(false),
        _ => None,
    }
}
