//! The `itertools` module.
//!
//! Each class is a structure of value words and a step function that gives the
//! next item or `None`; `__next__` and Rust code that iterates use the same
//! step. An exhausted iterator drops what it iterates over. A step that calls
//! Python code reads its words again afterwards: the call may have advanced
//! this very iterator.

mod adapt;
mod choose;
mod endless;
mod group;
mod select;

use crate::{class, module};
use pyrite_machine::Value;
use pyrite_objects::layout::{Layout, NativeLayout};
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

/// `__iter__` of an iterator.
const ITER: NativeDef = def("__iter__", "($self, /)", effects::PURE, |_, a| Ok(a[0]));

/// `builtins.iter`, for `__reduce__`.
fn iter_function(vm: &mut Vm) -> Value {
    pyrite_objects::iters::builtin(vm, "iter")
}

/// `(class of v, args)`
fn reduced(vm: &mut Vm, v: Value, args: &[Value]) -> Value {
    let class = vm.class_of(v).value();
    let args = vm.new_tuple(args);
    vm.new_tuple(&[class, args])
}

/// `(class of v, args, state)`
fn reduced_with(vm: &mut Vm, v: Value, args: &[Value], state: Value) -> Value {
    let class = vm.class_of(v).value();
    let args = vm.new_tuple(args);
    vm.new_tuple(&[class, args, state])
}

fn iterator_class<T: NativeLayout>(
    vm: &mut Vm,
    m: Value,
    name: &str,
    base_type: bool,
    methods: &'static [NativeDef],
) {
    class(
        vm,
        m,
        &TypeDef {
            module: "itertools",
            base_type,
            methods,
            ..TypeDef::of::<T>(name, Layout::Library)
        },
    );
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let doc = "Functional tools for creating and using iterators.";
    let m = module(vm, "itertools", doc, &group::FUNCTIONS);
    endless::make(vm, m);
    adapt::make(vm, m);
    select::make(vm, m);
    choose::make(vm, m);
    group::make(vm, m);
    Ok(m)
}
