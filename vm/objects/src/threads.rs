//! Threads of Python code and the lock that one of them holds.
//!
//! There is one [`Vm`]; its fields are those of the thread that holds the lock.
//! To give the lock away a thread writes what is its own into its [`Thread`] and
//! spills its registers onto its native stack; to take the lock is to put the
//! fields back. So code that holds the lock pays nothing for there being threads,
//! machine code included.
//!
//! ```ignore
//! let n = vm.blocking(|| unsafe { libc::read(fd, at, len) });   // others may run
//! ```
//!
//! A thread that has waited for the switch interval sets [`poll::GIL`]; the holder
//! sees it at its next loop edge or call of a Python function and yields.
//!
//! Invariants: without the lock nothing touches the heap or the VM, except to set
//! bits of [`Vm::poll`]; the collector scans, for each thread without the lock, its
//! VM stack exactly and its native stack from where it gave the lock away.

use crate::vm::{R, Vm, poll};
use pyrite_gc::{Pins, Tracer};
use pyrite_machine::Value;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is a thread's own, while it does not hold the lock.
pub struct Thread {
    /// `threading.get_ident()`
    pub ident: u64,
    /// The system's number of the thread.
    pub native_id: i32,
    pc: u64,
    base: *mut Value,
    result: Value,
    stack: *mut Value,
    stack_end: *mut Value,
    stack_high: *mut Value,
    stack_beyond: *mut Value,
    native_limit: u64,
    run_floor: u64,
    call_floor: u64,
    depth: u32,
    nesting: u32,
    top: u64,
    exc: Value,
    handled: Value,
    repr_stack: Value,
    /// The thread's `contextvars.Context`, or null.
    context: Value,
    activation: *mut u8,
    /// Highest address of the native stack, and where the scan begins.
    native_base: *const u64,
    sp: *const u64,
    /// Function, arguments and keywords of a thread that has not begun.
    start: Value,
    /// The lock released when it ends (`_thread._set_sentinel`), or null.
    pub sentinel: Value,
    /// Exception class to raise in it, or null.
    pub async_exc: Value,
}

impl Thread {
    fn new(start: Value) -> Thread {
        Thread {
            ident: 0,
            native_id: 0,
            pc: 0,
            base: std::ptr::null_mut(),
            result: Value::NULL,
            stack: std::ptr::null_mut(),
            stack_end: std::ptr::null_mut(),
            stack_high: std::ptr::null_mut(),
            stack_beyond: std::ptr::null_mut(),
            native_limit: 0,
            run_floor: 0,
            call_floor: 0,
            depth: 0,
            nesting: 0,
            top: 0,
            exc: Value::NULL,
            handled: Value::NULL,
            repr_stack: Value::NULL,
            context: Value::NULL,
            activation: std::ptr::null_mut(),
            native_base: std::ptr::null(),
            sp: std::ptr::null(),
            start,
            sentinel: Value::NULL,
            async_exc: Value::NULL,
        }
    }

    /// The values that are exact roots whether or not the thread holds the lock.
    fn own_values(&mut self) -> [&mut Value; 3] {
        [&mut self.start, &mut self.sentinel, &mut self.async_exc]
    }
}

/// All threads of the VM.
pub struct Threads {
    all: Vec<*mut Thread>,
    /// The holder of the lock.
    current: *mut Thread,
    /// The thread that runs the program and signal handlers.
    main: *mut Thread,
    /// Bytes of a new thread's native stack; 0: the default.
    pub stack_bytes: usize,
    /// The lock's names for the outside: one past the last given out.
    lock_serial: u32,
}

/// The lock.
struct Lock {
    held: bool,
    waiting: u32,
    /// How often it was taken.
    taken: u64,
}

static LOCK: Mutex<Lock> = Mutex::new(Lock {
    held: true,
    waiting: 0,
    taken: 0,
});
static FREED: Condvar = Condvar::new();
static TAKEN: Condvar = Condvar::new();
/// Nanoseconds that a waiting thread lets the holder run.
static INTERVAL: AtomicU64 = AtomicU64::new(5_000_000);
/// The VM, for those who may only ask it to look at something.
static VM: AtomicUsize = AtomicUsize::new(0);
/// Set while a signal waits for the main thread.
static SIGNALS: AtomicU32 = AtomicU32::new(0);

/// Set while something outside may want to look at the VM.
static WATCHED: AtomicBool = AtomicBool::new(false);

/// Native stack of a thread that did not ask for a size.
const NATIVE_STACK: usize = 64 << 20;
/// What code that checks no limit may use at the stack's end.
const NATIVE_SLACK: u64 = 512 << 10;

fn lock() -> MutexGuard<'static, Lock> {
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes the holder of the lock look at [`Vm::poll`] soon. May be called from
/// anywhere, signal handlers included.
fn ask(bit: u32) {
    let vm = VM.load(Ordering::SeqCst) as *const Vm;
    if !vm.is_null() {
        // SAFETY: the VM is never freed, and both fields are atomic.
        unsafe {
            (*vm).poll.fetch_or(bit, Ordering::SeqCst);
            (*vm).stack_soft.store(0, Ordering::SeqCst);
        }
    }
}

/// A signal arrived: the main thread is to call `vm.hooks.signals` soon. Safe in a
/// signal handler.
pub fn signal_arrived() {
    SIGNALS.store(1, Ordering::SeqCst);
    ask(poll::SIGNAL);
}

/// Waits until the lock is free, and takes it.
fn take() {
    let mut l = lock();
    l.waiting += 1;
    while l.held {
        let before = l.taken;
        let patience = Duration::from_nanos(INTERVAL.load(Ordering::Relaxed));
        let (again, wait) = FREED
            .wait_timeout(l, patience)
            .unwrap_or_else(PoisonError::into_inner);
        l = again;
        if wait.timed_out() && l.held && l.taken == before {
            ask(poll::GIL);
        }
    }
    l.waiting -= 1;
    l.held = true;
    l.taken += 1;
    drop(l);
    TAKEN.notify_all();
}

/// Gives the lock away. `politely`: returns only once somebody who waits has it.
fn give(politely: bool) {
    let mut l = lock();
    l.held = false;
    let before = l.taken;
    let wanted = l.waiting > 0;
    FREED.notify_one();
    if politely && wanted {
        while l.taken == before && l.waiting > 0 {
            let (again, wait) = TAKEN
                .wait_timeout(l, Duration::from_millis(10))
                .unwrap_or_else(PoisonError::into_inner);
            l = again;
            if wait.timed_out() {
                break;
            }
        }
    }
}

/// Makes the calling thread the VM's main thread and the holder of the lock.
pub fn install(vm: &mut Vm) {
    let mut t = Box::new(Thread::new(Value::NULL));
    identify(&mut t);
    let t = Box::into_raw(t);
    vm.threads = Box::into_raw(Box::new(Threads {
        all: vec![t],
        current: t,
        main: t,
        stack_bytes: 0,
        lock_serial: 0,
    }));
    VM.store(std::ptr::from_mut(vm) as usize, Ordering::SeqCst);
}

fn identify(t: &mut Thread) {
    // SAFETY: the calls have no preconditions.
    unsafe {
        t.ident = libc::pthread_self();
        t.native_id = libc::gettid();
    }
    t.native_base = pyrite_gc::Heap::current_stack_base().unwrap_or(std::ptr::null());
}

/// Takes the lock as a thread that has no part in the VM, to look at it; false if it
/// was not to be had in time.
pub fn look_at(time: Duration, f: impl FnOnce(&Vm)) -> bool {
    let end = std::time::Instant::now() + time;
    let mut l = lock();
    l.waiting += 1;
    while l.held {
        let left = end.saturating_duration_since(std::time::Instant::now());
        if left.is_zero() {
            l.waiting -= 1;
            return false;
        }
        let slice = left.min(Duration::from_millis(5));
        let (again, wait) = FREED
            .wait_timeout(l, slice)
            .unwrap_or_else(PoisonError::into_inner);
        l = again;
        if wait.timed_out() {
            ask(poll::GIL);
        }
    }
    l.waiting -= 1;
    l.held = true;
    l.taken += 1;
    drop(l);
    TAKEN.notify_all();
    let vm = VM.load(Ordering::SeqCst) as *const Vm;
    // SAFETY: the VM is never freed, and the lock is held.
    f(unsafe { &*vm });
    give(false);
    true
}

/// Whether [`look_at`] may be called: then even a lone thread gives the lock away when
/// it blocks.
pub fn watch(on: bool) {
    WATCHED.store(on, Ordering::Relaxed);
}

/// The VM, without its lock: for reports about a process that is about to die.
pub fn vm_without_lock() -> *const Vm {
    VM.load(Ordering::SeqCst) as *const Vm
}

impl Vm {
    /// The threads. Not before [`install`].
    #[expect(
        clippy::mut_from_ref,
        reason = "the holder of the lock alone calls this"
    )]
    pub fn threads(&self) -> &mut Threads {
        // SAFETY: made by `install`, never freed; the caller holds the lock, and
        // keeps no borrow while it gives the lock away.
        unsafe { &mut *self.threads }
    }

    /// The running thread.
    #[expect(
        clippy::mut_from_ref,
        reason = "the holder of the lock alone calls this"
    )]
    pub fn thread(&self) -> &mut Thread {
        // SAFETY: the current thread's record is freed by itself, at its end.
        unsafe { &mut *self.threads().current }
    }

    /// True in the thread that handles signals.
    pub fn in_main_thread(&self) -> bool {
        self.threads().current == self.threads().main
    }

    /// `get_ident()` of the main thread.
    pub fn main_ident(&self) -> u64 {
        // SAFETY: the main thread's record is never freed.
        unsafe { (*self.threads().main).ident }
    }

    /// Threads that were started and have not ended, without the main one.
    pub fn thread_count(&self) -> usize {
        self.threads().all.len() - 1
    }

    /// A number for a new lock.
    pub fn next_lock(&mut self) -> u32 {
        let t = self.threads();
        t.lock_serial = t.lock_serial.wrapping_add(1);
        t.lock_serial
    }

    /// Does something that may take long and touches nothing of the VM, while other
    /// threads run.
    pub fn blocking<T>(&mut self, f: impl FnOnce() -> T) -> T {
        let alone = self.threads.is_null() || self.threads().all.len() == 1;
        if alone && !WATCHED.load(Ordering::Relaxed) {
            return f();
        }
        self.unlocked(false, f)
    }

    /// Lets a thread that waits for the lock have it.
    pub fn yield_lock(&mut self) {
        if !self.threads.is_null() && lock().waiting > 0 {
            self.unlocked(true, || ());
        }
    }

    fn unlocked<T>(&mut self, politely: bool, f: impl FnOnce() -> T) -> T {
        struct Job<'a, T, F> {
            vm: &'a mut Vm,
            politely: bool,
            f: Option<F>,
            result: Option<T>,
        }
        extern "C" fn run<T, F: FnOnce() -> T>(job: *mut c_void, sp: *const u64) {
            // SAFETY: `with_spilled_registers` hands the job through.
            let job = unsafe { &mut *job.cast::<Job<'_, T, F>>() };
            let t = job.vm.threads().current;
            job.vm.save(t, sp);
            give(job.politely);
            job.result = job.f.take().map(|f| f());
            take();
            job.vm.restore(t);
        }
        fn start<T, F: FnOnce() -> T>(job: &mut Job<'_, T, F>) {
            pyrite_gc::with_spilled_registers(std::ptr::from_mut(job).cast(), run::<T, F>);
        }
        let mut job = Job {
            vm: self,
            politely,
            f: Some(f),
            result: None,
        };
        start(&mut job);
        job.result.expect("the job ran")
    }

    /// Writes the running thread's state into its record.
    fn save(&mut self, t: *mut Thread, sp: *const u64) {
        self.lets_others_run();
        // SAFETY: a thread's record lives as long as the thread.
        let t = unsafe { &mut *t };
        t.pc = self.pc;
        t.base = self.base;
        t.result = self.result;
        t.stack = self.stack;
        t.stack_end = self.stack_end;
        t.stack_high = self.stack_high;
        t.stack_beyond = self.stack_beyond;
        t.native_limit = self.native_limit;
        t.run_floor = self.run_floor;
        t.call_floor = self.call_floor;
        t.depth = self.depth;
        t.nesting = self.nesting;
        t.top = self.alloc.top;
        t.exc = self.exc;
        t.handled = self.handled;
        t.repr_stack = self.repr_stack;
        t.context = self.context;
        t.activation = self.activation;
        t.sp = sp;
    }

    /// Makes a thread that just took the lock the running one.
    fn restore(&mut self, t: *mut Thread) {
        self.threads().current = t;
        // SAFETY: a thread's record lives as long as the thread.
        let t = unsafe { &mut *t };
        self.pc = t.pc;
        self.base = t.base;
        self.result = t.result;
        self.stack = t.stack;
        self.stack_end = t.stack_end;
        self.stack_high = t.stack_high;
        self.stack_beyond = t.stack_beyond;
        self.native_limit = t.native_limit;
        self.run_floor = t.run_floor;
        self.call_floor = t.call_floor;
        self.collect_floor = 0;
        self.depth = t.depth;
        self.nesting = t.nesting;
        self.alloc.top = t.top;
        self.exc = t.exc;
        self.handled = t.handled;
        self.repr_stack = t.repr_stack;
        self.context = t.context;
        self.activation = t.activation;
        // SAFETY: the stack of the thread that runs this.
        unsafe { self.heap.set_stack_base(t.native_base) };
        self.poll_clear(poll::GIL);
        if SIGNALS.load(Ordering::SeqCst) != 0 && self.in_main_thread() || t.async_exc.is_some() {
            self.poll_set(poll::SIGNAL);
        }
        self.rearm();
    }

    /// Starts a thread that calls `start`, a tuple (function, args, kwargs or None).
    ///
    /// # Errors
    /// RuntimeError when the system gives no thread.
    pub fn start_thread(&mut self, start: Value) -> R<u64> {
        let record = Box::into_raw(Box::new(Thread::new(start)));
        // Known before it runs: nothing else keeps its arguments alive.
        let bytes = match self.threads().stack_bytes {
            0 => NATIVE_STACK,
            n => n.max(1 << 20),
        };
        let stack_list = self.new_list(&[]);
        // SAFETY: the record is this function's until the thread runs.
        unsafe { (*record).repr_stack = stack_list };
        self.threads().all.push(record);
        struct Sent(*mut Vm, *mut Thread);
        // SAFETY: both are used under the lock only.
        unsafe impl Send for Sent {}
        let sent = Sent(self, record);
        let begun = std::sync::Arc::new((Mutex::new(0u64), Condvar::new()));
        let begin = begun.clone();
        let spawned = std::thread::Builder::new()
            .stack_size(bytes)
            .spawn(move || {
                let Sent(vm, record) = { sent };
                // SAFETY: the record was made for this thread.
                unsafe { identify(&mut *record) };
                // SAFETY: as above.
                *begin.0.lock().unwrap_or_else(PoisonError::into_inner) =
                    unsafe { (*record).ident };
                begin.1.notify_all();
                take();
                // SAFETY: the lock is held, so the VM is this thread's.
                run_thread(unsafe { &mut *vm }, record, bytes);
            });
        if spawned.is_err() {
            self.threads().all.retain(|&t| t != record);
            // SAFETY: made above; no thread has it.
            drop(unsafe { Box::from_raw(record) });
            return Err(self.runtime_error("can't start new thread"));
        }
        let mut ident = begun.0.lock().unwrap_or_else(PoisonError::into_inner);
        while *ident == 0 {
            ident = begun.1.wait(ident).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(*ident)
    }

    /// Calls `each` with every thread.
    pub fn each_thread(&self, mut each: impl FnMut(&mut Thread)) {
        for &t in &self.threads().all {
            // SAFETY: records in the list are alive.
            each(unsafe { &mut *t });
        }
    }

    /// The innermost window and instruction pointer of each thread, the running one
    /// first.
    pub fn thread_frames(&self) -> Vec<(u64, *mut Value, u64)> {
        if self.threads.is_null() {
            return vec![(0, self.base, self.pc)];
        }
        let current = self.threads().current;
        let mut all = vec![(self.thread().ident, self.base, self.pc)];
        for &t in &self.threads().all {
            // SAFETY: as in `each_thread`.
            let r = unsafe { &*t };
            if t != current && !r.stack.is_null() {
                all.push((r.ident, r.base, r.pc));
            }
        }
        all
    }

    /// The exception that each thread handles (null: none), the running one's first.
    pub fn thread_exceptions(&self) -> Vec<(u64, Value)> {
        if self.threads.is_null() {
            return vec![(0, self.handled)];
        }
        let current = self.threads().current;
        let mut all = vec![(self.thread().ident, self.handled)];
        for &t in &self.threads().all {
            // SAFETY: as in `each_thread`.
            let r = unsafe { &*t };
            if t != current && !r.stack.is_null() {
                all.push((r.ident, r.handled));
            }
        }
        all
    }

    /// Before `fork`: what it returns keeps the lock's own lock from being copied in
    /// use.
    pub fn before_fork(&mut self) -> impl Sized + use<> {
        lock()
    }

    /// In the child of a `fork`: the other threads are gone.
    pub fn threads_after_fork(&mut self) {
        let t = self.threads();
        let current = t.current;
        t.all.retain(|&x| x == current);
        t.main = current;
        // SAFETY: the current thread's record.
        unsafe { (*current).native_id = libc::gettid() };
        lock().waiting = 0;
        SIGNALS.store(0, Ordering::SeqCst);
        self.poll_clear(poll::GIL | poll::SIGNAL);
    }

    /// Sets bits of [`Vm::poll`].
    pub fn poll_set(&mut self, bits: u32) {
        self.poll.fetch_or(bits, Ordering::SeqCst);
        self.stack_soft.store(0, Ordering::SeqCst);
    }

    /// Clears bits of [`Vm::poll`].
    pub fn poll_clear(&mut self, bits: u32) {
        self.poll.fetch_and(!bits, Ordering::SeqCst);
    }

    /// True if bits of [`Vm::poll`] are set.
    #[inline(always)]
    pub fn polled(&self) -> bool {
        self.poll.load(Ordering::Relaxed) != 0
    }

    /// Puts the limit that calls look at back, unless something is to be looked at.
    pub fn rearm(&mut self) {
        self.stack_soft
            .store(self.stack_high as u64, Ordering::SeqCst);
        if self.poll.load(Ordering::SeqCst) != 0 {
            self.stack_soft.store(0, Ordering::SeqCst);
        }
    }

    /// Deals with what [`Vm::poll`] asks for, but for finalizers.
    ///
    /// # Errors
    /// What a signal handler raised, and exceptions that others sent to the thread.
    pub fn answer_polls(&mut self) -> R<()> {
        let bits = self.poll.load(Ordering::SeqCst);
        if bits & poll::MEMORY != 0 {
            self.poll_clear(poll::MEMORY);
            self.rearm();
            return Err(self.memory_error(""));
        }
        if bits & poll::GIL != 0 {
            self.poll_clear(poll::GIL);
            self.yield_lock();
        }
        if bits & poll::SIGNAL != 0 {
            self.poll_clear(poll::SIGNAL);
            self.rearm();
            if self.threads.is_null() {
                return Ok(());
            }
            let sent = std::mem::replace(&mut self.thread().async_exc, Value::NULL);
            if sent.is_some() {
                let e = self.call(sent, &[])?;
                return Err(self.raise(e));
            }
            if self.in_main_thread() && SIGNALS.swap(0, Ordering::SeqCst) != 0 {
                return (self.hooks.signals)(self);
            }
        }
        self.rearm();
        Ok(())
    }

    /// The time that a thread may keep the lock while others wait.
    pub fn switch_interval(&self) -> Duration {
        Duration::from_nanos(INTERVAL.load(Ordering::Relaxed))
    }

    /// Sets it.
    pub fn set_switch_interval(&mut self, d: Duration) {
        let n = u64::try_from(d.as_nanos()).unwrap_or(u64::MAX);
        INTERVAL.store(n.max(1), Ordering::Relaxed);
    }

    /// Exact roots of the threads: for the collector.
    pub(crate) fn trace_threads(&mut self, t: &mut Tracer) {
        if self.threads.is_null() {
            return;
        }
        let current = self.threads().current;
        for i in 0..self.threads().all.len() {
            let p = self.threads().all[i];
            // SAFETY: records in the list are alive; their values are the VM's, and
            // what lies between their stack and top is in use.
            unsafe {
                let r = &mut *p;
                for v in r.own_values() {
                    t.edge(v);
                }
                if p == current {
                    continue;
                }
                for v in [
                    &mut r.result,
                    &mut r.exc,
                    &mut r.handled,
                    &mut r.repr_stack,
                    &mut r.context,
                ] {
                    t.edge(v);
                }
                if r.stack.is_null() {
                    continue;
                }
                let top = r.top as *mut Value;
                t.range(r.stack, top);
                let high = r
                    .stack_high
                    .max(r.stack_beyond)
                    .add(crate::boot::STACK_SLACK)
                    .min(r.stack.add(crate::vm::STACK_WORDS));
                let mut w = top;
                while w < high {
                    *w = Value::NULL;
                    w = w.add(1);
                }
            }
        }
    }

    /// Native stacks of the threads without the lock: for the collector.
    pub(crate) fn pin_threads(&self, pins: &mut Pins) {
        if self.threads.is_null() {
            return;
        }
        for &p in &self.threads().all {
            // SAFETY: a thread without the lock does not touch what lies above the
            // stack pointer it left.
            unsafe {
                let r = &*p;
                if p != self.threads().current && !r.sp.is_null() {
                    pins.range(r.sp, r.native_base);
                }
            }
        }
    }
}

/// The life of a thread, which holds the lock.
fn run_thread(vm: &mut Vm, record: *mut Thread, bytes: usize) {
    let stack = crate::heap::map_stack(crate::vm::STACK_WORDS);
    {
        // SAFETY: this thread's own record.
        let t = unsafe { &mut *record };
        t.stack = stack;
        t.base = stack;
        // SAFETY: within the mapping just made.
        unsafe {
            t.stack_end = stack.add(crate::vm::STACK_WORDS - 4096);
            t.stack_high = stack.add(2048);
            t.stack_beyond = stack;
        }
        t.top = stack as u64;
        t.native_limit = t.native_base as u64 - bytes as u64 + NATIVE_SLACK;
    }
    vm.restore(record);
    let start = std::mem::replace(&mut vm.thread().start, Value::NULL);
    let (f, args, kwargs) = (
        vm.tuple_get(start, 0),
        vm.tuple_get(start, 1),
        vm.tuple_get(start, 2),
    );
    let kwargs = if kwargs == vm.none {
        Value::NULL
    } else {
        kwargs
    };
    if vm.call_dict(f, vm.tuple_items(args), kwargs).is_err() {
        if vm.exc_is(vm.types.system_exit) {
            vm.exc = Value::NULL;
        } else {
            crate::misc::unraisable_in(vm, "Exception ignored in thread started by", f);
        }
    }
    (vm.hooks.thread_ended)(vm);
    if vm.in_main_thread() {
        // It forked: nobody else is left in this process.
        std::process::exit(0);
    }
    let t = vm.threads();
    t.all.retain(|&x| x != record);
    // Nobody is current until the next thread takes the lock.
    vm.base = stack;
    vm.alloc.top = stack as u64;
    vm.stack_high = stack;
    vm.stack_beyond = stack;
    crate::heap::unmap_stack(stack, crate::vm::STACK_WORDS);
    give(false);
    // SAFETY: no longer in the list.
    drop(unsafe { Box::from_raw(record) });
}
