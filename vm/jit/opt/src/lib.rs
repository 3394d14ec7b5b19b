//! Trace optimizer: a recording emitter that simplifies each op as it comes, and passes over the
//! finished trace.
//!
//! Each optimization is one [`Pass`]: a flag, a file, a folder of file tests. Any subset is correct;
//! with none of them a trace is what the recorder said, op by op. All of it takes linear time.
//!
//! | pass | acts | file |
//! |---|---|---|
//! | `fold` | on each emitted op | `fold.rs` |
//! | `cse` | on each emitted op | `cse.rs` |
//! | `guards` | on each emitted op | `guards.rs` |
//! | `heap` | on each emitted op | `heap.rs` |
//! | `peel` | when a loop closes; emits its second iteration | `peel.rs` |
//! | `sink` | on snapshots as they are taken (boxes) and on the finished trace (objects) | `sink.rs` |
//! | `dce` | on the finished trace | `dce.rs` |
//!
//! The crate knows neither machine code nor any language. Recorders use [`Emitter`].

#![forbid(unsafe_code)]

mod core;
mod cse;
mod dce;
mod emitter;
mod fold;
mod guards;
mod heap;
mod passes;
mod peel;
mod pipeline;
mod plant;
mod replay;
mod sink;
mod slots;
mod spare;

pub use emitter::{EmitError, Emitter, End};
pub use fold::{flt_to_int, int_op};
pub use passes::{Pass, PassSet, UnknownPass};
pub use peel::PeelFailure;
pub use pipeline::optimize;
#[cfg(feature = "planted")]
pub use plant::{Fault, plant};
pub use replay::replay;
pub use spare::give as reuse;
