//! Dates: broken-down time, its text, and the local time zone.
//!
//! The C library does the arithmetic; what it is given is checked as CPython does, since it trusts its input.

use crate::{fs, set, slots, structseq};
use pyrite_machine::Value;
use pyrite_objects::layout::Gc;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::vm::{R, Vm};
use std::ffi::CString;

/// The functions of the module that are about dates.
pub(super) static FUNCTIONS: [NativeDef; 8] = [
    def("gmtime", "(seconds=None, /)", effects::ANY, |vm, a| {
        let t = timestamp(vm, a[0])?;
        let tm = broken_down(vm, t, libc::gmtime_r)?;
        Ok(struct_time(vm, &tm))
    }),
    def("localtime", "(seconds=None, /)", effects::ANY, |vm, a| {
        let t = timestamp(vm, a[0])?;
        let tm = broken_down(vm, t, libc::localtime_r)?;
        Ok(struct_time(vm, &tm))
    }),
    def("mktime", "(tuple, /)", effects::ANY, mktime),
    def("asctime", "(tuple=None, /)", effects::ANY, |vm, a| {
        let tm = given_or_now(vm, a[0], "asctime")?;
        Ok(asctime(vm, &tm))
    }),
    def("ctime", "(seconds=None, /)", effects::ANY, |vm, a| {
        let t = timestamp(vm, a[0])?;
        let tm = broken_down(vm, t, libc::localtime_r)?;
        Ok(asctime(vm, &tm))
    }),
    def(
        "strftime",
        "(format, tuple=None, /)",
        effects::ANY,
        strftime,
    ),
    def(
        "strptime",
        "(string, format=None, /)",
        effects::ANY,
        strptime,
    ),
    def("tzset", "()", effects::WRITES, |vm, _| {
        // SAFETY: reads the environment, which nothing changes while the VM's lock is held.
        unsafe { tzset() };
        if let Some(m) = module_of(vm) {
            set_zone(vm, m);
        }
        Ok(vm.none)
    }),
];

unsafe extern "C" {
    fn tzset();
}

const FIELDS: [&str; 9] = [
    "tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec", "tm_wday", "tm_yday", "tm_isdst",
];

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Makes `struct_time` and the zone's names in module `m`.
pub(super) fn install(vm: &mut Vm, m: Value) {
    let class = structseq::new_class(
        vm,
        "time",
        "struct_time",
        &FIELDS,
        &["tm_zone", "tm_gmtoff"],
        true,
    );
    vm.statics[slots::STRUCT_TIME] = class.value();
    set(vm, m, "struct_time", class.value());
    set(vm, m, "_STRUCT_TM_ITEMS", Value::int_unchecked(11));
    set_zone(vm, m);
}

fn module_of(vm: &mut Vm) -> Option<Value> {
    let key = vm.intern("time");
    let m = vm.dict_get_str(vm.modules, key);
    (m.is_some() && vm.layout_of(m) == pyrite_objects::Layout::Module).then_some(m)
}

/// `timezone`, `altzone`, `daylight` and `tzname`, from what holds in January and in July.
fn set_zone(vm: &mut Vm, m: Value) {
    const YEAR: libc::time_t = (365 * 24 + 6) * 3600;
    // SAFETY: asks for the time and keeps nothing.
    let january = unsafe { libc::time(std::ptr::null_mut()) } / YEAR * YEAR;
    let at = |t: libc::time_t| {
        let mut tm = empty();
        // SAFETY: both places are valid. A zone nobody knows is UTC.
        unsafe { libc::localtime_r(&t, &mut tm) };
        (-tm.tm_gmtoff, zone_name(&tm))
    };
    let (winter, summer) = (at(january), at(january + YEAR / 2));
    // South of the equator summer time is in January.
    let (standard, daylight) = if winter.0 < summer.0 {
        (summer, winter)
    } else {
        (winter, summer)
    };
    let differs = standard.0 != daylight.0;
    let names = [&standard.1, &daylight.1].map(|n| vm.new_str(n));
    let names = vm.new_tuple(&names);
    set(vm, m, "timezone", Value::int_unchecked(standard.0));
    set(vm, m, "altzone", Value::int_unchecked(daylight.0));
    set(vm, m, "daylight", Value::int_unchecked(differs.into()));
    set(vm, m, "tzname", names);
}

fn empty() -> libc::tm {
    // SAFETY: numbers and a pointer that may be null.
    unsafe { std::mem::zeroed() }
}

fn zone_name(tm: &libc::tm) -> String {
    if tm.tm_zone.is_null() {
        return String::new();
    }
    // SAFETY: the C library's own string, good until the zone changes.
    unsafe { std::ffi::CStr::from_ptr(tm.tm_zone) }
        .to_string_lossy()
        .into_owned()
}

/// Seconds since the epoch, rounded down; now for `None`.
///
/// # Errors
/// TypeError, ValueError for NaN, OverflowError.
fn timestamp(vm: &mut Vm, v: Value) -> R<libc::time_t> {
    const RANGE: &str = "timestamp out of range for platform time_t";
    if v.is_null() || v == vm.none {
        // SAFETY: asks for the time and keeps nothing.
        return Ok(unsafe { libc::time(std::ptr::null_mut()) });
    }
    if let Some(f) = vm.as_float(v) {
        if f.is_nan() {
            return Err(vm.value_error("Invalid value NaN (not a number)"));
        }
        let f = f.floor();
        if !(i64::MIN as f64..-(i64::MIN as f64)).contains(&f) {
            return Err(vm.overflow_error(RANGE));
        }
        return Ok(f as libc::time_t);
    }
    let i = vm.index(v)?;
    match vm.int_to_i64(i) {
        Some(i) => Ok(i),
        None => Err(vm.overflow_error(RANGE)),
    }
}

type Breaker = unsafe extern "C" fn(*const libc::time_t, *mut libc::tm) -> *mut libc::tm;

fn broken_down(vm: &mut Vm, t: libc::time_t, breaker: Breaker) -> R<libc::tm> {
    let mut tm = empty();
    // SAFETY: both places are valid.
    if unsafe { breaker(&t, &mut tm) }.is_null() {
        let none = vm.none;
        return Err(fs::os_error(vm, libc::EOVERFLOW, none, none));
    }
    Ok(tm)
}

fn struct_time(vm: &mut Vm, tm: &libc::tm) -> Value {
    let items = [
        i64::from(tm.tm_year) + 1900,
        i64::from(tm.tm_mon) + 1,
        tm.tm_mday.into(),
        tm.tm_hour.into(),
        tm.tm_min.into(),
        tm.tm_sec.into(),
        // Python's week begins on Monday.
        (i64::from(tm.tm_wday) + 6) % 7,
        i64::from(tm.tm_yday) + 1,
        tm.tm_isdst.into(),
    ]
    .map(Value::int_unchecked);
    let class = Gc::from_value(vm.statics[slots::STRUCT_TIME]);
    let v = structseq::new(vm, class, &items);
    let name = vm.new_str(&zone_name(tm));
    for (key, x) in [
        ("tm_zone", name),
        ("tm_gmtoff", Value::int_unchecked(tm.tm_gmtoff)),
    ] {
        let key = vm.intern(key);
        vm.instance_set(v, key, x);
    }
    v
}

/// A `struct_time` or a tuple of nine integers as the C library has it.
///
/// # Errors
/// TypeError, OverflowError.
fn given(vm: &mut Vm, v: Value, function: &str) -> R<libc::tm> {
    let Some(t) = vm.as_tuple(v) else {
        return Err(vm.type_error("Tuple or struct_time argument required"));
    };
    if vm.tuple_len(t) != FIELDS.len() {
        return Err(vm.type_error(&format!("{function}(): illegal time tuple argument")));
    }
    let mut n = [0i32; FIELDS.len()];
    for (i, n) in n.iter_mut().enumerate() {
        let item = vm.tuple_get(t, i);
        if vm.as_float(item).is_some() {
            return Err(vm.type_error("'float' object cannot be interpreted as an integer"));
        }
        let item = vm.index(item)?;
        *n = match vm.int_to_i64(item).map(i32::try_from) {
            Some(Ok(i)) => i,
            other => {
                let m = match other {
                    None => "Python int too large to convert to C long",
                    Some(_) if vm.int_to_i64(item).is_some_and(|i| i < 0) => {
                        "signed integer is less than minimum"
                    }
                    Some(_) => "signed integer is greater than maximum",
                };
                return Err(vm.overflow_error(m));
            }
        };
    }
    let Some(year) = n[0].checked_sub(1900) else {
        return Err(vm.overflow_error("year out of range"));
    };
    let mut tm = empty();
    tm.tm_year = year;
    tm.tm_mon = n[1].wrapping_sub(1);
    tm.tm_mday = n[2];
    tm.tm_hour = n[3];
    tm.tm_min = n[4];
    tm.tm_sec = n[5];
    tm.tm_wday = n[6].wrapping_add(1) % 7;
    tm.tm_yday = n[7].wrapping_sub(1);
    tm.tm_isdst = n[8];
    let class = vm.statics[slots::STRUCT_TIME];
    if vm.class_of(v).value() == class {
        let key = vm.intern("tm_gmtoff");
        let offset = vm.instance_get(v, key);
        if let Some(offset) = offset.is_some().then(|| vm.int_to_i64(offset)).flatten() {
            tm.tm_gmtoff = offset;
        }
    }
    Ok(tm)
}

/// What was given, checked for text; the local time if nothing was.
fn given_or_now(vm: &mut Vm, v: Value, function: &str) -> R<libc::tm> {
    if v.is_null() {
        let t = timestamp(vm, v)?;
        return broken_down(vm, t, libc::localtime_r);
    }
    let mut tm = given(vm, v, function)?;
    check(vm, &mut tm)?;
    Ok(tm)
}

/// Refuses numbers that the C library's tables do not have; zero stands for the first of what counts from one.
fn check(vm: &mut Vm, tm: &mut libc::tm) -> R<()> {
    if tm.tm_mon == -1 {
        tm.tm_mon = 0;
    }
    if tm.tm_mday == 0 {
        tm.tm_mday = 1;
    }
    if tm.tm_yday == -1 {
        tm.tm_yday = 0;
    }
    let bad = if !(0..=11).contains(&tm.tm_mon) {
        "month out of range"
    } else if !(0..=31).contains(&tm.tm_mday) {
        "day of month out of range"
    } else if !(0..=23).contains(&tm.tm_hour) {
        "hour out of range"
    } else if !(0..=59).contains(&tm.tm_min) {
        "minute out of range"
    } else if !(0..=61).contains(&tm.tm_sec) {
        "seconds out of range"
    } else if tm.tm_wday < 0 {
        "day of week out of range"
    } else if !(0..=365).contains(&tm.tm_yday) {
        "day of year out of range"
    } else {
        return Ok(());
    };
    Err(vm.value_error(bad))
}

fn mktime(vm: &mut Vm, a: &[Value]) -> R {
    let mut tm = given(vm, a[0], "mktime")?;
    // The day of the week is set by every success, so it tells -1 from a failure.
    tm.tm_wday = -1;
    // SAFETY: a valid structure.
    let t = unsafe { libc::mktime(&mut tm) };
    if t == -1 && tm.tm_wday == -1 {
        return Err(vm.overflow_error("mktime argument out of range"));
    }
    Ok(Value::float(t as f64))
}

fn asctime(vm: &mut Vm, tm: &libc::tm) -> Value {
    let text = format!(
        "{} {}{:3} {:02}:{:02}:{:02} {}",
        DAYS[tm.tm_wday.rem_euclid(7) as usize],
        MONTHS[tm.tm_mon.rem_euclid(12) as usize],
        tm.tm_mday,
        tm.tm_hour,
        tm.tm_min,
        tm.tm_sec,
        i64::from(tm.tm_year) + 1900
    );
    vm.new_str(&text)
}

fn strftime(vm: &mut Vm, a: &[Value]) -> R {
    if vm.as_str(a[0]).is_none() {
        let m = format!(
            "strftime() argument 1 must be str, not {}",
            vm.class_name(a[0])
        );
        return Err(vm.type_error(&m));
    }
    let mut tm = given_or_now(vm, a[1], "strftime")?;
    tm.tm_isdst = tm.tm_isdst.clamp(-1, 1);
    let zone;
    if a[1].is_some() {
        // The name of a zone that is given goes into %Z.
        let key = vm.intern("tm_zone");
        let class = vm.statics[slots::STRUCT_TIME];
        if vm.class_of(a[1]).value() == class {
            let name = vm.instance_get(a[1], key);
            if name.is_some() && vm.as_str(name).is_some() {
                zone = CString::new(vm.str_to_string(name)).unwrap_or_default();
                tm.tm_zone = zone.as_ptr();
            }
        }
        if tm.tm_zone.is_null() {
            // Only the zone's name is taken from the conversion.
            let mut same = tm;
            // SAFETY: a valid structure.
            unsafe { libc::mktime(&mut same) };
            tm.tm_zone = same.tm_zone;
        }
    }
    let format = match vm.as_str(a[0]) {
        Some(s) => fs::encode(vm.text(s)),
        None => Vec::new(),
    };
    let Ok(format) = CString::new(format) else {
        return Err(vm.value_error("embedded null character"));
    };
    if format.is_empty() {
        return Ok(vm.empty_str);
    }
    let mut size = 1024;
    loop {
        let mut out = vec![0u8; size];
        // SAFETY: the buffer has `size` bytes; format and structure are valid.
        let n = unsafe { libc::strftime(out.as_mut_ptr().cast(), size, format.as_ptr(), &tm) };
        // 0 may mean an empty text as well: then no larger buffer helps.
        if n > 0 || size >= 256 * format.as_bytes().len() {
            return Ok(fs::decode(vm, &out[..n]));
        }
        size *= 2;
    }
}

fn strptime(vm: &mut Vm, a: &[Value]) -> R {
    let m = vm.import_module("_strptime")?;
    let f = vm.getattr_str(m, "_strptime_time")?;
    if a[1].is_null() {
        return vm.call(f, &a[..1]);
    }
    vm.call(f, a)
}

/// `get_clock_info(name)`
pub(super) fn clock_info(vm: &mut Vm, a: &[Value]) -> R {
    let name = vm.str_to_string(a[0]);
    let (clock, monotonic, adjustable) = match name.as_str() {
        "time" => ("CLOCK_REALTIME", false, true),
        "monotonic" | "perf_counter" => ("CLOCK_MONOTONIC", true, false),
        "process_time" => ("CLOCK_PROCESS_CPUTIME_ID", true, false),
        "thread_time" => ("CLOCK_THREAD_CPUTIME_ID", true, false),
        _ => return Err(vm.value_error("unknown clock")),
    };
    let info = vm.new_instance(vm.types.namespace);
    let how = vm.new_str(&format!("clock_gettime({clock})"));
    let (monotonic, adjustable) = (vm.bool(monotonic), vm.bool(adjustable));
    for (key, v) in [
        ("implementation", how),
        ("monotonic", monotonic),
        ("adjustable", adjustable),
        ("resolution", Value::float(1e-9)),
    ] {
        let key = vm.intern(key);
        vm.setattr(info, key, v)?;
    }
    Ok(info)
}
