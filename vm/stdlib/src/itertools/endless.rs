//! `count`, `cycle`, `repeat`.

use super::{ITER, iterator_class, reduced, reduced_with};
use crate::args::{no_keywords, ssize, state};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, PyType};
use pyrite_objects::native::{NativeDef, def, effects, new_def};
use pyrite_objects::ops::BinOp;
use pyrite_objects::vm::{R, Vm};
use pyrite_objects::{next_def, object_layout};

object_layout! {
    /// `count`: `step` is null while it counts machine integers by one.
    Count [Library, VALUES] { next: Value, step: Value }
}
object_layout! {
    /// `cycle`: `it` is null once every item is in the list `saved`.
    Cycle [Library, VALUES] {
        it: Value,
        saved: Value,
        index: Value,
        /// `True` if the items come from `saved` already and need not be kept.
        replayed: Value,
    }
}
object_layout! {
    /// `repeat`: `left` is the number of items to come, -1 for no end.
    Repeat [Library, VALUES] { item: Value, left: Value }
}

fn count(v: Value) -> Gc<Count> {
    Gc::from_value(v)
}

fn cycle(v: Value) -> Gc<Cycle> {
    Gc::from_value(v)
}

fn repeat(v: Value) -> Gc<Repeat> {
    Gc::from_value(v)
}

static COUNT: [NativeDef; 5] = [
    new_def("($type, start=0, step=1)", effects::CALLS, count_new),
    ITER,
    next_def!(count_step),
    def("__repr__", "($self, /)", effects::CALLS, count_repr),
    def("__reduce__", "($self, /)", effects::ALLOC, |vm, a| {
        let (n, step) = (count(a[0]).next.get(), count(a[0]).step.get());
        if step.is_null() {
            return Ok(reduced(vm, a[0], &[n]));
        }
        Ok(reduced(vm, a[0], &[n, step]))
    }),
];

fn is_number(vm: &mut Vm, v: Value) -> bool {
    let index = vm.names.index;
    let (int, float) = (vm.intern("__int__"), vm.intern("__float__"));
    vm.as_complex(v).is_some()
        || [index, int, float]
            .iter()
            .any(|&n| vm.lookup_on(v, n).is_some())
}

fn count_new(vm: &mut Vm, a: &[Value]) -> R {
    let one = Value::small(1);
    for v in [a[1], a[2]] {
        if v.is_some() && !is_number(vm, v) {
            return Err(vm.type_error("a number is required"));
        }
    }
    let (mut next, mut step) = (a[1], a[2]);
    if next.is_null() {
        next = Value::small(0);
    }
    if step.is_null() {
        step = one;
    }
    let by_one = vm.as_int(step) == Some(one);
    let fits = vm.int_to_i64(next).is_some_and(|n| n != i64::MAX);
    let v = vm.new_instance(Gc::from_value(a[0]));
    if by_one && fits {
        next = vm.as_int(next).unwrap_or(next);
    } else {
        count(v).step.set(step);
    }
    count(v).next.set(next);
    vm.write_barrier(v);
    Ok(v)
}

fn count_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let (n, step) = (count(it).next.get(), count(it).step.get());
    let by = if step.is_null() {
        Value::small(1)
    } else {
        step
    };
    let next = vm.binary(BinOp::Add, n, by, false)?;
    count(it).next.set(next);
    if step.is_null() && vm.int_to_i64(next) == Some(i64::MAX) {
        count(it).step.set(by);
    }
    vm.write_barrier(it);
    Ok(Some(n))
}

fn count_repr(vm: &mut Vm, a: &[Value]) -> R {
    let name = {
        let c = vm.class_of(a[0]);
        vm.type_name(c)
    };
    let n = count(a[0]).next.get();
    let n = vm.repr_string(n)?;
    let step = count(a[0]).step.get();
    let text = if step.is_null() || vm.as_int(step) == Some(Value::small(1)) {
        format!("{name}({n})")
    } else {
        format!("{name}({n}, {})", vm.repr_string(step)?)
    };
    Ok(vm.new_str(&text))
}

static CYCLE: [NativeDef; 5] = [
    new_def("($type, iterable, /, **kwargs)", effects::CALLS, |vm, a| {
        no_keywords(vm, a[0], a[2], "cycle")?;
        let it = vm.get_iter(a[1])?;
        let saved = vm.new_list(&[]);
        let v = vm.new_instance(Gc::from_value(a[0]));
        let c = cycle(v);
        c.it.set(it);
        c.saved.set(saved);
        c.index.set(Value::small(0));
        c.replayed.set(vm.false_);
        vm.write_barrier(v);
        Ok(v)
    }),
    ITER,
    next_def!(cycle_step),
    def("__reduce__", "($self, /)", effects::CALLS, |vm, a| {
        let c = cycle(a[0]);
        let (it, saved) = (c.it.get(), c.saved.get());
        if it.is_some() {
            let state = vm.new_tuple(&[saved, c.replayed.get()]);
            return Ok(reduced_with(vm, a[0], &[it], state));
        }
        let it = vm.get_iter(saved)?;
        if c.index.get() != Value::small(0) {
            let name = vm.intern("__setstate__");
            vm.call_method(it, name, &[c.index.get()])?;
        }
        let state = vm.new_tuple(&[saved, vm.true_]);
        Ok(reduced_with(vm, a[0], &[it], state))
    }),
    def(
        "__setstate__",
        "($self, state, /)",
        effects::CALLS,
        |vm, a| {
            let s = state(vm, a[1], 2, 2)?;
            if !vm.is_list(s[0]) {
                let m = format!("argument 1 must be list, not {}", vm.class_name(s[0]));
                return Err(vm.type_error(&m));
            }
            let n = vm.index_i64(s[1], true)?;
            let c = cycle(a[0]);
            c.saved.set(s[0]);
            c.replayed.set(vm.bool(n != 0));
            c.index.set(Value::small(0));
            vm.write_barrier(a[0]);
            Ok(vm.none)
        },
    ),
];

fn cycle_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let c = cycle(it);
    if c.it.get().is_some() {
        if let Some(v) = vm.iter_next(c.it.get())? {
            if c.replayed.get() == vm.false_ {
                vm.list_append(c.saved.get(), v);
            }
            return Ok(Some(v));
        }
        c.it.set(Value::NULL);
    }
    let saved = c.saved.get();
    let n = vm.list_len(saved) as i64;
    if n == 0 {
        return Ok(None);
    }
    let i = c.index.get().int_value().min(n - 1);
    let next = if i + 1 >= n { 0 } else { i + 1 };
    c.index.set(Value::int_unchecked(next));
    Ok(Some(vm.list_get(saved, i as usize)))
}

static REPEAT: [NativeDef; 6] = [
    new_def("($type, object, times=-1)", effects::CALLS, |vm, a| {
        let left = if a[2].is_null() {
            -1
        } else {
            ssize(vm, a[2])?.max(0)
        };
        let left = vm.new_int(left);
        let class: Gc<PyType> = Gc::from_value(a[0]);
        let v = vm.new_instance(class);
        repeat(v).item.set(a[1]);
        repeat(v).left.set(left);
        vm.write_barrier(v);
        Ok(v)
    }),
    ITER,
    next_def!(repeat_step),
    def("__repr__", "($self, /)", effects::CALLS, |vm, a| {
        let name = {
            let c = vm.class_of(a[0]);
            vm.type_name(c)
        };
        let item = repeat(a[0]).item.get();
        let item = vm.repr_string(item)?;
        let left = repeat(a[0]).left.get();
        let left = vm.int_to_i64(left).unwrap_or(-1);
        let text = if left < 0 {
            format!("{name}({item})")
        } else {
            format!("{name}({item}, {left})")
        };
        Ok(vm.new_str(&text))
    }),
    def("__reduce__", "($self, /)", effects::ALLOC, |vm, a| {
        let (item, left) = (repeat(a[0]).item.get(), repeat(a[0]).left.get());
        if left == Value::small(-1) {
            return Ok(reduced(vm, a[0], &[item]));
        }
        Ok(reduced(vm, a[0], &[item, left]))
    }),
    def(
        "__length_hint__",
        "($self, /)",
        effects::RAISES,
        |vm, a| match repeat(a[0]).left.get() {
            n if n == Value::small(-1) => Err(vm.type_error("len() of unsized object")),
            n => Ok(n),
        },
    ),
];

fn repeat_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let r = repeat(it);
    if r.left.get() != Value::small(-1) {
        let left = vm.int_to_i64(r.left.get()).unwrap_or(0);
        if left == 0 {
            return Ok(None);
        }
        let left = vm.new_int(left - 1);
        r.left.set(left);
        vm.write_barrier(it);
    }
    Ok(Some(r.item.get()))
}

/// Adds the classes to the module.
pub(super) fn make(vm: &mut Vm, m: Value) {
    iterator_class::<Count>(vm, m, "count", true, &COUNT);
    iterator_class::<Cycle>(vm, m, "cycle", true, &CYCLE);
    iterator_class::<Repeat>(vm, m, "repeat", true, &REPEAT);
}
