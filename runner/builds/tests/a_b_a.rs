//! Builds of a small project without a compiler: its "build tool" judges by mtime, as make and cargo do.

use builds::{Builder, Cache, Recipe, Repository, Selection, select};
use git2::{Oid, Signature, Time};
use measure::{Bytes, Nanos};
use runner_core::session::BuildOutcome;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Copies the source to an object only if the object is not newer, as a build tool would.
const COMMAND: &str = r#"
[ -f BROKEN ] && { echo "error: this commit is broken" >&2; exit 3; }
object="$NIGHTJAR_TARGET/object"
[ "$object" -nt src/vm.sh ] || cp src/vm.sh "$object"
cp "$object" "$NIGHTJAR_TARGET/vm"; chmod +x "$NIGHTJAR_TARGET/vm"
"#;

struct Project {
    dir: tempfile::TempDir,
    git: git2::Repository,
    commits: i64,
}

impl Project {
    fn new() -> Project {
        let dir = tempfile::tempdir().unwrap();
        let git = git2::Repository::init(dir.path().join("project")).unwrap();
        Project {
            dir,
            git,
            commits: 0,
        }
    }

    fn source(&self) -> PathBuf {
        self.dir.path().join("project")
    }

    /// Commits files (`None` removes) on HEAD.
    fn commit(&mut self, files: &[(&str, Option<&str>)]) -> String {
        let mut index = self.git.index().unwrap();
        for (name, text) in files {
            let path = self.source().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            match text {
                Some(text) => {
                    fs::write(&path, text).unwrap();
                    index.add_path(Path::new(name)).unwrap();
                }
                None => {
                    fs::remove_file(&path).unwrap();
                    index.remove_path(Path::new(name)).unwrap();
                }
            }
        }
        index.write().unwrap();
        let tree = self.git.find_tree(index.write_tree().unwrap()).unwrap();
        self.commits += 1;
        // Dates run backwards: the order must come from the line, not from them.
        let who = Signature::new(
            "A. Uthor",
            "a@example.org",
            &Time::new(2_000_000_000 - self.commits, 0),
        )
        .unwrap();
        let parent = self
            .git
            .head()
            .ok()
            .map(|head| head.peel_to_commit().unwrap());
        let parents: Vec<_> = parent.iter().collect();
        let title = format!("change {}", self.commits);
        self.git
            .commit(Some("HEAD"), &who, &who, &title, &tree, &parents)
            .unwrap()
            .to_string()
    }

    fn vm(&mut self, says: &str) -> String {
        self.commit(&[("src/vm.sh", Some(&format!("#!/bin/sh\necho {says}\n")))])
    }

    fn mirror(&self) -> Repository {
        Repository::mirror(&self.source(), &self.dir.path().join("data/mirror.git")).unwrap()
    }

    /// A builder whose cache is empty each time when `fresh_cache` differs.
    fn builder(&self, cache: &str) -> Builder {
        let recipe = Recipe {
            command: COMMAND.into(),
            binary: "{target}/vm".into(),
            toolchain: "echo sh 1".into(),
            time_limit: Nanos::from_secs(20),
            free_space: Bytes(1),
        };
        let cache = Cache::new(&self.dir.path().join(cache), Bytes::mib(10));
        Builder::new(
            self.mirror(),
            recipe,
            cache,
            "vm",
            &self.dir.path().join("data/builds"),
        )
        .unwrap()
    }
}

fn says(program: &Path) -> String {
    String::from_utf8(Command::new(program).output().unwrap().stdout)
        .unwrap()
        .trim()
        .to_owned()
}

fn build(builder: &mut Builder, sha: &str) -> String {
    let (report, program) = builder.build(sha, &|| false);
    assert_eq!(
        report.outcome,
        BuildOutcome::Ok,
        "{}: {}",
        report.reason,
        report.log
    );
    says(&program.unwrap())
}

#[test]
fn locks_of_a_killed_process_do_not_stop_the_next_one() {
    let mut project = Project::new();
    let (one, two) = (project.vm("one"), project.vm("two"));
    assert_eq!(build(&mut project.builder("cache"), &one), "one");
    let mirror = project.dir.path().join("data/mirror.git");
    let worktree = fs::read_dir(mirror.join("worktrees"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let left = [
        worktree.join("HEAD.lock"),
        worktree.join("index.lock"),
        mirror.join("refs/heads/nightjar-head.lock"),
    ];
    for lock in &left {
        fs::write(lock, "").unwrap();
    }
    Repository::forget_interrupted(&mirror).unwrap();
    assert!(left.iter().all(|lock| !lock.exists()));
    assert_eq!(build(&mut project.builder("cache"), &two), "two");

    // A worktree whose making was interrupted.
    fs::remove_dir_all(project.dir.path().join("data/builds")).unwrap();
    for file in fs::read_dir(&worktree).unwrap() {
        let file = file.unwrap().path();
        if file.is_file() {
            fs::remove_file(file).unwrap();
        }
    }
    assert_eq!(build(&mut project.builder("fresh"), &one), "one");
}

#[test]
fn a_b_a_runs_a_b_a() {
    let mut project = Project::new();
    let a = project.vm("A");
    let b = project.vm("B");
    // Without the cache's help: a cache of its own for each.
    let runs: Vec<String> = [&a, &b, &a, &a, &b]
        .iter()
        .enumerate()
        .map(|(n, sha)| build(&mut project.builder(&format!("cache-{n}")), sha))
        .collect();
    assert_eq!(runs, ["A", "B", "A", "A", "B"]);
    // And with it.
    let mut builder = project.builder("cache");
    let runs = [&a, &b, &a].map(|sha| build(&mut builder, sha));
    assert_eq!(runs, ["A", "B", "A"]);
}

#[test]
fn the_second_build_comes_from_the_cache() {
    let mut project = Project::new();
    let a = project.vm("A");
    let mut builder = project.builder("cache");
    let first = builder.build(&a, &|| false).0;
    let second = builder.build(&a, &|| false).0;
    assert_eq!((first.cached, second.cached), (false, true));
    assert_eq!(
        (first.binary_sha256, first.duration),
        (second.binary_sha256, second.duration)
    );
}

#[test]
fn a_broken_commit_is_an_outcome_with_its_log() {
    let mut project = Project::new();
    let good = project.vm("A");
    let broken = project.commit(&[("BROKEN", Some("yes"))]);
    let mended = project.commit(&[("BROKEN", None)]);
    let mut builder = project.builder("cache");
    assert_eq!(build(&mut builder, &good), "A");
    let (report, program) = builder.build(&broken, &|| false);
    assert_eq!((report.outcome, program), (BuildOutcome::Fail, None));
    assert_eq!(report.reason, "exit code 3: error: this commit is broken");
    assert!(report.log.contains("this commit is broken"));
    assert_eq!(
        build(&mut builder, &mended),
        "A",
        "the file of the broken commit is gone from the tree"
    );
}

#[test]
fn a_commit_that_is_not_there_is_no_outcome_of_the_program() {
    let mut project = Project::new();
    project.vm("A");
    let (report, _) = project.builder("cache").build(&"0".repeat(40), &|| false);
    assert_eq!(report.outcome, BuildOutcome::Infrastructure);
}

#[test]
fn a_build_can_be_stopped_and_is_limited_in_time() {
    let mut project = Project::new();
    let a = project.vm("A");
    let recipe = Recipe {
        command: "sleep 30".into(),
        binary: "vm".into(),
        toolchain: String::new(),
        time_limit: Nanos(100_000_000),
        free_space: Bytes(1),
    };
    let cache = Cache::new(&project.dir.path().join("cache"), Bytes::mib(1));
    let builds = project.dir.path().join("data/builds");
    let mut builder = Builder::new(project.mirror(), recipe, cache, "vm", &builds).unwrap();
    assert_eq!(
        builder.build(&a, &|| false).0.outcome,
        BuildOutcome::Timeout
    );
    assert_eq!(builder.build(&a, &|| true).0.reason, "stopped");
}

#[test]
fn too_little_disk_space_is_said_before_the_build() {
    let mut project = Project::new();
    let a = project.vm("A");
    let recipe = Recipe {
        command: "true".into(),
        binary: "vm".into(),
        toolchain: String::new(),
        time_limit: Nanos::from_secs(1),
        free_space: Bytes(u64::MAX),
    };
    let cache = Cache::new(&project.dir.path().join("cache"), Bytes::mib(1));
    let builds = project.dir.path().join("data/builds");
    let report = Builder::new(project.mirror(), recipe, cache, "vm", &builds)
        .unwrap()
        .build(&a, &|| false)
        .0;
    assert_eq!(report.outcome, BuildOutcome::Infrastructure);
    assert!(
        report.reason.contains("free, a build needs"),
        "{}",
        report.reason
    );
}

#[test]
fn a_damaged_worktree_is_made_again() {
    let mut project = Project::new();
    let a = project.vm("A");
    assert_eq!(build(&mut project.builder("cache-1"), &a), "A");
    let builds = fs::read_dir(project.dir.path().join("data/builds"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    fs::remove_file(builds.join("tree/.git")).unwrap();
    assert_eq!(build(&mut project.builder("cache-2"), &a), "A");
}

#[test]
fn the_users_repository_is_not_touched() {
    let mut project = Project::new();
    let a = project.vm("A");
    fs::write(project.source().join("src/vm.sh"), "uncommitted").unwrap();
    build(&mut project.builder("cache"), &a);
    assert_eq!(
        fs::read_to_string(project.source().join("src/vm.sh")).unwrap(),
        "uncommitted"
    );
    assert!(!project.source().join(".git/worktrees").exists());
    assert_eq!(project.git.branches(None).unwrap().count(), 1);
}

#[test]
fn the_default_selection_takes_head_and_the_commits_that_introduced_older_states() {
    let mut project = Project::new();
    let one = project.vm("1");
    let docs = |project: &mut Project, n: u32| project.commit(&[("README", Some(&n.to_string()))]);
    docs(&mut project, 1);
    let two = project.vm("2");
    docs(&mut project, 2);
    docs(&mut project, 3);
    let three = project.vm("3");
    let head = docs(&mut project, 4);
    let paths = ["src".to_owned()];
    let pick = |project: &Project, selection: &Selection| -> Vec<(String, u64)> {
        let chosen = select(&project.mirror(), &paths, selection).unwrap();
        chosen
            .into_iter()
            .map(|(commit, _)| (commit.sha, commit.seq))
            .collect()
    };
    let chosen = pick(&project, &Selection::Differing(3));
    assert_eq!(
        chosen,
        [(head.clone(), 7 - 1), (two.clone(), 2), (one.clone(), 0)]
    );
    // The next night, after a commit that changes the program: yesterday's state is found under the commit that introduced it.
    let four = project.vm("4");
    let chosen = pick(&project, &Selection::Differing(3));
    assert_eq!(
        chosen,
        [(four.clone(), 7), (three.clone(), 5), (two.clone(), 2)]
    );
    assert_eq!(
        pick(&project, &Selection::Last(2)),
        [(four.clone(), 7), (head.clone(), 6)]
    );
    assert_eq!(
        pick(&project, &Selection::Since(three.clone())),
        [(four.clone(), 7), (head.clone(), 6)]
    );
    let list = Selection::List(vec![one[..10].to_owned(), "HEAD~1".into(), head.clone()]);
    assert_eq!(pick(&project, &list), [(head, 6), (one, 0)]);
    let error = select(
        &project.mirror(),
        &paths,
        &Selection::Since("nonsense".into()),
    )
    .unwrap_err()
    .to_string();
    assert!(error.ends_with("has no revision nonsense"), "{error}");
}

#[test]
fn the_line_follows_first_parents_whatever_the_dates_say() {
    let mut project = Project::new();
    let base = project.vm("base");
    let main = project.vm("main");
    // A side branch with two commits, merged: its commits are not on the line.
    let git = &project.git;
    let base_commit = git.find_commit(Oid::from_str(&base).unwrap()).unwrap();
    let main_commit = git.find_commit(Oid::from_str(&main).unwrap()).unwrap();
    let who = Signature::new("B", "b@example.org", &Time::new(1, 0)).unwrap();
    let tree = base_commit.tree().unwrap();
    let side = git
        .commit(
            Some("refs/heads/side"),
            &who,
            &who,
            "side",
            &tree,
            &[&base_commit],
        )
        .unwrap();
    let side_commit = git.find_commit(side).unwrap();
    let main_tree = main_commit.tree().unwrap();
    let merge = git
        .commit(
            Some("HEAD"),
            &who,
            &who,
            "merge",
            &main_tree,
            &[&main_commit, &side_commit],
        )
        .unwrap();
    let repository = project.mirror();
    let line: Vec<String> = repository
        .first_parent_line()
        .unwrap()
        .into_iter()
        .map(|commit| commit.sha)
        .collect();
    assert_eq!(line, [merge.to_string(), main, base]);
    assert_eq!(repository.resolve("side").unwrap(), side.to_string());
    let chosen = select(&repository, &[], &Selection::List(vec!["side".into()])).unwrap();
    assert_eq!((chosen[0].0.seq, chosen[0].0.title.as_str()), (1, "side"));
}
