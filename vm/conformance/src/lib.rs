//! Python programs, one claim each, with the output CPython 3.11 gives.
//!
//! The modes of the VM share their handlers, so they agree on a handler's
//! mistakes; what Python means has to come from somewhere else. It comes from
//! the reference interpreter: `bless` runs `tests/<name>.py` there and writes
//! `tests/<name>.out`, and the test runs the program on the VM in each mode and
//! compares.
//!
//! ```text
//! # A default is evaluated when `def` runs, and shared by all calls.
//! # needs: lib                     imports from Python's library
//! # check: stderr                  the last line of stderr counts too
//! ```
//!
//! The header is the run of comment lines at the top: first the claim, then any
//! of the two keys. `<name>.end` exists when the program is to end with another
//! exit status than 0 or when stderr counts. Programs the VM cannot do yet are
//! named in `expected-failures.txt`; one that is listed and passes is a failure.
//!
//! Invariants: expected files are only written by `bless`, which refuses
//! programs that print different things in two runs; a program runs in a clean
//! environment with a fixed hash seed and time and memory limits.

mod expect;
mod failures;
mod program;
mod run;

use std::path::{Path, PathBuf};

pub use expect::{Expected, Mismatch};
pub use failures::ExpectedFailures;
pub use program::{Program, programs};
pub use run::{Ending, Limits, Vm};

/// What keeps the programs from being judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConformanceError {
    /// A file or folder could not be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// A program's header has a key or value that is not known.
    #[error("{}:{line}: unknown header {text:?}", path.display())]
    Header {
        /// The program.
        path: PathBuf,
        /// Line from 1.
        line: usize,
        /// The header as written.
        text: String,
    },
    /// A program's header does not begin with its claim.
    #[error("{}: the first line must be a comment with the claim", path.display())]
    NoClaim {
        /// The program.
        path: PathBuf,
    },
    /// A line of the list of expected failures is not `name[@mode]: reason`.
    #[error("{}:{line}: {problem}", path.display())]
    FailureList {
        /// The list.
        path: PathBuf,
        /// Line from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The interpreter could not be started.
    #[error("cannot start {}", program.display())]
    Spawn {
        /// The interpreter.
        program: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
}

/// A mode of the VM, and how a program is run in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode {
    /// Its name in test names and in the list of expected failures.
    pub name: &'static str,
    /// The value of `PYRITE_JIT`.
    pub words: &'static str,
    /// Arguments for the VM.
    pub args: &'static [&'static str],
    /// Whether the program runs in a forked child and then in its parent.
    pub forked: bool,
}

const fn mode(name: &'static str, words: &'static str) -> Mode {
    Mode {
        name,
        words,
        args: &[],
        forked: false,
    }
}

/// The modes in which every program must give CPython's output.
pub const MODES: [Mode; 4] = [
    mode("off", "off"),
    mode("noopt", "noopt"),
    mode("opt", "opt"),
    mode("opt2", "opt,threshold=2"),
];

/// Slower modes, for the nightly: a collection at each 64th allocation, every
/// survivor moved, and both sides of a fork.
pub const STRESS_MODES: [Mode; 4] = [
    Mode {
        args: &["--gc-stress=64"],
        ..mode("gcoff", "off")
    },
    Mode {
        args: &["--gc-stress=64"],
        ..mode("gcopt2", "opt,threshold=2")
    },
    Mode {
        args: &["--gc-stress=move"],
        ..mode("gcmove", "opt,threshold=2")
    },
    Mode {
        forked: true,
        ..mode("fork", "opt,threshold=2")
    },
];

/// The folder with the programs and their expected output.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// The list of programs that are known to fail.
#[must_use]
pub fn failure_list() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("expected-failures.txt")
}

/// Where the expected output comes from.
#[must_use]
pub fn reference() -> PathBuf {
    PathBuf::from("/usr/bin/python3.11")
}
