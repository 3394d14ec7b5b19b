//! Seeded random programs, interpreted against traced. `PYRITE_FUZZ=N` sets their number,
//! `PYRITE_FUZZ_SEED=S` the first seed.

use pyrite_jit_fuzz::{Counts, Program, compare, mode_of};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

#[test]
fn traced_programs_end_like_interpreted_ones() {
    let (first, count) = (number("PYRITE_FUZZ_SEED", 1), number("PYRITE_FUZZ", 2_000));
    let mut counts = Counts::default();
    for seed in first..first + count {
        let program = Program::random(seed);
        let mode = mode_of(seed);
        let run = std::panic::AssertUnwindSafe(|| compare(&program, mode, &mut counts));
        let result = std::panic::catch_unwind(run).unwrap_or_else(|_| {
            panic!(
                "seed {seed} panics, {mode:?}, passes {}\n{program:?}",
                mode.passes
            )
        });
        if let Err(failure) = result {
            panic!(
                "seed {seed}, {mode:?}, passes {}: {failure}\n{program:?}",
                mode.passes
            );
        }
    }
    println!("{counts:?}");
    assert!(
        counts.roots * 10 > counts.programs * 8,
        "most programs compile a trace: {counts:?}"
    );
    assert!(
        counts.bridges * 10 > counts.programs * 3,
        "many reach a bridge: {counts:?}"
    );
    assert!(
        counts.virtuals > 0 && counts.finish_exits > 0 && counts.peeled > 0,
        "{counts:?}"
    );
}
