//! `from m import n` and `from m import *`.

use pyrite_machine::Value;
use pyrite_objects::vm::{R, Vm};

pub(super) fn import_from(vm: &mut Vm, module: Value, name: Value) -> R {
    let v = vm.getattr_opt(module, name)?;
    if v.is_some() {
        return Ok(v);
    }
    // A submodule whose parent does not have it yet (circular imports).
    let pkg = vm.getattr_opt(module, vm.names.name)?;
    let mut pkg_text = String::from("<unknown module name>");
    if pkg.is_some() && vm.is_str(pkg) {
        pkg_text = vm.str_to_string(pkg);
        let full = format!("{pkg_text}.{}", vm.str_to_string(name));
        let full = vm.new_str(&full);
        let m = vm.dict_get(vm.modules, full)?;
        if m.is_some() {
            return Ok(m);
        }
    }
    let file = vm.getattr_opt(module, vm.names.file)?;
    let n = vm.str_to_string(name);
    let m = if file.is_null() || !vm.is_str(file) {
        format!("cannot import name '{n}' from '{pkg_text}' (unknown location)")
    } else {
        let spec = vm.getattr_opt(module, vm.names.spec)?;
        let mut initializing = false;
        if spec.is_some() {
            let i = vm.getattr_opt(spec, vm.names.initializing)?;
            initializing = i.is_some() && vm.truth(i)?;
        }
        let f = vm.str_to_string(file);
        if initializing {
            format!(
                "cannot import name '{n}' from partially initialized module '{pkg_text}' (most likely due to a circular import) ({f})"
            )
        } else {
            format!("cannot import name '{n}' from '{pkg_text}' ({f})")
        }
    };
    let text = vm.new_str(&m);
    let e = vm.new_exception(vm.types.import_error, &[text]);
    let pkg_name = vm.new_str(&pkg_text);
    vm.set_slot(e, vm.names.msg, text);
    vm.set_slot(e, vm.names.name_plain, pkg_name);
    let path = if file.is_null() { vm.none } else { file };
    vm.set_slot(e, vm.names.path_plain, path);
    Err(vm.raise(e))
}

pub(super) fn import_star(vm: &mut Vm, module: Value, ns: Value) -> R<()> {
    let all = vm.getattr_opt(module, vm.names.all)?;
    let d = vm.getattr(module, vm.names.dict)?;
    let (names, skip) = if all.is_some() {
        (vm.list_from_iterable(all)?, false)
    } else {
        let keys = vm.call_method(d, vm.names.keys, &[])?;
        (vm.list_from_iterable(keys)?, true)
    };
    for i in 0..vm.list_len(names) {
        let n = vm.list_get(names, i);
        if !vm.is_str(n) {
            let mname = vm.getattr_opt(module, vm.names.name)?;
            let m = format!(
                "{} in {}.__{}__ must be str, not {}",
                if skip { "Key" } else { "Item" },
                vm.str_to_string(mname),
                if skip { "dict" } else { "all" },
                vm.class_name(n)
            );
            return Err(vm.type_error(&m));
        }
        if skip && vm.str_to_string(n).starts_with('_') {
            continue;
        }
        let exact = vm.as_str(n).unwrap_or(n);
        let key = vm.intern_value(exact);
        let v = vm.getattr(module, key)?;
        if vm.is_exact_dict(ns) {
            vm.dict_set_str(ns, key, v);
        } else {
            vm.setitem(ns, key, v)?;
        }
    }
    Ok(())
}
