//! Runs and their environment.

use super::scope::{Ids, LINE};
use crate::{Result, Store, StoreError};
use dashboard_api::{EnvFact, Grade, Night};
use rusqlite::{OptionalExtension, params};
use serde::Deserialize;

impl Store {
    pub(super) fn page_nights(&self, ids: Ids, limit: usize) -> Result<Vec<Night>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut query = self.conn.prepare_cached(
            "SELECT run.id, started_s, finished_s, state, tier, platform_version, env_snapshot.grade, \
             (SELECT count(*) FROM job WHERE run_id = run.id AND kind = 'bench' AND outcome = 'ok'), \
             (SELECT count(*) FROM job WHERE run_id = run.id AND kind = 'bench' \
              AND outcome NOT IN ('ok', 'not-run', 'unsupported')), \
             (SELECT count(*) FROM job WHERE run_id = run.id AND kind = 'bench' AND outcome IN ('not-run', 'unsupported')) \
             FROM run JOIN env_snapshot ON env_snapshot.id = run.env_snapshot_id WHERE run.machine_id = ? \
             ORDER BY started_s DESC, run.id DESC LIMIT ?",
        )?;
        let rows = query.query_map(params![ids.machine, limit], |row| {
            Ok(Night {
                run: row.get(0)?,
                started_at: row.get(1)?,
                finished_at: row.get(2)?,
                state: row.get(3)?,
                tier: row.get(4)?,
                positions: Vec::new(),
                platform_version: row.get(5)?,
                grade: Grade::from_word(&row.get::<_, String>(6)?),
                cells_ok: row.get(7)?,
                cells_failed: row.get(8)?,
                cells_not_run: row.get(9)?,
            })
        })?;
        let mut nights: Vec<Night> = rows.collect::<rusqlite::Result<_>>()?;
        let sql = format!(
            "{LINE} SELECT DISTINCT line.seq FROM job JOIN line ON line.id = job.commit_id WHERE job.run_id = ?3 \
             ORDER BY line.seq DESC"
        );
        let mut positions = self.conn.prepare_cached(&sql)?;
        for night in &mut nights {
            let rows = positions
                .query_map(params![ids.subject, ids.machine, night.run], |row| {
                    row.get(0)
                })?;
            night.positions = rows.collect::<rusqlite::Result<_>>()?;
        }
        Ok(nights)
    }

    pub(super) fn page_environment(&self, run: i64) -> Result<Vec<EnvFact>> {
        #[derive(Deserialize)]
        struct Fact {
            name: String,
            #[serde(default)]
            value: serde_json::Value,
            #[serde(default)]
            grade: String,
            #[serde(default)]
            note: String,
        }
        let row: Option<(i64, String)> = self
            .conn
            .query_row(
                "SELECT env_snapshot.id, facts_json FROM run JOIN env_snapshot ON env_snapshot.id = run.env_snapshot_id \
                 WHERE run.id = ?",
                [run],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        let Some((id, text)) = row else {
            return Ok(Vec::new());
        };
        let facts: Vec<Fact> =
            serde_json::from_str(&text).map_err(|source| StoreError::Malformed {
                table: "env_snapshot",
                id,
                what: source.to_string(),
            })?;
        Ok(facts
            .into_iter()
            .map(|fact| EnvFact {
                name: fact.name,
                value: match fact.value {
                    serde_json::Value::String(text) => text,
                    serde_json::Value::Null => String::new(),
                    other => other.to_string(),
                },
                grade: Grade::from_word(&fact.grade),
                note: fact.note,
            })
            .collect())
    }
}
