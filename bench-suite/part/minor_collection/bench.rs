//! A minor collection of 3 MB of nodes of which one in 16 survives.

use crate::Ready;
use crate::nodes;
use criterion::BatchSize;

const NODES: u64 = (3 << 20) / 32;

pub(crate) fn ready() -> Ready {
    let (heap, roots) = nodes::heap(pyrite_gc::Config {
        // Nothing is collected but when asked.
        young_bytes: 64 << 20,
        full_floor_bytes: usize::MAX / 2,
        ..pyrite_gc::Config::default()
    });
    Box::new(move |bencher| {
        let fill = || {
            // SAFETY: leaked; no borrow lives across an allocation.
            unsafe {
                (*roots).0.clear();
                heap.collect(true);
                for number in 0..NODES {
                    let node = nodes::node(heap, 0, 0, number);
                    if number % 16 == 0 {
                        (*roots).0.push(node);
                    }
                }
            }
        };
        bencher.iter_batched(fill, |()| heap.collect(false), BatchSize::PerIteration);
        // SAFETY: leaked.
        let kept = unsafe { (*roots).0.clone() };
        let sum: u64 = kept.into_iter().map(nodes::number).sum();
        sum.to_string()
    })
}
