//! What a night found: change points of every series it added to, and alerts about neighbouring commits that differ.
//!
//! Two kinds of evidence are kept apart. *Neighbours* measured in one run, interleaved, are judged by the rule: a candidate becomes a provisional
//! alert, and `nightjar alerts confirm` runs both sides anew. *Change points* of the whole series say where the level shifted over many nights;
//! they are drawn, and raise no alert by themselves.

use anyhow::Result;
use stats::attribution::{self, Sides};
use stats::changes;
use stats::noise::noise_floor;
use stats::rule::{Judgement, Verdict, judge};
use std::collections::BTreeMap;
use store::alerts::{NewAlert, NewChange};
use store::change_points::Found;
use store::read::sides::SideJob;
use store::summary::CANARY;
use store::{CommitId, RunId, Store};

/// One benchmark in one mode at two neighbouring commits of one run.
struct Candidate {
    low: CommitId,
    high: CommitId,
    low_job: SideJob,
    high_job: SideJob,
    old: Vec<f64>,
    new: Vec<f64>,
    judgement: Judgement,
}

/// Looks at what `run` measured; returns how many alerts are new.
pub(crate) fn detect(store: &mut Store, run: RunId) -> Result<usize> {
    let jobs = store.run_jobs(run)?;
    let mut series: BTreeMap<(i64, String, String), Vec<(i64, CommitId, SideJob)>> =
        BTreeMap::new();
    for (seq, commit, _, job) in jobs {
        // A canary is judged against its own build, not its neighbours.
        if job.outcome == "ok" && !job.mode.ends_with(CANARY) {
            let key = (job.subject.0, job.benchmark.clone(), job.mode.clone());
            series.entry(key).or_default().push((seq, commit, job));
        }
    }
    let mut pairs: BTreeMap<(i64, String, CommitId, CommitId), Vec<Candidate>> = BTreeMap::new();
    for ((subject, benchmark, _), mut points) in series {
        points.sort_by_key(|(seq, ..)| *seq);
        let Some((_, _, any)) = points.first() else {
            continue;
        };
        let history = store.history(any.subject, any.version, any.mode_id, any.machine, "wall")?;
        let logs: Vec<f64> = history.iter().map(|point| point.geomean.ln()).collect();
        for change in changes::changes(&logs)? {
            store.change_point(&Found {
                subject: any.subject,
                benchmark: any.version,
                mode: any.mode_id,
                machine: any.machine,
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
        let floor = noise_floor(&logs);
        for pair in points.windows(2) {
            let (low, high) = (&pair[0], &pair[1]);
            let old = store.log_means(low.2.job, "wall")?;
            let new = store.log_means(high.2.job, "wall")?;
            let judgement = judge(&old, &new, floor)?;
            pairs
                .entry((subject, benchmark.clone(), low.1, high.1))
                .or_default()
                .push(Candidate {
                    low: low.1,
                    high: high.1,
                    low_job: low.2.clone(),
                    high_job: high.2.clone(),
                    old,
                    new,
                    judgement,
                });
        }
    }
    let mut added = 0;
    for candidates in pairs.values() {
        for (direction, verdict) in [("worse", Verdict::Larger), ("better", Verdict::Smaller)] {
            if let Some(alert) = alert(store, run, candidates, direction, verdict)? {
                added += usize::from(store.add_alert(&alert)?.is_some());
            }
        }
    }
    Ok(added)
}

/// The alert about one benchmark between two commits in one direction, if any mode shows it.
fn alert(
    store: &Store,
    run: RunId,
    candidates: &[Candidate],
    direction: &'static str,
    verdict: Verdict,
) -> Result<Option<NewAlert>> {
    let showing: Vec<&Candidate> = candidates
        .iter()
        .filter(|candidate| candidate.judgement.verdict == verdict && !candidate.has_equal_code())
        .collect();
    let size = |candidate: &&&Candidate| {
        candidate
            .judgement
            .welch
            .map_or(0.0, |welch| welch.difference.abs())
    };
    let Some(largest) = showing.iter().max_by(|a, b| size(a).total_cmp(&size(b))) else {
        return Ok(None);
    };
    let modes: Vec<&str> = showing
        .iter()
        .map(|candidate| candidate.high_job.mode.as_str())
        .collect();
    let ratio = largest.judgement.welch.map_or(1.0, |welch| welch.ratio);
    let shift = attribution::largest_shift(
        &store.counters(largest.low_job.job)?,
        &store.counters(largest.high_job.job)?,
    );
    let word = if direction == "worse" {
        "slower"
    } else {
        "faster"
    };
    Ok(Some(NewAlert {
        direction,
        title: format!(
            "{} {:.1} % {word} in {}",
            largest.high_job.benchmark,
            100.0 * (ratio - 1.0).abs(),
            modes.join(", ")
        ),
        run,
        low: largest.low,
        high: largest.high,
        moved: moved(candidates)?,
        counter_ratio: shift.as_ref().and_then(|shift| shift.ratio),
        counter: shift.map(|shift| shift.counter),
        changes: showing
            .iter()
            .map(|candidate| NewChange {
                subject: candidate.high_job.subject,
                benchmark: candidate.high_job.version,
                mode: candidate.high_job.mode_id,
                machine: candidate.high_job.machine,
                p: candidate.judgement.welch.map_or(1.0, |welch| welch.p),
                ratio: candidate.judgement.welch.map_or(1.0, |welch| welch.ratio),
            })
            .collect(),
    }))
}

/// The first part of the VM that moved, in the order in which one stands on the other.
fn moved(candidates: &[Candidate]) -> Result<Option<&'static str>> {
    let empty = Sides { old: &[], new: &[] };
    let mode = |name: &str| {
        candidates
            .iter()
            .find(|candidate| candidate.high_job.mode == name)
            .map_or(empty, |candidate| Sides {
                old: &candidate.old,
                new: &candidate.new,
            })
    };
    let parts = attribution::moved(mode("off"), mode("noopt"), mode("opt"), None)?;
    Ok(parts.first().map(|part| part.as_str()))
}

impl Candidate {
    /// Both programs have the same machine code: a difference is noise, and tells how large noise can be.
    fn has_equal_code(&self) -> bool {
        self.low_job.text_sha256.is_some() && self.low_job.text_sha256 == self.high_job.text_sha256
    }
}
