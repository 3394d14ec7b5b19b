//! Text files as plain as start-up needs them: what `open()` and the standard
//! streams are until the `io` module takes over.
//!
//! A file reads its whole content when it is first read from, and writes
//! through a buffer that is flushed on `flush`, `close` and exit. Text is UTF-8.

use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, NativeLayout, PyValueSub, kind};
use pyrite_objects::native::{GetSetDef, NativeDef, def, effects, getter};
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};
use std::cell::Cell;

/// See the module's documentation. All fields are values.
#[repr(C)]
pub struct TextFile {
    header: Cell<u64>,
    /// Descriptor, or -1 once closed.
    fd: Cell<Value>,
    name: Cell<Value>,
    mode: Cell<Value>,
    /// Text read and not yet taken, as a `str`; null before the first read.
    text: Cell<Value>,
    /// Position in it.
    at: Cell<Value>,
    /// Strings written and not yet flushed.
    pending: Cell<Value>,
    /// Flush after every write.
    line: Cell<Value>,
}

const WORDS: usize = size_of::<TextFile>() / 8;

fn file(v: Value) -> Gc<TextFile> {
    Gc::from_value(v)
}

static METHODS: [NativeDef; 13] = [
    def("write", "($self, text, /)", effects::ANY, write),
    def("flush", "($self, /)", effects::ANY, |vm, a| {
        flush(vm, a[0])?;
        Ok(vm.none)
    }),
    def("close", "($self, /)", effects::ANY, close),
    def("read", "($self, size=-1, /)", effects::ANY, read),
    def("readline", "($self, size=-1, /)", effects::ANY, readline),
    def("readlines", "($self, hint=-1, /)", effects::ANY, readlines),
    def("__iter__", "($self, /)", effects::READS, |_, a| Ok(a[0])),
    def("__next__", "($self, /)", effects::ANY, next),
    def("__enter__", "($self, /)", effects::READS, |_, a| Ok(a[0])),
    def("__exit__", "($self, *args)", effects::ANY, close),
    def("fileno", "($self, /)", effects::READS, |_, a| {
        Ok(file(a[0]).fd.get())
    }),
    def("isatty", "($self, /)", effects::READS, |vm, a| {
        let fd = file(a[0]).fd.get().int_value() as i32;
        // SAFETY: asks about a number.
        Ok(vm.bool(unsafe { libc::isatty(fd) } == 1))
    }),
    def("writable", "($self, /)", effects::READS, |vm, _| {
        Ok(vm.true_)
    }),
];

static GETSET: [GetSetDef; 5] = [
    getter("name", |_, v| Ok(file(v).name.get())),
    getter("mode", |_, v| Ok(file(v).mode.get())),
    getter("encoding", |vm, _| Ok(vm.new_str("utf-8"))),
    getter("errors", |vm, _| Ok(vm.new_str("strict"))),
    getter("closed", |vm, v| {
        Ok(vm.bool(file(v).fd.get().int_value() < 0))
    }),
];

/// Makes the class; its slot among the statics.
pub fn install(vm: &mut Vm) -> usize {
    let t = vm.native_type(&TypeDef {
        module: "_io",
        layout: Layout::Library,
        kind: kind::VALUES,
        words: WORDS,
        methods: &METHODS,
        getset: &GETSET,
        ..TypeDef::of::<PyValueSub>("TextIOWrapper", Layout::Library)
    });
    vm.new_static(t.value())
}

/// A file object over a descriptor.
pub fn make(vm: &mut Vm, class: usize, fd: i32, name: Value, mode: &str, line: bool) -> Value {
    let c = Gc::from_value(vm.statics[class]);
    let v = vm.new_instance(c);
    let f = file(v);
    f.fd.set(Value::small(fd));
    f.name.set(name);
    f.at.set(Value::small(0));
    f.line.set(Value::small(i32::from(line)));
    let m = vm.new_str(mode);
    f.mode.set(m);
    let l = vm.new_list(&[]);
    f.pending.set(l);
    vm.write_barrier(v);
    v
}

fn check_open(vm: &mut Vm, v: Value) -> R<i32> {
    let fd = file(v).fd.get().int_value() as i32;
    if fd < 0 {
        return Err(vm.value_error("I/O operation on closed file."));
    }
    Ok(fd)
}

fn write(vm: &mut Vm, a: &[Value]) -> R {
    check_open(vm, a[0])?;
    let Some(s) = vm.as_str(a[1]) else {
        let m = format!("write() argument must be str, not {}", vm.class_name(a[1]));
        return Err(vm.type_error(&m));
    };
    let f = file(a[0]);
    vm.list_append(f.pending.get(), s);
    let n = vm.text(s).len();
    if f.line.get() == Value::small(1) || vm.list_len(f.pending.get()) > 64 {
        flush(vm, a[0])?;
    }
    Ok(Value::int_unchecked(n as i64))
}

/// Writes what is pending.
pub fn flush(vm: &mut Vm, v: Value) -> R<()> {
    let fd = check_open(vm, v)?;
    let pending = file(v).pending.get();
    let mut bytes = Vec::new();
    for i in 0..vm.list_len(pending) {
        let s = vm.list_get(pending, i);
        for c in vm.text(s).iter() {
            let c = char::from_u32(c).unwrap_or('?');
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    vm.list_clear(pending);
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        // SAFETY: the slice is live.
        let n = unsafe { libc::write(fd, rest.as_ptr().cast(), rest.len()) };
        if n < 0 {
            let e = std::io::Error::last_os_error();
            if e.kind() == std::io::ErrorKind::Interrupted {
                continue;
            }
            return Err(vm.os_error(&e.to_string()));
        }
        rest = &rest[n as usize..];
    }
    Ok(())
}

fn close(vm: &mut Vm, a: &[Value]) -> R {
    let f = file(a[0]);
    if f.fd.get().int_value() >= 0 {
        flush(vm, a[0])?;
        let fd = f.fd.get().int_value() as i32;
        f.fd.set(Value::small(-1));
        // SAFETY: the file owns its descriptor.
        unsafe { libc::close(fd) };
    }
    Ok(vm.none)
}

fn fill(vm: &mut Vm, v: Value) -> R<()> {
    let fd = check_open(vm, v)?;
    if file(v).text.get().is_some() {
        return Ok(());
    }
    let mut bytes = Vec::new();
    let mut chunk = [0u8; 65536];
    loop {
        // SAFETY: the buffer is live.
        let n = vm.blocking(|| unsafe { libc::read(fd, chunk.as_mut_ptr().cast(), chunk.len()) });
        if n < 0 {
            let e = std::io::Error::last_os_error();
            if e.kind() == std::io::ErrorKind::Interrupted {
                vm.answer_polls()?;
                continue;
            }
            return Err(vm.os_error(&e.to_string()));
        }
        if n == 0 {
            break;
        }
        bytes.extend_from_slice(&chunk[..n as usize]);
    }
    let text = String::from_utf8_lossy(&bytes)
        .replace("\r\n", "\n")
        .replace('\r', "\n");
    let s = vm.new_str(&text);
    file(v).text.set(s);
    vm.write_barrier(v);
    Ok(())
}

fn take(vm: &mut Vm, v: Value, n: usize) -> Value {
    let f = file(v);
    let at = f.at.get().int_value() as usize;
    let text = f.text.get();
    let part = vm.text(text).slice(at..at + n);
    let s = vm.new_str_text(part);
    f.at.set(Value::int_unchecked((at + n) as i64));
    s
}

fn remaining(vm: &Vm, v: Value) -> usize {
    vm.text(file(v).text.get()).len() - file(v).at.get().int_value() as usize
}

fn limit(vm: &mut Vm, v: Value, size: Value) -> R<usize> {
    let left = remaining(vm, v);
    if size.is_null() || size == vm.none {
        return Ok(left);
    }
    let n = vm.index_i64(size, true)?;
    Ok(if n < 0 { left } else { left.min(n as usize) })
}

fn read(vm: &mut Vm, a: &[Value]) -> R {
    fill(vm, a[0])?;
    let n = limit(vm, a[0], a[1])?;
    Ok(take(vm, a[0], n))
}

fn readline(vm: &mut Vm, a: &[Value]) -> R {
    fill(vm, a[0])?;
    let max = limit(vm, a[0], a[1])?;
    let at = file(a[0]).at.get().int_value() as usize;
    let n = vm
        .text(file(a[0]).text.get())
        .iter()
        .skip(at)
        .take(max)
        .position(|c| c == 10)
        .map_or(max, |i| i + 1);
    Ok(take(vm, a[0], n))
}

fn readlines(vm: &mut Vm, a: &[Value]) -> R {
    let l = vm.new_list(&[]);
    loop {
        let s = readline(vm, &[a[0], Value::NULL])?;
        if vm.text(s).is_empty() {
            return Ok(l);
        }
        vm.list_append(l, s);
    }
}

fn next(vm: &mut Vm, a: &[Value]) -> R {
    let s = readline(vm, &[a[0], Value::NULL])?;
    if vm.text(s).is_empty() {
        Err(vm.stop_iteration(Value::NULL))
    } else {
        Ok(s)
    }
}

/// `open(file, mode, ...)` for text.
pub fn open(vm: &mut Vm, class: usize, path: Value, mode: &str) -> R {
    let name = vm.str_to_string(path);
    let flags = match mode.trim_end_matches('t') {
        "r" | "" => libc::O_RDONLY,
        "w" => libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC,
        "a" => libc::O_WRONLY | libc::O_CREAT | libc::O_APPEND,
        "x" => libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL,
        m => {
            let m = format!(
                "open() mode '{m}' needs the io module, which this version does not have yet"
            );
            return Err(vm.value_error(&m));
        }
    };
    let Ok(c) = std::ffi::CString::new(name) else {
        return Err(vm.value_error("embedded null byte"));
    };
    // SAFETY: a C string and plain numbers.
    let fd = unsafe { libc::open(c.as_ptr(), flags | libc::O_CLOEXEC, 0o666) };
    if fd < 0 {
        let n = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
        // SAFETY: strerror returns a string of the C library.
        let text = unsafe { std::ffi::CStr::from_ptr(libc::strerror(n)) }
            .to_string_lossy()
            .into_owned();
        let text = vm.new_str(&text);
        let e = vm.call(vm.types.os_error.value(), &[Value::small(n), text, path])?;
        return Err(vm.raise(e));
    }
    Ok(make(vm, class, fd, path, mode, false))
}

const _: usize = PyValueSub::WORDS;
