//! What a night found: change points of every series it added to, and alerts about neighbouring commits that differ.
//!
//! Two kinds of evidence are kept apart. *Neighbours* measured in one run, interleaved, are judged by the rule of their metric
//! ([`crate::judged`]): a candidate becomes a provisional alert, and `nightjar alerts confirm` runs both sides anew. That holds for times, for
//! instruction totals, and for those of the VM's counters that its subject names (`watch`). *Change points* of the whole series say where
//! the level shifted over many nights; they are drawn, and raise no alert by themselves.

use crate::judged::{Judged, Metric, floor};
use anyhow::Result;
use stats::attribution::{self, Sides};
use stats::changes;
use stats::rule::Verdict;
use std::collections::BTreeMap;
use store::alerts::{NewAlert, NewChange};
use store::change_points::Found;
use store::read::sides::SideJob;
use store::summary::is_canary;
use store::{CommitId, RunId, Store, SubjectId};

/// Counters that raise alerts, by subject.
pub(crate) type Watched = BTreeMap<SubjectId, Vec<String>>;

/// One benchmark in one mode at two neighbouring commits of one run.
struct Candidate {
    low: CommitId,
    high: CommitId,
    low_job: SideJob,
    high_job: SideJob,
    old: Vec<f64>,
    new: Vec<f64>,
    floor: Option<f64>,
    judged: Judged,
}

/// What is judged together: one metric of one benchmark between two commits, over the modes.
type Pairs = BTreeMap<(SubjectId, String, CommitId, CommitId, Metric), Vec<Candidate>>;

/// Looks at what `run` measured; returns how many alerts are new.
pub(crate) fn detect(store: &mut Store, run: RunId, watched: &Watched) -> Result<usize> {
    let mut pairs = Pairs::new();
    for counted in [false, true] {
        for points in series(store, run, counted)? {
            let Some((_, any)) = points.first() else {
                continue;
            };
            let metrics: Vec<Metric> = if counted {
                vec![Metric::Instructions]
            } else {
                shifts(store, any)?;
                let counters = watched.get(&any.subject).into_iter().flatten();
                [Metric::Wall]
                    .into_iter()
                    .chain(counters.map(|name| Metric::Counter(name.clone())))
                    .collect()
            };
            for pair in points.windows(2) {
                for metric in &metrics {
                    neighbours(store, metric, &pair[0], &pair[1], &mut pairs)?;
                }
            }
        }
    }
    let mut added = 0;
    for ((.., metric), candidates) in &pairs {
        for (direction, verdict) in [("worse", Verdict::Larger), ("better", Verdict::Smaller)] {
            if let Some(alert) = alert(store, run, metric, candidates, direction, verdict)? {
                added += usize::from(store.add_alert(&alert)?.is_some());
            }
        }
    }
    Ok(added)
}

/// The jobs of a run by benchmark and mode, each list in the order of the commits.
fn series(store: &Store, run: RunId, counted: bool) -> Result<Vec<Vec<(CommitId, SideJob)>>> {
    let mut series: BTreeMap<(SubjectId, String, String), Vec<(i64, CommitId, SideJob)>> =
        BTreeMap::new();
    for (seq, commit, _, job) in store.run_jobs(run, counted)? {
        // A canary is judged against its own build, not its neighbours.
        if job.outcome == "ok" && !is_canary(&job.mode) {
            let key = (job.subject, job.benchmark.clone(), job.mode.clone());
            series.entry(key).or_default().push((seq, commit, job));
        }
    }
    Ok(series
        .into_values()
        .map(|mut points| {
            points.sort_by_key(|(seq, ..)| *seq);
            points
                .into_iter()
                .map(|(_, commit, job)| (commit, job))
                .collect()
        })
        .collect())
}

/// Stores the change points of the series that a timed job belongs to.
fn shifts(store: &mut Store, of: &SideJob) -> Result<()> {
    let history = store.history(of.subject, of.version, of.mode_id, of.machine, "wall")?;
    let logs: Vec<f64> = history.iter().map(|point| point.geomean.ln()).collect();
    for change in changes::changes(&logs)? {
        store.change_point(&Found {
            subject: of.subject,
            benchmark: of.version,
            mode: of.mode_id,
            machine: of.machine,
            metric: "wall",
            commit: history[change.index].commit,
            previous: Some(history[change.index - 1].commit),
            algorithm: "e-divisive",
            params_json: "{\"window\":50,\"max_p\":0.001}",
            p: change.p,
            ratio: (change.mean_after - change.mean_before).exp(),
            status: if change.is_established() {
                "established"
            } else {
                "provisional"
            },
        })?;
    }
    Ok(())
}

/// Judges two neighbours under one metric, where both have it.
fn neighbours(
    store: &Store,
    metric: &Metric,
    (low, low_job): &(CommitId, SideJob),
    (high, high_job): &(CommitId, SideJob),
    pairs: &mut Pairs,
) -> Result<()> {
    let old = metric.values(store, low_job.job)?;
    let new = metric.values(store, high_job.job)?;
    let floor = match metric {
        Metric::Wall => floor(store, high_job)?,
        _ => None,
    };
    let Some(judged) = metric.judge_values(&old, &new, floor)? else {
        return Ok(());
    };
    let key = (
        high_job.subject,
        high_job.benchmark.clone(),
        *low,
        *high,
        metric.clone(),
    );
    pairs.entry(key).or_default().push(Candidate {
        low: *low,
        high: *high,
        low_job: low_job.clone(),
        high_job: high_job.clone(),
        old,
        new,
        floor,
        judged,
    });
    Ok(())
}

/// The alert about one metric of one benchmark between two commits in one direction, if any mode shows it.
fn alert(
    store: &mut Store,
    run: RunId,
    metric: &Metric,
    candidates: &[Candidate],
    direction: &'static str,
    verdict: Verdict,
) -> Result<Option<NewAlert>> {
    let showing: Vec<&Candidate> = candidates
        .iter()
        .filter(|candidate| candidate.judged.verdict() == verdict)
        // A time that differs between equal programs is noise. A count that does was changed by their data.
        .filter(|candidate| *metric != Metric::Wall || !candidate.has_equal_code())
        .collect();
    let size = |candidate: &&&Candidate| candidate.judged.size();
    let Some(largest) = showing.iter().max_by(|a, b| size(a).total_cmp(&size(b))) else {
        return Ok(None);
    };
    let modes: Vec<&str> = showing
        .iter()
        .map(|candidate| candidate.high_job.mode.as_str())
        .collect();
    let ratio = largest.judged.ratio();
    // The processes under valgrind count nothing else.
    let shift = match metric {
        Metric::Wall => attribution::largest_shift(
            &store.counters(largest.low_job.job)?,
            &store.counters(largest.high_job.job)?,
        ),
        Metric::Instructions | Metric::Counter(_) => None,
    };
    let change = metric.change(direction);
    let size = if ratio.is_finite() {
        format!("{:.1} % {change}", 100.0 * (ratio - 1.0).abs())
    } else {
        format!("{change} (there were none)")
    };
    Ok(Some(NewAlert {
        direction,
        title: format!(
            "{} {size} in {}",
            largest.high_job.benchmark,
            modes.join(", ")
        ),
        metric: metric.stored(store)?,
        run,
        low: largest.low,
        high: largest.high,
        moved: moved(metric, candidates, largest.floor)?,
        counter_ratio: shift.as_ref().and_then(|shift| shift.ratio),
        counter: shift.map(|shift| shift.counter),
        changes: showing
            .iter()
            .map(|candidate| NewChange {
                subject: candidate.high_job.subject,
                benchmark: candidate.high_job.version,
                mode: candidate.high_job.mode_id,
                machine: candidate.high_job.machine,
                p: candidate.judged.p(),
                ratio: candidate.judged.ratio(),
            })
            .collect(),
    }))
}

/// The first part of the VM that moved, in the order in which one stands on the other.
fn moved(
    metric: &Metric,
    candidates: &[Candidate],
    floor: Option<f64>,
) -> Result<Option<&'static str>> {
    let modes = ["off", "noopt", "opt"].map(|name| {
        candidates
            .iter()
            .find(|candidate| candidate.high_job.mode == name)
            .map_or(Sides { old: &[], new: &[] }, |candidate| Sides {
                old: &candidate.old,
                new: &candidate.new,
            })
    });
    Ok(metric.moved(modes, floor)?.map(|part| part.as_str()))
}

impl Candidate {
    /// Both programs have the same machine code: a difference is noise, and tells how large noise can be.
    fn has_equal_code(&self) -> bool {
        self.low_job.text_sha256.is_some() && self.low_job.text_sha256 == self.high_job.text_sha256
    }
}
