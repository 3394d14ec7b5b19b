//! Where references live outside the heap.
//!
//! Exact roots are slots the collector may update. Ambiguous words (native stacks,
//! registers) may or may not be references: what they hit, by any address inside it, stays
//! alive and where it is. Since a pin must be known before anything moves, the embedder is
//! asked twice: first for pins, then for exact slots.

use std::ptr::NonNull;

use pyrite_machine::Value;

use crate::heap::Core;
use crate::{Heap, Report, Tracer};

/// The embedder's roots. Called during a collection: it must not allocate, use the
/// [`Heap`] handle, or touch heap objects other than through the argument.
pub trait RootSource {
    /// Reports references that must not move (constants embedded in machine code) and the
    /// ambiguous ranges of other threads' native stacks. The collecting thread's own
    /// stack needs no report. Before anything moves.
    fn pinned(&mut self, pins: &mut Pins) {
        let _ = pins;
    }

    /// Passes each exact, movable slot: the VM stack below its top (and zeroes the words
    /// from there to the high-water mark), constant tables, globals.
    fn exact(&mut self, tracer: &mut Tracer);

    /// Updates or drops entries of weak tables; everything alive is marked by now.
    fn after_mark(&mut self, weak: &WeakView) {
        let _ = weak;
    }

    /// The collection is over (the world is consistent, but still: no allocation). The
    /// place to set a poll flag when `report.pending`.
    fn finished(&mut self, report: &Report) {
        let _ = report;
    }
}

/// Collects ambiguous words and pinned roots.
pub struct Pins {
    pub(crate) base: usize,
    pub(crate) size: usize,
    pub(crate) words: Vec<usize>,
}

impl Pins {
    pub(crate) fn new(base: usize, size: usize) -> Pins {
        Pins {
            base,
            size,
            words: Vec::new(),
        }
    }

    /// A word that may be a reference or an address inside an object.
    #[inline]
    pub fn word(&mut self, word: u64) {
        // An end pointer of the last object lies one past the area; hence the `- 1` side.
        if (word as usize).wrapping_sub(self.base) <= self.size {
            self.words.push(word as usize);
        }
    }

    /// A reference that must not move. Words that are no pointers are ignored.
    #[inline]
    pub fn value(&mut self, value: Value) {
        self.word(value.bits());
    }

    /// The words of `lo..hi`, a native stack for instance.
    ///
    /// # Safety
    /// The range is readable and 8-aligned.
    pub unsafe fn range(&mut self, lo: *const u64, hi: *const u64) {
        let mut p = lo;
        while p < hi {
            // SAFETY: `p` lies in the range the caller vouches for. Volatile, since the
            // words belong to live frames of whatever type.
            unsafe {
                self.word(p.read_volatile());
                p = p.add(1);
            }
        }
    }
}

/// Answers, at the end of a collection, what became of a reference.
pub struct WeakView {
    pub(crate) core: *const Core,
}

impl WeakView {
    /// The reference's new value; `None`: its object is dead. Words that are no heap
    /// references come back as they are.
    pub fn forward(&self, value: Value) -> Option<Value> {
        // SAFETY: a view exists only during a collection, which keeps the core alive.
        unsafe { Core::forwarded(self.core, value) }
    }
}

/// The part of a [`RootVec`] that the heap has the address of.
pub(crate) struct RootVecCore {
    pub(crate) items: Vec<u64>,
    pub(crate) pinning: bool,
}

/// A growable vector of values outside the heap that the collector knows of.
///
/// Its memory is malloc's, so pushing is no safepoint. An exact one follows objects that
/// move; a pinning one keeps them in place.
pub struct RootVec {
    heap: Heap,
    inner: NonNull<RootVecCore>,
}

impl RootVec {
    /// An empty vector whose references are updated when objects move.
    pub fn new(heap: Heap) -> RootVec {
        RootVec::with(heap, false)
    }

    /// An empty vector whose objects do not move while they are in it.
    pub fn pinning(heap: Heap) -> RootVec {
        RootVec::with(heap, true)
    }

    fn with(heap: Heap, pinning: bool) -> RootVec {
        let inner = Box::leak(Box::new(RootVecCore {
            items: Vec::new(),
            pinning,
        }));
        let inner = NonNull::from(inner);
        heap.core_mut().root_vecs.push(inner);
        RootVec { heap, inner }
    }

    fn items(&self) -> &Vec<u64> {
        // SAFETY: `inner` is this vector's own box until drop; the collector uses it only
        // inside a collection, and no borrow of ours lives across one.
        unsafe { &self.inner.as_ref().items }
    }

    fn items_mut(&mut self) -> &mut Vec<u64> {
        // SAFETY: as in `items`, and `self` is borrowed exclusively.
        unsafe { &mut self.inner.as_mut().items }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.items().len()
    }

    /// True without values.
    pub fn is_empty(&self) -> bool {
        self.items().is_empty()
    }

    /// Appends a value.
    pub fn push(&mut self, value: Value) {
        self.items_mut().push(value.bits());
    }

    /// Removes and returns the last value.
    pub fn pop(&mut self) -> Option<Value> {
        self.items_mut().pop().map(Value::from_bits)
    }

    /// The value at `index`, if there is one.
    pub fn get(&self, index: usize) -> Option<Value> {
        self.items().get(index).copied().map(Value::from_bits)
    }

    /// Overwrites the value at `index`.
    ///
    /// # Panics
    /// If `index` is out of range.
    pub fn set(&mut self, index: usize, value: Value) {
        self.items_mut()[index] = value.bits();
    }

    /// Keeps the first `len` values.
    pub fn truncate(&mut self, len: usize) {
        self.items_mut().truncate(len);
    }

    /// Removes all values.
    pub fn clear(&mut self) {
        self.items_mut().clear();
    }

    /// Exchanges two values.
    ///
    /// # Panics
    /// If an index is out of range.
    pub fn swap(&mut self, a: usize, b: usize) {
        self.items_mut().swap(a, b);
    }
}

impl Drop for RootVec {
    fn drop(&mut self) {
        let vecs = &mut self.heap.core_mut().root_vecs;
        // Mostly used as a stack, so look from the end.
        if let Some(at) = vecs.iter().rposition(|v| *v == self.inner) {
            vecs.swap_remove(at);
        }
        // SAFETY: made by `Box::leak` in `with`, and no longer registered.
        drop(unsafe { Box::from_raw(self.inner.as_ptr()) });
    }
}
