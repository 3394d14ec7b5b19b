//! Pyrite's interpreter.
//!
//! `ops` holds the bytecode handlers, written once over the machine traits;
//! `interp.rs` is the machine that just runs them, `dispatch.rs` strings them
//! together. What no handler covers is done by `slow` on the VM's memory.

#![allow(
    clippy::not_unsafe_ptr_arg_deref,
    reason = "windows are raw pointers into the VM stack, which this crate alone makes and which is never unmapped"
)]

pub mod calls;
pub mod dispatch;
pub mod frames;
pub mod generators;
pub mod ic;
pub mod inspect;
pub mod interp;
pub mod jit;
pub mod lang;
pub mod ops;
pub mod slow;
pub mod state;
pub mod tracing;
pub mod unwind;

pub use state::{Hot, install, state};
