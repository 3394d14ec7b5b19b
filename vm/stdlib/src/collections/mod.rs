//! The `_collections` module: `deque`, `defaultdict`, and two helpers of
//! `collections`. `OrderedDict` is the library's own, in Python.

mod defaultdict;
mod deque;

use crate::{module, set, structseq};
use pyrite_machine::Value;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::ops::BinOp;
use pyrite_objects::vm::{R, Vm};

static FUNCTIONS: [NativeDef; 1] = [def(
    "_count_elements",
    "(mapping, iterable, /)",
    effects::CALLS,
    count_elements,
)];

/// Adds to `mapping[item]` how often each item occurs. A dict subclass that
/// leaves `get` and `__setitem__` alone is counted into directly.
fn count_elements(vm: &mut Vm, a: &[Value]) -> R {
    let it = vm.get_iter(a[1])?;
    let (get, setitem) = (vm.intern("get"), vm.names.setitem);
    let dict = vm.types.dict;
    let class = vm.class_of(a[0]);
    let direct = vm.is_dict(a[0])
        && [get, setitem]
            .iter()
            .all(|&n| vm.lookup(class, n) == vm.lookup(dict, n));
    let (zero, one) = (Value::small(0), Value::small(1));
    let bound = if direct {
        Value::NULL
    } else {
        vm.getattr(a[0], get)?
    };
    while let Some(k) = vm.iter_next(it)? {
        if direct {
            let n = vm.dict_get(a[0], k)?;
            let n = if n.is_null() {
                one
            } else {
                vm.binary(BinOp::Add, n, one, false)?
            };
            vm.dict_set(a[0], k, n)?;
        } else {
            let n = vm.call(bound, &[k, zero])?;
            let n = vm.binary(BinOp::Add, n, one, false)?;
            vm.setitem(a[0], k, n)?;
        }
    }
    Ok(vm.none)
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let doc = "High performance data structures.";
    let m = module(vm, "_collections", doc, &FUNCTIONS);
    deque::make(vm, m);
    defaultdict::make(vm, m);
    let getter = structseq::getter_class(vm);
    set(vm, m, "_tuplegetter", getter.value());
    Ok(m)
}
