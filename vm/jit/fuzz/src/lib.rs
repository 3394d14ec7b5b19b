//! Random programs that check the JIT's language-independent half.
//!
//! A program of a tiny language ([`program`]) is interpreted, and run again with its loop recorded
//! through the real emitter, optimized with some set of passes, and evaluated, bridges included
//! ([`drive`]). Both must end in the same state. Everything follows from a seed.

#![forbid(unsafe_code)]

pub mod drive;
pub mod program;
mod rng;
pub mod vm;

pub use drive::{Counts, Failure, Mode, Observer, Run, compare, compare_observed};
pub use program::Program;
pub use rng::Rng;

use pyrite_jit_opt::{Pass, PassSet};

/// The mode in which the program of `seed` is tried: a random subset of passes, often all or none.
#[must_use]
pub fn mode_of(seed: u64) -> Mode {
    let mut rng = Rng::new(seed ^ 0x5EED_0F4D);
    let passes = match rng.below(8) {
        0 => PassSet::NONE,
        1..=3 => PassSet::all(),
        4 | 5 => PassSet::all().without(rng.pick(Pass::ALL)),
        _ => PassSet::from_bits(rng.bits() as u32),
    };
    Mode {
        passes,
        frames: rng.chance(85),
        unroll: rng.below(3) as u32,
    }
}
