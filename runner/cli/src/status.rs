//! `nightjar status`, and what a night prints at its end.

use crate::data::Data;
use crate::exit::Exit;
use crate::night::NightReport;
use crate::times::utc_text;
use anyhow::Result;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use store::Store;
use store::summary::{RunLine, RunSummary};

/// Exceptions shown on a screen; the pages and the JUnit file have them all.
const SHOWN: usize = 12;

/// Shows the recent runs and the last one's summary.
pub(crate) fn status(data: &Data, json: bool) -> Result<Exit> {
    let store = Store::open_read_only(&data.database())?;
    let runs = store.recent_runs(10)?;
    let last = runs
        .first()
        .map(|run| store.run_summary(run.id))
        .transpose()?;
    if json {
        println!(
            "{}",
            serde_json::to_string_pretty(&serde_json::json!({ "runs": runs, "last": last }))?
        );
        return Ok(Exit::Clean);
    }
    if runs.is_empty() {
        println!(
            "no runs yet in {}; `nightjar nightly` makes the first",
            data.folder().display()
        );
    }
    for run in &runs {
        println!("{}", run_line(run));
    }
    if let Some(summary) = last {
        print!("\n{}", summary_text(&summary));
    }
    Ok(Exit::Clean)
}

fn run_line(run: &RunLine) -> String {
    let exit = run
        .exit_code
        .map_or_else(|| "-".to_owned(), |code| code.to_string());
    let head = run
        .head
        .as_deref()
        .map_or("-", |sha| sha.get(..12).unwrap_or(sha));
    let (state, tier) = (&run.state, &run.tier);
    format!(
        "{}  {state:<11} {tier:<6} exit {exit:<3} {}/{} jobs  head {head}  {} (environment {})",
        utc_text(run.started_s),
        run.jobs_done,
        run.jobs,
        run.machine,
        run.environment
    )
}

/// Prints what came of a night.
pub(crate) fn print_night(report: &NightReport) {
    print!("{}", summary_text(&report.summary));
    println!("database  {}", report.database.display());
    if let Some(site) = &report.site {
        println!("site      {}", site.display());
    }
    println!("junit     {}", report.junit.display());
    println!("exit      {} ({})", report.exit_code, report.meaning);
}

fn summary_text(summary: &RunSummary) -> String {
    let mut text = String::new();
    for (kind, counts) in &summary.jobs {
        let _ = writeln!(text, "{kind:<9} {}", counted(counts));
    }
    for (side, counts) in &summary.cases {
        let _ = writeln!(text, "cases     {side}: {}", counted(counts));
    }
    for score in &summary.scores {
        let share = 100.0 * score.both_pass as f64 / score.reference_passes.max(1) as f64;
        let _ = writeln!(
            text,
            "score     {} {}: {share:.2} % of the {} ids that pass on {}",
            score.subject, score.mode, score.reference_passes, score.reference
        );
    }
    for speedup in &summary.speedups {
        let sha = speedup.sha.get(..12).unwrap_or(&speedup.sha);
        let interval = speedup
            .interval
            .map_or_else(String::new, |(low, high)| format!(" [{low:.2}, {high:.2}]"));
        let _ = writeln!(
            text,
            "speed     {} {sha} {}: {:.2} x {}{}{} (geometric mean of {} of {} benchmarks)",
            speedup.subject,
            speedup.mode,
            speedup.ratio,
            speedup.baseline,
            interval,
            if speedup.metric == "first" {
                ", first calls"
            } else {
                ""
            },
            speedup.benchmarks,
            speedup.of
        );
    }
    let alerts = (summary.confirmed_alerts, summary.provisional_alerts);
    if alerts != (0, 0) {
        let _ = writeln!(
            text,
            "alerts    slower: {} confirmed, {} provisional",
            alerts.0, alerts.1
        );
    }
    if let Some(canary) = &summary.canary {
        let _ = writeln!(
            text,
            "canary    {} of {} benchmarks flagged between two measurements of one build{}{}{}",
            canary.flagged.len(),
            canary.of,
            if canary.flagged.is_empty() { "" } else { ": " },
            canary.flagged.join(", "),
            match canary.planned.saturating_sub(canary.of) {
                0 => String::new(),
                without => format!("; {without} planned and without a verdict"),
            }
        );
    }
    // What was not run shares its reason with many others; what went wrong by itself is shown one by one.
    let (not_run, wrong): (Vec<_>, Vec<_>) = summary
        .not_ok
        .iter()
        .partition(|job| job.outcome == "not-run");
    for job in wrong.iter().take(SHOWN) {
        let _ = writeln!(
            text,
            "not ok    {}: {}: {}",
            job.key, job.outcome, job.reason
        );
    }
    if wrong.len() > SHOWN {
        let _ = writeln!(text, "          and {} more", wrong.len() - SHOWN);
    }
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for job in not_run {
        *reasons.entry(&job.reason).or_default() += 1;
    }
    for (reason, count) in reasons.iter().take(SHOWN) {
        let _ = writeln!(text, "not run   {count} jobs: {reason}");
    }
    for (mode, module, case) in summary.new_failures.iter().take(SHOWN) {
        let _ = writeln!(text, "new fail  {module} {case} ({mode})");
    }
    if summary.new_failures.len() > SHOWN {
        let _ = writeln!(
            text,
            "          and {} more",
            summary.new_failures.len() - SHOWN
        );
    }
    text
}

fn counted(counts: &BTreeMap<String, u64>) -> String {
    counts
        .iter()
        .map(|(outcome, count)| format!("{count} {outcome}"))
        .collect::<Vec<_>>()
        .join(", ")
}
