//! Integer arithmetic.

use pyrite_jit_ir::{Op, OpCode, OpRef};

use super::snapshot;
use crate::asm::{Alu, Asm, Cond, Place, asm};
use crate::regs::{RAX, RCX, RDX, RSP};

/// `r = a op b`, two-address instructions; the `_ovf` forms leave on signed overflow.
pub(super) fn binary(a: &mut Asm<'_>, r: OpRef, op: &Op) {
    let (mut x, mut y) = (op.a, op.b);
    let own = a.def_gpr(r);
    let commutes = op.code.info().commutes;
    // Constants go right; so does the operand that is not already in the result's register.
    if commutes && (x.is_const() || a.is_in(y, own)) {
        (x, y) = (y, x);
    }
    // `own = own op own` is fine; `own = x op own` needs a detour.
    let dst = if a.is_in(y, own) && !a.is_in(x, own) {
        RAX
    } else {
        own
    };
    let multiply = matches!(op.code, OpCode::IMul | OpCode::IMulOvf);
    if multiply {
        product(a, dst, x, y);
    } else if let (OpCode::IAdd, Place::Gpr(src), Place::Imm(imm)) =
        (op.code, a.place(x), a.place(y))
        && src != dst
        && let Ok(imm) = i32::try_from(imm)
    {
        asm!(a ; lea Rq(dst), [Rq(src) + imm]);
    } else {
        a.load_gpr(dst, x);
        let src = a.place(y);
        let alu = match op.code {
            OpCode::IAdd | OpCode::IAddOvf => Alu::Add,
            OpCode::ISub | OpCode::ISubOvf => Alu::Sub,
            OpCode::IAnd => Alu::And,
            OpCode::IOr => Alu::Or,
            _ => Alu::Xor,
        };
        a.alu(alu, dst, src);
    }
    if matches!(op.code, OpCode::IAddOvf | OpCode::ISubOvf | OpCode::IMulOvf) {
        a.exit_if(Cond::O, snapshot(op));
    }
    a.end_gpr(r, dst);
}

fn product(a: &mut Asm<'_>, dst: u8, x: OpRef, y: OpRef) {
    match a.place(y) {
        Place::Imm(imm) if i32::try_from(imm).is_ok() => {
            let src = a.use_gpr(x, RAX);
            asm!(a ; imul Rq(dst), Rq(src), DWORD imm as i32);
        }
        Place::Imm(imm) => {
            a.load_gpr(dst, x);
            let literal = a.literal(imm as u64);
            asm!(a ; imul Rq(dst), [=>literal]);
        }
        Place::Gpr(src) => {
            a.load_gpr(dst, x);
            asm!(a ; imul Rq(dst), Rq(src));
        }
        Place::Slot(at) => {
            a.load_gpr(dst, x);
            asm!(a ; imul Rq(dst), [Rq(RSP) + at]);
        }
        Place::Xmm(_) => unreachable!("an integer operand is not in a floating-point register"),
    }
}

/// Shifts by the low six bits of `b`.
pub(super) fn shift(a: &mut Asm<'_>, r: OpRef, op: &Op) {
    let dst = a.def_gpr(r);
    let left = op.code == OpCode::IShl;
    if let Place::Imm(count) = a.place(op.b) {
        let count = (count & 63) as i8;
        a.load_gpr(dst, op.a);
        if left {
            asm!(a ; shl Rq(dst), BYTE count);
        } else {
            asm!(a ; sar Rq(dst), BYTE count);
        }
    } else {
        a.load_gpr(RCX, op.b);
        a.load_gpr(dst, op.a);
        if left {
            asm!(a ; shl Rq(dst), cl);
        } else {
            asm!(a ; sar Rq(dst), cl);
        }
    }
    a.end_gpr(r, dst);
}

/// Floor division and its remainder; the divisor is neither 0 nor -1.
pub(super) fn divide(a: &mut Asm<'_>, r: OpRef, op: &Op) {
    let quotient = op.code == OpCode::IDiv;
    if let Place::Imm(by) = a.place(op.b)
        && by > 0
        && by.count_ones() == 1
    {
        let dst = a.def_gpr(r);
        a.load_gpr(dst, op.a);
        if quotient {
            asm!(a ; sar Rq(dst), BYTE by.trailing_zeros() as i8);
        } else {
            a.alu(Alu::And, dst, Place::Imm(by - 1));
        }
        a.end_gpr(r, dst);
        return;
    }
    if let Place::Imm(by) = a.place(op.b)
        && let Ok(by) = i32::try_from(by)
        && by > 2
    {
        divide_by_constant(a, r, op.a, by, quotient);
        return;
    }
    let divisor = a.use_gpr(op.b, RCX);
    a.load_gpr(RAX, op.a);
    asm!(a ; cqo ; idiv Rq(divisor));
    // The processor rounds towards zero: where a remainder is left and the signs differ, go one down.
    let done = a.label();
    if quotient {
        asm!(a ; test rdx, rdx ; jz =>done ; xor rdx, Rq(divisor) ; jns =>done ; dec rax ; =>done);
        a.end_gpr(r, RAX);
    } else {
        asm!(a ; test rdx, rdx ; jz =>done ; mov rax, rdx ; xor rax, Rq(divisor) ; jns =>done ; add rdx, Rq(divisor) ; =>done);
        a.end_gpr(r, RDX);
    }
}

/// Floor division by `by`, at least 3 and no power of two, through one multiplication.
///
/// With `s` the sign of `n` spread over the word, `n ^ s` is `n` or `-1 - n`: a number `t` below
/// 2^63 whose truncated quotient, turned back by `^ s`, is the floor quotient of `n`. For such `t`,
/// `t / by` is the upper part of `t * m` with `m = 2^(63 + l) / by + 1`, `l` the bits of `by`, because
/// `m * by` exceeds 2^(63 + l) by at most `by`, hence less than 2^l.
///
/// Source: Granlund and Montgomery, "Division by Invariant Integers using Multiplication", PLDI 1994.
fn divide_by_constant(a: &mut Asm<'_>, r: OpRef, n: OpRef, by: i32, quotient: bool) {
    let (multiplier, shift) = reciprocal(by);
    a.load_gpr(RAX, n);
    asm!(a ; mov rcx, rax ; sar rcx, BYTE 63 ; xor rax, rcx);
    a.load_imm(RDX, multiplier as i64);
    asm!(a ; mul rdx ; shr rdx, BYTE shift ; xor rdx, rcx);
    if quotient {
        a.end_gpr(r, RDX);
    } else {
        asm!(a ; imul rdx, rdx, DWORD by);
        a.load_gpr(RAX, n);
        asm!(a ; sub rax, rdx);
        a.end_gpr(r, RAX);
    }
}

/// The multiplier, and by how much the upper word of the product is still to be shifted.
fn reciprocal(by: i32) -> (u64, i8) {
    let bits = 32 - (by as u32).leading_zeros();
    let multiplier = (1u128 << (63 + bits)) / by as u128 + 1;
    (multiplier as u64, bits as i8 - 1)
}

#[cfg(test)]
mod tests {
    use super::reciprocal;

    #[test]
    fn multiplying_by_the_reciprocal_divides() {
        let edges = [
            0,
            1,
            2,
            6,
            7,
            1 << 31,
            (1 << 62) - 1,
            1 << 62,
            i64::MAX as u64 - 1,
            i64::MAX as u64,
        ];
        for by in [
            3,
            5,
            6,
            7,
            9,
            10,
            11,
            13,
            100,
            127,
            129,
            1000,
            65_537,
            1_000_003,
            i32::MAX - 1,
            i32::MAX,
        ] {
            let (m, shift) = reciprocal(by);
            let by = by as u64;
            let near =
                (0..40).flat_map(|k| [k * by, k * by + by - 1, i64::MAX as u64 / by * by - k * by]);
            for t in edges
                .into_iter()
                .chain(near)
                .filter(|&t| t <= i64::MAX as u64)
            {
                let upper = ((u128::from(t) * u128::from(m)) >> 64) as u64;
                assert_eq!(upper >> shift, t / by, "{t} / {by}");
            }
        }
    }
}
