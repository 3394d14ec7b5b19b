//! `cse`: an op equal to an earlier one is that one.
//!
//! Traces are straight lines, so every earlier op dominates. Only ops whose result depends on their
//! operands alone take part, calls of elidable functions among them; guards and loads have passes of
//! their own ([`crate::guards`], [`crate::heap`]). An overflow-checked op may stand for an equal one:
//! where the first did not leave the trace, the second would not either.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};

use crate::plant::{self, Fault};
use pyrite_jit_ir::{Op, OpCode, OpRef, Trace};

/// The ops that later ones may be equal to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cse {
    ops: FxHashMap<(OpCode, OpRef, OpRef), OpRef>,
    /// Calls of elidable functions, by a hash of callee and arguments; few.
    calls: FxHashMap<u64, OpRef>,
}

impl Cse {
    /// Forgets everything, but keeps its memory for the next trace.
    pub(crate) fn clear(&mut self) {
        self.ops.clear();
        self.calls.clear();
    }

    /// Makes this table equal to another, in the memory it has.
    pub(crate) fn copy_from(&mut self, other: &Cse) {
        self.ops.clone_from(&other.ops);
        self.calls.clone_from(&other.calls);
    }

    /// The earlier op with the same result.
    pub(crate) fn find(&self, trace: &Trace, op: &Op) -> Option<OpRef> {
        if op.code.is_pure() {
            self.ops.get(&key(op)).copied()
        } else if is_elidable_call(trace, op) {
            let r = *self.calls.get(&call_hash(trace, op))?;
            let other = trace.def(r)?;
            (other.imm == op.imm && trace.list(other.list) == trace.list(op.list)).then_some(r)
        } else {
            None
        }
    }

    /// The int or double that was taken out of a word.
    pub(crate) fn find_unboxed(&self, word: OpRef) -> Option<OpRef> {
        let find = |code| self.ops.get(&(code, word, OpRef::NONE)).copied();
        find(OpCode::UnboxInt).or_else(|| find(OpCode::UnboxFlt))
    }

    /// Remembers an emitted op.
    pub(crate) fn learn(&mut self, trace: &Trace, op: &Op, r: OpRef) {
        if op.code.is_pure() {
            self.ops.insert(key(op), r);
        } else if is_elidable_call(trace, op) {
            self.calls.insert(call_hash(trace, op), r);
        }
    }
}

fn call_hash(trace: &Trace, op: &Op) -> u64 {
    let mut hasher = FxHasher::default();
    op.imm.hash(&mut hasher);
    trace.list(op.list).hash(&mut hasher);
    hasher.finish()
}

fn key(op: &Op) -> (OpCode, OpRef, OpRef) {
    let half = plant::is(Fault::HalfKey) && !op.b.is_none();
    (op.code, op.a, if half { op.a } else { op.b })
}

fn is_elidable_call(trace: &Trace, op: &Op) -> bool {
    op.code == OpCode::Call && trace.target(op).effects.is_elidable()
}
