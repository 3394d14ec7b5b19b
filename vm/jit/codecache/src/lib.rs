//! Executable memory of the tracing JIT.
//!
//! Problem: traces are appended and patched all the time, often by code that will return into an
//! older trace. A buffer that moves, or loses its execute permission while it grows, would crash it.
//!
//! Idea: one region is reserved once and mapped twice, for writing and for running. Code is appended
//! by a bump pointer, so an address given out stays valid for the life of the process; a guard is
//! redirected by one store through the writable view, with no system call.
//!
//! ```
//! # use pyrite_jit_codecache::CodeCache;
//! let mut cache = CodeCache::with_capacity(1 << 16)?;
//! let at = cache.next_address(16);             // assemble for this address ...
//! let span = cache.append(16, &[0xC3])?;       // ... and store it there
//! assert_eq!(span.address, at);
//! # Ok::<(), pyrite_jit_codecache::CodeCacheError>(())
//! ```
//!
//! Invariants
//! - Written bytes change only through [`CodeCache::patch4`] and [`CodeCache::patch_within8`].
//! - There is one writer (`&mut`); code may run while it writes, as each patch is one store.
//! - After `fork`, the child calls [`CodeCache::after_fork`] before it runs or writes code: the two
//!   processes share the bytes until then, and a patch by one would reach the other.
//!
//! Left out: freeing. A trace that is no longer wanted is cut off by patches and its bytes stay.

mod error;
mod mapping;
mod perf;

pub use error::CodeCacheError;
pub use mapping::Backing;
pub use perf::PerfMap;

use mapping::Mapping;

/// Region asked for first by [`CodeCache::new`], in bytes.
pub const DEFAULT_CAPACITY: usize = 64 << 20;

/// Smallest region [`CodeCache::new`] is content with, in bytes.
pub const MIN_CAPACITY: usize = 1 << 20;

const PAGE: usize = 4096;

/// Where a piece of code went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeSpan {
    /// Address of its first byte in the executable view.
    pub address: usize,
    /// Length in bytes.
    pub len: usize,
}

impl CodeSpan {
    /// True when `address` is one of its bytes.
    #[must_use]
    pub fn contains(&self, address: usize) -> bool {
        address.wrapping_sub(self.address) < self.len
    }
}

/// The region and its bump pointer.
#[derive(Debug)]
pub struct CodeCache {
    mapping: Mapping,
    used: usize,
}

// SAFETY: the pointers inside are owned by this value alone and bound to no thread.
unsafe impl Send for CodeCache {}

impl CodeCache {
    /// Reserves [`DEFAULT_CAPACITY`], halved until the system agrees; address space limits and
    /// refused unnamed files are survived, see [`Backing`].
    ///
    /// # Errors
    /// [`CodeCacheError::Reserve`] when not even [`MIN_CAPACITY`] can be had.
    pub fn new() -> Result<Self, CodeCacheError> {
        let mut capacity = DEFAULT_CAPACITY;
        loop {
            match Self::with_capacity(capacity) {
                Err(_) if capacity > MIN_CAPACITY => capacity /= 2,
                result => return result,
            }
        }
    }

    /// Reserves exactly `capacity` bytes, rounded up to whole pages.
    ///
    /// # Errors
    /// [`CodeCacheError::Reserve`] when the system refuses.
    pub fn with_capacity(capacity: usize) -> Result<Self, CodeCacheError> {
        Self::with_backing(capacity, Backing::TwoViews)
            .or_else(|_| Self::with_backing(capacity, Backing::OneView))
    }

    /// Like [`CodeCache::with_capacity`], without a second choice of backing.
    ///
    /// # Errors
    /// [`CodeCacheError::Reserve`] when the system refuses.
    pub fn with_backing(capacity: usize, backing: Backing) -> Result<Self, CodeCacheError> {
        let bytes = capacity.max(1).next_multiple_of(PAGE);
        let mapping = Mapping::new(bytes, backing)
            .map_err(|source| CodeCacheError::Reserve { bytes, source })?;
        Ok(Self { mapping, used: 0 })
    }

    /// How the region is backed.
    #[must_use]
    pub fn backing(&self) -> Backing {
        self.mapping.backing()
    }

    /// Size of the region in bytes.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.mapping.len()
    }

    /// Bytes written so far, alignment included.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used
    }

    /// Executable address the next [`CodeCache::append`] with this alignment will use.
    ///
    /// `align` is a power of two, at most a page.
    #[must_use]
    pub fn next_address(&self, align: usize) -> usize {
        self.mapping.rx_addr() + self.used.next_multiple_of(align)
    }

    /// Copies `code` behind what is there, at [`CodeCache::next_address`].
    ///
    /// # Errors
    /// [`CodeCacheError::Full`] when it does not fit; the cache is unchanged then.
    pub fn append(&mut self, align: usize, code: &[u8]) -> Result<CodeSpan, CodeCacheError> {
        debug_assert!(
            align.is_power_of_two() && align <= PAGE,
            "alignment is a power of two within a page"
        );
        let start = self.used.next_multiple_of(align);
        let end = start.saturating_add(code.len());
        if end > self.capacity() {
            return Err(CodeCacheError::Full {
                wanted: end - self.used,
                left: self.capacity() - self.used,
                capacity: self.capacity(),
            });
        }
        self.mapping.write(start, code);
        self.used = end;
        Ok(CodeSpan {
            address: self.mapping.rx_addr() + start,
            len: code.len(),
        })
    }

    /// Replaces the 4 bytes at `address` (a multiple of 4) by one store.
    ///
    /// # Errors
    /// [`CodeCacheError::BadPatch`] when the address is odd-aligned or holds no code.
    pub fn patch4(&mut self, address: usize, value: u32) -> Result<(), CodeCacheError> {
        let offset = self.written_offset(address, 4)?;
        if !offset.is_multiple_of(4) {
            return Err(CodeCacheError::BadPatch {
                address,
                bytes: 4,
                reason: "not a multiple of 4",
            });
        }
        self.mapping.store4(offset, value);
        Ok(())
    }

    /// Replaces up to 8 bytes that lie in one aligned 8-byte word, by one store.
    ///
    /// # Errors
    /// [`CodeCacheError::BadPatch`] when they straddle two words or are not code written before.
    pub fn patch_within8(&mut self, address: usize, bytes: &[u8]) -> Result<(), CodeCacheError> {
        let offset = self.written_offset(address, bytes.len())?;
        if offset % 8 + bytes.len() > 8 || (offset & !7) + 8 > self.capacity() {
            return Err(CodeCacheError::BadPatch {
                address,
                bytes: bytes.len(),
                reason: "straddles two words",
            });
        }
        self.mapping.store_within8(offset, bytes);
        Ok(())
    }

    /// A copy of the code in `span`.
    ///
    /// # Panics
    /// When `span` was not returned by this cache.
    #[must_use]
    pub fn read(&self, span: CodeSpan) -> Vec<u8> {
        let offset = self
            .written_offset(span.address, span.len)
            .expect("the span came from this cache");
        let mut out = vec![0; span.len];
        self.mapping.read(offset, &mut out);
        out
    }

    /// Gives the child of a `fork` bytes of its own, at the same addresses.
    ///
    /// Must run in the child before any code of the region, and before any write.
    ///
    /// # Errors
    /// [`CodeCacheError::Fork`]: the child must then run without compiled code and write none.
    pub fn after_fork(&mut self) -> Result<(), CodeCacheError> {
        self.mapping
            .unshare(self.used)
            .map_err(|source| CodeCacheError::Fork { source })
    }

    fn written_offset(&self, address: usize, bytes: usize) -> Result<usize, CodeCacheError> {
        let offset = address.wrapping_sub(self.mapping.rx_addr());
        if offset <= self.used && bytes <= self.used - offset {
            Ok(offset)
        } else {
            Err(CodeCacheError::BadPatch {
                address,
                bytes,
                reason: "no code there",
            })
        }
    }
}
