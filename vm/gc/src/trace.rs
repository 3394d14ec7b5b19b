//! Marking and moving: what happens to an object when the collector meets it.
//!
//! An unmarked object that is reached either stays (its mark, its lines and OLD are set)
//! or is copied to the promotion window, leaving its new address in the old header. The
//! same code serves minor collections (everything old is marked beforehand) and full ones
//! (nothing is). What was pinned has been marked before the first copy is made, so that
//! "unmarked" implies "may move, unless PIN". A copy that finds no memory is no problem:
//! the object just stays.

use std::ptr::NonNull;

use pyrite_machine::{Header, Value};

use crate::blocks::BLOCK;
use crate::faults::Fault;
use crate::heap::{Core, Window};
use crate::{LINE_BYTES, POISON, SMALL_MAX_BYTES};

/// Objects above this size stay where they are: they rarely share their lines.
const COPY_MAX_BYTES: usize = 1 << 10;

/// Slots that wait for the header of what they refer to.
const AHEAD: usize = 16;

/// State of the running collection.
#[derive(Default)]
pub(crate) struct Marker {
    /// Slots of heap objects whose referents have been prefetched; a ring.
    ahead: [Option<NonNull<Value>>; AHEAD],
    next_ahead: usize,
    /// Objects that are marked, but whose slots are not yet looked at.
    pub(crate) stack: Vec<*mut u64>,
    /// Everything that may move does.
    evacuate: bool,
    /// What lies in sparse blocks moves.
    defragment: bool,
    copy_max: usize,
    /// Objects from here on are large.
    small_end: usize,
    promotion: Window,
    pub(crate) copied_bytes: usize,
    pub(crate) copied_objects: usize,
    pub(crate) in_place_bytes: usize,
}

impl Marker {
    pub(crate) fn begin(&mut self, evacuate: bool, defragment: bool, all: bool, small_end: usize) {
        debug_assert!(
            self.stack.is_empty(),
            "the last collection drained its stack"
        );
        *self = Marker {
            stack: std::mem::take(&mut self.stack),
            evacuate,
            defragment,
            copy_max: if all { SMALL_MAX_BYTES } else { COPY_MAX_BYTES } / Header::GRANULE,
            small_end,
            ..Marker::default()
        };
    }
}

/// Receives an object's reference slots.
pub struct Tracer<'a> {
    core: *mut Core,
    base: usize,
    size: usize,
    /// The slots are words of heap objects, so they can be looked at a little later.
    ahead: bool,
    /// `None`: mark.
    visit: Option<&'a mut dyn FnMut(*mut Value, Value)>,
}

impl<'a> Tracer<'a> {
    /// # Safety
    /// `core` is alive as long as the tracer is used, and in the middle of a collection.
    pub(crate) unsafe fn marking(core: *mut Core) -> Tracer<'a> {
        // SAFETY: the caller vouches for `core`.
        let (base, size) = unsafe { ((*core).space.base, (*core).space.size) };
        Tracer {
            core,
            base,
            size,
            ahead: false,
            visit: None,
        }
    }

    /// A tracer that only shows the slots that refer to the heap (or hold POISON).
    pub(crate) fn visiting(core: &Core, visit: &'a mut dyn FnMut(*mut Value, Value)) -> Tracer<'a> {
        Tracer {
            core: std::ptr::null_mut(),
            base: core.space.base,
            size: core.space.size,
            ahead: false,
            visit: Some(visit),
        }
    }

    /// A slot that holds a reference or any other value word. The reference is updated if
    /// its object moves.
    ///
    /// # Safety
    /// `slot` is readable and writable and holds a value word.
    #[inline]
    pub unsafe fn edge(&mut self, slot: *mut Value) {
        // SAFETY: the caller vouches for `slot`; a word within the heap area is a
        // reference to an object there.
        unsafe {
            let value = *slot;
            if (value.bits() as usize).wrapping_sub(self.base) >= self.size {
                if value.bits() == POISON {
                    poisoned(slot);
                }
                return;
            }
            match &mut self.visit {
                None if self.ahead => Core::mark_edge_ahead(self.core, slot),
                None => Core::mark_edge(self.core, slot),
                Some(f) => f(slot, value),
            }
        }
    }

    /// The slots from `lo` up to `hi`, exclusive.
    ///
    /// # Safety
    /// All of them are as in [`Tracer::edge`].
    #[inline]
    pub unsafe fn range(&mut self, lo: *mut Value, hi: *mut Value) {
        let mut slot = lo;
        while slot < hi {
            // SAFETY: `slot` lies in the caller's range.
            unsafe {
                self.edge(slot);
                slot = slot.add(1);
            }
        }
    }
}

#[inline(always)]
fn prefetch(addr: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch has no effect but on time, whatever the address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(addr as *const i8);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = addr;
}

#[cold]
#[inline(never)]
fn poisoned(slot: *mut Value) {
    panic!(
        "slot {slot:p} refers to memory that was freed: a reference was hidden from the collector"
    );
}

impl Core {
    /// # Safety
    /// `this` is collecting; `slot` holds a reference to an object of this heap.
    #[inline(always)]
    unsafe fn mark_edge(this: *mut Core, slot: *mut Value) {
        // SAFETY: the caller vouches for both; the borrow ends before anything else runs.
        unsafe {
            let addr = (*slot).bits() as usize;
            let core = &mut *this;
            if core.space.is_marked(addr) {
                return;
            }
            let header = *(addr as *const u64);
            let new = if header & Header::FORWARDED != 0 {
                (header & !Header::FORWARDED) as usize
            } else {
                core.survive(addr, header)
            };
            if new != addr && !core.planted(Fault::SlotNotUpdated) {
                *slot = Value::from_ptr(new as *const u64);
            }
        }
    }

    /// [`Core::mark_edge`], a few slots later: most of marking is waiting for headers.
    ///
    /// # Safety
    /// As for `mark_edge`, and `slot` is a word of a marked object.
    #[inline(always)]
    unsafe fn mark_edge_ahead(this: *mut Core, slot: *mut Value) {
        // SAFETY: the caller vouches for both.
        unsafe {
            let core = &mut *this;
            let addr = (*slot).bits() as usize;
            if core.space.is_marked(addr) {
                return;
            }
            prefetch(addr);
            let m = &mut core.marker;
            let at = m.next_ahead % AHEAD;
            m.next_ahead = at + 1;
            if let Some(earlier) = std::mem::replace(&mut m.ahead[at], NonNull::new(slot)) {
                Core::mark_edge(this, earlier.as_ptr());
            }
        }
    }

    /// Marks an unmarked object, moving it if it may; returns where it is now.
    ///
    /// # Safety
    /// `addr` is an unmarked object, `header` its header, not FORWARDED.
    unsafe fn survive(&mut self, addr: usize, header: u64) -> usize {
        self.check_young_start(addr);
        let granules = Header::granules(header);
        let m = &self.marker;
        let moves = addr < m.small_end
            && (header & Header::PIN == 0 || self.planted(Fault::PinIgnored))
            && granules != 0
            && granules <= m.copy_max
            && (m.evacuate || m.defragment && self.blocks.is_sparse(&self.space, addr));
        if moves && let Some(to) = self.promotion_room(granules * Header::GRANULE) {
            let bytes = granules * Header::GRANULE;
            // SAFETY: `addr` is an object of `bytes` bytes, `to` fresh memory of that size.
            unsafe {
                std::ptr::copy_nonoverlapping(addr as *const u64, to as *mut u64, bytes / 8);
                *(to as *mut u64) = (header | Header::OLD) & !Header::CARDED;
                *(addr as *mut u64) = to as u64 | Header::FORWARDED;
            }
            self.space.set_mark(to);
            self.mark_object_lines(to, bytes);
            self.marker.copied_bytes += bytes;
            self.marker.copied_objects += 1;
            if self.kinds[Header::kind(header) as usize].trace.is_some() {
                self.marker.stack.push(to as *mut u64);
            }
            return to;
        }
        // SAFETY: the caller passes an unmarked object.
        unsafe { self.mark_in_place(addr) };
        addr
    }

    /// Marks an object where it is, if it is not marked yet.
    ///
    /// # Safety
    /// `addr` is an object, not FORWARDED.
    pub(crate) unsafe fn mark_in_place(&mut self, addr: usize) {
        if self.space.is_marked(addr) {
            return;
        }
        let obj = addr as *mut u64;
        // SAFETY: the caller passes an object.
        unsafe {
            self.space.set_mark(addr);
            *obj = (*obj | Header::OLD) & !Header::CARDED;
            if addr < self.marker.small_end {
                let bytes = self.object_size(obj);
                self.mark_object_lines(addr, bytes);
                self.marker.in_place_bytes += bytes;
            }
            if self.kinds[Header::kind(*obj) as usize].trace.is_some() {
                self.marker.stack.push(obj);
            }
        }
    }

    #[inline(always)]
    fn mark_object_lines(&mut self, addr: usize, bytes: usize) {
        let bytes = if self.planted(Fault::OnlyFirstLine) {
            1
        } else {
            bytes
        };
        self.space.mark_lines(addr, bytes);
    }

    /// Room for a copy, in blocks that were free when the collection began. May exceed the
    /// heap's limit: what it moves is freed soon.
    fn promotion_room(&mut self, bytes: usize) -> Option<usize> {
        let p = &mut self.marker.promotion;
        if p.lim - p.cur < bytes {
            let (at, _) = self
                .blocks
                .take_free(&mut self.space, self.large.bottom())?;
            self.marker.promotion = Window {
                start: at,
                cur: at,
                lim: at + BLOCK,
            };
            if self.planted(Fault::CopiesNotCounted) {
                self.blocks.forget_touched();
            }
        }
        let p = &mut self.marker.promotion;
        let at = p.cur;
        p.cur += bytes;
        Some(at)
    }

    /// Traces everything that is on the mark stack, and what that reaches.
    ///
    /// # Safety
    /// `this` is collecting.
    pub(crate) unsafe fn drain(this: *mut Core) {
        // SAFETY: the caller vouches for `this`; objects on the stack are marked and of
        // kinds with a trace function. No borrow lives across its call.
        unsafe {
            let mut tracer = Tracer::marking(this);
            tracer.ahead = true;
            let kinds = (*this).kinds;
            loop {
                while let Some(obj) = (*this).marker.stack.pop() {
                    if let Some(trace) = kinds[Header::kind(*obj) as usize].trace {
                        trace(obj, &mut tracer);
                    }
                }
                for i in 0..AHEAD {
                    if let Some(slot) = (*this).marker.ahead[i].take() {
                        Core::mark_edge(this, slot.as_ptr());
                    }
                }
                if (*this).marker.stack.is_empty() {
                    break;
                }
            }
        }
    }

    /// Where an object is after marking; `None` if it is dead. Addresses outside of the
    /// heap live for ever.
    ///
    /// # Safety
    /// Marking is over; within the heap, `addr` was an object when it began.
    #[inline]
    pub(crate) unsafe fn alive(&self, addr: usize) -> Option<usize> {
        if !self.space.contains(addr) || self.space.is_marked(addr) {
            return Some(addr);
        }
        // SAFETY: nothing was swept yet, so the header is that of the object, or forwards.
        let header = unsafe { *(addr as *const u64) };
        (header & Header::FORWARDED != 0).then_some((header & !Header::FORWARDED) as usize)
    }

    /// [`Core::alive`] for a value word.
    ///
    /// # Safety
    /// As for `alive`.
    pub(crate) unsafe fn forwarded(this: *const Core, value: Value) -> Option<Value> {
        if !value.is_ptr() {
            return Some(value);
        }
        // SAFETY: the caller vouches for both.
        let new = unsafe { (*this).alive(value.bits() as usize)? };
        Some(Value::from_bits(new as u64))
    }
}

/// How much of an array's memory one card stands for.
pub(crate) const CARD_BYTES: usize = LINE_BYTES;
