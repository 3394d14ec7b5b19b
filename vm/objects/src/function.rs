//! Functions, bound methods and functions written in Rust: their attributes.

use crate::layout::{Gc, Layout, PyCode, PyFunction, PyMethod, PyNative};
use crate::native::{GetSetDef, NativeDef, def, effects, getset, getter, static_def};
use crate::vm::{R, Vm};
use pyrite_machine::Value;

const CALL: &str = "($self, /, *args, **kwargs)";
const GET: &str = "($self, instance, owner=None, /)";

static FUNCTION: &[NativeDef] = &[
    static_def(
        "__new__",
        "(type, code, globals, name=None, argdefs=None, closure=None)",
        effects::ANY,
        function_new,
    ),
    def("__get__", GET, effects::ALLOC, function_get),
    def("__call__", CALL, effects::ANY, call),
    def("__repr__", "($self, /)", effects::ALLOC, function_repr),
];

static FUNCTION_FIELDS: &[GetSetDef] = &[
    getset("__code__", |_, f| Ok(func(f).code.get()), set_code),
    getter("__builtins__", |vm, f| {
        let key = vm.names.builtins;
        let b = vm.dict_get_str(func(f).globals.get(), key);
        Ok(match b {
            b if b.is_null() => vm.builtins,
            b if vm.layout_of(b) == Layout::Module => {
                Gc::<crate::layout::PyModule>::from_value(b).dict.get()
            }
            b => b,
        })
    }),
    getset(
        "__defaults__",
        |vm, f| Ok(or_none(vm, func(f).defaults.get())),
        set_defaults,
    ),
    getset(
        "__kwdefaults__",
        |vm, f| Ok(or_none(vm, func(f).kwdefaults.get())),
        set_kwdefaults,
    ),
    getset("__name__", |_, f| Ok(func(f).name.get()), set_name),
    getset(
        "__qualname__",
        |_, f| Ok(func(f).qualname.get()),
        set_qualname,
    ),
    getset(
        "__doc__",
        |vm, f| Ok(or_none(vm, func(f).doc.get())),
        |vm, f, v| {
            func(f).doc.set(or_none(vm, v));
            vm.write_barrier(f);
            Ok(())
        },
    ),
    getset(
        "__module__",
        |vm, f| Ok(or_none(vm, func(f).module.get())),
        |vm, f, v| {
            func(f).module.set(or_none(vm, v));
            vm.write_barrier(f);
            Ok(())
        },
    ),
    getset("__annotations__", get_annotations, set_annotations),
];

static METHOD: &[NativeDef] = &[
    static_def(
        "__new__",
        "(type, function, instance, /)",
        effects::ANY,
        method_new,
    ),
    def("__call__", CALL, effects::ANY, call),
    def("__repr__", "($self, /)", effects::ANY, method_repr),
    def(
        "__getattr__",
        "($self, name, /)",
        effects::ANY,
        method_getattr,
    ),
    def("__eq__", "($self, other, /)", effects::PURE, method_eq),
    def("__hash__", "($self, /)", effects::ANY, method_hash),
    def("__reduce__", "($self, /)", effects::ANY, method_reduce),
];

static METHOD_FIELDS: &[GetSetDef] = &[
    getter("__func__", |_, m| Ok(method(m).func.get())),
    getter("__self__", |_, m| Ok(method(m).this.get())),
    getter("__doc__", |vm, m| {
        let n = vm.names.doc;
        vm.getattr(method(m).func.get(), n)
    }),
];

static NATIVE_METHOD: &[NativeDef] = &[
    def("__call__", CALL, effects::ANY, call),
    def("__repr__", "($self, /)", effects::ANY, method_repr),
    def("__eq__", "($self, other, /)", effects::PURE, method_eq),
    def("__hash__", "($self, /)", effects::ANY, method_hash),
    def("__reduce__", "($self, /)", effects::ANY, method_reduce),
];

static NATIVE_METHOD_FIELDS: &[GetSetDef] = &[
    getter("__self__", |_, m| Ok(method(m).this.get())),
    getter("__name__", |vm, m| native_name(vm, method(m).func.get())),
    getter("__qualname__", |vm, m| {
        let this = method(m).this.get();
        let class = if vm.is_type(this) {
            Gc::from_value(this)
        } else {
            vm.class_of(this)
        };
        let c = vm.str_to_string(class.qualname.get());
        let n = definition(method(m).func.get()).name;
        Ok(vm.new_str(&format!("{c}.{n}")))
    }),
    getter("__doc__", |vm, m| native_doc(vm, method(m).func.get())),
    getter("__text_signature__", |vm, m| {
        native_signature(vm, method(m).func.get())
    }),
    getter("__module__", |vm, _| Ok(vm.none)),
];

static NATIVE: &[NativeDef] = &[
    def("__call__", CALL, effects::ANY, call),
    def("__repr__", "($self, /)", effects::ALLOC, native_repr),
    def("__reduce__", "($self, /)", effects::ANY, |vm, a| {
        if vm.layout_of(a[0]) == Layout::Method {
            return method_reduce(vm, a);
        }
        if native(a[0]).owner.get().is_some() {
            return descriptor_reduce(vm, a);
        }
        native_name(vm, a[0])
    }),
];

static NATIVE_FIELDS: &[GetSetDef] = &[
    getter("__name__", native_name),
    getter("__qualname__", |vm, f| {
        let f = unbound(vm, f);
        if native(f).owner.get().is_some() {
            return descriptor_qualname(vm, f);
        }
        native_name(vm, f)
    }),
    getter("__doc__", native_doc),
    getter("__text_signature__", native_signature),
    getter("__self__", |vm, f| {
        if vm.layout_of(f) == Layout::Method {
            return Ok(method(f).this.get());
        }
        let this = native(f).this.get();
        let this = if definition(f).name == "__new__" {
            native(f).owner.get()
        } else {
            this
        };
        Ok(or_none(vm, this))
    }),
    getter("__module__", |vm, f| {
        let f = unbound(vm, f);
        Ok(or_none(vm, native(f).module.get()))
    }),
];

static DESCRIPTOR: &[NativeDef] = &[
    def("__get__", GET, effects::ALLOC, function_get),
    def("__call__", CALL, effects::ANY, call),
    def("__repr__", "($self, /)", effects::ALLOC, descriptor_repr),
    def("__reduce__", "($self, /)", effects::ANY, descriptor_reduce),
];

static DESCRIPTOR_FIELDS: &[GetSetDef] = &[
    getter("__name__", native_name),
    getter("__qualname__", descriptor_qualname),
    getter("__doc__", native_doc),
    getter("__text_signature__", native_signature),
    getter("__objclass__", |_, f| Ok(native(f).owner.get())),
];

/// Gives functions and methods their attributes.
pub fn install(vm: &mut Vm) {
    let t = vm.types;
    vm.add_methods(t.function, FUNCTION);
    vm.add_getset(t.function, FUNCTION_FIELDS);
    for (name, offset) in [
        ("__globals__", std::mem::offset_of!(PyFunction, globals)),
        ("__closure__", std::mem::offset_of!(PyFunction, closure)),
    ] {
        vm.add_readonly_member(t.function, name, offset / 8);
    }
    vm.add_methods(t.method, METHOD);
    vm.add_getset(t.method, METHOD_FIELDS);
    vm.add_methods(t.native_method, NATIVE_METHOD);
    vm.add_getset(t.native_method, NATIVE_METHOD_FIELDS);
    vm.add_methods(t.native, NATIVE);
    vm.add_getset(t.native, NATIVE_FIELDS);
    vm.add_methods(t.method_wrapper, NATIVE_METHOD);
    vm.add_getset(t.method_wrapper, NATIVE_METHOD_FIELDS);
    vm.add_getset(
        t.method_wrapper,
        const {
            &[getter("__objclass__", |_, m| {
                Ok(native(method(m).func.get()).owner.get())
            })]
        },
    );
    for c in [t.function, t.wrapper, t.slot_wrapper] {
        vm.type_data(c).method_descriptor = true;
    }
    for c in [t.wrapper, t.slot_wrapper] {
        vm.add_methods(c, DESCRIPTOR);
        vm.add_getset(c, DESCRIPTOR_FIELDS);
    }
}

/// Special names that CPython's classes have as plain methods, not as operators.
const PLAIN: &[&str] = &[
    "__bytes__",
    "__ceil__",
    "__class_getitem__",
    "__complex__",
    "__copy__",
    "__deepcopy__",
    "__dir__",
    "__enter__",
    "__exit__",
    "__floor__",
    "__format__",
    "__fspath__",
    "__getformat__",
    "__getnewargs__",
    "__getnewargs_ex__",
    "__getstate__",
    "__init_subclass__",
    "__instancecheck__",
    "__length_hint__",
    "__missing__",
    "__mro_entries__",
    "__new__",
    "__prepare__",
    "__reduce__",
    "__reduce_ex__",
    "__reversed__",
    "__round__",
    "__set_name__",
    "__setstate__",
    "__sizeof__",
    "__subclasscheck__",
    "__subclasses__",
    "__subclasshook__",
    "__trunc__",
];

/// True for names of operators: their functions are slot wrappers.
pub(crate) fn is_slot_name(n: &str) -> bool {
    n.starts_with("__") && n.ends_with("__") && !PLAIN.contains(&n)
}

fn func(v: Value) -> Gc<PyFunction> {
    Gc::from_value(v)
}

fn method(v: Value) -> Gc<PyMethod> {
    Gc::from_value(v)
}

fn native(v: Value) -> Gc<PyNative> {
    Gc::from_value(v)
}

fn definition(f: Value) -> &'static NativeDef {
    // SAFETY: definitions are statics.
    unsafe { &*native(f).def.get() }
}

pub(crate) fn or_none(vm: &Vm, v: Value) -> Value {
    if v.is_null() { vm.none } else { v }
}

fn address(vm: &mut Vm, v: Value) -> String {
    if v.is_ptr() {
        vm.heap_pin(v);
    }
    format!("{:#x}", v.bits())
}

fn call(vm: &mut Vm, a: &[Value]) -> R {
    vm.call_dict(a[0], vm.tuple_items(a[1]), a[2])
}

fn function_new(vm: &mut Vm, a: &[Value]) -> R {
    let [_, code, globals, name, defaults, closure] = *a else {
        return Err(vm.type_error("function() missing required argument 'code' (pos 1)"));
    };
    if vm.class_of(code) != vm.types.code {
        let m = format!(
            "function() argument 'code' must be code, not {}",
            vm.class_name(code)
        );
        return Err(vm.type_error(&m));
    }
    if !vm.is_dict(globals) {
        let m = format!(
            "function() argument 'globals' must be dict, not {}",
            vm.class_name(globals)
        );
        return Err(vm.type_error(&m));
    }
    let frees = vm.tuple_len(vm.code_data(code).freevars);
    let given = if closure.is_null() || closure == vm.none {
        0
    } else {
        let Some(t) = vm.as_tuple(closure) else {
            return Err(vm.type_error("arg 5 (closure) must be None or tuple"));
        };
        vm.tuple_len(t)
    };
    if given != frees {
        if given == 0 {
            return Err(vm.type_error("arg 5 (closure) must be tuple"));
        }
        let m = format!(
            "{} requires closure of length {frees}, not {given}",
            vm.str_to_string(vm.code_data(code).name)
        );
        return Err(vm.value_error(&m));
    }
    let f = vm.new_function(code, globals);
    if given > 0 {
        func(f).closure.set(closure);
    }
    if name.is_some() && name != vm.none {
        func(f).name.set(name);
    }
    if defaults.is_some() && defaults != vm.none {
        func(f).defaults.set(defaults);
    }
    vm.write_barrier(f);
    Ok(f)
}

fn function_get(vm: &mut Vm, a: &[Value]) -> R {
    if a[1] == vm.none && (a[2].is_null() || a[2] != vm.types.none.value()) {
        return Ok(a[0]);
    }
    Ok(vm.bind(a[0], a[1]))
}

fn function_repr(vm: &mut Vm, a: &[Value]) -> R {
    let q = vm.str_to_string(func(a[0]).qualname.get());
    let m = format!("<function {q} at {}>", address(vm, a[0]));
    Ok(vm.new_str(&m))
}

/// What calls of the function rest on has changed.
fn changed(vm: &mut Vm, f: Value) {
    func(f).version.set(func(f).version.get() + 1);
    vm.write_barrier(f);
    (vm.hooks.invalidate)(vm, f);
}

fn set_code(vm: &mut Vm, f: Value, v: Value) -> R<()> {
    if v.is_null() || vm.class_of(v) != vm.types.code {
        return Err(vm.type_error("__code__ must be set to a code object"));
    }
    let have = func(f).closure.get();
    let have = if have.is_null() || have == vm.none {
        0
    } else {
        vm.tuple_len(have)
    };
    let frees = vm.tuple_len(vm.code_data(v).freevars);
    if have != frees {
        let m = format!(
            "{}() requires a code object with {have} free vars, not {frees}",
            vm.str_to_string(func(f).name.get())
        );
        return Err(vm.value_error(&m));
    }
    func(f).code.set(v);
    func(f)
        .code_data
        .set(Gc::<PyCode>::from_value(v).data.get());
    changed(vm, f);
    Ok(())
}

fn set_defaults(vm: &mut Vm, f: Value, v: Value) -> R<()> {
    let v = if v == vm.none { Value::NULL } else { v };
    if v.is_some() && vm.as_tuple(v).is_none() {
        return Err(vm.type_error("__defaults__ must be set to a tuple object"));
    }
    func(f).defaults.set(v);
    changed(vm, f);
    Ok(())
}

fn set_kwdefaults(vm: &mut Vm, f: Value, v: Value) -> R<()> {
    let v = if v == vm.none { Value::NULL } else { v };
    if v.is_some() && !vm.is_dict(v) {
        return Err(vm.type_error("__kwdefaults__ must be set to a dict object"));
    }
    func(f).kwdefaults.set(v);
    changed(vm, f);
    Ok(())
}

fn set_name(vm: &mut Vm, f: Value, v: Value) -> R<()> {
    if v.is_null() || !vm.is_str(v) {
        return Err(vm.type_error("__name__ must be set to a string object"));
    }
    func(f).name.set(v);
    vm.write_barrier(f);
    Ok(())
}

fn set_qualname(vm: &mut Vm, f: Value, v: Value) -> R<()> {
    if v.is_null() || !vm.is_str(v) {
        return Err(vm.type_error("__qualname__ must be set to a string object"));
    }
    func(f).qualname.set(v);
    vm.write_barrier(f);
    Ok(())
}

fn get_annotations(vm: &mut Vm, f: Value) -> R {
    if func(f).annotations.get().is_null() {
        let d = vm.new_dict();
        func(f).annotations.set(d);
        vm.write_barrier(f);
    }
    Ok(func(f).annotations.get())
}

fn set_annotations(vm: &mut Vm, f: Value, v: Value) -> R<()> {
    let v = if v == vm.none { Value::NULL } else { v };
    if v.is_some() && !vm.is_dict(v) {
        return Err(vm.type_error("__annotations__ must be set to a dict object"));
    }
    func(f).annotations.set(v);
    vm.write_barrier(f);
    Ok(())
}

fn method_new(vm: &mut Vm, a: &[Value]) -> R {
    let class = vm.class_of(a[1]);
    let callable = matches!(
        vm.layout_of(a[1]),
        Layout::Function | Layout::Native | Layout::Method | Layout::Type
    ) || vm.lookup(class, vm.names.call).is_some();
    if !callable {
        return Err(vm.type_error("first argument must be callable"));
    }
    if a[2] == vm.none {
        return Err(vm.type_error("instance must not be None"));
    }
    let m = vm.alloc::<PyMethod>(vm.types.method);
    m.func.set(a[1]);
    m.this.set(a[2]);
    Ok(m.value())
}

fn method_repr(vm: &mut Vm, a: &[Value]) -> R {
    let (f, this) = (method(a[0]).func.get(), method(a[0]).this.get());
    if vm.class_of(a[0]) == vm.types.native_method {
        let n = definition(f).name;
        let m = format!(
            "<built-in method {n} of {} object at {}>",
            vm.class_name(this),
            address(vm, this)
        );
        return Ok(vm.new_str(&m));
    }
    if vm.class_of(a[0]) == vm.types.method_wrapper {
        let n = definition(f).name;
        let m = format!(
            "<method-wrapper '{n}' of {} object at {}>",
            vm.class_name(this),
            address(vm, this)
        );
        return Ok(vm.new_str(&m));
    }
    let n = vm.names;
    let mut q = vm.getattr_opt(f, n.qualname)?;
    if q.is_null() {
        q = vm.getattr_opt(f, n.name)?;
    }
    let q = if q.is_some() && vm.is_str(q) {
        vm.str_to_string(q)
    } else {
        "?".to_string()
    };
    let m = format!("<bound method {q} of {}>", vm.repr_string(this)?);
    Ok(vm.new_str(&m))
}

fn method_getattr(vm: &mut Vm, a: &[Value]) -> R {
    let name = vm.attr_name(a[1])?;
    vm.getattr(method(a[0]).func.get(), name)
}

fn method_eq(vm: &mut Vm, a: &[Value]) -> R {
    if vm.class_of(a[0]) != vm.class_of(a[1]) {
        return Ok(vm.not_implemented);
    }
    let same = method(a[0]).this.get() == method(a[1]).this.get();
    let r = same && {
        let (f, g) = (method(a[0]).func.get(), method(a[1]).func.get());
        f == g || vm.eq(f, g)?
    };
    Ok(vm.bool(r))
}

fn method_hash(vm: &mut Vm, a: &[Value]) -> R {
    let (f, this) = (method(a[0]).func.get(), method(a[0]).this.get());
    let h = vm.hash(f)? ^ vm.hash_identity(this);
    Ok(vm.new_int(h >> 8))
}

fn method_reduce(vm: &mut Vm, a: &[Value]) -> R {
    let n = vm.names.name;
    let name = vm.getattr(method(a[0]).func.get(), n)?;
    let getattr = vm.intern("getattr");
    let getattr = vm.dict_get_str(vm.builtins, getattr);
    let args = vm.new_tuple(&[method(a[0]).this.get(), name]);
    Ok(vm.new_tuple(&[getattr, args]))
}

/// The function in a value that is one, or a method bound to a receiver.
fn unbound(vm: &Vm, f: Value) -> Value {
    if vm.layout_of(f) == Layout::Method {
        method(f).func.get()
    } else {
        f
    }
}

fn native_name(vm: &mut Vm, f: Value) -> R {
    let f = unbound(vm, f);
    Ok(vm.intern(definition(f).name))
}

fn native_doc(vm: &mut Vm, f: Value) -> R {
    let f = unbound(vm, f);
    Ok(match definition(f).doc {
        "" => vm.none,
        d => vm.new_str(d),
    })
}

fn native_signature(vm: &mut Vm, f: Value) -> R {
    let f = unbound(vm, f);
    Ok(vm.new_str(&crate::native::shown_signature(definition(f).signature)))
}

fn descriptor_qualname(vm: &mut Vm, f: Value) -> R {
    let owner = Gc::<crate::layout::PyType>::from_value(native(f).owner.get());
    let c = vm.str_to_string(owner.qualname.get());
    let n = definition(f).name;
    Ok(vm.new_str(&format!("{c}.{n}")))
}

fn native_repr(vm: &mut Vm, a: &[Value]) -> R {
    if vm.layout_of(a[0]) == Layout::Method {
        return method_repr(vm, a);
    }
    let owner = native(a[0]).owner.get();
    if owner.is_some() {
        let m = format!(
            "<built-in method {} of type object at {}>",
            definition(a[0]).name,
            address(vm, owner)
        );
        return Ok(vm.new_str(&m));
    }
    let m = format!("<built-in function {}>", definition(a[0]).name);
    Ok(vm.new_str(&m))
}

fn descriptor_repr(vm: &mut Vm, a: &[Value]) -> R {
    let n = definition(a[0]).name;
    let what = if vm.class_of(a[0]) == vm.types.slot_wrapper {
        "slot wrapper"
    } else {
        "method"
    };
    let c = vm.type_name(Gc::from_value(native(a[0]).owner.get()));
    Ok(vm.new_str(&format!("<{what} '{n}' of '{c}' objects>")))
}

fn descriptor_reduce(vm: &mut Vm, a: &[Value]) -> R {
    let getattr = vm.intern("getattr");
    let getattr = vm.dict_get_str(vm.builtins, getattr);
    let name = vm.intern(definition(a[0]).name);
    let args = vm.new_tuple(&[native(a[0]).owner.get(), name]);
    Ok(vm.new_tuple(&[getattr, args]))
}
