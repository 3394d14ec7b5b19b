//! Views of a dict, and iterators over keys (0), values (1) and items (2).

use crate::layout::{Gc, Layout, PyDict, PyDictIter, PyDictView};
use crate::native::{GetSetDef, NativeDef, comparisons, def, effects, getter};
use crate::vm::{R, Vm};
use pyrite_bytecode::CmpOp;
use pyrite_machine::Value;

/// Methods of all three views.
static COMMON: &[NativeDef] = &[
    def("__len__", "($self, /)", effects::READS, len),
    def("__iter__", "($self, /)", effects::ALLOC, iter),
    def("__reversed__", "($self, /)", effects::ALLOC, reversed),
    def("__repr__", "($self, /)", effects::CALLS, repr),
];

/// Methods of keys and items, which are sets.
static SET_LIKE: &[NativeDef] = &[
    def("__contains__", "($self, key, /)", effects::CALLS, contains),
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
];

static GETSETS: &[GetSetDef] = &[getter("mapping", mapping)];

static ITER: &[NativeDef] = &[
    def("__iter__", "($self, /)", effects::PURE, |_, a| Ok(a[0])),
    def(
        "__next__",
        "($self, /)",
        effects::WRITES | effects::RAISES | effects::ALLOC,
        crate::iters::next,
    ),
    def("__length_hint__", "($self, /)", effects::READS, length_hint),
    def("__reduce__", "($self, /)", effects::CALLS, reduce),
];

/// Gives views and iterators their methods.
pub fn install(vm: &mut Vm) {
    let t = vm.types;
    for c in [t.dict_keys, t.dict_values, t.dict_items] {
        vm.add_methods(c, COMMON);
        vm.add_getset(c, GETSETS);
    }
    for c in [t.dict_keys, t.dict_items] {
        vm.add_methods(c, SET_LIKE);
        let none = vm.none;
        vm.type_set(c, "__hash__", none);
    }
    for c in [
        t.dict_key_iter,
        t.dict_value_iter,
        t.dict_item_iter,
        t.dict_reverse_key_iter,
        t.dict_reverse_value_iter,
        t.dict_reverse_item_iter,
    ] {
        vm.add_methods(c, ITER);
    }
}

/// A view of a dict.
pub fn new_view(vm: &mut Vm, dict: Value, what: u64) -> Value {
    let t = vm.types;
    let class = [t.dict_keys, t.dict_values, t.dict_items][what as usize];
    let v = vm.alloc::<PyDictView>(class);
    v.what.set(what);
    v.dict.set(dict);
    v.value()
}

/// An iterator over a dict.
pub fn new_iter(vm: &mut Vm, dict: Value, what: u64) -> Value {
    let t = vm.types;
    let class = [t.dict_key_iter, t.dict_value_iter, t.dict_item_iter][what as usize];
    let it = vm.alloc::<PyDictIter>(class);
    it.what.set(what);
    it.dict.set(dict);
    it.len.set(vm.dict_len(dict));
    it.value()
}

/// An iterator over a dict from its end.
pub fn new_reverse_iter(vm: &mut Vm, dict: Value, what: u64) -> Value {
    let t = vm.types;
    let class = [
        t.dict_reverse_key_iter,
        t.dict_reverse_value_iter,
        t.dict_reverse_item_iter,
    ][what as usize];
    let it = vm.alloc::<PyDictIter>(class);
    it.what.set(what);
    it.dict.set(dict);
    it.len.set(vm.dict_len(dict));
    it.index
        .set(Gc::<PyDict>::from_value(dict).fill.get() as usize);
    it.value()
}

/// The part of an iterator's `what` that says what it gives. Above it stands how many
/// deleted entries it passed, so that its index tells how many keys it gave.
const WHAT: u64 = 0xFF;
const SKIPPED_SHIFT: u32 = 8;

fn changed(vm: &mut Vm, it: Gc<PyDictIter>) -> crate::vm::Raised {
    it.len.set(usize::MAX);
    vm.runtime_error("dictionary changed size during iteration")
}

fn pick(vm: &mut Vm, what: u64, k: Value, v: Value) -> Value {
    match what {
        0 => k,
        1 => v,
        _ => vm.new_tuple(&[k, v]),
    }
}

/// The next item of a dict iterator.
pub fn dict_iter_next(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let it = Gc::<PyDictIter>::from_value(it);
    let d = it.dict.get();
    if d.is_null() {
        return Ok(None);
    }
    if vm.dict_len(d) != it.len.get() {
        return Err(changed(vm, it));
    }
    let start = it.index.get();
    let mut pos = start;
    match vm.dict_next(d, &mut pos) {
        Some((k, v)) => {
            let skipped = it.what.get() >> SKIPPED_SHIFT;
            if start as u64 - skipped >= it.len.get() as u64 {
                // More keys than there were, though as many as there are.
                it.dict.set(Value::NULL);
                return Err(vm.runtime_error("dictionary keys changed during iteration"));
            }
            let more = (pos - 1 - start) as u64;
            it.what.set(it.what.get() + (more << SKIPPED_SHIFT));
            it.index.set(pos);
            Ok(Some(pick(vm, it.what.get() & WHAT, k, v)))
        }
        None => {
            it.dict.set(Value::NULL);
            Ok(None)
        }
    }
}

/// The next item of a reversed dict iterator.
pub fn dict_reverse_next(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let it = Gc::<PyDictIter>::from_value(it);
    let d = it.dict.get();
    if d.is_null() {
        return Ok(None);
    }
    if vm.dict_len(d) != it.len.get() {
        return Err(changed(vm, it));
    }
    let dd = Gc::<PyDict>::from_value(d);
    let mut i = it.index.get().min(dd.fill.get() as usize);
    while i > 0 {
        i -= 1;
        let (_, k, v) = dd.entry(i);
        if k.is_some() {
            it.index.set(i);
            return Ok(Some(pick(vm, it.what.get(), k, v)));
        }
    }
    it.dict.set(Value::NULL);
    Ok(None)
}

fn length_hint(vm: &mut Vm, a: &[Value]) -> R {
    let it = Gc::<PyDictIter>::from_value(a[0]);
    let d = it.dict.get();
    if d.is_null() || vm.dict_len(d) != it.len.get() {
        return Ok(Value::small(0));
    }
    let dd = Gc::<PyDict>::from_value(d);
    let (fill, at) = (dd.fill.get() as usize, it.index.get());
    let range = if vm.layout_of(a[0]) == Layout::DictReverseIter {
        0..at.min(fill)
    } else {
        at.min(fill)..fill
    };
    let n = range.filter(|&i| dd.entry(i).1.is_some()).count();
    Ok(vm.new_int(n as i64))
}

/// The remaining items as a list, without moving the iterator.
fn reduce(vm: &mut Vm, a: &[Value]) -> R {
    let it = Gc::<PyDictIter>::from_value(a[0]);
    let (index, len, dict) = (it.index.get(), it.len.get(), it.dict.get());
    let what = it.what.get();
    let rest = vm.list_from_iterable(a[0]);
    it.index.set(index);
    it.len.set(len);
    it.what.set(what);
    it.dict.set(dict);
    vm.write_barrier(a[0]);
    let rest = rest?;
    let f = crate::iters::builtin(vm, "iter");
    let args = vm.new_tuple(&[rest]);
    Ok(vm.new_tuple(&[f, args]))
}

fn dict_of(v: Value) -> Value {
    Gc::<PyDictView>::from_value(v).dict.get()
}

fn what_of(v: Value) -> u64 {
    Gc::<PyDictView>::from_value(v).what.get()
}

fn mapping(vm: &mut Vm, v: Value) -> R {
    let p = vm.new_instance(vm.types.mappingproxy);
    vm.store_word(p, 1, dict_of(v));
    Ok(p)
}

fn len(vm: &mut Vm, a: &[Value]) -> R {
    Ok(vm.new_int(vm.dict_len(dict_of(a[0])) as i64))
}

fn iter(vm: &mut Vm, a: &[Value]) -> R {
    Ok(new_iter(vm, dict_of(a[0]), what_of(a[0])))
}

fn reversed(vm: &mut Vm, a: &[Value]) -> R {
    Ok(new_reverse_iter(vm, dict_of(a[0]), what_of(a[0])))
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let name = vm.class_name(a[0]);
    let it = iter(vm, a)?;
    vm.repr_items(a[0], &format!("{name}(["), "])", "...", |vm, _, out| {
        let Some(v) = vm.iter_next(it)? else {
            return Ok(false);
        };
        let r = vm.repr(v)?;
        vm.list_append(out, r);
        Ok(true)
    })
}

/// Membership in a keys or items view.
fn view_contains(vm: &mut Vm, view: Value, v: Value) -> R<bool> {
    let d = dict_of(view);
    if what_of(view) == 0 {
        return Ok(vm.dict_get(d, v)?.is_some());
    }
    let Some(t) = vm.as_tuple(v) else {
        return Ok(false);
    };
    if vm.tuple_len(t) != 2 {
        return Ok(false);
    }
    let have = vm.dict_get(d, vm.tuple_get(t, 0))?;
    if have.is_null() {
        return Ok(false);
    }
    vm.eq(have, vm.tuple_get(t, 1))
}

fn contains(vm: &mut Vm, a: &[Value]) -> R {
    let r = view_contains(vm, a[0], a[1])?;
    Ok(vm.bool(r))
}

fn isdisjoint(vm: &mut Vm, a: &[Value]) -> R {
    if a[0] == a[1] {
        let empty = vm.dict_len(dict_of(a[0])) == 0;
        return Ok(vm.bool(empty));
    }
    let it = vm.get_iter(a[1])?;
    while let Some(v) = vm.iter_next(it)? {
        if view_contains(vm, a[0], v)? {
            return Ok(vm.false_);
        }
    }
    Ok(vm.true_)
}

#[derive(Clone, Copy)]
enum SetOp {
    And,
    Or,
    Xor,
    Sub,
}

/// `left op right` as a new set; either operand may be the view.
fn operate(vm: &mut Vm, op: SetOp, left: Value, right: Value) -> R {
    let s = vm.new_set(vm.types.set);
    crate::set::extend(vm, s, left)?;
    match op {
        SetOp::Or => crate::set::extend(vm, s, right)?,
        SetOp::Sub => crate::set::remove_all(vm, s, right)?,
        SetOp::Xor => crate::set::toggle_all(vm, s, right)?,
        SetOp::And => return crate::set::intersection(vm, s, right, vm.types.set),
    }
    Ok(s)
}

macro_rules! operators {
    ($($name:ident $reflected:ident $op:ident),*) => {
        $(fn $name(vm: &mut Vm, a: &[Value]) -> R {
            operate(vm, SetOp::$op, a[0], a[1])
        }
        fn $reflected(vm: &mut Vm, a: &[Value]) -> R {
            operate(vm, SetOp::$op, a[1], a[0])
        })*
    };
}
operators!(and rand And, or ror Or, xor rxor Xor, sub rsub Sub);

comparisons!(compare);

fn compare(vm: &mut Vm, op: CmpOp, a: &[Value]) -> R {
    let other = match vm.layout_of(a[1]) {
        Layout::Set | Layout::FrozenSet => true,
        Layout::DictView => what_of(a[1]) != 1,
        _ => false,
    };
    if !other {
        return Ok(vm.not_implemented);
    }
    let (n, m) = (vm.len(a[0])?, vm.len(a[1])?);
    let r = match op {
        CmpOp::Eq | CmpOp::Ne => {
            let same = n == m && all_in(vm, a[0], a[1])?;
            same == (op == CmpOp::Eq)
        }
        CmpOp::Lt => n < m && all_in(vm, a[0], a[1])?,
        CmpOp::Le => n <= m && all_in(vm, a[0], a[1])?,
        CmpOp::Gt => n > m && all_in(vm, a[1], a[0])?,
        CmpOp::Ge => n >= m && all_in(vm, a[1], a[0])?,
    };
    Ok(vm.bool(r))
}

fn all_in(vm: &mut Vm, items: Value, container: Value) -> R<bool> {
    let it = vm.get_iter(items)?;
    while let Some(v) = vm.iter_next(it)? {
        if !vm.contains(container, v)? {
            return Ok(false);
        }
    }
    Ok(true)
}
