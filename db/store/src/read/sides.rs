//! What a comparison needs: everything measured of one commit or baseline, job by job, and the history of a series.

use super::scope::IN_HISTORY;
use crate::{
    BenchmarkVersionId, JobId, MachineId, ModeId, Result, RunId, Store, StoreError, SubjectId,
};
use rusqlite::{OptionalExtension, params};

/// Which commit of which subject, or which program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    pub subject: String,
    /// Full id; `None` for a baseline.
    pub sha: Option<String>,
}

/// One benchmark job of one side.
#[derive(Debug, Clone, PartialEq)]
pub struct SideJob {
    pub job: JobId,
    pub run: RunId,
    pub run_key: String,
    pub started_s: i64,
    pub subject: SubjectId,
    pub machine: MachineId,
    pub mode_id: ModeId,
    pub mode: String,
    pub version: BenchmarkVersionId,
    /// `suite/name`.
    pub benchmark: String,
    pub outcome: String,
    pub reason: String,
    /// Hash of the program's executable section, where it is known.
    pub text_sha256: Option<String>,
}

/// A point of a series, as its history shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryPoint {
    pub commit: crate::CommitId,
    pub sha: String,
    pub seq: i64,
    pub commit_time_s: i64,
    pub run: RunId,
    pub job: JobId,
    pub geomean: f64,
}

impl Store {
    /// The full id of the commit of `subject` that begins with `prefix`; `None` when there is none or more than one.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn known_sha(&self, subject: &str, prefix: &str) -> Result<Option<String>> {
        if prefix.len() < 4 || !prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let mut query = self.conn.prepare(
            "SELECT c.sha FROM \"commit\" AS c JOIN subject ON subject.id = c.subject_id \
             WHERE subject.name = ? AND c.sha LIKE ? || '%' LIMIT 2",
        )?;
        let found: Vec<String> = query
            .query_map(params![subject, prefix.to_ascii_lowercase()], |row| {
                row.get(0)
            })?
            .collect::<rusqlite::Result<_>>()?;
        Ok((found.len() == 1).then(|| found[0].clone()))
    }

    /// The newest measured commit of a subject.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn newest_measured(&self, subject: &str) -> Result<Option<String>> {
        Ok(self
            .conn
            .query_row(
                "SELECT c.sha FROM \"commit\" AS c JOIN subject ON subject.id = c.subject_id WHERE subject.name = ? \
                 AND EXISTS (SELECT 1 FROM point WHERE point.commit_id = c.id) ORDER BY c.seq DESC LIMIT 1",
                [subject],
                |row| row.get(0),
            )
            .optional()?)
    }

    /// All timed (or all counted) jobs of one side on any machine, the newest run first; jobs that were not run are left out.
    ///
    /// # Errors
    /// [`StoreError::Missing`] for a subject or commit nobody measured, or what SQLite says.
    pub fn side_jobs(&self, who: &Who, counted: bool) -> Result<Vec<SideJob>> {
        let kind = if counted { "count" } else { "bench" };
        let mut query = self.conn.prepare(
            "SELECT job.id, run.id, run.key, run.started_s, job.subject_id, run.machine_id, mode.id, mode.name, bv.id, \
             b.suite || '/' || b.name, job.outcome, job.reason, build.text_sha256 \
             FROM job JOIN run ON run.id = job.run_id JOIN subject ON subject.id = job.subject_id \
             JOIN mode ON mode.id = job.mode_id JOIN benchmark_version AS bv ON bv.id = job.benchmark_version_id \
             JOIN benchmark AS b ON b.id = bv.benchmark_id LEFT JOIN \"commit\" AS c ON c.id = job.commit_id \
             LEFT JOIN build ON build.id = job.build_id \
             WHERE job.kind = ?3 AND job.outcome IS NOT NULL AND job.outcome != 'not-run' AND subject.name = ?1 \
             AND c.sha IS ?2 ORDER BY run.started_s DESC, run.id DESC, job.ordinal",
        )?;
        let jobs = query
            .query_map(params![who.subject, who.sha, kind], |row| {
                Ok(SideJob {
                    job: row.get(0)?,
                    run: row.get(1)?,
                    run_key: row.get(2)?,
                    started_s: row.get(3)?,
                    subject: row.get(4)?,
                    machine: row.get(5)?,
                    mode_id: row.get(6)?,
                    mode: row.get(7)?,
                    version: row.get(8)?,
                    benchmark: row.get(9)?,
                    outcome: row.get(10)?,
                    reason: row.get(11)?,
                    text_sha256: row.get(12)?,
                })
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        if jobs.is_empty() {
            let name = match &who.sha {
                Some(sha) => format!("{}@{}", who.subject, sha.get(..12).unwrap_or(sha)),
                None => who.subject.clone(),
            };
            return Err(StoreError::Missing {
                what: "benchmark results of anything",
                name,
            });
        }
        Ok(jobs)
    }

    /// The points of one series in the order of the first-parent line, the newest run's for each commit.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn history(
        &self,
        subject: SubjectId,
        version: BenchmarkVersionId,
        mode: ModeId,
        machine: MachineId,
        metric: &str,
    ) -> Result<Vec<HistoryPoint>> {
        let mut query = self.conn.prepare_cached(&format!(
            "SELECT c.id, c.sha, c.seq, c.commit_time_s, point.run_id, point.job_id, point.geomean FROM series \
             JOIN metric ON metric.id = series.metric_id CROSS JOIN point ON point.series_id = series.id \
             JOIN \"commit\" AS c ON c.id = point.commit_id JOIN run ON run.id = point.run_id \
             WHERE series.subject_id = ? AND series.benchmark_version_id = ? AND series.mode_id = ? \
             AND series.machine_id = ? AND metric.name = ? AND {IN_HISTORY} \
             ORDER BY c.seq, c.id, run.started_s, run.id"
        ))?;
        let rows = query.query_map(params![subject, version, mode, machine, metric], |row| {
            Ok(HistoryPoint {
                commit: row.get(0)?,
                sha: row.get(1)?,
                seq: row.get(2)?,
                commit_time_s: row.get(3)?,
                run: row.get(4)?,
                job: row.get(5)?,
                geomean: row.get(6)?,
            })
        })?;
        let mut points: Vec<HistoryPoint> = Vec::new();
        for point in rows {
            let point = point?;
            match points.last_mut() {
                // Of two points at one place the later run stands, and of two commits there the newer row.
                Some(last) if last.seq == point.seq => *last = point,
                _ => points.push(point),
            }
        }
        Ok(points)
    }

    /// The same for a counter of the VM: the middle one of each job's processes. It has no points, since it may be 0.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn counter_history(
        &self,
        subject: SubjectId,
        version: BenchmarkVersionId,
        mode: ModeId,
        machine: MachineId,
        counter: &str,
    ) -> Result<Vec<(String, f64)>> {
        let mut query = self.conn.prepare_cached(&format!(
            "SELECT c.sha, c.seq, job.id FROM job JOIN run ON run.id = job.run_id JOIN \"commit\" AS c ON c.id = job.commit_id \
             WHERE job.subject_id = ? AND job.benchmark_version_id = ? AND job.mode_id = ? AND run.machine_id = ? \
             AND job.kind = 'bench' AND job.outcome = 'ok' AND {IN_HISTORY} ORDER BY c.seq, c.id, run.started_s, run.id"
        ))?;
        let rows = query.query_map(params![subject, version, mode, machine], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
        let mut jobs: Vec<(String, i64, JobId)> = Vec::new();
        for row in rows {
            let row = row?;
            match jobs.last_mut() {
                Some(last) if last.1 == row.1 => *last = row,
                _ => jobs.push(row),
            }
        }
        let mut levels = Vec::new();
        for (sha, _, job) in jobs {
            if let Some(values) = self.counters(job)?.get(counter) {
                levels.push((sha, stats::sample::median(values)));
            }
        }
        Ok(levels)
    }
}
