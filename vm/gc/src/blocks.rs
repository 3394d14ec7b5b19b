//! Blocks of 32 KiB and the holes in them.
//!
//! A block is free (no live line), recyclable (at most three quarters of its lines live),
//! or full. Allocation takes holes, runs of dead lines, from recyclable blocks first and
//! then whole free blocks, the last freed first (its lines are still cached). Every block
//! from which memory was handed out since the last collection is *touched*; only those
//! are swept by a minor collection, since nothing else can have changed.

use crate::space::{CHUNK, Space};
use crate::{LINE_BYTES, POISON};

pub(crate) const BLOCK: usize = 32 << 10;
pub(crate) const LINES: usize = BLOCK / LINE_BYTES;
/// A block with more live lines is not worth searching for holes.
const RECYCLE_MAX: usize = LINES * 3 / 4;
/// A full collection empties blocks with at most this many live lines ...
const SPARSE_MAX: usize = LINES / 4;
/// ... if there are at least this many of them.
const SPARSE_COUNT: usize = 32;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Free,
    Recyclable,
    Full,
    /// Memory is being handed out from it.
    Open,
}

#[derive(Clone, Copy)]
struct Block {
    state: State,
    live: u8,
    touched: bool,
    /// All zero: never used, or its pages were given back.
    clean: bool,
    sparse: bool,
}

pub(crate) struct Blocks {
    table: Vec<Block>,
    free: Vec<u32>,
    recycle: Vec<u32>,
    touched: Vec<u32>,
    /// The recycled block in use and the next line to look at.
    scan: Option<(usize, usize)>,
    pub(crate) in_use: usize,
    pub(crate) live_lines: usize,
}

impl Blocks {
    pub(crate) fn new() -> Blocks {
        Blocks {
            table: Vec::new(),
            free: Vec::new(),
            recycle: Vec::new(),
            touched: Vec::new(),
            scan: None,
            in_use: 0,
            live_lines: 0,
        }
    }

    /// End of the part of the heap area that blocks occupy.
    #[inline]
    pub(crate) fn top(&self, space: &Space) -> usize {
        space.base + self.table.len() * BLOCK
    }

    /// True if `addr` lies in a block that is in use.
    #[inline]
    pub(crate) fn used(&self, space: &Space, addr: usize) -> bool {
        let index = addr.wrapping_sub(space.base) / BLOCK;
        self.table
            .get(index)
            .is_some_and(|b| b.state != State::Free)
    }

    /// True if a full collection empties the block of `addr`.
    #[inline]
    pub(crate) fn is_sparse(&self, space: &Space, addr: usize) -> bool {
        self.table[(addr - space.base) / BLOCK].sparse
    }

    fn touch(&mut self, index: usize) {
        let b = &mut self.table[index];
        b.state = State::Open;
        if !b.touched {
            b.touched = true;
            self.touched.push(index as u32);
        }
    }

    /// The next hole of at least `need` bytes, not zeroed.
    pub(crate) fn hole(&mut self, space: &Space, need: usize) -> Option<(usize, usize)> {
        loop {
            if let Some((index, from)) = self.scan {
                let block = space.base + index * BLOCK;
                let lines = space.lines(block, LINES);
                let mut start = from;
                while start < LINES {
                    if lines[start] != 0 {
                        start += 1;
                        continue;
                    }
                    let mut end = start + 1;
                    while end < LINES && lines[end] == 0 {
                        end += 1;
                    }
                    if (end - start) * LINE_BYTES >= need {
                        self.scan = Some((index, end));
                        return Some((block + start * LINE_BYTES, block + end * LINE_BYTES));
                    }
                    start = end;
                }
                self.scan = None;
            }
            let index = self.recycle.pop()? as usize;
            if self.table[index].state == State::Recyclable {
                self.touch(index);
                self.scan = Some((index, 0));
            }
        }
    }

    /// A free block below `ceiling`, and whether it is already zero.
    pub(crate) fn take_free(&mut self, space: &mut Space, ceiling: usize) -> Option<(usize, bool)> {
        let index = match self.free.pop() {
            Some(i) => i as usize,
            None => {
                let start = self.top(space);
                if start + BLOCK > ceiling {
                    return None;
                }
                // Few system calls for a growing heap, little memory for a small one.
                let step = if start - space.base < 16 * CHUNK {
                    1
                } else {
                    4
                };
                let ahead = (start + step * CHUNK).min(ceiling).max(start + BLOCK);
                if !space.is_committed(start)
                    && !space.commit(start, ahead)
                    && !space.commit(start, start + BLOCK)
                {
                    return None;
                }
                self.table.push(Block {
                    state: State::Free,
                    live: 0,
                    touched: false,
                    clean: true,
                    sparse: false,
                });
                self.table.len() - 1
            }
        };
        let clean = std::mem::replace(&mut self.table[index].clean, false);
        self.touch(index);
        self.in_use += 1;
        Some((space.base + index * BLOCK, clean))
    }

    /// Start of a full collection: forgets marks and lines of all blocks in use, and
    /// chooses the sparse ones if `defragment`.
    pub(crate) fn begin_full(&mut self, space: &mut Space, defragment: bool) {
        let mut sparse = 0;
        for (i, b) in self.table.iter_mut().enumerate() {
            b.sparse = false;
            if b.state == State::Free {
                continue;
            }
            let at = space.base + i * BLOCK;
            space.clear_marks(at, at + BLOCK);
            space.clear_lines(at, at + BLOCK);
            if defragment && !b.touched && b.live as usize <= SPARSE_MAX {
                b.sparse = true;
                sparse += 1;
            }
        }
        if sparse < SPARSE_COUNT {
            for b in &mut self.table {
                b.sparse = false;
            }
        }
    }

    /// Sorts the touched blocks (all blocks, if `full`) into free, recyclable and full by
    /// their line bytes; with `poison`, overwrites their dead lines.
    pub(crate) fn sweep(&mut self, space: &Space, full: bool, poison: bool) {
        self.scan = None;
        if full {
            self.touched.clear();
            self.recycle.clear();
            for i in 0..self.table.len() {
                self.table[i].touched = false;
                if self.table[i].state != State::Free {
                    self.sweep_block(space, i, poison);
                }
            }
        } else {
            let touched = std::mem::take(&mut self.touched);
            for &i in &touched {
                self.table[i as usize].touched = false;
                self.sweep_block(space, i as usize, poison);
            }
            self.touched = touched;
            self.touched.clear();
        }
    }

    fn sweep_block(&mut self, space: &Space, index: usize, poison: bool) {
        let at = space.base + index * BLOCK;
        let lines = space.lines(at, LINES);
        let live = lines.iter().map(|&l| l as usize).sum::<usize>();
        if poison {
            for (i, &l) in lines.iter().enumerate() {
                if l == 0 {
                    let line = (at + i * LINE_BYTES) as *mut u64;
                    // SAFETY: a dead line of a committed block; windows are closed.
                    unsafe {
                        for word in 0..LINE_BYTES / 8 {
                            *line.add(word) = POISON;
                        }
                    }
                }
            }
        }
        let b = &mut self.table[index];
        self.live_lines = self.live_lines - b.live as usize + live;
        b.live = live as u8;
        b.sparse = false;
        if live == 0 {
            b.state = State::Free;
            self.in_use -= 1;
            self.free.push(index as u32);
        } else if live <= RECYCLE_MAX {
            b.state = State::Recyclable;
            self.recycle.push(index as u32);
        } else {
            b.state = State::Full;
        }
    }

    /// For tests: leaves the block touched last to its fate.
    pub(crate) fn forget_touched(&mut self) {
        self.touched.pop();
    }

    /// Gives the memory of free blocks beyond `keep` back to the system, the highest first.
    pub(crate) fn discard_surplus(&mut self, space: &Space, keep: usize) {
        if self.free.len() <= keep {
            return;
        }
        // The lowest addresses end up at the end and are handed out first.
        self.free.sort_unstable_by(|a, b| b.cmp(a));
        let surplus = self.free.len() - keep;
        for &i in &self.free[..surplus] {
            let b = &mut self.table[i as usize];
            if !b.clean {
                b.clean = true;
                let at = space.base + i as usize * BLOCK;
                // SAFETY: a free block has no live objects.
                unsafe { space.discard(at, at + BLOCK) }
            }
        }
    }

    /// Calls `each` with the start of every block in use.
    pub(crate) fn each_used(&self, space: &Space, each: &mut dyn FnMut(usize)) {
        for (i, b) in self.table.iter().enumerate() {
            if b.state != State::Free {
                each(space.base + i * BLOCK);
            }
        }
    }

    /// Checks after a sweep that states and counts agree with the line bytes.
    pub(crate) fn verify(&self, space: &Space) {
        let mut total = 0;
        let mut used = 0;
        for (i, b) in self.table.iter().enumerate() {
            let at = space.base + i * BLOCK;
            let live = space
                .lines(at, LINES)
                .iter()
                .map(|&l| l as usize)
                .sum::<usize>();
            total += live;
            used += usize::from(b.state != State::Free);
            assert_eq!(
                live, b.live as usize,
                "block {i}: its live line count agrees with its lines"
            );
            assert!(
                b.state != State::Open && !b.touched,
                "block {i}: nothing is open after a sweep"
            );
            assert_eq!(
                live == 0,
                b.state == State::Free,
                "block {i}: free iff no line lives"
            );
        }
        assert_eq!(total, self.live_lines, "old lines are all counted");
        assert_eq!(used, self.in_use, "blocks in use are all counted");
    }
}
