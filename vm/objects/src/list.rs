//! `list`: the class's methods. Sorting has a file of its own, `sort.rs`.

pub use crate::sort::sort;

use crate::layout::{Array, Gc, Layout, PyList, PySeqIter};
use crate::native::{NativeDef, class_def, comparisons, def, effects, intrinsic, static_def};
use crate::shape::shape_of;
use crate::slice::slice_range;
use crate::vm::{R, Vm};
use pyrite_bytecode::CmpOp;
use pyrite_machine::Value;

pub static METHODS: &[NativeDef] = &[
    static_def(
        "__new__",
        "($type, /, *_args, **_kwargs)",
        effects::ALLOC,
        new,
    ),
    def(
        "__init__",
        "($self, iterable=(), /, **kwargs=)",
        effects::CALLS,
        init,
    ),
    def(
        "append",
        "($self, object, /)",
        effects::WRITES | effects::ALLOC,
        append,
    )
    .known(intrinsic::LIST_APPEND),
    def("extend", "($self, iterable, /)", effects::CALLS, extend),
    def(
        "insert",
        "($self, index, object, /)",
        effects::CALLS,
        insert,
    ),
    def("pop", "($self, index=-1, /)", effects::CALLS, pop),
    def("remove", "($self, value, /)", effects::CALLS, remove),
    def(
        "index",
        "($self, value, start=0, stop=9223372036854775807, /)",
        effects::CALLS,
        index,
    ),
    def("count", "($self, value, /)", effects::CALLS, count),
    def("reverse", "($self, /)", effects::WRITES, reverse),
    def(
        "sort",
        "($self, /, *, key=None, reverse=False)",
        effects::CALLS,
        sort_method,
    ),
    def("copy", "($self, /)", effects::ALLOC | effects::READS, copy),
    def("clear", "($self, /)", effects::WRITES, clear),
    def("__len__", "($self, /)", effects::READS, len),
    def("__getitem__", "($self, index, /)", effects::CALLS, getitem),
    def(
        "__setitem__",
        "($self, key, value, /)",
        effects::CALLS,
        setitem,
    ),
    def("__delitem__", "($self, key, /)", effects::CALLS, delitem),
    def("__contains__", "($self, key, /)", effects::CALLS, contains),
    def("__iter__", "($self, /)", effects::ALLOC, iter),
    def("__reversed__", "($self, /)", effects::ALLOC, reversed),
    def(
        "__add__",
        "($self, value, /)",
        effects::ALLOC | effects::READS,
        add,
    ),
    def("__iadd__", "($self, value, /)", effects::CALLS, iadd),
    def("__mul__", "($self, value, /)", effects::CALLS, mul),
    def("__rmul__", "($self, value, /)", effects::CALLS, mul),
    def("__imul__", "($self, value, /)", effects::CALLS, imul),
    def("__repr__", "($self, /)", effects::CALLS, repr),
    def("__lt__", "($self, value, /)", effects::CALLS, lt),
    def("__le__", "($self, value, /)", effects::CALLS, le),
    def("__eq__", "($self, value, /)", effects::CALLS, eq),
    def("__ne__", "($self, value, /)", effects::CALLS, ne),
    def("__gt__", "($self, value, /)", effects::CALLS, gt),
    def("__ge__", "($self, value, /)", effects::CALLS, ge),
    def("__sizeof__", "($self, /)", effects::READS, sizeof),
    class_def(
        "__class_getitem__",
        "($type, item, /)",
        effects::ALLOC,
        class_getitem,
    ),
];

/// Gives `list` its methods.
pub fn install(vm: &mut Vm) {
    let t = vm.types.list;
    vm.add_methods(t, METHODS);
    let none = vm.none;
    vm.type_set(t, "__hash__", none);
}

/// `class[item]` of built-in containers.
pub fn class_getitem(vm: &mut Vm, a: &[Value]) -> R {
    crate::misc::generic_alias(vm, a[0], a[1])
}

fn new(vm: &mut Vm, a: &[Value]) -> R {
    let list = vm.types.list;
    let class = vm.new_class_arg(a[0], list)?;
    Ok(vm.new_instance(class))
}

fn init(vm: &mut Vm, a: &[Value]) -> R {
    let (class, list, new) = (vm.class_of(a[0]), vm.types.list, vm.names.new);
    vm.refuse_keywords(class, list, new, a[2])?;
    vm.list_clear(a[0]);
    if a[1].is_some() {
        vm.list_extend(a[0], a[1])?;
    }
    Ok(vm.none)
}

fn append(vm: &mut Vm, a: &[Value]) -> R {
    vm.list_append(a[0], a[1]);
    Ok(vm.none)
}

fn extend(vm: &mut Vm, a: &[Value]) -> R {
    vm.list_extend(a[0], a[1])?;
    Ok(vm.none)
}

fn insert(vm: &mut Vm, a: &[Value]) -> R {
    let i = vm.index_i64(a[1], false)?;
    let n = vm.list_len(a[0]) as i64;
    let i = if i < 0 { (i + n).max(0) } else { i.min(n) } as usize;
    vm.list_splice(a[0], i, i, &[a[2]]);
    Ok(vm.none)
}

fn pop(vm: &mut Vm, a: &[Value]) -> R {
    let mut i = if a[1].is_null() {
        -1
    } else {
        vm.index_i64(a[1], false)?
    };
    let n = vm.list_len(a[0]) as i64;
    if n == 0 {
        return Err(vm.index_error("pop from empty list"));
    }
    if i < 0 {
        i += n;
    }
    if i < 0 || i >= n {
        return Err(vm.index_error("pop index out of range"));
    }
    Ok(vm.list_remove(a[0], i as usize))
}

fn remove(vm: &mut Vm, a: &[Value]) -> R {
    let mut i = 0;
    while i < vm.list_len(a[0]) {
        let v = vm.list_get(a[0], i);
        if vm.eq(v, a[1])? {
            if i < vm.list_len(a[0]) {
                vm.list_remove(a[0], i);
            }
            return Ok(vm.none);
        }
        i += 1;
    }
    Err(vm.value_error("list.remove(x): x not in list"))
}

/// Optional bounds of `index` methods, from the end if negative.
pub fn search_bounds(vm: &mut Vm, start: Value, stop: Value, n: usize) -> R<(usize, usize)> {
    let mut part = |v: Value, default: i64| -> R<i64> {
        if v.is_null() {
            return Ok(default);
        }
        let class = vm.class_of(v);
        let ix = vm.names.index;
        if !vm.is_int(v) && vm.lookup(class, ix).is_null() {
            return Err(vm.type_error("slice indices must be integers or have an __index__ method"));
        }
        let i = vm.index_i64(v, true)?;
        Ok(if i < 0 {
            i.saturating_add(n as i64).max(0)
        } else {
            i
        })
    };
    let start = part(start, 0)?;
    let stop = part(stop, i64::MAX)?;
    Ok((start as usize, stop as usize))
}

fn index(vm: &mut Vm, a: &[Value]) -> R {
    let n = vm.list_len(a[0]);
    let (start, stop) = search_bounds(vm, a[2], a[3], n)?;
    let mut i = start;
    while i < stop && i < vm.list_len(a[0]) {
        let v = vm.list_get(a[0], i);
        if vm.eq(v, a[1])? {
            return Ok(vm.new_int(i as i64));
        }
        i += 1;
    }
    let m = format!("{} is not in list", vm.repr_string(a[1])?);
    Err(vm.value_error(&m))
}

fn count(vm: &mut Vm, a: &[Value]) -> R {
    let (mut n, mut i) = (0, 0);
    while i < vm.list_len(a[0]) {
        let v = vm.list_get(a[0], i);
        n += i64::from(vm.eq(v, a[1])?);
        i += 1;
    }
    Ok(vm.new_int(n))
}

fn reverse(vm: &mut Vm, a: &[Value]) -> R {
    reverse_in_place(vm, a[0]);
    Ok(vm.none)
}

fn reverse_in_place(vm: &mut Vm, l: Value) {
    let n = vm.list_len(l);
    for i in 0..n / 2 {
        let (x, y) = (vm.list_get(l, i), vm.list_get(l, n - 1 - i));
        vm.list_put(l, i, y);
        vm.list_put(l, n - 1 - i, x);
    }
}

fn sort_method(vm: &mut Vm, a: &[Value]) -> R {
    let key = if a[1] == vm.none { Value::NULL } else { a[1] };
    let reverse = if a[2].is_null() {
        false
    } else {
        sort_flag(vm, a[2])?
    };
    sort(vm, a[0], key, reverse)?;
    Ok(vm.none)
}

/// The `reverse` argument of `sort` and `sorted`: an int's truth.
pub fn sort_flag(vm: &mut Vm, v: Value) -> R<bool> {
    let i = vm.index(v)?;
    Ok(i != Value::small(0))
}

fn copy(vm: &mut Vm, a: &[Value]) -> R {
    Ok(copy_range(vm, a[0], 0, vm.list_len(a[0])))
}

fn copy_range(vm: &mut Vm, l: Value, from: usize, to: usize) -> Value {
    let new = vm.new_list_with_capacity(to - from);
    for i in from..to {
        let v = vm.list_get(l, i);
        vm.list_append(new, v);
    }
    new
}

fn clear(vm: &mut Vm, a: &[Value]) -> R {
    vm.list_clear(a[0]);
    Ok(vm.none)
}

fn len(vm: &mut Vm, a: &[Value]) -> R {
    Ok(vm.new_int(vm.list_len(a[0]) as i64))
}

/// An index given by Python, made positive; `None`: it is a slice.
fn item_index(vm: &mut Vm, l: Value, i: Value, what: &str) -> R<Option<usize>> {
    if vm.is_slice(i) {
        return Ok(None);
    }
    let class = vm.class_of(i);
    let n = vm.names.index;
    if !vm.is_int(i) && vm.lookup(class, n).is_null() {
        let m = format!(
            "list indices must be integers or slices, not {}",
            vm.type_name(class)
        );
        return Err(vm.type_error(&m));
    }
    let k = vm.index_i64(i, false)?;
    let n = vm.list_len(l) as i64;
    let k = if k < 0 { k + n } else { k };
    if k < 0 || k >= n {
        return Err(vm.index_error(&format!("list {what}index out of range")));
    }
    Ok(Some(k as usize))
}

fn getitem(vm: &mut Vm, a: &[Value]) -> R {
    if let Some(i) = item_index(vm, a[0], a[1], "")? {
        return Ok(vm.list_get(a[0], i));
    }
    let bounds = vm.slice_unpack(a[1])?;
    let r = slice_range(bounds, vm.list_len(a[0]));
    if r.step == 1 {
        let from = r.start as usize;
        return Ok(copy_range(vm, a[0], from, from + r.len));
    }
    let new = vm.new_list_with_capacity(r.len);
    for i in 0..r.len {
        let v = vm.list_get(a[0], r.at(i));
        vm.list_append(new, v);
    }
    Ok(new)
}

fn setitem(vm: &mut Vm, a: &[Value]) -> R {
    if let Some(i) = item_index(vm, a[0], a[1], "assignment ")? {
        vm.list_put(a[0], i, a[2]);
        return Ok(vm.none);
    }
    let bounds = vm.slice_unpack(a[1])?;
    let items = if vm.is_list(a[2]) && a[2] != a[0] && vm.class_of(a[2]) == vm.types.list {
        a[2]
    } else {
        let class = vm.class_of(a[2]);
        let n = vm.names;
        if vm.lookup(class, n.iter).is_null() && vm.lookup(class, n.getitem).is_null() {
            let m = if bounds.2 == 1 {
                "can only assign an iterable"
            } else {
                "must assign iterable to extended slice"
            };
            return Err(vm.type_error(m));
        }
        vm.list_from_iterable(a[2])?
    };
    let r = slice_range(bounds, vm.list_len(a[0]));
    let n = vm.list_len(items);
    if r.step == 1 {
        let from = r.start as usize;
        let to = from.max(r.stop.max(0) as usize);
        splice_list(vm, a[0], from, to, items);
        return Ok(vm.none);
    }
    if n != r.len {
        let m = format!(
            "attempt to assign sequence of size {n} to extended slice of size {}",
            r.len
        );
        return Err(vm.value_error(&m));
    }
    for i in 0..n {
        let v = vm.list_get(items, i);
        vm.list_put(a[0], r.at(i), v);
    }
    Ok(vm.none)
}

/// Replaces `l[from..to]` by the items of another list.
fn splice_list(vm: &mut Vm, l: Value, from: usize, to: usize, items: Value) {
    // The other list's storage stays where it is: `items` holds it, and nothing
    // in a splice changes it.
    let keep = Gc::<PyList>::from_value(items).items.get();
    let with = vm.list_items(items);
    vm.list_splice(l, from, to, with);
    std::hint::black_box(keep);
}

fn delitem(vm: &mut Vm, a: &[Value]) -> R {
    if let Some(i) = item_index(vm, a[0], a[1], "assignment ")? {
        vm.list_remove(a[0], i);
        return Ok(vm.none);
    }
    let bounds = vm.slice_unpack(a[1])?;
    let r = slice_range(bounds, vm.list_len(a[0]));
    if r.len == 0 {
        return Ok(vm.none);
    }
    if r.step == 1 {
        let from = r.start as usize;
        vm.list_splice(a[0], from, from + r.len, &[]);
        return Ok(vm.none);
    }
    // Keep what is not selected, in one pass.
    let (first, step) = if r.step < 0 {
        (r.at(r.len - 1), (-r.step) as usize)
    } else {
        (r.at(0), r.step as usize)
    };
    let last = first + step * (r.len - 1);
    let n = vm.list_len(a[0]);
    let mut to = first;
    for i in first..n {
        if i <= last && (i - first) % step == 0 {
            continue;
        }
        let v = vm.list_get(a[0], i);
        vm.list_put(a[0], to, v);
        to += 1;
    }
    vm.list_splice(a[0], to, n, &[]);
    Ok(vm.none)
}

fn contains(vm: &mut Vm, a: &[Value]) -> R {
    let mut i = 0;
    while i < vm.list_len(a[0]) {
        let v = vm.list_get(a[0], i);
        if vm.eq(v, a[1])? {
            return Ok(vm.true_);
        }
        i += 1;
    }
    Ok(vm.false_)
}

fn iter(vm: &mut Vm, a: &[Value]) -> R {
    Ok(vm.new_seq_iter(a[0], vm.types.list_iter))
}

fn reversed(vm: &mut Vm, a: &[Value]) -> R {
    let class = vm.types.list_reverse_iter;
    let it = vm.new_seq_iter(a[0], class);
    Gc::<PySeqIter>::from_value(it).index.set(vm.list_len(a[0]));
    Ok(it)
}

fn add(vm: &mut Vm, a: &[Value]) -> R {
    if !vm.is_list(a[1]) {
        return Ok(vm.not_implemented);
    }
    let (n, m) = (vm.list_len(a[0]), vm.list_len(a[1]));
    let new = vm.new_list_with_capacity(n + m);
    for (l, n) in [(a[0], n), (a[1], m)] {
        for i in 0..n {
            let v = vm.list_get(l, i);
            vm.list_append(new, v);
        }
    }
    Ok(new)
}

fn iadd(vm: &mut Vm, a: &[Value]) -> R {
    vm.list_extend(a[0], a[1])?;
    Ok(a[0])
}

/// The count of a sequence repetition; `None`: not an integer. `item` is the size of
/// an item in bytes.
///
/// # Errors
/// OverflowError, and MemoryError when there is no room for the result.
pub fn repeat_count(vm: &mut Vm, v: Value, len: usize, item: usize) -> R<Option<usize>> {
    let class = vm.class_of(v);
    let n = vm.names.index;
    if !vm.is_int(v) && vm.lookup(class, n).is_null() {
        return Ok(None);
    }
    let i = vm.index(v)?;
    let Some(n) = vm.int_to_i64(i) else {
        let m = format!(
            "cannot fit '{}' into an index-sized integer",
            vm.class_name(v)
        );
        return Err(vm.overflow_error(&m));
    };
    let n = n.max(0) as usize;
    let Some(total) = len.checked_mul(n) else {
        return Err(vm.memory_error(""));
    };
    vm.room_for(total.saturating_mul(item))?;
    Ok(Some(n))
}

fn mul(vm: &mut Vm, a: &[Value]) -> R {
    let len = vm.list_len(a[0]);
    let Some(n) = repeat_count(vm, a[1], len, 8)? else {
        return Ok(vm.not_implemented);
    };
    let len = vm.list_len(a[0]);
    let new = vm.new_list_with_capacity(len * n);
    fill_repeated(vm, new, a[0], len, n);
    Ok(new)
}

/// Fills the empty list `new`, which has room, with `n` times the first `len` items of `from`.
fn fill_repeated(vm: &mut Vm, new: Value, from: Value, len: usize, n: usize) {
    if len * n == 0 {
        return;
    }
    let to = Gc::<PyList>::from_value(new);
    let array = Gc::<Array>::from_value(to.items.get());
    let src = Gc::<Array>::from_value(Gc::<PyList>::from_value(from).items.get());
    // SAFETY: `array` was made with room for `len * n` items.
    unsafe {
        for k in 0..n {
            std::ptr::copy_nonoverlapping(src.slots(), array.slots().add(k * len), len);
        }
    }
    to.len.set(len * n);
    vm.write_barrier(array.value());
}

fn imul(vm: &mut Vm, a: &[Value]) -> R {
    let len = vm.list_len(a[0]);
    let Some(n) = repeat_count(vm, a[1], len, 8)? else {
        return Ok(vm.not_implemented);
    };
    let len = vm.list_len(a[0]);
    if n == 0 {
        vm.list_clear(a[0]);
    } else if len > 0 {
        let copy = copy_range(vm, a[0], 0, len);
        vm.list_reserve(a[0], len * n);
        for _ in 1..n {
            for i in 0..len {
                let v = vm.list_get(copy, i);
                vm.list_append(a[0], v);
            }
        }
    }
    Ok(a[0])
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let l = a[0];
    if vm.list_len(l) == 0 {
        return Ok(vm.new_str("[]"));
    }
    vm.repr_items(l, "[", "]", "[...]", |vm, i, out| {
        if i >= vm.list_len(l) {
            return Ok(false);
        }
        let v = vm.list_get(l, i);
        let r = vm.repr(v)?;
        vm.list_append(out, r);
        Ok(true)
    })
}

comparisons!(compare);

fn compare(vm: &mut Vm, op: CmpOp, a: &[Value]) -> R {
    if !a[1].is_ptr() || shape_of(a[1]).layout != Layout::List {
        return Ok(vm.not_implemented);
    }
    compare_items(vm, op, a[0], a[1], |vm, l| vm.list_items(l))
}

/// Lexicographic comparison of two sequences, whose items may change while they
/// are compared.
pub fn compare_items(
    vm: &mut Vm,
    op: CmpOp,
    a: Value,
    b: Value,
    items: fn(&Vm, Value) -> &'static [Value],
) -> R {
    vm.enter_native()?;
    if matches!(op, CmpOp::Eq | CmpOp::Ne) && items(vm, a).len() != items(vm, b).len() {
        return Ok(vm.bool(op == CmpOp::Ne));
    }
    let mut i = 0;
    loop {
        let (x, y) = (items(vm, a), items(vm, b));
        if i >= x.len() || i >= y.len() {
            let (n, m) = (
                Value::int_unchecked(x.len() as i64),
                Value::int_unchecked(y.len() as i64),
            );
            return vm.compare(op, n, m);
        }
        let (x, y) = (x[i], y[i]);
        if !vm.eq(x, y)? {
            // The comparison may have changed both.
            if i >= items(vm, a).len() || i >= items(vm, b).len() {
                continue;
            }
            return match op {
                CmpOp::Eq => Ok(vm.false_),
                CmpOp::Ne => Ok(vm.true_),
                _ => vm.compare(op, x, y),
            };
        }
        i += 1;
    }
}

fn sizeof(vm: &mut Vm, a: &[Value]) -> R {
    let items = Gc::<PyList>::from_value(a[0]).items.get();
    let own = crate::heap::size_of_object(a[0]);
    let extra = if items.is_null() {
        0
    } else {
        crate::heap::size_of_object(items)
    };
    Ok(vm.new_int((own + extra) as i64))
}
