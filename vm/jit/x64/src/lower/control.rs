//! Loop header, back edge, and the ends of a trace.

use pyrite_jit_ir::{Op, OpCode, OpRef};

use super::snapshot;
use crate::asm::{Asm, asm};
use crate::problem::phis;
use crate::regs::{R14, RAX, RSP};

/// Moves the phis to their first values and starts the loop.
pub(super) fn loop_head(a: &mut Asm<'_>, r: OpRef) {
    let head = r.as_op().expect("a loop header is an op");
    let trace = a.trace;
    a.phi_moves(phis(trace, head).map(|phi| (phi, trace.ops[phi].a)));
    a.pad(16, 0);
    let label = a.label();
    a.bind(label);
    a.loop_head = Some(label);
}

/// Moves the phis to their next values and goes back.
pub(super) fn jump(a: &mut Asm<'_>, op: &Op) {
    let head = a.trace.loop_index().expect("a jump has a loop header");
    let trace = a.trace;
    let back = trace.list(op.list).iter().copied();
    a.phi_moves(phis(trace, head).zip(back));
    let label = a
        .loop_head
        .expect("the loop header was emitted before its jump");
    asm!(a ; jmp =>label);
}

/// Hands the word to whoever entered, without an exit.
pub(super) fn ret(a: &mut Asm<'_>, op: &Op) {
    let result = a.layout.result;
    let x = a.use_gpr(op.a, RAX);
    let (bytes, blob) = (8 * a.frame_words as i32, a.blobs.leave);
    asm!(a
        ; mov [Rq(R14) + result], Rq(x)
        ; mov ecx, DWORD bytes
        ; jmp extern blob
    );
}

/// Leaves for good, or goes on in a root trace with a frame of that trace's size.
pub(super) fn end(a: &mut Asm<'_>, op: &Op) {
    if op.code == OpCode::Exit {
        a.exit_always(snapshot(op));
        return;
    }
    let target = a.link.expect("the backend looked the root up before");
    let words = a.frame_words as i32 - target.frame_words as i32;
    if words != 0 {
        asm!(a ; lea rsp, [Rq(RSP) + 8 * words]);
    }
    let address = target.body;
    asm!(a ; jmp extern address);
}
