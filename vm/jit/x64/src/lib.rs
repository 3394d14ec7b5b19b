//! The x86-64 backend of the tracing JIT.
//!
//! Problem: a verified trace shall run as machine code inside a VM this crate does not know, be left
//! at any guard with the interpreter's state rebuilt, and be joined by further traces later.
//!
//! Idea: one register allocation, one lowering function per op, one stub per snapshot. A trace has
//! no prologue beyond making its frame, so a bridge joins a root by a plain jump; everything that is
//! rare (exits, slow allocation, barriers) goes through a few shared blobs that save all registers.
//! What the code must know of the VM, offsets and function addresses, is a [`Layout`].
//!
//! ```text
//! is_int v0 @s0                cmp  rsi, [rip + ..]    ; least word of a small int
//!                              jb   stub of s0         ; a bridge later replaces this target
//! i1 = unbox_int v0            sub  rsi, r15
//! ...
//! stub of s0:                  mov  eax, id ; jmp way out
//! ```
//!
//! Invariants
//! - A value has one place for its whole life, so the exit of a snapshot is the same table for every
//!   guard that names it ([`ExitInfo`]).
//! - Machine code is only entered through [`Backend::enter_at`] and left through the exit blob.
//! - Values that a call may look at are in the frame, never in registers.
//! - Unsafe code is in `runtime` alone.
//!
//! Left out: direct calls between traces, merged allocation checks, division by multiplication.

#![deny(unsafe_code)]
#![expect(
    clippy::useless_conversion,
    reason = "the assembler's macro converts register numbers and immediates"
)]

mod asm;
#[expect(
    unsafe_code,
    reason = "entering machine code is passed on to `runtime`"
)]
mod backend;
mod blobs;
mod code;
mod disasm;
mod error;
mod exits;
mod layout;
mod lower;
mod problem;
mod regs;
#[expect(
    unsafe_code,
    reason = "reads frames laid out by machine code, and runs it"
)]
mod runtime;

pub use backend::{Backend, CompileOptions, Compiled, Entry, Site};
pub use error::{BackendError, CompileError};
pub use exits::MAX_VIRTUALS;
pub use exits::{ExitInfo, Materialize, Mode, Resumption, Source, Virtual, VirtualField};
pub use layout::{AllocSlow, BarrierSlow, GRANULE, Layout, OLD_BIT, OnExit};
pub use pyrite_jit_codecache::{CodeCache, CodeCacheError, CodeSpan, PerfMap};
pub use pyrite_jit_regalloc::Loc;
pub use runtime::{Activation, ExitState};
