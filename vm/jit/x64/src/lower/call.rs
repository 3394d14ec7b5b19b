//! Calls of Rust functions, `extern "C" fn(vm, args...)`.
//!
//! Arguments behind the registers go to the lowest words of the frame, which the frame's size
//! reserves. A function that may look at frames finds them through the activation record: the exit
//! whose state is current, and the frame that holds its values, all of them in spill slots.

use pyrite_jit_ir::{Op, OpRef, Trace, Ty};
use pyrite_jit_regalloc::Loc;

use super::{alloc, snapshot};
use crate::asm::{Asm, Place, asm};
use crate::regs::{FLT_ARGS, INT_ARGS, R14, RAX, RDI, RSP};

/// Offsets within [`crate::Activation`].
pub(crate) const ACTIVATION_FRAME: i32 = 16;
pub(crate) const ACTIVATION_EXIT: i32 = 24;

/// Words of outgoing stack arguments a call needs.
pub(crate) fn outgoing_words(trace: &Trace, call: &Op) -> u32 {
    let args = trace.list(call.list);
    let floats = args.iter().filter(|&&r| trace.ty(r) == Ty::Flt).count();
    let ints = args.len() - floats;
    (ints.saturating_sub(INT_ARGS.len()) + floats.saturating_sub(FLT_ARGS.len())) as u32
}

pub(super) fn call(a: &mut Asm<'_>, r: OpRef, op: &Op) {
    let target = a.trace.target(op);
    arguments(a, op);
    alloc::publish_top(a);
    let layout = a.layout;
    let looks = target.effects.may_call;
    if looks {
        let exit = a.first_exit + snapshot(op).0;
        asm!(a
            ; mov rax, [Rq(R14) + layout.activation]
            ; mov QWORD [rax + ACTIVATION_EXIT], DWORD exit as i32
            ; mov [rax + ACTIVATION_FRAME], rsp
        );
    }
    asm!(a ; mov rdi, Rq(R14));
    a.load_imm(RAX, target.addr as i64);
    asm!(a ; call rax);
    if looks {
        asm!(a ; mov rcx, [Rq(R14) + layout.activation] ; mov QWORD [rcx + ACTIVATION_EXIT], DWORD 0);
    }
    match op.ty {
        Ty::Unit => {}
        Ty::Flt => a.end_xmm(r, 0),
        Ty::Int | Ty::Val => a.end_gpr(r, RAX),
    }
}

fn arguments(a: &mut Asm<'_>, op: &Op) {
    let trace = a.trace;
    let (mut ints, mut floats) = (INT_ARGS.iter(), FLT_ARGS.iter());
    let mut moves = a.moves();
    let mut stacked = 0;
    for &arg in trace.list(op.list) {
        let to = if trace.ty(arg) == Ty::Flt {
            floats.next()
        } else {
            ints.next()
        };
        match (to, a.place(arg)) {
            (Some(&reg), _) => a.wish(&mut moves, arg, Loc::Reg(reg)),
            (None, place) => {
                let at = 8 * stacked;
                stacked += 1;
                match place {
                    Place::Xmm(reg) => asm!(a ; movsd [Rq(RSP) + at], Rx(reg)),
                    Place::Slot(from) => {
                        asm!(a ; mov rax, [Rq(RSP) + from] ; mov [Rq(RSP) + at], rax)
                    }
                    Place::Gpr(reg) => asm!(a ; mov [Rq(RSP) + at], Rq(reg)),
                    Place::Imm(bits) => {
                        a.load_imm(RAX, bits);
                        asm!(a ; mov [Rq(RSP) + at], rax);
                    }
                }
            }
        }
    }
    debug_assert!(
        INT_ARGS.iter().all(|r| r.number() != RDI),
        "rdi is written last, it carries the VM state"
    );
    a.parallel(moves);
}
