//! Children: making them, waiting for them, becoming another program.
//!
//! The child of a `fork` has one thread, the one that forked, and a copy of the
//! heap. Three things are put right before any Python code runs in it: the records
//! of threads and locks, whose owners are gone; the thread that signals interrupt;
//! and the memory of compiled code, which parent and child would else share.

use super::done;
use crate::fs::{self, c_int, c_int_or, plain_path};
use crate::{set, slots, structseq};
use pyrite_machine::Value;
use pyrite_objects::layout::Gc;
use pyrite_objects::vm::{R, Vm};
use std::ffi::CString;

/// Kinds of functions in the list of `register_at_fork`.
const BEFORE: usize = 0;
const IN_CHILD: usize = 1;
const IN_PARENT: usize = 2;

pub(super) fn register_at_fork(vm: &mut Vm, a: &[Value]) -> R {
    let given: Vec<usize> = (0..3)
        .filter(|&i| a[i].is_some() && a[i] != vm.none)
        .collect();
    if given.is_empty() {
        return Err(vm.type_error("At least one argument is required."));
    }
    for &i in &given {
        let class = vm.class_of(a[i]);
        if vm.lookup(class, vm.names.call).is_null() {
            let name = ["before", "after_in_child", "after_in_parent"][i];
            let m = format!("'{name}' must be callable, not {}", vm.class_name(a[i]));
            return Err(vm.type_error(&m));
        }
    }
    if vm.statics[slots::AT_FORK].is_null() {
        let lists = vm.new_tuple_uninit(3);
        for i in 0..3 {
            vm.tuple_init(lists, i, Value::NULL);
        }
        for i in 0..3 {
            let l = vm.new_list(&[]);
            vm.tuple_init(lists, i, l);
            vm.write_barrier(lists);
        }
        vm.statics[slots::AT_FORK] = lists;
    }
    for i in given {
        let list = vm.tuple_get(vm.statics[slots::AT_FORK], i);
        vm.list_append(list, a[i]);
    }
    Ok(vm.none)
}

fn call_hooks(vm: &mut Vm, which: usize) {
    let lists = vm.statics[slots::AT_FORK];
    if lists.is_null() {
        return;
    }
    let list = vm.tuple_get(lists, which);
    let n = vm.list_len(list);
    for i in 0..n {
        // What prepares is undone in the opposite order.
        let i = if which == BEFORE { n - 1 - i } else { i };
        if i >= vm.list_len(list) {
            continue;
        }
        let f = vm.list_get(list, i);
        if vm.call(f, &[]).is_err() {
            pyrite_objects::misc::unraisable(vm, f);
        }
    }
}

/// Forks; 0 in the child, which may go on with Python code.
///
/// # Errors
/// OSError when there is no room for another process.
pub fn fork(vm: &mut Vm) -> R<i32> {
    call_hooks(vm, BEFORE);
    crate::thread::import_lock(vm)?;
    let guard = vm.before_fork();
    // SAFETY: the lock is held, so no other thread is at work in the VM; the child
    // puts right what the others left.
    let pid = unsafe { libc::fork() };
    let e = fs::last_errno();
    drop(guard);
    if pid == 0 {
        vm.threads_after_fork();
        crate::signal::after_fork();
        (vm.hooks.forked)(vm);
    }
    crate::thread::import_unlock(vm);
    if pid == 0 {
        crate::thread::after_fork(vm);
        call_hooks(vm, IN_CHILD);
        return Ok(0);
    }
    call_hooks(vm, IN_PARENT);
    if pid < 0 {
        return Err(fs::os_error(vm, e, Value::NULL, Value::NULL));
    }
    Ok(pid)
}

pub(super) fn fork_call(vm: &mut Vm, _: &[Value]) -> R {
    Ok(Value::small(fork(vm)?))
}

fn rusage(vm: &mut Vm, u: &libc::rusage) -> R {
    crate::resource::usage(vm, u)
}

pub(super) fn wait(vm: &mut Vm, _: &[Value]) -> R {
    let mut status = 0;
    // SAFETY: writes one number.
    match fs::retry(vm, || unsafe { libc::wait(&mut status) as isize })? {
        Ok(p) => Ok(vm.new_tuple(&[Value::int_unchecked(p as i64), Value::small(status)])),
        Err(e) => Err(fs::os_error(vm, e, Value::NULL, Value::NULL)),
    }
}

/// `wait3` (`pid` -1) and `wait4`.
pub(super) fn wait4(vm: &mut Vm, pid: i32, options: i32) -> R {
    let mut status = 0;
    // SAFETY: all zeros are a valid structure.
    let mut u: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: writes a number and the structure.
    let r = fs::retry(vm, || unsafe {
        libc::wait4(pid, &mut status, options, &mut u) as isize
    })?;
    match r {
        Ok(p) => {
            let u = rusage(vm, &u)?;
            Ok(vm.new_tuple(&[Value::int_unchecked(p as i64), Value::small(status), u]))
        }
        Err(e) => Err(fs::os_error(vm, e, Value::NULL, Value::NULL)),
    }
}

pub(super) fn waitid(vm: &mut Vm, a: &[Value]) -> R {
    let (kind, id, options) = (c_int(vm, a[0])?, c_int(vm, a[1])?, c_int(vm, a[2])?);
    // SAFETY: all zeros are a valid structure.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: fills the structure.
    let r = fs::retry(vm, || unsafe {
        libc::waitid(kind as _, id as libc::id_t, &mut info, options) as isize
    })?;
    if let Err(e) = r {
        return Err(fs::os_error(vm, e, Value::NULL, Value::NULL));
    }
    // SAFETY: what `waitid` fills.
    let (pid, uid, status) = unsafe { (info.si_pid(), info.si_uid(), info.si_status()) };
    if pid == 0 {
        return Ok(vm.none);
    }
    let class = Gc::from_value(vm.statics[slots::WAITID_RESULT]);
    let n = |i: i64| Value::int_unchecked(i);
    Ok(structseq::new(
        vm,
        class,
        &[
            n(pid.into()),
            n(uid.into()),
            n(info.si_signo.into()),
            n(status.into()),
            n(info.si_code.into()),
        ],
    ))
}

/// Strings for `exec`, and the table of pointers to them.
struct Strings {
    owned: Vec<CString>,
}

impl Strings {
    fn table(&self) -> Vec<*const libc::c_char> {
        let mut t: Vec<_> = self.owned.iter().map(|s| s.as_ptr()).collect();
        t.push(std::ptr::null());
        t
    }
}

fn arguments(vm: &mut Vm, v: Value, function: &'static str) -> R<Strings> {
    if vm.as_tuple(v).is_none() && !vm.is_list(v) {
        let m = format!("{function}() arg 2 must be a tuple or list");
        return Err(vm.type_error(&m));
    }
    let list = vm.list_from_iterable(v)?;
    if vm.list_len(list) == 0 {
        let m = format!("{function}() arg 2 must not be empty");
        return Err(vm.value_error(&m));
    }
    let mut owned = Vec::new();
    for i in 0..vm.list_len(list) {
        owned.push(plain_path(vm, vm.list_get(list, i), "")?.name);
    }
    if owned[0].is_empty() {
        let m = format!("{function}() arg 2 first element cannot be empty");
        return Err(vm.value_error(&m));
    }
    Ok(Strings { owned })
}

/// `name=value` strings of a mapping.
fn environment(vm: &mut Vm, v: Value, function: &'static str) -> R<Strings> {
    let class = vm.class_of(v);
    if vm.lookup(class, vm.names.getitem).is_null() {
        let m = format!("{function}: environment must be a mapping object");
        return Err(vm.type_error(&m));
    }
    let keys = vm.call_method(v, vm.names.keys, &[])?;
    let keys = vm.list_from_iterable(keys)?;
    let mut owned = Vec::new();
    for i in 0..vm.list_len(keys) {
        let k = vm.list_get(keys, i);
        let value = vm.getitem(v, k)?;
        let (k, value) = (plain_path(vm, k, "")?.name, plain_path(vm, value, "")?.name);
        if k.as_bytes().is_empty() || k.as_bytes()[1..].contains(&b'=') {
            return Err(vm.value_error("illegal environment variable name"));
        }
        let mut line = k.into_bytes();
        line.push(b'=');
        line.extend_from_slice(value.as_bytes());
        match CString::new(line) {
            Ok(s) => owned.push(s),
            Err(_) => return Err(vm.value_error("embedded null byte")),
        }
    }
    Ok(Strings { owned })
}

pub(super) fn execv(vm: &mut Vm, a: &[Value]) -> R {
    let path = plain_path(vm, a[0], "execv")?;
    let args = arguments(vm, a[1], "execv")?;
    let table = args.table();
    // SAFETY: C strings and a table that ends in null; returns only when it fails.
    unsafe { libc::execv(path.ptr(), table.as_ptr()) };
    Err(fs::last_error(vm, path.shown))
}

pub(super) fn execve(vm: &mut Vm, a: &[Value]) -> R {
    let path = super::path_or_fd(vm, a[0], "execve")?;
    let args = arguments(vm, a[1], "execve")?;
    let env = environment(vm, a[2], "execve")?;
    let (table, env_table) = (args.table(), env.table());
    // SAFETY: as in `execv`.
    unsafe {
        match path.fd {
            Some(fd) => libc::fexecve(fd, table.as_ptr(), env_table.as_ptr()),
            None => libc::execve(path.ptr(), table.as_ptr(), env_table.as_ptr()),
        };
    }
    Err(fs::last_error(vm, path.shown))
}

/// Attributes and file actions of a spawn, freed at the end.
struct Spawn {
    attr: libc::posix_spawnattr_t,
    actions: libc::posix_spawn_file_actions_t,
}

impl Spawn {
    fn new() -> Spawn {
        // SAFETY: both are initialized by the calls before use.
        unsafe {
            let mut s: Spawn = std::mem::zeroed();
            libc::posix_spawnattr_init(&mut s.attr);
            libc::posix_spawn_file_actions_init(&mut s.actions);
            s
        }
    }
}

impl Drop for Spawn {
    fn drop(&mut self) {
        // SAFETY: initialized in `new`.
        unsafe {
            libc::posix_spawnattr_destroy(&mut self.attr);
            libc::posix_spawn_file_actions_destroy(&mut self.actions);
        }
    }
}

fn signals(vm: &mut Vm, v: Value) -> R<libc::sigset_t> {
    crate::signal::mask(vm, v)
}

fn file_actions(vm: &mut Vm, s: &mut Spawn, v: Value) -> R<()> {
    let list = vm.list_from_iterable(v)?;
    for i in 0..vm.list_len(list) {
        let Some(t) = vm.as_tuple(vm.list_get(list, i)) else {
            return Err(vm.type_error("Each file_actions element must be a non-empty tuple"));
        };
        let n = vm.tuple_len(t);
        if n == 0 {
            return Err(vm.type_error("Each file_actions element must be a non-empty tuple"));
        }
        let what = c_int(vm, vm.tuple_get(t, 0))?;
        let e = match (what, n) {
            (0, 5) => {
                let fd = c_int(vm, vm.tuple_get(t, 1))?;
                let path = plain_path(vm, vm.tuple_get(t, 2), "")?;
                let flags = c_int(vm, vm.tuple_get(t, 3))?;
                let mode = c_int(vm, vm.tuple_get(t, 4))?;
                // SAFETY: the C library copies the name.
                unsafe {
                    libc::posix_spawn_file_actions_addopen(
                        &mut s.actions,
                        fd,
                        path.ptr(),
                        flags,
                        mode as libc::mode_t,
                    )
                }
            }
            (1, 2) => {
                let fd = c_int(vm, vm.tuple_get(t, 1))?;
                // SAFETY: plain numbers.
                unsafe { libc::posix_spawn_file_actions_addclose(&mut s.actions, fd) }
            }
            (2, 3) => {
                let (from, to) = (
                    c_int(vm, vm.tuple_get(t, 1))?,
                    c_int(vm, vm.tuple_get(t, 2))?,
                );
                // SAFETY: plain numbers.
                unsafe { libc::posix_spawn_file_actions_adddup2(&mut s.actions, from, to) }
            }
            (0, _) => return Err(vm.type_error("A open file_action tuple must have 5 elements")),
            (1, _) => return Err(vm.type_error("A close file_action tuple must have 2 elements")),
            (2, _) => return Err(vm.type_error("A dup2 file_action tuple must have 3 elements")),
            _ => return Err(vm.type_error("Unknown file_actions identifier")),
        };
        if e != 0 {
            return Err(fs::os_error(vm, e, Value::NULL, Value::NULL));
        }
    }
    Ok(())
}

/// `posix_spawn` and `posix_spawnp` (`search`).
pub(super) fn spawn(vm: &mut Vm, a: &[Value], search: bool) -> R {
    let function = if search {
        "posix_spawnp"
    } else {
        "posix_spawn"
    };
    let path = plain_path(vm, a[0], function)?;
    let args = arguments(vm, a[1], function)?;
    let env = environment(vm, a[2], function)?;
    let given = |v: Value| v.is_some();
    let mut s = Spawn::new();
    if given(a[3]) && a[3] != vm.none {
        file_actions(vm, &mut s, a[3])?;
    }
    let mut flags = 0;
    if given(a[4]) && a[4] != vm.none {
        let group = c_int(vm, a[4])?;
        // SAFETY: plain numbers.
        unsafe { libc::posix_spawnattr_setpgroup(&mut s.attr, group) };
        flags |= libc::POSIX_SPAWN_SETPGROUP;
    }
    if given(a[5]) && vm.truth(a[5])? {
        flags |= libc::POSIX_SPAWN_RESETIDS;
    }
    if given(a[6]) && vm.truth(a[6])? {
        // POSIX_SPAWN_SETSID of the C library.
        flags |= 0x80;
    }
    if given(a[7]) {
        let m = signals(vm, a[7])?;
        // SAFETY: reads the set.
        unsafe { libc::posix_spawnattr_setsigmask(&mut s.attr, &m) };
        flags |= libc::POSIX_SPAWN_SETSIGMASK;
    }
    if given(a[8]) {
        let m = signals(vm, a[8])?;
        // SAFETY: reads the set.
        unsafe { libc::posix_spawnattr_setsigdefault(&mut s.attr, &m) };
        flags |= libc::POSIX_SPAWN_SETSIGDEF;
    }
    if given(a[9]) && a[9] != vm.none {
        let Some(t) = vm.as_tuple(a[9]) else {
            return Err(vm.type_error("scheduler must be a tuple or None"));
        };
        let policy = vm.tuple_get(t, 0);
        if policy != vm.none {
            let p = c_int(vm, policy)?;
            // SAFETY: plain numbers.
            unsafe { libc::posix_spawnattr_setschedpolicy(&mut s.attr, p) };
            flags |= libc::POSIX_SPAWN_SETSCHEDULER;
        }
        let priority = vm.getattr_str(vm.tuple_get(t, 1), "sched_priority")?;
        let param = libc::sched_param {
            sched_priority: c_int(vm, priority)?,
        };
        // SAFETY: reads the structure.
        unsafe { libc::posix_spawnattr_setschedparam(&mut s.attr, &param) };
        flags |= libc::POSIX_SPAWN_SETSCHEDPARAM;
    }
    let (table, env_table) = (args.table(), env.table());
    let mut pid = 0;
    // SAFETY: C strings, and tables that end in null.
    let e = unsafe {
        libc::posix_spawnattr_setflags(&mut s.attr, flags as libc::c_short);
        let call = if search {
            libc::posix_spawnp
        } else {
            libc::posix_spawn
        };
        call(
            &mut pid,
            path.ptr(),
            &s.actions,
            &s.attr,
            table.as_ptr().cast(),
            env_table.as_ptr().cast(),
        )
    };
    if e != 0 {
        return Err(fs::os_error(vm, e, path.shown, Value::NULL));
    }
    Ok(Value::small(pid))
}

pub(super) fn pidfd_open(vm: &mut Vm, a: &[Value]) -> R {
    let pid = c_int(vm, a[0])?;
    let flags = c_int_or(vm, a[1], 0)?;
    // SAFETY: plain numbers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, flags) };
    if fd < 0 {
        return Err(fs::last_error(vm, Value::NULL));
    }
    Ok(Value::int_unchecked(fd))
}

/// A call of two numbers that returns 0.
pub(super) fn two(vm: &mut Vm, a: &[Value], f: unsafe extern "C" fn(i32, i32) -> i32) -> R {
    let (x, y) = (c_int(vm, a[0])?, c_int(vm, a[1])?);
    // SAFETY: plain numbers.
    let r = unsafe { f(x, y) };
    done(vm, r, Value::NULL)
}

/// A call of one number that returns one, or -1.
pub(super) fn one(vm: &mut Vm, v: Value, f: unsafe extern "C" fn(i32) -> i32) -> R {
    let x = c_int(vm, v)?;
    // SAFETY: plain numbers.
    let r = unsafe { f(x) };
    if r < 0 {
        return Err(fs::last_error(vm, Value::NULL));
    }
    Ok(Value::small(r))
}

pub(super) fn nice(vm: &mut Vm, a: &[Value]) -> R {
    let n = c_int(vm, a[0])?;
    // -1 is an answer, too: only the error number tells.
    // SAFETY: plain numbers, and this thread's error number.
    let r = unsafe {
        *libc::__errno_location() = 0;
        libc::nice(n)
    };
    if r == -1 && fs::last_errno() != 0 {
        return Err(fs::last_error(vm, Value::NULL));
    }
    Ok(Value::small(r))
}

pub(super) fn getpriority(vm: &mut Vm, a: &[Value]) -> R {
    let (which, who) = (c_int(vm, a[0])?, c_int(vm, a[1])?);
    // SAFETY: as in `nice`.
    let r = unsafe {
        *libc::__errno_location() = 0;
        libc::getpriority(which as _, who as libc::id_t)
    };
    if r == -1 && fs::last_errno() != 0 {
        return Err(fs::last_error(vm, Value::NULL));
    }
    Ok(Value::small(r))
}

pub(super) fn setpriority(vm: &mut Vm, a: &[Value]) -> R {
    let (which, who, n) = (c_int(vm, a[0])?, c_int(vm, a[1])?, c_int(vm, a[2])?);
    // SAFETY: plain numbers.
    let r = unsafe { libc::setpriority(which as _, who as libc::id_t, n) };
    done(vm, r, Value::NULL)
}

/// Makes the result classes.
pub(super) fn classes(vm: &mut Vm, m: Value) {
    for (name, slot, fields) in [
        (
            "waitid_result",
            slots::WAITID_RESULT,
            &["si_pid", "si_uid", "si_signo", "si_status", "si_code"][..],
        ),
        ("sched_param", slots::SCHED_PARAM, &["sched_priority"][..]),
    ] {
        let c = structseq::new_class(vm, "posix", name, fields, &[], true);
        vm.statics[slot] = c.value();
        set(vm, m, name, c.value());
    }
}
