//! Walking the objects of the heap outside of a collection.

use pyrite_machine::{Header, Value};

use crate::KindCount;
use crate::blocks::BLOCK;
use crate::heap::Core;
use crate::trace::Tracer;

/// Calls `each` with the objects of `start..end`.
///
/// # Safety
/// The range is a window of `core`: whole objects from start to end.
pub(crate) unsafe fn each_in_window(
    core: &Core,
    start: usize,
    end: usize,
    each: &mut dyn FnMut(*mut u64),
) {
    let mut at = start;
    while at < end {
        let obj = at as *mut u64;
        // SAFETY: the caller says that an object starts here.
        let bytes = unsafe { core.object_size(obj) };
        assert!(
            bytes > 0 && at + bytes <= end,
            "object {obj:p} of {bytes} bytes ends within its window"
        );
        each(obj);
        at += bytes;
    }
}

impl Core {
    /// Calls `each` with all marked objects: those that the last collection left.
    pub(crate) fn each_marked(&self, each: &mut dyn FnMut(*mut u64)) {
        self.blocks.each_used(&self.space, &mut |at| {
            self.space
                .each_mark(at, at + BLOCK, &mut |addr| each(addr as *mut u64));
        });
        self.large.each(&mut |at| {
            if self.space.is_marked(at) {
                each(at as *mut u64);
            }
        });
    }

    /// Calls `each` with all objects, dead ones that no collection has found included.
    pub(crate) fn for_each_object(&self, each: &mut dyn FnMut(*mut u64)) {
        self.each_marked(each);
        for (start, end) in self.young_windows() {
            // SAFETY: windows hold whole objects at a safepoint and between allocations.
            unsafe { each_in_window(self, start, end, each) }
        }
        self.large.each(&mut |at| {
            if !self.space.is_marked(at) {
                each(at as *mut u64);
            }
        });
    }

    /// # Safety
    /// `obj` is an object of this heap.
    pub(crate) unsafe fn trace_one(&self, obj: *mut u64, tracer: &mut Tracer) {
        // SAFETY: the caller passes an object.
        unsafe {
            if let Some(trace) = self.kinds[Header::kind(*obj) as usize].trace {
                trace(obj, tracer);
            }
        }
    }

    /// # Safety
    /// `obj` is an object of this heap.
    pub(crate) unsafe fn referents(&self, obj: *mut u64, each: &mut dyn FnMut(Value)) {
        let mut visit = |_: *mut Value, v: Value| each(v);
        // SAFETY: the caller passes an object.
        unsafe { self.trace_one(obj, &mut Tracer::visiting(self, &mut visit)) }
    }

    pub(crate) fn census(&self) -> Vec<KindCount> {
        let mut counts: Vec<KindCount> = self
            .kinds
            .iter()
            .map(|k| KindCount {
                name: k.name,
                objects: 0,
                bytes: 0,
            })
            .collect();
        self.for_each_object(&mut |obj| {
            // SAFETY: `for_each_object` passes objects.
            let (kind, bytes) = unsafe { (Header::kind(*obj), self.object_size(obj)) };
            let count = &mut counts[kind as usize];
            count.objects += 1;
            count.bytes += bytes;
        });
        counts.retain(|c| c.objects > 0);
        counts
    }
}
