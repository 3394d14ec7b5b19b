//! What is kept of a trace when its machine code is made: what its exits show, and what bridges
//! from them inherit.
//!
//! Code lives as long as the program, and most of a trace is of no use to it: the ops themselves are
//! read by nobody any more. So the snapshots move out of the trace, the types of its values are
//! copied, and the trace's memory, which is warm and large, serves the next recording.

use crate::snapshot::Snapshot;
use crate::trace::{Trace, TraceKind};
use crate::types::{Const, OpRef, SnapshotId, TraceId, Ty};

/// The exits of a compiled trace.
#[derive(Clone, Debug)]
pub struct Kept {
    pub id: TraceId,
    pub kind: TraceKind,
    /// Type of each op's result.
    types: Box<[Ty]>,
    consts: Box<[Const]>,
    snapshots: Box<[Snapshot]>,
}

impl Kept {
    /// Takes what is kept out of a finished trace, which loses its snapshots.
    #[must_use]
    pub fn take(trace: &mut Trace) -> Kept {
        Kept {
            id: trace.id,
            kind: trace.kind,
            types: trace.ops.iter().map(|op| op.ty).collect(),
            consts: trace.consts.as_slice().into(),
            snapshots: trace.snapshots.drain(..).collect(),
        }
    }

    /// What would be kept of a trace that is needed as a whole.
    #[must_use]
    pub fn of(trace: &Trace) -> Kept {
        Kept::take(&mut trace.clone())
    }

    /// Number of ops the trace had.
    #[must_use]
    #[inline]
    pub fn op_count(&self) -> usize {
        self.types.len()
    }

    /// How many exits there are.
    #[must_use]
    #[inline]
    pub fn snapshot_count(&self) -> usize {
        self.snapshots.len()
    }

    #[must_use]
    #[inline]
    pub fn snapshot(&self, id: SnapshotId) -> &Snapshot {
        &self.snapshots[id.index()]
    }

    /// The constant a ref names, if it names one.
    #[must_use]
    #[inline]
    pub fn as_const(&self, r: OpRef) -> Option<Const> {
        r.as_const().map(|i| self.consts[i])
    }

    /// Type of an op's result or of a constant; virtual objects are `Val`.
    #[must_use]
    #[inline]
    pub fn ty(&self, r: OpRef) -> Ty {
        match (r.as_op(), self.as_const(r)) {
            (Some(i), _) => self.types[i],
            (_, Some(value)) => value.ty(),
            _ => Ty::Val,
        }
    }
}
