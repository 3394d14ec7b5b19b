//! What came of one run, in a form that fits a screen and an exit code.

use crate::{JobId, MachineId, Result, RunId, Store};
use rusqlite::params;
use serde::Serialize;
use stats::geomean::{Pair, RESAMPLES, geomean};
use stats::rule::{Verdict, judge};
use std::collections::BTreeMap;

/// Seed of the bootstrap: the same rows give the same interval.
const SEED: u64 = 1;

/// Endings of the names of the two modes in which one build is measured as two, to see how often the rule flags what is equal.
pub const CANARY: [&str; 2] = ["-aa", "-ab"];

/// Whether `mode` is one side of a canary.
#[must_use]
pub fn is_canary(mode: &str) -> bool {
    CANARY.iter().any(|ending| mode.ends_with(ending))
}

/// What the rule said about one build measured as two.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Canary {
    /// Benchmarks flagged, all of them falsely.
    pub flagged: Vec<String>,
    /// Benchmarks judged.
    pub of: u64,
    /// Pairs planned, judged or not: what was not reached, did not end well or has too few processes a side has no verdict.
    pub planned: u64,
    /// One entry for each benchmark judged, in the order measured.
    pub pairs: Vec<CanaryPair>,
}

/// One benchmark of a [`Canary`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CanaryPair {
    pub subject: String,
    pub mode: String,
    pub benchmark: String,
    /// Second measurement over first, with its 95 % interval; 1 is the truth.
    pub ratio: f64,
    pub low: f64,
    pub high: f64,
    pub flagged: bool,
}

/// Counts and exceptions of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RunSummary {
    /// Jobs by kind and outcome; jobs not reached count as `waiting`.
    pub jobs: BTreeMap<String, BTreeMap<String, u64>>,
    /// Test cases by `subject mode` and outcome.
    pub cases: BTreeMap<String, BTreeMap<String, u64>>,
    /// Share of the baseline's passing ids that pass, by `subject mode`; empty without a baseline in the run.
    pub scores: Vec<Score>,
    /// Jobs that are not ok, in plan order.
    pub not_ok: Vec<NotOk>,
    /// Cases that passed in the run before: mode, module, case.
    pub new_failures: Vec<(String, String, String)>,
    /// Geometric mean speed-ups of the newest commit of each subject.
    pub speedups: Vec<Speedup>,
    /// The platform's own false alarms in this run; `None` without a canary.
    pub canary: Option<Canary>,
    pub confirmed_alerts: u64,
    pub provisional_alerts: u64,
}

/// A job that is not ok.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotOk {
    pub key: String,
    pub kind: String,
    pub subject: String,
    pub sha: Option<String>,
    pub outcome: String,
    pub reason: String,
}

/// Passing ids beside the reference's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Score {
    pub subject: String,
    pub mode: String,
    pub reference: String,
    /// Ids that pass on the reference, in modules that both sides were asked to run.
    pub reference_passes: u64,
    /// Those of them that pass here.
    pub both_pass: u64,
}

/// How much faster a mode is than a baseline, over the benchmarks that are ok on both sides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Speedup {
    pub subject: String,
    pub sha: String,
    pub mode: String,
    pub baseline: String,
    /// Geometric mean of baseline time / mode time; above 1 is faster than the baseline.
    pub ratio: f64,
    /// 95 % bootstrap interval over processes; `None` when a benchmark has fewer than three.
    pub interval: Option<(f64, f64)>,
    /// Benchmarks behind it.
    pub benchmarks: u64,
    /// Benchmarks planned for the mode.
    pub of: u64,
    /// `wall`: steady iterations; `first`: the first call in each process, warm-up included.
    pub metric: String,
}

impl Store {
    /// Summarizes a run as it stands.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn run_summary(&self, run: RunId) -> Result<RunSummary> {
        let alerts = |state: &str| -> Result<u64> {
            let count: i64 = self.conn.query_row(
                "SELECT count(*) FROM alert WHERE run_id = ? AND state = ? AND direction = 'worse'",
                params![run, state],
                |row| row.get(0),
            )?;
            Ok(count as u64)
        };
        Ok(RunSummary {
            jobs: self.counts(
                run,
                "SELECT kind, coalesce(outcome, 'waiting'), count(*) FROM job WHERE run_id = ? GROUP BY 1, 2",
            )?,
            cases: self.counts(
                run,
                "SELECT subject.name || ' ' || mode.name, test_result.outcome, count(*) FROM test_result \
                 JOIN job ON job.id = test_result.job_id JOIN subject ON subject.id = job.subject_id \
                 JOIN mode ON mode.id = job.mode_id WHERE job.run_id = ? GROUP BY 1, 2",
            )?,
            scores: self.scores(run)?,
            not_ok: self.not_ok(run)?,
            new_failures: self.new_test_failures(run)?,
            speedups: self.speedups(run)?,
            canary: self.canary(run)?,
            confirmed_alerts: alerts("confirmed")?,
            provisional_alerts: alerts("provisional")?,
        })
    }

    fn canary(&self, run: RunId) -> Result<Option<Canary>> {
        let jobs = self.run_jobs(run, false)?;
        let mut canary = Canary {
            flagged: Vec::new(),
            of: 0,
            planned: 0,
            pairs: Vec::new(),
        };
        for (_, commit, _, first) in &jobs {
            let Some(mode) = first.mode.strip_suffix(CANARY[0]) else {
                continue;
            };
            canary.planned += 1;
            let second = jobs.iter().find(|(_, other, _, job)| {
                other == commit
                    && job.subject == first.subject
                    && job.version == first.version
                    && job.mode.strip_suffix(CANARY[1]) == Some(mode)
            });
            let Some((.., second)) = second else {
                continue;
            };
            if first.outcome != "ok" || second.outcome != "ok" {
                continue;
            }
            let (a, b) = (
                self.log_means(first.job, "wall")?,
                self.log_means(second.job, "wall")?,
            );
            let Ok(judged) = judge(&a, &b, None) else {
                continue;
            };
            let (Some(welch), false) = (judged.welch, judged.verdict == Verdict::TooFew) else {
                continue;
            };
            let flagged = judged.verdict.is_change();
            canary.of += 1;
            if flagged {
                canary.flagged.push(first.benchmark.clone());
            }
            canary.pairs.push(CanaryPair {
                subject: self.conn.query_row(
                    "SELECT name FROM subject WHERE id = ?",
                    [first.subject],
                    |row| row.get(0),
                )?,
                mode: mode.to_owned(),
                benchmark: first.benchmark.clone(),
                ratio: welch.ratio,
                low: welch.low,
                high: welch.high,
                flagged,
            });
        }
        Ok((canary.planned > 0).then_some(canary))
    }

    /// The run in which each benchmark (`suite/name`) last had at least `processes` good ones of a commit on `machine`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn judged_benchmarks(
        &self,
        machine: MachineId,
        processes: u32,
    ) -> Result<BTreeMap<String, RunId>> {
        let mut query = self.conn.prepare(
            "SELECT b.suite || '/' || b.name, max(job.run_id) FROM job JOIN run ON run.id = job.run_id \
             JOIN mode ON mode.id = job.mode_id AND mode.purpose = 'timing' \
             JOIN benchmark_version AS bv ON bv.id = job.benchmark_version_id JOIN benchmark AS b ON b.id = bv.benchmark_id \
             WHERE run.machine_id = ?1 AND job.kind = 'bench' AND job.outcome = 'ok' AND job.commit_id IS NOT NULL \
             AND job.planned_processes >= ?2 \
             AND (SELECT count(*) FROM process WHERE job_id = job.id AND state = 'done') >= ?2 GROUP BY 1",
        )?;
        let rows = query.query_map(params![machine, processes], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The run in which each benchmark of each subject was last measured as two on `machine`, by `subject` and `suite/name`. One that was
    /// planned and not reached does not count.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn canaries(&self, machine: MachineId) -> Result<BTreeMap<(String, String), RunId>> {
        let mut query = self.conn.prepare(
            "SELECT subject.name, b.suite || '/' || b.name, max(run.id) FROM job JOIN run ON run.id = job.run_id \
             JOIN subject ON subject.id = job.subject_id JOIN mode ON mode.id = job.mode_id \
             JOIN benchmark_version AS bv ON bv.id = job.benchmark_version_id JOIN benchmark AS b ON b.id = bv.benchmark_id \
             WHERE run.machine_id = ? AND job.kind = 'bench' AND mode.name LIKE ? AND job.outcome != 'not-run' GROUP BY 1, 2",
        )?;
        let rows = query.query_map(params![machine, format!("%{}", CANARY[1])], |row| {
            Ok(((row.get(0)?, row.get(1)?), row.get(2)?))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn counts(&self, run: RunId, sql: &str) -> Result<BTreeMap<String, BTreeMap<String, u64>>> {
        let mut counts: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        let mut query = self.conn.prepare(sql)?;
        for row in query.query_map([run], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?))
        })? {
            let (group, outcome, count): (String, String, i64) = row?;
            counts
                .entry(group)
                .or_default()
                .insert(outcome, count as u64);
        }
        Ok(counts)
    }

    fn not_ok(&self, run: RunId) -> Result<Vec<NotOk>> {
        let mut query = self.conn.prepare(
            "SELECT job.key, job.kind, subject.name, c.sha, job.outcome, job.reason FROM job \
             JOIN subject ON subject.id = job.subject_id LEFT JOIN \"commit\" AS c ON c.id = job.commit_id \
             WHERE job.run_id = ? AND job.outcome != 'ok' ORDER BY job.ordinal",
        )?;
        let rows = query.query_map([run], |row| {
            Ok(NotOk {
                key: row.get(0)?,
                kind: row.get(1)?,
                subject: row.get(2)?,
                sha: row.get(3)?,
                outcome: row.get(4)?,
                reason: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn scores(&self, run: RunId) -> Result<Vec<Score>> {
        let mut query = self.conn.prepare(
            "SELECT s.name, m.name, bs.name, count(*), sum(coalesce(r.outcome, '') = 'pass') \
             FROM job AS bj JOIN subject AS bs ON bs.id = bj.subject_id AND bs.role = 'baseline' \
             JOIN test_result AS br ON br.job_id = bj.id AND br.outcome = 'pass' \
             JOIN job AS j ON j.run_id = bj.run_id AND j.kind = 'tests' AND j.test_module = bj.test_module \
               AND j.outcome != 'not-run' \
             JOIN subject AS s ON s.id = j.subject_id AND s.role = 'subject' \
             JOIN mode AS m ON m.id = j.mode_id \
             LEFT JOIN test_result AS r ON r.job_id = j.id AND r.test_case_id = br.test_case_id \
             WHERE bj.run_id = ? AND bj.kind = 'tests' GROUP BY 1, 2, 3 ORDER BY 1, m.id, 3",
        )?;
        let rows = query.query_map([run], |row| {
            Ok(Score {
                subject: row.get(0)?,
                mode: row.get(1)?,
                reference: row.get(2)?,
                reference_passes: row.get::<_, i64>(3)? as u64,
                both_pass: row.get::<_, i64>(4)? as u64,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Speed-ups of the newest commit with points in this run, per subject, mode and baseline.
    fn speedups(&self, run: RunId) -> Result<Vec<Speedup>> {
        let mut query = self.conn.prepare(
            "WITH timed AS ( \
                 SELECT p.geomean, p.job_id, p.commit_id, s.subject_id, s.mode_id, s.benchmark_version_id AS bench, \
                     metric.name AS metric \
                 FROM point AS p JOIN series AS s ON s.id = p.series_id \
                 JOIN metric ON metric.id = s.metric_id AND metric.name IN ('wall', 'first') WHERE p.run_id = ?1), \
             newest AS ( \
                 SELECT c.subject_id, c.id, c.sha, max(c.seq) FROM \"commit\" AS c \
                 WHERE c.id IN (SELECT commit_id FROM timed) GROUP BY c.subject_id) \
             SELECT subject.name, newest.sha, mode.name, base.name, bw.geomean / w.geomean, \
                 (SELECT count(*) FROM job WHERE job.run_id = ?1 AND job.kind = 'bench' \
                    AND job.commit_id = newest.id AND job.mode_id = mode.id), w.job_id, bw.job_id, \
                 w.metric \
             FROM newest JOIN timed AS w ON w.commit_id = newest.id \
             JOIN subject ON subject.id = w.subject_id JOIN mode ON mode.id = w.mode_id AND mode.purpose != 'ablation' \
             JOIN timed AS bw ON bw.bench = w.bench AND bw.metric = w.metric \
             JOIN subject AS base ON base.id = bw.subject_id AND base.role = 'baseline' \
             ORDER BY w.metric DESC, subject.name, mode.id, base.name",
        )?;
        let rows = query.query_map([run], |row| {
            let speedup = Speedup {
                subject: row.get(0)?,
                sha: row.get(1)?,
                mode: row.get(2)?,
                baseline: row.get(3)?,
                ratio: row.get(4)?,
                interval: None,
                benchmarks: 1,
                of: row.get::<_, i64>(5)? as u64,
                metric: row.get(8)?,
            };
            Ok((speedup, row.get(6)?, row.get(7)?))
        })?;
        let rows = rows.collect::<rusqlite::Result<Vec<(Speedup, JobId, JobId)>>>()?;
        let same = |(a, ..): &(Speedup, JobId, JobId), (b, ..): &(Speedup, JobId, JobId)| {
            (&a.metric, &a.subject, &a.mode, &a.baseline)
                == (&b.metric, &b.subject, &b.mode, &b.baseline)
        };
        rows.chunk_by(same)
            .map(|group| self.mean_speedup(group))
            .collect()
    }

    /// One mean over the benchmarks of `group`, each given with its own job and the baseline's.
    fn mean_speedup(&self, group: &[(Speedup, JobId, JobId)]) -> Result<Speedup> {
        let logs: f64 = group.iter().map(|(row, ..)| row.ratio.ln()).sum();
        let sides = group
            .iter()
            .map(|(_, job, baseline)| {
                Ok((
                    self.log_means(*job, &group[0].0.metric)?,
                    self.log_means(*baseline, &group[0].0.metric)?,
                ))
            })
            .collect::<Result<Vec<_>>>()?;
        // The speed-up is baseline / mode: the mode is the old side of the ratio.
        let pairs: Vec<Pair<'_>> = sides
            .iter()
            .map(|(mode, baseline)| Pair {
                old: mode,
                new: baseline,
            })
            .collect();
        let interval = geomean(&pairs, RESAMPLES, SEED)
            .ok()
            .map(|mean| (mean.low, mean.high));
        Ok(Speedup {
            ratio: (logs / group.len() as f64).exp(),
            interval,
            benchmarks: group.len() as u64,
            ..group[0].0.clone()
        })
    }

    /// The newest run of any machine: key, state, tier, started, finished, exit code.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn recent_runs(&self, count: u32) -> Result<Vec<RunLine>> {
        let mut query = self.conn.prepare(
            "SELECT run.id, run.key, run.state, run.tier, run.started_s, run.finished_s, run.exit_code, machine.name, \
             env_snapshot.grade, c.sha, \
             (SELECT count(*) FROM job WHERE job.run_id = run.id), \
             (SELECT count(*) FROM job WHERE job.run_id = run.id AND job.state = 'done') \
             FROM run JOIN machine ON machine.id = run.machine_id JOIN env_snapshot ON env_snapshot.id = run.env_snapshot_id \
             LEFT JOIN \"commit\" AS c ON c.id = run.head_commit_id ORDER BY run.started_s DESC, run.id DESC LIMIT ?",
        )?;
        let rows = query.query_map([count], |row| {
            Ok(RunLine {
                id: row.get(0)?,
                key: row.get(1)?,
                state: row.get(2)?,
                tier: row.get(3)?,
                started_s: row.get(4)?,
                finished_s: row.get(5)?,
                exit_code: row.get(6)?,
                machine: row.get(7)?,
                environment: row.get(8)?,
                head: row.get(9)?,
                jobs: row.get::<_, i64>(10)? as u64,
                jobs_done: row.get::<_, i64>(11)? as u64,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

/// A run in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunLine {
    #[serde(skip)]
    pub id: RunId,
    pub key: String,
    pub state: String,
    pub tier: String,
    pub started_s: i64,
    pub finished_s: Option<i64>,
    pub exit_code: Option<i32>,
    pub machine: String,
    /// Grade of the environment.
    pub environment: String,
    pub head: Option<String>,
    pub jobs: u64,
    pub jobs_done: u64,
}
