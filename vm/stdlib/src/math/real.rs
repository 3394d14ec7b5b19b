//! Functions of doubles: which ones, and what they do at the edges.
//!
//! Most come from the C library, which CPython uses too, so that results agree to
//! the last bit. `gamma` and `lgamma` follow Lanczos' approximation (N = 13,
//! g = 6.0247, the rational form published with Boost), `hypot` sums squares with
//! an error term.

use std::f64::consts::PI;

/// The C library's functions, which have no preconditions.
pub mod c {
    unsafe extern "C" {
        pub safe fn acos(x: f64) -> f64;
        pub safe fn acosh(x: f64) -> f64;
        pub safe fn asin(x: f64) -> f64;
        pub safe fn asinh(x: f64) -> f64;
        pub safe fn atan(x: f64) -> f64;
        pub safe fn atan2(y: f64, x: f64) -> f64;
        pub safe fn atanh(x: f64) -> f64;
        pub safe fn cbrt(x: f64) -> f64;
        pub safe fn cos(x: f64) -> f64;
        pub safe fn cosh(x: f64) -> f64;
        pub safe fn erf(x: f64) -> f64;
        pub safe fn erfc(x: f64) -> f64;
        pub safe fn exp(x: f64) -> f64;
        pub safe fn exp2(x: f64) -> f64;
        pub safe fn expm1(x: f64) -> f64;
        pub safe fn fmod(x: f64, y: f64) -> f64;
        pub safe fn ldexp(x: f64, n: i32) -> f64;
        pub safe fn log(x: f64) -> f64;
        pub safe fn log10(x: f64) -> f64;
        pub safe fn log1p(x: f64) -> f64;
        pub safe fn log2(x: f64) -> f64;
        pub safe fn nextafter(x: f64, y: f64) -> f64;
        pub safe fn pow(x: f64, y: f64) -> f64;
        pub safe fn remainder(x: f64, y: f64) -> f64;
        pub safe fn sin(x: f64) -> f64;
        pub safe fn sinh(x: f64) -> f64;
        pub safe fn tan(x: f64) -> f64;
        pub safe fn tanh(x: f64) -> f64;
    }
}

/// Why there is no result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Edge {
    /// The function is not defined there.
    Domain,
    /// The result is too large.
    Range,
}

type Res = Result<f64, Edge>;

/// `exp` and the like: NaN out of a number is a domain error, infinity out of a
/// finite one an overflow if the function `can_overflow`, else a pole.
pub fn checked(x: f64, r: f64, can_overflow: bool) -> Res {
    if r.is_nan() && !x.is_nan() {
        return Err(Edge::Domain);
    }
    if r.is_infinite() && x.is_finite() {
        return Err(if can_overflow {
            Edge::Range
        } else {
            Edge::Domain
        });
    }
    Ok(r)
}

/// The same for functions of two numbers.
pub fn checked2(x: f64, y: f64, r: f64) -> Res {
    if r.is_nan() && !x.is_nan() && !y.is_nan() {
        return Err(Edge::Domain);
    }
    if r.is_infinite() && x.is_finite() && y.is_finite() {
        return Err(Edge::Range);
    }
    Ok(r)
}

/// A logarithm: of positive numbers only.
pub fn logarithm(x: f64, f: impl Fn(f64) -> f64) -> Res {
    if x.is_nan() || x > 0.0 {
        Ok(f(x))
    } else {
        Err(Edge::Domain)
    }
}

/// `math.pow`: C99's special cases, whatever the C library does.
pub fn pow(x: f64, y: f64) -> Res {
    if x.is_finite() && y.is_finite() {
        let r = c::pow(x, y);
        if r.is_nan() || r.is_infinite() && x == 0.0 {
            return Err(Edge::Domain);
        }
        return if r.is_infinite() {
            Err(Edge::Range)
        } else {
            Ok(r)
        };
    }
    let odd = y.is_finite() && c::fmod(y.abs(), 2.0) == 1.0;
    Ok(if x.is_nan() {
        if y == 0.0 { 1.0 } else { x }
    } else if y.is_nan() {
        if x == 1.0 { 1.0 } else { y }
    } else if x.is_infinite() {
        match (y > 0.0, y == 0.0, odd) {
            (true, _, true) => x,
            (true, _, false) => x.abs(),
            (_, true, _) => 1.0,
            (_, _, true) => 0f64.copysign(x),
            _ => 0.0,
        }
    } else if x.abs() == 1.0 {
        1.0
    } else if (y > 0.0) == (x.abs() > 1.0) {
        f64::INFINITY
    } else {
        0.0
    })
}

/// `math.fmod`
pub fn fmod(x: f64, y: f64) -> Res {
    if y.is_infinite() && x.is_finite() {
        return Ok(x);
    }
    checked2(x, y, c::fmod(x, y))
}

const LANCZOS_G: f64 = 6.024_680_040_776_73;
const LANCZOS_G_MINUS_HALF: f64 = 5.524_680_040_776_73;
#[expect(
    clippy::excessive_precision,
    reason = "the published digits, rounded by the compiler"
)]
const LANCZOS_NUM: [f64; 13] = [
    23531376880.410759688572007674451636754734846804940,
    42919803642.649098768957899047001988850926355848959,
    35711959237.355668049440185451547166705960488635843,
    17921034426.037209699919755754458931112671403265390,
    6039542586.3520280050642916443072979210699388420708,
    1439720407.3117216736632230727949123939715485786372,
    248874557.86205415651146038641322942321632125127801,
    31426415.585400194380614231628318205362874684987640,
    2876370.6289353724412254090516208496135991145378768,
    186056.26539522349504029498971604569928220784236328,
    8071.6720023658162106380029022722506138218516325024,
    210.82427775157934587250973392071336271166969580291,
    2.5066282746310002701649081771338373386264310793408,
];
const LANCZOS_DEN: [f64; 13] = [
    0.0,
    39916800.0,
    120543840.0,
    150917976.0,
    105258076.0,
    45995730.0,
    13339535.0,
    2637558.0,
    357423.0,
    32670.0,
    1925.0,
    66.0,
    1.0,
];

fn lanczos_sum(x: f64) -> f64 {
    let (mut num, mut den) = (0.0, 0.0);
    let pairs = LANCZOS_NUM.iter().zip(&LANCZOS_DEN);
    // Both polynomials grow fast: for large arguments they are taken in 1/x.
    if x < 5.0 {
        for (n, d) in pairs.rev() {
            num = num * x + n;
            den = den * x + d;
        }
    } else {
        for (n, d) in pairs {
            num = num / x + n;
            den = den / x + d;
        }
    }
    num / den
}

/// sin(pi * x), exact at multiples of 1/2.
fn sin_pi(x: f64) -> f64 {
    let y = c::fmod(x.abs(), 2.0);
    let r = match (2.0 * y).round() as i32 {
        0 => c::sin(PI * y),
        1 => c::cos(PI * (y - 0.5)),
        // -sin(pi * (y - 1)) would be -0.0 for y = 1.
        2 => c::sin(PI * (1.0 - y)),
        3 => -c::cos(PI * (y - 1.5)),
        _ => c::sin(PI * (y - 2.0)),
    };
    1f64.copysign(x) * r
}

/// `math.gamma`
pub fn gamma(x: f64) -> Res {
    if !x.is_finite() {
        return if x.is_nan() || x > 0.0 {
            Ok(x)
        } else {
            Err(Edge::Domain)
        };
    }
    if x == 0.0 {
        return Err(Edge::Domain);
    }
    if x == x.floor() {
        if x < 0.0 {
            return Err(Edge::Domain);
        }
        if x <= 23.0 {
            // 22! is the largest factorial below 2**53 times a power of two.
            return Ok((1..x as u64).map(|i| i as u128).product::<u128>() as f64);
        }
    }
    let ax = x.abs();
    if ax < 1e-20 {
        let r = 1.0 / x;
        return if r.is_infinite() {
            Err(Edge::Range)
        } else {
            Ok(r)
        };
    }
    if ax > 200.0 {
        return if x < 0.0 {
            Ok(0.0 / sin_pi(x))
        } else {
            Err(Edge::Range)
        };
    }
    let y = ax + LANCZOS_G_MINUS_HALF;
    // What rounding y lost.
    let z = if ax > LANCZOS_G_MINUS_HALF {
        (y - ax) - LANCZOS_G_MINUS_HALF
    } else {
        (y - LANCZOS_G_MINUS_HALF) - ax
    };
    let z = z * LANCZOS_G / y;
    let mut r;
    if x < 0.0 {
        r = -PI / sin_pi(ax) / ax * c::exp(y) / lanczos_sum(ax);
        r -= z * r;
        if ax < 140.0 {
            r /= c::pow(y, ax - 0.5);
        } else {
            let root = c::pow(y, ax / 2.0 - 0.25);
            r /= root;
            r /= root;
        }
    } else {
        r = lanczos_sum(ax) / c::exp(y);
        r += z * r;
        if ax < 140.0 {
            r *= c::pow(y, ax - 0.5);
        } else {
            let root = c::pow(y, ax / 2.0 - 0.25);
            r *= root;
            r *= root;
        }
    }
    if r.is_infinite() {
        return Err(Edge::Range);
    }
    Ok(r)
}

/// `math.lgamma`
pub fn lgamma(x: f64) -> Res {
    const LN_PI: f64 = 1.144_729_885_849_400_2;
    if !x.is_finite() {
        return Ok(if x.is_nan() { x } else { f64::INFINITY });
    }
    if x == x.floor() && x <= 2.0 {
        return if x <= 0.0 { Err(Edge::Domain) } else { Ok(0.0) };
    }
    let ax = x.abs();
    if ax < 1e-20 {
        return Ok(-c::log(ax));
    }
    let mut r = c::log(lanczos_sum(ax)) - LANCZOS_G;
    r += (ax - 0.5) * (c::log(ax + LANCZOS_G - 0.5) - 1.0);
    if x < 0.0 {
        r = LN_PI - c::log(sin_pi(ax).abs()) - c::log(ax) - r;
    }
    if r.is_infinite() {
        return Err(Edge::Range);
    }
    Ok(r)
}

/// A sum kept as a large part that starts at one and what it lost.
struct Compensated {
    sum: f64,
    lost: [f64; 3],
}

impl Compensated {
    fn add(&mut self, x: f64, kind: usize) {
        let old = self.sum;
        self.sum += x;
        self.lost[kind] += (old - self.sum) + x;
    }

    fn value(&self) -> f64 {
        self.sum - 1.0 + (self.lost[0] + self.lost[1] + self.lost[2])
    }
}

/// Halves of 26 and 27 bits whose sum is `x`.
fn halves(x: f64) -> (f64, f64) {
    let t = x * 134_217_729.0;
    let hi = t - (t - x);
    (hi, x - hi)
}

/// Length of the vector of these absolute values; their largest is `max`.
pub fn vector_norm(v: &[f64], max: f64, has_nan: bool) -> f64 {
    if max.is_infinite() {
        return max;
    }
    if has_nan {
        return f64::NAN;
    }
    if max == 0.0 || v.len() <= 1 {
        return max;
    }
    let e = pyrite_objects::numbers::frexp(max).1;
    let mut s = Compensated {
        sum: 1.0,
        lost: [0.0; 3],
    };
    if e < -1023 {
        // The scale would overflow.
        for &x in v {
            let x = x / max;
            s.add(x * x, 0);
        }
        return max * (s.sum - 1.0 + s.lost[0]).sqrt();
    }
    let scale = c::ldexp(1.0, -e);
    for &x in v {
        let (hi, lo) = halves(x * scale);
        s.add(hi * hi, 0);
        s.add(2.0 * hi * lo, 1);
        s.lost[2] += lo * lo;
    }
    let h = s.value().sqrt();
    let (hi, lo) = halves(h);
    s.add(-hi * hi, 0);
    s.add(-2.0 * hi * lo, 1);
    s.add(-lo * lo, 2);
    (h + s.value() / (2.0 * h)) / scale
}

/// A sum without rounding errors: partial sums that do not overlap
/// (Shewchuk, "Adaptive Precision Floating-Point Arithmetic", 1997).
#[derive(Default)]
pub struct ExactSum {
    partials: Vec<f64>,
    infinities: f64,
    special: f64,
}

impl ExactSum {
    /// Adds a number.
    ///
    /// # Errors
    /// `Range` if a finite number makes a partial sum overflow.
    pub fn add(&mut self, value: f64) -> Result<(), Edge> {
        let mut x = value;
        let mut kept = 0;
        for j in 0..self.partials.len() {
            let mut y = self.partials[j];
            if x.abs() < y.abs() {
                std::mem::swap(&mut x, &mut y);
            }
            let hi = x + y;
            let lo = y - (hi - x);
            if lo != 0.0 {
                self.partials[kept] = lo;
                kept += 1;
            }
            x = hi;
        }
        self.partials.truncate(kept);
        if x != 0.0 {
            if x.is_finite() {
                self.partials.push(x);
            } else {
                if value.is_finite() {
                    return Err(Edge::Range);
                }
                if value.is_infinite() {
                    self.infinities += value;
                }
                self.special += value;
                self.partials.clear();
            }
        }
        Ok(())
    }

    /// The sum, rounded once.
    ///
    /// # Errors
    /// `Domain` if infinities of both signs were added.
    pub fn finish(mut self) -> Res {
        if self.special != 0.0 {
            return if self.infinities.is_nan() {
                Err(Edge::Domain)
            } else {
                Ok(self.special)
            };
        }
        let Some(mut hi) = self.partials.pop() else {
            return Ok(0.0);
        };
        let mut lo = 0.0;
        while let Some(y) = self.partials.pop() {
            let x = hi;
            hi = x + y;
            lo = y - (hi - x);
            if lo != 0.0 {
                break;
            }
        }
        // Half-even rounding needs the sign of what is below.
        if let Some(&p) = self.partials.last()
            && (lo < 0.0 && p < 0.0 || lo > 0.0 && p > 0.0)
        {
            let y = lo * 2.0;
            let x = hi + y;
            if y == x - hi {
                hi = x;
            }
        }
        Ok(hi)
    }
}

/// Natural logarithm of `m * 2**e`.
pub fn scaled_log(m: f64, e: f64, f: impl Fn(f64) -> f64) -> f64 {
    f(m) + f(2.0) * e
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    // The values are CPython's, not always the nearest doubles.
    fn gamma_meets_factorials_and_poles() {
        assert_eq!(gamma(5.0), Ok(24.0));
        assert_eq!(gamma(23.0), Ok(1.124_000_727_777_607_7e21));
        assert_eq!(gamma(0.5), Ok(1.772_453_850_905_515_9));
        assert_eq!(gamma(-3.0), Err(Edge::Domain));
        assert_eq!(gamma(171.7), Err(Edge::Range));
        assert_eq!(lgamma(1e-300), Ok(690.775_527_898_213_7));
    }

    #[test]
    fn exact_sum_rounds_once() {
        let mut s = ExactSum::default();
        for x in [1e100, 1.0, -1e100, 1e-100, 1e50, -1.0, -1e50] {
            s.add(x).expect("finite");
        }
        assert_eq!(s.finish(), Ok(1e-100));
    }
}
