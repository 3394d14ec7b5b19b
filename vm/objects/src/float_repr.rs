//! Doubles as text with a chosen presentation: `e`, `f`, `g` and `r` (shortest
//! text that reads back), as CPython's `PyOS_double_to_string` lays them out.
//!
//! Digits come from Rust's exact formatting; only the layout is made here.

/// Options of [`format_double`].
#[derive(Clone, Copy, Default)]
pub struct Options {
    /// `+` before what is not negative.
    pub sign: bool,
    /// `.0` after an integral result of `r` or `g`.
    pub add_dot_0: bool,
    /// `#`: keep the point and trailing zeros.
    pub alternate: bool,
}

/// A double as text. `code` is one of `eEfFgGr`; `precision` counts digits as in
/// C and is ignored for `r`.
pub fn format_double(f: f64, code: u8, precision: usize, o: Options) -> String {
    let upper = code.is_ascii_uppercase();
    let mut out = String::new();
    if f.is_nan() {
        out.push_str(if o.sign { "+nan" } else { "nan" });
    } else {
        if f.is_sign_negative() {
            out.push('-');
        } else if o.sign {
            out.push('+');
        }
        let a = f.abs();
        if a.is_infinite() {
            out.push_str("inf");
        } else {
            finite(&mut out, a, code.to_ascii_lowercase(), precision, o);
        }
    }
    if upper {
        out.make_ascii_uppercase();
    }
    out
}

/// `repr` of a double.
pub fn repr(f: f64) -> String {
    let o = Options {
        add_dot_0: true,
        ..Options::default()
    };
    format_double(f, b'r', 0, o)
}

/// Digits behind the point from which on a double has only zeros: 1074 suffice.
/// Rust's formatting takes no more than 65535.
const MOST_PLACES: usize = 1100;

/// The fewest digits that read back as `a`, as `1.5e3`. Of two equally short and
/// equally near ones the even one is taken.
pub(crate) fn shortest_digits(a: f64) -> String {
    const MOST: usize = 17;
    let s = format!("{a:e}");
    let mantissa = s.bytes().take_while(|&c| c != b'e');
    if mantissa.filter(u8::is_ascii_digit).count() == MOST {
        let exact = format!("{a:.16e}");
        if exact.parse() == Ok(a) {
            return exact;
        }
    }
    s
}

fn finite(out: &mut String, a: f64, code: u8, precision: usize, o: Options) {
    match code {
        b'f' => {
            let places = precision.min(MOST_PLACES);
            out.push_str(&format!("{a:.places$}"));
            out.extend(std::iter::repeat_n('0', precision - places));
            if precision == 0 && o.alternate {
                out.push('.');
            }
        }
        b'e' => {
            let places = precision.min(MOST_PLACES);
            let s = format!("{a:.places$e}");
            let (digits, exp) = s.split_once('e').unwrap_or((&s, "0"));
            out.push_str(digits);
            out.extend(std::iter::repeat_n('0', precision - places));
            if precision == 0 && o.alternate {
                out.push('.');
            }
            push_exponent(out, exp.parse().unwrap_or(0));
        }
        _ => {
            // Digits without a point, and the exponent of the first one.
            let shortest = code == b'r';
            let places = precision.max(1) - 1;
            let s = if shortest {
                shortest_digits(a)
            } else {
                format!("{a:.0$e}", places.min(MOST_PLACES))
            };
            let (m, exp) = s.split_once('e').unwrap_or((&s, "0"));
            let exp: i32 = exp.parse().unwrap_or(0);
            let mut digits: String = m.chars().filter(|&c| c != '.').collect();
            let keep_zeros = o.alternate && !shortest;
            if keep_zeros {
                let missing = places.saturating_sub(MOST_PLACES);
                digits.extend(std::iter::repeat_n('0', missing));
            } else {
                digits.truncate(digits.trim_end_matches('0').len().max(1));
            }
            let limit = if shortest {
                16
            } else {
                i32::try_from(places).map_or(i32::MAX, |p| p.saturating_add(1))
            };
            // With `.0` added, the last place must be known to be a digit.
            let limit = if o.add_dot_0 && !shortest {
                limit - 1
            } else {
                limit
            };
            if exp < -4 || exp >= limit {
                out.push_str(&digits[..1]);
                if digits.len() > 1 || o.alternate {
                    out.push('.');
                    out.push_str(&digits[1..]);
                }
                push_exponent(out, exp);
            } else if exp < 0 {
                out.push_str("0.");
                out.extend(std::iter::repeat_n('0', (-exp - 1) as usize));
                out.push_str(&digits);
            } else {
                let whole = exp as usize + 1;
                if digits.len() > whole {
                    out.push_str(&digits[..whole]);
                    out.push('.');
                    out.push_str(&digits[whole..]);
                } else {
                    out.push_str(&digits);
                    out.extend(std::iter::repeat_n('0', whole - digits.len()));
                    if o.add_dot_0 {
                        out.push_str(".0");
                    } else if o.alternate {
                        out.push('.');
                    }
                }
            }
        }
    }
}

fn push_exponent(out: &mut String, e: i32) {
    let sign = if e < 0 { '-' } else { '+' };
    out.push_str(&format!("e{sign}{:02}", e.abs()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_match_cpython() {
        let f = |v, c, p| format_double(v, c, p, Options::default());
        for (v, s) in [
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-0.0, "-0.0"),
            (1.5e300, "1.5e+300"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(repr(v), s);
        }
        assert_eq!(f(1234567.0, b'g', 6), "1.23457e+06");
        assert_eq!(f(0.5, b'f', 0), "0");
        assert_eq!(f(2.675, b'f', 2), "2.67");
        assert_eq!(f(12.0, b'E', 2), "1.20E+01");
        assert_eq!(f(100.0, b'g', 0), "1e+02");
        let alt = Options {
            alternate: true,
            ..Options::default()
        };
        assert_eq!(format_double(1.0, b'g', 4, alt), "1.000");
        assert_eq!(format_double(1.0, b'f', 0, alt), "1.");
    }
}
