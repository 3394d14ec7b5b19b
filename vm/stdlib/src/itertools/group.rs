//! `groupby` and `tee`.
//!
//! The iterators of one `tee` walk along a chain of blocks of items; who comes
//! to a block's end first fetches from the source.

use super::{ITER, iter_function, iterator_class, reduced, reduced_with};
use crate::args::{ssize, state};
use crate::module_attr;
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, PyType};
use pyrite_objects::native::{NativeDef, def, effects, new_def};
use pyrite_objects::vm::{R, Vm};
use pyrite_objects::{next_def, object_layout};

object_layout! {
    /// `groupby`: the wanted key, the key and item read last, the group given last;
    /// each may be null.
    GroupBy [Library, VALUES] {
        it: Value,
        func: Value,
        target: Value,
        key: Value,
        item: Value,
        group: Value,
    }
}
object_layout! {
    /// A group of `groupby`.
    Grouper [Library, VALUES] { parent: Value, target: Value }
}
object_layout! {
    /// Up to [`BLOCK`] items of a `tee`, in the list `items`.
    TeeData [Library, VALUES] { it: Value, items: Value, next: Value, running: Value }
}
object_layout! {
    /// One iterator of a `tee`: item `index` of `data` is next.
    Tee [Library, VALUES] { data: Value, index: Value }
}

/// Items in a block.
const BLOCK: usize = 57;

fn groupby(v: Value) -> Gc<GroupBy> {
    Gc::from_value(v)
}

fn grouper(v: Value) -> Gc<Grouper> {
    Gc::from_value(v)
}

fn tee_data(v: Value) -> Gc<TeeData> {
    Gc::from_value(v)
}

fn tee(v: Value) -> Gc<Tee> {
    Gc::from_value(v)
}

/// A class of this module by name.
fn own_class(vm: &mut Vm, name: &str) -> Gc<PyType> {
    Gc::from_value(module_attr(vm, "itertools", name))
}

static GROUPBY: [NativeDef; 5] = [
    new_def("($type, iterable, key=None)", effects::CALLS, |vm, a| {
        let it = vm.get_iter(a[1])?;
        let v = vm.new_instance(Gc::from_value(a[0]));
        groupby(v).it.set(it);
        let func = if a[2].is_null() { vm.none } else { a[2] };
        groupby(v).func.set(func);
        vm.write_barrier(v);
        Ok(v)
    }),
    ITER,
    next_def!(groupby_step),
    def("__reduce__", "($self, /)", effects::ALLOC, |vm, a| {
        let g = groupby(a[0]);
        let args = [g.it.get(), g.func.get()];
        let state = [g.key.get(), g.item.get(), g.target.get()];
        if state.iter().any(|v| v.is_null()) {
            return Ok(reduced(vm, a[0], &args));
        }
        let state = vm.new_tuple(&state);
        Ok(reduced_with(vm, a[0], &args, state))
    }),
    def(
        "__setstate__",
        "($self, state, /)",
        effects::WRITES | effects::RAISES,
        |vm, a| {
            let s = state(vm, a[1], 3, 3)?;
            let g = groupby(a[0]);
            g.key.set(s[0]);
            g.item.set(s[1]);
            g.target.set(s[2]);
            vm.write_barrier(a[0]);
            Ok(vm.none)
        },
    ),
];

/// Reads the next item and its key; false at the end.
fn advance(vm: &mut Vm, v: Value) -> R<bool> {
    let g = groupby(v);
    let Some(item) = vm.iter_next(g.it.get())? else {
        return Ok(false);
    };
    let key = if g.func.get() == vm.none {
        item
    } else {
        vm.call(g.func.get(), &[item])?
    };
    g.item.set(item);
    g.key.set(key);
    vm.write_barrier(v);
    Ok(true)
}

fn groupby_step(vm: &mut Vm, v: Value) -> R<Option<Value>> {
    let g = groupby(v);
    g.group.set(Value::NULL);
    loop {
        let (key, target) = (g.key.get(), g.target.get());
        if key.is_some() && (target.is_null() || !vm.eq(target, key)?) {
            break;
        }
        if !advance(vm, v)? {
            return Ok(None);
        }
    }
    let key = g.key.get();
    g.target.set(key);
    let class = own_class(vm, "_grouper");
    let group = new_group(vm, class, v, key);
    Ok(Some(vm.new_tuple(&[key, group])))
}

fn new_group(vm: &mut Vm, class: Gc<PyType>, parent: Value, target: Value) -> Value {
    let group = vm.new_instance(class);
    grouper(group).parent.set(parent);
    grouper(group).target.set(target);
    vm.write_barrier(group);
    groupby(parent).group.set(group);
    vm.write_barrier(parent);
    group
}

static GROUPER: [NativeDef; 4] = [
    new_def("($type, parent, tgtkey, /)", effects::ALLOC, |vm, a| {
        let class = own_class(vm, "groupby");
        if !vm.is_instance(a[1], class) {
            let m = format!(
                "_grouper() argument 1 must be itertools.groupby, not {}",
                vm.class_name(a[1])
            );
            return Err(vm.type_error(&m));
        }
        Ok(new_group(vm, Gc::from_value(a[0]), a[1], a[2]))
    }),
    ITER,
    next_def!(grouper_step),
    def("__reduce__", "($self, /)", effects::ALLOC, |vm, a| {
        let g = grouper(a[0]);
        let (parent, target) = (g.parent.get(), g.target.get());
        if groupby(parent).group.get() == a[0] {
            return Ok(reduced(vm, a[0], &[parent, target]));
        }
        let f = iter_function(vm);
        let empty = vm.empty_tuple;
        let args = vm.new_tuple(&[empty]);
        Ok(vm.new_tuple(&[f, args]))
    }),
];

fn grouper_step(vm: &mut Vm, v: Value) -> R<Option<Value>> {
    let parent = grouper(v).parent.get();
    let g = groupby(parent);
    if g.group.get() != v {
        return Ok(None);
    }
    if g.item.get().is_null() && !advance(vm, parent)? {
        return Ok(None);
    }
    let key = g.key.get();
    if key.is_null() || !vm.eq(grouper(v).target.get(), key)? {
        return Ok(None);
    }
    let item = g.item.get();
    g.item.set(Value::NULL);
    g.key.set(Value::NULL);
    Ok(if item.is_null() { None } else { Some(item) })
}

/// The module's functions.
pub(super) static FUNCTIONS: [NativeDef; 1] = [def(
    "tee",
    "(iterable, n=2, /)",
    effects::CALLS,
    tee_function,
)];

fn tee_function(vm: &mut Vm, a: &[Value]) -> R {
    let n = if a[1].is_null() { 2 } else { ssize(vm, a[1])? };
    if n < 0 {
        return Err(vm.value_error("n must be >= 0"));
    }
    let out = vm.new_list(&[]);
    if n > 0 {
        let it = vm.get_iter(a[0])?;
        let copy = vm.intern("__copy__");
        let first = if vm.getattr_opt(it, copy)?.is_some() {
            it
        } else {
            let class = own_class(vm, "_tee");
            tee_from(vm, class, it)
        };
        let copy = vm.getattr(first, copy)?;
        vm.list_append(out, first);
        for _ in 1..n {
            let c = vm.call(copy, &[])?;
            vm.list_append(out, c);
        }
    }
    Ok(vm.list_to_tuple(out))
}

fn new_data(vm: &mut Vm, class: Gc<PyType>, it: Value, items: Value) -> Value {
    let v = vm.new_instance(class);
    let d = tee_data(v);
    d.it.set(it);
    d.items.set(items);
    d.running.set(vm.false_);
    vm.write_barrier(v);
    v
}

fn new_tee(vm: &mut Vm, class: Gc<PyType>, data: Value, index: Value) -> Value {
    let v = vm.new_instance(class);
    tee(v).data.set(data);
    tee(v).index.set(index);
    vm.write_barrier(v);
    v
}

/// The first `tee` iterator over `it`.
fn tee_from(vm: &mut Vm, class: Gc<PyType>, it: Value) -> Value {
    let items = vm.new_list(&[]);
    let data_class = own_class(vm, "_tee_dataobject");
    let data = new_data(vm, data_class, it, items);
    new_tee(vm, class, data, Value::small(0))
}

static TEE: [NativeDef; 6] = [
    new_def("($type, iterable, /)", effects::CALLS, |vm, a| {
        let it = vm.get_iter(a[1])?;
        let class = own_class(vm, "_tee");
        if vm.is_instance(it, class) {
            return Ok(new_tee(vm, class, tee(it).data.get(), tee(it).index.get()));
        }
        Ok(tee_from(vm, class, it))
    }),
    ITER,
    next_def!(tee_step),
    def("__copy__", "($self, /)", effects::ALLOC, |vm, a| {
        let class = own_class(vm, "_tee");
        Ok(new_tee(
            vm,
            class,
            tee(a[0]).data.get(),
            tee(a[0]).index.get(),
        ))
    }),
    def("__reduce__", "($self, /)", effects::ALLOC, |vm, a| {
        let empty = vm.empty_tuple;
        let state = vm.new_tuple(&[tee(a[0]).data.get(), tee(a[0]).index.get()]);
        Ok(reduced_with(vm, a[0], &[empty], state))
    }),
    def(
        "__setstate__",
        "($self, state, /)",
        effects::CALLS,
        |vm, a| {
            let s = state(vm, a[1], 2, 2)?;
            let class = own_class(vm, "_tee_dataobject");
            if !vm.is_instance(s[0], class) {
                let m = format!(
                    "argument 1 must be itertools._tee_dataobject, not {}",
                    vm.class_name(s[0])
                );
                return Err(vm.type_error(&m));
            }
            let i = ssize(vm, s[1])?;
            if i < 0 || i > BLOCK as i64 {
                return Err(vm.value_error("Index out of range"));
            }
            tee(a[0]).data.set(s[0]);
            tee(a[0]).index.set(Value::int_unchecked(i));
            vm.write_barrier(a[0]);
            Ok(vm.none)
        },
    ),
];

fn tee_step(vm: &mut Vm, v: Value) -> R<Option<Value>> {
    let t = tee(v);
    let mut i = t.index.get().int_value() as usize;
    if i >= BLOCK {
        let d = tee_data(t.data.get());
        if d.next.get().is_null() {
            let items = vm.new_list(&[]);
            let class = own_class(vm, "_tee_dataobject");
            let next = new_data(vm, class, d.it.get(), items);
            d.next.set(next);
            vm.write_barrier(d.value());
        }
        t.data.set(d.next.get());
        vm.write_barrier(v);
        i = 0;
        t.index.set(Value::small(0));
    }
    let d = tee_data(t.data.get());
    let items = d.items.get();
    let item = if i < vm.list_len(items) {
        vm.list_get(items, i)
    } else {
        if d.running.get() == vm.true_ {
            return Err(vm.runtime_error("cannot re-enter the tee iterator"));
        }
        d.running.set(vm.true_);
        let r = vm.iter_next(d.it.get());
        d.running.set(vm.false_);
        let Some(item) = r? else {
            return Ok(None);
        };
        vm.list_append(items, item);
        item
    };
    t.index.set(Value::int_unchecked(i as i64 + 1));
    Ok(Some(item))
}

static TEE_DATA: [NativeDef; 2] = [
    new_def(
        "($type, iterable, values, next, /)",
        effects::ALLOC | effects::RAISES,
        |vm, a| {
            if !vm.is_list(a[2]) {
                let m = format!(
                    "teedataobject() argument 2 must be list, not {}",
                    vm.class_name(a[2])
                );
                return Err(vm.type_error(&m));
            }
            let n = vm.list_len(a[2]);
            let class: Gc<PyType> = Gc::from_value(a[0]);
            let linked = a[3] != vm.none;
            if n > BLOCK || linked && (n < BLOCK || !vm.is_instance(a[3], class)) {
                return Err(vm.value_error("Invalid arguments"));
            }
            let items = vm.new_list(vm.list_items(a[2]));
            let v = new_data(vm, class, a[1], items);
            if linked {
                tee_data(v).next.set(a[3]);
                vm.write_barrier(v);
            }
            Ok(v)
        },
    ),
    def("__reduce__", "($self, /)", effects::ALLOC, |vm, a| {
        let d = tee_data(a[0]);
        let items = vm.new_list(vm.list_items(d.items.get()));
        let next = d.next.get();
        let next = if next.is_null() { vm.none } else { next };
        Ok(reduced(vm, a[0], &[d.it.get(), items, next]))
    }),
];

/// Adds the classes to the module.
pub(super) fn make(vm: &mut Vm, m: Value) {
    iterator_class::<GroupBy>(vm, m, "groupby", true, &GROUPBY);
    iterator_class::<Grouper>(vm, m, "_grouper", false, &GROUPER);
    iterator_class::<Tee>(vm, m, "_tee", false, &TEE);
    iterator_class::<TeeData>(vm, m, "_tee_dataobject", false, &TEE_DATA);
}
