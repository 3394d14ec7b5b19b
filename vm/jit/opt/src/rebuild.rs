//! Copying a trace op by op into a new one: the common ground of passes that drop, insert or
//! reorder ops. Operands, lists and snapshots are renumbered on the way.

use std::mem::take;

use pyrite_jit_ir::{Op, OpRef, Resume, Snapshot, SnapshotId, Trace};

/// The trace that is copied: borrowed, or used up on the way.
enum Old<'t> {
    Kept(&'t Trace),
    Spent(Trace),
}

/// A trace under copy.
pub(crate) struct Rebuild<'t> {
    old: Old<'t>,
    pub(crate) new: Trace,
    /// What each old op is in the new trace.
    map: Vec<OpRef>,
    snapshots: Vec<Option<SnapshotId>>,
    /// Renamings that take effect together at [`Rebuild::commit_pending`].
    pub(crate) pending: Vec<(OpRef, OpRef)>,
}

impl<'t> Rebuild<'t> {
    pub(crate) fn new(old: &'t Trace) -> Rebuild<'t> {
        Rebuild {
            new: old.like(),
            map: vec![OpRef::NONE; old.ops.len()],
            snapshots: vec![None; old.snapshots.len()],
            pending: Vec::new(),
            old: Old::Kept(old),
        }
    }

    /// Uses the old trace up: its constants and call table go over at once, its snapshots when they
    /// are copied.
    pub(crate) fn spending(mut old: Trace) -> Rebuild<'t> {
        let new = old.successor();
        Rebuild {
            new,
            map: vec![OpRef::NONE; old.ops.len()],
            snapshots: vec![None; old.snapshots.len()],
            pending: Vec::new(),
            old: Old::Spent(old),
        }
    }

    fn old(&self) -> &Trace {
        match &self.old {
            Old::Kept(trace) => trace,
            Old::Spent(trace) => trace,
        }
    }

    /// The new name of an old ref.
    pub(crate) fn resolve(&self, r: OpRef) -> OpRef {
        r.as_op().map_or(r, |i| self.map[i])
    }

    /// From now on, old `r` is `new`.
    pub(crate) fn rename(&mut self, r: OpRef, new: OpRef) {
        if let Some(i) = r.as_op() {
            self.map[i] = new;
        }
    }

    /// Makes all pending renamings.
    pub(crate) fn commit_pending(&mut self) {
        for (r, new) in std::mem::take(&mut self.pending) {
            self.rename(r, new);
        }
    }

    /// Copies the old op at `index` with its snapshot.
    pub(crate) fn copy(&mut self, index: usize) -> OpRef {
        let mut op = self.renamed(index);
        op.snap = op.snap.map(|id| self.snapshot(id));
        let r = self.new.push(op);
        self.map[index] = r;
        r
    }

    /// The old op at `index` with new operands and list, its snapshot still the old one.
    pub(crate) fn renamed(&mut self, index: usize) -> Op {
        let mut op = self.old().ops[index];
        op.map_operands(|r| self.resolve(r));
        if op.list.len > 0 {
            let list: Vec<OpRef> = self
                .old()
                .list(op.list)
                .iter()
                .map(|&r| self.resolve(r))
                .collect();
            op.list = self.new.add_list(&list);
        }
        op
    }

    fn snapshot(&mut self, id: SnapshotId) -> SnapshotId {
        if let Some(done) = self.snapshots[id.index()] {
            return done;
        }
        let mut snapshot = match &mut self.old {
            Old::Kept(trace) => trace.snapshot(id).clone(),
            Old::Spent(trace) => {
                let old = &mut trace.snapshots[id.index()];
                Snapshot {
                    pc: old.pc,
                    base: old.base,
                    mode: std::mem::replace(&mut old.mode, Resume::Reexec),
                    entries: take(&mut old.entries),
                    virtuals: take(&mut old.virtuals),
                }
            }
        };
        snapshot.map_refs(|r| self.resolve(r));
        let new = self.new.add_snapshot(snapshot);
        self.snapshots[id.index()] = Some(new);
        new
    }
}
