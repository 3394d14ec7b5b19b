//! Filling inline caches.

use pyrite_machine::Value;
use pyrite_objects::code::{CodeData, Ic, ic};
use pyrite_objects::layout::{Gc, Layout, PyDict, PyMember};
use pyrite_objects::shape::{Shape, shape_of};
use pyrite_objects::types::TypeData;
use pyrite_objects::vm::Vm;

/// A site that missed this often is megamorphic: it is left alone.
const MAX_MISSES: u16 = 2000;

/// What reading attribute `name` of an object of this shape comes to, if it can
/// be decided by the shape alone.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    pub kind: u16,
    pub slot: u32,
    pub extra: u32,
    pub value: Value,
}

/// Decides a read by shape; `None`: it takes the general lookup.
pub fn decide_load(vm: &mut Vm, obj: Value, name: Value) -> Option<Found> {
    let s = shape_of(obj);
    match s.layout {
        Layout::Type | Layout::Module | Layout::Super => return None,
        _ => {}
    }
    let class = s.class();
    let memo = vm.type_memo(class);
    if !memo.object_getattribute {
        return None;
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
    match vm.layout_of(attr) {
        Layout::Function | Layout::Native => {
            if let Some(i) = own {
                return Some(slot_found(s, i));
            }
            if s.is_dict() {
                return None;
            }
            Some(Found {
                kind: ic::METHOD,
                slot: 0,
                extra: 0,
                value: attr,
            })
        }
        Layout::Member => {
            let m: Gc<PyMember> = Gc::from_value(attr);
            let off = m.offset.get();
            // An unset member raises: left to the general lookup.
            if vm.word(obj, off).is_null() || !vm.is_subclass(class, Gc::from_value(m.owner.get()))
            {
                return None;
            }
            None
        }
        Layout::Property | Layout::GetSet => None,
        _ => {
            let ac = vm.class_of(attr);
            let am = vm.type_memo(ac);
            if am.has_get || am.has_set {
                return None;
            }
            if let Some(i) = own {
                return Some(slot_found(s, i));
            }
            if s.is_dict() {
                return None;
            }
            Some(Found {
                kind: ic::VALUE,
                slot: 0,
                extra: 0,
                value: attr,
            })
        }
    }
}

fn slot_found(s: &Shape, i: u32) -> Found {
    if i < s.inline_cap.into() {
        Found {
            kind: ic::SLOT,
            slot: u32::from(s.slot_base) + i,
            extra: 0,
            value: Value::NULL,
        }
    } else {
        Found {
            kind: ic::OVERFLOW,
            slot: i - u32::from(s.inline_cap),
            extra: u32::from(s.slot_base) - 1,
            value: Value::NULL,
        }
    }
}

/// Decides a store by shape; `None`: it takes the general way. Does not change
/// the object.
pub fn decide_store(vm: &mut Vm, obj: Value, name: Value) -> Option<Found> {
    let s = shape_of(obj);
    if matches!(s.layout, Layout::Type | Layout::Module)
        || s.flags & (Shape::NO_DICT | Shape::DICT) != 0
    {
        return None;
    }
    let class = s.class();
    if !vm.type_memo(class).plain_setattr {
        return None;
    }
    let attr = vm.lookup(class, name);
    if attr.is_some() && !matches!(vm.layout_of(attr), Layout::Function | Layout::Native) {
        let ac = vm.class_of(attr);
        if vm.type_memo(ac).has_set {
            return None;
        }
    }
    if let Some(i) = s.slot_of(name) {
        return (i < s.inline_cap.into()).then(|| slot_found(s, i));
    }
    if s.slots >= s.inline_cap.into() {
        return None;
    }
    let next = vm.shape_add(s, name)?;
    // SAFETY: shapes are never freed.
    let id = unsafe { (*next).id() };
    Some(Found {
        kind: ic::ADD_SLOT,
        slot: u32::from(s.slot_base) + s.slots,
        extra: id,
        value: Value::NULL,
    })
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
fn cache(code: &mut CodeData, i: usize) -> Option<&mut Ic> {
    let c = &mut code.ics[i];
    if c.misses >= MAX_MISSES {
        return None;
    }
    c.misses += 1;
    Some(c)
}

/// Fills the cache of an attribute read.
pub fn fill_load(vm: &mut Vm, code: &mut CodeData, code_obj: Value, i: usize, obj: Value) {
    let name = code.ics[i].name;
    if !obj.is_ptr() {
        return;
    }
    if let Some(f) = decide_load(vm, obj, name)
        && let Some(c) = cache(code, i)
    {
        put(vm, code_obj, c, shape_of(obj).tag, f);
    }
}

/// Fills the cache of an attribute store, before the store.
pub fn fill_store(vm: &mut Vm, code: &mut CodeData, code_obj: Value, i: usize, obj: Value) {
    let name = code.ics[i].name;
    if !obj.is_ptr() {
        return;
    }
    if let Some(f) = decide_store(vm, obj, name)
        && let Some(c) = cache(code, i)
    {
        put(vm, code_obj, c, shape_of(obj).tag, f);
    }
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
        if let Some(c) = cache(code, i) {
            put(
                vm,
                code_obj,
                c,
                version,
                Found {
                    kind: ic::GLOBAL,
                    slot: e as u32,
                    extra: 0,
                    value: Value::NULL,
                },
            );
        }
        return vm.dict_entry_value(globals, e);
    }
    let b = vm.builtins;
    let Some(e) = vm.dict_entry_str(b, name) else {
        return Value::NULL;
    };
    let (gv, bv) = (vm.dict_keys_version(globals), vm.dict_keys_version(b));
    if let Some(c) = cache(code, i) {
        put(
            vm,
            code_obj,
            c,
            gv,
            Found {
                kind: ic::BUILTIN,
                slot: e as u32,
                extra: bv,
                value: Value::NULL,
            },
        );
    }
    vm.dict_entry_value(b, e)
}

const _: fn(&PyDict) = |_| ();
const _: fn(&TypeData) = |_| ();
