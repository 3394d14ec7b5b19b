//! `nightjar import FORMAT FILE`: results of other programs.
//!
//! A file becomes a run of its own whose key is the file's hash, so importing it again changes nothing. What it measured becomes a
//! baseline under the given name, on a machine of its own: numbers from elsewhere never meet ours in a chart, but
//! `nightjar compare NAME OTHER` compares two imports of one name's benchmarks.

use crate::data::Data;
use crate::exit::Exit;
use anyhow::{Context, Result, bail};
use formats::{Imported, Unit, codespeed, criterion, hyperfine, pyperf, rebench};
use runner_core::lock::DataLock;
use stats::warmup;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use store::Store;
use store::benchmarks::Benchmark;
use store::builds::Build;
use store::machines::Machine;
use store::processes::{ProcessEnd, ProcessStart};
use store::runs::{NewJob, NewRun};
use store::subjects::{Mode, Subject};

/// What to read.
#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    #[arg(value_enum)]
    format: Format,
    file: PathBuf,
    /// Name of what was measured; by default what the file says, or else the file's name.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Pyperf,
    Criterion,
    Hyperfine,
    Rebench,
    /// The body of a POST to Codespeed.
    Codespeed,
}

impl Format {
    fn as_str(self) -> &'static str {
        match self {
            Format::Pyperf => "pyperf",
            Format::Criterion => "criterion",
            Format::Hyperfine => "hyperfine",
            Format::Rebench => "rebench",
            Format::Codespeed => "codespeed",
        }
    }
}

/// What was taken in.
#[derive(Debug, serde::Serialize)]
struct Taken {
    run: String,
    /// False when the very file was taken in before.
    new: bool,
    names: Vec<String>,
    benchmarks: usize,
    processes: usize,
    /// Benchmarks whose unit is no time.
    left_out: Vec<String>,
}

/// Reads the file into the database.
pub(crate) fn run(what: &Import, data: &Data, json: bool) -> Result<Exit> {
    let path = &what.file;
    let text =
        fs::read_to_string(path).with_context(|| format!("{}: cannot read", path.display()))?;
    let stem = path.file_stem().map_or_else(
        || "imported".into(),
        |stem| stem.to_string_lossy().into_owned(),
    );
    let imported = match what.format {
        Format::Pyperf => pyperf::read(&text),
        Format::Criterion => criterion::read(&text, &stem),
        Format::Hyperfine => hyperfine::read(&text),
        Format::Rebench => rebench::read(&text),
        Format::Codespeed => codespeed::read(&text),
    }
    .with_context(|| format!("{}", path.display()))?;
    let _lock = DataLock::take(data.folder())?;
    let mut store = Store::open(&data.database())?;
    let taken = take(
        &mut store,
        what.format,
        &text,
        imported,
        what.name.as_deref(),
        &stem,
    )
    .with_context(|| format!("{}", path.display()))?;
    if json {
        println!("{}", serde_json::to_string_pretty(&taken)?);
    } else if taken.new {
        println!(
            "{}: {} benchmarks, {} processes of {}",
            taken.run,
            taken.benchmarks,
            taken.processes,
            taken.names.join(", ")
        );
        for name in &taken.left_out {
            println!("left out  {name}: its unit is no time");
        }
    } else {
        println!("{}: was taken in before", taken.run);
    }
    Ok(Exit::Clean)
}

/// Takes in the body of a POST to Codespeed, while a night may be running: it is one transaction. Returns how many results there are, and whether
/// they are new.
pub(crate) fn take_posted(data: &Data, body: &str) -> Result<(usize, bool)> {
    let imported = codespeed::read(body)?;
    let mut store = Store::open(&data.database())?;
    let taken = take(
        &mut store,
        Format::Codespeed,
        body,
        imported,
        None,
        "posted",
    )?;
    Ok((taken.benchmarks, taken.new))
}

/// Takes in what was read from `text`, unless that very text was before.
fn take(
    store: &mut Store,
    format: Format,
    text: &str,
    imported: Vec<Imported>,
    name: Option<&str>,
    stem: &str,
) -> Result<Taken> {
    let (times, others): (Vec<_>, Vec<_>) = imported
        .into_iter()
        .partition(|benchmark| benchmark.unit == Unit::Seconds);
    if times.is_empty() {
        bail!("no benchmark with times");
    }
    let hash = store::plain_sha256(text.as_bytes());
    let mut programs: BTreeMap<String, Vec<Imported>> = BTreeMap::new();
    for benchmark in times {
        let name = match (name, benchmark.program.as_str()) {
            (Some(name), _) => name.to_owned(),
            (None, "") => stem.to_owned(),
            (None, program) => program.to_owned(),
        };
        programs.entry(name).or_default().push(benchmark);
    }
    let key = format!("import-{}-{}", format.as_str(), &hash[..16]);
    let mut taken = Taken {
        new: !store.has_run(&key)?,
        run: key.clone(),
        names: programs.keys().cloned().collect(),
        benchmarks: programs.values().map(Vec::len).sum(),
        processes: programs
            .values()
            .flatten()
            .map(|benchmark| benchmark.processes.len())
            .sum(),
        left_out: others
            .into_iter()
            .map(|benchmark| benchmark.benchmark)
            .collect(),
    };
    taken.names.sort();
    if taken.new {
        store.atomically(|store| take_in(store, &key, format, &hash, &programs))?;
    }
    Ok(taken)
}

fn take_in(
    store: &mut Store,
    key: &str,
    format: Format,
    hash: &str,
    programs: &BTreeMap<String, Vec<Imported>>,
) -> store::Result<()> {
    let machine = store.machine(&Machine {
        fingerprint: format!("imported-{}", format.as_str()),
        name: format!("imported ({})", format.as_str()),
        cpu_model: "unknown".into(),
        cores: 0,
        memory_bytes: 0,
        kernel: "unknown".into(),
    })?;
    let env = store.env_snapshot(machine, "unknown", "[]")?;
    let mut jobs = Vec::new();
    for (name, benchmarks) in programs {
        let subject = store.subject(&Subject {
            name: name.clone(),
            is_repository: false,
            is_baseline: true,
            location: format!("imported {}", &hash[..16]),
        })?;
        let mode = store.mode(
            subject,
            &Mode {
                name: "default".into(),
                args: Vec::new(),
                env: BTreeMap::new(),
                conf: String::new(),
                purpose: "timing".into(),
            },
        )?;
        let build = store.build(subject, None, machine, &build(name, hash))?;
        for benchmark in benchmarks {
            let version = store.benchmark_version(&Benchmark {
                suite: "imported".into(),
                name: benchmark.benchmark.clone(),
                category: "imported".into(),
                source_sha256: String::new(),
                inner: 1,
                expected_result: String::new(),
                limit_ns: 0,
            })?;
            jobs.push(NewJob {
                key: format!("bench/{name}/default/imported/{}", benchmark.benchmark),
                kind: "bench",
                subject,
                commit: None,
                build: Some(build),
                mode: Some(mode),
                benchmark: Some(version),
                test_module: None,
                planned_processes: benchmark.processes.len() as u32,
                planned_iterations: benchmark
                    .processes
                    .first()
                    .map_or(0, |p| p.values.len() as u32),
            });
        }
    }
    let run = store.begin_run(
        &NewRun {
            key: key.into(),
            reason: "import".into(),
            tier: format.as_str().into(),
            machine,
            env,
            head: None,
            platform_version: concat!("nightjar ", env!("CARGO_PKG_VERSION")).into(),
            plan_json: "{}".into(),
            started_s: store::now_s(),
        },
        &jobs,
    )?;
    let rows = store.jobs(run)?;
    for (row, benchmark) in rows.iter().zip(programs.values().flatten()) {
        for (idx, process) in benchmark.processes.iter().enumerate() {
            let walls: Vec<f64> = process.values.iter().map(|seconds| seconds * 1e9).collect();
            // What the other program calls warm-up is; what it does not, we look for ourselves.
            let (class, steady_from) = match warmup::classify(&walls) {
                _ if process.warmups > 0 => (None, Some(process.warmups as u32)),
                Ok(found) => (Some(found.class), found.steady_from.map(|from| from as u32)),
                Err(_) => (None, Some(0)),
            };
            let total: f64 = walls.iter().sum();
            let samples = BTreeMap::from([("wall".to_owned(), walls)]);
            let start = ProcessStart {
                idx: idx as u32,
                position: idx as u32,
                ..ProcessStart::default()
            };
            let end = ProcessEnd {
                outcome: "ok".into(),
                exit_code: Some(0),
                wall_ns: total as u64,
                steady_from,
                warmup_class: class.map(|class| class.as_str().to_owned()),
                ..ProcessEnd::default()
            };
            store.take_in_process(row.id, &start, &samples, &end)?;
        }
        store.job_finished(row.id, "ok", "", 0)?;
    }
    store.rebuild_points(run)?;
    store.run_finished(run, "complete", 0, "{}")
}

fn build(name: &str, hash: &str) -> Build {
    Build {
        command: String::new(),
        toolchain: String::new(),
        outcome: "ok".into(),
        reason: String::new(),
        program: String::new(),
        version: name.into(),
        build_flags: String::new(),
        binary_sha256: Some(hash.into()),
        binary_bytes: None,
        text_bytes: None,
        text_sha256: None,
        duration_ns: 0,
        log: Vec::new(),
    }
}
