//! The value word.
//!
//! One 64-bit word holds every value: a pointer to a heap object as it is (so a
//! conservative scan of a native stack sees it), a double with `2 << 48` added to
//! its bits, or an integer of 50 bits centred on a bias. Zero is no value.
//!
//! | from | to | meaning |
//! |---|---|---|
//! | 0 | 0 | null: unset, or "an exception is pending" |
//! | 1 | `0x0001_ffff_ffff_ffff` | pointer |
//! | `0x0002 << 48` | `0xfffb << 48` | double |
//! | `0xfffc << 48` | all ones | integer `v - (0xfffe << 48)` |
//!
//! A NaN is stored with one payload (sign kept), or its bits could reach the
//! integers.

use std::marker::PhantomData;

/// Smallest integer that fits a value word.
pub const INT_MIN: i64 = -(1 << 49);
/// Largest integer that fits a value word.
pub const INT_MAX: i64 = (1 << 49) - 1;

/// A value word; see the module's table. `Copy`, and neither `Send` nor `Sync`:
/// it may live in locals, arguments and heap objects, never in a `Vec`, a `Box`
/// or a static, where the collector does not look.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Value(u64, PhantomData<*mut ()>);

impl Value {
    /// No value.
    pub const NULL: Value = Value::from_bits(0);
    /// What is added to an integer.
    pub const INT_BIAS: u64 = 0xFFFE << 48;
    /// Words from here on are integers.
    pub const INT_TAG: u64 = 0xFFFC << 48;
    /// What is added to a double's bits.
    pub const DOUBLE_OFFSET: u64 = 2 << 48;

    /// The word with these bits.
    #[inline(always)]
    pub const fn from_bits(bits: u64) -> Value {
        Value(bits, PhantomData)
    }

    /// The word's bits.
    #[inline(always)]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// True for every word but zero.
    #[inline(always)]
    pub const fn is_some(self) -> bool {
        self.0 != 0
    }

    /// True for the zero word.
    #[inline(always)]
    pub const fn is_null(self) -> bool {
        self.0 == 0
    }

    /// An integer within [`INT_MIN`]`..=`[`INT_MAX`], if it fits.
    #[inline(always)]
    pub const fn try_int(i: i64) -> Option<Value> {
        if i >= INT_MIN && i <= INT_MAX {
            Some(Value::int_unchecked(i))
        } else {
            None
        }
    }

    /// An integer known to fit.
    #[inline(always)]
    pub const fn int_unchecked(i: i64) -> Value {
        Value::from_bits(Value::INT_BIAS.wrapping_add(i as u64))
    }

    /// An integer of 32 bits; always fits.
    #[inline(always)]
    pub const fn small(i: i32) -> Value {
        Value::int_unchecked(i as i64)
    }

    /// True if the word holds an integer.
    #[inline(always)]
    pub const fn is_int(self) -> bool {
        self.0 >= Value::INT_TAG
    }

    /// The integer of a word that holds one; nonsense for others.
    #[inline(always)]
    pub const fn int_value(self) -> i64 {
        self.0.wrapping_sub(Value::INT_BIAS) as i64
    }

    /// The integer, if the word holds one.
    #[inline(always)]
    pub const fn as_int(self) -> Option<i64> {
        if self.is_int() {
            Some(self.int_value())
        } else {
            None
        }
    }

    /// A double.
    #[inline(always)]
    pub fn float(f: f64) -> Value {
        let bits = if f.is_nan() {
            0x7FF8_0000_0000_0000 | (f.to_bits() & (1 << 63))
        } else {
            f.to_bits()
        };
        Value::from_bits(bits.wrapping_add(Value::DOUBLE_OFFSET))
    }

    /// True if the word holds a double.
    #[inline(always)]
    pub const fn is_float(self) -> bool {
        self.0.wrapping_sub(Value::DOUBLE_OFFSET) < Value::INT_TAG - Value::DOUBLE_OFFSET
    }

    /// The double of a word that holds one; nonsense for others.
    #[inline(always)]
    pub const fn float_value(self) -> f64 {
        f64::from_bits(self.0.wrapping_sub(Value::DOUBLE_OFFSET))
    }

    /// The double, if the word holds one.
    #[inline(always)]
    pub const fn as_float(self) -> Option<f64> {
        if self.is_float() {
            Some(self.float_value())
        } else {
            None
        }
    }

    /// True if the word is a pointer (null is none).
    #[inline(always)]
    pub const fn is_ptr(self) -> bool {
        self.0.wrapping_sub(1) < Value::DOUBLE_OFFSET - 1
    }

    /// A pointer to a heap object.
    #[inline(always)]
    pub fn from_ptr<T>(p: *const T) -> Value {
        Value::from_bits(p as u64)
    }

    /// The address of a word that is a pointer.
    #[inline(always)]
    pub const fn ptr(self) -> *mut u64 {
        self.0 as *mut u64
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_null() {
            f.write_str("null")
        } else if let Some(i) = self.as_int() {
            write!(f, "{i}")
        } else if let Some(x) = self.as_float() {
            write!(f, "{x:?}")
        } else {
            write!(f, "@{:x}", self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_keep_their_value_over_fifty_bits() {
        for i in [0, 1, -1, INT_MIN, INT_MAX, 1 << 40] {
            let v = Value::try_int(i).expect("within range");
            assert!(v.is_int() && !v.is_float() && !v.is_ptr());
            assert_eq!(v.int_value(), i);
        }
        assert!(Value::try_int(INT_MAX + 1).is_none());
        assert!(Value::try_int(INT_MIN - 1).is_none());
    }

    #[test]
    fn doubles_never_look_like_integers_or_pointers() {
        for f in [
            0.0,
            -0.0,
            1.5,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MIN_POSITIVE,
            f64::MAX,
            f64::MIN,
        ] {
            let v = Value::float(f);
            assert!(v.is_float() && !v.is_int() && !v.is_ptr());
            assert_eq!(v.float_value().to_bits(), f.to_bits());
        }
        let nan = Value::float(f64::from_bits(0xFFFF_FFFF_FFFF_FFFF));
        assert!(
            nan.is_float() && nan.float_value().is_nan() && nan.float_value().is_sign_negative()
        );
    }

    #[test]
    fn null_is_no_pointer() {
        assert!(!Value::NULL.is_ptr());
        assert!(Value::from_bits(0x7f00_0000_1000).is_ptr());
    }
}
