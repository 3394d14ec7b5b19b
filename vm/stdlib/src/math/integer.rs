//! Functions of integers.

use dashu_int::ops::{DivRem, Gcd, SquareRoot};
use dashu_int::{IBig, UBig};
use pyrite_machine::Value;
use pyrite_objects::vm::{R, Vm};

fn magnitude(vm: &mut Vm, v: Value) -> R<UBig> {
    let i = vm.index(v)?;
    Ok(vm.int_to_big(i).into_parts().1)
}

fn unsigned(vm: &mut Vm, n: UBig) -> Value {
    vm.new_big(&IBig::from(n))
}

pub(super) fn gcd(vm: &mut Vm, a: &[Value]) -> R {
    let mut r = UBig::ZERO;
    for i in 0..vm.tuple_len(a[0]) {
        let n = magnitude(vm, vm.tuple_get(a[0], i))?;
        // The library's gcd(0, 0) is no number.
        r = match (r == UBig::ZERO, n == UBig::ZERO) {
            (true, _) => n,
            (_, true) => r,
            _ => r.gcd(n),
        };
    }
    Ok(unsigned(vm, r))
}

pub(super) fn lcm(vm: &mut Vm, a: &[Value]) -> R {
    let mut r = UBig::ONE;
    for i in 0..vm.tuple_len(a[0]) {
        let n = magnitude(vm, vm.tuple_get(a[0], i))?;
        r = if r == UBig::ZERO || n == UBig::ZERO {
            UBig::ZERO
        } else {
            let g = (&r).gcd(&n);
            r / g * n
        };
    }
    Ok(unsigned(vm, r))
}

pub(super) fn isqrt(vm: &mut Vm, a: &[Value]) -> R {
    let i = vm.index(a[0])?;
    if pyrite_objects::int::is_negative(vm, i) {
        return Err(vm.value_error("isqrt() argument must be nonnegative"));
    }
    let r = vm.int_to_big(i).into_parts().1.sqrt();
    Ok(unsigned(vm, r))
}

/// `lo * (lo + 1) * ... * (hi - 1)`, by halves so that factors stay of one size.
fn product(lo: u64, hi: u64) -> UBig {
    if hi <= lo {
        return UBig::ONE;
    }
    if hi - lo <= 8 {
        return (lo..hi).fold(UBig::ONE, |p, i| p * i);
    }
    let mid = lo + (hi - lo) / 2;
    product(lo, mid) * product(mid, hi)
}

pub(super) fn factorial(vm: &mut Vm, a: &[Value]) -> R {
    let i = vm.index(a[0])?;
    if pyrite_objects::int::is_negative(vm, i) {
        return Err(vm.value_error("factorial() not defined for negative values"));
    }
    let Some(n) = vm.int_to_i64(i) else {
        let m = format!("factorial() argument should not exceed {}", i64::MAX);
        return Err(vm.overflow_error(&m));
    };
    let r = product(2, n as u64 + 1);
    Ok(unsigned(vm, r))
}

/// `n * (n - 1) * ...` of `k` factors, for an `n` of any size.
fn falling(n: &UBig, k: u64) -> UBig {
    if k <= 8 {
        return (0..k).fold(UBig::ONE, |p, i| p * (n - UBig::from(i)));
    }
    let half = k / 2;
    falling(n, half) * falling(&(n - UBig::from(half)), k - half)
}

/// Both numbers, checked not to be negative.
fn two(vm: &mut Vm, a: &[Value]) -> R<(UBig, UBig)> {
    let (n, k) = (vm.index(a[0])?, vm.index(a[1])?);
    for (v, name) in [(n, "n"), (k, "k")] {
        if pyrite_objects::int::is_negative(vm, v) {
            return Err(vm.value_error(&format!("{name} must be a non-negative integer")));
        }
    }
    let big = |vm: &Vm, v| vm.int_to_big(v).into_parts().1;
    Ok((big(vm, n), big(vm, k)))
}

fn count(vm: &mut Vm, k: &UBig, what: &str) -> R<u64> {
    match i64::try_from(k) {
        Ok(k) => Ok(k as u64),
        Err(_) => {
            let m = format!("{what} must not exceed {}", i64::MAX);
            Err(vm.overflow_error(&m))
        }
    }
}

pub(super) fn perm(vm: &mut Vm, a: &[Value]) -> R {
    if a[1].is_null() || a[1] == vm.none {
        return factorial(vm, a);
    }
    let (n, k) = two(vm, a)?;
    if k > n {
        return Ok(Value::small(0));
    }
    let k = count(vm, &k, "k")?;
    Ok(unsigned(vm, falling(&n, k)))
}

pub(super) fn comb(vm: &mut Vm, a: &[Value]) -> R {
    let (n, k) = two(vm, a)?;
    if k > n {
        return Ok(Value::small(0));
    }
    let rest = &n - &k;
    let k = k.min(rest);
    let k = count(vm, &k, "min(n - k, k)")?;
    let (q, _) = falling(&n, k).div_rem(product(2, k + 1));
    Ok(unsigned(vm, q))
}
