//! The `select` module: waiting for descriptors to be ready.

use crate::{fs, module, set, slots};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyType};
use pyrite_objects::native::{GetSetDef, NativeDef, class_def, def, effects, getter, static_def};
use pyrite_objects::object_layout;
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};
use std::time::{Duration, Instant};

const ANY: u8 = effects::ANY;

object_layout! {
    /// `poll`: a dict of event masks by descriptor.
    PyPoll [Library, RAW2] { busy: bool, _pad: usize, fds: Value }
}
object_layout! {
    /// `epoll`: the descriptor, -1 once closed.
    PyEpoll [Library, RAW2] { fd: i64, _pad: usize }
}

static FUNCTIONS: &[NativeDef] = &[
    def(
        "select",
        "(rlist, wlist, xlist, timeout=None, /)",
        ANY,
        select,
    )
    .doc("Wait until one or more file descriptors are ready for some kind of I/O."),
    def("poll", "()", ANY, |vm, _| {
        let v = vm.new_instance(Gc::from_value(vm.statics[slots::POLL]));
        let d = vm.new_dict();
        Gc::<PyPoll>::from_value(v).fds.set(d);
        vm.write_barrier(v);
        Ok(v)
    })
    .doc("Returns a polling object."),
];

static POLL: &[NativeDef] = &[
    def(
        "register",
        "($self, fd, eventmask=select.POLLIN | select.POLLPRI | select.POLLOUT, /)",
        ANY,
        |vm, a| {
            let fd = descriptor(vm, a[1])?;
            let default = libc::POLLIN | libc::POLLPRI | libc::POLLOUT;
            let events = event_mask(vm, a[2], default)?;
            let d = poll_of(a[0]).fds.get();
            vm.dict_set(d, Value::small(fd), Value::small(events.into()))?;
            Ok(vm.none)
        },
    ),
    def("modify", "($self, fd, eventmask, /)", ANY, |vm, a| {
        let fd = descriptor(vm, a[1])?;
        let events = event_mask(vm, a[2], 0)?;
        let d = poll_of(a[0]).fds.get();
        if vm.dict_get(d, Value::small(fd))?.is_null() {
            return Err(fs::os_error(vm, libc::ENOENT, Value::NULL, Value::NULL));
        }
        vm.dict_set(d, Value::small(fd), Value::small(events.into()))?;
        Ok(vm.none)
    }),
    def("unregister", "($self, fd, /)", ANY, |vm, a| {
        let fd = Value::small(descriptor(vm, a[1])?);
        let d = poll_of(a[0]).fds.get();
        if vm.dict_remove(d, fd)?.is_null() {
            return Err(vm.key_error(fd));
        }
        Ok(vm.none)
    }),
    def("poll", "($self, timeout=None, /)", ANY, poll),
];

static EPOLL: &[NativeDef] = &[
    static_def("__new__", "($type, sizehint=-1, flags=0)", ANY, |vm, a| {
        let hint = fs::c_int_or(vm, a[1], -1)?;
        let flags = fs::c_int_or(vm, a[2], 0)?;
        if hint != -1 && hint <= 0 {
            return Err(vm.value_error("negative sizehint"));
        }
        if flags & !libc::EPOLL_CLOEXEC != 0 {
            return Err(vm.os_error("invalid flags"));
        }
        // SAFETY: makes a descriptor.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(fs::last_error(vm, Value::NULL));
        }
        Ok(new_epoll(vm, Gc::from_value(a[0]), fd))
    }),
    class_def("fromfd", "($type, fd, /)", ANY, |vm, a| {
        let fd = fs::c_int(vm, a[1])?;
        Ok(new_epoll(vm, Gc::from_value(a[0]), fd))
    }),
    def("close", "($self, /)", ANY, |vm, a| {
        close_epoll(vm, a[0])?;
        Ok(vm.none)
    }),
    def("fileno", "($self, /)", ANY, |vm, a| {
        Ok(Value::small(epoll_fd(vm, a[0])?))
    }),
    def("__enter__", "($self, /)", ANY, |vm, a| {
        epoll_fd(vm, a[0])?;
        Ok(a[0])
    }),
    def(
        "__exit__",
        "($self, exc_type=None, exc_value=None, exc_tb=None, /)",
        ANY,
        |vm, a| {
            close_epoll(vm, a[0])?;
            Ok(vm.none)
        },
    ),
    def(
        "register",
        "($self, /, fd, eventmask=select.EPOLLIN | select.EPOLLPRI | select.EPOLLOUT)",
        ANY,
        |vm, a| {
            let default = libc::EPOLLIN | libc::EPOLLPRI | libc::EPOLLOUT;
            let events = if a[2].is_null() {
                default as u32
            } else {
                crate::binascii::mask(vm, a[2])?
            };
            control(vm, a, libc::EPOLL_CTL_ADD, events)
        },
    ),
    def("modify", "($self, /, fd, eventmask)", ANY, |vm, a| {
        let events = crate::binascii::mask(vm, a[2])?;
        control(vm, a, libc::EPOLL_CTL_MOD, events)
    }),
    def("unregister", "($self, /, fd)", ANY, |vm, a| {
        control(vm, a, libc::EPOLL_CTL_DEL, 0)
    }),
    def("poll", "($self, /, timeout=None, maxevents=-1)", ANY, epoll),
];

static EPOLL_FIELDS: &[GetSetDef] = &[getter("closed", |vm, v| {
    Ok(vm.bool(Gc::<PyEpoll>::from_value(v).fd.get() < 0))
})];

fn poll_of(v: Value) -> Gc<PyPoll> {
    Gc::from_value(v)
}

/// The descriptor of an int or of what has `fileno()`.
///
/// # Errors
/// TypeError, ValueError if it is negative, and what `fileno` raises.
pub fn descriptor(vm: &mut Vm, v: Value) -> R<i32> {
    let fd = if vm.is_int(v) {
        v
    } else {
        let name = vm.intern("fileno");
        let f = vm.getattr_opt(v, name)?;
        if f.is_null() {
            return Err(vm.type_error("argument must be an int, or have a fileno() method."));
        }
        let fd = vm.call(f, &[])?;
        if !vm.is_int(fd) {
            return Err(vm.type_error("fileno() returned a non-integer"));
        }
        fd
    };
    let fd = fs::c_int(vm, fd)?;
    if fd < 0 {
        let m = format!("file descriptor cannot be a negative integer ({fd})");
        return Err(vm.value_error(&m));
    }
    Ok(fd)
}

fn event_mask(vm: &mut Vm, v: Value, default: i16) -> R<i16> {
    if v.is_null() {
        return Ok(default);
    }
    let i = vm.index(v)?;
    match vm.int_to_i64(i) {
        Some(n @ 0..=0xFFFF) => Ok(n as u16 as i16),
        Some(n) if n < 0 => Err(vm.value_error("value must be positive")),
        _ => Err(vm.overflow_error("Python int too large for C unsigned short")),
    }
}

/// A waiting time that signals cannot prolong.
pub struct Patience {
    until: Option<Instant>,
}

impl Patience {
    /// For so long; `None`: for ever.
    pub fn new(d: Option<Duration>) -> Patience {
        Patience {
            until: d.and_then(|d| Instant::now().checked_add(d)),
        }
    }

    /// Milliseconds left, rounded up, -1 for ever.
    pub fn millis(&self) -> i32 {
        match self.until {
            None => -1,
            Some(t) => {
                let left = t.saturating_duration_since(Instant::now());
                left.as_nanos().div_ceil(1_000_000).min(i32::MAX as u128) as i32
            }
        }
    }

    fn timeval(&self) -> Option<libc::timeval> {
        let left = self.until?.saturating_duration_since(Instant::now());
        let micros = left.as_nanos().div_ceil(1000) as i64;
        Some(libc::timeval {
            tv_sec: micros / 1_000_000,
            tv_usec: micros % 1_000_000,
        })
    }
}

/// What to do when a call failed with `e`: after an interruption signal handlers
/// run, and it is to be made again.
///
/// # Errors
/// What a handler raises; OSError for anything but an interruption.
pub fn interrupted(vm: &mut Vm, e: i32) -> R<()> {
    if e != libc::EINTR {
        return Err(fs::os_error(vm, e, Value::NULL, Value::NULL));
    }
    vm.answer_polls()
}

/// A system call that other threads may run beside: its result and error number.
pub fn blocking(vm: &mut Vm, f: impl FnOnce() -> i32) -> (i32, i32) {
    vm.blocking(|| {
        let r = f();
        (r, fs::last_errno())
    })
}

fn seconds(vm: &mut Vm, v: Value) -> R<Option<f64>> {
    if v.is_null() || v == vm.none {
        return Ok(None);
    }
    match vm.number_to_f64(v) {
        Ok(s) if s.is_nan() => Err(vm.value_error("Invalid value NaN (not a number)")),
        Ok(s) => Ok(Some(s)),
        Err(e) => {
            if vm.exc_is(vm.types.type_error) {
                vm.exc = Value::NULL;
                return Err(vm.type_error("timeout must be a float or None"));
            }
            Err(e)
        }
    }
}

fn duration(vm: &mut Vm, s: f64) -> R<Duration> {
    match Duration::try_from_secs_f64(s.max(0.0)) {
        Ok(d) if d.as_secs() < i64::MAX as u64 / 1_000_000_000 => Ok(d),
        _ => Err(vm.overflow_error("timestamp too large to convert to C _PyTime_t")),
    }
}

fn select(vm: &mut Vm, a: &[Value]) -> R {
    let timeout = match seconds(vm, a[3])? {
        None => None,
        Some(s) if s < 0.0 => return Err(vm.value_error("timeout must be non-negative")),
        Some(s) => Some(duration(vm, s)?),
    };
    let mut lists = [Value::NULL; 3];
    let mut fds: [Vec<i32>; 3] = Default::default();
    for k in 0..3 {
        lists[k] = match vm.list_from_iterable(a[k]) {
            Ok(l) => l,
            Err(e) => {
                if vm.exc_is(vm.types.type_error) {
                    vm.exc = Value::NULL;
                    return Err(vm.type_error("arguments 1-3 must be sequences"));
                }
                return Err(e);
            }
        };
        let mut i = 0;
        while i < vm.list_len(lists[k]) {
            let fd = descriptor(vm, vm.list_get(lists[k], i))?;
            if fd as usize >= libc::FD_SETSIZE {
                return Err(vm.value_error("filedescriptor out of range in select()"));
            }
            fds[k].push(fd);
            i += 1;
        }
    }
    let top = fds.iter().flatten().max().map_or(0, |m| m + 1);
    let patience = Patience::new(timeout);
    // SAFETY: an all-zero set is an empty one.
    let mut sets: [libc::fd_set; 3] = unsafe { std::mem::zeroed() };
    loop {
        for (s, fds) in sets.iter_mut().zip(&fds) {
            // SAFETY: the numbers were checked against the set's size.
            unsafe {
                libc::FD_ZERO(s);
                fds.iter().for_each(|&fd| libc::FD_SET(fd, s));
            }
        }
        let mut tv = patience.timeval();
        let tv = tv.as_mut().map_or(std::ptr::null_mut(), |t| t as *mut _);
        let [r, w, x] = &mut sets;
        // SAFETY: the sets and the time live across the call.
        let (n, e) = blocking(vm, || unsafe { libc::select(top, r, w, x, tv) });
        if n >= 0 {
            break;
        }
        interrupted(vm, e)?;
    }
    let mut out = [Value::NULL; 3];
    for k in 0..3 {
        out[k] = vm.new_list(&[]);
        for (i, &fd) in fds[k].iter().enumerate() {
            // SAFETY: as above.
            if unsafe { libc::FD_ISSET(fd, &sets[k]) } {
                let v = vm.list_get(lists[k], i);
                vm.list_append(out[k], v);
            }
        }
    }
    Ok(vm.new_tuple(&out))
}

fn poll(vm: &mut Vm, a: &[Value]) -> R {
    let timeout = if a[1].is_null() || a[1] == vm.none {
        None
    } else {
        match vm.number_to_f64(a[1]) {
            Ok(ms) if ms < 0.0 => None,
            Ok(ms) => Some(duration(vm, ms / 1000.0)?),
            Err(e) => {
                if vm.exc_is(vm.types.type_error) {
                    vm.exc = Value::NULL;
                    return Err(vm.type_error("timeout must be an integer or None"));
                }
                return Err(e);
            }
        }
    };
    if timeout.is_some_and(|d| d.as_millis() > i32::MAX as u128) {
        return Err(vm.overflow_error("timeout is too large"));
    }
    let p = poll_of(a[0]);
    if p.busy.get() {
        return Err(vm.runtime_error("concurrent poll() invocation"));
    }
    let mut fds = Vec::new();
    let mut at = 0;
    while let Some((fd, events)) = vm.dict_next(p.fds.get(), &mut at) {
        fds.push(libc::pollfd {
            fd: fd.int_value() as i32,
            events: events.int_value() as i16,
            revents: 0,
        });
    }
    let patience = Patience::new(timeout);
    p.busy.set(true);
    let r = loop {
        let ms = patience.millis();
        let (n, e) = blocking(vm, || {
            // SAFETY: the array lives across the call.
            unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, ms) }
        });
        if n >= 0 {
            break Ok(());
        }
        if let Err(e) = interrupted(vm, e) {
            break Err(e);
        }
    };
    p.busy.set(false);
    r?;
    let out = vm.new_list(&[]);
    for f in fds.iter().filter(|f| f.revents != 0) {
        let events = i32::from(f.revents as u16);
        let t = vm.new_tuple(&[Value::small(f.fd), Value::small(events)]);
        vm.list_append(out, t);
    }
    Ok(out)
}

fn new_epoll(vm: &mut Vm, class: Gc<PyType>, fd: i32) -> Value {
    let v = vm.new_instance(class);
    Gc::<PyEpoll>::from_value(v).fd.set(fd.into());
    v
}

fn epoll_fd(vm: &mut Vm, v: Value) -> R<i32> {
    match Gc::<PyEpoll>::from_value(v).fd.get() {
        fd if fd >= 0 => Ok(fd as i32),
        _ => Err(vm.value_error("I/O operation on closed epoll object")),
    }
}

fn close_epoll(vm: &mut Vm, v: Value) -> R<()> {
    let fd = Gc::<PyEpoll>::from_value(v).fd.replace(-1);
    // SAFETY: the object's own descriptor.
    if fd >= 0 && unsafe { libc::close(fd as i32) } < 0 {
        return Err(fs::last_error(vm, Value::NULL));
    }
    Ok(())
}

fn control(vm: &mut Vm, a: &[Value], what: i32, events: u32) -> R {
    let ep = epoll_fd(vm, a[0])?;
    let fd = descriptor(vm, a[1])?;
    let mut e = libc::epoll_event {
        events,
        u64: fd as u64,
    };
    // SAFETY: the event lives across the call.
    if unsafe { libc::epoll_ctl(ep, what, fd, &mut e) } < 0 {
        return Err(fs::last_error(vm, Value::NULL));
    }
    Ok(vm.none)
}

fn epoll(vm: &mut Vm, a: &[Value]) -> R {
    let ep = epoll_fd(vm, a[0])?;
    let timeout = match seconds(vm, a[1])? {
        Some(s) if s >= 0.0 => Some(duration(vm, s)?),
        _ => None,
    };
    if timeout.is_some_and(|d| d.as_millis() > i32::MAX as u128) {
        return Err(vm.overflow_error("timeout is too large"));
    }
    let max = match fs::c_int_or(vm, a[2], -1)? {
        -1 => libc::FD_SETSIZE as i32 - 1,
        n if n < 1 => {
            let m = format!("maxevents must be greater than 0, got {n}");
            return Err(vm.value_error(&m));
        }
        n => n,
    };
    let mut events = vec![libc::epoll_event { events: 0, u64: 0 }; max as usize];
    let patience = Patience::new(timeout);
    let n = loop {
        let ms = patience.millis();
        let (n, e) = blocking(vm, || {
            // SAFETY: the array has room for `max` events.
            unsafe { libc::epoll_wait(ep, events.as_mut_ptr(), max, ms) }
        });
        if n >= 0 {
            break n as usize;
        }
        interrupted(vm, e)?;
    };
    let out = vm.new_list(&[]);
    for e in &events[..n] {
        let (fd, mask) = (e.u64 as i64, e.events);
        let t = vm.new_tuple(&[Value::int_unchecked(fd), Value::int_unchecked(mask.into())]);
        vm.list_append(out, t);
    }
    Ok(out)
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let doc = "This module supports asynchronous I/O on multiple file descriptors.";
    let m = module(vm, "select", doc, FUNCTIONS);
    let e = vm.types.os_error.value();
    set(vm, m, "error", e);
    let t = vm.native_type(&TypeDef {
        module: "select",
        methods: POLL,
        ..TypeDef::of::<PyPoll>("poll", Layout::Library)
    });
    vm.statics[slots::POLL] = t.value();
    let t = vm.native_type(&TypeDef {
        module: "select",
        methods: EPOLL,
        getset: EPOLL_FIELDS,
        ..TypeDef::of::<PyEpoll>("epoll", Layout::Library)
    });
    set(vm, m, "epoll", t.value());
    for (name, n) in [
        ("POLLIN", i64::from(libc::POLLIN)),
        ("POLLPRI", libc::POLLPRI.into()),
        ("POLLOUT", libc::POLLOUT.into()),
        ("POLLERR", libc::POLLERR.into()),
        ("POLLHUP", libc::POLLHUP.into()),
        ("POLLNVAL", libc::POLLNVAL.into()),
        ("POLLRDNORM", libc::POLLRDNORM.into()),
        ("POLLRDBAND", libc::POLLRDBAND.into()),
        ("POLLWRNORM", libc::POLLWRNORM.into()),
        ("POLLWRBAND", libc::POLLWRBAND.into()),
        ("POLLMSG", 0x400),
        ("POLLRDHUP", libc::POLLRDHUP.into()),
        ("EPOLLIN", libc::EPOLLIN.into()),
        ("EPOLLOUT", libc::EPOLLOUT.into()),
        ("EPOLLPRI", libc::EPOLLPRI.into()),
        ("EPOLLERR", libc::EPOLLERR.into()),
        ("EPOLLHUP", libc::EPOLLHUP.into()),
        ("EPOLLRDHUP", libc::EPOLLRDHUP.into()),
        ("EPOLLET", 1 << 31),
        ("EPOLLONESHOT", libc::EPOLLONESHOT.into()),
        ("EPOLLEXCLUSIVE", libc::EPOLLEXCLUSIVE.into()),
        ("EPOLLRDNORM", libc::EPOLLRDNORM.into()),
        ("EPOLLRDBAND", libc::EPOLLRDBAND.into()),
        ("EPOLLWRNORM", libc::EPOLLWRNORM.into()),
        ("EPOLLWRBAND", libc::EPOLLWRBAND.into()),
        ("EPOLLMSG", libc::EPOLLMSG.into()),
        ("EPOLL_CLOEXEC", libc::EPOLL_CLOEXEC.into()),
        ("PIPE_BUF", libc::PIPE_BUF as i64),
    ] {
        set(vm, m, name, Value::int_unchecked(n));
    }
    Ok(m)
}
