//! `StringIO`: a text file in memory.
//!
//! Written pieces collect in a list while the position is at the end, and are
//! joined when something else is asked for.

use super::newline::{seen_value, translate};
use super::{ANY, CLOSED, Class, add_class, is_none, number, set_number, size_arg};
use crate::slots;
use pyrite_machine::Value;
use pyrite_objects::native::{GetSetDef, NativeDef, def, getter};
use pyrite_objects::vm::{R, Vm};

/// The content up to the pieces, a str.
const TEXT: usize = 2;
const AT: usize = 3;
/// List of pieces written behind it, or null.
const PIECES: usize = 4;
/// The newline argument: None or a str.
const NEWLINE: usize = 5;
const SEEN: usize = 6;
/// Total length, pieces included.
const LENGTH: usize = 7;

static METHODS: [NativeDef; 15] = [
    def("__init__", "($self, initial_value='', newline='\\n')", ANY, init),
    def("write", "($self, s, /)", ANY, write),
    def("read", "($self, size=-1, /)", ANY, |vm, a| {
        let n = size_arg(vm, a[1])?.unwrap_or(usize::MAX);
        let s = content(vm, a[0])?;
        let t = vm.text(s);
        let at = (number(vm, a[0], AT) as usize).min(t.len());
        let end = at.saturating_add(n).min(t.len());
        if end > at {
            set_number(vm, a[0], AT, end as i64);
        }
        if at == 0 && end == t.len() { Ok(s) } else { Ok(vm.new_str_text(t.slice(at..end))) }
    }),
    def("readline", "($self, size=-1, /)", ANY, readline),
    def("__next__", "($self, /)", ANY, |vm, a| {
        let line = readline(vm, &[a[0], Value::NULL])?;
        if vm.text(line).is_empty() {
            let none = vm.none;
            return Err(vm.stop_iteration(none));
        }
        Ok(line)
    }),
    def("getvalue", "($self, /)", ANY, |vm, a| content(vm, a[0])),
    def("seek", "($self, pos, whence=0, /)", ANY, seek),
    def("tell", "($self, /)", ANY, |vm, a| {
        check(vm, a[0])?;
        Ok(vm.word(a[0], AT))
    }),
    def("truncate", "($self, pos=None, /)", ANY, |vm, a| {
        let s = content(vm, a[0])?;
        let n = if is_none(vm, a[1]) { number(vm, a[0], AT) } else { vm.index_i64(a[1], false)? };
        if n < 0 {
            return Err(vm.value_error(&format!("Negative size value {n}")));
        }
        let t = vm.text(s);
        if (n as usize) < t.len() {
            let s = vm.new_str_text(t.slice(0..n as usize));
            put(vm, a[0], s);
        }
        Ok(vm.new_int(n))
    }),
    def("close", "($self, /)", ANY, |vm, a| {
        set_number(vm, a[0], CLOSED, 1);
        vm.store_word(a[0], TEXT, Value::NULL);
        vm.store_word(a[0], PIECES, Value::NULL);
        Ok(vm.none)
    }),
    def("readable", "($self, /)", ANY, yes),
    def("writable", "($self, /)", ANY, yes),
    def("seekable", "($self, /)", ANY, yes),
    def("__getstate__", "($self, /)", ANY, |vm, a| {
        let s = content(vm, a[0])?;
        let (nl, at) = (vm.word(a[0], NEWLINE), vm.word(a[0], AT));
        let dict = if vm.has_instance_dict(a[0]) { vm.to_dict_mode(a[0]) } else { vm.none };
        Ok(vm.new_tuple(&[s, nl, at, dict]))
    }),
    def("isatty", "($self, /)", ANY, |vm, a| {
        check(vm, a[0])?;
        Ok(vm.false_)
    }),
];

static GETSET: [GetSetDef; 3] = [
    getter("closed", |vm, v| Ok(vm.bool(number(vm, v, CLOSED) != 0))),
    getter("line_buffering", |vm, v| {
        check(vm, v)?;
        Ok(vm.false_)
    }),
    getter("newlines", |vm, v| {
        check(vm, v)?;
        let n = number(vm, v, SEEN);
        Ok(seen_value(vm, n))
    }),
];

fn yes(vm: &mut Vm, a: &[Value]) -> R {
    check(vm, a[0])?;
    Ok(vm.true_)
}

fn check(vm: &mut Vm, v: Value) -> R<()> {
    if number(vm, v, CLOSED) != 0 {
        return Err(vm.value_error("I/O operation on closed file"));
    }
    if vm.word(v, TEXT).is_null() {
        return Err(vm.value_error("I/O operation on uninitialized object"));
    }
    Ok(())
}

fn put(vm: &mut Vm, v: Value, s: Value) {
    vm.store_word(v, TEXT, s);
    vm.store_word(v, PIECES, Value::NULL);
    let n = vm.text(s).len();
    set_number(vm, v, LENGTH, n as i64);
}

fn init(vm: &mut Vm, a: &[Value]) -> R {
    let nl = if a[2].is_null() { vm.intern("\n") } else { a[2] };
    if nl != vm.none {
        let Some(s) = vm.as_str(nl) else {
            let m = format!("newline must be str or None, not {}", vm.class_name(nl));
            return Err(vm.type_error(&m));
        };
        if !["", "\n", "\r", "\r\n"].contains(&vm.str_to_string(s).as_str()) {
            let m = format!("illegal newline value: {}", vm.repr_string(s)?);
            return Err(vm.value_error(&m));
        }
    }
    vm.store_word(a[0], NEWLINE, nl);
    set_number(vm, a[0], CLOSED, 0);
    set_number(vm, a[0], SEEN, 0);
    set_number(vm, a[0], AT, 0);
    let empty = vm.empty_str;
    put(vm, a[0], empty);
    if !is_none(vm, a[1]) {
        if !vm.is_str(a[1]) {
            let m = format!("initial_value must be str or None, not {}", vm.class_name(a[1]));
            return Err(vm.type_error(&m));
        }
        write(vm, &a[..2])?;
        set_number(vm, a[0], AT, 0);
    }
    Ok(vm.none)
}

fn content(vm: &mut Vm, v: Value) -> R {
    check(vm, v)?;
    let pieces = vm.word(v, PIECES);
    if pieces.is_some() {
        let s = vm.str_join(vm.list_items(pieces));
        put(vm, v, s);
    }
    Ok(vm.word(v, TEXT))
}

fn write(vm: &mut Vm, a: &[Value]) -> R {
    check(vm, a[0])?;
    let Some(s) = vm.as_str(a[1]) else {
        let m = format!("string argument expected, got '{}'", vm.class_name(a[1]));
        return Err(vm.type_error(&m));
    };
    let given = vm.text(s).len();
    let nl = vm.word(a[0], NEWLINE);
    let mut piece = s;
    if nl == vm.none {
        let (out, seen) = translate(vm.text(s));
        let old = number(vm, a[0], SEEN);
        set_number(vm, a[0], SEEN, old | seen);
        piece = vm.new_str_points(&out);
    } else if vm.str_is(nl, "\r") || vm.str_is(nl, "\r\n") {
        let end: Vec<u32> = vm.text(nl).iter().collect();
        let out: Vec<u32> = vm
            .text(s)
            .iter()
            .flat_map(|c| if c == 0xA { end.clone() } else { vec![c] })
            .collect();
        piece = vm.new_str_points(&out);
    } else if vm.str_is(nl, "") {
        let seen = translate(vm.text(s)).1;
        let old = number(vm, a[0], SEEN);
        set_number(vm, a[0], SEEN, old | seen);
    }
    let n = vm.text(piece).len() as i64;
    let at = number(vm, a[0], AT);
    if n == 0 {
        return Ok(Value::int_unchecked(given as i64));
    }
    if at == number(vm, a[0], LENGTH) {
        let mut l = vm.word(a[0], PIECES);
        if l.is_null() {
            let t = vm.word(a[0], TEXT);
            l = vm.new_list(&[t]);
            vm.store_word(a[0], PIECES, l);
        }
        vm.list_append(l, piece);
        set_number(vm, a[0], LENGTH, at + n);
    } else {
        let old = content(vm, a[0])?;
        let mut all: Vec<u32> = vm.text(old).iter().collect();
        let (at, n) = (at as usize, n as usize);
        if all.len() < at + n {
            all.resize(at + n, 0);
        }
        for (slot, c) in all[at..at + n].iter_mut().zip(vm.text(piece).iter()) {
            *slot = c;
        }
        let s = vm.new_str_points(&all);
        put(vm, a[0], s);
    }
    set_number(vm, a[0], AT, at + n);
    Ok(Value::int_unchecked(given as i64))
}

fn readline(vm: &mut Vm, a: &[Value]) -> R {
    let n = size_arg(vm, a[1])?.unwrap_or(usize::MAX);
    let s = content(vm, a[0])?;
    let t = vm.text(s);
    let at = (number(vm, a[0], AT) as usize).min(t.len());
    let nl = vm.word(a[0], NEWLINE);
    let nl = if nl == vm.none { "\n".to_owned() } else { vm.str_to_string(nl) };
    let limit = at.saturating_add(n).min(t.len());
    let end = super::text::line_end(t, at, &nl).map_or(t.len(), |(_, e)| e).min(limit);
    if end > at {
        set_number(vm, a[0], AT, end as i64);
    }
    Ok(vm.new_str_text(t.slice(at..end)))
}

fn seek(vm: &mut Vm, a: &[Value]) -> R {
    check(vm, a[0])?;
    let pos = vm.index_i64(a[1], false)?;
    let whence = crate::fs::c_int_or(vm, a[2], 0)?;
    let at = match whence {
        0 if pos < 0 => return Err(vm.value_error(&format!("Negative seek position {pos}"))),
        0 => pos,
        1 | 2 if pos != 0 => return Err(vm.os_error("Can't do nonzero cur-relative seeks")),
        1 => number(vm, a[0], AT),
        2 => number(vm, a[0], LENGTH),
        _ => return Err(vm.value_error(&format!("Invalid whence ({whence}, should be 0, 1 or 2)"))),
    };
    set_number(vm, a[0], AT, at);
    Ok(vm.new_int(at))
}

/// Makes the class.
pub(super) fn install(vm: &mut Vm, m: Value) {
    let c = Class {
        name: "StringIO",
        slot: slots::IO_STRINGIO,
        base: Some(slots::IO_TEXT_BASE),
        methods: &METHODS,
        getset: &GETSET,
    };
    add_class(vm, m, &c);
}
