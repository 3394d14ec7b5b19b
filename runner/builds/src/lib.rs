//! Programs at commits: from a revision to something that can be run.
//!
//! The problem: many commits of one project, each built once, the right binary run each time. The idea: a bare mirror of the repository in our own data
//! folder (the user's checkout is never touched), one persistent worktree and target folder per (subject, toolchain) so that
//! builds are incremental, commits checked out one after another with fresh mtimes on what changed, and the finished binary
//! copied into a cache under (commit, build command, toolchain).
//!
//! ```text
//! mirror ──checkout──> worktree ──command──> target/…/program ──copy──> cache/<key>/program ──link──> launchers/<key>-<mode>/program
//!                                                                                                               + configuration file
//! ```
//!
//! Why not a worktree per commit: two worktrees that share a target folder can silently run the first commit's binary, since a build tool
//! that judges by mtime sees sources older than its outputs. `tests/a_b_a.rs` builds A, B, A and compares what they print.
//!
//! Invariants: a commit that does not build is an outcome with a log, never an error of ours; a cached binary is checked against
//! its hash before use; nothing is written outside the data folder.

mod binary;
mod builder;
mod cache;
mod launcher;
mod repository;
mod selection;
mod worktree;

pub use binary::{Binary, describe, hash_file};
pub use builder::{Builder, Recipe};
pub use cache::{Cache, Entry};
pub use launcher::launcher;
pub use repository::{Commit, Repository};
pub use selection::{Selection, select};
pub use worktree::Worktree;

use std::path::PathBuf;

/// What keeps us from building at all.
#[derive(Debug, thiserror::Error)]
pub enum BuildsError {
    #[error("{good} is not on the first-parent line of {bad}; a search goes along that line")]
    NotBefore { good: String, bad: String },
    #[error("repository {path}: {source}")]
    Repository {
        path: PathBuf,
        #[source]
        source: git2::Error,
    },
    #[error("repository {path} has no revision {revision}")]
    NoRevision { path: PathBuf, revision: String },
    #[error("{path}: {source}")]
    Io {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error(
        "{path}: only {free} free, a build needs {needed}; free some space or give another folder with --data"
    )]
    NoSpace {
        path: PathBuf,
        free: measure::Bytes,
        needed: measure::Bytes,
    },
    #[error("toolchain command `{command}` failed: {reason}")]
    Toolchain { command: String, reason: String },
}

fn io(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> BuildsError {
    let path = path.to_owned();
    move |source| BuildsError::Io { path, source }
}
