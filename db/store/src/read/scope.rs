//! Which subject and machine a page is about.

use crate::{MachineId, Result, Store, StoreError, SubjectId};
use dashboard_api::Scope;
use rusqlite::params;
use std::collections::HashMap;

/// The rows behind a [`Scope`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Ids {
    pub(super) subject: SubjectId,
    pub(super) machine: MachineId,
}

/// The commits of subject `?1` that were built on machine `?2`, one per position, as `line (id, seq)`.
pub(super) const LINE: &str = "WITH line (id, seq) AS ( \
     SELECT max(c.id), c.seq FROM \"commit\" AS c WHERE c.subject_id = ?1 \
     AND EXISTS (SELECT 1 FROM build AS b WHERE b.commit_id = c.id AND b.machine_id = ?2) GROUP BY c.seq)";

/// Whether run `run` is part of the history that pages show. A confirmation or an ablation measures a few cells anew, without the
/// baselines beside them: it answers its own question and replaces no night's reading.
pub(super) const IN_HISTORY: &str = "run.reason NOT IN ('confirm', 'ablate')";

impl Store {
    /// Subjects and machines with builds, the machine with the newest run first.
    pub(super) fn page_scopes(&self) -> Result<Vec<(Scope, Ids)>> {
        let machines = self.machine_labels()?;
        let mut query = self.conn.prepare_cached(
            "SELECT subject.id, subject.name, machine.id FROM subject JOIN machine WHERE subject.role = 'subject' \
             AND EXISTS (SELECT 1 FROM build WHERE build.subject_id = subject.id AND build.machine_id = machine.id) \
             ORDER BY (SELECT max(started_s) FROM run WHERE run.machine_id = machine.id) DESC, subject.id",
        )?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.map(|row| {
            let (subject, name, machine): (SubjectId, String, MachineId) = row?;
            let machine_label = machines.get(&machine).cloned().unwrap_or_default();
            Ok((
                Scope {
                    subject: name,
                    machine: machine_label,
                },
                Ids { subject, machine },
            ))
        })
        .collect()
    }

    /// The rows of `scope`; `None` when nothing was ever built in it.
    pub(super) fn page_ids(&self, scope: &Scope) -> Result<Option<Ids>> {
        Ok(self
            .page_scopes()?
            .into_iter()
            .find(|(known, _)| known == scope)
            .map(|(_, ids)| ids))
    }

    /// Display names of machines; those that share a name get the start of their fingerprint behind it.
    fn machine_labels(&self) -> Result<HashMap<MachineId, String>> {
        let mut query = self.conn.prepare_cached(
            "SELECT id, CASE WHEN (SELECT count(*) FROM machine AS other WHERE other.name = machine.name) = 1 THEN name \
             ELSE name || ' (' || substr(fingerprint, 1, 8) || ')' END FROM machine",
        )?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Every commit of the line with its position.
    pub(super) fn line(&self, ids: Ids) -> Result<Vec<(i64, i64)>> {
        let mut query = self
            .conn
            .prepare_cached(&format!("{LINE} SELECT id, seq FROM line"))?;
        let rows = query.query_map(params![ids.subject, ids.machine], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The newest `limit` positions with a finished benchmark job, ascending.
    pub(super) fn measured_positions(&self, ids: Ids, limit: usize) -> Result<Vec<(i64, i64)>> {
        let sql = format!(
            "{LINE} SELECT line.id, line.seq FROM line WHERE EXISTS (SELECT 1 FROM job JOIN run ON run.id = job.run_id \
             WHERE job.commit_id = line.id AND job.kind = 'bench' AND job.outcome IS NOT NULL \
             AND job.outcome != 'not-run' AND run.machine_id = ?2) ORDER BY line.seq DESC LIMIT ?3"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut query = self.conn.prepare_cached(&sql)?;
        let rows = query.query_map(params![ids.subject, ids.machine, limit], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        let mut all: Vec<(i64, i64)> = rows.collect::<rusqlite::Result<_>>()?;
        all.reverse();
        Ok(all)
    }

    /// The commit at `position`.
    pub(super) fn commit_at(&self, ids: Ids, position: i64) -> Result<Option<i64>> {
        let sql = format!("{LINE} SELECT id FROM line WHERE seq = ?3");
        let mut query = self.conn.prepare_cached(&sql)?;
        let mut rows = query.query_map(params![ids.subject, ids.machine, position], |row| {
            row.get(0)
        })?;
        Ok(rows.next().transpose()?)
    }
}

/// An outcome as stored, or an error that names the row.
pub(super) fn outcome(table: &'static str, id: i64, word: &str) -> Result<dashboard_api::Outcome> {
    dashboard_api::Outcome::from_word(word).ok_or_else(|| StoreError::Malformed {
        table,
        id,
        what: format!("outcome {word}"),
    })
}
