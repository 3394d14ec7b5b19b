//! Source bytes to text: byte order mark and PEP 263 coding lines.

use crate::{ErrorKind, SyntaxErrorInfo};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Decodes a source file, as CPython does before it parses.
///
/// UTF-8 (also by a coding line or byte order mark), ASCII and the Latin
/// codings 1 and 15 are known here; for others `by_name` gets the coding's name and
/// the bytes, and answers with the text or with what went wrong.
///
/// # Errors
/// Bytes that do not fit the coding, a coding that `by_name` refuses, and a coding
/// line that contradicts the byte order mark.
pub fn decode(
    bytes: &[u8],
    by_name: &mut dyn FnMut(&str, &[u8]) -> Result<String, String>,
) -> Result<String, SyntaxErrorInfo> {
    let (body, has_bom) = match bytes.strip_prefix(BOM) {
        Some(rest) => (rest, true),
        None => (bytes, false),
    };
    let declared = coding(body);
    let name = declared.as_deref().unwrap_or("utf-8");
    let normal = normalized(name);
    if has_bom && normal != "utf-8" {
        let name = if normal == "iso-8859-1" {
            &normal
        } else {
            name
        };
        return Err(SyntaxErrorInfo::bare(
            ErrorKind::Syntax,
            format!("encoding problem: {name} with BOM"),
        ));
    }
    match normal.as_str() {
        "utf-8" | "utf8" | "u8" => match std::str::from_utf8(body) {
            Ok(text) => Ok(text.to_owned()),
            Err(e) => {
                let at = e.valid_up_to();
                let line = body[..at].iter().filter(|&&b| b == b'\n').count() as u32 + 1;
                let mut error = SyntaxErrorInfo::bare(
                    ErrorKind::Syntax,
                    if declared.is_some() {
                        format!(
                            "'utf-8' codec can't decode byte 0x{:02x} in position {at}: invalid start byte",
                            body[at]
                        )
                    } else {
                        format!(
                            "Non-UTF-8 code starting with '\\x{:02x}' in file on line {line}, but no encoding declared; see https://peps.python.org/pep-0263/ for details",
                            body[at]
                        )
                    },
                );
                error.line = line;
                Err(error)
            }
        },
        "iso-8859-1" => Ok(body.iter().map(|&b| char::from(b)).collect()),
        "iso-8859-15" => Ok(body.iter().map(|&b| latin_9(b)).collect()),
        "ascii" => match body.iter().position(|b| !b.is_ascii()) {
            None => Ok(String::from_utf8_lossy(body).into_owned()),
            Some(at) => Err(SyntaxErrorInfo::bare(
                ErrorKind::Syntax,
                format!(
                    "'ascii' codec can't decode byte 0x{:02x} in position {at}: ordinal not in range(128)",
                    body[at]
                ),
            )),
        },
        _ => by_name(name, body).map_err(|why| SyntaxErrorInfo::bare(ErrorKind::Syntax, why)),
    }
}

/// The coding that one of the first two lines names, as written there.
pub fn coding(bytes: &[u8]) -> Option<String> {
    let mut lines = bytes
        .split(|&b| b == b'\n' || b == b'\r')
        .filter(|l| !l.is_empty());
    for line in lines.by_ref().take(2) {
        let start = line
            .iter()
            .position(|b| !matches!(b, b' ' | b'\t' | b'\x0c'));
        let Some(start) = start else { continue };
        if line[start] != b'#' {
            return None;
        }
        if let Some(name) = coding_in_comment(&line[start..]) {
            return Some(name);
        }
    }
    None
}

/// What follows `coding:` or `coding=` in a comment.
fn coding_in_comment(line: &[u8]) -> Option<String> {
    let word = b"coding";
    for i in 0..line.len().saturating_sub(word.len()) {
        if &line[i..i + word.len()] != word || !matches!(line[i + word.len()], b':' | b'=') {
            continue;
        }
        let rest = &line[i + word.len() + 1..];
        let name: Vec<u8> = rest
            .iter()
            .copied()
            .skip_while(|b| matches!(b, b' ' | b'\t'))
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
            .collect();
        if !name.is_empty() {
            return String::from_utf8(name).ok();
        }
    }
    None
}

fn normalized(name: &str) -> String {
    let lower = name.to_ascii_lowercase().replace('_', "-");
    let starts = |p: &str| lower == p || lower.starts_with(&format!("{p}-"));
    if starts("utf-8") {
        "utf-8".into()
    } else if starts("latin-1")
        || starts("iso-8859-1")
        || starts("iso-latin-1")
        || lower == "latin1"
    {
        "iso-8859-1".into()
    } else if lower == "iso-8859-15" || lower == "iso8859-15" || lower == "latin-9" {
        "iso-8859-15".into()
    } else if lower == "us-ascii" || lower == "ascii" {
        "ascii".into()
    } else {
        lower
    }
}

fn latin_9(b: u8) -> char {
    match b {
        0xA4 => '€',
        0xA6 => 'Š',
        0xA8 => 'š',
        0xB4 => 'Ž',
        0xB8 => 'ž',
        0xBC => 'Œ',
        0xBD => 'œ',
        0xBE => 'Ÿ',
        _ => char::from(b),
    }
}
