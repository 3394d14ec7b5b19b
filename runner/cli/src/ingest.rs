//! `nightjar ingest BUNDLE`: the results of another machine.

use crate::data::Data;
use crate::exit::Exit;
use anyhow::{Context, Result};
use runner_core::lock::DataLock;
use std::path::Path;
use store::Store;

/// Takes the finished runs of `bundle` in: a file made by `nightjar db backup`, or a data folder.
pub(crate) fn run(bundle: &Path, data: &Data, json: bool) -> Result<Exit> {
    let file = if bundle.is_dir() {
        bundle.join("nightjar.db")
    } else {
        bundle.to_owned()
    };
    let _lock = DataLock::take(data.folder())?;
    let mut store = Store::open(&data.database())?;
    let ingested = store
        .ingest(&file)
        .with_context(|| format!("{}: cannot be taken in", file.display()))?;
    if json {
        println!("{}", serde_json::to_string_pretty(&ingested)?);
    } else {
        println!(
            "{} new runs, {} known; {} new processes, {} of them revisions; {} new test results",
            ingested.new_runs.len(),
            ingested.known_runs,
            ingested.new_processes,
            ingested.revisions,
            ingested.new_test_results
        );
    }
    Ok(Exit::Clean)
}
