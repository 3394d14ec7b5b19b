//! Allocation helpers over the collector.

use crate::layout::{Array, Gc, NativeLayout, OBJECT_SLOT_BASE, PyType, Raw, kind, object_words};
use crate::shape::{Shape, shape_of};
use crate::vm::Vm;
use pyrite_gc::AllocState;
use pyrite_machine::{Kind, Value};

/// Maps the VM stack: zeroed, and never moved.
pub fn map_stack(words: usize) -> *mut Value {
    let layout = std::alloc::Layout::from_size_align(words * 8, 4096)
        .expect("the VM stack's size is a constant");
    // SAFETY: the size is not zero. Zeroed pages are committed when touched.
    let p = unsafe { std::alloc::alloc_zeroed(layout) };
    assert!(!p.is_null(), "no memory for the VM stack");
    p.cast()
}

/// Unmaps a thread's VM stack.
pub fn unmap_stack(stack: *mut Value, words: usize) {
    let layout = std::alloc::Layout::from_size_align(words * 8, 4096)
        .expect("the VM stack's size is a constant");
    // SAFETY: made by `map_stack` with the same size; its thread is done.
    unsafe { std::alloc::dealloc(stack.cast(), layout) }
}

/// The key of string hashes that belongs to a seed, as CPython derives it: no key
/// for 0, else bytes of a linear congruential generator.
pub(crate) fn seeded_key(seed: u64) -> (u64, u64) {
    if seed == 0 {
        return (0, 0);
    }
    let mut x = seed as u32;
    let mut bytes = [0u8; 16];
    for b in &mut bytes {
        x = x.wrapping_mul(214_013).wrapping_add(2_531_011);
        *b = (x >> 16) as u8;
    }
    let all = u128::from_le_bytes(bytes);
    (all as u64, (all >> 64) as u64)
}

/// A random key from the system.
pub fn random_key() -> (u64, u64) {
    use std::hash::{BuildHasher, Hasher};
    let a = std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish();
    let b = std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish();
    (a, b)
}

impl Vm {
    /// Allocates `words` words (header included), zeroed, with this header.
    /// Collects if need be; past the heap's limit MemoryError follows (see
    /// `memory.rs`). Ends the process when the system has no more memory.
    #[inline]
    pub fn alloc_words(&mut self, kind: Kind, words: usize, shape: u32) -> *mut u64 {
        match self.try_alloc_words(kind, words, shape) {
            Some(p) => p,
            None => self.out_of_memory(kind, words, shape),
        }
    }

    /// As [`Vm::alloc_words`], `None` when the heap limit is reached.
    #[inline]
    pub fn try_alloc_words(&mut self, kind: Kind, words: usize, shape: u32) -> Option<*mut u64> {
        // SAFETY: `alloc` is attached to the heap at boot; references live in places
        // the collector looks at, by this crate's rules.
        unsafe { AllocState::alloc(&raw mut self.alloc, kind, words, shape).map(|p| p.as_ptr()) }
    }

    #[cold]
    fn out_of_memory(&mut self, kind: Kind, words: usize, shape: u32) -> *mut u64 {
        self.grant_grace(words * 8);
        match self.try_alloc_words(kind, words, shape) {
            Some(p) => p,
            None => {
                eprintln!(
                    "Fatal Python error: the system has no room for {} bytes",
                    words * 8
                );
                std::process::exit(1)
            }
        }
    }

    /// A fresh object of a native layout and a class with that very layout.
    #[inline]
    pub fn alloc<T: NativeLayout>(&mut self, class: Gc<PyType>) -> Gc<T> {
        let shape = self.root_shape(class);
        let words = shape.instance_words();
        debug_assert!(words >= T::WORDS);
        Gc::from_raw(self.alloc_words(shape.kind, words, shape.id()).cast())
    }

    /// A fresh object that is neither seen by Python nor has a class: storage.
    #[inline]
    pub fn alloc_storage<T: NativeLayout>(&mut self, words: usize) -> Gc<T> {
        let shape = self.storage_shape;
        Gc::from_raw(self.alloc_words(T::KIND, words, shape).cast())
    }

    /// A fresh array of `cap` values, all null.
    pub fn new_array(&mut self, cap: usize) -> Gc<Array> {
        let a: Gc<Array> = self.alloc_storage(2 + cap);
        a.cap.set(cap);
        a
    }

    /// A fresh table of `len` zero bytes.
    pub fn new_raw(&mut self, len: usize) -> Gc<Raw> {
        let a: Gc<Raw> = self.alloc_storage(2 + len.div_ceil(8));
        a.len.set(len);
        a
    }

    /// Tells the collector that a reference was stored into `obj`.
    #[inline(always)]
    pub fn write_barrier(&mut self, obj: Value) {
        self.writes(obj);
        // SAFETY: a pointer value names a live object.
        unsafe { self.heap.barrier(obj.ptr()) };
    }

    /// Stores a value into word `i` of `obj`.
    #[inline(always)]
    pub fn store_word(&mut self, obj: Value, i: usize, v: Value) {
        // SAFETY: callers index within the object.
        unsafe { obj.ptr().add(i).write(v.bits()) };
        self.write_barrier(obj);
    }

    /// An instance of `class` with all its attributes unset; for classes whose
    /// layout is a plain object's or whose payload may start as zeros.
    pub fn new_instance(&mut self, class: Gc<PyType>) -> Value {
        let shape = self.root_shape(class);
        let p = self.alloc_words(shape.kind, shape.instance_words(), shape.id());
        let v = Value::from_ptr(p);
        let data = self.type_data(class);
        if data.has_finalizer {
            // SAFETY: a fresh object, not yet registered.
            unsafe { self.heap.register_finalizer(p) };
        }
        v
    }
}

impl Shape {
    /// Words of an instance, header included.
    #[inline(always)]
    pub fn instance_words(&self) -> usize {
        self.slot_base as usize + self.inline_cap as usize
    }
}

impl Array {
    /// Slot `i`.
    #[inline(always)]
    pub fn at(&self, i: usize) -> Value {
        debug_assert!(i < self.cap.get());
        // SAFETY: `cap` values follow the length word.
        unsafe { *std::ptr::from_ref(self).cast::<Value>().add(2 + i) }
    }

    /// Address of slot 0.
    #[inline(always)]
    pub fn slots(&self) -> *mut Value {
        // SAFETY: the values follow the length word.
        unsafe { std::ptr::from_ref(self).cast_mut().cast::<Value>().add(2) }
    }
}

impl Gc<Array> {
    /// Stores into slot `i`, with barrier.
    #[inline(always)]
    pub fn put(self, vm: &mut Vm, i: usize, v: Value) {
        debug_assert!(i < self.cap.get());
        // SAFETY: within the array.
        unsafe { *self.slots().add(i) = v };
        vm.write_barrier(self.value());
    }
}

impl Raw {
    /// Address of byte 0.
    #[inline(always)]
    pub fn bytes(&self) -> *mut u8 {
        // SAFETY: the bytes follow the length word.
        unsafe { std::ptr::from_ref(self).cast_mut().cast::<u8>().add(16) }
    }
}

/// Bits of a list's or tuple's items.
pub trait ToBits {
    /// The words' bits; the caller keeps the objects alive.
    fn to_vec_bits(&self) -> Vec<u64>;
}

impl ToBits for [Value] {
    fn to_vec_bits(&self) -> Vec<u64> {
        self.iter().map(|v| v.bits()).collect()
    }
}

/// Bytes an object takes, for `__sizeof__`.
pub fn size_of_object(v: Value) -> usize {
    if v.is_ptr() {
        // SAFETY: a pointer value names a live object.
        unsafe { object_words(v.ptr()) * 8 }
    } else {
        8
    }
}

/// True if this is a plain object layout with slots from word 2 on.
pub fn is_plain(v: Value) -> bool {
    shape_of(v).slot_base as usize == OBJECT_SLOT_BASE
}

const _: () = assert!(kind::VALUES == 1);
