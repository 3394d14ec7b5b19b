//! A night killed while its alerts are being settled ends, taken up again, with the rows of one left alone.
//!
//! The VM is a script that tells times instead of taking them, so that what is found does not hang on the machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Speaks as the harness does: every iteration takes `ms`, a little more the later it is.
fn vm(number: usize, ms: u64) -> String {
    format!(
        "#!/bin/sh\n# commit {number}\n[ \"$1\" = --version ] && {{ echo vm {number}; exit 0; }}\n\
         while [ $# -gt 1 ]; do [ \"$1\" = --iterations ] && most=$2; shift; done\nsleep 0.01\nn=0\n\
         while [ $n -lt $most ]; do echo \"sample $n $(( {ms}000000 + n * 1000 )) $(( {ms}000000 ))\"; n=$(( n + 1 )); done\n\
         echo \"result 7\"\n"
    )
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
build = "cp vm.sh $NIGHTJAR_TARGET/vm; chmod +x $NIGHTJAR_TARGET/vm"
binary = "{target}/vm"
version = ["--version"]
[[subject.mode]]
name = "off"
[[subject.mode]]
name = "opt"
[tier.quick]
revisions = 4
processes = 5
iterations = 4
confirm = { processes = 10, budget_s = 300 }
"#;

/// A repository of four commits, of which the third is slow and the fourth as fast as the first two, and data folders for nights over it.
struct Lab {
    dir: tempfile::TempDir,
}

impl Lab {
    fn new() -> Lab {
        let dir = tempfile::tempdir().unwrap();
        let lab = Lab { dir };
        lab.write(
            "suite/micro/sum/bench.py",
            "def run(inner):\n    return 7\n",
        );
        lab.write(
            "suite/micro/sum/bench.toml",
            "name = \"sum\"\ncategory = \"micro\"\ninner = 1\nexpected = \"7\"\ntime_limit_s = 20\n",
        );
        lab.write("suite/harness.py", "");
        lab.write("nightjar.toml", CONFIG);
        let git = git2::Repository::init(lab.path("project")).unwrap();
        let mut parent: Option<git2::Oid> = None;
        for (number, ms) in [20, 20, 23, 20].into_iter().enumerate() {
            lab.write("project/vm.sh", &vm(number, ms));
            let mut index = git.index().unwrap();
            index.add_path(Path::new("vm.sh")).unwrap();
            let tree = git.find_tree(index.write_tree().unwrap()).unwrap();
            let who = git2::Signature::now("A", "a@example.org").unwrap();
            let parents: Vec<git2::Commit<'_>> = parent
                .iter()
                .map(|id| git.find_commit(*id).unwrap())
                .collect();
            let parents: Vec<&git2::Commit<'_>> = parents.iter().collect();
            let title = format!("commit {number}");
            let id = git.commit(Some("HEAD"), &who, &who, &title, &tree, &parents);
            parent = Some(id.unwrap());
        }
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn night(&self, data: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nightjar"));
        command
            .args(["nightly", "--no-tests", "--data"])
            .arg(self.path(data))
            .arg("--config")
            .arg(self.path("nightjar.toml"))
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.path("said")).unwrap());
        command
    }

    fn said(&self) -> String {
        fs::read_to_string(self.path("said")).unwrap()
    }

    /// Lines in the event logs of all runs, and of the first one.
    fn events(&self, data: &str) -> (usize, usize) {
        let Ok(runs) = fs::read_dir(self.path(data).join("runs")) else {
            return (0, 0);
        };
        let mut logs: Vec<(PathBuf, usize)> = runs
            .filter_map(|run| {
                let path = run.ok()?.path().join("events.jsonl");
                let lines = fs::read_to_string(&path).ok()?.lines().count();
                Some((path, lines))
            })
            .collect();
        logs.sort();
        let of_first = logs.first().map_or(0, |(_, lines)| *lines);
        (logs.iter().map(|(_, lines)| lines).sum(), of_first)
    }

    /// All that says what came out, without keys, seeds and moments.
    fn rows(&self, data: &str) -> Vec<String> {
        let conn = rusqlite::Connection::open(self.path(data).join("nightjar.db")).unwrap();
        let queries = [
            "SELECT reason, state, exit_code FROM run ORDER BY id",
            "SELECT run_id, key, kind, ordinal, state, outcome, reason, planned_processes FROM job ORDER BY run_id, ordinal",
            "SELECT run_id, key, idx, position, revision, p.state, p.outcome, p.result FROM process AS p JOIN job ON job.id = job_id ORDER BY 1, 2, 3",
            "SELECT run_id, key, idx, metric_id, n, hex(data) FROM sample JOIN process ON process.id = process_id JOIN job ON job.id = job_id ORDER BY 1, 2, 3, 4",
            "SELECT run_id, key, metric.name, n_processes, geomean FROM point JOIN series ON series.id = series_id JOIN metric ON metric.id = metric_id \
             JOIN job USING (run_id) WHERE job.id = point.job_id AND metric.name IN ('wall', 'cpu', 'first') ORDER BY 1, 2, 3",
            "SELECT series_id, commit_id, algorithm, p, ratio, status FROM change_point ORDER BY 1, 2, 3",
            "SELECT id, state, direction, title, low_commit_id, high_commit_id, moved, json_array_length(history_json), \
             json_extract(history_json, '$[#-1].why') FROM alert ORDER BY id",
            "SELECT key, value FROM meta WHERE key = 'settling'",
        ];
        let mut rows = Vec::new();
        for query in queries {
            let mut query = conn.prepare(query).unwrap();
            let columns = query.column_count();
            let found = query.query_map([], |row| {
                let values: Vec<String> = (0..columns)
                    .map(|i| format!("{:?}", row.get_ref(i).unwrap()))
                    .collect();
                Ok(values.join(" "))
            });
            rows.extend(found.unwrap().map(Result::unwrap));
            rows.push("--".to_owned());
        }
        rows
    }
}

/// `NIGHTJAR_KILLS` says how many nights are killed, each several times.
#[test]
fn a_night_killed_while_it_settles_its_alerts_has_the_same_rows() {
    let lab = Lab::new();
    let whole = lab.night("whole").status().unwrap();
    assert_eq!(whole.code(), Some(0), "{}", lab.said());
    let expected = lab.rows("whole");
    let runs: Vec<&String> = expected.iter().take_while(|row| *row != "--").collect();
    // The step up, the step down, and the head beside the commit before the first, each with a run of its own.
    assert_eq!(runs.len(), 4, "{expected:#?}");
    let states = |state: &str| expected.iter().filter(|row| row.contains(state)).count();
    let word = |word: &str| format!("Text({:?})", word.as_bytes());
    assert_eq!(
        (states(&word("fixed")), states(&word("noise"))),
        (1, 0),
        "{expected:#?}"
    );
    let (all, of_night) = lab.events("whole");
    let settling = all - of_night;
    assert!(settling > 100, "{settling} events");
    let nights = std::env::var("NIGHTJAR_KILLS").map_or(3, |n| n.parse::<usize>().unwrap());
    for night in 0..nights {
        let data = format!("killed-{night}");
        // Where each night dies: anywhere in its settling, and in the moments after the last event of a run.
        let mut deaths: Vec<usize> = (0..4)
            .map(|n| of_night + (night * 7919 + n * settling / 4 + night * n * 31) % settling)
            .collect();
        deaths.extend([of_night, all]);
        deaths.sort_unstable();
        let mut done = None;
        for (death, until) in deaths.into_iter().enumerate() {
            let mut child = lab.night(&data).spawn().unwrap();
            let started = Instant::now();
            let ended = loop {
                if lab.events(&data).0 >= until {
                    break None;
                }
                if let Some(status) = child.try_wait().unwrap() {
                    break Some(status);
                }
                assert!(
                    started.elapsed() < Duration::from_secs(300),
                    "{}",
                    lab.said()
                );
                std::thread::sleep(Duration::from_millis(1));
            };
            assert!(ended.is_none(), "it ended by itself: {}", lab.said());
            std::thread::sleep(Duration::from_millis((night * 13 + death * 17) as u64 % 60));
            child.kill().unwrap();
            // The last one may come too late.
            done = Some(child.wait().unwrap()).filter(|status| status.code().is_some());
            if done.is_some() {
                break;
            }
        }
        let status = done.unwrap_or_else(|| lab.night(&data).status().unwrap());
        let rows = lab.rows(&data);
        for (is, should) in rows.iter().zip(&expected) {
            assert_eq!(is, should, "night {night}: {}", lab.said());
        }
        assert_eq!(rows.len(), expected.len(), "night {night}: {}", lab.said());
        assert_eq!(status.code(), whole.code(), "{}", lab.said());
    }
}
