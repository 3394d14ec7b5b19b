//! Large objects: page runs at the top of the heap area, growing downwards.
//!
//! Each object has a run of its own. Free runs are merged with their neighbours and
//! handed out best fit. Runs of 1 MiB and more return their pages when freed; smaller
//! ones are zeroed when handed out again.

use std::collections::{BTreeMap, BTreeSet};

use crate::POISON;
use crate::space::Space;

const PAGE: usize = 4096;
/// Free runs from this size on are given back to the system.
const DISCARD_MIN: usize = 1 << 20;

struct Object {
    bytes: usize,
    young: bool,
}

#[derive(Clone, Copy)]
struct Run {
    bytes: usize,
    clean: bool,
}

pub(crate) struct Large {
    /// Lowest address in use.
    bottom: usize,
    objects: BTreeMap<usize, Object>,
    free: BTreeMap<usize, Run>,
    by_size: BTreeSet<(usize, usize)>,
    young: Vec<usize>,
    /// Bytes in runs of live objects, and of those the old ones.
    pub(crate) bytes: usize,
    pub(crate) old_bytes: usize,
}

impl Large {
    pub(crate) fn new(top: usize) -> Large {
        Large {
            bottom: top,
            objects: BTreeMap::new(),
            free: BTreeMap::new(),
            by_size: BTreeSet::new(),
            young: Vec::new(),
            bytes: 0,
            old_bytes: 0,
        }
    }

    /// Where the large part of the area begins; blocks end below.
    pub(crate) fn bottom(&self) -> usize {
        self.bottom
    }

    /// A zeroed run for an object of `bytes`, above `floor`.
    pub(crate) fn alloc(&mut self, space: &mut Space, bytes: usize, floor: usize) -> Option<usize> {
        let bytes = bytes.checked_next_multiple_of(PAGE)?;
        let at = if let Some(&(len, at)) = self.by_size.range((bytes, 0)..).next() {
            self.by_size.remove(&(len, at));
            let run = self
                .free
                .remove(&at)
                .expect("both tables name the same runs");
            if len > bytes {
                self.insert_free(at + bytes, len - bytes, run.clean);
            }
            if !run.clean {
                if bytes >= DISCARD_MIN {
                    // SAFETY: a free run has no live objects.
                    unsafe { space.discard(at, at + bytes) }
                } else {
                    // SAFETY: as above.
                    unsafe { std::ptr::write_bytes(at as *mut u8, 0, bytes) }
                }
            }
            at
        } else {
            if self.bottom - floor < bytes {
                return None;
            }
            let at = self.bottom - bytes;
            if !space.commit(at, self.bottom) {
                return None;
            }
            self.bottom = at;
            at
        };
        self.objects.insert(at, Object { bytes, young: true });
        self.young.push(at);
        self.bytes += bytes;
        Some(at)
    }

    fn insert_free(&mut self, at: usize, bytes: usize, clean: bool) {
        self.free.insert(at, Run { bytes, clean });
        self.by_size.insert((bytes, at));
    }

    fn remove_free(&mut self, at: usize) -> Run {
        let run = self.free.remove(&at).expect("the run is free");
        self.by_size.remove(&(run.bytes, at));
        run
    }

    fn release(&mut self, space: &Space, at: usize, poison: bool) {
        let object = self
            .objects
            .remove(&at)
            .expect("a large object starts here");
        self.bytes -= object.bytes;
        let (mut at, mut bytes) = (at, object.bytes);
        let mut clean = bytes >= DISCARD_MIN && !poison;
        if clean {
            // SAFETY: the object in the run is dead.
            unsafe { space.discard(at, at + bytes) }
        } else if poison {
            // SAFETY: as above.
            unsafe {
                for word in 0..bytes / 8 {
                    *(at as *mut u64).add(word) = POISON;
                }
            }
        }
        if let Some((&prev, run)) = self.free.range(..at).next_back()
            && prev + run.bytes == at
        {
            let run = self.remove_free(prev);
            at = prev;
            bytes += run.bytes;
            clean &= run.clean;
        }
        if self.free.contains_key(&(at + bytes)) {
            let run = self.remove_free(at + bytes);
            bytes += run.bytes;
            clean &= run.clean;
        }
        if !clean && bytes >= 4 * DISCARD_MIN && !poison {
            // SAFETY: all of the merged run is free.
            unsafe { space.discard(at, at + bytes) }
            clean = true;
        }
        if at == self.bottom && clean {
            self.bottom += bytes;
        } else {
            self.insert_free(at, bytes, clean);
        }
    }

    /// The object that holds `addr`.
    pub(crate) fn resolve(&self, addr: usize) -> Option<usize> {
        let (&start, object) = self.objects.range(..=addr).next_back()?;
        (addr < start + object.bytes).then_some(start)
    }

    /// Start of a full collection.
    pub(crate) fn clear_marks(&self, space: &mut Space) {
        for &at in self.objects.keys() {
            space.clear_mark(at);
        }
    }

    /// Frees unmarked young objects (all unmarked ones, if `full`); the others are old now.
    pub(crate) fn sweep(&mut self, space: &mut Space, full: bool, poison: bool) {
        let candidates: Vec<usize> = if full {
            self.young.clear();
            self.objects.keys().copied().collect()
        } else {
            std::mem::take(&mut self.young)
        };
        for at in candidates {
            let object = self.objects.get_mut(&at).expect("listed objects exist");
            if space.is_marked(at) {
                if object.young {
                    object.young = false;
                    self.old_bytes += object.bytes;
                }
            } else {
                if !object.young {
                    self.old_bytes -= object.bytes;
                }
                self.release(space, at, poison);
            }
        }
    }

    /// Calls `each` with the start of every large object.
    pub(crate) fn each(&self, each: &mut dyn FnMut(usize)) {
        for &at in self.objects.keys() {
            each(at);
        }
    }
}
