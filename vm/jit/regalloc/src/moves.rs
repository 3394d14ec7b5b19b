//! Parallel moves: several places change at once, and a source may be another's target.
//!
//! The graph of moves is a set of chains and cycles, as each target is written once. Chains are
//! emitted from their end; a cycle is opened by keeping one target's old contents aside.

use crate::problem::Loc;

/// One wish: `to` shall hold what `from` held before any move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// Source, never [`Loc::None`].
    pub from: Loc,
    /// Target, never [`Loc::None`].
    pub to: Loc,
}

/// One step of the sequence that does the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Copies a place.
    Copy(Move),
    /// Keeps the contents of a place aside; at most one is kept at a time.
    Save(Loc),
    /// Writes what was kept aside.
    Restore(Loc),
}

/// Orders `moves` so that doing them one by one has the effect of doing them all at once.
///
/// No two moves may have one target.
#[must_use]
pub fn sequentialize(moves: &[Move]) -> Vec<Step> {
    let mut out = Vec::with_capacity(moves.len() + 1);
    sequentialize_each(&mut moves.to_vec(), |step| out.push(step));
    out
}

/// Like [`sequentialize`], handing each step out and using the list up.
pub fn sequentialize_each(pending: &mut Vec<Move>, mut each: impl FnMut(Step)) {
    pending.retain(|m| m.from != m.to);
    debug_assert!(
        pending
            .iter()
            .enumerate()
            .all(|(i, m)| pending[..i].iter().all(|other| other.to != m.to)),
        "each place is the target of one move"
    );
    let mut saved: Option<Loc> = None;
    while !pending.is_empty() {
        let ready = pending.iter().position(|m| {
            let blocked = pending
                .iter()
                .any(|other| other.from == m.to && Some(other.from) != saved);
            !blocked
        });
        match ready {
            Some(at) => {
                let m = pending.swap_remove(at);
                if Some(m.from) == saved {
                    each(Step::Restore(m.to));
                    if pending.iter().all(|other| Some(other.from) != saved) {
                        saved = None;
                    }
                } else {
                    each(Step::Copy(m));
                }
            }
            None => {
                // Only cycles are left, and none of them has been opened.
                let at = pending[0].to;
                each(Step::Save(at));
                saved = Some(at);
            }
        }
    }
}
