//! CPython's own library tests on any Python VM, case by case.
//!
//! The tests are the ones installed beside CPython 3.11 and run unmodified. A
//! module runs in a process of its own under a small driver (`driver.py`, our
//! own), which uses the VM's `unittest` and appends a line to a side file
//! before and after each case. So a crash or a hang costs exactly the case
//! that was in flight: it is recorded, and the module starts again without the
//! cases that are done.
//!
//! ```text
//! test_a ok, test_b ok, test_c SIGSEGV     first process
//!                       test_d ok ...      second process
//! ```
//!
//! As regrtest does: no resource (network, cpu, ...) is on, the working and
//! temporary folder is fresh, the environment is clean, and SkipTest at import
//! is a skipped module. Modules run in parallel, since no time is judged here.
//!
//! Invariants: a case has one result per module run; failing subtests fail
//! their case; a reported case was really started, or its fixture failed and
//! the result says so; nothing is printed here. Left out: any judgement about
//! time, and the storing of results.

mod attempt;
mod compare;
mod grid;
mod launcher;
mod outcome;
mod run;
mod sidefile;
mod suite;

pub use compare::{Comparison, Lost, ModuleScore, compare};
pub use grid::{Difference, DifferenceKind, ModeGrid, flaky};
pub use launcher::{Launcher, Limits};
pub use outcome::{CaseEvent, CaseResult, ModuleOutcome, ModuleStatus, Outcome, Totals, totals};
pub use run::{run_module, run_modules};
pub use suite::{Suite, Tier};

/// What keeps a module from being run at all; failures of the tests and of the
/// VM are outcomes, not errors.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PytestsError {
    /// A scratch folder or one of its files could not be made or read.
    #[error("cannot prepare the scratch folder of {module}")]
    Scratch {
        /// The test module.
        module: String,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The VM's program could not be started.
    #[error("cannot start {program} for {module}")]
    Spawn {
        /// The program.
        program: String,
        /// The test module.
        module: String,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// No installed copy of CPython's tests was found.
    #[error("no CPython 3.11 test suite found; looked in {looked}")]
    NoSuite {
        /// The folders tried, separated by commas.
        looked: String,
    },
    /// The pool of threads could not be made.
    #[error("cannot start {threads} threads")]
    Threads {
        /// The number asked for.
        threads: usize,
        /// The reason.
        #[source]
        source: rayon::ThreadPoolBuildError,
    },
}
