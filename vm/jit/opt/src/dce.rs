//! `dce`: ops whose result nobody needs are dropped, phis among them.
//!
//! Needed are guards, stores, calls that do something, the end of the trace, and what these use,
//! directly or through their snapshots. An overflow test that protects only an unused result goes
//! with it: the trace then goes on where it would have left, in an equal state. A phi is needed if
//! its value is, not because `jump` feeds it.

use std::mem::{replace, take};

use pyrite_jit_ir::{Kind, List, Op, OpCode, OpRef, Resume, Snapshot, SnapshotId, Trace};

use crate::plant::{self, Fault};
use crate::spare;

/// The trace without its dead ops, dead snapshots included.
pub(crate) fn dce(mut trace: Trace) -> Trace {
    let first_phi = trace.loop_index().map_or(0, |i| i + 1);
    let live = live_ops(&trace, first_phi);
    let small = compact(&mut trace, &live, first_phi);
    spare::give(trace);
    small
}

/// What of a trace is needed.
struct Live {
    ops: Vec<bool>,
    op_count: usize,
    snapshot_count: usize,
}

fn live_ops(trace: &Trace, first_phi: usize) -> Live {
    let mut live = vec![false; trace.ops.len()];
    // Many guards share a snapshot.
    let mut shown = vec![false; trace.snapshots.len()];
    // Values that `jump` feeds to the phis, in order.
    let next = trace.ops.last().map_or(&[][..], |op| trace.list(op.list));
    let mut from_next_turn = Vec::new();
    // What an op uses comes before it, so one walk from the end finds all but what the next turn
    // needs.
    for (i, op) in trace.ops.iter().enumerate().rev() {
        let needed = match op.code.kind() {
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
    let count = |flags: &[bool]| flags.iter().filter(|flag| **flag).count();
    Live {
        op_count: count(&live),
        snapshot_count: count(&shown),
        ops: live,
    }
}

/// The ops whose results a needed op uses, those of its snapshot only once. What `jump` feeds is
/// needed if the phi is.
#[inline]
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
        && !replace(&mut shown[snap.index()], true)
    {
        trace.snapshot(snap).refs().for_each(&mut each);
    }
}

/// A trace of what is live, snapshots in the order of their first use. It has no more memory than it
/// needs, and the old one keeps its own.
fn compact(old: &mut Trace, live: &Live, first_phi: usize) -> Trace {
    let room = (live.op_count, live.snapshot_count, old.lists.len());
    let mut new = Trace::with_room(old.id, old.kind, room.0, room.1, room.2);
    new.consts.extend_from_slice(&old.consts);
    new.calls.append(&mut old.calls);
    let mut snapshot_names: Vec<Option<SnapshotId>> = vec![None; old.snapshots.len()];
    let mut names: Vec<OpRef> = Vec::with_capacity(old.ops.len());
    for (op, &needed) in old.ops.iter().zip(&live.ops) {
        if !needed {
            names.push(OpRef::NONE);
            continue;
        }
        let mut op = *op;
        let renamed = |r: OpRef| r.as_op().map_or(r, |i| names[i]);
        op.map_operands(renamed);
        if op.list.len > 0 {
            let start = new.lists.len();
            let all = &old.lists[op.list.start as usize..(op.list.start + op.list.len) as usize];
            for (k, &r) in all.iter().enumerate() {
                if op.code != OpCode::Jump || live.ops[first_phi + k] {
                    new.lists.push(renamed(r));
                }
            }
            let len = (new.lists.len() - start) as u32;
            op.list = List {
                start: if len > 0 { start as u32 } else { 0 },
                len,
            };
        }
        if let Some(id) = op.snap {
            let name = snapshot_names[id.index()].get_or_insert_with(|| {
                let old = &mut old.snapshots[id.index()];
                let mut snapshot = Snapshot {
                    pc: old.pc,
                    base: old.base,
                    mode: replace(&mut old.mode, Resume::Reexec),
                    entries: take(&mut old.entries),
                    virtuals: take(&mut old.virtuals),
                };
                snapshot.map_refs(renamed);
                new.add_snapshot(snapshot)
            });
            op.snap = Some(*name);
        }
        names.push(new.push(op));
    }
    new
}
