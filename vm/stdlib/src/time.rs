//! The `time` module: clocks and sleeping; dates are in [`calendar`].

mod calendar;

use crate::{fs, module, set};
use pyrite_machine::Value;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::vm::{R, Vm};
use std::time::{Duration, Instant};

static FUNCTIONS: [NativeDef; 18] = [
    def("time", "()", effects::READS, |_, _| {
        Ok(seconds(libc::CLOCK_REALTIME))
    }),
    def("time_ns", "()", effects::READS, |vm, _| {
        Ok(nanos(vm, libc::CLOCK_REALTIME))
    }),
    def("perf_counter", "()", effects::READS, |_, _| {
        Ok(seconds(libc::CLOCK_MONOTONIC))
    }),
    def("perf_counter_ns", "()", effects::READS, |vm, _| {
        Ok(nanos(vm, libc::CLOCK_MONOTONIC))
    }),
    def("monotonic", "()", effects::READS, |_, _| {
        Ok(seconds(libc::CLOCK_MONOTONIC))
    }),
    def("monotonic_ns", "()", effects::READS, |vm, _| {
        Ok(nanos(vm, libc::CLOCK_MONOTONIC))
    }),
    def("process_time", "()", effects::READS, |_, _| {
        Ok(seconds(libc::CLOCK_PROCESS_CPUTIME_ID))
    }),
    def("process_time_ns", "()", effects::READS, |vm, _| {
        Ok(nanos(vm, libc::CLOCK_PROCESS_CPUTIME_ID))
    }),
    def("thread_time", "()", effects::READS, |_, _| {
        Ok(seconds(libc::CLOCK_THREAD_CPUTIME_ID))
    }),
    def("thread_time_ns", "()", effects::READS, |vm, _| {
        Ok(nanos(vm, libc::CLOCK_THREAD_CPUTIME_ID))
    }),
    def("sleep", "(seconds, /)", effects::ANY, sleep),
    def("clock_gettime", "(clk_id, /)", effects::RAISES, |vm, a| {
        let t = asked(vm, a[0], libc::clock_gettime)?;
        Ok(Value::float(t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9))
    }),
    def(
        "clock_gettime_ns",
        "(clk_id, /)",
        effects::RAISES,
        |vm, a| {
            let t = asked(vm, a[0], libc::clock_gettime)?;
            Ok(vm.new_int(t.tv_sec * 1_000_000_000 + t.tv_nsec))
        },
    ),
    def("clock_getres", "(clk_id, /)", effects::RAISES, |vm, a| {
        let t = asked(vm, a[0], libc::clock_getres)?;
        Ok(Value::float(t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9))
    }),
    def(
        "clock_settime",
        "(clk_id, time, /)",
        effects::ANY,
        |vm, a| {
            let s = seconds_arg(vm, a[1])?;
            set_clock(vm, a[0], (s * 1e9) as i64)
        },
    ),
    def(
        "clock_settime_ns",
        "(clk_id, time, /)",
        effects::ANY,
        |vm, a| {
            let n = vm.index_i64(a[1], false)?;
            set_clock(vm, a[0], n)
        },
    ),
    def(
        "pthread_getcpuclockid",
        "(thread_id, /)",
        effects::RAISES,
        |vm, a| {
            let id = vm.index_i64(a[0], false)?;
            let mut clock = 0;
            // SAFETY: a valid place; a thread that is gone is the caller's fault, as in CPython.
            let r = unsafe { libc::pthread_getcpuclockid(id as libc::pthread_t, &mut clock) };
            if r != 0 {
                let none = vm.none;
                return Err(fs::os_error(vm, r, none, none));
            }
            Ok(vm.new_int(clock.into()))
        },
    ),
    def(
        "get_clock_info",
        "(name, /)",
        effects::ANY,
        calendar::clock_info,
    ),
];

const CLOCKS: [(&str, libc::clockid_t); 7] = [
    ("CLOCK_REALTIME", libc::CLOCK_REALTIME),
    ("CLOCK_MONOTONIC", libc::CLOCK_MONOTONIC),
    ("CLOCK_MONOTONIC_RAW", libc::CLOCK_MONOTONIC_RAW),
    ("CLOCK_PROCESS_CPUTIME_ID", libc::CLOCK_PROCESS_CPUTIME_ID),
    ("CLOCK_THREAD_CPUTIME_ID", libc::CLOCK_THREAD_CPUTIME_ID),
    ("CLOCK_BOOTTIME", libc::CLOCK_BOOTTIME),
    ("CLOCK_TAI", libc::CLOCK_TAI),
];

type ClockCall = unsafe extern "C" fn(libc::clockid_t, *mut libc::timespec) -> libc::c_int;

/// Asks a clock of the caller's choice.
fn asked(vm: &mut Vm, id: Value, call: ClockCall) -> R<libc::timespec> {
    let id = vm.index_i64(id, false)?;
    let mut t = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: writes the structure it is given; an unknown clock is an error.
    if unsafe { call(id as libc::clockid_t, &mut t) } != 0 {
        return Err(last_error(vm));
    }
    Ok(t)
}

fn set_clock(vm: &mut Vm, id: Value, nanos: i64) -> R {
    let id = vm.index_i64(id, false)?;
    let t = libc::timespec {
        tv_sec: nanos.div_euclid(1_000_000_000),
        tv_nsec: nanos.rem_euclid(1_000_000_000),
    };
    // SAFETY: reads the structure it is given.
    if unsafe { libc::clock_settime(id as libc::clockid_t, &t) } != 0 {
        return Err(last_error(vm));
    }
    Ok(vm.none)
}

fn last_error(vm: &mut Vm) -> pyrite_objects::vm::Raised {
    let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
    let none = vm.none;
    fs::os_error(vm, errno, none, none)
}

fn clock(id: libc::clockid_t) -> libc::timespec {
    let mut t = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: writes the structure it is given; the clocks named here exist on Linux.
    unsafe { libc::clock_gettime(id, &mut t) };
    t
}

fn seconds(id: libc::clockid_t) -> Value {
    let t = clock(id);
    Value::float(t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9)
}

fn nanos(vm: &mut Vm, id: libc::clockid_t) -> Value {
    let t = clock(id);
    vm.new_int(t.tv_sec * 1_000_000_000 + t.tv_nsec)
}

/// A number of seconds.
///
/// # Errors
/// TypeError for what is no number, ValueError for NaN.
pub fn seconds_arg(vm: &mut Vm, v: Value) -> R<f64> {
    let s = match vm.as_float(v) {
        Some(f) => f,
        None => {
            let i = vm.index(v)?;
            vm.int_to_f64(i)?
        }
    };
    if s.is_nan() {
        return Err(vm.value_error("Invalid value NaN (not a number)"));
    }
    Ok(s)
}

/// A number of seconds as a length of time; `None` if negative.
///
/// # Errors
/// As [`seconds_arg`], and OverflowError when it is too long.
pub fn duration(vm: &mut Vm, v: Value) -> R<Option<Duration>> {
    let s = seconds_arg(vm, v)?;
    if s < 0.0 {
        return Ok(None);
    }
    match Duration::try_from_secs_f64(s) {
        Ok(d) if d.as_secs() < i64::MAX as u64 / 1_000_000_000 => Ok(Some(d)),
        _ => Err(vm.overflow_error("timestamp too large to convert to C _PyTime_t")),
    }
}

fn sleep(vm: &mut Vm, a: &[Value]) -> R {
    let Some(d) = duration(vm, a[0])? else {
        return Err(vm.value_error("sleep length must be non-negative"));
    };
    let end = Instant::now() + d;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let t = libc::timespec {
            tv_sec: left.as_secs() as i64,
            tv_nsec: left.subsec_nanos().into(),
        };
        // SAFETY: reads the time it is given. Unlike the library's own sleep it
        // comes back when a signal arrives.
        let r = vm.blocking(|| unsafe { libc::nanosleep(&t, std::ptr::null_mut()) });
        if r == 0 {
            return Ok(vm.none);
        }
        vm.answer_polls()?;
    }
}

/// Makes the module.
pub fn install(vm: &mut Vm) {
    let m = module(vm, "time", "Clocks, dates and sleeping.", &FUNCTIONS);
    let name = vm.intern("time");
    for f in &calendar::FUNCTIONS {
        let v = vm.native_function(f, Value::NULL, Value::NULL, name);
        set(vm, m, f.name, v);
    }
    for (name, id) in CLOCKS {
        set(vm, m, name, Value::int_unchecked(id.into()));
    }
    calendar::install(vm, m);
}
