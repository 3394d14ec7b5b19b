//! `process`, `sample` and `counter`: the raw results.
//!
//! A live process is written as it goes: [`Store::process_started`], then [`Store::iteration`] after each iteration (in
//! the database before the next one starts), then [`Store::process_finished`], which computes the content hash. A
//! process measured elsewhere comes in whole through [`Store::take_in_process`].

use crate::{JobId, ProcessId, Result, RunId, Store, StoreError, content_hash, now_s};
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a process began.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessStart {
    /// 0-based number within its job.
    pub idx: u32,
    /// Place in the run's whole sequence of processes.
    pub position: u32,
    pub cpu: Option<u32>,
    pub hash_seed: String,
}

/// How a process ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessEnd {
    pub outcome: String,
    pub reason: String,
    pub exit_code: Option<i32>,
    pub signal: Option<String>,
    pub wall_ns: u64,
    pub user_ns: u64,
    pub system_ns: u64,
    pub peak_rss_bytes: u64,
    pub minor_faults: u64,
    pub major_faults: u64,
    pub voluntary_switches: u64,
    pub involuntary_switches: u64,
    pub result: Option<String>,
    /// Tail of the output, kept when the outcome is not ok.
    pub output: Vec<u8>,
    /// First steady iteration; `None` when there is none, or for a process that is not ok.
    pub steady_from: Option<u32>,
    /// `flat`, `warm-up`, `slowdown` or `no-steady-state`; follows from the samples, so it is no part of the identity.
    #[serde(skip)]
    pub warmup_class: Option<String>,
    pub counters: BTreeMap<String, f64>,
}

/// What became of a process taken in whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenIn {
    /// It was new.
    New(ProcessId),
    /// The same content was there already.
    Known(ProcessId),
    /// Other content was there under the same job and index; both are kept.
    Revision(ProcessId, u32),
}

/// Packs values as 8-byte little-endian floats.
#[must_use]
pub fn pack(values: &[f64]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// Reads what [`pack`] wrote; `None` when the length is no multiple of 8.
#[must_use]
pub fn unpack(data: &[u8]) -> Option<Vec<f64>> {
    let (chunks, rest) = data.as_chunks::<8>();
    rest.is_empty().then(|| {
        chunks
            .iter()
            .map(|chunk| f64::from_le_bytes(*chunk))
            .collect()
    })
}

impl Store {
    /// Notes that a process begins.
    ///
    /// # Errors
    /// What SQLite says, for instance when (job, idx) is taken.
    pub fn process_started(&mut self, job: JobId, start: &ProcessStart) -> Result<ProcessId> {
        self.insert_process(job, start, 0)
    }

    /// Adds one iteration's wall and CPU time, in nanoseconds.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn iteration(&mut self, process: ProcessId, wall_ns: u64, cpu_ns: u64) -> Result<()> {
        self.atomically(|store| {
            store.append_sample(process, "wall", wall_ns as f64)?;
            store.append_sample(process, "cpu", cpu_ns as f64)
        })
    }

    /// Ends a process: counters, output and content hash, in one transaction.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn process_finished(&mut self, process: ProcessId, end: &ProcessEnd) -> Result<()> {
        self.atomically(|store| store.end_process(process, end))
    }

    /// Takes in a process measured elsewhere. `samples` maps metric names to values.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn take_in_process(
        &mut self,
        job: JobId,
        start: &ProcessStart,
        samples: &BTreeMap<String, Vec<f64>>,
        end: &ProcessEnd,
    ) -> Result<TakenIn> {
        self.atomically(|store| {
            let key: String = store.conn.query_row(
                "SELECT run.key || '/' || job.key FROM job JOIN run ON run.id = job.run_id WHERE job.id = ?",
                [job],
                |row| row.get(0),
            )?;
            let hash = process_hash(&key, start, samples, end);
            let known: Option<ProcessId> = store
                .conn
                .query_row("SELECT id FROM process WHERE job_id = ? AND content_sha256 = ?", params![job, hash], |r| {
                    r.get(0)
                })
                .optional()?;
            if let Some(id) = known {
                return Ok(TakenIn::Known(id));
            }
            let newest: Option<u32> = store.conn.query_row(
                "SELECT max(revision) FROM process WHERE job_id = ? AND idx = ?",
                params![job, start.idx],
                |row| row.get(0),
            )?;
            let revision = newest.map_or(0, |r| r + 1);
            let id = store.insert_process(job, start, revision)?;
            for (metric, values) in samples {
                store.write_sample(id, metric, values)?;
            }
            store.end_process(id, end)?;
            if revision == 0 {
                return Ok(TakenIn::New(id));
            }
            let facts = serde_json::json!({ "job": key, "process": start.idx, "revision": revision });
            store.audit("store", "process-revision", &facts)?;
            Ok(TakenIn::Revision(id, revision))
        })
    }

    /// Values of one metric of a process, in iteration order; empty when it has none.
    ///
    /// # Errors
    /// [`StoreError::Malformed`] for a blob of a wrong length, or what SQLite says.
    pub fn samples(&self, process: ProcessId, metric: &str) -> Result<Vec<f64>> {
        let data: Option<Vec<u8>> = self
            .conn
            .prepare_cached(
                "SELECT data FROM sample WHERE process_id = ? AND metric_id = (SELECT id FROM metric WHERE name = ?)",
            )?
            .query_row(params![process, metric], |row| row.get(0))
            .optional()?;
        let Some(data) = data else {
            return Ok(Vec::new());
        };
        unpack(&data).ok_or_else(|| StoreError::Malformed {
            table: "sample",
            id: process.0,
            what: format!("{} bytes of {metric}", data.len()),
        })
    }

    pub(crate) fn drop_unfinished_processes(&mut self, run: RunId) -> Result<usize> {
        let unfinished: Vec<(ProcessId, String, u32)> = {
            let mut query = self.conn.prepare(
                "SELECT process.id, job.key, process.idx FROM process JOIN job ON job.id = process.job_id \
                 WHERE job.run_id = ? AND process.state = 'running' ORDER BY process.id",
            )?;
            query
                .query_map([run], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect::<rusqlite::Result<_>>()?
        };
        for (id, job, idx) in &unfinished {
            let wall = self.samples(*id, "wall")?;
            let facts =
                serde_json::json!({ "run": run, "job": job, "process": idx, "wall_ns": wall });
            self.audit("runner", "unfinished-process-dropped", &facts)?;
            self.conn
                .execute("DELETE FROM process WHERE id = ?", [id])?;
        }
        Ok(unfinished.len())
    }

    fn insert_process(
        &mut self,
        job: JobId,
        start: &ProcessStart,
        revision: u32,
    ) -> Result<ProcessId> {
        Ok(self.conn.query_row(
            "INSERT INTO process (job_id, idx, revision, position, state, started_s, cpu, hash_seed) \
             VALUES (?, ?, ?, ?, 'running', ?, ?, ?) RETURNING id",
            params![job, start.idx, revision, start.position, now_s(), start.cpu, start.hash_seed],
            |row| row.get(0),
        )?)
    }

    fn append_sample(&mut self, process: ProcessId, metric: &str, value: f64) -> Result<()> {
        let mut values = self.samples(process, metric)?;
        values.push(value);
        self.write_sample(process, metric, &values)
    }

    fn write_sample(&mut self, process: ProcessId, metric: &str, values: &[f64]) -> Result<()> {
        let metric_id: i64 = self
            .conn
            .prepare_cached("SELECT id FROM metric WHERE name = ?")?
            .query_row([metric], |row| row.get(0))
            .optional()?
            .ok_or_else(|| StoreError::Missing {
                what: "metric",
                name: metric.into(),
            })?;
        self.conn
            .prepare_cached("INSERT OR REPLACE INTO sample (process_id, metric_id, n, data) VALUES (?, ?, ?, ?)")?
            .execute(params![process, metric_id, values.len() as i64, pack(values)])?;
        Ok(())
    }

    fn end_process(&mut self, process: ProcessId, end: &ProcessEnd) -> Result<()> {
        let (key, start) = self.conn.query_row(
            "SELECT run.key || '/' || job.key, idx, position, cpu, hash_seed FROM process \
             JOIN job ON job.id = process.job_id JOIN run ON run.id = job.run_id WHERE process.id = ?",
            [process],
            |row| {
                let key: String = row.get(0)?;
                let start = ProcessStart {
                    idx: row.get(1)?,
                    position: row.get(2)?,
                    cpu: row.get(3)?,
                    hash_seed: row.get(4)?,
                };
                Ok((key, start))
            },
        )?;
        let mut samples = BTreeMap::new();
        {
            let mut names = self.conn.prepare_cached(
                "SELECT metric.name FROM sample JOIN metric ON metric.id = sample.metric_id WHERE process_id = ?",
            )?;
            for name in names.query_map([process], |row| row.get::<_, String>(0))? {
                let name = name?;
                let values = self.samples(process, &name)?;
                samples.insert(name, values);
            }
        }
        let hash = process_hash(&key, &start, &samples, end);
        let output = if end.output.is_empty() {
            None
        } else {
            Some(self.artifact("output", &end.output)?)
        };
        for (name, value) in &end.counters {
            self.conn
                .prepare_cached(
                    "INSERT OR REPLACE INTO counter (process_id, name, value) VALUES (?, ?, ?)",
                )?
                .execute(params![process, name, value])?;
        }
        self.conn.execute(
            "UPDATE process SET state = 'done', outcome = ?, reason = ?, exit_code = ?, signal = ?, wall_ns = ?, \
             user_ns = ?, system_ns = ?, peak_rss_bytes = ?, minor_faults = ?, major_faults = ?, \
             voluntary_switches = ?, involuntary_switches = ?, result = ?, output_sha256 = ?, steady_from = ?, \
             warmup_class = ?, content_sha256 = ? WHERE id = ?",
            params![
                end.outcome,
                end.reason,
                end.exit_code,
                end.signal,
                end.wall_ns as i64,
                end.user_ns as i64,
                end.system_ns as i64,
                end.peak_rss_bytes as i64,
                end.minor_faults as i64,
                end.major_faults as i64,
                end.voluntary_switches as i64,
                end.involuntary_switches as i64,
                end.result,
                output,
                end.steady_from,
                end.warmup_class,
                hash,
                process
            ],
        )?;
        Ok(())
    }
}

/// Identity of a finished process: everything measured, nothing about when it was stored.
fn process_hash(
    key: &str,
    start: &ProcessStart,
    samples: &BTreeMap<String, Vec<f64>>,
    end: &ProcessEnd,
) -> String {
    let start = serde_json::to_vec(start).expect("a struct of numbers and text is JSON");
    let end = serde_json::to_vec(end).expect("a struct of numbers and text is JSON");
    let packed: Vec<(&str, Vec<u8>)> = samples
        .iter()
        .map(|(name, values)| (name.as_str(), pack(values)))
        .collect();
    let mut parts: Vec<&[u8]> = vec![key.as_bytes(), &start, &end];
    for (name, values) in &packed {
        parts.push(name.as_bytes());
        parts.push(values);
    }
    content_hash(parts)
}
