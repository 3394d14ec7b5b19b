//! `nightjar.toml`: subjects, modes, baselines, tiers, limits.
//!
//! Unknown keys are errors, so that a typing mistake is not silently a default.

use anyhow::{Context, Result, bail};
use manifest::Category;
use serde::Deserialize;
use stats::rule::MIN_PROCESSES;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The file, validated; paths are absolute.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) file: File,
    /// SHA-256 of the text, part of a run's request.
    pub(crate) sha256: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) suite: Suite,
    #[serde(default)]
    pub(crate) cache: Cache,
    #[serde(default, rename = "subject")]
    pub(crate) subjects: Vec<Subject>,
    #[serde(default, rename = "baseline")]
    pub(crate) baselines: Vec<Baseline>,
    #[serde(default)]
    pub(crate) tests: Tests,
    #[serde(default, rename = "tier")]
    pub(crate) tiers: BTreeMap<String, Tier>,
    #[serde(default)]
    pub(crate) limits: Limits,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Suite {
    pub(crate) folder: PathBuf,
    pub(crate) harness: PathBuf,
    /// Folder of programs that others wrote for pyperf, run as they are by `scripts.py` beside the harness.
    #[serde(default)]
    pub(crate) scripts: Option<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Cache {
    pub(crate) limit_gib: u64,
    pub(crate) free_space_gib: u64,
}

impl Default for Cache {
    fn default() -> Cache {
        Cache {
            limit_gib: 4,
            free_space_gib: 3,
        }
    }
}

/// A program built per commit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) repository: PathBuf,
    #[serde(default)]
    pub(crate) paths: Vec<String>,
    pub(crate) build: String,
    pub(crate) binary: String,
    #[serde(default)]
    pub(crate) toolchain: String,
    #[serde(default = "default_build_limit")]
    pub(crate) build_limit_s: u64,
    #[serde(default)]
    pub(crate) version: Vec<String>,
    /// Name of the configuration file beside the program; empty = it reads none.
    #[serde(default)]
    pub(crate) conf: String,
    /// Argument that makes it write its counters; `{file}` stands for the file.
    #[serde(default)]
    pub(crate) stats: String,
    /// Counters of that file (`aborts.too_long`) that raise alerts when they grow or fall; the others are kept and shown beside alerts.
    #[serde(default)]
    pub(crate) watch: Vec<String>,
    /// Subject in whose worktree and target folder it is built; empty = its own. Two programs of one repository then
    /// compile what they share once.
    #[serde(default)]
    pub(crate) tree: String,
    /// Shelves of the suite that it is measured on.
    #[serde(default = "program_shelves")]
    pub(crate) shelves: Vec<String>,
    #[serde(default, rename = "mode")]
    pub(crate) modes: Vec<Mode>,
    #[serde(default)]
    pub(crate) axes: Axes,
}

/// Switches by which a search goes on beyond the commit, and by which passes are ablated; empty = it has none.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Axes {
    pub(crate) passes: Vec<String>,
    /// Argument that leaves a pass out; `{pass}` stands for its name.
    pub(crate) without_pass: String,
    /// Argument that leaves all but one pass out.
    pub(crate) only_pass: String,
    /// Argument that compiles only the first `{n}` traces.
    pub(crate) traces: String,
}

fn default_build_limit() -> u64 {
    1800
}

/// Shelves with programs for any VM: what a subject that says nothing else, and every baseline, is measured on.
pub(crate) fn program_shelves() -> Vec<String> {
    [Category::Micro, Category::Macro, Category::Script]
        .map(|shelf| shelf.as_str().to_owned())
        .into()
}

impl Subject {
    /// Name under which its worktree and target folder lie.
    pub(crate) fn tree(&self) -> &str {
        if self.tree.is_empty() {
            &self.name
        } else {
            &self.tree
        }
    }

    /// Whether it runs Python programs, and so the library tests.
    pub(crate) fn runs_programs(&self) -> bool {
        self.shelves
            .iter()
            .any(|shelf| shelf != Category::Part.as_str())
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mode {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) args: Vec<String>,
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) conf: String,
    #[serde(default)]
    pub(crate) purpose: Purpose,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Purpose {
    /// Benchmarks and tests.
    #[default]
    Timing,
    /// Tests only.
    Stress,
    /// Benchmarks only.
    Ablation,
}

impl Purpose {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Purpose::Timing => "timing",
            Purpose::Stress => "stress",
            Purpose::Ablation => "ablation",
        }
    }
}

/// A program found on the machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Baseline {
    pub(crate) name: String,
    pub(crate) candidates: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Tests {
    /// Baseline whose outcomes are the reference; empty = none.
    pub(crate) reference: String,
    /// Folder that holds the package `test`; absent = found.
    pub(crate) root: Option<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tier {
    pub(crate) revisions: usize,
    pub(crate) processes: u32,
    pub(crate) iterations: u32,
    /// Time for all benchmark processes: this much for each commit that is measured, the baselines' share in it.
    pub(crate) bench_budget_per_commit_s: Option<u64>,
    /// Measure the head in its last timing mode as two: any difference is a false alarm. Absent = no.
    pub(crate) canary: Option<Canary>,
    /// Run both sides of provisional alerts anew at the end of the night; absent = that is left to `nightjar alerts confirm`.
    pub(crate) confirm: Option<Confirm>,
    /// Count instructions under valgrind after the benchmarks; absent = nothing is counted.
    pub(crate) count: Option<Count>,
    #[serde(default)]
    pub(crate) test_tiers: Vec<u8>,
    pub(crate) test_budget_s: Option<u64>,
}

/// Instruction counts of a night. They repeat, so a few processes are enough, but each takes some fifty times as long.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Count {
    /// Of each side and mode.
    pub(crate) processes: u32,
    pub(crate) iterations: u32,
    /// Time for all of them together.
    pub(crate) budget_s: u64,
}

/// What a confirmation run of a tier without counts takes.
impl Default for Count {
    fn default() -> Count {
        Count {
            processes: 3,
            iterations: 3,
            budget_s: 3600,
        }
    }
}

/// One build measured as two, beside the benchmarks: what the platform's own verdicts are worth on this machine.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Canary {
    /// So many a night, those whose last turn is longest ago; absent = all.
    pub(crate) benchmarks: Option<usize>,
    /// Of each side.
    #[serde(default = "Canary::processes")]
    pub(crate) processes: u32,
    /// Time after which no further benchmark is begun.
    pub(crate) budget_s: Option<u64>,
}

impl Canary {
    /// As few as a verdict can stand on.
    fn processes() -> u32 {
        MIN_PROCESSES as u32
    }
}

/// Confirmation runs at the end of a night.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirm {
    /// Of each side.
    pub(crate) processes: u32,
    /// Time for all of them together; what does not fit waits for the next night.
    pub(crate) budget_s: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    pub(crate) process_rss_mib: u64,
    pub(crate) process_output_kib: u64,
    pub(crate) test_case_s: u64,
    pub(crate) test_module_s: u64,
    pub(crate) test_rss_mib: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            process_rss_mib: 4096,
            process_output_kib: 1024,
            test_case_s: 60,
            test_module_s: 240,
            test_rss_mib: 2048,
        }
    }
}

impl Config {
    /// Reads the file.
    pub(crate) fn load(path: &Path) -> Result<Config> {
        let text = std::fs::read_to_string(path).with_context(|| {
            format!(
                "{}: cannot read the configuration; name another one with --config",
                path.display()
            )
        })?;
        let path = std::path::absolute(path)?;
        let folder = path.parent().context("a file has a folder")?.to_owned();
        Config::parse(&text, &folder).with_context(|| format!("{}", path.display()))
    }

    pub(crate) fn parse(text: &str, folder: &Path) -> Result<Config> {
        let mut file: File = toml::from_str(text)?;
        file.suite.folder = folder.join(&file.suite.folder);
        file.suite.harness = folder.join(&file.suite.harness);
        if let Some(scripts) = &mut file.suite.scripts {
            *scripts = folder.join(&*scripts);
        }
        for subject in &mut file.subjects {
            subject.repository = folder.join(&subject.repository);
        }
        if let Some(root) = &mut file.tests.root {
            *root = folder.join(&*root);
        }
        file.validate()?;
        Ok(Config {
            file,
            sha256: store::plain_sha256(text.as_bytes()),
        })
    }

    /// All benchmarks: the suite's own, then scripts of others.
    pub(crate) fn benchmarks(&self) -> Result<Vec<manifest::Benchmark>> {
        let suite = &self.file.suite;
        let mut all = manifest::list(&suite.folder).context("reading the benchmark suite")?;
        if let Some(scripts) = &suite.scripts {
            all.extend(manifest::scripts(scripts).context("reading the folder of scripts")?);
        }
        Ok(all)
    }

    /// The tier called `name`.
    pub(crate) fn tier(&self, name: &str) -> Result<&Tier> {
        let known = || {
            self.file
                .tiers
                .keys()
                .cloned()
                .collect::<Vec<_>>()
                .join(", ")
        };
        self.file
            .tiers
            .get(name)
            .with_context(|| format!("no tier called {name}; there are: {}", known()))
    }
}

impl File {
    fn validate(&self) -> Result<()> {
        if self.subjects.is_empty() && self.baselines.is_empty() {
            bail!("neither a [[subject]] nor a [[baseline]]: nothing to measure");
        }
        let mut names = BTreeSet::new();
        for name in self
            .subjects
            .iter()
            .map(|s| &s.name)
            .chain(self.baselines.iter().map(|b| &b.name))
        {
            check_name("subject or baseline", name)?;
            if !names.insert(name) {
                bail!("two subjects or baselines are called {name}");
            }
        }
        for subject in &self.subjects {
            let mut modes = BTreeSet::new();
            for mode in &subject.modes {
                check_name("mode", &mode.name)?;
                if !modes.insert(&mode.name) {
                    bail!(
                        "subject {}: two modes are called {}",
                        subject.name,
                        mode.name
                    );
                }
                if !mode.conf.is_empty() && subject.conf.is_empty() {
                    bail!(
                        "subject {}: mode {} has a conf, but the subject names no file for it",
                        subject.name,
                        mode.name
                    );
                }
            }
            if modes.is_empty() {
                bail!("subject {}: no [[subject.mode]]", subject.name);
            }
            let known = [
                Category::Micro,
                Category::Macro,
                Category::Part,
                Category::Script,
            ]
            .map(Category::as_str);
            if let Some(shelf) = subject
                .shelves
                .iter()
                .find(|s| !known.contains(&s.as_str()))
            {
                bail!(
                    "subject {}: no shelf called {shelf}; there are: {}",
                    subject.name,
                    known.join(", ")
                );
            }
            if !subject.tree.is_empty()
                && !self.subjects.iter().any(|other| {
                    other.name == subject.tree
                        && other.tree.is_empty()
                        && other.repository == subject.repository
                })
            {
                bail!(
                    "subject {}: tree {:?} is not another subject of the same repository with its own tree",
                    subject.name,
                    subject.tree
                );
            }
        }
        let reference = &self.tests.reference;
        if !reference.is_empty()
            && !self
                .baselines
                .iter()
                .any(|baseline| baseline.name == *reference)
        {
            bail!("tests.reference: no baseline called {reference}");
        }
        for (name, tier) in &self.tiers {
            if tier.processes == 0 || tier.iterations == 0 || tier.revisions == 0 {
                bail!("tier {name}: revisions, processes and iterations must be at least 1");
            }
            if tier
                .count
                .is_some_and(|count| count.processes == 0 || count.iterations == 0)
            {
                bail!("tier {name}: count: processes and iterations must be at least 1");
            }
            if tier
                .canary
                .is_some_and(|canary| (canary.processes as usize) < MIN_PROCESSES)
            {
                bail!(
                    "tier {name}: canary: with fewer than {MIN_PROCESSES} processes a side there is no verdict"
                );
            }
            let few = |confirm: Confirm| (confirm.processes as usize) < MIN_PROCESSES;
            if tier.confirm.is_some_and(few) {
                bail!(
                    "tier {name}: confirm: with fewer than {MIN_PROCESSES} processes a side there is no verdict"
                );
            }
        }
        Ok(())
    }
}

/// Names are parts of job keys, file names and addresses.
fn check_name(what: &str, name: &str) -> Result<()> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.starts_with('.') || !name.chars().all(good) {
        bail!("{what} {name:?}: a name has letters, digits, '-', '_' and '.' only");
    }
    Ok(())
}

#[cfg(test)]
mod test {
    use super::*;

    const SMALL: &str = r#"
        [suite]
        folder = "suite"
        harness = "suite/harness.py"
        [[baseline]]
        name = "python"
        candidates = ["python3"]
        [tier.quick]
        revisions = 1
        processes = 2
        iterations = 3
    "#;

    fn error(text: &str) -> String {
        format!("{:#}", Config::parse(text, Path::new("/p")).unwrap_err())
    }

    #[test]
    fn the_file_of_this_project_is_sound() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../nightjar.toml");
        let config = Config::load(&path).unwrap();
        let modes: Vec<_> = config.file.subjects[0]
            .modes
            .iter()
            .map(|mode| mode.name.as_str())
            .collect();
        assert_eq!(modes, ["off", "noopt", "opt", "opt-t2"]);
        assert!(config.tier("quick").is_ok() && config.tier("full").is_ok());
        let error = config.tier("slow").unwrap_err().to_string();
        assert_eq!(error, "no tier called slow; there are: full, quick");
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let config = Config::parse(SMALL, Path::new("/p")).unwrap();
        assert_eq!(config.file.suite.harness, Path::new("/p/suite/harness.py"));
    }

    #[test]
    fn a_subject_may_be_built_in_anothers_tree() {
        let subject = |more: &str| {
            format!(
                "{SMALL}
                [[subject]]
                name = \"vm\"
                repository = \".\"
                build = \"make\"
                binary = \"vm\"
                mode = [{{ name = \"off\" }}]
                [[subject]]
                name = \"parts\"
                repository = \".\"
                build = \"make parts\"
                binary = \"parts\"
                mode = [{{ name = \"parts\" }}]
                {more}"
            )
        };
        let good = subject("tree = \"vm\"\nshelves = [\"part\"]");
        let config = Config::parse(&good, Path::new("/p")).unwrap();
        let [vm, parts] = &config.file.subjects[..] else {
            panic!("two subjects");
        };
        assert_eq!((vm.tree(), parts.tree()), ("vm", "vm"));
        assert_eq!((vm.runs_programs(), parts.runs_programs()), (true, false));
        assert!(error(&subject("tree = \"other\"")).contains("tree \"other\""));
        assert!(error(&subject("shelves = [\"book\"]")).contains("no shelf called book"));
    }

    #[test]
    fn mistakes_are_named() {
        assert!(error(&format!("{SMALL}\nprocceses = 3")).contains("procceses"));
        assert!(error(&SMALL.replace("\"python\"", "\"py/thon\"")).contains("py/thon"));
        assert!(error(&SMALL.replace("processes = 2", "processes = 0")).contains("tier quick"));
        let few = format!("{SMALL}\nconfirm = {{ processes = 4, budget_s = 1 }}");
        assert!(error(&few).contains("fewer than 5 processes a side"));
        assert!(
            error(&format!("{SMALL}\n[tests]\nreference = \"other\""))
                .contains("no baseline called other")
        );
    }
}
