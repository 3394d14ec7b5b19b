//! The VM side of the backend: exits, slow paths, functions that traces call.

use std::ffi::c_void;

use pyrite_jit_codecache::CodeCache;
use pyrite_jit_ir::{Effects, TraceId, TraceKind, Width, word};
use pyrite_jit_x64::{
    Activation, Backend, CompileOptions, Compiled, ExitState, Layout, Materialize, Mode, Resumption,
};

use super::arena::{ACTIVATION, Arena, CUR, EXTENT, HOST, LIM, RESULT, TOP, WINDOW};
use super::{Outcome, Program};

pub(crate) struct Machine {
    host: Box<Host>,
    pub(crate) compiled: Vec<Compiled>,
}

/// What the callbacks find through the VM state.
struct Host {
    arena: Arena,
    backend: Backend,
    left: Option<(u32, Resumption)>,
    log: Vec<u64>,
}

pub(crate) fn layout() -> Layout {
    Layout {
        cur: 8 * CUR as i32,
        lim: 8 * LIM as i32,
        top: 8 * TOP as i32,
        activation: 8 * ACTIVATION as i32,
        result: 8 * RESULT as i32,
        on_exit,
        alloc_slow,
        barrier_slow,
    }
}

impl Machine {
    pub(crate) fn new(arena: Arena) -> Self {
        let cache = CodeCache::with_capacity(1 << 20).expect("a megabyte of code can be had");
        let backend = Backend::with_cache(layout(), cache).expect("the backend works here");
        let host = Box::new(Host {
            arena,
            backend,
            left: None,
            log: Vec::new(),
        });
        Self {
            host,
            compiled: Vec::new(),
        }
    }

    pub(crate) fn backend(&mut self) -> &mut Backend {
        &mut self.host.backend
    }

    pub(crate) fn arena(&mut self) -> &mut Arena {
        &mut self.host.arena
    }

    pub(crate) fn into_arena(self) -> Arena {
        self.host.arena
    }

    pub(crate) fn disassemble(&self, compiled: &Compiled) -> String {
        self.host.backend.disassemble(compiled)
    }

    /// Compiles all traces and attaches the bridges.
    pub(crate) fn load(&mut self, program: &Program, options: CompileOptions) {
        for trace in &program.traces {
            let compiled = self
                .host
                .backend
                .compile(&mut trace.clone(), options)
                .unwrap_or_else(|e| panic!("{e}\n{trace}"));
            if let TraceKind::Bridge { parent, exit } = trace.kind {
                let id = self
                    .host
                    .backend
                    .exit_of(parent, exit)
                    .expect("parents come first");
                self.host
                    .backend
                    .attach_bridge(id, &compiled)
                    .expect("exits can be patched");
            }
            self.compiled.push(compiled);
        }
    }

    /// Runs a root until it leaves.
    pub(crate) fn run(&mut self, root: TraceId) -> Outcome {
        let id = self.enter(root);
        let (left, resumption) = self.host.left.take().expect("on_exit ran");
        assert_eq!(id, u64::from(left), "the result of on_exit comes back");
        let info = self.host.backend.exit(left);
        Outcome {
            exit: (info.trace, info.snapshot),
            resumption,
            memory: self.host.arena.contents(),
            log: std::mem::take(&mut self.host.log),
        }
    }

    /// Runs a root that ends in `ret`; the word it hands over.
    pub(crate) fn run_to_return(&mut self, root: TraceId) -> u64 {
        assert_eq!(self.enter(root), 0, "a return is no exit");
        assert!(self.host.left.is_none(), "on_exit did not run");
        self.host.arena.get(RESULT)
    }

    fn enter(&mut self, root: TraceId) -> u64 {
        let host: *mut Host = &mut *self.host;
        let code = self
            .compiled
            .iter()
            .find(|c| c.id == root)
            .expect("the root is compiled")
            .entry;
        let entry = self.host.backend.entry();
        self.host.arena.set(HOST, host as u64);
        let (vm, base) = (
            self.host.arena.addr(0) as *mut c_void,
            self.host.arena.addr(WINDOW) as *mut u64,
        );
        // SAFETY: the arena is a VM state as `layout` says, its window has every slot tests use, and
        // the callbacks are the only ones that touch the host until this returns.
        let id = unsafe { Backend::enter_at(entry, vm, base, code) };
        assert_eq!(
            self.host.arena.get(ACTIVATION),
            0,
            "the activation list is empty again"
        );
        id
    }
}

/// The host of a VM state.
///
/// # Safety
/// `vm` is the arena of a running [`Machine`], and nobody else uses its host during the callback.
unsafe fn host<'a>(vm: *mut c_void) -> &'a mut Host {
    // SAFETY: passed on to the caller; `run` stored the pointer.
    unsafe { &mut *((vm.cast::<u64>().add(HOST)).read() as *mut Host) }
}

struct Slots<'a>(&'a mut Arena);

impl Materialize for Slots<'_> {
    fn big_int(&mut self, value: i64) -> u64 {
        let object = self.0.allocate(2, BIG_INT);
        self.0.store(object + 8, 8, value as u64);
        object
    }

    fn new_object(&mut self, words: u32, header: u64) -> u64 {
        self.0.allocate(words, header)
    }

    fn store_field(&mut self, object: u64, offset: i32, width: Width, bits: u64) {
        self.0.store(object + offset as u64, width.bytes(), bits);
    }

    fn store_slot(&mut self, slot: i32, word: u64) {
        self.0.set_slot(slot, word);
    }
}

/// Header of the test's big integers.
pub(crate) const BIG_INT: u64 = 0xB16 << 32;

extern "C" fn on_exit(vm: *mut c_void, id: u32, frame: *mut u64, base: *mut u64) -> u64 {
    // SAFETY: called by machine code that `run` entered.
    let host = unsafe { host(vm) };
    assert_eq!(
        base as u64,
        host.arena.addr(WINDOW),
        "the window base is kept"
    );
    // SAFETY: `frame` is the one given to this function.
    let state = unsafe { ExitState::new(frame) };
    let resumption = host
        .backend
        .exit(id)
        .restore(&state, &mut Slots(&mut host.arena));
    host.left = Some((id, resumption));
    u64::from(id)
}

extern "C" fn alloc_slow(vm: *mut c_void, site: u32, frame: *mut u64, _base: *mut u64) {
    // SAFETY: called by machine code that `run` entered.
    let host = unsafe { host(vm) };
    let top = host.arena.get(TOP);
    assert_eq!(
        top,
        host.arena.addr(WINDOW + EXTENT as usize),
        "top covers the frame"
    );
    let site = host.backend.site(site);
    // SAFETY: `frame` is the one given to this function.
    let mut state = unsafe { ExitState::new(frame) };
    site.clear_dead(&mut state);
    let bytes = site.bytes as u64;
    host.arena.make_room(bytes);
}

extern "C" fn barrier_slow(vm: *mut c_void, object: u64) {
    // SAFETY: called by machine code that `run` entered.
    let host = unsafe { host(vm) };
    remember(&mut host.arena, object);
}

/// What the collector does for a written old object: note it once.
pub(crate) fn remember(arena: &mut Arena, object: u64) {
    let header = arena.load(object, 8);
    assert_eq!(header & 2, 2, "only old objects are remembered");
    arena.store(object, 8, header & !2 | 1 << 16);
}

// --- functions that traces call -----------------------------------------------------------------

/// Destroys what the calling convention lets a function destroy.
fn trash_registers() {
    // SAFETY: all written registers are declared.
    unsafe {
        std::arch::asm!(
            "mov rax, -1", "mov rcx, -1", "mov rdx, -1", "mov rsi, -1", "mov rdi, -1",
            "mov r8, -1", "mov r9, -1", "mov r10, -1", "mov r11, -1",
            "movq xmm0, rax", "movq xmm1, rax", "movq xmm2, rax", "movq xmm3, rax", "movq xmm4, rax",
            "movq xmm5, rax", "movq xmm6, rax", "movq xmm7, rax", "movq xmm8, rax", "movq xmm9, rax",
            "movq xmm10, rax", "movq xmm11, rax", "movq xmm12, rax", "movq xmm13, rax", "movq xmm14, rax",
            "movq xmm15, rax",
            out("rax") _, out("rcx") _, out("rdx") _, out("rsi") _, out("rdi") _,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _, out("xmm5") _,
            out("xmm6") _, out("xmm7") _, out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
            out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
        );
    }
}

pub(crate) fn mix_ints(args: &[i64]) -> i64 {
    args.iter()
        .fold(17, |sum: i64, &arg| sum.wrapping_mul(31).wrapping_add(arg))
}

pub(crate) fn mix_flts(args: &[f64]) -> f64 {
    let sum: f64 = args
        .iter()
        .enumerate()
        .map(|(i, &arg)| arg * (i + 1) as f64)
        .sum();
    if sum.is_nan() { f64::NAN } else { sum } // which NaN it is depends on the order of operands
}

extern "C" fn add_ints(_vm: *mut c_void, a: i64, b: i64) -> i64 {
    trash_registers();
    mix_ints(&[a, b])
}

extern "C" fn many(
    _vm: *mut c_void,
    a: i64,
    x: f64,
    b: i64,
    y: f64,
    c: i64,
    z: f64,
    d: i64,
    e: i64,
    f: i64,
    g: i64,
    p: f64,
    q: f64,
    r: f64,
    s: f64,
    t: f64,
    u: f64,
    v: f64,
) -> i64 {
    trash_registers();
    mix_ints(&[a, b, c, d, e, f, g])
        .wrapping_add(mix_flts(&[x, y, z, p, q, r, s, t, u, v]).to_bits() as i64)
}

extern "C" fn mul_add(_vm: *mut c_void, x: f64, y: f64, z: f64) -> f64 {
    trash_registers();
    mix_flts(&[x, y, z])
}

/// Writes a field of an object, returns what was there.
extern "C" fn swap_field(vm: *mut c_void, object: u64, value: u64) -> u64 {
    trash_registers();
    // SAFETY: called by machine code that `run` entered.
    let host = unsafe { host(vm) };
    swap(&mut host.arena, object, value)
}

pub(crate) fn swap(arena: &mut Arena, object: u64, value: u64) -> u64 {
    let old = arena.load(object + 16, 8);
    arena.store(object + 16, 8, value);
    old
}

/// Looks at the frames below: logs what the current exit would write.
extern "C" fn look(vm: *mut c_void, tag: i64) -> u64 {
    trash_registers();
    // SAFETY: called by machine code that `run` entered.
    let host = unsafe { host(vm) };
    let activation = host.arena.get(ACTIVATION) as *const Activation;
    // SAFETY: the innermost run is the one that calls this function.
    let activation = unsafe { &*activation };
    assert!(activation.prev.is_null() && activation.exit != 0);
    // SAFETY: `exit` is not 0, so the frame is that of a call which may look.
    let state = unsafe { ExitState::new(activation.frame) };
    let mut log = Log {
        arena: &mut host.arena,
        out: vec![tag as u64],
    };
    let resumption = host
        .backend
        .exit(activation.exit as u32)
        .restore(&state, &mut log);
    log.out.push(resumption.pc);
    if let Mode::Finish { word, .. } = resumption.mode {
        log.out.push(word);
    }
    let out = log.out;
    host.log.extend(out);
    word::box_int(tag).unwrap_or(0)
}

/// Like leaving, but the slots go to a list.
struct Log<'a> {
    arena: &'a mut Arena,
    out: Vec<u64>,
}

impl Materialize for Log<'_> {
    fn big_int(&mut self, value: i64) -> u64 {
        Slots(self.arena).big_int(value)
    }

    fn new_object(&mut self, words: u32, header: u64) -> u64 {
        Slots(self.arena).new_object(words, header)
    }

    fn store_field(&mut self, object: u64, offset: i32, width: Width, bits: u64) {
        Slots(self.arena).store_field(object, offset, width, bits);
    }

    fn store_slot(&mut self, slot: i32, word: u64) {
        self.out.extend([slot as u64, word]);
    }
}

/// Address of the function with this name.
pub(crate) fn function(name: &str) -> usize {
    match name {
        "add_ints" => add_ints as *const () as usize,
        "many" => many as *const () as usize,
        "mul_add" => mul_add as *const () as usize,
        "swap_field" => swap_field as *const () as usize,
        "look" => look as *const () as usize,
        _ => panic!("no function {name}"),
    }
}

/// Effects of a function that looks at frames and nothing else.
pub(crate) fn looking() -> Effects {
    Effects {
        may_call: true,
        ..Effects::default()
    }
}
