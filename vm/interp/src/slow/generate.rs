//! `yield` and sending into an iterator.

use super::{Flow, NEXT, Regs, Step, jump};
use crate::frames::{self, caller_of, code_at, return_at, return_pc};
use crate::generators;
use crate::lang::Stage;
use crate::state::state;
use pyrite_bytecode::{FRAME_HEADER, Ins};
use pyrite_machine::Value;
use pyrite_objects::layout::Layout;
use pyrite_objects::vm::{R, Vm};

pub(super) fn yield_(vm: &mut Vm, pc: *const u64, base: *mut Value, ins: Ins) -> Step {
    let r = Regs(base);
    let g = generators::generator_of(base);
    let mut v = r.get(ins.b());
    if ins.d() == 1 {
        v = pyrite_objects::misc::wrap_async_value(vm, v);
    }
    let ret = return_at(base);
    let stage = Stage::from_bits(ret >> 48);
    let index = code_at(base).index_of(pc) - 1;
    generators::suspend(vm, g, base, pc, ins.c());
    if ret & crate::lang::FRAME_OBJECT != 0 {
        frames::park(vm, base, index, g);
    }
    let back = return_pc(ret);
    match stage {
        Stage::ForIter | Stage::Send => {
            // SAFETY: behind the resuming instruction.
            let call = Ins(unsafe { *back.sub(1) });
            vm.base = caller_of(base);
            let dst = if stage == Stage::ForIter {
                call.b()
            } else {
                call.a() + 1
            };
            Regs(vm.base).set(dst, v);
            jump(vm, back, 1)
        }
        _ => {
            state(vm).yielded = true;
            vm.result = v;
            Ok(Flow::Leave)
        }
    }
}

/// `SEND`: sends register `b` into the iterator in `a`.
pub(super) fn send(vm: &mut Vm, pc: *const u64, base: *mut Value, ins: Ins) -> Step {
    let r = Regs(base);
    let (it, v) = (r.get(ins.a()), r.get(ins.b()));
    let layout = vm.layout_of(it);
    if matches!(layout, Layout::Generator | Layout::Coroutine)
        && generators::resume_in_window(vm, it, base, ins.c() + FRAME_HEADER, pc, Stage::Send, v)?
    {
        return Ok(Flow::Reload);
    }
    let res = if matches!(layout, Layout::Generator | Layout::Coroutine) {
        match generators::resume(vm, it, v, Value::NULL)? {
            pyrite_objects::generator::Resumed::Yielded(v) => Some(v),
            pyrite_objects::generator::Resumed::Returned(v) => {
                r.set(ins.a() + 1, v);
                return NEXT;
            }
        }
    } else if v == vm.none {
        let class = vm.class_of(it);
        let f = vm.lookup(class, vm.names.next);
        if f.is_null() {
            let m = format!("'{}' object is not an iterator", vm.class_name(it));
            return Err(vm.type_error(&m));
        }
        let res = vm.call_method_value(f, it, &[]);
        caught_stop(vm, res, &r, ins)?
    } else {
        let res = vm.call_method(it, vm.names.send, &[v]);
        caught_stop(vm, res, &r, ins)?
    };
    match res {
        Some(v) => {
            r.set(ins.a() + 1, v);
            jump(vm, pc, 1)
        }
        None => NEXT,
    }
}

pub(super) fn caught_stop(vm: &mut Vm, res: R, r: &Regs, ins: Ins) -> R<Option<Value>> {
    match res {
        Ok(v) => Ok(Some(v)),
        Err(e) => {
            if !vm.exc_is(vm.types.stop_iteration) {
                return Err(e);
            }
            let stop = vm.take_exc();
            let v = pyrite_objects::exceptions::stop_value(vm, stop);
            r.set(ins.a() + 1, v);
            Ok(None)
        }
    }
}
