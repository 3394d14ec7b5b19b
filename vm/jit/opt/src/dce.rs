//! `dce`: ops whose result nobody needs are dropped, phis among them.
//!
//! Needed are guards, stores, calls that do something, the end of the trace, and what these use,
//! directly or through their snapshots. An overflow test that protects only an unused result goes
//! with it: the trace then goes on where it would have left, in an equal state. A phi is needed if
//! its value is, not because `jump` feeds it.

use pyrite_jit_ir::{Kind, Op, OpCode, OpRef, Trace};

use crate::plant::{self, Fault};
use crate::rebuild::Rebuild;

/// The trace without its dead ops, dead snapshots included.
pub(crate) fn dce(trace: Trace) -> Trace {
    let live = live_ops(&trace);
    let jump = trace.ops.last().copied();
    let jump = jump.filter(|op| op.code == OpCode::Jump);
    let fed: Vec<OpRef> = jump.map_or(Vec::new(), |op| live_phi_values(&trace, &op, &live));
    let len = trace.ops.len() - usize::from(jump.is_some());
    let mut rebuild = Rebuild::spending(trace);
    for (i, _) in live[..len].iter().enumerate().filter(|(_, live)| **live) {
        rebuild.copy(i);
    }
    if let Some(op) = jump {
        let fed: Vec<OpRef> = fed.into_iter().map(|r| rebuild.resolve(r)).collect();
        let list = rebuild.new.add_list(&fed);
        rebuild.new.push(Op { list, ..op });
    }
    rebuild.new
}

fn live_ops(trace: &Trace) -> Vec<bool> {
    let mut live = vec![false; trace.ops.len()];
    let mut work = Vec::new();
    for (r, op) in trace.iter() {
        let needed = match op.code.info().kind {
            Kind::Guard | Kind::Control => true,
            Kind::Call if plant::is(Fault::CallsDropped) => false,
            _ => trace.has_effect(op),
        };
        if needed {
            work.push(r);
        }
    }
    let (next, first_phi) = (next_values(trace), next_base(trace));
    while let Some(r) = work.pop() {
        let Some(i) = r
            .as_op()
            .filter(|&i| !std::mem::replace(&mut live[i], true))
        else {
            continue;
        };
        let op = &trace.ops[i];
        if op.code != OpCode::Jump {
            work.extend(trace.operands(op));
        }
        if op.code == OpCode::Phi {
            if plant::is(Fault::PhiStaysInitial) {
                continue;
            }
            work.push(next[i - first_phi]);
        }
        if let Some(snap) = op.snap {
            work.extend(trace.snapshot(snap).refs());
        }
    }
    live
}

/// Values that `jump` feeds to the phis, in order.
fn next_values(trace: &Trace) -> Vec<OpRef> {
    trace
        .ops
        .last()
        .map_or(Vec::new(), |last| trace.list(last.list).to_vec())
}

/// Index of the first phi.
fn next_base(trace: &Trace) -> usize {
    trace.loop_index().map_or(0, |i| i + 1)
}

/// What `jump` feeds to the phis that are needed.
fn live_phi_values(trace: &Trace, jump: &Op, live: &[bool]) -> Vec<OpRef> {
    let base = next_base(trace);
    let fed = trace.list(jump.list).iter().enumerate();
    fed.filter(|&(i, _)| live[base + i])
        .map(|(_, &r)| r)
        .collect()
}
