//! `benchmark` and `benchmark_version`: a changed source starts a new series.

use crate::{BenchmarkVersionId, Result, Store, now_s};
use rusqlite::params;

/// A benchmark as its manifest describes it.
#[derive(Debug, Clone)]
pub struct Benchmark {
    pub suite: String,
    pub name: String,
    pub category: String,
    pub source_sha256: String,
    /// Inner iterations per timed call.
    pub inner: u64,
    pub expected_result: String,
    /// Wall-time limit of one process.
    pub limit_ns: u64,
}

impl Store {
    /// Finds or adds the version; expected result and limit follow the manifest.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn benchmark_version(&mut self, benchmark: &Benchmark) -> Result<BenchmarkVersionId> {
        let id: i64 = self.conn.query_row(
            "INSERT INTO benchmark (suite, name, category) VALUES (?, ?, ?) \
             ON CONFLICT (suite, name) DO UPDATE SET category = excluded.category RETURNING id",
            params![benchmark.suite, benchmark.name, benchmark.category],
            |row| row.get(0),
        )?;
        Ok(self.conn.query_row(
            "INSERT INTO benchmark_version (benchmark_id, source_sha256, inner, expected_result, limit_ns, first_seen_s) \
             VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (benchmark_id, source_sha256, inner, params_json) \
             DO UPDATE SET expected_result = excluded.expected_result, limit_ns = excluded.limit_ns RETURNING id",
            params![
                id,
                benchmark.source_sha256,
                benchmark.inner as i64,
                benchmark.expected_result,
                benchmark.limit_ns as i64,
                now_s()
            ],
            |row| row.get(0),
        )?)
    }
}
