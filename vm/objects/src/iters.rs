//! Iterators: over sequences by index, over ranges beyond machine integers, and
//! `enumerate`, `zip`, `map`, `filter`, `reversed`, `iter(callable, sentinel)`.
//!
//! [`step`] is the one place that says how each goes on; `__next__` and
//! `Vm::iter_next` both come here. An exhausted iterator drops what it iterates
//! over, so it stays exhausted. The adaptors are three value words:
//!
//! | class | start | stop | step |
//! |---|---|---|---|
//! | enumerate | iterator | next number | |
//! | zip | tuple of iterators | 1 if strict | |
//! | map | tuple of iterators | function | |
//! | filter | iterator | function or None | |
//! | reversed | sequence or null | index of the next item | |
//! | long range | next | remaining | step |

use crate::layout::{Gc, Layout, PyCallIter, PySeqIter, PySlice, PyType};
use crate::native::{NativeDef, class_def, def, effects, static_def};
use crate::vm::{R, Vm};
use pyrite_machine::Value;

const NEXT: NativeDef =
    def("__next__", "($self, /)", effects::CALLS, next).doc("Implement next(self).");
const ITER: NativeDef = def("__iter__", "($self, /)", effects::PURE, same);

static SEQ: &[NativeDef] = &[
    ITER,
    NEXT,
    def(
        "__length_hint__",
        "($self, /)",
        effects::CALLS,
        seq_length_hint,
    ),
    def("__reduce__", "($self, /)", effects::CALLS, seq_reduce),
    def(
        "__setstate__",
        "($self, state, /)",
        effects::CALLS,
        seq_setstate,
    ),
];

static CALL_ITER: &[NativeDef] = &[
    ITER,
    NEXT,
    def("__reduce__", "($self, /)", effects::ALLOC, call_reduce),
];

static ENUMERATE: &[NativeDef] = &[
    static_def(
        "__new__",
        "($type, iterable, start=0)",
        effects::CALLS,
        enumerate_new,
    ),
    ITER,
    NEXT,
    def("__reduce__", "($self, /)", effects::ALLOC, enumerate_reduce),
    class_def(
        "__class_getitem__",
        "($type, item, /)",
        effects::ALLOC,
        crate::list::class_getitem,
    ),
];

static ZIP: &[NativeDef] = &[
    static_def(
        "__new__",
        "($type, /, *iterables, **kwargs=)",
        effects::CALLS,
        zip_new,
    ),
    ITER,
    NEXT,
    def("__reduce__", "($self, /)", effects::ALLOC, zip_reduce),
    def(
        "__setstate__",
        "($self, state, /)",
        effects::CALLS,
        zip_setstate,
    ),
];

static MAP: &[NativeDef] = &[
    static_def(
        "__new__",
        "($type, /, *args, **kwargs=)",
        effects::CALLS,
        map_new,
    ),
    ITER,
    NEXT,
    def("__reduce__", "($self, /)", effects::ALLOC, map_reduce),
];

static FILTER: &[NativeDef] = &[
    static_def(
        "__new__",
        "($type, function, iterable, /)",
        effects::CALLS,
        filter_new,
    ),
    ITER,
    NEXT,
    def("__reduce__", "($self, /)", effects::ALLOC, filter_reduce),
];

static REVERSED: &[NativeDef] = &[
    static_def(
        "__new__",
        "($type, sequence, /)",
        effects::CALLS,
        reversed_new,
    ),
    ITER,
    NEXT,
    def(
        "__length_hint__",
        "($self, /)",
        effects::CALLS,
        reversed_length_hint,
    ),
    def("__reduce__", "($self, /)", effects::CALLS, reversed_reduce),
    def(
        "__setstate__",
        "($self, state, /)",
        effects::CALLS,
        reversed_setstate,
    ),
];

/// Gives the iterators their methods.
pub fn install(vm: &mut Vm) {
    let t = vm.types;
    for c in [
        t.seq_iter,
        t.list_iter,
        t.tuple_iter,
        t.str_iter,
        t.str_ascii_iter,
        t.bytes_iter,
        t.list_reverse_iter,
    ] {
        vm.add_methods(c, SEQ);
    }
    vm.add_methods(t.call_iter, CALL_ITER);
    vm.add_methods(t.enumerate, ENUMERATE);
    vm.add_methods(t.zip, ZIP);
    vm.add_methods(t.map, MAP);
    vm.add_methods(t.filter, FILTER);
    vm.add_methods(t.reversed, REVERSED);
}

/// A function of `builtins` by name; None before `builtins` is there.
pub fn builtin(vm: &mut Vm, name: &str) -> Value {
    if vm.builtins.is_null() {
        return vm.none;
    }
    let key = vm.intern(name);
    let v = vm.dict_get_str(vm.builtins, key);
    if v.is_null() { vm.none } else { v }
}

fn same(_: &mut Vm, a: &[Value]) -> R {
    Ok(a[0])
}

/// `__next__` of every iterator that [`step`] knows.
pub fn next(vm: &mut Vm, a: &[Value]) -> R {
    match step(vm, a[0])? {
        Some(v) => Ok(v),
        None => Err(vm.stop_iteration(Value::NULL)),
    }
}

/// The next item of a native iterator, `None` at the end.
pub fn step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    match vm.layout_of(it) {
        Layout::ListIter | Layout::TupleIter | Layout::RangeIter => vm.iter_next(it),
        Layout::StrIter => str_step(vm, it),
        Layout::SeqIter => seq_step(vm, it),
        Layout::ListReverseIter => list_reverse_step(vm, it),
        Layout::DictIter => crate::dict_views::dict_iter_next(vm, it),
        Layout::DictReverseIter => crate::dict_views::dict_reverse_next(vm, it),
        Layout::SetIter => crate::set::set_iter_next(vm, it),
        Layout::LongRangeIter => crate::range::long_step(vm, it),
        Layout::CallIter => call_step(vm, it),
        Layout::Enumerate => enumerate_step(vm, it),
        Layout::Zip => zip_step(vm, it),
        Layout::Map => map_step(vm, it),
        Layout::Filter => filter_step(vm, it),
        Layout::Reversed => reversed_step(vm, it),
        _ => {
            let m = format!("'{}' object is not an iterator", vm.class_name(it));
            Err(vm.type_error(&m))
        }
    }
}

fn seq(v: Value) -> Gc<PySeqIter> {
    Gc::from_value(v)
}

fn words(v: Value) -> Gc<PySlice> {
    Gc::from_value(v)
}

fn str_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let s = seq(it).seq.get();
    if s.is_null() {
        return Ok(None);
    }
    let text = vm.text(vm.as_str(s).unwrap_or(s));
    let i = seq(it).index.get();
    if i < text.len() {
        seq(it).index.set(i + 1);
        return Ok(Some(vm.new_str_char(text.at(i))));
    }
    seq(it).seq.set(Value::NULL);
    Ok(None)
}

/// By `__getitem__` with 0, 1, ... until IndexError or StopIteration.
fn seq_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let s = seq(it).seq.get();
    if s.is_null() {
        return Ok(None);
    }
    let i = seq(it).index.get();
    if i > i64::MAX as usize - 1 {
        return Err(vm.overflow_error("iter index too large"));
    }
    if vm.layout_of(s) == Layout::Bytes {
        let b = vm.bytes(s);
        if let Some(&b) = b.get(i) {
            seq(it).index.set(i + 1);
            return Ok(Some(Value::small(b.into())));
        }
        seq(it).seq.set(Value::NULL);
        return Ok(None);
    }
    let k = vm.new_int(i as i64);
    match vm.getitem(s, k) {
        Ok(v) => {
            seq(it).index.set(i + 1);
            Ok(Some(v))
        }
        Err(e) => {
            if vm.exc_is(vm.types.index_error) || vm.exc_is(vm.types.stop_iteration) {
                vm.take_exc();
                seq(it).seq.set(Value::NULL);
                return Ok(None);
            }
            Err(e)
        }
    }
}

/// `index` is one more than that of the next item.
fn list_reverse_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let s = seq(it).seq.get();
    if s.is_null() {
        return Ok(None);
    }
    let i = seq(it).index.get();
    if i > 0 && i <= vm.list_len(s) {
        seq(it).index.set(i - 1);
        return Ok(Some(vm.list_get(s, i - 1)));
    }
    seq(it).seq.set(Value::NULL);
    Ok(None)
}

fn seq_length_hint(vm: &mut Vm, a: &[Value]) -> R {
    let s = seq(a[0]).seq.get();
    if s.is_null() {
        return Ok(Value::small(0));
    }
    let i = seq(a[0]).index.get();
    if vm.layout_of(a[0]) == Layout::ListReverseIter {
        let n = if i <= vm.list_len(s) { i } else { 0 };
        return Ok(vm.new_int(n as i64));
    }
    let n = vm.names.len;
    if vm.lookup_on(s, n).is_null() {
        return Ok(vm.not_implemented);
    }
    let n = vm.len(s)?;
    Ok(vm.new_int(n.saturating_sub(i) as i64))
}

fn seq_reduce(vm: &mut Vm, a: &[Value]) -> R {
    let s = seq(a[0]).seq.get();
    let backwards = vm.layout_of(a[0]) == Layout::ListReverseIter;
    let i = seq(a[0]).index.get() as i64;
    if s.is_some() {
        let f = builtin(vm, if backwards { "reversed" } else { "iter" });
        let args = vm.new_tuple(&[s]);
        let i = vm.new_int(if backwards { i - 1 } else { i });
        return Ok(vm.new_tuple(&[f, args, i]));
    }
    let f = builtin(vm, "iter");
    let empty = match vm.layout_of(a[0]) {
        Layout::StrIter => vm.empty_str,
        Layout::ListIter | Layout::ListReverseIter => vm.new_list(&[]),
        _ => vm.empty_tuple,
    };
    let args = vm.new_tuple(&[empty]);
    Ok(vm.new_tuple(&[f, args]))
}

fn seq_setstate(vm: &mut Vm, a: &[Value]) -> R {
    let i = vm.index_i64(a[1], true)?;
    let s = seq(a[0]).seq.get();
    if s.is_null() {
        return Ok(vm.none);
    }
    let layout = vm.layout_of(a[0]);
    if layout == Layout::ListReverseIter {
        let n = vm.list_len(s) as i64;
        seq(a[0]).index.set((i.clamp(-1, n - 1) + 1) as usize);
        return Ok(vm.none);
    }
    let mut i = i.max(0) as usize;
    if layout != Layout::SeqIter || vm.layout_of(s) == Layout::Bytes {
        i = i.min(vm.len(s)?);
    }
    seq(a[0]).index.set(i);
    Ok(vm.none)
}

impl Vm {
    /// `iter(callable, sentinel)`.
    pub fn new_call_iter(&mut self, callable: Value, sentinel: Value) -> Value {
        let it = self.alloc::<PyCallIter>(self.types.call_iter);
        it.callable.set(callable);
        it.sentinel.set(sentinel);
        it.value()
    }
}

fn call_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let i = Gc::<PyCallIter>::from_value(it);
    let f = i.callable.get();
    if f.is_null() {
        return Ok(None);
    }
    let r = vm.call(f, &[]);
    let stop = vm.types.stop_iteration;
    if let Some(v) = vm.catch(r, stop)? {
        // The call may have exhausted this very iterator.
        let sentinel = i.sentinel.get();
        if sentinel.is_some() && !vm.eq(sentinel, v)? {
            return Ok(Some(v));
        }
    }
    i.callable.set(Value::NULL);
    i.sentinel.set(Value::NULL);
    Ok(None)
}

fn call_reduce(vm: &mut Vm, a: &[Value]) -> R {
    let i = Gc::<PyCallIter>::from_value(a[0]);
    let f = builtin(vm, "iter");
    let args = if i.callable.get().is_some() {
        vm.new_tuple(&[i.callable.get(), i.sentinel.get()])
    } else {
        let e = vm.empty_tuple;
        vm.new_tuple(&[e])
    };
    Ok(vm.new_tuple(&[f, args]))
}

/// A new adaptor object with its three words.
fn adaptor(vm: &mut Vm, class: Gc<PyType>, x: Value, y: Value) -> Value {
    let v = vm.new_instance(class);
    words(v).start.set(x);
    words(v).stop.set(y);
    vm.write_barrier(v);
    v
}

fn enumerate_new(vm: &mut Vm, a: &[Value]) -> R {
    let t = vm.types.enumerate;
    let class = vm.new_class_arg(a[0], t)?;
    let start = if a[2].is_null() {
        Value::small(0)
    } else {
        vm.index(a[2])?
    };
    let it = vm.get_iter(a[1])?;
    Ok(adaptor(vm, class, it, start))
}

fn enumerate_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let e = words(it);
    let Some(v) = vm.iter_next(e.start.get())? else {
        return Ok(None);
    };
    let i = e.stop.get();
    let one = Value::small(1);
    let next = vm.int_binary(crate::ops::BinOp::Add, i, one)?;
    e.stop.set(next);
    vm.write_barrier(it);
    Ok(Some(vm.new_tuple(&[i, v])))
}

fn enumerate_reduce(vm: &mut Vm, a: &[Value]) -> R {
    let e = words(a[0]);
    let args = vm.new_tuple(&[e.start.get(), e.stop.get()]);
    let class = vm.class_of(a[0]).value();
    Ok(vm.new_tuple(&[class, args]))
}

/// Iterators over each item of a slice, as a tuple.
fn iterators(vm: &mut Vm, iterables: &'static [Value]) -> R {
    let l = vm.new_list(&[]);
    for &v in iterables {
        let it = vm.get_iter(v)?;
        vm.list_append(l, it);
    }
    Ok(vm.list_to_tuple(l))
}

fn zip_new(vm: &mut Vm, a: &[Value]) -> R {
    let t = vm.types.zip;
    let class = vm.new_class_arg(a[0], t)?;
    let mut strict = false;
    let (mut pos, mut bad) = (0, None);
    while let Some((k, v)) = vm.next_keyword(a[2], &mut pos) {
        if vm.str_is(k, "strict") {
            strict = vm.truth(v)?;
        } else {
            bad = Some(vm.str_to_string(k));
        }
    }
    if let Some(k) = bad {
        let m = format!("'{k}' is an invalid keyword argument for zip()");
        return Err(vm.type_error(&m));
    }
    let its = iterators(vm, vm.tuple_items(a[1]))?;
    Ok(adaptor(vm, class, its, Value::small(strict.into())))
}

fn zip_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let z = words(it);
    let its = z.start.get();
    let n = vm.tuple_len(its);
    if n == 0 {
        return Ok(None);
    }
    let out = vm.new_tuple_uninit(n);
    for i in 0..n {
        match vm.iter_next(vm.tuple_get(its, i))? {
            Some(v) => vm.tuple_init(out, i, v),
            None if z.stop.get() == Value::small(0) => return Ok(None),
            None => return zip_strict_end(vm, its, i, n),
        }
    }
    Ok(Some(out))
}

/// Iterator `i` ended in strict mode: all others must end now.
fn zip_strict_end(vm: &mut Vm, its: Value, i: usize, n: usize) -> R<Option<Value>> {
    let others = |k: usize| {
        if k == 1 {
            " 1".to_owned()
        } else {
            format!("s 1-{k}")
        }
    };
    if i > 0 {
        let m = format!(
            "zip() argument {} is shorter than argument{}",
            i + 1,
            others(i)
        );
        return Err(vm.value_error(&m));
    }
    for k in 1..n {
        if vm.iter_next(vm.tuple_get(its, k))?.is_some() {
            let m = format!(
                "zip() argument {} is longer than argument{}",
                k + 1,
                others(k)
            );
            return Err(vm.value_error(&m));
        }
    }
    Ok(None)
}

fn zip_reduce(vm: &mut Vm, a: &[Value]) -> R {
    let z = words(a[0]);
    let class = vm.class_of(a[0]).value();
    if z.stop.get() == Value::small(0) {
        return Ok(vm.new_tuple(&[class, z.start.get()]));
    }
    Ok(vm.new_tuple(&[class, z.start.get(), vm.true_]))
}

fn zip_setstate(vm: &mut Vm, a: &[Value]) -> R {
    let strict = vm.truth(a[1])?;
    words(a[0]).stop.set(Value::small(strict.into()));
    Ok(vm.none)
}

fn map_new(vm: &mut Vm, a: &[Value]) -> R {
    let t = vm.types.map;
    let class = vm.new_class_arg(a[0], t)?;
    let args = vm.tuple_items(a[1]);
    if class == t && vm.has_keywords(a[2]) {
        return Err(vm.type_error("map() takes no keyword arguments"));
    }
    if args.len() < 2 {
        return Err(vm.type_error("map() must have at least two arguments."));
    }
    let its = iterators(vm, &args[1..])?;
    Ok(adaptor(vm, class, its, args[0]))
}

fn map_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let m = words(it);
    let its = m.start.get();
    let n = vm.tuple_len(its);
    if n == 1 {
        let Some(v) = vm.iter_next(vm.tuple_get(its, 0))? else {
            return Ok(None);
        };
        return vm.call(m.stop.get(), &[v]).map(Some);
    }
    let args = vm.new_tuple_uninit(n);
    for i in 0..n {
        match vm.iter_next(vm.tuple_get(its, i))? {
            Some(v) => vm.tuple_init(args, i, v),
            None => return Ok(None),
        }
    }
    vm.call(m.stop.get(), vm.tuple_items(args)).map(Some)
}

fn map_reduce(vm: &mut Vm, a: &[Value]) -> R {
    let m = words(a[0]);
    let its = m.start.get();
    let n = vm.tuple_len(its);
    let args = vm.new_tuple_uninit(n + 1);
    vm.tuple_init(args, 0, m.stop.get());
    for i in 0..n {
        let v = vm.tuple_get(its, i);
        vm.tuple_init(args, i + 1, v);
    }
    let class = vm.class_of(a[0]).value();
    Ok(vm.new_tuple(&[class, args]))
}

fn filter_new(vm: &mut Vm, a: &[Value]) -> R {
    let t = vm.types.filter;
    let class = vm.new_class_arg(a[0], t)?;
    let it = vm.get_iter(a[2])?;
    Ok(adaptor(vm, class, it, a[1]))
}

fn filter_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let f = words(it);
    loop {
        let Some(v) = vm.iter_next(f.start.get())? else {
            return Ok(None);
        };
        let test = f.stop.get();
        let good = if test == vm.none || test == vm.types.bool_.value() {
            vm.truth(v)?
        } else {
            let r = vm.call(test, &[v])?;
            vm.truth(r)?
        };
        if good {
            return Ok(Some(v));
        }
    }
}

fn filter_reduce(vm: &mut Vm, a: &[Value]) -> R {
    let f = words(a[0]);
    let args = vm.new_tuple(&[f.stop.get(), f.start.get()]);
    let class = vm.class_of(a[0]).value();
    Ok(vm.new_tuple(&[class, args]))
}

fn reversed_new(vm: &mut Vm, a: &[Value]) -> R {
    let t = vm.types.reversed;
    let class = vm.new_class_arg(a[0], t)?;
    let s = a[1];
    let n = vm.names;
    let f = vm.lookup_on(s, n.reversed);
    if f.is_some() && f != vm.none {
        return vm.call_method_value(f, s, &[]);
    }
    let mapping = matches!(vm.layout_of(s), Layout::Dict | Layout::MappingProxy);
    if f == vm.none && f.is_some()
        || mapping
        || vm.lookup_on(s, n.getitem).is_null()
        || vm.lookup_on(s, n.len).is_null()
    {
        if f != vm.none && vm.lookup_on(s, n.getitem).is_some() && !mapping {
            // Without `__len__`: the same error as len().
            vm.len(s)?;
        }
        let m = format!("'{}' object is not reversible", vm.class_name(s));
        return Err(vm.type_error(&m));
    }
    let len = vm.len(s)?;
    let last = vm.new_int(len as i64 - 1);
    Ok(adaptor(vm, class, s, last))
}

fn reversed_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let r = words(it);
    let s = r.start.get();
    let i = r.stop.get().as_int().unwrap_or(-1);
    if s.is_null() || i < 0 {
        r.start.set(Value::NULL);
        return Ok(None);
    }
    match vm.getitem(s, Value::int_unchecked(i)) {
        Ok(v) => {
            r.stop.set(Value::int_unchecked(i - 1));
            Ok(Some(v))
        }
        Err(e) => {
            if vm.exc_is(vm.types.index_error) || vm.exc_is(vm.types.stop_iteration) {
                vm.take_exc();
                r.start.set(Value::NULL);
                r.stop.set(Value::small(-1));
                return Ok(None);
            }
            Err(e)
        }
    }
}

fn reversed_length_hint(vm: &mut Vm, a: &[Value]) -> R {
    let r = words(a[0]);
    if r.start.get().is_null() {
        return Ok(Value::small(0));
    }
    let n = vm.len(r.start.get())? as i64;
    let i = r.stop.get().as_int().unwrap_or(-1) + 1;
    Ok(vm.new_int(if n < i { 0 } else { i }))
}

fn reversed_reduce(vm: &mut Vm, a: &[Value]) -> R {
    let r = words(a[0]);
    let class = vm.class_of(a[0]).value();
    if r.start.get().is_some() {
        let args = vm.new_tuple(&[r.start.get()]);
        return Ok(vm.new_tuple(&[class, args, r.stop.get()]));
    }
    let e = vm.empty_tuple;
    let args = vm.new_tuple(&[e]);
    Ok(vm.new_tuple(&[class, args]))
}

fn reversed_setstate(vm: &mut Vm, a: &[Value]) -> R {
    let r = words(a[0]);
    let i = vm.index_i64(a[1], true)?;
    if r.start.get().is_some() {
        let n = vm.len(r.start.get())? as i64;
        r.stop.set(Value::int_unchecked(i.clamp(-1, n - 1)));
    }
    Ok(vm.none)
}
