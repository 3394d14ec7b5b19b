//! A generated program as a tree of statements.
//!
//! The text of a statement is fixed when it is generated; the tree only knows
//! which lines belong together, so that a failing program can lose statements and
//! stay a program. `fixed` lines of a block (the counter of a `while`, the reset
//! of a growing number) keep the program terminating and cannot be lost alone.

use std::fmt::Write as _;

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Stmt {
    /// One line.
    Line(String),
    /// A compound statement.
    Block(Block),
}

/// A compound statement: `head:`, its suite, then `elif`, `else`, `except`,
/// `finally` parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    pub head: String,
    pub fixed: Vec<String>,
    pub body: Vec<Stmt>,
    pub tails: Vec<(String, Vec<Stmt>)>,
}

/// A line.
pub fn line(text: impl Into<String>) -> Stmt {
    Stmt::Line(text.into())
}

/// A compound statement of one part.
pub fn block(head: impl Into<String>, body: Vec<Stmt>) -> Stmt {
    Stmt::Block(Block {
        head: head.into(),
        fixed: Vec::new(),
        body,
        tails: Vec::new(),
    })
}

/// Python source of statements.
pub fn source(stmts: &[Stmt]) -> String {
    let mut out = String::new();
    write_all(&mut out, stmts, 0);
    out
}

/// Number of statements, nested ones included.
pub fn size(stmts: &[Stmt]) -> usize {
    stmts
        .iter()
        .map(|s| match s {
            Stmt::Line(_) => 1,
            Stmt::Block(b) => 1 + size(&b.body) + b.tails.iter().map(|t| size(&t.1)).sum::<usize>(),
        })
        .sum()
}

fn write_all(out: &mut String, stmts: &[Stmt], depth: usize) {
    for s in stmts {
        match s {
            Stmt::Line(text) => write_line(out, text, depth),
            Stmt::Block(b) => {
                write_line(out, &format!("{}:", b.head), depth);
                for l in &b.fixed {
                    write_line(out, l, depth + 1);
                }
                write_suite(out, &b.body, depth + 1, b.fixed.is_empty());
                for (head, body) in &b.tails {
                    write_line(out, &format!("{head}:"), depth);
                    write_suite(out, body, depth + 1, true);
                }
            }
        }
    }
}

fn write_suite(out: &mut String, body: &[Stmt], depth: usize, needs_one: bool) {
    if body.is_empty() && needs_one {
        write_line(out, "pass", depth);
    }
    write_all(out, body, depth);
}

fn write_line(out: &mut String, text: &str, depth: usize) {
    // A line of several (a prelude) keeps its own indentation.
    for l in text.lines() {
        let _ = writeln!(out, "{:indent$}{l}", "", indent = depth * 4);
    }
}
