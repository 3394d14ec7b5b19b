//! The forward linear scan.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::interval::{Interval, LiveSet, Lives, early, late};
use crate::problem::{Class, Hint, Loc, Problem, Reg, RegSet, Value};

/// Registers the allocator may hand out, in order of preference: that of their numbers, from any of
/// them on and round the end.
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
}

/// Allocates registers, and slots where they run out.
#[must_use]
pub fn allocate(problem: &Problem, registers: Registers<'_>) -> Allocation {
    let about = |value: Value| (problem.classes[value.index()], problem.hints[value.index()]);
    allocate_lives(&Lives::of(problem), registers, about)
}

/// Puts each value into a slot: the allocator switched off.
#[must_use]
pub fn allocate_stack(problem: &Problem) -> Allocation {
    allocate(problem, Registers { gpr: &[], xmm: &[] })
}

impl Allocation {
    /// What is alive across each of `insts` (ascending indices): defined before it, and read by it
    /// late or by a later one. `lives` are those it was allocated for.
    #[must_use]
    pub fn live_across(&self, lives: &Lives, insts: &[u32]) -> Vec<LiveSet> {
        let mut out = vec![LiveSet::default(); insts.len()];
        if insts.is_empty() {
            return out;
        }
        for (interval, &loc) in lives.intervals.iter().zip(&self.locs) {
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

/// Registers that are destroyed inside an interval, for intervals asked about in the order of their
/// start.
struct Clobbers<'a> {
    groups: &'a [(RegSet, Vec<u32>)],
    /// In each group, the first position that comes after the start asked for last.
    next: Vec<usize>,
}

impl Clobbers<'_> {
    fn within(&mut self, interval: &Interval) -> RegSet {
        let mut set = RegSet::EMPTY;
        for ((regs, positions), next) in self.groups.iter().zip(&mut self.next) {
            // A result written at the position itself comes after the destruction.
            while positions.get(*next).is_some_and(|&p| p <= interval.start) {
                *next += 1;
            }
            if positions.get(*next).is_some_and(|&p| p <= interval.end) {
                set = set.union(*regs);
            }
        }
        set
    }
}

/// The registers of a class.
#[derive(Clone, Copy)]
struct File {
    all: RegSet,
    /// Number of the one preferred to all others.
    first: u32,
}

impl File {
    fn new(regs: &[Reg]) -> File {
        let first = regs.first().map_or(0, |reg| reg.index() as u32);
        let rank = |reg: &Reg| (reg.index() as u32).wrapping_sub(first) % 32;
        debug_assert!(regs.is_sorted_by_key(rank), "preference goes up");
        File {
            all: RegSet::of(regs),
            first,
        }
    }

    /// The best of some registers of the file.
    #[inline]
    fn best(self, of: RegSet) -> Option<Reg> {
        let rank = of.bits().rotate_right(self.first).trailing_zeros();
        (rank < 32).then(|| Reg::numbered((rank + self.first) % 32))
    }
}

/// Registers with a value at the present position.
struct Active {
    regs: RegSet,
    /// The value in each, and the end of its life.
    values: [(u32, u32); 32],
    /// No value's life ends before.
    soonest: u32,
}

impl Active {
    /// Frees the registers of what is dead at `start`.
    #[inline]
    fn expire(&mut self, start: u32) {
        if self.soonest >= start {
            return;
        }
        self.soonest = u32::MAX;
        for reg in self.regs.iter() {
            let (_, end) = self.values[reg.index()];
            if end < start {
                self.regs.remove(reg);
            } else {
                self.soonest = self.soonest.min(end);
            }
        }
    }

    #[inline]
    fn put(&mut self, reg: Reg, value: u32, end: u32) {
        self.regs.insert(reg);
        self.values[reg.index()] = (value, end);
        self.soonest = self.soonest.min(end);
    }
}

/// Allocates registers, and slots where they run out, for values that `about` tells class and wish
/// of.
#[must_use]
pub fn allocate_lives(
    lives: &Lives,
    registers: Registers<'_>,
    about: impl Fn(Value) -> (Class, Hint),
) -> Allocation {
    let Lives {
        intervals,
        order,
        clobbers: groups,
        wanted,
        ..
    } = lives;
    let mut clobbers = Clobbers {
        next: vec![0; groups.len()],
        groups,
    };
    let files = [File::new(registers.gpr), File::new(registers.xmm)];
    // All but the one for mentions of what is no value.
    let mut locs = vec![Loc::None; intervals.len() - 1];
    let mut spilled: Vec<u32> = Vec::new();
    let mut active = Active {
        regs: RegSet::EMPTY,
        values: [(0, 0); 32],
        soonest: u32::MAX,
    };
    // Rare: values are defined in the order of positions.
    let mut sorted;
    let mut order = &order[..];
    if !lives.sorted {
        sorted = order.to_vec();
        sorted.sort_by_key(|&v| intervals[v as usize].start);
        order = &sorted;
    }
    for &value in order {
        let interval = intervals[value as usize];
        if !interval.is_used() {
            continue;
        }
        active.expire(interval.start);
        let (class, hint) = about(Value(value));
        let file = files[class as usize];
        let usable = file.all.minus(clobbers.within(&interval));
        let free = usable.minus(active.regs);
        let hinted = match hint {
            Hint::Reg(reg) => Some(reg),
            _ => match same_as(Value(value), hint, wanted).map(|v| locs[v.index()]) {
                Some(Loc::Reg(reg)) => Some(reg),
                _ => None,
            },
        };
        let reg = match hinted {
            Some(reg) if free.contains(reg) => Some(reg),
            _ => file.best(free),
        };
        let reg = reg.or_else(|| {
            let at = |reg: &Reg| active.values[reg.index()].0 as usize;
            let candidates = active.regs.intersection(usable).iter();
            let victim =
                candidates.min_by(|a, b| keep_order(&intervals[at(a)], &intervals[at(b)]))?;
            let evicted = at(&victim);
            if keep_order(&intervals[evicted], &interval).is_gt() {
                return None;
            }
            spilled.push(evicted as u32);
            locs[evicted] = Loc::None;
            Some(victim)
        });
        match reg {
            Some(reg) => {
                locs[value as usize] = Loc::Reg(reg);
                active.put(reg, value, interval.end);
            }
            None => spilled.push(value),
        }
    }

    let mut spill_words = 0;
    if !spilled.is_empty() {
        spilled.sort_by_key(|&v| (intervals[v as usize].start, v));
        let hinted = |value| same_as(value, about(value).1, wanted);
        spill_words = assign_slots(&spilled, intervals, hinted, &mut locs);
    }
    Allocation {
        locs,
        spill_words,
        spilled: spilled.len() as u32,
    }
}

/// The value whose place another one would like best.
#[inline]
fn same_as(value: Value, hint: Hint, wanted: &[Option<Value>]) -> Option<Value> {
    match hint {
        Hint::Same(v) => Some(v),
        _ => wanted.get(value.index()).copied().flatten(),
    }
}

/// Orders intervals by how much a register is worth to them: mentions per position, and the
/// shorter life on a tie.
fn keep_order(a: &Interval, b: &Interval) -> std::cmp::Ordering {
    let len = |i: &Interval| u64::from(i.end - i.start) + 1;
    let (left, right) = (u64::from(a.weight) * len(b), u64::from(b.weight) * len(a));
    left.cmp(&right).then(len(b).cmp(&len(a)))
}

/// Gives spilled values, in the order of their start, slots, reusing those of the dead; returns how
/// many there are.
fn assign_slots(
    spilled: &[u32],
    intervals: &[Interval],
    hinted: impl Fn(Value) -> Option<Value>,
    locs: &mut [Loc],
) -> u32 {
    let mut busy: BinaryHeap<Reverse<(u32, u32)>> = BinaryHeap::new();
    let mut free: Vec<u32> = Vec::new();
    let mut words = 0;
    for &value in spilled {
        let interval = intervals[value as usize];
        while let Some(&Reverse((end, slot))) = busy.peek() {
            if end >= interval.start {
                break;
            }
            busy.pop();
            free.push(slot);
        }
        let hinted = match hinted(Value(value)).map(|v| locs[v.index()]) {
            Some(Loc::Spill(slot)) => free.iter().position(|&s| s == slot),
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
        locs[value as usize] = Loc::Spill(slot);
    }
    words
}
