//! `nightjar`: builds a VM at each commit, times it, runs CPython's tests on it, keeps and shows what came out.
//!
//! This crate is the outermost layer: it reads the configuration, chooses, wires subscribers to the session and turns the
//! result into an exit code. Progress goes to standard error, results to standard output.

#![forbid(unsafe_code)]

mod ablate;
mod alerts;
mod args;
mod baselines;
mod compare;
mod compose;
mod config;
mod confirm;
mod counting;
mod data;
mod detect;
mod executor;
mod exit;
mod export;
mod hunt;
mod import;
mod ingest;
mod judged;
mod night;
mod pages;
mod revisions;
mod signals;
mod simulate;
mod status;
mod times;
mod upkeep;
mod wrong;

use args::{Args, Command};
use config::Config;
use data::Data;
use exit::Exit;
use night::Night;
use std::process::ExitCode;
use wrong::{is_wrong, wrong};

fn main() -> ExitCode {
    let args = Args::of_command_line();
    match command(&args) {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("nightjar: {error:#}");
            let exit = match args.judges() {
                true => Exit::NotJudged,
                false if is_wrong(&error) => Exit::Usage,
                false => Exit::Infrastructure,
            };
            exit.into()
        }
    }
}

fn command(args: &Args) -> anyhow::Result<Exit> {
    match &args.command {
        Command::Nightly(_) | Command::Run(_) => {
            let wishes = args.wishes().map_err(wrong)?;
            let config = Config::load(&args.config).map_err(wrong)?;
            config.tier(&wishes.tier).map_err(wrong)?;
            let data = Data::open(&args.data)?;
            let night = if wishes.reason == "nightly" && wishes.bench {
                night::with_confirmations(&config, &data, &wishes)?
            } else {
                night::night(&config, &data, &wishes)?.into()
            };
            let report = match night {
                Night::Done(report) => report,
                Night::Stopped(exit) => return Ok(exit),
            };
            if args.json {
                println!("{}", serde_json::to_string_pretty(&report)?);
            } else {
                status::print_night(&report);
            }
            Ok(report.exit)
        }
        Command::Status => status::status(&Data::existing(&args.data).map_err(wrong)?, args.json),
        Command::Compare(what) => {
            let config = Config::load(&args.config).map_err(wrong)?;
            let data = Data::existing(&args.data).map_err(wrong)?;
            compare::run(what, &config, &data, args.json)
        }
        Command::Ablate(what) => {
            let config = Config::load(&args.config).map_err(wrong)?;
            ablate::run(what, &config, &Data::open(&args.data)?, args.json)
        }
        Command::Alerts { what } => {
            let config = Config::load(&args.config).map_err(wrong)?;
            let data = Data::existing(&args.data).map_err(wrong)?;
            let list = alerts::What::List { all: false };
            alerts::run(what.as_ref().unwrap_or(&list), &config, &data, args.json)
        }
        Command::Bisect { hunt } => {
            let config = Config::load(&args.config).map_err(wrong)?;
            hunt::run(hunt, &config, &Data::open(&args.data)?, args.json)
        }
        Command::Export(what) => {
            let config = Config::load(&args.config).map_err(wrong)?;
            let data = Data::existing(&args.data).map_err(wrong)?;
            export::run(what, &config, &data)
        }
        Command::Import(what) => import::run(what, &Data::open(&args.data)?, args.json),
        Command::Ingest { bundle } => ingest::run(bundle, &Data::open(&args.data)?, args.json),
        Command::Simulate(what) => simulate::run(what, args.json).map_err(wrong),
        Command::Render => {
            let index = pages::render(&Data::existing(&args.data).map_err(wrong)?)?;
            println!("{}", index.display());
            Ok(Exit::Clean)
        }
        Command::Serve { listen, uploads } => {
            let data = Data::existing(&args.data).map_err(wrong)?;
            pages::serve(&data, *listen, uploads.as_deref())?;
            Ok(Exit::Clean)
        }
        Command::Db { what } => {
            upkeep::run(&Data::existing(&args.data).map_err(wrong)?, what, args.json)
        }
    }
}
