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

const UNKNOWN: SlotState = SlotState {
    value: OpRef::NONE,
    dirty: false,
};

/// Slot of the first entry of a new table: the header is six words.
const LOWEST: i32 = -8;

/// The table.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    lowest: i32,
    states: Vec<SlotState>,
}

impl Slots {
    pub(crate) fn new() -> Slots {
        Slots {
            lowest: LOWEST,
            states: Vec::new(),
        }
    }

    pub(crate) fn get(&self, slot: i32) -> Option<SlotState> {
        let at = usize::try_from(slot - self.lowest).ok()?;
        self.states.get(at).copied().filter(|s| !s.value.is_none())
    }

    /// Sets or removes a state; the one before.
    pub(crate) fn set(&mut self, slot: i32, state: Option<SlotState>) -> Option<SlotState> {
        if slot < self.lowest {
            let more = (self.lowest - slot) as usize;
            self.states.splice(..0, std::iter::repeat_n(UNKNOWN, more));
            self.lowest = slot;
        }
        let at = (slot - self.lowest) as usize;
        if at >= self.states.len() {
            self.states.resize(at + 1, UNKNOWN);
        }
        let old = std::mem::replace(&mut self.states[at], state.unwrap_or(UNKNOWN));
        (!old.value.is_none()).then_some(old)
    }

    /// Removes the states of the slots from `from` on, showing each.
    pub(crate) fn drop_from(&mut self, from: i32, mut each: impl FnMut(i32, SlotState)) {
        let first = (from - self.lowest).max(0) as usize;
        for (at, state) in self.states.iter().enumerate().skip(first) {
            if !state.value.is_none() {
                each(self.lowest + at as i32, *state);
            }
        }
        self.states.truncate(first);
    }

    /// The dirty slots with their values, ascending.
    pub(crate) fn dirty(&self) -> impl Iterator<Item = (i32, OpRef)> {
        let numbered = self.states.iter().zip(self.lowest..);
        numbered
            .filter(|(state, _)| state.dirty && !state.value.is_none())
            .map(|(state, n)| (n, state.value))
    }

    /// Makes this table equal to another.
    pub(crate) fn copy_from(&mut self, other: &Slots) {
        self.lowest = other.lowest;
        self.states.clone_from(&other.states);
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
        let all: Vec<_> = slots.dirty().collect();
        assert_eq!(all, [(-20, OpRef::op(2)), (3, OpRef::op(4))]);
        let mut dropped = Vec::new();
        slots.drop_from(0, |n, _| dropped.push(n));
        assert_eq!(dropped, [3]);
        assert!(slots.get(3).is_none());
        assert!(slots.get(-20).is_some());
        slots.drop_from(-100, |_, _| {});
        assert_eq!(slots.dirty().count(), 0);
    }
}
