//! Names, cells and namespaces; the errors of unset ones.

use crate::frames::code_at;
use crate::ic;
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, PyFunction};
use pyrite_objects::vm::{R, Raised, Vm};

#[cold]
pub(super) fn unbound_local(vm: &mut Vm, name: Value) -> Raised {
    let m = format!(
        "cannot access local variable '{}' where it is not associated with a value",
        vm.str_to_string(name)
    );
    vm.unbound_local_error(&m)
}

#[cold]
pub(super) fn empty_cell(vm: &mut Vm, name: Value, free: bool) -> Raised {
    if free {
        let m = format!(
            "cannot access free variable '{}' where it is not associated with a value in enclosing scope",
            vm.str_to_string(name)
        );
        vm.name_error(&m)
    } else {
        unbound_local(vm, name)
    }
}

#[cold]
pub(super) fn undefined(vm: &mut Vm, name: Value) -> Raised {
    let m = format!("name '{}' is not defined", vm.str_to_string(name));
    let text = vm.new_str(&m);
    let e = vm.new_exception(vm.types.name_error, &[text]);
    vm.set_slot(e, vm.names.name_plain, name);
    vm.raise(e)
}

pub(super) fn load_global(vm: &mut Vm, f: Gc<PyFunction>, i: usize) -> R {
    let code = code_at(vm.base);
    let globals = f.globals.get();
    let name = code.ics[i].name;
    let v = if vm.is_exact_dict(globals) {
        ic::load_global(vm, code, f.code.get(), i, globals)
    } else {
        // A subclass may compute its items: nothing about them is remembered.
        match namespace_get(vm, globals, name)? {
            v if v.is_null() && ic::own_builtins(vm, globals).is_null() => {
                vm.dict_get_str(vm.builtins, name)
            }
            v => v,
        }
    };
    if v.is_some() {
        return Ok(v);
    }
    // A module may run with builtins of its own.
    let own = ic::own_builtins(vm, globals);
    if own.is_some() {
        let v = namespace_get(vm, own, name)?;
        if v.is_some() {
            return Ok(v);
        }
    }
    Err(undefined(vm, name))
}

/// A name in a namespace: a dict, or any mapping (whose KeyError means absence).
pub(super) fn namespace_get(vm: &mut Vm, ns: Value, name: Value) -> R {
    if vm.is_exact_dict(ns) {
        return Ok(vm.dict_get_str(ns, name));
    }
    let r = vm.getitem(ns, name);
    let ke = vm.types.key_error;
    Ok(vm.catch(r, ke)?.unwrap_or(Value::NULL))
}
