//! Does the model test find mistakes? Each planted fault runs in a process of its own,
//! since a failure inside a collection aborts.

use std::process::Command;

use super::model::run_program;
use super::stress_configs;
use crate::faults::Fault;

const FAULTS: [Fault; 13] = [
    Fault::BarrierIgnored,
    Fault::AmbiguousMoves,
    Fault::PinIgnored,
    Fault::SlotNotUpdated,
    Fault::CardsClearedEarly,
    Fault::WeakrefsClearedLate,
    Fault::WeakrefsNotForwarded,
    Fault::CopiesNotCounted,
    Fault::HolesNotZeroed,
    Fault::OldNotRestored,
    Fault::OnlyFirstLine,
    Fault::QueueNotTraced,
    Fault::LargeInteriorMissed,
];
const VARIABLE: &str = "PYRITE_GC_PLANTED_FAULT";
const MAX_PROGRAMS: u64 = 40;

/// The child: runs programs under a planted fault, and says which.
#[test]
#[ignore = "run by planted_faults_are_found"]
fn with_planted_fault() {
    let Ok(name) = std::env::var(VARIABLE) else {
        return;
    };
    let fault = FAULTS
        .into_iter()
        .find(|f| format!("{f:?}") == name)
        .expect("the parent names a fault of the table");
    // No core files.
    // SAFETY: a plain call.
    unsafe {
        let none = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        libc::setrlimit(libc::RLIMIT_CORE, &none);
    }
    for seed in 0..MAX_PROGRAMS {
        for (name, config) in stress_configs() {
            println!("program {seed} {name}");
            run_program(config, seed, 800, Some(fault));
        }
    }
}

#[test]
fn planted_faults_are_found() {
    let exe = std::env::current_exe().expect("the test binary has a path");
    let mut missed = Vec::new();
    for fault in FAULTS {
        let name = format!("{fault:?}");
        let out = Command::new(&exe)
            .args(["--exact", "tests::planted::with_planted_fault"])
            .args(["--ignored", "--nocapture"])
            .env(VARIABLE, &name)
            .output()
            .expect("the test binary starts");
        let text = String::from_utf8_lossy(&out.stdout);
        let runs = text.lines().filter(|l| l.contains("program ")).count();
        println!(
            "{name}: {} after {runs} runs",
            if out.status.success() {
                "MISSED"
            } else {
                "found"
            }
        );
        assert!(runs > 0, "the child ran programs: {text}");
        if out.status.success() {
            missed.push(name);
        }
    }
    assert!(
        missed.is_empty(),
        "faults that no program found: {missed:?}"
    );
}
