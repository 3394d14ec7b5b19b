//! Attribute lookups decided by shape, and the inline caches that remember them.
//!
//! A site's cache holds what the last shape came to. A site that has seen many
//! shapes is left alone and served from one table for all, [`Vm::attr_cache`].
//! The `decide_` functions change nothing that Python sees, so the recorder asks
//! them, too.

use crate::lang::Callee;
use pyrite_machine::Value;
use pyrite_objects::code::{CodeData, Ic, ic};
use pyrite_objects::layout::{
    Gc, Layout, PyMember, PyModule, PyNative, PyProperty, PyType, PyWrapped,
};
use pyrite_objects::native::intrinsic;
use pyrite_objects::shape::{Shape, shape_of};
use pyrite_objects::vm::Vm;

/// A site that missed this often is megamorphic.
const MAX_MISSES: u16 = 100;
/// The same for globals, which miss whenever their module gains a name.
const MAX_GLOBAL_MISSES: u16 = 20_000;

/// What reading attribute `name` of an object of this shape comes to, if it can
/// be decided by the shape alone (or, for classes and modules, by a version).
#[derive(Clone, Copy, Debug)]
pub struct Found {
    pub kind: u16,
    pub slot: u32,
    pub extra: u32,
    pub value: Value,
}

impl Found {
    fn new(kind: u16) -> Found {
        Found {
            kind,
            slot: 0,
            extra: 0,
            value: Value::NULL,
        }
    }

    fn with(kind: u16, value: Value) -> Found {
        Found {
            value,
            ..Found::new(kind)
        }
    }
}

/// Decides a read by shape; `None`: it takes the general lookup.
pub fn decide_load(vm: &mut Vm, obj: Value, name: Value) -> Option<Found> {
    let s = shape_of(obj);
    let class = s.class();
    let memo = vm.type_memo(class);
    if !memo.object_getattribute {
        return None;
    }
    match s.layout {
        Layout::Type => return decide_type_load(vm, obj, name),
        Layout::Module => return decide_module_load(vm, obj, name),
        Layout::Super => return None,
        _ => {}
    }
    let attr = vm.lookup(class, name);
    let own = if s.flags & (Shape::NO_DICT | Shape::DICT) == 0 {
        s.slot_of(name)
    } else {
        None
    };
    if attr.is_null() {
        let i = own?;
        return Some(slot_found(s, i));
    }
    let layout = vm.layout_of(attr);
    match layout {
        Layout::Member => {
            let m: Gc<PyMember> = Gc::from_value(attr);
            if !vm.is_subclass(class, Gc::from_value(m.owner.get())) {
                return None;
            }
            return Some(Found {
                slot: u32::try_from(m.offset.get()).ok()?,
                ..Found::new(ic::MEMBER)
            });
        }
        Layout::Property if vm.class_of(attr) == vm.types.property => {
            let getter = Gc::<PyProperty>::from_value(attr).fget.get();
            // An AttributeError of the getter goes to `__getattr__`, if there is one.
            if !memo.plain_getattr || getter.is_null() || vm.layout_of(getter) != Layout::Function {
                return None;
            }
            return Some(Found::with(ic::PROPERTY, getter));
        }
        Layout::Property | Layout::GetSet => return None,
        _ => {}
    }
    let ac = vm.class_of(attr);
    let am = vm.type_memo(ac);
    if am.has_set && am.has_get {
        return None;
    }
    // Descriptors that do not bind data, and plain values: the instance's own
    // attribute comes first.
    if let Some(i) = own {
        return Some(slot_found(s, i));
    }
    if s.is_dict() {
        return None;
    }
    match layout {
        Layout::Function | Layout::Native if vm.is_method(attr) => {
            Some(Found::with(ic::METHOD, attr))
        }
        Layout::Native => Some(Found::with(ic::VALUE, attr)),
        Layout::StaticMethod if ac == vm.types.staticmethod => Some(Found::with(
            ic::VALUE,
            Gc::<PyWrapped>::from_value(attr).func.get(),
        )),
        Layout::ClassMethod if ac == vm.types.classmethod => {
            let f = Gc::<PyWrapped>::from_value(attr).func.get();
            matches!(vm.layout_of(f), Layout::Function | Layout::Native)
                .then(|| Found::with(ic::CLASS_METHOD, f))
        }
        _ if am.has_get || am.has_set => None,
        _ => Some(Found::with(ic::VALUE, attr)),
    }
}

/// An attribute of a class: valid while the class has the version in `extra`.
fn decide_type_load(vm: &mut Vm, obj: Value, name: Value) -> Option<Found> {
    let t: Gc<PyType> = Gc::from_value(obj);
    let meta = vm.class_of(obj);
    let meta_attr = vm.lookup(meta, name);
    if meta_attr.is_some() {
        let mc = vm.class_of(meta_attr);
        let memo = vm.type_memo(mc);
        if memo.has_set || matches!(vm.layout_of(meta_attr), Layout::GetSet | Layout::Member) {
            return None;
        }
    }
    let attr = vm.lookup(t, name);
    if attr.is_null() {
        return None;
    }
    let ac = vm.class_of(attr);
    let (kind, value) = match vm.layout_of(attr) {
        Layout::Function | Layout::Native => (ic::TYPE_VALUE, attr),
        Layout::StaticMethod if ac == vm.types.staticmethod => {
            (ic::TYPE_VALUE, Gc::<PyWrapped>::from_value(attr).func.get())
        }
        Layout::ClassMethod if ac == vm.types.classmethod => {
            let f = Gc::<PyWrapped>::from_value(attr).func.get();
            if !matches!(vm.layout_of(f), Layout::Function | Layout::Native) {
                return None;
            }
            (ic::TYPE_METHOD, f)
        }
        _ if vm.type_memo(ac).has_get => return None,
        _ => (ic::TYPE_VALUE, attr),
    };
    Some(Found {
        extra: vm.type_version(t),
        ..Found::with(kind, value)
    })
}

/// An attribute in a module's namespace: valid while that has the keys version in
/// `extra`.
fn decide_module_load(vm: &mut Vm, obj: Value, name: Value) -> Option<Found> {
    let class = vm.class_of(obj);
    let attr = vm.lookup(class, name);
    if attr.is_some() {
        let ac = vm.class_of(attr);
        if vm.type_memo(ac).has_set || vm.layout_of(attr) == Layout::GetSet {
            return None;
        }
    }
    let d = Gc::<PyModule>::from_value(obj).dict.get();
    if !vm.is_exact_dict(d) {
        return None;
    }
    let e = vm.dict_entry_str(d, name)?;
    Some(Found {
        slot: e as u32,
        extra: vm.dict_keys_version(d),
        ..Found::new(ic::MODULE)
    })
}

fn slot_found(s: &Shape, i: u32) -> Found {
    if i < s.inline_cap.into() {
        Found {
            slot: u32::from(s.slot_base) + i,
            ..Found::new(ic::SLOT)
        }
    } else {
        Found {
            slot: i - u32::from(s.inline_cap),
            extra: u32::from(s.slot_base) - 1,
            ..Found::new(ic::OVERFLOW)
        }
    }
}

/// Decides a store by shape; `None`: it takes the general way. Does not change
/// the object.
pub fn decide_store(vm: &mut Vm, obj: Value, name: Value) -> Option<Found> {
    let s = shape_of(obj);
    if matches!(s.layout, Layout::Type | Layout::Module) {
        return None;
    }
    let class = s.class();
    if !vm.type_memo(class).plain_setattr {
        return None;
    }
    let attr = vm.lookup(class, name);
    if attr.is_some() {
        let ac = vm.class_of(attr);
        match vm.layout_of(attr) {
            Layout::Function | Layout::Native => {}
            Layout::Member => {
                let m: Gc<PyMember> = Gc::from_value(attr);
                if m.readonly.get() != 0 || !vm.is_subclass(class, Gc::from_value(m.owner.get())) {
                    return None;
                }
                return Some(Found {
                    slot: u32::try_from(m.offset.get()).ok()?,
                    ..Found::new(ic::SLOT)
                });
            }
            Layout::Property if ac == vm.types.property => {
                let setter = Gc::<PyProperty>::from_value(attr).fset.get();
                if setter.is_null() || vm.layout_of(setter) != Layout::Function {
                    return None;
                }
                return Some(Found::with(ic::SETTER, setter));
            }
            Layout::GetSet => return None,
            _ if vm.type_memo(ac).has_set => return None,
            _ => {}
        }
    }
    if s.flags & (Shape::NO_DICT | Shape::DICT) != 0 {
        return None;
    }
    if let Some(i) = s.slot_of(name) {
        return Some(slot_found(s, i));
    }
    if s.slots >= s.inline_cap.into() {
        return None;
    }
    let next = vm.shape_add(s, name)?;
    // SAFETY: shapes are never freed.
    let id = unsafe { (*next).id() };
    Some(Found {
        slot: u32::from(s.slot_base) + s.slots,
        extra: id,
        ..Found::new(ic::ADD_SLOT)
    })
}

/// What `super(class, this).name` comes to for an instance: a function to call
/// with `this`. Valid while `this` has its shape and `class` the version in `extra`.
pub fn decide_super(vm: &mut Vm, class: Value, this: Value, name: Value) -> Option<Found> {
    if !vm.is_type(class) || !this.is_ptr() || vm.is_type(this) {
        return None;
    }
    let t: Gc<PyType> = Gc::from_value(class);
    let own = vm.class_of(this);
    if !vm.is_subclass(own, t) {
        return None;
    }
    let (f, bind) = pyrite_objects::super_::super_find(vm, class, this, own.value(), name);
    if f.is_null() || bind.is_null() {
        return None;
    }
    vm.is_method(f).then(|| Found {
        extra: vm.type_version(t),
        ..Found::with(ic::SUPER, f)
    })
}

/// `isinstance(v, class)`, if the classes alone decide it.
pub fn decide_isinstance(vm: &mut Vm, v: Value, class: Value) -> Option<bool> {
    if !vm.is_type(class) {
        return None;
    }
    let own = vm.class_of(v);
    if own.value() == class {
        return Some(true);
    }
    if vm.class_of(class) != vm.types.type_ {
        return None;
    }
    if vm.is_subclass(own, Gc::from_value(class)) {
        return Some(true);
    }
    // An object may claim another class.
    let n = vm.names;
    let (claimed, plain) = (vm.lookup(own, n.class), vm.lookup(vm.types.object, n.class));
    (vm.type_memo(own).plain_getattr && claimed == plain).then_some(false)
}

/// The Python function that `x[i]` or `x[i] = v` calls.
pub fn decide_item(vm: &mut Vm, x: Value, store: bool) -> Option<Value> {
    let n = vm.names;
    let class = vm.class_of(x);
    let f = vm.lookup(class, if store { n.setitem } else { n.getitem });
    (f.is_some() && vm.layout_of(f) == Layout::Function).then_some(f)
}

/// True if instances of this object's class are true whatever they hold.
pub fn decide_always_true(vm: &mut Vm, v: Value) -> bool {
    if !v.is_ptr() {
        return false;
    }
    let class = vm.class_of(v);
    let n = vm.names;
    vm.lookup(class, n.bool_).is_null() && vm.lookup(class, n.len).is_null()
}

/// A native function as a callee.
pub fn intrinsic_of(f: Value) -> Callee {
    let n: Gc<PyNative> = Gc::from_value(f);
    // SAFETY: definitions are statics.
    match unsafe { (*n.def.get()).intrinsic } {
        intrinsic::NONE | intrinsic::COLLECT => Callee::Other,
        _ if n.this.get().is_some() => Callee::Other,
        which => Callee::Intrinsic(which),
    }
}

fn put(vm: &mut Vm, code: Value, c: &mut Ic, tag: u32, f: Found) {
    c.tag = tag;
    c.kind = f.kind;
    c.slot = f.slot;
    c.extra = f.extra;
    c.value = f.value;
    vm.write_barrier(code);
}

/// The cache `i` of this code, if it may still be filled.
fn cache(code: &mut CodeData, i: usize, limit: u16) -> Option<&mut Ic> {
    let c = &mut code.ics[i];
    if c.misses >= limit {
        return None;
    }
    c.misses += 1;
    Some(c)
}

/// Marks of the uses of a name in [`Vm::attr_cache`]; names are aligned to 16.
const STORE: u64 = 1;
const TYPE: u64 = 2;
const MODULE: u64 = 3;
const SUPER: u64 = 4;

/// A version and a shape's tag.
fn both(version: u32, tag: u32) -> u64 {
    u64::from(version) << 32 | u64::from(tag)
}

/// What is valid for `obj` from the table, or decided and remembered there or at
/// the site: a cache whose tag and versions fit. An empty one if the general
/// lookup must do it.
fn remember(
    vm: &mut Vm,
    base: *mut Value,
    i: usize,
    obj: Value,
    (key, tag): (u64, u64),
    decide: impl FnOnce(&mut Vm, Value) -> Option<Found>,
) -> *const Ic {
    let e = vm.attr_cache.entry(key, tag);
    if e.0 == key && e.1 == tag {
        return &raw const e.2;
    }
    let code = crate::frames::code_at(base);
    let name = code.ics[i].name;
    let Some(found) = decide(vm, name) else {
        const NOTHING: &Ic = &Ic::EMPTY;
        return NOTHING;
    };
    let shape_tag = shape_of(obj).tag;
    if let Some(c) = cache(code, i, MAX_MISSES) {
        let owner = crate::frames::function_at(base).code.get();
        put(vm, owner, c, shape_tag, found);
        return c;
    }
    let e = vm.attr_cache.entry(key, tag);
    (e.0, e.1) = (key, tag);
    e.2 = Ic {
        tag: shape_tag,
        kind: found.kind,
        slot: found.slot,
        extra: found.extra,
        value: found.value,
        ..Ic::EMPTY
    };
    &raw const e.2
}

/// How to read the attribute of cache `i` of the running code from `obj`.
pub fn lookup_load(vm: &mut Vm, base: *mut Value, i: usize, obj: Value) -> *const Ic {
    let s = shape_of(obj);
    let name = crate::frames::code_at(base).ics[i].name.bits();
    let key = match s.layout {
        // A metaclass's change shows in the shape's tag only.
        Layout::Type => (
            name | TYPE,
            both(vm.type_version(Gc::from_value(obj)), s.tag),
        ),
        Layout::Module => {
            let d = Gc::<PyModule>::from_value(obj).dict.get();
            if !vm.is_exact_dict(d) {
                const NOTHING: &Ic = &Ic::EMPTY;
                return NOTHING;
            }
            (name | MODULE, both(vm.dict_keys_version(d), s.tag))
        }
        _ => (name, u64::from(s.tag)),
    };
    remember(vm, base, i, obj, key, |vm, name| decide_load(vm, obj, name))
}

/// How to store the attribute of cache `i` of the running code into `obj`.
pub fn lookup_store(vm: &mut Vm, base: *mut Value, i: usize, obj: Value) -> *const Ic {
    let s = shape_of(obj);
    let name = crate::frames::code_at(base).ics[i].name.bits();
    remember(
        vm,
        base,
        i,
        obj,
        (name | STORE, u64::from(s.tag)),
        |vm, name| decide_store(vm, obj, name),
    )
}

/// What `super(class, this)` finds for the name of cache `i` of the running code.
pub fn lookup_super(
    vm: &mut Vm,
    base: *mut Value,
    i: usize,
    class: Value,
    this: Value,
) -> *const Ic {
    if !vm.is_type(class) {
        const NOTHING: &Ic = &Ic::EMPTY;
        return NOTHING;
    }
    let s = shape_of(this);
    let name = crate::frames::code_at(base).ics[i].name.bits();
    let version = vm.type_version(Gc::from_value(class));
    let key = (name | SUPER, both(version, s.tag));
    remember(vm, base, i, this, key, |vm, name| {
        decide_super(vm, class, this, name)
    })
}

/// The namespace that a module's globals name as their builtins, if it is another
/// than everybody's; else null.
pub fn own_builtins(vm: &mut Vm, globals: Value) -> Value {
    let own = vm.dict_get_str(globals, vm.names.builtins);
    if own.is_null() {
        return own;
    }
    let d = if vm.layout_of(own) == Layout::Module {
        Gc::<PyModule>::from_value(own).dict.get()
    } else {
        own
    };
    if d == vm.builtins { Value::NULL } else { d }
}

/// Looks a global up and fills the cache; null if there is none.
pub fn load_global(
    vm: &mut Vm,
    code: &mut CodeData,
    code_obj: Value,
    i: usize,
    globals: Value,
) -> Value {
    let name = code.ics[i].name;
    if let Some(e) = vm.dict_entry_str(globals, name) {
        let version = vm.dict_keys_version(globals);
        if let Some(c) = cache(code, i, MAX_GLOBAL_MISSES) {
            let found = Found {
                slot: e as u32,
                ..Found::new(ic::GLOBAL)
            };
            put(vm, code_obj, c, version, found);
        }
        return vm.dict_entry_value(globals, e);
    }
    if own_builtins(vm, globals).is_some() {
        return Value::NULL;
    }
    let b = vm.builtins;
    let Some(e) = vm.dict_entry_str(b, name) else {
        return Value::NULL;
    };
    let (gv, bv) = (vm.dict_keys_version(globals), vm.dict_keys_version(b));
    if let Some(c) = cache(code, i, MAX_GLOBAL_MISSES) {
        let found = Found {
            slot: e as u32,
            extra: bv,
            ..Found::new(ic::BUILTIN)
        };
        put(vm, code_obj, c, gv, found);
    }
    vm.dict_entry_value(b, e)
}
