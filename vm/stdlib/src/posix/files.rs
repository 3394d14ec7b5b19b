//! Files by name, and descriptors.

use super::{dir_fd, done, path_or_fd};
use crate::fs::{self, c_int, c_int_or, c_long, flag, plain_path};
use pyrite_machine::Value;
use pyrite_objects::vm::{R, Vm};

pub(super) fn open(vm: &mut Vm, a: &[Value]) -> R {
    let p = plain_path(vm, a[0], "open")?;
    let flags = c_int(vm, a[1])?;
    let mode = c_int_or(vm, a[2], 0o777)?;
    let dir = dir_fd(vm, a[3])?;
    // SAFETY: the name is a C string that lives through the call.
    let r = fs::retry(vm, || unsafe {
        libc::openat(dir, p.ptr(), flags | libc::O_CLOEXEC, mode as libc::c_uint) as isize
    })?;
    match r {
        Ok(fd) => Ok(Value::small(fd as i32)),
        Err(e) => Err(fs::os_error(vm, e, p.shown, Value::NULL)),
    }
}

pub(super) fn access(vm: &mut Vm, a: &[Value]) -> R {
    let p = plain_path(vm, a[0], "access")?;
    let mode = c_int(vm, a[1])?;
    let dir = dir_fd(vm, a[2])?;
    let mut flags = 0;
    if flag(vm, a[3], false)? {
        flags |= libc::AT_EACCESS;
    }
    if !flag(vm, a[4], true)? {
        flags |= libc::AT_SYMLINK_NOFOLLOW;
    }
    // SAFETY: as in `open`.
    Ok(vm.bool(unsafe { libc::faccessat(dir, p.ptr(), mode, flags) } == 0))
}

pub(super) fn unlink(vm: &mut Vm, a: &[Value], function: &'static str) -> R {
    let p = plain_path(vm, a[0], function)?;
    let dir = dir_fd(vm, a[1])?;
    // SAFETY: as in `open`.
    let r = unsafe { libc::unlinkat(dir, p.ptr(), 0) };
    done(vm, r, p.shown)
}

pub(super) fn rename(vm: &mut Vm, a: &[Value], function: &'static str) -> R {
    let from = fs::path(
        vm,
        a[0],
        fs::Accept {
            function,
            argument: "src",
            fd: false,
            none: false,
        },
    )?;
    let to = fs::path(
        vm,
        a[1],
        fs::Accept {
            function,
            argument: "dst",
            fd: false,
            none: false,
        },
    )?;
    let (d1, d2) = (dir_fd(vm, a[2])?, dir_fd(vm, a[3])?);
    // SAFETY: as in `open`.
    if unsafe { libc::renameat(d1, from.ptr(), d2, to.ptr()) } == 0 {
        return Ok(vm.none);
    }
    let e = fs::last_errno();
    Err(fs::os_error(vm, e, from.shown, to.shown))
}

pub(super) fn link(vm: &mut Vm, a: &[Value]) -> R {
    let from = plain_path(vm, a[0], "link")?;
    let to = plain_path(vm, a[1], "link")?;
    let (d1, d2) = (dir_fd(vm, a[2])?, dir_fd(vm, a[3])?);
    let flags = if flag(vm, a[4], true)? {
        libc::AT_SYMLINK_FOLLOW
    } else {
        0
    };
    // SAFETY: as in `open`.
    if unsafe { libc::linkat(d1, from.ptr(), d2, to.ptr(), flags) } == 0 {
        return Ok(vm.none);
    }
    let e = fs::last_errno();
    Err(fs::os_error(vm, e, from.shown, to.shown))
}

pub(super) fn symlink(vm: &mut Vm, a: &[Value]) -> R {
    let from = plain_path(vm, a[0], "symlink")?;
    let to = plain_path(vm, a[1], "symlink")?;
    let dir = dir_fd(vm, a[3])?;
    // SAFETY: as in `open`.
    if unsafe { libc::symlinkat(from.ptr(), dir, to.ptr()) } == 0 {
        return Ok(vm.none);
    }
    let e = fs::last_errno();
    Err(fs::os_error(vm, e, from.shown, to.shown))
}

pub(super) fn readlink(vm: &mut Vm, a: &[Value]) -> R {
    let p = plain_path(vm, a[0], "readlink")?;
    let dir = dir_fd(vm, a[1])?;
    let mut buf = [0u8; 4097];
    // SAFETY: the buffer is as long as said.
    let n = unsafe { libc::readlinkat(dir, p.ptr(), buf.as_mut_ptr().cast(), buf.len()) };
    if n < 0 {
        return Err(fs::last_error(vm, p.shown));
    }
    let name = &buf[..n as usize];
    Ok(if p.bytes {
        vm.new_bytes(name)
    } else {
        fs::decode(vm, name)
    })
}

pub(super) fn chmod(vm: &mut Vm, a: &[Value]) -> R {
    let p = path_or_fd(vm, a[0], "chmod")?;
    let mode = c_int(vm, a[1])? as libc::mode_t;
    let dir = dir_fd(vm, a[2])?;
    let flags = if flag(vm, a[3], true)? {
        0
    } else {
        libc::AT_SYMLINK_NOFOLLOW
    };
    // SAFETY: as in `open`.
    let r = unsafe {
        match p.fd {
            Some(fd) => libc::fchmod(fd, mode),
            None => libc::fchmodat(dir, p.ptr(), mode, flags),
        }
    };
    done(vm, r, p.shown)
}

pub(super) fn fchmod(vm: &mut Vm, a: &[Value]) -> R {
    let fd = c_int(vm, a[0])?;
    let mode = c_int(vm, a[1])? as libc::mode_t;
    // SAFETY: plain numbers.
    let r = unsafe { libc::fchmod(fd, mode) };
    done(vm, r, Value::NULL)
}

fn chown_at(vm: &mut Vm, a: &[Value], dir: Value, follow: bool) -> R {
    let p = path_or_fd(vm, a[0], "chown")?;
    let (uid, gid) = (c_long(vm, a[1])? as u32, c_long(vm, a[2])? as u32);
    let dir = dir_fd(vm, dir)?;
    let flags = if follow { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    // SAFETY: as in `open`.
    let r = unsafe {
        match p.fd {
            Some(fd) => libc::fchown(fd, uid, gid),
            None => libc::fchownat(dir, p.ptr(), uid, gid, flags),
        }
    };
    done(vm, r, p.shown)
}

pub(super) fn chown(vm: &mut Vm, a: &[Value]) -> R {
    let follow = flag(vm, a[4], true)?;
    chown_at(vm, a, a[3], follow)
}

pub(super) fn lchown(vm: &mut Vm, a: &[Value]) -> R {
    chown_at(vm, a, Value::NULL, false)
}

fn seconds(vm: &mut Vm, v: Value) -> R<libc::timespec> {
    if let Some(f) = vm.as_float(v) {
        let s = f.floor();
        return Ok(libc::timespec {
            tv_sec: s as i64,
            tv_nsec: ((f - s) * 1e9) as i64,
        });
    }
    Ok(libc::timespec {
        tv_sec: c_long(vm, v)?,
        tv_nsec: 0,
    })
}

pub(super) fn utime(vm: &mut Vm, a: &[Value]) -> R {
    let p = path_or_fd(vm, a[0], "utime")?;
    let none = vm.none;
    let (times, ns) = (a[1], a[2]);
    if times.is_some() && times != none && ns.is_some() && ns != none {
        return Err(vm.value_error("utime: you may specify either 'times' or 'ns' but not both"));
    }
    let pair = |vm: &mut Vm, v: Value, what: &str| -> R<(Value, Value)> {
        match vm.as_tuple(v) {
            Some(t) if vm.tuple_len(t) == 2 => Ok((vm.tuple_get(t, 0), vm.tuple_get(t, 1))),
            _ => Err(vm.type_error(&format!(
                "utime: '{what}' must be {}",
                if what == "ns" {
                    "a tuple of two ints"
                } else {
                    "either a tuple of two ints or None"
                }
            ))),
        }
    };
    let mut spec = [libc::timespec {
        tv_sec: 0,
        tv_nsec: libc::UTIME_NOW,
    }; 2];
    if times.is_some() && times != none {
        let (x, y) = pair(vm, times, "times")?;
        spec = [seconds(vm, x)?, seconds(vm, y)?];
    } else if ns.is_some() && ns != none {
        let (x, y) = pair(vm, ns, "ns")?;
        for (s, v) in spec.iter_mut().zip([x, y]) {
            let n = c_long(vm, v)?;
            *s = libc::timespec {
                tv_sec: n.div_euclid(1_000_000_000),
                tv_nsec: n.rem_euclid(1_000_000_000),
            };
        }
    }
    let dir = dir_fd(vm, a[3])?;
    let flags = if flag(vm, a[4], true)? {
        0
    } else {
        libc::AT_SYMLINK_NOFOLLOW
    };
    // SAFETY: two time structures, as the calls want.
    let r = unsafe {
        match p.fd {
            Some(fd) => libc::futimens(fd, spec.as_ptr()),
            None => libc::utimensat(dir, p.ptr(), spec.as_ptr(), flags),
        }
    };
    done(vm, r, p.shown)
}

pub(super) fn truncate(vm: &mut Vm, a: &[Value]) -> R {
    let p = path_or_fd(vm, a[0], "truncate")?;
    let n = c_long(vm, a[1])?;
    // SAFETY: as in `open`.
    let r = unsafe {
        match p.fd {
            Some(fd) => libc::ftruncate(fd, n),
            None => libc::truncate(p.ptr(), n),
        }
    };
    done(vm, r, p.shown)
}

pub(super) fn mkfifo(vm: &mut Vm, a: &[Value]) -> R {
    let p = plain_path(vm, a[0], "mkfifo")?;
    let mode = c_int_or(vm, a[1], 0o666)? as libc::mode_t;
    let dir = dir_fd(vm, a[2])?;
    // SAFETY: as in `open`.
    let r = unsafe { libc::mkfifoat(dir, p.ptr(), mode) };
    done(vm, r, Value::NULL)
}

/// A length argument.
fn length(vm: &mut Vm, v: Value) -> R<usize> {
    let n = c_long(vm, v)?;
    match usize::try_from(n) {
        Ok(n) => Ok(n.min(0x7FFF_F000)),
        Err(_) => Err(fs::os_error(vm, libc::EINVAL, Value::NULL, Value::NULL)),
    }
}

pub(super) fn read(vm: &mut Vm, a: &[Value]) -> R {
    let fd = c_int(vm, a[0])?;
    let mut buf = vec![0u8; length(vm, a[1])?];
    // SAFETY: the buffer is as long as said.
    match fs::retry(vm, || unsafe {
        libc::read(fd, buf.as_mut_ptr().cast(), buf.len())
    })? {
        Ok(n) => Ok(vm.new_bytes(&buf[..n])),
        Err(e) => Err(fs::os_error(vm, e, Value::NULL, Value::NULL)),
    }
}

pub(super) fn pread(vm: &mut Vm, a: &[Value]) -> R {
    let fd = c_int(vm, a[0])?;
    let mut buf = vec![0u8; length(vm, a[1])?];
    let at = c_long(vm, a[2])?;
    // SAFETY: the buffer is as long as said.
    match fs::retry(vm, || unsafe {
        libc::pread(fd, buf.as_mut_ptr().cast(), buf.len(), at)
    })? {
        Ok(n) => Ok(vm.new_bytes(&buf[..n])),
        Err(e) => Err(fs::os_error(vm, e, Value::NULL, Value::NULL)),
    }
}

pub(super) fn write(vm: &mut Vm, a: &[Value]) -> R {
    let fd = c_int(vm, a[0])?;
    let b = crate::args::readable(vm, a[1])?;
    // SAFETY: the slice is live.
    match fs::retry(vm, || unsafe {
        libc::write(fd, b.as_ptr().cast(), b.len())
    })? {
        Ok(n) => Ok(Value::int_unchecked(n as i64)),
        Err(e) => Err(fs::os_error(vm, e, Value::NULL, Value::NULL)),
    }
}

pub(super) fn pwrite(vm: &mut Vm, a: &[Value]) -> R {
    let fd = c_int(vm, a[0])?;
    let b = crate::args::readable(vm, a[1])?;
    let at = c_long(vm, a[2])?;
    // SAFETY: the slice is live.
    match fs::retry(vm, || unsafe {
        libc::pwrite(fd, b.as_ptr().cast(), b.len(), at)
    })? {
        Ok(n) => Ok(Value::int_unchecked(n as i64)),
        Err(e) => Err(fs::os_error(vm, e, Value::NULL, Value::NULL)),
    }
}

pub(super) fn close(vm: &mut Vm, a: &[Value]) -> R {
    let fd = c_int(vm, a[0])?;
    // SAFETY: the program owns its descriptors.
    let r = unsafe { libc::close(fd) };
    done(vm, r, Value::NULL)
}

pub(super) fn closerange(vm: &mut Vm, a: &[Value]) -> R {
    let (low, high) = (c_int(vm, a[0])?, c_int(vm, a[1])?);
    for fd in low.max(0)..high {
        // SAFETY: as in `close`.
        unsafe { libc::close(fd) };
    }
    Ok(vm.none)
}

pub(super) fn lseek(vm: &mut Vm, a: &[Value]) -> R {
    let (fd, at, whence) = (c_int(vm, a[0])?, c_long(vm, a[1])?, c_int(vm, a[2])?);
    // SAFETY: plain numbers.
    let n = unsafe { libc::lseek(fd, at, whence) };
    if n < 0 {
        return Err(fs::last_error(vm, Value::NULL));
    }
    Ok(vm.new_int(n))
}

fn new_fd(vm: &mut Vm, r: i32) -> R {
    if r < 0 {
        Err(fs::last_error(vm, Value::NULL))
    } else {
        Ok(Value::small(r))
    }
}

pub(super) fn dup(vm: &mut Vm, a: &[Value]) -> R {
    let fd = c_int(vm, a[0])?;
    // SAFETY: plain numbers.
    let r = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) };
    new_fd(vm, r)
}

pub(super) fn dup2(vm: &mut Vm, a: &[Value]) -> R {
    let (fd, fd2) = (c_int(vm, a[0])?, c_int(vm, a[1])?);
    let inherit = flag(vm, a[2], true)?;
    // SAFETY: plain numbers.
    let r = unsafe {
        if inherit || fd == fd2 {
            libc::dup2(fd, fd2)
        } else {
            libc::dup3(fd, fd2, libc::O_CLOEXEC)
        }
    };
    new_fd(vm, r)
}

pub(super) fn pipe(vm: &mut Vm, flags: i32) -> R {
    let mut fds = [0; 2];
    // SAFETY: writes two numbers.
    if unsafe { libc::pipe2(fds.as_mut_ptr(), flags) } != 0 {
        return Err(fs::last_error(vm, Value::NULL));
    }
    Ok(vm.new_tuple(&[Value::small(fds[0]), Value::small(fds[1])]))
}

pub(super) fn ftruncate(vm: &mut Vm, a: &[Value]) -> R {
    let (fd, n) = (c_int(vm, a[0])?, c_long(vm, a[1])?);
    // SAFETY: plain numbers.
    let r = unsafe { libc::ftruncate(fd, n) };
    done(vm, r, Value::NULL)
}

pub(super) fn fsync(vm: &mut Vm, a: &[Value]) -> R {
    let fd = fs::descriptor(vm, a[0])?;
    // SAFETY: plain numbers.
    let r = unsafe { libc::fsync(fd) };
    done(vm, r, Value::NULL)
}

fn fcntl(vm: &mut Vm, fd: i32, get: i32) -> R<i32> {
    // SAFETY: plain numbers.
    match unsafe { libc::fcntl(fd, get) } {
        -1 => Err(fs::last_error(vm, Value::NULL)),
        n => Ok(n),
    }
}

fn set_fcntl(vm: &mut Vm, fd: i32, set: i32, n: i32) -> R {
    // SAFETY: plain numbers.
    let r = unsafe { libc::fcntl(fd, set, n) };
    done(vm, r, Value::NULL)
}

pub(super) fn get_inheritable(vm: &mut Vm, a: &[Value]) -> R {
    let fd = c_int(vm, a[0])?;
    let n = fcntl(vm, fd, libc::F_GETFD)?;
    Ok(vm.bool(n & libc::FD_CLOEXEC == 0))
}

pub(super) fn set_inheritable(vm: &mut Vm, a: &[Value]) -> R {
    let fd = c_int(vm, a[0])?;
    let on = vm.truth(a[1])?;
    let n = fcntl(vm, fd, libc::F_GETFD)?;
    let n = if on {
        n & !libc::FD_CLOEXEC
    } else {
        n | libc::FD_CLOEXEC
    };
    set_fcntl(vm, fd, libc::F_SETFD, n)
}

pub(super) fn get_blocking(vm: &mut Vm, a: &[Value]) -> R {
    let fd = c_int(vm, a[0])?;
    let n = fcntl(vm, fd, libc::F_GETFL)?;
    Ok(vm.bool(n & libc::O_NONBLOCK == 0))
}

pub(super) fn set_blocking(vm: &mut Vm, a: &[Value]) -> R {
    let fd = c_int(vm, a[0])?;
    let on = vm.truth(a[1])?;
    let n = fcntl(vm, fd, libc::F_GETFL)?;
    let n = if on {
        n & !libc::O_NONBLOCK
    } else {
        n | libc::O_NONBLOCK
    };
    set_fcntl(vm, fd, libc::F_SETFL, n)
}

pub(super) fn device_encoding(vm: &mut Vm, a: &[Value]) -> R {
    let fd = c_int(vm, a[0])?;
    // SAFETY: asks about a number.
    if unsafe { libc::isatty(fd) } == 1 {
        Ok(vm.new_str("UTF-8"))
    } else {
        Ok(vm.none)
    }
}
