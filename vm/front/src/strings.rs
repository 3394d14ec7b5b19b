//! What CPython says about the inside of a refused string literal: bad escapes in
//! plain ones, bad replacement fields in f-strings.
//!
//! 3.11 reads an f-string's text after its token: fields are cut out by counting
//! brackets and quotes, and each is parsed on its own as if in parentheses.

use crate::diagnose::diagnose_nested;
use crate::tokens::tokenize;
use crate::{Mode, Source, SyntaxErrorInfo};
use ruff_python_ast::PythonVersion;
use ruff_python_parser::{Mode as RuffMode, ParseOptions, parse_unchecked};

/// What is wrong with the escapes of a literal's body, whose parser refused something.
pub(crate) fn escape_error(body: &str, bytes: bool) -> Option<String> {
    escape_error_with(body, bytes, false)
}

/// `names_exist`: no name in `\N{name}` is wrong.
fn escape_error_with(body: &str, bytes: bool, names_exist: bool) -> Option<String> {
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
            const MALFORMED: &str = "malformed \\N character escape";
            let close = body[i..].find('}');
            if let Some(close) = close.filter(|&c| names_exist && c > 3 && b[i + 2] == b'{') {
                i += close + 1;
                continue;
            }
            return match (b.get(i + 2), close) {
                (Some(b'{'), Some(3)) => decode(MALFORMED, i + 2),
                (Some(b'{'), Some(close)) => decode("unknown Unicode character name", i + close),
                (Some(b'{'), None) => decode(MALFORMED, b.len() - 1),
                _ => decode(MALFORMED, i + 1),
            };
        }
        i += 2;
    }
    None
}

/// What is wrong with an f-string's body.
pub(crate) enum FstringError {
    /// A text about the string as a whole.
    Whole(String),
    /// A field's expression is refused. CPython parses it as a text of its own, in
    /// parentheses: this is that text's error, and how many lines of the body are in
    /// front of it.
    Field { lines: u32, error: SyntaxErrorInfo },
}

impl From<String> for FstringError {
    fn from(text: String) -> FstringError {
        FstringError::Whole(format!("f-string: {text}"))
    }
}

impl From<&str> for FstringError {
    fn from(text: &str) -> FstringError {
        text.to_owned().into()
    }
}

/// What CPython's f-string parser says about a literal's body.
pub(crate) fn fstring_error(body: &str, raw: bool) -> Option<FstringError> {
    let b = body.as_bytes();
    let mut i = 0;
    let mut literal = 0;
    // The escapes of what stands between two fields are read when it ends.
    let escapes = |from: usize, to: usize| {
        (!raw)
            .then(|| escape_error_with(&body[from..to], false, true))
            .flatten()
            .map(FstringError::Whole)
    };
    while i < b.len() {
        let doubled = b.get(i + 1) == Some(&b[i]);
        match b[i] {
            b'\\' if !raw && b[i + 1..].starts_with(b"N{") => {
                let name = body[i..].find('}');
                i = name.map_or(b.len(), |n| i + n + 1);
            }
            b'\\' if !raw && !matches!(b.get(i + 1), Some(b'{' | b'}')) => i += 2,
            b'{' | b'}' if doubled => i += 2,
            b'}' => return Some("single '}' is not allowed".into()),
            b'{' => {
                if let Some(e) = escapes(literal, i) {
                    return Some(e);
                }
                match field(body, i + 1, 0) {
                    Ok(next) => i = next,
                    Err(e) => return Some(e),
                }
                literal = i;
            }
            _ => i += 1,
        }
    }
    escapes(literal, b.len())
}

/// Reads a replacement field behind its `{`; the offset behind its `}`.
fn field(body: &str, from: usize, depth: usize) -> Result<usize, FstringError> {
    let b = body.as_bytes();
    let mut i = from;
    let mut open: Vec<u8> = Vec::new();
    let mut quote: Option<(u8, usize)> = None;
    while i < b.len() {
        let c = b[i];
        if c == b'\\' {
            return Err(part("a backslash"));
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
            b'#' => return Err(part("'#'")),
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
                    return Err(format!("unmatched '{}'", char::from(c)).into());
                };
                if !matches!((o, c), (b'(', b')') | (b'[', b']') | (b'{', b'}')) {
                    return Err(format!(
                        "closing parenthesis '{}' does not match opening parenthesis '{}'",
                        char::from(c),
                        char::from(o)
                    )
                    .into());
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
        return Err(format!("unmatched '{}'", char::from(o)).into());
    }
    if i >= b.len() {
        return Err("expecting '}'".into());
    }
    let expr = &body[from..i];
    if expr
        .trim_matches([' ', '\t', '\n', '\x0c', '\r'])
        .is_empty()
    {
        return Err(match b[i] {
            b'}' => "empty expression not allowed".into(),
            c => format!("expression required before '{}'", char::from(c)).into(),
        });
    }
    if let Some(error) = field_expression(expr) {
        let lines = body[..from].matches('\n').count() as u32;
        return Err(FstringError::Field { lines, error });
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

fn part(what: &str) -> FstringError {
    FstringError::Whole(format!("f-string expression part cannot include {what}"))
}

/// What is wrong with a field's expression, read as if in parentheses.
fn field_expression(expr: &str) -> Option<SyntaxErrorInfo> {
    let text = format!("({expr})");
    let source = Source::new(&text);
    let options =
        ParseOptions::from(RuffMode::Expression).with_target_version(PythonVersion::PY311);
    let parsed = parse_unchecked(&text, options);
    if parsed.errors().is_empty() {
        return None;
    }
    // The tokenizer does not say where it is, and an inner field has said it.
    if let Some(e) = tokenize(&source).error {
        return Some(e);
    }
    let (mut e, inner) = diagnose_nested(&source, &parsed, Mode::Eval);
    if !inner {
        e.msg = format!("f-string: {}", e.msg);
        if let Some(t) = e.text.as_mut().filter(|t| !t.ends_with('\n')) {
            t.push('\n');
        }
    }
    Some(e)
}
