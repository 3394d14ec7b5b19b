//! Node objects as source text with a table of places, and that text as code.
//!
//! Each expression stands in parentheses (unless it brings brackets), so no two
//! nodes begin or end at the same offset and a place belongs to one node. Names
//! that no source text can contain (some tools make `@name`s that cannot clash)
//! are written as others and get their own back in the finished code.

use crate::escape;
use crate::fields::{Obj, Place, classify, identifier};
use pyrite_bytecode::{CodeUnit, Const};
use pyrite_compiler::Options;
use pyrite_front::{Mode, Source, SyntaxErrorInfo, Warning};
use pyrite_machine::Value;
use pyrite_objects::vm::{R, Vm};

/// What became of a tree.
pub enum Outcome {
    /// It cannot be compiled.
    Refused(SyntaxErrorInfo),
    Code(Box<CodeUnit>),
}

/// Compiles a node object; what the compiler warns about is added to `warnings`.
///
/// # Errors
/// TypeError and ValueError for trees that no source text has.
pub fn code(
    vm: &mut Vm,
    tree: Value,
    filename: &str,
    mode: &str,
    options: Options,
    warnings: &mut Vec<Warning>,
) -> R<Outcome> {
    pyrite_stdlib::builtin_module(vm, "_ast")?;
    let (want, parse_mode) = match mode {
        "eval" => ("Expression", Mode::Eval),
        "single" => ("Interactive", Mode::Single),
        _ => ("Module", Mode::Exec),
    };
    let class = pyrite_stdlib::ast_types::node_class(vm, want);
    if !vm.isinstance_plain(tree, class)? {
        let m = format!("expected {want} node, got {}", vm.class_name(tree));
        return Err(vm.type_error(&m));
    }
    let root = classify(vm, tree, "mod")?;
    let mut w = Writer {
        vm,
        out: String::new(),
        places: Vec::new(),
        indent: 0,
        aliases: Vec::new(),
    };
    match want {
        "Expression" => {
            let body = root.required(w.vm, "body")?;
            w.expr(body, Context::Load)?;
        }
        _ => {
            let body = root.list(w.vm, "body")?;
            if want == "Module" {
                root.list(w.vm, "type_ignores")?;
            }
            w.body(body)?;
        }
    }
    let (out, mut places, aliases) = (w.out, w.places, w.aliases);
    places.sort_by_key(|p| p.0);
    let source = Source::with_places(&out, places);
    // One interactive statement is checked by its text's lines, which say nothing here.
    let parsed = match parse_mode {
        Mode::Single => pyrite_front::parse_generated(&source, Mode::Exec),
        m => pyrite_front::parse_generated(&source, m),
    };
    let result = parsed.and_then(|t| {
        pyrite_compiler::compile_tree(&t, &source, filename, parse_mode, options, warnings)
    });
    Ok(match result {
        Err(e) => Outcome::Refused(e),
        Ok(mut unit) => {
            if !aliases.is_empty() {
                rename(&mut unit, &aliases);
            }
            Outcome::Code(Box::new(unit))
        }
    })
}

/// The name that stands for number `i` of the names no text can contain.
fn alias(i: usize) -> String {
    format!("__pyrite_alias_{i}__")
}

/// Gives names their own text back.
fn rename(unit: &mut CodeUnit, names: &[String]) {
    let fix = |s: &mut String| {
        if let Some(i) = names
            .iter()
            .enumerate()
            .position(|(i, _)| s.contains(&alias(i)))
        {
            *s = s.replace(&alias(i), &names[i]);
        }
    };
    fix(&mut unit.name);
    fix(&mut unit.qualname);
    unit.varnames.iter_mut().for_each(fix);
    unit.names.iter_mut().for_each(fix);
    unit.cellvars.iter_mut().for_each(|c| fix(&mut c.0));
    unit.freevars.iter_mut().for_each(|c| fix(&mut c.0));
    unit.caches.iter_mut().for_each(|c| fix(&mut c.name));
    unit.consts.iter_mut().for_each(|c| rename_const(c, names));
}

fn rename_const(c: &mut Const, names: &[String]) {
    match c {
        Const::Code(u) => rename(u, names),
        Const::Tuple(t) => t.iter_mut().for_each(|c| rename_const(c, names)),
        Const::Str(s) => {
            let text: String = s.iter().filter_map(|&c| char::from_u32(c)).collect();
            if let Some(i) = (0..names.len()).find(|&i| text == alias(i)) {
                *s = names[i].chars().map(u32::from).collect();
            }
        }
        _ => {}
    }
}

/// What an expression is written for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Context {
    Load,
    Store,
    Del,
}

impl Context {
    fn name(self) -> &'static str {
        match self {
            Context::Load => "Load",
            Context::Store => "Store",
            Context::Del => "Del",
        }
    }
}

/// Writes node objects as text.
pub(crate) struct Writer<'a> {
    pub(crate) vm: &'a mut Vm,
    pub(crate) out: String,
    /// Offset, line, column.
    pub(crate) places: Vec<(u32, u32, u32)>,
    pub(crate) indent: usize,
    aliases: Vec<String>,
}

impl Writer<'_> {
    pub(crate) fn begin(&mut self, p: Place) {
        self.places.push((self.out.len() as u32, p.line, p.col));
    }

    pub(crate) fn end(&mut self, p: Place) {
        self.places
            .push((self.out.len() as u32, p.end_line, p.end_col));
    }

    pub(crate) fn push(&mut self, s: &str) {
        self.out.push_str(s);
    }

    pub(crate) fn value_error<T>(&mut self, m: &str) -> R<T> {
        Err(self.vm.value_error(m))
    }

    /// Writes a name, or what stands for it.
    pub(crate) fn name(&mut self, s: &str) -> R<()> {
        if matches!(s, "None" | "True" | "False") {
            let m = format!("identifier field can't represent '{s}' constant");
            return self.value_error(&m);
        }
        let mut chars = s.chars();
        let first = chars.next().is_some_and(|c| c == '_' || c.is_alphabetic());
        let good = first && chars.all(|c| c == '_' || c.is_alphanumeric() || !c.is_ascii());
        if good && !KEYWORDS.contains(&s) {
            self.push(s);
            return Ok(());
        }
        let i = match self.aliases.iter().position(|a| a == s) {
            Some(i) => i,
            None => {
                self.aliases.push(s.to_owned());
                self.aliases.len() - 1
            }
        };
        let a = alias(i);
        self.push(&a);
        Ok(())
    }

    /// A dotted module name.
    pub(crate) fn dotted(&mut self, s: &str) -> R<()> {
        for (i, part) in s.split('.').enumerate() {
            if i > 0 {
                self.push(".");
            }
            self.name(part)?;
        }
        Ok(())
    }

    /// Items of a list field, none of them None.
    pub(crate) fn items(&mut self, list: Value, what: &str) -> R<Vec<usize>> {
        let none = self.vm.none;
        let n = self.vm.list_len(list);
        if (0..n).any(|i| self.vm.list_get(list, i) == none) {
            let m = format!("None disallowed in {what} list");
            return self.value_error(&m);
        }
        Ok((0..n).collect())
    }

    /// Expressions with commas between and behind them.
    pub(crate) fn exprs(&mut self, list: Value, ctx: Context) -> R<()> {
        for i in self.items(list, "expression")? {
            let e = self.vm.list_get(list, i);
            self.expr(e, ctx)?;
            self.push(", ");
        }
        Ok(())
    }

    /// `prefix(expr)` if the field is not None.
    pub(crate) fn optional(&mut self, o: Obj, field: &str, prefix: &str) -> R<bool> {
        let v = o.get(self.vm, field)?;
        if v == self.vm.none {
            return Ok(false);
        }
        self.push(prefix);
        self.expr(v, Context::Load)?;
        Ok(true)
    }

    fn check_context(&mut self, o: Obj, ctx: Context) -> R<()> {
        let c = o.required(self.vm, "ctx")?;
        let has = classify(self.vm, c, "expr_context")?;
        if has.row.name != ctx.name() {
            let m = format!(
                "expression must have {} context but has {} instead",
                ctx.name(),
                has.row.name
            );
            return self.value_error(&m);
        }
        Ok(())
    }

    /// Writes an expression.
    pub(crate) fn expr(&mut self, v: Value, ctx: Context) -> R<()> {
        stacker::maybe_grow(128 << 10, 4 << 20, || self.expr_here(v, ctx))
    }

    fn expr_here(&mut self, v: Value, ctx: Context) -> R<()> {
        self.vm
            .nested("during ast construction", |_| Ok(Value::NULL))?;
        self.vm.enter_native()?;
        let o = classify(self.vm, v, "expr")?;
        let p = o.place(self.vm)?;
        match o.row.name {
            "Attribute" | "Subscript" | "Starred" | "Name" | "List" | "Tuple" => {
                self.check_context(o, ctx)?;
            }
            _ if ctx != Context::Load => {
                let m = format!(
                    "expression which can't be assigned to in {} context",
                    ctx.name()
                );
                return self.value_error(&m);
            }
            _ => {}
        }
        // These bring their own brackets or may not have any around them.
        let bare = matches!(
            o.row.name,
            "Tuple"
                | "List"
                | "Dict"
                | "Set"
                | "ListComp"
                | "SetComp"
                | "DictComp"
                | "GeneratorExp"
                | "Starred"
                | "Slice"
        );
        if !bare {
            self.push("(");
        }
        self.begin(p);
        self.expr_inside(o, ctx)?;
        self.end(p);
        if !bare {
            self.push(")");
        }
        Ok(())
    }

    fn sub(&mut self, o: Obj, field: &str) -> R<()> {
        let v = o.required(self.vm, field)?;
        self.expr(v, Context::Load)
    }

    fn expr_inside(&mut self, o: Obj, ctx: Context) -> R<()> {
        match o.row.name {
            "BoolOp" => {
                let op = self.op(o, "op", "boolop")?;
                let values = o.list(self.vm, "values")?;
                if self.vm.list_len(values) < 2 {
                    return self.value_error("BoolOp with less than 2 values");
                }
                for i in self.items(values, "expression")? {
                    if i > 0 {
                        self.push(op);
                    }
                    let e = self.vm.list_get(values, i);
                    self.expr(e, Context::Load)?;
                }
            }
            "NamedExpr" => {
                let t = o.required(self.vm, "target")?;
                let t = classify(self.vm, t, "expr")?;
                if t.row.name != "Name" {
                    return Err(self.vm.type_error("NamedExpr target must be a Name"));
                }
                self.check_context(t, Context::Store)?;
                let n = t.name(self.vm, "id")?;
                let p = t.place(self.vm)?;
                self.begin(p);
                self.name(&n)?;
                self.end(p);
                self.push(" := ");
                self.sub(o, "value")?;
            }
            "BinOp" => {
                self.sub(o, "left")?;
                let op = self.op(o, "op", "operator")?;
                self.push(op);
                self.sub(o, "right")?;
            }
            "UnaryOp" => {
                let op = self.op(o, "op", "unaryop")?;
                self.push(op);
                self.sub(o, "operand")?;
            }
            "Lambda" => {
                self.push("lambda ");
                let a = o.required(self.vm, "args")?;
                self.arguments(a)?;
                self.push(": ");
                self.sub(o, "body")?;
            }
            "IfExp" => {
                self.sub(o, "body")?;
                self.push(" if ");
                self.sub(o, "test")?;
                self.push(" else ");
                self.sub(o, "orelse")?;
            }
            "Dict" => {
                let keys = o.list(self.vm, "keys")?;
                let values = o.list(self.vm, "values")?;
                if self.vm.list_len(keys) != self.vm.list_len(values) {
                    return self.value_error("Dict doesn't have the same number of keys as values");
                }
                self.push("{");
                for i in self.items(values, "expression")? {
                    let k = self.vm.list_get(keys, i);
                    if k == self.vm.none {
                        self.push("**");
                    } else {
                        self.expr(k, Context::Load)?;
                        self.push(": ");
                    }
                    let v = self.vm.list_get(values, i);
                    self.expr(v, Context::Load)?;
                    self.push(", ");
                }
                self.push("}");
            }
            "Set" => {
                let l = o.list(self.vm, "elts")?;
                if self.vm.list_len(l) == 0 {
                    // No display of an empty set exists.
                    self.push("{*()}");
                } else {
                    self.push("{");
                    self.exprs(l, Context::Load)?;
                    self.push("}");
                }
            }
            "ListComp" => self.comprehension(o, "[", "]")?,
            "SetComp" | "DictComp" => self.comprehension(o, "{", "}")?,
            "GeneratorExp" => self.comprehension(o, "(", ")")?,
            "Await" => {
                self.push("await ");
                self.sub(o, "value")?;
            }
            "Yield" => {
                self.push("yield");
                self.optional(o, "value", " ")?;
            }
            "YieldFrom" => {
                self.push("yield from ");
                self.sub(o, "value")?;
            }
            "Compare" => self.compare(o)?,
            "Call" => {
                self.sub(o, "func")?;
                self.push("(");
                let args = o.list(self.vm, "args")?;
                self.exprs(args, Context::Load)?;
                let keywords = o.list(self.vm, "keywords")?;
                self.keywords(keywords)?;
                self.push(")");
            }
            "FormattedValue" => {
                self.push("f\"");
                self.formatted(o)?;
                self.push("\"");
            }
            "JoinedStr" => {
                self.push("f\"");
                self.joined(o)?;
                self.push("\"");
            }
            "Constant" => {
                let v = o.get(self.vm, "value")?;
                escape::constant(self.vm, v, &mut self.out)?;
            }
            "Attribute" => {
                self.sub(o, "value")?;
                self.push(".");
                let n = o.name(self.vm, "attr")?;
                // Instructions that call a method have the name's place, which
                // is counted back from the end.
                let p = o.place(self.vm)?;
                let col = p.end_col.saturating_sub(n.len() as u32);
                self.places.push((self.out.len() as u32, p.end_line, col));
                self.name(&n)?;
            }
            "Subscript" => {
                self.sub(o, "value")?;
                self.push("[");
                let s = o.required(self.vm, "slice")?;
                self.index(s)?;
                self.push("]");
            }
            "Starred" => {
                self.push("*");
                let v = o.required(self.vm, "value")?;
                self.expr(v, ctx)?;
            }
            "Name" => {
                let n = o.name(self.vm, "id")?;
                self.name(&n)?;
            }
            "List" => {
                let l = o.list(self.vm, "elts")?;
                self.push("[");
                self.exprs(l, ctx)?;
                self.push("]");
            }
            "Tuple" => {
                let l = o.list(self.vm, "elts")?;
                self.push("(");
                self.exprs(l, ctx)?;
                self.push(")");
            }
            _ => {
                // A slice outside of brackets is no expression; the parser says so.
                self.slice(o)?;
            }
        }
        Ok(())
    }

    fn slice(&mut self, o: Obj) -> R<()> {
        self.optional(o, "lower", "")?;
        self.push(":");
        self.optional(o, "upper", "")?;
        self.optional(o, "step", ":")?;
        Ok(())
    }

    /// What stands between the brackets of a subscript.
    fn index(&mut self, v: Value) -> R<()> {
        let o = classify(self.vm, v, "expr")?;
        if o.row.name == "Tuple" {
            let l = o.list(self.vm, "elts")?;
            let mut special = false;
            for i in self.items(l, "expression")? {
                let e = self.vm.list_get(l, i);
                let e = classify(self.vm, e, "expr")?;
                special |= e.row.name == "Slice";
            }
            if special {
                self.check_context(o, Context::Load)?;
                let p = o.place(self.vm)?;
                self.begin(p);
                self.exprs(l, Context::Load)?;
                self.end(p);
                return Ok(());
            }
        }
        self.expr(v, Context::Load)
    }

    fn compare(&mut self, o: Obj) -> R<()> {
        let ops = o.list(self.vm, "ops")?;
        let rest = o.list(self.vm, "comparators")?;
        let n = self.vm.list_len(rest);
        if n == 0 {
            return self.value_error("Compare with no comparators");
        }
        if n != self.vm.list_len(ops) {
            return self.value_error("Compare has a different number of comparators and operands");
        }
        self.sub(o, "left")?;
        for i in self.items(rest, "expression")? {
            let op = self.vm.list_get(ops, i);
            let op = classify(self.vm, op, "cmpop")?;
            self.push(symbol(op.row.name));
            let e = self.vm.list_get(rest, i);
            self.expr(e, Context::Load)?;
        }
        Ok(())
    }

    /// The symbol of an operator field.
    pub(crate) fn op(&mut self, o: Obj, field: &str, sum: &str) -> R<&'static str> {
        let v = o.required(self.vm, field)?;
        let op = classify(self.vm, v, sum)?;
        Ok(symbol(op.row.name))
    }

    fn comprehension(&mut self, o: Obj, open: &str, close: &str) -> R<()> {
        self.push(open);
        if o.row.name == "DictComp" {
            self.sub(o, "key")?;
            self.push(": ");
            self.sub(o, "value")?;
        } else {
            self.sub(o, "elt")?;
        }
        let g = o.list(self.vm, "generators")?;
        let n = self.vm.list_len(g);
        if n == 0 {
            return self.value_error("comprehension with no generators");
        }
        for i in 0..n {
            let c = self.vm.list_get(g, i);
            let c = classify(self.vm, c, "comprehension")?;
            let is_async = c.int(self.vm, "is_async")? != 0;
            self.push(if is_async { " async for " } else { " for " });
            let t = c.required(self.vm, "target")?;
            self.expr(t, Context::Store)?;
            self.push(" in ");
            self.sub(c, "iter")?;
            let ifs = c.list(self.vm, "ifs")?;
            for i in self.items(ifs, "expression")? {
                self.push(" if ");
                let e = self.vm.list_get(ifs, i);
                self.expr(e, Context::Load)?;
            }
        }
        self.push(close);
        Ok(())
    }

    pub(crate) fn keywords(&mut self, list: Value) -> R<()> {
        for i in 0..self.vm.list_len(list) {
            let k = self.vm.list_get(list, i);
            let k = classify(self.vm, k, "keyword")?;
            let p = k.place(self.vm)?;
            self.begin(p);
            match k.identifier(self.vm, "arg")? {
                Some(n) => {
                    self.name(&n)?;
                    self.push("=");
                }
                None => self.push("**"),
            }
            self.sub(k, "value")?;
            self.end(p);
            self.push(", ");
        }
        Ok(())
    }

    fn joined(&mut self, o: Obj) -> R<()> {
        let values = o.list(self.vm, "values")?;
        for i in self.items(values, "expression")? {
            let v = self.vm.list_get(values, i);
            let e = classify(self.vm, v, "expr")?;
            match e.row.name {
                "Constant" => {
                    e.place(self.vm)?;
                    let c = e.get(self.vm, "value")?;
                    match self.vm.as_str(c) {
                        Some(s) => escape::text(&mut self.out, self.vm.text(s).iter()),
                        None => {
                            self.push("{");
                            self.expr(v, Context::Load)?;
                            self.push("}");
                        }
                    }
                }
                "FormattedValue" => {
                    e.place(self.vm)?;
                    self.formatted(e)?;
                }
                _ => {
                    self.push("{");
                    self.expr(v, Context::Load)?;
                    self.push("}");
                }
            }
        }
        Ok(())
    }

    fn formatted(&mut self, o: Obj) -> R<()> {
        self.push("{");
        self.sub(o, "value")?;
        match o.int(self.vm, "conversion")? {
            115 => self.push("!s"),
            114 => self.push("!r"),
            97 => self.push("!a"),
            -1 | 0 => {}
            c => {
                let m = format!("Unrecognized conversion character {c}");
                return Err(self.vm.system_error(&m));
            }
        }
        let spec = o.get(self.vm, "format_spec")?;
        if spec != self.vm.none {
            self.push(":");
            let s = classify(self.vm, spec, "expr")?;
            if s.row.name == "JoinedStr" {
                self.joined(s)?;
            } else {
                self.push("{");
                self.expr(spec, Context::Load)?;
                self.push("}");
            }
        }
        self.push("}");
        Ok(())
    }

    fn arg(&mut self, v: Value) -> R<()> {
        let a = classify(self.vm, v, "arg")?;
        let p = a.place(self.vm)?;
        let n = a.name(self.vm, "arg")?;
        self.begin(p);
        self.name(&n)?;
        self.optional(a, "annotation", ": ")?;
        self.end(p);
        Ok(())
    }

    /// Parameters of a function or lambda.
    pub(crate) fn arguments(&mut self, v: Value) -> R<()> {
        let a = classify(self.vm, v, "arguments")?;
        let posonly = a.list(self.vm, "posonlyargs")?;
        let args = a.list(self.vm, "args")?;
        let kwonly = a.list(self.vm, "kwonlyargs")?;
        let kw_defaults = a.list(self.vm, "kw_defaults")?;
        let defaults = a.list(self.vm, "defaults")?;
        let (np, na) = (self.vm.list_len(posonly), self.vm.list_len(args));
        let nd = self.vm.list_len(defaults);
        if nd > np + na {
            return self.value_error("more positional defaults than args on arguments");
        }
        if self.vm.list_len(kwonly) != self.vm.list_len(kw_defaults) {
            return self
                .value_error("length of kwonlyargs is not the same as kw_defaults on arguments");
        }
        self.items(defaults, "expression")?;
        for i in 0..np + na {
            let v = if i < np {
                self.vm.list_get(posonly, i)
            } else {
                self.vm.list_get(args, i - np)
            };
            self.arg(v)?;
            if i + nd >= np + na {
                self.push("=");
                let d = self.vm.list_get(defaults, i + nd - np - na);
                self.expr(d, Context::Load)?;
            }
            self.push(", ");
            if i + 1 == np {
                self.push("/, ");
            }
        }
        let none = self.vm.none;
        let vararg = a.get(self.vm, "vararg")?;
        if vararg != none {
            self.push("*");
            self.arg(vararg)?;
            self.push(", ");
        } else if self.vm.list_len(kwonly) > 0 {
            self.push("*, ");
        }
        for i in 0..self.vm.list_len(kwonly) {
            let v = self.vm.list_get(kwonly, i);
            self.arg(v)?;
            let d = self.vm.list_get(kw_defaults, i);
            if d != none {
                self.push("=");
                self.expr(d, Context::Load)?;
            }
            self.push(", ");
        }
        let kwarg = a.get(self.vm, "kwarg")?;
        if kwarg != none {
            self.push("**");
            self.arg(kwarg)?;
        }
        Ok(())
    }

    /// An identifier in a list.
    pub(crate) fn list_name(&mut self, list: Value, i: usize) -> R<String> {
        let v = self.vm.list_get(list, i);
        match identifier(self.vm, v)? {
            Some(s) => Ok(s),
            None => self.value_error("None disallowed in identifier list"),
        }
    }
}

fn symbol(name: &str) -> &'static str {
    match name {
        "And" => " and ",
        "Or" => " or ",
        "Add" => " + ",
        "Sub" => " - ",
        "Mult" => " * ",
        "MatMult" => " @ ",
        "Div" => " / ",
        "Mod" => " % ",
        "Pow" => " ** ",
        "LShift" => " << ",
        "RShift" => " >> ",
        "BitOr" => " | ",
        "BitXor" => " ^ ",
        "BitAnd" => " & ",
        "FloorDiv" => " // ",
        "Invert" => "~",
        "Not" => "not ",
        "UAdd" => "+",
        "USub" => "-",
        "Eq" => " == ",
        "NotEq" => " != ",
        "Lt" => " < ",
        "LtE" => " <= ",
        "Gt" => " > ",
        "GtE" => " >= ",
        "Is" => " is ",
        "IsNot" => " is not ",
        "In" => " in ",
        _ => " not in ",
    }
}

const KEYWORDS: &[&str] = &[
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif",
    "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda",
    "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];
