//! `float`: arithmetic that needs care, and the class's methods.

use crate::vm::{R, Vm};
use pyrite_machine::Value;

/// `a ** b` of doubles.
pub fn float_pow(vm: &mut Vm, a: f64, b: f64) -> R {
    if a == 0.0 && b < 0.0 {
        return Err(vm.zero_division_error("0.0 cannot be raised to a negative power"));
    }
    if a < 0.0 && a.is_finite() && b.is_finite() && b != b.floor() {
        // A complex result, from polar coordinates.
        let (len, angle) = ((-a).powf(b), std::f64::consts::PI * b);
        return Ok(vm.new_complex(len * angle.cos(), len * angle.sin()));
    }
    let r = a.powf(b);
    if r.is_infinite() && a.is_finite() && b.is_finite() {
        let class = vm.types.overflow_error;
        let m = vm.new_str("Numerical result out of range");
        return Err(vm.raise_args(class, &[Value::small(34), m]));
    }
    Ok(Value::float(r))
}

/// Gives `float` its methods.
pub fn install(_vm: &mut Vm) {}
