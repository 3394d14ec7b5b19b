//! `int` and `bool`: the classes' methods. Arithmetic is in `int.rs` and `ops.rs`.

use crate::layout::{Gc, Layout, PyType};
use crate::native::{
    GetSetDef, NativeDef, class_def, comparisons, def, effects, getter, static_def,
};
use crate::number_text::to_ascii;
use crate::ops::BinOp;
use crate::vm::{R, Vm};
use dashu_int::ops::BitTest;
use dashu_int::{IBig, Sign, UBig};
use pyrite_bytecode::CmpOp;
use pyrite_machine::Value;

const PURE: u8 = effects::ALLOC | effects::RAISES;

pub static METHODS: &[NativeDef] = &[
    static_def("__new__", "($type, x=0, /, base=10)", effects::CALLS, new),
    def("__repr__", "($self, /)", PURE, repr),
    def("__hash__", "($self, /)", effects::PURE, hash),
    def("__bool__", "($self, /)", effects::PURE, bool_),
    def("__int__", "($self, /)", effects::PURE, exact),
    def("__index__", "($self, /)", effects::PURE, exact),
    def("__trunc__", "($self, /)", effects::PURE, exact),
    def("__floor__", "($self, /)", effects::PURE, exact),
    def("__ceil__", "($self, /)", effects::PURE, exact),
    def("__pos__", "($self, /)", effects::PURE, exact),
    def("conjugate", "($self, /)", effects::PURE, exact),
    def("__float__", "($self, /)", PURE, float),
    def("__neg__", "($self, /)", PURE, neg),
    def("__abs__", "($self, /)", PURE, abs),
    def("__invert__", "($self, /)", PURE, invert),
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
    def("__lshift__", "($self, value, /)", PURE, lshift),
    def("__rlshift__", "($self, value, /)", PURE, rlshift),
    def("__rshift__", "($self, value, /)", PURE, rshift),
    def("__rrshift__", "($self, value, /)", PURE, rrshift),
    def("__and__", "($self, value, /)", PURE, and),
    def("__rand__", "($self, value, /)", PURE, and),
    def("__or__", "($self, value, /)", PURE, or),
    def("__ror__", "($self, value, /)", PURE, or),
    def("__xor__", "($self, value, /)", PURE, xor),
    def("__rxor__", "($self, value, /)", PURE, xor),
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
    def("__sizeof__", "($self, /)", effects::PURE, sizeof),
    def("bit_length", "($self, /)", effects::PURE, bit_length).doc("How many binary digits it takes to write the number's magnitude.\n\n>>> (1023).bit_length()\n10\n"),
    def("bit_count", "($self, /)", effects::PURE, bit_count).doc("How many ones there are among the binary digits of the number's magnitude.\n\n>>> (-11).bit_count()\n3\n"),
    def(
        "as_integer_ratio",
        "($self, /)",
        effects::ALLOC,
        as_integer_ratio,
    ).doc("The number as a pair of integers, the second positive, whose quotient it is.\n\n>>> (-7).as_integer_ratio()\n(-7, 1)\n"),
    def(
        "to_bytes",
        "($self, /, length=1, byteorder='big', *, signed=False)",
        effects::CALLS,
        to_bytes,
    ),
    class_def(
        "from_bytes",
        "($type, /, bytes, byteorder='big', *, signed=False)",
        effects::CALLS,
        from_bytes,
    ),
];

pub static GETSETS: &[GetSetDef] = &[
    getter("real", |vm, v| Ok(this(vm, v))),
    getter("imag", |_, _| Ok(Value::small(0))),
    getter("numerator", |vm, v| Ok(this(vm, v))),
    getter("denominator", |_, _| Ok(Value::small(1))),
];

static BOOL: &[NativeDef] = &[
    static_def("__new__", "($type, x=False, /)", effects::CALLS, bool_new),
    def("__repr__", "($self, /)", effects::ALLOC, bool_repr),
    def("__and__", "($self, value, /)", PURE, bool_and),
    def("__rand__", "($self, value, /)", PURE, bool_and),
    def("__or__", "($self, value, /)", PURE, bool_or),
    def("__ror__", "($self, value, /)", PURE, bool_or),
    def("__xor__", "($self, value, /)", PURE, bool_xor),
    def("__rxor__", "($self, value, /)", PURE, bool_xor),
];

/// Gives `int` and `bool` their methods.
pub fn install(vm: &mut Vm) {
    let t = vm.types;
    vm.add_methods(t.int, METHODS);
    vm.add_getset(t.int, GETSETS);
    vm.add_methods(t.bool_, BOOL);
}

fn this(vm: &Vm, v: Value) -> Value {
    vm.as_int(v).unwrap_or(v)
}

fn new(vm: &mut Vm, a: &[Value]) -> R {
    let int = vm.types.int;
    let class = vm.new_class_arg(a[0], int)?;
    let (x, base) = (a[1], a[2]);
    let v = if base.is_null() {
        if x.is_null() {
            Value::small(0)
        } else {
            number_to_int(vm, x)?
        }
    } else {
        if x.is_null() {
            return Err(vm.type_error("int() missing string argument"));
        }
        let base = vm.index_i64(base, true)?;
        if base != 0 && !(2..=36).contains(&base) {
            return Err(vm.value_error("int() base must be >= 2 and <= 36, or 0"));
        }
        let text = vm.is_str(x) || vm.as_bytes(x).is_some() || vm.layout_of(x) == Layout::ByteArray;
        if !text {
            return Err(vm.type_error("int() can't convert non-string with explicit base"));
        }
        match text_to_int(vm, x, base as u32)? {
            Some(v) => v,
            None => {
                return Err(vm.type_error("int() can't convert non-string with explicit base"));
            }
        }
    };
    Ok(vm.new_value(class, int, v))
}

/// The int in a str, bytes or bytearray; `None` for anything else.
fn text_to_int(vm: &mut Vm, x: Value, base: u32) -> R<Option<Value>> {
    if let Some(s) = vm.as_str(x) {
        let t = to_ascii(vm.text(s));
        return vm.int_from_text(&t, base, x).map(Some);
    }
    let Some(b) = vm.bytes_as_number(x) else {
        return Ok(None);
    };
    let t = match std::str::from_utf8(&b) {
        Ok(t) if t.is_ascii() => t.trim_matches(|c| crate::number_text::is_space(c as u32)),
        _ => "?",
    };
    let shown = vm.new_bytes(&b);
    vm.int_from_text(t, base, shown).map(Some)
}

/// `int(x)` without a base: an exact int.
pub fn number_to_int(vm: &mut Vm, x: Value) -> R {
    if x.is_int() || vm.layout_of(x) == Layout::Int {
        return Ok(x);
    }
    if let Some(f) = x.as_float() {
        return vm.float_to_int(f);
    }
    let n = vm.names;
    if let Some(r) = vm.call_special(x, n.int, &[])? {
        return match vm.as_int(r) {
            Some(i) => {
                if vm.layout_of(r) != Layout::Int {
                    let m = format!(
                        "__int__ returned non-int (type {}).  The ability to return an instance of a strict subclass of int is deprecated, and may be removed in a future version of Python.",
                        vm.class_name(r)
                    );
                    vm.warn(vm.types.deprecation_warning, &m)?;
                }
                Ok(i)
            }
            None => {
                let m = format!("__int__ returned non-int (type {})", vm.class_name(r));
                Err(vm.type_error(&m))
            }
        };
    }
    if vm.lookup_on(x, n.index).is_some() {
        return vm.index(x);
    }
    if let Some(r) = vm.call_special(x, n.trunc, &[])? {
        vm.warn(
            vm.types.deprecation_warning,
            "The delegation of int() to __trunc__ is deprecated.",
        )?;
        if let Some(i) = vm.as_int(r) {
            return Ok(i);
        }
        if vm.lookup_on(r, n.index).is_some() {
            return vm.index(r);
        }
        let m = format!(
            "__trunc__ returned non-Integral (type {})",
            vm.class_name(r)
        );
        return Err(vm.type_error(&m));
    }
    if let Some(v) = text_to_int(vm, x, 10)? {
        return Ok(v);
    }
    let m = format!(
        "int() argument must be a string, a bytes-like object or a real number, not '{}'",
        vm.class_name(x)
    );
    Err(vm.type_error(&m))
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let v = this(vm, a[0]);
    let s = vm.int_to_text(v)?;
    Ok(vm.new_str_latin1(s.as_bytes()))
}

fn hash(vm: &mut Vm, a: &[Value]) -> R {
    let h = vm.hash_int(this(vm, a[0]));
    Ok(vm.new_int(h))
}

fn bool_(vm: &mut Vm, a: &[Value]) -> R {
    Ok(vm.bool(this(vm, a[0]) != Value::small(0)))
}

fn exact(vm: &mut Vm, a: &[Value]) -> R {
    Ok(this(vm, a[0]))
}

fn float(vm: &mut Vm, a: &[Value]) -> R {
    let f = vm.int_to_f64(this(vm, a[0]))?;
    Ok(Value::float(f))
}

fn neg(vm: &mut Vm, a: &[Value]) -> R {
    vm.int_binary(BinOp::Sub, Value::small(0), this(vm, a[0]))
}

fn abs(vm: &mut Vm, a: &[Value]) -> R {
    let v = this(vm, a[0]);
    if crate::int::is_negative(vm, v) {
        return vm.int_binary(BinOp::Sub, Value::small(0), v);
    }
    Ok(v)
}

fn invert(vm: &mut Vm, a: &[Value]) -> R {
    vm.int_binary(BinOp::Sub, Value::small(-1), this(vm, a[0]))
}

fn arithmetic(vm: &mut Vm, op: BinOp, a: Value, b: Value) -> R {
    match (vm.as_int(a), vm.as_int(b)) {
        (Some(x), Some(y)) => vm.int_binary(op, x, y),
        _ => Ok(vm.not_implemented),
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
    mod_ rmod Mod, divmod rdivmod DivMod, lshift rlshift LShift, rshift rrshift RShift);

fn and(vm: &mut Vm, a: &[Value]) -> R {
    arithmetic(vm, BinOp::And, a[0], a[1])
}

fn or(vm: &mut Vm, a: &[Value]) -> R {
    arithmetic(vm, BinOp::Or, a[0], a[1])
}

fn xor(vm: &mut Vm, a: &[Value]) -> R {
    arithmetic(vm, BinOp::Xor, a[0], a[1])
}

fn pow(vm: &mut Vm, a: &[Value]) -> R {
    int_pow3(vm, a[0], a[1], a[2])
}

fn rpow(vm: &mut Vm, a: &[Value]) -> R {
    int_pow3(vm, a[1], a[0], a[2])
}

/// `pow(a, b, m)`; NotImplemented unless all are ints (`m` may be null or None).
pub fn int_pow3(vm: &mut Vm, a: Value, b: Value, m: Value) -> R {
    let (Some(x), Some(y)) = (vm.as_int(a), vm.as_int(b)) else {
        return Ok(vm.not_implemented);
    };
    if m.is_null() || m == vm.none {
        return vm.int_binary(BinOp::Pow, x, y);
    }
    let Some(z) = vm.as_int(m) else {
        return Ok(vm.not_implemented);
    };
    let (x, y, z) = (vm.int_to_big(x), vm.int_to_big(y), vm.int_to_big(z));
    if z == IBig::ZERO {
        return Err(vm.value_error("pow() 3rd argument cannot be 0"));
    }
    match mod_pow(x, y, &z) {
        Some(r) => Ok(vm.new_big(&r)),
        None => Err(vm.value_error("base is not invertible for the given modulus")),
    }
}

/// `x ** y % z` with the modulus's sign; `None` if `x` has no inverse.
fn mod_pow(x: IBig, y: IBig, z: &IBig) -> Option<IBig> {
    let m = crate::int::abs(z);
    if m == IBig::ONE {
        return Some(IBig::ZERO);
    }
    let reduce = |v: &IBig| crate::int::div_mod_floor(v, &m).1;
    let mut base = reduce(&x);
    let mut e = y;
    if e.sign() == Sign::Negative {
        base = inverse(&base, &m)?;
        e = -e;
    }
    let e = UBig::try_from(e).unwrap_or_default();
    let mut r = IBig::ONE;
    for i in (0..e.bit_len()).rev() {
        r = reduce(&(&r * &r));
        if e.bit(i) {
            r = reduce(&(&r * &base));
        }
    }
    let r = reduce(&r);
    Some(if z.sign() == Sign::Negative && r != IBig::ZERO {
        r - m
    } else {
        r
    })
}

/// The number that times `a` is 1 modulo `m`.
fn inverse(a: &IBig, m: &IBig) -> Option<IBig> {
    let (mut r0, mut r1) = (m.clone(), a.clone());
    let (mut t0, mut t1) = (IBig::ZERO, IBig::ONE);
    while r1 != IBig::ZERO {
        let q = &r0 / &r1;
        (r0, r1) = (r1.clone(), &r0 - &q * &r1);
        (t0, t1) = (t1.clone(), &t0 - &q * &t1);
    }
    (r0 == IBig::ONE).then(|| crate::int::div_mod_floor(&t0, m).1)
}

comparisons!(compare);

fn compare(vm: &mut Vm, op: CmpOp, a: &[Value]) -> R {
    let (Some(x), Some(y)) = (vm.as_int(a[0]), vm.as_int(a[1])) else {
        return Ok(vm.not_implemented);
    };
    let o = match (x.as_int(), y.as_int()) {
        (Some(x), Some(y)) => x.cmp(&y),
        _ => vm.int_to_big(x).cmp(&vm.int_to_big(y)),
    };
    Ok(vm.bool(match op {
        CmpOp::Lt => o.is_lt(),
        CmpOp::Le => o.is_le(),
        CmpOp::Eq => o.is_eq(),
        CmpOp::Ne => o.is_ne(),
        CmpOp::Gt => o.is_gt(),
        CmpOp::Ge => o.is_ge(),
    }))
}

fn round(vm: &mut Vm, a: &[Value]) -> R {
    let v = this(vm, a[0]);
    if a[1].is_null() || a[1] == vm.none {
        return Ok(v);
    }
    let n = vm.index_i64(a[1], true)?;
    if n >= 0 {
        return Ok(v);
    }
    let x = vm.int_to_big(v);
    let digits = (x.bit_len() as i64) / 3 + 2;
    if -n > digits {
        return Ok(Value::small(0));
    }
    let unit = IBig::from(10).pow(-n as usize);
    let q = round_half_even(&x, &unit);
    Ok(vm.new_big(&(q * unit)))
}

/// `x / unit` rounded to nearest, ties to even; `unit` is positive.
pub fn round_half_even(x: &IBig, unit: &IBig) -> IBig {
    let (q, r) = crate::int::div_mod_floor(x, unit);
    let twice = r * IBig::from(2);
    let odd = &q & IBig::ONE == IBig::ONE;
    if twice > *unit || twice == *unit && odd {
        q + IBig::ONE
    } else {
        q
    }
}

fn getnewargs(vm: &mut Vm, a: &[Value]) -> R {
    let v = this(vm, a[0]);
    Ok(vm.new_tuple(&[v]))
}

/// As CPython's: 30 bits a digit.
fn sizeof(vm: &mut Vm, a: &[Value]) -> R {
    let bits = magnitude(vm, a[0]).bit_len().max(1);
    Ok(vm.new_int(24 + 4 * bits.div_ceil(30) as i64))
}

fn magnitude(vm: &mut Vm, v: Value) -> UBig {
    let b = vm.int_to_big(this(vm, v));
    b.into_parts().1
}

fn bit_length(vm: &mut Vm, a: &[Value]) -> R {
    let v = this(vm, a[0]);
    let n = match v.as_int() {
        Some(i) => 64 - i.unsigned_abs().leading_zeros() as usize,
        None => magnitude(vm, v).bit_len(),
    };
    Ok(vm.new_int(n as i64))
}

fn bit_count(vm: &mut Vm, a: &[Value]) -> R {
    let v = this(vm, a[0]);
    let n: u32 = match v.as_int() {
        Some(i) => i.unsigned_abs().count_ones(),
        None => crate::numbers::big_limbs(v)
            .iter()
            .map(|l| l.count_ones())
            .sum(),
    };
    Ok(vm.new_int(n.into()))
}

fn as_integer_ratio(vm: &mut Vm, a: &[Value]) -> R {
    let v = this(vm, a[0]);
    Ok(vm.new_tuple(&[v, Value::small(1)]))
}

fn little_endian(vm: &mut Vm, order: Value) -> R<bool> {
    if order.is_null() {
        return Ok(false);
    }
    if !vm.is_str(order) {
        let m = format!(
            "to_bytes() argument 'byteorder' must be str, not {}",
            vm.class_name(order)
        );
        return Err(vm.type_error(&m));
    }
    if vm.str_is(order, "little") {
        return Ok(true);
    }
    if vm.str_is(order, "big") {
        return Ok(false);
    }
    Err(vm.value_error("byteorder must be either 'little' or 'big'"))
}

fn to_bytes(vm: &mut Vm, a: &[Value]) -> R {
    let length = if a[1].is_null() {
        1
    } else {
        vm.index_i64(a[1], false)?
    };
    let little = little_endian(vm, a[2])?;
    let signed = if a[3].is_null() {
        false
    } else {
        vm.truth(a[3])?
    };
    if length < 0 {
        return Err(vm.value_error("length argument must be non-negative"));
    }
    let v = this(vm, a[0]);
    let x = vm.int_to_big(v);
    let negative = x.sign() == Sign::Negative && x != IBig::ZERO;
    if negative && !signed {
        return Err(vm.overflow_error("can't convert negative int to unsigned"));
    }
    let length = length as usize;
    // Two's complement: of a negative number, the bytes of -x - 1 inverted.
    let m = if negative { -(x + IBig::ONE) } else { x };
    let m = UBig::try_from(m).unwrap_or_default();
    let fits = m.bit_len() + usize::from(signed) <= length * 8;
    if !fits && (m != UBig::ZERO || negative) {
        return Err(vm.overflow_error("int too big to convert"));
    }
    let mut bytes = m.to_le_bytes().to_vec();
    bytes.resize(length, 0);
    if negative {
        for b in &mut bytes {
            *b = !*b;
        }
    }
    if !little {
        bytes.reverse();
    }
    Ok(vm.new_bytes(&bytes))
}

fn from_bytes(vm: &mut Vm, a: &[Value]) -> R {
    let little = little_endian(vm, a[2])?;
    let signed = if a[3].is_null() {
        false
    } else {
        vm.truth(a[3])?
    };
    let mut bytes = match vm.bytes_as_number(a[1]) {
        Some(b) => b,
        None => {
            let t = vm.types.bytes.value();
            if vm.is_int(a[1]) || vm.is_str(a[1]) {
                let m = format!("cannot convert '{}' object to bytes", vm.class_name(a[1]));
                return Err(vm.type_error(&m));
            }
            let b = vm.call(t, &[a[1]])?;
            vm.bytes_as_number(b).unwrap_or_default()
        }
    };
    if !little {
        bytes.reverse();
    }
    let negative = signed && bytes.last().is_some_and(|b| b & 0x80 != 0);
    let v = if negative {
        for b in &mut bytes {
            *b = !*b;
        }
        -(IBig::from(UBig::from_le_bytes(&bytes))) - IBig::ONE
    } else {
        IBig::from(UBig::from_le_bytes(&bytes))
    };
    let v = vm.new_big(&v);
    if a[0] == vm.types.int.value() {
        return Ok(v);
    }
    vm.call(a[0], &[v])
}

fn bool_new(vm: &mut Vm, a: &[Value]) -> R {
    let t = vm.types.bool_;
    vm.new_class_arg(a[0], t)?;
    let b = !a[1].is_null() && vm.truth(a[1])?;
    Ok(vm.bool(b))
}

fn bool_repr(vm: &mut Vm, a: &[Value]) -> R {
    Ok(vm.intern(if a[0] == vm.true_ { "True" } else { "False" }))
}

fn bool_operator(vm: &mut Vm, op: BinOp, f: fn(bool, bool) -> bool, a: &[Value]) -> R {
    if vm.layout_of(a[1]) == Layout::Bool {
        return Ok(vm.bool(f(a[0] == vm.true_, a[1] == vm.true_)));
    }
    arithmetic(vm, op, a[0], a[1])
}

fn bool_and(vm: &mut Vm, a: &[Value]) -> R {
    bool_operator(vm, BinOp::And, |x, y| x & y, a)
}

fn bool_or(vm: &mut Vm, a: &[Value]) -> R {
    bool_operator(vm, BinOp::Or, |x, y| x | y, a)
}

fn bool_xor(vm: &mut Vm, a: &[Value]) -> R {
    bool_operator(vm, BinOp::Xor, |x, y| x ^ y, a)
}

impl Vm {
    /// `warnings.warn(message, category)`, if the library's module is at hand.
    ///
    /// # Errors
    /// The warning itself, when a filter turns it into an error.
    pub fn warn(&mut self, category: Gc<PyType>, message: &str) -> R<()> {
        if self.modules.is_null() {
            return Ok(());
        }
        let key = self.intern("warnings");
        let module = self.dict_get_str(self.modules, key);
        if module.is_null() || module == self.none {
            return Ok(());
        }
        let f = self.getattr_str(module, "warn")?;
        let text = self.new_str(message);
        self.call(f, &[text, category.value()])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modular_powers() {
        let p = |x: i64, y: i64, z: i64| mod_pow(IBig::from(x), IBig::from(y), &IBig::from(z));
        assert_eq!(p(3, 4, 5), Some(IBig::ONE));
        assert_eq!(p(3, -1, 7), Some(IBig::from(5)));
        assert_eq!(p(2, -1, 4), None);
        assert_eq!(p(3, 2, -5), Some(IBig::from(-1)));
        assert_eq!(p(5, 0, 1), Some(IBig::ZERO));
    }

    #[test]
    fn ties_go_to_even() {
        let r = |x: i64| round_half_even(&IBig::from(x), &IBig::from(10));
        assert_eq!(
            (r(25), r(35), r(-25), r(26)),
            (2.into(), 4.into(), (-2).into(), 3.into())
        );
    }
}
