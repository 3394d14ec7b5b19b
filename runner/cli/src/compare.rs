//! `nightjar compare A B`: what changed from A to B, benchmark by benchmark, by the rule of every verdict.
//!
//! Both sides are taken from the newest run that measured both, since only what was measured interleaved can be judged. Where there is no
//! such run the ratio is shown without a verdict.

use crate::config::Config;
use crate::data::Data;
use crate::exit::Exit;
use crate::revisions::{self, Side};
use crate::wrong::unknown;
use anyhow::Result;
use runner_core::session::INSTRUCTIONS;
use serde::Serialize;
use stats::counts::judge_counts;
use stats::geomean::{self, Geomean, Pair};
use stats::noise::noise_floor;
use stats::rule::{Judgement, Verdict, judge};
use stats::sample::mean;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use store::Store;
use store::read::sides::SideJob;

/// What to compare.
#[derive(Debug, clap::Args)]
pub(crate) struct Compare {
    /// The old side: a revision, REVISION:MODE, or a baseline.
    a: String,
    /// The new side.
    b: String,
    /// Only this mode.
    #[arg(long, value_name = "NAME")]
    mode: Option<String>,
    /// Only this benchmark (repeatable).
    #[arg(long = "benchmark", value_name = "NAME")]
    benchmarks: Vec<String>,
    /// Subject of the revisions; the first of the configuration if not given.
    #[arg(long, value_name = "NAME")]
    subject: Option<String>,
    /// What to compare: wall, cpu, first, to_steady, process_wall, process_cpu, peak_rss, instructions.
    #[arg(long, default_value = "wall", value_name = "NAME")]
    metric: String,
}

/// One benchmark in one mode.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    pub(crate) benchmark: String,
    /// `opt`, or `off → opt` where the sides differ.
    pub(crate) mode: String,
    /// Run of the new side.
    pub(crate) run: String,
    /// Whether both sides were measured in one run, interleaved.
    pub(crate) same_run: bool,
    /// Both programs have the same machine code: a difference in time is noise.
    pub(crate) same_code: bool,
    /// New over old.
    pub(crate) ratio: f64,
    pub(crate) judgement: Judgement,
}

/// A benchmark without a ratio.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Dropped {
    pub(crate) benchmark: String,
    pub(crate) mode: String,
    pub(crate) reason: String,
}

/// The whole comparison.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    pub(crate) a: String,
    pub(crate) b: String,
    pub(crate) metric: String,
    /// The most significant first.
    pub(crate) rows: Vec<Row>,
    pub(crate) dropped: Vec<Dropped>,
    /// Geometric means of new/old by mode, over the rows.
    pub(crate) geomeans: BTreeMap<String, Geomean>,
}

/// Metrics that can be compared.
pub(crate) const METRICS: [&str; 8] = [
    "wall",
    "cpu",
    "first",
    "to_steady",
    "process_wall",
    "process_cpu",
    "peak_rss",
    INSTRUCTIONS,
];

/// Compares and prints; exit code 3 when something is worse: a comparison is no confirmation.
pub(crate) fn run(what: &Compare, config: &Config, data: &Data, json: bool) -> Result<Exit> {
    if !METRICS.contains(&what.metric.as_str()) {
        return Err(unknown("metric", &what.metric, METRICS));
    }
    let store = Store::open_read_only(&data.database())?;
    let subject = revisions::subject(config, what.subject.as_deref())?;
    let a = revisions::side(&what.a, subject, config, data, &store)?;
    let b = revisions::side(&what.b, subject, config, data, &store)?;
    let comparison = compare(&store, &a, &b, what)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&comparison)?);
    } else {
        print!("{}", text(&comparison));
    }
    let worse = comparison
        .rows
        .iter()
        .any(|row| row.verdict() == Verdict::Larger);
    Ok(if worse {
        Exit::Provisional
    } else {
        Exit::Clean
    })
}

fn compare(store: &Store, a: &Side, b: &Side, what: &Compare) -> Result<Comparison> {
    let counted = what.metric == INSTRUCTIONS;
    let olds = wanted(store.side_jobs(&a.who, counted)?, a, what);
    let news = wanted(store.side_jobs(&b.who, counted)?, b, what);
    let mut comparison = Comparison {
        a: a.shown(),
        b: b.shown(),
        metric: what.metric.clone(),
        rows: Vec::new(),
        dropped: Vec::new(),
        geomeans: BTreeMap::new(),
    };
    let mut logs: BTreeMap<String, Vec<(Vec<f64>, Vec<f64>)>> = BTreeMap::new();
    for (benchmark, old_mode, new_mode) in cells(&olds, &news, a, b) {
        let mode = if old_mode == new_mode {
            new_mode.clone()
        } else {
            format!("{old_mode} → {new_mode}")
        };
        let dropped = |reason: String| Dropped {
            benchmark: benchmark.clone(),
            mode: mode.clone(),
            reason,
        };
        let Some((old, new)) = pair(&olds, &news, &benchmark, &old_mode, &new_mode) else {
            comparison
                .dropped
                .push(dropped("not measured on both sides".into()));
            continue;
        };
        if let Some((side, job)) = [(&comparison.a, old), (&comparison.b, new)]
            .into_iter()
            .find(|(_, job)| job.outcome != "ok")
        {
            let reason = format!("{side}: {}: {}", job.outcome, job.reason);
            comparison.dropped.push(dropped(reason));
            continue;
        }
        let sides = (
            store.log_means(old.job, &what.metric)?,
            store.log_means(new.job, &what.metric)?,
        );
        if sides.0.is_empty() || sides.1.is_empty() {
            comparison
                .dropped
                .push(dropped(format!("no {} on both sides", what.metric)));
            continue;
        }
        let history = store.history(
            new.subject,
            new.version,
            new.mode_id,
            new.machine,
            &what.metric,
        )?;
        let history: Vec<f64> = history.iter().map(|point| point.geomean.ln()).collect();
        let same_code =
            old.mode == new.mode && old.text_sha256.is_some() && old.text_sha256 == new.text_sha256;
        comparison.rows.push(Row {
            benchmark,
            mode: mode.clone(),
            run: new.run_key.clone(),
            same_run: old.run == new.run,
            same_code,
            ratio: (mean(&sides.1) - mean(&sides.0)).exp(),
            judgement: if counted {
                judged_counts(&sides.0, &sides.1)?
            } else {
                judge(&sides.0, &sides.1, noise_floor(&history))?
            },
        });
        logs.entry(mode).or_default().push(sides);
    }
    comparison.rows.sort_by(|x, y| {
        let t = |row: &Row| row.judgement.welch.map_or(0.0, |welch| welch.t.abs());
        t(y).total_cmp(&t(x))
            .then_with(|| (&x.benchmark, &x.mode).cmp(&(&y.benchmark, &y.mode)))
    });
    for (mode, sides) in logs {
        let pairs: Vec<Pair<'_>> = sides.iter().map(|(old, new)| Pair { old, new }).collect();
        if let Ok(mean) = geomean::geomean(&pairs, geomean::RESAMPLES, 1) {
            comparison.geomeans.insert(mode, mean);
        }
    }
    Ok(comparison)
}

/// Counts repeat, so they have a threshold of their own and no test.
fn judged_counts(old: &[f64], new: &[f64]) -> Result<Judgement> {
    let counts = |logs: &[f64]| logs.iter().map(|log| log.exp()).collect::<Vec<f64>>();
    let judged = judge_counts(&counts(old), &counts(new))?;
    Ok(Judgement {
        verdict: judged.verdict,
        welch: None,
        margin: judged.threshold,
        smallest_visible: Some(judged.threshold),
        processes: (old.len(), new.len()),
    })
}

fn wanted(jobs: Vec<SideJob>, side: &Side, what: &Compare) -> Vec<SideJob> {
    let mode = side.mode.as_ref().or(if side.who.sha.is_some() {
        what.mode.as_ref()
    } else {
        None
    });
    jobs.into_iter()
        .filter(|job| mode.is_none_or(|mode| job.mode == *mode))
        .filter(|job| {
            let short = job.benchmark.rsplit('/').next().unwrap_or(&job.benchmark);
            what.benchmarks.is_empty()
                || what
                    .benchmarks
                    .iter()
                    .any(|name| *name == job.benchmark || name == short)
        })
        .collect()
}

/// Every (benchmark, old mode, new mode) that either side knows. Equal modes belong together unless a side has one mode only
/// that was asked for or is all there is.
fn cells(olds: &[SideJob], news: &[SideJob], a: &Side, b: &Side) -> Vec<(String, String, String)> {
    let modes = |jobs: &[SideJob]| {
        let mut modes: Vec<String> = jobs.iter().map(|job| job.mode.clone()).collect();
        modes.sort();
        modes.dedup();
        modes
    };
    let (old_modes, new_modes) = (modes(olds), modes(news));
    let crossed =
        a.mode.is_some() || b.mode.is_some() || a.who.sha.is_none() || b.who.sha.is_none();
    let mut benchmarks: Vec<&String> = olds.iter().chain(news).map(|job| &job.benchmark).collect();
    benchmarks.sort();
    benchmarks.dedup();
    let mut cells = Vec::new();
    for benchmark in benchmarks {
        if crossed {
            for old in &old_modes {
                cells.extend(
                    new_modes
                        .iter()
                        .map(|new| (benchmark.clone(), old.clone(), new.clone())),
                );
            }
        } else {
            let mut all: Vec<&String> = old_modes.iter().chain(&new_modes).collect();
            all.sort();
            all.dedup();
            cells.extend(
                all.into_iter()
                    .map(|mode| (benchmark.clone(), mode.clone(), mode.clone())),
            );
        }
    }
    cells
}

/// The two jobs to compare: of the newest run that has both, else each side's newest of one benchmark version and machine.
fn pair<'a>(
    olds: &'a [SideJob],
    news: &'a [SideJob],
    benchmark: &str,
    old_mode: &str,
    new_mode: &str,
) -> Option<(&'a SideJob, &'a SideJob)> {
    let fits = |job: &&SideJob, mode: &str| job.benchmark == benchmark && job.mode == mode;
    let comparable =
        |old: &SideJob, new: &SideJob| old.version == new.version && old.machine == new.machine;
    let mut apart = None;
    for new in news.iter().filter(|job| fits(job, new_mode)) {
        for old in olds.iter().filter(|job| fits(job, old_mode)) {
            if comparable(old, new) {
                if old.run == new.run {
                    return Some((old, new));
                }
                apart.get_or_insert((old, new));
            }
        }
    }
    apart
}

impl Row {
    /// The verdict that counts: none across runs, and none about equal code.
    pub(crate) fn verdict(&self) -> Verdict {
        if !self.same_run {
            Verdict::TooFew
        } else if self.same_code {
            Verdict::NoChange
        } else {
            self.judgement.verdict
        }
    }

    fn words(&self) -> String {
        let processes = self.judgement.processes;
        match self.verdict() {
            _ if !self.same_run => "no verdict: measured in different runs".into(),
            _ if self.same_code => "no change: equal machine code".into(),
            Verdict::Larger => "worse".into(),
            Verdict::Smaller => "better".into(),
            Verdict::NoChange => match self.judgement.smallest_visible {
                Some(size) => format!(
                    "no change seen (from {:.1} % on it would have been)",
                    100.0 * size
                ),
                None => "no change seen".into(),
            },
            Verdict::TooFew => format!("no verdict: {} and {} processes", processes.0, processes.1),
        }
    }
}

/// The comparison for a terminal.
fn text(comparison: &Comparison) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} of {} over {} (below 1 is better), 95 % intervals",
        comparison.metric, comparison.b, comparison.a
    );
    let width = comparison
        .rows
        .iter()
        .map(|row| row.benchmark.len())
        .max()
        .unwrap_or(0);
    let modes = comparison
        .rows
        .iter()
        .map(|row| row.mode.chars().count())
        .max()
        .unwrap_or(0);
    for row in &comparison.rows {
        let ratio = match row.judgement.welch {
            Some(welch) => format!(
                "{:6.3} [{:.3}, {:.3}] p {:.2e}",
                welch.ratio, welch.low, welch.high, welch.p
            ),
            None => format!("{:6.3} (no interval)", row.ratio),
        };
        let _ = writeln!(
            text,
            "{:<width$}  {:<modes$}  {ratio}  {}",
            row.benchmark,
            row.mode,
            row.words()
        );
    }
    for (mode, mean) in &comparison.geomeans {
        let dropped = comparison
            .dropped
            .iter()
            .filter(|row| row.mode == *mode)
            .count();
        let _ = writeln!(
            text,
            "geometric mean {mode}: {:.3} [{:.3}, {:.3}] over {} benchmarks, {dropped} dropped",
            mean.ratio, mean.low, mean.high, mean.count
        );
    }
    for row in &comparison.dropped {
        let _ = writeln!(
            text,
            "dropped  {} {}: {}",
            row.benchmark, row.mode, row.reason
        );
    }
    if comparison.rows.is_empty() {
        let _ = writeln!(text, "nothing was measured on both sides");
    }
    text
}
