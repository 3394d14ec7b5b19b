//! Async generators at run time: `asend`, `athrow`, `aclose`, `anext`.
//!
//! The awaitables these return drive the generator. What the generator awaits
//! passes through them to the event loop; what it *yields* comes wrapped in an
//! [`async_gen_value`](crate::vm::Types) and ends the awaiting: `yield 5` inside
//! makes `await g.asend(None)` give 5, by a StopIteration with that value.

use crate::generator::{Resumed, state};
use crate::generator_type::{throw, thrown};
use crate::layout::{Gc, Layout, PyGenerator, PyValueSub};
use crate::native::{NativeDef, class_def, def, effects};
use crate::object_layout;
use crate::vm::{R, Raised, Vm};
use pyrite_machine::Value;

const ANY: u8 = effects::ANY;

object_layout! {
    /// What `asend`, `athrow`, `aclose` return.
    PyAsyncStep [Awaitable, RAW2] {
        phase: u64,
        _pad: u64,
        generator: Value,
        /// `asend`: the value to send; `athrow`: a tuple of its arguments;
        /// `aclose`: null.
        argument: Value,
    }
}
object_layout! {
    /// `anext(iterator, default)`.
    PyAnext [Awaitable, VALUES] { awaitable: Value, default: Value }
}

/// Phases of a [`PyAsyncStep`].
mod phase {
    pub(super) const INIT: u64 = 0;
    pub(super) const ITER: u64 = 1;
    pub(super) const CLOSED: u64 = 2;
}

const SELF: fn(&mut Vm, &[Value]) -> R = |_, a| Ok(a[0]);

static GENERATOR: &[NativeDef] = &[
    def("__aiter__", "($self, /)", effects::PURE, SELF),
    def("__anext__", "($self, /)", ANY, |vm, a| {
        let none = vm.none;
        asend(vm, a[0], none)
    }),
    def("asend", "($self, value, /)", ANY, |vm, a| {
        asend(vm, a[0], a[1])
    }),
    def(
        "athrow",
        "($self, typ, val=None, tb=None, /)",
        ANY,
        |vm, a| {
            let none = vm.none;
            let or_none = |v: Value| if v.is_null() { none } else { v };
            let args = vm.new_tuple(&[a[1], or_none(a[2]), or_none(a[3])]);
            step_object(vm, a[0], args, true)
        },
    ),
    def("aclose", "($self, /)", ANY, |vm, a| {
        step_object(vm, a[0], Value::NULL, true)
    }),
    class_def(
        "__class_getitem__",
        "($type, item, /)",
        effects::ALLOC,
        crate::list::class_getitem,
    ),
];

static ASEND: &[NativeDef] = &[
    def("__await__", "($self, /)", effects::PURE, SELF),
    def("__iter__", "($self, /)", effects::PURE, SELF),
    def("__next__", "($self, /)", ANY, |vm, a| {
        let none = vm.none;
        asend_send(vm, a[0], none)
    }),
    def("send", "($self, arg, /)", ANY, |vm, a| {
        asend_send(vm, a[0], a[1])
    }),
    def(
        "throw",
        "($self, typ, val=None, tb=None, /)",
        ANY,
        asend_throw,
    ),
    def("close", "($self, /)", ANY, |vm, a| {
        step(a[0]).phase.set(phase::CLOSED);
        Ok(vm.none)
    }),
];

static ATHROW: &[NativeDef] = &[
    def("__await__", "($self, /)", effects::PURE, SELF),
    def("__iter__", "($self, /)", effects::PURE, SELF),
    def("__next__", "($self, /)", ANY, |vm, a| {
        let none = vm.none;
        athrow_send(vm, a[0], none)
    }),
    def("send", "($self, arg, /)", ANY, |vm, a| {
        athrow_send(vm, a[0], a[1])
    }),
    def(
        "throw",
        "($self, typ, val=None, tb=None, /)",
        ANY,
        athrow_throw,
    ),
    def("close", "($self, /)", ANY, |vm, a| {
        step(a[0]).phase.set(phase::CLOSED);
        Ok(vm.none)
    }),
];

static ANEXT: &[NativeDef] = &[
    def("__await__", "($self, /)", effects::PURE, SELF),
    def("__iter__", "($self, /)", effects::PURE, SELF),
    def("__next__", "($self, /)", ANY, |vm, a| {
        anext_call(vm, a[0], "__next__", &[])
    }),
    def("send", "($self, arg, /)", ANY, |vm, a| {
        anext_call(vm, a[0], "send", &[a[1]])
    }),
    def(
        "throw",
        "($self, typ, val=None, tb=None, /)",
        ANY,
        |vm, a| {
            let n = a.iter().skip(1).take_while(|v| v.is_some()).count();
            anext_call(vm, a[0], "throw", &a[1..1 + n])
        },
    ),
    def("close", "($self, /)", ANY, |vm, a| {
        anext_call(vm, a[0], "close", &[])
    }),
];

/// Gives these classes their methods.
pub fn install(vm: &mut Vm) {
    let t = vm.types;
    vm.add_methods(t.async_generator, GENERATOR);
    vm.add_methods(t.async_gen_asend, ASEND);
    vm.add_methods(t.async_gen_athrow, ATHROW);
    vm.add_methods(t.anext_awaitable, ANEXT);
}

fn step(v: Value) -> Gc<PyAsyncStep> {
    Gc::from_value(v)
}

fn generator(v: Value) -> Gc<PyGenerator> {
    Gc::from_value(v)
}

/// Sets or clears a flag of a generator.
fn flag(g: Value, bit: u64, on: bool) {
    let s = generator(g).state.get();
    generator(g).state.set(if on { s | bit } else { s & !bit });
}

fn has(g: Value, bit: u64) -> bool {
    generator(g).state.get() & bit != 0
}

/// Calls the first-iteration hook, once for each generator.
fn init_hooks(vm: &mut Vm, g: Value) -> R<()> {
    if has(g, state::HOOKS_INITED) {
        return Ok(());
    }
    flag(g, state::HOOKS_INITED, true);
    let (first, last) = vm.asyncgen_hooks();
    if last.is_some() {
        generator(g).extra.set(last);
        vm.write_barrier(g);
    }
    if first.is_some() {
        vm.call(first, &[g])?;
    }
    Ok(())
}

fn asend(vm: &mut Vm, g: Value, v: Value) -> R {
    step_object(vm, g, v, false)
}

fn step_object(vm: &mut Vm, g: Value, argument: Value, throws: bool) -> R {
    init_hooks(vm, g)?;
    let class = if throws {
        vm.types.async_gen_athrow
    } else {
        vm.types.async_gen_asend
    };
    let s = vm.alloc::<PyAsyncStep>(class);
    s.generator.set(g);
    s.argument.set(argument);
    Ok(s.value())
}

fn is_wrapped(vm: &Vm, v: Value) -> bool {
    v.is_ptr() && vm.class_of(v) == vm.types.async_gen_value
}

fn none_of(vm: &mut Vm, class: Gc<crate::layout::PyType>) -> Raised {
    let e = vm.new_exception(class, &[]);
    vm.raise(e)
}

/// A resumption as `gen.send` of an async generator gives it: returning is
/// StopAsyncIteration.
fn sent(vm: &mut Vm, r: R<Resumed>) -> R {
    match r? {
        Resumed::Yielded(v) => Ok(v),
        Resumed::Returned(_) => {
            let c = vm.types.stop_async_iteration;
            Err(none_of(vm, c))
        }
    }
}

fn gen_send(vm: &mut Vm, g: Value, v: Value) -> R {
    let r = (vm.hooks.resume)(vm, g, v, Value::NULL);
    sent(vm, r)
}

fn gen_throw(vm: &mut Vm, g: Value, args: &[Value]) -> R {
    let e = thrown(vm, args[0], args[1], args[2])?;
    let r = throw(vm, g, e);
    sent(vm, r)
}

/// What an awaitable makes of a resumption: a wrapped value ends the awaiting.
fn unwrap(vm: &mut Vm, g: Value, r: R) -> R {
    match r {
        Ok(v) if is_wrapped(vm, v) => {
            flag(g, state::RUNNING_ASYNC, false);
            let v = Gc::<PyValueSub>::from_value(v).inner.get();
            Err(vm.stop_iteration(v))
        }
        Ok(v) => Ok(v),
        Err(e) => {
            if vm.exc_is(vm.types.stop_async_iteration) || vm.exc_is(vm.types.generator_exit) {
                flag(g, state::CLOSING, true);
            }
            flag(g, state::RUNNING_ASYNC, false);
            Err(e)
        }
    }
}

fn asend_send(vm: &mut Vm, this: Value, arg: Value) -> R {
    let s = step(this);
    let g = s.generator.get();
    let mut arg = arg;
    if s.phase.get() == phase::CLOSED {
        return Err(vm.runtime_error("cannot reuse already awaited __anext__()/asend()"));
    }
    if s.phase.get() == phase::INIT {
        if has(g, state::RUNNING_ASYNC) {
            return Err(vm.runtime_error("anext(): asynchronous generator is already running"));
        }
        if arg == vm.none {
            arg = s.argument.get();
        }
        s.phase.set(phase::ITER);
    }
    flag(g, state::RUNNING_ASYNC, true);
    let r = gen_send(vm, g, arg);
    let r = unwrap(vm, g, r);
    if r.is_err() {
        s.phase.set(phase::CLOSED);
    }
    r
}

fn asend_throw(vm: &mut Vm, a: &[Value]) -> R {
    let s = step(a[0]);
    if s.phase.get() == phase::CLOSED {
        return Err(vm.runtime_error("cannot reuse already awaited __anext__()/asend()"));
    }
    let g = s.generator.get();
    let r = gen_throw(vm, g, &a[1..4]);
    let r = unwrap(vm, g, r);
    if r.is_err() {
        s.phase.set(phase::CLOSED);
    }
    r
}

/// The generator yielded although it was told to end.
fn ignored(vm: &mut Vm, s: Gc<PyAsyncStep>) -> R {
    flag(s.generator.get(), state::RUNNING_ASYNC, false);
    s.phase.set(phase::CLOSED);
    Err(vm.runtime_error("async generator ignored GeneratorExit"))
}

/// The generator ended by an exception.
fn ended(vm: &mut Vm, s: Gc<PyAsyncStep>, e: Raised) -> R {
    flag(s.generator.get(), state::RUNNING_ASYNC, false);
    s.phase.set(phase::CLOSED);
    let t = vm.types;
    if s.argument.get().is_null()
        && (vm.exc_is(t.stop_async_iteration) || vm.exc_is(t.generator_exit))
    {
        // `aclose` is done.
        vm.exc = Value::NULL;
        return Err(vm.stop_iteration(Value::NULL));
    }
    Err(e)
}

fn athrow_send(vm: &mut Vm, this: Value, arg: Value) -> R {
    let s = step(this);
    let (g, args) = (s.generator.get(), s.argument.get());
    if s.phase.get() == phase::CLOSED {
        return Err(vm.runtime_error("cannot reuse already awaited aclose()/athrow()"));
    }
    if vm.generator_state(g) == state::FINISHED {
        s.phase.set(phase::CLOSED);
        return Err(vm.stop_iteration(Value::NULL));
    }
    if s.phase.get() == phase::INIT {
        if has(g, state::RUNNING_ASYNC) {
            s.phase.set(phase::CLOSED);
            let m = if args.is_null() {
                "aclose(): asynchronous generator is already running"
            } else {
                "athrow(): asynchronous generator is already running"
            };
            return Err(vm.runtime_error(m));
        }
        if has(g, state::CLOSING) {
            s.phase.set(phase::CLOSED);
            let c = vm.types.stop_async_iteration;
            return Err(none_of(vm, c));
        }
        if arg != vm.none {
            return Err(vm.runtime_error("can't send non-None value to a just-started coroutine"));
        }
        s.phase.set(phase::ITER);
        flag(g, state::RUNNING_ASYNC, true);
        if args.is_null() {
            flag(g, state::CLOSING, true);
            let class = vm.types.generator_exit;
            let e = vm.new_exception(class, &[]);
            let r = throw(vm, g, e);
            return match sent(vm, r) {
                Ok(v) if is_wrapped(vm, v) => ignored(vm, s),
                Ok(v) => Ok(v),
                Err(e) => ended(vm, s, e),
            };
        }
        let r = gen_throw(vm, g, vm.tuple_items(args));
        return match unwrap(vm, g, r) {
            Ok(v) => Ok(v),
            Err(e) => ended(vm, s, e),
        };
    }
    let r = gen_send(vm, g, arg);
    if args.is_some() {
        return unwrap(vm, g, r);
    }
    match r {
        Ok(v) if is_wrapped(vm, v) => ignored(vm, s),
        Ok(v) => Ok(v),
        Err(e) => ended(vm, s, e),
    }
}

fn athrow_throw(vm: &mut Vm, a: &[Value]) -> R {
    let s = step(a[0]);
    if s.phase.get() == phase::CLOSED {
        return Err(vm.runtime_error("cannot reuse already awaited aclose()/athrow()"));
    }
    let g = s.generator.get();
    let r = gen_throw(vm, g, &a[1..4]);
    if s.argument.get().is_some() {
        return unwrap(vm, g, r);
    }
    match r {
        Ok(v) if is_wrapped(vm, v) => ignored(vm, s),
        Ok(v) => Ok(v),
        Err(e) => {
            let t = vm.types;
            if vm.exc_is(t.stop_async_iteration) || vm.exc_is(t.generator_exit) {
                vm.exc = Value::NULL;
                return Err(vm.stop_iteration(Value::NULL));
            }
            Err(e)
        }
    }
}

/// `anext(iterator)`, or with a default: an awaitable that gives it at the end.
pub fn anext(vm: &mut Vm, it: Value, default: Value) -> R {
    let name = vm.names.anext;
    let f = vm.lookup_on(it, name);
    if f.is_null() {
        let m = format!("'{}' object is not an async iterator", vm.class_name(it));
        return Err(vm.type_error(&m));
    }
    let awaitable = vm.call_method_value(f, it, &[])?;
    if default.is_null() {
        return Ok(awaitable);
    }
    let a = vm.alloc::<PyAnext>(vm.types.anext_awaitable);
    a.awaitable.set(awaitable);
    a.default.set(default);
    Ok(a.value())
}

fn anext_call(vm: &mut Vm, this: Value, method: &str, args: &[Value]) -> R {
    let a = Gc::<PyAnext>::from_value(this);
    let it = awaitable_iterator(vm, a.awaitable.get())?;
    let n = vm.intern(method);
    match vm.call_method(it, n, args) {
        Err(_) if vm.exc_is(vm.types.stop_async_iteration) => {
            vm.exc = Value::NULL;
            Err(vm.stop_iteration(a.default.get()))
        }
        r => r,
    }
}

/// The iterator that awaiting `v` steps through; a coroutine's is its wrapper,
/// which has `__next__`.
fn awaitable_iterator(vm: &mut Vm, v: Value) -> R {
    let it = crate::misc::get_awaitable(vm, v, 0)?;
    if vm.layout_of(it) != Layout::Coroutine {
        return Ok(it);
    }
    let n = vm.names.await_;
    vm.call_method(it, n, &[])
}
