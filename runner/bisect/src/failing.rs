//! The search by passes and failures: a test that fails, a wrong result, a crash.
//!
//! A failure may be certain or flaky. Instead of two methods there is one model: below the culprit the thing fails with an unknown rate,
//! from the culprit on with another, both with Jeffreys' prior. Integrated over the rates, the probability of a place is a product of two beta
//! functions of counts. When the first runs at the ends say "never" and "always", single runs shift nearly all weight and the search
//! is a plain bisection with a check at the end; when they say "never" and "one in five", it takes the runs it needs.
//!
//! ```text
//! gate    both ends in turn, until "two rates" is 100 times as probable as "one rate" (or the reverse, or 150 runs an end)
//! search  at the median of the posterior, to 0.99
//! verify  the culprit until it failed twice, the one before it as often again as failures at the culprit's rate would need to show
//! ```
//!
//! Sources: the beta-binomial marginal likelihood, Gelman et al., "Bayesian Data Analysis", section 2.4; Jeffreys, "Theory of Probability" (1961), for the
//! prior and for odds of 100 as decisive.

use crate::line::{Line, most_probable, normalize};
use crate::{Ask, Limits, Verdict};
use stats::special::ln_gamma;

/// Odds at which the ends count as different, or as the same.
const DECISIVE: f64 = 100.0;
/// Most runs at an end.
const GATE: usize = 150;
/// Fewest runs at an end.
const GATE_MIN: usize = 3;
/// Odds for "same" at which the gate gives up early.
const SAME: f64 = 10.0;

/// What trying a position gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    Pass,
    Fail,
    /// It does not build, or fails in another way than the one looked for.
    Broken,
}

/// Passes and failures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    fails: usize,
    passes: usize,
}

/// A search for the place where something began to fail.
#[derive(Debug, Clone)]
pub struct Failing {
    line: Line,
    limits: Limits,
    counts: Vec<Counts>,
}

impl Failing {
    /// A search over `line`.
    #[must_use]
    pub fn new(line: Line, limits: Limits) -> Failing {
        let positions = line.last() + 1;
        Failing {
            line,
            limits,
            counts: vec![Counts::default(); positions],
        }
    }

    /// Takes the answer for one run at `position`.
    pub fn tell(&mut self, position: usize, answer: Answer) {
        self.line.set_tried(position);
        match answer {
            Answer::Pass => self.counts[position].passes += 1,
            Answer::Fail => self.counts[position].fails += 1,
            Answer::Broken => self.line.set_broken(position),
        }
    }

    /// Runs so far.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.counts.iter().map(|counts| counts.runs()).sum()
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
                return give_up(format!("the {name} position cannot be tried"), None);
            }
        }
        let (good, bad) = (self.counts[0], self.counts[last]);
        let odds = odds_of_two_rates(good, bad);
        let runs = good.runs().min(bad.runs());
        let decided = runs >= GATE_MIN && (odds >= DECISIVE || odds <= 1.0 / SAME);
        if !decided && runs < GATE {
            return Ask::Try(if good.runs() <= bad.runs() { 0 } else { last });
        }
        if odds < DECISIVE {
            return Ask::Done(Verdict::NoDifference {
                smallest_visible: None,
            });
        }
        let (good_rate, bad_rate) = (good.rate(), bad.rate());
        if good_rate > bad_rate {
            return give_up(
                "it fails more often at the first position than at the last".into(),
                None,
            );
        }
        let posterior = self.posterior();
        let ((first, culprit), probability) = most_probable(&posterior);
        let best = Some((first, culprit));
        let split = self.line.split(&posterior);
        if probability >= self.limits.certain || split.is_none() {
            let before = self.line.before(first);
            if let Some(position) = self.unverified(before, culprit, bad_rate) {
                return if self.runs() < self.limits.runs {
                    Ask::Try(position)
                } else {
                    give_up(format!("{} runs are used up", self.limits.runs), best)
                };
            }
            return Ask::Done(Verdict::Found {
                first,
                last: culprit,
                posterior: probability,
            });
        }
        match split {
            _ if self.runs() >= self.limits.runs => {
                give_up(format!("{} runs are used up", self.limits.runs), best)
            }
            Some(position)
                if self.counts[position].runs() == 0 && self.builds() >= self.limits.builds =>
            {
                give_up(format!("{} builds are used up", self.limits.builds), best)
            }
            Some(position) => Ask::Try(position),
            None => give_up("nothing is left to try".into(), best),
        }
    }

    /// Probability of each range of positions that can be told apart.
    #[must_use]
    pub fn posterior(&self) -> Vec<((usize, usize), f64)> {
        let ranges = self.line.ranges();
        let all = self
            .counts
            .iter()
            .fold(Counts::default(), |sum, counts| sum.and(*counts));
        let mut below = Counts::default();
        let mut position = 0;
        let logs: Vec<f64> = ranges
            .iter()
            .map(|(first, last)| {
                while position < *last {
                    below = below.and(self.counts[position]);
                    position += 1;
                }
                let above = Counts {
                    fails: all.fails - below.fails,
                    passes: all.passes - below.passes,
                };
                ((last - first + 1) as f64).ln() + below.evidence() + above.evidence()
            })
            .collect();
        ranges.into_iter().zip(normalize(&logs)).collect()
    }

    /// The position that still has to be run before `culprit` is believed.
    fn unverified(&self, before: usize, culprit: usize, bad_rate: f64) -> Option<usize> {
        let (old, new) = (self.counts[before], self.counts[culprit]);
        // So many passes in a row are improbable (0.5 %) at the rate of the bad side.
        let needed = if bad_rate >= 0.99 {
            2
        } else {
            ((0.005f64.ln() / (1.0 - bad_rate).ln()).ceil() as usize).max(2)
        };
        if new.fails < 2 && new.runs() < 2 * needed.max(2) {
            return Some(culprit);
        }
        (old.runs() < needed).then_some(before)
    }
}

impl Counts {
    fn runs(self) -> usize {
        self.fails + self.passes
    }

    fn and(self, other: Counts) -> Counts {
        Counts {
            fails: self.fails + other.fails,
            passes: self.passes + other.passes,
        }
    }

    /// Mean of the rate's distribution.
    fn rate(self) -> f64 {
        (self.fails as f64 + 0.5) / (self.runs() as f64 + 1.0)
    }

    /// Log of the probability of these counts with an unknown rate.
    fn evidence(self) -> f64 {
        let (a, b) = (self.fails as f64 + 0.5, self.passes as f64 + 0.5);
        ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b) - std::f64::consts::PI.ln()
    }
}

/// How much more probable two rates are than a common one.
fn odds_of_two_rates(a: Counts, b: Counts) -> f64 {
    (a.evidence() + b.evidence() - a.and(b).evidence()).exp()
}

fn give_up(reason: String, best: Option<(usize, usize)>) -> Ask {
    Ask::Done(Verdict::CannotTell { reason, best })
}

#[cfg(test)]
mod test {
    use super::*;
    use proptest::prelude::*;
    use stats::rng::Rng;

    fn search(
        mut failing: Failing,
        mut make: impl FnMut(usize) -> Answer,
    ) -> (Verdict, usize, usize) {
        loop {
            match failing.next() {
                Ask::Try(position) => failing.tell(position, make(position)),
                Ask::Done(verdict) => return (verdict, failing.runs(), failing.builds()),
            }
        }
    }

    fn failing(positions: usize) -> Failing {
        Failing::new(Line::new(positions), Limits::for_failures())
    }

    fn found(verdict: &Verdict, culprit: usize) -> bool {
        matches!(verdict, Verdict::Found { first, last, .. } if (*first, *last) == (culprit, culprit))
    }

    #[test]
    fn a_certain_failure_takes_about_as_many_builds_as_a_plain_bisection() {
        for culprit in 1..=64 {
            let answer = |position| {
                if position >= culprit {
                    Answer::Fail
                } else {
                    Answer::Pass
                }
            };
            let (verdict, runs, builds) = search(failing(65), answer);
            assert!(found(&verdict, culprit), "{culprit}: {verdict:?}");
            assert!(
                builds <= 10 && runs <= 30,
                "{culprit}: {runs} runs, {builds} builds"
            );
        }
    }

    #[test]
    fn a_failure_in_one_of_five_is_found_nearly_always() {
        let trials = 100;
        let right = (0..trials)
            .filter(|seed| {
                let mut rng = Rng::new(*seed);
                let culprit = 1 + rng.below(64);
                let (verdict, ..) = search(
                    Failing::new(Line::new(65), Limits::for_failures()),
                    |position| {
                        if position >= culprit && rng.chance(0.2) {
                            Answer::Fail
                        } else {
                            Answer::Pass
                        }
                    },
                );
                found(&verdict, culprit)
            })
            .count();
        assert!(right >= 93, "{right} of {trials}");
    }

    #[test]
    fn what_always_passes_or_always_fails_shows_no_difference() {
        for answer in [Answer::Pass, Answer::Fail] {
            let (verdict, runs, _) = search(failing(65), |_| answer);
            assert_eq!(
                verdict,
                Verdict::NoDifference {
                    smallest_visible: None
                }
            );
            assert!(runs <= 140, "{runs}");
        }
    }

    #[test]
    fn the_wrong_way_round_is_said() {
        let (verdict, ..) = search(failing(9), |position| {
            if position < 4 {
                Answer::Fail
            } else {
                Answer::Pass
            }
        });
        assert!(
            matches!(verdict, Verdict::CannotTell { best: None, .. }),
            "{verdict:?}"
        );
    }

    proptest! {
        #[test]
        fn broken_positions_are_never_blamed_alone(culprit in 1usize..33, broken in prop::collection::btree_set(1usize..32, 0..12)) {
            let (verdict, ..) = search(failing(33), |position| {
                if broken.contains(&position) {
                    Answer::Broken
                } else if position >= culprit {
                    Answer::Fail
                } else {
                    Answer::Pass
                }
            });
            let Verdict::Found { first, last, .. } = verdict else {
                return Err(TestCaseError::fail(format!("{verdict:?}")));
            };
            prop_assert!((first..=last).contains(&culprit));
            prop_assert!(!broken.contains(&last));
            prop_assert!((first..last).all(|position| broken.contains(&position)));
        }
    }
}
