//! The order of sets of small ints.
//!
//! Sets keep their items in order of insertion. CPython's come in order of its
//! hash table, which for small ints, whose hash is the int, is nearly their own
//! order: `{5, 3, 1}` prints as `{1, 3, 5}`, and programs are written (and their
//! output compared) with that in mind. Before such a set is iterated, its items
//! are put in the order that CPython's table would have, by replaying the
//! insertions; the set remembers that this was done until something is added.
//! Sets with other items, whose hashes differ from run to run, stay as they are.

use crate::layout::{Gc, PyDict, PySet};
use crate::vm::Vm;
use pyrite_machine::Value;

/// Neighbours that are tried before the table is jumped in.
const LINEAR_PROBES: usize = 9;
const PERTURB_SHIFT: u32 = 5;
const LEAST_TABLE: usize = 8;

fn hash(i: i64) -> u64 {
    if i == -1 { (-2i64) as u64 } else { i as u64 }
}

/// Puts an int into the first free place of its probe sequence.
fn place(table: &mut [Option<i64>], i: i64) {
    let mask = table.len() - 1;
    let (mut at, mut perturb) = (hash(i) as usize & mask, hash(i));
    loop {
        let last = if at + LINEAR_PROBES <= mask {
            at + LINEAR_PROBES
        } else {
            at
        };
        if let Some(free) = (at..=last).find(|&p| table[p].is_none()) {
            table[free] = Some(i);
            return;
        }
        perturb >>= PERTURB_SHIFT;
        at = (at
            .wrapping_mul(5)
            .wrapping_add(1)
            .wrapping_add(perturb as usize))
            & mask;
    }
}

/// The ints in the order of CPython's table after they were added one by one.
fn table_order(items: &[i64]) -> Vec<i64> {
    let mut table = vec![None; LEAST_TABLE];
    for (n, &i) in items.iter().enumerate() {
        place(&mut table, i);
        let used = n + 1;
        if used * 5 >= (table.len() - 1) * 3 {
            let room = if used > 50_000 { used * 2 } else { used * 4 };
            let mut size = LEAST_TABLE;
            while size <= room {
                size <<= 1;
            }
            let old = std::mem::replace(&mut table, vec![None; size]);
            for i in old.into_iter().flatten() {
                place(&mut table, i);
            }
        }
    }
    table.into_iter().flatten().collect()
}

impl Vm {
    /// Brings a set of small ints into CPython's order; true if it is in it.
    pub(crate) fn set_order(&mut self, s: Value) -> bool {
        let set = Gc::<PySet>::from_value(s);
        let d = self.set_dict(s);
        let dd = Gc::<PyDict>::from_value(d);
        let fill = u64::from(dd.fill.get()) + 1;
        if set.ordered.get() == fill {
            return true;
        }
        let mut items = Vec::new();
        let mut pos = 0;
        while let Some((k, _)) = self.dict_next(d, &mut pos) {
            match k.as_int() {
                Some(i) if k.is_int() => items.push(i),
                _ => return false,
            }
        }
        let order = table_order(&items);
        if order != items {
            let new = self.new_dict();
            let none = self.none;
            for i in order {
                let k = Value::int_unchecked(i);
                // Ints compare without running code.
                let _ = self.dict_set(new, k, none);
            }
            set.dict.set(new);
            self.write_barrier(s);
        }
        let dd = Gc::<PyDict>::from_value(set.dict.get());
        set.ordered.set(u64::from(dd.fill.get()) + 1);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_those_of_cpython() {
        assert_eq!(table_order(&[5, 3, 1]), [1, 3, 5]);
        assert_eq!(table_order(&[8, 0, 16]), [8, 0, 16]);
        assert_eq!(table_order(&[-1, 7, 100]), [100, -1, 7]);
    }
}
