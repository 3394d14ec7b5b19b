//! The `_bisect` module.

use crate::args::ssize;
use crate::module;
use pyrite_machine::Value;
use pyrite_objects::CmpOp;
use pyrite_objects::layout::Layout;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::vm::{R, Vm};

const SIGNATURE: &str = "(a, x, lo=0, hi=None, *, key=None)";

static FUNCTIONS: [NativeDef; 4] = [
    def("bisect_right", SIGNATURE, effects::ANY, right),
    def("bisect_left", SIGNATURE, effects::ANY, left),
    def("insort_right", SIGNATURE, effects::ANY, insort_right),
    def("insort_left", SIGNATURE, effects::ANY, insort_left),
];

fn right(vm: &mut Vm, a: &[Value]) -> R {
    let i = search(vm, a, a[1], true)?;
    Ok(vm.new_int(i))
}

fn left(vm: &mut Vm, a: &[Value]) -> R {
    let i = search(vm, a, a[1], false)?;
    Ok(vm.new_int(i))
}

fn insort_right(vm: &mut Vm, a: &[Value]) -> R {
    insort(vm, a, true)
}

fn insort_left(vm: &mut Vm, a: &[Value]) -> R {
    insort(vm, a, false)
}

fn key_of(vm: &Vm, a: &[Value]) -> Option<Value> {
    (a[4].is_some() && a[4] != vm.none).then_some(a[4])
}

/// Where `x`, which is compared with items' keys, belongs in `a[0]`.
fn search(vm: &mut Vm, a: &[Value], x: Value, right: bool) -> R<i64> {
    let mut lo = if a[2].is_null() { 0 } else { ssize(vm, a[2])? };
    if lo < 0 {
        return Err(vm.value_error("lo must be non-negative"));
    }
    let mut hi = if a[3].is_null() || a[3] == vm.none {
        -1
    } else {
        ssize(vm, a[3])?
    };
    if hi == -1 {
        hi = vm.len(a[0])? as i64;
    }
    let key = key_of(vm, a);
    while lo < hi {
        let mid = lo + (hi - lo) / 2;
        let i = vm.new_int(mid);
        let mut item = vm.getitem(a[0], i)?;
        if let Some(f) = key {
            item = vm.call(f, &[item])?;
        }
        let (p, q) = if right { (x, item) } else { (item, x) };
        let less = vm.compare(CmpOp::Lt, p, q)?;
        let less = vm.truth(less)?;
        if less == right {
            hi = mid;
        } else {
            lo = mid + 1;
        }
    }
    Ok(lo)
}

fn insort(vm: &mut Vm, a: &[Value], right: bool) -> R {
    let x = match key_of(vm, a) {
        Some(f) => vm.call(f, &[a[1]])?,
        None => a[1],
    };
    let i = search(vm, a, x, right)?;
    if vm.layout_of(a[0]) == Layout::List && vm.class_of(a[0]) == vm.types.list {
        let at = (i as usize).min(vm.list_len(a[0]));
        vm.list_splice(a[0], at, at, &[a[1]]);
        return Ok(vm.none);
    }
    let (name, i) = (vm.intern("insert"), vm.new_int(i));
    vm.call_method(a[0], name, &[i, a[1]])?;
    Ok(vm.none)
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    Ok(module(vm, "_bisect", "Bisection algorithms.", &FUNCTIONS))
}
