//! `property`, `staticmethod`, `classmethod`, and the descriptors of attributes
//! written in Rust.

use crate::function::or_none;
use crate::layout::{Gc, PyGetSet, PyMember, PyProperty, PyWrapped};
use crate::native::{GetSetDef, NativeDef, def, effects, getset, getter, static_def};
use crate::vm::{R, Vm};
use pyrite_machine::Value;

const GET: &str = "($self, instance, owner=None, /)";
const SET: &str = "($self, instance, value, /)";
const DELETE: &str = "($self, instance, /)";

static PROPERTY: &[NativeDef] = &[
    static_def("__new__", "(type, /, *args, **kwargs)", effects::ALLOC, new),
    def(
        "__init__",
        "($self, fget=None, fset=None, fdel=None, doc=None)",
        effects::ANY,
        property_init,
    ),
    def("getter", "($self, fget, /)", effects::ANY, |vm, a| {
        replaced(vm, a, 0)
    }),
    def("setter", "($self, fset, /)", effects::ANY, |vm, a| {
        replaced(vm, a, 1)
    }),
    def("deleter", "($self, fdel, /)", effects::ANY, |vm, a| {
        replaced(vm, a, 2)
    }),
    def(
        "__set_name__",
        "($self, /, *args)",
        effects::WRITES | effects::RAISES,
        |vm, a| {
            let [_, name] = *vm.tuple_items(a[1]) else {
                let m = format!(
                    "__set_name__() takes 2 positional arguments but {} were given",
                    vm.tuple_len(a[1])
                );
                return Err(vm.type_error(&m));
            };
            property(a[0]).name.set(name);
            vm.write_barrier(a[0]);
            Ok(vm.none)
        },
    ),
    def("__get__", GET, effects::ANY, property_get),
    def("__set__", SET, effects::ANY, property_set),
    def("__delete__", DELETE, effects::ANY, property_delete),
];

static PROPERTY_FIELDS: &[GetSetDef] = &[
    getset(
        "__doc__",
        |vm, p| Ok(or_none(vm, property(p).doc.get())),
        |vm, p, v| {
            property(p).doc.set(or_none(vm, v));
            vm.write_barrier(p);
            Ok(())
        },
    ),
    getter("__isabstractmethod__", |vm, p| {
        let p = property(p);
        for f in [p.fget.get(), p.fset.get(), p.fdel.get()] {
            if f.is_some() && is_abstract(vm, f)? {
                return Ok(vm.true_);
            }
        }
        Ok(vm.false_)
    }),
];

static STATIC: &[NativeDef] = &[
    static_def("__new__", "(type, /, *args, **kwargs)", effects::ALLOC, new),
    def(
        "__init__",
        "($self, function, /)",
        effects::ANY,
        wrapped_init,
    ),
    def("__get__", GET, effects::READS, |_, a| Ok(wrapped(a[0]))),
    def(
        "__call__",
        "($self, /, *args, **kwargs)",
        effects::ANY,
        |vm, a| vm.call_dict(wrapped(a[0]), vm.tuple_items(a[1]), a[2]),
    ),
    def("__repr__", "($self, /)", effects::ANY, |vm, a| {
        wrapped_repr(vm, a, "staticmethod")
    }),
];

static CLASS: &[NativeDef] = &[
    static_def("__new__", "(type, /, *args, **kwargs)", effects::ALLOC, new),
    def(
        "__init__",
        "($self, function, /)",
        effects::ANY,
        wrapped_init,
    ),
    def("__get__", GET, effects::ANY, classmethod_get),
    def("__repr__", "($self, /)", effects::ANY, |vm, a| {
        wrapped_repr(vm, a, "classmethod")
    }),
];

static WRAPPED_FIELDS: &[GetSetDef] = &[
    getter("__func__", |_, w| Ok(wrapped(w))),
    getter("__wrapped__", |_, w| Ok(wrapped(w))),
    getter("__isabstractmethod__", |vm, w| {
        let r = is_abstract(vm, wrapped(w))?;
        Ok(vm.bool(r))
    }),
];

static NATIVE: &[NativeDef] = &[
    def("__get__", GET, effects::ANY, native_get),
    def("__set__", SET, effects::ANY, |vm, a| {
        vm.descr_set(a[0], a[1], a[2])?;
        Ok(vm.none)
    }),
    def("__delete__", DELETE, effects::ANY, |vm, a| {
        vm.descr_set(a[0], a[1], Value::NULL)?;
        Ok(vm.none)
    }),
    def("__repr__", "($self, /)", effects::ALLOC, native_repr),
];

static NATIVE_FIELDS: &[GetSetDef] = &[
    getter("__name__", |vm, d| Ok(name_owner(vm, d).0)),
    getter("__objclass__", |vm, d| Ok(name_owner(vm, d).1)),
    getter("__qualname__", |vm, d| {
        let (n, o) = name_owner(vm, d);
        let m = format!(
            "{}.{}",
            vm.type_name(Gc::from_value(o)),
            vm.str_to_string(n)
        );
        Ok(vm.new_str(&m))
    }),
    getter("__doc__", |vm, d| {
        Ok(if vm.class_of(d) == vm.types.getset {
            or_none(vm, Gc::<PyGetSet>::from_value(d).doc.get())
        } else {
            vm.none
        })
    }),
];

/// Gives descriptors their methods.
pub fn install(vm: &mut Vm) {
    let t = vm.types;
    vm.add_methods(t.property, PROPERTY);
    vm.add_getset(t.property, PROPERTY_FIELDS);
    for (i, name) in ["fget", "fset", "fdel"].into_iter().enumerate() {
        vm.add_readonly_member(t.property, name, 1 + i);
    }
    vm.add_methods(t.staticmethod, STATIC);
    vm.add_methods(t.classmethod, CLASS);
    for c in [t.staticmethod, t.classmethod] {
        vm.add_getset(c, WRAPPED_FIELDS);
    }
    for c in [t.getset, t.member] {
        vm.add_methods(c, NATIVE);
        vm.add_getset(c, NATIVE_FIELDS);
    }
}

fn property(v: Value) -> Gc<PyProperty> {
    Gc::from_value(v)
}

fn wrapped(v: Value) -> Value {
    Gc::<PyWrapped>::from_value(v).func.get()
}

fn is_abstract(vm: &mut Vm, f: Value) -> R<bool> {
    let n = vm.names.isabstractmethod;
    let v = vm.getattr_opt(f, n)?;
    if v.is_null() { Ok(false) } else { vm.truth(v) }
}

fn new(vm: &mut Vm, a: &[Value]) -> R {
    if !vm.is_type(a[0]) {
        return Err(vm.type_error("__new__(X): X is not a type object"));
    }
    Ok(vm.new_instance(Gc::from_value(a[0])))
}

fn property_init(vm: &mut Vm, a: &[Value]) -> R {
    let none = vm.none;
    let given = |v: Value| if v == none { Value::NULL } else { v };
    let p = property(a[0]);
    p.fget.set(given(a[1]));
    p.fset.set(given(a[2]));
    p.fdel.set(given(a[3]));
    p.doc.set(given(a[4]));
    p.doc_of_getter.set(Value::NULL);
    vm.write_barrier(a[0]);
    if p.doc.get().is_null() && p.fget.get().is_some() {
        let name = vm.names.doc;
        let doc = vm.getattr_opt(p.fget.get(), name)?;
        if doc.is_some() {
            if vm.class_of(a[0]) == vm.types.property {
                p.doc.set(doc);
                vm.write_barrier(a[0]);
            } else {
                // The class's own docstring would hide it.
                vm.setattr(a[0], name, doc)?;
            }
            p.doc_of_getter.set(Value::small(1));
        }
    }
    Ok(none)
}

/// A copy of a property with one of its functions replaced.
fn replaced(vm: &mut Vm, a: &[Value], which: usize) -> R {
    let p = property(a[0]);
    let mut parts = [p.fget.get(), p.fset.get(), p.fdel.get(), p.doc.get()];
    if a[1] != vm.none {
        parts[which] = a[1];
    }
    if p.doc_of_getter.get().is_some() && parts[0].is_some() {
        // The copy takes it from its getter.
        parts[3] = Value::NULL;
    }
    let args = parts.map(|v| or_none(vm, v));
    let class = vm.class_of(a[0]).value();
    let new = vm.call(class, &args)?;
    if vm.layout_of(new) == crate::Layout::Property {
        property(new).name.set(p.name.get());
        vm.write_barrier(new);
    }
    Ok(new)
}

fn property_get(vm: &mut Vm, a: &[Value]) -> R {
    if a[1] == vm.none {
        return Ok(a[0]);
    }
    let g = property(a[0]).fget.get();
    if g.is_null() {
        return Err(vm.property_error(a[0], a[1], "getter"));
    }
    vm.call(g, &[a[1]])
}

fn property_set(vm: &mut Vm, a: &[Value]) -> R {
    let f = property(a[0]).fset.get();
    if f.is_null() {
        return Err(vm.property_error(a[0], a[1], "setter"));
    }
    vm.call(f, &[a[1], a[2]])?;
    Ok(vm.none)
}

fn property_delete(vm: &mut Vm, a: &[Value]) -> R {
    let f = property(a[0]).fdel.get();
    if f.is_null() {
        return Err(vm.property_error(a[0], a[1], "deleter"));
    }
    vm.call(f, &[a[1]])?;
    Ok(vm.none)
}

fn wrapped_init(vm: &mut Vm, a: &[Value]) -> R {
    Gc::<PyWrapped>::from_value(a[0]).func.set(a[1]);
    vm.write_barrier(a[0]);
    let n = vm.names;
    for name in [n.module, n.name, n.qualname, n.doc, n.annotations] {
        let v = vm.getattr_opt(a[1], name)?;
        if v.is_some() {
            vm.instance_set(a[0], name, v);
        }
    }
    Ok(vm.none)
}

fn wrapped_repr(vm: &mut Vm, a: &[Value], what: &str) -> R {
    let f = or_none(vm, wrapped(a[0]));
    let m = format!("<{what}({})>", vm.repr_string(f)?);
    Ok(vm.new_str(&m))
}

fn classmethod_get(vm: &mut Vm, a: &[Value]) -> R {
    let owner = if a[2].is_null() || a[2] == vm.none {
        vm.class_of(a[1]).value()
    } else {
        a[2]
    };
    let f = wrapped(a[0]);
    let fc = vm.class_of(f);
    if vm.type_memo(fc).has_get {
        return vm.descr_get(f, owner, owner);
    }
    Ok(vm.new_method(f, owner))
}

fn name_owner(vm: &Vm, d: Value) -> (Value, Value) {
    if vm.class_of(d) == vm.types.getset {
        let g = Gc::<PyGetSet>::from_value(d);
        (g.name.get(), g.owner.get())
    } else {
        let m = Gc::<PyMember>::from_value(d);
        (m.name.get(), m.owner.get())
    }
}

fn native_get(vm: &mut Vm, a: &[Value]) -> R {
    if a[1] == vm.none {
        return Ok(a[0]);
    }
    vm.descr_get(a[0], a[1], or_none(vm, a[2]))
}

fn native_repr(vm: &mut Vm, a: &[Value]) -> R {
    let (n, o) = name_owner(vm, a[0]);
    let what = if vm.class_of(a[0]) == vm.types.getset {
        "attribute"
    } else {
        "member"
    };
    let m = format!(
        "<{what} '{}' of '{}' objects>",
        vm.str_to_string(n),
        vm.type_name(Gc::from_value(o))
    );
    Ok(vm.new_str(&m))
}
