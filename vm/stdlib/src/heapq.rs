//! The `_heapq` module: binary heaps in lists, smallest or largest item first.
//!
//! A comparison runs Python code that may change the list; every move notices a
//! change of its length.

use crate::module;
use pyrite_machine::Value;
use pyrite_objects::CmpOp;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::vm::{R, Vm};

static FUNCTIONS: [NativeDef; 8] = [
    def("heappush", "(heap, item, /)", effects::ANY, |vm, a| {
        check(vm, "heappush", a[0])?;
        vm.list_append(a[0], a[1]);
        let last = vm.list_len(a[0]) - 1;
        down(vm, a[0], 0, last, false)?;
        Ok(vm.none)
    }),
    def("heappop", "(heap, /)", effects::ANY, |vm, a| {
        check(vm, "heappop", a[0])?;
        pop(vm, a[0], false)
    }),
    def("_heappop_max", "(heap, /)", effects::ANY, |vm, a| {
        check(vm, "_heappop_max", a[0])?;
        pop(vm, a[0], true)
    }),
    def("heapreplace", "(heap, item, /)", effects::ANY, |vm, a| {
        check(vm, "heapreplace", a[0])?;
        replace(vm, a[0], a[1], false)
    }),
    def(
        "_heapreplace_max",
        "(heap, item, /)",
        effects::ANY,
        |vm, a| {
            check(vm, "_heapreplace_max", a[0])?;
            replace(vm, a[0], a[1], true)
        },
    ),
    def("heappushpop", "(heap, item, /)", effects::ANY, |vm, a| {
        check(vm, "heappushpop", a[0])?;
        if vm.list_len(a[0]) == 0 {
            return Ok(a[1]);
        }
        let top = vm.list_get(a[0], 0);
        if !less(vm, top, a[1])? {
            return Ok(a[1]);
        }
        if vm.list_len(a[0]) == 0 {
            return Err(vm.index_error("index out of range"));
        }
        replace(vm, a[0], a[1], false)
    }),
    def("heapify", "(heap, /)", effects::ANY, |vm, a| {
        check(vm, "heapify", a[0])?;
        heapify(vm, a[0], false)
    }),
    def("_heapify_max", "(heap, /)", effects::ANY, |vm, a| {
        check(vm, "_heapify_max", a[0])?;
        heapify(vm, a[0], true)
    }),
];

fn check(vm: &mut Vm, name: &str, heap: Value) -> R<()> {
    if vm.is_list(heap) {
        return Ok(());
    }
    let m = if matches!(
        name,
        "heapify" | "heappop" | "_heapify_max" | "_heappop_max"
    ) {
        format!(
            "{name}() argument must be list, not {}",
            vm.class_name(heap)
        )
    } else {
        format!(
            "{name}() argument 1 must be list, not {}",
            vm.class_name(heap)
        )
    };
    Err(vm.type_error(&m))
}

fn less(vm: &mut Vm, a: Value, b: Value) -> R<bool> {
    if let Some(r) = vm.quick_compare(CmpOp::Lt, a, b) {
        return Ok(r);
    }
    let r = vm.compare(CmpOp::Lt, a, b)?;
    vm.truth(r)
}

/// True if `a` belongs nearer to the top than `b`.
fn above(vm: &mut Vm, a: Value, b: Value, max: bool) -> R<bool> {
    if max { less(vm, b, a) } else { less(vm, a, b) }
}

fn swap(vm: &mut Vm, heap: Value, i: usize, k: usize) {
    let (x, y) = (vm.list_get(heap, i), vm.list_get(heap, k));
    vm.list_put(heap, i, y);
    vm.list_put(heap, k, x);
}

fn same_length(vm: &mut Vm, heap: Value, n: usize) -> R<()> {
    if vm.list_len(heap) == n {
        return Ok(());
    }
    Err(vm.runtime_error("list changed size during iteration"))
}

/// Moves the item at `pos` towards `start` until its parent belongs above it.
fn down(vm: &mut Vm, heap: Value, start: usize, pos: usize, max: bool) -> R<()> {
    let n = vm.list_len(heap);
    if pos >= n {
        return Err(vm.index_error("index out of range"));
    }
    let mut pos = pos;
    let item = vm.list_get(heap, pos);
    while pos > start {
        let parent = (pos - 1) / 2;
        let p = vm.list_get(heap, parent);
        let rises = above(vm, item, p, max)?;
        same_length(vm, heap, n)?;
        if !rises {
            break;
        }
        swap(vm, heap, parent, pos);
        pos = parent;
    }
    Ok(())
}

/// Moves the item at `start` to a leaf, the better child rising each time, and
/// from there to its place.
fn up(vm: &mut Vm, heap: Value, start: usize, max: bool) -> R<()> {
    let n = vm.list_len(heap);
    if start >= n {
        return Err(vm.index_error("index out of range"));
    }
    let mut pos = start;
    while pos < n / 2 {
        let mut child = 2 * pos + 1;
        if child + 1 < n {
            let (x, y) = (vm.list_get(heap, child), vm.list_get(heap, child + 1));
            if !above(vm, x, y, max)? {
                child += 1;
            }
            same_length(vm, heap, n)?;
        }
        swap(vm, heap, child, pos);
        pos = child;
    }
    down(vm, heap, start, pos, max)
}

fn pop(vm: &mut Vm, heap: Value, max: bool) -> R {
    let n = vm.list_len(heap);
    if n == 0 {
        return Err(vm.index_error("index out of range"));
    }
    let last = vm.list_remove(heap, n - 1);
    if n == 1 {
        return Ok(last);
    }
    replace(vm, heap, last, max)
}

fn replace(vm: &mut Vm, heap: Value, item: Value, max: bool) -> R {
    if vm.list_len(heap) == 0 {
        return Err(vm.index_error("index out of range"));
    }
    let top = vm.list_get(heap, 0);
    vm.list_put(heap, 0, item);
    up(vm, heap, 0, max)?;
    Ok(top)
}

fn heapify(vm: &mut Vm, heap: Value, max: bool) -> R {
    for i in (0..vm.list_len(heap) / 2).rev() {
        up(vm, heap, i, max)?;
    }
    Ok(vm.none)
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let m = module(
        vm,
        "_heapq",
        "Heap queue algorithm (a.k.a. priority queue).",
        &FUNCTIONS,
    );
    let about = vm.new_str("Heaps are arrays for which a[k] <= a[2*k+1] and a[k] <= a[2*k+2] for all k, counting elements from 0.");
    crate::set(vm, m, "__about__", about);
    Ok(m)
}
