//! What machine code calls: leaving a trace, slow allocation, the barrier.

use super::driver::{FORCED, jit};
use super::items::{self, ITEM};
use pyrite_gc::Heap;
use pyrite_jit_record::{Maker, Restorer};
use pyrite_jit_x64::{ExitState, Mode};
use pyrite_machine::plant::{self, Fault};
use pyrite_machine::{Header, Value};
use pyrite_objects::vm::Vm;
use std::ffi::c_void;

fn vm_of(p: *mut c_void) -> &'static mut Vm {
    // SAFETY: machine code hands its VM through; one thread holds it.
    unsafe { &mut *p.cast::<Vm>() }
}

/// Makes what exits name in Pyrite's heap.
struct OfVm<'a>(&'a mut Vm);

impl Maker for OfVm<'_> {
    fn heap(&mut self) -> &mut Heap {
        &mut self.0.heap
    }
    fn big_int(&mut self, i: i64) -> Value {
        self.0.new_int(i)
    }
    fn object(&mut self, header: u64, words: usize) -> Value {
        let (kind, shape) = (Header::kind(header), Header::shape(header));
        Value::from_ptr(self.0.alloc_words(kind, words, shape))
    }
    fn barrier(&mut self, object: Value) {
        self.0.write_barrier(object);
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
    let resumption = unsafe { (*info).restore(&state, &mut Restorer::new(OfVm(&mut *vm), base)) };
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
