//! Exceptions on their way out: handlers, tracebacks, frames left behind.

use crate::frames::{self, caller_of, code_at, return_at, return_pc};
use crate::lang::Stage;
use crate::slow::Flow;
use pyrite_bytecode::{CodeFlags, Ins, Op};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, PyException, PyTraceback};
use pyrite_objects::vm::Vm;

/// Takes the pending exception to its handler, from instruction pointer `vm.pc`
/// (behind the raising instruction) in window `vm.base`. `again` is true for an
/// exception raised again, whose traceback has this frame already.
pub fn unwind(vm: &mut Vm, again: bool) -> Flow {
    let mut again = again;
    loop {
        let base = vm.base;
        let pc = vm.pc as *const u64;
        let code = code_at(base);
        let mut index = code.index_of(pc) - 1;
        // SAFETY: behind the raising instruction.
        let ins = Ins(unsafe { *pc.sub(1) });
        let handler = code.handler(index);
        if again && ins.op() == Op::RERAISE && ins.d() == 1 {
            // SAFETY: a register of the window.
            let shown = unsafe { *base.add(ins.a() + 1) };
            index = shown.as_int().map_or(index, |i| i as usize);
        }
        if !again {
            add_traceback(vm, base, index);
            if vm.tracing != 0 {
                crate::tracing::exception_event(vm, base);
            }
        }
        again = false;
        if let Some(h) = handler {
            let e = vm.take_exc();
            // SAFETY: registers of the window; the target lies in the code.
            unsafe {
                *base.add(h.reg as usize) = e;
                if h.lasti {
                    *base.add(h.reg as usize + 1) = Value::small(index as i32);
                }
                vm.pc = code.entry.add(h.target as usize) as u64;
            }
            vm.alloc.top = top_of(base);
            return Flow::Reload;
        }
        if vm.tracing != 0 {
            crate::tracing::left_by_exception(vm, base);
        }
        let ret = return_at(base);
        let stage = Stage::from_bits(ret >> 48);
        frames::detach(vm, base, index);
        match stage {
            Stage::Root => {
                vm.result = Value::NULL;
                return Flow::Leave;
            }
            Stage::RootGen => {
                // SAFETY: see `generators::resume`: the word above the header
                // names the generator.
                let g = unsafe { *base.sub(7) };
                crate::generators::finished(vm, g, true);
                vm.result = Value::NULL;
                return Flow::Leave;
            }
            Stage::ForIter | Stage::Send => {
                // SAFETY: a resumed generator's window names it.
                let g = unsafe { *base.sub(5) };
                crate::generators::finished(vm, g, true);
            }
            Stage::Call | Stage::Init | Stage::Value | Stage::Drop | Stage::Binary => {}
        }
        vm.pc = return_pc(ret) as u64;
        vm.base = caller_of(base);
        vm.alloc.top = top_of(vm.base);
        if stage == Stage::Send && vm.exc_is(vm.types.stop_iteration) {
            // `yield from` takes the value of a StopIteration raised by hand; a
            // generator's own was turned into RuntimeError above.
            continue;
        }
    }
}

/// The word behind the registers of a window.
pub fn top_of(base: *mut Value) -> u64 {
    // SAFETY: windows are checked to fit when they are made.
    unsafe { base.add(code_at(base).frame_size as usize) as u64 }
}

/// Adds an entry for the frame to the pending exception's traceback.
pub fn add_traceback(vm: &mut Vm, base: *mut Value, index: usize) {
    if code_at(base).flags.has(CodeFlags::HIDDEN) {
        return;
    }
    let e = vm.exc;
    let frame = frames::frame_object(vm, base);
    let line = code_at(base).line(index);
    let tb = vm.alloc::<PyTraceback>(vm.types.traceback);
    let ex: Gc<PyException> = Gc::from_value(e);
    let next = ex.traceback.get();
    tb.next.set(if next.is_null() { vm.none } else { next });
    tb.frame.set(frame);
    tb.lasti.set(Value::small(index as i32));
    tb.line.set(Value::small(line as i32));
    ex.traceback.set(tb.value());
    vm.write_barrier(e);
}
