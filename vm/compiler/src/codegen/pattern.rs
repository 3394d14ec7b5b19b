//! `match`.
//!
//! A pattern tests registers and remembers its captures; only when the whole
//! pattern has matched are the captured registers stored in their variables. So
//! the temporaries of a case live until its captures are stored.

use super::{Gen, Res};
use crate::emit::{Label, Reg};
use crate::loc::Loc;
use pyrite_bytecode::{Const, Op};
use ruff_python_ast::*;

/// Captured names with the registers that hold their values.
type Captures<'a> = Vec<(&'a Identifier, Reg)>;

impl<'a> Gen<'a> {
    pub(crate) fn match_stmt(&mut self, m: &'a StmtMatch) -> Res {
        let subject = self.expr_new(&m.subject)?;
        let end = self.u.buf.label();
        for (i, case) in m.cases.iter().enumerate() {
            let mark = self.u.buf.next;
            let last = i + 1 == m.cases.len();
            let fail = self.u.buf.label();
            let mut captures = Captures::new();
            let anything = last || case.guard.is_some();
            self.u.buf.loc = Loc::of(&case.pattern);
            if last && is_wildcard(&case.pattern) {
                self.u.buf.op(Op::NOP, 0, 0, 0);
            } else {
                self.pattern(&case.pattern, subject, fail, anything, &mut captures)?;
            }
            self.u.buf.loc = Loc::of(&case.pattern);
            for (name, r) in captures {
                self.store_name(name, r);
            }
            self.u.buf.next = mark;
            if let Some(g) = &case.guard {
                self.jump_if(g, fail, false)?;
            }
            self.body(&case.body)?;
            self.u.buf.loc = Loc::NONE;
            self.u.buf.jump(Op::JUMP, 0, 0, end);
            self.u.buf.bind(fail);
        }
        self.u.buf.bind(end);
        Ok(())
    }

    fn capture(
        &self,
        name: &'a Identifier,
        r: Reg,
        whole: &Pattern,
        captures: &mut Captures<'a>,
    ) -> Res {
        self.check_name(name, name, "assign to")?;
        if captures.iter().any(|(n, _)| n.as_str() == name.as_str()) {
            return self.fail(
                whole,
                format!("multiple assignments to name '{name}' in pattern"),
            );
        }
        captures.push((name, r));
        Ok(())
    }

    /// Jumps to `fail` unless register `s` matches. `anything`: a pattern that
    /// matches everything is allowed here.
    fn pattern(
        &mut self,
        p: &'a Pattern,
        s: Reg,
        fail: Label,
        anything: bool,
        captures: &mut Captures<'a>,
    ) -> Res {
        stacker::maybe_grow(128 * 1024, 2 * 1024 * 1024, || {
            self.pattern_inner(p, s, fail, anything, captures)
        })
    }

    fn pattern_inner(
        &mut self,
        p: &'a Pattern,
        s: Reg,
        fail: Label,
        anything: bool,
        captures: &mut Captures<'a>,
    ) -> Res {
        let loc = Loc::of(p);
        self.u.buf.loc = loc;
        match p {
            Pattern::MatchValue(v) if v.value.is_f_string_expr() => {
                return self.fail(p, "patterns may only match literals and attribute lookups");
            }
            Pattern::MatchValue(v) => {
                let value = self.expr(&v.value)?;
                self.u.buf.loc = loc;
                self.u.buf.jump(Op::JNEQ, s, value, fail);
            }
            Pattern::MatchSingleton(v) => match v.value {
                Singleton::None => self.u.buf.jump(Op::JNOTNONE, s, 0, fail),
                Singleton::True | Singleton::False => {
                    let t = self.constant_new(crate::consts::boolean(v.value == Singleton::True));
                    self.u.buf.jump(Op::JISNOT, s, t, fail);
                }
            },
            Pattern::MatchSequence(q) => {
                self.sequence_pattern(p, &q.patterns, s, fail, captures)?
            }
            Pattern::MatchMapping(m) => self.mapping_pattern(p, m, s, fail, captures)?,
            Pattern::MatchClass(c) => self.class_pattern(p, c, s, fail, captures)?,
            Pattern::MatchStar(star) => {
                if let Some(n) = &star.name {
                    self.capture(n, s, p, captures)?;
                }
            }
            Pattern::MatchAs(a) => {
                match (&a.pattern, &a.name) {
                    (Some(inner), _) => self.pattern(inner, s, fail, anything, captures)?,
                    (None, Some(n)) if !anything => {
                        return self.fail(
                            p,
                            format!("name capture '{n}' makes remaining patterns unreachable"),
                        );
                    }
                    (None, None) if !anything => {
                        return self.fail(p, "wildcard makes remaining patterns unreachable");
                    }
                    _ => {}
                }
                if let Some(n) = &a.name {
                    self.capture(n, s, p, captures)?;
                }
            }
            Pattern::MatchOr(o) => self.or_pattern(p, o, s, fail, anything, captures)?,
        }
        Ok(())
    }

    fn length_test(&mut self, s: Reg, op: Op, n: usize, fail: Label) {
        let len = self.u.buf.alloc(1);
        self.u.buf.op(Op::GET_LEN, len, s, 0);
        let want = self.constant_new(Const::Int(n as i64));
        self.u.buf.jump(op, len, want, fail);
    }

    fn sequence_pattern(
        &mut self,
        p: &'a Pattern,
        patterns: &'a [Pattern],
        s: Reg,
        fail: Label,
        captures: &mut Captures<'a>,
    ) -> Res {
        let n = patterns.len();
        let mut star = None;
        for (i, q) in patterns.iter().enumerate() {
            if q.is_match_star() && star.replace(i).is_some() {
                return self.fail(p, "multiple starred names in sequence pattern");
            }
        }
        let t = self.u.buf.alloc(1);
        self.u.buf.op(Op::MATCH_SEQUENCE, t, s, 0);
        self.u.buf.jump(Op::JF, t, 0, fail);
        match star {
            None => self.length_test(s, Op::JNEQ, n, fail),
            Some(_) if n > 1 => self.length_test(s, Op::JNGE, n - 1, fail),
            Some(_) => {}
        }
        if patterns.iter().all(is_wildcard) {
            return Ok(());
        }
        if let Some(at) = star
            && is_wildcard(&patterns[at])
        {
            // Nobody wants the middle: fetch the items one by one.
            for (i, q) in patterns.iter().enumerate() {
                if is_wildcard(q) {
                    continue;
                }
                let item = self.u.buf.alloc(1);
                self.u.buf.loc = Loc::of(p);
                if i < at {
                    self.load_const(Const::Int(i as i64), item);
                } else {
                    self.u.buf.op(Op::GET_LEN, item, s, 0);
                    let k = self.u.buf.constant(Const::Int((n - i) as i64));
                    self.u.buf.op(Op::SUBK, item, item, k);
                }
                self.u.buf.op(Op::LOAD_SUBSCR, item, s, item);
                self.pattern(q, item, fail, true, captures)?;
            }
            return Ok(());
        }
        let first = self.u.buf.alloc(n as u16);
        match star {
            None => self.u.buf.op(Op::UNPACK_SEQUENCE, first, s, n as u16),
            Some(at) => {
                let after = n - at - 1;
                if at > 255 || after > 255 {
                    return self.fail(p, "too many expressions in star-unpacking sequence pattern");
                }
                let counts = at as u16 | (after as u16) << 8;
                self.u.buf.op(Op::UNPACK_EX, first, s, counts);
            }
        }
        for (i, q) in patterns.iter().enumerate() {
            self.pattern(q, first + i as Reg, fail, true, captures)?;
        }
        Ok(())
    }

    fn mapping_pattern(
        &mut self,
        p: &'a Pattern,
        m: &'a PatternMatchMapping,
        s: Reg,
        fail: Label,
        captures: &mut Captures<'a>,
    ) -> Res {
        let n = m.keys.len();
        let t = self.u.buf.alloc(1);
        self.u.buf.op(Op::MATCH_MAPPING, t, s, 0);
        self.u.buf.jump(Op::JF, t, 0, fail);
        if n == 0 && m.rest.is_none() {
            return Ok(());
        }
        if n > 0 {
            self.length_test(s, Op::JNGE, n, fail);
        }
        let mut seen: Vec<Const> = Vec::new();
        for key in &m.keys {
            if let Some(c) = self.fold.fold(key) {
                if seen.iter().any(|k| same_key(k, &c)) {
                    return self.fail(
                        p,
                        format!(
                            "mapping pattern checks duplicate key ({})",
                            self.source
                                .slice(Loc::of(key).start as usize, Loc::of(key).end as usize)
                        ),
                    );
                }
                seen.push(c);
            }
        }
        let keys = self.u.buf.alloc(1);
        let first = self.u.buf.next;
        for key in &m.keys {
            self.expr_new(key)?;
        }
        self.u.buf.loc = Loc::of(p);
        self.u.buf.op(Op::BUILD_TUPLE, keys, first, n as u16);
        self.u.buf.next = first;
        let values = self.u.buf.alloc(1);
        self.u.buf.op(Op::MATCH_KEYS, values, s, keys);
        self.u.buf.jump(Op::JNONE, values, 0, fail);
        if n > 0 {
            let first = self.u.buf.alloc(n as u16);
            self.u.buf.op(Op::UNPACK_SEQUENCE, first, values, n as u16);
            for (i, q) in m.patterns.iter().enumerate() {
                self.pattern(q, first + i as Reg, fail, true, captures)?;
            }
        }
        if let Some(name) = &m.rest {
            self.u.buf.loc = Loc::of(p);
            let rest = self.u.buf.alloc(1);
            self.u.buf.op(Op::COPY_DICT_WITHOUT_KEYS, rest, s, keys);
            self.capture(name, rest, p, captures)?;
        }
        Ok(())
    }

    fn class_pattern(
        &mut self,
        p: &'a Pattern,
        c: &'a PatternMatchClass,
        s: Reg,
        fail: Label,
        captures: &mut Captures<'a>,
    ) -> Res {
        let positional = c.arguments.patterns.len();
        let keywords = &c.arguments.keywords;
        if positional > 255 {
            return self.fail(p, "too many sub-patterns in class pattern");
        }
        for (i, k) in keywords.iter().enumerate() {
            self.check_name(&k.attr, k, "assign to")?;
            if keywords[..i]
                .iter()
                .any(|o| o.attr.as_str() == k.attr.as_str())
            {
                return self.fail(
                    &k.pattern,
                    format!("attribute name repeated in class pattern: {}", k.attr),
                );
            }
        }
        let class = self.u.buf.alloc(2);
        self.expr_into(&c.cls, class)?;
        self.u.buf.loc = Loc::of(p);
        let names = keywords
            .iter()
            .map(|k| crate::consts::string(&k.attr))
            .collect();
        self.load_const(Const::Tuple(names), class + 1);
        let found = self.u.buf.alloc(1);
        self.u
            .buf
            .op_d(Op::MATCH_CLASS, positional as u8, found, s, class);
        self.u.buf.jump(Op::JNONE, found, 0, fail);
        let n = positional + keywords.len();
        if n == 0 {
            return Ok(());
        }
        let first = self.u.buf.alloc(n as u16);
        self.u.buf.op(Op::UNPACK_SEQUENCE, first, found, n as u16);
        let all = c
            .arguments
            .patterns
            .iter()
            .chain(keywords.iter().map(|k| &k.pattern));
        for (i, q) in all.enumerate() {
            self.pattern(q, first + i as Reg, fail, true, captures)?;
        }
        Ok(())
    }

    fn or_pattern(
        &mut self,
        p: &'a Pattern,
        o: &'a PatternMatchOr,
        s: Reg,
        fail: Label,
        anything: bool,
        captures: &mut Captures<'a>,
    ) -> Res {
        let matched = self.u.buf.label();
        let mut bound: Option<Captures<'a>> = None;
        let count = o.patterns.len();
        for (i, q) in o.patterns.iter().enumerate() {
            let last = i + 1 == count;
            let next = self.u.buf.label();
            let mut own = Captures::new();
            self.pattern(q, s, next, last && anything, &mut own)?;
            let all = match &bound {
                None => {
                    let first = self.u.buf.alloc(own.len() as u16);
                    let names = own
                        .iter()
                        .enumerate()
                        .map(|(i, (n, _))| (*n, first + i as Reg));
                    bound.insert(names.collect())
                }
                Some(all) => all,
            };
            let same = all.len() == own.len()
                && all
                    .iter()
                    .all(|(n, _)| own.iter().any(|(m, _)| m.as_str() == n.as_str()));
            if !same {
                return self.fail(p, "alternative patterns bind different names");
            }
            self.u.buf.loc = Loc::of(p);
            for (n, to) in all {
                let from = own.iter().find(|(m, _)| m.as_str() == n.as_str());
                self.u.buf.mov(*to, from.expect("compared before").1);
            }
            self.u.buf.jump(Op::JUMP, 0, 0, matched);
            self.u.buf.bind(next);
        }
        self.u.buf.jump(Op::JUMP, 0, 0, fail);
        self.u.buf.bind(matched);
        for (n, r) in bound.unwrap_or_default() {
            self.capture(n, r, p, captures)?;
        }
        Ok(())
    }
}

fn is_wildcard(p: &Pattern) -> bool {
    match p {
        Pattern::MatchAs(a) => a.pattern.is_none() && a.name.is_none(),
        Pattern::MatchStar(s) => s.name.is_none(),
        _ => false,
    }
}

/// Equal as dictionary keys.
fn same_key(a: &Const, b: &Const) -> bool {
    let number = |c: &Const| match c {
        Const::Int(i) => Some(*i as f64),
        Const::True => Some(1.0),
        Const::False => Some(0.0),
        Const::Float(f) => Some(*f),
        Const::Complex(re, im) if *im == 0.0 => Some(*re),
        _ => None,
    };
    match (number(a), number(b)) {
        (Some(x), Some(y)) => x == y,
        _ => a == b,
    }
}
