//! Statements.

use super::unwind::Frame;
use super::{Gen, Res};
use crate::loc::Loc;
use crate::symtable::{BlockKind, uses};
use pyrite_bytecode::{Const, Op};
use ruff_python_ast::*;

impl<'a> Gen<'a> {
    pub(crate) fn module(&mut self, m: &'a ModModule) -> Res {
        self.u.buf.loc = Loc { start: 0, end: 0 };
        self.namespace_body(&m.body)?;
        self.u.buf.loc = m.body.last().map_or(Loc { start: 0, end: 0 }, Loc::of);
        self.return_none();
        Ok(())
    }

    /// The body of a module or class: docstring, annotations, statements.
    pub(crate) fn namespace_body(&mut self, body: &'a [Stmt]) -> Res {
        if has_annotations(body) {
            self.u.buf.op(Op::SETUP_ANNOTATIONS, 0, 0, 0);
        }
        let mut rest = body;
        if let Some((Stmt::Expr(e), tail)) = body.split_first()
            && e.value.is_string_literal_expr()
            && !self.interactive
        {
            rest = tail;
            if self.options.optimize < 2 {
                let mark = self.u.buf.next;
                let t = self.expr(&e.value)?;
                self.store_mangled("__doc__", t);
                self.u.buf.next = mark;
            }
        }
        self.body(rest)
    }

    pub(crate) fn body(&mut self, body: &'a [Stmt]) -> Res {
        for s in body {
            self.stmt(s)?;
        }
        Ok(())
    }

    fn stmt(&mut self, s: &'a Stmt) -> Res {
        let mark = self.u.buf.next;
        self.u.buf.loc = Loc::of(s);
        stacker::maybe_grow(128 * 1024, 2 * 1024 * 1024, || self.stmt_inner(s))?;
        self.u.buf.next = mark;
        Ok(())
    }

    fn nop(&mut self) {
        self.u.buf.op(Op::NOP, 0, 0, 0);
    }

    fn stmt_inner(&mut self, s: &'a Stmt) -> Res {
        match s {
            Stmt::FunctionDef(f) => self.function_def(f)?,
            Stmt::ClassDef(c) => self.class_def(c)?,
            Stmt::Return(r) => self.return_stmt(r)?,
            Stmt::Delete(d) => {
                for t in &d.targets {
                    self.delete(t)?;
                }
            }
            Stmt::Assign(a) => self.assign(a)?,
            Stmt::AugAssign(a) => self.aug_assign(a)?,
            Stmt::AnnAssign(a) => self.ann_assign(a)?,
            Stmt::For(f) => self.for_stmt(f)?,
            Stmt::While(w) => self.while_stmt(w)?,
            Stmt::If(i) => self.if_stmt(i)?,
            Stmt::With(w) => self.with_stmt(w)?,
            Stmt::Match(m) => self.match_stmt(m)?,
            Stmt::Raise(r) => self.raise_stmt(r)?,
            Stmt::Try(t) => self.try_stmt(t)?,
            Stmt::Assert(a) => self.assert(a)?,
            Stmt::Import(i) => self.import(i)?,
            Stmt::ImportFrom(i) => self.import_from(i)?,
            Stmt::Global(_) | Stmt::Nonlocal(_) => {}
            Stmt::Expr(e) => {
                if self.interactive && self.outer.is_empty() {
                    let v = self.expr(&e.value)?;
                    self.u.buf.loc = Loc::of(s);
                    self.u.buf.op(Op::PRINT_EXPR, v, 0, 0);
                } else if self.fold.fold(&e.value).is_some() {
                    self.nop();
                } else {
                    self.expr_effect(&e.value)?;
                }
            }
            Stmt::Pass(_) => self.nop(),
            Stmt::Break(b) => {
                let Some((keep, exit, _, _)) = self.innermost_loop() else {
                    self.check_star(0, b)?;
                    return self.fail(b, "'break' outside loop");
                };
                self.check_star(keep, b)?;
                if self.u.frames.len() > keep {
                    self.nop();
                }
                let left = self.leave_frames(keep)?;
                self.u.buf.jump(Op::JUMP, 0, 0, exit);
                self.reenter_frames(left);
            }
            Stmt::Continue(c) => {
                let Some((keep, _, index, next)) = self.innermost_loop() else {
                    self.check_star(0, c)?;
                    return self.fail(c, "'continue' not properly in loop");
                };
                self.check_star(keep, c)?;
                if self.u.frames.len() > keep {
                    self.nop();
                }
                let left = self.leave_frames(keep)?;
                if !self.u.buf.dead {
                    self.u.buf.close_loop(index, next);
                }
                self.reenter_frames(left);
            }
            Stmt::TypeAlias(_) | Stmt::IpyEscapeCommand(_) => {
                return self.fail(s, "invalid syntax");
            }
        }
        Ok(())
    }

    /// Frames to keep, exit label, loop index and free register of the loop around.
    fn innermost_loop(&self) -> Option<(usize, crate::emit::Label, u16, u16)> {
        self.u
            .frames
            .iter()
            .enumerate()
            .rev()
            .find_map(|(i, f)| match f {
                Frame::Loop { index, next, exit } => Some((i + 1, *exit, *index, *next)),
                _ => None,
            })
    }

    fn check_star(&self, keep: usize, at: &impl ruff_text_size::Ranged) -> Res {
        if self.u.frames[keep..]
            .iter()
            .any(|f| matches!(f, Frame::ExceptStar))
        {
            return self.fail(
                at,
                "'break', 'continue' and 'return' cannot appear in an except* block",
            );
        }
        Ok(())
    }

    fn return_stmt(&mut self, r: &'a StmtReturn) -> Res {
        if !self.u.kind.is_function() {
            return self.fail(r, "'return' outside function");
        }
        let block = self.table.block(self.u.block);
        if r.value.is_some() && self.u.async_def && block.is_generator {
            return self.fail(r, "'return' with value in async generator");
        }
        self.check_star(0, r)?;
        let constant = match &r.value {
            None => Some(Const::None),
            Some(e) => self.fold.fold(e),
        };
        if let Some(c) = constant {
            if let Some(e) = &r.value {
                self.u.buf.loc = Loc::of(&**e);
                self.nop_if_other_line(r);
            }
            let loc = match &r.value {
                Some(e) if self.line(Loc::of(&**e).start) == self.line(Loc::of(r).start) => {
                    Loc::of(&**e)
                }
                _ => Loc::of(r),
            };
            self.u.buf.loc = loc;
            let left = self.leave_frames(0)?;
            self.u.buf.loc = loc;
            if !self.u.buf.dead {
                let t = self.u.buf.alloc(1);
                self.load_const(c, t);
                self.u.buf.leave(Op::RETURN, t, 0);
            }
            self.reenter_frames(left);
            return Ok(());
        }
        let e = r
            .value
            .as_deref()
            .expect("a missing value is the constant None");
        let v = if self.return_runs_code() {
            self.expr_new(e)?
        } else {
            self.expr(e)?
        };
        self.u.buf.loc = Loc::of(r);
        let left = self.leave_frames(0)?;
        self.u.buf.loc = Loc::of(r);
        if !self.u.buf.dead {
            self.u.buf.leave(Op::RETURN, v, 0);
        }
        self.reenter_frames(left);
        Ok(())
    }

    /// A constant on another line than its `return` still is a traced line.
    fn nop_if_other_line(&mut self, r: &StmtReturn) {
        if self.line(self.u.buf.loc.start) != self.line(Loc::of(r).start) {
            self.nop();
        }
    }

    fn if_stmt(&mut self, i: &'a StmtIf) -> Res {
        let end = self.u.buf.label();
        let mut other = self.u.buf.label();
        self.jump_if(&i.test, other, false)?;
        self.body(&i.body)?;
        for clause in &i.elif_else_clauses {
            self.u.buf.loc = Loc::NONE;
            self.u.buf.jump(Op::JUMP, 0, 0, end);
            self.u.buf.bind(other);
            other = self.u.buf.label();
            if let Some(test) = &clause.test {
                self.u.buf.loc = Loc::of(test);
                self.jump_if(test, other, false)?;
            }
            self.body(&clause.body)?;
        }
        self.u.buf.bind(other);
        self.u.buf.bind(end);
        Ok(())
    }

    fn while_stmt(&mut self, w: &'a StmtWhile) -> Res {
        let loc = Loc::of(w);
        let (orelse, exit) = (self.u.buf.label(), self.u.buf.label());
        let next = self.u.buf.next;
        let index = self.u.buf.open_loop();
        self.push_frame(Frame::Loop { index, next, exit }, loc)?;
        self.jump_if(&w.test, orelse, false)?;
        self.body(&w.body)?;
        self.u.frames.pop();
        self.u.buf.loc = Loc::NONE;
        if !self.u.buf.dead {
            self.u.buf.close_loop(index, next);
        }
        self.u.buf.bind(orelse);
        self.body(&w.orelse)?;
        self.u.buf.bind(exit);
        Ok(())
    }

    fn for_stmt(&mut self, f: &'a StmtFor) -> Res {
        let loc = Loc::of(&*f.iter);
        if f.is_async && !self.u.async_def && !self.top_level_await() {
            return self.fail(f, "'async for' outside async function");
        }
        let iter = self.u.buf.alloc(1);
        let source = self.operand(&f.iter, iter)?;
        self.u.buf.loc = loc;
        let get = if f.is_async {
            Op::GET_AITER
        } else {
            Op::GET_ITER
        };
        self.u.buf.op(get, iter, source, 0);
        self.u.buf.next = iter + 1;
        let exit = self.u.buf.label();
        if f.is_async {
            let exc = self.u.buf.alloc(1);
            let next = self.u.buf.next;
            let index = self.u.buf.open_loop();
            self.push_frame(Frame::Loop { index, next, exit }, Loc::of(f))?;
            self.async_next(iter, exc, &f.target, loc, |me| {
                me.body(&f.body)?;
                me.u.buf.loc = Loc::NONE;
                if !me.u.buf.dead {
                    me.u.buf.close_loop(index, next);
                }
                Ok(())
            })?;
            self.u.frames.pop();
        } else {
            let next = self.u.buf.next;
            let index = self.u.buf.open_loop();
            let done = self.u.buf.label();
            self.push_frame(Frame::Loop { index, next, exit }, Loc::of(f))?;
            self.for_next(iter, done, &f.target, loc)?;
            self.body(&f.body)?;
            self.u.frames.pop();
            self.u.buf.loc = Loc::NONE;
            if !self.u.buf.dead {
                self.u.buf.close_loop(index, next);
            }
            self.u.buf.bind(done);
        }
        self.body(&f.orelse)?;
        self.u.buf.bind(exit);
        Ok(())
    }

    // --- imports ---------------------------------------------------------------

    fn import(&mut self, i: &StmtImport) -> Res {
        let loc = Loc::of(i);
        for a in &i.names {
            self.check_name(a.asname.as_ref().unwrap_or(&a.name), i, "assign to")?;
            let mark = self.u.buf.next;
            self.u.buf.loc = loc;
            let args = self.u.buf.alloc(2);
            let module = self.import_module(args, 0, Const::None, &a.name);
            let mut parts = a.name.split('.');
            match &a.asname {
                None => {
                    let first = parts.next().unwrap_or("");
                    self.store_name(first, module);
                }
                Some(name) => {
                    // `import a.b as c` reads b from the package that was returned.
                    for part in parts.skip(1) {
                        let part = self.mangled(part);
                        let ic = self.u.buf.cache(&part);
                        self.u.buf.op(Op::IMPORT_FROM, module, module, ic);
                    }
                    self.store_name(name, module);
                }
            }
            self.u.buf.next = mark;
        }
        Ok(())
    }

    fn import_module(&mut self, args: u16, level: i64, from: Const, name: &str) -> u16 {
        self.load_const(Const::Int(level), args);
        self.load_const(from, args + 1);
        let name = self.mangled(name);
        let ic = self.u.buf.cache(&name);
        self.u.buf.op(Op::IMPORT_NAME, args, args, ic);
        args
    }

    fn import_from(&mut self, i: &StmtImportFrom) -> Res {
        let loc = Loc::of(i);
        self.u.buf.loc = loc;
        let names = i
            .names
            .iter()
            .map(|a| crate::consts::string(&a.name))
            .collect();
        let args = self.u.buf.alloc(2);
        let module = i.module.as_ref().map_or("", |m| m.as_str());
        let module = self.import_module(args, i64::from(i.level), Const::Tuple(names), module);
        let item = self.u.buf.alloc(1);
        for a in &i.names {
            self.u.buf.loc = loc;
            if a.name.as_str() == "*" {
                if self.u.kind != BlockKind::Module {
                    return self.fail(i, "import * only allowed at module level");
                }
                self.u.buf.op(Op::IMPORT_STAR, module, 0, 0);
                continue;
            }
            let ic = self.attr_cache(&a.name);
            self.u.buf.op(Op::IMPORT_FROM, item, module, ic);
            let name = a.asname.as_ref().unwrap_or(&a.name);
            self.check_name(name, i, "assign to")?;
            self.store_name(name, item);
        }
        Ok(())
    }

    /// The block in hand has annotations of its own names.
    pub(crate) fn keeps_annotations(&self, name: &str) -> bool {
        !self.u.kind.is_function()
            && self
                .table
                .block(self.u.block)
                .symbol(name)
                .is_none_or(|s| s.flags & uses::PARAM == 0)
    }
}

/// An annotated assignment occurs in the statements or inside their compound ones.
fn has_annotations(body: &[Stmt]) -> bool {
    body.iter().any(|s| match s {
        Stmt::AnnAssign(_) => true,
        Stmt::For(f) => has_annotations(&f.body) || has_annotations(&f.orelse),
        Stmt::While(w) => has_annotations(&w.body) || has_annotations(&w.orelse),
        Stmt::If(i) => {
            has_annotations(&i.body) || i.elif_else_clauses.iter().any(|c| has_annotations(&c.body))
        }
        Stmt::With(w) => has_annotations(&w.body),
        Stmt::Match(m) => m.cases.iter().any(|c| has_annotations(&c.body)),
        Stmt::Try(t) => {
            has_annotations(&t.body)
                || has_annotations(&t.orelse)
                || has_annotations(&t.finalbody)
                || t.handlers
                    .iter()
                    .any(|ExceptHandler::ExceptHandler(h)| has_annotations(&h.body))
        }
        _ => false,
    })
}
