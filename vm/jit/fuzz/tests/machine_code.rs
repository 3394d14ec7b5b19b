//! Recorded and optimized traces: machine code does what the evaluator does, after every run.
//!
//! `PYRITE_FUZZ=N` sets the number of programs, `PYRITE_FUZZ_SEED=S` the first seed.

mod native;

use native::Native;
use pyrite_jit_fuzz::{Counts, Program, compare_observed, mode_of};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

#[test]
fn machine_code_does_what_the_evaluator_does() {
    native::map_heap();
    let (first, count) = (number("PYRITE_FUZZ_SEED", 1), number("PYRITE_FUZZ", 1_000));
    let mut counts = Counts::default();
    let (mut runs, mut spilled, mut code_bytes) = (0, 0, 0);
    for seed in first..first + count {
        let program = Program::random(seed);
        let mode = mode_of(seed);
        let mut native = Native::new();
        if let Err(failure) = compare_observed(&program, mode, &mut counts, Some(&mut native)) {
            panic!(
                "seed {seed}, {mode:?}, passes {}: {failure}\n{program:#?}",
                mode.passes
            );
        }
        runs += native.runs;
        spilled += native.spilled;
        code_bytes += native.code_bytes;
    }
    println!(
        "{counts:?}, {runs} native runs, {spilled} values spilled, {code_bytes} bytes of code"
    );
    assert!(runs > 5 * count, "programs run traces: {counts:?}");
    assert!(
        counts.bridges * 10 > counts.programs * 3,
        "many reach a bridge: {counts:?}"
    );
}
