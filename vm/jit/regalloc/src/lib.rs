//! Register allocation for one trace.
//!
//! Problem: a trace is straight code with at most one loop at its end, so an interval per value is
//! exact, and the whole allocation can be one walk over intervals sorted by their start.
//!
//! Idea: each value gets **one place for its whole life**, a register or a spill slot. Code that
//! finds an operand in a slot reads it from there; nothing is split, so an exit state is a plain
//! table from values to places. When registers run out, the value with the least use per length
//! goes to a slot: values that only exit states mention go first, then loop invariants.
//!
//! ```text
//! 0  a = entry value          a |----------------------------+   invariant: lives to the loop's end
//! 1  loop (p: a, b)           p     |-------+                     phi: hinted to b's register
//! 2  b = p + a                b             |----------------+
//! 3  jump
//! ```
//!
//! Invariants
//! - Two values whose intervals overlap never share a place; [`check`] proves the result by walking
//!   the trace with symbolic contents, without looking at intervals.
//! - The crate knows no instruction set: registers are numbers, and an instruction says what it
//!   reads, defines and destroys.
//!
//! Left out: splitting an interval around a call, rematerialising constants (they are no values).

#![forbid(unsafe_code)]

mod check;
mod interval;
mod moves;
mod problem;
mod scan;

pub use check::{CheckError, check};
pub use interval::{Describe, Interval, LiveSet, Lives};
pub use moves::{Move, Step, sequentialize, sequentialize_each};
pub use problem::{Class, Hint, Inst, Loc, Loop, Phi, Problem, Reg, RegSet, Use, Value};
pub use scan::{Allocation, Registers, allocate, allocate_lives, allocate_stack};
