//! Windows on the VM stack, seen from Rust: entering, leaving, walking.

use crate::interp::{link_word, return_word};
use crate::lang::{FRAME_OBJECT, Stage};
use crate::state::state;
use pyrite_bytecode::CodeFlags;
use pyrite_machine::Value;
use pyrite_objects::code::CodeData;
use pyrite_objects::generator::state as gs;
use pyrite_objects::layout::{Array, Gc, PyFrame, PyFunction, PyGenerator};
use pyrite_objects::vm::{R, Vm};

/// The function running in a window.
#[inline(always)]
pub fn function_at(base: *mut Value) -> Gc<PyFunction> {
    // SAFETY: the header of every window holds its function.
    Gc::from_value(unsafe { *base.sub(4) })
}

/// The code running in a window.
#[inline(always)]
pub fn code_at(base: *mut Value) -> &'static mut CodeData {
    // SAFETY: a function's code data is never freed.
    unsafe { &mut *function_at(base).code_data.get() }
}

/// The return address word of a window.
#[inline(always)]
pub fn return_at(base: *mut Value) -> u64 {
    // SAFETY: part of the header.
    unsafe { (*base.sub(3)).bits() }
}

/// Instruction pointer of a return address word.
#[inline(always)]
pub fn return_pc(word: u64) -> *const u64 {
    (word & 0xFFFF_FFFF_FFFF) as *const u64
}

/// The caller's window; for a frame that Rust called, the window that was
/// running when Rust was called (null if none).
#[inline(always)]
pub fn caller_of(base: *mut Value) -> *mut Value {
    // SAFETY: the link word holds the distance.
    unsafe { base.sub(((*base.sub(2)).bits() >> 48) as usize) }
}

/// What a nested run must put back.
pub struct Saved {
    pc: u64,
    base: *mut Value,
    top: u64,
}

/// Makes a window above everything in use for a call from Rust; its register 0.
/// The locals are unset; what lies above holds valid words, if old ones: each
/// collection clears everything above the top. Undo with [`leave`].
pub fn enter(vm: &mut Vm, func: Value, code: &CodeData, stage: Stage) -> R<(Saved, *mut Value)> {
    vm.enter_native()?;
    let saved = Saved {
        pc: vm.pc,
        base: vm.base,
        top: vm.alloc.top,
    };
    // SAFETY: `top` bounds what is in use; `grow` checks that the window fits.
    let base = unsafe { (vm.alloc.top as *mut Value).add(6) };
    grow(vm, base, code.frame_size)?;
    // SAFETY: just checked. Header: a link to the window below for walkers (the
    // distance may exceed 16 bits, so it lies in the callable's place).
    unsafe {
        *base.sub(6) = Value::from_bits(saved.base as u64);
        *base.sub(5) = Value::from_bits(saved.pc);
        *base.sub(4) = func;
        *base.sub(3) = return_word(state(vm).halt.as_ptr().add(1), stage);
        *base.sub(2) = link_word(std::ptr::null_mut(), 0);
        *base.sub(1) = Value::NULL;
        for i in 0..code.locals as usize {
            *base.add(i) = Value::NULL;
        }
        vm.alloc.top = base.add(code.frame_size as usize) as u64;
    }
    Ok((saved, base))
}

/// Puts the window and instruction pointer of before [`enter`] back.
pub fn leave(vm: &mut Vm, saved: Saved) {
    vm.pc = saved.pc;
    vm.base = saved.base;
    vm.alloc.top = saved.top;
}

/// Distance in words between checks of the recursion limit.
const SOFT_STEP: usize = 2048;

/// Frames short of the recursion limit from which on each call counts them.
const COUNTED: usize = 32;

/// Words that each further frame takes at least: its header.
const LEAST_WINDOW: usize = 5;

/// The next soft limit above a window.
pub fn soft_limit(vm: &Vm, base: *mut Value) -> *mut Value {
    // SAFETY: only compared, and cut to the stack's end.
    let next = unsafe { base.add(SOFT_STEP) };
    next.min(vm.stack_end)
}

/// Checks that a window at `base` fits; at a soft limit the frames are counted.
///
/// # Errors
/// RecursionError beyond the recursion limit or at the end of the stack.
pub fn grow(vm: &mut Vm, base: *mut Value, frame_size: u32) -> R<()> {
    // SAFETY: only compared.
    let end = unsafe { base.add(frame_size as usize + 8) };
    if end < vm.stack_high {
        return Ok(());
    }
    let deep = depth(vm);
    if end >= vm.stack_end || deep >= vm.depth_limit as usize {
        return Err(vm.recursion_error("maximum recursion depth exceeded"));
    }
    // The next check comes before the frames that are still allowed can be used
    // up, however small they are. Close to the limit each frame is counted: after
    // large ones have ended, smaller ones would not reach a mark set by those.
    let left = vm.depth_limit as usize - deep - 1;
    if left >= COUNTED {
        // SAFETY: only compared.
        let exact = unsafe { end.add(left.saturating_mul(LEAST_WINDOW).min(SOFT_STEP)) };
        vm.stack_high = soft_limit(vm, end).min(exact);
        vm.rearm();
    } else {
        vm.stack_beyond = vm.stack_beyond.max(end);
    }
    Ok(())
}

/// Frames in progress, counted from the published window.
pub fn depth(vm: &Vm) -> usize {
    let mut n = 0;
    walk(vm, |_, _| {
        n += 1;
        true
    });
    n
}

/// Visits the windows from the published one outwards: window and instruction
/// index. Stops when `f` returns false.
pub fn walk(vm: &Vm, mut f: impl FnMut(*mut Value, usize) -> bool) {
    let (mut base, mut pc) = (vm.base, vm.pc as *const u64);
    while base > vm.stack {
        let code = code_at(base);
        let index = code.index_of(pc).saturating_sub(1);
        if !code.flags.has(CodeFlags::HIDDEN) && !f(base, index) {
            return;
        }
        (base, pc) = outer(base);
    }
}

/// The nearest window below that programs may see, or null.
pub fn outer_shown(base: *mut Value) -> *mut Value {
    let mut at = outer(base);
    while !at.0.is_null() && !at.1.is_null() {
        if !code_at(at.0).flags.has(CodeFlags::HIDDEN) {
            return at.0;
        }
        at = outer(at.0);
    }
    std::ptr::null_mut()
}

/// The window below, and its instruction pointer.
pub fn outer(base: *mut Value) -> (*mut Value, *const u64) {
    let ret = return_at(base);
    match Stage::from_bits(ret >> 48) {
        Stage::Root | Stage::RootGen => {
            // SAFETY: `enter` wrote these.
            unsafe {
                (
                    (*base.sub(6)).bits() as *mut Value,
                    (*base.sub(5)).bits() as *const u64,
                )
            }
        }
        _ => (caller_of(base), return_pc(ret)),
    }
}

/// The frame object of a window, made on demand.
pub fn frame_object(vm: &mut Vm, base: *mut Value) -> Value {
    // SAFETY: part of the header.
    let have = unsafe { *base.sub(1) };
    if have.is_some() {
        return have;
    }
    let f = vm.alloc::<PyFrame>(vm.types.frame);
    f.func.set(function_at(base).value());
    f.globals.set(function_at(base).globals.get());
    attach(base, f);
    let g = generator_at(base);
    if g.is_some() {
        f.generator.set(g);
        let gen_: Gc<PyGenerator> = Gc::from_value(g);
        gen_.frame.set(f.value());
        gen_.state.set(gen_.state.get() | gs::HAS_FRAME);
        vm.write_barrier(g);
    }
    f.value()
}

/// The generator whose frame a window is, or null.
pub fn generator_at(base: *mut Value) -> Value {
    match Stage::from_bits(return_at(base) >> 48) {
        Stage::ForIter | Stage::Send | Stage::RootGen => crate::generators::generator_of(base),
        _ => Value::NULL,
    }
}

/// Makes a frame object that of a window.
pub fn attach(base: *mut Value, f: Gc<PyFrame>) {
    f.window.set(base as u64);
    // SAFETY: part of the header.
    unsafe {
        *base.sub(1) = f.value();
        let ret = base.sub(3);
        *ret = Value::from_bits((*ret).bits() | FRAME_OBJECT);
    }
}

/// A generator's frame is suspended: its frame object reads the registers that
/// the generator saved.
pub fn park(vm: &mut Vm, base: *mut Value, index: usize, g: Value) {
    // SAFETY: part of the header.
    let have = unsafe { *base.sub(1) };
    if have.is_null() {
        return;
    }
    let f: Gc<PyFrame> = Gc::from_value(have);
    f.window.set(0);
    f.lasti.set(index as u64);
    f.regs.set(Gc::<PyGenerator>::from_value(g).regs.get());
    f.back.set(Value::NULL);
    vm.write_barrier(have);
    // SAFETY: part of the header.
    unsafe { *base.sub(1) = Value::NULL };
}

/// The frame of a window ends: its frame object, if any, takes the registers along.
pub fn detach(vm: &mut Vm, base: *mut Value, index: usize) {
    // SAFETY: part of the header.
    let have = unsafe { *base.sub(1) };
    if have.is_null() {
        return;
    }
    let f: Gc<PyFrame> = Gc::from_value(have);
    let code = code_at(base);
    let n = code.locals as usize;
    let regs: Gc<Array> = vm.new_array(n.max(1));
    for i in 0..n {
        // SAFETY: registers of the window.
        let v = unsafe { *base.add(i) };
        regs.put(vm, i, v);
    }
    f.regs.set(regs.value());
    // Naming the outer frame may collect.
    vm.write_barrier(have);
    f.lasti.set(index as u64);
    f.window.set(0);
    // Frames further out stay reachable by f_back.
    let outer_base = outer_shown(base);
    if f.back.get().is_null() && outer_base > vm.stack {
        let b = frame_object(vm, outer_base);
        f.back.set(b);
    }
    vm.write_barrier(have);
    // SAFETY: part of the header.
    unsafe {
        *base.sub(1) = Value::NULL;
        let ret = base.sub(3);
        *ret = Value::from_bits((*ret).bits() & !FRAME_OBJECT);
    }
}
