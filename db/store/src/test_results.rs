//! `test_case` and `test_result`: one module's outcomes go in together.

use crate::{JobId, Result, Store, TestCaseId};
use rusqlite::params;

/// Outcome of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseResult {
    pub name: String,
    /// `pass`, `fail`, `error`, `skip`, `xfail`, `xpass`, `timeout` or `crash`.
    pub outcome: String,
    pub duration_ns: u64,
    /// End of its traceback, or the reason of a skip; empty for a pass.
    pub message: String,
}

/// One module's end.
#[derive(Debug, Clone, Copy)]
pub struct ModuleEnd<'a> {
    pub module: &'a str,
    pub attempt: u32,
    pub outcome: &'a str,
    /// One line; empty when there is nothing to say.
    pub reason: &'a str,
    pub duration_ns: u64,
}

impl Store {
    /// Replaces the results of an attempt of a test job and ends the job, all of it or nothing.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn test_module_finished(
        &mut self,
        job: JobId,
        end: ModuleEnd<'_>,
        cases: &[CaseResult],
    ) -> Result<()> {
        let ModuleEnd {
            module,
            attempt,
            outcome,
            reason,
            duration_ns,
        } = end;
        self.atomically(|store| {
            store.conn.execute("DELETE FROM test_result WHERE job_id = ? AND attempt = ?", params![job, attempt])?;
            for case in cases {
                let id = store.test_case(module, &case.name)?;
                let message =
                    if case.message.is_empty() { None } else { Some(store.artifact("message", case.message.as_bytes())?) };
                // A case reported twice (a module that runs itself again) keeps its last outcome.
                store
                    .conn
                    .prepare_cached(
                        "INSERT OR REPLACE INTO test_result (job_id, test_case_id, attempt, outcome, duration_ns, \
                         message_sha256) VALUES (?, ?, ?, ?, ?, ?)",
                    )?
                    .execute(params![job, id, attempt, case.outcome, case.duration_ns as i64, message])?;
            }
            store.job_finished(job, outcome, reason, duration_ns)
        })
    }

    /// Finds or adds a case.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn test_case(&mut self, module: &str, name: &str) -> Result<TestCaseId> {
        let find = "SELECT id FROM test_case WHERE module = ? AND name = ?";
        let mut find = self.conn.prepare_cached(find)?;
        if let Some(id) = find
            .query_map(params![module, name], |row| row.get(0))?
            .next()
        {
            return Ok(id?);
        }
        Ok(self
            .conn
            .prepare_cached("INSERT INTO test_case (module, name) VALUES (?, ?) RETURNING id")?
            .query_row(params![module, name], |row| row.get(0))?)
    }

    /// Names of the cases of `run` that are new failures: in the newest earlier finished run of the same subject and
    /// mode that tested the module they passed, now they fail, err, hang or crash.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn new_test_failures(&self, run: crate::RunId) -> Result<Vec<(String, String, String)>> {
        let mut query = self.conn.prepare(
            "SELECT mode.name, test_case.module, test_case.name \
             FROM job AS now_job \
             JOIN mode ON mode.id = now_job.mode_id \
             JOIN subject ON subject.id = now_job.subject_id AND subject.role = 'subject' \
             JOIN test_result AS now_result ON now_result.job_id = now_job.id \
             JOIN test_case ON test_case.id = now_result.test_case_id \
             JOIN job AS old_job ON old_job.id = ( \
                 SELECT j.id FROM job AS j JOIN run AS r ON r.id = j.run_id \
                 WHERE j.kind = 'tests' AND j.state = 'done' AND j.mode_id = now_job.mode_id \
                   AND j.test_module = now_job.test_module AND j.outcome != 'not-run' \
                   AND j.run_id != now_job.run_id AND r.started_s <= (SELECT started_s FROM run WHERE id = now_job.run_id) \
                 ORDER BY r.started_s DESC, j.id DESC LIMIT 1) \
             JOIN test_result AS old_result \
               ON old_result.job_id = old_job.id AND old_result.test_case_id = now_result.test_case_id \
             WHERE now_job.run_id = ? AND now_job.kind = 'tests' \
               AND now_result.outcome IN ('fail', 'error', 'timeout', 'crash') AND old_result.outcome = 'pass' \
             ORDER BY 1, 2, 3",
        )?;
        let rows = query.query_map([run], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
