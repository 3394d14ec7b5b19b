//! The heap behind the handle: for now it bumps and never collects.

use std::collections::VecDeque;
use std::ptr::NonNull;

use pyrite_machine::{Header, Kind, Value, header_word};

use crate::roots::RootVecCore;
use crate::{AllocState, Config, GcError, KindCount, KindInfo, RootSource, Stats, Tracer};

pub(crate) struct Core {
    pub(crate) state: *mut AllocState,
    own_state: Box<AllocState>,
    pub(crate) roots: Option<*mut dyn RootSource>,
    pub(crate) root_vecs: Vec<NonNull<RootVecCore>>,
    pub(crate) stack_base: usize,
    config: Config,
    kinds: &'static [KindInfo],
    base: usize,
    size: usize,
    next: usize,
    low: usize,
    low_end: usize,
    finalizable: VecDeque<u64>,
    droppable: Vec<*mut u64>,
    external: usize,
}

fn map(hint: usize, bytes: usize, flags: i32) -> Option<usize> {
    // SAFETY: an anonymous mapping at an address the system chooses touches nothing else.
    let p = unsafe {
        libc::mmap(
            hint as *mut libc::c_void,
            bytes,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | flags,
            -1,
            0,
        )
    };
    (p != libc::MAP_FAILED).then_some(p as usize)
}

pub(crate) fn current_stack_base() -> Result<*const u64, GcError> {
    // SAFETY: plain calls on a local attribute object, destroyed before return.
    unsafe {
        let mut attr = std::mem::zeroed::<libc::pthread_attr_t>();
        let code = libc::pthread_getattr_np(libc::pthread_self(), &mut attr);
        if code != 0 {
            return Err(GcError::StackBounds(std::io::Error::from_raw_os_error(
                code,
            )));
        }
        let mut low = std::ptr::null_mut();
        let mut bytes = 0;
        let code = libc::pthread_attr_getstack(&attr, &mut low, &mut bytes);
        libc::pthread_attr_destroy(&mut attr);
        if code != 0 {
            return Err(GcError::StackBounds(std::io::Error::from_raw_os_error(
                code,
            )));
        }
        Ok((low as usize + bytes) as *const u64)
    }
}

impl Core {
    pub(crate) fn new(config: Config, kinds: &'static [KindInfo]) -> Result<Box<Core>, GcError> {
        if kinds.len() > 256 {
            return Err(GcError::TooManyKinds(kinds.len()));
        }
        let size = 4 << 30;
        let base = map(0, size, 0).ok_or_else(|| GcError::Reserve {
            bytes: size,
            source: std::io::Error::last_os_error(),
        })?;
        let low_bytes = 64 << 20;
        let low =
            map(0, low_bytes, libc::MAP_32BIT).ok_or(GcError::ReserveLow { bytes: low_bytes })?;
        let mut core = Box::new(Core {
            state: std::ptr::null_mut(),
            own_state: Box::default(),
            roots: None,
            root_vecs: Vec::new(),
            stack_base: current_stack_base()? as usize,
            config,
            kinds,
            base,
            size,
            next: base,
            low,
            low_end: low + low_bytes,
            finalizable: VecDeque::new(),
            droppable: Vec::new(),
            external: 0,
        });
        core.own_state.core = &mut *core;
        core.state = &mut *core.own_state;
        Ok(core)
    }

    pub(crate) unsafe fn attach(&mut self, state: *mut AllocState) {
        // SAFETY: the caller vouches for `state`; ours was valid so far.
        unsafe {
            (*state).cur = (*self.state).cur;
            (*state).lim = (*self.state).lim;
            (*state).core = self;
        }
        self.state = state;
    }

    #[cold]
    pub(crate) unsafe fn alloc_slow(
        this: *mut Core,
        kind: Kind,
        words: usize,
        shape: u32,
    ) -> Option<NonNull<u64>> {
        // SAFETY: `this` is the attached core.
        let core = unsafe { &mut *this };
        let bytes = words.div_ceil(2).saturating_mul(Header::GRANULE);
        if bytes > core.base + core.size - core.next
            || core.next - core.base + core.external + bytes > core.config.max_bytes
        {
            return None;
        }
        let p = core.next as *mut u64;
        core.next += bytes;
        // SAFETY: `p` is fresh mapped memory of `bytes` bytes.
        unsafe { *p = header_word(kind, words, shape) };
        NonNull::new(p)
    }

    pub(crate) unsafe fn reserve_room(this: *mut Core, bytes: usize) -> bool {
        // SAFETY: `this` is a live core.
        unsafe { (*this).try_reserve(bytes) }
    }

    pub(crate) unsafe fn reserve_room_from(this: *mut Core, bytes: usize, _: *const u64) -> bool {
        // SAFETY: `this` is a live core.
        unsafe { (*this).try_reserve(bytes) }
    }

    pub(crate) fn try_reserve(&mut self, bytes: usize) -> bool {
        // SAFETY: the state is valid while attached.
        let s = unsafe { &mut *self.state };
        if s.lim - s.cur >= bytes as u64 {
            return true;
        }
        let window = 32 << 10;
        if window > self.base + self.size - self.next {
            return false;
        }
        s.cur = self.next as u64;
        s.lim = s.cur + window as u64;
        self.next += window;
        true
    }

    pub(crate) unsafe fn collect_now(_: *mut Core, _: bool) {}
    pub(crate) unsafe fn remember(_: *mut Core, _: *mut u64) {}
    pub(crate) unsafe fn remember_slot(_: *mut Core, _: *mut u64, _: *mut Value) {}

    pub(crate) unsafe fn register_weakref(&mut self, wr: *mut u64) {
        // SAFETY: the caller passes an object with at least one payload word.
        unsafe {
            let v = Value::from_bits(*wr.add(1));
            if v.is_ptr() {
                *v.ptr() |= Header::HAS_WEAKREF;
            }
        }
    }

    pub(crate) unsafe fn register_finalizer(&mut self, obj: *mut u64) {
        // SAFETY: the caller passes an object.
        unsafe { *obj |= Header::HAS_FIN }
    }

    pub(crate) unsafe fn register_drop(&mut self, obj: *mut u64) {
        self.droppable.push(obj);
    }

    pub(crate) unsafe fn drop_all(&mut self) {
        for obj in std::mem::take(&mut self.droppable) {
            // SAFETY: registered objects are objects of a kind with `drop`.
            unsafe {
                if let Some(f) = self.kinds[Header::kind(*obj) as usize].drop {
                    f(obj);
                }
            }
        }
    }

    pub(crate) fn take_dead_weakref(&mut self) -> Option<Value> {
        None
    }

    pub(crate) fn take_finalizable(&mut self) -> Option<Value> {
        self.finalizable.pop_front().map(Value::from_bits)
    }

    pub(crate) fn has_pending(&self) -> bool {
        !self.finalizable.is_empty()
    }

    pub(crate) fn queue_all_finalizers(&mut self) {}

    pub(crate) fn external_bytes(&mut self, delta: isize) {
        self.external = self.external.saturating_add_signed(delta);
    }

    pub(crate) fn has_room_for(&self, bytes: usize) -> bool {
        let used = self.next - self.base + self.external;
        used.saturating_add(bytes) <= self.config.max_bytes
    }

    pub(crate) fn low_alloc(&mut self, bytes: usize) -> Option<NonNull<u8>> {
        let bytes = bytes.checked_next_multiple_of(16)?;
        if bytes > self.low_end - self.low {
            return None;
        }
        let p = self.low;
        self.low += bytes;
        NonNull::new(p as *mut u8)
    }

    pub(crate) fn for_each_object(&mut self, _: &mut dyn FnMut(*mut u64)) {}

    pub(crate) unsafe fn referents(&mut self, obj: *mut u64, each: &mut dyn FnMut(Value)) {
        // SAFETY: the caller passes an object.
        unsafe {
            if let Some(f) = self.kinds[Header::kind(*obj) as usize].trace {
                f(obj, &mut Tracer { visit: Some(each) });
            }
        }
    }

    pub(crate) unsafe fn object_size(&self, obj: *const u64) -> usize {
        // SAFETY: the caller passes an object.
        unsafe {
            match Header::granules(*obj) {
                0 => self.kinds[Header::kind(*obj) as usize]
                    .size
                    .map_or(Header::GRANULE, |f| f(obj)),
                n => n * Header::GRANULE,
            }
        }
    }

    pub(crate) fn contains(&self, address: usize) -> bool {
        address.wrapping_sub(self.base) < self.size
    }

    pub(crate) unsafe fn forwarded(_: *const Core, value: Value) -> Option<Value> {
        Some(value)
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats::default()
    }

    pub(crate) fn census(&mut self) -> Vec<KindCount> {
        Vec::new()
    }
}
