//! The `faulthandler` module: where the program is, on demand, after a time, or when
//! it dies of a signal.
//!
//! Reports are written by system calls alone, without allocating: they may come from
//! a signal handler. A report after a time waits a moment for the VM's lock, so that
//! it is of a consistent state; a hung native call is reported without it.

use crate::fs::{self, c_int};
use crate::{module, slots};
use pyrite_machine::Value;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::threads;
use pyrite_objects::vm::{R, Vm};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

const ANY: u8 = effects::ANY;
/// Frames and characters of a name that a report shows.
const MAX_FRAMES: usize = 100;
const MAX_TEXT: usize = 500;

static FATAL: [(i32, &str); 5] = [
    (libc::SIGBUS, "Bus error"),
    (libc::SIGILL, "Illegal instruction"),
    (libc::SIGFPE, "Floating point exception"),
    (libc::SIGABRT, "Aborted"),
    (libc::SIGSEGV, "Segmentation fault"),
];

/// Descriptor of fatal reports; -1: not enabled.
static FATAL_FD: AtomicI32 = AtomicI32::new(-1);
static ALL_THREADS: AtomicBool = AtomicBool::new(true);
/// The handlers that were in force before, by the table's index.
static BEFORE: [AtomicUsize; 5] = [const { AtomicUsize::new(0) }; 5];
/// Descriptor, plus 1, of the report that a signal asks for; bit 30: all threads, bit
/// 31: the old handler is called, too.
static USER: [AtomicUsize; 65] = [const { AtomicUsize::new(0) }; 65];
static USER_BEFORE: [AtomicUsize; 65] = [const { AtomicUsize::new(0) }; 65];
const USER_ALL: usize = 1 << 30;
const USER_CHAIN: usize = 1 << 31;

/// Number of the timed report that is armed; changes when it is cancelled.
static LATER: Mutex<u64> = Mutex::new(0);
static CANCELLED: Condvar = Condvar::new();

static FUNCTIONS: [NativeDef; 13] = [
    def("enable", "(file=sys.stderr, all_threads=True)", ANY, enable),
    def("disable", "()", ANY, |vm, _| {
        let was = FATAL_FD.load(Ordering::SeqCst) >= 0;
        disable();
        vm.statics[slots::FAULT_FILE] = Value::NULL;
        Ok(vm.bool(was))
    }),
    def("is_enabled", "()", effects::READS, |vm, _| {
        Ok(vm.bool(FATAL_FD.load(Ordering::SeqCst) >= 0))
    }),
    def(
        "dump_traceback",
        "(file=sys.stderr, all_threads=True)",
        ANY,
        |vm, a| {
            let (fd, _) = descriptor(vm, a[0])?;
            let all = a[1].is_null() || vm.truth(a[1])?;
            report(vm, fd, all);
            Ok(vm.none)
        },
    ),
    def(
        "dump_traceback_later",
        "(timeout, repeat=False, file=sys.stderr, exit=False)",
        ANY,
        dump_later,
    ),
    def("cancel_dump_traceback_later", "()", ANY, |vm, _| {
        cancel();
        vm.statics[slots::FAULT_LATER_FILE] = Value::NULL;
        Ok(vm.none)
    }),
    def(
        "register",
        "(signum, file=sys.stderr, all_threads=True, chain=False)",
        ANY,
        register,
    ),
    def("unregister", "(signum)", ANY, |vm, a| {
        let n = signal_number(vm, a[0])?;
        let was = unregister(n);
        Ok(vm.bool(was))
    }),
    def("_read_null", "()", ANY, |_, _| die(libc::SIGSEGV)),
    def("_sigsegv", "(release_gil=False, /)", ANY, |_, _| {
        die(libc::SIGSEGV)
    }),
    def("_sigfpe", "()", ANY, |_, _| die(libc::SIGFPE)),
    def("_sigabrt", "()", ANY, |_, _| die(libc::SIGABRT)),
    def("_stack_overflow", "()", ANY, |vm, _| {
        Err(vm.recursion_error("the native stack ends in an exception here"))
    }),
];

/// Sends the process a signal that kills it.
fn die(n: i32) -> R {
    // SAFETY: what is asked for.
    unsafe {
        libc::raise(n);
        libc::_exit(1)
    }
}

/// A writer that gathers bytes in a buffer of its own.
struct Out {
    fd: i32,
    used: usize,
    bytes: [u8; 512],
}

impl Out {
    fn new(fd: i32) -> Out {
        Out {
            fd,
            used: 0,
            bytes: [0; 512],
        }
    }

    fn byte(&mut self, b: u8) {
        if self.used == self.bytes.len() {
            self.flush();
        }
        self.bytes[self.used] = b;
        self.used += 1;
    }

    fn text(&mut self, s: &str) {
        s.bytes().for_each(|b| self.byte(b));
    }

    fn decimal(&mut self, n: u64) {
        if n >= 10 {
            self.decimal(n / 10);
        }
        self.byte(b'0' + (n % 10) as u8);
    }

    fn hex(&mut self, n: u64, digits: u32) {
        for i in (0..digits).rev() {
            self.byte(b"0123456789abcdef"[(n >> (4 * i)) as usize & 15]);
        }
    }

    /// A string of the VM, in ASCII with escapes.
    fn string(&mut self, vm: &Vm, s: Value) {
        if s.is_null() || !vm.is_str(s) {
            self.text("???");
            return;
        }
        let t = vm.text(s);
        for (i, c) in t.iter().enumerate() {
            if i == MAX_TEXT {
                self.text("...");
                return;
            }
            match c {
                0x20..=0x7E => self.byte(c as u8),
                0..=0xFF => {
                    self.text("\\x");
                    self.hex(c.into(), 2);
                }
                0x100..=0xFFFF => {
                    self.text("\\u");
                    self.hex(c.into(), 4);
                }
                _ => {
                    self.text("\\U");
                    self.hex(c.into(), 8);
                }
            }
        }
    }

    fn flush(&mut self) {
        let mut at = 0;
        while at < self.used {
            // SAFETY: the rest of the buffer.
            let n =
                unsafe { libc::write(self.fd, self.bytes[at..].as_ptr().cast(), self.used - at) };
            if n < 0 {
                if fs::last_errno() == libc::EINTR {
                    continue;
                }
                break;
            }
            at += n as usize;
        }
        self.used = 0;
    }
}

impl Drop for Out {
    fn drop(&mut self) {
        self.flush();
    }
}

fn frames(vm: &Vm, out: &mut Out, base: *mut Value, pc: u64) {
    let mut n = 0;
    let mut any = false;
    (vm.frame_hooks.lines)(base, pc, &mut |code, line| {
        any = true;
        if n == MAX_FRAMES {
            out.text("  ...\n");
            return false;
        }
        n += 1;
        out.text("  File \"");
        out.string(vm, code.filename);
        out.text("\", line ");
        out.decimal(line.into());
        out.text(" in ");
        out.string(vm, code.name);
        out.byte(b'\n');
        true
    });
    if !any {
        out.text("  <no Python frame>\n");
    }
}

/// Writes where the threads are, the running one last as CPython does.
fn report(vm: &Vm, fd: i32, all: bool) {
    let mut out = Out::new(fd);
    if !all {
        out.text("Stack (most recent call first):\n");
        frames(vm, &mut out, vm.base, vm.pc);
        return;
    }
    let mut first = true;
    let mut head = |out: &mut Out, what: &str, ident: u64| {
        if !first {
            out.byte(b'\n');
        }
        first = false;
        out.text(what);
        out.text(" 0x");
        out.hex(ident, 16);
        out.text(" (most recent call first):\n");
    };
    let threads = vm.thread_frames();
    for &(ident, base, pc) in threads.iter().skip(1) {
        head(&mut out, "Thread", ident);
        frames(vm, &mut out, base, pc);
    }
    if let Some(&(ident, base, pc)) = threads.first() {
        head(&mut out, "Current thread", ident);
        frames(vm, &mut out, base, pc);
    }
}

extern "C" fn fatal(n: i32) {
    let fd = FATAL_FD.load(Ordering::SeqCst);
    let i = FATAL.iter().position(|f| f.0 == n);
    if let Some(i) = i {
        if fd >= 0 {
            let mut out = Out::new(fd);
            out.text("Fatal Python error: ");
            out.text(FATAL[i].1);
            out.text("\n\n");
            out.flush();
            let vm = threads::vm_without_lock();
            if !vm.is_null() {
                // SAFETY: the VM is never freed; the report only reads, and the process
                // is about to die anyway.
                unsafe { report_fatal(&*vm, fd) };
            }
        }
        // The handler of before ends the process.
        // SAFETY: puts the old action back and repeats the signal.
        unsafe {
            libc::signal(n, BEFORE[i].load(Ordering::SeqCst));
            libc::raise(n);
        }
    }
}

/// The running thread alone: the others' states are as their owners left them.
fn report_fatal(vm: &Vm, fd: i32) {
    let mut out = Out::new(fd);
    // SAFETY: no preconditions.
    let ident = unsafe { libc::pthread_self() };
    out.text("Current thread 0x");
    out.hex(ident, 16);
    out.text(" (most recent call first):\n");
    frames(vm, &mut out, vm.base, vm.pc);
}

extern "C" fn user(n: i32) {
    let word = USER[n as usize].load(Ordering::SeqCst);
    if word == 0 {
        return;
    }
    // SAFETY: this thread's error number, which is put back.
    let saved = unsafe { *libc::__errno_location() };
    let fd = (word & (USER_ALL - 1)) as i32 - 1;
    let vm = threads::vm_without_lock();
    if !vm.is_null() {
        // SAFETY: the VM is never freed, and the report only reads.
        unsafe { report(&*vm, fd, word & USER_ALL != 0) };
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = saved };
    if word & USER_CHAIN != 0 {
        let before = USER_BEFORE[n as usize].load(Ordering::SeqCst);
        if before > 1 {
            // SAFETY: a handler that was installed for this signal.
            let f = unsafe { std::mem::transmute::<usize, extern "C" fn(i32)>(before) };
            f(n);
        } else if before == libc::SIG_DFL {
            // SAFETY: the default action, then this handler again.
            unsafe {
                libc::signal(n, libc::SIG_DFL);
                libc::raise(n);
                libc::signal(n, user as *const () as usize);
            }
        }
    }
}

/// The descriptor of a file argument, and the file to be kept alive.
fn descriptor(vm: &mut Vm, file: Value) -> R<(i32, Value)> {
    let file = if file.is_null() || file == vm.none {
        let (d, n) = (vm.sys_dict, vm.names.stderr);
        let f = vm.dict_get_str(d, n);
        if f.is_null() {
            return Err(vm.runtime_error("unable to get sys.stderr"));
        }
        if f == vm.none {
            return Err(vm.runtime_error("sys.stderr is None"));
        }
        f
    } else {
        file
    };
    if vm.is_int(file) {
        let fd = c_int(vm, file)?;
        if fd < 0 {
            return Err(vm.value_error("file is not a valid file descripter"));
        }
        return Ok((fd, Value::NULL));
    }
    let name = vm.intern("fileno");
    let fd = vm.call_method(file, name, &[])?;
    if !vm.is_int(fd) {
        return Err(vm.runtime_error("file.fileno() is not a valid file descriptor"));
    }
    let fd = c_int(vm, fd)?;
    let flush = vm.names.flush;
    if vm.call_method(file, flush, &[]).is_err() {
        vm.exc = Value::NULL;
    }
    Ok((fd, file))
}

fn enable(vm: &mut Vm, a: &[Value]) -> R {
    let (fd, file) = descriptor(vm, a[0])?;
    let all = a[1].is_null() || vm.truth(a[1])?;
    vm.statics[slots::FAULT_FILE] = file;
    ALL_THREADS.store(all, Ordering::SeqCst);
    if FATAL_FD.swap(fd, Ordering::SeqCst) < 0 {
        for (i, &(n, _)) in FATAL.iter().enumerate() {
            // SAFETY: installs a handler that only writes.
            let old = unsafe {
                let mut s: libc::sigaction = std::mem::zeroed();
                let mut old: libc::sigaction = std::mem::zeroed();
                s.sa_sigaction = fatal as *const () as usize;
                s.sa_flags = libc::SA_NODEFER | libc::SA_ONSTACK;
                libc::sigaction(n, &s, &mut old);
                // Handlers that want more than the number are not called again.
                if old.sa_flags & libc::SA_SIGINFO != 0 {
                    libc::SIG_DFL
                } else {
                    old.sa_sigaction
                }
            };
            BEFORE[i].store(old, Ordering::SeqCst);
        }
    }
    Ok(vm.none)
}

fn disable() {
    if FATAL_FD.swap(-1, Ordering::SeqCst) < 0 {
        return;
    }
    for (i, &(n, _)) in FATAL.iter().enumerate() {
        // SAFETY: puts the old action back.
        unsafe { libc::signal(n, BEFORE[i].load(Ordering::SeqCst)) };
    }
}

fn signal_number(vm: &mut Vm, v: Value) -> R<usize> {
    let n = c_int(vm, v)?;
    if FATAL.iter().any(|f| f.0 == n) {
        return Err(vm.runtime_error(&format!(
            "signal {n} cannot be registered, use enable() instead"
        )));
    }
    if !(1..65).contains(&n) {
        return Err(vm.value_error("signal number out of range"));
    }
    Ok(n as usize)
}

fn register(vm: &mut Vm, a: &[Value]) -> R {
    let n = signal_number(vm, a[0])?;
    let (fd, file) = descriptor(vm, a[1])?;
    let all = a[2].is_null() || vm.truth(a[2])?;
    let chain = a[3].is_some() && vm.truth(a[3])?;
    let mut word = fd as usize + 1;
    if all {
        word |= USER_ALL;
    }
    if chain {
        word |= USER_CHAIN;
    }
    // Files of registered signals are kept for good.
    if vm.statics[slots::FAULT_USER_FILES].is_null() {
        let l = vm.new_list(&[]);
        vm.statics[slots::FAULT_USER_FILES] = l;
    }
    if file.is_some() {
        let l = vm.statics[slots::FAULT_USER_FILES];
        vm.list_append(l, file);
    }
    if USER[n].swap(word, Ordering::SeqCst) == 0 {
        // SAFETY: installs a handler that only writes.
        let old = unsafe { libc::signal(n as i32, user as *const () as usize) };
        if old == libc::SIG_ERR {
            USER[n].store(0, Ordering::SeqCst);
            return Err(fs::last_error(vm, Value::NULL));
        }
        USER_BEFORE[n].store(old, Ordering::SeqCst);
    }
    Ok(vm.none)
}

fn unregister(n: usize) -> bool {
    if USER[n].swap(0, Ordering::SeqCst) == 0 {
        return false;
    }
    // SAFETY: puts the old action back.
    unsafe { libc::signal(n as i32, USER_BEFORE[n].load(Ordering::SeqCst)) };
    true
}

fn cancel() {
    *LATER.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    CANCELLED.notify_all();
    threads::watch(false);
}

fn dump_later(vm: &mut Vm, a: &[Value]) -> R {
    let s = crate::time::seconds_arg(vm, a[0])?;
    if s <= 0.0 {
        return Err(vm.value_error("timeout must be greater than 0"));
    }
    let time = match Duration::try_from_secs_f64(s) {
        Ok(t) if t.as_micros() > 0 => t,
        Ok(_) => return Err(vm.value_error("timeout must be greater than 0")),
        Err(_) => return Err(vm.overflow_error("timeout value is too large")),
    };
    let repeat = a[1].is_some() && vm.truth(a[1])?;
    let (fd, file) = descriptor(vm, a[2])?;
    let exit = a[3].is_some() && vm.truth(a[3])?;
    cancel();
    vm.statics[slots::FAULT_LATER_FILE] = file;
    threads::watch(true);
    let mine = *LATER.lock().unwrap_or_else(PoisonError::into_inner);
    let started = std::thread::Builder::new().spawn(move || watchdog(mine, time, repeat, fd, exit));
    if started.is_err() {
        return Err(vm.runtime_error("unable to start watchdog thread"));
    }
    Ok(vm.none)
}

/// Reports when the time is over, unless it is cancelled.
fn watchdog(mine: u64, time: Duration, repeat: bool, fd: i32, exit: bool) {
    loop {
        let end = std::time::Instant::now() + time;
        let mut now = LATER.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if *now != mine {
                return;
            }
            let left = end.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                break;
            }
            now = CANCELLED
                .wait_timeout(now, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        drop(now);
        let mut out = Out::new(fd);
        let s = time.as_secs();
        out.text("Timeout (");
        out.decimal(s / 3600);
        for n in [s / 60 % 60, s % 60] {
            out.byte(b':');
            out.byte(b'0' + (n / 10) as u8);
            out.byte(b'0' + (n % 10) as u8);
        }
        let micros = time.subsec_micros();
        if micros != 0 {
            out.byte(b'.');
            let mut unit = 100_000;
            while unit > 0 {
                out.byte(b'0' + (micros / unit % 10) as u8);
                unit /= 10;
            }
        }
        out.text(")!\n");
        out.flush();
        let seen = threads::look_at(Duration::from_secs(1), |vm| report_threads(vm, fd));
        if !seen {
            let vm = threads::vm_without_lock();
            // SAFETY: never freed. Nobody gave the lock away for a second, so the
            // running thread is in a native call, and its frames stay as they are.
            unsafe { report_threads(&*vm, fd) };
        }
        if exit {
            // SAFETY: what is asked for.
            unsafe { libc::_exit(1) }
        }
        if !repeat {
            return;
        }
    }
}

/// All threads alike: none of them asked.
fn report_threads(vm: &Vm, fd: i32) {
    let mut out = Out::new(fd);
    let mut first = true;
    for (ident, base, pc) in vm.thread_frames() {
        if !first {
            out.byte(b'\n');
        }
        first = false;
        out.text("Thread 0x");
        out.hex(ident, 16);
        out.text(" (most recent call first):\n");
        frames(vm, &mut out, base, pc);
    }
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    Ok(module(
        vm,
        "faulthandler",
        "faulthandler module.",
        &FUNCTIONS,
    ))
}
