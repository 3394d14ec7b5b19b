//! The `_thread` module: locks, thread-local data, identities.
//!
//! There is one thread. A lock is a word; to wait for a lock that only this
//! thread could release would be to wait for ever, so it raises instead.

use crate::{module, set, slots, structseq};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyType, PyValueSub, kind};
use pyrite_objects::native::{NativeDef, def, effects, static_def};
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

/// Longest timeout, in seconds, that fits 64 bits of nanoseconds.
const TIMEOUT_MAX: f64 = 9_223_372_036.0;

static FUNCTIONS: [NativeDef; 14] = [
    def("allocate_lock", "()", effects::ALLOC, |vm, _| Ok(new_lock(vm))),
    def("allocate", "()", effects::ALLOC, |vm, _| Ok(new_lock(vm))),
    def("_set_sentinel", "()", effects::ALLOC, |vm, _| Ok(new_lock(vm))),
    def("get_ident", "()", effects::PURE, |vm, _| {
        // SAFETY: pthread_self has no preconditions.
        let id = unsafe { libc::pthread_self() } as u64;
        Ok(vm.new_uint(id))
    }),
    def("get_native_id", "()", effects::PURE, |_, _| {
        // SAFETY: gettid has no preconditions.
        Ok(Value::small(unsafe { libc::gettid() }))
    }),
    def("_count", "()", effects::PURE, |_, _| Ok(Value::small(0))),
    def("start_new_thread", "(function, args, kwargs={}, /)", effects::RAISES, no_threads),
    def("start_new", "(function, args, kwargs={}, /)", effects::RAISES, no_threads),
    def("exit", "()", effects::RAISES, exit),
    def("exit_thread", "()", effects::RAISES, exit),
    def("interrupt_main", "(signum=2, /)", effects::RAISES, |vm, _| {
        let class = vm.types.keyboard_interrupt;
        Err(vm.raise_args(class, &[]))
    }),
    def("stack_size", "(size=0, /)", effects::RAISES, |vm, a| {
        if a[0].is_some() {
            let n = vm.index_i64(a[0], true)?;
            if n < 0 {
                return Err(vm.value_error("size must be 0 or a positive value"));
            }
        }
        Ok(Value::small(0))
    }),
    def("_excepthook", "(args, /)", effects::ANY, excepthook),
    def("daemon_threads_allowed", "()", effects::PURE, |vm, _| Ok(vm.true_)),
];

static LOCK: [NativeDef; 11] = [
    def("acquire", "($self, blocking=True, timeout=-1)", effects::ANY, acquire),
    def("acquire_lock", "($self, blocking=True, timeout=-1)", effects::ANY, acquire),
    def("release", "($self, /)", effects::WRITES | effects::RAISES, release),
    def("release_lock", "($self, /)", effects::WRITES | effects::RAISES, release),
    def("locked", "($self, /)", effects::READS, |vm, a| Ok(vm.bool(count(vm, a[0]) > 0))),
    def("locked_lock", "($self, /)", effects::READS, |vm, a| Ok(vm.bool(count(vm, a[0]) > 0))),
    def("_at_fork_reinit", "($self, /)", effects::WRITES, |vm, a| {
        set_count(vm, a[0], 0);
        Ok(vm.none)
    }),
    def("__enter__", "($self, /)", effects::ANY, |vm, a| acquire(vm, &[a[0], Value::NULL, Value::NULL])),
    def("__exit__", "($self, /, *args)", effects::WRITES | effects::RAISES, release),
    def("__repr__", "($self, /)", effects::ALLOC, |vm, a| {
        let n = count(vm, a[0]);
        let id = vm.id(a[0]);
        let word = if n > 0 { "locked" } else { "unlocked" };
        Ok(vm.new_str(&format!("<{word} _thread.lock object at {id:#x}>")))
    }),
    static_def("__new__", "($type, /, *args)", effects::RAISES, |vm, _| {
        Err(vm.type_error("cannot create '_thread.lock' instances"))
    }),
];

static RLOCK: [NativeDef; 10] = [
    def("acquire", "($self, blocking=True, timeout=-1)", effects::WRITES, racquire),
    def("release", "($self, /)", effects::WRITES | effects::RAISES, rrelease),
    def("_is_owned", "($self, /)", effects::READS, |vm, a| Ok(vm.bool(count(vm, a[0]) > 0))),
    def("_acquire_restore", "($self, state, /)", effects::ANY, |vm, a| {
        let Some(t) = vm.as_tuple(a[1]) else {
            return Err(vm.type_error("_acquire_restore() argument must be a tuple"));
        };
        let n = vm.index_i64(vm.tuple_get(t, 0), false)?;
        set_count(vm, a[0], n);
        Ok(vm.none)
    }),
    def("_release_save", "($self, /)", effects::ANY, |vm, a| {
        let n = count(vm, a[0]);
        if n == 0 {
            return Err(vm.runtime_error("cannot release un-acquired lock"));
        }
        set_count(vm, a[0], 0);
        // SAFETY: pthread_self has no preconditions.
        let id = unsafe { libc::pthread_self() } as u64;
        let id = vm.new_uint(id);
        Ok(vm.new_tuple(&[Value::int_unchecked(n), id]))
    }),
    def("_at_fork_reinit", "($self, /)", effects::WRITES, |vm, a| {
        set_count(vm, a[0], 0);
        Ok(vm.none)
    }),
    def("__enter__", "($self, /)", effects::WRITES, |vm, a| racquire(vm, &[a[0], Value::NULL, Value::NULL])),
    def("__exit__", "($self, /, *args)", effects::WRITES | effects::RAISES, rrelease),
    def("__repr__", "($self, /)", effects::ALLOC, |vm, a| {
        let n = count(vm, a[0]);
        let id = vm.id(a[0]);
        let word = if n > 0 { "locked" } else { "unlocked" };
        // SAFETY: pthread_self has no preconditions.
        let this = unsafe { libc::pthread_self() } as u64;
        let owner = if n > 0 { this } else { 0 };
        let name = { let c = vm.class_of(a[0]); vm.type_full_name(c) };
        Ok(vm.new_str(&format!("<{word} {name} object owner={owner} count={n} at {id:#x}>")))
    }),
    static_def("__new__", "($type, /, *args, **kwargs)", effects::ALLOC, |vm, a| {
        Ok(vm.new_instance(Gc::from_value(a[0])))
    }),
];

fn count(vm: &Vm, v: Value) -> i64 {
    vm.word(v, 1).as_int().unwrap_or(0)
}

fn set_count(vm: &mut Vm, v: Value, n: i64) {
    vm.store_word(v, 1, Value::int_unchecked(n));
}

fn new_lock(vm: &mut Vm) -> Value {
    let class = Gc::from_value(vm.statics[slots::LOCK]);
    vm.new_instance(class)
}

/// Seconds to wait: `None` for ever, 0 not at all.
fn patience(vm: &mut Vm, blocking: Value, timeout: Value) -> R<Option<f64>> {
    let blocking = blocking.is_null() || vm.truth(blocking)?;
    let t = if timeout.is_null() {
        -1.0
    } else {
        match vm.as_float(timeout) {
            Some(f) => f,
            None => {
                let i = vm.index(timeout)?;
                vm.int_to_f64(i)?
            }
        }
    };
    if t != -1.0 && !blocking {
        return Err(vm.value_error("can't specify a timeout for a non-blocking call"));
    }
    if t < 0.0 && t != -1.0 {
        return Err(vm.value_error("timeout value must be a non-negative number"));
    }
    if t > TIMEOUT_MAX {
        return Err(vm.overflow_error("timeout value is too large"));
    }
    Ok(match (blocking, t) {
        (false, _) => Some(0.0),
        (true, -1.0) => None,
        (true, t) => Some(t),
    })
}

fn acquire(vm: &mut Vm, a: &[Value]) -> R {
    let wait = patience(vm, a[1], a[2])?;
    if count(vm, a[0]) == 0 {
        set_count(vm, a[0], 1);
        return Ok(vm.true_);
    }
    match wait {
        Some(s) => {
            std::thread::sleep(std::time::Duration::from_secs_f64(s));
            Ok(vm.false_)
        }
        None => Err(vm.runtime_error("deadlock: the only thread waits for a lock that it holds")),
    }
}

fn release(vm: &mut Vm, a: &[Value]) -> R {
    if count(vm, a[0]) == 0 {
        return Err(vm.runtime_error("release unlocked lock"));
    }
    set_count(vm, a[0], 0);
    Ok(vm.none)
}

fn racquire(vm: &mut Vm, a: &[Value]) -> R {
    patience(vm, a[1], a[2])?;
    let n = count(vm, a[0]);
    set_count(vm, a[0], n + 1);
    Ok(vm.true_)
}

fn rrelease(vm: &mut Vm, a: &[Value]) -> R {
    let n = count(vm, a[0]);
    if n == 0 {
        return Err(vm.runtime_error("cannot release un-acquired lock"));
    }
    set_count(vm, a[0], n - 1);
    Ok(vm.none)
}

fn no_threads(vm: &mut Vm, _: &[Value]) -> R {
    Err(vm.runtime_error("can't start new thread: this version of Pyrite runs one thread"))
}

fn exit(vm: &mut Vm, _: &[Value]) -> R {
    let class = vm.types.system_exit;
    Err(vm.raise_args(class, &[]))
}

fn excepthook(vm: &mut Vm, a: &[Value]) -> R {
    let e = vm.getattr_str(a[0], "exc_value")?;
    if vm.is_exception(e) && !vm.is_instance(e, vm.types.system_exit) {
        let text = pyrite_objects::traceback::format_exception(vm, e);
        pyrite_objects::traceback::write_stderr(vm, &format!("Exception in thread:\n{text}"));
    }
    Ok(vm.none)
}

fn lock_class(vm: &mut Vm, name: &str, methods: &'static [NativeDef], base_type: bool) -> Gc<PyType> {
    vm.native_type(&TypeDef {
        module: "_thread",
        layout: Layout::Library,
        kind: kind::VALUES,
        words: 2,
        base_type,
        methods,
        ..TypeDef::of::<PyValueSub>(name, Layout::Library)
    })
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let m = module(vm, "_thread", "Locks and threads.", &FUNCTIONS);
    let lock = lock_class(vm, "lock", &LOCK, false);
    vm.statics[slots::LOCK] = lock.value();
    set(vm, m, "LockType", lock.value());
    let rlock = lock_class(vm, "RLock", &RLOCK, true);
    vm.statics[slots::RLOCK] = rlock.value();
    set(vm, m, "RLock", rlock.value());
    static LOCAL: [NativeDef; 1] =
        [static_def("__new__", "($type, /, *args, **kwargs)", effects::ALLOC | effects::RAISES, local_new)];
    let local = vm.native_type(&TypeDef {
        module: "_thread",
        layout: Layout::Library,
        kind: kind::VALUES,
        words: 2,
        has_dict: true,
        base_type: true,
        methods: &LOCAL,
        ..TypeDef::of::<PyValueSub>("_local", Layout::Library)
    });
    set(vm, m, "_local", local.value());
    let args = structseq::new_class(
        vm,
        "_thread",
        "_ExceptHookArgs",
        &["exc_type", "exc_value", "exc_traceback", "thread"],
        &[],
        true,
    );
    set(vm, m, "_ExceptHookArgs", args.value());
    let e = vm.types.runtime_error.value();
    set(vm, m, "error", e);
    set(vm, m, "TIMEOUT_MAX", Value::float(TIMEOUT_MAX));
    Ok(m)
}

fn local_new(vm: &mut Vm, a: &[Value]) -> R {
    let class: Gc<PyType> = Gc::from_value(a[0]);
    let init = vm.names.init;
    let plain = vm.lookup(class, init) == vm.lookup(vm.types.object, init);
    if plain && (vm.tuple_len(a[1]) > 0 || vm.dict_len(a[2]) > 0) {
        return Err(vm.type_error("Initialization arguments are not supported"));
    }
    Ok(vm.new_instance(class))
}
