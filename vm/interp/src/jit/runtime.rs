//! What machine code calls: leaving a trace, slow allocation, the barrier.

use super::driver::{FORCED, jit};
use super::items::{self, ITEM};
use pyrite_jit_ir::Width;
use pyrite_jit_x64::{ExitState, Materialize, Mode};
use pyrite_machine::plant::{self, Fault};
use pyrite_machine::{Header, Value};
use pyrite_objects::vm::Vm;
use std::ffi::c_void;

fn vm_of(p: *mut c_void) -> &'static mut Vm {
    // SAFETY: machine code hands its VM through; one thread holds it.
    unsafe { &mut *p.cast::<Vm>() }
}

struct Maker<'a> {
    vm: &'a mut Vm,
    base: *mut u64,
}

impl Maker<'_> {
    /// Under stress each object comes with a collection.
    fn stress(&mut self) {
        if self.vm.heap.collects_in_exits() {
            self.vm.heap.collect(false);
        }
    }
}

impl Materialize for Maker<'_> {
    fn big_int(&mut self, value: i64) -> u64 {
        self.stress();
        if plant::is(Fault::BigIntegerCut) {
            return self.vm.new_int(i64::from(value as i32)).bits();
        }
        self.vm.new_int(value).bits()
    }
    fn new_object(&mut self, words: u32, header: u64) -> u64 {
        self.stress();
        let p = self
            .vm
            .alloc_words(Header::kind(header), words as usize, Header::shape(header));
        p as u64
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
        self.vm.write_barrier(Value::from_bits(object));
    }
    fn store_slot(&mut self, slot: i32, word: u64) {
        if plant::is(Fault::SlotNotRestored) && slot % 5 == 0 {
            return;
        }
        // SAFETY: a slot of the trace's windows, which were checked to fit.
        unsafe { *self.base.offset(slot as isize) = word }
    }
}

/// A trace is left: the interpreter's state is rebuilt. Returns the exit's number.
pub(super) extern "C" fn on_exit(
    vm: *mut c_void,
    exit: u32,
    frame: *mut u64,
    base: *mut u64,
) -> u64 {
    let vm = vm_of(vm);
    let j = jit(vm);
    j.stats.exits += 1;
    // SAFETY: the frame this very call was handed.
    let state = unsafe { ExitState::new(frame) };
    let info: *const pyrite_jit_x64::ExitInfo = j.backend.exit(exit);
    // Making objects may collect: every slot of the trace's frames is in use.
    // SAFETY: just taken from the table.
    let extent = j.extent_of(unsafe { (*info).trace });
    // SAFETY: the trace was entered only after its frames were checked to fit.
    vm.alloc.top = unsafe { base.offset(extent as isize) } as u64;
    if plant::is(Fault::FrameSlotsUnrooted) {
        vm.alloc.top = base as u64;
    }
    // SAFETY: exit tables only grow while nothing is compiled, and boxing compiles nothing.
    let resumption = unsafe { (*info).restore(&state, &mut Maker { vm, base }) };
    match resumption.mode {
        Mode::Finish { stage: FORCED, .. } => {
            // The called instruction left its instruction pointer in the VM.
        }
        mode => {
            vm.pc = resumption.pc;
            // SAFETY: a window of the trace.
            vm.base = unsafe { base.offset(resumption.base as isize).cast() };
            if let Mode::Finish { stage: ITEM, word } = mode
                && word != 0
            {
                // SAFETY: just set.
                unsafe { items::deliver(vm, Value::from_bits(word)) };
            }
        }
    }
    u64::from(exit)
}

/// The allocation window is too small for what a trace wants to make.
pub(super) extern "C" fn alloc_slow(vm: *mut c_void, site: u32, frame: *mut u64, _base: *mut u64) {
    let vm = vm_of(vm);
    let j = jit(vm);
    let site = j.backend.site(site);
    let bytes = site.bytes as usize;
    if vm.heap.try_reserve(bytes) {
        return;
    }
    // A collection is due: what is dead must not look alive.
    // SAFETY: the frame this very call was handed.
    let mut state = unsafe { ExitState::new(frame) };
    site.clear_dead(&mut state);
    if vm.heap.reserve_room(bytes) {
        return;
    }
    // The trace cannot fail here: it raises at its loop edge.
    vm.grant_grace(bytes);
    if !vm.heap.reserve_room(bytes) {
        eprintln!("Fatal Python error: the system has no room for {bytes} bytes");
        std::process::exit(1);
    }
}

/// An old object was written.
pub(super) extern "C" fn barrier_slow(vm: *mut c_void, object: u64) {
    if !plant::is(Fault::BarrierForgets) {
        vm_of(vm).write_barrier(Value::from_bits(object));
    }
}
