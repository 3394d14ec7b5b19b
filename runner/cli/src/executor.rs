//! The real executor: git and compilers for builds, pinned processes for benchmarks, CPython's tests in parallel.

use crate::baselines;
use crate::config::Config;
use crate::data::Data;
use crate::signals::Signals;
use anyhow::{Context, Result};
use builds::{Builder, Cache, Recipe, Repository};
use measure::affinity::{self, Layout};
use measure::{Bytes, Nanos};
use runner_core::plan::side;
use runner_core::session::{BuildOutcome, BuildReport, INSTRUCTIONS};
use runner_core::{
    BenchJob, BuildJob, CaseOutcome, Executor, Flow, Iteration, Limits, Outcome, Plan,
    ProcessReport, ProcessSpec, TestEvent, TestJob,
};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Carries out plans on this machine.
pub(crate) struct Real<'a> {
    config: &'a Config,
    data: &'a Data,
    signals: Signals,
    builders: BTreeMap<String, Builder>,
    baselines: BTreeMap<String, PathBuf>,
    /// Programs by key of their build job.
    programs: HashMap<String, PathBuf>,
    /// Launchers made, by side and mode.
    launchers: HashMap<(String, String), PathBuf>,
    /// Sides and benchmarks whose modules have been compiled once.
    primed: HashSet<(String, String)>,
    layout: Layout,
    tests_root: Option<PathBuf>,
    started: Instant,
}

impl<'a> Real<'a> {
    /// An executor for the subjects and baselines of `config`; `baselines` says where those found lie.
    pub(crate) fn new(
        config: &'a Config,
        data: &'a Data,
        signals: Signals,
        baselines: BTreeMap<String, PathBuf>,
        tests_root: Option<PathBuf>,
    ) -> Result<Real<'a>> {
        std::fs::create_dir_all(data.scratch())
            .with_context(|| format!("{}", data.scratch().display()))?;
        // Launchers of earlier runs are hard links that would keep evicted binaries on the disk.
        let launchers = data.launchers();
        if launchers.exists() {
            std::fs::remove_dir_all(&launchers)
                .with_context(|| format!("{}", launchers.display()))?;
        }
        // The library they were made from may have changed since.
        let pycache = data.pycache();
        if pycache.exists() {
            std::fs::remove_dir_all(&pycache).with_context(|| format!("{}", pycache.display()))?;
        }
        let layout = affinity::layout(&affinity::allowed()?);
        Ok(Real {
            config,
            data,
            signals,
            builders: BTreeMap::new(),
            baselines,
            programs: HashMap::new(),
            launchers: HashMap::new(),
            primed: HashSet::new(),
            layout,
            tests_root,
            started: Instant::now(),
        })
    }

    fn builder(&mut self, subject: &str) -> Result<&mut Builder> {
        if !self.builders.contains_key(subject) {
            let spec = self.config.file.subjects.iter().find(|s| s.name == subject);
            let spec =
                spec.with_context(|| format!("no subject called {subject} in the configuration"))?;
            let recipe = Recipe {
                command: spec.build.clone(),
                binary: spec.binary.clone(),
                toolchain: spec.toolchain.clone(),
                time_limit: Nanos::from_secs(spec.build_limit_s),
                free_space: Bytes::gib(self.config.file.cache.free_space_gib),
            };
            let cache = Cache::new(
                &self.data.cache(),
                Bytes::gib(self.config.file.cache.limit_gib),
            );
            let tree = spec.tree();
            let repository = Repository::mirror(&spec.repository, &self.data.mirror(tree))?;
            let builder = Builder::new(repository, recipe, cache, tree, &self.data.builds())?;
            self.builders.insert(subject.into(), builder);
        }
        self.builders.get_mut(subject).context("just put there")
    }

    fn build_subject(&mut self, job: &BuildJob, sha: &str) -> Result<BuildReport> {
        let signals = self.signals.clone();
        let version_args = self
            .config
            .file
            .subjects
            .iter()
            .find(|s| s.name == job.subject)
            .map(|s| s.version.clone())
            .unwrap_or_default();
        let (mut report, program) = self
            .builder(&job.subject)?
            .build(sha, &|| signals.asked().is_some());
        if let Some(program) = program {
            report.version = baselines::version(&program, &version_args);
            self.programs.insert(job.key.clone(), program);
        }
        Ok(report)
    }

    /// Program to start for a side in a mode: the launcher of a built program, the program itself for one found on the machine.
    fn launcher(
        &mut self,
        plan: &Plan,
        build: &str,
        subject: &str,
        sha: Option<&str>,
        mode: &str,
    ) -> Result<PathBuf> {
        let key = (build.to_owned(), mode.to_owned());
        if let Some(path) = self.launchers.get(&key) {
            return Ok(path.clone());
        }
        let program = self
            .programs
            .get(build)
            .with_context(|| format!("{build}: its program is not at hand"))?
            .clone();
        let spec = self.config.file.subjects.iter().find(|s| s.name == subject);
        let path = match spec {
            None => program,
            Some(spec) => {
                let folder = self.data.launcher(&side(subject, sha), mode);
                builds::launcher(
                    &folder,
                    &program,
                    &spec.conf,
                    &plan.mode(subject, mode).conf,
                )?
            }
        };
        self.launchers.insert(key, path.clone());
        Ok(path)
    }

    fn process_spec(
        &mut self,
        plan: &Plan,
        job: &BenchJob,
        hash_seed: &str,
    ) -> Result<ProcessSpec> {
        let benchmark = plan
            .benchmarks
            .get(&job.benchmark)
            .with_context(|| format!("{} is not in the plan", job.benchmark))?;
        let program = self.launcher(
            plan,
            &job.build,
            &job.subject,
            job.sha.as_deref(),
            &job.mode,
        )?;
        let mode = plan.mode(&job.subject, &job.mode);
        let mut args: Vec<OsString> = mode.args.iter().map(Into::into).collect();
        let stats_flag = self
            .config
            .file
            .subjects
            .iter()
            .find(|s| s.name == job.subject)
            .map(|s| s.stats.as_str());
        let stats = match stats_flag {
            None | Some("") => None,
            Some(flag) => {
                let file = self.data.scratch().join("stats.json");
                // What the process before left there is not this one's.
                let _ = std::fs::remove_file(&file);
                args.push(flag.replace("{file}", &file.to_string_lossy()).into());
                Some(file)
            }
        };
        if benchmark.suite == manifest::Category::Part.as_str() {
            // The program holds its parts itself, and speaks as the harness does.
            args.push(benchmark.name.clone().into());
        } else {
            let harness = &self.config.file.suite.harness;
            args.push(if benchmark.suite == manifest::Category::Script.as_str() {
                harness.with_file_name("scripts.py").into()
            } else {
                harness.clone().into()
            });
            args.push(benchmark.program.clone().into());
        }
        args.extend(["--inner".into(), benchmark.inner.to_string().into()]);
        args.extend(["--iterations".into(), job.iterations.to_string().into()]);
        let side = side(&job.subject, job.sha.as_deref()).replace('/', "_");
        let pycache = self.data.pycache().join(side);
        let mut env = clean_environment(hash_seed, &pycache);
        env.extend(mode.env);
        Ok(ProcessSpec {
            program,
            args,
            env,
            folder: self.data.scratch(),
            cpu: self.layout.measured,
            limits: Limits {
                wall: benchmark.limit,
                rss: plan.rss_limit,
                output: plan.output_limit,
            },
            iterations: job.iterations,
            expected: Some(benchmark.expected.clone()),
            stats,
        })
    }

    fn test_launcher(&mut self, plan: &Plan, job: &TestJob) -> Result<pytests::Launcher> {
        let program = self.launcher(
            plan,
            &job.build,
            &job.subject,
            job.sha.as_deref(),
            &job.mode,
        )?;
        let mode = plan.mode(&job.subject, &job.mode);
        let mut launcher = pytests::Launcher::new(program);
        for arg in mode.args {
            launcher = launcher.arg(arg);
        }
        for (name, value) in mode.env {
            launcher = launcher.env(name, value);
        }
        if let Some(root) = &self.tests_root {
            launcher = launcher.root(root);
        }
        Ok(launcher)
    }
}

/// Set for processes that count: they read compiled files only.
const DONT_WRITE: &str = "PYTHONDONTWRITEBYTECODE";

/// Nothing of the caller's environment reaches a measured process but what is named here.
///
/// Compiled files of Python modules lie apart for each side: beside their sources they would be those of whichever
/// build ran last, and a build that cannot read them takes twice the instructions to start.
fn clean_environment(hash_seed: &str, pycache: &Path) -> BTreeMap<String, String> {
    let pycache = pycache.to_string_lossy();
    let fixed = [
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("LANG", "C.UTF-8"),
        ("TZ", "UTC"),
        (DONT_WRITE, "1"),
        ("PYTHONPYCACHEPREFIX", &*pycache),
        ("PYTHONNOUSERSITE", "1"),
        ("PYTHONHASHSEED", hash_seed),
    ];
    fixed
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

impl Real<'_> {
    /// Lets the program compile the modules that `job` needs, in a process that does not count.
    fn prime(&mut self, plan: &Plan, job: &BenchJob) -> Result<()> {
        let side = side(&job.subject, job.sha.as_deref());
        if !self.primed.insert((side, job.benchmark.clone())) {
            return Ok(());
        }
        let once = BenchJob {
            iterations: 1,
            ..job.clone()
        };
        let mut spec = self.process_spec(plan, &once, "0")?;
        spec.env.remove(DONT_WRITE);
        let stop = || self.signals.asked().is_some();
        // How it ends does not matter: the processes that count will show it.
        runner_core::process::run(&spec, &stop, &mut |_| Flow::Continue);
        Ok(())
    }

    /// Runs one process of `job` under valgrind; its instruction total when it ended well.
    pub(crate) fn count(
        &mut self,
        plan: &Plan,
        job: &BenchJob,
    ) -> Result<(ProcessReport, Option<f64>)> {
        let valgrind = crate::counting::valgrind()?;
        self.prime(plan, job)?;
        let log = self.data.scratch().join("valgrind.log");
        // What the process before left there is not this one's.
        let _ = std::fs::remove_file(&log);
        let spec = crate::counting::counted(self.process_spec(plan, job, "0")?, valgrind, &log);
        let stop = || self.signals.asked().is_some();
        let report = runner_core::process::run(&spec, &stop, &mut |_| Flow::Continue);
        let total = std::fs::read_to_string(&log)
            .ok()
            .and_then(|log| crate::counting::total(&log));
        Ok((report, total))
    }
}

impl Executor for Real<'_> {
    fn build(&mut self, _plan: &Plan, job: &BuildJob) -> BuildReport {
        let result = match &job.sha {
            Some(sha) => self.build_subject(job, sha),
            None => match self.baselines.get(&job.subject) {
                Some(program) => {
                    self.programs.insert(job.key.clone(), program.clone());
                    Ok(baselines::describe(program))
                }
                None => Err(anyhow::anyhow!(
                    "{} is not on this machine any more",
                    job.subject
                )),
            },
        };
        result.unwrap_or_else(|error| BuildReport {
            outcome: BuildOutcome::Infrastructure,
            reason: format!("{error:#}"),
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
        if job.counted {
            return match self.count(plan, job) {
                Ok((report, total)) => with_total(report, total),
                Err(error) => {
                    ProcessReport::never_ran(Outcome::Infrastructure, format!("{error:#}"))
                }
            };
        }
        let primed = self.prime(plan, job);
        let spec = match primed.and_then(|()| self.process_spec(plan, job, hash_seed)) {
            Ok(spec) => spec,
            Err(error) => {
                return ProcessReport::never_ran(Outcome::Infrastructure, format!("{error:#}"));
            }
        };
        let stop = || self.signals.asked().is_some();
        // This thread keeps off the measured processor while the process runs.
        affinity::bound_to(&self.layout.others, || {
            runner_core::process::run(&spec, &stop, each)
        })
        .unwrap_or_else(|error| {
            ProcessReport::never_ran(
                Outcome::Infrastructure,
                format!("cannot choose processors: {error}"),
            )
        })
    }

    fn tests(
        &mut self,
        plan: &Plan,
        jobs: &[&TestJob],
        until: Option<Nanos>,
        each: &mut dyn FnMut(TestEvent) -> Flow,
    ) {
        let limits = test_limits(&self.config.file.limits);
        let launchers: Vec<Result<pytests::Launcher>> = jobs
            .iter()
            .map(|job| self.test_launcher(plan, job))
            .collect();
        let threads =
            (self.layout.others.len() + usize::from(self.layout.measured.is_some())).max(1);
        let stop = AtomicBool::new(false);
        let started = self.started;
        let signals = &self.signals;
        let over = || {
            stop.load(Ordering::Relaxed)
                || signals.asked().is_some()
                || until.is_some_and(|until| Nanos::from(started.elapsed()) >= until)
        };
        let (send, receive) = mpsc::channel();
        std::thread::scope(|scope| {
            let (launchers, over, limits) = (&launchers, &over, &limits);
            scope.spawn(move || {
                let pool = match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
                    Ok(pool) => pool,
                    // No events: the session says that no module gave an outcome.
                    Err(_) => return,
                };
                pool.scope_fifo(|pool| {
                    for (index, launcher) in launchers.iter().enumerate() {
                        let send = send.clone();
                        // First come, first served: the order of the plan.
                        pool.spawn_fifo(move |_| {
                            if !over() {
                                run_module(index, launcher, &jobs[index].module, limits, &send);
                            }
                        });
                    }
                });
            });
            for event in receive {
                if each(event) == Flow::Stop {
                    stop.store(true, Ordering::Relaxed);
                }
            }
        });
    }

    fn now(&self) -> Nanos {
        Nanos::from(self.started.elapsed())
    }

    fn asked_to_stop(&self) -> Option<i32> {
        self.signals.asked()
    }

    fn measured_cpu(&self) -> Option<u32> {
        self.layout.measured
    }
}

/// The report of a counted process; one that ended well has a total.
fn with_total(mut report: ProcessReport, total: Option<f64>) -> ProcessReport {
    match total {
        Some(total) => {
            report.counters.insert(INSTRUCTIONS.to_owned(), total);
        }
        None if report.outcome == Outcome::Ok && !report.stopped => {
            report.outcome = Outcome::Infrastructure;
            report.reason = "valgrind told no total".to_owned();
        }
        None => {}
    }
    report
}

fn test_limits(limits: &crate::config::Limits) -> pytests::Limits {
    pytests::Limits {
        case: Duration::from_secs(limits.test_case_s),
        module: Duration::from_secs(limits.test_module_s),
        memory_bytes: limits.test_rss_mib << 20,
        ..pytests::Limits::default()
    }
}

/// Runs one module; its events go to `send` together when it is over, so that events of two modules do not mix.
fn run_module(
    job: usize,
    launcher: &Result<pytests::Launcher>,
    module: &str,
    limits: &pytests::Limits,
    send: &mpsc::Sender<TestEvent>,
) {
    // A receiver that is gone means that the run ended; there is nobody to tell.
    let tell = |event| drop(send.send(event));
    tell(TestEvent::Started { job });
    let started = Instant::now();
    let finish = |outcome, reason: String| {
        tell(TestEvent::Finished {
            job,
            outcome,
            reason,
            duration: Nanos::from(started.elapsed()),
        });
    };
    let launcher = match launcher {
        Ok(launcher) => launcher,
        Err(error) => return finish(Outcome::Infrastructure, format!("{error:#}")),
    };
    let outcome = match pytests::run_module(launcher, module, limits, &mut |_| {}) {
        Ok(outcome) => outcome,
        Err(error) => return finish(Outcome::Infrastructure, error.to_string()),
    };
    for case in &outcome.cases {
        tell(TestEvent::Case {
            job,
            case: case.id.clone(),
            outcome: case_outcome(case.outcome),
            duration: Nanos(case.wall_us.saturating_mul(1000)),
            message: case.detail.clone(),
        });
    }
    let (outcome, reason) = judge(&outcome);
    finish(outcome, reason);
}

/// Outcome of a module: `ok` says that it ran to its end, whatever its cases did; those are counted case by case.
fn judge(outcome: &pytests::ModuleOutcome) -> (Outcome, String) {
    match &outcome.status {
        pytests::ModuleStatus::DoesNotLoad(reason) => (Outcome::NotLoaded, reason.clone()),
        pytests::ModuleStatus::Skipped(reason) => (Outcome::Ok, format!("skipped: {reason}")),
        pytests::ModuleStatus::Ran if !outcome.not_run.is_empty() => {
            let notes = outcome.notes.join("; ");
            (
                Outcome::Fail,
                format!("{} cases not run: {notes}", outcome.not_run.len()),
            )
        }
        pytests::ModuleStatus::Ran => (Outcome::Ok, outcome.notes.join("; ")),
    }
}

fn case_outcome(outcome: pytests::Outcome) -> CaseOutcome {
    match outcome {
        pytests::Outcome::Pass => CaseOutcome::Pass,
        pytests::Outcome::Fail => CaseOutcome::Fail,
        pytests::Outcome::Error => CaseOutcome::Error,
        pytests::Outcome::Skip => CaseOutcome::Skip,
        pytests::Outcome::Xfail => CaseOutcome::Xfail,
        pytests::Outcome::Xpass => CaseOutcome::Xpass,
        pytests::Outcome::Timeout => CaseOutcome::Timeout,
        pytests::Outcome::Crash => CaseOutcome::Crash,
    }
}
