//! `series` and `point`: the rebuildable summary of each job and metric.
//!
//! A process counts once: the mean of its steady iterations. A point is the geometric mean of those means with a 95 %
//! interval from Student's t on their logs. Only jobs whose every process ended `ok` get points.

use crate::{
    BenchmarkVersionId, BuildId, CommitId, JobId, MachineId, ModeId, ProcessId, Result, RunId,
    SeriesId, Store, SubjectId,
};
use rusqlite::{OptionalExtension, params};
use stats::rule::CONFIDENCE;
use stats::sample::{self, mean, median, sd};
use stats::special::t_critical;
use stats::warmup::Class;

/// Metric of counted processes, and the counter in which each has its total.
const INSTRUCTIONS: &str = "instructions";

/// What the metric of a VM's counter begins with.
pub const COUNTER: &str = "counter:";

/// Summary of one job under one metric, in the metric's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    pub n_processes: u32,
    pub geomean: f64,
    pub mean: f64,
    pub median: f64,
    pub min: f64,
    /// 95 % interval of the geomean; `None` under 3 processes.
    pub interval: Option<(f64, f64)>,
    /// Standard deviation of the log process means; `None` under 2 processes.
    pub sd_between: Option<f64>,
    /// Mean over processes of the standard deviation of log samples; `None` when no process has 2 samples.
    pub sd_within: Option<f64>,
}

/// Summarizes processes, each given by its steady samples. `None` when there is no process, or a sample that is not
/// positive and finite: such a metric has no logarithm.
#[must_use]
pub fn summarize(processes: &[Vec<f64>]) -> Option<Summary> {
    if processes.is_empty()
        || processes
            .iter()
            .any(|p| p.is_empty() || p.iter().any(|x| !x.is_finite() || *x <= 0.0))
    {
        return None;
    }
    let means: Vec<f64> = processes.iter().map(|p| mean(p)).collect();
    let logs: Vec<f64> = means.iter().map(|m| m.ln()).collect();
    let centre = mean(&logs);
    let sd_between = sd(&logs);
    let n = means.len();
    let interval = sd_between.filter(|_| n >= 3).map(|s| {
        let half = t_critical(1.0 - CONFIDENCE, (n - 1) as f64) * s / (n as f64).sqrt();
        ((centre - half).exp(), (centre + half).exp())
    });
    let within: Vec<f64> = processes
        .iter()
        .filter_map(|p| sd(&p.iter().map(|x| x.ln()).collect::<Vec<_>>()))
        .collect();
    Some(Summary {
        n_processes: n as u32,
        geomean: centre.exp(),
        mean: mean(&means),
        median: median(&means),
        min: means.iter().copied().fold(f64::INFINITY, f64::min),
        interval,
        sd_between,
        sd_within: (!within.is_empty()).then(|| mean(&within)),
    })
}

/// A job with what its points need.
struct Measured {
    job: JobId,
    build: BuildId,
    ids: (
        SubjectId,
        BenchmarkVersionId,
        ModeId,
        MachineId,
        Option<CommitId>,
    ),
    counted: bool,
}

/// Steady values of each process, oldest first.
type Steady = Vec<Vec<f64>>;

struct Process {
    id: ProcessId,
    steady_from: Option<u32>,
    class: Option<String>,
    wall_ns: f64,
    cpu_ns: f64,
    peak_rss_bytes: f64,
}

impl Process {
    /// First iteration whose time counts. A process that never settled counts with its second half, since something has to stand for it;
    /// its class says what that is worth.
    fn steady(&self, iterations: usize) -> usize {
        match self.steady_from {
            Some(from) => from as usize,
            None if self.class.as_deref() == Some(Class::NoSteadyState.as_str()) => iterations / 2,
            None => 0,
        }
    }
}

impl Store {
    /// Logs of the steady means of each process of `job` under `metric`, in the order of the processes; empty when a value has no logarithm.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn log_means(&self, job: JobId, metric: &str) -> Result<Vec<f64>> {
        let values = self.steady_values(job)?;
        let of_metric = values.into_iter().find(|(name, _)| *name == metric);
        let processes = of_metric
            .map(|(_, processes)| processes)
            .unwrap_or_default();
        let logs: std::result::Result<Vec<f64>, _> = processes
            .iter()
            .map(|process| sample::log_mean(process))
            .collect();
        Ok(logs.unwrap_or_default())
    }

    /// Rebuilds all points of `run`; returns how many there are.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn rebuild_points(&mut self, run: RunId) -> Result<usize> {
        self.atomically(|store| {
            store
                .conn
                .execute("DELETE FROM point WHERE run_id = ?", [run])?;
            let mut count = 0;
            for measured in store.measured_jobs(run)? {
                for (metric, processes) in store.steady_values(measured.job)? {
                    // Under valgrind nothing but the count means anything.
                    if (metric == INSTRUCTIONS) != measured.counted {
                        continue;
                    }
                    let Some(summary) = summarize(&processes) else {
                        continue;
                    };
                    store.write_point(run, &measured, metric, &summary)?;
                    count += 1;
                }
            }
            Ok(count)
        })
    }

    fn measured_jobs(&self, run: RunId) -> Result<Vec<Measured>> {
        let mut query = self.conn.prepare(
            "SELECT job.id, job.build_id, job.subject_id, job.benchmark_version_id, job.mode_id, run.machine_id, \
             job.commit_id, job.kind = 'count' FROM job JOIN run ON run.id = job.run_id WHERE run.id = ? \
             AND job.kind IN ('bench', 'count') \
             AND job.outcome = 'ok' AND job.build_id IS NOT NULL ORDER BY job.ordinal",
        )?;
        let rows = query.query_map([run], |row| {
            Ok(Measured {
                job: row.get(0)?,
                build: row.get(1)?,
                counted: row.get(7)?,
                ids: (
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                    row.get(5)?,
                    row.get(6)?,
                ),
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// For each metric the steady values of each process of `job`.
    fn steady_values(&self, job: JobId) -> Result<Vec<(&'static str, Steady)>> {
        let mut query = self.conn.prepare_cached(
            "SELECT id, steady_from, wall_ns, user_ns + system_ns, peak_rss_bytes, warmup_class FROM process AS p \
             WHERE job_id = ? AND state = 'done' AND outcome = 'ok' \
             AND revision = (SELECT max(revision) FROM process WHERE job_id = p.job_id AND idx = p.idx) ORDER BY idx",
        )?;
        let processes: Vec<Process> = query
            .query_map([job], |row| {
                Ok(Process {
                    id: row.get(0)?,
                    steady_from: row.get(1)?,
                    wall_ns: row.get(2)?,
                    cpu_ns: row.get(3)?,
                    peak_rss_bytes: row.get(4)?,
                    class: row.get(5)?,
                })
            })?
            .collect::<rusqlite::Result<_>>()?;
        let mut metrics: Vec<(&'static str, Steady)> = [
            "wall",
            "cpu",
            "first",
            "to_steady",
            "process_wall",
            "process_cpu",
            "peak_rss",
            INSTRUCTIONS,
        ]
        .map(|name| (name, Vec::new()))
        .into();
        for process in &processes {
            let wall = self.samples(process.id, "wall")?;
            let cpu = self.samples(process.id, "cpu")?;
            let steady = process.steady(wall.len());
            let to_steady = match process.steady_from {
                Some(_) => vec![wall.iter().take(steady).sum()],
                // An empty list: a job with such a process has no point of this metric.
                None => Vec::new(),
            };
            let values = [
                wall.get(steady..).unwrap_or_default().to_vec(),
                cpu.get(steady..).unwrap_or_default().to_vec(),
                wall.first().copied().into_iter().collect(),
                to_steady,
                vec![process.wall_ns],
                vec![process.cpu_ns],
                vec![process.peak_rss_bytes],
                self.instructions(process.id)?.into_iter().collect(),
            ];
            for ((_, all), one) in metrics.iter_mut().zip(values) {
                all.push(one);
            }
        }
        Ok(metrics)
    }

    /// What a counted process counted.
    fn instructions(&self, process: ProcessId) -> Result<Option<f64>> {
        Ok(self
            .conn
            .prepare_cached("SELECT value FROM counter WHERE process_id = ? AND name = ?")?
            .query_row(params![process, INSTRUCTIONS], |row| row.get(0))
            .optional()?)
    }

    /// Finds or adds a series.
    ///
    /// # Errors
    /// What SQLite says, for instance when there is no such metric.
    pub(crate) fn series(
        &mut self,
        subject: SubjectId,
        benchmark: BenchmarkVersionId,
        mode: ModeId,
        machine: MachineId,
        metric: &str,
    ) -> Result<SeriesId> {
        Ok(self
            .conn
            .prepare_cached(
                "INSERT INTO series (subject_id, benchmark_version_id, mode_id, machine_id, metric_id) \
                 VALUES (?, ?, ?, ?, (SELECT id FROM metric WHERE name = ?)) \
                 ON CONFLICT DO UPDATE SET machine_id = excluded.machine_id RETURNING id",
            )?
            .query_row(params![subject, benchmark, mode, machine, metric], |row| {
                row.get(0)
            })?)
    }

    /// The metric of a counter of the VM, by the name that [`Store::counters`] has; added when it is new.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn counter_metric(&mut self, counter: &str) -> Result<String> {
        let name = format!("{COUNTER}{counter}");
        self.conn.execute(
            "INSERT OR IGNORE INTO metric (name, unit, better, noisy, scope, title) \
             VALUES (?, 'count', 'lower', 0, 'process', ?)",
            params![name, format!("{counter}, as the VM counts it")],
        )?;
        Ok(name)
    }

    fn write_point(
        &mut self,
        run: RunId,
        of: &Measured,
        metric: &str,
        summary: &Summary,
    ) -> Result<()> {
        let (subject, benchmark, mode, machine, commit) = of.ids;
        let series = self.series(subject, benchmark, mode, machine, metric)?;
        self.conn.execute(
            "INSERT OR REPLACE INTO point (series_id, run_id, build_id, job_id, commit_id, n_processes, geomean, mean, \
             median, min, low, high, sd_between, sd_within) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                series,
                run,
                of.build,
                of.job,
                commit,
                summary.n_processes,
                summary.geomean,
                summary.mean,
                summary.median,
                summary.min,
                summary.interval.map(|i| i.0),
                summary.interval.map(|i| i.1),
                summary.sd_between,
                summary.sd_within
            ],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn a_process_counts_once_whatever_its_number_of_samples() {
        let few = summarize(&[vec![1.0], vec![2.0], vec![4.0]]).unwrap();
        let many = summarize(&[vec![1.0; 100], vec![2.0], vec![4.0]]).unwrap();
        assert_eq!(few.geomean, many.geomean);
        assert!((few.geomean - 2.0).abs() < 1e-12);
        assert_eq!((few.median, few.min, few.n_processes), (2.0, 1.0, 3));
    }

    #[test]
    fn the_interval_is_students_t_on_logs() {
        // Logs -1, 0, 1: sd 1, half width 4.303 / sqrt 3.
        let processes: Vec<Vec<f64>> = [-1.0f64, 0.0, 1.0].iter().map(|x| vec![x.exp()]).collect();
        let (low, high) = summarize(&processes).unwrap().interval.unwrap();
        assert!((high.ln() - 4.302_652_73 / 3f64.sqrt()).abs() < 1e-8);
        assert!((low.ln() + high.ln()).abs() < 1e-9);
    }

    #[test]
    fn two_processes_have_no_interval() {
        assert_eq!(summarize(&[vec![1.0], vec![1.1]]).unwrap().interval, None);
    }

    #[test]
    fn what_has_no_logarithm_has_no_summary() {
        assert_eq!(summarize(&[]), None);
        assert_eq!(summarize(&[vec![]]), None);
        assert_eq!(summarize(&[vec![0.0]]), None);
        assert_eq!(summarize(&[vec![f64::NAN]]), None);
    }
}
