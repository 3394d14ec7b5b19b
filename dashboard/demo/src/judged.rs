//! Alerts about the steps between commits of one night, and searches for others.

use store::alerts::{NewAlert, NewChange};
use store::bisects::{Ended, Question, Step};
use store::{CommitId, Result, RunId, Store};

use crate::bench::{SLOWER, STEPS, Version};
use crate::random::Random;
use crate::{Plan, World, sha};

/// An alert for each step that a night could see: its commit and the one before were measured in one run.
pub(crate) fn alerts(
    store: &mut Store,
    world: &World,
    versions: &[Version],
    commits: &[CommitId],
    runs: &[RunId],
) -> Result<()> {
    for (n, benchmark, mode, ratio) in STEPS.into_iter().filter(|(n, ..)| n % 2 == 1) {
        let version = versions.iter().find(|v| v.name == benchmark);
        let mode_id = world.modes.iter().find(|(name, _)| name == mode);
        let (Some(version), Some((_, mode_id)), Some(&high)) =
            (version, mode_id, commits.get(n as usize))
        else {
            continue;
        };
        let slower = ratio > 1.0;
        let word = if slower { "slower" } else { "faster" };
        let alert = NewAlert {
            direction: if slower { "worse" } else { "better" },
            title: format!(
                "micro/{benchmark} {:.1} % {word} in {mode}",
                100.0 * (ratio - 1.0_f64).abs()
            ),
            metric: "wall".into(),
            run: runs[n as usize / 2],
            low: commits[n as usize - 1],
            high,
            moved: Some("optimizer"),
            counter: slower.then(|| "guard_failures".to_owned()),
            counter_ratio: slower.then_some(40.0),
            changes: vec![NewChange {
                subject: world.subject,
                benchmark: version.id,
                mode: *mode_id,
                machine: world.machine,
                p: 0.0002,
                ratio,
            }],
        };
        let id = store.add_alert(&alert)?;
        if let (Some(id), true) = (id, slower) {
            store.set_alert_state(id, "confirmed", "confirmation run", None)?;
        }
    }
    Ok(())
}

/// A search that found the commit of [`SLOWER`], one that ended with 'no difference', and one for a wrong result.
pub(crate) fn searches(
    store: &mut Store,
    world: &World,
    plan: &Plan,
    commits: &[CommitId],
) -> Result<()> {
    let opt = world
        .modes
        .iter()
        .find(|(name, _)| name == "opt")
        .map(|(_, id)| *id);
    let (first, last) = (SLOWER.0 as usize - 14, SLOWER.0 as usize + 9);
    if commits.len() <= last {
        return Ok(());
    }
    let question = |kind, target: &str| Question {
        kind,
        target: format!("{target}{}", plan.suffix),
        subject: world.subject,
        mode: opt,
        good: commits[first],
        bad: commits[last],
        params_json: "{\"iterations\":12,\"judge\":null,\"metric\":\"wall\"}".to_owned(),
    };
    let mut random = Random::new(11);
    // Ends first, then halves: what a search does, near enough to look at.
    let mut tries: Vec<usize> = (0..20)
        .map(|i| if i % 2 == 0 { first } else { last })
        .collect();
    let culprit = SLOWER.0 as usize;
    let (mut low, mut high) = (first, last);
    let (id, _) = store.begin_bisect(&question("perf", "micro/alloc"))?;
    while high - low > 1 {
        let middle = usize::midpoint(low, high);
        tries.extend([middle; 3]);
        if middle >= culprit {
            high = middle
        } else {
            low = middle
        }
    }
    let (mut low, mut high) = (first, last);
    for (n, &at) in tries.iter().enumerate() {
        let level: f64 = if at >= culprit { SLOWER.1 } else { 1.0 };
        let value = (8e6 * level).ln() + 0.012 * random.normal();
        if n > 20 && n % 3 == 1 && at > low && at < high {
            if at >= culprit { high = at } else { low = at }
        }
        let count = high - low;
        let posterior: Vec<(String, f64)> = (low + 1..=high)
            .map(|c| {
                (
                    sha(c as u32),
                    if c == culprit && count < 4 {
                        0.994
                    } else {
                        1.0 / count as f64
                    },
                )
            })
            .collect();
        step(
            store,
            id,
            commits[at],
            "unsure",
            &format!("{{\"value\":{value}}}"),
            &posterior,
        )?;
    }
    let found = Ended {
        state: "found",
        culprit: Some(commits[culprit]),
        posterior: Some(0.994),
        ..Ended::default()
    };
    store.end_bisect(id, &found)?;

    let (id, _) = store.begin_bisect(&question("perf", "micro/calls"))?;
    for n in 0..20 {
        let value = (5e6_f64).ln() + 0.01 * random.normal();
        let at = if n % 2 == 0 { first } else { last };
        step(
            store,
            id,
            commits[at],
            "unsure",
            &format!("{{\"value\":{value}}}"),
            &[],
        )?;
    }
    let none = Ended {
        state: "no-difference",
        ..Ended::default()
    };
    store.end_bisect(id, &none)?;

    let (id, _) = store.begin_bisect(&question("wrong", "micro/generators"))?;
    let crash = format!(
        "{{\"fail\":\"crash: SIGSEGV{}\"}}",
        plan.suffix.replace('"', "")
    );
    let seen = [
        (first, "good"),
        (last, "bad"),
        (first + 11, "bad"),
        (first + 5, "good"),
        (first + 8, "skip"),
        (first + 9, "good"),
        (first + 10, "bad"),
    ];
    for (n, (at, verdict)) in seen.into_iter().enumerate() {
        let answer = match verdict {
            "good" => "\"pass\"",
            "bad" => &crash,
            _ => "{\"broken\":\"does not build\"}",
        };
        let suspects: Vec<(String, f64)> = match n {
            0 | 1 => Vec::new(),
            6 => vec![(sha(first as u32 + 10), 0.999)],
            _ => (0..4)
                .map(|i| (sha((first + 7 + i) as u32), 0.25))
                .collect(),
        };
        step(store, id, commits[at], verdict, answer, &suspects)?;
    }
    let found = Ended {
        state: "found",
        culprit: Some(commits[first + 10]),
        culprit_pass: Some("heap".to_owned()),
        culprit_trace: Some(17),
        posterior: Some(0.999),
    };
    store.end_bisect(id, &found)
}

fn step(
    store: &mut Store,
    search: i64,
    commit: CommitId,
    verdict: &'static str,
    answer: &str,
    posterior: &[(String, f64)],
) -> Result<()> {
    store.bisect_step(
        search,
        &Step {
            commit,
            verdict,
            samples_json: answer.to_owned(),
            posterior_json: serde_json::json!(posterior).to_string(),
        },
    )
}
