//! Methods and attributes of generators and coroutines.
//!
//! `close` first goes to the iterator that the generator delegates to (`yield
//! from`, `await`); what else is thrown goes there when the interpreter resumes the
//! generator. A suspended generator stands behind its `YIELD`; the compiler's fixed
//! sequence `SEND, JUMP, YIELD` tells whether that is a delegation and in which
//! register the sub-iterator lies.

use crate::function::or_none;
use crate::generator::{Resumed, state};
use crate::layout::{Array, Gc, Layout, PyFunction, PyGenerator};
use crate::native::{GetSetDef, NativeDef, def, effects, getset, getter};
use crate::vm::{R, Raised, Vm};
use pyrite_bytecode::{Ins, Op};
use pyrite_machine::Value;

/// Methods of generators and coroutines, with these texts.
const fn send_def(doc: &'static str) -> NativeDef {
    let d = def("send", "($self, value, /)", effects::ANY, |vm, a| {
        vm.generator_send(a[0], a[1])
    });
    NativeDef { doc, ..d }
}
const fn throw_def(doc: &'static str) -> NativeDef {
    let d = def(
        "throw",
        "($self, typ, val=None, tb=None, /)",
        effects::ANY,
        throw_method,
    );
    NativeDef { doc, ..d }
}
const fn close_def(doc: &'static str) -> NativeDef {
    let d = def("close", "($self, /)", effects::ANY, |vm, a| {
        close(vm, a[0])?;
        Ok(vm.none)
    });
    NativeDef { doc, ..d }
}
const DEL: NativeDef = def("__del__", "($self, /)", effects::ANY, finalize);
const REPR: NativeDef = def("__repr__", "($self, /)", effects::ALLOC, repr);

static GENERATOR: &[NativeDef] = &[
    send_def(
        "Sends a value into the generator; returns what it yields next or raises StopIteration.",
    ),
    throw_def(
        "Raises an exception in the generator; returns what it yields next or raises StopIteration.",
    ),
    close_def("Raises GeneratorExit inside the generator."),
    REPR,
    DEL,
    def("__iter__", "($self, /)", effects::PURE, |_, a| Ok(a[0])),
    def("__next__", "($self, /)", effects::ANY, |vm, a| {
        vm.generator_send(a[0], vm.none)
    })
    .doc("Implement next(self)."),
];

static COROUTINE: &[NativeDef] = &[
    send_def("Sends a value into coroutine; returns what it yields next or raises StopIteration."),
    throw_def(
        "Raises an exception in coroutine; returns what it yields next or raises StopIteration.",
    ),
    close_def("Raises GeneratorExit inside coroutine."),
    REPR,
    DEL,
    def("__await__", "($self, /)", effects::ALLOC, |vm, a| {
        let w = vm.coroutine_wrapper();
        let v = vm.new_instance(w);
        vm.store_word(v, 1, a[0]);
        Ok(v)
    }),
];

static ASYNC: &[NativeDef] = &[REPR, DEL];

static WRAPPER: &[NativeDef] = &[
    def("send", "($self, value, /)", effects::ANY, |vm, a| {
        vm.generator_send(vm.word(a[0], 1), a[1])
    }),
    def(
        "throw",
        "($self, typ, val=None, tb=None, /)",
        effects::ANY,
        |vm, a| throw_method(vm, &[vm.word(a[0], 1), a[1], a[2], a[3]]),
    ),
    def("close", "($self, /)", effects::ANY, |vm, a| {
        close(vm, vm.word(a[0], 1))?;
        Ok(vm.none)
    }),
    def("__iter__", "($self, /)", effects::PURE, |_, a| Ok(a[0])),
    def("__next__", "($self, /)", effects::ANY, |vm, a| {
        vm.generator_send(vm.word(a[0], 1), vm.none)
    }),
];

const fn name_def(doc: &'static str) -> GetSetDef {
    let g = getset("__name__", |_, g| Ok(generator(g).name.get()), set_name);
    GetSetDef { doc, ..g }
}
const fn qualname_def(doc: &'static str) -> GetSetDef {
    let g = getset(
        "__qualname__",
        |_, g| Ok(generator(g).qualname.get()),
        set_qualname,
    );
    GetSetDef { doc, ..g }
}

static GENERATOR_FIELDS: &[GetSetDef] = &[
    name_def("name of the generator"),
    qualname_def("qualified name of the generator"),
    getter("gi_code", code),
    getter("gi_running", running),
    getter("gi_suspended", suspended),
    getter("gi_yieldfrom", yield_from),
    getter("gi_frame", frame),
];
static COROUTINE_FIELDS: &[GetSetDef] = &[
    name_def("name of the coroutine"),
    qualname_def("qualified name of the coroutine"),
    getter("cr_code", code),
    getter("cr_running", running),
    getter("cr_suspended", suspended),
    getter("cr_await", yield_from),
    getter("cr_frame", frame),
    getter("cr_origin", |vm, c| {
        let o = generator(c).extra.get();
        Ok(or_none(vm, o))
    }),
];
static ASYNC_FIELDS: &[GetSetDef] = &[
    name_def("name of the async generator"),
    qualname_def("qualified name of the async generator"),
    getter("ag_code", code),
    getter("ag_frame", frame),
    getter("ag_running", |vm, g| {
        let on = generator(g).state.get() & state::RUNNING_ASYNC != 0;
        Ok(vm.bool(on))
    }),
    getter("ag_await", yield_from),
];

/// Slot in `Vm::statics` of the class of `coroutine.__await__()`'s result: the
/// class lives there, found by its name in no module.
const WRAPPER_NAME: &str = "coroutine_wrapper";

impl Vm {
    fn coroutine_wrapper(&mut self) -> Gc<crate::layout::PyType> {
        let n = self.intern(WRAPPER_NAME);
        let c = self.dict_get_str(self.types.coroutine.dict.get(), n);
        Gc::from_value(c)
    }
}

/// Gives generators and coroutines their methods.
pub fn install(vm: &mut Vm) {
    let t = vm.types;
    vm.add_methods(t.generator, GENERATOR);
    vm.add_getset(t.generator, GENERATOR_FIELDS);
    vm.add_methods(t.coroutine, COROUTINE);
    vm.add_getset(t.coroutine, COROUTINE_FIELDS);
    vm.add_methods(t.async_generator, ASYNC);
    vm.add_getset(t.async_generator, ASYNC_FIELDS);
    let w = crate::types::TypeDef {
        methods: WRAPPER,
        ..crate::types::TypeDef::of::<crate::layout::PyValueSub>(WRAPPER_NAME, Layout::Awaitable)
    };
    let w = vm.native_type(&w);
    vm.type_set(t.coroutine, WRAPPER_NAME, w.value());
}

fn generator(v: Value) -> Gc<PyGenerator> {
    Gc::from_value(v)
}

/// The iterator that a suspended generator delegates to, or null.
pub fn delegate(vm: &Vm, g: Value) -> Value {
    if vm.generator_state(g) != state::SUSPENDED {
        return Value::NULL;
    }
    let pc = generator(g).pc.get() as *const u64;
    // SAFETY: the instruction behind which a suspended generator stands.
    let at = Ins(unsafe { *pc.sub(1) });
    let regs = generator(g).regs.get();
    if at.op() != Op::YIELD || at.d() != 2 || regs.is_null() {
        return Value::NULL;
    }
    Gc::<Array>::from_value(regs).at(at.a() - 1)
}

fn frame(vm: &mut Vm, g: Value) -> R {
    let f = (vm.frame_hooks.of_generator)(vm, g);
    Ok(or_none(vm, f))
}

/// What is done when an unfinished generator dies: a coroutine that never ran is
/// reported, an async generator goes to its event loop, all others are closed.
fn finalize(vm: &mut Vm, a: &[Value]) -> R {
    let (g, none) = (a[0], vm.none);
    let s = vm.generator_state(g);
    if s == state::FINISHED {
        return Ok(none);
    }
    match vm.layout_of(g) {
        Layout::AsyncGenerator => {
            let hook = generator(g).extra.get();
            if hook.is_some() && generator(g).state.get() & state::CLOSING == 0 {
                vm.call(hook, &[g])?;
                return Ok(none);
            }
        }
        Layout::Coroutine if s == state::CREATED => {
            warn_unawaited(vm, g)?;
        }
        _ => {}
    }
    close(vm, g)?;
    Ok(none)
}

/// Reports a coroutine that never ran: through `warnings`, or plainly where that is
/// broken.
fn warn_unawaited(vm: &mut Vm, g: Value) -> R<()> {
    let name = vm.intern("_warn_unawaited_coroutine");
    let warn = vm
        .import_module("warnings")
        .and_then(|w| vm.getattr_opt(w, name));
    let called = match warn {
        Ok(f) if f.is_some() => vm.call(f, &[g]).map(|_| true),
        other => other.map(|_| false),
    };
    let warned = called.unwrap_or_else(|_| {
        let as_asked = vm.exc_is(vm.types.runtime_warning);
        crate::misc::unraisable(vm, g);
        as_asked
    });
    if warned {
        return Ok(());
    }
    let m = format!(
        "coroutine '{}' was never awaited",
        vm.str_to_string(generator(g).qualname.get())
    );
    vm.warn(vm.types.runtime_warning, &m)
}

fn set_name(vm: &mut Vm, g: Value, v: Value) -> R<()> {
    if v.is_null() || !vm.is_str(v) {
        return Err(vm.type_error("__name__ must be set to a string object"));
    }
    generator(g).name.set(v);
    vm.write_barrier(g);
    Ok(())
}

fn set_qualname(vm: &mut Vm, g: Value, v: Value) -> R<()> {
    if v.is_null() || !vm.is_str(v) {
        return Err(vm.type_error("__qualname__ must be set to a string object"));
    }
    generator(g).qualname.set(v);
    vm.write_barrier(g);
    Ok(())
}

fn code(_vm: &mut Vm, g: Value) -> R {
    Ok(Gc::<PyFunction>::from_value(generator(g).func.get())
        .code
        .get())
}

fn running(vm: &mut Vm, g: Value) -> R {
    Ok(vm.bool(vm.generator_state(g) == state::RUNNING))
}

fn suspended(vm: &mut Vm, g: Value) -> R {
    Ok(vm.bool(vm.generator_state(g) == state::SUSPENDED))
}

fn yield_from(vm: &mut Vm, g: Value) -> R {
    let d = delegate(vm, g);
    Ok(or_none(vm, d))
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let q = vm.str_to_string(generator(a[0]).qualname.get());
    vm.heap_pin(a[0]);
    let m = format!("<{} object {q} at {:#x}>", vm.class_name(a[0]), a[0].bits());
    Ok(vm.new_str(&m))
}

/// What a resumption gave, as `send` and `throw` give it.
fn outcome(vm: &mut Vm, r: Resumed) -> R {
    match r {
        Resumed::Yielded(v) => Ok(v),
        Resumed::Returned(v) => {
            let v = if v == vm.none { Value::NULL } else { v };
            Err(vm.stop_iteration(v))
        }
    }
}

/// The exception that `throw(typ, val, tb)` means.
pub fn thrown(vm: &mut Vm, typ: Value, val: Value, tb: Value) -> R {
    let none = vm.none;
    let val = if val == none { Value::NULL } else { val };
    if tb.is_some() && tb != none && vm.class_of(tb) != vm.types.traceback {
        return Err(vm.type_error("throw() third argument must be a traceback object"));
    }
    let e = if vm.is_exception_class(typ) {
        if val.is_some() && vm.is_instance(val, Gc::from_value(typ)) {
            val
        } else {
            let made = if val.is_null() {
                vm.call(typ, &[])
            } else if let Some(t) = vm.as_tuple(val) {
                vm.call(typ, vm.tuple_items(t))
            } else {
                vm.call(typ, &[val])
            };
            // What goes wrong in making it is thrown instead.
            match made {
                Ok(e) if vm.is_exception(e) => e,
                Ok(other) => {
                    let m = format!(
                        "calling {} should have returned an instance of BaseException, not {}",
                        vm.repr_string(typ)?,
                        vm.class_name(other)
                    );
                    let _ = vm.type_error(&m);
                    vm.take_exc()
                }
                Err(_) => vm.take_exc(),
            }
        }
    } else if vm.is_exception(typ) {
        if val.is_some() {
            return Err(vm.type_error("instance exception may not have a separate value"));
        }
        typ
    } else {
        let m = format!(
            "exceptions must be classes or instances deriving from BaseException, not {}",
            vm.class_name(typ)
        );
        return Err(vm.type_error(&m));
    };
    if tb.is_some() && tb != none {
        Gc::<crate::layout::PyException>::from_value(e)
            .traceback
            .set(tb);
        vm.write_barrier(e);
    }
    Ok(e)
}

fn throw_method(vm: &mut Vm, a: &[Value]) -> R {
    let e = thrown(vm, a[1], a[2], a[3])?;
    let r = throw(vm, a[0], e)?;
    outcome(vm, r)
}

/// Throws an exception into a generator, or into what it delegates to.
pub fn throw(vm: &mut Vm, g: Value, e: Value) -> R<Resumed> {
    vm.enter_native()?;
    let none = vm.none;
    let sub = delegate(vm, g);
    if sub.is_null() {
        return (vm.hooks.resume)(vm, g, none, e);
    }
    if vm.is_instance(e, vm.types.generator_exit) {
        let gen_ = generator(g);
        let mark = |s: u64| gen_.state.set(gen_.state.get() & !state::MASK | s);
        mark(state::RUNNING);
        let r = close_iterator(vm, sub);
        mark(state::SUSPENDED);
        let e = if r.is_err() { vm.take_exc() } else { e };
        return (vm.hooks.resume)(vm, g, none, e);
    }
    (vm.hooks.resume)(vm, g, none, e)
}

fn close_iterator(vm: &mut Vm, it: Value) -> R<()> {
    if matches!(vm.layout_of(it), Layout::Generator | Layout::Coroutine) {
        return close(vm, it);
    }
    let n = vm.names.close;
    let f = match vm.getattr_opt(it, n) {
        Ok(f) => f,
        Err(_) => {
            // An iterator that cannot be asked is not closed; the generator is.
            crate::misc::unraisable(vm, it);
            Value::NULL
        }
    };
    if f.is_some() {
        vm.call(f, &[])?;
    }
    Ok(())
}

/// `generator.close()`.
pub fn close(vm: &mut Vm, g: Value) -> R<()> {
    match vm.generator_state(g) {
        state::FINISHED => return Ok(()),
        state::CREATED => {
            let gen_ = generator(g);
            gen_.state
                .set(gen_.state.get() & !state::MASK | state::FINISHED);
            gen_.regs.set(Value::NULL);
            return Ok(());
        }
        _ => {}
    }
    let class = vm.types.generator_exit;
    let e = vm.new_exception(class, &[]);
    match throw(vm, g, e) {
        Ok(Resumed::Yielded(_)) => {
            let what = match vm.layout_of(g) {
                Layout::Coroutine => "coroutine",
                Layout::AsyncGenerator => "async generator",
                _ => "generator",
            };
            Err(vm.runtime_error(&format!("{what} ignored GeneratorExit")))
        }
        Ok(Resumed::Returned(_)) => Ok(()),
        Err(Raised) => {
            if vm.exc_is(vm.types.generator_exit) || vm.exc_is(vm.types.stop_iteration) {
                vm.exc = Value::NULL;
                return Ok(());
            }
            Err(Raised)
        }
    }
}
