//! Positions of instructions in CPython's location table, the bytes of
//! `co_linetable`.
//!
//! An entry is a byte with its top bit set, a code for its form in the next four and
//! the number of instructions less one in the last three, followed by the form's
//! numbers: a short form for the same line, one for each of the next lines, a long
//! one, one without columns and one without a place. Lines are differences, from the
//! code's first line on.
//!
//! Source: CPython 3.11, `Objects/locations.md`.

use pyrite_bytecode::Pos;

/// Entry codes above those of the short form.
const ONE_LINE: u8 = 10;
const NO_COLUMNS: u8 = 13;
const LONG: u8 = 14;
const NONE: u8 = 15;

fn varint(out: &mut Vec<u8>, mut n: u32) {
    while n >= 64 {
        out.push(0x40 | (n & 63) as u8);
        n >>= 6;
    }
    out.push(n as u8);
}

fn svarint(out: &mut Vec<u8>, n: i32) {
    let sign = u32::from(n < 0);
    varint(out, n.unsigned_abs() << 1 | sign);
}

/// The table of `positions`, one for each instruction.
pub fn encode(positions: &[Pos], first_line: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let mut line = first_line;
    let mut i = 0;
    while i < positions.len() {
        let p = positions[i];
        let same = positions[i..].iter().take_while(|q| **q == p).count();
        let n = same.min(8);
        entry(&mut out, p, &mut line, n as u8 - 1);
        i += n;
    }
    out
}

fn entry(out: &mut Vec<u8>, p: Pos, line: &mut u32, length: u8) {
    let first = |code: u8| 0x80 | code << 3 | length;
    if p.line == 0 {
        out.push(first(NONE));
        return;
    }
    let delta = p.line as i32 - *line as i32;
    *line = p.line;
    if p.col == Pos::NO_COLUMN || p.end_col == Pos::NO_COLUMN {
        out.push(first(NO_COLUMNS));
        svarint(out, delta);
        return;
    }
    let (col, end) = (p.col, p.end_col);
    if p.end_line == p.line {
        if delta == 0 && col < 80 && end >= col && end - col < 16 {
            out.push(first((col / 8) as u8));
            out.push(((col & 7) << 4 | (end - col)) as u8);
            return;
        }
        if (0..3).contains(&delta) && col < 128 && end < 128 {
            out.extend([first(ONE_LINE + delta as u8), col as u8, end as u8]);
            return;
        }
    }
    out.push(first(LONG));
    svarint(out, delta);
    varint(out, p.end_line.saturating_sub(p.line));
    varint(out, u32::from(col) + 1);
    varint(out, u32::from(end) + 1);
}

/// The positions in a table, for `count` instructions; those it does not reach have
/// none.
pub fn decode(table: &[u8], first_line: u32, count: usize) -> Vec<Pos> {
    let mut out = Vec::with_capacity(count);
    let mut bytes = table.iter().copied();
    let mut line = first_line;
    while let Some(first) = bytes.next() {
        let (code, n) = (first >> 3 & 15, usize::from(first & 7) + 1);
        let mut number = || {
            let (mut value, mut shift) = (0u32, 0);
            for b in bytes.by_ref() {
                value |= u32::from(b & 63).checked_shl(shift).unwrap_or(0);
                shift += 6;
                if b & 0x40 == 0 {
                    break;
                }
            }
            value
        };
        let signed = |n: u32| {
            let size = (n >> 1) as i32;
            if n & 1 == 1 { -size } else { size }
        };
        let column = |n: u32| match n {
            0 => Pos::NO_COLUMN,
            n => u16::try_from(n - 1).unwrap_or(Pos::NO_COLUMN),
        };
        let mut p = Pos {
            line,
            end_line: line,
            col: Pos::NO_COLUMN,
            end_col: Pos::NO_COLUMN,
        };
        match code {
            NONE => p = Pos::default(),
            NO_COLUMNS => {
                p.line = line.saturating_add_signed(signed(number()));
                p.end_line = p.line;
            }
            LONG => {
                p.line = line.saturating_add_signed(signed(number()));
                p.end_line = p.line.saturating_add(number());
                p.col = column(number());
                p.end_col = column(number());
            }
            ONE_LINE..NO_COLUMNS => {
                p.line = line + u32::from(code - ONE_LINE);
                p.end_line = p.line;
                p.col = bytes.next().unwrap_or(0).into();
                p.end_col = bytes.next().unwrap_or(0).into();
            }
            short => {
                let b = bytes.next().unwrap_or(0);
                p.col = u16::from(short) * 8 + u16::from(b >> 4 & 7);
                p.end_col = p.col + u16::from(b & 15);
            }
        }
        if p.line != 0 {
            line = p.line;
        }
        out.extend(std::iter::repeat_n(p, n));
    }
    out.resize(count, Pos::default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pos(line: u32, end_line: u32, col: u16, end_col: u16) -> Pos {
        Pos {
            line,
            end_line,
            col,
            end_col,
        }
    }

    #[test]
    fn every_form_is_read_back() {
        let all = [
            pos(10, 10, 4, 9),
            pos(10, 10, 79, 94),
            pos(11, 11, 100, 120),
            pos(12, 12, 3, 80),
            pos(40, 43, 0, 5),
            pos(2, 2, 500, 700),
            Pos::default(),
            pos(3, 3, Pos::NO_COLUMN, Pos::NO_COLUMN),
            pos(3, 3, 9, 4),
        ];
        let many: Vec<Pos> = all.iter().flat_map(|&p| [p; 9]).collect();
        for positions in [&all[..], &many[..]] {
            let table = encode(positions, 10);
            assert_eq!(decode(&table, 10, positions.len()), positions);
        }
    }

    #[test]
    fn instructions_beyond_the_table_have_no_place() {
        assert_eq!(decode(&[], 1, 2), [Pos::default(); 2]);
        // Three entries of CPython's for one instruction each: none, same line, none.
        let p = decode(&[0xf8, 0x80, 0x12, 0xf8], 7, 3);
        assert_eq!(p, [Pos::default(), pos(7, 7, 1, 3), Pos::default()]);
    }
}
