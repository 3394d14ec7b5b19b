//! The parser's tree as node objects.

use crate::literal;
use pyrite_front::{Mode, Source};
use pyrite_machine::Value;
use pyrite_objects::layout::Gc;
use pyrite_objects::vm::{R, Vm};
use pyrite_stdlib::ast_types::{node_class, singleton};
use ruff_python_ast::*;
use ruff_text_size::{Ranged, TextRange};

/// The node objects for a parsed text.
///
/// # Errors
/// RecursionError for trees nested too deep.
pub fn tree(vm: &mut Vm, tree: &pyrite_front::Tree, source: &Source<'_>, mode: Mode) -> R {
    pyrite_stdlib::builtin_module(vm, "_ast")?;
    let mut t = Maker { vm, source };
    match tree.root() {
        Mod::Module(m) => {
            let body = t.body(&m.body)?;
            if mode == Mode::Single {
                Ok(t.node("Interactive", &[("body", body)]))
            } else {
                let ignores = t.vm.new_list(&[]);
                Ok(t.node("Module", &[("body", body), ("type_ignores", ignores)]))
            }
        }
        Mod::Expression(e) => {
            let body = t.expr(&e.body)?;
            Ok(t.node("Expression", &[("body", body)]))
        }
    }
}

/// Makes node objects.
struct Maker<'a, 's> {
    vm: &'a mut Vm,
    source: &'a Source<'s>,
}

type Fields<'f> = &'f [(&'static str, Value)];

impl Maker<'_, '_> {
    fn node(&mut self, name: &str, fields: Fields<'_>) -> Value {
        let class = node_class(self.vm, name);
        let o = self.vm.new_instance(Gc::from_value(class));
        for &(n, v) in fields {
            let n = self.vm.intern(n);
            self.vm.instance_set(o, n, v);
        }
        o
    }

    fn placed(&mut self, name: &str, range: TextRange, fields: Fields<'_>) -> Value {
        let o = self.node(name, fields);
        let (line, col) = self.source.position(range.start().to_usize());
        let (end_line, end_col) = self.source.position(range.end().to_usize());
        for (n, x) in [
            ("lineno", line),
            ("col_offset", col),
            ("end_lineno", end_line),
            ("end_col_offset", end_col),
        ] {
            let n = self.vm.intern(n);
            let x = self.vm.new_int(x.into());
            self.vm.instance_set(o, n, x);
        }
        o
    }

    fn none(&self) -> Value {
        self.vm.none
    }

    fn str(&mut self, s: &str) -> Value {
        self.vm.intern(s)
    }

    fn name_or_none(&mut self, s: Option<&Identifier>) -> Value {
        match s {
            Some(s) => self.str(s.as_str()),
            None => self.none(),
        }
    }

    fn list<T>(&mut self, items: &[T], mut f: impl FnMut(&mut Self, &T) -> R) -> R {
        let l = self.vm.new_list(&[]);
        for i in items {
            let v = f(self, i)?;
            self.vm.list_append(l, v);
        }
        Ok(l)
    }

    fn exprs(&mut self, items: &[Expr]) -> R {
        self.list(items, Maker::expr)
    }

    fn body(&mut self, items: &[Stmt]) -> R {
        self.list(items, Maker::stmt)
    }

    fn opt(&mut self, e: Option<&Expr>) -> R {
        match e {
            Some(e) => self.expr(e),
            None => Ok(self.none()),
        }
    }

    fn context(&mut self, c: ExprContext) -> Value {
        let name = match c {
            ExprContext::Store => "Store",
            ExprContext::Del => "Del",
            ExprContext::Load | ExprContext::Invalid => "Load",
        };
        singleton(self.vm, name)
    }

    fn operator(&mut self, op: Operator) -> Value {
        let name = match op {
            Operator::Add => "Add",
            Operator::Sub => "Sub",
            Operator::Mult => "Mult",
            Operator::MatMult => "MatMult",
            Operator::Div => "Div",
            Operator::Mod => "Mod",
            Operator::Pow => "Pow",
            Operator::LShift => "LShift",
            Operator::RShift => "RShift",
            Operator::BitOr => "BitOr",
            Operator::BitXor => "BitXor",
            Operator::BitAnd => "BitAnd",
            Operator::FloorDiv => "FloorDiv",
        };
        singleton(self.vm, name)
    }

    /// A compound statement's range: a semicolon at the end of its last line
    /// belongs to it.
    fn with_semicolon(&self, range: TextRange) -> TextRange {
        let end = range.end().to_usize();
        let rest = self.source.slice(end, self.source.text().len());
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if rest[blanks..].starts_with(';') {
            TextRange::new(range.start(), ((end + blanks + 1) as u32).into())
        } else {
            range
        }
    }

    /// A definition's range without its decorators: CPython's begins at `def`,
    /// `async` or `class`.
    fn definition_range(&self, range: TextRange, decorators: &[Decorator]) -> TextRange {
        let Some(last) = decorators.last() else {
            return range;
        };
        let mut at = last.range().end().to_usize();
        let mut comment = false;
        for &b in self.source.slice(at, range.end().to_usize()).as_bytes() {
            match b {
                b'\n' | b'\r' => comment = false,
                b'#' => comment = true,
                b' ' | b'\t' | b'\x0c' | b'\\' => {}
                _ if comment => {}
                _ => break,
            }
            at += 1;
        }
        TextRange::new((at as u32).into(), range.end())
    }

    fn stmt(&mut self, s: &Stmt) -> R {
        self.vm.enter_native()?;
        let none = self.none();
        let mut r = s.range();
        if matches!(
            s,
            Stmt::FunctionDef(_)
                | Stmt::ClassDef(_)
                | Stmt::For(_)
                | Stmt::While(_)
                | Stmt::If(_)
                | Stmt::With(_)
                | Stmt::Match(_)
                | Stmt::Try(_)
        ) {
            r = self.with_semicolon(r);
        }
        Ok(match s {
            Stmt::FunctionDef(f) => {
                let r = self.definition_range(r, &f.decorator_list);
                let name = self.str(f.name.as_str());
                let args = self.arguments(Some(&f.parameters))?;
                let body = self.body(&f.body)?;
                let decorators = self.list(&f.decorator_list, |t, d| t.expr(&d.expression))?;
                let returns = self.opt(f.returns.as_deref())?;
                let kind = if f.is_async {
                    "AsyncFunctionDef"
                } else {
                    "FunctionDef"
                };
                let fields = [
                    ("name", name),
                    ("args", args),
                    ("body", body),
                    ("decorator_list", decorators),
                    ("returns", returns),
                    ("type_comment", none),
                ];
                self.placed(kind, r, &fields)
            }
            Stmt::ClassDef(c) => {
                let r = self.definition_range(r, &c.decorator_list);
                let name = self.str(c.name.as_str());
                let bases = self.exprs(c.bases())?;
                let keywords = self.list(c.keywords(), Maker::keyword)?;
                let body = self.body(&c.body)?;
                let decorators = self.list(&c.decorator_list, |t, d| t.expr(&d.expression))?;
                let fields = [
                    ("name", name),
                    ("bases", bases),
                    ("keywords", keywords),
                    ("body", body),
                    ("decorator_list", decorators),
                ];
                self.placed("ClassDef", r, &fields)
            }
            Stmt::Return(x) => {
                let v = self.opt(x.value.as_deref())?;
                self.placed("Return", r, &[("value", v)])
            }
            Stmt::Delete(d) => {
                let v = self.exprs(&d.targets)?;
                self.placed("Delete", r, &[("targets", v)])
            }
            Stmt::Assign(a) => {
                let targets = self.exprs(&a.targets)?;
                let v = self.expr(&a.value)?;
                let fields = [("targets", targets), ("value", v), ("type_comment", none)];
                self.placed("Assign", r, &fields)
            }
            Stmt::AugAssign(a) => {
                let target = self.expr(&a.target)?;
                let op = self.operator(a.op);
                let v = self.expr(&a.value)?;
                let fields = [("target", target), ("op", op), ("value", v)];
                self.placed("AugAssign", r, &fields)
            }
            Stmt::AnnAssign(a) => {
                let target = self.expr(&a.target)?;
                let annotation = self.expr(&a.annotation)?;
                let v = self.opt(a.value.as_deref())?;
                let simple = Value::small(i32::from(a.simple));
                let fields = [
                    ("target", target),
                    ("annotation", annotation),
                    ("value", v),
                    ("simple", simple),
                ];
                self.placed("AnnAssign", r, &fields)
            }
            Stmt::For(f) => {
                let target = self.expr(&f.target)?;
                let iter = self.expr(&f.iter)?;
                let body = self.body(&f.body)?;
                let orelse = self.body(&f.orelse)?;
                let fields = [
                    ("target", target),
                    ("iter", iter),
                    ("body", body),
                    ("orelse", orelse),
                    ("type_comment", none),
                ];
                self.placed(if f.is_async { "AsyncFor" } else { "For" }, r, &fields)
            }
            Stmt::While(w) => {
                let test = self.expr(&w.test)?;
                let body = self.body(&w.body)?;
                let orelse = self.body(&w.orelse)?;
                let fields = [("test", test), ("body", body), ("orelse", orelse)];
                self.placed("While", r, &fields)
            }
            Stmt::If(i) => self.if_chain(r, &i.test, &i.body, &i.elif_else_clauses)?,
            Stmt::With(w) => {
                let items = self.list(&w.items, |t, i| {
                    let c = t.expr(&i.context_expr)?;
                    let v = t.opt(i.optional_vars.as_deref())?;
                    Ok(t.node("withitem", &[("context_expr", c), ("optional_vars", v)]))
                })?;
                let body = self.body(&w.body)?;
                let fields = [("items", items), ("body", body), ("type_comment", none)];
                self.placed(if w.is_async { "AsyncWith" } else { "With" }, r, &fields)
            }
            Stmt::Match(m) => {
                let subject = self.expr(&m.subject)?;
                let cases = self.list(&m.cases, |t, c| {
                    let p = t.pattern(&c.pattern)?;
                    let g = t.opt(c.guard.as_deref())?;
                    let b = t.body(&c.body)?;
                    Ok(t.node("match_case", &[("pattern", p), ("guard", g), ("body", b)]))
                })?;
                self.placed("Match", r, &[("subject", subject), ("cases", cases)])
            }
            Stmt::Raise(x) => {
                let exc = self.opt(x.exc.as_deref())?;
                let cause = self.opt(x.cause.as_deref())?;
                self.placed("Raise", r, &[("exc", exc), ("cause", cause)])
            }
            Stmt::Try(t) => {
                let body = self.body(&t.body)?;
                let handlers = self.list(&t.handlers, Maker::handler)?;
                let orelse = self.body(&t.orelse)?;
                let last = self.body(&t.finalbody)?;
                let fields = [
                    ("body", body),
                    ("handlers", handlers),
                    ("orelse", orelse),
                    ("finalbody", last),
                ];
                self.placed(if t.is_star { "TryStar" } else { "Try" }, r, &fields)
            }
            Stmt::Assert(a) => {
                let test = self.expr(&a.test)?;
                let msg = self.opt(a.msg.as_deref())?;
                self.placed("Assert", r, &[("test", test), ("msg", msg)])
            }
            Stmt::Import(i) => {
                let names = self.list(&i.names, Maker::alias)?;
                self.placed("Import", r, &[("names", names)])
            }
            Stmt::ImportFrom(i) => {
                let module = self.name_or_none(i.module.as_ref());
                let names = self.list(&i.names, Maker::alias)?;
                let level = Value::small(i.level as i32);
                let fields = [("module", module), ("names", names), ("level", level)];
                self.placed("ImportFrom", r, &fields)
            }
            Stmt::Global(g) => {
                let names = self.list(&g.names, |t, n| Ok(t.str(n.as_str())))?;
                self.placed("Global", r, &[("names", names)])
            }
            Stmt::Nonlocal(g) => {
                let names = self.list(&g.names, |t, n| Ok(t.str(n.as_str())))?;
                self.placed("Nonlocal", r, &[("names", names)])
            }
            Stmt::Expr(e) => {
                let v = self.expr(&e.value)?;
                self.placed("Expr", r, &[("value", v)])
            }
            Stmt::Break(_) => self.placed("Break", r, &[]),
            Stmt::Continue(_) => self.placed("Continue", r, &[]),
            // The parser refuses what Python 3.11 does not have.
            Stmt::Pass(_) | Stmt::TypeAlias(_) | Stmt::IpyEscapeCommand(_) => {
                self.placed("Pass", r, &[])
            }
        })
    }

    /// `if` with the clauses behind it: each `elif` is an `If` in `orelse`.
    fn if_chain(
        &mut self,
        range: TextRange,
        test: &Expr,
        body: &[Stmt],
        rest: &[ElifElseClause],
    ) -> R {
        self.vm.enter_native()?;
        let test = self.expr(test)?;
        let body = self.body(body)?;
        let orelse = match rest.split_first() {
            None => self.vm.new_list(&[]),
            Some((c, rest)) => match &c.test {
                None => self.body(&c.body)?,
                Some(t) => {
                    let r = TextRange::new(c.range.start(), range.end());
                    let inner = self.if_chain(r, t, &c.body, rest)?;
                    self.vm.new_list(&[inner])
                }
            },
        };
        let fields = [("test", test), ("body", body), ("orelse", orelse)];
        Ok(self.placed("If", range, &fields))
    }

    fn handler(&mut self, h: &ExceptHandler) -> R {
        let ExceptHandler::ExceptHandler(h) = h;
        let class = self.opt(h.type_.as_deref())?;
        let name = self.name_or_none(h.name.as_ref());
        let body = self.body(&h.body)?;
        let fields = [("type", class), ("name", name), ("body", body)];
        let r = self.with_semicolon(h.range);
        Ok(self.placed("ExceptHandler", r, &fields))
    }

    fn alias(&mut self, a: &Alias) -> R {
        let name = self.str(a.name.as_str());
        let asname = self.name_or_none(a.asname.as_ref());
        Ok(self.placed("alias", a.range, &[("name", name), ("asname", asname)]))
    }

    fn keyword(&mut self, k: &Keyword) -> R {
        let arg = self.name_or_none(k.arg.as_ref());
        let v = self.expr(&k.value)?;
        Ok(self.placed("keyword", k.range, &[("arg", arg), ("value", v)]))
    }

    fn arg(&mut self, p: &Parameter) -> R {
        let name = self.str(p.name.as_str());
        let annotation = self.opt(p.annotation.as_deref())?;
        let none = self.none();
        // The star of `*args` is no part of it.
        let r = TextRange::new(p.name.range.start(), p.range.end());
        let fields = [
            ("arg", name),
            ("annotation", annotation),
            ("type_comment", none),
        ];
        Ok(self.placed("arg", r, &fields))
    }

    fn arguments(&mut self, p: Option<&Parameters>) -> R {
        let empty = Parameters::default();
        let p = p.unwrap_or(&empty);
        let posonly = self.list(&p.posonlyargs, |t, p| t.arg(&p.parameter))?;
        let args = self.list(&p.args, |t, p| t.arg(&p.parameter))?;
        let vararg = match &p.vararg {
            Some(a) => self.arg(a)?,
            None => self.none(),
        };
        let kwonly = self.list(&p.kwonlyargs, |t, p| t.arg(&p.parameter))?;
        let kw_defaults = self.list(&p.kwonlyargs, |t, p| t.opt(p.default.as_deref()))?;
        let kwarg = match &p.kwarg {
            Some(a) => self.arg(a)?,
            None => self.none(),
        };
        let defaults = self.vm.new_list(&[]);
        for d in p.posonlyargs.iter().chain(&p.args) {
            if let Some(d) = &d.default {
                let v = self.expr(d)?;
                self.vm.list_append(defaults, v);
            }
        }
        let fields = [
            ("posonlyargs", posonly),
            ("args", args),
            ("vararg", vararg),
            ("kwonlyargs", kwonly),
            ("kw_defaults", kw_defaults),
            ("kwarg", kwarg),
            ("defaults", defaults),
        ];
        Ok(self.node("arguments", &fields))
    }

    fn comprehensions(&mut self, g: &[Comprehension]) -> R {
        self.list(g, |t, c| {
            let target = t.expr(&c.target)?;
            let iter = t.expr(&c.iter)?;
            let ifs = t.exprs(&c.ifs)?;
            let is_async = Value::small(i32::from(c.is_async));
            let fields = [
                ("target", target),
                ("iter", iter),
                ("ifs", ifs),
                ("is_async", is_async),
            ];
            Ok(t.node("comprehension", &fields))
        })
    }

    fn constant(&mut self, r: TextRange, v: Value, kind: Value) -> Value {
        self.placed("Constant", r, &[("value", v), ("kind", kind)])
    }

    fn expr(&mut self, e: &Expr) -> R {
        stacker::maybe_grow(128 << 10, 4 << 20, || self.expr_here(e))
    }

    fn expr_here(&mut self, e: &Expr) -> R {
        self.vm.enter_native()?;
        let r = e.range();
        let none = self.none();
        Ok(match e {
            Expr::BoolOp(b) => {
                let op = match b.op {
                    BoolOp::And => "And",
                    BoolOp::Or => "Or",
                };
                let op = singleton(self.vm, op);
                let values = self.exprs(&b.values)?;
                self.placed("BoolOp", r, &[("op", op), ("values", values)])
            }
            Expr::Named(n) => {
                let target = self.expr(&n.target)?;
                let v = self.expr(&n.value)?;
                self.placed("NamedExpr", r, &[("target", target), ("value", v)])
            }
            Expr::BinOp(b) => {
                let left = self.expr(&b.left)?;
                let op = self.operator(b.op);
                let right = self.expr(&b.right)?;
                let fields = [("left", left), ("op", op), ("right", right)];
                self.placed("BinOp", r, &fields)
            }
            Expr::UnaryOp(u) => {
                let op = match u.op {
                    UnaryOp::Invert => "Invert",
                    UnaryOp::Not => "Not",
                    UnaryOp::UAdd => "UAdd",
                    UnaryOp::USub => "USub",
                };
                let op = singleton(self.vm, op);
                let v = self.expr(&u.operand)?;
                self.placed("UnaryOp", r, &[("op", op), ("operand", v)])
            }
            Expr::Lambda(l) => {
                let args = self.arguments(l.parameters.as_deref())?;
                let body = self.expr(&l.body)?;
                self.placed("Lambda", r, &[("args", args), ("body", body)])
            }
            Expr::If(i) => {
                let test = self.expr(&i.test)?;
                let body = self.expr(&i.body)?;
                let orelse = self.expr(&i.orelse)?;
                let fields = [("test", test), ("body", body), ("orelse", orelse)];
                self.placed("IfExp", r, &fields)
            }
            Expr::Dict(d) => {
                let keys = self.list(&d.items, |t, i| t.opt(i.key.as_ref()))?;
                let values = self.list(&d.items, |t, i| t.expr(&i.value))?;
                self.placed("Dict", r, &[("keys", keys), ("values", values)])
            }
            Expr::Set(s) => {
                let elts = self.exprs(&s.elts)?;
                self.placed("Set", r, &[("elts", elts)])
            }
            Expr::ListComp(c) => {
                let elt = self.expr(&c.elt)?;
                let g = self.comprehensions(&c.generators)?;
                self.placed("ListComp", r, &[("elt", elt), ("generators", g)])
            }
            Expr::SetComp(c) => {
                let elt = self.expr(&c.elt)?;
                let g = self.comprehensions(&c.generators)?;
                self.placed("SetComp", r, &[("elt", elt), ("generators", g)])
            }
            Expr::DictComp(c) => {
                let key = self.opt(c.key.as_deref())?;
                let v = self.expr(&c.value)?;
                let g = self.comprehensions(&c.generators)?;
                let fields = [("key", key), ("value", v), ("generators", g)];
                self.placed("DictComp", r, &fields)
            }
            Expr::Generator(c) => self.generator(c, r)?,
            Expr::Await(a) => {
                let v = self.expr(&a.value)?;
                self.placed("Await", r, &[("value", v)])
            }
            Expr::Yield(y) => {
                let v = self.opt(y.value.as_deref())?;
                self.placed("Yield", r, &[("value", v)])
            }
            Expr::YieldFrom(y) => {
                let v = self.expr(&y.value)?;
                self.placed("YieldFrom", r, &[("value", v)])
            }
            Expr::Compare(c) => {
                let left = self.expr(&c.left)?;
                let ops = self.list(&c.ops, |t, op| Ok(singleton(t.vm, comparison(*op))))?;
                let rest = self.exprs(&c.comparators)?;
                let fields = [("left", left), ("ops", ops), ("comparators", rest)];
                self.placed("Compare", r, &fields)
            }
            Expr::Call(c) => {
                let func = self.expr(&c.func)?;
                let brackets = c.arguments.range;
                let args = self.list(&c.arguments.args, |t, a| match a {
                    // Without parentheses of its own it has the call's.
                    Expr::Generator(g) if !g.parenthesized => t.generator(g, brackets),
                    _ => t.expr(a),
                })?;
                let keywords = self.list(&c.arguments.keywords, Maker::keyword)?;
                let fields = [("func", func), ("args", args), ("keywords", keywords)];
                self.placed("Call", r, &fields)
            }
            Expr::FString(f) => literal::joined(self.vm, self.source, f, &mut |vm, source, e| {
                Maker { vm, source }.expr(e)
            })?,
            Expr::StringLiteral(s) => {
                let mut points = Vec::new();
                for part in &s.value {
                    pyrite_compiler::literal::string(part, self.source, &mut points);
                }
                let v = self.vm.new_str_points(&points);
                let kind = if s.value.is_unicode() {
                    self.str("u")
                } else {
                    none
                };
                self.constant(r, v, kind)
            }
            Expr::BytesLiteral(b) => {
                let bytes: Vec<u8> = b.value.bytes().collect();
                let v = self.vm.new_bytes(&bytes);
                self.constant(r, v, none)
            }
            Expr::NumberLiteral(n) => {
                let v = match &n.value {
                    Number::Int(i) => literal::int(self.vm, i),
                    Number::Float(f) => Value::float(*f),
                    Number::Complex { real, imag } => self.vm.new_complex(*real, *imag),
                };
                self.constant(r, v, none)
            }
            Expr::BooleanLiteral(b) => {
                let v = self.vm.bool(b.value);
                self.constant(r, v, none)
            }
            Expr::NoneLiteral(_) => self.constant(r, none, none),
            Expr::EllipsisLiteral(_) => {
                let v = self.vm.ellipsis;
                self.constant(r, v, none)
            }
            Expr::Attribute(a) => {
                let v = self.expr(&a.value)?;
                let attr = self.str(a.attr.as_str());
                let ctx = self.context(a.ctx);
                self.placed(
                    "Attribute",
                    r,
                    &[("value", v), ("attr", attr), ("ctx", ctx)],
                )
            }
            Expr::Subscript(s) => {
                let v = self.expr(&s.value)?;
                let slice = self.expr(&s.slice)?;
                let ctx = self.context(s.ctx);
                let fields = [("value", v), ("slice", slice), ("ctx", ctx)];
                self.placed("Subscript", r, &fields)
            }
            Expr::Starred(s) => {
                let v = self.expr(&s.value)?;
                let ctx = self.context(s.ctx);
                self.placed("Starred", r, &[("value", v), ("ctx", ctx)])
            }
            Expr::Name(n) => {
                let id = self.str(n.id.as_str());
                let ctx = self.context(n.ctx);
                self.placed("Name", r, &[("id", id), ("ctx", ctx)])
            }
            Expr::List(l) => {
                let elts = self.exprs(&l.elts)?;
                let ctx = self.context(l.ctx);
                self.placed("List", r, &[("elts", elts), ("ctx", ctx)])
            }
            Expr::Tuple(t) => {
                let elts = self.exprs(&t.elts)?;
                let ctx = self.context(t.ctx);
                self.placed("Tuple", r, &[("elts", elts), ("ctx", ctx)])
            }
            Expr::Slice(s) => {
                let lower = self.opt(s.lower.as_deref())?;
                let upper = self.opt(s.upper.as_deref())?;
                let step = self.opt(s.step.as_deref())?;
                let fields = [("lower", lower), ("upper", upper), ("step", step)];
                self.placed("Slice", r, &fields)
            }
            // The parser refuses what Python 3.11 does not have.
            Expr::TString(_) | Expr::IpyEscapeCommand(_) => self.constant(r, none, none),
        })
    }

    fn generator(&mut self, c: &ExprGenerator, r: TextRange) -> R {
        let elt = self.expr(&c.elt)?;
        let g = self.comprehensions(&c.generators)?;
        Ok(self.placed("GeneratorExp", r, &[("elt", elt), ("generators", g)]))
    }

    fn pattern(&mut self, p: &Pattern) -> R {
        self.vm.enter_native()?;
        let r = p.range();
        Ok(match p {
            Pattern::MatchValue(v) => {
                let v = self.expr(&v.value)?;
                self.placed("MatchValue", r, &[("value", v)])
            }
            Pattern::MatchSingleton(s) => {
                let v = match s.value {
                    Singleton::None => self.none(),
                    Singleton::True => self.vm.true_,
                    Singleton::False => self.vm.false_,
                };
                self.placed("MatchSingleton", r, &[("value", v)])
            }
            Pattern::MatchSequence(s) => {
                let l = self.list(&s.patterns, Maker::pattern)?;
                self.placed("MatchSequence", r, &[("patterns", l)])
            }
            Pattern::MatchMapping(m) => {
                let keys = self.exprs(&m.keys)?;
                let l = self.list(&m.patterns, Maker::pattern)?;
                let rest = self.name_or_none(m.rest.as_ref());
                let fields = [("keys", keys), ("patterns", l), ("rest", rest)];
                self.placed("MatchMapping", r, &fields)
            }
            Pattern::MatchClass(c) => {
                let cls = self.expr(&c.cls)?;
                let l = self.list(&c.arguments.patterns, Maker::pattern)?;
                let names = self.list(&c.arguments.keywords, |t, k| Ok(t.str(k.attr.as_str())))?;
                let kws = self.list(&c.arguments.keywords, |t, k| t.pattern(&k.pattern))?;
                let fields = [
                    ("cls", cls),
                    ("patterns", l),
                    ("kwd_attrs", names),
                    ("kwd_patterns", kws),
                ];
                self.placed("MatchClass", r, &fields)
            }
            Pattern::MatchStar(s) => {
                let n = self.name_or_none(s.name.as_ref());
                self.placed("MatchStar", r, &[("name", n)])
            }
            Pattern::MatchAs(a) => {
                let p = match &a.pattern {
                    Some(p) => self.pattern(p)?,
                    None => self.none(),
                };
                let n = self.name_or_none(a.name.as_ref());
                self.placed("MatchAs", r, &[("pattern", p), ("name", n)])
            }
            Pattern::MatchOr(o) => {
                let l = self.list(&o.patterns, Maker::pattern)?;
                self.placed("MatchOr", r, &[("patterns", l)])
            }
        })
    }
}

fn comparison(op: CmpOp) -> &'static str {
    match op {
        CmpOp::Eq => "Eq",
        CmpOp::NotEq => "NotEq",
        CmpOp::Lt => "Lt",
        CmpOp::LtE => "LtE",
        CmpOp::Gt => "Gt",
        CmpOp::GtE => "GtE",
        CmpOp::Is => "Is",
        CmpOp::IsNot => "IsNot",
        CmpOp::In => "In",
        CmpOp::NotIn => "NotIn",
    }
}
