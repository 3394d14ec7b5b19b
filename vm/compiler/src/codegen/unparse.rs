//! Text of an annotation under `from __future__ import annotations`.
//!
//! As CPython: the tree is written out again, with its spacing and its minimum of
//! parentheses, so `List [int]` becomes `'List[int]'`.

use super::Gen;
use crate::literal;
use pyrite_bytecode::Const;
use ruff_python_ast::*;

/// Binding strengths, weakest first, as CPython's unparser numbers them.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Level {
    Tuple,
    Test,
    Or,
    And,
    Not,
    Cmp,
    Expr,
    Bxor,
    Band,
    Shift,
    Arith,
    Term,
    Factor,
    Power,
    Await,
    Atom,
}

impl Level {
    fn above(self) -> Level {
        use Level::*;
        match self {
            Tuple => Test,
            Test => Or,
            Or => And,
            And => Not,
            Not => Cmp,
            Cmp => Expr,
            Expr => Bxor,
            Bxor => Band,
            Band => Shift,
            Shift => Arith,
            Arith => Term,
            Term => Factor,
            Factor => Power,
            Power => Await,
            Await | Atom => Atom,
        }
    }
}

type Out = Vec<u32>;

fn put(out: &mut Out, s: &str) {
    out.extend(s.chars().map(u32::from));
}

impl Gen<'_> {
    /// The text of `e`, as code points.
    pub(crate) fn unparse(&self, e: &Expr) -> Vec<u32> {
        let mut out = Out::new();
        self.write(&mut out, e, Level::Test);
        out
    }

    fn paren(&self, out: &mut Out, if_: bool, f: impl FnOnce(&mut Out)) {
        if if_ {
            put(out, "(");
        }
        f(out);
        if if_ {
            put(out, ")");
        }
    }

    fn list(&self, out: &mut Out, elts: &[Expr]) {
        for (i, e) in elts.iter().enumerate() {
            if i > 0 {
                put(out, ", ");
            }
            self.write(out, e, Level::Test);
        }
    }

    fn write(&self, out: &mut Out, e: &Expr, level: Level) {
        stacker::maybe_grow(128 * 1024, 2 * 1024 * 1024, || {
            self.write_inner(out, e, level)
        });
    }

    fn write_inner(&self, out: &mut Out, e: &Expr, level: Level) {
        match e {
            Expr::BoolOp(b) => {
                let (own, word) = match b.op {
                    BoolOp::And => (Level::And, " and "),
                    BoolOp::Or => (Level::Or, " or "),
                };
                self.paren(out, level > own, |out| {
                    for (i, v) in b.values.iter().enumerate() {
                        if i > 0 {
                            put(out, word);
                        }
                        self.write(out, v, own.above());
                    }
                });
            }
            Expr::Named(n) => self.paren(out, level > Level::Tuple, |out| {
                self.write(out, &n.target, Level::Atom);
                put(out, " := ");
                self.write(out, &n.value, Level::Atom);
            }),
            Expr::BinOp(b) => {
                let (own, right_assoc) = match b.op {
                    Operator::Add | Operator::Sub => (Level::Arith, false),
                    Operator::Mult
                    | Operator::MatMult
                    | Operator::Div
                    | Operator::Mod
                    | Operator::FloorDiv => (Level::Term, false),
                    Operator::LShift | Operator::RShift => (Level::Shift, false),
                    Operator::BitOr => (Level::Expr, false),
                    Operator::BitXor => (Level::Bxor, false),
                    Operator::BitAnd => (Level::Band, false),
                    Operator::Pow => (Level::Power, true),
                };
                self.paren(out, level > own, |out| {
                    self.write(out, &b.left, if right_assoc { own.above() } else { own });
                    put(out, &format!(" {} ", b.op.as_str()));
                    self.write(out, &b.right, if right_assoc { own } else { own.above() });
                });
            }
            Expr::UnaryOp(u) => {
                let (own, word) = match u.op {
                    UnaryOp::Invert => (Level::Factor, "~"),
                    UnaryOp::Not => (Level::Not, "not "),
                    UnaryOp::UAdd => (Level::Factor, "+"),
                    UnaryOp::USub => (Level::Factor, "-"),
                };
                self.paren(out, level > own, |out| {
                    put(out, word);
                    self.write(out, &u.operand, own);
                });
            }
            Expr::Lambda(l) => self.paren(out, level > Level::Test, |out| {
                put(out, "lambda");
                if let Some(p) = &l.parameters {
                    if !p.is_empty() {
                        put(out, " ");
                    }
                    self.write_parameters(out, p);
                }
                put(out, ": ");
                self.write(out, &l.body, Level::Test);
            }),
            Expr::If(i) => self.paren(out, level > Level::Test, |out| {
                self.write(out, &i.body, Level::Test.above());
                put(out, " if ");
                self.write(out, &i.test, Level::Test.above());
                put(out, " else ");
                self.write(out, &i.orelse, Level::Test);
            }),
            Expr::Dict(d) => {
                put(out, "{");
                for (i, item) in d.items.iter().enumerate() {
                    if i > 0 {
                        put(out, ", ");
                    }
                    match &item.key {
                        Some(k) => {
                            self.write(out, k, Level::Test);
                            put(out, ": ");
                            self.write(out, &item.value, Level::Test);
                        }
                        None => {
                            put(out, "**");
                            self.write(out, &item.value, Level::Expr);
                        }
                    }
                }
                put(out, "}");
            }
            Expr::Set(s) => {
                put(out, "{");
                self.list(out, &s.elts);
                put(out, "}");
            }
            Expr::ListComp(c) => {
                put(out, "[");
                self.write(out, &c.elt, Level::Test);
                self.write_generators(out, &c.generators);
                put(out, "]");
            }
            Expr::SetComp(c) => {
                put(out, "{");
                self.write(out, &c.elt, Level::Test);
                self.write_generators(out, &c.generators);
                put(out, "}");
            }
            Expr::DictComp(c) => {
                put(out, "{");
                if let Some(k) = &c.key {
                    self.write(out, k, Level::Test);
                    put(out, ": ");
                }
                self.write(out, &c.value, Level::Test);
                self.write_generators(out, &c.generators);
                put(out, "}");
            }
            Expr::Generator(c) => {
                put(out, "(");
                self.write(out, &c.elt, Level::Test);
                self.write_generators(out, &c.generators);
                put(out, ")");
            }
            Expr::Await(a) => self.paren(out, level > Level::Await, |out| {
                put(out, "await ");
                self.write(out, &a.value, Level::Atom);
            }),
            Expr::Yield(y) => match &y.value {
                None => put(out, "(yield)"),
                Some(v) => {
                    put(out, "(yield ");
                    self.write(out, v, Level::Test);
                    put(out, ")");
                }
            },
            Expr::YieldFrom(y) => {
                put(out, "(yield from ");
                self.write(out, &y.value, Level::Test);
                put(out, ")");
            }
            Expr::Compare(c) => self.paren(out, level > Level::Cmp, |out| {
                self.write(out, &c.left, Level::Cmp.above());
                for (op, right) in c.ops.iter().zip(&c.comparators) {
                    put(out, &format!(" {} ", op.as_str()));
                    self.write(out, right, Level::Cmp.above());
                }
            }),
            Expr::Call(c) => self.write_call(out, c),
            Expr::FString(f) => self.write_fstring(out, f),
            Expr::StringLiteral(_)
            | Expr::BytesLiteral(_)
            | Expr::NumberLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
            | Expr::EllipsisLiteral(_) => {
                if let Some(c) = self.fold.fold(e) {
                    let marked = matches!(e, Expr::StringLiteral(s)
                        if s.value.iter().next().is_some_and(|p| p.flags.prefix().is_unicode()));
                    if marked {
                        out.push(u32::from(b'u'));
                    }
                    write_const(out, &c);
                }
            }
            Expr::Attribute(a) => {
                self.write(out, &a.value, Level::Atom);
                // `1.x` would be a float and a name.
                if let Expr::NumberLiteral(n) = &*a.value
                    && matches!(n.value, Number::Int(_))
                {
                    put(out, " ");
                }
                put(out, ".");
                put(out, &a.attr);
            }
            Expr::Subscript(s) => {
                self.write(out, &s.value, Level::Atom);
                put(out, "[");
                self.write(out, &s.slice, Level::Tuple);
                put(out, "]");
            }
            Expr::Starred(s) => {
                put(out, "*");
                self.write(out, &s.value, Level::Expr);
            }
            Expr::Name(n) => put(out, &n.id),
            Expr::List(l) => {
                put(out, "[");
                self.list(out, &l.elts);
                put(out, "]");
            }
            Expr::Tuple(t) => {
                if t.elts.is_empty() {
                    put(out, "()");
                    return;
                }
                self.paren(out, level > Level::Tuple, |out| {
                    self.list(out, &t.elts);
                    if t.elts.len() == 1 {
                        put(out, ",");
                    }
                });
            }
            Expr::Slice(s) => {
                if let Some(e) = &s.lower {
                    self.write(out, e, Level::Test);
                }
                put(out, ":");
                if let Some(e) = &s.upper {
                    self.write(out, e, Level::Test);
                }
                if let Some(e) = &s.step {
                    put(out, ":");
                    self.write(out, e, Level::Test);
                }
            }
            Expr::TString(_) | Expr::IpyEscapeCommand(_) => {}
        }
    }

    fn write_call(&self, out: &mut Out, c: &ExprCall) {
        self.write(out, &c.func, Level::Atom);
        if let ([g @ Expr::Generator(_)], true) =
            (&*c.arguments.args, c.arguments.keywords.is_empty())
        {
            self.write(out, g, Level::Atom);
            return;
        }
        put(out, "(");
        self.list(out, &c.arguments.args);
        let mut first = c.arguments.args.is_empty();
        for k in &c.arguments.keywords {
            if !first {
                put(out, ", ");
            }
            first = false;
            match &k.arg {
                Some(name) => {
                    put(out, name);
                    put(out, "=");
                }
                None => put(out, "**"),
            }
            self.write(out, &k.value, Level::Test);
        }
        put(out, ")");
    }

    fn write_generators(&self, out: &mut Out, generators: &[Comprehension]) {
        for g in generators {
            put(out, if g.is_async { " async for " } else { " for " });
            self.write(out, &g.target, Level::Tuple);
            put(out, " in ");
            self.write(out, &g.iter, Level::Test.above());
            for cond in &g.ifs {
                put(out, " if ");
                self.write(out, cond, Level::Test.above());
            }
        }
    }

    fn write_parameters(&self, out: &mut Out, p: &Parameters) {
        let mut first = true;
        let mut comma = |out: &mut Out| {
            if !first {
                put(out, ", ");
            }
            first = false;
        };
        let one = |out: &mut Out, a: &ParameterWithDefault| {
            put(out, &a.parameter.name);
            if let Some(d) = &a.default {
                put(out, "=");
                self.write(out, d, Level::Test);
            }
        };
        for a in &p.posonlyargs {
            comma(out);
            one(out, a);
        }
        if !p.posonlyargs.is_empty() {
            comma(out);
            put(out, "/");
        }
        for a in &p.args {
            comma(out);
            one(out, a);
        }
        if p.vararg.is_some() || !p.kwonlyargs.is_empty() {
            comma(out);
            put(out, "*");
            if let Some(v) = &p.vararg {
                put(out, &v.name);
            }
        }
        for a in &p.kwonlyargs {
            comma(out);
            one(out, a);
        }
        if let Some(k) = &p.kwarg {
            comma(out);
            put(out, "**");
            put(out, &k.name);
        }
    }

    fn write_fstring(&self, out: &mut Out, f: &ExprFString) {
        let mut body = Out::new();
        for part in &f.value {
            match part {
                FStringPart::Literal(l) => {
                    let mut text = Vec::new();
                    literal::string(l, self.source, &mut text);
                    body.extend(double_braces(&text));
                }
                FStringPart::FString(s) => {
                    self.write_elements(&mut body, &s.elements, s.flags.prefix().is_raw());
                }
            }
        }
        put(out, "f");
        write_const(out, &Const::Str(body));
    }

    fn write_elements(&self, out: &mut Out, elements: &InterpolatedStringElements, raw: bool) {
        for e in elements {
            match e {
                InterpolatedStringElement::Literal(l) => {
                    let mut text = Vec::new();
                    literal::fstring_piece(l, self.source, raw, &mut text);
                    out.extend(double_braces(&text));
                }
                InterpolatedStringElement::Interpolation(i) => {
                    let mut conversion = i.conversion;
                    if let Some(d) = &i.debug_text {
                        let text = format!("{}{}{}", d.leading(), d.expression(), d.trailing());
                        let text: Vec<u32> = text.chars().map(u32::from).collect();
                        out.extend(double_braces(&text));
                        if conversion == ConversionFlag::None && i.format_spec.is_none() {
                            conversion = ConversionFlag::Repr;
                        }
                    }
                    let mut inner = Out::new();
                    self.write(&mut inner, &i.expression, Level::Test.above());
                    put(
                        out,
                        if inner.first() == Some(&u32::from('{')) {
                            "{ "
                        } else {
                            "{"
                        },
                    );
                    out.extend(inner);
                    put(
                        out,
                        match conversion {
                            ConversionFlag::None => "",
                            ConversionFlag::Str => "!s",
                            ConversionFlag::Repr => "!r",
                            ConversionFlag::Ascii => "!a",
                        },
                    );
                    if let Some(s) = &i.format_spec {
                        put(out, ":");
                        self.write_elements(out, &s.elements, raw);
                    }
                    put(out, "}");
                }
            }
        }
    }
}

fn double_braces(text: &[u32]) -> Vec<u32> {
    let mut out = Vec::new();
    for &c in text {
        out.push(c);
        if c == u32::from('{') || c == u32::from('}') {
            out.push(c);
        }
    }
    out
}

/// `repr` of a constant, infinity as a literal that overflows.
fn write_const(out: &mut Out, c: &Const) {
    match c {
        Const::None => put(out, "None"),
        Const::True => put(out, "True"),
        Const::False => put(out, "False"),
        Const::Ellipsis => put(out, "..."),
        Const::Int(i) => put(out, &i.to_string()),
        Const::BigInt(s) => put(out, s),
        Const::Float(f) => put(out, &float_repr(*f)),
        Const::Complex(_, im) => {
            let text = float_repr(*im);
            put(out, text.strip_suffix(".0").unwrap_or(&text));
            put(out, "j");
        }
        Const::Str(s) => quote(out, s, false),
        Const::Bytes(b) => {
            put(out, "b");
            let s: Vec<u32> = b.iter().map(|&b| u32::from(b)).collect();
            quote(out, &s, true);
        }
        Const::Tuple(t) | Const::FrozenSet(t) => {
            put(out, "(");
            for c in t {
                write_const(out, c);
                put(out, ", ");
            }
            put(out, ")");
        }
        Const::Code(_) => {}
    }
}

fn float_repr(f: f64) -> String {
    if f.is_infinite() {
        return "1e309".into();
    }
    let exponent = if f == 0.0 {
        0
    } else {
        f.abs().log10().floor() as i32
    };
    if (-4..16).contains(&exponent) {
        return format!("{f:?}");
    }
    // Rust writes 1e16, Python 1e+16.
    let text = format!("{f:e}");
    match text.split_once('e') {
        Some((m, e)) => match e.strip_prefix('-') {
            Some(e) => format!("{m}e-{e:0>2}"),
            None => format!("{m}e+{e:0>2}"),
        },
        None => text,
    }
}

fn quote(out: &mut Out, s: &[u32], bytes: bool) {
    let has = |c: char| s.contains(&u32::from(c));
    let q = if has('\'') && !has('"') { '"' } else { '\'' };
    out.push(u32::from(q));
    for &c in s {
        match char::from_u32(c) {
            Some('\\') => put(out, "\\\\"),
            Some('\n') => put(out, "\\n"),
            Some('\r') => put(out, "\\r"),
            Some('\t') => put(out, "\\t"),
            Some(ch) if ch == q => {
                put(out, "\\");
                out.push(c);
            }
            Some(' '..='~') => out.push(c),
            Some(ch) if !bytes && !ch.is_control() => out.push(c),
            _ if c < 0x100 => put(out, &format!("\\x{c:02x}")),
            _ if c < 0x10000 => put(out, &format!("\\u{c:04x}")),
            _ => put(out, &format!("\\U{c:08x}")),
        }
    }
    out.push(u32::from(q));
}
