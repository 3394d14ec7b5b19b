//! The `array` module: sequences of numbers of one C type.
//!
//! An array's items lie packed in a raw object, as many bytes of which are in
//! use as `len` items need; growing it makes a new raw object, so a view of the
//! old one stays safe to read.

mod item;

use crate::{args, module, set, slots};
use item::{CODES, Code};
use pyrite_machine::Value;
use pyrite_objects::buffer::{BufferDef, Exported};
use pyrite_objects::layout::{Gc, Layout, PyType, Raw};
use pyrite_objects::native::{GetSetDef, NativeDef, def, effects, getter, new_def};
use pyrite_objects::slice::slice_range;
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};
use pyrite_objects::{CmpOp, next_def, object_layout};

const ANY: u8 = effects::ANY;

object_layout! {
    /// `array.array`; `data` is null while nothing was ever in it.
    PyArray [Library, RAW2] { len: usize, code: Option<&'static Code>, data: Value }
}
object_layout! {
    /// Its iterator; `array` is null once exhausted.
    ArrayIter [Library, RAW2] { at: usize, _pad: usize, array: Value }
}

static FUNCTIONS: &[NativeDef] = &[def(
    "_array_reconstructor",
    "(arraytype, typecode, mformat_code, items, /)",
    ANY,
    reconstruct,
)
.doc("Internal. Used for pickling support.")];

static METHODS: &[NativeDef] = &[
    new_def("($type, /, *args, **kwargs)", ANY, new),
    def("__len__", "($self, /)", effects::READS, |_, a| {
        Ok(Value::int_unchecked(of(a[0]).len.get() as i64))
    }),
    def("__repr__", "($self, /)", ANY, repr),
    def("__getitem__", "($self, key, /)", ANY, getitem),
    def("__setitem__", "($self, key, value, /)", ANY, setitem),
    def("__delitem__", "($self, key, /)", ANY, |vm, a| {
        setitem(vm, &[a[0], a[1], Value::NULL])
    }),
    def("__contains__", "($self, key, /)", ANY, |vm, a| {
        let at = position(vm, a[0], a[1], 0, usize::MAX)?;
        Ok(vm.bool(at.is_some()))
    }),
    def("__iter__", "($self, /)", effects::ALLOC, |vm, a| {
        let it = vm.new_instance(Gc::from_value(vm.statics[slots::ARRAY_ITER]));
        Gc::<ArrayIter>::from_value(it).array.set(a[0]);
        vm.write_barrier(it);
        Ok(it)
    }),
    def("__add__", "($self, value, /)", ANY, |vm, a| {
        if !is_array(vm, a[1]) {
            let m = format!(
                "can only append array (not \"{}\") to array",
                vm.class_name(a[1])
            );
            return Err(vm.type_error(&m));
        }
        if code(a[0]) != code(a[1]) {
            return Err(vm.type_error("bad argument type for built-in operation"));
        }
        let mut b = bytes(a[0]).to_vec();
        b.extend_from_slice(bytes(a[1]));
        Ok(plain(vm, code(a[0]), &b))
    }),
    def("__iadd__", "($self, value, /)", ANY, |vm, a| {
        if !is_array(vm, a[1]) {
            let m = format!(
                "can only extend array with array (not \"{}\")",
                vm.class_name(a[1])
            );
            return Err(vm.type_error(&m));
        }
        extend(vm, a)?;
        Ok(a[0])
    }),
    def(
        "__mul__",
        "($self, value, /)",
        ANY,
        |vm, a| match repeated(vm, a)? {
            Some(b) => Ok(plain(vm, code(a[0]), &b)),
            None => Ok(vm.not_implemented),
        },
    ),
    def(
        "__rmul__",
        "($self, value, /)",
        ANY,
        |vm, a| match repeated(vm, a)? {
            Some(b) => Ok(plain(vm, code(a[0]), &b)),
            None => Ok(vm.not_implemented),
        },
    ),
    def("__imul__", "($self, value, /)", ANY, |vm, a| {
        let Some(b) = repeated(vm, a)? else {
            return Ok(vm.not_implemented);
        };
        replace(vm, a[0], &b);
        Ok(a[0])
    }),
    def("__lt__", "($self, value, /)", ANY, |vm, a| {
        compare(vm, CmpOp::Lt, a)
    }),
    def("__le__", "($self, value, /)", ANY, |vm, a| {
        compare(vm, CmpOp::Le, a)
    }),
    def("__eq__", "($self, value, /)", ANY, |vm, a| {
        compare(vm, CmpOp::Eq, a)
    }),
    def("__ne__", "($self, value, /)", ANY, |vm, a| {
        compare(vm, CmpOp::Ne, a)
    }),
    def("__gt__", "($self, value, /)", ANY, |vm, a| {
        compare(vm, CmpOp::Gt, a)
    }),
    def("__ge__", "($self, value, /)", ANY, |vm, a| {
        compare(vm, CmpOp::Ge, a)
    }),
    def("append", "($self, v, /)", ANY, |vm, a| {
        let b = code(a[0]).pack(vm, a[1])?;
        push(vm, a[0], b);
        Ok(vm.none)
    }),
    def("extend", "($self, bb, /)", ANY, |vm, a| {
        extend(vm, a)?;
        Ok(vm.none)
    }),
    def("insert", "($self, i, v, /)", ANY, |vm, a| {
        let i = args::ssize(vm, a[1])?;
        let b = code(a[0]).pack(vm, a[2])?;
        let (n, size) = (of(a[0]).len.get() as i64, code(a[0]).size);
        let i = (if i < 0 { i + n } else { i }).clamp(0, n) as usize;
        splice(vm, a[0], i, i, &b[..size]);
        Ok(vm.none)
    }),
    def("pop", "($self, i=-1, /)", ANY, |vm, a| {
        let n = of(a[0]).len.get() as i64;
        let i = if a[1].is_null() {
            -1
        } else {
            args::ssize(vm, a[1])?
        };
        if n == 0 {
            return Err(vm.index_error("pop from empty array"));
        }
        let i = if i < 0 { i + n } else { i };
        if i < 0 || i >= n {
            return Err(vm.index_error("pop index out of range"));
        }
        let v = get(vm, a[0], i as usize);
        splice(vm, a[0], i as usize, i as usize + 1, &[]);
        Ok(v)
    }),
    def("remove", "($self, v, /)", ANY, |vm, a| {
        match position(vm, a[0], a[1], 0, usize::MAX)? {
            Some(i) if i < of(a[0]).len.get() => {
                splice(vm, a[0], i, i + 1, &[]);
                Ok(vm.none)
            }
            _ => Err(vm.value_error("array.remove(x): x not in array")),
        }
    }),
    def(
        "index",
        "($self, v, start=0, stop=sys.maxsize, /)",
        ANY,
        |vm, a| {
            let n = of(a[0]).len.get() as i64;
            let bound = |vm: &mut Vm, v: Value, d: i64| -> R<usize> {
                if v.is_null() {
                    return Ok(d as usize);
                }
                let i = vm.index_i64(v, true)?;
                Ok(if i < 0 { (i + n).max(0) } else { i } as usize)
            };
            let start = bound(vm, a[2], 0)?;
            let stop = bound(vm, a[3], i64::MAX)?;
            match position(vm, a[0], a[1], start, stop)? {
                Some(i) => Ok(Value::int_unchecked(i as i64)),
                None => Err(vm.value_error("array.index(x): x not in array")),
            }
        },
    ),
    def("count", "($self, v, /)", ANY, |vm, a| {
        let (mut i, mut n) = (0, 0);
        while i < of(a[0]).len.get() {
            let v = get(vm, a[0], i);
            n += i64::from(vm.eq(v, a[1])?);
            i += 1;
        }
        Ok(vm.new_int(n))
    }),
    def("reverse", "($self, /)", effects::WRITES, |vm, a| {
        let size = code(a[0]).size;
        let mut b = bytes(a[0]).to_vec();
        b.reverse();
        b.chunks_mut(size).for_each(<[u8]>::reverse);
        bytes_mut(a[0]).copy_from_slice(&b);
        Ok(vm.none)
    }),
    def("byteswap", "($self, /)", effects::WRITES, |vm, a| {
        let size = code(a[0]).size;
        bytes_mut(a[0]).chunks_mut(size).for_each(<[u8]>::reverse);
        Ok(vm.none)
    }),
    def("buffer_info", "($self, /)", effects::ALLOC, |vm, a| {
        let data = of(a[0]).data.get();
        if data.is_some() {
            vm.heap_pin(data);
        }
        let at = vm.new_uint(bytes(a[0]).as_ptr() as u64);
        let n = Value::int_unchecked(of(a[0]).len.get() as i64);
        Ok(vm.new_tuple(&[at, n]))
    }),
    def("tolist", "($self, /)", effects::ALLOC, tolist),
    def("fromlist", "($self, list, /)", ANY, |vm, a| {
        if !vm.is_list(a[1]) {
            return Err(vm.type_error("arg must be list"));
        }
        let mut b = Vec::new();
        let n = vm.list_len(a[1]);
        for i in 0..n {
            if vm.list_len(a[1]) != n {
                return Err(vm.runtime_error("list changed size during iteration"));
            }
            let v = vm.list_get(a[1], i);
            let item = code(a[0]).pack(vm, v)?;
            b.extend_from_slice(&item[..code(a[0]).size]);
        }
        append_bytes(vm, a[0], &b);
        Ok(vm.none)
    }),
    def("tobytes", "($self, /)", effects::ALLOC, |vm, a| {
        let b = bytes(a[0]).to_vec();
        Ok(vm.new_bytes(&b))
    }),
    def("frombytes", "($self, buffer, /)", ANY, |vm, a| {
        let b = args::readable(vm, a[1])?.to_vec();
        frombytes(vm, a[0], &b)?;
        Ok(vm.none)
    }),
    def("tofile", "($self, f, /)", ANY, |vm, a| {
        let write = vm.intern("write");
        // In parts, so that no copy of all of it is made.
        let mut from = 0;
        loop {
            let all = bytes(a[0]);
            if from >= all.len() {
                return Ok(vm.none);
            }
            let part = all[from..all.len().min(from + (64 << 10))].to_vec();
            let b = vm.new_bytes(&part);
            vm.call_method(a[1], write, &[b])?;
            from += part.len();
        }
    }),
    def("fromfile", "($self, f, n, /)", ANY, |vm, a| {
        let n = args::ssize(vm, a[2])?;
        if n < 0 {
            return Err(vm.value_error("negative count"));
        }
        let want = n * code(a[0]).size as i64;
        let read = vm.intern("read");
        let want_value = vm.new_int(want);
        let b = vm.call_method(a[1], read, &[want_value])?;
        let Some(b) = vm.as_bytes(b) else {
            return Err(vm.type_error("read() didn't return bytes"));
        };
        let b = vm.bytes(b).to_vec();
        frombytes(vm, a[0], &b)?;
        if (b.len() as i64) < want {
            let class = vm.types.eof_error;
            return Err(vm.raise_str(class, "read() didn't return enough bytes"));
        }
        Ok(vm.none)
    }),
    def("fromunicode", "($self, ustr, /)", ANY, |vm, a| {
        let Some(s) = vm.as_str(a[1]) else {
            let m = format!(
                "fromunicode() argument must be str, not {}",
                vm.class_name(a[1])
            );
            return Err(vm.type_error(&m));
        };
        if code(a[0]).letter != b'u' {
            return Err(vm.value_error("fromunicode() may only be called on unicode type arrays"));
        }
        let b: Vec<u8> = vm.text(s).iter().flat_map(u32::to_le_bytes).collect();
        append_bytes(vm, a[0], &b);
        Ok(vm.none)
    }),
    def("tounicode", "($self, /)", ANY, |vm, a| {
        if code(a[0]).letter != b'u' {
            return Err(vm.value_error("tounicode() may only be called on unicode type arrays"));
        }
        text(vm, a[0])
    }),
    def("__copy__", "($self, /)", effects::ALLOC, |vm, a| {
        let b = bytes(a[0]).to_vec();
        Ok(plain(vm, code(a[0]), &b))
    }),
    def(
        "__deepcopy__",
        "($self, unused, /)",
        effects::ALLOC,
        |vm, a| {
            let b = bytes(a[0]).to_vec();
            Ok(plain(vm, code(a[0]), &b))
        },
    ),
    def("__reduce_ex__", "($self, value, /)", ANY, reduce),
    def("__sizeof__", "($self, /)", effects::READS, |vm, a| {
        let data = of(a[0]).data.get();
        let n = if data.is_null() {
            0
        } else {
            Gc::<Raw>::from_value(data).len.get()
        };
        Ok(vm.new_uint((size_of::<PyArray>() + n) as u64))
    }),
];

static FIELDS: &[GetSetDef] = &[
    getter("typecode", |vm, v| {
        Ok(vm.new_str_char(code(v).letter.into()))
    }),
    getter("itemsize", |_, v| Ok(Value::small(code(v).size as i32))),
];

static ITERATOR: &[NativeDef] = &[
    def("__iter__", "($self, /)", effects::PURE, |_, a| Ok(a[0])),
    next_def!(next),
    def("__reduce__", "($self, /)", ANY, |vm, a| {
        let it = Gc::<ArrayIter>::from_value(a[0]);
        let name = vm.intern("iter");
        let iter = vm.dict_get_str(vm.builtins, name);
        if it.array.get().is_null() {
            let empty = vm.new_tuple(&[vm.empty_tuple]);
            return Ok(vm.new_tuple(&[iter, empty]));
        }
        let args = vm.new_tuple(&[it.array.get()]);
        Ok(vm.new_tuple(&[iter, args, Value::int_unchecked(it.at.get() as i64)]))
    }),
    def("__setstate__", "($self, state, /)", ANY, |vm, a| {
        let i = args::ssize(vm, a[1])?;
        let it = Gc::<ArrayIter>::from_value(a[0]);
        if it.array.get().is_some() {
            let n = of(it.array.get()).len.get();
            it.at.set((i.max(0) as usize).min(n));
        }
        Ok(vm.none)
    }),
];

static BUFFER: BufferDef = BufferDef {
    export: |_, v| {
        let b = bytes(v);
        Exported {
            data: b.as_ptr().cast_mut(),
            len: b.len(),
            readonly: false,
            itemsize: code(v).size,
            format: code(v).format,
        }
    },
    count: |_, _, _| {},
};

fn of(v: Value) -> Gc<PyArray> {
    Gc::from_value(v)
}

fn code(v: Value) -> Code {
    *of(v).code.get().expect("set when the array was made")
}

fn is_array(vm: &Vm, v: Value) -> bool {
    vm.is_instance(v, Gc::from_value(vm.statics[slots::ARRAY]))
}

/// The items' bytes, good until the array may change.
fn bytes(v: Value) -> &'static [u8] {
    bytes_mut(v)
}

fn bytes_mut(v: Value) -> &'static mut [u8] {
    let data = of(v).data.get();
    if data.is_null() {
        return &mut [];
    }
    let n = of(v).len.get() * code(v).size;
    // SAFETY: that many bytes of the storage are in use; one thread at a time
    // holds the VM, and callers keep the borrow short.
    unsafe { std::slice::from_raw_parts_mut(Gc::<Raw>::from_value(data).bytes(), n) }
}

/// Sets the number of items, with room made; new ones are zero or garbage.
fn resize(vm: &mut Vm, v: Value, len: usize) {
    let need = len * code(v).size;
    let data = of(v).data.get();
    let room = if data.is_null() {
        0
    } else {
        Gc::<Raw>::from_value(data).len.get()
    };
    if need > room {
        let raw = vm.new_raw(need + need / 8 + 16);
        let old = bytes(v);
        // SAFETY: the new storage is larger than the old content.
        unsafe { std::ptr::copy_nonoverlapping(old.as_ptr(), raw.bytes(), old.len()) };
        of(v).data.set(raw.value());
        vm.write_barrier(v);
    }
    of(v).len.set(len);
}

fn push(vm: &mut Vm, v: Value, item: [u8; 8]) {
    let (n, size) = (of(v).len.get(), code(v).size);
    resize(vm, v, n + 1);
    bytes_mut(v)[n * size..].copy_from_slice(&item[..size]);
}

fn append_bytes(vm: &mut Vm, v: Value, b: &[u8]) {
    let n = of(v).len.get();
    splice(vm, v, n, n, b);
}

/// Replaces items `from..to` by those in `b`.
fn splice(vm: &mut Vm, v: Value, from: usize, to: usize, b: &[u8]) {
    let (n, size) = (of(v).len.get(), code(v).size);
    let new = n - (to - from) + b.len() / size;
    if new > n {
        resize(vm, v, new);
    }
    let used = new.max(n) * size;
    let all = &mut bytes_mut(v)[..used];
    all.copy_within(to * size..n * size, from * size + b.len());
    all[from * size..from * size + b.len()].copy_from_slice(b);
    of(v).len.set(new);
}

fn replace(vm: &mut Vm, v: Value, b: &[u8]) {
    let n = of(v).len.get();
    splice(vm, v, 0, n, b);
}

/// A new array of the module's own class.
fn plain(vm: &mut Vm, code: Code, b: &[u8]) -> Value {
    let class = Gc::from_value(vm.statics[slots::ARRAY]);
    make_array(vm, class, code, b)
}

fn make_array(vm: &mut Vm, class: Gc<PyType>, code: Code, b: &[u8]) -> Value {
    let v = vm.new_instance(class);
    let code = CODES.iter().find(|c| c.letter == code.letter);
    of(v).code.set(code);
    append_bytes(vm, v, b);
    v
}

fn get(vm: &mut Vm, v: Value, i: usize) -> Value {
    let c = code(v);
    let mut item = [0; 8];
    item[..c.size].copy_from_slice(&bytes(v)[i * c.size..(i + 1) * c.size]);
    c.unpack(vm, &item[..c.size])
}

fn new(vm: &mut Vm, a: &[Value]) -> R {
    let class: Gc<PyType> = Gc::from_value(a[0]);
    let own = class.value() == vm.statics[slots::ARRAY];
    if own && vm.dict_len(a[2]) > 0 {
        return Err(vm.type_error("array.array() takes no keyword arguments"));
    }
    let n = vm.tuple_len(a[1]);
    if n == 0 {
        return Err(vm.type_error("array() takes at least 1 argument (0 given)"));
    }
    if n > 2 && own {
        let m = format!("array() takes at most 2 arguments ({n} given)");
        return Err(vm.type_error(&m));
    }
    let letter = vm.tuple_get(a[1], 0);
    let c = vm
        .as_str(letter)
        .map(|s| vm.text(s))
        .filter(|t| t.len() == 1);
    let Some(c) = c.map(|t| t.at(0)) else {
        let m = format!(
            "array() argument 1 must be a unicode character, not {}",
            vm.class_name(letter)
        );
        return Err(vm.type_error(&m));
    };
    let initial = if n > 1 {
        vm.tuple_get(a[1], 1)
    } else {
        Value::NULL
    };
    if initial.is_some() && c != u32::from(b'u') {
        let from = if vm.is_str(initial) {
            Some("str")
        } else if is_array(vm, initial) && code(initial).letter == b'u' {
            Some("unicode array")
        } else {
            None
        };
        if let Some(from) = from {
            let m = format!(
                "cannot use a {from} to initialize an array with typecode '{}'",
                char::from_u32(c).unwrap_or('?')
            );
            return Err(vm.type_error(&m));
        }
    }
    let Some(&c) = Code::named(c) else {
        return Err(
            vm.value_error("bad typecode (must be b, B, u, h, H, i, I, l, L, q, Q, f or d)")
        );
    };
    let v = make_array(vm, class, c, &[]);
    if initial.is_null() {
        return Ok(v);
    }
    if let Some(s) = vm.as_str(initial) {
        let b: Vec<u8> = vm.text(s).iter().flat_map(u32::to_le_bytes).collect();
        append_bytes(vm, v, &b);
    } else if vm.as_bytes(initial).is_some() || vm.layout_of(initial) == Layout::ByteArray {
        let b = args::readable(vm, initial)?.to_vec();
        frombytes(vm, v, &b)?;
    } else {
        push_all(vm, v, initial)?;
    }
    Ok(v)
}

fn frombytes(vm: &mut Vm, v: Value, b: &[u8]) -> R<()> {
    let size = code(v).size;
    if !b.len().is_multiple_of(size) {
        return Err(vm.value_error("bytes length not a multiple of item size"));
    }
    append_bytes(vm, v, b);
    Ok(())
}

fn extend(vm: &mut Vm, a: &[Value]) -> R<()> {
    if is_array(vm, a[1]) {
        let (x, y) = (code(a[0]), code(a[1]));
        if x != y {
            return Err(vm.type_error("can only extend with array of same kind"));
        }
        let b = bytes(a[1]).to_vec();
        append_bytes(vm, a[0], &b);
        return Ok(());
    }
    push_all(vm, a[0], a[1])
}

/// Appends each item of an iterable.
fn push_all(vm: &mut Vm, v: Value, items: Value) -> R<()> {
    let it = vm.get_iter(items)?;
    while let Some(x) = vm.iter_next(it)? {
        let b = code(v).pack(vm, x)?;
        push(vm, v, b);
    }
    Ok(())
}

fn tolist(vm: &mut Vm, a: &[Value]) -> R {
    let n = of(a[0]).len.get();
    let l = vm.new_list_with_capacity(n);
    for i in 0..n {
        let v = get(vm, a[0], i);
        vm.list_append(l, v);
    }
    Ok(l)
}

/// A `'u'` array as a string.
fn text(vm: &mut Vm, v: Value) -> R {
    let mut points = Vec::with_capacity(of(v).len.get());
    for c in bytes(v).chunks(4) {
        let c = u32::from_le_bytes([c[0], c[1], c[2], c[3]]);
        if c > 0x10_FFFF {
            let m = format!("character U+{c:x} is not in range [U+0000; U+10ffff]");
            return Err(vm.value_error(&m));
        }
        points.push(c);
    }
    Ok(vm.new_str_points(&points))
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let class = vm.class_name(a[0]);
    let letter = code(a[0]).letter as char;
    if of(a[0]).len.get() == 0 {
        return Ok(vm.new_str(&format!("{class}('{letter}')")));
    }
    let content = if letter == 'u' {
        text(vm, a[0])?
    } else {
        tolist(vm, a)?
    };
    let r = vm.repr(content)?;
    let mut out = pyrite_objects::textbuf::TextBuf::new();
    out.push_str(&format!("{class}('{letter}', "));
    out.push_text(vm.text(r));
    out.push_str(")");
    Ok(out.finish(vm))
}

/// Place of the first item in `start..stop` that equals `x`.
fn position(vm: &mut Vm, v: Value, x: Value, start: usize, stop: usize) -> R<Option<usize>> {
    let mut i = start;
    while i < stop && i < of(v).len.get() {
        let item = get(vm, v, i);
        if vm.eq(item, x)? {
            return Ok(Some(i));
        }
        i += 1;
    }
    Ok(None)
}

fn is_index(vm: &mut Vm, v: Value) -> bool {
    let n = vm.names.index;
    vm.is_int(v) || vm.lookup_on(v, n).is_some()
}

fn getitem(vm: &mut Vm, a: &[Value]) -> R {
    if is_index(vm, a[1]) {
        let i = vm.index_i64(a[1], false)?;
        let n = of(a[0]).len.get() as i64;
        let i = if i < 0 { i + n } else { i };
        if i < 0 || i >= n {
            return Err(vm.index_error("array index out of range"));
        }
        return Ok(get(vm, a[0], i as usize));
    }
    if !vm.is_slice(a[1]) {
        return Err(vm.type_error("array indices must be integers"));
    }
    let bounds = vm.slice_unpack(a[1])?;
    let r = slice_range(bounds, of(a[0]).len.get());
    let size = code(a[0]).size;
    let all = bytes(a[0]);
    let mut b = Vec::with_capacity(r.len * size);
    for k in 0..r.len {
        let i = r.at(k);
        b.extend_from_slice(&all[i * size..(i + 1) * size]);
    }
    Ok(plain(vm, code(a[0]), &b))
}

/// Sets or (value null) deletes an item or a slice.
fn setitem(vm: &mut Vm, a: &[Value]) -> R {
    let (v, x) = (a[0], a[2]);
    let size = code(v).size;
    if is_index(vm, a[1]) {
        let i = vm.index_i64(a[1], false)?;
        let n = of(v).len.get() as i64;
        let i = if i < 0 { i + n } else { i };
        if i < 0 || i >= n {
            return Err(vm.index_error("array assignment index out of range"));
        }
        let i = i as usize;
        if x.is_null() {
            splice(vm, v, i, i + 1, &[]);
            return Ok(vm.none);
        }
        let b = code(v).pack(vm, x)?;
        // The conversion may have made the array shorter.
        if i >= of(v).len.get() {
            return Err(vm.index_error("array assignment index out of range"));
        }
        bytes_mut(v)[i * size..(i + 1) * size].copy_from_slice(&b[..size]);
        return Ok(vm.none);
    }
    if !vm.is_slice(a[1]) {
        return Err(vm.type_error("array indices must be integers"));
    }
    let bounds = vm.slice_unpack(a[1])?;
    let b = if x.is_null() {
        Vec::new()
    } else if is_array(vm, x) {
        if code(x) != code(v) {
            return Err(vm.type_error("bad argument type for built-in operation"));
        }
        bytes(x).to_vec()
    } else {
        let m = format!(
            "can only assign array (not \"{}\") to array slice",
            vm.class_name(x)
        );
        return Err(vm.type_error(&m));
    };
    let r = slice_range(bounds, of(v).len.get());
    if bounds.2 == 1 {
        let from = if r.len == 0 {
            slice_start(bounds, of(v).len.get())
        } else {
            r.at(0)
        };
        splice(vm, v, from, from + r.len, &b);
        return Ok(vm.none);
    }
    if x.is_null() {
        let mut doomed: Vec<usize> = (0..r.len).map(|k| r.at(k)).collect();
        doomed.sort_unstable();
        let all = bytes(v);
        let mut kept = Vec::with_capacity(all.len());
        for (i, item) in all.chunks(size).enumerate() {
            if doomed.binary_search(&i).is_err() {
                kept.extend_from_slice(item);
            }
        }
        replace(vm, v, &kept);
        return Ok(vm.none);
    }
    if b.len() / size != r.len {
        let m = format!(
            "attempt to assign array of size {} to extended slice of size {}",
            b.len() / size,
            r.len
        );
        return Err(vm.value_error(&m));
    }
    for (k, item) in b.chunks(size).enumerate() {
        let i = r.at(k);
        bytes_mut(v)[i * size..(i + 1) * size].copy_from_slice(item);
    }
    Ok(vm.none)
}

/// Where an empty slice of step 1 is.
fn slice_start(bounds: (Option<i64>, Option<i64>, i64), len: usize) -> usize {
    let n = len as i64;
    match bounds.0 {
        None => 0,
        Some(i) if i < 0 => i.saturating_add(n).max(0) as usize,
        Some(i) => i.min(n) as usize,
    }
}

fn repeated(vm: &mut Vm, a: &[Value]) -> R<Option<Vec<u8>>> {
    if !is_index(vm, a[1]) {
        // As sequences do, whatever the operator.
        let m = format!(
            "can't multiply sequence by non-int of type '{}'",
            vm.class_name(a[1])
        );
        return Err(vm.type_error(&m));
    }
    let n = vm.index_i64(a[1], false)?.max(0) as usize;
    let b = bytes(a[0]);
    match b.len().checked_mul(n) {
        Some(total) if total < 1 << 40 => Ok(Some(b.repeat(n))),
        _ => {
            let class = vm.types.memory_error;
            Err(vm.raise_args(class, &[]))
        }
    }
}

fn compare(vm: &mut Vm, op: CmpOp, a: &[Value]) -> R {
    if !is_array(vm, a[1]) {
        return Ok(vm.not_implemented);
    }
    let (x, y) = (a[0], a[1]);
    let equality = matches!(op, CmpOp::Eq | CmpOp::Ne);
    let lens = |x: Value, y: Value| (of(x).len.get(), of(y).len.get());
    let (n, m) = lens(x, y);
    if equality && n != m {
        return Ok(vm.bool(op == CmpOp::Ne));
    }
    let mut i = 0;
    while i < lens(x, y).0.min(lens(x, y).1) {
        let (p, q) = (get(vm, x, i), get(vm, y, i));
        if !vm.eq(p, q)? {
            return match op {
                CmpOp::Eq => Ok(vm.false_),
                CmpOp::Ne => Ok(vm.true_),
                op => vm.compare(op, p, q),
            };
        }
        i += 1;
    }
    let (n, m) = lens(x, y);
    let r = match op {
        CmpOp::Lt => n < m,
        CmpOp::Le => n <= m,
        CmpOp::Eq => n == m,
        CmpOp::Ne => n != m,
        CmpOp::Gt => n > m,
        _ => n >= m,
    };
    Ok(vm.bool(r))
}

fn reduce(vm: &mut Vm, a: &[Value]) -> R {
    let protocol = vm.index_i64(a[1], true)?;
    let class = vm.getattr_str(a[0], "__class__")?;
    let name = vm.intern("__dict__");
    let mut dict = vm.getattr_opt(a[0], name)?;
    if dict.is_null() {
        dict = vm.none;
    }
    let c = code(a[0]);
    let letter = vm.new_str_char(c.letter.into());
    if protocol < 3 {
        let l = tolist(vm, a)?;
        let args = vm.new_tuple(&[letter, l]);
        return Ok(vm.new_tuple(&[class, args, dict]));
    }
    let f = crate::module_attr(vm, "array", "_array_reconstructor");
    let b = bytes(a[0]).to_vec();
    let b = vm.new_bytes(&b);
    let args = vm.new_tuple(&[class, letter, Value::int_unchecked(c.machine), b]);
    Ok(vm.new_tuple(&[f, args, dict]))
}

fn reconstruct(vm: &mut Vm, a: &[Value]) -> R {
    if !vm.is_type(a[0]) {
        let m = format!(
            "first argument must be a type object, not {}",
            vm.class_name(a[0])
        );
        return Err(vm.type_error(&m));
    }
    let class: Gc<PyType> = Gc::from_value(a[0]);
    if !vm.is_subclass(class, Gc::from_value(vm.statics[slots::ARRAY])) {
        let m = format!("{} is not a subtype of array.array", vm.type_name(class));
        return Err(vm.type_error(&m));
    }
    let letter = vm.as_str(a[1]).map(|s| vm.text(s)).filter(|t| t.len() == 1);
    let Some(&c) = letter.and_then(|t| Code::named(t.at(0))) else {
        return Err(vm.value_error("second argument must be a valid type code"));
    };
    let format = vm.index_i64(a[2], true)?;
    let Some((kind, size, big)) = item::machine_format(format) else {
        return Err(vm.value_error("third argument must be a valid machine format code."));
    };
    let Some(b) = vm.as_bytes(a[3]) else {
        let m = format!(
            "fourth argument should be bytes, not {}",
            vm.class_name(a[3])
        );
        return Err(vm.type_error(&m));
    };
    let b = vm.bytes(b).to_vec();
    if !b.len().is_multiple_of(size) {
        return Err(vm.value_error(if format == c.machine {
            "bytes length not a multiple of item size"
        } else {
            "string length not a multiple of item size"
        }));
    }
    if kind == b'x' {
        // UTF-16.
        let units = b.chunks(2).map(|p| {
            if big {
                u16::from_be_bytes([p[0], p[1]])
            } else {
                u16::from_le_bytes([p[0], p[1]])
            }
        });
        let points: Vec<u8> = char::decode_utf16(units)
            .map(|c| c.map_or_else(|e| e.unpaired_surrogate().into(), u32::from))
            .flat_map(u32::to_le_bytes)
            .collect();
        return Ok(make_array(vm, class, c, &points));
    }
    let mut items = b;
    if big {
        items.chunks_mut(size).for_each(<[u8]>::reverse);
    }
    let same_kind = Code::named(kind.into()).is_some_and(|k| k.machine == c.machine);
    if same_kind {
        return Ok(make_array(vm, class, c, &items));
    }
    // Another machine's sizes: item by item.
    let from = *Code::named(kind.into()).expect("a machine format's letter is a typecode");
    let v = make_array(vm, class, c, &[]);
    for item in items.chunks(size) {
        let x = from.unpack(vm, item);
        let b = c.pack(vm, x)?;
        push(vm, v, b);
    }
    Ok(v)
}

fn next(vm: &mut Vm, v: Value) -> R<Option<Value>> {
    let it = Gc::<ArrayIter>::from_value(v);
    let (array, i) = (it.array.get(), it.at.get());
    if array.is_null() {
        return Ok(None);
    }
    if i >= of(array).len.get() {
        it.array.set(Value::NULL);
        return Ok(None);
    }
    it.at.set(i + 1);
    Ok(Some(get(vm, array, i)))
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let doc = "This module defines an object type which can efficiently represent\nan array of basic values: characters, integers, floating point\nnumbers.";
    let m = module(vm, "array", doc, FUNCTIONS);
    let t = vm.native_type(&TypeDef {
        module: "array",
        base_type: true,
        methods: METHODS,
        getset: FIELDS,
        ..TypeDef::of::<PyArray>("array", Layout::Library)
    });
    vm.type_data(t).buffer = Some(&BUFFER);
    vm.type_data(t).pattern_sequence = true;
    let none = vm.none;
    vm.type_set(t, "__hash__", none);
    vm.statics[slots::ARRAY] = t.value();
    set(vm, m, "array", t.value());
    set(vm, m, "ArrayType", t.value());
    let it = vm.native_type(&TypeDef {
        module: "array",
        methods: ITERATOR,
        ..TypeDef::of::<ArrayIter>("arrayiterator", Layout::Library)
    });
    vm.statics[slots::ARRAY_ITER] = it.value();
    let letters: String = CODES.iter().map(|c| c.letter as char).collect();
    let letters = vm.new_str(&letters);
    set(vm, m, "typecodes", letters);
    Ok(m)
}
