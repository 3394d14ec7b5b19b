//! `super`.

use crate::layout::{Gc, PySuper, PyType};
use crate::vm::{R, Vm};
use pyrite_machine::Value;

/// Attribute lookup on a `super` object; null if there is none.
pub fn super_getattr(vm: &mut Vm, obj: Value, name: Value) -> R {
    let s = Gc::<PySuper>::from_value(obj);
    if name != vm.names.class && s.this_class.get().is_some() {
        let r = super_lookup(vm, s.class.get(), s.this.get(), s.this_class.get(), name)?;
        if r.is_some() {
            return Ok(r);
        }
    }
    let class = vm.class_of(obj);
    let attr = vm.lookup(class, name);
    if attr.is_null() {
        Ok(Value::NULL)
    } else {
        vm.descr_get_any(attr, obj, class.value())
    }
}

/// `super(class, this).name`, `this_class` being the class whose MRO counts;
/// null if no class behind `class` has it.
pub fn super_lookup(vm: &mut Vm, class: Value, this: Value, this_class: Value, name: Value) -> R {
    let (attr, bind) = super_find(vm, class, this, this_class, name);
    if attr.is_null() {
        return Ok(attr);
    }
    vm.descr_get_any(attr, bind, this_class)
}

/// The attribute behind `class` in the MRO, unbound, and the object to bind it
/// to (null when `this` is the class itself).
pub fn super_find(
    vm: &mut Vm,
    class: Value,
    this: Value,
    this_class: Value,
    name: Value,
) -> (Value, Value) {
    let mro = Gc::<PyType>::from_value(this_class).mro.get();
    let mut behind = false;
    for &c in vm.tuple_items(mro) {
        if behind {
            let v = vm.dict_get_str(Gc::<PyType>::from_value(c).dict.get(), name);
            if v.is_some() {
                let bind = if this == this_class {
                    Value::NULL
                } else {
                    this
                };
                return (v, bind);
            }
        } else {
            behind = c == class;
        }
    }
    (Value::NULL, Value::NULL)
}

/// The class whose MRO counts for `super(class, this)`; TypeError if `this` is
/// neither an instance nor a subclass of `class`.
pub fn super_check(vm: &mut Vm, class: Value, this: Value) -> R {
    let t = Gc::<PyType>::from_value(class);
    if vm.is_type(this) && vm.is_subclass(Gc::from_value(this), t) {
        return Ok(this);
    }
    let c = vm.class_of(this);
    if vm.is_subclass(c, t) {
        return Ok(c.value());
    }
    let claimed = vm.getattr_opt(this, vm.names.class)?;
    if claimed.is_some() && vm.is_type(claimed) && vm.is_subclass(Gc::from_value(claimed), t) {
        return Ok(claimed);
    }
    Err(vm.type_error("super(type, obj): obj must be an instance or subtype of type"))
}

/// Gives `super` its methods.
pub fn install(_vm: &mut Vm) {}
