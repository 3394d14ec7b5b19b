//! `product`, `permutations`, `combinations`, `combinations_with_replacement`.
//!
//! All four walk over tuples of indices into pools in lexicographic order. The
//! indices (for permutations also the cycles) lie in untyped storage; the first
//! step gives the indices as they are, each later one advances them first.

use super::{ITER, iterator_class, reduced, reduced_with};
use crate::args::{ssize, state};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Raw};
use pyrite_objects::native::{NativeDef, def, effects, new_def};
use pyrite_objects::vm::{R, Vm};
use pyrite_objects::{next_def, object_layout};

object_layout! {
    /// `product`: `pools` is a tuple of tuples.
    Product [Library, VALUES] { pools: Value, indices: Value, phase: Value }
}
object_layout! {
    /// The three others: `pool` is a tuple. `cycles` is for permutations only.
    Choice [Library, VALUES] { pool: Value, indices: Value, phase: Value, r: Value, cycles: Value }
}

/// Nothing was given yet.
const FRESH: Value = Value::small(0);
/// The indices are those given last.
const RUNNING: Value = Value::small(1);
const STOPPED: Value = Value::small(2);

fn product(v: Value) -> Gc<Product> {
    Gc::from_value(v)
}

fn choice(v: Value) -> Gc<Choice> {
    Gc::from_value(v)
}

fn new_indices(vm: &mut Vm, n: usize) -> Value {
    vm.new_raw(n * 8).value()
}

/// The indices; good while a local holds the storage.
fn indices(storage: Value) -> &'static mut [usize] {
    let raw = Gc::<Raw>::from_value(storage);
    // SAFETY: made by `new_indices` for whole words; each caller holds the storage
    // in a local and runs no Python code meanwhile.
    unsafe { std::slice::from_raw_parts_mut(raw.bytes().cast(), raw.len.get() / 8) }
}

fn index_tuple(vm: &mut Vm, storage: Value) -> Value {
    let n = indices(storage).len();
    let t = vm.new_tuple_uninit(n);
    for i in 0..n {
        let k = Value::int_unchecked(indices(storage)[i] as i64);
        vm.tuple_init(t, i, k);
    }
    t
}

fn sizeof(vm: &mut Vm, a: &[Value]) -> R {
    let n = pyrite_objects::heap::size_of_object(a[0]);
    Ok(Value::int_unchecked(
        vm.word(a[0], 2).is_some() as i64 * 16 + n as i64,
    ))
}

const SIZEOF: NativeDef = def("__sizeof__", "($self, /)", effects::READS, sizeof);

static PRODUCT: [NativeDef; 6] = [
    new_def(
        "($type, /, *iterables, **kwargs)",
        effects::CALLS,
        product_new,
    ),
    ITER,
    next_def!(product_step),
    def("__reduce__", "($self, /)", effects::ALLOC, |vm, a| {
        let p = product(a[0]);
        let (pools, storage) = (p.pools.get(), p.indices.get());
        if p.phase.get() == STOPPED {
            let empty = vm.empty_tuple;
            return Ok(reduced(vm, a[0], &[empty]));
        }
        let class = vm.class_of(a[0]).value();
        if p.phase.get() == FRESH {
            return Ok(vm.new_tuple(&[class, pools]));
        }
        let state = index_tuple(vm, storage);
        Ok(vm.new_tuple(&[class, pools, state]))
    }),
    def(
        "__setstate__",
        "($self, state, /)",
        effects::CALLS,
        product_setstate,
    ),
    SIZEOF,
];

fn product_new(vm: &mut Vm, a: &[Value]) -> R {
    let mut repeat = 1;
    let mut pos = 0;
    while let Some((k, v)) = vm.dict_next(a[2], &mut pos) {
        if !vm.str_is(k, "repeat") {
            let m = format!(
                "'{}' is an invalid keyword argument for product()",
                vm.str_to_string(k)
            );
            return Err(vm.type_error(&m));
        }
        repeat = ssize(vm, v)?;
        if repeat < 0 {
            return Err(vm.value_error("repeat argument cannot be negative"));
        }
    }
    let given = vm.tuple_items(a[1]);
    let n = if repeat == 0 { 0 } else { given.len() };
    let total = match (n as i64).checked_mul(repeat) {
        Some(t) if t < i64::MAX / 64 => t as usize,
        _ => return Err(vm.overflow_error("repeat argument too large")),
    };
    let pools = vm.new_tuple_uninit(total);
    for (i, &v) in given.iter().enumerate().take(n) {
        let pool = vm.tuple_from_iterable(v)?;
        vm.tuple_init(pools, i, pool);
    }
    for i in n..total {
        let pool = vm.tuple_get(pools, i - n);
        vm.tuple_init(pools, i, pool);
    }
    let storage = new_indices(vm, total);
    let v = vm.new_instance(Gc::from_value(a[0]));
    let p = product(v);
    p.pools.set(pools);
    p.indices.set(storage);
    p.phase.set(FRESH);
    vm.write_barrier(v);
    Ok(v)
}

fn product_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let p = product(it);
    let (pools, storage) = (p.pools.get(), p.indices.get());
    let n = vm.tuple_len(pools);
    let size = |vm: &Vm, i: usize| vm.tuple_len(vm.tuple_get(pools, i));
    let ix = indices(storage);
    match p.phase.get() {
        STOPPED => return Ok(None),
        FRESH => {
            if (0..n).any(|i| size(vm, i) == 0) {
                p.phase.set(STOPPED);
                return Ok(None);
            }
            p.phase.set(RUNNING);
        }
        _ => {
            let mut i = n;
            loop {
                if i == 0 {
                    p.phase.set(STOPPED);
                    return Ok(None);
                }
                i -= 1;
                ix[i] += 1;
                if ix[i] < size(vm, i) {
                    break;
                }
                ix[i] = 0;
            }
        }
    }
    let out = vm.new_tuple_uninit(n);
    for (i, &k) in ix.iter().enumerate() {
        let v = vm.tuple_get(vm.tuple_get(pools, i), k);
        vm.tuple_init(out, i, v);
    }
    Ok(Some(out))
}

fn product_setstate(vm: &mut Vm, a: &[Value]) -> R {
    let p = product(a[0]);
    let (pools, storage) = (p.pools.get(), p.indices.get());
    let n = vm.tuple_len(pools);
    let items = match vm.as_tuple(a[1]) {
        Some(t) if vm.tuple_len(t) == n => vm.tuple_items(t),
        _ => return Err(vm.value_error("invalid arguments")),
    };
    for (i, &v) in items.iter().enumerate() {
        let k = vm.index_i64(v, true)?;
        let size = vm.tuple_len(vm.tuple_get(pools, i));
        if size == 0 {
            p.phase.set(STOPPED);
            return Ok(vm.none);
        }
        indices(storage)[i] = k.clamp(0, size as i64 - 1) as usize;
    }
    p.phase.set(RUNNING);
    Ok(vm.none)
}

/// A fresh choice of `r` from the items of an iterable.
fn new_choice(
    vm: &mut Vm,
    class: Value,
    iterable: Value,
    r: impl FnOnce(&mut Vm, usize) -> R<i64>,
    kind: Kind,
) -> R {
    let pool = vm.tuple_from_iterable(iterable)?;
    let n = vm.tuple_len(pool);
    let r = r(vm, n)?;
    if r < 0 {
        return Err(vm.value_error("r must be non-negative"));
    }
    let r = r as usize;
    let stopped = match kind {
        Kind::Replacement => n == 0 && r > 0,
        Kind::Plain | Kind::Permutation => r > n,
    };
    // What gives nothing needs no indices, however large `r` is.
    let (len, cycles) = match (stopped, kind) {
        (true, _) => (0, 0),
        (_, Kind::Permutation) => (n, r),
        _ => (r, 0),
    };
    if len > 1 << 40 {
        let class = vm.types.memory_error;
        return Err(vm.raise_args(class, &[]));
    }
    let storage = new_indices(vm, len);
    let cycle_storage = new_indices(vm, cycles);
    if !matches!(kind, Kind::Replacement) {
        for (i, k) in indices(storage).iter_mut().enumerate() {
            *k = i;
        }
    }
    for (i, k) in indices(cycle_storage).iter_mut().enumerate() {
        *k = n - i;
    }
    let r = vm.new_int(r as i64);
    let v = vm.new_instance(Gc::from_value(class));
    let c = choice(v);
    c.pool.set(pool);
    c.indices.set(storage);
    c.cycles.set(cycle_storage);
    c.r.set(r);
    c.phase.set(if stopped { STOPPED } else { FRESH });
    vm.write_barrier(v);
    Ok(v)
}

#[derive(Clone, Copy)]
enum Kind {
    Plain,
    Replacement,
    Permutation,
}

/// The chosen items: the first `r` indices.
fn chosen(vm: &mut Vm, pool: Value, storage: Value, r: usize) -> Value {
    let out = vm.new_tuple_uninit(r);
    for i in 0..r {
        let v = vm.tuple_get(pool, indices(storage)[i]);
        vm.tuple_init(out, i, v);
    }
    out
}

fn choice_reduce(vm: &mut Vm, v: Value, state: impl FnOnce(&mut Vm, Gc<Choice>) -> Value) -> R {
    let c = choice(v);
    let (pool, r) = (c.pool.get(), c.r.get());
    Ok(match c.phase.get() {
        FRESH => reduced(vm, v, &[pool, r]),
        STOPPED => {
            let empty = vm.empty_tuple;
            reduced(vm, v, &[empty, r])
        }
        _ => {
            let s = state(vm, c);
            reduced_with(vm, v, &[pool, r], s)
        }
    })
}

const CHOICE_REDUCE: NativeDef = def("__reduce__", "($self, /)", effects::ALLOC, |vm, a| {
    choice_reduce(vm, a[0], |vm, c| index_tuple(vm, c.indices.get()))
});

/// `__setstate__` with a tuple of as many indices as there are; index `i` may be
/// at most `max(i)`.
fn set_indices(vm: &mut Vm, a: &[Value], max: impl Fn(usize, usize, usize) -> usize) -> R {
    let c = choice(a[0]);
    let storage = c.indices.get();
    let (n, r) = (vm.tuple_len(c.pool.get()), indices(storage).len());
    let wanted = vm.int_to_i64(c.r.get());
    let items = match vm.as_tuple(a[1]) {
        Some(t) if Some(vm.tuple_len(t) as i64) == wanted && r == vm.tuple_len(t) => {
            vm.tuple_items(t)
        }
        _ => return Err(vm.value_error("invalid arguments")),
    };
    for (i, &v) in items.iter().enumerate() {
        let k = vm.index_i64(v, true)?;
        indices(storage)[i] = k.clamp(0, max(i, n, r) as i64) as usize;
    }
    if c.phase.get() != STOPPED {
        c.phase.set(RUNNING);
    }
    Ok(vm.none)
}

static COMBINATIONS: [NativeDef; 6] = [
    new_def("($type, iterable, r)", effects::CALLS, |vm, a| {
        let r = a[2];
        new_choice(vm, a[0], a[1], |vm, _| ssize(vm, r), Kind::Plain)
    }),
    ITER,
    next_def!(combinations_step),
    CHOICE_REDUCE,
    def(
        "__setstate__",
        "($self, state, /)",
        effects::CALLS,
        |vm, a| set_indices(vm, a, |i, n, r| i + n - r),
    ),
    SIZEOF,
];

fn combinations_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let c = choice(it);
    let (pool, storage) = (c.pool.get(), c.indices.get());
    let ix = indices(storage);
    let (n, r) = (vm.tuple_len(pool), ix.len());
    match c.phase.get() {
        STOPPED => return Ok(None),
        FRESH => c.phase.set(RUNNING),
        _ => {
            let Some(i) = (0..r).rev().find(|&i| ix[i] < i + n - r) else {
                c.phase.set(STOPPED);
                return Ok(None);
            };
            ix[i] += 1;
            for j in i + 1..r {
                ix[j] = ix[j - 1] + 1;
            }
        }
    }
    Ok(Some(chosen(vm, pool, storage, r)))
}

static REPLACEMENT: [NativeDef; 6] = [
    new_def("($type, iterable, r)", effects::CALLS, |vm, a| {
        let r = a[2];
        new_choice(vm, a[0], a[1], |vm, _| ssize(vm, r), Kind::Replacement)
    }),
    ITER,
    next_def!(replacement_step),
    CHOICE_REDUCE,
    def(
        "__setstate__",
        "($self, state, /)",
        effects::CALLS,
        |vm, a| set_indices(vm, a, |_, n, _| n.saturating_sub(1)),
    ),
    SIZEOF,
];

fn replacement_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let c = choice(it);
    let (pool, storage) = (c.pool.get(), c.indices.get());
    let ix = indices(storage);
    let (n, r) = (vm.tuple_len(pool), ix.len());
    match c.phase.get() {
        STOPPED => return Ok(None),
        FRESH => c.phase.set(RUNNING),
        _ => {
            let Some(i) = (0..r).rev().find(|&i| ix[i] + 1 < n) else {
                c.phase.set(STOPPED);
                return Ok(None);
            };
            let k = ix[i] + 1;
            ix[i..].fill(k);
        }
    }
    Ok(Some(chosen(vm, pool, storage, r)))
}

static PERMUTATIONS: [NativeDef; 6] = [
    new_def("($type, iterable, r=None)", effects::CALLS, |vm, a| {
        let r = a[2];
        let length = |vm: &mut Vm, n: usize| {
            if r.is_null() || r == vm.none {
                return Ok(n as i64);
            }
            if !vm.is_int(r) {
                return Err(vm.type_error("Expected int as r"));
            }
            ssize(vm, r)
        };
        new_choice(vm, a[0], a[1], length, Kind::Permutation)
    }),
    ITER,
    next_def!(permutations_step),
    def("__reduce__", "($self, /)", effects::ALLOC, |vm, a| {
        choice_reduce(vm, a[0], |vm, c| {
            let i = index_tuple(vm, c.indices.get());
            let k = index_tuple(vm, c.cycles.get());
            vm.new_tuple(&[i, k])
        })
    }),
    def(
        "__setstate__",
        "($self, state, /)",
        effects::CALLS,
        permutations_setstate,
    ),
    SIZEOF,
];

fn permutations_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let c = choice(it);
    let (pool, storage, cycle_storage) = (c.pool.get(), c.indices.get(), c.cycles.get());
    let (ix, cycles) = (indices(storage), indices(cycle_storage));
    let (n, r) = (vm.tuple_len(pool), cycles.len());
    match c.phase.get() {
        STOPPED => return Ok(None),
        FRESH => c.phase.set(RUNNING),
        _ => {
            let mut i = r;
            loop {
                if i == 0 {
                    c.phase.set(STOPPED);
                    return Ok(None);
                }
                i -= 1;
                cycles[i] -= 1;
                if cycles[i] > 0 {
                    ix.swap(i, n - cycles[i]);
                    break;
                }
                ix[i..].rotate_left(1);
                cycles[i] = n - i;
            }
        }
    }
    Ok(Some(chosen(vm, pool, storage, r)))
}

fn permutations_setstate(vm: &mut Vm, a: &[Value]) -> R {
    let s = state(vm, a[1], 2, 2)?;
    let c = choice(a[0]);
    let (storage, cycle_storage) = (c.indices.get(), c.cycles.get());
    let n = indices(storage).len();
    let parts = match (vm.as_tuple(s[0]), vm.as_tuple(s[1])) {
        (Some(i), Some(k))
            if vm.tuple_len(i) == n && vm.tuple_len(k) == indices(cycle_storage).len() =>
        {
            (vm.tuple_items(i), vm.tuple_items(k))
        }
        (Some(_), Some(_)) => return Err(vm.value_error("invalid arguments")),
        (first, _) => {
            let (n, v) = if first.is_none() {
                (1, s[0])
            } else {
                (2, s[1])
            };
            let m = format!("argument {n} must be tuple, not {}", vm.class_name(v));
            return Err(vm.type_error(&m));
        }
    };
    for (i, &v) in parts.0.iter().enumerate() {
        let k = vm.index_i64(v, true)?;
        indices(storage)[i] = k.clamp(0, n as i64 - 1) as usize;
    }
    for (i, &v) in parts.1.iter().enumerate() {
        let k = vm.index_i64(v, true)?;
        indices(cycle_storage)[i] = k.clamp(1, (n - i) as i64) as usize;
    }
    if c.phase.get() != STOPPED {
        c.phase.set(RUNNING);
    }
    Ok(vm.none)
}

/// Adds the classes to the module.
pub(super) fn make(vm: &mut Vm, m: Value) {
    iterator_class::<Product>(vm, m, "product", true, &PRODUCT);
    iterator_class::<Choice>(vm, m, "combinations", true, &COMBINATIONS);
    let name = "combinations_with_replacement";
    iterator_class::<Choice>(vm, m, name, true, &REPLACEMENT);
    iterator_class::<Choice>(vm, m, "permutations", true, &PERMUTATIONS);
}
