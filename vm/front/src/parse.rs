//! Parser entry: modes, limits, and a tree that can be dropped safely.

use crate::{ErrorKind, Source, SyntaxErrorInfo};
use ruff_python_ast::{Mod, PythonVersion};
use ruff_python_parser::{Mode as RuffMode, ParseOptions, Parsed, parse_unchecked};
use ruff_text_size::Ranged;

/// What a text is to be: the `mode` argument of `compile()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A module.
    Exec,
    /// One expression.
    Eval,
    /// One interactive statement, whose value is printed.
    Single,
}

/// A syntax tree. Dropping it works on a stack large enough for its depth.
#[derive(Debug)]
pub struct Tree {
    parsed: Option<Parsed<Mod>>,
    source_len: usize,
}

impl Tree {
    /// The tree's root.
    pub fn root(&self) -> &Mod {
        self.parsed
            .as_ref()
            .expect("a tree is emptied only by drop")
            .syntax()
    }
}

/// Stack that dropping a tree of `source_len` bytes may need: one level of
/// nesting costs at least one byte of text and less than this per byte.
const DROP_BYTES_PER_SOURCE_BYTE: usize = 512;

impl Drop for Tree {
    fn drop(&mut self) {
        let parsed = self.parsed.take();
        let room = 64 * 1024 + self.source_len * DROP_BYTES_PER_SOURCE_BYTE;
        stacker::maybe_grow(room, room + 64 * 1024, || drop(parsed));
    }
}

/// Parses `source`.
///
/// # Errors
/// What CPython 3.11's tokenizer and parser refuse, in its words.
pub fn parse(source: &Source<'_>, mode: Mode) -> Result<Tree, SyntaxErrorInfo> {
    let text = source.text();
    if let Some(at) = text.find('\0') {
        let _ = at;
        return Err(SyntaxErrorInfo::bare(
            ErrorKind::Value,
            "source code string cannot contain null bytes",
        ));
    }
    let ruff_mode = match mode {
        Mode::Eval => RuffMode::Expression,
        Mode::Exec | Mode::Single => RuffMode::Module,
    };
    let options = ParseOptions::from(ruff_mode).with_target_version(PythonVersion::PY311);
    let parsed = parse_unchecked(text, options);
    let tree = Tree {
        parsed: Some(parsed),
        source_len: text.len(),
    };
    let parsed = tree.parsed.as_ref().expect("just made");
    if let Some(e) = parsed.errors().first() {
        let r = e.location;
        return Err(SyntaxErrorInfo::at(
            source,
            ErrorKind::Syntax,
            r.start().to_usize(),
            r.end().to_usize(),
            "invalid syntax",
        ));
    }
    if let Some(e) = parsed.unsupported_syntax_errors().first() {
        let r = e.range();
        return Err(SyntaxErrorInfo::at(
            source,
            ErrorKind::Syntax,
            r.start().to_usize(),
            r.end().to_usize(),
            "invalid syntax",
        ));
    }
    Ok(tree)
}
