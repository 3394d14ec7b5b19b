//! First walk: the builder's state and its rules about single names.

use super::{Block, BlockId, BlockKind, Name, Place, Symbol, SymbolTable, mangle, node_key, uses};
use crate::Options;
use pyrite_front::{ErrorKind, Source, SyntaxErrorInfo, Tree};
use ruff_python_ast::Mod;
use ruff_text_size::{Ranged, TextRange};
use rustc_hash::FxHashMap;

pub(super) type Res = Result<(), SyntaxErrorInfo>;

pub(super) struct Builder<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) blocks: Vec<Block>,
    pub(super) by_node: FxHashMap<usize, BlockId>,
    pub(super) stack: Vec<BlockId>,
    /// Name of the innermost class, for mangling.
    pub(super) class: Option<Name>,
    pub(super) future_annotations: bool,
    /// Most digits of a decimal literal; 0: no limit.
    pub(super) max_digits: usize,
    /// Levels of syntax tree above the node in hand.
    pub(super) depth: u32,
}

pub(super) fn build(
    tree: &Tree,
    source: &Source<'_>,
    options: Options,
) -> Result<SymbolTable, SyntaxErrorInfo> {
    let mut b = Builder {
        source,
        blocks: Vec::new(),
        by_node: FxHashMap::default(),
        stack: Vec::new(),
        class: None,
        future_annotations: options.future_annotations,
        max_digits: options.max_digits,
        depth: 0,
    };
    match tree.root() {
        Mod::Module(m) => {
            b.enter(BlockKind::Module, m, TextRange::default());
            b.body(&m.body)?;
        }
        Mod::Expression(e) => {
            b.enter(BlockKind::Module, e, TextRange::default());
            b.expr(&e.body)?;
        }
    }
    Ok(SymbolTable {
        blocks: b.blocks,
        by_node: b.by_node,
        super_is_rebound: false,
    })
}

impl Builder<'_> {
    pub(super) fn fail<T>(
        &self,
        at: impl Ranged,
        msg: impl Into<String>,
    ) -> Result<T, SyntaxErrorInfo> {
        let r = at.range();
        Err(SyntaxErrorInfo::at(
            self.source,
            ErrorKind::Syntax,
            r.start().to_usize(),
            r.end().to_usize(),
            msg,
        ))
    }

    pub(super) fn cur(&mut self) -> &mut Block {
        let id = *self.stack.last().expect("the module's block is open");
        &mut self.blocks[id.0 as usize]
    }

    pub(super) fn enter<T>(&mut self, kind: BlockKind, node: &T, range: TextRange) {
        let id = BlockId(self.blocks.len() as u32);
        let mut nested = false;
        let mut comp_iter_expr = 0;
        if let Some(&parent) = self.stack.last() {
            let p = &mut self.blocks[parent.0 as usize];
            nested = p.nested || p.kind.is_function();
            comp_iter_expr = p.comp_iter_expr;
            if kind != BlockKind::Annotation {
                p.children.push(id);
            }
        }
        self.blocks.push(Block {
            kind,
            children: Vec::new(),
            symbols: Vec::new(),
            index: FxHashMap::default(),
            nested,
            is_generator: false,
            is_coroutine: false,
            needs_class_cell: false,
            returns_value: false,
            comp_iter_target: false,
            comp_iter_expr,
            start: range.start().to_usize(),
            end: range.end().to_usize(),
            directives: Vec::new(),
        });
        self.by_node.insert(node_key(node), id);
        self.stack.push(id);
    }

    pub(super) fn leave(&mut self) {
        self.stack.pop();
    }

    pub(super) fn mangled(&self, name: &str) -> Name {
        mangle(self.class.as_deref(), name)
    }

    /// Notes a use of `name` in the block in hand.
    pub(super) fn add(&mut self, name: &str, flag: u16, at: TextRange) -> Res {
        let id = *self.stack.last().expect("the module's block is open");
        self.add_in(id, name, flag, at)
    }

    fn add_in(&mut self, id: BlockId, name: &str, flag: u16, at: TextRange) -> Res {
        let name = self.mangled(name);
        let block = &mut self.blocks[id.0 as usize];
        let i = match block.index.get(&name) {
            Some(&i) => i,
            None => {
                block.index.insert(name.clone(), block.symbols.len());
                block.symbols.push(Symbol {
                    name: name.clone(),
                    flags: 0,
                    place: Place::GlobalImplicit,
                });
                block.symbols.len() - 1
            }
        };
        let mut new = block.symbols[i].flags;
        if flag & uses::PARAM != 0 && new & uses::PARAM != 0 {
            return self.fail(
                at,
                format!("duplicate argument '{name}' in function definition"),
            );
        }
        new |= flag;
        if block.comp_iter_target {
            // In `[(y := i) for i in ...]` the walrus must not rebind `i`.
            if new & (uses::GLOBAL | uses::NONLOCAL) != 0 {
                return self.fail(
                    at,
                    format!("comprehension inner loop cannot rebind assignment expression target '{name}'"),
                );
            }
            new |= uses::COMP_ITER;
        }
        block.symbols[i].flags = new;
        if flag & uses::GLOBAL != 0 && id.0 != 0 {
            // A global declaration also makes the name known to the module.
            let module = &mut self.blocks[0];
            let i = *module.index.entry(name.clone()).or_insert_with(|| {
                module.symbols.push(Symbol {
                    name: name.clone(),
                    flags: 0,
                    place: Place::GlobalImplicit,
                });
                module.symbols.len() - 1
            });
            module.symbols[i].flags |= uses::GLOBAL;
        }
        Ok(())
    }

    /// The flags that the block in hand has for `name`.
    pub(super) fn flags_of(&mut self, name: &str) -> u16 {
        let name = self.mangled(name);
        self.cur().symbol(&name).map_or(0, |s| s.flags)
    }

    /// `:=` inside comprehensions binds in the block around them.
    pub(super) fn walrus_in_comprehension(&mut self, target: &str, at: TextRange) -> Res {
        let here = *self.stack.last().expect("the module's block is open");
        for i in (0..self.stack.len()).rev() {
            let id = self.stack[i];
            let block = &self.blocks[id.0 as usize];
            if block.kind.is_comprehension() {
                let name = self.mangled(target);
                if block
                    .symbol(&name)
                    .is_some_and(|s| s.flags & uses::COMP_ITER != 0)
                {
                    return self.fail(
                        at,
                        format!("assignment expression cannot rebind comprehension iteration variable '{target}'"),
                    );
                }
                continue;
            }
            match block.kind {
                BlockKind::Class => {
                    return self.fail(
                        at,
                        "assignment expression within a comprehension cannot be used in a class body",
                    );
                }
                BlockKind::Module => {
                    self.add_in(here, target, uses::GLOBAL, at)?;
                    return self.add_in(id, target, uses::GLOBAL, at);
                }
                _ => {
                    let name = self.mangled(target);
                    let is_global = block
                        .symbol(&name)
                        .is_some_and(|s| s.flags & uses::GLOBAL != 0);
                    let flag = if is_global {
                        uses::GLOBAL
                    } else {
                        uses::NONLOCAL
                    };
                    self.add_in(here, target, flag, at)?;
                    return self.add_in(id, target, uses::LOCAL | uses::WALRUS, at);
                }
            }
        }
        Ok(())
    }

    pub(super) fn directive(&mut self, name: &str, at: TextRange) {
        let name = self.mangled(name);
        let (start, end) = (at.start().to_usize(), at.end().to_usize());
        self.cur().directives.push((name, start, end));
    }
}
