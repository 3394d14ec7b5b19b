//! `change_point`: where a series shifts, as an analysis found it.

use crate::{BenchmarkVersionId, CommitId, MachineId, ModeId, Result, Store, SubjectId};
use rusqlite::params;

/// A change point to store.
#[derive(Debug, Clone)]
pub struct Found<'a> {
    pub subject: SubjectId,
    pub benchmark: BenchmarkVersionId,
    pub mode: ModeId,
    pub machine: MachineId,
    /// Name of the metric.
    pub metric: &'a str,
    /// First commit on the new level.
    pub commit: CommitId,
    /// Last commit on the old level.
    pub previous: Option<CommitId>,
    pub algorithm: &'a str,
    pub params_json: &'a str,
    /// Probability of a shift this large by chance.
    pub p: f64,
    /// New level over old.
    pub ratio: f64,
    /// `provisional`, `established`, `confirmed` or `noise`.
    pub status: &'a str,
}

impl Store {
    /// Stores a change point; the same place found again by the same algorithm follows the newest analysis.
    ///
    /// # Errors
    /// What SQLite says, for instance when the series has no point yet.
    pub fn change_point(&mut self, found: &Found<'_>) -> Result<()> {
        self.conn.execute(
            "INSERT INTO change_point (series_id, commit_id, prev_commit_id, algorithm, params_json, p, ratio, status) \
             VALUES ((SELECT series.id FROM series JOIN metric ON metric.id = series.metric_id WHERE series.subject_id = ? \
              AND benchmark_version_id = ? AND mode_id = ? AND machine_id = ? AND metric.name = ?), ?, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT (series_id, commit_id, algorithm) DO UPDATE SET prev_commit_id = excluded.prev_commit_id, \
             params_json = excluded.params_json, p = excluded.p, ratio = excluded.ratio, status = excluded.status",
            params![
                found.subject,
                found.benchmark,
                found.mode,
                found.machine,
                found.metric,
                found.commit,
                found.previous,
                found.algorithm,
                found.params_json,
                found.p,
                found.ratio,
                found.status
            ],
        )?;
        Ok(())
    }
}
