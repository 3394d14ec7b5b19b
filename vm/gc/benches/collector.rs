//! Allocation, minor collections by survival, full collections, and the barrier.
//!
//! All rows use a 4 MB young budget and the adaptive choice, unless their name says
//! otherwise. Allocation rows include their share of collections.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use pyrite_gc::{Config, Evacuate, Heap, KindInfo, RootSource, Tracer};
use pyrite_machine::{Header, Kind, Value};

const NODE: Kind = 0;
const BYTES: Kind = 1;
const ARRAY: Kind = 2;

static KINDS: [KindInfo; 3] = [
    KindInfo::traced("node", trace_node),
    KindInfo::leaf("bytes"),
    KindInfo {
        size: Some(array_bytes),
        trace_range: Some(trace_array_range),
        ..KindInfo::traced("array", trace_array)
    },
];

/// `[header, left, right, padding]`
unsafe fn trace_node(obj: *mut u64, tracer: &mut Tracer) {
    // SAFETY: the collector passes a node of four words.
    unsafe { tracer.range(obj.add(1).cast(), obj.add(3).cast()) }
}

/// `[header, count, slot...]`
unsafe fn trace_array(obj: *mut u64, tracer: &mut Tracer) {
    // SAFETY: the collector passes an array.
    unsafe { tracer.range(obj.add(2).cast(), obj.add(2 + *obj.add(1) as usize).cast()) }
}

unsafe fn trace_array_range(obj: *mut u64, lo: *mut u64, hi: *mut u64, tracer: &mut Tracer) {
    // SAFETY: the collector passes an array.
    unsafe {
        let end = obj.add(2 + *obj.add(1) as usize);
        tracer.range(lo.max(obj.add(2)).cast(), hi.min(end).cast());
    }
}

unsafe fn array_bytes(obj: *const u64) -> usize {
    // SAFETY: the collector passes an array.
    unsafe { (2 + *obj.add(1) as usize) * 8 }
}

struct Roots(Vec<u64>);

impl RootSource for Roots {
    fn exact(&mut self, tracer: &mut Tracer) {
        let range = self.0.as_mut_ptr_range();
        // SAFETY: the vector's own words.
        unsafe { tracer.range(range.start.cast(), range.end.cast()) }
    }
}

/// A heap and its roots; both leak, a benchmark process is short.
fn heap(config: Config) -> (Heap, *mut Roots) {
    let config = Config {
        reserve_bytes: 8 << 30,
        low_bytes: 1 << 20,
        ..config
    };
    let heap = Heap::new(config, &KINDS).expect("the address space has room");
    let roots: *mut Roots = Box::leak(Box::new(Roots(Vec::new())));
    // SAFETY: leaked.
    unsafe { heap.set_roots(roots) };
    (heap, roots)
}

fn node(heap: Heap, left: u64, right: u64) -> u64 {
    let obj = heap.alloc(NODE, 4, 0).expect("room").as_ptr();
    // SAFETY: a fresh object of four words.
    unsafe {
        *obj.add(1) = left;
        *obj.add(2) = right;
    }
    obj as u64
}

fn allocation(c: &mut Criterion) {
    let mut group = c.benchmark_group("allocate");
    let n = 100_000;
    group.throughput(Throughput::Elements(n));
    for words in [2, 4, 8, 64] {
        let (heap, _) = heap(Config::default());
        group.bench_function(format!("garbage of {} bytes", words * 8), |b| {
            b.iter(|| {
                for _ in 0..n {
                    black_box(heap.alloc(BYTES, words, 0));
                }
            })
        });
    }
    group.finish();
}

fn tree(heap: Heap, depth: usize) -> u64 {
    if depth == 0 {
        return node(heap, 0, 0);
    }
    // The native stack keeps both children, pinned.
    let left = tree(heap, depth - 1);
    let right = tree(heap, depth - 1);
    node(heap, left, right)
}

fn trees(c: &mut Criterion) {
    let mut group = c.benchmark_group("binary tree of depth 16");
    group.throughput(Throughput::Elements(1 << 17));
    for mode in [Evacuate::Adaptive, Evacuate::Always, Evacuate::Never] {
        let (heap, _) = heap(Config {
            evacuate: mode,
            ..Config::default()
        });
        group.bench_function(format!("{mode:?}"), |b| {
            b.iter(|| black_box(tree(heap, 16)))
        });
    }
    group.finish();
}

/// Fills 4 MB of nodes of which one of `every` survives.
fn fill(heap: Heap, roots: *mut Roots, every: usize) {
    // SAFETY: leaked; no borrow lives across an allocation.
    unsafe {
        (*roots).0.clear();
        for i in 0..(3 << 20) / 32 {
            let n = node(heap, 0, 0);
            if i % every == 0 {
                (*roots).0.push(n);
            }
        }
    }
}

fn minor(c: &mut Criterion) {
    let mut group = c.benchmark_group("minor collection of 3 MB");
    for mode in [Evacuate::Always, Evacuate::Never] {
        for (name, every) in [("all", 1), ("1 of 16", 16), ("none", usize::MAX)] {
            let (heap, roots) = heap(Config {
                evacuate: mode,
                young_bytes: 64 << 20,
                full_floor_bytes: usize::MAX / 2,
                ..Config::default()
            });
            group.bench_function(format!("{mode:?}, {name} survive"), |b| {
                b.iter_batched(
                    || {
                        // SAFETY: leaked.
                        unsafe { (*roots).0.clear() };
                        heap.collect(true);
                        fill(heap, roots, every)
                    },
                    |()| heap.collect(false),
                    BatchSize::PerIteration,
                )
            });
        }
    }
    group.finish();
}

fn full(c: &mut Criterion) {
    let mut group = c.benchmark_group("full collection");
    let (heap, roots) = heap(Config::default());
    group.bench_function("empty heap", |b| b.iter(|| heap.collect(true)));
    let kept = tree(heap, 19);
    // SAFETY: leaked.
    unsafe { (*roots).0 = vec![kept] };
    heap.collect(true);
    group.bench_function("tree of 1 M nodes", |b| b.iter(|| heap.collect(true)));
    group.finish();
}

fn stores(c: &mut Criterion) {
    let mut group = c.benchmark_group("store");
    let n = 100_000;
    group.throughput(Throughput::Elements(n));
    let (heap, roots) = heap(Config::default());
    let count = 1 << 20;
    let array = heap.alloc(ARRAY, 2 + count, 0).expect("room").as_ptr();
    let obj = node(heap, 0, 0);
    // SAFETY: a fresh array, which is large and does not move; the roots are leaked.
    unsafe {
        *array.add(1) = count as u64;
        (*roots).0 = vec![array as u64, obj];
    }
    heap.collect(false);
    group.bench_function("into one object", |b| {
        b.iter(|| {
            for _ in 0..n {
                // SAFETY: a node, and nothing is allocated here.
                unsafe {
                    let obj = (&(*roots).0)[1] as *mut u64;
                    *obj.add(1) = black_box(array as u64);
                    heap.barrier(obj);
                }
            }
        })
    });
    group.bench_function(
        "of 1 young box per 16 into an old array of 1 M slots",
        |b| {
            let mut k = 1usize;
            b.iter(|| {
                for i in 0..n {
                    let young = node(heap, 0, 0);
                    if i % 16 == 0 {
                        k = k.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                        // SAFETY: a slot of the array.
                        unsafe {
                            let slot = array.add(2 + (k >> 40) % count).cast::<Value>();
                            *slot = Value::from_bits(young);
                            heap.barrier_slot(array, slot);
                        }
                    }
                }
            })
        },
    );
    // SAFETY: the array's header.
    black_box(unsafe { *array } & Header::OLD);
    group.finish();
}

criterion_group!(benches, allocation, trees, minor, full, stores);
criterion_main!(benches);
