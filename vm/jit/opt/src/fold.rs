//! `fold`: an op whose result follows from its operands alone is not emitted.
//!
//! `iadd_ovf 2, 3` is `5`; `iadd x, 0` is `x`; `unbox_int (box_int x)` is `x`; `imod x, 8` is
//! `iand x, 7`; `is_int (box_flt f)` is false. Only the defining ops of the operands are looked at,
//! never memory or earlier guards. Commutative operands are put in order, constants last, which the
//! other rules and `cse` rely on only for effect, not for correctness.
//!
//! Left out: reassociation (it would change where overflow leaves the trace) and anything that could
//! change a float result, NaN included: constants are not folded to a NaN.

use pyrite_jit_ir::{Const, Op, OpCode, OpRef, Trace, word};

use crate::guards::KindSet;
use crate::plant::{self, Fault};

/// What becomes of an op.
#[derive(Debug)]
pub(crate) enum Fold {
    /// Nothing; emit it.
    Keep,
    /// Its result is this value.
    To(OpRef),
    /// It was made another op that does the same; try again with it.
    Become,
    /// The guard always holds.
    Holds,
    /// The op always leaves the trace.
    Fails,
}

/// Applies the first rule that fits, to an op that neither looks at memory nor calls.
pub(crate) fn fold(trace: &mut Trace, op: &mut Op) -> Fold {
    if op.a > op.b && op.code.info().commutes {
        (op.a, op.b) = (op.b, op.a);
    }
    match op.code {
        OpCode::UnboxInt | OpCode::UnboxFlt | OpCode::BoxInt | OpCode::BoxFlt => {
            fold_box(trace, op)
        }
        OpCode::IsInt | OpCode::IsFlt | OpCode::IsPtr | OpCode::NonNull | OpCode::Same => {
            fold_test(trace, op)
        }
        OpCode::ILt | OpCode::ILe | OpCode::IEq | OpCode::ULt => fold_int_compare(trace, op),
        OpCode::FLt | OpCode::FLe | OpCode::FEq => fold_flt_compare(trace, op),
        OpCode::I2F | OpCode::F2I => fold_convert(trace, op),
        OpCode::FAdd | OpCode::FSub | OpCode::FMul | OpCode::FDiv => fold_flt(trace, op),
        OpCode::FNeg | OpCode::FAbs | OpCode::FSqrt | OpCode::FFloor => fold_flt_unary(trace, op),
        OpCode::Barrier => fold_barrier(trace, op),
        _ if op.code.is_pure() => fold_int(trace, op),
        _ => Fold::Keep,
    }
}

/// A guard's fate when the truth of its condition is known.
pub(crate) fn decide(op: &Op, truth: bool) -> Fold {
    if truth == op.expect {
        Fold::Holds
    } else {
        Fold::Fails
    }
}

/// The result of `code` on integer constants; `None` when it leaves the trace or is undefined.
#[must_use]
pub fn int_op(code: OpCode, a: i64, b: i64) -> Option<i64> {
    match code {
        OpCode::IAddOvf => a.checked_add(b),
        OpCode::ISubOvf => a.checked_sub(b),
        OpCode::IMulOvf => a.checked_mul(b),
        OpCode::IAdd => Some(a.wrapping_add(b)),
        OpCode::ISub => Some(a.wrapping_sub(b)),
        OpCode::IMul => Some(a.wrapping_mul(b)),
        OpCode::IAnd => Some(a & b),
        OpCode::IOr => Some(a | b),
        OpCode::IXor => Some(a ^ b),
        OpCode::IShl => Some(a.wrapping_shl(b as u32 & 63)),
        OpCode::IShr => Some(a.wrapping_shr(b as u32 & 63)),
        OpCode::IDiv if b != 0 && b != -1 => {
            let quotient = a / b;
            Some(if a % b != 0 && (a % b < 0) != (b < 0) {
                quotient - 1
            } else {
                quotient
            })
        }
        OpCode::IMod if b != 0 && b != -1 => {
            let rest = a % b;
            Some(if rest != 0 && (rest < 0) != (b < 0) {
                rest + b
            } else {
                rest
            })
        }
        _ => None,
    }
}

fn fold_box(trace: &mut Trace, op: &mut Op) -> Fold {
    if let Some(value) = trace.as_const(op.a) {
        let result = match (op.code, value) {
            (OpCode::UnboxInt, Const::Val(w)) if word::is_int(w) => Const::Int(word::unbox_int(w)),
            (OpCode::UnboxFlt, Const::Val(w)) if word::is_flt(w) => {
                Const::Flt(word::unbox_flt(w).to_bits())
            }
            (OpCode::BoxFlt, Const::Flt(bits)) => Const::Val(word::box_flt(f64::from_bits(bits))),
            (OpCode::BoxInt, Const::Int(i)) => match word::box_int(i) {
                Some(w) => Const::Val(w),
                // Always leaves, unless only exits or unboxing look at the box: `sink` knows.
                None => return Fold::Keep,
            },
            _ => return Fold::Keep,
        };
        return Fold::To(trace.konst(result));
    }
    let inverse = match op.code {
        OpCode::UnboxInt => OpCode::BoxInt,
        OpCode::UnboxFlt => OpCode::BoxFlt,
        OpCode::BoxInt => OpCode::UnboxInt,
        _ => OpCode::UnboxFlt,
    };
    match trace.def(op.a) {
        Some(def) if def.code == inverse => Fold::To(def.a),
        _ => Fold::Keep,
    }
}

fn fold_test(trace: &mut Trace, op: &mut Op) -> Fold {
    let kinds = KindSet::of_def(trace, op.a);
    if op.code != OpCode::Same {
        return kinds
            .test(op.code)
            .map_or(Fold::Keep, |truth| decide(op, truth));
    }
    if op.a == op.b {
        return decide(op, true);
    }
    let (a, b) = (trace.as_const(op.a), trace.as_const(op.b));
    if a.is_some() && b.is_some() || kinds.and(KindSet::of_def(trace, op.b)).is_empty() {
        return decide(op, false);
    }
    // The words of two small ints are equal if the ints are.
    if let (Some(x), Some(y)) = (boxed_int(trace, op.a), boxed_int(trace, op.b)) {
        (op.code, op.a, op.b) = (OpCode::IEq, x, y);
        return Fold::Become;
    }
    Fold::Keep
}

/// The int in a word that is known to be a boxed one.
fn boxed_int(trace: &mut Trace, r: OpRef) -> Option<OpRef> {
    match trace.as_word(r) {
        Some(w) if word::is_int(w) => Some(trace.int(word::unbox_int(w))),
        Some(_) => None,
        None => trace
            .def(r)
            .filter(|def| def.code == OpCode::BoxInt)
            .map(|def| def.a),
    }
}

fn fold_int_compare(trace: &Trace, op: &mut Op) -> Fold {
    let truth = match (trace.as_int(op.a), trace.as_int(op.b)) {
        (Some(a), Some(b)) => Some(match op.code {
            OpCode::ILt => a < b,
            OpCode::ILe => a <= b,
            OpCode::IEq => a == b,
            _ => (a as u64) < b as u64,
        }),
        (_, Some(0)) if op.code == OpCode::ULt => Some(false),
        _ if op.a == op.b => Some(matches!(op.code, OpCode::ILe | OpCode::IEq)),
        _ => None,
    };
    truth.map_or(Fold::Keep, |truth| decide(op, truth))
}

fn fold_flt_compare(trace: &Trace, op: &mut Op) -> Fold {
    let truth = match (trace.as_flt(op.a), trace.as_flt(op.b)) {
        (Some(a), Some(b)) => Some(match op.code {
            OpCode::FLt => a < b,
            OpCode::FLe => a <= b,
            _ => a == b,
        }),
        _ if op.a == op.b && op.code == OpCode::FLt => Some(false),
        _ => None,
    };
    truth.map_or(Fold::Keep, |truth| decide(op, truth))
}

fn fold_convert(trace: &mut Trace, op: &mut Op) -> Fold {
    match trace.as_const(op.a) {
        Some(Const::Int(i)) => Fold::To(trace.flt(i as f64)),
        Some(Const::Flt(bits)) => match flt_to_int(f64::from_bits(bits)) {
            Some(i) => Fold::To(trace.int(i)),
            None => Fold::Fails,
        },
        _ => Fold::Keep,
    }
}

/// A double towards zero; `None` for NaN and outside 64 bits.
#[must_use]
pub fn flt_to_int(value: f64) -> Option<i64> {
    let limit = 9_223_372_036_854_775_808.0;
    (-limit <= value && value < limit).then_some(value as i64)
}

fn fold_flt(trace: &mut Trace, op: &mut Op) -> Fold {
    let Some(b) = trace.as_flt(op.b) else {
        return Fold::Keep;
    };
    if let Some(a) = trace.as_flt(op.a) {
        let result = match op.code {
            OpCode::FAdd => a + b,
            OpCode::FSub => a - b,
            OpCode::FMul => a * b,
            _ => a / b,
        };
        return if result.is_nan() {
            Fold::Keep
        } else {
            Fold::To(trace.flt(result))
        };
    }
    let unchanged = match op.code {
        OpCode::FAdd => b == 0.0 && (b.is_sign_negative() || plant::is(Fault::PlusZero)),
        OpCode::FSub => b == 0.0 && b.is_sign_positive(),
        _ => b == 1.0,
    };
    if unchanged {
        return Fold::To(op.a);
    }
    // Division by a power of two is exact as multiplication.
    let mantissa = b.to_bits() << 12;
    if op.code == OpCode::FDiv && mantissa == 0 && b.is_normal() && (1.0 / b).is_normal() {
        let b = trace.flt(1.0 / b);
        (op.code, op.b) = (OpCode::FMul, b);
        return Fold::Become;
    }
    Fold::Keep
}

fn fold_flt_unary(trace: &mut Trace, op: &mut Op) -> Fold {
    if let Some(a) = trace.as_flt(op.a) {
        let result = match op.code {
            OpCode::FNeg => -a,
            OpCode::FAbs => a.abs(),
            OpCode::FSqrt => a.sqrt(),
            _ => a.floor(),
        };
        return if result.is_nan() {
            Fold::Keep
        } else {
            Fold::To(trace.flt(result))
        };
    }
    let Some(def) = trace.def(op.a).copied() else {
        return Fold::Keep;
    };
    match (op.code, def.code) {
        (OpCode::FNeg, OpCode::FNeg) => Fold::To(def.a),
        (OpCode::FAbs, OpCode::FAbs) | (OpCode::FFloor, OpCode::FFloor | OpCode::I2F) => {
            Fold::To(op.a)
        }
        (OpCode::FAbs, OpCode::FNeg) => {
            op.a = def.a;
            Fold::Become
        }
        _ => Fold::Keep,
    }
}

fn fold_int(trace: &mut Trace, op: &mut Op) -> Fold {
    use OpCode::*;
    let Some(b) = trace.as_int(op.b) else {
        let zero = op.a == op.b && matches!(op.code, ISub | ISubOvf | IXor);
        let same = op.a == op.b && matches!(op.code, IAnd | IOr);
        return match (zero, same) {
            (true, _) => Fold::To(trace.int(0)),
            (_, true) => Fold::To(op.a),
            _ => Fold::Keep,
        };
    };
    if let Some(a) = trace.as_int(op.a) {
        return match int_op(op.code, a, b) {
            Some(result) => Fold::To(trace.int(result)),
            None if matches!(op.code, IDiv | IMod) => Fold::Keep,
            None => Fold::Fails,
        };
    }
    let power = (b > 0 && b & (b - 1) == 0).then(|| i64::from(b.trailing_zeros()));
    let (code, a, constant) = (op.code, op.a, op.b);
    let become_op = |op: &mut Op, trace: &mut Trace, code, b| {
        (op.code, op.b) = (code, trace.int(b));
        Fold::Become
    };
    match (code, b) {
        (IAdd | IAddOvf | ISub | ISubOvf | IOr | IXor, 0)
        | (IMul | IMulOvf | IDiv, 1)
        | (IAnd, -1) => Fold::To(a),
        (IShl | IShr, _) if b & 63 == 0 => Fold::To(a),
        (IMul | IMulOvf | IAnd, 0) | (IMod, 1) => Fold::To(trace.int(0)),
        (IOr, -1) => Fold::To(constant),
        (ISubOvf, _) if b != i64::MIN => become_op(op, trace, IAddOvf, -b),
        (ISub, _) => become_op(op, trace, IAdd, b.wrapping_neg()),
        (IMulOvf, 2) => {
            (op.code, op.b) = (IAddOvf, a);
            Fold::Become
        }
        _ => match (code, power) {
            (IMul, Some(k)) => become_op(op, trace, IShl, k),
            (IDiv, Some(k)) if plant::is(Fault::ShiftTooFar) => become_op(op, trace, IShr, k + 1),
            (IDiv, Some(k)) => become_op(op, trace, IShr, k),
            (IMod, Some(_)) => become_op(op, trace, IAnd, b - 1),
            _ => Fold::Keep,
        },
    }
}

/// A barrier is only needed when the value may be a movable object: constants of a trace are pinned
/// and kept alive by it.
fn fold_barrier(trace: &Trace, op: &mut Op) -> Fold {
    let needless = op.b.is_const() || !KindSet::of_def(trace, op.b).has(KindSet::OBJECT);
    if needless { Fold::Holds } else { Fold::Keep }
}
