//! The `time` module: clocks and sleeping.

use crate::module;
use pyrite_machine::Value;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::vm::{R, Vm};
use std::time::{Duration, Instant};

static FUNCTIONS: [NativeDef; 12] = [
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
    def("tzset", "()", effects::WRITES, |vm, _| Ok(vm.none)),
];

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
    module(vm, "time", "Clocks and sleeping.", &FUNCTIONS);
}
