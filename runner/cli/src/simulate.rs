//! `nightjar simulate`: what the verdicts are worth, on series whose truth is known.

use crate::exit::Exit;
use anyhow::{Result, bail};
use simulate::{Effort, Figure, GROUPS, group};

/// What to simulate.
#[derive(Debug, clap::Args)]
pub(crate) struct Simulate {
    /// Only these groups: aa, visible, changes, bisect, flaky.
    #[arg(value_name = "GROUP")]
    groups: Vec<String>,
    /// The same seed gives the same figures.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Trials per figure; the promises are made for 1000.
    #[arg(long, default_value_t = 1000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    trials: u32,
}

/// Prints the figures; a promise that does not hold is a fault of ours.
pub(crate) fn run(what: &Simulate, json: bool) -> Result<Exit> {
    if let Some(unknown) = what
        .groups
        .iter()
        .find(|name| !GROUPS.contains(&name.as_str()))
    {
        bail!(
            "no group called {unknown}; there are: {}",
            GROUPS.join(", ")
        );
    }
    let effort = Effort {
        seed: what.seed,
        trials: what.trials as usize,
    };
    let mut figures = Vec::new();
    for name in GROUPS {
        if what.groups.is_empty() || what.groups.iter().any(|wanted| wanted == name) {
            for figure in group(name, effort).into_iter().flatten() {
                if !json {
                    println!("{}", line(&figure));
                }
                figures.push(figure);
            }
        }
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    }
    let broken = figures.iter().filter(|figure| !figure.holds).count();
    if broken > 0 {
        eprintln!(
            "nightjar: {broken} of {} figures are not as promised",
            figures.len()
        );
        return Ok(Exit::Infrastructure);
    }
    Ok(Exit::Clean)
}

fn line(figure: &Figure) -> String {
    let mark = if figure.holds { " " } else { "!" };
    format!(
        "{mark} {:<72} {:>11}  {:<20} {} trials",
        figure.what,
        figure.shown(),
        figure.wanted(),
        figure.trials
    )
}
