//! The questions the pages ask.
//!
//! Each method is one page's need and can be answered by one or two indexed queries; none returns the
//! whole history of everything.

use crate::judged::{Comparison, Search};
use crate::library::LibraryReport;
use crate::model::{
    Alert, Benchmark, Build, Cell, ChangePoint, EnvFact, Metric, Night, Revision, Scope, Variant,
    WarmupCurve,
};

/// Why an answer could not be given.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The database refused or broke.
    #[error("cannot read {what} from the store")]
    Store {
        /// What was asked for.
        what: &'static str,
        /// The store's own error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Read access to the results, as the pages need it.
pub trait Source {
    /// Every (subject, machine) with results, the one with the newest run first.
    ///
    /// # Errors
    /// [`SourceError::Store`] when the store cannot be read, here and in every method below.
    fn scopes(&self) -> Result<Vec<Scope>, SourceError>;

    /// Revisions that have a build or a result, oldest first.
    ///
    /// # Errors
    /// See [`Source::scopes`].
    fn revisions(&self, scope: &Scope) -> Result<Vec<Revision>, SourceError>;

    /// Modes in the order of the configuration, then baselines.
    ///
    /// # Errors
    /// See [`Source::scopes`].
    fn variants(&self, scope: &Scope) -> Result<Vec<Variant>, SourceError>;

    /// Benchmarks with results, by name.
    ///
    /// # Errors
    /// See [`Source::scopes`].
    fn benchmarks(&self, scope: &Scope) -> Result<Vec<Benchmark>, SourceError>;

    /// Runs, newest first, at most `limit`.
    ///
    /// # Errors
    /// See [`Source::scopes`].
    fn nights(&self, scope: &Scope, limit: usize) -> Result<Vec<Night>, SourceError>;

    /// Every reading of one benchmark and metric, over all revisions, modes and baselines. Where a pair was
    /// measured in several runs the newest run stands.
    ///
    /// # Errors
    /// See [`Source::scopes`].
    fn benchmark_cells(
        &self,
        scope: &Scope,
        benchmark: &str,
        metric: Metric,
    ) -> Result<Vec<Cell>, SourceError>;

    /// Every reading of one revision and metric, plus the baselines of the runs it was measured in.
    ///
    /// # Errors
    /// See [`Source::scopes`].
    fn revision_cells(
        &self,
        scope: &Scope,
        position: i64,
        metric: Metric,
    ) -> Result<Vec<Cell>, SourceError>;

    /// Readings of [`Metric::Steady`] for all benchmarks over the newest `revisions` measured revisions.
    ///
    /// # Errors
    /// See [`Source::scopes`].
    fn recent_cells(&self, scope: &Scope, revisions: usize) -> Result<Vec<Cell>, SourceError>;

    /// Change points of one benchmark (or of all with `None`), by position.
    ///
    /// # Errors
    /// See [`Source::scopes`].
    fn change_points(
        &self,
        scope: &Scope,
        benchmark: Option<&str>,
    ) -> Result<Vec<ChangePoint>, SourceError>;

    /// Warm-up curves of one benchmark at the newest revision that has them: its position and one curve per
    /// variant.
    ///
    /// # Errors
    /// See [`Source::scopes`].
    fn warmup(
        &self,
        scope: &Scope,
        benchmark: &str,
    ) -> Result<Option<(i64, Vec<WarmupCurve>)>, SourceError>;

    /// Positions of the revisions at which a benchmark was measured or failed, oldest first.
    ///
    /// # Errors
    /// See [`Source::scopes`].
    fn measured_positions(&self, scope: &Scope) -> Result<Vec<i64>, SourceError>;

    /// The build of one revision.
    ///
    /// # Errors
    /// See [`Source::scopes`].
    fn build(&self, scope: &Scope, position: i64) -> Result<Option<Build>, SourceError>;

    /// Builds, newest revision first, at most `limit`.
    ///
    /// # Errors
    /// See [`Source::scopes`].
    fn builds(&self, scope: &Scope, limit: usize) -> Result<Vec<Build>, SourceError>;

    /// Positions of the revisions with library tests, oldest first.
    ///
    /// # Errors
    /// See [`Source::scopes`].
    fn library_positions(&self, scope: &Scope) -> Result<Vec<i64>, SourceError>;

    /// The library tests of one revision, `None` when they did not run there.
    ///
    /// # Errors
    /// See [`Source::scopes`].
    fn library(&self, scope: &Scope, position: i64) -> Result<Option<LibraryReport>, SourceError>;

    /// Alerts in any state, the newest first.
    ///
    /// # Errors
    /// See [`Source::scopes`].
    fn alerts(&self, scope: &Scope) -> Result<Vec<Alert>, SourceError>;

    /// Pairs of neighbouring revisions that were measured in one run (older, newer), the newest first, at most `limit`.
    ///
    /// # Errors
    /// See [`Source::scopes`].
    fn neighbours(&self, scope: &Scope, limit: usize) -> Result<Vec<(i64, i64)>, SourceError>;

    /// What changed from position `old` to position `new`, judged in the newest run that measured both; `None` when none did.
    ///
    /// # Errors
    /// See [`Source::scopes`].
    fn comparison(
        &self,
        scope: &Scope,
        old: i64,
        new: i64,
    ) -> Result<Option<Comparison>, SourceError>;

    /// Searches for a commit, the newest first.
    ///
    /// # Errors
    /// See [`Source::scopes`].
    fn searches(&self, scope: &Scope) -> Result<Vec<Search>, SourceError>;

    /// The environment record of a run.
    ///
    /// # Errors
    /// See [`Source::scopes`].
    fn environment(&self, run: i64) -> Result<Vec<EnvFact>, SourceError>;
}
