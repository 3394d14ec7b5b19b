//! Points with everything that other programs want to know about them.

use crate::{JobId, ProcessId, Result, Store};
use rusqlite::params;

/// Which points.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Full id of a commit.
    pub sha: Option<String>,
    pub mode: Option<String>,
    /// `suite/name` or the name alone.
    pub benchmark: Option<String>,
    pub subject: Option<String>,
}

/// A point of steady wall time.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportPoint {
    pub job: JobId,
    pub benchmark: String,
    pub source_sha256: String,
    pub subject: String,
    /// `None` for a baseline.
    pub sha: Option<String>,
    pub seq: i64,
    pub commit_time_s: i64,
    pub title: String,
    pub mode: String,
    pub version: String,
    pub machine: String,
    pub cpu_model: String,
    pub cores: u32,
    pub memory_bytes: u64,
    pub kernel: String,
    pub run: String,
    pub started_s: i64,
    pub geomean_ns: f64,
    pub interval_ns: Option<(f64, f64)>,
}

/// A process of a point.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportProcess {
    pub walls_ns: Vec<f64>,
    pub steady_from: usize,
    pub started_s: i64,
    pub wall_ns: u64,
    pub peak_rss_bytes: u64,
    pub hash_seed: String,
}

/// A test case of a commit.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportCase {
    pub mode: String,
    pub module: String,
    pub case: String,
    pub outcome: String,
    pub duration_ns: u64,
    pub message: String,
}

impl Store {
    /// The points of `filter`, of each (subject, commit, mode, benchmark, machine) the newest, by commit, benchmark and mode.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn export_points(&self, filter: &Filter) -> Result<Vec<ExportPoint>> {
        let mut query = self.conn.prepare(
            "SELECT point.job_id, b.suite || '/' || b.name, bv.source_sha256, subject.name, c.sha, coalesce(c.seq, 0), \
             coalesce(c.commit_time_s, 0), coalesce(c.title, ''), mode.name, build.version, machine.name, \
             machine.cpu_model, machine.cores, machine.memory_bytes, machine.kernel, run.key, run.started_s, \
             point.geomean, point.low, point.high, max(run.started_s * 1000000 + run.id) \
             FROM point JOIN series ON series.id = point.series_id \
             JOIN metric ON metric.id = series.metric_id AND metric.name = 'wall' \
             JOIN subject ON subject.id = series.subject_id JOIN mode ON mode.id = series.mode_id \
             JOIN machine ON machine.id = series.machine_id JOIN benchmark_version AS bv ON bv.id = series.benchmark_version_id \
             JOIN benchmark AS b ON b.id = bv.benchmark_id JOIN run ON run.id = point.run_id \
             JOIN build ON build.id = point.build_id LEFT JOIN \"commit\" AS c ON c.id = point.commit_id \
             WHERE (?1 IS NULL OR c.sha = ?1) AND (?2 IS NULL OR mode.name = ?2) \
             AND (?3 IS NULL OR b.name = ?3 OR b.suite || '/' || b.name = ?3) AND (?4 IS NULL OR subject.name = ?4) \
             GROUP BY subject.id, c.id, mode.name, b.id, machine.id \
             ORDER BY subject.name, c.seq, c.id, b.suite, b.name, mode.id, machine.id",
        )?;
        let rows = query.query_map(
            params![filter.sha, filter.mode, filter.benchmark, filter.subject],
            |row| {
                let ends: (Option<f64>, Option<f64>) = (row.get(18)?, row.get(19)?);
                Ok(ExportPoint {
                    job: row.get(0)?,
                    benchmark: row.get(1)?,
                    source_sha256: row.get(2)?,
                    subject: row.get(3)?,
                    sha: row.get(4)?,
                    seq: row.get(5)?,
                    commit_time_s: row.get(6)?,
                    title: row.get(7)?,
                    mode: row.get(8)?,
                    version: row.get::<_, Option<String>>(9)?.unwrap_or_default(),
                    machine: row.get(10)?,
                    cpu_model: row.get(11)?,
                    cores: row.get(12)?,
                    memory_bytes: row.get::<_, i64>(13)? as u64,
                    kernel: row.get(14)?,
                    run: row.get(15)?,
                    started_s: row.get(16)?,
                    geomean_ns: row.get(17)?,
                    interval_ns: ends.0.zip(ends.1),
                })
            },
        )?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The processes behind a point.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn export_processes(&self, job: JobId) -> Result<Vec<ExportProcess>> {
        let mut query = self.conn.prepare_cached(
            "SELECT id, steady_from, started_s, wall_ns, peak_rss_bytes, coalesce(hash_seed, ''), \
             warmup_class IS 'no-steady-state' FROM process AS p WHERE job_id = ? AND state = 'done' AND outcome = 'ok' \
             AND revision = (SELECT max(revision) FROM process WHERE job_id = p.job_id AND idx = p.idx) ORDER BY idx",
        )?;
        let rows: Vec<(ProcessId, Option<u32>, bool, ExportProcess)> = query
            .query_map([job], |row| {
                let process = ExportProcess {
                    walls_ns: Vec::new(),
                    steady_from: 0,
                    started_s: row.get(2)?,
                    wall_ns: row.get::<_, i64>(3)? as u64,
                    peak_rss_bytes: row.get::<_, i64>(4)? as u64,
                    hash_seed: row.get(5)?,
                };
                Ok((row.get(0)?, row.get(1)?, row.get(6)?, process))
            })?
            .collect::<rusqlite::Result<_>>()?;
        rows.into_iter()
            .map(|(id, steady_from, unsettled, mut process)| {
                process.walls_ns = self.samples(id, "wall")?;
                process.steady_from = match steady_from {
                    Some(from) => from as usize,
                    // As in the points: what never settled counts with its second half.
                    None if unsettled => process.walls_ns.len() / 2,
                    None => 0,
                };
                Ok(process)
            })
            .collect()
    }

    /// The library tests of a commit in the newest run that has them, in all modes or in one.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn export_cases(
        &self,
        subject: &str,
        sha: &str,
        mode: Option<&str>,
    ) -> Result<Vec<ExportCase>> {
        let mut query = self.conn.prepare(
            "SELECT mode.name, test_case.module, test_case.name, r.outcome, r.duration_ns, \
             coalesce(CAST(artifact.content AS TEXT), '') FROM job \
             JOIN subject ON subject.id = job.subject_id JOIN \"commit\" AS c ON c.id = job.commit_id \
             JOIN mode ON mode.id = job.mode_id JOIN test_result AS r ON r.job_id = job.id \
             JOIN test_case ON test_case.id = r.test_case_id LEFT JOIN artifact ON artifact.sha256 = r.message_sha256 \
             WHERE job.kind = 'tests' AND subject.name = ?1 AND c.sha = ?2 AND (?3 IS NULL OR mode.name = ?3) \
             AND job.run_id = (SELECT max(j.run_id) FROM job AS j WHERE j.commit_id = c.id AND j.kind = 'tests' \
               AND EXISTS (SELECT 1 FROM test_result WHERE job_id = j.id)) \
             AND r.attempt = (SELECT max(attempt) FROM test_result WHERE job_id = r.job_id AND test_case_id = r.test_case_id) \
             ORDER BY mode.id, test_case.module, test_case.name",
        )?;
        let rows = query.query_map(params![subject, sha, mode], |row| {
            Ok(ExportCase {
                mode: row.get(0)?,
                module: row.get(1)?,
                case: row.get(2)?,
                outcome: row.get(3)?,
                duration_ns: row.get::<_, i64>(4)? as u64,
                message: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether a program of that name was measured as a baseline.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn is_baseline(&self, name: &str) -> Result<bool> {
        Ok(self.conn.query_row(
            "SELECT count(*) FROM subject WHERE name = ? AND role = 'baseline'",
            [name],
            |row| row.get::<_, i64>(0),
        )? > 0)
    }

    /// The names of all modes, sorted, those of ablations and canaries too.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn mode_names(&self) -> Result<Vec<String>> {
        self.names("SELECT DISTINCT name FROM mode ORDER BY 1")
    }

    /// The names of all benchmarks, `suite/name`, sorted.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn benchmark_names(&self) -> Result<Vec<String>> {
        self.names("SELECT suite || '/' || name FROM benchmark ORDER BY 1")
    }

    fn names(&self, sql: &str) -> Result<Vec<String>> {
        let mut query = self.conn.prepare(sql)?;
        let names = query.query_map([], |row| row.get(0))?;
        Ok(names.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether a run of that key was taken in.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn has_run(&self, key: &str) -> Result<bool> {
        Ok(self
            .conn
            .query_row("SELECT count(*) FROM run WHERE key = ?", [key], |row| {
                row.get::<_, i64>(0)
            })?
            > 0)
    }
}
