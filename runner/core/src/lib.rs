//! Plan → isolate → execute → events.
//!
//! A run is a [`Plan`]: builds, benchmark jobs, test jobs, written down before anything starts. [`session::run`] walks
//! through it with an [`Executor`] and tells a [`Sink`] what happens, one [`Event`] at a time. The sink is where the terminal, the JSON lines, the JUnit
//! file and the database hang; this crate prints nothing, stores nothing and knows no SQL.
//!
//! ```text
//! plan ──> session ──> executor (real: processes, git, compilers; scripted: a table of answers)
//!             │
//!             └──────> sink: RunStarted, BuildFinished, ProcessStarted, IterationFinished, ... RunFinished
//! ```
//!
//! Invariants:
//! - An event is handed to the sink before the next thing starts; a sink that fails ends the run at once.
//! - What has been done is given back as [`Progress`]; a run killed at any event and taken up with its progress ends with
//!   the same events as one that was left alone, but for those already delivered.
//! - A process never outlives its limits, and nothing of its process group outlives it.
//! - One measured process at a time.

pub mod event;
pub mod lock;
pub mod outcome;
pub mod plan;
pub mod process;
pub mod schedule;
pub mod scripted;
pub mod session;

pub use event::{Event, Fanout, Sink, SinkError};
pub use outcome::{CaseOutcome, Outcome};
pub use plan::{BenchJob, BenchmarkSpec, BuildJob, ModeSpec, Plan, TestJob};
pub use process::{Iteration, Limits, ProcessReport, ProcessSpec};
pub use session::{BuildReport, Executor, Flow, JobProgress, Progress, RunEnd, TestEvent};
