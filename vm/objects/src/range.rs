//! `range`, over ints of any size. A range whose numbers all fit a word iterates
//! in machine integers.

use crate::layout::{Gc, Layout, PyRange, PyRangeIter, PySlice};
use crate::native::{GetSetDef, NativeDef, def, effects, getter, static_def};
use crate::vm::{R, Vm};
use dashu_int::IBig;
use pyrite_machine::Value;

pub static METHODS: &[NativeDef] = &[
    static_def("__new__", "($type, /, *args)", effects::CALLS, new),
    def("index", "($self, value, /)", effects::CALLS, index),
    def("count", "($self, value, /)", effects::CALLS, count),
    def("__len__", "($self, /)", effects::RAISES, len),
    def("__bool__", "($self, /)", effects::PURE, bool_),
    def("__getitem__", "($self, key, /)", effects::CALLS, getitem),
    def("__contains__", "($self, key, /)", effects::CALLS, contains),
    def("__iter__", "($self, /)", effects::ALLOC, iter),
    def("__reversed__", "($self, /)", effects::ALLOC, reversed),
    def("__eq__", "($self, value, /)", effects::CALLS, eq),
    def("__ne__", "($self, value, /)", effects::CALLS, ne),
    def("__hash__", "($self, /)", effects::ALLOC, hash),
    def("__repr__", "($self, /)", effects::ALLOC, repr),
    def("__reduce__", "($self, /)", effects::ALLOC, reduce),
];

pub static GETSETS: &[GetSetDef] = &[
    getter("start", |_, v| Ok(range(v).start.get())),
    getter("stop", |_, v| Ok(range(v).stop.get())),
    getter("step", |_, v| Ok(range(v).step.get())),
];

static ITER: &[NativeDef] = &[
    def("__iter__", "($self, /)", effects::PURE, |_, a| Ok(a[0])),
    def(
        "__next__",
        "($self, /)",
        effects::WRITES | effects::RAISES,
        crate::iters::next,
    ),
    def(
        "__length_hint__",
        "($self, /)",
        effects::READS,
        iter_length_hint,
    ),
    def("__reduce__", "($self, /)", effects::ALLOC, iter_reduce),
    def(
        "__setstate__",
        "($self, state, /)",
        effects::CALLS,
        iter_setstate,
    ),
];

/// Gives `range` and its iterators their methods.
pub fn install(vm: &mut Vm) {
    let t = vm.types;
    vm.add_methods(t.range, METHODS);
    vm.add_getset(t.range, GETSETS);
    vm.add_methods(t.range_iter, ITER);
    vm.add_methods(t.long_range_iter, ITER);
}

fn range(v: Value) -> Gc<PyRange> {
    Gc::from_value(v)
}

/// Numbers in `range(start, stop, step)`; the step is not zero.
fn count_of(start: &IBig, stop: &IBig, step: &IBig) -> IBig {
    let (lo, hi, by) = if *step > IBig::ZERO {
        (start, stop, step.clone())
    } else {
        (stop, start, -step)
    };
    if lo >= hi {
        return IBig::ZERO;
    }
    (hi - lo - IBig::ONE) / by + IBig::ONE
}

impl Vm {
    /// `range(start, stop, step)` of exact ints.
    pub fn new_range(&mut self, start: Value, stop: Value, step: Value) -> R {
        if step == Value::small(0) {
            return Err(self.value_error("range() arg 3 must not be zero"));
        }
        let length = match (start.as_int(), stop.as_int(), step.as_int()) {
            (Some(a), Some(b), Some(c)) => {
                let n = if c > 0 {
                    if a < b { (b - a - 1) / c + 1 } else { 0 }
                } else if a > b {
                    (a - b - 1) / -c + 1
                } else {
                    0
                };
                self.new_int(n)
            }
            _ => {
                let (a, b, c) = (
                    self.int_to_big(start),
                    self.int_to_big(stop),
                    self.int_to_big(step),
                );
                self.new_big(&count_of(&a, &b, &c))
            }
        };
        let r = self.alloc::<PyRange>(self.types.range);
        r.start.set(start);
        r.stop.set(stop);
        r.step.set(step);
        r.length.set(length);
        Ok(r.value())
    }

    /// `iter(range)`.
    pub fn range_iter(&mut self, v: Value) -> Value {
        let r = range(v);
        let (start, step, length) = (r.start.get(), r.step.get(), r.length.get());
        self.new_range_iter(start, length, step)
    }

    /// An iterator over `length` numbers from `start` on.
    fn new_range_iter(&mut self, start: Value, length: Value, step: Value) -> Value {
        if let (Some(a), Some(n), Some(s)) = (start.as_int(), length.as_int(), step.as_int()) {
            let end = i128::from(a) + i128::from(n) * i128::from(s);
            if i64::try_from(end).ok().and_then(Value::try_int).is_some() {
                let it = self.alloc::<PyRangeIter>(self.types.range_iter);
                it.next.set(a);
                it.remaining.set(n);
                it.step.set(s);
                return it.value();
            }
        }
        let it = self.alloc::<PySlice>(self.types.long_range_iter);
        it.start.set(start);
        it.stop.set(length);
        it.step.set(step);
        it.value()
    }
}

/// The next number of an iterator that goes beyond words.
pub fn long_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    use crate::ops::BinOp;
    let i = Gc::<PySlice>::from_value(it);
    if i.stop.get() == Value::small(0) {
        return Ok(None);
    }
    let v = i.start.get();
    let next = vm.int_binary(BinOp::Add, v, i.step.get())?;
    let left = vm.int_binary(BinOp::Sub, i.stop.get(), Value::small(1))?;
    i.start.set(next);
    i.stop.set(left);
    vm.write_barrier(it);
    Ok(Some(v))
}

fn new(vm: &mut Vm, a: &[Value]) -> R {
    let t = vm.types.range;
    vm.new_class_arg(a[0], t)?;
    let (zero, one) = (Value::small(0), Value::small(1));
    let args = vm.tuple_items(a[1]);
    match *args {
        [stop] => {
            let stop = vm.index(stop)?;
            vm.new_range(zero, stop, one)
        }
        [start, stop] => {
            let (start, stop) = (vm.index(start)?, vm.index(stop)?);
            vm.new_range(start, stop, one)
        }
        [start, stop, step] => {
            let (start, stop, step) = (vm.index(start)?, vm.index(stop)?, vm.index(step)?);
            vm.new_range(start, stop, step)
        }
        [] => Err(vm.type_error("range expected at least 1 argument, got 0")),
        _ => {
            let m = format!("range expected at most 3 arguments, got {}", args.len());
            Err(vm.type_error(&m))
        }
    }
}

fn len(vm: &mut Vm, a: &[Value]) -> R {
    Ok(range(a[0]).length.get()).and_then(|n| {
        if vm.int_to_i64(n).is_none() {
            return Err(vm.overflow_error("Python int too large to convert to C ssize_t"));
        }
        Ok(n)
    })
}

fn bool_(vm: &mut Vm, a: &[Value]) -> R {
    Ok(vm.bool(range(a[0]).length.get() != Value::small(0)))
}

/// `start + i * step`, in any size.
fn item(vm: &mut Vm, r: Gc<PyRange>, i: &IBig) -> Value {
    let v = vm.int_to_big(r.start.get()) + i * vm.int_to_big(r.step.get());
    vm.new_big(&v)
}

fn getitem(vm: &mut Vm, a: &[Value]) -> R {
    let r = range(a[0]);
    if vm.is_slice(a[1]) {
        let f = vm.intern("indices");
        let parts = vm.call_method(a[1], f, &[r.length.get()])?;
        let at = |vm: &Vm, i: usize| vm.int_to_big(vm.tuple_get(parts, i));
        let (x, y, z) = (at(vm, 0), at(vm, 1), at(vm, 2));
        let (start, stop) = (item(vm, r, &x), item(vm, r, &y));
        let step = vm.int_to_big(r.step.get()) * z;
        let step = vm.new_big(&step);
        return vm.new_range(start, stop, step);
    }
    let class = vm.class_of(a[1]);
    let n = vm.names.index;
    if !vm.is_int(a[1]) && vm.lookup(class, n).is_null() {
        let m = format!(
            "range indices must be integers or slices, not {}",
            vm.type_name(class)
        );
        return Err(vm.type_error(&m));
    }
    let i = vm.index(a[1])?;
    if let (Some(i), Some(n), Some(s), Some(d)) = (
        i.as_int(),
        r.length.get().as_int(),
        r.start.get().as_int(),
        r.step.get().as_int(),
    ) {
        let i = if i < 0 { i + n } else { i };
        if i < 0 || i >= n {
            return Err(vm.index_error("range object index out of range"));
        }
        // Both bounds are words, so every number between them is one.
        return Ok(vm.new_int(s + i * d));
    }
    let mut i = vm.int_to_big(i);
    let n = vm.int_to_big(r.length.get());
    if i < IBig::ZERO {
        i += &n;
    }
    if i < IBig::ZERO || i >= n {
        return Err(vm.index_error("range object index out of range"));
    }
    Ok(item(vm, r, &i))
}

/// Position of an exact int in the range.
fn position(vm: &mut Vm, r: Gc<PyRange>, v: Value) -> Option<IBig> {
    let (v, start, step) = (
        vm.int_to_big(v),
        vm.int_to_big(r.start.get()),
        vm.int_to_big(r.step.get()),
    );
    let (i, rest) = crate::int::div_mod_floor(&(v - start), &step);
    let n = vm.int_to_big(r.length.get());
    (rest == IBig::ZERO && i >= IBig::ZERO && i < n).then_some(i)
}

/// The exact int behind an `int` or `bool` object (not a subclass's instance).
fn exact_int(vm: &Vm, v: Value) -> Option<Value> {
    match vm.layout_of(v) {
        Layout::Int | Layout::Bool => vm.as_int(v),
        _ => None,
    }
}

fn contains(vm: &mut Vm, a: &[Value]) -> R {
    let found = match exact_int(vm, a[1]) {
        Some(v) => position(vm, range(a[0]), v).is_some(),
        None => search(vm, a[0], a[1])?.is_some(),
    };
    Ok(vm.bool(found))
}

/// Position of something that is no exact int, by `==`.
fn search(vm: &mut Vm, r: Value, v: Value) -> R<Option<i64>> {
    let it = vm.range_iter(r);
    let mut i = 0;
    while let Some(x) = vm.iter_next(it)? {
        if vm.eq(x, v)? {
            return Ok(Some(i));
        }
        i += 1;
    }
    Ok(None)
}

fn index(vm: &mut Vm, a: &[Value]) -> R {
    if let Some(v) = exact_int(vm, a[1]) {
        if let Some(i) = position(vm, range(a[0]), v) {
            return Ok(vm.new_big(&i));
        }
        let m = format!("{} is not in range", vm.repr_string(v)?);
        return Err(vm.value_error(&m));
    }
    match search(vm, a[0], a[1])? {
        Some(i) => Ok(vm.new_int(i)),
        None => Err(vm.value_error("sequence.index(x): x not in sequence")),
    }
}

fn count(vm: &mut Vm, a: &[Value]) -> R {
    if let Some(v) = exact_int(vm, a[1]) {
        let found = position(vm, range(a[0]), v).is_some();
        return Ok(Value::small(found.into()));
    }
    let it = vm.range_iter(a[0]);
    let mut n = 0;
    while let Some(x) = vm.iter_next(it)? {
        n += i64::from(vm.eq(x, a[1])?);
    }
    Ok(vm.new_int(n))
}

fn iter(vm: &mut Vm, a: &[Value]) -> R {
    Ok(vm.range_iter(a[0]))
}

fn reversed(vm: &mut Vm, a: &[Value]) -> R {
    let r = range(a[0]);
    let n = vm.int_to_big(r.length.get());
    let last = item(vm, r, &(n - IBig::ONE));
    let step = -vm.int_to_big(r.step.get());
    let step = vm.new_big(&step);
    Ok(vm.new_range_iter(last, r.length.get(), step))
}

/// What two equal ranges have in common: (length, first or None, step or None).
fn essence(vm: &mut Vm, r: Gc<PyRange>) -> Value {
    let none = vm.none;
    let n = r.length.get();
    let first = if n == Value::small(0) {
        none
    } else {
        r.start.get()
    };
    let step = if n == Value::small(0) || n == Value::small(1) {
        none
    } else {
        r.step.get()
    };
    vm.new_tuple(&[n, first, step])
}

fn same(vm: &mut Vm, a: &[Value]) -> R<Option<bool>> {
    if vm.layout_of(a[1]) != Layout::Range {
        return Ok(None);
    }
    let (x, y) = (essence(vm, range(a[0])), essence(vm, range(a[1])));
    vm.eq(x, y).map(Some)
}

fn eq(vm: &mut Vm, a: &[Value]) -> R {
    Ok(match same(vm, a)? {
        Some(r) => vm.bool(r),
        None => vm.not_implemented,
    })
}

fn ne(vm: &mut Vm, a: &[Value]) -> R {
    Ok(match same(vm, a)? {
        Some(r) => vm.bool(!r),
        None => vm.not_implemented,
    })
}

fn hash(vm: &mut Vm, a: &[Value]) -> R {
    let t = essence(vm, range(a[0]));
    let h = vm.hash(t)?;
    Ok(vm.new_int(h))
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let r = range(a[0]);
    let (x, y, z) = (
        vm.int_to_big(r.start.get()),
        vm.int_to_big(r.stop.get()),
        r.step.get(),
    );
    let m = if z == Value::small(1) {
        format!("range({x}, {y})")
    } else {
        format!("range({x}, {y}, {})", vm.int_to_big(z))
    };
    Ok(vm.new_str(&m))
}

fn reduce(vm: &mut Vm, a: &[Value]) -> R {
    let r = range(a[0]);
    let args = vm.new_tuple(&[r.start.get(), r.stop.get(), r.step.get()]);
    let class = vm.types.range.value();
    Ok(vm.new_tuple(&[class, args]))
}

/// Next number, remaining count and step of either kind of iterator.
fn iter_parts(vm: &mut Vm, v: Value) -> (Value, Value, Value) {
    if vm.layout_of(v) == Layout::RangeIter {
        let i = Gc::<PyRangeIter>::from_value(v);
        let (a, b, c) = (i.next.get(), i.remaining.get().max(0), i.step.get());
        (vm.new_int(a), vm.new_int(b), vm.new_int(c))
    } else {
        let i = Gc::<PySlice>::from_value(v);
        (i.start.get(), i.stop.get(), i.step.get())
    }
}

fn iter_length_hint(vm: &mut Vm, a: &[Value]) -> R {
    Ok(iter_parts(vm, a[0]).1)
}

fn iter_reduce(vm: &mut Vm, a: &[Value]) -> R {
    let (next, left, step) = iter_parts(vm, a[0]);
    let stop = vm.int_to_big(next) + vm.int_to_big(left) * vm.int_to_big(step);
    let stop = vm.new_big(&stop);
    let r = vm.new_range(next, stop, step)?;
    let f = crate::iters::builtin(vm, "iter");
    let args = vm.new_tuple(&[r]);
    Ok(vm.new_tuple(&[f, args, Value::small(0)]))
}

fn iter_setstate(vm: &mut Vm, a: &[Value]) -> R {
    let n = vm.index(a[1])?;
    let n = vm.int_to_big(n).max(IBig::ZERO);
    let (next, left, step) = iter_parts(vm, a[0]);
    let (left, step) = (vm.int_to_big(left), vm.int_to_big(step));
    let n = n.min(left.clone());
    let next = vm.int_to_big(next) + &n * step;
    let (next, left) = (vm.new_big(&next), vm.new_big(&(left - n)));
    if vm.layout_of(a[0]) == Layout::RangeIter {
        let i = Gc::<PyRangeIter>::from_value(a[0]);
        i.next.set(vm.int_to_i64(next).unwrap_or(0));
        i.remaining.set(vm.int_to_i64(left).unwrap_or(0));
    } else {
        let i = Gc::<PySlice>::from_value(a[0]);
        i.start.set(next);
        i.stop.set(left);
        vm.write_barrier(a[0]);
    }
    Ok(vm.none)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_in_both_directions() {
        let c = |a: i64, b: i64, s: i64| count_of(&IBig::from(a), &IBig::from(b), &IBig::from(s));
        assert_eq!(c(0, 10, 3), IBig::from(4));
        assert_eq!(c(10, 0, -3), IBig::from(4));
        assert_eq!(c(0, -1, 1), IBig::ZERO);
        assert_eq!(c(5, 5, -1), IBig::ZERO);
    }
}
