//! The scripted executor: a table of answers instead of processes, and a clock that moves by what the answers say.
//!
//! Every policy (interleaving, outcomes, deadlines, resuming) is tested with it, and `nightjar simulate` runs on it.
//! Its numbers are a function of job, process and iteration alone, so a run taken up again gives the same ones.

use crate::outcome::{CaseOutcome, Outcome};
use crate::plan::{BenchJob, BuildJob, Plan, TestJob};
use crate::process::{Iteration, ProcessReport};
use crate::session::{BuildOutcome, BuildReport, Executor, Flow, INSTRUCTIONS, TestEvent};
use measure::{Bytes, Nanos, Usage};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Answers by job key; whatever is not in the table goes well.
#[derive(Debug, Clone, Default)]
pub struct Scripted {
    /// Builds that do not end well.
    pub builds: BTreeMap<String, BuildReport>,
    /// Processes that do not end well: job key and process number.
    pub processes: BTreeMap<(String, u32), ProcessReport>,
    /// Cases of test modules; a module not listed has one passing case.
    pub cases: BTreeMap<String, Vec<(String, CaseOutcome)>>,
    /// Duration of a build.
    pub build_time: Nanos,
    /// Mean wall time of an iteration, and that of jobs for which it is another one, by job key.
    pub iteration_time: Nanos,
    pub times: BTreeMap<String, Nanos>,
    /// Counters of jobs besides `traces`, by job key; what a counted job counts is `instructions`.
    pub counters: BTreeMap<String, BTreeMap<String, f64>>,
    /// Stops when the clock gets here.
    pub stop_at: Option<Nanos>,
    clock: Nanos,
    /// Keys of jobs in the order they were asked for, with the process number for benchmarks.
    pub asked: Vec<(String, Option<u32>)>,
}

impl Scripted {
    /// An executor with which all goes well: builds take 10 s, iterations around 100 ms.
    #[must_use]
    pub fn new() -> Scripted {
        Scripted {
            build_time: Nanos::from_secs(10),
            iteration_time: Nanos(100_000_000),
            ..Scripted::default()
        }
    }

    /// A process that ends with `outcome`.
    #[must_use]
    pub fn failing(outcome: Outcome, reason: &str) -> ProcessReport {
        ProcessReport {
            wall: Nanos::from_secs(1),
            ..ProcessReport::never_ran(outcome, reason.into())
        }
    }

    /// Wall time of an iteration: within 5 % around the mean, by a hash of where it is.
    fn iteration(&self, job: &str, seed: &str, index: u32) -> Nanos {
        let hash = Sha256::digest(format!("{job}\n{seed}\n{index}"));
        let share = f64::from(u16::from_le_bytes([hash[0], hash[1]])) / 65_535.0;
        let mean = self.times.get(job).unwrap_or(&self.iteration_time);
        Nanos((mean.0 as f64 * (0.95 + 0.1 * share)) as u64)
    }
}

impl Executor for Scripted {
    fn build(&mut self, _plan: &Plan, job: &BuildJob) -> BuildReport {
        self.asked.push((job.key.clone(), None));
        self.clock.0 += self.build_time.0;
        self.builds
            .get(&job.key)
            .cloned()
            .unwrap_or_else(|| BuildReport {
                outcome: BuildOutcome::Ok,
                command: "scripted".into(),
                toolchain: "none".into(),
                version: job.key.clone(),
                binary_sha256: Some(format!("{:064x}", job.key.len())),
                binary_bytes: Some(1000),
                duration: self.build_time,
                ..BuildReport::default()
            })
    }

    fn process(
        &mut self,
        plan: &Plan,
        job: &BenchJob,
        hash_seed: &str,
        each: &mut dyn FnMut(Iteration) -> Flow,
    ) -> ProcessReport {
        let index = self.asked.iter().filter(|(key, _)| *key == job.key).count() as u32;
        // The process number follows from the seed, which differs between processes of a job.
        let process = (0..job.processes)
            .find(|n| crate::session::hash_seed(&plan.key, &job.key, *n) == hash_seed)
            .unwrap_or(index);
        self.asked.push((job.key.clone(), Some(process)));
        if let Some(report) = self.processes.get(&(job.key.clone(), process)) {
            self.clock.0 += report.wall.0;
            return report.clone();
        }
        let mut total = Nanos(0);
        let mut report = ProcessReport::never_ran(Outcome::Ok, String::new());
        for index in 0..job.iterations {
            let wall = self.iteration(&job.key, hash_seed, index);
            total.0 += wall.0;
            self.clock.0 += wall.0;
            if self.asked_to_stop().is_some()
                || each(Iteration {
                    index,
                    wall,
                    cpu: wall,
                }) == Flow::Stop
            {
                report.stopped = true;
                return report;
            }
        }
        report.exit_code = Some(0);
        report.wall = total;
        report.usage = Usage {
            user: total,
            peak_rss: Bytes::mib(20),
            ..Usage::default()
        };
        report.result = plan
            .benchmarks
            .get(&job.benchmark)
            .map(|benchmark| benchmark.expected.clone());
        report.counters = BTreeMap::from([("traces".into(), f64::from(job.iterations))]);
        if job.counted {
            let total = 1e6 + job.key.len() as f64;
            report.counters.insert(INSTRUCTIONS.into(), total);
        }
        if let Some(counters) = self.counters.get(&job.key) {
            report.counters.extend(counters.clone());
        }
        report
    }

    fn tests(
        &mut self,
        _plan: &Plan,
        jobs: &[&TestJob],
        until: Option<Nanos>,
        each: &mut dyn FnMut(TestEvent) -> Flow,
    ) {
        for (index, job) in jobs.iter().enumerate() {
            if until.is_some_and(|until| self.clock >= until) || self.asked_to_stop().is_some() {
                return;
            }
            self.asked.push((job.key.clone(), None));
            self.clock.0 += Nanos::from_secs(1).0;
            let pass = vec![(format!("{}.T.test_it", job.module), CaseOutcome::Pass)];
            let cases = self.cases.get(&job.key).cloned().unwrap_or(pass);
            let mut events = vec![TestEvent::Started { job: index }];
            events.extend(cases.into_iter().map(|(case, outcome)| TestEvent::Case {
                job: index,
                case,
                outcome,
                duration: Nanos(1_000_000),
                message: if outcome.is_bad() {
                    "AssertionError: scripted".into()
                } else {
                    String::new()
                },
            }));
            let duration = Nanos::from_secs(1);
            events.push(TestEvent::Finished {
                job: index,
                outcome: Outcome::Ok,
                reason: String::new(),
                duration,
            });
            for event in events {
                if each(event) == Flow::Stop {
                    return;
                }
            }
        }
    }

    fn now(&self) -> Nanos {
        self.clock
    }

    fn asked_to_stop(&self) -> Option<i32> {
        self.stop_at.filter(|at| self.clock >= *at).map(|_| 15)
    }

    fn measured_cpu(&self) -> Option<u32> {
        Some(1)
    }
}
