//! From trace to allocation problem: which op reads, defines and destroys what.
//!
//! Ops and values share their index, constants and virtual objects are no values. A `param` exists
//! before the first op, a `phi` is defined by its `loop`. Exit states count as uses that a spill
//! slot serves as well as a register, late ones where the op writes its result before it knows that
//! it will stay in the trace.

use std::ops::Range;

use pyrite_jit_ir::{Kind, OpCode, OpRef, SnapshotId, Trace, Ty};
use pyrite_jit_regalloc::{
    Class, Describe, Hint, Lives, Loc, Loop, Phi, Problem, RegSet, Use, Value,
};

use crate::lower::outgoing_words;
use crate::regs::{ALL, CALLEE_SAVED, GPR, XMM};

/// The problem of a trace, for the checker; `parent` has the places of a bridge's inherited values.
pub(crate) fn problem(trace: &Trace, parent: &[Loc]) -> Problem {
    let mut p = Problem::default();
    for index in 0..trace.ops.len() {
        let (class, hint) = about(trace, parent, index);
        p.value(class, hint);
    }
    let mut survey = Survey::default();
    survey.look(trace);
    p.looped = looped(trace, &survey);
    describe::<true>(trace, &survey, &mut p);
    p
}

/// Fills in what the allocator wants to know of a trace.
pub(crate) fn lives(trace: &Trace, survey: &Survey, out: &mut Lives) {
    out.restart(trace.ops.len(), looped(trace, survey));
    describe::<false>(trace, survey, out);
}

/// Where a trace leaves by a snapshot for the last time.
#[derive(Debug, Clone)]
struct LastExit {
    op: u32,
    /// Entries that the snapshot used next does not have; what the others name lives longer anyway.
    own: Range<usize>,
}

/// What one look at all ops tells.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// For each snapshot the last op that names it: what lives until there lives at the ones before,
    /// too.
    last_exits: Vec<LastExit>,
    /// Index of the `loop`.
    head: Option<usize>,
    /// Is there a `new`?
    pub(crate) allocates: bool,
    /// Words of stack arguments that the calls need.
    pub(crate) outgoing_words: u32,
}

impl Survey {
    /// Looks at a trace, in the memory of the look before.
    pub(crate) fn look(&mut self, trace: &Trace) {
        let mut last_exits = std::mem::take(&mut self.last_exits);
        last_exits.clear();
        let unused = LastExit {
            op: u32::MAX,
            own: 0..0,
        };
        last_exits.resize(trace.snapshots.len(), unused);
        let mut before: Option<SnapshotId> = None;
        *self = Survey {
            last_exits,
            ..Survey::default()
        };
        for (index, op) in trace.ops.iter().enumerate() {
            if let Some(snapshot) = op.snap {
                self.last_exits[snapshot.index()].op = index as u32;
                if before != Some(snapshot) {
                    let state = trace.snapshot(snapshot);
                    self.last_exits[snapshot.index()].own = 0..state.entries.len();
                    if let Some(before) = before.replace(snapshot) {
                        let own = trace.snapshot(before).changed_from(state);
                        self.last_exits[before.index()].own = own;
                    }
                }
            }
            match op.code {
                OpCode::New => self.allocates = true,
                OpCode::Call => {
                    let words = outgoing_words(trace, op);
                    self.outgoing_words = self.outgoing_words.max(words);
                }
                OpCode::Loop => self.head = Some(index),
                _ => {}
            }
        }
    }
}

/// Class and wish of the value of an op.
#[inline]
pub(crate) fn about(trace: &Trace, parent: &[Loc], index: usize) -> (Class, Hint) {
    let op = &trace.ops[index];
    let class = if op.ty == Ty::Flt {
        Class::Xmm
    } else {
        Class::Gpr
    };
    let same = |r: OpRef| r.as_op().map_or(Hint::Any, |v| Hint::Same(Value(v as u32)));
    let hint = match op.code {
        OpCode::Param => match parent.get(op.imm as usize) {
            Some(&Loc::Reg(reg)) => Hint::Reg(reg),
            _ => Hint::Any,
        },
        OpCode::Phi => same(op.a),
        OpCode::Call if op.ty == Ty::Flt => Hint::Reg(XMM[0]),
        // The first operand's register saves the copy of a two-address instruction.
        _ if op.code.is_pure() && !op.a.is_none() && trace.ty(op.a) == op.ty => same(op.a),
        _ => Hint::Any,
    };
    (class, hint)
}

/// Tells `out` what each op does. If not `EXACT`, of exits only what makes a value live longer, and
/// operands that are no values among the others: most branches on operands are hard to predict.
fn describe<const EXACT: bool>(trace: &Trace, survey: &Survey, out: &mut impl Describe) {
    let last = &survey.last_exits;
    debug_assert!(
        GPR.len() == 9,
        "the save area holds nine general purpose registers"
    );
    for (index, op) in trace.ops.iter().enumerate() {
        if op.code == OpCode::Param {
            out.entry(Value(index as u32));
        }
        let mut mention = |r: OpRef, late, exit| {
            if !EXACT || r.is_op() {
                let value = Value(r.bits());
                out.mention(Use { value, late, exit });
            }
        };
        let carried = matches!(op.code, OpCode::Phi | OpCode::Jump);
        if !carried {
            for r in [op.a, op.b, op.c] {
                mention(r, false, false);
            }
            for &r in trace.list(op.list) {
                mention(r, false, false);
            }
        }
        let kind = op.code.kind();
        let may_call = kind == Kind::Call && trace.target(op).effects.may_call;
        if let Some(snapshot) = op.snap.filter(|s| last[s.index()].op == index as u32) {
            // A function that looks at frames reads the state while it runs.
            let late = kind == Kind::PureGuard || may_call;
            let state = trace.snapshot(snapshot);
            let own = if EXACT {
                &state.entries[..]
            } else {
                &state.entries[last[snapshot.index()].own.clone()]
            };
            own.iter().for_each(|&(_, r)| mention(r, late, true));
            state.other_refs().for_each(|r| mention(r, late, true));
        }
        let clobbers = match kind {
            Kind::Call if may_call => ALL,
            Kind::Call => ALL.minus(CALLEE_SAVED),
            _ => RegSet::EMPTY,
        };
        let defines = op.ty != Ty::Unit && !matches!(op.code, OpCode::Param | OpCode::Phi);
        out.end(defines.then_some(Value(index as u32)), clobbers);
    }
}

/// The `loop`, its phis and its `jump`; `None` for traces that start over or end elsewhere.
fn looped(trace: &Trace, survey: &Survey) -> Option<Loop> {
    let head = survey.head?;
    let jump = trace.ops.last().filter(|op| op.code == OpCode::Jump)?;
    let phis = phis(trace, head);
    let back = trace.list(jump.list);
    assert_eq!(phis.len(), back.len(), "a jump has one value for each phi");
    let phis = phis
        .zip(back)
        .map(|(phi, back)| Phi {
            value: Value(phi as u32),
            entry: trace.ops[phi].a.as_op().map(|v| Value(v as u32)),
            back: back.as_op().map(|v| Value(v as u32)),
        })
        .collect();
    Some(Loop {
        head: head as u32,
        back: trace.ops.len() as u32 - 1,
        phis,
    })
}

/// Indices of the phis behind the `loop` at `head`.
pub(crate) fn phis(trace: &Trace, head: usize) -> Range<usize> {
    let behind = trace.ops[head + 1..].iter();
    let count = behind.take_while(|op| op.code == OpCode::Phi).count();
    head + 1..head + 1 + count
}
