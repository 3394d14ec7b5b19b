//! Runs of both sides: nothing but new processes makes an alert confirmed, or fixed.
//!
//! ```text
//! provisional alerts of this machine, newest first          both sides of the change
//! confirmed alerts whose series seem to be back             the commit before the change, and the head
//!    └─ one run per pair of commits: its benchmarks, its modes, nothing beside them ──> judgements
//! judgements of times of all changes together (Holm) ──> confirmed, noise, infrastructure, or provisional still
//! no mode differs any more ──> fixed, with the commit since which it looked so
//! ```
//!
//! Changes come first, since what they confirm may be mended already by a later commit of the same night.
//!
//! What the time does not reach waits for the next night. A run that was killed is taken up by asking again: the alerts are in the
//! state they were in, so the question is the same, and what all runs together say is written at once. A head that was found not to have mended an alert is not asked about again.

use crate::compose::Wishes;
use crate::config::Config;
use crate::data::Data;
use crate::judged::{Judged, Metric};
use crate::{counting, night};
use anyhow::{Context, Result};
use measure::{Machine, Nanos};
use runner_core::RunEnd;
use runner_core::lock::DataLock;
use stats::alert::{Event, State};
use stats::rule::{Judgement, Verdict};
use std::time::Instant;
use store::alerts::Alert;
use store::{RunId, Store};

/// How much may be spent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Of each side.
    pub(crate) processes: u32,
    /// Time for all processes together.
    pub(crate) budget: Option<Nanos>,
    /// Time after which the night has to end.
    pub(crate) deadline: Option<Nanos>,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Confirmation {
    pub(crate) confirmed: usize,
    pub(crate) noise: usize,
    /// A side failed to run.
    pub(crate) infrastructure: usize,
    /// Confirmed ones that are back where they were before.
    pub(crate) fixed: usize,
    /// Confirmed ones that seemed so and are not.
    pub(crate) not_fixed: usize,
    /// Not reached, or with too few processes: as they were.
    pub(crate) waiting: usize,
    /// Signal that ended it.
    pub(crate) interrupted: Option<i32>,
}

impl std::ops::AddAssign for Confirmation {
    /// What a later call came to after an earlier one; what waited then was asked about again.
    fn add_assign(&mut self, later: Confirmation) {
        self.confirmed += later.confirmed;
        self.noise += later.noise;
        self.infrastructure += later.infrastructure;
        self.fixed += later.fixed;
        self.not_fixed += later.not_fixed;
        self.waiting = later.waiting;
        self.interrupted = later.interrupted;
    }
}

impl Confirmation {
    /// One line for a person.
    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "confirmation runs: {} confirmed, {} noise",
            self.confirmed, self.noise
        );
        if self.infrastructure > 0 {
            text += &format!(", {} could not be run", self.infrastructure);
        }
        if self.fixed + self.not_fixed > 0 {
            text += &format!(
                ", {} of {} that seemed mended are fixed",
                self.fixed,
                self.fixed + self.not_fixed
            );
        }
        if self.waiting > 0 {
            text += &format!(", {} wait for another one", self.waiting);
        }
        text
    }
}

/// Questions about one pair of commits, answered by one run.
struct Group {
    subject: String,
    low: String,
    high: String,
    /// Instructions are counted, and nothing is timed.
    counted: bool,
    questions: Vec<Question>,
}

/// What is to be decided about an alert.
#[derive(Debug, Clone)]
struct Question {
    alert: Alert,
    metric: Metric,
    /// `None` when the change itself is the question.
    mended: Option<Mended>,
}

/// What a confirmed alert looks like when it is suspected to be over.
#[derive(Debug, Clone)]
struct Mended {
    /// Commit since which all its series are back.
    by: String,
    /// The newest measured commit, which is to be tried.
    head: String,
}

/// What the run says about one question.
enum Said {
    /// Mode by mode.
    Judged(Vec<Judged>),
    /// A side did not end well.
    Failed,
    /// The time was over before it was measured.
    NotReached,
}

/// How a run ended.
pub(crate) struct Ran {
    pub(crate) run: RunId,
    /// Signal that interrupted it.
    pub(crate) interrupted: Option<i32>,
}

/// How many alerts of this machine wait for a run.
pub(crate) fn waiting(data: &Data) -> Result<usize> {
    let store = Store::open_read_only(&data.database())?;
    let mut waiting = 0;
    for kind in [Kind::Changes, Kind::Recoveries] {
        waiting += groups(&store, kind)?
            .iter()
            .map(|group| group.questions.len())
            .sum::<usize>();
    }
    Ok(waiting)
}

/// Runs both sides of every provisional alert of this machine anew, and of every confirmed one that seems to be mended, as far as `limits`
/// reach, and judges them.
pub(crate) fn confirm(
    config: &Config,
    data: &Data,
    tier: &str,
    limits: &Limits,
) -> Result<Confirmation> {
    confirm_by(data, tier, limits, &mut |wishes| {
        let report = night::night(config, data, wishes)?;
        let interrupted = match report.end {
            RunEnd::Interrupted { signal } => Some(signal),
            RunEnd::Complete | RunEnd::Deadline => None,
        };
        Ok(Ran {
            run: report.id,
            interrupted,
        })
    })
}

/// [`confirm`] with any way of running what is wished.
fn confirm_by(
    data: &Data,
    tier: &str,
    limits: &Limits,
    run: &mut dyn FnMut(&Wishes) -> Result<Ran>,
) -> Result<Confirmation> {
    let started = Instant::now();
    let left = |limit: Nanos| Nanos(limit.0.saturating_sub(Nanos::from(started.elapsed()).0));
    let mut done = Confirmation::default();
    for kind in [Kind::Changes, Kind::Recoveries] {
        let mut measured: Vec<(Question, Said)> = Vec::new();
        for group in groups(&Store::open_read_only(&data.database())?, kind)? {
            let budget = limits.budget.map(left);
            let deadline = limits.deadline.map(left);
            let is_over = |limit: Option<Nanos>| limit == Some(Nanos(0));
            let cannot_count = group.counted && counting::valgrind().is_err();
            if done.interrupted.is_some() || is_over(budget) || is_over(deadline) || cannot_count {
                done.waiting += group.questions.len();
                continue;
            }
            let ran = run(&Wishes {
                deadline,
                bench_budget: budget,
                ..group.wishes(tier, limits.processes)
            })?;
            if ran.interrupted.is_some() {
                done.interrupted = ran.interrupted;
                done.waiting += group.questions.len();
                continue;
            }
            let store = Store::open_read_only(&data.database())?;
            for question in &group.questions {
                measured.push((question.clone(), group.said(&store, ran.run, question)?));
            }
        }
        settle(data, measured, &mut done)?;
    }
    Ok(done)
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Whether what was found is there.
    Changes,
    /// Whether what was there is over.
    Recoveries,
}

/// The questions of this machine by pair of commits, the newest first.
fn groups(store: &Store, kind: Kind) -> Result<Vec<Group>> {
    let Some(machine) = store.known_machine(&Machine::this().fingerprint)? else {
        return Ok(Vec::new());
    };
    let states: &[&str] = match kind {
        Kind::Changes => &["provisional", "new"],
        Kind::Recoveries => &["confirmed"],
    };
    let mut groups: Vec<Group> = Vec::new();
    for alert in store.alerts(states)? {
        if alert.machine != machine {
            continue;
        }
        let metric = Metric::parse(&alert.metric);
        let mended = match kind {
            Kind::Changes => None,
            Kind::Recoveries => match seems_mended(store, &alert, &metric)? {
                None => continue,
                mended => mended,
            },
        };
        let high = mended.as_ref().map_or(&alert.high, |mended| &mended.head);
        let counted = metric.is_of_counted_jobs();
        let same = |group: &&mut Group| {
            (&group.subject, &group.low, &group.high, group.counted)
                == (&alert.subject, &alert.low, high, counted)
        };
        let place = match groups.iter_mut().find(same) {
            Some(group) => &mut group.questions,
            None => {
                groups.push(Group {
                    subject: alert.subject.clone(),
                    low: alert.low.clone(),
                    high: high.clone(),
                    counted,
                    questions: Vec::new(),
                });
                let last = groups.len() - 1;
                &mut groups[last].questions
            }
        };
        place.push(Question {
            alert,
            metric,
            mended,
        });
    }
    Ok(groups)
}

/// Whether all series of a confirmed alert look as before the change; `None` too when this head was measured for it already.
fn seems_mended(store: &Store, alert: &Alert, metric: &Metric) -> Result<Option<Mended>> {
    let mut latest = None;
    for series in store.alert_series(alert.id)? {
        let ends = (alert.low.as_str(), alert.high.as_str());
        let Some(back) = metric.back_since(store, &series, ends, &alert.direction)? else {
            return Ok(None);
        };
        latest = latest.max(Some(back));
    }
    let Some(back) = latest else { return Ok(None) };
    let is_known = alert
        .history
        .iter()
        .any(|entry| entry.sha.as_ref() == Some(&back.head));
    Ok((!is_known).then_some(Mended {
        by: back.commit,
        head: back.head,
    }))
}

impl Group {
    fn wishes(&self, tier: &str, processes: u32) -> Wishes {
        let alerts = || self.questions.iter().map(|question| &question.alert);
        let mut modes: Vec<String> = alerts().flat_map(|alert| alert.modes.clone()).collect();
        modes.sort();
        modes.dedup();
        let mut benchmarks: Vec<String> = alerts().map(|alert| alert.benchmark.clone()).collect();
        benchmarks.sort();
        benchmarks.dedup();
        Wishes {
            reason: "confirm".into(),
            tier: tier.into(),
            revisions: vec![self.low.clone(), self.high.clone()],
            benchmarks,
            modes,
            subjects: vec![self.subject.clone()],
            processes: (!self.counted).then_some(processes),
            bench: true,
            counts_only: self.counted,
            alone: true,
            ..Wishes::default()
        }
    }

    /// What the run says in each mode of the alert; a mode in which a side is not ok says nothing.
    fn said(&self, store: &Store, run: RunId, question: &Question) -> Result<Said> {
        let jobs = store.run_jobs(run, self.counted)?;
        let side = |sha: &str, mode: &str| {
            jobs.iter()
                .find(|(_, _, known, job)| {
                    known == sha && job.mode == mode && job.benchmark == question.alert.benchmark
                })
                .map(|(.., job)| job)
        };
        let mut judged = Vec::new();
        let mut not_reached = false;
        for mode in &question.alert.modes {
            let (Some(old), Some(new)) = (side(&self.low, mode), side(&self.high, mode)) else {
                continue;
            };
            if [old, new].iter().any(|job| job.outcome != "ok") {
                // With a build that failed there is nothing to wait for.
                not_reached |= [old, new]
                    .iter()
                    .any(|job| job.outcome == "not-run" && !job.reason.starts_with("build"));
                continue;
            }
            judged.extend(question.metric.judge(store, old, new)?);
        }
        // That one mode is back says nothing about the others.
        let lacks_modes = question.mended.is_some() && judged.len() < question.alert.modes.len();
        Ok(match (judged.is_empty() || lacks_modes, not_reached) {
            (false, _) => Said::Judged(judged),
            (true, true) => Said::NotReached,
            (true, false) => Said::Failed,
        })
    }
}

/// One judgement over all times that were measured for changes, and what follows for each alert.
fn settle(data: &Data, measured: Vec<(Question, Said)>, done: &mut Confirmation) -> Result<()> {
    let times: Vec<Judgement> = measured
        .iter()
        .filter(|(question, _)| question.mended.is_none())
        .flat_map(|(_, said)| match said {
            Said::Judged(judged) => judged.iter().copied().filter_map(Judged::time).collect(),
            Said::Failed | Said::NotReached => Vec::new(),
        })
        .collect();
    let mut verdicts = stats::alert::confirm(&times).into_iter();
    let mut decisions = Vec::new();
    for (question, said) in &measured {
        decisions.extend(match &question.mended {
            Some(mended) => recovery(&question.alert, mended, said, done)?,
            None => change(&question.alert, said, &mut verdicts, done)?,
        });
    }
    let _lock = DataLock::take(data.folder())?;
    Store::open(&data.database())?.atomically(|store| {
        for it in &decisions {
            store.set_alert_state(it.alert, it.state.as_str(), &it.why, it.about.as_deref())?;
        }
        Ok(())
    })?;
    Ok(())
}

/// What is written about an alert.
struct Decision {
    alert: i64,
    state: State,
    why: String,
    about: Option<String>,
}

/// What follows for an alert whose change was measured anew; `verdicts` holds those of times, in order.
fn change(
    alert: &Alert,
    said: &Said,
    verdicts: &mut dyn Iterator<Item = Verdict>,
    done: &mut Confirmation,
) -> Result<Option<Decision>> {
    let state = State::parse(&alert.state).unwrap_or(State::Provisional);
    let (event, why) = match said {
        Said::NotReached => {
            done.waiting += 1;
            return Ok(None);
        }
        Said::Failed => (
            Event::NotMeasured,
            "a side of the confirmation run failed".to_owned(),
        ),
        Said::Judged(modes) => {
            let mut judged: Vec<(Verdict, f64)> = Vec::new();
            for mode in modes {
                let verdict = match mode {
                    Judged::Time(_) => verdicts.next().context("one verdict for each time")?,
                    Judged::Count(count) => count.verdict,
                };
                judged.push((verdict, mode.ratio()));
            }
            // A change in any of its modes confirms it; what counts otherwise is the first.
            let counting = judged
                .iter()
                .find(|(verdict, _)| verdict.is_change())
                .or(judged.first());
            let (verdict, ratio) = counting.context("judged means at least one judgement")?;
            let event = Event::Measured {
                verdict: *verdict,
                same_direction: (*ratio > 1.0) == (alert.direction == "worse"),
            };
            (event, format!("confirmation run: ratio {ratio:.3}"))
        }
    };
    let next = state.after(event)?;
    match next {
        State::Confirmed => done.confirmed += 1,
        State::Noise => done.noise += 1,
        State::Infrastructure => done.infrastructure += 1,
        _ => done.waiting += 1,
    }
    Ok((next != state).then_some(Decision {
        alert: alert.id,
        state: next,
        why,
        about: None,
    }))
}

/// What follows for a confirmed alert that seemed to be mended. Each mode is judged by itself: an adjustment over all of them
/// would make it easier to see no difference.
fn recovery(
    alert: &Alert,
    mended: &Mended,
    said: &Said,
    done: &mut Confirmation,
) -> Result<Option<Decision>> {
    let state = State::parse(&alert.state).unwrap_or(State::Confirmed);
    let modes = match said {
        Said::Judged(modes) if modes.iter().all(|mode| mode.verdict() != Verdict::TooFew) => modes,
        // A head that does not run mends nothing, and the next one is asked about again.
        _ => {
            done.waiting += 1;
            return Ok(None);
        }
    };
    let ratios: Vec<String> = modes
        .iter()
        .map(|mode| format!("{:.3}", mode.ratio()))
        .collect();
    let ratios = ratios.join(", ");
    let still = if alert.direction == "worse" {
        Verdict::Larger
    } else {
        Verdict::Smaller
    };
    Ok(Some(if modes.iter().any(|mode| mode.verdict() == still) {
        done.not_fixed += 1;
        Decision {
            alert: alert.id,
            state,
            why: format!("seemed mended, but the head is at ratio {ratios}"),
            about: Some(mended.head.clone()),
        }
    } else {
        done.fixed += 1;
        Decision {
            alert: alert.id,
            state: state.after(Event::Recovered)?,
            why: format!("the head beside the commit before the change: ratio {ratios}"),
            about: Some(mended.by.clone()),
        }
    }))
}

#[cfg(test)]
mod test;
