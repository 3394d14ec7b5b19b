//! Tiny test packages with every kind of trouble, run on the reference
//! interpreter through the same driver and watcher as the real suite.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pytests::{
    CaseEvent, Launcher, Limits, ModuleOutcome, ModuleStatus, Outcome, PytestsError, run_module,
    run_modules,
};

/// The reference interpreter, or `None` (with a note) where there is none.
fn reference() -> Option<PathBuf> {
    let path = PathBuf::from("/usr/bin/python3.11");
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not installed", path.display());
    None
}

const HEAD: &str = "import os, signal, sys, time, unittest\n";

/// Run `source` as the module `test_x` of a package of its own.
fn run(source: &str, limits: &Limits) -> Option<(ModuleOutcome, Vec<CaseEvent>)> {
    let python = reference()?;
    let root = package(&[("test_x", source)]);
    let launcher = Launcher::new(python).root(root.path());
    let mut events = Vec::new();
    let outcome = run_module(&launcher, "test_x", limits, &mut |event| events.push(event)).unwrap();
    Some((outcome, events))
}

fn package(modules: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let test = root.path().join("test");
    std::fs::create_dir(&test).unwrap();
    std::fs::write(test.join("__init__.py"), "").unwrap();
    for (name, source) in modules {
        std::fs::write(
            test.join(name).with_extension("py"),
            format!("{HEAD}{source}"),
        )
        .unwrap();
    }
    root
}

fn limits() -> Limits {
    Limits {
        case: Duration::from_secs(20),
        ..Limits::default()
    }
}

/// `method outcome` of each case, sorted by name.
fn lines(outcome: &ModuleOutcome) -> Vec<String> {
    let mut lines: Vec<String> = outcome
        .cases
        .iter()
        .map(|case| {
            format!(
                "{} {}",
                case.id.trim_start_matches("test.test_x."),
                case.outcome
            )
        })
        .collect();
    lines.sort();
    lines
}

fn detail<'a>(outcome: &'a ModuleOutcome, method: &str) -> &'a str {
    let case = outcome.cases.iter().find(|case| case.id.ends_with(method));
    &case
        .unwrap_or_else(|| panic!("{method} has no result"))
        .detail
}

#[test]
fn every_ordinary_outcome_is_told_apart() {
    let source = r#"
class T(unittest.TestCase):
    def test_pass(self): pass
    def test_fail(self): self.assertEqual(1, 2, "tab\there")
    def test_error(self): {}["missing"]
    def test_skip(self): self.skipTest("no need")
    @unittest.expectedFailure
    def test_xfail(self): self.fail()
    @unittest.expectedFailure
    def test_xpass(self): pass
    def test_sub_ok(self):
        for i in range(3):
            with self.subTest(i=i): pass
    def test_sub_fail(self):
        for i in range(3):
            with self.subTest(i=i): self.assertNotEqual(i, 1)
    def test_sub_error(self):
        with self.subTest("first"): self.fail()
        with self.subTest("second"): 1 / 0
    def test_exit(self): sys.exit(3)
    def test_forked_child_is_silent(self):
        if os.fork() == 0:
            raise AssertionError("in the child")
        os.wait()
"#;
    // The child of the last case goes on with unittest; it must not report.
    let Some((outcome, events)) = run(source, &limits()) else {
        return;
    };
    assert_eq!(outcome.status, ModuleStatus::Ran);
    assert_eq!(
        lines(&outcome),
        [
            "T.test_error error",
            "T.test_exit error",
            "T.test_fail fail",
            "T.test_forked_child_is_silent pass",
            "T.test_pass pass",
            "T.test_skip skip",
            "T.test_sub_error error",
            "T.test_sub_fail fail",
            "T.test_sub_ok pass",
            "T.test_xfail xfail",
            "T.test_xpass xpass",
        ]
    );
    assert_eq!(
        detail(&outcome, "test_fail"),
        "AssertionError: 1 != 2 : tab\there"
    );
    assert_eq!(detail(&outcome, "test_error"), "KeyError: 'missing'");
    assert_eq!(detail(&outcome, "test_skip"), "no need");
    assert_eq!(
        detail(&outcome, "test_sub_fail"),
        "(i=1) AssertionError: 1 == 1"
    );
    assert_eq!(
        detail(&outcome, "test_sub_error"),
        "[second] ZeroDivisionError: division by zero"
    );
    assert_eq!(
        (outcome.restarts, outcome.notes.len(), outcome.not_run.len()),
        (0, 0, 0)
    );
    assert!(outcome.cpu_us > 0 && !outcome.is_clean());
    assert_eq!(events[0], CaseEvent::Loaded { cases: 11 });
    assert!(matches!(&events[1], CaseEvent::Started { id } if id == "test.test_x.T.test_error"));
    assert!(matches!(&events[2], CaseEvent::Finished(case) if case.outcome == Outcome::Error));
}

#[test]
fn a_crash_and_a_hang_cost_one_case_each() {
    let source = r#"
class T(unittest.TestCase):
    def test_1_ok(self): pass
    def test_2_crash(self):
        print("last words", flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
    def test_3_ok(self): pass
    def test_4_hang(self): time.sleep(1000)
    def test_5_vanish(self): os._exit(0)
    def test_6_ok(self): pass
    def test_7_interrupt(self): raise KeyboardInterrupt
    def test_8_ok(self): pass
"#;
    let tight = Limits {
        case: Duration::from_secs(2),
        ..limits()
    };
    let Some((outcome, events)) = run(source, &tight) else {
        return;
    };
    assert_eq!(
        lines(&outcome),
        [
            "T.test_1_ok pass",
            "T.test_2_crash crash",
            "T.test_3_ok pass",
            "T.test_4_hang timeout",
            "T.test_5_vanish crash",
            "T.test_6_ok pass",
            "T.test_7_interrupt error",
            "T.test_8_ok pass",
        ]
    );
    assert_eq!(
        detail(&outcome, "test_2_crash"),
        "SIGSEGV; output ends: last words"
    );
    assert_eq!(detail(&outcome, "test_4_hang"), "no progress for 2 s");
    assert_eq!(detail(&outcome, "test_5_vanish"), "exit status 0");
    assert_eq!(detail(&outcome, "test_7_interrupt"), "KeyboardInterrupt");
    assert_eq!(outcome.restarts, 4);
    assert_eq!(outcome.notes, ["stopped by KeyboardInterrupt"]);
    let restarts = events
        .iter()
        .filter(|event| matches!(event, CaseEvent::Restarting { .. }));
    assert_eq!(restarts.count(), 4);
}

#[test]
fn limits_of_memory_output_and_restarts_hold() {
    let source = r#"
class T(unittest.TestCase):
    def test_1_memory(self):
        hold = []
        while True: hold.append(bytearray(b"x" * (8 << 20))); time.sleep(0.01)
    def test_2_output(self):
        while True: os.write(1, b"x" * 65536); time.sleep(0.01)
    def test_3_never(self): pass
"#;
    let tight = Limits {
        memory_bytes: 200 << 20,
        output_bytes: 1 << 20,
        restarts: 1,
        ..limits()
    };
    let Some((outcome, _)) = run(source, &tight) else {
        return;
    };
    assert_eq!(
        lines(&outcome),
        ["T.test_1_memory crash", "T.test_2_output crash"]
    );
    assert!(detail(&outcome, "test_1_memory").starts_with("memory limit: "));
    assert!(detail(&outcome, "test_2_output").starts_with("output limit: "));
    assert_eq!(outcome.not_run, ["test.test_x.T.test_3_never"]);
    assert_eq!(outcome.notes, ["1 cases not run: too many restarts"]);
}

#[test]
fn a_module_over_its_time_leaves_the_rest_unrun() {
    let source = r#"
class T(unittest.TestCase):
    def test_1(self): time.sleep(1000)
    def test_2(self): pass
"#;
    let tight = Limits {
        module: Duration::from_secs(2),
        ..limits()
    };
    let Some((outcome, _)) = run(source, &tight) else {
        return;
    };
    assert_eq!(lines(&outcome), ["T.test_1 timeout"]);
    assert_eq!(detail(&outcome, "test_1"), "module limit of 2 s");
    assert_eq!(outcome.not_run.len(), 1);
}

#[test]
fn fixtures_decide_their_cases() {
    let source = r#"
class A(unittest.TestCase):
    @classmethod
    def setUpClass(cls): raise OSError("no room")
    def test_1(self): pass
    def test_2(self): pass
class B(unittest.TestCase):
    @classmethod
    def setUpClass(cls): raise unittest.SkipTest("not here")
    def test_1(self): pass
class C(unittest.TestCase):
    @classmethod
    def tearDownClass(cls): raise ValueError("late")
    def test_1(self): pass
class D(unittest.TestCase):
    @classmethod
    def setUpClass(cls): os.kill(os.getpid(), signal.SIGABRT)
    def test_1(self): pass
class E(unittest.TestCase):
    def test_1(self): pass
"#;
    let Some((outcome, _)) = run(source, &limits()) else {
        return;
    };
    assert_eq!(
        lines(&outcome),
        [
            "A.test_1 error",
            "A.test_2 error",
            "B.test_1 skip",
            "C.test_1 pass",
            "D.test_1 crash",
            "E.test_1 pass",
        ]
    );
    assert_eq!(detail(&outcome, "A.test_2"), "setUpClass: OSError: no room");
    assert_eq!(detail(&outcome, "B.test_1"), "setUpClass: not here");
    assert_eq!(
        detail(&outcome, "D.test_1"),
        "before the case began: SIGABRT"
    );
    assert_eq!(
        outcome.notes,
        ["tearDownClass (test.test_x.C): error: ValueError: late"]
    );
}

#[test]
fn modules_that_do_not_load_say_why() {
    let status = |source: &str| run(source, &limits()).map(|(outcome, _)| outcome.status);
    let Some(missing) = status("import no_such_module\n") else {
        return;
    };
    assert_eq!(
        missing,
        ModuleStatus::DoesNotLoad("ModuleNotFoundError: No module named 'no_such_module'".into())
    );
    assert_eq!(
        status("raise unittest.SkipTest('needs more')\n").unwrap(),
        ModuleStatus::Skipped("needs more".into())
    );
    assert_eq!(
        status("os.kill(os.getpid(), signal.SIGBUS)\n").unwrap(),
        ModuleStatus::DoesNotLoad("SIGBUS while loading".into())
    );
    let Some(ModuleStatus::DoesNotLoad(why)) = status("def f(:\n") else {
        panic!("loaded")
    };
    assert!(why.starts_with("SyntaxError: "), "{why}");
    let broken = "def load_tests(*args): raise RuntimeError('no suite')\n";
    let Some(ModuleStatus::DoesNotLoad(why)) = status(broken) else {
        panic!("loaded")
    };
    assert_eq!(why, "RuntimeError: no suite");
    assert_eq!(status("").unwrap(), ModuleStatus::Ran);
}

#[test]
fn equal_ids_get_numbers_and_survive_a_restart() {
    let source = r#"
class T(unittest.TestCase):
    def test_a(self):
        if os.path.exists("been"): os.abort()
        open("been", "w").close()
def load_tests(loader, tests, pattern):
    return unittest.TestSuite([T("test_a"), T("test_a"), T("test_a")])
"#;
    let Some((outcome, _)) = run(source, &limits()) else {
        return;
    };
    // Each process has a fresh folder, so the third case passes again.
    assert_eq!(
        lines(&outcome),
        ["T.test_a pass", "T.test_a#2 crash", "T.test_a#3 pass"]
    );
}

#[test]
fn modules_run_in_parallel_and_keep_their_order() {
    let Some(python) = reference() else { return };
    let one = "class T(unittest.TestCase):\n    def test_a(self): time.sleep(0.3)\n";
    let two = "class T(unittest.TestCase):\n    def test_b(self): self.fail()\n";
    let root = package(&[("test_one", one), ("test_two", two)]);
    let launcher = Launcher::new(python).root(root.path());
    let names = ["test_one".to_owned(), "test_two".to_owned()];
    let seen = std::sync::Mutex::new(Vec::new());
    let outcomes = run_modules(&launcher, &names, &limits(), 2, &|module, event| {
        if let CaseEvent::Finished(case) = event {
            seen.lock().unwrap().push((module.to_owned(), case.outcome));
        }
    })
    .unwrap();
    assert_eq!(
        outcomes
            .iter()
            .map(|one| one.module.as_str())
            .collect::<Vec<_>>(),
        names
    );
    let mut seen = seen.into_inner().unwrap();
    seen.sort();
    let expected = [("test_one", Outcome::Pass), ("test_two", Outcome::Fail)];
    assert_eq!(
        seen,
        expected.map(|(name, outcome)| (name.to_owned(), outcome))
    );
}

#[test]
fn the_environment_is_clean_and_the_folder_fresh() {
    let source = r#"
class T(unittest.TestCase):
    def test_env(self):
        self.assertNotIn("CARGO_MANIFEST_DIR", os.environ)
        self.assertEqual(os.environ["EXTRA"], "1")
        self.assertEqual(os.listdir("."), [])
        self.assertEqual(os.path.realpath(os.environ["TMPDIR"]), os.getcwd())
        self.assertEqual(sys.stdin.read(), "")
        self.assertEqual(len(sys.argv), 1)
        self.assertFalse([p for p in sys.path if "driver" in p])
"#;
    let Some(python) = reference() else { return };
    let root = package(&[("test_x", source)]);
    let launcher = Launcher::new(python)
        .arg("-B")
        .env("EXTRA", "1")
        .root(root.path());
    let outcome = run_module(&launcher, "test_x", &limits(), &mut |_| {}).unwrap();
    assert_eq!(lines(&outcome), ["T.test_env pass"], "{:?}", outcome.cases);
}

#[test]
fn a_program_that_cannot_start_is_an_error_of_ours() {
    let launcher = Launcher::new(Path::new("/nonexistent/vm"));
    let problem = run_module(&launcher, "test_x", &limits(), &mut |_| {}).unwrap_err();
    assert!(matches!(problem, PytestsError::Spawn { .. }));
    assert_eq!(
        problem.to_string(),
        "cannot start /nonexistent/vm for test_x"
    );

    let launcher = Launcher::new("/bin/false");
    let outcome = run_module(&launcher, "test_x", &limits(), &mut |_| {}).unwrap();
    assert_eq!(
        outcome.status,
        ModuleStatus::DoesNotLoad("exit status 1 while loading".into())
    );
}

#[test]
fn old_style_modules_run_through_their_test_main() {
    let source = r#"
from test import support
class T(unittest.TestCase):
    def test_a(self): self.assertEqual(READY, 1)
    def test_inner_suites_are_its_own(self):
        support.run_unittest(U)
        support.run_doctest(None)
        self.assertEqual(support.REAL, ["suite", "doctest"])
class U(unittest.TestCase):
    def test_b(self): pass
def test_main():
    global READY
    READY = 1
    support.run_unittest(T)
    support.run_unittest(U)
    support.run_doctest(sys.modules[__name__])
    raise RuntimeError("at the end")
def documented():
    """
    >>> READY
    1
    """
"#;
    let Some(python) = reference() else { return };
    let root = package(&[("test_x", source)]);
    let support = "import unittest\ndef record_original_stdout(out): pass\ndef run_unittest(cls):\n    \
                   _run_suite(unittest.TestLoader().loadTestsFromTestCase(cls))\nREAL = []\ndef \
                   _run_suite(suite): REAL.append('suite')\ndef run_doctest(module, verbosity, \
                   optionflags): REAL.append('doctest')\n";
    std::fs::write(root.path().join("test/support.py"), support).unwrap();
    let launcher = Launcher::new(python).root(root.path());
    let outcome = run_module(&launcher, "test_x", &limits(), &mut |_| {}).unwrap();
    assert_eq!(
        lines(&outcome),
        [
            "T.test_a pass",
            "T.test_inner_suites_are_its_own pass",
            "U.test_b pass",
            "documented pass",
        ]
    );
    assert_eq!(
        outcome.notes,
        ["test_main: error: RuntimeError: at the end"]
    );
}

#[test]
fn pages_shared_with_forked_children_count_once() {
    let source = r#"
class T(unittest.TestCase):
    def test_forks(self):
        hold = b"x" * (100 << 20)
        for i in range(20):
            if os.fork() == 0:
                time.sleep(0.7)
                os._exit(0)
        for i in range(20): os.wait()
"#;
    let tight = Limits {
        memory_bytes: 400 << 20,
        ..limits()
    };
    let Some((outcome, _)) = run(source, &tight) else {
        return;
    };
    assert_eq!(
        lines(&outcome),
        ["T.test_forks pass"],
        "{:?}",
        outcome.cases
    );
}
