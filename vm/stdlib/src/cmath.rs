//! The `cmath` module, over the C library's complex functions, which know the
//! special values of C99's annex G; here it is said which of them are errors.

use crate::math::real::{Edge, c};
use crate::{module, set};
use pyrite_machine::Value;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::vm::{R, Raised, Vm};

const CALLS: u8 = effects::CALLS;

/// A complex number, laid out and passed as C's `double complex`.
#[derive(Clone, Copy)]
#[repr(C)]
struct Complex {
    re: f64,
    im: f64,
}

unsafe extern "C" {
    safe fn cacos(z: Complex) -> Complex;
    safe fn cacosh(z: Complex) -> Complex;
    safe fn casin(z: Complex) -> Complex;
    safe fn casinh(z: Complex) -> Complex;
    safe fn catan(z: Complex) -> Complex;
    safe fn catanh(z: Complex) -> Complex;
    safe fn ccos(z: Complex) -> Complex;
    safe fn ccosh(z: Complex) -> Complex;
    safe fn cexp(z: Complex) -> Complex;
    safe fn clog(z: Complex) -> Complex;
    safe fn csin(z: Complex) -> Complex;
    safe fn csinh(z: Complex) -> Complex;
    safe fn csqrt(z: Complex) -> Complex;
    safe fn ctan(z: Complex) -> Complex;
    safe fn ctanh(z: Complex) -> Complex;
    safe fn hypot(x: f64, y: f64) -> f64;
}

type Res = Result<Complex, Edge>;

impl Complex {
    fn is_finite(self) -> bool {
        self.re.is_finite() && self.im.is_finite()
    }

    fn is_infinite(self) -> bool {
        self.re.is_infinite() || self.im.is_infinite()
    }

    /// A quarter turn.
    fn turned(self) -> Complex {
        Complex {
            re: -self.im,
            im: self.re,
        }
    }
}

/// Infinity out of finite numbers is an overflow.
fn ranged(z: Complex, r: Complex) -> Res {
    if r.is_infinite() && z.is_finite() {
        Err(Edge::Range)
    } else {
        Ok(r)
    }
}

/// `cosh` and `sinh`: no value where the angle is infinite.
fn hyperbolic(z: Complex, f: fn(Complex) -> Complex) -> Res {
    if z.im.is_infinite() && !z.re.is_nan() {
        return Err(Edge::Domain);
    }
    ranged(z, f(z))
}

fn exp(z: Complex) -> Res {
    if z.im.is_infinite() && (z.re.is_finite() || z.re == f64::INFINITY) {
        return Err(Edge::Domain);
    }
    ranged(z, cexp(z))
}

fn log(z: Complex) -> Res {
    if z.re == 0.0 && z.im == 0.0 {
        return Err(Edge::Domain);
    }
    Ok(clog(z))
}

fn log10(z: Complex) -> Res {
    let r = log(z)?;
    let e = std::f64::consts::LN_10;
    Ok(Complex {
        re: r.re / e,
        im: r.im / e,
    })
}

fn tanh(z: Complex) -> Res {
    if z.im.is_infinite() && z.re.is_finite() {
        return Err(Edge::Domain);
    }
    Ok(ctanh(z))
}

fn tan(z: Complex) -> Res {
    if z.re.is_infinite() && z.im.is_finite() {
        return Err(Edge::Domain);
    }
    Ok(ctan(z))
}

fn atanh(z: Complex) -> Res {
    if z.re.abs() == 1.0 && z.im == 0.0 {
        return Err(Edge::Domain);
    }
    Ok(catanh(z))
}

fn atan(z: Complex) -> Res {
    if z.im.abs() == 1.0 && z.re == 0.0 {
        return Err(Edge::Domain);
    }
    Ok(catan(z))
}

fn argument(vm: &mut Vm, v: Value) -> R<Complex> {
    match vm.special_complex(v)? {
        Some((re, im)) => Ok(Complex { re, im }),
        None => {
            let re = vm.number_to_f64(v)?;
            Ok(Complex { re, im: 0.0 })
        }
    }
}

fn edge(vm: &mut Vm, e: Edge) -> Raised {
    match e {
        Edge::Domain => vm.value_error("math domain error"),
        Edge::Range => vm.overflow_error("math range error"),
    }
}

fn apply(vm: &mut Vm, v: Value, f: impl Fn(Complex) -> Res) -> R {
    let z = argument(vm, v)?;
    match f(z) {
        Ok(r) => Ok(vm.new_complex(r.re, r.im)),
        Err(e) => Err(edge(vm, e)),
    }
}

macro_rules! functions {
    ($($name:literal $f:expr;)*) => {
        static FUNCTIONS: &[NativeDef] = &[
            $(def($name, "(z, /)", CALLS, |vm, a| apply(vm, a[0], $f)),)*
            def("log", "(z, base=<unrepresentable>, /)", CALLS, log_to_base),
            def("phase", "(z, /)", CALLS, |vm, a| {
                let z = argument(vm, a[0])?;
                Ok(Value::float(c::atan2(z.im, z.re)))
            }),
            def("polar", "(z, /)", CALLS, |vm, a| {
                let z = argument(vm, a[0])?;
                let r = hypot(z.re, z.im);
                if r.is_infinite() && z.is_finite() {
                    return Err(edge(vm, Edge::Range));
                }
                Ok(vm.new_tuple(&[Value::float(r), Value::float(c::atan2(z.im, z.re))]))
            }),
            def("rect", "(r, phi, /)", CALLS, rect),
            def("isnan", "(z, /)", CALLS, |vm, a| {
                let z = argument(vm, a[0])?;
                Ok(vm.bool(z.re.is_nan() || z.im.is_nan()))
            }),
            def("isinf", "(z, /)", CALLS, |vm, a| {
                let z = argument(vm, a[0])?;
                Ok(vm.bool(z.is_infinite()))
            }),
            def("isfinite", "(z, /)", CALLS, |vm, a| {
                let z = argument(vm, a[0])?;
                Ok(vm.bool(z.is_finite()))
            }),
            def("isclose", "(a, b, *, rel_tol=1e-09, abs_tol=0.0)", CALLS, isclose),
        ];
    };
}

functions! {
    "acos" |z| Ok(cacos(z));
    "acosh" |z| Ok(cacosh(z));
    "asin" |z| Ok(casin(z));
    "asinh" |z| Ok(casinh(z));
    "atan" atan;
    "atanh" atanh;
    "cos" |z| hyperbolic(z.turned(), |w| ccos(Complex { re: w.im, im: -w.re }));
    "cosh" |z| hyperbolic(z, |z| ccosh(z));
    "exp" exp;
    "log10" log10;
    "sin" |z| hyperbolic(z.turned(), |w| csin(Complex { re: w.im, im: -w.re }));
    "sinh" |z| hyperbolic(z, |z| csinh(z));
    "sqrt" |z| Ok(csqrt(z));
    "tan" tan;
    "tanh" tanh;
}

fn log_to_base(vm: &mut Vm, a: &[Value]) -> R {
    let num = apply(vm, a[0], log)?;
    if a[1].is_null() {
        return Ok(num);
    }
    let den = apply(vm, a[1], log)?;
    let r = vm.binary(pyrite_objects::ops::BinOp::TrueDiv, num, den, false);
    let zero = vm.types.zero_division_error;
    match vm.catch(r, zero)? {
        Some(v) => Ok(v),
        None => Err(edge(vm, Edge::Domain)),
    }
}

fn rect(vm: &mut Vm, a: &[Value]) -> R {
    let r = vm.number_to_f64(a[0])?;
    let phi = vm.number_to_f64(a[1])?;
    if phi.is_infinite() && r != 0.0 && !r.is_nan() {
        return Err(edge(vm, Edge::Domain));
    }
    let (re, im) = if r == 0.0 && !phi.is_finite() {
        (0.0, 0.0)
    } else if phi == 0.0 {
        // Infinity times zero would be no number.
        (r, r.signum() * phi)
    } else {
        (r * c::cos(phi), r * c::sin(phi))
    };
    let im = if phi == 0.0 && r.is_finite() {
        r * phi
    } else {
        im
    };
    Ok(vm.new_complex(re, im))
}

fn isclose(vm: &mut Vm, a: &[Value]) -> R {
    let x = argument(vm, a[0])?;
    let y = argument(vm, a[1])?;
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
    let close = x.re == y.re && x.im == y.im
        || !x.is_infinite() && !y.is_infinite() && {
            let diff = hypot(x.re - y.re, x.im - y.im);
            diff <= rel * hypot(y.re, y.im) || diff <= rel * hypot(x.re, x.im) || diff <= abs
        };
    Ok(vm.bool(close))
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let doc = "This module provides access to mathematical functions for complex\nnumbers.";
    let m = module(vm, "cmath", doc, FUNCTIONS);
    for (name, x) in [
        ("pi", std::f64::consts::PI),
        ("e", std::f64::consts::E),
        ("tau", std::f64::consts::TAU),
        ("inf", f64::INFINITY),
        ("nan", f64::NAN),
    ] {
        set(vm, m, name, Value::float(x));
    }
    for (name, im) in [("infj", f64::INFINITY), ("nanj", f64::NAN)] {
        let v = vm.new_complex(0.0, im);
        set(vm, m, name, v);
    }
    Ok(m)
}
