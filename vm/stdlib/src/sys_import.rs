//! What `sys` tells the import system.

use crate::{EARLY, MODULES, set};
use pyrite_machine::Value;
use pyrite_objects::vm::Vm;

/// Adds to the module `m`, which is `sys`.
pub(crate) fn install(vm: &mut Vm, m: Value) {
    let x = vm.new_dict();
    for o in vm.config.x_options.clone() {
        let (k, v) = match o.split_once('=') {
            Some((k, v)) => (k.to_owned(), Some(v.to_owned())),
            None => (o, None),
        };
        let k = vm.intern(&k);
        let v = match v {
            Some(v) => vm.new_str(&v),
            None => vm.true_,
        };
        vm.dict_set_str(x, k, v);
    }
    set(vm, m, "_xoptions", x);
    let mut names: Vec<&str> = EARLY
        .iter()
        .copied()
        .chain(MODULES.iter().map(|(n, _)| *n))
        .collect();
    names.sort_unstable();
    let l = vm.new_list(&[]);
    for n in names {
        let n = vm.intern(n);
        vm.list_append(l, n);
    }
    let t = vm.list_to_tuple(l);
    set(vm, m, "builtin_module_names", t);
    let path = vm.new_list(&[]);
    set(vm, m, "path", path);
    if let Some(home) = vm.config.lib.as_ref().and_then(|l| l.parent()?.parent()) {
        let home = home.display().to_string();
        for name in ["prefix", "exec_prefix", "base_prefix", "base_exec_prefix"] {
            let s = vm.new_str(&home);
            set(vm, m, name, s);
        }
    }
}
