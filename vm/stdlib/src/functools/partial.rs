//! `functools.partial`.

use crate::args::is_callable;
use crate::{class, slots};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, NativeLayout};
use pyrite_objects::list::class_getitem;
use pyrite_objects::native::{NativeDef, class_def, def, effects, new_def};
use pyrite_objects::object_layout;
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

object_layout! {
    /// `partial`: `args` is a tuple, `keywords` a dict.
    Partial [Library, VALUES] { func: Value, args: Value, keywords: Value }
}

fn partial(v: Value) -> Gc<Partial> {
    Gc::from_value(v)
}

static METHODS: [NativeDef; 6] = [
    new_def("($type, /, *args, **kwargs)", effects::ALLOC, new),
    def(
        "__call__",
        "($self, /, *args, **kwargs=)",
        effects::ANY,
        call,
    ),
    def("__repr__", "($self, /)", effects::ANY, repr),
    def("__reduce__", "($self, /)", effects::ANY, reduce),
    def("__setstate__", "($self, state, /)", effects::ANY, setstate),
    class_def(
        "__class_getitem__",
        "($type, item, /)",
        effects::ALLOC,
        class_getitem,
    ),
];

/// The tuple of both tuples' items.
fn joined(vm: &mut Vm, a: Value, b: &[Value]) -> Value {
    if b.is_empty() {
        return a;
    }
    let n = vm.tuple_len(a);
    let t = vm.new_tuple_uninit(n + b.len());
    for i in 0..n {
        let v = vm.tuple_get(a, i);
        vm.tuple_init(t, i, v);
    }
    for (i, &v) in b.iter().enumerate() {
        vm.tuple_init(t, n + i, v);
    }
    t
}

/// The dict of both dicts' items, fresh if `other` (null: nothing) adds any.
fn merged(vm: &mut Vm, keywords: Value, other: Value) -> R {
    if !vm.has_keywords(other) {
        return Ok(keywords);
    }
    if vm.dict_len(keywords) == 0 {
        return Ok(other);
    }
    let d = vm.dict_copy(keywords);
    vm.dict_update_dict(d, other)?;
    Ok(d)
}

fn new(vm: &mut Vm, a: &[Value]) -> R {
    let given = vm.tuple_items(a[1]);
    let Some(&func) = given.first() else {
        return Err(vm.type_error("type 'partial' takes at least one argument"));
    };
    if !is_callable(vm, func) {
        return Err(vm.type_error("the first argument must be callable"));
    }
    let (mut func, mut args, mut keywords) = (func, vm.empty_tuple, a[2]);
    // A partial of a partial without attributes of its own is one partial.
    let class = Gc::from_value(vm.statics[slots::PARTIAL]);
    let call = vm.names.call;
    if vm.is_instance(func, class)
        && vm.lookup_on(func, call) == vm.lookup(class, call)
        && !has_attributes(vm, func)
    {
        let inner = partial(func);
        args = inner.args.get();
        keywords = merged(vm, inner.keywords.get(), keywords)?;
        if keywords == inner.keywords.get() {
            keywords = vm.dict_copy(keywords);
        }
        func = inner.func.get();
    }
    let args = joined(vm, args, &given[1..]);
    let v = vm.new_instance(Gc::from_value(a[0]));
    let p = partial(v);
    p.func.set(func);
    p.args.set(args);
    p.keywords.set(keywords);
    vm.write_barrier(v);
    Ok(v)
}

/// True if the instance's `__dict__` has anything in it.
fn has_attributes(vm: &mut Vm, v: Value) -> bool {
    vm.has_instance_dict(v) && {
        let d = vm.instance_dict(v);
        vm.dict_len(d) > 0
    }
}

fn call(vm: &mut Vm, a: &[Value]) -> R {
    let p = partial(a[0]);
    let args = joined(vm, p.args.get(), vm.tuple_items(a[1]));
    let keywords = merged(vm, p.keywords.get(), a[2])?;
    vm.call_dict(p.func.get(), vm.tuple_items(args), keywords)
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    if vm.repr_enter(a[0]) {
        return Ok(vm.new_str("..."));
    }
    let r = repr_parts(vm, a[0]);
    vm.repr_leave();
    let parts = r?;
    Ok(vm.str_join(vm.list_items(parts)))
}

fn repr_parts(vm: &mut Vm, v: Value) -> R {
    let p = partial(v);
    let parts = vm.new_list(&[]);
    let class = vm.class_of(v);
    let open = format!("{}(", vm.tp_name(class));
    let open = vm.new_str(&open);
    vm.list_append(parts, open);
    let func = vm.repr(p.func.get())?;
    vm.list_append(parts, func);
    let comma = vm.intern(", ");
    let args = p.args.get();
    for i in 0..vm.tuple_len(args) {
        let r = vm.repr(vm.tuple_get(args, i))?;
        vm.list_append(parts, comma);
        vm.list_append(parts, r);
    }
    let keywords = p.keywords.get();
    let equals = vm.intern("=");
    let mut pos = 0;
    while let Some((k, v)) = vm.dict_next(keywords, &mut pos) {
        let k = vm.str(k)?;
        let r = vm.repr(v)?;
        for s in [comma, k, equals, r] {
            vm.list_append(parts, s);
        }
    }
    let close = vm.intern(")");
    vm.list_append(parts, close);
    Ok(parts)
}

fn reduce(vm: &mut Vm, a: &[Value]) -> R {
    let p = partial(a[0]);
    let attributes = if has_attributes(vm, a[0]) {
        vm.instance_dict(a[0])
    } else {
        vm.none
    };
    let class = vm.class_of(a[0]).value();
    let args = vm.new_tuple(&[p.func.get()]);
    let state = vm.new_tuple(&[p.func.get(), p.args.get(), p.keywords.get(), attributes]);
    Ok(vm.new_tuple(&[class, args, state]))
}

fn setstate(vm: &mut Vm, a: &[Value]) -> R {
    let state = vm.as_tuple(a[1]).filter(|&t| vm.tuple_len(t) == 4);
    let items = state.map(|t| vm.tuple_items(t));
    let (func, args, keywords, attributes) = match items {
        Some(&[f, args, k, d])
            if is_callable(vm, f)
                && vm.as_tuple(args).is_some()
                && (k == vm.none || vm.is_dict(k)) =>
        {
            (f, vm.as_tuple(args).unwrap_or(args), k, d)
        }
        _ => return Err(vm.type_error("invalid partial state")),
    };
    let keywords = if keywords == vm.none {
        vm.new_dict()
    } else if vm.is_exact_dict(keywords) {
        keywords
    } else {
        vm.dict_copy(keywords)
    };
    let p = partial(a[0]);
    p.func.set(func);
    p.args.set(args);
    p.keywords.set(keywords);
    vm.write_barrier(a[0]);
    if attributes != vm.none {
        vm.instance_set_dict(a[0], attributes);
    } else if has_attributes(vm, a[0]) {
        let d = vm.new_dict();
        vm.instance_set_dict(a[0], d);
    }
    Ok(vm.none)
}

/// Adds the class to the module.
pub(super) fn make(vm: &mut Vm, m: Value) {
    let t = class(
        vm,
        m,
        &TypeDef {
            module: "functools",
            base_type: true,
            has_dict: true,
            methods: &METHODS,
            ..TypeDef::of::<Partial>("partial", Layout::Library)
        },
    );
    for (i, name) in ["func", "args", "keywords"].into_iter().enumerate() {
        let key = vm.intern(name);
        let member = vm.new_member(key, t, Partial::WORDS - 3 + i, true);
        vm.type_set(t, name, member);
    }
    vm.statics[slots::PARTIAL] = t.value();
}
