//! The NaN-boxed 64-bit value word, as machine code and evaluator see it.
//!
//! | word | meaning |
//! |---|---|
//! | `0` | null, no value |
//! | below `2 << 48` | a raw object address |
//! | `bits + (2 << 48)` | a double; a NaN has one payload, its sign is kept |
//! | `0xFFFE << 48` plus `i` | a small int of 50 bits, signed |

/// Added to the bits of a double to make its word.
pub const DOUBLE_OFFSET: u64 = 2 << 48;
/// The word of small int 0; int `i` is `INT_BIAS + i`.
pub const INT_BIAS: u64 = 0xFFFE << 48;
/// The smallest word that is a small int.
pub const INT_MIN_WORD: u64 = 0xFFFC << 48;
/// Smallest int that fits a word.
pub const SMALL_MIN: i64 = -(1 << 49);
/// Largest int that fits a word.
pub const SMALL_MAX: i64 = (1 << 49) - 1;
/// The NaN a word holds, but for the sign.
pub const CANONICAL_NAN: u64 = 0x7FF8 << 48;

/// Is the word a small int?
#[must_use]
#[inline]
pub fn is_int(word: u64) -> bool {
    word >= INT_MIN_WORD
}

/// Is the word a double?
#[must_use]
#[inline]
pub fn is_flt(word: u64) -> bool {
    (DOUBLE_OFFSET..INT_MIN_WORD).contains(&word)
}

/// Is the word an object address? Null is none.
#[must_use]
#[inline]
pub fn is_ptr(word: u64) -> bool {
    (1..DOUBLE_OFFSET).contains(&word)
}

/// Does `value` fit the 50 bits of a small int?
#[must_use]
#[inline]
pub fn fits_small(value: i64) -> bool {
    (SMALL_MIN..=SMALL_MAX).contains(&value)
}

/// The word of a small int; `None` outside 50 bits.
#[must_use]
#[inline]
pub fn box_int(value: i64) -> Option<u64> {
    fits_small(value).then(|| INT_BIAS.wrapping_add(value as u64))
}

/// The int of a word for which [`is_int`] holds.
#[must_use]
#[inline]
pub fn unbox_int(word: u64) -> i64 {
    word.wrapping_sub(INT_BIAS) as i64
}

/// The word of a double.
#[must_use]
#[inline]
pub fn box_flt(value: f64) -> u64 {
    let bits = if value.is_nan() {
        CANONICAL_NAN | value.to_bits() & (1 << 63)
    } else {
        value.to_bits()
    };
    bits + DOUBLE_OFFSET
}

/// The double of a word for which [`is_flt`] holds.
#[must_use]
#[inline]
pub fn unbox_flt(word: u64) -> f64 {
    f64::from_bits(word.wrapping_sub(DOUBLE_OFFSET))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_has_exactly_one_kind() {
        let mut words = vec![0x1000, DOUBLE_OFFSET - 1];
        words.extend(
            [
                0.0,
                -0.0,
                1.5,
                f64::INFINITY,
                f64::NEG_INFINITY,
                f64::NAN,
                -f64::NAN,
            ]
            .map(box_flt),
        );
        words.extend([0, 1, -1, SMALL_MIN, SMALL_MAX].map(|i| box_int(i).expect("50 bits")));
        for word in words {
            let kinds = u32::from(is_int(word)) + u32::from(is_flt(word)) + u32::from(is_ptr(word));
            assert_eq!(kinds, 1, "{word:#x}");
        }
    }

    #[test]
    fn ints_outside_50_bits_do_not_box() {
        assert_eq!(box_int(SMALL_MAX + 1), None);
        assert_eq!(box_int(SMALL_MIN - 1), None);
        assert_eq!(unbox_int(box_int(SMALL_MIN).expect("fits")), SMALL_MIN);
    }
}
