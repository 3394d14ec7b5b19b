//! Properties of code points, as CPython 3.11 (Unicode 14) answers them.
//!
//! Properties sit in a two-stage table: a code point's upper bits choose a block
//! of 128, its lower bits an entry, which names one of few sets of flags. Case
//! maps are sorted pairs; those to several code points point into `SPECIAL`.

mod tables;

use tables::*;

fn flags(c: u32) -> u16 {
    let block = match FLAGS_INDEX.get((c >> 7) as usize) {
        Some(&b) => b as usize,
        None => return 0,
    };
    FLAGS[FLAGS_BLOCKS[block << 7 | (c & 127) as usize] as usize]
}

macro_rules! properties {
    ($($(#[$doc:meta])* $name:ident $flag:ident),* $(,)?) => {
        $($(#[$doc])* pub fn $name(c: u32) -> bool { flags(c) & $flag != 0 })*
    };
}

properties! {
    /// A letter.
    is_alpha ALPHA,
    /// A digit of a decimal system.
    is_decimal DECIMAL,
    /// A digit, superscripts and the like included.
    is_digit DIGIT,
    /// Anything with a numeric value.
    is_numeric NUMERIC,
    /// Lower case.
    is_lower LOWER,
    /// Upper case.
    is_upper UPPER,
    /// Title case (digraphs with only the first letter large).
    is_title TITLE,
    /// White space.
    is_space SPACE,
    /// Shown as itself by `repr`.
    is_printable PRINTABLE,
    /// May start an identifier.
    is_xid_start XID_START,
    /// May continue an identifier.
    is_xid_continue XID_CONTINUE,
    /// Has case, for the rule of the final sigma.
    is_cased CASED,
    /// Skipped by the rule of the final sigma.
    is_case_ignorable CASE_IGNORABLE,
}

/// A letter, digit or number.
pub fn is_alnum(c: u32) -> bool {
    flags(c) & (ALPHA | DECIMAL | DIGIT | NUMERIC) != 0
}

/// Value of a decimal digit.
pub fn decimal(c: u32) -> Option<u32> {
    let i = DECIMAL_ZEROS.partition_point(|&z| z <= c).checked_sub(1)?;
    let d = c - DECIMAL_ZEROS[i];
    (d < 10).then_some(d)
}

fn map(c: u32, table: &[(u32, u32)], out: &mut Vec<u32>) {
    match table.binary_search_by_key(&c, |&(from, _)| from) {
        Ok(i) => {
            let to = table[i].1;
            if to >> 31 == 0 {
                out.push(to);
            } else {
                let at = (to >> 4 & 0x7FF_FFFF) as usize;
                out.extend_from_slice(&SPECIAL[at..at + (to & 15) as usize]);
            }
        }
        Err(_) => out.push(c),
    }
}

/// Appends the upper case of `c`.
pub fn to_upper(c: u32, out: &mut Vec<u32>) {
    if c < 0x80 {
        return out.push(u32::from((c as u8).to_ascii_uppercase()));
    }
    map(c, &UPPER_MAP, out);
}

/// Appends the lower case of `c`.
pub fn to_lower(c: u32, out: &mut Vec<u32>) {
    if c < 0x80 {
        return out.push(u32::from((c as u8).to_ascii_lowercase()));
    }
    map(c, &LOWER_MAP, out);
}

/// Appends the title case of `c`.
pub fn to_title(c: u32, out: &mut Vec<u32>) {
    if c < 0x80 {
        return out.push(u32::from((c as u8).to_ascii_uppercase()));
    }
    map(c, &TITLE_MAP, out);
}

/// Appends the case folding of `c`.
pub fn to_fold(c: u32, out: &mut Vec<u32>) {
    map(c, &FOLD_MAP, out);
}

fn first(c: u32, table: &[(u32, u32)]) -> u32 {
    match table.binary_search_by_key(&c, |&(from, _)| from) {
        Ok(i) if table[i].1 >> 31 == 0 => table[i].1,
        Ok(i) => SPECIAL[(table[i].1 >> 4 & 0x7FF_FFFF) as usize],
        Err(_) => c,
    }
}

/// The first code point of the upper case of `c`.
pub fn first_upper(c: u32) -> u32 {
    first(c, &UPPER_MAP)
}

/// The first code point of the lower case of `c`.
pub fn first_lower(c: u32) -> u32 {
    first(c, &LOWER_MAP)
}

/// Ends a line for `splitlines`.
pub fn is_line_break(c: u32) -> bool {
    matches!(c, 0x0A..=0x0D | 0x1C..=0x1E | 0x85 | 0x2028 | 0x2029)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_as_cpython_does() {
        assert!(is_alpha('é' as u32) && is_space(0x2003) && !is_printable(0xAD));
        assert!(is_numeric('½' as u32) && !is_digit('½' as u32) && is_digit('²' as u32));
        assert_eq!(decimal('٣' as u32), Some(3));
        assert_eq!(decimal('a' as u32), None);
        let mut out = Vec::new();
        to_upper('ß' as u32, &mut out);
        to_title('ǆ' as u32, &mut out);
        assert_eq!(out, ['S' as u32, 'S' as u32, 'ǅ' as u32]);
    }
}
