//! The `posix` module: the system's calls, as `os` presents them.
//!
//! Calls that take names go through the `*at` forms, so that `dir_fd` works
//! everywhere; a failing call raises OSError with the name as it was given.

mod children;
mod consts;
mod dirs;
mod files;
mod more;
mod process;
mod stat;

pub use children::fork;

use crate::fs::{self, Accept, Path};
use crate::{module, set};
use pyrite_machine::Value;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::vm::{R, Vm};

const ANY: u8 = effects::ANY;

static FUNCTIONS: &[NativeDef] = &[
    // Files by name.
    def(
        "open",
        "(path, flags, mode=511, *, dir_fd=None)",
        ANY,
        files::open,
    ),
    def(
        "stat",
        "(path, *, dir_fd=None, follow_symlinks=True)",
        ANY,
        stat::stat,
    ),
    def("lstat", "(path, *, dir_fd=None)", ANY, stat::lstat),
    def(
        "access",
        "(path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True)",
        ANY,
        files::access,
    ),
    def("unlink", "(path, *, dir_fd=None)", ANY, |vm, a| {
        files::unlink(vm, a, "unlink")
    }),
    def("remove", "(path, *, dir_fd=None)", ANY, |vm, a| {
        files::unlink(vm, a, "remove")
    }),
    def(
        "rename",
        "(src, dst, *, src_dir_fd=None, dst_dir_fd=None)",
        ANY,
        |vm, a| files::rename(vm, a, "rename"),
    ),
    def(
        "replace",
        "(src, dst, *, src_dir_fd=None, dst_dir_fd=None)",
        ANY,
        |vm, a| files::rename(vm, a, "replace"),
    ),
    def(
        "link",
        "(src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=True)",
        ANY,
        files::link,
    ),
    def(
        "symlink",
        "(src, dst, target_is_directory=False, *, dir_fd=None)",
        ANY,
        files::symlink,
    ),
    def("readlink", "(path, *, dir_fd=None)", ANY, files::readlink),
    def(
        "chmod",
        "(path, mode, *, dir_fd=None, follow_symlinks=True)",
        ANY,
        files::chmod,
    ),
    def(
        "chown",
        "(path, uid, gid, *, dir_fd=None, follow_symlinks=True)",
        ANY,
        files::chown,
    ),
    def("lchown", "(path, uid, gid)", ANY, files::lchown),
    def(
        "utime",
        "(path, times=None, *, ns=None, dir_fd=None, follow_symlinks=True)",
        ANY,
        files::utime,
    ),
    def("truncate", "(path, length)", ANY, files::truncate),
    def(
        "mkfifo",
        "(path, mode=438, *, dir_fd=None)",
        ANY,
        files::mkfifo,
    ),
    def("statvfs", "(path)", ANY, stat::statvfs),
    // Folders.
    def(
        "mkdir",
        "(path, mode=511, *, dir_fd=None)",
        ANY,
        dirs::mkdir,
    ),
    def("rmdir", "(path, *, dir_fd=None)", ANY, dirs::rmdir),
    def("listdir", "(path=None)", ANY, dirs::listdir),
    def("scandir", "(path=None)", ANY, dirs::scandir),
    def("getcwd", "()", ANY, |vm, _| dirs::getcwd(vm, false)),
    def("getcwdb", "()", ANY, |vm, _| dirs::getcwd(vm, true)),
    def("chdir", "(path)", ANY, dirs::chdir),
    def("fchdir", "(fd)", ANY, dirs::fchdir),
    def("fspath", "(path)", ANY, |vm, a| fs::fspath(vm, a[0])),
    def("_path_normpath", "(path)", ANY, dirs::normpath),
    // Descriptors.
    def("read", "(fd, length, /)", ANY, files::read),
    def("write", "(fd, data, /)", ANY, files::write),
    def("pread", "(fd, length, offset, /)", ANY, files::pread),
    def("pwrite", "(fd, buffer, offset, /)", ANY, files::pwrite),
    def("close", "(fd)", ANY, files::close),
    def("closerange", "(fd_low, fd_high, /)", ANY, files::closerange),
    def("lseek", "(fd, position, whence, /)", ANY, files::lseek),
    def("fstat", "(fd)", ANY, stat::fstat),
    def("dup", "(fd, /)", ANY, files::dup),
    def("dup2", "(fd, fd2, inheritable=True)", ANY, files::dup2),
    def("pipe", "()", ANY, |vm, _| files::pipe(vm, libc::O_CLOEXEC)),
    def("pipe2", "(flags, /)", ANY, |vm, a| {
        let f = fs::c_int(vm, a[0])?;
        files::pipe(vm, f)
    }),
    def("isatty", "(fd, /)", ANY, |vm, a| {
        let fd = fs::c_int(vm, a[0])?;
        // SAFETY: asks about a number.
        Ok(vm.bool(unsafe { libc::isatty(fd) } == 1))
    }),
    def("ftruncate", "(fd, length, /)", ANY, files::ftruncate),
    def("fsync", "(fd)", ANY, files::fsync),
    def("fdatasync", "(fd)", ANY, files::fsync),
    def("get_inheritable", "(fd, /)", ANY, files::get_inheritable),
    def(
        "set_inheritable",
        "(fd, inheritable, /)",
        ANY,
        files::set_inheritable,
    ),
    def("get_blocking", "(fd, /)", ANY, files::get_blocking),
    def(
        "set_blocking",
        "(fd, blocking, /)",
        ANY,
        files::set_blocking,
    ),
    def("fchmod", "(fd, mode)", ANY, files::fchmod),
    def("device_encoding", "(fd)", ANY, files::device_encoding),
    def(
        "get_terminal_size",
        "(fd=1, /)",
        ANY,
        process::terminal_size,
    ),
    // The process and the system.
    def("getpid", "()", ANY, |_, _| {
        Ok(Value::small(own_id(libc::getpid)))
    }),
    def("getppid", "()", ANY, |_, _| {
        Ok(Value::small(own_id(libc::getppid)))
    }),
    def("getuid", "()", ANY, |_, _| {
        Ok(Value::int_unchecked(own_uid(libc::getuid)))
    }),
    def("geteuid", "()", ANY, |_, _| {
        Ok(Value::int_unchecked(own_uid(libc::geteuid)))
    }),
    def("getgid", "()", ANY, |_, _| {
        Ok(Value::int_unchecked(own_uid(libc::getgid)))
    }),
    def("getegid", "()", ANY, |_, _| {
        Ok(Value::int_unchecked(own_uid(libc::getegid)))
    }),
    def("getpgrp", "()", ANY, |_, _| {
        Ok(Value::small(own_id(libc::getpgrp)))
    }),
    def("kill", "(pid, signal, /)", ANY, process::kill),
    def("umask", "(mask, /)", ANY, process::umask),
    def("urandom", "(size, /)", ANY, process::urandom),
    def("cpu_count", "()", ANY, process::cpu_count),
    def("sched_getaffinity", "(pid, /)", ANY, process::affinity),
    def("sched_yield", "()", ANY, |vm, _| {
        std::thread::yield_now();
        Ok(vm.none)
    }),
    def("uname", "()", ANY, process::uname),
    def("times", "()", ANY, process::times),
    def("getloadavg", "()", ANY, process::loadavg),
    def("sysconf", "(name, /)", ANY, process::sysconf),
    def("strerror", "(code, /)", ANY, |vm, a| {
        let n = fs::c_int(vm, a[0])?;
        let s = fs::strerror(n);
        Ok(vm.new_str(&s))
    }),
    def("putenv", "(name, value, /)", ANY, process::putenv),
    def("unsetenv", "(name, /)", ANY, process::unsetenv),
    def("system", "(command)", ANY, process::system),
    def("waitpid", "(pid, options, /)", ANY, process::waitpid),
    def("wait", "()", ANY, children::wait),
    def("wait3", "(options)", ANY, |vm, a| {
        let o = fs::c_int(vm, a[0])?;
        children::wait4(vm, -1, o)
    }),
    def("wait4", "(pid, options)", ANY, |vm, a| {
        let (p, o) = (fs::c_int(vm, a[0])?, fs::c_int(vm, a[1])?);
        children::wait4(vm, p, o)
    }),
    def("waitid", "(idtype, id, options, /)", ANY, children::waitid),
    def("fork", "()", ANY, children::fork_call),
    def("execv", "(path, argv, /)", ANY, children::execv),
    def("execve", "(path, argv, env)", ANY, children::execve),
    def(
        "posix_spawn",
        "(path, argv, env, /, *, file_actions=(), setpgroup=None, resetids=False, setsid=False, setsigmask=(), setsigdef=(), scheduler=None)",
        ANY,
        |vm, a| children::spawn(vm, a, false),
    ),
    def(
        "posix_spawnp",
        "(path, argv, env, /, *, file_actions=(), setpgroup=None, resetids=False, setsid=False, setsigmask=(), setsigdef=(), scheduler=None)",
        ANY,
        |vm, a| children::spawn(vm, a, true),
    ),
    def("pidfd_open", "(pid, flags=0)", ANY, children::pidfd_open),
    def("killpg", "(pgid, signal, /)", ANY, |vm, a| {
        children::two(vm, a, libc::killpg)
    }),
    def("setpgid", "(pid, pgrp, /)", ANY, |vm, a| {
        children::two(vm, a, libc::setpgid)
    }),
    def("getpgid", "(pid)", ANY, |vm, a| {
        children::one(vm, a[0], libc::getpgid)
    }),
    def("getsid", "(pid, /)", ANY, |vm, a| {
        children::one(vm, a[0], libc::getsid)
    }),
    def("setsid", "()", ANY, |vm, _| {
        // SAFETY: no preconditions.
        let r = unsafe { libc::setsid() };
        done(vm, r.min(0), Value::NULL)
    }),
    def("nice", "(increment, /)", ANY, children::nice),
    def("getpriority", "(which, who)", ANY, children::getpriority),
    def(
        "setpriority",
        "(which, who, priority)",
        ANY,
        children::setpriority,
    ),
    def("WIFCONTINUED", "(status)", ANY, |vm, a| {
        status(vm, a, libc::WIFCONTINUED)
    }),
    def("_exit", "(status)", ANY, |vm, a| {
        let n = fs::c_int(vm, a[0])?;
        // SAFETY: ends the process at once, which is what is asked for.
        unsafe { libc::_exit(n) }
    }),
    def("abort", "()", ANY, |_, _| std::process::abort()),
    def("WIFEXITED", "(status)", ANY, |vm, a| {
        status(vm, a, libc::WIFEXITED)
    }),
    def("WEXITSTATUS", "(status)", ANY, |vm, a| {
        Ok(Value::small(libc::WEXITSTATUS(fs::c_int(vm, a[0])?)))
    }),
    def("WIFSIGNALED", "(status)", ANY, |vm, a| {
        status(vm, a, libc::WIFSIGNALED)
    }),
    def("WTERMSIG", "(status)", ANY, |vm, a| {
        Ok(Value::small(libc::WTERMSIG(fs::c_int(vm, a[0])?)))
    }),
    def("WIFSTOPPED", "(status)", ANY, |vm, a| {
        status(vm, a, libc::WIFSTOPPED)
    }),
    def("WSTOPSIG", "(status)", ANY, |vm, a| {
        Ok(Value::small(libc::WSTOPSIG(fs::c_int(vm, a[0])?)))
    }),
    def("WCOREDUMP", "(status, /)", ANY, |vm, a| {
        status(vm, a, libc::WCOREDUMP)
    }),
    def(
        "waitstatus_to_exitcode",
        "(status)",
        ANY,
        process::exit_code,
    ),
    def(
        "register_at_fork",
        "(*, before=None, after_in_child=None, after_in_parent=None)",
        ANY,
        children::register_at_fork,
    ),
];

fn status(vm: &mut Vm, a: &[Value], test: extern "C" fn(i32) -> bool) -> R {
    let s = fs::c_int(vm, a[0])?;
    Ok(vm.bool(test(s)))
}

fn own_id(f: unsafe extern "C" fn() -> libc::pid_t) -> i32 {
    // SAFETY: the identity calls have no preconditions.
    unsafe { f() }
}

fn own_uid(f: unsafe extern "C" fn() -> u32) -> i64 {
    // SAFETY: the identity calls have no preconditions.
    i64::from(unsafe { f() })
}

/// The folder a name is relative to.
pub(crate) fn dir_fd(vm: &mut Vm, v: Value) -> R<i32> {
    if v.is_null() || v == vm.none {
        return Ok(libc::AT_FDCWD);
    }
    if !vm.is_int(v) {
        let m = format!(
            "argument should be integer or None, not {}",
            vm.class_name(v)
        );
        return Err(vm.type_error(&m));
    }
    fs::c_int(vm, v)
}

/// A path that may be a descriptor instead.
pub(crate) fn path_or_fd(vm: &mut Vm, v: Value, function: &'static str) -> R<Path> {
    fs::path(
        vm,
        v,
        Accept {
            function,
            argument: "path",
            fd: true,
            none: false,
        },
    )
}

/// `None` for a call that returned 0, else an exception about `file`.
pub(crate) fn done(vm: &mut Vm, r: i32, file: Value) -> R {
    if r == 0 {
        Ok(vm.none)
    } else {
        Err(fs::last_error(vm, file))
    }
}

/// What the C library has, as `os` looks for it.
static HAVE: &[&str] = &[
    "HAVE_FACCESSAT",
    "HAVE_FCHDIR",
    "HAVE_FCHMOD",
    "HAVE_FDOPENDIR",
    "HAVE_FSTATAT",
    "HAVE_FTRUNCATE",
    "HAVE_FUTIMENS",
    "HAVE_LINKAT",
    "HAVE_LCHOWN",
    "HAVE_LSTAT",
    "HAVE_MKDIRAT",
    "HAVE_MKFIFOAT",
    "HAVE_OPENAT",
    "HAVE_READLINKAT",
    "HAVE_RENAMEAT",
    "HAVE_SYMLINKAT",
    "HAVE_UNLINKAT",
    "HAVE_UTIMENSAT",
    "HAVE_FCHOWNAT",
    "HAVE_FCHMODAT",
    "HAVE_FSTATVFS",
];

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let m = module(vm, "posix", "Calls of the operating system.", FUNCTIONS);
    for &(name, n) in consts::CONSTANTS {
        let v = vm.new_int(n);
        set(vm, m, name, v);
    }
    let have = vm.new_list(&[]);
    for name in HAVE {
        let s = vm.intern(name);
        vm.list_append(have, s);
    }
    set(vm, m, "_have_functions", have);
    let env = vm.new_dict();
    use std::os::unix::ffi::OsStrExt;
    for (k, v) in std::env::vars_os() {
        let (k, v) = (vm.new_bytes(k.as_bytes()), vm.new_bytes(v.as_bytes()));
        vm.dict_set(env, k, v)?;
    }
    set(vm, m, "environ", env);
    let names = vm.new_dict();
    for &(name, n) in process::SYSCONF {
        let k = vm.intern(name);
        vm.dict_set_str(names, k, Value::small(n));
    }
    set(vm, m, "sysconf_names", names);
    let e = vm.types.os_error.value();
    set(vm, m, "error", e);
    stat::classes(vm, m);
    dirs::classes(vm, m);
    process::classes(vm, m);
    children::classes(vm, m);
    more::install(vm, m);
    for (name, n) in [
        ("POSIX_SPAWN_OPEN", 0),
        ("POSIX_SPAWN_CLOSE", 1),
        ("POSIX_SPAWN_DUP2", 2),
    ] {
        set(vm, m, name, Value::small(n));
    }
    Ok(m)
}
