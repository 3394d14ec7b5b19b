//! The `_signal` module: Python functions as signal handlers.
//!
//! The handler that the system calls only notes the signal and asks the running
//! code to look (see `pyrite_objects::threads`); at its next loop edge or call, or
//! when a system call comes back interrupted, the main thread calls the Python
//! function. A signal that reaches another thread is passed on to the main one, so
//! that what blocks there is interrupted.

use crate::fs::{self, c_int};
use crate::{module, set, slots, structseq};
use pyrite_machine::Value;
use pyrite_objects::layout::Gc;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::vm::{R, Vm};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};

/// One past the highest signal number.
const NSIG: usize = 65;
const ANY: u8 = effects::ANY;

static TRIPPED: [AtomicBool; NSIG] = [const { AtomicBool::new(false) }; NSIG];
/// Descriptor that gets a byte for each signal; -1: none.
static WAKEUP: AtomicI32 = AtomicI32::new(-1);
static WARN_ON_FULL: AtomicBool = AtomicBool::new(true);
/// Error number of a wakeup write that failed, until it is reported.
static WAKEUP_ERROR: AtomicI32 = AtomicI32::new(0);
/// The thread that is to be interrupted.
static MAIN: AtomicU64 = AtomicU64::new(0);

static FUNCTIONS: &[NativeDef] = &[
    def(
        "default_int_handler",
        "(signalnum, frame, /)",
        ANY,
        |vm, _| {
            let class = vm.types.keyboard_interrupt;
            Err(vm.raise_args(class, &[]))
        },
    ),
    def("signal", "(signalnum, handler, /)", ANY, signal),
    def("getsignal", "(signalnum, /)", ANY, |vm, a| {
        let n = number(vm, a[0])?;
        Ok(handler(vm, n))
    }),
    def(
        "set_wakeup_fd",
        "(fd, *, warn_on_full_buffer=True)",
        ANY,
        set_wakeup_fd,
    ),
    def("siginterrupt", "(signalnum, flag, /)", ANY, siginterrupt),
    def("alarm", "(seconds, /)", ANY, |vm, a| {
        let n = c_int(vm, a[0])?;
        // SAFETY: plain numbers.
        Ok(Value::int_unchecked(
            unsafe { libc::alarm(n as u32) }.into(),
        ))
    }),
    def("pause", "()", ANY, |vm, _| {
        // SAFETY: no preconditions; a signal ends it.
        vm.blocking(|| unsafe { libc::pause() });
        vm.answer_polls()?;
        Ok(vm.none)
    }),
    def("raise_signal", "(signalnum, /)", ANY, |vm, a| {
        let n = c_int(vm, a[0])?;
        // SAFETY: plain numbers.
        if unsafe { libc::raise(n) } != 0 {
            return Err(fs::last_error(vm, Value::NULL));
        }
        vm.answer_polls()?;
        Ok(vm.none)
    }),
    def("strsignal", "(signalnum, /)", ANY, |vm, a| {
        let n = number(vm, a[0])?;
        // SAFETY: a string of the C library, copied at once.
        let text = unsafe {
            let p = libc::strsignal(n as i32);
            if p.is_null() {
                return Ok(vm.none);
            }
            std::ffi::CStr::from_ptr(p).to_string_lossy().into_owned()
        };
        if text.starts_with("Unknown") {
            return Ok(vm.none);
        }
        Ok(vm.new_str(&text))
    }),
    def("valid_signals", "()", ANY, |vm, _| {
        // SAFETY: fills the set it is given.
        let all = unsafe {
            let mut s: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&mut s);
            s
        };
        set_of(vm, &all)
    }),
    def(
        "setitimer",
        "(which, seconds, interval=0.0, /)",
        ANY,
        setitimer,
    ),
    def("getitimer", "(which, /)", ANY, |vm, a| {
        let which = c_int(vm, a[0])?;
        // SAFETY: fills the structure.
        let (r, old) = unsafe {
            let mut old: libc::itimerval = std::mem::zeroed();
            (libc::getitimer(which as _, &mut old), old)
        };
        if r != 0 {
            return Err(timer_error(vm));
        }
        Ok(timer(vm, &old))
    }),
    def("pthread_kill", "(thread_id, signalnum, /)", ANY, |vm, a| {
        let id = ident(vm, a[0])?;
        let n = c_int(vm, a[1])?;
        // SAFETY: plain numbers; the caller names a thread that lives.
        let e = unsafe { libc::pthread_kill(id as libc::pthread_t, n) };
        if e != 0 {
            return Err(fs::os_error(vm, e, Value::NULL, Value::NULL));
        }
        vm.answer_polls()?;
        Ok(vm.none)
    }),
    def("pthread_sigmask", "(how, mask, /)", ANY, |vm, a| {
        let how = c_int(vm, a[0])?;
        let mask = mask(vm, a[1])?;
        // SAFETY: reads one set and fills the other.
        let (e, old) = unsafe {
            let mut old: libc::sigset_t = std::mem::zeroed();
            (libc::pthread_sigmask(how, &mask, &mut old), old)
        };
        if e != 0 {
            return Err(fs::os_error(vm, e, Value::NULL, Value::NULL));
        }
        // What was let through is dealt with before the call returns.
        vm.answer_polls()?;
        set_of(vm, &old)
    }),
    def("sigpending", "()", ANY, |vm, _| {
        // SAFETY: fills the set.
        let (r, s) = unsafe {
            let mut s: libc::sigset_t = std::mem::zeroed();
            (libc::sigpending(&mut s), s)
        };
        if r != 0 {
            return Err(fs::last_error(vm, Value::NULL));
        }
        set_of(vm, &s)
    }),
    def("sigwait", "(sigset, /)", ANY, |vm, a| {
        let mask = mask(vm, a[0])?;
        let mut n = 0;
        // SAFETY: reads the set and writes the number.
        let e = vm.blocking(|| unsafe { libc::sigwait(&mask, &mut n) });
        if e != 0 {
            return Err(fs::os_error(vm, e, Value::NULL, Value::NULL));
        }
        Ok(Value::small(n))
    }),
    def("sigwaitinfo", "(sigset, /)", ANY, |vm, a| {
        sigtimedwait(vm, a[0], None)
    }),
    def("sigtimedwait", "(sigset, timeout, /)", ANY, |vm, a| {
        let t = crate::time::duration(vm, a[1])?;
        match t {
            Some(t) => sigtimedwait(vm, a[0], Some(t)),
            None => Err(vm.value_error("timeout must be non-negative")),
        }
    }),
    def(
        "pidfd_send_signal",
        "(pidfd, signalnum, siginfo=None, flags=0, /)",
        ANY,
        |vm, a| {
            let (fd, n) = (c_int(vm, a[0])?, c_int(vm, a[1])?);
            if a[2].is_some() && a[2] != vm.none {
                return Err(vm.type_error("siginfo must be None"));
            }
            let flags = fs::c_int_or(vm, a[3], 0)?;
            // SAFETY: plain numbers, and no information.
            let r = unsafe {
                libc::syscall(
                    libc::SYS_pidfd_send_signal,
                    fd,
                    n,
                    std::ptr::null::<u8>(),
                    flags,
                )
            };
            if r != 0 {
                return Err(fs::last_error(vm, Value::NULL));
            }
            Ok(vm.none)
        },
    ),
];

/// Signals by name.
static NUMBERS: &[(&str, i32)] = &[
    ("SIGHUP", libc::SIGHUP),
    ("SIGINT", libc::SIGINT),
    ("SIGQUIT", libc::SIGQUIT),
    ("SIGILL", libc::SIGILL),
    ("SIGTRAP", libc::SIGTRAP),
    ("SIGIOT", libc::SIGABRT),
    ("SIGABRT", libc::SIGABRT),
    ("SIGFPE", libc::SIGFPE),
    ("SIGKILL", libc::SIGKILL),
    ("SIGBUS", libc::SIGBUS),
    ("SIGSEGV", libc::SIGSEGV),
    ("SIGSYS", libc::SIGSYS),
    ("SIGPIPE", libc::SIGPIPE),
    ("SIGALRM", libc::SIGALRM),
    ("SIGTERM", libc::SIGTERM),
    ("SIGUSR1", libc::SIGUSR1),
    ("SIGUSR2", libc::SIGUSR2),
    ("SIGCLD", libc::SIGCHLD),
    ("SIGCHLD", libc::SIGCHLD),
    ("SIGPWR", libc::SIGPWR),
    ("SIGIO", libc::SIGIO),
    ("SIGURG", libc::SIGURG),
    ("SIGWINCH", libc::SIGWINCH),
    ("SIGPOLL", libc::SIGIO),
    ("SIGSTOP", libc::SIGSTOP),
    ("SIGTSTP", libc::SIGTSTP),
    ("SIGCONT", libc::SIGCONT),
    ("SIGTTIN", libc::SIGTTIN),
    ("SIGTTOU", libc::SIGTTOU),
    ("SIGVTALRM", libc::SIGVTALRM),
    ("SIGPROF", libc::SIGPROF),
    ("SIGXCPU", libc::SIGXCPU),
    ("SIGXFSZ", libc::SIGXFSZ),
    ("SIGSTKFLT", libc::SIGSTKFLT),
    ("SIG_DFL", 0),
    ("SIG_IGN", 1),
    ("NSIG", NSIG as i32),
    ("SIG_BLOCK", libc::SIG_BLOCK),
    ("SIG_UNBLOCK", libc::SIG_UNBLOCK),
    ("SIG_SETMASK", libc::SIG_SETMASK),
    ("ITIMER_REAL", 0),
    ("ITIMER_VIRTUAL", 1),
    ("ITIMER_PROF", 2),
];

extern "C" fn arrived(n: i32) {
    // SAFETY: pthread_self, pthread_kill and write may be called from a handler;
    // the error number of the interrupted code is put back.
    unsafe {
        let errno = libc::__errno_location();
        let saved = *errno;
        let main = MAIN.load(Ordering::SeqCst);
        TRIPPED[n as usize].store(true, Ordering::SeqCst);
        pyrite_objects::threads::signal_arrived();
        if libc::pthread_self() != main {
            libc::pthread_kill(main as libc::pthread_t, libc::SIGURG);
        }
        let fd = WAKEUP.load(Ordering::SeqCst);
        if fd >= 0 {
            let byte = n as u8;
            loop {
                let r = libc::write(fd, (&raw const byte).cast(), 1);
                if r >= 0 {
                    break;
                }
                let e = *errno;
                if e == libc::EINTR {
                    continue;
                }
                let full = e == libc::EAGAIN || e == libc::EWOULDBLOCK;
                if !full || WARN_ON_FULL.load(Ordering::SeqCst) {
                    WAKEUP_ERROR.store(e, Ordering::SeqCst);
                }
                break;
            }
        }
        *errno = saved;
    }
}

/// Interrupts what blocks, and does nothing else.
extern "C" fn nudge(_: i32) {}

fn catch(n: i32, f: usize) -> i32 {
    // SAFETY: installs a handler that only does what handlers may. Without
    // SA_RESTART, so that what blocks is interrupted.
    unsafe {
        let mut s: libc::sigaction = std::mem::zeroed();
        s.sa_sigaction = f;
        s.sa_flags = libc::SA_ONSTACK;
        libc::sigaction(n, &s, std::ptr::null_mut())
    }
}

fn number(vm: &mut Vm, v: Value) -> R<usize> {
    match c_int(vm, v)? {
        n if n > 0 && (n as usize) < NSIG => Ok(n as usize),
        _ => Err(vm.value_error("signal number out of range")),
    }
}

/// The Python handler of a signal: a function, `SIG_DFL`, `SIG_IGN`, or None for one
/// that Python did not install.
fn handler(vm: &mut Vm, n: usize) -> Value {
    vm.list_get(vm.statics[slots::SIGNAL_HANDLERS], n)
}

fn signal(vm: &mut Vm, a: &[Value]) -> R {
    let n = c_int(vm, a[0])?;
    if !vm.in_main_thread() {
        return Err(vm.value_error("signal only works in main thread of the main interpreter"));
    }
    if n <= 0 || n as usize >= NSIG {
        return Err(vm.value_error("signal number out of range"));
    }
    let class = vm.class_of(a[1]);
    let plain = vm.as_int(a[1]).and_then(|i| vm.int_to_i64(i));
    let f = match plain {
        Some(0) => libc::SIG_DFL,
        Some(1) => libc::SIG_IGN,
        _ if vm.lookup(class, vm.names.call).is_some() => arrived as *const () as usize,
        _ => {
            return Err(vm.type_error(
                "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object",
            ));
        }
    };
    vm.answer_polls()?;
    let f = if n == libc::SIGURG && f == libc::SIG_DFL {
        nudge as *const () as usize
    } else {
        f
    };
    if catch(n, f) != 0 {
        return Err(fs::last_error(vm, Value::NULL));
    }
    let list = vm.statics[slots::SIGNAL_HANDLERS];
    let old = vm.list_get(list, n as usize);
    let new = match plain {
        Some(i @ 0..=1) => Value::small(i as i32),
        _ => a[1],
    };
    vm.list_put(list, n as usize, new);
    Ok(old)
}

/// Calls the handlers of the signals that arrived, lowest number first.
fn deliver(vm: &mut Vm) -> R<()> {
    let error = WAKEUP_ERROR.swap(0, Ordering::SeqCst);
    if error != 0 {
        fs::os_error(vm, error, Value::NULL, Value::NULL);
        pyrite_objects::misc::unraisable_in(
            vm,
            "Exception ignored when trying to write to the signal wakeup fd",
            Value::NULL,
        );
    }
    for (n, tripped) in TRIPPED.iter().enumerate().skip(1) {
        if !tripped.swap(false, Ordering::SeqCst) {
            continue;
        }
        let list = vm.statics[slots::SIGNAL_HANDLERS];
        if list.is_null() {
            // The module was never imported: only Ctrl-C is caught.
            let class = vm.types.keyboard_interrupt;
            return rest(vm.raise_args(class, &[]));
        }
        let f = vm.list_get(list, n);
        if f == vm.none || f.is_int() {
            continue;
        }
        let frame = (vm.frame_hooks.at)(vm, 0);
        let frame = if frame.is_null() { vm.none } else { frame };
        if let Err(e) = vm.call(f, &[Value::small(n as i32), frame]) {
            return rest(e);
        }
    }
    Ok(())
}

/// A handler raised: what else arrived waits for the next look.
fn rest(e: pyrite_objects::vm::Raised) -> R<()> {
    if TRIPPED.iter().any(|t| t.load(Ordering::SeqCst)) {
        pyrite_objects::threads::signal_arrived();
    }
    Err(e)
}

/// Notes a signal as if the system had sent it.
pub fn trip(n: usize) {
    TRIPPED[n].store(true, Ordering::SeqCst);
    pyrite_objects::threads::signal_arrived();
}

/// True if Python code handles this signal.
pub fn is_handled(vm: &mut Vm, n: usize) -> bool {
    if vm.statics[slots::SIGNAL_HANDLERS].is_null() {
        return n == libc::SIGINT as usize;
    }
    let h = handler(vm, n);
    h != vm.none && !h.is_int()
}

fn set_wakeup_fd(vm: &mut Vm, a: &[Value]) -> R {
    let fd = c_int(vm, a[0])?;
    let warn = a[1].is_null() || vm.truth(a[1])?;
    if !vm.in_main_thread() {
        return Err(
            vm.value_error("set_wakeup_fd only works in main thread of the main interpreter")
        );
    }
    if fd != -1 {
        // SAFETY: asks about a number.
        let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
        if flags < 0 {
            return Err(fs::last_error(vm, Value::NULL));
        }
        if flags & libc::O_NONBLOCK == 0 {
            return Err(vm.value_error(&format!("the fd {fd} must be in non-blocking mode")));
        }
    }
    WARN_ON_FULL.store(warn, Ordering::SeqCst);
    Ok(Value::small(WAKEUP.swap(fd, Ordering::SeqCst)))
}

fn siginterrupt(vm: &mut Vm, a: &[Value]) -> R {
    let n = number(vm, a[0])? as i32;
    let on = c_int(vm, a[1])?;
    // SAFETY: changes one flag of the action in force.
    let r = unsafe {
        let mut s: libc::sigaction = std::mem::zeroed();
        let r = libc::sigaction(n, std::ptr::null(), &mut s);
        if on != 0 {
            s.sa_flags &= !libc::SA_RESTART;
        } else {
            s.sa_flags |= libc::SA_RESTART;
        }
        if r == 0 {
            libc::sigaction(n, &s, std::ptr::null_mut())
        } else {
            r
        }
    };
    if r != 0 {
        return Err(fs::last_error(vm, Value::NULL));
    }
    Ok(vm.none)
}

/// An unsigned thread number.
fn ident(vm: &mut Vm, v: Value) -> R<u64> {
    let i = vm.index(v)?;
    match vm.int_to_i64(i) {
        Some(n) => Ok(n as u64),
        None => Err(vm.overflow_error("Python int too large to convert to C long")),
    }
}

/// A set of signal numbers from any iterable.
pub(crate) fn mask(vm: &mut Vm, v: Value) -> R<libc::sigset_t> {
    // SAFETY: all zeros are an empty set.
    let mut s: libc::sigset_t = unsafe { std::mem::zeroed() };
    let it = vm.get_iter(v)?;
    while let Some(n) = vm.iter_next(it)? {
        let n = vm.index_i64(n, true)?;
        if n <= 0 || n >= NSIG as i64 {
            return Err(
                vm.value_error(&format!("signal number {n} out of range [1; {}]", NSIG - 1))
            );
        }
        // SAFETY: the number is in range; those of the C library itself are refused.
        unsafe { libc::sigaddset(&mut s, n as i32) };
    }
    Ok(s)
}

fn set_of(vm: &mut Vm, s: &libc::sigset_t) -> R {
    let out = vm.new_set(vm.types.set);
    for n in 1..NSIG as i32 {
        // SAFETY: the number is in range.
        if unsafe { libc::sigismember(s, n) } == 1 {
            vm.set_add(out, Value::small(n))?;
        }
    }
    Ok(out)
}

fn timer_error(vm: &mut Vm) -> pyrite_objects::vm::Raised {
    let e = fs::last_errno();
    let text = fs::strerror(e);
    let (class, text) = (vm.statics[slots::ITIMER_ERROR], vm.new_str(&text));
    match vm.call(class, &[Value::small(e), text]) {
        Ok(e) => vm.raise(e),
        Err(e) => e,
    }
}

fn timer(vm: &mut Vm, t: &libc::itimerval) -> Value {
    let f = |t: libc::timeval| Value::float(t.tv_sec as f64 + t.tv_usec as f64 * 1e-6);
    vm.new_tuple(&[f(t.it_value), f(t.it_interval)])
}

fn setitimer(vm: &mut Vm, a: &[Value]) -> R {
    let which = c_int(vm, a[0])?;
    let mut t = [libc::timeval {
        tv_sec: 0,
        tv_usec: 0,
    }; 2];
    for (t, &v) in t.iter_mut().zip(&a[1..3]) {
        if v.is_null() {
            continue;
        }
        let s = crate::time::seconds_arg(vm, v)?;
        let micros = (s * 1e6).ceil() as i64;
        t.tv_sec = micros.div_euclid(1_000_000);
        t.tv_usec = micros.rem_euclid(1_000_000);
    }
    let new = libc::itimerval {
        it_value: t[0],
        it_interval: t[1],
    };
    // SAFETY: reads one structure and fills the other.
    let (r, old) = unsafe {
        let mut old: libc::itimerval = std::mem::zeroed();
        (libc::setitimer(which as _, &new, &mut old), old)
    };
    if r != 0 {
        return Err(timer_error(vm));
    }
    Ok(timer(vm, &old))
}

/// Waits for one of these signals; None when the time is over.
fn sigtimedwait(vm: &mut Vm, set: Value, time: Option<std::time::Duration>) -> R {
    let mask = mask(vm, set)?;
    let end = time.map(|t| std::time::Instant::now() + t);
    loop {
        let left = end.map(|e| e.saturating_duration_since(std::time::Instant::now()));
        let spec = left.map(|l| libc::timespec {
            tv_sec: l.as_secs() as i64,
            tv_nsec: l.subsec_nanos().into(),
        });
        let spec = spec.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: reads the set and the time, fills the information.
        let (r, info, e) = vm.blocking(|| unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            let r = libc::sigtimedwait(&mask, &mut info, spec);
            (r, info, fs::last_errno())
        });
        if r >= 0 {
            // SAFETY: the fields that a signal of any origin has.
            let (pid, uid, status) = unsafe { (info.si_pid(), info.si_uid(), info.si_status()) };
            let class = Gc::from_value(vm.statics[slots::SIGINFO]);
            let n = |i: i64| Value::int_unchecked(i);
            return Ok(structseq::new(
                vm,
                class,
                &[
                    n(info.si_signo.into()),
                    n(info.si_code.into()),
                    n(info.si_errno.into()),
                    n(pid.into()),
                    n(uid.into()),
                    n(status.into()),
                    n(0),
                ],
            ));
        }
        match e {
            libc::EAGAIN if time.is_some() => return Ok(vm.none),
            libc::EINTR => vm.answer_polls()?,
            e => return Err(fs::os_error(vm, e, Value::NULL, Value::NULL)),
        }
    }
}

/// In the child of a `fork`: its only thread is the main one.
pub fn after_fork() {
    // SAFETY: no preconditions.
    MAIN.store(unsafe { libc::pthread_self() }, Ordering::SeqCst);
    for t in &TRIPPED {
        t.store(false, Ordering::SeqCst);
    }
}

/// Makes Ctrl-C raise KeyboardInterrupt, in the calling thread.
pub fn install(vm: &mut Vm) {
    after_fork();
    vm.hooks.signals = deliver;
    // SAFETY: asks for the action in force.
    let ignored = unsafe {
        let mut s: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGINT, std::ptr::null(), &mut s) == 0
            && s.sa_sigaction == libc::SIG_IGN
    };
    if !ignored {
        catch(libc::SIGINT, arrived as *const () as usize);
    }
    // Signals that reach another thread are passed on as this harmless one.
    catch(libc::SIGURG, nudge as *const () as usize);
    // SAFETY: ignores two signals whose error numbers are enough.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}

/// At the end: puts the system's own handlers back.
pub fn finish() {
    for n in 1..NSIG as i32 {
        // SAFETY: asks for the action in force and puts the default one back.
        unsafe {
            let mut s: libc::sigaction = std::mem::zeroed();
            if libc::sigaction(n, std::ptr::null(), &mut s) == 0
                && s.sa_sigaction == arrived as *const () as usize
            {
                libc::signal(n, libc::SIG_DFL);
            }
        }
    }
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let m = module(
        vm,
        "_signal",
        "This module provides mechanisms to use signal handlers in Python.",
        FUNCTIONS,
    );
    for &(name, n) in NUMBERS {
        set(vm, m, name, Value::small(n));
    }
    let realtime = [
        ("SIGRTMIN", libc::SIGRTMIN()),
        ("SIGRTMAX", libc::SIGRTMAX()),
    ];
    for (name, n) in realtime {
        set(vm, m, name, Value::small(n));
    }
    let none = vm.none;
    let list = vm.new_list(&[none; NSIG]);
    let int = crate::module_attr(vm, "_signal", "default_int_handler");
    for n in 1..NSIG {
        // SAFETY: asks for the action in force.
        let action = unsafe {
            let mut s: libc::sigaction = std::mem::zeroed();
            if libc::sigaction(n as i32, std::ptr::null(), &mut s) != 0 {
                continue;
            }
            s.sa_sigaction
        };
        let v = match action {
            libc::SIG_DFL => Value::small(0),
            libc::SIG_IGN => Value::small(1),
            f if f == arrived as *const () as usize => int,
            f if f == nudge as *const () as usize => Value::small(0),
            _ => none,
        };
        vm.list_put(list, n, v);
    }
    vm.statics[slots::SIGNAL_HANDLERS] = list;
    let (os, name, ns) = (
        vm.types.os_error.value(),
        vm.intern("ItimerError"),
        vm.new_dict(),
    );
    let bases = vm.new_tuple(&[os]);
    let signal = vm.intern("signal");
    vm.dict_set_str(ns, vm.names.module, signal);
    let meta = vm.types.type_.value();
    let c = vm.call(meta, &[name, bases, ns])?;
    vm.statics[slots::ITIMER_ERROR] = c;
    set(vm, m, "ItimerError", c);
    let c = structseq::new_class(
        vm,
        "signal",
        "struct_siginfo",
        &[
            "si_signo",
            "si_code",
            "si_errno",
            "si_pid",
            "si_uid",
            "si_status",
            "si_band",
        ],
        &[],
        true,
    );
    vm.statics[slots::SIGINFO] = c.value();
    set(vm, m, "struct_siginfo", c.value());
    Ok(m)
}
