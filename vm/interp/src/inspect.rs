//! Frame objects' questions about windows that are still running.

use crate::frames::{self, frame_object};
use crate::lang::Stage;
use pyrite_bytecode::{CodeFlags, FRAME_HEADER, Ins, Op};
use pyrite_machine::Value;
use pyrite_objects::code::CodeData;
use pyrite_objects::generator::state as gs;
use pyrite_objects::layout::{Gc, PyFrame, PyFunction, PyGenerator};
use pyrite_objects::small::FrameHooks;
use pyrite_objects::vm::Vm;

/// The answers.
pub const HOOKS: FrameHooks = FrameHooks {
    at,
    back,
    index,
    of_window,
    lines,
    clear_dead,
    of_generator,
};

fn of_window(vm: &mut Vm, base: *mut Value) -> Value {
    let hidden = frames::code_at(base).flags.has(CodeFlags::HIDDEN);
    let base = if hidden {
        frames::outer_shown(base)
    } else {
        base
    };
    if base.is_null() {
        return Value::NULL;
    }
    frame_object(vm, base)
}

/// A thread's lowest window lies at the bottom of its stack: its header's words there
/// are zero, as is the window that it names as its caller.
fn lines(base: *mut Value, pc: u64, each: &mut dyn FnMut(&CodeData, u32) -> bool) {
    let (mut base, mut pc) = (base, pc as *const u64);
    while !base.is_null() && !pc.is_null() {
        let code = frames::code_at(base);
        let index = code.index_of(pc).saturating_sub(1);
        if !code.flags.has(CodeFlags::HIDDEN) && !each(code, code.line(index)) {
            return;
        }
        (base, pc) = frames::outer(base);
    }
}

/// A frame that called into Rust reads no register above its call's arguments
/// again: temporaries are given out and returned like a stack. What lies there are
/// the windows of calls that ended.
fn clear_dead(vm: &mut Vm) {
    let (mut base, mut pc) = (vm.base, vm.pc as *const u64);
    let mut calls_rust = true;
    while base > vm.stack {
        let code = frames::code_at(base);
        // SAFETY: `pc` is behind an instruction of the code.
        let ins = Ins(unsafe { *pc.sub(1) });
        if matches!(
            ins.op(),
            Op::CALL | Op::CALL_METHOD | Op::CALL_KW | Op::CALL_METHOD_KW
        ) {
            // A temporary that the result is for holds an older one until then.
            let dst = ins.c();
            if dst < ins.a() && dst >= first_temporary(vm, code) {
                // SAFETY: a register of the window.
                unsafe { *base.add(dst) = Value::NULL };
            }
            if calls_rust {
                // A callee in Rust has no frame: its header's words are dead, too, but
                // for the names of keyword arguments in the first.
                let named = matches!(ins.op(), Op::CALL_KW | Op::CALL_METHOD_KW);
                let header = ins.a() + 1 + usize::from(named)..ins.a() + FRAME_HEADER;
                let behind = ins.a() + FRAME_HEADER + ins.b() + 1..code.frame_size as usize;
                for r in header.chain(behind) {
                    // SAFETY: registers of the window.
                    unsafe { *base.add(r) = Value::NULL };
                }
            }
        }
        let stage = Stage::from_bits(frames::return_at(base) >> 48);
        calls_rust = matches!(stage, Stage::Root | Stage::RootGen);
        (base, pc) = frames::outer(base);
    }
}

/// The register behind those that belong to names.
fn first_temporary(vm: &Vm, code: &CodeData) -> usize {
    let cells = code.cell_regs.iter().chain(&code.free_regs);
    let cells = cells.map(|&r| usize::from(r) + 1).max().unwrap_or(0);
    // A class body and a module keep their namespace in register 0.
    cells.max(vm.tuple_len(code.varnames)).max(1)
}

fn of_generator(vm: &mut Vm, g: Value) -> Value {
    let gen_: Gc<PyGenerator> = Gc::from_value(g);
    let s = vm.generator_state(g);
    if s == gs::FINISHED {
        return Value::NULL;
    }
    let have = gen_.frame.get();
    if have.is_some() {
        return have;
    }
    if s == gs::RUNNING {
        let mut found = std::ptr::null_mut();
        frames::walk(vm, |base, _| {
            if frames::generator_at(base) == g {
                found = base;
                return false;
            }
            true
        });
        return if found.is_null() {
            Value::NULL
        } else {
            frame_object(vm, found)
        };
    }
    let f = vm.alloc::<PyFrame>(vm.types.frame);
    let func: Gc<PyFunction> = Gc::from_value(gen_.func.get());
    let code = vm.code_data(func.code.get());
    f.func.set(func.value());
    f.globals.set(func.globals.get());
    f.regs.set(gen_.regs.get());
    f.generator.set(g);
    let index = code.index_of(gen_.pc.get() as *const u64).saturating_sub(1);
    f.lasti.set(index as u64);
    gen_.frame.set(f.value());
    gen_.state.set(gen_.state.get() | gs::HAS_FRAME);
    vm.write_barrier(g);
    f.value()
}

fn at(vm: &mut Vm, depth: usize) -> Value {
    vm.looks_at_frames();
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
    vm.looks_at_frames();
    let f = Gc::<PyFrame>::from_value(frame);
    let window = f.window.get();
    if window == 0 {
        return f.back.get();
    }
    // It may be another thread's frame.
    let base = frames::outer_shown(window as *mut Value);
    if base.is_null() {
        return Value::NULL;
    }
    frame_object(vm, base)
}

fn index(vm: &mut Vm, frame: Value) -> usize {
    let f = Gc::<PyFrame>::from_value(frame);
    let window = f.window.get();
    let found = f.lasti.get() as usize;
    if window == 0 {
        return found;
    }
    for (_, mut base, pc) in vm.thread_frames() {
        let mut pc = pc as *const u64;
        while !base.is_null() && !pc.is_null() {
            if base as u64 == window {
                return frames::code_at(base).index_of(pc).saturating_sub(1);
            }
            (base, pc) = frames::outer(base);
        }
    }
    found
}
