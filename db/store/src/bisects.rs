//! `bisect` and `bisect_step`: searches and their steps, so that a killed search goes on where it was and a page can draw it.

use crate::{CommitId, ModeId, Result, Store, SubjectId, now_s};
use rusqlite::{OptionalExtension, params};

/// What identifies a search: the same question asked again takes an unfinished search up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// `perf`, `test`, `wrong` or `build`.
    pub kind: &'static str,
    /// Benchmark or test case.
    pub target: String,
    pub subject: SubjectId,
    pub mode: Option<ModeId>,
    pub good: CommitId,
    pub bad: CommitId,
    /// Everything else that changes what a step does, as JSON.
    pub params_json: String,
}

/// A step as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub commit: CommitId,
    /// `good`, `bad`, `skip` or `unsure`.
    pub verdict: &'static str,
    /// The answer, as JSON; what a search is taken up with.
    pub samples_json: String,
    /// Probabilities after the step, as JSON.
    pub posterior_json: String,
}

/// How a search ended.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ended {
    /// `found`, `no-difference`, `cannot-tell` or `interrupted`.
    pub state: &'static str,
    pub culprit: Option<CommitId>,
    pub culprit_pass: Option<String>,
    pub culprit_trace: Option<i64>,
    pub posterior: Option<f64>,
}

impl Store {
    /// Begins a search, or takes up the newest unfinished one with the same question; with the answers told so far
    /// (commit, answer as JSON), in order.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn begin_bisect(&mut self, question: &Question) -> Result<(i64, Vec<(CommitId, String)>)> {
        let open: Option<i64> = self
            .conn
            .query_row(
                "SELECT id FROM bisect WHERE kind = ? AND target = ? AND subject_id = ? AND mode_id IS ? \
                 AND good_commit_id = ? AND bad_commit_id = ? AND params_json = ? AND state IN ('running', 'interrupted') \
                 ORDER BY id DESC LIMIT 1",
                params![
                    question.kind,
                    question.target,
                    question.subject,
                    question.mode,
                    question.good,
                    question.bad,
                    question.params_json
                ],
                |row| row.get(0),
            )
            .optional()?;
        let Some(id) = open else {
            let id = self.conn.query_row(
                "INSERT INTO bisect (kind, target, subject_id, mode_id, good_commit_id, bad_commit_id, params_json, \
                 state, created_s) VALUES (?, ?, ?, ?, ?, ?, ?, 'running', ?) RETURNING id",
                params![
                    question.kind,
                    question.target,
                    question.subject,
                    question.mode,
                    question.good,
                    question.bad,
                    question.params_json,
                    now_s()
                ],
                |row| row.get(0),
            )?;
            return Ok((id, Vec::new()));
        };
        self.conn
            .execute("UPDATE bisect SET state = 'running' WHERE id = ?", [id])?;
        let mut query = self.conn.prepare(
            "SELECT commit_id, samples_json FROM bisect_step WHERE bisect_id = ? ORDER BY n",
        )?;
        let steps = query.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok((id, steps.collect::<rusqlite::Result<_>>()?))
    }

    /// Adds a step behind those there are.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn bisect_step(&mut self, bisect: i64, step: &Step) -> Result<()> {
        self.conn.execute(
            "INSERT INTO bisect_step (bisect_id, n, commit_id, verdict, samples_json, posterior_json) VALUES \
             (?1, (SELECT count(*) FROM bisect_step WHERE bisect_id = ?1), ?2, ?3, ?4, ?5)",
            params![bisect, step.commit, step.verdict, step.samples_json, step.posterior_json],
        )?;
        Ok(())
    }

    /// Ends a search; `interrupted` may be taken up again.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn end_bisect(&mut self, bisect: i64, ended: &Ended) -> Result<()> {
        self.conn.execute(
            "UPDATE bisect SET state = ?, culprit_commit_id = ?, culprit_pass = ?, culprit_trace = ?, posterior = ?, \
             finished_s = ? WHERE id = ?",
            params![
                ended.state,
                ended.culprit,
                ended.culprit_pass,
                ended.culprit_trace,
                ended.posterior,
                now_s(),
                bisect
            ],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod test {
    use super::*;
    use crate::subjects::{Commit, Subject};

    #[test]
    fn a_search_is_taken_up_with_its_answers_until_it_has_ended() {
        let mut store = Store::in_memory().unwrap();
        let subject = store
            .subject(&Subject {
                name: "vm".into(),
                is_repository: true,
                is_baseline: false,
                location: ".".into(),
            })
            .unwrap();
        let [good, bad] = [0, 1].map(|seq| {
            store
                .commit(
                    subject,
                    &Commit {
                        sha: format!("{seq:040}"),
                        first_parent_sha: None,
                        seq,
                        author: String::new(),
                        author_time_s: 0,
                        commit_time_s: 0,
                        title: String::new(),
                        state_sha256: String::new(),
                    },
                )
                .unwrap()
        });
        let question = Question {
            kind: "perf",
            target: "micro/loop".into(),
            subject,
            mode: None,
            good,
            bad,
            params_json: "{}".into(),
        };
        let (id, told) = store.begin_bisect(&question).unwrap();
        assert!(told.is_empty());
        for (commit, answer) in [(good, "1"), (bad, "2")] {
            let step = Step {
                commit,
                verdict: "unsure",
                samples_json: answer.into(),
                posterior_json: "[]".into(),
            };
            store.bisect_step(id, &step).unwrap();
        }
        let again = store.begin_bisect(&question).unwrap();
        assert_eq!(again, (id, vec![(good, "1".into()), (bad, "2".into())]));
        let ended = Ended {
            state: "found",
            culprit: Some(bad),
            ..Ended::default()
        };
        store.end_bisect(id, &ended).unwrap();
        assert_ne!(store.begin_bisect(&question).unwrap().0, id);
    }
}
