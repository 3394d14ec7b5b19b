//! What a run is measured on, and what one process used.
//!
//! Two numbers are comparable when they were taken on the same machine in a comparable state. [`machine`] names the machine by a
//! fingerprint; [`environment`] records its state at the start of a run, fact by fact, each graded ok, warn, fail or unknown; a file that
//! does not exist reads `unknown`, never `ok`. [`usage`] collects what the kernel accounts to a process, [`affinity`]
//! decides which processor is kept for the measured one.
//!
//! Invariant: nothing here changes the machine; it is only read. Numbers carry their unit in their type ([`Nanos`], [`Bytes`]).

pub mod affinity;
pub mod environment;
pub mod machine;
pub mod units;
pub mod usage;

pub use environment::{Environment, Fact, Grade};
pub use machine::Machine;
pub use units::{Bytes, Nanos};
pub use usage::{Ended, Usage};
