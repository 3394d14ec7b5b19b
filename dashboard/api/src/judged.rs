//! What was judged: two revisions against each other, and searches for the commit behind a change.

use crate::model::Revision;
use serde::{Deserialize, Serialize};

/// What the rule behind every verdict says of two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The newer side takes longer.
    Slower,
    /// The newer side takes less.
    Faster,
    /// No change that so many processes can show.
    NoChange,
    /// Too few processes for a verdict.
    TooFew,
}

impl Verdict {
    /// The words used in tables and exports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Slower => "slower",
            Self::Faster => "faster",
            Self::NoChange => "no change seen",
            Self::TooFew => "no verdict",
        }
    }
}

/// One benchmark in one mode on both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// Benchmark.
    pub benchmark: String,
    /// Mode.
    pub mode: String,
    /// Time on the newer side over that on the older.
    pub ratio: f64,
    /// Its 95 % interval; `None` with one process on a side.
    pub interval: Option<(f64, f64)>,
    /// Of Welch's test.
    pub p: Option<f64>,
    /// By the rule.
    pub verdict: Verdict,
    /// Smallest slowdown that would have been seen with 80 % probability, 0.03 is 3 %.
    pub smallest_visible: Option<f64>,
    /// Processes on the older and the newer side.
    pub processes: (u32, u32),
    /// Both programs have the same machine code: a difference is noise.
    pub same_code: bool,
}

/// Geometric mean of one mode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModeMean {
    /// Mode.
    pub mode: String,
    /// Newer time over older.
    pub ratio: f64,
    /// Its 95 % interval.
    pub interval: (f64, f64),
    /// Benchmarks in it.
    pub benchmarks: u32,
}

/// Two revisions, measured interleaved in one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// When the run began, seconds since 1970 UTC.
    pub started_at: i64,
    /// The most significant first.
    pub rows: Vec<Compared>,
    /// Benchmark, mode and why there is no ratio.
    pub dropped: Vec<(String, String, String)>,
    /// By mode, over the rows.
    pub means: Vec<ModeMean>,
}

/// A search for the commit that did it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// Row of the search.
    pub id: i64,
    /// `perf`, `test`, `wrong` or `build`.
    pub kind: String,
    /// Benchmark or test case.
    pub target: String,
    /// Mode.
    pub mode: Option<String>,
    /// What was measured: `wall`, `cpu`, `instructions`; empty where nothing is.
    pub metric: String,
    /// `running`, `interrupted`, `found`, `no-difference` or `cannot-tell`.
    pub state: String,
    /// The end where all is well.
    pub good: Revision,
    /// The end where it is not.
    pub bad: Revision,
    /// The commit to blame.
    pub culprit: Option<Revision>,
    /// Pass without which all is well.
    pub pass: Option<String>,
    /// Number of the first trace that makes it wrong.
    pub trace: Option<i64>,
    /// Probability of the culprit.
    pub posterior: Option<f64>,
    /// When it began, seconds since 1970 UTC.
    pub created_at: i64,
    /// When it ended.
    pub finished_at: Option<i64>,
    /// Commits that were tried or suspected, by position.
    pub commits: Vec<Revision>,
    /// Runs, in order.
    pub steps: Vec<SearchStep>,
}

/// One run of a search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchStep {
    /// Position of the commit that was tried.
    pub position: i64,
    /// `good`, `bad`, `skip`, or `unsure` for a measured value.
    pub verdict: String,
    /// Measured value: nanoseconds, or a count.
    pub value: Option<f64>,
    /// What was seen otherwise: a kind of failure, why it could not be tried.
    pub said: String,
    /// Positions with their probability after this run; those below a thousandth are left out.
    pub suspects: Vec<(i64, f64)>,
}
