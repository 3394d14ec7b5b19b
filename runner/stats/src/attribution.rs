//! Which part of the VM moved, and which of its counters with it.
//!
//! The same program is measured with the interpreter alone (`off`), with unoptimized traces (`noopt`) and with all passes (`opt`). A
//! part is to blame when its own mode changed *and* changed otherwise than the mode below it:
//!
//! ```text
//! off changed                                           interpreter (or the runtime below all modes)
//! noopt changed, and off/noopt changed                  tracer and backend
//! opt changed, and noopt/opt changed                    optimizer
//! ```
//!
//! An interpreter that lost 10 % drags no trace with it: `noopt` did not change, so off/noopt moved but the tracer is not to blame.

use crate::counts::{judge_count_ratio, judge_counts};
use crate::rule::{self, Verdict};
use crate::sample::{median, robust_sd};
use crate::{StatsError, welch};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A part of the VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    Interpreter,
    TracerBackend,
    Optimizer,
}

impl Part {
    /// The word used in the database and on pages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Part::Interpreter => "interpreter",
            Part::TracerBackend => "tracer-backend",
            Part::Optimizer => "optimizer",
        }
    }
}

/// Logs of process means of one mode before and after; counts for [`moved_counts`].
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    pub old: &'a [f64],
    pub new: &'a [f64],
}

/// The parts that moved, in the order of the VM. `noise_floor` is that of the series the alert is about.
///
/// # Errors
/// [`StatsError::NotFinite`]; modes with fewer than five processes on a side blame nobody.
pub fn moved(
    off: Sides<'_>,
    noopt: Sides<'_>,
    opt: Sides<'_>,
    noise_floor: Option<f64>,
) -> Result<Vec<Part>, StatsError> {
    by_modes([off, noopt, opt], |mode, against| {
        changed(mode, against, noise_floor)
    })
}

/// The same where counts were taken instead of times; the sides hold counts.
///
/// # Errors
/// [`StatsError::NotPositive`]; a mode that was not counted blames nobody.
pub fn moved_counts(
    off: Sides<'_>,
    noopt: Sides<'_>,
    opt: Sides<'_>,
) -> Result<Vec<Part>, StatsError> {
    by_modes([off, noopt, opt], |mode, against| {
        let is_missing = |sides: &Sides<'_>| sides.old.is_empty() || sides.new.is_empty();
        if is_missing(&mode) || against.as_ref().is_some_and(is_missing) {
            return Ok(false);
        }
        let judged = match against {
            None => judge_counts(mode.old, mode.new)?,
            Some(below) => judge_count_ratio((mode.old, mode.new), (below.old, below.new))?,
        };
        Ok(judged.verdict.is_change())
    })
}

/// `changed` says whether a mode changed, or its ratio to another one.
fn by_modes<'a>(
    [off, noopt, opt]: [Sides<'a>; 3],
    changed: impl Fn(Sides<'a>, Option<Sides<'a>>) -> Result<bool, StatsError>,
) -> Result<Vec<Part>, StatsError> {
    let mut parts = Vec::new();
    if changed(off, None)? {
        parts.push(Part::Interpreter);
    }
    for (part, above, below) in [
        (Part::TracerBackend, noopt, off),
        (Part::Optimizer, opt, noopt),
    ] {
        if changed(above, None)? && changed(above, Some(below))? {
            parts.push(part);
        }
    }
    Ok(parts)
}

/// Whether a mode changed, or its ratio to another mode did.
fn changed(
    mode: Sides<'_>,
    against: Option<Sides<'_>>,
    noise_floor: Option<f64>,
) -> Result<bool, StatsError> {
    let mut groups = vec![(-1.0, mode.old), (1.0, mode.new)];
    if let Some(other) = against {
        groups.extend([(1.0, other.old), (-1.0, other.new)]);
    }
    if groups
        .iter()
        .any(|(_, logs)| logs.len() < rule::MIN_PROCESSES)
    {
        return Ok(false);
    }
    let result = welch::contrast(&groups)?;
    Ok(rule::decide(&result, rule::margin(noise_floor)) != Verdict::NoChange)
}

/// A counter that shifted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    pub counter: String,
    /// New median over old; `None` when the old one is 0.
    pub ratio: Option<f64>,
    /// Distance of the medians in robust standard deviations.
    pub z: f64,
}

/// Smallest z of a shift worth naming.
pub const SMALLEST_Z: f64 = 4.0;

/// The counter with the largest robust shift between two sets of processes, each counter given by one value per process. Ties in z
/// (deterministic counters have no spread) go to the larger ratio. `None` when none shifted.
#[must_use]
pub fn largest_shift(
    old: &BTreeMap<String, Vec<f64>>,
    new: &BTreeMap<String, Vec<f64>>,
) -> Option<Shift> {
    let shifts = old.iter().filter_map(|(counter, before)| {
        let after = new.get(counter)?;
        if before.is_empty() || after.is_empty() {
            return None;
        }
        let (a, b) = (median(before), median(after));
        // Counts are whole, and half a percent either way is nothing: that is the least spread.
        let spread = robust_sd(before)
            .max(robust_sd(after))
            .max(0.005 * a.abs())
            .max(1.0);
        let z = (b - a).abs() / spread;
        (z >= SMALLEST_Z).then(|| Shift {
            counter: counter.clone(),
            ratio: (a != 0.0).then(|| b / a),
            z,
        })
    });
    let size = |shift: &Shift| {
        shift
            .ratio
            .map_or(f64::INFINITY, |ratio| ratio.max(1.0 / ratio))
    };
    shifts.reduce(|best, shift| {
        let order = shift
            .z
            .total_cmp(&best.z)
            .then(size(&shift).total_cmp(&size(&best)));
        if order.is_gt() { shift } else { best }
    })
}

#[cfg(test)]
mod test {
    use super::*;

    fn level(centre: f64) -> Vec<f64> {
        (0..10)
            .map(|i| centre + 0.001 * (f64::from(i) - 4.5))
            .collect()
    }

    fn moved_by(off: f64, noopt: f64, opt: f64) -> Vec<Part> {
        let base = level(0.0);
        let (a, b, c) = (level(off), level(noopt), level(opt));
        let sides = |new| Sides { old: &base, new };
        moved(sides(&a), sides(&b), sides(&c), None).unwrap()
    }

    #[test]
    fn each_part_is_told_apart() {
        assert_eq!(moved_by(0.0, 0.0, 0.0), []);
        assert_eq!(moved_by(0.1, 0.0, 0.0), [Part::Interpreter]);
        assert_eq!(moved_by(0.1, 0.1, 0.1), [Part::Interpreter]);
        assert_eq!(moved_by(0.0, 0.1, 0.1), [Part::TracerBackend]);
        assert_eq!(moved_by(0.0, 0.0, 0.1), [Part::Optimizer]);
        assert_eq!(moved_by(0.0, 0.1, 0.0), [Part::TracerBackend]);
        assert_eq!(
            moved_by(0.1, 0.1, 0.3),
            [Part::Interpreter, Part::Optimizer]
        );
    }

    #[test]
    fn counts_are_told_apart_by_their_own_threshold() {
        let base = [1e6; 3];
        let moved = |off: f64, noopt: f64, opt: f64| {
            let (a, b, c) = ([off * 1e6; 3], [noopt * 1e6; 3], [opt * 1e6; 3]);
            let [off, noopt, opt] = [&a, &b, &c].map(|new| Sides { old: &base, new });
            moved_counts(off, noopt, opt).unwrap()
        };
        assert_eq!(moved(1.0, 1.0005, 1.0), []);
        assert_eq!(moved(1.01, 1.01, 1.01), [Part::Interpreter]);
        assert_eq!(moved(1.0, 1.0, 1.002), [Part::Optimizer]);
        assert_eq!(moved(1.0, 0.99, 0.99), [Part::TracerBackend]);
        let none = Sides { old: &[], new: &[] };
        let opt = Sides {
            old: &base,
            new: &[2e6; 3],
        };
        assert_eq!(moved_counts(none, none, opt).unwrap(), []);
    }

    #[test]
    fn a_mode_that_was_not_measured_blames_nobody() {
        let (base, slow) = (level(0.0), level(0.1));
        let none = Sides { old: &[], new: &[] };
        let sides = Sides {
            old: &base,
            new: &slow,
        };
        assert_eq!(moved(none, none, sides, None).unwrap(), []);
    }

    #[test]
    fn the_counter_that_jumped_is_named() {
        let counters = |fails: f64| {
            BTreeMap::from([
                (
                    "guard_fails".to_owned(),
                    vec![fails, fails + 2.0, fails + 1.0],
                ),
                ("traces".to_owned(), vec![10.0, 10.0, 10.0]),
                ("noise".to_owned(), vec![100.0, 900.0, 5000.0]),
            ])
        };
        let shift = largest_shift(&counters(100.0), &counters(4000.0)).unwrap();
        assert_eq!(shift.counter, "guard_fails");
        assert!(shift.ratio.unwrap() > 35.0 && shift.z > SMALLEST_Z);
        assert_eq!(largest_shift(&counters(100.0), &counters(100.0)), None);
    }
}
