//! Memory below 4 GiB, for what a header's 32-bit shape field points to.

use std::ptr::NonNull;

use crate::GcError;
use crate::space::{address_limit, make_accessible, release, reserve};

const STEP: usize = 64 << 10;
const MIN_BYTES: usize = 1 << 20;
/// Search from above the places where a fixed executable and its heap usually are.
const FIRST: usize = 0x1000_0000;
const LAST: usize = 1 << 32;

pub(crate) struct Low {
    start: usize,
    next: usize,
    accessible: usize,
    end: usize,
}

impl Low {
    pub(crate) fn new(cap: usize) -> Result<Low, GcError> {
        let mut bytes = cap
            .min(address_limit() / 8)
            .max(MIN_BYTES)
            .next_multiple_of(STEP);
        loop {
            let mut hint = FIRST;
            while hint + bytes <= LAST {
                if let Some(at) = reserve(hint, bytes, libc::MAP_FIXED_NOREPLACE) {
                    if at + bytes <= LAST {
                        return Ok(Low {
                            start: at,
                            next: at,
                            accessible: at,
                            end: at + bytes,
                        });
                    }
                    // SAFETY: the mapping just made: an old kernel took the address as a
                    // mere hint.
                    unsafe { release(at, bytes) }
                }
                hint += 64 << 20;
            }
            if bytes <= MIN_BYTES {
                return Err(GcError::ReserveLow { bytes });
            }
            bytes = (bytes / 2).next_multiple_of(STEP).max(MIN_BYTES);
        }
    }

    pub(crate) fn alloc(&mut self, bytes: usize) -> Option<NonNull<u8>> {
        let bytes = bytes.max(1).checked_next_multiple_of(16)?;
        if bytes > self.end - self.next {
            return None;
        }
        let end = self.next + bytes;
        if end > self.accessible {
            let to = end.next_multiple_of(STEP).min(self.end);
            // SAFETY: the range is part of our own mapping, STEP-aligned at both ends.
            if !unsafe { make_accessible(self.accessible, to - self.accessible) } {
                return None;
            }
            self.accessible = to;
        }
        let p = self.next;
        self.next = end;
        NonNull::new(p as *mut u8)
    }
}

impl Drop for Low {
    fn drop(&mut self) {
        // SAFETY: our own mapping; `Heap::destroy` ended its use.
        unsafe { release(self.start, self.end - self.start) }
    }
}
