//! Random Python programs: the interpreter against the JIT in random settings.
//!
//! A seed gives a program ([`gen`]) that always ends and prints its whole state,
//! and the modes ([`mode`]) in which it must print the same. Runs happen in forked
//! copies of one booted VM ([`server`]); a difference is shrunk ([`mod@shrink`]) to
//! a file that shows it. Modes that share a handler agree on its mistakes: those
//! are for the conformance programs, and for `pyfuzz --reference`, which compares
//! the interpreter with CPython.
//!
//! `pyfuzz --seed 1 --count 1000` runs a thousand programs and prints what they
//! reached; `pyfuzz --faults` (feature `planted`) plants defects in the VM and prints
//! how many programs each took to be found. `ARCHITECTURE.md` has the commands.
//!
//! Invariants: everything follows from the seed; no generated loop is unbounded,
//! and numbers are cut back in each turn of a loop; programs print no address and
//! no order that hashing decides.

pub mod compare;
#[cfg(feature = "planted")]
pub mod faults;
pub mod r#gen;
pub mod mode;
pub mod server;
pub mod shrink;
pub mod tree;

pub use compare::{Counts, Mismatch, Verdict, compare};
pub use mode::Mode;
pub use server::Server;
