//! Confirmation runs: nothing but new processes of both sides makes an alert confirmed.
//!
//! ```text
//! provisional alerts of this machine, newest first, grouped by pair of commits
//!    └─ one run per group: both commits, its benchmarks, its modes, nothing beside them ──> judgements
//! all judgements of all groups together (Holm) ──> confirmed, noise, infrastructure, or provisional still
//! ```
//!
//! What the time does not reach stays provisional and waits for the next night. A run that was killed is taken up by asking again: the
//! alerts are still provisional, so the question is the same.

use crate::compose::Wishes;
use crate::config::Config;
use crate::data::Data;
use crate::night;
use anyhow::{Context, Result};
use measure::{Machine, Nanos};
use runner_core::RunEnd;
use runner_core::lock::DataLock;
use stats::alert::{Event, State};
use stats::noise::noise_floor;
use stats::rule::{Judgement, Verdict, judge};
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
    /// Not reached, or with too few processes: provisional still.
    pub(crate) waiting: usize,
    /// Signal that ended it.
    pub(crate) interrupted: Option<i32>,
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
        if self.waiting > 0 {
            text += &format!(", {} wait for another one", self.waiting);
        }
        text
    }
}

/// Alerts about one pair of commits, measured in one run.
struct Group {
    subject: String,
    low: String,
    high: String,
    alerts: Vec<Alert>,
}

/// What the confirmation run says about one alert.
enum Said {
    /// Mode by mode.
    Judged(Vec<Judgement>),
    /// A side did not end well.
    Failed,
    /// The time was over before it was measured.
    NotReached,
}

/// How many alerts of this machine wait for their confirmation run.
pub(crate) fn waiting(data: &Data) -> Result<usize> {
    Ok(groups(&Store::open_read_only(&data.database())?)?
        .iter()
        .map(|group| group.alerts.len())
        .sum())
}

/// Runs both sides of every provisional alert of this machine anew, as far as `limits` reach, and judges them together.
pub(crate) fn confirm(
    config: &Config,
    data: &Data,
    tier: &str,
    limits: &Limits,
) -> Result<Confirmation> {
    let started = Instant::now();
    let left = |limit: Nanos| Nanos(limit.0.saturating_sub(Nanos::from(started.elapsed()).0));
    let groups = groups(&Store::open_read_only(&data.database())?)?;
    let mut done = Confirmation::default();
    let mut measured: Vec<(Alert, Said)> = Vec::new();
    for group in groups {
        let budget = limits.budget.map(left);
        let deadline = limits.deadline.map(left);
        let is_over = |limit: Option<Nanos>| limit == Some(Nanos(0));
        if done.interrupted.is_some() || is_over(budget) || is_over(deadline) {
            done.waiting += group.alerts.len();
            continue;
        }
        let wishes = Wishes {
            deadline,
            bench_budget: budget,
            ..group.wishes(tier, limits.processes)
        };
        let report = night::night(config, data, &wishes)?;
        if let RunEnd::Interrupted { signal } = report.end {
            done.interrupted = Some(signal);
            done.waiting += group.alerts.len();
            continue;
        }
        let store = Store::open_read_only(&data.database())?;
        for alert in group.alerts {
            let said = said(&store, report.id, &alert)?;
            measured.push((alert, said));
        }
    }
    settle(data, measured, &mut done)?;
    Ok(done)
}

/// Provisional alerts of this machine by pair of commits, the newest pair first.
fn groups(store: &Store) -> Result<Vec<Group>> {
    let Some(machine) = store.known_machine(&Machine::this().fingerprint)? else {
        return Ok(Vec::new());
    };
    let mut groups: Vec<Group> = Vec::new();
    for alert in store.alerts(&["provisional", "new"])? {
        if alert.machine != machine {
            continue;
        }
        let same = |group: &&mut Group| {
            (&group.subject, &group.low, &group.high) == (&alert.subject, &alert.low, &alert.high)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.alerts.push(alert),
            None => groups.push(Group {
                subject: alert.subject.clone(),
                low: alert.low.clone(),
                high: alert.high.clone(),
                alerts: vec![alert],
            }),
        }
    }
    Ok(groups)
}

impl Group {
    fn wishes(&self, tier: &str, processes: u32) -> Wishes {
        let mut modes: Vec<String> = self
            .alerts
            .iter()
            .flat_map(|alert| alert.modes.clone())
            .collect();
        modes.sort();
        modes.dedup();
        Wishes {
            reason: "confirm".into(),
            tier: tier.into(),
            revisions: vec![self.low.clone(), self.high.clone()],
            benchmarks: self
                .alerts
                .iter()
                .map(|alert| alert.benchmark.clone())
                .collect(),
            modes,
            subjects: vec![self.subject.clone()],
            processes: Some(processes),
            bench: true,
            alone: true,
            ..Wishes::default()
        }
    }
}

/// What the confirmation run says in each mode of `alert`; a mode in which a side is not ok says nothing.
fn said(store: &Store, run: RunId, alert: &Alert) -> Result<Said> {
    let jobs = store.run_jobs(run)?;
    let side = |sha: &str, mode: &str| {
        jobs.iter()
            .find(|(_, _, known, job)| {
                known == sha && job.mode == mode && job.benchmark == alert.benchmark
            })
            .map(|(.., job)| job)
    };
    let mut judgements = Vec::new();
    let mut not_reached = false;
    for mode in &alert.modes {
        let (Some(old), Some(new)) = (side(&alert.low, mode), side(&alert.high, mode)) else {
            continue;
        };
        if [old, new].iter().any(|job| job.outcome != "ok") {
            // With a build that failed there is nothing to wait for.
            not_reached |= [old, new]
                .iter()
                .any(|job| job.outcome == "not-run" && !job.reason.starts_with("build"));
            continue;
        }
        let history = store.history(new.subject, new.version, new.mode_id, new.machine, "wall")?;
        let logs: Vec<f64> = history.iter().map(|point| point.geomean.ln()).collect();
        judgements.push(judge(
            &store.log_means(old.job, "wall")?,
            &store.log_means(new.job, "wall")?,
            noise_floor(&logs),
        )?);
    }
    Ok(match (judgements.is_empty(), not_reached) {
        (false, _) => Said::Judged(judgements),
        (true, true) => Said::NotReached,
        (true, false) => Said::Failed,
    })
}

/// One judgement over everything that was measured, and what follows for each alert.
fn settle(data: &Data, measured: Vec<(Alert, Said)>, done: &mut Confirmation) -> Result<()> {
    let all: Vec<Judgement> = measured
        .iter()
        .flat_map(|(_, said)| match said {
            Said::Judged(judgements) => judgements.clone(),
            Said::Failed | Said::NotReached => Vec::new(),
        })
        .collect();
    let mut verdicts = stats::alert::confirm(&all).into_iter();
    let _lock = DataLock::take(data.folder())?;
    let mut store = Store::open(&data.database())?;
    for (alert, said) in measured {
        let state = State::parse(&alert.state).unwrap_or(State::Provisional);
        let (event, why) = match &said {
            Said::NotReached => {
                done.waiting += 1;
                continue;
            }
            Said::Failed => (
                Event::NotMeasured,
                "a side of the confirmation run failed".to_owned(),
            ),
            Said::Judged(judgements) => {
                let judged: Vec<(Verdict, f64)> = judgements
                    .iter()
                    .zip(&mut verdicts)
                    .map(|(judgement, verdict)| {
                        (verdict, judgement.welch.map_or(1.0, |welch| welch.ratio))
                    })
                    .collect();
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
        if next != state {
            store.set_alert_state(alert.id, next.as_str(), &why)?;
        }
    }
    Ok(())
}
