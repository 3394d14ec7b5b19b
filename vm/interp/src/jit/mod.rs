//! The tracing JIT at work for Python: hot loops are recorded, compiled, entered,
//! left, and joined by bridges.

mod bind;
mod direct;
mod driver;
mod items;
mod leaf;
mod machine;
mod part;
mod residual;
mod runtime;
mod stats;

pub use driver::{Jit, Params, install, jit};
pub use machine::Switches;
pub use stats::{Laps, Phase, Stats};
