//! Source text to register code, in one pass over the syntax tree.
//!
//! An instruction is a word: opcode, then three operands of 16 bits. Locals are the first
//! registers of a window, temporaries lie behind them; a call's arguments are put where the
//! callee's window will begin, behind its header.

use pyrite_front::{Mode, Source, parse};
use pyrite_machine::{Cmp, Value};
use ruff_python_ast::{self as ast, CmpOp, Expr, Mod, Number, Operator, Stmt, UnaryOp};
use std::collections::HashMap;

/// Words below register 0 of a window: return address, code, caller's window.
pub const HEADER: u16 = 3;

/// Instructions; `a`, `b`, `c` are operands, `r` registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
#[rustfmt::skip]
pub enum Op {
    Const, Move, Add, Sub, Mul, Div, FloorDiv, Mod, And, Or, Xor, Neg,
    Jump, Lt, Le, Eq, IsNone, Loop, New, Load, Store, Call, Return, Print,
}

/// A function, compiled. Never freed.
pub struct Code {
    pub name: String,
    pub args: u16,
    /// Registers, temporaries and room for a callee's header included.
    pub size: u16,
    pub consts: Vec<Value>,
    pub instrs: Vec<u64>,
    /// All functions, for `Call`.
    pub functions: *const Vec<*const Code>,
}

struct Compiler<'a> {
    functions: &'a HashMap<String, (u16, u16)>,
    names: &'a mut Vec<String>,
    code: Code,
    locals: HashMap<String, u16>,
    next: u16,
}

type R<T> = Result<T, String>;

/// Compiles a program: its functions, that named `main` first, and the names of attributes.
///
/// # Errors
/// What is no program of the language.
pub fn compile(text: &str) -> R<(Vec<Code>, Vec<String>)> {
    let source = Source::new(text);
    let tree = parse(&source, Mode::Exec).map_err(|e| e.msg)?;
    let Mod::Module(module) = tree.root() else {
        return Err("no module".into());
    };
    let mut defs: Vec<&ast::StmtFunctionDef> = Vec::new();
    for s in &module.body {
        match s {
            Stmt::FunctionDef(f) if f.name.as_str() == "main" => defs.insert(0, f),
            Stmt::FunctionDef(f) => defs.push(f),
            _ => return Err("only functions at the top".into()),
        }
    }
    let functions = (defs.iter().enumerate())
        .map(|(i, f)| {
            (
                f.name.to_string(),
                (i as u16, f.parameters.args.len() as u16),
            )
        })
        .collect();
    let mut names = Vec::new();
    let codes = defs.iter().map(|f| function(f, &functions, &mut names));
    let codes = codes.collect::<R<Vec<Code>>>()?;
    Ok((codes, names))
}

fn function(
    f: &ast::StmtFunctionDef,
    functions: &HashMap<String, (u16, u16)>,
    names: &mut Vec<String>,
) -> R<Code> {
    let mut locals = HashMap::new();
    for p in &f.parameters.args {
        locals.insert(p.parameter.name.to_string(), locals.len() as u16);
    }
    assigned(&f.body, &mut locals);
    let (args, n) = (f.parameters.args.len() as u16, locals.len() as u16);
    let code = Code {
        name: f.name.to_string(),
        args,
        size: n,
        consts: Vec::new(),
        instrs: Vec::new(),
        functions: std::ptr::null(),
    };
    let mut c = Compiler {
        functions,
        names,
        code,
        locals,
        next: n,
    };
    c.suite(&f.body)?;
    let none = c.temp();
    c.constant(none, Value::NULL);
    c.emit(Op::Return, none, 0, 0);
    c.code.size += HEADER + 1;
    Ok(c.code)
}

fn assigned(body: &[Stmt], locals: &mut HashMap<String, u16>) {
    for s in body {
        let target = match s {
            Stmt::Assign(s) => s.targets.first(),
            Stmt::AugAssign(s) => Some(&*s.target),
            Stmt::While(s) => {
                assigned(&s.body, locals);
                None
            }
            Stmt::If(s) => {
                assigned(&s.body, locals);
                s.elif_else_clauses
                    .iter()
                    .for_each(|c| assigned(&c.body, locals));
                None
            }
            _ => None,
        };
        if let Some(Expr::Name(n)) = target {
            let next = locals.len() as u16;
            locals.entry(n.id.to_string()).or_insert(next);
        }
    }
}

impl Compiler<'_> {
    fn emit(&mut self, op: Op, a: u16, b: u16, c: u16) -> usize {
        let w = op as u64 | u64::from(a) << 16 | u64::from(b) << 32 | u64::from(c) << 48;
        self.code.instrs.push(w);
        self.code.instrs.len() - 1
    }

    /// Makes the jump at `at` (operand `c`, relative to the next instruction) lead here.
    fn here(&mut self, at: usize) {
        let off = (self.code.instrs.len() - at - 1) as u64;
        self.code.instrs[at] |= off << 48;
    }

    fn temp(&mut self) -> u16 {
        self.next += 1;
        self.code.size = self.code.size.max(self.next);
        self.next - 1
    }

    fn constant(&mut self, to: u16, v: Value) {
        let n = self.code.consts.len() as u16;
        self.code.consts.push(v);
        self.emit(Op::Const, to, n, 0);
    }

    fn name(&mut self, n: &str) -> u16 {
        let at = self.names.iter().position(|x| x == n);
        at.unwrap_or_else(|| {
            self.names.push(n.to_owned());
            self.names.len() - 1
        }) as u16
    }

    fn suite(&mut self, body: &[Stmt]) -> R<()> {
        for s in body {
            let mark = self.next;
            self.statement(s)?;
            self.next = mark;
        }
        Ok(())
    }

    fn statement(&mut self, s: &Stmt) -> R<()> {
        match s {
            Stmt::Pass(_) => Ok(()),
            Stmt::Expr(e) => self.expr(&e.value).map(drop),
            Stmt::Return(r) => {
                let v = match &r.value {
                    Some(v) => self.expr(v)?,
                    None => {
                        let t = self.temp();
                        self.constant(t, Value::NULL);
                        t
                    }
                };
                self.emit(Op::Return, v, 0, 0);
                Ok(())
            }
            Stmt::Assign(a) => {
                let v = self.expr(&a.value)?;
                self.assign(&a.targets[0], v)
            }
            Stmt::AugAssign(a) => {
                let x = self.expr(&a.target)?;
                let y = self.expr(&a.value)?;
                let t = self.temp();
                self.emit(binary(a.op)?, t, x, y);
                self.assign(&a.target, t)
            }
            Stmt::While(w) => {
                let start = self.code.instrs.len();
                let mut out = Vec::new();
                self.condition(&w.test, false, &mut out)?;
                self.suite(&w.body)?;
                let live = self.locals.len() as u16;
                let back = (self.code.instrs.len() + 1 - start) as u16;
                self.emit(Op::Loop, live, 0, back);
                out.into_iter().for_each(|j| self.here(j));
                Ok(())
            }
            Stmt::If(i) => {
                let mut ends = Vec::new();
                let mut out = Vec::new();
                self.condition(&i.test, false, &mut out)?;
                self.suite(&i.body)?;
                for c in &i.elif_else_clauses {
                    ends.push(self.emit(Op::Jump, 0, 0, 0));
                    std::mem::take(&mut out)
                        .into_iter()
                        .for_each(|j| self.here(j));
                    if let Some(t) = &c.test {
                        self.condition(t, false, &mut out)?;
                    }
                    self.suite(&c.body)?;
                }
                ends.into_iter().chain(out).for_each(|j| self.here(j));
                Ok(())
            }
            _ => Err("a statement the language has not".into()),
        }
    }

    fn assign(&mut self, target: &Expr, v: u16) -> R<()> {
        match target {
            Expr::Name(n) => {
                let r = self.locals[n.id.as_str()];
                self.emit(Op::Move, r, v, 0);
                Ok(())
            }
            Expr::Attribute(a) => {
                let o = self.expr(&a.value)?;
                let n = self.name(&a.attr);
                self.emit(Op::Store, o, n, v);
                Ok(())
            }
            _ => Err("a target the language has not".into()),
        }
    }

    /// Falls through if the condition's truth is not `jump_if`; jumps are added to `out`.
    fn condition(&mut self, e: &Expr, jump_if: bool, out: &mut Vec<usize>) -> R<()> {
        match e {
            Expr::UnaryOp(u) if u.op == UnaryOp::Not => self.condition(&u.operand, !jump_if, out),
            Expr::BoolOp(b) => {
                // `and` is left at the first false, `or` at the first true.
                let decides = b.op == ast::BoolOp::Or;
                let (last, first) = b.values.split_last().ok_or("no operands")?;
                let mut inner = Vec::new();
                for v in first {
                    let to = if decides == jump_if {
                        &mut *out
                    } else {
                        &mut inner
                    };
                    self.condition(v, decides, to)?;
                }
                self.condition(last, jump_if, out)?;
                inner.into_iter().for_each(|j| self.here(j));
                Ok(())
            }
            Expr::Compare(c) if c.ops.len() == 1 => {
                let x = self.expr(&c.left)?;
                if matches!(c.ops[0], CmpOp::Is | CmpOp::IsNot) {
                    let truth = (c.ops[0] == CmpOp::Is) == jump_if;
                    out.push(self.emit(Op::IsNone, x, u16::from(truth), 0));
                    return Ok(());
                }
                let y = self.expr(&c.comparators[0])?;
                let (op, x, y, truth) = match c.ops[0] {
                    CmpOp::Lt => (Op::Lt, x, y, true),
                    CmpOp::Gt => (Op::Lt, y, x, true),
                    CmpOp::LtE => (Op::Le, x, y, true),
                    CmpOp::GtE => (Op::Le, y, x, true),
                    CmpOp::Eq => (Op::Eq, x, y, true),
                    CmpOp::NotEq => (Op::Eq, x, y, false),
                    _ => return Err("a comparison the language has not".into()),
                };
                // The truth to jump at lies in the top bit of the first operand.
                let flag = u16::from(truth == jump_if) << 15;
                out.push(self.emit(op, x | flag, y, 0));
                Ok(())
            }
            _ => Err("a condition the language has not".into()),
        }
    }

    /// The register that holds the expression's value.
    fn expr(&mut self, e: &Expr) -> R<u16> {
        match e {
            Expr::Name(n) => {
                let r = self.locals.get(n.id.as_str());
                r.copied()
                    .ok_or_else(|| format!("name '{}' is not defined", n.id))
            }
            Expr::NoneLiteral(_) => self.literal(Value::NULL),
            Expr::NumberLiteral(n) => match &n.value {
                Number::Int(i) => {
                    let i = i.as_i64().and_then(Value::try_int);
                    self.literal(i.ok_or("a literal beyond 50 bits")?)
                }
                Number::Float(f) => self.literal(Value::float(*f)),
                Number::Complex { .. } => Err("complex numbers".into()),
            },
            Expr::UnaryOp(u) if u.op == UnaryOp::USub => {
                let x = self.expr(&u.operand)?;
                let t = self.temp();
                self.emit(Op::Neg, t, x, 0);
                Ok(t)
            }
            Expr::BinOp(b) => {
                let x = self.expr(&b.left)?;
                let y = self.expr(&b.right)?;
                let t = self.temp();
                self.emit(binary(b.op)?, t, x, y);
                Ok(t)
            }
            Expr::Attribute(a) => {
                let o = self.expr(&a.value)?;
                let (t, n) = (self.temp(), self.name(&a.attr));
                self.emit(Op::Load, t, o, n);
                Ok(t)
            }
            Expr::Call(c) => self.call(c),
            _ => Err("an expression the language has not".into()),
        }
    }

    fn literal(&mut self, v: Value) -> R<u16> {
        let t = self.temp();
        self.constant(t, v);
        Ok(t)
    }

    fn call(&mut self, c: &ast::ExprCall) -> R<u16> {
        let Expr::Name(f) = &*c.func else {
            return Err("only functions can be called".into());
        };
        let mut values = Vec::new();
        for a in &c.arguments.args {
            values.push(self.expr(a)?);
        }
        let t = self.temp();
        match (f.id.as_str(), &values[..]) {
            ("Object", []) => {
                self.emit(Op::New, t, 0, 0);
            }
            ("print", [v]) => {
                self.emit(Op::Print, *v, 0, 0);
            }
            (name, _) => {
                let Some(&(n, args)) = self.functions.get(name) else {
                    return Err(format!("name '{name}' is not defined"));
                };
                if usize::from(args) != values.len() {
                    return Err(format!("{name}() takes {args} arguments"));
                }
                let window = t + 1 + HEADER;
                self.next = window;
                for v in values {
                    let to = self.temp();
                    self.emit(Op::Move, to, v, 0);
                }
                self.emit(Op::Call, t, n, window);
            }
        }
        Ok(t)
    }
}

fn binary(op: Operator) -> R<Op> {
    Ok(match op {
        Operator::Add => Op::Add,
        Operator::Sub => Op::Sub,
        Operator::Mult => Op::Mul,
        Operator::Div => Op::Div,
        Operator::FloorDiv => Op::FloorDiv,
        Operator::Mod => Op::Mod,
        Operator::BitAnd => Op::And,
        Operator::BitOr => Op::Or,
        Operator::BitXor => Op::Xor,
        _ => return Err("an operator the language has not".into()),
    })
}

/// The comparison of an instruction.
pub fn cmp(op: Op) -> Cmp {
    match op {
        Op::Lt => Cmp::Lt,
        Op::Le => Cmp::Le,
        _ => Cmp::Eq,
    }
}
