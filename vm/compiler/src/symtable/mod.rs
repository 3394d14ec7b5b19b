//! Which scope each name belongs to.
//!
//! The problem: `x` in a function may be a local, a cell that inner functions
//! share, a variable of an outer function, or a global, and the answer depends on
//! text after it. The idea is CPython's: one walk (`build`) notes for each block
//! how each name is used there, a second over the blocks (`analyze`) passes the
//! sets of bound names down and of free names up. In
//! `def f(): x = 1; return lambda: x` the walk notes "f binds x", "the lambda uses
//! x"; the analysis makes x a cell of f and free in the lambda.
//!
//! Invariants: a block is found by the address of its tree node, so the tree must
//! not move while the table is in use; names are already mangled.

mod analyze;
mod build;
mod walk;

use crate::Options;
use pyrite_front::{Source, SyntaxErrorInfo, Tree};
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// A name, shared between the tables.
pub(crate) type Name = Rc<str>;

/// Index of a block in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockId(pub(crate) u32);

/// What a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockKind {
    Module,
    Class,
    Function,
    Lambda,
    ListComp,
    SetComp,
    DictComp,
    Generator,
    /// Annotations under `from __future__ import annotations`: checked, not run.
    Annotation,
}

impl BlockKind {
    pub(crate) fn is_function(self) -> bool {
        !matches!(self, BlockKind::Module | BlockKind::Class)
    }

    pub(crate) fn is_comprehension(self) -> bool {
        matches!(
            self,
            BlockKind::ListComp | BlockKind::SetComp | BlockKind::DictComp | BlockKind::Generator
        )
    }
}

/// How a block uses a name; bits of [`Symbol::flags`].
pub(crate) mod uses {
    pub(crate) const GLOBAL: u16 = 1;
    pub(crate) const LOCAL: u16 = 2;
    pub(crate) const PARAM: u16 = 4;
    pub(crate) const NONLOCAL: u16 = 8;
    pub(crate) const USE: u16 = 16;
    /// Bound or global in a class, and free in one of its methods.
    pub(crate) const FREE_CLASS: u16 = 32;
    pub(crate) const IMPORT: u16 = 64;
    pub(crate) const ANNOTATED: u16 = 128;
    pub(crate) const COMP_ITER: u16 = 256;
    /// Unbound somewhere in the block by `del` or the end of `except ... as`.
    pub(crate) const DELETED: u16 = 512;
    /// Bound by `:=`.
    pub(crate) const WALRUS: u16 = 1024;
    pub(crate) const BOUND: u16 = LOCAL | PARAM | IMPORT;
}

/// Where a name lives, seen from a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Local,
    GlobalExplicit,
    GlobalImplicit,
    Free,
    Cell,
}

#[derive(Clone, Debug)]
pub(crate) struct Symbol {
    pub(crate) name: Name,
    pub(crate) flags: u16,
    pub(crate) place: Place,
}

/// A module, class body, function, lambda or comprehension.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) kind: BlockKind,
    pub(crate) children: Vec<BlockId>,
    pub(crate) symbols: Vec<Symbol>,
    index: FxHashMap<Name, usize>,
    /// Inside a function.
    pub(crate) nested: bool,
    pub(crate) is_generator: bool,
    pub(crate) is_coroutine: bool,
    /// A class whose methods use `__class__` or `super`.
    pub(crate) needs_class_cell: bool,
    /// `return VALUE` occurs in it, at this byte range.
    returns_value: bool,
    comp_iter_target: bool,
    comp_iter_expr: u32,
    /// Byte range for errors.
    start: usize,
    end: usize,
    /// `global` and `nonlocal` statements: name and byte range.
    directives: Vec<(Name, usize, usize)>,
}

impl Block {
    pub(crate) fn symbol(&self, name: &str) -> Option<&Symbol> {
        self.index.get(name).map(|&i| &self.symbols[i])
    }

    /// Sorted names with this place; for cells of a class, `__class__`.
    pub(crate) fn names_at(&self, place: Place) -> Vec<Name> {
        let mut names: Vec<Name> = self
            .symbols
            .iter()
            .filter(|s| s.place == place || place == Place::Free && s.flags & uses::FREE_CLASS != 0)
            .map(|s| s.name.clone())
            .collect();
        if place == Place::Cell && self.needs_class_cell {
            names.push("__class__".into());
        }
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Every block of a program.
#[derive(Debug)]
pub(crate) struct SymbolTable {
    blocks: Vec<Block>,
    by_node: FxHashMap<usize, BlockId>,
    /// A function annotated or assigned as `super` would break `super()`'s shortcut.
    pub(crate) super_is_rebound: bool,
}

impl SymbolTable {
    /// Collects and analyzes the blocks of `tree`.
    ///
    /// # Errors
    /// What CPython's symbol table refuses, in its words.
    pub(crate) fn new(
        tree: &Tree,
        source: &Source<'_>,
        options: Options,
    ) -> Result<SymbolTable, SyntaxErrorInfo> {
        let mut table = build::build(tree, source, options)?;
        analyze::analyze(&mut table, source)?;
        table.super_is_rebound = table.blocks[0]
            .symbol("super")
            .is_some_and(|s| s.flags & (uses::BOUND | uses::GLOBAL) != 0)
            || table.blocks.iter().any(|b| {
                b.symbol("super")
                    .is_some_and(|s| s.place == Place::GlobalExplicit || s.flags & uses::BOUND != 0)
            });
        Ok(table)
    }

    pub(crate) fn block(&self, id: BlockId) -> &Block {
        &self.blocks[id.0 as usize]
    }

    /// The block that a tree node opens.
    pub(crate) fn block_of<T>(&self, node: &T) -> BlockId {
        self.by_node[&node_key(node)]
    }
}

fn node_key<T>(node: &T) -> usize {
    std::ptr::from_ref(node) as usize
}

/// A class-private name as seen inside class `class`.
pub(crate) fn mangle(class: Option<&str>, name: &str) -> Name {
    if let Some(class) = class
        && name.starts_with("__")
        && !name.ends_with("__")
        && !name.contains('.')
    {
        let class = class.trim_start_matches('_');
        if !class.is_empty() {
            return format!("_{class}{name}").into();
        }
    }
    name.into()
}
