//! Programs that compile but can hardly be meant so: CPython's SyntaxWarnings.

use super::Gen;
use pyrite_bytecode::Const;
use pyrite_front::{Category, ErrorKind, SyntaxErrorInfo, Warning};
use ruff_python_ast::*;
use ruff_text_size::Ranged;

impl Gen<'_> {
    fn warn(&mut self, at: &impl Ranged, msg: impl Into<String>) {
        let r = at.range();
        let (start, end) = (r.start().to_usize(), r.end().to_usize());
        self.warnings.push(Warning {
            category: Category::Syntax,
            error: SyntaxErrorInfo::at(self.source, ErrorKind::Syntax, start, end, msg),
        });
    }

    /// `assert (condition, message)`
    pub(crate) fn warn_assert(&mut self, a: &StmtAssert) {
        if matches!(&*a.test, Expr::Tuple(t) if !t.elts.is_empty()) {
            self.warn(a, "assertion is always true, perhaps remove parentheses?");
        }
    }

    /// `x is 1`. `not x is 1` has become `x is not 1` before; `ops` are those.
    pub(crate) fn warn_identity(&mut self, c: &ExprCompare, ops: &[CmpOp]) {
        if !ops.iter().any(|o| matches!(o, CmpOp::Is | CmpOp::IsNot)) {
            return;
        }
        let mut left = self.is_literal(&c.left);
        for (op, right) in ops.iter().zip(&c.comparators) {
            let right = self.is_literal(right);
            if left || right {
                match op {
                    CmpOp::Is => {
                        self.warn(c, "\"is\" with a literal. Did you mean \"==\"?");
                    }
                    CmpOp::IsNot => {
                        self.warn(c, "\"is not\" with a literal. Did you mean \"!=\"?");
                    }
                    _ => {}
                }
            }
            left = right;
        }
    }

    /// A constant whose identity says nothing.
    fn is_literal(&self, e: &Expr) -> bool {
        !matches!(
            self.fold.fold(e),
            None | Some(Const::None | Const::True | Const::False | Const::Ellipsis)
        )
    }

    /// `(1, 2) (3, 4)`
    pub(crate) fn warn_call(&mut self, c: &ExprCall) {
        if matches!(
            &*c.func,
            Expr::Name(_) | Expr::Attribute(_) | Expr::Lambda(_)
        ) {
            return;
        }
        if let Some(kind) = self.known_type(&c.func) {
            let msg = format!("'{kind}' object is not callable; perhaps you missed a comma?");
            self.warn(c, msg);
        }
    }

    /// `1 [2]`, `[1] ['a']`
    pub(crate) fn warn_subscript(&mut self, s: &ExprSubscript) {
        if matches!(
            &*s.value,
            Expr::Name(_) | Expr::Attribute(_) | Expr::Subscript(_)
        ) {
            return;
        }
        let Some(kind) = self.known_type(&s.value) else {
            return;
        };
        match kind {
            "dict" => {}
            "str" | "bytes" | "tuple" | "list" => {
                if let Some(index) = self.known_type(&s.slice)
                    && !matches!(index, "int" | "bool")
                {
                    let msg = format!(
                        "{kind} indices must be integers or slices, not {index}; perhaps you missed a comma?"
                    );
                    self.warn(s, msg);
                }
            }
            _ => {
                let msg =
                    format!("'{kind}' object is not subscriptable; perhaps you missed a comma?");
                self.warn(s, msg);
            }
        }
    }

    /// Name of the class that an expression's value has for certain.
    fn known_type(&self, e: &Expr) -> Option<&'static str> {
        Some(match e {
            Expr::Tuple(_) => "tuple",
            Expr::List(_) | Expr::ListComp(_) => "list",
            Expr::Dict(_) | Expr::DictComp(_) => "dict",
            Expr::Set(_) | Expr::SetComp(_) => "set",
            Expr::Generator(_) => "generator",
            Expr::Lambda(_) => "function",
            Expr::FString(_) => "str",
            _ => match self.fold.fold(e)? {
                Const::None => "NoneType",
                Const::True | Const::False => "bool",
                Const::Ellipsis => "ellipsis",
                Const::Int(_) | Const::BigInt(_) => "int",
                Const::Float(_) => "float",
                Const::Complex(..) => "complex",
                Const::Str(_) => "str",
                Const::Bytes(_) => "bytes",
                Const::Tuple(_) => "tuple",
                Const::FrozenSet(_) => "frozenset",
                Const::Code(_) => return None,
            },
        })
    }
}
