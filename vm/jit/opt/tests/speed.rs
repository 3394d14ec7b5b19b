//! Time per recorded op, for people: `cargo test --release -p pyrite-jit-opt --test speed -- --ignored --nocapture`.

use std::time::Instant;

use pyrite_jit_ir::{AliasClass, OpCode, TraceId};
use pyrite_jit_opt::{Emitter, End, PassSet};

/// A loop of 8 bytecodes: arithmetic, attribute reads and writes, a fresh object; returns the number
/// of ops the recorder asked for.
fn record(passes: PassSet) -> usize {
    let mut e = Emitter::root(TraceId(1), passes);
    let field = AliasClass(3);
    let mut asked = 0;
    for turn in 0..8 {
        let slot = turn % 4;
        e.resume_at(turn as u64, 0);
        let a = e.read_slot(slot);
        e.guard(OpCode::IsInt, &[a], true);
        let i = e.op(OpCode::UnboxInt, &[a]);
        let k = e.int(3);
        let sum = e.op(OpCode::IAddOvf, &[i, k]);
        let boxed = e.op(OpCode::BoxInt, &[sum]);
        let object = e.read_slot(5);
        e.guard(OpCode::IsPtr, &[object], true);
        e.guard_shape(object, 0x100, true);
        let old = e.load(OpCode::LdVal, &[object], 8 + 8 * (turn % 4), field);
        e.store(OpCode::StVal, &[object, boxed], 8 + 8 * (turn % 4), field);
        e.op(OpCode::Barrier, &[object, boxed]);
        e.write_slot(slot, boxed);
        if turn % 4 == 0 {
            let new = e.new_object(3, 0x500_0000_0200);
            e.store(OpCode::StVal, &[new, old], 8, field);
            e.store(OpCode::StVal, &[new, boxed], 16, field);
            e.write_slot(6, new);
            asked += 3;
        }
        asked += 12;
    }
    e.resume_at(0, 0);
    let trace = e.finish(End::Loop).expect("the recording keeps all rules");
    assert!(!trace.ops.is_empty());
    asked
}

#[test]
#[ignore = "a measurement, not a test"]
fn time_per_recorded_op() {
    for words in [
        "none",
        "fold,cse,guards,heap",
        "fold,cse,guards,heap,dce",
        "fold,cse,guards,heap,peel",
        "fold,cse,guards,heap,peel,sink",
        "all",
    ] {
        let passes = words.parse().expect("known passes");
        let mut best = f64::MAX;
        for _ in 0..20 {
            let (mut ops, start) = (0, Instant::now());
            for _ in 0..200 {
                ops += record(passes);
            }
            best = best.min(start.elapsed().as_secs_f64() / ops as f64);
        }
        println!("{words}: {:.0} ns per recorded op", best * 1e9);
    }
}
