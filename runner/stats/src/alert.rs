//! The life of an alert.
//!
//! ```text
//!            found                 confirmation: same change           new run: the head is where it was before
//! (nothing) ──────> Provisional ───────────────────────────> Confirmed ──────────────────────────────────────> Fixed
//!                    │   │   ▲
//!                    │   │   └── too few processes, again
//!                    │   └── confirmation: no change ──> Noise
//!                    └── a side failed to run ──> Infrastructure      a person: Wontfix, from any open state
//! ```
//!
//! Nothing but a run of both sides makes an alert `Confirmed` or `Fixed`: what a series shows ([`crate::recovery`], a change point) is a
//! reason to look, not a verdict. What becomes slow once more later is another alert, with its own pair of commits. A pure state
//! machine; who stores it also keeps the history.

use crate::rule::Verdict;
use serde::{Deserialize, Serialize};

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Just found; nobody looked yet.
    New,
    /// Waits for its confirmation run.
    Provisional,
    Confirmed,
    /// The confirmation run found no change.
    Noise,
    /// The machine or the platform failed, not the subject.
    Infrastructure,
    /// Back at the old level.
    Fixed,
    /// A person decided to live with it.
    Wontfix,
}

/// What happens to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A confirmation run is asked for.
    Queued,
    /// The confirmation run's verdict, and whether it agrees in direction with what was found.
    Measured {
        verdict: Verdict,
        same_direction: bool,
    },
    /// The confirmation run failed on one side.
    NotMeasured,
    /// The head, measured beside the commit before the change, is not worse than it (or no better any more) by the rule.
    Recovered,
    /// A person closes it.
    Accepted,
    /// A person reopens it.
    Reopened,
}

/// An event that means nothing in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an alert that is {state:?} takes no {event:?}")]
pub struct Refused {
    pub state: State,
    pub event: Event,
}

impl State {
    /// The word used in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::New => "new",
            State::Provisional => "provisional",
            State::Confirmed => "confirmed",
            State::Noise => "noise",
            State::Infrastructure => "infrastructure",
            State::Fixed => "fixed",
            State::Wontfix => "wontfix",
        }
    }

    /// Reads what [`State::as_str`] gives.
    #[must_use]
    pub fn parse(word: &str) -> Option<State> {
        use State::{Confirmed, Fixed, Infrastructure, New, Noise, Provisional, Wontfix};
        [
            New,
            Provisional,
            Confirmed,
            Noise,
            Infrastructure,
            Fixed,
            Wontfix,
        ]
        .into_iter()
        .find(|state| state.as_str() == word)
    }

    /// Whether someone should still look.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, State::New | State::Provisional | State::Confirmed)
    }

    /// The state after `event`.
    ///
    /// # Errors
    /// [`Refused`] when the event means nothing here; the state stays.
    pub fn after(self, event: Event) -> Result<State, Refused> {
        let state = self;
        Ok(match (self, event) {
            (State::New, Event::Queued) => State::Provisional,
            (
                State::New | State::Provisional,
                Event::Measured {
                    verdict,
                    same_direction,
                },
            ) => match verdict {
                Verdict::Larger | Verdict::Smaller if same_direction => State::Confirmed,
                Verdict::TooFew => State::Provisional,
                Verdict::Larger | Verdict::Smaller | Verdict::NoChange => State::Noise,
            },
            (State::New | State::Provisional, Event::NotMeasured) => State::Infrastructure,
            (State::Confirmed, Event::Recovered) => State::Fixed,
            (State::New | State::Provisional | State::Confirmed, Event::Accepted) => State::Wontfix,
            (
                State::Noise | State::Infrastructure | State::Wontfix | State::Fixed,
                Event::Reopened,
            ) => State::Provisional,
            _ => return Err(Refused { state, event }),
        })
    }
}

/// What the confirmation runs of one night say, judged together: Holm's adjustment over all of them, so that a night with many
/// candidates has no more false alarms than one with a single one. Verdicts in the order given.
#[must_use]
pub fn confirm(judgements: &[crate::rule::Judgement]) -> Vec<Verdict> {
    let raw: Vec<f64> = judgements
        .iter()
        .map(|judgement| judgement.welch.map_or(1.0, |welch| welch.p))
        .collect();
    crate::holm::holm(&raw)
        .into_iter()
        .zip(judgements)
        .map(|(p, judgement)| match judgement.verdict {
            Verdict::Larger | Verdict::Smaller if p > crate::rule::ALPHA => Verdict::NoChange,
            verdict => verdict,
        })
        .collect()
}

#[cfg(test)]
mod test {
    use super::*;
    use crate::rule::judge;

    const ALL: [State; 7] = [
        State::New,
        State::Provisional,
        State::Confirmed,
        State::Noise,
        State::Infrastructure,
        State::Fixed,
        State::Wontfix,
    ];

    fn measured(verdict: Verdict) -> Event {
        Event::Measured {
            verdict,
            same_direction: true,
        }
    }

    #[test]
    fn the_way_of_a_real_regression() {
        let state = State::New.after(Event::Queued).unwrap();
        let state = state.after(measured(Verdict::TooFew)).unwrap();
        assert_eq!(state, State::Provisional);
        let state = state.after(measured(Verdict::Larger)).unwrap();
        assert_eq!(state, State::Confirmed);
        let state = state.after(Event::Recovered).unwrap();
        assert_eq!(state, State::Fixed);
        assert!(!state.is_open());
        assert!(state.after(Event::Recovered).is_err());
    }

    #[test]
    fn a_change_the_other_way_confirms_nothing() {
        let event = Event::Measured {
            verdict: Verdict::Smaller,
            same_direction: false,
        };
        assert_eq!(State::Provisional.after(event), Ok(State::Noise));
    }

    #[test]
    fn only_a_measurement_confirms() {
        for state in ALL {
            for event in [
                Event::Queued,
                Event::NotMeasured,
                Event::Recovered,
                Event::Accepted,
                Event::Reopened,
            ] {
                assert_ne!(
                    state.after(event),
                    Ok(State::Confirmed),
                    "{state:?} {event:?}"
                );
            }
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
        assert!(State::Noise.after(Event::Recovered).is_err());
    }

    #[test]
    fn many_weak_confirmations_do_not_pass_together_but_a_strong_one_does() {
        let level = |centre: f64, n: i32| -> Vec<f64> {
            (0..n)
                .map(|i| centre + 0.02 * (f64::from(i) / f64::from(n - 1) - 0.5))
                .collect()
        };
        let weak = judge(&level(0.0, 5), &level(0.0295, 5), None).unwrap();
        assert_eq!(weak.verdict, Verdict::Larger);
        let strong = judge(&level(0.0, 10), &level(0.3, 10), None).unwrap();
        assert_eq!(confirm(&[weak]), [Verdict::Larger]);
        let mut many = vec![weak; 30];
        many.push(strong);
        let verdicts = confirm(&many);
        assert_eq!(verdicts[30], Verdict::Larger);
        assert!(
            verdicts[..30].iter().all(|v| *v == Verdict::NoChange),
            "p {}",
            weak.welch.unwrap().p
        );
    }
}
