//! One collection, from safepoint to resumption.

use std::time::Instant;

use pyrite_machine::Header;

use crate::CARDED_MIN_BYTES;
use crate::blocks::BLOCK;
use crate::faults::Fault;
use crate::heap::{Core, Wanted};
use crate::roots::WeakView;
use crate::trace::Tracer;
use crate::{Evacuate, POISON, Pins, Report};

/// Survivors per 256 young bytes from which on they stay in place: copying them would cost
/// more than the holes that are left between them.
const IN_PLACE_FROM: usize = 100;
/// In debug builds the heap is verified as long as its old generation is this small ...
const DEBUG_VERIFY_BYTES: usize = 2 << 20;
/// ... and in this many collections.
const DEBUG_VERIFY_COLLECTIONS: u64 = 32;

impl Core {
    /// Collects. `wanted` is a [`Wanted`].
    ///
    /// # Safety
    /// `this` is a live core that is not collecting. All references are where the collector
    /// looks: those of the calling thread's native frames at or above `sp`.
    pub(crate) unsafe extern "C" fn collect(this: *mut Core, sp: *const u64, wanted: u64) {
        let started = Instant::now();
        // SAFETY: the caller vouches for `this`. It is used by raw pointer, and borrows of
        // parts of it never live across a callback.
        unsafe {
            assert!(
                !(*this).collecting,
                "nothing allocates or collects during a collection"
            );
            (*this).collecting = true;
            (*this).published_sp = sp as usize;
            (*this).close_windows();
            (*this).windows.sort_unstable();
            let full = match wanted {
                w if w == Wanted::Full as u64 => true,
                w if w == Wanted::Minor as u64 => false,
                _ => (*this).decide(),
            };
            let verify = (*this).verifies();
            if verify {
                (*this).verify_before(full);
            }
            let pinned = Core::find_pinned(this);
            Core::begin(this, full);
            if !(*this).planted(Fault::AmbiguousMoves) {
                for &addr in &pinned {
                    (*this).mark_in_place(addr);
                }
            }
            if !full {
                Core::trace_remembered(this);
            }
            Core::trace_exact(this);
            if (*this).planted(Fault::AmbiguousMoves) {
                let mut tracer = Tracer::marking(this);
                for &addr in &pinned {
                    let mut word = addr as u64;
                    tracer.edge((&raw mut word).cast());
                }
            }
            Core::drain(this);
            Core::process_weak(this, full);
            if let Some(roots) = (*this).roots {
                (*roots).after_mark(&WeakView { core: this });
            }
            (*this).run_drops(full);
            (*this).sweep(full);
            let pause_ns = started.elapsed().as_nanos() as u64;
            let report = (*this).account(full, pause_ns, pinned.len());
            if verify {
                (*this).verify_after();
            }
            (*this).keep_pinned_remembered(&pinned);
            if let Some(roots) = (*this).roots {
                (*roots).finished(&report);
            }
            (*this).collecting = false;
        }
    }

    /// True if this collection is to be verified.
    fn verifies(&self) -> bool {
        self.config.stress.verify
            || cfg!(debug_assertions)
                && self.old_bytes() <= DEBUG_VERIFY_BYTES
                && self.stats.minor_collections + self.stats.full_collections
                    < DEBUG_VERIFY_COLLECTIONS
    }

    /// The objects that must not move because of where references to them live.
    unsafe fn find_pinned(this: *mut Core) -> Vec<usize> {
        // SAFETY: as for `collect`.
        unsafe {
            let mut pins = Pins::new((*this).space.base, (*this).space.size);
            let (sp, base) = ((*this).published_sp, (*this).stack_base);
            let marker = 0u8;
            let here = &raw const marker as usize;
            assert!(
                here < sp && sp < base,
                "the scan starts at the safepoint's stack pointer {sp:#x}, between the collector's own frame {here:#x} and the stack's base {base:#x}"
            );
            let sp = sp.max(std::mem::take(&mut (*this).scan_floor));
            if (*this).scans_native_stack() {
                pins.range(sp as *const u64, base as *const u64);
            }
            for vec in &(*this).root_vecs {
                let vec = vec.as_ref();
                if vec.pinning {
                    for &word in &vec.items {
                        pins.word(word);
                    }
                }
            }
            if let Some(roots) = (*this).roots {
                (*roots).pinned(&mut pins);
            }
            (*this).resolve(pins.words)
        }
    }

    /// Objects that native code holds at a safepoint may still be under construction: it may
    /// go on to store into them without a barrier, as into any object it just made. They stay
    /// remembered, so the next collection looks at them again. Large arrays have cards, and
    /// whoever fills one tells so.
    fn keep_pinned_remembered(&mut self, pinned: &[usize]) {
        for &addr in pinned {
            let obj = addr as *mut u64;
            // SAFETY: pinned objects are alive and stayed in place.
            unsafe {
                let kind = &self.kinds[Header::kind(*obj) as usize];
                let small = kind.trace_range.is_none() || self.object_size(obj) < CARDED_MIN_BYTES;
                if *obj & Header::OLD != 0 && kind.trace.is_some() && small {
                    *obj &= !Header::OLD;
                    self.remembered.push(obj);
                }
            }
        }
    }

    /// Chooses how survivors are treated, and forgets the marks for a full collection.
    unsafe fn begin(this: *mut Core, full: bool) {
        // SAFETY: as for `collect`.
        let core = unsafe { &mut *this };
        let mode = core.config.evacuate;
        let evacuate = match mode {
            Evacuate::Always => true,
            Evacuate::Never => false,
            Evacuate::Adaptive => !full && core.last_survival < IN_PLACE_FROM,
        };
        let defragment = full && mode == Evacuate::Adaptive;
        let small_end = core.large.bottom();
        core.marker
            .begin(evacuate, defragment, mode == Evacuate::Always, small_end);
        if full {
            core.forget_remembered();
            core.blocks.begin_full(&mut core.space, defragment);
            core.large.clear_marks(&mut core.space);
        } else {
            core.stats.evacuating += u64::from(evacuate);
        }
    }

    unsafe fn trace_exact(this: *mut Core) {
        // SAFETY: as for `collect`; marking does not touch the list of root vectors.
        unsafe {
            let mut tracer = Tracer::marking(this);
            for i in 0..(*this).root_vecs.len() {
                let vec = (&(*this).root_vecs)[i].as_ptr();
                let items: &mut Vec<u64> = &mut (*vec).items;
                let range = items.as_mut_ptr_range();
                tracer.range(range.start.cast(), range.end.cast());
            }
            Core::trace_queues(this);
            if let Some(roots) = (*this).roots {
                (*roots).exact(&mut tracer);
            }
        }
    }

    fn sweep(&mut self, full: bool) {
        let poison = self.config.stress.poison;
        if poison {
            // SAFETY: marking is over, nothing was swept.
            unsafe { self.poison_young() }
        }
        self.blocks.sweep(&self.space, full, poison);
        self.large.sweep(&mut self.space, full, poison);
        if full {
            let keep = 2 * self.config.young_bytes.max(BLOCK) / BLOCK + self.blocks.in_use / 4;
            self.blocks.discard_surplus(&self.space, keep);
        }
    }

    /// Overwrites the dead and moved objects of the windows, also in lines that live on.
    unsafe fn poison_young(&mut self) {
        for &(start, end) in &self.windows {
            let mut at = start;
            while at < end {
                let obj = at as *mut u64;
                // SAFETY: windows hold whole objects; a moved one's size is that of its
                // copy.
                unsafe {
                    let header = *obj;
                    let whole = match header & Header::FORWARDED {
                        0 => obj,
                        _ => (header & !Header::FORWARDED) as *mut u64,
                    };
                    let bytes = self.object_size(whole);
                    if !self.space.is_marked(at) {
                        for word in 0..bytes / 8 {
                            *obj.add(word) = POISON;
                        }
                    }
                    at += bytes;
                }
            }
        }
    }

    /// Books a collection, and prepares the next.
    fn account(&mut self, full: bool, pause_ns: u64, pinned: usize) -> Report {
        let young_small: usize = self.windows.iter().map(|w| w.1 - w.0).sum();
        let m = &self.marker;
        let (copied, in_place) = (m.copied_bytes, m.in_place_bytes);
        self.stats.copied_bytes += copied as u64;
        self.stats.copied_objects += m.copied_objects as u64;
        self.stats.in_place_bytes += in_place as u64;
        self.stats.pinned += pinned as u64;
        if full {
            self.stats.full_collections += 1;
            self.stats.full_ns += pause_ns;
            self.stats.full_max_ns = self.stats.full_max_ns.max(pause_ns);
            if self.used_bytes() <= self.config.max_bytes {
                self.granted = 0;
            }
            let live = self.old_bytes() + self.external;
            self.full_threshold = self.config.full_floor_bytes.max(2 * live);
        } else {
            self.stats.minor_collections += 1;
            self.stats.minor_ns += pause_ns;
            self.stats.minor_max_ns = self.stats.minor_max_ns.max(pause_ns);
            self.last_survival = ((copied + in_place) * 256)
                .checked_div(young_small)
                .unwrap_or(self.last_survival);
        }
        self.windows.clear();
        self.young_used = 0;
        Report {
            full,
            pause_ns,
            copied_bytes: copied,
            in_place_bytes: in_place,
            pinned,
            old_bytes: self.old_bytes(),
            pending: self.has_pending(),
        }
    }
}
