//! Life spans.
//!
//! Instruction `i` owns two positions: `2i + 2`, where its operands are read, and `2i + 3`, where
//! its result is written and registers are destroyed. Values of the entry begin at position 0.
//! So an operand that dies here may hand its register to the result, and a late use forbids it.

use crate::problem::{Problem, RegSet, Value};

/// The positions at which a value must be kept, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Position of the definition.
    pub start: u32,
    /// Position of the last use; equal to `start` when there is none.
    pub end: u32,
    /// Mentions on the hot path, those inside the loop counted eight times.
    pub weight: u32,
    /// False when nothing reads the value.
    pub used: bool,
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

/// Intervals of all values, in one walk.
pub(crate) fn intervals(problem: &Problem) -> Vec<Interval> {
    let blank = Interval {
        start: u32::MAX,
        end: 0,
        weight: 0,
        used: false,
    };
    let mut out = vec![blank; problem.classes.len()];
    let (head, back) = match &problem.looped {
        Some(l) => (late(l.head), late(l.back)),
        None => (u32::MAX, u32::MAX),
    };
    let define = |out: &mut Vec<Interval>, value: Value, at: u32| {
        let i = &mut out[value.index()];
        debug_assert_eq!(i.start, u32::MAX, "a value is defined once");
        i.start = at;
        i.end = at;
        i.weight += if at > head { LOOP_WEIGHT } else { 1 };
    };
    let mention = |out: &mut Vec<Interval>, value: Value, at: u32, exit: bool| {
        let i = &mut out[value.index()];
        debug_assert_ne!(i.start, u32::MAX, "a value is defined before it is used");
        i.used = true;
        // What the next turn reads again must survive the back edge.
        let until = if at > head && i.start < head {
            back
        } else {
            at
        };
        i.end = i.end.max(until);
        if !exit {
            i.weight += if at > head { LOOP_WEIGHT } else { 1 };
        }
    };
    for &value in &problem.entry {
        define(&mut out, value, 0);
    }
    for (index, inst) in problem.insts.iter().enumerate() {
        let index = index as u32;
        for u in problem.uses_of(inst) {
            mention(
                &mut out,
                u.value,
                if u.late { late(index) } else { early(index) },
                u.exit,
            );
        }
        if let Some(value) = inst.def {
            define(&mut out, value, late(index));
        }
        if let Some(l) = &problem.looped {
            if l.head == index {
                for phi in &l.phis {
                    if let Some(entry) = phi.entry {
                        mention(&mut out, entry, early(index), false);
                    }
                }
                for phi in &l.phis {
                    define(&mut out, phi.value, late(index));
                    out[phi.value.index()].weight += LOOP_WEIGHT;
                }
            }
            if l.back == index {
                for phi in &l.phis {
                    if let Some(value) = phi.back {
                        mention(&mut out, value, early(index), false);
                    }
                }
            }
        }
    }
    out
}
