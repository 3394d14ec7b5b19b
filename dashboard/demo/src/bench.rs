//! The benchmarks of the made-up VM: true times, steps, failures.

use std::collections::BTreeMap;

use store::benchmarks::Benchmark;
use store::processes::{ProcessEnd, ProcessStart};
use store::runs::NewJob;
use store::{BenchmarkVersionId, BuildId, CommitId, JobId, Result, Store};

use crate::random::Random;
use crate::{Plan, World};

/// The night that met its deadline.
pub(crate) const DEADLINE_NIGHT: u32 = 7;
/// The commit that does not build (beside the newest but one).
pub const NOT_BUILT: u32 = 33;
/// The first commit that knows the mode `opt`.
pub const OPT_SINCE: u32 = 4;
/// Commits at which `generators` crashes in `opt`.
pub const CRASH: std::ops::Range<u32> = 24..30;
/// The commit at which `alloc` gets slower in `opt`, and by how much.
pub const SLOWER: (u32, f64) = (28, 1.22);
/// Steps: commit, benchmark, mode, new level over old.
pub const STEPS: [(u32, &str, &str, f64); 6] = [
    (12, "float_loop", "opt", 0.78),
    (20, "objects", "opt", 0.70),
    (SLOWER.0, "alloc", "opt", SLOWER.1),
    (34, "calls", "off", 0.93),
    (45, "int_loop", "noopt", 0.88),
    (101, "calls", "opt", 1.12),
];

pub(crate) struct Version {
    pub(crate) name: String,
    pub(crate) id: BenchmarkVersionId,
}

pub(crate) fn versions(store: &mut Store, plan: &Plan) -> Result<Vec<Version>> {
    let mut versions = Vec::new();
    for name in &plan.benchmarks {
        let id = store.benchmark_version(&Benchmark {
            suite: "micro".to_owned(),
            name: name.clone(),
            category: "micro".to_owned(),
            source_sha256: format!("{:064x}", name.len()),
            inner: 100,
            expected_result: "42".to_owned(),
            limit_ns: 60_000_000_000,
        })?;
        versions.push(Version {
            name: name.clone(),
            id,
        });
    }
    Ok(versions)
}

/// The jobs of one commit. Every mode is planned, also where it will not run.
pub(crate) fn jobs(
    jobs: &mut Vec<NewJob>,
    world: &World,
    versions: &[Version],
    commit: CommitId,
    build: BuildId,
    n: u32,
    night: u32,
) {
    for version in versions {
        for (name, mode) in &world.modes {
            jobs.push(NewJob {
                key: format!("bench/{n}/{name}/{}/{night}", version.name),
                kind: "bench",
                subject: world.subject,
                commit: Some(commit),
                build: Some(build),
                mode: Some(*mode),
                benchmark: Some(version.id),
                test_module: None,
                planned_processes: 5,
                planned_iterations: 10,
            });
        }
    }
}

pub(crate) fn baseline_jobs(jobs: &mut Vec<NewJob>, world: &World, versions: &[Version]) {
    for version in versions {
        for baseline in &world.baselines {
            jobs.push(NewJob {
                key: format!("bench/{}/{}", baseline.name, version.name),
                kind: "bench",
                subject: baseline.subject,
                commit: None,
                build: Some(baseline.build),
                mode: Some(baseline.mode),
                benchmark: Some(version.id),
                test_module: None,
                planned_processes: 5,
                planned_iterations: 10,
            });
        }
    }
}

/// What a job is about, read back from its key.
struct Cell<'a> {
    variant: &'a str,
    benchmark: &'a str,
    /// Number of the commit, `None` for a baseline.
    commit: Option<u32>,
    night: Option<u32>,
}

impl<'a> Cell<'a> {
    fn of(key: &'a str, commit: bool) -> Self {
        let rest = key.strip_prefix("bench/").unwrap_or(key);
        if !commit {
            let (variant, benchmark) = rest.split_once('/').unwrap_or((rest, ""));
            return Self {
                variant,
                benchmark,
                commit: None,
                night: None,
            };
        }
        let (n, rest) = rest.split_once('/').unwrap_or(("0", rest));
        let (variant, rest) = rest.split_once('/').unwrap_or((rest, ""));
        let (benchmark, night) = rest.rsplit_once('/').unwrap_or((rest, "0"));
        Self {
            variant,
            benchmark,
            commit: n.parse().ok(),
            night: night.parse().ok(),
        }
    }
}

pub(crate) fn measure(
    store: &mut Store,
    world: &World,
    plan: &Plan,
    job: &NewJob,
    id: JobId,
    commits: &[CommitId],
    random: &mut Random,
) -> Result<()> {
    let cell = Cell::of(&job.key, job.commit.is_some());
    debug_assert!(
        cell.commit
            .is_none_or(|n| Some(commits[n as usize]) == job.commit)
    );
    debug_assert!(job.commit.is_some() || world.baselines.iter().any(|b| b.name == cell.variant));
    store.job_started(id)?;
    if let Some((outcome, reason)) = failure(&cell, plan) {
        if outcome != "not-run" && outcome != "unsupported" {
            let end = ProcessEnd {
                outcome: outcome.to_owned(),
                reason: reason.clone(),
                ..ProcessEnd::default()
            };
            store.take_in_process(id, &ProcessStart::default(), &BTreeMap::new(), &end)?;
        }
        return store.job_finished(id, outcome, &format!("{reason}{}", plan.suffix), 0);
    }
    let level = level(&cell);
    for idx in 0..plan.processes {
        let process = level * (random.normal() * 0.008).exp();
        let walls: Vec<f64> = (0..plan.iterations)
            .map(|i| process * warmth(cell.variant, i) * (random.normal() * 0.01).exp() * 1e9)
            .collect();
        let total: f64 = walls.iter().sum();
        let cpu = walls.iter().map(|w| w * 0.99).collect();
        let samples = BTreeMap::from([("wall".to_owned(), walls), ("cpu".to_owned(), cpu)]);
        let end = ProcessEnd {
            outcome: "ok".to_owned(),
            exit_code: Some(0),
            wall_ns: total as u64 + 12_000_000,
            user_ns: total as u64,
            system_ns: 2_000_000,
            peak_rss_bytes: memory(cell.variant) + (random.uniform() * 3e5) as u64,
            result: Some("42".to_owned()),
            steady_from: Some(steady_from(cell.variant).min(plan.iterations - 1)),
            ..ProcessEnd::default()
        };
        store.take_in_process(
            id,
            &ProcessStart {
                idx,
                position: idx,
                ..ProcessStart::default()
            },
            &samples,
            &end,
        )?;
    }
    store.job_finished(id, "ok", "", 1)
}

fn failure(cell: &Cell<'_>, plan: &Plan) -> Option<(&'static str, String)> {
    let Some(n) = cell.commit else {
        return (cell.variant == "pypy3" && cell.benchmark == "alloc" && plan.nights == 1)
            .then(|| ("timeout", "no end after 60 s".to_owned()));
    };
    if n == NOT_BUILT || n + 2 == plan.commits() {
        return Some(("not-run", "the build failed".to_owned()));
    }
    if cell.variant == "opt" && n < OPT_SINCE {
        return Some(("unsupported", "unknown flag --jit=opt".to_owned()));
    }
    if cell.variant == "opt" && cell.benchmark == "generators" && CRASH.contains(&n) {
        return Some(("crash", "SIGSEGV in process 0".to_owned()));
    }
    if cell.variant == "noopt" && cell.benchmark == "alloc" && n + 1 == plan.commits() {
        return Some(("timeout", "no end after 60 s".to_owned()));
    }
    if cell.night == Some(DEADLINE_NIGHT) && cell.benchmark > "g" {
        return Some(("not-run", "the deadline passed".to_owned()));
    }
    None
}

/// Seconds of a steady iteration.
fn level(cell: &Cell<'_>) -> f64 {
    let weight = cell.benchmark.bytes().map(u32::from).sum::<u32>() % 7;
    let cpython = 0.11 + 0.02 * f64::from(weight);
    let gain = 4.0 + f64::from(weight) * 3.0;
    let base = match cell.variant {
        "python3.11" => cpython,
        "pypy3" => cpython / (gain * 1.15),
        "off" => cpython / 1.6,
        "noopt" => cpython / (1.6 + gain / 5.0),
        _ => cpython / gain,
    };
    let steps = STEPS.iter().filter(|(at, benchmark, mode, _)| {
        cell.commit.is_some_and(|n| n >= *at)
            && *benchmark == cell.benchmark
            && *mode == cell.variant
    });
    steps.fold(base, |level, (.., ratio)| level * ratio)
}

/// An iteration's time over the steady one.
fn warmth(variant: &str, i: u32) -> f64 {
    let (extra, speed) = match variant {
        "noopt" => (1.4, 1.5),
        "opt" => (6.0, 1.1),
        "pypy3" => (9.0, 0.7),
        _ => (0.04, 2.0),
    };
    1.0 + extra * (-f64::from(i) * speed).exp()
}

fn steady_from(variant: &str) -> u32 {
    match variant {
        "noopt" => 4,
        "opt" => 6,
        "pypy3" => 9,
        _ => 1,
    }
}

fn memory(variant: &str) -> u64 {
    match variant {
        "python3.11" => 9_500_000,
        "pypy3" => 71_000_000,
        "off" => 18_000_000,
        _ => 24_000_000,
    }
}

/// Stores the steps as the change points an analysis would find.
pub(crate) fn change_points(
    store: &mut Store,
    world: &World,
    plan: &Plan,
    versions: &[Version],
    commits: &[CommitId],
) -> Result<()> {
    for (n, benchmark, mode, ratio) in STEPS {
        let version = versions.iter().find(|v| v.name == benchmark);
        let mode = world.modes.iter().find(|(name, _)| name == mode);
        let (Some(version), Some((_, mode)), Some(&commit)) =
            (version, mode, commits.get(n as usize))
        else {
            continue;
        };
        let provisional = n + 8 > plan.commits();
        store.change_point(&store::change_points::Found {
            subject: world.subject,
            benchmark: version.id,
            mode: *mode,
            machine: world.machine,
            metric: "wall",
            commit,
            previous: Some(commits[n as usize - 1]),
            algorithm: "planted",
            params_json: "{}",
            p: 0.0,
            ratio,
            status: if provisional {
                "provisional"
            } else {
                "established"
            },
        })?;
    }
    Ok(())
}
