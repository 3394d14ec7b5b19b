//! Nightjar's database: one SQLite file behind typed calls.
//!
//! The problem: a night writes for an hour, may be killed at any moment, and must go on where it stopped with the
//! same final rows, while pages read the same file. The idea: WAL mode with one writer; each finished fact (a sample, a process, a
//! module's test results) is one transaction; whatever a killed run left half done is recognizable by its `state`
//! column and is dropped when the run is taken up again ([`runs`]). A finished process carries the hash of
//! its content, so taking it in twice changes nothing ([`processes`]).
//!
//! Invariants:
//! - SQL is written in this crate and nowhere else.
//! - Migrations are append-only; a changed, missing or newer one stops [`Store::open`] before anything is touched.
//! - A result is never overwritten: other content under a known key becomes a new revision.
//!
//! One file per table family; what each column means is in `db/schema.md`. Queries for pages live in [`read`].

#![forbid(unsafe_code)]

mod ids;
mod open;

pub mod alerts;
pub mod artifacts;
pub mod audit;
pub mod benchmarks;
pub mod bisects;
pub mod builds;
pub mod change_points;
pub mod ingest;
pub mod machines;
pub mod points;
pub mod processes;
pub mod read;
pub mod runs;
pub mod subjects;
pub mod summary;
pub mod test_results;
pub mod upkeep;

pub use ids::*;
pub use open::{SCHEMA_VERSION, Store};

use std::path::PathBuf;

/// What can go wrong between the platform and its database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The text has the cause in it, so it is no `source`: nobody wants to read it twice.
    #[error("database {path}: {cause}{}", what_to_do(cause))]
    Open {
        path: PathBuf,
        cause: rusqlite::Error,
    },
    #[error("database: {0}")]
    Sql(#[from] rusqlite::Error),
    #[error(
        "database {path} has schema version {found}, this program knows up to {known}; use a newer nightjar"
    )]
    Newer {
        path: PathBuf,
        found: u32,
        known: u32,
    },
    #[error(
        "database {path}: migration {version} ({name}) differs from the one that was applied; the file or the program was altered"
    )]
    ChangedMigration {
        path: PathBuf,
        version: u32,
        name: String,
    },
    #[error("database {path}: no copy could be made before the upgrade: {cause}")]
    Backup {
        path: PathBuf,
        cause: rusqlite::Error,
    },
    #[error("database {path} is damaged: {findings}")]
    Damaged { path: PathBuf, findings: String },
    #[error("database: {table} row {id} holds what no version of this program writes: {what}")]
    Malformed {
        table: &'static str,
        id: i64,
        what: String,
    },
    #[error(
        "database {path} has schema version {found}, this program wants {known}; `nightjar db check` on its folder upgrades it, after a copy"
    )]
    Older {
        path: PathBuf,
        found: u32,
        known: u32,
    },
    #[error("database: no {what} named {name}")]
    Missing { what: &'static str, name: String },
    #[error("database: JSON of {what}: {source}")]
    Json {
        what: &'static str,
        #[source]
        source: serde_json::Error,
    },
}

/// For what is wrong with the file itself; nothing for anything else.
fn what_to_do(cause: &rusqlite::Error) -> &'static str {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    match cause.sqlite_error_code() {
        Some(DatabaseCorrupt) => {
            "; put a copy made with `nightjar db backup` in its place, or take what `.recover` of sqlite3 saves"
        }
        Some(NotADatabase) => "; move it away, or name another folder with --data",
        _ => "",
    }
}

/// Shorthand for results of this crate.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Lower-case hex SHA-256 of `parts`, each preceded by its length so that no two lists of parts collide.
#[must_use]
pub fn content_hash<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}

/// Lower-case hex SHA-256 of `bytes` alone: what `sha256sum` prints.
#[must_use]
pub fn plain_sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Seconds since the Unix epoch.
#[must_use]
pub fn now_s() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| d.as_secs() as i64)
}
