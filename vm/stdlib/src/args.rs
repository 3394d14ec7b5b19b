//! Conversions of arguments that several modules need.

use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyType};
use pyrite_objects::vm::{R, Vm};

/// An argument that C code takes as a `Py_ssize_t`.
///
/// # Errors
/// TypeError if it is no integer, OverflowError if it does not fit.
pub fn ssize(vm: &mut Vm, v: Value) -> R<i64> {
    let i = vm.index(v)?;
    match vm.int_to_i64(i) {
        Some(n) => Ok(n),
        None => Err(vm.overflow_error("Python int too large to convert to C ssize_t")),
    }
}

/// Refuses keyword arguments for `class` unless it has an `__init__` of its own
/// that may want them.
///
/// # Errors
/// `TypeError: name() takes no keyword arguments`
pub fn no_keywords(vm: &mut Vm, class: Value, kwargs: Value, name: &str) -> R<()> {
    if kwargs.is_null() || vm.dict_len(kwargs) == 0 {
        return Ok(());
    }
    let init = vm.names.init;
    let class: Gc<PyType> = Gc::from_value(class);
    if vm.lookup(class, init) != vm.lookup(vm.types.object, init) {
        return Ok(());
    }
    Err(vm.type_error(&format!("{name}() takes no keyword arguments")))
}

/// The items of a tuple that a `__setstate__` got.
///
/// # Errors
/// TypeError if it is no tuple, or has fewer than `min` or more than `max` items.
pub fn state(vm: &mut Vm, v: Value, min: usize, max: usize) -> R<&'static [Value]> {
    let Some(t) = vm.as_tuple(v) else {
        return Err(vm.type_error("state is not a tuple"));
    };
    let n = vm.tuple_len(t);
    if n < min || n > max {
        let (how, limit) = match (min == max, n < min) {
            (true, _) => ("exactly", min),
            (false, true) => ("at least", min),
            (false, false) => ("at most", max),
        };
        let s = if limit == 1 { "" } else { "s" };
        let m = format!("function takes {how} {limit} argument{s} ({n} given)");
        return Err(vm.type_error(&m));
    }
    Ok(vm.tuple_items(t))
}

/// `callable(v)`
pub fn is_callable(vm: &mut Vm, v: Value) -> bool {
    match vm.layout_of(v) {
        Layout::Function
        | Layout::Native
        | Layout::Method
        | Layout::Type
        | Layout::StaticMethod => true,
        _ => {
            let n = vm.names.call;
            vm.lookup_on(v, n).is_some()
        }
    }
}

/// The bytes of a bytes-like object, good until it may change.
///
/// # Errors
/// TypeError.
pub fn readable(vm: &mut Vm, v: Value) -> R<&'static [u8]> {
    match vm.buffer(v) {
        Some(b) => Ok(b),
        None => {
            let m = format!(
                "a bytes-like object is required, not '{}'",
                vm.class_name(v)
            );
            Err(vm.type_error(&m))
        }
    }
}

/// The bytes of an object that may be written to. Good until it may change.
///
/// # Errors
/// TypeError.
pub fn writable(vm: &mut Vm, v: Value) -> R<&'static mut [u8]> {
    match vm.buffer_mut(v) {
        Some(b) => Ok(b),
        None => {
            let m = format!(
                "argument must be read-write bytes-like object, not {}",
                vm.class_name(v)
            );
            Err(vm.type_error(&m))
        }
    }
}
