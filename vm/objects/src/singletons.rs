//! `None`, `Ellipsis` and `NotImplemented`: how they print, and that None is false.

use crate::native::{NativeDef, def, effects};
use crate::vm::{R, Vm};
use pyrite_machine::Value;

static NONE: &[NativeDef] = &[
    def("__repr__", "($self, /)", effects::PURE, repr),
    def("__bool__", "($self, /)", effects::PURE, |vm, _| {
        Ok(vm.false_)
    }),
];
static OTHERS: &[NativeDef] = &[
    def("__repr__", "($self, /)", effects::PURE, repr),
    def("__reduce__", "($self, /)", effects::PURE, repr),
];

/// Gives the singletons' classes their methods.
pub fn install(vm: &mut Vm) {
    vm.add_methods(vm.types.none, NONE);
    vm.add_methods(vm.types.ellipsis, OTHERS);
    vm.add_methods(vm.types.not_implemented, OTHERS);
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let name = if a[0] == vm.none {
        "None"
    } else if a[0] == vm.ellipsis {
        "Ellipsis"
    } else {
        "NotImplemented"
    };
    Ok(vm.intern(name))
}
