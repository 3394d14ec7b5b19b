//! Upkeep of the file: check, backup, retention.

use crate::{Result, Store, StoreError, now_s};
use rusqlite::params;
use std::path::Path;

/// What [`Store::gc`] removed, in rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Removed {
    pub counters: usize,
    pub traces: usize,
    pub test_results: usize,
    pub artifacts: usize,
}

impl Store {
    /// Checks the file: SQLite's own integrity check, foreign keys, and the rules that hold between rows.
    ///
    /// Returns the findings, one a line; none means sound.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the check itself cannot go on.
    pub fn check(&self) -> Result<Vec<String>> {
        let damaged = |e: rusqlite::Error| StoreError::Damaged {
            path: self.path().into(),
            findings: e.to_string(),
        };
        let mut findings = Vec::new();
        let mut query = self
            .conn
            .prepare("PRAGMA integrity_check")
            .map_err(damaged)?;
        for line in query
            .query_map([], |row| row.get::<_, String>(0))
            .map_err(damaged)?
        {
            let line = line.map_err(damaged)?;
            if line != "ok" {
                findings.push(line);
            }
        }
        let mut query = self
            .conn
            .prepare("PRAGMA foreign_key_check")
            .map_err(damaged)?;
        let broken = query
            .query_map([], |row| {
                Ok(format!(
                    "{} row {}: no such {}",
                    row.get::<_, String>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, String>(2)?
                ))
            })
            .map_err(damaged)?;
        for line in broken {
            findings.push(line.map_err(damaged)?);
        }
        for (rule, sql) in RULES {
            let count: i64 = self
                .conn
                .query_row(sql, [], |row| row.get(0))
                .map_err(damaged)?;
            if count > 0 {
                findings.push(format!("{count} rows break the rule: {rule}"));
            }
        }
        Ok(findings)
    }

    /// Copies the database, consistently and while it is in use, to a new file at `target`.
    ///
    /// # Errors
    /// [`StoreError::Backup`].
    pub fn backup(&self, target: &Path) -> Result<()> {
        self.conn
            .backup("main", target, None)
            .map_err(|cause| StoreError::Backup {
                path: target.into(),
                cause,
            })
    }

    /// Removes what the retention table no longer keeps, and artifacts nothing points to.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn gc(&mut self) -> Result<Removed> {
        let now = now_s();
        let removed = self.atomically(|store| {
            let limit = |kind: &str| -> Result<Option<i64>> {
                let days: Option<i64> =
                    store.conn.query_row("SELECT keep_days FROM retention WHERE kind = ?", [kind], |row| row.get(0))?;
                Ok(days.map(|days| now - days * 86_400))
            };
            let (counter, trace) = (limit("counter")?, limit("trace")?);
            let (test_result, log, output) = (limit("test_result")?, limit("log")?, limit("output")?);
            let of_old_processes = "process_id IN (SELECT id FROM process WHERE started_s < ?)";
            let mut removed = Removed::default();
            if let Some(before) = counter {
                removed.counters =
                    store.conn.execute(&format!("DELETE FROM counter WHERE {of_old_processes}"), [before])?;
            }
            if let Some(before) = trace {
                removed.traces = store.conn.execute(&format!("DELETE FROM trace WHERE {of_old_processes}"), [before])?;
            }
            if let Some(before) = test_result {
                removed.test_results = store.conn.execute(
                    "DELETE FROM test_result WHERE job_id IN \
                     (SELECT job.id FROM job JOIN run ON run.id = job.run_id WHERE run.started_s < ?)",
                    [before],
                )?;
            }
            if let Some(before) = log {
                store.conn.execute("UPDATE build SET log_sha256 = NULL WHERE finished_s < ?", [before])?;
            }
            if let Some(before) = output {
                store.conn.execute("UPDATE process SET output_sha256 = NULL WHERE started_s < ?", [before])?;
            }
            removed.artifacts = store.conn.execute(
                "DELETE FROM artifact WHERE kind IN ('build-log', 'output', 'message') \
                 AND sha256 NOT IN (SELECT log_sha256 FROM build WHERE log_sha256 IS NOT NULL) \
                 AND sha256 NOT IN (SELECT output_sha256 FROM process WHERE output_sha256 IS NOT NULL) \
                 AND sha256 NOT IN (SELECT message_sha256 FROM test_result WHERE message_sha256 IS NOT NULL)",
                params![],
            )?;
            store.audit("nightjar", "gc", &serde_json::json!(removed))?;
            Ok(removed)
        })?;
        self.conn
            .execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA optimize;")?;
        Ok(removed)
    }
}

/// Rules between rows that the schema cannot state.
const RULES: &[(&str, &str)] = &[
    (
        "a done job has an outcome",
        "SELECT count(*) FROM job WHERE state = 'done' AND outcome IS NULL",
    ),
    (
        "a done process has outcome and content hash",
        "SELECT count(*) FROM process WHERE state = 'done' AND (outcome IS NULL OR content_sha256 IS NULL)",
    ),
    (
        "a point belongs to a job that is ok",
        "SELECT count(*) FROM point JOIN job ON job.id = point.job_id WHERE job.outcome IS NOT 'ok'",
    ),
    (
        "a finished run has no running process",
        "SELECT count(*) FROM process JOIN job ON job.id = process.job_id JOIN run ON run.id = job.run_id \
         WHERE process.state = 'running' AND run.state IN ('complete', 'deadline')",
    ),
    (
        "iteration samples match in number",
        "SELECT count(*) FROM sample AS a JOIN sample AS b ON a.process_id = b.process_id \
      WHERE a.metric_id = (SELECT id FROM metric WHERE name = 'wall') \
        AND b.metric_id = (SELECT id FROM metric WHERE name = 'cpu') AND a.n != b.n",
    ),
];
