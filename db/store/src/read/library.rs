//! CPython's library tests of one revision: scores against the reference, and the cases that differ.
//!
//! One pass over each test job's rows; case names are looked up only for the differences. Within a job a case may have
//! several attempts: the first is its outcome, further ones tell whether it is flaky.

use super::scope::{Ids, LINE};
use crate::{Result, Store, StoreError};
use dashboard_api::{
    CaseDiff, CaseOutcome, DiffKind, LibraryReport, ModuleScore, OutcomeCounts, Score,
};
use rusqlite::{OptionalExtension, params};
use std::collections::{BTreeMap, HashMap, HashSet};

struct TestJob {
    id: i64,
    module: String,
    variant: String,
    is_reference: bool,
    mode: i64,
    not_loaded: Option<String>,
}

/// First outcome, and the first later one that disagrees with it about passing.
#[derive(Clone, Copy)]
struct CaseRow {
    outcome: CaseOutcome,
    other: Option<CaseOutcome>,
}

impl CaseRow {
    fn flaky(self) -> bool {
        self.other.is_some()
    }

    fn bad(self) -> bool {
        matches!(
            self.outcome,
            CaseOutcome::Fail | CaseOutcome::Error | CaseOutcome::Timeout | CaseOutcome::Crash
        )
    }
}

type Cases = BTreeMap<i64, CaseRow>;

impl Store {
    pub(super) fn page_library_positions(&self, ids: Ids) -> Result<Vec<i64>> {
        let sql = format!(
            "{LINE} SELECT line.seq FROM line WHERE EXISTS (SELECT 1 FROM job JOIN run ON run.id = job.run_id \
             WHERE job.commit_id = line.id AND job.kind = 'tests' AND job.outcome IS NOT NULL AND job.outcome != 'not-run' \
             AND run.machine_id = ?2) ORDER BY line.seq"
        );
        let mut query = self.conn.prepare_cached(&sql)?;
        let rows = query.query_map(params![ids.subject, ids.machine], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    pub(super) fn page_library(&self, ids: Ids, position: i64) -> Result<Option<LibraryReport>> {
        let Some(run) = self.test_run(ids, position)? else {
            return Ok(None);
        };
        let commit = self.commit_at(ids, position)?;
        let jobs = self.test_jobs(run, commit)?;
        if jobs.is_empty() {
            return Ok(None);
        }
        let mut cases: HashMap<i64, Cases> = HashMap::new();
        for job in &jobs {
            cases.insert(job.id, self.case_rows(job.id)?);
        }
        let mut diffs = self.mode_differences(&jobs, &cases)?;
        diffs.extend(self.regressions(ids, position, &jobs, &cases)?);
        diffs.extend(self.flaky(&jobs, &cases)?);
        let reference = jobs
            .iter()
            .find(|j| j.is_reference)
            .map(|j| j.variant.clone());
        let mut variants: Vec<String> = Vec::new();
        let mut ordered: Vec<&TestJob> = jobs.iter().collect();
        ordered.sort_by_key(|j| (j.is_reference, j.mode));
        for job in &ordered {
            if !variants.contains(&job.variant) {
                variants.push(job.variant.clone());
            }
        }
        Ok(Some(LibraryReport {
            position,
            run,
            reference,
            modules: scores(&jobs, &cases, &variants),
            variants,
            diffs,
        }))
    }

    /// The newest run with library tests of the commit at `position`.
    fn test_run(&self, ids: Ids, position: i64) -> Result<Option<i64>> {
        let Some(commit) = self.commit_at(ids, position)? else {
            return Ok(None);
        };
        Ok(self
            .conn
            .prepare_cached(
                "SELECT run.id FROM job JOIN run ON run.id = job.run_id WHERE job.commit_id = ? AND job.kind = 'tests' \
                 AND job.outcome IS NOT NULL AND job.outcome != 'not-run' AND run.machine_id = ? \
                 ORDER BY run.started_s DESC, run.id DESC LIMIT 1",
            )?
            .query_row(params![commit, ids.machine], |row| row.get(0))
            .optional()?)
    }

    /// Finished test jobs of `commit` in `run`, and those of one baseline: the first that ran tests.
    fn test_jobs(&self, run: i64, commit: Option<i64>) -> Result<Vec<TestJob>> {
        let mut query = self.conn.prepare_cached(
            "SELECT job.id, coalesce(job.test_module, ''), CASE subject.role WHEN 'baseline' THEN subject.name ELSE mode.name END, \
             subject.role = 'baseline', mode.id, job.outcome, job.reason FROM job JOIN subject ON subject.id = job.subject_id \
             JOIN mode ON mode.id = job.mode_id WHERE job.run_id = ?1 AND job.kind = 'tests' AND job.outcome IS NOT NULL \
             AND job.outcome != 'not-run' AND (job.commit_id = ?2 OR (subject.role = 'baseline' AND subject.id = \
             (SELECT min(j.subject_id) FROM job AS j JOIN subject AS s ON s.id = j.subject_id \
              WHERE j.run_id = ?1 AND j.kind = 'tests' AND s.role = 'baseline'))) ORDER BY job.test_module, mode.id",
        )?;
        let rows = query.query_map(params![run, commit], |row| {
            let (outcome, reason): (String, String) = (row.get(5)?, row.get(6)?);
            Ok(TestJob {
                id: row.get(0)?,
                module: row.get(1)?,
                variant: row.get(2)?,
                is_reference: row.get(3)?,
                mode: row.get(4)?,
                not_loaded: (outcome == "not-loaded").then_some(reason),
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn case_rows(&self, job: i64) -> Result<Cases> {
        let mut query = self.conn.prepare_cached(
            "SELECT test_case_id, outcome FROM test_result WHERE job_id = ? ORDER BY test_case_id, attempt",
        )?;
        let mut rows = query.query([job])?;
        let mut cases = Cases::new();
        while let Some(row) = rows.next()? {
            let word = row.get_ref(1)?.as_str().unwrap_or_default();
            let outcome = CaseOutcome::from_word(word).ok_or_else(|| StoreError::Malformed {
                table: "test_result",
                id: job,
                what: format!("outcome {word}"),
            })?;
            cases
                .entry(row.get(0)?)
                .and_modify(|known| {
                    let disagrees =
                        (known.outcome == CaseOutcome::Pass) != (outcome == CaseOutcome::Pass);
                    if disagrees && known.other.is_none() {
                        known.other = Some(outcome);
                    }
                })
                .or_insert(CaseRow {
                    outcome,
                    other: None,
                });
        }
        Ok(cases)
    }

    /// Cases that pass in `off` and not in another mode.
    fn mode_differences(
        &self,
        jobs: &[TestJob],
        cases: &HashMap<i64, Cases>,
    ) -> Result<Vec<CaseDiff>> {
        let mut diffs = Vec::new();
        for off in jobs.iter().filter(|j| j.variant == "off") {
            let others: Vec<&TestJob> = jobs
                .iter()
                .filter(|j| j.module == off.module && !j.is_reference && j.id != off.id)
                .collect();
            for (case, _) in cases[&off.id]
                .iter()
                .filter(|(_, r)| r.outcome == CaseOutcome::Pass && !r.flaky())
            {
                let there = |j: &&TestJob| cases[&j.id].get(case).copied();
                let Some(worst) = others
                    .iter()
                    .find(|j| there(j).is_some_and(|r| r.bad() && !r.flaky()))
                else {
                    continue;
                };
                let mut outcomes = vec![(off.variant.clone(), CaseOutcome::Pass)];
                outcomes.extend(
                    others
                        .iter()
                        .filter_map(|j| Some((j.variant.clone(), there(j)?.outcome))),
                );
                diffs.push(self.diff(DiffKind::JitBug, off, *case, outcomes, worst.id)?);
            }
        }
        Ok(diffs)
    }

    /// Cases that passed at the newest older revision with tests, in the same mode, and are bad now: one row per case
    /// with every mode in which that is so.
    fn regressions(
        &self,
        ids: Ids,
        position: i64,
        jobs: &[TestJob],
        cases: &HashMap<i64, Cases>,
    ) -> Result<Vec<CaseDiff>> {
        let positions = self.page_library_positions(ids)?;
        let older = positions.iter().rev().find(|&&p| p < position).copied();
        let Some(older) = older else {
            return Ok(Vec::new());
        };
        let Some(old_run) = self.test_run(ids, older)? else {
            return Ok(Vec::new());
        };
        let old_jobs = self.test_jobs(old_run, self.commit_at(ids, older)?)?;
        let old_ids: HashMap<(&str, &str), i64> = old_jobs
            .iter()
            .map(|j| ((j.module.as_str(), j.variant.as_str()), j.id))
            .collect();
        let mut before = self.conn.prepare_cached(
            "SELECT outcome = 'pass' FROM test_result WHERE job_id = ? AND test_case_id = ? ORDER BY attempt LIMIT 1",
        )?;
        let mut found: BTreeMap<(&str, i64), CaseDiff> = BTreeMap::new();
        for job in jobs.iter().filter(|j| !j.is_reference) {
            let Some(&old) = old_ids.get(&(job.module.as_str(), job.variant.as_str())) else {
                continue;
            };
            for (&case, row) in cases[&job.id].iter().filter(|(_, r)| r.bad() && !r.flaky()) {
                let passed: Option<bool> = before
                    .query_row(params![old, case], |r| r.get(0))
                    .optional()?;
                if passed != Some(true) {
                    continue;
                }
                let now = (job.variant.clone(), row.outcome);
                match found.get_mut(&(job.module.as_str(), case)) {
                    Some(diff) => diff.outcomes.push(now),
                    None => {
                        let outcomes = vec![("before".to_owned(), CaseOutcome::Pass), now];
                        let diff = self.diff(DiffKind::Regression, job, case, outcomes, job.id)?;
                        found.insert((&job.module, case), diff);
                    }
                }
            }
        }
        Ok(found.into_values().collect())
    }

    fn flaky(&self, jobs: &[TestJob], cases: &HashMap<i64, Cases>) -> Result<Vec<CaseDiff>> {
        let mut diffs = Vec::new();
        for job in jobs {
            for (&case, row) in cases[&job.id].iter().filter(|(_, r)| r.flaky()) {
                let again = row
                    .other
                    .map(|outcome| (format!("{} again", job.variant), outcome));
                let outcomes = std::iter::once((job.variant.clone(), row.outcome))
                    .chain(again)
                    .collect();
                diffs.push(self.diff(DiffKind::Flaky, job, case, outcomes, job.id)?);
            }
        }
        Ok(diffs)
    }

    fn diff(
        &self,
        kind: DiffKind,
        job: &TestJob,
        case: i64,
        outcomes: Vec<(String, CaseOutcome)>,
        message_of: i64,
    ) -> Result<CaseDiff> {
        let name = self
            .conn
            .prepare_cached("SELECT name FROM test_case WHERE id = ?")?
            .query_row([case], |row| row.get(0))?;
        let message: Option<Vec<u8>> = self
            .conn
            .prepare_cached(
                "SELECT artifact.content FROM test_result JOIN artifact ON artifact.sha256 = test_result.message_sha256 \
                 WHERE job_id = ? AND test_case_id = ? ORDER BY attempt LIMIT 1",
            )?
            .query_row(params![message_of, case], |row| row.get(0))
            .optional()?
            .flatten();
        let message = message
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default();
        let detail = message
            .lines()
            .rev()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default();
        Ok(CaseDiff {
            kind,
            module: job.module.clone(),
            case: name,
            outcomes,
            detail: detail.trim().to_owned(),
        })
    }
}

/// One row per module and variant, by module and then in the order of `variants`.
fn scores(jobs: &[TestJob], cases: &HashMap<i64, Cases>, variants: &[String]) -> Vec<ModuleScore> {
    let mut passing_there: HashMap<&str, HashSet<i64>> = HashMap::new();
    for job in jobs.iter().filter(|j| j.is_reference) {
        let passing = cases[&job.id]
            .iter()
            .filter(|(_, r)| r.outcome == CaseOutcome::Pass)
            .map(|(&id, _)| id);
        passing_there
            .entry(&job.module)
            .or_default()
            .extend(passing);
    }
    let none = HashSet::new();
    let mut rows: Vec<ModuleScore> = jobs
        .iter()
        .map(|job| {
            let reference = passing_there.get(job.module.as_str()).unwrap_or(&none);
            let mut counts = OutcomeCounts::default();
            let mut passing = 0;
            for (id, row) in &cases[&job.id] {
                counts.add(row.outcome, 1);
                passing += u32::from(row.outcome == CaseOutcome::Pass && reference.contains(id));
            }
            ModuleScore {
                module: job.module.clone(),
                variant: job.variant.clone(),
                score: Score {
                    passing,
                    reference: u32::try_from(reference.len()).unwrap_or(u32::MAX),
                },
                counts,
                not_loaded: job.not_loaded.clone(),
            }
        })
        .collect();
    let place = |variant: &String| variants.iter().position(|v| v == variant);
    rows.sort_by(|a, b| (&a.module, place(&a.variant)).cmp(&(&b.module, place(&b.variant))));
    rows
}
