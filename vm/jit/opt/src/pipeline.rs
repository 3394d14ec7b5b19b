//! Order of the passes over a finished trace. The record-time passes (`fold`, `cse`, `guards`,
//! `heap`, and `peel` through them) have done their work when a trace arrives here.

use pyrite_jit_ir::{Op, OpCode, OpRef, Trace, verify};

use crate::passes::{Pass, PassSet};
use crate::{dce, sink};

/// Runs the passes that look at a whole trace: `sink`, then `dce`.
///
/// `observe` sees the trace after each of them. In debug builds each result is verified.
///
/// # Panics
/// In debug builds, when a trace breaks a rule of the IR: that is a defect of the pass before.
pub fn optimize(
    trace: Trace,
    passes: PassSet,
    observe: &mut dyn FnMut(&'static str, &Trace),
) -> Trace {
    check(&trace, "record");
    let mut run = |pass: Pass, trace: Trace, act: fn(Trace) -> Trace| {
        if !passes.has(pass) {
            return trace;
        }
        let trace = act(trace);
        check(&trace, pass.name());
        observe(pass.name(), &trace);
        trace
    };
    let trace = run(Pass::Sink, trace, sink::sink);
    run(Pass::Dce, trace, dce::dce)
}

/// An unpeeled loop: the header comes before everything, and all else moves on by one.
pub(crate) fn loop_at_start(mut trace: Trace) -> Trace {
    let renamed = |r: OpRef| r.as_op().map_or(r, |i| OpRef::op(i + 1));
    for op in &mut trace.ops {
        op.map_operands(renamed);
    }
    for r in &mut trace.lists {
        *r = renamed(*r);
    }
    for snapshot in &mut trace.snapshots {
        snapshot.map_refs(renamed);
    }
    trace.ops.insert(0, Op::new(OpCode::Loop));
    trace
}

fn check(trace: &Trace, stage: &str) {
    if cfg!(debug_assertions)
        && let Err(error) = verify(trace)
    {
        panic!("the trace breaks a rule after `{stage}`: {error}\n{trace}");
    }
}
