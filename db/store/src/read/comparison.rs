//! Two revisions against each other, by the rule behind every verdict.
//!
//! Only what was measured interleaved in one run can be judged, so a comparison is of one run: the newest that has both
//! sides. A mode that is not timed (an ablation, the canary) is none of its rows.

use super::scope::{IN_HISTORY, Ids};
use super::sides::SideJob;
use crate::{Result, RunId, Store, StoreError};
use dashboard_api::{Compared, Comparison, ModeMean, Verdict};
use rusqlite::{OptionalExtension, params};
use stats::geomean::{self, Pair};
use stats::noise::{WINDOW, noise_floor};
use stats::rule::{self, Judgement, judge};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Enough for an interval of a page; `nightjar compare` takes more.
const RESAMPLES: u32 = 1000;

/// Both sides of a cell, as far as they were measured.
type Cell = (Option<SideJob>, Option<SideJob>);

impl Store {
    /// Neighbours on the line that one of the newest runs measured both.
    pub(super) fn page_neighbours(&self, ids: Ids, limit: usize) -> Result<Vec<(i64, i64)>> {
        let mut query = self.conn.prepare_cached(&format!(
            "SELECT DISTINCT job.run_id, c.seq FROM job JOIN \"commit\" AS c ON c.id = job.commit_id \
             WHERE job.subject_id = ?1 AND job.kind = 'bench' AND job.outcome = 'ok' AND job.run_id IN \
             (SELECT id FROM run WHERE machine_id = ?2 AND {IN_HISTORY} ORDER BY started_s DESC LIMIT ?3)"
        ))?;
        let limit_rows = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = query.query_map(params![ids.subject, ids.machine, limit_rows], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        let mut runs: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
        for row in rows {
            let (run, position): (i64, i64) = row?;
            runs.entry(run).or_default().insert(position);
        }
        let mut pairs: BTreeSet<(i64, i64)> = BTreeSet::new();
        for positions in runs.into_values() {
            let positions: Vec<i64> = positions.into_iter().collect();
            pairs.extend(positions.windows(2).map(|pair| (pair[1], pair[0])));
        }
        let newest = pairs.into_iter().rev().take(limit);
        Ok(newest.map(|(new, old)| (old, new)).collect())
    }

    pub(super) fn page_comparison(
        &self,
        ids: Ids,
        old: i64,
        new: i64,
    ) -> Result<Option<Comparison>> {
        let (Some(old), Some(new)) = (self.commit_at(ids, old)?, self.commit_at(ids, new)?) else {
            return Ok(None);
        };
        let run: Option<(RunId, i64)> = self
            .conn
            .prepare_cached(&format!(
                "SELECT id, started_s FROM run WHERE machine_id = ?1 AND {IN_HISTORY} \
                 AND EXISTS (SELECT 1 FROM job WHERE job.run_id = run.id AND commit_id = ?2 AND kind = 'bench' AND outcome = 'ok') \
                 AND EXISTS (SELECT 1 FROM job WHERE job.run_id = run.id AND commit_id = ?3 AND kind = 'bench' AND outcome = 'ok') \
                 ORDER BY started_s DESC, id DESC LIMIT 1"
            ))?
            .query_row(params![ids.machine, old, new], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((run, started_at)) = run else {
            return Ok(None);
        };
        let timed = self.timed_modes(ids)?;
        let mut cells: BTreeMap<(String, String), Cell> = BTreeMap::new();
        for (_, commit, _, job) in self.run_jobs(run, false)? {
            if job.subject != ids.subject || !timed.contains(&job.mode) {
                continue;
            }
            let cell = cells
                .entry((job.benchmark.clone(), job.mode.clone()))
                .or_default();
            if commit.0 == old {
                cell.0 = Some(job);
            } else if commit.0 == new {
                cell.1 = Some(job);
            }
        }
        let mut comparison = Comparison {
            started_at,
            rows: Vec::new(),
            dropped: Vec::new(),
            means: Vec::new(),
        };
        let labels = self.labels_by_full_name()?;
        let mut logs: BTreeMap<String, Vec<(Vec<f64>, Vec<f64>)>> = BTreeMap::new();
        for ((benchmark, mode), (old, new)) in cells {
            let benchmark = labels.get(&benchmark).cloned().unwrap_or(benchmark);
            match self.compared(&benchmark, &mode, old.as_ref(), new.as_ref())? {
                Ok((row, sides)) => {
                    comparison.rows.push(row);
                    logs.entry(mode).or_default().push(sides);
                }
                Err(reason) => comparison.dropped.push((benchmark, mode, reason)),
            }
        }
        comparison.rows.sort_by(|x, y| {
            let p = |row: &Compared| row.p.unwrap_or(1.0);
            p(x).total_cmp(&p(y))
                .then_with(|| (&x.benchmark, &x.mode).cmp(&(&y.benchmark, &y.mode)))
        });
        for mode in timed {
            let Some(sides) = logs.get(&mode) else {
                continue;
            };
            let pairs: Vec<Pair<'_>> = sides.iter().map(|(old, new)| Pair { old, new }).collect();
            // Too few processes for an interval: no mean is shown either.
            if let Ok(mean) = geomean::geomean(&pairs, RESAMPLES, 1) {
                comparison.means.push(ModeMean {
                    mode,
                    ratio: mean.ratio,
                    interval: (mean.low, mean.high),
                    benchmarks: sides.len() as u32,
                });
            }
        }
        Ok(Some(comparison))
    }

    /// The ratio of one cell with the logs behind it, or why there is none.
    #[expect(
        clippy::type_complexity,
        reason = "a row with the logs of both sides, or the reason, once"
    )]
    fn compared(
        &self,
        benchmark: &str,
        mode: &str,
        old: Option<&SideJob>,
        new: Option<&SideJob>,
    ) -> Result<std::result::Result<(Compared, (Vec<f64>, Vec<f64>)), String>> {
        let (Some(old), Some(new)) = (old, new) else {
            return Ok(Err("not measured on both sides".into()));
        };
        if let Some((side, job)) = [("before", old), ("after", new)]
            .into_iter()
            .find(|(_, job)| job.outcome != "ok")
        {
            return Ok(Err(format!("{side}: {}", job.outcome)));
        }
        let sides = (
            self.log_means(old.job, "wall")?,
            self.log_means(new.job, "wall")?,
        );
        if sides.0.is_empty() || sides.1.is_empty() {
            return Ok(Err("no steady time on both sides".into()));
        }
        let floor = noise_floor(&self.recent_logs(new)?);
        let judgement =
            judge(&sides.0, &sides.1, floor).map_err(|error| StoreError::Malformed {
                table: "sample",
                id: new.job.0,
                what: error.to_string(),
            })?;
        let same_code = old.text_sha256.is_some() && old.text_sha256 == new.text_sha256;
        let mean = |logs: &[f64]| logs.iter().sum::<f64>() / logs.len() as f64;
        let row = Compared {
            benchmark: benchmark.to_owned(),
            mode: mode.to_owned(),
            ratio: (mean(&sides.1) - mean(&sides.0)).exp(),
            interval: judgement.welch.map(|welch| (welch.low, welch.high)),
            p: judgement.welch.map(|welch| welch.p),
            verdict: verdict(&judgement, same_code),
            smallest_visible: judgement.smallest_visible,
            processes: (judgement.processes.0 as u32, judgement.processes.1 as u32),
            same_code,
        };
        Ok(Ok((row, sides)))
    }

    /// Logs of the newest points of a job's series, oldest first: as many as a noise floor looks at.
    fn recent_logs(&self, job: &SideJob) -> Result<Vec<f64>> {
        let mut query = self.conn.prepare_cached(&format!(
            "SELECT point.geomean FROM series CROSS JOIN point ON point.series_id = series.id \
             JOIN \"commit\" AS c ON c.id = point.commit_id JOIN run ON run.id = point.run_id \
             WHERE series.subject_id = ? AND series.benchmark_version_id = ? AND series.mode_id = ? AND series.machine_id = ? \
             AND series.metric_id = (SELECT id FROM metric WHERE name = 'wall') AND {IN_HISTORY} \
             GROUP BY c.seq ORDER BY c.seq DESC LIMIT ?"
        ))?;
        let rows = query.query_map(
            params![
                job.subject,
                job.version,
                job.mode_id,
                job.machine,
                WINDOW as i64 + 1
            ],
            |row| row.get::<_, f64>(0),
        )?;
        let mut logs = Vec::new();
        for value in rows {
            logs.push(value?.ln());
        }
        logs.reverse();
        Ok(logs)
    }

    /// Timed modes of the subject, in the order of its pages.
    fn timed_modes(&self, ids: Ids) -> Result<Vec<String>> {
        let variants = self.page_variants(ids)?;
        Ok(variants
            .into_iter()
            .filter(|variant| variant.role == dashboard_api::Role::Mode)
            .map(|variant| variant.name)
            .collect())
    }

    fn labels_by_full_name(&self) -> Result<HashMap<String, String>> {
        let labels = self.benchmark_labels()?;
        let mut query = self
            .conn
            .prepare_cached("SELECT id, suite || '/' || name FROM benchmark")?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut by_name = HashMap::new();
        for row in rows {
            let (id, full): (i64, String) = row?;
            if let Some(label) = labels.get(&id) {
                by_name.insert(full, label.clone());
            }
        }
        Ok(by_name)
    }
}

fn verdict(judgement: &Judgement, same_code: bool) -> Verdict {
    match judgement.verdict {
        rule::Verdict::TooFew => Verdict::TooFew,
        _ if same_code => Verdict::NoChange,
        rule::Verdict::Larger => Verdict::Slower,
        rule::Verdict::Smaller => Verdict::Faster,
        rule::Verdict::NoChange => Verdict::NoChange,
    }
}
