//! `dict`: the class's methods. Storage is in `dict.rs`, views in `dict_views.rs`.

use crate::layout::{Gc, PyDict, PyType};
use crate::list::class_getitem;
use crate::native::{NativeDef, class_def, def, effects, intrinsic, static_def};
use crate::vm::{R, Vm};
use pyrite_machine::Value;

pub static METHODS: &[NativeDef] = &[
    static_def(
        "__new__",
        "($type, /, *_args, **_kwargs)",
        effects::ALLOC,
        new,
    ),
    def(
        "__init__",
        "($self, iterable=(), /, **kwargs=)",
        effects::CALLS,
        init,
    ),
    def("get", "($self, key, default=None, /)", effects::CALLS, get).known(intrinsic::DICT_GET),
    def(
        "setdefault",
        "($self, key, default=None, /)",
        effects::CALLS,
        setdefault,
    )
    .known(intrinsic::DICT_SETDEFAULT),
    def("pop", "($self, key, default=None, /)", effects::CALLS, pop),
    def(
        "popitem",
        "($self, /)",
        effects::WRITES | effects::RAISES | effects::ALLOC,
        popitem,
    ),
    def("keys", "($self, /)", effects::ALLOC, keys),
    def("values", "($self, /)", effects::ALLOC, values),
    def("items", "($self, /)", effects::ALLOC, items),
    def(
        "update",
        "($self, iterable=(), /, **kwargs=)",
        effects::CALLS,
        update_method,
    ),
    def("clear", "($self, /)", effects::WRITES, clear),
    def("copy", "($self, /)", effects::ALLOC | effects::READS, copy),
    class_def(
        "fromkeys",
        "($type, iterable, value=None, /)",
        effects::CALLS,
        fromkeys,
    ),
    def("__len__", "($self, /)", effects::READS, len),
    def("__getitem__", "($self, key, /)", effects::CALLS, getitem),
    def(
        "__setitem__",
        "($self, key, value, /)",
        effects::CALLS,
        setitem,
    ),
    def("__delitem__", "($self, key, /)", effects::CALLS, delitem),
    def("__contains__", "($self, key, /)", effects::CALLS, contains),
    def("__iter__", "($self, /)", effects::ALLOC, iter),
    def("__reversed__", "($self, /)", effects::ALLOC, reversed),
    def("__eq__", "($self, value, /)", effects::CALLS, eq),
    def("__ne__", "($self, value, /)", effects::CALLS, ne),
    def("__or__", "($self, value, /)", effects::CALLS, or),
    def("__ror__", "($self, value, /)", effects::CALLS, ror),
    def("__ior__", "($self, value, /)", effects::CALLS, ior),
    def("__repr__", "($self, /)", effects::CALLS, repr),
    def("__sizeof__", "($self, /)", effects::READS, sizeof),
    class_def(
        "__class_getitem__",
        "($type, item, /)",
        effects::ALLOC,
        class_getitem,
    ),
];

/// Gives `dict` its methods.
pub fn install(vm: &mut Vm) {
    let t = vm.types.dict;
    vm.add_methods(t, METHODS);
    let none = vm.none;
    vm.type_set(t, "__hash__", none);
}

fn new(vm: &mut Vm, a: &[Value]) -> R {
    let dict = vm.types.dict;
    let class = vm.new_class_arg(a[0], dict)?;
    Ok(vm.new_instance(class))
}

fn init(vm: &mut Vm, a: &[Value]) -> R {
    update_all(vm, a[0], a[1], a[2])
}

fn update_method(vm: &mut Vm, a: &[Value]) -> R {
    update_all(vm, a[0], a[1], a[2])
}

fn update_all(vm: &mut Vm, d: Value, other: Value, kwargs: Value) -> R {
    if other.is_some() {
        update(vm, d, other)?;
    }
    if vm.has_keywords(kwargs) {
        vm.dict_update_dict(d, kwargs)?;
    }
    Ok(vm.none)
}

/// `d.update(other)`.
pub fn update(vm: &mut Vm, d: Value, other: Value) -> R<()> {
    if vm.is_dict(other) {
        let (class, dict, n) = (vm.class_of(other), vm.types.dict, vm.names.iter);
        if class == dict || vm.lookup(class, n) == vm.lookup(dict, n) {
            return if d == other {
                Ok(())
            } else {
                vm.dict_update_dict(d, other)
            };
        }
    }
    let n = vm.names.keys;
    let keys = vm.getattr_opt(other, n)?;
    if keys.is_null() {
        return update_pairs(vm, d, other);
    }
    let keys = vm.call(keys, &[])?;
    let it = vm.get_iter(keys)?;
    while let Some(k) = vm.iter_next(it)? {
        let v = vm.getitem(other, k)?;
        vm.dict_set(d, k, v)?;
    }
    Ok(())
}

fn update_pairs(vm: &mut Vm, d: Value, pairs: Value) -> R<()> {
    let it = vm.get_iter(pairs)?;
    let mut i = 0;
    while let Some(item) = vm.iter_next(it)? {
        let fast = if vm.is_list(item) {
            item
        } else {
            let r = vm.list_from_iterable(item);
            let te = vm.types.type_error;
            match vm.catch(r, te)? {
                Some(l) => l,
                None => {
                    let m = format!(
                        "cannot convert dictionary update sequence element #{i} to a sequence"
                    );
                    return Err(vm.type_error(&m));
                }
            }
        };
        let n = vm.list_len(fast);
        if n != 2 {
            let m =
                format!("dictionary update sequence element #{i} has length {n}; 2 is required");
            return Err(vm.value_error(&m));
        }
        let (k, v) = (vm.list_get(fast, 0), vm.list_get(fast, 1));
        vm.dict_set(d, k, v)?;
        i += 1;
    }
    Ok(())
}

fn get(vm: &mut Vm, a: &[Value]) -> R {
    let v = vm.dict_get(a[0], a[1])?;
    Ok(if v.is_some() {
        v
    } else if a[2].is_some() {
        a[2]
    } else {
        vm.none
    })
}

fn setdefault(vm: &mut Vm, a: &[Value]) -> R {
    let v = if a[2].is_null() { vm.none } else { a[2] };
    vm.dict_setdefault(a[0], a[1], v)
}

fn pop(vm: &mut Vm, a: &[Value]) -> R {
    let v = if vm.dict_len(a[0]) == 0 {
        Value::NULL
    } else {
        vm.dict_remove(a[0], a[1])?
    };
    if v.is_some() {
        Ok(v)
    } else if a[2].is_some() {
        Ok(a[2])
    } else {
        Err(vm.key_error(a[1]))
    }
}

fn popitem(vm: &mut Vm, a: &[Value]) -> R {
    let d = Gc::<PyDict>::from_value(a[0]);
    if d.used.get() == 0 {
        let m = vm.new_str("popitem(): dictionary is empty");
        return Err(vm.key_error(m));
    }
    let mut i = d.fill.get() as usize - 1;
    while d.entry(i).1.is_null() {
        i -= 1;
    }
    let k = d.entry(i).1;
    let v = vm.dict_pop_entry(d, i);
    Ok(vm.new_tuple(&[k, v]))
}

fn keys(vm: &mut Vm, a: &[Value]) -> R {
    Ok(crate::dict_views::new_view(vm, a[0], 0))
}

fn values(vm: &mut Vm, a: &[Value]) -> R {
    Ok(crate::dict_views::new_view(vm, a[0], 1))
}

fn items(vm: &mut Vm, a: &[Value]) -> R {
    Ok(crate::dict_views::new_view(vm, a[0], 2))
}

fn clear(vm: &mut Vm, a: &[Value]) -> R {
    vm.dict_clear(a[0]);
    Ok(vm.none)
}

fn copy(vm: &mut Vm, a: &[Value]) -> R {
    Ok(vm.dict_copy(a[0]))
}

fn fromkeys(vm: &mut Vm, a: &[Value]) -> R {
    let value = if a[2].is_null() { vm.none } else { a[2] };
    let d = vm.call(a[0], &[])?;
    let exact = vm.is_exact_dict(d);
    if exact
        && let Some(from) = crate::set::hashed(vm, a[1])
        && from != d
    {
        if from != a[1] {
            vm.set_order(a[1]);
        }
        let mut pos = 0;
        while let Some((h, k, _)) = vm.dict_next_hashed(from, &mut pos) {
            vm.dict_set_hashed(d, k, h, value)?;
        }
        return Ok(d);
    }
    let it = vm.get_iter(a[1])?;
    while let Some(k) = vm.iter_next(it)? {
        if exact {
            vm.dict_set(d, k, value)?;
        } else {
            vm.setitem(d, k, value)?;
        }
    }
    Ok(d)
}

fn len(vm: &mut Vm, a: &[Value]) -> R {
    Ok(vm.new_int(vm.dict_len(a[0]) as i64))
}

fn getitem(vm: &mut Vm, a: &[Value]) -> R {
    let v = vm.dict_get(a[0], a[1])?;
    if v.is_some() {
        return Ok(v);
    }
    if !vm.is_exact_dict(a[0]) {
        let n = vm.names.missing;
        if let Some(r) = vm.call_special(a[0], n, &[a[1]])? {
            return Ok(r);
        }
    }
    Err(vm.key_error(a[1]))
}

fn setitem(vm: &mut Vm, a: &[Value]) -> R {
    vm.dict_set(a[0], a[1], a[2])?;
    Ok(vm.none)
}

fn delitem(vm: &mut Vm, a: &[Value]) -> R {
    if vm.dict_remove(a[0], a[1])?.is_null() {
        return Err(vm.key_error(a[1]));
    }
    Ok(vm.none)
}

fn contains(vm: &mut Vm, a: &[Value]) -> R {
    let v = vm.dict_get(a[0], a[1])?;
    Ok(vm.bool(v.is_some()))
}

fn iter(vm: &mut Vm, a: &[Value]) -> R {
    Ok(crate::dict_views::new_iter(vm, a[0], 0))
}

fn reversed(vm: &mut Vm, a: &[Value]) -> R {
    Ok(crate::dict_views::new_reverse_iter(vm, a[0], 0))
}

/// Equality of two dicts: the same keys with equal values.
pub fn dict_eq(vm: &mut Vm, a: Value, b: Value) -> R<bool> {
    vm.enter_native()?;
    if vm.dict_len(a) != vm.dict_len(b) {
        return Ok(false);
    }
    let mut pos = 0;
    while let Some((k, v)) = vm.dict_next(a, &mut pos) {
        let w = vm.dict_get(b, k)?;
        if w.is_null() || !vm.eq(v, w)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn eq(vm: &mut Vm, a: &[Value]) -> R {
    if !vm.is_dict(a[1]) {
        return Ok(vm.not_implemented);
    }
    let r = dict_eq(vm, a[0], a[1])?;
    Ok(vm.bool(r))
}

fn ne(vm: &mut Vm, a: &[Value]) -> R {
    if !vm.is_dict(a[1]) {
        return Ok(vm.not_implemented);
    }
    let r = dict_eq(vm, a[0], a[1])?;
    Ok(vm.bool(!r))
}

fn merged(vm: &mut Vm, a: Value, b: Value) -> R {
    if !vm.is_dict(a) || !vm.is_dict(b) {
        return Ok(vm.not_implemented);
    }
    let new = vm.dict_copy(a);
    update(vm, new, b)?;
    Ok(new)
}

fn or(vm: &mut Vm, a: &[Value]) -> R {
    merged(vm, a[0], a[1])
}

fn ror(vm: &mut Vm, a: &[Value]) -> R {
    merged(vm, a[1], a[0])
}

fn ior(vm: &mut Vm, a: &[Value]) -> R {
    update(vm, a[0], a[1])?;
    Ok(a[0])
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let d = a[0];
    if vm.dict_len(d) == 0 {
        return Ok(vm.new_str("{}"));
    }
    let mut pos = 0;
    let colon = vm.intern(": ");
    vm.repr_items(d, "{", "}", "{...}", |vm, _, out| {
        let Some((k, v)) = vm.dict_next(d, &mut pos) else {
            return Ok(false);
        };
        let k = vm.repr(k)?;
        vm.list_append(out, k);
        vm.list_append(out, colon);
        let v = vm.repr(v)?;
        vm.list_append(out, v);
        Ok(true)
    })
}

fn sizeof(vm: &mut Vm, a: &[Value]) -> R {
    let d = Gc::<PyDict>::from_value(a[0]);
    let mut n = crate::heap::size_of_object(a[0]);
    for v in [d.entries.get(), d.index.get()] {
        if v.is_some() {
            n += crate::heap::size_of_object(v);
        }
    }
    Ok(vm.new_int(n as i64))
}

/// True for a class whose `__iter__` is `dict`'s.
pub fn iterates_as_dict(vm: &mut Vm, class: Gc<PyType>) -> bool {
    let (dict, n) = (vm.types.dict, vm.names.iter);
    vm.lookup(class, n) == vm.lookup(dict, n)
}
