//! The fuzzer's power: each planted defect is found, and how many programs that takes.
//! `cargo test -p pyrite-jit-fuzz --features planted --test planted_faults -- --nocapture`

#![cfg(feature = "planted")]

use pyrite_jit_fuzz::{Counts, Program, compare, mode_of};
use pyrite_jit_opt::{Fault, plant};

/// Programs tried per fault.
const LIMIT: u64 = 6_000;

fn programs_until_found(fault: Fault) -> Option<u64> {
    plant(Some(fault));
    let found = (1..=LIMIT).find(|&seed| {
        let (program, mode) = (Program::random(seed), mode_of(seed));
        let run = std::panic::AssertUnwindSafe(|| compare(&program, mode, &mut Counts::default()));
        // A trace the verifier refuses is found, too.
        !matches!(std::panic::catch_unwind(run), Ok(Ok(())))
    });
    plant(None);
    found
}

#[test]
fn every_planted_fault_is_found() {
    // A found fault may panic in the verifier; that is no news.
    std::panic::set_hook(Box::new(|_| {}));
    let found: Vec<_> = Fault::ALL
        .iter()
        .map(|&fault| (fault, programs_until_found(fault)))
        .collect();
    let _ = std::panic::take_hook();
    for (fault, programs) in &found {
        println!(
            "{fault:?}: {}",
            programs.map_or("not found".to_owned(), |n| n.to_string())
        );
    }
    let missed: Vec<_> = found
        .iter()
        .filter(|(_, n)| n.is_none())
        .map(|(fault, _)| fault)
        .collect();
    assert!(
        missed.is_empty(),
        "not found in {LIMIT} programs: {missed:?}"
    );
}
