//! `_thread._local`: an object with other attributes in each thread.
//!
//! The object keeps one dict per thread; before any access the one of the running
//! thread is put in place as its `__dict__`, and made by `__init__` the first time.

use crate::{set, slots};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyType, PyValueSub, PyWeakRef, kind};
use pyrite_objects::native::{NativeDef, def, effects, static_def};
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

/// Dicts by thread.
const DICTS: usize = 1;
/// What the object was made with: positional and keyword arguments.
const ARGS: usize = 2;
const KWARGS: usize = 3;
const WORDS: usize = 4;

static METHODS: [NativeDef; 4] = [
    static_def(
        "__new__",
        "($type, /, *args, **kwargs)",
        effects::WRITES | effects::ALLOC | effects::RAISES,
        new,
    ),
    def(
        "__getattribute__",
        "($self, name, /)",
        effects::ANY,
        |vm, a| {
            enter(vm, a[0])?;
            let name = vm.attr_name(a[1])?;
            if vm.str_is(name, "__dict__") {
                return Ok(vm.instance_dict(a[0]));
            }
            let v = vm.generic_getattr(a[0], name)?;
            if v.is_null() {
                return Err(vm.no_attribute(a[0], name));
            }
            Ok(v)
        },
    ),
    def(
        "__setattr__",
        "($self, name, value, /)",
        effects::ANY,
        |vm, a| change(vm, a[0], a[1], a[2]),
    ),
    def("__delattr__", "($self, name, /)", effects::ANY, |vm, a| {
        change(vm, a[0], a[1], Value::NULL)
    }),
];

fn change(vm: &mut Vm, this: Value, name: Value, v: Value) -> R {
    enter(vm, this)?;
    let name = vm.attr_name(name)?;
    if vm.str_is(name, "__dict__") {
        let m = format!(
            "'{}' object attribute '__dict__' is read-only",
            vm.class_name(this)
        );
        return Err(vm.attribute_error(&m));
    }
    vm.generic_setattr(this, name, v)?;
    Ok(vm.none)
}

fn key(vm: &Vm) -> Value {
    Value::int_unchecked(vm.thread().ident as i64)
}

/// Puts the running thread's dict in place.
fn enter(vm: &mut Vm, this: Value) -> R<()> {
    let dicts = vm.word(this, DICTS);
    let key = key(vm);
    let have = vm.dict_get(dicts, key)?;
    if have.is_some() {
        vm.instance_set_dict(this, have);
        return Ok(());
    }
    let d = vm.new_dict();
    vm.dict_set(dicts, key, d)?;
    vm.instance_set_dict(this, d);
    let class = vm.class_of(this);
    let init = vm.lookup(class, vm.names.init);
    if init == vm.lookup(vm.types.object, vm.names.init) {
        return Ok(());
    }
    let init = vm.getattr(this, vm.names.init)?;
    let (args, kwargs) = (vm.word(this, ARGS), vm.word(this, KWARGS));
    if let Err(e) = vm.call_dict(init, vm.tuple_items(args), kwargs) {
        let pending = vm.take_exc();
        vm.dict_remove(dicts, key)?;
        vm.exc = pending;
        return Err(e);
    }
    vm.instance_set_dict(this, d);
    Ok(())
}

fn new(vm: &mut Vm, a: &[Value]) -> R {
    let class: Gc<PyType> = Gc::from_value(a[0]);
    let init = vm.names.init;
    let plain = vm.lookup(class, init) == vm.lookup(vm.types.object, init);
    if plain && (vm.tuple_len(a[1]) > 0 || vm.dict_len(a[2]) > 0) {
        return Err(vm.type_error("Initialization arguments are not supported"));
    }
    let v = vm.new_instance(class);
    vm.store_word(v, ARGS, a[1]);
    vm.store_word(v, KWARGS, a[2]);
    let dicts = vm.new_dict();
    vm.store_word(v, DICTS, dicts);
    // The maker's dict is filled by the `__init__` that follows.
    let (d, key) = (vm.new_dict(), key(vm));
    vm.dict_set(dicts, key, d)?;
    vm.instance_set_dict(v, d);
    remember(vm, v);
    Ok(v)
}

/// Enters the object into the list of those whose dicts end with their threads.
fn remember(vm: &mut Vm, v: Value) {
    if vm.statics[slots::LOCALS].is_null() {
        let list = vm.new_list(&[]);
        vm.statics[slots::LOCALS] = list;
    }
    let list = vm.statics[slots::LOCALS];
    let w = vm.new_instance(vm.types.weakref);
    Gc::<PyWeakRef>::from_value(w).referent.set(v);
    // SAFETY: a fresh weak reference whose fields are set.
    unsafe { vm.heap.register_weakref(w.ptr()) };
    // Names of objects that died make room.
    for i in 0..vm.list_len(list) {
        let old = Gc::<PyWeakRef>::from_value(vm.list_get(list, i));
        if old.referent.get().is_null() {
            vm.list_put(list, i, w);
            return;
        }
    }
    vm.list_append(list, w);
}

/// Drops the running thread's dicts.
pub(super) fn forget_thread(vm: &mut Vm) {
    let list = vm.statics[slots::LOCALS];
    if list.is_null() {
        return;
    }
    let key = key(vm);
    for i in 0..vm.list_len(list) {
        let v = Gc::<PyWeakRef>::from_value(vm.list_get(list, i))
            .referent
            .get();
        if v.is_some() {
            let dicts = vm.word(v, DICTS);
            if vm.dict_remove(dicts, key).is_err() {
                vm.exc = Value::NULL;
            }
            let empty = vm.new_dict();
            vm.instance_set_dict(v, empty);
        }
    }
}

/// Makes the class.
pub(super) fn install(vm: &mut Vm, m: Value) {
    let local = vm.native_type(&TypeDef {
        module: "_thread",
        layout: Layout::Library,
        kind: kind::VALUES,
        words: WORDS,
        has_dict: true,
        base_type: true,
        methods: &METHODS,
        ..TypeDef::of::<PyValueSub>("_local", Layout::Library)
    });
    set(vm, m, "_local", local.value());
}
