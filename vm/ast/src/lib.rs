//! Trees of the `ast` module: made of source text, and turned into code.
//!
//! The problem: the parser's tree is not CPython's, and programs may hand in
//! trees of their own. [`tree`] walks the parser's tree and makes node objects.
//! The way back ([`code`]) writes a tree as source text, each expression in
//! parentheses, and remembers which place of the text stands for which line and
//! column; that text is compiled as any other, with positions looked up. So there
//! is one compiler, and a node `Name(id='x', lineno=7, col_offset=3)` written at
//! offset 12 gives instructions of line 7.
//!
//! Left out: type comments, and positions inside f-strings, where CPython 3.11's
//! own are approximate.

mod back;
mod escape;
mod fields;
mod literal;
mod patterns;
mod statements;
mod tree;

pub use back::{Outcome, code};
pub use tree::tree;
