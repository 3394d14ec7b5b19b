//! Normal forms (Unicode Standard Annex 15): decompose, order by combining class,
//! compose. Hangul syllables are computed.

use super::tables::tables;

const S_BASE: u32 = 0xAC00;
const L_BASE: u32 = 0x1100;
const V_BASE: u32 = 0x1161;
const T_BASE: u32 = 0x11A7;
const L_COUNT: u32 = 19;
const V_COUNT: u32 = 21;
const T_COUNT: u32 = 28;
const S_COUNT: u32 = L_COUNT * V_COUNT * T_COUNT;

/// A normal form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Form {
    pub(super) compose: bool,
    pub(super) compatible: bool,
}

fn decompose(old: bool, form: Form, c: u32, out: &mut Vec<u32>) {
    let s = c.wrapping_sub(S_BASE);
    if s < S_COUNT {
        out.push(L_BASE + s / (V_COUNT * T_COUNT));
        out.push(V_BASE + s % (V_COUNT * T_COUNT) / T_COUNT);
        if !s.is_multiple_of(T_COUNT) {
            out.push(T_BASE + s % T_COUNT);
        }
        return;
    }
    let d = tables().decomposition(old, c);
    if d.is_empty() || d.starts_with('<') && !form.compatible {
        out.push(c);
        return;
    }
    for part in d.split(' ').filter(|p| !p.starts_with('<')) {
        // Depth is bounded by the data: no decomposition leads back.
        decompose(
            old,
            form,
            u32::from_str_radix(part, 16).unwrap_or(0xFFFD),
            out,
        );
    }
}

fn class(old: bool, c: u32) -> u8 {
    if c < 0x300 {
        0
    } else {
        tables().record(old, c).combining
    }
}

fn compose_pair(old: bool, a: u32, b: u32) -> Option<u32> {
    let (l, v) = (a.wrapping_sub(L_BASE), b.wrapping_sub(V_BASE));
    if l < L_COUNT && v < V_COUNT {
        return Some(S_BASE + (l * V_COUNT + v) * T_COUNT);
    }
    let (s, t) = (a.wrapping_sub(S_BASE), b.wrapping_sub(T_BASE));
    if s < S_COUNT && s.is_multiple_of(T_COUNT) && (1..T_COUNT).contains(&t) {
        return Some(a + t);
    }
    tables().composition(old, a, b)
}

/// The normal form of a text.
pub(super) fn normalize(old: bool, form: Form, text: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut out = Vec::new();
    for c in text {
        if c < 0x80 {
            out.push(c);
        } else {
            decompose(old, form, c, &mut out);
        }
    }
    // Marks in a row go by class, stably.
    let mut i = 0;
    while i < out.len() {
        let end = out[i..]
            .iter()
            .position(|&c| class(old, c) == 0)
            .map_or(out.len(), |n| i + n);
        out[i..end].sort_by_key(|&c| class(old, c));
        i = end + 1;
    }
    if !form.compose {
        return out;
    }
    let mut done: Vec<u32> = Vec::with_capacity(out.len());
    let mut starter: Option<usize> = None;
    // Class of the last mark kept since the starter; 0: none.
    let mut last = 0;
    for c in out {
        let k = class(old, c);
        if let Some(s) = starter {
            let adjacent = done.len() == s + 1;
            if (adjacent || last < k && last != 0)
                && let Some(both) = compose_pair(old, done[s], c)
            {
                done[s] = both;
                continue;
            }
        }
        if k == 0 {
            starter = Some(done.len());
            last = 0;
        } else {
            last = k;
        }
        done.push(c);
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nf(compose: bool, compatible: bool, s: &str) -> String {
        let form = Form {
            compose,
            compatible,
        };
        normalize(false, form, s.chars().map(u32::from))
            .into_iter()
            .filter_map(char::from_u32)
            .collect()
    }

    #[test]
    fn forms_of_known_texts() {
        assert_eq!(nf(false, false, "é"), "e\u{301}");
        assert_eq!(nf(true, false, "e\u{301}\u{323}"), "\u{1eb9}\u{301}");
        assert_eq!(nf(true, true, "ﬁ①"), "fi1");
        assert_eq!(nf(false, false, "한"), "\u{1112}\u{1161}\u{11ab}");
        assert_eq!(nf(true, false, "\u{1112}\u{1161}\u{11ab}"), "한");
        // Marks of lower classes in between do not keep the two apart.
        assert_eq!(nf(true, false, "a\u{327}\u{5ae}\u{300}"), "à\u{327}\u{5ae}");
    }
}
