//! `nightjar ingest BUNDLE`: the results of another machine.

use crate::data::Data;
use crate::exit::Exit;
use anyhow::{Context, Result};
use runner_core::lock::DataLock;
use std::path::Path;
use store::ingest::Ingested;
use store::{Store, StoreError};

/// Takes the finished runs of `bundle` in: a file made by `nightjar db backup`, or a data folder.
pub(crate) fn run(bundle: &Path, data: &Data, json: bool) -> Result<Exit> {
    let file = if bundle.is_dir() {
        bundle.join("nightjar.db")
    } else {
        bundle.to_owned()
    };
    let _lock = DataLock::take(data.folder())?;
    let mut store = Store::open(&data.database())?;
    let ingested = match store.ingest(&file) {
        Err(StoreError::Older { .. }) => older(&mut store, &file, data),
        other => other.map_err(Into::into),
    }
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

/// Takes in a bundle of an older nightjar: a copy of it is brought up to date, the bundle stays as it is.
fn older(store: &mut Store, bundle: &Path, data: &Data) -> Result<Ingested> {
    std::fs::create_dir_all(data.scratch())?;
    let copy = data.scratch().join("bundle.db");
    std::fs::copy(bundle, &copy)?;
    drop(Store::open(&copy)?);
    let ingested = store.ingest(&copy)?;
    for end in ["", "-wal", "-shm"] {
        // What is left behind is replaced by the next one.
        let _ = std::fs::remove_file(data.scratch().join(format!("bundle.db{end}")));
    }
    let _ = std::fs::remove_file(
        data.scratch()
            .join(format!("bundle.db.before-{}", store::SCHEMA_VERSION)),
    );
    Ok(ingested)
}
