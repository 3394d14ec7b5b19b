//! Numbers as text: what `int()`, `float()` and `complex()` accept, and how ints
//! print.
//!
//! Conversions between decimal text and ints are quadratic in principle, so as in
//! CPython texts beyond [`max_str_digits`] digits are refused, in bases that are
//! no power of two.

use crate::text::Text;
use crate::vm::{R, Vm};
use dashu_int::IBig;
use pyrite_machine::Value;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Digits allowed at the start.
pub const DEFAULT_MAX_STR_DIGITS: usize = 4300;
/// Smallest limit that may be set.
pub const MIN_MAX_STR_DIGITS: usize = 640;

static LIMIT: AtomicUsize = AtomicUsize::new(DEFAULT_MAX_STR_DIGITS);

/// Digits that int/str conversions allow; 0: any number.
pub fn max_str_digits() -> usize {
    LIMIT.load(Ordering::Relaxed)
}

/// Sets [`max_str_digits`].
pub fn set_max_str_digits(n: usize) {
    LIMIT.store(n, Ordering::Relaxed);
}

/// Code points of decimal digit zero; nine more digits follow each (Unicode 14,
/// category Nd).
const ZEROS: [u32; 66] = [
    0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66,
    0xDE6, 0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90,
    0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
    0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650,
    0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60, 0x16AC0, 0x16B50,
    0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950, 0x1FBF0,
];

/// Value of a decimal digit of any script.
pub fn decimal_value(c: u32) -> Option<u8> {
    let i = ZEROS.partition_point(|&z| z <= c);
    let d = c - *ZEROS.get(i.checked_sub(1)?)?;
    (d < 10).then_some(d as u8)
}

/// White space as `str.isspace` sees it.
pub fn is_space(c: u32) -> bool {
    matches!(c, 9..=13 | 0x1C..=0x20 | 0x85 | 0xA0 | 0x1680 | 0x2000..=0x200A | 0x2028 | 0x2029 | 0x202F | 0x205F | 0x3000)
}

/// A text with decimal digits and spaces of any script as ASCII, stripped; other
/// characters become `?`.
pub fn to_ascii(t: Text<'_>) -> String {
    if let Text::One(bytes) = t
        && bytes
            .iter()
            .all(|c| c.is_ascii_alphanumeric() || *c == b'-')
        && let Ok(s) = std::str::from_utf8(bytes)
    {
        // Long numbers are refused in less time than it takes to read them.
        return s.to_owned();
    }
    let s: String = t
        .iter()
        .map(|c| match c {
            _ if is_space(c) => ' ',
            0..128 => c as u8 as char,
            _ => decimal_value(c).map_or('?', |d| (b'0' + d) as char),
        })
        .collect();
    s.trim_matches(' ').to_owned()
}

/// Why a text is no int.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadInt {
    Invalid,
    /// So many digits, more than allowed.
    TooLong(usize),
}

/// The int that ASCII text (stripped) means in a base of 2 to 36, or 0 for the
/// base its prefix tells.
pub fn parse_int(text: &str, base: u32) -> Result<IBig, BadInt> {
    let (negative, body) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let prefix = match body.as_bytes() {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => 0,
    };
    let mut digits = body;
    let mut radix = base;
    let mut prefixed = false;
    if prefix != 0 && (base == 0 || base == prefix) {
        radix = prefix;
        digits = &body[2..];
        prefixed = true;
    } else if base == 0 {
        radix = 10;
    }
    if prefixed && digits.starts_with('_') {
        digits = &digits[1..];
    }
    let bytes = digits.as_bytes();
    let limit = match max_str_digits() {
        0 => usize::MAX,
        _ if radix.is_power_of_two() => usize::MAX,
        n => n,
    };
    let octal = base == 0 && !prefixed && bytes.first() == Some(&b'0');
    if bytes.len() > limit && radix >= 10 && !octal && bytes.iter().all(u8::is_ascii_digit) {
        return Err(BadInt::TooLong(bytes.len()));
    }
    let mut clean = String::with_capacity(digits.len());
    for (i, &c) in bytes.iter().enumerate() {
        if c == b'_' {
            let inside = i > 0 && i + 1 < bytes.len() && bytes[i - 1] != b'_';
            if !inside {
                return Err(BadInt::Invalid);
            }
        } else if (c as char).is_digit(radix) {
            clean.push(c as char);
        } else {
            return Err(BadInt::Invalid);
        }
    }
    if clean.is_empty() {
        return Err(BadInt::Invalid);
    }
    if base == 0 && !prefixed && clean.starts_with('0') && clean.bytes().any(|c| c != b'0') {
        return Err(BadInt::Invalid);
    }
    if clean.len() > limit {
        return Err(BadInt::TooLong(clean.len()));
    }
    let v = match i64::from_str_radix(&clean, radix) {
        Ok(i) => IBig::from(i),
        Err(_) => IBig::from_str_radix(&clean, radix).map_err(|_| BadInt::Invalid)?,
    };
    Ok(if negative { -v } else { v })
}

/// The double that ASCII text (stripped) means.
pub fn parse_float(text: &str) -> Option<f64> {
    let clean = without_underscores(text)?;
    let body = clean.strip_prefix(['+', '-']).unwrap_or(&clean);
    let named = matches!(
        body.to_ascii_lowercase().as_str(),
        "inf" | "infinity" | "nan"
    );
    let numeric = body
        .bytes()
        .all(|c| matches!(c, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    let digits = body.bytes().any(|c| c.is_ascii_digit());
    if !(named || numeric && digits) {
        return None;
    }
    clean.parse().ok()
}

/// Drops underscores, each of which must stand between two digits.
fn without_underscores(text: &str) -> Option<String> {
    let b = text.as_bytes();
    let digit = |i: usize| b.get(i).is_some_and(u8::is_ascii_digit);
    for (i, &c) in b.iter().enumerate() {
        if c == b'_' && !(i > 0 && digit(i - 1) && digit(i + 1)) {
            return None;
        }
    }
    Some(text.replace('_', ""))
}

impl Vm {
    /// Content of a bytes-like object, as number text.
    pub fn bytes_as_number(&self, v: Value) -> Option<Vec<u8>> {
        self.buffer(v).map(<[u8]>::to_vec)
    }

    /// `int(text, base)`; `shown` is what the error message quotes.
    pub fn int_from_text(&mut self, text: &str, base: u32, shown: Value) -> R {
        match parse_int(text, base) {
            Ok(i) => Ok(self.new_big(&i)),
            Err(BadInt::TooLong(n)) => {
                let m = format!(
                    "Exceeds the limit ({} digits) for integer string conversion: value has {n} digits; use sys.set_int_max_str_digits() to increase the limit",
                    max_str_digits()
                );
                Err(self.value_error(&m))
            }
            Err(BadInt::Invalid) => {
                let shown: String = self.repr_string(shown)?.chars().take(200).collect();
                let m = format!("invalid literal for int() with base {base}: {shown}");
                Err(self.value_error(&m))
            }
        }
    }

    /// Decimal text of an exact int.
    pub fn int_to_text(&mut self, v: Value) -> R<String> {
        if let Some(i) = v.as_int() {
            return Ok(i.to_string());
        }
        let limit = max_str_digits();
        let too_long = |vm: &mut Vm| {
            let m = format!(
                "Exceeds the limit ({limit} digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit"
            );
            vm.value_error(&m)
        };
        let limbs = crate::numbers::big_limbs(v).len();
        // A limb is at most 19.3 digits; do not convert what is surely too long.
        if limit != 0 && limbs > 2 && (limbs - 1) * 19 > limit {
            return Err(too_long(self));
        }
        let s = self.int_to_big(v).to_string();
        if limit != 0 && s.trim_start_matches('-').len() > limit {
            return Err(too_long(self));
        }
        Ok(s)
    }

    /// Text of an exact int in base 2, 8 or 16, with prefix, as `bin`, `oct` and
    /// `hex` show it.
    pub fn int_to_radix(&self, v: Value, radix: u32) -> String {
        let prefix = match radix {
            2 => "0b",
            8 => "0o",
            _ => "0x",
        };
        let (negative, digits) = match v.as_int() {
            Some(i) => {
                let a = i.unsigned_abs();
                let s = match radix {
                    2 => format!("{a:b}"),
                    8 => format!("{a:o}"),
                    _ => format!("{a:x}"),
                };
                (i < 0, s)
            }
            None => {
                let s = self.int_to_big(v).in_radix(radix as u8).to_string();
                match s.strip_prefix('-') {
                    Some(d) => (true, d.to_owned()),
                    None => (false, s),
                }
            }
        };
        format!("{}{prefix}{digits}", if negative { "-" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ints_by_base_and_prefix() {
        let ok = |s: &str, b: u32| parse_int(s, b).expect("a number");
        assert_eq!(ok("-0x_ff", 0), IBig::from(-255));
        assert_eq!(ok("1_000", 10), IBig::from(1000));
        assert_eq!(ok("0b11", 2), IBig::from(3));
        assert_eq!(ok("0b1", 16), IBig::from(0xb1));
        assert_eq!(ok("zz", 36), IBig::from(35 * 36 + 35));
        for (s, b) in [
            ("010", 0),
            ("_1", 10),
            ("1_", 10),
            ("1__0", 10),
            ("", 10),
            ("+", 10),
            ("0x", 16),
            ("9", 8),
        ] {
            assert_eq!(parse_int(s, b), Err(BadInt::Invalid), "{s} in base {b}");
        }
        assert_eq!(parse_int(&"1".repeat(4301), 10), Err(BadInt::TooLong(4301)));
        assert!(parse_int(&"1".repeat(4301), 16).is_ok());
    }

    #[test]
    fn floats_as_python_reads_them() {
        assert_eq!(parse_float("1_0.5e-1"), Some(1.05));
        assert_eq!(parse_float("-.5"), Some(-0.5));
        assert_eq!(parse_float("+INF"), Some(f64::INFINITY));
        for s in ["", ".", "1e", "_1", "1_.0", "infin", "0x10", "e5"] {
            assert_eq!(parse_float(s), None, "{s}");
        }
    }

    #[test]
    fn digits_of_other_scripts() {
        assert_eq!(decimal_value(0x663), Some(3));
        assert_eq!(decimal_value('9' as u32), Some(9));
        assert_eq!(decimal_value(0x2F), None);
        assert_eq!(to_ascii(Text::Two(&[0x3000, 0x661, 0x662])), "12");
    }
}
