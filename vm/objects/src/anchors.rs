//! Where to put `~~^~~` under an expression in a traceback.
//!
//! A traceback knows the source range of the instruction that failed. If that
//! range is a binary operation or a subscript, the operator (or the brackets)
//! gets carets and the operands tildes: `a.b + c[0]` has its anchors around the
//! `+`. The text is known to be one whole expression, so tokens and operator
//! precedence suffice: the last operator of lowest precedence outside brackets
//! is the root.

/// Byte range of the operator, or of the brackets, at the root of `segment`;
/// `None` for any other kind of expression.
pub fn anchors(segment: &str) -> Option<(usize, usize)> {
    let tokens = tokenize(segment.as_bytes())?;
    let mut depth = 0usize;
    let mut operand = false;
    let mut prefix = false;
    let mut best: Option<(u8, usize)> = None;
    let mut first = true;
    for t in &tokens {
        let text = &segment[t.start..t.end];
        match t.kind {
            Kind::Open => {
                depth += 1;
                operand = false;
            }
            Kind::Close => {
                depth = depth.checked_sub(1)?;
                operand = true;
            }
            _ if depth > 0 => {}
            Kind::Word => {
                match text {
                    "and" | "or" | "not" | "in" | "is" | "if" | "else" | "lambda" | "yield"
                    | "for" | "async" => return None,
                    "await" => prefix |= first,
                    _ => {}
                }
                operand = text != "await";
            }
            Kind::Literal => operand = true,
            Kind::Op if text == "." => operand = false,
            Kind::Op => {
                if operand {
                    let p = precedence(text)?;
                    match best {
                        Some((b, _)) if p > b || p == b && p == POWER => {}
                        _ => best = Some((p, t.start)),
                    }
                } else if !matches!(text, "+" | "-" | "~") {
                    return None;
                } else {
                    prefix |= first;
                }
                operand = false;
            }
        }
        first = false;
    }
    if depth != 0 {
        return None;
    }
    match best {
        Some((POWER, _)) if prefix => None,
        Some((_, at)) => {
            let b = segment.as_bytes();
            let wide = b
                .get(at + 1)
                .is_some_and(|c| !matches!(c, b' ' | b'\t' | b'\x0c'))
                && tokens
                    .iter()
                    .find(|t| t.start == at)
                    .is_some_and(|t| t.end == at + 2 || b[at + 1] == b'(');
            Some((at, at + 1 + usize::from(wide)))
        }
        None if prefix => None,
        None => subscript(segment, &tokens),
    }
}

fn subscript(segment: &str, tokens: &[Token]) -> Option<(usize, usize)> {
    let last = tokens.last()?;
    if last.kind != Kind::Close || &segment[last.start..last.end] != "]" {
        return None;
    }
    let mut depth = 0;
    let open = tokens.iter().rposition(|t| {
        match t.kind {
            Kind::Close => depth += 1,
            Kind::Open => depth -= 1,
            _ => {}
        }
        depth == 0
    })?;
    let value = tokens.get(open.checked_sub(1)?)?;
    let inner = segment[..last.start].trim_end();
    // The value's end leaves out a closing parenthesis around it.
    Some((value.end, inner.len() + 1))
}

const POWER: u8 = 8;

fn precedence(op: &str) -> Option<u8> {
    Some(match op {
        "|" => 1,
        "^" => 2,
        "&" => 3,
        "<<" | ">>" => 4,
        "+" | "-" => 5,
        "*" | "/" | "//" | "%" | "@" => 6,
        "**" => POWER,
        _ => return None,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Open,
    Close,
    Word,
    Literal,
    Op,
}

struct Token {
    kind: Kind,
    start: usize,
    end: usize,
}

fn tokenize(b: &[u8]) -> Option<Vec<Token>> {
    let mut out = Vec::new();
    let mut i = 0;
    while i < b.len() {
        let start = i;
        let kind = match b[i] {
            b' ' | b'\t' | b'\x0c' | b'\n' | b'\\' => {
                i += 1;
                continue;
            }
            b'#' => return Some(out),
            b'(' | b'[' | b'{' => {
                i += 1;
                Kind::Open
            }
            b')' | b']' | b'}' => {
                i += 1;
                Kind::Close
            }
            b'"' | b'\'' => {
                i = string_end(b, i)?;
                Kind::Literal
            }
            c if c.is_ascii_digit()
                || c == b'.' && b.get(i + 1).is_some_and(u8::is_ascii_digit) =>
            {
                while i < b.len() && (b[i].is_ascii_alphanumeric() || matches!(b[i], b'.' | b'_')) {
                    let exponent = matches!(b[i], b'e' | b'E') && !b[start..].starts_with(b"0x");
                    i += 1;
                    if exponent && matches!(b.get(i), Some(b'+' | b'-')) {
                        i += 1;
                    }
                }
                Kind::Literal
            }
            c if c.is_ascii_alphabetic() || c == b'_' || c >= 0x80 => {
                while i < b.len() && (b[i].is_ascii_alphanumeric() || b[i] == b'_' || b[i] >= 0x80)
                {
                    i += 1;
                }
                if matches!(b.get(i), Some(b'"' | b'\'')) && i - start <= 2 {
                    i = string_end(b, i)?;
                    Kind::Literal
                } else {
                    Kind::Word
                }
            }
            _ => {
                let two = b.get(i..i + 2).unwrap_or_default();
                i += match two {
                    b"**" | b"//" | b"<<" | b">>" | b"==" | b"!=" | b"<=" | b">=" | b":="
                    | b"->" => 2,
                    _ => 1,
                };
                Kind::Op
            }
        };
        out.push(Token {
            kind,
            start,
            end: i,
        });
    }
    Some(out)
}

/// Index behind the string literal whose quote is at `i`.
fn string_end(b: &[u8], i: usize) -> Option<usize> {
    let q = b[i];
    let triple = b[i..].starts_with(&[q, q, q]);
    let mut j = i + if triple { 3 } else { 1 };
    while j < b.len() {
        if b[j] == b'\\' {
            j += 2;
        } else if triple && b[j..].starts_with(&[q, q, q]) {
            return Some(j + 3);
        } else if !triple && b[j] == q {
            return Some(j + 1);
        } else {
            j += 1;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::anchors;

    fn marked(s: &str) -> Option<&str> {
        anchors(s).map(|(a, b)| &s[a..b])
    }

    #[test]
    fn operator_of_lowest_precedence_is_the_root() {
        assert_eq!(anchors("a + b * c"), Some((2, 3)));
        assert_eq!(anchors("a - b - c"), Some((6, 7)));
        assert_eq!(anchors("a ** b ** c"), Some((2, 4)));
        assert_eq!(marked("x[1 + 2] // f(3 - 1)"), Some("//"));
        assert_eq!(marked("-a * b"), Some("*"));
    }

    #[test]
    fn subscripts_mark_their_brackets() {
        assert_eq!(marked("a.b['x + y']"), Some("['x + y']"));
        assert_eq!(marked("a[0][k]"), Some("[k]"));
    }

    #[test]
    fn other_expressions_have_no_anchors() {
        for s in [
            "f(a + b)",
            "a.b",
            "-a ** b",
            "a + b < c",
            "not a + b",
            "[1, 2]",
            "a if b + c else d",
        ] {
            assert_eq!(anchors(s), None, "{s}");
        }
    }
}
