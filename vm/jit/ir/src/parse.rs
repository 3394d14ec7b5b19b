//! Text form, read. The inverse of printing, up to object addresses: `$k` becomes
//! [`object_address`]`(k)`.
//!
//! Value and snapshot names are free; a `;` starts a comment. The parser checks syntax and names,
//! not the rules of [`crate::verify()`].

use std::collections::HashMap;

use crate::effects::{AliasClass, CallTarget, ClassSet, Effects};
use crate::ops::{Imm, OpCode};
use crate::snapshot::{Field, Resume, Snapshot, VirtualObject, Width};
use crate::trace::{Op, Trace, TraceKind};
use crate::types::{CallId, Const, OpRef, SnapshotId, TraceId, Ty};
use crate::word;

/// The made-up address that stands for object `$k` of a parsed trace.
#[must_use]
pub fn object_address(k: u64) -> u64 {
    0x10_0000 + k * 0x1000
}

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct ParseError {
    /// Line of the text, from 1.
    pub line: usize,
    pub what: String,
}

/// Reads all traces of a text.
///
/// # Errors
/// The first place where the text is not a trace.
pub fn parse(text: &str) -> Result<Vec<Trace>, ParseError> {
    let mut parser = Parser {
        tokens: lex(text)?,
        at: 0,
    };
    let mut traces = Vec::new();
    while parser.peek().is_some() {
        traces.push(parser.trace()?);
    }
    Ok(traces)
}

/// Reads a text of exactly one trace.
///
/// # Errors
/// As [`parse`], or the number of traces is not one.
pub fn parse_one(text: &str) -> Result<Trace, ParseError> {
    let mut traces = parse(text)?;
    match (traces.pop(), traces.len()) {
        (Some(trace), 0) => Ok(trace),
        (_, n) => Err(ParseError {
            line: 1,
            what: format!("one trace expected, {} found", n),
        }),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A name, number or constant.
    Word(String),
    /// A quoted string.
    Text(String),
    Punct(char),
    Arrow,
}

fn lex(text: &str) -> Result<Vec<(usize, Token)>, ParseError> {
    let mut tokens = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let mut rest = line.split(';').next().unwrap_or_default();
        while let Some(c) = rest.chars().next() {
            let is_word = |c: char| c.is_alphanumeric() || "_.+-$&".contains(c);
            let (token, len) = if c.is_whitespace() {
                rest = &rest[c.len_utf8()..];
                continue;
            } else if rest.starts_with("->") {
                (Token::Arrow, 2)
            } else if c == '"' {
                let end = rest[1..].find('"').ok_or_else(|| ParseError {
                    line: i + 1,
                    what: "open string".into(),
                })?;
                (Token::Text(rest[1..=end].to_owned()), end + 2)
            } else if is_word(c) {
                let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                (Token::Word(rest[..end].to_owned()), end)
            } else {
                (Token::Punct(c), c.len_utf8())
            };
            tokens.push((i + 1, token));
            rest = &rest[len..];
        }
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
}

/// Names in scope while one trace is read.
struct Scope {
    trace: Trace,
    values: HashMap<String, OpRef>,
    snapshots: HashMap<String, SnapshotId>,
    functions: HashMap<String, CallId>,
}

type Result<T, E = ParseError> = std::result::Result<T, E>;

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn fail<T>(&self, what: impl Into<String>) -> Result<T> {
        let at = self.at.min(self.tokens.len().saturating_sub(1));
        Err(ParseError {
            line: self.tokens.get(at).map_or(1, |t| t.0),
            what: what.into(),
        })
    }

    fn next(&mut self) -> Result<Token> {
        match self.tokens.get(self.at) {
            Some((_, token)) => {
                self.at += 1;
                Ok(token.clone())
            }
            None => self.fail("the text ends too early"),
        }
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(&Token::Punct(c));
        self.at += usize::from(found);
        found
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(w)) if w == word);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, c: char) -> Result<()> {
        if self.eat(c) {
            Ok(())
        } else {
            self.fail(format!("`{c}` expected"))
        }
    }

    fn keyword(&mut self, word: &str) -> Result<()> {
        if self.eat_word(word) {
            Ok(())
        } else {
            self.fail(format!("`{word}` expected"))
        }
    }

    fn word(&mut self) -> Result<String> {
        match self.next()? {
            Token::Word(word) => Ok(word),
            other => {
                self.at -= 1;
                self.fail(format!("a name or number expected, not {other:?}"))
            }
        }
    }

    fn number<T: TryFrom<i128>>(&mut self) -> Result<T> {
        let word = self.word()?;
        let value = match word.strip_prefix("0x") {
            Some(hex) => i128::from_str_radix(hex, 16),
            None => word.parse(),
        };
        match value.ok().and_then(|v| T::try_from(v).ok()) {
            Some(value) => Ok(value),
            None => {
                self.at -= 1;
                self.fail(format!("`{word}` is not a number of the right size"))
            }
        }
    }

    /// Reads `open item, item close`.
    fn list<T>(
        &mut self,
        open: char,
        close: char,
        mut item: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.expect(open)?;
        let mut items = Vec::new();
        while !self.eat(close) {
            if !items.is_empty() {
                self.expect(',')?;
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn ty(&mut self) -> Result<Ty> {
        match self.word()?.as_str() {
            "int" => Ok(Ty::Int),
            "flt" => Ok(Ty::Flt),
            "val" => Ok(Ty::Val),
            "unit" => Ok(Ty::Unit),
            other => {
                self.at -= 1;
                self.fail(format!("`{other}` is not a type"))
            }
        }
    }

    fn trace(&mut self) -> Result<Trace> {
        self.keyword("trace")?;
        let (id, kind) = if self.eat_word("bridge") {
            let id = self.number()?;
            self.keyword("of")?;
            let parent = TraceId(self.number()?);
            self.keyword("exit")?;
            (
                id,
                TraceKind::Bridge {
                    parent,
                    exit: SnapshotId(self.number()?),
                },
            )
        } else {
            self.keyword("root")?;
            (self.number()?, TraceKind::Root)
        };
        let mut scope = Scope {
            trace: Trace::new(TraceId(id), kind),
            values: HashMap::new(),
            snapshots: HashMap::new(),
            functions: HashMap::new(),
        };
        self.expect('{')?;
        while !self.eat('}') {
            self.line(&mut scope)?;
        }
        Ok(scope.trace)
    }

    fn line(&mut self, scope: &mut Scope) -> Result<()> {
        let expect = !self.eat('!');
        let mut mnemonic = self.word()?;
        let name = self.eat('=').then(|| mnemonic.clone());
        if name.is_some() {
            if let Some(Token::Text(text)) = self.peek().cloned() {
                self.at += 1;
                return self.function(scope, mnemonic, text);
            }
            mnemonic = self.word()?;
        }
        let Some(code) = OpCode::from_name(&mnemonic) else {
            self.at -= 1;
            return self.fail(format!("`{mnemonic}` is not an op"));
        };
        let mut op = Op {
            expect,
            ..Op::new(code)
        };
        self.operands(scope, &mut op)?;
        if self.eat('@') {
            op.snap = Some(self.snapshot(scope)?);
        }
        let r = scope.trace.push(op);
        match name {
            Some(name) if op.ty == Ty::Unit => {
                self.fail(format!("`{name}` names an op without result"))
            }
            Some(name) => {
                if scope.values.insert(name.clone(), r).is_some() {
                    return self.fail(format!("`{name}` is defined twice"));
                }
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn operands(&mut self, scope: &mut Scope, op: &mut Op) -> Result<()> {
        let info = op.code.info();
        let count = if op.code == OpCode::Phi {
            1
        } else {
            info.operands.len()
        };
        let mut operands = Vec::new();
        for i in 0..count {
            if i > 0 {
                self.expect(',')?;
            }
            operands.push(self.value(scope)?);
        }
        *op = op.with(&operands);
        if op.code == OpCode::Phi {
            op.ty = scope.trace.ty(op.a);
        }
        for (i, imm) in info.imms.iter().enumerate() {
            if count + i > 0 {
                self.expect(',')?;
            }
            self.imm(scope, op, *imm)?;
        }
        Ok(())
    }

    fn imm(&mut self, scope: &mut Scope, op: &mut Op, imm: Imm) -> Result<()> {
        match imm {
            Imm::Slot | Imm::Offset | Imm::Root => op.imm = self.number()?,
            Imm::Shape => op.imm = self.number::<u32>()? as i32,
            Imm::Param => {
                op.imm = self.number()?;
                op.ty = self.ty()?;
            }
            Imm::Class => op.class = self.class()?,
            Imm::Object => {
                op.imm = self.number()?;
                self.expect(',')?;
                let header = self.number::<u64>()?;
                op.a = scope.trace.int(header as i64);
            }
            Imm::Call => {
                let name = self.word()?;
                let Some(&id) = scope.functions.get(&name) else {
                    self.at -= 1;
                    return self.fail(format!("function `{name}` is not declared"));
                };
                op.imm = id.0 as i32;
                op.ty = scope.trace.calls[id.index()].ret;
                self.refs(scope, op)?;
            }
            Imm::Phis => self.refs(scope, op)?,
        }
        Ok(())
    }

    fn refs(&mut self, scope: &mut Scope, op: &mut Op) -> Result<()> {
        let refs = self.list('[', ']', |p| p.value(scope))?;
        op.list = scope.trace.add_list(&refs);
        Ok(())
    }

    fn class(&mut self) -> Result<AliasClass> {
        let word = self.word()?;
        match word.strip_prefix('c').and_then(|n| n.parse::<u8>().ok()) {
            Some(n) if usize::from(n) < AliasClass::COUNT => Ok(AliasClass(n)),
            _ => {
                self.at -= 1;
                self.fail(format!("`{word}` is not an alias class"))
            }
        }
    }

    fn function(&mut self, scope: &mut Scope, name: String, text: String) -> Result<()> {
        let params = self.list('(', ')', Self::ty)?;
        if self.next()? != Token::Arrow {
            return self.fail("`->` expected");
        }
        let ret = self.ty()?;
        let mut effects = Effects::default();
        self.expect('{')?;
        while !self.eat('}') {
            match self.word()?.as_str() {
                "reads" => effects.reads = self.classes()?,
                "writes" => effects.writes = self.classes()?,
                "raise" => effects.may_raise = true,
                "collect" => effects.may_collect = true,
                "call" => effects.may_call = true,
                other => {
                    self.at -= 1;
                    return self.fail(format!("`{other}` is not an effect"));
                }
            }
        }
        // Addresses are not part of the text; distinct ones keep equal rows apart.
        let addr = scope.trace.calls.len() + 1;
        let id = scope.trace.call_target(CallTarget {
            name: text.into(),
            addr,
            effects,
            params,
            ret,
        });
        scope.functions.insert(name, id);
        Ok(())
    }

    fn classes(&mut self) -> Result<ClassSet> {
        if self.eat_word("all") {
            return Ok(ClassSet::ALL);
        }
        let mut classes = Vec::new();
        while matches!(self.peek(), Some(Token::Word(w)) if w.starts_with('c') && w[1..].parse::<u8>().is_ok())
        {
            classes.push(self.class()?);
        }
        Ok(ClassSet::of(&classes))
    }

    fn value(&mut self, scope: &mut Scope) -> Result<OpRef> {
        let word = self.word()?;
        if let Some(&r) = scope.values.get(&word) {
            return Ok(r);
        }
        match constant(&word) {
            Some(value) => Ok(scope.trace.konst(value)),
            None => {
                self.at -= 1;
                self.fail(format!("`{word}` is neither defined nor a constant"))
            }
        }
    }

    /// A value inside a snapshot, where `o0`, `o1`, ... are virtual objects.
    fn snapshot_value(&mut self, scope: &mut Scope) -> Result<OpRef> {
        if let Some(Token::Word(word)) = self.peek()
            && let Some(Ok(index)) = word.strip_prefix('o').map(str::parse)
        {
            self.at += 1;
            return Ok(OpRef::virtual_object(index));
        }
        self.value(scope)
    }

    fn snapshot(&mut self, scope: &mut Scope) -> Result<SnapshotId> {
        let name = self.word()?;
        if !self.eat('{') {
            return match scope.snapshots.get(&name) {
                Some(&id) => Ok(id),
                None => self.fail(format!("snapshot `{name}` is not described")),
            };
        }
        self.keyword("pc")?;
        let pc = self.number()?;
        self.keyword("base")?;
        let base = self.number()?;
        let entries = self.list('[', ']', |p| {
            let slot = p.number()?;
            p.expect(':')?;
            Ok((slot, p.snapshot_value(scope)?))
        })?;
        let mut mode = Resume::Reexec;
        if self.eat_word("finish") {
            mode = Resume::Finish {
                stage: self.number()?,
                val: self.snapshot_value(scope)?,
            };
        }
        let mut virtuals = Vec::new();
        while !self.eat('}') {
            let object = self.word()?;
            if object != format!("o{}", virtuals.len()) {
                self.at -= 1;
                return self.fail("virtual objects are listed as o0, o1, ...");
            }
            self.expect('=')?;
            self.keyword("new")?;
            let words = self.number()?;
            self.expect(',')?;
            let header = self.number()?;
            let fields = self.list('[', ']', |p| p.field(scope))?;
            virtuals.push(VirtualObject {
                words,
                header,
                fields,
            });
        }
        let id = scope.trace.add_snapshot(Snapshot {
            pc,
            base,
            mode,
            entries,
            virtuals,
        });
        if scope.snapshots.insert(name.clone(), id).is_some() {
            return self.fail(format!("snapshot `{name}` is described twice"));
        }
        Ok(id)
    }

    fn field(&mut self, scope: &mut Scope) -> Result<Field> {
        let offset = self.number()?;
        self.expect(':')?;
        let val = self.snapshot_value(scope)?;
        let widths = [
            ("i64", Width::I64),
            ("u32", Width::U32),
            ("u16", Width::U16),
            ("u8", Width::U8),
        ];
        let named = widths.into_iter().find(|(word, _)| self.eat_word(word));
        let (width, class) = (named.map_or(Width::Val, |(_, width)| width), self.class()?);
        Ok(Field {
            offset,
            width,
            class,
            val,
        })
    }
}

/// The constant a word of the text denotes.
fn constant(word: &str) -> Option<Const> {
    if word == "null" {
        return Some(Const::Val(0));
    }
    if let Some(k) = word.strip_prefix('$') {
        return Some(Const::Val(object_address(k.parse().ok()?)));
    }
    if let Some(rest) = word.strip_prefix('&') {
        return match constant(rest)? {
            Const::Int(i) => word::box_int(i).map(Const::Val),
            Const::Flt(bits) => Some(Const::Val(word::box_flt(f64::from_bits(bits)))),
            Const::Val(_) => None,
        };
    }
    if word == "nan" {
        return Some(Const::Flt(word::CANONICAL_NAN));
    }
    if let Ok(i) = word.parse() {
        return Some(Const::Int(i));
    }
    let starts_like_a_number = word
        .trim_start_matches('-')
        .starts_with(|c: char| c.is_ascii_digit());
    if starts_like_a_number || word.trim_start_matches('-') == "inf" {
        return word.parse::<f64>().ok().map(|v| Const::Flt(v.to_bits()));
    }
    None
}
