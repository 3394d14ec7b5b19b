//! `peel`: the loop's first iteration becomes a preamble, so that what does not change is not done
//! again.
//!
//! The recorded iteration is emitted a second time through the same record-time passes, each ref
//! replaced by what it became, and each `slot n` by the slot's value at the end of the first
//! iteration. What the passes drop from the second iteration is invariant; what is left is the body.
//!
//! ```text
//! v0 = slot 0                          ; preamble        v0 stands for i2's box in the body
//! is_int v0                            ;                 a box_int is an int: gone
//! i1 = unbox_int v0                    ;                 is i2
//! i2 = iadd_ovf i1, 1                  ;                 i4 = iadd_ovf i2, 1
//! loop
//! i3 = phi i2                          ; i2 is used in the body and is i4 one iteration later
//! i4 = iadd_ovf i3, 1
//! jump [i4]
//! ```
//!
//! A value of the preamble that the body uses and that another value replaces is loop-carried: it
//! becomes a phi. Nothing else has to be discovered, since a type that changes from one iteration to
//! the next shows as a guard that fails for certain: a contradiction, and the loop stays unpeeled.
//!
//! Why facts found in the preamble hold in every later iteration: each is deduced from ops of the
//! preamble and from their order. Every iteration performs the same ops on the values that replace
//! theirs in the same order, so the same deduction holds for the replacements. Hence no pass may
//! deduce anything from a position, a fact from before the trace, or a guard that is not repeated.

use pyrite_jit_ir::{Op, OpCode, OpRef, Snapshot, SnapshotId, Trace};

use crate::core::{Core, Simplified};
use crate::emitter::unboxed;
use crate::plant::{self, Fault};

/// Why a loop stays unpeeled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PeelFailure {
    /// The second iteration must leave the trace at a guard of the first: types or shapes alternate.
    #[error("the second iteration contradicts the first at op {op}")]
    Contradiction {
        /// Index of the op in the recording.
        op: usize,
    },
    /// Slots are written back for a call that looks at frames; in the second iteration others would
    /// have to be.
    #[error("a call inside the loop reads VM-stack slots that the trace has written back")]
    FlushingCall,
}

/// Peels a recording whose slots `dirty` (ascending) hold these values at its end.
///
/// # Errors
/// Why not, and the recording as it was.
#[expect(
    clippy::result_large_err,
    reason = "the caller owns both, and a box would be one more allocation"
)]
pub(crate) fn peel(core: Core, dirty: Vec<(i32, OpRef)>) -> Result<Trace, (PeelFailure, Core)> {
    let recorded = &core.trace;
    let any = |test: fn(&Op) -> bool| recorded.ops.iter().any(test);
    let stores_slots = any(|op| op.code == OpCode::StSlot);
    if stores_slots && any(|op| op.code == OpCode::Call && op.snap.is_some()) {
        return Err((PeelFailure::FlushingCall, core));
    }
    let (len, lists) = (recorded.ops.len(), recorded.lists.len());
    let snapshots = recorded.snapshots.len();
    let mut second = Second {
        core,
        subst: vec![OpRef::NONE; len],
        snapshots: vec![None; snapshots],
        dirty,
    };
    second.core.append(&Op::new(OpCode::Loop));
    for i in 0..len {
        if let Err(failure) = second.emit(i) {
            // What the second iteration added comes last everywhere.
            let mut core = second.core;
            core.rewind(len, lists, snapshots);
            return Err((failure, core));
        }
    }
    Ok(close(second, len, lists, snapshots))
}

/// The second iteration while it is emitted.
struct Second {
    core: Core,
    /// What each op of the first iteration became.
    subst: Vec<OpRef>,
    snapshots: Vec<Option<SnapshotId>>,
    /// Slots whose value at the end of the first iteration is not in the VM stack, ascending.
    dirty: Vec<(i32, OpRef)>,
}

impl Second {
    fn emit(&mut self, i: usize) -> Result<(), PeelFailure> {
        let mut op = self.core.trace.ops[i];
        if op.code == OpCode::Slot
            && let Ok(at) = self.find(op.imm)
        {
            self.subst[i] = self.dirty[at].1;
            return Ok(());
        }
        op.map_operands(|r| substituted(&self.subst, r));
        let subst = &self.subst;
        op.list = (self.core.trace).mapped_list(op.list, |r| substituted(subst, r));
        let snap = op.snap.take();
        self.subst[i] = match self.core.simplify(&mut op) {
            Simplified::Value(r) => r,
            Simplified::Gone => OpRef::NONE,
            Simplified::Fails => return Err(PeelFailure::Contradiction { op: i }),
            Simplified::Emit => {
                op.snap = snap.map(|id| self.snapshot(id));
                self.core.append(&op)
            }
        };
        if op.code == OpCode::StSlot
            && let Ok(at) = self.find(op.imm)
        {
            self.dirty.remove(at);
        }
        Ok(())
    }

    /// Where a slot stands in [`Second::dirty`].
    fn find(&self, slot: i32) -> Result<usize, usize> {
        self.dirty.binary_search_by_key(&slot, |&(n, _)| n)
    }

    /// The state of the first iteration's snapshot one iteration later.
    fn snapshot(&mut self, id: SnapshotId) -> SnapshotId {
        if let Some(done) = self.snapshots[id.index()] {
            return done;
        }
        let old = self.core.trace.snapshot(id);
        let entries = if plant::is(Fault::BodyForgetsPreamble) {
            let entries = old.entries.iter();
            entries
                .map(|&(n, r)| (n, substituted(&self.subst, r)))
                .collect()
        } else {
            self.merged(&old.entries)
        };
        let mut snapshot = Snapshot {
            pc: old.pc,
            base: old.base,
            mode: old.mode,
            entries: Vec::new(),
            virtuals: old.virtuals.clone(),
        };
        snapshot.map_refs(|r| substituted(&self.subst, r));
        snapshot.entries = entries;
        snapshot.map_refs(|r| unboxed(&self.core, r));
        let new = self.core.trace.add_snapshot(snapshot);
        self.snapshots[id.index()] = Some(new);
        new
    }

    /// The slots of the iteration before under those of this one; both ascending.
    fn merged(&self, entries: &[(i32, OpRef)]) -> Vec<(i32, OpRef)> {
        let both = (entries.iter())
            .filter(|&&(n, _)| self.find(n).is_ok())
            .count();
        let mut out = Vec::with_capacity(entries.len() + self.dirty.len() - both);
        let entry = |&(n, r): &(i32, OpRef)| (n, substituted(&self.subst, r));
        let mut entries = entries.iter().map(entry).peekable();
        for &(slot, value) in &self.dirty {
            while let Some(entry) = entries.next_if(|&(n, _)| n < slot) {
                out.push(entry);
            }
            if entries.peek().is_none_or(|&(n, _)| n > slot) {
                out.push((slot, value));
            }
        }
        out.extend(entries);
        out
    }
}

fn substituted(subst: &[OpRef], r: OpRef) -> OpRef {
    r.renamed(subst)
}

/// Puts phis behind the loop header and closes the loop: what comes after them moves on by their
/// number, and the body means them where it named the values they carry.
fn close(second: Second, len: usize, lists: usize, snapshots: usize) -> Trace {
    let carried = loop_carried(&second, len, snapshots);
    let Second { core, subst, .. } = second;
    let mut trace = core.trace;
    // New names: of the preamble's values that are carried, and of the body's.
    let mut phis = 0;
    let body_name: Vec<OpRef> = (0..len)
        .map(|i| {
            if !carried[i] {
                return OpRef::op(i);
            }
            phis += 1;
            OpRef::op(len + phis)
        })
        .collect();
    let renamed = |r: OpRef| match r.as_op() {
        Some(i) if i < len => body_name[i],
        Some(i) => OpRef::op(i + phis),
        None => r,
    };
    for op in &mut trace.ops[len + 1..] {
        op.map_operands(renamed);
    }
    for r in &mut trace.lists[lists..] {
        *r = renamed(*r);
    }
    for snapshot in &mut trace.snapshots[snapshots..] {
        snapshot.map_refs(renamed);
    }
    let values = || (0..len).filter(|&i| carried[i]);
    let made: Vec<Op> = values()
        .map(|i| Op {
            ty: trace.ops[i].ty,
            ..Op::new(OpCode::Phi).with(&[OpRef::op(i)])
        })
        .collect();
    trace.ops.splice(len + 1..len + 1, made);
    let next: Vec<OpRef> = values().map(|i| renamed(subst[i])).collect();
    let list = trace.add_list(&next);
    trace.push(Op {
        list,
        ..Op::new(OpCode::Jump)
    });
    trace
}

/// Which preamble values the body uses and differ in the next iteration.
fn loop_carried(second: &Second, len: usize, snapshots: usize) -> Vec<bool> {
    let trace = &second.core.trace;
    let mut carried = vec![false; len];
    let mut work = Vec::with_capacity(32);
    let mut used = |work: &mut Vec<OpRef>, r: OpRef| {
        if let Some(i) = r.as_op().filter(|&i| i < len)
            && second.subst[i] != r
            && !std::mem::replace(&mut carried[i], true)
        {
            work.push(second.subst[i]);
        }
    };
    for op in &trace.ops[len + 1..] {
        trace.operands(op).for_each(|r| used(&mut work, r));
    }
    if !plant::is(Fault::ExitsNotCarried) {
        for snapshot in &trace.snapshots[snapshots..] {
            snapshot.refs().for_each(|r| used(&mut work, r));
        }
    }
    while let Some(r) = work.pop() {
        used(&mut work, r);
    }
    carried
}
