//! Calls.
//!
//! A call's window lies above every temporary in use: callable, frame header,
//! arguments. `f(a, b)` evaluates `f` into register `w`, the arguments into
//! `w + 5` and `w + 6`, and calls; a method call keeps `w + 5` for the object.

use super::{Gen, Res};
use crate::emit::Reg;
use crate::loc::Loc;
use pyrite_bytecode::{Const, FRAME_HEADER, Op};
use ruff_python_ast::*;
use ruff_text_size::{Ranged, TextRange};
use std::collections::HashSet;

/// From this many arguments on they are passed as a tuple and a dict.
const MAX_WINDOW_ARGS: usize = 200;

pub(crate) const HEADER: u16 = FRAME_HEADER as u16;

impl Gen<'_> {
    pub(crate) fn call(&mut self, c: &ExprCall, dst: Reg) -> Res {
        self.warn_call(c);
        self.check_keywords(&c.arguments.keywords)?;
        let loc = Loc::of(c);
        let plain = is_plain(&c.arguments);
        if plain && let Expr::Attribute(a) = &*c.func {
            let w = self.u.buf.alloc(HEADER + 1);
            let method_loc = self.attr_loc(a, Loc::of(a));
            if let Some(pair) = self.super_pair(&a.value, None)? {
                self.u.buf.loc = method_loc;
                let ic = self.attr_cache(&a.attr);
                self.u.buf.op(Op::LOAD_SUPER_METHOD, w, pair, ic);
            } else {
                let object = self.operand(&a.value, w + HEADER)?;
                self.u.buf.loc = method_loc;
                let ic = self.attr_cache(&a.attr);
                self.u.buf.op(Op::LOAD_METHOD, w, object, ic);
            }
            self.u.buf.next = w + HEADER + 1;
            let (n, names) = self.window_args(&c.arguments)?;
            self.u.buf.loc = self.attr_loc(a, loc);
            return self.call_window(w, n, names, true, dst);
        }
        let w = self.u.buf.alloc(HEADER);
        self.expr_into(&c.func, w)?;
        self.call_with(w, &[], &c.arguments, loc, dst)
    }

    /// Calls the callable in window `w` with the registers `first` (already at
    /// `w + 5` on) and then `args`.
    pub(crate) fn call_with(
        &mut self,
        w: Reg,
        first: &[Reg],
        args: &Arguments,
        loc: Loc,
        dst: Reg,
    ) -> Res {
        if is_plain(args) {
            self.u.buf.next = w + HEADER + first.len() as u16;
            let (n, names) = self.window_args(args)?;
            self.u.buf.loc = loc;
            return self.call_window(w, n + first.len() as u16, names, false, dst);
        }
        self.call_ex(w, first, args, loc, dst)
    }

    fn call_window(&mut self, w: Reg, n: u16, names: Option<Const>, method: bool, dst: Reg) -> Res {
        let op = match (method, names.is_some()) {
            (false, false) => Op::CALL,
            (true, false) => Op::CALL_METHOD,
            (false, true) => Op::CALL_KW,
            (true, true) => Op::CALL_METHOD_KW,
        };
        if let Some(names) = names {
            self.load_const(names, w + 1);
        }
        self.u.buf.op(op, w, n, dst);
        Ok(())
    }

    /// Evaluates positional and keyword arguments into the next registers.
    fn window_args(&mut self, args: &Arguments) -> Res<(u16, Option<Const>)> {
        for a in &args.args {
            match a {
                // `f(x for x in y)`: the call's parentheses are the generator's.
                Expr::Generator(g) if !g.parenthesized => {
                    let t = self.u.buf.alloc(1);
                    let kind = crate::symtable::BlockKind::Generator;
                    let loc = Loc::of(args);
                    self.comprehension(g, kind, &g.generators, &g.elt, None, loc, t)?;
                    self.u.buf.next = t + 1;
                }
                a => {
                    self.expr_new(a)?;
                }
            }
        }
        let mut names = Vec::new();
        for k in &args.keywords {
            let name = k.arg.as_ref().expect("plain arguments have no **");
            names.push(crate::consts::string(name));
            self.expr_new(&k.value)?;
        }
        let n = (args.args.len() + args.keywords.len()) as u16;
        let names = (!names.is_empty()).then_some(Const::Tuple(names));
        Ok((n, names))
    }

    fn call_ex(&mut self, w: Reg, first: &[Reg], args: &Arguments, loc: Loc, dst: Reg) -> Res {
        let (list, dict) = (w + HEADER, w + HEADER + 1);
        let n_first = first.len() as u16;
        // The given registers move out of the way of the list that takes them.
        self.u.buf.next = list + 2 + n_first;
        self.u.buf.reserve(0);
        let moved = dict + 1;
        for i in (0..n_first).rev() {
            self.u.buf.mov(moved + i, list + i);
        }
        match &*args.args {
            [Expr::Starred(s)] if first.is_empty() => self.expr_into(&s.value, list)?,
            elts if elts.iter().any(Expr::is_starred_expr) => {
                self.u.buf.loc = loc;
                self.u.buf.op(Op::BUILD_LIST, list, moved, n_first);
                for e in elts {
                    let mark = self.u.buf.next;
                    if let Expr::Starred(s) = e {
                        let v = self.expr(&s.value)?;
                        self.u.buf.loc = Loc::of(s);
                        self.u.buf.op_d(Op::LIST_EXTEND, 1, list, v, 0);
                    } else {
                        let v = self.expr(e)?;
                        self.u.buf.op(Op::LIST_APPEND, list, v, 0);
                    }
                    self.u.buf.next = mark;
                }
                self.u.buf.loc = loc;
                self.u.buf.op(Op::LIST_TO_TUPLE, list, list, 0);
            }
            elts if elts.len() > MAX_WINDOW_ARGS => {
                self.u.buf.op(Op::BUILD_LIST, list, moved, n_first);
                for e in elts {
                    let mark = self.u.buf.next;
                    let v = self.expr(e)?;
                    self.u.buf.op(Op::LIST_APPEND, list, v, 0);
                    self.u.buf.next = mark;
                }
                self.u.buf.op(Op::LIST_TO_TUPLE, list, list, 0);
            }
            elts => {
                for e in elts {
                    self.expr_new(e)?;
                }
                self.u.buf.loc = loc;
                let n = n_first + elts.len() as u16;
                self.u.buf.op(Op::BUILD_TUPLE, list, moved, n);
                self.u.buf.next = moved;
            }
        }
        self.u.buf.next = moved;
        let has_dict = !args.keywords.is_empty();
        if has_dict {
            self.keyword_dict(&args.keywords, dict, w, loc)?;
        }
        self.u.buf.loc = loc;
        self.u.buf.op(Op::CALL_EX, w, u16::from(has_dict), dst);
        Ok(())
    }

    /// Keyword arguments, `**` among them, as one dict.
    fn keyword_dict(&mut self, keywords: &[Keyword], dict: Reg, callable: Reg, loc: Loc) -> Res {
        let mut made = false;
        let mut rest = keywords;
        while !rest.is_empty() {
            let named = rest.iter().take_while(|k| k.arg.is_some()).count();
            let mark = self.u.buf.next;
            if named > 0 {
                let named = named.min(MAX_WINDOW_ARGS);
                let first = self.u.buf.next;
                for k in &rest[..named] {
                    let name = k.arg.as_ref().expect("counted as named");
                    let t = self.u.buf.alloc(1);
                    self.u.buf.loc = loc;
                    self.load_const(crate::consts::string(name), t);
                    self.expr_new(&k.value)?;
                }
                self.u.buf.loc = loc;
                if made {
                    let t = self.u.buf.alloc(1);
                    self.u.buf.op(Op::BUILD_MAP, t, first, named as u16);
                    self.u.buf.op(Op::DICT_MERGE, dict, t, callable);
                } else {
                    self.u.buf.op(Op::BUILD_MAP, dict, first, named as u16);
                }
                rest = &rest[named..];
            } else {
                if !made {
                    self.u.buf.loc = loc;
                    self.u.buf.op(Op::BUILD_MAP, dict, 0, 0);
                }
                let v = self.expr(&rest[0].value)?;
                self.u.buf.loc = loc;
                self.u.buf.op(Op::DICT_MERGE, dict, v, callable);
                rest = &rest[1..];
            }
            made = true;
            self.u.buf.next = mark;
        }
        Ok(())
    }

    fn check_keywords(&self, keywords: &[Keyword]) -> Res {
        let mut seen = HashSet::new();
        for k in keywords {
            let Some(name) = &k.arg else { continue };
            self.check_name(name, k, "assign to")?;
            if !seen.insert(name.as_str()) {
                return self.fail(k, format!("keyword argument repeated: {name}"));
            }
        }
        Ok(())
    }

    /// `__debug__` is no name to bind; `verb` is `assign to` or `delete`.
    pub(crate) fn check_name(&self, name: &str, at: &impl Ranged, verb: &str) -> Res {
        if name == "__debug__" {
            return self.fail(at, format!("cannot {verb} __debug__"));
        }
        Ok(())
    }

    /// A class statement's arguments, checked like a call's.
    pub(crate) fn check_arguments(&self, args: &Arguments) -> Res {
        self.check_keywords(&args.keywords)
    }
}

/// No argument needs unpacking, and they are few enough for a window.
fn is_plain(args: &Arguments) -> bool {
    !args.args.iter().any(Expr::is_starred_expr)
        && args.keywords.iter().all(|k| k.arg.is_some())
        && args.args.len() + args.keywords.len() <= MAX_WINDOW_ARGS
}

/// No arguments.
pub(crate) fn no_arguments() -> Arguments {
    Arguments {
        range: TextRange::default(),
        node_index: AtomicNodeIndex::NONE,
        args: Box::default(),
        keywords: Vec::new().into(),
    }
}
