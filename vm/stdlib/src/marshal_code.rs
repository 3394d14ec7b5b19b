//! Code objects as bytes, for `marshal` and compiled files.
//!
//! A record is the code's plain data in numbers of variable length (seven bits a
//! byte, low first), then its constants as marshal writes them. It can be read by
//! the build that wrote it and by none other: instructions have no fixed
//! encoding. Files therefore begin with [`magic`], which stands for the sources
//! of the compiler and of the instruction table.

use pyrite_bytecode::{CodeFlags, CodeUnit, Const, ExceptionEntry, IcInit, Ins, Pos};
use pyrite_machine::Value;
use pyrite_objects::vm::Vm;

/// First four bytes of a compiled file.
pub fn magic() -> [u8; 4] {
    let h: u64 = env!("PYRITE_CODE_FINGERPRINT").parse().unwrap_or(0);
    let h = (h ^ h >> 16 ^ h >> 32 ^ h >> 48) as u16;
    let [a, b] = h.to_le_bytes();
    [a, b, b'\r', b'\n']
}

/// Writes numbers of variable length and strings.
struct Out<'a>(&'a mut Vec<u8>);

impl Out<'_> {
    fn number(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.0.push(n as u8 | 0x80);
            n >>= 7;
        }
        self.0.push(n as u8);
    }

    fn signed(&mut self, n: i64) {
        self.number((n << 1 ^ n >> 63) as u64);
    }

    fn text(&mut self, s: &str) {
        self.number(s.len() as u64);
        self.0.extend_from_slice(s.as_bytes());
    }

    fn texts<'b>(&mut self, n: usize, all: impl Iterator<Item = &'b str>) {
        self.number(n as u64);
        for s in all {
            self.text(s);
        }
    }
}

/// Appends the plain data of a code object; its constants follow by the caller.
pub fn write(vm: &Vm, code: Value, out: &mut Vec<u8>) {
    let data = vm.code_data(code);
    let filename = vm.str_to_string(data.filename);
    let u = &data.unit;
    let mut o = Out(out);
    o.text(&u.name);
    o.text(&u.qualname);
    o.text(&filename);
    for n in [
        u.first_line,
        u.arg_count,
        u.posonly_count,
        u.kwonly_count,
        u.flags.0,
        u.frame_size,
        u.attr_hint,
        u32::from(u.has_docstring),
    ] {
        o.number(n.into());
    }
    o.texts(u.varnames.len(), u.varnames.iter().map(String::as_str));
    for cells in [&u.cellvars, &u.freevars] {
        o.texts(cells.len(), cells.iter().map(|c| c.0.as_str()));
        for c in cells {
            o.number(c.1.into());
        }
    }
    o.texts(u.names.len(), u.names.iter().map(String::as_str));
    o.texts(u.caches.len(), u.caches.iter().map(|c| c.name.as_str()));
    o.number(u.loops.len() as u64);
    for &l in &u.loops {
        o.number(l.into());
    }
    o.number(u.exceptions.len() as u64);
    for e in &u.exceptions {
        for n in [
            e.start,
            e.end,
            e.target,
            u32::from(e.reg) << 1 | u32::from(e.lasti),
        ] {
            o.number(n.into());
        }
    }
    o.number(u.instrs.len() as u64);
    for i in &u.instrs {
        o.0.extend_from_slice(&i.0.to_le_bytes());
    }
    let mut last = 0i64;
    o.number(u.positions.len() as u64);
    for p in &u.positions {
        o.signed(i64::from(p.line) - last);
        o.signed(i64::from(p.end_line) - i64::from(p.line));
        o.number(p.col.into());
        o.number(p.end_col.into());
        last = p.line.into();
    }
    o.number(u.consts.len() as u64);
}

/// Reads what [`write`] wrote.
pub struct In<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> In<'a> {
    /// A reader of `bytes` from `at` on.
    pub fn new(bytes: &'a [u8], at: usize) -> In<'a> {
        In { bytes, at }
    }

    /// Where the reader stands.
    pub fn position(&self) -> usize {
        self.at
    }

    fn number(&mut self) -> Option<u64> {
        let (mut n, mut shift) = (0u64, 0);
        loop {
            let b = *self.bytes.get(self.at)?;
            self.at += 1;
            n |= u64::from(b & 0x7F).checked_shl(shift)?;
            if b < 0x80 {
                return Some(n);
            }
            shift += 7;
        }
    }

    fn word(&mut self) -> Option<u32> {
        self.number()?.try_into().ok()
    }

    fn signed(&mut self) -> Option<i64> {
        let n = self.number()?;
        Some((n >> 1) as i64 ^ -((n & 1) as i64))
    }

    /// A count of things of at least one byte each.
    fn count(&mut self) -> Option<usize> {
        let n = self.number()? as usize;
        (n <= self.bytes.len() - self.at).then_some(n)
    }

    fn text(&mut self) -> Option<String> {
        let n = self.count()?;
        let s = std::str::from_utf8(&self.bytes[self.at..self.at + n]).ok()?;
        self.at += n;
        Some(s.to_owned())
    }

    fn texts(&mut self) -> Option<Vec<String>> {
        let n = self.count()?;
        (0..n).map(|_| self.text()).collect()
    }

    fn cells(&mut self) -> Option<Vec<(String, u16)>> {
        self.texts()?
            .into_iter()
            .map(|s| Some((s, self.word()?.try_into().ok()?)))
            .collect()
    }

    /// One code unit, whose constants are still to be read: `None` for bytes that
    /// no writer made.
    pub fn unit(&mut self) -> Option<CodeUnit> {
        let (name, qualname, filename) = (self.text()?, self.text()?, self.text()?);
        let mut u = CodeUnit {
            name,
            qualname,
            filename,
            first_line: self.word()?,
            arg_count: self.word()?,
            posonly_count: self.word()?,
            kwonly_count: self.word()?,
            flags: CodeFlags(self.word()?),
            frame_size: self.word()?,
            attr_hint: self.word()?,
            has_docstring: self.word()? != 0,
            varnames: self.texts()?,
            ..CodeUnit::default()
        };
        u.cellvars = self.cells()?;
        u.freevars = self.cells()?;
        u.names = self.texts()?;
        u.caches = self
            .texts()?
            .into_iter()
            .map(|name| IcInit { name })
            .collect();
        let n = self.count()?;
        u.loops = (0..n).map(|_| self.word()).collect::<Option<_>>()?;
        for _ in 0..self.count()? {
            let (start, end, target, reg) =
                (self.word()?, self.word()?, self.word()?, self.word()?);
            u.exceptions.push(ExceptionEntry {
                start,
                end,
                target,
                reg: (reg >> 1).try_into().ok()?,
                lasti: reg & 1 != 0,
            });
        }
        let n = self.count()?;
        let raw = self.bytes.get(self.at..self.at + n * 8)?;
        self.at += n * 8;
        u.instrs = raw
            .as_chunks::<8>()
            .0
            .iter()
            .map(|c| Ins(u64::from_le_bytes(*c)))
            .collect();
        let mut last = 0i64;
        for _ in 0..self.count()? {
            let line = last + self.signed()?;
            let end_line = line + self.signed()?;
            u.positions.push(Pos {
                line: line.try_into().ok()?,
                end_line: end_line.try_into().ok()?,
                col: self.word()?.try_into().ok()?,
                end_col: self.word()?.try_into().ok()?,
            });
            last = line;
        }
        let n = self.count()?;
        u.consts = vec![Const::None; n];
        Some(u)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_as_they_were_written() {
        let mut bytes = Vec::new();
        let mut o = Out(&mut bytes);
        for n in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            o.number(n);
        }
        for n in [0, -1, 1, -64, 64, i64::MIN, i64::MAX] {
            o.signed(n);
        }
        let mut i = In::new(&bytes, 0);
        for n in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            assert_eq!(i.number(), Some(n));
        }
        for n in [0, -1, 1, -64, 64, i64::MIN, i64::MAX] {
            assert_eq!(i.signed(), Some(n));
        }
        assert_eq!(i.number(), None);
    }

    #[test]
    fn cut_records_are_refused() {
        for bytes in [
            &b""[..],
            b"\x05ab",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        ] {
            assert!(In::new(bytes, 0).unit().is_none());
        }
    }
}
