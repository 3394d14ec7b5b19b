//! The command line.

use crate::compose::Wishes;
use crate::exit::Exit;
use crate::times::parse_duration;
use anyhow::{Result, bail};
use clap::{Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Nightly benchmarks and library tests of language virtual machines.
#[derive(Debug, Parser)]
#[command(name = "nightjar", version, after_help = EXIT_CODES)]
pub(crate) struct Args {
    /// Folder for everything that is written.
    #[arg(long, global = true, default_value = ".nightjar", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// What to measure, and how.
    #[arg(
        long,
        global = true,
        default_value = "nightjar.toml",
        value_name = "FILE"
    )]
    pub(crate) config: PathBuf,
    /// Print results as JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes, the most severe wins: 0 clean, 2 usage, 3 provisional alerts, \
4 confirmed regression, 5 new library-test failures, 6 infrastructure, \
7 the head does not build, crashes or gives wrong output, 130/143 interrupted.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Build, time, test and render, unattended; a killed night is taken up by the same command.
    Nightly(Measure),
    /// Measure by hand: the head (or --revisions) without the library tests unless --tests is given.
    Run(Measure),
    /// Show the recent runs and what came of the last one.
    Status,
    /// Compare two revisions, modes or baselines, benchmark by benchmark.
    Compare(crate::compare::Compare),
    /// What each optimization pass is worth.
    Ablate(crate::ablate::Ablate),
    /// Alerts: list what is open, confirm, close.
    Alerts {
        #[command(subcommand)]
        what: Option<crate::alerts::What>,
    },
    /// Which commit made it slow, made it fail, made it wrong?
    Bisect {
        #[command(subcommand)]
        hunt: crate::hunt::Hunt,
    },
    /// Write results for other programs.
    Export(crate::export::Export),
    /// Take in results of other programs; the same file twice changes nothing.
    Import(crate::import::Import),
    /// Take in the results of another machine: a file of `nightjar db backup`, or a data folder.
    Ingest { bundle: PathBuf },
    /// What the verdicts are worth: the statistics on made-up series whose truth is known.
    Simulate(crate::simulate::Simulate),
    /// Write the static site.
    Render,
    /// Serve the pages.
    Serve {
        /// Address to listen on.
        #[arg(long, default_value = "127.0.0.1:8047", value_name = "ADDRESS")]
        listen: SocketAddr,
        /// Take results in too, as clients of Codespeed post them (`pyperformance upload`): the file holds a token, and the client's URL
        /// is http://ADDRESS/upload/TOKEN/.
        #[arg(long, value_name = "FILE")]
        uploads: Option<PathBuf>,
    },
    /// Look after the database.
    Db {
        #[command(subcommand)]
        what: Upkeep,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Upkeep {
    /// Check the file and the rules between its rows.
    Check,
    /// Copy the database to a new file, also while it is in use.
    Backup {
        /// The new file.
        target: PathBuf,
    },
    /// Remove what is kept no longer.
    Gc,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Measure {
    /// Tier of nightjar.toml: how many revisions, processes, iterations, tests.
    #[arg(long, value_name = "NAME", conflicts_with = "full")]
    tier: Option<String>,
    /// Short for --tier full.
    #[arg(long)]
    full: bool,
    /// The newest N commits of the first-parent line.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with_all = ["since", "revisions"])]
    last: Option<u32>,
    /// All commits after this one.
    #[arg(long, value_name = "REV", conflicts_with = "revisions")]
    since: Option<String>,
    /// Exactly these commits.
    #[arg(long, value_name = "REV,...", value_delimiter = ',')]
    revisions: Vec<String>,
    /// Only this subject (repeatable).
    #[arg(long = "subject", value_name = "NAME")]
    subjects: Vec<String>,
    /// Only this benchmark (repeatable).
    #[arg(long = "benchmark", value_name = "NAME")]
    benchmarks: Vec<String>,
    /// Only this mode (repeatable).
    #[arg(long = "mode", value_name = "NAME")]
    modes: Vec<String>,
    /// Processes per cell, instead of the tier's.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    processes: Option<u32>,
    /// Iterations per process, instead of the tier's.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    iterations: Option<u32>,
    /// End after this time with what there is: 90m, 2h, 1h30m.
    #[arg(long, value_name = "TIME")]
    deadline: Option<String>,
    /// Leave the library tests out.
    #[arg(long, conflicts_with = "tests")]
    no_tests: bool,
    /// Run the library tests (`run` leaves them out otherwise).
    #[arg(long)]
    tests: bool,
    /// Leave the benchmarks out.
    #[arg(long)]
    no_benchmarks: bool,
    /// Measure again what is measured already; take no killed run up.
    #[arg(long)]
    again: bool,
}

impl Args {
    /// What the command line says. One that cannot be read ends the program, with the code that fits who asks.
    pub(crate) fn of_command_line() -> Args {
        match Args::try_parse() {
            Ok(args) => args,
            Err(error)
                if error.use_stderr()
                    && std::env::args().any(|word| word.starts_with("--judge")) =>
            {
                // To `git bisect run` clap's own code, 2, is a bad commit. Nothing can be done where the message cannot be written.
                let _ = error.print();
                std::process::exit(i32::from(Exit::NotJudged.code()));
            }
            Err(error) => error.exit(),
        }
    }

    /// Whether `git bisect run` may have asked.
    pub(crate) fn judges(&self) -> bool {
        matches!(&self.command, Command::Bisect { hunt } if hunt.judges())
    }

    /// What `nightly` or `run` asks for.
    pub(crate) fn wishes(&self) -> Result<Wishes> {
        let (measure, nightly) = match &self.command {
            Command::Nightly(measure) => (measure, true),
            Command::Run(measure) => (measure, false),
            _ => bail!("this command measures nothing"),
        };
        let tier = if measure.full {
            "full"
        } else {
            measure.tier.as_deref().unwrap_or("quick")
        };
        let named =
            measure.last.is_some() || measure.since.is_some() || !measure.revisions.is_empty();
        let revisions = if nightly || named {
            measure.revisions.clone()
        } else {
            vec!["HEAD".to_owned()]
        };
        Ok(Wishes {
            reason: if nightly { "nightly" } else { "manual" }.into(),
            tier: tier.into(),
            last: measure.last.map(|n| n as usize),
            since: measure.since.clone(),
            revisions,
            benchmarks: measure.benchmarks.clone(),
            modes: measure.modes.clone(),
            subjects: measure.subjects.clone(),
            processes: measure.processes,
            iterations: measure.iterations,
            deadline: measure
                .deadline
                .as_deref()
                .map(parse_duration)
                .transpose()?,
            bench: !measure.no_benchmarks,
            tests: if nightly {
                !measure.no_tests
            } else {
                measure.tests
            },
            again: measure.again,
            alone: false,
            bench_budget: None,
            counts_only: false,
        })
    }
}

#[cfg(test)]
mod test {
    use super::*;
    use clap::CommandFactory;

    fn wishes(line: &str) -> Wishes {
        Args::try_parse_from(line.split(' '))
            .unwrap()
            .wishes()
            .unwrap()
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_night_tests_and_a_manual_run_does_not() {
        let night = wishes("nightjar nightly");
        assert!(night.tests && night.bench && night.revisions.is_empty());
        assert_eq!(
            (night.tier.as_str(), night.reason.as_str()),
            ("quick", "nightly")
        );
        let run = wishes("nightjar run --full --deadline 2h");
        assert!(!run.tests && run.tier == "full" && run.revisions == ["HEAD"]);
        assert_eq!(run.deadline, Some(measure::Nanos::from_secs(7200)));
        assert!(wishes("nightjar run --last 3 --tests").revisions.is_empty());
    }

    #[test]
    fn contradictions_are_refused() {
        for line in [
            "nightjar nightly --last 0",
            "nightjar nightly --last 2 --since a",
            "nightjar nightly --full --tier quick",
        ] {
            assert!(Args::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }
}
