//! Life spans.
//!
//! Instruction `i` owns two positions: `2i + 2`, where its operands are read, and `2i + 3`, where
//! its result is written and registers are destroyed. Values of the entry begin at position 0.
//! So an operand that dies here may hand its register to the result, and a late use forbids it.

use crate::problem::{Inst, Loop, Phi, Problem, RegSet, Use, Value};

/// The positions at which a value must be kept, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Position of the definition.
    pub start: u32,
    /// Position of the last use; equal to `start` when there is none.
    pub end: u32,
    /// Mentions on the hot path, those inside the loop counted eight times.
    pub weight: u32,
}

impl Interval {
    /// Does anything read the value?
    #[must_use]
    #[inline]
    pub fn is_used(&self) -> bool {
        self.end > self.start
    }
}

/// What is alive while one instruction runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LiveSet {
    /// Registers with a live value.
    pub regs: RegSet,
    /// Spill slots with a live value, a bit each.
    spills: Vec<u64>,
}

impl LiveSet {
    /// True when spill slot `slot` holds a live value.
    #[must_use]
    pub fn has_spill(&self, slot: u32) -> bool {
        self.spills
            .get(slot as usize / 64)
            .is_some_and(|bits| bits >> (slot % 64) & 1 != 0)
    }

    pub(crate) fn add_spill(&mut self, slot: u32) {
        let word = slot as usize / 64;
        if word >= self.spills.len() {
            self.spills.resize(word + 1, 0);
        }
        self.spills[word] |= 1 << (slot % 64);
    }
}

pub(crate) const fn early(inst: u32) -> u32 {
    2 * inst + 2
}

pub(crate) const fn late(inst: u32) -> u32 {
    2 * inst + 3
}

const LOOP_WEIGHT: u32 = 8;

/// Who is told, instruction by instruction, what a trace does to its values. The loop is known
/// before.
pub trait Describe {
    /// A value that exists before the first instruction.
    fn entry(&mut self, value: Value);

    /// The instruction mentions a value. [`Lives`] does not mind numbers beyond the last value, so
    /// that operands need not be sorted out before.
    fn mention(&mut self, u: Use);

    /// The instruction is over: what it defines, and registers whose contents it destroys after its
    /// early uses and before its late ones.
    fn end(&mut self, def: Option<Value>, clobbers: RegSet);
}

/// All that the scan wants to know of a trace, gathered in one walk.
#[derive(Debug, Default)]
pub struct Lives {
    /// One for each value, and one more for mentions of what is no value.
    pub(crate) intervals: Vec<Interval>,
    /// Values in the order of their definitions.
    pub(crate) order: Vec<u32>,
    /// Does that order go up by position?
    pub(crate) sorted: bool,
    /// Positions at which registers are destroyed, grouped by the set destroyed (few distinct ones).
    pub(crate) clobbers: Vec<(RegSet, Vec<u32>)>,
    /// For each value, the phi it becomes at the back edge: sharing its place saves a move. Empty
    /// when there is none.
    pub(crate) wanted: Vec<Option<Value>>,
    phis: Vec<Phi>,
    /// Index of the instruction that is described.
    inst: u32,
    head: u32,
    back: u32,
    /// Values that start before must survive the back edge: nothing outside the loop.
    outlive: u32,
    /// What a mention weighs here.
    weight: u32,
}

impl Lives {
    /// Nothing is known yet of so many values and their loop; the memory is that of the trace before.
    pub fn restart(&mut self, values: usize, looped: Option<Loop>) {
        let blank = Interval {
            start: u32::MAX,
            end: 0,
            weight: 0,
        };
        let looped = looped.unwrap_or(Loop {
            head: u32::MAX,
            back: u32::MAX,
            phis: Vec::new(),
        });
        self.wanted.clear();
        for phi in &looped.phis {
            if let Some(value) = phi.back {
                self.wanted.resize(values, None);
                self.wanted[value.index()] = Some(phi.value);
            }
        }
        self.intervals.clear();
        self.intervals.resize(values + 1, blank);
        self.order.clear();
        self.sorted = true;
        // Few sets are ever destroyed, and they are the same in most traces.
        for (_, positions) in &mut self.clobbers {
            positions.clear();
        }
        self.phis = looped.phis;
        (self.inst, self.head, self.back) = (0, looped.head, looped.back);
        (self.outlive, self.weight) = (0, 1);
    }

    /// What a problem describes.
    #[must_use]
    pub fn of(problem: &Problem) -> Lives {
        let mut lives = Lives::default();
        lives.restart(problem.classes.len(), problem.looped.clone());
        problem.entry.iter().for_each(|&value| lives.entry(value));
        for inst in &problem.insts {
            problem.uses_of(inst).iter().for_each(|&u| lives.mention(u));
            lives.end(inst.def, inst.clobbers);
        }
        lives
    }

    #[inline]
    fn define(&mut self, value: Value, at: u32, weight: u32) {
        let before = self.order.last().map(|&v| self.intervals[v as usize].start);
        self.sorted &= before <= Some(at);
        self.order.push(value.0);
        let i = &mut self.intervals[value.index()];
        debug_assert_eq!(i.start, u32::MAX, "a value is defined once");
        *i = Interval {
            start: at,
            end: at,
            weight,
        };
    }

    #[cold]
    fn clobber(&mut self, regs: RegSet) {
        let at = late(self.inst);
        match self.clobbers.iter_mut().find(|(set, _)| *set == regs) {
            Some((_, positions)) => positions.push(at),
            None => self.clobbers.push((regs, vec![at])),
        }
    }

    /// The moves at the loop's edges, as the end of its first and its last instruction.
    #[cold]
    fn edge(&mut self) {
        let phis = std::mem::take(&mut self.phis);
        let is_head = self.inst == self.head;
        for phi in &phis {
            if let Some(value) = if is_head { phi.entry } else { phi.back } {
                self.mention(Use {
                    value,
                    late: false,
                    exit: false,
                });
            }
        }
        if is_head {
            for phi in &phis {
                self.define(phi.value, late(self.head), 1 + LOOP_WEIGHT);
            }
            (self.outlive, self.weight) = (late(self.head), LOOP_WEIGHT);
        }
        self.phis = phis;
    }
}

impl Describe for Lives {
    #[inline]
    fn entry(&mut self, value: Value) {
        self.define(value, 0, 1);
    }

    #[inline]
    fn mention(&mut self, u: Use) {
        let at = if u.late {
            late(self.inst)
        } else {
            early(self.inst)
        };
        let nobody = self.intervals.len() - 1;
        let i = &mut self.intervals[u.value.index().min(nobody)];
        debug_assert!(
            i.start != u32::MAX || u.value.index() >= nobody,
            "a value is defined before it is used"
        );
        // What the next turn reads again must survive the back edge.
        let until = if i.start < self.outlive {
            late(self.back)
        } else {
            at
        };
        i.end = i.end.max(until);
        i.weight += if u.exit { 0 } else { self.weight };
    }

    #[inline]
    fn end(&mut self, def: Option<Value>, clobbers: RegSet) {
        if !clobbers.is_empty() {
            self.clobber(clobbers);
        }
        if let Some(value) = def {
            self.define(value, late(self.inst), self.weight);
        }
        if self.inst == self.head || self.inst == self.back {
            self.edge();
        }
        self.inst += 1;
    }
}

impl Describe for Problem {
    fn entry(&mut self, value: Value) {
        self.entry.push(value);
    }

    fn mention(&mut self, u: Use) {
        self.uses.push(u);
    }

    fn end(&mut self, def: Option<Value>, clobbers: RegSet) {
        let start = self.insts.last().map_or(0, |inst| inst.uses.end);
        self.insts.push(Inst {
            uses: start..self.uses.len() as u32,
            def,
            clobbers,
        });
    }
}
