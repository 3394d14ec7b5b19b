//! Compile time grows with the length of a trace, not with its square.

mod support;

use std::time::{Duration, Instant};

use pyrite_jit_ir::{Trace, TraceId};
use pyrite_jit_x64::Backend;
use support::arena::Arena;
use support::generate::{Rng, root};
use support::machine::layout;
use support::{MODES, Program};

fn random_trace(seed: u64, size: usize) -> Trace {
    let mut arena = Arena::new();
    arena.reset();
    Program::new(vec![root(&mut Rng::new(seed), &arena, 0, size)])
        .traces
        .remove(0)
}

/// Best time of a few for compiling `trace`.
fn compile_time(trace: &Trace) -> Duration {
    let once = |id| {
        let mut backend = Backend::new(layout()).expect("the backend works here");
        let mut trace = trace.clone();
        trace.id = TraceId(id);
        let start = Instant::now();
        backend.compile(&mut trace, MODES[0]).expect("compiles");
        start.elapsed()
    };
    (0..5).map(once).min().expect("five times")
}

#[test]
fn compile_time_is_linear() {
    let (short, long) = (random_trace(3, 150), random_trace(3, 6000));
    let (t, u) = (compile_time(&short), compile_time(&long));
    let per_op = |time: Duration, trace: &Trace| time.as_nanos() as f64 / trace.ops.len() as f64;
    println!(
        "{} ops: {t:?}, {} ops: {u:?}",
        short.ops.len(),
        long.ops.len()
    );
    assert!(long.ops.len() > 6000);
    assert!(
        per_op(u, &long) < 8.0 * per_op(t, &short) + 1000.0,
        "{t:?} for {} ops, {u:?} for {}",
        short.ops.len(),
        long.ops.len()
    );
}
