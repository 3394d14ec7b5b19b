//! `BufferedReader`, `BufferedWriter`, `BufferedRandom` and `BufferedRWPair`.
//!
//! A reader keeps the bytes of its last raw read and a position in them; a
//! writer a list of what was written. A random file has at most one of the two
//! filled: writing first gives the unread bytes back by seeking.

use super::{ANY, BUFFER, CLOSED, Class, add_class, attr, bytes_arg, class, is_none, method, number, set_number, size_arg, unsupported};
use crate::slots;
use pyrite_machine::Value;
use pyrite_objects::native::{GetSetDef, NativeDef, def, getter};
use pyrite_objects::vm::{R, Vm};

/// The raw file; null once detached.
const RAW: usize = 2;
/// Buffer size in bytes.
const SIZE: usize = 3;
/// Bytes read, or null.
const READ: usize = 4;
/// Position in them.
const AT: usize = 5;
/// List of bytes written, or null.
const WRITTEN: usize = 6;
/// Their total length.
const LENGTH: usize = 7;

static COMMON: [NativeDef; 13] = [
    def("seekable", "($self, /)", ANY, |vm, a| pass(vm, a, "seekable")),
    def("fileno", "($self, /)", ANY, |vm, a| pass(vm, a, "fileno")),
    def("isatty", "($self, /)", ANY, |vm, a| pass(vm, a, "isatty")),
    def("close", "($self, /)", ANY, close),
    def("detach", "($self, /)", ANY, |vm, a| {
        let r = raw(vm, a[0])?;
        method(vm, a[0], "flush", &[])?;
        vm.store_word(a[0], RAW, Value::NULL);
        Ok(r)
    }),
    def("flush", "($self, /)", ANY, |vm, a| {
        check_open(vm, a[0], "flush of closed file")?;
        flush(vm, a[0])?;
        Ok(vm.none)
    }),
    def("seek", "($self, target, whence=0, /)", ANY, seek),
    def("tell", "($self, /)", ANY, |vm, a| {
        let at = tell(vm, a[0])?;
        Ok(vm.new_int(at))
    }),
    def("truncate", "($self, pos=None, /)", ANY, |vm, a| {
        check_open(vm, a[0], "truncate of closed file")?;
        flush(vm, a[0])?;
        let size = if is_none(vm, a[1]) {
            let at = tell(vm, a[0])?;
            vm.new_int(at)
        } else {
            a[1]
        };
        let r = raw(vm, a[0])?;
        method(vm, r, "truncate", &[size])
    }),
    def("__repr__", "($self, /)", ANY, repr),
    def("__getstate__", "($self, /)", ANY, |vm, a| {
        let m = format!("cannot pickle '{}' object", vm.class_name(a[0]));
        Err(vm.type_error(&m))
    }),
    def("readable", "($self, /)", ANY, |vm, a| pass(vm, a, "readable")),
    def("writable", "($self, /)", ANY, |vm, a| pass(vm, a, "writable")),
];

static COMMON_GETSET: [GetSetDef; 4] = [
    getter("raw", |vm, v| {
        let r = vm.word(v, RAW);
        Ok(if r.is_null() { vm.none } else { r })
    }),
    getter("closed", |vm, v| {
        let r = raw(vm, v)?;
        attr(vm, r, "closed")
    }),
    getter("name", |vm, v| {
        let r = raw(vm, v)?;
        attr(vm, r, "name")
    }),
    getter("mode", |vm, v| {
        let r = raw(vm, v)?;
        attr(vm, r, "mode")
    }),
];

static READER: [NativeDef; 7] = [
    def("read", "($self, size=-1, /)", ANY, read),
    def("read1", "($self, size=-1, /)", ANY, |vm, a| {
        check_open(vm, a[0], "read of closed file")?;
        let n = size_arg(vm, a[1])?.unwrap_or(number(vm, a[0], SIZE) as usize);
        if n == 0 {
            return Ok(vm.empty_bytes);
        }
        if buffered(vm, a[0]).is_empty() {
            fill(vm, a[0])?;
        }
        Ok(take(vm, a[0], n))
    }),
    def("peek", "($self, size=0, /)", ANY, |vm, a| {
        check_open(vm, a[0], "peek of closed file")?;
        flush_writes(vm, a[0])?;
        if buffered(vm, a[0]).is_empty() {
            fill(vm, a[0])?;
        }
        let b = buffered(vm, a[0]);
        Ok(vm.new_bytes(b))
    }),
    def("readinto", "($self, buffer, /)", ANY, |vm, a| super::base::read_into(vm, a, "read")),
    def("readinto1", "($self, buffer, /)", ANY, |vm, a| super::base::read_into(vm, a, "read1")),
    def("readline", "($self, size=-1, /)", ANY, readline),
    def("__next__", "($self, /)", ANY, |vm, a| {
        let line = readline(vm, &[a[0], Value::NULL])?;
        if line == vm.empty_bytes {
            let none = vm.none;
            return Err(vm.stop_iteration(none));
        }
        Ok(line)
    }),
];

static READER_INIT: [NativeDef; 1] =
    [def("__init__", "($self, raw, buffer_size=8192)", ANY, |vm, a| init(vm, a, true, false))];
static WRITER_INIT: [NativeDef; 1] =
    [def("__init__", "($self, raw, buffer_size=8192)", ANY, |vm, a| init(vm, a, false, true))];
static RANDOM_INIT: [NativeDef; 1] =
    [def("__init__", "($self, raw, buffer_size=8192)", ANY, |vm, a| init(vm, a, true, true))];
static WRITER: [NativeDef; 1] = [def("write", "($self, buffer, /)", ANY, write)];

fn init(vm: &mut Vm, a: &[Value], reads: bool, writes: bool) -> R {
    if reads && writes {
        let r = method(vm, a[1], "seekable", &[])?;
        if !vm.truth(r)? {
            return Err(unsupported(vm, "File or stream is not seekable."));
        }
    }
    for (want, name, message) in [
        (reads, "readable", "File or stream is not readable."),
        (writes, "writable", "File or stream is not writable."),
    ] {
        if want {
            let r = method(vm, a[1], name, &[])?;
            if !vm.truth(r)? {
                return Err(unsupported(vm, message));
            }
        }
    }
    let size = if a[2].is_null() { BUFFER } else { vm.index_i64(a[2], false)? };
    if size <= 0 {
        return Err(vm.value_error("buffer size must be strictly positive"));
    }
    vm.store_word(a[0], RAW, a[1]);
    set_number(vm, a[0], SIZE, size);
    set_number(vm, a[0], CLOSED, 0);
    reset(vm, a[0]);
    vm.store_word(a[0], WRITTEN, Value::NULL);
    set_number(vm, a[0], LENGTH, 0);
    Ok(vm.none)
}

fn raw(vm: &mut Vm, v: Value) -> R {
    let r = vm.word(v, RAW);
    if r.is_null() {
        let m = if vm.word(v, SIZE).is_null() {
            "I/O operation on uninitialized object"
        } else {
            "raw stream has been detached"
        };
        return Err(vm.value_error(m));
    }
    Ok(r)
}

fn pass(vm: &mut Vm, a: &[Value], name: &str) -> R {
    let r = raw(vm, a[0])?;
    method(vm, r, name, &[])
}

fn check_open(vm: &mut Vm, v: Value, message: &str) -> R<()> {
    let r = raw(vm, v)?;
    let c = attr(vm, r, "closed")?;
    if vm.truth(c)? { Err(vm.value_error(message)) } else { Ok(()) }
}

/// Bytes read ahead.
fn buffered(vm: &Vm, v: Value) -> &'static [u8] {
    let b = vm.word(v, READ);
    if b.is_null() { &[] } else { &vm.bytes(b)[number(vm, v, AT) as usize..] }
}

fn reset(vm: &mut Vm, v: Value) {
    vm.store_word(v, READ, Value::NULL);
    set_number(vm, v, AT, 0);
}

/// One raw read of `n` bytes; `None` if it would block.
fn raw_read(vm: &mut Vm, v: Value, n: i64) -> R<Option<Value>> {
    let r = raw(vm, v)?;
    let b = method(vm, r, "read", &[Value::int_unchecked(n)])?;
    if b == vm.none {
        return Ok(None);
    }
    match vm.as_bytes(b) {
        Some(b) => Ok(Some(b)),
        None => Err(vm.os_error("raw read() should have returned bytes")),
    }
}

/// Reads ahead once.
fn fill(vm: &mut Vm, v: Value) -> R<bool> {
    flush_writes(vm, v)?;
    let n = number(vm, v, SIZE);
    match raw_read(vm, v, n)? {
        Some(b) => {
            let some = !vm.bytes(b).is_empty();
            vm.store_word(v, READ, b);
            set_number(vm, v, AT, 0);
            Ok(some)
        }
        None => {
            reset(vm, v);
            Ok(false)
        }
    }
}

/// Takes up to `n` bytes from what was read ahead.
fn take(vm: &mut Vm, v: Value, n: usize) -> Value {
    let b = buffered(vm, v);
    let n = n.min(b.len());
    let whole = number(vm, v, AT) == 0 && n == b.len() && n > 0;
    let r = if whole { vm.word(v, READ) } else { vm.new_bytes(&b[..n]) };
    let at = number(vm, v, AT);
    set_number(vm, v, AT, at + n as i64);
    r
}

fn read(vm: &mut Vm, a: &[Value]) -> R {
    let limit = size_arg(vm, a[1])?;
    check_open(vm, a[0], "read of closed file")?;
    flush_writes(vm, a[0])?;
    let b = buffered(vm, a[0]);
    let Some(n) = limit else {
        let mut out = b.to_vec();
        reset(vm, a[0]);
        let r = raw(vm, a[0])?;
        let key = vm.intern("readall");
        let f = vm.getattr_opt(r, key)?;
        let rest = if f.is_some() { vm.call(f, &[])? } else { method(vm, r, "read", &[])? };
        if rest == vm.none {
            return Ok(if out.is_empty() { rest } else { vm.new_bytes(&out) });
        }
        let Some(more) = vm.as_bytes(rest) else {
            return Err(vm.type_error("readall() should return bytes"));
        };
        if out.is_empty() {
            return Ok(more);
        }
        out.extend_from_slice(vm.bytes(more));
        return Ok(vm.new_bytes(&out));
    };
    if n <= b.len() {
        return Ok(take(vm, a[0], n));
    }
    let mut out = b.to_vec();
    reset(vm, a[0]);
    while out.len() < n {
        let want = n - out.len();
        let size = number(vm, a[0], SIZE);
        if want as i64 >= size {
            match raw_read(vm, a[0], want as i64)? {
                Some(b) if !vm.bytes(b).is_empty() => out.extend_from_slice(vm.bytes(b)),
                None if out.is_empty() => return Ok(vm.none),
                _ => break,
            }
        } else {
            match raw_read(vm, a[0], size)? {
                Some(b) if !vm.bytes(b).is_empty() => {
                    vm.store_word(a[0], READ, b);
                    set_number(vm, a[0], AT, 0);
                    let part = take(vm, a[0], want);
                    out.extend_from_slice(vm.bytes(part));
                }
                None if out.is_empty() => return Ok(vm.none),
                _ => break,
            }
        }
    }
    Ok(vm.new_bytes(&out))
}

fn readline(vm: &mut Vm, a: &[Value]) -> R {
    let limit = size_arg(vm, a[1])?.unwrap_or(usize::MAX);
    check_open(vm, a[0], "readline of closed file")?;
    flush_writes(vm, a[0])?;
    let mut out: Vec<u8> = Vec::new();
    loop {
        let b = buffered(vm, a[0]);
        let room = limit - out.len();
        let end = b.iter().position(|&c| c == b'\n').map(|i| i + 1);
        let n = end.unwrap_or(b.len()).min(room);
        if out.is_empty() && (end.is_some() || n == room) {
            return Ok(take(vm, a[0], n));
        }
        let part = take(vm, a[0], n);
        out.extend_from_slice(vm.bytes(part));
        if end.is_some_and(|e| e <= room) || out.len() >= limit || !fill(vm, a[0])? {
            return Ok(vm.new_bytes(&out));
        }
    }
}

fn write(vm: &mut Vm, a: &[Value]) -> R {
    check_open(vm, a[0], "write to closed file")?;
    if vm.is_str(a[1]) {
        return Err(vm.type_error("a bytes-like object is required, not 'str'"));
    }
    let b = bytes_arg(vm, a[1])?;
    // A random file gives back what it read ahead.
    let ahead = buffered(vm, a[0]).len() as i64;
    if ahead > 0 {
        let r = raw(vm, a[0])?;
        method(vm, r, "seek", &[Value::int_unchecked(-ahead), Value::small(1)])?;
    }
    reset(vm, a[0]);
    let n = b.len() as i64;
    let piece = if vm.as_bytes(a[1]) == Some(a[1]) { a[1] } else { vm.new_bytes(b) };
    let mut l = vm.word(a[0], WRITTEN);
    if l.is_null() {
        l = vm.new_list(&[]);
        vm.store_word(a[0], WRITTEN, l);
    }
    vm.list_append(l, piece);
    let total = number(vm, a[0], LENGTH) + n;
    set_number(vm, a[0], LENGTH, total);
    if total > number(vm, a[0], SIZE) {
        flush_writes(vm, a[0])?;
    }
    Ok(Value::int_unchecked(n))
}

/// Hands what was written to the raw file.
fn flush_writes(vm: &mut Vm, v: Value) -> R<()> {
    let l = vm.word(v, WRITTEN);
    if l.is_null() || vm.list_len(l) == 0 {
        return Ok(());
    }
    let mut all = Vec::with_capacity(number(vm, v, LENGTH) as usize);
    for i in 0..vm.list_len(l) {
        all.extend_from_slice(vm.bytes(vm.list_get(l, i)));
    }
    let r = raw(vm, v)?;
    let mut at = 0;
    let mut failed = None;
    while at < all.len() {
        let b = vm.new_bytes(&all[at..]);
        match method(vm, r, "write", &[b]) {
            Ok(n) if n == vm.none => {
                let class = vm.types.blocking_io_error;
                let text = vm.new_str("write could not complete without blocking");
                failed = Some(vm.raise_args(class, &[Value::small(libc::EAGAIN), text, Value::small(0)]));
                break;
            }
            Ok(n) => {
                let n = vm.index_i64(n, true)?;
                if n < 0 || n as usize > all.len() - at {
                    let m = format!("raw write() returned invalid length {n} (should have been between 0 and {})", all.len() - at);
                    return Err(vm.os_error(&m));
                }
                at += n as usize;
            }
            Err(e) => {
                failed = Some(e);
                break;
            }
        }
    }
    vm.list_clear(l);
    let left = all.len() - at;
    set_number(vm, v, LENGTH, left as i64);
    if left > 0 {
        let rest = vm.new_bytes(&all[at..]);
        vm.list_append(l, rest);
    }
    match failed {
        Some(e) => Err(e),
        None => Ok(()),
    }
}

/// Writes what waits; gives unread bytes back if the raw file can seek.
fn flush(vm: &mut Vm, v: Value) -> R<()> {
    flush_writes(vm, v)?;
    let r = raw(vm, v)?;
    let ahead = buffered(vm, v).len() as i64;
    if ahead > 0 {
        let s = method(vm, r, "seekable", &[])?;
        if vm.truth(s)? {
            method(vm, r, "seek", &[Value::int_unchecked(-ahead), Value::small(1)])?;
            reset(vm, v);
        }
    }
    method(vm, r, "flush", &[])?;
    Ok(())
}

fn tell(vm: &mut Vm, v: Value) -> R<i64> {
    let r = raw(vm, v)?;
    let at = method(vm, r, "tell", &[])?;
    let at = vm.index_i64(at, false)?;
    if at < 0 {
        return Err(vm.os_error(&format!("Raw stream returned invalid position {at}")));
    }
    Ok(at - buffered(vm, v).len() as i64 + number(vm, v, LENGTH))
}

fn seek(vm: &mut Vm, a: &[Value]) -> R {
    check_open(vm, a[0], "seek of closed file")?;
    let whence = crate::fs::c_int_or(vm, a[2], 0)?;
    if !(0..=4).contains(&whence) {
        return Err(vm.value_error(&format!("whence value {whence} unsupported")));
    }
    let r = raw(vm, a[0])?;
    let s = method(vm, r, "seekable", &[])?;
    if !vm.truth(s)? {
        return Err(unsupported(vm, "File or stream is not seekable."));
    }
    flush_writes(vm, a[0])?;
    let mut target = crate::fs::c_long(vm, a[1])?;
    if whence == 1 {
        target -= buffered(vm, a[0]).len() as i64;
    }
    let target = vm.new_int(target);
    let n = method(vm, r, "seek", &[target, Value::small(whence)])?;
    reset(vm, a[0]);
    Ok(n)
}

fn close(vm: &mut Vm, a: &[Value]) -> R {
    if vm.word(a[0], RAW).is_null() {
        return Ok(vm.none);
    }
    let r = raw(vm, a[0])?;
    let c = attr(vm, r, "closed")?;
    if vm.truth(c)? {
        return Ok(vm.none);
    }
    let flushed = method(vm, a[0], "flush", &[]);
    let e = vm.take_exc();
    set_number(vm, a[0], CLOSED, 1);
    let closed = method(vm, r, "close", &[]);
    match (flushed, closed) {
        (Err(f), Ok(_)) => {
            vm.exc = e;
            Err(f)
        }
        (Err(_), Err(c)) => {
            let now = vm.exc;
            vm.set_context(now, e);
            Err(c)
        }
        (Ok(_), Err(c)) => Err(c),
        _ => Ok(vm.none),
    }
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let c = vm.class_of(a[0]);
    let class = vm.type_full_name(c);
    let key = vm.intern("name");
    let text = match vm.getattr_opt(a[0], key) {
        Ok(n) if n.is_some() => format!("<{class} name={}>", vm.repr_string(n)?),
        Ok(_) => format!("<{class}>"),
        Err(_) => {
            vm.exc = Value::NULL;
            format!("<{class}>")
        }
    };
    Ok(vm.new_str(&text))
}

/// A pair's reader and writer.
const PAIR_READER: usize = 2;
const PAIR_WRITER: usize = 3;

static PAIR: [NativeDef; 13] = [
    def("__init__", "($self, reader, writer, buffer_size=8192, /)", ANY, |vm, a| {
        let size = if a[3].is_null() { Value::int_unchecked(BUFFER) } else { a[3] };
        for (slot, word, v) in [(slots::IO_READER, PAIR_READER, a[1]), (slots::IO_WRITER, PAIR_WRITER, a[2])] {
            let c = class(vm, slot).value();
            let b = vm.call(c, &[v, size])?;
            vm.store_word(a[0], word, b);
        }
        Ok(vm.none)
    }),
    def("read", "($self, size=-1, /)", ANY, |vm, a| pair(vm, a, PAIR_READER, "read")),
    def("read1", "($self, size=-1, /)", ANY, |vm, a| pair(vm, a, PAIR_READER, "read1")),
    def("peek", "($self, size=0, /)", ANY, |vm, a| pair(vm, a, PAIR_READER, "peek")),
    def("readinto", "($self, buffer, /)", ANY, |vm, a| pair(vm, a, PAIR_READER, "readinto")),
    def("readinto1", "($self, buffer, /)", ANY, |vm, a| pair(vm, a, PAIR_READER, "readinto1")),
    def("write", "($self, buffer, /)", ANY, |vm, a| pair(vm, a, PAIR_WRITER, "write")),
    def("flush", "($self, /)", ANY, |vm, a| pair(vm, a, PAIR_WRITER, "flush")),
    def("readable", "($self, /)", ANY, |vm, a| pair(vm, a, PAIR_READER, "readable")),
    def("writable", "($self, /)", ANY, |vm, a| pair(vm, a, PAIR_WRITER, "writable")),
    def("close", "($self, /)", ANY, |vm, a| {
        let w = pair(vm, a, PAIR_WRITER, "close");
        let e = vm.take_exc();
        pair(vm, a, PAIR_READER, "close")?;
        vm.exc = e;
        w
    }),
    def("isatty", "($self, /)", ANY, |vm, a| {
        let w = pair(vm, a, PAIR_WRITER, "isatty")?;
        if vm.truth(w)? { Ok(w) } else { pair(vm, a, PAIR_READER, "isatty") }
    }),
    def("__getstate__", "($self, /)", ANY, |vm, _| Err(vm.type_error("cannot pickle '_io.BufferedRWPair' object"))),
];

static PAIR_GETSET: [GetSetDef; 1] = [getter("closed", |vm, v| {
    let w = vm.word(v, PAIR_WRITER);
    if w.is_null() {
        return Err(vm.runtime_error("the BufferedRWPair object is being garbage-collected"));
    }
    attr(vm, w, "closed")
})];

fn pair(vm: &mut Vm, a: &[Value], word: usize, name: &str) -> R {
    let v = vm.word(a[0], word);
    if v.is_null() {
        return Err(vm.value_error("I/O operation on uninitialized object"));
    }
    let args: &[Value] = if a.len() > 1 && a[1].is_some() { &a[1..2] } else { &[] };
    method(vm, v, name, args)
}

/// Makes the classes.
pub(super) fn install(vm: &mut Vm, m: Value) {
    let base = Some(slots::IO_BUFFERED_BASE);
    for (name, slot, init, parts) in [
        ("BufferedReader", slots::IO_READER, &READER_INIT, [&READER[..], &[]]),
        ("BufferedWriter", slots::IO_WRITER, &WRITER_INIT, [&[], &WRITER[..]]),
        ("BufferedRandom", slots::IO_RANDOM, &RANDOM_INIT, [&READER[..], &WRITER[..]]),
    ] {
        let t = add_class(vm, m, &Class { name, slot, base, methods: init, getset: &COMMON_GETSET });
        vm.add_methods(t, &COMMON);
        for p in parts {
            vm.add_methods(t, p);
        }
    }
    let c = Class { name: "BufferedRWPair", slot: slots::IO_PAIR, base, methods: &PAIR, getset: &PAIR_GETSET };
    add_class(vm, m, &c);
}
