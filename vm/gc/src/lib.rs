//! The heap: bump allocation, a generational collector, and what it needs from outside.
//!
//! **Problem.** Dynamic-language programs allocate fast and keep little; machine code must
//! allocate inline; Rust code wants to hold references in plain locals.
//!
//! **Idea.** One address reservation is cut into 32 KiB blocks of 256-byte lines. Objects
//! are bumped into free holes of lines. A minor collection marks what is reachable among
//! the objects allocated since the last one and makes it old at once: the mark bits stay
//! ("sticky"), and are at the same time the map of object starts. Words on the native
//! stack are ambiguous: what they hit is pinned. All other young survivors either move to
//! fresh lines or stay where they are, by the last survival rate. Objects over 8 KiB live
//! in page runs of their own.
//!
//! **Example.** `a = alloc(PAIR); b = alloc(PAIR); a[0] = b`, `a` in a VM-stack slot. The
//! next minor collection finds `a` through the exact slot, copies it, updates the slot,
//! finds `b` through the copy, copies it too; both are OLD now. `a[1] = c` with a young
//! `c` then goes through [`Heap::barrier`], which remembers `a` and clears its OLD bit.
//!
//! **Invariants.**
//! - At a safepoint each bump window can be walked header by header, and every reference
//!   slot holds a value or zero: windows are zeroed when handed out.
//! - A collection happens only in an allocation slow path, [`Heap::reserve_room`] or
//!   [`Heap::collect`].
//! - References live in heap objects, on native stacks, in [`RootVec`]s and in what the
//!   [`RootSource`] reports, nowhere else.
//! - Only the holder of the embedder's global lock touches the heap.
//!
//! **Left out.** Concurrent or incremental marking; a start bit per allocation.

mod barrier;
mod blocks;
mod collect;
mod config;
mod faults;
mod heap;
mod kinds;
mod large;
mod low;
mod resolve;
mod roots;
mod space;
mod stack;
mod state;
mod stats;
mod trace;
mod verify;
mod walk;
mod weak;

#[cfg(test)]
mod tests;

use std::ptr::NonNull;

use pyrite_machine::{Header, Kind, Value};

pub use config::{Config, Evacuate, GcError, Stress};
pub use kinds::KindInfo;
pub use roots::{Pins, RootSource, RootVec, WeakView};
pub use stack::{wipe_stack, with_spilled_registers};
pub use state::AllocState;
pub use stats::{KindCount, Report, Stats};
pub use trace::Tracer;

use crate::heap::Core;

/// Bytes per line: the most that one bump check may cover.
pub const LINE_BYTES: usize = 256;
/// Objects above this size have page runs of their own, unless the open window happens to
/// have room for one.
pub const SMALL_MAX_BYTES: usize = 8 << 10;
/// Objects of a kind with `trace_range` and at least this size have cards.
pub const CARDED_MIN_BYTES: usize = 1 << 10;
/// What dead memory is filled with under stress: a pointer word that is no address.
pub const POISON: u64 = 0x0001_ABAB_ABAB_ABA8;

/// Handle of a heap: a plain address, so copies name the same heap.
///
/// Methods that may collect are *safepoints*: they say so. No Rust reference into an
/// object or into a [`RootVec`] may live across one.
#[derive(Clone, Copy)]
pub struct Heap {
    core: NonNull<Core>,
}

impl Heap {
    /// Makes a heap whose objects have the given kinds.
    ///
    /// The calling thread counts as the first holder of the lock: its stack is scanned.
    ///
    /// # Errors
    /// [`GcError`] when the address space has no room or the table is too large.
    pub fn new(config: Config, kinds: &'static [KindInfo]) -> Result<Heap, GcError> {
        let core = Core::new(config, kinds)?;
        Ok(Heap {
            core: NonNull::from(Box::leak(core)),
        })
    }

    #[expect(
        clippy::mut_from_ref,
        reason = "the handle is a raw address; borrows are short and never cross a callback"
    )]
    pub(crate) fn core_mut(&self) -> &mut Core {
        // SAFETY: the core lives until `destroy`, whose contract ends all use of handles;
        // the handle is neither Send nor Sync, and no caller keeps the borrow across
        // another use of a handle.
        unsafe { &mut *self.core.as_ptr() }
    }

    /// From here on survivors move, budgets are spent and stress is applied as this
    /// configuration says; the reservations stay as they are. Collects, so that no
    /// memory is left in a state the new configuration does not expect.
    pub fn reconfigure(self, config: Config) {
        self.core_mut().reconfigure(config);
        self.collect(true);
    }

    /// True if objects that are made where compiled code is left want a collection each.
    #[inline]
    pub fn collects_in_exits(self) -> bool {
        self.core_mut().collects_in_exits()
    }

    /// Unmaps the heap. Runs no finalizers and no native drops; see [`Heap::drop_all`].
    ///
    /// # Safety
    /// No handle, object, attached state or [`RootVec`] of this heap is used afterwards.
    pub unsafe fn destroy(self) {
        // SAFETY: made by `Box::leak` in `new`; the caller ends all use.
        drop(unsafe { Box::from_raw(self.core.as_ptr()) });
    }

    /// Makes `state` the place of the bump window.
    ///
    /// # Safety
    /// `state` stays valid and in place until another is attached or the heap destroyed.
    pub unsafe fn attach(self, state: *mut AllocState) {
        // SAFETY: the caller vouches for `state`.
        unsafe { self.core_mut().attach(state) }
    }

    /// Makes `roots` the embedder's root source.
    ///
    /// # Safety
    /// `roots` stays valid until replaced, no other reference to it is in use during a
    /// safepoint, and it reports every reference that lives outside of the heap, the
    /// native stack and `RootVec`s.
    pub unsafe fn set_roots(self, roots: *mut dyn RootSource) {
        self.core_mut().roots = Some(roots);
    }

    /// Tells the heap that the calling thread now holds the lock: its native stack is
    /// scanned from a safepoint up to `base` (its highest address, exclusive).
    ///
    /// # Safety
    /// The stack is readable from any frame of this thread to `base`.
    pub unsafe fn set_stack_base(self, base: *const u64) {
        self.core_mut().stack_base = base as usize;
    }

    /// The base of the calling thread's stack, for [`Heap::set_stack_base`].
    ///
    /// # Errors
    /// [`GcError::StackBounds`] when the system does not tell.
    pub fn current_stack_base() -> Result<*const u64, GcError> {
        stack::current_stack_base()
    }

    /// [`AllocState::alloc`] on the attached state. A safepoint.
    #[inline]
    pub fn alloc(self, kind: Kind, words: usize, shape: u32) -> Option<NonNull<u64>> {
        // SAFETY: the core always has a state (its own until one is attached); that
        // references live where the collector looks is `set_roots`'s contract.
        unsafe { AllocState::alloc(self.core_mut().state, kind, words, shape) }
    }

    /// Makes sure that the window has room for `bytes` (at most [`SMALL_MAX_BYTES`]).
    /// False: the heap is full. A safepoint.
    #[inline]
    pub fn reserve_room(self, bytes: usize) -> bool {
        // SAFETY: as in `alloc`.
        unsafe { Core::reserve_room(self.core.as_ptr(), bytes) }
    }

    /// The same without ever collecting. False: a collection is due (or the heap full);
    /// clean up dead slots and call [`Heap::reserve_room_from`].
    #[inline]
    pub fn try_reserve(self, bytes: usize) -> bool {
        self.core_mut().try_reserve(bytes)
    }

    /// After [`Heap::try_reserve`] refused, for a stub that has already saved its registers:
    /// collects, scanning the native stack from `sp` on, and makes room. False: the heap is
    /// full. A safepoint.
    ///
    /// # Safety
    /// Everything live is at or above `sp`, which lies in the current thread's stack.
    pub unsafe fn reserve_room_from(self, bytes: usize, sp: *const u64) -> bool {
        // SAFETY: the caller vouches for `sp`.
        unsafe { Core::reserve_room_from(self.core.as_ptr(), bytes, sp) }
    }

    /// Collects now, all generations or the young one. A safepoint.
    pub fn collect(self, full: bool) {
        // SAFETY: as in `alloc`.
        unsafe { Core::collect_now(self.core.as_ptr(), full) }
    }

    /// As [`Heap::collect`], without the words of the native stack below `floor`:
    /// stale ones among them would keep dead objects alive.
    ///
    /// # Safety
    /// `floor` lies in the current thread's stack, below the stack's base, and no frame
    /// below it holds a reference that is used afterwards; callee-saved registers of
    /// the frames above are stored at or above `floor`.
    pub unsafe fn collect_above(self, full: bool, floor: *const u64) {
        self.core_mut().scan_floor = floor as usize;
        self.collect(full);
    }

    /// Tells the heap that a reference was stored into `obj`. Call it after the store, with
    /// no safepoint between. Not needed for objects without a safepoint since allocation.
    ///
    /// # Safety
    /// `obj` is an object of this heap.
    #[inline(always)]
    pub unsafe fn barrier(self, obj: *mut u64) {
        // SAFETY: the caller passes an object, so its header is readable.
        unsafe {
            if *obj & Header::OLD != 0 {
                Core::remember(self.core.as_ptr(), obj);
            }
        }
    }

    /// [`Heap::barrier`] that names the slot, so that a large array is remembered by card.
    ///
    /// # Safety
    /// `obj` is an object of this heap and `slot` lies in it.
    #[inline(always)]
    pub unsafe fn barrier_slot(self, obj: *mut u64, slot: *mut Value) {
        // SAFETY: as in `barrier`.
        unsafe {
            if *obj & Header::OLD != 0 {
                Core::remember_slot(self.core.as_ptr(), obj, slot);
            }
        }
    }

    /// Keeps `obj` where it is for the rest of its life; it does not keep it alive.
    ///
    /// # Safety
    /// `obj` is an object of this heap.
    #[inline]
    pub unsafe fn pin(self, obj: *mut u64) {
        // SAFETY: the caller passes an object.
        unsafe { *obj |= Header::PIN }
    }

    /// Declares `wr` a weak reference: its payload word 0 holds the referent (an object or
    /// null) and is cleared when that dies. Sets HAS_WEAKREF on the referent.
    ///
    /// # Safety
    /// `wr` is an object of this heap whose kind does not trace payload word 0, not yet
    /// registered.
    pub unsafe fn register_weakref(self, wr: *mut u64) {
        // SAFETY: the caller passes such an object.
        unsafe { self.core_mut().register_weakref(wr) }
    }

    /// Calls `each` with the weak references to `obj`, oldest first.
    ///
    /// # Safety
    /// `obj` is an object of this heap; `each` does not allocate.
    pub unsafe fn weakrefs_of(self, obj: *mut u64, each: &mut dyn FnMut(Value)) {
        for &wr in self.core_mut().weakrefs_of(obj as usize) {
            each(Value::from_bits(wr as u64));
        }
    }

    /// Ends the weak reference `wr`: it names nothing, and nobody is told when its
    /// referent dies.
    ///
    /// # Safety
    /// `wr` is a registered weak reference.
    pub unsafe fn clear_weakref(self, wr: *mut u64) {
        // SAFETY: the caller passes a weak reference.
        unsafe { self.core_mut().clear_weakref(wr) }
    }

    /// The next weak reference object that was alive when its referent died; the embedder
    /// runs its callback. `None`: no more.
    pub fn take_dead_weakref(self) -> Option<Value> {
        self.core_mut().take_dead_weakref()
    }

    /// Declares that `obj` wants a finalizer run before it dies, at most once.
    ///
    /// # Safety
    /// `obj` is an object of this heap, not yet registered.
    pub unsafe fn register_finalizer(self, obj: *mut u64) {
        // SAFETY: the caller passes such an object.
        unsafe { self.core_mut().register_finalizer(obj) }
    }

    /// The next object whose finalizer is to be run; it is FINALIZED and alive again.
    /// Take the dead weak references first. `None`: no more.
    pub fn take_finalizable(self) -> Option<Value> {
        self.core_mut().take_finalizable()
    }

    /// True if [`Heap::take_dead_weakref`] or [`Heap::take_finalizable`] has something.
    pub fn has_pending(self) -> bool {
        self.core_mut().has_pending()
    }

    /// True if `obj` was finalized.
    ///
    /// # Safety
    /// `obj` is an object of this heap.
    pub unsafe fn is_finalized(self, obj: *mut u64) -> bool {
        // SAFETY: the caller passes an object.
        unsafe { *obj & Header::FINALIZED != 0 }
    }

    /// At exit: queues the finalizers of all objects that have not run theirs yet.
    pub fn queue_all_finalizers(self) {
        self.core_mut().queue_all_finalizers();
    }

    /// Declares that `obj`'s kind's `drop` function shall run when it is dead.
    ///
    /// # Safety
    /// `obj` is an object of this heap, not yet registered, of a kind with `drop`.
    pub unsafe fn register_drop(self, obj: *mut u64) {
        // SAFETY: the caller passes such an object.
        unsafe { self.core_mut().register_drop(obj) }
    }

    /// At exit: runs the native drops of all registered objects, dead or alive.
    ///
    /// # Safety
    /// No such object is used afterwards.
    pub unsafe fn drop_all(self) {
        // SAFETY: the caller ends all use.
        unsafe { self.core_mut().drop_all() }
    }

    /// Tells the heap that `delta` bytes outside of it were allocated (or freed, if
    /// negative) on behalf of objects. They count to both budgets and to the limit. Ends
    /// what [`Heap::reserve_room`] promised.
    pub fn external_bytes(self, delta: isize) {
        self.core_mut().external_bytes(delta);
    }

    /// True if `bytes` more bytes of external memory stay within the limit.
    pub fn has_room_for(self, bytes: usize) -> bool {
        self.core_mut().has_room_for(bytes)
    }

    /// True if `bytes` more stay within the limit that was configured, whatever
    /// [`Heap::grant`] allowed.
    pub fn has_room_within_limit(self, bytes: usize) -> bool {
        let core = self.core_mut();
        core.used_bytes().saturating_add(bytes) <= core.config.max_bytes
    }

    /// Moves the limit `bytes` past what is in use now, until a full collection gets
    /// below the limit that was configured.
    pub fn grant(self, bytes: usize) {
        let core = self.core_mut();
        core.granted = core.used_bytes().saturating_add(bytes);
    }

    /// Bytes of address space that the heap may ever use.
    pub fn reserved_bytes(self) -> usize {
        self.core_mut().space.size
    }

    /// Memory that is never freed or moved, zeroed, 16-aligned, at an address below 4 GiB.
    /// `None`: none left. Not scanned.
    pub fn low_alloc(self, bytes: usize) -> Option<NonNull<u8>> {
        self.core_mut().low_alloc(bytes)
    }

    /// Calls `each` with every object, including those not yet found dead. `each` must not
    /// allocate; pushing to a [`RootVec`] is fine.
    pub fn for_each_object(self, each: &mut dyn FnMut(*mut u64)) {
        self.core_mut().for_each_object(each);
    }

    /// Calls `each` with every heap reference that `obj`'s kind traces, in slot order.
    ///
    /// # Safety
    /// `obj` is an object of this heap; `each` does not allocate.
    pub unsafe fn referents(self, obj: *mut u64, each: &mut dyn FnMut(Value)) {
        // SAFETY: the caller passes an object.
        unsafe { self.core_mut().referents(obj, each) }
    }

    /// Calls `each` with every object that refers to `target`.
    ///
    /// # Safety
    /// `each` does not allocate.
    pub unsafe fn referrers(self, target: *mut u64, each: &mut dyn FnMut(*mut u64)) {
        let core = self.core.as_ptr();
        self.core_mut().for_each_object(&mut |obj| {
            let mut found = false;
            // SAFETY: `for_each_object` passes objects, and does not modify the core.
            unsafe { (*core).referents(obj, &mut |v| found |= v.ptr() == target) };
            if found {
                each(obj);
            }
        });
    }

    /// Size of an object in bytes, header included.
    ///
    /// # Safety
    /// `obj` is an object of this heap.
    #[inline]
    pub unsafe fn size_of(self, obj: *const u64) -> usize {
        // SAFETY: the caller passes an object.
        unsafe { self.core_mut().object_size(obj) }
    }

    /// True if `address` lies in the heap's reservation.
    pub fn contains(self, address: *const u8) -> bool {
        self.core_mut().contains(address as usize)
    }

    /// Totals so far.
    pub fn stats(self) -> Stats {
        self.core_mut().stats()
    }

    /// Objects and bytes by kind, kinds without objects left out. Walks the heap.
    pub fn census(self) -> Vec<KindCount> {
        self.core_mut().census()
    }
}
