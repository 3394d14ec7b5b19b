//! Finding numbered things by what they are: constants of a pool, ops of a trace.
//!
//! The things lie in an array of their owner; the table holds their numbers only, at the place that
//! their hash names or behind it. So an entry is four bytes, nothing is compared that is not looked
//! at, and a new trace takes the table over by clearing it.

/// Numbers by the hash of what they stand for. The owner says what is equal and how it hashes.
#[derive(Clone, Debug, Default)]
pub struct Index {
    /// Number + 1, or 0: free. The length is a power of two, at least twice the count.
    slots: Vec<u32>,
    count: usize,
}

/// Slots of the smallest table.
const FIRST_SLOTS: usize = 128;

impl Index {
    /// How many numbers it holds.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Does it hold none?
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Forgets all numbers and keeps the memory.
    pub fn clear(&mut self) {
        if self.count > 0 {
            self.slots.fill(0);
            self.count = 0;
        }
    }

    /// Makes this table equal to another, in the memory it has.
    pub fn copy_from(&mut self, other: &Index) {
        self.slots.clone_from(&other.slots);
        self.count = other.count;
    }

    /// The number with this hash for which `same` holds.
    #[inline]
    pub fn find(&self, hash: u32, same: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = hash as usize & mask;
        // An empty table has no slot; a table that is not has a free one.
        while let Some(number) = self.slots.get(at).copied()?.checked_sub(1) {
            if same(number) {
                return Some(number);
            }
            at = (at + 1) & mask;
        }
        None
    }

    /// Adds a number. If `same` holds for one with the same hash, that one is replaced. `hash_of` is
    /// asked for the hashes of all numbers when the table grows.
    #[inline]
    pub fn insert(
        &mut self,
        hash: u32,
        number: u32,
        same: impl Fn(u32) -> bool,
        hash_of: impl Fn(u32) -> u32,
    ) {
        if (self.count + 1) * 2 > self.slots.len() {
            self.grow(hash_of);
        }
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while let Some(other) = self.slots[at].checked_sub(1) {
            if same(other) {
                self.slots[at] = number + 1;
                return;
            }
            at = (at + 1) & mask;
        }
        self.slots[at] = number + 1;
        self.count += 1;
    }

    #[cold]
    fn grow(&mut self, hash_of: impl Fn(u32) -> u32) {
        let len = (self.slots.len() * 2).max(FIRST_SLOTS);
        let old = std::mem::replace(&mut self.slots, vec![0; len]);
        for slot in old.into_iter().filter(|&slot| slot != 0) {
            let mut at = hash_of(slot - 1) as usize & (len - 1);
            while self.slots[at] != 0 {
                at = (at + 1) & (len - 1);
            }
            self.slots[at] = slot;
        }
    }
}

/// Mixes two words into a hash whose low bits depend on all of theirs.
#[must_use]
#[inline]
pub fn mix(a: u64, b: u64) -> u32 {
    let product = (a ^ b.rotate_left(29)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((product >> 32) ^ (product >> 7)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_added_also_after_growing() {
        let things: Vec<u64> = (0..1000).map(|i| i * i).collect();
        let hash = |n: u32| mix(things[n as usize], 7);
        let mut index = Index::default();
        assert_eq!(index.find(hash(3), |_| true), None);
        for n in 0..1000 {
            index.insert(
                hash(n),
                n,
                |m| things[m as usize] == things[n as usize],
                hash,
            );
        }
        for n in 0..1000 {
            let same = |m: u32| things[m as usize] == things[n as usize];
            assert_eq!(index.find(hash(n), same), Some(n));
        }
        assert_eq!(index.len(), 1000);
        index.clear();
        assert!(index.is_empty());
        assert_eq!(index.find(hash(3), |_| true), None);
    }

    #[test]
    fn an_equal_thing_takes_the_place_of_the_older() {
        let mut index = Index::default();
        for n in 0..3 {
            index.insert(5, n, |_| true, |_| 5);
        }
        assert_eq!(index.find(5, |_| true), Some(2));
        assert_eq!(index.len(), 1);
    }
}
