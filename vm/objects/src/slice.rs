//! `slice`, and what slices mean to sequences.

use crate::layout::{Gc, Layout, PySlice};
use crate::native::{GetSetDef, NativeDef, comparisons, def, effects, getter, static_def};
use crate::shape::shape_of;
use crate::vm::{R, Vm};
use pyrite_bytecode::CmpOp;
use pyrite_machine::Value;

pub static METHODS: &[NativeDef] = &[
    static_def(
        "__new__",
        "($type, *args)",
        effects::ALLOC | effects::RAISES,
        new,
    ),
    def("indices", "($self, length, /)", effects::ANY, indices),
    def("__repr__", "($self, /)", effects::ANY, repr),
    def("__lt__", "($self, value, /)", effects::ANY, lt),
    def("__le__", "($self, value, /)", effects::ANY, le),
    def("__eq__", "($self, value, /)", effects::ANY, eq),
    def("__ne__", "($self, value, /)", effects::ANY, ne),
    def("__gt__", "($self, value, /)", effects::ANY, gt),
    def("__ge__", "($self, value, /)", effects::ANY, ge),
    def("__reduce__", "($self, /)", effects::ALLOC, reduce),
];

pub static GETSETS: &[GetSetDef] = &[
    getter("start", |_, v| Ok(Gc::<PySlice>::from_value(v).start.get())),
    getter("stop", |_, v| Ok(Gc::<PySlice>::from_value(v).stop.get())),
    getter("step", |_, v| Ok(Gc::<PySlice>::from_value(v).step.get())),
];

/// Gives `slice` its methods.
pub fn install(vm: &mut Vm) {
    let t = vm.types.slice;
    vm.add_methods(t, METHODS);
    vm.add_getset(t, GETSETS);
    let none = vm.none;
    vm.type_set(t, "__hash__", none);
}

/// What a slice selects from a sequence of known length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub start: i64,
    pub stop: i64,
    /// Never 0.
    pub step: i64,
    /// Items selected.
    pub len: usize,
}

impl Range {
    /// Index of the `i`-th selected item.
    pub fn at(&self, i: usize) -> usize {
        (self.start + self.step * i as i64) as usize
    }
}

impl Vm {
    /// `slice(start, stop, step)`.
    pub fn new_slice(&mut self, start: Value, stop: Value, step: Value) -> Value {
        let s = self.alloc::<PySlice>(self.types.slice);
        s.start.set(start);
        s.stop.set(stop);
        s.step.set(step);
        s.value()
    }

    /// True for a `slice` object.
    #[inline]
    pub fn is_slice(&self, v: Value) -> bool {
        v.is_ptr() && shape_of(v).layout == Layout::Slice
    }

    fn slice_part(&mut self, v: Value) -> R<Option<i64>> {
        if v == self.none {
            return Ok(None);
        }
        let class = self.class_of(v);
        let n = self.names.index;
        if !self.is_int(v) && self.lookup(class, n).is_null() {
            return Err(self
                .type_error("slice indices must be integers or None or have an __index__ method"));
        }
        self.index_i64(v, true).map(Some)
    }

    /// Bounds of a slice as given, clamped to machine integers; [`slice_range`]
    /// applies them to a length. Runs `__index__`, so take the length afterwards.
    pub fn slice_unpack(&mut self, s: Value) -> R<(Option<i64>, Option<i64>, i64)> {
        let s = Gc::<PySlice>::from_value(s);
        let step = self.slice_part(s.step.get())?.unwrap_or(1);
        if step == 0 {
            return Err(self.value_error("slice step cannot be zero"));
        }
        let start = self.slice_part(s.start.get())?;
        let stop = self.slice_part(s.stop.get())?;
        Ok((start, stop, step.max(-i64::MAX)))
    }
}

/// Applies a slice's bounds to a sequence of `len` items.
pub fn slice_range(bounds: (Option<i64>, Option<i64>, i64), len: usize) -> Range {
    let (start, stop, step) = bounds;
    let n = len as i64;
    let clamp = |v: i64| {
        let v = if v < 0 { v.saturating_add(n) } else { v };
        if step < 0 {
            v.clamp(-1, n - 1)
        } else {
            v.clamp(0, n)
        }
    };
    let (first, last) = if step < 0 { (n - 1, -1) } else { (0, n) };
    let start = start.map_or(first, clamp);
    let stop = stop.map_or(last, clamp);
    let count = if step < 0 {
        if stop < start {
            (start - stop - 1) / -step + 1
        } else {
            0
        }
    } else if start < stop {
        (stop - start - 1) / step + 1
    } else {
        0
    };
    Range {
        start,
        stop,
        step,
        len: count as usize,
    }
}

fn new(vm: &mut Vm, a: &[Value]) -> R {
    let slice = vm.types.slice;
    vm.new_class_arg(a[0], slice)?;
    let none = vm.none;
    let args = vm.tuple_items(a[1]);
    match *args {
        [stop] => Ok(vm.new_slice(none, stop, none)),
        [start, stop] => Ok(vm.new_slice(start, stop, none)),
        [start, stop, step] => Ok(vm.new_slice(start, stop, step)),
        [] => Err(vm.type_error("slice expected at least 1 argument, got 0")),
        _ => {
            let m = format!("slice expected at most 3 arguments, got {}", args.len());
            Err(vm.type_error(&m))
        }
    }
}

/// `slice.indices` works on ints of any size.
fn indices(vm: &mut Vm, a: &[Value]) -> R {
    use dashu_int::IBig;
    let s = Gc::<PySlice>::from_value(a[0]);
    let length = vm.index(a[1])?;
    let length = vm.int_to_big(length);
    if length < IBig::ZERO {
        return Err(vm.value_error("length should not be negative"));
    }
    let part = |vm: &mut Vm, v: Value| -> R<Option<IBig>> {
        if v == vm.none {
            return Ok(None);
        }
        let class = vm.class_of(v);
        let n = vm.names.index;
        if !vm.is_int(v) && vm.lookup(class, n).is_null() {
            return Err(
                vm.type_error("slice indices must be integers or None or have an __index__ method")
            );
        }
        let i = vm.index(v)?;
        Ok(Some(vm.int_to_big(i)))
    };
    let step = part(vm, s.step.get())?.unwrap_or(IBig::ONE);
    if step == IBig::ZERO {
        return Err(vm.value_error("slice step cannot be zero"));
    }
    let negative = step < IBig::ZERO;
    let (lower, upper) = if negative {
        (IBig::NEG_ONE, &length - IBig::ONE)
    } else {
        (IBig::ZERO, length.clone())
    };
    let clamp = |v: IBig| {
        if v < IBig::ZERO {
            (v + &length).max(lower.clone())
        } else {
            v.min(upper.clone())
        }
    };
    let start = match part(vm, s.start.get())? {
        Some(v) => clamp(v),
        None if negative => upper.clone(),
        None => lower.clone(),
    };
    let stop = match part(vm, s.stop.get())? {
        Some(v) => clamp(v),
        None if negative => lower.clone(),
        None => upper.clone(),
    };
    let (x, y, z) = (vm.new_big(&start), vm.new_big(&stop), vm.new_big(&step));
    Ok(vm.new_tuple(&[x, y, z]))
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let s = Gc::<PySlice>::from_value(a[0]);
    let parts = [s.start.get(), s.stop.get(), s.step.get()];
    vm.repr_items(a[0], "slice(", ")", "slice(...)", |vm, i, out| {
        let Some(&v) = parts.get(i) else {
            return Ok(false);
        };
        let r = vm.repr(v)?;
        vm.list_append(out, r);
        Ok(true)
    })
}

comparisons!(compare);

fn compare(vm: &mut Vm, op: CmpOp, a: &[Value]) -> R {
    if !vm.is_slice(a[1]) {
        return Ok(vm.not_implemented);
    }
    let t = |vm: &mut Vm, v: Value| {
        let s = Gc::<PySlice>::from_value(v);
        vm.new_tuple(&[s.start.get(), s.stop.get(), s.step.get()])
    };
    if a[0] == a[1] {
        return Ok(vm.bool(matches!(op, CmpOp::Eq | CmpOp::Le | CmpOp::Ge)));
    }
    let (x, y) = (t(vm, a[0]), t(vm, a[1]));
    vm.compare(op, x, y)
}

fn reduce(vm: &mut Vm, a: &[Value]) -> R {
    let s = Gc::<PySlice>::from_value(a[0]);
    let args = vm.new_tuple(&[s.start.get(), s.stop.get(), s.step.get()]);
    let class = vm.types.slice.value();
    Ok(vm.new_tuple(&[class, args]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_cut_to_the_length() {
        let r = slice_range((None, None, -1), 3);
        assert_eq!((r.start, r.stop, r.len), (2, -1, 3));
        assert_eq!(slice_range((Some(-100), Some(100), 2), 5).len, 3);
        assert_eq!(slice_range((Some(4), Some(1), 1), 5).len, 0);
        assert_eq!(slice_range((Some(i64::MAX), None, -2), 5).at(2), 0);
        assert_eq!(slice_range((None, None, 1), 0).len, 0);
    }
}
