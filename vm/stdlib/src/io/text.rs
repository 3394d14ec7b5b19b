//! `TextIOWrapper`: strings over a buffered file.
//!
//! Decoded text is kept as it came, line ends untranslated, and translated when
//! it is handed out. So the position in the file is that of the buffer less the
//! bytes of what was not handed out, which encoding it again tells.
//!
//! Encodings are those of `pyrite_objects::codecs`; one that it does not know is
//! looked up through `codecs`, and must then be one without state.

use super::newline::{seen_value, translate};
use super::{ANY, BUFFER, CLOSED, Class, add_class, attr, is_none, method, number, set_number, size_arg, string_or, unsupported};
use crate::slots;
use pyrite_machine::Value;
use pyrite_objects::codecs::{self, Codec};
use pyrite_objects::native::{GetSetDef, NativeDef, def, getset, getter};
use pyrite_objects::text::Text;
use pyrite_objects::vm::{R, Vm};

/// The buffered file; null once detached.
const FILE: usize = 2;
const ENCODING: usize = 3;
const ERRORS: usize = 4;
/// None or a str.
const NEWLINE: usize = 5;
/// Decoded text, or null.
const TEXT: usize = 6;
/// Position in it.
const AT: usize = 7;
/// Bytes read that are no whole character yet, or null.
const TAIL: usize = 8;
/// List of strings written, or null.
const WRITTEN: usize = 9;
/// Their total length.
const LENGTH: usize = 10;
const SEEN: usize = 11;
/// Bits below.
const FLAGS: usize = 12;
/// Bit 0 once the first piece was encoded, bit 1 once the first was decoded: a
/// byte-order mark stands only there.
const STARTED: usize = 13;

const LINE: i64 = 1;
const THROUGH: i64 = 2;

static METHODS: [NativeDef; 20] = [
    def(
        "__init__",
        "($self, buffer, encoding=None, errors=None, newline=None, line_buffering=False, write_through=False)",
        ANY,
        init,
    ),
    def("write", "($self, text, /)", ANY, write),
    def("read", "($self, size=-1, /)", ANY, read),
    def("readline", "($self, size=-1, /)", ANY, |vm, a| {
        let n = size_arg(vm, a[1])?;
        readline(vm, a[0], n)
    }),
    def("__next__", "($self, /)", ANY, |vm, a| {
        let line = readline(vm, a[0], None)?;
        if vm.text(line).is_empty() {
            let none = vm.none;
            return Err(vm.stop_iteration(none));
        }
        Ok(line)
    }),
    def("flush", "($self, /)", ANY, |vm, a| {
        check(vm, a[0])?;
        flush_writes(vm, a[0])?;
        let f = file(vm, a[0])?;
        method(vm, f, "flush", &[])
    }),
    def("close", "($self, /)", ANY, close),
    def("detach", "($self, /)", ANY, |vm, a| {
        let f = file(vm, a[0])?;
        method(vm, a[0], "flush", &[])?;
        vm.store_word(a[0], FILE, Value::NULL);
        Ok(f)
    }),
    def("seek", "($self, cookie, whence=0, /)", ANY, seek),
    def("tell", "($self, /)", ANY, tell),
    def("truncate", "($self, pos=None, /)", ANY, |vm, a| {
        method(vm, a[0], "flush", &[])?;
        let pos = if is_none(vm, a[1]) { tell(vm, a)? } else { a[1] };
        let f = file(vm, a[0])?;
        method(vm, f, "truncate", &[pos])
    }),
    def("fileno", "($self, /)", ANY, |vm, a| pass(vm, a, "fileno")),
    def("isatty", "($self, /)", ANY, |vm, a| pass(vm, a, "isatty")),
    def("readable", "($self, /)", ANY, |vm, a| pass(vm, a, "readable")),
    def("writable", "($self, /)", ANY, |vm, a| pass(vm, a, "writable")),
    def("seekable", "($self, /)", ANY, |vm, a| pass(vm, a, "seekable")),
    def(
        "reconfigure",
        "($self, /, *, encoding=None, errors=None, newline=None, line_buffering=None, write_through=None)",
        ANY,
        reconfigure,
    ),
    def("__iter__", "($self, /)", ANY, |vm, a| {
        check(vm, a[0])?;
        Ok(a[0])
    }),
    def("__repr__", "($self, /)", ANY, repr),
    def("__getstate__", "($self, /)", ANY, |vm, a| {
        let m = format!("cannot pickle '{}' object", vm.class_name(a[0]));
        Err(vm.type_error(&m))
    }),
];

static GETSET: [GetSetDef; 9] = [
    getter("buffer", |vm, v| {
        let f = vm.word(v, FILE);
        Ok(if f.is_null() { vm.none } else { f })
    }),
    getter("encoding", |vm, v| Ok(vm.word(v, ENCODING))),
    getter("errors", |vm, v| Ok(vm.word(v, ERRORS))),
    getter("closed", |vm, v| {
        let f = file(vm, v)?;
        attr(vm, f, "closed")
    }),
    getter("name", |vm, v| {
        let f = file(vm, v)?;
        attr(vm, f, "name")
    }),
    getter("line_buffering", |vm, v| Ok(vm.bool(number(vm, v, FLAGS) & LINE != 0))),
    getter("write_through", |vm, v| Ok(vm.bool(number(vm, v, FLAGS) & THROUGH != 0))),
    getter("newlines", |vm, v| {
        let n = number(vm, v, SEEN);
        Ok(seen_value(vm, n))
    }),
    getset("_CHUNK_SIZE", |_, _| Ok(Value::int_unchecked(BUFFER)), |vm, _, v| {
        if vm.index_i64(v, false)? <= 0 {
            return Err(vm.value_error("a strictly positive integer is required"));
        }
        Ok(())
    }),
];

fn init(vm: &mut Vm, a: &[Value]) -> R {
    let v = a[0];
    let encoding = match string_or(vm, a[2], "utf-8")?.as_str() {
        "locale" => "utf-8".to_owned(),
        s => s.to_owned(),
    };
    if encoding.contains('\0') {
        return Err(vm.value_error("embedded null character"));
    }
    if Codec::named(&encoding).is_none() {
        // Raises LookupError for a name that nobody knows.
        let codecs = vm.import_module("codecs")?;
        let name = vm.new_str(&encoding);
        method(vm, codecs, "lookup", &[name])?;
    }
    let errors = string_or(vm, a[3], "strict")?;
    newline_arg(vm, v, a[4])?;
    let line = crate::fs::flag(vm, a[5], false)?;
    let through = crate::fs::flag(vm, a[6], false)?;
    vm.store_word(v, FILE, a[1]);
    let s = vm.new_str(&encoding);
    vm.store_word(v, ENCODING, s);
    let s = vm.new_str(&errors);
    vm.store_word(v, ERRORS, s);
    set_number(vm, v, FLAGS, i64::from(line) * LINE + i64::from(through) * THROUGH);
    for word in [TEXT, TAIL, WRITTEN] {
        vm.store_word(v, word, Value::NULL);
    }
    for word in [AT, LENGTH, SEEN, STARTED, CLOSED] {
        set_number(vm, v, word, 0);
    }
    // A mark is written at the start of a file only.
    let r = method(vm, a[1], "seekable", &[])?;
    if vm.truth(r)? {
        let w = method(vm, a[1], "writable", &[])?;
        if vm.truth(w)? {
            let at = method(vm, a[1], "tell", &[])?;
            let started = at != Value::small(0);
            set_number(vm, v, STARTED, started.into());
        }
    }
    Ok(vm.none)
}

fn newline_arg(vm: &mut Vm, v: Value, nl: Value) -> R<()> {
    let nl = if nl.is_null() { vm.none } else { nl };
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
    vm.store_word(v, NEWLINE, nl);
    Ok(())
}

fn reconfigure(vm: &mut Vm, a: &[Value]) -> R {
    let v = a[0];
    let read = vm.word(v, TEXT).is_some();
    if read && (!is_none(vm, a[1]) || !is_none(vm, a[2]) || a[3].is_some()) {
        return Err(unsupported(vm, "It is not possible to set the encoding or newline of stream after the first read"));
    }
    method(vm, v, "flush", &[])?;
    for (word, arg) in [(ENCODING, a[1]), (ERRORS, a[2])] {
        if !is_none(vm, arg) {
            let s = string_or(vm, arg, "")?;
            let s = vm.new_str(&s);
            vm.store_word(v, word, s);
        } else if word == ERRORS && !is_none(vm, a[1]) {
            let s = vm.new_str("strict");
            vm.store_word(v, word, s);
        }
    }
    if a[3].is_some() {
        newline_arg(vm, v, a[3])?;
    }
    let mut flags = number(vm, v, FLAGS);
    for (bit, arg) in [(LINE, a[4]), (THROUGH, a[5])] {
        if !is_none(vm, arg) {
            flags = if vm.truth(arg)? { flags | bit } else { flags & !bit };
        }
    }
    set_number(vm, v, FLAGS, flags);
    Ok(vm.none)
}

fn file(vm: &mut Vm, v: Value) -> R {
    let f = vm.word(v, FILE);
    if f.is_null() {
        let m = if vm.word(v, ENCODING).is_null() {
            "I/O operation on uninitialized object"
        } else {
            "underlying buffer has been detached"
        };
        return Err(vm.value_error(m));
    }
    Ok(f)
}

fn check(vm: &mut Vm, v: Value) -> R<()> {
    let f = file(vm, v)?;
    let c = attr(vm, f, "closed")?;
    if vm.truth(c)? { Err(vm.value_error("I/O operation on closed file.")) } else { Ok(()) }
}

fn pass(vm: &mut Vm, a: &[Value], name: &str) -> R {
    let f = file(vm, a[0])?;
    method(vm, f, name, &[])
}

fn names(vm: &mut Vm, v: Value) -> (String, String) {
    let (e, h) = (vm.word(v, ENCODING), vm.word(v, ERRORS));
    (vm.str_to_string(e), vm.str_to_string(h))
}

/// The encoding as it is once a byte-order mark was dealt with.
fn later(encoding: &str) -> &str {
    match Codec::named(encoding) {
        Some(Codec::Utf16(None)) => "utf-16-le",
        Some(Codec::Utf32(None)) => "utf-32-le",
        Some(Codec::Utf8Sig) => "utf-8",
        _ => encoding,
    }
}

fn encode(vm: &mut Vm, v: Value, s: Value) -> R<Vec<u8>> {
    let (mut encoding, errors) = names(vm, v);
    if number(vm, v, STARTED) & 1 != 0 {
        encoding = later(&encoding).to_owned();
    }
    let b = codecs::encode(vm, s, &encoding, &errors)?;
    let n = number(vm, v, STARTED);
    set_number(vm, v, STARTED, n | 1);
    Ok(b)
}

fn write(vm: &mut Vm, a: &[Value]) -> R {
    let v = a[0];
    let Some(s) = vm.as_str(a[1]) else {
        let m = format!("write() argument must be str, not {}", vm.class_name(a[1]));
        return Err(vm.type_error(&m));
    };
    check(vm, v)?;
    let w = pass(vm, a, "writable")?;
    if !vm.truth(w)? {
        return Err(unsupported(vm, "not writable"));
    }
    let t = vm.text(s);
    let n = t.len();
    let has_line = t.iter().any(|c| c == 0xA || c == 0xD);
    let nl = vm.word(v, NEWLINE);
    let mut piece = s;
    if has_line && nl != vm.none && (vm.str_is(nl, "\r") || vm.str_is(nl, "\r\n")) {
        let end: Vec<u32> = vm.text(nl).iter().collect();
        let out: Vec<u32> = t.iter().flat_map(|c| if c == 0xA { end.clone() } else { vec![c] }).collect();
        piece = vm.new_str_points(&out);
    }
    // Encoding errors belong to the write that made them.
    let b = encode(vm, v, piece)?;
    let b = vm.new_bytes(&b);
    let mut l = vm.word(v, WRITTEN);
    if l.is_null() {
        l = vm.new_list(&[]);
        vm.store_word(v, WRITTEN, l);
    }
    vm.list_append(l, b);
    let total = number(vm, v, LENGTH) + vm.bytes(b).len() as i64;
    set_number(vm, v, LENGTH, total);
    let flags = number(vm, v, FLAGS);
    if total > BUFFER || flags & THROUGH != 0 || flags & LINE != 0 && has_line {
        flush_writes(vm, v)?;
        if flags & LINE != 0 && has_line {
            pass(vm, a, "flush")?;
        }
    }
    if vm.word(v, TEXT).is_some() {
        forget(vm, v);
    }
    Ok(Value::int_unchecked(n as i64))
}

/// Drops what was read ahead.
fn forget(vm: &mut Vm, v: Value) {
    vm.store_word(v, TEXT, Value::NULL);
    vm.store_word(v, TAIL, Value::NULL);
    set_number(vm, v, AT, 0);
}

fn flush_writes(vm: &mut Vm, v: Value) -> R<()> {
    let l = vm.word(v, WRITTEN);
    if l.is_null() || vm.list_len(l) == 0 {
        return Ok(());
    }
    let mut all = Vec::with_capacity(number(vm, v, LENGTH) as usize);
    for i in 0..vm.list_len(l) {
        all.extend_from_slice(vm.bytes(vm.list_get(l, i)));
    }
    vm.store_word(v, WRITTEN, Value::NULL);
    set_number(vm, v, LENGTH, 0);
    let b = vm.new_bytes(&all);
    let f = file(vm, v)?;
    method(vm, f, "write", &[b])?;
    Ok(())
}

/// Decodes bytes behind the tail that waits.
fn decode(vm: &mut Vm, v: Value, b: &[u8], last: bool) -> R {
    let (encoding, errors) = names(vm, v);
    let tail = vm.word(v, TAIL);
    let mut all = if tail.is_null() { Vec::new() } else { vm.bytes(tail).to_vec() };
    all.extend_from_slice(b);
    let Some(mut codec) = Codec::named(&encoding) else {
        vm.store_word(v, TAIL, Value::NULL);
        return codecs::decode(vm, &all, &encoding, &errors);
    };
    if number(vm, v, STARTED) & 2 != 0 {
        codec = Codec::named(later(&encoding)).unwrap_or(codec);
    }
    let (s, used) = codecs::decode_with(vm, &all, codec, &errors, last)?;
    if used > 0 {
        let n = number(vm, v, STARTED);
        set_number(vm, v, STARTED, n | 2);
    }
    let rest = if used < all.len() { vm.new_bytes(&all[used..]) } else { Value::NULL };
    vm.store_word(v, TAIL, rest);
    Ok(s)
}

/// Reads and decodes one more chunk; false at the end of the file.
fn fill(vm: &mut Vm, v: Value) -> R<bool> {
    let f = file(vm, v)?;
    let key = vm.intern("read1");
    let read = vm.getattr_opt(f, key)?;
    let size = Value::int_unchecked(BUFFER);
    let r = if read.is_some() { vm.call(read, &[size])? } else { method(vm, f, "read", &[size])? };
    let Some(b) = vm.buffer(r) else {
        let m = format!(
            "underlying read1() should have returned a bytes-like object, not '{}'",
            vm.class_name(r)
        );
        return Err(vm.type_error(&m));
    };
    let last = b.is_empty();
    let s = decode(vm, v, b, last)?;
    append(vm, v, s);
    Ok(!last)
}

/// Puts decoded text behind what is left.
fn append(vm: &mut Vm, v: Value, s: Value) {
    let old = vm.word(v, TEXT);
    let at = number(vm, v, AT) as usize;
    let s = if old.is_null() || at == vm.text(old).len() {
        s
    } else {
        let t = vm.text(old);
        let rest = vm.new_str_text(t.slice(at..t.len()));
        vm.str_concat(rest, s)
    };
    vm.store_word(v, TEXT, s);
    set_number(vm, v, AT, 0);
}

fn start_reading(vm: &mut Vm, v: Value) -> R<()> {
    check(vm, v)?;
    let r = pass(vm, &[v], "readable")?;
    if !vm.truth(r)? {
        return Err(unsupported(vm, "not readable"));
    }
    let l = vm.word(v, WRITTEN);
    if l.is_some() {
        method(vm, v, "flush", &[])?;
    }
    Ok(())
}

/// Hands out text from the position to `end`, translated if newlines are.
fn hand_out(vm: &mut Vm, v: Value, end: usize) -> Value {
    let s = vm.word(v, TEXT);
    if s.is_null() {
        return vm.empty_str;
    }
    let at = number(vm, v, AT) as usize;
    let t = vm.text(s).slice(at..end);
    set_number(vm, v, AT, end as i64);
    let nl = vm.word(v, NEWLINE);
    let universal = nl == vm.none || vm.str_is(nl, "");
    let old = number(vm, v, SEEN);
    if universal && t.iter().any(|c| c == 0xD) {
        let (out, seen) = translate(t);
        set_number(vm, v, SEEN, old | seen);
        if nl == vm.none {
            return vm.new_str_points(&out);
        }
    } else if universal && old & super::newline::LF == 0 && t.iter().any(|c| c == 0xA) {
        set_number(vm, v, SEEN, old | super::newline::LF);
    }
    vm.new_str_text(t)
}

fn read(vm: &mut Vm, a: &[Value]) -> R {
    let v = a[0];
    let n = size_arg(vm, a[1])?;
    start_reading(vm, v)?;
    let Some(n) = n else {
        let f = file(vm, v)?;
        let r = method(vm, f, "read", &[])?;
        if r == vm.none {
            return Err(vm.type_error("underlying read() should have returned a bytes-like object, not 'NoneType'"));
        }
        let b = super::bytes_arg(vm, r)?;
        let s = decode(vm, v, b, true)?;
        append(vm, v, s);
        let end = vm.text(vm.word(v, TEXT)).len();
        return Ok(hand_out(vm, v, end));
    };
    let none = vm.none;
    let pairs = vm.word(v, NEWLINE) == none;
    loop {
        let s = vm.word(v, TEXT);
        let (mut end, mut got) = (number(vm, v, AT) as usize, 0);
        let mut cut = false;
        if s.is_some() {
            let t = vm.text(s);
            while got < n && end < t.len() {
                // A pair counts as one; a `\r` at the very end may be half of one.
                if pairs && t.at(end) == 0xD {
                    if end + 1 == t.len() {
                        cut = true;
                    } else if t.at(end + 1) == 0xA {
                        end += 1;
                    }
                }
                end += 1;
                got += 1;
            }
        }
        if got == n && !cut || !fill(vm, v)? {
            // Filling moves the text; the end is counted anew from its start.
            let s = vm.word(v, TEXT);
            if s.is_null() || got == n && !cut {
                return Ok(hand_out(vm, v, end));
            }
            let t = vm.text(s);
            let (mut end, mut got) = (number(vm, v, AT) as usize, 0);
            while got < n && end < t.len() {
                if pairs && t.at(end) == 0xD && end + 1 < t.len() && t.at(end + 1) == 0xA {
                    end += 1;
                }
                end += 1;
                got += 1;
            }
            return Ok(hand_out(vm, v, end));
        }
    }
}

/// Where the first line end at or after `from` starts and stops. `newline` is
/// `"\n"`, `"\r"`, `"\r\n"`, or `""` for any.
pub(super) fn line_end(t: Text<'_>, from: usize, newline: &str) -> Option<(usize, usize)> {
    match newline {
        "\n" => (from..t.len()).find(|&i| t.at(i) == 0xA).map(|i| (i, i + 1)),
        "\r" => (from..t.len()).find(|&i| t.at(i) == 0xD).map(|i| (i, i + 1)),
        "\r\n" => (from..t.len().saturating_sub(1))
            .find(|&i| t.at(i) == 0xD && t.at(i + 1) == 0xA)
            .map(|i| (i, i + 2)),
        _ => {
            let i = (from..t.len()).find(|&i| t.at(i) == 0xA || t.at(i) == 0xD)?;
            let pair = t.at(i) == 0xD && i + 1 < t.len() && t.at(i + 1) == 0xA;
            Some((i, if pair { i + 2 } else { i + 1 }))
        }
    }
}

fn readline(vm: &mut Vm, v: Value, limit: Option<usize>) -> R {
    start_reading(vm, v)?;
    let nl = vm.word(v, NEWLINE);
    let nl = if nl == vm.none { String::new() } else { vm.str_to_string(nl) };
    let limit = limit.unwrap_or(usize::MAX);
    let mut searched = 0;
    loop {
        let s = vm.word(v, TEXT);
        let at = number(vm, v, AT) as usize;
        if s.is_some() {
            let t = vm.text(s);
            let stop = at.saturating_add(limit);
            // The last character seen may have been half of a line end.
            let from = (at + searched).saturating_sub(usize::from(searched > 0));
            if let Some((_, end)) = line_end(t, from.max(at), &nl) {
                let half = end == t.len() && t.at(end - 1) == 0xD && nl.is_empty();
                if end > stop {
                    return Ok(hand_out(vm, v, stop));
                }
                if !half {
                    return Ok(hand_out(vm, v, end));
                }
            }
            if stop <= t.len() {
                return Ok(hand_out(vm, v, stop));
            }
            searched = t.len() - at;
        }
        if !fill(vm, v)? {
            let s = vm.word(v, TEXT);
            if s.is_null() {
                return Ok(vm.empty_str);
            }
            let t = vm.text(s);
            let at = number(vm, v, AT) as usize;
            let end = line_end(t, at, &nl).map_or(t.len(), |(_, e)| e);
            return Ok(hand_out(vm, v, end.min(at.saturating_add(limit))));
        }
    }
}

fn tell(vm: &mut Vm, a: &[Value]) -> R {
    let v = a[0];
    check(vm, v)?;
    let s = pass(vm, a, "seekable")?;
    if !vm.truth(s)? {
        return Err(unsupported(vm, "underlying stream is not seekable"));
    }
    method(vm, v, "flush", &[])?;
    let at = pass(vm, a, "tell")?;
    let at = vm.index_i64(at, false)?;
    let mut ahead = 0;
    let text = vm.word(v, TEXT);
    if text.is_some() {
        let t = vm.text(text);
        let rest = vm.new_str_text(t.slice(number(vm, v, AT) as usize..t.len()));
        let (encoding, errors) = names(vm, v);
        ahead += codecs::encode(vm, rest, later(&encoding), &errors)?.len() as i64;
    }
    let tail = vm.word(v, TAIL);
    if tail.is_some() {
        ahead += vm.bytes(tail).len() as i64;
    }
    Ok(vm.new_int(at - ahead))
}

fn seek(vm: &mut Vm, a: &[Value]) -> R {
    let v = a[0];
    check(vm, v)?;
    let whence = crate::fs::c_int_or(vm, a[2], 0)?;
    let s = pass(vm, a, "seekable")?;
    if !vm.truth(s)? {
        return Err(unsupported(vm, "underlying stream is not seekable"));
    }
    let pos = vm.index_i64(a[1], false)?;
    let mut target = a[1];
    match whence {
        0 if pos < 0 => {
            let m = format!("negative seek position {}", vm.repr_string(a[1])?);
            return Err(vm.value_error(&m));
        }
        0 => {}
        1 if pos != 0 => return Err(unsupported(vm, "can't do nonzero cur-relative seeks")),
        1 => target = tell(vm, &[v])?,
        2 if pos != 0 => return Err(unsupported(vm, "can't do nonzero end-relative seeks")),
        2 => {}
        _ => {
            let m = format!("invalid whence ({whence}, should be 0, 1 or 2)");
            return Err(vm.value_error(&m));
        }
    }
    method(vm, v, "flush", &[])?;
    let f = file(vm, v)?;
    let w = Value::small(if whence == 2 { 2 } else { 0 });
    let r = method(vm, f, "seek", &[target, w])?;
    forget(vm, v);
    let started = if r == Value::small(0) { 0 } else { 3 };
    set_number(vm, v, STARTED, started);
    Ok(r)
}

fn close(vm: &mut Vm, a: &[Value]) -> R {
    let f = file(vm, a[0])?;
    let c = attr(vm, f, "closed")?;
    if vm.truth(c)? {
        return Ok(vm.none);
    }
    let flushed = method(vm, a[0], "flush", &[]);
    let e = vm.take_exc();
    set_number(vm, a[0], CLOSED, 1);
    let closed = method(vm, f, "close", &[]);
    match (flushed, closed) {
        (Err(r), Ok(_)) => {
            vm.exc = e;
            Err(r)
        }
        (_, Err(r)) => Err(r),
        _ => Ok(vm.none),
    }
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let c = vm.class_of(a[0]);
    let mut out = format!("<{}", vm.type_full_name(c));
    for name in ["name", "mode"] {
        let key = vm.intern(name);
        match vm.getattr_opt(a[0], key) {
            Ok(n) if n.is_some() => out.push_str(&format!(" {name}={}", vm.repr_string(n)?)),
            Ok(_) => {}
            Err(_) => vm.exc = Value::NULL,
        }
    }
    let e = vm.word(a[0], ENCODING);
    if e.is_null() {
        return Err(vm.value_error("I/O operation on uninitialized object"));
    }
    out.push_str(&format!(" encoding={}>", vm.repr_string(e)?));
    Ok(vm.new_str(&out))
}

/// Makes the class.
pub(super) fn install(vm: &mut Vm, m: Value) {
    let c = Class {
        name: "TextIOWrapper",
        slot: slots::IO_TEXT,
        base: Some(slots::IO_TEXT_BASE),
        methods: &METHODS,
        getset: &GETSET,
    };
    add_class(vm, m, &c);
}
