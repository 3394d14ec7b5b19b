//! Assignment in all its forms, and `del`.

use super::{Gen, Res, Var};
use crate::emit::Reg;
use crate::loc::Loc;
use crate::symtable::BlockKind;
use pyrite_bytecode::{Const, Op};
use ruff_python_ast::*;

/// Longest `a, b = x, y` that is assigned without building a tuple.
const MAX_PARALLEL: usize = 16;

impl<'a> Gen<'a> {
    pub(crate) fn assign(&mut self, a: &StmtAssign) -> Res {
        if let [target] = &a.targets[..] {
            if let Expr::Name(n) = target {
                self.check_name(&n.id, n, "assign to")?;
                if let Var::Fast(r) = self.resolve(&self.mangled(&n.id)) {
                    self.expr_into(&a.value, r)?;
                    self.now_bound(r);
                    return Ok(());
                }
            }
            if self.parallel(target, &a.value)? {
                return Ok(());
            }
            let v = self.expr(&a.value)?;
            return self.store(target, v);
        }
        // The first target may be the variable that the value was read from.
        let v = self.expr_new(&a.value)?;
        for t in &a.targets {
            self.store(t, v)?;
        }
        Ok(())
    }

    /// `a, b = x, y`: all values first, then all stores.
    fn parallel(&mut self, target: &Expr, value: &Expr) -> Res<bool> {
        let targets = match target {
            Expr::Tuple(t) => &t.elts,
            Expr::List(l) => &l.elts,
            _ => return Ok(false),
        };
        let Expr::Tuple(values) = value else {
            return Ok(false);
        };
        let values = &values.elts;
        if targets.len() != values.len()
            || targets.is_empty()
            || targets.len() > MAX_PARALLEL
            || targets.iter().chain(values).any(Expr::is_starred_expr)
        {
            return Ok(false);
        }
        let fast: Option<Vec<Reg>> = targets
            .iter()
            .map(|t| match t {
                Expr::Name(n) => match self.resolve(&self.mangled(&n.id)) {
                    Var::Fast(r) => Some(r),
                    _ => None,
                },
                _ => None,
            })
            .collect();
        let first = self.u.buf.next;
        let last = values.len() - 1;
        if let Some(regs) = fast
            && regs.iter().enumerate().all(|(i, r)| !regs[..i].contains(r))
        {
            // Nothing can fail between the last value and the stores, so the
            // last value goes straight to its variable.
            for v in &values[..last] {
                self.expr_new(v)?;
            }
            self.expr_into(&values[last], regs[last])?;
            for (i, (&r, t)) in regs[..last].iter().zip(targets).enumerate() {
                self.u.buf.loc = Loc::of(t);
                self.u.buf.mov(r, first + i as Reg);
            }
            for r in regs {
                self.now_bound(r);
            }
            return Ok(true);
        }
        for v in values {
            self.expr_new(v)?;
        }
        for (i, t) in targets.iter().enumerate() {
            self.store(t, first + i as Reg)?;
        }
        Ok(true)
    }

    /// Assigns register `v` to a target.
    pub(crate) fn store(&mut self, target: &Expr, v: Reg) -> Res {
        let mark = self.u.buf.next;
        let loc = Loc::of(target);
        match target {
            Expr::Name(n) => {
                self.check_name(&n.id, n, "assign to")?;
                self.u.buf.loc = loc;
                self.store_name(&n.id, v);
            }
            Expr::Attribute(a) => {
                self.check_name(&a.attr, a, "assign to")?;
                self.note_self_name(a);
                let o = self.expr(&a.value)?;
                self.u.buf.loc = self.attr_loc(a, loc);
                let ic = self.attr_cache(&a.attr);
                self.u.buf.op(Op::STORE_ATTR, o, v, ic);
            }
            Expr::Subscript(s) => {
                let o = self.expr(&s.value)?;
                let i = self.expr(&s.slice)?;
                self.u.buf.loc = loc;
                self.u.buf.op(Op::STORE_SUBSCR, o, i, v);
            }
            Expr::Tuple(t) => self.unpack(&t.elts, target, v)?,
            Expr::List(l) => self.unpack(&l.elts, target, v)?,
            Expr::Starred(s) => {
                return self.fail(s, "starred assignment target must be in a list or tuple");
            }
            _ => return self.fail(target, "cannot assign to expression"),
        }
        self.u.buf.next = mark;
        Ok(())
    }

    /// A class's methods assign `self.NAME`: its instances will have that slot.
    fn note_self_name(&mut self, a: &ExprAttribute) {
        if let Expr::Name(n) = &*a.value
            && self.u.self_param.as_deref() == Some(n.id.as_str())
            && let Some(class) = self.outer.last_mut()
            && !class.self_names.iter().any(|x| x == a.attr.as_str())
        {
            class.self_names.push(a.attr.to_string());
        }
    }

    fn unpack(&mut self, elts: &[Expr], whole: &Expr, v: Reg) -> Res {
        let star = elts.iter().position(Expr::is_starred_expr);
        let n = elts.len();
        if n > 60_000 {
            return self.fail(whole, "too many expressions in assignment");
        }
        let first = self.u.buf.alloc(n as u16);
        self.u.buf.loc = Loc::of(whole);
        match star {
            None => self.u.buf.op(Op::UNPACK_SEQUENCE, first, v, n as u16),
            Some(at) => {
                let after = n - at - 1;
                if at > 255 || after > 255 {
                    return self.fail(whole, "too many expressions in star-unpacking assignment");
                }
                if elts[at + 1..].iter().any(Expr::is_starred_expr) {
                    return self.fail(whole, "multiple starred expressions in assignment");
                }
                let counts = at as u16 | (after as u16) << 8;
                self.u.buf.op(Op::UNPACK_EX, first, v, counts);
            }
        }
        for (i, e) in elts.iter().enumerate() {
            let target = match e {
                Expr::Starred(s) => &s.value,
                e => e,
            };
            self.store(target, first + i as Reg)?;
        }
        Ok(())
    }

    pub(crate) fn aug_assign(&mut self, a: &StmtAugAssign) -> Res {
        let loc = Loc::of(a);
        let target = Loc::of(&*a.target);
        match &*a.target {
            Expr::Name(n) => {
                self.check_name(&n.id, n, "assign to")?;
                self.u.buf.loc = target;
                let name = self.mangled(&n.id);
                if let Var::Fast(r) = self.resolve(&name) {
                    let l = match self.local_in_place(&n.id) {
                        Some(l) => l,
                        None => {
                            let t = self.u.buf.alloc(1);
                            self.load_name(&n.id, t);
                            t
                        }
                    };
                    return self.binary(a.op, true, r, l, &a.value, loc);
                }
                let t = self.u.buf.alloc(1);
                self.load_name(&n.id, t);
                self.binary(a.op, true, t, t, &a.value, loc)?;
                self.u.buf.loc = target;
                self.store_name(&n.id, t);
            }
            Expr::Attribute(at) => {
                self.check_name(&at.attr, at, "assign to")?;
                self.note_self_name(at);
                let o = self.expr(&at.value)?;
                let t = self.u.buf.alloc(1);
                self.u.buf.loc = self.attr_loc(at, target);
                let ic = self.attr_cache(&at.attr);
                self.u.buf.op(Op::LOAD_ATTR, t, o, ic);
                self.binary(a.op, true, t, t, &a.value, loc)?;
                self.u.buf.loc = self.attr_loc(at, target);
                let ic = self.attr_cache(&at.attr);
                self.u.buf.op(Op::STORE_ATTR, o, t, ic);
            }
            Expr::Subscript(s) => {
                let o = self.expr(&s.value)?;
                let i = self.expr(&s.slice)?;
                let t = self.u.buf.alloc(1);
                self.u.buf.loc = target;
                self.u.buf.op(Op::LOAD_SUBSCR, t, o, i);
                self.binary(a.op, true, t, t, &a.value, loc)?;
                self.u.buf.loc = target;
                self.u.buf.op(Op::STORE_SUBSCR, o, i, t);
            }
            other => return self.fail(other, "illegal expression for augmented assignment"),
        }
        Ok(())
    }

    pub(crate) fn ann_assign(&mut self, a: &StmtAnnAssign) -> Res {
        if let Some(v) = &a.value {
            let mark = self.u.buf.next;
            let v = self.expr(v)?;
            self.store(&a.target, v)?;
            self.u.buf.next = mark;
        }
        let evaluates = matches!(self.u.kind, BlockKind::Module | BlockKind::Class);
        match &*a.target {
            Expr::Name(n) => {
                self.check_name(&n.id, n, "assign to")?;
                let name = self.mangled(&n.id);
                if a.simple && self.keeps_annotations(&name) {
                    let v = self.u.buf.alloc(1);
                    self.annotation_into(&a.annotation, v)?;
                    self.u.buf.loc = Loc::of(a);
                    let all = self.u.buf.alloc(2);
                    self.load_name("__annotations__", all);
                    self.load_const(crate::consts::string(&name), all + 1);
                    self.u.buf.op(Op::STORE_SUBSCR, all, all + 1, v);
                    return Ok(());
                }
            }
            Expr::Attribute(at) => {
                self.check_name(&at.attr, at, "assign to")?;
                if a.value.is_none() {
                    self.expr_effect(&at.value)?;
                }
            }
            Expr::Subscript(s) => {
                if a.value.is_none() {
                    self.expr_effect(&s.value)?;
                    self.expr_effect(&s.slice)?;
                }
            }
            other => return self.fail(other, "illegal target for annotation"),
        }
        if !a.simple && evaluates && !self.options.future_annotations {
            self.expr_effect(&a.annotation)?;
        }
        Ok(())
    }

    pub(crate) fn delete(&mut self, target: &Expr) -> Res {
        let mark = self.u.buf.next;
        let loc = Loc::of(target);
        match target {
            Expr::Name(n) => {
                self.check_name(&n.id, n, "delete")?;
                self.u.buf.loc = loc;
                self.delete_name(&n.id);
            }
            Expr::Attribute(a) => {
                self.check_name(&a.attr, a, "delete")?;
                let o = self.expr(&a.value)?;
                self.u.buf.loc = self.attr_loc(a, loc);
                let ic = self.attr_cache(&a.attr);
                self.u.buf.op(Op::DELETE_ATTR, o, 0, ic);
            }
            Expr::Subscript(s) => {
                let o = self.expr(&s.value)?;
                let i = self.expr(&s.slice)?;
                self.u.buf.loc = loc;
                self.u.buf.op(Op::DELETE_SUBSCR, o, i, 0);
            }
            Expr::Tuple(ExprTuple { elts, .. }) | Expr::List(ExprList { elts, .. }) => {
                for e in elts {
                    self.delete(e)?;
                }
            }
            other => return self.fail(other, "cannot delete expression"),
        }
        self.u.buf.next = mark;
        Ok(())
    }

    /// `None` for code that wants a constant operand in a register.
    pub(crate) fn constant_new(&mut self, c: Const) -> Reg {
        let t = self.u.buf.alloc(1);
        self.load_const(c, t);
        t
    }
}
