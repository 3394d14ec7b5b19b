//! `complex`: arithmetic and the class's methods.

use crate::layout::Layout;
use crate::native::{GetSetDef, NativeDef, comparisons, def, effects, getter, static_def};
use crate::number_text::to_ascii;
use crate::vm::{R, Vm};
use pyrite_bytecode::CmpOp;
use pyrite_machine::Value;

const PURE: u8 = effects::ALLOC | effects::RAISES;

pub static METHODS: &[NativeDef] = &[
    static_def("__new__", "($type, real=0, imag=0)", effects::CALLS, new),
    def("__repr__", "($self, /)", effects::ALLOC, repr),
    def("__hash__", "($self, /)", effects::PURE, hash),
    def("__bool__", "($self, /)", effects::PURE, bool_),
    def("__pos__", "($self, /)", effects::ALLOC, pos),
    def("__neg__", "($self, /)", effects::ALLOC, neg),
    def("__abs__", "($self, /)", PURE, abs),
    def("__complex__", "($self, /)", effects::ALLOC, pos),
    def("conjugate", "($self, /)", effects::ALLOC, conjugate),
    def("__add__", "($self, value, /)", PURE, add),
    def("__radd__", "($self, value, /)", PURE, radd),
    def("__sub__", "($self, value, /)", PURE, sub),
    def("__rsub__", "($self, value, /)", PURE, rsub),
    def("__mul__", "($self, value, /)", PURE, mul),
    def("__rmul__", "($self, value, /)", PURE, rmul),
    def("__truediv__", "($self, value, /)", PURE, truediv),
    def("__rtruediv__", "($self, value, /)", PURE, rtruediv),
    def("__pow__", "($self, value, mod=None, /)", PURE, pow_method),
    def("__rpow__", "($self, value, mod=None, /)", PURE, rpow_method),
    def("__lt__", "($self, value, /)", effects::PURE, lt),
    def("__le__", "($self, value, /)", effects::PURE, le),
    def("__eq__", "($self, value, /)", effects::PURE, eq),
    def("__ne__", "($self, value, /)", effects::PURE, ne),
    def("__gt__", "($self, value, /)", effects::PURE, gt),
    def("__ge__", "($self, value, /)", effects::PURE, ge),
    def("__getnewargs__", "($self, /)", effects::ALLOC, getnewargs),
];

pub static GETSETS: &[GetSetDef] = &[
    getter("real", |vm, v| Ok(Value::float(this(vm, v).0))),
    getter("imag", |vm, v| Ok(Value::float(this(vm, v).1))),
];

/// Gives `complex` its methods.
pub fn install(vm: &mut Vm) {
    let t = vm.types.complex;
    vm.add_methods(t, METHODS);
    vm.add_getset(t, GETSETS);
}

/// Real and imaginary part.
pub type C = (f64, f64);

fn this(vm: &Vm, v: Value) -> C {
    vm.as_complex(v).unwrap_or((f64::NAN, f64::NAN))
}

fn new(vm: &mut Vm, a: &[Value]) -> R {
    let complex = vm.types.complex;
    let class = vm.new_class_arg(a[0], complex)?;
    let (re, im) = (a[1], a[2]);
    if class == complex && im.is_null() && re.is_some() && vm.class_of(re) == complex {
        return Ok(re);
    }
    let made = |vm: &mut Vm, c: C| {
        let v = vm.new_complex(c.0, c.1);
        vm.new_value(class, complex, v)
    };
    if re.is_some() && vm.is_str(re) {
        if im.is_some() {
            return Err(vm.type_error("complex() can't take second arg if first is a string"));
        }
        let text = vm
            .as_str(re)
            .map(|s| to_ascii(vm.text(s)))
            .unwrap_or_default();
        return match parse(&text) {
            Some(c) => Ok(made(vm, c)),
            None => Err(vm.value_error("complex() arg is a malformed string")),
        };
    }
    if im.is_some() && vm.is_str(im) {
        return Err(vm.type_error("complex() second arg can't be a string"));
    }
    let (mut x, mut y) = ((0.0, 0.0), (0.0, 0.0));
    let mut imaginary_is_complex = false;
    if re.is_some() {
        x = match number(vm, re, true)? {
            Some((c, _)) => c,
            None => {
                let m = format!(
                    "complex() first argument must be a string or a number, not '{}'",
                    vm.class_name(re)
                );
                return Err(vm.type_error(&m));
            }
        };
    }
    if im.is_some() {
        y = match number(vm, im, false)? {
            Some((c, is_complex)) => {
                imaginary_is_complex = is_complex;
                c
            }
            None => {
                let m = format!(
                    "complex() second argument must be a number, not '{}'",
                    vm.class_name(im)
                );
                return Err(vm.type_error(&m));
            }
        };
    }
    // x + y * i, without disturbing the signs of zeros.
    let real = if imaginary_is_complex { x.0 - y.1 } else { x.0 };
    let imag = if im.is_null() {
        x.1
    } else if x.1 != 0.0 || re.is_some() && is_complex(vm, re) {
        x.1 + y.0
    } else {
        y.0
    };
    Ok(made(vm, (real, imag)))
}

fn is_complex(vm: &Vm, v: Value) -> bool {
    matches!(vm.layout_of(v), Layout::Complex | Layout::ComplexSub)
}

/// An argument's value, and whether it was complex.
fn number(vm: &mut Vm, v: Value, special: bool) -> R<Option<(C, bool)>> {
    if special
        && !(vm.class_of(v) == vm.types.complex)
        && let Some(c) = vm.special_complex(v)?
    {
        return Ok(Some((c, true)));
    }
    if let Some(c) = vm.as_complex(v) {
        return Ok(Some((c, true)));
    }
    let n = vm.names;
    if vm.as_float(v).is_none()
        && vm.lookup_on(v, n.float).is_null()
        && vm.lookup_on(v, n.index).is_null()
    {
        return Ok(None);
    }
    let f = vm.number_to_f64(v)?;
    Ok(Some(((f, 0.0), false)))
}

impl Vm {
    /// What `v.__complex__()` returns, if there is such a method.
    pub fn special_complex(&mut self, v: Value) -> R<Option<C>> {
        let n = self.names.complex;
        let Some(r) = self.call_special(v, n, &[])? else {
            return Ok(None);
        };
        let Some(c) = self.as_complex(r) else {
            let m = format!(
                "{}.__complex__() returned non-complex (type {})",
                self.class_name(v),
                self.class_name(r)
            );
            return Err(self.type_error(&m));
        };
        if self.class_of(r) != self.types.complex {
            let m = format!(
                "{}.__complex__() returned non-complex (type {}).  The ability to return an instance of a strict subclass of complex is deprecated, and may be removed in a future version of Python.",
                self.class_name(v),
                self.class_name(r)
            );
            self.warn(self.types.deprecation_warning, &m)?;
        }
        Ok(Some(c))
    }
}

/// Length of the float at the start of `s` (0: none).
fn float_prefix(s: &str) -> usize {
    let b = s.as_bytes();
    let mut i = usize::from(matches!(b.first(), Some(b'+' | b'-')));
    let rest = s[i..].to_ascii_lowercase();
    for name in ["infinity", "inf", "nan"] {
        if rest.starts_with(name) {
            return i + name.len();
        }
    }
    let start = i;
    let digits = |mut i: usize| {
        while i < b.len() && (b[i].is_ascii_digit() || b[i] == b'_') {
            i += 1;
        }
        i
    };
    i = digits(i);
    if b.get(i) == Some(&b'.') {
        i = digits(i + 1);
    }
    if !b[start..i].iter().any(u8::is_ascii_digit) {
        return 0;
    }
    if matches!(b.get(i), Some(b'e' | b'E')) {
        let mut j = i + 1;
        if matches!(b.get(j), Some(b'+' | b'-')) {
            j += 1;
        }
        let end = digits(j);
        if end > j {
            i = end;
        }
    }
    i
}

/// `float`, `float j`, `float±float j`, with `j` alone meaning 1j, in parentheses or not.
fn parse(text: &str) -> Option<C> {
    let mut s = text;
    if let Some(inner) = s.strip_prefix('(') {
        s = inner.strip_suffix(')')?.trim_matches(' ');
    }
    let float = crate::number_text::parse_float;
    let is_j = |s: &str| s == "j" || s == "J";
    let unit = |s: &str| match s {
        "" | "+" => Some(1.0),
        "-" => Some(-1.0),
        _ => None,
    };
    let n = float_prefix(s);
    if n == 0 {
        let sign = s.strip_suffix(['j', 'J'])?;
        return Some((0.0, unit(sign)?));
    }
    let (first, rest) = s.split_at(n);
    let first = float(first)?;
    if rest.is_empty() {
        return Some((first, 0.0));
    }
    if is_j(rest) {
        return Some((0.0, first));
    }
    if !rest.starts_with(['+', '-']) {
        return None;
    }
    let m = float_prefix(rest);
    if m == 0 {
        let sign = rest.strip_suffix(['j', 'J'])?;
        return Some((first, unit(sign)?));
    }
    let (second, end) = rest.split_at(m);
    if !is_j(end) {
        return None;
    }
    Some((first, float(second)?))
}

/// A part of a complex number's text: as repr, but without `.0`.
fn part_text(f: f64) -> String {
    let s = crate::float::float_text(f);
    match s.strip_suffix(".0") {
        Some(t) => t.to_owned(),
        None => s,
    }
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let (re, im) = this(vm, a[0]);
    let s = if re == 0.0 && re.is_sign_positive() {
        format!("{}j", part_text(im))
    } else {
        let sign = if im.is_nan() || im.is_sign_positive() {
            "+"
        } else {
            ""
        };
        format!("({}{sign}{}j)", part_text(re), part_text(im))
    };
    Ok(vm.new_str(&s))
}

fn hash(vm: &mut Vm, a: &[Value]) -> R {
    let (re, im) = this(vm, a[0]);
    let h = vm
        .hash_float(re, a[0])
        .wrapping_add(vm.hash_float(im, a[0]).wrapping_mul(1_000_003));
    Ok(vm.new_int(if h == -1 { -2 } else { h }))
}

fn bool_(vm: &mut Vm, a: &[Value]) -> R {
    let (re, im) = this(vm, a[0]);
    Ok(vm.bool(re != 0.0 || im != 0.0))
}

fn pos(vm: &mut Vm, a: &[Value]) -> R {
    let (re, im) = this(vm, a[0]);
    Ok(vm.new_complex(re, im))
}

fn neg(vm: &mut Vm, a: &[Value]) -> R {
    let (re, im) = this(vm, a[0]);
    Ok(vm.new_complex(-re, -im))
}

fn abs(vm: &mut Vm, a: &[Value]) -> R {
    let (re, im) = this(vm, a[0]);
    let r = re.hypot(im);
    if r.is_infinite() && re.is_finite() && im.is_finite() {
        return Err(vm.overflow_error("absolute value too large"));
    }
    Ok(Value::float(r))
}

fn conjugate(vm: &mut Vm, a: &[Value]) -> R {
    let (re, im) = this(vm, a[0]);
    Ok(vm.new_complex(re, -im))
}

/// An operand as a complex number; `None`: no built-in number.
fn operand(vm: &mut Vm, v: Value) -> R<Option<C>> {
    if let Some(c) = vm.as_complex(v) {
        return Ok(Some(c));
    }
    if let Some(f) = vm.as_float(v) {
        return Ok(Some((f, 0.0)));
    }
    match vm.as_int(v) {
        Some(i) => Ok(Some((vm.int_to_f64(i)?, 0.0))),
        None => Ok(None),
    }
}

fn both(vm: &mut Vm, a: Value, b: Value) -> R<Option<(C, C)>> {
    let (x, y) = (operand(vm, a)?, operand(vm, b)?);
    Ok(x.zip(y))
}

type Operation = fn(&mut Vm, C, C) -> R;

fn operate(vm: &mut Vm, a: Value, b: Value, f: Operation) -> R {
    match both(vm, a, b)? {
        Some((x, y)) => f(vm, x, y),
        None => Ok(vm.not_implemented),
    }
}

macro_rules! operators {
    ($($name:ident $reflected:ident $op:expr),*) => {
        $(fn $name(vm: &mut Vm, a: &[Value]) -> R {
            operate(vm, a[0], a[1], $op)
        }
        fn $reflected(vm: &mut Vm, a: &[Value]) -> R {
            operate(vm, a[1], a[0], $op)
        })*
    };
}
operators!(
    add radd |vm, x, y| Ok(vm.new_complex(x.0 + y.0, x.1 + y.1)),
    sub rsub |vm, x, y| Ok(vm.new_complex(x.0 - y.0, x.1 - y.1)),
    mul rmul |vm, x, y| {
        let p = product(x, y);
        Ok(vm.new_complex(p.0, p.1))
    },
    truediv rtruediv |vm, x, y| match quotient(x, y) {
        Some(q) => Ok(vm.new_complex(q.0, q.1)),
        None => Err(vm.zero_division_error("complex division by zero")),
    }
);

fn product(x: C, y: C) -> C {
    (x.0 * y.0 - x.1 * y.1, x.0 * y.1 + x.1 * y.0)
}

/// Smith's division, which scales by the larger part of the divisor; `None` for
/// a divisor of zero.
fn quotient(x: C, y: C) -> Option<C> {
    if y.0.abs() >= y.1.abs() {
        if y.0 == 0.0 {
            return None;
        }
        let ratio = y.1 / y.0;
        let d = y.0 + y.1 * ratio;
        Some(((x.0 + x.1 * ratio) / d, (x.1 - x.0 * ratio) / d))
    } else if y.1.abs() >= y.0.abs() {
        let ratio = y.0 / y.1;
        let d = y.0 * ratio + y.1;
        Some(((x.0 * ratio + x.1) / d, (x.1 * ratio - x.0) / d))
    } else {
        Some((f64::NAN, f64::NAN))
    }
}

/// `x ** y`.
pub fn pow(vm: &mut Vm, x: C, y: C) -> R {
    let r = if y.1 == 0.0 && y.0 == y.0.floor() && y.0.abs() <= 100.0 {
        let p = power_of_int(x, y.0.abs() as u32);
        if y.0 >= 0.0 {
            p
        } else {
            match quotient((1.0, 0.0), p) {
                Some(q) => q,
                None => {
                    return Err(vm.zero_division_error("0.0 to a negative or complex power"));
                }
            }
        }
    } else if y == (0.0, 0.0) {
        (1.0, 0.0)
    } else if x == (0.0, 0.0) {
        if y.1 != 0.0 || y.0 < 0.0 {
            return Err(vm.zero_division_error("0.0 to a negative or complex power"));
        }
        (0.0, 0.0)
    } else {
        let size = x.0.hypot(x.1);
        let angle = x.1.atan2(x.0);
        let mut len = size.powf(y.0);
        let mut phase = angle * y.0;
        if y.1 != 0.0 {
            len /= (angle * y.1).exp();
            phase += y.1 * size.ln();
        }
        (len * phase.cos(), len * phase.sin())
    };
    let finite = |c: C| c.0.is_finite() && c.1.is_finite();
    if (r.0.is_infinite() || r.1.is_infinite()) && finite(x) && finite(y) {
        return Err(vm.overflow_error("complex exponentiation"));
    }
    Ok(vm.new_complex(r.0, r.1))
}

fn power_of_int(x: C, n: u32) -> C {
    let (mut r, mut p, mut mask) = ((1.0, 0.0), x, 1u32);
    while mask > 0 && n >= mask {
        if n & mask != 0 {
            r = product(r, p);
        }
        mask <<= 1;
        p = product(p, p);
    }
    r
}

fn pow3(vm: &mut Vm, a: Value, b: Value, m: Value) -> R {
    let Some((x, y)) = both(vm, a, b)? else {
        return Ok(vm.not_implemented);
    };
    if m.is_some() && m != vm.none {
        return Err(vm.value_error("complex modulo"));
    }
    pow(vm, x, y)
}

fn pow_method(vm: &mut Vm, a: &[Value]) -> R {
    pow3(vm, a[0], a[1], a[2])
}

fn rpow_method(vm: &mut Vm, a: &[Value]) -> R {
    pow3(vm, a[1], a[0], a[2])
}

comparisons!(compare);

fn compare(vm: &mut Vm, op: CmpOp, a: &[Value]) -> R {
    if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
        return Ok(vm.not_implemented);
    }
    let (re, im) = this(vm, a[0]);
    let same = if let Some(y) = vm.as_complex(a[1]) {
        (re, im) == y
    } else if vm.as_float(a[1]).is_some() || vm.is_int(a[1]) {
        // Ints compare exactly, as with floats.
        im == 0.0 && {
            let r = vm.compare(CmpOp::Eq, Value::float(re), a[1])?;
            vm.truth(r)?
        }
    } else {
        return Ok(vm.not_implemented);
    };
    Ok(vm.bool(same == (op == CmpOp::Eq)))
}

fn getnewargs(vm: &mut Vm, a: &[Value]) -> R {
    let (re, im) = this(vm, a[0]);
    Ok(vm.new_tuple(&[Value::float(re), Value::float(im)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        assert_eq!(parse("1+2j"), Some((1.0, 2.0)));
        assert_eq!(parse("(-j)"), Some((0.0, -1.0)));
        assert_eq!(parse("1e3-1e-2J"), Some((1000.0, -0.01)));
        assert_eq!(parse("inf+nanj").map(|c| c.0), Some(f64::INFINITY));
        assert_eq!(parse("3"), Some((3.0, 0.0)));
        for s in ["", "1+", "1 + 2j", "1+2", "j1", "(1", "1j+2"] {
            assert_eq!(parse(s), None, "{s}");
        }
    }

    #[test]
    fn division_scales() {
        assert_eq!(quotient((1.0, 1.0), (0.0, 1.0)), Some((1.0, -1.0)));
        assert_eq!(quotient((1.0, 1.0), (0.0, 0.0)), None);
    }
}
