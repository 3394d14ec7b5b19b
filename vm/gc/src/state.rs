//! The allocation state: the few words that compiled code reads and writes.

use std::ptr::NonNull;

use pyrite_machine::{Header, Kind, header_word};

use crate::heap::Core;

/// Bump window and friends. The embedder places it at offset 0 of its VM state, where
/// machine code reads it through a register, and hands its address to
/// [`crate::Heap::attach`].
#[repr(C)]
pub struct AllocState {
    /// Address of the next object. The window `cur..lim` is zeroed.
    pub cur: u64,
    /// End of the window. `cur == lim == 0`: none yet.
    pub lim: u64,
    /// The embedder's: limit of the VM stack for the scan. The collector does not read it.
    pub top: u64,
    /// Address of the card of heap address 0: the card of `slot` is the byte at
    /// `card_bias + (slot >> 8)`; storing 1 makes it dirty. Only for CARDED objects.
    pub card_bias: u64,
    /// The heap, for slow paths.
    pub(crate) core: *mut Core,
}

const _: () = assert!(
    AllocState::CUR == 0
        && AllocState::LIM == 8
        && AllocState::TOP == 16
        && AllocState::CARD_BIAS == 24
);

impl AllocState {
    /// Offsets of the fields, in bytes, for machine code.
    pub const CUR: usize = std::mem::offset_of!(AllocState, cur);
    pub const LIM: usize = std::mem::offset_of!(AllocState, lim);
    pub const TOP: usize = std::mem::offset_of!(AllocState, top);
    pub const CARD_BIAS: usize = std::mem::offset_of!(AllocState, card_bias);

    /// A state without a heap; attach it before the first allocation.
    pub const fn new() -> AllocState {
        AllocState {
            cur: 0,
            lim: 0,
            top: 0,
            card_bias: 0,
            core: std::ptr::null_mut(),
        }
    }

    /// Allocates an object of `words` 8-byte words, header included, payload zeroed.
    /// `None`: the heap is full, even after a full collection. A safepoint.
    ///
    /// # Safety
    /// `this` is attached to a heap, `kind` is a row of its table; every reference the
    /// caller needs lives where the collector looks (native stack, registers, heap
    /// objects, roots).
    #[inline(always)]
    pub unsafe fn alloc(
        this: *mut AllocState,
        kind: Kind,
        words: usize,
        shape: u32,
    ) -> Option<NonNull<u64>> {
        debug_assert!(words > 0, "an object has a header");
        let bytes = words.div_ceil(2).saturating_mul(Header::GRANULE);
        // SAFETY: the caller passes an attached state; the window `cur..lim` is the heap's
        // and nobody else's, so the fresh object's first word may be written.
        unsafe {
            let at = (*this).cur;
            if (*this).lim.wrapping_sub(at) < bytes as u64 {
                return Core::alloc_slow((*this).core, kind, words, shape);
            }
            (*this).cur = at + bytes as u64;
            let p = at as *mut u64;
            *p = header_word(kind, words, shape);
            Some(NonNull::new_unchecked(p))
        }
    }
}

impl Default for AllocState {
    fn default() -> AllocState {
        AllocState::new()
    }
}
