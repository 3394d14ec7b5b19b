//! Address space: one reservation, and the side tables that go with it.
//!
//! Layout of the reservation: the heap area (`size` bytes from `base`), then one mark bit
//! per 16 bytes of it, one line byte per 256, one card byte per 256. Blocks grow from the
//! bottom of the area, large objects from its top. Everything is inaccessible until
//! committed, in chunks of 1 MiB together with the chunk's part of each table (8, 4 and 4
//! KiB: whole pages).

use crate::{GcError, LINE_BYTES};

/// Unit of committing.
pub(crate) const CHUNK: usize = 1 << 20;
const MIN_RESERVE: usize = 16 << 20;

pub(crate) struct Space {
    /// First byte of the heap area, CHUNK-aligned.
    pub(crate) base: usize,
    /// Bytes of the heap area, a multiple of CHUNK.
    pub(crate) size: usize,
    marks: usize,
    lines: usize,
    cards: usize,
    map_start: usize,
    map_bytes: usize,
    committed: Vec<bool>,
    pub(crate) committed_bytes: usize,
}

/// Maps `bytes` of inaccessible memory; `None` if the address space has no room.
pub(crate) fn reserve(hint: usize, bytes: usize, flags: i32) -> Option<usize> {
    // SAFETY: an anonymous mapping that replaces nothing (no MAP_FIXED) touches no memory
    // of anybody else.
    let p = unsafe {
        libc::mmap(
            hint as *mut libc::c_void,
            bytes,
            libc::PROT_NONE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | flags,
            -1,
            0,
        )
    };
    (p != libc::MAP_FAILED).then_some(p as usize)
}

/// Makes part of a reservation readable and writable.
///
/// # Safety
/// The range is page-aligned and belongs to a mapping of the caller.
pub(crate) unsafe fn make_accessible(at: usize, bytes: usize) -> bool {
    // SAFETY: the caller owns the range.
    unsafe {
        libc::mprotect(
            at as *mut libc::c_void,
            bytes,
            libc::PROT_READ | libc::PROT_WRITE,
        ) == 0
    }
}

/// Returns a mapping to the system.
///
/// # Safety
/// The range is a whole mapping of the caller, not used afterwards.
pub(crate) unsafe fn release(at: usize, bytes: usize) {
    // SAFETY: the caller owns the mapping and ends its use.
    unsafe { libc::munmap(at as *mut libc::c_void, bytes) };
}

/// The most address space to ask for: half of what RLIMIT_AS allows, so that stacks,
/// code and malloc find room as well.
pub(crate) fn address_limit() -> usize {
    // SAFETY: getrlimit writes to the local struct only.
    unsafe {
        let mut limit = std::mem::zeroed::<libc::rlimit>();
        if libc::getrlimit(libc::RLIMIT_AS, &mut limit) == 0
            && limit.rlim_cur != libc::RLIM_INFINITY
        {
            return limit.rlim_cur as usize / 2;
        }
    }
    usize::MAX
}

impl Space {
    /// Reserves up to `cap` bytes of heap, halving until it fits.
    pub(crate) fn new(cap: usize) -> Result<Space, GcError> {
        let mut size = cap
            .min(address_limit())
            .max(MIN_RESERVE)
            .next_multiple_of(CHUNK);
        loop {
            let tables = size / 128 + size / 256 + size / 256;
            let bytes = size + tables + CHUNK;
            if let Some(at) = reserve(0, bytes, 0) {
                let base = at.next_multiple_of(CHUNK);
                let marks = base + size;
                let lines = marks + size / 128;
                let cards = lines + size / 256;
                return Ok(Space {
                    base,
                    size,
                    marks,
                    lines,
                    cards,
                    map_start: at,
                    map_bytes: bytes,
                    committed: vec![false; size / CHUNK],
                    committed_bytes: 0,
                });
            }
            if size <= MIN_RESERVE {
                return Err(GcError::Reserve {
                    bytes,
                    source: std::io::Error::last_os_error(),
                });
            }
            size = (size / 2).next_multiple_of(CHUNK).max(MIN_RESERVE);
        }
    }

    /// True if the chunk of `addr` is accessible.
    pub(crate) fn is_committed(&self, addr: usize) -> bool {
        self.committed[(addr - self.base) / CHUNK]
    }

    /// Makes the chunks that hold `lo..hi` accessible; new ones are zero. False: no memory.
    pub(crate) fn commit(&mut self, lo: usize, hi: usize) -> bool {
        let first = (lo - self.base) / CHUNK;
        let last = (hi - self.base).div_ceil(CHUNK);
        let mut c = first;
        while c < last {
            if self.committed[c] {
                c += 1;
                continue;
            }
            let mut end = c + 1;
            while end < last && !self.committed[end] {
                end += 1;
            }
            let (off, bytes) = (c * CHUNK, (end - c) * CHUNK);
            // SAFETY: all four ranges lie in our reservation; chunks keep them
            // page-aligned (see the module's header).
            let ok = unsafe {
                make_accessible(self.marks + off / 128, bytes / 128)
                    && make_accessible(self.lines + off / 256, bytes / 256)
                    && make_accessible(self.cards + off / 256, bytes / 256)
                    && make_accessible(self.base + off, bytes)
            };
            if !ok {
                return false;
            }
            self.committed[c..end].fill(true);
            self.committed_bytes += bytes;
            c = end;
        }
        true
    }

    /// Gives the pages of `lo..hi` back; they stay accessible and read as zero.
    ///
    /// # Safety
    /// Page-aligned committed heap memory without live objects.
    pub(crate) unsafe fn discard(&self, lo: usize, hi: usize) {
        // SAFETY: the caller vouches for the range; on failure nothing is lost but memory,
        // and then it must still be zeroed.
        unsafe {
            if libc::madvise(lo as *mut libc::c_void, hi - lo, libc::MADV_DONTNEED) != 0 {
                std::ptr::write_bytes(lo as *mut u8, 0, hi - lo);
            }
        }
    }

    #[inline(always)]
    pub(crate) fn contains(&self, addr: usize) -> bool {
        addr.wrapping_sub(self.base) < self.size
    }

    #[inline(always)]
    fn mark_place(&self, addr: usize) -> (*mut u64, u64) {
        let bit = (addr - self.base) >> 4;
        ((self.marks + (bit >> 6) * 8) as *mut u64, 1 << (bit & 63))
    }

    /// True if an object that survived a collection starts at `addr`, a committed address.
    #[inline(always)]
    pub(crate) fn is_marked(&self, addr: usize) -> bool {
        let (word, bit) = self.mark_place(addr);
        // SAFETY: the mark word of a committed address is committed.
        unsafe { *word & bit != 0 }
    }

    #[inline(always)]
    pub(crate) fn set_mark(&mut self, addr: usize) {
        let (word, bit) = self.mark_place(addr);
        // SAFETY: as in `is_marked`, and only the collector writes the table.
        unsafe { *word |= bit }
    }

    #[inline(always)]
    pub(crate) fn clear_mark(&mut self, addr: usize) {
        let (word, bit) = self.mark_place(addr);
        // SAFETY: as in `set_mark`.
        unsafe { *word &= !bit }
    }

    /// Clears the marks of `lo..hi`, both multiples of 1 KiB.
    pub(crate) fn clear_marks(&mut self, lo: usize, hi: usize) {
        let (from, _) = self.mark_place(lo);
        // SAFETY: the mark bits of a committed range are committed; 1 KiB is one word.
        unsafe { std::ptr::write_bytes(from.cast::<u8>(), 0, (hi - lo) / 128) }
    }

    /// The last marked address in `floor..=addr`.
    pub(crate) fn last_mark(&self, addr: usize, floor: usize) -> Option<usize> {
        let top = (addr - self.base) >> 4;
        let low = (floor - self.base) >> 4;
        let mut index = top >> 6;
        let mut mask = u64::MAX >> (63 - (top & 63));
        loop {
            // SAFETY: the words lie between the mark words of two committed addresses.
            let word = unsafe { *((self.marks + index * 8) as *const u64) } & mask;
            if word != 0 {
                let bit = index * 64 + 63 - word.leading_zeros() as usize;
                return (bit >= low).then(|| self.base + bit * 16);
            }
            if index * 64 <= low {
                return None;
            }
            index -= 1;
            mask = u64::MAX;
        }
    }

    /// Calls `each` with the marked addresses of `lo..hi` (multiples of 1 KiB), ascending.
    pub(crate) fn each_mark(&self, lo: usize, hi: usize, each: &mut dyn FnMut(usize)) {
        let mut at = lo;
        while at < hi {
            let (word, _) = self.mark_place(at);
            // SAFETY: the mark word of a committed address.
            let mut bits = unsafe { *word };
            while bits != 0 {
                each(at + bits.trailing_zeros() as usize * 16);
                bits &= bits - 1;
            }
            at += 1024;
        }
    }

    /// The line bytes of `count` lines from the one that holds `addr`.
    #[inline(always)]
    pub(crate) fn lines(&self, addr: usize, count: usize) -> &[u8] {
        // SAFETY: line bytes of committed memory; only the collector, which holds `&mut`,
        // writes them.
        unsafe {
            std::slice::from_raw_parts(
                (self.lines + (addr - self.base) / LINE_BYTES) as *const u8,
                count,
            )
        }
    }

    /// Marks the lines that the object at `addr` touches.
    #[inline(always)]
    pub(crate) fn mark_lines(&mut self, addr: usize, bytes: usize) {
        let first = (addr - self.base) / LINE_BYTES;
        let last = (addr + bytes - 1 - self.base) / LINE_BYTES;
        for line in first..=last {
            // SAFETY: line bytes of committed memory.
            unsafe { *((self.lines + line) as *mut u8) = 1 }
        }
    }

    /// Clears the line bytes of `lo..hi`, multiples of LINE_BYTES.
    pub(crate) fn clear_lines(&mut self, lo: usize, hi: usize) {
        let from = self.lines + (lo - self.base) / LINE_BYTES;
        // SAFETY: line bytes of committed memory.
        unsafe { std::ptr::write_bytes(from as *mut u8, 0, (hi - lo) / LINE_BYTES) }
    }

    /// What to add to `addr >> 8` for the address of its card.
    pub(crate) fn card_bias(&self) -> usize {
        self.cards.wrapping_sub(self.base >> 8)
    }

    #[inline(always)]
    pub(crate) fn card(&self, addr: usize) -> *mut u8 {
        (self.cards + ((addr - self.base) >> 8)) as *mut u8
    }

    #[inline(always)]
    pub(crate) fn is_dirty(&self, addr: usize) -> bool {
        // SAFETY: the card of a committed address.
        unsafe { *self.card(addr) != 0 }
    }

    /// Clears the cards that the object at `addr` touches.
    pub(crate) fn clear_cards(&mut self, addr: usize, bytes: usize) {
        let first = self.card(addr);
        let last = self.card(addr + bytes - 1);
        let count = last as usize - first as usize + 1;
        // SAFETY: cards of a committed object.
        unsafe { std::ptr::write_bytes(first, 0, count) }
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        // SAFETY: our own mapping; `Heap::destroy` ended its use.
        unsafe { release(self.map_start, self.map_bytes) }
    }
}
