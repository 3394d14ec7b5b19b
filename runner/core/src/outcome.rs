//! What can become of a job, a process, a test case.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Outcome of a job or a process. Ordered by severity: a job has the worst outcome of its processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It ended by itself and its result was right.
    Ok,
    /// It was never started: the build failed, the deadline came. The reason says which.
    NotRun,
    /// The program does not know a flag it was given: an old one under a new suite.
    Unsupported,
    /// A test module could not be imported.
    NotLoaded,
    /// Our own machinery failed (no disk space, program vanished), nothing is known about the program.
    Infrastructure,
    /// It ended with an error, or broke the protocol.
    Fail,
    /// It passed its wall-time limit.
    Timeout,
    /// It passed its memory limit, or said that memory was short.
    OutOfMemory,
    /// A signal ended it.
    Crash,
    /// It ended well with another result than the manifest's. Faster and wrong is wrong.
    WrongOutput,
}

impl Outcome {
    /// The word used in the database and in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::NotRun => "not-run",
            Outcome::Unsupported => "unsupported",
            Outcome::NotLoaded => "not-loaded",
            Outcome::Infrastructure => "infrastructure",
            Outcome::Fail => "fail",
            Outcome::Timeout => "timeout",
            Outcome::OutOfMemory => "out-of-memory",
            Outcome::Crash => "crash",
            Outcome::WrongOutput => "wrong-output",
        }
    }

    /// Reads what [`Outcome::as_str`] gives.
    #[must_use]
    pub fn parse(word: &str) -> Option<Outcome> {
        use Outcome::{
            Crash, Fail, Infrastructure, NotLoaded, NotRun, Ok, OutOfMemory, Timeout, Unsupported,
            WrongOutput,
        };
        [
            Ok,
            NotRun,
            Unsupported,
            NotLoaded,
            Infrastructure,
            Fail,
            Timeout,
            OutOfMemory,
            Crash,
            WrongOutput,
        ]
        .into_iter()
        .find(|outcome| outcome.as_str() == word)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Outcome of one test case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CaseOutcome {
    Pass,
    Fail,
    Error,
    Skip,
    Xfail,
    Xpass,
    Timeout,
    Crash,
}

impl CaseOutcome {
    /// The word used in the database and in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            CaseOutcome::Pass => "pass",
            CaseOutcome::Fail => "fail",
            CaseOutcome::Error => "error",
            CaseOutcome::Skip => "skip",
            CaseOutcome::Xfail => "xfail",
            CaseOutcome::Xpass => "xpass",
            CaseOutcome::Timeout => "timeout",
            CaseOutcome::Crash => "crash",
        }
    }

    /// Whether the case counts against the program.
    #[must_use]
    pub fn is_bad(self) -> bool {
        matches!(
            self,
            CaseOutcome::Fail | CaseOutcome::Error | CaseOutcome::Timeout | CaseOutcome::Crash
        )
    }
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for word in ["ok", "not-run", "wrong-output", "out-of-memory", "crash"] {
            assert_eq!(Outcome::parse(word).unwrap().as_str(), word);
        }
        assert_eq!(Outcome::parse("great"), None);
    }
}
