//! Tests of the collector. The object kinds they share are here.

mod behaviour;
mod model;
mod planted;
mod programs;

use std::cell::RefCell;
use std::ptr::NonNull;

use pyrite_machine::{Kind, Value};

use crate::{Config, Evacuate, Heap, KindInfo, RootSource, Stress, Tracer};

/// `[header, id | slots << 32, slot...]`
pub(crate) const NODE: Kind = 0;
/// The same, with cards.
pub(crate) const ARRAY: Kind = 1;
/// `[header, referent, id]`
pub(crate) const WEAK: Kind = 2;
/// As NODE; registered for finalization by the test.
pub(crate) const FINAL: Kind = 3;
/// `[header, id, external bytes]`, logs its drop.
pub(crate) const OWNER: Kind = 4;
/// `[header, id | words << 32, words equal to the id...]`
pub(crate) const BYTES: Kind = 5;

pub(crate) static KINDS: [KindInfo; 6] = [
    KindInfo {
        size: Some(size),
        ..KindInfo::traced("node", trace)
    },
    KindInfo {
        size: Some(size),
        trace_range: Some(trace_range),
        ..KindInfo::traced("array", trace)
    },
    KindInfo::leaf("weakref"),
    KindInfo::traced("final", trace),
    KindInfo {
        drop: Some(log_drop),
        ..KindInfo::leaf("owner")
    },
    KindInfo {
        size: Some(size),
        ..KindInfo::leaf("bytes")
    },
];

thread_local! {
    /// Ids of dropped OWNERs.
    pub(crate) static DROPPED: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn meta(id: u32, slots: usize) -> u64 {
    id as u64 | (slots as u64) << 32
}

pub(crate) unsafe fn slot_count(obj: *const u64) -> usize {
    // SAFETY: callers pass an object with a meta word.
    unsafe { (*obj.add(1) >> 32) as usize }
}

unsafe fn size(obj: *const u64) -> usize {
    // SAFETY: the collector passes an object of a kind with a meta word.
    unsafe { (2 + slot_count(obj)) * 8 }
}

unsafe fn trace(obj: *mut u64, tracer: &mut Tracer) {
    // SAFETY: as above; the slots follow the meta word.
    unsafe {
        let slots = obj.add(2).cast::<Value>();
        tracer.range(slots, slots.add(slot_count(obj)));
    }
}

unsafe fn trace_range(obj: *mut u64, lo: *mut u64, hi: *mut u64, tracer: &mut Tracer) {
    // SAFETY: as above.
    unsafe {
        let first = obj.add(2);
        let end = first.add(slot_count(obj));
        tracer.range(lo.max(first).cast(), hi.min(end).cast());
    }
}

unsafe fn log_drop(obj: *mut u64) -> usize {
    // SAFETY: the collector passes an OWNER.
    let (id, bytes) = unsafe { (*obj.add(1) as u32, *obj.add(2) as usize) };
    DROPPED.with_borrow_mut(|d| d.push(id));
    bytes
}

/// Allocates a NODE, ARRAY or FINAL with empty slots, or BYTES.
pub(crate) fn slots(heap: Heap, kind: Kind, id: u32, count: usize) -> Option<NonNull<u64>> {
    let obj = heap.alloc(kind, 2 + count, id)?;
    // SAFETY: the object has at least two words.
    unsafe { *obj.as_ptr().add(1) = meta(id, count) }
    Some(obj)
}

/// The slot with this index.
pub(crate) unsafe fn slot(obj: *mut u64, index: usize) -> *mut Value {
    // SAFETY: callers pass an object with that many slots.
    unsafe { obj.add(2 + index).cast() }
}

/// Exact roots and ambiguous words of a test.
#[derive(Default)]
pub(crate) struct Roots {
    pub(crate) exact: Vec<u64>,
    pub(crate) ambiguous: Vec<u64>,
    /// Of each collection, whether it was full.
    pub(crate) reports: Vec<bool>,
}

impl RootSource for Roots {
    fn pinned(&mut self, pins: &mut crate::Pins) {
        for &word in &self.ambiguous {
            pins.word(word);
        }
    }

    fn exact(&mut self, tracer: &mut Tracer) {
        let range = self.exact.as_mut_ptr_range();
        // SAFETY: the vector's own words.
        unsafe { tracer.range(range.start.cast(), range.end.cast()) }
    }

    fn finished(&mut self, report: &crate::Report) {
        self.reports.push(report.full);
    }
}

/// A heap of its own with test roots; unmapped when dropped.
pub(crate) struct TestHeap {
    pub(crate) heap: Heap,
    roots: *mut Roots,
}

impl TestHeap {
    pub(crate) fn new(config: Config) -> TestHeap {
        let config = Config {
            reserve_bytes: config.reserve_bytes.min(2 << 30),
            low_bytes: 1 << 20,
            ..config
        };
        let heap = Heap::new(config, &KINDS).expect("the address space has room");
        let roots: *mut Roots = Box::leak(Box::default());
        // SAFETY: the roots live as long as the heap.
        unsafe { heap.set_roots(roots) };
        TestHeap { heap, roots }
    }

    /// With words of the native stack ignored, so that liveness is exact.
    pub(crate) fn exact(config: Config) -> TestHeap {
        let t = TestHeap::new(config);
        t.heap.core_mut().ignore_native_stack = true;
        t
    }

    #[expect(
        clippy::mut_from_ref,
        reason = "tests borrow it for one statement at a time"
    )]
    pub(crate) fn roots(&self) -> &mut Roots {
        // SAFETY: leaked in `new`, freed in `drop`; no borrow lives across a safepoint.
        unsafe { &mut *self.roots }
    }
}

impl Drop for TestHeap {
    fn drop(&mut self) {
        // SAFETY: the test ends; both were leaked in `new`.
        unsafe {
            self.heap.destroy();
            drop(Box::from_raw(self.roots));
        }
    }
}

/// Every way to stress the collector, with small budgets.
pub(crate) fn stress_configs() -> Vec<(&'static str, Config)> {
    let checked = Stress {
        poison: true,
        verify: true,
        ..Stress::default()
    };
    let small = Config {
        young_bytes: 64 << 10,
        full_floor_bytes: 256 << 10,
        stress: checked,
        ..Config::default()
    };
    let tiny = Stress {
        every: 3,
        full_every: 7,
        tiny_windows: true,
        ..checked
    };
    vec![
        ("small", small),
        (
            "small moving",
            Config {
                evacuate: Evacuate::Always,
                ..small
            },
        ),
        (
            "small in place",
            Config {
                evacuate: Evacuate::Never,
                ..small
            },
        ),
        (
            "each slow path",
            Config {
                stress: Stress {
                    every: 1,
                    full_every: 4,
                    ..checked
                },
                ..small
            },
        ),
        (
            "tiny windows",
            Config {
                stress: tiny,
                ..small
            },
        ),
        (
            "tiny windows, moving",
            Config {
                stress: Stress { every: 1, ..tiny },
                evacuate: Evacuate::Always,
                ..small
            },
        ),
        (
            "tiny windows, in place",
            Config {
                stress: Stress { every: 2, ..tiny },
                evacuate: Evacuate::Never,
                ..small
            },
        ),
        (
            "tight limit",
            Config {
                max_bytes: 3 << 20,
                ..small
            },
        ),
    ]
}

/// A small deterministic generator (xorshift64*).
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Rng {
        Rng(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.next() >> 32) as usize * n) >> 32
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}
