//! From ambiguous words to the objects they hit.
//!
//! Old objects: the mark bits are the map of object starts, so the last mark at or before
//! the word names the only candidate. Young objects have no start bits; but what was
//! handed out since the last collection is a short list of windows, and a window that a
//! word hits is walked from its start, header by header. The words are sorted first, so
//! that each window is walked at most once.
//!
//! A word that hits nothing is tried again one byte lower: compilers keep end pointers of
//! arrays. One that hits the *start* of an object is not, or every reference would keep
//! its neighbour alive; code must not rely on the end pointer alone (see the crate's
//! rule against slices across safepoints).

use crate::blocks::BLOCK;
use crate::faults::Fault;
use crate::heap::Core;

impl Core {
    /// The objects hit by `words`, sorted, without duplicates. Windows are closed and
    /// sorted, marks are those of the last collection.
    pub(crate) fn resolve(&self, mut words: Vec<usize>) -> Vec<usize> {
        let mut hits = Vec::new();
        let mut missed = Vec::new();
        words.sort_unstable();
        words.dedup();
        self.resolve_sorted(&words, &mut hits, &mut missed);
        for w in &mut missed {
            *w -= 1;
        }
        self.resolve_sorted(&missed, &mut hits, &mut Vec::new());
        hits.sort_unstable();
        hits.dedup();
        hits
    }

    fn resolve_sorted(&self, words: &[usize], hits: &mut Vec<usize>, missed: &mut Vec<usize>) {
        let mut windows = self.windows.iter().copied().peekable();
        // The object that the walk of the current window has reached.
        let mut at = 0;
        for &w in words {
            while windows.next_if(|&(_, end)| end <= w).is_some() {
                at = 0;
            }
            let hit = match windows.peek() {
                Some(&(start, _)) if start <= w => {
                    if at == 0 {
                        at = start;
                    }
                    loop {
                        // SAFETY: a closed window holds whole objects up to its end, and
                        // `at <= w < end`.
                        let end = at + unsafe { self.object_size(at as *const u64) };
                        if w < end {
                            break Some(at);
                        }
                        at = end;
                    }
                }
                _ => self.resolve_old(w),
            };
            match hit {
                Some(start) => hits.push(start),
                None => missed.push(w),
            }
        }
    }

    fn resolve_old(&self, w: usize) -> Option<usize> {
        if w >= self.large.bottom() {
            let start = self.large.resolve(w)?;
            let missed = self.planted(Fault::LargeInteriorMissed) && start != w;
            return (!missed).then_some(start);
        }
        if w < self.space.base || !self.blocks.used(&self.space, w) {
            return None;
        }
        let floor = self.space.base + (w - self.space.base) / BLOCK * BLOCK;
        let start = self.space.last_mark(w, floor)?;
        // SAFETY: a marked address is an object whose memory is intact.
        let end = start + unsafe { self.object_size(start as *const u64) };
        (w < end).then_some(start)
    }
}
