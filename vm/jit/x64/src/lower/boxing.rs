//! Value words: boxing and unboxing.

use pyrite_jit_ir::{Op, OpRef, word};

use super::snapshot;
use crate::asm::{Asm, Cold, Cond, asm};
use crate::regs::{R15, RAX, XMM_TMP};

/// `r = a - bias`.
pub(super) fn unbox_int(a: &mut Asm<'_>, r: OpRef, op: &Op) {
    let dst = a.def_gpr(r);
    a.load_gpr(dst, op.a);
    asm!(a ; sub Rq(dst), Rq(R15));
    a.end_gpr(r, dst);
}

/// `r = a + bias`; leaves when that is no small int's word.
pub(super) fn box_int(a: &mut Asm<'_>, r: OpRef, op: &Op) {
    let dst = a.def_gpr(r);
    let least = a.literal(word::INT_MIN_WORD);
    a.load_gpr(dst, op.a);
    asm!(a ; add Rq(dst), Rq(R15) ; cmp Rq(dst), [=>least]);
    a.exit_if(Cond::B, snapshot(op));
    a.end_gpr(r, dst);
}

/// The double of a word.
pub(super) fn unbox_flt(a: &mut Asm<'_>, r: OpRef, op: &Op) {
    let dst = a.def_xmm(r);
    let offset = a.literal(word::DOUBLE_OFFSET);
    a.load_gpr(RAX, op.a);
    asm!(a ; sub rax, [=>offset] ; movq Rx(dst), rax);
    a.end_xmm(r, dst);
}

/// The word of a double.
pub(super) fn box_flt(a: &mut Asm<'_>, r: OpRef, op: &Op) {
    let dst = a.def_gpr(r);
    let src = a.use_xmm(op.a, XMM_TMP);
    let offset = a.literal(word::DOUBLE_OFFSET);
    let (start, back) = (a.label(), a.label());
    asm!(a ; ucomisd Rx(src), Rx(src));
    a.jump_if(Cond::P, start);
    asm!(a ; movq Rq(dst), Rx(src) ; add Rq(dst), [=>offset]);
    a.bind(back);
    a.end_gpr(r, dst);
    a.cold.push(Cold::CanonicalNan {
        start,
        back,
        dst,
        src,
    });
}

/// Cold half of [`box_flt`]: one payload, the sign kept.
pub(super) fn canonical_nan(a: &mut Asm<'_>, dst: u8, src: u8) {
    let nan = a.literal(word::CANONICAL_NAN.wrapping_add(word::DOUBLE_OFFSET));
    asm!(a
        ; movq Rq(dst), Rx(src)
        ; shr Rq(dst), BYTE 63
        ; shl Rq(dst), BYTE 63
        ; add Rq(dst), [=>nan]
    );
}
