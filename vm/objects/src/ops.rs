//! Operators: what `a + b`, `a < b`, `hash(a)`, `len(a)`, `a[b]`... do.
//!
//! Built-in numbers are handled here at once; everything else goes through the
//! special methods, which built-in classes define natively.

use crate::layout::{Gc, Layout, PyDict, PyList, PyTuple};
use crate::numbers::inner;
use crate::shape::shape_of;
use crate::vm::{R, Vm};
use dashu_int::IBig;
use pyrite_bytecode::CmpOp;
use pyrite_machine::Value;

/// Binary operators.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum BinOp {
    Add,
    Sub,
    Mul,
    TrueDiv,
    FloorDiv,
    Mod,
    Pow,
    MatMul,
    LShift,
    RShift,
    And,
    Or,
    Xor,
    DivMod,
}

impl BinOp {
    /// All, in numeric order.
    pub const ALL: [BinOp; 14] = [
        BinOp::Add,
        BinOp::Sub,
        BinOp::Mul,
        BinOp::TrueDiv,
        BinOp::FloorDiv,
        BinOp::Mod,
        BinOp::Pow,
        BinOp::MatMul,
        BinOp::LShift,
        BinOp::RShift,
        BinOp::And,
        BinOp::Or,
        BinOp::Xor,
        BinOp::DivMod,
    ];

    /// As it is written; with `=` for the in-place form.
    pub fn symbol(self, inplace: bool) -> &'static str {
        const S: [(&str, &str); 14] = [
            ("+", "+="),
            ("-", "-="),
            ("*", "*="),
            ("/", "/="),
            ("//", "//="),
            ("%", "%="),
            ("** or pow()", "**="),
            ("@", "@="),
            ("<<", "<<="),
            (">>", ">>="),
            ("&", "&="),
            ("|", "|="),
            ("^", "^="),
            ("divmod()", "divmod()"),
        ];
        let (a, b) = S[self as usize];
        if inplace { b } else { a }
    }

    fn names(self, vm: &Vm) -> (Value, Value, Value) {
        let n = &vm.names;
        match self {
            BinOp::Add => (n.add, n.radd, n.iadd),
            BinOp::Sub => (n.sub, n.rsub, n.isub),
            BinOp::Mul => (n.mul, n.rmul, n.imul),
            BinOp::TrueDiv => (n.truediv, n.rtruediv, n.itruediv),
            BinOp::FloorDiv => (n.floordiv, n.rfloordiv, n.ifloordiv),
            BinOp::Mod => (n.mod_, n.rmod, n.imod),
            BinOp::Pow => (n.pow, n.rpow, n.ipow),
            BinOp::MatMul => (n.matmul, n.rmatmul, n.imatmul),
            BinOp::LShift => (n.lshift, n.rlshift, n.ilshift),
            BinOp::RShift => (n.rshift, n.rrshift, n.irshift),
            BinOp::And => (n.and_, n.rand, n.iand),
            BinOp::Or => (n.or_, n.ror, n.ior),
            BinOp::Xor => (n.xor, n.rxor, n.ixor),
            BinOp::DivMod => (n.divmod, n.rdivmod, Value::NULL),
        }
    }
}

/// Floor division of machine integers; the divisor is not zero.
#[inline(always)]
pub fn floor_div(a: i64, b: i64) -> i64 {
    let q = a.wrapping_div(b);
    if a.wrapping_rem(b) != 0 && (a < 0) != (b < 0) {
        q - 1
    } else {
        q
    }
}

/// Floor modulo of machine integers; the divisor is not zero.
#[inline(always)]
pub fn floor_mod(a: i64, b: i64) -> i64 {
    let r = a.wrapping_rem(b);
    if r != 0 && (r < 0) != (b < 0) {
        r + b
    } else {
        r
    }
}

/// Python's float modulo; the divisor is not zero.
#[inline]
pub fn float_mod(a: f64, b: f64) -> f64 {
    let r = a % b;
    if r != 0.0 {
        if (b < 0.0) != (r < 0.0) { r + b } else { r }
    } else {
        0f64.copysign(b)
    }
}

/// Python's float floor division; the divisor is not zero.
pub fn float_floor_div(a: f64, b: f64) -> f64 {
    let m = a % b;
    let mut div = (a - m) / b;
    if m != 0.0 && (b < 0.0) != (m < 0.0) {
        div -= 1.0;
    }
    if div != 0.0 {
        let f = div.floor();
        if div - f > 0.5 { f + 1.0 } else { f }
    } else {
        0f64.copysign(a / b)
    }
}

/// Integer arithmetic that stays within 128 bits; `None`: with big integers.
fn wide_binary(op: BinOp, x: i128, y: i128) -> Option<i128> {
    match op {
        BinOp::Add => x.checked_add(y),
        BinOp::Sub => x.checked_sub(y),
        BinOp::Mul => x.checked_mul(y),
        BinOp::FloorDiv if y != 0 => {
            let q = x.checked_div(y)?;
            Some(if x % y != 0 && (x < 0) != (y < 0) {
                q - 1
            } else {
                q
            })
        }
        BinOp::Mod if y != 0 => {
            let r = x.checked_rem(y)?;
            Some(if r != 0 && (r < 0) != (y < 0) {
                r + y
            } else {
                r
            })
        }
        BinOp::And => Some(x & y),
        BinOp::Or => Some(x | y),
        BinOp::Xor => Some(x ^ y),
        BinOp::LShift if (0..64).contains(&y) => {
            let r = x << y;
            (r >> y == x).then_some(r)
        }
        BinOp::RShift if y >= 0 => Some(x >> y.min(127)),
        _ => None,
    }
}

impl Vm {
    /// `a op b`, or `a op= b`.
    pub fn binary(&mut self, op: BinOp, a: Value, b: Value, inplace: bool) -> R {
        if let Some(r) = self.number_binary(op, a, b) {
            return r;
        }
        if op == BinOp::Add && a.is_ptr() && b.is_ptr() {
            let (sa, sb) = (shape_of(a), shape_of(b));
            if sa.layout == Layout::Str && sb.layout == Layout::Str {
                return Ok(self.str_concat(a, b));
            }
        }
        let (name, rname, iname) = op.names(self);
        if inplace {
            let class = self.class_of(a);
            let f = self.lookup(class, iname);
            if f.is_some() {
                let r = self.call_method_value(f, a, &[b])?;
                if r != self.not_implemented {
                    return Ok(r);
                }
            }
        }
        let r = self.binary_methods(a, b, name, rname)?;
        if r != self.not_implemented {
            return Ok(r);
        }
        Err(self.unsupported_operands(op, a, b, inplace))
    }

    /// The TypeError for operands without this operator.
    pub fn unsupported_operands(
        &mut self,
        op: BinOp,
        a: Value,
        b: Value,
        inplace: bool,
    ) -> crate::vm::Raised {
        if let Some(m) = self.sequence_operands(op, a, b) {
            return self.type_error(&m);
        }
        let m = format!(
            "unsupported operand type(s) for {}: '{}' and '{}'",
            op.symbol(inplace),
            self.class_name(a),
            self.class_name(b)
        );
        let hint = if op == BinOp::RShift && !inplace && self.is_print(a) {
            ". Did you mean \"print(<message>, file=<output_stream>)\"?"
        } else {
            ""
        };
        self.type_error(&format!("{m}{hint}"))
    }

    /// Whether `v` is the built-in function `print`, by its name as CPython asks.
    fn is_print(&self, v: Value) -> bool {
        if self.layout_of(v) != Layout::Native {
            return false;
        }
        // SAFETY: definitions are statics.
        let def: &'static crate::native::NativeDef =
            unsafe { &*Gc::<crate::layout::PyNative>::from_value(v).def.get() };
        def.name == "print"
    }

    /// What `+` and `*` say when a sequence is among the operands.
    fn sequence_operands(&self, op: BinOp, a: Value, b: Value) -> Option<String> {
        let sequence = |v: Value| {
            matches!(
                self.layout_of(v),
                Layout::List
                    | Layout::Tuple
                    | Layout::TupleSub
                    | Layout::Str
                    | Layout::StrSub
                    | Layout::Bytes
                    | Layout::BytesSub
                    | Layout::ByteArray
            )
        };
        let name = |v: Value| self.class_name(v);
        match op {
            BinOp::Mul if sequence(a) => Some(format!(
                "can't multiply sequence by non-int of type '{}'",
                name(b)
            )),
            BinOp::Mul if sequence(b) => Some(format!(
                "can't multiply sequence by non-int of type '{}'",
                name(a)
            )),
            BinOp::Add if sequence(a) => Some(match self.layout_of(a) {
                Layout::Bytes | Layout::BytesSub | Layout::ByteArray => {
                    format!("can't concat {} to {}", name(b), name(a))
                }
                l => {
                    let kind = match l {
                        Layout::List => "list",
                        Layout::Tuple | Layout::TupleSub => "tuple",
                        _ => "str",
                    };
                    format!(
                        "can only concatenate {kind} (not \"{}\") to {kind}",
                        name(b)
                    )
                }
            }),
            _ => None,
        }
    }

    /// What is left of `a op b` when the method that [`Vm::binary_start`] named
    /// returned NotImplemented.
    pub fn binary_rest(&mut self, op: BinOp, a: Value, b: Value, inplace: bool) -> R {
        let (name, rname, iname) = op.names(self);
        let (ca, cb) = (self.class_of(a), self.class_of(b));
        let mut r = self.not_implemented;
        if inplace && self.lookup(ca, iname).is_some() {
            r = self.binary_methods(a, b, name, rname)?;
        } else if ca != cb {
            let g = self.lookup(cb, rname);
            if g.is_some() {
                r = self.call_method_value(g, b, &[a])?;
            }
        }
        if r != self.not_implemented {
            return Ok(r);
        }
        Err(self.unsupported_operands(op, a, b, inplace))
    }

    /// The function with which `a op b` begins, called as (a, b); null if it is
    /// not a Python function, or the right operand's method comes first.
    pub fn binary_start(&mut self, op: BinOp, a: Value, b: Value, inplace: bool) -> Value {
        let (name, rname, iname) = op.names(self);
        let (ca, cb) = (self.class_of(a), self.class_of(b));
        let mut f = Value::NULL;
        if inplace {
            f = self.lookup(ca, iname);
        }
        if f.is_null() {
            f = self.lookup(ca, name);
            if ca != cb
                && self.is_subclass(cb, ca)
                && self.lookup(cb, rname) != self.lookup(ca, rname)
            {
                return Value::NULL;
            }
        }
        if self.layout_of(f) == Layout::Function {
            f
        } else {
            Value::NULL
        }
    }

    /// Calls `a.name(b)` and `b.rname(a)` in the order Python defines; the
    /// result or NotImplemented.
    pub fn binary_methods(&mut self, a: Value, b: Value, name: Value, rname: Value) -> R {
        let (ca, cb) = (self.class_of(a), self.class_of(b));
        let f = self.lookup(ca, name);
        let mut g = Value::NULL;
        if ca != cb {
            g = self.lookup(cb, rname);
            if g.is_some() && self.is_subclass(cb, ca) && g != self.lookup(ca, rname) {
                let r = self.call_method_value(g, b, &[a])?;
                if r != self.not_implemented {
                    return Ok(r);
                }
                g = Value::NULL;
            }
        }
        if f.is_some() {
            let r = self.call_method_value(f, a, &[b])?;
            if r != self.not_implemented {
                return Ok(r);
            }
        }
        if g.is_some() {
            return self.call_method_value(g, b, &[a]);
        }
        Ok(self.not_implemented)
    }

    /// Arithmetic on exact ints and floats (and bools); `None` for anything else.
    #[inline]
    pub fn number_binary(&mut self, op: BinOp, a: Value, b: Value) -> Option<R> {
        let number = |vm: &Vm, v: Value| -> Option<Value> {
            if !v.is_ptr() {
                return Some(v);
            }
            match shape_of(v).layout {
                Layout::Int => Some(v),
                Layout::Bool => Some(Value::small(i32::from(v == vm.true_))),
                _ => None,
            }
        };
        if a.is_ptr()
            && b.is_ptr()
            && shape_of(a).layout == Layout::Bool
            && shape_of(b).layout == Layout::Bool
        {
            let (x, y) = (a == self.true_, b == self.true_);
            match op {
                BinOp::And => return Some(Ok(self.bool(x & y))),
                BinOp::Or => return Some(Ok(self.bool(x | y))),
                BinOp::Xor => return Some(Ok(self.bool(x ^ y))),
                _ => {}
            }
        }
        if op == BinOp::MatMul {
            return None;
        }
        let (x, y) = (number(self, a)?, number(self, b)?);
        if x.is_float() || y.is_float() {
            let f = |vm: &mut Vm, v: Value| -> R<f64> {
                match v.as_float() {
                    Some(f) => Ok(f),
                    None => vm.int_to_f64(v),
                }
            };
            let (p, q) = match (f(self, x), f(self, y)) {
                (Ok(p), Ok(q)) => (p, q),
                _ => return Some(Err(crate::vm::Raised)),
            };
            return self.float_binary(op, p, q);
        }
        Some(self.int_binary(op, x, y))
    }

    /// An exact int as a double; OverflowError if it is too large.
    pub fn int_to_f64(&mut self, v: Value) -> R<f64> {
        if let Some(i) = v.as_int() {
            return Ok(i as f64);
        }
        let b = self.int_to_big(v);
        let f = b.to_f64().value();
        if f.is_infinite() {
            return Err(self.overflow_error("int too large to convert to float"));
        }
        Ok(f)
    }

    /// Arithmetic on doubles; `None` for operators that floats lack.
    pub fn float_binary(&mut self, op: BinOp, a: f64, b: f64) -> Option<R> {
        Some(Ok(Value::float(match op {
            BinOp::Add => a + b,
            BinOp::Sub => a - b,
            BinOp::Mul => a * b,
            BinOp::TrueDiv => {
                if b == 0.0 {
                    return Some(Err(self.zero_division_error("float division by zero")));
                }
                a / b
            }
            BinOp::FloorDiv => {
                if b == 0.0 {
                    return Some(Err(self.zero_division_error("float floor division by zero")));
                }
                float_floor_div(a, b)
            }
            BinOp::Mod => {
                if b == 0.0 {
                    return Some(Err(self.zero_division_error("float modulo")));
                }
                float_mod(a, b)
            }
            BinOp::Pow => return Some(crate::float::float_pow(self, a, b)),
            BinOp::DivMod => {
                if b == 0.0 {
                    return Some(Err(self.zero_division_error("float divmod()")));
                }
                let t = [
                    Value::float(float_floor_div(a, b)),
                    Value::float(float_mod(a, b)),
                ];
                return Some(Ok(self.new_tuple(&t)));
            }
            _ => return None,
        })))
    }

    /// Arithmetic on exact ints (words or heap ints).
    pub fn int_binary(&mut self, op: BinOp, a: Value, b: Value) -> R {
        if let (Some(x), Some(y)) = (a.as_int(), b.as_int()) {
            match op {
                BinOp::Add => return Ok(self.new_int(x + y)),
                BinOp::Sub => return Ok(self.new_int(x - y)),
                BinOp::Mul => {
                    if let Some(r) = x.checked_mul(y) {
                        return Ok(self.new_int(r));
                    }
                }
                BinOp::FloorDiv if y != 0 => return Ok(self.new_int(floor_div(x, y))),
                BinOp::Mod if y != 0 => return Ok(self.new_int(floor_mod(x, y))),
                BinOp::TrueDiv if y != 0 => {
                    // Both fit 53 bits: the quotient is rounded once.
                    return Ok(Value::float(x as f64 / y as f64));
                }
                BinOp::And => return Ok(Value::int_unchecked(x & y)),
                BinOp::Or => return Ok(Value::int_unchecked(x | y)),
                BinOp::Xor => return Ok(Value::int_unchecked(x ^ y)),
                BinOp::LShift if (0..14).contains(&y) => return Ok(self.new_int(x << y)),
                BinOp::RShift if y >= 0 => return Ok(Value::int_unchecked(x >> y.min(63))),
                BinOp::DivMod if y != 0 => {
                    let (q, r) = (self.new_int(floor_div(x, y)), self.new_int(floor_mod(x, y)));
                    return Ok(self.new_tuple(&[q, r]));
                }
                _ => {}
            }
        }
        if let (Some(x), Some(y)) = (self.int_to_i128(a), self.int_to_i128(b))
            && let Some(r) = wide_binary(op, x, y)
        {
            return Ok(self.new_i128(r));
        }
        self.big_binary(op, a, b)
    }

    #[cold]
    fn big_binary(&mut self, op: BinOp, a: Value, b: Value) -> R {
        let (x, y) = (self.int_to_big(a), self.int_to_big(b));
        let zero = y == IBig::ZERO;
        let r = match op {
            BinOp::Add => x + y,
            BinOp::Sub => x - y,
            BinOp::Mul => x * y,
            BinOp::FloorDiv | BinOp::Mod | BinOp::DivMod => {
                if zero {
                    return Err(self.zero_division_error(if op == BinOp::Mod {
                        "integer modulo by zero"
                    } else {
                        "integer division or modulo by zero"
                    }));
                }
                let (q, r) = crate::int::div_mod_floor(&x, &y);
                match op {
                    BinOp::FloorDiv => q,
                    BinOp::Mod => r,
                    _ => {
                        let (q, r) = (self.new_big(&q), self.new_big(&r));
                        return Ok(self.new_tuple(&[q, r]));
                    }
                }
            }
            BinOp::TrueDiv => return crate::int::true_div(self, &x, &y),
            BinOp::Pow => return crate::int::int_pow(self, a, b),
            BinOp::And => x & y,
            BinOp::Or => x | y,
            BinOp::Xor => x ^ y,
            BinOp::LShift | BinOp::RShift => {
                return crate::int::shift(self, op == BinOp::LShift, x, y);
            }
            BinOp::MatMul => return Err(self.unsupported_operands(op, a, b, false)),
        };
        Ok(self.new_big(&r))
    }

    /// `-v`, `+v`, `~v` and `abs(v)` by special method name.
    pub fn unary(&mut self, name: Value, symbol: &str, v: Value) -> R {
        if let Some(i) = v.as_int() {
            if name == self.names.neg {
                return Ok(self.new_int(-i));
            }
            if name == self.names.invert {
                return Ok(Value::int_unchecked(!i));
            }
        }
        if let Some(f) = v.as_float()
            && name == self.names.neg
        {
            return Ok(Value::float(-f));
        }
        match self.call_special(v, name, &[])? {
            Some(r) => Ok(r),
            None => {
                let m = format!("bad operand type for {symbol}: '{}'", self.class_name(v));
                Err(self.type_error(&m))
            }
        }
    }

    /// `a op b` for a comparison; any object.
    pub fn compare(&mut self, op: CmpOp, a: Value, b: Value) -> R {
        if let Some(r) = self.quick_compare(op, a, b) {
            return Ok(self.bool(r));
        }
        self.nested("in comparison", |vm| vm.compare_methods(op, a, b))
    }

    /// The names of a comparison's special method and of the swapped one.
    fn compare_names(&self, op: CmpOp) -> (Value, Value) {
        let n = self.names;
        match op {
            CmpOp::Lt => (n.lt, n.gt),
            CmpOp::Le => (n.le, n.ge),
            CmpOp::Eq => (n.eq, n.eq),
            CmpOp::Ne => (n.ne, n.ne),
            CmpOp::Gt => (n.gt, n.lt),
            CmpOp::Ge => (n.ge, n.le),
        }
    }

    /// The function with which a comparison begins, called as (a, b); null if it
    /// is not a Python function, or the right operand's method comes first.
    pub fn compare_start(&mut self, op: CmpOp, a: Value, b: Value) -> Value {
        let (name, _) = self.compare_names(op);
        let (ca, cb) = (self.class_of(a), self.class_of(b));
        if ca != cb && self.is_subclass(cb, ca) {
            return Value::NULL;
        }
        let f = self.lookup(ca, name);
        if self.layout_of(f) == Layout::Function {
            f
        } else {
            Value::NULL
        }
    }

    /// What is left of a comparison when the method that [`Vm::compare_start`]
    /// named returned NotImplemented.
    pub fn compare_rest(&mut self, op: CmpOp, a: Value, b: Value) -> R {
        let (_, swapped) = self.compare_names(op);
        let cb = self.class_of(b);
        let g = self.lookup(cb, swapped);
        if g.is_some() {
            let r = self.call_comparison(g, b, &[a])?;
            if r != self.not_implemented {
                return Ok(r);
            }
        }
        self.compare_default(op, a, b)
    }

    fn compare_methods(&mut self, op: CmpOp, a: Value, b: Value) -> R {
        let (name, swapped) = self.compare_names(op);
        let (ca, cb) = (self.class_of(a), self.class_of(b));
        let mut tried = false;
        if ca != cb && self.is_subclass(cb, ca) {
            let g = self.lookup(cb, swapped);
            if g.is_some() {
                tried = true;
                let r = self.call_comparison(g, b, &[a])?;
                if r != self.not_implemented {
                    return Ok(r);
                }
            }
        }
        let f = self.lookup(ca, name);
        if f.is_some() {
            let r = self.call_comparison(f, a, &[b])?;
            if r != self.not_implemented {
                return Ok(r);
            }
        }
        if !tried {
            let g = self.lookup(cb, swapped);
            if g.is_some() {
                let r = self.call_comparison(g, b, &[a])?;
                if r != self.not_implemented {
                    return Ok(r);
                }
            }
        }
        self.compare_default(op, a, b)
    }

    /// As [`Vm::call_method_value`]; a descriptor that raises counts as a method that
    /// says NotImplemented.
    pub(crate) fn call_comparison(&mut self, f: Value, this: Value, args: &[Value]) -> R {
        if self.is_method(f) {
            return self.call_with_self(f, this, args, Value::NULL);
        }
        let class = self.class_of(this).value();
        match self.descr_get_any(f, this, class) {
            Ok(b) => self.call(b, args),
            Err(_) => {
                self.exc = Value::NULL;
                Ok(self.not_implemented)
            }
        }
    }

    /// The comparison that no operand implements.
    fn compare_default(&mut self, op: CmpOp, a: Value, b: Value) -> R {
        match op {
            CmpOp::Eq => Ok(self.bool(a == b)),
            CmpOp::Ne => Ok(self.bool(a != b)),
            _ => {
                let s = ["<", "<=", "==", "!=", ">", ">="][op as usize];
                let m = format!(
                    "'{s}' not supported between instances of '{}' and '{}'",
                    self.class_name(a),
                    self.class_name(b)
                );
                Err(self.type_error(&m))
            }
        }
    }

    /// Comparison of built-in numbers and strings; `None` for anything else.
    #[inline]
    pub fn quick_compare(&self, op: CmpOp, a: Value, b: Value) -> Option<bool> {
        use std::cmp::Ordering;
        let ord = |o: Ordering| match op {
            CmpOp::Lt => o.is_lt(),
            CmpOp::Le => o.is_le(),
            CmpOp::Eq => o.is_eq(),
            CmpOp::Ne => o.is_ne(),
            CmpOp::Gt => o.is_gt(),
            CmpOp::Ge => o.is_ge(),
        };
        let float = |x: f64, y: f64| match op {
            CmpOp::Lt => x < y,
            CmpOp::Le => x <= y,
            CmpOp::Eq => x == y,
            CmpOp::Ne => x != y,
            CmpOp::Gt => x > y,
            CmpOp::Ge => x >= y,
        };
        if a.is_int() && b.is_int() {
            return Some(ord(a.int_value().cmp(&b.int_value())));
        }
        if let (Some(x), Some(y)) = (a.as_float(), b.as_float()) {
            return Some(float(x, y));
        }
        // A word's integer fits a double exactly.
        if let (Some(x), Some(y)) = (a.as_int(), b.as_float()) {
            return Some(float(x as f64, y));
        }
        if let (Some(x), Some(y)) = (a.as_float(), b.as_int()) {
            return Some(float(x, y as f64));
        }
        if self.layout_of(a) == Layout::Int
            && self.layout_of(b) == Layout::Int
            && let (Some(x), Some(y)) = (self.int_to_i128(a), self.int_to_i128(b))
        {
            return Some(ord(x.cmp(&y)));
        }
        if a.is_ptr()
            && b.is_ptr()
            && shape_of(a).layout == Layout::Str
            && shape_of(b).layout == Layout::Str
        {
            return Some(match op {
                CmpOp::Eq => self.str_eq(a, b),
                CmpOp::Ne => !self.str_eq(a, b),
                _ => ord(crate::text::compare(self.text(a), self.text(b))),
            });
        }
        None
    }

    /// `a == b` as a truth value; identical objects are equal.
    pub fn eq(&mut self, a: Value, b: Value) -> R<bool> {
        if a == b && !a.is_float() {
            return Ok(true);
        }
        if a == b {
            // One NaN object is equal to itself in containers.
            return Ok(true);
        }
        let r = self.compare(CmpOp::Eq, a, b)?;
        self.truth(r)
    }

    /// `bool(v)`.
    #[inline]
    pub fn truth(&mut self, v: Value) -> R<bool> {
        if let Some(i) = v.as_int() {
            return Ok(i != 0);
        }
        if v == self.true_ {
            return Ok(true);
        }
        if v == self.false_ || v == self.none {
            return Ok(false);
        }
        if let Some(f) = v.as_float() {
            return Ok(f != 0.0);
        }
        self.truth_slow(v)
    }

    fn truth_slow(&mut self, v: Value) -> R<bool> {
        let s = shape_of(v);
        match s.layout {
            Layout::Str => return Ok(!self.text(v).is_empty()),
            Layout::Tuple => return Ok(self.tuple_len(v) != 0),
            Layout::List if s.class() == self.types.list => return Ok(self.list_len(v) != 0),
            Layout::Dict if s.class() == self.types.dict => return Ok(self.dict_len(v) != 0),
            Layout::Int => return Ok(true),
            _ => {}
        }
        if let Some(r) = self.call_special(v, self.names.bool_, &[])? {
            if r == self.true_ || r == self.false_ {
                return Ok(r == self.true_);
            }
            let m = format!(
                "__bool__ should return bool, returned {}",
                self.class_name(r)
            );
            return Err(self.type_error(&m));
        }
        let class = self.class_of(v);
        if self.lookup(class, self.names.len).is_some() {
            return Ok(self.len(v)? != 0);
        }
        Ok(true)
    }

    /// `len(v)`.
    pub fn len(&mut self, v: Value) -> R<usize> {
        if v.is_ptr() {
            let s = shape_of(v);
            let c = s.class();
            match s.layout {
                Layout::Str => return Ok(self.text(v).len()),
                Layout::Tuple => return Ok(Gc::<PyTuple>::from_value(v).len.get()),
                Layout::List if c == self.types.list => {
                    return Ok(Gc::<PyList>::from_value(v).len.get());
                }
                Layout::Dict if c == self.types.dict => {
                    return Ok(Gc::<PyDict>::from_value(v).used.get());
                }
                Layout::Bytes => return Ok(self.bytes(v).len()),
                _ => {}
            }
        }
        let Some(r) = self.call_special(v, self.names.len, &[])? else {
            let m = format!("object of type '{}' has no len()", self.class_name(v));
            return Err(self.type_error(&m));
        };
        let i = self.index(r)?;
        match self.int_to_i64(i) {
            Some(n) if n >= 0 => Ok(n as usize),
            Some(_) => Err(self.value_error("__len__() should return >= 0")),
            None if crate::int::is_negative(self, i) => {
                Err(self.value_error("__len__() should return >= 0"))
            }
            None => Err(self.overflow_error("cannot fit 'int' into an index-sized integer")),
        }
    }

    /// `hash(v)`.
    pub fn hash(&mut self, v: Value) -> R<i64> {
        if v.is_int() {
            return Ok(self.hash_int(v));
        }
        if let Some(f) = v.as_float() {
            return Ok(self.hash_float(f, v));
        }
        match shape_of(v).layout {
            Layout::Str => return Ok(self.str_hash(v)),
            Layout::Int => return Ok(self.hash_int(v)),
            Layout::Bool => return Ok(i64::from(v == self.true_)),
            Layout::Tuple if shape_of(v).class() == self.types.tuple => return self.hash_tuple(v),
            Layout::NoneType | Layout::Function | Layout::Type => {
                let class = self.class_of(v);
                if self.type_memo(class).identity_eq {
                    return Ok(self.hash_identity(v));
                }
            }
            _ => {}
        }
        let class = self.class_of(v);
        if self.type_memo(class).identity_eq {
            return Ok(self.hash_identity(v));
        }
        let f = self.lookup(class, self.names.hash);
        if f.is_null() || f == self.none {
            let m = format!("unhashable type: '{}'", self.tp_name(class));
            return Err(self.type_error(&m));
        }
        let r = self.call_method_value(f, v, &[])?;
        let Some(r) = self.as_int(r) else {
            return Err(self.type_error("__hash__ method should return an integer"));
        };
        Ok(match self.int_to_i64(r) {
            Some(-1) => -2,
            Some(h) => h,
            None => self.hash_int(r),
        })
    }

    /// `operator.index(v)`: an exact int.
    pub fn index(&mut self, v: Value) -> R {
        if let Some(i) = self.as_int(v) {
            return Ok(i);
        }
        let Some(r) = self.call_special(v, self.names.index, &[])? else {
            let m = format!(
                "'{}' object cannot be interpreted as an integer",
                self.class_name(v)
            );
            return Err(self.type_error(&m));
        };
        match self.as_int(r) {
            Some(i) => {
                if i != r || self.layout_of(r) != Layout::Int {
                    let m = format!(
                        "__index__ returned non-int (type {}).  The ability to return an instance of a strict subclass of int is deprecated, and may be removed in a future version of Python.",
                        self.class_name(r)
                    );
                    self.warn(self.types.deprecation_warning, &m)?;
                }
                Ok(i)
            }
            None => {
                let m = format!("__index__ returned non-int (type {})", self.class_name(r));
                Err(self.type_error(&m))
            }
        }
    }

    /// `operator.index(v)` as a machine integer; what does not fit is clamped
    /// (as slices do) if `clamp`, else `IndexError: cannot fit ...`.
    pub fn index_i64(&mut self, v: Value, clamp: bool) -> R<i64> {
        if let Some(i) = v.as_int() {
            return Ok(i);
        }
        let i = self.index(v)?;
        match self.int_to_i64(i) {
            Some(n) => Ok(n),
            None if clamp => Ok(if crate::int::is_negative(self, i) {
                i64::MIN
            } else {
                i64::MAX
            }),
            None => {
                let m = format!(
                    "cannot fit '{}' into an index-sized integer",
                    self.class_name(v)
                );
                Err(self.index_error(&m))
            }
        }
    }

    /// `a[b]`.
    pub fn getitem(&mut self, a: Value, b: Value) -> R {
        if a.is_ptr() {
            let class = shape_of(a).class();
            if class == self.types.dict {
                let v = self.dict_get(a, b)?;
                return if v.is_some() {
                    Ok(v)
                } else {
                    Err(self.key_error(b))
                };
            }
            if let Some(i) = b.as_int() {
                let n = |len: usize| if i < 0 { i + len as i64 } else { i };
                if class == self.types.list {
                    let i = n(self.list_len(a));
                    if i >= 0 && (i as usize) < self.list_len(a) {
                        return Ok(self.list_get(a, i as usize));
                    }
                } else if class == self.types.tuple {
                    let i = n(self.tuple_len(a));
                    if i >= 0 && (i as usize) < self.tuple_len(a) {
                        return Ok(self.tuple_get(a, i as usize));
                    }
                }
            }
        }
        if let Some(r) = self.call_special(a, self.names.getitem, &[b])? {
            return Ok(r);
        }
        if self.is_type(a) {
            let f = self.getattr_opt(a, self.names.class_getitem)?;
            if f.is_some() && f != self.none {
                return self.call(f, &[b]);
            }
            if a == self.types.type_.value() {
                return crate::misc::generic_alias(self, a, b);
            }
            let m = format!(
                "type '{}' is not subscriptable",
                self.tp_name(Gc::from_value(a))
            );
            return Err(self.type_error(&m));
        }
        let m = format!("'{}' object is not subscriptable", self.class_name(a));
        Err(self.type_error(&m))
    }

    /// `a[b] = v`.
    pub fn setitem(&mut self, a: Value, b: Value, v: Value) -> R<()> {
        if a.is_ptr() {
            let class = shape_of(a).class();
            if class == self.types.dict {
                return self.dict_set(a, b, v);
            }
            if class == self.types.list
                && let Some(i) = b.as_int()
            {
                let i = if i < 0 {
                    i + self.list_len(a) as i64
                } else {
                    i
                };
                if i >= 0 && (i as usize) < self.list_len(a) {
                    self.list_put(a, i as usize, v);
                    return Ok(());
                }
            }
        }
        match self.call_special(a, self.names.setitem, &[b, v])? {
            Some(_) => Ok(()),
            None => {
                let m = format!(
                    "'{}' object does not support item assignment",
                    self.class_name(a)
                );
                Err(self.type_error(&m))
            }
        }
    }

    /// `del a[b]`.
    pub fn delitem(&mut self, a: Value, b: Value) -> R<()> {
        match self.call_special(a, self.names.delitem, &[b])? {
            Some(_) => Ok(()),
            None => {
                // An index is refused by the sequence protocol, with other words.
                let class = self.class_of(a);
                let index = self.lookup_on(b, self.names.index).is_some();
                let sequence = self.type_data(class).heap_type
                    || self.lookup(class, self.names.getitem).is_some()
                        && self.layout_of(a) != Layout::MappingProxy;
                let verb = if index && sequence {
                    "doesn't"
                } else {
                    "does not"
                };
                let m = format!(
                    "'{}' object {verb} support item deletion",
                    self.class_name(a)
                );
                Err(self.type_error(&m))
            }
        }
    }

    /// `b in a` for a built-in container and an `int` or `str` (a `str` only, if
    /// `a` is one): 1 or 0, or -1 if that takes a comparison in Python. Neither
    /// raises nor allocates.
    pub fn contains_plain(&self, a: Value, b: Value) -> i64 {
        let t = self.types;
        let class = shape_of(a).class();
        if class == t.dict {
            return self.dict_has_plain(a, b);
        }
        if class == t.set || class == t.frozenset {
            return self.dict_has_plain(self.set_dict(a), b);
        }
        if class == t.str_ {
            if !b.is_ptr() || shape_of(b).layout != Layout::Str {
                return -1;
            }
            let (h, n) = (self.text(a), self.text(b));
            if n.len() == 1 && h.raw().len() == h.len() && n.raw().len() == 1 {
                return i64::from(h.raw().contains(&n.raw()[0]));
            }
            return i64::from(crate::str::find_text(h, n).is_some());
        }
        let items = if class == t.tuple {
            self.tuple_items(a)
        } else if class == t.list {
            self.list_items(a)
        } else {
            return -1;
        };
        for &v in items {
            match self.quick_eq(v, b) {
                Some(true) => return 1,
                Some(false) => {}
                None => match self.quick_compare(CmpOp::Eq, v, b) {
                    Some(true) => return 1,
                    Some(false) => {}
                    None => return -1,
                },
            }
        }
        0
    }

    /// `b in a`.
    pub fn contains(&mut self, a: Value, b: Value) -> R<bool> {
        if a.is_ptr() {
            let class = shape_of(a).class();
            if class == self.types.dict {
                return Ok(self.dict_get(a, b)?.is_some());
            }
            if class == self.types.tuple {
                for &v in self.tuple_items(a) {
                    if self.eq(v, b)? {
                        return Ok(true);
                    }
                }
                return Ok(false);
            }
            if class == self.types.str_ && b.is_ptr() && shape_of(b).class() == class {
                return Ok(crate::str::find_text(self.text(a), self.text(b)).is_some());
            }
            if class == self.types.list {
                // The comparison may change the list.
                let mut i = 0;
                while i < self.list_len(a) {
                    if self.eq(self.list_get(a, i), b)? {
                        return Ok(true);
                    }
                    i += 1;
                }
                return Ok(false);
            }
        }
        let class = self.class_of(a);
        let f = self.lookup(class, self.names.contains);
        if f.is_some() && f != self.none {
            let r = self.call_method_value(f, a, &[b])?;
            return self.truth(r);
        }
        if f == self.none && f.is_some() {
            let m = format!("'{}' object is not a container", self.class_name(a));
            return Err(self.type_error(&m));
        }
        let iter = self.lookup(class, self.names.iter);
        if iter.is_null() && self.lookup(class, self.names.getitem).is_null()
            || iter.is_some() && iter == self.none
        {
            let m = format!("argument of type '{}' is not iterable", self.class_name(a));
            return Err(self.type_error(&m));
        }
        let it = self.get_iter(a)?;
        while let Some(v) = self.iter_next(it)? {
            if self.eq(v, b)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `repr(v)`: a str object.
    pub fn repr(&mut self, v: Value) -> R {
        self.nested("while getting the repr of an object", |vm| {
            vm.repr_method(v)
        })
    }

    fn repr_method(&mut self, v: Value) -> R {
        let Some(r) = self.call_special(v, self.names.repr, &[])? else {
            let m = format!("<{} object>", self.class_name(v));
            return Ok(self.new_str(&m));
        };
        match self.as_str(r) {
            Some(s) => Ok(s),
            None => {
                let m = format!("__repr__ returned non-string (type {})", self.class_name(r));
                Err(self.type_error(&m))
            }
        }
    }

    /// `repr(v)` as Rust text.
    pub fn repr_string(&mut self, v: Value) -> R<String> {
        let r = self.repr(v)?;
        Ok(self.str_to_string(r))
    }

    /// `str(v)`: a str object (an instance of a subclass stays what it is).
    pub fn str(&mut self, v: Value) -> R {
        if v.is_ptr() && shape_of(v).layout == Layout::Str {
            return Ok(v);
        }
        self.enter_native()?;
        let Some(r) = self.call_special(v, self.names.str_, &[])? else {
            return self.repr(v);
        };
        if self.is_str(r) {
            return Ok(r);
        }
        let m = format!("__str__ returned non-string (type {})", self.class_name(r));
        Err(self.type_error(&m))
    }

    /// `str(v)` as Rust text.
    pub fn str_string(&mut self, v: Value) -> R<String> {
        let r = self.str(v)?;
        Ok(self.str_to_string(r))
    }

    /// `format(v, spec)`: a str object.
    pub fn format(&mut self, v: Value, spec: Value) -> R {
        let spec = if spec.is_null() { self.empty_str } else { spec };
        if let Some(s) = self.as_str(spec)
            && self.text(s).is_empty()
            && v.is_ptr()
            && shape_of(v).layout == Layout::Str
        {
            return Ok(v);
        }
        let Some(r) = self.call_special(v, self.names.format, &[spec])? else {
            let m = format!("Type {} doesn't define __format__", self.class_name(v));
            return Err(self.type_error(&m));
        };
        if self.is_str(r) {
            return Ok(r);
        }
        let m = format!("__format__ must return a str, not {}", self.class_name(r));
        Err(self.type_error(&m))
    }

    /// `isinstance(v, class)` with `__instancecheck__` and tuples and unions.
    pub fn isinstance(&mut self, v: Value, class: Value) -> R<bool> {
        self.isinstance_at(v, class, 0)
    }

    fn isinstance_at(&mut self, v: Value, class: Value, depth: u32) -> R<bool> {
        if self.class_of(v).value() == class {
            return Ok(true);
        }
        if let Some(t) = self.as_tuple(class) {
            self.check_depth(depth, " in __instancecheck__")?;
            for &c in self.tuple_items(t) {
                if self.isinstance_at(v, c, depth + 1)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        let meta = self.class_of(class);
        if meta == self.types.type_ {
            return self.isinstance_plain(v, class);
        }
        if let Some(r) = self.call_special(class, self.names.instancecheck, &[v])? {
            return self.truth(r);
        }
        self.isinstance_plain(v, class)
    }

    /// Refuses a level of native recursion over the program's own data that lies
    /// deeper than the recursion limit, or for which there is no stack.
    fn check_depth(&mut self, depth: u32, place: &str) -> R<()> {
        self.enter_native()?;
        if depth < self.depth_limit {
            return Ok(());
        }
        let class = self.types.recursion_error;
        let m = format!("maximum recursion depth exceeded{place}");
        Err(self.raise_str(class, &m))
    }

    /// `type.__instancecheck__`.
    pub fn isinstance_plain(&mut self, v: Value, class: Value) -> R<bool> {
        if self.is_type(class) {
            let c = self.class_of(v);
            if self.is_subclass(c, Gc::from_value(class)) {
                return Ok(true);
            }
            // An object may claim another class (mocks, proxies).
            let claimed = self.getattr_opt(v, self.names.class)?;
            if claimed.is_some() && claimed != c.value() && self.is_type(claimed) {
                return Ok(self.is_subclass(Gc::from_value(claimed), Gc::from_value(class)));
            }
            return Ok(false);
        }
        let bases = self.getattr_opt(class, self.names.bases)?;
        if bases.is_null() || self.as_tuple(bases).is_none() {
            return Err(
                self.type_error("isinstance() arg 2 must be a type, a tuple of types, or a union")
            );
        }
        let c = self.getattr_opt(v, self.names.class)?;
        if c.is_null() {
            Ok(false)
        } else {
            self.abstract_subclass(c, class, 0)
        }
    }

    fn abstract_subclass(&mut self, sub: Value, class: Value, depth: u32) -> R<bool> {
        self.check_depth(depth, " in __issubclass__")?;
        let mut sub = sub;
        let bases = loop {
            if sub == class {
                return Ok(true);
            }
            let bases = self.getattr_opt(sub, self.names.bases)?;
            let Some(t) = (if bases.is_null() {
                None
            } else {
                self.as_tuple(bases)
            }) else {
                return Ok(false);
            };
            match self.tuple_items(t) {
                [one] => sub = *one,
                _ => break t,
            }
        };
        for &b in self.tuple_items(bases) {
            if self.abstract_subclass(b, class, depth + 1)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `issubclass(sub, class)` with `__subclasscheck__`, tuples and unions.
    pub fn issubclass(&mut self, sub: Value, class: Value) -> R<bool> {
        self.issubclass_at(sub, class, 0)
    }

    fn issubclass_at(&mut self, sub: Value, class: Value, depth: u32) -> R<bool> {
        if let Some(t) = self.as_tuple(class) {
            self.check_depth(depth, " in __subclasscheck__")?;
            for &c in self.tuple_items(t) {
                if self.issubclass_at(sub, c, depth + 1)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        let meta = self.class_of(class);
        if meta != self.types.type_
            && let Some(r) = self.call_special(class, self.names.subclasscheck, &[sub])?
        {
            return self.truth(r);
        }
        self.issubclass_plain(sub, class)
    }

    /// `type.__subclasscheck__`.
    pub fn issubclass_plain(&mut self, sub: Value, class: Value) -> R<bool> {
        if self.is_type(sub) && self.is_type(class) {
            return Ok(self.is_subclass(Gc::from_value(sub), Gc::from_value(class)));
        }
        for (v, m) in [
            (sub, "issubclass() arg 1 must be a class"),
            (
                class,
                "issubclass() arg 2 must be a class, a tuple of classes, or a union",
            ),
        ] {
            let b = self.getattr_opt(v, self.names.bases)?;
            if b.is_null() || self.as_tuple(b).is_none() {
                return Err(self.type_error(m));
            }
        }
        self.abstract_subclass(sub, class, 0)
    }
}

/// The word inside an instance of a numeric subclass, or the value itself.
pub fn unwrap_number(v: Value) -> Value {
    if v.is_ptr() && matches!(shape_of(v).layout, Layout::IntSub | Layout::FloatSub) {
        inner(v)
    } else {
        v
    }
}
