//! When two sides differ: the rule behind every verdict.
//!
//! ```text
//! processes < 5 on a side ──────────────────────────────> TooFew
//! p ≤ 0.01 and interval beyond ± max(1 %, noise floor) ──> Slower | Faster      (the metric's bigger | smaller)
//! otherwise ────────────────────────────────────────────> NoChange, with the smallest change that would have been seen
//! ```
//!
//! Two conditions, since each alone fails: a quiet benchmark has tiny p for changes nobody cares for, and a noisy one has
//! large changes that mean nothing.

use crate::visible::smallest_visible;
use crate::welch::{Welch, welch};
use crate::{StatsError, sample};
use serde::{Deserialize, Serialize};

/// Confidence of all intervals.
pub const CONFIDENCE: f64 = 0.95;
/// Largest p of a change.
pub const ALPHA: f64 = 0.01;
/// Ratio below which no change is of interest, whatever its p.
pub const SMALLEST_OF_INTEREST: f64 = 0.01;
/// Processes a side needs for a verdict.
pub const MIN_PROCESSES: usize = 5;

/// What the rule says of two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The new side is larger: slower, for times.
    Larger,
    /// The new side is smaller: faster, for times.
    Smaller,
    /// No change that this many processes can show.
    NoChange,
    /// Fewer than [`MIN_PROCESSES`] on a side.
    TooFew,
}

/// A verdict with what it stands on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    pub verdict: Verdict,
    /// `None` under two processes on a side.
    pub welch: Option<Welch>,
    /// Distance from 1 the interval had to clear, as a ratio: 0.01 is 1 %.
    pub margin: f64,
    /// Smallest increase that this rule would have found with 80 % probability, as a ratio minus 1: 0.03 is 3 %. `None` where
    /// there is no verdict, or when nothing up to a factor of 20 would have been.
    pub smallest_visible: Option<f64>,
    pub processes: (usize, usize),
}

/// Judges `new` against `old`, logs of process means. `noise_floor` is the series' own ([`crate::noise`]), a distance of logs.
///
/// # Errors
/// [`StatsError::NotFinite`]; few processes are a verdict, not an error.
pub fn judge(old: &[f64], new: &[f64], noise_floor: Option<f64>) -> Result<Judgement, StatsError> {
    sample::check_finite(old)?;
    sample::check_finite(new)?;
    let margin = margin(noise_floor);
    let processes = (old.len(), new.len());
    let enough = old.len().min(new.len()) >= MIN_PROCESSES;
    let welch = match welch(old, new) {
        Ok(welch) => Some(welch),
        Err(StatsError::TooFew { .. }) => None,
        Err(error) => return Err(error),
    };
    let verdict = match welch {
        Some(welch) if enough => decide(&welch, margin),
        _ => Verdict::TooFew,
    };
    let smallest_visible = match welch {
        Some(welch) if enough => smallest_visible(welch.error, welch.df, margin).map(f64::exp_m1),
        _ => None,
    };
    Ok(Judgement {
        verdict,
        welch,
        margin: margin.exp_m1(),
        smallest_visible,
        processes,
    })
}

/// The distance of logs an interval has to clear.
#[must_use]
pub fn margin(noise_floor: Option<f64>) -> f64 {
    SMALLEST_OF_INTEREST.ln_1p().max(noise_floor.unwrap_or(0.0))
}

/// The rule itself, for sides known to be large enough.
#[must_use]
pub fn decide(welch: &Welch, margin: f64) -> Verdict {
    if welch.p > ALPHA {
        Verdict::NoChange
    } else if welch.low.ln() > margin {
        Verdict::Larger
    } else if welch.high.ln() < -margin {
        Verdict::Smaller
    } else {
        Verdict::NoChange
    }
}

impl Verdict {
    /// Whether something changed.
    #[must_use]
    pub fn is_change(self) -> bool {
        matches!(self, Verdict::Larger | Verdict::Smaller)
    }
}

#[cfg(test)]
mod test {
    use super::*;

    fn around(centre: f64, spread: f64, n: usize) -> Vec<f64> {
        (0..n)
            .map(|i| centre + spread * (i as f64 - (n - 1) as f64 / 2.0) / n as f64)
            .collect()
    }

    #[test]
    fn a_clear_step_is_seen_both_ways() {
        let (old, new) = (around(0.0, 0.01, 10), around(0.1, 0.01, 10));
        assert_eq!(judge(&old, &new, None).unwrap().verdict, Verdict::Larger);
        assert_eq!(judge(&new, &old, None).unwrap().verdict, Verdict::Smaller);
    }

    #[test]
    fn a_certain_but_tiny_step_is_none() {
        let judgement = judge(&around(0.0, 1e-6, 10), &around(0.005, 1e-6, 10), None).unwrap();
        assert_eq!(judgement.verdict, Verdict::NoChange);
        assert!(judgement.welch.unwrap().p < 1e-6);
    }

    #[test]
    fn a_step_within_the_series_noise_is_none() {
        let (old, new) = (around(0.0, 0.01, 10), around(0.1, 0.01, 10));
        assert_eq!(
            judge(&old, &new, Some(0.2)).unwrap().verdict,
            Verdict::NoChange
        );
    }

    #[test]
    fn four_processes_give_no_verdict() {
        let judgement = judge(&around(0.0, 0.01, 4), &around(9.0, 0.01, 10), None).unwrap();
        assert_eq!(judgement.verdict, Verdict::TooFew);
        assert_eq!(judgement.smallest_visible, None);
        assert!(judgement.welch.is_some());
        assert_eq!(judge(&[], &[0.0], None).unwrap().welch, None);
    }
}
