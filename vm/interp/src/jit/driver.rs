//! The trace table: what is recorded when, entered where, left how often.

use super::items::{self, ITEM};
use super::leaf::BEHIND;
use super::machine::{Closed, PyHost, PyRecorder, Switches};
use super::residual;
use super::runtime::{alloc_slow, barrier_slow, on_exit};
use super::stats::{Laps, Phase, Stats};
use crate::dispatch::{fast, mid};
use crate::frames::{self, caller_of, code_at};
use crate::interp::{link_word, return_word};
use crate::lang::Stage;
use crate::state::{Hot, state};
use pyrite_bytecode::{CodeFlags, Ins};
use pyrite_gc::RootVec;
use pyrite_jit_ir::{OpCode, Resume, SnapshotId, TraceId, TraceKind};
use pyrite_jit_opt::{EmitError, Emitter, End, Pass, PassSet, reuse};
use pyrite_jit_record::{Abort, Recorder};
use pyrite_jit_x64::{Activation, Backend, CompileOptions, Compiled, Layout};
use pyrite_machine::plant::{self, Fault};
use pyrite_machine::{Ctl, Value};
use pyrite_objects::code::CodeData;
use pyrite_objects::vm::Vm;
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::mem::offset_of;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Stage of exits behind a called instruction: the VM has the state already.
pub(super) const FORCED: u16 = 0xFF;

/// Settings of the JIT.
#[derive(Clone, Debug)]
pub struct Params {
    /// Iterations before a loop is recorded.
    pub loop_threshold: i32,
    /// Times an exit is taken before a bridge is recorded.
    pub exit_threshold: u32,
    /// Ops of one trace.
    pub max_ops: usize,
    /// Bridges of one root.
    pub max_bridges: u32,
    /// Traces (roots and bridges) in all.
    pub max_traces: u32,
    pub passes: PassSet,
    pub switches: Switches,
    /// Where the log goes.
    pub log: Option<std::path::PathBuf>,
    /// Pass after which traces are shown in the log; empty: only the outcome.
    pub dump: String,
    /// Read the CPU clock at each phase of a compilation, for the statistics.
    pub timed: bool,
}

impl Default for Params {
    fn default() -> Params {
        Params {
            loop_threshold: 100,
            exit_threshold: 15,
            max_ops: 6000,
            max_bridges: 200,
            max_traces: u32::MAX,
            passes: PassSet::all(),
            switches: Switches {
                inline: true,
                frames: true,
                attrs: true,
                watch: true,
                bridges: true,
                functions: true,
                leaf: true,
            },
            log: None,
            dump: String::new(),
            timed: false,
        }
    }
}

/// A bridge that leaves where it began gets a bridge in turn, this many times:
/// what fails there fails each time.
const MAX_STUCK: u32 = 12;

/// Words between a window and the one of a function that it calls by its trace:
/// the header of windows that Rust makes.
pub(super) const CALL_HEADER: usize = 6;

/// One compiled trace.
struct Entry {
    compiled: Compiled,
    /// Root the trace hangs on (itself for roots).
    root: u32,
    /// Highest slot of any frame, exclusive; for roots the maximum over their bridges.
    extent: i32,
    /// The function whose trace this root is, or null.
    function: *const CodeData,
    /// Bridges recorded so far (roots).
    bridges: u32,
    /// Bridges in a row, this one included, that begin where their parent began.
    stuck: u32,
    valid: bool,
}

/// An exit's history.
#[derive(Clone, Copy, Default)]
struct ExitCount {
    taken: u32,
    attempts: u8,
    bridged: bool,
}

/// See the module's documentation.
pub struct Jit {
    pub backend: Backend,
    pub params: Params,
    pub stats: Stats,
    entries: Vec<Entry>,
    exits: Vec<ExitCount>,
    /// Traces that depend on an object, by its address (pinned).
    dependents: BTreeMap<u64, Vec<u32>>,
    /// Failed recordings of a loop.
    failures: HashMap<*const u64, u32>,
    roots: RootVec,
    /// Without values: memory for what the next recording keeps.
    pub(super) spare_kept: Option<RootVec>,
    recording: bool,
    /// A watched object changed since the recording began.
    disturbed: bool,
    log: Option<std::fs::File>,
}

impl Jit {
    /// [`Entry::stuck`] of a bridge from this exit.
    fn stuck_at(&self, parent: usize, exit: SnapshotId) -> u32 {
        let kept = self.backend.kept(TraceId(parent as u32));
        let TraceKind::Bridge {
            parent: above,
            exit: start,
        } = kept.kind
        else {
            return 0;
        };
        let (a, b) = (
            self.backend.kept(above).snapshot(start),
            kept.snapshot(exit),
        );
        if (a.pc, a.base) == (b.pc, b.base) {
            self.entries[parent].stuck + 1
        } else {
            0
        }
    }

    /// May this root be entered?
    pub(super) fn is_valid(&self, root: u32) -> bool {
        self.entries.get(root as usize).is_some_and(|e| e.valid)
    }

    /// Highest slot that any frame of a trace reaches, exclusive.
    pub(super) fn extent_of(&self, trace: TraceId) -> i32 {
        self.entries[trace.0 as usize].extent
    }
}

/// The JIT of a VM that has one.
pub fn jit(vm: &Vm) -> &'static mut Jit {
    // SAFETY: installed once, never freed; one thread holds the VM.
    unsafe { &mut *vm.jit.cast::<Jit>() }
}

/// Puts a JIT into a VM.
///
/// # Errors
/// When there is no executable memory.
pub fn install(vm: &mut Vm, params: Params) -> Result<(), String> {
    let layout = Layout {
        cur: 0,
        lim: 8,
        top: 16,
        activation: offset_of!(Vm, activation) as i32,
        result: offset_of!(Vm, result) as i32,
        on_exit,
        alloc_slow,
        barrier_slow,
    };
    let backend = Backend::new(layout).map_err(|e| e.to_string())?;
    let log = match &params.log {
        Some(p) => Some(std::fs::File::create(p).map_err(|e| format!("{}: {e}", p.display()))?),
        None => None,
    };
    vm.loop_threshold = params.loop_threshold;
    let j = Box::new(Jit {
        backend,
        stats: Stats {
            laps: Laps::new(params.timed),
            ..Stats::default()
        },
        params,
        entries: Vec::new(),
        exits: Vec::new(),
        dependents: BTreeMap::new(),
        failures: HashMap::new(),
        roots: RootVec::pinning(vm.heap),
        spare_kept: None,
        recording: false,
        disturbed: false,
        log,
    });
    vm.jit = Box::into_raw(j).cast();
    state(vm).hot_loop = hot_loop;
    state(vm).hot_function = hot_function;
    vm.hooks.invalidate = invalidate;
    vm.hooks.forked = forked;
    Ok(())
}

/// In the child of a fork: the code's memory becomes the child's own. Without it the
/// child runs interpreted: patching shared code would change the parent's.
fn forked(vm: &mut Vm) {
    let j = jit(vm);
    // The log stays the parent's.
    j.log = None;
    if j.backend.after_fork().is_err() {
        j.params.max_traces = 0;
        for e in &mut j.entries {
            e.valid = false;
        }
    }
}

/// A watched object changed: traces that rest on it are left at their next
/// check, and entered no more. Null: all traces.
fn invalidate(vm: &mut Vm, object: Value) {
    let j = jit(vm);
    // What is being recorded may rest on it already.
    j.disturbed = !plant::is(Fault::DisturbanceIgnored);
    if plant::is(Fault::NothingInvalidated) {
        return;
    }
    let traces = if object.is_null() {
        j.dependents.clear();
        (0..j.entries.len() as u32).collect()
    } else {
        j.dependents.remove(&object.bits()).unwrap_or_default()
    };
    for t in traces {
        let root = j.entries[t as usize].root;
        for i in [t, root] {
            let e = &mut j.entries[i as usize];
            if e.valid {
                e.valid = false;
                j.stats.invalidated += 1;
                let id = TraceId(i);
                // Memory for patching cannot run out: the code exists.
                let _ = j.backend.invalidate(id);
            }
        }
    }
}

/// `vm.pc` is behind a `LOOP` instruction whose counter ran out.
fn hot_loop(vm: &mut Vm, ins: Ins) -> Hot {
    let base = vm.base;
    let code = code_at(base);
    let l = &mut code.loops[ins.b()];
    let header = l.header;
    match l.trace {
        u32::MAX => {
            l.counter = i32::MAX;
            Hot::Nothing
        }
        0 => {
            let j = jit(vm);
            if j.recording || j.entries.len() as u32 >= j.params.max_traces {
                l.counter = j.params.loop_threshold.max(1);
                return Hot::Nothing;
            }
            vm.pc = header as u64;
            record_root(vm, code, ins.b())
        }
        n => {
            if !jit(vm).entries[n as usize - 1].valid {
                l.trace = 0;
                l.counter = 0;
                return Hot::Nothing;
            }
            // Entered at each back-edge.
            l.counter = 0;
            if jit(vm).recording {
                return Hot::Nothing;
            }
            vm.pc = header as u64;
            enter(vm, n - 1)
        }
    }
}

/// `vm.pc` is the first instruction of a function that was called often; its
/// window is complete.
fn hot_function(vm: &mut Vm) -> Hot {
    // Compiled code shows nobody what it does.
    if vm.tracing != 0 {
        return Hot::Nothing;
    }
    let code = code_at(vm.base);
    let j = jit(vm);
    match code.trace {
        u32::MAX => {
            code.calls.set(i32::MAX);
            Hot::Nothing
        }
        0 => {
            let resumable =
                CodeFlags::GENERATOR | CodeFlags::COROUTINE | CodeFlags::ASYNC_GENERATOR;
            if !j.params.switches.functions || code.flags.0 & resumable != 0 {
                code.trace = u32::MAX;
                return Hot::Nothing;
            }
            if j.recording || j.entries.len() as u32 >= j.params.max_traces || vm.polled() {
                code.calls.set(j.params.loop_threshold.max(1));
                return Hot::Nothing;
            }
            record_function(vm, code)
        }
        n => {
            if !j.entries[n as usize - 1].valid {
                code.trace = 0;
                code.calls.set(j.params.loop_threshold.max(1));
                return Hot::Nothing;
            }
            code.calls.set(0);
            if j.recording {
                return Hot::Nothing;
            }
            begin(vm, n - 1, code)
        }
    }
}

/// Called by traces: runs a function by its trace `n`, in the window `window`
/// slots above that of the innermost run of machine code, from the frame at `off`.
/// The arguments and the function are in place. 0: an exception is pending.
pub(super) extern "C" fn call_traced(vm: &mut Vm, n: i64, pc: u64, off: i64, window: i64) -> u64 {
    // SAFETY: machine code runs, so there is an activation; the trace's extent
    // includes the new window.
    let (base, window) = unsafe {
        let base = (*vm.activation.cast::<Activation>()).base.cast::<Value>();
        (base.offset(off as isize), base.offset(window as isize))
    };
    let j = jit(vm);
    let e = &j.entries[n as usize];
    // SAFETY: only compared.
    let end = unsafe { window.offset(e.extent as isize + 8) } as u64;
    // The soft end of the stack is also lowered when something waits to be looked at.
    if !e.valid || end >= vm.stack_soft.load(Ordering::Relaxed) || vm.enter_native().is_err() {
        vm.exc = Value::NULL;
        return call_slowly(vm, n as u32, pc, base, window);
    }
    // SAFETY: a root that functions are called by has its function.
    let code = unsafe { &*e.function };
    let entry = e.compiled.entry;
    // SAFETY: just checked.
    unsafe { make_window(vm, code, pc, base, window) };
    let p: *mut Vm = vm;
    // SAFETY: as in `enter`.
    let exit = unsafe { Backend::enter_at(j.backend.entry(), p.cast(), window.cast(), entry) };
    if exit == 0 {
        return std::mem::replace(&mut vm.result, Value::NULL).bits();
    }
    let hot = after_exit(vm, exit as u32, window);
    crate::calls::go_on(vm, hot).map_or(0, Value::bits)
}

/// Header and locals of a window made by machine code, which has written the
/// function and the arguments; like those that Rust makes.
///
/// # Safety
/// The window fits the VM stack.
unsafe fn make_window(vm: &Vm, code: &CodeData, pc: u64, base: *mut Value, window: *mut Value) {
    // SAFETY: passed on.
    unsafe {
        *window.sub(6) = Value::from_bits(base as u64);
        *window.sub(5) = Value::from_bits(pc);
        *window.sub(3) = return_word(state(vm).halt.as_ptr().add(1), Stage::Root);
        *window.sub(2) = link_word(std::ptr::null_mut(), 0);
        *window.sub(1) = Value::NULL;
        for i in code.param_count()..code.locals as usize {
            *window.add(i) = Value::NULL;
        }
    }
}

/// The call when the trace is not valid any more, when something waits, or when it
/// is time to look at the depth of the stack.
#[cold]
fn call_slowly(vm: &mut Vm, n: u32, pc: u64, base: *mut Value, window: *mut Value) -> u64 {
    vm.pc = pc;
    vm.base = base;
    // The arguments are in use already.
    vm.alloc.top = crate::unwind::top_of(window);
    let code = code_at(window);
    let extent = jit(vm).entries[n as usize].extent;
    if vm.polled() && pyrite_objects::misc::run_pending(vm).is_err() {
        return 0;
    }
    let fits = vm
        .enter_native()
        .and_then(|()| frames::grow(vm, window, code.frame_size.max(extent as u32)));
    if fits.is_err() {
        return 0;
    }
    // SAFETY: just checked.
    unsafe { make_window(vm, code, pc, base, window) };
    vm.base = window;
    vm.pc = code.entry as u64;
    let hot = if jit(vm).entries[n as usize].valid {
        begin(vm, n, code)
    } else {
        Hot::Nothing
    };
    crate::calls::go_on(vm, hot).map_or(0, Value::bits)
}

/// Runs the trace of a function; one that does not fit the stack raises at the
/// function's first instruction.
fn begin(vm: &mut Vm, n: u32, code: &CodeData) -> Hot {
    // SAFETY: code has more than one instruction.
    vm.pc = unsafe { code.entry.add(1) } as u64;
    enter(vm, n)
}

/// Runs a root trace in the published window.
fn enter(vm: &mut Vm, n: u32) -> Hot {
    let j = jit(vm);
    let e = &j.entries[n as usize];
    let base = vm.base;
    if frames::grow(vm, base, e.extent as u32).is_err() {
        return Hot::Raise;
    }
    let (entry, code) = (j.backend.entry(), e.compiled.entry);
    j.stats.entries += 1;
    let p: *mut Vm = vm;
    // SAFETY: the window was checked to fit every frame of the trace; its guards
    // check the rest. No reference to the VM is used while it runs.
    let exit = unsafe { Backend::enter_at(entry, p.cast(), base.cast(), code) } as u32;
    if exit == 0 {
        vm.base = base;
        vm.alloc.top = crate::unwind::top_of(base);
        return Hot::Return(std::mem::replace(&mut vm.result, Value::NULL));
    }
    after_exit(vm, exit, base)
}

/// A trace was left by an exit; its state is in the VM.
fn after_exit(vm: &mut Vm, exit: u32, root_base: *mut Value) -> Hot {
    vm.alloc.top = crate::unwind::top_of(vm.base);
    if vm.exc.is_some() {
        return Hot::Raise;
    }
    let j = jit(vm);
    if j.exits.len() <= exit as usize {
        j.exits.resize(exit as usize + 1, ExitCount::default());
    }
    let c = &mut j.exits[exit as usize];
    c.taken += 1;
    if c.taken < j.params.exit_threshold
        || c.bridged
        || !j.params.switches.bridges
        || j.recording
        || vm.polled()
    {
        return Hot::Resume;
    }
    c.taken = 0;
    if c.attempts >= 4 || j.entries.len() as u32 >= j.params.max_traces {
        return Hot::Resume;
    }
    c.attempts += 1;
    record_bridge(vm, exit, root_base)
}

fn new_recorder(vm: &mut Vm, e: Emitter, base: *mut Value, pc: *const u64) -> PyRecorder {
    let j = jit(vm);
    let mut e = e;
    if !j.params.switches.frames {
        e.store_slots_at_once();
    }
    let kept = j.spare_kept.take();
    let kept = kept.unwrap_or_else(|| RootVec::pinning(vm.heap));
    Recorder {
        host: PyHost {
            vm,
            kept: Some(kept),
            watched: Vec::with_capacity(8),
            own_loop: None,
            own_function: None,
            returns: false,
            closed: None,
            inner_seen: Vec::new(),
            switches: j.params.switches,
            residuals: 0,
        },
        e,
        trace_base: base,
        off: 0,
        pc,
        k: code_at(base).consts,
        depth: 0,
        extent: code_at(base).frame_size as i32,
        wide_ints: j.params.passes.has(Pass::Fold),
        abort: None,
    }
}

fn record_root(vm: &mut Vm, code: &mut CodeData, loop_no: usize) -> Hot {
    let j = jit(vm);
    let id = TraceId(j.entries.len() as u32);
    let base = vm.base;
    let header = code.loops[loop_no].header;
    let started = Instant::now();
    j.stats.laps.start();
    let mut m = new_recorder(vm, Emitter::root(id, j.params.passes), base, header);
    m.host.own_loop = Some((std::ptr::from_ref(code), loop_no));
    m.e.resume_at(header as u64, 0);
    m.e.guard(OpCode::Valid, &[], true);
    j.recording = true;
    let why = follow(&mut m);
    j.recording = false;
    let l = &mut code.loops[loop_no];
    let outcome = match why {
        None => finish(vm, m, header, started, None),
        Some(a) => {
            settle(vm, &m);
            Err(a)
        }
    };
    match outcome {
        Ok(n) => {
            l.trace = n + 1;
            l.counter = 0;
            Hot::Resume
        }
        Err(a) => {
            note_abort(vm, a, code, loop_no);
            let j = jit(vm);
            let n = j.failures.entry(header).or_insert(0);
            *n += 1;
            let n = *n;
            let l = &mut code.loops[loop_no];
            // Each failure makes the next try wait longer; inner loops first.
            if n >= 12 {
                l.trace = u32::MAX;
                l.counter = i32::MAX;
            } else {
                l.counter = j.params.loop_threshold.max(2).saturating_mul(1 << n.min(8))
                    + (n as i32 * 7) % 5;
            }
            if vm.exc.is_some() {
                Hot::Raise
            } else {
                Hot::Resume
            }
        }
    }
}

fn record_function(vm: &mut Vm, code: &mut CodeData) -> Hot {
    let j = jit(vm);
    let id = TraceId(j.entries.len() as u32);
    let started = Instant::now();
    j.stats.laps.start();
    let mut m = new_recorder(vm, Emitter::root(id, j.params.passes), vm.base, code.entry);
    m.host.own_function = Some((std::ptr::from_ref(code), id.0));
    m.host.returns = true;
    m.e.resume_at(code.entry as u64, 0);
    m.e.guard(OpCode::Valid, &[], true);
    j.recording = true;
    let why = follow(&mut m);
    j.recording = false;
    let end = m.pc;
    let outcome = match why {
        None => finish(vm, m, end, started, None),
        Some(a) => {
            settle(vm, &m);
            Err(a)
        }
    };
    match outcome {
        Ok(n) => {
            code.trace = n + 1;
            code.calls.set(0);
            jit(vm).entries[n as usize].function = code;
        }
        Err(a) => {
            let j = jit(vm);
            *j.stats.aborts.entry(a).or_insert(0) += 1;
            log_abort(vm, "function", a);
            let j = jit(vm);
            let n = j.failures.entry(code.entry).or_insert(0);
            *n += 1;
            if *n >= 4 {
                code.trace = u32::MAX;
                code.calls.set(i32::MAX);
            } else {
                code.calls
                    .set(j.params.loop_threshold.max(2).saturating_mul(4 << *n));
            }
            if vm.exc.is_some() {
                return Hot::Raise;
            }
        }
    }
    Hot::Resume
}

fn record_bridge(vm: &mut Vm, exit: u32, root_base: *mut Value) -> Hot {
    let j = jit(vm);
    let info = j.backend.exit(exit);
    let (parent_id, snapshot) = (info.trace, info.snapshot);
    let parent = parent_id.0 as usize;
    let root = j.entries[parent].root as usize;
    if j.entries[root].bridges >= j.params.max_bridges
        || !j.entries[parent].valid
        || !j.entries[root].valid
    {
        return Hot::Resume;
    }
    let s = j.backend.kept(parent_id).snapshot(snapshot);
    let resume_pc = s.pc as *const u64;
    let stage = match s.mode {
        Resume::Finish { stage, .. } => Some(stage),
        Resume::Reexec => None,
    };
    if j.stuck_at(parent, snapshot) >= MAX_STUCK {
        return Hot::Resume;
    }
    // A `valid` that failed leads nowhere.
    let id = TraceId(j.entries.len() as u32);
    let started = Instant::now();
    j.stats.laps.start();
    let kept = j.backend.kept(parent_id);
    let e = Emitter::bridge(id, kept, snapshot, j.params.passes);
    let mut m = new_recorder(vm, e, root_base, vm.pc as *const u64);
    m.host.returns = true;
    let function = j.entries[root].function;
    if !function.is_null() {
        m.host.own_function = Some((function, root as u32));
    }
    // SAFETY: both windows lie in the VM stack.
    m.off = unsafe { vm.base.offset_from(root_base) } as i32;
    m.k = code_at(vm.base).consts;
    m.extent = m.off + code_at(vm.base).frame_size as i32;
    let mut base = vm.base;
    while base > root_base {
        m.depth += 1;
        base = caller_of(base);
        // The bridge may return to the caller, whose registers reach further than a
        // small callee's.
        // SAFETY: both windows lie in the VM stack.
        let off = unsafe { base.offset_from(root_base) } as i32;
        m.extent = m.extent.max(off + code_at(base).frame_size as i32);
    }
    if base != root_base {
        return Hot::Resume;
    }
    if stage == Some(FORCED) {
        // The called instruction ended otherwise than recorded: the bridge is
        // for this way of ending.
        let Some(v) = m.e.finish_value() else {
            return Hot::Resume;
        };
        // SAFETY: `vm.pc` is within the code; the instruction called lies before
        // the exit's own instruction pointer.
        let ended = if vm.pc == resume_pc as u64 {
            residual::FELL_THROUGH
        } else {
            residual::JUMPED
        };
        let c = m.e.word(Value::small(ended as i32).bits());
        m.e.guard(OpCode::Same, &[v, c], true);
        forget_written(&mut m, resume_pc);
    }
    match stage {
        Some(BEHIND) => items::no_exception(&mut m),
        Some(ITEM) if !items::begin_bridge(&mut m, resume_pc) => return Hot::Resume,
        _ => {}
    }
    j.recording = true;
    let why = follow(&mut m);
    j.recording = false;
    let pc = m.pc;
    let outcome = match why {
        None => finish(vm, m, pc, started, Some((exit, root as u32))),
        Some(a) => {
            settle(vm, &m);
            Err(a)
        }
    };
    if let Err(a) = outcome {
        *jit(vm).stats.aborts.entry(a).or_insert(0) += 1;
        log_abort(vm, "bridge", a);
        if vm.exc.is_some() {
            return Hot::Raise;
        }
    }
    Hot::Resume
}

/// After a called instruction the registers it writes are read anew.
fn forget_written(m: &mut PyRecorder, pc: *const u64) {
    // SAFETY: behind an instruction.
    let ins = Ins(unsafe { *pc.sub(1) });
    residual::each_written(ins, &mut |r| m.e.forget_slot(m.off + r as i32));
}

/// Executes and records until the trace closes; the reason if it is given up.
fn follow(m: &mut PyRecorder) -> Option<Abort> {
    let why = follow_steps(m);
    let stats = &mut jit(m.host.vm()).stats;
    if why.is_some() {
        stats.laps.stop(Phase::Record);
    } else {
        stats.laps.lap(Phase::Record);
    }
    stats.ops_recorded += m.e.len() as u64;
    stats.ops_emitted += m.e.emitted();
    why
}

fn follow_steps(m: &mut PyRecorder) -> Option<Abort> {
    let mut steps = 0;
    let (max_ops, max_steps) = {
        let p = &jit(m.host.vm()).params;
        (p.max_ops, p.max_ops)
    };
    jit(m.host.vm()).disturbed = false;
    loop {
        let at = m.pc;
        // SAFETY: the windows of inlined frames were checked to fit.
        let top = unsafe { m.trace_base.offset(m.extent as isize) };
        m.host.vm().alloc.top = top as u64;
        // SAFETY: code ends in an instruction that does not fall through.
        let ins = Ins(unsafe { *at });
        if steps > 0 || m.e.finish_value().is_none() {
            m.e.resume_at(at as u64, m.off);
        }
        steps += 1;
        if m.e.len() > max_ops || steps > max_steps {
            m.give_up(Abort::TraceTooLong);
            return m.abort;
        }
        // SAFETY: as above.
        let next = unsafe { at.add(1) };
        m.pc = next;
        let (off, depth) = (m.off, m.depth);
        let mut ctl = fast(m, ins);
        if ctl == Ctl::Slow && m.abort.is_none() {
            m.pc = next;
            ctl = mid(m, ins);
        }
        if ctl == Ctl::Slow {
            debug_assert!(
                m.off == off && m.depth == depth,
                "{ins:?} was slow after a change"
            );
            if m.abort.is_some() {
                // Nothing was changed: the interpreter does the instruction.
                m.pc = at;
                return m.abort;
            }
            m.pc = next;
            residual::record(m, ins, at);
            if m.abort.is_some() {
                if m.host.vm().exc.is_null() {
                    m.pc = at;
                }
                return m.abort;
            }
        }
        if jit(m.host.vm()).disturbed {
            m.give_up(Abort::Disturbed);
        }
        if m.abort.is_some() {
            return m.abort;
        }
        if let Some(p) = m.e.problem() {
            let a = match p {
                EmitError::Contradiction { .. } => Abort::Contradiction,
                _ => Abort::Rule,
            };
            let text = format!("; {p} ({})\n", ins.op().name());
            log(m.host.vm(), &text);
            m.give_up(a);
            return m.abort;
        }
        if m.host.closed.is_some() {
            return None;
        }
    }
}

/// Puts the interpreter where the recorder stands.
fn settle(vm: &mut Vm, m: &PyRecorder) {
    if vm.exc.is_null() {
        vm.pc = m.pc as u64;
    }
    vm.base = m.base();
    vm.alloc.top = crate::unwind::top_of(vm.base);
}

/// Closes, optimizes and compiles a recording; the number of the trace.
fn finish(
    vm: &mut Vm,
    m: PyRecorder,
    header: *const u64,
    started: Instant,
    bridge: Option<(u32, u32)>,
) -> Result<u32, Abort> {
    settle(vm, &m);
    let j = jit(vm);
    let id = j.entries.len() as u32;
    let Recorder {
        mut e,
        host,
        extent,
        off,
        ..
    } = m;
    e.resume_at(header as u64, off);
    let end = match host.closed {
        Some(Closed::Loop) => End::Loop,
        Some(Closed::Link(n)) => End::Link(TraceId(n)),
        Some(Closed::Return(r)) => End::Return(r),
        None => return Err(Abort::Rule),
    };
    j.stats.residual_calls += u64::from(host.residuals);
    let dump = j.params.dump.clone();
    let mut text = String::new();
    let laps = &mut j.stats.laps;
    laps.lap(Phase::Install);
    let trace = e
        .finish_observed(end, &mut |stage, t| {
            match stage {
                "peel" | "close" => laps.lap(Phase::Peel),
                "sink" => laps.lap(Phase::Sink),
                "dce" => laps.lap(Phase::Dce),
                _ => {}
            }
            if dump == "all" || dump == stage {
                text.push_str(&format!("; {stage}\n{t}\n"));
            }
        })
        .map_err(|err| {
            text.push_str(&format!("; {err}\n"));
            match err {
                EmitError::Contradiction { .. } => Abort::Contradiction,
                _ => Abort::Rule,
            }
        });
    let mut trace = match trace {
        Ok(t) => t,
        Err(a) => {
            j.stats.laps.stop(Phase::Peel);
            log(vm, &text);
            return Err(a);
        }
    };
    let root = bridge.map_or(id, |b| b.1);
    let options = CompileOptions {
        regalloc: j.params.passes.has(Pass::Regalloc),
        extent,
    };
    let shown = (dump == "final" || dump == "all").then(|| trace.to_string());
    let laps = &mut j.stats.laps;
    let mut observe = |stage| {
        laps.lap(match stage {
            "regalloc" => Phase::Regalloc,
            _ => Phase::Encode,
        });
    };
    let compiled = j
        .backend
        .compile_observed(&mut trace, options, &mut observe);
    let compiled = compiled.map_err(|err| {
        j.stats.laps.stop(Phase::Encode);
        text.push_str(&format!("; {err}\n"));
        log(vm, &text);
        Abort::Backend
    })?;
    for &r in &compiled.roots {
        if vm.heap.contains(r as *const u8) && !plant::is(Fault::ConstantsNotKept) {
            j.roots.push(Value::from_bits(r));
        }
    }
    for object in &host.watched {
        j.dependents.entry(*object).or_default().push(id);
        j.roots.push(Value::from_bits(*object));
    }
    j.stats.ops_compiled += trace.ops.len() as u64;
    let (mut guards, mut allocations) = (0, 0);
    for op in &trace.ops {
        guards += u64::from(op.code.is_guard());
        allocations += u64::from(op.code == OpCode::New);
    }
    j.stats.guards_compiled += guards;
    j.stats.allocations_compiled += allocations;
    j.stats.code_bytes += compiled.code_bytes as u64;
    if j.log.is_some() {
        let line = code_at(vm.base).line(code_at(vm.base).index_of(header));
        let what = if bridge.is_some() { "bridge" } else { "trace" };
        let file = vm.str_to_string(code_at(vm.base).filename);
        text.push_str(&format!(
            "; {what} {id} at {file}:{line}: {} ops, {} bytes, {} us\n",
            trace.ops.len(),
            compiled.code_bytes,
            started.elapsed().as_micros()
        ));
        if let Some(shown) = shown {
            text.push_str(&format!("{shown}\n"));
        }
        if dump == "asm" || dump == "all" {
            text.push_str(&j.backend.disassemble(&compiled));
        }
        log(vm, &text);
    }
    reuse(trace);
    let stuck = bridge.map_or(0, |(exit, _)| {
        let info = j.backend.exit(exit);
        let (parent, snapshot) = (info.trace.0 as usize, info.snapshot);
        j.stuck_at(parent, snapshot)
    });
    let r = &mut j.entries;
    r.push(Entry {
        compiled,
        root,
        extent,
        function: std::ptr::null(),
        bridges: 0,
        stuck,
        valid: true,
    });
    if let Some((exit, root)) = bridge {
        j.stats.bridges += 1;
        j.entries[root as usize].bridges += 1;
        let widest = j.entries[root as usize].extent.max(extent);
        j.entries[root as usize].extent = widest;
        j.exits[exit as usize].bridged = true;
        j.backend
            .attach_bridge(exit, &j.entries[id as usize].compiled)
            .map_err(|_| Abort::Backend)?;
    } else {
        j.stats.traces += 1;
    }
    j.stats.compile_time += started.elapsed();
    j.stats.laps.stop(Phase::Install);
    Ok(id)
}

fn note_abort(vm: &mut Vm, a: Abort, code: &CodeData, loop_no: usize) {
    *jit(vm).stats.aborts.entry(a).or_insert(0) += 1;
    if jit(vm).log.is_some() {
        let line = code.line(code.index_of(code.loops[loop_no].header));
        let what = format!("loop at {}:{line}", vm.str_to_string(code.filename));
        log_abort(vm, &what, a);
    }
}

fn log_abort(vm: &Vm, what: &str, a: Abort) {
    log(vm, &format!("; {what}: given up: {}\n", a.name()));
}

fn log(vm: &Vm, text: &str) {
    if let Some(f) = &mut jit(vm).log {
        // A log that cannot be written is no reason to stop the program.
        let _ = f.write_all(text.as_bytes());
    }
}
