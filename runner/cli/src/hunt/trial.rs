//! One trial: build a commit, run one process (or one test module) of it.

use crate::config::{Config, Subject};
use crate::data::Data;
use crate::executor::Real;
use crate::signals::Signals;
use anyhow::{Result, bail};
use measure::{Bytes, Nanos};
use runner_core::outcome::{CaseOutcome, Outcome};
use runner_core::session::{BuildOutcome, Executor, Flow, TestEvent};
use runner_core::{BenchJob, BuildJob, Plan, TestJob};
use stats::{sample, warmup};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// What is tried.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// The time of a benchmark.
    Timing {
        benchmark: manifest::Benchmark,
        iterations: u32,
        metric: Metric,
    },
    /// Whether a benchmark ends well with the right result.
    Result {
        benchmark: manifest::Benchmark,
        iterations: u32,
    },
    /// Whether a test case passes.
    Case { module: String, case: String },
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Metric {
    Wall,
    Cpu,
    /// Counted under valgrind.
    Instructions,
}

/// What came of one trial.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Seen {
    /// Log of the mean of the steady iterations in nanoseconds, or of a count.
    Value(f64),
    /// It ended well, or the case passed.
    Well,
    /// It did not; the kind of failure.
    Badly(String),
    /// The commit does not build, or knows nothing of what is tried.
    Untried(String),
    /// A signal asked us to stop.
    Stopped,
}

/// Tries commits of one subject in one mode.
pub(crate) struct Trial<'a> {
    executor: Real<'a>,
    signals: Signals,
    plan: Plan,
    subject: &'a str,
    mode: String,
    target: Target,
    name: String,
    /// Builds done, by commit.
    built: BTreeMap<String, BuildOutcome>,
    trials: u64,
}

impl<'a> Trial<'a> {
    pub(crate) fn new(
        config: &'a Config,
        data: &'a Data,
        signals: Signals,
        programs: BTreeMap<String, PathBuf>,
        subject: &'a Subject,
        mode: &str,
        target: Target,
    ) -> Result<Trial<'a>> {
        let limits = &config.file.limits;
        let mut plan = Plan {
            rss_limit: Bytes::mib(limits.process_rss_mib),
            output_limit: Bytes(limits.process_output_kib << 10),
            ..Plan::default()
        };
        for known in &subject.modes {
            plan.modes.insert(
                format!("{}/{}", subject.name, known.name),
                crate::compose::mode_spec(known),
            );
        }
        let name = match &target {
            Target::Timing { benchmark, .. } | Target::Result { benchmark, .. } => {
                let id = crate::compose::benchmark_id(benchmark);
                plan.benchmarks
                    .insert(id.clone(), crate::compose::benchmark_spec(benchmark));
                id
            }
            Target::Case { case, .. } => case.clone(),
        };
        let tests_root = match (&target, &config.file.tests.root) {
            (Target::Case { .. }, Some(root)) => Some(root.clone()),
            (Target::Case { .. }, None) => Some(pytests::Suite::discover()?.root),
            _ => None,
        };
        Ok(Trial {
            executor: Real::new(config, data, signals.clone(), programs, tests_root)?,
            signals,
            plan,
            subject: &subject.name,
            mode: mode.into(),
            target,
            name,
            built: BTreeMap::new(),
            trials: 0,
        })
    }

    /// Benchmark (`suite/name`) or test case.
    pub(crate) fn target(&self) -> &str {
        &self.name
    }

    /// Name of the mode.
    pub(crate) fn mode(&self) -> &str {
        &self.mode
    }

    /// Iterations of a process; 0 for a test case.
    pub(crate) fn iterations(&self) -> u32 {
        match &self.target {
            Target::Timing { iterations, .. } | Target::Result { iterations, .. } => *iterations,
            Target::Case { .. } => 0,
        }
    }

    /// Tries commit `sha` once.
    pub(crate) fn try_commit(&mut self, sha: &str) -> Result<Seen> {
        let mode = self.mode.clone();
        self.try_in(sha, &mode)
    }

    /// Tries commit `sha` once with `args` behind those of the mode.
    pub(crate) fn try_with(&mut self, sha: &str, args: &[String]) -> Result<Seen> {
        let mut spec = self.plan.mode(self.subject, &self.mode);
        spec.name = format!("{}+", self.mode);
        spec.args.extend_from_slice(args);
        let name = spec.name.clone();
        self.plan
            .modes
            .insert(format!("{}/{name}", self.subject), spec);
        self.try_in(sha, &name)
    }

    fn try_in(&mut self, sha: &str, mode: &str) -> Result<Seen> {
        let build = BuildJob::new(self.subject, Some(sha));
        if !self.built.contains_key(sha) {
            let report = self.executor.build(&self.plan, &build);
            if self.signals.asked().is_some() {
                return Ok(Seen::Stopped);
            }
            if report.outcome == BuildOutcome::Infrastructure {
                bail!("building {sha}: {}", report.reason);
            }
            self.built.insert(sha.into(), report.outcome);
        }
        if self.built[sha] != BuildOutcome::Ok {
            return Ok(Seen::Untried("it does not build".into()));
        }
        self.trials += 1;
        match self.target.clone() {
            Target::Timing {
                iterations,
                metric: Metric::Instructions,
                ..
            } => self.count(&build, mode, iterations),
            Target::Timing {
                iterations, metric, ..
            } => self.process(&build, mode, iterations, Some(metric == Metric::Cpu)),
            Target::Result { iterations, .. } => self.process(&build, mode, iterations, None),
            Target::Case { module, case } => self.case(&build, mode, &module, &case),
        }
    }

    /// One process; `cpu` says which time counts, `None` that none does.
    fn process(
        &mut self,
        build: &BuildJob,
        mode: &str,
        iterations: u32,
        cpu: Option<bool>,
    ) -> Result<Seen> {
        let job = BenchJob::new(build, mode, &self.name, 1, iterations);
        // Another seed for each process, the same ones in the same order when a search is repeated.
        let seed = 1 + self.trials.wrapping_mul(0x9e37_79b9) % 4_000_000_000;
        let mut times = Vec::new();
        let report = self
            .executor
            .process(&self.plan, &job, &seed.to_string(), &mut |iteration| {
                let time = if cpu == Some(true) {
                    iteration.cpu
                } else {
                    iteration.wall
                };
                times.push(time.0 as f64);
                Flow::Continue
            });
        if self.signals.asked().is_some() {
            return Ok(Seen::Stopped);
        }
        Ok(match (report.outcome, cpu) {
            (Outcome::Infrastructure, _) => bail!("running {}: {}", job.key, report.reason),
            (Outcome::Unsupported | Outcome::NotRun, _) => Seen::Untried(report.reason),
            (Outcome::Ok, None) => Seen::Well,
            (Outcome::Ok, Some(_)) => Seen::Value(steady_log_mean(&times)?),
            (bad, Some(_)) => Seen::Untried(format!("{bad}: {}", report.reason)),
            (bad, None) => Seen::Badly(bad.as_str().into()),
        })
    }

    /// One process under valgrind.
    fn count(&mut self, build: &BuildJob, mode: &str, iterations: u32) -> Result<Seen> {
        let job = BenchJob::new(build, mode, &self.name, 1, iterations);
        let (report, total) = self.executor.count(&self.plan, &job)?;
        if self.signals.asked().is_some() {
            return Ok(Seen::Stopped);
        }
        Ok(match (report.outcome, total) {
            (Outcome::Ok, Some(total)) => Seen::Value(total.ln()),
            (Outcome::Ok, None) => bail!("running {}: valgrind said no total", job.key),
            (Outcome::Infrastructure, _) => bail!("running {}: {}", job.key, report.reason),
            (bad, _) => Seen::Untried(format!("{bad}: {}", report.reason)),
        })
    }

    /// What is measured, in a word; empty where only outcomes count.
    pub(crate) fn metric(&self) -> &'static str {
        match self.target {
            Target::Timing { metric, .. } => match metric {
                Metric::Wall => "wall",
                Metric::Cpu => "cpu",
                Metric::Instructions => "instructions",
            },
            _ => "",
        }
    }

    /// Whether the values are counts.
    pub(crate) fn is_counting(&self) -> bool {
        matches!(
            self.target,
            Target::Timing {
                metric: Metric::Instructions,
                ..
            }
        )
    }

    fn case(&mut self, build: &BuildJob, mode: &str, module: &str, case: &str) -> Result<Seen> {
        let job = TestJob::new(build, mode, module);
        let mut seen = None;
        let mut end = None;
        self.executor
            .tests(&self.plan, &[&job], None, &mut |event| {
                match event {
                    TestEvent::Case {
                        case: id, outcome, ..
                    } if id == case => seen = Some(outcome),
                    TestEvent::Finished {
                        outcome, reason, ..
                    } => end = Some((outcome, reason)),
                    _ => {}
                }
                Flow::Continue
            });
        if self.signals.asked().is_some() {
            return Ok(Seen::Stopped);
        }
        Ok(match (seen, end) {
            (Some(CaseOutcome::Pass | CaseOutcome::Xfail), _) => Seen::Well,
            (Some(CaseOutcome::Skip), _) => Seen::Untried("the case is skipped".into()),
            (Some(bad), _) => Seen::Badly(bad.as_str().into()),
            (None, Some((Outcome::Infrastructure, reason))) => {
                bail!("running {}: {reason}", job.key)
            }
            (None, Some((_, reason))) => Seen::Untried(format!("the case did not run: {reason}")),
            (None, None) => bail!("running {}: it said nothing", job.key),
        })
    }

    /// Time from the beginning, for progress.
    pub(crate) fn now(&self) -> Nanos {
        self.executor.now()
    }

    /// Commits whose program is at hand.
    pub(crate) fn built(&self) -> BTreeSet<&str> {
        self.built.keys().map(String::as_str).collect()
    }
}

fn steady_log_mean(times: &[f64]) -> Result<f64> {
    let from = match warmup::classify(times) {
        Ok(found) => found.steady_from.unwrap_or(times.len() / 2),
        Err(_) => times.len() / 2,
    };
    Ok(sample::log_mean(&times[from..])?)
}
