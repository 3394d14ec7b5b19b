//! `nightjar db`: check, backup, gc.

use crate::args::Upkeep;
use crate::data::Data;
use crate::exit::Exit;
use anyhow::{Result, bail};
use runner_core::lock::DataLock;
use store::Store;

/// Carries out one of them.
pub(crate) fn run(data: &Data, what: &Upkeep, json: bool) -> Result<Exit> {
    match what {
        Upkeep::Check => check(&Store::open_read_only(&data.database())?, json),
        Upkeep::Backup { target } => {
            if target.exists() {
                bail!(
                    "{}: exists already; a backup goes to a new file",
                    target.display()
                );
            }
            Store::open_read_only(&data.database())?.backup(target)?;
            println!("{}", target.display());
            Ok(Exit::Clean)
        }
        Upkeep::Gc => {
            let _lock = DataLock::take(data.folder())?;
            let removed = Store::open(&data.database())?.gc()?;
            if json {
                println!("{}", serde_json::to_string_pretty(&removed)?);
            } else {
                println!(
                    "removed {} counters, {} traces, {} test results, {} artifacts",
                    removed.counters, removed.traces, removed.test_results, removed.artifacts
                );
            }
            Ok(Exit::Clean)
        }
    }
}

fn check(store: &Store, json: bool) -> Result<Exit> {
    let findings = store.check()?;
    if json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
    } else if findings.is_empty() {
        println!("{}: sound", store.path().display());
    } else {
        findings.iter().for_each(|finding| println!("{finding}"));
    }
    Ok(if findings.is_empty() {
        Exit::Clean
    } else {
        Exit::Infrastructure
    })
}
