//! What `return`, `break` and `continue` leave on their way out.
//!
//! Each enclosing loop, `try`, handler and `with` is a [`Frame`]. Leaving one
//! emits its exit code where the jump is (a `finally` body is compiled again at
//! each way out, as CPython does); while that code is emitted the frame's
//! protection is suspended, so that an exception in it goes to the frames outside.

use super::{Gen, Res};
use crate::emit::{Label, Reg, Region};
use crate::loc::Loc;
use pyrite_bytecode::{Const, Op};
use ruff_python_ast::Stmt;

/// CPython's limit of nested blocks.
const MAX_FRAMES: usize = 20;

/// A construct that has to be left.
#[derive(Clone, Debug)]
pub(crate) enum Frame<'a> {
    Loop {
        index: u16,
        /// First temporary that is free at the loop's header.
        next: Reg,
        exit: Label,
    },
    /// A protected body without exit code.
    Try {
        region: Region,
    },
    Finally {
        region: Region,
        body: &'a [Stmt],
    },
    /// A handler or a `finally` body entered by an exception; `previous` holds
    /// the exception that was handled before.
    Handler {
        region: Region,
        previous: Reg,
    },
    /// `except ... as name`: the name is unbound at the end.
    Named {
        region: Region,
        name: &'a str,
    },
    With {
        region: Region,
        /// Registers of the exit method and its object.
        exit: Reg,
        is_async: bool,
        loc: Loc,
    },
    /// `except*`: cannot be left by a jump.
    ExceptStar,
}

impl<'a> Frame<'a> {
    fn region(&self) -> Option<Region> {
        match *self {
            Frame::Loop { .. } | Frame::ExceptStar => None,
            Frame::Try { region }
            | Frame::Finally { region, .. }
            | Frame::Handler { region, .. }
            | Frame::Named { region, .. }
            | Frame::With { region, .. } => Some(region),
        }
    }

    fn has_exit_code(&self) -> bool {
        matches!(
            self,
            Frame::Finally { .. } | Frame::With { .. } | Frame::Named { .. }
        )
    }
}

impl<'a> Gen<'a> {
    /// Enters a construct that counts against the limit of nested blocks.
    pub(crate) fn push_frame(&mut self, f: Frame<'a>, at: Loc) -> Res {
        if self.u.frames.len() >= MAX_FRAMES {
            return Err(pyrite_front::SyntaxErrorInfo::at(
                self.source,
                pyrite_front::ErrorKind::Syntax,
                at.start as usize,
                at.end as usize,
                "too many statically nested blocks",
            ));
        }
        self.u.frames.push(f);
        Ok(())
    }

    /// A `return` here runs code that could change its value's register.
    pub(crate) fn return_runs_code(&self) -> bool {
        self.u.frames.iter().any(Frame::has_exit_code)
    }

    /// Emits the exit code of all frames above the first `keep`, innermost first.
    pub(crate) fn leave_frames(&mut self, keep: usize) -> Res<Vec<Frame<'a>>> {
        let mut left = Vec::new();
        while self.u.frames.len() > keep {
            let f = self.u.frames.pop().expect("counted");
            if let Some(r) = f.region() {
                self.u.buf.suspend_region(r);
            }
            let mark = self.u.buf.next;
            match &f {
                Frame::Loop { .. } | Frame::Try { .. } | Frame::ExceptStar => {}
                Frame::Finally { body, .. } => {
                    let loc = self.u.buf.loc;
                    self.body(body)?;
                    self.u.buf.loc = loc;
                }
                Frame::Handler { previous, .. } => self.u.buf.op(Op::POP_EXC, *previous, 0, 0),
                Frame::Named { name, .. } => self.clear_name(name),
                Frame::With {
                    exit,
                    is_async,
                    loc,
                    ..
                } => {
                    let here = self.u.buf.loc;
                    self.u.buf.loc = *loc;
                    self.call_exit(*exit, None, *is_async);
                    self.u.buf.loc = here;
                }
            }
            self.u.buf.next = mark;
            left.push(f);
        }
        Ok(left)
    }

    /// Goes back inside the frames that [`Gen::leave_frames`] left.
    pub(crate) fn reenter_frames(&mut self, mut left: Vec<Frame<'a>>) {
        while let Some(f) = left.pop() {
            if let Some(r) = f.region() {
                self.u.buf.resume_region(r);
            }
            self.u.frames.push(f);
        }
    }

    /// `name = None; del name`, at the end of a handler.
    pub(crate) fn clear_name(&mut self, name: &str) {
        let mark = self.u.buf.next;
        let t = self.u.buf.alloc(1);
        self.load_const(Const::None, t);
        self.store_name(name, t);
        self.delete_name(name);
        self.u.buf.next = mark;
    }
}
