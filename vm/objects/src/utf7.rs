//! UTF-7 (RFC 2152): text as ASCII, other characters in stretches of base 64.
//!
//! `+` begins a stretch of UTF-16 units, most significant bit first, and the first
//! byte that is no base-64 digit ends it; a `-` there is swallowed. `+-` is a plus
//! sign.

use crate::codecs::{Bad, Codec, decode_error};
use crate::text::Text;
use crate::textbuf::TextBuf;
use crate::vm::{R, Vm};
use pyrite_machine::Value;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn digit(c: u8) -> Option<u32> {
    DIGITS.iter().position(|&d| d == c).map(|i| i as u32)
}

/// True for characters that stand for themselves outside of stretches.
fn is_direct(c: u32) -> bool {
    match u8::try_from(c) {
        Ok(b' ' | b'\t' | b'\n' | b'\r') => true,
        Ok(b'\\' | b'+' | b'~') => false,
        Ok(c) => c.is_ascii_graphic(),
        Err(_) => false,
    }
}

/// Bits of a stretch that do not fill a digit or a unit yet.
#[derive(Default)]
struct Bits {
    value: u32,
    count: u32,
}

impl Bits {
    fn push(&mut self, value: u32, count: u32) {
        self.value = self.value << count | value;
        self.count += count;
    }

    fn take(&mut self, count: u32) -> Option<u32> {
        if self.count < count {
            return None;
        }
        self.count -= count;
        let taken = self.value >> self.count;
        self.value &= (1 << self.count) - 1;
        Some(taken)
    }
}

/// Encodes any text; there are no errors.
pub(crate) fn encode(t: Text<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bits = Bits::default();
    let mut inside = false;
    let end = |out: &mut Vec<u8>, bits: &mut Bits| {
        if bits.count > 0 {
            out.push(DIGITS[(bits.value << (6 - bits.count)) as usize]);
        }
        *bits = Bits::default();
    };
    for c in t.iter() {
        if is_direct(c) {
            let c = c as u8;
            if inside {
                end(&mut out, &mut bits);
                inside = false;
                if digit(c).is_some() || c == b'-' {
                    out.push(b'-');
                }
            }
            out.push(c);
            continue;
        }
        if !inside {
            out.push(b'+');
            if c == u32::from(b'+') {
                out.push(b'-');
                continue;
            }
            inside = true;
        }
        let units = match c {
            0x1_0000.. => [
                Some(0xD800 | (c - 0x1_0000) >> 10),
                Some(0xDC00 | (c - 0x1_0000) & 0x3FF),
            ],
            _ => [Some(c), None],
        };
        for unit in units.into_iter().flatten() {
            bits.push(unit, 16);
            while let Some(d) = bits.take(6) {
                out.push(DIGITS[d as usize]);
            }
        }
    }
    end(&mut out, &mut bits);
    if inside {
        out.push(b'-');
    }
    out
}

/// Decodes bytes: the text and how many bytes it took. Without `last`, a stretch
/// that may go on is left for later.
pub(crate) fn decode(vm: &mut Vm, b: &[u8], errors: &str, last: bool) -> R<(Value, usize)> {
    let mut out: Vec<u32> = Vec::new();
    let mut bits = Bits::default();
    let mut inside = false;
    // The first half of a pair; where the stretch began, and the text before it.
    let mut half = 0;
    let (mut start, mut kept) = (0, 0);
    let mut i = 0;
    loop {
        let mut wrong = None;
        if i == b.len() {
            let open = half != 0 || bits.count >= 6 || bits.value != 0;
            if !inside || !last {
                break;
            }
            inside = false;
            if !open {
                break;
            }
            wrong = Some("unterminated shift sequence");
        } else if inside {
            if let Some(d) = digit(b[i]) {
                i += 1;
                bits.push(d, 6);
                let Some(unit) = bits.take(16) else { continue };
                if half != 0 {
                    let first = std::mem::take(&mut half);
                    if (0xDC00..0xE000).contains(&unit) {
                        out.push(0x1_0000 + ((first & 0x3FF) << 10 | unit & 0x3FF));
                        continue;
                    }
                    out.push(first);
                }
                if (0xD800..0xDC00).contains(&unit) {
                    half = unit;
                } else {
                    out.push(unit);
                }
                continue;
            }
            inside = false;
            if bits.count >= 6 {
                i += 1;
                wrong = Some("partial character in shift sequence");
            } else if bits.value != 0 {
                i += 1;
                wrong = Some("non-zero padding bits in shift sequence");
            } else {
                let first = std::mem::take(&mut half);
                if first != 0 && b[i] < 0x80 && b[i] != b'+' {
                    out.push(first);
                }
                if b[i] == b'-' {
                    i += 1;
                }
            }
        } else if b[i] == b'+' {
            start = i;
            i += 1;
            match b.get(i) {
                Some(b'-') => {
                    i += 1;
                    out.push(b'+'.into());
                }
                Some(&c) if digit(c).is_none() => {
                    i += 1;
                    wrong = Some("ill-formed sequence");
                }
                _ => {
                    (inside, half, kept) = (true, 0, out.len());
                    bits = Bits::default();
                }
            }
        } else if b[i] < 0x80 {
            out.push(b[i].into());
            i += 1;
        } else {
            start = i;
            i += 1;
            wrong = Some("unexpected special character");
        }
        if let Some(reason) = wrong {
            (half, bits) = (0, Bits::default());
            let bad = Bad {
                all: b,
                range: start..i,
                reason,
            };
            let mut stand = TextBuf::new();
            i = decode_error(vm, Codec::Utf7, errors, bad, &mut stand)?;
            out.extend(stand.text().iter());
        }
    }
    if inside {
        out.truncate(kept);
        i = start;
    }
    let mut text = TextBuf::new();
    out.iter().for_each(|&c| text.push(c));
    Ok((text.finish(vm), i))
}
