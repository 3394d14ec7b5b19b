//! `alert` and `alert_change`: what a person should look at, and how it went on.
//!
//! An alert is about one benchmark of one subject and one pair of neighbouring commits, in one direction; the modes in which it shows are its
//! change points. Its states and what leads from one to another are `stats::alert`'s; this file only stores them, each change
//! with its time and reason in the history.

use crate::{
    BenchmarkVersionId, CommitId, MachineId, ModeId, Result, RunId, Store, StoreError, SubjectId,
    now_s,
};
use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

/// An alert to add.
#[derive(Debug, Clone)]
pub struct NewAlert {
    /// `worse` or `better`.
    pub direction: &'static str,
    pub title: String,
    /// `wall`, `instructions`, or what [`Store::counter_metric`] gives.
    pub metric: String,
    pub run: RunId,
    pub low: CommitId,
    pub high: CommitId,
    /// `interpreter`, `tracer-backend` or `optimizer`, when that can be said.
    pub moved: Option<&'static str>,
    pub counter: Option<String>,
    pub counter_ratio: Option<f64>,
    pub changes: Vec<NewChange>,
}

/// One series of an alert.
#[derive(Debug, Clone)]
pub struct NewChange {
    pub subject: SubjectId,
    pub benchmark: BenchmarkVersionId,
    pub mode: ModeId,
    pub machine: MachineId,
    pub p: f64,
    /// New level over old.
    pub ratio: f64,
}

/// An alert as stored.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alert {
    pub id: i64,
    pub state: String,
    pub direction: String,
    pub title: String,
    /// What moved: `wall`, `instructions`, `counter:NAME`.
    pub metric: String,
    pub subject: String,
    /// Where it was found; another machine's numbers neither confirm nor refute it.
    pub machine: MachineId,
    /// `suite/name`.
    pub benchmark: String,
    pub modes: Vec<String>,
    /// New level over old, largest change first among the modes.
    pub ratio: f64,
    /// Full ids of the last commit before and the first after.
    pub low: String,
    pub high: String,
    pub high_title: String,
    pub moved: Option<String>,
    pub counter: Option<String>,
    pub counter_ratio: Option<f64>,
    pub note: String,
    /// How it came to its state, oldest first.
    pub history: Vec<Entry>,
    pub created_s: i64,
    pub updated_s: i64,
}

/// A step in the life of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub time_s: i64,
    /// State from then on.
    pub state: String,
    pub why: String,
    /// Commit that it is about: the one that mended a `fixed` alert, or one that was found not to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha: Option<String>,
}

/// One series in which an alert shows.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertSeries {
    pub subject: SubjectId,
    pub version: BenchmarkVersionId,
    pub mode: ModeId,
    pub mode_name: String,
    pub machine: MachineId,
}

/// Algorithm under which the change points of alerts are stored: two neighbours of one run, judged by the rule.
const ALGORITHM: &str = "neighbours";

impl Store {
    /// Adds a provisional alert. `None` when there is one about the same metric of the same benchmark, pair of commits and direction,
    /// whatever its state.
    ///
    /// # Errors
    /// What SQLite says, for instance when there is no such metric.
    pub fn add_alert(&mut self, alert: &NewAlert) -> Result<Option<i64>> {
        let Some(first) = alert.changes.first() else {
            return Ok(None);
        };
        self.atomically(|store| {
            let known: Option<i64> = store
                .conn
                .query_row(
                    "SELECT alert.id FROM alert JOIN alert_change AS ac ON ac.alert_id = alert.id \
                     JOIN change_point AS cp ON cp.id = ac.change_point_id JOIN series ON series.id = cp.series_id \
                     JOIN metric ON metric.id = series.metric_id \
                     WHERE alert.low_commit_id = ? AND alert.high_commit_id = ? AND alert.direction = ? \
                     AND series.benchmark_version_id = ? AND series.machine_id = ? AND metric.name = ? LIMIT 1",
                    params![alert.low, alert.high, alert.direction, first.benchmark, first.machine, alert.metric],
                    |row| row.get(0),
                )
                .optional()?;
            if known.is_some() {
                return Ok(None);
            }
            let now = now_s();
            let history = serde_json::json!([{ "time_s": now, "state": "provisional", "why": "found" }]);
            let id: i64 = store.conn.query_row(
                "INSERT INTO alert (state, kind, direction, title, run_id, low_commit_id, high_commit_id, moved, counter, \
                 counter_ratio, history_json, created_s, updated_s) \
                 VALUES ('provisional', 'performance', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                params![
                    alert.direction,
                    alert.title,
                    alert.run,
                    alert.low,
                    alert.high,
                    alert.moved,
                    alert.counter,
                    alert.counter_ratio,
                    history.to_string(),
                    now,
                    now
                ],
                |row| row.get(0),
            )?;
            for change in &alert.changes {
                store.change_point(&crate::change_points::Found {
                    subject: change.subject,
                    benchmark: change.benchmark,
                    mode: change.mode,
                    machine: change.machine,
                    metric: &alert.metric,
                    commit: alert.high,
                    previous: Some(alert.low),
                    algorithm: ALGORITHM,
                    params_json: "{}",
                    p: change.p,
                    ratio: change.ratio,
                    status: "provisional",
                })?;
                store.conn.execute(
                    "INSERT OR IGNORE INTO alert_change (alert_id, change_point_id) SELECT ?, cp.id FROM change_point AS cp \
                     JOIN series ON series.id = cp.series_id JOIN metric ON metric.id = series.metric_id \
                     WHERE cp.commit_id = ? AND cp.algorithm = ? AND series.subject_id = ? AND series.benchmark_version_id = ? \
                     AND series.mode_id = ? AND series.machine_id = ? AND metric.name = ?",
                    params![
                        id,
                        alert.high,
                        ALGORITHM,
                        change.subject,
                        change.benchmark,
                        change.mode,
                        change.machine,
                        alert.metric
                    ],
                )?;
            }
            Ok(Some(id))
        })
    }

    /// Alerts in one of `states` (all with none), the newest first.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn alerts(&self, states: &[&str]) -> Result<Vec<Alert>> {
        let mut query = self.conn.prepare(
            "SELECT alert.id, alert.state, alert.direction, alert.title, subject.name, b.suite || '/' || b.name, \
             group_concat(DISTINCT mode.name), max(cp.ratio), min(cp.ratio), lo.sha, hi.sha, hi.title, alert.moved, \
             alert.counter, alert.counter_ratio, alert.note, alert.created_s, alert.updated_s, series.machine_id, metric.name, \
             alert.history_json FROM alert \
             JOIN alert_change AS ac ON ac.alert_id = alert.id JOIN change_point AS cp ON cp.id = ac.change_point_id \
             JOIN series ON series.id = cp.series_id JOIN subject ON subject.id = series.subject_id \
             JOIN metric ON metric.id = series.metric_id \
             JOIN mode ON mode.id = series.mode_id JOIN benchmark_version AS bv ON bv.id = series.benchmark_version_id \
             JOIN benchmark AS b ON b.id = bv.benchmark_id JOIN \"commit\" AS lo ON lo.id = alert.low_commit_id \
             JOIN \"commit\" AS hi ON hi.id = alert.high_commit_id GROUP BY alert.id ORDER BY alert.created_s DESC, alert.id DESC",
        )?;
        let rows = query.query_map([], |row: &Row<'_>| {
            let direction: String = row.get(2)?;
            let (largest, smallest): (f64, f64) = (row.get(7)?, row.get(8)?);
            let modes: String = row.get(6)?;
            Ok(Alert {
                id: row.get(0)?,
                state: row.get(1)?,
                ratio: if direction == "worse" {
                    largest
                } else {
                    smallest
                },
                direction,
                title: row.get(3)?,
                subject: row.get(4)?,
                benchmark: row.get(5)?,
                modes: modes.split(',').map(Into::into).collect(),
                low: row.get(9)?,
                high: row.get(10)?,
                high_title: row.get(11)?,
                moved: row.get(12)?,
                counter: row.get(13)?,
                counter_ratio: row.get(14)?,
                note: row.get(15)?,
                created_s: row.get(16)?,
                updated_s: row.get(17)?,
                machine: row.get(18)?,
                metric: row.get(19)?,
                history: entries(row, 20)?,
            })
        })?;
        let mut alerts = rows.collect::<rusqlite::Result<Vec<Alert>>>()?;
        alerts.retain(|alert| states.is_empty() || states.contains(&alert.state.as_str()));
        Ok(alerts)
    }

    /// The series in which an alert shows.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn alert_series(&self, id: i64) -> Result<Vec<AlertSeries>> {
        let mut query = self.conn.prepare(
            "SELECT series.subject_id, series.benchmark_version_id, series.mode_id, mode.name, series.machine_id \
             FROM alert_change AS ac JOIN change_point AS cp ON cp.id = ac.change_point_id \
             JOIN series ON series.id = cp.series_id JOIN mode ON mode.id = series.mode_id \
             WHERE ac.alert_id = ? ORDER BY mode.name",
        )?;
        let rows = query.query_map([id], |row| {
            Ok(AlertSeries {
                subject: row.get(0)?,
                version: row.get(1)?,
                mode: row.get(2)?,
                mode_name: row.get(3)?,
                machine: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Moves an alert to `state`, or notes something about the state it is in; `why` and the commit that it is about go into its history,
    /// and its change points follow.
    ///
    /// # Errors
    /// [`StoreError::Missing`] for an alert that does not exist, or what SQLite says.
    pub fn set_alert_state(
        &mut self,
        id: i64,
        state: &str,
        why: &str,
        sha: Option<&str>,
    ) -> Result<()> {
        self.atomically(|store| {
            let entry = Entry {
                time_s: now_s(),
                state: state.into(),
                why: why.into(),
                sha: sha.map(Into::into),
            };
            let entry = serde_json::to_string(&entry).map_err(|source| StoreError::Json {
                what: "alert history",
                source,
            })?;
            let changed = store.conn.execute(
                "UPDATE alert SET state = ?, updated_s = ?, history_json = json_insert(history_json, '$[#]', json(?)) WHERE id = ?",
                params![state, now_s(), entry, id],
            )?;
            if changed == 0 {
                return Err(StoreError::Missing {
                    what: "alert",
                    name: id.to_string(),
                });
            }
            let status = match state {
                "confirmed" | "fixed" | "wontfix" => Some("confirmed"),
                "noise" | "infrastructure" => Some("noise"),
                "new" | "provisional" => Some("provisional"),
                _ => None,
            };
            if let Some(status) = status {
                store.conn.execute(
                    "UPDATE change_point SET status = ? WHERE id IN (SELECT change_point_id FROM alert_change WHERE alert_id = ?)",
                    params![status, id],
                )?;
            }
            Ok(())
        })
    }

    /// Counters of the processes of a job: name → one value per process.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn counters(
        &self,
        job: crate::JobId,
    ) -> Result<std::collections::BTreeMap<String, Vec<f64>>> {
        let mut query = self.conn.prepare_cached(
            "SELECT counter.name, counter.value FROM counter JOIN process ON process.id = counter.process_id \
             WHERE process.job_id = ? AND process.outcome = 'ok' ORDER BY process.idx",
        )?;
        let mut counters: std::collections::BTreeMap<String, Vec<f64>> =
            std::collections::BTreeMap::new();
        for row in query.query_map([job], |row| Ok((row.get(0)?, row.get(1)?)))? {
            let (name, value): (String, f64) = row?;
            counters.entry(name).or_default().push(value);
        }
        Ok(counters)
    }

    /// The timed (or the counted) jobs of a run with their commits: position and row of the commit beside each.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn run_jobs(
        &self,
        run: RunId,
        counted: bool,
    ) -> Result<Vec<(i64, CommitId, String, crate::read::sides::SideJob)>> {
        let kind = if counted { "count" } else { "bench" };
        let mut query = self.conn.prepare(
            "SELECT c.seq, c.id, c.sha, job.id, run.id, run.key, run.started_s, job.subject_id, run.machine_id, mode.id, \
             mode.name, bv.id, b.suite || '/' || b.name, job.outcome, job.reason, build.text_sha256 \
             FROM job JOIN run ON run.id = job.run_id JOIN \"commit\" AS c ON c.id = job.commit_id \
             JOIN mode ON mode.id = job.mode_id JOIN benchmark_version AS bv ON bv.id = job.benchmark_version_id \
             JOIN benchmark AS b ON b.id = bv.benchmark_id LEFT JOIN build ON build.id = job.build_id \
             WHERE job.run_id = ? AND job.kind = ? AND job.outcome IS NOT NULL ORDER BY job.ordinal",
        )?;
        let rows = query.query_map(params![run, kind], |row| {
            let job = crate::read::sides::SideJob {
                job: row.get(3)?,
                run: row.get(4)?,
                run_key: row.get(5)?,
                started_s: row.get(6)?,
                subject: row.get(7)?,
                machine: row.get(8)?,
                mode_id: row.get(9)?,
                mode: row.get(10)?,
                version: row.get(11)?,
                benchmark: row.get(12)?,
                outcome: row.get(13)?,
                reason: row.get(14)?,
                text_sha256: row.get(15)?,
            };
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, job))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

/// The history in column `index`; one that cannot be read is empty, as of a database older than histories.
fn entries(row: &Row<'_>, index: usize) -> rusqlite::Result<Vec<Entry>> {
    Ok(serde_json::from_str(&row.get::<_, String>(index)?).unwrap_or_default())
}
