//! Real processes (shell scripts) against every limit and every way to end.

use measure::{Bytes, Nanos};
use runner_core::process::{Limits, ProcessReport, ProcessSpec, run};
use runner_core::{Flow, Outcome};
use std::time::{Duration, Instant};

fn spec(script: &str) -> ProcessSpec {
    ProcessSpec {
        program: "/bin/sh".into(),
        args: vec!["-c".into(), script.into()],
        env: [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into(),
        folder: "/".into(),
        cpu: None,
        limits: Limits {
            wall: Nanos::from_secs(10),
            rss: Bytes::mib(500),
            output: Bytes::mib(1),
        },
        iterations: 2,
        expected: Some("'42'".into()),
        stats: None,
    }
}

fn end(spec: &ProcessSpec) -> (Outcome, String, Vec<u64>) {
    let mut walls = Vec::new();
    let report = run(spec, &|| false, &mut |iteration| {
        walls.push(iteration.wall.0);
        Flow::Continue
    });
    (report.outcome, report.reason, walls)
}

const GOOD: &str = "echo sample 0 100 90; echo sample 1 101 91; echo \"result '42'\"";

#[test]
fn a_good_process_delivers_its_samples() {
    assert_eq!(
        end(&spec(GOOD)),
        (Outcome::Ok, String::new(), vec![100, 101])
    );
}

#[test]
fn samples_arrive_while_the_process_runs() {
    let started = Instant::now();
    let mut first = None;
    let script = "echo sample 0 1 1; sleep 0.4; echo sample 1 1 1; echo \"result '42'\"";
    let report = run(&spec(script), &|| false, &mut |_| {
        first.get_or_insert(started.elapsed());
        Flow::Continue
    });
    assert_eq!(report.outcome, Outcome::Ok);
    assert!(first.unwrap() < Duration::from_millis(300), "{first:?}");
    assert!(
        report.wall.secs() > 0.35 && report.wall.secs() < 2.0,
        "{}",
        report.wall
    );
}

#[test]
fn faster_and_wrong_is_wrong() {
    let (outcome, reason, _) = end(&spec(
        "echo sample 0 1 1; echo sample 1 1 1; echo \"result '41'\"",
    ));
    assert_eq!(
        (outcome, reason.as_str()),
        (Outcome::WrongOutput, "result '41', expected '42'")
    );
}

#[test]
fn the_protocol_is_held_to() {
    let cases = [
        (
            "echo sample 0 1 1; echo \"result '42'\"",
            "1 samples where 2 were due",
        ),
        ("echo sample 1 1 1", "sample 1 where 0 was due"),
        (
            "echo sample 0 1 1; echo sample 0 1 1",
            "sample 0 where 1 was due",
        ),
        ("echo sample zero", "malformed line: sample zero"),
        (
            "echo sample 0 1 1; echo sample 1 1 1; echo sample 2 1 1; sleep 5",
            "more than 2 samples",
        ),
        ("echo sample 0 1 1; echo sample 1 1 1", "no result line"),
    ];
    for (script, expected) in cases {
        let (outcome, reason, _) = end(&spec(script));
        assert_eq!(
            (outcome, reason.as_str()),
            (Outcome::Fail, expected),
            "{script}"
        );
    }
}

#[test]
fn a_last_line_without_newline_counts() {
    let script = "echo sample 0 1 1; echo sample 1 1 1; printf \"result '42'\"";
    assert_eq!(end(&spec(script)).0, Outcome::Ok);
}

#[test]
fn exit_codes_and_signals_are_told_apart() {
    let (outcome, reason, _) = end(&spec("echo oh dear >&2; echo 'ValueError: no' >&2; exit 1"));
    assert_eq!(
        (outcome, reason.as_str()),
        (Outcome::Fail, "exit code 1: ValueError: no")
    );
    let (outcome, reason, _) = end(&spec("echo sample 0 1 1; kill -SEGV $$"));
    assert_eq!((outcome, reason.as_str()), (Outcome::Crash, "SIGSEGV"));
    let (outcome, _, _) = end(&spec("echo 'unknown option --jit' >&2; exit 2"));
    assert_eq!(outcome, Outcome::Unsupported);
    let (outcome, _, _) = end(&spec("echo MemoryError >&2; exit 1"));
    assert_eq!(outcome, Outcome::OutOfMemory);
}

#[test]
fn time_is_limited_and_the_whole_group_ends() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("late");
    let mut spec = spec(&format!("(sleep 1; touch {}) & sleep 30", mark.display()));
    spec.limits.wall = Nanos(200_000_000);
    let started = Instant::now();
    let (outcome, reason, _) = end(&spec);
    assert_eq!(
        (outcome, reason.as_str()),
        (Outcome::Timeout, "no end after 200 ms")
    );
    assert!(started.elapsed() < Duration::from_secs(3));
    std::thread::sleep(Duration::from_millis(1200));
    assert!(!mark.exists(), "a child of the ended process went on");
}

#[test]
fn stragglers_of_a_good_process_end_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("late");
    let script = format!("(sleep 0.5; touch {}) & {GOOD}", mark.display());
    assert_eq!(end(&spec(&script)).0, Outcome::Ok);
    std::thread::sleep(Duration::from_millis(800));
    assert!(!mark.exists());
}

#[test]
fn memory_is_limited_by_the_resident_set() {
    // `tail` keeps a line without end in memory.
    let mut spec = spec("tail /dev/zero");
    spec.limits.rss = Bytes::mib(50);
    let (outcome, reason, _) = end(&spec);
    assert_eq!(outcome, Outcome::OutOfMemory, "{reason}");
    assert!(reason.ends_with("over the limit of 50.0 MiB"), "{reason}");
}

#[test]
fn output_is_limited() {
    let (outcome, reason, _) = end(&spec("yes"));
    assert_eq!(
        (outcome, reason.as_str()),
        (Outcome::Fail, "more than 1.00 MiB of output")
    );
}

#[test]
fn a_program_that_is_not_there_is_our_fault_not_its() {
    let mut spec = spec("");
    spec.program = "/no/such/program".into();
    let (outcome, reason, _) = end(&spec);
    assert_eq!(outcome, Outcome::Infrastructure);
    assert!(
        reason.starts_with("cannot start /no/such/program"),
        "{reason}"
    );
}

#[test]
fn stopping_ends_the_process_and_says_so() {
    let started = Instant::now();
    let stop = || started.elapsed() > Duration::from_millis(100);
    let report = run(&spec("sleep 30"), &stop, &mut |_| Flow::Continue);
    assert!(report.stopped && started.elapsed() < Duration::from_secs(3));
}

#[test]
fn nothing_of_our_environment_leaks_in() {
    let mut spec = spec(
        "echo sample 0 1 1; echo sample 1 1 1; echo result $(env | cut -d= -f1 | grep -c CARGO)",
    );
    spec.expected = Some("0".into());
    let report: ProcessReport = run(&spec, &|| false, &mut |_| Flow::Continue);
    assert_eq!(report.outcome, Outcome::Ok, "{}", report.reason);
}

#[test]
fn counters_are_read_with_nested_names_joined() {
    let dir = tempfile::tempdir().unwrap();
    let stats = dir.path().join("stats.json");
    let json = r#"{"traces": 3, "aborts": {"too_long": 1}, "name": "x", "list": [1], "on": true}"#;
    let mut spec = spec(&format!("echo '{json}' > {}; {GOOD}", stats.display()));
    spec.stats = Some(stats);
    let report = run(&spec, &|| false, &mut |_| Flow::Continue);
    let counters: Vec<_> = report.counters.into_iter().collect();
    assert_eq!(
        counters,
        [
            ("aborts.too_long".into(), 1.0),
            ("on".into(), 1.0),
            ("traces".into(), 3.0)
        ]
    );
}

#[test]
fn a_pinned_process_runs_where_it_was_told() {
    let cpu = *measure::affinity::allowed().unwrap().last().unwrap();
    let mut spec = spec(
        "echo sample 0 1 1; echo sample 1 1 1; echo result $(grep Cpus_allowed_list /proc/self/status | cut -f2)",
    );
    spec.cpu = Some(cpu);
    spec.expected = Some(cpu.to_string());
    let report = run(&spec, &|| false, &mut |_| Flow::Continue);
    assert_eq!(report.outcome, Outcome::Ok, "{}", report.reason);
}
