//! The store as the dashboard's source. A scope in which nothing was built has empty answers.

use super::scope::Ids;
use crate::{Result, Store};
use dashboard_api::{
    Alert, Benchmark, Build, Cell, ChangePoint, Comparison, EnvFact, LibraryReport, Metric, Night,
    Revision, Scope, Search, Source, SourceError, Variant, WarmupCurve,
};

fn told<T>(what: &'static str, result: Result<T>) -> std::result::Result<T, SourceError> {
    result.map_err(|error| SourceError::Store {
        what,
        source: Box::new(error),
    })
}

impl Store {
    fn in_scope<T: Default>(
        &self,
        scope: &Scope,
        query: impl FnOnce(Ids) -> Result<T>,
    ) -> Result<T> {
        match self.page_ids(scope)? {
            Some(ids) => query(ids),
            None => Ok(T::default()),
        }
    }
}

type Answer<T> = std::result::Result<T, SourceError>;

impl Source for Store {
    fn scopes(&self) -> Answer<Vec<Scope>> {
        let scopes = self
            .page_scopes()
            .map(|all| all.into_iter().map(|(scope, _)| scope).collect());
        told("subjects and machines", scopes)
    }

    fn revisions(&self, scope: &Scope) -> Answer<Vec<Revision>> {
        told(
            "revisions",
            self.in_scope(scope, |ids| self.page_revisions(ids)),
        )
    }

    fn variants(&self, scope: &Scope) -> Answer<Vec<Variant>> {
        told(
            "modes and baselines",
            self.in_scope(scope, |ids| self.page_variants(ids)),
        )
    }

    fn benchmarks(&self, scope: &Scope) -> Answer<Vec<Benchmark>> {
        told(
            "benchmarks",
            self.in_scope(scope, |ids| self.page_benchmarks(ids)),
        )
    }

    fn nights(&self, scope: &Scope, limit: usize) -> Answer<Vec<Night>> {
        told(
            "nights",
            self.in_scope(scope, |ids| self.page_nights(ids, limit)),
        )
    }

    fn benchmark_cells(&self, scope: &Scope, benchmark: &str, metric: Metric) -> Answer<Vec<Cell>> {
        let cells = self.in_scope(scope, |ids| {
            self.page_benchmark_cells(ids, benchmark, metric)
        });
        told("readings of a benchmark", cells)
    }

    fn revision_cells(&self, scope: &Scope, position: i64, metric: Metric) -> Answer<Vec<Cell>> {
        let cells = self.in_scope(scope, |ids| match self.commit_at(ids, position)? {
            Some(commit) => self.page_cells_at(ids, &[(commit, position)], metric),
            None => Ok(Vec::new()),
        });
        told("readings of a revision", cells)
    }

    fn recent_cells(&self, scope: &Scope, revisions: usize) -> Answer<Vec<Cell>> {
        let cells = self.in_scope(scope, |ids| {
            let commits = self.measured_positions(ids, revisions)?;
            self.page_cells_at(ids, &commits, Metric::Steady)
        });
        told("readings of recent revisions", cells)
    }

    fn change_points(&self, scope: &Scope, benchmark: Option<&str>) -> Answer<Vec<ChangePoint>> {
        told(
            "change points",
            self.in_scope(scope, |ids| self.page_change_points(ids, benchmark)),
        )
    }

    fn warmup(&self, scope: &Scope, benchmark: &str) -> Answer<Option<(i64, Vec<WarmupCurve>)>> {
        told(
            "warm-up curves",
            self.in_scope(scope, |ids| self.page_warmup(ids, benchmark)),
        )
    }

    fn measured_positions(&self, scope: &Scope) -> Answer<Vec<i64>> {
        let positions = self.in_scope(scope, |ids| {
            let measured = self.measured_positions(ids, usize::MAX)?;
            Ok(measured.into_iter().map(|(_, position)| position).collect())
        });
        told("measured revisions", positions)
    }

    fn build(&self, scope: &Scope, position: i64) -> Answer<Option<Build>> {
        told(
            "a build",
            self.in_scope(scope, |ids| self.page_build(ids, position)),
        )
    }

    fn builds(&self, scope: &Scope, limit: usize) -> Answer<Vec<Build>> {
        told(
            "builds",
            self.in_scope(scope, |ids| self.page_builds(ids, limit)),
        )
    }

    fn library_positions(&self, scope: &Scope) -> Answer<Vec<i64>> {
        told(
            "revisions with library tests",
            self.in_scope(scope, |ids| self.page_library_positions(ids)),
        )
    }

    fn library(&self, scope: &Scope, position: i64) -> Answer<Option<LibraryReport>> {
        told(
            "library tests",
            self.in_scope(scope, |ids| self.page_library(ids, position)),
        )
    }

    fn alerts(&self, scope: &Scope) -> Answer<Vec<Alert>> {
        told("alerts", self.in_scope(scope, |ids| self.page_alerts(ids)))
    }

    fn neighbours(&self, scope: &Scope, limit: usize) -> Answer<Vec<(i64, i64)>> {
        let pairs = self.in_scope(scope, |ids| self.page_neighbours(ids, limit));
        told("neighbouring revisions", pairs)
    }

    fn comparison(&self, scope: &Scope, old: i64, new: i64) -> Answer<Option<Comparison>> {
        let comparison = self.in_scope(scope, |ids| self.page_comparison(ids, old, new));
        told("a comparison", comparison)
    }

    fn searches(&self, scope: &Scope) -> Answer<Vec<Search>> {
        told(
            "searches",
            self.in_scope(scope, |ids| self.page_searches(ids)),
        )
    }

    fn environment(&self, run: i64) -> Answer<Vec<EnvFact>> {
        told("the environment", self.page_environment(run))
    }
}
