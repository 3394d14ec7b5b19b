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
    // Many guards share a snapshot.
    let mut shown = vec![false; trace.snapshots.len()];
    let (next, first_phi) = (next_values(trace), next_base(trace));
    let mut from_next_turn = Vec::new();
    // What an op uses comes before it, so one walk from the end finds all but what the next turn
    // needs.
    for (i, op) in trace.ops.iter().enumerate().rev() {
        let needed = match op.code.info().kind {
            Kind::Guard | Kind::Control => true,
            Kind::Call if plant::is(Fault::CallsDropped) => false,
            _ => trace.has_effect(op),
        };
        if !needed && !live[i] {
            continue;
        }
        live[i] = true;
        each_use(trace, op, &mut shown, |used| live[used] = true);
        if op.code == OpCode::Phi {
            from_next_turn.push(next[i - first_phi]);
        }
    }
    let mut work = from_next_turn;
    if plant::is(Fault::PhiStaysInitial) {
        work.clear();
    }
    while let Some(r) = work.pop() {
        let Some(i) = r.as_op().filter(|&i| !live[i]) else {
            continue;
        };
        live[i] = true;
        let op = &trace.ops[i];
        each_use(trace, op, &mut shown, |used| work.push(OpRef::op(used)));
        if op.code == OpCode::Phi {
            work.push(next[i - first_phi]);
        }
    }
    live
}

/// The ops whose results a needed op uses, those of its snapshot only once. What `jump` feeds is
/// needed if the phi is.
fn each_use(trace: &Trace, op: &Op, shown: &mut [bool], mut each: impl FnMut(usize)) {
    let mut each = |r: OpRef| {
        if let Some(i) = r.as_op() {
            each(i);
        }
    };
    if op.code != OpCode::Jump {
        trace.operands(op).for_each(&mut each);
    }
    if let Some(snap) = op.snap
        && !std::mem::replace(&mut shown[snap.index()], true)
    {
        trace.snapshot(snap).refs().for_each(&mut each);
    }
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
