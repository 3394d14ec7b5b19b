//! From configuration, wishes and facts to a plan. Pure: it reads nothing and starts nothing.

use crate::config::{Config, Count, Mode, Purpose, Subject, program_shelves};
use crate::wrong::unknown;
use anyhow::Result;
use builds::{Commit, Selection};
use manifest::Category;
use measure::{Bytes, Nanos};
use report::store::Context;
use runner_core::{BenchJob, BenchmarkSpec, BuildJob, ModeSpec, Plan, TestJob};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use store::summary::CANARY;
use store::{EnvId, MachineId, RunId};

/// Mode of a program that has no modes.
const DEFAULT_MODE: &str = "default";

/// What the command line asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wishes {
    pub(crate) reason: String,
    pub(crate) tier: String,
    pub(crate) last: Option<usize>,
    pub(crate) since: Option<String>,
    pub(crate) revisions: Vec<String>,
    pub(crate) benchmarks: Vec<String>,
    pub(crate) modes: Vec<String>,
    pub(crate) subjects: Vec<String>,
    pub(crate) processes: Option<u32>,
    pub(crate) iterations: Option<u32>,
    /// Time from the start after which the run ends with what it has.
    pub(crate) deadline: Option<Nanos>,
    pub(crate) bench: bool,
    pub(crate) tests: bool,
    /// Measure what is measured already, and take no killed run up.
    pub(crate) again: bool,
    /// Only the commits asked for: neither baselines nor a canary beside them.
    pub(crate) alone: bool,
    /// Time for all benchmark processes, instead of the tier's.
    pub(crate) bench_budget: Option<Nanos>,
    /// Count instructions, also where the tier does not, and time nothing.
    pub(crate) counts_only: bool,
}

/// What the machine and the repositories have to offer.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Chosen commits by subject, newest first, with the hash of their watched paths.
    pub(crate) commits: BTreeMap<String, Vec<(Commit, String)>>,
    /// Head by subject.
    pub(crate) heads: BTreeMap<String, String>,
    /// Baselines found.
    pub(crate) baselines: BTreeMap<String, PathBuf>,
    pub(crate) benchmarks: Vec<manifest::Benchmark>,
    /// Whether instructions can be counted here.
    pub(crate) counts: bool,
    pub(crate) test_modules: Vec<String>,
    pub(crate) tests_root: Option<PathBuf>,
    /// Commits by subject that are measured already.
    pub(crate) measured: BTreeMap<String, Vec<String>>,
    /// The run in which each benchmark last had enough processes for a verdict.
    pub(crate) judged: BTreeMap<String, RunId>,
    /// The run in which each benchmark of each subject was last measured as two.
    pub(crate) canaries: BTreeMap<(String, String), RunId>,
    /// What a person should know.
    pub(crate) notes: Vec<String>,
}

impl Wishes {
    pub(crate) fn wants_subject(&self, name: &str) -> bool {
        self.subjects.is_empty() || self.subjects.iter().any(|wanted| wanted == name)
    }

    pub(crate) fn wants_benchmark(&self, benchmark: &manifest::Benchmark) -> bool {
        let full = benchmark_id(benchmark);
        self.benchmarks.is_empty()
            || self
                .benchmarks
                .iter()
                .any(|wanted| *wanted == benchmark.name || *wanted == full)
    }

    fn wants_mode(&self, mode: &Mode) -> bool {
        self.modes.is_empty() || self.modes.contains(&mode.name)
    }

    /// Modes in which benchmarks are timed.
    pub(crate) fn bench_modes<'a>(
        &'a self,
        subject: &'a Subject,
    ) -> impl Iterator<Item = &'a Mode> {
        subject
            .modes
            .iter()
            .filter(|mode| mode.purpose != Purpose::Stress && self.wants_mode(mode))
    }

    /// Modes in which the library tests run.
    fn test_modes<'a>(&'a self, subject: &'a Subject) -> impl Iterator<Item = &'a Mode> {
        subject
            .modes
            .iter()
            .filter(|mode| mode.purpose != Purpose::Ablation && self.wants_mode(mode))
    }

    /// Which commits; `revisions` is the tier's number.
    pub(crate) fn selection(&self, revisions: usize) -> Selection {
        if !self.revisions.is_empty() {
            return Selection::List(self.revisions.clone());
        }
        match (&self.since, self.last) {
            (Some(since), _) => Selection::Since(since.clone()),
            (None, Some(last)) => Selection::Last(last),
            (None, None) => Selection::Differing(revisions),
        }
    }
}

impl Facts {
    /// What a run was asked for, in one hash: the same command on the same heads takes a killed run up.
    pub(crate) fn request(&self, config: &Config, wishes: &Wishes) -> String {
        let wishes = Wishes {
            deadline: None,
            bench_budget: None,
            again: false,
            ..wishes.clone()
        };
        let sources: Vec<&str> = self
            .benchmarks
            .iter()
            .map(|b| b.source_hash.as_str())
            .collect();
        let text = format!(
            "{}\n{wishes:?}\n{:?}\n{sources:?}",
            config.sha256, self.heads
        );
        store::plain_sha256(text.as_bytes())
    }

    /// What the database has to know besides the plan.
    pub(crate) fn context(
        &self,
        config: &Config,
        plan: &Plan,
        machine: MachineId,
        env: EnvId,
        started_s: i64,
    ) -> Context {
        let mut subjects = Vec::new();
        let mut commits = Vec::new();
        for subject in &config.file.subjects {
            subjects.push(store::subjects::Subject {
                name: subject.name.clone(),
                is_repository: true,
                is_baseline: false,
                location: subject.repository.display().to_string(),
            });
            for (commit, state) in self.commits.get(&subject.name).into_iter().flatten() {
                commits.push((subject.name.clone(), stored_commit(commit, state)));
            }
        }
        for (name, program) in &self.baselines {
            subjects.push(store::subjects::Subject {
                name: name.clone(),
                is_repository: false,
                is_baseline: true,
                location: program.display().to_string(),
            });
        }
        let head = config.file.subjects.first().and_then(|subject| {
            let sha = self.heads.get(&subject.name)?;
            commits
                .iter()
                .any(|(_, commit)| commit.sha == *sha)
                .then(|| (subject.name.clone(), sha.clone()))
        });
        debug_assert!(
            plan.builds
                .iter()
                .all(|build| subjects.iter().any(|s| s.name == build.subject))
        );
        let platform_version = concat!("nightjar ", env!("CARGO_PKG_VERSION")).to_owned();
        Context {
            machine,
            env,
            platform_version,
            started_s,
            subjects,
            commits,
            head,
        }
    }
}

pub(crate) fn stored_commit(commit: &Commit, state: &str) -> store::subjects::Commit {
    store::subjects::Commit {
        sha: commit.sha.clone(),
        first_parent_sha: commit.first_parent.clone(),
        seq: i64::try_from(commit.seq).unwrap_or(i64::MAX),
        author: commit.author.clone(),
        author_time_s: commit.author_time_s,
        commit_time_s: commit.commit_time_s,
        title: commit.title.clone(),
        state_sha256: state.into(),
    }
}

pub(crate) fn benchmark_id(benchmark: &manifest::Benchmark) -> String {
    format!("{}/{}", benchmark.category.as_str(), benchmark.name)
}

/// Composes the plan; its key and request are the caller's to fill in.
pub(crate) fn compose(config: &Config, wishes: &Wishes, facts: &Facts) -> Result<Plan> {
    let tier = config.tier(&wishes.tier)?;
    let limits = &config.file.limits;
    let mut plan = Plan {
        reason: wishes.reason.clone(),
        tier: wishes.tier.clone(),
        test_budget: tier.test_budget_s.map(Nanos::from_secs),
        rss_limit: Bytes::mib(limits.process_rss_mib),
        output_limit: Bytes(limits.process_output_kib << 10),
        ..Plan::default()
    };
    check_wishes(config, wishes, facts)?;
    let processes = wishes.processes.unwrap_or(tier.processes);
    let iterations = wishes.iterations.unwrap_or(tier.iterations);
    let mut benchmarks: Vec<&manifest::Benchmark> = facts
        .benchmarks
        .iter()
        .filter(|benchmark| wishes.bench && wishes.wants_benchmark(benchmark))
        .collect();
    // Where the time does not reach for a verdict on all, those go first that have waited longest.
    benchmarks.sort_by_key(|benchmark| facts.judged.get(&benchmark_id(benchmark)));
    for benchmark in &benchmarks {
        plan.benchmarks
            .insert(benchmark_id(benchmark), benchmark_spec(benchmark));
    }
    // Sides in the order in which they stand beside each other: the commits, oldest first, then the baselines.
    let mut sides: Vec<Side> = Vec::new();
    let baseline_shelves = program_shelves();
    for subject in config
        .file
        .subjects
        .iter()
        .filter(|subject| wishes.wants_subject(&subject.name))
    {
        for mode in &subject.modes {
            plan.modes
                .insert(format!("{}/{}", subject.name, mode.name), mode_spec(mode));
        }
        let modes: Vec<String> = wishes
            .bench_modes(subject)
            .map(|mode| mode.name.clone())
            .collect();
        for sha in commits_to_measure(subject, wishes, facts) {
            sides.push(Side {
                build: BuildJob::new(&subject.name, Some(&sha)),
                modes: modes.clone(),
                shelves: &subject.shelves,
            });
        }
    }
    for name in facts.baselines.keys().filter(|_| !wishes.alone) {
        sides.push(Side {
            build: BuildJob::new(name, None),
            modes: vec![DEFAULT_MODE.to_owned()],
            shelves: &baseline_shelves,
        });
    }
    let commits: BTreeSet<&String> = sides
        .iter()
        .filter_map(|side| side.build.sha.as_ref())
        .collect();
    plan.bench_budget = wishes.bench_budget.or(tier
        .bench_budget_per_commit_s
        .map(|each| Nanos::from_secs(each * commits.len().max(1) as u64)));
    for benchmark in &benchmarks {
        let id = benchmark_id(benchmark);
        for side in sides
            .iter()
            .filter(|side| on_shelf(side.shelves, benchmark))
        {
            for mode in &side.modes {
                plan.benches
                    .push(BenchJob::new(&side.build, mode, &id, processes, iterations));
            }
        }
    }
    canaries(config, wishes, facts, &benchmarks, iterations, &mut plan)?;
    let count = match tier.count {
        _ if !facts.counts => None,
        Some(_) if wishes.alone && !wishes.counts_only => None,
        None if wishes.counts_only => Some(Count::default()),
        count => count,
    };
    if let Some(count) = count {
        plan.count_budget = Some(
            wishes
                .bench_budget
                .unwrap_or(Nanos::from_secs(count.budget_s)),
        );
        plan.counts = plan
            .benches
            .iter()
            .filter(|job| job.sha.is_some())
            .filter(|job| !job.benchmark.starts_with(Category::Part.as_str()))
            .map(|job| BenchJob {
                processes: count.processes,
                iterations: count.iterations,
                ..job.clone().counting()
            })
            .collect();
    }
    if wishes.counts_only {
        plan.benches.clear();
        plan.canaries.clear();
    }
    plan.tests = test_jobs(config, wishes, facts);
    plan.builds = in_building_order(sides.into_iter().map(|side| side.build).collect(), facts);
    let needed: BTreeSet<&String> = plan
        .measured()
        .map(|job| &job.build)
        .chain(plan.tests.iter().map(|job| &job.build))
        .collect();
    let builds = plan
        .builds
        .iter()
        .filter(|build| needed.contains(&build.key))
        .cloned()
        .collect();
    plan.builds = builds;
    Ok(plan)
}

/// The head of each subject in its last timing mode, measured as two: so many benchmarks as the tier says, the one whose turn is longest ago
/// first.
fn canaries(
    config: &Config,
    wishes: &Wishes,
    facts: &Facts,
    benchmarks: &[&manifest::Benchmark],
    iterations: u32,
    plan: &mut Plan,
) -> Result<()> {
    let tier = config.tier(&wishes.tier)?;
    let Some(canary) = tier.canary.filter(|_| !wishes.alone) else {
        return Ok(());
    };
    let mut candidates: Vec<(&Subject, &Mode, &String, String)> = Vec::new();
    for subject in &config.file.subjects {
        let mode = wishes
            .bench_modes(subject)
            .filter(|mode| mode.purpose == Purpose::Timing)
            .last();
        let head = facts.heads.get(&subject.name);
        let (Some(mode), Some(head), true) = (mode, head, wishes.wants_subject(&subject.name))
        else {
            continue;
        };
        if !commits_to_measure(subject, wishes, facts).contains(head) {
            continue;
        }
        let own = benchmarks
            .iter()
            .filter(|benchmark| on_shelf(&subject.shelves, benchmark));
        candidates.extend(own.map(|benchmark| (subject, mode, head, benchmark_id(benchmark))));
    }
    candidates.sort_by_key(|(subject, .., benchmark)| {
        facts
            .canaries
            .get(&(subject.name.clone(), benchmark.clone()))
    });
    candidates.truncate(canary.benchmarks.unwrap_or(usize::MAX));
    for (subject, mode, head, benchmark) in candidates {
        for ending in CANARY {
            let twin = ModeSpec {
                name: format!("{}{ending}", mode.name),
                purpose: Purpose::Ablation.as_str().into(),
                ..mode_spec(mode)
            };
            plan.canaries.push(BenchJob::new(
                &BuildJob::new(&subject.name, Some(head)),
                &twin.name,
                &benchmark,
                canary.processes,
                iterations,
            ));
            plan.modes
                .insert(format!("{}/{}", subject.name, twin.name), twin);
        }
    }
    plan.canary_budget = canary.budget_s.map(Nanos::from_secs);
    Ok(())
}

/// One program of a night, what it runs in and what on.
struct Side<'a> {
    build: BuildJob,
    modes: Vec<String>,
    shelves: &'a [String],
}

/// Whether `benchmark` stands on one of these shelves.
pub(crate) fn on_shelf(shelves: &[String], benchmark: &manifest::Benchmark) -> bool {
    shelves
        .iter()
        .any(|shelf| shelf == benchmark.category.as_str())
}

/// The head first: if it does not build, that is known at once. Then commit by commit, so that subjects which share a
/// worktree move it once for each.
fn in_building_order(builds: Vec<BuildJob>, facts: &Facts) -> Vec<BuildJob> {
    let mut commits: Vec<String> = Vec::new();
    for sha in builds.iter().filter_map(|build| build.sha.as_ref()) {
        if !commits.contains(sha) {
            commits.push(sha.clone());
        }
    }
    let place = |build: &BuildJob| match &build.sha {
        Some(sha) if facts.heads.get(&build.subject) == Some(sha) => 0,
        Some(sha) => 1 + commits.iter().position(|known| known == sha).unwrap_or(0),
        None => usize::MAX,
    };
    let mut builds = builds;
    builds.sort_by_key(place);
    builds
}

fn check_wishes(config: &Config, wishes: &Wishes, facts: &Facts) -> Result<()> {
    for wanted in &wishes.benchmarks {
        if !facts
            .benchmarks
            .iter()
            .any(|b| b.name == *wanted || benchmark_id(b) == *wanted)
        {
            let known = facts.benchmarks.iter().map(|b| b.name.as_str());
            return Err(unknown("benchmark", wanted, known));
        }
    }
    let subjects = &config.file.subjects;
    let modes: BTreeSet<&str> = subjects
        .iter()
        .flat_map(|s| &s.modes)
        .map(|m| m.name.as_str())
        .collect();
    for wanted in &wishes.modes {
        if !modes.contains(wanted.as_str()) {
            return Err(unknown("mode", wanted, modes));
        }
    }
    for wanted in &wishes.subjects {
        if !subjects.iter().any(|subject| subject.name == *wanted) {
            let known = subjects.iter().map(|subject| subject.name.as_str());
            return Err(unknown("subject", wanted, known));
        }
    }
    Ok(())
}

/// The head always; of the others those not measured yet, each with the commit before it, so that a change is
/// seen within one run. Oldest first.
fn commits_to_measure(subject: &Subject, wishes: &Wishes, facts: &Facts) -> Vec<String> {
    let Some(chosen) = facts.commits.get(&subject.name) else {
        return Vec::new();
    };
    let all = wishes.again || !wishes.revisions.is_empty() || !wishes.bench;
    let measured = facts.measured.get(&subject.name);
    let is_new =
        |sha: &str| all || !measured.is_some_and(|list| list.iter().any(|known| known == sha));
    let head = facts.heads.get(&subject.name);
    let mut picked = Vec::new();
    for (index, (commit, _)) in chosen.iter().enumerate() {
        // Newest first: the one after in the list is the one before in history.
        let newer_is_new = index > 0 && is_new(&chosen[index - 1].0.sha);
        if is_new(&commit.sha) || newer_is_new || Some(&commit.sha) == head {
            picked.push(commit.sha.clone());
        }
    }
    picked.reverse();
    picked
}

/// The library tests of each subject's newest chosen commit in all modes, and the reference beside them.
fn test_jobs(config: &Config, wishes: &Wishes, facts: &Facts) -> Vec<TestJob> {
    let mut jobs = Vec::new();
    if !wishes.tests {
        return jobs;
    }
    let reference = facts.baselines.contains_key(&config.file.tests.reference);
    let mut sides: Vec<(BuildJob, Vec<String>)> = Vec::new();
    if reference {
        sides.push((
            BuildJob::new(&config.file.tests.reference, None),
            vec![DEFAULT_MODE.to_owned()],
        ));
    }
    for subject in config
        .file
        .subjects
        .iter()
        .filter(|subject| wishes.wants_subject(&subject.name) && subject.runs_programs())
    {
        let Some((newest, _)) = facts
            .commits
            .get(&subject.name)
            .and_then(|chosen| chosen.first())
        else {
            continue;
        };
        let modes = wishes
            .test_modes(subject)
            .map(|mode| mode.name.clone())
            .collect();
        sides.push((BuildJob::new(&subject.name, Some(&newest.sha)), modes));
    }
    // Module by module over all sides: a budget that ends early has whole rows of the grid.
    for module in &facts.test_modules {
        for (build, modes) in &sides {
            for mode in modes {
                jobs.push(TestJob::new(build, mode, module));
            }
        }
    }
    jobs
}

pub(crate) fn mode_spec(mode: &Mode) -> ModeSpec {
    ModeSpec {
        name: mode.name.clone(),
        args: mode.args.clone(),
        env: mode.env.clone(),
        conf: mode.conf.clone(),
        purpose: mode.purpose.as_str().into(),
    }
}

pub(crate) fn benchmark_spec(benchmark: &manifest::Benchmark) -> BenchmarkSpec {
    BenchmarkSpec {
        suite: benchmark.category.as_str().into(),
        name: benchmark.name.clone(),
        category: benchmark.category.as_str().into(),
        program: benchmark.program.display().to_string(),
        source_sha256: benchmark.source_hash.clone(),
        inner: benchmark.inner,
        expected: benchmark.expected.clone(),
        limit: Nanos::from(benchmark.time_limit),
    }
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn subjects_that_share_a_tree_are_built_commit_by_commit_the_head_first() {
        let facts = Facts {
            heads: [("vm", "c"), ("parts", "c")]
                .map(|(subject, sha)| (subject.to_owned(), sha.to_owned()))
                .into(),
            ..Facts::default()
        };
        let mut builds = Vec::new();
        for subject in ["vm", "parts"] {
            builds.extend(["a", "b", "c"].map(|sha| BuildJob::new(subject, Some(sha))));
        }
        builds.push(BuildJob::new("python", None));
        let order: Vec<String> = in_building_order(builds, &facts)
            .into_iter()
            .map(|build| build.key)
            .collect();
        let keys = [
            "vm@c", "parts@c", "vm@a", "parts@a", "vm@b", "parts@b", "python",
        ];
        assert_eq!(order, keys.map(|key| format!("build/{key}")));
    }

    #[test]
    fn the_benchmarks_of_the_canary_take_turns_and_its_modes_are_nobody_elses() {
        let text = r#"
            [suite]
            folder = "suite"
            harness = "suite/harness.py"
            [[subject]]
            name = "vm"
            repository = "."
            build = "true"
            binary = "vm"
            [[subject.mode]]
            name = "off"
            [[subject.mode]]
            name = "opt"
            [tier.quick]
            revisions = 1
            processes = 2
            iterations = 3
            bench_budget_per_commit_s = 1
            canary = { benchmarks = 2, budget_s = 60 }
        "#;
        let config = Config::parse(text, std::path::Path::new("/p")).unwrap();
        let commit = Commit {
            sha: "c".into(),
            first_parent: None,
            seq: 0,
            author: "a".into(),
            author_time_s: 0,
            commit_time_s: 0,
            title: "t".into(),
        };
        let benchmark = |name: &str| manifest::Benchmark {
            name: name.into(),
            description: String::new(),
            category: Category::Micro,
            inner: 1,
            expected: "1".into(),
            time_limit: std::time::Duration::from_secs(1),
            program: PathBuf::new(),
            source_hash: name.into(),
        };
        let mut facts = Facts {
            heads: [("vm".to_owned(), "c".to_owned())].into(),
            commits: [("vm".to_owned(), vec![(commit, "s".to_owned())])].into(),
            benchmarks: ["a", "b", "c", "d", "e"].map(benchmark).into(),
            ..Facts::default()
        };
        let wishes = Wishes {
            tier: "quick".into(),
            bench: true,
            ..Wishes::default()
        };
        let mut turns = Vec::new();
        for night in 1..=4 {
            let plan = compose(&config, &wishes, &facts).unwrap();
            assert_eq!(plan.benches.len(), 10, "five benchmarks in two modes");
            let pairs: Vec<_> = plan.canaries.chunks(2).collect();
            for pair in &pairs {
                assert_eq!(pair[0].benchmark, pair[1].benchmark);
                assert_eq!([&*pair[0].mode, &pair[1].mode], ["opt-aa", "opt-ab"]);
                let processes = pair.iter().map(|job| job.processes as usize);
                assert!(processes.min() >= Some(stats::rule::MIN_PROCESSES));
                facts
                    .canaries
                    .insert(("vm".to_owned(), pair[0].benchmark.clone()), RunId(night));
            }
            turns.extend(
                pairs
                    .iter()
                    .map(|pair| pair[0].benchmark.replace("micro/", "")),
            );
        }
        assert_eq!(turns.concat(), "abcdeabc");
        let alone = Wishes {
            alone: true,
            ..wishes
        };
        assert!(
            compose(&config, &alone, &facts)
                .unwrap()
                .canaries
                .is_empty()
        );
    }
}
