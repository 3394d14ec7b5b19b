//! Attributes, methods and `super()`.

use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyMethod};
use pyrite_objects::shape::shape_of;
use pyrite_objects::vm::{R, Vm};

/// Callable of `o.name`, and `o` if that is a method found on its class (else null).
pub fn load_method(vm: &mut Vm, o: Value, name: Value) -> R<(Value, Value)> {
    let class = vm.class_of(o);
    let layout = vm.layout_of(o);
    if vm.type_memo(class).object_getattribute
        && !matches!(layout, Layout::Type | Layout::Module | Layout::Super)
    {
        let f = vm.lookup(class, name);
        if f.is_some() && vm.is_method(f) && vm.instance_get(o, name).is_null() {
            return Ok((f, o));
        }
    }
    let v = vm.getattr(o, name)?;
    // A bound method made on the spot is taken apart again.
    if v.is_ptr() && shape_of(v).layout == Layout::Method && shape_of(v).class() == vm.types.method
    {
        let m: Gc<PyMethod> = Gc::from_value(v);
        return Ok((m.func.get(), m.this.get()));
    }
    Ok((v, Value::NULL))
}

pub(super) fn load_super(vm: &mut Vm, class: Value, this: Value, name: Value) -> R {
    if class.is_null() {
        return Err(vm.runtime_error("super(): empty __class__ cell"));
    }
    if this.is_null() {
        return Err(vm.runtime_error("super(): arg[0] deleted"));
    }
    if !vm.is_type(class) {
        return Err(vm.runtime_error("super(): __class__ is not a type"));
    }
    let tc = pyrite_objects::super_::super_check(vm, class, this)?;
    let v = pyrite_objects::super_::super_lookup(vm, class, this, tc, name)?;
    if v.is_some() {
        return Ok(v);
    }
    let s = vm.alloc::<pyrite_objects::layout::PySuper>(vm.types.super_);
    s.class.set(class);
    s.this.set(this);
    s.this_class.set(tc);
    vm.getattr(s.value(), name)
}
