//! What the dashboard shows, as plain data.
//!
//! Problem: pages, exports and the database must agree on what a result *is*, above all that a benchmark
//! that failed is not a number. Idea: one set of serde types between the store and the pages, in which a
//! failure has no field a number could be read from ([`Reading`]), and one [`Source`] trait through which
//! the pages ask. The store answers from SQLite; the demonstration history answers from memory.
//!
//! Invariants: nothing here does input or output; durations are seconds and sizes are bytes (`f64`);
//! instants are whole seconds since 1970 UTC; a revision's `position` counts first-parent commits and is
//! the only order used. Summaries ([`geomean()`], [`Ratio`]) are pure functions.

mod geomean;
mod judged;
mod library;
mod model;
mod ratio;
mod source;
mod units;

pub use geomean::{Dropped, Geomean, geomean};
pub use judged::{Compared, Comparison, ModeMean, Search, SearchStep, Verdict};
pub use library::{
    CaseDiff, CaseOutcome, DiffKind, LibraryReport, ModuleScore, OutcomeCounts, Score,
};
pub use model::*;
pub use ratio::{Change, Ratio};
pub use source::{Source, SourceError};
pub use units::{bytes, calendar_date, clock_time, count, duration, factor, percent, seconds};
