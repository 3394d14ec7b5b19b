//! The object header: one word in front of every heap object.
//!
//! | bits | meaning |
//! |---|---|
//! | 0 | FORWARDED: the rest of the word is the new address |
//! | 1 | OLD: survived a collection and is not in the remembered set |
//! | 2 | CARDED: large array that is in the card list |
//! | 3 | PIN: never moves (its `id()` was taken, code embeds it, ...) |
//! | 4 | FINALIZED: its finalizer has run or is queued |
//! | 5 | HAS_FIN: its class has a finalizer |
//! | 6 | HAS_WEAKREF: a weak reference to it exists |
//! | 8-15 | kind: index of the layout's trace and size functions |
//! | 16-31 | size in 16-byte granules, 0: ask the kind |
//! | 32-63 | shape: address of a structure that lies below 4 GiB |
//!
//! So `cmp dword [obj + 4], imm32` is a shape guard, and an allocation site's
//! header is one 64-bit immediate.

/// Index of an object layout; the embedder hands the collector a table of them.
pub type Kind = u8;

/// Bits of the header word; see the module's table.
pub struct Header;

impl Header {
    pub const FORWARDED: u64 = 1;
    pub const OLD: u64 = 2;
    pub const CARDED: u64 = 4;
    pub const PIN: u64 = 8;
    pub const FINALIZED: u64 = 16;
    pub const HAS_FIN: u64 = 32;
    pub const HAS_WEAKREF: u64 = 64;
    /// Where the kind starts.
    pub const KIND_SHIFT: u32 = 8;
    /// Where the size in granules starts.
    pub const SIZE_SHIFT: u32 = 16;
    /// Where the shape starts.
    pub const SHAPE_SHIFT: u32 = 32;
    /// Bytes per granule; every object is aligned to it.
    pub const GRANULE: usize = 16;

    /// The kind in a header word.
    #[inline(always)]
    pub const fn kind(word: u64) -> Kind {
        (word >> Header::KIND_SHIFT) as u8
    }

    /// The size in granules in a header word; 0: the kind knows.
    #[inline(always)]
    pub const fn granules(word: u64) -> usize {
        (word >> Header::SIZE_SHIFT) as u16 as usize
    }

    /// The shape's address in a header word.
    #[inline(always)]
    pub const fn shape(word: u64) -> u32 {
        (word >> Header::SHAPE_SHIFT) as u32
    }
}

/// The header word of a fresh object of `words` 8-byte words, header included.
///
/// The size field stays 0 (and the kind must know) from 65,536 granules on.
#[inline(always)]
pub const fn header_word(kind: Kind, words: usize, shape: u32) -> u64 {
    let granules = words.div_ceil(2);
    let field = if granules < 1 << 16 {
        granules as u64
    } else {
        0
    };
    (kind as u64) << Header::KIND_SHIFT
        | field << Header::SIZE_SHIFT
        | (shape as u64) << Header::SHAPE_SHIFT
}
