//! What single characters are to a pattern: categories, case, positions.

use pyrite_objects::unicode;

/// Largest number of a category in `re._constants.CHCODES`.
pub(super) const LAST_CATEGORY: u32 = 17;
/// Largest number of a position in `re._constants.ATCODES`.
pub(super) const LAST_AT: u32 = 11;

/// True if a category's answer depends on the C locale.
pub(super) fn follows_locale(category: u32) -> bool {
    matches!(category, 8 | 9)
}

/// Whether `c` is in a category.
pub(super) fn category(category: u32, c: u32) -> bool {
    match category {
        0 => is_digit(c),
        1 => !is_digit(c),
        2 => is_space(c),
        3 => !is_space(c),
        4 => is_word(c),
        5 => !is_word(c),
        6 => c == 10,
        7 => c != 10,
        8 => is_locale_word(c),
        9 => !is_locale_word(c),
        10 => unicode::is_decimal(c),
        11 => !unicode::is_decimal(c),
        12 => unicode::is_space(c),
        13 => !unicode::is_space(c),
        14 => is_uni_word(c),
        15 => !is_uni_word(c),
        16 => unicode::is_line_break(c),
        _ => !unicode::is_line_break(c),
    }
}

fn is_digit(c: u32) -> bool {
    (0x30..=0x39).contains(&c)
}

fn is_space(c: u32) -> bool {
    matches!(c, 0x20 | 0x09..=0x0D)
}

/// An ASCII letter, digit or underscore.
pub(super) fn is_word(c: u32) -> bool {
    c < 128 && (c as u8).is_ascii_alphanumeric() || c == 0x5F
}

/// A letter or digit of any script, or an underscore.
pub(super) fn is_uni_word(c: u32) -> bool {
    if c < 128 {
        is_word(c)
    } else {
        unicode::is_alnum(c)
    }
}

/// A letter or digit of the C locale, or an underscore.
pub(super) fn is_locale_word(c: u32) -> bool {
    // SAFETY: isalnum takes any value of an unsigned char.
    c < 256 && unsafe { libc::isalnum(c as i32) } != 0 || c == 0x5F
}

/// Lower case within ASCII.
#[inline]
pub(super) fn ascii_lower(c: u32) -> u32 {
    if (0x41..=0x5A).contains(&c) {
        c + 32
    } else {
        c
    }
}

/// First character of the lower case.
#[inline]
pub(super) fn lower(c: u32) -> u32 {
    if c < 128 {
        ascii_lower(c)
    } else {
        unicode::first_lower(c)
    }
}

/// First character of the upper case.
pub(super) fn upper(c: u32) -> u32 {
    if c < 128 {
        (c as u8).to_ascii_uppercase().into()
    } else {
        unicode::first_upper(c)
    }
}

/// Lower case in the C locale.
pub(super) fn locale_lower(c: u32) -> u32 {
    if c < 256 {
        // SAFETY: tolower takes any value of an unsigned char.
        unsafe { libc::tolower(c as i32) as u32 }
    } else {
        c
    }
}

/// Upper case in the C locale.
pub(super) fn locale_upper(c: u32) -> u32 {
    if c < 256 {
        // SAFETY: toupper takes any value of an unsigned char.
        unsafe { libc::toupper(c as i32) as u32 }
    } else {
        c
    }
}

/// Whether `c` is `literal` in either case of the C locale.
pub(super) fn locale_equal(literal: u32, c: u32) -> bool {
    c == literal || locale_lower(c) == literal || locale_upper(c) == literal
}
