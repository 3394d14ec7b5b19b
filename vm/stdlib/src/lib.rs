//! Pyrite's native modules, one file each.
//!
//! A module is made by [`module`] from a table of functions; what a function is
//! and does is declared as in `pyrite_objects::native`.

pub mod builtins;
pub mod codecs;
pub mod sys;
mod sys_info;
pub mod textfile;
pub mod time;

use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, PyModule};
use pyrite_objects::native::NativeDef;
use pyrite_objects::vm::Vm;

/// A module object with these functions, entered into `sys.modules`.
pub fn module(vm: &mut Vm, name: &str, doc: &str, functions: &'static [NativeDef]) -> Value {
    let dict = vm.new_dict();
    let m = vm.new_instance(vm.types.module);
    Gc::<PyModule>::from_value(m).dict.set(dict);
    vm.write_barrier(m);
    let n = vm.names;
    let (name_value, none) = (vm.intern(name), vm.none);
    let doc_value = if doc.is_empty() {
        none
    } else {
        vm.new_str(doc)
    };
    for (key, v) in [
        (n.name, name_value),
        (n.doc, doc_value),
        (n.package, vm.empty_str),
        (n.loader, none),
        (n.spec, none),
    ] {
        vm.dict_set_str(dict, key, v);
    }
    for f in functions {
        let v = vm.native_function(f, Value::NULL, Value::NULL, name_value);
        let key = vm.intern(f.name);
        vm.dict_set_str(dict, key, v);
    }
    if vm.modules.is_null() {
        let d = vm.new_dict();
        vm.modules = d;
    }
    vm.dict_set_str(vm.modules, name_value, m);
    m
}

/// The namespace of a module made by [`module`].
pub fn namespace(module: Value) -> Value {
    Gc::<PyModule>::from_value(module).dict.get()
}

/// Sets a name in a module.
pub fn set(vm: &mut Vm, module: Value, name: &str, v: Value) {
    let key = vm.intern(name);
    vm.dict_set_str(namespace(module), key, v);
}
