//! Integers between 50 and 64 bits: objects of two words. The interpreter's `is_int` is false for
//! them, the careful machine's true, and traces keep such numbers unboxed.

use pyrite_gc::KindInfo;
use pyrite_machine::{Header, Value, header_word};

/// The first kind of each language.
pub const INT_KIND: KindInfo = KindInfo::leaf("int");
/// Shape of heap ints.
pub const INT_SHAPE: u32 = 1;

/// Words of a heap int.
pub(crate) const WORDS: usize = 2;
/// Header of a heap int.
pub(crate) const HEADER: u64 = header_word(0, WORDS, INT_SHAPE);

/// The integer in a heap int; `None` for any other word.
pub(crate) fn heap_int(v: Value) -> Option<i64> {
    // SAFETY: a pointer word names a live object; heap ints have a second word.
    unsafe { (v.is_ptr() && Header::shape(*v.ptr()) == INT_SHAPE).then(|| *v.ptr().add(1) as i64) }
}
