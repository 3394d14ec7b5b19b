//! The `gc` module.
//!
//! Collections come when the collector wants them: `disable`, thresholds and debug
//! flags are kept and reported, and `collect` always collects. An object is
//! tracked if it can refer to others.

use crate::{module, set, slots};
use pyrite_machine::{Header, Value};
use pyrite_objects::layout::{Gc, Layout, kind};
use pyrite_objects::native::{NativeDef, def, effects, intrinsic};
use pyrite_objects::shape::shape_of;
use pyrite_objects::vm::{R, Vm};

const SETTINGS: usize = slots::GC_SETTINGS;
/// Items of the settings: on or off, debug flags, three thresholds, frozen objects,
/// and per generation collections, collected, uncollectable.
const ENABLED: usize = 0;
const DEBUG: usize = 1;
const THRESHOLDS: usize = 2;
const FROZEN: usize = 5;
const STATS: usize = 6;
const ITEMS: usize = STATS + 9;

const DEBUG_STATS: i64 = 1;

static FUNCTIONS: [NativeDef; 18] = [
    def("enable", "()", effects::WRITES, |vm, _| {
        put(vm, ENABLED, 1);
        Ok(vm.none)
    }),
    def("disable", "()", effects::WRITES, |vm, _| {
        put(vm, ENABLED, 0);
        Ok(vm.none)
    }),
    def("isenabled", "()", effects::READS, |vm, _| {
        let on = get(vm, ENABLED) != 0;
        Ok(vm.bool(on))
    }),
    def("collect", "(generation=2)", effects::ANY, collect).known(intrinsic::COLLECT),
    def("get_count", "()", effects::ALLOC, |vm, _| {
        let n = Value::small;
        Ok(vm.new_tuple(&[n(0), n(0), n(0)]))
    }),
    def(
        "set_debug",
        "(flags, /)",
        effects::WRITES | effects::RAISES,
        |vm, a| {
            let n = vm.index_i64(a[0], false)?;
            put(vm, DEBUG, n);
            Ok(vm.none)
        },
    ),
    def("get_debug", "()", effects::READS, |vm, _| {
        Ok(Value::int_unchecked(get(vm, DEBUG)))
    }),
    def(
        "set_threshold",
        "(threshold0, threshold1=10, threshold2=10, /)",
        effects::WRITES | effects::RAISES,
        |vm, a| {
            for (i, threshold) in a.iter().take(3).enumerate() {
                if threshold.is_some() {
                    let n = vm.index_i64(*threshold, false)?;
                    put(vm, THRESHOLDS + i, n);
                }
            }
            Ok(vm.none)
        },
    ),
    def("get_threshold", "()", effects::ALLOC, |vm, _| {
        let t = [0, 1, 2].map(|i| Value::int_unchecked(get(vm, THRESHOLDS + i)));
        Ok(vm.new_tuple(&t))
    }),
    def(
        "get_objects",
        "(generation=None)",
        effects::ANY,
        get_objects,
    )
    .known(intrinsic::COLLECT),
    def("get_stats", "()", effects::ALLOC, get_stats),
    def("is_tracked", "(obj, /)", effects::READS, |vm, a| {
        let t = tracked(vm, a[0]);
        Ok(vm.bool(t))
    }),
    def("is_finalized", "(obj, /)", effects::READS, |vm, a| {
        // SAFETY: a pointer value names an object.
        let done = a[0].is_ptr() && unsafe { vm.heap.is_finalized(a[0].ptr()) };
        Ok(vm.bool(done))
    }),
    def("get_referrers", "(*objs)", effects::ALLOC, get_referrers).known(intrinsic::COLLECT),
    def("get_referents", "(*objs)", effects::ANY, get_referents),
    def("freeze", "()", effects::WRITES, |vm, _| {
        let n = count(vm);
        put(vm, FROZEN, n);
        Ok(vm.none)
    }),
    def("unfreeze", "()", effects::WRITES, |vm, _| {
        put(vm, FROZEN, 0);
        Ok(vm.none)
    }),
    def("get_freeze_count", "()", effects::READS, |vm, _| {
        Ok(Value::int_unchecked(get(vm, FROZEN)))
    }),
];

fn get(vm: &Vm, i: usize) -> i64 {
    vm.list_get(vm.statics[SETTINGS], i).as_int().unwrap_or(0)
}

fn put(vm: &mut Vm, i: usize, n: i64) {
    let list = vm.statics[SETTINGS];
    vm.list_put(list, i, Value::int_unchecked(n));
}

/// True if Python code may see this object: storage and code are the VM's own.
fn visible(vm: &Vm, obj: *mut u64) -> bool {
    // SAFETY: an object.
    let header = unsafe { *obj };
    Header::kind(header) != kind::FILLER && Header::shape(header) != vm.storage_shape && {
        let c = shape_of(Value::from_ptr(obj)).class();
        !c.raw().is_null()
    }
}

fn tracked(vm: &Vm, v: Value) -> bool {
    if !v.is_ptr() {
        return false;
    }
    match vm.layout_of(v) {
        Layout::Int
        | Layout::IntSub
        | Layout::Bool
        | Layout::Float
        | Layout::FloatSub
        | Layout::Complex
        | Layout::ComplexSub
        | Layout::Str
        | Layout::StrSub
        | Layout::Bytes
        | Layout::BytesSub
        | Layout::ByteArray
        | Layout::NoneType
        | Layout::EllipsisType
        | Layout::NotImplementedType
        | Layout::RangeIter
        | Layout::Range
        | Layout::Code => {
            // Instances of programs' classes refer to their class at least.
            vm.type_data(vm.class_of(v)).heap_type
        }
        Layout::Type => vm.type_data(Gc::from_value(v)).heap_type,
        Layout::Tuple | Layout::TupleSub => vm.tuple_len(v) > 0,
        Layout::Object => {
            let d = vm.type_data(vm.class_of(v));
            d.has_dict || d.payload_words > 1
        }
        _ => true,
    }
}

/// Objects that are visible and tracked, dead ones not yet found included.
#[inline(never)]
fn count(vm: &Vm) -> i64 {
    let mut n = 0;
    vm.heap.for_each_object(&mut |p| {
        n += i64::from(visible(vm, p) && tracked(vm, Value::from_ptr(p)));
    });
    n
}

fn generation(vm: &mut Vm, v: Value) -> R<usize> {
    if v.is_null() {
        return Ok(2);
    }
    match vm.index_i64(v, true)? {
        n @ 0..=2 => Ok(n as usize),
        _ => Err(vm.value_error("invalid generation")),
    }
}

/// Collects, runs callbacks and finalizers; how many objects were found dead.
fn collect(vm: &mut Vm, a: &[Value]) -> R {
    let floor = std::mem::take(&mut vm.collect_floor);
    let g = generation(vm, a[0])?;
    if get(vm, DEBUG) & DEBUG_STATS != 0 {
        let text = format!("gc: collecting generation {g}...\n");
        pyrite_objects::traceback::write_stderr(vm, &text);
    }
    tell(vm, "start", g, 0);
    let before = count(vm);
    // The walk left the addresses of the newest objects behind.
    pyrite_gc::wipe_stack();
    collect_now(vm, g == 2, floor);
    let found = (before - count(vm)).max(0);
    pyrite_objects::misc::run_pending(vm)?;
    let at = STATS + 3 * g;
    for (i, n) in [1, found].into_iter().enumerate() {
        let sum = get(vm, at + i) + n;
        put(vm, at + i, sum);
    }
    if get(vm, DEBUG) & DEBUG_STATS != 0 {
        let text = format!("gc: done, {found} unreachable, 0 uncollectable\n");
        pyrite_objects::traceback::write_stderr(vm, &text);
    }
    tell(vm, "stop", g, found);
    Ok(vm.new_int(found))
}

/// Collects in frames of its own, on wiped stack.
#[inline(never)]
fn collect_now(vm: &mut Vm, full: bool, floor: u64) {
    vm.clear_dead_registers();
    let here = 0u64;
    // The interpreter's loop called this function: what lies between them are the
    // frames of that call, which hold nothing. A floor far away is another stack's.
    if floor.wrapping_sub(&raw const here as u64) < 1 << 16 {
        // SAFETY: the loop stored the registers of the frames above its own.
        unsafe { vm.heap.collect_above(full, floor as *const u64) };
    } else {
        vm.heap.collect(full);
    }
}

/// Calls `gc.callbacks`.
fn tell(vm: &mut Vm, phase: &str, generation: usize, collected: i64) {
    let list = vm.statics[slots::GC_CALLBACKS];
    if vm.list_len(list) == 0 {
        return;
    }
    let info = vm.new_dict();
    for (name, n) in [
        ("generation", generation as i64),
        ("collected", collected),
        ("uncollectable", 0),
    ] {
        let key = vm.intern(name);
        vm.dict_set_str(info, key, Value::int_unchecked(n));
    }
    let phase = vm.intern(phase);
    let mut i = 0;
    while i < vm.list_len(list) {
        let f = vm.list_get(list, i);
        if vm.call(f, &[phase, info]).is_err() {
            pyrite_objects::misc::unraisable(vm, f);
        }
        i += 1;
    }
}

/// Addresses of all objects that satisfy a condition; nothing moves until they
/// are in a list.
fn gather(vm: &mut Vm, mut wanted: impl FnMut(&Vm, *mut u64) -> bool) -> Value {
    // Room first, so that filling the list allocates nothing.
    let floor = std::mem::take(&mut vm.collect_floor);
    collect_now(vm, true, floor);
    let mut n = 0;
    vm.heap
        .for_each_object(&mut |p| n += usize::from(visible(vm, p) && wanted(vm, p)));
    let list = vm.new_list_with_capacity(n + 1);
    let mut found = Vec::with_capacity(n);
    vm.heap.for_each_object(&mut |p| {
        let v = Value::from_ptr(p);
        if visible(vm, p) && v != list && found.len() < n && wanted(vm, p) {
            found.push(v.bits());
        }
    });
    for bits in found {
        vm.list_append(list, Value::from_bits(bits));
    }
    list
}

fn get_objects(vm: &mut Vm, a: &[Value]) -> R {
    if a[0].is_some() && a[0] != vm.none {
        match vm.index_i64(a[0], true)? {
            0..=2 => {}
            n if n < 0 => return Err(vm.value_error("generation parameter cannot be negative")),
            _ => {
                return Err(vm.value_error(
                    "generation parameter must be less than the number of available generations (3)",
                ));
            }
        }
        // Survivors are old at once: what is not in the oldest generation is new.
        if vm.index_i64(a[0], true)? < 2 {
            return Ok(vm.new_list(&[]));
        }
    }
    Ok(gather(vm, |vm, p| tracked(vm, Value::from_ptr(p))))
}

fn get_stats(vm: &mut Vm, _: &[Value]) -> R {
    let list = vm.new_list(&[]);
    for g in 0..3 {
        let d = vm.new_dict();
        for (i, name) in ["collections", "collected", "uncollectable"]
            .into_iter()
            .enumerate()
        {
            let key = vm.intern(name);
            let n = get(vm, STATS + 3 * g + i);
            vm.dict_set_str(d, key, Value::int_unchecked(n));
        }
        vm.list_append(list, d);
    }
    Ok(list)
}

/// Calls `each` with what `v` refers to, through storage that is not visible.
fn each_referent(vm: &Vm, v: Value, each: &mut dyn FnMut(Value)) {
    let mut todo = vec![v.bits()];
    let mut seen = 0;
    while let Some(bits) = todo.pop() {
        // SAFETY: an object, and the closure allocates nothing on the heap.
        unsafe {
            vm.heap.referents(bits as *mut u64, &mut |r| {
                if !r.is_ptr() || !vm.heap.contains(r.ptr().cast()) {
                    return;
                }
                if visible(vm, r.ptr()) {
                    each(r);
                } else if seen < 64 {
                    seen += 1;
                    todo.push(r.bits());
                }
            });
        }
    }
}

fn get_referents(vm: &mut Vm, a: &[Value]) -> R {
    let list = vm.new_list(&[]);
    for i in 0..vm.tuple_len(a[0]) {
        let v = vm.tuple_get(a[0], i);
        if !v.is_ptr() {
            continue;
        }
        // Numbers in containers are no references here, but they are to a program.
        if vm.is_list(v) || vm.layout_of(v) == Layout::Tuple {
            vm.list_extend(list, v)?;
            continue;
        }
        if vm.is_exact_dict(v) {
            let mut pos = 0;
            while let Some((k, x)) = vm.dict_next(v, &mut pos) {
                vm.list_append(list, k);
                vm.list_append(list, x);
            }
            continue;
        }
        let mut found = Vec::new();
        each_referent(vm, v, &mut |r| found.push(r.bits()));
        // A tuple is allocated at once, before anything can move.
        let n = found.len();
        let t = vm.new_tuple_uninit(n);
        found.clear();
        each_referent(vm, v, &mut |r| found.push(r.bits()));
        for (i, &bits) in found.iter().take(n).enumerate() {
            vm.tuple_init(t, i, Value::from_bits(bits));
        }
        vm.write_barrier(t);
        vm.list_extend(list, t)?;
    }
    Ok(list)
}

fn get_referrers(vm: &mut Vm, a: &[Value]) -> R {
    let targets = a[0];
    Ok(gather(vm, move |vm, p| {
        let v = Value::from_ptr(p);
        if v == targets || !tracked(vm, v) {
            return false;
        }
        let mut hit = false;
        each_referent(vm, v, &mut |r| {
            hit |= vm.tuple_items(targets).contains(&r);
        });
        hit
    }))
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let m = module(
        vm,
        "gc",
        "This module provides access to the garbage collector for reference cycles.",
        &FUNCTIONS,
    );
    let settings = vm.new_list(&[Value::small(0); ITEMS]);
    vm.statics[SETTINGS] = settings;
    put(vm, ENABLED, 1);
    for (i, n) in [700, 10, 10].into_iter().enumerate() {
        put(vm, THRESHOLDS + i, n);
    }
    for (name, slot) in [
        ("callbacks", slots::GC_CALLBACKS),
        ("garbage", slots::GC_GARBAGE),
    ] {
        let list = vm.new_list(&[]);
        vm.statics[slot] = list;
        set(vm, m, name, list);
    }
    for (name, n) in [
        ("DEBUG_STATS", 1),
        ("DEBUG_COLLECTABLE", 2),
        ("DEBUG_UNCOLLECTABLE", 4),
        ("DEBUG_SAVEALL", 32),
        ("DEBUG_LEAK", 38),
    ] {
        set(vm, m, name, Value::small(n));
    }
    Ok(m)
}
