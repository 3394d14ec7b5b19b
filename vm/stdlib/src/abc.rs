//! The `_abc` module: what `abc.ABCMeta` keeps about each abstract class.
//!
//! A class's registry and its two caches (classes known to be, and not to be,
//! its subclasses) are dicts of weak references, keyed by the class's address:
//! classes never move, so a look-up needs no hash of Python's. What is cached as
//! "no" holds until the next registration anywhere, which a counter tells.

use crate::{module, slots};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyType, PyWeakRef};
use pyrite_objects::native::{NativeDef, def, effects, static_def};
use pyrite_objects::object_layout;
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

const ANY: u8 = effects::ANY;
/// Bits of `__abc_tpflags__`: matches sequence patterns, mapping patterns.
const SEQUENCE: i64 = 1 << 5;
const MAPPING: i64 = 1 << 6;

object_layout! {
    /// What an abstract class has as `_abc_impl`; dicts are null while empty.
    AbcData [Library, RAW2] {
        /// Counter when the negative cache was valid last.
        version: i64, _pad: usize,
        registry: Value, cache: Value, negative: Value,
    }
}

static FUNCTIONS: &[NativeDef] = &[
    def("get_cache_token", "()", effects::READS, |vm, _| {
        Ok(vm.statics[slots::ABC_COUNTER])
    }),
    def("_abc_init", "(self, /)", ANY, init),
    def("_abc_register", "(self, subclass, /)", ANY, register),
    def(
        "_abc_instancecheck",
        "(self, instance, /)",
        ANY,
        instance_check,
    ),
    def(
        "_abc_subclasscheck",
        "(self, subclass, /)",
        ANY,
        subclass_check,
    ),
    def("_get_dump", "(self, /)", ANY, dump),
    def("_reset_registry", "(self, /)", ANY, |vm, a| {
        let d = data(vm, a[0])?;
        clear(vm, d.registry.get());
        Ok(vm.none)
    }),
    def("_reset_caches", "(self, /)", ANY, |vm, a| {
        let d = data(vm, a[0])?;
        clear(vm, d.cache.get());
        clear(vm, d.negative.get());
        Ok(vm.none)
    }),
];

static METHODS: &[NativeDef] = &[static_def(
    "__new__",
    "($type, /)",
    effects::ALLOC,
    |vm, a| {
        let v = vm.new_instance(Gc::from_value(a[0]));
        Gc::<AbcData>::from_value(v).version.set(counter(vm));
        Ok(v)
    },
)];

/// The three dicts, by word of an [`AbcData`].
#[derive(Clone, Copy)]
enum Table {
    Registry = 3,
    Cache = 4,
    Negative = 5,
}

fn counter(vm: &Vm) -> i64 {
    vm.statics[slots::ABC_COUNTER].int_value()
}

fn clear(vm: &mut Vm, d: Value) {
    if d.is_some() {
        vm.dict_clear(d);
    }
}

fn data(vm: &mut Vm, class: Value) -> R<Gc<AbcData>> {
    let v = vm.getattr_str(class, "_abc_impl")?;
    if vm.class_of(v).value() != vm.statics[slots::ABC_DATA] {
        return Err(vm.type_error("_abc_impl is set to a wrong type"));
    }
    Ok(Gc::from_value(v))
}

fn key(vm: &mut Vm, class: Value) -> Value {
    vm.heap_pin(class);
    vm.new_uint(class.bits())
}

fn referent(w: Value) -> Value {
    Gc::<PyWeakRef>::from_value(w).referent.get()
}

fn has(vm: &mut Vm, d: Gc<AbcData>, table: Table, class: Value) -> R<bool> {
    let dict = vm.word(d.value(), table as usize);
    if dict.is_null() {
        return Ok(false);
    }
    let k = key(vm, class);
    let w = vm.dict_get(dict, k)?;
    Ok(w.is_some() && referent(w) == class)
}

fn add(vm: &mut Vm, d: Gc<AbcData>, table: Table, class: Value) -> R<()> {
    let mut dict = vm.word(d.value(), table as usize);
    if dict.is_null() {
        dict = vm.new_dict();
        vm.store_word(d.value(), table as usize, dict);
    }
    let weakref = vm.types.weakref.value();
    let w = vm.call(weakref, &[class])?;
    let k = key(vm, class);
    vm.dict_set(dict, k, w)
}

fn is_abstract(vm: &mut Vm, v: Value) -> R<bool> {
    let name = vm.intern("__isabstractmethod__");
    let flag = vm.getattr_opt(v, name)?;
    if flag.is_null() {
        return Ok(false);
    }
    vm.truth(flag)
}

fn init(vm: &mut Vm, a: &[Value]) -> R {
    let class = a[0];
    let found = vm.new_set(vm.types.frozenset);
    let ns = vm.getattr_str(class, "__dict__")?;
    let items = vm.intern("items");
    let items = vm.call_method(ns, items, &[])?;
    let items = vm.list_from_iterable(items)?;
    for i in 0..vm.list_len(items) {
        let pair = vm.list_get(items, i);
        let (name, v) = (vm.tuple_get(pair, 0), vm.tuple_get(pair, 1));
        if is_abstract(vm, v)? {
            vm.set_add(found, name)?;
        }
    }
    let bases = vm.getattr_str(class, "__bases__")?;
    let abstracts = vm.intern("__abstractmethods__");
    for i in 0..vm.as_tuple(bases).map_or(0, |b| vm.tuple_len(b)) {
        let base = vm.tuple_get(bases, i);
        let names = vm.getattr_opt(base, abstracts)?;
        if names.is_null() {
            continue;
        }
        let names = vm.list_from_iterable(names)?;
        for k in 0..vm.list_len(names) {
            let name = vm.list_get(names, k);
            let attr = vm.attr_name(name)?;
            let v = vm.getattr_opt(class, attr)?;
            if v.is_some() && is_abstract(vm, v)? {
                vm.set_add(found, name)?;
            }
        }
    }
    vm.setattr(class, abstracts, found)?;
    let d = vm.call(vm.statics[slots::ABC_DATA], &[])?;
    let name = vm.intern("_abc_impl");
    vm.setattr(class, name, d)?;
    if vm.is_type(class) {
        let t: Gc<PyType> = Gc::from_value(class);
        let name = vm.intern("__abc_tpflags__");
        let flags = vm.dict_get_str(t.dict.get(), name);
        if let Some(flags) = flags.is_some().then(|| flags.as_int()).flatten() {
            if flags & (SEQUENCE | MAPPING) == SEQUENCE | MAPPING {
                return Err(vm.type_error(
                    "__abc_tpflags__ cannot be both Py_TPFLAGS_SEQUENCE and Py_TPFLAGS_MAPPING",
                ));
            }
            let d = vm.type_data(t);
            d.pattern_sequence |= flags & SEQUENCE != 0;
            d.pattern_mapping |= flags & MAPPING != 0;
            vm.dict_remove_str(t.dict.get(), name);
            vm.type_modified(t);
        }
    }
    Ok(vm.none)
}

/// Lets a class and its subclasses match the patterns that an abstract one does.
fn inherit_patterns(vm: &mut Vm, class: Gc<PyType>, sequence: bool, mapping: bool) {
    let d = vm.type_data(class);
    if d.immutable || (d.pattern_sequence, d.pattern_mapping) == (sequence, mapping) {
        return;
    }
    (d.pattern_sequence, d.pattern_mapping) = (sequence, mapping);
    for i in 0..d.subclasses.len() {
        let sub = vm.type_data(class).subclasses[i];
        inherit_patterns(vm, Gc::from_value(Value::from_bits(sub)), sequence, mapping);
    }
}

fn register(vm: &mut Vm, a: &[Value]) -> R {
    let (class, sub) = (a[0], a[1]);
    if !vm.is_type(sub) {
        return Err(vm.type_error("Can only register classes"));
    }
    if vm.issubclass(sub, class)? {
        return Ok(sub);
    }
    // Cycles would make checks recurse for ever.
    if vm.issubclass(class, sub)? {
        return Err(vm.runtime_error("Refusing to create an inheritance cycle"));
    }
    let d = data(vm, class)?;
    add(vm, d, Table::Registry, sub)?;
    let n = counter(vm) + 1;
    vm.statics[slots::ABC_COUNTER] = Value::int_unchecked(n);
    if vm.is_type(class) {
        let t = vm.type_data(Gc::from_value(class));
        let (sequence, mapping) = (t.pattern_sequence, t.pattern_mapping);
        if sequence || mapping {
            inherit_patterns(vm, Gc::from_value(sub), sequence, mapping);
        }
    }
    Ok(sub)
}

fn instance_check(vm: &mut Vm, a: &[Value]) -> R {
    let d = data(vm, a[0])?;
    let sub = vm.getattr_str(a[1], "__class__")?;
    if has(vm, d, Table::Cache, sub)? {
        return Ok(vm.true_);
    }
    let subtype = vm.class_of(a[1]).value();
    let check = vm.intern("__subclasscheck__");
    if subtype == sub {
        if d.version.get() == counter(vm) && has(vm, d, Table::Negative, sub)? {
            return Ok(vm.false_);
        }
        return vm.call_method(a[0], check, &[sub]);
    }
    let r = vm.call_method(a[0], check, &[sub])?;
    if vm.truth(r)? {
        return Ok(r);
    }
    vm.call_method(a[0], check, &[subtype])
}

fn subclass_check(vm: &mut Vm, a: &[Value]) -> R {
    let (class, sub) = (a[0], a[1]);
    if !vm.is_type(sub) {
        return Err(vm.type_error("issubclass() arg 1 must be a class"));
    }
    let d = data(vm, class)?;
    if has(vm, d, Table::Cache, sub)? {
        return Ok(vm.true_);
    }
    if d.version.get() < counter(vm) {
        clear(vm, d.negative.get());
        d.version.set(counter(vm));
    } else if has(vm, d, Table::Negative, sub)? {
        return Ok(vm.false_);
    }
    let yes = find(vm, d, class, sub)?;
    let table = if yes { Table::Cache } else { Table::Negative };
    add(vm, d, table, sub)?;
    Ok(vm.bool(yes))
}

/// Whether `sub` is a subclass of `class`, by the long way.
fn find(vm: &mut Vm, d: Gc<AbcData>, class: Value, sub: Value) -> R<bool> {
    let hook = vm.intern("__subclasshook__");
    let ok = vm.call_method(class, hook, &[sub])?;
    if ok == vm.true_ || ok == vm.false_ {
        return Ok(ok == vm.true_);
    }
    if ok != vm.not_implemented {
        return Err(vm.assertion_error(
            "__subclasshook__ must return either False, True, or NotImplemented",
        ));
    }
    let mro = Gc::<PyType>::from_value(sub).mro.get();
    if vm.tuple_items(mro).contains(&class) {
        return Ok(true);
    }
    if has(vm, d, Table::Registry, sub)? {
        return Ok(true);
    }
    if d.registry.get().is_some() {
        let registered = members(vm, d.registry.get());
        for i in 0..vm.list_len(registered) {
            let r = referent(vm.list_get(registered, i));
            if r.is_some() && vm.issubclass(sub, r)? {
                return Ok(true);
            }
        }
    }
    let name = vm.intern("__subclasses__");
    let subclasses = vm.call_method(class, name, &[])?;
    if !vm.is_list(subclasses) {
        return Err(vm.type_error("__subclasses__() must return a list"));
    }
    for i in 0..vm.list_len(subclasses) {
        if i >= vm.list_len(subclasses) {
            break;
        }
        let s = vm.list_get(subclasses, i);
        if vm.issubclass(sub, s)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The weak references of a table, as a list.
fn members(vm: &mut Vm, dict: Value) -> Value {
    let l = vm.new_list(&[]);
    let mut at = 0;
    while let Some((_, w)) = vm.dict_next(dict, &mut at) {
        vm.list_append(l, w);
    }
    l
}

fn dump(vm: &mut Vm, a: &[Value]) -> R {
    let d = data(vm, a[0])?;
    let mut sets = [Value::NULL; 3];
    for (i, dict) in [d.registry.get(), d.cache.get(), d.negative.get()]
        .into_iter()
        .enumerate()
    {
        sets[i] = vm.new_set(vm.types.set);
        if dict.is_some() {
            let l = members(vm, dict);
            for k in 0..vm.list_len(l) {
                let w = vm.list_get(l, k);
                vm.set_add(sets[i], w)?;
            }
        }
    }
    let version = vm.new_int(d.version.get());
    Ok(vm.new_tuple(&[sets[0], sets[1], sets[2], version]))
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let doc = "Module contains faster C implementation of abc.ABCMeta";
    let m = module(vm, "_abc", doc, FUNCTIONS);
    // The class of weak references gets its methods there.
    crate::builtin_module(vm, "_weakref")?;
    let t = vm.native_type(&TypeDef {
        module: "_abc",
        methods: METHODS,
        ..TypeDef::of::<AbcData>("_abc_data", Layout::Library)
    });
    vm.statics[slots::ABC_DATA] = t.value();
    vm.statics[slots::ABC_COUNTER] = Value::small(0);
    Ok(m)
}
