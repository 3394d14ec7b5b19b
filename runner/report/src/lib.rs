//! Subscribers of the event stream, one per file.
//!
//! [`store`] writes the database, [`jsonl`] the event log, [`junit`] the file that build bots read, [`terminal`] what a
//! person sees. They do not know each other. Put [`jsonl`] first and [`store`] second: the log may then hold an event more
//! than the database after a kill, never one less.

#![forbid(unsafe_code)]

pub mod jsonl;
pub mod junit;
pub mod store;
pub mod terminal;

use runner_core::SinkError;

/// Wraps an error of the subscriber called `subscriber`.
fn sink_error(
    subscriber: &'static str,
) -> impl Fn(Box<dyn std::error::Error + Send + Sync>) -> SinkError {
    move |source| SinkError { subscriber, source }
}
