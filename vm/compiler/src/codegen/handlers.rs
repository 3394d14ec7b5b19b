//! `try` in all its forms.
//!
//! A handler is entered with the exception in a register. It notes the exception
//! handled so far (`PUSH_EXC`), and whatever leaves it restores that (`POP_EXC`);
//! a cleanup region around the handler does so when it raises.

use super::unwind::Frame;
use super::{Gen, Res};
use crate::emit::{Label, Reg, Region};
use crate::loc::Loc;
use pyrite_bytecode::{Const, Op};
use ruff_python_ast::*;

impl<'a> Gen<'a> {
    pub(crate) fn try_stmt(&mut self, t: &'a StmtTry) -> Res {
        let mark = self.u.buf.next;
        let loc = Loc::of(t);
        self.u.buf.loc = loc;
        self.u.buf.op(Op::NOP, 0, 0, 0);
        if t.finalbody.is_empty() {
            self.try_except(t, loc)?;
        } else {
            let exc = self.u.buf.alloc(1);
            let region = self.u.buf.open_region(exc, false);
            self.push_frame(
                Frame::Finally {
                    region,
                    body: &t.finalbody,
                },
                loc,
            )?;
            if t.handlers.is_empty() {
                self.body(&t.body)?;
            } else {
                self.try_except(t, loc)?;
            }
            self.u.buf.next = exc + 1;
            self.u.frames.pop();
            self.u.buf.close_region(region);
            let end = self.u.buf.label();
            self.body(&t.finalbody)?;
            self.u.buf.loc = Loc::NONE;
            self.u.buf.jump(Op::JUMP, 0, 0, end);
            self.u.buf.bind_handler(region);
            let (previous, cleanup) = self.enter_handler(exc, loc)?;
            self.body(&t.finalbody)?;
            self.u.buf.loc = Loc::NONE;
            self.u.buf.leave(Op::RERAISE, exc, 0);
            self.leave_handler(previous, cleanup);
            self.u.buf.bind(end);
        }
        self.u.buf.next = mark;
        Ok(())
    }

    fn try_except(&mut self, t: &'a StmtTry, loc: Loc) -> Res {
        let exc = self.u.buf.alloc(1);
        let region = self.u.buf.open_region(exc, false);
        self.push_frame(Frame::Try { region }, loc)?;
        self.body(&t.body)?;
        self.u.frames.pop();
        self.u.buf.close_region(region);
        self.body(&t.orelse)?;
        let end = self.u.buf.label();
        self.u.buf.loc = Loc::NONE;
        self.u.buf.jump(Op::JUMP, 0, 0, end);
        self.u.buf.bind_handler(region);
        if t.is_star {
            self.except_star(t, exc, end, loc)?;
        } else {
            self.except(t, exc, end, loc)?;
        }
        self.u.buf.bind(end);
        Ok(())
    }

    /// Starts a handler of the exception in `exc`.
    pub(crate) fn enter_handler(&mut self, exc: Reg, at: Loc) -> Res<(Reg, Region)> {
        let previous = self.u.buf.alloc(1);
        let raised = self.u.buf.alloc(1);
        self.u.buf.reserve(1);
        self.u.buf.loc = Loc::NONE;
        self.u.buf.op(Op::PUSH_EXC, previous, exc, 0);
        let region = self.u.buf.open_region(raised, true);
        self.push_frame(Frame::Handler { region, previous }, at)?;
        Ok((previous, region))
    }

    /// Ends a handler: what it raised goes on with the old exception restored.
    pub(crate) fn leave_handler(&mut self, previous: Reg, region: Region) {
        self.u.frames.pop();
        self.u.buf.close_region(region);
        self.u.buf.loc = Loc::NONE;
        self.u.buf.bind_handler(region);
        self.u.buf.op(Op::POP_EXC, previous, 0, 0);
        // `enter_handler` took the register behind `previous` for it.
        self.u.buf.reraise_from(previous + 1);
    }

    fn except(&mut self, t: &'a StmtTry, exc: Reg, end: Label, at: Loc) -> Res {
        let (previous, cleanup) = self.enter_handler(exc, at)?;
        for (i, ExceptHandler::ExceptHandler(h)) in t.handlers.iter().enumerate() {
            let loc = Loc::of(h);
            self.u.buf.loc = loc;
            let next = self.u.buf.label();
            match &h.type_ {
                Some(class) => {
                    let mark = self.u.buf.next;
                    let class = self.expr(class)?;
                    let m = self.u.buf.alloc(1);
                    self.u.buf.loc = Loc::of(h.type_.as_deref().expect("just seen"));
                    self.u.buf.op(Op::CHECK_EXC_MATCH, m, exc, class);
                    self.u.buf.jump(Op::JF, m, 0, next);
                    self.u.buf.next = mark;
                }
                None if i + 1 < t.handlers.len() => {
                    return self.fail(h, "default 'except:' must be last");
                }
                None => {}
            }
            self.handler_body(h, exc)?;
            self.u.buf.loc = Loc::NONE;
            self.u.buf.suspend_region(cleanup);
            self.u.buf.op(Op::POP_EXC, previous, 0, 0);
            self.u.buf.jump(Op::JUMP, 0, 0, end);
            self.u.buf.resume_region(cleanup);
            self.u.buf.bind(next);
        }
        self.u.buf.loc = Loc::NONE;
        self.u.buf.leave(Op::RERAISE, exc, 0);
        self.leave_handler(previous, cleanup);
        Ok(())
    }

    /// A handler's name and body, with the name unbound at every way out.
    fn handler_body(&mut self, h: &'a ExceptHandlerExceptHandler, exc: Reg) -> Res {
        let Some(name) = &h.name else {
            return self.body(&h.body);
        };
        self.check_name(name, name, "assign to")?;
        self.u.buf.loc = Loc::of(h);
        self.store_name(name, exc);
        let raised = self.u.buf.alloc(2);
        let region = self.u.buf.open_region(raised, true);
        self.push_frame(Frame::Named { region, name }, Loc::of(h))?;
        self.body(&h.body)?;
        self.u.frames.pop();
        self.u.buf.close_region(region);
        self.u.buf.loc = Loc::NONE;
        self.clear_name(name);
        let done = self.u.buf.label();
        self.u.buf.jump(Op::JUMP, 0, 0, done);
        self.u.buf.bind_handler(region);
        self.clear_name(name);
        self.u.buf.reraise_from(raised);
        self.u.buf.bind(done);
        self.u.buf.next = raised;
        Ok(())
    }

    fn except_star(&mut self, t: &'a StmtTry, exc: Reg, end: Label, at: Loc) -> Res {
        let (previous, cleanup) = self.enter_handler(exc, at)?;
        // What the handlers raised, and the part of the group not matched yet.
        let raised = self.u.buf.alloc(1);
        let matched = self.u.buf.alloc(2);
        let rest = self.u.buf.alloc(1);
        self.u.buf.op(Op::BUILD_LIST, raised, 0, 0);
        self.u.buf.mov(rest, exc);
        for ExceptHandler::ExceptHandler(h) in &t.handlers {
            let mark = self.u.buf.next;
            let loc = Loc::of(h);
            self.u.buf.loc = loc;
            let Some(class) = &h.type_ else {
                return self.fail(h, "expected one or more exception types");
            };
            let class = self.expr(class)?;
            self.u.buf.loc = loc;
            self.u.buf.op(Op::CHECK_EG_MATCH, matched, rest, class);
            self.u.buf.mov(rest, matched + 1);
            let next = self.u.buf.label();
            self.u.buf.jump(Op::JNONE, matched, 0, next);
            self.u.buf.next = mark;
            let err = self.u.buf.alloc(1);
            let region = self.u.buf.open_region(err, false);
            self.push_frame(Frame::Try { region }, loc)?;
            self.push_frame(Frame::ExceptStar, loc)?;
            self.handler_body(h, matched)?;
            self.u.frames.pop();
            self.u.frames.pop();
            self.u.buf.close_region(region);
            self.u.buf.loc = Loc::NONE;
            self.u.buf.jump(Op::JUMP, 0, 0, next);
            self.u.buf.bind_handler(region);
            self.u.buf.op(Op::LIST_APPEND, raised, err, 0);
            self.u.buf.bind(next);
            self.u.buf.next = mark;
        }
        self.u.buf.loc = Loc::NONE;
        self.u.buf.op(Op::LIST_APPEND, raised, rest, 0);
        let result = matched;
        self.u.buf.op(Op::PREP_RERAISE_STAR, result, exc, raised);
        let none = self.u.buf.label();
        self.u.buf.jump(Op::JNONE, result, 0, none);
        self.u.buf.leave(Op::RERAISE, result, 0);
        self.u.buf.suspend_region(cleanup);
        self.u.buf.bind(none);
        self.u.buf.op(Op::POP_EXC, previous, 0, 0);
        self.u.buf.jump(Op::JUMP, 0, 0, end);
        self.leave_handler(previous, cleanup);
        Ok(())
    }

    /// `assert`.
    pub(crate) fn assert(&mut self, a: &StmtAssert) -> Res {
        self.warn_assert(a);
        if self.options.optimize > 0 {
            return Ok(());
        }
        let mark = self.u.buf.next;
        let end = self.u.buf.label();
        self.jump_if(&a.test, end, true)?;
        let loc = Loc::of(a);
        self.u.buf.loc = loc;
        match &a.msg {
            None => {
                let t = self.u.buf.alloc(1);
                self.u.buf.op(Op::LOAD_ASSERTION_ERROR, t, 0, 0);
                self.raise(t);
            }
            Some(msg) => {
                let w = self.u.buf.alloc(super::call::HEADER);
                self.u.buf.op(Op::LOAD_ASSERTION_ERROR, w, 0, 0);
                self.expr_new(msg)?;
                self.u.buf.loc = loc;
                self.u.buf.op(Op::CALL, w, 1, w);
                self.raise(w);
            }
        }
        self.u.buf.bind(end);
        self.u.buf.next = mark;
        Ok(())
    }

    fn raise(&mut self, r: Reg) {
        self.u.buf.op_d(Op::RAISE, 1, r, 0, 0);
        self.u.buf.dead = true;
    }

    pub(crate) fn raise_stmt(&mut self, r: &StmtRaise) -> Res {
        let mark = self.u.buf.next;
        let mut d = 0;
        let (mut exc, mut cause) = (0, 0);
        if let Some(e) = &r.exc {
            exc = self.expr(e)?;
            d = 1;
            if let Some(c) = &r.cause {
                cause = self.expr(c)?;
                d = 2;
            }
        }
        self.u.buf.loc = Loc::of(r);
        self.u.buf.op_d(Op::RAISE, d, exc, cause, 0);
        self.u.buf.dead = true;
        self.u.buf.next = mark;
        Ok(())
    }
}

/// Arguments of an exit method when nothing was raised.
pub(crate) const NO_EXCEPTION: [Const; 3] = [Const::None, Const::None, Const::None];
