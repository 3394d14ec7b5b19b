//! The evaluator's machine, made real: its objects at their very addresses, and machine code over them.
//!
//! The evaluator counts addresses up from [`FIRST`], 16 bytes at a time. Real memory is mapped
//! there, and the allocation window starts where the evaluator's next object would go. So after a
//! run both must hold the same words, addresses included.

use std::collections::HashMap;
use std::ffi::c_void;

use pyrite_jit_codecache::CodeCache;
use pyrite_jit_eval::{Host as _, Machine, Memory};
use pyrite_jit_fuzz::program::{ARRAY, HEAP_INT};
use pyrite_jit_fuzz::vm::Functions;
use pyrite_jit_fuzz::{Observer, Run};
use pyrite_jit_ir::{CallTarget, Effects, SnapshotId, Trace, TraceId, TraceKind, Ty, Width, word};
use pyrite_jit_x64::{
    Backend, CompileOptions, Compiled, ExitState, Layout, Materialize, Mode, Resumption,
};
use rustix::mm::{MapFlags, ProtFlags};

/// Address of the evaluator's first object.
const FIRST: u64 = 0x1000_0000;
const HEAP_BYTES: u64 = 1 << 20;
/// What the evaluator's memory holds where nothing was written.
const UNWRITTEN: u64 = 0xDEAD_0BAD_DEAD_0BAD;
/// Slots of the window, and how many of them lie below slot 0.
const SLOTS: usize = 64;
const BELOW: usize = 8;
/// The allocation window grows by so much, to take its slow path often.
const WINDOW_STEP: u64 = 96;

/// The VM state; `host` is behind what machine code knows.
#[repr(C)]
struct VmState {
    cur: u64,
    lim: u64,
    top: u64,
    activation: u64,
    result: u64,
    host: *mut Host,
}

/// What the callbacks work on.
struct Host {
    backend: Backend,
    left: Option<(TraceId, SnapshotId, Resumption)>,
}

/// Machine code, one backend per way of allocating registers.
pub(crate) struct Native {
    hosts: Vec<(CompileOptions, Box<Host>, Vec<Compiled>)>,
    by_id: HashMap<TraceId, usize>,
    pub(crate) runs: u64,
    pub(crate) spilled: u64,
    pub(crate) code_bytes: u64,
}

/// Maps the evaluator's addresses, once per process.
pub(crate) fn map_heap() {
    let flags = MapFlags::PRIVATE | MapFlags::FIXED_NOREPLACE;
    let prot = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: the flag refuses to replace anything that is mapped there.
    let mapped = unsafe {
        rustix::mm::mmap_anonymous(FIRST as *mut c_void, HEAP_BYTES as usize, prot, flags)
    };
    assert_eq!(
        mapped.map(|p| p as u64),
        Ok(FIRST),
        "the evaluator's addresses are free in this process"
    );
}

impl Native {
    pub(crate) fn new() -> Self {
        let layout = Layout {
            cur: 0,
            lim: 8,
            top: 16,
            activation: 24,
            result: 32,
            on_exit,
            alloc_slow,
            barrier_slow,
        };
        let hosts = [true, false]
            .into_iter()
            .map(|regalloc| {
                let cache =
                    CodeCache::with_capacity(1 << 19).expect("half a megabyte of code can be had");
                let backend = Backend::with_cache(layout, cache).expect("the backend works here");
                let options = CompileOptions {
                    regalloc,
                    extent: (SLOTS - BELOW) as i32,
                };
                (
                    options,
                    Box::new(Host {
                        backend,
                        left: None,
                    }),
                    Vec::new(),
                )
            })
            .collect();
        Self {
            hosts,
            by_id: HashMap::new(),
            runs: 0,
            spilled: 0,
            code_bytes: 0,
        }
    }
}

impl Observer for Native {
    fn trace(&mut self, trace: &Trace) {
        let mut trace = trace.clone();
        for target in &mut trace.calls {
            target.addr = function(&target.name);
        }
        self.by_id.insert(trace.id, self.by_id.len());
        for (options, host, compiled) in &mut self.hosts {
            let code = host
                .backend
                .compile(&mut trace.clone(), *options)
                .unwrap_or_else(|e| panic!("{e}\n{trace}"));
            if let TraceKind::Bridge { parent, exit } = trace.kind {
                let exit = host
                    .backend
                    .exit_of(parent, exit)
                    .expect("parents come first");
                host.backend
                    .attach_bridge(exit, &code)
                    .expect("exits can be patched");
            }
            self.spilled += u64::from(code.spilled * u32::from(options.regalloc));
            self.code_bytes += code.code_bytes as u64 * u64::from(options.regalloc);
            compiled.push(code);
        }
    }

    fn run(&mut self, before: &Machine, run: &Run<'_>) -> Result<(), String> {
        let expected = describe(run.after);
        for (options, host, compiled) in &mut self.hosts {
            self.runs += 1;
            let mut slots = [0u64; SLOTS];
            for (&slot, &word) in &before.slots {
                slots[(slot + BELOW as i32) as usize] = word;
            }
            let cur = copy_in(&before.memory);
            let mut vm = VmState {
                cur,
                lim: cur,
                top: 0,
                activation: 0,
                result: 0,
                host: &mut **host,
            };
            let entry = host.backend.entry();
            let base = slots[BELOW..].as_mut_ptr();
            // SAFETY: `vm` is laid out as the layout says, the window has all slots of the tiny
            // language, and traces touch only objects, which are mapped.
            unsafe { Backend::enter_at(entry, (&raw mut vm).cast(), base, compiled[0].entry) };
            let (left, snapshot, resumption) = host.left.take().expect("on_exit ran");
            let state = run
                .after
                .slots
                .keys()
                .map(|&slot| (slot, slots[(slot + BELOW as i32) as usize]))
                .collect();
            let objects = copy_out(vm.cur)
                .iter()
                .map(|words| words.iter().map(|&w| plain(w)).collect())
                .collect();
            let found = (objects, sorted(state));
            let value = match resumption.mode {
                Mode::Finish { word, .. } => Some(plain(word)),
                Mode::Reexec => None,
            };
            let wanted = (run.left, run.snapshot, run.value.map(plain));
            if (left, snapshot, value) != wanted || found != expected {
                let mut text = format!(
                    "{options:?}\nfound {:x?}\nwanted {wanted:x?}\n",
                    (left, snapshot, value)
                );
                text += &difference(&found, &expected);
                for code in &*compiled {
                    text += &format!("trace {}\n{}", code.id.0, host.backend.disassemble(code));
                }
                return Err(text);
            }
        }
        Ok(())
    }
}

type State = (Vec<Vec<u64>>, Vec<(i32, u64)>);

/// Objects in order of address, then slots in order.
fn describe(machine: &Machine) -> State {
    let mut objects = Vec::new();
    each_object(&machine.memory, |_, words| {
        objects.push(words.iter().map(|&w| plain(w)).collect())
    });
    (
        objects,
        sorted(
            machine
                .slots
                .iter()
                .map(|(&slot, &word)| (slot, word))
                .collect(),
        ),
    )
}

fn sorted(mut slots: Vec<(i32, u64)>) -> Vec<(i32, u64)> {
    slots.sort_unstable();
    slots
        .iter()
        .map(|&(slot, word)| (slot, plain(word)))
        .collect()
}

fn difference(found: &State, wanted: &State) -> String {
    let mut out = format!("{} objects, {} wanted\n", found.0.len(), wanted.0.len());
    for (i, (f, w)) in found
        .0
        .iter()
        .zip(&wanted.0)
        .enumerate()
        .filter(|(_, (f, w))| f != w)
    {
        out += &format!("object {i}: found {f:x?}, wanted {w:x?}\n");
    }
    for (f, w) in found.1.iter().zip(&wanted.1).filter(|(f, w)| f != w) {
        out += &format!("slot: found {f:x?}, wanted {w:x?}\n");
    }
    out
}

/// A NaN's sign depends on which operand's NaN an operation hands on.
fn plain(word: u64) -> u64 {
    if word == word::box_flt(-f64::NAN) {
        word::box_flt(f64::NAN)
    } else {
        word
    }
}

fn each_object(memory: &Memory, mut each: impl FnMut(u64, &[u64])) {
    let mut address = FIRST;
    while let Some(words) = memory.object(address) {
        each(address, words);
        address += (words.len() as u64).div_ceil(2) * 16;
    }
}

/// Writes all objects to their addresses; returns where the next one goes.
fn copy_in(memory: &Memory) -> u64 {
    let mut end = FIRST;
    each_object(memory, |address, words| {
        for (i, &word) in words.iter().enumerate() {
            store(address + 8 * i as u64, 8, word);
        }
        end = address + (words.len() as u64).div_ceil(2) * 16;
    });
    for address in (end..(end + (1 << 16)).min(FIRST + HEAP_BYTES)).step_by(8) {
        store(address, 8, UNWRITTEN);
    }
    end
}

/// Reads all objects below `end`.
fn copy_out(end: u64) -> Vec<Vec<u64>> {
    let mut out = Vec::new();
    let mut address = FIRST;
    while address < end {
        let shape = (load(address) >> 32) as u32;
        let words = match shape {
            HEAP_INT => 2,
            ARRAY => 2 + load(address + 8),
            _ => 4,
        };
        out.push((0..words).map(|i| load(address + 8 * i)).collect());
        address += words.div_ceil(2) * 16;
    }
    out
}

fn check_range(address: u64) {
    assert!(
        (FIRST..FIRST + HEAP_BYTES - 8).contains(&address),
        "{address:#x} lies in the heap"
    );
}

fn load(address: u64) -> u64 {
    check_range(address);
    // SAFETY: mapped, and aligned to its width by the caller.
    unsafe { (address as *const u64).read() }
}

fn store(address: u64, bytes: u64, value: u64) {
    check_range(address);
    // SAFETY: mapped, and aligned to its width by the caller.
    unsafe {
        match bytes {
            1 => (address as *mut u8).write(value as u8),
            2 => (address as *mut u16).write(value as u16),
            4 => (address as *mut u32).write(value as u32),
            _ => (address as *mut u64).write(value),
        }
    }
}

impl VmState {
    fn alloc(&mut self, words: u64, header: u64) -> u64 {
        let object = self.cur;
        self.cur += words.div_ceil(2) * 16;
        self.lim = self.lim.max(self.cur);
        store(object, 8, header);
        object
    }
}

/// The state behind a pointer that machine code handed over.
///
/// # Safety
/// `vm` is the state `run` entered with, and nobody else uses it during the callback.
unsafe fn state<'a>(vm: *mut c_void) -> &'a mut VmState {
    // SAFETY: passed on to the caller.
    unsafe { &mut *vm.cast::<VmState>() }
}

struct Slots<'a> {
    vm: &'a mut VmState,
    base: *mut u64,
}

impl Materialize for Slots<'_> {
    fn big_int(&mut self, value: i64) -> u64 {
        let object = self.vm.alloc(2, header(HEAP_INT));
        store(object + 8, 8, value as u64);
        object
    }

    fn new_object(&mut self, words: u32, header: u64) -> u64 {
        let object = self.vm.alloc(words.into(), header);
        for i in 1..u64::from(words) {
            store(object + 8 * i, 8, 0);
        }
        object
    }

    fn store_field(&mut self, object: u64, offset: i32, width: Width, bits: u64) {
        store(object + offset as u64, width.bytes() as u64, bits);
    }

    fn store_slot(&mut self, slot: i32, word: u64) {
        assert!(
            (-(BELOW as i32)..(SLOTS - BELOW) as i32).contains(&slot),
            "slot {slot} exists"
        );
        // SAFETY: the window was just checked to have the slot.
        unsafe { self.base.offset(slot as isize).write(word) }
    }
}

fn header(shape: u32) -> u64 {
    u64::from(shape) << 32 | 0x200
}

extern "C" fn on_exit(vm: *mut c_void, id: u32, frame: *mut u64, base: *mut u64) -> u64 {
    // SAFETY: called by machine code that `run` entered.
    let vm = unsafe { state(vm) };
    // SAFETY: `run` stored the pointer, and touches the host only after this returns.
    let host = unsafe { &mut *vm.host };
    // SAFETY: `frame` is the one given to this function.
    let values = unsafe { ExitState::new(frame) };
    let info = host.backend.exit(id);
    let resumption = info.restore(&values, &mut Slots { vm, base });
    host.left = Some((info.trace, info.snapshot, resumption));
    0
}

extern "C" fn alloc_slow(vm: *mut c_void, site: u32, frame: *mut u64, _base: *mut u64) {
    // SAFETY: called by machine code that `run` entered.
    let vm = unsafe { state(vm) };
    // SAFETY: `run` stored the pointer, and touches the host only after this returns.
    let site = unsafe { (*vm.host).backend.site(site) };
    // SAFETY: `frame` is the one given to this function.
    site.clear_dead(&mut unsafe { ExitState::new(frame) });
    while vm.lim < vm.cur + site.bytes as u64 {
        vm.lim += WINDOW_STEP;
    }
}

extern "C" fn barrier_slow(_vm: *mut c_void, _object: u64) {
    panic!("no object of these programs is old");
}

// --- the functions of the tiny language ------------------------------------------------------------

/// Calls the evaluator's function of this name on a copy of real memory, and copies back.
fn call(vm: *mut c_void, name: &'static str, arg: u64) -> u64 {
    // SAFETY: called by machine code that `run` entered.
    let vm = unsafe { state(vm) };
    let mut machine = Machine {
        heap_int_header: header(HEAP_INT),
        ..Machine::default()
    };
    for words in copy_out(vm.cur) {
        let object = machine.memory.alloc(words.len() as u32, words[0]);
        for (i, &word) in words.iter().enumerate().skip(1) {
            let written = machine
                .memory
                .write(object + 8 * i as u64, Width::I64, word);
            written.expect("the object was just made");
        }
    }
    let target = CallTarget {
        name: name.into(),
        addr: 0,
        effects: Effects::default(),
        params: Vec::new(),
        ret: Ty::Val,
    };
    let result = Functions.call(&target, &[arg], &mut machine);
    vm.cur = copy_in(&machine.memory);
    vm.lim = vm.lim.max(vm.cur);
    result.expect("the evaluator knows its functions")
}

macro_rules! functions {
    ($($function:ident $name:literal;)*) => {
        $(extern "C" fn $function(vm: *mut c_void, arg: u64) -> u64 {
            call(vm, $name, arg)
        })*

        fn function(name: &str) -> usize {
            match name {
                $($name => $function as *const () as usize,)*
                _ => panic!("no function {name}"),
            }
        }
    };
}

functions! {
    call_box "box";
    call_pure "pure";
    call_poke "poke";
    call_any "any";
    call_wrap "wrap";
}
