//! What there is: revisions, variants, benchmarks.

use super::scope::{Ids, LINE};
use crate::{Result, Store};
use dashboard_api::{Benchmark, Revision, Role, Variant};
use rusqlite::params;
use std::collections::HashMap;

impl Store {
    pub(super) fn page_revisions(&self, ids: Ids) -> Result<Vec<Revision>> {
        let sql = format!(
            "{LINE} SELECT c.sha, c.seq, c.title, c.author, c.commit_time_s FROM line JOIN \"commit\" AS c ON c.id = line.id \
             ORDER BY c.seq"
        );
        let mut query = self.conn.prepare_cached(&sql)?;
        let rows = query.query_map(params![ids.subject, ids.machine], |row| {
            Ok(Revision {
                sha: row.get(0)?,
                position: row.get(1)?,
                title: row.get(2)?,
                author: row.get(3)?,
                committed_at: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Timed modes first (`off`, `noopt`, `opt`, then as they came), other modes, baselines seen on this machine.
    pub(super) fn page_variants(&self, ids: Ids) -> Result<Vec<Variant>> {
        let mut modes = self.conn.prepare_cached(
            "SELECT name, purpose, conf FROM mode WHERE subject_id = ? AND purpose != 'ablation' GROUP BY name \
             ORDER BY purpose != 'timing', CASE name WHEN 'off' THEN 0 WHEN 'noopt' THEN 1 WHEN 'opt' THEN 2 ELSE 3 END, min(id)",
        )?;
        let rows = modes.query_map([ids.subject], |row| {
            let (name, purpose, conf): (String, String, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            let role = if purpose == "timing" {
                Role::Mode
            } else {
                Role::Stress
            };
            Ok(Variant {
                description: description(&name, &conf),
                name,
                role,
                version: None,
            })
        })?;
        let mut variants: Vec<Variant> = rows.collect::<rusqlite::Result<_>>()?;
        let mut baselines = self.conn.prepare_cached(
            "SELECT subject.name, build.version, build.program FROM subject JOIN build ON build.id = \
             (SELECT max(id) FROM build AS b WHERE b.subject_id = subject.id AND b.machine_id = ?) \
             WHERE subject.role = 'baseline' ORDER BY subject.id",
        )?;
        let rows = baselines.query_map([ids.machine], |row| {
            let version: String = row.get(1)?;
            Ok(Variant {
                name: row.get(0)?,
                role: Role::Baseline,
                version: (!version.is_empty()).then_some(version),
                description: row.get(2)?,
            })
        })?;
        for row in rows {
            variants.push(row?);
        }
        Ok(variants)
    }

    /// Benchmarks that the subject was to be measured on, on this machine: a subject with a shelf of its own does not lack
    /// the programs of the others.
    pub(super) fn page_benchmarks(&self, ids: Ids) -> Result<Vec<Benchmark>> {
        let labels = self.benchmark_labels()?;
        // From the versions to their jobs by the index: the planner would rather begin with the runs.
        let mut query = self.conn.prepare_cached(
            "SELECT id, suite, category FROM benchmark WHERE EXISTS (SELECT 1 FROM benchmark_version AS bv \
             CROSS JOIN job ON job.benchmark_version_id = bv.id CROSS JOIN run ON run.id = job.run_id \
             WHERE bv.benchmark_id = benchmark.id AND job.subject_id = ?1 AND run.machine_id = ?2) ORDER BY name, suite",
        )?;
        let rows = query.query_map(params![ids.subject, ids.machine], |row| {
            let (id, suite, category): (i64, String, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Benchmark {
                name: labels.get(&id).cloned().unwrap_or_default(),
                category: if category.is_empty() { suite } else { category },
                description: String::new(),
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Display names of benchmarks: the name, with the suite before it where two suites share one.
    pub(super) fn benchmark_labels(&self) -> Result<HashMap<i64, String>> {
        let mut query = self.conn.prepare_cached(
            "SELECT id, CASE WHEN (SELECT count(*) FROM benchmark AS other WHERE other.name = benchmark.name) = 1 \
             THEN name ELSE suite || '/' || name END FROM benchmark",
        )?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Newest version of each benchmark with the benchmark's display name: (version, name). Older versions are other
    /// series, whose times mean something else.
    pub(super) fn newest_versions(&self) -> Result<HashMap<i64, String>> {
        let labels = self.benchmark_labels()?;
        let mut query = self.conn.prepare_cached(
            "SELECT max(id), benchmark_id FROM benchmark_version GROUP BY benchmark_id",
        )?;
        let rows = query.query_map([], |row| {
            let benchmark: i64 = row.get(1)?;
            Ok((
                row.get(0)?,
                labels.get(&benchmark).cloned().unwrap_or_default(),
            ))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn description(mode: &str, conf: &str) -> String {
    match mode {
        "off" => "interpreter only".to_owned(),
        "noopt" => "JIT, every optimization off".to_owned(),
        "opt" => "JIT, every optimization on".to_owned(),
        _ => conf.to_owned(),
    }
}
