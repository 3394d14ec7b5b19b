//! Algorithms shared by `str`, `bytes` and `bytearray`, over slices of code
//! units: searching, splitting, stripping. They return positions and ranges;
//! the callers make objects of them.

use std::ops::Range;

/// A code unit.
pub trait Unit: Copy + Eq + Into<u32> {}
impl<T: Copy + Eq + Into<u32>> Unit for T {}

/// First position of `needle` in `hay`.
pub fn find<T: Unit>(hay: &[T], needle: &[T]) -> Option<usize> {
    let (&first, rest) = match needle.split_first() {
        Some(p) => p,
        None => return Some(0),
    };
    let mut at = 0;
    while at + needle.len() <= hay.len() {
        let last = hay.len() - rest.len();
        at += hay[at..last].iter().position(|&c| c == first)?;
        if hay[at + 1..].starts_with(rest) {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// Last position of `needle` in `hay`.
pub fn rfind<T: Unit>(hay: &[T], needle: &[T]) -> Option<usize> {
    if needle.len() > hay.len() {
        return None;
    }
    (0..=hay.len() - needle.len())
        .rev()
        .find(|&i| hay[i..].starts_with(needle))
}

/// Positions of up to `max` occurrences that do not overlap, from the left. An
/// empty needle is found everywhere, the end included.
pub fn positions<T: Unit>(hay: &[T], needle: &[T], max: usize) -> Vec<usize> {
    let mut out = Vec::new();
    if needle.is_empty() {
        out.extend((0..=hay.len()).take(max));
        return out;
    }
    let mut at = 0;
    while out.len() < max {
        match find(&hay[at..], needle) {
            Some(i) => {
                out.push(at + i);
                at += i + needle.len();
            }
            None => break,
        }
    }
    out
}

/// Positions of up to `max` occurrences that do not overlap, from the right,
/// last one first. The needle is not empty.
pub fn rpositions<T: Unit>(hay: &[T], needle: &[T], max: usize) -> Vec<usize> {
    let mut out = Vec::new();
    let mut end = hay.len();
    while out.len() < max {
        match rfind(&hay[..end], needle) {
            Some(i) => {
                out.push(i);
                end = i;
            }
            None => break,
        }
    }
    out
}

/// How many occurrences do not overlap.
pub fn count<T: Unit>(hay: &[T], needle: &[T]) -> usize {
    if needle.is_empty() {
        return hay.len() + 1;
    }
    if let [c] = needle {
        return hay.iter().filter(|&u| u == c).count();
    }
    positions(hay, needle, usize::MAX).len()
}

/// What lies between separators of `width` units at `at` (ascending).
pub fn between(len: usize, at: &[usize], width: usize) -> Vec<Range<usize>> {
    let mut out = Vec::with_capacity(at.len() + 1);
    let mut start = 0;
    for &i in at {
        out.push(start..i);
        start = i + width;
    }
    out.push(start..len);
    out
}

/// Words between runs of white space, at most `max` cuts; with the rest of the
/// text as the last word then.
pub fn split_space(len: usize, max: usize, space: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut i = 0;
    loop {
        while i < len && space(i) {
            i += 1;
        }
        if i == len {
            return out;
        }
        if out.len() == max {
            // The rest keeps its trailing blanks.
            out.push(i..len);
            return out;
        }
        let start = i;
        while i < len && !space(i) {
            i += 1;
        }
        out.push(start..i);
    }
}

/// As [`split_space`], cutting from the right; the words are in order.
pub fn rsplit_space(len: usize, max: usize, space: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut i = len;
    loop {
        while i > 0 && space(i - 1) {
            i -= 1;
        }
        if i == 0 {
            break;
        }
        if out.len() == max {
            out.push(0..i);
            break;
        }
        let end = i;
        while i > 0 && !space(i - 1) {
            i -= 1;
        }
        out.push(i..end);
    }
    out.reverse();
    out
}

/// Lines; `\r\n` is one break.
pub fn split_lines(
    len: usize,
    keep: bool,
    at: impl Fn(usize) -> u32,
    is_break: impl Fn(u32) -> bool,
) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let (mut i, mut start) = (0, 0);
    while i < len {
        let c = at(i);
        i += 1;
        if is_break(c) {
            let end = i - 1;
            if c == 13 && i < len && at(i) == 10 {
                i += 1;
            }
            out.push(start..if keep { i } else { end });
            start = i;
        }
    }
    if start < len {
        out.push(start..len);
    }
    out
}

/// What is left after stripping units for which `drop` holds.
pub fn strip(len: usize, left: bool, right: bool, drop: impl Fn(usize) -> bool) -> Range<usize> {
    let (mut a, mut b) = (0, len);
    if left {
        while a < b && drop(a) {
            a += 1;
        }
    }
    if right {
        while b > a && drop(b - 1) {
            b -= 1;
        }
    }
    a..b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_find_first_last_and_all() {
        let h = b"abcabcab";
        assert_eq!(find(h, b"cab"), Some(2));
        assert_eq!(rfind(h, b"ab"), Some(6));
        assert_eq!(find(h, b"x"), None);
        assert_eq!(find(b"ab".as_slice(), b"abc".as_slice()), None);
        assert_eq!(count(b"aaaa".as_slice(), b"aa".as_slice()), 2);
        assert_eq!(positions(b"ab".as_slice(), b"".as_slice(), 9), [0, 1, 2]);
        assert_eq!(rpositions(b"aaa".as_slice(), b"aa".as_slice(), 9), [1]);
    }

    #[test]
    fn words_and_lines() {
        let t = b"  a b  c ";
        let space = |i: usize| t[i] == b' ';
        assert_eq!(split_space(9, 1, space), [2..3, 4..9]);
        assert_eq!(rsplit_space(9, 1, space), [0..5, 7..8]);
        let t = b"a\r\nb\n";
        assert_eq!(
            split_lines(5, false, |i| t[i].into(), |c| c == 10 || c == 13),
            [0..1, 3..4]
        );
    }
}
