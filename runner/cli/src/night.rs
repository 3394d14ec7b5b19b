//! One night, from the configuration to the exit code.
//!
//! ```text
//! lock ─> open database ─> take up a killed run of the same request, or compose a plan
//!      ─> session (builds, processes, tests; events to log, database, JUnit, terminal)
//!      ─> points, new failures, exit code ─> pages
//!      ─> where the tier says so: confirmation runs, exit code and pages again
//! ```

use crate::baselines;
use crate::compose::{Facts, Wishes, compose, on_shelf};
use crate::config::Config;
use crate::confirm::{self, Confirmation};
use crate::data::Data;
use crate::executor::Real;
use crate::exit::Exit;
use crate::signals::Signals;
use crate::{detect, pages, times};
use anyhow::{Context, Result};
use builds::{Repository, select};
use measure::{Environment, Machine, Nanos};
use report::jsonl::{self, Jsonl};
use report::junit::JUnit;
use report::store::{Context as RunContext, StoreSink};
use report::terminal::Terminal;
use runner_core::lock::DataLock;
use runner_core::session::{self, Progress};
use runner_core::{Event, Fanout, Plan, RunEnd, Sink};
use stats::rule::MIN_PROCESSES;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Instant;
use store::runs::OpenRun;
use store::summary::RunSummary;
use store::{MachineId, RunId, Store};

/// A killed run older than this is not taken up: what it measured with may have changed.
const TAKE_UP_WITHIN_S: i64 = 24 * 3600;

/// What came of a night.
#[derive(Debug, serde::Serialize)]
pub(crate) struct NightReport {
    pub(crate) run: String,
    #[serde(skip)]
    pub(crate) id: RunId,
    /// Heads by subject.
    #[serde(skip)]
    pub(crate) heads: BTreeMap<String, String>,
    pub(crate) end: RunEnd,
    /// It was complete already when it was asked for, see [`answered`].
    #[serde(skip)]
    is_known: bool,
    #[serde(skip)]
    pub(crate) exit: Exit,
    pub(crate) exit_code: u8,
    pub(crate) meaning: &'static str,
    pub(crate) database: PathBuf,
    pub(crate) site: Option<PathBuf>,
    pub(crate) junit: PathBuf,
    pub(crate) summary: RunSummary,
    /// What became of the alerts at the end of a night.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) confirmation: Option<Confirmation>,
}

/// How [`with_confirmations`] ended.
pub(crate) enum Night {
    Done(Box<NightReport>),
    /// By a signal before the night itself began.
    Stopped(Exit),
}

impl From<NightReport> for Night {
    fn from(report: NightReport) -> Night {
        Night::Done(Box::new(report))
    }
}

/// A night with what follows from it: [`night`], then new processes of both sides of what it found, as far as the tier's time and the
/// night's deadline reach. Killed at any moment, it is taken up there: the database says that the night's alerts are being settled.
pub(crate) fn with_confirmations(config: &Config, data: &Data, wishes: &Wishes) -> Result<Night> {
    let started = Instant::now();
    let Some(policy) = config.tier(&wishes.tier)?.confirm else {
        return Ok(night(config, data, wishes)?.into());
    };
    let confirmed = |data: &Data| {
        let spent = Nanos::from(started.elapsed());
        let limits = confirm::Limits {
            processes: policy.processes,
            budget: Some(Nanos::from_secs(policy.budget_s)),
            deadline: wishes
                .deadline
                .map(|deadline| Nanos(deadline.0.saturating_sub(spent.0))),
        };
        confirm::confirm(config, data, &wishes.tier, &limits)
    };
    let mut confirmation: Option<Confirmation> = None;
    if is_confirming(data)? {
        // A night begun now would give that run up.
        let done = confirmed(data)?;
        if let Some(signal) = done.interrupted {
            return Ok(Night::Stopped(Exit::Signal(signal)));
        }
        confirmation = Some(done);
    }
    let mut report = night(config, data, wishes)?;
    if report.end == RunEnd::Complete && confirm::waiting(data)? > 0 {
        match confirmed(data) {
            Ok(done) => *confirmation.get_or_insert_default() += done,
            Err(error) => {
                eprintln!("nightjar: the confirmation runs: {error:#}");
                report.set_exit(report.exit.or(Exit::Infrastructure));
                return Ok(report.into());
            }
        }
    }
    if report.is_known && confirmation.is_none() {
        // It died after the last alert was settled.
        confirmation = Some(Confirmation::default());
    }
    let Some(confirmation) = confirmation else {
        Store::open(&data.database())?.set_settling(None)?;
        return Ok(report.into());
    };
    eprintln!("nightjar: {}", confirmation.text());
    let mut store = Store::open(&data.database())?;
    report.summary = store.run_summary(report.id)?;
    let end = match confirmation.interrupted {
        Some(signal) => RunEnd::Interrupted { signal },
        None => report.end,
    };
    report.set_exit(judge(end, &report.summary, &report.heads));
    if let Err(error) = pages::render(data) {
        eprintln!("nightjar: the pages could not be written: {error:#}");
        report.set_exit(report.exit.or(Exit::Infrastructure));
    }
    if report.end == RunEnd::Complete {
        let summary = serde_json::to_string(&report.summary)?;
        store.atomically(|store| {
            store.run_finished(
                report.id,
                "complete",
                i32::from(report.exit.code()),
                &summary,
            )?;
            match confirmation.interrupted {
                Some(_) => Ok(()),
                None => store.set_settling(None),
            }
        })?;
    }
    report.confirmation = Some(confirmation);
    Ok(report.into())
}

/// Whether a confirmation run was cut off and can be taken up.
fn is_confirming(data: &Data) -> Result<bool> {
    if !data.database().exists() {
        return Ok(false);
    }
    let store = Store::open(&data.database())?;
    let Some(machine) = store.known_machine(&Machine::this().fingerprint)? else {
        return Ok(false);
    };
    Ok(store.unfinished_run(machine)?.is_some_and(|open| {
        serde_json::from_str::<Plan>(&open.plan_json).is_ok_and(|plan| plan.reason == "confirm")
            && store::now_s() - open.started_s < TAKE_UP_WITHIN_S
    }))
}

impl NightReport {
    fn set_exit(&mut self, exit: Exit) {
        self.exit = exit;
        self.exit_code = exit.code();
        self.meaning = exit.meaning();
    }
}

/// Runs a night as `wishes` say.
pub(crate) fn night(config: &Config, data: &Data, wishes: &Wishes) -> Result<NightReport> {
    let signals = Signals::listen()?;
    let _lock = DataLock::take(data.folder())?;
    let mut store = Store::open(&data.database())?;
    let machine = Machine::this();
    let machine_id = store.machine(&store::machines::Machine {
        fingerprint: machine.fingerprint.clone(),
        name: machine.host.clone(),
        cpu_model: machine.cpu_model.clone(),
        cores: machine.cores,
        memory_bytes: machine.memory.0,
        kernel: machine.kernel.clone(),
    })?;
    let facts = gather(config, data, wishes, &mut store, machine_id)?;
    let request = facts.request(config, wishes);
    if let Some(done) = answered(&store, machine_id, wishes, &request)? {
        return report_of(data, &store, &done, &facts);
    }
    let mut prepared = prepare(
        config, data, wishes, &facts, &request, &mut store, machine_id,
    )?;
    let (end, run) = carry_out(
        config,
        data,
        wishes,
        &facts,
        &mut prepared,
        &signals,
        &mut store,
        machine_id,
    )?;
    finish(config, data, &mut store, run, end, &prepared.plan, &facts)
}

/// The run that answers this request already, where the program ended after it and before all that follows from it was done: the night whose
/// alerts are being settled, or one of the runs by which they are.
fn answered(
    store: &Store,
    machine: MachineId,
    wishes: &Wishes,
    request: &str,
) -> Result<Option<OpenRun>> {
    let Some(night) = store
        .settling()?
        .filter(|night| store::now_s() - night.started_s < TAKE_UP_WITHIN_S && !wishes.again)
    else {
        return Ok(None);
    };
    if wishes.reason == "confirm" {
        return Ok(store.answered_since(machine, night.id, request)?);
    }
    let same =
        serde_json::from_str::<Plan>(&night.plan_json).is_ok_and(|plan| plan.request == request);
    Ok(same.then_some(night))
}

/// The report of a run that is complete.
fn report_of(data: &Data, store: &Store, run: &OpenRun, facts: &Facts) -> Result<NightReport> {
    let summary = store.run_summary(run.id)?;
    let exit = judge(RunEnd::Complete, &summary, &facts.heads);
    let index = data.site().join("index.html");
    Ok(NightReport {
        run: run.key.clone(),
        id: run.id,
        heads: facts.heads.clone(),
        end: RunEnd::Complete,
        is_known: true,
        exit,
        exit_code: exit.code(),
        meaning: exit.meaning(),
        database: data.database(),
        site: index.is_file().then_some(index),
        junit: data.run(&run.key).join("junit.xml"),
        summary,
        confirmation: None,
    })
}

/// What the machine and the repositories have to offer.
fn gather(
    config: &Config,
    data: &Data,
    wishes: &Wishes,
    store: &mut Store,
    machine: MachineId,
) -> Result<Facts> {
    let mut facts = Facts::default();
    for subject in &config.file.subjects {
        if !wishes.wants_subject(&subject.name) {
            continue;
        }
        let mirror = data.mirror(subject.tree());
        Repository::forget_interrupted(&mirror)?;
        let repository = Repository::mirror(&subject.repository, &mirror)?;
        let tier = config.tier(&wishes.tier)?;
        let selection = wishes.selection(tier.revisions);
        let chosen = select(&repository, &subject.paths, &selection)
            .with_context(|| format!("subject {}: choosing revisions", subject.name))?;
        facts.heads.insert(subject.name.clone(), repository.head());
        facts.commits.insert(subject.name.clone(), chosen);
    }
    for baseline in &config.file.baselines {
        match baselines::find(&baseline.candidates) {
            Some(program) => drop(facts.baselines.insert(baseline.name.clone(), program)),
            None => facts.notes.push(format!(
                "baseline {}: not on this machine (looked for {}); measured without it",
                baseline.name,
                baseline.candidates.join(", ")
            )),
        }
    }
    let counts = wishes.counts_only || config.tier(&wishes.tier)?.count.is_some();
    if wishes.bench && counts {
        match crate::counting::valgrind() {
            Ok(_) => facts.counts = true,
            Err(error) => facts.notes.push(format!("nothing is counted: {error:#}")),
        }
    }
    facts.benchmarks = config.benchmarks()?;
    if wishes.tests {
        let suite = match &config.file.tests.root {
            Some(root) => pytests::Suite::at(root)
                .with_context(|| {
                    format!(
                        "tests.root {}: no CPython test package there",
                        root.display()
                    )
                })
                .map_err(|e| e.to_string()),
            None => pytests::Suite::discover().map_err(|e| e.to_string()),
        };
        match suite {
            Ok(suite) => {
                let tier = config.tier(&wishes.tier)?;
                let tiers = tier
                    .test_tiers
                    .iter()
                    .filter_map(|n| pytests::Tier::from_number(*n));
                facts.test_modules = tiers.flat_map(|tier| suite.tier(tier)).collect();
                facts.tests_root = Some(suite.root);
            }
            Err(reason) => facts
                .notes
                .push(format!("library tests are left out: {reason}")),
        }
    }
    facts.measured = measured(config, wishes, &facts, store, machine)?;
    facts.judged = store.judged_benchmarks(machine, MIN_PROCESSES as u32)?;
    facts.canaries = store.canaries(machine)?;
    Ok(facts)
}

/// Commits of each subject for which every benchmark in every timing mode has an outcome already.
fn measured(
    config: &Config,
    wishes: &Wishes,
    facts: &Facts,
    store: &mut Store,
    machine: MachineId,
) -> Result<BTreeMap<String, Vec<String>>> {
    let mut measured: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for subject in &config.file.subjects {
        let modes: Vec<_> = wishes
            .bench_modes(subject)
            .map(|mode| mode.name.clone())
            .collect();
        let sources: Vec<_> = facts
            .benchmarks
            .iter()
            .filter(|b| wishes.wants_benchmark(b) && on_shelf(&subject.shelves, b))
            .map(|b| b.source_hash.clone())
            .collect();
        for (commit, _) in facts.commits.get(&subject.name).into_iter().flatten() {
            if store.is_measured(machine, &subject.name, &commit.sha, &modes, &sources)? {
                measured
                    .entry(subject.name.clone())
                    .or_default()
                    .push(commit.sha.clone());
            }
        }
    }
    Ok(measured)
}

/// A plan and how far it has been carried out.
struct Prepared {
    plan: Plan,
    progress: Progress,
    /// Row of a run that is taken up.
    open: Option<store::runs::OpenRun>,
    context: Option<RunContext>,
}

fn prepare(
    config: &Config,
    data: &Data,
    wishes: &Wishes,
    facts: &Facts,
    request: &str,
    store: &mut Store,
    machine: MachineId,
) -> Result<Prepared> {
    if let Some(open) = store.unfinished_run(machine)? {
        let same =
            serde_json::from_str::<Plan>(&open.plan_json).is_ok_and(|plan| plan.request == request);
        let fresh = store::now_s() - open.started_s < TAKE_UP_WITHIN_S;
        if same && fresh && !wishes.again {
            return Ok(Prepared {
                plan: Plan::default(),
                progress: Progress::new(),
                open: Some(open),
                context: None,
            });
        }
        store.abandon_unfinished_runs(machine)?;
    }
    let started_s = store::now_s();
    let mut plan = compose(config, wishes, facts)?;
    plan.key = run_key(started_s, request);
    plan.request = request.into();
    let environment = Environment::capture(data.folder());
    let facts_json = serde_json::to_string(&environment.facts)?;
    let env = store.env_snapshot(machine, environment.grade().as_str(), &facts_json)?;
    let context = facts.context(config, &plan, machine, env, started_s);
    Ok(Prepared {
        plan,
        progress: Progress::new(),
        open: None,
        context: Some(context),
    })
}

/// Time, and a little that tells apart two machines starting in the same second.
fn run_key(started_s: i64, request: &str) -> String {
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| d.as_nanos());
    let salt = format!("{nanos} {} {request}", std::process::id());
    format!(
        "{}-{}",
        times::utc_name(started_s),
        &store::plain_sha256(salt.as_bytes())[..8]
    )
}

#[expect(
    clippy::too_many_arguments,
    reason = "the parts of one night, each used once"
)]
fn carry_out(
    config: &Config,
    data: &Data,
    wishes: &Wishes,
    facts: &Facts,
    prepared: &mut Prepared,
    signals: &Signals,
    store: &mut Store,
    machine: MachineId,
) -> Result<(RunEnd, RunId)> {
    let mut database = match &prepared.open {
        Some(open) => {
            let (sink, plan, progress) = StoreSink::take_up(store, machine, open)?;
            prepared.plan = plan;
            prepared.progress = progress;
            sink
        }
        None => {
            let context = prepared
                .context
                .as_ref()
                .context("a new run has its context")?;
            StoreSink::begin(store, &prepared.plan, context)?
        }
    };
    let run = database.run();
    let folder = data.run(&prepared.plan.key);
    std::fs::create_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    let log_path = folder.join("events.jsonl");
    let mut junit = JUnit::new(&folder.join("junit.xml"));
    jsonl::read(&log_path)?
        .iter()
        .for_each(|event| junit.take(event));
    let mut log = Jsonl::append(&log_path)?;
    let mut terminal = Terminal::new(std::io::stderr(), std::io::stderr().is_terminal());
    let mut sinks = Fanout::default()
        .with(&mut log)
        .with(&mut database)
        .with(&mut junit)
        .with(&mut terminal);
    for text in &facts.notes {
        sinks.event(&Event::Note { text: text.clone() })?;
    }
    let mut executor = Real::new(
        config,
        data,
        signals.clone(),
        facts.baselines.clone(),
        facts.tests_root.clone(),
    )?;
    let progress = std::mem::take(&mut prepared.progress);
    let deadline = wishes.deadline.map(|after| Nanos(after.0));
    let end = session::run(
        &prepared.plan,
        progress,
        deadline,
        &mut executor,
        &mut sinks,
    )?;
    Ok((end, run))
}

fn finish(
    config: &Config,
    data: &Data,
    store: &mut Store,
    run: RunId,
    end: RunEnd,
    plan: &Plan,
    facts: &Facts,
) -> Result<NightReport> {
    store.rebuild_points(run)?;
    // A search or an ablation compares what is no neighbour in history.
    if matches!(plan.reason.as_str(), "nightly" | "manual") {
        let mut watched = detect::Watched::new();
        for subject in &config.file.subjects {
            if let Some(id) = store.known_subject(&subject.name)? {
                watched.insert(id, subject.watch.clone());
            }
        }
        detect::detect(store, run, &watched)?;
    }
    let summary = store.run_summary(run)?;
    let exit = judge(end, &summary, &facts.heads);
    let state = match end {
        RunEnd::Complete => "complete",
        RunEnd::Deadline => "deadline",
        RunEnd::Interrupted { .. } => "interrupted",
    };
    let settles = plan.reason == "nightly"
        && !plan.benches.is_empty()
        && config.tier(&plan.tier)?.confirm.is_some();
    let summary_json = serde_json::to_string(&summary)?;
    store.atomically(|store| {
        store.run_finished(run, state, i32::from(exit.code()), &summary_json)?;
        match end {
            RunEnd::Complete if settles => store.set_settling(Some(run)),
            _ => Ok(()),
        }
    })?;
    data.rotate_runs()?;
    let mut exit = exit;
    // Whoever asked for a confirmation writes the pages once, when the alerts are settled.
    let site = if matches!(end, RunEnd::Interrupted { .. }) || plan.reason == "confirm" {
        None
    } else {
        match pages::render(data) {
            Ok(index) => Some(index),
            Err(error) => {
                eprintln!("nightjar: the pages could not be written: {error:#}");
                exit = exit.or(Exit::Infrastructure);
                None
            }
        }
    };
    Ok(NightReport {
        run: plan.key.clone(),
        id: run,
        heads: facts.heads.clone(),
        end,
        is_known: false,
        exit,
        exit_code: exit.code(),
        meaning: exit.meaning(),
        database: data.database(),
        site,
        junit: data.run(&plan.key).join("junit.xml"),
        summary,
        confirmation: None,
    })
}

/// The exit code: what is wrong with the head outweighs what is wrong with us, and that what is new in the tests.
fn judge(end: RunEnd, summary: &RunSummary, heads: &BTreeMap<String, String>) -> Exit {
    let mut exit = Exit::Clean;
    for job in &summary.not_ok {
        let at_head = job
            .sha
            .as_ref()
            .is_some_and(|sha| heads.get(&job.subject) == Some(sha));
        exit = exit.or(match (job.kind.as_str(), job.outcome.as_str()) {
            (_, "infrastructure") => Exit::Infrastructure,
            ("build", "fail" | "timeout") if at_head => Exit::HeadBroken,
            ("bench", "crash" | "wrong-output") if at_head => Exit::HeadBroken,
            _ => Exit::Clean,
        });
    }
    if !summary.new_failures.is_empty() {
        exit = exit.or(Exit::TestFailures);
    }
    if summary.confirmed_alerts > 0 {
        exit = exit.or(Exit::Regression);
    } else if summary.provisional_alerts > 0 {
        exit = exit.or(Exit::Provisional);
    }
    match end {
        RunEnd::Interrupted { signal } => Exit::Signal(signal),
        RunEnd::Complete | RunEnd::Deadline => exit,
    }
}
