//! What all files share: `_IOBase` and the three bases below it.

use super::{ANY, CLOSED, Class, add_class, attr, is_none, method, size_arg, unsupported};
use crate::slots;
use pyrite_machine::Value;
use pyrite_objects::native::{GetSetDef, NativeDef, def, effects, getter};
use pyrite_objects::vm::{R, Vm};

static METHODS: [NativeDef; 22] = [
    def("seek", "($self, offset, whence=0, /)", ANY, |vm, _| {
        Err(unsupported(vm, "seek"))
    }),
    def("tell", "($self, /)", ANY, |vm, a| {
        method(vm, a[0], "seek", &[Value::small(0), Value::small(1)])
    }),
    def("truncate", "($self, pos=None, /)", ANY, |vm, _| {
        Err(unsupported(vm, "truncate"))
    }),
    def("flush", "($self, /)", ANY, |vm, a| {
        check_closed(vm, a[0])?;
        Ok(vm.none)
    }),
    def("close", "($self, /)", ANY, close),
    def("seekable", "($self, /)", ANY, no),
    def("readable", "($self, /)", ANY, no),
    def("writable", "($self, /)", ANY, no),
    def("isatty", "($self, /)", ANY, no),
    def("fileno", "($self, /)", ANY, |vm, _| {
        Err(unsupported(vm, "fileno"))
    }),
    def("_checkClosed", "($self, msg=None, /)", ANY, |vm, a| {
        check_closed(vm, a[0])?;
        Ok(vm.none)
    }),
    def("_checkReadable", "($self, msg=None, /)", ANY, |vm, a| {
        check(vm, a[0], "readable", "File or stream is not readable.")
    }),
    def("_checkWritable", "($self, msg=None, /)", ANY, |vm, a| {
        check(vm, a[0], "writable", "File or stream is not writable.")
    }),
    def("_checkSeekable", "($self, msg=None, /)", ANY, |vm, a| {
        check(vm, a[0], "seekable", "File or stream is not seekable.")
    }),
    def("__enter__", "($self, /)", ANY, |vm, a| {
        check_closed(vm, a[0])?;
        Ok(a[0])
    }),
    def("__exit__", "($self, /, *args)", ANY, |vm, a| {
        method(vm, a[0], "close", &[])
    }),
    def("__iter__", "($self, /)", ANY, |vm, a| {
        check_closed(vm, a[0])?;
        Ok(a[0])
    }),
    def("__next__", "($self, /)", ANY, |vm, a| {
        let line = method(vm, a[0], "readline", &[])?;
        if vm.len(line)? == 0 {
            let none = vm.none;
            return Err(vm.stop_iteration(none));
        }
        Ok(line)
    }),
    def("readline", "($self, size=-1, /)", ANY, readline),
    def("readlines", "($self, hint=-1, /)", ANY, readlines),
    def("writelines", "($self, lines, /)", ANY, |vm, a| {
        check_closed(vm, a[0])?;
        let it = vm.get_iter(a[1])?;
        while let Some(line) = vm.iter_next(it)? {
            method(vm, a[0], "write", &[line])?;
        }
        Ok(vm.none)
    }),
    def("__del__", "($self, /)", ANY, |vm, a| finalize(vm, a[0])),
];

/// Closes a file that nobody closed; as in CPython, what goes wrong is not told.
fn finalize(vm: &mut Vm, file: Value) -> R {
    let open = attr(vm, file, "closed").and_then(|c| vm.truth(c));
    match open {
        Ok(false) => {}
        Ok(true) => return Ok(vm.none),
        Err(_) => {
            vm.exc = Value::NULL;
            return Ok(vm.none);
        }
    }
    super::warn_unclosed(vm, file);
    if method(vm, file, "close", &[]).is_err() {
        vm.exc = Value::NULL;
    }
    Ok(vm.none)
}

static GETSET: [GetSetDef; 1] = [getter("closed", |vm, v| {
    Ok(vm.bool(super::number(vm, v, CLOSED) != 0))
})];

fn no(vm: &mut Vm, a: &[Value]) -> R {
    check_closed(vm, a[0])?;
    Ok(vm.false_)
}

/// ValueError if the file says it is closed.
pub(super) fn check_closed(vm: &mut Vm, v: Value) -> R<()> {
    let c = attr(vm, v, "closed")?;
    if vm.truth(c)? {
        return Err(vm.value_error("I/O operation on closed file."));
    }
    Ok(())
}

fn check(vm: &mut Vm, v: Value, what: &str, message: &str) -> R {
    let r = method(vm, v, what, &[])?;
    if vm.truth(r)? {
        Ok(r)
    } else {
        Err(unsupported(vm, message))
    }
}

fn close(vm: &mut Vm, a: &[Value]) -> R {
    if super::number(vm, a[0], CLOSED) != 0 {
        return Ok(vm.none);
    }
    let r = method(vm, a[0], "flush", &[]);
    super::set_number(vm, a[0], CLOSED, 1);
    r?;
    Ok(vm.none)
}

/// `readline` over `peek` and `read`.
fn readline(vm: &mut Vm, a: &[Value]) -> R {
    let limit = size_arg(vm, a[1])?.unwrap_or(usize::MAX);
    let name = vm.intern("peek");
    let peek = vm.getattr_opt(a[0], name)?;
    let mut out: Vec<u8> = Vec::new();
    while out.len() < limit {
        let mut want = 1;
        if peek.is_some() {
            let seen = vm.call(peek, &[Value::small(1)])?;
            let Some(b) = vm.as_bytes(seen) else {
                let m = format!(
                    "peek() should have returned a bytes object, not '{}'",
                    vm.class_name(seen)
                );
                return Err(vm.os_error(&m));
            };
            let b = vm.bytes(b);
            if !b.is_empty() {
                want = b
                    .iter()
                    .position(|&c| c == b'\n')
                    .map_or(b.len(), |i| i + 1)
                    .min(limit - out.len());
            }
        }
        let r = method(vm, a[0], "read", &[Value::int_unchecked(want as i64)])?;
        let Some(b) = vm.as_bytes(r) else {
            let m = format!(
                "read() should have returned a bytes object, not '{}'",
                vm.class_name(r)
            );
            return Err(vm.os_error(&m));
        };
        let b = vm.bytes(b);
        if b.is_empty() {
            break;
        }
        out.extend_from_slice(b);
        if out.last() == Some(&b'\n') {
            break;
        }
    }
    Ok(vm.new_bytes(&out))
}

fn readlines(vm: &mut Vm, a: &[Value]) -> R {
    let hint = if is_none(vm, a[1]) {
        -1
    } else {
        vm.index_i64(a[1], true)?
    };
    let l = vm.new_list(&[]);
    let it = vm.get_iter(a[0])?;
    let mut n = 0;
    while let Some(line) = vm.iter_next(it)? {
        vm.list_append(l, line);
        n += vm.len(line)? as i64;
        if hint > 0 && n >= hint {
            break;
        }
    }
    Ok(l)
}

static RAW: [NativeDef; 4] = [
    def("read", "($self, size=-1, /)", ANY, |vm, a| {
        let Some(n) = size_arg(vm, a[1])? else {
            return method(vm, a[0], "readall", &[]);
        };
        let b = vm.new_bytes(&vec![0; n]);
        let class = vm.types.bytearray.value();
        let buf = vm.call(class, &[b])?;
        let r = method(vm, a[0], "readinto", &[buf])?;
        if r == vm.none {
            return Ok(r);
        }
        let n = vm.index_i64(r, true)?.max(0) as usize;
        let b = vm.buffer(buf).unwrap_or(&[]);
        let b = b[..n.min(b.len())].to_vec();
        Ok(vm.new_bytes(&b))
    }),
    def("readall", "($self, /)", ANY, |vm, a| {
        let mut out = Vec::new();
        loop {
            let r = method(vm, a[0], "read", &[Value::int_unchecked(super::BUFFER)])?;
            if r == vm.none && out.is_empty() {
                return Ok(r);
            }
            match vm.buffer(r) {
                Some(b) if !b.is_empty() => out.extend_from_slice(b),
                _ => break,
            }
        }
        Ok(vm.new_bytes(&out))
    }),
    def(
        "readinto",
        "($self, buffer, /)",
        effects::RAISES,
        |vm, _| Err(unsupported(vm, "readinto")),
    ),
    def("write", "($self, b, /)", effects::RAISES, |vm, _| {
        Err(unsupported(vm, "write"))
    }),
];

static BUFFERED: [NativeDef; 6] = [
    def("detach", "($self, /)", ANY, |vm, _| {
        Err(unsupported(vm, "detach"))
    }),
    def("read", "($self, size=-1, /)", ANY, |vm, _| {
        Err(unsupported(vm, "read"))
    }),
    def("read1", "($self, size=-1, /)", ANY, |vm, _| {
        Err(unsupported(vm, "read1"))
    }),
    def("readinto", "($self, buffer, /)", ANY, |vm, a| {
        read_into(vm, a, "read")
    }),
    def("readinto1", "($self, buffer, /)", ANY, |vm, a| {
        read_into(vm, a, "read1")
    }),
    def("write", "($self, b, /)", ANY, |vm, _| {
        Err(unsupported(vm, "write"))
    }),
];

/// Puts bytes at the start of a writable buffer; how many fit.
pub(super) fn fill(vm: &mut Vm, target: Value, b: &[u8]) -> R<usize> {
    if vm.layout_of(target) != pyrite_objects::Layout::ByteArray {
        if vm.as_bytes(target).is_some() || vm.is_str(target) || target.is_int() {
            let m = format!(
                "readinto() argument must be read-write bytes-like object, not {}",
                vm.class_name(target)
            );
            return Err(vm.type_error(&m));
        }
        if let Some(all) = vm.buffer_mut(target) {
            let n = b.len().min(all.len());
            all[..n].copy_from_slice(&b[..n]);
            return Ok(n);
        }
        // Anything else that can be written to goes through its slices.
        let n = b.len().min(vm.len(target)?);
        let part = vm.new_bytes(&b[..n]);
        let (class, none) = (vm.types.slice.value(), vm.none);
        let s = vm.call(
            class,
            &[Value::small(0), Value::int_unchecked(n as i64), none],
        )?;
        vm.setitem(target, s, part)?;
        return Ok(n);
    }
    let mut all = vm.bytearray(target).to_vec();
    let n = b.len().min(all.len());
    all[..n].copy_from_slice(&b[..n]);
    vm.bytearray_set(target, &all);
    Ok(n)
}

pub(super) fn read_into(vm: &mut Vm, a: &[Value], name: &str) -> R {
    let n = vm.len(a[1])?;
    let r = method(vm, a[0], name, &[Value::int_unchecked(n as i64)])?;
    if r == vm.none {
        return Ok(r);
    }
    let Some(b) = vm.as_bytes(r) else {
        return Err(vm.type_error("read() should return bytes"));
    };
    let b = vm.bytes(b);
    let n = fill(vm, a[1], b)?;
    Ok(Value::int_unchecked(n as i64))
}

static TEXT: [NativeDef; 4] = [
    def("detach", "($self, /)", ANY, |vm, _| {
        Err(unsupported(vm, "detach"))
    }),
    def("read", "($self, size=-1, /)", ANY, |vm, _| {
        Err(unsupported(vm, "read"))
    }),
    def("readline", "($self, size=-1, /)", ANY, |vm, _| {
        Err(unsupported(vm, "readline"))
    }),
    def("write", "($self, s, /)", ANY, |vm, _| {
        Err(unsupported(vm, "write"))
    }),
];

static TEXT_GETSET: [GetSetDef; 3] = [
    getter("encoding", |vm, _| Ok(vm.none)),
    getter("newlines", |vm, _| Ok(vm.none)),
    getter("errors", |vm, _| Ok(vm.none)),
];

/// Makes the four bases.
pub(super) fn install(vm: &mut Vm, m: Value) {
    let base = Some(slots::IO_BASE);
    for c in [
        Class {
            name: "_IOBase",
            slot: slots::IO_BASE,
            base: None,
            methods: &METHODS,
            getset: &GETSET,
        },
        Class {
            name: "_RawIOBase",
            slot: slots::IO_RAW_BASE,
            base,
            methods: &RAW,
            getset: &[],
        },
        Class {
            name: "_BufferedIOBase",
            slot: slots::IO_BUFFERED_BASE,
            base,
            methods: &BUFFERED,
            getset: &[],
        },
        Class {
            name: "_TextIOBase",
            slot: slots::IO_TEXT_BASE,
            base,
            methods: &TEXT,
            getset: &TEXT_GETSET,
        },
    ] {
        add_class(vm, m, &c);
    }
}
