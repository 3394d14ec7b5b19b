//! The `atexit` module: functions to call when the program ends, last one first.

use crate::{module, slots};
use pyrite_machine::Value;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::vm::{R, Vm};

const LIST: usize = slots::ATEXIT;

static FUNCTIONS: [NativeDef; 5] = [
    def(
        "register",
        "(func, /, *args, **kwargs)",
        effects::ANY,
        |vm, a| {
            let class = vm.class_of(a[0]);
            if vm.lookup(class, vm.names.call).is_null() {
                return Err(vm.type_error("the first argument must be callable"));
            }
            let entry = vm.new_tuple(a);
            let list = vm.statics[LIST];
            vm.list_append(list, entry);
            Ok(a[0])
        },
    ),
    def("unregister", "(func, /)", effects::ANY, |vm, a| {
        let list = vm.statics[LIST];
        let mut i = 0;
        while i < vm.list_len(list) {
            let f = vm.tuple_get(vm.list_get(list, i), 0);
            if vm.eq(f, a[0])? {
                vm.list_remove(list, i);
            } else {
                i += 1;
            }
        }
        Ok(vm.none)
    }),
    def("_clear", "()", effects::WRITES, |vm, _| {
        let list = vm.statics[LIST];
        vm.list_clear(list);
        Ok(vm.none)
    }),
    def("_run_exitfuncs", "()", effects::ANY, |vm, _| {
        run(vm);
        Ok(vm.none)
    }),
    def("_ncallbacks", "()", effects::READS, |vm, _| {
        let n = vm.list_len(vm.statics[LIST]);
        Ok(Value::int_unchecked(n as i64))
    }),
];

/// Calls what was registered, and forgets it; exceptions are reported.
pub fn run(vm: &mut Vm) {
    let list = vm.statics[LIST];
    if list.is_null() {
        return;
    }
    while vm.list_len(list) > 0 {
        let entry = vm.list_remove(list, vm.list_len(list) - 1);
        let (f, args, kwargs) = (
            vm.tuple_get(entry, 0),
            vm.tuple_get(entry, 1),
            vm.tuple_get(entry, 2),
        );
        if vm.call_dict(f, vm.tuple_items(args), kwargs).is_err() {
            pyrite_objects::misc::unraisable_in(vm, "Exception ignored in atexit callback", f);
        }
    }
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let m = module(
        vm,
        "atexit",
        "allow programmer to define multiple exit functions to be executed\nupon normal program termination.",
        &FUNCTIONS,
    );
    let list = vm.new_list(&[]);
    vm.statics[LIST] = list;
    Ok(m)
}
