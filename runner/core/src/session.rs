//! Walking through a plan: builds, then benchmark processes in interleaved order, then pairs of one build, then counted ones, then test
//! modules.
//!
//! The session holds no state that matters after a kill: what has been done comes in as [`Progress`], read back from
//! wherever the sink wrote it.
//!
//! ```text
//! build failed ─────────────> its jobs: not-run
//! process not ok ───────────> its job ends with that outcome; its other processes are not run
//! deadline or budget passed ─> jobs with some good processes: ok, with fewer; the others: not-run
//! asked to stop ────────────> nothing more is said about unfinished jobs: the run can be taken up
//! ```

use crate::event::{Event, Sink, SinkError};
use crate::outcome::{CaseOutcome, Outcome};
use crate::plan::{BenchJob, BuildJob, Plan, TestJob};
use crate::process::{Iteration, ProcessReport};
use crate::schedule::{Step, schedule};
use measure::Nanos;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    Continue,
    Stop,
}

/// What came of a build job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BuildReport {
    /// `ok` or why there is no program.
    pub outcome: BuildOutcome,
    pub reason: String,
    pub command: String,
    pub toolchain: String,
    /// Run path of a program found on the machine.
    pub program: String,
    pub version: String,
    pub build_flags: String,
    pub binary_sha256: Option<String>,
    pub binary_bytes: Option<u64>,
    pub text_bytes: Option<u64>,
    pub text_sha256: Option<String>,
    pub duration: Nanos,
    /// The program came from the cache.
    pub cached: bool,
    pub log: String,
}

/// Outcome of a build.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BuildOutcome {
    Ok,
    #[default]
    Fail,
    Timeout,
    /// Our side: no disk space, no toolchain, no such commit.
    Infrastructure,
}

impl BuildOutcome {
    /// The word used in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            BuildOutcome::Ok => "ok",
            BuildOutcome::Fail => "fail",
            BuildOutcome::Timeout => "timeout",
            BuildOutcome::Infrastructure => "infrastructure",
        }
    }

    /// As the outcome of its job.
    #[must_use]
    pub fn of_job(self) -> Outcome {
        match self {
            BuildOutcome::Ok => Outcome::Ok,
            BuildOutcome::Fail => Outcome::Fail,
            BuildOutcome::Timeout => Outcome::Timeout,
            BuildOutcome::Infrastructure => Outcome::Infrastructure,
        }
    }
}

/// What a running test module says; `job` indexes the list it was started with.
#[derive(Debug, Clone, PartialEq)]
pub enum TestEvent {
    Started {
        job: usize,
    },
    Case {
        job: usize,
        case: String,
        outcome: CaseOutcome,
        duration: Nanos,
        message: String,
    },
    Finished {
        job: usize,
        outcome: Outcome,
        reason: String,
        duration: Nanos,
    },
}

/// Carries out what a plan says. The real one starts processes; the scripted one answers from a table.
pub trait Executor {
    /// Makes the program of `job` available; called again for a build done earlier when a run is taken up.
    fn build(&mut self, plan: &Plan, job: &BuildJob) -> BuildReport;

    /// Runs one process of `job`; `hash_seed` goes into its environment. Of a counted one the report's counter
    /// [`INSTRUCTIONS`] is what matters.
    fn process(
        &mut self,
        plan: &Plan,
        job: &BenchJob,
        hash_seed: &str,
        each: &mut dyn FnMut(Iteration) -> Flow,
    ) -> ProcessReport;

    /// Runs test modules, in parallel if it likes; all events of one module come in order. No module is started after
    /// `until` on the executor's clock, after a signal, or after `each` said [`Flow::Stop`].
    fn tests(
        &mut self,
        plan: &Plan,
        jobs: &[&TestJob],
        until: Option<Nanos>,
        each: &mut dyn FnMut(TestEvent) -> Flow,
    );

    /// Time since some fixed moment.
    fn now(&self) -> Nanos;

    /// The signal by which the run was asked to stop.
    fn asked_to_stop(&self) -> Option<i32>;

    /// Processor that measured processes are pinned to.
    fn measured_cpu(&self) -> Option<u32> {
        None
    }
}

/// Counter in which the report of a counted process has its total.
pub const INSTRUCTIONS: &str = "instructions";

/// A job as an earlier, cut-off invocation left it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JobProgress {
    /// Its outcome, when it is done.
    pub done: Option<(Outcome, String)>,
    /// Finished processes: outcome, reason, wall time.
    pub processes: BTreeMap<u32, (Outcome, String, Nanos)>,
    /// Work on it had begun.
    pub started: bool,
}

/// Jobs by key; empty for a new run.
pub type Progress = BTreeMap<String, JobProgress>;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunEnd {
    /// All of the plan was done.
    Complete,
    /// The deadline came first; jobs not reached are `not-run`.
    Deadline,
    /// A signal came; the run can be taken up.
    Interrupted { signal: i32 },
}

/// Carries out `plan` from where `progress` says it is.
///
/// `deadline` is on the executor's clock. The run's end is told to the sink and returned.
///
/// # Errors
/// What the sink says; the run stops there as if killed.
pub fn run(
    plan: &Plan,
    progress: Progress,
    deadline: Option<Nanos>,
    executor: &mut dyn Executor,
    sink: &mut dyn Sink,
) -> Result<RunEnd, SinkError> {
    let resumed = !progress.is_empty();
    let mut session = Session {
        plan,
        progress,
        deadline,
        executor,
        sink,
        deadline_passed: false,
    };
    session.tell(Event::RunStarted {
        run: plan.key.clone(),
        tier: plan.tier.clone(),
        jobs: plan.jobs(),
        resumed,
    })?;
    let end = match session.phases()? {
        Phase::Stopped(signal) => RunEnd::Interrupted { signal },
        Phase::Done if session.deadline_passed => RunEnd::Deadline,
        Phase::Done => RunEnd::Complete,
    };
    session.tell(Event::RunFinished { end })?;
    Ok(end)
}

/// Hash seed of a process: different for every process of every run, and the same when a run is taken up.
/// In the range that `PYTHONHASHSEED` accepts.
#[must_use]
pub fn hash_seed(run: &str, job: &str, process: u32) -> String {
    let hash = Sha256::digest(format!("{run}\n{job}\n{process}"));
    u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]]).to_string()
}

enum Phase {
    Done,
    Stopped(i32),
}

struct Session<'a> {
    plan: &'a Plan,
    progress: Progress,
    deadline: Option<Nanos>,
    executor: &'a mut dyn Executor,
    sink: &'a mut dyn Sink,
    deadline_passed: bool,
}

impl Session<'_> {
    fn tell(&mut self, event: Event) -> Result<(), SinkError> {
        self.sink.event(&event)
    }

    fn phases(&mut self) -> Result<Phase, SinkError> {
        for phase in [
            Self::builds,
            Self::benches,
            Self::canaries,
            Self::counts,
            Self::tests,
        ] {
            if let Phase::Stopped(signal) = phase(self)? {
                return Ok(Phase::Stopped(signal));
            }
        }
        Ok(Phase::Done)
    }

    fn is_done(&self, job: &str) -> bool {
        self.progress
            .get(job)
            .is_some_and(|progress| progress.done.is_some())
    }

    fn after_deadline(&mut self) -> bool {
        if self
            .deadline
            .is_some_and(|deadline| self.executor.now() >= deadline)
        {
            self.deadline_passed = true;
        }
        self.deadline_passed
    }

    fn finish(
        &mut self,
        job: &str,
        outcome: Outcome,
        reason: &str,
        duration: Nanos,
    ) -> Result<(), SinkError> {
        self.progress.entry(job.into()).or_default().done = Some((outcome, reason.into()));
        self.tell(Event::JobFinished {
            job: job.into(),
            outcome,
            reason: reason.into(),
            duration,
        })
    }

    fn begin(&mut self, job: &str) -> Result<(), SinkError> {
        let progress = self.progress.entry(job.into()).or_default();
        if std::mem::replace(&mut progress.started, true) {
            return Ok(());
        }
        self.tell(Event::JobStarted { job: job.into() })
    }

    fn builds(&mut self) -> Result<Phase, SinkError> {
        let plan = self.plan;
        for job in &plan.builds {
            if let Some(signal) = self.executor.asked_to_stop() {
                return Ok(Phase::Stopped(signal));
            }
            if self.is_done(&job.key) {
                self.restore_build(job);
            } else if self.after_deadline() {
                self.finish(&job.key, Outcome::NotRun, "deadline", Nanos(0))?;
            } else {
                self.begin(&job.key)?;
                self.tell(Event::BuildStarted {
                    job: job.key.clone(),
                    subject: job.subject.clone(),
                    sha: job.sha.clone(),
                })?;
                let report = self.executor.build(plan, job);
                if let Some(signal) = self.executor.asked_to_stop() {
                    return Ok(Phase::Stopped(signal));
                }
                let outcome = report.outcome.of_job();
                self.progress.entry(job.key.clone()).or_default().done =
                    Some((outcome, report.reason.clone()));
                self.tell(Event::BuildFinished {
                    job: job.key.clone(),
                    subject: job.subject.clone(),
                    sha: job.sha.clone(),
                    report,
                })?;
            }
            self.give_up_dependents(job)?;
        }
        Ok(Phase::Done)
    }

    /// A build that is done and still needed: the executor has to know its program again.
    fn restore_build(&mut self, job: &BuildJob) {
        let was_ok = self
            .progress
            .get(&job.key)
            .and_then(|p| p.done.as_ref())
            .is_some_and(|d| d.0 == Outcome::Ok);
        let needed = self.dependents(job).any(|key| !self.is_done(&key));
        if was_ok && needed {
            let report = self.executor.build(self.plan, job);
            if report.outcome != BuildOutcome::Ok {
                let lost = (
                    report.outcome.of_job(),
                    format!("could not be had again: {}", report.reason),
                );
                self.progress.entry(job.key.clone()).or_default().done = Some(lost);
            }
        }
    }

    fn dependents(&self, build: &BuildJob) -> impl Iterator<Item = String> + use<> {
        let benches = self
            .plan
            .measured()
            .filter(|job| job.build == build.key)
            .map(|job| job.key.clone());
        let tests = self
            .plan
            .tests
            .iter()
            .filter(|job| job.build == build.key)
            .map(|job| job.key.clone());
        benches.chain(tests).collect::<Vec<_>>().into_iter()
    }

    fn give_up_dependents(&mut self, build: &BuildJob) -> Result<(), SinkError> {
        let reason = match self
            .progress
            .get(&build.key)
            .and_then(|progress| progress.done.as_ref())
        {
            Some((Outcome::Ok, _)) | None => return Ok(()),
            Some((Outcome::NotRun, reason)) => reason.clone(),
            Some((outcome, reason)) if reason.is_empty() => format!("build: {outcome}"),
            Some((outcome, reason)) => format!("build: {outcome}: {reason}"),
        };
        for key in self.dependents(build) {
            if !self.is_done(&key) {
                self.finish(&key, Outcome::NotRun, &reason, Nanos(0))?;
            }
        }
        Ok(())
    }

    fn benches(&mut self) -> Result<Phase, SinkError> {
        let plan = self.plan;
        let over = "time budget of the benchmarks";
        self.processes(&plan.benches, plan.bench_budget, over)
    }

    /// Pair by pair: a pair with too few processes a side tells nothing, so the budget ends between pairs, never within one.
    fn canaries(&mut self) -> Result<Phase, SinkError> {
        let plan = self.plan;
        let pairs = plan
            .canaries
            .chunk_by(|a, b| a.build == b.build && a.benchmark == b.benchmark);
        let mut spent = 0;
        for pair in pairs {
            let begun: u64 = pair
                .iter()
                .filter_map(|job| self.progress.get(&job.key))
                .map(|progress| wall(progress).0)
                .sum();
            let over = plan.canary_budget.is_some_and(|budget| spent >= budget.0);
            if over && begun == 0 {
                self.cut_short(pair, "time budget of the canary")?;
                continue;
            }
            if let Phase::Stopped(signal) = self.processes(pair, None, "")? {
                return Ok(Phase::Stopped(signal));
            }
            let took = pair
                .iter()
                .filter_map(|job| self.progress.get(&job.key))
                .map(|progress| wall(progress).0);
            spent += took.sum::<u64>();
        }
        Ok(Phase::Done)
    }

    fn counts(&mut self) -> Result<Phase, SinkError> {
        let plan = self.plan;
        let over = "time budget of the counts";
        self.processes(&plan.counts, plan.count_budget, over)
    }

    /// All processes of `jobs` in their order; `over` says that `budget` is spent.
    fn processes(
        &mut self,
        jobs: &[BenchJob],
        budget: Option<Nanos>,
        over: &str,
    ) -> Result<Phase, SinkError> {
        let steps = schedule(jobs);
        let mut spent: u64 = jobs
            .iter()
            .filter_map(|job| self.progress.get(&job.key))
            .map(|p| wall(p).0)
            .sum();
        for step in &steps {
            let job = &jobs[step.job];
            if self.is_done(&job.key) {
                continue;
            }
            if self
                .progress
                .get(&job.key)
                .is_some_and(|p| p.processes.contains_key(&step.process))
            {
                self.settle(job)?;
                continue;
            }
            if let Some(signal) = self.executor.asked_to_stop() {
                return Ok(Phase::Stopped(signal));
            }
            let over_budget = budget.is_some_and(|budget| spent >= budget.0);
            if self.after_deadline() || over_budget {
                let why = if self.deadline_passed {
                    "deadline"
                } else {
                    over
                };
                self.cut_short(jobs, why)?;
                return Ok(Phase::Done);
            }
            let report = self.process(job, *step, steps.len() as u32)?;
            if report.stopped {
                return Ok(Phase::Stopped(self.executor.asked_to_stop().unwrap_or(0)));
            }
            spent += report.wall.0;
            self.settle(job)?;
        }
        Ok(Phase::Done)
    }

    fn process(
        &mut self,
        job: &BenchJob,
        step: Step,
        of_positions: u32,
    ) -> Result<ProcessReport, SinkError> {
        self.begin(&job.key)?;
        let seed = if job.counted {
            // Counts repeat only where everything is the same.
            "0".to_owned()
        } else {
            hash_seed(&self.plan.key, &job.key, step.process)
        };
        let cpu = self.executor.measured_cpu();
        self.tell(Event::ProcessStarted {
            job: job.key.clone(),
            process: step.process,
            position: step.position,
            of_positions,
            cpu,
            hash_seed: seed.clone(),
        })?;
        let mut failed = None;
        let sink = &mut *self.sink;
        let report = self
            .executor
            .process(self.plan, job, &seed, &mut |iteration| {
                if job.counted {
                    return Flow::Continue;
                }
                let event = Event::IterationFinished {
                    job: job.key.clone(),
                    process: step.process,
                    iteration: iteration.index,
                    wall: iteration.wall,
                    cpu: iteration.cpu,
                };
                match sink.event(&event) {
                    Ok(()) => Flow::Continue,
                    Err(error) => {
                        failed = Some(error);
                        Flow::Stop
                    }
                }
            });
        if let Some(error) = failed {
            return Err(error);
        }
        if !report.stopped {
            let done = (report.outcome, report.reason.clone(), report.wall);
            self.progress
                .entry(job.key.clone())
                .or_default()
                .processes
                .insert(step.process, done);
            self.tell(Event::ProcessFinished {
                job: job.key.clone(),
                process: step.process,
                report: report.clone(),
            })?;
        }
        Ok(report)
    }

    /// Ends a benchmark job once its outcome is certain: one bad process, or all done.
    fn settle(&mut self, job: &BenchJob) -> Result<(), SinkError> {
        let Some(progress) = self.progress.get(&job.key) else {
            return Ok(());
        };
        let bad = progress
            .processes
            .iter()
            .filter(|(_, p)| p.0 != Outcome::Ok)
            .max_by_key(|(_, p)| p.0);
        let duration = wall(progress);
        if let Some((index, (outcome, reason, _))) = bad {
            let reason = format!("process {index}: {reason}");
            return self.finish(&job.key, *outcome, &reason, duration);
        }
        if progress.processes.len() as u32 >= job.processes {
            return self.finish(&job.key, Outcome::Ok, "", duration);
        }
        Ok(())
    }

    /// Ends all of `jobs` with what they have.
    fn cut_short(&mut self, jobs: &[BenchJob], why: &str) -> Result<(), SinkError> {
        for job in jobs {
            if self.is_done(&job.key) {
                continue;
            }
            self.settle(job)?;
            if self.is_done(&job.key) {
                continue;
            }
            let progress = self.progress.get(&job.key).cloned().unwrap_or_default();
            let done = progress.processes.len();
            let (outcome, reason) = match done {
                0 => (Outcome::NotRun, why.to_owned()),
                _ => (
                    Outcome::Ok,
                    format!("{why}: {done} of {} processes", job.processes),
                ),
            };
            self.finish(&job.key, outcome, &reason, wall(&progress))?;
        }
        Ok(())
    }

    fn tests(&mut self) -> Result<Phase, SinkError> {
        let plan = self.plan;
        if let Some(signal) = self.executor.asked_to_stop() {
            return Ok(Phase::Stopped(signal));
        }
        let open: Vec<&TestJob> = plan
            .tests
            .iter()
            .filter(|job| !self.is_done(&job.key))
            .collect();
        if open.is_empty() {
            return Ok(Phase::Done);
        }
        let budget = plan
            .test_budget
            .map(|budget| Nanos(self.executor.now().0.saturating_add(budget.0)));
        let until = [budget, self.deadline].into_iter().flatten().min();
        if !self.after_deadline() {
            self.test_modules(&open, until)?;
        }
        if let Some(signal) = self.executor.asked_to_stop() {
            return Ok(Phase::Stopped(signal));
        }
        let over = until.is_some_and(|until| self.executor.now() >= until);
        let why = match (self.after_deadline(), over) {
            (true, _) => "deadline",
            (false, true) => "time budget of the tests",
            (false, false) => "the executor passed it over",
        };
        for job in &open {
            if !self.is_done(&job.key) {
                self.finish(&job.key, Outcome::NotRun, why, Nanos(0))?;
            }
        }
        Ok(Phase::Done)
    }

    fn test_modules(&mut self, jobs: &[&TestJob], until: Option<Nanos>) -> Result<(), SinkError> {
        let mut failed = None;
        let mut ends: Vec<(String, Outcome, String)> = Vec::new();
        let sink = &mut *self.sink;
        self.executor.tests(self.plan, jobs, until, &mut |event| {
            let told = match event {
                TestEvent::Started { job } => {
                    let key = jobs[job].key.clone();
                    sink.event(&Event::TestModuleStarted {
                        job: key,
                        module: jobs[job].module.clone(),
                    })
                }
                TestEvent::Case {
                    job,
                    case,
                    outcome,
                    duration,
                    message,
                } => {
                    let job = jobs[job].key.clone();
                    sink.event(&Event::TestCaseFinished {
                        job,
                        case,
                        outcome,
                        duration,
                        message,
                    })
                }
                TestEvent::Finished {
                    job,
                    outcome,
                    reason,
                    duration,
                } => {
                    let (key, module) = (jobs[job].key.clone(), jobs[job].module.clone());
                    ends.push((key.clone(), outcome, reason.clone()));
                    sink.event(&Event::TestModuleFinished {
                        job: key,
                        module,
                        outcome,
                        reason,
                        duration,
                    })
                }
            };
            match told {
                Ok(()) => Flow::Continue,
                Err(error) => {
                    failed.get_or_insert(error);
                    Flow::Stop
                }
            }
        });
        for (key, outcome, reason) in ends {
            self.progress.entry(key).or_default().done = Some((outcome, reason));
        }
        failed.map_or(Ok(()), Err)
    }
}

fn wall(progress: &JobProgress) -> Nanos {
    Nanos(progress.processes.values().map(|(_, _, wall)| wall.0).sum())
}
