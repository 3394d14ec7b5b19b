//! Programs whose memory must stay bounded. No comparison of results sees a leak, so these
//! have ceilings. The native stack counts here, as it does in life.

use pyrite_machine::Value;

use super::*;

fn node(heap: Heap, id: usize, count: usize) -> *mut u64 {
    slots(heap, NODE, id as u32, count).expect("room").as_ptr()
}

/// Sets a slot of an object that may be old.
fn set(heap: Heap, obj: u64, index: usize, to: u64) {
    // SAFETY: callers pass an object with that many slots.
    unsafe {
        let obj = obj as *mut u64;
        *slot(obj, index) = Value::from_bits(to);
        heap.barrier(obj);
    }
}

fn get(obj: u64, index: usize) -> u64 {
    // SAFETY: callers pass an object with that many slots.
    unsafe { (*slot(obj as *mut u64, index)).bits() }
}

fn config(evacuate: Evacuate) -> Config {
    Config {
        young_bytes: 256 << 10,
        full_floor_bytes: 1 << 20,
        evacuate,
        ..Config::default()
    }
}

const MODES: [Evacuate; 3] = [Evacuate::Adaptive, Evacuate::Always, Evacuate::Never];

#[test]
fn a_chain_with_only_its_tail_alive_stays_small() {
    for mode in MODES {
        let t = TestHeap::new(config(mode));
        t.roots().exact = vec![node(t.heap, 0, 1) as u64];
        let mut most = 0;
        for i in 0..400_000 {
            let n = node(t.heap, i, 1) as u64;
            set(t.heap, t.roots().exact[0], 0, n);
            t.roots().exact[0] = n;
            if i % 1000 == 0 {
                most = most.max(t.heap.stats().used_bytes);
            }
        }
        assert!(t.heap.stats().full_collections > 0);
        assert!(most < 4 << 20, "{mode:?}: {most} bytes for one live node");
    }
}

#[test]
fn a_ring_of_lists_stays_at_its_size() {
    for mode in MODES {
        let t = TestHeap::new(config(mode));
        let ring = 1000;
        t.roots().exact = vec![0; ring];
        let mut most = 0;
        for i in 0..200_000 {
            let n = node(t.heap, i, 2) as u64;
            let at = i % ring;
            // Two nodes per entry: the one before hangs on to the new one.
            set(t.heap, n, 0, t.roots().exact[at]);
            let before = t.roots().exact[at];
            if before != 0 {
                set(t.heap, before, 0, 0);
            }
            t.roots().exact[at] = n;
            if i % 1000 == 0 {
                most = most.max(t.heap.stats().used_bytes);
            }
        }
        for at in 0..ring {
            let n = t.roots().exact[at];
            assert_ne!(get(n, 0), 0);
        }
        assert!(
            most < 5 << 20,
            "{mode:?}: {most} bytes for 64 KB of live nodes"
        );
    }
}

#[test]
fn a_queue_stays_at_its_size() {
    for mode in MODES {
        let t = TestHeap::new(config(mode));
        let first = node(t.heap, 0, 1) as u64;
        t.roots().exact = vec![first, first];
        let mut most = 0;
        for i in 1..300_000 {
            let n = node(t.heap, i, 1) as u64;
            set(t.heap, t.roots().exact[1], 0, n);
            t.roots().exact[1] = n;
            if i > 2000 {
                t.roots().exact[0] = get(t.roots().exact[0], 0);
            }
            if i % 1000 == 0 {
                most = most.max(t.heap.stats().used_bytes);
            }
        }
        // SAFETY: a root.
        let id = unsafe { *(t.roots().exact[0] as *mut u64).add(1) as u32 };
        assert_eq!(id, 299_999 - 2000);
        assert!(
            most < 5 << 20,
            "{mode:?}: {most} bytes for 48 KB of live nodes"
        );
    }
}

fn tree(t: &TestHeap, depth: usize) -> u64 {
    if depth == 0 {
        return node(t.heap, 1, 2) as u64;
    }
    let left = tree(t, depth - 1);
    t.roots().exact.push(left);
    let right = tree(t, depth - 1);
    t.roots().exact.push(right);
    let n = node(t.heap, 1 << depth, 2) as u64;
    for (i, root) in [(1, t.roots().exact.pop()), (0, t.roots().exact.pop())] {
        set(t.heap, n, i, root.expect("pushed above"));
    }
    n
}

fn tree_size(n: u64) -> usize {
    1 + (0..2)
        .map(|i| get(n, i))
        .filter(|&child| child != 0)
        .map(tree_size)
        .sum::<usize>()
}

#[test]
fn trees_are_complete_and_their_memory_is_reused() {
    for mode in MODES {
        let t = TestHeap::new(config(mode));
        let kept = tree(&t, 13);
        t.roots().exact.insert(0, kept);
        let mut most = 0;
        for _ in 0..40 {
            let n = tree(&t, 11);
            assert_eq!(tree_size(n), (1 << 12) - 1);
            most = most.max(t.heap.stats().used_bytes);
        }
        assert_eq!(tree_size(t.roots().exact[0]), (1 << 14) - 1);
        // 512 KB kept, at most 64 KB in the making.
        assert!(most < 4 << 20, "{mode:?}: {most} bytes");
    }
}

#[test]
fn sparse_survivors_do_not_hold_their_lines() {
    // One of 16 survives each time: the copies are dense.
    let t = TestHeap::exact(config(Evacuate::Adaptive));
    for i in 0..160_000 {
        let n = node(t.heap, i, 0) as u64;
        if i % 16 == 0 {
            t.roots().exact.push(n);
        }
    }
    t.heap.collect(false);
    let old = t.heap.stats().old_bytes;
    assert!(old < 2 * 160_000, "{old} bytes for 160 KB of survivors");
    assert!(t.heap.stats().evacuating > 0);
}

#[test]
fn full_survival_switches_to_marking_in_place() {
    let t = TestHeap::exact(config(Evacuate::Adaptive));
    for i in 0..100_000 {
        let n = node(t.heap, i, 1) as u64;
        set(t.heap, n, 0, t.roots().exact.first().copied().unwrap_or(0));
        t.roots().exact = vec![n];
    }
    let s = t.heap.stats();
    assert!(s.minor_collections > 5 && s.evacuating <= 2, "{s:?}");
    assert!(s.in_place_bytes > s.copied_bytes);
}

#[test]
fn fragmented_old_blocks_are_emptied_by_a_full_collection() {
    let t = TestHeap::exact(Config {
        full_floor_bytes: 64 << 20,
        ..config(Evacuate::Adaptive)
    });
    for i in 0..400_000 {
        let n = node(t.heap, i, 0) as u64;
        t.roots().exact.push(n);
    }
    t.heap.collect(true);
    let before = t.heap.stats().used_bytes;
    let mut i = 0;
    t.roots().exact.retain(|_| {
        i += 1;
        i % 100 == 0
    });
    t.heap.collect(true);
    // Its counts of live lines make the blocks sparse for the next one.
    t.heap.collect(true);
    let after = t.heap.stats().used_bytes;
    assert!(after * 10 < before, "{after} of {before} bytes");
    for (k, &n) in t.roots().exact.iter().enumerate() {
        // SAFETY: a root.
        unsafe { assert_eq!(*(n as *mut u64).add(1) as usize, 100 * k + 99) }
    }
}

#[test]
fn large_objects_are_reused_and_freed() {
    let t = TestHeap::exact(config(Evacuate::Adaptive));
    let mut most = 0;
    for i in 0..3000 {
        let count = 2000 + (i * 7919) % 30_000;
        let a = slots(t.heap, ARRAY, i as u32, count).expect("room");
        if t.roots().exact.len() < 8 {
            t.roots().exact.push(a.as_ptr() as u64);
        } else {
            t.roots().exact[i % 8] = a.as_ptr() as u64;
        }
        most = most.max(t.heap.stats().committed_bytes);
    }
    assert!(most < 16 << 20, "{most} bytes committed for 2 MB of arrays");
}
