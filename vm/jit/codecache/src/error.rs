//! What can go wrong with executable memory.

use rustix::io::Errno;

/// Why code could not be stored, patched or moved.
#[derive(Debug, thiserror::Error)]
pub enum CodeCacheError {
    /// The operating system gave no region, not even the smallest one asked for.
    #[error("no executable region of {bytes} bytes: {source}")]
    Reserve {
        /// Size of the last attempt, in bytes.
        bytes: usize,
        /// What the system answered to that attempt.
        #[source]
        source: Errno,
    },
    /// The region is full; nothing was written.
    #[error("out of executable memory: {wanted} bytes wanted, {left} of {capacity} left")]
    Full {
        /// Bytes asked for, alignment included.
        wanted: usize,
        /// Bytes still free.
        left: usize,
        /// Size of the region.
        capacity: usize,
    },
    /// A patch would fall outside the code written so far, or be torn by a concurrent fetch.
    #[error("cannot patch {bytes} bytes at {address:#x}: {reason}")]
    BadPatch {
        /// Executable address of the patch.
        address: usize,
        /// Length of the patch.
        bytes: usize,
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// A child of `fork` could not get a region of its own.
    #[error("cannot give the forked process its own code region: {source}")]
    Fork {
        /// What the system answered.
        #[source]
        source: Errno,
    },
}
