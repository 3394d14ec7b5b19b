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
pub(crate) fn dce(trace: &Trace) -> Trace {
    let live = live_ops(trace);
    let mut rebuild = Rebuild::new(trace);
    for (i, op) in trace.ops.iter().enumerate() {
        if op.code == OpCode::Jump {
            let fed = live_phi_values(trace, op, &live)
                .map(|(_, r)| rebuild.resolve(r))
                .collect::<Vec<_>>();
            let list = rebuild.new.add_list(&fed);
            rebuild.new.push(Op { list, ..*op });
        } else if live[i] {
            rebuild.copy(i);
        }
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

fn live_phi_values<'t>(
    trace: &'t Trace,
    jump: &Op,
    live: &'t [bool],
) -> impl Iterator<Item = (usize, OpRef)> + use<'t> {
    let base = next_base(trace);
    let fed = trace.list(jump.list).iter().enumerate();
    fed.map(move |(i, &r)| (base + i, r))
        .filter(|&(phi, _)| live[phi])
}
