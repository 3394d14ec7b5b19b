//! Expressions.
//!
//! Three ways to ask for a value: [`Gen::expr`] (in any register: a local is
//! read in place), [`Gen::expr_new`] (in a fresh temporary), [`Gen::expr_into`]
//! (in a given register, which is written last of all if it is a local).

use super::{Gen, Res, Var};
use crate::emit::Reg;
use crate::loc::Loc;
use crate::symtable::BlockKind;
use pyrite_bytecode::{Const, Op};
use ruff_python_ast::*;
use ruff_text_size::Ranged;

impl Gen<'_> {
    /// The value of `e` in some register, valid until the temporaries are reset.
    pub(crate) fn expr(&mut self, e: &Expr) -> Res<Reg> {
        if let Expr::Name(n) = e
            && n.id != "__debug__"
        {
            self.u.buf.loc = Loc::of(n);
            if let Some(r) = self.local_in_place(&n.id) {
                return Ok(r);
            }
        }
        self.expr_new(e)
    }

    /// The value of `e` in a temporary taken for it.
    pub(crate) fn expr_new(&mut self, e: &Expr) -> Res<Reg> {
        let t = self.u.buf.alloc(1);
        self.expr_into(e, t)?;
        Ok(t)
    }

    /// The value of `e` in some register; `hint` is used if it is a temporary.
    pub(crate) fn operand(&mut self, e: &Expr, hint: Reg) -> Res<Reg> {
        if let Expr::Name(n) = e
            && n.id != "__debug__"
        {
            self.u.buf.loc = Loc::of(n);
            if let Some(r) = self.local_in_place(&n.id) {
                return Ok(r);
            }
        }
        if self.is_temp(hint) {
            self.expr_into(e, hint)?;
            return Ok(hint);
        }
        self.expr_new(e)
    }

    /// Puts the value of `e` into `dst`.
    pub(crate) fn expr_into(&mut self, e: &Expr, dst: Reg) -> Res {
        let mark = self.u.buf.next;
        stacker::maybe_grow(128 * 1024, 2 * 1024 * 1024, || self.expr_inner(e, dst))?;
        self.u.buf.next = mark;
        Ok(())
    }

    /// Evaluates `e` for its effects.
    pub(crate) fn expr_effect(&mut self, e: &Expr) -> Res {
        let mark = self.u.buf.next;
        self.expr_new(e)?;
        self.u.buf.next = mark;
        Ok(())
    }

    /// Builds in a temporary and moves the result to `dst` if that is a local.
    pub(crate) fn through_temp(&mut self, dst: Reg, f: impl FnOnce(&mut Self, Reg) -> Res) -> Res {
        if self.is_temp(dst) {
            return f(self, dst);
        }
        let t = self.u.buf.alloc(1);
        f(self, t)?;
        self.u.buf.mov(dst, t);
        Ok(())
    }

    fn expr_inner(&mut self, e: &Expr, dst: Reg) -> Res {
        let loc = Loc::of(e);
        self.u.buf.loc = loc;
        match e {
            Expr::NumberLiteral(_)
            | Expr::StringLiteral(_)
            | Expr::BytesLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
            | Expr::EllipsisLiteral(_) => {
                let c = self.fold.fold(e).expect("a literal is a constant");
                self.load_const(c, dst);
            }
            Expr::Name(n) => {
                if let Some(c) = self.fold.fold(e) {
                    self.load_const(c, dst);
                } else {
                    self.load_name(&n.id, dst);
                }
            }
            Expr::UnaryOp(u) => {
                if let Some(c) = self.fold.fold(e) {
                    self.load_const(c, dst);
                    return Ok(());
                }
                if u.op == UnaryOp::Not
                    && let Expr::Compare(c) = &*u.operand
                    && c.ops.len() == 1
                    && matches!(
                        c.ops[0],
                        CmpOp::Is | CmpOp::IsNot | CmpOp::In | CmpOp::NotIn
                    )
                {
                    let negated = match c.ops[0] {
                        CmpOp::Is => CmpOp::IsNot,
                        CmpOp::IsNot => CmpOp::Is,
                        CmpOp::In => CmpOp::NotIn,
                        _ => CmpOp::In,
                    };
                    self.warn_identity(c, &[negated]);
                    return self.comparison(&c.left, negated, &c.comparators[0], dst, loc);
                }
                let v = self.operand(&u.operand, dst)?;
                self.u.buf.loc = loc;
                let op = match u.op {
                    UnaryOp::Invert => Op::INVERT,
                    UnaryOp::Not => Op::NOT,
                    UnaryOp::UAdd => Op::POS,
                    UnaryOp::USub => Op::NEG,
                };
                self.u.buf.op(op, dst, v, 0);
            }
            Expr::BinOp(b) => {
                if let Some(c) = self.fold.fold(e) {
                    self.load_const(c, dst);
                    return Ok(());
                }
                if self.percent_format(b, dst, loc)? {
                    return Ok(());
                }
                let l = self.operand(&b.left, dst)?;
                self.binary(b.op, false, dst, l, &b.right, loc)?;
            }
            Expr::BoolOp(b) => self.bool_op(b, dst)?,
            Expr::Compare(c) => self.compare(c, dst)?,
            Expr::If(i) => self.if_expr(i, dst)?,
            Expr::Named(n) => {
                let Expr::Name(t) = &*n.target else {
                    return self.fail(
                        &*n.target,
                        "cannot use assignment expressions with expression",
                    );
                };
                self.check_name(&t.id, t, "assign to")?;
                self.expr_into(&n.value, dst)?;
                self.u.buf.loc = Loc::of(&*n.target);
                self.store_name(&t.id, dst);
            }
            Expr::Lambda(l) => self.lambda(l, dst)?,
            Expr::Call(c) => self.call(c, dst)?,
            Expr::Attribute(a) => {
                if self.super_attribute(a, dst)? {
                    return Ok(());
                }
                let v = self.operand(&a.value, dst)?;
                self.u.buf.loc = self.attr_loc(a, loc);
                let ic = self.attr_cache(&a.attr);
                self.u.buf.op(Op::LOAD_ATTR, dst, v, ic);
            }
            Expr::Subscript(s) => {
                if let Some(c) = self.fold.fold(e) {
                    self.load_const(c, dst);
                    return Ok(());
                }
                self.warn_subscript(s);
                let v = self.operand(&s.value, dst)?;
                let i = self.index(&s.slice)?;
                self.u.buf.loc = loc;
                self.u.buf.op(Op::LOAD_SUBSCR, dst, v, i);
            }
            Expr::Slice(s) => self.slice(s, dst)?,
            Expr::Starred(s) => {
                return self.fail(s, "can't use starred expression here");
            }
            Expr::Tuple(t) => self.tuple(t, dst)?,
            Expr::List(l) => self.sequence(&l.elts, Op::BUILD_LIST, dst, loc)?,
            Expr::Set(s) => self.sequence(&s.elts, Op::BUILD_SET, dst, loc)?,
            Expr::Dict(d) => self.dict(d, dst)?,
            Expr::FString(f) => self.fstring(f, dst)?,
            Expr::ListComp(c) => {
                self.comprehension(
                    c,
                    BlockKind::ListComp,
                    &c.generators,
                    &c.elt,
                    None,
                    loc,
                    dst,
                )?;
            }
            Expr::SetComp(c) => {
                self.comprehension(c, BlockKind::SetComp, &c.generators, &c.elt, None, loc, dst)?;
            }
            Expr::DictComp(c) => {
                let key = c.key.as_deref().expect("checked by the symbol table");
                let value = Some(&*c.value);
                self.comprehension(c, BlockKind::DictComp, &c.generators, key, value, loc, dst)?;
            }
            Expr::Generator(c) => {
                self.comprehension(
                    c,
                    BlockKind::Generator,
                    &c.generators,
                    &c.elt,
                    None,
                    loc,
                    dst,
                )?;
            }
            Expr::Yield(y) => {
                if !self.u.kind.is_function() {
                    return self.fail(y, "'yield' outside function");
                }
                self.through_temp(dst, |g, dst| {
                    let v = match &y.value {
                        Some(v) => g.operand(v, dst)?,
                        None => {
                            g.load_const(Const::None, dst);
                            dst
                        }
                    };
                    g.u.buf.loc = loc;
                    g.emit_yield(v, dst);
                    Ok(())
                })?;
            }
            Expr::YieldFrom(y) => {
                if !self.u.kind.is_function() {
                    return self.fail(y, "'yield' outside function");
                }
                if self.u.async_def {
                    return self.fail(y, "'yield from' inside async function");
                }
                let v = self.expr(&y.value)?;
                self.u.buf.loc = loc;
                let pair = self.u.buf.alloc(2);
                self.u.buf.op(Op::GET_YIELD_FROM_ITER, pair, v, 0);
                self.delegate(pair);
                self.u.buf.mov(dst, pair + 1);
            }
            Expr::Await(a) => {
                self.check_await(a)?;
                let v = self.expr(&a.value)?;
                self.u.buf.loc = loc;
                self.await_value(v, 0, dst);
            }
            Expr::TString(_) | Expr::IpyEscapeCommand(_) => {
                return self.fail(e, "invalid syntax");
            }
        }
        Ok(())
    }

    fn check_await(&self, a: &ExprAwait) -> Res {
        if self.top_level_await() {
            return Ok(());
        }
        if !self.u.kind.is_function() {
            return self.fail(a, "'await' outside function");
        }
        if !self.u.async_def && !self.u.kind.is_comprehension() {
            return self.fail(a, "'await' outside async function");
        }
        Ok(())
    }

    /// `await` is allowed here because the caller of `compile()` said so.
    pub(crate) fn top_level_await(&self) -> bool {
        self.options.top_level_await && self.u.kind == BlockKind::Module
    }

    /// `dst` = what the consumer sends after it got `v`.
    pub(crate) fn emit_yield(&mut self, v: Reg, dst: Reg) {
        let wrap = self.table.block(self.u.block);
        let wrap = u8::from(wrap.is_coroutine && wrap.is_generator);
        let dead_from = self.u.buf.next;
        self.u.buf.op_d(Op::YIELD, wrap, dst, v, dead_from);
    }

    /// Runs the iterator in `pair` to its end, passing on what it yields; its
    /// result is in `pair + 1`.
    pub(crate) fn delegate(&mut self, pair: Reg) {
        self.load_const(Const::None, pair + 1);
        let b = &mut self.u.buf;
        let window = b.next;
        b.reserve(WINDOW);
        let (again, done) = (b.label(), b.label());
        b.bind(again);
        b.op(Op::SEND, pair, pair + 1, window);
        b.skippable_jump(done);
        b.op_d(Op::YIELD, 2, pair + 1, pair + 1, pair + 2);
        b.jump(Op::JUMP, 0, 0, again);
        b.bind(done);
    }

    /// `dst` = what awaiting `v` gives; `kind` as `GET_AWAITABLE` has it.
    pub(crate) fn await_value(&mut self, v: Reg, kind: u8, dst: Reg) {
        let pair = self.u.buf.alloc(2);
        self.u.buf.op_d(Op::GET_AWAITABLE, kind, pair, v, 0);
        self.delegate(pair);
        self.u.buf.mov(dst, pair + 1);
    }

    /// `dst = l OP right`.
    pub(crate) fn binary(
        &mut self,
        op: Operator,
        in_place: bool,
        dst: Reg,
        l: Reg,
        right: &Expr,
        loc: Loc,
    ) -> Res {
        let d = u8::from(in_place);
        let with_const = match op {
            Operator::Add => Some(Op::ADDK),
            Operator::Sub => Some(Op::SUBK),
            Operator::Mult => Some(Op::MULK),
            Operator::FloorDiv => Some(Op::FLOORDIVK),
            Operator::Mod => Some(Op::MODK),
            Operator::BitAnd => Some(Op::ANDK),
            Operator::LShift => Some(Op::LSHIFTK),
            Operator::RShift => Some(Op::RSHIFTK),
            _ => None,
        };
        if let Some(k_op) = with_const
            && let Some(c @ (Const::Int(_) | Const::Float(_))) = self.fold.fold(right)
        {
            self.u.buf.loc = loc;
            let k = self.u.buf.constant(c);
            self.u.buf.op_d(k_op, d, dst, l, k);
            return Ok(());
        }
        let r = self.expr(right)?;
        self.u.buf.loc = loc;
        let op = match op {
            Operator::Add => Op::ADD,
            Operator::Sub => Op::SUB,
            Operator::Mult => Op::MUL,
            Operator::MatMult => Op::MATMUL,
            Operator::Div => Op::TRUEDIV,
            Operator::Mod => Op::MOD,
            Operator::Pow => Op::POW,
            Operator::LShift => Op::LSHIFT,
            Operator::RShift => Op::RSHIFT,
            Operator::BitOr => Op::OR,
            Operator::BitXor => Op::XOR,
            Operator::BitAnd => Op::AND,
            Operator::FloorDiv => Op::FLOORDIV,
        };
        self.u.buf.op_d(op, d, dst, l, r);
        Ok(())
    }

    fn bool_op(&mut self, b: &ExprBoolOp, dst: Reg) -> Res {
        let op = if b.op == BoolOp::And { Op::JF } else { Op::JT };
        self.through_temp(dst, |g, dst| {
            let end = g.u.buf.label();
            let (last, first) = b.values.split_last().expect("an operator has operands");
            for v in first {
                g.expr_into(v, dst)?;
                g.u.buf.loc = Loc::of(b);
                g.u.buf.jump(op, dst, 0, end);
            }
            g.expr_into(last, dst)?;
            g.u.buf.bind(end);
            Ok(())
        })
    }

    fn if_expr(&mut self, i: &ExprIf, dst: Reg) -> Res {
        let (other, end) = (self.u.buf.label(), self.u.buf.label());
        self.jump_if(&i.test, other, false)?;
        self.expr_into(&i.body, dst)?;
        self.u.buf.loc = Loc::NONE;
        self.u.buf.jump(Op::JUMP, 0, 0, end);
        self.u.buf.bind(other);
        self.expr_into(&i.orelse, dst)?;
        self.u.buf.bind(end);
        Ok(())
    }

    pub(crate) fn attr_cache(&mut self, name: &str) -> u16 {
        let name = self.mangled(name);
        self.u.buf.cache(&name)
    }

    /// An attribute on another line than its object is blamed alone.
    pub(crate) fn attr_loc(&self, a: &ExprAttribute, whole: Loc) -> Loc {
        if self.line(whole.start) == self.line(a.range().end().to_u32()) {
            return whole;
        }
        Loc {
            start: a.attr.range().start().to_u32(),
            end: whole.end.max(a.attr.range().end().to_u32()),
        }
    }

    fn index(&mut self, e: &Expr) -> Res<Reg> {
        self.expr(e)
    }

    pub(crate) fn slice(&mut self, s: &ExprSlice, dst: Reg) -> Res {
        let first = self.u.buf.alloc(3);
        for (i, part) in [&s.lower, &s.upper, &s.step].into_iter().enumerate() {
            let r = first + i as u16;
            match part {
                Some(e) => self.expr_into(e, r)?,
                None => {
                    self.u.buf.loc = Loc::of(s);
                    self.load_const(Const::None, r);
                }
            }
        }
        self.u.buf.loc = Loc::of(s);
        self.u.buf.op(Op::BUILD_SLICE, dst, first, 0);
        Ok(())
    }

    /// `super().name` without making the super object.
    fn super_attribute(&mut self, a: &ExprAttribute, dst: Reg) -> Res<bool> {
        let mark = self.u.buf.next;
        let Some(pair) = self.super_pair(&a.value, None)? else {
            return Ok(false);
        };
        self.u.buf.loc = Loc::of(a);
        let ic = self.attr_cache(&a.attr);
        self.u.buf.op(Op::LOAD_SUPER_ATTR, dst, pair, ic);
        self.u.buf.next = mark;
        Ok(true)
    }

    /// If `e` is `super()` or `super(A, b)` with the built-in `super`: class and
    /// object in two adjacent registers, at `at` if given.
    pub(crate) fn super_pair(&mut self, e: &Expr, at: Option<Reg>) -> Res<Option<Reg>> {
        let Expr::Call(c) = e else { return Ok(None) };
        let Expr::Name(f) = &*c.func else {
            return Ok(None);
        };
        if f.id != "super"
            || self.table.super_is_rebound
            || self.resolve("super") != Var::Global
            || !c.arguments.keywords.is_empty()
            || c.arguments.args.iter().any(Expr::is_starred_expr)
        {
            return Ok(None);
        }
        match &*c.arguments.args {
            [] => {
                let first = match self.u.out.varnames.first() {
                    Some(n) if self.u.out.arg_count > 0 && self.u.kind.is_function() => n.clone(),
                    _ => return Ok(None),
                };
                let Var::Deref {
                    reg: class,
                    free: true,
                } = self.resolve("__class__")
                else {
                    return Ok(None);
                };
                let object = self.resolve(&first);
                if let Var::Fast(r) = object
                    && !self.u.buf.bound.contains(r)
                {
                    return Ok(None);
                }
                let pair = at.unwrap_or_else(|| self.u.buf.alloc(2));
                self.u.buf.loc = Loc::of(c);
                let k = self.u.buf.str_constant("__class__");
                self.u.buf.op_d(Op::LOAD_CELL, 1, pair, class, k);
                match object {
                    Var::Fast(r) => self.u.buf.mov(pair + 1, r),
                    Var::Deref { reg, .. } => {
                        let k = self.u.buf.str_constant(&first);
                        self.u.buf.op(Op::LOAD_CELL, pair + 1, reg, k);
                    }
                    _ => unreachable!("a parameter is a local or a cell"),
                }
                Ok(Some(pair))
            }
            [class, object] => {
                let pair = at.unwrap_or_else(|| self.u.buf.alloc(2));
                self.expr_into(class, pair)?;
                self.expr_into(object, pair + 1)?;
                Ok(Some(pair))
            }
            _ => Ok(None),
        }
    }
}

/// Registers that an instruction with a free window may use: callee, frame
/// header, one argument.
pub(crate) const WINDOW: u32 = 8;
