//! The `resource` module: limits and use of the system's resources.

use crate::fs::{self, c_int};
use crate::{module, set, slots, structseq};
use pyrite_machine::Value;
use pyrite_objects::layout::Gc;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::vm::{R, Vm};

static FUNCTIONS: [NativeDef; 5] = [
    def("getrusage", "(who, /)", effects::ANY, |vm, a| {
        let who = c_int(vm, a[0])?;
        // SAFETY: fills the structure.
        let (r, u) = unsafe {
            let mut u: libc::rusage = std::mem::zeroed();
            (libc::getrusage(who, &mut u), u)
        };
        if r != 0 {
            if fs::last_errno() == libc::EINVAL {
                return Err(vm.value_error("invalid who parameter"));
            }
            return Err(fs::last_error(vm, Value::NULL));
        }
        usage(vm, &u)
    }),
    def("getrlimit", "(resource, /)", effects::ANY, |vm, a| {
        let n = which(vm, a[0])?;
        limit(vm, 0, n, None)
    }),
    def(
        "setrlimit",
        "(resource, limits, /)",
        effects::ANY,
        |vm, a| {
            let n = which(vm, a[0])?;
            let new = pair(vm, a[1])?;
            limit(vm, 0, n, Some(new))?;
            Ok(vm.none)
        },
    ),
    def(
        "prlimit",
        "(pid, resource, limits=None, /)",
        effects::ANY,
        |vm, a| {
            let pid = c_int(vm, a[0])?;
            let n = which(vm, a[1])?;
            let new = if a[2].is_null() || a[2] == vm.none {
                None
            } else {
                Some(pair(vm, a[2])?)
            };
            limit(vm, pid, n, new)
        },
    ),
    def("getpagesize", "()", effects::PURE, |_, _| {
        // SAFETY: plain numbers.
        Ok(Value::int_unchecked(unsafe {
            libc::sysconf(libc::_SC_PAGESIZE)
        }))
    }),
];

static CONSTANTS: &[(&str, i64)] = &[
    ("RLIMIT_CPU", libc::RLIMIT_CPU as i64),
    ("RLIMIT_FSIZE", libc::RLIMIT_FSIZE as i64),
    ("RLIMIT_DATA", libc::RLIMIT_DATA as i64),
    ("RLIMIT_STACK", libc::RLIMIT_STACK as i64),
    ("RLIMIT_CORE", libc::RLIMIT_CORE as i64),
    ("RLIMIT_RSS", libc::RLIMIT_RSS as i64),
    ("RLIMIT_NPROC", libc::RLIMIT_NPROC as i64),
    ("RLIMIT_NOFILE", libc::RLIMIT_NOFILE as i64),
    ("RLIMIT_OFILE", libc::RLIMIT_NOFILE as i64),
    ("RLIMIT_MEMLOCK", libc::RLIMIT_MEMLOCK as i64),
    ("RLIMIT_AS", libc::RLIMIT_AS as i64),
    ("RLIMIT_MSGQUEUE", libc::RLIMIT_MSGQUEUE as i64),
    ("RLIMIT_NICE", libc::RLIMIT_NICE as i64),
    ("RLIMIT_RTPRIO", libc::RLIMIT_RTPRIO as i64),
    ("RLIMIT_RTTIME", libc::RLIMIT_RTTIME as i64),
    ("RLIMIT_SIGPENDING", libc::RLIMIT_SIGPENDING as i64),
    ("RLIM_INFINITY", -1),
    ("RUSAGE_SELF", 0),
    ("RUSAGE_CHILDREN", -1),
    ("RUSAGE_THREAD", 1),
];

/// A `struct_rusage`.
pub(crate) fn usage(vm: &mut Vm, u: &libc::rusage) -> R {
    crate::builtin_module(vm, "resource")?;
    let time = |t: libc::timeval| Value::float(t.tv_sec as f64 + t.tv_usec as f64 * 1e-6);
    let n = Value::int_unchecked;
    let items = [
        time(u.ru_utime),
        time(u.ru_stime),
        n(u.ru_maxrss),
        n(u.ru_ixrss),
        n(u.ru_idrss),
        n(u.ru_isrss),
        n(u.ru_minflt),
        n(u.ru_majflt),
        n(u.ru_nswap),
        n(u.ru_inblock),
        n(u.ru_oublock),
        n(u.ru_msgsnd),
        n(u.ru_msgrcv),
        n(u.ru_nsignals),
        n(u.ru_nvcsw),
        n(u.ru_nivcsw),
    ];
    let class = Gc::from_value(vm.statics[slots::RUSAGE]);
    Ok(structseq::new(vm, class, &items))
}

fn which(vm: &mut Vm, v: Value) -> R<u32> {
    match c_int(vm, v)? {
        n @ 0..=15 => Ok(n as u32),
        _ => Err(vm.value_error("invalid resource specified")),
    }
}

fn pair(vm: &mut Vm, v: Value) -> R<libc::rlimit> {
    let t = vm.tuple_from_iterable(v)?;
    if vm.tuple_len(t) != 2 {
        return Err(vm.value_error("expected a tuple of 2 integers"));
    }
    let soft = vm.index_i64(vm.tuple_get(t, 0), false)?;
    let hard = vm.index_i64(vm.tuple_get(t, 1), false)?;
    Ok(libc::rlimit {
        rlim_cur: soft as u64,
        rlim_max: hard as u64,
    })
}

fn limit(vm: &mut Vm, pid: i32, n: u32, new: Option<libc::rlimit>) -> R {
    let new = new.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: reads one structure if there is one, and fills the other.
    let (r, old) = unsafe {
        let mut old: libc::rlimit = std::mem::zeroed();
        (libc::prlimit(pid, n as _, new, &mut old), old)
    };
    if r != 0 {
        return Err(match fs::last_errno() {
            libc::EINVAL => vm.value_error("current limit exceeds maximum limit"),
            libc::EPERM if pid == 0 => vm.value_error("not allowed to raise maximum limit"),
            e => fs::os_error(vm, e, Value::NULL, Value::NULL),
        });
    }
    let (soft, hard) = (
        vm.new_int(old.rlim_cur as i64),
        vm.new_int(old.rlim_max as i64),
    );
    Ok(vm.new_tuple(&[soft, hard]))
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let m = module(vm, "resource", "", &FUNCTIONS);
    for &(name, n) in CONSTANTS {
        set(vm, m, name, Value::int_unchecked(n));
    }
    let e = vm.types.os_error.value();
    set(vm, m, "error", e);
    let c = structseq::new_class(
        vm,
        "resource",
        "struct_rusage",
        &[
            "ru_utime",
            "ru_stime",
            "ru_maxrss",
            "ru_ixrss",
            "ru_idrss",
            "ru_isrss",
            "ru_minflt",
            "ru_majflt",
            "ru_nswap",
            "ru_inblock",
            "ru_oublock",
            "ru_msgsnd",
            "ru_msgrcv",
            "ru_nsignals",
            "ru_nvcsw",
            "ru_nivcsw",
        ],
        &[],
        true,
    );
    vm.statics[slots::RUSAGE] = c.value();
    set(vm, m, "struct_rusage", c.value());
    Ok(m)
}
