//! The forward linear scan.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::interval::{Interval, LiveSet, early, intervals, late};
use crate::problem::{Class, Hint, Loc, Problem, Reg, RegSet};

/// Registers the allocator may hand out, in order of preference.
#[derive(Debug, Clone, Copy)]
pub struct Registers<'a> {
    /// General purpose ones.
    pub gpr: &'a [Reg],
    /// Floating-point ones.
    pub xmm: &'a [Reg],
}

/// The result: a place for each value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocation {
    /// Place of each value.
    pub locs: Vec<Loc>,
    /// Spill slots used, 8 bytes each.
    pub spill_words: u32,
    /// Values that wanted a register and got a slot.
    pub spilled: u32,
    intervals: Vec<Interval>,
}

/// Allocates registers, and slots where they run out.
#[must_use]
pub fn allocate(problem: &Problem, registers: Registers<'_>) -> Allocation {
    run(problem, registers)
}

/// Puts each value into a slot: the allocator switched off.
#[must_use]
pub fn allocate_stack(problem: &Problem) -> Allocation {
    run(problem, Registers { gpr: &[], xmm: &[] })
}

impl Allocation {
    /// Life span of each value.
    #[must_use]
    pub fn intervals(&self) -> &[Interval] {
        &self.intervals
    }

    /// What is alive across each of `insts` (ascending indices): defined before it, and read by it
    /// late or by a later one.
    #[must_use]
    pub fn live_across(&self, insts: &[u32]) -> Vec<LiveSet> {
        let mut out = vec![LiveSet::default(); insts.len()];
        for (interval, &loc) in self.intervals.iter().zip(&self.locs) {
            let first = insts.partition_point(|&i| early(i) < interval.start);
            for (set, _) in out[first..]
                .iter_mut()
                .zip(&insts[first..])
                .take_while(|(_, i)| late(**i) <= interval.end)
            {
                match loc {
                    Loc::None => {}
                    Loc::Reg(reg) => set.regs.insert(reg),
                    Loc::Spill(slot) => set.add_spill(slot),
                }
            }
        }
        out
    }
}

/// Positions at which registers are destroyed, grouped by the set destroyed (few distinct ones).
struct Clobbers(Vec<(RegSet, Vec<u32>)>);

impl Clobbers {
    fn of(problem: &Problem) -> Self {
        let mut groups: Vec<(RegSet, Vec<u32>)> = Vec::new();
        for (index, inst) in problem
            .insts
            .iter()
            .enumerate()
            .filter(|(_, inst)| !inst.clobbers.is_empty())
        {
            let at = late(index as u32);
            match groups.iter_mut().find(|(set, _)| *set == inst.clobbers) {
                Some((_, positions)) => positions.push(at),
                None => groups.push((inst.clobbers, vec![at])),
            }
        }
        Self(groups)
    }

    /// Registers destroyed while the interval holds its value.
    fn within(&self, interval: &Interval) -> RegSet {
        let mut set = RegSet::EMPTY;
        for (regs, positions) in &self.0 {
            // A result written at the position itself comes after the destruction.
            let next = positions.partition_point(|&p| p <= interval.start);
            if positions.get(next).is_some_and(|&p| p <= interval.end) {
                set = set.union(*regs);
            }
        }
        set
    }
}

struct Active {
    value: usize,
    reg: Reg,
}

fn run(problem: &Problem, registers: Registers<'_>) -> Allocation {
    let intervals = intervals(problem);
    let clobbers = Clobbers::of(problem);
    let wanted = back_hints(problem);
    let mut locs = vec![Loc::None; intervals.len()];
    let mut order: Vec<usize> = (0..intervals.len())
        .filter(|&v| intervals[v].used)
        .collect();
    order.sort_by_key(|&v| intervals[v].start);

    let mut spilled = vec![false; intervals.len()];
    let mut active: Vec<Active> = Vec::new();
    for &value in &order {
        let interval = intervals[value];
        active.retain(|a| intervals[a.value].end >= interval.start);
        let file = match problem.classes[value] {
            Class::Gpr => registers.gpr,
            Class::Xmm => registers.xmm,
        };
        let usable = RegSet::of(file).minus(clobbers.within(&interval));
        let taken = active.iter().fold(RegSet::EMPTY, |mut set, a| {
            set.insert(a.reg);
            set
        });
        let free = usable.minus(taken);
        let hinted = match (problem.hints[value], wanted[value]) {
            (Hint::Reg(reg), _) => Some(reg),
            (Hint::Same(v), _) | (Hint::Any, Some(v)) => match locs[v.index()] {
                Loc::Reg(reg) => Some(reg),
                _ => None,
            },
            (Hint::Any, None) => None,
        };
        let reg = match hinted {
            Some(reg) if free.contains(reg) => Some(reg),
            _ => file.iter().copied().find(|&reg| free.contains(reg)),
        };
        let reg = reg.or_else(|| {
            let victim = active
                .iter()
                .enumerate()
                .filter(|(_, a)| usable.contains(a.reg))
                .min_by(|(_, a), (_, b)| keep_order(&intervals[a.value], &intervals[b.value]))?;
            let (at, evicted) = (victim.0, victim.1.value);
            if keep_order(&intervals[evicted], &interval).is_gt() {
                return None;
            }
            spilled[evicted] = true;
            locs[evicted] = Loc::None;
            Some(active.swap_remove(at).reg)
        });
        match reg {
            Some(reg) => {
                locs[value] = Loc::Reg(reg);
                active.push(Active { value, reg });
            }
            None => spilled[value] = true,
        }
    }

    let spill_words = assign_slots(problem, &order, &intervals, &spilled, &wanted, &mut locs);
    let spilled = spilled.iter().filter(|s| **s).count() as u32;
    Allocation {
        locs,
        spill_words,
        spilled,
        intervals,
    }
}

/// For each value, the phi it becomes at the back edge: sharing its place saves a move.
fn back_hints(problem: &Problem) -> Vec<Option<crate::Value>> {
    let mut out = vec![None; problem.classes.len()];
    for phi in problem.looped.iter().flat_map(|l| &l.phis) {
        if let Some(value) = phi.back {
            out[value.index()] = Some(phi.value);
        }
    }
    out
}

/// Orders intervals by how much a register is worth to them: mentions per position, and the
/// shorter life on a tie.
fn keep_order(a: &Interval, b: &Interval) -> std::cmp::Ordering {
    let len = |i: &Interval| u64::from(i.end - i.start) + 1;
    let (left, right) = (u64::from(a.weight) * len(b), u64::from(b.weight) * len(a));
    left.cmp(&right).then(len(b).cmp(&len(a)))
}

/// Gives spilled values slots, reusing those of the dead; returns how many there are.
fn assign_slots(
    problem: &Problem,
    order: &[usize],
    intervals: &[Interval],
    spilled: &[bool],
    wanted: &[Option<crate::Value>],
    locs: &mut [Loc],
) -> u32 {
    let mut busy: BinaryHeap<Reverse<(u32, u32)>> = BinaryHeap::new();
    let mut free: Vec<u32> = Vec::new();
    let mut words = 0;
    for &value in order.iter().filter(|&&v| spilled[v]) {
        let interval = intervals[value];
        while let Some(&Reverse((end, slot))) = busy.peek() {
            if end >= interval.start {
                break;
            }
            busy.pop();
            free.push(slot);
        }
        let hinted = match (problem.hints[value], wanted[value]) {
            (Hint::Same(v), _) | (_, Some(v)) => match locs[v.index()] {
                Loc::Spill(slot) => free.iter().position(|&s| s == slot),
                _ => None,
            },
            _ => None,
        };
        let slot = match hinted {
            Some(at) => free.swap_remove(at),
            None => free.pop().unwrap_or_else(|| {
                words += 1;
                words - 1
            }),
        };
        busy.push(Reverse((interval.end, slot)));
        locs[value] = Loc::Spill(slot);
    }
    words
}
