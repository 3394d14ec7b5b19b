//! `run` and `job`: an invocation of the runner and the cells of its plan.
//!
//! ```text
//! run:  running ──> complete | deadline | failed
//!          │  └───> interrupted ──(taken up)──> running
//!          └──────> abandoned            (too old to go on with)
//! job:  waiting ──> running ──> done + outcome      (taken up: running -> waiting)
//! ```
//! A killed run stays `running`; the next invocation takes it up with [`Store::take_up_run`], which drops what was half done.

use crate::{
    BenchmarkVersionId, BuildId, CommitId, EnvId, JobId, MachineId, ModeId, Result, RunId, Store,
    SubjectId, now_s, plain_sha256,
};
use rusqlite::{OptionalExtension, params};

/// A run about to start.
#[derive(Debug, Clone)]
pub struct NewRun {
    pub key: String,
    pub reason: String,
    pub tier: String,
    pub machine: MachineId,
    pub env: EnvId,
    pub head: Option<CommitId>,
    pub platform_version: String,
    pub plan_json: String,
    pub started_s: i64,
}

/// One cell of a plan.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub key: String,
    /// `build`, `bench`, `count` or `tests`.
    pub kind: &'static str,
    pub subject: SubjectId,
    pub commit: Option<CommitId>,
    pub build: Option<BuildId>,
    pub mode: Option<ModeId>,
    pub benchmark: Option<BenchmarkVersionId>,
    pub test_module: Option<String>,
    pub planned_processes: u32,
    pub planned_iterations: u32,
}

/// A run to go on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRun {
    pub id: RunId,
    pub key: String,
    pub tier: String,
    pub plan_json: String,
    pub started_s: i64,
}

/// A job as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobState {
    pub id: JobId,
    pub key: String,
    pub done: bool,
    pub outcome: Option<String>,
    pub reason: String,
    pub attempts: u32,
}

/// A job's subject and commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobPlace {
    pub id: JobId,
    pub key: String,
    pub subject: SubjectId,
    pub commit: Option<CommitId>,
}

impl Store {
    /// Adds a run with all its jobs, all of it or nothing.
    ///
    /// # Errors
    /// What SQLite says, for instance when the key is taken.
    pub fn begin_run(&mut self, run: &NewRun, jobs: &[NewJob]) -> Result<RunId> {
        self.atomically(|store| {
            let id: RunId = store.conn.query_row(
                "INSERT INTO run (key, reason, tier, machine_id, env_snapshot_id, head_commit_id, platform_version, \
                 plan_sha256, plan_json, state, started_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'running', ?) RETURNING id",
                params![
                    run.key,
                    run.reason,
                    run.tier,
                    run.machine,
                    run.env,
                    run.head,
                    run.platform_version,
                    plain_sha256(run.plan_json.as_bytes()),
                    run.plan_json,
                    run.started_s
                ],
                |row| row.get(0),
            )?;
            let mut insert = store.conn.prepare(
                "INSERT INTO job (run_id, key, kind, ordinal, subject_id, commit_id, build_id, mode_id, \
                 benchmark_version_id, test_module, planned_processes, planned_iterations, state) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting')",
            )?;
            for (ordinal, job) in jobs.iter().enumerate() {
                insert.execute(params![
                    id,
                    job.key,
                    job.kind,
                    ordinal as i64,
                    job.subject,
                    job.commit,
                    job.build,
                    job.mode,
                    job.benchmark,
                    job.test_module,
                    job.planned_processes,
                    job.planned_iterations
                ])?;
            }
            Ok(id)
        })
    }

    /// Says whose alerts are being settled by further runs; `None` when that is done.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn set_settling(&mut self, night: Option<RunId>) -> Result<()> {
        match night {
            Some(night) => self.conn.execute(
                "INSERT OR REPLACE INTO meta (key, value) VALUES ('settling', ?)",
                [night.0.to_string()],
            )?,
            None => self
                .conn
                .execute("DELETE FROM meta WHERE key = 'settling'", [])?,
        };
        Ok(())
    }

    /// The night that ended and whose alerts were not settled when the program did, if there is one.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn settling(&self) -> Result<Option<OpenRun>> {
        self.one_run(
            "SELECT id, key, tier, plan_json, started_s FROM run \
             WHERE id = (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'settling')",
            [],
        )
    }

    /// The newest run begun on `machine` after `night` that ended and was asked the same.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn answered_since(
        &self,
        machine: MachineId,
        night: RunId,
        request: &str,
    ) -> Result<Option<OpenRun>> {
        self.one_run(
            "SELECT id, key, tier, plan_json, started_s FROM run WHERE machine_id = ? AND id > ? \
             AND state IN ('complete', 'deadline') AND json_extract(plan_json, '$.request') = ? \
             ORDER BY id DESC LIMIT 1",
            params![machine, night, request],
        )
    }

    fn one_run(&self, sql: &str, values: impl rusqlite::Params) -> Result<Option<OpenRun>> {
        Ok(self
            .conn
            .query_row(sql, values, |row| {
                Ok(OpenRun {
                    id: row.get(0)?,
                    key: row.get(1)?,
                    tier: row.get(2)?,
                    plan_json: row.get(3)?,
                    started_s: row.get(4)?,
                })
            })
            .optional()?)
    }

    /// The newest run of this machine that was killed or interrupted and may be taken up.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn unfinished_run(&self, machine: MachineId) -> Result<Option<OpenRun>> {
        self.one_run(
            "SELECT id, key, tier, plan_json, started_s FROM run \
             WHERE machine_id = ? AND state IN ('running', 'interrupted') ORDER BY started_s DESC, id DESC LIMIT 1",
            [machine],
        )
    }

    /// Gives up every run of this machine that was killed or interrupted; returns how many.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn abandon_unfinished_runs(&mut self, machine: MachineId) -> Result<usize> {
        Ok(self.conn.execute(
            "UPDATE run SET state = 'abandoned', finished_s = ? \
             WHERE machine_id = ? AND state IN ('running', 'interrupted')",
            params![now_s(), machine],
        )?)
    }

    /// Takes a killed or interrupted run up again: half-done processes are dropped (their samples go to the audit
    /// table), their jobs wait again. Returns the number of processes dropped.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn take_up_run(&mut self, run: RunId) -> Result<usize> {
        self.atomically(|store| {
            let dropped = store.drop_unfinished_processes(run)?;
            store.conn.execute(
                "DELETE FROM test_result WHERE job_id IN (SELECT id FROM job WHERE run_id = ? AND state != 'done')",
                [run],
            )?;
            // An execution cut short is not an attempt: it says nothing about the program.
            store.conn.execute(
                "UPDATE job SET state = 'waiting', attempts = max(attempts - 1, 0) WHERE run_id = ? AND state = 'running' \
                 AND kind IN ('build', 'tests')",
                [run],
            )?;
            store.conn.execute(
                "UPDATE job SET state = 'waiting' WHERE run_id = ? AND state = 'running'",
                [run],
            )?;
            store.conn.execute("UPDATE run SET state = 'running', finished_s = NULL WHERE id = ?", [run])?;
            Ok(dropped)
        })
    }

    /// All jobs of a run in plan order.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn jobs(&self, run: RunId) -> Result<Vec<JobState>> {
        let mut query = self.conn.prepare(
            "SELECT id, key, state = 'done', outcome, reason, attempts FROM job WHERE run_id = ? ORDER BY ordinal",
        )?;
        let jobs = query.query_map([run], |row| {
            Ok(JobState {
                id: row.get(0)?,
                key: row.get(1)?,
                done: row.get(2)?,
                outcome: row.get(3)?,
                reason: row.get(4)?,
                attempts: row.get(5)?,
            })
        })?;
        Ok(jobs.collect::<rusqlite::Result<_>>()?)
    }

    /// Where the jobs of a run belong.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn job_places(&self, run: RunId) -> Result<Vec<JobPlace>> {
        let mut query = self
            .conn
            .prepare("SELECT id, key, subject_id, commit_id FROM job WHERE run_id = ?")?;
        let places = query.query_map([run], |row| {
            Ok(JobPlace {
                id: row.get(0)?,
                key: row.get(1)?,
                subject: row.get(2)?,
                commit: row.get(3)?,
            })
        })?;
        Ok(places.collect::<rusqlite::Result<_>>()?)
    }

    /// Finished processes of a job: index, outcome, reason, wall time in nanoseconds.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn finished_processes(&self, job: JobId) -> Result<Vec<(u32, String, String, u64)>> {
        let mut query = self.conn.prepare_cached(
            "SELECT idx, outcome, reason, wall_ns FROM process AS p WHERE job_id = ? AND state = 'done' \
             AND revision = (SELECT max(revision) FROM process WHERE job_id = p.job_id AND idx = p.idx) ORDER BY idx",
        )?;
        let rows = query.query_map([job], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get::<_, i64>(3)? as u64,
            ))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Notes that work on a job begins.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn job_started(&mut self, job: JobId) -> Result<()> {
        self.conn.execute(
            "UPDATE job SET state = 'running', attempts = min(attempts + 1, 3) WHERE id = ? AND state = 'waiting'",
            [job],
        )?;
        Ok(())
    }

    /// Ends a job.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn job_finished(
        &mut self,
        job: JobId,
        outcome: &str,
        reason: &str,
        duration_ns: u64,
    ) -> Result<()> {
        self.conn.execute(
            "UPDATE job SET state = 'done', outcome = ?, reason = ?, duration_ns = ? WHERE id = ?",
            params![outcome, reason, duration_ns as i64, job],
        )?;
        Ok(())
    }

    /// Ties all jobs of `run` on this subject and commit to their build.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn jobs_built(
        &mut self,
        run: RunId,
        subject: SubjectId,
        commit: Option<CommitId>,
        build: BuildId,
    ) -> Result<()> {
        self.conn.execute(
            "UPDATE job SET build_id = ? WHERE run_id = ? AND subject_id = ? AND commit_id IS ?",
            params![build, run, subject, commit],
        )?;
        Ok(())
    }

    /// Ends a run.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn run_finished(
        &mut self,
        run: RunId,
        state: &str,
        exit_code: i32,
        summary_json: &str,
    ) -> Result<()> {
        self.conn.execute(
            "UPDATE run SET state = ?, finished_s = ?, exit_code = ?, summary_json = ? WHERE id = ?",
            params![state, now_s(), exit_code, summary_json, run],
        )?;
        Ok(())
    }

    /// Whether every benchmark (by source hash) has an outcome in every mode (by name) for this commit on this machine; that it does
    /// not build is one. Nothing asked for counts as not measured.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn is_measured(
        &self,
        machine: MachineId,
        subject: &str,
        sha: &str,
        modes: &[String],
        sources: &[String],
    ) -> Result<bool> {
        let mut query = self.conn.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM job JOIN run ON run.id = job.run_id \
             JOIN \"commit\" AS c ON c.id = job.commit_id JOIN subject ON subject.id = job.subject_id \
             JOIN mode ON mode.id = job.mode_id JOIN benchmark_version AS b ON b.id = job.benchmark_version_id \
             WHERE run.machine_id = ? AND subject.name = ? AND c.sha = ? AND mode.name = ? AND b.source_sha256 = ? \
             AND job.kind = 'bench' AND job.state = 'done' AND job.outcome != 'infrastructure' \
             AND (job.outcome != 'not-run' OR job.reason LIKE 'build: fail%'))",
        )?;
        for mode in modes {
            for source in sources {
                let there: bool = query
                    .query_row(params![machine, subject, sha, mode, source], |row| {
                        row.get(0)
                    })?;
                if !there {
                    return Ok(false);
                }
            }
        }
        Ok(!modes.is_empty() && !sources.is_empty())
    }
}
