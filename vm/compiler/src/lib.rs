//! Python 3.11 source text to register bytecode.
//!
//! The problem: everything CPython decides at compile time (scopes, constant
//! folding, positions, error texts) with other instructions. The idea: parse
//! (`pyrite-front`), find each name's scope (`symtable`), then walk the tree once
//! and emit (`codegen` into `emit`). `y = x + 1` in a function becomes
//! `ADDK r1 r0 k1`: locals are registers, so a statement is often one instruction.
//!
//! Invariants: no I/O; equal text gives equal code; an instruction that can raise
//! writes its destination local only when it succeeds; temporaries live in stack
//! discipline above the locals. Left out: peephole passes over the finished code.
#![forbid(unsafe_code)]

mod codegen;
mod consts;
mod emit;
mod future;
pub mod literal;
mod loc;
mod symtable;

pub use pyrite_front::{Category, ErrorKind, Mode, SyntaxErrorInfo, Warning};

use loc::Loc;
use pyrite_bytecode::CodeUnit;
use pyrite_front::Source;

/// The arguments of `compile()` beside the text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// 0; 1: no `assert`, `__debug__` is False; 2: no docstrings either.
    pub optimize: u8,
    /// `from __future__ import annotations` is in force from the start.
    pub future_annotations: bool,
    /// `await` and friends are allowed outside functions
    /// (`ast.PyCF_ALLOW_TOP_LEVEL_AWAIT`).
    pub top_level_await: bool,
    /// Most digits of a decimal literal; 0: no limit.
    pub max_digits: usize,
}

/// Compiles `source`, which `filename` names in code objects. What CPython warns
/// about is added to `warnings`, also when the text is refused in the end.
///
/// # Errors
/// What CPython 3.11 refuses, in its words; see [`ErrorKind`].
pub fn compile(
    source: &str,
    filename: &str,
    mode: Mode,
    options: Options,
    warnings: &mut Vec<Warning>,
) -> Result<CodeUnit, SyntaxErrorInfo> {
    let source = Source::new(source);
    let tree = pyrite_front::parse(&source, mode)?;
    warnings.extend(pyrite_front::warnings(&source, &tree));
    compile_tree(&tree, &source, filename, mode, options, warnings)
}

/// Compiles the tree that was parsed from `source`; `warnings` as for [`compile`],
/// without those of the parser.
///
/// # Errors
/// As [`compile`], without those of the parser.
pub fn compile_tree(
    tree: &pyrite_front::Tree,
    source: &Source<'_>,
    filename: &str,
    mode: Mode,
    options: Options,
    warnings: &mut Vec<Warning>,
) -> Result<CodeUnit, SyntaxErrorInfo> {
    let future = future::features(tree, source)?;
    let options = Options {
        future_annotations: options.future_annotations || future.annotations,
        ..options
    };
    let table = symtable::SymbolTable::new(tree, source, options)?;
    codegen::generate(tree, source, &table, filename, mode, options, warnings)
}
