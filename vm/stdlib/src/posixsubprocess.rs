//! The `_posixsubprocess` module: fork and exec in one step.
//!
//! Between fork and exec the child does nothing but system calls on what was
//! prepared before (unless there is a `preexec_fn`), so it does not matter in
//! what state the VM was. What fails there is told through a pipe, as
//! `OSError:` and the error's number in hexadecimal.

use crate::{fs, module};
use pyrite_machine::Value;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::vm::{R, Vm};
use std::ffi::{CString, c_char};

static FUNCTIONS: &[NativeDef] = &[
    def("fork_exec", "(*args)", effects::ANY, fork_exec).doc("Spawn a fresh new child process.")
];

/// Arguments of `fork_exec`.
const ARGS: usize = 23;

/// Everything the child needs.
struct Plan {
    argv: Vec<*const c_char>,
    envp: Option<Vec<*const c_char>>,
    programs: Vec<CString>,
    keep: Vec<i32>,
    close_fds: bool,
    cwd: Option<CString>,
    /// p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, errpipe_read, errpipe_write
    fds: [i32; 8],
    restore_signals: bool,
    setsid: bool,
    pgid: i32,
    gid: Option<u32>,
    groups: Option<Vec<u32>>,
    uid: Option<u32>,
    umask: i32,
}

fn path(vm: &mut Vm, v: Value) -> R<CString> {
    let accept = fs::Accept {
        function: "fork_exec",
        argument: "path",
        fd: false,
        none: false,
    };
    Ok(fs::path(vm, v, accept)?.name)
}

fn strings(vm: &mut Vm, v: Value) -> R<Vec<CString>> {
    let l = vm.list_from_iterable(v)?;
    let mut out = Vec::new();
    for i in 0..vm.list_len(l) {
        out.push(path(vm, vm.list_get(l, i))?);
    }
    Ok(out)
}

fn pointers(s: &[CString]) -> Vec<*const c_char> {
    s.iter()
        .map(|s| s.as_ptr())
        .chain([std::ptr::null()])
        .collect()
}

fn id(vm: &mut Vm, v: Value) -> R<Option<u32>> {
    if v == vm.none {
        return Ok(None);
    }
    Ok(Some(vm.index_i64(v, false)? as u32))
}

fn fork_exec(vm: &mut Vm, a: &[Value]) -> R {
    let n = vm.tuple_len(a[0]);
    if n != ARGS {
        let m = format!("fork_exec expected {ARGS} arguments, got {n}");
        return Err(vm.type_error(&m));
    }
    let a = vm.tuple_items(a[0]);
    let none = vm.none;
    let keep_tuple = vm.tuple_from_iterable(a[3])?;
    let mut keep: Vec<i32> = Vec::new();
    for i in 0..vm.tuple_len(keep_tuple) {
        let fd = vm.tuple_get(keep_tuple, i);
        let fd = vm.int_to_i64(fd).and_then(|n| i32::try_from(n).ok());
        match fd {
            Some(fd) if fd >= 0 && keep.last().is_none_or(|&l| l < fd) => keep.push(fd),
            _ => return Err(vm.value_error("bad value(s) in fds_to_keep")),
        }
    }
    let close_fds = vm.truth(a[2])?;
    let mut fds = [0; 8];
    for (k, fd) in fds.iter_mut().enumerate() {
        *fd = fs::c_int(vm, a[6 + k])?;
    }
    if close_fds && fds[7] < 3 {
        return Err(vm.value_error("errpipe_write must be >= 3"));
    }
    let argv = strings(vm, a[0])?;
    let programs = strings(vm, a[1])?;
    let env = if a[5] == none {
        None
    } else {
        Some(strings(vm, a[5])?)
    };
    let groups = if a[18] == none {
        None
    } else {
        if !vm.is_list(a[18]) {
            return Err(vm.type_error("setgroups argument must be a list"));
        }
        let mut g = Vec::new();
        for i in 0..vm.list_len(a[18]) {
            let v = vm.list_get(a[18], i);
            if !vm.is_int(v) {
                return Err(vm.type_error("groups must be integers"));
            }
            g.push(vm.index_i64(v, false)? as u32);
        }
        Some(g)
    };
    let plan = Plan {
        argv: pointers(&argv),
        envp: env.as_deref().map(pointers),
        programs,
        keep,
        close_fds,
        cwd: if a[4] == none {
            None
        } else {
            Some(path(vm, a[4])?)
        },
        fds,
        restore_signals: vm.truth(a[14])?,
        setsid: vm.truth(a[15])?,
        pgid: fs::c_int(vm, a[16])?,
        gid: id(vm, a[17])?,
        groups,
        uid: id(vm, a[19])?,
        umask: fs::c_int(vm, a[20])?,
    };
    let preexec = a[21];
    let before = |vm: &mut Vm| {
        if preexec == vm.none {
            return Ok(true);
        }
        vm.call(preexec, &[]).map(|_| true)
    };
    let pid = if preexec == none {
        // SAFETY: the child goes on in this thread alone and only in `child`.
        unsafe { libc::fork() }
    } else {
        crate::posix::fork(vm)?
    };
    match pid {
        0 => {
            let mut called = Ok(true);
            // SAFETY: all pointers of the plan are into strings alive here.
            let e = unsafe {
                child(&plan, || {
                    called = before(vm);
                    called.is_ok()
                })
            };
            let message = match (&called, e) {
                (Err(_), _) => "SubprocessError:0:Exception occurred in preexec_fn.".to_owned(),
                (_, Failure::Setup(n)) => format!("OSError:{n:X}:noexec"),
                (_, Failure::Exec(n)) => format!("OSError:{n:X}:"),
            };
            // SAFETY: writes a buffer and ends the process.
            unsafe {
                libc::write(fds[7], message.as_ptr().cast(), message.len());
                libc::_exit(255)
            }
        }
        p if p > 0 => Ok(Value::small(p)),
        _ => Err(fs::last_error(vm, Value::NULL)),
    }
}

/// Where the child failed, with the error's number.
enum Failure {
    Setup(i32),
    Exec(i32),
}

/// # Safety
/// Runs in a forked child; the plan's pointers are good.
unsafe fn child(p: &Plan, preexec: impl FnOnce() -> bool) -> Failure {
    // SAFETY: plain system calls on numbers and on the plan's strings.
    unsafe {
        match set_up(p) {
            Ok(()) => {}
            Err(()) => return Failure::Setup(fs::last_errno()),
        }
        if !preexec() {
            return Failure::Setup(0);
        }
        if p.close_fds {
            close_others(&p.keep);
        }
        let mut saved = 0;
        for program in &p.programs {
            match &p.envp {
                Some(e) => libc::execve(program.as_ptr(), p.argv.as_ptr(), e.as_ptr()),
                None => libc::execv(program.as_ptr(), p.argv.as_ptr()),
            };
            let e = fs::last_errno();
            // A name that is nowhere on the path fails as the last one did, but
            // one that was found and could not be run says so.
            if e != libc::ENOENT && e != libc::ENOTDIR && saved == 0 {
                saved = e;
            }
        }
        let last = fs::last_errno();
        Failure::Exec(if saved != 0 { saved } else { last })
    }
}

fn check(r: i32) -> Result<i32, ()> {
    if r < 0 { Err(()) } else { Ok(r) }
}

/// # Safety
/// As [`child`].
unsafe fn set_up(p: &Plan) -> Result<(), ()> {
    // SAFETY: see `child`.
    unsafe {
        let [
            p2cread,
            p2cwrite,
            c2pread,
            mut c2pwrite,
            errread,
            mut errwrite,
            errpipe_read,
            errpipe_write,
        ] = p.fds;
        for &fd in &p.keep {
            if fd != errpipe_write {
                inheritable(fd)?;
            }
        }
        for fd in [p2cwrite, c2pread, errread] {
            if fd >= 0 {
                check(libc::close(fd))?;
            }
        }
        check(libc::close(errpipe_read))?;
        // A descriptor that is about to be overwritten gets out of the way.
        if c2pwrite == 0 {
            c2pwrite = check(libc::dup(c2pwrite))?;
        }
        while errwrite == 0 || errwrite == 1 {
            errwrite = check(libc::dup(errwrite))?;
        }
        for (from, to) in [(p2cread, 0), (c2pwrite, 1), (errwrite, 2)] {
            if from == to {
                inheritable(from)?;
            } else if from >= 0 {
                check(libc::dup2(from, to))?;
            }
        }
        if let Some(d) = &p.cwd {
            check(libc::chdir(d.as_ptr()))?;
        }
        if p.umask >= 0 {
            libc::umask(p.umask as libc::mode_t);
        }
        if p.restore_signals {
            libc::signal(libc::SIGPIPE, libc::SIG_DFL);
            libc::signal(libc::SIGXFSZ, libc::SIG_DFL);
        }
        if p.setsid {
            check(libc::setsid())?;
        }
        if p.pgid >= 0 {
            check(libc::setpgid(0, p.pgid))?;
        }
        if let Some(g) = &p.groups {
            check(libc::setgroups(g.len(), g.as_ptr()))?;
        }
        if let Some(g) = p.gid {
            check(libc::setregid(g, g))?;
        }
        if let Some(u) = p.uid {
            check(libc::setreuid(u, u))?;
        }
    }
    Ok(())
}

/// # Safety
/// None beyond what a descriptor's flags mean to the process.
unsafe fn inheritable(fd: i32) -> Result<(), ()> {
    // SAFETY: sets a flag.
    unsafe {
        let flags = check(libc::fcntl(fd, libc::F_GETFD))?;
        check(libc::fcntl(fd, libc::F_SETFD, flags & !libc::FD_CLOEXEC))?;
    }
    Ok(())
}

/// Closes all descriptors from 3 on but those in `keep`, which is sorted.
///
/// # Safety
/// Runs in a forked child.
unsafe fn close_others(keep: &[i32]) {
    let mut from = 3u32;
    for &fd in keep.iter().filter(|&&fd| fd >= 3) {
        // SAFETY: closes numbers.
        unsafe { close_range(from, (fd as u32).wrapping_sub(1)) };
        from = fd as u32 + 1;
    }
    // SAFETY: as above.
    unsafe { close_range(from, u32::MAX) };
}

/// # Safety
/// Runs in a forked child.
unsafe fn close_range(from: u32, to: u32) {
    if from > to {
        return;
    }
    // SAFETY: closes numbers.
    unsafe {
        if libc::syscall(libc::SYS_close_range, from, to, 0) == 0 {
            return;
        }
        let top = libc::sysconf(libc::_SC_OPEN_MAX).clamp(256, 1 << 16) as u32;
        for fd in from..=to.min(top) {
            libc::close(fd as i32);
        }
    }
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    Ok(module(
        vm,
        "_posixsubprocess",
        "A POSIX helper for the subprocess module.",
        FUNCTIONS,
    ))
}
