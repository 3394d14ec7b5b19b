//! `cse`: an op equal to an earlier one is that one.
//!
//! Traces are straight lines, so every earlier op dominates. Only ops whose result depends on their
//! operands alone take part, calls of elidable functions among them; guards and loads have passes of
//! their own ([`crate::guards`], [`crate::heap`]). An overflow-checked op may stand for an equal one:
//! where the first did not leave the trace, the second would not either.

use pyrite_jit_ir::index::{Index, mix};
use pyrite_jit_ir::{Op, OpCode, OpRef, Trace};

use crate::plant::{self, Fault};

/// The ops that later ones may be equal to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cse {
    /// Pure ops and calls of elidable functions, by [`hash`].
    ops: Index,
    /// What was taken out of a word, by the word's op.
    unboxed: Vec<OpRef>,
    /// The same for constant words, by their place in the pool.
    unboxed_consts: Vec<OpRef>,
}

impl Cse {
    /// Forgets everything, but keeps its memory for the next trace.
    pub(crate) fn clear(&mut self) {
        self.ops.clear();
        self.unboxed.clear();
        self.unboxed_consts.clear();
    }

    /// Makes this table equal to another, in the memory it has.
    pub(crate) fn copy_from(&mut self, other: &Cse) {
        self.ops.copy_from(&other.ops);
        self.unboxed.clone_from(&other.unboxed);
        self.unboxed_consts.clone_from(&other.unboxed_consts);
    }

    /// The earlier op with the same result.
    #[inline]
    pub(crate) fn find(&self, trace: &Trace, op: &Op) -> Option<OpRef> {
        if !takes_part(trace, op) {
            return None;
        }
        let same = |n: u32| equal(trace, &trace.ops[n as usize], op);
        let found = self.ops.find(hash(trace, op), same)?;
        Some(OpRef::op(found as usize))
    }

    /// The int or double that was taken out of a word.
    #[inline]
    pub(crate) fn find_unboxed(&self, word: OpRef) -> Option<OpRef> {
        let table = if word.is_const() {
            &self.unboxed_consts
        } else {
            &self.unboxed
        };
        let place = word.as_op().or_else(|| word.as_const())?;
        table.get(place).copied().filter(|r| !r.is_none())
    }

    /// Remembers an emitted op.
    #[inline]
    pub(crate) fn learn(&mut self, trace: &Trace, op: &Op, r: OpRef) {
        if !takes_part(trace, op) {
            return;
        }
        let Some(n) = r.as_op() else { return };
        let same = |m: u32| equal(trace, &trace.ops[m as usize], op);
        let hash_of = |m: u32| hash(trace, &trace.ops[m as usize]);
        self.ops.insert(hash(trace, op), n as u32, same, hash_of);
        match op.code {
            OpCode::UnboxInt => self.note_unboxed(op.a, r),
            OpCode::UnboxFlt if self.find_unboxed(op.a).is_none() => self.note_unboxed(op.a, r),
            _ => {}
        }
    }

    fn note_unboxed(&mut self, word: OpRef, r: OpRef) {
        let (table, place) = match (word.as_op(), word.as_const()) {
            (Some(i), _) => (&mut self.unboxed, i),
            (_, Some(i)) => (&mut self.unboxed_consts, i),
            _ => return,
        };
        if table.len() <= place {
            table.resize((place + 1).next_multiple_of(32), OpRef::NONE);
        }
        table[place] = r;
    }
}

fn takes_part(trace: &Trace, op: &Op) -> bool {
    op.code.is_pure() || op.code == OpCode::Call && trace.target(op).effects.is_elidable()
}

fn hash(trace: &Trace, op: &Op) -> u32 {
    if op.code == OpCode::Call {
        let args = trace.list(op.list).iter();
        return args.fold(op.imm as u32, |hash, arg| {
            mix(u64::from(hash) << 32, u64::from(arg.bits()))
        });
    }
    let (a, b) = operands(op);
    let operands = u64::from(a.bits()) << 32 | u64::from(b.bits());
    mix(operands, op.code as u64)
}

fn equal(trace: &Trace, a: &Op, b: &Op) -> bool {
    if a.code != b.code || operands(a) != operands(b) {
        return false;
    }
    a.code != OpCode::Call || a.imm == b.imm && trace.list(a.list) == trace.list(b.list)
}

fn operands(op: &Op) -> (OpRef, OpRef) {
    let half = plant::is(Fault::HalfKey) && !op.b.is_none();
    (op.a, if half { op.a } else { op.b })
}
