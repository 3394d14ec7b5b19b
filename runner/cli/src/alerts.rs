//! `nightjar alerts`: what is open, running both sides anew, and what a person decides.

use crate::compose::Wishes;
use crate::config::Config;
use crate::data::Data;
use crate::exit::Exit;
use crate::night;
use crate::times::utc_text;
use anyhow::{Context, Result};
use runner_core::lock::DataLock;
use stats::alert::{Event, State, confirm};
use stats::noise::noise_floor;
use stats::rule::{Judgement, Verdict, judge};
use std::collections::BTreeMap;
use store::alerts::Alert;
use store::{RunId, Store};

/// What to do; without anything, list what is open.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum What {
    /// List alerts.
    List {
        /// Closed ones too.
        #[arg(long)]
        all: bool,
    },
    /// Run both sides of every provisional alert anew and judge them together.
    Confirm {
        /// Processes of each side.
        #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(5..=1000))]
        processes: u32,
    },
    /// Live with it.
    Close {
        id: i64,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        because: String,
    },
    /// Look at it again.
    Reopen { id: i64 },
}

/// Carries it out. Exit code 4 with a confirmed regression open, 3 with a provisional one.
pub(crate) fn run(what: &What, config: &Config, data: &Data, json: bool) -> Result<Exit> {
    let mut all = false;
    match what {
        What::List { all: wanted } => all = *wanted,
        What::Confirm { processes } => confirm_all(config, data, *processes)?,
        What::Close { id, because } => person(data, *id, Event::Accepted, because)?,
        What::Reopen { id } => person(data, *id, Event::Reopened, "reopened")?,
    }
    let store = Store::open_read_only(&data.database())?;
    let mut alerts = store.alerts(&[])?;
    let open = |alert: &Alert| State::parse(&alert.state).is_some_and(State::is_open);
    let worse = |state: &str| {
        alerts
            .iter()
            .any(|alert| alert.state == state && alert.direction == "worse")
    };
    let exit = if worse("confirmed") {
        Exit::Regression
    } else if worse("provisional") {
        Exit::Provisional
    } else {
        Exit::Clean
    };
    alerts.retain(|alert| all || open(alert));
    if json {
        println!("{}", serde_json::to_string_pretty(&alerts)?);
    } else if alerts.is_empty() {
        println!("no {}alerts", if all { "" } else { "open " });
    } else {
        alerts.iter().for_each(|alert| print!("{}", text(alert)));
    }
    Ok(exit)
}

fn text(alert: &Alert) -> String {
    let short = |sha: &str| sha.get(..12).unwrap_or(sha).to_owned();
    let mut text = format!(
        "{:>4}  {:<11} {}  {} {}\n      {}..{}  {}\n",
        alert.id,
        alert.state,
        utc_text(alert.created_s),
        alert.subject,
        alert.title,
        short(&alert.low),
        short(&alert.high),
        alert.high_title
    );
    if let Some(moved) = &alert.moved {
        text += &format!("      moved: {moved}\n");
    }
    if let Some(counter) = &alert.counter {
        let ratio = alert
            .counter_ratio
            .map_or_else(|| "from 0".into(), |ratio| format!("x{ratio:.2}"));
        text += &format!("      counter: {counter} {ratio}\n");
    }
    text
}

fn person(data: &Data, id: i64, event: Event, why: &str) -> Result<()> {
    let _lock = DataLock::take(data.folder())?;
    let mut store = Store::open(&data.database())?;
    let alert = store
        .alerts(&[])?
        .into_iter()
        .find(|alert| alert.id == id)
        .with_context(|| format!("no alert {id}; `nightjar alerts list --all` shows them"))?;
    let state = State::parse(&alert.state)
        .context("the database has a state this program does not know")?;
    let next = state.after(event)?;
    store.set_alert_state(id, next.as_str(), why)?;
    Ok(())
}

/// New processes for both sides of each provisional alert, then one judgement over all of them (Holm).
fn confirm_all(config: &Config, data: &Data, processes: u32) -> Result<()> {
    let provisional = Store::open_read_only(&data.database())?.alerts(&["provisional", "new"])?;
    let mut groups: BTreeMap<(String, String, String), Vec<Alert>> = BTreeMap::new();
    for alert in provisional {
        let key = (alert.subject.clone(), alert.low.clone(), alert.high.clone());
        groups.entry(key).or_default().push(alert);
    }
    let mut measured: Vec<(Alert, Vec<Judgement>)> = Vec::new();
    for ((subject, low, high), alerts) in groups {
        let mut modes: Vec<String> = alerts
            .iter()
            .flat_map(|alert| alert.modes.clone())
            .collect();
        modes.sort();
        modes.dedup();
        let wishes = Wishes {
            reason: "confirm".into(),
            tier: "quick".into(),
            revisions: vec![low.clone(), high.clone()],
            benchmarks: alerts.iter().map(|alert| alert.benchmark.clone()).collect(),
            modes,
            subjects: vec![subject],
            processes: Some(processes),
            bench: true,
            again: true,
            ..Wishes::default()
        };
        let report = night::night(config, data, &wishes)?;
        let store = Store::open_read_only(&data.database())?;
        let run = store
            .recent_runs(20)?
            .into_iter()
            .find(|run| run.key == report.run);
        let run = run.context("the confirmation run is in the database")?.id;
        for alert in alerts {
            let judgements = judged(&store, run, &alert)?;
            measured.push((alert, judgements));
        }
    }
    let all: Vec<Judgement> = measured
        .iter()
        .flat_map(|(_, judgements)| judgements.clone())
        .collect();
    let mut verdicts = confirm(&all).into_iter();
    let _lock = DataLock::take(data.folder())?;
    let mut store = Store::open(&data.database())?;
    for (alert, judgements) in &measured {
        let state = State::parse(&alert.state).unwrap_or(State::Provisional);
        let judged: Vec<(Verdict, f64)> = judgements
            .iter()
            .zip(&mut verdicts)
            .map(|(judgement, verdict)| (verdict, judgement.welch.map_or(1.0, |welch| welch.ratio)))
            .collect();
        // A change in any of its modes confirms it; what counts otherwise is the first.
        let counting = judged
            .iter()
            .find(|(verdict, _)| verdict.is_change())
            .or(judged.first());
        let (event, why) = match counting {
            None => (
                Event::NotMeasured,
                "a side of the confirmation run failed".to_owned(),
            ),
            Some((verdict, ratio)) => {
                let same_direction = (*ratio > 1.0) == (alert.direction == "worse");
                let event = Event::Measured {
                    verdict: *verdict,
                    same_direction,
                };
                (event, format!("confirmation run: ratio {ratio:.3}"))
            }
        };
        store.set_alert_state(alert.id, state.after(event)?.as_str(), &why)?;
    }
    Ok(())
}

/// What the confirmation run says in each mode of `alert`; modes in which a side is not ok are left out.
fn judged(store: &Store, run: RunId, alert: &Alert) -> Result<Vec<Judgement>> {
    let jobs = store.run_jobs(run)?;
    let side = |sha: &str, mode: &str| {
        jobs.iter()
            .find(|(_, _, known, job)| {
                known == sha
                    && job.mode == mode
                    && job.benchmark == alert.benchmark
                    && job.outcome == "ok"
            })
            .map(|(.., job)| job)
    };
    let mut judgements = Vec::new();
    for mode in &alert.modes {
        let (Some(old), Some(new)) = (side(&alert.low, mode), side(&alert.high, mode)) else {
            continue;
        };
        let history = store.history(new.subject, new.version, new.mode_id, new.machine, "wall")?;
        let logs: Vec<f64> = history.iter().map(|point| point.geomean.ln()).collect();
        judgements.push(judge(
            &store.log_means(old.job, "wall")?,
            &store.log_means(new.job, "wall")?,
            noise_floor(&logs),
        )?);
    }
    Ok(judgements)
}
