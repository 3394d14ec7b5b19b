//! The life of alerts over several nights, on the scripted executor: what is found, confirmed, and mended.

use super::*;
use crate::detect::{Watched, detect};
use measure::Bytes;
use report::store::{Context, StoreSink};
use runner_core::scripted::Scripted;
use runner_core::session::{self, INSTRUCTIONS};
use runner_core::{BenchJob, BenchmarkSpec, BuildJob, ModeSpec, Plan, Progress};
use std::collections::BTreeMap;
use store::subjects::{Commit, Subject};

const BENCHMARK: &str = "micro/loop";
const MODES: [&str; 3] = ["off", "noopt", "opt"];

/// A line of commits, what the VM is like at each, and the nights over them.
struct Lab {
    _dir: tempfile::TempDir,
    data: Data,
    executor: Scripted,
    runs: u32,
}

/// The commit `n` < 10; its number is what a short id begins with.
fn sha(n: usize) -> String {
    format!("{n}{}", "e".repeat(39))
}

impl Lab {
    fn new() -> Lab {
        let dir = tempfile::tempdir().unwrap();
        let data = Data::open(dir.path()).unwrap();
        Lab {
            _dir: dir,
            data,
            executor: Scripted::new(),
            runs: 0,
        }
    }

    fn key(n: usize, mode: &str) -> String {
        BenchJob::new(&BuildJob::new("vm", Some(&sha(n))), mode, BENCHMARK, 1, 1).key
    }

    /// At commit `n` iterations in `mode` take `ms`.
    fn takes(&mut self, n: usize, mode: &str, ms: u64) {
        self.executor
            .times
            .insert(Lab::key(n, mode), Nanos(ms * 1_000_000));
    }

    /// At commit `n` every process in `mode` counts this.
    fn counts(&mut self, n: usize, mode: &str, counter: &str, value: f64) {
        let mut key = Lab::key(n, mode);
        if counter == INSTRUCTIONS {
            key = key.replacen("bench/", "count/", 1);
        }
        self.executor
            .counters
            .entry(key)
            .or_default()
            .insert(counter.into(), value);
    }

    /// Measures what is wished, as far as the wishes say it.
    fn run(&mut self, wishes: &Wishes) -> RunId {
        self.runs += 1;
        let mut plan = Plan {
            key: format!("run-{}", self.runs),
            reason: wishes.reason.clone(),
            tier: wishes.tier.clone(),
            rss_limit: Bytes::mib(1),
            ..Plan::default()
        };
        for mode in MODES {
            let spec = ModeSpec {
                name: mode.into(),
                purpose: "timing".into(),
                ..ModeSpec::default()
            };
            plan.modes.insert(format!("vm/{mode}"), spec);
        }
        let spec = BenchmarkSpec {
            suite: "micro".into(),
            name: "loop".into(),
            category: "micro".into(),
            program: "bench.py".into(),
            source_sha256: "00".into(),
            inner: 1,
            expected: "1".into(),
            limit: Nanos::from_secs(5),
        };
        plan.benchmarks.insert(BENCHMARK.into(), spec);
        for revision in &wishes.revisions {
            let build = BuildJob::new("vm", Some(revision));
            for mode in MODES
                .iter()
                .filter(|mode| wishes.modes.is_empty() || wishes.modes.iter().any(|m| m == *mode))
            {
                let processes = wishes.processes.unwrap_or(10);
                if !wishes.counts_only {
                    plan.benches
                        .push(BenchJob::new(&build, mode, BENCHMARK, processes, 20));
                }
                if wishes.counts_only || !wishes.alone {
                    let counting = BenchJob::new(&build, mode, BENCHMARK, 3, 2).counting();
                    plan.counts.push(counting);
                }
            }
            plan.builds.push(build);
        }
        let mut store = Store::open(&self.data.database()).unwrap();
        let context = self.context(&mut store);
        let mut sink = StoreSink::begin(&mut store, &plan, &context).unwrap();
        let run = sink.run();
        let end = session::run(
            &plan,
            Progress::new(),
            None,
            &mut self.executor.clone(),
            &mut sink,
        )
        .unwrap();
        assert_eq!(end, RunEnd::Complete);
        drop(sink);
        store.rebuild_points(run).unwrap();
        if wishes.reason == "nightly" {
            let subject = store.known_subject("vm").unwrap().unwrap();
            let watched = Watched::from([(subject, vec!["exits".to_owned()])]);
            detect(&mut store, run, &watched).unwrap();
        }
        store.run_finished(run, "complete", 0, "{}").unwrap();
        run
    }

    fn context(&self, store: &mut Store) -> Context {
        let this = Machine::this();
        let machine = store
            .machine(&store::machines::Machine {
                fingerprint: this.fingerprint,
                name: "host".into(),
                cpu_model: "cpu".into(),
                cores: 2,
                memory_bytes: 1,
                kernel: "k".into(),
            })
            .unwrap();
        let commits = (0..9).map(|n| {
            let commit = Commit {
                sha: sha(n),
                first_parent_sha: None,
                seq: n as i64,
                author: "a".into(),
                author_time_s: 1,
                commit_time_s: 1,
                title: format!("commit {n}"),
                state_sha256: sha(n),
            };
            ("vm".to_owned(), commit)
        });
        Context {
            machine,
            env: store.env_snapshot(machine, "ok", "[]").unwrap(),
            platform_version: "test".into(),
            started_s: i64::from(self.runs),
            subjects: vec![Subject {
                name: "vm".into(),
                is_repository: true,
                is_baseline: false,
                location: ".".into(),
            }],
            commits: commits.collect(),
            head: None,
        }
    }

    /// A night over two neighbours, with its confirmation runs.
    fn night(&mut self, low: usize) -> Confirmation {
        self.run(&Wishes {
            reason: "nightly".into(),
            tier: "quick".into(),
            revisions: vec![sha(low), sha(low + 1)],
            ..Wishes::default()
        });
        let data = self.data.clone();
        let limits = Limits {
            processes: 10,
            budget: None,
            deadline: None,
        };
        confirm_by(&data, "quick", &limits, &mut |wishes| {
            Ok(Ran {
                run: self.run(wishes),
                interrupted: None,
            })
        })
        .unwrap()
    }

    /// State, direction, metric, modes, part that moved and commit of the last entry of each alert, oldest first.
    fn alerts(&self) -> Vec<String> {
        let store = Store::open_read_only(&self.data.database()).unwrap();
        let mut alerts = store.alerts(&[]).unwrap();
        alerts.sort_by_key(|alert| alert.id);
        let text = |alert: Alert| {
            let last = alert.history.last().and_then(|entry| entry.sha.clone());
            let last = last.map_or("-".into(), |sha| sha[..1].to_owned());
            let mut modes = alert.modes;
            modes.sort();
            format!(
                "{} {} {} {} {} {last}",
                alert.state,
                alert.direction,
                alert.metric,
                modes.join("+"),
                alert.moved.unwrap_or("-".into())
            )
        };
        alerts.into_iter().map(text).collect()
    }
}

#[test]
fn what_a_later_commit_undoes_is_fixed_by_it() {
    let mut lab = Lab::new();
    for n in 3..6 {
        lab.takes(n, "opt", 115);
    }
    // Few nights, so that the series is too young to have a noise floor.
    assert_eq!(lab.night(1), Confirmation::default());
    let found = lab.night(2);
    assert_eq!((found.confirmed, found.noise), (1, 0), "{found:?}");
    let open = ["confirmed worse wall opt optimizer -"];
    assert_eq!(lab.alerts(), open);
    // Still there: nobody asks.
    assert_eq!(lab.night(3), Confirmation::default());
    assert_eq!(lab.night(4), Confirmation::default());
    let mended = lab.night(5);
    assert_eq!(
        (mended.confirmed, mended.fixed, mended.not_fixed),
        (1, 1, 0),
        "{mended:?}"
    );
    let closed = [
        "fixed worse wall opt optimizer 6",
        "confirmed better wall opt optimizer -",
    ];
    assert_eq!(lab.alerts(), closed);
    // Slow once more is another alert, and takes the improvement away.
    lab.takes(8, "opt", 115);
    lab.night(6);
    lab.night(7);
    assert_eq!(
        lab.alerts(),
        [
            closed[0],
            "fixed better wall opt optimizer 8",
            "confirmed worse wall opt optimizer -"
        ]
    );
}

#[test]
fn a_night_in_which_all_seems_faster_mends_nothing() {
    let mut lab = Lab::new();
    for n in 2..9 {
        lab.takes(n, "off", 120);
    }
    lab.night(1);
    assert_eq!(lab.alerts(), ["confirmed worse wall off interpreter -"]);
    // The machine itself is faster that night.
    lab.takes(2, "off", 100);
    lab.takes(3, "off", 100);
    lab.run(&Wishes {
        reason: "nightly".into(),
        tier: "quick".into(),
        revisions: vec![sha(3)],
        ..Wishes::default()
    });
    lab.takes(2, "off", 120);
    lab.takes(3, "off", 120);
    let data = lab.data.clone();
    let limits = Limits {
        processes: 10,
        budget: None,
        deadline: None,
    };
    let mut asked = Vec::new();
    for _ in 0..2 {
        let done = confirm_by(&data, "quick", &limits, &mut |wishes| {
            asked.push((wishes.revisions.clone(), wishes.modes.clone()));
            Ok(Ran {
                run: lab.run(wishes),
                interrupted: None,
            })
        })
        .unwrap();
        assert_eq!(done.fixed, 0, "{done:?}");
    }
    // Once for this head, the commit before the change beside it, in the mode that showed it.
    assert_eq!(asked, [(vec![sha(1), sha(3)], vec!["off".to_owned()])]);
    assert_eq!(lab.alerts(), ["confirmed worse wall off interpreter 3"]);
}

#[test]
fn counts_raise_alerts_by_their_own_threshold_and_are_counted_anew() {
    if counting::valgrind().is_err() {
        eprintln!("valgrind is not there: nothing would be counted");
        return;
    }
    let mut lab = Lab::new();
    for n in 0..9 {
        for (mode, total) in MODES.iter().zip([4e6, 2e6, 1e6]) {
            let factor = if (2..4).contains(&n) && *mode != "off" {
                1.004
            } else {
                1.0
            };
            lab.counts(n, mode, INSTRUCTIONS, total * factor);
            lab.counts(n, mode, "exits", if n >= 3 { 500.0 } else { 0.0 });
        }
    }
    let found = lab.night(1);
    assert_eq!((found.confirmed, found.noise), (1, 0), "{found:?}");
    let more = "worse instructions noopt+opt tracer-backend";
    assert_eq!(lab.alerts(), [format!("confirmed {more} -")]);
    let found = lab.night(2);
    assert_eq!((found.confirmed, found.fixed), (1, 0), "{found:?}");
    let exits = "confirmed worse counter:exits noopt+off+opt - -";
    assert_eq!(
        lab.alerts(),
        [format!("confirmed {more} -"), exits.to_owned()]
    );
    let found = lab.night(3);
    assert_eq!((found.confirmed, found.fixed), (1, 1), "{found:?}");
    assert_eq!(
        lab.alerts(),
        [
            format!("fixed {more} 4"),
            exits.to_owned(),
            "confirmed better instructions noopt+opt tracer-backend -".to_owned()
        ]
    );
}

#[test]
fn without_time_everything_waits() {
    let mut lab = Lab::new();
    lab.takes(1, "opt", 130);
    lab.run(&Wishes {
        reason: "nightly".into(),
        tier: "quick".into(),
        revisions: vec![sha(0), sha(1)],
        ..Wishes::default()
    });
    let limits = Limits {
        processes: 10,
        budget: Some(Nanos(0)),
        deadline: None,
    };
    let done = confirm_by(&lab.data, "quick", &limits, &mut |_| {
        panic!("nothing is to be run")
    })
    .unwrap();
    assert_eq!(done.waiting, 1);
    assert_eq!(waiting(&lab.data).unwrap(), 1);
    let states: BTreeMap<String, usize> = lab.alerts().into_iter().map(|a| (a, 1)).collect();
    assert!(states.contains_key("provisional worse wall opt optimizer -"));
}
