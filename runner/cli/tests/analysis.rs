//! Searching, comparing and exchanging through the real program: a small repository whose VM is a script around CPython.
//!
//! Without CPython 3.11 on the machine these tests say so and pass: there is nothing to run.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PYTHON: &str = "/usr/bin/python3.11";

struct Lab {
    dir: tempfile::TempDir,
    git: git2::Repository,
    shas: Vec<String>,
}

/// What a commit does to the VM.
#[derive(Clone, Copy, PartialEq)]
enum Vm {
    Good,
    /// A debugging allocator: everything that makes objects takes much longer.
    Slow,
    Crashing,
    /// Crashes now and then.
    Flaky,
    Broken,
}

impl Lab {
    fn new(commits: &[Vm]) -> Option<Lab> {
        if !Path::new(PYTHON).exists() {
            eprintln!("{PYTHON} is not there: nothing to run");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let git = git2::Repository::init(dir.path().join("project")).unwrap();
        let mut lab = Lab {
            dir,
            git,
            shas: Vec::new(),
        };
        lab.write(
            "suite/micro/sum/bench.py",
            "def run(inner):\n    return sum([i * i for i in range(inner)])\n",
        );
        lab.write(
            "suite/micro/sum/bench.toml",
            "name = \"sum\"\ncategory = \"micro\"\ninner = 20000\nexpected = \"2666466670000\"\ntime_limit_s = 20\n",
        );
        let harness = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench-suite/harness.py");
        lab.write("suite/harness.py", &fs::read_to_string(harness).unwrap());
        lab.write("nightjar.toml", CONFIG);
        for (number, vm) in commits.iter().enumerate() {
            lab.commit(number, *vm);
        }
        Some(lab)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn commit(&mut self, number: usize, vm: Vm) {
        let body = match vm {
            Vm::Good => "",
            Vm::Slow => "export PYTHONMALLOC=debug\n",
            Vm::Crashing => "[ \"$nopass\" = 1 ] || [ \"$traces\" -lt 3 ] || kill -SEGV $$\n",
            Vm::Flaky => "[ $(( $$ % 2 )) = 0 ] && kill -SEGV $$\n",
            Vm::Broken => "broken\n",
        };
        let text = format!(
            "#!/bin/sh\n# commit {number}\ntraces=9\nwhile :; do case \"$1\" in\n--version) echo vm {number}; exit 0;;\n\
             --nopass=second) nopass=1; shift;;\n--nopass=*) shift;;\n--traces=*) traces=${{1#--traces=}}; shift;;\n*) break;;\nesac; done\n\
             {body}exec {PYTHON} \"$@\"\n"
        );
        self.write("project/vm.sh", &text);
        let mut index = self.git.index().unwrap();
        index.add_path(Path::new("vm.sh")).unwrap();
        let tree = self.git.find_tree(index.write_tree().unwrap()).unwrap();
        let who = git2::Signature::now("A", "a@example.org").unwrap();
        let parent = self
            .git
            .head()
            .ok()
            .map(|head| head.peel_to_commit().unwrap());
        let id = self
            .git
            .commit(
                Some("HEAD"),
                &who,
                &who,
                &format!("commit {number}"),
                &tree,
                &parent.iter().collect::<Vec<_>>(),
            )
            .unwrap();
        drop(parent);
        drop(tree);
        self.shas.push(id.to_string());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_nightjar"))
            .args(args)
            .arg("--data")
            .arg(self.path("data"))
            .arg("--config")
            .arg(self.path("nightjar.toml"))
            .output()
            .unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = self.run(&[args, &["--json"]].concat());
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{args:?}: {error}: {output:?}"))
    }
}

const CONFIG: &str = r#"
[suite]
folder = "suite"
harness = "suite/harness.py"

[cache]
limit_gib = 1
free_space_gib = 0

[[subject]]
name = "vm"
repository = "project"
build = "grep -q broken vm.sh && exit 1; mkdir -p \"$NIGHTJAR_TARGET\" && cp vm.sh \"$NIGHTJAR_TARGET/vm\" && chmod +x \"$NIGHTJAR_TARGET/vm\""
binary = "{target}/vm"
version = ["--version"]

[subject.axes]
passes = ["first", "second"]
without_pass = "--nopass={pass}"
traces = "--traces={n}"

[[subject.mode]]
name = "opt"

[[baseline]]
name = "cpython"
candidates = ["/usr/bin/python3.11"]

[tier.quick]
canary = { benchmarks = 1 }
revisions = 2
processes = 5
iterations = 10

[tier.short]
canary = { budget_s = 60 }
revisions = 1
processes = 5
iterations = 4
bench_budget_per_commit_s = 0

[tier.sure]
revisions = 2
processes = 6
iterations = 10
confirm = { processes = 6, budget_s = 60 }

[tier.counted]
revisions = 2
processes = 1
iterations = 2
count = { processes = 2, iterations = 1, budget_s = 300 }
"#;

#[test]
fn a_crash_is_followed_to_commit_pass_and_trace_past_commits_that_do_not_build() {
    let mut commits = vec![Vm::Good; 9];
    commits.extend([Vm::Broken, Vm::Broken]);
    commits.extend([
        Vm::Good,
        Vm::Crashing,
        Vm::Crashing,
        Vm::Crashing,
        Vm::Crashing,
    ]);
    let Some(lab) = Lab::new(&commits) else {
        return;
    };
    let (good, bad) = (&lab.shas[0], &lab.shas[15]);
    let hunt = [
        "bisect",
        "wrong",
        "--benchmark",
        "sum",
        "--mode",
        "opt",
        "--iterations",
        "1",
        "--good",
        good,
        "--bad",
        bad,
    ];
    let report = lab.json(&hunt);
    assert_eq!(report["verdict"], "found", "{report}");
    assert_eq!(report["culprits"][0]["sha"], *lab.shas[12], "{report}");
    assert_eq!(report["culprits"].as_array().unwrap().len(), 1);
    assert_eq!(report["mending_passes"], serde_json::json!(["second"]));
    assert_eq!(report["trace"], 3);
    // As the command of `git bisect run`: good, bad, does not build.
    for (position, code) in [(5, 0), (13, 1), (9, 125)] {
        let output = lab.run(&[&hunt[..], &["--judge", &lab.shas[position]]].concat());
        assert_eq!(output.status.code(), Some(code), "{position}: {output:?}");
    }
}

#[test]
fn a_flaky_crash_is_found_and_two_good_ends_show_no_difference() {
    let mut commits = vec![Vm::Good; 5];
    commits.extend([Vm::Flaky; 4]);
    let Some(lab) = Lab::new(&commits) else {
        return;
    };
    let hunt = |bad: usize| {
        let args = [
            "bisect",
            "wrong",
            "--benchmark",
            "sum",
            "--mode",
            "opt",
            "--iterations",
            "1",
            "--good",
            &lab.shas[0],
            "--bad",
            &lab.shas[bad],
        ];
        lab.json(&args)
    };
    assert_eq!(hunt(4)["verdict"], "no-difference");
    let report = hunt(8);
    // Processes have whatever number the system gives them, so the rate is about a half, and the answer nearly certain.
    if report["verdict"] == "found" {
        assert_eq!(report["culprits"][0]["sha"], *lab.shas[5], "{report}");
    } else {
        assert_eq!(report["verdict"], "cannot-tell", "{report}");
    }
}

#[test]
fn a_slow_commit_is_found_and_never_another_one() {
    let mut commits = vec![Vm::Good; 10];
    commits.extend([Vm::Slow; 7]);
    let Some(lab) = Lab::new(&commits) else {
        return;
    };
    let hunt = [
        "bisect",
        "perf",
        "--benchmark",
        "sum",
        "--mode",
        "opt",
        "--metric",
        "cpu",
        "--good",
        &lab.shas[0],
        "--bad",
        "HEAD",
    ];
    let report = lab.json(&hunt);
    match report["verdict"].as_str().unwrap() {
        "found" => {
            assert_eq!(report["culprits"][0]["sha"], *lab.shas[10], "{report}");
            assert!(report["ratio"].as_f64().unwrap() > 1.01, "{report}");
        }
        // On a machine busy with other things there may be no answer, but not a wrong one.
        other => assert!(
            ["cannot-tell", "no-difference"].contains(&other),
            "{report}"
        ),
    }
}

#[test]
fn a_night_too_short_for_any_other_verdict_has_one_on_itself() {
    let Some(lab) = Lab::new(&[Vm::Good]) else {
        return;
    };
    let night = lab.run(&["nightly", "--no-tests", "--tier", "short"]);
    assert_eq!(night.status.code(), Some(0), "{night:?}");
    let said = String::from_utf8_lossy(&night.stdout);
    assert!(
        said.contains("of 1 benchmarks flagged between two measurements of one build"),
        "{said}"
    );
    let summary = &lab.json(&["status"])["last"];
    assert_eq!(summary["canary"]["of"], 1, "{summary}");
    assert_eq!(summary["jobs"]["bench"]["ok"], 2, "{summary}");
    let status = fs::read_to_string(lab.path("data/site/status/index.html")).unwrap();
    assert!(status.contains("False alarms by benchmark") && status.contains("micro/sum"));
}

#[test]
fn a_night_is_compared_exported_and_taken_back_in() {
    let Some(lab) = Lab::new(&[Vm::Good, Vm::Slow]) else {
        return;
    };
    let night = lab.run(&["nightly", "--no-tests"]);
    assert!(
        night.status.code().is_some_and(|code| code < 6),
        "{night:?}"
    );
    let summary = lab.json(&["status"]);
    let canary = &summary["last"]["canary"];
    assert_eq!((&canary["of"], &canary["planned"]), (&1.into(), &1.into()));
    assert_eq!(canary["pairs"][0]["benchmark"], "micro/sum", "{summary}");
    let comparison = lab.json(&["compare", "HEAD~1", "HEAD", "--mode", "opt"]);
    let row = &comparison["rows"][0];
    assert_eq!(
        (row["benchmark"].as_str(), row["same_run"].as_bool()),
        (Some("micro/sum"), Some(true))
    );
    assert!(
        row["judgement"]["welch"]["ratio"].as_f64().unwrap() > 1.0,
        "{comparison}"
    );
    assert_eq!(comparison["geomeans"]["opt"]["count"], 1);
    let baseline = lab.json(&["compare", "cpython", "HEAD:opt"]);
    assert_eq!(baseline["rows"].as_array().unwrap().len(), 1, "{baseline}");
    // What is named and not there is the caller's mistake, and said with what is there.
    for (wrong, said) in [
        (
            &["compare", "HEAD", "nowhere"][..],
            "has no revision nowhere",
        ),
        (
            &["compare", "HEAD", "HEAD:fast"],
            "no mode called fast; there are: opt",
        ),
        (
            &["run", "--benchmark", "none"],
            "no benchmark called none; there are: sum",
        ),
        (
            &["run", "--subject", "none"],
            "no subject called none; there are: vm",
        ),
        (
            &["ablate", "--pass", "none"],
            "no pass called none; there are: first, second",
        ),
        (
            &["export", "csv", "--out", "-", "--benchmark", "none"],
            "no benchmark called none; there are: micro/sum",
        ),
        (
            &["export", "csv", "--out", "-", "--mode", "none"],
            "no mode called none; there are: ",
        ),
    ] {
        let output = lab.run(wrong);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {text}");
        assert!(text.contains(said), "{wrong:?}: {text}");
    }
    // To `git bisect run` any code from 1 to 127 but 125 is a bad commit.
    for (revision, benchmark) in [("nowhere", "sum"), ("HEAD", "none"), ("HEAD", "--nonsense")] {
        let words = [
            "bisect", "wrong", "--mode", "opt", "--good", "HEAD~1", "--bad", "HEAD",
        ];
        let output =
            lab.run(&[&words[..], &["--benchmark", benchmark, "--judge", revision]].concat());
        assert_eq!(output.status.code(), Some(128), "{output:?}");
    }

    let out = |name: &str| lab.path(name).to_string_lossy().into_owned();
    for format in [
        "pyperf",
        "bmf",
        "gha",
        "openmetrics",
        "csv",
        "json",
        "asv",
        "otava",
    ] {
        let output = lab.run(&["export", format, "--out", &out(format)]);
        assert!(output.status.success(), "{format}: {output:?}");
        assert!(lab.path(format).exists());
    }
    let first = lab.json(&["import", "pyperf", &out("pyperf"), "--name", "elsewhere"]);
    assert_eq!(
        (first["new"].as_bool(), first["processes"].as_u64()),
        (Some(true), Some(5)),
        "{first}"
    );
    let again = lab.json(&["import", "pyperf", &out("pyperf"), "--name", "elsewhere"]);
    assert_eq!(again["new"], false);
    assert!(lab.run(&["db", "check"]).status.success());
    let alerts = lab.json(&["alerts", "list", "--all"]);
    for alert in alerts.as_array().unwrap() {
        assert_eq!(alert["direction"], "worse", "{alerts}");
        assert_eq!(
            (&alert["low"], &alert["high"]),
            (&Value::from(&*lab.shas[0]), &Value::from(&*lab.shas[1]))
        );
    }
}

#[test]
fn a_night_runs_both_sides_of_what_it_found_anew() {
    let Some(lab) = Lab::new(&[Vm::Good, Vm::Slow]) else {
        return;
    };
    let night = lab.json(&["nightly", "--no-tests", "--tier", "sure"]);
    let alerts = lab.json(&["alerts", "list", "--all"]);
    let alerts = alerts.as_array().unwrap();
    if alerts.is_empty() {
        // A machine busy with other things may hide even this step, but then there is nothing to confirm.
        assert!(night.get("confirmation").is_none(), "{night}");
        return;
    }
    let confirmation = &night["confirmation"];
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    let state = alerts[0]["state"].as_str().unwrap();
    assert!(["confirmed", "noise"].contains(&state), "{alerts:?}");
    assert_eq!(confirmation[state], 1, "{night}");
    let code = if state == "confirmed" { 4 } else { 0 };
    assert_eq!(night["exit_code"], code, "{night}");
    // The confirmation measured the two commits alone, and the pages go on showing the night, with its baseline.
    let conn = rusqlite::Connection::open(lab.path("data/nightjar.db")).unwrap();
    let jobs: Vec<String> = conn
        .prepare("SELECT run.reason || ' ' || job.kind || ' ' || count(*) FROM job JOIN run ON run.id = run_id GROUP BY run_id, kind")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        jobs,
        [
            "nightly bench 3",
            "nightly build 3",
            "confirm bench 2",
            "confirm build 2"
        ]
    );
    let page = fs::read_to_string(lab.path("data/site/index.html")).unwrap();
    assert!(!page.contains("Geometric mean of 0"), "{page}");
    // Settled alerts are not run again.
    let again = lab.run(&["alerts", "confirm"]);
    assert!(
        String::from_utf8_lossy(&again.stderr).contains("0 confirmed, 0 noise"),
        "{again:?}"
    );
}

#[test]
fn instructions_are_counted_and_compared_by_a_threshold_of_their_own() {
    let Some(lab) = Lab::new(&[Vm::Good, Vm::Good]) else {
        return;
    };
    if !Path::new("/usr/bin/valgrind").exists() {
        eprintln!("valgrind is not there: nothing to count with");
        return;
    }
    // What valgrind starts must not start another program.
    let config = CONFIG.replace("cp vm.sh", &format!("cp {PYTHON}"));
    lab.write("nightjar.toml", &config);
    let night = lab.json(&["nightly", "--no-tests", "--tier", "counted"]);
    assert_eq!(night["summary"]["jobs"]["count"]["ok"], 2, "{night}");
    let args = ["compare", "HEAD~1", "HEAD", "--metric", "instructions"];
    let comparison = lab.json(&args);
    let row = &comparison["rows"][0];
    assert_eq!(row["judgement"]["verdict"], "no-change", "{comparison}");
    let ratio = row["ratio"].as_f64().unwrap();
    assert!((ratio - 1.0).abs() < 0.005, "{comparison}");
    // Nothing else of a counted process is a result.
    let conn = rusqlite::Connection::open(lab.path("data/nightjar.db")).unwrap();
    let metrics: String = conn
        .query_row(
            "SELECT group_concat(DISTINCT metric.name) FROM point JOIN job ON job.id = point.job_id JOIN series ON series.id = series_id \
             JOIN metric ON metric.id = metric_id WHERE job.kind = 'count'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(metrics, "instructions");
    let page = fs::read_to_string(lab.path("data/site/benchmarks/sum.html")).unwrap();
    assert!(
        page.contains("Instructions"),
        "the page of the benchmark shows them"
    );
}

#[test]
fn simulated_figures_are_printed_and_unknown_groups_are_wrong_usage() {
    let output = Command::new(env!("CARGO_BIN_EXE_nightjar"))
        .args(["simulate", "changes", "--trials", "40", "--json"])
        .output()
        .unwrap();
    let figures: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        figures
            .as_array()
            .unwrap()
            .iter()
            .all(|figure| figure["group"] == "changes")
    );
    let unknown = Command::new(env!("CARGO_BIN_EXE_nightjar"))
        .args(["simulate", "nonsense"])
        .output()
        .unwrap();
    assert_eq!(unknown.status.code(), Some(2));
}
