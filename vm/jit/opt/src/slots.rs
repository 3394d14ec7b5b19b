//! The VM-stack slots of a trace's window as the recording sees them: a table by slot number.
//!
//! A window is dense and begins a few words below 0 (the header), so the table is a plain vector
//! from its lowest slot on. Slots nobody spoke of yet have no state.

use pyrite_jit_ir::OpRef;

/// One slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlotState {
    /// May be an unboxed ref at the start of a bridge.
    pub(crate) value: OpRef,
    /// Differs from (or is not known to equal) the VM stack's word.
    pub(crate) dirty: bool,
}

/// Slot of the first entry of a new table: the header is six words.
const LOWEST: i32 = -8;

/// Slots per word of [`Slots::dirty`].
const WORD: usize = 64;

/// The table.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    lowest: i32,
    /// Values from the lowest slot on; [`OpRef::NONE`] where nothing is known.
    values: Vec<OpRef>,
    /// A bit for each slot that is dirty; clear where nothing is known.
    dirty: Vec<u64>,
    /// Nothing is known of the values from here on.
    end: usize,
}

impl Slots {
    pub(crate) fn new() -> Slots {
        Slots {
            lowest: LOWEST,
            values: Vec::new(),
            dirty: Vec::new(),
            end: 0,
        }
    }

    #[inline]
    pub(crate) fn get(&self, slot: i32) -> Option<SlotState> {
        // A slot below the lowest becomes an index that is out of range.
        let at = (slot - self.lowest) as usize;
        let value = self.values.get(at).copied().filter(|r| !r.is_none())?;
        let dirty = self.dirty[at / WORD] >> (at % WORD) & 1 != 0;
        Some(SlotState { value, dirty })
    }

    /// Sets or removes a state; the one before.
    #[inline]
    pub(crate) fn set(&mut self, slot: i32, state: Option<SlotState>) -> Option<SlotState> {
        if slot < self.lowest {
            self.grow_down(slot);
        }
        let at = (slot - self.lowest) as usize;
        if at >= self.values.len() {
            self.grow_up(at + 1);
        }
        let (value, dirty) = state.map_or((OpRef::NONE, false), |s| (s.value, s.dirty));
        self.end = self.end.max(at + 1);
        let old = std::mem::replace(&mut self.values[at], value);
        let (word, bit) = (&mut self.dirty[at / WORD], at % WORD);
        let was_dirty = *word >> bit & 1 != 0;
        *word = *word & !(1 << bit) | u64::from(dirty) << bit;
        (!old.is_none()).then_some(SlotState {
            value: old,
            dirty: was_dirty,
        })
    }

    #[cold]
    fn grow_down(&mut self, slot: i32) {
        // Whole words, so that bits keep their places in them.
        let more = ((self.lowest - slot) as usize).next_multiple_of(WORD);
        let unknown = std::iter::repeat_n(OpRef::NONE, more);
        self.values.splice(..0, unknown);
        self.dirty.splice(..0, std::iter::repeat_n(0, more / WORD));
        self.lowest -= more as i32;
        self.end += more;
    }

    #[cold]
    fn grow_up(&mut self, len: usize) {
        let len = len.next_multiple_of(WORD);
        self.values.resize(len, OpRef::NONE);
        self.dirty.resize(len / WORD, 0);
    }

    /// Removes the states of the slots from `from` on, showing each.
    pub(crate) fn drop_from(&mut self, from: i32, mut each: impl FnMut(i32, SlotState)) {
        let first = (from - self.lowest).max(0) as usize;
        for at in first..self.end {
            let value = std::mem::replace(&mut self.values[at], OpRef::NONE);
            if !value.is_none() {
                let (word, bit) = (&mut self.dirty[at / WORD], at % WORD);
                let dirty = *word >> bit & 1 != 0;
                *word &= !(1 << bit);
                each(self.lowest + at as i32, SlotState { value, dirty });
            }
        }
        self.end = self.end.min(first);
    }

    /// How many slots are dirty.
    pub(crate) fn dirty_count(&self) -> usize {
        self.dirty
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    /// The dirty slots with their values, ascending.
    pub(crate) fn dirty(&self) -> Vec<(i32, OpRef)> {
        let mut all = Vec::with_capacity(self.dirty_count());
        self.each_dirty(|n, r| all.push((n, r)));
        all
    }

    /// Shows the dirty slots with their values, ascending.
    #[inline]
    pub(crate) fn each_dirty(&self, mut each: impl FnMut(i32, OpRef)) {
        let mut first = self.lowest;
        for (&word, values) in self.dirty.iter().zip(self.values.chunks(WORD)) {
            let mut left = word;
            while left != 0 {
                let bit = left.trailing_zeros() as usize;
                left &= left - 1;
                each(first + bit as i32, values[bit]);
            }
            first += WORD as i32;
        }
    }

    /// Makes this table equal to another.
    pub(crate) fn copy_from(&mut self, other: &Slots) {
        (self.lowest, self.end) = (other.lowest, other.end);
        self.values.clone_from(&other.values);
        self.dirty.clone_from(&other.dirty);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_both_ways_and_keeps_order() {
        let mut slots = Slots::new();
        let dirty = |i| {
            Some(SlotState {
                value: OpRef::op(i),
                dirty: true,
            })
        };
        assert!(slots.set(3, dirty(1)).is_none());
        assert!(slots.set(-20, dirty(2)).is_none());
        assert_eq!(slots.set(3, dirty(4)).map(|s| s.value), Some(OpRef::op(1)));
        assert_eq!(slots.dirty(), [(-20, OpRef::op(2)), (3, OpRef::op(4))]);
        let mut dropped = Vec::new();
        slots.drop_from(0, |n, _| dropped.push(n));
        assert_eq!(dropped, [3]);
        assert!(slots.get(3).is_none());
        assert!(slots.get(-20).is_some());
        slots.drop_from(-100, |_, _| {});
        assert_eq!(slots.dirty_count(), 0);
    }
}
