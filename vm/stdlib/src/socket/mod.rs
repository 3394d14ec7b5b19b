//! The `_socket` module: sockets of the internet families and of `AF_UNIX`.
//!
//! A socket with a timeout is non-blocking for the system; [`call`] waits for it
//! to be ready, for no longer than the timeout, and tries again.

mod addr;
mod consts;
mod names;

use crate::select::{Patience, blocking, interrupted};
use crate::{args, fs, module, set, slots};
use addr::Address;
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyType};
use pyrite_objects::native::{GetSetDef, NativeDef, def, effects, getter, new_def};
use pyrite_objects::object_layout;
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Raised, Vm};
use std::time::Duration;

const ANY: u8 = effects::ANY;

object_layout! {
    /// `_socket.socket`; `fd` is -1 while there is none.
    PySocket [Library, RAW4] {
        fd: i64, family: i64, kind: i64, proto: i64,
        /// Seconds, null for none.
        timeout: Value,
    }
}

static METHODS: &[NativeDef] = &[
    new_def("($type, /, *args, **kwargs)", ANY, |vm, a| {
        let v = vm.new_instance(Gc::from_value(a[0]));
        of(v).fd.set(-1);
        Ok(v)
    }),
    def(
        "__init__",
        "($self, /, family=-1, type=-1, proto=-1, fileno=None)",
        ANY,
        init,
    ),
    def("__repr__", "($self, /)", ANY, |vm, a| {
        let s = of(a[0]);
        let m = format!(
            "<socket object, fd={}, family={}, type={}, proto={}>",
            s.fd.get(),
            s.family.get(),
            s.kind.get(),
            s.proto.get()
        );
        Ok(vm.new_str(&m))
    }),
    def("__del__", "($self, /)", ANY, |vm, a| {
        if of(a[0]).fd.get() != -1 {
            let text = vm.repr_string(a[0])?;
            let class = vm.types.resource_warning;
            let warned = vm.warn(class, &format!("unclosed {text}"));
            close(vm, a[0])?;
            warned?;
        }
        Ok(vm.none)
    }),
    def("_accept", "($self, /)", ANY, accept),
    def("bind", "($self, address, /)", ANY, |vm, a| {
        let to = addr::parse(vm, family(a[0]), a[1], "bind")?;
        // SAFETY: an address and its length.
        done(vm, unsafe { libc::bind(fd(a[0]), to.ptr(), to.len) })
    }),
    def("close", "($self, /)", ANY, |vm, a| {
        close(vm, a[0])?;
        Ok(vm.none)
    }),
    def(
        "connect",
        "($self, address, /)",
        ANY,
        |vm, a| match connect(vm, a)? {
            0 => Ok(vm.none),
            e => Err(fs::os_error(vm, e, Value::NULL, Value::NULL)),
        },
    ),
    def("connect_ex", "($self, address, /)", ANY, |vm, a| {
        Ok(Value::small(connect(vm, a)?))
    }),
    def("detach", "($self, /)", ANY, |vm, a| {
        let fd = of(a[0]).fd.replace(-1);
        Ok(vm.new_int(fd))
    }),
    def("fileno", "($self, /)", ANY, |vm, a| {
        Ok(vm.new_int(of(a[0]).fd.get()))
    }),
    def("getpeername", "($self, /)", ANY, |vm, a| {
        let mut from = Address::empty();
        // SAFETY: room for an address.
        let r = unsafe { libc::getpeername(fd(a[0]), from.mut_ptr(), &mut from.len) };
        done(vm, r)?;
        Ok(addr::show(vm, &from))
    }),
    def("getsockname", "($self, /)", ANY, |vm, a| {
        let mut from = Address::empty();
        // SAFETY: room for an address.
        let r = unsafe { libc::getsockname(fd(a[0]), from.mut_ptr(), &mut from.len) };
        done(vm, r)?;
        Ok(addr::show(vm, &from))
    }),
    def(
        "getsockopt",
        "($self, level, optname, buflen=0, /)",
        ANY,
        getsockopt,
    ),
    def(
        "setsockopt",
        "($self, level, optname, value, optlen=0, /)",
        ANY,
        setsockopt,
    ),
    def("listen", "($self, backlog=128, /)", ANY, |vm, a| {
        let n = fs::c_int_or(vm, a[1], 128)?.max(0);
        // SAFETY: numbers only.
        done(vm, unsafe { libc::listen(fd(a[0]), n) })
    }),
    def("recv", "($self, buffersize, flags=0, /)", ANY, |vm, a| {
        let (b, _) = receive(vm, a, "recv", false)?;
        Ok(vm.new_bytes(&b))
    }),
    def(
        "recvfrom",
        "($self, buffersize, flags=0, /)",
        ANY,
        |vm, a| {
            let (b, from) = receive(vm, a, "recvfrom", true)?;
            let b = vm.new_bytes(&b);
            let from = addr::show(vm, &from);
            Ok(vm.new_tuple(&[b, from]))
        },
    ),
    def(
        "recv_into",
        "($self, buffer, nbytes=0, flags=0)",
        ANY,
        |vm, a| Ok(receive_into(vm, a, "recv_into", false)?.0),
    ),
    def(
        "recvfrom_into",
        "($self, buffer, nbytes=0, flags=0)",
        ANY,
        |vm, a| {
            let (n, from) = receive_into(vm, a, "recvfrom_into", true)?;
            let from = addr::show(vm, &from);
            Ok(vm.new_tuple(&[n, from]))
        },
    ),
    def("send", "($self, data, flags=0, /)", ANY, |vm, a| {
        let b = args::readable(vm, a[1])?.to_vec();
        let flags = fs::c_int_or(vm, a[2], 0)?;
        let p = patience(vm, a[0]);
        let n = send(vm, a[0], &b, flags, p)?;
        Ok(vm.new_int(n as i64))
    }),
    def("sendall", "($self, data, flags=0, /)", ANY, |vm, a| {
        let b = args::readable(vm, a[1])?.to_vec();
        let flags = fs::c_int_or(vm, a[2], 0)?;
        let mut rest = &b[..];
        let p = patience(vm, a[0]);
        while !rest.is_empty() {
            let left = p
                .as_ref()
                .map(|p| Duration::from_millis(p.millis().max(0) as u64));
            let n = send(vm, a[0], rest, flags, left.map(|d| Patience::new(Some(d))))?;
            rest = &rest[n..];
        }
        Ok(vm.none)
    }),
    def("sendto", "($self, data, *args)", ANY, sendto),
    def("sendmsg", "($self, buffers, *args)", ANY, |vm, a| {
        // Ancillary data goes with AF_UNIX sockets alone, through `send_fds`.
        names::sendmsg(vm, a)
    }),
    def(
        "recvmsg",
        "($self, bufsize, ancbufsize=0, flags=0, /)",
        ANY,
        names::recvmsg,
    ),
    def("setblocking", "($self, flag, /)", ANY, |vm, a| {
        let blocking = vm.truth(a[1])?;
        let t = if blocking {
            Value::NULL
        } else {
            Value::float(0.0)
        };
        set_timeout(vm, a[0], t)
    }),
    def("getblocking", "($self, /)", ANY, |vm, a| {
        let t = of(a[0]).timeout.get();
        Ok(vm.bool(t.is_null() || t.as_float() != Some(0.0)))
    }),
    def("settimeout", "($self, timeout, /)", ANY, |vm, a| {
        let t = timeout_arg(vm, a[1])?;
        set_timeout(vm, a[0], t)
    }),
    def("gettimeout", "($self, /)", ANY, |vm, a| {
        let t = of(a[0]).timeout.get();
        Ok(if t.is_null() { vm.none } else { t })
    }),
    def("shutdown", "($self, flag, /)", ANY, |vm, a| {
        let how = fs::c_int(vm, a[1])?;
        // SAFETY: numbers only.
        done(vm, unsafe { libc::shutdown(fd(a[0]), how) })
    }),
];

static FIELDS: &[GetSetDef] = &[
    getter("family", |vm, v| Ok(vm.new_int(of(v).family.get()))),
    getter("type", |vm, v| Ok(vm.new_int(of(v).kind.get()))),
    getter("proto", |vm, v| Ok(vm.new_int(of(v).proto.get()))),
    getter("timeout", |vm, v| {
        let t = of(v).timeout.get();
        Ok(if t.is_null() { vm.none } else { t })
    }),
];

pub(super) fn of(v: Value) -> Gc<PySocket> {
    Gc::from_value(v)
}

fn fd(v: Value) -> i32 {
    of(v).fd.get() as i32
}

fn family(v: Value) -> i32 {
    of(v).family.get() as i32
}

/// Nothing, or the last system error.
fn done(vm: &mut Vm, r: i32) -> R {
    if r < 0 {
        return Err(fs::last_error(vm, Value::NULL));
    }
    Ok(vm.none)
}

fn close(vm: &mut Vm, v: Value) -> R<()> {
    let fd = of(v).fd.replace(-1);
    // SAFETY: the socket's own descriptor.
    if fd >= 0 && unsafe { libc::close(fd as i32) } < 0 {
        // The peer may have been faster.
        if fs::last_errno() != libc::ECONNRESET {
            return Err(fs::last_error(vm, Value::NULL));
        }
    }
    Ok(())
}

fn set_blocking(fd: i32, blocking: bool) -> bool {
    // SAFETY: numbers only.
    unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFL);
        let new = if blocking {
            flags & !libc::O_NONBLOCK
        } else {
            flags | libc::O_NONBLOCK
        };
        flags >= 0 && (new == flags || libc::fcntl(fd, libc::F_SETFL, new) >= 0)
    }
}

/// Seconds as a float, null for none.
fn timeout_arg(vm: &mut Vm, v: Value) -> R {
    if v == vm.none {
        return Ok(Value::NULL);
    }
    let s = vm.number_to_f64(v)?;
    if s.is_nan() {
        return Err(vm.value_error("Invalid value NaN (not a number)"));
    }
    if s < 0.0 {
        return Err(vm.value_error("Timeout value out of range"));
    }
    if s > 9_223_372_036.0 {
        return Err(vm.overflow_error("timestamp too large to convert to C _PyTime_t"));
    }
    Ok(Value::float(s))
}

fn set_timeout(vm: &mut Vm, v: Value, t: Value) -> R {
    vm.store_word(v, 5, t);
    if set_blocking(fd(v), t.is_null()) {
        Ok(vm.none)
    } else {
        Err(fs::last_error(vm, Value::NULL))
    }
}

fn option(fd: i32, name: i32) -> Option<i32> {
    let (mut n, mut len) = (0i32, 4);
    // SAFETY: room for an int.
    let r = unsafe {
        libc::getsockopt(
            fd,
            libc::SOL_SOCKET,
            name,
            std::ptr::from_mut(&mut n).cast(),
            &mut len,
        )
    };
    (r == 0).then_some(n)
}

fn init(vm: &mut Vm, a: &[Value]) -> R {
    let mut family = fs::c_int_or(vm, a[1], -1)?;
    let mut kind = fs::c_int_or(vm, a[2], -1)?;
    let mut proto = fs::c_int_or(vm, a[3], -1)?;
    let fd;
    if a[4].is_some() && a[4] != vm.none {
        fd = fs::c_int(vm, a[4])?;
        if fd < 0 {
            return Err(vm.value_error("negative file descriptor"));
        }
        let mut name = Address::empty();
        // SAFETY: room for an address.
        if unsafe { libc::getsockname(fd, name.mut_ptr(), &mut name.len) } < 0 {
            let e = fs::last_errno();
            if family == -1 || e == libc::EBADF || e == libc::ENOTSOCK {
                return Err(fs::os_error(vm, e, Value::NULL, Value::NULL));
            }
        } else if family == -1 {
            family = name.storage.ss_family.into();
        }
        for (v, opt) in [(&mut kind, libc::SO_TYPE), (&mut proto, libc::SO_PROTOCOL)] {
            if *v == -1 {
                match option(fd, opt) {
                    Some(n) => *v = n,
                    None => return Err(fs::last_error(vm, Value::NULL)),
                }
            }
        }
    } else {
        if family == -1 {
            family = libc::AF_INET;
        }
        if kind == -1 {
            kind = libc::SOCK_STREAM;
        }
        proto = proto.max(0);
        // SAFETY: makes a descriptor.
        fd = unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, proto) };
        if fd < 0 {
            return Err(fs::last_error(vm, Value::NULL));
        }
    }
    let default = vm.statics[slots::SOCKET_TIMEOUT];
    let s = of(a[0]);
    s.fd.set(fd.into());
    s.family.set(family.into());
    s.kind
        .set((kind & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC)).into());
    s.proto.set(proto.into());
    if kind & libc::SOCK_NONBLOCK != 0 {
        vm.store_word(a[0], 5, Value::float(0.0));
    } else {
        vm.store_word(a[0], 5, default);
        if default.is_some() {
            set_blocking(fd, false);
        }
    }
    Ok(vm.none)
}

/// How long a socket's calls may wait; `None`: as long as the system does.
pub(super) fn patience(_: &mut Vm, v: Value) -> Option<Patience> {
    match of(v).timeout.get().as_float() {
        Some(s) if s > 0.0 => Some(Patience::new(Some(Duration::from_secs_f64(s)))),
        _ => None,
    }
}

pub(super) fn timed_out(vm: &mut Vm) -> Raised {
    let class = vm.types.timeout_error;
    vm.raise_str(class, "timed out")
}

/// Waits until `fd` is ready for `events`.
fn wait(vm: &mut Vm, fd: i32, events: i16, p: &Patience) -> R<()> {
    loop {
        let mut f = libc::pollfd {
            fd,
            events,
            revents: 0,
        };
        let ms = p.millis();
        // SAFETY: one entry that lives across the call.
        match blocking(vm, || unsafe { libc::poll(&mut f, 1, ms) }) {
            (0, _) => return Err(timed_out(vm)),
            (n, _) if n > 0 => return Ok(()),
            (_, e) => interrupted(vm, e)?,
        }
    }
}

/// A system call on a socket, tried again after signals and, if the socket has a
/// timeout, whenever it is ready.
pub(super) fn call(
    vm: &mut Vm,
    v: Value,
    events: i16,
    p: Option<Patience>,
    mut f: impl FnMut(i32) -> isize,
) -> R<usize> {
    let fd = fd(v);
    loop {
        if let Some(p) = &p {
            wait(vm, fd, events, p)?;
        }
        let (r, e) = vm.blocking(|| {
            let r = f(fd);
            (r, fs::last_errno())
        });
        if r >= 0 {
            return Ok(r as usize);
        }
        match e {
            libc::EINTR => interrupted(vm, e)?,
            libc::EAGAIN if p.is_some() => {}
            e => return Err(fs::os_error(vm, e, Value::NULL, Value::NULL)),
        }
    }
}

fn accept(vm: &mut Vm, a: &[Value]) -> R {
    let mut from = Address::empty();
    let p = patience(vm, a[0]);
    let fd = call(vm, a[0], libc::POLLIN, p, |fd| {
        from = Address::empty();
        // SAFETY: room for an address.
        unsafe { libc::accept4(fd, from.mut_ptr(), &mut from.len, libc::SOCK_CLOEXEC) as isize }
    })?;
    let from = addr::show(vm, &from);
    Ok(vm.new_tuple(&[Value::int_unchecked(fd as i64), from]))
}

/// Connects; the system's error number.
fn connect(vm: &mut Vm, a: &[Value]) -> R<i32> {
    let to = addr::parse(vm, family(a[0]), a[1], "connect")?;
    let fd = fd(a[0]);
    // SAFETY: an address and its length.
    let (r, e) = blocking(vm, || unsafe { libc::connect(fd, to.ptr(), to.len) });
    if r == 0 {
        return Ok(0);
    }
    let p = patience(vm, a[0]);
    let waits = of(a[0]).timeout.get().is_null();
    let goes_on = match e {
        libc::EINTR => {
            interrupted(vm, e)?;
            waits || p.is_some()
        }
        libc::EINPROGRESS => p.is_some(),
        _ => false,
    };
    if !goes_on {
        return Ok(e);
    }
    let p = p.unwrap_or_else(|| Patience::new(None));
    wait(vm, fd, libc::POLLOUT, &p)?;
    Ok(match option(fd, libc::SO_ERROR) {
        Some(libc::EISCONN) => 0,
        Some(e) => e,
        None => fs::last_errno(),
    })
}

fn getsockopt(vm: &mut Vm, a: &[Value]) -> R {
    let level = fs::c_int(vm, a[1])?;
    let name = fs::c_int(vm, a[2])?;
    let n = fs::c_int_or(vm, a[3], 0)?;
    if n == 0 {
        let (mut flag, mut len) = (0i32, 4);
        // SAFETY: room for an int.
        let r = unsafe {
            libc::getsockopt(
                fd(a[0]),
                level,
                name,
                std::ptr::from_mut(&mut flag).cast(),
                &mut len,
            )
        };
        done(vm, r)?;
        return Ok(Value::small(flag));
    }
    if !(0..=1024).contains(&n) {
        let class = vm.types.os_error;
        return Err(vm.raise_str(class, "getsockopt buflen out of range"));
    }
    let mut b = vec![0u8; n as usize];
    let mut len = n as libc::socklen_t;
    // SAFETY: room for `len` bytes.
    let r = unsafe { libc::getsockopt(fd(a[0]), level, name, b.as_mut_ptr().cast(), &mut len) };
    done(vm, r)?;
    Ok(vm.new_bytes(&b[..len as usize]))
}

fn setsockopt(vm: &mut Vm, a: &[Value]) -> R {
    let level = fs::c_int(vm, a[1])?;
    let name = fs::c_int(vm, a[2])?;
    let put = |b: *const u8, n: usize| {
        // SAFETY: `n` bytes at `b`, or none.
        unsafe { libc::setsockopt(fd(a[0]), level, name, b.cast(), n as libc::socklen_t) }
    };
    let r = if vm.is_int(a[3]) {
        let n = fs::c_int(vm, a[3])?;
        put(std::ptr::from_ref(&n).cast(), 4)
    } else if a[3] == vm.none {
        if a[4].is_null() {
            return Err(vm.type_error(
                "socket option should be integer, bytes-like object or None with a length",
            ));
        }
        let n = crate::binascii::mask(vm, a[4])?;
        put(std::ptr::null(), n as usize)
    } else {
        let b = args::readable(vm, a[3])?;
        put(b.as_ptr(), b.len())
    };
    done(vm, r)
}

fn receive(vm: &mut Vm, a: &[Value], who: &str, address: bool) -> R<(Vec<u8>, Address)> {
    let n = args::ssize(vm, a[1])?;
    let flags = fs::c_int_or(vm, a[2], 0)?;
    if n < 0 {
        return Err(vm.value_error(&format!("negative buffersize in {who}")));
    }
    let mut b = vec![0; n as usize];
    let (got, from) = receive_to(vm, a[0], &mut b, flags, address)?;
    b.truncate(got);
    Ok((b, from))
}

fn receive_to(
    vm: &mut Vm,
    v: Value,
    b: &mut [u8],
    flags: i32,
    address: bool,
) -> R<(usize, Address)> {
    let mut from = Address::empty();
    let p = patience(vm, v);
    let n = call(vm, v, libc::POLLIN, p, |fd| {
        let (to, n) = (b.as_mut_ptr().cast(), b.len());
        // SAFETY: room for `n` bytes and an address.
        unsafe {
            if address {
                from = Address::empty();
                libc::recvfrom(fd, to, n, flags, from.mut_ptr(), &mut from.len)
            } else {
                libc::recv(fd, to, n, flags)
            }
        }
    })?;
    Ok((n, from))
}

fn receive_into(vm: &mut Vm, a: &[Value], who: &str, address: bool) -> R<(Value, Address)> {
    let room = args::writable(vm, a[1])?.len();
    let n = if a[2].is_null() {
        0
    } else {
        args::ssize(vm, a[2])?
    };
    let flags = fs::c_int_or(vm, a[3], 0)?;
    if n < 0 {
        return Err(vm.value_error(&format!("negative buffersize in {who}")));
    }
    let n = if n == 0 { room } else { n as usize };
    if n > room {
        return Err(vm.value_error(if address {
            "nbytes is greater than the length of the buffer"
        } else {
            "buffer too small for requested bytes"
        }));
    }
    let mut b = vec![0; n];
    let (got, from) = receive_to(vm, a[0], &mut b, flags, address)?;
    let to = args::writable(vm, a[1])?;
    let k = got.min(to.len());
    to[..k].copy_from_slice(&b[..k]);
    Ok((Value::int_unchecked(got as i64), from))
}

fn send(vm: &mut Vm, v: Value, b: &[u8], flags: i32, p: Option<Patience>) -> R<usize> {
    call(vm, v, libc::POLLOUT, p, |fd| {
        // SAFETY: the bytes live across the call.
        unsafe { libc::send(fd, b.as_ptr().cast(), b.len(), flags) }
    })
}

fn sendto(vm: &mut Vm, a: &[Value]) -> R {
    let rest = vm.tuple_items(a[2]);
    let (flags, to) = match rest {
        [to] => (0, *to),
        [flags, to] => (fs::c_int(vm, *flags)?, *to),
        _ => {
            let m = format!("sendto() takes 2 or 3 arguments ({} given)", rest.len() + 1);
            return Err(vm.type_error(&m));
        }
    };
    let b = args::readable(vm, a[1])?.to_vec();
    let to = addr::parse(vm, family(a[0]), to, "sendto")?;
    let p = patience(vm, a[0]);
    let n = call(vm, a[0], libc::POLLOUT, p, |fd| {
        // SAFETY: the bytes and the address live across the call.
        unsafe { libc::sendto(fd, b.as_ptr().cast(), b.len(), flags, to.ptr(), to.len) }
    })?;
    Ok(vm.new_int(n as i64))
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let doc =
        "Implementation module for socket operations.\n\nSee the socket module for documentation.";
    let m = module(vm, "_socket", doc, names::FUNCTIONS);
    let t: Gc<PyType> = vm.native_type(&TypeDef {
        module: "_socket",
        base_type: true,
        methods: METHODS,
        getset: FIELDS,
        ..TypeDef::of::<PySocket>("socket", Layout::Library)
    });
    vm.type_data(t).has_finalizer = true;
    // The library's subclass brings a slot for weak references of its own.
    vm.type_data(t).weakrefable = false;
    set(vm, m, "socket", t.value());
    set(vm, m, "SocketType", t.value());
    let os_error = vm.types.os_error.value();
    set(vm, m, "error", os_error);
    let e = vm.types.timeout_error.value();
    set(vm, m, "timeout", e);
    let e = crate::new_exception(vm, "socket", "gaierror", &[os_error]);
    vm.statics[slots::GAIERROR] = e;
    set(vm, m, "gaierror", e);
    let e = crate::new_exception(vm, "socket", "herror", &[os_error]);
    set(vm, m, "herror", e);
    let yes = vm.true_;
    set(vm, m, "has_ipv6", yes);
    for &(name, n) in consts::CONSTANTS {
        set(vm, m, name, Value::int_unchecked(n));
    }
    Ok(m)
}
