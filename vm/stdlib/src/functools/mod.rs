//! The `_functools` module: `partial`, `reduce`, `cmp_to_key` and the wrapper
//! that `lru_cache` makes.

mod lru;
mod partial;

use crate::{module, slots};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout};
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};
use pyrite_objects::{CmpOp, comparisons, object_layout};

object_layout! {
    /// A key of `cmp_to_key`: the comparison function, and the object (null in
    /// the key's maker).
    Key [Library, VALUES] { compare: Value, object: Value }
}

static FUNCTIONS: [NativeDef; 2] = [
    def("cmp_to_key", "(mycmp)", effects::ALLOC, |vm, a| {
        Ok(new_key(vm, a[0], Value::NULL))
    }),
    def(
        "reduce",
        "(function, iterable, initial=None, /)",
        effects::ANY,
        reduce,
    ),
];

fn reduce(vm: &mut Vm, a: &[Value]) -> R {
    let it = match vm.get_iter(a[1]) {
        Ok(it) => it,
        Err(e) => {
            if vm.exc_is(vm.types.type_error) {
                vm.exc = Value::NULL;
                return Err(vm.type_error("reduce() arg 2 must support iteration"));
            }
            return Err(e);
        }
    };
    let mut total = a[2];
    while let Some(v) = vm.iter_next(it)? {
        total = if total.is_null() {
            v
        } else {
            vm.call(a[0], &[total, v])?
        };
    }
    if total.is_null() {
        let m = "reduce() of empty iterable with no initial value";
        return Err(vm.type_error(m));
    }
    Ok(total)
}

fn key(v: Value) -> Gc<Key> {
    Gc::from_value(v)
}

fn new_key(vm: &mut Vm, compare: Value, object: Value) -> Value {
    let class = Gc::from_value(vm.statics[slots::CMP_KEY]);
    let v = vm.new_instance(class);
    key(v).compare.set(compare);
    key(v).object.set(object);
    vm.write_barrier(v);
    v
}

static KEY: [NativeDef; 7] = [
    def("__call__", "($self, obj)", effects::ALLOC, |vm, a| {
        Ok(new_key(vm, key(a[0]).compare.get(), a[1]))
    }),
    def("__lt__", "($self, value, /)", effects::ANY, lt),
    def("__le__", "($self, value, /)", effects::ANY, le),
    def("__eq__", "($self, value, /)", effects::ANY, eq),
    def("__ne__", "($self, value, /)", effects::ANY, ne),
    def("__gt__", "($self, value, /)", effects::ANY, gt),
    def("__ge__", "($self, value, /)", effects::ANY, ge),
];

comparisons!(compare);

fn compare(vm: &mut Vm, op: CmpOp, a: &[Value]) -> R {
    let class = Gc::from_value(vm.statics[slots::CMP_KEY]);
    if !vm.is_instance(a[1], class) {
        return Err(vm.type_error("other argument must be K instance"));
    }
    let (x, y) = (key(a[0]).object.get(), key(a[1]).object.get());
    if x.is_null() || y.is_null() {
        return Err(vm.attribute_error("object"));
    }
    let r = vm.call(key(a[0]).compare.get(), &[x, y])?;
    vm.compare(op, r, Value::small(0))
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let doc = "Tools that operate on functions.";
    let m = module(vm, "_functools", doc, &FUNCTIONS);
    let t = vm.native_type(&TypeDef {
        module: "functools",
        methods: &KEY,
        ..TypeDef::of::<Key>("KeyWrapper", Layout::Library)
    });
    let object = vm.intern("obj");
    let member = vm.new_member(object, t, 2, false);
    vm.type_set(t, "obj", member);
    let none = vm.none;
    vm.type_set(t, "__hash__", none);
    vm.statics[slots::CMP_KEY] = t.value();
    partial::make(vm, m);
    lru::make(vm, m);
    Ok(m)
}
