//! A heap of its own for the collector's parts: pairs and nothing else.

use pyrite_gc::{Config, Heap, KindInfo, RootSource, Tracer};
use pyrite_machine::Kind;

const NODE: Kind = 0;

static KINDS: [KindInfo; 1] = [KindInfo::traced("node", trace_node)];

/// `[header, left, right, number]`
unsafe fn trace_node(obj: *mut u64, tracer: &mut Tracer) {
    // SAFETY: the collector passes a node of four words.
    unsafe { tracer.range(obj.add(1).cast(), obj.add(3).cast()) }
}

pub(crate) struct Roots(pub(crate) Vec<u64>);

impl RootSource for Roots {
    fn exact(&mut self, tracer: &mut Tracer) {
        let range = self.0.as_mut_ptr_range();
        // SAFETY: the vector's own words.
        unsafe { tracer.range(range.start.cast(), range.end.cast()) }
    }
}

/// A heap and its roots; both leak, the process is short.
pub(crate) fn heap(config: Config) -> (Heap, *mut Roots) {
    let heap = Heap::new(config, &KINDS).expect("the address space has room");
    let roots: *mut Roots = Box::leak(Box::new(Roots(Vec::new())));
    // SAFETY: leaked.
    unsafe { heap.set_roots(roots) };
    (heap, roots)
}

/// A new node.
pub(crate) fn node(heap: Heap, left: u64, right: u64, number: u64) -> u64 {
    let obj = heap.alloc(NODE, 4, 0).expect("room").as_ptr();
    // SAFETY: a fresh object of four words.
    unsafe {
        *obj.add(1) = left;
        *obj.add(2) = right;
        *obj.add(3) = number;
    }
    obj as u64
}

/// Number of a node.
pub(crate) fn number(node: u64) -> u64 {
    // SAFETY: what `node` made, alive by its roots.
    unsafe { *(node as *const u64).add(3) }
}
