//! The suite's programs on the reference interpreter: right results, and a
//! harness that says what the runner expects and refuses wrong usage.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use manifest::{Category, list};

/// The reference interpreter, or `None` (with a note) where there is none.
fn reference() -> Option<PathBuf> {
    let path = PathBuf::from("/usr/bin/python3.11");
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not installed", path.display());
    None
}

fn suite() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn harness(python: &Path, args: &[&str]) -> Output {
    Command::new(python)
        .arg(suite().join("harness.py"))
        .args(args)
        .output()
        .unwrap()
}

#[test]
fn every_program_gives_its_expected_result_twice() {
    let Some(python) = reference() else { return };
    // Parts of the VM are not Python; the crate `parts` runs them.
    let programs = list(suite())
        .unwrap()
        .into_iter()
        .filter(|bench| bench.category != Category::Part);
    for bench in programs {
        let inner = bench.inner.to_string();
        let program = bench.program.to_str().unwrap();
        let output = harness(&python, &[program, "--inner", &inner, "--iterations", "2"]);
        assert!(output.status.success(), "{}: {output:?}", bench.name);
        let stdout = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = stdout.lines().collect();
        assert_eq!(lines.len(), 3, "{stdout}");
        for (index, line) in lines[..2].iter().enumerate() {
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!((words[0], words[1]), ("sample", index.to_string().as_str()));
            assert!(words[2].parse::<u64>().unwrap() > 0, "{line}");
            words[3].parse::<u64>().unwrap();
        }
        let result = lines[2].strip_prefix("result ").unwrap();
        assert!(
            bench.accepts(result),
            "{}: {result}, not {}",
            bench.name,
            bench.expected
        );
    }
}

#[test]
fn the_harness_refuses_wrong_usage_and_unsteady_results() {
    let Some(python) = reference() else { return };
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("bench.py");
    std::fs::write(
        &program,
        "calls = []\ndef run(inner):\n    calls.append(1)\n    return len(calls)\n",
    )
    .unwrap();
    let program = program.to_str().unwrap();
    let output = harness(&python, &[program, "--inner", "1", "--iterations", "2"]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr, "harness: call 1 returned 2, call 0 returned 1\n");

    for (args, problem) in [
        (&["--inner", "1"][..], "no benchmark file"),
        (
            &[program, "--inner", "0", "--iterations", "1"],
            "--inner must be at least 1, got 0",
        ),
        (&[program, "--inner", "1"], "--iterations is missing"),
        (&[program, "--fast"], "unknown option --fast"),
    ] {
        let output = harness(&python, args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            stderr.starts_with(&format!("harness: {problem}\n")),
            "{stderr}"
        );
    }
}
