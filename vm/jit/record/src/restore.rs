//! What an exit of a trace names becomes real: boxed integers, objects that were
//! virtual, slots of the VM stack.

use pyrite_gc::Heap;
use pyrite_jit_ir::Width;
use pyrite_jit_x64::Materialize;
use pyrite_machine::Value;
use pyrite_machine::plant::{self, Fault};

/// Makes objects for exits. None of this can fail: a trace that is left has
/// nothing to go back to.
pub trait Maker {
    fn heap(&mut self) -> &mut Heap;
    /// The word of an integer outside 50 bits.
    fn big_int(&mut self, i: i64) -> Value;
    /// A fresh object with this header, `words` words in all, zeroed behind it.
    fn object(&mut self, header: u64, words: usize) -> Value;
    /// Tells the collector that a reference was stored into the object.
    fn barrier(&mut self, object: Value);
}

/// Restores the windows of one exit.
pub struct Restorer<M> {
    maker: M,
    base: *mut u64,
}

impl<M: Maker> Restorer<M> {
    /// For an exit of a trace that ran in the window `base`.
    ///
    /// # Safety
    /// The windows of the trace fit the VM stack from there on.
    pub unsafe fn new(maker: M, base: *mut u64) -> Restorer<M> {
        Restorer { maker, base }
    }

    /// Under stress each object comes with a collection.
    fn stress(&mut self) {
        let heap = self.maker.heap();
        if heap.collects_in_exits() {
            heap.collect(false);
        }
    }
}

impl<M: Maker> Materialize for Restorer<M> {
    fn big_int(&mut self, value: i64) -> u64 {
        self.stress();
        let value = if plant::is(Fault::BigIntegerCut) {
            i64::from(value as i32)
        } else {
            value
        };
        self.maker.big_int(value).bits()
    }
    fn new_object(&mut self, words: u32, header: u64) -> u64 {
        self.stress();
        self.maker.object(header, words as usize).bits()
    }
    fn store_field(&mut self, object: u64, offset: i32, width: Width, bits: u64) {
        if plant::is(Fault::FieldNotRestored) && offset == 16 {
            return;
        }
        let p = (object as i64 + i64::from(offset)) as *mut u8;
        // SAFETY: a field of the object just made.
        unsafe {
            match width {
                Width::Val | Width::I64 => p.cast::<u64>().write(bits),
                Width::U32 => p.cast::<u32>().write(bits as u32),
                Width::U16 => p.cast::<u16>().write(bits as u16),
                Width::U8 => p.write(bits as u8),
            }
        }
        self.maker.barrier(Value::from_bits(object));
    }
    fn store_slot(&mut self, slot: i32, word: u64) {
        if plant::is(Fault::SlotNotRestored) && slot % 5 == 0 {
            return;
        }
        // SAFETY: a slot of the trace's windows, which fit.
        unsafe { *self.base.offset(slot as isize) = word }
    }
}
