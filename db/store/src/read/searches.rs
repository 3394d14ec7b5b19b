//! Searches with their steps. A search is about a subject; which machine ran it is not recorded, so it is shown with each.

use super::scope::Ids;
use crate::{Result, Store, StoreError};
use dashboard_api::{Revision, Search, SearchStep};
use rusqlite::params;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

impl Store {
    /// Whole searches; single judgements for `git bisect run` are none.
    pub(super) fn page_searches(&self, ids: Ids) -> Result<Vec<Search>> {
        let commits = self.revisions_by_sha(ids)?;
        let by_row: HashMap<i64, &Revision> = commits
            .values()
            .map(|(id, revision)| (*id, revision))
            .collect();
        let mut query = self.conn.prepare_cached(
            "SELECT b.id, b.kind, b.target, mode.name, b.params_json, b.state, b.good_commit_id, b.bad_commit_id, \
             b.culprit_commit_id, b.culprit_pass, b.culprit_trace, b.posterior, b.created_s, b.finished_s FROM bisect AS b \
             LEFT JOIN mode ON mode.id = b.mode_id WHERE b.subject_id = ? ORDER BY b.created_s DESC, b.id DESC",
        )?;
        let mut rows = query.query(params![ids.subject])?;
        let mut searches = Vec::new();
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            let parameters = json(id, "params_json", &row.get::<_, String>(4)?)?;
            let revision = |at: usize| -> Result<Option<Revision>> {
                let commit: Option<i64> = row.get(at)?;
                Ok(commit.and_then(|id| by_row.get(&id)).map(|&r| r.clone()))
            };
            let (Some(good), Some(bad)) = (revision(6)?, revision(7)?) else {
                continue;
            };
            if !parameters["judge"].is_null() {
                continue;
            }
            let steps = self.search_steps(id, &commits, &by_row)?;
            let mut seen: BTreeMap<i64, Revision> = BTreeMap::new();
            let positions = steps.iter().flat_map(|step| {
                std::iter::once(step.position).chain(step.suspects.iter().map(|(p, _)| *p))
            });
            let known: HashMap<i64, &Revision> =
                by_row.values().map(|&r| (r.position, r)).collect();
            for position in positions.chain([good.position, bad.position]) {
                if let Some(&revision) = known.get(&position) {
                    seen.insert(position, revision.clone());
                }
            }
            searches.push(Search {
                id,
                kind: row.get(1)?,
                target: row.get(2)?,
                mode: row.get(3)?,
                metric: parameters["metric"].as_str().unwrap_or_default().to_owned(),
                state: row.get(5)?,
                good,
                bad,
                culprit: revision(8)?,
                pass: row.get(9)?,
                trace: row.get(10)?,
                posterior: row.get(11)?,
                created_at: row.get(12)?,
                finished_at: row.get(13)?,
                commits: seen.into_values().collect(),
                steps,
            });
        }
        Ok(searches)
    }

    fn search_steps(
        &self,
        bisect: i64,
        commits: &HashMap<String, (i64, Revision)>,
        by_row: &HashMap<i64, &Revision>,
    ) -> Result<Vec<SearchStep>> {
        let mut query = self.conn.prepare_cached(
            "SELECT commit_id, verdict, samples_json, posterior_json FROM bisect_step WHERE bisect_id = ? ORDER BY n",
        )?;
        let mut rows = query.query([bisect])?;
        let mut steps = Vec::new();
        while let Some(row) = rows.next()? {
            let commit: Option<i64> = row.get(0)?;
            let Some(revision) = commit.and_then(|id| by_row.get(&id)) else {
                continue;
            };
            let answer = json(bisect, "samples_json", &row.get::<_, String>(2)?)?;
            let posterior = json(bisect, "posterior_json", &row.get::<_, String>(3)?)?;
            let suspects = posterior
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|pair| {
                    let (_, revision) = commits.get(pair[0].as_str()?)?;
                    Some((revision.position, pair[1].as_f64()?))
                });
            steps.push(SearchStep {
                position: revision.position,
                verdict: row.get(1)?,
                value: answer["value"].as_f64().map(f64::exp),
                said: answer["fail"]
                    .as_str()
                    .or(answer["broken"].as_str())
                    .unwrap_or_default()
                    .to_owned(),
                suspects: suspects.collect(),
            });
        }
        Ok(steps)
    }

    /// Commits of the subject, built on this machine or not.
    fn revisions_by_sha(&self, ids: Ids) -> Result<HashMap<String, (i64, Revision)>> {
        let mut query = self.conn.prepare_cached(
            "SELECT id, sha, seq, title, author, commit_time_s FROM \"commit\" WHERE subject_id = ?",
        )?;
        let rows = query.query_map(params![ids.subject], |row| {
            let sha: String = row.get(1)?;
            let revision = Revision {
                sha: sha.clone(),
                position: row.get(2)?,
                title: row.get(3)?,
                author: row.get(4)?,
                committed_at: row.get(5)?,
            };
            Ok((sha, (row.get(0)?, revision)))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn json(id: i64, column: &str, text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| StoreError::Malformed {
        table: "bisect",
        id,
        what: format!("{column}: {error}"),
    })
}
