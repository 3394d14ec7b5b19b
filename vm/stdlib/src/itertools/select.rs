//! `compress`, `dropwhile`, `takewhile`, `filterfalse`, `islice`.

use super::{ITER, iter_function, iterator_class, reduced, reduced_with};
use crate::args::no_keywords;
use pyrite_machine::Value;
use pyrite_objects::layout::Gc;
use pyrite_objects::native::{NativeDef, def, effects, new_def};
use pyrite_objects::vm::{R, Vm};
use pyrite_objects::{next_def, object_layout};

object_layout! {
    /// `compress`
    Compress [Library, VALUES] { data: Value, selectors: Value }
}
object_layout! {
    /// `dropwhile`, `takewhile`, `filterfalse`: `done` is a bool that says that
    /// the predicate is no longer asked.
    Filtered [Library, VALUES] { func: Value, it: Value, done: Value }
}
object_layout! {
    /// `islice`: `next` is the number of the next item to give, `count` of those
    /// taken from `it` so far; `stop` is -1 for no end.
    Islice [Library, VALUES] { it: Value, next: Value, stop: Value, step: Value, count: Value }
}

fn compress(v: Value) -> Gc<Compress> {
    Gc::from_value(v)
}

fn filtered(v: Value) -> Gc<Filtered> {
    Gc::from_value(v)
}

fn islice(v: Value) -> Gc<Islice> {
    Gc::from_value(v)
}

static COMPRESS: [NativeDef; 4] = [
    new_def("($type, data, selectors)", effects::CALLS, |vm, a| {
        let data = vm.get_iter(a[1])?;
        let selectors = vm.get_iter(a[2])?;
        let v = vm.new_instance(Gc::from_value(a[0]));
        compress(v).data.set(data);
        compress(v).selectors.set(selectors);
        vm.write_barrier(v);
        Ok(v)
    }),
    ITER,
    next_def!(compress_step),
    def("__reduce__", "($self, /)", effects::ALLOC, |vm, a| {
        let c = compress(a[0]);
        Ok(reduced(vm, a[0], &[c.data.get(), c.selectors.get()]))
    }),
];

fn compress_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let (data, selectors) = (compress(it).data.get(), compress(it).selectors.get());
    loop {
        let Some(v) = vm.iter_next(data)? else {
            return Ok(None);
        };
        let Some(s) = vm.iter_next(selectors)? else {
            return Ok(None);
        };
        if vm.truth(s)? {
            return Ok(Some(v));
        }
    }
}

fn filtered_new(vm: &mut Vm, a: &[Value], name: &str) -> R {
    no_keywords(vm, a[0], a[3], name)?;
    let it = vm.get_iter(a[2])?;
    let v = vm.new_instance(Gc::from_value(a[0]));
    filtered(v).func.set(a[1]);
    filtered(v).it.set(it);
    filtered(v).done.set(vm.false_);
    vm.write_barrier(v);
    Ok(v)
}

/// `__reduce__` of `dropwhile` and `takewhile`.
const WHILE_REDUCE: NativeDef = def("__reduce__", "($self, /)", effects::ALLOC, |vm, a| {
    let f = filtered(a[0]);
    let done = Value::small(i32::from(f.done.get() == vm.true_));
    Ok(reduced_with(vm, a[0], &[f.func.get(), f.it.get()], done))
});
const WHILE_SETSTATE: NativeDef = def(
    "__setstate__",
    "($self, state, /)",
    effects::CALLS,
    |vm, a| {
        let done = vm.truth(a[1])?;
        filtered(a[0]).done.set(vm.bool(done));
        Ok(vm.none)
    },
);

static DROPWHILE: [NativeDef; 5] = [
    new_def(
        "($type, predicate, iterable, /, **kwargs)",
        effects::CALLS,
        |vm, a| filtered_new(vm, a, "dropwhile"),
    ),
    ITER,
    next_def!(dropwhile_step),
    WHILE_REDUCE,
    WHILE_SETSTATE,
];

fn dropwhile_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let f = filtered(it);
    loop {
        let Some(v) = vm.iter_next(f.it.get())? else {
            return Ok(None);
        };
        if f.done.get() == vm.true_ {
            return Ok(Some(v));
        }
        let r = vm.call(f.func.get(), &[v])?;
        if !vm.truth(r)? {
            f.done.set(vm.true_);
            return Ok(Some(v));
        }
    }
}

static TAKEWHILE: [NativeDef; 5] = [
    new_def(
        "($type, predicate, iterable, /, **kwargs)",
        effects::CALLS,
        |vm, a| filtered_new(vm, a, "takewhile"),
    ),
    ITER,
    next_def!(takewhile_step),
    WHILE_REDUCE,
    WHILE_SETSTATE,
];

fn takewhile_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let f = filtered(it);
    if f.done.get() == vm.true_ {
        return Ok(None);
    }
    let Some(v) = vm.iter_next(f.it.get())? else {
        return Ok(None);
    };
    let r = vm.call(f.func.get(), &[v])?;
    if vm.truth(r)? {
        return Ok(Some(v));
    }
    f.done.set(vm.true_);
    Ok(None)
}

static FILTERFALSE: [NativeDef; 4] = [
    new_def(
        "($type, function, iterable, /, **kwargs)",
        effects::CALLS,
        |vm, a| filtered_new(vm, a, "filterfalse"),
    ),
    ITER,
    next_def!(filterfalse_step),
    def("__reduce__", "($self, /)", effects::ALLOC, |vm, a| {
        let f = filtered(a[0]);
        Ok(reduced(vm, a[0], &[f.func.get(), f.it.get()]))
    }),
];

fn filterfalse_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let f = filtered(it);
    let func = f.func.get();
    let plain = func == vm.none || func == vm.types.bool_.value();
    loop {
        let Some(v) = vm.iter_next(f.it.get())? else {
            return Ok(None);
        };
        let r = if plain { v } else { vm.call(func, &[v])? };
        if !vm.truth(r)? {
            return Ok(Some(v));
        }
    }
}

static ISLICE: [NativeDef; 5] = [
    new_def(
        "($type, iterable, start, stop=None, step=None, /, **kwargs)",
        effects::CALLS,
        islice_new,
    ),
    ITER,
    next_def!(islice_step),
    def("__reduce__", "($self, /)", effects::ALLOC, islice_reduce),
    def(
        "__setstate__",
        "($self, state, /)",
        effects::CALLS,
        |vm, a| {
            let n = crate::args::ssize(vm, a[1])?;
            let n = vm.new_int(n);
            islice(a[0]).count.set(n);
            vm.write_barrier(a[0]);
            Ok(vm.none)
        },
    ),
];

/// A bound of `islice`: `None` in Rust for None in Python, -1 for what is no
/// machine integer.
fn bound(vm: &mut Vm, v: Value) -> Option<i64> {
    if v.is_null() || v == vm.none {
        return None;
    }
    match vm.index_i64(v, false) {
        Ok(n) => Some(n),
        Err(_) => {
            vm.exc = Value::NULL;
            Some(-1)
        }
    }
}

fn islice_new(vm: &mut Vm, a: &[Value]) -> R {
    const STOP: &str =
        "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.";
    const INDICES: &str = "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.";
    no_keywords(vm, a[0], a[5], "islice")?;
    let (start, stop) = if a[3].is_null() {
        (None, bound(vm, a[2]))
    } else {
        (bound(vm, a[2]), bound(vm, a[3]))
    };
    if stop == Some(-1) {
        return Err(vm.value_error(STOP));
    }
    let start = start.unwrap_or(0);
    if start < 0 || stop.is_some_and(|s| s < 0) {
        return Err(vm.value_error(INDICES));
    }
    let step = bound(vm, a[4]).unwrap_or(1);
    if step < 1 {
        let m = "Step for islice() must be a positive integer or None.";
        return Err(vm.value_error(m));
    }
    let it = vm.get_iter(a[1])?;
    let start = vm.new_int(start);
    let stop = vm.new_int(stop.unwrap_or(-1));
    let step = vm.new_int(step);
    let v = vm.new_instance(Gc::from_value(a[0]));
    let s = islice(v);
    s.it.set(it);
    s.next.set(start);
    s.stop.set(stop);
    s.step.set(step);
    s.count.set(Value::small(0));
    vm.write_barrier(v);
    Ok(v)
}

fn islice_step(vm: &mut Vm, v: Value) -> R<Option<Value>> {
    let s = islice(v);
    let it = s.it.get();
    if it.is_null() {
        return Ok(None);
    }
    let number = |vm: &Vm, w: Value| vm.int_to_i64(w).unwrap_or(i64::MAX);
    let (next, stop) = (number(vm, s.next.get()), number(vm, s.stop.get()));
    let step = number(vm, s.step.get());
    let take = |vm: &mut Vm| -> R<Option<Value>> {
        let Some(item) = vm.iter_next(it)? else {
            s.it.set(Value::NULL);
            return Ok(None);
        };
        let n = number(vm, s.count.get());
        let n = vm.new_int(n.saturating_add(1));
        s.count.set(n);
        vm.write_barrier(v);
        Ok(Some(item))
    };
    while number(vm, s.count.get()) < next {
        if take(vm)?.is_none() {
            return Ok(None);
        }
    }
    if stop != -1 && number(vm, s.count.get()) >= stop {
        s.it.set(Value::NULL);
        return Ok(None);
    }
    let Some(item) = take(vm)? else {
        return Ok(None);
    };
    let next = match next.checked_add(step) {
        Some(n) if stop == -1 || n <= stop => n,
        // With no end, no item has such a number.
        _ if stop == -1 => i64::MAX,
        _ => stop,
    };
    let next = vm.new_int(next);
    s.next.set(next);
    vm.write_barrier(v);
    Ok(Some(item))
}

fn islice_reduce(vm: &mut Vm, a: &[Value]) -> R {
    let s = islice(a[0]);
    let zero = Value::small(0);
    if s.it.get().is_null() {
        let empty = vm.new_list(&[]);
        let f = iter_function(vm);
        let it = vm.call(f, &[empty])?;
        return Ok(reduced_with(vm, a[0], &[it, zero], zero));
    }
    let stop = s.stop.get();
    let stop = if stop == Value::small(-1) {
        vm.none
    } else {
        stop
    };
    let args = [s.it.get(), s.next.get(), stop, s.step.get()];
    Ok(reduced_with(vm, a[0], &args, s.count.get()))
}

/// Adds the classes to the module.
pub(super) fn make(vm: &mut Vm, m: Value) {
    iterator_class::<Compress>(vm, m, "compress", true, &COMPRESS);
    iterator_class::<Filtered>(vm, m, "dropwhile", true, &DROPWHILE);
    iterator_class::<Filtered>(vm, m, "takewhile", true, &TAKEWHILE);
    iterator_class::<Filtered>(vm, m, "filterfalse", true, &FILTERFALSE);
    iterator_class::<Islice>(vm, m, "islice", true, &ISLICE);
}
