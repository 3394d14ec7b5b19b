//! The walk that emits code: units, registers of names, reads and writes of names.
//!
//! One [`Unit`] per code object being compiled, innermost in [`Gen::u`]. Locals
//! have the lowest registers, then cells and free variables, then temporaries.

mod assign;
mod call;
mod collections;
mod expr;
mod func;
mod handlers;
mod jump;
mod pattern;
mod stmt;
mod unparse;
mod unwind;
mod warn;
mod with;

use crate::Options;
use crate::consts::Folder;
use crate::emit::{Buffer, Reg};
use crate::loc::Loc;
use crate::symtable::{Block, BlockId, BlockKind, Name, Place, SymbolTable, mangle, uses};
use pyrite_bytecode::{CodeFlags, CodeUnit, Const, Op};
use pyrite_front::{ErrorKind, Mode, Source, SyntaxErrorInfo, Tree, Warning};
use ruff_python_ast::*;
use ruff_text_size::Ranged;
use rustc_hash::FxHashMap;
use unwind::Frame;

pub(crate) type Res<T = ()> = Result<T, SyntaxErrorInfo>;

/// Compiles a whole program.
pub(crate) fn generate<'a>(
    tree: &'a Tree,
    source: &'a Source<'a>,
    table: &'a SymbolTable,
    filename: &'a str,
    mode: Mode,
    options: Options,
    warnings: &mut Vec<Warning>,
) -> Res<CodeUnit> {
    let top = match tree.root() {
        Mod::Module(m) => table.block_of(m),
        Mod::Expression(e) => table.block_of(e),
    };
    let mut g = Gen {
        source,
        table,
        filename,
        options,
        interactive: mode == Mode::Single,
        nested_specs: 0,
        fold: Folder {
            source,
            debug: options.optimize == 0,
        },
        u: Unit::new(
            table.block(top),
            top,
            "<module>".into(),
            "<module>".into(),
            None,
            1,
        ),
        outer: Vec::new(),
        warnings: Vec::new(),
    };
    let done = g.program(tree);
    warnings.append(&mut g.warnings);
    done?;
    let unit = std::mem::replace(&mut g.u, Unit::placeholder());
    g.finish(unit)
}

/// Where a name is, for the code being compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Var {
    /// A local register.
    Fast(Reg),
    /// The register of a cell; `free`: it belongs to an enclosing function.
    Deref {
        reg: Reg,
        free: bool,
    },
    /// A class body's free variable: the namespace comes first.
    ClassDeref(Reg),
    Global,
    /// The namespace in register 0.
    Namespace,
}

/// A code object being compiled.
pub(crate) struct Unit<'a> {
    pub(crate) buf: Buffer,
    pub(crate) block: BlockId,
    pub(crate) kind: BlockKind,
    name: String,
    pub(crate) qualname: String,
    /// Class whose private names are mangled.
    pub(crate) private: Option<Name>,
    /// What `return`, `break` and `continue` have to leave.
    pub(crate) frames: Vec<Frame<'a>>,
    /// An `async def`.
    pub(crate) async_def: bool,
    slots: FxHashMap<Name, Reg>,
    /// Registers that may be unset or change under an operand's feet.
    deletable: Vec<bool>,
    walrus: Vec<bool>,
    pub(crate) first_temp: Reg,
    pub(crate) out: CodeUnit,
    /// For class bodies: names that methods assign on `self`.
    pub(crate) self_names: Vec<String>,
    /// Set in a method: name of its first parameter.
    pub(crate) self_param: Option<Name>,
}

impl<'a> Unit<'a> {
    pub(crate) fn new(
        block: &Block,
        id: BlockId,
        name: String,
        qualname: String,
        private: Option<Name>,
        first_line: u32,
    ) -> Unit<'a> {
        let mut slots = FxHashMap::default();
        let (mut deletable, mut walrus) = (Vec::new(), Vec::new());
        let mut out = CodeUnit {
            name: name.clone(),
            qualname: qualname.clone(),
            first_line,
            ..CodeUnit::default()
        };
        let mut next: Reg = 0;
        let mut param_count = 0;
        if block.kind.is_function() {
            for s in &block.symbols {
                let param = s.flags & uses::PARAM != 0;
                if param || s.place == Place::Local {
                    slots.insert(s.name.clone(), next);
                    out.varnames.push(s.name.to_string());
                    deletable.push(s.flags & uses::DELETED != 0);
                    walrus.push(s.flags & uses::WALRUS != 0);
                    next = next.saturating_add(1);
                    param_count += u16::from(param);
                }
            }
        } else {
            next = 1;
        }
        for name in block.names_at(Place::Cell) {
            let reg = *slots.entry(name.clone()).or_insert_with(|| {
                next = next.saturating_add(1);
                next - 1
            });
            out.cellvars.push((name.to_string(), reg));
        }
        for name in block.names_at(Place::Free) {
            out.freevars.push((name.to_string(), next));
            slots.insert(name, next);
            next = next.saturating_add(1);
        }
        let mut buf = Buffer::new(next);
        for r in 0..param_count {
            buf.bound.insert(r);
        }
        if next > 60_000 {
            buf.overflow = Some("too many registers");
        }
        Unit {
            buf,
            block: id,
            kind: block.kind,
            name,
            qualname,
            private,
            frames: Vec::new(),
            async_def: false,
            slots,
            deletable,
            walrus,
            first_temp: next,
            out,
            self_names: Vec::new(),
            self_param: None,
        }
    }

    fn placeholder() -> Unit<'a> {
        Unit {
            buf: Buffer::new(0),
            block: BlockId(0),
            kind: BlockKind::Module,
            name: String::new(),
            qualname: String::new(),
            private: None,
            frames: Vec::new(),
            async_def: false,
            slots: FxHashMap::default(),
            deletable: Vec::new(),
            walrus: Vec::new(),
            first_temp: 0,
            out: CodeUnit::default(),
            self_names: Vec::new(),
            self_param: None,
        }
    }
}

/// The state of the walk.
pub(crate) struct Gen<'a> {
    pub(crate) source: &'a Source<'a>,
    pub(crate) table: &'a SymbolTable,
    filename: &'a str,
    pub(crate) options: Options,
    pub(crate) interactive: bool,
    /// Format specs around the f-string field in hand.
    pub(crate) nested_specs: u32,
    pub(crate) fold: Folder<'a>,
    /// The unit in hand and, innermost last, those around it.
    pub(crate) u: Unit<'a>,
    pub(crate) outer: Vec<Unit<'a>>,
    pub(crate) warnings: Vec<Warning>,
}

impl<'a> Gen<'a> {
    fn program(&mut self, tree: &'a Tree) -> Res {
        self.u.buf.constant(Const::None);
        self.start_cells();
        match tree.root() {
            Mod::Module(m) => self.module(m)?,
            Mod::Expression(e) => {
                let v = self.expr(&e.body)?;
                self.u.buf.loc = Loc::of(&*e.body);
                self.u.buf.leave(Op::RETURN, v, 0);
            }
        }
        Ok(())
    }

    pub(crate) fn fail<T>(&self, at: &impl Ranged, msg: impl Into<String>) -> Res<T> {
        let r = at.range();
        Err(SyntaxErrorInfo::at(
            self.source,
            ErrorKind::Syntax,
            r.start().to_usize(),
            r.end().to_usize(),
            msg,
        ))
    }

    /// Line of a byte offset.
    pub(crate) fn line(&self, offset: u32) -> u32 {
        self.source.position(offset as usize).0
    }

    // --- units ---------------------------------------------------------------

    /// Opens a unit for a tree node's block.
    pub(crate) fn enter<T>(&mut self, node: &T, name: &str, first_line: u32) {
        let id = self.table.block_of(node);
        let qualname = self.qualname_of(name);
        let block = self.table.block(id);
        let private = if block.kind == BlockKind::Class {
            Some(name.into())
        } else {
            self.u.private.clone()
        };
        let mut unit = Unit::new(block, id, name.to_owned(), qualname, private, first_line);
        // What comes before the body belongs to the definition's line.
        let top = self.source.line_start(first_line) as u32;
        unit.buf.loc = Loc {
            start: top,
            end: top,
        };
        let outer = std::mem::replace(&mut self.u, unit);
        self.outer.push(outer);
    }

    /// Closes the unit in hand; its code as plain data.
    pub(crate) fn exit(&mut self) -> Res<CodeUnit> {
        let outer = self.outer.pop().expect("units nest");
        let unit = std::mem::replace(&mut self.u, outer);
        self.finish(unit)
    }

    fn qualname_of(&self, name: &str) -> String {
        if self.outer.is_empty() {
            return name.to_owned();
        }
        let mangled = mangle(self.u.private.as_deref(), name);
        let parent = self.table.block(self.u.block);
        if parent
            .symbol(&mangled)
            .is_some_and(|s| s.place == Place::GlobalExplicit)
            && !name.starts_with('<')
        {
            return name.to_owned();
        }
        if self.u.kind.is_function() {
            format!("{}.<locals>.{name}", self.u.qualname)
        } else {
            format!("{}.{name}", self.u.qualname)
        }
    }

    fn finish(&self, mut unit: Unit<'a>) -> Res<CodeUnit> {
        if let Some(what) = unit.buf.overflow {
            return Err(SyntaxErrorInfo::bare(
                ErrorKind::Syntax,
                format!("{what} in '{}'", unit.name),
            ));
        }
        let block = self.table.block(unit.block);
        let mut flags = 0;
        if unit.kind.is_function() {
            flags |= CodeFlags::OPTIMIZED | CodeFlags::NEWLOCALS;
            if block.nested {
                flags |= CodeFlags::NESTED;
            }
            flags |= match (block.is_generator, block.is_coroutine) {
                (true, false) => CodeFlags::GENERATOR,
                (true, true) => CodeFlags::ASYNC_GENERATOR,
                (false, true) => CodeFlags::COROUTINE,
                (false, false) => 0,
            };
        } else {
            flags |= CodeFlags::NAMESPACE;
            if self.options.top_level_await && block.is_coroutine && unit.kind == BlockKind::Module
            {
                flags |= CodeFlags::COROUTINE;
            }
        }
        if self.options.future_annotations {
            flags |= CodeFlags::FUTURE_ANNOTATIONS;
        }
        unit.out.flags.0 |= flags;
        unit.out.filename = self.filename.to_owned();
        unit.out.attr_hint = unit.self_names.len() as u32;
        unit.buf.finish(self.source, &mut unit.out);
        Ok(unit.out)
    }

    /// Generator start, cells and free variables: the first instructions of a unit.
    pub(crate) fn start_cells(&mut self) {
        let block = self.table.block(self.u.block);
        let makes_generator = if self.u.kind.is_function() {
            block.is_generator || block.is_coroutine
        } else {
            self.options.top_level_await && self.u.kind == BlockKind::Module && block.is_coroutine
        };
        if makes_generator {
            let dead_from = self.u.first_temp;
            self.u.buf.op(Op::RETURN_GENERATOR, dead_from, 0, 0);
        }
        for (_, reg) in &self.u.out.cellvars {
            self.u.buf.op(Op::MAKE_CELL, *reg, 0, 0);
        }
        for (i, (_, reg)) in self.u.out.freevars.iter().enumerate() {
            self.u.buf.op(Op::LOAD_CLOSURE, *reg, i as u16, 0);
        }
    }

    /// Ends a body that falls off its end.
    pub(crate) fn return_none(&mut self) {
        if !self.u.buf.dead {
            if self.u.buf.loc == Loc::NONE {
                let top = self.source.line_start(self.u.out.first_line) as u32;
                self.u.buf.loc = Loc {
                    start: top,
                    end: top,
                };
            }
            self.u.buf.return_none();
        }
    }

    // --- names ---------------------------------------------------------------

    pub(crate) fn mangled(&self, name: &str) -> Name {
        mangle(self.u.private.as_deref(), name)
    }

    pub(crate) fn resolve(&self, name: &str) -> Var {
        let block = self.table.block(self.u.block);
        let function = self.u.kind.is_function();
        let Some(s) = block.symbol(name) else {
            return if function {
                Var::Global
            } else {
                Var::Namespace
            };
        };
        match s.place {
            Place::Local if function => Var::Fast(self.u.slots[name]),
            Place::Local => Var::Namespace,
            Place::Cell => Var::Deref {
                reg: self.u.slots[name],
                free: false,
            },
            Place::Free if self.u.kind == BlockKind::Class => Var::ClassDeref(self.u.slots[name]),
            Place::Free => Var::Deref {
                reg: self.u.slots[name],
                free: true,
            },
            Place::GlobalExplicit => Var::Global,
            Place::GlobalImplicit if function => Var::Global,
            Place::GlobalImplicit => Var::Namespace,
        }
    }

    /// The register that holds the cell of `name` in the unit in hand.
    pub(crate) fn cell_register(&self, name: &str) -> Option<Reg> {
        self.u.slots.get(name).copied()
    }

    /// Makes sure local `r` is set when it is read here.
    fn check_bound(&mut self, r: Reg, name: &str) {
        if !self.u.buf.bound.contains(r) {
            let k = self.u.buf.str_constant(name);
            self.u.buf.op(Op::CHECK_BOUND, r, k, 0);
            self.now_bound(r);
        }
    }

    /// Local `r` is set from here on.
    pub(crate) fn now_bound(&mut self, r: Reg) {
        if !self.u.deletable.get(usize::from(r)).is_some_and(|&d| d) {
            self.u.buf.bound.insert(r);
        }
    }

    /// The register of a local that can be read in place, checked to be set.
    pub(crate) fn local_in_place(&mut self, name: &str) -> Option<Reg> {
        let name = self.mangled(name);
        match self.resolve(&name) {
            Var::Fast(r) if !self.u.walrus[usize::from(r)] => {
                self.check_bound(r, &name);
                Some(r)
            }
            _ => None,
        }
    }

    pub(crate) fn load_name(&mut self, name: &str, dst: Reg) {
        let name = self.mangled(name);
        let var = self.resolve(&name);
        let b = &mut self.u.buf;
        match var {
            Var::Fast(r) => {
                self.check_bound(r, &name);
                self.u.buf.mov(dst, r);
            }
            Var::Deref { reg, free } => {
                let k = b.str_constant(&name);
                b.op_d(Op::LOAD_CELL, u8::from(free), dst, reg, k);
            }
            Var::ClassDeref(reg) => {
                let k = b.str_constant(&name);
                b.op(Op::LOAD_CLASSDEREF, dst, reg, k);
            }
            Var::Global => {
                let ic = b.global_cache(&name);
                b.op(Op::LOAD_GLOBAL, dst, 0, ic);
            }
            Var::Namespace => {
                let ic = b.cache(&name);
                b.op(Op::LOAD_NAME, dst, 0, ic);
            }
        }
    }

    pub(crate) fn store_name(&mut self, name: &str, src: Reg) {
        let name = self.mangled(name);
        self.store_mangled(&name, src);
    }

    pub(crate) fn store_mangled(&mut self, name: &str, src: Reg) {
        let var = self.resolve(name);
        let b = &mut self.u.buf;
        match var {
            Var::Fast(r) => {
                b.mov(r, src);
                self.now_bound(r);
            }
            Var::Deref { reg, .. } | Var::ClassDeref(reg) => b.op(Op::STORE_CELL, reg, src, 0),
            Var::Global => {
                let ic = b.cache(name);
                b.op(Op::STORE_GLOBAL, src, 0, ic);
            }
            Var::Namespace => {
                let ic = b.cache(name);
                b.op(Op::STORE_NAME, src, 0, ic);
            }
        }
    }

    pub(crate) fn delete_name(&mut self, name: &str) {
        let name = self.mangled(name);
        let var = self.resolve(&name);
        let b = &mut self.u.buf;
        match var {
            Var::Fast(r) => {
                let k = b.str_constant(&name);
                b.op(Op::DELETE_FAST, r, k, 0);
            }
            Var::Deref { reg, .. } | Var::ClassDeref(reg) => {
                let free = matches!(var, Var::Deref { free: true, .. } | Var::ClassDeref(_));
                let k = b.str_constant(&name);
                b.op_d(Op::DELETE_CELL, u8::from(free), reg, 0, k);
            }
            Var::Global => {
                let ic = b.cache(&name);
                b.op(Op::DELETE_GLOBAL, 0, 0, ic);
            }
            Var::Namespace => {
                let ic = b.cache(&name);
                b.op(Op::DELETE_NAME, 0, 0, ic);
            }
        }
    }

    /// True if an instruction may write `r` before it is known to succeed.
    pub(crate) fn is_temp(&self, r: Reg) -> bool {
        r >= self.u.first_temp
    }

    pub(crate) fn load_const(&mut self, c: Const, dst: Reg) {
        let b = &mut self.u.buf;
        if let Const::Int(i) = c
            && let Ok(i) = i32::try_from(i)
        {
            b.push(pyrite_bytecode::Ins::a_off(Op::LOAD_INT, dst, i));
            return;
        }
        let k = b.constant(c);
        b.op(Op::LOAD_CONST, dst, k, 0);
    }
}
