//! Functions about attributes, classes and identity.

use pyrite_machine::Value;
use pyrite_objects::vm::{R, Vm};

/// True if `v(...)` is possible.
pub(super) fn callable(vm: &mut Vm, a: &[Value]) -> R {
    let r = crate::args::is_callable(vm, a[0]);
    Ok(vm.bool(r))
}

pub(super) fn getattr(vm: &mut Vm, a: &[Value]) -> R {
    let name = vm.attr_name(a[1])?;
    if a[2].is_null() {
        return vm.getattr(a[0], name);
    }
    let v = vm.getattr_opt(a[0], name)?;
    Ok(if v.is_null() { a[2] } else { v })
}

pub(super) fn hasattr(vm: &mut Vm, a: &[Value]) -> R {
    let name = vm.attr_name(a[1])?;
    let v = vm.getattr_opt(a[0], name)?;
    Ok(vm.bool(v.is_some()))
}

pub(super) fn setattr(vm: &mut Vm, a: &[Value]) -> R {
    let name = vm.attr_name(a[1])?;
    vm.setattr(a[0], name, a[2])?;
    Ok(vm.none)
}

pub(super) fn delattr(vm: &mut Vm, a: &[Value]) -> R {
    let name = vm.attr_name(a[1])?;
    vm.setattr(a[0], name, Value::NULL)?;
    Ok(vm.none)
}

pub(super) fn id(vm: &mut Vm, a: &[Value]) -> R {
    let id = vm.id(a[0]);
    Ok(vm.new_uint(id))
}

pub(super) fn isinstance(vm: &mut Vm, a: &[Value]) -> R {
    let r = vm.isinstance(a[0], a[1])?;
    Ok(vm.bool(r))
}

pub(super) fn issubclass(vm: &mut Vm, a: &[Value]) -> R {
    let r = vm.issubclass(a[0], a[1])?;
    Ok(vm.bool(r))
}

pub(super) fn dir(vm: &mut Vm, a: &[Value]) -> R {
    let names = if a[0].is_null() {
        let locals = vm.current_locals();
        if locals.is_null() {
            return Err(vm.system_error("frame does not exist"));
        }
        let n = vm.names.keys;
        vm.call_method(locals, n, &[])?
    } else {
        let n = vm.names.dir;
        match vm.call_special(a[0], n, &[])? {
            Some(r) => r,
            None => return Err(vm.type_error("object does not provide __dir__")),
        }
    };
    let l = vm.list_from_iterable(names)?;
    pyrite_objects::list::sort(vm, l, Value::NULL, false)?;
    Ok(l)
}

pub(super) fn vars(vm: &mut Vm, a: &[Value]) -> R {
    if a[0].is_null() {
        return super::code::locals(vm, a);
    }
    let n = vm.names.dict;
    let d = vm.getattr_opt(a[0], n)?;
    if d.is_null() {
        return Err(vm.type_error("vars() argument must have __dict__ attribute"));
    }
    Ok(d)
}
