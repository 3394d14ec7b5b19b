//! What CPython says about the inside of a refused string literal: bad escapes in
//! plain ones, bad replacement fields in f-strings.
//!
//! 3.11 reads an f-string's text after its token: fields are cut out by counting
//! brackets and quotes, and each is parsed on its own as if in parentheses.

use crate::diagnose::diagnose;
use crate::{Mode, Source};
use ruff_python_ast::PythonVersion;
use ruff_python_parser::{Mode as RuffMode, ParseOptions, parse_unchecked};

/// What is wrong with the escapes of a literal's body.
pub(crate) fn escape_error(body: &str, bytes: bool) -> Option<String> {
    let b = body.as_bytes();
    let mut i = 0;
    while i < b.len() {
        if b[i] != b'\\' {
            if bytes && !b[i].is_ascii() {
                return Some("bytes can only contain ASCII literal characters".into());
            }
            i += 1;
            continue;
        }
        let want = match b.get(i + 1) {
            Some(b'x') => 2,
            Some(b'u') if !bytes => 4,
            Some(b'U') if !bytes => 8,
            _ => 0,
        };
        let digits = b[(i + 2).min(b.len())..]
            .iter()
            .take(want)
            .take_while(|c| c.is_ascii_hexdigit())
            .count();
        let decode = |what: &str, last: usize| {
            Some(format!(
                "(unicode error) 'unicodeescape' codec can't decode bytes in position {i}-{last}: {what}"
            ))
        };
        if want > 0 && digits < want {
            if bytes {
                return Some(format!("(value error) invalid \\x escape at position {i}"));
            }
            let what = match want {
                2 => "truncated \\xXX escape",
                4 => "truncated \\uXXXX escape",
                _ => "truncated \\UXXXXXXXX escape",
            };
            return decode(what, i + 1 + digits);
        }
        if want == 8 {
            let code = u32::from_str_radix(&body[i + 2..i + 10], 16).unwrap_or(0);
            if code > 0x10_FFFF {
                return decode("illegal Unicode character", i + 9);
            }
        }
        if b.get(i + 1) == Some(&b'N') && !bytes {
            return match (b.get(i + 2), body[i..].find('}')) {
                (Some(b'{'), Some(close)) => decode("unknown Unicode character name", i + close),
                _ => decode("malformed \\N character escape", i + 1),
            };
        }
        i += 2;
    }
    None
}

/// What CPython's f-string parser says about a literal's body.
pub(crate) fn fstring_error(body: &str) -> Option<String> {
    let b = body.as_bytes();
    let mut i = 0;
    while i < b.len() {
        let doubled = b.get(i + 1) == Some(&b[i]);
        match b[i] {
            b'{' | b'}' if doubled => i += 2,
            b'}' => return Some("single '}' is not allowed".into()),
            b'{' => match field(body, i + 1, 0) {
                Ok(next) => i = next,
                Err(msg) => return Some(msg),
            },
            _ => i += 1,
        }
    }
    None
}

/// Reads a replacement field behind its `{`; the offset behind its `}`.
fn field(body: &str, from: usize, depth: usize) -> Result<usize, String> {
    let b = body.as_bytes();
    let mut i = from;
    let mut open: Vec<u8> = Vec::new();
    let mut quote: Option<(u8, usize)> = None;
    while i < b.len() {
        let c = b[i];
        if c == b'\\' {
            return Err("expression part cannot include a backslash".into());
        }
        if let Some((q, n)) = quote {
            if c == q && (n == 1 || b[i..].starts_with(&[q; 3])) {
                i += n;
                quote = None;
            } else {
                i += 1;
            }
            continue;
        }
        match c {
            b'"' | b'\'' => {
                let n = if b[i..].starts_with(&[c; 3]) { 3 } else { 1 };
                quote = Some((c, n));
                i += n;
                continue;
            }
            b'(' | b'[' | b'{' => {
                if open.len() >= 200 {
                    return Err("too many nested parenthesis".into());
                }
                open.push(c);
            }
            b'#' => return Err("expression part cannot include '#'".into()),
            b'!' | b'=' | b'<' | b'>' if open.is_empty() => {
                if b.get(i + 1) == Some(&b'=') {
                    i += 2;
                    continue;
                }
                if matches!(c, b'<' | b'>') {
                    i += 1;
                    continue;
                }
                break;
            }
            b':' | b'}' if open.is_empty() => break,
            b')' | b']' | b'}' => {
                let Some(o) = open.pop() else {
                    return Err(format!("unmatched '{}'", char::from(c)));
                };
                if !matches!((o, c), (b'(', b')') | (b'[', b']') | (b'{', b'}')) {
                    return Err(format!(
                        "closing parenthesis '{}' does not match opening parenthesis '{}'",
                        char::from(c),
                        char::from(o)
                    ));
                }
            }
            _ => {}
        }
        i += 1;
    }
    if quote.is_some() {
        return Err("unterminated string".into());
    }
    if let Some(&o) = open.last() {
        return Err(format!("unmatched '{}'", char::from(o)));
    }
    if i >= b.len() {
        return Err("expecting '}'".into());
    }
    let expr = &body[from..i];
    if expr.trim().is_empty() {
        return Err("empty expression not allowed".into());
    }
    if let Some(msg) = field_expression(expr) {
        return Err(msg);
    }
    if b[i] == b'=' {
        i += 1;
        while b.get(i).is_some_and(u8::is_ascii_whitespace) {
            i += 1;
        }
    }
    if b.get(i) == Some(&b'!') {
        i += 1;
        if i >= b.len() {
            return Err("expecting '}'".into());
        }
        if !matches!(b[i], b's' | b'r' | b'a') {
            return Err("invalid conversion character: expected 's', 'r', or 'a'".into());
        }
        i += 1;
    }
    if b.get(i) == Some(&b':') {
        i += 1;
        while i < b.len() && b[i] != b'}' {
            if b[i] == b'{' {
                if depth >= 1 {
                    return Err("expressions nested too deeply".into());
                }
                i = field(body, i + 1, depth + 1)?;
            } else {
                i += 1;
            }
        }
    }
    if b.get(i) != Some(&b'}') {
        return Err("expecting '}'".into());
    }
    Ok(i + 1)
}

/// What is wrong with a field's expression, read as if in parentheses.
fn field_expression(expr: &str) -> Option<String> {
    let text = format!("({expr})");
    let source = Source::new(&text);
    let options =
        ParseOptions::from(RuffMode::Expression).with_target_version(PythonVersion::PY311);
    let parsed = parse_unchecked(&text, options);
    if parsed.errors().is_empty() {
        return None;
    }
    Some(diagnose(&source, &parsed, Mode::Eval).msg)
}
