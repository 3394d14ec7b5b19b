//! Parser entry: modes, limits, and a tree that can be dropped safely.

use crate::diagnose::diagnose;
use crate::tokens::{MAX_BRACKETS, MAX_INDENTS, tokenize};
use crate::{ErrorKind, Source, SyntaxErrorInfo};
use ruff_python_ast::token::{TokenKind, Tokens};
use ruff_python_ast::{Mod, PythonVersion, Stmt};
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

    /// The tokens it was made of.
    pub(crate) fn tokens(&self) -> &Tokens {
        self.parsed
            .as_ref()
            .expect("a tree is emptied only by drop")
            .tokens()
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
    parse_text(source, mode).map_err(|mut e| {
        // A module's last line has an end, whether it was written or not.
        if let Some(t) = &mut e.text
            && mode == Mode::Exec
            && !t.ends_with('\n')
        {
            t.push('\n');
        }
        e
    })
}

fn parse_text(source: &Source<'_>, mode: Mode) -> Result<Tree, SyntaxErrorInfo> {
    let text = source.text();
    if text.contains('\0') {
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
    let refused = !parsed.errors().is_empty() || !parsed.unsupported_syntax_errors().is_empty();
    if refused || over_limits(parsed.tokens()) {
        if let Some(e) = tokenize(source).error {
            return Err(e);
        }
        if refused {
            return Err(diagnose(source, parsed, mode));
        }
    }
    if mode == Mode::Single {
        single_statement(source, parsed.syntax())?;
    }
    Ok(tree)
}

/// Parses generated text: nesting has no limit, and f-strings may contain any
/// quotes.
///
/// # Errors
/// As [`parse`].
pub fn parse_generated(source: &Source<'_>, mode: Mode) -> Result<Tree, SyntaxErrorInfo> {
    let text = source.text();
    let ruff_mode = match mode {
        Mode::Eval => RuffMode::Expression,
        Mode::Exec | Mode::Single => RuffMode::Module,
    };
    let options = ParseOptions::from(ruff_mode).with_target_version(PythonVersion::PY314);
    let tree = Tree {
        parsed: Some(parse_unchecked(text, options)),
        source_len: text.len(),
    };
    let parsed = tree.parsed.as_ref().expect("just made");
    if !parsed.errors().is_empty() || !parsed.unsupported_syntax_errors().is_empty() {
        return Err(diagnose(source, parsed, mode));
    }
    Ok(tree)
}

/// CPython's limits of nesting, which the parser does not have.
fn over_limits(tokens: &Tokens) -> bool {
    let (mut brackets, mut indents) = (0usize, 0usize);
    for t in tokens {
        match t.kind() {
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => brackets += 1,
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                brackets = brackets.saturating_sub(1);
            }
            TokenKind::Indent => indents += 1,
            TokenKind::Dedent => indents = indents.saturating_sub(1),
            _ => {}
        }
        if brackets > MAX_BRACKETS || indents >= MAX_INDENTS {
            return true;
        }
    }
    false
}

/// Interactive input is one statement line, or one compound statement.
fn single_statement(source: &Source<'_>, module: &Mod) -> Result<(), SyntaxErrorInfo> {
    let Mod::Module(m) = module else {
        return Ok(());
    };
    let Some(first) = m.body.first() else {
        return Err(SyntaxErrorInfo::at(
            source,
            ErrorKind::Syntax,
            source.text().len(),
            source.text().len(),
            "invalid syntax",
        ));
    };
    let end = first.range().end().to_usize();
    let (line, _) = source.position(end);
    // The line end is what ends a block on its header's line: here it is not implied.
    let (_, text) = (line, source.line_text(line));
    let block_on_line = is_compound(first) && !text.starts_with([' ', '\t']);
    if block_on_line && !source.text()[end..].contains('\n') {
        let mut e = SyntaxErrorInfo::bare(ErrorKind::Syntax, "invalid syntax");
        (e.line, e.end_line) = (line, line);
        e.text = Some(text.to_owned());
        return Err(e);
    }
    let other = m
        .body
        .iter()
        .skip(1)
        .find(|s| source.position(s.range().start().to_usize()).0 > line);
    if let Some(other) = other {
        if is_compound(first) {
            let at = other.range().start().to_usize();
            return Err(SyntaxErrorInfo::at(
                source,
                ErrorKind::Syntax,
                at,
                other.range().end().to_usize(),
                "invalid syntax",
            ));
        }
        let at = first.range().end().to_usize();
        return Err(SyntaxErrorInfo::at(
            source,
            ErrorKind::Syntax,
            at,
            at,
            "multiple statements found while compiling a single statement",
        ));
    }
    Ok(())
}

fn is_compound(s: &Stmt) -> bool {
    matches!(
        s,
        Stmt::FunctionDef(_)
            | Stmt::ClassDef(_)
            | Stmt::For(_)
            | Stmt::While(_)
            | Stmt::If(_)
            | Stmt::With(_)
            | Stmt::Match(_)
            | Stmt::Try(_)
    )
}
