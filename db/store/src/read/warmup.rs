//! Iterations of the processes behind the newest reading of a benchmark.

use super::scope::Ids;
use crate::{ProcessId, Result, Store};
use dashboard_api::WarmupCurve;
use rusqlite::params;

impl Store {
    /// The newest position at which `benchmark` ended well in some mode, and one curve per variant of that run.
    pub(super) fn page_warmup(
        &self,
        ids: Ids,
        benchmark: &str,
    ) -> Result<Option<(i64, Vec<WarmupCurve>)>> {
        let versions = self.newest_versions()?;
        let Some((&version, _)) = versions.iter().find(|(_, name)| *name == benchmark) else {
            return Ok(None);
        };
        // Rows come in the order they were measured; among the newest of each mode the highest position stands.
        let mut recent = self.conn.prepare_cached(
            "SELECT job.run_id, job.commit_id, c.seq FROM job JOIN \"commit\" AS c ON c.id = job.commit_id \
             JOIN run ON run.id = job.run_id WHERE job.benchmark_version_id = ?1 AND job.mode_id = ?2 \
             AND run.machine_id = ?3 AND job.kind = 'bench' AND job.outcome = 'ok' ORDER BY job.id DESC LIMIT 8",
        )?;
        let mut modes = self
            .conn
            .prepare_cached("SELECT id FROM mode WHERE subject_id = ?")?;
        let modes: Vec<i64> = modes
            .query_map([ids.subject], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let mut newest: Option<(i64, i64, i64)> = None;
        for mode in modes {
            let rows = recent.query_map(params![version, mode, ids.machine], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
            for row in rows {
                let row: (i64, i64, i64) = row?;
                if newest.is_none_or(|best| (row.2, row.0) > (best.2, best.0)) {
                    newest = Some(row);
                }
            }
        }
        let Some((run, commit, position)) = newest else {
            return Ok(None);
        };
        // The plus keeps the planner on the jobs of the run, which are fewer than those of the benchmark.
        let mut jobs = self.conn.prepare_cached(
            "SELECT job.id, CASE subject.role WHEN 'baseline' THEN subject.name ELSE mode.name END FROM job \
             JOIN subject ON subject.id = job.subject_id JOIN mode ON mode.id = job.mode_id WHERE job.run_id = ?1 \
             AND +job.benchmark_version_id = ?2 AND job.kind = 'bench' AND job.outcome = 'ok' \
             AND (job.commit_id = ?3 OR subject.role = 'baseline') ORDER BY subject.role = 'baseline', mode.id",
        )?;
        let jobs: Vec<(i64, String)> = jobs
            .query_map(params![run, version, commit], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?
            .collect::<rusqlite::Result<_>>()?;
        let mut curves = Vec::new();
        for (job, variant) in jobs {
            curves.push(self.curve(job, variant)?);
        }
        curves.retain(|curve| !curve.processes.is_empty());
        Ok(Some((position, curves)))
    }

    fn curve(&self, job: i64, variant: String) -> Result<WarmupCurve> {
        let mut query = self.conn.prepare_cached(
            "SELECT id, steady_from, warmup_class FROM process AS p WHERE job_id = ? AND outcome = 'ok' AND revision = \
             (SELECT max(revision) FROM process WHERE job_id = p.job_id AND idx = p.idx) ORDER BY idx",
        )?;
        let rows: Vec<(ProcessId, Option<u32>, Option<String>)> = query
            .query_map([job], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let mut processes = Vec::new();
        for (id, ..) in &rows {
            let wall = self.samples(*id, "wall")?;
            processes.push(wall.into_iter().map(|ns| ns * 1e-9).collect());
        }
        let mut steady: Vec<u32> = rows.iter().filter_map(|row| row.1).collect();
        steady.sort_unstable();
        let mut classes: Vec<String> = rows.into_iter().filter_map(|row| row.2).collect();
        classes.sort_unstable();
        classes.dedup();
        Ok(WarmupCurve {
            variant,
            processes,
            steady_from: steady.get(steady.len() / 2).copied(),
            class: if classes.len() > 1 {
                format!("inconsistent: {}", classes.join(", "))
            } else {
                classes.pop().unwrap_or_default()
            },
        })
    }
}
