//! The `math` module.
//!
//! Functions of doubles are in [`real`], of integers in [`integer`]; here they
//! meet Python's numbers and errors.

mod integer;
pub mod real;

use crate::{module, set};
use dashu_int::ops::BitTest;
use pyrite_machine::Value;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::numbers::frexp;
use pyrite_objects::ops::BinOp;
use pyrite_objects::vm::{R, Raised, Vm};
use real::{Edge, c, checked, checked2};

const CALLS: u8 = effects::CALLS;

fn edge(vm: &mut Vm, e: Edge) -> Raised {
    match e {
        Edge::Domain => vm.value_error("math domain error"),
        Edge::Range => vm.overflow_error("math range error"),
    }
}

fn real1(vm: &mut Vm, a: &[Value], f: impl Fn(f64) -> Result<f64, Edge>) -> R {
    let x = vm.number_to_f64(a[0])?;
    match f(x) {
        Ok(r) => Ok(Value::float(r)),
        Err(e) => Err(edge(vm, e)),
    }
}

fn real2(vm: &mut Vm, a: &[Value], f: impl Fn(f64, f64) -> Result<f64, Edge>) -> R {
    let x = vm.number_to_f64(a[0])?;
    let y = vm.number_to_f64(a[1])?;
    match f(x, y) {
        Ok(r) => Ok(Value::float(r)),
        Err(e) => Err(edge(vm, e)),
    }
}

/// A function of one number that the C library has.
macro_rules! c1 {
    ($name:literal, $f:expr) => {
        c1!($name, $f, false)
    };
    ($name:literal, $f:expr, $overflows:expr) => {
        def($name, "(x, /)", CALLS, |vm, a| {
            real1(vm, a, |x| checked(x, $f(x), $overflows))
        })
    };
}

/// A function of one number that reports its own errors.
macro_rules! own1 {
    ($name:literal, $f:expr) => {
        def($name, "(x, /)", CALLS, |vm, a| real1(vm, a, $f))
    };
}

static FUNCTIONS: &[NativeDef] = &[
    c1!("acos", c::acos),
    c1!("acosh", c::acosh),
    c1!("asin", c::asin),
    c1!("asinh", c::asinh),
    c1!("atan", c::atan),
    c1!("atanh", c::atanh),
    c1!("cbrt", c::cbrt),
    c1!("cos", c::cos),
    c1!("cosh", c::cosh, true),
    c1!("erf", c::erf),
    c1!("erfc", c::erfc),
    c1!("exp", c::exp, true),
    c1!("exp2", c::exp2, true),
    c1!("expm1", c::expm1, true),
    c1!("fabs", f64::abs),
    c1!("log1p", c::log1p),
    c1!("sin", c::sin),
    c1!("sinh", c::sinh, true),
    c1!("sqrt", f64::sqrt),
    c1!("tan", c::tan),
    c1!("tanh", c::tanh),
    own1!("gamma", real::gamma),
    own1!("lgamma", real::lgamma),
    own1!("degrees", |x| Ok(x * (180.0 / std::f64::consts::PI))),
    own1!("radians", |x| Ok(x * (std::f64::consts::PI / 180.0))),
    own1!("ulp", |x| Ok(ulp(x))),
    def("atan2", "(y, x, /)", CALLS, |vm, a| {
        real2(vm, a, |y, x| Ok(c::atan2(y, x)))
    }),
    def("copysign", "(x, y, /)", CALLS, |vm, a| {
        real2(vm, a, |x, y| Ok(x.copysign(y)))
    }),
    def("remainder", "(x, y, /)", CALLS, |vm, a| {
        real2(vm, a, |x, y| checked2(x, y, c::remainder(x, y)))
    }),
    def("nextafter", "(x, y, /)", CALLS, |vm, a| {
        real2(vm, a, |x, y| Ok(c::nextafter(x, y)))
    }),
    def("fmod", "(x, y, /)", CALLS, |vm, a| real2(vm, a, real::fmod)),
    def("pow", "(x, y, /)", CALLS, |vm, a| real2(vm, a, real::pow)),
    def("log", "(*args)", CALLS, log),
    def("log2", "(x, /)", CALLS, |vm, a| {
        logarithm(vm, a[0], |x| c::log2(x))
    }),
    def("log10", "(x, /)", CALLS, |vm, a| {
        logarithm(vm, a[0], |x| c::log10(x))
    }),
    def("isnan", "(x, /)", CALLS, |vm, a| {
        let x = vm.number_to_f64(a[0])?;
        Ok(vm.bool(x.is_nan()))
    }),
    def("isinf", "(x, /)", CALLS, |vm, a| {
        let x = vm.number_to_f64(a[0])?;
        Ok(vm.bool(x.is_infinite()))
    }),
    def("isfinite", "(x, /)", CALLS, |vm, a| {
        let x = vm.number_to_f64(a[0])?;
        Ok(vm.bool(x.is_finite()))
    }),
    def(
        "isclose",
        "(a, b, *, rel_tol=1e-09, abs_tol=0.0)",
        CALLS,
        isclose,
    ),
    def("frexp", "(x, /)", CALLS, |vm, a| {
        let x = vm.number_to_f64(a[0])?;
        let (m, e) = frexp(x.abs());
        Ok(vm.new_tuple(&[Value::float(m.copysign(x)), Value::small(e)]))
    }),
    def("ldexp", "(x, i, /)", CALLS, ldexp),
    def("modf", "(x, /)", CALLS, |vm, a| {
        let x = vm.number_to_f64(a[0])?;
        let (f, i) = if x.is_infinite() {
            (0f64.copysign(x), x)
        } else {
            ((x - x.trunc()).copysign(x), x.trunc())
        };
        Ok(vm.new_tuple(&[Value::float(f), Value::float(i)]))
    }),
    def("floor", "(x, /)", CALLS, |vm, a| {
        rounded(vm, a[0], "__floor__", f64::floor)
    }),
    def("ceil", "(x, /)", CALLS, |vm, a| {
        rounded(vm, a[0], "__ceil__", f64::ceil)
    }),
    def("trunc", "(x, /)", CALLS, trunc),
    def("fsum", "(seq, /)", CALLS, fsum),
    def("hypot", "(*coordinates)", CALLS, |vm, a| {
        let n = vm.tuple_len(a[0]);
        let mut v = Vec::with_capacity(n);
        for i in 0..n {
            v.push(vm.number_to_f64(vm.tuple_get(a[0], i))?);
        }
        Ok(norm(v))
    }),
    def("dist", "(p, q, /)", CALLS, dist),
    def("prod", "(iterable, /, *, start=1)", CALLS, prod),
    def("gcd", "(*integers)", CALLS, integer::gcd),
    def("lcm", "(*integers)", CALLS, integer::lcm),
    def("isqrt", "(n, /)", CALLS, integer::isqrt),
    def("factorial", "(n, /)", CALLS, integer::factorial),
    def("comb", "(n, k, /)", CALLS, integer::comb),
    def("perm", "(n, k=None, /)", CALLS, integer::perm),
];

fn ulp(x: f64) -> f64 {
    let x = x.abs();
    if !x.is_finite() {
        return x;
    }
    let next = x.next_up();
    if next.is_infinite() {
        x - x.next_down()
    } else {
        next - x
    }
}

/// A logarithm of a float, or of an int of any size.
fn log_f64(vm: &mut Vm, v: Value, f: fn(f64) -> f64) -> R<f64> {
    let Some(i) = vm.as_int(v) else {
        let x = vm.number_to_f64(v)?;
        return real::logarithm(x, f).map_err(|e| edge(vm, e));
    };
    let b = vm.int_to_big(i);
    if b <= dashu_int::IBig::ZERO {
        return Err(vm.value_error("math domain error"));
    }
    match i.as_int() {
        Some(i) => Ok(f(i as f64)),
        None => {
            let x = b.to_f64().value();
            if x.is_finite() {
                return Ok(f(x));
            }
            // Beyond a double: the top bits and the exponent apart.
            let e = b.bit_len();
            let m = (b >> (e - 64)).to_f64().value() / 18_446_744_073_709_551_616.0;
            Ok(real::scaled_log(m, e as f64, f))
        }
    }
}

fn logarithm(vm: &mut Vm, v: Value, f: fn(f64) -> f64) -> R {
    log_f64(vm, v, f).map(Value::float)
}

fn log(vm: &mut Vm, a: &[Value]) -> R {
    let args = vm.tuple_items(a[0]);
    let (x, base) = match args {
        [x] => (*x, None),
        [x, base] => (*x, Some(*base)),
        _ => return Err(vm.type_error("math.log requires 1 to 2 arguments")),
    };
    let num = log_f64(vm, x, |x| c::log(x))?;
    let Some(base) = base else {
        return Ok(Value::float(num));
    };
    let den = log_f64(vm, base, |x| c::log(x))?;
    vm.binary(BinOp::TrueDiv, Value::float(num), Value::float(den), false)
}

fn isclose(vm: &mut Vm, a: &[Value]) -> R {
    let x = vm.number_to_f64(a[0])?;
    let y = vm.number_to_f64(a[1])?;
    let or = |vm: &mut Vm, v: Value, d: f64| {
        if v.is_null() {
            Ok(d)
        } else {
            vm.number_to_f64(v)
        }
    };
    let rel = or(vm, a[2], 1e-9)?;
    let abs = or(vm, a[3], 0.0)?;
    if rel < 0.0 || abs < 0.0 {
        return Err(vm.value_error("tolerances must be non-negative"));
    }
    let close = x == y
        || !x.is_infinite() && !y.is_infinite() && {
            let diff = (y - x).abs();
            diff <= (rel * y).abs() || diff <= (rel * x).abs() || diff <= abs
        };
    Ok(vm.bool(close))
}

fn ldexp(vm: &mut Vm, a: &[Value]) -> R {
    let x = vm.number_to_f64(a[0])?;
    let Some(i) = vm.as_int(a[1]) else {
        return Err(vm.type_error("Expected an int as second argument to ldexp."));
    };
    if x == 0.0 || !x.is_finite() {
        return Ok(Value::float(x));
    }
    let n = match vm.int_to_i64(i) {
        Some(n) => n.clamp(-100_000, 100_000) as i32,
        None if pyrite_objects::int::is_negative(vm, i) => -100_000,
        None => 100_000,
    };
    let r = c::ldexp(x, n);
    if r.is_infinite() {
        return Err(edge(vm, Edge::Range));
    }
    Ok(Value::float(r))
}

fn rounded(vm: &mut Vm, v: Value, name: &str, f: fn(f64) -> f64) -> R {
    if let Some(x) = v.as_float() {
        return vm.float_to_int(f(x));
    }
    let name = vm.intern(name);
    if let Some(r) = vm.call_special(v, name, &[])? {
        return Ok(r);
    }
    let x = vm.number_to_f64(v)?;
    vm.float_to_int(f(x))
}

fn trunc(vm: &mut Vm, a: &[Value]) -> R {
    if let Some(x) = a[0].as_float() {
        return vm.float_to_int(x);
    }
    let name = vm.intern("__trunc__");
    match vm.call_special(a[0], name, &[])? {
        Some(r) => Ok(r),
        None => {
            let m = format!(
                "type {} doesn't define __trunc__ method",
                vm.class_name(a[0])
            );
            Err(vm.type_error(&m))
        }
    }
}

fn fsum(vm: &mut Vm, a: &[Value]) -> R {
    let it = vm.get_iter(a[0])?;
    let mut sum = real::ExactSum::default();
    while let Some(v) = vm.iter_next(it)? {
        let x = vm.number_to_f64(v)?;
        if sum.add(x).is_err() {
            return Err(vm.overflow_error("intermediate overflow in fsum"));
        }
    }
    match sum.finish() {
        Ok(x) => Ok(Value::float(x)),
        Err(_) => Err(vm.value_error("-inf + inf in fsum")),
    }
}

fn norm(mut v: Vec<f64>) -> Value {
    let (mut max, mut has_nan) = (0.0, false);
    for x in &mut v {
        *x = x.abs();
        has_nan |= x.is_nan();
        if *x > max {
            max = *x;
        }
    }
    Value::float(real::vector_norm(&v, max, has_nan))
}

fn dist(vm: &mut Vm, a: &[Value]) -> R {
    let p = vm.tuple_from_iterable(a[0])?;
    let q = vm.tuple_from_iterable(a[1])?;
    let n = vm.tuple_len(p);
    if n != vm.tuple_len(q) {
        return Err(vm.value_error("both points must have the same number of dimensions"));
    }
    let mut v = Vec::with_capacity(n);
    for i in 0..n {
        let x = vm.number_to_f64(vm.tuple_get(p, i))?;
        let y = vm.number_to_f64(vm.tuple_get(q, i))?;
        v.push(x - y);
    }
    Ok(norm(v))
}

fn prod(vm: &mut Vm, a: &[Value]) -> R {
    let it = vm.get_iter(a[0])?;
    let mut total = if a[1].is_null() {
        Value::small(1)
    } else {
        a[1]
    };
    while let Some(v) = vm.iter_next(it)? {
        total = vm.binary(BinOp::Mul, total, v, false)?;
    }
    Ok(total)
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let doc =
        "This module provides access to the mathematical functions\ndefined by the C standard.";
    let m = module(vm, "math", doc, FUNCTIONS);
    for (name, x) in [
        ("pi", std::f64::consts::PI),
        ("e", std::f64::consts::E),
        ("tau", std::f64::consts::TAU),
        ("inf", f64::INFINITY),
        ("nan", f64::NAN),
    ] {
        set(vm, m, name, Value::float(x));
    }
    Ok(m)
}
