//! The heap behind the handle: its parts, and the slow paths of allocation.

use std::collections::HashSet;
use std::ptr::NonNull;

use pyrite_machine::{Header, Kind, header_word};

use crate::blocks::{BLOCK, Blocks};
use crate::faults::Fault;
use crate::large::Large;
use crate::low::Low;
use crate::roots::RootVecCore;
use crate::space::Space;
use crate::stack::{current_stack_base, wipe_stack, with_registers_on_stack};
use crate::trace::Marker;
use crate::weak::Weak;
use crate::{
    AllocState, Config, GcError, KindInfo, LINE_BYTES, RootSource, SMALL_MAX_BYTES, Stats,
};

/// What a safepoint asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wanted {
    /// A minor collection, or a full one if the old generation has grown enough.
    Due = 0,
    Minor = 1,
    Full = 2,
}

/// Memory that is being bumped through.
#[derive(Clone, Copy, Default)]
pub(crate) struct Window {
    pub(crate) start: usize,
    pub(crate) cur: usize,
    pub(crate) lim: usize,
}

pub(crate) struct Core {
    pub(crate) config: Config,
    pub(crate) kinds: &'static [KindInfo],
    pub(crate) space: Space,
    pub(crate) blocks: Blocks,
    pub(crate) large: Large,
    low: Low,

    pub(crate) state: *mut AllocState,
    own_state: Box<AllocState>,
    /// Where the window in `state` started; 0: there is none.
    window_start: usize,
    /// The zeroed rest of the hole that windows are cut from.
    hole: (usize, usize),
    /// For objects over a line, so that they do not cost the rest of a hole.
    medium: Window,
    /// Memory handed out since the last collection, header-parsable, without the open
    /// windows.
    pub(crate) windows: Vec<(usize, usize)>,
    /// Bytes handed out since the last collection.
    pub(crate) young_used: usize,
    pub(crate) external: usize,
    /// The limit while it is exceeded by permission; 0: not so.
    pub(crate) granted: usize,

    pub(crate) roots: Option<*mut dyn RootSource>,
    pub(crate) root_vecs: Vec<NonNull<RootVecCore>>,
    pub(crate) stack_base: usize,
    pub(crate) collecting: bool,
    /// The stack pointer of the safepoint that the running collection belongs to.
    pub(crate) published_sp: usize,
    /// Where the scan of this thread's stack starts in the next collection, if above the
    /// published stack pointer; see `Heap::collect_above`.
    pub(crate) scan_floor: usize,

    /// Old objects that may refer to young ones; their OLD bit is clear.
    pub(crate) remembered: Vec<*mut u64>,
    /// Old objects with dirty cards; CARDED is set.
    pub(crate) carded: Vec<*mut u64>,
    pub(crate) marker: Marker,
    pub(crate) weak: Weak,
    /// A full collection is due when this many old bytes are exceeded.
    pub(crate) full_threshold: usize,
    /// Share of young bytes that survived the last minor collection, in 1/256.
    pub(crate) last_survival: usize,
    pub(crate) stats: Stats,
    slow_paths_to_stress: u32,
    stress_collections: u32,
    /// While a verified collection runs: the unmarked objects.
    pub(crate) known_starts: Option<HashSet<usize>>,
    #[cfg(test)]
    pub(crate) fault: Option<Fault>,
    /// The model test's roots are exact and ambiguous by choice, not by accident.
    #[cfg(test)]
    pub(crate) ignore_native_stack: bool,
}

impl Core {
    pub(crate) fn new(config: Config, kinds: &'static [KindInfo]) -> Result<Box<Core>, GcError> {
        if kinds.len() > 256 {
            return Err(GcError::TooManyKinds(kinds.len()));
        }
        let low = Low::new(config.low_bytes)?;
        let space = Space::new(config.reserve_bytes)?;
        let mut core = Box::new(Core {
            config,
            kinds,
            blocks: Blocks::new(),
            large: Large::new(space.base + space.size),
            low,
            state: std::ptr::null_mut(),
            own_state: Box::default(),
            window_start: 0,
            hole: (0, 0),
            medium: Window::default(),
            windows: Vec::new(),
            young_used: 0,
            external: 0,
            granted: 0,
            roots: None,
            root_vecs: Vec::new(),
            stack_base: current_stack_base()? as usize,
            collecting: false,
            published_sp: 0,
            scan_floor: 0,
            remembered: Vec::new(),
            carded: Vec::new(),
            marker: Marker::default(),
            weak: Weak::default(),
            full_threshold: config.full_floor_bytes,
            last_survival: 0,
            stats: Stats::default(),
            slow_paths_to_stress: config.stress.every,
            stress_collections: 0,
            known_starts: None,
            #[cfg(test)]
            fault: None,
            #[cfg(test)]
            ignore_native_stack: false,
            space,
        });
        core.own_state.core = &mut *core;
        core.own_state.card_bias = core.space.card_bias() as u64;
        core.state = &mut *core.own_state;
        Ok(core)
    }

    /// See [`crate::Heap::reconfigure`].
    pub(crate) fn reconfigure(&mut self, config: Config) {
        self.config = Config {
            reserve_bytes: self.config.reserve_bytes,
            low_bytes: self.config.low_bytes,
            ..config
        };
        self.slow_paths_to_stress = config.stress.every;
    }

    /// See [`crate::Heap::collects_in_exits`].
    pub(crate) fn collects_in_exits(&self) -> bool {
        self.config.stress.exits
    }

    /// True if a test planted this fault.
    #[inline(always)]
    pub(crate) fn planted(&self, fault: Fault) -> bool {
        #[cfg(test)]
        return self.fault == Some(fault);
        #[cfg(not(test))]
        {
            let _ = fault;
            false
        }
    }

    pub(crate) fn scans_native_stack(&self) -> bool {
        #[cfg(test)]
        return !self.ignore_native_stack;
        #[cfg(not(test))]
        true
    }

    /// # Safety
    /// `state` stays valid while it is attached.
    pub(crate) unsafe fn attach(&mut self, state: *mut AllocState) {
        self.close_windows();
        // SAFETY: the caller vouches for `state`.
        unsafe {
            (*state).cur = 0;
            (*state).lim = 0;
            (*state).card_bias = self.space.card_bias() as u64;
            (*state).core = self;
        }
        self.state = state;
    }

    /// Bytes that count to the limit.
    pub(crate) fn used_bytes(&self) -> usize {
        self.blocks.in_use * BLOCK + self.large.bytes + self.external
    }

    pub(crate) fn has_room_for(&self, bytes: usize) -> bool {
        self.used_bytes().saturating_add(bytes) <= self.config.max_bytes.max(self.granted)
    }

    pub(crate) fn external_bytes(&mut self, delta: isize) {
        self.external = self.external.saturating_add_signed(delta);
        self.young_used += delta.max(0) as usize;
        if self.young_used >= self.config.young_bytes {
            // A window has room for a thousand owners of big buffers; do not wait for its
            // end.
            self.close_window();
        }
    }

    pub(crate) fn low_alloc(&mut self, bytes: usize) -> Option<NonNull<u8>> {
        self.low.alloc(bytes)
    }

    /// # Safety
    /// `obj` is an object of this heap.
    #[inline(always)]
    pub(crate) unsafe fn object_size(&self, obj: *const u64) -> usize {
        // SAFETY: the caller passes an object, so its header is readable and its kind is a
        // row of the table.
        unsafe {
            match Header::granules(*obj) {
                0 => {
                    let kind = &self.kinds[Header::kind(*obj) as usize];
                    let size = kind
                        .size
                        .expect("a kind of huge objects has a size function");
                    size(obj).next_multiple_of(Header::GRANULE)
                }
                n => n * Header::GRANULE,
            }
        }
    }

    /// Ends the open bump window: what lies behind its cursor is not used.
    fn close_window(&mut self) {
        // SAFETY: the attached state is valid.
        let state = unsafe { &mut *self.state };
        let (start, end) = (self.window_start, state.cur as usize);
        state.cur = 0;
        state.lim = 0;
        self.window_start = 0;
        self.push_window(start, end);
    }

    fn push_window(&mut self, start: usize, end: usize) {
        if end <= start {
            return;
        }
        match self.windows.last_mut() {
            Some(last) if last.1 == start && !start.is_multiple_of(BLOCK) => last.1 = end,
            _ => self.windows.push((start, end)),
        }
    }

    /// Ends all windows, before a collection.
    pub(crate) fn close_windows(&mut self) {
        self.close_window();
        let m = std::mem::take(&mut self.medium);
        self.push_window(m.start, m.cur);
        self.hole = (0, 0);
    }

    /// All memory handed out since the last collection, with the open windows.
    pub(crate) fn young_windows(&self) -> Vec<(usize, usize)> {
        let mut all = self.windows.clone();
        if self.window_start != 0 {
            // SAFETY: the attached state is valid.
            all.push((self.window_start, unsafe { (*self.state).cur } as usize));
        }
        all.push((self.medium.start, self.medium.cur));
        all.retain(|w| w.0 < w.1);
        all
    }

    /// A free block within the limit, zeroed.
    fn free_block(&mut self) -> Option<(usize, usize)> {
        if !self.has_room_for(BLOCK) {
            return None;
        }
        let (at, clean) = self
            .blocks
            .take_free(&mut self.space, self.large.bottom())?;
        if !clean {
            self.zero(at, at + BLOCK);
        }
        Some((at, at + BLOCK))
    }

    /// A hole of a recycled block, zeroed.
    fn zeroed_hole(&mut self, need: usize) -> Option<(usize, usize)> {
        let (lo, hi) = self.blocks.hole(&self.space, need)?;
        self.zero(lo, hi);
        Some((lo, hi))
    }

    fn zero(&mut self, lo: usize, hi: usize) {
        if self.planted(Fault::HolesNotZeroed) {
            return;
        }
        // SAFETY: the range was just handed out and holds no object.
        unsafe { std::ptr::write_bytes(lo as *mut u8, 0, hi - lo) }
    }

    /// Opens a window with room for `need` bytes (a multiple of 16, at most
    /// SMALL_MAX_BYTES), if there is memory. Never collects.
    fn refill(&mut self, need: usize) -> bool {
        self.close_window();
        if self.hole.1 - self.hole.0 < need {
            let found = if need <= LINE_BYTES {
                self.zeroed_hole(need).or_else(|| self.free_block())
            } else {
                self.free_block().or_else(|| self.zeroed_hole(need))
            };
            let Some(hole) = found else { return false };
            self.hole = hole;
        }
        let start = self.hole.0;
        let end = if self.config.stress.tiny_windows {
            start + need
        } else {
            self.hole.1
        };
        self.hole.0 = end;
        self.window_start = start;
        self.count_allocated(end - start);
        // SAFETY: the attached state is valid.
        unsafe {
            (*self.state).cur = start as u64;
            (*self.state).lim = end as u64;
        }
        true
    }

    fn count_allocated(&mut self, bytes: usize) {
        self.young_used += bytes;
        self.stats.allocated_bytes += bytes as u64;
    }

    /// Memory for one object, zeroed but for its header, without collecting.
    fn place(&mut self, bytes: usize) -> Option<usize> {
        if bytes > SMALL_MAX_BYTES {
            if !self.has_room_for(bytes) {
                return None;
            }
            let floor = self.blocks.top(&self.space);
            let at = self.large.alloc(&mut self.space, bytes, floor)?;
            self.count_allocated(bytes);
            return Some(at);
        }
        if bytes > LINE_BYTES {
            if self.medium.lim - self.medium.cur < bytes {
                let m = std::mem::take(&mut self.medium);
                self.push_window(m.start, m.cur);
                let (lo, hi) = self.free_block().or_else(|| self.zeroed_hole(bytes))?;
                self.medium = Window {
                    start: lo,
                    cur: lo,
                    lim: hi,
                };
            }
            let at = self.medium.cur;
            self.medium.cur += bytes;
            self.count_allocated(bytes);
            return Some(at);
        }
        let state = self.state;
        // SAFETY: the attached state is valid.
        unsafe {
            if ((*state).lim - (*state).cur) < bytes as u64 && !self.refill(bytes) {
                return None;
            }
            let at = (*state).cur;
            (*state).cur += bytes as u64;
            Some(at as usize)
        }
    }

    /// True if the young budget is spent or stress wants a collection now. Each call is
    /// one slow path.
    fn is_due(&mut self) -> bool {
        self.stats.slow_paths += 1;
        if self.slow_paths_to_stress > 0 {
            self.slow_paths_to_stress -= 1;
            if self.slow_paths_to_stress == 0 {
                self.slow_paths_to_stress = self.config.stress.every;
                return true;
            }
        }
        self.young_used >= self.config.young_bytes
    }

    /// What a due collection is: full if the old generation has grown enough.
    pub(crate) fn decide(&mut self) -> bool {
        let stress = self.config.stress;
        if stress.every > 0 && stress.full_every > 0 {
            self.stress_collections += 1;
            if self.stress_collections.is_multiple_of(stress.full_every) {
                return true;
            }
        }
        self.old_bytes() + self.external > self.full_threshold
    }

    /// Bytes in lines and runs of the old generation.
    pub(crate) fn old_bytes(&self) -> usize {
        self.blocks.live_lines * LINE_BYTES + self.large.old_bytes
    }

    /// # Safety
    /// `this` is a live core; references live where the collector looks.
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn alloc_slow(
        this: *mut Core,
        kind: Kind,
        words: usize,
        shape: u32,
    ) -> Option<NonNull<u64>> {
        let bytes = words.div_ceil(2).checked_mul(Header::GRANULE)?;
        // SAFETY: the caller vouches for `this`; no borrow lives across the collection.
        unsafe {
            if (*this).is_due() {
                Core::collect_spilled(this, Wanted::Due);
            }
            let at = match (*this).place(bytes) {
                Some(at) => at,
                None => {
                    Core::collect_spilled(this, Wanted::Full);
                    if !(*this).is_worth_going_on() {
                        return None;
                    }
                    (*this).place(bytes)?
                }
            };
            let p = at as *mut u64;
            *p = header_word(kind, words, shape);
            NonNull::new(p)
        }
    }

    /// # Safety
    /// As for `alloc_slow`.
    #[inline]
    pub(crate) unsafe fn reserve_room(this: *mut Core, bytes: usize) -> bool {
        // SAFETY: the caller vouches for `this`.
        unsafe {
            let state = (*this).state;
            if (*state).lim - (*state).cur >= bytes as u64 {
                return true;
            }
            Core::reserve_slow(this, bytes)
        }
    }

    #[cold]
    #[inline(never)]
    unsafe fn reserve_slow(this: *mut Core, bytes: usize) -> bool {
        let bytes = bytes.next_multiple_of(Header::GRANULE);
        // SAFETY: as for `alloc_slow`.
        unsafe {
            if (*this).is_due() {
                Core::collect_spilled(this, Wanted::Due);
            }
            if bytes > SMALL_MAX_BYTES {
                return false;
            }
            if (*this).refill(bytes) {
                return true;
            }
            Core::collect_spilled(this, Wanted::Full);
            (*this).is_worth_going_on() && (*this).refill(bytes)
        }
    }

    /// After a full collection of a full heap: false if so little came free that the
    /// next one would follow at once, and the program spend its time collecting.
    fn is_worth_going_on(&self) -> bool {
        self.granted != 0 || self.has_room_for(self.config.max_bytes / 32)
    }

    /// # Safety
    /// As for `alloc_slow`, and everything live is at or above `sp`.
    pub(crate) unsafe fn reserve_room_from(this: *mut Core, bytes: usize, sp: *const u64) -> bool {
        let bytes = bytes.next_multiple_of(Header::GRANULE);
        // SAFETY: the caller vouches for `this` and `sp`.
        unsafe {
            Core::collect(this, sp, Wanted::Due as u64);
            if bytes > SMALL_MAX_BYTES {
                return false;
            }
            if (*this).refill(bytes) {
                return true;
            }
            Core::collect(this, sp, Wanted::Full as u64);
            (*this).is_worth_going_on() && (*this).refill(bytes)
        }
    }

    /// Room without collecting; false if a collection is due or the heap is full.
    pub(crate) fn try_reserve(&mut self, bytes: usize) -> bool {
        let bytes = bytes.next_multiple_of(Header::GRANULE);
        // SAFETY: the attached state is valid.
        let room = unsafe { (*self.state).lim - (*self.state).cur };
        room >= bytes as u64 || (bytes <= SMALL_MAX_BYTES && !self.is_due() && self.refill(bytes))
    }

    /// # Safety
    /// As for `alloc_slow`.
    pub(crate) unsafe fn collect_now(this: *mut Core, full: bool) {
        let wanted = if full { Wanted::Full } else { Wanted::Minor };
        // SAFETY: the caller vouches for `this`.
        unsafe { Core::collect_spilled(this, wanted) }
    }

    /// # Safety
    /// As for `alloc_slow`.
    unsafe fn collect_spilled(this: *mut Core, wanted: Wanted) {
        // SAFETY: `collect` takes just these arguments; the stub passes a stack pointer
        // with all of the callers' state at and above it.
        unsafe { with_registers_on_stack(this, Core::collect, wanted as u64) }
        wipe_stack();
    }

    pub(crate) fn contains(&self, addr: usize) -> bool {
        self.space.contains(addr)
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats {
            old_bytes: self.old_bytes() as u64,
            used_bytes: self.used_bytes() as u64,
            large_bytes: self.large.bytes as u64,
            external_bytes: self.external as u64,
            committed_bytes: self.space.committed_bytes as u64,
            reserved_bytes: self.space.size as u64,
            ..self.stats
        }
    }
}
