//! A made-up history of a VM, written into a database through the store's own calls.
//!
//! Problem: pages must be looked at and tested with months of nights, with everything that can go wrong in
//! them, long before a real database has any of it. Idea: a small model of a VM (a true time per benchmark
//! and mode, steps at known commits, noise per process) is "measured" night by night; failures are planted
//! at known places, so tests can say what a page must show. The same [`Plan`] gives the same results.
//!
//! Planted: `generators` crashes in `opt` for some commits; `alloc` times out in `noopt` at the newest; one
//! commit does not build; the oldest ones do not know `opt`; one night met its deadline; two JIT bugs, a
//! regression and a flaky case in the library tests; a module that does not load; alerts, and searches with each kind of answer.

mod bench;
mod judged;
mod library;
mod random;

pub use bench::{CRASH, NOT_BUILT, OPT_SINCE, SLOWER, STEPS};

use std::collections::BTreeMap;

use store::builds::Build;
use store::machines::Machine;
use store::runs::{NewJob, NewRun};
use store::subjects::{Commit, Mode, Subject};
use store::{BuildId, CommitId, MachineId, ModeId, Result, Store, SubjectId};

use random::Random;

/// How much history to make.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Nights, one a day; each measures the two newest commits.
    pub nights: u32,
    /// Processes per benchmark and mode.
    pub processes: u32,
    /// Iterations per process.
    pub iterations: u32,
    /// The benchmarks' names. The planted failures need `generators`, `alloc` and `float_loop`.
    pub benchmarks: Vec<String>,
    /// Text appended to titles, messages and reasons, e.g. markup to see it escaped.
    pub suffix: String,
    /// Start of the first night, seconds since 1970 UTC.
    pub starts_at: i64,
}

/// The six programs of the suite.
pub const SIX: [&str; 6] = [
    "alloc",
    "calls",
    "float_loop",
    "generators",
    "int_loop",
    "objects",
];

impl Plan {
    /// Two months of the six programs.
    #[must_use]
    pub fn two_months() -> Self {
        Self {
            nights: 60,
            processes: 5,
            iterations: 14,
            benchmarks: SIX.iter().map(|&name| name.to_owned()).collect(),
            suffix: String::new(),
            starts_at: 1_772_935_200, // 2026-03-08 02:00 UTC
        }
    }

    /// Commits made: two a night.
    #[must_use]
    pub fn commits(&self) -> u32 {
        self.nights * 2
    }
}

/// The rows that stay the same over all nights.
pub(crate) struct World {
    pub(crate) subject: SubjectId,
    pub(crate) machine: MachineId,
    pub(crate) modes: Vec<(String, ModeId)>,
    pub(crate) stress: ModeId,
    pub(crate) baselines: Vec<Baseline>,
}

pub(crate) struct Baseline {
    pub(crate) name: &'static str,
    pub(crate) subject: SubjectId,
    pub(crate) mode: ModeId,
    pub(crate) build: BuildId,
}

/// Fills `store` with the history of `plan`.
///
/// # Errors
/// What the store says.
pub fn fill(store: &mut Store, plan: &Plan) -> Result<()> {
    let mut random = Random::new(7);
    let world = world(store)?;
    let benchmarks = bench::versions(store, plan)?;
    let mut commits = Vec::new();
    for n in 0..plan.commits() {
        commits.push(commit(store, &world, plan, n)?);
    }
    let mut runs = Vec::new();
    for night in 0..plan.nights {
        let newest = night * 2 + 1;
        let measured = [newest, newest - 1];
        let mut jobs = Vec::new();
        let mut builds = Vec::new();
        for &n in &measured {
            let id = build(store, &world, plan, commits[n as usize], n, &mut random)?;
            builds.push(id);
            bench::jobs(
                &mut jobs,
                &world,
                &benchmarks,
                commits[n as usize],
                id,
                n,
                night,
            );
        }
        bench::baseline_jobs(&mut jobs, &world, &benchmarks);
        let tests = night + 12 >= plan.nights;
        if tests {
            library::jobs(&mut jobs, &world, commits[newest as usize], builds[0]);
        }
        let run = begin(store, &world, plan, night, commits[newest as usize], &jobs)?;
        let ids: Vec<_> = store.jobs(run)?.into_iter().map(|job| job.id).collect();
        for (job, id) in jobs.iter().zip(ids) {
            match job.kind {
                "bench" => bench::measure(store, &world, plan, job, id, &commits, &mut random)?,
                "tests" => library::run(store, &world, plan, job, id, night)?,
                _ => {}
            }
        }
        store.rebuild_points(run)?;
        let state = if night == bench::DEADLINE_NIGHT {
            "deadline"
        } else {
            "complete"
        };
        let flagged: &[&str] = if night % 11 == 3 {
            &["micro/alloc"]
        } else {
            &[]
        };
        let pairs: Vec<_> = plan
            .benchmarks
            .iter()
            .map(|benchmark| {
                let ratio = if flagged.contains(&benchmark.as_str()) {
                    1.04
                } else {
                    1.002
                };
                serde_json::json!({
                    "subject": "pyrite", "mode": "opt", "benchmark": benchmark, "ratio": ratio,
                    "low": ratio - 0.01, "high": ratio + 0.01, "flagged": ratio > 1.03,
                })
            })
            .collect();
        let canary = serde_json::json!({
            "flagged": flagged, "of": pairs.len(), "planned": pairs.len(), "pairs": pairs,
        });
        let summary = serde_json::json!({ "canary": canary });
        store.run_finished(run, state, 0, &summary.to_string())?;
        runs.push(run);
    }
    bench::change_points(store, &world, plan, &benchmarks, &commits)?;
    judged::alerts(store, &world, &benchmarks, &commits, &runs)?;
    judged::searches(store, &world, plan, &commits)
}

fn world(store: &mut Store) -> Result<World> {
    let subject = |store: &mut Store, name: &str, baseline: bool, location: &str| {
        store.subject(&Subject {
            name: name.to_owned(),
            is_repository: !baseline,
            is_baseline: baseline,
            location: location.to_owned(),
        })
    };
    let pyrite = subject(store, "pyrite", false, "the repository")?;
    let machine = store.machine(&Machine {
        fingerprint: "5c1d0f7a90".to_owned(),
        name: "bench-1".to_owned(),
        cpu_model: "Example CPU".to_owned(),
        cores: 2,
        memory_bytes: 8 << 30,
        kernel: "6.1".to_owned(),
    })?;
    let mode = |store: &mut Store, subject, name: &str, conf: &str, purpose: &str| {
        store.mode(
            subject,
            &Mode {
                name: name.to_owned(),
                args: Vec::new(),
                env: BTreeMap::new(),
                conf: conf.to_owned(),
                purpose: purpose.to_owned(),
            },
        )
    };
    let mut modes = Vec::new();
    for name in ["off", "noopt", "opt"] {
        modes.push((name.to_owned(), mode(store, pyrite, name, name, "timing")?));
    }
    let stress = mode(store, pyrite, "opt-t2", "opt,threshold=2", "stress")?;
    let mut baselines = Vec::new();
    for (name, path, version) in [
        (
            "python3.11",
            "/usr/bin/python3.11",
            "Python 3.11.2 (main) [GCC 12.2.0], PGO and LTO",
        ),
        ("pypy3", "/usr/bin/pypy3", "Python 3.9.16 [PyPy 7.3.11]"),
    ] {
        let id = subject(store, name, true, path)?;
        let mode = mode(store, id, "default", "", "timing")?;
        let found = Build {
            outcome: "ok".to_owned(),
            program: path.to_owned(),
            version: version.to_owned(),
            binary_sha256: Some(name.to_owned()),
            ..Build::default()
        };
        let build = store.build(id, None, machine, &found)?;
        baselines.push(Baseline {
            name,
            subject: id,
            mode,
            build,
        });
    }
    Ok(World {
        subject: pyrite,
        machine,
        modes,
        stress,
        baselines,
    })
}

fn sha(n: u32) -> String {
    // Any spread-out digits do: multiplication by a large odd number.
    let word = |k: u64| {
        u64::from(n + 1)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(17)
            .wrapping_mul(k | 1)
    };
    format!(
        "{:016x}{:016x}{:08x}",
        word(3),
        word(0xdead_beef),
        word(77) >> 32
    )
}

fn commit(store: &mut Store, world: &World, plan: &Plan, n: u32) -> Result<CommitId> {
    const WHAT: [&str; 8] = [
        "jit/opt: forward slot reads across elidable calls",
        "objects/dict: keep the hash beside the key",
        "interp: one dispatch less per call",
        "jit/record: stop at the second inner loop",
        "gc: move the nursery limit into a register",
        "compiler: fold constant tuples",
        "jit/x64: shorter encoding for small displacements",
        "stdlib/itertools: chain without a generator",
    ];
    let at = plan.starts_at + i64::from(n) * 43_200 - 30_000;
    store.commit(
        world.subject,
        &Commit {
            sha: sha(n),
            first_parent_sha: n.checked_sub(1).map(sha),
            seq: i64::from(n),
            author: ["Ada Example", "Ben Sample"][n as usize % 2].to_owned(),
            author_time_s: at,
            commit_time_s: at,
            title: format!("{}{}", WHAT[n as usize % WHAT.len()], plan.suffix),
            state_sha256: sha(n),
        },
    )
}

fn build(
    store: &mut Store,
    world: &World,
    plan: &Plan,
    commit: CommitId,
    n: u32,
    random: &mut Random,
) -> Result<BuildId> {
    let fails = n == bench::NOT_BUILT || n + 2 == plan.commits();
    let log = if fails {
        format!(
            "   Compiling pyrite v0.1.0\nerror[E0308]: mismatched types\n  --> vm/interp/src/calls.rs:{n}:9\n\
             error: could not compile `pyrite` (lib) due to 1 previous error{}\n",
            plan.suffix
        )
    } else {
        String::new()
    };
    store.build(
        world.subject,
        Some(commit),
        world.machine,
        &Build {
            command: "cargo build --release -p pyrite".to_owned(),
            toolchain: "rustc 1.95.0".to_owned(),
            outcome: if fails { "fail" } else { "ok" }.to_owned(),
            reason: if fails {
                "exit status 101".to_owned()
            } else {
                String::new()
            },
            binary_sha256: (!fails).then(|| sha(n)),
            binary_bytes: (!fails).then(|| 6_800_000 + u64::from(n) * 9_000),
            duration_ns: 95_000_000_000 + (random.uniform() * 3e10) as u64,
            log: log.into_bytes(),
            ..Build::default()
        },
    )
}

fn begin(
    store: &mut Store,
    world: &World,
    plan: &Plan,
    night: u32,
    head: CommitId,
    jobs: &[NewJob],
) -> Result<store::RunId> {
    let governor = if night % 9 == 4 {
        ("powersave", "warn")
    } else {
        ("performance", "ok")
    };
    let facts = serde_json::json!([
        { "name": "governor", "value": governor.0, "grade": governor.1, "note": "the clock should not follow the load" },
        { "name": "turbo", "value": "unknown", "grade": "unknown", "note": "no such file on this machine" },
        { "name": "load at start", "value": "0.12", "grade": "ok", "note": "" },
        { "name": "swap", "value": "0 bytes used", "grade": "ok", "note": "" },
        { "name": "steal time", "value": "0.4 %", "grade": "warn", "note": "the machine is a virtual one and was not alone" },
    ]);
    let env = store.env_snapshot(world.machine, "warn", &facts.to_string())?;
    let run = NewRun {
        key: format!("night-{night}"),
        reason: "nightly".to_owned(),
        tier: if night.is_multiple_of(7) {
            "full"
        } else {
            "quick"
        }
        .to_owned(),
        machine: world.machine,
        env,
        head: Some(head),
        platform_version: "0.1.0".to_owned(),
        plan_json: format!("{{\"night\":{night}}}"),
        started_s: plan.starts_at + i64::from(night) * 86_400,
    };
    store.begin_run(&run, jobs)
}
