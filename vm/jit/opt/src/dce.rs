//! `dce`: ops whose result nobody needs are dropped, phis among them.
//!
//! Needed are guards, stores, calls that do something, the end of the trace, and what these use,
//! directly or through their snapshots. An overflow test that protects only an unused result goes
//! with it: the trace then goes on where it would have left, in an equal state. A phi is needed if
//! its value is, not because `jump` feeds it.

use std::mem::replace;

use pyrite_jit_ir::{Kind, List, Op, OpCode, OpRef, SnapshotId, Trace};

use crate::plant::{self, Fault};

/// The trace without its dead ops, dead snapshots included.
pub(crate) fn dce(mut trace: Trace) -> Trace {
    let first_phi = trace.loop_index().map_or(0, |i| i + 1);
    let live = live_ops(&trace, first_phi);
    compact(&mut trace, &live, first_phi);
    trace
}

/// What of a trace is needed.
struct Live {
    ops: Vec<bool>,
    snapshots: Vec<bool>,
}

/// Snapshots whose values are known to be needed.
struct Shown {
    flags: Vec<bool>,
    /// The one found last; those of its neighbours are mostly the same.
    last: Option<SnapshotId>,
}

fn live_ops(trace: &Trace, first_phi: usize) -> Live {
    let mut live = vec![false; trace.ops.len()];
    // Many guards share a snapshot.
    let mut shown = Shown {
        flags: vec![false; trace.snapshots.len()],
        last: None,
    };
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
        each_use(trace, op, &mut shown, |used| {
            if let Some(flag) = live.get_mut(used.bits() as usize) {
                *flag = true;
            }
        });
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
        each_use(trace, op, &mut shown, |used| work.push(used));
        if op.code == OpCode::Phi {
            work.push(next[i - first_phi]);
        }
    }
    Live {
        ops: live,
        snapshots: shown.flags,
    }
}

/// What a needed op uses, those of its snapshot only once. What `jump` feeds is
/// needed if the phi is.
#[inline]
fn each_use(trace: &Trace, op: &Op, shown: &mut Shown, mut each: impl FnMut(OpRef)) {
    if op.code != OpCode::Jump {
        trace.operands(op).for_each(&mut each);
    }
    if let Some(snap) = op.snap
        && !replace(&mut shown.flags[snap.index()], true)
    {
        let state = trace.snapshot(snap);
        let new = match shown.last.replace(snap) {
            Some(last) => state.changed_from(trace.snapshot(last)),
            None => 0..state.entries.len(),
        };
        state.entries[new].iter().for_each(|&(_, r)| each(r));
        state.other_refs().for_each(&mut each);
    }
}

/// Leaves only what is live, in the memory the trace has: what stays moves towards the start and
/// keeps its order.
fn compact(trace: &mut Trace, live: &Live, first_phi: usize) {
    let Trace {
        ops,
        snapshots,
        lists,
        ..
    } = trace;
    // Names of what stays, by what it was called before.
    let mut names: Vec<OpRef> = Vec::with_capacity(ops.len());
    let mut snapshot_names: Vec<SnapshotId> = Vec::with_capacity(snapshots.len());
    let mut shown = 0;
    for &is_shown in &live.snapshots {
        snapshot_names.push(SnapshotId(shown));
        shown += u32::from(is_shown);
    }
    let (mut kept, mut lists_end) = (0, 0);
    for i in 0..ops.len() {
        if !live.ops[i] {
            names.push(OpRef::NONE);
            continue;
        }
        let op = &mut ops[i];
        let renamed = |r: OpRef| r.renamed(&names);
        op.map_operands(renamed);
        if op.list.len > 0 {
            // Each list has its own place, which what is left of it fits.
            let List { start, len } = op.list;
            debug_assert!(start >= lists_end, "each list has its own place, in order");
            lists_end = start + len;
            let mut end = start;
            for k in 0..len {
                if op.code != OpCode::Jump || live.ops[first_phi + k as usize] {
                    lists[end as usize] = renamed(lists[(start + k) as usize]);
                    end += 1;
                }
            }
            op.list = match end - start {
                0 => List::default(),
                len => List { start, len },
            };
        }
        if let Some(id) = &mut op.snap {
            *id = snapshot_names[id.index()];
        }
        ops[kept] = ops[i];
        names.push(OpRef::op(kept));
        kept += 1;
    }
    ops.truncate(kept);
    let mut is_shown = live.snapshots.iter();
    snapshots.retain(|_| is_shown.next() == Some(&true));
    for snapshot in snapshots {
        snapshot.map_refs(|r| r.renamed(&names));
    }
}
