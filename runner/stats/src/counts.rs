//! Metrics that are counted, not timed: instructions, guards, bytes.
//!
//! They repeat within hundredths of a percent, so a t test over three runs would find "significant" what nobody can act on. The rule is a
//! plain threshold: max(0.1 %, 3 × the spread seen between repeats).
//!
//! The VM's own counters differ in two ways: they may be 0, and many are small. A count of things is whole, so it is uncertain by one
//! at least, and a counter has to move by more than three to have moved at all.

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
    Ok(CountJudgement {
        verdict: decide(old.len() + new.len(), ratio, threshold),
        ratio,
        threshold,
    })
}

fn decide(repeats: usize, ratio: f64, threshold: f64) -> Verdict {
    if repeats < 3 {
        Verdict::TooFew
    } else if ratio > 1.0 + threshold {
        Verdict::Larger
    } else if ratio < 1.0 / (1.0 + threshold) {
        Verdict::Smaller
    } else {
        Verdict::NoChange
    }
}

/// Judges a counter of the VM, which may be 0: the ratio is infinite when something appears that was not there before.
///
/// # Errors
/// [`StatsError::TooFew`] when a side is empty, [`StatsError::NotFinite`] for what is no count.
pub fn judge_counters(old: &[f64], new: &[f64]) -> Result<CountJudgement, StatsError> {
    if old.is_empty() || new.is_empty() {
        return Err(StatsError::TooFew {
            needed: 1,
            found: 0,
        });
    }
    sample::check_finite(old)?;
    sample::check_finite(new)?;
    let (before, after) = (sample::median(old), sample::median(new));
    let uncertain = range(old).max(range(new)).max(1.0);
    let least = (SMALLEST * before.abs()).max(3.0 * uncertain);
    let ratio = if before == after { 1.0 } else { after / before };
    let verdict = if old.len() + new.len() < 3 {
        Verdict::TooFew
    } else if after - before > least {
        Verdict::Larger
    } else if before - after > least {
        Verdict::Smaller
    } else {
        Verdict::NoChange
    };
    Ok(CountJudgement {
        verdict,
        ratio,
        threshold: least / before.abs().max(1.0),
    })
}

/// Judges the ratio of two counts against that ratio before: whether `above` changed otherwise than `below`. Each side is
/// (old, new).
///
/// # Errors
/// As [`judge_counts`].
pub fn judge_count_ratio(
    above: (&[f64], &[f64]),
    below: (&[f64], &[f64]),
) -> Result<CountJudgement, StatsError> {
    let (above_judged, below_judged) = (
        judge_counts(above.0, above.1)?,
        judge_counts(below.0, below.1)?,
    );
    let ratio = above_judged.ratio / below_judged.ratio;
    let threshold = above_judged.threshold.max(below_judged.threshold);
    let repeats = (above.0.len() + above.1.len()).min(below.0.len() + below.1.len());
    Ok(CountJudgement {
        verdict: decide(repeats, ratio, threshold),
        ratio,
        threshold,
    })
}

fn range(counts: &[f64]) -> f64 {
    let low = counts.iter().copied().fold(f64::INFINITY, f64::min);
    let high = counts.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    high - low
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
    fn a_counter_has_to_move_by_more_than_three() {
        let judge = |old: f64, new: f64| judge_counters(&[old; 3], &[new; 3]).unwrap().verdict;
        assert_eq!(judge(0.0, 3.0), Verdict::NoChange);
        assert_eq!(judge(0.0, 4.0), Verdict::Larger);
        assert_eq!(judge(12.0, 0.0), Verdict::Smaller);
        assert_eq!(judge(1_000_000.0, 1_000_900.0), Verdict::NoChange);
        assert_eq!(judge(1_000_000.0, 1_001_100.0), Verdict::Larger);
        assert_eq!(judge_counters(&[0.0; 3], &[0.0; 3]).unwrap().ratio, 1.0);
        let noisy = judge_counters(&[100.0, 120.0, 110.0], &[160.0; 3]).unwrap();
        assert_eq!(noisy.verdict, Verdict::NoChange);
    }

    #[test]
    fn a_ratio_of_counts_moves_only_when_one_moves_otherwise_than_the_other() {
        let (a, b, c) = ([1000.0; 3], [1100.0; 3], [2000.0; 3]);
        let judged = judge_count_ratio((&a, &b), (&c, &[2200.0; 3])).unwrap();
        assert_eq!(judged.verdict, Verdict::NoChange);
        let judged = judge_count_ratio((&a, &b), (&c, &c)).unwrap();
        assert_eq!(judged.verdict, Verdict::Larger);
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
