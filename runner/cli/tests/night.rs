//! Whole nights through the real program: a small repository whose VM is a script around CPython.
//!
//! Without CPython 3.11 on the machine these tests say so and pass: there is nothing to run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const PYTHON: &str = "/usr/bin/python3.11";

/// Drops the flags that CPython does not know, says which commit it is, and runs; crashes when its configuration file says
/// `crash`.
fn vm(says: &str) -> String {
    format!(
        r#"#!/bin/sh
# {says}
conf=$(cat "$(dirname "$0")/vm.conf" 2>/dev/null)
case "$1" in --version) echo "vm {says}"; exit 0;; --mode=*) shift;; esac
case "$1" in --stats=*) echo '{{"traces": 7, "aborts": {{"too_long": 1}}}}' > "${{1#--stats=}}"; shift;; esac
[ "$conf" = crash ] && kill -SEGV $$
exec {PYTHON} "$@"
"#
    )
}

struct Lab {
    dir: tempfile::TempDir,
    git: git2::Repository,
}

impl Lab {
    /// A repository with a VM at two commits and one that does not build between them, one benchmark, one baseline.
    fn new() -> Option<Lab> {
        if !Path::new(PYTHON).exists() {
            eprintln!("{PYTHON} is not there: nothing to run");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let git = git2::Repository::init(dir.path().join("project")).unwrap();
        let lab = Lab { dir, git };
        lab.write(
            "suite/micro/sum/bench.py",
            "def run(inner):\n    return sum(i * i for i in range(inner))\n",
        );
        lab.write(
            "suite/micro/sum/bench.toml",
            "name = \"sum\"\ncategory = \"micro\"\ninner = 1000\nexpected = \"332833500\"\ntime_limit_s = 20\n",
        );
        let harness = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench-suite/harness.py");
        lab.write("suite/harness.py", &fs::read_to_string(harness).unwrap());
        lab.write("python/test/__init__.py", "");
        lab.write(
            "python/test/support/__init__.py",
            "use_resources = None\nverbose = 0\n",
        );
        lab.write("nightjar.toml", &CONFIG.replace("PYTHON", PYTHON));
        lab.commit("vm.sh", &vm("one"));
        lab.commit("vm.sh", "broken\n");
        lab.commit("vm.sh", &vm("three"));
        Some(lab)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn commit(&self, name: &str, text: &str) {
        self.write(&format!("project/{name}"), text);
        let mut index = self.git.index().unwrap();
        index.add_path(Path::new(name)).unwrap();
        let tree = self.git.find_tree(index.write_tree().unwrap()).unwrap();
        let who = git2::Signature::now("A", "a@example.org").unwrap();
        let parent = self
            .git
            .head()
            .ok()
            .map(|head| head.peel_to_commit().unwrap());
        self.git
            .commit(
                Some("HEAD"),
                &who,
                &who,
                text.lines().nth(1).unwrap_or("?"),
                &tree,
                &parent.iter().collect::<Vec<_>>(),
            )
            .unwrap();
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nightjar"));
        command
            .args(args)
            .arg("--data")
            .arg(self.data())
            .arg("--config")
            .arg(self.dir.path().join("nightjar.toml"));
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn rows(&self, sql: &str) -> Vec<String> {
        let conn = rusqlite::Connection::open(self.data().join("nightjar.db")).unwrap();
        let mut query = conn.prepare(sql).unwrap();
        let columns = query.column_count();
        let rows = query.query_map([], |row| {
            let cell = |i| match row.get_ref(i).unwrap() {
                rusqlite::types::ValueRef::Null => "-".to_owned(),
                rusqlite::types::ValueRef::Integer(n) => n.to_string(),
                rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                other => format!("{other:?}"),
            };
            Ok((0..columns).map(cell).collect::<Vec<_>>().join(" "))
        });
        rows.unwrap().map(Result::unwrap).collect()
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
build = "grep -q exec vm.sh || { echo 'error: no exec in it' >&2; exit 1; }; cp vm.sh $NIGHTJAR_TARGET/vm; chmod +x $NIGHTJAR_TARGET/vm"
binary = "{target}/vm"
version = ["--version"]
conf = "vm.conf"
stats = "--stats={file}"
[[subject.mode]]
name = "off"
args = ["--mode=off"]
conf = "off"
[[subject.mode]]
name = "opt"
args = ["--mode=opt"]
conf = "opt"
[[baseline]]
name = "cpython"
candidates = ["PYTHON"]
[[baseline]]
name = "absent"
candidates = ["no-such-program"]
[tests]
reference = "cpython"
root = "python"
[tier.quick]
revisions = 3
processes = 2
iterations = 3
[tier.long]
revisions = 1
processes = 40
iterations = 2
"#;

const CELLS: &str = "SELECT job.key, job.outcome, job.reason FROM job ORDER BY ordinal";

fn text(output: &Output) -> String {
    format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn a_night_measures_commits_modes_and_baselines_and_says_what_is_missing() {
    let Some(lab) = Lab::new() else { return };
    let output = lab.run(&["nightly"]);
    let text = text(&output);
    assert!(
        text.contains("baseline absent: not on this machine"),
        "{text}"
    );
    assert!(text.contains("not ok    build/vm@"), "{text}");
    let outcomes = lab.rows("SELECT kind, outcome, count(*) FROM job GROUP BY 1, 2 ORDER BY 1, 2");
    assert_eq!(
        outcomes,
        [
            "bench not-run 2",
            "bench ok 5",
            "build fail 1",
            "build ok 3"
        ],
        "{text}"
    );
    let reasons = lab.rows("SELECT DISTINCT reason FROM job WHERE outcome = 'not-run'");
    assert_eq!(reasons, ["build: fail: exit code 1: error: no exec in it"]);
    let log =
        lab.rows("SELECT CAST(content AS TEXT) FROM build JOIN artifact ON sha256 = log_sha256");
    assert_eq!(log, ["error: no exec in it\n"]);
    let versions = lab.rows("SELECT version FROM build WHERE outcome = 'ok' ORDER BY version");
    assert_eq!(versions[1..], ["vm one", "vm three"]);
    let samples = lab.rows("SELECT count(*), min(n), max(n) FROM sample WHERE metric_id = 1");
    assert_eq!(samples, ["10 3 3"]);
    let counters = lab.rows("SELECT DISTINCT name, CAST(value AS INTEGER) FROM counter ORDER BY 1");
    assert_eq!(counters, ["aborts.too_long 1", "traces 7"]);
    assert_eq!(
        lab.rows("SELECT count(DISTINCT hash_seed), count(DISTINCT position) FROM process"),
        ["10 10"]
    );
    assert!(
        text.contains("speed     vm ")
            && text.contains("x cpython (geometric mean of 1 of 1 benchmarks)")
            && text.contains("x cpython, first calls (geometric mean of 1 of 1 benchmarks)"),
        "{text}"
    );
    assert!(String::from_utf8_lossy(&lab.run(&["db", "check"]).stdout).ends_with(": sound\n"));
    let junit = lab.rows("SELECT key FROM run");
    let junit =
        fs::read_to_string(lab.data().join("runs").join(&junit[0]).join("junit.xml")).unwrap();
    assert!(
        junit.contains("<failure type=\"fail\" message=\"exit code 1: error: no exec in it\">"),
        "{junit}"
    );

    // The next night after one new commit: that one, the one before it, nothing twice.
    lab.commit("vm.sh", &vm("four"));
    lab.run(&["nightly"]);
    let second =
        "SELECT kind, outcome, count(*) FROM job WHERE run_id = 2 GROUP BY 1, 2 ORDER BY 1, 2";
    // Chosen are the new head, the one before it and the broken one, which is known to be broken.
    assert_eq!(lab.rows(second), ["bench ok 5", "build ok 3"]);
    let status = lab.run(&["status"]);
    assert_eq!(
        String::from_utf8_lossy(&status.stdout)
            .lines()
            .filter(|line| line.contains(" head "))
            .count(),
        2
    );
}

/// The benchmark looks where its interpreter would: the module is compiled already, and it may not write there itself.
#[test]
fn measured_processes_read_modules_that_another_one_compiled() {
    let Some(lab) = Lab::new() else { return };
    lab.write(
        "suite/micro/cached/bench.py",
        "import importlib.util, json, os, sys\n\n\ndef run(inner):\n    \
         made = importlib.util.cache_from_source(json.__file__)\n    \
         return sys.dont_write_bytecode, os.path.exists(made)\n",
    );
    lab.write(
        "suite/micro/cached/bench.toml",
        "name = \"cached\"\ncategory = \"micro\"\ninner = 1\nexpected = \"(True, True)\"\ntime_limit_s = 20\n",
    );
    let output = lab.run(&["run", "--last", "1", "--benchmark", "cached"]);
    assert_eq!(
        lab.rows("SELECT outcome, reason, count(*) FROM job WHERE kind = 'bench' GROUP BY 1, 2"),
        ["ok  3"],
        "{}",
        text(&output)
    );
    let sides = fs::read_dir(lab.data().join("pycache")).unwrap();
    assert_eq!(sides.count(), 2, "one for the commit, one for the baseline");
}

#[test]
fn a_head_that_crashes_is_exit_code_7_and_never_a_number() {
    let Some(lab) = Lab::new() else { return };
    lab.commit(
        "vm.sh",
        &vm("crashing").replace("[ \"$conf\" = crash ]", "[ \"$conf\" = opt ]"),
    );
    let output = lab.run(&["nightly", "--last", "1"]);
    assert_eq!(output.status.code(), Some(7), "{}", text(&output));
    let cells = lab.rows(CELLS);
    assert!(
        cells
            .iter()
            .any(|row| row.contains("/opt/micro/sum crash process 0: SIGSEGV")),
        "{cells:#?}"
    );
    let points = lab.rows(
        "SELECT DISTINCT subject.name, mode.name FROM point JOIN series ON series.id = series_id \
         JOIN subject ON subject.id = series.subject_id JOIN mode ON mode.id = mode_id ORDER BY 1, 2",
    );
    assert_eq!(points, ["cpython default", "vm off"]);
}

/// Lines in the event logs of all runs.
fn events(lab: &Lab) -> usize {
    let Ok(runs) = fs::read_dir(lab.data().join("runs")) else {
        return 0;
    };
    runs.filter_map(|run| fs::read_to_string(run.ok()?.path().join("events.jsonl")).ok())
        .map(|text| text.lines().count())
        .sum()
}

/// `NIGHTJAR_KILLS` says how many times, up to 20: the night has events for that many.
#[test]
fn killed_at_any_moment_and_started_again_nothing_is_lost_or_double() {
    let Some(lab) = Lab::new() else { return };
    let night = ["nightly", "--tier", "long", "--mode", "off"];
    let kills = std::env::var("NIGHTJAR_KILLS").map_or(5, |n| n.parse::<usize>().unwrap());
    let said = lab.data().with_extension("stderr");
    for kill in 0..kills.min(20) {
        let mut child = lab
            .command(&night)
            .stdout(Stdio::null())
            .stderr(fs::File::create(&said).unwrap())
            .spawn()
            .unwrap();
        // So many more events, and a little more time, so that it is not always between the same two lines.
        let until = events(&lab) + [1, 3, 2][kill % 3];
        let started = Instant::now();
        while events(&lab) < until {
            assert!(
                started.elapsed() < Duration::from_secs(120),
                "no event comes"
            );
            if let Some(status) = child.try_wait().unwrap() {
                let said = fs::read_to_string(&said).unwrap();
                panic!("it ended ({status}) before its kill {kill}: {said}");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_millis(7 * kill as u64 % 40));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let last = lab.run(&night);
    assert_eq!(
        lab.rows("SELECT count(*), min(state), max(state) FROM run"),
        ["1 complete complete"],
        "{}",
        text(&last)
    );
    assert_eq!(
        lab.rows("SELECT count(*) FROM process WHERE state = 'done' GROUP BY job_id"),
        ["40", "40"],
        "{:#?}\n{}",
        lab.rows(CELLS),
        text(&last)
    );
    assert_eq!(
        lab.rows("SELECT DISTINCT n FROM sample JOIN process ON process.id = process_id WHERE metric_id = 1"),
        ["2"]
    );
    assert_eq!(
        lab.rows("SELECT count(*), count(DISTINCT job_id || ' ' || idx) FROM process"),
        ["80 80"]
    );
    assert!(String::from_utf8_lossy(&lab.run(&["db", "check"]).stdout).ends_with(": sound\n"));
}

#[test]
fn two_nights_do_not_share_a_folder() {
    let Some(lab) = Lab::new() else { return };
    let mut first = lab
        .command(&["nightly", "--tier", "long"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !lab.data().join("lock").exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(100));
    let second = lab.run(&["nightly", "--tier", "long"]);
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(second.status.code(), Some(6));
    assert!(
        text(&second).contains("is in use by process"),
        "{}",
        text(&second)
    );
}

#[test]
fn an_interrupt_ends_cleanly_and_the_same_command_goes_on() {
    let Some(lab) = Lab::new() else { return };
    let night = ["nightly", "--tier", "long", "--mode", "off"];
    let child = lab
        .command(&night)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(900));
    Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143));
    assert_eq!(
        lab.rows("SELECT state, exit_code FROM run"),
        ["interrupted 143"]
    );
    lab.run(&night);
    assert_eq!(
        lab.rows("SELECT count(*), max(state) FROM run"),
        ["1 complete"]
    );
}

#[test]
fn scripts_in_pyperfs_style_run_unmodified_where_they_can() {
    let Some(lab) = Lab::new() else { return };
    let script = "import pyperf\n\n\ndef work(n):\n    return sum(i * i for i in range(n))\n\n\n\
                  def timed(loops, n):\n    start = pyperf.perf_counter()\n    for _ in range(loops):\n        work(n)\n    return pyperf.perf_counter() - start\n\n\n\
                  if __name__ == '__main__':\n    runner = pyperf.Runner()\n    runner.metadata['description'] = 'two in one'\n    \
                  runner.argparser.add_argument('--n', type=int, default=500)\n    args = runner.parse_args()\n    print('chatter')\n    \
                  runner.bench_func('work', work, args.n)\n    runner.bench_time_func('timed', timed, args.n)\n";
    lab.write("scripts/bm_sums/run_benchmark.py", script);
    lab.write(
        "scripts/wants.py",
        "import a_module_that_is_nowhere\nimport pyperf\n",
    );
    lab.write(
        "scripts/raises.py",
        "import pyperf\nraise ValueError('no')\n",
    );
    lab.write(
        "scripts/command.py",
        "import pyperf\npyperf.Runner().bench_command('ls', ['ls'])\n",
    );
    let adapter = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench-suite/scripts.py");
    lab.write("suite/scripts.py", &fs::read_to_string(adapter).unwrap());
    let config = CONFIG
        .replace("PYTHON", PYTHON)
        .replace("[cache]", "scripts = \"scripts\"\n[cache]");
    lab.write("nightjar.toml", &config);
    let output = lab.run(&["nightly", "--last", "1", "--mode", "opt", "--no-tests"]);
    let outcomes = lab.rows(
        "SELECT b.suite || '/' || b.name, job.outcome, count(*) FROM job JOIN benchmark_version AS v ON v.id = benchmark_version_id \
         JOIN benchmark AS b ON b.id = v.benchmark_id GROUP BY 1, 2 ORDER BY 1, 2",
    );
    assert_eq!(
        outcomes,
        [
            "micro/sum ok 2",
            "script/command unsupported 2",
            "script/raises fail 2",
            "script/sums ok 2",
            "script/wants unsupported 2"
        ],
        "{}",
        text(&output)
    );
    let reasons = lab.rows(
        "SELECT DISTINCT reason FROM job WHERE outcome = 'unsupported' AND key LIKE '%wants'",
    );
    assert!(
        reasons[0].contains("a_module_that_is_nowhere"),
        "{reasons:?}"
    );
    let samples = lab.rows(
        "SELECT DISTINCT n FROM sample JOIN process ON process.id = process_id JOIN job ON job.id = job_id WHERE job.key LIKE '%/script/sums'",
    );
    assert_eq!(samples, ["3"], "one sample per iteration, both parts in it");
}

#[test]
fn mistakes_of_the_caller_are_exit_code_2() {
    let dir = tempfile::tempdir().unwrap();
    let nightjar = |args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_nightjar"))
            .args(args)
            .current_dir(dir.path())
            .output()
            .unwrap()
    };
    for (args, says) in [
        (
            &["nightly"][..],
            "nightjar.toml: cannot read the configuration",
        ),
        (&["status"], "no nightjar.db there"),
        (&["nightly", "--deadline", "soon"], "is no duration"),
        (&["nightly", "--last", "x"], "invalid value"),
        (&["frobnicate"], "unrecognized subcommand"),
    ] {
        let output = nightjar(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", text(&output));
        assert!(text(&output).contains(says), "{args:?}: {}", text(&output));
    }
}
