//! `deque`: a ring of value words whose size is a power of two.
//!
//! Item `i` lies in slot `(head + i) mod size`; free slots are null. Every change
//! of length counts up `version`, by which iterators notice it.

use crate::args::ssize;
use crate::{class, slots};
use pyrite_machine::Value;
use pyrite_objects::layout::{Array, Gc, Layout, PyType};
use pyrite_objects::list::{class_getitem, repeat_count};
use pyrite_objects::native::{GetSetDef, NativeDef, class_def, def, effects, getter, new_def};
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};
use pyrite_objects::{CmpOp, comparisons, next_def, object_layout};

object_layout! {
    /// `deque`
    Deque [Library, RAW3] {
        head: usize,
        len: usize,
        version: usize,
        /// The ring, or null while nothing was ever added.
        items: Value,
        /// An int, or null for no limit.
        maxlen: Value,
    }
}
object_layout! {
    /// Iterators in both directions: `index` items were given, `left` are to come.
    DequeIter [Library, RAW3] { index: usize, left: usize, version: usize, deque: Value }
}

fn deque(v: Value) -> Gc<Deque> {
    Gc::from_value(v)
}

fn deque_iter(v: Value) -> Gc<DequeIter> {
    Gc::from_value(v)
}

fn deque_class(vm: &Vm) -> Gc<PyType> {
    Gc::from_value(vm.statics[slots::DEQUE])
}

fn is_deque(vm: &Vm, v: Value) -> bool {
    vm.is_instance(v, deque_class(vm))
}

impl Deque {
    fn ring(&self) -> Gc<Array> {
        Gc::from_value(self.items.get())
    }

    fn slot(&self, i: usize) -> usize {
        (self.head.get() + i) & (self.ring().cap.get() - 1)
    }

    /// Item `i`, which is below the length.
    fn get(&self, i: usize) -> Value {
        self.ring().at(self.slot(i))
    }

    fn max(&self) -> Option<usize> {
        let m = self.maxlen.get();
        if m.is_null() {
            None
        } else {
            Some(m.as_int().map_or(usize::MAX, |m| m as usize))
        }
    }

    fn changed(&self) {
        self.version.set(self.version.get().wrapping_add(1));
    }
}

fn put(vm: &mut Vm, d: Gc<Deque>, i: usize, v: Value) {
    let slot = d.slot(i);
    d.ring().put(vm, slot, v);
}

/// Makes room for one item more.
fn reserve(vm: &mut Vm, d: Gc<Deque>) {
    let n = d.len.get();
    if d.items.get().is_some() && n < d.ring().cap.get() {
        return;
    }
    let new = vm.new_array((n + 1).next_power_of_two().max(8));
    for i in 0..n {
        new.put(vm, i, d.get(i));
    }
    d.items.set(new.value());
    d.head.set(0);
    vm.write_barrier(d.value());
}

fn push_back(vm: &mut Vm, d: Gc<Deque>, v: Value) {
    reserve(vm, d);
    d.changed();
    let n = d.len.get();
    d.len.set(n + 1);
    put(vm, d, n, v);
    if d.max().is_some_and(|m| n + 1 > m) {
        pop_front(vm, d);
    }
}

fn push_front(vm: &mut Vm, d: Gc<Deque>, v: Value) {
    reserve(vm, d);
    d.changed();
    let size = d.ring().cap.get();
    d.head.set(d.head.get().wrapping_sub(1) & (size - 1));
    let n = d.len.get();
    d.len.set(n + 1);
    put(vm, d, 0, v);
    if d.max().is_some_and(|m| n + 1 > m) {
        pop_back(vm, d);
    }
}

/// The last item of a deque that is not empty, removed.
fn pop_back(vm: &mut Vm, d: Gc<Deque>) -> Value {
    d.changed();
    let n = d.len.get() - 1;
    let v = d.get(n);
    put(vm, d, n, Value::NULL);
    d.len.set(n);
    v
}

/// The first item of a deque that is not empty, removed.
fn pop_front(vm: &mut Vm, d: Gc<Deque>) -> Value {
    d.changed();
    let v = d.get(0);
    put(vm, d, 0, Value::NULL);
    d.head.set(d.slot(1));
    d.len.set(d.len.get() - 1);
    v
}

/// Turns the ring so that the item at index `n` comes first.
fn turn_left(vm: &mut Vm, d: Gc<Deque>, n: usize) {
    let len = d.len.get();
    if n == 0 || len < 2 {
        return;
    }
    d.changed();
    if n <= len / 2 {
        for _ in 0..n {
            let v = pop_front(vm, d);
            put(vm, d, len - 1, Value::NULL);
            d.len.set(len);
            put(vm, d, len - 1, v);
        }
    } else {
        for _ in 0..len - n {
            let v = pop_back(vm, d);
            let size = d.ring().cap.get();
            d.head.set(d.head.get().wrapping_sub(1) & (size - 1));
            d.len.set(len);
            put(vm, d, 0, v);
        }
    }
}

fn clear_items(d: Gc<Deque>) {
    d.changed();
    d.items.set(Value::NULL);
    d.head.set(0);
    d.len.set(0);
}

/// Removes item `i`.
fn remove_at(vm: &mut Vm, d: Gc<Deque>, i: usize) -> Value {
    turn_left(vm, d, i);
    let v = pop_front(vm, d);
    let n = d.len.get();
    if n > 0 {
        turn_left(vm, d, (n - i) % n);
    }
    v
}

fn extend_with(vm: &mut Vm, v: Value, iterable: Value, front: bool) -> R<()> {
    // A deque may be extended by itself.
    let iterable = if iterable == v {
        vm.list_from_iterable(iterable)?
    } else {
        iterable
    };
    let it = vm.get_iter(iterable)?;
    let d = deque(v);
    while let Some(item) = vm.iter_next(it)? {
        if front {
            push_front(vm, d, item);
        } else {
            push_back(vm, d, item);
        }
    }
    Ok(())
}

static METHODS: [NativeDef; 35] = [
    new_def("($type, /, *args, **kwargs)", effects::ALLOC, |vm, a| {
        Ok(vm.new_instance(Gc::from_value(a[0])))
    }),
    def(
        "__init__",
        "($self, iterable=(), maxlen=None)",
        effects::CALLS,
        init,
    ),
    def(
        "append",
        "($self, x, /)",
        effects::WRITES | effects::ALLOC,
        |vm, a| {
            push_back(vm, deque(a[0]), a[1]);
            Ok(vm.none)
        },
    ),
    def(
        "appendleft",
        "($self, x, /)",
        effects::WRITES | effects::ALLOC,
        |vm, a| {
            push_front(vm, deque(a[0]), a[1]);
            Ok(vm.none)
        },
    ),
    def(
        "pop",
        "($self, /)",
        effects::WRITES | effects::RAISES,
        |vm, a| {
            if deque(a[0]).len.get() == 0 {
                return Err(vm.index_error("pop from an empty deque"));
            }
            Ok(pop_back(vm, deque(a[0])))
        },
    ),
    def(
        "popleft",
        "($self, /)",
        effects::WRITES | effects::RAISES,
        |vm, a| {
            if deque(a[0]).len.get() == 0 {
                return Err(vm.index_error("pop from an empty deque"));
            }
            Ok(pop_front(vm, deque(a[0])))
        },
    ),
    def("extend", "($self, iterable, /)", effects::CALLS, |vm, a| {
        extend_with(vm, a[0], a[1], false)?;
        Ok(vm.none)
    }),
    def(
        "extendleft",
        "($self, iterable, /)",
        effects::CALLS,
        |vm, a| {
            extend_with(vm, a[0], a[1], true)?;
            Ok(vm.none)
        },
    ),
    def("clear", "($self, /)", effects::WRITES, |vm, a| {
        clear_items(deque(a[0]));
        Ok(vm.none)
    }),
    def("copy", "($self, /)", effects::CALLS, |vm, a| copy(vm, a[0])),
    def("__copy__", "($self, /)", effects::CALLS, |vm, a| {
        copy(vm, a[0])
    }),
    def("count", "($self, value, /)", effects::CALLS, count),
    def(
        "index",
        "($self, value, start=0, stop=9223372036854775807, /)",
        effects::CALLS,
        index,
    ),
    def("insert", "($self, index, value, /)", effects::CALLS, insert),
    def("remove", "($self, value, /)", effects::CALLS, remove),
    def("reverse", "($self, /)", effects::WRITES, |vm, a| {
        let d = deque(a[0]);
        let n = d.len.get();
        for i in 0..n / 2 {
            let (x, y) = (d.get(i), d.get(n - 1 - i));
            put(vm, d, i, y);
            put(vm, d, n - 1 - i, x);
        }
        Ok(vm.none)
    }),
    def("rotate", "($self, n=1, /)", effects::CALLS, |vm, a| {
        let n = if a[1].is_null() { 1 } else { ssize(vm, a[1])? };
        let len = deque(a[0]).len.get() as i64;
        if len > 1 {
            turn_left(vm, deque(a[0]), (-(n % len)).rem_euclid(len) as usize);
        }
        Ok(vm.none)
    }),
    def("__len__", "($self, /)", effects::READS, |_, a| {
        Ok(Value::int_unchecked(deque(a[0]).len.get() as i64))
    }),
    def("__getitem__", "($self, key, /)", effects::CALLS, |vm, a| {
        let index = vm.names.index;
        if vm.lookup_on(a[1], index).is_null() {
            let m = format!(
                "sequence index must be integer, not '{}'",
                vm.class_name(a[1])
            );
            return Err(vm.type_error(&m));
        }
        let i = item_index(vm, a[0], a[1])?;
        Ok(deque(a[0]).get(i))
    }),
    def(
        "__setitem__",
        "($self, key, value, /)",
        effects::CALLS,
        |vm, a| {
            let i = item_index(vm, a[0], a[1])?;
            put(vm, deque(a[0]), i, a[2]);
            Ok(vm.none)
        },
    ),
    def("__delitem__", "($self, key, /)", effects::CALLS, |vm, a| {
        let i = item_index(vm, a[0], a[1])?;
        remove_at(vm, deque(a[0]), i);
        Ok(vm.none)
    }),
    def(
        "__contains__",
        "($self, key, /)",
        effects::CALLS,
        |vm, a| {
            let found = find(
                vm,
                a[0],
                a[1],
                0,
                usize::MAX,
                "deque mutated during iteration",
            )?;
            Ok(vm.bool(found.is_some()))
        },
    ),
    def("__iter__", "($self, /)", effects::ALLOC, |vm, a| {
        Ok(new_iter(vm, slots::DEQUE_ITER, a[0], 0))
    }),
    def("__reversed__", "($self, /)", effects::ALLOC, |vm, a| {
        Ok(new_iter(vm, slots::DEQUE_REVERSE_ITER, a[0], 0))
    }),
    def("__add__", "($self, value, /)", effects::CALLS, add),
    def("__iadd__", "($self, value, /)", effects::CALLS, |vm, a| {
        extend_with(vm, a[0], a[1], false)?;
        Ok(a[0])
    }),
    def("__mul__", "($self, value, /)", effects::CALLS, mul),
    def("__rmul__", "($self, value, /)", effects::CALLS, mul),
    def(
        "__imul__",
        "($self, value, /)",
        effects::CALLS,
        |vm, a| match repetitions(vm, a[0], a[1])? {
            Some(n) => {
                repeat(vm, deque(a[0]), n);
                Ok(a[0])
            }
            None => Ok(vm.not_implemented),
        },
    ),
    def("__repr__", "($self, /)", effects::CALLS, repr),
    def("__reduce__", "($self, /)", effects::CALLS, reduce),
    def("__sizeof__", "($self, /)", effects::READS, |vm, a| {
        let items = deque(a[0]).items.get();
        let mut n = pyrite_objects::heap::size_of_object(a[0]);
        if items.is_some() {
            n += pyrite_objects::heap::size_of_object(items);
        }
        Ok(vm.new_int(n as i64))
    }),
    class_def(
        "__class_getitem__",
        "($type, item, /)",
        effects::ALLOC,
        class_getitem,
    ),
    def("__eq__", "($self, value, /)", effects::CALLS, eq),
    def("__ne__", "($self, value, /)", effects::CALLS, ne),
];

static ORDER: [NativeDef; 4] = [
    def("__lt__", "($self, value, /)", effects::CALLS, lt),
    def("__le__", "($self, value, /)", effects::CALLS, le),
    def("__gt__", "($self, value, /)", effects::CALLS, gt),
    def("__ge__", "($self, value, /)", effects::CALLS, ge),
];

static GETSET: [GetSetDef; 1] = [getter("maxlen", |vm, v| Ok(maxlen(vm, v)))];

fn maxlen(vm: &Vm, v: Value) -> Value {
    let m = deque(v).maxlen.get();
    if m.is_null() { vm.none } else { m }
}

fn init(vm: &mut Vm, a: &[Value]) -> R {
    let mut max = Value::NULL;
    if a[2].is_some() && a[2] != vm.none {
        if !vm.is_int(a[2]) {
            return Err(vm.type_error("an integer is required"));
        }
        let n = ssize(vm, a[2])?;
        if n < 0 {
            return Err(vm.value_error("maxlen must be non-negative"));
        }
        max = vm.new_int(n);
    }
    let d = deque(a[0]);
    d.maxlen.set(max);
    vm.write_barrier(a[0]);
    if d.len.get() > 0 {
        clear_items(d);
    }
    if a[1].is_some() {
        extend_with(vm, a[0], a[1], false)?;
    }
    Ok(vm.none)
}

fn copy(vm: &mut Vm, v: Value) -> R {
    let class = vm.class_of(v);
    let max = deque(v).maxlen.get();
    if class == deque_class(vm) {
        let new = vm.new_instance(class);
        deque(new).maxlen.set(max);
        vm.write_barrier(new);
        extend_with(vm, new, v, false)?;
        return Ok(new);
    }
    let new = if max.is_null() {
        vm.call(class.value(), &[v])?
    } else {
        vm.call(class.value(), &[v, max])?
    };
    if !is_deque(vm, new) {
        let m = format!(
            "{}() must return a deque, not {}",
            vm.type_name(class),
            vm.class_name(new)
        );
        return Err(vm.type_error(&m));
    }
    Ok(new)
}

/// Index of the first item from `start` to `stop` that equals `wanted`.
fn find(
    vm: &mut Vm,
    v: Value,
    wanted: Value,
    start: usize,
    stop: usize,
    changed: &str,
) -> R<Option<usize>> {
    let d = deque(v);
    let version = d.version.get();
    let mut i = start;
    while i < stop.min(d.len.get()) {
        let item = d.get(i);
        let same = vm.eq(item, wanted)?;
        if version != d.version.get() {
            return Err(vm.runtime_error(changed));
        }
        if same {
            return Ok(Some(i));
        }
        i += 1;
    }
    Ok(None)
}

fn count(vm: &mut Vm, a: &[Value]) -> R {
    let (mut n, mut from) = (0, 0);
    let changed = "deque mutated during iteration";
    while let Some(i) = find(vm, a[0], a[1], from, usize::MAX, changed)? {
        n += 1;
        from = i + 1;
    }
    Ok(Value::int_unchecked(n))
}

fn index(vm: &mut Vm, a: &[Value]) -> R {
    let n = deque(a[0]).len.get();
    let (start, stop) = pyrite_objects::list::search_bounds(vm, a[2], a[3], n)?;
    let changed = "deque mutated during iteration";
    match find(vm, a[0], a[1], start, stop, changed)? {
        Some(i) => Ok(Value::int_unchecked(i as i64)),
        None => {
            let m = format!("{} is not in deque", vm.repr_string(a[1])?);
            Err(vm.value_error(&m))
        }
    }
}

fn insert(vm: &mut Vm, a: &[Value]) -> R {
    let i = ssize(vm, a[1])?;
    let d = deque(a[0]);
    let n = d.len.get();
    if d.max() == Some(n) {
        return Err(vm.index_error("deque already at its maximum size"));
    }
    let len = n as i64;
    let at = if i < 0 { (i + len).max(0) } else { i.min(len) } as usize;
    turn_left(vm, d, at % n.max(1));
    if at == n {
        push_back(vm, d, a[2]);
    } else {
        push_front(vm, d, a[2]);
        turn_left(vm, d, (n + 1 - at) % (n + 1));
    }
    Ok(vm.none)
}

fn remove(vm: &mut Vm, a: &[Value]) -> R {
    let d = deque(a[0]);
    let n = d.len.get();
    for i in 0..n {
        let item = d.get(i);
        let same = vm.eq(item, a[1])?;
        if d.len.get() != n {
            return Err(vm.index_error("deque mutated during iteration"));
        }
        if same {
            remove_at(vm, d, i);
            return Ok(vm.none);
        }
    }
    let m = format!("{} is not in deque", vm.repr_string(a[1])?);
    Err(vm.value_error(&m))
}

fn item_index(vm: &mut Vm, v: Value, i: Value) -> R<usize> {
    let i = vm.index_i64(i, false)?;
    let n = deque(v).len.get() as i64;
    let i = if i < 0 { i + n } else { i };
    if i < 0 || i >= n {
        return Err(vm.index_error("deque index out of range"));
    }
    Ok(i as usize)
}

fn add(vm: &mut Vm, a: &[Value]) -> R {
    if !is_deque(vm, a[1]) {
        let name = vm.intern("__radd__");
        if vm.lookup_on(a[1], name).is_some() && !vm.is_int(a[1]) {
            return Ok(vm.not_implemented);
        }
        let m = format!(
            "can only concatenate deque (not \"{}\") to deque",
            vm.class_name(a[1])
        );
        return Err(vm.type_error(&m));
    }
    let new = copy(vm, a[0])?;
    extend_with(vm, new, a[1], false)?;
    Ok(new)
}

fn repetitions(vm: &mut Vm, v: Value, n: Value) -> R<Option<usize>> {
    let len = deque(v).len.get();
    // A bounded deque never holds more than its bound.
    let item = if maxlen(vm, v) == vm.none { 8 } else { 0 };
    let count = repeat_count(vm, n, len, item)?;
    if count.is_none() {
        let name = vm.names.rmul;
        let sequence = matches!(
            vm.layout_of(n),
            Layout::Str | Layout::Bytes | Layout::Tuple | Layout::List | Layout::ByteArray
        );
        if sequence || n.is_float() || vm.lookup_on(n, name).is_null() {
            let m = format!(
                "can't multiply sequence by non-int of type '{}'",
                vm.class_name(n)
            );
            return Err(vm.type_error(&m));
        }
    }
    Ok(count)
}

/// Repeats the items `n` times in place.
fn repeat(vm: &mut Vm, d: Gc<Deque>, n: usize) {
    let len = d.len.get();
    if n == 0 {
        clear_items(d);
        return;
    }
    // With a limit only the last items stay, whatever came before them.
    let rounds = match d.max() {
        Some(m) if len > 0 => n.min(m.div_ceil(len) + 1),
        _ => n,
    };
    let once = vm.new_array(len);
    for i in 0..len {
        once.put(vm, i, d.get(i));
    }
    for _ in 1..rounds {
        for i in 0..len {
            push_back(vm, d, once.at(i));
        }
    }
}

fn mul(vm: &mut Vm, a: &[Value]) -> R {
    let Some(n) = repetitions(vm, a[0], a[1])? else {
        return Ok(vm.not_implemented);
    };
    let new = copy(vm, a[0])?;
    repeat(vm, deque(new), n);
    Ok(new)
}

comparisons!(compare);

fn compare(vm: &mut Vm, op: CmpOp, a: &[Value]) -> R {
    if !is_deque(vm, a[1]) {
        return Ok(vm.not_implemented);
    }
    vm.enter_native()?;
    let (x, y) = (deque(a[0]), deque(a[1]));
    if x.len.get() != y.len.get() && matches!(op, CmpOp::Eq | CmpOp::Ne) {
        return Ok(vm.bool(op == CmpOp::Ne));
    }
    if a[0] == a[1] {
        return Ok(vm.bool(matches!(op, CmpOp::Eq | CmpOp::Le | CmpOp::Ge)));
    }
    let (i, k) = (
        new_iter(vm, slots::DEQUE_ITER, a[0], 0),
        new_iter(vm, slots::DEQUE_ITER, a[1], 0),
    );
    loop {
        match (step(vm, i, false)?, step(vm, k, false)?) {
            (Some(p), Some(q)) => {
                if !vm.eq(p, q)? {
                    return match op {
                        CmpOp::Eq => Ok(vm.false_),
                        CmpOp::Ne => Ok(vm.true_),
                        _ => vm.compare(op, p, q),
                    };
                }
            }
            (p, q) => {
                let (p, q) = (i32::from(p.is_some()), i32::from(q.is_some()));
                return vm.compare(op, Value::small(p), Value::small(q));
            }
        }
    }
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let class = vm.class_of(a[0]);
    let name = vm.type_name(class);
    let max = deque(a[0]).maxlen.get();
    let close = if max.is_null() {
        "])".to_owned()
    } else {
        format!("], maxlen={})", vm.repr_string(max)?)
    };
    let it = new_iter(vm, slots::DEQUE_ITER, a[0], 0);
    vm.repr_items(a[0], &format!("{name}(["), &close, "[...]", |vm, _, out| {
        let Some(v) = step(vm, it, false)? else {
            return Ok(false);
        };
        let r = vm.repr(v)?;
        vm.list_append(out, r);
        Ok(true)
    })
}

fn reduce(vm: &mut Vm, a: &[Value]) -> R {
    let name = vm.names.getstate;
    let state = vm.call_method(a[0], name, &[])?;
    let it = vm.get_iter(a[0])?;
    let max = deque(a[0]).maxlen.get();
    let empty = vm.empty_tuple;
    let args = if max.is_null() {
        empty
    } else {
        vm.new_tuple(&[empty, max])
    };
    let class = vm.class_of(a[0]).value();
    Ok(vm.new_tuple(&[class, args, state, it]))
}

fn new_iter(vm: &mut Vm, class: usize, v: Value, index: usize) -> Value {
    let class = Gc::from_value(vm.statics[class]);
    let it = vm.new_instance(class);
    let i = deque_iter(it);
    let n = deque(v).len.get();
    i.index.set(index.min(n));
    i.left.set(n - index.min(n));
    i.version.set(deque(v).version.get());
    i.deque.set(v);
    vm.write_barrier(it);
    it
}

fn step(vm: &mut Vm, it: Value, backwards: bool) -> R<Option<Value>> {
    let i = deque_iter(it);
    let d = deque(i.deque.get());
    if i.version.get() != d.version.get() {
        i.left.set(0);
        return Err(vm.runtime_error("deque mutated during iteration"));
    }
    if i.left.get() == 0 {
        return Ok(None);
    }
    let k = i.index.get();
    i.index.set(k + 1);
    i.left.set(i.left.get() - 1);
    let k = if backwards { d.len.get() - 1 - k } else { k };
    Ok(Some(d.get(k)))
}

fn forwards(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    step(vm, it, false)
}

fn backwards(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    step(vm, it, true)
}

const ITER: NativeDef = def("__iter__", "($self, /)", effects::PURE, |_, a| Ok(a[0]));
const LENGTH_HINT: NativeDef = def("__length_hint__", "($self, /)", effects::READS, |_, a| {
    Ok(Value::int_unchecked(deque_iter(a[0]).left.get() as i64))
});
const REDUCE: NativeDef = def("__reduce__", "($self, /)", effects::ALLOC, |vm, a| {
    let i = deque_iter(a[0]);
    let d = i.deque.get();
    let given = deque(d).len.get() - i.left.get().min(deque(d).len.get());
    let args = vm.new_tuple(&[d, Value::int_unchecked(given as i64)]);
    let class = vm.class_of(a[0]).value();
    Ok(vm.new_tuple(&[class, args]))
});

static FORWARDS: [NativeDef; 5] = [
    new_def("($type, deque, index=0, /)", effects::CALLS, |vm, a| {
        iter_new(vm, a, slots::DEQUE_ITER)
    }),
    ITER,
    next_def!(forwards),
    LENGTH_HINT,
    REDUCE,
];
static BACKWARDS: [NativeDef; 5] = [
    new_def("($type, deque, index=0, /)", effects::CALLS, |vm, a| {
        iter_new(vm, a, slots::DEQUE_REVERSE_ITER)
    }),
    ITER,
    next_def!(backwards),
    LENGTH_HINT,
    REDUCE,
];

fn iter_new(vm: &mut Vm, a: &[Value], class: usize) -> R {
    if !is_deque(vm, a[1]) {
        let m = format!(
            "argument 1 must be collections.deque, not {}",
            vm.class_name(a[1])
        );
        return Err(vm.type_error(&m));
    }
    let i = if a[2].is_null() { 0 } else { ssize(vm, a[2])? };
    Ok(new_iter(vm, class, a[1], i.max(0) as usize))
}

/// Adds the classes to the module.
pub(super) fn make(vm: &mut Vm, m: Value) {
    let t = class(
        vm,
        m,
        &TypeDef {
            module: "collections",
            base_type: true,
            methods: &METHODS,
            getset: &GETSET,
            ..TypeDef::of::<Deque>("deque", Layout::Library)
        },
    );
    vm.add_methods(t, &ORDER);
    vm.type_data(t).pattern_sequence = true;
    let none = vm.none;
    vm.type_set(t, "__hash__", none);
    vm.statics[slots::DEQUE] = t.value();
    for (name, slot, methods) in [
        ("_deque_iterator", slots::DEQUE_ITER, &FORWARDS),
        (
            "_deque_reverse_iterator",
            slots::DEQUE_REVERSE_ITER,
            &BACKWARDS,
        ),
    ] {
        let t = class(
            vm,
            m,
            &TypeDef {
                module: "_collections",
                methods,
                ..TypeDef::of::<DequeIter>(name, Layout::Library)
            },
        );
        vm.statics[slot] = t.value();
    }
}
