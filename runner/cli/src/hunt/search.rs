//! The loop: ask the policy, try the commit, store the answer, tell the policy.

use super::What;
use super::trial::{Seen, Trial};
use crate::config::Subject;
use anyhow::{Context, Result};
use bisect::failing::{self, Failing};
use bisect::timing::{self, Timing};
use bisect::{Ask, Limits, Line, Verdict};
use builds::{Commit, Repository};
use serde::{Deserialize, Serialize};
use store::bisects::{Ended, Question, Step};
use store::{CommitId, Store};

/// The stored side of a search: its row, its commits, and the answers told before it was interrupted.
pub(crate) struct Answers<'s> {
    store: &'s mut Store,
    id: i64,
    /// Rows of the positions.
    commits: Vec<CommitId>,
    shas: Vec<String>,
    told: Vec<(CommitId, String)>,
}

/// An answer as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    /// Log of the steady mean in nanoseconds.
    Value(f64),
    Pass,
    /// With the kind of failure.
    Fail(String),
    /// With the reason.
    Broken(String),
}

/// What a search came to.
pub(crate) struct Outcome {
    /// `None` when it was interrupted.
    pub(crate) verdict: Option<Verdict>,
    pub(crate) runs: usize,
    pub(crate) builds: usize,
    pub(crate) ratio: Option<f64>,
    pub(crate) ended: Place,
}

/// Where the end is to be written.
pub(crate) struct Place {
    id: i64,
    commits: Vec<CommitId>,
}

impl<'s> Answers<'s> {
    /// Begins the search or takes it up.
    pub(crate) fn open(
        store: &'s mut Store,
        kind: &'static str,
        subject: &Subject,
        trial: &Trial<'_>,
        line: &[Commit],
        repository: &Repository,
        what: &What,
    ) -> Result<Answers<'s>> {
        let row = store.subject(&store::subjects::Subject {
            name: subject.name.clone(),
            is_repository: true,
            is_baseline: false,
            location: subject.repository.display().to_string(),
        })?;
        let commits = line
            .iter()
            .map(|commit| {
                let state = repository.state(&commit.sha, &subject.paths)?;
                Ok(store.commit(row, &crate::compose::stored_commit(commit, &state))?)
            })
            .collect::<Result<Vec<CommitId>>>()?;
        let mode = subject
            .modes
            .iter()
            .find(|mode| mode.name == trial.mode())
            .context("the mode is the subject's")?;
        let mode = store.mode(
            row,
            &store::subjects::Mode {
                name: mode.name.clone(),
                args: mode.args.clone(),
                env: mode.env.clone(),
                conf: mode.conf.clone(),
                purpose: mode.purpose.as_str().into(),
            },
        )?;
        let judged = what.judge.as_ref().map(|_| line[1].sha.clone());
        let params = serde_json::json!({ "iterations": trial.iterations(), "judge": judged, "metric": trial.metric() });
        let question = Question {
            kind,
            target: trial.target().into(),
            subject: row,
            mode: Some(mode),
            good: commits[0],
            bad: commits[commits.len() - 1],
            params_json: params.to_string(),
        };
        let (id, told) = store.begin_bisect(&question)?;
        Ok(Answers {
            store,
            id,
            commits,
            shas: line.iter().map(|commit| commit.sha.clone()).collect(),
            told,
        })
    }
}

/// Either policy behind one face.
enum Policy {
    Timing(Timing),
    Failing(Failing),
}

impl Policy {
    fn next(&self) -> Ask {
        match self {
            Policy::Timing(search) => search.next(),
            Policy::Failing(search) => search.next(),
        }
    }

    fn tell(&mut self, position: usize, answer: &Answer) -> Result<()> {
        match (self, answer) {
            (Policy::Timing(search), Answer::Value(value)) => {
                search.tell(position, timing::Answer::Value(*value))?;
            }
            (Policy::Timing(search), _) => search.tell(position, timing::Answer::Broken)?,
            (Policy::Failing(search), Answer::Pass) => search.tell(position, failing::Answer::Pass),
            (Policy::Failing(search), Answer::Fail(_)) => {
                search.tell(position, failing::Answer::Fail)
            }
            (Policy::Failing(search), _) => search.tell(position, failing::Answer::Broken),
        }
        Ok(())
    }

    fn posterior(&self) -> Vec<((usize, usize), f64)> {
        match self {
            Policy::Timing(search) => search.posterior(),
            Policy::Failing(search) => search.posterior(),
        }
    }

    fn size(&self) -> (usize, usize) {
        match self {
            Policy::Timing(search) => (search.runs(), search.builds()),
            Policy::Failing(search) => (search.runs(), search.builds()),
        }
    }
}

/// Carries the search out to its end or until a signal comes.
pub(crate) fn search(
    answers: Answers<'_>,
    trial: &mut Trial<'_>,
    is_timing: bool,
) -> Result<Outcome> {
    let Answers {
        store,
        id,
        commits,
        shas,
        told,
    } = answers;
    let mut line = Line::new(shas.len());
    let built = trial.built();
    for (position, sha) in shas.iter().enumerate() {
        if built.contains(sha.as_str()) {
            line.set_cached(position);
        }
    }
    let mut policy = if is_timing {
        Policy::Timing(Timing::new(line, Limits::default(), None))
    } else {
        Policy::Failing(Failing::new(line, Limits::for_failures()))
    };
    let last = shas.len() - 1;
    // Failures of another kind than the one at the bad end are not what is looked for.
    let mut kind: Option<String> = None;
    let mut ends = (Vec::new(), Vec::new());
    let mut remember = |position: usize, answer: &Answer| {
        if let Answer::Value(value) = answer {
            if position == 0 {
                ends.0.push(*value);
            } else if position == last {
                ends.1.push(*value);
            }
        }
    };
    for (commit, json) in &told {
        let position = commits.iter().position(|known| known == commit);
        let position = position.context("a stored step is of a commit that is not on the line")?;
        let answer: Answer = serde_json::from_str(json).context("reading a stored step")?;
        if let (Answer::Fail(failure), true) = (&answer, position == last) {
            kind.get_or_insert_with(|| failure.clone());
        }
        remember(position, &answer);
        policy.tell(position, &answer)?;
    }
    if !told.is_empty() {
        eprintln!("taken up after {} runs", told.len());
    }
    let ended = Place {
        id,
        commits: commits.clone(),
    };
    let verdict = loop {
        let position = match policy.next() {
            Ask::Try(position) => position,
            Ask::Done(verdict) => break Some(verdict),
        };
        let answer = match trial.try_commit(&shas[position])? {
            Seen::Stopped => break None,
            Seen::Value(value) => Answer::Value(value),
            Seen::Well => Answer::Pass,
            Seen::Badly(failure) => {
                let first_at_bad_end = position == last && kind.is_none();
                if first_at_bad_end {
                    kind = Some(failure.clone());
                }
                match &kind {
                    Some(looked_for) if *looked_for != failure => {
                        Answer::Broken(format!("{failure} instead of {looked_for}"))
                    }
                    _ => Answer::Fail(failure),
                }
            }
            Seen::Untried(reason) => Answer::Broken(reason),
        };
        remember(position, &answer);
        policy.tell(position, &answer)?;
        let posterior = policy.posterior();
        store.bisect_step(
            id,
            &Step {
                commit: commits[position],
                verdict: match &answer {
                    Answer::Value(_) => "unsure",
                    Answer::Pass => "good",
                    Answer::Fail(_) => "bad",
                    Answer::Broken(_) => "skip",
                },
                samples_json: serde_json::to_string(&answer)?,
                posterior_json: posterior_json(&posterior, &shas)?,
            },
        )?;
        progress(&policy, trial, &shas[position], &answer, &posterior, &shas);
    };
    let (runs, builds) = policy.size();
    let ratio = (!ends.0.is_empty() && !ends.1.is_empty())
        .then(|| (stats::sample::mean(&ends.1) - stats::sample::mean(&ends.0)).exp());
    if verdict.is_none() {
        store.end_bisect(
            id,
            &Ended {
                state: "interrupted",
                ..Ended::default()
            },
        )?;
    }
    Ok(Outcome {
        verdict,
        runs,
        builds,
        ratio,
        ended,
    })
}

/// Writes the end of a search.
pub(crate) fn end(
    store: &mut Store,
    place: Place,
    verdict: &Verdict,
    pass: Option<String>,
    trace: Option<usize>,
) -> Result<()> {
    let (state, culprit, posterior) = match verdict {
        Verdict::Found {
            last, posterior, ..
        } => ("found", Some(*last), Some(*posterior)),
        Verdict::NoDifference { .. } => ("no-difference", None, None),
        Verdict::CannotTell { .. } => ("cannot-tell", None, None),
    };
    store.end_bisect(
        place.id,
        &Ended {
            state,
            culprit: culprit.map(|position| place.commits[position]),
            culprit_pass: pass,
            culprit_trace: trace.and_then(|trace| i64::try_from(trace).ok()),
            posterior,
        },
    )?;
    Ok(())
}

/// `[[sha, probability], ...]`, each range under its last commit, those below a thousandth left out.
fn posterior_json(posterior: &[((usize, usize), f64)], shas: &[String]) -> Result<String> {
    let shown: Vec<(&str, f64)> = posterior
        .iter()
        .filter(|(_, probability)| *probability >= 0.001)
        .map(|((_, last), probability)| (shas[*last].as_str(), *probability))
        .collect();
    Ok(serde_json::to_string(&shown)?)
}

fn progress(
    policy: &Policy,
    trial: &Trial<'_>,
    sha: &str,
    answer: &Answer,
    posterior: &[((usize, usize), f64)],
    shas: &[String],
) {
    let short = |sha: &str| sha.get(..12).unwrap_or(sha).to_owned();
    let said = match answer {
        Answer::Value(log) if trial.is_counting() => format!("{:.0} instructions", log.exp()),
        Answer::Value(log) => format!("{:.3} ms", log.exp() / 1e6),
        Answer::Pass => "well".into(),
        Answer::Fail(kind) => kind.clone(),
        Answer::Broken(reason) => format!("cannot be tried: {reason}"),
    };
    let best = posterior
        .iter()
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|((_, last), probability)| format!("{} with {probability:.2}", short(&shas[*last])))
        .unwrap_or_default();
    let (runs, builds) = policy.size();
    eprintln!(
        "run {runs}, {builds} builds, {}: {} {said}; most probable {best}",
        trial.now(),
        short(sha)
    );
}
