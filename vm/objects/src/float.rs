//! `float`: arithmetic that needs care, and the class's methods.

use crate::int_type::round_half_even;
use crate::layout::Layout;
use crate::native::{
    GetSetDef, NativeDef, class_def, comparisons, def, effects, getter, static_def,
};
use crate::number_text::{parse_float, to_ascii};
use crate::ops::BinOp;
use crate::vm::{R, Vm};
use dashu_int::IBig;
use pyrite_bytecode::CmpOp;
use pyrite_machine::Value;

const PURE: u8 = effects::ALLOC | effects::RAISES;

pub static METHODS: &[NativeDef] = &[
    static_def("__new__", "($type, x=0, /, **kwargs=)", effects::CALLS, new),
    def("__repr__", "($self, /)", effects::ALLOC, repr),
    def("__hash__", "($self, /)", effects::PURE, hash),
    def("__bool__", "($self, /)", effects::PURE, bool_),
    def("__int__", "($self, /)", PURE, trunc),
    def("__trunc__", "($self, /)", PURE, trunc),
    def("__floor__", "($self, /)", PURE, floor),
    def("__ceil__", "($self, /)", PURE, ceil),
    def("__float__", "($self, /)", effects::PURE, exact),
    def("__pos__", "($self, /)", effects::PURE, exact),
    def("conjugate", "($self, /)", effects::PURE, exact),
    def("__neg__", "($self, /)", effects::PURE, neg),
    def("__abs__", "($self, /)", effects::PURE, abs),
    def("__add__", "($self, value, /)", PURE, add),
    def("__radd__", "($self, value, /)", PURE, radd),
    def("__sub__", "($self, value, /)", PURE, sub),
    def("__rsub__", "($self, value, /)", PURE, rsub),
    def("__mul__", "($self, value, /)", PURE, mul),
    def("__rmul__", "($self, value, /)", PURE, rmul),
    def("__truediv__", "($self, value, /)", PURE, truediv),
    def("__rtruediv__", "($self, value, /)", PURE, rtruediv),
    def("__floordiv__", "($self, value, /)", PURE, floordiv),
    def("__rfloordiv__", "($self, value, /)", PURE, rfloordiv),
    def("__mod__", "($self, value, /)", PURE, mod_),
    def("__rmod__", "($self, value, /)", PURE, rmod),
    def("__divmod__", "($self, value, /)", PURE, divmod),
    def("__rdivmod__", "($self, value, /)", PURE, rdivmod),
    def("__pow__", "($self, value, mod=None, /)", PURE, pow),
    def("__rpow__", "($self, value, mod=None, /)", PURE, rpow),
    def("__lt__", "($self, value, /)", effects::PURE, lt),
    def("__le__", "($self, value, /)", effects::PURE, le),
    def("__eq__", "($self, value, /)", effects::PURE, eq),
    def("__ne__", "($self, value, /)", effects::PURE, ne),
    def("__gt__", "($self, value, /)", effects::PURE, gt),
    def("__ge__", "($self, value, /)", effects::PURE, ge),
    def(
        "__round__",
        "($self, ndigits=None, /)",
        effects::CALLS,
        round,
    ),
    def("__getnewargs__", "($self, /)", effects::ALLOC, getnewargs),
    def("is_integer", "($self, /)", effects::PURE, is_integer),
    def("as_integer_ratio", "($self, /)", PURE, as_integer_ratio).doc("The number as a pair of integers without a common factor whose quotient it is.\n\n>>> (-1.25).as_integer_ratio()\n(-5, 4)\n"),
    def("hex", "($self, /)", effects::ALLOC, hex).doc("The number in base 16, exactly.\n\n>>> (2.5).hex()\n'0x1.4000000000000p+1'\n"),
    class_def("fromhex", "($type, string, /)", effects::CALLS, fromhex).doc("The number that a text in base 16 spells.\n\n>>> float.fromhex('0x1.8p3')\n12.0\n"),
    class_def("__getformat__", "($type, typestr, /)", PURE, getformat),
];

pub static GETSETS: &[GetSetDef] = &[
    getter("real", |vm, v| Ok(Value::float(this(vm, v)))),
    getter("imag", |_, _| Ok(Value::float(0.0))),
];

/// Gives `float` its methods.
pub fn install(vm: &mut Vm) {
    let t = vm.types.float;
    vm.add_methods(t, METHODS);
    vm.add_getset(t, GETSETS);
}

fn this(vm: &Vm, v: Value) -> f64 {
    vm.as_float(v).unwrap_or(f64::NAN)
}

/// `a ** b` of doubles.
pub fn float_pow(vm: &mut Vm, a: f64, b: f64) -> R {
    if a == 0.0 && b < 0.0 && b.is_finite() {
        return Err(vm.zero_division_error("0.0 cannot be raised to a negative power"));
    }
    if a < 0.0 && a.is_finite() && b.is_finite() && b != b.floor() {
        return crate::complex::pow(vm, (a, 0.0), (b, 0.0));
    }
    let r = a.powf(b);
    if r.is_infinite() && a.is_finite() && b.is_finite() {
        let class = vm.types.overflow_error;
        let m = vm.new_str("Numerical result out of range");
        return Err(vm.raise_args(class, &[Value::small(34), m]));
    }
    Ok(Value::float(r))
}

impl Vm {
    /// The int part of a double.
    ///
    /// # Errors
    /// OverflowError for infinities, ValueError for NaN.
    pub fn float_to_int(&mut self, f: f64) -> R {
        if f.is_nan() {
            return Err(self.value_error("cannot convert float NaN to integer"));
        }
        if f.is_infinite() {
            return Err(self.overflow_error("cannot convert float infinity to integer"));
        }
        let t = f.trunc();
        if t.abs() < 9e18 {
            return Ok(self.new_int(t as i64));
        }
        let b = exact_int(t);
        Ok(self.new_big(&b))
    }

    /// The double behind a number: floats, what has `__float__` or `__index__`.
    ///
    /// # Errors
    /// TypeError `must be real number, not X`.
    pub fn number_to_f64(&mut self, v: Value) -> R<f64> {
        if let Some(f) = self.as_float(v) {
            return Ok(f);
        }
        match self.special_float(v)? {
            Some(f) => Ok(f),
            None => {
                let m = format!("must be real number, not {}", self.class_name(v));
                Err(self.type_error(&m))
            }
        }
    }

    /// By `__float__`, else by `__index__`; `None` if there is neither.
    fn special_float(&mut self, v: Value) -> R<Option<f64>> {
        if let Some(i) = self.as_int(v)
            && (!v.is_ptr() || !self.type_data(self.class_of(v)).heap_type)
        {
            return self.int_to_f64(i).map(Some);
        }
        let n = self.names;
        if let Some(r) = self.call_special(v, n.float, &[])? {
            let Some(f) = self.as_float(r) else {
                let m = format!(
                    "{}.__float__ returned non-float (type {})",
                    self.class_name(v),
                    self.class_name(r)
                );
                return Err(self.type_error(&m));
            };
            if !r.is_float() {
                let m = format!(
                    "{}.__float__ returned non-float (type {}).  The ability to return an instance of a strict subclass of float is deprecated, and may be removed in a future version of Python.",
                    self.class_name(v),
                    self.class_name(r)
                );
                self.warn(self.types.deprecation_warning, &m)?;
            }
            return Ok(Some(f));
        }
        if self.lookup_on(v, n.index).is_some() {
            let i = self.index(v)?;
            return self.int_to_f64(i).map(Some);
        }
        Ok(None)
    }
}

/// A double without a fraction as an int.
fn exact_int(f: f64) -> IBig {
    let (m, e) = decompose(f);
    if e >= 0 {
        m << e as usize
    } else {
        m >> (-e) as usize
    }
}

/// A finite double as `m * 2**e`, exactly.
fn decompose(f: f64) -> (IBig, i32) {
    let bits = f.to_bits();
    let exponent = (bits >> 52 & 0x7FF) as i32;
    let fraction = bits & ((1 << 52) - 1);
    let (m, e) = if exponent == 0 {
        (fraction, -1074)
    } else {
        (fraction | 1 << 52, exponent - 1075)
    };
    let m = IBig::from(m);
    (if f.is_sign_negative() { -m } else { m }, e)
}

fn new(vm: &mut Vm, a: &[Value]) -> R {
    let float = vm.types.float;
    let class = vm.new_class_arg(a[0], float)?;
    let init = vm.names.init;
    vm.refuse_keywords(class, float, init, a[2])?;
    let f = if a[1].is_null() {
        0.0
    } else {
        float_of(vm, a[1])?
    };
    Ok(vm.new_value(class, float, Value::float(f)))
}

fn float_of(vm: &mut Vm, x: Value) -> R<f64> {
    if let Some(f) = x.as_float() {
        return Ok(f);
    }
    if x.is_ptr()
        && crate::shape::shape_of(x).layout == Layout::StrSub
        && let Some(f) = vm.special_float(x)?
    {
        return Ok(f);
    }
    let text = match vm.as_str(x) {
        Some(s) => Some(to_ascii(vm.text(s))),
        None => vm
            .bytes_as_number(x)
            .map(|b| match std::str::from_utf8(&b) {
                Ok(t) => t
                    .trim_matches(|c| crate::number_text::is_space(c as u32))
                    .to_owned(),
                Err(_) => "?".to_owned(),
            }),
    };
    if let Some(t) = text {
        return match parse_float(&t) {
            Some(f) => Ok(f),
            None => {
                let shown = vm.repr_string(x)?;
                let m = format!("could not convert string to float: {shown}");
                Err(vm.value_error(&m))
            }
        };
    }
    match vm.special_float(x)? {
        Some(f) => Ok(f),
        None => {
            let m = format!(
                "float() argument must be a string or a real number, not '{}'",
                vm.class_name(x)
            );
            Err(vm.type_error(&m))
        }
    }
}

/// Shortest text that reads back as the same double.
pub fn float_text(f: f64) -> String {
    if f.is_nan() {
        return "nan".to_owned();
    }
    if f.is_infinite() {
        return if f > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let s = crate::float_repr::shortest_digits(f);
    let (mantissa, exponent) = s.split_once('e').unwrap_or((&s, "0"));
    let e: i32 = exponent.parse().unwrap_or(0);
    if !(-4..16).contains(&e) {
        let sign = if e < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", e.abs());
    }
    if mantissa.len() > 17 {
        return crate::float_repr::repr(f);
    }
    let plain = format!("{f}");
    if plain.contains('.') {
        plain
    } else {
        plain + ".0"
    }
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let s = float_text(this(vm, a[0]));
    Ok(vm.new_str_latin1(s.as_bytes()))
}

fn hash(vm: &mut Vm, a: &[Value]) -> R {
    let h = vm.hash_float(this(vm, a[0]), a[0]);
    Ok(vm.new_int(h))
}

fn bool_(vm: &mut Vm, a: &[Value]) -> R {
    Ok(vm.bool(this(vm, a[0]) != 0.0))
}

fn exact(vm: &mut Vm, a: &[Value]) -> R {
    Ok(Value::float(this(vm, a[0])))
}

fn trunc(vm: &mut Vm, a: &[Value]) -> R {
    vm.float_to_int(this(vm, a[0]))
}

fn floor(vm: &mut Vm, a: &[Value]) -> R {
    vm.float_to_int(this(vm, a[0]).floor())
}

fn ceil(vm: &mut Vm, a: &[Value]) -> R {
    vm.float_to_int(this(vm, a[0]).ceil())
}

fn neg(vm: &mut Vm, a: &[Value]) -> R {
    Ok(Value::float(-this(vm, a[0])))
}

fn abs(vm: &mut Vm, a: &[Value]) -> R {
    Ok(Value::float(this(vm, a[0]).abs()))
}

/// An operand as a double; `None`: neither float nor int.
fn operand(vm: &mut Vm, v: Value) -> R<Option<f64>> {
    if let Some(f) = vm.as_float(v) {
        return Ok(Some(f));
    }
    match vm.as_int(v) {
        Some(i) => vm.int_to_f64(i).map(Some),
        None => Ok(None),
    }
}

fn arithmetic(vm: &mut Vm, op: BinOp, a: Value, b: Value) -> R {
    let (Some(x), Some(y)) = (operand(vm, a)?, operand(vm, b)?) else {
        return Ok(vm.not_implemented);
    };
    match vm.float_binary(op, x, y) {
        Some(r) => r,
        None => Ok(vm.not_implemented),
    }
}

macro_rules! operators {
    ($($name:ident $reflected:ident $op:ident),*) => {
        $(fn $name(vm: &mut Vm, a: &[Value]) -> R {
            arithmetic(vm, BinOp::$op, a[0], a[1])
        }
        fn $reflected(vm: &mut Vm, a: &[Value]) -> R {
            arithmetic(vm, BinOp::$op, a[1], a[0])
        })*
    };
}
operators!(add radd Add, sub rsub Sub, mul rmul Mul, truediv rtruediv TrueDiv, floordiv rfloordiv FloorDiv,
    mod_ rmod Mod, divmod rdivmod DivMod);

fn pow3(vm: &mut Vm, a: Value, b: Value, m: Value) -> R {
    if m.is_some() && m != vm.none {
        return Err(
            vm.type_error("pow() 3rd argument not allowed unless all arguments are integers")
        );
    }
    arithmetic(vm, BinOp::Pow, a, b)
}

fn pow(vm: &mut Vm, a: &[Value]) -> R {
    pow3(vm, a[0], a[1], a[2])
}

fn rpow(vm: &mut Vm, a: &[Value]) -> R {
    pow3(vm, a[1], a[0], a[2])
}

comparisons!(compare);

fn compare(vm: &mut Vm, op: CmpOp, a: &[Value]) -> R {
    use std::cmp::Ordering;
    let x = this(vm, a[0]);
    let o: Option<Ordering> = if let Some(y) = vm.as_float(a[1]) {
        x.partial_cmp(&y)
    } else if let Some(i) = vm.as_int(a[1]) {
        compare_int(vm, x, i)
    } else {
        return Ok(vm.not_implemented);
    };
    Ok(vm.bool(match (op, o) {
        (CmpOp::Ne, o) => o != Some(Ordering::Equal),
        (_, None) => false,
        (CmpOp::Eq, Some(o)) => o.is_eq(),
        (CmpOp::Lt, Some(o)) => o.is_lt(),
        (CmpOp::Le, Some(o)) => o.is_le(),
        (CmpOp::Gt, Some(o)) => o.is_gt(),
        (CmpOp::Ge, Some(o)) => o.is_ge(),
    }))
}

/// Exact order of a double and an int; `None` for NaN.
fn compare_int(vm: &mut Vm, x: f64, i: Value) -> Option<std::cmp::Ordering> {
    if let Some(i) = i.as_int() {
        return x.partial_cmp(&(i as f64));
    }
    if x.is_nan() {
        return None;
    }
    let b = vm.int_to_big(i);
    if x.is_infinite() {
        return x.partial_cmp(&0.0);
    }
    let whole = exact_int(x.trunc());
    Some(whole.cmp(&b).then_with(|| {
        x.fract()
            .partial_cmp(&0.0)
            .unwrap_or(std::cmp::Ordering::Equal)
    }))
}

fn round(vm: &mut Vm, a: &[Value]) -> R {
    let f = this(vm, a[0]);
    if a[1].is_null() || a[1] == vm.none {
        return vm.float_to_int(f.round_ties_even());
    }
    let n = vm.index_i64(a[1], true)?;
    if !f.is_finite() || f == 0.0 || n > 323 {
        return Ok(Value::float(f));
    }
    if n < -308 {
        return Ok(Value::float(0f64.copysign(f)));
    }
    if n >= 0 {
        // Decimal formatting rounds the exact value, ties to even.
        let s = format!("{f:.*}", n as usize);
        return Ok(Value::float(s.parse().unwrap_or(f)));
    }
    let (m, e) = decompose(f);
    let unit = IBig::from(10).pow(-n as usize);
    let q = if e >= 0 {
        round_half_even(&(m << e as usize), &unit)
    } else {
        round_half_even(&m, &(&unit << (-e) as usize))
    };
    let r = (q * unit).to_f64().value();
    if r.is_infinite() {
        return Err(vm.overflow_error("rounded value too large to represent"));
    }
    Ok(Value::float(r.abs().copysign(f)))
}

fn getnewargs(vm: &mut Vm, a: &[Value]) -> R {
    let f = Value::float(this(vm, a[0]));
    Ok(vm.new_tuple(&[f]))
}

fn is_integer(vm: &mut Vm, a: &[Value]) -> R {
    let f = this(vm, a[0]);
    Ok(vm.bool(f.is_finite() && f == f.trunc()))
}

fn as_integer_ratio(vm: &mut Vm, a: &[Value]) -> R {
    let f = this(vm, a[0]);
    if f.is_infinite() {
        return Err(vm.overflow_error("cannot convert Infinity to integer ratio"));
    }
    if f.is_nan() {
        return Err(vm.value_error("cannot convert NaN to integer ratio"));
    }
    let (mut m, mut e) = decompose(f);
    while m != IBig::ZERO && e < 0 && &m & IBig::ONE == IBig::ZERO {
        m >>= 1usize;
        e += 1;
    }
    let (n, d) = if m == IBig::ZERO {
        (m, IBig::ONE)
    } else if e >= 0 {
        (m << e as usize, IBig::ONE)
    } else {
        (m, IBig::ONE << (-e) as usize)
    };
    let (n, d) = (vm.new_big(&n), vm.new_big(&d));
    Ok(vm.new_tuple(&[n, d]))
}

fn hex(vm: &mut Vm, a: &[Value]) -> R {
    let f = this(vm, a[0]);
    if !f.is_finite() {
        return Ok(vm.new_str(&float_text(f)));
    }
    let sign = if f.is_sign_negative() { "-" } else { "" };
    let bits = f.to_bits();
    let (e, m) = ((bits >> 52 & 0x7FF) as i32, bits & ((1 << 52) - 1));
    let s = if f == 0.0 {
        format!("{sign}0x0.0p+0")
    } else if e == 0 {
        format!("{sign}0x0.{m:013x}p-1022")
    } else {
        format!("{sign}0x1.{m:013x}p{:+}", e - 1023)
    };
    Ok(vm.new_str(&s))
}

fn fromhex(vm: &mut Vm, a: &[Value]) -> R {
    let Some(s) = vm.as_str(a[1]) else {
        return Err(vm.type_error("bad argument type for built-in operation"));
    };
    // Other scripts' digits do not count here.
    let text: String = vm
        .text(s)
        .iter()
        .map(|c| match u8::try_from(c) {
            Ok(c) if c.is_ascii() => c.into(),
            _ => '?',
        })
        .collect();
    let text = text.trim_matches(|c| matches!(c, ' ' | '\t'..='\r'));
    let f = match parse_hex(text) {
        Ok(f) => f,
        Err(BadHex::Invalid) => {
            return Err(vm.value_error("invalid hexadecimal floating-point string"));
        }
        Err(BadHex::TooLarge) => {
            return Err(vm.overflow_error("hexadecimal value too large to represent as a float"));
        }
    };
    let v = Value::float(f);
    if a[0] == vm.types.float.value() {
        return Ok(v);
    }
    vm.call(a[0], &[v])
}

#[derive(Debug, PartialEq)]
enum BadHex {
    Invalid,
    TooLarge,
}

/// `[sign] ["0x"] digits ["." digits] ["p" [sign] decimal]`, or a name.
fn parse_hex(text: &str) -> Result<f64, BadHex> {
    let (negative, body) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let sign = |f: f64| if negative { -f } else { f };
    match body.to_ascii_lowercase().as_str() {
        "inf" | "infinity" => return Ok(sign(f64::INFINITY)),
        "nan" => return Ok(sign(f64::NAN)),
        _ => {}
    }
    let body = body
        .strip_prefix("0x")
        .or_else(|| body.strip_prefix("0X"))
        .unwrap_or(body);
    let (digits, exponent) = match body.split_once(['p', 'P']) {
        Some((d, e)) => {
            let digits = e.strip_prefix(['+', '-']).unwrap_or(e);
            if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
                return Err(BadHex::Invalid);
            }
            // Far beyond any double, but not beyond an i64.
            let e = e.parse::<i64>().unwrap_or(if e.starts_with('-') {
                -1 << 40
            } else {
                1 << 40
            });
            (d, e.clamp(-1 << 40, 1 << 40))
        }
        None => (body, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || !all.bytes().all(|c| c.is_ascii_hexdigit()) {
        return Err(BadHex::Invalid);
    }
    let m = IBig::from_str_radix(&all, 16).map_err(|_| BadHex::Invalid)?;
    if m == IBig::ZERO {
        return Ok(sign(0.0));
    }
    let e = exponent - 4 * fraction.len() as i64;
    use dashu_int::ops::BitTest;
    let top = m.bit_len() as i64 + e;
    if top > 1024 {
        return Err(BadHex::TooLarge);
    }
    if top < -1075 {
        return Ok(sign(0.0));
    }
    // Round the mantissa to the bits a double has at this size, ties to even.
    let keep = if top < -1021 { 53 - (-1021 - top) } else { 53 };
    let drop = m.bit_len() as i64 - keep;
    let (m, e) = if drop > 0 {
        (round_half_even(&m, &(IBig::ONE << drop as usize)), e + drop)
    } else {
        (m, e)
    };
    let f = m.to_f64().value();
    let half = e / 2;
    let step = |f: f64, e: i64| {
        if e < -1074 {
            f * crate::int::exp2(-1074) * crate::int::exp2((e + 1074).max(-1074))
        } else {
            f * crate::int::exp2(e.min(1023))
        }
    };
    let f = step(step(f, half), e - half);
    if f.is_infinite() {
        return Err(BadHex::TooLarge);
    }
    Ok(sign(f))
}

fn getformat(vm: &mut Vm, a: &[Value]) -> R {
    if !vm.is_str(a[1]) {
        let m = format!(
            "__getformat__() argument must be str, not {}",
            vm.class_name(a[1])
        );
        return Err(vm.type_error(&m));
    }
    if vm.str_is(a[1], "double") || vm.str_is(a[1], "float") {
        return Ok(vm.new_str("IEEE, little-endian"));
    }
    Err(vm.value_error("__getformat__() argument 1 must be 'double' or 'float'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_laid_out_as_python_does() {
        for (f, s) in [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (1.5e300, "1.5e+300"),
            (-0.0, "-0.0"),
            (123456.789, "123456.789"),
        ] {
            assert_eq!(float_text(f), s);
        }
    }

    #[test]
    fn hex_texts() {
        assert_eq!(parse_hex("0x1.8p1"), Ok(3.0));
        assert_eq!(parse_hex("-0x.1p4"), Ok(-1.0));
        assert_eq!(parse_hex("0x1p-1074"), Ok(5e-324));
        assert_eq!(parse_hex("0x1.fffffffffffff8p0"), Ok(2.0));
        assert_eq!(parse_hex("0x1p1024"), Err(BadHex::TooLarge));
        assert_eq!(parse_hex("1p"), Err(BadHex::Invalid));
        assert_eq!(parse_hex("0x"), Err(BadHex::Invalid));
    }

    #[test]
    fn doubles_come_apart_exactly() {
        assert_eq!(exact_int(1e20), IBig::from(10).pow(20));
        assert_eq!(exact_int(-3.0), IBig::from(-3));
    }
}
