//! Memory that runs out.
//!
//! Most allocations cannot fail: Rust code that makes a tuple has no use for the
//! news. So the limit gives way: past it the heap grants some more, and the running
//! code raises MemoryError at its next loop edge or call, as it would answer a
//! signal. A full collection that gets below the limit again ends the grace.
//!
//! What a program asks for by number (`[0] * n`, `bytes(n)`, `s.ljust(n)`) is asked
//! about before, by [`Vm::room_for`], and raises at once.

use crate::vm::{R, Vm, poll};
use std::sync::OnceLock;

/// Requests below this are never refused in advance.
const LARGE: usize = 1 << 20;
/// What is granted past the limit at a time.
const GRACE: usize = 16 << 20;

/// Bytes of memory and swap of the machine.
fn machine_bytes() -> usize {
    static BYTES: OnceLock<usize> = OnceLock::new();
    *BYTES.get_or_init(|| {
        // SAFETY: fills the structure.
        unsafe {
            let mut s: libc::sysinfo = std::mem::zeroed();
            if libc::sysinfo(&mut s) != 0 {
                return usize::MAX;
            }
            (s.totalram as usize)
                .saturating_add(s.totalswap as usize)
                .saturating_mul(s.mem_unit as usize)
        }
    })
}

impl Vm {
    /// Checks that there is room for so many bytes on request of the program.
    ///
    /// # Errors
    /// MemoryError if not, after a collection.
    pub fn room_for(&mut self, bytes: usize) -> R<()> {
        if bytes < LARGE {
            return Ok(());
        }
        if bytes < machine_bytes() && bytes < self.heap.reserved_bytes() {
            if self.heap.has_room_within_limit(bytes) {
                return Ok(());
            }
            self.heap.collect(true);
            if self.heap.has_room_within_limit(bytes) {
                return Ok(());
            }
        }
        Err(self.memory_error(""))
    }

    /// Lets the heap grow past its limit for a request that cannot fail; MemoryError
    /// follows at the next loop edge or call.
    #[cold]
    pub fn grant_grace(&mut self, bytes: usize) {
        self.heap.grant(bytes.saturating_add(GRACE));
        self.poll_set(poll::MEMORY);
    }
}
