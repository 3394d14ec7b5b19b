//! Every program in every mode of the VM, as tests `<mode>::<program>`.
//!
//! The VM is `$PYRITE`, or `pyrite` in the target folder of this build; without
//! one those tests are shown as ignored. `$PYRITE_ARGS` holds more arguments,
//! such as `--jit-passes=-peel`. The stress modes (collections, forks) run only
//! when asked for: `cargo test -p conformance -- --ignored gc`. `cpython::` runs
//! the programs on the reference, where it is installed, so that an expectation
//! nobody blessed is found.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use conformance::{
    Expected, ExpectedFailures, Limits, MODES, Program, STRESS_MODES, Vm, failure_list, folder,
    programs, reference,
};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let args = Arguments::from_args();
    let programs = match programs(&folder()) {
        Ok(programs) => programs,
        Err(problem) => panic!("{problem}"),
    };
    let names: Vec<&str> = programs
        .iter()
        .map(|program| program.name.as_str())
        .collect();
    let failures = match ExpectedFailures::load(&failure_list(), &names) {
        Ok(failures) => Arc::new(failures),
        Err(problem) => panic!("{problem}"),
    };
    let vm = pyrite();
    if vm.is_none() {
        eprintln!("no pyrite binary: set PYRITE, or build it with `cargo build -p pyrite`");
    }
    let mut trials = vec![Trial::test(
        "every_file_has_its_program",
        every_file_has_its_program,
    )];
    for (name, forked) in [("cpython", false), ("cpython_fork", true)] {
        for program in &programs {
            let one = program.clone();
            let trial = Trial::test(format!("{name}::{}", program.name), move || {
                let vm = Vm {
                    forked,
                    ..Vm::new(reference())
                };
                judge(&vm, &one, &Limits::default(), None)
            });
            trials.push(trial.with_ignored_flag(forked || !reference().exists()));
        }
    }
    for (mode, stress) in MODES
        .map(|mode| (mode, false))
        .into_iter()
        .chain(STRESS_MODES.map(|mode| (mode, true)))
    {
        for program in &programs {
            let one = program.clone();
            let failures = Arc::clone(&failures);
            let own = vm.clone();
            let trial = Trial::test(format!("{}::{}", mode.name, program.name), move || {
                let vm = own.ok_or("there is no pyrite binary")?;
                judge(
                    &vm.in_mode(&mode),
                    &one,
                    &if stress {
                        stressed()
                    } else {
                        Limits::default()
                    },
                    failures.reason(&one.name, mode.name),
                )
            });
            let kind = if program.needs_lib { "lib" } else { "" };
            trials.push(
                trial
                    .with_kind(kind)
                    .with_ignored_flag(stress || vm.is_none()),
            );
        }
    }
    libtest_mimic::run(&args, trials).exit();
}

/// The VM under test. `PYRITE` naming no file is a mistake, not an absence.
fn pyrite() -> Option<Vm> {
    let program = match std::env::var_os("PYRITE") {
        Some(path) => {
            let path = PathBuf::from(path);
            assert!(path.is_file(), "PYRITE={} is no file", path.display());
            path.canonicalize()
                .expect("a file that exists has a full path")
        }
        None => {
            // target/<profile>/deps/conformance-<hash>
            let own = std::env::current_exe().ok()?;
            let profile = own.parent()?.parent()?;
            Some(profile.join("pyrite")).filter(|path| path.is_file())?
        }
    };
    let mut vm = Vm::new(program);
    let words = std::env::var("PYRITE_ARGS").unwrap_or_default();
    vm.args = words.split_whitespace().map(Into::into).collect();
    Some(vm)
}

/// Limits for a run under stress, most of which is the collector's.
fn stressed() -> Limits {
    Limits {
        time: Duration::from_secs(300),
        ..Limits::default()
    }
}

fn judge(vm: &Vm, program: &Program, limits: &Limits, known: Option<&str>) -> Result<(), Failed> {
    let expected = Expected::load(program)?;
    let expected = if vm.forked {
        expected.forked()
    } else {
        expected
    };
    let outcome = expected.check(&vm.run(program, limits)?);
    match (outcome, known) {
        (Ok(()), None) | (Err(_), Some(_)) => Ok(()),
        (Err(mismatch), None) => Err(format!("{}\n  {mismatch}", program.claim).into()),
        (Ok(()), Some(reason)) => {
            Err(format!("passes, but is on the list of expected failures: {reason}").into())
        }
    }
}

/// An expectation whose program was renamed or removed is forgotten work.
fn every_file_has_its_program() -> Result<(), Failed> {
    let mut stray = Vec::new();
    for entry in std::fs::read_dir(folder())? {
        let path = entry?.path();
        let expectation = path
            .extension()
            .is_some_and(|ext| ext == "out" || ext == "end");
        if expectation && !path.with_extension("py").exists() {
            stray.push(path.display().to_string());
        }
    }
    if stray.is_empty() {
        Ok(())
    } else {
        Err(format!("no program for {}", stray.join(", ")).into())
    }
}
