//! The instruction buffer of one code unit.
//!
//! The problem: jumps to places not yet known, exception ranges with holes, and
//! which locals are surely bound where. The idea: a [`Label`] collects the jumps
//! to it and, with each jump, what is bound there; binding the label joins those
//! states. After a jump, a return or a raise the buffer is *dead*: it takes no
//! instructions until a label with a jump to it is bound, so unreachable code is
//! compiled (for its errors) but never stored.
//!
//! Invariants: a local is in the bound set only if every path to here assigned it
//! and no `del` of it exists in the unit; conditional jumps with a 16-bit offset
//! are widened in [`Buffer::finish`] when their target is too far away.

use crate::Loc;
use pyrite_bytecode::{CodeUnit, Const, ExceptionEntry, IcInit, Ins, Op, OperandKind, Pos};
use pyrite_front::Source;
use rustc_hash::FxHashMap;

/// A register's number.
pub(crate) type Reg = u16;

/// A place in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label(u32);

/// A protected range of instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Region(u32);

/// A set of local registers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RegSet(Vec<u64>);

impl RegSet {
    pub(crate) fn insert(&mut self, r: Reg) {
        let word = usize::from(r / 64);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (r % 64);
    }

    pub(crate) fn contains(&self, r: Reg) -> bool {
        self.0
            .get(usize::from(r / 64))
            .is_some_and(|w| w >> (r % 64) & 1 != 0)
    }

    fn intersect(&mut self, other: &RegSet) {
        self.0.truncate(other.0.len());
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            *a &= b;
        }
    }
}

#[derive(Default)]
struct LabelInfo {
    at: Option<u32>,
    bound_locals: Option<RegSet>,
}

struct RegionInfo {
    handler: Label,
    reg: Reg,
    lasti: bool,
    segments: Vec<(u32, u32)>,
    open: Option<u32>,
    bound_locals: RegSet,
}

#[derive(Default)]
pub(crate) struct Buffer {
    instrs: Vec<Ins>,
    locs: Vec<Loc>,
    labels: Vec<LabelInfo>,
    jumps: Vec<(u32, Label)>,
    regions: Vec<RegionInfo>,
    exceptions: Vec<(u32, u32, Label, Reg, bool)>,
    loops: Vec<Label>,
    consts: Vec<Const>,
    const_index: FxHashMap<Vec<u8>, u16>,
    caches: Vec<IcInit>,
    global_caches: FxHashMap<String, u16>,
    names: Vec<String>,
    name_index: FxHashMap<String, usize>,
    /// First free temporary.
    pub(crate) next: Reg,
    frame_size: u32,
    pub(crate) dead: bool,
    pub(crate) bound: RegSet,
    /// Source range that the next instructions get.
    pub(crate) loc: Loc,
    /// What there was more of than an operand can name.
    pub(crate) overflow: Option<&'static str>,
}

impl Buffer {
    pub(crate) fn new(first_temp: Reg) -> Buffer {
        Buffer {
            next: first_temp,
            frame_size: u32::from(first_temp),
            ..Buffer::default()
        }
    }

    // --- registers ---------------------------------------------------------

    /// Takes the next `n` temporaries.
    pub(crate) fn alloc(&mut self, n: u16) -> Reg {
        let r = self.next;
        match self.next.checked_add(n) {
            Some(next) if next < 65_000 => self.next = next,
            _ => self.overflow = Some("too many registers"),
        }
        self.reserve(0);
        r
    }

    /// Makes sure the frame has `n` registers behind the temporaries in use.
    pub(crate) fn reserve(&mut self, n: u32) {
        self.frame_size = self.frame_size.max(u32::from(self.next) + n);
    }

    // --- instructions ------------------------------------------------------

    pub(crate) fn here(&self) -> u32 {
        self.instrs.len() as u32
    }

    pub(crate) fn push(&mut self, ins: Ins) {
        if !self.dead {
            self.instrs.push(ins);
            self.locs.push(self.loc);
        }
    }

    pub(crate) fn op(&mut self, op: Op, a: u16, b: u16, c: u16) {
        self.push(Ins::abc(op, a, b, c));
    }

    pub(crate) fn op_d(&mut self, op: Op, d: u8, a: u16, b: u16, c: u16) {
        self.push(Ins::abc(op, a, b, c).with_d(d));
    }

    /// `a = b`, unless they are the same register.
    pub(crate) fn mov(&mut self, a: Reg, b: Reg) {
        if a != b {
            self.op(Op::MOVE, a, b, 0);
        }
    }

    /// What is emitted next belongs to the same place as what was emitted last.
    pub(crate) fn keep_loc(&mut self) {
        if let Some(&last) = self.locs.last() {
            self.loc = last;
        }
    }

    /// An instruction behind which nothing runs on.
    pub(crate) fn leave(&mut self, op: Op, a: u16, b: u16) {
        self.op(op, a, b, 0);
        self.dead = true;
    }

    /// Raises the exception in `exc` again as if by the instruction that raised it,
    /// whose number the unwinder left behind the exception.
    pub(crate) fn reraise_from(&mut self, exc: Reg) {
        self.op_d(Op::RERAISE, 1, exc, 0, 0);
        self.dead = true;
    }

    // --- labels ------------------------------------------------------------

    pub(crate) fn label(&mut self) -> Label {
        self.labels.push(LabelInfo::default());
        Label(self.labels.len() as u32 - 1)
    }

    fn refer(&mut self, l: Label) {
        let info = &mut self.labels[l.0 as usize];
        match &mut info.bound_locals {
            Some(set) => set.intersect(&self.bound),
            none => *none = Some(self.bound.clone()),
        }
    }

    /// A jump instruction; its offset is filled in later.
    pub(crate) fn jump(&mut self, op: Op, a: u16, b: u16, target: Label) {
        if self.dead {
            return;
        }
        self.jumps.push((self.here(), target));
        self.op(op, a, b, 0);
        self.refer(target);
        if op == Op::JUMP {
            self.dead = true;
        }
    }

    /// A jump that the instruction before it may skip.
    pub(crate) fn skippable_jump(&mut self, target: Label) {
        let was_dead = self.dead;
        self.jump(Op::JUMP, 0, 0, target);
        self.dead = was_dead;
    }

    /// The label stands for what is emitted next.
    pub(crate) fn bind(&mut self, l: Label) {
        let here = self.here();
        let info = &mut self.labels[l.0 as usize];
        debug_assert!(info.at.is_none(), "a label is bound once");
        info.at = Some(here);
        if let Some(set) = info.bound_locals.take() {
            if self.dead {
                self.bound = set;
            } else {
                self.bound.intersect(&set);
            }
            self.dead = false;
        }
    }

    // --- loops -------------------------------------------------------------

    /// Starts a loop whose header is the next instruction.
    pub(crate) fn open_loop(&mut self) -> u16 {
        let l = self.label();
        self.labels[l.0 as usize].at = Some(self.here());
        self.loops.push(l);
        if self.loops.len() > 65_535 {
            self.overflow = Some("too many loops");
        }
        (self.loops.len() - 1) as u16
    }

    /// Goes back to a loop's header.
    pub(crate) fn close_loop(&mut self, index: u16, dead_from: Reg) {
        self.leave(Op::LOOP, dead_from, index);
    }

    // --- exception regions ---------------------------------------------------

    /// Protects what follows; the exception arrives in `reg` and, with `lasti`, the
    /// number of the instruction that raised it in the register behind.
    pub(crate) fn open_region(&mut self, reg: Reg, lasti: bool) -> Region {
        let handler = self.label();
        self.regions.push(RegionInfo {
            handler,
            reg,
            lasti,
            segments: Vec::new(),
            open: Some(self.here()),
            bound_locals: self.bound.clone(),
        });
        Region(self.regions.len() as u32 - 1)
    }

    pub(crate) fn suspend_region(&mut self, r: Region) {
        let here = self.here();
        let info = &mut self.regions[r.0 as usize];
        if let Some(start) = info.open.take()
            && start < here
        {
            info.segments.push((start, here));
        }
    }

    pub(crate) fn resume_region(&mut self, r: Region) {
        let here = self.here();
        self.regions[r.0 as usize].open = Some(here);
    }

    /// Ends the protection. Inner regions must have been closed before.
    pub(crate) fn close_region(&mut self, r: Region) {
        self.suspend_region(r);
        let info = &self.regions[r.0 as usize];
        for &(start, end) in &info.segments {
            self.exceptions
                .push((start, end, info.handler, info.reg, info.lasti));
        }
    }

    /// The region's handler starts here.
    pub(crate) fn bind_handler(&mut self, r: Region) {
        debug_assert!(self.dead, "no path falls into a handler");
        let info = &self.regions[r.0 as usize];
        if !info.segments.is_empty() {
            self.bound = info.bound_locals.clone();
            self.dead = false;
        }
        let here = self.here();
        self.labels[info.handler.0 as usize].at = Some(here);
    }

    // --- tables ------------------------------------------------------------

    /// Index of a constant, shared with an equal one of the same type.
    pub(crate) fn constant(&mut self, c: Const) -> u16 {
        let mut key = Vec::new();
        let shared = const_key(&c, &mut key);
        if shared && let Some(&i) = self.const_index.get(&key) {
            return i;
        }
        if self.consts.len() >= 65_535 {
            self.overflow = Some("too many constants");
            return 0;
        }
        let i = self.consts.len() as u16;
        self.consts.push(c);
        if shared {
            self.const_index.insert(key, i);
        }
        i
    }

    pub(crate) fn str_constant(&mut self, s: &str) -> u16 {
        self.constant(crate::consts::string(s))
    }

    pub(crate) fn name(&mut self, name: &str) {
        if !self.name_index.contains_key(name) {
            self.name_index.insert(name.to_owned(), self.names.len());
            self.names.push(name.to_owned());
        }
    }

    /// A cache of its own for a use of `name`.
    pub(crate) fn cache(&mut self, name: &str) -> u16 {
        if self.dead {
            return 0;
        }
        self.name(name);
        if self.caches.len() >= 65_535 {
            self.overflow = Some("too many names");
            return 0;
        }
        self.caches.push(IcInit {
            name: name.to_owned(),
        });
        (self.caches.len() - 1) as u16
    }

    /// The cache that all reads of a global share.
    pub(crate) fn global_cache(&mut self, name: &str) -> u16 {
        if self.dead {
            return 0;
        }
        if let Some(&i) = self.global_caches.get(name) {
            return i;
        }
        let i = self.cache(name);
        self.global_caches.insert(name.to_owned(), i);
        i
    }

    // --- the end -------------------------------------------------------------

    /// True if what was emitted last goes on with what is emitted next.
    fn falls_through(&self) -> bool {
        self.instrs
            .last()
            .is_none_or(|i| !matches!(i.op(), Op::RETURN | Op::RAISE | Op::RERAISE | Op::LOOP))
    }

    /// Returns `None` from here, once for each way that leads here: the return
    /// belongs to the line that the way comes from, as in CPython.
    pub(crate) fn return_none(&mut self) {
        let here = self.here();
        let arriving: Vec<usize> = (0..self.jumps.len())
            .filter(|&i| self.labels[self.jumps[i].1.0 as usize].at == Some(here))
            .collect();
        let ends_in_jump = arriving.iter().any(|&i| self.jumps[i].0 + 1 == here)
            && self.instrs.last().is_some_and(|i| i.op() == Op::JUMP);
        let mut done: Vec<(Loc, Label)> = Vec::new();
        if arriving.is_empty() || self.falls_through() && !ends_in_jump {
            self.loc = self.place_before(here);
            let l = self.label();
            self.labels[l.0 as usize].at = Some(here);
            done.push((self.loc, l));
            self.return_constant_none();
        }
        for i in arriving {
            let at = self.jumps[i].0;
            let loc = match self.locs[at as usize] {
                Loc::NONE => self.place_before(at),
                loc => loc,
            };
            let known = done.iter().find(|d| d.0 == loc).map(|d| d.1);
            let label = known.unwrap_or_else(|| {
                let l = self.label();
                self.labels[l.0 as usize].at = Some(self.here());
                self.dead = false;
                self.loc = loc;
                self.return_constant_none();
                done.push((loc, l));
                l
            });
            self.jumps[i].1 = label;
        }
    }

    fn return_constant_none(&mut self) {
        let mark = self.next;
        let r = self.alloc(1);
        let none = self.constant(Const::None);
        self.op(Op::LOAD_CONST, r, none, 0);
        self.leave(Op::RETURN, r, 0);
        self.next = mark;
    }

    /// The place of the last instruction before `at` that has one, else the place
    /// in hand.
    fn place_before(&self, at: u32) -> Loc {
        let before = self.locs[..at as usize].iter().rev();
        before
            .copied()
            .find(|&l| l != Loc::NONE)
            .unwrap_or(self.loc)
    }

    /// Instructions without a place get that of the one way that leads to them.
    fn spread_places(&mut self) {
        let mut ways = vec![0u32; self.instrs.len() + 1];
        let mut from = vec![0u32; self.instrs.len() + 1];
        for &(at, l) in &self.jumps {
            let target = self.label_at(l) as usize;
            ways[target] += 1;
            from[target] = at;
        }
        for &l in &self.loops {
            ways[self.label_at(l) as usize] += 2;
        }
        for e in &self.exceptions {
            ways[self.label_at(e.2) as usize] += 2;
        }
        for i in 0..self.instrs.len() {
            if self.locs[i] != Loc::NONE {
                continue;
            }
            let falls = i > 0
                && !matches!(
                    self.instrs[i - 1].op(),
                    Op::RETURN | Op::RAISE | Op::RERAISE | Op::LOOP | Op::JUMP
                );
            match (falls, ways[i]) {
                (true, 0) => self.locs[i] = self.locs[i - 1],
                (false, 1) if (from[i] as usize) < i => self.locs[i] = self.locs[from[i] as usize],
                _ => {}
            }
        }
    }

    fn label_at(&self, l: Label) -> u32 {
        self.labels[l.0 as usize]
            .at
            .expect("every label that is jumped to gets bound")
    }

    /// Replaces 16-bit jumps that do not reach by an inverted jump over a long one.
    fn widen_far_jumps(&mut self) {
        loop {
            let far: Vec<u32> = self
                .jumps
                .iter()
                .filter(|&&(at, l)| {
                    let off = i64::from(self.label_at(l)) - i64::from(at) - 1;
                    short_jump(self.instrs[at as usize].op()) && i16::try_from(off).is_err()
                })
                .map(|&(at, _)| at)
                .collect();
            if far.is_empty() {
                return;
            }
            // An index moves up by the number of widened jumps before it.
            let moved = |i: u32| i + far.partition_point(|&f| f < i) as u32;
            for l in &mut self.labels {
                l.at = l.at.map(moved);
            }
            for e in &mut self.exceptions {
                (e.0, e.1) = (moved(e.0), moved(e.1));
            }
            let mut instrs = Vec::with_capacity(self.instrs.len() + far.len());
            let mut locs = Vec::with_capacity(instrs.capacity());
            for (i, (&ins, &loc)) in self.instrs.iter().zip(&self.locs).enumerate() {
                if far.binary_search(&(i as u32)).is_ok() {
                    let inverted = invert(ins.op());
                    instrs.push(Ins::abc(inverted, ins.a() as u16, ins.b() as u16, 1));
                    instrs.push(Ins::a_off(Op::JUMP, 0, 0));
                    locs.push(loc);
                } else {
                    instrs.push(ins);
                }
                locs.push(loc);
            }
            for j in &mut self.jumps {
                let was_far = far.binary_search(&j.0).is_ok();
                j.0 = moved(j.0) + u32::from(was_far);
            }
            self.instrs = instrs;
            self.locs = locs;
        }
    }

    /// Fills the code tables of `unit`.
    pub(crate) fn finish(mut self, source: &Source<'_>, unit: &mut CodeUnit) {
        self.spread_places();
        self.widen_far_jumps();
        for &(at, l) in &self.jumps {
            let off = self.label_at(l) as i32 - at as i32 - 1;
            let ins = &mut self.instrs[at as usize];
            *ins = if short_jump(ins.op()) {
                ins.with_c(off as i16 as u16)
            } else {
                ins.with_off(off)
            };
        }
        let last_instr = self.here().saturating_sub(1);
        unit.loops = self
            .loops
            .iter()
            .map(|&l| self.label_at(l).min(last_instr))
            .collect();
        unit.exceptions = self
            .exceptions
            .iter()
            .map(|&(start, end, l, reg, lasti)| ExceptionEntry {
                start,
                end,
                target: self.label_at(l),
                reg,
                lasti,
            })
            .collect();
        let mut last = (Loc::NONE, Pos::default());
        unit.positions = self
            .locs
            .iter()
            .map(|&loc| {
                if loc != last.0 {
                    last = (loc, loc.pos(source));
                }
                last.1
            })
            .collect();
        unit.instrs = self.instrs;
        unit.consts = self.consts;
        unit.caches = self.caches;
        unit.names = self.names;
        unit.frame_size = self.frame_size;
    }
}

fn short_jump(op: Op) -> bool {
    matches!(op.operands().last(), Some((_, OperandKind::Offset16)))
}

fn invert(op: Op) -> Op {
    match op {
        Op::JLT => Op::JNLT,
        Op::JLE => Op::JNLE,
        Op::JEQ => Op::JNEQ,
        Op::JNE => Op::JNNE,
        Op::JGT => Op::JNGT,
        Op::JGE => Op::JNGE,
        Op::JNLT => Op::JLT,
        Op::JNLE => Op::JLE,
        Op::JNEQ => Op::JEQ,
        Op::JNNE => Op::JNE,
        Op::JNGT => Op::JGT,
        Op::JNGE => Op::JGE,
        Op::JIS => Op::JISNOT,
        Op::JISNOT => Op::JIS,
        other => unreachable!("{} has no short offset", other.name()),
    }
}

/// Writes bytes that are equal for constants that may be shared; false for code.
fn const_key(c: &Const, out: &mut Vec<u8>) -> bool {
    match c {
        Const::None => out.push(0),
        Const::True => out.push(1),
        Const::False => out.push(2),
        Const::Ellipsis => out.push(3),
        Const::Int(i) => {
            out.push(4);
            out.extend(i.to_le_bytes());
        }
        Const::BigInt(s) => {
            out.push(5);
            out.extend(s.as_bytes());
            out.push(0);
        }
        Const::Float(f) => {
            out.push(6);
            out.extend(f.to_bits().to_le_bytes());
        }
        Const::Complex(re, im) => {
            out.push(7);
            out.extend(re.to_bits().to_le_bytes());
            out.extend(im.to_bits().to_le_bytes());
        }
        Const::Str(s) => {
            out.push(8);
            out.extend((s.len() as u32).to_le_bytes());
            for c in s {
                out.extend(c.to_le_bytes());
            }
        }
        Const::Bytes(b) => {
            out.push(9);
            out.extend((b.len() as u32).to_le_bytes());
            out.extend(b);
        }
        Const::Tuple(t) | Const::FrozenSet(t) => {
            out.push(if matches!(c, Const::Tuple(_)) { 10 } else { 11 });
            out.extend((t.len() as u32).to_le_bytes());
            return t.iter().all(|c| const_key(c, out));
        }
        Const::Code(_) => return false,
    }
    true
}
