//! Text of string literals, lone surrogates included.
//!
//! The parser's strings cannot hold `\ud800` and have U+FFFD in its place. Where
//! that may have happened, the literal's source is read again, side by side with
//! the parser's result.

pub use crate::consts::decimal;
use pyrite_front::Source;
use ruff_python_ast::{InterpolatedStringLiteralElement, StringFlags, StringLiteral};
use ruff_text_size::Ranged;

/// Code points of one literal.
pub fn string(lit: &StringLiteral, source: &Source<'_>, out: &mut Vec<u32>) {
    let r = lit.range();
    let text = source.slice(r.start().to_usize(), r.end().to_usize());
    let inner = || {
        let open = lit.flags.opener_len().to_usize();
        let close = lit.flags.closer_len().to_usize();
        text.get(open..text.len().saturating_sub(close))
            .unwrap_or("")
    };
    decode(&lit.value, inner, lit.flags.prefix().is_raw(), false, out);
}

/// Code points of a literal piece of an f-string; `raw` tells of the `r` prefix.
pub fn fstring_piece(
    lit: &InterpolatedStringLiteralElement,
    source: &Source<'_>,
    raw: bool,
    out: &mut Vec<u32>,
) {
    let r = lit.range();
    let inner = || source.slice(r.start().to_usize(), r.end().to_usize());
    decode(&lit.value, inner, raw, true, out);
}

fn decode<'s>(
    value: &str,
    inner: impl FnOnce() -> &'s str,
    raw: bool,
    braces: bool,
    out: &mut Vec<u32>,
) {
    if raw || !value.contains('\u{fffd}') {
        out.extend(value.chars().map(u32::from));
        return;
    }
    let mut parsed = value.chars();
    let mut source = inner().chars().peekable();
    while let Some(c) = source.next() {
        let mut code = None;
        match c {
            '\\' => match source.next() {
                Some('\n') => continue,
                Some('\r') => {
                    source.next_if_eq(&'\n');
                    continue;
                }
                Some(kind @ ('x' | 'u' | 'U')) => {
                    let digits = match kind {
                        'x' => 2,
                        'u' => 4,
                        _ => 8,
                    };
                    let hex: String = source.by_ref().take(digits).collect();
                    code = u32::from_str_radix(&hex, 16).ok();
                }
                Some('N') => while source.next().is_some_and(|c| c != '}') {},
                Some('0'..='7') => {
                    for _ in 0..2 {
                        source.next_if(|c| ('0'..='7').contains(c));
                    }
                }
                Some('\\' | '\'' | '"' | 'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v') => {}
                Some(_) | None => {
                    // An unknown escape keeps its backslash.
                    out.extend(parsed.next().map(u32::from));
                }
            },
            '\r' => {
                source.next_if_eq(&'\n');
            }
            '{' | '}' if braces => {
                source.next_if_eq(&c);
            }
            _ => {}
        }
        let as_parsed = parsed.next().map(u32::from);
        match code {
            Some(c @ 0xD800..=0xDFFF) => out.push(c),
            _ => out.extend(as_parsed),
        }
    }
}
