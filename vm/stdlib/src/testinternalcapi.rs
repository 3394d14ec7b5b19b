//! The `_testinternalcapi` module, as far as a VM without a C API can have it:
//! whole modules of the library's tests run only where it can be imported.

use crate::{module, set};
use pyrite_machine::Value;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::vm::{R, Vm};

static FUNCTIONS: [NativeDef; 3] = [
    def("get_config", "()", effects::ALLOC, config),
    def("get_configs", "()", effects::ALLOC, |vm, _| {
        let config = config(vm, &[])?;
        let all = vm.new_dict();
        let key = vm.intern("config");
        vm.dict_set_str(all, key, config);
        Ok(all)
    }),
    def("get_recursion_depth", "()", effects::FRAMES, |vm, _| {
        Ok(vm.new_int(vm.call_depth() as i64 + 1))
    }),
];

/// True unless `-X no_debug_ranges` or the environment says that code keeps no
/// columns.
pub fn debug_ranges(vm: &Vm) -> bool {
    let c = &vm.config;
    let variable = "PYTHONNODEBUGRANGES";
    let by_environment =
        !c.ignore_environment && std::env::var_os(variable).is_some_and(|v| !v.is_empty());
    !by_environment && !c.x_options.iter().any(|o| o == "no_debug_ranges")
}

/// The settings that this VM shares with CPython's `PyConfig`.
fn config(vm: &mut Vm, _: &[Value]) -> R {
    let c = &vm.config;
    let settings = [
        ("code_debug_ranges", i64::from(debug_ranges(vm))),
        ("isolated", i64::from(c.isolated)),
        ("optimization_level", i64::from(c.optimize)),
        ("verbose", i64::from(c.verbose)),
        ("write_bytecode", i64::from(!c.dont_write_bytecode)),
    ];
    let d = vm.new_dict();
    for (name, v) in settings {
        let (key, v) = (vm.intern(name), vm.new_int(v));
        vm.dict_set_str(d, key, v);
    }
    Ok(d)
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let m = module(
        vm,
        "_testinternalcapi",
        "What tests ask of the VM.",
        &FUNCTIONS,
    );
    // Objects have no header of the collector's beside their own.
    set(vm, m, "SIZEOF_PYGC_HEAD", Value::small(0));
    Ok(m)
}
