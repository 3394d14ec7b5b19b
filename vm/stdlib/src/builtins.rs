//! The `builtins` module.

use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, PyRangeIter};
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::vm::{R, Vm};

static FUNCTIONS: &[NativeDef] = &[
    def(
        "print",
        "(*args, sep=' ', end='\\n', file=None, flush=False)",
        effects::ANY,
        print,
    ),
    def("len", "(obj, /)", effects::ANY, len),
    def("range", "(a, b=0, c=1, /)", effects::ANY, range),
    def("clock", "()", effects::ANY, clock),
];

fn print(vm: &mut Vm, a: &[Value]) -> R {
    let mut out = String::new();
    for (i, &v) in vm.tuple_items(a[0]).iter().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        match v.as_int() {
            Some(n) => out.push_str(&n.to_string()),
            None => match v.as_float() {
                Some(f) => out.push_str(&format!("{f:?}")),
                None => out.push_str(&vm.str_string(v)?),
            },
        }
    }
    println!("{out}");
    Ok(vm.none)
}

fn clock(_vm: &mut Vm, _a: &[Value]) -> R {
    let t = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Ok(Value::float(t.as_secs_f64()))
}

fn len(vm: &mut Vm, a: &[Value]) -> R {
    let n = vm.len(a[0])?;
    Ok(vm.new_int(n as i64))
}

fn range(vm: &mut Vm, a: &[Value]) -> R {
    let (start, stop) = if a[1].is_null() {
        (0, vm.index_i64(a[0], false)?)
    } else {
        (vm.index_i64(a[0], false)?, vm.index_i64(a[1], false)?)
    };
    let step = if a[2].is_null() {
        1
    } else {
        vm.index_i64(a[2], false)?
    };
    let it = vm.alloc::<PyRangeIter>(vm.types.range_iter);
    it.next.set(start);
    it.step.set(step);
    it.remaining.set(if step > 0 {
        (stop - start + step - 1) / step
    } else {
        (start - stop - step - 1) / -step
    });
    let _: Gc<PyRangeIter> = it;
    Ok(it.value())
}

/// Makes the module.
pub fn install(vm: &mut Vm) {
    let d = vm.new_dict();
    vm.builtins = d;
    for f in FUNCTIONS {
        let v = vm.native_function(f, Value::NULL, Value::NULL, Value::NULL);
        let n = vm.intern(f.name);
        vm.dict_set_str(d, n, v);
    }
}
