//! Copying a trace op by op into a new one: the common ground of passes that drop, insert or
//! reorder ops. Operands, lists and snapshots are renumbered on the way.

use rustc_hash::FxHashMap;

use pyrite_jit_ir::{Op, OpRef, SnapshotId, Trace};

/// A trace under copy.
pub(crate) struct Rebuild<'t> {
    old: &'t Trace,
    pub(crate) new: Trace,
    /// What each old op is in the new trace.
    map: Vec<OpRef>,
    snapshots: FxHashMap<SnapshotId, SnapshotId>,
    /// Renamings that take effect together at [`Rebuild::commit_pending`].
    pub(crate) pending: Vec<(OpRef, OpRef)>,
}

impl<'t> Rebuild<'t> {
    pub(crate) fn new(old: &'t Trace) -> Rebuild<'t> {
        Rebuild {
            old,
            new: old.like(),
            map: vec![OpRef::NONE; old.ops.len()],
            snapshots: FxHashMap::default(),
            pending: Vec::new(),
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
        let mut op = self.old.ops[index];
        op.map_operands(|r| self.resolve(r));
        if op.list.len > 0 {
            let list: Vec<OpRef> = self
                .old
                .list(op.list)
                .iter()
                .map(|&r| self.resolve(r))
                .collect();
            op.list = self.new.add_list(&list);
        }
        op
    }

    fn snapshot(&mut self, id: SnapshotId) -> SnapshotId {
        if let Some(&done) = self.snapshots.get(&id) {
            return done;
        }
        let mut snapshot = self.old.snapshot(id).clone();
        snapshot.map_refs(|r| self.resolve(r));
        let new = self.new.add_snapshot(snapshot);
        self.snapshots.insert(id, new);
        new
    }
}
