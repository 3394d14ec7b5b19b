//! `super`.

use crate::function::or_none;
use crate::layout::{Gc, Layout, PyCell, PyFunction, PySuper, PyType};
use crate::native::{GetSetDef, NativeDef, def, effects, getter, static_def};
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
    let classes = if mro.is_null() {
        &[]
    } else {
        vm.tuple_items(mro)
    };
    for &c in classes {
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

static METHODS: &[NativeDef] = &[
    static_def(
        "__new__",
        "(type, /, *args, **kwargs)",
        effects::ALLOC,
        |vm, a| Ok(vm.new_instance(Gc::from_value(a[0]))),
    ),
    def(
        "__init__",
        "($self, type=None, obj=None, /)",
        effects::ANY,
        init,
    ),
    def(
        "__get__",
        "($self, instance, owner=None, /)",
        effects::ANY,
        get,
    ),
    def("__repr__", "($self, /)", effects::ALLOC, repr),
];

static FIELDS: &[GetSetDef] = &[
    getter("__thisclass__", |vm, s| Ok(or_none(vm, sup(s).class.get()))),
    getter("__self__", |vm, s| Ok(or_none(vm, sup(s).this.get()))),
    getter("__self_class__", |vm, s| {
        Ok(or_none(vm, sup(s).this_class.get()))
    }),
];

/// Gives `super` its methods.
pub fn install(vm: &mut Vm) {
    let c = vm.types.super_;
    vm.add_methods(c, METHODS);
    vm.add_getset(c, FIELDS);
}

fn sup(v: Value) -> Gc<PySuper> {
    Gc::from_value(v)
}

fn init(vm: &mut Vm, a: &[Value]) -> R {
    let (mut class, mut this) = (a[1], a[2]);
    if class.is_null() {
        (class, this) = from_frame(vm)?;
    }
    if !vm.is_type(class) {
        let m = format!(
            "super() argument 1 must be a type, not {}",
            vm.class_name(class)
        );
        return Err(vm.type_error(&m));
    }
    let s = sup(a[0]);
    let this = if this == vm.none { Value::NULL } else { this };
    let this_class = if this.is_null() {
        this
    } else {
        super_check(vm, class, this)?
    };
    s.class.set(class);
    s.this.set(this);
    s.this_class.set(this_class);
    vm.write_barrier(a[0]);
    Ok(vm.none)
}

/// What `super()` without arguments means in the innermost Python window.
fn from_frame(vm: &mut Vm) -> R<(Value, Value)> {
    let f = vm.current_function();
    if f.is_null() {
        return Err(vm.runtime_error("super(): no current frame"));
    }
    let f = Gc::<PyFunction>::from_value(f);
    let code = vm.code_data(f.code.get());
    if code.arg_count == 0 {
        return Err(vm.runtime_error("super(): no arguments"));
    }
    // SAFETY: parameter 0 is register 0 of the window.
    let mut this = unsafe { *vm.base };
    let in_cell = code.cell_regs.contains(&0);
    if in_cell && this.is_some() && vm.layout_of(this) == Layout::Cell {
        this = Gc::<PyCell>::from_value(this).content.get();
    }
    if this.is_null() {
        return Err(vm.runtime_error("super(): arg[0] deleted"));
    }
    let free = vm
        .tuple_items(code.freevars)
        .iter()
        .position(|&n| n == vm.names.class);
    let Some(i) = free else {
        return Err(vm.runtime_error("super(): __class__ cell not found"));
    };
    let cell = vm.tuple_get(f.closure.get(), i);
    let class = Gc::<PyCell>::from_value(cell).content.get();
    if class.is_null() {
        return Err(vm.runtime_error("super(): empty __class__ cell"));
    }
    Ok((class, this))
}

fn get(vm: &mut Vm, a: &[Value]) -> R {
    let s = sup(a[0]);
    if a[1] == vm.none || s.this.get().is_some() {
        return Ok(a[0]);
    }
    let class = vm.class_of(a[0]);
    if class != vm.types.super_ {
        return vm.call(class.value(), &[s.class.get(), a[1]]);
    }
    let this_class = super_check(vm, s.class.get(), a[1])?;
    let new = vm.alloc::<PySuper>(class);
    new.class.set(s.class.get());
    new.this.set(a[1]);
    new.this_class.set(this_class);
    Ok(new.value())
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let s = sup(a[0]);
    let class = match s.class.get() {
        c if c.is_null() => "NULL".to_string(),
        c => vm.type_name(Gc::from_value(c)),
    };
    let m = if s.this_class.get().is_some() {
        let n = vm.type_name(Gc::from_value(s.this_class.get()));
        format!("<super: <class '{class}'>, <{n} object>>")
    } else {
        format!("<super: <class '{class}'>, NULL>")
    };
    Ok(vm.new_str(&m))
}
