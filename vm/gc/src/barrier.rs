//! The write barrier's slow paths: which old objects may refer to young ones.
//!
//! An old object is remembered once, by clearing its OLD bit, and traced whole at the next
//! minor collection. An array of [`CARDED_MIN_BYTES`] and more keeps OLD; the stored slot's
//! card becomes dirty, and CARDED says that the array is in the card list.

use pyrite_machine::{Header, Value};

use crate::CARDED_MIN_BYTES;
use crate::faults::Fault;
use crate::heap::Core;
use crate::trace::{CARD_BYTES, Tracer};

impl Core {
    /// # Safety
    /// `obj` is an OLD object of this heap.
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn remember(this: *mut Core, obj: *mut u64) {
        // SAFETY: the caller vouches for both.
        unsafe {
            let core = &mut *this;
            if core.planted(Fault::BarrierIgnored) {
                return;
            }
            *obj &= !Header::OLD;
            core.remembered.push(obj);
            core.stats.remembered += 1;
        }
    }

    /// # Safety
    /// `obj` is an OLD object of this heap, `slot` lies in it.
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn remember_slot(this: *mut Core, obj: *mut u64, slot: *mut Value) {
        // SAFETY: the caller vouches for all three.
        unsafe {
            let core = &mut *this;
            let kind = &core.kinds[Header::kind(*obj) as usize];
            if kind.trace_range.is_none() || core.object_size(obj) < CARDED_MIN_BYTES {
                return Core::remember(this, obj);
            }
            if core.planted(Fault::BarrierIgnored) {
                return;
            }
            if *obj & Header::CARDED == 0 {
                *obj |= Header::CARDED;
                core.carded.push(obj);
            }
            *core.space.card(slot as usize) = 1;
            core.stats.cards += 1;
        }
    }

    /// In a minor collection: traces the remembered objects and the dirty cards, and
    /// empties both sets.
    ///
    /// # Safety
    /// `this` is in a minor collection, pinned objects are marked.
    pub(crate) unsafe fn trace_remembered(this: *mut Core) {
        // SAFETY: the caller vouches for `this`; remembered and carded objects are old, so
        // they are objects still. No borrow lives across a trace function.
        unsafe {
            let mut tracer = Tracer::marking(this);
            let kinds = (*this).kinds;
            let mut remembered = std::mem::take(&mut (*this).remembered);
            for &obj in &remembered {
                if !(*this).planted(Fault::OldNotRestored) {
                    *obj |= Header::OLD;
                }
                if let Some(trace) = kinds[Header::kind(*obj) as usize].trace {
                    trace(obj, &mut tracer);
                }
            }
            remembered.clear();
            (*this).remembered = remembered;

            let mut carded = std::mem::take(&mut (*this).carded);
            for &obj in &carded {
                *obj &= !Header::CARDED;
                let start = obj as usize;
                let end = start + (*this).object_size(obj);
                let Some(trace_range) = kinds[Header::kind(*obj) as usize].trace_range else {
                    continue;
                };
                let mut at = start;
                while at < end {
                    let next = (at / CARD_BYTES + 1) * CARD_BYTES;
                    if (*this).space.is_dirty(at) {
                        let hi = next.min(end);
                        trace_range(obj, at as *mut u64, hi as *mut u64, &mut tracer);
                    }
                    at = next;
                }
                if (*this).planted(Fault::CardsClearedEarly) {
                    (*this).space.clear_cards(start, end - start);
                }
            }
            // Only now: two arrays may share a card.
            for &obj in &carded {
                let bytes = (*this).object_size(obj);
                (*this).space.clear_cards(obj as usize, bytes);
            }
            carded.clear();
            (*this).carded = carded;
        }
    }

    /// At the start of a full collection: everything is traced anyway, so both sets are
    /// just emptied.
    pub(crate) fn forget_remembered(&mut self) {
        self.remembered.clear();
        for obj in std::mem::take(&mut self.carded) {
            // SAFETY: carded objects are old objects, whose memory is intact until a sweep.
            unsafe {
                *obj &= !Header::CARDED;
                let bytes = self.object_size(obj);
                self.space.clear_cards(obj as usize, bytes);
            }
        }
    }
}
