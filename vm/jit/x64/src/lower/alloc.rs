//! Allocation and the write barrier, each an inlined fast path with a cold call behind it.
//!
//! The slow path of an allocation only guarantees room: the site starts over, so a collection in
//! between needs nothing from the trace but its registers, which the blob saves and reloads.

use pyrite_jit_ir::{Op, OpRef};
use pyrite_jit_regalloc::Loc;

use crate::asm::{Asm, Cold, Cond, asm};
use crate::layout::{GRANULE, OLD_BIT};
use crate::regs::{R14, RAX, RBX, RDX};

/// Bytes a `new` takes from the window.
pub(crate) fn object_bytes(op: &Op) -> i32 {
    (8 * op.imm + GRANULE - 1) & !(GRANULE - 1)
}

pub(super) fn new(a: &mut Asm<'_>, r: OpRef, op: &Op) {
    // rax carries the new cursor, so an object without a register is built in rdx.
    let dst = match r.as_op().map(|i| a.locs[i]) {
        Some(Loc::Reg(reg)) => reg.number(),
        _ => RDX,
    };
    let (start, retry) = (a.label(), a.label());
    let layout = a.layout;
    a.bind(retry);
    asm!(a
        ; mov Rq(dst), [Rq(R14) + layout.cur]
        ; lea rax, [Rq(dst) + object_bytes(op)]
        ; cmp rax, [Rq(R14) + layout.lim]
    );
    a.jump_if(Cond::A, start);
    asm!(a ; mov [Rq(R14) + layout.cur], rax);
    let header = a
        .trace
        .as_int(op.a)
        .expect("the header of a new object is a constant");
    if let Ok(small) = i32::try_from(header) {
        asm!(a ; mov QWORD [Rq(dst)], DWORD small);
    } else {
        a.load_imm(RAX, header);
        asm!(a ; mov [Rq(dst)], rax);
    }
    a.end_gpr(r, dst);
    let site = a.first_site + a.sites;
    a.sites += 1;
    a.cold.push(Cold::AllocSlow {
        start,
        back: retry,
        site,
    });
}

/// Cold half of [`new`].
pub(super) fn slow(a: &mut Asm<'_>, site: u32) {
    publish_top(a);
    let blob = a.blobs.alloc;
    asm!(a ; mov eax, DWORD site as i32 ; call extern blob);
}

/// `a` was written; if it is old and not remembered yet, tell the collector.
pub(super) fn barrier(a: &mut Asm<'_>, op: &Op) {
    let object = a.use_gpr(op.a, RAX);
    let (start, back) = (a.label(), a.label());
    asm!(a ; test BYTE [Rq(object)], BYTE OLD_BIT ; jnz =>start);
    a.bind(back);
    a.cold.push(Cold::Barrier {
        start,
        back,
        object,
    });
}

/// Cold half of [`barrier`].
pub(super) fn barrier_slow(a: &mut Asm<'_>, object: u8) {
    let blob = a.blobs.barrier;
    if object != RAX {
        asm!(a ; mov rax, Rq(object));
    }
    asm!(a ; call extern blob);
}

/// Tells the collector how far the VM stack is alive; takes `rax`.
pub(super) fn publish_top(a: &mut Asm<'_>) {
    let (top, bytes) = (a.layout.top, 8 * a.extent);
    asm!(a ; lea rax, [Rq(RBX) + bytes] ; mov [Rq(R14) + top], rax);
}
