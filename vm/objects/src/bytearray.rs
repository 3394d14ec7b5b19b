//! `bytearray`: what it has beyond the methods shared with `bytes`.

use crate::bytes::{SHARED, arg, byte, from_source, item, push_repr, this};
use crate::list::repeat_count;
use crate::native::{NativeDef, def, effects, static_def};
use crate::slice::slice_range;
use crate::textbuf::TextBuf;
use crate::vm::{R, Vm};
use pyrite_machine::Value;

const CALLS: u8 = effects::CALLS;

static METHODS: &[NativeDef] = &[
    static_def("__new__", "($type, *args, **kwargs)", CALLS, new),
    def(
        "__init__",
        "($self, source=b'', encoding=None, errors=None)",
        CALLS,
        init,
    ),
    def("__repr__", "($self, /)", CALLS, repr),
    def("__str__", "($self, /)", CALLS, repr),
    def("__iter__", "($self, /)", CALLS, iter),
    def("__getitem__", "($self, key, /)", CALLS, getitem),
    def("__setitem__", "($self, key, value, /)", CALLS, setitem),
    def("__delitem__", "($self, key, /)", CALLS, delitem),
    def("__iadd__", "($self, value, /)", CALLS, iadd),
    def("__imul__", "($self, value, /)", CALLS, imul),
    def("append", "($self, item, /)", CALLS, append),
    def("extend", "($self, iterable_of_ints, /)", CALLS, extend),
    def("insert", "($self, index, item, /)", CALLS, insert),
    def("pop", "($self, index=-1, /)", CALLS, pop),
    def("remove", "($self, value, /)", CALLS, remove),
    def("reverse", "($self, /)", CALLS, reverse),
    def("clear", "($self, /)", CALLS, clear),
    def("copy", "($self, /)", CALLS, copy),
    def("__alloc__", "($self, /)", CALLS, |vm, a| {
        let n = this(vm, a[0]).len();
        Ok(vm.new_int(if n == 0 { 0 } else { n as i64 + 1 }))
    }),
    def("__reduce__", "($self, /)", CALLS, |vm, a| {
        reduce(vm, a[0], 2)
    }),
    def("__reduce_ex__", "($self, proto=0, /)", CALLS, |vm, a| {
        let protocol = if a[1].is_null() {
            0
        } else {
            vm.index_i64(a[1], true)?
        };
        reduce(vm, a[0], protocol)
    }),
];

/// How to make an equal one: of text, for protocols that know no bytes.
fn reduce(vm: &mut Vm, v: Value, protocol: i64) -> R {
    let name = vm.names.getstate;
    let state = vm.call_method(v, name, &[])?;
    let class = vm.class_of(v).value();
    let b = this(vm, v).to_vec();
    let args = if protocol < 3 {
        let text = vm.new_str_latin1(&b);
        let encoding = vm.new_str("latin-1");
        vm.new_tuple(&[text, encoding])
    } else {
        let b = vm.new_bytes(&b);
        vm.new_tuple(&[b])
    };
    Ok(vm.new_tuple(&[class, args, state]))
}

/// Gives `bytearray` its methods.
pub fn install(vm: &mut Vm) {
    let t = vm.types.bytearray;
    vm.add_methods(t, SHARED);
    vm.add_methods(t, METHODS);
    let none = vm.none;
    vm.type_set(t, "__hash__", none);
}

impl Vm {
    /// A `bytearray` with this content.
    pub fn new_bytearray(&mut self, b: &[u8]) -> Value {
        let class = self.types.bytearray;
        let v = self.new_instance(class);
        self.bytearray_set(v, b);
        v
    }
}

fn new(vm: &mut Vm, a: &[Value]) -> R {
    let t = vm.types.bytearray;
    let class = vm.new_class_arg(a[0], t)?;
    Ok(vm.new_instance(class))
}

fn init(vm: &mut Vm, a: &[Value]) -> R {
    let b = from_source(vm, a, "bytearray")?;
    if b.len() != this(vm, a[0]).len() {
        vm.bytearray_resizable(a[0])?;
    }
    vm.bytearray_set(a[0], &b);
    Ok(vm.none)
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let mut out = TextBuf::new();
    out.push_str(&vm.class_name(a[0]));
    out.push_str("(");
    push_repr(&mut out, this(vm, a[0]));
    out.push_str(")");
    Ok(out.finish(vm))
}

fn iter(vm: &mut Vm, a: &[Value]) -> R {
    Ok(vm.new_seq_iter(a[0], vm.types.bytes_iter))
}

fn getitem(vm: &mut Vm, a: &[Value]) -> R {
    item(vm, a, "bytearray")
}

/// The index of an existing byte.
fn place(vm: &mut Vm, a: &[Value], key: Value) -> R<usize> {
    let class = vm.class_of(key);
    if !vm.is_int(key) && vm.lookup(class, vm.names.index).is_null() {
        let m = format!(
            "bytearray indices must be integers or slices, not {}",
            vm.type_name(class)
        );
        return Err(vm.type_error(&m));
    }
    let i = vm.index_i64(key, false)?;
    let n = this(vm, a[0]).len() as i64;
    let i = if i < 0 { i + n } else { i };
    if i < 0 || i >= n {
        return Err(vm.index_error("bytearray index out of range"));
    }
    Ok(i as usize)
}

fn splice(vm: &mut Vm, v: Value, range: std::ops::Range<usize>, with: &[u8]) -> R<()> {
    if with.len() != range.len() {
        vm.bytearray_resizable(v)?;
    }
    let old = this(vm, v);
    let new = [&old[..range.start], with, &old[range.end..]].concat();
    vm.bytearray_set(v, &new);
    Ok(())
}

fn setitem(vm: &mut Vm, a: &[Value]) -> R {
    if vm.is_slice(a[1]) {
        let with = if vm.is_int(a[2]) || vm.is_str(a[2]) {
            return Err(vm.type_error(
                "can assign only bytes, buffers, or iterables of ints in range(0, 256)",
            ));
        } else {
            from_source(vm, &[a[0], a[2], Value::NULL, Value::NULL], "bytearray")?
        };
        let bounds = vm.slice_unpack(a[1])?;
        let r = slice_range(bounds, this(vm, a[0]).len());
        if r.step == 1 {
            let start = r.start as usize;
            splice(vm, a[0], start..start + r.len, &with)?;
        } else {
            if with.is_empty() {
                return delitem(vm, &[a[0], a[1]]);
            }
            if with.len() != r.len {
                let m = format!(
                    "attempt to assign bytes of size {} to extended slice of size {}",
                    with.len(),
                    r.len
                );
                return Err(vm.value_error(&m));
            }
            for (i, &c) in with.iter().enumerate() {
                vm.bytearray_put(a[0], r.at(i), c);
            }
        }
        return Ok(vm.none);
    }
    let i = place(vm, a, a[1])?;
    let c = byte(vm, a[2], "byte")?;
    if i >= this(vm, a[0]).len() {
        return Err(vm.index_error("bytearray index out of range"));
    }
    vm.bytearray_put(a[0], i, c);
    Ok(vm.none)
}

fn delitem(vm: &mut Vm, a: &[Value]) -> R {
    if vm.is_slice(a[1]) {
        let bounds = vm.slice_unpack(a[1])?;
        let b = this(vm, a[0]);
        let r = slice_range(bounds, b.len());
        let mut keep = vec![true; b.len()];
        (0..r.len).for_each(|i| keep[r.at(i)] = false);
        if r.len > 0 {
            vm.bytearray_resizable(a[0])?;
        }
        let rest: Vec<u8> = b.iter().zip(keep).filter(|p| p.1).map(|p| *p.0).collect();
        vm.bytearray_set(a[0], &rest);
        return Ok(vm.none);
    }
    let i = place(vm, a, a[1])?;
    splice(vm, a[0], i..i + 1, &[])?;
    Ok(vm.none)
}

fn iadd(vm: &mut Vm, a: &[Value]) -> R {
    let Some(b) = vm.buffer(a[1]) else {
        let m = format!(
            "can't concat {} to {}",
            vm.class_name(a[1]),
            vm.class_name(a[0])
        );
        return Err(vm.type_error(&m));
    };
    let b = b.to_vec();
    if !b.is_empty() {
        vm.bytearray_resizable(a[0])?;
    }
    b.iter().for_each(|&c| vm.bytearray_push(a[0], c));
    Ok(a[0])
}

fn imul(vm: &mut Vm, a: &[Value]) -> R {
    let n = this(vm, a[0]).len();
    let Some(n) = repeat_count(vm, a[1], n, 1)? else {
        return Ok(vm.not_implemented);
    };
    let b = this(vm, a[0]).repeat(n);
    if b.len() != this(vm, a[0]).len() {
        vm.bytearray_resizable(a[0])?;
    }
    vm.bytearray_set(a[0], &b);
    Ok(a[0])
}

fn append(vm: &mut Vm, a: &[Value]) -> R {
    let c = byte(vm, a[1], "byte")?;
    vm.bytearray_resizable(a[0])?;
    vm.bytearray_push(a[0], c);
    Ok(vm.none)
}

fn extend(vm: &mut Vm, a: &[Value]) -> R {
    let b = if vm.buffer(a[1]).is_some() {
        arg(vm, a[1])?.to_vec()
    } else if vm.is_str(a[1]) {
        return Err(vm.type_error("expected iterable of integers; got: 'str'"));
    } else {
        let it = vm.get_iter(a[1]);
        let te = vm.types.type_error;
        let Some(it) = vm.catch(it, te)? else {
            let m = format!("can't extend bytearray with {}", vm.class_name(a[1]));
            return Err(vm.type_error(&m));
        };
        vm.length_hint(a[1], 32)?;
        let mut out = Vec::new();
        while let Some(v) = vm.iter_next(it)? {
            out.push(byte(vm, v, "byte")?);
        }
        out
    };
    if !b.is_empty() {
        vm.bytearray_resizable(a[0])?;
    }
    b.iter().for_each(|&c| vm.bytearray_push(a[0], c));
    Ok(vm.none)
}

fn insert(vm: &mut Vm, a: &[Value]) -> R {
    let i = vm.index_i64(a[1], true)?;
    let c = byte(vm, a[2], "byte")?;
    let n = this(vm, a[0]).len() as i64;
    let i = if i < 0 {
        i.saturating_add(n).max(0)
    } else {
        i.min(n)
    } as usize;
    splice(vm, a[0], i..i, &[c])?;
    Ok(vm.none)
}

fn pop(vm: &mut Vm, a: &[Value]) -> R {
    let i = if a[1].is_null() {
        -1
    } else {
        vm.index_i64(a[1], false)?
    };
    let b = this(vm, a[0]);
    if b.is_empty() {
        return Err(vm.index_error("pop from empty bytearray"));
    }
    let i = if i < 0 { i + b.len() as i64 } else { i };
    if i < 0 || i >= b.len() as i64 {
        return Err(vm.index_error("pop index out of range"));
    }
    let c = b[i as usize];
    splice(vm, a[0], i as usize..i as usize + 1, &[])?;
    Ok(Value::small(c.into()))
}

fn remove(vm: &mut Vm, a: &[Value]) -> R {
    let c = byte(vm, a[1], "byte")?;
    match this(vm, a[0]).iter().position(|&x| x == c) {
        Some(i) => {
            splice(vm, a[0], i..i + 1, &[])?;
            Ok(vm.none)
        }
        None => Err(vm.value_error("value not found in bytearray")),
    }
}

fn reverse(vm: &mut Vm, a: &[Value]) -> R {
    let b: Vec<u8> = this(vm, a[0]).iter().rev().copied().collect();
    vm.bytearray_set(a[0], &b);
    Ok(vm.none)
}

fn clear(vm: &mut Vm, a: &[Value]) -> R {
    vm.bytearray_resizable(a[0])?;
    vm.bytearray_set(a[0], &[]);
    Ok(vm.none)
}

fn copy(vm: &mut Vm, a: &[Value]) -> R {
    let b = this(vm, a[0]);
    Ok(vm.new_bytearray(b))
}
