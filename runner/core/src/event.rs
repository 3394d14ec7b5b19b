//! What happens in a run, one value each.

use crate::outcome::{CaseOutcome, Outcome};
use crate::process::ProcessReport;
use crate::session::{BuildReport, RunEnd};
use measure::Nanos;
use serde::{Deserialize, Serialize};

/// Something that happened. `job` is the job's key, `process` its 0-based number within the job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    RunStarted {
        run: String,
        tier: String,
        jobs: usize,
        resumed: bool,
    },
    BuildStarted {
        job: String,
        subject: String,
        sha: Option<String>,
    },
    BuildFinished {
        job: String,
        subject: String,
        sha: Option<String>,
        report: BuildReport,
    },
    JobStarted {
        job: String,
    },
    ProcessStarted {
        job: String,
        process: u32,
        position: u32,
        of_positions: u32,
        cpu: Option<u32>,
        hash_seed: String,
    },
    IterationFinished {
        job: String,
        process: u32,
        iteration: u32,
        wall: Nanos,
        cpu: Nanos,
    },
    ProcessFinished {
        job: String,
        process: u32,
        report: ProcessReport,
    },
    JobFinished {
        job: String,
        outcome: Outcome,
        reason: String,
        duration: Nanos,
    },
    TestModuleStarted {
        job: String,
        module: String,
    },
    TestCaseFinished {
        job: String,
        case: String,
        outcome: CaseOutcome,
        duration: Nanos,
        message: String,
    },
    TestModuleFinished {
        job: String,
        module: String,
        outcome: Outcome,
        reason: String,
        duration: Nanos,
    },
    /// Something a person should know: a skipped baseline, a missing tool.
    Note {
        text: String,
    },
    RunFinished {
        end: RunEnd,
    },
}

/// A subscriber failed; the run ends at once.
#[derive(Debug, thiserror::Error)]
#[error("{subscriber}: {source}")]
pub struct SinkError {
    /// Which subscriber: `database`, `jsonl`, ...
    pub subscriber: &'static str,
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Receives events.
pub trait Sink {
    /// Takes one event. The next thing starts only after this returned.
    ///
    /// # Errors
    /// Ends the run.
    fn event(&mut self, event: &Event) -> Result<(), SinkError>;
}

/// Hands each event to several sinks, in order: put the database first.
#[derive(Default)]
pub struct Fanout<'a> {
    sinks: Vec<&'a mut dyn Sink>,
}

impl<'a> Fanout<'a> {
    /// Adds a sink after those already there.
    #[must_use]
    pub fn with(mut self, sink: &'a mut dyn Sink) -> Fanout<'a> {
        self.sinks.push(sink);
        self
    }
}

impl Sink for Fanout<'_> {
    fn event(&mut self, event: &Event) -> Result<(), SinkError> {
        self.sinks.iter_mut().try_for_each(|sink| sink.event(event))
    }
}
