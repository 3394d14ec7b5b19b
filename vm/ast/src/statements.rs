//! Statements as source text.

use crate::back::{Context, Writer};
use crate::fields::{Obj, classify};
use pyrite_machine::Value;
use pyrite_objects::vm::R;

impl Writer<'_> {
    fn line(&mut self) {
        for _ in 0..self.indent {
            self.out.push(' ');
        }
    }

    /// Statements at the present indentation.
    pub(crate) fn body(&mut self, list: Value) -> R<()> {
        for i in self.items(list, "statement")? {
            let s = self.vm.list_get(list, i);
            self.stmt(s)?;
        }
        Ok(())
    }

    /// `:` and the statements of a field, which must not be empty.
    fn block(&mut self, o: Obj, field: &str) -> R<()> {
        let l = o.filled(self.vm, field)?;
        self.push(":\n");
        self.indent += 1;
        self.body(l)?;
        self.indent -= 1;
        Ok(())
    }

    /// `keyword:` and the statements of a field, or nothing if it is empty.
    fn tail(&mut self, o: Obj, field: &str, keyword: &str) -> R<()> {
        let l = o.list(self.vm, field)?;
        if self.vm.list_len(l) > 0 {
            self.line();
            self.push(keyword);
            self.block(o, field)?;
        }
        Ok(())
    }

    fn value(&mut self, o: Obj, field: &str, ctx: Context) -> R<()> {
        let v = o.required(self.vm, field)?;
        self.expr(v, ctx)
    }

    fn stmt(&mut self, v: Value) -> R<()> {
        self.vm.enter_native()?;
        stacker::maybe_grow(128 << 10, 4 << 20, || self.stmt_here(v))
    }

    fn stmt_here(&mut self, v: Value) -> R<()> {
        let o = classify(self.vm, v, "stmt")?;
        let p = o.place(self.vm)?;
        if matches!(o.row.name, "FunctionDef" | "AsyncFunctionDef" | "ClassDef") {
            let l = o.list(self.vm, "decorator_list")?;
            for i in self.items(l, "expression")? {
                self.line();
                self.push("@");
                let d = self.vm.list_get(l, i);
                self.expr(d, Context::Load)?;
                self.push("\n");
            }
        }
        self.line();
        self.begin(p);
        self.stmt_inside(o)?;
        // A compound statement ends where its last line does.
        if !self.out.ends_with('\n') {
            self.end(p);
        }
        if !self.out.ends_with('\n') {
            self.push("\n");
        }
        Ok(())
    }

    fn stmt_inside(&mut self, o: Obj) -> R<()> {
        match o.row.name {
            "FunctionDef" | "AsyncFunctionDef" => {
                let n = o.name(self.vm, "name")?;
                self.push(if o.row.name == "FunctionDef" {
                    "def "
                } else {
                    "async def "
                });
                self.name(&n)?;
                self.push("(");
                let a = o.required(self.vm, "args")?;
                self.arguments(a)?;
                self.push(")");
                self.optional(o, "returns", " -> ")?;
                self.block(o, "body")?;
            }
            "ClassDef" => {
                let n = o.name(self.vm, "name")?;
                self.push("class ");
                self.name(&n)?;
                self.push("(");
                let l = o.list(self.vm, "bases")?;
                self.exprs(l, Context::Load)?;
                let l = o.list(self.vm, "keywords")?;
                self.keywords(l)?;
                self.push(")");
                self.block(o, "body")?;
            }
            "Return" => {
                self.push("return");
                self.optional(o, "value", " ")?;
            }
            "Delete" => {
                let l = o.filled(self.vm, "targets")?;
                self.push("del ");
                self.exprs(l, Context::Del)?;
            }
            "Assign" => {
                let l = o.filled(self.vm, "targets")?;
                for i in self.items(l, "expression")? {
                    let t = self.vm.list_get(l, i);
                    self.expr(t, Context::Store)?;
                    self.push(" = ");
                }
                self.value(o, "value", Context::Load)?;
            }
            "AugAssign" => {
                self.value(o, "target", Context::Store)?;
                let op = self.op(o, "op", "operator")?;
                self.push(op.trim_end());
                self.push("= ");
                self.value(o, "value", Context::Load)?;
            }
            "AnnAssign" => {
                let t = o.required(self.vm, "target")?;
                let target = classify(self.vm, t, "expr")?;
                let simple = o.int(self.vm, "simple")? != 0;
                if simple {
                    if target.row.name != "Name" {
                        return Err(self.vm.type_error("AnnAssign with simple non-Name target"));
                    }
                    let n = target.name(self.vm, "id")?;
                    let p = target.place(self.vm)?;
                    self.name(&n)?;
                    self.end(p);
                } else {
                    self.expr(t, Context::Store)?;
                }
                self.push(": ");
                self.value(o, "annotation", Context::Load)?;
                self.optional(o, "value", " = ")?;
            }
            "For" | "AsyncFor" => {
                self.push(if o.row.name == "For" {
                    "for "
                } else {
                    "async for "
                });
                self.value(o, "target", Context::Store)?;
                self.push(" in ");
                self.value(o, "iter", Context::Load)?;
                self.block(o, "body")?;
                self.tail(o, "orelse", "else")?;
            }
            "While" | "If" => {
                self.push(if o.row.name == "While" {
                    "while "
                } else {
                    "if "
                });
                self.value(o, "test", Context::Load)?;
                self.block(o, "body")?;
                self.tail(o, "orelse", "else")?;
            }
            "With" | "AsyncWith" => self.with(o)?,
            "Match" => self.match_(o)?,
            "Raise" => {
                self.push("raise");
                let exc = self.optional(o, "exc", " ")?;
                let cause = self.optional(o, "cause", " from ")?;
                if cause && !exc {
                    return self.value_error("Raise with cause but no exception");
                }
            }
            "Try" | "TryStar" => self.try_(o)?,
            "Assert" => {
                self.push("assert ");
                self.value(o, "test", Context::Load)?;
                self.optional(o, "msg", ", ")?;
            }
            "Import" => {
                self.push("import ");
                self.aliases_of(o)?;
            }
            "ImportFrom" => {
                let level = o.int(self.vm, "level")?;
                if level < 0 {
                    return self.value_error("Negative ImportFrom level");
                }
                self.push("from ");
                self.push(&".".repeat(level as usize));
                if let Some(m) = o.identifier(self.vm, "module")? {
                    self.dotted(&m)?;
                }
                self.push(" import ");
                self.aliases_of(o)?;
            }
            "Global" | "Nonlocal" => {
                let l = o.filled(self.vm, "names")?;
                self.push(if o.row.name == "Global" {
                    "global "
                } else {
                    "nonlocal "
                });
                for i in 0..self.vm.list_len(l) {
                    if i > 0 {
                        self.push(", ");
                    }
                    let n = self.list_name(l, i)?;
                    self.name(&n)?;
                }
            }
            "Expr" => self.value(o, "value", Context::Load)?,
            "Break" => self.push("break"),
            "Continue" => self.push("continue"),
            _ => self.push("pass"),
        }
        Ok(())
    }

    fn with(&mut self, o: Obj) -> R<()> {
        let l = o.filled(self.vm, "items")?;
        self.push(if o.row.name == "With" {
            "with ("
        } else {
            "async with ("
        });
        for i in 0..self.vm.list_len(l) {
            let item = self.vm.list_get(l, i);
            let item = classify(self.vm, item, "withitem")?;
            self.value(item, "context_expr", Context::Load)?;
            let v = item.get(self.vm, "optional_vars")?;
            if v != self.vm.none {
                self.push(" as ");
                self.expr(v, Context::Store)?;
            }
            self.push(", ");
        }
        self.push(")");
        self.block(o, "body")
    }

    fn try_(&mut self, o: Obj) -> R<()> {
        let handlers = o.list(self.vm, "handlers")?;
        let last = o.list(self.vm, "finalbody")?;
        let orelse = o.list(self.vm, "orelse")?;
        o.filled(self.vm, "body")?;
        let name = o.row.name;
        if self.vm.list_len(handlers) == 0 {
            if self.vm.list_len(last) == 0 {
                let m = format!("{name} has neither except handlers nor finalbody");
                return self.value_error(&m);
            }
            if self.vm.list_len(orelse) > 0 {
                let m = format!("{name} has orelse but no except handlers");
                return self.value_error(&m);
            }
        }
        self.push("try");
        self.block(o, "body")?;
        for i in 0..self.vm.list_len(handlers) {
            let h = self.vm.list_get(handlers, i);
            let h = classify(self.vm, h, "excepthandler")?;
            let p = h.place(self.vm)?;
            self.line();
            self.begin(p);
            self.push(if name == "Try" { "except" } else { "except*" });
            self.optional(h, "type", " ")?;
            if let Some(n) = h.identifier(self.vm, "name")? {
                self.push(" as ");
                self.name(&n)?;
            }
            self.block(h, "body")?;
        }
        self.tail(o, "orelse", "else")?;
        self.tail(o, "finalbody", "finally")
    }

    fn aliases_of(&mut self, o: Obj) -> R<()> {
        let l = o.filled(self.vm, "names")?;
        for i in 0..self.vm.list_len(l) {
            if i > 0 {
                self.push(", ");
            }
            let a = self.vm.list_get(l, i);
            let a = classify(self.vm, a, "alias")?;
            let p = a.place(self.vm)?;
            let n = a.name(self.vm, "name")?;
            self.begin(p);
            if n == "*" {
                self.push("*");
            } else {
                self.dotted(&n)?;
            }
            if let Some(n) = a.identifier(self.vm, "asname")? {
                self.push(" as ");
                self.name(&n)?;
            }
            self.end(p);
        }
        Ok(())
    }

    fn match_(&mut self, o: Obj) -> R<()> {
        self.push("match ");
        self.value(o, "subject", Context::Load)?;
        let cases = o.filled(self.vm, "cases")?;
        self.push(":\n");
        self.indent += 1;
        for i in 0..self.vm.list_len(cases) {
            let c = self.vm.list_get(cases, i);
            let c = classify(self.vm, c, "match_case")?;
            self.line();
            self.push("case ");
            let p = c.required(self.vm, "pattern")?;
            self.pattern(p, false)?;
            self.optional(c, "guard", " if ")?;
            self.block(c, "body")?;
        }
        self.indent -= 1;
        Ok(())
    }
}
