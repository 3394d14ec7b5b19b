//! `sys.settrace` and `sys.setprofile`: running with events.
//!
//! While such a function is set, [`Vm::tracing`] is nonzero and code runs in
//! [`run_traced`], a loop over the general implementation of instructions that
//! reports calls, lines, returns and exceptions. Untraced dispatch notices the
//! flag after each instruction that it leaves to the slow path (setting the
//! function is such a call) and at each back-edge, by the poll bit; so a compiled
//! loop ends at its next turn, and none is entered or recorded meanwhile.
//!
//! A frame's events go to its own `f_trace`, which the global function returned
//! for its `call` event. Left out: events of native functions (`c_call`) and jumps
//! by setting `f_lineno`.

use crate::frames::{self, code_at};
use crate::slow::{Flow, slow_step};
use pyrite_bytecode::{CodeFlags, Ins, Op};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, PyFrame};
use pyrite_objects::misc::run_pending;
use pyrite_objects::vm::{R, Raised, Vm, kept};

/// Bits of [`Vm::tracing`].
const TRACE: u32 = 1;
const PROFILE: u32 = 2;

/// Calls one of the functions, with tracing off meanwhile. A function that
/// raises is unset.
fn event(vm: &mut Vm, slot: usize, f: Value, frame: Value, what: &str, arg: Value) -> R {
    let what = vm.intern(what);
    let (pc, base) = (vm.pc, vm.base);
    vm.tracing = 0;
    let r = vm.call(f, &[frame, what, arg]);
    (vm.pc, vm.base) = (pc, base);
    if r.is_err() {
        vm.statics[slot] = Value::NULL;
        Gc::<PyFrame>::from_value(frame).trace.set(Value::NULL);
    }
    vm.set_tracing();
    r
}

/// The frame's own trace function, or null.
fn local(vm: &Vm, base: *mut Value) -> (Value, Value) {
    // SAFETY: part of the window's header.
    let frame = unsafe { *base.sub(1) };
    if frame.is_null() || vm.tracing & TRACE == 0 {
        return (frame, Value::NULL);
    }
    let f = Gc::<PyFrame>::from_value(frame).trace.get();
    let f = if f == vm.none { Value::NULL } else { f };
    (frame, f)
}

/// An event for the frame's own function; what it returns is the function from
/// now on.
fn local_event(vm: &mut Vm, base: *mut Value, what: &str, arg: Value) -> R<()> {
    let (frame, f) = local(vm, base);
    if f.is_null() {
        return Ok(());
    }
    let r = event(vm, kept::TRACE, f, frame, what, arg)?;
    if r != vm.none {
        Gc::<PyFrame>::from_value(frame).trace.set(r);
        vm.write_barrier(frame);
    }
    Ok(())
}

fn profile_event(vm: &mut Vm, base: *mut Value, what: &str, arg: Value) -> R<()> {
    if vm.tracing & PROFILE != 0 && !code_at(base).flags.has(CodeFlags::HIDDEN) {
        let frame = frames::frame_object(vm, base);
        let f = vm.statics[kept::PROFILE];
        event(vm, kept::PROFILE, f, frame, what, arg)?;
    }
    Ok(())
}

/// A frame begins, or a generator's goes on.
fn call_event(vm: &mut Vm, base: *mut Value, pc: *const u64) -> R<()> {
    let code = code_at(base);
    let index = code.index_of(pc);
    let generator = CodeFlags::GENERATOR | CodeFlags::COROUTINE | CodeFlags::ASYNC_GENERATOR;
    if index == 0 && code.flags.0 & generator != 0 {
        // Only the object is made; its frame begins when it is first resumed.
        return Ok(());
    }
    if code.flags.has(CodeFlags::HIDDEN) {
        return Ok(());
    }
    let frame = frames::frame_object(vm, base);
    let line = &Gc::<PyFrame>::from_value(frame).line;
    let begins = index == 0 || Ins(code.instrs[index - 1]).op() == Op::RETURN_GENERATOR;
    if begins {
        // At the line of its definition, before the body's first.
        line.set(pyrite_objects::small::AT_DEFINITION);
        let r = call_events(vm, base);
        line.set(Value::NULL);
        return r;
    }
    // It goes on at the line of its `yield`.
    let next = vm.pc;
    vm.pc = pc as u64;
    let r = call_events(vm, base);
    vm.pc = next;
    let at = i64::from(code.pos(index - 1).line) << 24 | ((index - 1) & 0xFF_FFFF) as i64;
    line.set(Value::int_unchecked(at));
    r
}

fn call_events(vm: &mut Vm, base: *mut Value) -> R<()> {
    let none = vm.none;
    if vm.tracing & TRACE != 0 {
        let frame = frames::frame_object(vm, base);
        let f = vm.statics[kept::TRACE];
        let r = event(vm, kept::TRACE, f, frame, "call", none)?;
        let fr = Gc::<PyFrame>::from_value(frame);
        fr.trace.set(if r == none { Value::NULL } else { r });
        vm.write_barrier(frame);
    }
    profile_event(vm, base, "call", none)
}

/// A frame ends or is suspended with this value.
fn return_event(vm: &mut Vm, base: *mut Value, v: Value) -> R<()> {
    local_event(vm, base, "return", v)?;
    profile_event(vm, base, "return", v)
}

/// An exception arrived in a frame; to be called with the exception pending.
/// What the trace function raises takes its place.
pub fn exception_event(vm: &mut Vm, base: *mut Value) {
    if local(vm, base).1.is_null() {
        return;
    }
    let e = vm.take_exc();
    let tb = Gc::<pyrite_objects::layout::PyException>::from_value(e)
        .traceback
        .get();
    let tb = if tb.is_null() { vm.none } else { tb };
    let arg = vm.new_tuple(&[vm.class_of(e).value(), e, tb]);
    if local_event(vm, base, "exception", arg).is_ok() {
        vm.exc = e;
    }
}

/// A frame is left by the pending exception.
pub fn left_by_exception(vm: &mut Vm, base: *mut Value) {
    let e = vm.take_exc();
    let none = vm.none;
    if return_event(vm, base, none).is_ok() {
        vm.exc = e;
    }
}

/// Reports the line of the instruction at `pc` if it is another one than before,
/// or the same reached by going back.
fn line_event(vm: &mut Vm, base: *mut Value, pc: *const u64) -> R<()> {
    let (frame, f) = local(vm, base);
    if f.is_null() {
        return Ok(());
    }
    let fr = Gc::<PyFrame>::from_value(frame);
    let flags = fr.trace_flags.get().as_int().unwrap_or(0);
    let code = code_at(base);
    let index = code.index_of(pc);
    let ins = Ins(code.instrs[index]);
    let line = code.pos(index).line;
    let prologue = matches!(
        ins.op(),
        Op::MAKE_CELL | Op::LOAD_CLOSURE | Op::RETURN_GENERATOR
    );
    if prologue {
        return Ok(());
    }
    let last = fr.line.get().as_int();
    let (old_line, old_index) = match last {
        Some(l) => ((l >> 24) as u32, (l & 0xFF_FFFF) as usize),
        None => (0, 0),
    };
    let at = Value::int_unchecked(i64::from(line) << 24 | (index & 0xFF_FFFF) as i64);
    fr.line.set(at);
    let none = vm.none;
    let back = last.is_some() && index < old_index && ins.op() != Op::SEND;
    let silent = flags & pyrite_objects::small::NO_LINES != 0;
    if line != 0 && !silent && (line != old_line || back) {
        local_event(vm, base, "line", none)?;
    }
    if flags & pyrite_objects::small::OPCODES != 0 {
        local_event(vm, base, "opcode", none)?;
    }
    Ok(())
}

/// How traced running ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// No function is set any more: go on untraced at `vm.pc` in `vm.base`.
    Untraced,
    /// The frame that Rust entered is done.
    Left,
}

/// Runs from `vm.pc` in `vm.base` with events; `entered` tells that this frame
/// begins here (or goes on, if it is a generator's).
pub fn run_traced(vm: &mut Vm, entered: bool) -> Ended {
    let mut begins = entered;
    loop {
        if vm.tracing == 0 {
            return Ended::Untraced;
        }
        match one(vm, begins) {
            Flow::Leave => return Ended::Left,
            Flow::Reload | Flow::Next => {}
        }
        begins = vm.frame_began;
        vm.frame_began = false;
    }
}

/// One instruction with its events. The VM names where to go on.
fn one(vm: &mut Vm, begins: bool) -> Flow {
    let (pc, base) = (vm.pc as *const u64, vm.base);
    // SAFETY: code ends in an instruction that does not fall through.
    let (ins, next) = unsafe { (Ins(*pc), pc.add(1)) };
    vm.pc = next as u64;
    vm.alloc.top = crate::unwind::top_of(base);
    let before = (|| {
        if begins {
            call_event(vm, base, pc)?;
        }
        line_event(vm, base, pc)?;
        match ins.op() {
            Op::RETURN => {
                // SAFETY: a register of the window.
                let v = unsafe { *base.add(ins.a()) };
                return_event(vm, base, v)
            }
            Op::YIELD => {
                // SAFETY: as above.
                let v = unsafe { *base.add(ins.b()) };
                return_event(vm, base, v)
            }
            // No loop is counted or entered compiled.
            Op::LOOP if vm.polled() => run_pending(vm),
            _ => Ok(()),
        }
    })();
    if let Err(Raised) = before {
        vm.pc = next as u64;
        vm.base = base;
        return crate::unwind::unwind(vm, false);
    }
    if ins.op() == Op::LOOP {
        vm.pc = code_at(base).loops[ins.b()].header as u64;
        return Flow::Reload;
    }
    let flow = slow_step(vm, next, base, ins);
    match flow {
        Flow::Next => {
            vm.pc = next as u64;
            vm.base = base;
        }
        // A window above this one is a frame that begins or goes on.
        Flow::Reload => vm.frame_began = vm.base > base,
        Flow::Leave => {}
    }
    flow
}
