//! `pytests`: CPython's library tests on a VM, as a table and as JSON lines.
//!
//! ```text
//! pytests --python target/release/pyrite --tier 0 --reference /usr/bin/python3.11
//! pytests --python target/release/pyrite --mode off --mode opt test_int test_list
//! ```
//!
//! Exit status: 0 nothing failed; 1 some case or module failed, or modes
//! differ; 2 wrong usage; 6 the VM or the suite could not be used.

use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use pytests::{
    CaseEvent, Comparison, Launcher, Limits, ModeGrid, ModuleOutcome, ModuleStatus, Outcome, Suite,
    Tier, compare, run_modules, totals,
};
use serde_json::json;

/// Run CPython's own library tests on a VM, case by case.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// Test modules without the `test.` package; all of `--tier` when absent.
    modules: Vec<String>,
    /// The VM under test.
    #[arg(long, default_value = "/usr/bin/python3.11")]
    python: PathBuf,
    /// An argument for the VM, before the script.
    #[arg(long = "arg", allow_hyphen_values = true)]
    args: Vec<String>,
    /// A variable for the VM, NAME=VALUE.
    #[arg(long = "env")]
    env: Vec<String>,
    /// Words for PYRITE_JIT; given more than once, modes are compared.
    #[arg(long = "mode")]
    modes: Vec<String>,
    /// Also run this interpreter and print the share of its passes.
    #[arg(long)]
    reference: Option<PathBuf>,
    /// Tiers to run when no module is named.
    #[arg(long, default_values_t = [0])]
    tier: Vec<u8>,
    /// Folder that holds the `test` package [default: looked for].
    #[arg(long)]
    suite: Option<PathBuf>,
    /// Modules at once.
    #[arg(long, short, default_value_t = std::thread::available_parallelism().map_or(1, usize::from))]
    jobs: usize,
    /// Seconds without progress that count as a hang.
    #[arg(long, default_value_t = 60.0)]
    case_timeout: f64,
    /// Seconds for one module.
    #[arg(long, default_value_t = 600.0)]
    module_timeout: f64,
    /// MiB of resident memory for one module.
    #[arg(long, default_value_t = 2048)]
    memory_mib: u64,
    /// Write one JSON object per module and run to this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Name each case that did not pass.
    #[arg(long, short)]
    verbose: bool,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(problem) => {
            eprintln!("pytests: {problem:#}");
            ExitCode::from(6)
        }
    }
}

/// One VM in one mode.
struct Subject {
    name: String,
    launcher: Launcher,
}

fn run(cli: &Cli) -> anyhow::Result<bool> {
    let suite = match &cli.suite {
        Some(root) => Suite::at(root)
            .with_context(|| format!("no test modules in {}", root.join("test").display()))?,
        None => Suite::discover()?,
    };
    let modules = modules(cli, &suite)?;
    let limits = Limits {
        case: seconds(cli.case_timeout, "--case-timeout")?,
        module: seconds(cli.module_timeout, "--module-timeout")?,
        memory_bytes: cli.memory_mib << 20,
        ..Limits::default()
    };
    let mut json = match &cli.json {
        Some(path) => Some(
            std::fs::File::create(path)
                .with_context(|| format!("cannot write {}", path.display()))?,
        ),
        None => None,
    };

    let mut runs: Vec<(String, Vec<ModuleOutcome>)> = Vec::new();
    for subject in subjects(cli)? {
        let progress = Progress::new(&subject.name, modules.len());
        let outcomes = run_modules(
            &subject.launcher,
            &modules,
            &limits,
            cli.jobs.max(1),
            &|module, event| progress.event(module, &event),
        )?;
        progress.clear();
        if let Some(file) = &mut json {
            for outcome in &outcomes {
                let mut line = serde_json::to_value(outcome)?;
                line["run"] = json!(subject.name);
                writeln!(file, "{line}").context("cannot write the JSON lines")?;
            }
        }
        print_table(&subject.name, &outcomes, cli.verbose);
        runs.push((subject.name, outcomes));
    }

    let first_subject = usize::from(cli.reference.is_some());
    let mut good = true;
    if first_subject == 1 {
        let (reference, subjects) = runs.split_at(1);
        for (name, outcomes) in subjects {
            print_comparison(name, &compare(&reference[0].1, outcomes), cli.verbose);
        }
    }
    for (_, outcomes) in &runs[first_subject..] {
        good &= outcomes.iter().all(ModuleOutcome::is_clean);
    }
    if runs.len() - first_subject > 1 {
        let columns: Vec<(&str, &[ModuleOutcome])> = runs[first_subject..]
            .iter()
            .map(|(name, outcomes)| (name.as_str(), outcomes.as_slice()))
            .collect();
        let grid = ModeGrid::new(&columns, &BTreeSet::new());
        print_grid(&grid);
        good &= grid.differences.is_empty();
    }
    Ok(good)
}

fn seconds(value: f64, option: &str) -> anyhow::Result<Duration> {
    Duration::try_from_secs_f64(value).with_context(|| format!("{option} {value} is no duration"))
}

fn modules(cli: &Cli, suite: &Suite) -> anyhow::Result<Vec<String>> {
    if cli.modules.is_empty() {
        let mut names = Vec::new();
        for number in &cli.tier {
            let tier = Tier::from_number(*number)
                .with_context(|| format!("there is no tier {number}, only 0 to 3"))?;
            names.extend(suite.tier(tier));
        }
        return Ok(names);
    }
    let names: Vec<String> = cli
        .modules
        .iter()
        .map(|name| name.strip_prefix("test.").unwrap_or(name).to_owned())
        .collect();
    for name in &names {
        anyhow::ensure!(
            suite.has(name),
            "no {name} in {}",
            suite.root.join("test").display()
        );
    }
    Ok(names)
}

fn subjects(cli: &Cli) -> anyhow::Result<Vec<Subject>> {
    let mut base = Launcher::new(&cli.python);
    base.args.extend(cli.args.iter().map(Into::into));
    for pair in &cli.env {
        let (name, value) = pair
            .split_once('=')
            .with_context(|| format!("--env {pair} is not NAME=VALUE"))?;
        base = base.env(name, value);
    }
    let mut all = Vec::new();
    if let Some(reference) = &cli.reference {
        all.push(Subject {
            name: reference.display().to_string(),
            launcher: Launcher::new(reference),
        });
    }
    if cli.modes.is_empty() {
        all.push(Subject {
            name: cli.python.display().to_string(),
            launcher: base.clone(),
        });
    }
    for mode in &cli.modes {
        let launcher = base.clone().env("PYRITE_JIT", mode);
        all.push(Subject {
            name: mode.clone(),
            launcher,
        });
    }
    if let Some(root) = &cli.suite {
        for subject in &mut all {
            subject.launcher.root = Some(root.canonicalize()?);
        }
    }
    Ok(all)
}

/// A line that is overwritten on a terminal; one line per trouble elsewhere.
struct Progress {
    name: String,
    modules: usize,
    terminal: bool,
    cases: std::sync::atomic::AtomicUsize,
}

impl Progress {
    fn new(name: &str, modules: usize) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self {
            name: name.to_owned(),
            modules,
            terminal,
            cases: 0.into(),
        }
    }

    fn event(&self, module: &str, event: &CaseEvent) {
        match event {
            CaseEvent::Finished(_) => {
                let cases = 1 + self
                    .cases
                    .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if self.terminal {
                    let modules = self.modules;
                    eprint!(
                        "\r\x1b[K{}: {cases} cases of {modules} modules, {module}",
                        self.name
                    );
                }
            }
            CaseEvent::Restarting { id, reason } => {
                let case = id.as_deref().unwrap_or("no case");
                let clear = if self.terminal { "\r\x1b[K" } else { "" };
                eprintln!(
                    "{clear}{}: {module} restarts after {case}: {reason}",
                    self.name
                );
            }
            CaseEvent::Loaded { .. } | CaseEvent::Started { .. } => {}
        }
    }

    fn clear(&self) {
        if self.terminal {
            eprint!("\r\x1b[K");
        }
    }
}

fn print_table(name: &str, outcomes: &[ModuleOutcome], verbose: bool) {
    println!("== {name}");
    println!(
        "{:<36}{:>7}{:>7}{:>6}{:>6}{:>6}{:>7}{:>7}{:>7}{:>9}",
        "module", "cases", "pass", "fail", "error", "skip", "t/out", "crash", "unrun", "cpu s"
    );
    for module in outcomes {
        match &module.status {
            ModuleStatus::Ran => {
                let count = |outcome| module.count(outcome);
                println!(
                    "{:<36}{:>7}{:>7}{:>6}{:>6}{:>6}{:>7}{:>7}{:>7}{:>9.2}",
                    module.module,
                    module.cases.len(),
                    count(Outcome::Pass),
                    count(Outcome::Fail),
                    count(Outcome::Error),
                    count(Outcome::Skip),
                    count(Outcome::Timeout),
                    count(Outcome::Crash),
                    module.not_run.len(),
                    module.cpu_us as f64 / 1e6,
                );
            }
            ModuleStatus::Skipped(why) => println!("{:<36}skipped: {why}", module.module),
            ModuleStatus::DoesNotLoad(why) => {
                println!("{:<36}does not load: {why}", module.module);
            }
        }
        for note in &module.notes {
            println!("    note: {note}");
        }
        for case in &module.cases {
            use Outcome::{Pass, Skip, Xfail};
            if verbose && !matches!(case.outcome, Pass | Skip | Xfail) {
                println!("    {:<8}{}: {}", case.outcome, case.id, case.detail);
            }
        }
    }
    let sum = totals(outcomes);
    let words: Vec<String> = sum
        .cases
        .iter()
        .map(|(outcome, count)| format!("{count} {outcome}"))
        .collect();
    println!(
        "{} modules: {} clean, {} not loading, {} skipped; {} cases: {}; {} not run; {:.1} s of CPU\n",
        sum.modules,
        sum.clean,
        sum.not_loading,
        sum.skipped,
        sum.all(),
        words.join(", "),
        sum.not_run,
        sum.cpu_us as f64 / 1e6,
    );
}

fn print_comparison(name: &str, comparison: &Comparison, verbose: bool) {
    let score = comparison.score().map_or("no score".to_owned(), |score| {
        format!("{:.1} %", 100.0 * score)
    });
    println!(
        "{name}: {score} of the reference: {} of {} passing cases, {} lost, {} gained",
        comparison.both_pass,
        comparison.reference_passes,
        comparison.lost.len(),
        comparison.gained.len()
    );
    let others = comparison.others_details();
    if others > 0 {
        let rest = comparison.reference_passes - others;
        println!(
            "    {others} of the lost are skipped as details of another implementation: {:.1} % of the {rest} others",
            100.0 * comparison.both_pass as f64 / rest.max(1) as f64,
        );
    }
    for (module, why) in &comparison.not_loading {
        println!("    {module} does not load: {why}");
    }
    for lost in comparison.lost.iter().filter(|_| verbose) {
        let outcome = lost.outcome.map_or("gone", Outcome::as_str);
        println!("    lost {}: {outcome}: {}", lost.id, lost.detail);
    }
}

fn print_grid(grid: &ModeGrid) {
    println!(
        "{} cases over the modes {}: {} differ",
        grid.cases,
        grid.modes.join(" | "),
        grid.differences.len()
    );
    for row in &grid.differences {
        let outcomes: Vec<&str> = row
            .outcomes
            .iter()
            .map(|outcome| outcome.map_or("gone", Outcome::as_str))
            .collect();
        println!("    {:?} {}: {}", row.kind, row.id, outcomes.join(" | "));
    }
}
