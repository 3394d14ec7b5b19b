//! Line ends, and `IncrementalNewlineDecoder`.

use super::{ANY, Class, add_class, is_none, method, number, set_number};
use crate::slots;
use pyrite_machine::Value;
use pyrite_objects::native::{GetSetDef, NativeDef, def, getter};
use pyrite_objects::text::Text;
use pyrite_objects::vm::{R, Vm};

/// Kinds of line end seen.
pub(super) const CR: i64 = 1;
pub(super) const LF: i64 = 2;
pub(super) const CRLF: i64 = 4;

/// `newlines`: None, one string, or a tuple of those seen.
pub(super) fn seen_value(vm: &mut Vm, seen: i64) -> Value {
    let l = vm.new_list(&[]);
    for (bit, text) in [(CR, "\r"), (LF, "\n"), (CRLF, "\r\n")] {
        if seen & bit != 0 {
            let s = vm.intern(text);
            vm.list_append(l, s);
        }
    }
    match vm.list_len(l) {
        0 => vm.none,
        1 => vm.list_get(l, 0),
        _ => vm.list_to_tuple(l),
    }
}

/// The text with every line end as `\n`, and which ends it had.
pub(super) fn translate(t: Text<'_>) -> (Vec<u32>, i64) {
    let mut out = Vec::with_capacity(t.len());
    let mut seen = 0;
    let mut i = 0;
    while i < t.len() {
        match t.at(i) {
            0xD if i + 1 < t.len() && t.at(i + 1) == 0xA => {
                seen |= CRLF;
                out.push(0xA);
                i += 1;
            }
            0xD => {
                seen |= CR;
                out.push(0xA);
            }
            0xA => {
                seen |= LF;
                out.push(0xA);
            }
            c => out.push(c),
        }
        i += 1;
    }
    (out, seen)
}

/// Line ends of a text that stays as it is.
fn ends(t: Text<'_>) -> i64 {
    translate(t).1
}

const DECODER: usize = 2;
const TRANSLATE: usize = 3;
const SEEN: usize = 4;
/// 1 while a `\r` waits for what follows it.
const PENDING: usize = 5;

static METHODS: [NativeDef; 5] = [
    def("__init__", "($self, decoder, translate, errors='strict')", ANY, |vm, a| {
        vm.store_word(a[0], DECODER, a[1]);
        let t = vm.truth(a[2])?;
        set_number(vm, a[0], TRANSLATE, t.into());
        set_number(vm, a[0], SEEN, 0);
        set_number(vm, a[0], PENDING, 0);
        Ok(vm.none)
    }),
    def("decode", "($self, input, final=False)", ANY, decode),
    def("getstate", "($self, /)", ANY, |vm, a| {
        let d = vm.word(a[0], DECODER);
        let (buffer, flag) = if is_none(vm, d) {
            (vm.empty_bytes, 0)
        } else {
            let s = method(vm, d, "getstate", &[])?;
            let Some(t) = vm.as_tuple(s).filter(|&t| vm.tuple_len(t) == 2) else {
                return Err(vm.type_error("illegal decoder state"));
            };
            (vm.tuple_get(t, 0), vm.index_i64(vm.tuple_get(t, 1), false)?)
        };
        let flag = flag << 1 | number(vm, a[0], PENDING);
        let flag = vm.new_int(flag);
        Ok(vm.new_tuple(&[buffer, flag]))
    }),
    def("setstate", "($self, state, /)", ANY, |vm, a| {
        let Some(t) = vm.as_tuple(a[1]).filter(|&t| vm.tuple_len(t) == 2) else {
            return Err(vm.type_error("state argument must be a tuple"));
        };
        let flag = vm.index_i64(vm.tuple_get(t, 1), false)?;
        set_number(vm, a[0], PENDING, flag & 1);
        let d = vm.word(a[0], DECODER);
        if is_none(vm, d) {
            return Ok(vm.none);
        }
        let f = vm.new_int(flag >> 1);
        let s = vm.new_tuple(&[vm.tuple_get(t, 0), f]);
        method(vm, d, "setstate", &[s])
    }),
    def("reset", "($self, /)", ANY, |vm, a| {
        set_number(vm, a[0], SEEN, 0);
        set_number(vm, a[0], PENDING, 0);
        let d = vm.word(a[0], DECODER);
        if is_none(vm, d) { Ok(vm.none) } else { method(vm, d, "reset", &[]) }
    }),
];

static GETSET: [GetSetDef; 1] = [getter("newlines", |vm, v| {
    let n = number(vm, v, SEEN);
    Ok(seen_value(vm, n))
})];

fn decode(vm: &mut Vm, a: &[Value]) -> R {
    if vm.word(a[0], TRANSLATE).is_null() {
        return Err(vm.value_error("IncrementalNewlineDecoder.__init__() not called"));
    }
    let last = a[2].is_some() && vm.truth(a[2])?;
    let d = vm.word(a[0], DECODER);
    let text = if is_none(vm, d) {
        a[1]
    } else {
        let last = vm.bool(last);
        method(vm, d, "decode", &[a[1], last])?
    };
    let Some(mut s) = vm.as_str(text) else {
        let m = format!("decoder should return a string result, not '{}'", vm.class_name(text));
        return Err(vm.type_error(&m));
    };
    if number(vm, a[0], PENDING) != 0 && (last || !vm.text(s).is_empty()) {
        let cr = vm.intern("\r");
        s = vm.str_concat(cr, s);
        set_number(vm, a[0], PENDING, 0);
    }
    let t = vm.text(s);
    if !last && !t.is_empty() && t.at(t.len() - 1) == 0xD {
        s = vm.new_str_text(t.slice(0..t.len() - 1));
        set_number(vm, a[0], PENDING, 1);
    }
    let t = vm.text(s);
    let old = number(vm, a[0], SEEN);
    if number(vm, a[0], TRANSLATE) != 0 {
        let (out, seen) = translate(t);
        set_number(vm, a[0], SEEN, old | seen);
        return Ok(vm.new_str_points(&out));
    }
    set_number(vm, a[0], SEEN, old | ends(t));
    Ok(s)
}

/// Makes the class.
pub(super) fn install(vm: &mut Vm, m: Value) {
    let c = Class {
        name: "IncrementalNewlineDecoder",
        slot: slots::IO_NEWLINE,
        base: None,
        methods: &METHODS,
        getset: &GETSET,
    };
    add_class(vm, m, &c);
}
