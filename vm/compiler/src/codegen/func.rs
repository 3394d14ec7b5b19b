//! Functions, lambdas, classes and comprehensions.

use super::call::{HEADER, no_arguments};
use super::expr::WINDOW;
use super::{Gen, Res, Var};
use crate::consts;
use crate::emit::{Label, Reg};
use crate::loc::Loc;
use crate::symtable::BlockKind;
use pyrite_bytecode::{CodeFlags, CodeUnit, Const, Op};
use ruff_python_ast::*;
use ruff_text_size::Ranged;

impl<'a> Gen<'a> {
    pub(crate) fn function_def(&mut self, f: &'a StmtFunctionDef) -> Res {
        let mark = self.u.buf.next;
        self.check_name(&f.name, f, "assign to")?;
        let loc = self.def_loc(f, &f.decorator_list);
        let first_line = self.first_line(&f.decorator_list, loc);
        let slot = self.decorators(&f.decorator_list)?;
        // A plain local is written by the last instruction itself.
        let name = self.mangled(&f.name);
        let dst = match self.resolve(&name) {
            Var::Fast(r) if f.decorator_list.is_empty() => r,
            _ => slot,
        };
        self.u.buf.loc = loc;
        let parts = self.u.buf.alloc(4);
        let mut d = self.defaults(&f.parameters, parts, loc)?;
        d |= self.annotations(&f.parameters, f.returns.as_deref(), parts + 2, loc)?;
        let in_class = self.u.kind == BlockKind::Class;
        self.enter(f, &f.name, first_line);
        self.u.async_def = f.is_async;
        if in_class {
            let first = f
                .parameters
                .posonlyargs
                .iter()
                .chain(&f.parameters.args)
                .next();
            self.u.self_param = first.map(|p| p.parameter.name.as_str().into());
        }
        self.parameter_counts(&f.parameters)?;
        self.docstring(&f.body);
        self.start_cells();
        let has_text =
            matches!(f.body.first(), Some(Stmt::Expr(e)) if e.value.is_string_literal_expr());
        self.body(&f.body[usize::from(has_text)..])?;
        self.return_none();
        let code = self.exit()?;
        self.make_function(code, parts, d, dst, loc);
        self.apply_decorators(&f.decorator_list, slot);
        self.u.buf.loc = loc;
        self.store_mangled(&name, dst);
        self.u.buf.next = mark;
        Ok(())
    }

    /// A definition's range without its decorators.
    fn def_loc(&self, whole: &impl Ranged, decorators: &[Decorator]) -> Loc {
        let loc = Loc::of(whole);
        let Some(last) = decorators.last() else {
            return loc;
        };
        let mut at = last.range().end().to_usize();
        let rest = self.source.slice(at, loc.end as usize).as_bytes();
        let mut comment = false;
        for &b in rest {
            match b {
                b'\n' | b'\r' => comment = false,
                b'#' => comment = true,
                b' ' | b'\t' | b'\x0c' | b'\\' => {}
                _ if comment => {}
                _ => break,
            }
            at += 1;
        }
        Loc {
            start: at as u32,
            end: loc.end,
        }
    }

    fn first_line(&self, decorators: &[Decorator], def: Loc) -> u32 {
        match decorators.first() {
            Some(d) => self.line(d.expression.range().start().to_u32()),
            None => self.line(def.start),
        }
    }

    /// Evaluates decorators into nested windows; the register that takes the
    /// definition, which is the innermost window's argument.
    fn decorators(&mut self, decorators: &[Decorator]) -> Res<Reg> {
        for d in decorators {
            let w = self.u.buf.alloc(HEADER);
            self.expr_into(&d.expression, w)?;
        }
        Ok(self.u.buf.alloc(1))
    }

    /// Calls the decorators, innermost first; the result ends up in `slot`.
    fn apply_decorators(&mut self, decorators: &[Decorator], slot: Reg) {
        let mut w = slot;
        for d in decorators.iter().rev() {
            w -= HEADER;
            self.u.buf.loc = Loc::of(&d.expression);
            self.u.buf.op(Op::CALL, w, 1, w);
        }
        self.u.buf.mov(slot, w);
    }

    fn docstring(&mut self, body: &[Stmt]) {
        let doc = match body.first() {
            Some(Stmt::Expr(e))
                if self.options.optimize < 2 && e.value.is_string_literal_expr() =>
            {
                self.fold.fold(&e.value)
            }
            _ => None,
        };
        self.u.out.has_docstring = doc.is_some();
        self.u.buf.constant(doc.unwrap_or(Const::None));
    }

    fn parameter_counts(&mut self, p: &Parameters) -> Res {
        for a in p.iter().map(|p| p.as_parameter()) {
            self.check_name(&a.name, a, "assign to")?;
        }
        let out = &mut self.u.out;
        out.posonly_count = p.posonlyargs.len() as u32;
        out.arg_count = (p.posonlyargs.len() + p.args.len()) as u32;
        out.kwonly_count = p.kwonlyargs.len() as u32;
        if p.vararg.is_some() {
            out.flags.0 |= CodeFlags::VARARGS;
        }
        if p.kwarg.is_some() {
            out.flags.0 |= CodeFlags::VARKEYWORDS;
        }
        Ok(())
    }

    /// Default values into `parts` and `parts + 1`; bits of `MAKE_FUNCTION`'s `d`.
    fn defaults(&mut self, p: &Parameters, parts: Reg, loc: Loc) -> Res<u8> {
        let mut d = 0;
        let mark = self.u.buf.next;
        let positional: Vec<&Expr> = p
            .posonlyargs
            .iter()
            .chain(&p.args)
            .filter_map(|a| a.default.as_deref())
            .collect();
        if !positional.is_empty() {
            d |= 1;
            let consts: Option<Vec<Const>> = positional.iter().map(|e| self.fold.fold(e)).collect();
            match consts {
                Some(c) => {
                    self.u.buf.loc = loc;
                    self.load_const(Const::Tuple(c), parts);
                }
                None => {
                    for e in &positional {
                        self.expr_new(e)?;
                    }
                    self.u.buf.loc = loc;
                    self.u
                        .buf
                        .op(Op::BUILD_TUPLE, parts, mark, positional.len() as u16);
                    self.u.buf.next = mark;
                }
            }
        }
        let mut n = 0;
        for a in &p.kwonlyargs {
            if let Some(e) = &a.default {
                let name = self.mangled(&a.parameter.name);
                let t = self.u.buf.alloc(1);
                self.u.buf.loc = loc;
                self.load_const(consts::string(&name), t);
                self.expr_new(e)?;
                n += 1;
            }
        }
        if n > 0 {
            d |= 2;
            self.u.buf.loc = loc;
            self.u.buf.op(Op::BUILD_MAP, parts + 1, mark, n);
            self.u.buf.next = mark;
        }
        Ok(d)
    }

    fn annotations(
        &mut self,
        p: &Parameters,
        returns: Option<&Expr>,
        dst: Reg,
        loc: Loc,
    ) -> Res<u8> {
        let mark = self.u.buf.next;
        let params = p
            .posonlyargs
            .iter()
            .chain(&p.args)
            .map(|a| &a.parameter)
            .chain(p.vararg.as_deref())
            .chain(p.kwonlyargs.iter().map(|a| &a.parameter))
            .chain(p.kwarg.as_deref());
        let named = params
            .filter_map(|a| Some((a.name.as_str(), a.annotation.as_deref()?)))
            .chain(returns.map(|e| ("return", e)));
        let mut n = 0;
        for (name, e) in named {
            let name = self.mangled(name);
            let t = self.u.buf.alloc(1);
            self.u.buf.loc = loc;
            self.load_const(consts::string(&name), t);
            let v = self.u.buf.alloc(1);
            if let (Expr::Starred(s), false) = (e, self.options.future_annotations) {
                // PEP 646: `*args: *Ts` unpacks one item.
                let star = self.expr(&s.value)?;
                self.u.buf.loc = Loc::of(s);
                self.u.buf.op(Op::UNPACK_SEQUENCE, v, star, 1);
                self.u.buf.next = v + 1;
            } else {
                self.annotation_into(e, v)?;
            }
            n += 2;
        }
        if n == 0 {
            return Ok(0);
        }
        self.u.buf.loc = loc;
        self.u.buf.op(Op::BUILD_TUPLE, dst, mark, n);
        self.u.buf.next = mark;
        Ok(4)
    }

    /// An annotation's value, or its text under `from __future__ import annotations`.
    pub(crate) fn annotation_into(&mut self, e: &Expr, dst: Reg) -> Res {
        if self.options.future_annotations {
            self.u.buf.loc = Loc::of(e);
            let text = self.unparse(e);
            self.load_const(Const::Str(text), dst);
            return Ok(());
        }
        self.expr_into(e, dst)
    }

    /// `dst` = function of `code`; `parts` as `MAKE_FUNCTION`'s `c`.
    fn make_function(&mut self, code: CodeUnit, parts: Reg, mut d: u8, dst: Reg, loc: Loc) {
        self.u.buf.loc = loc;
        if !code.freevars.is_empty() {
            d |= 8;
            let mark = self.u.buf.next;
            for (name, _) in &code.freevars {
                let cell = self
                    .cell_register(name)
                    .expect("a free variable's cell is in the enclosing unit");
                let t = self.u.buf.alloc(1);
                self.u.buf.op(Op::MOVE, t, cell, 0);
            }
            let n = code.freevars.len() as u16;
            self.u.buf.op(Op::BUILD_TUPLE, parts + 3, mark, n);
            self.u.buf.next = mark;
        }
        let k = self.u.buf.constant(Const::Code(Box::new(code)));
        self.u.buf.op_d(Op::MAKE_FUNCTION, d, dst, k, parts);
    }

    pub(crate) fn lambda(&mut self, l: &ExprLambda, dst: Reg) -> Res {
        let loc = Loc::of(l);
        let parts = self.u.buf.alloc(4);
        let mut d = 0;
        if let Some(p) = &l.parameters {
            d = self.defaults(p, parts, loc)?;
        }
        let line = self.line(loc.start);
        self.enter(l, "<lambda>", line);
        if let Some(p) = &l.parameters {
            self.parameter_counts(p)?;
        }
        self.u.buf.constant(Const::None);
        self.start_cells();
        let v = self.expr(&l.body)?;
        self.u.buf.loc = loc;
        self.u.buf.leave(Op::RETURN, v, 0);
        let code = self.exit()?;
        self.make_function(code, parts, d, dst, loc);
        Ok(())
    }

    pub(crate) fn class_def(&mut self, c: &'a StmtClassDef) -> Res {
        let mark = self.u.buf.next;
        self.check_name(&c.name, c, "assign to")?;
        if let Some(a) = &c.arguments {
            self.check_arguments(a)?;
        }
        let loc = self.def_loc(c, &c.decorator_list);
        let first_line = self.first_line(&c.decorator_list, loc);
        let slot = self.decorators(&c.decorator_list)?;
        self.enter(c, &c.name, first_line);
        self.u.buf.constant(Const::None);
        let top = self.source.line_start(first_line) as u32;
        self.u.buf.loc = Loc {
            start: top,
            end: top,
        };
        self.start_cells();
        let t = self.u.buf.alloc(1);
        self.load_name("__name__", t);
        self.store_mangled("__module__", t);
        let qualname = consts::string(&self.u.qualname.clone());
        self.load_const(qualname, t);
        self.store_mangled("__qualname__", t);
        self.u.buf.next = t;
        self.namespace_body(&c.body)?;
        self.u.buf.keep_loc();
        if let Some(cell) = self
            .table
            .block(self.u.block)
            .needs_class_cell
            .then_some("__class__")
        {
            let cell = self
                .cell_register(cell)
                .expect("a class cell has a register");
            let ic = self.u.buf.cache("__classcell__");
            self.u.buf.op(Op::STORE_NAME, cell, 0, ic);
            if !self.u.buf.dead {
                self.u.buf.leave(Op::RETURN, cell, 0);
            }
        } else {
            self.return_none();
        }
        let code = self.exit()?;
        self.u.buf.loc = loc;
        let w = self.u.buf.alloc(HEADER);
        self.u.buf.op(Op::BUILD_CLASS_FN, w, 0, 0);
        let function = self.u.buf.alloc(2);
        let parts = self.u.buf.alloc(4);
        self.make_function(code, parts, 0, function, loc);
        self.u.buf.next = function + 2;
        self.load_const(consts::string(&c.name), function + 1);
        let none = no_arguments();
        let args = c.arguments.as_deref().unwrap_or(&none);
        self.call_with(w, &[function, function + 1], args, loc, slot)?;
        self.u.buf.next = w;
        self.apply_decorators(&c.decorator_list, slot);
        self.u.buf.loc = loc;
        self.store_name(&c.name, slot);
        self.u.buf.next = mark;
        Ok(())
    }

    /// A comprehension or generator expression: a function of its own, called
    /// with the iterator of the first `for`.
    #[expect(
        clippy::too_many_arguments,
        reason = "the four node types share no common part"
    )]
    pub(crate) fn comprehension<T>(
        &mut self,
        node: &T,
        kind: BlockKind,
        generators: &[Comprehension],
        element: &Expr,
        value: Option<&Expr>,
        loc: Loc,
        dst: Reg,
    ) -> Res {
        let block = self.table.block(self.table.block_of(node));
        let is_async = block.is_coroutine && kind != BlockKind::Generator;
        if is_async
            && !self.u.async_def
            && !self.u.kind.is_comprehension()
            && !self.top_level_await()
        {
            let at = ruff_text_size::TextRange::new(loc.start.into(), loc.end.into());
            return self.fail(
                &at,
                "asynchronous comprehension outside of an asynchronous function",
            );
        }
        let name = match kind {
            BlockKind::ListComp => "<listcomp>",
            BlockKind::SetComp => "<setcomp>",
            BlockKind::DictComp => "<dictcomp>",
            _ => "<genexpr>",
        };
        let line = self.line(loc.start);
        self.enter(node, name, line);
        self.u.out.arg_count = 1;
        self.u.buf.constant(Const::None);
        self.u.buf.loc = loc;
        self.start_cells();
        let result = match kind {
            BlockKind::ListComp => Some(Op::BUILD_LIST),
            BlockKind::SetComp => Some(Op::BUILD_SET),
            BlockKind::DictComp => Some(Op::BUILD_MAP),
            _ => None,
        };
        let acc = result.map(|op| {
            let acc = self.u.buf.alloc(1);
            self.u.buf.op(op, acc, 0, 0);
            acc
        });
        self.comp_loops(kind, generators, 0, element, value, acc, loc)?;
        self.u.buf.loc = loc;
        match acc {
            Some(acc) if !self.u.buf.dead => self.u.buf.leave(Op::RETURN, acc, 0),
            _ => self.return_none(),
        }
        let code = self.exit()?;
        let w = self.u.buf.alloc(HEADER);
        let iter = self.u.buf.alloc(1);
        let parts = self.u.buf.alloc(4);
        self.make_function(code, parts, 0, w, loc);
        self.u.buf.next = iter + 1;
        let first = &generators[0];
        let source = self.operand(&first.iter, iter)?;
        self.u.buf.loc = loc;
        let get = if first.is_async {
            Op::GET_AITER
        } else {
            Op::GET_ITER
        };
        self.u.buf.op(get, iter, source, 0);
        self.u.buf.next = iter + 1;
        if is_async {
            self.u.buf.op(Op::CALL, w, 1, w);
            self.u.buf.next = w + 1;
            self.await_value(w, 0, dst);
        } else {
            self.u.buf.op(Op::CALL, w, 1, dst);
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the state of one recursion")]
    fn comp_loops(
        &mut self,
        kind: BlockKind,
        generators: &[Comprehension],
        depth: usize,
        element: &Expr,
        value: Option<&Expr>,
        acc: Option<Reg>,
        loc: Loc,
    ) -> Res {
        let mark = self.u.buf.next;
        let Some(g) = generators.get(depth) else {
            match (kind, acc) {
                (BlockKind::DictComp, Some(acc)) => {
                    let key = self.expr(element)?;
                    let v = self.expr(value.expect("a dict comprehension has values"))?;
                    self.u.buf.loc = Loc {
                        start: Loc::of(element).start,
                        end: value.map_or(0, |v| Loc::of(v).end),
                    };
                    self.u.buf.op(Op::MAP_ADD, acc, key, v);
                }
                (_, Some(acc)) => {
                    let v = self.expr(element)?;
                    self.u.buf.loc = Loc::of(element);
                    let op = if kind == BlockKind::ListComp {
                        Op::LIST_APPEND
                    } else {
                        Op::SET_ADD
                    };
                    self.u.buf.op(op, acc, v, 0);
                }
                (_, None) => {
                    let sent = self.u.buf.alloc(1);
                    let v = self.operand(element, sent)?;
                    self.u.buf.loc = loc;
                    self.emit_yield(v, sent);
                }
            }
            self.u.buf.next = mark;
            return Ok(());
        };
        let iter = if depth == 0 {
            0
        } else {
            let t = self.u.buf.alloc(1);
            let source = self.operand(&g.iter, t)?;
            self.u.buf.loc = Loc::of(&g.iter);
            let get = if g.is_async {
                Op::GET_AITER
            } else {
                Op::GET_ITER
            };
            self.u.buf.op(get, t, source, 0);
            t
        };
        let inner = |me: &mut Self, again: Label| -> Res {
            for cond in &g.ifs {
                me.jump_if(cond, again, false)?;
            }
            me.comp_loops(kind, generators, depth + 1, element, value, acc, loc)
        };
        let exit = self.u.buf.label();
        let again = self.u.buf.label();
        let next = self.u.buf.next;
        if g.is_async {
            let exc = self.u.buf.alloc(1);
            let index = self.u.buf.open_loop();
            self.async_next(iter, exc, &g.target, loc, |me| {
                inner(me, again)?;
                me.u.buf.bind(again);
                me.u.buf.loc = loc;
                me.u.buf.close_loop(index, next);
                Ok(())
            })?;
        } else {
            self.u.buf.loc = loc;
            let index = self.u.buf.open_loop();
            self.for_next(iter, exit, &g.target, loc)?;
            inner(self, again)?;
            self.u.buf.bind(again);
            self.u.buf.loc = loc;
            self.u.buf.close_loop(index, next);
            self.u.buf.bind(exit);
        }
        self.u.buf.next = mark;
        Ok(())
    }

    /// The head of a `for` loop: next item into the target, or to `exit`.
    pub(crate) fn for_next(&mut self, iter: Reg, exit: Label, target: &Expr, loc: Loc) -> Res {
        let mark = self.u.buf.next;
        let fast = match target {
            Expr::Name(n) => {
                self.check_name(&n.id, n, "assign to")?;
                match self.resolve(&self.mangled(&n.id)) {
                    Var::Fast(r) => Some(r),
                    _ => None,
                }
            }
            _ => None,
        };
        let item = fast.unwrap_or_else(|| self.u.buf.alloc(1));
        self.u.buf.loc = loc;
        let window = self.u.buf.next;
        self.u.buf.reserve(WINDOW);
        self.u.buf.op(Op::FOR_ITER, iter, item, window);
        self.u.buf.skippable_jump(exit);
        match fast {
            Some(r) => self.now_bound(r),
            None => self.store(target, item)?,
        }
        self.u.buf.next = mark;
        Ok(())
    }

    /// One round of an `async for`: next item into the target, then `body`, which
    /// closes the loop; the end of the iteration goes on behind.
    pub(crate) fn async_next(
        &mut self,
        iter: Reg,
        exc: Reg,
        target: &Expr,
        loc: Loc,
        body: impl FnOnce(&mut Self) -> Res,
    ) -> Res {
        let mark = self.u.buf.next;
        let region = self.u.buf.open_region(exc, false);
        self.u.buf.loc = loc;
        let pair = self.u.buf.alloc(2);
        self.u.buf.op(Op::GET_ANEXT, pair, iter, 0);
        self.delegate(pair);
        self.u.buf.close_region(region);
        self.store(target, pair + 1)?;
        self.u.buf.next = mark;
        body(self)?;
        self.u.buf.loc = loc;
        self.u.buf.bind_handler(region);
        self.u.buf.op(Op::END_ASYNC_FOR, exc, 0, 0);
        Ok(())
    }
}
