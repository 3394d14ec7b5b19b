//! `nightjar alerts`: what is open, and what a person decides.

use crate::config::Config;
use crate::data::Data;
use crate::exit::Exit;
use crate::times::utc_text;
use crate::{confirm, pages};
use anyhow::{Context, Result};
use runner_core::lock::DataLock;
use stats::alert::{Event, State};
use store::Store;
use store::alerts::Alert;

/// What to do; without anything, list what is open.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum What {
    /// List alerts.
    List {
        /// Closed ones too.
        #[arg(long)]
        all: bool,
    },
    /// Run both sides of every provisional alert anew and judge them together, and see whether what seems mended is.
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
        What::Confirm { processes } => {
            let limits = confirm::Limits {
                processes: *processes,
                budget: None,
                deadline: None,
            };
            let done = confirm::confirm(config, data, "quick", &limits)?;
            eprintln!("nightjar: {}", done.text());
            if let Some(signal) = done.interrupted {
                return Ok(Exit::Signal(signal));
            }
            pages::render(data)?;
        }
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
    if let Some(last) = alert.history.last().filter(|last| last.sha.is_some()) {
        let sha = last.sha.as_deref().map(short).unwrap_or_default();
        text += &format!("      {sha}: {}\n", last.why);
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
    store.set_alert_state(id, next.as_str(), why, None)?;
    Ok(())
}
