//! `tuple`: the class's methods.

use crate::layout::Layout;
use crate::list::{class_getitem, compare_items, repeat_count, search_bounds};
use crate::native::{NativeDef, class_def, comparisons, def, effects, static_def};
use crate::shape::shape_of;
use crate::slice::slice_range;
use crate::vm::{R, Vm};
use pyrite_bytecode::CmpOp;
use pyrite_machine::Value;

pub static METHODS: &[NativeDef] = &[
    static_def(
        "__new__",
        "($type, iterable=(), /, **kwargs=)",
        effects::CALLS,
        new,
    ),
    def(
        "index",
        "($self, value, start=0, stop=9223372036854775807, /)",
        effects::CALLS,
        index,
    ),
    def("count", "($self, value, /)", effects::CALLS, count),
    def("__len__", "($self, /)", effects::PURE, len),
    def("__getitem__", "($self, key, /)", effects::CALLS, getitem),
    def("__contains__", "($self, key, /)", effects::CALLS, contains),
    def("__iter__", "($self, /)", effects::ALLOC, iter),
    def("__add__", "($self, value, /)", effects::ALLOC, add),
    def("__mul__", "($self, value, /)", effects::CALLS, mul),
    def("__rmul__", "($self, value, /)", effects::CALLS, mul),
    def("__repr__", "($self, /)", effects::CALLS, repr),
    def("__hash__", "($self, /)", effects::CALLS, hash),
    def("__lt__", "($self, value, /)", effects::CALLS, lt),
    def("__le__", "($self, value, /)", effects::CALLS, le),
    def("__eq__", "($self, value, /)", effects::CALLS, eq),
    def("__ne__", "($self, value, /)", effects::CALLS, ne),
    def("__gt__", "($self, value, /)", effects::CALLS, gt),
    def("__ge__", "($self, value, /)", effects::CALLS, ge),
    def("__getnewargs__", "($self, /)", effects::ALLOC, getnewargs),
    class_def(
        "__class_getitem__",
        "($type, item, /)",
        effects::ALLOC,
        class_getitem,
    ),
];

/// Gives `tuple` its methods.
pub fn install(vm: &mut Vm) {
    vm.add_methods(vm.types.tuple, METHODS);
}

fn this(vm: &Vm, v: Value) -> Value {
    vm.as_tuple(v).unwrap_or(v)
}

fn new(vm: &mut Vm, a: &[Value]) -> R {
    let tuple = vm.types.tuple;
    let class = vm.new_class_arg(a[0], tuple)?;
    let init = vm.names.init;
    vm.refuse_keywords(class, tuple, init, a[2])?;
    let t = if a[1].is_null() {
        vm.empty_tuple
    } else {
        vm.tuple_from_iterable(a[1])?
    };
    Ok(vm.new_value(class, tuple, t))
}

fn index(vm: &mut Vm, a: &[Value]) -> R {
    let t = this(vm, a[0]);
    let (start, stop) = search_bounds(vm, a[2], a[3], vm.tuple_len(t))?;
    for i in start..stop.min(vm.tuple_len(t)) {
        let v = vm.tuple_get(t, i);
        if vm.eq(v, a[1])? {
            return Ok(vm.new_int(i as i64));
        }
    }
    Err(vm.value_error("tuple.index(x): x not in tuple"))
}

fn count(vm: &mut Vm, a: &[Value]) -> R {
    let mut n = 0;
    for &v in vm.tuple_items(this(vm, a[0])) {
        n += i64::from(vm.eq(v, a[1])?);
    }
    Ok(vm.new_int(n))
}

fn len(vm: &mut Vm, a: &[Value]) -> R {
    Ok(vm.new_int(vm.tuple_len(this(vm, a[0])) as i64))
}

fn getitem(vm: &mut Vm, a: &[Value]) -> R {
    let t = this(vm, a[0]);
    if vm.is_slice(a[1]) {
        let bounds = vm.slice_unpack(a[1])?;
        let n = vm.tuple_len(t);
        let r = slice_range(bounds, n);
        if r.step == 1 && r.len == n {
            return Ok(t);
        }
        let new = vm.new_tuple_uninit(r.len);
        for i in 0..r.len {
            let v = vm.tuple_get(t, r.at(i));
            vm.tuple_init(new, i, v);
        }
        return Ok(new);
    }
    let class = vm.class_of(a[1]);
    let n = vm.names.index;
    if !vm.is_int(a[1]) && vm.lookup(class, n).is_null() {
        let m = format!(
            "tuple indices must be integers or slices, not {}",
            vm.type_name(class)
        );
        return Err(vm.type_error(&m));
    }
    let i = vm.index_i64(a[1], false)?;
    let n = vm.tuple_len(t) as i64;
    let i = if i < 0 { i + n } else { i };
    if i < 0 || i >= n {
        return Err(vm.index_error("tuple index out of range"));
    }
    Ok(vm.tuple_get(t, i as usize))
}

fn contains(vm: &mut Vm, a: &[Value]) -> R {
    for &v in vm.tuple_items(this(vm, a[0])) {
        if vm.eq(v, a[1])? {
            return Ok(vm.true_);
        }
    }
    Ok(vm.false_)
}

fn iter(vm: &mut Vm, a: &[Value]) -> R {
    let t = this(vm, a[0]);
    Ok(vm.new_seq_iter(t, vm.types.tuple_iter))
}

fn add(vm: &mut Vm, a: &[Value]) -> R {
    let x = this(vm, a[0]);
    let Some(y) = vm.as_tuple(a[1]) else {
        return Ok(vm.not_implemented);
    };
    let (n, m) = (vm.tuple_len(x), vm.tuple_len(y));
    if n == 0 {
        return Ok(y);
    }
    if m == 0 {
        return Ok(x);
    }
    let new = vm.new_tuple_uninit(n + m);
    for (i, &v) in vm
        .tuple_items(x)
        .iter()
        .chain(vm.tuple_items(y))
        .enumerate()
    {
        vm.tuple_init(new, i, v);
    }
    Ok(new)
}

fn mul(vm: &mut Vm, a: &[Value]) -> R {
    let t = this(vm, a[0]);
    let len = vm.tuple_len(t);
    let Some(n) = repeat_count(vm, a[1], len, 8)? else {
        return Ok(vm.not_implemented);
    };
    if n == 1 || len == 0 {
        return Ok(t);
    }
    let new = vm.new_tuple_uninit(len * n);
    for i in 0..len * n {
        let v = vm.tuple_get(t, i % len);
        vm.tuple_init(new, i, v);
    }
    Ok(new)
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let t = this(vm, a[0]);
    let n = vm.tuple_len(t);
    let close = if n == 1 { ",)" } else { ")" };
    vm.repr_items(a[0], "(", close, "(...)", |vm, i, out| {
        if i >= n {
            return Ok(false);
        }
        let v = vm.tuple_get(t, i);
        let r = vm.repr(v)?;
        vm.list_append(out, r);
        Ok(true)
    })
}

/// xxHash's way of mixing item hashes, as CPython does it.
fn hash(vm: &mut Vm, a: &[Value]) -> R {
    let h = vm.hash_tuple(this(vm, a[0]))?;
    Ok(vm.new_int(h))
}

/// CPython's combination of the items' hashes, xxHash's rounds.
fn combine<E>(n: usize, mut item: impl FnMut(usize) -> Result<i64, E>) -> Result<i64, E> {
    const P1: u64 = 11_400_714_785_074_694_791;
    const P2: u64 = 14_029_467_366_897_019_727;
    const P5: u64 = 2_870_177_450_012_600_261;
    let mut acc = P5;
    for i in 0..n {
        let lane = item(i)? as u64;
        acc = acc.wrapping_add(lane.wrapping_mul(P2));
        acc = acc.rotate_left(31).wrapping_mul(P1);
    }
    acc = acc.wrapping_add(n as u64 ^ (P5 ^ 3_527_539));
    Ok(if acc == u64::MAX {
        1_546_275_796
    } else {
        acc as i64
    })
}

/// Tuples in tuples deeper than this are compared and hashed the general way.
const MAX_NESTED: u32 = 4;

impl Vm {
    /// The hash of a tuple's items; theirs may raise.
    pub(crate) fn hash_tuple(&mut self, t: Value) -> R<i64> {
        self.enter_native()?;
        combine(self.tuple_len(t), |i| {
            let v = self.tuple_get(t, i);
            self.hash(v)
        })
    }

    /// The hash of an `int`, a `str` or a tuple of such; `None` for anything else.
    #[inline]
    pub(crate) fn hash_plain(&self, v: Value) -> Option<i64> {
        if v.is_int() {
            return Some(self.hash_int(v));
        }
        if !v.is_ptr() {
            return None;
        }
        match shape_of(v).layout {
            Layout::Str => Some(self.str_hash(v)),
            Layout::Int => Some(self.hash_int(v)),
            Layout::Tuple => self.hash_plain_tuple(v, 0),
            _ => None,
        }
    }

    fn hash_plain_tuple(&self, t: Value, depth: u32) -> Option<i64> {
        if shape_of(t).class() != self.types.tuple || depth == MAX_NESTED {
            return None;
        }
        combine(self.tuple_len(t), |i| {
            let v = self.tuple_get(t, i);
            let h = if v.is_ptr() && shape_of(v).layout == Layout::Tuple {
                self.hash_plain_tuple(v, depth + 1)
            } else {
                self.hash_plain(v)
            };
            h.ok_or(())
        })
        .ok()
    }

    /// Equality of two tuples whose items tell it without running Python code.
    pub(crate) fn quick_eq_tuples(&self, a: Value, b: Value, depth: u32) -> Option<bool> {
        let tuple = self.types.tuple;
        if shape_of(a).class() != tuple || shape_of(b).class() != tuple || depth == MAX_NESTED {
            return None;
        }
        let n = self.tuple_len(a);
        if n != self.tuple_len(b) {
            return Some(false);
        }
        for i in 0..n {
            let (x, y) = (self.tuple_get(a, i), self.tuple_get(b, i));
            let is_tuple = |v: Value| v.is_ptr() && shape_of(v).layout == Layout::Tuple;
            let same = if x != y && is_tuple(x) && is_tuple(y) {
                self.quick_eq_tuples(x, y, depth + 1)
            } else {
                self.quick_eq(x, y)
            };
            if same != Some(true) {
                return same;
            }
        }
        Some(true)
    }
}

comparisons!(compare);

fn compare(vm: &mut Vm, op: CmpOp, a: &[Value]) -> R {
    let x = this(vm, a[0]);
    let Some(y) = vm.as_tuple(a[1]) else {
        return Ok(vm.not_implemented);
    };
    compare_items(vm, op, x, y, |vm, t| vm.tuple_items(t))
}

fn getnewargs(vm: &mut Vm, a: &[Value]) -> R {
    let t = this(vm, a[0]);
    Ok(vm.new_tuple(&[t]))
}
