//! Guards: a test and one or two jumps to the exit stub.
//!
//! `expect` is the truth that stays in the trace, so the jump is taken on its opposite.

use pyrite_jit_ir::{Op, OpCode, word};

use super::snapshot;
use crate::asm::{Alu, Asm, Cond, Place, Sse, asm};
use crate::regs::{R14, RAX, RSP, XMM_TMP};

/// Tests on value words.
pub(super) fn word(a: &mut Asm<'_>, op: &Op) {
    let x = a.use_gpr(op.a, RAX);
    // The condition under which the test is false.
    let fails = match op.code {
        OpCode::IsInt => {
            let least = a.literal(word::INT_MIN_WORD);
            asm!(a ; cmp Rq(x), [=>least]);
            Cond::B
        }
        OpCode::IsPtr => {
            // From 1 on, so that null falls out at the far end.
            let count = a.literal(word::DOUBLE_OFFSET - 1);
            asm!(a ; lea rax, [Rq(x) - 1] ; cmp rax, [=>count]);
            Cond::Ae
        }
        OpCode::IsFlt => {
            let first = a.literal(word::DOUBLE_OFFSET);
            let count = a.literal(word::INT_MIN_WORD - word::DOUBLE_OFFSET);
            a.load_gpr(RAX, op.a);
            asm!(a ; sub rax, [=>first] ; cmp rax, [=>count]);
            Cond::Ae
        }
        OpCode::NonNull => {
            asm!(a ; test Rq(x), Rq(x));
            Cond::E
        }
        OpCode::Shape => {
            asm!(a ; cmp DWORD [Rq(x) + 4], DWORD op.imm);
            Cond::Ne
        }
        _ => {
            let y = a.place(op.b);
            a.alu(Alu::Cmp, x, y);
            Cond::Ne
        }
    };
    a.exit_if(fails.not_if(!op.expect), snapshot(op));
}

/// Comparisons of integers.
pub(super) fn int(a: &mut Asm<'_>, op: &Op) {
    let y = a.place(op.b);
    match (a.place(op.a), y) {
        (Place::Slot(at), Place::Gpr(reg)) => asm!(a ; cmp [Rq(RSP) + at], Rq(reg)),
        (Place::Gpr(reg), Place::Imm(0)) => asm!(a ; test Rq(reg), Rq(reg)),
        _ => {
            let x = a.use_gpr(op.a, RAX);
            a.alu(Alu::Cmp, x, y);
        }
    }
    let fails = match op.code {
        OpCode::ILt => Cond::Ge,
        OpCode::ILe => Cond::G,
        OpCode::IEq => Cond::Ne,
        _ => Cond::Ae,
    };
    a.exit_if(fails.not_if(!op.expect), snapshot(op));
}

/// Comparisons of doubles; with a NaN each of them is false.
pub(super) fn float(a: &mut Asm<'_>, op: &Op) {
    // `ucomisd x, y` sets carry, zero and parity when unordered. "Above" and "above or equal" are
    // the conditions that a NaN makes false, hence the exchanged operands.
    let (x, y) = if op.code == OpCode::FEq {
        (op.a, op.b)
    } else {
        (op.b, op.a)
    };
    let left = a.use_xmm(x, XMM_TMP);
    let right = a.place(y);
    a.sse(Sse::Cmp, left, right);
    let exit = snapshot(op);
    match (op.code, op.expect) {
        (OpCode::FLt, true) => a.exit_if(Cond::Be, exit),
        (OpCode::FLt, false) => a.exit_if(Cond::A, exit),
        (OpCode::FLe, true) => a.exit_if(Cond::B, exit),
        (OpCode::FLe, false) => a.exit_if(Cond::Ae, exit),
        (_, true) => {
            a.exit_if(Cond::Ne, exit);
            a.exit_if(Cond::P, exit);
        }
        (_, false) => {
            let unordered = a.label();
            a.jump_if(Cond::P, unordered);
            a.exit_if(Cond::E, exit);
            a.bind(unordered);
        }
    }
}

/// The byte of the VM state is zero.
pub(super) fn poll(a: &mut Asm<'_>, op: &Op) {
    asm!(a ; cmp BYTE [Rq(R14) + op.imm], BYTE 0);
    a.exit_if(Cond::Ne.not_if(!op.expect), snapshot(op));
}

/// Five bytes that do nothing until the trace is invalidated, inside one aligned word so that one
/// store turns them into a jump.
pub(super) fn valid(a: &mut Asm<'_>, op: &Op) {
    let exit = snapshot(op);
    let offset = a.ops.offset() % 8;
    if offset > 3 {
        a.pad(8, 0);
    }
    let at = a.ops.offset() as u32;
    a.ops.extend(&[0x0F, 0x1F, 0x44, 0x00, 0x00]);
    a.need_stub(exit);
    a.valids.push((at, exit));
}
