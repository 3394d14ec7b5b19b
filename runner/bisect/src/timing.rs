//! The search by measured values.
//!
//! The levels at the ends, measured with 10 processes each (16 when the first ten leave it open), say how a single process looks when it is good or bad: Student's predictive
//! distribution. Every further process multiplies the probability of each place by the one or the other. Two things keep a single wild
//! value from deciding: a share of the likelihood is a much wider distribution, and both levels go on being estimated from all that was
//! measured at positions that are nearly certain to be good or bad, so that a machine that drifts takes them along.
//!
//! The verification runs the place and the one before it in turn, to at least five and at most 16 processes each, and asks the rule of
//! every verdict ([`stats::rule`]). What an end showed before the search does not count there: a machine that became faster meanwhile makes
//! every position look good but the last.
//!
//! Sources: probabilistic bisection after Horstein, "Sequential Transmission Using Noiseless Feedback", IEEE Transactions on Information Theory
//! 9 (1963), and Waeber, Frazier and Henderson, SIAM Journal on Control and Optimization 51 (2013); predictive distribution as in Gelman
//! et al., "Bayesian Data Analysis", section 3.2.

use crate::line::{Line, most_probable, normalize};
use crate::{Ask, Limits, Verdict};
use stats::rule::{self, Judgement};
use stats::special::ln_gamma;
use stats::{StatsError, sample};

/// Processes at each end before the search.
pub const GATE: usize = 10;
/// Processes at each end when the first ones leave it open, and most at the culprit and at its neighbour.
const MORE: usize = 16;
/// Largest p that leaves it open.
const OPEN: f64 = 0.1;
/// Share of values that may come from anywhere.
const WILD: f64 = 0.02;
/// How much wider those are.
const WIDER: f64 = 6.0;
/// Probability from which a position's values count for a level.
const KNOWN: f64 = 0.98;

/// A search for the place where a level changed.
#[derive(Debug, Clone)]
pub struct Timing {
    line: Line,
    limits: Limits,
    noise_floor: Option<f64>,
    /// Logs of process means by position.
    values: Vec<Vec<f64>>,
    /// The same in the order they were measured.
    history: Vec<(usize, f64)>,
}

/// What trying a position gave.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The log of the process mean.
    Value(f64),
    /// It does not build, crashes, or gives a wrong result.
    Broken,
}

/// One level: what a process there looks like.
#[derive(Debug, Clone, Copy)]
struct Level {
    mean: f64,
    /// Scale of the predictive distribution.
    scale: f64,
    df: f64,
}

impl Timing {
    /// A search over `line`; `noise_floor` is that of the series ([`stats::noise`]).
    #[must_use]
    pub fn new(line: Line, limits: Limits, noise_floor: Option<f64>) -> Timing {
        let positions = line.last() + 1;
        Timing {
            line,
            limits,
            noise_floor,
            values: vec![Vec::new(); positions],
            history: Vec::new(),
        }
    }

    /// Takes the answer for one process at `position`.
    ///
    /// # Errors
    /// [`StatsError::NotFinite`] for a value that is not a number.
    pub fn tell(&mut self, position: usize, answer: Answer) -> Result<(), StatsError> {
        self.line.set_tried(position);
        match answer {
            Answer::Value(value) if !value.is_finite() => {
                return Err(StatsError::NotFinite {
                    index: self.history.len(),
                });
            }
            Answer::Value(value) => {
                self.values[position].push(value);
                self.history.push((position, value));
            }
            Answer::Broken => self.line.set_broken(position),
        }
        Ok(())
    }

    /// Processes measured so far.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.history.len()
    }

    /// Positions tried so far.
    #[must_use]
    pub fn builds(&self) -> usize {
        self.line.builds()
    }

    /// What to do next.
    #[must_use]
    pub fn next(&self) -> Ask {
        let last = self.line.last();
        for (end, name) in [(0, "first"), (last, "last")] {
            if self.line.is_broken(end) {
                let reason = format!("the {name} position cannot be measured");
                return Ask::Done(Verdict::CannotTell { reason, best: None });
            }
        }
        if let Some(end) = self.in_turn(0, last, GATE) {
            return Ask::Try(end);
        }
        let gate = match self.judge(0, last) {
            Ok(gate) => gate,
            Err(error) => return self.give_up(error.to_string(), None),
        };
        if !gate.verdict.is_change() {
            let open = gate.welch.is_some_and(|welch| welch.p <= OPEN);
            if let Some(end) = self.in_turn(0, last, MORE).filter(|_| open) {
                return Ask::Try(end);
            }
            return Ask::Done(Verdict::NoDifference {
                smallest_visible: gate.smallest_visible,
            });
        }
        let posterior = self.posterior();
        let ((first, culprit), probability) = most_probable(&posterior);
        let best = Some((first, culprit));
        let before = self.line.before(first);
        let split = self.line.split(&posterior);
        if probability >= self.limits.certain || split.is_none() {
            let (old, new) = (self.since_gate(before), self.since_gate(culprit));
            let (old, new) = if (before, culprit) == (0, last) {
                // Nothing lies between: the gate ran just these two in turn.
                (self.values[0].clone(), self.values[last].clone())
            } else {
                (old, new)
            };
            let pair = rule::judge(&old, &new, self.noise_floor);
            if pair.is_ok_and(|pair| pair.verdict == gate.verdict) {
                return Ask::Done(Verdict::Found {
                    first,
                    last: culprit,
                    posterior: probability,
                });
            }
            let counts = (old.len(), new.len());
            return match behind((before, counts.0), (culprit, counts.1), MORE) {
                Some(position) if self.runs() < self.limits.runs => Ask::Try(position),
                Some(_) => self.give_up(format!("{} runs are used up", self.limits.runs), best),
                None => self.give_up(
                    "the most probable place does not differ from the one before it".into(),
                    best,
                ),
            };
        }
        match split {
            _ if self.runs() >= self.limits.runs => {
                self.give_up(format!("{} runs are used up", self.limits.runs), best)
            }
            Some(position)
                if self.values[position].is_empty() && self.builds() >= self.limits.builds =>
            {
                self.give_up(format!("{} builds are used up", self.limits.builds), best)
            }
            Some(position) => Ask::Try(position),
            None => self.give_up("nothing is left to try".into(), best),
        }
    }

    /// Probability of each range of positions that can be told apart.
    #[must_use]
    pub fn posterior(&self) -> Vec<((usize, usize), f64)> {
        let ranges = self.line.ranges();
        let prior: Vec<f64> = ranges
            .iter()
            .map(|(first, last)| ((last - first + 1) as f64).ln())
            .collect();
        let ends = (
            self.values[0].clone(),
            self.values[self.line.last()].clone(),
        );
        let mut probabilities = self.weigh(&ranges, &prior, &ends);
        // Once more with the levels as all certain positions show them.
        if self.history.len() > 2 * GATE {
            let (mut good, mut bad) = ends;
            let mut below = 0.0;
            for ((_, last), probability) in ranges.iter().zip(&probabilities) {
                below += probability;
                if *last == self.line.last() {
                    break;
                }
                if below >= KNOWN {
                    bad.extend(&self.values[*last]);
                } else if below <= 1.0 - KNOWN {
                    good.extend(&self.values[*last]);
                }
            }
            probabilities = self.weigh(&ranges, &prior, &(good, bad));
        }
        ranges.into_iter().zip(probabilities).collect()
    }

    fn weigh(
        &self,
        ranges: &[(usize, usize)],
        prior: &[f64],
        levels: &(Vec<f64>, Vec<f64>),
    ) -> Vec<f64> {
        let (Some(good), Some(bad)) = (Level::of(&levels.0), Level::of(&levels.1)) else {
            return normalize(prior);
        };
        let wide = Level {
            mean: f64::midpoint(good.mean, bad.mean),
            scale: WIDER * good.scale.max(bad.scale).max((good.mean - bad.mean).abs()),
            df: 4.0,
        };
        let mut logs = prior.to_vec();
        for (position, value) in &self.history {
            if *position == 0 || *position == self.line.last() {
                continue;
            }
            let wild = WILD * wide.density(*value);
            let as_good = ((1.0 - WILD) * good.density(*value) + wild).ln();
            let as_bad = ((1.0 - WILD) * bad.density(*value) + wild).ln();
            for (log, (_, last)) in logs.iter_mut().zip(ranges) {
                *log += if last <= position { as_bad } else { as_good };
            }
        }
        normalize(&logs)
    }

    /// The end whose turn it is, until both have `wanted` processes.
    fn in_turn(&self, a: usize, b: usize, wanted: usize) -> Option<usize> {
        behind((a, self.values[a].len()), (b, self.values[b].len()), wanted)
    }

    /// What was measured at `position` since the first process between the ends.
    fn since_gate(&self, position: usize) -> Vec<f64> {
        let is_end = |at: usize| at == 0 || at == self.line.last();
        self.history
            .iter()
            .skip_while(|(at, _)| is_end(*at))
            .filter(|(at, _)| *at == position)
            .map(|(_, value)| *value)
            .collect()
    }

    fn judge(&self, old: usize, new: usize) -> Result<Judgement, StatsError> {
        rule::judge(&self.values[old], &self.values[new], self.noise_floor)
    }

    #[expect(clippy::unused_self, reason = "reads as what the search does")]
    fn give_up(&self, reason: String, best: Option<(usize, usize)>) -> Ask {
        Ask::Done(Verdict::CannotTell { reason, best })
    }
}

/// The one of two positions, each with its number of processes, that is behind, until both have `wanted`.
fn behind((a, n): (usize, usize), (b, m): (usize, usize), wanted: usize) -> Option<usize> {
    if n.min(m) >= wanted {
        return None;
    }
    // A B B A …: what drifts adds the same to both.
    let b_first = (n + m) / 2 % 2 == 1;
    Some(if n < m || (n == m && !b_first) { a } else { b })
}

impl Level {
    fn of(values: &[f64]) -> Option<Level> {
        let sd = sample::sd(values)?;
        let n = values.len() as f64;
        let mean = sample::mean(values);
        Some(Level {
            mean,
            // Without any spread, a hundredth of a percent: a density needs a width.
            scale: sd.max(1e-4) * (1.0 + 1.0 / n).sqrt(),
            df: n - 1.0,
        })
    }

    fn density(self, value: f64) -> f64 {
        let z = (value - self.mean) / self.scale;
        let half = (self.df + 1.0) / 2.0;
        let log = ln_gamma(half)
            - ln_gamma(self.df / 2.0)
            - 0.5 * (self.df * std::f64::consts::PI).ln()
            - self.scale.ln()
            - half * (z * z / self.df).ln_1p();
        log.exp()
    }
}

#[cfg(test)]
mod test {
    use super::*;
    use stats::rng::Rng;

    /// Runs a search against values made by `make`; the verdict and how many runs it took.
    fn search(mut timing: Timing, mut make: impl FnMut(usize) -> Answer) -> (Verdict, usize) {
        loop {
            match timing.next() {
                Ask::Try(position) => timing.tell(position, make(position)).unwrap(),
                Ask::Done(verdict) => return (verdict, timing.runs()),
            }
        }
    }

    fn step(culprit: usize, size: f64, noise: f64, seed: u64) -> impl FnMut(usize) -> Answer {
        let mut rng = Rng::new(seed);
        move |position| {
            Answer::Value(if position >= culprit { size } else { 0.0 } + noise * rng.normal())
        }
    }

    fn timing(positions: usize) -> Timing {
        Timing::new(Line::new(positions), Limits::default(), None)
    }

    #[test]
    fn a_clear_step_is_found_wherever_it_is() {
        for culprit in [1, 2, 17, 63, 64] {
            let (verdict, runs) = search(timing(65), step(culprit, 0.2, 0.01, culprit as u64));
            assert!(
                matches!(verdict, Verdict::Found { first, last, .. } if first == culprit && last == culprit),
                "{culprit}: {verdict:?}"
            );
            assert!(runs <= 45, "{runs}");
        }
    }

    #[test]
    fn a_machine_that_becomes_faster_after_the_ends_were_measured_makes_nobody_else_to_blame() {
        let trials = 50;
        let mut wrong = Vec::new();
        for seed in 0..trials {
            let mut value = step(10, 0.8, 0.15, seed);
            let mut runs = 0;
            let (verdict, _) = search(timing(17), |position| {
                runs += 1;
                match value(position) {
                    Answer::Value(value) if runs > 2 * GATE => Answer::Value(value - 0.6),
                    answer => answer,
                }
            });
            match verdict {
                Verdict::Found { first: 10, .. } => {}
                Verdict::Found { first, .. } => wrong.push(first),
                _ => {}
            }
        }
        // The rule errs now and then, but never for what the gate saw.
        assert!(!wrong.contains(&16), "{wrong:?}");
        assert!(wrong.len() * 50 <= trials as usize, "{wrong:?}");
    }

    #[test]
    fn an_improvement_is_found_too() {
        let (verdict, _) = search(timing(33), step(20, -0.1, 0.01, 1));
        assert!(
            matches!(
                verdict,
                Verdict::Found {
                    first: 20,
                    last: 20,
                    ..
                }
            ),
            "{verdict:?}"
        );
    }

    #[test]
    fn without_a_step_nobody_is_blamed() {
        let (verdict, runs) = search(timing(65), step(0, 0.0, 0.02, 3));
        assert!(
            matches!(verdict, Verdict::NoDifference { smallest_visible: Some(size) } if size > 0.01),
            "{verdict:?}"
        );
        assert_eq!(runs, 2 * GATE);
    }

    #[test]
    fn a_broken_range_with_the_culprit_in_it_is_named_whole() {
        let broken = 20..30;
        let mut values = step(25, 0.2, 0.01, 4);
        let (verdict, _) = search(timing(65), |position| {
            if broken.contains(&position) {
                Answer::Broken
            } else {
                values(position)
            }
        });
        assert!(
            matches!(
                verdict,
                Verdict::Found {
                    first: 20,
                    last: 30,
                    ..
                }
            ),
            "{verdict:?}"
        );
    }

    #[test]
    fn the_first_good_commit_after_a_broken_range_is_not_blamed() {
        let mut values = step(40, 0.2, 0.01, 5);
        let (verdict, _) = search(timing(65), |position| {
            if (20..30).contains(&position) {
                Answer::Broken
            } else {
                values(position)
            }
        });
        assert!(
            matches!(
                verdict,
                Verdict::Found {
                    first: 40,
                    last: 40,
                    ..
                }
            ),
            "{verdict:?}"
        );
    }

    #[test]
    fn an_end_that_cannot_be_measured_is_said() {
        let (verdict, _) = search(timing(5), |_| Answer::Broken);
        assert!(matches!(verdict, Verdict::CannotTell { best: None, .. }));
    }

    #[test]
    fn telling_the_same_answers_again_asks_the_same_question() {
        let mut first = timing(65);
        let mut make = step(30, 0.1, 0.02, 6);
        let mut told = Vec::new();
        for _ in 0..27 {
            let Ask::Try(position) = first.next() else {
                break;
            };
            let answer = make(position);
            told.push((position, answer));
            first.tell(position, answer).unwrap();
        }
        let mut second = timing(65);
        for (position, answer) in told {
            assert_eq!(second.next(), Ask::Try(position));
            second.tell(position, answer).unwrap();
        }
        assert_eq!(first.next(), second.next());
    }

    #[test]
    fn the_cap_of_runs_ends_the_search() {
        let limits = Limits {
            runs: 22,
            ..Limits::default()
        };
        let (verdict, runs) = search(
            Timing::new(Line::new(65), limits, None),
            step(30, 0.05, 0.02, 8),
        );
        assert!(
            matches!(verdict, Verdict::CannotTell { best: Some(_), .. }),
            "{verdict:?}"
        );
        assert_eq!(runs, 22);
    }
}
