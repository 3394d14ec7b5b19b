//! Source text to syntax tree.
//!
//! The problem: CPython 3.11's grammar, its limits and its error texts. The idea:
//! a fast, complete parser accepts or refuses; only after a refusal a slow pass
//! finds out what CPython would have said. `x = (1,` is refused by the parser in
//! microseconds; the pass then walks the tokens and answers "'(' was never closed".
//!
//! Invariants: nothing here reads files; every offset is a byte offset into the
//! text given; a text nested too deep is an error, never a stack overflow.
//! Left out: errors that CPython's symbol table and compiler raise (the
//! compiler crate's), type comments.
#![forbid(unsafe_code)]

mod decode;
mod diagnose;
mod error;
mod parse;
mod source;
mod strings;
mod tokens;
mod warnings;

pub use decode::{coding, decode};
pub use error::{ErrorKind, SyntaxErrorInfo};
pub use parse::{Mode, Tree, parse, parse_generated};
pub use source::Source;
pub use warnings::{Category, Warning, warnings};
