//! Patterns as source text.

use crate::back::{Context, Writer};
use crate::escape;
use crate::fields::{Obj, classify};
use pyrite_machine::Value;
use pyrite_objects::vm::R;

impl Writer<'_> {
    fn patterns(&mut self, list: Value, star: bool) -> R<()> {
        for i in self.items(list, "pattern")? {
            let p = self.vm.list_get(list, i);
            self.pattern(p, star)?;
            self.push(", ");
        }
        Ok(())
    }

    /// Writes a pattern; `star` tells whether `*name` may stand here.
    pub(crate) fn pattern(&mut self, v: Value, star: bool) -> R<()> {
        self.vm.enter_native()?;
        let o = classify(self.vm, v, "pattern")?;
        let p = o.place(self.vm)?;
        let grouped = matches!(o.row.name, "MatchAs" | "MatchOr");
        if grouped {
            self.push("(");
        }
        self.begin(p);
        self.pattern_inside(o, star)?;
        self.end(p);
        if grouped {
            self.push(")");
        }
        Ok(())
    }

    fn capture(&mut self, name: &str) -> R<()> {
        if name == "_" {
            return self.value_error("can't capture name '_' in patterns");
        }
        self.name(name)
    }

    fn pattern_inside(&mut self, o: Obj, star: bool) -> R<()> {
        match o.row.name {
            "MatchValue" => {
                let v = o.required(self.vm, "value")?;
                self.pattern_value(v)?;
            }
            "MatchSingleton" => {
                let v = o.get(self.vm, "value")?;
                if ![self.vm.none, self.vm.true_, self.vm.false_].contains(&v) {
                    return self
                        .value_error("MatchSingleton can only contain True, False and None");
                }
                escape::constant(self.vm, v, &mut self.out)?;
            }
            "MatchSequence" => {
                let l = o.list(self.vm, "patterns")?;
                self.push("[");
                self.patterns(l, true)?;
                self.push("]");
            }
            "MatchMapping" => {
                let keys = o.list(self.vm, "keys")?;
                let l = o.list(self.vm, "patterns")?;
                if self.vm.list_len(keys) != self.vm.list_len(l) {
                    return self.value_error(
                        "MatchMapping doesn't have the same number of keys as patterns",
                    );
                }
                self.push("{");
                for i in self.items(l, "pattern")? {
                    let k = self.vm.list_get(keys, i);
                    self.pattern_value(k)?;
                    self.push(": ");
                    let p = self.vm.list_get(l, i);
                    self.pattern(p, false)?;
                    self.push(", ");
                }
                if let Some(n) = o.identifier(self.vm, "rest")? {
                    self.push("**");
                    self.capture(&n)?;
                }
                self.push("}");
            }
            "MatchClass" => {
                let attrs = o.list(self.vm, "kwd_attrs")?;
                let kws = o.list(self.vm, "kwd_patterns")?;
                if self.vm.list_len(attrs) != self.vm.list_len(kws) {
                    return self.value_error(
                        "MatchClass doesn't have the same number of keyword attributes as patterns",
                    );
                }
                let cls = o.required(self.vm, "cls")?;
                let c = classify(self.vm, cls, "expr")?;
                if !matches!(c.row.name, "Name" | "Attribute") {
                    return self.value_error(
                        "MatchClass cls field can only contain Name or Attribute nodes.",
                    );
                }
                self.dotted_expr(c)?;
                self.push("(");
                let l = o.list(self.vm, "patterns")?;
                self.patterns(l, false)?;
                for i in self.items(kws, "pattern")? {
                    let n = self.list_name(attrs, i)?;
                    self.name(&n)?;
                    self.push("=");
                    let p = self.vm.list_get(kws, i);
                    self.pattern(p, false)?;
                    self.push(", ");
                }
                self.push(")");
            }
            "MatchStar" => {
                if !star {
                    return self.value_error("can't use MatchStar here");
                }
                self.push("*");
                match o.identifier(self.vm, "name")? {
                    Some(n) => self.capture(&n)?,
                    None => self.push("_"),
                }
            }
            "MatchAs" => {
                let inner = o.get(self.vm, "pattern")?;
                let name = o.identifier(self.vm, "name")?;
                let has = inner != self.vm.none;
                match name {
                    None if has => {
                        return self.value_error(
                            "MatchAs must specify a target name if a pattern is given",
                        );
                    }
                    None => self.push("_"),
                    Some(n) => {
                        if has {
                            self.pattern(inner, false)?;
                            self.push(" as ");
                        }
                        self.capture(&n)?;
                    }
                }
            }
            _ => {
                let l = o.list(self.vm, "patterns")?;
                if self.vm.list_len(l) < 2 {
                    return self.value_error("MatchOr requires at least 2 patterns");
                }
                for i in self.items(l, "pattern")? {
                    if i > 0 {
                        self.push(" | ");
                    }
                    let p = self.vm.list_get(l, i);
                    self.pattern(p, false)?;
                }
            }
        }
        Ok(())
    }

    /// A name with dots, which has no parentheses in patterns.
    fn dotted_expr(&mut self, o: Obj) -> R<()> {
        let p = o.place(self.vm)?;
        self.begin(p);
        match o.row.name {
            "Name" => {
                let n = o.name(self.vm, "id")?;
                self.name(&n)?;
            }
            "Attribute" => {
                let v = o.required(self.vm, "value")?;
                let v = classify(self.vm, v, "expr")?;
                self.dotted_expr(v)?;
                self.push(".");
                let n = o.name(self.vm, "attr")?;
                self.name(&n)?;
            }
            _ => {
                return self.value_error("patterns may only match literals and attribute lookups");
            }
        }
        self.end(p);
        Ok(())
    }

    /// A literal or dotted name to compare with.
    fn pattern_value(&mut self, v: Value) -> R<()> {
        let o = classify(self.vm, v, "expr")?;
        let p = o.place(self.vm)?;
        match o.row.name {
            "Attribute" => self.dotted_expr(o),
            "Constant" => {
                let c = o.get(self.vm, "value")?;
                if c == self.vm.ellipsis {
                    return self.value_error("unexpected constant inside of a literal pattern");
                }
                self.begin(p);
                let start = self.out.len();
                escape::constant(self.vm, c, &mut self.out)?;
                // Literals in patterns have no parentheses around them.
                let text = self.out.split_off(start);
                let bare = text
                    .strip_prefix('(')
                    .and_then(|t| t.strip_suffix(')'))
                    .unwrap_or(&text);
                self.out.push_str(bare);
                self.end(p);
                Ok(())
            }
            "UnaryOp" | "BinOp" => {
                self.begin(p);
                if o.row.name == "BinOp" {
                    let l = o.required(self.vm, "left")?;
                    self.pattern_value(l)?;
                    let op = self.op(o, "op", "operator")?;
                    self.push(op);
                    let r = o.required(self.vm, "right")?;
                    self.pattern_value(r)?;
                } else {
                    let op = self.op(o, "op", "unaryop")?;
                    self.push(op);
                    let r = o.required(self.vm, "operand")?;
                    self.pattern_value(r)?;
                }
                self.end(p);
                Ok(())
            }
            "JoinedStr" => self.expr(v, Context::Load),
            _ => self.value_error("patterns may only match literals and attribute lookups"),
        }
    }
}
