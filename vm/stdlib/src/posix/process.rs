//! The process, its children, and the machine.

use super::done;
use crate::fs::{self, c_int, c_int_or, plain_path};
use crate::{set, slots, structseq};
use pyrite_machine::Value;
use pyrite_objects::layout::Gc;
use pyrite_objects::vm::{R, Vm};

pub(super) static SYSCONF: &[(&str, i32)] = &[
    ("SC_ARG_MAX", libc::_SC_ARG_MAX),
    ("SC_CHILD_MAX", libc::_SC_CHILD_MAX),
    ("SC_CLK_TCK", libc::_SC_CLK_TCK),
    ("SC_OPEN_MAX", libc::_SC_OPEN_MAX),
    ("SC_PAGESIZE", libc::_SC_PAGESIZE),
    ("SC_PAGE_SIZE", libc::_SC_PAGESIZE),
    ("SC_PHYS_PAGES", libc::_SC_PHYS_PAGES),
    ("SC_AVPHYS_PAGES", libc::_SC_AVPHYS_PAGES),
    ("SC_NPROCESSORS_CONF", libc::_SC_NPROCESSORS_CONF),
    ("SC_NPROCESSORS_ONLN", libc::_SC_NPROCESSORS_ONLN),
    ("SC_IOV_MAX", libc::_SC_IOV_MAX),
    ("SC_SEM_NSEMS_MAX", libc::_SC_SEM_NSEMS_MAX),
];

pub(super) fn kill(vm: &mut Vm, a: &[Value]) -> R {
    let (pid, n) = (c_int(vm, a[0])?, c_int(vm, a[1])?);
    // SAFETY: plain numbers.
    let r = unsafe { libc::kill(pid, n) };
    // A signal to this very process is dealt with before the call returns.
    vm.answer_polls()?;
    done(vm, r, Value::NULL)
}

pub(super) fn umask(vm: &mut Vm, a: &[Value]) -> R {
    let m = c_int(vm, a[0])?;
    // SAFETY: plain numbers.
    let old = unsafe { libc::umask(m as libc::mode_t) };
    Ok(Value::int_unchecked(old.into()))
}

pub(super) fn urandom(vm: &mut Vm, a: &[Value]) -> R {
    let n = fs::c_long(vm, a[0])?;
    let Ok(n) = usize::try_from(n) else {
        return Err(vm.value_error("negative argument not allowed"));
    };
    let mut buf = vec![0u8; n];
    let mut at = 0;
    while at < n {
        // SAFETY: the rest of the buffer is as long as said.
        match fs::retry(vm, || unsafe {
            libc::getrandom(buf[at..].as_mut_ptr().cast(), n - at, 0)
        })? {
            Ok(k) => at += k,
            Err(e) => return Err(fs::os_error(vm, e, Value::NULL, Value::NULL)),
        }
    }
    Ok(vm.new_bytes(&buf))
}

pub(super) fn cpu_count(vm: &mut Vm, _: &[Value]) -> R {
    // SAFETY: plain numbers.
    let n = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    Ok(if n < 1 {
        vm.none
    } else {
        Value::int_unchecked(n)
    })
}

pub(super) fn affinity(vm: &mut Vm, a: &[Value]) -> R {
    let pid = c_int(vm, a[0])?;
    let s = vm.new_set(vm.types.set);
    // SAFETY: all zeros are an empty set of processors, which the call fills.
    let set = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        if libc::sched_getaffinity(pid, size_of::<libc::cpu_set_t>(), &mut set) != 0 {
            return Err(fs::last_error(vm, Value::NULL));
        }
        set
    };
    for i in 0..libc::CPU_SETSIZE as usize {
        // SAFETY: the index is below the set's size.
        if unsafe { libc::CPU_ISSET(i, &set) } {
            vm.set_add(s, Value::int_unchecked(i as i64))?;
        }
    }
    Ok(s)
}

pub(super) fn uname(vm: &mut Vm, _: &[Value]) -> R {
    // SAFETY: all zeros are a valid structure, which the call fills.
    let u = unsafe {
        let mut u: libc::utsname = std::mem::zeroed();
        if libc::uname(&mut u) != 0 {
            return Err(fs::last_error(vm, Value::NULL));
        }
        u
    };
    let mut items = [Value::NULL; 5];
    for (slot, field) in
        items
            .iter_mut()
            .zip([&u.sysname, &u.nodename, &u.release, &u.version, &u.machine])
    {
        let b: Vec<u8> = field
            .iter()
            .take_while(|&&c| c != 0)
            .map(|&c| c as u8)
            .collect();
        *slot = fs::decode(vm, &b);
    }
    let class = Gc::from_value(vm.statics[slots::UNAME_RESULT]);
    Ok(structseq::new(vm, class, &items))
}

pub(super) fn times(vm: &mut Vm, _: &[Value]) -> R {
    // SAFETY: all zeros are a valid structure, which the call fills.
    let (t, now, tick) = unsafe {
        let mut t: libc::tms = std::mem::zeroed();
        let now = libc::times(&mut t);
        (t, now, libc::sysconf(libc::_SC_CLK_TCK) as f64)
    };
    let items = [t.tms_utime, t.tms_stime, t.tms_cutime, t.tms_cstime, now]
        .map(|n| Value::float(n as f64 / tick));
    let class = Gc::from_value(vm.statics[slots::TIMES_RESULT]);
    Ok(structseq::new(vm, class, &items))
}

pub(super) fn loadavg(vm: &mut Vm, _: &[Value]) -> R {
    let mut l = [0.0; 3];
    // SAFETY: writes three numbers.
    if unsafe { libc::getloadavg(l.as_mut_ptr(), 3) } != 3 {
        return Err(vm.os_error("Load averages are unobtainable"));
    }
    Ok(vm.new_tuple(&l.map(Value::float)))
}

pub(super) fn sysconf(vm: &mut Vm, a: &[Value]) -> R {
    let n = match vm.as_str(a[0]) {
        Some(s) => {
            let name = vm.str_to_string(s);
            match SYSCONF.iter().find(|(k, _)| *k == name) {
                Some(&(_, n)) => n,
                None => return Err(vm.value_error("unrecognized configuration name")),
            }
        }
        None => c_int(vm, a[0])?,
    };
    // SAFETY: plain numbers.
    let r = unsafe { libc::sysconf(n) };
    Ok(vm.new_int(r))
}

pub(super) fn putenv(vm: &mut Vm, a: &[Value]) -> R {
    let (k, v) = (
        plain_path(vm, a[0], "putenv")?,
        plain_path(vm, a[1], "putenv")?,
    );
    if k.name.as_bytes().contains(&b'=') {
        return Err(vm.value_error("illegal environment variable name"));
    }
    // SAFETY: Python code runs on one thread at a time; both are C strings.
    let r = unsafe { libc::setenv(k.ptr(), v.ptr(), 1) };
    done(vm, r, Value::NULL)
}

pub(super) fn unsetenv(vm: &mut Vm, a: &[Value]) -> R {
    let k = plain_path(vm, a[0], "unsetenv")?;
    // SAFETY: as in `putenv`.
    let r = unsafe { libc::unsetenv(k.ptr()) };
    done(vm, r, Value::NULL)
}

pub(super) fn system(vm: &mut Vm, a: &[Value]) -> R {
    let c = plain_path(vm, a[0], "system")?;
    // SAFETY: a C string.
    let status = vm.blocking(|| unsafe { libc::system(c.ptr()) });
    Ok(Value::small(status))
}

pub(super) fn waitpid(vm: &mut Vm, a: &[Value]) -> R {
    let (pid, options) = (c_int(vm, a[0])?, c_int(vm, a[1])?);
    let mut status = 0;
    // SAFETY: writes one number.
    match fs::retry(vm, || unsafe {
        libc::waitpid(pid, &mut status, options) as isize
    })? {
        Ok(p) => Ok(vm.new_tuple(&[Value::int_unchecked(p as i64), Value::small(status)])),
        Err(e) => Err(fs::os_error(vm, e, Value::NULL, Value::NULL)),
    }
}

pub(super) fn exit_code(vm: &mut Vm, a: &[Value]) -> R {
    let s = c_int(vm, a[0])?;
    if libc::WIFEXITED(s) {
        return Ok(Value::small(libc::WEXITSTATUS(s)));
    }
    if libc::WIFSIGNALED(s) {
        return Ok(Value::small(-libc::WTERMSIG(s)));
    }
    let m = if libc::WIFSTOPPED(s) {
        format!(
            "process stopped by delivery of signal {}",
            libc::WSTOPSIG(s)
        )
    } else {
        format!("invalid wait status: {s}")
    };
    Err(vm.value_error(&m))
}

pub(super) fn terminal_size(vm: &mut Vm, a: &[Value]) -> R {
    let fd = c_int_or(vm, a[0], 1)?;
    // SAFETY: all zeros are a valid structure, which the call fills.
    let (r, w) = unsafe {
        let mut w: libc::winsize = std::mem::zeroed();
        (libc::ioctl(fd, libc::TIOCGWINSZ, &mut w), w)
    };
    if r != 0 {
        return Err(fs::last_error(vm, Value::NULL));
    }
    let class = Gc::from_value(vm.statics[slots::TERMINAL_SIZE]);
    Ok(structseq::new(
        vm,
        class,
        &[Value::small(w.ws_col.into()), Value::small(w.ws_row.into())],
    ))
}

/// Makes the result classes.
pub(super) fn classes(vm: &mut Vm, m: Value) {
    let mut add = |module: &str, name: &str, slot: usize, fields: &[&str]| {
        let c = structseq::new_class(vm, module, name, fields, &[], true);
        vm.statics[slot] = c.value();
        set(vm, m, name, c.value());
    };
    add(
        "os",
        "terminal_size",
        slots::TERMINAL_SIZE,
        &["columns", "lines"],
    );
    add(
        "posix",
        "uname_result",
        slots::UNAME_RESULT,
        &["sysname", "nodename", "release", "version", "machine"],
    );
    add(
        "posix",
        "times_result",
        slots::TIMES_RESULT,
        &[
            "user",
            "system",
            "children_user",
            "children_system",
            "elapsed",
        ],
    );
}
