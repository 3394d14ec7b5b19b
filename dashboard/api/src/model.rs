//! The nouns of the dashboard: scopes, revisions, variants, readings, nights, builds, environments.

use serde::{Deserialize, Serialize};

/// What a set of pages is about: one subject measured on one machine.
///
/// Results of two machines never meet in one chart, so every query names its scope.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Scope {
    /// Name of the subject in `nightjar.toml`, e.g. `pyrite`.
    pub subject: String,
    /// Name of the machine; machines of one name carry a part of their fingerprint behind it.
    pub machine: String,
}

/// A commit of the subject on its first-parent line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Full commit id, lower-case hexadecimal.
    pub sha: String,
    /// Place on the first-parent line, growing towards the head.
    pub position: i64,
    /// First line of the commit message.
    pub title: String,
    /// Author's name.
    pub author: String,
    /// Commit time, seconds since 1970 UTC.
    pub committed_at: i64,
}

impl Revision {
    /// The first ten digits of the commit id.
    #[must_use]
    pub fn short(&self) -> &str {
        self.sha.get(..10).unwrap_or(&self.sha)
    }
}

/// Whether a variant is the subject in one of its modes or a fixed program beside it. The order is the
/// order of presentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The subject in a mode that is timed.
    Mode,
    /// The subject in a mode that only runs tests, e.g. with a low threshold.
    Stress,
    /// A fixed program measured in the same runs, e.g. CPython.
    Baseline,
}

/// One way of running the programs: a mode of the subject, or a baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Name in `nightjar.toml`: `off`, `noopt`, `opt`, `python3.11`.
    pub name: String,
    /// Mode or baseline.
    pub role: Role,
    /// What the program said about its version; baselines only.
    pub version: Option<String>,
    /// One sentence for a reader, e.g. "interpreter only".
    pub description: String,
}

/// A benchmark program as the suite's manifest describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Benchmark {
    /// Name, unique in the suite.
    pub name: String,
    /// Category of the manifest, e.g. `micro`.
    pub category: String,
    /// One sentence, may be empty.
    pub description: String,
}

/// How a process, a build or a benchmark ended.
///
/// ```text
/// process:   ok | fail | timeout | crash | wrong-output | out-of-memory | unsupported
/// benchmark: the same | not-run | infrastructure
/// build:     ok | fail | timeout | crash | out-of-memory | infrastructure
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Ended well and, where there is a result to check, the result was right.
    Ok,
    /// Ended with an error of its own.
    Fail,
    /// Passed its time limit.
    Timeout,
    /// Ended by a signal.
    Crash,
    /// Ended well with a wrong result.
    WrongOutput,
    /// Passed its memory limit.
    OutOfMemory,
    /// The subject at that revision does not know a flag that was needed.
    Unsupported,
    /// Not started: its build failed, or the deadline passed.
    NotRun,
    /// Something around the program failed, e.g. the disk was full.
    Infrastructure,
}

impl Outcome {
    /// The word used in tables, exports and the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Fail => "fail",
            Self::Timeout => "timeout",
            Self::Crash => "crash",
            Self::WrongOutput => "wrong-output",
            Self::OutOfMemory => "out-of-memory",
            Self::Unsupported => "unsupported",
            Self::NotRun => "not-run",
            Self::Infrastructure => "infrastructure",
        }
    }

    /// The outcome written as `word`, or `None` for a word that is not an outcome.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::Ok,
            Self::Fail,
            Self::Timeout,
            Self::Crash,
            Self::WrongOutput,
            Self::OutOfMemory,
            Self::Unsupported,
            Self::NotRun,
            Self::Infrastructure,
        ]
        .into_iter()
        .find(|outcome| outcome.word() == word)
    }

    /// Whether someone should look at it: everything but success and what was never tried.
    #[must_use]
    pub fn is_failure(self) -> bool {
        !matches!(self, Self::Ok | Self::Unsupported | Self::NotRun)
    }
}

/// A measured quantity: a point with its interval.
///
/// The unit is the metric's. `low` and `high` bound the 95 % interval of the mean over process
/// executions and equal `point` when there was one process only.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Geometric mean over process executions of each one's steady mean; above zero.
    pub point: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
    /// Number of process executions behind it.
    pub processes: u32,
}

impl Estimate {
    /// Half the width of the interval on a log scale, or `None` when one process cannot give a spread.
    #[must_use]
    pub fn log_half_width(&self) -> Option<f64> {
        (self.processes > 1 && self.low > 0.0 && self.high >= self.low)
            .then(|| (self.high / self.low).ln() / 2.0)
    }
}

/// What came of measuring one benchmark in one variant: a number or a failure, never both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Reading {
    /// Every process ended well.
    Measured {
        /// The value in the metric's unit.
        estimate: Estimate,
    },
    /// At least one process did not end well; no number exists.
    Failed {
        /// The worst outcome seen.
        outcome: Outcome,
        /// Last line of what was said, may be empty.
        detail: String,
    },
}

impl Reading {
    /// The estimate of a measured reading.
    #[must_use]
    pub fn estimate(&self) -> Option<&Estimate> {
        match self {
            Self::Measured { estimate } => Some(estimate),
            Self::Failed { .. } => None,
        }
    }

    /// The outcome of a failed reading.
    #[must_use]
    pub fn failure(&self) -> Option<Outcome> {
        match self {
            Self::Measured { .. } => None,
            Self::Failed { outcome, .. } => Some(*outcome),
        }
    }
}

/// One reading with what it belongs to. A pair that was never measured has no cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Name of the benchmark.
    pub benchmark: String,
    /// Name of the variant.
    pub variant: String,
    /// Position of the revision; `None` for a baseline, which belongs to a run instead.
    pub position: Option<i64>,
    /// The run (night) it was taken in.
    pub run: i64,
    /// What came of it.
    pub reading: Reading,
}

/// Which quantity a query asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Wall seconds per iteration in the steady state.
    Steady,
    /// Wall seconds of the first iteration in a fresh process.
    First,
    /// Peak resident set of the process, bytes.
    PeakRss,
    /// Instructions of a whole process, counted and not timed.
    Instructions,
}

impl Metric {
    /// Every metric, the main one first.
    pub const ALL: [Self; 4] = [Self::Steady, Self::First, Self::PeakRss, Self::Instructions];

    /// Title for a reader.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Steady => "Steady time per iteration",
            Self::First => "First iteration in a fresh process",
            Self::PeakRss => "Peak memory",
            Self::Instructions => "Instructions",
        }
    }

    /// Whether a baseline's value over the subject's says how much faster that is.
    #[must_use]
    pub fn has_speedups(self) -> bool {
        matches!(self, Self::Steady | Self::First)
    }

    /// Unit of the values.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Steady | Self::First => "s",
            Self::PeakRss => "bytes",
            Self::Instructions => "count",
        }
    }
}

/// How sure the platform is of a change point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// Few points after it.
    Provisional,
    /// Enough points on both sides, or confirmed by another run.
    Established,
}

/// A place where a series shifts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangePoint {
    /// Name of the benchmark.
    pub benchmark: String,
    /// Name of the mode.
    pub variant: String,
    /// Position of the first revision on the new level.
    pub position: i64,
    /// New level over old level; above 1 is more (for times: slower).
    pub ratio: f64,
    /// Provisional or established.
    pub certainty: Certainty,
}

/// One build measured as two: whatever differs is a false alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Canary {
    /// Benchmarks flagged, all of them falsely.
    pub flagged: Vec<String>,
    /// Benchmarks judged.
    pub of: u32,
    /// Benchmarks that were to be judged; 0 where that was not recorded.
    #[serde(default)]
    pub planned: u32,
    /// One entry for each benchmark judged; empty where that was not recorded.
    #[serde(default)]
    pub pairs: Vec<CanaryPair>,
}

/// One benchmark measured twice on one build.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CanaryPair {
    /// Whose build it was.
    pub subject: String,
    /// Mode it ran in.
    pub mode: String,
    /// `suite/name`.
    pub benchmark: String,
    /// Second measurement over first, and its 95 % interval; 1 is the truth.
    pub ratio: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Whether the rule called it a change.
    pub flagged: bool,
}

impl Canary {
    /// `1 of 6`, or that there was no verdict.
    #[must_use]
    pub fn text(&self) -> String {
        match (self.of, self.planned) {
            (0, planned) => format!("no verdict ({planned} planned)"),
            (of, _) => format!("{} of {of}", self.flagged.len()),
        }
    }
}

/// One invocation of the runner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Night {
    /// Identity of the run.
    pub run: i64,
    /// Start, seconds since 1970 UTC.
    pub started_at: i64,
    /// End, or `None` while it goes on or when it was killed.
    pub finished_at: Option<i64>,
    /// `running`, `complete`, `deadline`, `interrupted`, `abandoned`, `failed`.
    pub state: String,
    /// Tier asked for: `quick`, `full`.
    pub tier: String,
    /// Positions of the revisions it measured, newest first.
    pub positions: Vec<i64>,
    /// Benchmark cells (benchmark x revision x variant) in which every process ended well.
    pub cells_ok: u32,
    /// Benchmark cells that failed.
    pub cells_failed: u32,
    /// Benchmark cells that were planned and not run.
    pub cells_not_run: u32,
    /// Version of the platform that ran it.
    pub platform_version: String,
    /// Worst grade of its environment record.
    pub grade: Grade,
    /// Its A/A canary, where it had one.
    pub canary: Option<Canary>,
}

/// Judgement on one fact of the environment; the worst of all is the run's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// As it should be for timing.
    Ok,
    /// Could not be read on this machine.
    Unknown,
    /// Adds noise.
    Warn,
    /// Timings taken so should not be trusted.
    Fail,
}

impl Grade {
    /// The word used in tables and exports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }

    /// The grade written as `word`; a word that is none reads as [`Grade::Unknown`].
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        match word {
            "ok" => Self::Ok,
            "warn" => Self::Warn,
            "fail" => Self::Fail,
            _ => Self::Unknown,
        }
    }
}

/// One recorded fact about the machine at the start of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvFact {
    /// Name, e.g. `governor`.
    pub name: String,
    /// Value as read, e.g. `performance`.
    pub value: String,
    /// Judgement.
    pub grade: Grade,
    /// Why it has that grade, may be empty.
    pub note: String,
}

/// One build of one revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Build {
    /// Position of the revision that was built.
    pub position: i64,
    /// How it ended.
    pub outcome: Outcome,
    /// When it started, seconds since 1970 UTC.
    pub started_at: i64,
    /// Wall seconds it took; `None` when it came from the cache.
    pub wall_s: Option<f64>,
    /// Size of the binary in bytes.
    pub binary_bytes: Option<u64>,
    /// Compiler and version.
    pub toolchain: String,
    /// The end of its log; whole lines.
    pub log_tail: String,
}

/// The times of one process execution, iteration by iteration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WarmupCurve {
    /// Name of the mode or baseline.
    pub variant: String,
    /// Wall seconds per iteration, one vector per process, oldest iteration first.
    pub processes: Vec<Vec<f64>>,
    /// First iteration from which the times stay level (median over processes), counted from 0.
    pub steady_from: Option<u32>,
    /// Class of the curve: `flat`, `warm-up`, `slowdown`, `no steady state`, ...; may be empty.
    pub class: String,
}

/// A difference between neighbouring revisions that someone should look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// `new`, `provisional`, `confirmed`, `noise`, `infrastructure`, `fixed` or `wontfix`.
    pub state: String,
    /// Whether it still needs a look.
    pub is_open: bool,
    /// `suite/name`.
    pub benchmark: String,
    /// What moved: `wall`, `instructions`, or `counter:` and the name of a counter of the VM.
    pub metric: String,
    /// Modes that show it.
    pub modes: Vec<String>,
    /// After over before, of the mode that moved most.
    pub ratio: f64,
    /// Position of the last revision before.
    pub low: i64,
    /// Position of the first revision after.
    pub high: i64,
    /// Part of the VM that moved: `interpreter`, `tracer-backend` or `optimizer`.
    pub moved: Option<String>,
    /// The VM's counter with the largest shift, and by how much.
    pub counter: Option<String>,
    /// When it was found, seconds since 1970 UTC.
    pub created_at: i64,
    /// Position of the revision that undid it, when it is `fixed`.
    pub fixed: Option<i64>,
}
