//! `set` and `frozenset`: a dict without values, in insertion order.

use crate::layout::{Gc, Layout, PyDict, PyDictIter, PySet, PyType};
use crate::list::class_getitem;
use crate::native::{NativeDef, class_def, comparisons, def, effects, intrinsic, static_def};
use crate::shape::shape_of;
use crate::vm::{R, Vm};
use pyrite_bytecode::CmpOp;
use pyrite_machine::Value;

static COMMON: &[NativeDef] = &[
    def("__len__", "($self, /)", effects::READS, len),
    def("__iter__", "($self, /)", effects::ALLOC, iter),
    def("__contains__", "($self, key, /)", effects::CALLS, contains),
    def("__repr__", "($self, /)", effects::CALLS, repr),
    def("__reduce__", "($self, /)", effects::CALLS, reduce),
    def("__sizeof__", "($self, /)", effects::READS, sizeof),
    def("copy", "($self, /)", effects::ALLOC, copy),
    def("union", "($self, /, *others)", effects::CALLS, union),
    def(
        "intersection",
        "($self, /, *others)",
        effects::CALLS,
        intersection_method,
    ),
    def(
        "difference",
        "($self, /, *others)",
        effects::CALLS,
        difference,
    ),
    def(
        "symmetric_difference",
        "($self, other, /)",
        effects::CALLS,
        symmetric_difference,
    ),
    def("issubset", "($self, other, /)", effects::CALLS, issubset),
    def(
        "issuperset",
        "($self, other, /)",
        effects::CALLS,
        issuperset,
    ),
    def(
        "isdisjoint",
        "($self, other, /)",
        effects::CALLS,
        isdisjoint,
    ),
    def("__and__", "($self, value, /)", effects::CALLS, and),
    def("__rand__", "($self, value, /)", effects::CALLS, rand),
    def("__or__", "($self, value, /)", effects::CALLS, or),
    def("__ror__", "($self, value, /)", effects::CALLS, ror),
    def("__xor__", "($self, value, /)", effects::CALLS, xor),
    def("__rxor__", "($self, value, /)", effects::CALLS, rxor),
    def("__sub__", "($self, value, /)", effects::CALLS, sub),
    def("__rsub__", "($self, value, /)", effects::CALLS, rsub),
    def("__lt__", "($self, value, /)", effects::CALLS, lt),
    def("__le__", "($self, value, /)", effects::CALLS, le),
    def("__eq__", "($self, value, /)", effects::CALLS, eq),
    def("__ne__", "($self, value, /)", effects::CALLS, ne),
    def("__gt__", "($self, value, /)", effects::CALLS, gt),
    def("__ge__", "($self, value, /)", effects::CALLS, ge),
    class_def(
        "__class_getitem__",
        "($type, item, /)",
        effects::ALLOC,
        class_getitem,
    ),
];

static SET: &[NativeDef] = &[
    static_def(
        "__new__",
        "($type, /, *_args, **_kwargs)",
        effects::ALLOC,
        set_new,
    ),
    def(
        "__init__",
        "($self, iterable=(), /, **kwargs=)",
        effects::CALLS,
        set_init,
    ),
    def("add", "($self, object, /)", effects::CALLS, add).known(intrinsic::SET_ADD),
    def("remove", "($self, object, /)", effects::CALLS, remove),
    def("discard", "($self, object, /)", effects::CALLS, discard),
    def("pop", "($self, /)", effects::WRITES | effects::RAISES, pop),
    def("clear", "($self, /)", effects::WRITES, clear),
    def("update", "($self, /, *others)", effects::CALLS, update),
    def(
        "intersection_update",
        "($self, /, *others)",
        effects::CALLS,
        intersection_update,
    ),
    def(
        "difference_update",
        "($self, /, *others)",
        effects::CALLS,
        difference_update,
    ),
    def(
        "symmetric_difference_update",
        "($self, other, /)",
        effects::CALLS,
        symmetric_difference_update,
    ),
    def("__iand__", "($self, value, /)", effects::CALLS, iand),
    def("__ior__", "($self, value, /)", effects::CALLS, ior),
    def("__ixor__", "($self, value, /)", effects::CALLS, ixor),
    def("__isub__", "($self, value, /)", effects::CALLS, isub),
];

static FROZEN: &[NativeDef] = &[
    static_def(
        "__new__",
        "($type, iterable=(), /, **kwargs=)",
        effects::CALLS,
        frozen_new,
    ),
    def("__hash__", "($self, /)", effects::CALLS, hash),
];

static ITER: &[NativeDef] = &[
    def("__iter__", "($self, /)", effects::PURE, |_, a| Ok(a[0])),
    def(
        "__next__",
        "($self, /)",
        effects::WRITES | effects::RAISES,
        crate::iters::next,
    ),
    def("__length_hint__", "($self, /)", effects::READS, length_hint),
    def("__reduce__", "($self, /)", effects::CALLS, iter_reduce),
];

/// Gives the classes their methods.
pub fn install(vm: &mut Vm) {
    let t = vm.types;
    vm.add_methods(t.set, COMMON);
    vm.add_methods(t.set, SET);
    vm.add_methods(t.frozenset, COMMON);
    vm.add_methods(t.frozenset, FROZEN);
    vm.add_methods(t.set_iter, ITER);
    let none = vm.none;
    vm.type_set(t.set, "__hash__", none);
}

/// True for sets, frozensets and instances of their subclasses.
pub fn is_set(v: Value) -> bool {
    v.is_ptr() && matches!(shape_of(v).layout, Layout::Set | Layout::FrozenSet)
}

fn exact(vm: &Vm, class: Gc<PyType>) -> bool {
    class == vm.types.set || class == vm.types.frozenset
}

/// `set` or `frozenset`, whichever `s` derives from.
fn base_class(vm: &Vm, s: Value) -> Gc<PyType> {
    if shape_of(s).layout == Layout::Set {
        vm.types.set
    } else {
        vm.types.frozenset
    }
}

/// Hash for looking `key` up; a `set` counts as the frozenset it equals.
fn key_hash(vm: &mut Vm, key: Value) -> R<i64> {
    let r = vm.hash(key);
    if r.is_err() && is_set(key) && vm.exc_is(vm.types.type_error) {
        vm.take_exc();
        return content_hash(vm, key);
    }
    r
}

/// The dict that holds the items of a set or dict with their hashes.
pub(crate) fn hashed(vm: &mut Vm, it: Value) -> Option<Value> {
    if vm.is_exact_dict(it) {
        return Some(it);
    }
    let class = vm.class_of(it);
    (is_set(it) && exact(vm, class)).then(|| vm.set_dict(it))
}

/// Adds every item of an iterable.
pub fn extend(vm: &mut Vm, s: Value, it: Value) -> R<()> {
    let d = vm.set_dict(s);
    let none = vm.none;
    let from = if is_set(it) {
        let class = vm.class_of(it);
        if exact(vm, class) || plain_iter(vm, class) {
            vm.set_order(it);
            vm.set_dict(it)
        } else {
            Value::NULL
        }
    } else if vm.is_exact_dict(it) {
        it
    } else {
        Value::NULL
    };
    if from.is_some() {
        if from == d {
            return Ok(());
        }
        let mut pos = 0;
        while let Some((h, k, _)) = vm.dict_next_hashed(from, &mut pos) {
            if !vm.dict_has_hashed(d, k, h)? {
                vm.dict_set_hashed(d, k, h, none)?;
            }
        }
        return Ok(());
    }
    let iter = vm.get_iter(it)?;
    while let Some(v) = vm.iter_next(iter)? {
        vm.set_add(s, v)?;
    }
    Ok(())
}

fn plain_iter(vm: &mut Vm, class: Gc<PyType>) -> bool {
    let n = vm.names.iter;
    let f = vm.lookup(class, n);
    f == vm.lookup(vm.types.set, n) || f == vm.lookup(vm.types.frozenset, n)
}

/// Removes every item of an iterable.
pub fn remove_all(vm: &mut Vm, s: Value, it: Value) -> R<()> {
    if it == s {
        let d = vm.set_dict(s);
        vm.dict_clear(d);
        return Ok(());
    }
    let d = vm.set_dict(s);
    if let Some(from) = hashed(vm, it) {
        let mut pos = 0;
        while let Some((h, k, _)) = vm.dict_next_hashed(from, &mut pos) {
            vm.dict_remove_hashed(d, k, h)?;
        }
        return Ok(());
    }
    vm.for_each(it, |vm, v| {
        let h = vm.hash(v)?;
        vm.dict_remove_hashed(d, v, h)?;
        Ok(())
    })
}

/// Removes the items of an iterable that are there, adds those that are not.
pub fn toggle_all(vm: &mut Vm, s: Value, it: Value) -> R<()> {
    let other = vm.new_set(vm.types.set);
    extend(vm, other, it)?;
    let (d, o) = (vm.set_dict(s), vm.set_dict(other));
    let none = vm.none;
    let mut pos = 0;
    while let Some((h, k, _)) = vm.dict_next_hashed(o, &mut pos) {
        if vm.dict_remove_hashed(d, k, h)?.is_null() {
            vm.dict_set_hashed(d, k, h, none)?;
        }
    }
    Ok(())
}

/// The items of `s` that an iterable has too, as a new set of `class`.
pub fn intersection(vm: &mut Vm, s: Value, it: Value, class: Gc<PyType>) -> R {
    let new = vm.new_set(class);
    let (d, out) = (vm.set_dict(s), vm.set_dict(new));
    let none = vm.none;
    if is_set(it) {
        let o = vm.set_dict(it);
        let (small, large) = if vm.dict_len(o) > vm.dict_len(d) {
            (d, o)
        } else {
            (o, d)
        };
        let mut pos = 0;
        while let Some((h, k, _)) = vm.dict_next_hashed(small, &mut pos) {
            if vm.dict_has_hashed(large, k, h)? {
                vm.dict_set_hashed(out, k, h, none)?;
            }
        }
        return Ok(new);
    }
    vm.for_each(it, |vm, v| {
        let h = vm.hash(v)?;
        if vm.dict_has_hashed(d, v, h)? {
            vm.dict_set_hashed(out, v, h, none)?;
        }
        Ok(())
    })?;
    Ok(new)
}

/// A copy with the given class (`set` or `frozenset`).
fn copy_as(vm: &mut Vm, s: Value, class: Gc<PyType>) -> Value {
    let new = vm.new_set(class);
    let (from, to) = (vm.set_dict(s), vm.set_dict(new));
    vm.dict_copy_into(from, to);
    new
}

/// Gives `s` the content of another set.
fn take_content(vm: &mut Vm, s: Value, from: Value) {
    let d = vm.set_dict(from);
    Gc::<PySet>::from_value(s).dict.set(d);
    vm.write_barrier(s);
}

fn set_new(vm: &mut Vm, a: &[Value]) -> R {
    let set = vm.types.set;
    let class = vm.new_class_arg(a[0], set)?;
    Ok(vm.new_set(class))
}

fn set_init(vm: &mut Vm, a: &[Value]) -> R {
    let (class, set, init) = (vm.class_of(a[0]), vm.types.set, vm.names.init);
    vm.refuse_keywords(class, set, init, a[2])?;
    let d = vm.set_dict(a[0]);
    vm.dict_clear(d);
    if a[1].is_some() {
        extend(vm, a[0], a[1])?;
    }
    Ok(vm.none)
}

fn frozen_new(vm: &mut Vm, a: &[Value]) -> R {
    let frozen = vm.types.frozenset;
    let class = vm.new_class_arg(a[0], frozen)?;
    let init = vm.names.init;
    vm.refuse_keywords(class, frozen, init, a[2])?;
    if class == frozen && a[1].is_some() && vm.class_of(a[1]) == frozen {
        return Ok(a[1]);
    }
    let s = vm.new_set(class);
    if a[1].is_some() {
        extend(vm, s, a[1])?;
    }
    Ok(s)
}

fn len(vm: &mut Vm, a: &[Value]) -> R {
    let d = vm.set_dict(a[0]);
    Ok(vm.new_int(vm.dict_len(d) as i64))
}

fn iter(vm: &mut Vm, a: &[Value]) -> R {
    vm.set_order(a[0]);
    let d = vm.set_dict(a[0]);
    let it = vm.alloc::<PyDictIter>(vm.types.set_iter);
    it.dict.set(d);
    it.len.set(vm.dict_len(d));
    Ok(it.value())
}

/// The next item of a set iterator.
pub fn set_iter_next(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let it = Gc::<PyDictIter>::from_value(it);
    let d = it.dict.get();
    if d.is_null() {
        return Ok(None);
    }
    if vm.dict_len(d) != it.len.get() {
        it.len.set(usize::MAX);
        return Err(vm.runtime_error("Set changed size during iteration"));
    }
    let mut pos = it.index.get();
    match vm.dict_next(d, &mut pos) {
        Some((k, _)) => {
            it.index.set(pos);
            Ok(Some(k))
        }
        None => {
            it.dict.set(Value::NULL);
            Ok(None)
        }
    }
}

fn length_hint(vm: &mut Vm, a: &[Value]) -> R {
    let it = Gc::<PyDictIter>::from_value(a[0]);
    let d = it.dict.get();
    if d.is_null() || vm.dict_len(d) != it.len.get() {
        return Ok(Value::small(0));
    }
    let dd = Gc::<PyDict>::from_value(d);
    let n = (it.index.get()..dd.fill.get() as usize)
        .filter(|&i| dd.entry(i).1.is_some())
        .count();
    Ok(vm.new_int(n as i64))
}

fn iter_reduce(vm: &mut Vm, a: &[Value]) -> R {
    let it = Gc::<PyDictIter>::from_value(a[0]);
    let (index, len, dict) = (it.index.get(), it.len.get(), it.dict.get());
    let rest = vm.list_from_iterable(a[0]);
    it.index.set(index);
    it.len.set(len);
    it.dict.set(dict);
    vm.write_barrier(a[0]);
    let rest = rest?;
    let f = crate::iters::builtin(vm, "iter");
    let args = vm.new_tuple(&[rest]);
    Ok(vm.new_tuple(&[f, args]))
}

fn contains(vm: &mut Vm, a: &[Value]) -> R {
    let h = key_hash(vm, a[1])?;
    let d = vm.set_dict(a[0]);
    let r = vm.dict_has_hashed(d, a[1], h)?;
    Ok(vm.bool(r))
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let name = vm.class_name(a[0]);
    vm.set_order(a[0]);
    let d = vm.set_dict(a[0]);
    if vm.dict_len(d) == 0 {
        return Ok(vm.new_str(&format!("{name}()")));
    }
    let set = vm.types.set;
    let (open, close) = if vm.class_of(a[0]) == set {
        ("{".to_owned(), "}")
    } else {
        (format!("{name}({{"), "})")
    };
    let items = vm.list_from_iterable(d)?;
    vm.repr_items(a[0], &open, close, &format!("{name}(...)"), |vm, i, out| {
        if i >= vm.list_len(items) {
            return Ok(false);
        }
        let r = vm.repr(vm.list_get(items, i))?;
        vm.list_append(out, r);
        Ok(true)
    })
}

fn reduce(vm: &mut Vm, a: &[Value]) -> R {
    let d = vm.set_dict(a[0]);
    let items = vm.list_from_iterable(d)?;
    let args = vm.new_tuple(&[items]);
    let n = vm.names.getstate;
    let state = vm.call_method(a[0], n, &[])?;
    let class = vm.class_of(a[0]).value();
    Ok(vm.new_tuple(&[class, args, state]))
}

fn sizeof(vm: &mut Vm, a: &[Value]) -> R {
    let d = vm.set_dict(a[0]);
    let dd = Gc::<PyDict>::from_value(d);
    let mut n = crate::heap::size_of_object(a[0]) + crate::heap::size_of_object(d);
    for v in [dd.entries.get(), dd.index.get()] {
        if v.is_some() {
            n += crate::heap::size_of_object(v);
        }
    }
    Ok(vm.new_int(n as i64))
}

fn copy(vm: &mut Vm, a: &[Value]) -> R {
    let frozen = vm.types.frozenset;
    if vm.class_of(a[0]) == frozen {
        return Ok(a[0]);
    }
    let class = base_class(vm, a[0]);
    Ok(copy_as(vm, a[0], class))
}

fn union(vm: &mut Vm, a: &[Value]) -> R {
    let class = base_class(vm, a[0]);
    let new = copy_as(vm, a[0], class);
    for &o in vm.tuple_items(a[1]) {
        if o != a[0] {
            extend(vm, new, o)?;
        }
    }
    Ok(new)
}

fn intersection_all(vm: &mut Vm, s: Value, others: Value) -> R {
    let class = base_class(vm, s);
    let mut r = Value::NULL;
    for &o in vm.tuple_items(others) {
        let from = if r.is_null() { s } else { r };
        r = intersection(vm, from, o, class)?;
    }
    Ok(if r.is_null() {
        copy_as(vm, s, class)
    } else {
        r
    })
}

fn intersection_method(vm: &mut Vm, a: &[Value]) -> R {
    intersection_all(vm, a[0], a[1])
}

fn difference(vm: &mut Vm, a: &[Value]) -> R {
    let class = base_class(vm, a[0]);
    let new = copy_as(vm, a[0], class);
    for &o in vm.tuple_items(a[1]) {
        subtract(vm, new, o)?;
    }
    Ok(new)
}

/// Removes from `s` what `other` has, walking over the smaller one if `other` is
/// a set.
fn subtract(vm: &mut Vm, s: Value, other: Value) -> R<()> {
    if is_set(other) {
        let (d, o) = (vm.set_dict(s), vm.set_dict(other));
        if vm.dict_len(o) > vm.dict_len(d) {
            let mut pos = 0;
            while let Some((h, k, _)) = vm.dict_next_hashed(d, &mut pos) {
                if vm.dict_has_hashed(o, k, h)? {
                    vm.dict_remove_hashed(d, k, h)?;
                }
            }
            return Ok(());
        }
    }
    remove_all(vm, s, other)
}

fn symmetric_difference(vm: &mut Vm, a: &[Value]) -> R {
    let class = base_class(vm, a[0]);
    let new = copy_as(vm, a[0], class);
    toggle_all(vm, new, a[1])?;
    Ok(new)
}

/// `other` as a set: itself, or a new one of its items.
fn as_set(vm: &mut Vm, other: Value) -> R {
    if is_set(other) {
        return Ok(other);
    }
    let s = vm.new_set(vm.types.set);
    extend(vm, s, other)?;
    Ok(s)
}

/// True if every item of set `a` is in set `b`.
fn subset(vm: &mut Vm, a: Value, b: Value) -> R<bool> {
    let (x, y) = (vm.set_dict(a), vm.set_dict(b));
    if vm.dict_len(x) > vm.dict_len(y) {
        return Ok(false);
    }
    let mut pos = 0;
    while let Some((h, k, _)) = vm.dict_next_hashed(x, &mut pos) {
        if !vm.dict_has_hashed(y, k, h)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn issubset(vm: &mut Vm, a: &[Value]) -> R {
    let o = as_set(vm, a[1])?;
    let r = subset(vm, a[0], o)?;
    Ok(vm.bool(r))
}

fn issuperset(vm: &mut Vm, a: &[Value]) -> R {
    if is_set(a[1]) {
        let r = subset(vm, a[1], a[0])?;
        return Ok(vm.bool(r));
    }
    let d = vm.set_dict(a[0]);
    let it = vm.get_iter(a[1])?;
    while let Some(v) = vm.iter_next(it)? {
        let h = vm.hash(v)?;
        if !vm.dict_has_hashed(d, v, h)? {
            return Ok(vm.false_);
        }
    }
    Ok(vm.true_)
}

fn isdisjoint(vm: &mut Vm, a: &[Value]) -> R {
    let (mut s, mut other) = (a[0], a[1]);
    if is_set(other) {
        let (x, y) = (vm.set_dict(s), vm.set_dict(other));
        if vm.dict_len(y) > vm.dict_len(x) {
            std::mem::swap(&mut s, &mut other);
        }
    }
    let d = vm.set_dict(s);
    let it = vm.get_iter(other)?;
    while let Some(v) = vm.iter_next(it)? {
        let h = vm.hash(v)?;
        if vm.dict_has_hashed(d, v, h)? {
            return Ok(vm.false_);
        }
    }
    Ok(vm.true_)
}

macro_rules! operators {
    ($($name:ident $reflected:ident $method:ident),*) => {
        $(fn $name(vm: &mut Vm, a: &[Value]) -> R {
            if !is_set(a[1]) {
                return Ok(vm.not_implemented);
            }
            $method(vm, a[0], a[1])
        }
        fn $reflected(vm: &mut Vm, a: &[Value]) -> R {
            if !is_set(a[1]) {
                return Ok(vm.not_implemented);
            }
            $method(vm, a[1], a[0])
        })*
    };
}
operators!(and rand and_sets, or ror or_sets, xor rxor xor_sets, sub rsub sub_sets);

fn and_sets(vm: &mut Vm, a: Value, b: Value) -> R {
    let class = base_class(vm, a);
    intersection(vm, a, b, class)
}

fn or_sets(vm: &mut Vm, a: Value, b: Value) -> R {
    let class = base_class(vm, a);
    let new = copy_as(vm, a, class);
    extend(vm, new, b)?;
    Ok(new)
}

fn xor_sets(vm: &mut Vm, a: Value, b: Value) -> R {
    let class = base_class(vm, a);
    let new = copy_as(vm, a, class);
    toggle_all(vm, new, b)?;
    Ok(new)
}

fn sub_sets(vm: &mut Vm, a: Value, b: Value) -> R {
    let class = base_class(vm, a);
    let new = copy_as(vm, a, class);
    subtract(vm, new, b)?;
    Ok(new)
}

comparisons!(compare);

fn compare(vm: &mut Vm, op: CmpOp, a: &[Value]) -> R {
    if !is_set(a[1]) {
        return Ok(vm.not_implemented);
    }
    let (x, y) = (vm.set_dict(a[0]), vm.set_dict(a[1]));
    let (n, m) = (vm.dict_len(x), vm.dict_len(y));
    let r = match op {
        CmpOp::Eq => n == m && subset(vm, a[0], a[1])?,
        CmpOp::Ne => !(n == m && subset(vm, a[0], a[1])?),
        CmpOp::Lt => n < m && subset(vm, a[0], a[1])?,
        CmpOp::Le => subset(vm, a[0], a[1])?,
        CmpOp::Gt => n > m && subset(vm, a[1], a[0])?,
        CmpOp::Ge => subset(vm, a[1], a[0])?,
    };
    Ok(vm.bool(r))
}

/// Hash of a set's content, whatever the order: `collections.abc.Set._hash` in
/// machine words.
fn content_hash(vm: &mut Vm, s: Value) -> R<i64> {
    let d = vm.set_dict(s);
    let mut h = 0u64;
    let mut pos = 0;
    while let Some((k, _)) = vm.dict_next(d, &mut pos) {
        let x = vm.hash(k)? as u64;
        h ^= (x ^ 89_869_747 ^ (x << 16)).wrapping_mul(3_644_798_167);
    }
    h ^= (vm.dict_len(d) as u64 + 1).wrapping_mul(1_927_868_237);
    h ^= (h >> 11) ^ (h >> 25);
    h = h.wrapping_mul(69_069).wrapping_add(907_133_923);
    Ok(if h == u64::MAX { 590_923_713 } else { h as i64 })
}

fn hash(vm: &mut Vm, a: &[Value]) -> R {
    let s = Gc::<PySet>::from_value(a[0]);
    // 0 marks "not computed"; a set that hashes to it is computed each time.
    if s.hash.get() == 0 {
        vm.enter_native()?;
        let h = content_hash(vm, a[0])?;
        s.hash.set(h as u64);
    }
    Ok(vm.new_int(s.hash.get() as i64))
}

fn add(vm: &mut Vm, a: &[Value]) -> R {
    vm.set_add(a[0], a[1])?;
    Ok(vm.none)
}

fn remove(vm: &mut Vm, a: &[Value]) -> R {
    let h = key_hash(vm, a[1])?;
    let d = vm.set_dict(a[0]);
    if vm.dict_remove_hashed(d, a[1], h)?.is_null() {
        return Err(vm.key_error(a[1]));
    }
    Ok(vm.none)
}

fn discard(vm: &mut Vm, a: &[Value]) -> R {
    let h = key_hash(vm, a[1])?;
    let d = vm.set_dict(a[0]);
    vm.dict_remove_hashed(d, a[1], h)?;
    Ok(vm.none)
}

fn pop(vm: &mut Vm, a: &[Value]) -> R {
    // Larger sets are work lists, for which any item is as good.
    let small = Gc::<PyDict>::from_value(vm.set_dict(a[0])).fill.get() <= 32;
    let first = small && vm.set_order(a[0]);
    let d = vm.set_dict(a[0]);
    let dd = Gc::<PyDict>::from_value(d);
    if first && dd.used.get() > 0 {
        let mut i = 0;
        while dd.entry(i).1.is_null() {
            i += 1;
        }
        let k = dd.entry(i).1;
        vm.dict_pop_entry(dd, i);
        return Ok(k);
    }
    if dd.used.get() == 0 {
        let m = vm.new_str("pop from an empty set");
        return Err(vm.key_error(m));
    }
    let mut i = dd.fill.get() as usize - 1;
    while dd.entry(i).1.is_null() {
        i -= 1;
    }
    let k = dd.entry(i).1;
    vm.dict_pop_entry(dd, i);
    Ok(k)
}

fn clear(vm: &mut Vm, a: &[Value]) -> R {
    let d = vm.set_dict(a[0]);
    vm.dict_clear(d);
    Ok(vm.none)
}

fn update(vm: &mut Vm, a: &[Value]) -> R {
    for &o in vm.tuple_items(a[1]) {
        extend(vm, a[0], o)?;
    }
    Ok(vm.none)
}

fn intersection_update(vm: &mut Vm, a: &[Value]) -> R {
    let r = intersection_all(vm, a[0], a[1])?;
    take_content(vm, a[0], r);
    Ok(vm.none)
}

fn difference_update(vm: &mut Vm, a: &[Value]) -> R {
    for &o in vm.tuple_items(a[1]) {
        remove_all(vm, a[0], o)?;
    }
    Ok(vm.none)
}

fn symmetric_difference_update(vm: &mut Vm, a: &[Value]) -> R {
    toggle_all(vm, a[0], a[1])?;
    Ok(vm.none)
}

fn iand(vm: &mut Vm, a: &[Value]) -> R {
    if !is_set(a[1]) {
        return Ok(vm.not_implemented);
    }
    let set = vm.types.set;
    let r = intersection(vm, a[0], a[1], set)?;
    take_content(vm, a[0], r);
    Ok(a[0])
}

fn ior(vm: &mut Vm, a: &[Value]) -> R {
    if !is_set(a[1]) {
        return Ok(vm.not_implemented);
    }
    extend(vm, a[0], a[1])?;
    Ok(a[0])
}

fn ixor(vm: &mut Vm, a: &[Value]) -> R {
    if !is_set(a[1]) {
        return Ok(vm.not_implemented);
    }
    toggle_all(vm, a[0], a[1])?;
    Ok(a[0])
}

fn isub(vm: &mut Vm, a: &[Value]) -> R {
    if !is_set(a[1]) {
        return Ok(vm.not_implemented);
    }
    remove_all(vm, a[0], a[1])?;
    Ok(a[0])
}
