//! A simplified Python: ints of 64 bits, floats, objects with attributes, functions, `if`,
//! `while`, `print`. It is a test of the JIT from the middle: its handlers are written over the
//! same traits as Pyrite's, and not a line here is about compiling.
//!
//! [`compile`] makes register code of source text, [`ops`] holds the instructions' meaning,
//! written once, [`vm`] runs them. The recorder runs the very same functions.
//!
//! Differences from Python: integers beyond 64 bits are an error, `/` is for numbers other than
//! zero, all classes are one (an object is what attributes it got), names are locals or functions,
//! conditions are comparisons joined by `and`, `or`, `not`.

pub mod compile;
pub mod ops;
pub mod vm;

pub use vm::{Outcome, run};
