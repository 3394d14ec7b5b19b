//! The VM put together: the command `pyrite`, and the same start for programs that
//! hold a VM inside them (benchmarks of its parts, fuzzers).
//!
//! [`args::parse`] makes [`args::Args`] of a command line, [`boot::start`] a VM of them,
//! [`boot::run`] runs the whole program. One process holds one VM at a time.

pub mod args;
pub mod boot;
