//! Random object graphs against a plain mirror.
//!
//! Each object carries an id; the mirror knows, by id, what each slot must hold. The
//! program under test allocates, stores, forgets, pins and collects at random, under every
//! stress configuration. Checks: the graph from the roots equals the mirror's; what was
//! pinned has not moved; weak references, finalizers and drops concern unreachable objects
//! only, and in the right order; after a full collection exactly the reachable objects are
//! left.

use std::collections::{HashMap, HashSet};

use pyrite_machine::{Header, Kind, Value};

use super::*;
use crate::RootVec;
use crate::faults::Fault;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Word {
    Null,
    Int(i32),
    Ref(u32),
}

struct Mirror {
    kind: Kind,
    slots: Vec<Word>,
    referent: Option<u32>,
    /// Address at which it was pinned for good.
    pinned: Option<usize>,
    dropped: bool,
}

/// An ambiguous root: the id, and the address that the word is about.
struct Ambiguous {
    id: u32,
    addr: usize,
}

struct Program {
    t: TestHeap,
    rng: Rng,
    objects: Vec<Mirror>,
    exact: Vec<Word>,
    ambiguous: Vec<Ambiguous>,
    vec: Option<RootVec>,
    vec_mirror: Vec<Word>,
    pinning: Option<RootVec>,
    pinning_mirror: Vec<Ambiguous>,
    out_of_memory: usize,
}

const EXACT: usize = 24;
const AMBIGUOUS: usize = 4;

unsafe fn id_of(obj: *const u64) -> u32 {
    // SAFETY: callers pass an object of the test's kinds.
    unsafe {
        match Header::kind(*obj) {
            WEAK => *obj.add(2) as u32,
            _ => *obj.add(1) as u32,
        }
    }
}

impl Program {
    fn new(config: Config, seed: u64, fault: Option<Fault>) -> Program {
        let t = TestHeap::exact(config);
        t.heap.core_mut().fault = fault;
        t.roots().exact = vec![0; EXACT];
        t.roots().ambiguous = vec![0; AMBIGUOUS];
        DROPPED.with_borrow_mut(Vec::clear);
        Program {
            vec: Some(RootVec::new(t.heap)),
            pinning: Some(RootVec::pinning(t.heap)),
            t,
            rng: Rng::new(seed),
            objects: Vec::new(),
            exact: vec![Word::Null; EXACT],
            ambiguous: Vec::new(),
            vec_mirror: Vec::new(),
            pinning_mirror: Vec::new(),
            out_of_memory: 0,
        }
    }

    fn run(&mut self, steps: usize) {
        for step in 0..steps {
            self.t.roots().reports.clear();
            self.step();
            self.take_pending();
            if step % 64 == 63 {
                self.check();
            }
        }
        self.check();
        self.check_exact_liveness();
    }

    fn root_value(&self, index: usize) -> Value {
        Value::from_bits(self.t.roots().exact[index])
    }

    /// A random value from the roots, with its mirror.
    fn any_value(&mut self) -> (Value, Word) {
        match self.rng.below(10) {
            0 => (Value::NULL, Word::Null),
            1 => {
                let i = self.rng.next() as i32;
                (Value::small(i), Word::Int(i))
            }
            2 if !self.vec_mirror.is_empty() => {
                let i = self.rng.below(self.vec_mirror.len());
                let vec = self.vec.as_ref().expect("lives as long as the program");
                (
                    vec.get(i).expect("as long as its mirror"),
                    self.vec_mirror[i],
                )
            }
            _ => {
                let i = self.rng.below(EXACT);
                (self.root_value(i), self.exact[i])
            }
        }
    }

    /// A random object, some steps away from a root.
    fn any_object(&mut self) -> Option<(*mut u64, u32)> {
        let (mut value, mut word) = self.any_value();
        for _ in 0..self.rng.below(6) {
            let Word::Ref(id) = word else { return None };
            let count = self.objects[id as usize].slots.len();
            if count == 0 {
                break;
            }
            let i = self.rng.below(count);
            let next = self.objects[id as usize].slots[i];
            if !matches!(next, Word::Ref(_)) {
                break;
            }
            // SAFETY: the mirror says that it has this slot; no safepoint in this loop.
            value = unsafe { *slot(value.ptr(), i) };
            word = next;
        }
        match word {
            Word::Ref(id) => Some((value.ptr(), id)),
            _ => None,
        }
    }

    fn set_root(&mut self, value: Value, word: Word) -> usize {
        let i = self.rng.below(EXACT);
        self.t.roots().exact[i] = value.bits();
        self.exact[i] = word;
        i
    }

    fn new_mirror(&mut self, kind: Kind, count: usize) -> u32 {
        self.objects.push(Mirror {
            kind,
            slots: vec![Word::Null; count],
            referent: None,
            pinned: None,
            dropped: false,
        });
        self.objects.len() as u32 - 1
    }

    /// Allocates and fills an object; returns the index of its root, if there was memory.
    fn allocate(&mut self, kind: Kind, count: usize) -> Option<usize> {
        let id = self.objects.len() as u32;
        let Some(obj) = slots(self.t.heap, kind, id, count) else {
            self.out_of_memory += 1;
            // Room again.
            self.t.roots().exact.fill(0);
            self.exact.fill(Word::Null);
            return None;
        };
        self.new_mirror(kind, if kind == BYTES { 0 } else { count });
        let obj = obj.as_ptr();
        if kind == FINAL {
            // SAFETY: a fresh object.
            unsafe { self.t.heap.register_finalizer(obj) }
        }
        // A fresh object needs no barrier, and no safepoint happens meanwhile.
        for i in 0..count {
            // SAFETY: the object has that many slots or words.
            unsafe {
                assert!((*slot(obj, i)).is_null(), "fresh memory is zero");
                if kind == BYTES {
                    *obj.add(2 + i) = id as u64;
                } else if i < 8 || self.rng.one_in(16) {
                    let (value, word) = self.any_value();
                    *slot(obj, i) = value;
                    self.objects[id as usize].slots[i] = word;
                }
            }
        }
        Some(self.set_root(Value::from_ptr(obj), Word::Ref(id)))
    }

    /// Two arrays that probably share a card, each with the only reference to a young
    /// object on it.
    fn twins(&mut self) {
        let count = 130 + self.rng.below(300);
        let (Some(a), Some(b)) = (self.allocate(ARRAY, count), self.allocate(ARRAY, count)) else {
            return;
        };
        self.t.heap.collect(false);
        for (at, index) in [(a, count - 1), (b, 0)] {
            let Some(young) = self.allocate(NODE, 1) else {
                return;
            };
            let (value, word) = (self.root_value(young), self.exact[young]);
            // The roots may have been overwritten meanwhile.
            if let Word::Ref(id) = self.exact[at]
                && self.objects[id as usize].slots.len() == count
            {
                let obj = self.root_value(at).ptr();
                // SAFETY: the object has this slot.
                unsafe {
                    *slot(obj, index) = value;
                    self.t.heap.barrier_slot(obj, slot(obj, index));
                }
                self.objects[id as usize].slots[index] = word;
            }
            self.exact[young] = Word::Null;
            self.t.roots().exact[young] = 0;
        }
    }

    fn store(&mut self) {
        let Some((obj, id)) = self.any_object() else {
            return;
        };
        let count = self.objects[id as usize].slots.len();
        if count == 0 {
            return;
        }
        let i = self.rng.below(count);
        let (value, word) = self.any_value();
        // SAFETY: the object has this slot.
        unsafe {
            *slot(obj, i) = value;
            if self.rng.one_in(4) {
                self.t.heap.barrier(obj);
            } else {
                self.t.heap.barrier_slot(obj, slot(obj, i));
            }
        }
        self.objects[id as usize].slots[i] = word;
    }

    /// A weak reference to the object of a root slot, or to a random one.
    fn weakref(&mut self, at: Option<usize>) {
        let id = self.objects.len() as u32;
        let Some(wr) = self.t.heap.alloc(WEAK, 3, 0) else {
            return;
        };
        let wr = wr.as_ptr();
        // SAFETY: a fresh object of three words.
        unsafe { *wr.add(2) = id as u64 };
        self.new_mirror(WEAK, 0);
        // The referent is chosen after the allocation, which may have moved it.
        let chosen = match at.map(|at| (self.root_value(at), self.exact[at])) {
            Some((value, Word::Ref(id))) => Some((value.ptr(), id)),
            _ => self.any_object(),
        };
        if let Some((obj, referent)) = chosen {
            // SAFETY: as above.
            unsafe {
                *wr.add(1) = obj as u64;
                self.t.heap.register_weakref(wr);
                assert!(*obj & Header::HAS_WEAKREF != 0);
            }
            self.objects[id as usize].referent = Some(referent);
        }
        self.set_root(Value::from_ptr(wr), Word::Ref(id));
    }

    /// A weakly referenced object that only a dead finalizable object reaches.
    fn family(&mut self) {
        let Some(parent) = self.allocate(FINAL, 2) else {
            return;
        };
        let Some(child) = self.allocate(NODE, 2) else {
            return;
        };
        self.weakref(Some(child));
        if let Word::Ref(id) = self.exact[parent]
            && self.objects[id as usize].slots.len() == 2
        {
            let (value, word) = (self.root_value(child), self.exact[child]);
            let obj = self.root_value(parent).ptr();
            // SAFETY: the object has this slot.
            unsafe {
                *slot(obj, 1) = value;
                self.t.heap.barrier(obj);
            }
            self.objects[id as usize].slots[1] = word;
        }
        for at in [parent, child] {
            self.exact[at] = Word::Null;
            self.t.roots().exact[at] = 0;
        }
        self.take_pending();
        self.t.roots().reports.clear();
        self.t.heap.collect(true);
    }

    fn owner(&mut self) {
        let id = self.objects.len() as u32;
        let Some(obj) = self.t.heap.alloc(OWNER, 3, 0) else {
            return;
        };
        self.new_mirror(OWNER, 0);
        let bytes = self.rng.below(500);
        // SAFETY: a fresh object of three words.
        unsafe {
            *obj.as_ptr().add(1) = id as u64;
            *obj.as_ptr().add(2) = bytes as u64;
            self.t.heap.register_drop(obj.as_ptr());
        }
        self.t.heap.external_bytes(bytes as isize);
        self.set_root(Value::from_ptr(obj.as_ptr()), Word::Ref(id));
    }

    fn pin(&mut self) {
        if let Some((obj, id)) = self.any_object() {
            // SAFETY: an object of the heap.
            unsafe { self.t.heap.pin(obj) }
            let at = &mut self.objects[id as usize].pinned;
            assert!(
                at.is_none_or(|a| a == obj as usize),
                "a pinned object stays"
            );
            *at = Some(obj as usize);
        }
    }

    fn make_ambiguous(&mut self) {
        self.ambiguous.truncate(AMBIGUOUS - 1);
        let chosen = if self.rng.one_in(3) {
            let count = 1000 + self.rng.below(1000);
            let at = self.allocate(ARRAY, count);
            at.map(|at| (self.root_value(at).ptr(), self.objects.len() as u32 - 1))
        } else {
            self.any_object()
        };
        if let Some((obj, id)) = chosen {
            // SAFETY: an object of the heap.
            let bytes = unsafe { self.t.heap.size_of(obj) };
            let inside = self.rng.below(bytes);
            self.ambiguous.insert(
                0,
                Ambiguous {
                    id,
                    addr: obj as usize,
                },
            );
            let words = &mut self.t.roots().ambiguous;
            words.pop();
            words.insert(0, (obj as usize + inside) as u64);
            if self.rng.one_in(2) {
                // Often the only root.
                for i in 0..EXACT {
                    if self.exact[i] == Word::Ref(id) {
                        self.exact[i] = Word::Null;
                        self.t.roots().exact[i] = 0;
                    }
                }
            }
        } else {
            self.ambiguous.clear();
            self.t.roots().ambiguous.fill(0);
        }
    }

    fn root_vecs(&mut self) {
        let (value, word) = self.any_value();
        let vec = self.vec.as_mut().expect("lives as long as the program");
        if vec.len() < 12 && self.rng.one_in(2) {
            vec.push(value);
            self.vec_mirror.push(word);
        } else if self.rng.one_in(2) {
            let popped = vec.pop();
            let mirror = self.vec_mirror.pop();
            assert_eq!(popped.is_some(), mirror.is_some());
        }
        let pinning = self.pinning.as_mut().expect("lives as long as the program");
        if let (Word::Ref(id), true) = (word, self.rng.one_in(3)) {
            pinning.push(value);
            self.pinning_mirror.push(Ambiguous {
                id,
                addr: value.bits() as usize,
            });
        } else if pinning.len() > 3 {
            pinning.truncate(1);
            self.pinning_mirror.truncate(1);
        }
    }

    fn step(&mut self) {
        match self.rng.below(100) {
            0..34 => {
                let count = self.rng.below(7);
                self.allocate(NODE, count);
            }
            34..37 => {
                let count = 20 + self.rng.below(200);
                self.allocate(NODE, count);
            }
            37..41 => {
                let count = 130 + self.rng.below(400);
                self.allocate(ARRAY, count);
            }
            41 => {
                let count = 1000 + self.rng.below(3000);
                self.allocate(ARRAY, count);
                if self.rng.one_in(2) {
                    self.twins();
                }
            }
            42..45 => {
                let count = self.rng.below(5);
                self.allocate(FINAL, count);
            }
            45..48 => {
                let count = self.rng.below(60);
                self.allocate(BYTES, count);
            }
            48 => self.family(),
            49 | 50 => self.weakref(None),
            51..53 => self.owner(),
            53..88 => self.store(),
            88..91 => {
                self.set_root(Value::NULL, Word::Null);
            }
            91 => self.pin(),
            92 | 93 => self.make_ambiguous(),
            94..97 => self.root_vecs(),
            97 | 98 => self.t.heap.collect(false),
            _ => {
                if self.rng.one_in(4) {
                    self.t.heap.collect(true);
                }
            }
        }
    }

    /// Ids that the mirror's roots (or `from` alone) reach.
    fn reachable(&self, from: Option<u32>) -> HashSet<u32> {
        let mut stack: Vec<u32> = Vec::new();
        match from {
            Some(id) => stack.push(id),
            None => {
                for word in self.exact.iter().chain(&self.vec_mirror) {
                    if let Word::Ref(id) = word {
                        stack.push(*id);
                    }
                }
                let fixed = self.ambiguous.iter().chain(&self.pinning_mirror);
                stack.extend(fixed.map(|a| a.id));
            }
        }
        let mut seen: HashSet<u32> = HashSet::new();
        while let Some(id) = stack.pop() {
            if seen.insert(id) {
                for word in &self.objects[id as usize].slots {
                    if let Word::Ref(next) = word {
                        stack.push(*next);
                    }
                }
            }
        }
        seen
    }

    /// Handles what collections left: cleared weak references, finalizers, drops.
    fn take_pending(&mut self) {
        if !self.t.heap.has_pending() && DROPPED.with_borrow(Vec::is_empty) {
            return;
        }
        if self.rng.one_in(3) {
            // The queues must survive further collections.
            for _ in 0..1 + self.rng.below(3) {
                let full = self.rng.one_in(3);
                self.t.heap.collect(full);
            }
        }
        let reachable = self.reachable(None);
        for id in DROPPED.with_borrow_mut(std::mem::take) {
            assert!(!reachable.contains(&id), "drop of reachable object {id}");
            let object = &mut self.objects[id as usize];
            assert!(!object.dropped, "second drop of {id}");
            object.dropped = true;
        }
        while let Some(wr) = self.t.heap.take_dead_weakref() {
            // SAFETY: what is handed out is a weak reference object.
            unsafe {
                assert_eq!(*wr.ptr().add(1), 0, "the referent is cleared");
                let id = id_of(wr.ptr());
                let referent = self.objects[id as usize].referent.take();
                let referent = referent.expect("cleared once only");
                assert!(
                    !reachable.contains(&referent),
                    "cleared for a reachable object"
                );
            }
        }
        // A minor collection does not know that an old object is dead.
        let only_full = self.t.roots().reports == [true];
        let mut finalizable = Vec::new();
        while let Some(value) = self.t.heap.take_finalizable() {
            // SAFETY: what is handed out is an object; there is no safepoint in here.
            let id = unsafe {
                assert!(*value.ptr() & Header::FINALIZED != 0);
                id_of(value.ptr())
            };
            assert_eq!(self.objects[id as usize].kind, FINAL);
            assert!(
                !reachable.contains(&id),
                "finalizer of reachable object {id}"
            );
            let closure = self.reachable(Some(id));
            for at in 0..self.objects.len() {
                if let Some(referent) = self.objects[at].referent
                    && only_full
                    && closure.contains(&referent)
                    && !reachable.contains(&referent)
                {
                    assert!(
                        !reachable.contains(&(at as u32)),
                        "weak reference {at} to {referent} is cleared before finalizer {id}"
                    );
                }
            }
            self.compare(value, Word::Ref(id), &mut HashMap::new(), &reachable);
            finalizable.push((value, id));
        }
        for (value, id) in finalizable {
            if self.rng.one_in(2) {
                self.set_root(value, Word::Ref(id));
            }
        }
    }

    /// Walks both graphs from one pair of roots.
    fn compare(
        &mut self,
        value: Value,
        word: Word,
        seen: &mut HashMap<u32, usize>,
        alive: &HashSet<u32>,
    ) {
        let mut stack = vec![(value, word)];
        while let Some((value, word)) = stack.pop() {
            let id = match word {
                Word::Null => {
                    assert!(value.is_null());
                    continue;
                }
                Word::Int(i) => {
                    assert_eq!(value.as_int(), Some(i as i64));
                    continue;
                }
                Word::Ref(id) => id,
            };
            assert!(value.is_ptr(), "object {id} became {value:?}");
            let obj = value.ptr();
            if let Some(&at) = seen.get(&id) {
                assert_eq!(at, obj as usize, "object {id} exists once");
                continue;
            }
            seen.insert(id, obj as usize);
            let mirror = &mut self.objects[id as usize];
            // SAFETY: the mirror says that the object is alive.
            unsafe {
                assert_eq!(Header::kind(*obj), mirror.kind, "kind of {id}");
                assert_eq!(id_of(obj), id, "another object in the place of {id}");
                assert!(!mirror.dropped);
                if let Some(at) = mirror.pinned {
                    assert_eq!(at, obj as usize, "pinned object {id} stays");
                }
                match mirror.kind {
                    WEAK => {
                        let referent = *obj.add(1) as *mut u64;
                        match mirror.referent {
                            Some(to) if referent.is_null() => {
                                assert!(
                                    !alive.contains(&to),
                                    "weak reference to live {to} cleared"
                                );
                                mirror.referent = None;
                            }
                            Some(to) => assert_eq!(id_of(referent), to),
                            None => assert!(referent.is_null()),
                        }
                    }
                    OWNER => {}
                    BYTES => {
                        for i in 0..slot_count(obj) {
                            assert_eq!(*obj.add(2 + i), id as u64, "bytes of {id}");
                        }
                    }
                    _ => {
                        assert_eq!(slot_count(obj), mirror.slots.len());
                        for (i, &word) in mirror.slots.iter().enumerate() {
                            stack.push((*slot(obj, i), word));
                        }
                    }
                }
            }
        }
    }

    fn check(&mut self) {
        let mut seen = HashMap::new();
        let alive = self.reachable(None);
        for i in 0..EXACT {
            self.compare(self.root_value(i), self.exact[i], &mut seen, &alive);
        }
        for i in 0..self.vec_mirror.len() {
            let value = self.vec.as_ref().and_then(|v| v.get(i));
            let value = value.expect("as long as its mirror");
            self.compare(value, self.vec_mirror[i], &mut seen, &alive);
        }
        let fixed: Vec<(u32, usize)> = self
            .ambiguous
            .iter()
            .chain(&self.pinning_mirror)
            .map(|a| (a.id, a.addr))
            .collect();
        for (id, addr) in fixed {
            let value = Value::from_bits(addr as u64);
            self.compare(value, Word::Ref(id), &mut seen, &alive);
        }
        for i in 0..self.pinning_mirror.len() {
            let value = self.pinning.as_ref().and_then(|v| v.get(i));
            let bits = value.expect("as long as its mirror").bits() as usize;
            assert_eq!(
                bits, self.pinning_mirror[i].addr,
                "a pinning vector's objects stay"
            );
        }
    }

    /// After full collections until nothing is pending, what is left is what is reachable.
    fn check_exact_liveness(&mut self) {
        loop {
            self.t.roots().reports.clear();
            self.t.heap.collect(true);
            if !self.t.heap.has_pending() {
                break;
            }
            self.take_pending();
        }
        self.take_pending();
        let alive = self.reachable(None);
        let mut left = HashSet::new();
        self.t.heap.for_each_object(&mut |obj| {
            // SAFETY: objects of the test's kinds.
            left.insert(unsafe { id_of(obj) });
        });
        assert_eq!(
            left, alive,
            "a full collection leaves exactly what is reachable"
        );
        for (id, object) in self.objects.iter().enumerate() {
            if object.kind == OWNER {
                let dead = !alive.contains(&(id as u32));
                assert_eq!(object.dropped, dead, "owner {id} is dropped iff it is dead");
            }
        }
        self.check();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Before the heap.
        self.vec = None;
        self.pinning = None;
    }
}

/// Runs one random program; panics (or aborts, inside a collection) at the first deviation.
pub(super) fn run_program(config: Config, seed: u64, steps: usize, fault: Option<Fault>) -> usize {
    let mut program = Program::new(config, seed, fault);
    program.run(steps);
    program.out_of_memory
}

#[test]
fn random_graphs_equal_their_mirror_under_every_stress() {
    let mut out_of_memory = 0;
    for (name, config) in stress_configs() {
        println!("{name}");
        let slow = config.stress.tiny_windows || config.stress.every > 0;
        let (programs, steps) = if slow { (3, 600) } else { (4, 4000) };
        for seed in 0..programs {
            out_of_memory += run_program(config, seed, steps, None);
        }
    }
    println!("out of memory {out_of_memory} times");
}

/// More programs, for a nightly run.
#[test]
#[ignore = "minutes"]
fn many_random_graphs() {
    let programs = std::env::var("PYRITE_GC_PROGRAMS")
        .ok()
        .and_then(|v| v.parse().ok())
        .unwrap_or(200);
    for seed in 1000..1000 + programs {
        for (_, config) in stress_configs() {
            run_program(config, seed, 3000, None);
        }
    }
}
