//! The real programs read what is written, unmodified.
//!
//! They are looked for in the folder `NIGHTJAR_TOOLS` names (`bin` of a virtual environment) and on `PATH`:
//!
//! ```text
//! python3 -m venv tools && tools/bin/pip install -r ci/format-tools.txt
//! NIGHTJAR_TOOLS=tools/bin cargo test -p formats
//! ```
//!
//! `ci/test` does that. A program that is not installed is said so on standard error and its part is left out.

mod tool;

use formats::{
    Measured, Process, asv, criterion as from_criterion, hyperfine, junit, openmetrics, otava,
    pyperf, rebench, table,
};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn tool(name: &str) -> Option<PathBuf> {
    tool::find(name, "that it accepts our files")
}

fn run(program: &Path, args: &[&str], folder: &Path) -> Output {
    let output = Command::new(program)
        .args(args)
        .current_dir(folder)
        .env("HOME", folder)
        .output()
        .expect("the tool starts");
    assert!(
        output.status.success(),
        "{} {args:?}: {}\n{}{}",
        program.display(),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A little noise that is the same each time.
fn noise(seed: usize) -> f64 {
    let x = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((x >> 40) as f64 / f64::from(1 << 24) - 0.5) * 0.02
}

/// `commits` of a repository, oldest first; from the index `slow_from` on everything takes 20 % longer.
fn history(commits: &[String], slow_from: usize) -> Vec<Measured> {
    let mut all = Vec::new();
    for (seq, sha) in commits.iter().enumerate() {
        for (number, mode) in ["off", "opt"].into_iter().enumerate() {
            for (which, benchmark) in ["micro/calls", "micro/loops"].into_iter().enumerate() {
                let level = 0.03 / (number + 1) as f64 * if seq >= slow_from { 1.2 } else { 1.0 };
                let processes: Vec<Process> = (0..10)
                    .map(|process| Process {
                        walls_s: (0..12)
                            .map(|i| {
                                level
                                    * (1.0
                                        + noise(
                                            seq * 1000
                                                + which * 500
                                                + number * 250
                                                + process * 20
                                                + i,
                                        ))
                            })
                            .collect(),
                        steady_from: 2,
                        started_s: 1_700_000_000 + process as i64,
                        wall_s: 0.5,
                        peak_rss_bytes: 20 << 20,
                        hash_seed: process.to_string(),
                    })
                    .collect();
                let means: Vec<f64> = processes.iter().filter_map(Process::mean_s).collect();
                let seconds = means.iter().sum::<f64>() / means.len() as f64;
                all.push(Measured {
                    benchmark: benchmark.into(),
                    subject: "vm".into(),
                    sha: Some(sha.clone()),
                    seq: seq as i64,
                    commit_time_s: 1_700_000_000 + 86_400 * seq as i64,
                    title: "a commit".into(),
                    mode: mode.into(),
                    version: "vm 1.0".into(),
                    machine: "box".into(),
                    cpu_model: "a processor".into(),
                    cores: 2,
                    memory_bytes: 1 << 34,
                    kernel: "6.1".into(),
                    run: "night".into(),
                    started_s: 1_700_100_000,
                    source_sha256: "0123456789abcdef".into(),
                    seconds,
                    interval: Some((seconds * 0.999, seconds * 1.001)),
                    processes,
                });
            }
        }
    }
    all
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{n:040x}")).collect()
}

fn one(all: &[Measured], seq: i64) -> Vec<Measured> {
    all.iter()
        .filter(|m| m.seq == seq && m.mode == "opt")
        .cloned()
        .collect()
}

#[test]
fn pyperf_checks_and_compares() {
    let Some(python) = tool("pyperf") else { return };
    let dir = tempfile::tempdir().unwrap();
    let all = history(&names(2), 1);
    for seq in [0, 1] {
        std::fs::write(
            dir.path().join(format!("{seq}.json")),
            pyperf::write(&one(&all, seq)).unwrap(),
        )
        .unwrap();
    }
    let checked = text(&run(&python, &["check", "0.json"], dir.path()));
    assert!(!checked.to_lowercase().contains("error"), "{checked}");
    let compared = text(&run(
        &python,
        &["compare_to", "0.json", "1.json", "--table"],
        dir.path(),
    ));
    assert!(
        compared.contains("micro/calls") && compared.contains("1.2"),
        "{compared}"
    );
    assert!(compared.contains("slower"), "{compared}");
}

#[test]
fn asv_publishes_and_compares() {
    let (Some(program), Some(git)) = (tool("asv"), tool("git")) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let repository = dir.path().join("repository");
    std::fs::create_dir(&repository).unwrap();
    let identity = [
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b",
        "-c",
        "commit.gpgsign=false",
    ];
    run(&git, &["init", "-q", "-b", "main", "."], &repository);
    let mut commits = Vec::new();
    for n in 0..12 {
        let message = format!("commit {n}");
        let args: Vec<&str> = identity
            .iter()
            .copied()
            .chain(["commit", "-q", "--allow-empty", "-m", &message])
            .collect();
        run(&git, &args, &repository);
        commits.push(
            text(&run(&git, &["rev-parse", "HEAD"], &repository))
                .trim()
                .to_owned(),
        );
    }
    for (path, content) in
        asv::write(&history(&commits, 6), "vm", &repository.to_string_lossy()).unwrap()
    {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    std::fs::create_dir(dir.path().join("benchmarks")).unwrap();
    run(&program, &["publish"], dir.path());
    assert!(dir.path().join("html/index.html").is_file());
    let regressions = std::fs::read_to_string(dir.path().join("html/regressions.json")).unwrap();
    assert!(regressions.contains("micro.time_calls"), "{regressions}");
    let compared = text(&run(
        &program,
        &["compare", "--machine", "box", &commits[0], &commits[11]],
        dir.path(),
    ));
    assert!(
        compared.contains("micro.time_calls('opt')") && compared.contains("1.2"),
        "{compared}"
    );
}

#[test]
fn otava_finds_the_change_in_our_csv() {
    let Some(program) = tool("otava") else { return };
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_string_lossy().into_owned();
    let commits = names(40);
    for (path, content) in otava::write(&history(&commits, 20), &folder).unwrap() {
        std::fs::write(dir.path().join(path), content).unwrap();
    }
    let args = [
        "analyze",
        "opt",
        "--config-file",
        "otava.yaml",
        "--since",
        "2020-01-01",
        "--output",
        "json",
    ];
    let output = text(&run(&program, &args, dir.path()));
    assert!(
        output.contains("micro_calls") && output.contains("\"index\": 20"),
        "{output}"
    );
}

#[test]
fn junitparser_reads_our_xml() {
    let Some(python) = tool("junitparser") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let case = |outcome: &str| junit::Case {
        mode: "opt".into(),
        module: "test_x".into(),
        id: format!("test.test_x.T.test_{outcome}"),
        outcome: outcome.into(),
        seconds: 0.5,
        message: "a <b> & \u{1}\u{1f600}".into(),
    };
    let good = junit::write("vm", &[case("pass"), case("skip")], &[("machine", "box")]);
    std::fs::write(dir.path().join("good.xml"), good).unwrap();
    run(&python, &["verify", "good.xml"], dir.path());
    let bad = junit::write("vm", &[case("pass"), case("crash")], &[]);
    std::fs::write(dir.path().join("bad.xml"), bad).unwrap();
    let verified = Command::new(&python)
        .args(["verify", "bad.xml"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert_eq!(verified.status.code(), Some(1), "{verified:?}");
    run(
        &python,
        &["merge", "good.xml", "bad.xml", "all.xml"],
        dir.path(),
    );
    let merged = std::fs::read_to_string(dir.path().join("all.xml")).unwrap();
    assert!(merged.contains("tests=\"4\""), "{merged}");
}

#[test]
fn pyperfs_own_file_is_read() {
    let (Some(program), Some(python)) = (tool("pyperf"), tool("python3")) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let python = python.to_string_lossy().into_owned();
    let args = [
        "timeit", "--python", &python, "-p", "2", "-n", "3", "-w", "1", "-l", "1000", "--name",
        "passing", "-o", "own.json", "pass",
    ];
    run(&program, &args, dir.path());
    let read =
        pyperf::read(&std::fs::read_to_string(dir.path().join("own.json")).unwrap()).unwrap();
    assert_eq!((read.len(), read[0].benchmark.as_str()), (1, "passing"));
    assert_eq!(read[0].processes.len(), 2);
    assert!(
        read[0]
            .processes
            .iter()
            .all(|p| p.values.len() == 4 && p.warmups == 1)
    );
}

#[test]
fn rebenchs_own_file_is_read() {
    let Some(program) = tool("rebench") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let conf = "default_experiment: all\ndefault_data_file: own.data\nbenchmark_suites:\n  micro:\n    gauge_adapter: Time\n    command: \" %(benchmark)s\"\n    benchmarks:\n      - \"0.01\"\nexecutors:\n  sleeper:\n    path: /bin\n    executable: sleep\nexperiments:\n  all:\n    executions:\n      - sleeper:\n          suites: [micro]\n          invocations: 2\n";
    std::fs::write(dir.path().join("r.conf"), conf).unwrap();
    run(
        &program,
        &["-D", "-R", "-df", "own.data", "r.conf"],
        dir.path(),
    );
    let read =
        rebench::read(&std::fs::read_to_string(dir.path().join("own.data")).unwrap()).unwrap();
    assert_eq!((read.len(), read[0].program.as_str()), (1, "sleeper"));
    assert!(
        read[0]
            .processes
            .iter()
            .flat_map(|p| &p.values)
            .all(|value| *value >= 0.01)
    );
}

#[test]
fn hyperfines_own_file_is_read() {
    let Some(program) = tool("hyperfine") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let args = [
        "--runs",
        "3",
        "--export-json",
        "own.json",
        "--parameter-list",
        "pause",
        "0.01,0.02",
        "sleep {pause}",
    ];
    run(&program, &args, dir.path());
    let own = std::fs::read_to_string(dir.path().join("own.json")).unwrap();
    let read = hyperfine::read(&own).unwrap();
    let names: Vec<&str> = read.iter().map(|r| r.benchmark.as_str()).collect();
    assert_eq!(names, ["sleep 0.01 pause=0.01", "sleep 0.02 pause=0.02"]);
    for (imported, least) in read.iter().zip([0.01, 0.02]) {
        assert_eq!(imported.processes.len(), 3);
        let values = imported.processes.iter().flat_map(|p| &p.values);
        // It takes the time of a shell away, which varies.
        assert!(
            values
                .clone()
                .all(|value| *value > least / 2.0 && *value < 5.0)
        );
    }
}

#[test]
fn criterions_own_file_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let pause = std::time::Duration::from_micros(200);
    criterion::Criterion::default()
        .output_directory(dir.path())
        .sample_size(10)
        .warm_up_time(std::time::Duration::from_millis(10))
        .measurement_time(std::time::Duration::from_millis(50))
        .without_plots()
        .bench_function("sleeping", |bencher| {
            bencher.iter(|| std::thread::sleep(pause))
        });
    let own = dir.path().join("sleeping/new/estimates.json");
    let read = from_criterion::read(&std::fs::read_to_string(own).unwrap(), "sleeping").unwrap();
    assert_eq!((read.len(), read[0].benchmark.as_str()), (1, "sleeping"));
    let value = read[0].processes[0].values[0];
    assert!((2e-4..0.1).contains(&value), "{value} s");
}

#[test]
fn pythons_own_readers_read_our_tables() {
    let Some(python) = tool("python3") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let mut all = history(&names(1), 9);
    let awkward = "a \"quoted\", name\nof two lines";
    all[0].benchmark = awkward.into();
    std::fs::write(dir.path().join("t.csv"), table::csv(&all)).unwrap();
    std::fs::write(dir.path().join("t.json"), table::json(&all)).unwrap();
    let script = "import csv, json\n\
        rows = list(csv.DictReader(open('t.csv', newline=''), strict=True))\n\
        items = json.load(open('t.json'))\n\
        assert len(rows) == len(items) == 4 and all(None not in row and None not in row.values() for row in rows)\n\
        assert all(float(row['seconds']) == item['seconds'] for row, item in zip(rows, items))\n\
        print(rows[0]['benchmark'], end='')";
    assert_eq!(text(&run(&python, &["-c", script], dir.path())), awkward);
}

#[test]
fn prometheus_own_parser_reads_our_openmetrics() {
    let Some(python) = tool("python3") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("m.txt"),
        openmetrics::write(&history(&names(1), 9)),
    )
    .unwrap();
    let script = "import sys\ntry:\n from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse\nexcept ImportError: print('absent'); sys.exit()\nprint(sum(len(f.samples) for f in parse(open('m.txt').read())))";
    let said = text(&run(&python, &["-c", script], dir.path()));
    if said.trim() == "absent" {
        eprintln!("note: prometheus_client is not installed; OpenMetrics is not checked here");
        return;
    }
    assert_eq!(said.trim(), "12");
}
