//! The database as a subscriber: every event is one transaction.
//!
//! [`StoreSink::begin`] writes the plan, [`StoreSink::take_up`] reads back how far a killed run had come. What is half done
//! then (a process without its end, a module without its outcome) was dropped by the store; see `store::runs`.

use crate::sink_error;
use measure::Nanos;
use runner_core::session::{BuildReport, JobProgress, Progress};
use runner_core::{Event, Outcome, Plan, ProcessReport, Sink, SinkError};
use stats::warmup;
use std::collections::{BTreeMap, HashMap};
use store::builds::Build;
use store::processes::{ProcessEnd, ProcessStart};
use store::runs::{NewJob, NewRun, OpenRun};
use store::subjects::{Commit, Mode, Subject};
use store::test_results::{CaseResult, ModuleEnd};
use store::{
    CommitId, EnvId, JobId, MachineId, ProcessId, Result, RunId, Store, StoreError, SubjectId,
};

/// What a run stands on, besides its plan.
#[derive(Debug, Clone)]
pub struct Context {
    pub machine: MachineId,
    pub env: EnvId,
    pub platform_version: String,
    pub started_s: i64,
    /// Subjects and baselines of the plan.
    pub subjects: Vec<Subject>,
    /// Commits of the plan with the name of their subject.
    pub commits: Vec<(String, Commit)>,
    /// Head of the first subject: its name and commit.
    pub head: Option<(String, String)>,
}

/// Writes the events of one run.
#[derive(Debug)]
pub struct StoreSink<'a> {
    store: &'a mut Store,
    run: RunId,
    machine: MachineId,
    jobs: HashMap<String, Row>,
    /// The process that runs now, with the wall time of each of its iterations so far.
    live: Option<(ProcessId, Vec<f64>)>,
    cases: HashMap<String, Vec<CaseResult>>,
}

#[derive(Debug, Clone)]
struct Row {
    id: JobId,
    subject: SubjectId,
    commit: Option<CommitId>,
}

/// Warm-up class and first steady iteration of a process by its wall times. Too short to be classified, its second half counts as
/// steady and it has no class.
fn warm_up(wall_ns: &[f64]) -> (Option<warmup::Class>, Option<u32>) {
    match warmup::classify(wall_ns) {
        Ok(found) => (
            Some(found.class),
            found.steady_from.and_then(|from| u32::try_from(from).ok()),
        ),
        Err(_) => (None, u32::try_from(wall_ns.len() / 2).ok()),
    }
}

impl<'a> StoreSink<'a> {
    /// Writes the run with all its jobs.
    ///
    /// # Errors
    /// What the store says; nothing of the run is written then.
    pub fn begin(store: &'a mut Store, plan: &Plan, context: &Context) -> Result<StoreSink<'a>> {
        let ids = Ids::write(store, plan, context)?;
        let plan_json = serde_json::to_string(plan).map_err(|source| StoreError::Json {
            what: "plan",
            source,
        })?;
        let head = context
            .head
            .as_ref()
            .and_then(|key| ids.commits.get(key).copied());
        let new = NewRun {
            key: plan.key.clone(),
            reason: plan.reason.clone(),
            tier: plan.tier.clone(),
            machine: context.machine,
            env: context.env,
            head,
            platform_version: context.platform_version.clone(),
            plan_json,
            started_s: context.started_s,
        };
        let run = store.begin_run(&new, &ids.jobs(plan)?)?;
        StoreSink::on(store, run, context.machine, plan)
    }

    /// Takes up a run that was killed or interrupted: its plan and how far it had come.
    ///
    /// # Errors
    /// [`StoreError::Json`] when the stored plan cannot be read, or what the store says.
    pub fn take_up(
        store: &'a mut Store,
        machine: MachineId,
        open: &OpenRun,
    ) -> Result<(StoreSink<'a>, Plan, Progress)> {
        let plan: Plan =
            serde_json::from_str(&open.plan_json).map_err(|source| StoreError::Json {
                what: "plan",
                source,
            })?;
        store.take_up_run(open.id)?;
        let mut progress = Progress::new();
        for job in store.jobs(open.id)? {
            let outcome = job.outcome.as_deref().and_then(Outcome::parse);
            let done = if job.done {
                outcome.map(|outcome| (outcome, job.reason.clone()))
            } else {
                None
            };
            let mut processes = BTreeMap::new();
            for (idx, outcome, reason, wall_ns) in store.finished_processes(job.id)? {
                let outcome = Outcome::parse(&outcome).unwrap_or(Outcome::Infrastructure);
                processes.insert(idx, (outcome, reason, Nanos(wall_ns)));
            }
            let started = job.attempts > 0;
            progress.insert(
                job.key,
                JobProgress {
                    done,
                    processes,
                    started,
                },
            );
        }
        let sink = StoreSink::on(store, open.id, machine, &plan)?;
        Ok((sink, plan, progress))
    }

    /// The run's row.
    #[must_use]
    pub fn run(&self) -> RunId {
        self.run
    }

    fn on(
        store: &'a mut Store,
        run: RunId,
        machine: MachineId,
        _plan: &Plan,
    ) -> Result<StoreSink<'a>> {
        let jobs = store
            .job_places(run)?
            .into_iter()
            .map(|place| {
                (
                    place.key,
                    Row {
                        id: place.id,
                        subject: place.subject,
                        commit: place.commit,
                    },
                )
            })
            .collect();
        Ok(StoreSink {
            store,
            run,
            machine,
            jobs,
            live: None,
            cases: HashMap::new(),
        })
    }

    fn row(&self, job: &str) -> Result<Row> {
        self.jobs
            .get(job)
            .cloned()
            .ok_or_else(|| StoreError::Missing {
                what: "job",
                name: job.into(),
            })
    }

    fn write(&mut self, event: &Event) -> Result<()> {
        match event {
            Event::JobStarted { job } | Event::TestModuleStarted { job, .. } => {
                self.cases.remove(job);
                let row = self.row(job)?;
                self.store.job_started(row.id)
            }
            Event::BuildFinished { job, report, .. } => self.build_finished(job, report),
            Event::ProcessStarted {
                job,
                process,
                position,
                cpu,
                hash_seed,
                ..
            } => {
                let row = self.row(job)?;
                let start = ProcessStart {
                    idx: *process,
                    position: *position,
                    cpu: *cpu,
                    hash_seed: hash_seed.clone(),
                };
                self.live = Some((self.store.process_started(row.id, &start)?, Vec::new()));
                Ok(())
            }
            Event::IterationFinished { wall, cpu, job, .. } => {
                let live = self.live.as_mut().ok_or_else(|| StoreError::Missing {
                    what: "live process",
                    name: job.clone(),
                })?;
                live.1.push(wall.0 as f64);
                self.store.iteration(live.0, wall.0, cpu.0)
            }
            Event::ProcessFinished { job, report, .. } => {
                let (process, walls) = self.live.take().ok_or_else(|| StoreError::Missing {
                    what: "live process",
                    name: job.clone(),
                })?;
                self.store
                    .process_finished(process, &process_end(report, &walls))
            }
            Event::JobFinished {
                job,
                outcome,
                reason,
                duration,
            } => {
                let row = self.row(job)?;
                self.store
                    .job_finished(row.id, outcome.as_str(), reason, duration.0)
            }
            Event::TestCaseFinished {
                job,
                case,
                outcome,
                duration,
                message,
            } => {
                self.cases.entry(job.clone()).or_default().push(CaseResult {
                    name: case.clone(),
                    outcome: outcome.as_str().into(),
                    duration_ns: duration.0,
                    message: message.clone(),
                });
                Ok(())
            }
            Event::TestModuleFinished {
                job,
                module,
                outcome,
                reason,
                duration,
            } => {
                let row = self.row(job)?;
                let cases = self.cases.remove(job).unwrap_or_default();
                let end = ModuleEnd {
                    module,
                    attempt: 0,
                    outcome: outcome.as_str(),
                    reason,
                    duration_ns: duration.0,
                };
                self.store.test_module_finished(row.id, end, &cases)
            }
            Event::RunStarted { .. }
            | Event::BuildStarted { .. }
            | Event::Note { .. }
            | Event::RunFinished { .. } => Ok(()),
        }
    }

    fn build_finished(&mut self, job: &str, report: &BuildReport) -> Result<()> {
        let row = self.row(job)?;
        let build = Build {
            command: report.command.clone(),
            toolchain: report.toolchain.clone(),
            outcome: report.outcome.as_str().into(),
            reason: report.reason.clone(),
            program: report.program.clone(),
            version: report.version.clone(),
            build_flags: report.build_flags.clone(),
            binary_sha256: report.binary_sha256.clone(),
            binary_bytes: report.binary_bytes,
            text_bytes: report.text_bytes,
            text_sha256: report.text_sha256.clone(),
            duration_ns: if report.cached { 0 } else { report.duration.0 },
            log: report.log.clone().into_bytes(),
        };
        let (run, machine) = (self.run, self.machine);
        self.store.atomically(|store| {
            let id = store.build(row.subject, row.commit, machine, &build)?;
            store.jobs_built(run, row.subject, row.commit, id)?;
            store.job_finished(
                row.id,
                report.outcome.of_job().as_str(),
                &report.reason,
                build.duration_ns,
            )
        })
    }
}

impl Sink for StoreSink<'_> {
    fn event(&mut self, event: &Event) -> Result<(), SinkError> {
        self.write(event)
            .map_err(|error| sink_error("database")(error.into()))
    }
}

fn process_end(report: &ProcessReport, wall_ns: &[f64]) -> ProcessEnd {
    let (class, steady_from) = match report.outcome {
        Outcome::Ok if !wall_ns.is_empty() => warm_up(wall_ns),
        _ => (None, None),
    };
    ProcessEnd {
        outcome: report.outcome.as_str().into(),
        reason: report.reason.clone(),
        exit_code: report.exit_code,
        signal: report.signal.clone(),
        wall_ns: report.wall.0,
        user_ns: report.usage.user.0,
        system_ns: report.usage.system.0,
        peak_rss_bytes: report.usage.peak_rss.0,
        minor_faults: report.usage.minor_faults,
        major_faults: report.usage.major_faults,
        voluntary_switches: report.usage.voluntary_switches,
        involuntary_switches: report.usage.involuntary_switches,
        result: report.result.clone(),
        output: report.output.clone().into_bytes(),
        steady_from,
        warmup_class: class.map(|class| class.as_str().to_owned()),
        counters: report.counters.clone(),
    }
}

/// Row ids of everything the plan refers to.
struct Ids {
    subjects: BTreeMap<String, SubjectId>,
    commits: BTreeMap<(String, String), CommitId>,
    modes: BTreeMap<(String, String), store::ModeId>,
    benchmarks: BTreeMap<String, store::BenchmarkVersionId>,
}

impl Ids {
    fn write(store: &mut Store, plan: &Plan, context: &Context) -> Result<Ids> {
        store.atomically(|store| {
            let mut ids = Ids {
                subjects: BTreeMap::new(),
                commits: BTreeMap::new(),
                modes: BTreeMap::new(),
                benchmarks: BTreeMap::new(),
            };
            for subject in &context.subjects {
                ids.subjects
                    .insert(subject.name.clone(), store.subject(subject)?);
            }
            for (subject, commit) in &context.commits {
                let id = store.commit(ids.subject(subject)?, commit)?;
                ids.commits
                    .insert((subject.clone(), commit.sha.clone()), id);
            }
            let bench_modes = plan.measured().map(|job| (&job.subject, &job.mode));
            let test_modes = plan.tests.iter().map(|job| (&job.subject, &job.mode));
            for (subject, name) in bench_modes.chain(test_modes) {
                let key = (subject.clone(), name.clone());
                if ids.modes.contains_key(&key) {
                    continue;
                }
                let spec = plan.mode(subject, name);
                let mode = Mode {
                    name: spec.name,
                    args: spec.args,
                    env: spec.env,
                    conf: spec.conf,
                    purpose: spec.purpose,
                };
                let id = store.mode(ids.subject(subject)?, &mode)?;
                ids.modes.insert(key, id);
            }
            for (name, spec) in &plan.benchmarks {
                let benchmark = store::benchmarks::Benchmark {
                    suite: spec.suite.clone(),
                    name: spec.name.clone(),
                    category: spec.category.clone(),
                    source_sha256: spec.source_sha256.clone(),
                    inner: spec.inner,
                    expected_result: spec.expected.clone(),
                    limit_ns: spec.limit.0,
                };
                ids.benchmarks
                    .insert(name.clone(), store.benchmark_version(&benchmark)?);
            }
            Ok(ids)
        })
    }

    fn subject(&self, name: &str) -> Result<SubjectId> {
        self.subjects
            .get(name)
            .copied()
            .ok_or_else(|| StoreError::Missing {
                what: "subject",
                name: name.into(),
            })
    }

    fn commit(&self, subject: &str, sha: Option<&String>) -> Result<Option<CommitId>> {
        let Some(sha) = sha else { return Ok(None) };
        let id = self
            .commits
            .get(&(subject.to_owned(), sha.clone()))
            .copied();
        id.map(Some).ok_or_else(|| StoreError::Missing {
            what: "commit",
            name: sha.clone(),
        })
    }

    fn jobs(&self, plan: &Plan) -> Result<Vec<NewJob>> {
        let mut jobs = Vec::with_capacity(plan.jobs());
        let job = |key: &str, kind, subject: &str, sha: Option<&String>| -> Result<NewJob> {
            Ok(NewJob {
                key: key.into(),
                kind,
                subject: self.subject(subject)?,
                commit: self.commit(subject, sha)?,
                build: None,
                mode: None,
                benchmark: None,
                test_module: None,
                planned_processes: 0,
                planned_iterations: 0,
            })
        };
        let mode = |subject: &String, mode: &String| {
            self.modes.get(&(subject.clone(), mode.clone())).copied()
        };
        for build in &plan.builds {
            jobs.push(job(
                &build.key,
                "build",
                &build.subject,
                build.sha.as_ref(),
            )?);
        }
        for bench in plan.measured() {
            let kind = if bench.counted { "count" } else { "bench" };
            let benchmark = self.benchmarks.get(&bench.benchmark).copied();
            jobs.push(NewJob {
                mode: mode(&bench.subject, &bench.mode),
                benchmark: Some(benchmark.ok_or_else(|| StoreError::Missing {
                    what: "benchmark",
                    name: bench.benchmark.clone(),
                })?),
                planned_processes: bench.processes,
                planned_iterations: bench.iterations,
                ..job(&bench.key, kind, &bench.subject, bench.sha.as_ref())?
            });
        }
        for test in &plan.tests {
            jobs.push(NewJob {
                mode: mode(&test.subject, &test.mode),
                test_module: Some(test.module.clone()),
                ..job(&test.key, "tests", &test.subject, test.sha.as_ref())?
            });
        }
        Ok(jobs)
    }
}
