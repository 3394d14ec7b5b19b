//! One job against another under one metric: what was measured, and by which rule it is judged.
//!
//! | metric | jobs | rule |
//! |---|---|---|
//! | wall | timed | Welch's t and the margin ([`stats::rule`]) |
//! | instructions | counted | a threshold ([`stats::counts`]) |
//! | a counter of the VM | timed | a threshold, for counts that may be 0 |

use anyhow::Result;
use runner_core::session::INSTRUCTIONS;
use stats::attribution::{self, Part, Sides};
use stats::counts::{self, CountJudgement};
use stats::noise::noise_floor;
use stats::recovery::{self, Way};
use stats::rule::{self, Judgement, Verdict};
use store::alerts::AlertSeries;
use store::points::COUNTER;
use store::read::sides::SideJob;
use store::{JobId, Store};

/// What is judged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Metric {
    Wall,
    Instructions,
    /// One of the VM's own, by its name.
    Counter(String),
}

/// What the rule said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Judged {
    Time(Judgement),
    Count(CountJudgement),
}

impl Metric {
    /// The metric of that name in the database.
    pub(crate) fn parse(name: &str) -> Metric {
        match name.strip_prefix(COUNTER) {
            Some(counter) => Metric::Counter(counter.to_owned()),
            None if name == INSTRUCTIONS => Metric::Instructions,
            None => Metric::Wall,
        }
    }

    /// Whether counted jobs have it, and not timed ones.
    pub(crate) fn is_of_counted_jobs(&self) -> bool {
        *self == Metric::Instructions
    }

    /// Its name in the database, where a counter's metric is added when it is new.
    pub(crate) fn stored(&self, store: &mut Store) -> Result<String> {
        Ok(match self {
            Metric::Wall => "wall".into(),
            Metric::Instructions => INSTRUCTIONS.into(),
            Metric::Counter(name) => store.counter_metric(name)?,
        })
    }

    /// What became more or less: `slower`, `more instructions`, `fewer bridges`.
    pub(crate) fn change(&self, direction: &str) -> String {
        let worse = direction == "worse";
        let more = if worse { "more" } else { "fewer" };
        match self {
            Metric::Wall if worse => "slower".into(),
            Metric::Wall => "faster".into(),
            Metric::Instructions => format!("{more} instructions"),
            Metric::Counter(name) => format!("{more} {name}"),
        }
    }

    /// One value per process: logs of times, counts as they are. Empty when a process has none.
    pub(crate) fn values(&self, store: &Store, job: JobId) -> Result<Vec<f64>> {
        Ok(match self {
            Metric::Wall => store.log_means(job, "wall")?,
            Metric::Instructions => store
                .log_means(job, INSTRUCTIONS)?
                .into_iter()
                .map(|log| log.exp().round())
                .collect(),
            Metric::Counter(name) => store.counters(job)?.remove(name).unwrap_or_default(),
        })
    }

    /// Judges `new` against `old`, two jobs of one run; `None` when a side has no values.
    pub(crate) fn judge(
        &self,
        store: &Store,
        old: &SideJob,
        new: &SideJob,
    ) -> Result<Option<Judged>> {
        let sides = (self.values(store, old.job)?, self.values(store, new.job)?);
        let floor = match self {
            Metric::Wall => floor(store, new)?,
            _ => None,
        };
        self.judge_values(&sides.0, &sides.1, floor)
    }

    /// The same for values at hand; `floor` is the series' noise floor, for times.
    pub(crate) fn judge_values(
        &self,
        old: &[f64],
        new: &[f64],
        floor: Option<f64>,
    ) -> Result<Option<Judged>> {
        if old.is_empty() || new.is_empty() {
            return Ok(None);
        }
        Ok(Some(match self {
            Metric::Wall => Judged::Time(rule::judge(old, new, floor)?),
            Metric::Instructions => Judged::Count(counts::judge_counts(old, new)?),
            Metric::Counter(_) => Judged::Count(counts::judge_counters(old, new)?),
        }))
    }

    /// The first part of the VM that moved, in the order in which one stands on the other; counters tell nothing about that.
    pub(crate) fn moved(&self, modes: [Sides<'_>; 3], floor: Option<f64>) -> Result<Option<Part>> {
        let [off, noopt, opt] = modes;
        let parts = match self {
            Metric::Wall => attribution::moved(off, noopt, opt, floor)?,
            Metric::Instructions => attribution::moved_counts(off, noopt, opt)?,
            Metric::Counter(_) => Vec::new(),
        };
        Ok(parts.first().copied())
    }

    /// Levels of a series in the order of its commits, and the relative distance within which two are the same.
    fn levels(&self, store: &Store, of: &AlertSeries) -> Result<(Vec<(String, f64)>, f64)> {
        let points = |metric: &str| -> Result<Vec<(String, f64)>> {
            let history = store.history(of.subject, of.version, of.mode, of.machine, metric)?;
            Ok(history
                .into_iter()
                .map(|point| (point.sha, point.geomean))
                .collect())
        };
        Ok(match self {
            Metric::Wall => {
                let points = points("wall")?;
                let logs: Vec<f64> = points.iter().map(|(_, level)| level.ln()).collect();
                let margin = rule::margin(noise_floor(&logs)).exp_m1();
                (points, margin)
            }
            Metric::Instructions => (points(INSTRUCTIONS)?, counts::SMALLEST),
            Metric::Counter(name) => (
                store.counter_history(of.subject, of.version, of.mode, of.machine, name)?,
                rule::SMALLEST_OF_INTEREST,
            ),
        })
    }

    /// The commit from which on a series looks as it did at `low`, before its change at `high`, and the newest commit.
    pub(crate) fn back_since(
        &self,
        store: &Store,
        of: &AlertSeries,
        (low, high): (&str, &str),
        direction: &str,
    ) -> Result<Option<Back>> {
        let (levels, margin) = self.levels(store, of)?;
        let at = |sha: &str| levels.iter().position(|(known, _)| known == sha);
        let (Some(before), Some(change)) = (at(low), at(high)) else {
            return Ok(None);
        };
        let after: Vec<f64> = levels[change..].iter().map(|(_, level)| *level).collect();
        let way = if direction == "worse" {
            Way::Up
        } else {
            Way::Down
        };
        let since = recovery::back_since(levels[before].1, &after, way, margin);
        Ok(since.map(|since| Back {
            since: change + since,
            commit: levels[change + since].0.clone(),
            head: levels[levels.len() - 1].0.clone(),
        }))
    }
}

/// Where a series seems to be back at an old level.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Back {
    /// Position of the commit among the measured ones; the first field, so that of two the later one is the greater.
    since: usize,
    /// The first commit there.
    pub(crate) commit: String,
    /// The newest one.
    pub(crate) head: String,
}

/// Noise floor of the series that a timed job belongs to.
pub(crate) fn floor(store: &Store, job: &SideJob) -> Result<Option<f64>> {
    let history = store.history(job.subject, job.version, job.mode_id, job.machine, "wall")?;
    let logs: Vec<f64> = history.iter().map(|point| point.geomean.ln()).collect();
    Ok(noise_floor(&logs))
}

impl Judged {
    pub(crate) fn verdict(&self) -> Verdict {
        match self {
            Judged::Time(judgement) => judgement.verdict,
            Judged::Count(judgement) => judgement.verdict,
        }
    }

    /// The judgement, when it is one of times.
    pub(crate) fn time(self) -> Option<Judgement> {
        match self {
            Judged::Time(judgement) => Some(judgement),
            Judged::Count(_) => None,
        }
    }

    /// New over old.
    pub(crate) fn ratio(&self) -> f64 {
        match self {
            Judged::Time(judgement) => judgement.welch.map_or(1.0, |welch| welch.ratio),
            Judged::Count(judgement) => judgement.ratio,
        }
    }

    /// Probability of a change this large by chance; counts repeat.
    pub(crate) fn p(&self) -> f64 {
        match self {
            Judged::Time(judgement) => judgement.welch.map_or(1.0, |welch| welch.p),
            Judged::Count(_) => 0.0,
        }
    }

    /// How large the change is, either way.
    pub(crate) fn size(&self) -> f64 {
        self.ratio().ln().abs()
    }
}
