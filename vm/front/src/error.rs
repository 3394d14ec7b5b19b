//! The syntax error as CPython describes it.

use crate::Source;

/// Which exception a [`SyntaxErrorInfo`] becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    Syntax,
    Indentation,
    Tab,
    /// The text nests deeper than the compiler follows (`RecursionError`).
    Recursion,
    /// The text cannot be source at all, as with a null byte (`ValueError`).
    Value,
    /// The parser gave up for lack of room (`MemoryError`).
    Memory,
}

/// A refused program: what `SyntaxError`'s attributes say.
///
/// Lines count from 1; columns count characters from 1, as `SyntaxError.offset`
/// does; 0 means unknown. `text` is the line the error is on, with its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{msg} at line {line}, column {col}")]
pub struct SyntaxErrorInfo {
    pub kind: ErrorKind,
    pub msg: String,
    pub line: u32,
    pub col: u32,
    pub end_line: u32,
    pub end_col: u32,
    pub text: Option<String>,
}

impl SyntaxErrorInfo {
    /// An error about the bytes `start .. end` of the source.
    pub fn at(
        source: &Source<'_>,
        kind: ErrorKind,
        start: usize,
        end: usize,
        msg: impl Into<String>,
    ) -> SyntaxErrorInfo {
        let (line, col) = source.char_position(start);
        let (end_line, end_col) = source.char_position(end);
        SyntaxErrorInfo {
            kind,
            msg: msg.into(),
            line,
            col: col + 1,
            end_line,
            end_col: end_col + 1,
            text: Some(source.line_text(line).to_owned()),
        }
    }

    /// An error without a place.
    pub fn bare(kind: ErrorKind, msg: impl Into<String>) -> SyntaxErrorInfo {
        SyntaxErrorInfo {
            kind,
            msg: msg.into(),
            line: 0,
            col: 0,
            end_line: 0,
            end_col: 0,
            text: None,
        }
    }
}
