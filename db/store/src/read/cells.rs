//! Readings of benchmarks: points for what was measured, job outcomes for what failed.
//!
//! A cell is the newest thing known about (benchmark, variant, revision), whichever run it is from: a newer number replaces
//! an older failure and the other way round, but a job that was not run replaces nothing. Baselines keep one cell per run.

use super::scope::{IN_HISTORY, Ids, outcome};
use crate::{Result, Store};
use dashboard_api::{Cell, Estimate, Metric, Outcome, Reading};
use rusqlite::{Params, Row, params};
use std::collections::{BTreeSet, HashMap};

/// What a cell belongs to: benchmark, variant, position, and the run where there is no position.
type Key = (String, String, Option<i64>, i64);

/// The cells found so far, each with the start of its run.
struct Found {
    cells: HashMap<Key, (i64, Cell)>,
}

/// Columns of every point query, in the order [`Store::add_points`] reads them.
const POINT: &str = "series.benchmark_version_id, CASE subject.role WHEN 'baseline' THEN subject.name ELSE mode.name END, \
     subject.role, point.run_id, run.started_s, point.geomean, point.low, point.high, point.n_processes";
/// From the few series of a metric to their points by primary key: the planner would rather walk all points.
const POINT_FROM: &str = "FROM series JOIN subject ON subject.id = series.subject_id JOIN mode ON mode.id = series.mode_id \
     CROSS JOIN point ON point.series_id = series.id CROSS JOIN run ON run.id = point.run_id";

/// Columns of every failure query, in the order [`Store::add_failures`] reads them.
const FAILURE: &str = "job.benchmark_version_id, CASE subject.role WHEN 'baseline' THEN subject.name ELSE mode.name END, \
     subject.role, job.run_id, run.started_s, job.outcome, job.reason, job.id";
const FAILURE_FROM: &str = "FROM job JOIN subject ON subject.id = job.subject_id JOIN mode ON mode.id = job.mode_id \
     JOIN run ON run.id = job.run_id";

impl Found {
    fn new() -> Self {
        Self {
            cells: HashMap::new(),
        }
    }

    fn add(&mut self, started: i64, not_run: bool, cell: Cell) {
        // A mode's cell belongs to its revision whatever the run; a baseline's belongs to its run.
        let run = if cell.position.is_some() { 0 } else { cell.run };
        let key = (
            cell.benchmark.clone(),
            cell.variant.clone(),
            cell.position,
            run,
        );
        let stays = self.cells.get(&key).is_some_and(|(other, known)| {
            not_run && known.reading.failure() != Some(Outcome::NotRun) || *other > started
        });
        let replaces_not_run = self
            .cells
            .get(&key)
            .is_some_and(|(_, known)| !not_run && known.reading.failure() == Some(Outcome::NotRun));
        if !stays || replaces_not_run {
            self.cells.insert(key, (started, cell));
        }
    }

    fn into_cells(self) -> Vec<Cell> {
        let mut cells: Vec<Cell> = self.cells.into_values().map(|(_, cell)| cell).collect();
        cells.sort_by(|a, b| {
            (a.position, a.run, &a.benchmark, &a.variant).cmp(&(
                b.position,
                b.run,
                &b.benchmark,
                &b.variant,
            ))
        });
        cells
    }
}

fn metric_name(metric: Metric) -> &'static str {
    match metric {
        Metric::Steady => "wall",
        Metric::First => "first",
        Metric::PeakRss => "peak_rss",
        Metric::Instructions => "instructions",
    }
}

/// The metric's stored unit over the one shown: nanoseconds become seconds.
fn to_shown(metric: Metric) -> f64 {
    match metric {
        Metric::Steady | Metric::First => 1e-9,
        Metric::PeakRss | Metric::Instructions => 1.0,
    }
}

impl Store {
    /// One benchmark over all revisions.
    pub(super) fn page_benchmark_cells(
        &self,
        ids: Ids,
        benchmark: &str,
        metric: Metric,
    ) -> Result<Vec<Cell>> {
        let versions = self.newest_versions()?;
        let Some((&version, _)) = versions.iter().find(|(_, name)| *name == benchmark) else {
            return Ok(Vec::new());
        };
        let positions: HashMap<i64, i64> = self
            .measured_positions(ids, usize::MAX)?
            .into_iter()
            .collect();
        let mut found = Found::new();
        let sql = format!(
            "SELECT {POINT}, point.commit_id {POINT_FROM} WHERE {IN_HISTORY} AND series.benchmark_version_id = ?1 AND series.machine_id = ?2 \
             AND series.metric_id = (SELECT id FROM metric WHERE name = ?3) AND (series.subject_id = ?4 OR subject.role = 'baseline')"
        );
        let at = |row: &Row<'_>| Ok(row.get::<_, Option<i64>>(9)?);
        let values = (version, ids.machine, metric_name(metric), ids.subject);
        self.add_points(&mut found, &sql, values, metric, &versions, &positions, at)?;
        let sql = format!(
            "SELECT {FAILURE}, job.commit_id {FAILURE_FROM} WHERE {IN_HISTORY} AND job.benchmark_version_id = ?1 AND run.machine_id = ?2 \
             AND job.kind = ?4 AND job.outcome != 'ok' AND (job.subject_id = ?3 OR subject.role = 'baseline')"
        );
        let at = |row: &Row<'_>| Ok(row.get::<_, Option<i64>>(8)?);
        let kind = if metric == Metric::Instructions {
            "count"
        } else {
            "bench"
        };
        let values = (version, ids.machine, ids.subject, kind);
        self.add_failures(&mut found, &sql, values, &versions, &positions, at)?;
        Ok(found.into_cells())
    }

    /// All benchmarks at the given (commit, position) pairs, with the baselines of their runs.
    pub(super) fn page_cells_at(
        &self,
        ids: Ids,
        commits: &[(i64, i64)],
        metric: Metric,
    ) -> Result<Vec<Cell>> {
        let versions = self.newest_versions()?;
        let positions: HashMap<i64, i64> = commits.iter().copied().collect();
        let mut found = Found::new();
        let mut runs: BTreeSet<i64> = BTreeSet::new();
        let mut measured = self.conn.prepare_cached(&format!(
            "SELECT DISTINCT run_id FROM job JOIN run ON run.id = job.run_id WHERE commit_id = ? AND kind = 'bench' \
             AND outcome IS NOT NULL AND run.machine_id = ? AND {IN_HISTORY}"
        ))?;
        let failures = format!(
            "SELECT {FAILURE} {FAILURE_FROM} WHERE {IN_HISTORY} AND job.commit_id = ?1 AND job.kind = 'bench' AND run.machine_id = ?2 \
             AND job.outcome != 'ok'"
        );
        for &(commit, _) in commits {
            for run in measured.query_map(params![commit, ids.machine], |row| row.get(0))? {
                runs.insert(run?);
            }
            let at = |_: &Row<'_>| Ok(Some(commit));
            self.add_failures(
                &mut found,
                &failures,
                (commit, ids.machine),
                &versions,
                &positions,
                at,
            )?;
        }
        let points = format!(
            "SELECT {POINT}, point.commit_id {POINT_FROM} WHERE {IN_HISTORY} AND point.run_id = ?1 AND series.machine_id = ?2 \
             AND series.metric_id = (SELECT id FROM metric WHERE name = ?3) \
             AND (series.subject_id = ?4 OR subject.role = 'baseline')"
        );
        let failures = format!(
            "SELECT {FAILURE} {FAILURE_FROM} WHERE job.run_id = ?1 AND job.kind = 'bench' AND subject.role = 'baseline' \
             AND job.outcome != 'ok'"
        );
        let none = HashMap::new();
        for run in runs {
            let at = |row: &Row<'_>| Ok(row.get::<_, Option<i64>>(9)?);
            let values = (run, ids.machine, metric_name(metric), ids.subject);
            self.add_points(
                &mut found, &points, values, metric, &versions, &positions, at,
            )?;
            self.add_failures(&mut found, &failures, (run,), &versions, &none, |_| {
                Ok(None)
            })?;
        }
        Ok(found.into_cells())
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one private call shared by three queries"
    )]
    fn add_points(
        &self,
        found: &mut Found,
        sql: &str,
        values: impl Params,
        metric: Metric,
        versions: &HashMap<i64, String>,
        positions: &HashMap<i64, i64>,
        commit: impl Fn(&Row<'_>) -> Result<Option<i64>>,
    ) -> Result<()> {
        let scale = to_shown(metric);
        let mut query = self.conn.prepare_cached(sql)?;
        let mut rows = query.query(values)?;
        while let Some(row) = rows.next()? {
            let Some(benchmark) = versions.get(&row.get(0)?) else {
                continue;
            };
            let Some(position) = place(row, commit(row)?, positions)? else {
                continue;
            };
            let point: f64 = row.get::<_, f64>(5)? * scale;
            let end = |at: usize| -> Result<f64> {
                Ok(row.get::<_, Option<f64>>(at)?.map_or(point, |v| v * scale))
            };
            let estimate = Estimate {
                point,
                low: end(6)?,
                high: end(7)?,
                processes: row.get(8)?,
            };
            let cell = Cell {
                benchmark: benchmark.clone(),
                variant: row.get(1)?,
                position,
                run: row.get(3)?,
                reading: Reading::Measured { estimate },
            };
            found.add(row.get(4)?, false, cell);
        }
        Ok(())
    }

    fn add_failures(
        &self,
        found: &mut Found,
        sql: &str,
        values: impl Params,
        versions: &HashMap<i64, String>,
        positions: &HashMap<i64, i64>,
        commit: impl Fn(&Row<'_>) -> Result<Option<i64>>,
    ) -> Result<()> {
        let mut query = self.conn.prepare_cached(sql)?;
        let mut rows = query.query(values)?;
        while let Some(row) = rows.next()? {
            let Some(benchmark) = versions.get(&row.get(0)?) else {
                continue;
            };
            let Some(position) = place(row, commit(row)?, positions)? else {
                continue;
            };
            let outcome = outcome("job", row.get(7)?, &row.get::<_, String>(5)?)?;
            let cell = Cell {
                benchmark: benchmark.clone(),
                variant: row.get(1)?,
                position,
                run: row.get(3)?,
                reading: Reading::Failed {
                    outcome,
                    detail: row.get(6)?,
                },
            };
            found.add(row.get(4)?, outcome == Outcome::NotRun, cell);
        }
        Ok(())
    }
}

/// `Some(None)` for a baseline, `Some(position)` for a commit on the line, `None` for one that is not.
fn place(
    row: &Row<'_>,
    commit: Option<i64>,
    positions: &HashMap<i64, i64>,
) -> Result<Option<Option<i64>>> {
    if row.get::<_, String>(2)? == "baseline" {
        return Ok(Some(None));
    }
    Ok(commit.and_then(|c| positions.get(&c)).map(|&p| Some(p)))
}
