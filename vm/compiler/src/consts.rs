//! Constants and their folding, as far as CPython 3.11 folds.
//!
//! `fold(e)` answers with the value of an expression that CPython would have
//! replaced by a constant: literals, tuples of constants, operators on them
//! within its size limits (128 bits, 4096 characters, 256 items). What would
//! raise, or needs wider numbers than an `i128`, is left to run time.

use crate::literal;
use pyrite_bytecode::Const;
use pyrite_front::Source;
use ruff_python_ast::*;

const MAX_TEXT: usize = 4096;
const MAX_ITEMS: usize = 256;

/// A string constant.
pub(crate) fn string(s: &str) -> Const {
    Const::Str(s.chars().map(u32::from).collect())
}

/// Context of folding.
#[derive(Clone, Copy)]
pub(crate) struct Folder<'a> {
    pub(crate) source: &'a Source<'a>,
    /// The value of `__debug__`.
    pub(crate) debug: bool,
}

impl Folder<'_> {
    /// The expression's value if CPython would fold it.
    pub(crate) fn fold(&self, e: &Expr) -> Option<Const> {
        match e {
            Expr::NumberLiteral(n) => Some(number(&n.value)),
            Expr::StringLiteral(s) => {
                let mut out = Vec::new();
                for part in &s.value {
                    literal::string(part, self.source, &mut out);
                }
                Some(Const::Str(out))
            }
            Expr::BytesLiteral(b) => Some(Const::Bytes(b.value.bytes().collect())),
            Expr::BooleanLiteral(b) => Some(boolean(b.value)),
            Expr::NoneLiteral(_) => Some(Const::None),
            Expr::EllipsisLiteral(_) => Some(Const::Ellipsis),
            Expr::Name(n) if n.id == "__debug__" && n.ctx == ExprContext::Load => {
                Some(boolean(self.debug))
            }
            Expr::Tuple(t) if t.ctx == ExprContext::Load => {
                let items: Option<Vec<Const>> = t.elts.iter().map(|e| self.fold(e)).collect();
                items.map(Const::Tuple)
            }
            Expr::UnaryOp(u) => unary(u.op, self.nested(&u.operand)?),
            Expr::BinOp(b) => {
                // The right side is the cheaper test in a left-leaning chain.
                let right = self.nested(&b.right)?;
                let left = self.nested(&b.left)?;
                binary(b.op, left, right)
            }
            Expr::Subscript(s) if s.ctx == ExprContext::Load => {
                let index = self.nested(&s.slice)?;
                subscript(self.nested(&s.value)?, &index)
            }
            _ => None,
        }
    }

    fn nested(&self, e: &Expr) -> Option<Const> {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.fold(e))
    }
}

pub(crate) fn boolean(b: bool) -> Const {
    if b { Const::True } else { Const::False }
}

fn number(n: &Number) -> Const {
    match n {
        Number::Int(i) => match i.as_i64() {
            Some(i) => Const::Int(i),
            None => Const::BigInt(decimal(&i.to_string())),
        },
        Number::Float(f) => Const::Float(*f),
        Number::Complex { real, imag } => Const::Complex(*real, *imag),
    }
}

/// Decimal digits of an integer literal of any base, without underscores.
pub fn decimal(text: &str) -> String {
    let text: String = text.chars().filter(|&c| c != '_').collect();
    let lower = text.to_ascii_lowercase();
    let (digits, radix) = match lower.get(..2) {
        Some("0x") => (&lower[2..], 16),
        Some("0o") => (&lower[2..], 8),
        Some("0b") => (&lower[2..], 2),
        _ => {
            let trimmed = lower.trim_start_matches('0');
            return if trimmed.is_empty() {
                "0".into()
            } else {
                trimmed.into()
            };
        }
    };
    // Little-endian limbs of nine decimal digits.
    let mut limbs: Vec<u32> = vec![0];
    for d in digits.chars().filter_map(|c| c.to_digit(radix)) {
        let mut carry = u64::from(d);
        for limb in &mut limbs {
            let v = u64::from(*limb) * u64::from(radix) + carry;
            *limb = (v % 1_000_000_000) as u32;
            carry = v / 1_000_000_000;
        }
        if carry > 0 {
            limbs.push(carry as u32);
        }
    }
    let mut out = limbs.last().map_or(String::new(), u32::to_string);
    for limb in limbs.iter().rev().skip(1) {
        out.push_str(&format!("{limb:09}"));
    }
    out
}

/// Truth of a constant.
pub(crate) fn truth(c: &Const) -> bool {
    match c {
        Const::None | Const::False => false,
        Const::True | Const::Ellipsis | Const::Code(_) => true,
        Const::Int(i) => *i != 0,
        Const::BigInt(_) => true,
        Const::Float(f) => *f != 0.0,
        Const::Complex(re, im) => *re != 0.0 || *im != 0.0,
        Const::Str(s) => !s.is_empty(),
        Const::Bytes(b) => !b.is_empty(),
        Const::Tuple(t) | Const::FrozenSet(t) => !t.is_empty(),
    }
}

fn int_of(c: &Const) -> Option<i128> {
    match c {
        Const::Int(i) => Some(i128::from(*i)),
        Const::True => Some(1),
        Const::False => Some(0),
        Const::BigInt(s) => s.parse().ok(),
        _ => None,
    }
}

fn from_int(i: i128) -> Const {
    i64::try_from(i).map_or_else(|_| Const::BigInt(i.to_string()), Const::Int)
}

/// A float's value; ints only where the conversion is exact.
fn float_of(c: &Const) -> Option<f64> {
    match c {
        Const::Float(f) => Some(*f),
        _ => {
            let i = int_of(c)?;
            (i.unsigned_abs() <= 1 << 53).then_some(i as f64)
        }
    }
}

fn complex_of(c: &Const) -> Option<(f64, f64)> {
    match c {
        Const::Complex(re, im) => Some((*re, *im)),
        _ => float_of(c).map(|f| (f, 0.0)),
    }
}

fn unary(op: UnaryOp, c: Const) -> Option<Const> {
    match op {
        UnaryOp::Not => Some(boolean(!truth(&c))),
        UnaryOp::Invert => int_of(&c).map(|i| from_int(!i)),
        UnaryOp::UAdd => match c {
            Const::Float(_) | Const::Complex(..) | Const::BigInt(_) => Some(c),
            _ => int_of(&c).map(from_int),
        },
        UnaryOp::USub => match c {
            Const::Float(f) => Some(Const::Float(-f)),
            Const::Complex(re, im) => Some(Const::Complex(-re, -im)),
            Const::BigInt(s) => {
                let negated = match s.strip_prefix('-') {
                    Some(digits) => digits.to_owned(),
                    None => format!("-{s}"),
                };
                Some(
                    negated
                        .parse::<i64>()
                        .map_or(Const::BigInt(negated), Const::Int),
                )
            }
            _ => int_of(&c).map(|i| from_int(-i)),
        },
    }
}

fn binary(op: Operator, a: Const, b: Const) -> Option<Const> {
    let is_bool = |c: &Const| matches!(c, Const::True | Const::False);
    if let (Some(x), Some(y)) = (int_of(&a), int_of(&b)) {
        if is_bool(&a) && is_bool(&b) {
            match op {
                Operator::BitAnd => return Some(boolean(x & y != 0)),
                Operator::BitOr => return Some(boolean(x | y != 0)),
                Operator::BitXor => return Some(boolean(x ^ y != 0)),
                _ => {}
            }
        }
        return int_binary(op, x, y);
    }
    if matches!(a, Const::Complex(..)) || matches!(b, Const::Complex(..)) {
        // Products and quotients round differently by method: left to run time.
        let is_complex = (
            matches!(a, Const::Complex(..)),
            matches!(b, Const::Complex(..)),
        );
        let ((ar, ai), (br, bi)) = (complex_of(&a)?, complex_of(&b)?);
        return match (op, is_complex) {
            (Operator::Add, _) => Some(Const::Complex(ar + br, ai + bi)),
            (Operator::Sub, _) => Some(Const::Complex(ar - br, ai - bi)),
            _ => None,
        };
    }
    if let (Some(x), Some(y)) = (float_of(&a), float_of(&b)) {
        return float_binary(op, x, y);
    }
    match (op, a, b) {
        (Operator::Add, Const::Str(mut x), Const::Str(y)) => {
            x.extend(y);
            Some(Const::Str(x))
        }
        (Operator::Add, Const::Bytes(mut x), Const::Bytes(y)) => {
            x.extend(y);
            Some(Const::Bytes(x))
        }
        (Operator::Add, Const::Tuple(mut x), Const::Tuple(y)) => {
            x.extend(y);
            Some(Const::Tuple(x))
        }
        (Operator::Mult, a, b) => {
            let (seq, n) = match (int_of(&a), int_of(&b)) {
                (None, Some(n)) => (a, n),
                (Some(n), None) => (b, n),
                _ => return None,
            };
            let n = usize::try_from(n.max(0)).ok()?;
            let fits = |len: usize, max: usize| len.checked_mul(n).is_some_and(|l| l <= max);
            match seq {
                Const::Str(s) if fits(s.len(), MAX_TEXT) => Some(Const::Str(s.repeat(n))),
                Const::Bytes(s) if fits(s.len(), MAX_TEXT) => Some(Const::Bytes(s.repeat(n))),
                Const::Tuple(s) if fits(s.len(), MAX_ITEMS) => {
                    let mut out = Vec::new();
                    for _ in 0..n {
                        out.extend(s.iter().cloned());
                    }
                    Some(Const::Tuple(out))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn int_binary(op: Operator, x: i128, y: i128) -> Option<Const> {
    let floor_mod = |x: i128, y: i128| {
        let r = x.checked_rem(y)?;
        Some(if r != 0 && (r < 0) != (y < 0) {
            r + y
        } else {
            r
        })
    };
    Some(from_int(match op {
        Operator::Add => x.checked_add(y)?,
        Operator::Sub => x.checked_sub(y)?,
        Operator::Mult => x.checked_mul(y)?,
        Operator::FloorDiv => {
            let m = floor_mod(x, y)?;
            (x - m).checked_div(y)?
        }
        Operator::Mod => floor_mod(x, y)?,
        Operator::BitAnd => x & y,
        Operator::BitOr => x | y,
        Operator::BitXor => x ^ y,
        Operator::LShift => {
            let n = u32::try_from(y).ok().filter(|&n| n < 127)?;
            let shifted = x.checked_shl(n)?;
            (shifted >> n == x).then_some(shifted)?
        }
        Operator::RShift => {
            let n = u32::try_from(y).ok()?;
            x >> n.min(127)
        }
        Operator::Pow => match u32::try_from(y) {
            Ok(n) => x.checked_pow(n)?,
            Err(_) => return float_binary(op, float_of(&from_int(x))?, float_of(&from_int(y))?),
        },
        Operator::Div => {
            return float_binary(op, float_of(&from_int(x))?, float_of(&from_int(y))?);
        }
        Operator::MatMult => return None,
    }))
}

fn float_binary(op: Operator, x: f64, y: f64) -> Option<Const> {
    let v = match op {
        Operator::Add => x + y,
        Operator::Sub => x - y,
        Operator::Mult => x * y,
        Operator::Div if y != 0.0 => x / y,
        Operator::Pow if x > 0.0 && y.is_finite() => {
            let v = x.powf(y);
            v.is_finite().then_some(v)?
        }
        _ => return None,
    };
    Some(Const::Float(v))
}

fn subscript(seq: Const, index: &Const) -> Option<Const> {
    let i = int_of(index)?;
    let at = |len: usize| {
        let i = if i < 0 { i + len as i128 } else { i };
        usize::try_from(i).ok().filter(|&i| i < len)
    };
    match seq {
        Const::Str(s) => at(s.len()).map(|i| Const::Str(vec![s[i]])),
        Const::Bytes(s) => at(s.len()).map(|i| Const::Int(i64::from(s[i]))),
        Const::Tuple(mut s) => at(s.len()).map(|i| s.swap_remove(i)),
        _ => None,
    }
}
