//! Metrics that are counted, not timed: instructions, guards, bytes.
//!
//! They repeat within hundredths of a percent, so a t test over three runs would find "significant" what nobody can act on. The rule is a
//! plain threshold: max(0.1 %, 3 × the spread seen between repeats).

use crate::rule::Verdict;
use crate::{StatsError, sample};
use serde::{Deserialize, Serialize};

/// Change below which counts are equal.
pub const SMALLEST: f64 = 0.001;

/// Verdict on two sets of counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CountJudgement {
    pub verdict: Verdict,
    /// Median of the new counts over that of the old.
    pub ratio: f64,
    /// Relative change that had to be passed.
    pub threshold: f64,
}

/// Judges repeats of a count. One repeat a side is enough when both sides together have three; the spread is the largest
/// relative distance within a side.
///
/// # Errors
/// [`StatsError::TooFew`] when a side is empty, [`StatsError::NotPositive`] for counts of zero or less.
pub fn judge_counts(old: &[f64], new: &[f64]) -> Result<CountJudgement, StatsError> {
    if old.is_empty() || new.is_empty() {
        return Err(StatsError::TooFew {
            needed: 1,
            found: 0,
        });
    }
    sample::check_positive(old)?;
    sample::check_positive(new)?;
    let threshold = SMALLEST.max(3.0 * spread(old).max(spread(new)));
    let ratio = sample::median(new) / sample::median(old);
    let verdict = if old.len() + new.len() < 3 {
        Verdict::TooFew
    } else if ratio > 1.0 + threshold {
        Verdict::Larger
    } else if ratio < 1.0 / (1.0 + threshold) {
        Verdict::Smaller
    } else {
        Verdict::NoChange
    };
    Ok(CountJudgement {
        verdict,
        ratio,
        threshold,
    })
}

fn spread(counts: &[f64]) -> f64 {
    let low = counts.iter().copied().fold(f64::INFINITY, f64::min);
    let high = counts.iter().copied().fold(0.0, f64::max);
    high / low - 1.0
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn a_tenth_of_a_percent_is_the_border() {
        let old = [1_000_000.0; 3];
        let judge = |new: f64| judge_counts(&old, &[new; 3]).unwrap().verdict;
        assert_eq!(judge(1_000_900.0), Verdict::NoChange);
        assert_eq!(judge(1_001_100.0), Verdict::Larger);
        assert_eq!(judge(998_000.0), Verdict::Smaller);
    }

    #[test]
    fn spread_raises_the_border() {
        let judged = judge_counts(&[1000.0, 1002.0, 1001.0], &[1005.0, 1006.0, 1005.0]).unwrap();
        assert_eq!(judged.verdict, Verdict::NoChange);
        assert!((judged.threshold - 0.006).abs() < 1e-9);
    }

    #[test]
    fn two_counts_alone_give_no_verdict() {
        assert_eq!(
            judge_counts(&[1.0], &[2.0]).unwrap().verdict,
            Verdict::TooFew
        );
        assert!(judge_counts(&[], &[2.0]).is_err());
        assert!(judge_counts(&[0.0], &[2.0]).is_err());
    }
}
