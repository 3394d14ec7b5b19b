//! Ratios of two estimates, with their interval.
//!
//! Both sides are geometric means over processes with an interval on the log scale, so the log of the
//! ratio is a difference of two independent means: its half width is the root of the sum of squares.
//! This is the interval a chart needs; a *verdict* on a regression needs the raw processes and Welch's
//! test and is not made here.

use serde::{Deserialize, Serialize};

use crate::model::Estimate;

/// A ratio with its 95 % interval; `low == high == point` when a side had one process only.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// The ratio; above zero.
    pub point: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
}

/// How a value moved against an earlier one, for something where less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// The whole interval lies beyond -1 %.
    Better,
    /// The interval touches ±1 %, or there is no interval.
    Unclear,
    /// The whole interval lies beyond +1 %.
    Worse,
}

impl Ratio {
    /// `over / under`, or `None` when either is not a positive finite number.
    #[must_use]
    pub fn of(over: &Estimate, under: &Estimate) -> Option<Self> {
        let positive = |x: f64| x.is_finite() && x > 0.0;
        if !positive(over.point) || !positive(under.point) {
            return None;
        }
        let point = over.point / under.point;
        let half = match (over.log_half_width(), under.log_half_width()) {
            (Some(a), Some(b)) => a.hypot(b),
            _ => 0.0,
        };
        Some(Self {
            point,
            low: point * (-half).exp(),
            high: point * half.exp(),
        })
    }

    /// Whether the interval is wider than a point.
    #[must_use]
    pub fn has_interval(&self) -> bool {
        self.high > self.low
    }

    /// Reads the ratio new/old of a quantity where less is better.
    #[must_use]
    pub fn change(&self) -> Change {
        if !self.has_interval() {
            Change::Unclear
        } else if self.high < 0.99 {
            Change::Better
        } else if self.low > 1.01 {
            Change::Worse
        } else {
            Change::Unclear
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(point: f64, half: f64, processes: u32) -> Estimate {
        Estimate {
            point,
            low: point * (-half).exp(),
            high: point * half.exp(),
            processes,
        }
    }

    #[test]
    fn interval_widths_add_in_squares() {
        let ratio =
            Ratio::of(&estimate(3.0, 0.03, 10), &estimate(1.5, 0.04, 10)).expect("both positive");
        assert!((ratio.point - 2.0).abs() < 1e-12);
        assert!(((ratio.high / ratio.point).ln() - 0.05).abs() < 1e-12);
        assert!(((ratio.point / ratio.low).ln() - 0.05).abs() < 1e-12);
    }

    #[test]
    fn one_process_gives_no_interval_and_no_opinion() {
        let ratio =
            Ratio::of(&estimate(3.0, 0.0, 1), &estimate(1.0, 0.01, 10)).expect("both positive");
        assert!(!ratio.has_interval());
        assert_eq!(ratio.change(), Change::Unclear);
    }

    #[test]
    fn no_ratio_with_zero() {
        assert_eq!(
            Ratio::of(&estimate(1.0, 0.0, 1), &estimate(0.0, 0.0, 1)),
            None
        );
    }

    #[test]
    fn a_change_needs_its_whole_interval_beyond_one_percent() {
        let old = estimate(1.0, 0.005, 10);
        let change = |point: f64| {
            Ratio::of(&estimate(point, 0.005, 10), &old)
                .expect("both positive")
                .change()
        };
        assert_eq!(change(1.012), Change::Unclear);
        assert_eq!(change(1.05), Change::Worse);
        assert_eq!(change(0.95), Change::Better);
    }
}
