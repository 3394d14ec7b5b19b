//! The rules every trace keeps, before and after each pass.
//!
//! 1. Operands and snapshot refs are defined before they are used and have the right types.
//! 2. Ops that may leave the trace name a snapshot, and calls that may look at frames do.
//! 3. Params come first; phis follow `loop`; `jump` feeds each phi a value of its type.
//! 4. Exactly the last op ends the trace.
//! 5. Between two uses of one snapshot nothing happens that could be seen from outside, so that
//!    resuming there does not do it twice. Stores into objects made in between do not count.

use crate::ops::{Imm, Kind, OpCode, Place};
use crate::snapshot::{Resume, Snapshot};
use crate::trace::{Op, Trace, TraceKind};
use crate::types::{Const, OpRef, SnapshotId, Ty};

/// A broken rule and the op that breaks it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("op {index} ({name}): {rule}", name = code.info().name)]
pub struct VerifyError {
    /// Index into `ops`.
    pub index: usize,
    pub code: OpCode,
    pub rule: Rule,
}

/// The rules a trace can break.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    #[error("{0:?} is not defined here")]
    Undefined(OpRef),
    #[error("{found:?} has type {}, not {}", ty.name(), wanted.name())]
    WrongType { found: OpRef, ty: Ty, wanted: Ty },
    #[error("the op table does not give it operand {0:?}")]
    ExtraOperand(OpRef),
    #[error("result type {} differs from the table", .0.name())]
    WrongResult(Ty),
    #[error("it may leave the trace, but has no snapshot")]
    NoSnapshot,
    #[error("it has a snapshot, but never uses it")]
    UnusedSnapshot,
    #[error("snapshot {0:?} does not exist")]
    MissingSnapshot(SnapshotId),
    #[error("snapshot slots are not ascending")]
    UnsortedSlots,
    #[error("snapshot names {0:?}, which no exit can rebuild")]
    BadSnapshotRef(OpRef),
    #[error("field at offset {0} of a virtual object is misplaced")]
    BadField(i32),
    #[error("snapshot {0:?} was used before an effect and again after it")]
    EffectInWindow(SnapshotId),
    #[error("the last op, and only that, must end the trace")]
    BadEnd,
    #[error("params come first, and only in bridges")]
    MisplacedParam,
    #[error("phis follow the loop header")]
    MisplacedPhi,
    #[error("there is more than one loop header, or a jump without one")]
    BadLoop,
    #[error("jump feeds {fed} phis of {phis}")]
    PhiCount { fed: usize, phis: usize },
    #[error("call table row {0} does not exist")]
    MissingTarget(i32),
    #[error("{found} arguments for {wanted} parameters")]
    ArgumentCount { found: usize, wanted: usize },
    #[error("offset {0} is not aligned to the access")]
    Unaligned(i32),
    #[error("alias class {0} is out of range or reserved")]
    BadClass(u8),
    #[error("object of {0} words or without constant header")]
    BadObject(i32),
    #[error("only guards have a negative form, and `poll` and `valid` have not")]
    BadPolarity,
}

/// Checks all rules.
///
/// # Errors
/// The first broken rule in program order.
pub fn verify(trace: &Trace) -> Result<(), VerifyError> {
    let mut windows = vec![Window::Unused; trace.snapshots.len()];
    let mut effects = Vec::new();
    for (index, op) in trace.ops.iter().enumerate() {
        let fail = |rule| VerifyError {
            index,
            code: op.code,
            rule,
        };
        check_operands(trace, index, op).map_err(fail)?;
        check_shape(trace, index, op).map_err(fail)?;
        check_memory(op).map_err(fail)?;
        if let Some(id) = op.snap {
            let snapshot = trace
                .snapshots
                .get(id.index())
                .ok_or(Rule::MissingSnapshot(id))
                .map_err(fail)?;
            check_snapshot(trace, index, snapshot).map_err(fail)?;
            check_window(&mut windows[id.index()], id, index, &effects).map_err(fail)?;
        }
        if let Some(effect) = Effect::of(trace, index, op) {
            effects.push(effect);
        }
    }
    check_end(trace)
}

/// Uses of one snapshot so far.
#[derive(Clone, Copy)]
enum Window {
    Unused,
    /// First used at this op; effects before this index of the effect list lie before it.
    Open {
        first: usize,
        effects: usize,
    },
}

struct Effect {
    /// For a store into a known fresh object: where that was made.
    fresh_base: Option<usize>,
}

impl Effect {
    fn of(trace: &Trace, _index: usize, op: &Op) -> Option<Effect> {
        if !trace.has_effect(op) || op.code == OpCode::Barrier {
            return None;
        }
        let has_base = matches!(
            op.code.info().access.map(|a| a.place),
            Some(Place::Field | Place::Elem)
        );
        let fresh_base =
            op.a.as_op()
                .filter(|&base| has_base && trace.ops[base].code == OpCode::New);
        Some(Effect { fresh_base })
    }
}

fn check_window(
    window: &mut Window,
    id: SnapshotId,
    index: usize,
    effects: &[Effect],
) -> Result<(), Rule> {
    match *window {
        Window::Unused => {
            *window = Window::Open {
                first: index,
                effects: effects.len(),
            }
        }
        Window::Open {
            first,
            effects: mut seen,
        } => {
            // Effects on objects made inside the window are skipped once and stay harmless.
            while let Some(effect) = effects.get(seen) {
                if effect.fresh_base.is_none_or(|made| made < first) {
                    return Err(Rule::EffectInWindow(id));
                }
                seen += 1;
            }
            *window = Window::Open {
                first,
                effects: seen,
            };
        }
    }
    Ok(())
}

fn check_ref(trace: &Trace, index: usize, r: OpRef, wanted: Option<Ty>) -> Result<(), Rule> {
    let defined = match (r.as_op(), r.as_const()) {
        (Some(op), _) => op < index && trace.ops[op].ty != Ty::Unit,
        (_, Some(k)) => k < trace.consts.len(),
        _ => false,
    };
    if !defined {
        return Err(Rule::Undefined(r));
    }
    let ty = trace.ty(r);
    match wanted {
        Some(wanted) if wanted != ty => Err(Rule::WrongType {
            found: r,
            ty,
            wanted,
        }),
        _ => Ok(()),
    }
}

fn check_operands(trace: &Trace, index: usize, op: &Op) -> Result<(), Rule> {
    let info = op.code.info();
    for i in 0..3 {
        let operand = op.operand(i);
        if let Some(&wanted) = info.operands.get(i) {
            check_ref(trace, index, operand, Some(wanted))?;
        } else if i == 0 && op.code == OpCode::Phi {
            check_ref(trace, index, operand, Some(op.ty))?;
        } else if i == 0 && op.code == OpCode::New {
            if op.imm < 1 || !matches!(trace.as_const(operand), Some(Const::Int(_))) {
                return Err(Rule::BadObject(op.imm));
            }
        } else if !operand.is_none() {
            return Err(Rule::ExtraOperand(operand));
        }
    }
    if info.result.is_some_and(|ty| ty != op.ty) {
        return Err(Rule::WrongResult(op.ty));
    }
    if op.code == OpCode::Call {
        let target = trace
            .calls
            .get(op.imm as usize)
            .ok_or(Rule::MissingTarget(op.imm))?;
        let args = trace.list(op.list);
        if args.len() != target.params.len() {
            return Err(Rule::ArgumentCount {
                found: args.len(),
                wanted: target.params.len(),
            });
        }
        for (&arg, &ty) in args.iter().zip(&target.params) {
            check_ref(trace, index, arg, Some(ty))?;
        }
        if op.ty != target.ret {
            return Err(Rule::WrongResult(op.ty));
        }
    } else if op.code != OpCode::Jump
        && let Some(&extra) = trace.list(op.list).first()
    {
        return Err(Rule::ExtraOperand(extra));
    }
    Ok(())
}

/// Position, snapshot and polarity rules.
fn check_shape(trace: &Trace, index: usize, op: &Op) -> Result<(), Rule> {
    let before = |code: OpCode| index > 0 && trace.ops[index - 1].code == code;
    let in_front = match op.code {
        OpCode::Param if trace.kind == TraceKind::Root || index > 0 && !before(OpCode::Param) => {
            Err(Rule::MisplacedParam)
        }
        OpCode::Phi if !before(OpCode::Phi) && !before(OpCode::Loop) => Err(Rule::MisplacedPhi),
        _ => Ok(()),
    };
    in_front?;
    let needs_snapshot = op.code.is_guard()
        || op.code == OpCode::Exit
        || op.code == OpCode::Call && trace.target(op).effects.may_call;
    if needs_snapshot && op.snap.is_none() {
        return Err(Rule::NoSnapshot);
    }
    if !needs_snapshot && op.snap.is_some() && op.code != OpCode::Call {
        return Err(Rule::UnusedSnapshot);
    }
    let one_way = matches!(op.code, OpCode::Poll | OpCode::Valid);
    if !op.expect && (op.code.info().kind != Kind::Guard || one_way) {
        return Err(Rule::BadPolarity);
    }
    Ok(())
}

fn check_memory(op: &Op) -> Result<(), Rule> {
    let info = op.code.info();
    if let Some(access) = info.access
        && access.place != Place::Slot
        && info.imms.contains(&Imm::Offset)
        && op.imm % access.width.bytes() != 0
    {
        return Err(Rule::Unaligned(op.imm));
    }
    let reserved = crate::AliasClass::FIRST_FREE.0;
    if info.imms.contains(&Imm::Class) && !(reserved..64).contains(&op.class.0) {
        return Err(Rule::BadClass(op.class.0));
    }
    Ok(())
}

fn check_snapshot(trace: &Trace, index: usize, snapshot: &Snapshot) -> Result<(), Rule> {
    if snapshot
        .entries
        .windows(2)
        .any(|pair| pair[0].0 >= pair[1].0)
    {
        return Err(Rule::UnsortedSlots);
    }
    let check = |r: OpRef| match r.as_virtual() {
        Some(object) if object < snapshot.virtuals.len() => Ok(()),
        Some(_) => Err(Rule::BadSnapshotRef(r)),
        None => check_ref(trace, index, r, None),
    };
    snapshot.refs().try_for_each(check)?;
    if let Resume::Finish { val, .. } = snapshot.mode
        && trace.ty(val) == Ty::Unit
    {
        return Err(Rule::BadSnapshotRef(val));
    }
    for object in &snapshot.virtuals {
        let mut end = 8;
        for field in &object.fields {
            let bytes = field.width.bytes();
            if field.offset < end
                || field.offset % bytes != 0
                || field.offset + bytes > object.words as i32 * 8
            {
                return Err(Rule::BadField(field.offset));
            }
            let raw = field.width != crate::Width::Val;
            if raw && trace.ty(field.val) != Ty::Int {
                return Err(Rule::WrongType {
                    found: field.val,
                    ty: trace.ty(field.val),
                    wanted: Ty::Int,
                });
            }
            end = field.offset + bytes;
        }
    }
    Ok(())
}

fn check_end(trace: &Trace) -> Result<(), VerifyError> {
    let count = |code| trace.ops.iter().filter(|op| op.code == code).count();
    let error = |index: usize, rule| {
        let code = trace.ops.get(index).map_or(OpCode::Exit, |op| op.code);
        Err(VerifyError { index, code, rule })
    };
    let Some(last) = trace.ops.last() else {
        return error(0, Rule::BadEnd);
    };
    if let Some(i) = trace.ops.iter().position(|op| op.code.is_terminator())
        && i + 1 != trace.ops.len()
    {
        return error(i, Rule::BadEnd);
    }
    let end = trace.ops.len() - 1;
    if !last.code.is_terminator() {
        return error(end, Rule::BadEnd);
    }
    let jumps = usize::from(last.code == OpCode::Jump);
    if count(OpCode::Loop) != jumps {
        return error(end, Rule::BadLoop);
    }
    if last.code == OpCode::Jump {
        let phis: Vec<&Op> = trace
            .ops
            .iter()
            .filter(|op| op.code == OpCode::Phi)
            .collect();
        let fed = trace.list(last.list);
        if fed.len() != phis.len() {
            return error(
                end,
                Rule::PhiCount {
                    fed: fed.len(),
                    phis: phis.len(),
                },
            );
        }
        for (&r, phi) in fed.iter().zip(phis) {
            if let Err(rule) = check_ref(trace, end, r, Some(phi.ty)) {
                return error(end, rule);
            }
        }
    }
    Ok(())
}
