//! Generators, coroutines and async generators: making, resuming, suspending.

use crate::frames::{self, code_at, return_at};
use crate::lang::Stage;
use crate::slow::Flow;
use crate::state::state;
use pyrite_bytecode::{CodeFlags, FRAME_HEADER, Ins, Op};
use pyrite_machine::Value;
use pyrite_objects::code::CodeData;
use pyrite_objects::generator::{Resumed, state as gs};
use pyrite_objects::layout::{Array, Gc, Layout, PyFunction, PyGenerator};
use pyrite_objects::vm::{R, Vm};

/// `RETURN_GENERATOR`: makes the object for the running frame, whose registers
/// below `live` it takes along.
pub fn make(vm: &mut Vm, base: *mut Value, pc: *const u64, live: usize) -> Value {
    let code = code_at(base);
    let flags = code.flags;
    let class = if flags.has(CodeFlags::COROUTINE) {
        vm.types.coroutine
    } else if flags.has(CodeFlags::ASYNC_GENERATOR) {
        vm.types.async_generator
    } else {
        vm.types.generator
    };
    let regs: Gc<Array> = vm.new_array(code.frame_size as usize);
    for i in 0..live {
        // SAFETY: registers of the window.
        let v = unsafe { *base.add(i) };
        regs.put(vm, i, v);
    }
    let g = vm.alloc::<PyGenerator>(class);
    let f = frames::function_at(base);
    g.pc.set(pc as u64);
    g.state.set(gs::CREATED);
    g.func.set(f.value());
    g.regs.set(regs.value());
    g.name.set(f.name.get());
    g.qualname.set(f.qualname.get());
    if class != vm.types.generator || !code.exceptions.is_empty() {
        // When it dies unfinished, something is to be said or run.
        // SAFETY: just made.
        unsafe { vm.heap.register_finalizer(g.raw().cast()) };
    }
    if class == vm.types.coroutine && vm.coroutine_origin_depth > 0 {
        let o = origin(vm);
        g.extra.set(o);
        vm.write_barrier(g.value());
    }
    g.value()
}

/// Where the frames around the one that makes a coroutine are: a tuple of
/// (file name, line, function name), innermost first.
fn origin(vm: &mut Vm) -> Value {
    let mut found = Vec::new();
    let (mut skip, depth) = (1, vm.coroutine_origin_depth as usize);
    frames::walk(vm, |base, index| {
        if skip > 0 {
            skip -= 1;
            return true;
        }
        found.push((base, index));
        found.len() < depth
    });
    let all = vm.new_list(&[]);
    for (base, index) in found {
        let code = code_at(base);
        let line = Value::small(code.line(index) as i32);
        let t = vm.new_tuple(&[code.filename, line, code.name]);
        vm.list_append(all, t);
    }
    vm.list_to_tuple(all)
}

/// The generator behind a window that a resumption made.
pub fn generator_of(base: *mut Value) -> Value {
    // SAFETY: see `resume` and the handlers that push such windows.
    unsafe {
        match Stage::from_bits(return_at(base) >> 48) {
            Stage::RootGen => *base.sub(7),
            _ => *base.sub(5),
        }
    }
}

/// The running frame at `base` begins to handle `e`. What is to be restored when it
/// has done so: in a generator, only what the generator itself handles; what its
/// resumer handles it sees, but does not keep.
pub fn begin_handling(vm: &mut Vm, base: *mut Value, e: Value) -> Value {
    let g = frames::generator_at(base);
    let outer = std::mem::replace(&mut vm.handled, e);
    if g.is_null() {
        return outer;
    }
    let state = &Gc::<PyGenerator>::from_value(g).state;
    let own = state.get() & gs::HANDLES != 0;
    state.set(state.get() | gs::HANDLES);
    if own { outer } else { Value::NULL }
}

/// The running frame at `base` goes back to handling `restored`, which
/// [`begin_handling`] returned.
pub fn end_handling(vm: &mut Vm, base: *mut Value, restored: Value) {
    vm.handled = restored;
    let g = frames::generator_at(base);
    if restored.is_null() && !g.is_null() {
        let g: Gc<PyGenerator> = Gc::from_value(g);
        g.state.set(g.state.get() & !gs::HANDLES);
        vm.handled = g.handled.get();
    }
}

/// A generator's frame ended, by return or (`raised`) by an exception. A
/// StopIteration that would leave it becomes a RuntimeError.
pub fn finished(vm: &mut Vm, g: Value, raised: bool) {
    let gen_: Gc<PyGenerator> = Gc::from_value(g);
    gen_.state.set(gen_.state.get() & !gs::MASK | gs::FINISHED);
    gen_.regs.set(Value::NULL);
    gen_.frame.set(Value::NULL);
    let outer = std::mem::replace(&mut vm.handled, Value::NULL);
    vm.handled = gen_.handled.replace(Value::NULL);
    let _ = outer;
    gen_.delegate.set(Value::NULL);
    if !raised {
        return;
    }
    let t = vm.types;
    let what = match () {
        () if vm.class_of(g) == t.coroutine => "coroutine",
        () if vm.class_of(g) == t.async_generator => "async generator",
        () => "generator",
    };
    let stop = if vm.exc_is(t.stop_iteration) {
        "StopIteration"
    } else if what == "async generator" && vm.exc_is(t.stop_async_iteration) {
        "StopAsyncIteration"
    } else {
        return;
    };
    let cause = vm.take_exc();
    vm.runtime_error(&format!("{what} raised {stop}"));
    let e: Gc<pyrite_objects::layout::PyException> = Gc::from_value(vm.exc);
    e.cause.set(cause);
    e.context.set(cause);
    e.suppress.set(Value::small(1));
    vm.write_barrier(vm.exc);
}

/// Puts a generator's saved state into a window; the instruction to go on at.
/// While it runs, `handled` keeps the resumer's exception.
fn restore(
    vm: &mut Vm,
    g: Gc<PyGenerator>,
    code: &CodeData,
    base: *mut Value,
    value: Value,
) -> *const u64 {
    let pc = g.pc.get() as *const u64;
    // SAFETY: a generator's instruction pointer is behind the instruction that
    // suspended it.
    let at = Ins(unsafe { *pc.sub(1) });
    let created = g.state.get() & gs::MASK == gs::CREATED;
    let live = if created { at.a() } else { at.c() };
    let regs: Gc<Array> = Gc::from_value(g.regs.get());
    // SAFETY: registers of the window, which has the code's size.
    unsafe {
        for i in 0..live.min(code.frame_size as usize) {
            *base.add(i) = regs.at(i);
        }
        if !created {
            *base.add(at.a()) = value;
        }
    }
    g.state.set(g.state.get() & !gs::MASK | gs::RUNNING);
    let own = g.handled.replace(vm.handled);
    if own.is_some() {
        vm.handled = own;
    }
    vm.write_barrier(g.value());
    let frame = g.frame.get();
    if frame.is_some() {
        let f = Gc::from_value(frame);
        frames::attach(base, f);
        f.regs.set(Value::NULL);
    }
    pc
}

/// Suspends the running frame of a generator at a `YIELD`.
pub fn suspend(vm: &mut Vm, g: Value, base: *mut Value, pc: *const u64, live: usize) {
    let gen_: Gc<PyGenerator> = Gc::from_value(g);
    let regs: Gc<Array> = Gc::from_value(gen_.regs.get());
    for i in 0..live {
        // SAFETY: registers of the window.
        let v = unsafe { *base.add(i) };
        regs.put(vm, i, v);
    }
    gen_.pc.set(pc as u64);
    gen_.state.set(gen_.state.get() & !gs::MASK | gs::SUSPENDED);
    // What is handled inside stays inside.
    let outer = gen_.handled.get();
    let own = if gen_.state.get() & gs::HANDLES != 0 {
        vm.handled
    } else {
        Value::NULL
    };
    gen_.handled.set(own);
    vm.handled = outer;
    vm.write_barrier(g);
}

/// Resumes a generator from Rust: sends `value`, or throws `exc` (an instance) in.
pub fn resume(vm: &mut Vm, g: Value, value: Value, exc: Value) -> R<Resumed> {
    let gen_: Gc<PyGenerator> = Gc::from_value(g);
    let s = gen_.state.get() & gs::MASK;
    match s {
        gs::RUNNING => {
            let what = kind_name(vm, g);
            return Err(vm.value_error(&format!("{what} already executing")));
        }
        gs::FINISHED => {
            if vm.class_of(g) == vm.types.coroutine {
                return Err(vm.runtime_error("cannot reuse already awaited coroutine"));
            }
            if exc.is_some() {
                return Err(vm.raise(exc));
            }
            return Ok(Resumed::Returned(vm.none));
        }
        gs::CREATED if exc.is_null() && value != vm.none => {
            let what = kind_name(vm, g);
            return Err(vm.type_error(&format!(
                "can't send non-None value to a just-started {what}"
            )));
        }
        _ => {}
    }
    let f: Gc<PyFunction> = Gc::from_value(gen_.func.get());
    // SAFETY: a function's code data is never freed.
    let code: &'static CodeData = unsafe { &*f.code_data.get() };
    // One word below the header names the generator.
    vm.alloc.top += 8;
    let entered = frames::enter(vm, f.value(), code, Stage::RootGen);
    let (saved, base) = match entered {
        Ok(x) => x,
        Err(e) => {
            vm.alloc.top -= 8;
            return Err(e);
        }
    };
    // SAFETY: the extra word.
    unsafe { *base.sub(7) = g };
    let pc = restore(vm, gen_, code, base, value);
    state(vm).yielded = false;
    let r = if exc.is_some() {
        vm.base = base;
        // The exception is raised by the instruction that suspended the frame
        // (or, before the start, by the function's first line).
        vm.pc = pc as u64;
        let flow = if s == gs::SUSPENDED {
            throw_inside(vm, exc)
        } else {
            vm.raise(exc);
            crate::unwind::unwind(vm, false)
        };
        match flow {
            Flow::Leave => {
                let r = std::mem::replace(&mut vm.result, Value::NULL);
                if r.is_null() {
                    Err(pyrite_objects::Raised)
                } else {
                    Ok(r)
                }
            }
            _ => {
                let (base, pc) = (vm.base, vm.pc as *const u64);
                crate::dispatch::run(vm, base, pc)
            }
        }
    } else {
        crate::dispatch::run(vm, base, pc)
    };
    frames::leave(vm, saved);
    vm.alloc.top -= 8;
    let yielded = std::mem::replace(&mut state(vm).yielded, false);
    let v = r?;
    Ok(if yielded {
        Resumed::Yielded(v)
    } else {
        Resumed::Returned(v)
    })
}

/// Throws an exception where the resumed frame `vm.base` stands behind a `YIELD`.
/// What that frame delegates to comes first: generators are resumed in windows of
/// their own above it, so that each sees the frames it would see when running; any
/// other iterator gets a call of its `throw`.
///
/// GeneratorExit stays here: closing what is delegated to has been done before.
fn throw_inside(vm: &mut Vm, exc: Value) -> Flow {
    let exit = vm.is_instance(exc, vm.types.generator_exit);
    loop {
        let (base, pc) = (vm.base, vm.pc as *const u64);
        // SAFETY: a suspended frame's instruction pointer is behind a `YIELD`, and
        // the compiler emits `SEND, JUMP, YIELD` in this order.
        let at = Ins(unsafe { *pc.sub(1) });
        if exit || at.op() != Op::YIELD || at.d() != 2 {
            break;
        }
        // SAFETY: as above.
        let (send, behind_send) = unsafe { (Ins(*pc.sub(3)), pc.sub(2)) };
        // SAFETY: a register of the window.
        let sub = unsafe { *base.add(at.a() - 1) };
        if matches!(vm.layout_of(sub), Layout::Generator | Layout::Coroutine) {
            let s = vm.generator_state(sub);
            if s == gs::RUNNING {
                let m = format!("{} already executing", kind_name(vm, sub));
                vm.value_error(&m);
                return crate::unwind::unwind(vm, false);
            }
            if s == gs::FINISHED {
                break;
            }
            let window = send.c() + FRAME_HEADER;
            let none = vm.none;
            match resume_in_window(vm, sub, base, window, behind_send, Stage::Send, none) {
                Ok(true) if s == gs::SUSPENDED => continue,
                Ok(_) => break,
                Err(_) => return crate::unwind::unwind(vm, false),
            }
        }
        let n = vm.names.throw;
        let done = match vm.getattr_opt(sub, n) {
            Ok(f) if f.is_null() => break,
            Ok(f) => vm.call(f, &[exc]),
            Err(e) => Err(e),
        };
        let (v, pc) = match done {
            // It yields: so does this frame.
            // SAFETY: the instructions named above.
            Ok(v) => (v, unsafe { pc.sub(1) }),
            Err(_) if vm.exc_is(vm.types.stop_iteration) => {
                let stop = vm.take_exc();
                (
                    pyrite_objects::exceptions::stop_value(vm, stop),
                    behind_send,
                )
            }
            Err(_) => return crate::unwind::unwind(vm, false),
        };
        // SAFETY: a register of the window.
        unsafe { *base.add(send.a() + 1) = v };
        vm.pc = pc as u64;
        return Flow::Reload;
    }
    vm.raise(exc);
    crate::unwind::unwind(vm, false)
}

fn kind_name(vm: &Vm, g: Value) -> &'static str {
    if vm.class_of(g) == vm.types.coroutine {
        "coroutine"
    } else if vm.class_of(g) == vm.types.async_generator {
        "async generator"
    } else {
        "generator"
    }
}

/// Resumes a generator in a window of the running frame (`FOR_ITER`, `SEND`).
/// False: it cannot run (running, finished); the caller handles that.
pub fn resume_in_window(
    vm: &mut Vm,
    g: Value,
    caller: *mut Value,
    window: usize,
    pc: *const u64,
    stage: Stage,
    value: Value,
) -> R<bool> {
    let gen_: Gc<PyGenerator> = Gc::from_value(g);
    let s = gen_.state.get() & gs::MASK;
    if s != gs::SUSPENDED && !(s == gs::CREATED && value == vm.none) {
        return Ok(false);
    }
    let f: Gc<PyFunction> = Gc::from_value(gen_.func.get());
    // SAFETY: a function's code data is never freed.
    let code: &'static CodeData = unsafe { &*f.code_data.get() };
    // SAFETY: the window lies behind the caller's registers in use.
    let base = unsafe { caller.add(window) };
    frames::grow(vm, base, code.frame_size)?;
    // SAFETY: just checked.
    unsafe {
        *base.sub(5) = g;
        *base.sub(4) = f.value();
        *base.sub(3) = crate::interp::return_word(pc, stage);
        *base.sub(2) = crate::interp::link_word(code_at(caller).consts, window as isize);
        *base.sub(1) = Value::NULL;
    }
    let at = restore(vm, gen_, code, base, value);
    vm.base = base;
    vm.pc = at as u64;
    vm.alloc.top = crate::unwind::top_of(base);
    Ok(true)
}
