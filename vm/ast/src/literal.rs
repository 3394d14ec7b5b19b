//! f-strings and numbers of the parser's tree.
//!
//! `f"a{x!r:>{w}}" "b"` is `JoinedStr` of `Constant('a')`, `FormattedValue` and
//! `Constant('b')`: literal pieces beside each other are one. All of them have
//! the place of the whole string.

use pyrite_front::Source;
use pyrite_machine::Value;
use pyrite_objects::layout::Gc;
use pyrite_objects::vm::{R, Vm};
use pyrite_stdlib::ast_types::node_class;
use ruff_python_ast::*;
use ruff_text_size::{Ranged, TextRange};

/// Makes the node of an expression inside an f-string.
pub(crate) type MakeExpr<'m> = &'m mut dyn FnMut(&mut Vm, &Source<'_>, &Expr) -> R;

/// An int of any size.
pub(crate) fn int(vm: &mut Vm, i: &Int) -> Value {
    if let Some(i) = i.as_i64() {
        return vm.new_int(i);
    }
    vm.int_from_decimal(&pyrite_compiler::literal::decimal(&i.to_string()))
}

struct Pieces<'a, 's> {
    source: &'a Source<'s>,
    range: TextRange,
    /// The literal that is being read, one of those beside each other.
    part: TextRange,
    list: Value,
    text: Vec<u32>,
}

fn place(vm: &mut Vm, source: &Source<'_>, o: Value, range: TextRange) {
    let (line, col) = source.position(range.start().to_usize());
    let (end_line, end_col) = source.position(range.end().to_usize());
    for (n, x) in [
        ("lineno", line),
        ("col_offset", col),
        ("end_lineno", end_line),
        ("end_col_offset", end_col),
    ] {
        let n = vm.intern(n);
        let x = vm.new_int(x.into());
        vm.instance_set(o, n, x);
    }
}

impl Pieces<'_, '_> {
    fn node(&self, vm: &mut Vm, name: &str, fields: &[(&str, Value)]) -> Value {
        let class = node_class(vm, name);
        let o = vm.new_instance(Gc::from_value(class));
        for &(n, v) in fields {
            let n = vm.intern(n);
            vm.instance_set(o, n, v);
        }
        place(vm, self.source, o, self.range);
        o
    }

    /// Ends a run of literal text.
    fn flush(&mut self, vm: &mut Vm) {
        if self.text.is_empty() {
            return;
        }
        let v = vm.new_str_points(&self.text);
        self.text.clear();
        let none = vm.none;
        let c = self.node(vm, "Constant", &[("value", v), ("kind", none)]);
        vm.list_append(self.list, c);
    }

    fn elements(
        &mut self,
        vm: &mut Vm,
        elements: &InterpolatedStringElements,
        raw: bool,
        expr: MakeExpr<'_>,
    ) -> R<()> {
        for e in elements {
            match e {
                InterpolatedStringElement::Literal(l) => {
                    pyrite_compiler::literal::fstring_piece(l, self.source, raw, &mut self.text);
                }
                InterpolatedStringElement::Interpolation(i) => {
                    if let Some(d) = &i.debug_text {
                        self.text.extend(d.as_str().chars().map(u32::from));
                    }
                    self.flush(vm);
                    let v = expr(vm, self.source, &i.expression)?;
                    let spec = match &i.format_spec {
                        None => vm.none,
                        Some(s) => {
                            let list = vm.new_list(&[]);
                            // A specification has the place of its own literal.
                            let mut inner = Pieces {
                                source: self.source,
                                range: self.part,
                                part: self.part,
                                list,
                                text: Vec::new(),
                            };
                            inner.elements(vm, &s.elements, raw, expr)?;
                            inner.flush(vm);
                            inner.node(vm, "JoinedStr", &[("values", list)])
                        }
                    };
                    let plain = matches!(i.conversion, ConversionFlag::None);
                    let conversion = if plain && i.debug_text.is_some() && i.format_spec.is_none() {
                        i32::from(b'r')
                    } else {
                        i.conversion as i32
                    };
                    let fields = [
                        ("value", v),
                        ("conversion", Value::small(conversion)),
                        ("format_spec", spec),
                    ];
                    let f = self.node(vm, "FormattedValue", &fields);
                    vm.list_append(self.list, f);
                }
            }
        }
        Ok(())
    }
}

/// The node of an f-string.
pub(crate) fn joined(vm: &mut Vm, source: &Source<'_>, f: &ExprFString, expr: MakeExpr<'_>) -> R {
    let list = vm.new_list(&[]);
    let mut p = Pieces {
        source,
        range: f.range(),
        part: f.range(),
        list,
        text: Vec::new(),
    };
    for part in &f.value {
        match part {
            FStringPart::Literal(l) => {
                pyrite_compiler::literal::string(l, source, &mut p.text);
            }
            FStringPart::FString(s) => {
                let raw = s.flags.prefix().is_raw();
                p.part = s.range();
                p.elements(vm, &s.elements, raw, expr)?;
            }
        }
    }
    p.flush(vm);
    Ok(p.node(vm, "JoinedStr", &[("values", list)]))
}
