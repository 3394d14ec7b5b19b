//! What each part promises, one claim per test.

use std::hint::black_box;

use pyrite_machine::{Header, Value};

use super::*;
use crate::{AllocState, RootVec, SMALL_MAX_BYTES};

fn small() -> Config {
    Config {
        young_bytes: 64 << 10,
        full_floor_bytes: 256 << 10,
        stress: Stress {
            poison: true,
            verify: true,
            ..Stress::default()
        },
        ..Config::default()
    }
}

fn live(heap: Heap) -> usize {
    heap.census().iter().map(|c| c.objects).sum()
}

#[test]
fn native_stack_keeps_objects_alive_and_in_place() {
    let t = TestHeap::new(Config {
        evacuate: Evacuate::Always,
        ..small()
    });
    let mut local = [0u64; 4];
    for (i, word) in local.iter_mut().enumerate() {
        // An address inside the object is enough.
        let obj = slots(t.heap, NODE, i as u32, 4).expect("room").as_ptr();
        *word = obj as u64 + 8 * i as u64;
    }
    black_box(&mut local);
    let at = local;
    for full in [false, true, false, true] {
        t.heap.collect(full);
        for i in 0..2000 {
            slots(t.heap, NODE, 1000 + i, 2).expect("room");
        }
    }
    for (i, &word) in black_box(&at).iter().enumerate() {
        let obj = (word - 8 * i as u64) as *mut u64;
        // SAFETY: the local array keeps the object where it is.
        unsafe { assert_eq!((*obj.add(1) as u32, slot_count(obj)), (i as u32, 4)) }
    }
}

#[inline(never)]
fn keep_in_callee_saved_registers(t: &TestHeap) -> bool {
    // Held across calls, so in callee-saved registers or spilled by the compiler.
    let a = slots(t.heap, NODE, 1, 1).expect("room").as_ptr();
    let b = slots(t.heap, NODE, 2, 1).expect("room").as_ptr();
    let c = slots(t.heap, NODE, 3, 1).expect("room").as_ptr();
    t.heap.collect(true);
    for i in 0..3000 {
        slots(t.heap, BYTES, 1000 + i, 2).expect("room");
    }
    t.heap.collect(true);
    // SAFETY: registers and stack keep all three where they are.
    unsafe { (*a.add(1) as u32, *b.add(1) as u32, *c.add(1) as u32) == (1, 2, 3) }
}

#[test]
fn registers_keep_objects_alive() {
    let t = TestHeap::new(Config {
        evacuate: Evacuate::Always,
        ..small()
    });
    assert!(keep_in_callee_saved_registers(&t));
}

#[test]
fn stacks_published_by_other_threads_pin() {
    let t = TestHeap::exact(Config {
        evacuate: Evacuate::Always,
        ..small()
    });
    let obj = slots(t.heap, NODE, 7, 1).expect("room").as_ptr();
    // What a thread without the lock has published: its stack from some sp on.
    t.roots().ambiguous = vec![0, 1, 17, obj as u64 + 16];
    t.heap.collect(false);
    t.heap.collect(true);
    // SAFETY: pinned.
    unsafe { assert_eq!(*obj.add(1) as u32, 7) }
    t.roots().ambiguous.clear();
    t.heap.collect(true);
    assert_eq!(live(t.heap), 0);
}

/// The lock's hand-over in the next test: which thread may run, and what the other one has
/// published.
struct Handover {
    heap: Heap,
    roots: *mut Roots,
    child_runs: std::sync::atomic::AtomicBool,
}

// SAFETY: the two threads use the handle and the roots in turns, as under a global lock.
unsafe impl Sync for Handover {}

impl Handover {
    fn give(&self, to_child: bool) {
        use std::sync::atomic::Ordering;
        self.child_runs.store(to_child, Ordering::Release);
        while self.child_runs.load(Ordering::Acquire) == to_child {
            std::thread::yield_now();
        }
    }
}

#[inline(never)]
fn release_and_wait(handover: &Handover) {
    let frame = [0u64; 1];
    let sp = black_box(frame.as_ptr()) as usize;
    let base = Heap::current_stack_base().expect("known") as usize;
    // SAFETY: this thread holds the lock; its own stack from here on is readable.
    unsafe {
        (*handover.roots).ambiguous = (sp..base)
            .step_by(8)
            .map(|at| (at as *const u64).read_volatile())
            .collect();
    }
    handover.give(false);
}

#[test]
fn the_lock_may_change_threads() {
    let t = TestHeap::new(Config {
        evacuate: Evacuate::Always,
        ..small()
    });
    let handover = Handover {
        heap: t.heap,
        roots: t.roots(),
        child_runs: false.into(),
    };
    let main_base = Heap::current_stack_base().expect("known");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !handover
                .child_runs
                .load(std::sync::atomic::Ordering::Acquire)
            {
                std::thread::yield_now();
            }
            let heap = handover.heap;
            // SAFETY: this thread has the lock now, and this is its stack.
            unsafe { heap.set_stack_base(Heap::current_stack_base().expect("known")) };
            let local = [slots(heap, NODE, 77, 1).expect("room").as_ptr() as u64];
            let local = black_box(&local);
            heap.collect(false);
            release_and_wait(&handover);
            // SAFETY: the published stack kept the object where it was.
            assert_eq!(unsafe { *(local[0] as *mut u64).add(1) as u32 }, 77);
            handover
                .child_runs
                .store(false, std::sync::atomic::Ordering::Release);
        });
        handover.give(true);
        // SAFETY: back on the first thread.
        unsafe { t.heap.set_stack_base(main_base) };
        for i in 0..10_000 {
            slots(t.heap, NODE, i, 2).expect("room");
        }
        t.heap.collect(true);
        handover.give(true);
    });
}

/// Entries that do not keep their objects alive.
struct WeakTable(Vec<Value>);

impl RootSource for WeakTable {
    fn exact(&mut self, _: &mut Tracer) {}

    fn after_mark(&mut self, weak: &crate::WeakView) {
        self.0 = self.0.iter().filter_map(|&v| weak.forward(v)).collect();
    }
}

#[test]
fn weak_tables_follow_and_forget() {
    let t = TestHeap::exact(Config {
        evacuate: Evacuate::Always,
        ..small()
    });
    let mut table = WeakTable(vec![Value::small(3)]);
    let mut kept = RootVec::new(t.heap);
    for i in 0..100 {
        let obj = Value::from_ptr(slots(t.heap, NODE, i, 1).expect("room").as_ptr());
        table.0.push(obj);
        if i % 10 == 0 {
            kept.push(obj);
        }
    }
    let table: *mut WeakTable = &mut table;
    // SAFETY: the table outlives the collections below.
    unsafe { t.heap.set_roots(table) };
    for full in [false, true] {
        t.heap.collect(full);
        // SAFETY: no safepoint while it is looked at.
        let entries = unsafe { &(*table).0 };
        assert_eq!((entries.len(), entries[0]), (11, Value::small(3)));
        for (i, &v) in entries[1..].iter().enumerate() {
            assert_eq!(kept.get(i), Some(v));
        }
    }
}

#[test]
fn an_end_pointer_keeps_the_last_object_of_a_window() {
    let t = TestHeap::exact(small());
    let obj = slots(t.heap, NODE, 7, 4).expect("room").as_ptr();
    t.roots().ambiguous = vec![obj as u64 + 48];
    t.heap.collect(true);
    assert_eq!(live(t.heap), 1);
}

#[test]
fn pinned_objects_stay_though_everything_moves() {
    let t = TestHeap::exact(Config {
        evacuate: Evacuate::Always,
        ..small()
    });
    let a = slots(t.heap, NODE, 1, 1).expect("room").as_ptr();
    let b = slots(t.heap, NODE, 2, 1).expect("room").as_ptr();
    // SAFETY: a fresh object.
    unsafe { t.heap.pin(a) };
    t.roots().exact = vec![a as u64, b as u64];
    t.heap.collect(false);
    assert_eq!(t.roots().exact[0], a as u64);
    assert_ne!(t.roots().exact[1], b as u64);
    let b = t.roots().exact[1];
    t.heap.collect(true);
    assert_eq!(t.roots().exact[0], a as u64);
    assert_ne!(t.roots().exact[1], b);
}

#[test]
fn weakrefs_are_cleared_before_finalizers_and_objects_resurrected_once() {
    let t = TestHeap::exact(small());
    let heap = t.heap;
    let f = slots(heap, FINAL, 1, 1).expect("room").as_ptr();
    let wr = heap.alloc(WEAK, 3, 0).expect("room").as_ptr();
    // SAFETY: fresh objects; no collection in between.
    unsafe {
        heap.register_finalizer(f);
        *wr.add(1) = f as u64;
        heap.register_weakref(wr);
    }
    t.roots().exact = vec![wr as u64];
    heap.collect(false);
    let dead = heap.take_dead_weakref().expect("its referent died");
    assert_eq!(dead.bits(), t.roots().exact[0]);
    // SAFETY: handed out, hence alive.
    unsafe { assert_eq!(*dead.ptr().add(1), 0) }
    assert!(heap.take_dead_weakref().is_none());
    let f = heap.take_finalizable().expect("it was to be finalized");
    assert!(!heap.has_pending());
    // SAFETY: as above.
    unsafe {
        assert_eq!(*f.ptr().add(1) as u32, 1);
        assert!(*f.ptr() & Header::FINALIZED != 0);
    }
    // Resurrected, then dropped for good.
    t.roots().exact.push(f.bits());
    heap.collect(true);
    assert_eq!(live(heap), 2);
    t.roots().exact.pop();
    heap.collect(true);
    assert_eq!(live(heap), 1);
    assert!(!heap.has_pending());
}

#[test]
fn an_object_knows_its_weakrefs_wherever_all_of_them_move() {
    let t = TestHeap::exact(Config {
        evacuate: Evacuate::Always,
        ..small()
    });
    let heap = t.heap;
    let obj = slots(heap, NODE, 1, 1).expect("room").as_ptr();
    t.roots().exact = vec![obj as u64];
    for _ in 0..4 {
        let wr = heap.alloc(WEAK, 3, 0).expect("room").as_ptr();
        // SAFETY: a fresh object; no collection in between.
        unsafe {
            *wr.add(1) = t.roots().exact[0];
            heap.register_weakref(wr);
        }
        t.roots().exact.push(wr as u64);
    }
    let refs = || {
        let mut all = Vec::new();
        // SAFETY: an object that is alive.
        unsafe { heap.weakrefs_of(t.roots().exact[0] as *mut u64, &mut |w| all.push(w.bits())) };
        all
    };
    for full in [false, true] {
        heap.collect(full);
        let mut found = refs();
        found.sort_unstable();
        let mut want = t.roots().exact[1..].to_vec();
        want.sort_unstable();
        assert_eq!(found, want);
    }
    // One dies, one is ended by hand.
    t.roots().exact.remove(2);
    let ended = t.roots().exact.remove(1) as *mut u64;
    // SAFETY: registered above.
    unsafe { heap.clear_weakref(ended) };
    heap.collect(true);
    assert_eq!(refs().len(), 2);
    t.roots().exact.remove(0);
    heap.collect(true);
    assert_eq!(heap.stats().weakrefs_cleared, 2);
}

#[test]
fn a_granted_heap_gets_its_limit_back_once_it_is_below() {
    let t = TestHeap::exact(Config {
        max_bytes: 2 << 20,
        ..small()
    });
    let heap = t.heap;
    let mut kept = RootVec::new(heap);
    let fill = |kept: &mut RootVec| {
        while let Some(p) = heap.alloc(NODE, 400, 0) {
            kept.push(Value::from_ptr(p.as_ptr()));
        }
        kept.len()
    };
    let first = fill(&mut kept);
    heap.grant(1 << 20);
    let second = fill(&mut kept);
    assert!(second > first, "the grant makes room");
    kept.clear();
    heap.collect(true);
    let third = fill(&mut kept);
    assert!(third <= first + first / 8, "{third} against {first}");
}

#[test]
fn finalizers_of_a_cycle_all_run_in_order_of_registration() {
    let t = TestHeap::exact(small());
    t.roots().exact = vec![0; 5];
    for i in 0..5 {
        let f = slots(t.heap, FINAL, i as u32, 1).expect("room").as_ptr();
        // SAFETY: a fresh object.
        unsafe { t.heap.register_finalizer(f) };
        t.roots().exact[i] = f as u64;
    }
    for i in 0..5 {
        let (from, to) = (t.roots().exact[i], t.roots().exact[(i + 2) % 5]);
        // SAFETY: objects with one slot.
        unsafe { *slot(from as *mut u64, 0) = Value::from_bits(to) }
    }
    t.roots().exact.clear();
    t.heap.collect(true);
    for i in 0..5 {
        let f = t.heap.take_finalizable().expect("five of them");
        // SAFETY: handed out, hence alive.
        unsafe { assert_eq!(*f.ptr().add(1) as u32, i) }
    }
    assert!(!t.heap.has_pending());
    t.heap.collect(true);
    assert_eq!(live(t.heap), 0);
}

#[test]
fn exit_queues_every_finalizer_and_runs_every_drop() {
    let t = TestHeap::exact(small());
    let f = slots(t.heap, FINAL, 1, 1).expect("room").as_ptr();
    let o = t.heap.alloc(OWNER, 3, 0).expect("room").as_ptr();
    DROPPED.with_borrow_mut(Vec::clear);
    // SAFETY: fresh objects of their kinds.
    unsafe {
        t.heap.register_finalizer(f);
        *o.add(1) = 9;
        t.heap.register_drop(o);
    }
    t.roots().exact = vec![f as u64, o as u64];
    t.heap.queue_all_finalizers();
    assert_eq!(t.heap.take_finalizable().map(|v| v.ptr()), Some(f));
    // SAFETY: the object is not used afterwards.
    unsafe { t.heap.drop_all() };
    assert_eq!(DROPPED.with_borrow(Vec::clone), [9]);
}

#[test]
fn large_arrays_are_remembered_by_card() {
    let t = TestHeap::exact(small());
    let count = 1 << 17;
    let array = slots(t.heap, ARRAY, 1, count).expect("room").as_ptr();
    t.roots().exact = vec![array as u64];
    t.heap.collect(false);
    let before = t.heap.stats().cards;
    for i in (0..count).step_by(1000) {
        let n = slots(t.heap, NODE, i as u32, 1).expect("room").as_ptr();
        // SAFETY: the array, large, does not move, and has this slot.
        unsafe {
            *slot(array, i) = Value::from_ptr(n);
            t.heap.barrier_slot(array, slot(array, i));
            assert!(*array & Header::CARDED != 0 || *array & Header::OLD == 0);
        }
    }
    assert!(t.heap.stats().cards > before);
    t.heap.collect(false);
    for i in (0..count).step_by(1000) {
        // SAFETY: as above.
        unsafe {
            let n = (*slot(array, i)).ptr();
            assert_eq!(*n.add(1) as u32, i as u32);
            assert!(*array & (Header::CARDED | Header::OLD) == Header::OLD);
        }
    }
}

#[test]
fn cards_may_be_marked_by_machine_code() {
    let t = TestHeap::exact(small());
    let mut state = AllocState::new();
    // SAFETY: the state outlives the heap's use of it, below.
    unsafe { t.heap.attach(&mut state) };
    let state = &raw mut state;
    let array = slots(t.heap, ARRAY, 1, 2000).expect("room").as_ptr();
    t.roots().exact = vec![array as u64];
    t.heap.collect(false);
    // SAFETY: slots of the array; the card of the second store is marked by hand.
    unsafe {
        t.heap.barrier_slot(array, slot(array, 0));
        let n = slots(t.heap, NODE, 5, 1).expect("room").as_ptr();
        let at = slot(array, 1999);
        *at = Value::from_ptr(n);
        assert!(*array & Header::CARDED != 0);
        *(((*state).card_bias + (at as u64 >> 8)) as *mut u8) = 1;
        t.heap.collect(false);
        assert_eq!(*(*at).ptr().add(1) as u32, 5);
    }
}

#[test]
fn objects_of_every_size_keep_their_bytes() {
    let t = TestHeap::exact(small());
    let sizes = [
        0,
        1,
        29,
        30,
        31,
        100,
        1021,
        1022,
        1023,
        5000,
        1 << 17,
        1 << 20,
    ];
    for (i, &count) in sizes.iter().enumerate() {
        let obj = slots(t.heap, BYTES, i as u32, count)
            .expect("room")
            .as_ptr();
        for k in 0..count {
            // SAFETY: the object has that many words.
            unsafe {
                assert!((*slot(obj, k)).is_null());
                *obj.add(2 + k) = k as u64 ^ i as u64;
            }
        }
        t.roots().exact.push(obj as u64);
        t.heap.collect(i % 2 == 0);
    }
    for (i, &count) in sizes.iter().enumerate() {
        let obj = t.roots().exact[i] as *mut u64;
        // SAFETY: a root.
        unsafe {
            assert_eq!(t.heap.size_of(obj), (2 + count).div_ceil(2) * 16);
            for k in 0..count {
                assert_eq!(*obj.add(2 + k), k as u64 ^ i as u64);
            }
        }
    }
    let large = t.heap.stats().large_bytes;
    assert!((1 << 23..1 << 24).contains(&large));
    t.roots().exact.clear();
    t.heap.collect(true);
    assert_eq!((live(t.heap), t.heap.stats().large_bytes), (0, 0));
}

#[test]
fn full_heap_gives_none_and_recovers() {
    let t = TestHeap::exact(Config {
        max_bytes: 2 << 20,
        ..Config::default()
    });
    let mut list = 0u64;
    let mut count = 0;
    while let Some(n) = slots(t.heap, NODE, count, 2) {
        // SAFETY: a fresh object; `list` was moved with the root below.
        unsafe {
            *slot(n.as_ptr(), 0) = Value::from_bits(t.roots().exact.first().copied().unwrap_or(0))
        }
        list = n.as_ptr() as u64;
        t.roots().exact = vec![list];
        count += 1;
    }
    assert_ne!(list, 0);
    // 32 bytes each, in 2 MiB less the room that collections leave unused.
    assert!((40_000..=65_536).contains(&count), "{count} nodes fitted");
    assert!(t.heap.alloc(BYTES, 1 << 18, 0).is_none());
    assert!(!t.heap.has_room_for(1 << 20));
    assert!(t.heap.alloc(BYTES, usize::MAX / 16, 0).is_none());
    t.roots().exact.clear();
    assert!(slots(t.heap, BYTES, 0, 1 << 17).is_some());
}

#[test]
fn external_bytes_count_to_the_limit_and_bring_collections() {
    let t = TestHeap::exact(Config {
        max_bytes: 4 << 20,
        ..small()
    });
    for i in 0..1000u64 {
        assert!(t.heap.has_room_for(100 << 10));
        let o = t
            .heap
            .alloc(OWNER, 3, 0)
            .expect("drops free the external bytes");
        // SAFETY: a fresh object of its kind.
        unsafe {
            *o.as_ptr().add(1) = i;
            *o.as_ptr().add(2) = 100 << 10;
            t.heap.register_drop(o.as_ptr());
        }
        t.heap.external_bytes(100 << 10);
    }
    assert!(t.heap.stats().external_bytes < 4 << 20);
    assert!(t.heap.stats().drops > 900);
}

#[test]
fn reserved_room_needs_no_slow_path() {
    let t = TestHeap::exact(small());
    let mut state = AllocState::new();
    // SAFETY: the state outlives its use.
    unsafe { t.heap.attach(&mut state) };
    let state = &raw mut state;
    for i in 0..5000usize {
        let bytes = 16 * (1 + i % (SMALL_MAX_BYTES / 16));
        assert!(t.heap.reserve_room(bytes));
        // SAFETY: the attached state; the room was promised.
        unsafe {
            assert!((*state).lim - (*state).cur >= bytes as u64);
            let before = t.heap.stats().slow_paths;
            slots(t.heap, BYTES, 0, bytes / 8 - 2).expect("room was reserved");
            assert_eq!(t.heap.stats().slow_paths, before);
        }
    }
}

#[test]
fn try_reserve_never_collects() {
    let t = TestHeap::exact(small());
    let mut refused = 0;
    for _ in 0..3000 {
        let before = t.roots().reports.len();
        if !t.heap.try_reserve(256) {
            refused += 1;
            assert_eq!(t.roots().reports.len(), before);
            let here = 0u64;
            // SAFETY: this test's frames hold no references.
            unsafe { assert!(t.heap.reserve_room_from(256, &raw const here)) }
        }
        slots(t.heap, BYTES, 0, 30).expect("room was reserved");
    }
    assert!(refused > 3);
    assert_eq!(t.roots().reports.len(), refused);
}

#[test]
fn root_vectors_hold_and_follow_their_objects() {
    let t = TestHeap::exact(Config {
        evacuate: Evacuate::Always,
        ..small()
    });
    let mut vec = RootVec::new(t.heap);
    let mut pinning = RootVec::pinning(t.heap);
    let a = slots(t.heap, NODE, 1, 1).expect("room").as_ptr();
    let b = slots(t.heap, NODE, 2, 1).expect("room").as_ptr();
    vec.push(Value::from_ptr(a));
    vec.push(Value::small(3));
    pinning.push(Value::from_ptr(b));
    t.heap.collect(false);
    assert_ne!(vec.get(0), Some(Value::from_ptr(a)));
    assert_eq!(vec.get(1), Some(Value::small(3)));
    assert_eq!(pinning.get(0), Some(Value::from_ptr(b)));
    drop((vec, pinning));
    t.heap.collect(true);
    assert_eq!(live(t.heap), 0);
}

#[test]
fn referents_and_referrers_name_each_other() {
    let t = TestHeap::exact(small());
    let a = slots(t.heap, NODE, 1, 3).expect("room").as_ptr();
    let b = slots(t.heap, NODE, 2, 1).expect("room").as_ptr();
    // SAFETY: fresh objects with these slots; the callbacks do not allocate.
    unsafe {
        *slot(a, 0) = Value::small(4);
        *slot(a, 1) = Value::from_ptr(b);
        *slot(a, 2) = Value::from_ptr(a);
        let mut seen = Vec::new();
        t.heap.referents(a, &mut |v| seen.push(v.ptr()));
        assert_eq!(seen, [b, a]);
        seen.clear();
        t.heap.referrers(b, &mut |obj| seen.push(obj));
        assert_eq!(seen, [a]);
    }
    let census = t.heap.census();
    assert_eq!(census.len(), 1);
    assert_eq!(
        (census[0].name, census[0].objects, census[0].bytes),
        ("node", 2, 80)
    );
}

#[test]
fn low_memory_lies_below_four_gigabytes() {
    let t = TestHeap::new(small());
    let mut last = 0;
    for bytes in [1, 16, 100, 70_000, 8] {
        let p = t.heap.low_alloc(bytes).expect("room").as_ptr();
        assert!((p as usize) < 1 << 32 && (p as usize).is_multiple_of(16));
        assert!(p as usize >= last);
        // SAFETY: memory of that many bytes.
        unsafe {
            for i in 0..bytes {
                assert_eq!(*p.add(i), 0);
            }
            p.write_bytes(0xff, bytes);
        }
        last = p as usize + bytes;
    }
    assert!(t.heap.low_alloc(2 << 20).is_none());
}

#[test]
fn a_forked_child_collects_on_its_own() {
    let t = TestHeap::exact(small());
    let a = slots(t.heap, NODE, 1, 1).expect("room").as_ptr();
    t.roots().exact = vec![a as u64];
    // SAFETY: the child only uses the heap, which takes no locks but malloc's, and leaves
    // by `_exit`.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let mut good = true;
        for i in 0..20_000 {
            good &= slots(t.heap, NODE, i, 3).is_some();
        }
        t.heap.collect(true);
        good &= live(t.heap) == 1 && t.heap.stats().full_collections > 0;
        // SAFETY: ends the child.
        unsafe { libc::_exit(if good { 17 } else { 1 }) }
    }
    let mut status = 0;
    // SAFETY: waits for the child just made.
    unsafe { assert_eq!(libc::waitpid(pid, &mut status, 0), pid) };
    assert!(libc::WIFEXITED(status));
    assert_eq!(libc::WEXITSTATUS(status), 17);
    t.heap.collect(false);
    assert_eq!(live(t.heap), 1);
}

#[test]
fn stress_words_configure() {
    let config = |word: &str| Config::default().with_stress(word);
    let s = config("1").expect("a number").stress;
    assert!(s.every == 1 && s.tiny_windows && s.poison && s.verify);
    let c = config("move").expect("a word");
    assert!(c.evacuate == Evacuate::Always && c.stress.every > 0);
    assert!(config("0").is_none() && config("often").is_none());
    let t = TestHeap::exact(config("1").expect("a number"));
    for i in 0..20 {
        slots(t.heap, NODE, i, 1).expect("room");
        assert_eq!(t.roots().reports.len(), i as usize + 1);
    }
}

#[test]
fn too_many_kinds_are_an_error() {
    static MANY: [KindInfo; 257] = [KindInfo::leaf("leaf"); 257];
    let error = Heap::new(Config::default(), &MANY).err();
    assert_eq!(
        error.map(|e| e.to_string()),
        Some("257 object kinds, but a header can name only 256".to_owned())
    );
}

/// The child of the next test.
#[test]
#[ignore = "run by a_small_address_space_gives_a_smaller_reservation"]
fn in_a_small_address_space() {
    let heap = Heap::new(Config::default(), &KINDS).expect("a smaller reservation fits");
    let reserved = heap.stats().reserved_bytes;
    if crate::space::address_limit() != usize::MAX {
        assert!(
            (64 << 20..600 << 20).contains(&reserved),
            "{reserved} bytes"
        );
    }
    for i in 0..100_000 {
        slots(heap, NODE, i, 20).expect("room");
    }
    assert!(slots(heap, BYTES, 0, 1 << 20).is_some());
    // SAFETY: nothing of it is used afterwards.
    unsafe { heap.destroy() }
}

#[test]
fn a_small_address_space_gives_a_smaller_reservation() {
    // In a process of its own, since other tests have address space of theirs.
    let exe = std::env::current_exe().expect("the test binary has a path");
    let out = std::process::Command::new("sh")
        .args(["-c", "ulimit -v 1000000 && exec \"$0\" \"$@\""])
        .arg(exe)
        .args(["--exact", "tests::behaviour::in_a_small_address_space"])
        .arg("--ignored")
        .output()
        .expect("a shell starts");
    let text = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success() && text.contains("1 passed"), "{text}");
}
