//! Loads and stores: objects, arrays, the VM state, VM-stack slots.

use pyrite_jit_ir::{Op, OpRef, Width};

use crate::asm::{Asm, Place, asm};
use crate::regs::{R14, RAX, RBX, RCX, RDX, RSP};

/// A memory operand: `base + disp`, or `base + index * scale + disp`.
#[derive(Clone, Copy)]
struct Address {
    base: u8,
    index: Option<(u8, i32)>,
    disp: i32,
}

impl Address {
    fn field(base: u8, disp: i32) -> Self {
        Self {
            base,
            index: None,
            disp,
        }
    }
}

fn width(op: &Op) -> Width {
    op.code
        .info()
        .access
        .expect("loads and stores have an access")
        .width
}

/// Address of a field of object `a`; a constant object passes through `rax`.
fn field(a: &mut Asm<'_>, op: &Op) -> Address {
    let disp = match op.code {
        pyrite_jit_ir::OpCode::LdShape | pyrite_jit_ir::OpCode::StShape => 4,
        _ => op.imm,
    };
    Address::field(a.use_gpr(op.a, RAX), disp)
}

/// Address of element `b` of object `a`; takes `rax` and `rcx`.
fn elem(a: &mut Asm<'_>, op: &Op) -> Address {
    let base = a.use_gpr(op.a, RAX);
    let scale = width(op).bytes();
    if let Place::Imm(index) = a.place(op.b)
        && let Some(disp) = index
            .checked_mul(i64::from(scale))
            .and_then(|n| n.checked_add(i64::from(op.imm)))
        && let Ok(disp) = i32::try_from(disp)
    {
        return Address::field(base, disp);
    }
    Address {
        base,
        index: Some((a.use_gpr(op.b, RCX), scale)),
        disp: op.imm,
    }
}

fn load(a: &mut Asm<'_>, r: OpRef, width: Width, at: Address) {
    let dst = a.def_gpr(r);
    macro_rules! emit {
        ($($m:tt)*) => {
            match width {
                Width::Val | Width::I64 => asm!(a ; mov Rq(dst), $($m)*),
                Width::U32 => asm!(a ; mov Rd(dst), $($m)*),
                Width::U16 => asm!(a ; movzx Rd(dst), WORD $($m)*),
                Width::U8 => asm!(a ; movzx Rd(dst), BYTE $($m)*),
            }
        };
    }
    let Address { base, disp, .. } = at;
    match at.index {
        None => match i8::try_from(disp) {
            Ok(disp) => emit!([BYTE Rq(base) + disp]),
            Err(_) => emit!([Rq(base) + disp]),
        },
        Some((index, 8)) => emit!([Rq(base) + 8 * Rq(index) + disp]),
        Some((index, 4)) => emit!([Rq(base) + 4 * Rq(index) + disp]),
        Some((index, 2)) => emit!([Rq(base) + 2 * Rq(index) + disp]),
        Some((index, _)) => emit!([Rq(base) + Rq(index) + disp]),
    }
    a.end_gpr(r, dst);
}

/// Stores a value; takes `rdx` when it is in no register.
fn store(a: &mut Asm<'_>, value: OpRef, width: Width, at: Address) {
    let Address { base, disp, .. } = at;
    if let (Place::Imm(bits), Width::Val | Width::I64, None) = (a.place(value), width, at.index)
        && let Ok(small) = i32::try_from(bits)
    {
        match i8::try_from(disp) {
            Ok(disp) => asm!(a ; mov QWORD [BYTE Rq(base) + disp], DWORD small),
            Err(_) => asm!(a ; mov QWORD [Rq(base) + disp], DWORD small),
        }
        return;
    }
    let src = a.use_gpr(value, RDX);
    macro_rules! emit {
        ($($m:tt)*) => {
            match width {
                Width::Val | Width::I64 => asm!(a ; mov $($m)*, Rq(src)),
                Width::U32 => asm!(a ; mov $($m)*, Rd(src)),
                Width::U16 => asm!(a ; mov $($m)*, Rw(src)),
                Width::U8 => asm!(a ; mov $($m)*, Rb(src)),
            }
        };
    }
    match at.index {
        None => match i8::try_from(disp) {
            Ok(disp) => emit!([BYTE Rq(base) + disp]),
            Err(_) => emit!([Rq(base) + disp]),
        },
        Some((index, 8)) => emit!([Rq(base) + 8 * Rq(index) + disp]),
        Some((index, 4)) => emit!([Rq(base) + 4 * Rq(index) + disp]),
        Some((index, 2)) => emit!([Rq(base) + 2 * Rq(index) + disp]),
        Some((index, _)) => emit!([Rq(base) + Rq(index) + disp]),
    }
}

pub(super) fn load_field(a: &mut Asm<'_>, r: OpRef, op: &Op) {
    let at = field(a, op);
    load(a, r, width(op), at);
}

pub(super) fn load_elem(a: &mut Asm<'_>, r: OpRef, op: &Op) {
    let at = elem(a, op);
    load(a, r, width(op), at);
}

pub(super) fn load_vm(a: &mut Asm<'_>, r: OpRef, op: &Op) {
    load(a, r, Width::Val, Address::field(R14, op.imm));
}

/// VM-stack slot `imm` of the entry frame's window.
pub(super) fn slot(a: &mut Asm<'_>, r: OpRef, op: &Op) {
    load(a, r, Width::Val, Address::field(RBX, 8 * op.imm));
}

pub(super) fn store_field(a: &mut Asm<'_>, op: &Op) {
    let at = field(a, op);
    store(a, op.b, width(op), at);
}

/// The upper half of the header.
pub(super) fn store_shape(a: &mut Asm<'_>, op: &Op) {
    let object = a.use_gpr(op.a, RAX);
    asm!(a ; mov DWORD [Rq(object) + 4], DWORD op.imm);
}

pub(super) fn store_elem(a: &mut Asm<'_>, op: &Op) {
    let at = elem(a, op);
    store(a, op.c, width(op), at);
}

pub(super) fn store_vm(a: &mut Asm<'_>, op: &Op) {
    store(a, op.a, Width::Val, Address::field(R14, op.imm));
}

pub(super) fn store_slot(a: &mut Asm<'_>, op: &Op) {
    debug_assert_ne!(RBX, RSP, "the window is not the native frame");
    store(a, op.a, Width::Val, Address::field(RBX, 8 * op.imm));
}
