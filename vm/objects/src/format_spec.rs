//! `format(value, spec)` for `str`, `int`, `float` and `complex`.
//!
//! A spec is parsed once into [`Spec`]; numbers are made as sign, prefix, whole
//! digits and rest, then grouped and padded in one place.

use crate::float_repr::{Options, format_double};
use crate::native::{NativeDef, def, effects};
use crate::str::str_arg;
use crate::text::Text;
use crate::textbuf::TextBuf;
use crate::vm::{R, Vm};
use pyrite_machine::Value;

const PURE: u8 = effects::PURE | effects::ALLOC | effects::RAISES;

static INT: &[NativeDef] = &[def(
    "__format__",
    "($self, format_spec, /)",
    PURE,
    int_format,
)];
static FLOAT: &[NativeDef] = &[def(
    "__format__",
    "($self, format_spec, /)",
    PURE,
    float_format,
)];
static COMPLEX: &[NativeDef] = &[def(
    "__format__",
    "($self, format_spec, /)",
    PURE,
    complex_format,
)];

/// Gives the numbers their `__format__`.
pub fn install(vm: &mut Vm) {
    vm.add_methods(vm.types.int, INT);
    vm.add_methods(vm.types.float, FLOAT);
    vm.add_methods(vm.types.complex, COMPLEX);
}

/// `[[fill]align][sign][z][#][0][width][grouping][.precision][type]`
struct Spec {
    fill: u32,
    align: u8,
    /// Fill or alignment was given.
    align_given: bool,
    sign: u8,
    z: bool,
    alternate: bool,
    width: usize,
    /// `,` or `_`, or 0.
    grouping: u8,
    precision: Option<usize>,
    /// 0: none.
    ty: u32,
}

fn parse(vm: &mut Vm, spec: Text<'_>, align: u8, class: &str) -> R<Spec> {
    let at = |i: usize| if i < spec.len() { spec.at(i) } else { 0 };
    let is_align = |c: u32| matches!(c, 0x3C | 0x3D | 0x3E | 0x5E);
    let mut s = Spec {
        fill: 0x20,
        align,
        align_given: false,
        sign: b'-',
        z: false,
        alternate: false,
        width: 0,
        grouping: 0,
        precision: None,
        ty: 0,
    };
    let (mut i, mut fill_given) = (0, false);
    if spec.len() > 1 && is_align(at(1)) {
        s.fill = at(0);
        s.align = at(1) as u8;
        s.align_given = true;
        fill_given = true;
        i = 2;
    } else if is_align(at(0)) {
        s.align = at(0) as u8;
        s.align_given = true;
        i = 1;
    }
    if matches!(at(i), 0x2B | 0x2D | 0x20) {
        // A `-` is the default, yet counts as given where signs are refused.
        s.sign = if at(i) == 0x2D { b'm' } else { at(i) as u8 };
        i += 1;
    }
    if at(i) == u32::from(b'z') {
        s.z = true;
        i += 1;
    }
    if at(i) == 0x23 {
        s.alternate = true;
        i += 1;
    }
    if !fill_given && at(i) == 0x30 {
        s.fill = 0x30;
        if !s.align_given && align == b'>' {
            s.align = b'=';
        }
        i += 1;
    }
    let number = |vm: &mut Vm, i: &mut usize| -> R<Option<usize>> {
        let start = *i;
        let mut n = 0usize;
        while let Some(d) = (*i < spec.len())
            .then(|| crate::unicode::decimal(spec.at(*i)))
            .flatten()
        {
            n = match n
                .checked_mul(10)
                .and_then(|n| n.checked_add(d as usize))
                .filter(|&n| n <= i64::MAX as usize)
            {
                Some(n) => n,
                None => {
                    return Err(vm.value_error("Too many decimal digits in format string"));
                }
            };
            *i += 1;
        }
        Ok((*i > start).then_some(n))
    };
    s.width = number(vm, &mut i)?.unwrap_or(0);
    if at(i) == 0x2C {
        s.grouping = b',';
        i += 1;
    }
    if at(i) == 0x5F {
        if s.grouping != 0 {
            return Err(vm.value_error("Cannot specify both ',' and '_'."));
        }
        s.grouping = b'_';
        i += 1;
    }
    if at(i) == 0x2C && s.grouping == b'_' {
        return Err(vm.value_error("Cannot specify both ',' and '_'."));
    }
    if at(i) == 0x2E {
        i += 1;
        s.precision = number(vm, &mut i)?;
        if s.precision.is_none() {
            return Err(vm.value_error("Format specifier missing precision"));
        }
    }
    if spec.len() > i + 1 {
        let m = format!(
            "Invalid format specifier '{}' for object of type '{class}'",
            spec.to_string_lossy()
        );
        return Err(vm.value_error(&m));
    }
    s.ty = at(i);
    if s.grouping != 0 {
        let ok = match u8::try_from(s.ty).unwrap_or(b'?') {
            0 | b'd' | b'e' | b'f' | b'g' | b'E' | b'G' | b'%' | b'F' => true,
            b'b' | b'o' | b'x' | b'X' => s.grouping == b'_',
            _ => false,
        };
        if !ok {
            let m = format!(
                "Cannot specify '{}' with '{}'.",
                s.grouping as char,
                char::from_u32(s.ty).unwrap_or('?')
            );
            return Err(vm.value_error(&m));
        }
    }
    Ok(s)
}

impl Spec {
    fn unknown<T>(&self, vm: &mut Vm, class: &str) -> R<T> {
        let shown = match char::from_u32(self.ty) {
            Some(c @ '!'..='~') => c.to_string(),
            _ => format!("\\x{:x}", self.ty),
        };
        let m = format!("Unknown format code '{shown}' for object of type '{class}'");
        Err(vm.value_error(&m))
    }

    /// Padding left and right of `len` characters.
    fn padding(&self, len: usize) -> (usize, usize) {
        let n = self.width.saturating_sub(len);
        match self.align {
            b'<' => (0, n),
            b'^' => (n / 2, n - n / 2),
            _ => (n, 0),
        }
    }

    fn pad(&self, vm: &mut Vm, t: Text<'_>) -> Value {
        let (left, right) = self.padding(t.len());
        let mut out = TextBuf::new();
        out.fill(self.fill, left);
        out.push_text(t);
        out.fill(self.fill, right);
        out.finish(vm)
    }

    /// The sign as it is printed.
    fn sign_text(&self, negative: bool) -> &'static str {
        match self.sign {
            _ if negative => "-",
            b'+' => "+",
            b' ' => " ",
            _ => "",
        }
    }

    /// Puts a number together: sign, prefix, grouped whole digits, rest.
    fn number(&self, vm: &mut Vm, negative: bool, prefix: &str, whole: &str, rest: &str) -> Value {
        let sign = self.sign_text(negative);
        let fixed = sign.len() + prefix.len() + rest.len();
        let inside = if self.fill == 0x30 && self.align == b'=' {
            self.width.saturating_sub(fixed)
        } else {
            0
        };
        let group = match u8::try_from(self.ty).unwrap_or(0) {
            b'b' | b'o' | b'x' | b'X' => 4,
            _ => 3,
        };
        let digits = grouped(whole, self.grouping, group, inside);
        let len = fixed + digits.len();
        let mut out = TextBuf::new();
        if self.align == b'=' {
            out.push_str(sign);
            out.push_str(prefix);
            out.fill(self.fill, self.width.saturating_sub(len));
            out.push_str(&digits);
            out.push_str(rest);
        } else {
            let (left, right) = self.padding(len);
            out.fill(self.fill, left);
            for s in [sign, prefix, &digits, rest] {
                out.push_str(s);
            }
            out.fill(self.fill, right);
        }
        out.finish(vm)
    }
}

/// Digits with separators, filled with zeros to at least `min` characters.
fn grouped(digits: &str, separator: u8, group: usize, min: usize) -> String {
    if separator == 0 {
        return format!("{}{digits}", "0".repeat(min.saturating_sub(digits.len())));
    }
    let mut out = Vec::new();
    let mut left = digits.bytes().rev().peekable();
    let mut n = 0;
    while left.peek().is_some() || out.len() < min {
        if n == group {
            out.push(separator);
            n = 0;
        }
        out.push(left.next().unwrap_or(b'0'));
        n += 1;
    }
    out.iter().rev().map(|&b| b as char).collect()
}

/// `str.__format__` with a spec that is not empty.
pub fn format_str(vm: &mut Vm, s: Value, spec: Value) -> R {
    let f = parse(vm, vm.text(spec), b'<', "str")?;
    if f.sign != b'-' {
        let m = if f.sign == b' ' {
            "Space not allowed in string format specifier"
        } else {
            "Sign not allowed in string format specifier"
        };
        return Err(vm.value_error(m));
    }
    if f.ty != 0 && f.ty != u32::from(b's') {
        return f.unknown(vm, "str");
    }
    if f.z {
        return Err(
            vm.value_error("Negative zero coercion (z) not allowed in string format specifier")
        );
    }
    if f.alternate {
        return Err(vm.value_error("Alternate form (#) not allowed in string format specifier"));
    }
    if f.grouping != 0 {
        let m = format!("Cannot specify '{}' with 's'.", f.grouping as char);
        return Err(vm.value_error(&m));
    }
    if f.align == b'=' {
        return Err(vm.value_error("'=' alignment not allowed in string format specifier"));
    }
    let t = vm.text(s);
    let n = f.precision.map_or(t.len(), |p| p.min(t.len()));
    Ok(f.pad(vm, t.slice(0..n)))
}

fn spec_arg(vm: &mut Vm, a: &[Value]) -> R {
    str_arg(vm, a[1], "__format__() argument")
}

/// An exact int's digits in a base, with a minus sign and no prefix.
pub(crate) fn radix_digits(vm: &Vm, v: Value, radix: u32) -> String {
    let s = vm.int_to_radix(v, radix);
    match s.strip_prefix('-') {
        Some(d) => format!("-{}", d.get(2..).unwrap_or(d)),
        None => s.get(2..).unwrap_or(&s).to_owned(),
    }
}

fn int_format(vm: &mut Vm, a: &[Value]) -> R {
    let spec = spec_arg(vm, a)?;
    if vm.text(spec).is_empty() {
        return vm.str(a[0]);
    }
    let class = vm.class_name(a[0]);
    let f = parse(vm, vm.text(spec), b'>', &class)?;
    let v = vm.as_int(a[0]).unwrap_or(a[0]);
    let code = match f.ty {
        0 => b'd',
        c => u8::try_from(c).unwrap_or(0),
    };
    match code {
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'%' => {
            let x = vm.int_to_f64(v)?;
            return double(vm, &f, x, &class);
        }
        b'b' | b'c' | b'd' | b'o' | b'x' | b'X' | b'n' => {}
        _ => return f.unknown(vm, &class),
    }
    if f.precision.is_some() {
        return Err(vm.value_error("Precision not allowed in integer format specifier"));
    }
    if f.z {
        return Err(
            vm.value_error("Negative zero coercion (z) not allowed in integer format specifier")
        );
    }
    if code == b'c' {
        if f.sign != b'-' {
            return Err(vm.value_error("Sign not allowed with integer format specifier 'c'"));
        }
        if f.alternate {
            return Err(
                vm.value_error("Alternate form (#) not allowed with integer format specifier 'c'")
            );
        }
        let c = match vm.int_to_i64(v) {
            Some(c @ 0..=0x10_FFFF) => c,
            Some(_) => return Err(vm.overflow_error("%c arg not in range(0x110000)")),
            None => {
                return Err(vm.overflow_error("Python int too large to convert to C long"));
            }
        };
        return Ok(f.pad(vm, Text::Four(&[c as u32])));
    }
    let (text, prefix) = match code {
        b'b' => (radix_digits(vm, v, 2), "0b"),
        b'o' => (radix_digits(vm, v, 8), "0o"),
        b'x' => (radix_digits(vm, v, 16), "0x"),
        b'X' => (radix_digits(vm, v, 16).to_ascii_uppercase(), "0X"),
        _ => (vm.int_to_text(v)?, ""),
    };
    let prefix = if f.alternate { prefix } else { "" };
    let digits = text.strip_prefix('-');
    Ok(f.number(vm, digits.is_some(), prefix, digits.unwrap_or(&text), ""))
}

/// A double without its sign, split before the point or exponent; `add_dot_0`:
/// without a type, an integral value shows a fraction.
fn double_parts(f: &Spec, x: f64, add_dot_0: bool) -> (bool, String, String) {
    let (mut code, mut precision) = (u8::try_from(f.ty).unwrap_or(0), f.precision);
    let mut o = Options {
        alternate: f.alternate,
        ..Options::default()
    };
    let percent = code == b'%';
    let x = if percent { x * 100.0 } else { x };
    match code {
        0 => {
            code = if precision.is_some() { b'g' } else { b'r' };
            o.add_dot_0 = add_dot_0;
            precision = precision.or(Some(0));
        }
        b'n' => code = b'g',
        b'%' => code = b'f',
        _ => {}
    }
    let text = format_double(x, code, precision.unwrap_or(6), o);
    let mut negative = text.starts_with('-');
    let text = text.trim_start_matches('-');
    if f.z && negative {
        let digits = text.split(['e', 'E']).next().unwrap_or(text);
        negative = digits.bytes().any(|c| c != b'0' && c != b'.');
    }
    let whole = text
        .bytes()
        .position(|c| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (a, b) = text.split_at(whole);
    let mut rest = b.to_owned();
    if percent {
        rest.push('%');
    }
    (negative, a.to_owned(), rest)
}

fn double(vm: &mut Vm, f: &Spec, x: f64, class: &str) -> R {
    match u8::try_from(f.ty).unwrap_or(b'?') {
        0 | b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'n' | b'%' => {}
        _ => return f.unknown(vm, class),
    }
    if f.precision.is_some_and(|p| p > i32::MAX as usize) {
        return Err(vm.value_error("precision too big"));
    }
    let (negative, whole, rest) = double_parts(f, x, true);
    Ok(f.number(vm, negative, "", &whole, &rest))
}

fn float_format(vm: &mut Vm, a: &[Value]) -> R {
    let spec = spec_arg(vm, a)?;
    if vm.text(spec).is_empty() {
        return vm.str(a[0]);
    }
    let class = vm.class_name(a[0]);
    let f = parse(vm, vm.text(spec), b'>', &class)?;
    let x = vm.as_float(a[0]).unwrap_or(f64::NAN);
    double(vm, &f, x, &class)
}

fn complex_format(vm: &mut Vm, a: &[Value]) -> R {
    let spec = spec_arg(vm, a)?;
    if vm.text(spec).is_empty() {
        return vm.str(a[0]);
    }
    let class = vm.class_name(a[0]);
    let mut f = parse(vm, vm.text(spec), b'>', &class)?;
    match u8::try_from(f.ty).unwrap_or(b'?') {
        0 | b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'n' => {}
        _ => return f.unknown(vm, &class),
    }
    if f.fill == 0x30 {
        return Err(vm.value_error("Zero padding is not allowed in complex format specifier"));
    }
    if f.align == b'=' {
        return Err(vm.value_error("'=' alignment flag is not allowed in complex format specifier"));
    }
    let (re, im) = vm.as_complex(a[0]).unwrap_or((0.0, 0.0));
    let mut text = String::new();
    let plain = f.ty == 0;
    let mut part = |f: &Spec, x: f64, force_sign: bool| {
        let (negative, mut whole, rest) = double_parts(f, x, false);
        if f.grouping != 0 {
            whole = grouped(&whole, f.grouping, 3, 0);
        }
        let sign = match f.sign_text(negative) {
            "" if force_sign => "+",
            " " if force_sign => "+",
            s => s,
        };
        text.push_str(sign);
        text.push_str(&whole);
        text.push_str(&rest);
    };
    let parens = plain && !(re == 0.0 && re.is_sign_positive());
    if !plain || parens {
        part(&f, re, false);
        part(&f, im, true);
    } else {
        part(&f, im, false);
    }
    text.push('j');
    if parens {
        text = format!("({text})");
    }
    f.ty = 0;
    Ok(f.pad(vm, Text::One(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn groups_and_fills() {
        assert_eq!(grouped("1234567", b',', 3, 0), "1,234,567");
        assert_eq!(grouped("123", b',', 3, 5), "0,123");
        assert_eq!(grouped("123", b',', 3, 4), "0,123");
        assert_eq!(grouped("ff", b'_', 4, 6), "0_00ff");
        assert_eq!(grouped("7", 0, 3, 3), "007");
    }
}
