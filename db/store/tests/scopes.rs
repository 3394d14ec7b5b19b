//! Pages of one subject show what that subject was measured on, and nothing of another's.

use dashboard_api::Source;
use std::collections::BTreeMap;
use std::path::Path;
use store::benchmarks::Benchmark;
use store::builds::Build;
use store::machines::Machine;
use store::runs::{NewJob, NewRun};
use store::subjects::{Commit, Mode, Subject};
use store::{MachineId, Store};

fn machine(store: &mut Store, name: &str) -> MachineId {
    let machine = Machine {
        fingerprint: name.into(),
        name: name.into(),
        cpu_model: "c".into(),
        cores: 2,
        memory_bytes: 1,
        kernel: "k".into(),
    };
    store.machine(&machine).unwrap()
}

/// One run on `machine` in which `subject` is planned on `benchmarks`; nothing is carried out.
fn planned(store: &mut Store, machine: MachineId, subject: &str, benchmarks: &[(&str, &str)]) {
    let env = store.env_snapshot(machine, "ok", "[]").unwrap();
    let key = format!("{subject} on {}", machine.0);
    let subject_row = Subject {
        name: subject.into(),
        is_repository: true,
        is_baseline: false,
        location: ".".into(),
    };
    let subject = store.subject(&subject_row).unwrap();
    let commit = Commit {
        sha: "a".repeat(40),
        first_parent_sha: None,
        seq: 0,
        author: "a".into(),
        author_time_s: 0,
        commit_time_s: 0,
        title: "t".into(),
        state_sha256: "s".into(),
    };
    let commit = store.commit(subject, &commit).unwrap();
    let mode = Mode {
        name: "opt".into(),
        args: Vec::new(),
        env: BTreeMap::new(),
        conf: String::new(),
        purpose: "timing".into(),
    };
    let mode = store.mode(subject, &mode).unwrap();
    let build = Build {
        outcome: "ok".into(),
        ..Build::default()
    };
    let build = store.build(subject, Some(commit), machine, &build).unwrap();
    let jobs: Vec<NewJob> = benchmarks
        .iter()
        .map(|(suite, name)| {
            let benchmark = Benchmark {
                suite: (*suite).into(),
                name: (*name).into(),
                category: (*suite).into(),
                source_sha256: "s".into(),
                inner: 1,
                expected_result: "1".into(),
                limit_ns: 1,
            };
            NewJob {
                key: format!("bench/{suite}/{name}"),
                kind: "bench",
                subject,
                commit: Some(commit),
                build: Some(build),
                mode: Some(mode),
                benchmark: Some(store.benchmark_version(&benchmark).unwrap()),
                test_module: None,
                planned_processes: 2,
                planned_iterations: 3,
            }
        })
        .collect();
    let run = NewRun {
        key,
        reason: "nightly".into(),
        tier: "quick".into(),
        machine,
        env,
        head: Some(commit),
        platform_version: "test".into(),
        plan_json: "{}".into(),
        started_s: 1,
    };
    store.begin_run(&run, &jobs).unwrap();
}

#[test]
fn a_subject_lists_the_benchmarks_it_has_jobs_for_on_the_machine() {
    let mut store = Store::open(Path::new(":memory:")).unwrap();
    let (one, other) = (machine(&mut store, "one"), machine(&mut store, "other"));
    planned(
        &mut store,
        one,
        "vm",
        &[("micro", "loop"), ("macro", "web")],
    );
    planned(&mut store, one, "parts", &[("part", "alloc")]);
    planned(&mut store, other, "vm", &[("micro", "loop")]);
    let found: BTreeMap<String, Vec<String>> = store
        .scopes()
        .unwrap()
        .into_iter()
        .map(|scope| {
            let names = store.benchmarks(&scope).unwrap();
            (
                format!("{} on {}", scope.subject, scope.machine),
                names.into_iter().map(|b| b.name).collect(),
            )
        })
        .collect();
    let expected = [
        ("vm on one", vec!["loop", "web"]),
        ("parts on one", vec!["alloc"]),
        ("vm on other", vec!["loop"]),
    ];
    let expected = expected.map(|(scope, names)| {
        (
            scope.to_owned(),
            names.into_iter().map(str::to_owned).collect(),
        )
    });
    assert_eq!(found, BTreeMap::from(expected));
}
