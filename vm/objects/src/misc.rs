//! Small built-in classes without a file of their own yet.

use crate::layout::Layout;
use crate::vm::{R, Vm};
use pyrite_machine::Value;

/// `origin[args]` as a `types.GenericAlias`.
pub fn generic_alias(vm: &mut Vm, origin: Value, args: Value) -> R {
    let t = match vm.as_tuple(args) {
        Some(t) => t,
        None => vm.new_tuple(&[args]),
    };
    let class = vm.types.generic_alias;
    let a = vm.new_instance(class);
    vm.store_word(a, 1, origin);
    vm.store_word(a, 2, t);
    vm.store_word(a, 3, vm.none);
    Ok(a)
}

/// `ascii()` of a repr: what lies beyond ASCII becomes escapes.
pub fn ascii(vm: &mut Vm, s: Value) -> Value {
    let text = vm.text(s);
    if text.iter().all(|c| c < 0x80) {
        return s;
    }
    let mut out = String::new();
    for c in text.iter() {
        match c {
            0..=0x7F => out.push(c as u8 as char),
            0x80..=0xFF => out.push_str(&format!("\\x{c:02x}")),
            0x100..=0xFFFF => out.push_str(&format!("\\u{c:04x}")),
            _ => out.push_str(&format!("\\U{c:08x}")),
        }
    }
    vm.new_str(&out)
}

/// `except* pattern` against `exc` (a group, or what is left of one, or None):
/// the matching part or None, and the rest or None.
pub fn except_star(vm: &mut Vm, exc: Value, pattern: Value) -> R<(Value, Value)> {
    let none = vm.none;
    if exc == none {
        return Ok((none, none));
    }
    let group = vm.types.base_exception_group;
    let patterns = match vm.as_tuple(pattern) {
        Some(t) => vm.tuple_items(t),
        None => std::slice::from_ref(&pattern),
    };
    for &p in patterns {
        if vm.is_exception_class(p) && vm.is_subclass(crate::Gc::from_value(p), group) {
            return Err(vm.type_error(
                "catching ExceptionGroup with except* is not allowed. Use except instead.",
            ));
        }
    }
    if vm.exc_matches(exc, pattern)? {
        if vm.is_instance(exc, group) {
            return Ok((exc, none));
        }
        let members = vm.new_tuple(&[exc]);
        let empty = vm.empty_str;
        // The class is chosen by the member: of Exceptions, an ExceptionGroup.
        let wrapped = vm.call(group.value(), &[empty, members])?;
        let tb = crate::Gc::<crate::layout::PyException>::from_value(exc)
            .traceback
            .get();
        crate::Gc::<crate::layout::PyException>::from_value(wrapped)
            .traceback
            .set(tb);
        vm.write_barrier(wrapped);
        return Ok((wrapped, none));
    }
    if vm.is_instance(exc, group) {
        let split = vm.intern("split");
        let pair = vm.call_method(exc, split, &[pattern])?;
        return Ok((vm.tuple_get(pair, 0), vm.tuple_get(pair, 1)));
    }
    Ok((none, exc))
}

/// What to raise after the `except*` blocks of one `try`: `results` lists what
/// they raised, and what no block matched.
pub fn prep_reraise_star(vm: &mut Vm, orig: Value, results: Value) -> R {
    let none = vm.none;
    let raised = vm.new_list(&[]);
    let reraised = vm.new_list(&[]);
    let group = vm.types.base_exception_group;
    for i in 0..vm.list_len(results) {
        let e = vm.list_get(results, i);
        if e == none {
            continue;
        }
        let same = same_metadata(vm, orig, e);
        vm.list_append(if same { reraised } else { raised }, e);
    }
    if !vm.is_instance(orig, group) {
        // A naked exception was matched or not: at most one result.
        for l in [raised, reraised] {
            if vm.list_len(l) > 0 {
                return Ok(vm.list_get(l, 0));
            }
        }
        return Ok(none);
    }
    if vm.list_len(reraised) > 0 {
        let project = exception_projection(vm, orig, reraised)?;
        if project != none {
            if vm.list_len(raised) == 0 {
                return Ok(project);
            }
            vm.list_append(raised, project);
        }
    }
    match vm.list_len(raised) {
        0 => Ok(none),
        _ => {
            let empty = vm.empty_str;
            vm.call(group.value(), &[empty, raised])
        }
    }
}

fn same_metadata(vm: &Vm, a: Value, b: Value) -> bool {
    use crate::layout::PyException;
    let (x, y) = (
        crate::Gc::<PyException>::from_value(a),
        crate::Gc::<PyException>::from_value(b),
    );
    let _ = vm;
    x.traceback.get() == y.traceback.get()
        && x.cause.get() == y.cause.get()
        && x.context.get() == y.context.get()
}

/// The part of group `orig` whose leaves occur in the groups of `keep`.
fn exception_projection(vm: &mut Vm, orig: Value, keep: Value) -> R {
    let leaves = vm.new_set(vm.types.set);
    fn collect(vm: &mut Vm, e: Value, into: Value) -> R<()> {
        if vm.is_instance(e, vm.types.base_exception_group) {
            let t = vm.word(e, crate::exceptions::group::EXCEPTIONS);
            for &x in vm.tuple_items(t) {
                collect(vm, x, into)?;
            }
            return Ok(());
        }
        let id = vm.new_int(e.bits() as i64);
        vm.heap_pin(e);
        vm.set_add(into, id)
    }
    for i in 0..vm.list_len(keep) {
        let e = vm.list_get(keep, i);
        collect(vm, e, leaves)?;
    }
    fn rebuild(vm: &mut Vm, e: Value, leaves: Value) -> R {
        if !vm.is_instance(e, vm.types.base_exception_group) {
            let id = vm.new_int(e.bits() as i64);
            return Ok(if vm.set_contains(leaves, id)? {
                e
            } else {
                vm.none
            });
        }
        let t = vm.word(e, crate::exceptions::group::EXCEPTIONS);
        let kept = vm.new_list(&[]);
        let mut whole = true;
        for &x in vm.tuple_items(t) {
            let k = rebuild(vm, x, leaves)?;
            whole &= k == x;
            if k != vm.none {
                vm.list_append(kept, k);
            }
        }
        if vm.list_len(kept) == 0 {
            return Ok(vm.none);
        }
        if whole {
            return Ok(e);
        }
        crate::exc_group::subset(vm, e, kept)
    }
    rebuild(vm, orig, leaves)
}

/// `await v`: the iterator to drive; `kind` 1 and 2 name `__aenter__` and
/// `__aexit__` in the error.
pub fn get_awaitable(vm: &mut Vm, v: Value, kind: u8) -> R {
    let t = vm.types;
    let class = vm.class_of(v);
    if class == t.coroutine {
        let busy = vm.generator_state(v) == crate::generator::state::RUNNING
            || crate::generator_type::delegate(vm, v).is_some();
        if busy {
            return Err(vm.runtime_error("coroutine is being awaited already"));
        }
        return Ok(v);
    }
    if class == t.generator {
        let f = crate::Gc::<crate::layout::PyGenerator>::from_value(v)
            .func
            .get();
        let code = crate::Gc::<crate::layout::PyFunction>::from_value(f)
            .code
            .get();
        if vm
            .code_data(code)
            .flags
            .has(pyrite_bytecode::CodeFlags::ITERABLE_COROUTINE)
        {
            return Ok(v);
        }
    }
    let f = vm.lookup(class, vm.names.await_);
    if f.is_null() {
        let name = vm.class_name(v);
        let m = match kind {
            1 => format!(
                "'async with' received an object from __aenter__ that does not implement __await__: {name}"
            ),
            2 => format!(
                "'async with' received an object from __aexit__ that does not implement __await__: {name}"
            ),
            _ => format!("object {name} can't be used in 'await' expression"),
        };
        return Err(vm.type_error(&m));
    }
    let it = vm.call_method_value(f, v, &[])?;
    let ic = vm.class_of(it);
    if ic == t.coroutine {
        return Err(vm.type_error("__await__() returned a coroutine"));
    }
    if vm.lookup(ic, vm.names.next).is_null() {
        let m = format!(
            "__await__() returned non-iterator of type '{}'",
            vm.class_name(it)
        );
        return Err(vm.type_error(&m));
    }
    Ok(it)
}

/// `async for` over `v`: its asynchronous iterator.
pub fn get_aiter(vm: &mut Vm, v: Value) -> R {
    let Some(it) = vm.call_special(v, vm.names.aiter, &[])? else {
        let m = format!(
            "'async for' requires an object with __aiter__ method, got {}",
            vm.class_name(v)
        );
        return Err(vm.type_error(&m));
    };
    let c = vm.class_of(it);
    if vm.lookup(c, vm.names.anext).is_null() {
        let m = format!(
            "'async for' received an object from __aiter__ that does not implement __anext__: {}",
            vm.class_name(it)
        );
        return Err(vm.type_error(&m));
    }
    Ok(it)
}

/// The awaitable of the next item of an asynchronous iterator.
pub fn get_anext(vm: &mut Vm, v: Value) -> R {
    let Some(a) = vm.call_special(v, vm.names.anext, &[])? else {
        let m = format!(
            "'async for' requires an iterator with __anext__ method, got {}",
            vm.class_name(v)
        );
        return Err(vm.type_error(&m));
    };
    let r = get_awaitable(vm, a, 0);
    if r.is_err() {
        let cause = vm.take_exc();
        let m = format!(
            "'async for' received an invalid object from __anext__: {}",
            vm.class_name(a)
        );
        vm.type_error(&m);
        let e = crate::Gc::<crate::layout::PyException>::from_value(vm.exc);
        e.cause.set(cause);
        e.context.set(cause);
        e.suppress.set(Value::small(1));
        return Err(crate::Raised);
    }
    r
}

/// Marks a value that an async generator yields, as opposed to one it awaits.
pub fn wrap_async_value(vm: &mut Vm, v: Value) -> Value {
    let w = vm.new_instance(vm.types.async_gen_value);
    vm.store_word(w, 1, v);
    w
}

/// Runs what waits for a safe point: finalizers, weak-reference callbacks, and
/// signal handlers.
///
/// # Errors
/// What a signal handler raised; other exceptions are reported and dropped.
pub fn run_pending(vm: &mut Vm) -> R<()> {
    if vm.heap.has_pending() {
        run_finalizers(vm);
    }
    vm.poll_clear(crate::vm::poll::FINALIZERS);
    vm.answer_polls()
}

/// Runs the callbacks of dead weak references, then finalizers, until there are no
/// more. A finalizer that lets others become due leaves them to this loop.
fn run_finalizers(vm: &mut Vm) {
    if vm.finalizing {
        return;
    }
    vm.finalizing = true;
    let saved = vm.take_exc();
    while vm.heap.has_pending() {
        while let Some(w) = vm.heap.take_dead_weakref() {
            let wr = crate::Gc::<crate::layout::PyWeakRef>::from_value(w);
            let cb = wr.callback.replace(Value::NULL);
            if cb.is_some() && cb != vm.none && vm.call(cb, &[w]).is_err() {
                unraisable(vm, cb);
            }
        }
        // Files in layers are closed from the outside, after programs' own finalizers,
        // which may still write.
        let mut batch = pyrite_gc::RootVec::new(vm.heap);
        while let Some(o) = vm.heap.take_finalizable() {
            batch.push(o);
        }
        for rank in 0..4 {
            for i in 0..batch.len() {
                let o = batch.get(i).unwrap_or(vm.none);
                let class = vm.class_of(o);
                let d = vm.type_data(class);
                let own = d.heap_type && d.finalizer_rank == 0;
                if rank != if own { 0 } else { d.finalizer_rank + 1 } {
                    continue;
                }
                let f = vm.lookup(class, vm.names.del);
                if f.is_some() && vm.call_method_value(f, o, &[]).is_err() {
                    let own = matches!(
                        vm.layout_of(o),
                        Layout::Generator | Layout::Coroutine | Layout::AsyncGenerator
                    );
                    unraisable(vm, if own { o } else { f });
                }
            }
        }
    }
    vm.exc = saved;
    vm.finalizing = false;
}

/// Reports the pending exception, which nobody can catch, and drops it.
pub fn unraisable(vm: &mut Vm, object: Value) {
    unraisable_in(vm, "", object);
}

/// The same with a text that says where it happened (empty: the hook's own).
pub fn unraisable_in(vm: &mut Vm, message: &str, object: Value) {
    let e = vm.take_exc();
    let name = vm.intern("unraisablehook");
    let hook = if vm.sys_dict.is_some() {
        vm.dict_get_str(vm.sys_dict, name)
    } else {
        Value::NULL
    };
    if hook.is_null() || e.is_null() {
        return;
    }
    let none = vm.none;
    let message = if message.is_empty() {
        none
    } else {
        vm.new_str(message)
    };
    let ns = vm.types.namespace;
    let a = vm.new_instance(ns);
    let tb = crate::Gc::<crate::layout::PyException>::from_value(e)
        .traceback
        .get();
    for (n, v) in [
        ("exc_type", vm.class_of(e).value()),
        ("exc_value", e),
        ("exc_traceback", if tb.is_null() { none } else { tb }),
        ("err_msg", message),
        ("object", object),
    ] {
        let n = vm.intern(n);
        vm.instance_set(a, n, v);
    }
    if vm.call(hook, &[a]).is_err() {
        vm.exc = Value::NULL;
    }
}
