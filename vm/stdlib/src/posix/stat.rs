//! What is known about a file.

use super::{dir_fd, path_or_fd};
use crate::fs::{self, flag, plain_path};
use crate::{set, slots, structseq};
use pyrite_machine::Value;
use pyrite_objects::layout::Gc;
use pyrite_objects::vm::{R, Vm};

/// A `stat_result`.
pub(super) fn result(vm: &mut Vm, s: &libc::stat) -> Value {
    let times = [
        (s.st_atime, s.st_atime_nsec),
        (s.st_mtime, s.st_mtime_nsec),
        (s.st_ctime, s.st_ctime_nsec),
    ];
    let mut items = [Value::NULL; 10];
    for (slot, n) in items.iter_mut().zip([
        u64::from(s.st_mode),
        s.st_ino,
        s.st_dev,
        s.st_nlink,
        u64::from(s.st_uid),
        u64::from(s.st_gid),
        s.st_size as u64,
    ]) {
        *slot = vm.new_uint(n);
    }
    for (slot, t) in items[7..].iter_mut().zip(times) {
        *slot = vm.new_int(t.0);
    }
    let class = Gc::from_value(vm.statics[slots::STAT_RESULT]);
    let v = structseq::new(vm, class, &items);
    for (name, t) in ["st_atime", "st_mtime", "st_ctime"].into_iter().zip(times) {
        let key = vm.intern(name);
        vm.instance_set(v, key, Value::float(t.0 as f64 + t.1 as f64 * 1e-9));
    }
    for (name, t) in ["st_atime_ns", "st_mtime_ns", "st_ctime_ns"].into_iter().zip(times) {
        let key = vm.intern(name);
        let n = vm.new_int(t.0 * 1_000_000_000 + t.1);
        vm.instance_set(v, key, n);
    }
    for (name, n) in [
        ("st_blksize", s.st_blksize),
        ("st_blocks", s.st_blocks),
        ("st_rdev", s.st_rdev as i64),
    ] {
        let key = vm.intern(name);
        let n = vm.new_int(n);
        vm.instance_set(v, key, n);
    }
    v
}

/// The system's structure for a name.
pub(super) fn raw(dir: i32, p: &fs::Path, follow: bool) -> Result<libc::stat, i32> {
    // SAFETY: all zeros are a valid structure, which the call fills; the name is a
    // C string.
    unsafe {
        let mut s: libc::stat = std::mem::zeroed();
        let r = match p.fd {
            Some(fd) => libc::fstat(fd, &mut s),
            None => {
                let flags = if follow { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
                libc::fstatat(dir, p.ptr(), &mut s, flags)
            }
        };
        if r == 0 { Ok(s) } else { Err(fs::last_errno()) }
    }
}

pub(super) fn stat(vm: &mut Vm, a: &[Value]) -> R {
    let p = path_or_fd(vm, a[0], "stat")?;
    let dir = dir_fd(vm, a[1])?;
    let follow = flag(vm, a[2], true)?;
    if p.fd.is_some() && dir != libc::AT_FDCWD {
        return Err(vm.value_error("stat: can't specify dir_fd without matching path"));
    }
    if p.fd.is_some() && !follow {
        return Err(vm.value_error("stat: cannot use fd and follow_symlinks together"));
    }
    match raw(dir, &p, follow) {
        Ok(s) => Ok(result(vm, &s)),
        Err(e) => Err(fs::os_error(vm, e, p.shown, Value::NULL)),
    }
}

pub(super) fn lstat(vm: &mut Vm, a: &[Value]) -> R {
    let p = plain_path(vm, a[0], "lstat")?;
    let dir = dir_fd(vm, a[1])?;
    match raw(dir, &p, false) {
        Ok(s) => Ok(result(vm, &s)),
        Err(e) => Err(fs::os_error(vm, e, p.shown, Value::NULL)),
    }
}

pub(super) fn fstat(vm: &mut Vm, a: &[Value]) -> R {
    let fd = fs::c_int(vm, a[0])?;
    let p = fs::Path { name: c"".into(), shown: Value::NULL, bytes: false, fd: Some(fd) };
    match raw(libc::AT_FDCWD, &p, true) {
        Ok(s) => Ok(result(vm, &s)),
        Err(e) => Err(fs::os_error(vm, e, Value::NULL, Value::NULL)),
    }
}

pub(super) fn statvfs(vm: &mut Vm, a: &[Value]) -> R {
    let p = path_or_fd(vm, a[0], "statvfs")?;
    // SAFETY: as in `raw`.
    let (r, s) = unsafe {
        let mut s: libc::statvfs = std::mem::zeroed();
        let r = match p.fd {
            Some(fd) => libc::fstatvfs(fd, &mut s),
            None => libc::statvfs(p.ptr(), &mut s),
        };
        (r, s)
    };
    if r != 0 {
        return Err(fs::last_error(vm, p.shown));
    }
    let mut items = [Value::NULL; 10];
    for (slot, n) in items.iter_mut().zip([
        s.f_bsize, s.f_frsize, s.f_blocks, s.f_bfree, s.f_bavail, s.f_files, s.f_ffree, s.f_favail, s.f_flag,
        s.f_namemax,
    ]) {
        *slot = vm.new_uint(n);
    }
    let class = Gc::from_value(vm.statics[slots::STATVFS_RESULT]);
    let v = structseq::new(vm, class, &items);
    let key = vm.intern("f_fsid");
    let id = vm.new_uint(s.f_fsid);
    vm.instance_set(v, key, id);
    Ok(v)
}

/// Makes the result classes.
pub(super) fn classes(vm: &mut Vm, m: Value) {
    let c = structseq::new_class(
        vm,
        "os",
        "stat_result",
        &["st_mode", "st_ino", "st_dev", "st_nlink", "st_uid", "st_gid", "st_size", "", "", ""],
        &[
            "st_atime", "st_mtime", "st_ctime", "st_atime_ns", "st_mtime_ns", "st_ctime_ns", "st_blksize",
            "st_blocks", "st_rdev",
        ],
        true,
    );
    vm.statics[slots::STAT_RESULT] = c.value();
    set(vm, m, "stat_result", c.value());
    let c = structseq::new_class(
        vm,
        "os",
        "statvfs_result",
        &[
            "f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree", "f_favail", "f_flag",
            "f_namemax",
        ],
        &["f_fsid"],
        true,
    );
    vm.statics[slots::STATVFS_RESULT] = c.value();
    set(vm, m, "statvfs_result", c.value());
}
