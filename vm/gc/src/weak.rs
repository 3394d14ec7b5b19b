//! Weak references, finalizers and native drops.
//!
//! Each has a list of registered objects, split by generation: a survivor is old at once,
//! so whatever an old entry is about is old, too, and a minor collection looks only at the
//! young lists. Order after marking (PEP 442):
//!
//! 1. weak references to unmarked objects are cleared; those that are alive themselves
//!    are queued for their callback;
//! 2. unmarked objects with a finalizer that has not run are FINALIZED, queued, and
//!    traced: they and what they reach live on until the next collection at least;
//! 3. the embedder's weak tables are updated;
//! 4. native drops run for what is dead now.
//!
//! The queues are roots; the embedder empties them at a safe point of its own.

use std::collections::{HashMap, VecDeque};

use pyrite_machine::{Header, Value};

use crate::faults::Fault;
use crate::heap::Core;
use crate::trace::Tracer;

/// Registered objects of one sort.
#[derive(Default)]
pub(crate) struct Generations {
    young: Vec<*mut u64>,
    old: Vec<*mut u64>,
}

impl Generations {
    /// Takes out the entries that this collection must look at, oldest first.
    fn take(&mut self, full: bool) -> Vec<*mut u64> {
        if full {
            let mut all = std::mem::take(&mut self.old);
            all.append(&mut self.young);
            all
        } else {
            std::mem::take(&mut self.young)
        }
    }
}

#[derive(Default)]
pub(crate) struct Weak {
    pub(crate) refs: Generations,
    finalizers: Generations,
    drops: Generations,
    /// Weak references by referent, oldest first; addresses of both.
    by_referent: HashMap<usize, Vec<usize>>,
    dead_refs: VecDeque<u64>,
    finalizable: VecDeque<u64>,
}

impl Weak {
    /// Calls `each` with every weak reference that is registered.
    pub(crate) fn each_ref(&self, each: &mut dyn FnMut(*mut u64)) {
        for &wr in self.refs.young.iter().chain(&self.refs.old) {
            each(wr);
        }
    }

    fn add_ref(&mut self, referent: usize, wr: usize) {
        self.by_referent.entry(referent).or_default().push(wr);
    }

    fn remove_ref(&mut self, referent: usize, wr: usize) {
        if let Some(all) = self.by_referent.get_mut(&referent) {
            all.retain(|&w| w != wr);
            if all.is_empty() {
                self.by_referent.remove(&referent);
            }
        }
    }
}

impl Core {
    /// The weak references to an object, oldest first.
    pub(crate) fn weakrefs_of(&self, referent: usize) -> &[usize] {
        self.weak
            .by_referent
            .get(&referent)
            .map_or(&[], Vec::as_slice)
    }

    /// # Safety
    /// `wr` is an object with a payload word that holds its referent or null.
    pub(crate) unsafe fn register_weakref(&mut self, wr: *mut u64) {
        // SAFETY: the caller passes such an object.
        unsafe {
            let referent = Value::from_bits(*wr.add(1));
            if referent.is_ptr() {
                *referent.ptr() |= Header::HAS_WEAKREF;
                self.weak.add_ref(referent.ptr() as usize, wr as usize);
            }
        }
        self.weak.refs.young.push(wr);
    }

    /// # Safety
    /// `wr` is a registered weak reference.
    pub(crate) unsafe fn clear_weakref(&mut self, wr: *mut u64) {
        // SAFETY: the caller passes a weak reference.
        unsafe {
            let slot = wr.add(1);
            self.weak.remove_ref(*slot as usize, wr as usize);
            *slot = 0;
        }
    }

    /// # Safety
    /// `obj` is an object of this heap.
    pub(crate) unsafe fn register_finalizer(&mut self, obj: *mut u64) {
        // SAFETY: the caller passes an object.
        unsafe { *obj |= Header::HAS_FIN }
        self.weak.finalizers.young.push(obj);
    }

    /// # Safety
    /// `obj` is an object of this heap of a kind with `drop`.
    pub(crate) unsafe fn register_drop(&mut self, obj: *mut u64) {
        // SAFETY: the caller passes an object.
        let kind = unsafe { Header::kind(*obj) };
        debug_assert!(
            self.kinds[kind as usize].drop.is_some(),
            "only kinds with a drop function are registered for it"
        );
        self.weak.drops.young.push(obj);
    }

    pub(crate) fn take_dead_weakref(&mut self) -> Option<Value> {
        self.weak.dead_refs.pop_front().map(Value::from_bits)
    }

    pub(crate) fn take_finalizable(&mut self) -> Option<Value> {
        self.weak.finalizable.pop_front().map(Value::from_bits)
    }

    pub(crate) fn has_pending(&self) -> bool {
        !self.weak.dead_refs.is_empty() || !self.weak.finalizable.is_empty()
    }

    pub(crate) fn queue_all_finalizers(&mut self) {
        for obj in self.weak.finalizers.take(true) {
            // SAFETY: entries were alive at the last collection, and nothing was swept since.
            unsafe { *obj |= Header::FINALIZED }
            self.weak.finalizable.push_back(obj as u64);
            self.stats.finalizers += 1;
        }
    }

    /// # Safety
    /// No registered object is used afterwards.
    pub(crate) unsafe fn drop_all(&mut self) {
        for obj in self.weak.drops.take(true) {
            // SAFETY: entries were alive at the last collection, and nothing was swept since.
            unsafe { self.drop_one(obj) }
        }
    }

    unsafe fn drop_one(&mut self, obj: *mut u64) {
        // SAFETY: `obj` is a registered object whose memory is intact.
        unsafe {
            if let Some(f) = self.kinds[Header::kind(*obj) as usize].drop {
                let freed = f(obj);
                self.external = self.external.saturating_sub(freed);
                self.stats.drops += 1;
            }
        }
    }

    /// The queues are exact roots.
    ///
    /// # Safety
    /// `this` is collecting.
    pub(crate) unsafe fn trace_queues(this: *mut Core) {
        // SAFETY: the caller vouches for `this`; the queues hold references. Marking does
        // not touch the queues.
        unsafe {
            let mut tracer = Tracer::marking(this);
            let weak = &raw mut (*this).weak;
            for slot in (*weak).dead_refs.iter_mut() {
                tracer.edge((slot as *mut u64).cast());
            }
            if !(*this).planted(Fault::QueueNotTraced) {
                for slot in (*weak).finalizable.iter_mut() {
                    tracer.edge((slot as *mut u64).cast());
                }
            }
        }
    }

    /// Steps 1 and 2, and what follows from them for the lists. Marking has drained.
    ///
    /// # Safety
    /// `this` is collecting.
    pub(crate) unsafe fn process_weak(this: *mut Core, full: bool) {
        // SAFETY: the caller vouches for `this`; list entries were objects when the
        // collection began, and nothing is swept yet.
        unsafe {
            let refs = (*this).weak.refs.take(full);
            let late = (*this).planted(Fault::WeakrefsClearedLate);
            if !late {
                (*this).clear_weakrefs(&refs);
            }
            Core::queue_finalizers(this, full);
            if late {
                (*this).clear_weakrefs(&refs);
            }
            for wr in refs {
                let Some(now) = (*this).alive(wr as usize) else {
                    let referent = *wr.add(1) as usize;
                    (*this).weak.remove_ref(referent, wr as usize);
                    continue;
                };
                let slot = (now as *mut u64).add(1);
                if *slot == 0 {
                    continue;
                }
                let from = *slot as usize;
                if let Some(to) = (*this).alive(from)
                    && !(*this).planted(Fault::WeakrefsNotForwarded)
                {
                    *slot = to as u64;
                }
                let to = *slot as usize;
                if to != from || now != wr as usize {
                    (*this).weak.remove_ref(from, wr as usize);
                    (*this).weak.add_ref(to, now);
                }
                (*this).weak.refs.old.push(now as *mut u64);
            }
        }
    }

    /// # Safety
    /// Marking has drained; `refs` are registered weak references.
    unsafe fn clear_weakrefs(&mut self, refs: &[*mut u64]) {
        // Objects in the order in which references to them were found, the newest
        // reference of each first.
        let mut dead: Vec<(usize, u64)> = Vec::new();
        for &wr in refs {
            // SAFETY: nothing is swept yet, so dead ones are intact, too; they may be
            // resurrected, so theirs must be cleared as well.
            unsafe {
                let alive = self.alive(wr as usize);
                let slot = (alive.unwrap_or(wr as usize) as *mut u64).add(1);
                let referent = *slot as usize;
                if referent == 0 || self.alive(referent).is_some() {
                    continue;
                }
                *slot = 0;
                self.weak.remove_ref(referent, wr as usize);
                self.stats.weakrefs_cleared += 1;
                if let Some(now) = alive {
                    dead.push((referent, now as u64));
                }
            }
        }
        let mut rank: HashMap<usize, usize> = HashMap::new();
        for &(referent, _) in &dead {
            let n = rank.len();
            rank.entry(referent).or_insert(n);
        }
        dead.reverse();
        dead.sort_by_key(|(referent, _)| rank[referent]);
        self.weak.dead_refs.extend(dead.into_iter().map(|d| d.1));
    }

    unsafe fn queue_finalizers(this: *mut Core, full: bool) {
        // SAFETY: as in `process_weak`.
        unsafe {
            let registered = (*this).weak.finalizers.take(full);
            let mut dead = Vec::new();
            // All of the dead ones first: they are finalized even if one of them reaches
            // another.
            for obj in registered {
                match (*this).alive(obj as usize) {
                    Some(now) => (*this).weak.finalizers.old.push(now as *mut u64),
                    None => {
                        *obj |= Header::FINALIZED;
                        dead.push(obj as u64);
                    }
                }
            }
            let mut tracer = Tracer::marking(this);
            for mut word in dead {
                tracer.edge((&raw mut word).cast());
                (*this).weak.finalizable.push_back(word);
                (*this).stats.finalizers += 1;
            }
            Core::drain(this);
        }
    }

    /// Step 4.
    ///
    /// # Safety
    /// `self` is collecting, marking is over.
    pub(crate) unsafe fn run_drops(&mut self, full: bool) {
        for obj in self.weak.drops.take(full) {
            // SAFETY: nothing is swept yet, so dead objects are intact.
            unsafe {
                match self.alive(obj as usize) {
                    Some(now) => self.weak.drops.old.push(now as *mut u64),
                    None => self.drop_one(obj),
                }
            }
        }
    }
}
