//! Geometric mean of per-benchmark ratios over the set that is valid on both sides.
//!
//! A mean over whatever happens to exist can rise because a slow benchmark crashed. So both sides drop a
//! benchmark that failed on either, and the result carries the count and the list of what was dropped.

use serde::{Deserialize, Serialize};

use crate::model::{Outcome, Reading};
use crate::ratio::Ratio;

/// A benchmark left out of a mean, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// Name of the benchmark.
    pub benchmark: String,
    /// The failure; `None` when a side was not measured.
    pub outcome: Option<Outcome>,
    /// Whether the failing or missing side is the baseline.
    pub on_baseline: bool,
}

/// A geometric mean with what it stands on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Geomean {
    /// The mean ratio and its interval.
    pub ratio: Ratio,
    /// Benchmarks in it.
    pub count: u32,
    /// Benchmarks not in it, in the order given.
    pub dropped: Vec<Dropped>,
}

/// Geometric mean of `baseline / candidate` (above 1: the candidate is faster) over `pairs`, which hold
/// (benchmark, candidate, baseline); `None` marks a side that was not measured.
///
/// `Err` gives the dropped list when no benchmark is valid on both sides. The interval takes the
/// benchmarks as independent: half width on the log scale = sqrt(Σ hᵢ²) / n.
///
/// # Errors
/// The list of dropped benchmarks when nothing is left.
pub fn geomean<'a>(
    pairs: impl IntoIterator<Item = (&'a str, Option<&'a Reading>, Option<&'a Reading>)>,
) -> Result<Geomean, Vec<Dropped>> {
    let mut dropped = Vec::new();
    let (mut log_sum, mut half_squares, mut count) = (0.0, 0.0, 0u32);
    for (benchmark, candidate, baseline) in pairs {
        let ratio = match (
            candidate.and_then(Reading::estimate),
            baseline.and_then(Reading::estimate),
        ) {
            (Some(new), Some(old)) => Ratio::of(old, new),
            _ => None,
        };
        if let Some(ratio) = ratio {
            log_sum += ratio.point.ln();
            half_squares += ((ratio.high / ratio.low).ln() / 2.0).powi(2);
            count += 1;
        } else {
            let candidate_bad = candidate.and_then(Reading::estimate).is_none();
            let side = if candidate_bad { candidate } else { baseline };
            dropped.push(Dropped {
                benchmark: benchmark.to_owned(),
                outcome: side.and_then(Reading::failure),
                on_baseline: !candidate_bad,
            });
        }
    }
    if count == 0 {
        return Err(dropped);
    }
    let n = f64::from(count);
    let (point, half) = ((log_sum / n).exp(), half_squares.sqrt() / n);
    Ok(Geomean {
        ratio: Ratio {
            point,
            low: point * (-half).exp(),
            high: point * half.exp(),
        },
        count,
        dropped,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Estimate;
    use proptest::prelude::*;

    fn measured(point: f64) -> Reading {
        Reading::Measured {
            estimate: Estimate {
                point,
                low: point * 0.99,
                high: point / 0.99,
                processes: 5,
            },
        }
    }

    fn crashed() -> Reading {
        Reading::Failed {
            outcome: Outcome::Crash,
            detail: String::new(),
        }
    }

    #[test]
    fn two_and_eight_give_four() {
        let (fast, slow, base) = (measured(0.125), measured(0.5), measured(1.0));
        let mean = geomean([
            ("a", Some(&fast), Some(&base)),
            ("b", Some(&slow), Some(&base)),
        ])
        .expect("two valid");
        assert!((mean.ratio.point - 4.0).abs() < 1e-12);
        assert_eq!((mean.count, mean.dropped.len()), (2, 0));
    }

    #[test]
    fn a_failure_on_either_side_drops_the_benchmark_from_both() {
        let (one, two, bad) = (measured(1.0), measured(2.0), crashed());
        let mean = geomean([
            ("kept", Some(&one), Some(&two)),
            ("crashed", Some(&bad), Some(&two)),
            ("baseline crashed", Some(&one), Some(&bad)),
            ("missing", None, Some(&two)),
        ])
        .expect("one valid");
        assert!((mean.ratio.point - 2.0).abs() < 1e-12);
        assert_eq!(mean.count, 1);
        let reasons: Vec<_> = mean
            .dropped
            .iter()
            .map(|d| (d.outcome, d.on_baseline))
            .collect();
        assert_eq!(
            reasons,
            [
                (Some(Outcome::Crash), false),
                (Some(Outcome::Crash), true),
                (None, false)
            ]
        );
    }

    #[test]
    fn nothing_valid_is_no_number() {
        let bad = crashed();
        let dropped = geomean([("a", Some(&bad), None)]).expect_err("nothing valid");
        assert_eq!(dropped.len(), 1);
    }

    proptest! {
        #[test]
        fn lies_between_the_smallest_and_largest_ratio(values in prop::collection::vec((0.001f64..10.0, 0.001f64..10.0), 1..20)) {
            let readings: Vec<_> = values.iter().map(|&(c, b)| (measured(c), measured(b))).collect();
            let mean = geomean(readings.iter().map(|(c, b)| ("x", Some(c), Some(b)))).expect("all valid");
            let ratios = values.iter().map(|(c, b)| b / c);
            let (min, max) = ratios.fold((f64::MAX, 0f64), |(lo, hi), r| (lo.min(r), hi.max(r)));
            prop_assert!(mean.ratio.point >= min * 0.999_999 && mean.ratio.point <= max * 1.000_001);
            prop_assert!(mean.ratio.low <= mean.ratio.point && mean.ratio.point <= mean.ratio.high);
        }
    }
}
