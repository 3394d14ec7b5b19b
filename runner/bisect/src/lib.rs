//! Which commit made it slow, made the test fail, made the result wrong?
//!
//! The problem: a comparison of two noisy builds is wrong now and then, and plain bisection turns one wrong answer into a wrong
//! culprit; worse, it always names one, even when nothing happened. The idea: keep a probability for each place, ask where the answer
//! tells most, and stop when one place is nearly certain; before that make sure that the ends differ at all, and after it that the
//! culprit differs from its neighbour. So "no difference" and "cannot tell" are answers too.
//!
//! ```text
//!            gate                      search                            verify
//! ends ──────────────> posterior over places ──(0.99)──> place against the one before ──> Found
//!   │ no change              │ cap of runs or builds        │ no change
//!   └─> NoDifference         └──────────────> CannotTell <──┘
//! ```
//!
//! A *line* is a row of positions: commits of a first-parent line, but just as well "only the first n traces are compiled". Position 0 is
//! good, the last one is bad, and the culprit is the first position at which things are as at the last.
//!
//! [`timing`] searches by measured values, [`failing`] by passes and failures (deterministic or flaky). Both are pure: the caller
//! carries out what [`Ask`] says and tells the answer. The answers in order are the whole state, so a search is resumed by telling
//! them again.
//!
//! Invariants:
//! - The same answers give the same questions.
//! - A position that cannot be tried never is the culprit alone: its range is named, up to the first position after it that can be.

#![forbid(unsafe_code)]

pub mod failing;
mod line;
pub mod timing;

pub use line::Line;

use serde::{Deserialize, Serialize};

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// Run one process at this position.
    Try(usize),
    /// The search is over.
    Done(Verdict),
}

/// How a search ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// One of the positions `first..=last` is the culprit; just one unless others could not be tried.
    Found {
        first: usize,
        last: usize,
        /// Probability of that range before it was verified.
        posterior: f64,
    },
    /// The ends do not differ.
    NoDifference {
        /// Smallest change that would have been seen, as a ratio minus 1; timings only.
        smallest_visible: Option<f64>,
    },
    /// There is no answer that could be trusted.
    CannotTell {
        reason: String,
        /// The most probable range, if the ends differ.
        best: Option<(usize, usize)>,
    },
}

/// When to give up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Probability at which the search stops.
    pub certain: f64,
    /// Runs in all.
    pub runs: usize,
    /// Different positions tried (each needs a build).
    pub builds: usize,
}

impl Limits {
    /// Limits for passes and failures: a run tells less than a timing and costs less, so there may be more of them, and a few
    /// more make a wrong answer half as probable.
    #[must_use]
    pub fn for_failures() -> Limits {
        Limits {
            certain: 0.997,
            runs: 1_000,
            builds: 60,
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            certain: 0.99,
            runs: 200,
            builds: 60,
        }
    }
}
