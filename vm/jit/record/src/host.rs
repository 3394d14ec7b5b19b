//! What the recorder needs of the VM.

use pyrite_machine::Value;

/// See the module's documentation.
pub trait Host {
    /// Keeps an object that the trace names alive and in place.
    fn keep(&mut self, v: Value);
    /// Tells the collector that a reference was stored into the object.
    fn barrier(&mut self, object: Value);
    /// A fresh object with this header, `words` words in all, zeroed behind it.
    /// `None`: out of memory.
    fn alloc(&mut self, header: u64, words: usize) -> Option<Value>;
    /// The word of an integer outside 50 bits (a heap object).
    fn big_int(&mut self, i: i64) -> Value;
    /// The machine integer that such a heap object holds; `None` for anything else.
    fn big_int_value(&self, v: Value) -> Option<i64>;
    /// Something waits to be looked at.
    fn poll(&self) -> bool;
    /// Byte offset of the poll byte in the VM state.
    fn poll_offset(&self) -> i32;
}
