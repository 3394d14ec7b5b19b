//! What the embedder tells the backend about its VM, so that the backend knows no VM.

use std::ffi::c_void;

/// Called when a trace is left: `(vm, exit id, frame, window base)`.
///
/// `frame` is to be handed to [`crate::ExitState::new`]; it is valid until the function returns. The
/// result is handed to whoever entered the trace.
pub type OnExit = extern "C" fn(*mut c_void, u32, *mut u64, *mut u64) -> u64;

/// Called when the allocation window of a trace is too small: `(vm, site id, frame, window base)`.
///
/// It must see to it that [`crate::Site::bytes`] bytes fit between `cur` and `lim`; the trace tries again.
pub type AllocSlow = extern "C" fn(*mut c_void, u32, *mut u64, *mut u64);

/// Called when an object with the OLD bit was written: `(vm, object word)`.
pub type BarrierSlow = extern "C" fn(*mut c_void, u64);

/// Byte offsets within the VM state, and functions that machine code calls.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Next free byte of the allocation window, a `u64`.
    pub cur: i32,
    /// End of the allocation window, a `u64`.
    pub lim: i32,
    /// Address behind the last live VM-stack slot, written before calls and slow allocations.
    pub top: i32,
    /// Head of the list of [`crate::Activation`]s, a pointer.
    pub activation: i32,
    /// Where `ret` puts its word.
    pub result: i32,
    /// The trace is left.
    pub on_exit: OnExit,
    /// The allocation window is too small.
    pub alloc_slow: AllocSlow,
    /// A write barrier fired.
    pub barrier_slow: BarrierSlow,
}

/// Bit of the first header byte that says "old, not remembered".
pub const OLD_BIT: i8 = 2;

/// Objects are multiples of this many bytes.
pub const GRANULE: i32 = 16;
