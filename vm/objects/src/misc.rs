//! Small built-in classes without a file of their own yet.

use crate::vm::{R, Vm};
use pyrite_machine::Value;

/// `origin[args]` as a `types.GenericAlias`.
pub fn generic_alias(vm: &mut Vm, origin: Value, args: Value) -> R {
    let t = match vm.as_tuple(args) {
        Some(t) => t,
        None => vm.new_tuple(&[args]),
    };
    let class = vm.types.generic_alias;
    let a = vm.new_instance(class);
    vm.store_word(a, 1, origin);
    vm.store_word(a, 2, t);
    vm.store_word(a, 3, vm.none);
    Ok(a)
}
