//! Numbers: words, heap integers, floats, complex; hashing of them.
//!
//! An `int` of 50 bits is a word; any other is a [`PyBigInt`] with 64-bit limbs.
//! Arithmetic on those goes through `dashu-int`.

use crate::layout::{Gc, Layout, PyBigInt, PyComplex, PyValueSub, kind};
use crate::shape::shape_of;
use crate::vm::Vm;
use dashu_int::{IBig, Sign, UBig};
use pyrite_machine::Value;

/// The value that an instance of a subclass of an immutable value type holds.
#[inline(always)]
pub fn inner(v: Value) -> Value {
    Gc::<PyValueSub>::from_value(v).inner.get()
}

/// Modulus of numeric hashes: 2**61 - 1.
pub const HASH_MODULUS: i64 = (1 << 61) - 1;

impl Vm {
    /// An `int` from a machine integer.
    #[inline]
    pub fn new_int(&mut self, i: i64) -> Value {
        match Value::try_int(i) {
            Some(v) => v,
            None => self.alloc_big(i < 0, &[i.unsigned_abs()]),
        }
    }

    /// An `int` from an unsigned machine integer.
    pub fn new_uint(&mut self, i: u64) -> Value {
        match i64::try_from(i).ok().and_then(Value::try_int) {
            Some(v) => v,
            None => self.alloc_big(false, &[i]),
        }
    }

    /// An `int` from 128 bits.
    pub fn new_i128(&mut self, i: i128) -> Value {
        if let Ok(i) = i64::try_from(i) {
            return self.new_int(i);
        }
        let m = i.unsigned_abs();
        let (low, high) = (m as u64, (m >> 64) as u64);
        if high == 0 {
            self.alloc_big(i < 0, &[low])
        } else {
            self.alloc_big(i < 0, &[low, high])
        }
    }

    /// An exact int (word or heap), if it has at most 127 bits.
    #[inline]
    pub fn int_to_i128(&self, v: Value) -> Option<i128> {
        if let Some(i) = v.as_int() {
            return Some(i128::from(i));
        }
        let m = match *big_limbs(v) {
            [low] => u128::from(low),
            [low, high] if high >> 63 == 0 => u128::from(high) << 64 | u128::from(low),
            _ => return None,
        } as i128;
        Some(if Gc::<PyBigInt>::from_value(v).neg.get() != 0 {
            -m
        } else {
            m
        })
    }

    fn alloc_big(&mut self, neg: bool, limbs: &[u64]) -> Value {
        let shape = self.root_shape(self.types.int).id();
        let p: Gc<PyBigInt> = Gc::from_raw(
            self.alloc_words(kind::BIGINT, 2 + limbs.len(), shape)
                .cast(),
        );
        p.len.set(limbs.len() as u32);
        p.neg.set(u32::from(neg));
        // SAFETY: made with room for the limbs.
        unsafe {
            std::ptr::copy_nonoverlapping(limbs.as_ptr(), p.raw().cast::<u64>().add(2), limbs.len())
        };
        p.value()
    }

    /// An `int` from a big integer; small ones become words.
    pub fn new_big(&mut self, b: &IBig) -> Value {
        if let Ok(i) = i64::try_from(b) {
            return self.new_int(i);
        }
        let (sign, words) = b.as_sign_words();
        self.alloc_big(sign == Sign::Negative, words)
    }

    /// The int word or heap int behind an `int`, `bool` or instance of a subclass.
    #[inline]
    pub fn as_int(&self, v: Value) -> Option<Value> {
        if v.is_int() {
            return Some(v);
        }
        if !v.is_ptr() {
            return None;
        }
        match shape_of(v).layout {
            Layout::Int => Some(v),
            Layout::Bool => Some(Value::small(i32::from(v == self.true_))),
            Layout::IntSub => Some(inner(v)),
            _ => None,
        }
    }

    /// True for `int` and its subclasses (`bool` among them).
    #[inline]
    pub fn is_int(&self, v: Value) -> bool {
        v.is_int()
            || v.is_ptr()
                && matches!(
                    shape_of(v).layout,
                    Layout::Int | Layout::Bool | Layout::IntSub
                )
    }

    /// The machine integer an `int` fits, if any.
    #[inline]
    pub fn int_to_i64(&self, v: Value) -> Option<i64> {
        let v = self.as_int(v)?;
        match v.as_int() {
            Some(i) => Some(i),
            None => {
                let limbs = big_limbs(v);
                let neg = Gc::<PyBigInt>::from_value(v).neg.get() != 0;
                match limbs {
                    [l] if !neg => i64::try_from(*l).ok(),
                    [l] if *l <= 1 << 63 => Some((*l as i64).wrapping_neg()),
                    _ => None,
                }
            }
        }
    }

    /// An exact int (word or heap) as a big integer.
    pub fn int_to_big(&self, v: Value) -> IBig {
        match v.as_int() {
            Some(i) => IBig::from(i),
            None => {
                let u = UBig::from_words(big_limbs(v));
                let sign = if Gc::<PyBigInt>::from_value(v).neg.get() != 0 {
                    Sign::Negative
                } else {
                    Sign::Positive
                };
                IBig::from_parts(sign, u)
            }
        }
    }

    /// An `int` from decimal digits with an optional sign.
    pub fn int_from_decimal(&mut self, digits: &str) -> Value {
        let b = IBig::from_str_radix(digits, 10).unwrap_or_default();
        self.new_big(&b)
    }

    /// A double from a `float` or an instance of a subclass.
    #[inline]
    pub fn as_float(&self, v: Value) -> Option<f64> {
        if let Some(f) = v.as_float() {
            return Some(f);
        }
        if v.is_ptr() && shape_of(v).layout == Layout::FloatSub {
            return inner(v).as_float();
        }
        None
    }

    /// A `complex`.
    pub fn new_complex(&mut self, re: f64, im: f64) -> Value {
        let c = self.alloc::<PyComplex>(self.types.complex);
        c.re.set(re);
        c.im.set(im);
        c.value()
    }

    /// Parts of a `complex` or an instance of a subclass.
    pub fn as_complex(&self, v: Value) -> Option<(f64, f64)> {
        if !v.is_ptr() {
            return None;
        }
        let c = match shape_of(v).layout {
            Layout::Complex => v,
            Layout::ComplexSub => inner(v),
            _ => return None,
        };
        let c = Gc::<PyComplex>::from_value(c);
        Some((c.re.get(), c.im.get()))
    }

    /// Hash of an exact int.
    pub fn hash_int(&self, v: Value) -> i64 {
        let h = match v.as_int() {
            Some(i) => i.unsigned_abs() as i64 % HASH_MODULUS * i.signum(),
            None => {
                let mut h: u128 = 0;
                for &l in big_limbs(v).iter().rev() {
                    h = ((h << 64) | u128::from(l)) % HASH_MODULUS as u128;
                }
                let h = h as i64;
                if Gc::<PyBigInt>::from_value(v).neg.get() != 0 {
                    -h
                } else {
                    h
                }
            }
        };
        if h == -1 { -2 } else { h }
    }

    /// Hash of a float, equal to that of the int or fraction it equals; a NaN's
    /// comes from `identity`.
    pub fn hash_float(&self, f: f64, identity: Value) -> i64 {
        if f.is_nan() {
            return self.hash_identity(identity);
        }
        if f.is_infinite() {
            return if f > 0.0 { 314_159 } else { -314_159 };
        }
        // As CPython: the mantissa is taken 28 bits at a time, modulo 2**61 - 1.
        let (mut m, mut e) = frexp(f.abs());
        let mut x: u64 = 0;
        while m != 0.0 {
            x = ((x << 28) & HASH_MODULUS as u64) | x >> (61 - 28);
            m *= 268_435_456.0;
            e -= 28;
            let y = m as u64;
            m -= y as f64;
            x += y;
            if x >= HASH_MODULUS as u64 {
                x -= HASH_MODULUS as u64;
            }
        }
        let e = if e >= 0 {
            e % 61
        } else {
            61 - 1 - ((-1 - e) % 61)
        } as u32;
        x = ((x << e) & HASH_MODULUS as u64) | x >> (61 - e);
        let h = if f < 0.0 { -(x as i64) } else { x as i64 };
        if h == -1 { -2 } else { h }
    }

    /// Hash by identity: the address, rotated as CPython does. Pins the object.
    pub fn hash_identity(&self, v: Value) -> i64 {
        if v.is_ptr() {
            // SAFETY: a pointer value names a live object.
            unsafe { self.heap.pin(v.ptr()) };
        }
        let h = v.bits().rotate_right(4) as i64;
        if h == -1 { -2 } else { h }
    }
}

/// Limbs of a heap int, least significant first.
pub fn big_limbs(v: Value) -> &'static [u64] {
    let p = Gc::<PyBigInt>::from_value(v);
    // SAFETY: `len` limbs follow and never change while the caller holds `v`.
    unsafe { std::slice::from_raw_parts(p.raw().cast::<u64>().add(2), p.len.get() as usize) }
}

/// Splits a positive finite number into a fraction in `0.5..1` and an exponent.
pub fn frexp(f: f64) -> (f64, i32) {
    if f == 0.0 || !f.is_finite() {
        return (f, 0);
    }
    let bits = f.to_bits();
    let e = (bits >> 52 & 0x7FF) as i32;
    if e == 0 {
        let (m, e) = frexp(f * (1u64 << 54) as f64);
        return (m, e - 54);
    }
    (f64::from_bits(bits & !(0x7FF << 52) | 1022 << 52), e - 1022)
}
