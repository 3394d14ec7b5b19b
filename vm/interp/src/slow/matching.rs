//! Patterns of `match` statements.

use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, PyType};
use pyrite_objects::vm::{R, Vm};

pub(super) fn match_keys(vm: &mut Vm, subject: Value, keys: Value) -> R {
    let n = vm.tuple_len(keys);
    let out = vm.new_tuple_uninit(n);
    let seen = vm.new_set(vm.types.set);
    let get = vm.intern("get");
    let f = vm.getattr(subject, get)?;
    let dummy = vm.new_instance(vm.types.object);
    for i in 0..n {
        let k = vm.tuple_get(keys, i);
        if vm.set_contains(seen, k)? {
            let m = format!(
                "mapping pattern checks duplicate key ({})",
                vm.repr_string(k)?
            );
            return Err(vm.value_error(&m));
        }
        vm.set_add(seen, k)?;
        let v = vm.call(f, &[k, dummy])?;
        if v == dummy {
            return Ok(vm.none);
        }
        vm.tuple_init(out, i, v);
    }
    Ok(out)
}

pub(super) fn match_class(
    vm: &mut Vm,
    subject: Value,
    class: Value,
    kwnames: Value,
    positional: usize,
) -> R {
    if !vm.is_type(class) {
        return Err(vm.type_error("called match pattern must be a class"));
    }
    if !vm.isinstance(subject, class)? {
        return Ok(vm.none);
    }
    let out = vm.new_list(&[]);
    let seen = vm.new_set(vm.types.set);
    let t: Gc<PyType> = Gc::from_value(class);
    let n = vm.type_name(t);
    if positional > 0 {
        let args = vm.getattr_opt(class, vm.names.match_args)?;
        let mut self_match = false;
        let args = if args.is_some() {
            match vm.as_tuple(args) {
                Some(t) => t,
                None => {
                    let m = format!(
                        "{n}.__match_args__ must be a tuple (got {})",
                        vm.class_name(args)
                    );
                    return Err(vm.type_error(&m));
                }
            }
        } else {
            let ty = vm.types;
            self_match = [
                ty.bool_,
                ty.bytearray,
                ty.bytes,
                ty.dict,
                ty.float,
                ty.frozenset,
                ty.int,
                ty.list,
                ty.set,
                ty.str_,
                ty.tuple,
            ]
            .iter()
            .any(|&b| vm.is_subclass(t, b));
            vm.empty_tuple
        };
        let allowed = if self_match { 1 } else { vm.tuple_len(args) };
        if allowed < positional {
            let s = if allowed == 1 { "" } else { "s" };
            let m =
                format!("{n}() accepts {allowed} positional sub-pattern{s} ({positional} given)");
            return Err(vm.type_error(&m));
        }
        if self_match {
            vm.list_append(out, subject);
        } else {
            for i in 0..positional {
                let name = vm.tuple_get(args, i);
                let Some(exact) = vm.as_str(name) else {
                    let m = format!(
                        "__match_args__ elements must be strings (got {})",
                        vm.class_name(name)
                    );
                    return Err(vm.type_error(&m));
                };
                if !match_attr(vm, subject, exact, seen, out, &n)? {
                    return Ok(vm.none);
                }
            }
        }
    }
    for &name in vm.tuple_items(kwnames) {
        if !match_attr(vm, subject, name, seen, out, &n)? {
            return Ok(vm.none);
        }
    }
    Ok(vm.list_to_tuple(out))
}

pub(super) fn match_attr(
    vm: &mut Vm,
    subject: Value,
    name: Value,
    seen: Value,
    out: Value,
    class: &str,
) -> R<bool> {
    if vm.set_contains(seen, name)? {
        let m = format!(
            "{class}() got multiple sub-patterns for attribute {}",
            vm.repr_string(name)?
        );
        return Err(vm.type_error(&m));
    }
    vm.set_add(seen, name)?;
    let key = vm.intern_value(name);
    let v = vm.getattr_opt(subject, key)?;
    if v.is_null() {
        return Ok(false);
    }
    vm.list_append(out, v);
    Ok(true)
}
