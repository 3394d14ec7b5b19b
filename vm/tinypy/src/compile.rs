//! Source text to register code, in one pass over the syntax tree.
//!
//! Locals are the first registers of a window, temporaries lie behind them: an expression is
//! computed into register `t`, with those above `t` for its parts. A call's header begins at `t`,
//! behind it lies the callee's window with the arguments, and the result is left in `t`. So
//! `a + f(b)` with locals `a`, `b` is `Move 6 1; Call 6 f; Add 2 0 3`.

use pyrite_front::{Mode, Source, parse};
use pyrite_jit_guest::{Code, HEADER, Ins};
use pyrite_machine::Value;
use ruff_python_ast::visitor::{Visitor, walk_expr};
use ruff_python_ast::{BoolOp, CmpOp, Expr, ExprCall, Mod, Number, Operator, Stmt, UnaryOp};
use ruff_python_ast::{ElifElseClause, StmtFunctionDef};

/// Instructions. Operands are registers, but for: constants (`Const`'s second), names (`Load`'s
/// third, `Store`'s second), functions (`Call`'s second), distances (last of jumps), truths
/// (`Branch`'s second), and the number of live registers (`Loop`'s first).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub(crate) enum Op {
    Const,
    Move,
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Mod,
    And,
    Or,
    Xor,
    Neg,
    Lt,
    Le,
    Eq,
    IsNone,
    Not,
    Jump,
    Branch,
    Loop,
    New,
    Load,
    Store,
    Call,
    Return,
    Print,
}

type R<T> = Result<T, String>;

fn refuse<T>(what: &str) -> R<T> {
    Err(format!("the language has no such {what}"))
}

struct Compiler<'a> {
    functions: &'a [&'a StmtFunctionDef],
    /// Of attributes.
    names: &'a mut Vec<String>,
    locals: Vec<String>,
    code: Code,
}

/// Compiles a program, which is functions alone; `main` comes first in the result.
///
/// # Errors
/// What is no program of the language.
pub fn compile(text: &str) -> R<Vec<Code>> {
    let source = Source::new(text);
    let tree = parse(&source, Mode::Exec).map_err(|e| e.msg)?;
    let Mod::Module(module) = tree.root() else {
        return refuse("program");
    };
    let mut functions = Vec::new();
    for s in &module.body {
        match s {
            Stmt::FunctionDef(f) => functions.push(f),
            _ => return refuse("statement outside of functions"),
        }
    }
    functions.sort_by_key(|f| f.name.as_str() != "main");
    let mut names = Vec::new();
    let code = |f: &&StmtFunctionDef| {
        let args = f.parameters.args.iter();
        let mut c = Compiler {
            functions: &functions,
            names: &mut names,
            locals: args.map(|p| p.parameter.name.to_string()).collect(),
            code: Code::default(),
        };
        (c.code.name, c.code.args) = (f.name.to_string(), c.locals.len() as u16);
        c.visit_body(&f.body);
        c.suite(&f.body)?;
        let t = c.free();
        c.constant(Value::NULL, t);
        c.emit(Op::Return, t, 0, 0);
        Ok(c.code)
    };
    functions.iter().map(code).collect()
}

/// Finds the locals: names that are assigned to.
impl<'a> Visitor<'a> for Compiler<'_> {
    fn visit_expr(&mut self, e: &'a Expr) {
        match e {
            Expr::Name(n) if n.ctx.is_store() => drop(index(&mut self.locals, &n.id)),
            _ => walk_expr(self, e),
        }
    }
}

/// The number of a name, which is appended if it is new.
fn index(names: &mut Vec<String>, name: &str) -> u16 {
    let at = names.iter().position(|n| n == name).unwrap_or(names.len());
    if at == names.len() {
        names.push(name.to_owned());
    }
    at as u16
}

impl Compiler<'_> {
    /// The first register that is no local.
    fn free(&self) -> u16 {
        self.locals.len() as u16
    }

    fn emit(&mut self, op: Op, a: u16, b: u16, c: u16) -> usize {
        self.code.instrs.push(Ins::new(op as u16, a, b, c));
        self.code.instrs.len() - 1
    }

    /// Makes the jump at `at` lead here.
    fn here(&mut self, at: usize) {
        let distance = self.code.instrs.len() - at - 1;
        self.code.instrs[at] = self.code.instrs[at].with_c(distance as u16);
    }

    fn constant(&mut self, v: Value, t: u16) {
        self.code.size = self.code.size.max(t + 1 + HEADER);
        self.code.consts.push(v);
        let k = self.code.consts.len() - 1;
        self.emit(Op::Const, t, k as u16, 0);
    }

    fn suite(&mut self, body: &[Stmt]) -> R<()> {
        body.iter().try_for_each(|s| self.statement(s))
    }

    fn statement(&mut self, s: &Stmt) -> R<()> {
        let t = self.free();
        match s {
            Stmt::Pass(_) => {}
            Stmt::Expr(s) => self.expr(&s.value, t)?,
            Stmt::Return(s) => {
                match &s.value {
                    Some(v) => self.expr(v, t)?,
                    None => self.constant(Value::NULL, t),
                }
                self.emit(Op::Return, t, 0, 0);
            }
            Stmt::Assign(s) if s.targets.len() == 1 => {
                let v = self.operand(&s.value, t)?;
                self.assign(&s.targets[0], v, t + 1)?;
            }
            Stmt::AugAssign(s) => {
                self.binary(s.op, &s.target, &s.value, t)?;
                self.assign(&s.target, t, t + 1)?;
            }
            Stmt::While(s) if s.orelse.is_empty() => {
                let start = self.code.instrs.len();
                let out = self.branch(&s.test, false, t)?;
                self.suite(&s.body)?;
                let back = self.code.instrs.len() + 1 - start;
                self.emit(Op::Loop, t, 0, back as u16);
                self.code.loops = true;
                self.here(out);
            }
            Stmt::If(s) => {
                let out = self.branch(&s.test, false, t)?;
                self.suite(&s.body)?;
                self.otherwise(out, &s.elif_else_clauses)?;
            }
            _ => return refuse("statement"),
        }
        Ok(())
    }

    /// What follows a condition whose jump, if it does not hold, is at `out`.
    fn otherwise(&mut self, out: usize, clauses: &[ElifElseClause]) -> R<()> {
        let Some((first, rest)) = clauses.split_first() else {
            self.here(out);
            return Ok(());
        };
        let end = self.emit(Op::Jump, 0, 0, 0);
        self.here(out);
        if let Some(test) = &first.test {
            let out = self.branch(test, false, self.free())?;
            self.suite(&first.body)?;
            self.otherwise(out, rest)?;
        } else {
            self.suite(&first.body)?;
        }
        self.here(end);
        Ok(())
    }

    /// A jump, to somewhere yet unknown, if the value's truth is this; the value is left in `t`.
    fn branch(&mut self, e: &Expr, truth: bool, t: u16) -> R<usize> {
        self.expr(e, t)?;
        Ok(self.emit(Op::Branch, t, truth.into(), 0))
    }

    fn assign(&mut self, target: &Expr, v: u16, t: u16) -> R<()> {
        match target {
            Expr::Name(n) => {
                let r = index(&mut self.locals, &n.id);
                self.emit(Op::Move, r, v, 0);
            }
            Expr::Attribute(a) => {
                let o = self.operand(&a.value, t)?;
                let n = index(self.names, &a.attr);
                self.emit(Op::Store, o, n, v);
            }
            _ => return refuse("target"),
        }
        Ok(())
    }

    /// The register of the expression's value: the local's own, or `t`.
    fn operand(&mut self, e: &Expr, t: u16) -> R<u16> {
        if let Expr::Name(n) = e {
            let local = self.locals.iter().position(|l| l == n.id.as_str());
            let local = local.ok_or_else(|| format!("name '{}' is not defined", n.id))?;
            return Ok(local as u16);
        }
        self.expr(e, t)?;
        Ok(t)
    }

    fn binary(&mut self, op: Operator, left: &Expr, right: &Expr, t: u16) -> R<()> {
        let (x, y) = (self.operand(left, t)?, self.operand(right, t + 1)?);
        let op = match op {
            Operator::Add => Op::Add,
            Operator::Sub => Op::Sub,
            Operator::Mult => Op::Mul,
            Operator::Div => Op::Div,
            Operator::FloorDiv => Op::FloorDiv,
            Operator::Mod => Op::Mod,
            Operator::BitAnd => Op::And,
            Operator::BitOr => Op::Or,
            Operator::BitXor => Op::Xor,
            _ => return refuse("operator"),
        };
        self.emit(op, t, x, y);
        Ok(())
    }

    /// Computes an expression into register `t`.
    fn expr(&mut self, e: &Expr, t: u16) -> R<()> {
        self.code.size = self.code.size.max(t + 1 + HEADER);
        match e {
            Expr::Name(_) => {
                let r = self.operand(e, t)?;
                self.emit(Op::Move, t, r, 0);
            }
            Expr::NoneLiteral(_) => self.constant(Value::NULL, t),
            Expr::NumberLiteral(n) => {
                let v = match &n.value {
                    Number::Int(i) => i.as_i64().and_then(Value::try_int),
                    Number::Float(f) => Some(Value::float(*f)),
                    Number::Complex { .. } => None,
                };
                self.constant(v.ok_or("the language has no such number")?, t);
            }
            Expr::UnaryOp(u) => {
                let x = self.operand(&u.operand, t)?;
                let op = match u.op {
                    UnaryOp::USub => Op::Neg,
                    UnaryOp::Not => Op::Not,
                    _ => return refuse("operator"),
                };
                self.emit(op, t, x, 0);
            }
            Expr::BinOp(b) => self.binary(b.op, &b.left, &b.right, t)?,
            Expr::BoolOp(b) => {
                // `and` is left at the first false, `or` at the first true.
                let (last, first) = b.values.split_last().ok_or("no operands")?;
                let outs = first.iter().map(|v| self.branch(v, b.op == BoolOp::Or, t));
                let outs = outs.collect::<R<Vec<usize>>>()?;
                self.expr(last, t)?;
                outs.into_iter().for_each(|j| self.here(j));
            }
            Expr::Compare(c) if c.ops.len() == 1 => {
                let right = &c.comparators[0];
                let (x, y) = (self.operand(&c.left, t)?, self.operand(right, t + 1)?);
                let (op, x, y, not) = match c.ops[0] {
                    CmpOp::Lt => (Op::Lt, x, y, false),
                    CmpOp::Gt => (Op::Lt, y, x, false),
                    CmpOp::LtE => (Op::Le, x, y, false),
                    CmpOp::GtE => (Op::Le, y, x, false),
                    CmpOp::Eq => (Op::Eq, x, y, false),
                    CmpOp::NotEq => (Op::Eq, x, y, true),
                    CmpOp::Is if right.is_none_literal_expr() => (Op::IsNone, x, 0, false),
                    CmpOp::IsNot if right.is_none_literal_expr() => (Op::IsNone, x, 0, true),
                    _ => return refuse("comparison"),
                };
                self.emit(op, t, x, y);
                if not {
                    self.emit(Op::Not, t, t, 0);
                }
            }
            Expr::Attribute(a) => {
                let o = self.operand(&a.value, t)?;
                let n = index(self.names, &a.attr);
                self.emit(Op::Load, t, o, n);
            }
            Expr::Call(c) => self.call(c, t)?,
            _ => return refuse("expression"),
        }
        Ok(())
    }

    fn call(&mut self, c: &ExprCall, t: u16) -> R<()> {
        let Expr::Name(f) = &*c.func else {
            return refuse("call");
        };
        match (f.id.as_str(), &*c.arguments.args) {
            ("Object", []) => drop(self.emit(Op::New, t, 0, 0)),
            ("print", [v]) => {
                let v = self.operand(v, t)?;
                self.emit(Op::Print, v, 0, 0);
            }
            (name, args) => {
                let n = (self.functions.iter().position(|f| f.name.as_str() == name))
                    .ok_or_else(|| format!("name '{name}' is not defined"))?;
                if self.functions[n].parameters.args.len() != args.len() {
                    return Err(format!("{name}() takes another number of arguments"));
                }
                for (r, v) in (t + HEADER..).zip(args) {
                    self.expr(v, r)?;
                }
                self.emit(Op::Call, t + HEADER, n as u16, 0);
            }
        }
        Ok(())
    }
}
