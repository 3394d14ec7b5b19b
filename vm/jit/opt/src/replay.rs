//! Optimizing a trace that was recorded without passes, as if it had been recorded with them.
//!
//! File tests and offline experiments start from text: an unpeeled loop, as `noopt` closes it, or a
//! straight trace. Each op goes through the record-time passes; the slots that an unpeeled loop
//! writes back right before its `jump` are the dirty slots that `peel` needs. A trace that is peeled
//! already only runs through the passes over whole traces.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use pyrite_jit_ir::{OpCode, OpRef, SnapshotId, Trace};

use crate::core::{Core, Simplified};
use crate::emitter::{EmitError, unboxed};
use crate::passes::{Pass, PassSet};
use crate::{peel, pipeline};

/// Runs `passes` over a verified trace.
///
/// # Errors
/// [`EmitError::Contradiction`]: a guard of the trace always fails.
pub fn replay(trace: &Trace, passes: PassSet) -> Result<Trace, EmitError> {
    let peeled = trace.loop_index().is_some_and(|index| index > 0);
    if peeled {
        return Ok(pipeline::optimize(trace.clone(), passes, &mut |_, _| {}));
    }
    let mut replay = Replay {
        old: trace,
        core: Core::new(trace.like(), passes),
        subst: vec![OpRef::NONE; trace.ops.len()],
        snapshots: FxHashMap::default(),
    };
    let is_loop = trace.loop_index().is_some();
    let end = trace.ops.len() - 1;
    let written_back = trace.ops[..end]
        .iter()
        .rev()
        .take_while(|op| is_loop && op.code == OpCode::StSlot)
        .count();
    for i in usize::from(is_loop)..end - written_back {
        replay.op(i)?;
    }
    if is_loop && passes.has(Pass::Peel) {
        let mut dirty = BTreeMap::new();
        for op in &trace.ops[end - written_back..end] {
            // The last store of a slot counts.
            dirty.insert(op.imm, replay.resolve(op.a));
        }
        match peel::peel(replay.core, dirty.into_iter().collect()) {
            Ok(peeled) => return Ok(pipeline::optimize(peeled, passes, &mut |_, _| {})),
            Err((_, core)) => replay.core = core,
        }
    }
    for i in end - written_back..=end {
        replay.op(i)?;
    }
    let trace = if is_loop {
        pipeline::loop_at_start(replay.core.trace)
    } else {
        replay.core.trace
    };
    Ok(pipeline::optimize(trace, passes, &mut |_, _| {}))
}

struct Replay<'t> {
    old: &'t Trace,
    core: Core,
    subst: Vec<OpRef>,
    snapshots: FxHashMap<SnapshotId, SnapshotId>,
}

impl Replay<'_> {
    fn resolve(&self, r: OpRef) -> OpRef {
        r.as_op().map_or(r, |i| self.subst[i])
    }

    fn op(&mut self, i: usize) -> Result<(), EmitError> {
        let mut op = self.old.ops[i];
        op.map_operands(|r| self.resolve(r));
        if op.list.len > 0 {
            let list: Vec<OpRef> = self
                .old
                .list(op.list)
                .iter()
                .map(|&r| self.resolve(r))
                .collect();
            op.list = self.core.trace.add_list(&list);
        }
        let snap = op.snap.take();
        self.subst[i] = match self.core.simplify(&mut op) {
            Simplified::Value(r) => r,
            Simplified::Gone => OpRef::NONE,
            Simplified::Emit => {
                op.snap = snap.map(|id| self.snapshot(id));
                self.core.append(&op)
            }
            Simplified::Fails => {
                let pc = snap.map_or(0, |id| self.old.snapshot(id).pc);
                return Err(EmitError::Contradiction {
                    op: op.code.info().name,
                    pc,
                });
            }
        };
        Ok(())
    }

    fn snapshot(&mut self, id: SnapshotId) -> SnapshotId {
        if let Some(&done) = self.snapshots.get(&id) {
            return done;
        }
        let mut snapshot = self.old.snapshot(id).clone();
        snapshot.map_refs(|r| unboxed(&self.core, self.resolve(r)));
        let new = self.core.trace.add_snapshot(snapshot);
        self.snapshots.insert(id, new);
        new
    }
}
