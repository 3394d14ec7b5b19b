//! Conditions: jumps on tests, comparisons.

use super::{Gen, Res, Var};
use crate::consts;
use crate::emit::{Label, Reg};
use crate::loc::Loc;
use pyrite_bytecode::{Const, Op};
use ruff_python_ast::*;

impl Gen<'_> {
    /// Jumps to `target` if the truth of `e` is `when`; else falls through.
    pub(crate) fn jump_if(&mut self, e: &Expr, target: Label, when: bool) -> Res {
        let mark = self.u.buf.next;
        stacker::maybe_grow(128 * 1024, 2 * 1024 * 1024, || {
            self.jump_if_inner(e, target, when)
        })?;
        self.u.buf.next = mark;
        Ok(())
    }

    fn jump_if_inner(&mut self, e: &Expr, target: Label, when: bool) -> Res {
        if let Some(c) = self.fold.fold(e) {
            self.u.buf.loc = Loc::of(e);
            if consts::truth(&c) == when {
                self.u.buf.jump(Op::JUMP, 0, 0, target);
            } else {
                self.u.buf.op(Op::NOP, 0, 0, 0);
            }
            return Ok(());
        }
        match e {
            Expr::UnaryOp(u) if u.op == UnaryOp::Not => {
                return self.jump_if(&u.operand, target, !when);
            }
            Expr::BoolOp(b) => {
                let (last, first) = b.values.split_last().expect("an operator has operands");
                // In `a and b`, a false `a` decides; in `a or b`, a true one.
                let decides = b.op == BoolOp::Or;
                if decides == when {
                    for v in first {
                        self.jump_if(v, target, when)?;
                    }
                    return self.jump_if(last, target, when);
                }
                let out = self.u.buf.label();
                for v in first {
                    self.jump_if(v, out, decides)?;
                }
                self.jump_if(last, target, when)?;
                self.u.buf.bind(out);
                return Ok(());
            }
            Expr::If(i) => {
                let (other, out) = (self.u.buf.label(), self.u.buf.label());
                self.jump_if(&i.test, other, false)?;
                self.jump_if(&i.body, target, when)?;
                self.u.buf.loc = Loc::NONE;
                self.u.buf.jump(Op::JUMP, 0, 0, out);
                self.u.buf.bind(other);
                self.jump_if(&i.orelse, target, when)?;
                self.u.buf.bind(out);
                return Ok(());
            }
            Expr::Named(n) => {
                // `if (x := f())` tests the local itself.
                if let Expr::Name(t) = &*n.target
                    && let Var::Fast(r) = self.resolve(&self.mangled(&t.id))
                {
                    self.check_name(&t.id, t, "assign to")?;
                    self.expr_into(&n.value, r)?;
                    self.now_bound(r);
                    self.u.buf.loc = Loc::of(e);
                    let op = if when { Op::JT } else { Op::JF };
                    self.u.buf.jump(op, r, 0, target);
                    return Ok(());
                }
            }
            Expr::Compare(c) => return self.jump_compare(c, target, when),
            _ => {}
        }
        let v = self.expr(e)?;
        self.u.buf.loc = Loc::of(e);
        let op = if when { Op::JT } else { Op::JF };
        self.u.buf.jump(op, v, 0, target);
        Ok(())
    }

    fn jump_compare(&mut self, c: &ExprCompare, target: Label, when: bool) -> Res {
        self.warn_identity(c, &c.ops);
        let loc = Loc::of(c);
        if c.ops.len() == 1 {
            let l = self.expr(&c.left)?;
            return self.jump_single(l, c.ops[0], &c.comparators[0], target, when, loc);
        }
        let out = self.u.buf.label();
        let fails = if when { out } else { target };
        let mut l = self.expr(&c.left)?;
        let last = c.ops.len() - 1;
        for (i, (&op, right)) in c.ops.iter().zip(&c.comparators).enumerate() {
            if i == last {
                self.jump_single(l, op, right, target, when, loc)?;
            } else {
                let r = self.comparator(op, right)?;
                self.jump_registers(l, op, r, fails, false, loc);
                l = r;
            }
        }
        self.u.buf.bind(out);
        Ok(())
    }

    fn jump_single(
        &mut self,
        l: Reg,
        op: CmpOp,
        right: &Expr,
        target: Label,
        when: bool,
        loc: Loc,
    ) -> Res {
        if matches!(op, CmpOp::Is | CmpOp::IsNot) && right.is_none_literal_expr() {
            self.u.buf.loc = loc;
            let jump = if (op == CmpOp::Is) == when {
                Op::JNONE
            } else {
                Op::JNOTNONE
            };
            self.u.buf.jump(jump, l, 0, target);
            return Ok(());
        }
        let r = self.comparator(op, right)?;
        self.jump_registers(l, op, r, target, when, loc);
        Ok(())
    }

    /// The right side of a comparison; a display tested by `in` is a constant.
    fn comparator(&mut self, op: CmpOp, e: &Expr) -> Res<Reg> {
        if matches!(op, CmpOp::In | CmpOp::NotIn) {
            let elts = match e {
                Expr::List(l) => Some((&l.elts, false)),
                Expr::Set(s) => Some((&s.elts, true)),
                _ => None,
            };
            if let Some((elts, set)) = elts {
                let items: Option<Vec<Const>> = elts.iter().map(|e| self.fold.fold(e)).collect();
                if let Some(items) = items {
                    let t = self.u.buf.alloc(1);
                    self.u.buf.loc = Loc::of(e);
                    self.load_const(
                        if set {
                            Const::FrozenSet(items)
                        } else {
                            Const::Tuple(items)
                        },
                        t,
                    );
                    return Ok(t);
                }
            }
        }
        self.expr(e)
    }

    fn jump_registers(&mut self, l: Reg, op: CmpOp, r: Reg, target: Label, when: bool, loc: Loc) {
        self.u.buf.loc = loc;
        let jump = match (op, when) {
            (CmpOp::Lt, true) => Op::JLT,
            (CmpOp::LtE, true) => Op::JLE,
            (CmpOp::Eq, true) => Op::JEQ,
            (CmpOp::NotEq, true) => Op::JNE,
            (CmpOp::Gt, true) => Op::JGT,
            (CmpOp::GtE, true) => Op::JGE,
            (CmpOp::Lt, false) => Op::JNLT,
            (CmpOp::LtE, false) => Op::JNLE,
            (CmpOp::Eq, false) => Op::JNEQ,
            (CmpOp::NotEq, false) => Op::JNNE,
            (CmpOp::Gt, false) => Op::JNGT,
            (CmpOp::GtE, false) => Op::JNGE,
            (CmpOp::Is, true) | (CmpOp::IsNot, false) => Op::JIS,
            (CmpOp::Is, false) | (CmpOp::IsNot, true) => Op::JISNOT,
            (CmpOp::In | CmpOp::NotIn, _) => {
                let mark = self.u.buf.next;
                let t = self.u.buf.alloc(1);
                let not = op == CmpOp::NotIn;
                self.u.buf.op(Op::IN, t, l, r);
                let jump = if when == not { Op::JF } else { Op::JT };
                self.u.buf.jump(jump, t, 0, target);
                self.u.buf.next = mark;
                return;
            }
        };
        self.u.buf.jump(jump, l, r, target);
    }

    fn compare_registers(&mut self, dst: Reg, l: Reg, op: CmpOp, r: Reg, loc: Loc) {
        self.u.buf.loc = loc;
        let (op, d) = match op {
            CmpOp::Lt => (Op::LT, 0),
            CmpOp::LtE => (Op::LE, 0),
            CmpOp::Eq => (Op::EQ, 0),
            CmpOp::NotEq => (Op::NE, 0),
            CmpOp::Gt => (Op::GT, 0),
            CmpOp::GtE => (Op::GE, 0),
            CmpOp::Is => (Op::IS, 0),
            CmpOp::IsNot => (Op::IS, 1),
            CmpOp::In => (Op::IN, 0),
            CmpOp::NotIn => (Op::IN, 1),
        };
        self.u.buf.op_d(op, d, dst, l, r);
    }

    /// `dst = left OP right`.
    pub(crate) fn comparison(
        &mut self,
        left: &Expr,
        op: CmpOp,
        right: &Expr,
        dst: Reg,
        loc: Loc,
    ) -> Res {
        let l = self.operand(left, dst)?;
        let r = self.comparator(op, right)?;
        self.compare_registers(dst, l, op, r, loc);
        Ok(())
    }

    /// A comparison, chained or not, as a value.
    pub(crate) fn compare(&mut self, c: &ExprCompare, dst: Reg) -> Res {
        self.warn_identity(c, &c.ops);
        let loc = Loc::of(c);
        if c.ops.len() == 1 {
            return self.comparison(&c.left, c.ops[0], &c.comparators[0], dst, loc);
        }
        self.through_temp(dst, |g, dst| {
            let end = g.u.buf.label();
            let mut l = g.expr(&c.left)?;
            let last = c.ops.len() - 1;
            for (i, (&op, right)) in c.ops.iter().zip(&c.comparators).enumerate() {
                let r = g.comparator(op, right)?;
                g.compare_registers(dst, l, op, r, loc);
                if i < last {
                    g.u.buf.jump(Op::JF, dst, 0, end);
                }
                l = r;
            }
            g.u.buf.bind(end);
            Ok(())
        })
    }
}
