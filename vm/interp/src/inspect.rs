//! Frame objects' questions about windows that are still running.

use crate::frames::{self, frame_object};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, PyFrame};
use pyrite_objects::small::FrameHooks;
use pyrite_objects::vm::Vm;

/// The answers.
pub const HOOKS: FrameHooks = FrameHooks { at, back, index };

fn at(vm: &mut Vm, depth: usize) -> Value {
    let mut left = depth;
    let mut found = std::ptr::null_mut();
    frames::walk(vm, |base, _| {
        if left == 0 {
            found = base;
            return false;
        }
        left -= 1;
        true
    });
    if found.is_null() {
        Value::NULL
    } else {
        frame_object(vm, found)
    }
}

fn back(vm: &mut Vm, frame: Value) -> Value {
    let f = Gc::<PyFrame>::from_value(frame);
    let window = f.window.get();
    if window == 0 {
        return f.back.get();
    }
    let (base, _) = frames::outer(window as *mut Value);
    if base > vm.stack {
        frame_object(vm, base)
    } else {
        Value::NULL
    }
}

fn index(vm: &mut Vm, frame: Value) -> usize {
    let f = Gc::<PyFrame>::from_value(frame);
    let window = f.window.get();
    let mut found = f.lasti.get() as usize;
    if window != 0 {
        frames::walk(vm, |base, index| {
            if base as u64 == window {
                found = index;
                return false;
            }
            true
        });
    }
    found
}
