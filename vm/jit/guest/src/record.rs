//! The machine that records.

use crate::code::code_at;
use crate::ints::heap_int;
use crate::vm::Vm;
use crate::{HEADER, Language, Machine};
use pyrite_gc::RootVec;
use pyrite_jit_record::drive::{Guest, out_of_memory};
use pyrite_jit_record::{Abort, Host, Recorder, Word};
use pyrite_machine::{Core, Ctl, Value};

/// Calls within calls that one trace follows.
const MAX_DEPTH: u32 = 8;

/// The VM as a recording sees it.
pub struct Recording<L> {
    vm: *mut Vm<L>,
    /// Objects that the trace names.
    kept: RootVec,
    /// The back-edge that the last step took.
    pub(crate) edge: Option<(*const u64, i32)>,
}

impl<L: Language> Recording<L> {
    pub(crate) fn new(vm: &mut Vm<L>) -> Recording<L> {
        Recording {
            kept: RootVec::pinning(vm.heap),
            vm,
            edge: None,
        }
    }
}

impl<L: Language> Host for Recording<L> {
    fn keep(&mut self, v: Value) {
        self.kept.push(v);
    }
    fn barrier(&mut self, object: Value) {
        // SAFETY: the VM and the object are live.
        unsafe { (*self.vm).heap.barrier(object.ptr()) };
    }
    fn alloc(&mut self, header: u64, words: usize) -> Option<Value> {
        // SAFETY: the VM is live.
        Vm::<L>::object(unsafe { (*self.vm).heap }, header, words)
    }
    fn big_int(&mut self, i: i64) -> Value {
        // SAFETY: the VM is live.
        let v = Vm::<L>::integer(unsafe { (*self.vm).heap }, i);
        v.unwrap_or_else(|| out_of_memory())
    }
    fn big_int_value(&self, v: Value) -> Option<i64> {
        heap_int(v)
    }
    // Nothing ever waits: there are no threads, signals or finalizers.
    fn poll(&self) -> bool {
        false
    }
    fn poll_offset(&self) -> i32 {
        0
    }
}

impl<L: Language> Machine for Recorder<Recording<L>> {
    type Language = L;

    fn lang(&mut self) -> &mut L {
        // SAFETY: the VM is live, and the recorder is borrowed while the reference is.
        unsafe { &mut (*self.host.vm).lang }
    }
    fn call(&mut self, window: usize, n: usize) -> Ctl {
        // SAFETY: the VM is live.
        let code = unsafe { Vm::code(self.host.vm, n) };
        let (base, size) = (self.base().wrapping_add(window), i32::from(code.size));
        // SAFETY: as above.
        let fits = unsafe { (*self.host.vm).fits(base, size) };
        if code.loops || self.depth >= MAX_DEPTH || !fits {
            self.give_up(Abort::InnerLoop);
            return Ctl::Slow;
        }
        let window = window as isize;
        for (i, now) in (1..).zip(code.header(self.pc, window as usize)) {
            // Not constants of the host: code is no object.
            let r = self.e.word(now.bits());
            self.set_reg(window - i, Word { now, r });
        }
        for r in code.args..code.size {
            let null = self.value(Value::NULL);
            self.set_reg(window + r as isize, null);
        }
        self.off += window as i32;
        self.depth += 1;
        self.extent = self.extent.max(self.off + size);
        (self.pc, self.k) = (code.start(), code.consts.as_ptr().cast_mut());
        Ctl::Next
    }
    fn ret(&mut self, result: Word) -> Ctl {
        if self.depth == 0 {
            self.give_up(Abort::LeftFirstFrame);
            return Ctl::Slow;
        }
        // SAFETY: the window's header.
        let (pc, distance) = unsafe { (*self.base().sub(1), *self.base().sub(3)) };
        let distance = distance.int_value() as i32;
        self.e.drop_slots_from(self.off - i32::from(HEADER));
        self.off -= distance;
        self.depth -= 1;
        self.pc = pc.ptr();
        // SAFETY: the caller's window.
        self.k = unsafe { code_at(self.base()) }.consts.as_ptr().cast_mut();
        self.set_reg((distance - i32::from(HEADER)) as isize, result);
        Ctl::Next
    }
    fn back_edge(&mut self, live: usize, back: usize) -> Ctl {
        self.jump(-(back as isize));
        self.host.edge = Some((self.pc, live as i32));
        Ctl::Next
    }
}
