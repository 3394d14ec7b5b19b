//! The driver: when a loop is recorded, compiled, entered, left, and joined by
//! bridges, for any language.
//!
//! A language brings a [`Guest`]: where its frames lie, and one function that
//! executes *and* records an instruction over the [`Recorder`]. At each back-edge
//! its interpreter calls [`at_loop`]; counting, recording, compiling, machine
//! code, exits and bridges happen in there, and afterwards the interpreter goes on
//! at the guest's [`Place`].
//!
//! ```text
//! counting ──threshold──▶ recording ──closed──▶ compiled ──exit taken often──▶ bridge
//!     ▲                       │ given up                                         │
//!     └── waits longer ◀──────┘         a bridge ends in the entry of a root ◀───┘
//! ```
//!
//! Invariants: one recording at a time; a trace runs only in a window that every
//! slot of it and of its bridges fits into; of each trace the backend keeps what
//! bridges inherit.
//!
//! Left out: calls into the language from traces, invalidation, function entries.

use crate::{Abort, Host, Maker, Recorder, Restorer};
use pyrite_gc::{Heap, RootVec};
use pyrite_jit_ir::{OpCode, TraceId, TraceKind};
use pyrite_jit_opt::{EmitError, Emitter, End, Pass, PassSet, reuse};
use pyrite_jit_x64::{Backend, CompileOptions, Compiled, ExitInfo, ExitState, Layout, Mode};
use pyrite_machine::plant::{self, Fault};
use pyrite_machine::{Ctl, Value};
use std::collections::{BTreeMap, HashMap};
use std::ffi::c_void;

/// Where the interpreter stands.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Next instruction.
    pub pc: *const u64,
    /// Register 0 of the running frame.
    pub base: *mut Value,
}

/// What the driver needs of a language's VM.
///
/// # Safety
/// The VM's state begins with a [`pyrite_gc::AllocState`] that is attached to
/// [`Guest::heap`], and [`Guest::ACTIVATION`] is the offset of a pointer that
/// nobody else writes. `frame` and `caller` tell the truth about every window
/// that [`Guest::step`] makes.
pub unsafe trait Guest: Sized {
    /// What the recorder needs; it sees the same VM.
    type Host: Host;
    /// Byte offset of the list of runs of machine code, null at first.
    const ACTIVATION: usize;
    /// Offset of the word that `ret` writes.
    const RESULT: usize;
    /// The driver installed in the VM.
    fn driver(&mut self) -> *mut Driver;
    fn heap(&self) -> Heap;
    /// A host for one recording.
    fn host(&mut self) -> Self::Host;
    /// Where the interpreter stands; written back by the driver.
    fn place(&mut self) -> &mut Place;
    /// Tells the collector where the VM stack ends now.
    fn set_top(&mut self, top: *mut Value);
    /// True if the VM stack has room for `slots` slots from `base` on.
    fn fits(&mut self, base: *mut Value, slots: i32) -> bool;
    /// Constants and number of registers of the code that runs in a window.
    fn frame(base: *mut Value) -> (*mut Value, i32);
    /// The window that called this one.
    fn caller(base: *mut Value) -> *mut Value;
    /// Executes the instruction at `m.pc` and records it. `Slow`: nothing was
    /// changed, and it cannot be recorded.
    fn step(m: &mut Recorder<Self::Host>) -> Ctl;
    /// The loop header that the last step reached by a back-edge in the trace's
    /// own frame, and the first register that is dead there.
    fn edge(m: &mut Recorder<Self::Host>) -> Option<(*const u64, i32)>;
}

/// Settings.
#[derive(Clone, Copy, Debug)]
pub struct Params {
    /// Iterations before a loop is recorded.
    pub loop_threshold: u32,
    /// Times an exit is taken before a bridge is recorded.
    pub exit_threshold: u32,
    /// Operations of one trace.
    pub max_ops: usize,
    /// Bridges of one root.
    pub max_bridges: u32,
    pub passes: PassSet,
}

impl Default for Params {
    fn default() -> Params {
        Params {
            loop_threshold: 100,
            exit_threshold: 15,
            max_ops: 6000,
            max_bridges: 200,
            passes: PassSet::all(),
        }
    }
}

/// What was done so far.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub traces: u64,
    pub bridges: u64,
    pub exits: u64,
    /// Allocations that stayed real in compiled traces.
    pub allocations: u64,
    pub aborts: BTreeMap<Abort, u64>,
}

/// A bridge that leaves where it began gets a bridge in turn, this many times: what fails there
/// fails each time.
const MAX_STUCK: u32 = 4;

/// A compiled trace.
struct Entry {
    compiled: Compiled,
    /// Root the trace hangs on (itself for roots).
    root: usize,
    /// Slots from the window's base that the trace (and a root's bridges) may touch.
    extent: i32,
    bridges: u32,
    /// Bridges in a row, this one included, that begin where their parent began.
    stuck: u32,
}

#[derive(Clone, Copy, Default)]
struct ExitCount {
    taken: u32,
    attempts: u8,
    bridged: bool,
}

/// A loop's life.
#[derive(Clone, Copy)]
enum Loop {
    /// Iterations seen, iterations to wait for, recordings given up.
    Counting(u32, u32, u32),
    Compiled(usize),
    /// Not tried any more.
    Blacklisted,
}

/// The traces of a VM.
pub struct Driver {
    pub params: Params,
    pub counts: Counts,
    backend: Backend,
    entries: Vec<Entry>,
    exits: Vec<ExitCount>,
    loops: HashMap<*const u64, Loop>,
    roots: RootVec,
    recording: bool,
}

impl Driver {
    /// A driver for a VM of this kind.
    ///
    /// # Errors
    /// When there is no executable memory.
    pub fn new<G: Guest>(heap: Heap, params: Params) -> Result<Driver, String> {
        let layout = Layout {
            cur: 0,
            lim: 8,
            top: 16,
            activation: G::ACTIVATION as i32,
            result: G::RESULT as i32,
            on_exit: on_exit::<G>,
            alloc_slow: alloc_slow::<G>,
            barrier_slow: barrier_slow::<G>,
        };
        Ok(Driver {
            params,
            counts: Counts::default(),
            backend: Backend::new(layout).map_err(|e| e.to_string())?,
            entries: Vec::new(),
            exits: Vec::new(),
            loops: HashMap::new(),
            roots: RootVec::pinning(heap),
            recording: false,
        })
    }
}

impl Driver {
    /// [`Entry::stuck`] of a bridge from this exit.
    fn stuck_at(&self, exit: u32) -> u32 {
        let info = self.backend.exit(exit);
        let kept = self.backend.kept(info.trace);
        let TraceKind::Bridge {
            parent,
            exit: start,
        } = kept.kind
        else {
            return 0;
        };
        let above = self.backend.kept(parent).snapshot(start);
        let here = kept.snapshot(info.snapshot);
        if (above.pc, above.base) == (here.pc, here.base) {
            self.entries[info.trace.0 as usize].stuck + 1
        } else {
            0
        }
    }
}

fn driver<G: Guest>(vm: &mut G) -> &'static mut Driver {
    // SAFETY: installed once, lives as long as the VM; one thread holds both, and no
    // reference is kept across a call that may come here.
    unsafe { &mut *vm.driver() }
}

/// A back-edge to `header` was taken: the guest's place is there. Runs machine code
/// or records; true if the place has changed.
pub fn at_loop<G: Guest>(vm: &mut G, header: *const u64) -> bool {
    let d = driver(vm);
    if d.recording {
        return false;
    }
    let wait = d.params.loop_threshold;
    let l = d.loops.entry(header).or_insert(Loop::Counting(0, wait, 0));
    match l {
        Loop::Blacklisted => false,
        Loop::Compiled(n) => {
            let n = *n;
            run(vm, n);
            true
        }
        Loop::Counting(seen, wait, failed) => {
            *seen += 1;
            if *seen < *wait {
                return false;
            }
            let failed = *failed + 1;
            let next = record_root(vm, header);
            let d = driver(vm);
            let state = match next {
                Ok(n) => Loop::Compiled(n),
                Err(why) => {
                    *d.counts.aborts.entry(why).or_insert(0) += 1;
                    if failed >= 8 {
                        Loop::Blacklisted
                    } else {
                        // Maybe it was a rare turn of the loop: the next ones are tried first.
                        let wait = match failed {
                            ..4 => failed,
                            _ => d.params.loop_threshold.max(2) << (failed - 2),
                        };
                        Loop::Counting(0, wait, failed)
                    }
                }
            };
            d.loops.insert(header, state);
            true
        }
    }
}

/// Runs a root trace in the place's window.
fn run<G: Guest>(vm: &mut G, n: usize) {
    let d = driver(vm);
    let base = vm.place().base;
    if !vm.fits(base, d.entries[n].extent) {
        return;
    }
    let (entry, code) = (d.backend.entry(), d.entries[n].compiled.entry);
    let p: *mut G = vm;
    // SAFETY: the window fits every slot; the guest vouches for its layout, and no
    // reference to it is used while the code runs.
    let exit = unsafe { Backend::enter_at(entry, p.cast(), base.cast(), code) } as usize;
    let (now, size) = (vm.place().base, G::frame(vm.place().base).1);
    // SAFETY: a frame of the trace, which fits.
    vm.set_top(unsafe { now.offset(size as isize) });
    let d = driver(vm);
    d.counts.exits += 1;
    if d.exits.len() <= exit {
        d.exits.resize(exit + 1, ExitCount::default());
    }
    let c = &mut d.exits[exit];
    c.taken += 1;
    if c.taken >= d.params.exit_threshold && !c.bridged && c.attempts < 4 {
        c.taken = 0;
        c.attempts += 1;
        if d.stuck_at(exit as u32) >= MAX_STUCK {
            return;
        }
        if let Err(why) = record_bridge(vm, exit as u32, base) {
            *driver(vm).counts.aborts.entry(why).or_insert(0) += 1;
        }
    }
}

fn record_root<G: Guest>(vm: &mut G, header: *const u64) -> Result<usize, Abort> {
    let d = driver(vm);
    let base = vm.place().base;
    let mut e = Emitter::root(TraceId(d.entries.len() as u32), d.params.passes);
    e.resume_at(header as u64, 0);
    let mut m = recorder(vm, e, base);
    let end = follow::<G>(vm, &mut m, Some(header));
    finish(vm, m, end?, None)
}

fn record_bridge<G: Guest>(vm: &mut G, exit: u32, root_base: *mut Value) -> Result<usize, Abort> {
    let d = driver(vm);
    let info = d.backend.exit(exit);
    let (parent, snapshot) = (info.trace.0 as usize, info.snapshot);
    let root = d.entries[parent].root;
    if d.entries[root].bridges >= d.params.max_bridges {
        return Err(Abort::TraceTooLong);
    }
    let id = TraceId(d.entries.len() as u32);
    let kept = d.backend.kept(info.trace);
    let e = Emitter::bridge(id, kept, snapshot, d.params.passes);
    let mut m = recorder(vm, e, root_base);
    let mut base = vm.place().base;
    // SAFETY: both windows lie in the VM stack.
    m.off = unsafe { base.offset_from(root_base) } as i32;
    (m.k, m.extent) = G::frame(base);
    m.extent += m.off;
    while base > root_base {
        m.depth += 1;
        base = G::caller(base);
        // The bridge may return to the caller, whose registers reach further than a
        // small callee's.
        // SAFETY: as above.
        let off = unsafe { base.offset_from(root_base) } as i32;
        m.extent = m.extent.max(off + G::frame(base).1);
    }
    let end = follow::<G>(vm, &mut m, None);
    finish(vm, m, end?, Some((exit, root)))
}

fn recorder<G: Guest>(vm: &mut G, e: Emitter, base: *mut Value) -> Recorder<G::Host> {
    let (k, extent) = G::frame(base);
    Recorder {
        e,
        trace_base: base,
        off: 0,
        pc: vm.place().pc,
        k,
        depth: 0,
        extent,
        wide_ints: driver(vm).params.passes.has(Pass::Fold),
        abort: None,
        host: vm.host(),
    }
}

/// Executes and records until the trace closes. In any case the guest's place is
/// then where the recorder stands.
fn follow<G: Guest>(
    vm: &mut G,
    m: &mut Recorder<G::Host>,
    own: Option<*const u64>,
) -> Result<End, Abort> {
    driver(vm).recording = true;
    let end = steps::<G>(vm, m, own);
    driver(vm).recording = false;
    *vm.place() = Place {
        pc: m.pc,
        base: m.base(),
    };
    let size = G::frame(m.base()).1;
    // SAFETY: the running frame fits.
    vm.set_top(unsafe { m.base().offset(size as isize) });
    end
}

fn steps<G: Guest>(
    vm: &mut G,
    m: &mut Recorder<G::Host>,
    own: Option<*const u64>,
) -> Result<End, Abort> {
    let max = driver(vm).params.max_ops;
    let mut passed = Vec::new();
    // A bridge that cannot go on is still a bridge to here; a root would never close.
    let stop = |n: usize, why: Abort| match own {
        None if n > 0 => Ok(End::Exit),
        _ => Err(why),
    };
    for n in 0..max {
        let at = m.pc;
        // SAFETY: windows of inlined frames were checked to fit.
        vm.set_top(unsafe { m.trace_base.offset(m.extent as isize) });
        if n > 0 || m.e.finish_value().is_none() {
            m.e.resume_at(at as u64, m.off);
        }
        let ctl = G::step(m);
        if let Some(p) = m.e.problem() {
            if ctl == Ctl::Slow {
                m.pc = at;
            }
            return Err(match p {
                EmitError::Contradiction { .. } => Abort::Contradiction,
                _ => Abort::Rule,
            });
        }
        if ctl == Ctl::Slow {
            // Nothing was changed: the interpreter does the instruction.
            m.pc = at;
            return stop(n, m.abort.unwrap_or(Abort::Instruction));
        }
        if let Some(why) = m.abort {
            return Err(why);
        }
        if m.e.len() > max {
            return stop(n, Abort::TraceTooLong);
        }
        let Some((header, live)) = G::edge(m) else {
            continue;
        };
        if own == Some(header) {
            m.e.drop_slots_from(live);
            return Ok(End::Loop);
        }
        match driver(vm).loops.get(&header) {
            // An inner loop's exits form the outer one: only bridges link, and pass
            // the headers of loops that have no trace.
            Some(Loop::Compiled(n)) if own.is_none() => {
                m.e.drop_slots_from(live);
                return Ok(End::Link(TraceId(*n as u32)));
            }
            _ if own.is_none() && !passed.contains(&header) => passed.push(header),
            _ => return stop(n, Abort::InnerLoop),
        }
    }
    stop(max, Abort::TraceTooLong)
}

/// Closes, optimizes and compiles a recording; its number.
fn finish<G: Guest>(
    vm: &mut G,
    m: Recorder<G::Host>,
    end: End,
    bridge: Option<(u32, usize)>,
) -> Result<usize, Abort> {
    let heap = vm.heap();
    let d = driver(vm);
    let n = d.entries.len();
    let Recorder {
        mut e,
        extent,
        off,
        pc,
        // Keeps the constants alive until the trace's own roots do.
        host: _host,
        ..
    } = m;
    e.resume_at(pc as u64, off);
    let mut trace = e.finish(end).map_err(|err| match err {
        EmitError::Contradiction { .. } => Abort::Contradiction,
        _ => Abort::Rule,
    })?;
    let options = CompileOptions {
        regalloc: d.params.passes.has(Pass::Regalloc),
        extent,
    };
    let compiled = d
        .backend
        .compile(&mut trace, options)
        .map_err(|_| Abort::Backend)?;
    for &r in compiled
        .roots
        .iter()
        .filter(|r| heap.contains(**r as *const u8))
    {
        d.roots.push(Value::from_bits(r));
    }
    let allocations = trace.ops.iter().filter(|o| o.code == OpCode::New).count();
    d.counts.allocations += allocations as u64;
    reuse(trace);
    let root = bridge.map_or(n, |b| b.1);
    let stuck = bridge.map_or(0, |b| d.stuck_at(b.0));
    d.entries.push(Entry {
        compiled: compiled.clone(),
        root,
        extent,
        bridges: 0,
        stuck,
    });
    match bridge {
        None => d.counts.traces += 1,
        Some((exit, root)) => {
            d.counts.bridges += 1;
            d.entries[root].bridges += 1;
            d.entries[root].extent = d.entries[root].extent.max(extent);
            d.exits[exit as usize].bridged = true;
            d.backend
                .attach_bridge(exit, &compiled)
                .map_err(|_| Abort::Backend)?;
        }
    }
    Ok(n)
}

/// Makes what exits name through the guest's host.
struct OfHost<H> {
    host: H,
    heap: Heap,
}

impl<H: Host> Maker for OfHost<H> {
    fn heap(&mut self) -> &mut Heap {
        &mut self.heap
    }
    fn big_int(&mut self, i: i64) -> Value {
        self.host.big_int(i)
    }
    fn object(&mut self, header: u64, words: usize) -> Value {
        match self.host.alloc(header, words) {
            Some(v) => v,
            None => out_of_memory(),
        }
    }
    fn barrier(&mut self, object: Value) {
        self.host.barrier(object);
    }
}

/// Ends the process: the heap is full where nothing can be given up any more.
pub fn out_of_memory() -> ! {
    eprintln!("the heap limit leaves no room");
    std::process::exit(1);
}

/// A trace is left: the interpreter's state is rebuilt.
extern "C" fn on_exit<G: Guest>(
    vm: *mut c_void,
    exit: u32,
    frame: *mut u64,
    base: *mut u64,
) -> u64 {
    // SAFETY: machine code hands its VM through; nobody else uses it meanwhile.
    let vm = unsafe { &mut *vm.cast::<G>() };
    let d = driver(vm);
    // SAFETY: the frame this very call was handed.
    let state = unsafe { ExitState::new(frame) };
    let info: *const ExitInfo = d.backend.exit(exit);
    // SAFETY: the table does not change during this call.
    let info = unsafe { &*info };
    let root = d.entries[info.trace.0 as usize].root;
    // Making objects may collect: every slot of the trace's frames is in use.
    // SAFETY: the trace was entered only after its frames were checked to fit.
    vm.set_top(unsafe { base.offset(d.entries[root].extent as isize) }.cast());
    if plant::is(Fault::FrameSlotsUnrooted) {
        vm.set_top(base.cast());
    }
    let (host, heap) = (vm.host(), vm.heap());
    // SAFETY: as above.
    let r = info.restore(&state, &mut unsafe {
        Restorer::new(OfHost { host, heap }, base)
    });
    debug_assert!(r.mode == Mode::Reexec, "guests have no second halves");
    *vm.place() = Place {
        pc: r.pc as *const u64,
        // SAFETY: a window of the trace.
        base: unsafe { base.offset(r.base as isize).cast() },
    };
    u64::from(exit)
}

/// The allocation window is too small for what a trace wants to make.
extern "C" fn alloc_slow<G: Guest>(vm: *mut c_void, site: u32, frame: *mut u64, _: *mut u64) {
    // SAFETY: as in `on_exit`.
    let vm = unsafe { &mut *vm.cast::<G>() };
    let (heap, d) = (vm.heap(), driver(vm));
    let site = d.backend.site(site);
    let bytes = site.bytes as usize;
    if heap.try_reserve(bytes) {
        return;
    }
    // A collection is due: what is dead must not look alive.
    // SAFETY: the frame this very call was handed.
    site.clear_dead(&mut unsafe { ExitState::new(frame) });
    if !heap.reserve_room(bytes) {
        out_of_memory();
    }
}

/// An old object was written.
extern "C" fn barrier_slow<G: Guest>(vm: *mut c_void, object: u64) {
    if plant::is(Fault::BarrierForgets) {
        return;
    }
    // SAFETY: as in `on_exit`; the object is alive.
    unsafe { (*vm.cast::<G>()).heap().barrier(object as *mut u64) };
}
