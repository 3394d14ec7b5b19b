//! `defaultdict`: a dict with a word more, the factory.

use crate::{class, slots};
use pyrite_machine::Value;
use pyrite_objects::dict_type;
use pyrite_objects::layout::{Gc, Layout, NativeLayout, PyDict, PyType};
use pyrite_objects::native::{NativeDef, def, effects, new_def};
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

/// Word of the factory; null means None.
const FACTORY: usize = PyDict::WORDS;

static METHODS: [NativeDef; 9] = [
    new_def("($type, /, *args, **kwargs)", effects::ALLOC, |vm, a| {
        Ok(vm.new_instance(Gc::from_value(a[0])))
    }),
    def(
        "__init__",
        "($self, /, *args, **kwargs)",
        effects::CALLS,
        init,
    ),
    def("__missing__", "($self, key, /)", effects::CALLS, missing),
    def("copy", "($self, /)", effects::CALLS, copy),
    def("__copy__", "($self, /)", effects::CALLS, copy),
    def("__reduce__", "($self, /)", effects::CALLS, reduce),
    def("__repr__", "($self, /)", effects::CALLS, repr),
    def("__or__", "($self, value, /)", effects::CALLS, |vm, a| {
        or(vm, a[0], a[0], a[1])
    }),
    def("__ror__", "($self, value, /)", effects::CALLS, |vm, a| {
        or(vm, a[0], a[1], a[0])
    }),
];

fn factory(vm: &Vm, v: Value) -> Value {
    let f = vm.word(v, FACTORY);
    if f.is_null() { vm.none } else { f }
}

fn init(vm: &mut Vm, a: &[Value]) -> R {
    let args = vm.tuple_items(a[1]);
    let f = args.first().copied().unwrap_or(vm.none);
    if f != vm.none && !crate::args::is_callable(vm, f) {
        return Err(vm.type_error("first argument must be callable or None"));
    }
    if args.len() > 2 {
        let m = format!("dict expected at most 1 argument, got {}", args.len() - 1);
        return Err(vm.type_error(&m));
    }
    vm.store_word(a[0], FACTORY, f);
    if let Some(&other) = args.get(1) {
        dict_type::update(vm, a[0], other)?;
    }
    if vm.dict_len(a[2]) != 0 {
        vm.dict_update_dict(a[0], a[2])?;
    }
    Ok(vm.none)
}

fn missing(vm: &mut Vm, a: &[Value]) -> R {
    let f = factory(vm, a[0]);
    if f == vm.none {
        return Err(vm.key_error(a[1]));
    }
    let v = vm.call(f, &[])?;
    vm.setitem(a[0], a[1], v)?;
    Ok(v)
}

fn copy(vm: &mut Vm, a: &[Value]) -> R {
    let class = vm.class_of(a[0]).value();
    let f = factory(vm, a[0]);
    vm.call(class, &[f, a[0]])
}

fn reduce(vm: &mut Vm, a: &[Value]) -> R {
    let f = factory(vm, a[0]);
    let args = if f == vm.none {
        vm.empty_tuple
    } else {
        vm.new_tuple(&[f])
    };
    let name = vm.intern("items");
    let items = vm.call_method(a[0], name, &[])?;
    let it = vm.get_iter(items)?;
    let (class, none) = (vm.class_of(a[0]).value(), vm.none);
    Ok(vm.new_tuple(&[class, args, none, none, it]))
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let name = vm.names.repr;
    let f = vm.lookup(vm.types.dict, name);
    let items = vm.call(f, &[a[0]])?;
    let f = factory(vm, a[0]);
    // The factory may be a method of this very dict.
    let in_progress = vm.intern("...");
    let shown = if f == vm.none {
        vm.repr(f)?
    } else if vm.repr_enter(f) {
        in_progress
    } else {
        let r = vm.repr(f);
        vm.repr_leave();
        r?
    };
    let class = vm.class_of(a[0]);
    let open = format!("{}(", vm.type_name(class));
    let open = vm.new_str(&open);
    let (comma, close) = (vm.intern(", "), vm.intern(")"));
    Ok(vm.str_join(&[open, shown, comma, items, close]))
}

/// `left | right`, of the class of `this`, which is one of them.
fn or(vm: &mut Vm, this: Value, left: Value, right: Value) -> R {
    if !vm.is_dict(left) || !vm.is_dict(right) {
        return Ok(vm.not_implemented);
    }
    let class = vm.class_of(this).value();
    let f = factory(vm, this);
    let new = vm.call(class, &[f, left])?;
    if !vm.is_dict(new) {
        return Ok(vm.not_implemented);
    }
    dict_type::update(vm, new, right)?;
    Ok(new)
}

/// Adds the class to the module.
pub(super) fn make(vm: &mut Vm, m: Value) {
    let dict = vm.types.dict;
    let t: Gc<PyType> = class(
        vm,
        m,
        &TypeDef {
            module: "collections",
            base: Some(dict),
            words: PyDict::WORDS + 1,
            base_type: true,
            methods: &METHODS,
            ..TypeDef::of::<PyDict>("defaultdict", Layout::Dict)
        },
    );
    vm.statics[slots::DEFAULTDICT] = t.value();
    let key = vm.intern("default_factory");
    let member = vm.new_member(key, t, FACTORY, false);
    vm.type_set(t, "default_factory", member);
}
