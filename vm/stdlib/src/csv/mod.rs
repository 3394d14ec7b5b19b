//! The `_csv` module.

mod dialect;
mod reader;
mod writer;

use crate::{module, set, slots};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, NativeLayout, PyException, PyType};
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Raised, Vm};

static FUNCTIONS: [NativeDef; 7] = [
    def(
        "reader",
        "(iterable, dialect='excel', /, **fmtparams)",
        effects::ANY,
        reader::new,
    ),
    def(
        "writer",
        "(fileobj, dialect='excel', /, **fmtparams)",
        effects::ANY,
        writer::new,
    ),
    def("list_dialects", "()", effects::ALLOC, |vm, _| {
        let d = vm.statics[slots::CSV_DIALECTS];
        vm.list_from_iterable(d)
    }),
    def(
        "register_dialect",
        "(name, dialect=None, /, **fmtparams)",
        effects::ANY,
        |vm, a| {
            if !vm.is_str(a[0]) {
                return Err(vm.type_error("dialect name must be a string"));
            }
            let d = dialect::from_arguments(vm, a[1], a[2])?;
            let registry = vm.statics[slots::CSV_DIALECTS];
            vm.dict_set(registry, a[0], d)?;
            Ok(vm.none)
        },
    ),
    def("unregister_dialect", "(name)", effects::ANY, |vm, a| {
        let registry = vm.statics[slots::CSV_DIALECTS];
        if vm.dict_remove(registry, a[0])?.is_null() {
            return Err(error(vm, "unknown dialect"));
        }
        Ok(vm.none)
    }),
    def("get_dialect", "(name)", effects::ANY, |vm, a| {
        dialect::registered(vm, a[0])
    }),
    def(
        "field_size_limit",
        "(new_limit=None, /)",
        effects::ANY,
        |vm, a| {
            let old = vm.statics[slots::CSV_LIMIT];
            if a[0].is_some() {
                if !vm.is_int(a[0]) {
                    return Err(vm.type_error("limit must be an integer"));
                }
                let Some(n) = vm.int_to_i64(a[0]) else {
                    let m = "Python int too large to convert to C long";
                    return Err(vm.overflow_error(m));
                };
                let n = vm.new_int(n);
                vm.statics[slots::CSV_LIMIT] = n;
            }
            Ok(old)
        },
    ),
];

/// `_csv.Error(message)`, raised.
fn error(vm: &mut Vm, message: &str) -> Raised {
    let class: Gc<PyType> = Gc::from_value(vm.statics[slots::CSV_ERROR]);
    vm.raise_str(class, message)
}

/// When a field is quoted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoting {
    Minimal,
    All,
    Nonnumeric,
    None,
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let m = module(vm, "_csv", "CSV parsing and writing.\n", &FUNCTIONS);
    let exception = vm.types.exception;
    let words = PyException::WORDS;
    let class = vm.native_type(&TypeDef {
        module: "_csv",
        base: Some(exception),
        words,
        has_dict: true,
        base_type: true,
        ..TypeDef::of::<PyException>("Error", Layout::Exception)
    });
    vm.statics[slots::CSV_ERROR] = class.value();
    set(vm, m, "Error", class.value());
    let registry = vm.new_dict();
    vm.statics[slots::CSV_DIALECTS] = registry;
    set(vm, m, "_dialects", registry);
    vm.statics[slots::CSV_LIMIT] = Value::small(128 * 1024);
    let version = vm.new_str("1.0");
    set(vm, m, "__version__", version);
    for (i, name) in ["MINIMAL", "ALL", "NONNUMERIC", "NONE"]
        .into_iter()
        .enumerate()
    {
        let n = Value::int_unchecked(i as i64);
        set(vm, m, &format!("QUOTE_{name}"), n);
    }
    dialect::make(vm, m);
    reader::make(vm, m);
    writer::make(vm, m);
    Ok(m)
}
