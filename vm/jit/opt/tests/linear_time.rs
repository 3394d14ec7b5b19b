//! The emitter and the passes take time in proportion to the length of the trace.

use std::time::Duration;

use pyrite_jit_ir::{AliasClass, OpCode, Trace, TraceId};
use pyrite_jit_opt::{Emitter, End, PassSet};

/// Records a loop of `turns` small bytecodes that touch every pass: arithmetic, shapes, fields,
/// elements, allocation, calls that write; returns the number of recorded ops and the trace.
fn long_trace(turns: u32) -> (usize, Trace) {
    let mut e = Emitter::root(TraceId(1), PassSet::all());
    let field = AliasClass(3);
    for turn in 0..turns {
        let slot = (turn % 10) as i32;
        e.resume_at(u64::from(turn) * 2, 0);
        let a = e.read_slot(slot);
        e.guard(OpCode::IsInt, &[a], true);
        let i = e.op(OpCode::UnboxInt, &[a]);
        let k = e.int(i64::from(turn % 7) + 1);
        let sum = e.op(OpCode::IAddOvf, &[i, k]);
        let boxed = e.op(OpCode::BoxInt, &[sum]);
        let object = e.read_slot(20 + slot);
        e.guard(OpCode::IsPtr, &[object], true);
        e.guard_shape(object, 0x100 + slot as u32 % 3, true);
        let old = e.load(OpCode::LdVal, &[object], 8 + 8 * (turn % 4) as i32, field);
        let new = e.new_object(3, 0x500_0000_0200);
        e.store(OpCode::StVal, &[new, old], 8, field);
        e.store(OpCode::StVal, &[new, boxed], 16, field);
        e.store(
            OpCode::StVal,
            &[object, boxed],
            8 + 8 * (turn % 5) as i32,
            field,
        );
        e.op(OpCode::Barrier, &[object, boxed]);
        e.write_slot(slot, boxed);
        e.write_slot(40 + (turn % 5) as i32, new);
    }
    e.resume_at(0, 0);
    let recorded = e.len();
    (
        recorded,
        e.finish(End::Loop).expect("the recording keeps all rules"),
    )
}

/// Time this thread has spent on a processor: others on the machine do not count.
fn on_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    let nanos = text.split(' ').next().and_then(|n| n.parse().ok());
    Duration::from_nanos(nanos.expect("the first number is the time run"))
}

fn best_of(rounds: u32, turns: u32) -> (usize, Duration) {
    let time = |_| {
        let start = on_cpu();
        let (ops, trace) = long_trace(turns);
        assert!(trace.ops.len() > turns as usize);
        (ops, on_cpu() - start)
    };
    (0..rounds)
        .map(time)
        .min_by_key(|&(_, time)| time)
        .expect("at least one round")
}

#[test]
fn six_thousand_ops_take_milliseconds_and_twice_as_many_take_twice_as_long() {
    let (ops, single) = best_of(5, 1_000);
    let (more, double) = best_of(5, 2_000);
    println!("{ops} ops in {single:?}, {more} ops in {double:?}");
    assert!(ops >= 6_000, "{ops} ops");
    assert!(
        single < Duration::from_millis(500),
        "{ops} ops took {single:?}"
    );
    // A quadratic step would show as a factor of 4.
    let (ratio, length) = (
        double.as_secs_f64() / single.as_secs_f64(),
        more as f64 / ops as f64,
    );
    assert!(
        ratio < 1.6 * length,
        "{length:.2} times the ops took {ratio:.2} times as long"
    );
}
