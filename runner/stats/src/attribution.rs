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

/// Logs of process means of one mode before and after.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    pub old: &'a [f64],
    pub new: &'a [f64],
}

/// The parts that moved, in the order of the VM. `noise_floor` is that of the series the alert is about.
///
/// # Errors
/// [`StatsError::NotFinite`]; modes with fewer than two processes on a side blame nobody.
pub fn moved(
    off: Sides<'_>,
    noopt: Sides<'_>,
    opt: Sides<'_>,
    noise_floor: Option<f64>,
) -> Result<Vec<Part>, StatsError> {
    let mut parts = Vec::new();
    if changed(off, None, noise_floor)? {
        parts.push(Part::Interpreter);
    }
    for (part, above, below) in [
        (Part::TracerBackend, noopt, off),
        (Part::Optimizer, opt, noopt),
    ] {
        if changed(above, None, noise_floor)? && changed(above, Some(below), noise_floor)? {
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
