//! Random programs: machine code, with and without register allocation, does what the oracle does.
//!
//! `PYRITE_FUZZ=n` sets the number of programs, `PYRITE_FUZZ_SEED=s` the first seed.

mod support;

use pyrite_jit_ir::{OpCode, SnapshotId, Trace, TraceId};
use support::arena::Arena;
use support::generate::{self, Rng, may_turn};
use support::oracle::Oracle;
use support::{MODES, Program, same};

fn env(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|v| v.parse().ok())
        .unwrap_or(default)
}

/// What the programs did: a fuzzer that exercises nothing finds nothing.
#[derive(Debug, Default)]
struct Counts {
    programs: u64,
    traces: u64,
    ops: u64,
    turned: u64,
    bridges_entered: u64,
    loops: u64,
    allocated_words: u64,
    looks: u64,
}

/// Runs the oracle from `start`; guards that fail get their polarity turned, mostly, so that runs
/// become long.
fn settle(
    rng: &mut Rng,
    traces: &mut Vec<Trace>,
    arena: &mut Arena,
    start: &[u64],
    counts: &mut Counts,
) -> (TraceId, SnapshotId) {
    loop {
        let program = Program::new(std::mem::take(traces));
        arena.restore(start);
        let mut oracle = Oracle::new(&program, arena);
        let outcome = oracle.run(TraceId(0));
        let (trace, index) = oracle.left_at.expect("the run left somewhere");
        *traces = program.traces;
        let at = traces
            .iter()
            .position(|t| t.id == trace)
            .expect("a trace of the program");
        // Turning a guard that held for some turns of a loop could go on forever.
        if !may_turn(&traces[at], &traces[at].ops[index]) || rng.one_in(8) {
            return outcome.exit;
        }
        let op = &mut traces[at].ops[index];
        op.expect = !op.expect;
        counts.turned += 1;
    }
}

fn program(rng: &mut Rng, arena: &mut Arena, counts: &mut Counts) -> (Program, Vec<u64>) {
    generate::prepare(rng, arena);
    let start = arena.contents();
    let size = [4, 12, 30, 70][rng.below(4)];
    let mut traces = vec![generate::root(rng, arena, 0, size)];
    for id in 1..1 + rng.below(5) as u32 {
        let (trace, exit) = settle(rng, &mut traces, arena, &start, counts);
        let taken = traces.iter().any(|t| matches!(t.kind, pyrite_jit_ir::TraceKind::Bridge { parent, exit: e } if parent == trace && e == exit));
        if taken {
            break;
        }
        let parent = traces
            .iter()
            .find(|t| t.id == trace)
            .expect("a trace of the program");
        let bridge = generate::bridge(rng, arena, id, parent, exit, Some(TraceId(0)), size / 2 + 1);
        traces.push(bridge);
    }
    settle(rng, &mut traces, arena, &start, counts);
    (Program::new(traces), start)
}

#[test]
fn machine_code_does_what_the_oracle_does() {
    let (programs, seed) = (env("PYRITE_FUZZ", 1500), env("PYRITE_FUZZ_SEED", 1));
    let mut arena = Arena::new();
    let mut counts = Counts::default();
    for n in 0..programs {
        let mut rng = Rng::new(seed + n);
        let (program, start) = program(&mut rng, &mut arena, &mut counts);
        arena.restore(&start);
        let mut oracle = Oracle::new(&program, &mut arena);
        let expected = oracle.run(TraceId(0)).without_nan_signs();
        counts.bridges_entered += u64::from(oracle.bridged);
        counts.programs += 1;
        counts.traces += program.traces.len() as u64;
        counts.ops += program
            .traces
            .iter()
            .map(|t| t.ops.len() as u64)
            .sum::<u64>();
        counts.loops += program
            .traces
            .iter()
            .filter(|t| t.ops.last().is_some_and(|op| op.code == OpCode::Jump))
            .count() as u64;
        counts.allocated_words +=
            (expected.memory[support::arena::CUR] - start[support::arena::CUR]) / 8;
        counts.looks += expected.log.len() as u64;
        for options in MODES {
            arena.restore(&start);
            let context = SeedOnPanic(seed + n);
            arena = same(&program, arena, options, &expected);
            std::mem::forget(context);
        }
    }
    println!("{counts:?}");
    assert!(counts.bridges_entered > counts.programs / 4, "{counts:?}");
    assert!(
        counts.turned > counts.programs && counts.loops > counts.programs / 4,
        "{counts:?}"
    );
    assert!(
        counts.allocated_words > counts.programs && counts.looks > 0,
        "{counts:?}"
    );
}

/// Names the program when its comparison panics.
struct SeedOnPanic(u64);

impl Drop for SeedOnPanic {
    fn drop(&mut self) {
        eprintln!("PYRITE_FUZZ=1 PYRITE_FUZZ_SEED={} repeats this", self.0);
    }
}
