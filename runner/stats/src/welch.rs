//! Two sides compared: Welch's t on the logs of process means.
//!
//! Sources: Welch, "The Generalization of 'Student's' Problem when Several Different Population Variances are Involved", Biometrika 34
//! (1947); Satterthwaite's degrees of freedom, Biometrics Bulletin 2 (1946); ratios with intervals between means of process
//! executions after Kalibera and Jones, ISMM 2013.

use crate::sample::{check_finite, mean, variance};
use crate::special::{t_critical, t_two_sided};
use crate::{StatsError, rule};
use serde::{Deserialize, Serialize};

/// What two sides say about each other. Ratios are new/old.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Welch {
    /// Geometric mean of the new side over that of the old.
    pub ratio: f64,
    /// 95 % interval of the ratio.
    pub low: f64,
    pub high: f64,
    /// Difference of the mean logs, its standard error, and their quotient.
    pub difference: f64,
    pub error: f64,
    pub t: f64,
    /// Satterthwaite's degrees of freedom.
    pub df: f64,
    /// Two-sided probability of so large a |t| without any difference.
    pub p: f64,
}

/// Compares `new` with `old`, both logs of process means.
///
/// Where neither side varies at all, equal means give p = 1 and others p = 0.
///
/// # Errors
/// [`StatsError::TooFew`] under two processes on a side, [`StatsError::NotFinite`].
pub fn welch(old: &[f64], new: &[f64]) -> Result<Welch, StatsError> {
    contrast(&[(-1.0, old), (1.0, new)])
}

/// A weighted sum of group means against zero, the groups varying each in its own way: `welch` is the contrast of two, the change
/// of a ratio of ratios one of four.
///
/// # Errors
/// As [`welch`].
pub fn contrast(groups: &[(f64, &[f64])]) -> Result<Welch, StatsError> {
    let (mut difference, mut squares, mut shrink, mut spare) = (0.0, 0.0, 0.0, 0.0);
    for (weight, logs) in groups {
        check_finite(logs)?;
        let Some(variance) = variance(logs) else {
            return Err(StatsError::TooFew {
                needed: 2,
                found: logs.len(),
            });
        };
        let n = logs.len() as f64;
        let part = weight.powi(2) * variance / n;
        difference += weight * mean(logs);
        squares += part;
        shrink += part.powi(2) / (n - 1.0);
        spare += n - 1.0;
    }
    let error = squares.sqrt();
    let df = if shrink > 0.0 {
        squares.powi(2) / shrink
    } else {
        spare
    };
    let t = if difference == 0.0 {
        0.0
    } else {
        difference / error
    };
    let half = t_critical(1.0 - rule::CONFIDENCE, df) * error;
    Ok(Welch {
        ratio: difference.exp(),
        low: (difference - half).exp(),
        high: (difference + half).exp(),
        difference,
        error,
        t,
        df,
        p: t_two_sided(t, df),
    })
}

#[cfg(test)]
mod test {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn sides_without_spread_are_equal_or_certainly_not() {
        let same = welch(&[1.0, 1.0], &[1.0, 1.0]).unwrap();
        assert_eq!(
            (same.p, same.ratio, same.low, same.high),
            (1.0, 1.0, 1.0, 1.0)
        );
        assert_eq!(welch(&[1.0, 1.0], &[2.0, 2.0]).unwrap().p, 0.0);
    }

    #[test]
    fn one_process_is_too_few() {
        assert_eq!(
            welch(&[1.0], &[1.0, 2.0]),
            Err(StatsError::TooFew {
                needed: 2,
                found: 1
            })
        );
        assert!(welch(&[1.0, f64::NAN], &[1.0, 2.0]).is_err());
    }

    #[test]
    fn swapped_sides_give_the_reciprocal() {
        let (a, b) = ([0.1, 0.2, 0.15], [0.3, 0.31, 0.4, 0.2]);
        let (ab, ba) = (welch(&a, &b).unwrap(), welch(&b, &a).unwrap());
        assert!((ab.ratio * ba.ratio - 1.0).abs() < 1e-12);
        assert!((ab.low * ba.high - 1.0).abs() < 1e-12);
        assert!((ab.p - ba.p).abs() < 1e-12);
    }

    #[test]
    fn the_false_alarm_rate_is_the_nominal_one_even_with_clustered_iterations() {
        // 6 processes of 10 iterations; between processes 1 %, within 1 %. A pooled test would flag about 40 %.
        let mut rng = Rng::new(3);
        let trials = 2_000;
        let mut side = || -> Vec<f64> {
            (0..6)
                .map(|_| {
                    let process = 0.01 * rng.normal();
                    (0..10).map(|_| process + 0.01 * rng.normal()).sum::<f64>() / 10.0
                })
                .collect()
        };
        let flagged = (0..trials)
            .filter(|_| welch(&side(), &side()).unwrap().p <= 0.05)
            .count();
        let rate = flagged as f64 / f64::from(trials);
        assert!((0.03..=0.07).contains(&rate), "{rate}");
    }
}
