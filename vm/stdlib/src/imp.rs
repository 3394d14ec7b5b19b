//! The `_imp` module: what importlib asks the VM for.
//!
//! Nothing is frozen and no extension modules can be loaded; built-in modules
//! are those of this crate.

use crate::{builtin_module, is_builtin, module, set, thread};
use pyrite_machine::Value;
use pyrite_objects::layout::Layout;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::vm::{R, Vm};
use std::hash::Hasher;

static FUNCTIONS: [NativeDef; 18] = [
    def("extension_suffixes", "()", effects::ALLOC, |vm, _| {
        Ok(vm.new_list(&[]))
    }),
    def("lock_held", "()", effects::READS, |vm, _| {
        Ok(vm.bool(thread::import_locked(vm)))
    }),
    def("acquire_lock", "()", effects::WRITES, |vm, _| {
        thread::import_lock(vm)?;
        Ok(vm.none)
    }),
    def(
        "release_lock",
        "()",
        effects::WRITES | effects::RAISES,
        |vm, _| {
            if !thread::import_unlock(vm) {
                return Err(vm.runtime_error("not holding the import lock"));
            }
            Ok(vm.none)
        },
    ),
    def("is_builtin", "(name, /)", effects::RAISES, |vm, a| {
        let name = text(vm, a[0], "is_builtin")?;
        Ok(Value::small(i32::from(is_builtin(&name))))
    }),
    def("is_frozen", "(name, /)", effects::PURE, |vm, _| {
        Ok(vm.false_)
    }),
    def("is_frozen_package", "(name, /)", effects::RAISES, no_frozen),
    def("init_frozen", "(name, /)", effects::PURE, |vm, _| {
        Ok(vm.none)
    }),
    def(
        "find_frozen",
        "(name, /, *, withdata=False)",
        effects::PURE,
        |vm, _| Ok(vm.none),
    ),
    def(
        "get_frozen_object",
        "(name, data=None, /)",
        effects::RAISES,
        no_frozen,
    ),
    def("_frozen_module_names", "()", effects::ALLOC, |vm, _| {
        Ok(vm.new_list(&[]))
    }),
    def(
        "_override_frozen_modules_for_tests",
        "(override, /)",
        effects::PURE,
        |vm, _| Ok(vm.none),
    ),
    def("create_builtin", "(spec, /)", effects::ANY, create_builtin),
    def("exec_builtin", "(mod, /)", effects::PURE, |_, _| {
        Ok(Value::small(0))
    }),
    def(
        "create_dynamic",
        "(spec, file=None, /)",
        effects::RAISES,
        no_dynamic,
    ),
    def("exec_dynamic", "(mod, /)", effects::RAISES, no_dynamic),
    def(
        "_fix_co_filename",
        "(code, path, /)",
        effects::WRITES | effects::RAISES,
        fix_filename,
    ),
    def(
        "source_hash",
        "(key, source)",
        effects::ALLOC | effects::RAISES,
        source_hash,
    ),
];

fn text(vm: &mut Vm, v: Value, function: &str) -> R<String> {
    match vm.as_str(v) {
        Some(s) => Ok(vm.str_to_string(s)),
        None => {
            let m = format!(
                "{function}() argument must be str, not {}",
                vm.class_name(v)
            );
            Err(vm.type_error(&m))
        }
    }
}

fn no_frozen(vm: &mut Vm, a: &[Value]) -> R {
    let name = text(vm, a[0], "get_frozen_object")?;
    Err(vm.import_error(&format!("No such frozen object named {name}")))
}

fn no_dynamic(vm: &mut Vm, _: &[Value]) -> R {
    Err(vm.import_error("binary extension modules cannot be loaded"))
}

fn create_builtin(vm: &mut Vm, a: &[Value]) -> R {
    let name = vm.getattr_str(a[0], "name")?;
    let name = text(vm, name, "create_builtin")?;
    match builtin_module(vm, &name)? {
        Some(m) => Ok(m),
        None => Ok(vm.none),
    }
}

fn fix_filename(vm: &mut Vm, a: &[Value]) -> R {
    if vm.layout_of(a[0]) != Layout::Code {
        let m = format!(
            "_fix_co_filename() argument 1 must be code, not {}",
            vm.class_name(a[0])
        );
        return Err(vm.type_error(&m));
    }
    text(vm, a[1], "_fix_co_filename")?;
    let old = vm.code_data(a[0]).filename;
    rename_code(vm, a[0], old, a[1]);
    Ok(vm.none)
}

/// Gives a code object, and those among its constants that have the same file
/// name, a new one.
pub(crate) fn rename_code(vm: &mut Vm, code: Value, old: Value, new: Value) {
    let data = vm.code_data(code);
    if !vm.str_eq(data.filename, old) || vm.str_eq(old, new) {
        return;
    }
    data.filename = new;
    vm.write_barrier(code);
    for i in 0..data.unit.consts.len() {
        // SAFETY: the code has that many constants.
        let c = unsafe { *data.consts.add(i) };
        if vm.layout_of(c) == Layout::Code {
            rename_code(vm, c, old, new);
        }
    }
}

fn source_hash(vm: &mut Vm, a: &[Value]) -> R {
    let key = crate::fs::c_long(vm, a[0])?;
    let Some(b) = vm.as_bytes(a[1]) else {
        let m = format!(
            "a bytes-like object is required, not '{}'",
            vm.class_name(a[1])
        );
        return Err(vm.type_error(&m));
    };
    let mut h = siphasher::sip::SipHasher13::new_with_keys(key as u64, 0);
    h.write(vm.bytes(b));
    Ok(vm.new_bytes(&h.finish().to_le_bytes()))
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let m = module(
        vm,
        "_imp",
        "What the import system asks the VM for.",
        &FUNCTIONS,
    );
    let s = vm.new_str("default");
    set(vm, m, "check_hash_based_pycs", s);
    Ok(m)
}
