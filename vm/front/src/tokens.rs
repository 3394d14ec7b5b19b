//! A tokenizer that fails as CPython's does.
//!
//! It runs only on text that the parser refused. Its tokens are coarse (a name, a
//! number, a string, an operator); what matters is the first error and the
//! brackets open at each token. Columns of its errors point at the last character
//! read, as CPython's do.

use crate::{ErrorKind, Source, SyntaxErrorInfo};

/// Deepest nesting of brackets and of indentation that CPython takes.
pub(crate) const MAX_BRACKETS: usize = 200;
pub(crate) const MAX_INDENTS: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Name,
    Number,
    Str,
    Op,
    Newline,
    Indent,
    Dedent,
    End,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Brackets open before the token.
    pub(crate) depth: usize,
}

pub(crate) struct Tokens {
    pub(crate) list: Vec<Token>,
    pub(crate) error: Option<SyntaxErrorInfo>,
    /// Brackets still open where the text or the tokens end: byte and offset.
    pub(crate) open: Vec<(u8, usize)>,
}

pub(crate) fn tokenize(source: &Source<'_>) -> Tokens {
    let mut t = Tokenizer {
        source,
        text: source.text(),
        bytes: source.text().as_bytes(),
        at: 0,
        list: Vec::new(),
        open: Vec::new(),
        indents: vec![(0, 0)],
    };
    let error = t.run().err();
    Tokens {
        list: t.list,
        error,
        open: t.open,
    }
}

struct Tokenizer<'a> {
    source: &'a Source<'a>,
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    list: Vec<Token>,
    open: Vec<(u8, usize)>,
    /// Width of each open indentation with tabs as 8 and as 1.
    indents: Vec<(usize, usize)>,
}

type Res<T = ()> = Result<T, SyntaxErrorInfo>;

impl Tokenizer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// An error at the last character read.
    fn fail<T>(&self, msg: impl Into<String>) -> Res<T> {
        self.fail_kind(ErrorKind::Syntax, msg)
    }

    fn fail_kind<T>(&self, kind: ErrorKind, msg: impl Into<String>) -> Res<T> {
        let mut e = SyntaxErrorInfo::at(self.source, kind, self.at, self.at, msg);
        e.col = e.col.saturating_sub(1);
        e.end_col = e.col;
        Err(e)
    }

    /// The text ends behind the backslash at `at`; a bracket left open explains more.
    fn ends_too_early<T>(&self, at: usize) -> Res<T> {
        let (at, msg) = match self.open.last() {
            Some(&(c, from)) => (from, format!("'{}' was never closed", char::from(c))),
            None => (at + 1, "unexpected EOF while parsing".to_owned()),
        };
        let kind = ErrorKind::Syntax;
        Err(SyntaxErrorInfo::at(self.source, kind, at, at, msg))
    }

    fn push(&mut self, kind: Kind, start: usize) {
        self.list.push(Token {
            kind,
            start,
            end: self.at,
            depth: self.open.len(),
        });
    }

    fn run(&mut self) -> Res {
        let mut line_start = true;
        loop {
            if line_start && self.open.is_empty() {
                if !self.indentation()? {
                    break;
                }
                line_start = false;
            }
            while matches!(self.peek(0), b' ' | b'\t' | b'\x0c') {
                self.at += 1;
            }
            let start = self.at;
            let Some(&c) = self.bytes.get(start) else {
                break;
            };
            match c {
                b'#' => self.skip_comment(),
                b'\n' | b'\r' => {
                    self.newline();
                    if self.open.is_empty() {
                        self.list.push(Token {
                            kind: Kind::Newline,
                            start,
                            end: start + 1,
                            depth: 0,
                        });
                        line_start = true;
                    }
                }
                b'\\' => {
                    self.at += 1;
                    if matches!(self.peek(0), b'\n' | b'\r') {
                        self.newline();
                        if self.at >= self.bytes.len() {
                            return self.ends_too_early(start);
                        }
                    } else if self.at >= self.bytes.len() {
                        return self.ends_too_early(start);
                    } else {
                        self.at += 1;
                        while !self.text.is_char_boundary(self.at) {
                            self.at += 1;
                        }
                        return self.fail("unexpected character after line continuation character");
                    }
                }
                b'"' | b'\'' => self.string(start)?,
                b'0'..=b'9' => {
                    self.number()?;
                    self.push(Kind::Number, start);
                }
                b'.' if self.peek(1).is_ascii_digit() => {
                    self.number()?;
                    self.push(Kind::Number, start);
                }
                b'_' | b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => self.name(start)?,
                _ => self.operator(c)?,
            }
        }
        let end = self.bytes.len();
        self.at = end;
        if self.list.last().is_some_and(|t| t.kind != Kind::Newline) && self.open.is_empty() {
            self.push(Kind::Newline, end);
        }
        while self.indents.len() > 1 {
            self.indents.pop();
            self.push(Kind::Dedent, end);
        }
        self.push(Kind::End, end);
        Ok(())
    }

    fn skip_comment(&mut self) {
        while self.at < self.bytes.len() && !matches!(self.peek(0), b'\n' | b'\r') {
            self.at += 1;
        }
    }

    fn newline(&mut self) {
        self.at += if self.bytes[self.at..].starts_with(b"\r\n") {
            2
        } else {
            1
        };
    }

    /// Reads the indentation of the next line that has a token; false at the end.
    fn indentation(&mut self) -> Res<bool> {
        loop {
            let (mut col, mut alt) = (0, 0);
            loop {
                match self.peek(0) {
                    b' ' => {
                        col += 1;
                        alt += 1;
                    }
                    b'\t' => {
                        col = (col / 8 + 1) * 8;
                        alt += 1;
                    }
                    b'\x0c' => (col, alt) = (0, 0),
                    _ => break,
                }
                self.at += 1;
            }
            if self.at >= self.bytes.len() {
                return Ok(false);
            }
            if self.peek(0) == b'#' {
                self.skip_comment();
            }
            if matches!(self.peek(0), b'\n' | b'\r') && self.at < self.bytes.len() {
                self.newline();
                continue;
            }
            if self.at >= self.bytes.len() {
                return Ok(false);
            }
            let &(top, top_alt) = self.indents.last().expect("the outermost level stays");
            let tabs = |me: &Self| {
                me.fail_kind::<bool>(
                    ErrorKind::Tab,
                    "inconsistent use of tabs and spaces in indentation",
                )
                .map_err(at_line_start)
            };
            if col == top {
                if alt != top_alt {
                    return tabs(self);
                }
            } else if col > top {
                if alt <= top_alt {
                    return tabs(self);
                }
                if self.indents.len() >= MAX_INDENTS {
                    return self
                        .fail_kind(ErrorKind::Indentation, "too many levels of indentation")
                        .map_err(at_line_start);
                }
                self.indents.push((col, alt));
                self.push(Kind::Indent, self.at);
            } else {
                while self.indents.last().is_some_and(|i| i.0 > col) {
                    self.indents.pop();
                    self.push(Kind::Dedent, self.at);
                }
                let &(top, top_alt) = self.indents.last().expect("the outermost level stays");
                if top != col {
                    let line = self.source.position(self.at).0;
                    let end = self.source.line_start(line + 1);
                    let mut e = SyntaxErrorInfo::at(
                        self.source,
                        ErrorKind::Indentation,
                        end.saturating_sub(1).max(self.at),
                        end,
                        "unindent does not match any outer indentation level",
                    );
                    if !self.text.ends_with(['\n', '\r']) && end == self.text.len() {
                        // CPython sees a line end there.
                        e.col += 1;
                    }
                    e.line = line;
                    e.end_line = line;
                    return Err(e);
                }
                if top_alt != alt {
                    return tabs(self);
                }
            }
            return Ok(true);
        }
    }

    fn name(&mut self, start: usize) -> Res {
        while let Some(c) = self.text[self.at..].chars().next() {
            let fits = c == '_' || c.is_alphanumeric() || !c.is_ascii() && is_mark(c);
            if !fits {
                if c.is_ascii() {
                    break;
                }
                let mut e = SyntaxErrorInfo::at(
                    self.source,
                    ErrorKind::Syntax,
                    self.at,
                    self.at + c.len_utf8(),
                    if c.is_control() || is_unprintable(c) {
                        format!("invalid non-printable character U+{:04X}", u32::from(c))
                    } else {
                        format!("invalid character '{c}' (U+{:04X})", u32::from(c))
                    },
                );
                e.end_col = e.col;
                return Err(e);
            }
            self.at += c.len_utf8();
        }
        let word = &self.text[start..self.at];
        let is_prefix = word.len() <= 2
            && matches!(
                word.to_ascii_lowercase().as_str(),
                "r" | "b" | "u" | "f" | "br" | "rb" | "fr" | "rf"
            );
        if is_prefix && matches!(self.peek(0), b'"' | b'\'') {
            return self.string(start);
        }
        self.push(Kind::Name, start);
        Ok(())
    }

    fn string(&mut self, start: usize) -> Res {
        let quote = self.peek(0);
        let triple = self.peek(1) == quote && self.peek(2) == quote;
        if !triple && self.peek(1) == quote {
            self.at += 2;
            self.push(Kind::Str, start);
            return Ok(());
        }
        self.at += if triple { 3 } else { 1 };
        loop {
            let done = self.at >= self.bytes.len();
            if done || !triple && matches!(self.peek(0), b'\n' | b'\r') {
                let mut last = self.source.position(self.at.min(self.bytes.len())).0;
                if triple && self.bytes.last() == Some(&b'\n') {
                    last -= 1;
                }
                let what = if triple {
                    "unterminated triple-quoted string literal"
                } else {
                    "unterminated string literal"
                };
                return Err(SyntaxErrorInfo::at(
                    self.source,
                    ErrorKind::Syntax,
                    start,
                    start,
                    format!("{what} (detected at line {last})"),
                ));
            }
            if self.peek(0) == b'\\' {
                self.at += 1;
                if self.bytes[self.at..].starts_with(b"\r\n") {
                    self.at += 1;
                }
                self.at += 1;
                self.at = self.at.min(self.bytes.len());
                while !self.text.is_char_boundary(self.at) {
                    self.at += 1;
                }
                continue;
            }
            let ends = self.peek(0) == quote
                && (!triple || self.peek(1) == quote && self.peek(2) == quote);
            if ends {
                self.at += if triple { 3 } else { 1 };
                self.push(Kind::Str, start);
                return Ok(());
            }
            self.at += 1;
        }
    }

    fn operator(&mut self, c: u8) -> Res {
        let start = self.at;
        if matches!(c, b'(' | b'[' | b'{') {
            self.at += 1;
            if self.open.len() >= MAX_BRACKETS {
                return self.fail("too many nested parentheses");
            }
            self.push(Kind::Op, start);
            self.open.push((c, start));
            return Ok(());
        }
        if matches!(c, b')' | b']' | b'}') {
            self.at += 1;
            let shown = char::from(c);
            let Some((o, from)) = self.open.pop() else {
                return self.fail(format!("unmatched '{shown}'"));
            };
            if !matches!((o, c), (b'(', b')') | (b'[', b']') | (b'{', b'}')) {
                let opened = self.source.position(from).0;
                let place = if opened == self.source.position(start).0 {
                    String::new()
                } else {
                    format!(" on line {opened}")
                };
                return self.fail(format!(
                    "closing parenthesis '{shown}' does not match opening parenthesis '{}'{place}",
                    char::from(o)
                ));
            }
            self.push(Kind::Op, start);
            return Ok(());
        }
        if c < b' ' || c == 0x7f {
            self.at += 1;
            return self.fail(format!("invalid non-printable character U+{c:04X}"));
        }
        const LONG: [&str; 26] = [
            "**=", "//=", ">>=", "<<=", "...", "!=", "->", ":=", "==", "<=", ">=", "<<", ">>",
            "**", "//", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "@=", "<>", "=",
        ];
        let rest = &self.text[start..];
        let long = LONG.iter().find(|o| rest.starts_with(**o));
        self.at += long.map_or(1, |o| o.len());
        self.push(Kind::Op, start);
        Ok(())
    }

    // --- numbers -----------------------------------------------------------------

    fn number(&mut self) -> Res {
        let c = self.peek(0);
        if c == b'0' {
            let (radix, name) = match self.peek(1) {
                b'x' | b'X' => (16, "hexadecimal"),
                b'o' | b'O' => (8, "octal"),
                b'b' | b'B' => (2, "binary"),
                _ => (10, "decimal"),
            };
            if radix != 10 {
                self.at += 2;
                return self.radix_digits(radix, name);
            }
            return self.zero();
        }
        if c != b'.' {
            self.digits()?;
        }
        self.fraction()
    }

    fn radix_digits(&mut self, radix: u32, name: &str) -> Res {
        loop {
            if self.peek(0) == b'_' {
                self.at += 1;
            }
            let c = char::from(self.peek(0));
            if !c.is_digit(radix) {
                self.at += 1;
                if c.is_ascii_digit() {
                    return self.fail(format!("invalid digit '{c}' in {name} literal"));
                }
                self.at -= 1;
                return self.fail(format!("invalid {name} literal"));
            }
            while char::from(self.peek(0)).is_digit(radix) {
                self.at += 1;
            }
            if self.peek(0) != b'_' {
                break;
            }
        }
        let c = char::from(self.peek(0));
        if c.is_ascii_digit() {
            self.at += 1;
            return self.fail(format!("invalid digit '{c}' in {name} literal"));
        }
        self.end_of_number(name)
    }

    fn zero(&mut self) -> Res {
        let start = self.at;
        let mut nonzero = false;
        loop {
            if self.peek(0) == b'_' {
                self.at += 1;
                if !self.peek(0).is_ascii_digit() {
                    return self.fail("invalid decimal literal");
                }
            }
            if self.peek(0) != b'0' {
                break;
            }
            self.at += 1;
        }
        if self.peek(0).is_ascii_digit() {
            nonzero = true;
            self.digits()?;
        }
        if matches!(self.peek(0), b'.' | b'e' | b'E' | b'j' | b'J') {
            return self.fraction();
        }
        if nonzero {
            let mut e = SyntaxErrorInfo::at(
                self.source,
                ErrorKind::Syntax,
                start,
                self.at,
                "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers",
            );
            e.end_col = e.col;
            return Err(e);
        }
        self.end_of_number("decimal")
    }

    fn digits(&mut self) -> Res {
        loop {
            while self.peek(0).is_ascii_digit() {
                self.at += 1;
            }
            if self.peek(0) != b'_' {
                return Ok(());
            }
            self.at += 1;
            if !self.peek(0).is_ascii_digit() {
                return self.fail("invalid decimal literal");
            }
        }
    }

    fn fraction(&mut self) -> Res {
        let mut float = false;
        if self.peek(0) == b'.' {
            float = true;
            self.at += 1;
            if self.peek(0).is_ascii_digit() {
                self.digits()?;
            }
        }
        if matches!(self.peek(0), b'e' | b'E') {
            let sign = usize::from(matches!(self.peek(1), b'+' | b'-'));
            if self.peek(1 + sign).is_ascii_digit() {
                self.at += 1 + sign;
                self.digits()?;
            } else if sign == 1 {
                self.at += 2;
                return self.fail("invalid decimal literal");
            } else {
                return self.end_of_number("decimal");
            }
        }
        if matches!(self.peek(0), b'j' | b'J') {
            self.at += 1;
            return self.end_of_number("imaginary");
        }
        let _ = float;
        self.end_of_number("decimal")
    }

    /// A number may be followed by a keyword that can follow it, by nothing else
    /// that could go on a name.
    fn end_of_number(&mut self, kind: &str) -> Res {
        let rest = &self.text[self.at..];
        let Some(c) = rest.chars().next() else {
            return Ok(());
        };
        let word: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
        let prefix = |k: &str| rest.starts_with(k);
        let keyword = match c {
            'a' => prefix("and"),
            'e' => prefix("else"),
            'f' => prefix("for"),
            'i' => matches!(rest.as_bytes().get(1), Some(b'f' | b'n' | b's')),
            'n' => prefix("not"),
            'o' => prefix("or"),
            _ => false,
        };
        if keyword && !word.is_empty() {
            return Ok(());
        }
        if c == '_' || c.is_alphanumeric() {
            return self.fail(format!("invalid {kind} literal"));
        }
        Ok(())
    }
}

fn is_mark(c: char) -> bool {
    matches!(u32::from(c), 0x300..=0x36F | 0xB7 | 0x203F..=0x2040 | 0x20D0..=0x20DC)
}

fn is_unprintable(c: char) -> bool {
    matches!(u32::from(c), 0xA0 | 0xAD | 0x2000..=0x200F | 0x2028..=0x202F | 0x205F..=0x206F | 0x3000 | 0xFEFF)
}

/// Errors of indentation have no column of their own.
fn at_line_start(mut e: SyntaxErrorInfo) -> SyntaxErrorInfo {
    e.col = 1;
    e.end_col = 1;
    e
}
