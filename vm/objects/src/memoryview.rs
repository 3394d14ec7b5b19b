//! `memoryview`: another object's bytes as an array of numbers.
//!
//! A view names its exporter, an offset into the exporter's content, and shape
//! and strides. `memoryview(b"abcd")[::2]` is offset 0, shape (2,), strides (2,).
//!
//! A `bytearray` under a view keeps its size. Views die at a collection, not at
//! their last use, so a count of views would lock for too long; the bytearray
//! asks [`Vm::bytearray_locked`], which collects and counts those that are left.
//! A view holds the storage it was made on: should a size change nevertheless,
//! the view goes on seeing the old storage, never freed memory.

use crate::buffer::Exported;
use crate::layout::{Gc, Layout, PyByteArray, PyMemoryView, Raw};
use crate::memoryview_item::{self as item, Format};
use crate::native::{GetSetDef, NativeDef, def, effects, getter, static_def};
use crate::shape::shape_of;
use crate::slice::slice_range;
use crate::vm::{R, Raised, Vm};
use pyrite_machine::Value;
use std::cell::Cell;
use std::time::{Duration, Instant};

const ANY: u8 = effects::ANY;
const READONLY: u64 = 1;
const RELEASED: u64 = 2;
const MAX_DIMENSIONS: usize = 64;

static METHODS: &[NativeDef] = &[
    static_def("__new__", "(type, object)", ANY, new),
    def("release", "($self, /)", ANY, |vm, a| {
        release(vm, a[0]);
        Ok(vm.none)
    }),
    def("tobytes", "($self, /, order=None)", ANY, tobytes),
    def("hex", "($self, /, *args, **kwargs)", ANY, |vm, a| {
        let b = content(vm, a[0])?;
        let b = vm.new_bytes(&b);
        let n = vm.intern("hex");
        let f = vm.getattr(b, n)?;
        vm.call_dict(f, vm.tuple_items(a[1]), a[2])
    })
    .doc("Two hexadecimal digits for each byte.\n\n>>> memoryview(b'JIT').hex()\n'4a4954'\n"),
    def("tolist", "($self, /)", ANY, |vm, a| {
        let v = live(vm, a[0])?;
        let f = v.format(vm)?;
        list_of(vm, v, f, 0, 0)
    }),
    def("cast", "($self, /, format, shape=None)", ANY, cast),
    def("toreadonly", "($self, /)", ANY, |vm, a| {
        let v = live(vm, a[0])?;
        let n = copy(vm, v);
        n.flags.set(n.flags.get() | READONLY);
        Ok(n.value())
    }),
    def("__enter__", "($self, /)", ANY, |vm, a| {
        live(vm, a[0])?;
        Ok(a[0])
    }),
    def("__exit__", "($self, /, *exc_info)", ANY, |vm, a| {
        release(vm, a[0]);
        Ok(vm.none)
    }),
    def("__len__", "($self, /)", ANY, |vm, a| {
        let v = live(vm, a[0])?;
        let n = if v.ndim(vm) == 0 { 1 } else { v.extent(vm, 0) };
        Ok(vm.new_int(n as i64))
    }),
    def("__getitem__", "($self, key, /)", ANY, getitem),
    def("__setitem__", "($self, key, value, /)", ANY, setitem),
    def("__delitem__", "($self, key, /)", ANY, |vm, a| {
        let v = live(vm, a[0])?;
        Err(if v.readonly() {
            vm.type_error("cannot modify read-only memory")
        } else {
            vm.type_error("cannot delete memory")
        })
    }),
    def("__eq__", "($self, value, /)", ANY, eq),
    def("__ne__", "($self, value, /)", ANY, |vm, a| {
        let r = eq(vm, a)?;
        Ok(if r == vm.not_implemented {
            r
        } else {
            vm.bool(r == vm.false_)
        })
    }),
    def("__hash__", "($self, /)", ANY, hash),
    def("__repr__", "($self, /)", ANY, |vm, a| {
        vm.heap_pin(a[0]);
        let state = if view(a[0]).flags.get() & RELEASED != 0 {
            "released memory"
        } else {
            "memory"
        };
        Ok(vm.new_str(&format!("<{state} at {:#x}>", a[0].bits())))
    }),
    def("__iter__", "($self, /)", ANY, |vm, a| {
        let v = live(vm, a[0])?;
        v.format(vm)?;
        match v.ndim(vm) {
            0 => Err(vm.type_error("invalid indexing of 0-dim memory")),
            1 => Ok(vm.new_seq_iter(a[0], vm.types.seq_iter)),
            _ => Err(no_sub_views(vm)),
        }
    }),
];

static FIELDS: &[GetSetDef] = &[
    getter("obj", |vm, v| Ok(live(vm, v)?.obj.get())),
    getter("nbytes", |vm, v| {
        let n = live(vm, v)?.nbytes.get();
        Ok(vm.new_int(n as i64))
    }),
    getter("readonly", |vm, v| {
        let r = live(vm, v)?.readonly();
        Ok(vm.bool(r))
    }),
    getter("itemsize", |vm, v| {
        let n = live(vm, v)?.itemsize.get();
        Ok(vm.new_int(n as i64))
    }),
    getter("format", |vm, v| Ok(live(vm, v)?.format.get())),
    getter("ndim", |vm, v| {
        let n = live(vm, v)?.ndim(vm);
        Ok(vm.new_int(n as i64))
    }),
    getter("shape", |vm, v| Ok(live(vm, v)?.shape.get())),
    getter("strides", |vm, v| Ok(live(vm, v)?.strides.get())),
    getter("suboffsets", |vm, v| {
        live(vm, v)?;
        Ok(vm.empty_tuple)
    }),
    getter("c_contiguous", |vm, v| {
        let c = live(vm, v)?.contiguous(vm, true);
        Ok(vm.bool(c))
    }),
    getter("f_contiguous", |vm, v| {
        let c = live(vm, v)?.contiguous(vm, false);
        Ok(vm.bool(c))
    }),
    getter("contiguous", |vm, v| {
        let v = live(vm, v)?;
        let c = v.contiguous(vm, true) || v.contiguous(vm, false);
        Ok(vm.bool(c))
    }),
];

/// Gives `memoryview` its methods.
pub fn install(vm: &mut Vm) {
    let t = vm.types.memoryview;
    vm.add_methods(t, METHODS);
    vm.add_getset(t, FIELDS);
}

fn view(v: Value) -> Gc<PyMemoryView> {
    Gc::from_value(v)
}

/// The view, unless it was released.
fn live(vm: &mut Vm, v: Value) -> R<Gc<PyMemoryView>> {
    let m = view(v);
    if m.flags.get() & RELEASED != 0 {
        return Err(vm.value_error("operation forbidden on released memoryview object"));
    }
    Ok(m)
}

impl Gc<PyMemoryView> {
    fn readonly(self) -> bool {
        self.flags.get() & READONLY != 0
    }

    fn ndim(self, vm: &Vm) -> usize {
        vm.tuple_len(self.shape.get())
    }

    fn extent(self, vm: &Vm, dimension: usize) -> usize {
        vm.tuple_get(self.shape.get(), dimension)
            .as_int()
            .unwrap_or(0) as usize
    }

    fn stride(self, vm: &Vm, dimension: usize) -> isize {
        vm.tuple_get(self.strides.get(), dimension)
            .as_int()
            .unwrap_or(0) as isize
    }

    /// The format of an item, or NotImplementedError for one that is not a native
    /// single character.
    fn format(self, vm: &mut Vm) -> R<Format> {
        let s = vm.str_to_string(self.format.get());
        Format::parse(&s)
            .ok_or_else(|| vm.not_implemented_error(&format!("memoryview: unsupported format {s}")))
    }

    fn contiguous(self, vm: &Vm, c_order: bool) -> bool {
        let n = self.ndim(vm);
        if (0..n).any(|d| self.extent(vm, d) == 0) {
            return true;
        }
        let mut expected = self.itemsize.get() as isize;
        for i in 0..n {
            let d = if c_order { n - 1 - i } else { i };
            if self.extent(vm, d) > 1 && self.stride(vm, d) != expected {
                return false;
            }
            expected *= self.extent(vm, d) as isize;
        }
        true
    }

    /// Address of the exporter's first byte, good until the next allocation.
    fn base(self, vm: &Vm) -> *mut u8 {
        let obj = self.obj.get();
        match shape_of(obj).layout {
            Layout::ByteArray => {
                let s = self.storage.get();
                if s.is_null() {
                    std::ptr::NonNull::dangling().as_ptr()
                } else {
                    Gc::<Raw>::from_value(s).bytes()
                }
            }
            _ => vm.exported(obj).map_or(std::ptr::null_mut(), |e| e.data),
        }
    }

    /// Address of the item at byte distance `at` from the view's first.
    fn item(self, vm: &Vm, at: isize) -> *mut u8 {
        let base = self.base(vm);
        // SAFETY: offsets were checked when the view was made and lie within the
        // storage it holds.
        unsafe { base.offset(self.offset.get() as isize + at) }
    }
}

impl Vm {
    /// A view of a whole object that exports its bytes; `None` if it does not.
    ///
    /// # Errors
    /// ValueError for a view that was released.
    pub fn new_memoryview(&mut self, obj: Value) -> R<Option<Value>> {
        if obj.is_ptr() && shape_of(obj).layout == Layout::MemoryView {
            let v = live(self, obj)?;
            return Ok(Some(copy(self, v).value()));
        }
        let Some(e) = self.exported(obj) else {
            return Ok(None);
        };
        let v = self.alloc::<PyMemoryView>(self.types.memoryview);
        v.obj.set(obj);
        self.write_barrier(v.value());
        v.nbytes.set(e.len);
        v.itemsize.set(e.itemsize);
        v.flags.set(if e.readonly { READONLY } else { 0 });
        let format = self.intern(e.format);
        let shape = self.numbers(&[(e.len / e.itemsize) as i64]);
        let strides = self.numbers(&[e.itemsize as i64]);
        v.format.set(format);
        v.shape.set(shape);
        v.strides.set(strides);
        if shape_of(obj).layout == Layout::ByteArray {
            v.storage.set(Gc::<PyByteArray>::from_value(obj).data.get());
        }
        self.write_barrier(v.value());
        self.count_export(obj, 1);
        Ok(Some(v.value()))
    }

    fn numbers(&mut self, n: &[i64]) -> Value {
        let t = self.new_tuple_uninit(n.len());
        for (i, &n) in n.iter().enumerate() {
            let v = self.new_int(n);
            self.tuple_init(t, i, v);
        }
        t
    }

    /// Content of a view whose bytes lie one behind the other.
    pub(crate) fn memoryview_exported(&self, v: Value) -> Option<Exported> {
        let m = view(v);
        if m.flags.get() & RELEASED != 0 || !m.contiguous(self, true) {
            return None;
        }
        Some(Exported {
            data: m.item(self, 0),
            len: m.nbytes.get(),
            readonly: m.readonly(),
            itemsize: m.itemsize.get(),
            format: "B",
        })
    }

    /// Content of a bytes-like object, copied; a view may have any strides.
    ///
    /// # Errors
    /// ValueError for a view that was released.
    pub fn buffer_copy(&mut self, v: Value) -> R<Option<Vec<u8>>> {
        if v.is_ptr() && shape_of(v).layout == Layout::MemoryView {
            return content(self, v).map(Some);
        }
        Ok(self.buffer(v).map(<[u8]>::to_vec))
    }

    /// True if views keep a bytearray from changing its size.
    pub fn bytearray_locked(&mut self, v: Value) -> bool {
        thread_local! {
            /// When the last count ended, and how long it took.
            static LAST: Cell<Option<(Instant, Duration)>> = const { Cell::new(None) };
        }
        let b = Gc::<PyByteArray>::from_value(v);
        if b.exports.get() == 0 {
            return false;
        }
        // A program that keeps making and dropping views between changes of size
        // must not spend its time counting.
        if let Some((at, took)) = LAST.get()
            && at.elapsed() < took * 10
        {
            return false;
        }
        let start = Instant::now();
        self.clear_dead_registers();
        self.heap.collect(true);
        let class = self.types.memoryview;
        let mut n = 0;
        self.heap.for_each_object(&mut |p| {
            let o = Value::from_ptr(p);
            // SAFETY: the heap hands out whole objects; those without a shape are padding.
            let header = unsafe { *p };
            if pyrite_machine::Header::kind(header) != crate::layout::kind::RAW4
                || shape_of(o).class() != class
            {
                return;
            }
            let m = view(o);
            if m.flags.get() & RELEASED == 0 && m.obj.get() == v {
                n += 1;
            }
        });
        b.exports.set(n);
        if n == 0 {
            LAST.set(Some((Instant::now(), start.elapsed())));
        }
        n > 0
    }
}

fn new(vm: &mut Vm, a: &[Value]) -> R {
    if let Some(v) = vm.new_memoryview(a[1])? {
        return Ok(v);
    }
    let m = format!(
        "memoryview: a bytes-like object is required, not '{}'",
        vm.class_name(a[1])
    );
    Err(vm.type_error(&m))
}

/// Another view of the same bytes.
fn copy(vm: &mut Vm, v: Gc<PyMemoryView>) -> Gc<PyMemoryView> {
    let n = vm.alloc::<PyMemoryView>(vm.types.memoryview);
    n.offset.set(v.offset.get());
    n.nbytes.set(v.nbytes.get());
    n.itemsize.set(v.itemsize.get());
    n.flags.set(v.flags.get());
    n.obj.set(v.obj.get());
    n.storage.set(v.storage.get());
    n.format.set(v.format.get());
    n.shape.set(v.shape.get());
    n.strides.set(v.strides.get());
    vm.count_export(v.obj.get(), 1);
    n
}

fn release(vm: &mut Vm, v: Value) {
    let m = view(v);
    if m.flags.get() & RELEASED == 0 {
        m.flags.set(m.flags.get() | RELEASED);
        vm.count_export(m.obj.get(), -1);
    }
}

/// Calls `f` with the byte distance of each item, last index fastest.
fn each_item(vm: &Vm, v: Gc<PyMemoryView>, c_order: bool, f: &mut dyn FnMut(isize)) {
    let n = v.ndim(vm);
    let extents: Vec<usize> = (0..n).map(|d| v.extent(vm, d)).collect();
    let strides: Vec<isize> = (0..n).map(|d| v.stride(vm, d)).collect();
    if extents.contains(&0) {
        return;
    }
    let mut index = vec![0usize; n];
    loop {
        f(index
            .iter()
            .zip(&strides)
            .map(|(&i, &s)| i as isize * s)
            .sum());
        let mut k = 0;
        loop {
            if k == n {
                return;
            }
            let d = if c_order { n - 1 - k } else { k };
            index[d] += 1;
            if index[d] < extents[d] {
                break;
            }
            index[d] = 0;
            k += 1;
        }
    }
}

fn gather(vm: &Vm, v: Gc<PyMemoryView>, c_order: bool) -> Vec<u8> {
    if v.contiguous(vm, c_order) {
        // SAFETY: the items lie one behind the other, from the first on.
        return unsafe { std::slice::from_raw_parts(v.item(vm, 0), v.nbytes.get()) }.to_vec();
    }
    let size = v.itemsize.get();
    let mut out = Vec::with_capacity(v.nbytes.get());
    each_item(vm, v, c_order, &mut |at| {
        // SAFETY: an item of the view; nothing allocates on the heap meanwhile.
        out.extend_from_slice(unsafe { std::slice::from_raw_parts(v.item(vm, at), size) });
    });
    out
}

fn content(vm: &mut Vm, v: Value) -> R<Vec<u8>> {
    let v = live(vm, v)?;
    Ok(gather(vm, v, true))
}

fn tobytes(vm: &mut Vm, a: &[Value]) -> R {
    let v = live(vm, a[0])?;
    let mut order = "C".to_owned();
    if a[1].is_some() && a[1] != vm.none {
        if !vm.is_str(a[1]) {
            let m = format!(
                "tobytes() argument 'order' must be str or None, not {}",
                vm.class_name(a[1])
            );
            return Err(vm.type_error(&m));
        }
        order = vm.str_to_string(a[1]);
    }
    let c_order = match order.as_str() {
        "C" => true,
        "F" => false,
        "A" => v.contiguous(vm, true) || !v.contiguous(vm, false),
        _ => return Err(vm.value_error("order must be 'C', 'F' or 'A'")),
    };
    let b = gather(vm, v, c_order);
    Ok(vm.new_bytes(&b))
}

fn list_of(vm: &mut Vm, v: Gc<PyMemoryView>, f: Format, dimension: usize, at: isize) -> R {
    if dimension == v.ndim(vm) {
        return load(vm, v, f, at);
    }
    let l = vm.new_list(&[]);
    for i in 0..v.extent(vm, dimension) {
        let x = list_of(
            vm,
            v,
            f,
            dimension + 1,
            at + i as isize * v.stride(vm, dimension),
        )?;
        vm.list_append(l, x);
    }
    Ok(l)
}

fn load(vm: &mut Vm, v: Gc<PyMemoryView>, f: Format, at: isize) -> R {
    let mut bytes = [0u8; 8];
    let n = v.itemsize.get().min(8);
    // SAFETY: an item of the view.
    unsafe { std::ptr::copy_nonoverlapping(v.item(vm, at), bytes.as_mut_ptr(), n) };
    Ok(item::unpack(vm, f, &bytes))
}

fn store(vm: &mut Vm, v: Gc<PyMemoryView>, f: Format, at: isize, x: Value) -> R<()> {
    let bytes = item::pack(vm, f, x)?;
    // Converting may have run code that released the view.
    live(vm, v.value())?;
    let n = v.itemsize.get().min(8);
    // SAFETY: an item of the view, which can be written to.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), v.item(vm, at), n) };
    Ok(())
}

fn no_sub_views(vm: &mut Vm) -> Raised {
    vm.not_implemented_error("multi-dimensional sub-views are not implemented")
}

/// Byte distance of the item that `index` names in a dimension.
fn distance(vm: &mut Vm, v: Gc<PyMemoryView>, dimension: usize, index: Value) -> R<isize> {
    let i = vm.index_i64(index, false)?;
    let v = live(vm, v.value())?;
    let n = v.extent(vm, dimension) as i64;
    let i = if i < 0 { i + n } else { i };
    if i < 0 || i >= n {
        let m = format!("index out of bounds on dimension {}", dimension + 1);
        return Err(vm.index_error(&m));
    }
    Ok(i as isize * v.stride(vm, dimension))
}

/// Byte distance of the item that a tuple of integers names.
fn multi_distance(vm: &mut Vm, v: Gc<PyMemoryView>, t: Value) -> R<isize> {
    let (n, ndim) = (vm.tuple_len(t), v.ndim(vm));
    if n < ndim {
        return Err(vm.not_implemented_error("sub-views are not implemented"));
    }
    if n > ndim {
        let m = format!("cannot index {ndim}-dimension view with {n}-element tuple");
        return Err(vm.type_error(&m));
    }
    let mut at = 0;
    for d in 0..n {
        at += distance(vm, v, d, vm.tuple_get(t, d))?;
    }
    Ok(at)
}

/// What a key is.
enum Key {
    Index,
    Slice,
    Indices(Value),
    Slices,
    Other,
}

fn key_kind(vm: &mut Vm, key: Value) -> Key {
    let is_index = |vm: &mut Vm, v: Value| {
        vm.is_int(v) || {
            let n = vm.names.index;
            vm.lookup_on(v, n).is_some()
        }
    };
    if is_index(vm, key) {
        return Key::Index;
    }
    if vm.is_slice(key) {
        return Key::Slice;
    }
    if let Some(t) = vm.as_tuple(key) {
        let items = vm.tuple_items(t);
        if items.iter().all(|&i| is_index(vm, i)) {
            return Key::Indices(t);
        }
        if items.iter().all(|&i| vm.is_slice(i)) {
            return Key::Slices;
        }
    }
    Key::Other
}

/// The part of a view that a slice of its first dimension selects.
fn sliced(vm: &mut Vm, v: Gc<PyMemoryView>, s: Value) -> R<Gc<PyMemoryView>> {
    let bounds = vm.slice_unpack(s)?;
    let v = live(vm, v.value())?;
    let r = slice_range(bounds, v.extent(vm, 0));
    let n = copy(vm, v);
    let (extent, stride) = (v.extent(vm, 0), v.stride(vm, 0));
    if r.len > 0 {
        n.offset
            .set((n.offset.get() as isize + r.start as isize * stride) as usize);
    }
    let dims = v.ndim(vm);
    let mut shape: Vec<i64> = (0..dims).map(|d| v.extent(vm, d) as i64).collect();
    let mut strides: Vec<i64> = (0..dims).map(|d| v.stride(vm, d) as i64).collect();
    shape[0] = r.len as i64;
    strides[0] = (stride as i64).saturating_mul(r.step);
    n.nbytes.set(
        v.nbytes
            .get()
            .checked_div(extent)
            .map_or(0, |row| row * r.len),
    );
    let t = vm.numbers(&shape);
    n.shape.set(t);
    vm.write_barrier(n.value());
    let t = vm.numbers(&strides);
    n.strides.set(t);
    vm.write_barrier(n.value());
    Ok(n)
}

fn getitem(vm: &mut Vm, a: &[Value]) -> R {
    let v = live(vm, a[0])?;
    let dims = v.ndim(vm);
    if dims == 0 {
        if a[1] == vm.ellipsis {
            return Ok(a[0]);
        }
        if vm.as_tuple(a[1]).is_some_and(|t| vm.tuple_len(t) == 0) {
            let f = v.format(vm)?;
            return load(vm, v, f, 0);
        }
        return Err(vm.type_error("invalid indexing of 0-dim memory"));
    }
    match key_kind(vm, a[1]) {
        Key::Index => {
            let f = v.format(vm)?;
            if dims > 1 {
                return Err(no_sub_views(vm));
            }
            let at = distance(vm, v, 0, a[1])?;
            load(vm, v, f, at)
        }
        Key::Slice => Ok(sliced(vm, v, a[1])?.value()),
        Key::Indices(t) => {
            let f = v.format(vm)?;
            let at = multi_distance(vm, v, t)?;
            load(vm, v, f, at)
        }
        Key::Slices => {
            Err(vm.not_implemented_error("multi-dimensional slicing is not implemented"))
        }
        Key::Other => Err(vm.type_error("memoryview: invalid slice key")),
    }
}

fn setitem(vm: &mut Vm, a: &[Value]) -> R {
    let v = live(vm, a[0])?;
    let none = vm.none;
    let dims = v.ndim(vm);
    let f = v.format(vm);
    if v.readonly() {
        vm.exc = Value::NULL;
        return Err(vm.type_error("cannot modify read-only memory"));
    }
    if dims == 0 {
        if a[1] == vm.ellipsis || vm.as_tuple(a[1]).is_some_and(|t| vm.tuple_len(t) == 0) {
            store(vm, v, f?, 0, a[2])?;
            return Ok(none);
        }
        return Err(vm.type_error("invalid indexing of 0-dim memory"));
    }
    match key_kind(vm, a[1]) {
        Key::Index => {
            if dims > 1 {
                return Err(vm.not_implemented_error("sub-views are not implemented"));
            }
            let at = distance(vm, v, 0, a[1])?;
            store(vm, v, f?, at, a[2])?;
        }
        Key::Slice if dims == 1 => {
            vm.exc = Value::NULL;
            assign_slice(vm, v, a[1], a[2])?;
        }
        Key::Indices(t) => {
            let at = multi_distance(vm, v, t)?;
            store(vm, v, f?, at, a[2])?;
        }
        Key::Slice | Key::Slices => {
            return Err(vm.not_implemented_error(
                "memoryview slice assignments are currently restricted to ndim = 1",
            ));
        }
        Key::Other => return Err(vm.type_error("memoryview: invalid slice key")),
    }
    Ok(none)
}

fn assign_slice(vm: &mut Vm, v: Gc<PyMemoryView>, key: Value, from: Value) -> R<()> {
    let Some(from) = vm.new_memoryview(from)? else {
        let m = format!(
            "a bytes-like object is required, not '{}'",
            vm.class_name(from)
        );
        return Err(vm.type_error(&m));
    };
    let from = view(from);
    let to = sliced(vm, v, key)?;
    let strip = |s: String| s.strip_prefix('@').map(str::to_owned).unwrap_or(s);
    let (f, g) = (
        strip(vm.str_to_string(from.format.get())),
        strip(vm.str_to_string(to.format.get())),
    );
    let same = f == g
        && from.ndim(vm) == 1
        && from.itemsize.get() == to.itemsize.get()
        && from.extent(vm, 0) == to.extent(vm, 0);
    if same {
        let bytes = gather(vm, from, true);
        // One copy for the whole of a contiguous view, else one for each item.
        let (size, stride) = if to.contiguous(vm, true) {
            (bytes.len().max(1), 0)
        } else {
            (to.itemsize.get(), to.stride(vm, 0))
        };
        for (i, b) in bytes.chunks_exact(size).enumerate() {
            // SAFETY: items of the view, which can be written to.
            unsafe {
                std::ptr::copy_nonoverlapping(b.as_ptr(), to.item(vm, i as isize * stride), size);
            }
        }
    }
    release(vm, from.value());
    release(vm, to.value());
    if !same {
        return Err(
            vm.value_error("memoryview assignment: lvalue and rvalue have different structures")
        );
    }
    Ok(())
}

fn eq(vm: &mut Vm, a: &[Value]) -> R {
    if a[0] == a[1] {
        return Ok(vm.true_);
    }
    if view(a[0]).flags.get() & RELEASED != 0 {
        return Ok(vm.false_);
    }
    if a[1].is_ptr()
        && shape_of(a[1]).layout == Layout::MemoryView
        && view(a[1]).flags.get() & RELEASED != 0
    {
        return Ok(vm.false_);
    }
    let Some(other) = vm.new_memoryview(a[1])? else {
        return Ok(vm.not_implemented);
    };
    let (v, w) = (view(a[0]), view(other));
    let r = same_items(vm, v, w);
    release(vm, other);
    let r = r?;
    Ok(vm.bool(r))
}

fn same_items(vm: &mut Vm, v: Gc<PyMemoryView>, w: Gc<PyMemoryView>) -> R<bool> {
    let dims = v.ndim(vm);
    if dims != w.ndim(vm) || (0..dims).any(|d| v.extent(vm, d) != w.extent(vm, d)) {
        return Ok(false);
    }
    let (f, g) = (
        vm.str_to_string(v.format.get()),
        vm.str_to_string(w.format.get()),
    );
    let (Some(f), Some(g)) = (Format::parse(&f), Format::parse(&g)) else {
        return Ok(false);
    };
    if f == g && f.bytes_tell() {
        return Ok(gather(vm, v, true) == gather(vm, w, true));
    }
    let (mut at, mut bt) = (Vec::new(), Vec::new());
    each_item(vm, v, true, &mut |i| at.push(i));
    each_item(vm, w, true, &mut |i| bt.push(i));
    for (i, j) in at.into_iter().zip(bt) {
        let x = load(vm, v, f, i)?;
        let y = load(vm, w, g, j)?;
        // A NaN differs from itself, which identity would hide.
        let nan = x.as_float().is_some_and(f64::is_nan);
        if nan || !vm.eq(x, y)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn hash(vm: &mut Vm, a: &[Value]) -> R {
    let have = view(a[0]).hash.get();
    if have.is_some() {
        return Ok(have);
    }
    let v = live(vm, a[0])?;
    if !v.readonly() {
        return Err(vm.value_error("cannot hash writable memoryview object"));
    }
    let f = vm.str_to_string(v.format.get());
    if !matches!(f.trim_start_matches('@'), "B" | "b" | "c") {
        return Err(vm.value_error("memoryview: hashing is restricted to formats 'B', 'b' or 'c'"));
    }
    vm.hash(v.obj.get())?;
    let b = gather(vm, v, true);
    let b = vm.new_bytes(&b);
    let h = vm.hash(b)?;
    let h = vm.new_int(h);
    v.hash.set(h);
    vm.write_barrier(a[0]);
    Ok(h)
}

fn cast(vm: &mut Vm, a: &[Value]) -> R {
    let v = live(vm, a[0])?;
    if !vm.is_str(a[1]) {
        let m = format!(
            "cast() argument 'format' must be str, not {}",
            vm.class_name(a[1])
        );
        return Err(vm.type_error(&m));
    }
    if !v.contiguous(vm, true) {
        return Err(vm.type_error("memoryview: casts are restricted to C-contiguous views"));
    }
    let with_shape = a[2].is_some() && a[2] != vm.none;
    let dims = v.ndim(vm);
    if (with_shape || dims != 1) && (0..dims).any(|d| v.extent(vm, d) == 0) {
        return Err(vm.type_error("memoryview: cannot cast view with zeros in shape or strides"));
    }
    let mut shape = Vec::new();
    if with_shape {
        let items: Value = if vm.is_list(a[2]) {
            vm.list_to_tuple(a[2])
        } else if let Some(t) = vm.as_tuple(a[2]) {
            t
        } else {
            return Err(vm.type_error("shape must be a list or a tuple"));
        };
        let n = vm.tuple_len(items);
        if n > MAX_DIMENSIONS {
            return Err(vm.value_error("memoryview: number of dimensions must not exceed 64"));
        }
        if dims != 1 && n != 1 {
            return Err(vm.type_error("memoryview: cast must be 1D -> ND or ND -> 1D"));
        }
        for i in 0..n {
            let x = vm.tuple_get(items, i);
            let Some(x) = vm.as_int(x) else {
                return Err(vm.type_error("memoryview.cast(): elements of shape must be integers"));
            };
            match vm.int_to_i64(x) {
                Some(x) if x > 0 => shape.push(x),
                _ => {
                    return Err(
                        vm.value_error("memoryview.cast(): elements of shape must be integers > 0")
                    );
                }
            }
        }
    }
    let text = vm.str_to_string(a[1]);
    let Some(to) = Format::parse(&text) else {
        return Err(vm.value_error(
            "memoryview: destination format must be a native single character format prefixed with an optional '@'",
        ));
    };
    let from = vm.str_to_string(v.format.get());
    let Some(from) = Format::parse(&from) else {
        return Err(vm.value_error(
            "memoryview: source format must be a native single character format prefixed with an optional '@'",
        ));
    };
    if !from.is_byte() && !to.is_byte() {
        return Err(vm.type_error("memoryview: cannot cast between two non-byte formats"));
    }
    let size = to.size();
    if !v.nbytes.get().is_multiple_of(size) {
        return Err(vm.type_error("memoryview: length is not a multiple of itemsize"));
    }
    if with_shape {
        let mut product = size as i64;
        for &x in &shape {
            let Some(p) = product.checked_mul(x) else {
                return Err(vm.value_error("memoryview.cast(): product(shape) > SSIZE_MAX"));
            };
            product = p;
        }
        if product != v.nbytes.get() as i64 {
            return Err(vm.type_error("memoryview: product(shape) * itemsize != buffer size"));
        }
    } else {
        shape.push((v.nbytes.get() / size) as i64);
    }
    let mut strides = vec![size as i64; shape.len()];
    for d in (1..shape.len()).rev() {
        strides[d - 1] = strides[d] * shape[d];
    }
    let n = copy(vm, v);
    n.itemsize.set(size);
    n.format.set(a[1]);
    let t = vm.numbers(&shape);
    n.shape.set(t);
    vm.write_barrier(n.value());
    let t = vm.numbers(&strides);
    n.strides.set(t);
    vm.write_barrier(n.value());
    Ok(n.value())
}
