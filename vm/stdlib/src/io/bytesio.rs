//! `BytesIO`: a file in memory. Its content is a `bytearray` of its own.

use super::{ANY, CLOSED, Class, add_class, bytes_arg, is_none, number, set_number, size_arg};
use crate::slots;
use pyrite_machine::Value;
use pyrite_objects::native::{GetSetDef, NativeDef, def, getter};
use pyrite_objects::vm::{R, Vm};

/// The content, a bytearray; null before `__init__`.
const DATA: usize = 2;
const AT: usize = 3;

static METHODS: [NativeDef; 19] = [
    def("__init__", "($self, initial_bytes=b'')", ANY, |vm, a| {
        let b = if is_none(vm, a[1]) { Vec::new() } else { bytes_arg(vm, a[1])?.to_vec() };
        let class = vm.types.bytearray.value();
        let d = vm.call(class, &[])?;
        vm.bytearray_set(d, &b);
        vm.store_word(a[0], DATA, d);
        set_number(vm, a[0], AT, 0);
        set_number(vm, a[0], CLOSED, 0);
        Ok(vm.none)
    }),
    def("read", "($self, size=-1, /)", ANY, read),
    def("read1", "($self, size=-1, /)", ANY, read),
    def("readline", "($self, size=-1, /)", ANY, readline),
    def("readlines", "($self, size=None, /)", ANY, |vm, a| {
        let limit = size_arg(vm, a[1])?.filter(|&n| n > 0).unwrap_or(usize::MAX);
        let l = vm.new_list(&[]);
        let mut n = 0;
        while n < limit {
            let line = readline(vm, &[a[0], Value::NULL])?;
            let k = vm.bytes(line).len();
            if k == 0 {
                break;
            }
            n += k;
            vm.list_append(l, line);
        }
        Ok(l)
    }),
    def("readinto", "($self, buffer, /)", ANY, |vm, a| super::base::read_into(vm, a, "read")),
    def("write", "($self, b, /)", ANY, write),
    def("seek", "($self, pos, whence=0, /)", ANY, seek),
    def("tell", "($self, /)", ANY, |vm, a| {
        data(vm, a[0])?;
        Ok(vm.word(a[0], AT))
    }),
    def("truncate", "($self, size=None, /)", ANY, |vm, a| {
        let d = data(vm, a[0])?;
        let n = if is_none(vm, a[1]) { number(vm, a[0], AT) } else { vm.index_i64(a[1], false)? };
        if n < 0 {
            return Err(vm.value_error(&format!("negative size value {n}")));
        }
        let b = vm.bytearray(d);
        if (n as usize) < b.len() {
            let b = b[..n as usize].to_vec();
            vm.bytearray_set(d, &b);
        }
        Ok(vm.new_int(n))
    }),
    def("getvalue", "($self, /)", ANY, |vm, a| {
        let d = data(vm, a[0])?;
        let b = vm.bytearray(d).to_vec();
        Ok(vm.new_bytes(&b))
    }),
    def("getbuffer", "($self, /)", ANY, |vm, a| {
        let d = data(vm, a[0])?;
        let class = vm.types.memoryview.value();
        vm.call(class, &[d])
    }),
    def("close", "($self, /)", ANY, |vm, a| {
        set_number(vm, a[0], CLOSED, 1);
        vm.store_word(a[0], DATA, Value::NULL);
        Ok(vm.none)
    }),
    def("readable", "($self, /)", ANY, yes),
    def("writable", "($self, /)", ANY, yes),
    def("seekable", "($self, /)", ANY, yes),
    def("isatty", "($self, /)", ANY, |vm, a| {
        data(vm, a[0])?;
        Ok(vm.false_)
    }),
    def("__next__", "($self, /)", ANY, |vm, a| {
        let line = readline(vm, &[a[0], Value::NULL])?;
        if vm.bytes(line).is_empty() {
            let none = vm.none;
            return Err(vm.stop_iteration(none));
        }
        Ok(line)
    }),
    def("__getstate__", "($self, /)", ANY, |vm, a| {
        let d = data(vm, a[0])?;
        let b = vm.bytearray(d).to_vec();
        let b = vm.new_bytes(&b);
        let at = vm.word(a[0], AT);
        let dict = if vm.has_instance_dict(a[0]) { vm.to_dict_mode(a[0]) } else { vm.none };
        Ok(vm.new_tuple(&[b, at, dict]))
    }),
];

static GETSET: [GetSetDef; 1] = [getter("closed", |vm, v| Ok(vm.bool(number(vm, v, CLOSED) != 0)))];

fn yes(vm: &mut Vm, a: &[Value]) -> R {
    data(vm, a[0])?;
    Ok(vm.true_)
}

fn data(vm: &mut Vm, v: Value) -> R {
    if number(vm, v, CLOSED) != 0 {
        return Err(vm.value_error("I/O operation on closed file."));
    }
    let mut d = vm.word(v, DATA);
    if d.is_null() {
        let class = vm.types.bytearray.value();
        d = vm.call(class, &[])?;
        vm.store_word(v, DATA, d);
        set_number(vm, v, AT, 0);
    }
    Ok(d)
}

/// What lies behind the position.
fn rest(vm: &mut Vm, v: Value) -> R<&'static [u8]> {
    let d = data(vm, v)?;
    let b = vm.bytearray(d);
    Ok(&b[(number(vm, v, AT) as usize).min(b.len())..])
}

fn take(vm: &mut Vm, v: Value, part: &[u8]) -> Value {
    let part = part.to_vec();
    let at = number(vm, v, AT);
    set_number(vm, v, AT, at + part.len() as i64);
    vm.new_bytes(&part)
}

fn read(vm: &mut Vm, a: &[Value]) -> R {
    let n = size_arg(vm, a[1])?;
    let b = rest(vm, a[0])?;
    Ok(take(vm, a[0], &b[..n.unwrap_or(usize::MAX).min(b.len())]))
}

fn readline(vm: &mut Vm, a: &[Value]) -> R {
    let n = size_arg(vm, a[1])?.unwrap_or(usize::MAX);
    let b = rest(vm, a[0])?;
    let end = b.iter().position(|&c| c == b'\n').map_or(b.len(), |i| i + 1).min(n);
    Ok(take(vm, a[0], &b[..end]))
}

fn write(vm: &mut Vm, a: &[Value]) -> R {
    let d = data(vm, a[0])?;
    if vm.is_str(a[1]) {
        return Err(vm.type_error("a bytes-like object is required, not 'str'"));
    }
    let b = bytes_arg(vm, a[1])?.to_vec();
    if b.is_empty() {
        return Ok(Value::small(0));
    }
    let at = number(vm, a[0], AT) as usize;
    let len = vm.bytearray(d).len();
    if at == len && b.len() <= 32 {
        for &c in &b {
            vm.bytearray_push(d, c);
        }
    } else {
        let mut all = vm.bytearray(d).to_vec();
        if all.len() < at + b.len() {
            all.resize(at + b.len(), 0);
        }
        all[at..at + b.len()].copy_from_slice(&b);
        vm.bytearray_set(d, &all);
    }
    set_number(vm, a[0], AT, (at + b.len()) as i64);
    Ok(Value::int_unchecked(b.len() as i64))
}

fn seek(vm: &mut Vm, a: &[Value]) -> R {
    let d = data(vm, a[0])?;
    let pos = vm.index_i64(a[1], false)?;
    let whence = crate::fs::c_int_or(vm, a[2], 0)?;
    let base = match whence {
        0 if pos < 0 => return Err(vm.value_error(&format!("negative seek value {pos}"))),
        0 => 0,
        1 => number(vm, a[0], AT),
        2 => vm.bytearray(d).len() as i64,
        _ => return Err(vm.value_error(&format!("invalid whence ({whence}, should be 0, 1 or 2)"))),
    };
    let at = base.saturating_add(pos).max(0);
    set_number(vm, a[0], AT, at);
    Ok(vm.new_int(at))
}

/// Makes the class.
pub(super) fn install(vm: &mut Vm, m: Value) {
    let c = Class {
        name: "BytesIO",
        slot: slots::IO_BYTESIO,
        base: Some(slots::IO_BUFFERED_BASE),
        methods: &METHODS,
        getset: &GETSET,
    };
    add_class(vm, m, &c);
}
