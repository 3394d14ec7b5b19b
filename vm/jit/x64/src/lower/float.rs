//! Double arithmetic and conversions.

use pyrite_jit_ir::{Op, OpCode, OpRef, SnapshotId};

use super::snapshot;
use crate::asm::{Asm, Cold, Cond, Place, Sse, asm};
use crate::regs::{RAX, RSP, XMM_TMP, XMM_TMP2};

const SIGN: u64 = 1 << 63;

/// `r = a op b`.
pub(super) fn binary(a: &mut Asm<'_>, r: OpRef, op: &Op) {
    let (mut x, mut y) = (op.a, op.b);
    let own = a.def_xmm(r);
    let in_own = |a: &Asm<'_>, v: OpRef| a.place(v) == Place::Xmm(own);
    if op.code.info().commutes && in_own(a, y) {
        (x, y) = (y, x);
    }
    let dst = if in_own(a, y) && !in_own(a, x) {
        XMM_TMP
    } else {
        own
    };
    let sse = match op.code {
        OpCode::FAdd => Sse::Add,
        OpCode::FSub => Sse::Sub,
        OpCode::FMul => Sse::Mul,
        _ => Sse::Div,
    };
    a.load_xmm(dst, x);
    let src = a.place(y);
    a.sse(sse, dst, src);
    a.end_xmm(r, dst);
}

/// Flips or clears the sign bit, of a NaN too.
pub(super) fn sign(a: &mut Asm<'_>, r: OpRef, op: &Op) {
    let dst = a.def_xmm(r);
    let negate = op.code == OpCode::FNeg;
    let mask = a.literal(if negate { SIGN } else { !SIGN });
    // The packed instructions want 16 aligned bytes in memory, so the mask passes through a register.
    asm!(a ; movsd Rx(XMM_TMP2), [=>mask]);
    a.load_xmm(dst, op.a);
    if negate {
        asm!(a ; xorps Rx(dst), Rx(XMM_TMP2));
    } else {
        asm!(a ; andps Rx(dst), Rx(XMM_TMP2));
    }
    a.end_xmm(r, dst);
}

/// Square root and rounding down.
pub(super) fn unary(a: &mut Asm<'_>, r: OpRef, op: &Op) {
    let dst = a.def_xmm(r);
    let src = a.use_xmm(op.a, XMM_TMP);
    if op.code == OpCode::FSqrt {
        a.sse(Sse::Sqrt, dst, Place::Xmm(src));
    } else {
        // 9: towards minus infinity, without the inexact exception.
        asm!(a ; roundsd Rx(dst), Rx(src), 9);
    }
    a.end_xmm(r, dst);
}

/// The nearest double of an integer.
pub(super) fn from_int(a: &mut Asm<'_>, r: OpRef, op: &Op) {
    let dst = a.def_xmm(r);
    // Without this, the conversion would wait for the register's old contents.
    asm!(a ; xorps Rx(dst), Rx(dst));
    match a.place(op.a) {
        Place::Slot(at) => asm!(a ; cvtsi2sd Rx(dst), QWORD [Rq(RSP) + at]),
        _ => {
            let src = a.use_gpr(op.a, RAX);
            asm!(a ; cvtsi2sd Rx(dst), Rq(src));
        }
    }
    a.end_xmm(r, dst);
}

/// The integer of a double, rounded towards zero; leaves for NaN and outside 64 bits.
pub(super) fn to_int(a: &mut Asm<'_>, r: OpRef, op: &Op) {
    let src = a.use_xmm(op.a, XMM_TMP);
    let (start, back) = (a.label(), a.label());
    // Everything impossible gives i64::MIN, the only number whose decrement overflows.
    asm!(a ; cvttsd2si rax, Rx(src) ; cmp rax, BYTE 1);
    a.jump_if(Cond::O, start);
    a.bind(back);
    a.end_gpr(r, RAX);
    a.cold.push(Cold::MinOrExit {
        start,
        back,
        src,
        snapshot: snapshot(op),
    });
}

/// Cold half of [`to_int`]: stays for exactly -2^63.
pub(super) fn min_or_exit(a: &mut Asm<'_>, src: u8, snapshot: SnapshotId) {
    let min = a.literal((i64::MIN as f64).to_bits());
    asm!(a ; ucomisd Rx(src), [=>min]);
    a.exit_if(Cond::Ne, snapshot);
    a.exit_if(Cond::P, snapshot);
}
