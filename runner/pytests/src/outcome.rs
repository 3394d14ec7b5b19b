//! What became of a case and of a module.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The result of one test case in one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// All assertions held.
    Pass,
    /// An assertion failed, in the case or in one of its subtests.
    Fail,
    /// Another exception left the case, a subtest, or the case's fixture.
    Error,
    /// The case, or its class or module, asked to be skipped.
    Skip,
    /// Failed, and is marked as an expected failure.
    Xfail,
    /// Passed, though marked as an expected failure.
    Xpass,
    /// No progress within the limit; the process was killed.
    Timeout,
    /// The process died, or passed its memory limit, while the case ran.
    Crash,
}

impl Outcome {
    /// All outcomes, in the order of tables.
    pub const ALL: [Self; 8] = [
        Self::Pass,
        Self::Fail,
        Self::Error,
        Self::Skip,
        Self::Xfail,
        Self::Xpass,
        Self::Timeout,
        Self::Crash,
    ];

    /// The word used in side files, JSON and the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Error => "error",
            Self::Skip => "skip",
            Self::Xfail => "xfail",
            Self::Xpass => "xpass",
            Self::Timeout => "timeout",
            Self::Crash => "crash",
        }
    }

    /// The inverse of [`as_str`](Self::as_str).
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == word)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One case and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseResult {
    /// unittest's id; a second case of the same id in a module ends in `#2`.
    pub id: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Last line of the exception, reason of a skip, or the signal's name;
    /// empty for a pass.
    pub detail: String,
    /// Wall-clock microseconds; up to the limit or the death for `timeout`
    /// and `crash`, 0 where a fixture's failure decided.
    pub wall_us: u64,
}

/// How far a module came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status", content = "reason")]
pub enum ModuleStatus {
    /// Its cases were collected and run.
    Ran,
    /// It asked to be skipped whole, with its reason.
    Skipped(String),
    /// It could not be imported or collected: the exception's last line, or
    /// how the process died.
    DoesNotLoad(String),
}

/// All results of one module in one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleOutcome {
    /// Name without the `test.` package: `test_int`.
    pub module: String,
    /// How far it came.
    #[serde(flatten)]
    pub status: ModuleStatus,
    /// One entry per case, in the order of their ends.
    pub cases: Vec<CaseResult>,
    /// Planned cases that were never reached (module limit, too many
    /// restarts).
    pub not_run: Vec<String>,
    /// Processes started after the first one.
    pub restarts: u32,
    /// Deaths or hangs outside any case (in a class fixture, at exit), and
    /// failed tear-downs, one line each.
    pub notes: Vec<String>,
    /// Wall-clock microseconds over all its processes.
    pub wall_us: u64,
    /// Processor microseconds of the processes that ended in order.
    pub cpu_us: u64,
}

impl ModuleOutcome {
    /// Number of cases with this outcome.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        self.cases
            .iter()
            .filter(|case| case.outcome == outcome)
            .count()
    }

    /// Whether nothing failed: every planned case passed, was skipped, or
    /// failed as expected.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        use Outcome::{Pass, Skip, Xfail};
        !matches!(self.status, ModuleStatus::DoesNotLoad(_))
            && self.not_run.is_empty()
            && self
                .cases
                .iter()
                .all(|case| matches!(case.outcome, Pass | Skip | Xfail))
    }
}

/// Reported while a module runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseEvent {
    /// The module was imported; this many cases wait in this process.
    Loaded {
        /// Cases still to run.
        cases: usize,
    },
    /// A case began.
    Started {
        /// Its id.
        id: String,
    },
    /// A case ended, in whatever way.
    Finished(CaseResult),
    /// The process died or was killed; a new one goes on after `id`.
    Restarting {
        /// The case it is charged to, where there is one.
        id: Option<String>,
        /// Signal, exit status or limit.
        reason: String,
    },
}

/// Sums over modules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Modules asked for.
    pub modules: usize,
    /// Modules without any failure ([`ModuleOutcome::is_clean`]) that ran.
    pub clean: usize,
    /// Modules that do not load.
    pub not_loading: usize,
    /// Modules skipped whole.
    pub skipped: usize,
    /// Cases by outcome; outcomes that do not occur are absent.
    pub cases: BTreeMap<Outcome, usize>,
    /// Planned and never reached.
    pub not_run: usize,
    /// Extra processes.
    pub restarts: u32,
    /// Processor microseconds.
    pub cpu_us: u64,
}

impl Totals {
    /// Number of cases with this outcome.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        self.cases.get(&outcome).copied().unwrap_or(0)
    }

    /// Number of cases with any outcome.
    #[must_use]
    pub fn all(&self) -> usize {
        self.cases.values().sum()
    }
}

/// Sum up `outcomes`.
#[must_use]
pub fn totals(outcomes: &[ModuleOutcome]) -> Totals {
    let mut sum = Totals {
        modules: outcomes.len(),
        ..Totals::default()
    };
    for module in outcomes {
        match module.status {
            ModuleStatus::Ran => sum.clean += usize::from(module.is_clean()),
            ModuleStatus::Skipped(_) => sum.skipped += 1,
            ModuleStatus::DoesNotLoad(_) => sum.not_loading += 1,
        }
        for case in &module.cases {
            *sum.cases.entry(case.outcome).or_default() += 1;
        }
        sum.not_run += module.not_run.len();
        sum.restarts += module.restarts;
        sum.cpu_us += module.cpu_us;
    }
    sum
}

/// A duration in whole microseconds, as results store it.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
