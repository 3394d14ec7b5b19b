//! Calls of functions that have a trace of their own, and their return.
//!
//! What is not inlined (recursion, functions with loops) is called by its trace:
//! the caller's trace writes function and arguments into a window behind its own
//! registers, machine code enters machine code, and `ret` brings the value back
//! without an exit. Where the callee's trace is left by a guard, the interpreter
//! finishes that one window; the caller's trace goes on.
//!
//! A trace may end in `ret` wherever its first frame returns, bridges of loops
//! included: whoever entered does the rest. A frame that somebody holds a frame
//! object of is left to the interpreter, which detaches the object.

use super::driver::{CALL_HEADER, call_traced};
use super::leaf::{BEHIND, put_result};
use super::machine::{Closed, PyRecorder};
use super::residual::{RAISED, execute, flush_for};
use crate::frames::code_at;
use pyrite_bytecode::{CodeFlags, Ins};
use pyrite_jit_ir::{CallTarget, ClassSet, Effects, Op as IrOp, OpCode, Ty};
use pyrite_jit_record::{Abort, Word};
use pyrite_machine::{Core, Value};
use pyrite_objects::code::CodeData;

/// Records the call of a function that has the trace `root`, with these arguments
/// in the places of its parameters, and executes it.
pub(super) fn call_trace(
    m: &mut PyRecorder,
    ins: Ins,
    f: Word,
    code: &'static CodeData,
    root: u32,
    args: &[Word],
) {
    flush_for(m, ins, false);
    let size = code_at(m.base()).frame_size as usize;
    let window = m.off + (size + CALL_HEADER) as i32;
    m.extent = m.extent.max(window + code.frame_size as i32);
    let mut put = |slot: i32, v: Word| {
        m.e.emit(IrOp::new(OpCode::StSlot).with(&[v.r]).imm(slot));
    };
    put(window - 4, f);
    for (i, &v) in args.iter().enumerate() {
        put(window + i as i32, v);
    }
    let target = CallTarget {
        name: "traced".into(),
        addr: call_traced as *const () as usize,
        effects: Effects {
            reads: ClassSet::ALL,
            writes: ClassSet::ALL,
            may_raise: false,
            may_collect: true,
            may_call: false,
        },
        params: vec![Ty::Int; 4],
        ret: Ty::Val,
    };
    let pc = m.pc;
    let operands = [root.into(), pc as i64, m.off.into(), window.into()].map(|i| m.e.int(i));
    let r = m.e.call(target, &operands);
    let base = m.base();
    let ended = m.host.running(|vm| execute(vm, pc, base));
    let off = m.off;
    m.e.resume_finish(pc as u64, off, BEHIND, r);
    m.e.guard(OpCode::NonNull, &[r], ended != RAISED);
    if ended == RAISED {
        m.give_up(Abort::Exception);
        return;
    }
    // SAFETY: the instruction just wrote this register.
    let now = unsafe { *base.add(ins.c()) };
    put_result(m, ins.c() as isize, Word { now, r });
}

/// The first frame of the trace returns.
pub(super) fn record_return(m: &mut PyRecorder, ins: Ins, at: *const u64) {
    let resumable = CodeFlags::GENERATOR | CodeFlags::COROUTINE | CodeFlags::ASYNC_GENERATOR;
    let v = m.reg(ins.a() as isize);
    m.e.forget_slot(m.off - 1);
    let object = m.reg(-1);
    if code_at(m.base()).flags.0 & resumable != 0 || object.now != Value::NULL {
        m.give_up(Abort::LeftFirstFrame);
        return;
    }
    m.e.guard(OpCode::NonNull, &[object.r], false);
    m.host.closed = Some(Closed::Return(v.r));
    // The interpreter executes it.
    m.pc = at;
}
