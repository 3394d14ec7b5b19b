//! `chain`, `starmap`, `accumulate`, `pairwise`, `zip_longest`.

use super::{ITER, iterator_class, reduced, reduced_with};
use crate::args::{no_keywords, state};
use crate::module_attr;
use pyrite_machine::Value;
use pyrite_objects::layout::Gc;
use pyrite_objects::list::class_getitem;
use pyrite_objects::native::{NativeDef, class_def, def, effects, new_def};
use pyrite_objects::ops::BinOp;
use pyrite_objects::vm::{R, Vm};
use pyrite_objects::{next_def, object_layout};

object_layout! {
    /// `chain`: `source` gives iterables, `active` is the current one's iterator.
    Chain [Library, VALUES] { source: Value, active: Value }
}
object_layout! {
    /// `starmap`
    Starmap [Library, VALUES] { func: Value, it: Value }
}
object_layout! {
    /// `accumulate`: `total` is null before the first item.
    Accumulate [Library, VALUES] { it: Value, func: Value, total: Value, initial: Value }
}
object_layout! {
    /// `pairwise`: `old` is the last item of the previous pair.
    Pairwise [Library, VALUES] { it: Value, old: Value }
}
object_layout! {
    /// `zip_longest`: `its` is a list with None for exhausted iterators.
    ZipLongest [Library, VALUES] { its: Value, fill: Value, active: Value }
}

fn chain(v: Value) -> Gc<Chain> {
    Gc::from_value(v)
}

fn starmap(v: Value) -> Gc<Starmap> {
    Gc::from_value(v)
}

fn accumulate(v: Value) -> Gc<Accumulate> {
    Gc::from_value(v)
}

fn pairwise(v: Value) -> Gc<Pairwise> {
    Gc::from_value(v)
}

fn zip_longest(v: Value) -> Gc<ZipLongest> {
    Gc::from_value(v)
}

static CHAIN: [NativeDef; 7] = [
    new_def(
        "($type, /, *iterables, **kwargs)",
        effects::CALLS,
        |vm, a| {
            no_keywords(vm, a[0], a[2], "chain")?;
            let source = vm.get_iter(a[1])?;
            Ok(new_chain(vm, a[0], source))
        },
    ),
    class_def(
        "from_iterable",
        "($type, iterable, /)",
        effects::CALLS,
        |vm, a| {
            let source = vm.get_iter(a[1])?;
            Ok(new_chain(vm, a[0], source))
        },
    ),
    class_def(
        "__class_getitem__",
        "($type, item, /)",
        effects::ALLOC,
        class_getitem,
    ),
    ITER,
    next_def!(chain_step),
    def("__reduce__", "($self, /)", effects::ALLOC, |vm, a| {
        let (source, active) = (chain(a[0]).source.get(), chain(a[0]).active.get());
        if source.is_null() {
            return Ok(reduced(vm, a[0], &[]));
        }
        let state = if active.is_some() {
            vm.new_tuple(&[source, active])
        } else {
            vm.new_tuple(&[source])
        };
        Ok(reduced_with(vm, a[0], &[], state))
    }),
    def(
        "__setstate__",
        "($self, state, /)",
        effects::WRITES | effects::RAISES,
        |vm, a| {
            let s = state(vm, a[1], 1, 2)?;
            let next = vm.names.next;
            for &v in s {
                if vm.lookup_on(v, next).is_null() {
                    return Err(vm.type_error("Arguments must be iterators."));
                }
            }
            chain(a[0]).source.set(s[0]);
            chain(a[0])
                .active
                .set(s.get(1).copied().unwrap_or(Value::NULL));
            vm.write_barrier(a[0]);
            Ok(vm.none)
        },
    ),
];

fn new_chain(vm: &mut Vm, class: Value, source: Value) -> Value {
    let v = vm.new_instance(Gc::from_value(class));
    chain(v).source.set(source);
    vm.write_barrier(v);
    v
}

fn chain_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let c = chain(it);
    while c.source.get().is_some() {
        if c.active.get().is_null() {
            let Some(iterable) = vm.iter_next(c.source.get())? else {
                c.source.set(Value::NULL);
                return Ok(None);
            };
            match vm.get_iter(iterable) {
                Ok(active) => {
                    c.active.set(active);
                    vm.write_barrier(it);
                }
                Err(e) => {
                    c.source.set(Value::NULL);
                    return Err(e);
                }
            }
        }
        if let Some(v) = vm.iter_next(c.active.get())? {
            return Ok(Some(v));
        }
        c.active.set(Value::NULL);
    }
    Ok(None)
}

static STARMAP: [NativeDef; 4] = [
    new_def(
        "($type, function, iterable, /, **kwargs)",
        effects::CALLS,
        |vm, a| {
            no_keywords(vm, a[0], a[3], "starmap")?;
            let it = vm.get_iter(a[2])?;
            let v = vm.new_instance(Gc::from_value(a[0]));
            starmap(v).func.set(a[1]);
            starmap(v).it.set(it);
            vm.write_barrier(v);
            Ok(v)
        },
    ),
    ITER,
    next_def!(starmap_step),
    def("__reduce__", "($self, /)", effects::ALLOC, |vm, a| {
        let s = starmap(a[0]);
        Ok(reduced(vm, a[0], &[s.func.get(), s.it.get()]))
    }),
];

fn starmap_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let Some(args) = vm.iter_next(starmap(it).it.get())? else {
        return Ok(None);
    };
    let args = match vm.as_tuple(args) {
        Some(t) => t,
        None => vm.tuple_from_iterable(args)?,
    };
    let f = starmap(it).func.get();
    vm.call(f, vm.tuple_items(args)).map(Some)
}

static ACCUMULATE: [NativeDef; 5] = [
    new_def(
        "($type, iterable, func=None, *, initial=None)",
        effects::CALLS,
        |vm, a| {
            let it = vm.get_iter(a[1])?;
            let v = vm.new_instance(Gc::from_value(a[0]));
            let acc = accumulate(v);
            acc.it.set(it);
            acc.func.set(given(vm, a[2]));
            acc.initial.set(given(vm, a[3]));
            vm.write_barrier(v);
            Ok(v)
        },
    ),
    ITER,
    next_def!(accumulate_step),
    def(
        "__reduce__",
        "($self, /)",
        effects::CALLS,
        accumulate_reduce,
    ),
    def(
        "__setstate__",
        "($self, state, /)",
        effects::WRITES,
        |vm, a| {
            accumulate(a[0]).total.set(a[1]);
            vm.write_barrier(a[0]);
            Ok(vm.none)
        },
    ),
];

/// An optional argument for which None stands for nothing, as null.
fn given(vm: &Vm, v: Value) -> Value {
    if v == vm.none { Value::NULL } else { v }
}

fn accumulate_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let acc = accumulate(it);
    let initial = acc.initial.get();
    if initial.is_some() {
        acc.initial.set(Value::NULL);
        acc.total.set(initial);
        return Ok(Some(initial));
    }
    let Some(v) = vm.iter_next(acc.it.get())? else {
        return Ok(None);
    };
    let total = acc.total.get();
    let total = if total.is_null() {
        v
    } else if acc.func.get().is_null() {
        vm.binary(BinOp::Add, total, v, false)?
    } else {
        vm.call(acc.func.get(), &[total, v])?
    };
    acc.total.set(total);
    vm.write_barrier(it);
    Ok(Some(total))
}

/// An iterator that gives `first` and then what `it` gives.
fn prefixed(vm: &mut Vm, first: Value, it: Value) -> R {
    let class = module_attr(vm, "itertools", "chain");
    let first = vm.new_tuple(&[first]);
    vm.call(class, &[first, it])
}

fn accumulate_reduce(vm: &mut Vm, a: &[Value]) -> R {
    let acc = accumulate(a[0]);
    let none = vm.none;
    let func = if acc.func.get().is_null() {
        none
    } else {
        acc.func.get()
    };
    if acc.initial.get().is_some() {
        let it = prefixed(vm, acc.initial.get(), acc.it.get())?;
        return Ok(reduced_with(vm, a[0], &[it, func], none));
    }
    let total = acc.total.get();
    if total == none {
        // None as a state would mean "no state".
        let it = prefixed(vm, total, acc.it.get())?;
        let class = vm.class_of(a[0]).value();
        let it = vm.call(class, &[it, func])?;
        let islice = module_attr(vm, "itertools", "islice");
        let args = vm.new_tuple(&[it, Value::small(1), none]);
        return Ok(vm.new_tuple(&[islice, args]));
    }
    let total = if total.is_null() { none } else { total };
    Ok(reduced_with(vm, a[0], &[acc.it.get(), func], total))
}

static PAIRWISE: [NativeDef; 3] = [
    new_def("($type, iterable, /, **kwargs)", effects::CALLS, |vm, a| {
        no_keywords(vm, a[0], a[2], "pairwise")?;
        let it = vm.get_iter(a[1])?;
        let v = vm.new_instance(Gc::from_value(a[0]));
        pairwise(v).it.set(it);
        vm.write_barrier(v);
        Ok(v)
    }),
    ITER,
    next_def!(pairwise_step),
];

fn pairwise_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let p = pairwise(it);
    let source = p.it.get();
    if source.is_null() {
        return Ok(None);
    }
    if p.old.get().is_null() {
        let Some(v) = vm.iter_next(source)? else {
            p.it.set(Value::NULL);
            return Ok(None);
        };
        p.old.set(v);
        vm.write_barrier(it);
        if p.it.get().is_null() {
            p.old.set(Value::NULL);
            return Ok(None);
        }
    }
    let old = p.old.get();
    let Some(new) = vm.iter_next(source)? else {
        p.it.set(Value::NULL);
        p.old.set(Value::NULL);
        return Ok(None);
    };
    p.old.set(new);
    vm.write_barrier(it);
    Ok(Some(vm.new_tuple(&[old, new])))
}

static ZIP_LONGEST: [NativeDef; 5] = [
    new_def(
        "($type, /, *iterables, **kwargs)",
        effects::CALLS,
        |vm, a| {
            let mut fill = vm.none;
            let mut pos = 0;
            while let Some((k, v)) = vm.dict_next(a[2], &mut pos) {
                if !vm.str_is(k, "fillvalue") {
                    let m = "zip_longest() got an unexpected keyword argument";
                    return Err(vm.type_error(m));
                }
                fill = v;
            }
            let its = vm.new_list(&[]);
            for &v in vm.tuple_items(a[1]) {
                let it = vm.get_iter(v)?;
                vm.list_append(its, it);
            }
            let v = vm.new_instance(Gc::from_value(a[0]));
            let z = zip_longest(v);
            z.its.set(its);
            z.fill.set(fill);
            z.active.set(Value::int_unchecked(vm.list_len(its) as i64));
            vm.write_barrier(v);
            Ok(v)
        },
    ),
    ITER,
    next_def!(zip_longest_step),
    def("__reduce__", "($self, /)", effects::ALLOC, |vm, a| {
        let z = zip_longest(a[0]);
        let its = z.its.get();
        let n = vm.list_len(its);
        let args = vm.new_tuple_uninit(n);
        for i in 0..n {
            let it = vm.list_get(its, i);
            let it = if it == vm.none { vm.empty_tuple } else { it };
            vm.tuple_init(args, i, it);
        }
        let class = vm.class_of(a[0]).value();
        Ok(vm.new_tuple(&[class, args, z.fill.get()]))
    }),
    def(
        "__setstate__",
        "($self, state, /)",
        effects::WRITES,
        |vm, a| {
            zip_longest(a[0]).fill.set(a[1]);
            vm.write_barrier(a[0]);
            Ok(vm.none)
        },
    ),
];

fn zip_longest_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let z = zip_longest(it);
    let its = z.its.get();
    let n = vm.list_len(its);
    if n == 0 || z.active.get() == Value::small(0) {
        return Ok(None);
    }
    let out = vm.new_tuple_uninit(n);
    for i in 0..n {
        let one = vm.list_get(its, i);
        if one == vm.none {
            vm.tuple_init(out, i, z.fill.get());
            continue;
        }
        match vm.iter_next(one) {
            Ok(Some(v)) => vm.tuple_init(out, i, v),
            Ok(None) => {
                let left = z.active.get().int_value() - 1;
                z.active.set(Value::int_unchecked(left));
                if left == 0 {
                    return Ok(None);
                }
                let none = vm.none;
                vm.list_put(its, i, none);
                vm.tuple_init(out, i, z.fill.get());
            }
            Err(e) => {
                z.active.set(Value::small(0));
                return Err(e);
            }
        }
    }
    Ok(Some(out))
}

/// Adds the classes to the module.
pub(super) fn make(vm: &mut Vm, m: Value) {
    iterator_class::<Chain>(vm, m, "chain", true, &CHAIN);
    iterator_class::<Starmap>(vm, m, "starmap", true, &STARMAP);
    iterator_class::<Accumulate>(vm, m, "accumulate", true, &ACCUMULATE);
    iterator_class::<Pairwise>(vm, m, "pairwise", true, &PAIRWISE);
    iterator_class::<ZipLongest>(vm, m, "zip_longest", true, &ZIP_LONGEST);
}
