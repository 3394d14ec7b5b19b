//! The callable that `functools.lru_cache` makes.
//!
//! The cache is a dict from keys to results, whose order is the order of use: a
//! hit takes its entry out and appends it. The entry to evict is the first live
//! one; where to look for it is remembered beside the storage it holds for.

use crate::args::{is_callable, ssize};
use crate::class;
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyDict};
use pyrite_objects::native::{NativeDef, def, effects, new_def};
use pyrite_objects::object_layout;
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

object_layout! {
    /// `_lru_cache_wrapper`: `limit` is an int or None, `typed` a bool.
    Lru [Library, VALUES] {
        func: Value,
        cache: Value,
        limit: Value,
        typed: Value,
        hits: Value,
        misses: Value,
        info: Value,
        /// Divides positional from named arguments in keys.
        mark: Value,
        /// No entry below number `first` of the dict's storage `storage` is live.
        storage: Value,
        first: Value,
    }
}

fn lru(v: Value) -> Gc<Lru> {
    Gc::from_value(v)
}

static METHODS: [NativeDef; 8] = [
    new_def(
        "($type, user_function, maxsize, typed, cache_info_type)",
        effects::CALLS,
        new,
    ),
    def(
        "__call__",
        "($self, /, *args, **kwargs=)",
        effects::ANY,
        call,
    ),
    def("cache_info", "($self, /)", effects::ANY, |vm, a| {
        let c = lru(a[0]);
        let n = Value::int_unchecked(vm.dict_len(c.cache.get()) as i64);
        vm.call(
            c.info.get(),
            &[c.hits.get(), c.misses.get(), c.limit.get(), n],
        )
    }),
    def("cache_clear", "($self, /)", effects::WRITES, |vm, a| {
        let c = lru(a[0]);
        c.hits.set(Value::small(0));
        c.misses.set(Value::small(0));
        c.storage.set(Value::NULL);
        vm.dict_clear(c.cache.get());
        Ok(vm.none)
    }),
    def("__reduce__", "($self, /)", effects::ANY, |vm, a| {
        let name = vm.names.qualname;
        vm.getattr(a[0], name)
    }),
    def("__copy__", "($self, /)", effects::PURE, |_, a| Ok(a[0])),
    def("__deepcopy__", "($self, memo, /)", effects::PURE, |_, a| {
        Ok(a[0])
    }),
    def(
        "__get__",
        "($self, instance, owner=None, /)",
        effects::ALLOC,
        |vm, a| {
            if a[1] == vm.none {
                return Ok(a[0]);
            }
            Ok(vm.new_method(a[0], a[1]))
        },
    ),
];

fn new(vm: &mut Vm, a: &[Value]) -> R {
    if !is_callable(vm, a[1]) {
        return Err(vm.type_error("the first argument must be callable"));
    }
    let index = vm.names.index;
    let limit = if a[2] == vm.none {
        a[2]
    } else if vm.lookup_on(a[2], index).is_some() {
        let n = ssize(vm, a[2])?.max(0);
        vm.new_int(n)
    } else {
        return Err(vm.type_error("maxsize should be integer or None"));
    };
    let typed = vm.truth(a[3])?;
    let cache = vm.new_dict();
    let mark = vm.new_instance(vm.types.object);
    let v = vm.new_instance(Gc::from_value(a[0]));
    let c = lru(v);
    c.func.set(a[1]);
    c.cache.set(cache);
    c.limit.set(limit);
    c.typed.set(vm.bool(typed));
    c.hits.set(Value::small(0));
    c.misses.set(Value::small(0));
    c.info.set(a[4]);
    c.mark.set(mark);
    c.first.set(Value::small(0));
    vm.write_barrier(v);
    Ok(v)
}

/// The key of a call: an only argument that is an `int` or a `str` itself, else a
/// tuple of the arguments, the mark and the named ones, and the classes if typed.
fn make_key(vm: &mut Vm, c: Gc<Lru>, args: Value, kwargs: Value) -> Value {
    let typed = c.typed.get() == vm.true_;
    let (n, named) = (vm.tuple_len(args), vm.has_keywords(kwargs));
    if !typed && !named {
        if n == 1 {
            let v = vm.tuple_get(args, 0);
            if matches!(vm.layout_of(v), Layout::Int | Layout::Str) {
                return v;
            }
        }
        return args;
    }
    let parts = vm.new_list(vm.tuple_items(args));
    if named {
        vm.list_append(parts, c.mark.get());
        let mut pos = 0;
        while let Some((name, v)) = vm.next_keyword(kwargs, &mut pos) {
            vm.list_append(parts, name);
            vm.list_append(parts, v);
        }
    }
    if typed {
        for i in 0..n {
            let class = vm.class_of(vm.tuple_get(args, i)).value();
            vm.list_append(parts, class);
        }
        let mut pos = 0;
        while let Some((_, v)) = vm.next_keyword(kwargs, &mut pos) {
            let class = vm.class_of(v).value();
            vm.list_append(parts, class);
        }
    }
    vm.list_to_tuple(parts)
}

fn count_up(vm: &mut Vm, n: Value) -> Value {
    let n = vm.int_to_i64(n).unwrap_or(0);
    vm.new_int(n + 1)
}

fn miss(vm: &mut Vm, v: Value) {
    let n = count_up(vm, lru(v).misses.get());
    lru(v).misses.set(n);
    vm.write_barrier(v);
}

fn hit(vm: &mut Vm, v: Value) {
    let n = count_up(vm, lru(v).hits.get());
    lru(v).hits.set(n);
    vm.write_barrier(v);
}

fn call(vm: &mut Vm, a: &[Value]) -> R {
    let c = lru(a[0]);
    let func = c.func.get();
    let limit = vm.int_to_i64(c.limit.get());
    if limit == Some(0) {
        miss(vm, a[0]);
        return vm.call_dict(func, vm.tuple_items(a[1]), a[2]);
    }
    let key = make_key(vm, c, a[1], a[2]);
    let hash = vm.hash(key)?;
    let cache = c.cache.get();
    if limit.is_none() {
        let found = vm.dict_get_hashed(cache, key, hash)?;
        if found.is_some() {
            hit(vm, a[0]);
            return Ok(found);
        }
    } else {
        let found = vm.dict_remove_hashed(cache, key, hash)?;
        if found.is_some() {
            if vm.dict_len(cache) == 0 {
                c.first.set(Value::small(0));
            }
            vm.dict_set_hashed(cache, key, hash, found)?;
            hit(vm, a[0]);
            return Ok(found);
        }
    }
    miss(vm, a[0]);
    let result = vm.call_dict(func, vm.tuple_items(a[1]), a[2])?;
    if let Some(limit) = limit {
        if vm.dict_has_hashed(cache, key, hash)? {
            // The call itself, or another thread, has cached it meanwhile.
            return Ok(result);
        }
        if vm.dict_len(cache) as i64 >= limit {
            evict(vm, a[0]);
        }
    }
    vm.dict_set_hashed(cache, key, hash, result)?;
    Ok(result)
}

/// Removes the entry used least recently.
fn evict(vm: &mut Vm, v: Value) {
    let c = lru(v);
    let d: Gc<PyDict> = Gc::from_value(c.cache.get());
    let mut pos = if c.storage.get() == d.entries.get() {
        c.first.get().int_value() as usize
    } else {
        0
    };
    if vm.dict_next(d.value(), &mut pos).is_none() {
        return;
    }
    c.storage.set(d.entries.get());
    vm.write_barrier(v);
    vm.dict_pop_entry(d, pos - 1);
    let first = if d.used.get() == 0 { 0 } else { pos };
    c.first.set(Value::int_unchecked(first as i64));
}

/// Adds the class to the module.
pub(super) fn make(vm: &mut Vm, m: Value) {
    let t = class(
        vm,
        m,
        &TypeDef {
            module: "functools",
            base_type: true,
            has_dict: true,
            methods: &METHODS,
            ..TypeDef::of::<Lru>("_lru_cache_wrapper", Layout::Library)
        },
    );
    vm.type_data(t).method_descriptor = true;
}
