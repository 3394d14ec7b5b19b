//! From trace to allocation problem: which op reads, defines and destroys what.
//!
//! Ops and values share their index, constants and virtual objects are no values. A `param` exists
//! before the first op, a `phi` is defined by its `loop`. Exit states count as uses that a spill
//! slot serves as well as a register, late ones where the op writes its result before it knows that
//! it will stay in the trace.

use pyrite_jit_ir::{Kind, OpCode, Snapshot, Trace, Ty};
use pyrite_jit_regalloc::{Class, Hint, Loc, Loop, Phi, Problem, RegSet, Use, Value};

use crate::regs::{ALL, CALLEE_SAVED, GPR, XMM};

/// The problem of a trace; `parent` has the places of a bridge's inherited values.
pub(crate) fn problem(trace: &Trace, parent: &[Loc]) -> Problem {
    let mut p = Problem::for_insts(trace.ops.len());
    let last = last_exits(trace);
    for op in &trace.ops {
        let class = if op.ty == Ty::Flt {
            Class::Xmm
        } else {
            Class::Gpr
        };
        let hint = match op.code {
            OpCode::Param => match parent.get(op.imm as usize) {
                Some(&Loc::Reg(reg)) => Hint::Reg(reg),
                _ => Hint::Any,
            },
            OpCode::Phi => {
                op.a.as_op()
                    .map_or(Hint::Any, |v| Hint::Same(Value(v as u32)))
            }
            OpCode::Call => match op.ty {
                Ty::Flt => Hint::Reg(XMM[0]),
                _ => Hint::Any,
            },
            // The first operand's register saves the copy of a two-address instruction.
            _ if op.code.is_pure() && !op.a.is_none() && trace.ty(op.a) == op.ty => {
                op.a.as_op()
                    .map_or(Hint::Any, |v| Hint::Same(Value(v as u32)))
            }
            _ => Hint::Any,
        };
        p.value(class, hint);
    }
    let mut uses: Vec<Use> = Vec::new();
    for (index, op) in trace.ops.iter().enumerate() {
        uses.clear();
        if op.code == OpCode::Param {
            p.entry.push(Value(index as u32));
        }
        let carried = matches!(op.code, OpCode::Phi | OpCode::Jump);
        if !carried {
            trace.operands(op).for_each(|r| {
                if let Some(v) = r.as_op() {
                    uses.push(Use {
                        value: Value(v as u32),
                        late: false,
                        exit: false,
                    });
                }
            });
        }
        let kind = op.code.info().kind;
        let may_call = kind == Kind::Call && trace.target(op).effects.may_call;
        if let Some(snapshot) = op.snap.filter(|s| last[s.index()] == index as u32) {
            // A function that looks at frames reads the state while it runs.
            let late = kind == Kind::PureGuard || may_call;
            exit_values(trace.snapshot(snapshot)).for_each(|v| {
                uses.push(Use {
                    value: Value(v as u32),
                    late,
                    exit: true,
                });
            });
        }
        let clobbers = match kind {
            Kind::Call if may_call => ALL,
            Kind::Call => ALL.minus(CALLEE_SAVED),
            _ => RegSet::EMPTY,
        };
        let defines = op.ty != Ty::Unit && !matches!(op.code, OpCode::Param | OpCode::Phi);
        p.inst(&uses, defines.then_some(Value(index as u32)), clobbers);
    }
    p.looped = looped(trace);
    debug_assert!(
        GPR.len() == 9,
        "the save area holds nine general purpose registers"
    );
    p
}

/// The last op that names each snapshot: what lives until there lives at the ones before, too.
fn last_exits(trace: &Trace) -> Vec<u32> {
    let mut last = vec![u32::MAX; trace.snapshots.len()];
    for (index, op) in trace.ops.iter().enumerate() {
        if let Some(snapshot) = op.snap {
            last[snapshot.index()] = index as u32;
        }
    }
    last
}

fn exit_values(snapshot: &Snapshot) -> impl Iterator<Item = usize> {
    snapshot.refs().filter_map(pyrite_jit_ir::OpRef::as_op)
}

/// The `loop`, its phis and its `jump`; `None` for traces that start over or end elsewhere.
fn looped(trace: &Trace) -> Option<Loop> {
    let head = trace.loop_index()?;
    let jump = trace.ops.last().filter(|op| op.code == OpCode::Jump)?;
    let phis = phis(trace, head);
    let back = trace.list(jump.list);
    assert_eq!(phis.len(), back.len(), "a jump has one value for each phi");
    let phis = phis
        .iter()
        .zip(back)
        .map(|(&phi, back)| Phi {
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
pub(crate) fn phis(trace: &Trace, head: usize) -> Vec<usize> {
    (head + 1..trace.ops.len())
        .take_while(|&i| trace.ops[i].code == OpCode::Phi)
        .collect()
}
