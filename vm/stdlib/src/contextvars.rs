//! The `_contextvars` module (PEP 567).
//!
//! A context's values lie in a dict that contexts may share: a copy of a context
//! marks the dict as shared, and the next change in either copies it first. The
//! running thread's context is [`Vm::context`], null while it has none.

use crate::{class, module, slots};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyType};
use pyrite_objects::list::class_getitem;
use pyrite_objects::native::{GetSetDef, NativeDef, class_def, def, effects, getter, new_def};
use pyrite_objects::object_layout;
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

object_layout! {
    /// `Context`: `shared` is a bool, `previous` the context to go back to, None
    /// for none, and null while the context is not entered.
    Context [Library, VALUES] { vars: Value, shared: Value, previous: Value }
}
object_layout! {
    /// `ContextVar`: `default` may be null.
    Var [Library, VALUES] { name: Value, default: Value }
}
object_layout! {
    /// `Token`: `old` is null if the variable had no value.
    Token [Library, VALUES] { context: Value, var: Value, old: Value, used: Value }
}

fn context(v: Value) -> Gc<Context> {
    Gc::from_value(v)
}

fn var(v: Value) -> Gc<Var> {
    Gc::from_value(v)
}

fn token(v: Value) -> Gc<Token> {
    Gc::from_value(v)
}

fn own_class(vm: &Vm, slot: usize) -> Gc<PyType> {
    Gc::from_value(vm.statics[slot])
}

static FUNCTIONS: [NativeDef; 1] = [def("copy_context", "()", effects::ALLOC, |vm, _| {
    let c = current(vm);
    Ok(copied(vm, c))
})];

/// The running thread's context, made if need be.
fn current(vm: &mut Vm) -> Value {
    if vm.context.is_null() {
        let vars = vm.new_dict();
        let c = new_context(vm, vars);
        context(c).previous.set(vm.none);
        vm.context = c;
    }
    vm.context
}

fn new_context(vm: &mut Vm, vars: Value) -> Value {
    let c = vm.new_instance(own_class(vm, slots::CONTEXT));
    context(c).vars.set(vars);
    context(c).shared.set(vm.false_);
    vm.write_barrier(c);
    c
}

fn copied(vm: &mut Vm, c: Value) -> Value {
    context(c).shared.set(vm.true_);
    let new = new_context(vm, context(c).vars.get());
    context(new).shared.set(vm.true_);
    new
}

/// The values of a context, which may be written.
fn own_vars(vm: &mut Vm, c: Value) -> Value {
    if context(c).shared.get() == vm.true_ {
        let d = vm.dict_copy(context(c).vars.get());
        context(c).vars.set(d);
        context(c).shared.set(vm.false_);
        vm.write_barrier(c);
    }
    context(c).vars.get()
}

static CONTEXT: [NativeDef; 13] = [
    new_def("($type, /, *args, **kwargs)", effects::ALLOC, |vm, a| {
        if vm.tuple_len(a[1]) > 0 || vm.dict_len(a[2]) > 0 {
            return Err(vm.type_error("Context() does not accept any arguments"));
        }
        let vars = vm.new_dict();
        Ok(new_context(vm, vars))
    }),
    def("run", "($self, /, *args, **kwargs)", effects::ANY, run),
    def("copy", "($self, /)", effects::ALLOC, |vm, a| {
        Ok(copied(vm, a[0]))
    }),
    def(
        "get",
        "($self, key, default=None, /)",
        effects::CALLS,
        |vm, a| {
            let v = lookup(vm, a[0], a[1])?;
            Ok(match (v.is_null(), a[2].is_null()) {
                (false, _) => v,
                (true, false) => a[2],
                (true, true) => vm.none,
            })
        },
    ),
    def("keys", "($self, /)", effects::ALLOC, |vm, a| {
        view(vm, a[0], "keys")
    }),
    def("values", "($self, /)", effects::ALLOC, |vm, a| {
        view(vm, a[0], "values")
    }),
    def("items", "($self, /)", effects::ALLOC, |vm, a| {
        view(vm, a[0], "items")
    }),
    def("__len__", "($self, /)", effects::READS, |vm, a| {
        let n = vm.dict_len(context(a[0]).vars.get());
        Ok(Value::int_unchecked(n as i64))
    }),
    def("__getitem__", "($self, key, /)", effects::CALLS, |vm, a| {
        let v = lookup(vm, a[0], a[1])?;
        if v.is_null() {
            return Err(vm.key_error(a[1]));
        }
        Ok(v)
    }),
    def(
        "__contains__",
        "($self, key, /)",
        effects::CALLS,
        |vm, a| {
            let v = lookup(vm, a[0], a[1])?;
            Ok(vm.bool(v.is_some()))
        },
    ),
    def("__iter__", "($self, /)", effects::ALLOC, |vm, a| {
        view(vm, a[0], "keys")
    }),
    def("__eq__", "($self, value, /)", effects::CALLS, |vm, a| {
        let class = own_class(vm, slots::CONTEXT);
        if !vm.is_instance(a[1], class) {
            return Ok(vm.not_implemented);
        }
        let (x, y) = (context(a[0]).vars.get(), context(a[1]).vars.get());
        let same = pyrite_objects::dict_type::dict_eq(vm, x, y)?;
        Ok(vm.bool(same))
    }),
    def("__reduce__", "($self, /)", effects::RAISES, refuse),
];

fn refuse(vm: &mut Vm, a: &[Value]) -> R {
    let m = format!("cannot pickle '{}' object", vm.class_name(a[0]));
    Err(vm.type_error(&m))
}

/// An iterator over keys, values or items as they are now.
fn view(vm: &mut Vm, c: Value, what: &str) -> R {
    context(c).shared.set(vm.true_);
    let name = vm.intern(what);
    let view = vm.call_method(context(c).vars.get(), name, &[])?;
    vm.get_iter(view)
}

/// A variable's value in a context, or null.
fn lookup(vm: &mut Vm, c: Value, key: Value) -> R {
    if !vm.is_instance(key, own_class(vm, slots::CONTEXT_VAR)) {
        let m = format!(
            "a ContextVar key was expected, got {}",
            vm.repr_string(key)?
        );
        return Err(vm.type_error(&m));
    }
    vm.dict_get(context(c).vars.get(), key)
}

fn run(vm: &mut Vm, a: &[Value]) -> R {
    let args = vm.tuple_items(a[1]);
    let Some(&f) = args.first() else {
        return Err(vm.type_error("run() missing 1 required positional argument"));
    };
    let c = a[0];
    if context(c).previous.get().is_some() {
        let m = format!(
            "cannot enter context: {} is already entered",
            vm.repr_string(c)?
        );
        return Err(vm.runtime_error(&m));
    }
    let before = current(vm);
    context(c).previous.set(before);
    vm.write_barrier(c);
    vm.context = c;
    let r = vm.call_dict(f, &args[1..], a[2]);
    vm.context = before;
    context(c).previous.set(Value::NULL);
    r
}

static VAR: [NativeDef; 7] = [
    new_def(
        "($type, name, /, *, default=None)",
        effects::ALLOC,
        |vm, a| {
            if !vm.is_str(a[1]) {
                return Err(vm.type_error("context variable name must be a str"));
            }
            let v = vm.new_instance(Gc::from_value(a[0]));
            var(v).name.set(a[1]);
            var(v).default.set(a[2]);
            vm.write_barrier(v);
            Ok(v)
        },
    ),
    def(
        "get",
        "($self, default=None, /)",
        effects::READS,
        |vm, a| {
            let v = if vm.context.is_null() {
                Value::NULL
            } else {
                vm.dict_get(context(vm.context).vars.get(), a[0])?
            };
            let default = var(a[0]).default.get();
            for v in [v, a[1], default] {
                if v.is_some() {
                    return Ok(v);
                }
            }
            let class = vm.types.lookup_error;
            Err(vm.raise_args(class, &[a[0]]))
        },
    ),
    def(
        "set",
        "($self, value, /)",
        effects::WRITES | effects::ALLOC,
        |vm, a| {
            let c = current(vm);
            let vars = own_vars(vm, c);
            let old = vm.dict_get(vars, a[0])?;
            vm.dict_set(vars, a[0], a[1])?;
            let t = vm.new_instance(own_class(vm, slots::CONTEXT_TOKEN));
            token(t).context.set(c);
            token(t).var.set(a[0]);
            token(t).old.set(old);
            token(t).used.set(vm.false_);
            vm.write_barrier(t);
            Ok(t)
        },
    ),
    def(
        "reset",
        "($self, token, /)",
        effects::WRITES | effects::RAISES,
        reset,
    ),
    def("__repr__", "($self, /)", effects::CALLS, |vm, a| {
        if vm.repr_enter(a[0]) {
            return Ok(vm.new_str("<ContextVar ...>"));
        }
        let text = var_text(vm, a[0]);
        vm.repr_leave();
        let text = text?;
        Ok(vm.new_str(&text))
    }),
    class_def(
        "__class_getitem__",
        "($type, item, /)",
        effects::ALLOC,
        class_getitem,
    ),
    def("__reduce__", "($self, /)", effects::RAISES, refuse),
];

fn var_text(vm: &mut Vm, v: Value) -> R<String> {
    let name = vm.repr_string(var(v).name.get())?;
    let default = var(v).default.get();
    let default = if default.is_null() {
        String::new()
    } else {
        format!("default={} ", vm.repr_string(default)?)
    };
    let id = vm.id(v);
    Ok(format!("<ContextVar name={name} {default}at {id:#x}>"))
}

fn reset(vm: &mut Vm, a: &[Value]) -> R {
    if !vm.is_instance(a[1], own_class(vm, slots::CONTEXT_TOKEN)) {
        let m = format!(
            "expected an instance of Token, got {}",
            vm.repr_string(a[1])?
        );
        return Err(vm.type_error(&m));
    }
    let t = token(a[1]);
    if t.used.get() == vm.true_ {
        let m = format!("{} has already been used once", vm.repr_string(a[1])?);
        return Err(vm.runtime_error(&m));
    }
    if t.var.get() != a[0] {
        let m = format!(
            "{} was created by a different ContextVar",
            vm.repr_string(a[1])?
        );
        return Err(vm.value_error(&m));
    }
    let c = current(vm);
    if t.context.get() != c {
        let m = format!(
            "{} was created in a different Context",
            vm.repr_string(a[1])?
        );
        return Err(vm.value_error(&m));
    }
    t.used.set(vm.true_);
    let vars = own_vars(vm, c);
    if t.old.get().is_null() {
        vm.dict_remove(vars, a[0])?;
    } else {
        vm.dict_set(vars, a[0], t.old.get())?;
    }
    Ok(vm.none)
}

static TOKEN: [NativeDef; 4] = [
    new_def("($type, /, *args, **kwargs)", effects::RAISES, |vm, _| {
        Err(vm.runtime_error("Tokens can only be created by ContextVars"))
    }),
    def("__repr__", "($self, /)", effects::CALLS, |vm, a| {
        let used = if token(a[0]).used.get() == vm.true_ {
            "used "
        } else {
            ""
        };
        let v = vm.repr_string(token(a[0]).var.get())?;
        let id = vm.id(a[0]);
        Ok(vm.new_str(&format!("<Token {used}var={v} at {id:#x}>")))
    }),
    class_def(
        "__class_getitem__",
        "($type, item, /)",
        effects::ALLOC,
        class_getitem,
    ),
    def("__reduce__", "($self, /)", effects::RAISES, refuse),
];

static MISSING: [NativeDef; 1] = [def("__repr__", "($self, /)", effects::ALLOC, |vm, _| {
    Ok(vm.new_str("<Token.MISSING>"))
})];

static VAR_FIELDS: [GetSetDef; 1] = [getter("name", |_, v| Ok(var(v).name.get()))];
static TOKEN_FIELDS: [GetSetDef; 2] = [
    getter("var", |_, v| Ok(token(v).var.get())),
    getter("old_value", |vm, v| {
        let old = token(v).old.get();
        Ok(if old.is_null() {
            vm.statics[slots::CONTEXT_MISSING]
        } else {
            old
        })
    }),
];

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let m = module(vm, "_contextvars", "Context Variables", &FUNCTIONS);
    let t = class(
        vm,
        m,
        &TypeDef {
            methods: &CONTEXT,
            ..TypeDef::of::<Context>("Context", Layout::Library)
        },
    );
    vm.type_data(t).pattern_mapping = true;
    let none = vm.none;
    vm.type_set(t, "__hash__", none);
    vm.statics[slots::CONTEXT] = t.value();
    let t = class(
        vm,
        m,
        &TypeDef {
            methods: &VAR,
            getset: &VAR_FIELDS,
            ..TypeDef::of::<Var>("ContextVar", Layout::Library)
        },
    );
    vm.statics[slots::CONTEXT_VAR] = t.value();
    let t = class(
        vm,
        m,
        &TypeDef {
            methods: &TOKEN,
            getset: &TOKEN_FIELDS,
            ..TypeDef::of::<Token>("Token", Layout::Library)
        },
    );
    vm.type_set(t, "__hash__", none);
    vm.statics[slots::CONTEXT_TOKEN] = t.value();
    let missing = vm.native_type(&TypeDef {
        module: "Token",
        methods: &MISSING,
        ..TypeDef::of::<Var>("MISSING", Layout::Library)
    });
    let missing = vm.new_instance(missing);
    vm.statics[slots::CONTEXT_MISSING] = missing;
    vm.type_set(t, "MISSING", missing);
    Ok(m)
}
