//! Does the model test find mistakes? Each planted fault runs in a process of its own,
//! since a failure inside a collection aborts. One child has no fault and must pass: it
//! runs the same programs, so what it passes, a fault has failed.

use std::process::Command;

use super::model::run_program;
use super::stress_configs;
use crate::faults::Fault;

const FAULTS: &[Fault] = &[
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
const MAX_PROGRAMS: u64 = 20;

/// The child: runs programs under a planted fault, and says which.
#[test]
#[ignore = "run by planted_faults_are_found"]
fn with_planted_fault() {
    let name = std::env::var(VARIABLE).unwrap_or_default();
    let fault = FAULTS.iter().copied().find(|f| format!("{f:?}") == name);
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
            run_program(config, seed, 800, fault);
        }
    }
}

/// Runs the child; returns whether it passed, and how many programs it ran.
fn run_child(name: &str) -> (bool, usize) {
    let exe = std::env::current_exe().expect("the test binary has a path");
    let out = Command::new(&exe)
        .args(["--exact", "tests::planted::with_planted_fault"])
        .args(["--ignored", "--nocapture"])
        .env(VARIABLE, name)
        .env("RUST_BACKTRACE", "0")
        .output()
        .expect("the test binary starts");
    let text = String::from_utf8_lossy(&out.stdout);
    let runs = text.lines().filter(|l| l.contains("program ")).count();
    println!("{name}: passed {} after {runs} runs", out.status.success());
    (out.status.success(), runs)
}

#[test]
fn planted_faults_are_found() {
    let (sound_passes, most) = run_child("none");
    assert!(sound_passes, "without a fault all programs pass");
    for &fault in FAULTS {
        let (passed, runs) = run_child(&format!("{fault:?}"));
        assert!(
            !passed && runs <= most,
            "{fault:?} is found by some program"
        );
    }
}
