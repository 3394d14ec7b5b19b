//! `int`: arithmetic beyond machine words. The class's methods are in `int_type.rs`.

use crate::vm::{R, Vm};
use dashu_int::ops::BitTest;
use dashu_int::{IBig, Sign, UBig};
use pyrite_machine::Value;

/// True if an exact int is below zero.
pub fn is_negative(vm: &Vm, v: Value) -> bool {
    match v.as_int() {
        Some(i) => i < 0,
        None => vm.int_to_big(v).sign() == Sign::Negative,
    }
}

/// Quotient rounded down, and remainder with the divisor's sign. `y` is not zero.
pub fn div_mod_floor(x: &IBig, y: &IBig) -> (IBig, IBig) {
    let q = x / y;
    let r = x - &q * y;
    if r != IBig::ZERO && (r.sign() != y.sign()) {
        (q - IBig::ONE, r + y)
    } else {
        (q, r)
    }
}

/// `x / y`, correctly rounded.
pub fn true_div(vm: &mut Vm, x: &IBig, y: &IBig) -> R {
    if *y == IBig::ZERO {
        return Err(vm.zero_division_error("division by zero"));
    }
    if *x == IBig::ZERO {
        let zero = if y.sign() == Sign::Negative {
            -0.0
        } else {
            0.0
        };
        return Ok(Value::float(zero));
    }
    let negative = (x.sign() == Sign::Negative) != (y.sign() == Sign::Negative);
    let (a, b) = (
        UBig::try_from(abs(x)).unwrap_or_default(),
        UBig::try_from(abs(y)).unwrap_or_default(),
    );
    // Scale so that the integer quotient has at least 66 bits, the last one
    // sticky; the conversion to double then rounds once.
    let shift = a.bit_len() as i64 - b.bit_len() as i64 - 66;
    let (q, r) = if shift >= 0 {
        let d = b << shift as usize;
        (&a / &d, &a % &d)
    } else {
        let n = a << (-shift) as usize;
        (&n / &b, &n % &b)
    };
    let q = if r == UBig::ZERO { q } else { q | UBig::ONE };
    let e = q.bit_len() as i64 + shift;
    if e > 1024 {
        return Err(vm.overflow_error("integer division result too large for a float"));
    }
    let f = scale(&q, shift);
    if f.is_infinite() {
        return Err(vm.overflow_error("integer division result too large for a float"));
    }
    Ok(Value::float(if negative { -f } else { f }))
}

/// `q * 2**shift` rounded once to nearest, ties to even; `q` has 66 or 67 bits
/// with a sticky last bit.
fn scale(q: &UBig, shift: i64) -> f64 {
    let len = q.bit_len() as i64;
    // Bits of precision at this magnitude: 53, fewer among subnormals.
    let exponent = len + shift;
    let keep = if exponent < -1021 {
        53 - (-1021 - exponent)
    } else {
        53
    };
    if keep < 0 {
        return 0.0;
    }
    let drop = (len - keep) as usize;
    let mut m = q >> drop;
    let rest = q - (&m << drop);
    let half = UBig::ONE << (drop - 1);
    if rest > half || rest == half && (&m & UBig::ONE) == UBig::ONE {
        m += UBig::ONE;
    }
    let m: u64 = u64::try_from(&m).unwrap_or(u64::MAX);
    let e = shift + drop as i64;
    // Two steps, neither of which rounds.
    let half_e = e / 2;
    m as f64 * exp2(half_e) * exp2(e - half_e)
}

/// `2.0 ** e`, exact; `e` within `-1074..=1023`.
pub fn exp2(e: i64) -> f64 {
    if e >= -1022 {
        f64::from_bits(((e + 1023) as u64) << 52)
    } else {
        f64::from_bits(1 << (e + 1074))
    }
}

/// The absolute value.
pub fn abs(x: &IBig) -> IBig {
    if x.sign() == Sign::Negative {
        -x
    } else {
        x.clone()
    }
}

/// `a ** b` of exact ints.
pub fn int_pow(vm: &mut Vm, a: Value, b: Value) -> R {
    if is_negative(vm, b) {
        if a == Value::small(0) {
            return Err(vm.zero_division_error("0.0 cannot be raised to a negative power"));
        }
        let (x, y) = (vm.int_to_f64(a)?, vm.int_to_f64(b)?);
        return crate::float::float_pow(vm, x, y);
    }
    let Some(e) = b.as_int() else {
        return match a.as_int() {
            Some(0 | 1) => Ok(a),
            Some(-1) => {
                let odd = vm.int_to_big(b) & IBig::ONE;
                Ok(Value::small(if odd == IBig::ONE { -1 } else { 1 }))
            }
            _ => Err(vm.memory_error("")),
        };
    };
    if let Some(x) = a.as_int()
        && let Some(r) = u32::try_from(e).ok().and_then(|e| x.checked_pow(e))
    {
        return Ok(vm.new_int(r));
    }
    let x = vm.int_to_big(a);
    if let Some(i) = a.as_int()
        && (i == 0 || i == 1 || i == -1)
    {
        return Ok(Value::int_unchecked(if i == -1 && e % 2 == 0 {
            1
        } else {
            i
        }));
    }
    let bits = abs(&x);
    let bits = UBig::try_from(bits).unwrap_or_default().bit_len() as u128 * e as u128;
    if bits > 8 << 32 {
        return Err(vm.memory_error(""));
    }
    let r = x.pow(e as usize);
    Ok(vm.new_big(&r))
}

/// `x << y` or `x >> y`.
pub fn shift(vm: &mut Vm, left: bool, x: IBig, y: IBig) -> R {
    if y.sign() == Sign::Negative && y != IBig::ZERO {
        return Err(vm.value_error("negative shift count"));
    }
    let n = usize::try_from(&y).ok();
    if left {
        if x == IBig::ZERO {
            return Ok(Value::small(0));
        }
        return match n {
            Some(n) if n < 1 << 36 => {
                let r = x << n;
                Ok(vm.new_big(&r))
            }
            _ => Err(vm.overflow_error("too many digits in integer")),
        };
    }
    let r = match n {
        Some(n) => x >> n,
        None if x.sign() == Sign::Negative => IBig::NEG_ONE,
        None => IBig::ZERO,
    };
    Ok(vm.new_big(&r))
}
