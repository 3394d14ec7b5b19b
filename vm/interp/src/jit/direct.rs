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
use super::machine::{Closed, PyRecorder, traced};
use super::residual::{RAISED, execute, flush_for};
use crate::frames::code_at;
use crate::lang::PyMachine;
use pyrite_bytecode::{CodeFlags, FRAME_HEADER, Ins, Op};
use pyrite_jit_ir::{CallTarget, ClassSet, Effects, Op as IrOp, OpCode, Ty};
use pyrite_jit_record::{Abort, Word};
use pyrite_machine::{Core, Value};
use pyrite_objects::code::CodeData;
use pyrite_objects::layout::{Gc, Layout, PyFunction};
use pyrite_objects::shape::shape_of;

/// Records the call and executes it. False: nothing happened, it is no such call.
pub(super) fn record(m: &mut PyRecorder, ins: Ins) -> bool {
    if !matches!(ins.op(), Op::CALL | Op::CALL_METHOD) || !m.host.switches.functions {
        return false;
    }
    let (w, header) = (ins.a() as isize, FRAME_HEADER as isize);
    let f = m.reg(w);
    if !f.now.is_ptr() || shape_of(f.now).layout != Layout::Function {
        return false;
    }
    let this = (ins.op() == Op::CALL_METHOD).then(|| m.reg(w + header));
    let (first, n) = match this {
        None => (w + header, ins.b()),
        Some(this) if this.now.is_null() => (w + header + 1, ins.b()),
        Some(_) => (w + header, ins.b() + 1),
    };
    // SAFETY: a function's code data is never freed.
    let code: &'static CodeData = unsafe { &*Gc::<PyFunction>::from_value(f.now).code_data.get() };
    if !code.simple || code.arg_count as usize != n {
        return false;
    }
    let Some(root) = traced(m, code) else {
        return false;
    };
    if let Some(this) = this {
        let none = m.is_null(this);
        m.branch(none);
    }
    m.e.guard(OpCode::IsPtr, &[f.r], true);
    m.function_code(f);
    let args: Vec<Word> = (0..n as isize).map(|i| m.reg(first + i)).collect();
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
        return true;
    }
    // SAFETY: the instruction just wrote this register.
    let now = unsafe { *base.add(ins.c()) };
    put_result(m, ins.c() as isize, Word { now, r });
    true
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
