//! Runs and their environment.

use super::scope::{IN_HISTORY, Ids};
use crate::{Result, Store, StoreError};
use dashboard_api::{EnvFact, Grade, Night};
use rusqlite::{OptionalExtension, params};
use serde::Deserialize;
use std::collections::HashMap;

impl Store {
    pub(super) fn page_nights(&self, ids: Ids, limit: usize) -> Result<Vec<Night>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut query = self.conn.prepare_cached(&format!(
            "SELECT run.id, started_s, finished_s, state, tier, platform_version, env_snapshot.grade, \
             json_extract(run.summary_json, '$.canary') FROM run JOIN env_snapshot ON env_snapshot.id = run.env_snapshot_id WHERE run.machine_id = ? AND {IN_HISTORY} \
             ORDER BY started_s DESC, run.id DESC LIMIT ?",
        ))?;
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
                cells_ok: 0,
                cells_failed: 0,
                cells_not_run: 0,
                // A summary of an older program may have another shape; then there is nothing to show.
                canary: row
                    .get::<_, Option<String>>(7)?
                    .and_then(|json| serde_json::from_str(&json).ok()),
            })
        })?;
        let mut nights: Vec<Night> = rows.collect::<rusqlite::Result<_>>()?;
        let line: HashMap<i64, i64> = self.line(ids)?.into_iter().collect();
        let mut jobs = self.conn.prepare_cached(
            "SELECT commit_id, kind = 'bench', outcome, count(*) FROM job WHERE run_id = ? GROUP BY 1, 2, 3",
        )?;
        for night in &mut nights {
            let mut rows = jobs.query([night.run])?;
            while let Some(row) = rows.next()? {
                if let Some(position) = row.get::<_, Option<i64>>(0)?.and_then(|c| line.get(&c))
                    && !night.positions.contains(position)
                {
                    night.positions.push(*position);
                }
                let count: u32 = row.get(3)?;
                match (
                    row.get::<_, bool>(1)?,
                    row.get::<_, Option<String>>(2)?.as_deref(),
                ) {
                    (false, _) | (_, None) => {}
                    (_, Some("ok")) => night.cells_ok += count,
                    (_, Some("not-run" | "unsupported")) => night.cells_not_run += count,
                    (_, Some(_)) => night.cells_failed += count,
                }
            }
            night.positions.sort_unstable_by(|a, b| b.cmp(a));
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
