//! `nightjar ablate`: what each optimization pass is worth.
//!
//! The base mode with one pass left out, and with one pass alone, measured interleaved with the base mode itself. A ratio above 1 without a
//! pass is what the pass earns; a ratio below 1 with a pass alone would be strange.

use crate::compose::Wishes;
use crate::config::{Config, Mode, Purpose};
use crate::data::Data;
use crate::exit::Exit;
use crate::wrong::unknown;
use crate::{night, revisions};
use anyhow::{Context, Result, bail};
use serde::Serialize;
use stats::geomean::{self, Geomean, Pair};
use stats::rule::{Judgement, judge};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use store::Store;
use store::read::sides::SideJob;

/// What to ablate.
#[derive(Debug, clap::Args)]
pub(crate) struct Ablate {
    /// Commit to measure.
    #[arg(default_value = "HEAD", value_name = "REV")]
    revision: String,
    /// The mode with all passes on.
    #[arg(long, default_value = "opt", value_name = "NAME")]
    mode: String,
    /// Only this benchmark (repeatable).
    #[arg(long = "benchmark", value_name = "NAME")]
    benchmarks: Vec<String>,
    /// Only this pass (repeatable).
    #[arg(long = "pass", value_name = "NAME")]
    passes: Vec<String>,
    /// Each pass alone as well.
    #[arg(long)]
    alone: bool,
    /// Processes per cell.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    processes: u32,
    /// Iterations per process.
    #[arg(long, default_value_t = 12, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    iterations: u32,
    #[arg(long, value_name = "NAME")]
    subject: Option<String>,
}

/// One pass on one benchmark.
#[derive(Debug, Serialize)]
struct Cell {
    /// `without fold` or `only fold`.
    ablation: String,
    benchmark: String,
    /// Time with the ablation over time of the base mode.
    judgement: Judgement,
}

#[derive(Debug, Serialize)]
struct Report {
    run: String,
    base: String,
    cells: Vec<Cell>,
    geomeans: BTreeMap<String, Geomean>,
    /// Ablation and benchmark without a number, and why.
    dropped: Vec<(String, String, String)>,
}

/// Measures and prints.
pub(crate) fn run(what: &Ablate, config: &Config, data: &Data, json: bool) -> Result<Exit> {
    let subject = revisions::subject(config, what.subject.as_deref())?;
    let axes = &subject.axes;
    if axes.passes.is_empty() || axes.without_pass.is_empty() {
        bail!(
            "subject {} names no passes; the configuration wants [subject.axes] with passes and without_pass",
            subject.name
        );
    }
    if let Some(name) = what.passes.iter().find(|pass| !axes.passes.contains(pass)) {
        let known = axes.passes.iter().map(String::as_str);
        return Err(unknown("pass", name, known));
    }
    let base = subject
        .modes
        .iter()
        .find(|mode| mode.name == what.mode)
        .ok_or_else(|| {
            let known = subject.modes.iter().map(|mode| mode.name.as_str());
            unknown("mode", &what.mode, known)
        })?
        .clone();
    let mut ablations: Vec<(String, Mode)> = Vec::new();
    for pass in axes
        .passes
        .iter()
        .filter(|pass| what.passes.is_empty() || what.passes.contains(pass))
    {
        let mut add = |word: &str, argument: &str| {
            let mut mode = base.clone();
            mode.name = format!("{}-{word}-{pass}", base.name);
            mode.args.push(argument.replace("{pass}", pass));
            mode.purpose = Purpose::Ablation;
            ablations.push((format!("{word} {pass}"), mode));
        };
        add("without", &axes.without_pass);
        if what.alone && !axes.only_pass.is_empty() {
            add("only", &axes.only_pass);
        }
    }
    let mut with_modes = config.clone();
    let place = with_modes
        .file
        .subjects
        .iter_mut()
        .find(|known| known.name == subject.name)
        .context("the subject is the configuration's")?;
    place
        .modes
        .extend(ablations.iter().map(|(_, mode)| mode.clone()));
    let mut modes = vec![base.name.clone()];
    modes.extend(ablations.iter().map(|(_, mode)| mode.name.clone()));
    let wishes = Wishes {
        reason: "ablate".into(),
        tier: "quick".into(),
        revisions: vec![what.revision.clone()],
        benchmarks: what.benchmarks.clone(),
        modes,
        subjects: vec![subject.name.clone()],
        processes: Some(what.processes),
        iterations: Some(what.iterations),
        bench: true,
        alone: true,
        ..Wishes::default()
    };
    let night = night::night(&with_modes, data, &wishes)?;
    let store = Store::open_read_only(&data.database())?;
    let run = store
        .recent_runs(20)?
        .into_iter()
        .find(|run| run.key == night.run);
    let jobs = store.run_jobs(run.context("the run is in the database")?.id, false)?;
    let jobs: Vec<&SideJob> = jobs.iter().map(|(.., job)| job).collect();
    let report = report(&store, &night.run, &base.name, &ablations, &jobs)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", text(&report));
    }
    Ok(night.exit)
}

fn report(
    store: &Store,
    run: &str,
    base: &str,
    ablations: &[(String, Mode)],
    jobs: &[&SideJob],
) -> Result<Report> {
    let mut report = Report {
        run: run.into(),
        base: base.into(),
        cells: Vec::new(),
        geomeans: BTreeMap::new(),
        dropped: Vec::new(),
    };
    let find = |benchmark: &str, mode: &str| {
        jobs.iter()
            .find(|job| job.benchmark == benchmark && job.mode == mode)
    };
    for (name, mode) in ablations {
        let mut sides = Vec::new();
        for old in jobs.iter().filter(|job| job.mode == base) {
            let bad = |job: &SideJob| {
                (job.outcome != "ok").then(|| format!("{}: {}", job.outcome, job.reason))
            };
            let reason = match find(&old.benchmark, &mode.name) {
                None => Some("not measured".to_owned()),
                Some(new) => bad(old).or_else(|| bad(new)),
            };
            let Some(new) = find(&old.benchmark, &mode.name).filter(|_| reason.is_none()) else {
                let reason = reason.unwrap_or_default();
                report
                    .dropped
                    .push((name.clone(), old.benchmark.clone(), reason));
                continue;
            };
            let (a, b) = (
                store.log_means(old.job, "wall")?,
                store.log_means(new.job, "wall")?,
            );
            report.cells.push(Cell {
                ablation: name.clone(),
                benchmark: old.benchmark.clone(),
                judgement: judge(&a, &b, None)?,
            });
            sides.push((a, b));
        }
        let pairs: Vec<Pair<'_>> = sides.iter().map(|(old, new)| Pair { old, new }).collect();
        if let Ok(mean) = geomean::geomean(&pairs, geomean::RESAMPLES, 1) {
            report.geomeans.insert(name.clone(), mean);
        }
    }
    Ok(report)
}

fn text(report: &Report) -> String {
    let mut text = format!(
        "time over that of {} (above 1: the pass earns it), 95 % intervals\n",
        report.base
    );
    for cell in &report.cells {
        let Some(welch) = cell.judgement.welch else {
            continue;
        };
        let mark = if cell.judgement.verdict.is_change() {
            "*"
        } else {
            " "
        };
        let _ = writeln!(
            text,
            "{mark} {:<18} {:<24} {:.3} [{:.3}, {:.3}]",
            cell.ablation, cell.benchmark, welch.ratio, welch.low, welch.high
        );
    }
    for (name, mean) in &report.geomeans {
        let _ = writeln!(
            text,
            "geometric mean {name}: {:.3} [{:.3}, {:.3}] over {} benchmarks",
            mean.ratio, mean.low, mean.high, mean.count
        );
    }
    for (name, benchmark, reason) in &report.dropped {
        let _ = writeln!(text, "dropped  {name} {benchmark}: {reason}");
    }
    text
}
