//! The `fcntl` module: control of descriptors, and locks on files.

use crate::select::{blocking, descriptor, interrupted};
use crate::{args, fs, module, set};
use pyrite_machine::Value;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::vm::{R, Vm};

const ANY: u8 = effects::ANY;
/// Longest structure that may be passed by copy.
const BUFFER: usize = 1024;

static FUNCTIONS: &[NativeDef] = &[
    def("fcntl", "(fd, cmd, arg=0, /)", ANY, |vm, a| {
        let fd = descriptor(vm, a[0])?;
        let cmd = fs::c_int(vm, a[1])?;
        if a[2].is_some() && !vm.is_int(a[2]) {
            let mut b = copied(vm, a[2], "fcntl")?;
            let n = repeat(vm, || {
                // SAFETY: the buffer is longer than any structure of the call.
                unsafe { libc::fcntl(fd, cmd, b.as_mut_ptr()) }
            });
            n?;
            let len = length(vm, a[2]);
            return Ok(vm.new_bytes(&b[..len]));
        }
        let arg = fs::c_int_or(vm, a[2], 0)?;
        // SAFETY: numbers only.
        let r = repeat(vm, || unsafe { libc::fcntl(fd, cmd, arg) })?;
        Ok(Value::small(r))
    })
    .doc("Perform the operation `cmd` on file descriptor fd."),
    def(
        "ioctl",
        "(fd, request, arg=0, mutate_flag=True, /)",
        ANY,
        ioctl,
    )
    .doc("Perform the operation request on file descriptor fd."),
    def("flock", "(fd, operation, /)", ANY, |vm, a| {
        let fd = descriptor(vm, a[0])?;
        let how = fs::c_int(vm, a[1])?;
        // SAFETY: numbers only.
        repeat(vm, || unsafe { libc::flock(fd, how) })?;
        Ok(vm.none)
    })
    .doc("Perform the lock operation `operation` on file descriptor `fd`."),
    def(
        "lockf",
        "(fd, cmd, len=0, start=0, whence=0, /)",
        ANY,
        lockf,
    )
    .doc("A wrapper around the fcntl() locking calls."),
];

/// A call that is made again after signals.
fn repeat(vm: &mut Vm, mut f: impl FnMut() -> i32) -> R<i32> {
    loop {
        match blocking(vm, &mut f) {
            (-1, e) => interrupted(vm, e)?,
            (r, _) => return Ok(r),
        }
    }
}

/// Bytes of a structure given as bytes or as a string.
fn length(vm: &mut Vm, v: Value) -> usize {
    match vm.as_str(v) {
        Some(s) => fs::encode(vm.text(s)).len(),
        None => vm.buffer(v).map_or(0, <[u8]>::len),
    }
}

fn copied(vm: &mut Vm, v: Value, who: &str) -> R<[u8; BUFFER]> {
    let b = match vm.as_str(v) {
        Some(s) => fs::encode(vm.text(s)),
        None => args::readable(vm, v)?.to_vec(),
    };
    if b.len() > BUFFER {
        return Err(vm.value_error(&format!("{who} string arg too long")));
    }
    let mut out = [0; BUFFER];
    out[..b.len()].copy_from_slice(&b);
    Ok(out)
}

fn ioctl(vm: &mut Vm, a: &[Value]) -> R {
    let fd = descriptor(vm, a[0])?;
    let request = u64::from(crate::binascii::mask(vm, a[1])?);
    if a[2].is_null() || vm.is_int(a[2]) {
        let arg = if a[2].is_null() {
            0
        } else {
            crate::binascii::mask(vm, a[2])? as i32
        };
        // SAFETY: numbers only.
        let r = unsafe { libc::ioctl(fd, request, arg) };
        if r < 0 {
            return Err(fs::last_error(vm, Value::NULL));
        }
        return Ok(Value::small(r));
    }
    let mut b = copied(vm, a[2], "ioctl")?;
    let len = length(vm, a[2]);
    let mutate = fs::flag(vm, a[3], true)?;
    // SAFETY: the buffer is longer than any structure that fits the argument.
    let r = unsafe { libc::ioctl(fd, request, b.as_mut_ptr()) };
    if r < 0 {
        return Err(fs::last_error(vm, Value::NULL));
    }
    if mutate && let Some(to) = vm.buffer_mut(a[2]) {
        let n = len.min(to.len());
        to[..n].copy_from_slice(&b[..n]);
        return Ok(Value::small(r));
    }
    Ok(vm.new_bytes(&b[..len]))
}

fn lockf(vm: &mut Vm, a: &[Value]) -> R {
    let fd = descriptor(vm, a[0])?;
    let code = fs::c_int(vm, a[1])?;
    let kind = if code & libc::LOCK_UN != 0 {
        libc::F_UNLCK
    } else if code & libc::LOCK_SH != 0 {
        libc::F_RDLCK
    } else if code & libc::LOCK_EX != 0 {
        libc::F_WRLCK
    } else {
        return Err(vm.value_error("unrecognized lockf argument"));
    };
    let offset = |vm: &mut Vm, v: Value| {
        if v.is_null() {
            Ok(0)
        } else {
            fs::c_long(vm, v)
        }
    };
    // SAFETY: plain numbers.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = kind as libc::c_short;
    lock.l_len = offset(vm, a[2])?;
    lock.l_start = offset(vm, a[3])?;
    lock.l_whence = fs::c_int_or(vm, a[4], 0)? as libc::c_short;
    let how = if code & libc::LOCK_NB != 0 {
        libc::F_SETLK
    } else {
        libc::F_SETLKW
    };
    // SAFETY: the structure lives across the call.
    repeat(vm, || unsafe { libc::fcntl(fd, how, &lock) })?;
    Ok(vm.none)
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let doc = "This module performs file control and I/O control on file\ndescriptors.";
    let m = module(vm, "fcntl", doc, FUNCTIONS);
    for (name, n) in [
        ("LOCK_SH", libc::LOCK_SH),
        ("LOCK_EX", libc::LOCK_EX),
        ("LOCK_NB", libc::LOCK_NB),
        ("LOCK_UN", libc::LOCK_UN),
        ("F_DUPFD", libc::F_DUPFD),
        ("F_DUPFD_CLOEXEC", libc::F_DUPFD_CLOEXEC),
        ("F_GETFD", libc::F_GETFD),
        ("F_SETFD", libc::F_SETFD),
        ("F_GETFL", libc::F_GETFL),
        ("F_SETFL", libc::F_SETFL),
        ("F_GETLK", libc::F_GETLK),
        ("F_SETLK", libc::F_SETLK),
        ("F_SETLKW", libc::F_SETLKW),
        ("F_OFD_GETLK", libc::F_OFD_GETLK),
        ("F_OFD_SETLK", libc::F_OFD_SETLK),
        ("F_OFD_SETLKW", libc::F_OFD_SETLKW),
        ("F_GETOWN", libc::F_GETOWN),
        ("F_SETOWN", libc::F_SETOWN),
        ("F_GETSIG", 11),
        ("F_SETSIG", 10),
        ("F_RDLCK", libc::F_RDLCK),
        ("F_WRLCK", libc::F_WRLCK),
        ("F_UNLCK", libc::F_UNLCK),
        ("F_EXLCK", 4),
        ("F_SHLCK", 8),
        ("F_GETLEASE", libc::F_GETLEASE),
        ("F_SETLEASE", libc::F_SETLEASE),
        ("F_NOTIFY", libc::F_NOTIFY),
        ("F_GETPIPE_SZ", libc::F_GETPIPE_SZ),
        ("F_SETPIPE_SZ", libc::F_SETPIPE_SZ),
        ("F_ADD_SEALS", libc::F_ADD_SEALS),
        ("F_GET_SEALS", libc::F_GET_SEALS),
        ("F_SEAL_SEAL", libc::F_SEAL_SEAL),
        ("F_SEAL_SHRINK", libc::F_SEAL_SHRINK),
        ("F_SEAL_GROW", libc::F_SEAL_GROW),
        ("F_SEAL_WRITE", libc::F_SEAL_WRITE),
        ("FD_CLOEXEC", libc::FD_CLOEXEC),
        ("FASYNC", libc::O_ASYNC),
        ("LOCK_MAND", 32),
        ("LOCK_READ", 64),
        ("LOCK_WRITE", 128),
        ("LOCK_RW", 192),
    ] {
        set(vm, m, name, Value::int_unchecked(n.into()));
    }
    Ok(m)
}
