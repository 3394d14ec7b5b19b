//! Instructions that a trace calls instead of containing them.
//!
//! Before the call every register the instruction or a look at the frames may
//! read is in the VM stack: its operands, and the locals and headers of all
//! frames. Other temporaries stay in the trace, and the exit behind the call
//! restores them. Afterwards the registers it writes are read anew. The result
//! tells how the instruction ended; a trace goes on only if it ended as it did
//! when it was recorded.

use super::bind;
use super::direct;
use super::driver::FORCED;
use super::leaf;
use super::machine::PyRecorder;
use crate::frames::{caller_of, code_at};
use crate::generators;
use crate::slow::{Flow, call_ex, calls, step};
use crate::unwind::top_of;
use pyrite_bytecode::{FRAME_HEADER, Ins, Op, OperandKind};
use pyrite_jit_ir::{CallTarget, ClassSet, Effects, OpCode, Ty};
use pyrite_jit_record::Abort;
use pyrite_jit_x64::Activation;
use pyrite_machine::Value;
use pyrite_machine::plant::{self, Fault};
use pyrite_objects::generator::Resumed;
use pyrite_objects::layout::Layout;
use pyrite_objects::vm::{R, Raised, Vm};

/// How an instruction ended.
pub(super) const FELL_THROUGH: i64 = 0;
/// It jumped.
pub(super) const JUMPED: i64 = 1;
/// An exception is pending in the VM.
pub(super) const RAISED: i64 = 2;

/// Called by traces: executes the instruction before `pc` in the window `off`
/// slots above that of the innermost run of machine code.
pub(super) extern "C" fn residual(vm: &mut Vm, pc: u64, off: i64) -> i64 {
    // SAFETY: machine code runs, so there is an activation.
    let base = unsafe {
        (*vm.activation.cast::<Activation>())
            .base
            .offset(off as isize)
    };
    execute(vm, pc as *const u64, base.cast())
}

/// Executes the instruction before `pc` to its end, callees included.
pub(super) fn execute(vm: &mut Vm, pc: *const u64, base: *mut Value) -> i64 {
    vm.pc = pc as u64;
    vm.base = base;
    vm.alloc.top = top_of(base);
    // SAFETY: `pc` is behind an instruction.
    let ins = Ins(unsafe { *pc.sub(1) });
    let r = whole(vm, pc, base, ins);
    // A callee may have left its own traces here.
    match r {
        Ok(()) => {
            vm.base = base;
            if vm.pc == pc as u64 {
                FELL_THROUGH
            } else {
                JUMPED
            }
        }
        Err(Raised) => {
            vm.pc = pc as u64;
            vm.base = base;
            RAISED
        }
    }
}

fn whole(vm: &mut Vm, pc: *const u64, base: *mut Value, ins: Ins) -> R<()> {
    // SAFETY: the compiler names registers within the window.
    let get = |r: usize| unsafe { *base.add(r) };
    // SAFETY: as above.
    let args = |from: usize, n: usize| unsafe { std::slice::from_raw_parts(base.add(from), n) };
    let (a, b, c) = (ins.a(), ins.b(), ins.c());
    let put = |r: usize, v: Value| {
        // SAFETY: as above.
        unsafe { *base.add(r) = v }
    };
    match ins.op() {
        Op::CALL | Op::CALL_KW => {
            let names = if ins.op() == Op::CALL {
                Value::NULL
            } else {
                get(a + 1)
            };
            let v = vm.call_kw(get(a), args(a + FRAME_HEADER, b), names)?;
            put(c, v);
        }
        Op::CALL_METHOD | Op::CALL_METHOD_KW => {
            let names = if ins.op() == Op::CALL_METHOD {
                Value::NULL
            } else {
                get(a + 1)
            };
            let from = a + FRAME_HEADER;
            let v = if get(from).is_some() {
                vm.call_kw(get(a), args(from, b + 1), names)?
            } else {
                vm.call_kw(get(a), args(from + 1, b), names)?
            };
            put(c, v);
        }
        Op::CALL_EX => {
            let kwargs = if b == 1 {
                get(a + FRAME_HEADER + 1)
            } else {
                Value::NULL
            };
            let v = call_ex(vm, get(a), get(a + FRAME_HEADER), kwargs)?;
            put(c, v);
        }
        Op::SEND if matches!(vm.layout_of(get(a)), Layout::Generator | Layout::Coroutine) => {
            // The sub-iterator runs to its next value from here.
            match generators::resume(vm, get(a), get(b), Value::NULL)? {
                Resumed::Yielded(v) => {
                    put(a + 1, v);
                    // SAFETY: the next instruction is a jump.
                    vm.pc = unsafe { pc.add(1) } as u64;
                    return Ok(());
                }
                Resumed::Returned(v) => put(a + 1, v),
            }
        }
        Op::FOR_ITER => {
            if let Some(v) = vm.iter_next(get(a))? {
                put(b, v);
                // SAFETY: the next instruction is a jump.
                vm.pc = unsafe { pc.add(1) } as u64;
                return Ok(());
            }
        }
        _ => match step(vm, pc, base, ins)? {
            Flow::Next | Flow::Reload => return Ok(()),
            Flow::Leave => {
                return Err(vm.system_error("an instruction left its frame inside a trace"));
            }
        },
    }
    vm.pc = pc as u64;
    Ok(())
}

/// True if the instruction may be called from a trace.
fn allowed(ins: Ins) -> bool {
    !matches!(
        ins.op(),
        Op::RETURN
            | Op::YIELD
            | Op::RETURN_GENERATOR
            | Op::LOOP
            | Op::HALT
            | Op::RAISE
            | Op::RERAISE
            | Op::PUSH_EXC
            | Op::POP_EXC
            | Op::END_ASYNC_FOR
    )
}

/// Registers the instruction writes.
pub(super) fn each_written(ins: Ins, each: &mut dyn FnMut(usize)) {
    match ins.op() {
        Op::UNPACK_SEQUENCE => (0..ins.c()).for_each(|i| each(ins.a() + i)),
        Op::UNPACK_EX => (0..=(ins.c() & 0xFF) + (ins.c() >> 8)).for_each(|i| each(ins.a() + i)),
        Op::EXC_TRIPLE => (0..3).for_each(|i| each(ins.a() + i)),
        Op::CHECK_EG_MATCH | Op::SEND => (0..2).for_each(|i| each(ins.a() + i)),
        Op::LOAD_METHOD | Op::LOAD_SUPER_METHOD | Op::LOAD_SPECIAL => {
            each(ins.a());
            each(ins.a() + FRAME_HEADER);
        }
        _ => {
            for &(letter, kind) in ins.op().operands() {
                if matches!(kind, OperandKind::Write | OperandKind::ReadWrite) {
                    each(match letter {
                        'a' => ins.a(),
                        'b' => ins.b(),
                        _ => ins.c(),
                    });
                }
            }
        }
    }
}

/// Registers the instruction reads; `None` if that cannot be told from its operands.
fn each_read(ins: Ins, each: &mut dyn FnMut(usize)) -> Option<()> {
    let (a, b, c) = (ins.a(), ins.b(), ins.c());
    let mut range = |from: usize, n: usize| (from..from + n).for_each(&mut *each);
    match ins.op() {
        Op::BUILD_TUPLE | Op::BUILD_LIST | Op::BUILD_SET | Op::BUILD_STRING => range(b, c),
        Op::BUILD_MAP => range(b, 2 * c),
        Op::BUILD_SLICE => range(b, 3),
        Op::LOAD_SUPER_ATTR | Op::LOAD_SUPER_METHOD => range(b, 2),
        Op::CALL | Op::CALL_KW => {
            range(a, 2);
            range(a + FRAME_HEADER, b);
        }
        Op::CALL_METHOD | Op::CALL_METHOD_KW => {
            range(a, 2);
            range(a + FRAME_HEADER, b + 1);
        }
        Op::CALL_EX => {
            range(a, 1);
            range(a + FRAME_HEADER, 2);
        }
        Op::MAKE_FUNCTION => range(c, 4),
        Op::MATCH_CLASS => {
            range(b, 1);
            range(c, 2);
        }
        Op::FORMAT_VALUE => {
            range(b, 1);
            if c != 0xFFFF {
                range(c, 1);
            }
        }
        Op::LOAD_METHOD | Op::LOAD_SPECIAL => range(b, 1),
        Op::FOR_ITER => range(a, 1),
        Op::SEND => {
            range(a, 1);
            range(b, 1);
        }
        Op::IMPORT_NAME | Op::LOAD_CLASSDEREF | Op::YIELD | Op::EXC_TRIPLE => {
            return None;
        }
        _ => {
            for &(letter, kind) in ins.op().operands() {
                let r = match letter {
                    'a' => a,
                    'b' => b,
                    _ => c,
                };
                match kind {
                    OperandKind::Read | OperandKind::ReadWrite => each(r),
                    OperandKind::Window => return None,
                    _ => {}
                }
            }
        }
    }
    Some(())
}

/// Writes to the VM stack what the called instruction and those who look at
/// frames find there.
///
/// In a peeled loop other registers of the first frame are in flux than now, so
/// those are read and written each time. Inlined frames begin and end within an
/// iteration, and bridges are never peeled: there, what is dirty is known.
fn flush(m: &mut PyRecorder, ins: Ins) {
    flush_for(m, ins, true);
}

/// As [`flush`], for a call whose operands and result travel elsewhere
/// (`operands` false).
pub(super) fn flush_for(m: &mut PyRecorder, ins: Ins, operands: bool) {
    let mut wanted: Vec<i32> = Vec::with_capacity(32);
    let mut off = m.off;
    let mut base = m.base();
    for depth in 0..=m.depth {
        let locals = code_at(base).locals as i32;
        wanted.extend(off..off + locals);
        if depth < m.depth {
            wanted.extend(off - FRAME_HEADER as i32..off);
        }
        let up = caller_of(base);
        // SAFETY: both lie in the VM stack.
        off -= unsafe { base.offset_from(up) } as i32;
        base = up;
    }
    let off = m.off;
    let mut top = |r: usize| {
        wanted.push(off + r as i32);
    };
    if operands && each_read(ins, &mut top).is_none() {
        (0..code_at(m.base()).frame_size as usize).for_each(&mut top);
    }
    // A local keeps its value if the instruction raises. A temporary that is
    // overwritten is dead, but a peeled loop must know that it is not dirty.
    let peels = m.host.own_loop.is_some();
    let locals = off + code_at(m.base()).locals as i32;
    let mut dead = Vec::new();
    each_written(ins, &mut |r| {
        let slot = off + r as i32;
        if operands && slot >= locals && !wanted.contains(&slot) {
            dead.push(slot);
        }
    });
    if peels && m.depth == 0 {
        let null = m.e.word(0);
        for &slot in &dead {
            m.e.write_slot(slot, null);
        }
        wanted.extend(dead);
    }
    wanted.sort_unstable();
    wanted.dedup();
    if peels {
        let first = code_at(m.trace_base).frame_size as i32;
        for &slot in wanted.iter().take_while(|&&slot| slot < first) {
            m.e.read_slot(slot);
        }
    }
    for &slot in &wanted {
        make_wide(m, slot);
    }
    m.e.flush_known(&wanted, peels);
}

/// An integer outside 50 bits would leave the trace each time it is boxed, so it
/// becomes a heap object here, as it is for the interpreter.
fn make_wide(m: &mut PyRecorder, slot: i32) {
    let Some(r) = m.e.slot_value(slot) else {
        return;
    };
    // SAFETY: a slot of the trace's windows.
    let now = unsafe { *m.trace_base.offset(slot as isize) };
    if !now.is_ptr() {
        return;
    }
    let trace = m.e.recorded();
    let int = match trace.def(r) {
        Some(op) if op.code == OpCode::BoxInt => op.a,
        _ if trace.ty(r) == Ty::Int => r,
        _ => return,
    };
    let made = leaf::new_int(m, int);
    m.e.write_slot(slot, made);
}

/// Does the instruction call a function that looks for dead objects? The registers
/// and spill slots of machine code would keep alive what was in them, so such calls
/// are left to the interpreter.
fn collects(m: &PyRecorder, ins: Ins) -> bool {
    // SAFETY: a register of the window.
    matches!(ins.op(), Op::CALL | Op::CALL_METHOD)
        && calls::is_collector(unsafe { *m.base().add(ins.a()) })
}

/// Records a call of the instruction before `m.pc`, and executes it.
pub(super) fn record(m: &mut PyRecorder, ins: Ins, at: *const u64) {
    if collects(m, ins) {
        m.give_up(Abort::Instruction);
        return;
    }
    if m.host.switches.leaf && leaf::record(m, ins) || bind::record(m, ins) {
        return;
    }
    if ins.op() == Op::RETURN && m.depth == 0 && m.host.returns {
        direct::record_return(m, ins, at);
        return;
    }
    if !allowed(ins) {
        m.give_up(match ins.op() {
            Op::LOOP if m.host.vm().polled() => Abort::Poll,
            Op::RETURN | Op::YIELD => Abort::LeftFirstFrame,
            _ => Abort::Instruction,
        });
        return;
    }
    // SAFETY: `at` is the instruction.
    let pc = unsafe { at.add(1) };
    if !plant::is(Fault::NotFlushed) {
        flush(m, ins);
    }
    let target = CallTarget {
        name: ins.op().name().into(),
        addr: residual as *const () as usize,
        effects: Effects {
            reads: ClassSet::ALL,
            writes: ClassSet::ALL,
            may_raise: false,
            may_collect: true,
            may_call: false,
        },
        params: vec![Ty::Int, Ty::Int],
        ret: Ty::Int,
    };
    let (p, o) = (m.e.int(pc as i64), m.e.int(i64::from(m.off)));
    let status = m.e.call(target, &[p, o]);
    let base = m.base();
    let ended = m.host.running(|vm| execute(vm, pc, base));
    m.host.residuals += 1;
    // What the instruction wrote is in the VM: an exit must not restore it.
    if !plant::is(Fault::WrittenNotForgotten) {
        each_written(ins, &mut |r| m.e.forget_slot(m.off + r as i32));
    }
    m.e.resume_finish(pc as u64, m.off, FORCED, status);
    let c = m.e.int(ended);
    if !plant::is(Fault::EndingNotGuarded) {
        m.e.guard(OpCode::IEq, &[status, c], true);
    }
    // The instruction may have changed what the trace rests on.
    if !plant::is(Fault::ValidityNotChecked) {
        m.e.guard(OpCode::Valid, &[], true);
    }
    if ended == RAISED {
        m.give_up(Abort::Exception);
        return;
    }
    m.pc = m.host.vm().pc as *const u64;
}
