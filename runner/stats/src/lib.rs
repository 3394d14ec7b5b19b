//! Statistics of benchmark results: pure functions, each with its source.
//!
//! The problem: a verdict ("slower by 3 %") is believed once and then never again if it was wrong. Iterations of one process
//! share its memory layout, hash seed and compiled traces, so they are not independent, and a test that pools them sees changes where
//! there are none. The idea followed through: **a process execution is one observation**, the log of the mean of its steady
//! iterations.
//!
//! ```text
//! iterations of a process ── warmup ──> steady ones ── log mean ──> one observation
//! observations of two sides ── welch, rule ──> verdict, interval, smallest visible change
//! points of a series ── changes ──> change points ── confirmation run, alert ──> confirmed | noise
//! points behind a confirmed change ── recovery ──> since when it seems undone ── new run, alert ──> fixed
//! verdicts of three modes ── attribution ──> interpreter | tracer and backend | optimizer
//! benchmarks of a suite ── geomean ──> one ratio with a bootstrap interval
//! ```
//!
//! Invariants:
//! - No input or output, no clock, no global state; whatever is random takes a seed and gives the same answer for it.
//! - Observations are natural logs, ratios are new/old; a ratio and its interval are given as ratios.
//! - A function refuses what it cannot judge ([`StatsError`], or a variant that says so) instead of giving a number.

#![forbid(unsafe_code)]

pub mod alert;
pub mod attribution;
pub mod changes;
pub mod counts;
pub mod geomean;
pub mod holm;
pub mod noise;
pub mod recovery;
pub mod rng;
pub mod rule;
pub mod sample;
pub mod special;
pub mod visible;
pub mod warmup;
pub mod welch;

/// Why a function gave no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StatsError {
    #[error("{found} values, at least {needed} are needed")]
    TooFew { needed: usize, found: usize },
    #[error("value {index} is {value}, not a positive finite number")]
    NotPositive { index: usize, value: f64 },
    #[error("value {index} is not finite")]
    NotFinite { index: usize },
}
