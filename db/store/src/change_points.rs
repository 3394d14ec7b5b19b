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
    /// What SQLite says, for instance when there is no such metric.
    pub fn change_point(&mut self, found: &Found<'_>) -> Result<()> {
        let series = self.series(
            found.subject,
            found.benchmark,
            found.mode,
            found.machine,
            found.metric,
        )?;
        self.conn.execute(
            "INSERT INTO change_point (series_id, commit_id, prev_commit_id, algorithm, params_json, p, ratio, status) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT (series_id, commit_id, algorithm) DO UPDATE SET prev_commit_id = excluded.prev_commit_id, \
             params_json = excluded.params_json, p = excluded.p, ratio = excluded.ratio, status = excluded.status",
            params![
                series,
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
