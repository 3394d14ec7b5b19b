//! The policies of a session, on the scripted executor.

use measure::Nanos;
use runner_core::scripted::Scripted;
use runner_core::session::{BuildOutcome, BuildReport, run};
use runner_core::{
    BenchJob, BuildJob, Event, Outcome, Plan, Progress, RunEnd, Sink, SinkError, TestJob,
};

#[derive(Default)]
struct Recorded(Vec<Event>);

impl Sink for Recorded {
    fn event(&mut self, event: &Event) -> Result<(), SinkError> {
        self.0.push(event.clone());
        Ok(())
    }
}

impl Recorded {
    fn ends(&self) -> Vec<(&str, Outcome, &str)> {
        let ends = self.0.iter().filter_map(|event| match event {
            Event::JobFinished {
                job,
                outcome,
                reason,
                ..
            } => Some((job.as_str(), *outcome, reason.as_str())),
            _ => None,
        });
        ends.collect()
    }

    fn count(&self, wanted: fn(&Event) -> bool) -> usize {
        self.0.iter().filter(|event| wanted(event)).count()
    }
}

fn plan() -> Plan {
    let builds = [
        BuildJob::new("vm", Some("aaaa")),
        BuildJob::new("vm", Some("bbbb")),
    ];
    let mut plan = Plan {
        key: "night".into(),
        ..Plan::default()
    };
    for build in &builds {
        for mode in ["off", "opt"] {
            plan.benches
                .push(BenchJob::new(build, mode, "micro/loop", 3, 4));
        }
        plan.tests.push(TestJob::new(build, "off", "test_int"));
    }
    plan.builds = builds.into();
    plan
}

fn night(executor: &mut Scripted, deadline: Option<Nanos>) -> (RunEnd, Recorded) {
    let mut seen = Recorded::default();
    let end = run(&plan(), Progress::new(), deadline, executor, &mut seen).unwrap();
    (end, seen)
}

#[test]
fn an_undisturbed_night_is_complete() {
    let (end, seen) = night(&mut Scripted::new(), None);
    assert_eq!(end, RunEnd::Complete);
    assert!(
        seen.ends()
            .iter()
            .all(|(_, outcome, _)| *outcome == Outcome::Ok)
    );
    assert_eq!(seen.ends().len(), 4);
    assert_eq!(
        seen.count(|e| matches!(e, Event::IterationFinished { .. })),
        4 * 3 * 4
    );
    assert_eq!(
        seen.count(|e| matches!(e, Event::TestModuleFinished { .. })),
        2
    );
    assert!(matches!(
        seen.0.last(),
        Some(Event::RunFinished {
            end: RunEnd::Complete
        })
    ));
}

#[test]
fn a_commit_that_does_not_build_takes_its_jobs_along_and_no_others() {
    let mut executor = Scripted::new();
    let report = BuildReport {
        outcome: BuildOutcome::Fail,
        reason: "error[E0308]".into(),
        ..BuildReport::default()
    };
    executor.builds.insert("build/vm@aaaa".into(), report);
    let (end, seen) = night(&mut executor, None);
    assert_eq!(end, RunEnd::Complete);
    let ends = seen.ends();
    let not_run: Vec<_> = ends.iter().filter(|end| end.1 == Outcome::NotRun).collect();
    assert_eq!(not_run.len(), 3);
    assert!(
        not_run
            .iter()
            .all(|(job, _, reason)| job.contains("aaaa") && *reason == "build: fail: error[E0308]")
    );
}

#[test]
fn one_bad_process_ends_its_job_and_no_other() {
    for outcome in [
        Outcome::Timeout,
        Outcome::Crash,
        Outcome::WrongOutput,
        Outcome::OutOfMemory,
        Outcome::Unsupported,
    ] {
        let mut executor = Scripted::new();
        let job = "bench/vm@bbbb/opt/micro/loop";
        executor
            .processes
            .insert((job.into(), 1), Scripted::failing(outcome, "so it was"));
        let (_, seen) = night(&mut executor, None);
        let bad: Vec<_> = seen
            .ends()
            .into_iter()
            .filter(|end| end.1 != Outcome::Ok)
            .collect();
        assert_eq!(bad, [(job, outcome, "process 1: so it was")]);
        let runs = executor.asked.iter().filter(|(key, _)| key == job).count();
        assert_eq!(runs, 2, "the third process is not worth running");
    }
}

#[test]
fn a_deadline_keeps_what_there_is() {
    // Two builds of 10 s, then processes of 0.4 s each: time for a little over one round of four.
    let (end, seen) = night(&mut Scripted::new(), Some(Nanos(22_000_000_000)));
    assert_eq!(end, RunEnd::Deadline);
    let ends = seen.ends();
    assert_eq!(ends.len(), 6, "every job has an end: {ends:?}");
    assert!(ends.iter().any(|e| e.1 == Outcome::Ok
        && e.2.starts_with("deadline: ")
        && e.2.ends_with("of 3 processes")));
    assert!(
        ends.iter()
            .any(|e| e.0.starts_with("tests/") && e.1 == Outcome::NotRun && e.2 == "deadline")
    );
}

#[test]
fn a_deadline_before_the_first_process_leaves_no_numbers() {
    let (end, seen) = night(&mut Scripted::new(), Some(Nanos(1)));
    assert_eq!(end, RunEnd::Deadline);
    assert!(
        seen.ends()
            .iter()
            .filter(|e| e.0.starts_with("bench/"))
            .all(|e| e.1 == Outcome::NotRun)
    );
}

#[test]
fn the_time_budget_of_benchmarks_leaves_the_tests_alone() {
    let mut seen = Recorded::default();
    let plan = Plan {
        bench_budget: Some(Nanos::from_secs(1)),
        ..plan()
    };
    let end = run(
        &plan,
        Progress::new(),
        None,
        &mut Scripted::new(),
        &mut seen,
    )
    .unwrap();
    assert_eq!(end, RunEnd::Complete);
    assert!(
        seen.ends()
            .iter()
            .any(|e| e.2.starts_with("time budget of the benchmarks"))
    );
    assert_eq!(
        seen.count(|e| matches!(e, Event::TestModuleFinished { .. })),
        2
    );
}

#[test]
fn a_signal_ends_the_run_without_judging_what_is_unfinished() {
    let mut executor = Scripted::new();
    executor.stop_at = Some(Nanos(21_000_000_000));
    let (end, seen) = night(&mut executor, None);
    assert_eq!(end, RunEnd::Interrupted { signal: 15 });
    assert!(seen.ends().is_empty());
}

#[test]
fn the_order_is_interleaved_and_the_hash_seed_changes() {
    let mut executor = Scripted::new();
    let (_, seen) = night(&mut executor, None);
    let order: Vec<_> = executor
        .asked
        .iter()
        .filter(|(key, _)| key.starts_with("bench/"))
        .map(|(key, _)| &key[6..])
        .collect();
    assert_eq!(order[0], order[7]);
    assert_eq!(order[3], order[4]);
    let seeds: std::collections::BTreeSet<_> = seen
        .0
        .iter()
        .filter_map(|event| match event {
            Event::ProcessStarted { hash_seed, .. } => Some(hash_seed.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(seeds.len(), 12);
}

#[test]
fn a_budget_too_short_for_all_leaves_verdicts_on_some_and_a_number_for_everything() {
    let build = BuildJob::new("vm", Some("aaaa"));
    let mut plan = Plan {
        key: "night".into(),
        // Four benchmarks in two modes with 0.2 s a process: 8 s for all. This is two rounds over all, and a benchmark and a half.
        bench_budget: Some(Nanos(5_000_000_000)),
        ..Plan::default()
    };
    for benchmark in ["m/a", "m/b", "m/c", "m/d"] {
        for mode in ["off", "opt"] {
            plan.benches
                .push(BenchJob::new(&build, mode, benchmark, 5, 2));
        }
    }
    plan.builds.push(build);
    let mut executor = Scripted::new();
    let mut seen = Recorded::default();
    run(&plan, Progress::new(), None, &mut executor, &mut seen).unwrap();
    let processes: Vec<usize> = plan
        .benches
        .iter()
        .map(|job| {
            let of_job = executor.asked.iter().filter(|(key, _)| *key == job.key);
            of_job.count()
        })
        .collect();
    assert_eq!(processes[..2], [5, 5]);
    assert_eq!(processes[4..], [2; 4]);
    assert!(seen.ends().iter().all(|end| end.1 == Outcome::Ok));
}

/// A plan of one round of four benchmarks, and each of them as a pair of five processes a side.
fn paired(budget: Option<Nanos>) -> Plan {
    let build = BuildJob::new("vm", Some("aaaa"));
    let mut plan = Plan {
        key: "night".into(),
        bench_budget: Some(Nanos::from_secs(1)),
        canary_budget: budget,
        ..Plan::default()
    };
    for benchmark in ["m/a", "m/b", "m/c", "m/d"] {
        plan.benches
            .push(BenchJob::new(&build, "opt", benchmark, 5, 2));
        for mode in ["opt-aa", "opt-ab"] {
            plan.canaries
                .push(BenchJob::new(&build, mode, benchmark, 5, 2));
        }
    }
    plan.builds.push(build);
    plan
}

#[test]
fn a_budget_ends_between_pairs_and_never_within_one() {
    // An iteration takes about 0.1 s, so a pair takes two seconds: the third is the last to begin before 4.5 s.
    let mut executor = Scripted::new();
    let mut seen = Recorded::default();
    let plan = paired(Some(Nanos(4_500_000_000)));
    let end = run(&plan, Progress::new(), None, &mut executor, &mut seen).unwrap();
    assert_eq!(end, RunEnd::Complete);
    let processes = |job: &str| {
        let of_job = executor
            .asked
            .iter()
            .filter(|(key, process)| key == job && process.is_some());
        of_job.count()
    };
    for (benchmark, expected) in [("m/a", 5), ("m/b", 5), ("m/c", 5), ("m/d", 0)] {
        for mode in ["opt-aa", "opt-ab"] {
            let key = format!("bench/vm@aaaa/{mode}/{benchmark}");
            assert_eq!(processes(&key), expected, "{key}");
        }
    }
    let not_run: Vec<_> = seen
        .ends()
        .into_iter()
        .filter(|end| end.1 == Outcome::NotRun)
        .collect();
    assert_eq!(not_run.len(), 2, "{not_run:?}");
    assert!(
        not_run
            .iter()
            .all(|(job, _, why)| job.ends_with("m/d") && *why == "time budget of the canary")
    );
    // The two sides of a pair take turns.
    let turns: Vec<&str> = executor
        .asked
        .iter()
        .filter(|(key, _)| key.contains("-a") && key.ends_with("m/a"))
        .map(|(key, _)| if key.contains("-aa") { "a" } else { "b" })
        .collect();
    assert_eq!(turns.concat(), "abbaabbaab");
}

#[test]
fn a_pair_that_was_begun_is_finished_after_a_kill_also_when_its_budget_is_spent() {
    let plan = paired(Some(Nanos(1)));
    let mut executor = Scripted::new();
    // In the first pair.
    executor.stop_at = Some(Nanos::from_secs(12));
    let mut seen = Recorded::default();
    let end = run(&plan, Progress::new(), None, &mut executor, &mut seen).unwrap();
    assert_eq!(end, RunEnd::Interrupted { signal: 15 });
    let mut progress = Progress::new();
    for event in &seen.0 {
        match event {
            Event::JobStarted { job } => progress.entry(job.clone()).or_default().started = true,
            Event::BuildFinished { job, .. } => {
                progress.entry(job.clone()).or_default().done = Some((Outcome::Ok, String::new()));
            }
            Event::JobFinished {
                job,
                outcome,
                reason,
                ..
            } => {
                progress.entry(job.clone()).or_default().done = Some((*outcome, reason.clone()));
            }
            Event::ProcessFinished {
                job,
                process,
                report,
            } => {
                let done = (report.outcome, report.reason.clone(), report.wall);
                let of_job = progress.entry(job.clone()).or_default();
                of_job.processes.insert(*process, done);
            }
            _ => {}
        }
    }
    let begun = &progress["bench/vm@aaaa/opt-aa/m/a"];
    assert!(begun.done.is_none() && !begun.processes.is_empty());
    let mut again = Recorded::default();
    let end = run(&plan, progress, None, &mut Scripted::new(), &mut again).unwrap();
    assert_eq!(end, RunEnd::Complete);
    let good: Vec<_> = again
        .ends()
        .into_iter()
        .filter(|end| end.1 == Outcome::Ok && end.0.contains("-a"))
        .map(|end| end.0.to_owned())
        .collect();
    assert_eq!(
        good,
        ["bench/vm@aaaa/opt-aa/m/a", "bench/vm@aaaa/opt-ab/m/a"]
    );
}
