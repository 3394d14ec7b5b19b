//! The `_weakref` module.
//!
//! The collector clears a reference whose object died and queues it for its
//! callback, which `pyrite_objects::misc::run_pending` calls. It also knows the
//! references to an object, so that a plain one is made only once.
//!
//! A proxy is a weak reference, too, whose class forwards every operation to the
//! object: see [`forward`].

mod forward;

use crate::{module, set, slots};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyType, PyWeakRef};
use pyrite_objects::native::{NativeDef, class_def, def, effects, getter, static_def};
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

static FUNCTIONS: [NativeDef; 4] = [
    def(
        "_remove_dead_weakref",
        "(dct, key, /)",
        effects::CALLS,
        remove_dead,
    ),
    def("getweakrefcount", "(object, /)", effects::READS, |vm, a| {
        Ok(Value::small(refs_to(vm, a[0]).len() as i32))
    }),
    def("getweakrefs", "(object, /)", effects::ALLOC, |vm, a| {
        let list = vm.new_list(&[]);
        // The references are alive: their addresses do not change while the
        // list that names them is on this stack. Those that all share come first.
        for shared in [true, false] {
            for i in 0.. {
                let Some(&w) = refs_to(vm, a[0]).get(i) else {
                    break;
                };
                let w = Value::from_bits(w);
                let plain = weak(w).callback.get().is_null() && vm.class_of(w) == vm.types.weakref;
                if plain == shared {
                    vm.list_append(list, w);
                }
            }
        }
        Ok(list)
    }),
    def(
        "proxy",
        "(object, callback=None, /)",
        effects::ALLOC | effects::RAISES,
        proxy,
    ),
];

static METHODS: [NativeDef; 7] = [
    static_def("__new__", "($type, /, *args, **kwargs)", effects::ANY, new),
    def(
        "__init__",
        "($self, /, *args, **kwargs)",
        effects::RAISES,
        init,
    ),
    def("__call__", "($self, /)", effects::READS, |vm, a| {
        let r = weak(a[0]).referent.get();
        Ok(if r.is_null() { vm.none } else { r })
    }),
    def("__hash__", "($self, /)", effects::CALLS, hash),
    def("__eq__", "($self, value, /)", effects::CALLS, |vm, a| {
        eq(vm, a, false)
    }),
    def("__ne__", "($self, value, /)", effects::CALLS, |vm, a| {
        eq(vm, a, true)
    }),
    def("__repr__", "($self, /)", effects::CALLS, repr),
];

static GENERIC: [NativeDef; 1] = [class_def(
    "__class_getitem__",
    "($type, object, /)",
    effects::ALLOC,
    |vm, a| pyrite_objects::misc::generic_alias(vm, a[0], a[1]),
)];

fn weak(v: Value) -> Gc<PyWeakRef> {
    Gc::from_value(v)
}

/// Addresses of the references to an object, oldest first.
fn refs_to(vm: &Vm, v: Value) -> Vec<u64> {
    let mut all = Vec::new();
    if v.is_ptr() {
        // SAFETY: an object; the closure allocates nothing on the heap.
        unsafe { vm.heap.weakrefs_of(v.ptr(), &mut |w| all.push(w.bits())) };
    }
    all
}

/// True if objects like this one may have weak references.
fn referable(vm: &mut Vm, v: Value) -> bool {
    let class = vm.class_of(v);
    vm.type_data(class).weakrefable
}

/// A weak reference of this class; one without a callback is made once.
fn make_ref(vm: &mut Vm, class: Gc<PyType>, object: Value, callback: Value) -> R {
    if !referable(vm, object) {
        let c = vm.class_of(object);
        let name = if vm.type_data(c).heap_type {
            vm.type_name(c)
        } else {
            vm.type_full_name(c)
        };
        let m = format!("cannot create weak reference to '{name}' object");
        return Err(vm.type_error(&m));
    }
    let callback = if callback == vm.none {
        Value::NULL
    } else {
        callback
    };
    let shared = [slots::WEAK_PROXY, slots::WEAK_CALLABLE_PROXY].map(|s| vm.statics[s]);
    let once = class == vm.types.weakref || shared.contains(&class.value());
    if callback.is_null() && once {
        for w in refs_to(vm, object) {
            let w = Value::from_bits(w);
            if vm.class_of(w) == class && weak(w).callback.get().is_null() {
                return Ok(w);
            }
        }
    }
    let v = vm.new_instance(class);
    weak(v).referent.set(object);
    weak(v).callback.set(callback);
    vm.write_barrier(v);
    // SAFETY: a fresh weak reference whose fields are set.
    unsafe { vm.heap.register_weakref(v.ptr()) };
    Ok(v)
}

fn new(vm: &mut Vm, a: &[Value]) -> R {
    let class: Gc<PyType> = vm.new_class_arg(a[0], vm.types.weakref)?;
    let n = vm.tuple_len(a[1]);
    if !(1..=2).contains(&n) {
        let (how, limit, s) = if n < 1 {
            ("least", 1, "")
        } else {
            ("most", 2, "s")
        };
        let m = format!("__new__ expected at {how} {limit} argument{s}, got {n}");
        return Err(vm.type_error(&m));
    }
    let callback = if n == 2 {
        vm.tuple_get(a[1], 1)
    } else {
        Value::NULL
    };
    make_ref(vm, class, vm.tuple_get(a[1], 0), callback)
}

fn init(vm: &mut Vm, a: &[Value]) -> R {
    if vm.dict_len(a[2]) > 0 {
        return Err(vm.type_error("ref() takes no keyword arguments"));
    }
    let n = vm.tuple_len(a[1]);
    if !(1..=2).contains(&n) {
        let (how, limit, s) = if n < 1 {
            ("least", 1, "")
        } else {
            ("most", 2, "s")
        };
        let m = format!("__init__ expected at {how} {limit} argument{s}, got {n}");
        return Err(vm.type_error(&m));
    }
    Ok(vm.none)
}

fn proxy(vm: &mut Vm, a: &[Value]) -> R {
    let class = vm.class_of(a[0]);
    let callable = vm.lookup(class, vm.names.call).is_some();
    let slot = if callable {
        slots::WEAK_CALLABLE_PROXY
    } else {
        slots::WEAK_PROXY
    };
    let class = Gc::from_value(vm.statics[slot]);
    make_ref(vm, class, a[0], a[1])
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

/// By the objects while both are alive, by identity afterwards.
fn eq(vm: &mut Vm, a: &[Value], not: bool) -> R {
    if !vm.is_instance(a[1], vm.types.weakref) {
        return Ok(vm.not_implemented);
    }
    let (x, y) = (weak(a[0]).referent.get(), weak(a[1]).referent.get());
    if x.is_null() || y.is_null() {
        return Ok(vm.bool((a[0] == a[1]) != not));
    }
    let op = if not {
        pyrite_bytecode::CmpOp::Ne
    } else {
        pyrite_bytecode::CmpOp::Eq
    };
    vm.compare(op, x, y)
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let at = vm.id(a[0]);
    let r = weak(a[0]).referent.get();
    if r.is_null() {
        return Ok(vm.new_str(&format!("<weakref at {at:#x}; dead>")));
    }
    let name = vm.intern("__name__");
    let name = vm.getattr_opt(r, name)?;
    let name = match vm.as_str(name) {
        Some(s) => format!(" ({})", vm.str_to_string(s)),
        None => String::new(),
    };
    let text = format!(
        "<weakref at {at:#x}; to '{}' at {:#x}{name}>",
        vm.class_name(r),
        vm.id(r)
    );
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
    let m = module(vm, "_weakref", "Weak-reference support module.", &FUNCTIONS);
    let t = vm.types.weakref;
    vm.add_methods(t, &METHODS);
    vm.add_methods(t, &GENERIC);
    vm.add_getset(
        t,
        &[getter("__callback__", |vm, v| {
            let c = weak(v).callback.get();
            Ok(if c.is_null() { vm.none } else { c })
        })],
    );
    let in_weakref = vm.intern("weakref");
    vm.type_set(t, "__module__", in_weakref);
    t.module.set(in_weakref);
    vm.write_barrier(t.value());
    for (name, slot) in [
        ("ProxyType", slots::WEAK_PROXY),
        ("CallableProxyType", slots::WEAK_CALLABLE_PROXY),
    ] {
        let class = vm.native_type(&TypeDef {
            module: "weakref",
            ..TypeDef::of::<PyWeakRef>(name, Layout::WeakRef)
        });
        for methods in forward::METHODS {
            vm.add_methods(class, methods);
        }
        let none = vm.none;
        vm.type_set(class, "__hash__", none);
        if slot == slots::WEAK_CALLABLE_PROXY {
            vm.add_methods(class, forward::CALL);
        }
        vm.statics[slot] = class.value();
        set(vm, m, name, class.value());
    }
    set(vm, m, "ref", t.value());
    set(vm, m, "ReferenceType", t.value());
    Ok(m)
}
