//! Displays and f-strings.

use super::{Gen, Res};
use crate::emit::Reg;
use crate::literal;
use crate::loc::Loc;
use pyrite_bytecode::{Const, Op};
use ruff_python_ast::*;

/// Displays up to this length are built from registers, longer ones by appending.
const MAX_FROM_REGISTERS: usize = 30;

impl Gen<'_> {
    pub(crate) fn tuple(&mut self, t: &ExprTuple, dst: Reg) -> Res {
        let loc = Loc::of(t);
        let items: Option<Vec<Const>> = t.elts.iter().map(|e| self.fold.fold(e)).collect();
        if let Some(items) = items {
            self.load_const(Const::Tuple(items), dst);
            return Ok(());
        }
        if t.elts.len() <= 250 && !t.elts.iter().any(Expr::is_starred_expr) {
            let first = self.u.buf.next;
            for e in &t.elts {
                self.expr_new(e)?;
            }
            self.u.buf.loc = loc;
            self.u
                .buf
                .op(Op::BUILD_TUPLE, dst, first, t.elts.len() as u16);
            return Ok(());
        }
        let list = self.u.buf.alloc(1);
        self.sequence(&t.elts, Op::BUILD_LIST, list, loc)?;
        self.u.buf.loc = loc;
        self.u.buf.op(Op::LIST_TO_TUPLE, dst, list, 0);
        Ok(())
    }

    /// A list or set display.
    pub(crate) fn sequence(&mut self, elts: &[Expr], build: Op, dst: Reg, loc: Loc) -> Res {
        let (add, extend) = if build == Op::BUILD_LIST {
            (Op::LIST_APPEND, Op::LIST_EXTEND)
        } else {
            (Op::SET_ADD, Op::SET_UPDATE)
        };
        if elts.len() > 2 {
            let items: Option<Vec<Const>> = elts.iter().map(|e| self.fold.fold(e)).collect();
            if let Some(items) = items {
                return self.through_temp(dst, |g, dst| {
                    g.u.buf.loc = loc;
                    g.u.buf.op(build, dst, 0, 0);
                    let t = g.u.buf.alloc(1);
                    let c = if build == Op::BUILD_LIST {
                        Const::Tuple(items)
                    } else {
                        Const::FrozenSet(items)
                    };
                    g.load_const(c, t);
                    g.u.buf.op(extend, dst, t, 0);
                    Ok(())
                });
            }
        }
        let starred = elts.iter().position(Expr::is_starred_expr);
        let from_registers = match starred {
            None if elts.len() <= MAX_FROM_REGISTERS => elts.len(),
            None => 0,
            Some(n) => n.min(MAX_FROM_REGISTERS),
        };
        let build_start = |g: &mut Self, dst: Reg| -> Res {
            let mark = g.u.buf.next;
            for e in &elts[..from_registers] {
                g.expr_new(e)?;
            }
            g.u.buf.loc = loc;
            g.u.buf.op(build, dst, mark, from_registers as u16);
            g.u.buf.next = mark;
            Ok(())
        };
        if from_registers == elts.len() {
            return build_start(self, dst);
        }
        self.through_temp(dst, |g, dst| {
            build_start(g, dst)?;
            for e in &elts[from_registers..] {
                let mark = g.u.buf.next;
                let (op, v) = match e {
                    Expr::Starred(s) => (extend, g.expr(&s.value)?),
                    _ => (add, g.expr(e)?),
                };
                g.u.buf.loc = loc;
                let checked = u8::from(op == Op::LIST_EXTEND);
                g.u.buf.op_d(op, checked, dst, v, 0);
                g.u.buf.next = mark;
            }
            Ok(())
        })
    }

    pub(crate) fn dict(&mut self, d: &ExprDict, dst: Reg) -> Res {
        let loc = Loc::of(d);
        let simple = d.items.iter().all(|i| i.key.is_some());
        if simple && d.items.len() <= MAX_FROM_REGISTERS / 2 {
            let first = self.pairs(&d.items)?;
            self.u.buf.loc = loc;
            self.u
                .buf
                .op(Op::BUILD_MAP, dst, first, d.items.len() as u16);
            return Ok(());
        }
        self.through_temp(dst, |g, dst| {
            let mut made = false;
            let mut rest = &d.items[..];
            while !rest.is_empty() {
                let mark = g.u.buf.next;
                let n = rest
                    .iter()
                    .take_while(|i| i.key.is_some())
                    .take(MAX_FROM_REGISTERS / 2)
                    .count();
                if n > 0 && !made {
                    let first = g.pairs(&rest[..n])?;
                    g.u.buf.loc = loc;
                    g.u.buf.op(Op::BUILD_MAP, dst, first, n as u16);
                } else if n > 0 {
                    for item in &rest[..n] {
                        let mark = g.u.buf.next;
                        let key = g.expr(item.key.as_ref().expect("counted as a pair"))?;
                        let v = g.expr(&item.value)?;
                        g.u.buf.loc = loc;
                        g.u.buf.op(Op::MAP_ADD, dst, key, v);
                        g.u.buf.next = mark;
                    }
                } else {
                    if !made {
                        g.u.buf.loc = loc;
                        g.u.buf.op(Op::BUILD_MAP, dst, 0, 0);
                    }
                    let v = g.expr(&rest[0].value)?;
                    g.u.buf.loc = loc;
                    g.u.buf.op(Op::DICT_UPDATE, dst, v, 0);
                }
                rest = &rest[n.max(1)..];
                made = true;
                g.u.buf.next = mark;
            }
            Ok(())
        })
    }

    fn pairs(&mut self, items: &[DictItem]) -> Res<Reg> {
        let first = self.u.buf.next;
        for item in items {
            self.expr_new(item.key.as_ref().expect("a pair has a key"))?;
            self.expr_new(&item.value)?;
        }
        Ok(first)
    }

    pub(crate) fn fstring(&mut self, f: &ExprFString, dst: Reg) -> Res {
        let mut parts = Vec::new();
        for part in &f.value {
            match part {
                FStringPart::Literal(l) => {
                    let mut text = Vec::new();
                    literal::string(l, self.source, &mut text);
                    push_text(&mut parts, text);
                }
                FStringPart::FString(s) => {
                    let raw = s.flags.prefix().is_raw();
                    self.fstring_parts(&s.elements, raw, &mut parts);
                }
            }
        }
        self.join(&parts, Loc::of(f), dst)
    }

    fn fstring_parts<'e>(
        &self,
        elements: &'e InterpolatedStringElements,
        raw: bool,
        parts: &mut Vec<Part<'e>>,
    ) {
        for e in elements {
            match e {
                InterpolatedStringElement::Literal(l) => {
                    let mut text = Vec::new();
                    literal::fstring_piece(l, self.source, raw, &mut text);
                    push_text(parts, text);
                }
                InterpolatedStringElement::Interpolation(i) => {
                    if let Some(debug) = &i.debug_text {
                        let text = format!(
                            "{}{}{}",
                            debug.leading(),
                            debug.expression(),
                            debug.trailing()
                        );
                        push_text(parts, text.chars().map(u32::from).collect());
                    }
                    parts.push(Part::Value(i, raw));
                }
            }
        }
    }

    fn join(&mut self, parts: &[Part<'_>], loc: Loc, dst: Reg) -> Res {
        self.u.buf.loc = loc;
        match parts {
            [] => self.load_const(Const::Str(Vec::new()), dst),
            [one] => self.part(one, loc, dst)?,
            _ => {
                // Long f-strings are joined piece by piece to spare registers.
                let mut rest = parts;
                let first = self.u.buf.next;
                while !rest.is_empty() {
                    let n = rest.len().min(200);
                    for p in &rest[..n] {
                        let t = self.u.buf.alloc(1);
                        self.part(p, loc, t)?;
                    }
                    rest = &rest[n..];
                    self.u.buf.loc = loc;
                    let count = self.u.buf.next - first;
                    let to = if rest.is_empty() { dst } else { first };
                    self.u.buf.op(Op::BUILD_STRING, to, first, count);
                    self.u.buf.next = first + 1;
                }
            }
        }
        Ok(())
    }

    fn part(&mut self, p: &Part<'_>, loc: Loc, dst: Reg) -> Res {
        match p {
            Part::Text(t) => {
                self.u.buf.loc = loc;
                self.load_const(Const::Str(t.clone()), dst);
            }
            Part::Value(i, raw) => {
                let mark = self.u.buf.next;
                if self.nested_specs >= 2 {
                    let end = ruff_text_size::TextRange::empty(loc.end.into());
                    return self.fail(&end, "f-string: expressions nested too deeply");
                }
                if i.expression.is_starred_expr() {
                    return self.fail(
                        &*i.expression,
                        "f-string: cannot use starred expression here",
                    );
                }
                let v = self.operand(&i.expression, dst)?;
                let mut conversion = match i.conversion {
                    ConversionFlag::None => 0,
                    ConversionFlag::Str => 1,
                    ConversionFlag::Repr => 2,
                    ConversionFlag::Ascii => 3,
                };
                let mut spec = u16::MAX;
                match &i.format_spec {
                    Some(s) => {
                        self.nested_specs += 1;
                        let mut parts = Vec::new();
                        self.fstring_parts(&s.elements, *raw, &mut parts);
                        spec = self.u.buf.alloc(1);
                        self.join(&parts, loc, spec)?;
                        self.nested_specs -= 1;
                    }
                    None if i.debug_text.is_some() && conversion == 0 => conversion = 2,
                    None => {}
                }
                self.u.buf.loc = loc;
                self.u.buf.op_d(Op::FORMAT_VALUE, conversion, dst, v, spec);
                self.u.buf.next = mark;
            }
        }
        Ok(())
    }

    /// `'...%s...' % (a, b)` with only plain `%s`, `%r`, `%a` is an f-string.
    pub(crate) fn percent_format(&mut self, b: &ExprBinOp, dst: Reg, loc: Loc) -> Res<bool> {
        let (Operator::Mod, Expr::StringLiteral(_), Expr::Tuple(args)) =
            (b.op, &*b.left, &*b.right)
        else {
            return Ok(false);
        };
        if args.elts.iter().any(Expr::is_starred_expr) || args.elts.len() > 200 {
            return Ok(false);
        }
        let Some(Const::Str(format)) = self.fold.fold(&b.left) else {
            return Ok(false);
        };
        let Some(pieces) = percent_pieces(&format) else {
            return Ok(false);
        };
        let wanted = pieces
            .iter()
            .filter(|p| matches!(p, Piece::Value(_)))
            .count();
        if wanted != args.elts.len() || pieces.is_empty() {
            return Ok(false);
        }
        let first = self.u.buf.next;
        let mut values = args.elts.iter();
        for p in &pieces {
            let t = self.u.buf.alloc(1);
            match p {
                Piece::Text(s) => {
                    self.u.buf.loc = loc;
                    self.load_const(Const::Str(s.clone()), t);
                }
                Piece::Value(conversion) => {
                    let e = values.next().expect("counted before");
                    let v = self.operand(e, t)?;
                    self.u.buf.loc = Loc::of(e);
                    self.u
                        .buf
                        .op_d(Op::FORMAT_VALUE, *conversion, t, v, u16::MAX);
                    self.u.buf.next = t + 1;
                }
            }
        }
        self.u.buf.loc = loc;
        self.u
            .buf
            .op(Op::BUILD_STRING, dst, first, pieces.len() as u16);
        Ok(true)
    }
}

enum Part<'e> {
    Text(Vec<u32>),
    Value(&'e InterpolatedElement, bool),
}

fn push_text(parts: &mut Vec<Part<'_>>, text: Vec<u32>) {
    if text.is_empty() {
        return;
    }
    match parts.last_mut() {
        Some(Part::Text(t)) => t.extend(text),
        _ => parts.push(Part::Text(text)),
    }
}

enum Piece {
    Text(Vec<u32>),
    /// `FORMAT_VALUE`'s conversion.
    Value(u8),
}

fn percent_pieces(format: &[u32]) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut text = Vec::new();
    let mut chars = format.iter().copied();
    while let Some(c) = chars.next() {
        if c != u32::from('%') {
            text.push(c);
            continue;
        }
        let conversion = match chars.next().and_then(char::from_u32)? {
            '%' => {
                text.push(c);
                continue;
            }
            's' => 1,
            'r' => 2,
            'a' => 3,
            _ => return None,
        };
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        pieces.push(Piece::Value(conversion));
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Some(pieces)
}
