//! The statistics on series whose truth is known.
//!
//! Whether a rule raises false alarms or overlooks steps cannot be seen in real results, where nobody knows the truth. So the very functions that
//! judge a night are run here on made-up processes, and the shares of right and wrong answers are set beside what was promised.
//!
//! ```text
//! noise (normal, heavy tails, clusters, drift) ──> process means ──> rule, changes, bisect ──> figure, its target, whether it holds
//! ```
//!
//! Each [`Figure`] can be had again from its seed. A figure without a target is shown for information.

#![forbid(unsafe_code)]

pub mod alarms;
pub mod bisecting;
pub mod noise;
pub mod series;

use serde::Serialize;

/// A share or a mean found by simulation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// `aa`, `visible`, `changes`, `bisect` or `flaky`.
    pub group: &'static str,
    pub what: String,
    /// A share in 0..=1, or a mean in `unit`.
    pub value: f64,
    pub unit: Unit,
    pub target: Target,
    pub trials: usize,
    pub seed: u64,
    /// Whether the target is met; true without one.
    pub holds: bool,
}

/// What a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    Share,
    Runs,
    Builds,
    Nights,
}

/// Where a value should lie.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    AtMost(f64),
    AtLeast(f64),
    Between(f64, f64),
    None,
}

/// How much to simulate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    pub seed: u64,
    /// Trials per figure; where one trial is a whole night or a whole search, fewer are taken in proportion.
    pub trials: usize,
}

impl Figure {
    fn new(
        group: &'static str,
        what: impl Into<String>,
        value: f64,
        target: Target,
        trials: usize,
        seed: u64,
    ) -> Figure {
        let holds = match target {
            Target::AtMost(limit) => value <= limit,
            Target::AtLeast(limit) => value >= limit,
            Target::Between(low, high) => (low..=high).contains(&value),
            Target::None => true,
        };
        Figure {
            group,
            what: what.into(),
            value,
            unit: Unit::Share,
            target,
            trials,
            seed,
            holds,
        }
    }

    fn in_unit(mut self, unit: Unit) -> Figure {
        self.unit = unit;
        self
    }

    /// The value as people read it.
    #[must_use]
    pub fn shown(&self) -> String {
        show(self.value, self.unit)
    }

    /// The target as people read it; empty without one.
    #[must_use]
    pub fn wanted(&self) -> String {
        let show = |value| show(value, self.unit);
        match self.target {
            Target::AtMost(limit) => format!("≤ {}", show(limit)),
            Target::AtLeast(limit) => format!("≥ {}", show(limit)),
            Target::Between(low, high) => format!("{} to {}", show(low), show(high)),
            Target::None => String::new(),
        }
    }
}

fn show(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Share => format!("{:.2} %", 100.0 * value),
        Unit::Runs => format!("{value:.1} runs"),
        Unit::Builds => format!("{value:.1} builds"),
        Unit::Nights => format!("{value:.1} nights"),
    }
}

/// Names of the groups, in the order in which they are simulated.
pub const GROUPS: [&str; 5] = ["aa", "visible", "changes", "bisect", "flaky"];

/// All figures of one group; `None` for a group that does not exist.
#[must_use]
pub fn group(name: &str, effort: Effort) -> Option<Vec<Figure>> {
    Some(match name {
        "aa" => alarms::false_alarms(effort),
        "visible" => alarms::visible_steps(effort),
        "changes" => series::figures(effort),
        "bisect" => bisecting::timings(effort),
        "flaky" => bisecting::failures(effort),
        _ => return None,
    })
}

fn share(count: usize, of: usize) -> f64 {
    count as f64 / of.max(1) as f64
}

fn mean(values: &[usize]) -> f64 {
    values.iter().sum::<usize>() as f64 / values.len().max(1) as f64
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn what_was_promised_holds_with_a_tenth_of_the_effort() {
        for name in GROUPS {
            for figure in group(
                name,
                Effort {
                    seed: 1,
                    trials: 100,
                },
            )
            .unwrap()
            {
                assert!(figure.value.is_finite(), "{figure:?}");
                // The small number of trials leaves room for chance; a promise broken by more than that is broken.
                let slack = match figure.unit {
                    Unit::Share => 0.05,
                    _ => 3.0,
                };
                let near = match figure.target {
                    Target::AtMost(limit) => figure.value <= limit + slack,
                    Target::AtLeast(limit) => figure.value >= limit - slack,
                    Target::Between(low, high) => {
                        (low - slack..=high + slack).contains(&figure.value)
                    }
                    Target::None => true,
                };
                assert!(near, "{figure:?}");
            }
        }
        assert!(group("nonsense", Effort { seed: 1, trials: 1 }).is_none());
    }

    #[test]
    fn equal_seeds_give_equal_figures() {
        let effort = Effort {
            seed: 5,
            trials: 20,
        };
        assert_eq!(group("bisect", effort), group("bisect", effort));
    }

    #[test]
    fn figures_read_well() {
        let figure = Figure::new("aa", "x", 0.0123, Target::AtMost(0.02), 9, 1);
        assert_eq!(
            (figure.shown().as_str(), figure.wanted().as_str()),
            ("1.23 %", "≤ 2.00 %")
        );
        assert!(figure.holds);
    }
}
