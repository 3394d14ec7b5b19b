//! First walk: over statements, expressions and patterns, in CPython's order.

use super::build::{Builder, Res};
use super::{BlockKind, uses};
use pyrite_front::{ErrorKind, SyntaxErrorInfo};
use ruff_python_ast::*;
use ruff_text_size::{Ranged, TextRange};

/// Levels of syntax tree that CPython's symbol table follows: three times its
/// default recursion limit.
const MAX_DEPTH: u32 = 3000;

impl Builder<'_> {
    pub(super) fn body(&mut self, body: &[Stmt]) -> Res {
        for s in body {
            self.stmt(s)?;
        }
        Ok(())
    }

    fn nested(&mut self, f: impl FnOnce(&mut Self) -> Res) -> Res {
        if self.depth >= MAX_DEPTH {
            return Err(SyntaxErrorInfo::bare(
                ErrorKind::Recursion,
                "maximum recursion depth exceeded during compilation",
            ));
        }
        self.depth += 1;
        let r = stacker::maybe_grow(64 * 1024, 1024 * 1024, || f(self));
        self.depth -= 1;
        r
    }

    pub(super) fn stmt(&mut self, s: &Stmt) -> Res {
        self.nested(|b| b.stmt_inner(s))
    }

    pub(super) fn expr(&mut self, e: &Expr) -> Res {
        self.nested(|b| b.expr_inner(e))
    }

    fn exprs<'e>(&mut self, es: impl IntoIterator<Item = &'e Expr>) -> Res {
        for e in es {
            self.expr(e)?;
        }
        Ok(())
    }

    fn opt(&mut self, e: Option<&Expr>) -> Res {
        e.map_or(Ok(()), |e| self.expr(e))
    }

    fn stmt_inner(&mut self, s: &Stmt) -> Res {
        match s {
            Stmt::FunctionDef(f) => {
                self.add(&f.name, uses::LOCAL, f.range)?;
                self.defaults(&f.parameters)?;
                self.annotations(&f.parameters, f.returns.as_deref())?;
                for d in &f.decorator_list {
                    self.expr(&d.expression)?;
                }
                self.enter(BlockKind::Function, f, f.range);
                self.cur().is_coroutine = f.is_async;
                self.parameters(&f.parameters)?;
                self.body(&f.body)?;
                self.leave();
            }
            Stmt::ClassDef(c) => {
                self.add(&c.name, uses::LOCAL, c.range)?;
                if let Some(a) = &c.arguments {
                    self.arguments(a)?;
                }
                for d in &c.decorator_list {
                    self.expr(&d.expression)?;
                }
                self.enter(BlockKind::Class, c, c.range);
                let outer = self.class.replace(c.name.as_str().into());
                self.body(&c.body)?;
                self.class = outer;
                self.leave();
            }
            Stmt::Return(r) => {
                self.opt(r.value.as_deref())?;
                self.cur().returns_value |= r.value.is_some();
            }
            Stmt::Delete(d) => {
                for t in &d.targets {
                    self.expr(t)?;
                }
            }
            Stmt::Assign(a) => {
                self.exprs(&a.targets)?;
                self.expr(&a.value)?;
            }
            Stmt::AugAssign(a) => {
                self.expr(&a.target)?;
                self.expr(&a.value)?;
            }
            Stmt::AnnAssign(a) => self.ann_assign(a)?,
            Stmt::For(f) => {
                self.cur().is_coroutine |= f.is_async;
                self.expr(&f.target)?;
                self.expr(&f.iter)?;
                self.body(&f.body)?;
                self.body(&f.orelse)?;
            }
            Stmt::While(w) => {
                self.expr(&w.test)?;
                self.body(&w.body)?;
                self.body(&w.orelse)?;
            }
            Stmt::If(i) => {
                self.expr(&i.test)?;
                self.body(&i.body)?;
                for c in &i.elif_else_clauses {
                    self.opt(c.test.as_ref())?;
                    self.body(&c.body)?;
                }
            }
            Stmt::With(w) => {
                self.cur().is_coroutine |= w.is_async;
                for item in &w.items {
                    self.expr(&item.context_expr)?;
                    self.opt(item.optional_vars.as_deref())?;
                }
                self.body(&w.body)?;
            }
            Stmt::Match(m) => {
                self.expr(&m.subject)?;
                for c in &m.cases {
                    self.pattern(&c.pattern)?;
                    self.opt(c.guard.as_deref())?;
                    self.body(&c.body)?;
                }
            }
            Stmt::Raise(r) => {
                self.opt(r.exc.as_deref())?;
                self.opt(r.cause.as_deref())?;
            }
            Stmt::Try(t) => {
                self.body(&t.body)?;
                self.body(&t.orelse)?;
                for ExceptHandler::ExceptHandler(h) in &t.handlers {
                    self.opt(h.type_.as_deref())?;
                    if let Some(n) = &h.name {
                        self.add(n, uses::LOCAL | uses::DELETED, h.range)?;
                    }
                    self.body(&h.body)?;
                }
                self.body(&t.finalbody)?;
            }
            Stmt::Assert(a) => {
                self.expr(&a.test)?;
                self.opt(a.msg.as_deref())?;
            }
            Stmt::Import(i) => {
                for a in &i.names {
                    self.alias(a)?;
                }
            }
            Stmt::ImportFrom(i) => {
                for a in &i.names {
                    self.alias(a)?;
                }
            }
            Stmt::Global(g) => {
                for n in &g.names {
                    self.scope_directive(n, g.range, uses::GLOBAL, "global")?;
                }
            }
            Stmt::Nonlocal(g) => {
                for n in &g.names {
                    self.scope_directive(n, g.range, uses::NONLOCAL, "nonlocal")?;
                }
            }
            Stmt::Expr(e) => self.expr(&e.value)?,
            Stmt::Pass(_) | Stmt::Break(_) | Stmt::Continue(_) => {}
            Stmt::TypeAlias(_) | Stmt::IpyEscapeCommand(_) => {
                return self.fail(s, "invalid syntax");
            }
        }
        Ok(())
    }

    fn scope_directive(&mut self, n: &Identifier, at: TextRange, flag: u16, word: &str) -> Res {
        let cur = self.flags_of(n);
        if cur & (uses::PARAM | uses::LOCAL | uses::USE | uses::ANNOTATED) != 0 {
            let name = n.as_str();
            let msg = if cur & uses::PARAM != 0 {
                format!("name '{name}' is parameter and {word}")
            } else if cur & uses::USE != 0 {
                format!("name '{name}' is used prior to {word} declaration")
            } else if cur & uses::ANNOTATED != 0 {
                format!("annotated name '{name}' can't be {word}")
            } else {
                format!("name '{name}' is assigned to before {word} declaration")
            };
            return self.fail(at, msg);
        }
        self.add(n, flag, at)?;
        self.directive(n, at);
        Ok(())
    }

    fn ann_assign(&mut self, a: &StmtAnnAssign) -> Res {
        if let Expr::Name(n) = &*a.target {
            let cur = self.flags_of(&n.id);
            let at_module = self.stack.len() == 1;
            if cur & (uses::GLOBAL | uses::NONLOCAL) != 0 && !at_module && a.simple {
                let word = if cur & uses::GLOBAL != 0 {
                    "global"
                } else {
                    "nonlocal"
                };
                return self.fail(
                    a.range,
                    format!("annotated name '{}' can't be {word}", n.id),
                );
            }
            if a.simple {
                self.add(&n.id, uses::ANNOTATED | uses::LOCAL, n.range)?;
            } else if a.value.is_some() {
                self.add(&n.id, uses::LOCAL, n.range)?;
            }
        } else {
            self.expr(&a.target)?;
        }
        self.annotation(&a.annotation)?;
        self.opt(a.value.as_deref())
    }

    fn alias(&mut self, a: &Alias) -> Res {
        let name = a.asname.as_ref().unwrap_or(&a.name).as_str();
        if name == "*" {
            if self.cur().kind != BlockKind::Module {
                return self.fail(a.range, "import * only allowed at module level");
            }
            return Ok(());
        }
        let first = name.split('.').next().unwrap_or(name);
        self.add(first, uses::IMPORT, a.range)
    }

    fn defaults(&mut self, p: &Parameters) -> Res {
        for d in p.posonlyargs.iter().chain(&p.args) {
            self.opt(d.default.as_deref())?;
        }
        for d in &p.kwonlyargs {
            self.opt(d.default.as_deref())?;
        }
        Ok(())
    }

    fn annotations(&mut self, p: &Parameters, returns: Option<&Expr>) -> Res {
        let all = p
            .posonlyargs
            .iter()
            .chain(&p.args)
            .map(|a| &a.parameter)
            .chain(p.vararg.as_deref())
            .chain(p.kwarg.as_deref())
            .chain(p.kwonlyargs.iter().map(|a| &a.parameter));
        for a in all {
            if let Some(e) = &a.annotation {
                self.annotation(e)?;
            }
        }
        returns.map_or(Ok(()), |e| self.annotation(e))
    }

    fn annotation(&mut self, e: &Expr) -> Res {
        if !self.future_annotations {
            return self.expr(e);
        }
        self.enter(BlockKind::Annotation, e, e.range());
        self.expr(e)?;
        self.leave();
        Ok(())
    }

    fn parameters(&mut self, p: &Parameters) -> Res {
        let plain = p.posonlyargs.iter().chain(&p.args).chain(&p.kwonlyargs);
        for a in plain.map(|a| &a.parameter) {
            self.add(&a.name, uses::PARAM, a.range)?;
        }
        for a in p.vararg.iter().chain(&p.kwarg) {
            self.add(&a.name, uses::PARAM, a.range)?;
        }
        Ok(())
    }

    fn arguments(&mut self, a: &Arguments) -> Res {
        self.exprs(&a.args)?;
        for k in &a.keywords {
            self.expr(&k.value)?;
        }
        Ok(())
    }

    fn refuse_in_annotation(&mut self, what: &str, at: TextRange) -> Res {
        if self.cur().kind == BlockKind::Annotation {
            return self.fail(at, format!("{what} cannot be used within an annotation"));
        }
        Ok(())
    }

    fn expr_inner(&mut self, e: &Expr) -> Res {
        match e {
            Expr::BoolOp(b) => self.exprs(&b.values)?,
            Expr::Named(n) => self.named(n)?,
            Expr::BinOp(b) => {
                self.expr(&b.left)?;
                self.expr(&b.right)?;
            }
            Expr::UnaryOp(u) => self.expr(&u.operand)?,
            Expr::Lambda(l) => {
                if let Some(p) = &l.parameters {
                    self.defaults(p)?;
                }
                self.enter(BlockKind::Lambda, l, l.range);
                if let Some(p) = &l.parameters {
                    self.parameters(p)?;
                }
                self.expr(&l.body)?;
                self.leave();
            }
            Expr::If(i) => {
                self.expr(&i.test)?;
                self.expr(&i.body)?;
                self.expr(&i.orelse)?;
            }
            Expr::Dict(d) => {
                for item in &d.items {
                    self.opt(item.key.as_ref())?;
                }
                for item in &d.items {
                    self.expr(&item.value)?;
                }
            }
            Expr::Set(s) => self.exprs(&s.elts)?,
            Expr::ListComp(c) => {
                self.comprehension(BlockKind::ListComp, c, c.range, &c.generators, &[&c.elt])?;
            }
            Expr::SetComp(c) => {
                self.comprehension(BlockKind::SetComp, c, c.range, &c.generators, &[&c.elt])?;
            }
            Expr::DictComp(c) => {
                let Some(key) = &c.key else {
                    return self.fail(
                        c.range,
                        "dict unpacking cannot be used in dict comprehension",
                    );
                };
                self.comprehension(
                    BlockKind::DictComp,
                    c,
                    c.range,
                    &c.generators,
                    &[key, &c.value],
                )?;
            }
            Expr::Generator(c) => {
                self.comprehension(BlockKind::Generator, c, c.range, &c.generators, &[&c.elt])?;
            }
            Expr::Await(a) => {
                self.refuse_in_annotation("await expression", a.range)?;
                self.expr(&a.value)?;
                self.cur().is_coroutine = true;
            }
            Expr::Yield(y) => {
                self.refuse_in_annotation("yield expression", y.range)?;
                self.opt(y.value.as_deref())?;
                self.yields(y.range)?;
            }
            Expr::YieldFrom(y) => {
                self.refuse_in_annotation("yield expression", y.range)?;
                self.expr(&y.value)?;
                self.yields(y.range)?;
            }
            Expr::Compare(c) => {
                self.expr(&c.left)?;
                self.exprs(&c.comparators)?;
            }
            Expr::Call(c) => {
                self.expr(&c.func)?;
                self.arguments(&c.arguments)?;
            }
            Expr::FString(f) => {
                for part in &f.value {
                    if let FStringPart::FString(f) = part {
                        self.fstring(&f.elements)?;
                    }
                }
            }
            Expr::Attribute(a) => self.expr(&a.value)?,
            Expr::Subscript(s) => {
                self.expr(&s.value)?;
                self.expr(&s.slice)?;
            }
            Expr::Starred(s) => self.expr(&s.value)?,
            Expr::Name(n) => {
                let flag = match n.ctx {
                    ExprContext::Load => uses::USE,
                    ExprContext::Store => uses::LOCAL,
                    _ => uses::LOCAL | uses::DELETED,
                };
                self.add(&n.id, flag, n.range)?;
                if n.ctx == ExprContext::Load && n.id == "super" && self.cur().kind.is_function() {
                    self.add("__class__", uses::USE, n.range)?;
                }
            }
            Expr::List(l) => self.exprs(&l.elts)?,
            Expr::Tuple(t) => self.exprs(&t.elts)?,
            Expr::Slice(s) => {
                self.opt(s.lower.as_deref())?;
                self.opt(s.upper.as_deref())?;
                self.opt(s.step.as_deref())?;
            }
            Expr::NumberLiteral(n) => self.check_digits(n)?,
            Expr::StringLiteral(_)
            | Expr::BytesLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
            | Expr::EllipsisLiteral(_) => {}
            Expr::TString(_) | Expr::IpyEscapeCommand(_) => {
                return self.fail(e, "invalid syntax");
            }
        }
        Ok(())
    }

    /// The interpreter's limit on decimal conversions holds for literals too.
    fn check_digits(&self, n: &ExprNumberLiteral) -> Res {
        let Number::Int(i) = &n.value else {
            return Ok(());
        };
        if i.as_i64().is_some() {
            return Ok(());
        }
        let r = n.range;
        let text = self.source.slice(r.start().to_usize(), r.end().to_usize());
        let decimal = !matches!(text.as_bytes().get(1), Some(c) if c.is_ascii_alphabetic());
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let limit = self.max_digits;
        if decimal && limit > 0 && digits > limit {
            let e = self.fail(
                n,
                format!(
                    "Exceeds the limit ({limit} digits) for integer string conversion: value has {digits} digits; use sys.set_int_max_str_digits() to increase the limit - Consider hexadecimal for huge integer literals to avoid decimal conversion limits."
                ),
            );
            // CPython knows the line only.
            return e.map_err(|e| SyntaxErrorInfo {
                col: 0,
                end_line: e.line,
                end_col: 0,
                ..e
            });
        }
        Ok(())
    }

    fn fstring(&mut self, elements: &InterpolatedStringElements) -> Res {
        for e in elements {
            if let InterpolatedStringElement::Interpolation(i) = e {
                self.expr(&i.expression)?;
                if let Some(spec) = &i.format_spec {
                    self.fstring(&spec.elements)?;
                }
            }
        }
        Ok(())
    }

    fn named(&mut self, n: &ExprNamed) -> Res {
        self.refuse_in_annotation("named expression", n.range)?;
        if self.cur().comp_iter_expr > 0 {
            return self.fail(
                n.range,
                "assignment expression cannot be used in a comprehension iterable expression",
            );
        }
        if let Expr::Name(t) = &*n.target {
            if self.cur().kind.is_comprehension() {
                self.walrus_in_comprehension(&t.id, t.range)?;
                self.expr(&n.value)?;
                return Ok(());
            }
            self.expr(&n.value)?;
            return self.add(&t.id, uses::LOCAL | uses::WALRUS, t.range);
        }
        self.expr(&n.value)?;
        self.expr(&n.target)
    }

    fn yields(&mut self, at: TextRange) -> Res {
        let what = match self.cur().kind {
            BlockKind::ListComp => "list comprehension",
            BlockKind::SetComp => "set comprehension",
            BlockKind::DictComp => "dict comprehension",
            BlockKind::Generator => "generator expression",
            _ => {
                self.cur().is_generator = true;
                return Ok(());
            }
        };
        self.fail(at, format!("'yield' inside {what}"))
    }

    fn comprehension<T>(
        &mut self,
        kind: BlockKind,
        node: &T,
        range: TextRange,
        generators: &[Comprehension],
        elements: &[&Expr],
    ) -> Res {
        let (first, rest) = generators.split_first().expect("a comprehension has a for");
        self.cur().comp_iter_expr += 1;
        let r = self.expr(&first.iter);
        self.cur().comp_iter_expr -= 1;
        r?;
        self.enter(kind, node, range);
        self.cur().is_coroutine = first.is_async;
        self.add(".0", uses::PARAM, range)?;
        self.comp_target(&first.target)?;
        self.exprs(&first.ifs)?;
        for g in rest {
            self.comp_target(&g.target)?;
            self.cur().comp_iter_expr += 1;
            let r = self.expr(&g.iter);
            self.cur().comp_iter_expr -= 1;
            r?;
            self.exprs(&g.ifs)?;
            self.cur().is_coroutine |= g.is_async;
        }
        self.exprs(elements.iter().rev().copied())?;
        self.cur().is_generator = kind == BlockKind::Generator;
        let is_async = self.cur().is_coroutine && kind != BlockKind::Generator;
        self.leave();
        if is_async {
            self.cur().is_coroutine = true;
        }
        Ok(())
    }

    fn comp_target(&mut self, target: &Expr) -> Res {
        self.cur().comp_iter_target = true;
        let r = self.expr(target);
        self.cur().comp_iter_target = false;
        r
    }

    fn pattern(&mut self, p: &Pattern) -> Res {
        self.nested(|b| b.pattern_inner(p))
    }

    fn pattern_inner(&mut self, p: &Pattern) -> Res {
        match p {
            Pattern::MatchValue(v) => self.expr(&v.value)?,
            Pattern::MatchSingleton(_) => {}
            Pattern::MatchSequence(s) => {
                for p in &s.patterns {
                    self.pattern(p)?;
                }
            }
            Pattern::MatchMapping(m) => {
                self.exprs(&m.keys)?;
                for p in &m.patterns {
                    self.pattern(p)?;
                }
                if let Some(n) = &m.rest {
                    self.add(n, uses::LOCAL, m.range)?;
                }
            }
            Pattern::MatchClass(c) => {
                self.expr(&c.cls)?;
                for p in &c.arguments.patterns {
                    self.pattern(p)?;
                }
                for k in &c.arguments.keywords {
                    self.pattern(&k.pattern)?;
                }
            }
            Pattern::MatchStar(s) => {
                if let Some(n) = &s.name {
                    self.add(n, uses::LOCAL, s.range)?;
                }
            }
            Pattern::MatchAs(a) => {
                if let Some(p) = &a.pattern {
                    self.pattern(p)?;
                }
                if let Some(n) = &a.name {
                    self.add(n, uses::LOCAL, a.range)?;
                }
            }
            Pattern::MatchOr(o) => {
                for p in &o.patterns {
                    self.pattern(p)?;
                }
            }
        }
        Ok(())
    }
}
