//! The few places that touch memory laid out by machine code, or run it.

use std::ffi::c_void;
use std::mem::transmute;

use pyrite_jit_regalloc::{Loc, Reg};

use crate::blobs::Blobs;
use crate::lower::{ACTIVATION_EXIT, ACTIVATION_FRAME};
use crate::regs::{GPR, SAVE_WORDS, save_word};

/// One run of machine code that has not been left, written by the entry code and linked through the
/// VM state, innermost first.
#[derive(Debug)]
#[repr(C)]
pub struct Activation {
    /// The run below it.
    pub prev: *mut Activation,
    /// Its VM-stack window base.
    pub base: *mut u64,
    /// Its frame, while it is in a call that may look at frames.
    pub frame: *mut u64,
    /// The exit whose state describes it during such a call, else 0.
    pub exit: u64,
}

const _: () = {
    assert!(std::mem::offset_of!(Activation, base) == 8);
    assert!(std::mem::offset_of!(Activation, frame) == ACTIVATION_FRAME as usize);
    assert!(std::mem::offset_of!(Activation, exit) == ACTIVATION_EXIT as usize);
};

/// The values of a trace that was left, or that is in a call.
#[derive(Debug)]
pub struct ExitState {
    frame: *mut u64,
}

impl ExitState {
    /// Wraps a frame.
    ///
    /// # Safety
    /// `frame` was handed to `on_exit` or `alloc_slow`, which has not returned; or it is
    /// [`Activation::frame`] of a run whose `exit` is not 0, and only that exit is read through it.
    #[must_use]
    pub unsafe fn new(frame: *mut u64) -> Self {
        Self { frame }
    }

    /// Where a conservative scan of the native stack starts in `alloc_slow`: the lowest saved
    /// register. What lies below belongs to the slow path itself.
    #[must_use]
    pub fn scan_start(&self) -> *const u64 {
        self.frame.wrapping_offset(-(SAVE_WORDS as isize))
    }

    /// The bits at a place.
    pub(crate) fn read(&self, loc: Loc) -> u64 {
        match loc {
            Loc::Reg(reg) => {
                // SAFETY: the caller of `new` promised a frame with its registers saved below it.
                unsafe { self.frame.offset(save_word(reg) as isize).read() }
            }
            Loc::Spill(slot) => {
                // SAFETY: the exit belongs to the frame's trace, whose frame has this slot.
                unsafe { self.frame.add(slot as usize).read() }
            }
            Loc::None => unreachable!("values that an exit reads have a place"),
        }
    }

    /// Clears saved registers and frame words that hold nothing alive, so that a conservative scan
    /// does not find what they held before.
    pub(crate) fn clear_dead(&mut self, frame_words: u32, alive: &dyn Fn(Loc) -> bool) {
        for reg in GPR.into_iter().filter(|&reg| !alive(Loc::Reg(reg))) {
            self.clear_register(reg);
        }
        for slot in (0..frame_words).filter(|&slot| !alive(Loc::Spill(slot))) {
            // SAFETY: the frame has `frame_words` words.
            unsafe { self.frame.add(slot as usize).write(0) }
        }
    }

    fn clear_register(&mut self, reg: Reg) {
        // SAFETY: the caller of `new` promised a frame with its registers saved below it.
        unsafe { self.frame.offset(save_word(reg) as isize).write(0) }
    }
}

/// Runs machine code until it leaves; returns what `on_exit` returned.
///
/// # Safety
/// `code` is the entry of a root trace of the backend that made `blobs`; `vm` is a VM state as its
/// layout describes, `base` a window that has every slot the trace and its bridges mention.
pub(crate) unsafe fn enter(blobs: &Blobs, vm: *mut c_void, base: *mut u64, code: usize) -> u64 {
    // SAFETY: the blob is code of this signature, written at start and never changed.
    let enter: extern "C" fn(*mut c_void, *mut u64, usize) -> u64 =
        unsafe { transmute(blobs.enter) };
    enter(vm, base, code)
}
