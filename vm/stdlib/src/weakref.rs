//! The `_weakref` module.
//!
//! The collector clears a reference whose object died and queues it for its
//! callback, which `pyrite_objects::misc::run_pending` calls.

use crate::{module, set};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyType, PyWeakRef};
use pyrite_objects::native::{NativeDef, def, effects, getter, static_def};
use pyrite_objects::vm::{R, Vm};

static FUNCTIONS: [NativeDef; 1] = [def(
    "_remove_dead_weakref",
    "(dct, key, /)",
    effects::CALLS,
    remove_dead,
)];

static METHODS: [NativeDef; 6] = [
    static_def("__new__", "($type, object, callback=None, /)", effects::ANY, new),
    def("__init__", "($self, object, callback=None, /)", effects::PURE, |vm, _| Ok(vm.none)),
    def("__call__", "($self, /)", effects::READS, |vm, a| {
        let r = weak(a[0]).referent.get();
        Ok(if r.is_null() { vm.none } else { r })
    }),
    def("__hash__", "($self, /)", effects::CALLS, hash),
    def("__eq__", "($self, value, /)", effects::CALLS, eq),
    def("__repr__", "($self, /)", effects::CALLS, repr),
];

fn weak(v: Value) -> Gc<PyWeakRef> {
    Gc::from_value(v)
}

fn new(vm: &mut Vm, a: &[Value]) -> R {
    let class: Gc<PyType> = vm.new_class_arg(a[0], vm.types.weakref)?;
    let good = a[1].is_ptr()
        && !matches!(
            vm.layout_of(a[1]),
            Layout::Int
                | Layout::Bool
                | Layout::Str
                | Layout::Bytes
                | Layout::Tuple
                | Layout::List
                | Layout::Dict
                | Layout::Complex
                | Layout::NoneType
                | Layout::EllipsisType
                | Layout::NotImplementedType
                | Layout::Range
                | Layout::Slice
        )
        || a[1].is_ptr() && vm.has_instance_dict(a[1]);
    if !good {
        let m = format!("cannot create weak reference to '{}' object", vm.class_name(a[1]));
        return Err(vm.type_error(&m));
    }
    let v = vm.new_instance(class);
    weak(v).referent.set(a[1]);
    if a[2].is_some() && a[2] != vm.none {
        weak(v).callback.set(a[2]);
    }
    vm.write_barrier(v);
    // SAFETY: a fresh weak reference whose fields are set.
    unsafe { vm.heap.register_weakref(v.ptr()) };
    Ok(v)
}

fn hash(vm: &mut Vm, a: &[Value]) -> R {
    let w = weak(a[0]);
    if w.hash.get().is_some() {
        return Ok(w.hash.get());
    }
    let r = w.referent.get();
    if r.is_null() {
        return Err(vm.type_error("weak object has gone away"));
    }
    let h = vm.hash(r)?;
    let h = vm.new_int(h);
    weak(a[0]).hash.set(h);
    vm.write_barrier(a[0]);
    Ok(h)
}

fn eq(vm: &mut Vm, a: &[Value]) -> R {
    if vm.layout_of(a[1]) != Layout::WeakRef {
        return Ok(vm.not_implemented);
    }
    let (x, y) = (weak(a[0]).referent.get(), weak(a[1]).referent.get());
    let same = if x.is_null() || y.is_null() { a[0] == a[1] } else { vm.eq(x, y)? };
    Ok(vm.bool(same))
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let at = vm.id(a[0]);
    let r = weak(a[0]).referent.get();
    let text = if r.is_null() {
        format!("<weakref at {at:#x}; dead>")
    } else {
        format!("<weakref at {at:#x}; to '{}' at {:#x}>", vm.class_name(r), vm.id(r))
    };
    Ok(vm.new_str(&text))
}

fn remove_dead(vm: &mut Vm, a: &[Value]) -> R {
    let w = vm.dict_get(a[0], a[1])?;
    if w.is_some() && vm.layout_of(w) == Layout::WeakRef && weak(w).referent.get().is_null() {
        vm.dict_remove(a[0], a[1])?;
    }
    Ok(vm.none)
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let m = module(vm, "_weakref", "Weak references.", &FUNCTIONS);
    let t = vm.types.weakref;
    let call = vm.names.call;
    if vm.lookup(t, call).is_null() {
        vm.add_methods(t, &METHODS);
        vm.add_getset(
            t,
            &[getter("__callback__", |vm, v| {
                let c = weak(v).callback.get();
                Ok(if c.is_null() { vm.none } else { c })
            })],
        );
    }
    set(vm, m, "ref", t.value());
    set(vm, m, "ReferenceType", t.value());
    Ok(m)
}
