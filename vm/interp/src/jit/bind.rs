//! Calls whose arguments must be sorted: names, defaults by keyword, `*` and `**`
//! parameters, `f(*args)`, bound methods.
//!
//! The interpreter binds such arguments in Rust. What binding does depends on the
//! callee's code, on how many arguments there are and on their names, and all of
//! that is the same each time: a trace knows which argument goes to which
//! parameter, and the callee becomes part of it as any other. What a `*` parameter
//! gets is a tuple that may stay virtual.
//!
//! All guards come before the first register is written, so whatever leaves the
//! trace does the call instruction again, the general way if need be.

use super::direct::call_trace;
use super::items::dict_of;
use super::leaf::is_wide;
use super::machine::{PyRecorder, traced};
use crate::lang::{Callee, PyMachine, Stage, field};
use crate::ops::{defaults, tuple_of};
use pyrite_bytecode::{CodeFlags, FRAME_HEADER, Ins, Op};
use pyrite_jit_ir::OpRef;
use pyrite_jit_record::Word;
use pyrite_machine::{Cmp, Core, Value};
use pyrite_objects::code::CodeData;
use pyrite_objects::layout::{Gc, Layout, PyFunction, PyTuple};
use pyrite_objects::shape::shape_of;

/// Most arguments, and most parameters.
const MAX: usize = 16;

/// Words on the native stack, where the collector sees them.
type Words = [Word; MAX];

const NONE: Words = [Word {
    now: Value::NULL,
    r: OpRef::NONE,
}; MAX];

/// A call as the instruction says it.
struct Given {
    f: Word,
    args: Words,
    n: usize,
    /// Names of the last ones: a tuple, or null.
    names: Value,
    /// Register of the callee's window.
    window: isize,
}

/// Records the call with the callee as part of the trace, or as a call of its own
/// trace, and executes it. False: nothing happened, the general way does it.
pub(super) fn record(m: &mut PyRecorder, ins: Ins) -> bool {
    let Some(mut given) = given(m, ins) else {
        return false;
    };
    if !unbind(m, &mut given) {
        return false;
    }
    let given = &*std::hint::black_box(&mut given);
    let f = given.f;
    match m.callee(f, true) {
        Callee::Function(code) => {
            let mut params = NONE;
            if !m.room(given.window, code.frame_size)
                || !sort(m, f, code, &given.args[..given.n], given.names, &mut params)
            {
                return false;
            }
            enter(m, f, code, given.window, &params, Stage::Call);
            true
        }
        Callee::Class {
            header,
            words,
            init,
            code,
        } => {
            let window = given.window + 1;
            if given.n == MAX || !m.room(window, code.frame_size) {
                return false;
            }
            let init = m.value(init);
            let Some(obj) = m.alloc(header, words) else {
                return false;
            };
            let mut args = NONE;
            args[0] = obj;
            args[1..=given.n].copy_from_slice(&given.args[..given.n]);
            let mut params = NONE;
            if !sort(m, init, code, &args[..=given.n], given.names, &mut params) {
                return false;
            }
            m.set_reg(window - 5, obj);
            enter(m, init, code, window, &params, Stage::Init);
            true
        }
        _ => own_trace(m, ins, given),
    }
}

/// A function that is not to be part of the trace but has one of its own.
fn own_trace(m: &mut PyRecorder, ins: Ins, given: &Given) -> bool {
    let f = given.f;
    if !m.host.switches.functions || shape_of(f.now).layout != Layout::Function {
        return false;
    }
    // SAFETY: a function's code data is never freed.
    let code: &'static CodeData = unsafe { &*Gc::<PyFunction>::from_value(f.now).code_data.get() };
    let Some(root) = traced(m, code) else {
        return false;
    };
    m.function_code(f);
    let mut params = NONE;
    if !sort(m, f, code, &given.args[..given.n], given.names, &mut params) {
        return false;
    }
    call_trace(m, ins, f, code, root, &params[..code.param_count()]);
    true
}

/// What the instruction calls, and with what.
fn given(m: &mut PyRecorder, ins: Ins) -> Option<Given> {
    let (w, header) = (ins.a() as isize, FRAME_HEADER as isize);
    // SAFETY: a register of the window.
    let callee = unsafe { *m.base().offset(w) };
    let call = matches!(
        ins.op(),
        Op::CALL | Op::CALL_KW | Op::CALL_METHOD | Op::CALL_METHOD_KW | Op::CALL_EX
    );
    let known = [Layout::Function, Layout::Type, Layout::Method];
    if !call || !callee.is_ptr() || !known.contains(&shape_of(callee).layout) {
        return None;
    }
    let mut given = Given {
        f: NONE[0],
        args: NONE,
        n: 0,
        names: Value::NULL,
        window: w + header,
    };
    match ins.op() {
        Op::CALL | Op::CALL_KW => given.n = ins.b(),
        Op::CALL_METHOD | Op::CALL_METHOD_KW => {
            let this = m.reg(w + header);
            let none = m.is_null(this);
            if m.branch(none) {
                given.window += 1;
                given.n = ins.b();
            } else {
                given.n = ins.b() + 1;
            }
        }
        _ => {
            if ins.b() == 1 {
                let d = m.reg(w + header + 1);
                if !is_empty(m, d) {
                    return None;
                }
            }
            let t = m.reg(w + header);
            if !t.now.is_ptr() || shape_of(t.now).id() != m.known().tuple {
                return None;
            }
            let object = m.is_ptr(t);
            m.branch(object);
            let pin = m.has_shape(t, m.known().tuple);
            m.branch(pin);
            let n = m.load_int(t, field::TUPLE_LEN);
            given.n = m.promote_int(n) as usize;
            if given.n > MAX {
                return None;
            }
            for i in 0..given.n {
                let at = m.int(i as i64);
                given.args[i] = m.load_elem(t, field::TUPLE_ELEMS, at);
            }
        }
    }
    if given.n > MAX {
        return None;
    }
    given.f = m.reg(w);
    if is_wide(m, given.f) {
        return None;
    }
    let object = m.is_ptr(given.f);
    m.branch(object);
    if ins.op() != Op::CALL_EX {
        for i in 0..given.n {
            given.args[i] = m.reg(given.window + i as isize);
        }
    }
    if matches!(ins.op(), Op::CALL_KW | Op::CALL_METHOD_KW) {
        let names = m.reg(w + 1);
        given.names = m.promote(names);
    }
    Some(given)
}

/// True of a dict without entries.
fn is_empty(m: &mut PyRecorder, d: Word) -> bool {
    let dict = m.known().dict;
    if !d.now.is_ptr() || is_wide(m, d) || shape_of(d.now).id() != dict {
        return false;
    }
    let object = m.is_ptr(d);
    m.branch(object);
    let pin = m.has_shape(d, dict);
    m.branch(pin);
    let (used, zero) = (m.load_int(d, field::DICT_USED), m.int(0));
    let empty = m.icmp(Cmp::Eq, used, zero);
    m.branch(empty)
}

/// A bound method of a Python function becomes that function with one more argument.
fn unbind(m: &mut PyRecorder, given: &mut Given) -> bool {
    let method = m.known().method;
    if shape_of(given.f.now).id() != method {
        return true;
    }
    if given.n == MAX {
        return false;
    }
    let pin = m.has_shape(given.f, method);
    m.branch(pin);
    let this = m.load(given.f, field::METHOD_THIS);
    let f = m.load(given.f, field::METHOD_FUNC);
    if !f.now.is_ptr() || shape_of(f.now).layout != Layout::Function {
        return false;
    }
    let object = m.is_ptr(f);
    m.branch(object);
    given.args.copy_within(0..given.n, 1);
    given.args[0] = this;
    given.n += 1;
    given.f = f;
    true
}

/// Finds a value for each parameter; false where the general way would raise, or
/// where names would have to be compared by their characters.
fn sort(
    m: &mut PyRecorder,
    f: Word,
    code: &'static CodeData,
    args: &[Word],
    names: Value,
    params: &mut Words,
) -> bool {
    if !code.is_plain() || code.param_count() > MAX {
        return false;
    }
    let items = |t: Value| -> &'static [Value] {
        let n = Gc::<PyTuple>::from_value(t).len.get();
        // SAFETY: a tuple's items follow its length; the code, and the constant it
        // comes from, keep it.
        unsafe { std::slice::from_raw_parts(t.ptr().add(2).cast::<Value>(), n) }
    };
    let names = if names.is_null() { &[] } else { items(names) };
    let known = items(code.varnames);
    let positional = args.len() - names.len();
    let argc = code.arg_count as usize;
    let total = argc + code.kwonly_count as usize;
    let varargs = code.flags.has(CodeFlags::VARARGS);
    let varkw = code.flags.has(CodeFlags::VARKEYWORDS);
    if positional > argc && !varargs {
        return false;
    }
    let direct = positional.min(argc);
    params[..direct].copy_from_slice(&args[..direct]);
    // Pairs for the `**` parameter.
    let mut pairs = [NONE[0]; 2 * MAX];
    let mut rest = 0;
    for (&name, &v) in names.iter().zip(&args[positional..]) {
        let to = (code.posonly_count as usize..total).find(|&i| known[i] == name);
        match to {
            Some(i) if params[i].r == OpRef::NONE => params[i] = v,
            Some(_) => return false,
            // Names are interned as a rule; one that is not may be equal all the same.
            None if varkw => {
                if known[..total].iter().any(|&k| m.host.vm().str_eq(k, name)) {
                    return false;
                }
                pairs[2 * rest] = m.value(name);
                pairs[2 * rest + 1] = v;
                rest += 1;
            }
            None => return false,
        }
    }
    if let Some(first) = (0..argc).find(|&i| params[i].r == OpRef::NONE) {
        let Some((d, have)) = defaults(m, f, first, argc) else {
            return false;
        };
        for (i, p) in params.iter_mut().enumerate().take(argc).skip(first) {
            if p.r == OpRef::NONE {
                let at = m.int((i + have - argc) as i64);
                *p = m.load_elem(d, field::TUPLE_ELEMS, at);
            }
        }
    }
    for i in argc..total {
        if params[i].r == OpRef::NONE {
            let Some(v) = keyword_default(m, f, known[i]) else {
                return false;
            };
            params[i] = v;
        }
    }
    if varkw {
        let Some(d) = dict_of(m, &pairs[..2 * rest]) else {
            return false;
        };
        params[total + usize::from(varargs)] = d;
    }
    if varargs {
        let more = &args[direct..positional];
        params[total] = if more.is_empty() {
            let t = m.known().empty_tuple;
            m.value(t)
        } else {
            match tuple_of(m, more) {
                Some(t) => t,
                None => return false,
            }
        };
    }
    std::hint::black_box(&pairs);
    true
}

/// Default of a parameter that only a name can give.
fn keyword_default(m: &mut PyRecorder, f: Word, name: Value) -> Option<Word> {
    let d = m.load(f, field::FUNC_KWDEFAULTS);
    let dict = m.known().dict;
    if !d.now.is_ptr() || shape_of(d.now).id() != dict {
        return None;
    }
    let object = m.is_ptr(d);
    m.branch(object);
    let pin = m.has_shape(d, dict);
    m.branch(pin);
    let key = m.value(name);
    let v = m.dict_find(d, key);
    let none = m.is_null(v);
    (!m.branch(none)).then_some(v)
}

/// Makes the callee's window the running frame.
fn enter(
    m: &mut PyRecorder,
    f: Word,
    code: &'static CodeData,
    window: isize,
    params: &Words,
    stage: Stage,
) {
    let n = code.param_count();
    m.set_reg(window - 4, f);
    for (i, &v) in params[..n].iter().enumerate() {
        m.set_reg(window + i as isize, v);
    }
    m.push_frame(window, code, n as u32, stage);
}
