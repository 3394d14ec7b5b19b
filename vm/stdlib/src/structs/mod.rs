//! The `_struct` module: values to bytes and back by a format.

mod format;

use crate::{args, module, set, slots};
use format::{Format, Item, error, pack as pack_item, unpack as unpack_item};
pub use format::{half_from, half_to};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyType, Raw};
use pyrite_objects::native::{GetSetDef, NativeDef, def, effects, getter, new_def};
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};
use pyrite_objects::{next_def, object_layout};

const ANY: u8 = effects::ANY;
/// Formats kept for the module's functions.
const CACHE: usize = 100;

object_layout! {
    /// `Struct`. `items` is a raw object of [`Item`]s, null before `__init__`.
    PyStruct [Library, RAW2] { size: usize, len: usize, format: Value, items: Value }
}
object_layout! {
    /// The iterator of `iter_unpack`; `buffer` is null once exhausted.
    UnpackIter [Library, RAW2] { at: usize, _pad: usize, of: Value, buffer: Value }
}

static FUNCTIONS: &[NativeDef] = &[
    def("_clearcache", "()", ANY, |vm, _| {
        let d = vm.new_dict();
        vm.statics[slots::STRUCT_CACHE] = d;
        Ok(vm.none)
    }),
    def("calcsize", "(format, /)", ANY, |vm, a| {
        let s = cached(vm, a[0])?;
        Ok(vm.new_uint(of(s).size.get() as u64))
    }),
    def("pack", "(*args)", ANY, |vm, a| {
        let (s, rest) = first(vm, a[0])?;
        pack(vm, s, rest)
    })
    .doc("pack(format, v1, v2, ...) -> bytes"),
    def("pack_into", "(*args)", ANY, |vm, a| {
        let (s, rest) = first(vm, a[0])?;
        pack_into(vm, s, rest)
    })
    .doc("pack_into(format, buffer, offset, v1, v2, ...)"),
    def("unpack", "(format, buffer, /)", ANY, |vm, a| {
        let s = cached(vm, a[0])?;
        unpack(vm, &[s, a[1]])
    }),
    def(
        "unpack_from",
        "(format, /, buffer, offset=0)",
        ANY,
        |vm, a| {
            let s = cached(vm, a[0])?;
            unpack_from(vm, &[s, a[1], a[2]])
        },
    ),
    def("iter_unpack", "(format, buffer, /)", ANY, |vm, a| {
        let s = cached(vm, a[0])?;
        iter_unpack(vm, &[s, a[1]])
    }),
];

static METHODS: &[NativeDef] = &[
    new_def("($type, *args, **kwargs)", effects::ALLOC, |vm, a| {
        Ok(vm.new_instance(Gc::from_value(a[0])))
    }),
    def("__init__", "($self, /, format)", ANY, |vm, a| {
        init(vm, a[0], a[1])?;
        Ok(vm.none)
    }),
    def("pack", "($self, /, *args)", ANY, |vm, a| {
        ready(vm, a[0])?;
        pack(vm, a[0], a[1])
    }),
    def("pack_into", "($self, /, *args)", ANY, |vm, a| {
        ready(vm, a[0])?;
        pack_into(vm, a[0], a[1])
    }),
    def("unpack", "($self, buffer, /)", ANY, |vm, a| {
        ready(vm, a[0])?;
        unpack(vm, a)
    }),
    def(
        "unpack_from",
        "($self, /, buffer, offset=0)",
        ANY,
        |vm, a| {
            ready(vm, a[0])?;
            unpack_from(vm, a)
        },
    ),
    def("iter_unpack", "($self, buffer, /)", ANY, |vm, a| {
        ready(vm, a[0])?;
        iter_unpack(vm, a)
    }),
    def("__sizeof__", "($self, /)", ANY, |vm, a| {
        let items = of(a[0]).items.get();
        let n = if items.is_null() {
            0
        } else {
            Gc::<Raw>::from_value(items).len.get()
        };
        Ok(vm.new_uint((PYSTRUCT_BYTES + n) as u64))
    }),
];

const PYSTRUCT_BYTES: usize = size_of::<PyStruct>();

static FIELDS: &[GetSetDef] = &[
    getter("format", |vm, v| {
        ready(vm, v)?;
        Ok(of(v).format.get())
    }),
    getter("size", |vm, v| {
        ready(vm, v)?;
        Ok(vm.new_uint(of(v).size.get() as u64))
    }),
];

static ITERATOR: &[NativeDef] = &[
    def("__iter__", "($self, /)", effects::PURE, |_, a| Ok(a[0])),
    next_def!(next),
    def("__length_hint__", "($self, /)", effects::READS, |vm, a| {
        let it = Gc::<UnpackIter>::from_value(a[0]);
        let Some(b) = (it.buffer.get().is_some())
            .then(|| vm.buffer(it.buffer.get()))
            .flatten()
        else {
            return Ok(Value::small(0));
        };
        let size = of(it.of.get()).size.get();
        Ok(vm.new_uint((b.len().saturating_sub(it.at.get()) / size) as u64))
    }),
];

fn of(v: Value) -> Gc<PyStruct> {
    Gc::from_value(v)
}

fn ready(vm: &mut Vm, v: Value) -> R<()> {
    if of(v).items.get().is_null() {
        return Err(vm.runtime_error("Struct object is not initialized"));
    }
    Ok(())
}

/// The items; valid while the caller's locals hold the struct's storage.
fn items(storage: Value) -> &'static [Item] {
    let raw = Gc::<Raw>::from_value(storage);
    // SAFETY: written as whole items by `init`, never changed, aligned to 8.
    unsafe { std::slice::from_raw_parts(raw.bytes().cast(), raw.len.get() / size_of::<Item>()) }
}

fn init(vm: &mut Vm, v: Value, format: Value) -> R<()> {
    let text = if let Some(b) = vm.as_bytes(format) {
        vm.bytes(b).to_vec()
    } else if vm.is_str(format) {
        pyrite_objects::codecs::encode(vm, format, "ascii", "strict")?
    } else {
        let m = format!(
            "Struct() argument 1 must be a str or bytes object, not {}",
            vm.class_name(format)
        );
        return Err(vm.type_error(&m));
    };
    let f: Format = match format::parse(&text) {
        Ok(f) => f,
        Err(m) => return Err(error(vm, m)),
    };
    let text = vm.new_str_latin1(&text);
    let raw = vm.new_raw(size_of_val(f.items.as_slice()));
    // SAFETY: room for the items was made; they are plain data.
    unsafe { std::ptr::copy_nonoverlapping(f.items.as_ptr(), raw.bytes().cast(), f.items.len()) };
    let s = of(v);
    s.size.set(f.size);
    s.len.set(f.len);
    s.format.set(text);
    s.items.set(raw.value());
    vm.write_barrier(v);
    Ok(())
}

/// The `Struct` of a format, from the cache if it was used lately.
fn cached(vm: &mut Vm, format: Value) -> R {
    let cache = vm.statics[slots::STRUCT_CACHE];
    let plain = vm.is_str(format) || vm.as_bytes(format).is_some();
    if plain {
        let s = vm.dict_get(cache, format)?;
        if s.is_some() {
            return Ok(s);
        }
    }
    let s = vm.new_instance(Gc::from_value(vm.statics[slots::STRUCT]));
    init(vm, s, format)?;
    if plain {
        if vm.dict_len(cache) >= CACHE {
            vm.dict_clear(cache);
        }
        vm.dict_set(cache, format, s)?;
    }
    Ok(s)
}

/// The struct of the first argument, and the others.
fn first(vm: &mut Vm, all: Value) -> R<(Value, Value)> {
    if vm.tuple_len(all) == 0 {
        return Err(vm.type_error("missing format argument"));
    }
    let s = cached(vm, vm.tuple_get(all, 0))?;
    let rest = vm.new_tuple(&vm.tuple_items(all)[1..]);
    Ok((s, rest))
}

/// The packed bytes of the values from `from` on.
fn packed(vm: &mut Vm, s: Value, values: Value, from: usize) -> R<Vec<u8>> {
    let (size, storage) = (of(s).size.get(), of(s).items.get());
    let mut out = vec![0; size];
    let mut i = from;
    for it in items(storage) {
        for k in 0..it.repeat {
            let at = it.offset + k * it.size;
            let v = vm.tuple_get(values, i);
            pack_item(vm, it, v, &mut out[at..at + it.size])?;
            i += 1;
        }
    }
    Ok(out)
}

fn pack(vm: &mut Vm, s: Value, values: Value) -> R {
    let (want, got) = (of(s).len.get(), vm.tuple_len(values));
    if want != got {
        let m = format!("pack expected {want} items for packing (got {got})");
        return Err(error(vm, &m));
    }
    let b = packed(vm, s, values, 0)?;
    Ok(vm.new_bytes(&b))
}

fn pack_into(vm: &mut Vm, s: Value, a: Value) -> R {
    let (want, got) = (of(s).len.get(), vm.tuple_len(a));
    if got != want + 2 {
        let m = match got {
            0 => "pack_into expected buffer argument".to_owned(),
            1 => "pack_into expected offset argument".to_owned(),
            _ => format!(
                "pack_into expected {want} items for packing (got {})",
                got - 2
            ),
        };
        return Err(error(vm, &m));
    }
    let buffer = vm.tuple_get(a, 0);
    let len = args::writable(vm, buffer)?.len() as i64;
    let offset = vm.index_i64(vm.tuple_get(a, 1), false)?;
    let size = of(s).size.get() as i64;
    let at = if offset < 0 {
        if offset + size > 0 {
            let m = format!("no space to pack {size} bytes at offset {offset}");
            return Err(error(vm, &m));
        }
        if offset + len < 0 {
            let m = format!("offset {offset} out of range for {len}-byte buffer");
            return Err(error(vm, &m));
        }
        offset + len
    } else {
        offset
    };
    if len - at < size {
        let m = format!(
            "pack_into requires a buffer of at least {} bytes for packing {size} bytes at offset {at} (actual buffer size is {len})",
            i128::from(at) + i128::from(size)
        );
        return Err(error(vm, &m));
    }
    let b = packed(vm, s, a, 2)?;
    let to = args::writable(vm, buffer)?;
    match to.get_mut(at as usize..at as usize + b.len()) {
        Some(part) => part.copy_from_slice(&b),
        // An item's conversion made the buffer shorter.
        None => return Err(error(vm, "buffer changed its size while packing")),
    }
    Ok(vm.none)
}

/// The values in `b`, which is as long as the struct.
fn values(vm: &mut Vm, s: Value, b: &[u8]) -> Value {
    let storage = of(s).items.get();
    let n = of(s).len.get();
    if n <= 8 {
        let mut small = [Value::NULL; 8];
        let mut i = 0;
        for it in items(storage) {
            for k in 0..it.repeat {
                let at = it.offset + k * it.size;
                small[i] = unpack_item(vm, it, &b[at..at + it.size]);
                i += 1;
            }
        }
        return vm.new_tuple(&small[..n]);
    }
    let l = vm.new_list_with_capacity(n);
    for it in items(storage) {
        for k in 0..it.repeat {
            let at = it.offset + k * it.size;
            let v = unpack_item(vm, it, &b[at..at + it.size]);
            vm.list_append(l, v);
        }
    }
    vm.list_to_tuple(l)
}

fn unpack(vm: &mut Vm, a: &[Value]) -> R {
    let b = args::readable(vm, a[1])?;
    let size = of(a[0]).size.get();
    if b.len() != size {
        let m = format!("unpack requires a buffer of {size} bytes");
        return Err(error(vm, &m));
    }
    let b = steady(vm, a[1], b);
    Ok(values(vm, a[0], &b))
}

/// The bytes of a buffer as they are now, whatever moves while values are made.
fn steady(vm: &Vm, buffer: Value, b: &'static [u8]) -> std::borrow::Cow<'static, [u8]> {
    if vm.as_bytes(buffer).is_some() {
        b.into()
    } else {
        b.to_vec().into()
    }
}

fn unpack_from(vm: &mut Vm, a: &[Value]) -> R {
    let b = args::readable(vm, a[1])?;
    let (len, size) = (b.len() as i64, of(a[0]).size.get() as i64);
    let offset = if a[2].is_null() {
        0
    } else {
        args::ssize(vm, a[2])?
    };
    let at = if offset < 0 {
        if offset + size > 0 {
            let m = format!("not enough data to unpack {size} bytes at offset {offset}");
            return Err(error(vm, &m));
        }
        if offset + len < 0 {
            let m = format!("offset {offset} out of range for {len}-byte buffer");
            return Err(error(vm, &m));
        }
        offset + len
    } else {
        offset
    };
    if len - at < size {
        let m = format!(
            "unpack_from requires a buffer of at least {} bytes for unpacking {size} bytes at offset {at} (actual buffer size is {len})",
            i128::from(at) + i128::from(size)
        );
        return Err(error(vm, &m));
    }
    let b = args::readable(vm, a[1])?;
    let b = steady(vm, a[1], &b[at as usize..(at + size) as usize]);
    Ok(values(vm, a[0], &b))
}

fn iter_unpack(vm: &mut Vm, a: &[Value]) -> R {
    let b = args::readable(vm, a[1])?;
    let size = of(a[0]).size.get();
    if size == 0 {
        return Err(error(
            vm,
            "cannot iteratively unpack with a struct of length 0",
        ));
    }
    if b.len() % size != 0 {
        let m = format!("iterative unpacking requires a buffer of a multiple of {size} bytes");
        return Err(error(vm, &m));
    }
    let it = vm.new_instance(Gc::from_value(vm.statics[slots::STRUCT_ITER]));
    let i = Gc::<UnpackIter>::from_value(it);
    i.of.set(a[0]);
    i.buffer.set(a[1]);
    vm.write_barrier(it);
    Ok(it)
}

fn next(vm: &mut Vm, v: Value) -> R<Option<Value>> {
    let it = Gc::<UnpackIter>::from_value(v);
    let (s, buffer, at) = (it.of.get(), it.buffer.get(), it.at.get());
    if buffer.is_null() {
        return Ok(None);
    }
    let size = of(s).size.get();
    let b = args::readable(vm, buffer)?;
    if b.len() < at + size {
        it.buffer.set(Value::NULL);
        return Ok(None);
    }
    let b = steady(vm, buffer, &b[at..at + size]);
    it.at.set(at + size);
    Ok(Some(values(vm, s, &b)))
}

fn class<T: pyrite_objects::layout::NativeLayout>(
    vm: &mut Vm,
    name: &str,
    base_type: bool,
    methods: &'static [NativeDef],
    getset: &'static [GetSetDef],
) -> Gc<PyType> {
    vm.native_type(&TypeDef {
        module: "_struct",
        base_type,
        methods,
        getset,
        ..TypeDef::of::<T>(name, Layout::Library)
    })
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let doc = "Functions to convert between Python values and C structs.\nPython bytes objects are used to hold the data representing the C struct\nand also as format strings.";
    let m = module(vm, "_struct", doc, FUNCTIONS);
    let d = vm.new_dict();
    vm.statics[slots::STRUCT_CACHE] = d;
    let c = class::<PyStruct>(vm, "Struct", true, METHODS, FIELDS);
    vm.statics[slots::STRUCT] = c.value();
    set(vm, m, "Struct", c.value());
    let c = class::<UnpackIter>(vm, "unpack_iterator", false, ITERATOR, &[]);
    vm.statics[slots::STRUCT_ITER] = c.value();
    let e = crate::new_exception(vm, "struct", "error", &[]);
    vm.statics[slots::STRUCT_ERROR] = e;
    set(vm, m, "error", e);
    Ok(m)
}
