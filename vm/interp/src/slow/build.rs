//! Building containers and taking them apart.

use super::Regs;
use super::calls::function_text;
use pyrite_machine::Value;
use pyrite_objects::shape::shape_of;
use pyrite_objects::vm::{R, Vm};

pub(super) fn dict_update(vm: &mut Vm, d: Value, other: Value) -> R<()> {
    if vm.is_exact_dict(other) {
        return vm.dict_update_dict(d, other);
    }
    let class = vm.class_of(other);
    if vm.lookup(class, vm.names.keys).is_null() && vm.getattr_opt(other, vm.names.keys)?.is_null()
    {
        let m = format!("'{}' object is not a mapping", vm.class_name(other));
        return Err(vm.type_error(&m));
    }
    let keys = vm.call_method(other, vm.names.keys, &[])?;
    vm.for_each(keys, |vm, k| {
        let v = vm.getitem(other, k)?;
        vm.dict_set(d, k, v)
    })
}

pub(super) fn dict_merge(vm: &mut Vm, d: Value, other: Value, f: Value) -> R<()> {
    if !vm.is_dict(other) && vm.getattr_opt(other, vm.names.keys)?.is_null() {
        let m = format!(
            "{} argument after ** must be a mapping, not {}",
            function_text(vm, f)?,
            vm.class_name(other)
        );
        return Err(vm.type_error(&m));
    }
    let keys = vm.call_method(other, vm.names.keys, &[])?;
    vm.for_each(keys, |vm, k| {
        if vm.dict_get(d, k)?.is_some() {
            let key = vm.str_string(k)?;
            let m = format!(
                "{} got multiple values for keyword argument '{key}'",
                function_text(vm, f)?,
            );
            return Err(vm.type_error(&m));
        }
        let v = vm.getitem(other, k)?;
        vm.dict_set(d, k, v)
    })
}

pub(super) fn unpack(vm: &mut Vm, r: &Regs, a: usize, v: Value, n: usize) -> R<()> {
    if v.is_ptr() {
        let class = shape_of(v).class();
        let items = if class == vm.types.tuple {
            Some(vm.tuple_items(v))
        } else if class == vm.types.list {
            Some(vm.list_items(v))
        } else {
            None
        };
        if let Some(items) = items {
            if items.len() == n {
                for (i, &x) in items.iter().enumerate() {
                    r.set(a + i, x);
                }
                return Ok(());
            }
            if items.len() > n {
                return Err(vm.value_error(&format!("too many values to unpack (expected {n})")));
            }
            return Err(vm.value_error(&format!(
                "not enough values to unpack (expected {n}, got {})",
                items.len()
            )));
        }
    }
    let it = unpack_iter(vm, v)?;
    // Targets are written last: an error leaves them alone.
    let l = vm.new_list(&[]);
    for i in 0..n {
        match vm.iter_next(it)? {
            Some(x) => vm.list_append(l, x),
            None => {
                return Err(vm.value_error(&format!(
                    "not enough values to unpack (expected {n}, got {i})"
                )));
            }
        }
    }
    if vm.iter_next(it)?.is_some() {
        return Err(vm.value_error(&format!("too many values to unpack (expected {n})")));
    }
    for i in 0..n {
        r.set(a + i, vm.list_get(l, i));
    }
    Ok(())
}

pub(super) fn unpack_iter(vm: &mut Vm, v: Value) -> R {
    let class = vm.class_of(v);
    if vm.lookup(class, vm.names.iter).is_null() && vm.lookup(class, vm.names.getitem).is_null() {
        let m = format!("cannot unpack non-iterable {} object", vm.class_name(v));
        return Err(vm.type_error(&m));
    }
    vm.get_iter(v)
}

pub(super) fn unpack_ex(
    vm: &mut Vm,
    r: &Regs,
    a: usize,
    v: Value,
    before: usize,
    after: usize,
) -> R<()> {
    let it = unpack_iter(vm, v)?;
    let l = vm.new_list(&[]);
    vm.list_extend(l, it)?;
    let n = vm.list_len(l);
    if n < before + after {
        let m = format!(
            "not enough values to unpack (expected at least {}, got {n})",
            before + after
        );
        return Err(vm.value_error(&m));
    }
    let middle = {
        let items = vm.new_list(&[]);
        for i in before..n - after {
            let v = vm.list_get(l, i);
            vm.list_append(items, v);
        }
        items
    };
    for i in 0..before {
        r.set(a + i, vm.list_get(l, i));
    }
    r.set(a + before, middle);
    for i in 0..after {
        r.set(a + before + 1 + i, vm.list_get(l, n - after + i));
    }
    Ok(())
}
