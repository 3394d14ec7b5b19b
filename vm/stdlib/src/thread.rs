//! The `_thread` module: threads, locks, thread-local data.
//!
//! A lock's state is in its object, changed under the VM's lock. Who must wait
//! parks on a word that each release of such a lock changes: a system call that
//! signals interrupt, and that stays sound across `fork`.

mod local;
mod park;

use crate::{module, set, slots, structseq};
use park::Waited;
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyType, PyValueSub, kind};
use pyrite_objects::native::{NativeDef, def, effects, static_def};
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};
use std::time::{Duration, Instant};

/// Longest timeout, in seconds, that fits 64 bits of nanoseconds.
const TIMEOUT_MAX: f64 = 9_223_372_036.0;
/// How often a lock is held; 0: free.
const COUNT: usize = 1;
/// A number that tells where to park.
const NUMBER: usize = 2;
/// `get_ident()` of the holder of an RLock.
const OWNER: usize = 3;
/// Words of a lock.
const WORDS: usize = 4;

static FUNCTIONS: &[NativeDef] = &[
    def("allocate_lock", "()", effects::ALLOC, |vm, _| {
        Ok(new_lock(vm))
    }),
    def("allocate", "()", effects::ALLOC, |vm, _| Ok(new_lock(vm))),
    def("_set_sentinel", "()", effects::ALLOC, |vm, _| {
        let lock = new_lock(vm);
        vm.thread().sentinel = lock;
        Ok(lock)
    }),
    def("get_ident", "()", effects::READS, |vm, _| {
        let id = ident(vm);
        Ok(Value::int_unchecked(id))
    }),
    def("get_native_id", "()", effects::READS, |vm, _| {
        Ok(Value::small(vm.thread().native_id))
    }),
    def("_count", "()", effects::READS, |vm, _| {
        Ok(Value::small(vm.thread_count() as i32))
    }),
    def(
        "start_new_thread",
        "(function, args, kwargs={}, /)",
        effects::ANY,
        start,
    ),
    def(
        "start_new",
        "(function, args, kwargs={}, /)",
        effects::ANY,
        start,
    ),
    def("exit", "()", effects::RAISES, exit),
    def("exit_thread", "()", effects::RAISES, exit),
    def("interrupt_main", "(signum=2, /)", effects::ANY, |vm, a| {
        let n = if a[0].is_null() {
            i64::from(libc::SIGINT)
        } else {
            vm.index_i64(a[0], true)?
        };
        if !(1..65).contains(&n) {
            return Err(vm.value_error("signal number out of range"));
        }
        if crate::signal::is_handled(vm, n as usize) {
            crate::signal::trip(n as usize);
        }
        Ok(vm.none)
    }),
    def("stack_size", "(size=0, /)", effects::RAISES, |vm, a| {
        let old = vm.threads().stack_bytes;
        if a[0].is_some() {
            let n = vm.index_i64(a[0], true)?;
            if n < 0 {
                return Err(vm.value_error("size must be 0 or a positive value"));
            }
            if n != 0 && n < 32768 {
                return Err(vm.value_error(&format!("size not valid: {n} bytes")));
            }
            vm.threads().stack_bytes = n as usize;
        }
        Ok(Value::int_unchecked(old as i64))
    }),
    def("_excepthook", "(args, /)", effects::ANY, excepthook),
    def("daemon_threads_allowed", "()", effects::PURE, |vm, _| {
        Ok(vm.true_)
    }),
];

static LOCK: [NativeDef; 11] = [
    def(
        "acquire",
        "($self, blocking=True, timeout=-1)",
        effects::ANY,
        acquire,
    ),
    def(
        "acquire_lock",
        "($self, blocking=True, timeout=-1)",
        effects::ANY,
        acquire,
    ),
    def(
        "release",
        "($self, /)",
        effects::WRITES | effects::RAISES,
        release,
    ),
    def(
        "release_lock",
        "($self, /)",
        effects::WRITES | effects::RAISES,
        release,
    ),
    def("locked", "($self, /)", effects::READS, |vm, a| {
        Ok(vm.bool(count(vm, a[0]) > 0))
    }),
    def("locked_lock", "($self, /)", effects::READS, |vm, a| {
        Ok(vm.bool(count(vm, a[0]) > 0))
    }),
    def("_at_fork_reinit", "($self, /)", effects::WRITES, |vm, a| {
        set_count(vm, a[0], 0);
        Ok(vm.none)
    }),
    def("__enter__", "($self, /)", effects::ANY, |vm, a| {
        acquire(vm, &[a[0], Value::NULL, Value::NULL])
    }),
    def(
        "__exit__",
        "($self, /, *args)",
        effects::WRITES | effects::RAISES,
        release,
    ),
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
    def(
        "acquire",
        "($self, blocking=True, timeout=-1)",
        effects::WRITES,
        racquire,
    ),
    def(
        "release",
        "($self, /)",
        effects::WRITES | effects::RAISES,
        rrelease,
    ),
    def("_is_owned", "($self, /)", effects::READS, |vm, a| {
        Ok(vm.bool(owned(vm, a[0])))
    }),
    def(
        "_acquire_restore",
        "($self, state, /)",
        effects::ANY,
        |vm, a| {
            let Some(t) = vm.as_tuple(a[1]) else {
                return Err(vm.type_error("_acquire_restore() argument must be a tuple"));
            };
            let n = vm.index_i64(vm.tuple_get(t, 0), false)?;
            wait_for(vm, a[0], None, false)?;
            set_count(vm, a[0], n);
            let me = ident(vm);
            vm.store_word(a[0], OWNER, Value::int_unchecked(me));
            Ok(vm.none)
        },
    ),
    def("_release_save", "($self, /)", effects::ANY, |vm, a| {
        let n = count(vm, a[0]);
        if n == 0 {
            return Err(vm.runtime_error("cannot release un-acquired lock"));
        }
        let owner = vm.word(a[0], OWNER);
        free(vm, a[0]);
        Ok(vm.new_tuple(&[Value::int_unchecked(n), owner]))
    }),
    def("_at_fork_reinit", "($self, /)", effects::WRITES, |vm, a| {
        set_count(vm, a[0], 0);
        Ok(vm.none)
    }),
    def("__enter__", "($self, /)", effects::WRITES, |vm, a| {
        racquire(vm, &[a[0], Value::NULL, Value::NULL])
    }),
    def(
        "__exit__",
        "($self, /, *args)",
        effects::WRITES | effects::RAISES,
        rrelease,
    ),
    def("__repr__", "($self, /)", effects::ALLOC, |vm, a| {
        let n = count(vm, a[0]);
        let id = vm.id(a[0]);
        let word = if n > 0 { "locked" } else { "unlocked" };
        let owner = if n > 0 {
            vm.word(a[0], OWNER).as_int().unwrap_or(0)
        } else {
            0
        };
        let name = {
            let c = vm.class_of(a[0]);
            vm.type_full_name(c)
        };
        Ok(vm.new_str(&format!(
            "<{word} {name} object owner={owner} count={n} at {id:#x}>"
        )))
    }),
    static_def(
        "__new__",
        "($type, /, *args, **kwargs)",
        effects::ALLOC,
        |vm, a| Ok(make_lock(vm, Gc::from_value(a[0]))),
    ),
];

fn ident(vm: &Vm) -> i64 {
    vm.thread().ident as i64
}

fn count(vm: &Vm, v: Value) -> i64 {
    vm.word(v, COUNT).as_int().unwrap_or(0)
}

fn set_count(vm: &mut Vm, v: Value, n: i64) {
    vm.store_word(v, COUNT, Value::int_unchecked(n));
}

fn owned(vm: &Vm, v: Value) -> bool {
    count(vm, v) > 0 && vm.word(v, OWNER).as_int() == Some(ident(vm))
}

fn number(vm: &Vm, v: Value) -> usize {
    vm.word(v, NUMBER).as_int().unwrap_or(0) as usize
}

fn make_lock(vm: &mut Vm, class: Gc<PyType>) -> Value {
    let v = vm.new_instance(class);
    let n = vm.next_lock();
    vm.store_word(v, NUMBER, Value::int_unchecked(n.into()));
    v
}

fn new_lock(vm: &mut Vm) -> Value {
    let class = Gc::from_value(vm.statics[slots::LOCK]);
    make_lock(vm, class)
}

/// Waits until a lock is free; false when the time was over before. With
/// `handlers`, signal handlers run meanwhile.
fn wait_for(vm: &mut Vm, lock: Value, wait: Option<Duration>, handlers: bool) -> R<bool> {
    let end = wait.map(|w| Instant::now() + w);
    let place = number(vm, lock);
    while count(vm, lock) > 0 {
        let left = end.map(|e| e.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Ok(false);
        }
        let seen = park::look(place);
        let r = vm.blocking(|| park::wait(place, seen, left));
        if r == Waited::Interrupted && handlers {
            vm.answer_polls()?;
        }
    }
    Ok(true)
}

/// Frees a lock and wakes who waits for it.
fn free(vm: &mut Vm, lock: Value) {
    set_count(vm, lock, 0);
    park::wake(number(vm, lock));
}

/// Takes the import lock, which a thread may take again.
pub(crate) fn import_lock(vm: &mut Vm) -> R<()> {
    if vm.statics[slots::IMPORT_LOCK].is_null() {
        crate::builtin_module(vm, "_thread")?;
        let class = Gc::from_value(vm.statics[slots::RLOCK]);
        let lock = make_lock(vm, class);
        vm.statics[slots::IMPORT_LOCK] = lock;
    }
    let lock = vm.statics[slots::IMPORT_LOCK];
    racquire(vm, &[lock, Value::NULL, Value::NULL])?;
    Ok(())
}

/// Frees the import lock once; false if the thread does not hold it.
pub(crate) fn import_unlock(vm: &mut Vm) -> bool {
    let lock = vm.statics[slots::IMPORT_LOCK];
    lock.is_some() && owned(vm, lock) && rrelease(vm, &[lock]).is_ok()
}

/// True if any thread holds the import lock.
pub(crate) fn import_locked(vm: &Vm) -> bool {
    let lock = vm.statics[slots::IMPORT_LOCK];
    lock.is_some() && count(vm, lock) > 0
}

/// In the child of a `fork`: the import lock is free unless this thread has it.
pub(crate) fn after_fork(vm: &mut Vm) {
    let lock = vm.statics[slots::IMPORT_LOCK];
    if lock.is_some() && !owned(vm, lock) {
        set_count(vm, lock, 0);
    }
}

/// The running thread ends: what waits for it goes on, its local data is dropped.
pub(crate) fn ended(vm: &mut Vm) {
    local::forget_thread(vm);
    let sentinel = std::mem::replace(&mut vm.thread().sentinel, Value::NULL);
    if sentinel.is_some() && count(vm, sentinel) > 0 {
        free(vm, sentinel);
    }
}

/// Time to wait: `None` for ever, zero not at all.
fn patience(vm: &mut Vm, blocking: Value, timeout: Value) -> R<Option<Duration>> {
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
        return Err(vm.value_error("timeout value must be positive"));
    }
    if t > TIMEOUT_MAX {
        return Err(vm.overflow_error("timeout value is too large"));
    }
    Ok(match (blocking, t) {
        (false, _) => Some(Duration::ZERO),
        (true, -1.0) => None,
        (true, t) => Some(Duration::from_secs_f64(t)),
    })
}

fn acquire(vm: &mut Vm, a: &[Value]) -> R {
    let wait = patience(vm, a[1], a[2])?;
    if !wait_for(vm, a[0], wait, true)? {
        return Ok(vm.false_);
    }
    set_count(vm, a[0], 1);
    Ok(vm.true_)
}

fn release(vm: &mut Vm, a: &[Value]) -> R {
    if count(vm, a[0]) == 0 {
        return Err(vm.runtime_error("release unlocked lock"));
    }
    free(vm, a[0]);
    Ok(vm.none)
}

fn racquire(vm: &mut Vm, a: &[Value]) -> R {
    let wait = patience(vm, a[1], a[2])?;
    if owned(vm, a[0]) {
        let n = count(vm, a[0]);
        set_count(vm, a[0], n + 1);
        return Ok(vm.true_);
    }
    if !wait_for(vm, a[0], wait, true)? {
        return Ok(vm.false_);
    }
    set_count(vm, a[0], 1);
    let me = ident(vm);
    vm.store_word(a[0], OWNER, Value::int_unchecked(me));
    Ok(vm.true_)
}

fn rrelease(vm: &mut Vm, a: &[Value]) -> R {
    if !owned(vm, a[0]) {
        return Err(vm.runtime_error("cannot release un-acquired lock"));
    }
    let n = count(vm, a[0]);
    if n > 1 {
        set_count(vm, a[0], n - 1);
    } else {
        free(vm, a[0]);
    }
    Ok(vm.none)
}

fn start(vm: &mut Vm, a: &[Value]) -> R {
    let class = vm.class_of(a[0]);
    if vm.lookup(class, vm.names.call).is_null() {
        return Err(vm.type_error("first arg must be callable"));
    }
    let Some(args) = vm.as_tuple(a[1]) else {
        return Err(vm.type_error("2nd arg must be a tuple"));
    };
    if a[2].is_some() && !vm.is_dict(a[2]) {
        return Err(vm.type_error("optional 3rd arg must be a dictionary"));
    }
    let kwargs = if a[2].is_null() { vm.none } else { a[2] };
    let start = vm.new_tuple(&[a[0], args, kwargs]);
    let id = vm.start_thread(start)?;
    Ok(Value::int_unchecked(id as i64))
}

fn exit(vm: &mut Vm, _: &[Value]) -> R {
    let class = vm.types.system_exit;
    Err(vm.raise_args(class, &[]))
}

/// `threading.excepthook`: tells which thread ended by what.
fn excepthook(vm: &mut Vm, a: &[Value]) -> R {
    let e = vm.getattr_str(a[0], "exc_value")?;
    let class = vm.getattr_str(a[0], "exc_type")?;
    if class == vm.types.system_exit.value() {
        return Ok(vm.none);
    }
    let thread = vm.getattr_str(a[0], "thread")?;
    let name = if thread == vm.none {
        None
    } else {
        let key = vm.intern("name");
        let n = vm.getattr_opt(thread, key)?;
        if n.is_null() {
            None
        } else {
            Some(vm.str_string(n)?)
        }
    };
    let name = name.unwrap_or_else(|| ident(vm).to_string());
    let text = if vm.is_exception(e) {
        pyrite_objects::traceback::format_exception(vm, e)
    } else {
        String::new()
    };
    pyrite_objects::traceback::write_stderr(vm, &format!("Exception in thread {name}:\n{text}"));
    Ok(vm.none)
}

fn lock_class(
    vm: &mut Vm,
    name: &str,
    methods: &'static [NativeDef],
    base_type: bool,
) -> Gc<PyType> {
    vm.native_type(&TypeDef {
        module: "_thread",
        layout: Layout::Library,
        kind: kind::VALUES,
        words: WORDS,
        base_type,
        methods,
        ..TypeDef::of::<PyValueSub>(name, Layout::Library)
    })
}

/// What ends with a thread, whether or not the module is imported.
pub fn install(vm: &mut Vm) {
    vm.hooks.thread_ended = ended;
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let m = module(
        vm,
        "_thread",
        "This module provides primitive operations to write multi-threaded programs.",
        FUNCTIONS,
    );
    let lock = lock_class(vm, "lock", &LOCK, false);
    vm.statics[slots::LOCK] = lock.value();
    set(vm, m, "LockType", lock.value());
    let rlock = lock_class(vm, "RLock", &RLOCK, true);
    vm.statics[slots::RLOCK] = rlock.value();
    set(vm, m, "RLock", rlock.value());
    local::install(vm, m);
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
