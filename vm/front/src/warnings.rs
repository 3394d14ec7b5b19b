//! What CPython's tokenizer and parser warn about in text that they accept:
//! numbers that run into a keyword (`1if x else 2`) and escapes that mean nothing
//! (`'\d'`).
//!
//! The parser keeps its tokens, so this is one pass over them that looks at numbers
//! and at literals with a backslash. CPython warns once for each literal, and once
//! for each stretch between the fields of an f-string.

use crate::{ErrorKind, Source, SyntaxErrorInfo, Tree};
use ruff_python_ast::token::{Token, TokenKind};
use ruff_text_size::Ranged;

/// Class of a [`Warning`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    Syntax,
    Deprecation,
}

/// A warning about a program that compiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub category: Category,
    /// The SyntaxError it becomes where warnings are errors; it has the warning's
    /// text and line.
    pub error: SyntaxErrorInfo,
}

/// The warnings of tokenizer and parser, in the order of the text.
pub fn warnings(source: &Source<'_>, tree: &Tree) -> Vec<Warning> {
    let tokens: &[Token] = tree.tokens();
    let mut found = Vec::new();
    // Index and offset of each open f-string's first token.
    let mut open: Vec<usize> = Vec::new();
    for (i, t) in tokens.iter().enumerate() {
        let range = |from: usize, to: usize| {
            let (start, end) = (tokens[from].range().start(), tokens[to].range().end());
            (start.to_usize(), end.to_usize())
        };
        let (start, end) = range(i, i);
        match t.kind() {
            TokenKind::Int | TokenKind::Float | TokenKind::Complex => {
                found.extend(number(source, start, end));
            }
            TokenKind::FStringStart => open.push(i),
            TokenKind::FStringEnd => {
                open.pop();
            }
            TokenKind::String | TokenKind::FStringMiddle => {
                let Some(flags) = t.string_flags() else {
                    continue;
                };
                let text = source.slice(start, end);
                if flags.is_raw_string() || !text.contains('\\') {
                    continue;
                }
                let field = t.kind() == TokenKind::FStringMiddle
                    && tokens.get(i + 1).map(Token::kind) == Some(TokenKind::Lbrace);
                let place = match open.last() {
                    Some(&first) if t.kind() == TokenKind::FStringMiddle => {
                        range(first, closing(tokens, first))
                    }
                    _ => (start, end),
                };
                if let Some(msg) = escape(text, flags.is_byte_string(), field) {
                    let mut error =
                        SyntaxErrorInfo::at(source, ErrorKind::Syntax, place.0, place.1, msg);
                    if let Some(line) = error.text.as_mut().filter(|l| !l.ends_with('\n')) {
                        line.push('\n');
                    }
                    found.push(Warning {
                        category: Category::Deprecation,
                        error,
                    });
                }
            }
            _ => {}
        }
    }
    found
}

/// The end of the f-string that starts with token `first`.
fn closing(tokens: &[Token], first: usize) -> usize {
    let mut depth = 0;
    for (i, t) in tokens.iter().enumerate().skip(first) {
        match t.kind() {
            TokenKind::FStringStart => depth += 1,
            TokenKind::FStringEnd => {
                depth -= 1;
                if depth == 0 {
                    return i;
                }
            }
            _ => {}
        }
    }
    first
}

/// A number with a keyword right behind it.
fn number(source: &Source<'_>, start: usize, end: usize) -> Option<Warning> {
    let text = source.text();
    if !text.as_bytes().get(end)?.is_ascii_lowercase() {
        return None;
    }
    let digits = source.slice(start, end).to_ascii_lowercase();
    let kind = match digits.get(..2) {
        Some("0x") => "hexadecimal",
        Some("0o") => "octal",
        Some("0b") => "binary",
        _ if digits.ends_with('j') => "imaginary",
        _ => "decimal",
    };
    let mut error = SyntaxErrorInfo::at(
        source,
        ErrorKind::Syntax,
        end - 1,
        end - 1,
        format!("invalid {kind} literal"),
    );
    error.end_col = error.col;
    Some(Warning {
        category: Category::Syntax,
        error,
    })
}

/// The first escape of a literal that is none. `field`: a replacement field of an
/// f-string follows.
fn escape(text: &str, bytes: bool, field: bool) -> Option<String> {
    let b = text.as_bytes();
    let mut i = 0;
    while i < b.len() {
        if b[i] != b'\\' {
            i += 1;
            continue;
        }
        let Some(&c) = b.get(i + 1) else {
            return field.then(|| "invalid escape sequence '\\{'".to_owned());
        };
        i += 2;
        match c {
            b'\n' | b'\r' | b'\\' | b'\'' | b'"' | b'a' | b'b' | b'f' | b'n' | b'r' | b't'
            | b'v' | b'x' => {}
            b'N' | b'u' | b'U' if !bytes => {}
            b'0'..=b'7' => {
                let more = b[i..]
                    .iter()
                    .take(2)
                    .take_while(|d| matches!(d, b'0'..=b'7'))
                    .count();
                if more == 2 && c > b'3' {
                    let digits = &text[i - 1..i + 2];
                    return Some(format!("invalid octal escape sequence '\\{digits}'"));
                }
            }
            c if c.is_ascii() => {
                return Some(format!("invalid escape sequence '\\{}'", char::from(c)));
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mode, parse};

    fn said(text: &str) -> Vec<(String, u32)> {
        let source = Source::new(text);
        let tree = parse(&source, Mode::Exec).expect("a program");
        warnings(&source, &tree)
            .into_iter()
            .map(|w| (w.error.msg, w.error.line))
            .collect()
    }

    #[test]
    fn one_warning_for_each_literal() {
        let d = |line| (r"invalid escape sequence '\d'".to_owned(), line);
        assert_eq!(said(r"'\d\e'"), [d(1)]);
        assert_eq!(said("'a' \\\n '\\d'"), [d(2)]);
        assert_eq!(said("'''\n\n\\d'''"), [d(1)]);
        assert_eq!(said(r"rb'\d', r'\d', rf'\d{x}'"), []);
    }

    #[test]
    fn known_escapes_pass() {
        assert_eq!(said(r"'\x00\u0000\U00000000\N{DIGIT ONE}\377\\d\é'"), []);
        assert_eq!(said(r"b'\u'").len(), 1);
    }

    #[test]
    fn f_strings_warn_for_each_stretch() {
        assert_eq!(said(r"f'\d{x}\e'").len(), 2);
        assert_eq!(said(r"f'\{x}'")[0].0, r"invalid escape sequence '\{'");
        assert_eq!(said(r"f'\N{DIGIT ONE}{x}\n'"), []);
    }

    #[test]
    fn numbers_before_keywords() {
        let all = said("0b1and 2; 1jnot in x; 1.5in x; 0o7or 1");
        let kinds: Vec<&str> = all.iter().map(|w| w.0.as_str()).collect();
        assert_eq!(
            kinds,
            [
                "invalid binary literal",
                "invalid imaginary literal",
                "invalid decimal literal",
                "invalid octal literal"
            ]
        );
        assert_eq!(said("1 if x else 2"), []);
    }
}
