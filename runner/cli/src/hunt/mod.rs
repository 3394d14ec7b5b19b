//! `nightjar bisect perf|test|wrong`: which commit did it.
//!
//! The policies are in the crate `bisect`; here they are given a line of commits, builds and processes. Every answer is stored before the
//! next question is asked, so a killed search goes on where it was when the same command is given again.
//!
//! With `--judge REV` the line is just good, REV, bad, and the exit code says on which side REV is: 0 good, 1 bad, 125 cannot tell.
//! That is what `git bisect run` wants. What is not the commit's fault (no space, no such benchmark) is 128, at which it stops:
//!
//! ```text
//! git bisect run nightjar --config /elsewhere/nightjar.toml --data DIR bisect perf --benchmark calls --mode opt --good v1 --bad v2 --judge HEAD
//! ```

mod axes;
mod search;
mod trial;

use crate::config::{Config, Subject};
use crate::data::Data;
use crate::exit::Exit;
use crate::signals::Signals;
use crate::wrong::{unknown, wrong};
use crate::{baselines, revisions};
use anyhow::{Result, anyhow};
use bisect::Verdict;
use builds::{Commit, Repository};
use runner_core::lock::DataLock;
use search::{Answers, Outcome};
use serde::Serialize;
use std::collections::BTreeMap;
use store::Store;
use trial::{Metric, Target, Trial};

/// What to look for.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Hunt {
    /// A benchmark that became slower (or faster).
    Perf {
        #[command(flatten)]
        what: What,
        #[arg(long, value_name = "NAME")]
        benchmark: String,
        /// What to measure.
        #[arg(long, value_enum, default_value = "wall")]
        metric: Metric,
        /// Iterations of each process.
        #[arg(long, default_value_t = 12, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
        iterations: u32,
    },
    /// A library test that began to fail, always or now and then.
    Test {
        #[command(flatten)]
        what: What,
        /// Id of the test case, e.g. test.test_int.IntTestCases.test_basic.
        #[arg(long, value_name = "ID")]
        case: String,
    },
    /// A benchmark that began to crash or to give a wrong result.
    Wrong {
        #[command(flatten)]
        what: What,
        #[arg(long, value_name = "NAME")]
        benchmark: String,
        /// Iterations of each process.
        #[arg(long, default_value_t = 12, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
        iterations: u32,
    },
}

/// Where to look.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct What {
    /// A revision where all is well.
    #[arg(long, value_name = "REV")]
    good: String,
    /// A later revision where it is not.
    #[arg(long, value_name = "REV")]
    bad: String,
    #[arg(long, value_name = "NAME")]
    mode: String,
    /// Subject of the revisions; the first of the configuration if not given.
    #[arg(long, value_name = "NAME")]
    subject: Option<String>,
    /// Only say whether this revision is good (exit code 0), bad (1), or cannot be told (125).
    #[arg(long, value_name = "REV")]
    judge: Option<String>,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    kind: &'static str,
    target: String,
    mode: String,
    good: String,
    bad: String,
    /// Commits that could have been to blame: those after `good` that changed what is built.
    candidates: usize,
    #[serde(flatten)]
    verdict: Verdict,
    /// The commits to blame; one, unless others between could not be tried.
    culprits: Vec<Culprit>,
    /// The most probable commits when there is no answer.
    suspects: Vec<Culprit>,
    /// Median of the log ratio between the ends, as a ratio; timings only.
    ratio: Option<f64>,
    /// Passes that mend it when switched off, where the subject has passes.
    mending_passes: Vec<String>,
    /// With the first so many traces compiled it is wrong, with one less it is not.
    trace: Option<usize>,
    runs: usize,
    builds: usize,
}

/// A commit in the report.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Culprit {
    sha: String,
    title: String,
    author: String,
}

/// Carries a search out.
pub(crate) fn run(hunt: &Hunt, config: &Config, data: &Data, json: bool) -> Result<Exit> {
    let what = hunt.what();
    let signals = Signals::listen()?;
    let _lock = DataLock::take(data.folder())?;
    let mut store = Store::open(&data.database())?;
    let subject = revisions::subject(config, what.subject.as_deref())?;
    if !subject.modes.iter().any(|mode| mode.name == what.mode) {
        let known = subject.modes.iter().map(|mode| mode.name.as_str());
        return Err(unknown("mode", &what.mode, known));
    }
    let target = hunt.target(config)?;
    let mirror = data.mirror(&subject.name);
    Repository::forget_interrupted(&mirror)?;
    let repository = Repository::mirror(&subject.repository, &mirror)?;
    let line = line(&repository, subject, what)?;
    let programs: BTreeMap<_, _> = config
        .file
        .baselines
        .iter()
        .filter_map(|baseline| {
            Some((
                baseline.name.clone(),
                baselines::find(&baseline.candidates)?,
            ))
        })
        .collect();
    let mut trial = Trial::new(
        config,
        data,
        signals.clone(),
        programs,
        subject,
        &what.mode,
        target,
    )?;
    let answers = Answers::open(
        &mut store,
        hunt.kind(),
        subject,
        &trial,
        &line,
        &repository,
        what,
    )?;
    let outcome = search::search(answers, &mut trial, hunt.is_timing())?;
    let Outcome {
        verdict,
        runs,
        builds,
        ratio,
        ended,
    } = outcome;
    let Some(verdict) = verdict else {
        return Ok(Exit::Signal(signals.asked().unwrap_or(2)));
    };
    if what.judge.is_some() {
        search::end(&mut store, ended, &verdict, None, None)?;
        return Ok(judged(&verdict, json));
    }
    let (mut mending_passes, mut trace) = (Vec::new(), None);
    if let (Verdict::Found { last, .. }, Hunt::Wrong { .. } | Hunt::Test { .. }) = (&verdict, hunt)
    {
        mending_passes = axes::mending_passes(&mut trial, subject, &line[*last].sha)?;
        trace = axes::first_bad_trace(&mut trial, subject, &line[*last].sha)?;
    }
    search::end(
        &mut store,
        ended,
        &verdict,
        mending_passes.first().cloned(),
        trace,
    )?;
    let blamed = |range: Option<(usize, usize)>| -> Vec<Culprit> {
        let range = range.map_or(0..0, |(first, last)| first..last + 1);
        line[range].iter().map(Culprit::of).collect()
    };
    let (culprits, suspects) = match &verdict {
        Verdict::Found { first, last, .. } => (Some((*first, *last)), None),
        Verdict::CannotTell { best, .. } => (None, *best),
        Verdict::NoDifference { .. } => (None, None),
    };
    let report = Report {
        kind: hunt.kind(),
        target: trial.target().to_owned(),
        mode: what.mode.clone(),
        good: line[0].sha.clone(),
        bad: line[line.len() - 1].sha.clone(),
        candidates: line.len() - 1,
        culprits: blamed(culprits),
        suspects: blamed(suspects),
        verdict,
        ratio,
        mending_passes,
        trace,
        runs,
        builds,
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", report.text());
    }
    Ok(Exit::Clean)
}

impl Hunt {
    fn what(&self) -> &What {
        match self {
            Hunt::Perf { what, .. } | Hunt::Test { what, .. } | Hunt::Wrong { what, .. } => what,
        }
    }

    /// Whether it only judges one revision.
    pub(crate) fn judges(&self) -> bool {
        self.what().judge.is_some()
    }

    fn kind(&self) -> &'static str {
        match self {
            Hunt::Perf { .. } => "perf",
            Hunt::Test { .. } => "test",
            Hunt::Wrong { .. } => "wrong",
        }
    }

    fn is_timing(&self) -> bool {
        matches!(self, Hunt::Perf { .. })
    }

    fn target(&self, config: &Config) -> Result<Target> {
        let benchmark = |name: &str| -> Result<manifest::Benchmark> {
            let all = config.benchmarks()?;
            let known: Vec<String> = all.iter().map(|benchmark| benchmark.name.clone()).collect();
            let short = name.rsplit('/').next().unwrap_or(name);
            all.into_iter()
                .find(|benchmark| benchmark.name == short)
                .ok_or_else(|| unknown("benchmark", name, known.iter().map(String::as_str)))
        };
        Ok(match self {
            Hunt::Perf {
                benchmark: name,
                iterations,
                metric,
                ..
            } => Target::Timing {
                benchmark: benchmark(name)?,
                iterations: *iterations,
                metric: *metric,
            },
            Hunt::Wrong {
                benchmark: name,
                iterations,
                ..
            } => Target::Result {
                benchmark: benchmark(name)?,
                iterations: *iterations,
            },
            Hunt::Test { case, .. } => {
                let module = case
                    .strip_prefix("test.")
                    .and_then(|rest| rest.split('.').next())
                    .ok_or_else(|| {
                        wrong(anyhow!(
                            "{case} is no id of a library test; they begin with test.test_"
                        ))
                    })?;
                Target::Case {
                    module: module.to_owned(),
                    case: case.clone(),
                }
            }
        })
    }
}

/// The commits to search, the good one first. Commits that leave the watched paths as they were build the same program and are left out.
fn line(repository: &Repository, subject: &Subject, what: &What) -> Result<Vec<Commit>> {
    let good = repository.resolve(&what.good)?;
    let bad = repository.resolve(&what.bad)?;
    if let Some(revision) = &what.judge {
        let judged = repository.resolve(revision)?;
        return [good, judged, bad]
            .iter()
            .map(|sha| Ok(repository.commit(sha)?))
            .collect();
    }
    let all = repository.line_between(&good, &bad)?;
    let mut line: Vec<Commit> = Vec::new();
    let mut state = String::new();
    for commit in all {
        let next = repository.state(&commit.sha, &subject.paths)?;
        if line.is_empty() || next != state {
            state = next;
            line.push(commit);
        }
    }
    if line.len() < 2 {
        return Err(wrong(anyhow!(
            "{} and {} build the same program: nothing under {} changed between them",
            what.good,
            what.bad,
            subject.paths.join(", ")
        )));
    }
    Ok(line)
}

/// 0, 1 or 125, as `git bisect run` wants.
fn judged(verdict: &Verdict, json: bool) -> Exit {
    let (word, exit) = match verdict {
        Verdict::Found {
            first: 1, last: 1, ..
        } => ("bad", Exit::Judged(1)),
        Verdict::Found { first: 2, .. } => ("good", Exit::Judged(0)),
        _ => ("cannot tell", Exit::Judged(125)),
    };
    if json {
        println!(
            "{}",
            serde_json::json!({ "judged": word, "verdict": verdict })
        );
    } else {
        println!("{word}");
    }
    exit
}

impl Culprit {
    fn of(commit: &Commit) -> Culprit {
        Culprit {
            sha: commit.sha.clone(),
            title: commit.title.clone(),
            author: commit.author.clone(),
        }
    }

    fn text(&self) -> String {
        let sha = self.sha.get(..12).unwrap_or(&self.sha);
        format!("  {sha}  {}  ({})\n", self.title, self.author)
    }
}

impl Report {
    fn text(&self) -> String {
        let mut text = match &self.verdict {
            Verdict::Found { posterior, .. } if self.culprits.len() == 1 => {
                format!(
                    "found, with probability {posterior:.3}, and verified against the commit before it:\n"
                )
            }
            Verdict::Found { posterior, .. } => format!(
                "one of these {} commits, with probability {posterior:.3}; those before the last cannot be tried:\n",
                self.culprits.len()
            ),
            Verdict::NoDifference {
                smallest_visible: Some(size),
            } => format!(
                "no difference between the ends; from {:.1} % on it would have been seen\n",
                100.0 * size
            ),
            Verdict::NoDifference {
                smallest_visible: None,
            } => "no difference between the ends\n".into(),
            Verdict::CannotTell { reason, .. } => format!("cannot tell: {reason}\n"),
        };
        self.culprits
            .iter()
            .for_each(|culprit| text += &culprit.text());
        if !self.suspects.is_empty() {
            text += "most probable so far:\n";
            self.suspects
                .iter()
                .for_each(|culprit| text += &culprit.text());
        }
        if let Some(ratio) = self.ratio {
            text += &format!("the last commit takes {ratio:.3} times as long as the first\n");
        }
        for pass in &self.mending_passes {
            text += &format!("without the pass {pass} all is well\n");
        }
        if let Some(trace) = self.trace {
            text += &format!("trace {trace} is the first that makes it wrong\n");
        }
        text += &format!(
            "{} candidates, {} runs over {} builds\n",
            self.candidates, self.runs, self.builds
        );
        text
    }
}
