//! `with` and `async with`.

use super::call::HEADER;
use super::handlers::NO_EXCEPTION;
use super::unwind::Frame;
use super::{Gen, Res};
use crate::emit::Reg;
use crate::loc::Loc;
use pyrite_bytecode::Op;
use ruff_python_ast::*;

impl<'a> Gen<'a> {
    pub(crate) fn with_stmt(&mut self, w: &'a StmtWith) -> Res {
        if w.is_async && !self.top_level_await() {
            if !self.u.kind.is_function() {
                return self.fail(w, "'async with' outside async function");
            }
            if !self.u.async_def {
                return self.fail(w, "'async with' outside async function");
            }
        }
        self.with_items(w, 0)
    }

    fn with_items(&mut self, w: &'a StmtWith, i: usize) -> Res {
        let Some(item) = w.items.get(i) else {
            return self.body(&w.body);
        };
        let mark = self.u.buf.next;
        let loc = Loc::of(&item.context_expr);
        // Exit method and its object stay in two registers.
        let exit = self.u.buf.alloc(2);
        let inner = self.u.buf.next;
        let manager = self.expr(&item.context_expr)?;
        self.u.buf.loc = loc;
        let special = if w.is_async { 2 } else { 0 };
        let enter = self.u.buf.alloc(HEADER + 1);
        self.u
            .buf
            .op_d(Op::LOAD_SPECIAL, special, enter, manager, 0);
        let found = self.u.buf.alloc(HEADER + 1);
        self.u
            .buf
            .op_d(Op::LOAD_SPECIAL, special + 1, found, manager, 0);
        self.u.buf.mov(exit, found);
        self.u.buf.mov(exit + 1, found + HEADER);
        let value = found;
        self.u.buf.next = found;
        self.u.buf.op(Op::CALL_METHOD, enter, 0, value);
        self.u.buf.next = found + 1;
        if w.is_async {
            self.await_value(value, 1, value);
        }
        let exc = inner;
        self.u.buf.mov(inner, value);
        self.u.buf.next = inner + 1;
        self.u.buf.reserve(1);
        let region = self.u.buf.open_region(exc, true);
        let frame = Frame::With {
            region,
            exit,
            is_async: w.is_async,
            loc,
        };
        self.push_frame(frame, loc)?;
        if let Some(target) = &item.optional_vars {
            self.store(target, inner)?;
        }
        self.with_items(w, i + 1)?;
        self.u.frames.pop();
        self.u.buf.close_region(region);
        self.u.buf.loc = loc;
        self.call_exit(exit, None, w.is_async);
        let end = self.u.buf.label();
        self.u.buf.jump(Op::JUMP, 0, 0, end);
        self.u.buf.bind_handler(region);
        // The unwinder has noted the raising instruction behind the exception.
        self.u.buf.next = inner + 2;
        let (previous, cleanup) = self.enter_handler(exc, loc)?;
        self.u.buf.loc = loc;
        let answer = self.call_exit(exit, Some(exc), w.is_async);
        let suppressed = self.u.buf.label();
        self.u.buf.jump(Op::JT, answer, 0, suppressed);
        self.u.buf.reraise_from(exc);
        self.u.buf.suspend_region(cleanup);
        self.u.buf.bind(suppressed);
        self.u.buf.op(Op::POP_EXC, previous, 0, 0);
        self.u.buf.jump(Op::JUMP, 0, 0, end);
        self.leave_handler(previous, cleanup);
        self.u.buf.bind(end);
        self.u.buf.next = mark;
        Ok(())
    }

    /// Calls the exit method in `exit`; its answer is in the register returned.
    pub(crate) fn call_exit(&mut self, exit: Reg, exc: Option<Reg>, is_async: bool) -> Reg {
        let mark = self.u.buf.next;
        let w = self.u.buf.alloc(HEADER + 4);
        self.u.buf.mov(w, exit);
        self.u.buf.mov(w + HEADER, exit + 1);
        let args = w + HEADER + 1;
        match exc {
            Some(exc) => self.u.buf.op(Op::EXC_TRIPLE, args, exc, 0),
            None => {
                for (i, c) in NO_EXCEPTION.into_iter().enumerate() {
                    self.load_const(c, args + i as u16);
                }
            }
        }
        self.u.buf.op(Op::CALL_METHOD, w, 3, w);
        self.u.buf.next = w + 1;
        if is_async {
            self.await_value(w, 2, w);
        }
        self.u.buf.next = mark;
        w
    }
}
