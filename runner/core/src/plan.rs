//! What a run sets out to do, in a form that can be stored and taken up again.
//!
//! The plan holds the definitions its jobs refer to (modes, benchmarks), so that a run resumed after the configuration
//! changed still does what it set out to do.

use measure::{Bytes, Nanos};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything one run will do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Name of the run, unique over machines.
    pub key: String,
    pub reason: String,
    pub tier: String,
    /// What was asked for, so that the same command takes a killed run up and another one does not.
    pub request: String,
    /// Definitions by `subject/mode`.
    pub modes: BTreeMap<String, ModeSpec>,
    /// Definitions by `suite/name`.
    pub benchmarks: BTreeMap<String, BenchmarkSpec>,
    pub builds: Vec<BuildJob>,
    pub benches: Vec<BenchJob>,
    /// Pairs of jobs that measure one build twice, the two of a pair beside each other. They are run pair by pair, each whole.
    #[serde(default)]
    pub canaries: Vec<BenchJob>,
    /// Like `benches`, but instructions are counted and nothing is timed.
    #[serde(default)]
    pub counts: Vec<BenchJob>,
    pub tests: Vec<TestJob>,
    /// Time for all benchmark processes together.
    pub bench_budget: Option<Nanos>,
    /// Time after which no further pair is begun.
    #[serde(default)]
    pub canary_budget: Option<Nanos>,
    /// Time for all counted processes together.
    #[serde(default)]
    pub count_budget: Option<Nanos>,
    /// Time for all test modules together.
    pub test_budget: Option<Nanos>,
    /// Limits of a benchmark process besides its manifest's time.
    pub rss_limit: Bytes,
    pub output_limit: Bytes,
}

/// Arguments, environment and configuration text that make a mode.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeSpec {
    pub name: String,
    #[serde(default)]
    pub args: Vec<String>,
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Text of the configuration file beside the program; empty = none.
    #[serde(default)]
    pub conf: String,
    /// `timing`, `stress` or `ablation`.
    pub purpose: String,
}

/// A benchmark as far as running it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchmarkSpec {
    pub suite: String,
    pub name: String,
    pub category: String,
    /// `bench.py`.
    pub program: String,
    pub source_sha256: String,
    pub inner: u64,
    pub expected: String,
    /// Wall-time limit of one process.
    pub limit: Nanos,
}

/// Make one program available.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildJob {
    pub key: String,
    pub subject: String,
    /// Commit to build; `None` for a program found on the machine.
    pub sha: Option<String>,
}

/// Time one benchmark with one program in one mode, or count its instructions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchJob {
    pub key: String,
    /// Key of its build.
    pub build: String,
    pub subject: String,
    pub sha: Option<String>,
    pub mode: String,
    /// `suite/name`.
    pub benchmark: String,
    pub processes: u32,
    pub iterations: u32,
    /// Its processes are counted; they are not pinned against noise, have one hash seed, and no time of theirs is kept.
    #[serde(default)]
    pub counted: bool,
}

/// Run one test module with one program in one mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestJob {
    pub key: String,
    pub build: String,
    pub subject: String,
    pub sha: Option<String>,
    pub mode: String,
    pub module: String,
}

/// `subject@1a2b3c4d5e6f`, or the subject alone for a program found on the machine.
#[must_use]
pub fn side(subject: &str, sha: Option<&str>) -> String {
    match sha {
        Some(sha) => format!("{subject}@{}", sha.get(..12).unwrap_or(sha)),
        None => subject.to_owned(),
    }
}

impl BuildJob {
    /// A build job with its key.
    #[must_use]
    pub fn new(subject: &str, sha: Option<&str>) -> BuildJob {
        BuildJob {
            key: format!("build/{}", side(subject, sha)),
            subject: subject.into(),
            sha: sha.map(Into::into),
        }
    }
}

impl BenchJob {
    /// A benchmark job on `build` with its key.
    #[must_use]
    pub fn new(
        build: &BuildJob,
        mode: &str,
        benchmark: &str,
        processes: u32,
        iterations: u32,
    ) -> BenchJob {
        BenchJob {
            key: format!(
                "bench/{}/{mode}/{benchmark}",
                side(&build.subject, build.sha.as_deref())
            ),
            build: build.key.clone(),
            subject: build.subject.clone(),
            sha: build.sha.clone(),
            mode: mode.into(),
            benchmark: benchmark.into(),
            processes,
            iterations,
            counted: false,
        }
    }

    /// The same as a job in which instructions are counted.
    #[must_use]
    pub fn counting(self) -> BenchJob {
        BenchJob {
            key: self.key.replacen("bench/", "count/", 1),
            counted: true,
            ..self
        }
    }
}

impl TestJob {
    /// A test job on `build` with its key.
    #[must_use]
    pub fn new(build: &BuildJob, mode: &str, module: &str) -> TestJob {
        TestJob {
            key: format!(
                "tests/{}/{mode}/{module}",
                side(&build.subject, build.sha.as_deref())
            ),
            build: build.key.clone(),
            subject: build.subject.clone(),
            sha: build.sha.clone(),
            mode: mode.into(),
            module: module.into(),
        }
    }
}

impl Plan {
    /// Number of jobs of all kinds.
    #[must_use]
    pub fn jobs(&self) -> usize {
        self.builds.len() + self.measured().count() + self.tests.len()
    }

    /// All jobs that run benchmarks, in the order in which they are carried out.
    pub fn measured(&self) -> impl Iterator<Item = &BenchJob> {
        self.benches
            .iter()
            .chain(&self.canaries)
            .chain(&self.counts)
    }

    /// Definition of a job's mode; a mode nobody defined adds nothing to the command.
    #[must_use]
    pub fn mode(&self, subject: &str, mode: &str) -> ModeSpec {
        self.modes
            .get(&format!("{subject}/{mode}"))
            .cloned()
            .unwrap_or_else(|| ModeSpec {
                name: mode.into(),
                purpose: "timing".into(),
                ..ModeSpec::default()
            })
    }
}
