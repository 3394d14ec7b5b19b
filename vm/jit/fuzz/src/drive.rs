//! Runs a program interpreted, and again with its hot loop traced and evaluated, and compares the
//! final states.
//!
//! The comparison does not ask where a trace leaves, only that the program goes on as if there had
//! been no trace: an optimizer may leave later (a dropped overflow test) and hold ints unboxed that
//! the interpreter boxes.

use std::collections::HashMap;

use pyrite_jit_eval::{End, EvalError, Exit, Machine, restore, run};
use pyrite_jit_ir::{
    Kept, OpCode, Resume, SnapshotId, Trace, TraceId, VerifyError, parse_one, verify, word,
};
use pyrite_jit_opt::{EmitError, Emitter, PassSet, PeelFailure};

use crate::program::{Program, SLOTS};
use crate::vm::{Abort, Flow, Functions, Vm};

/// Instructions after which a program counts as endless.
const STEP_LIMIT: u64 = 200_000;
/// Turns before the loop is recorded.
const HOT: i64 = 2;
/// Exits through one snapshot before a bridge is recorded there.
const HOT_EXIT: u32 = 2;
/// Bridges per program.
const MAX_BRIDGES: usize = 6;

/// How traces are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    pub passes: PassSet,
    /// The `frames` switch.
    pub frames: bool,
    /// Turns of the loop recorded again when peeling fails by contradiction.
    pub unroll: u32,
}

/// What a campaign reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub programs: u64,
    pub roots: u64,
    pub peeled: u64,
    pub bridges: u64,
    pub exits: u64,
    pub finish_exits: u64,
    pub virtuals: u64,
    pub links: u64,
    pub jumps: u64,
    pub aborts: u64,
    /// Ops of all finished traces.
    pub ops: u64,
}

/// Why two runs differ, or a trace is broken.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("evaluation failed: {error}\n{trace}")]
    Eval { error: EvalError, trace: String },
    #[error("interpretation failed: {0}")]
    Interp(EvalError),
    #[error("recording failed: {error}\n{recorded}")]
    Emit { error: EmitError, recorded: String },
    #[error("a trace breaks a rule: {error}\n{trace}")]
    Verify { error: VerifyError, trace: String },
    #[error("the text form of a trace does not read back\n{trace}")]
    Text { trace: String },
    #[error("slot {slot}: {wanted} interpreted, {found} traced\n{traces}")]
    State {
        slot: i32,
        wanted: String,
        found: String,
        traces: String,
    },
    #[error("the program does not end")]
    Endless,
    #[error("the observer objects: {difference}\n{traces}")]
    Observer { difference: String, traces: String },
}

/// Sees each trace and each run of traces by the evaluator, so that a backend can be held to them.
pub trait Observer {
    /// A trace was finished; it may be run from now on.
    fn trace(&mut self, trace: &Trace);

    /// The evaluator ran the root from `before` to an exit without bridge and restored `run.after`.
    ///
    /// # Errors
    /// What the observer finds different.
    fn run(&mut self, before: &Machine, run: &Run<'_>) -> Result<(), String>;
}

/// What a run of traces by the evaluator led to.
#[derive(Clone, Copy, Debug)]
pub struct Run<'r> {
    pub after: &'r Machine,
    /// The trace that was left, and how.
    pub left: TraceId,
    pub snapshot: SnapshotId,
    /// What the second half of the bytecode waits for.
    pub value: Option<u64>,
}

/// Runs `program` in both ways.
///
/// # Errors
/// The first difference.
pub fn compare(program: &Program, mode: Mode, counts: &mut Counts) -> Result<(), Failure> {
    compare_observed(program, mode, counts, None)
}

/// Like [`compare`], with an observer of all traces and their runs.
///
/// # Errors
/// The first difference, be it the observer's.
pub fn compare_observed<'a>(
    program: &Program,
    mode: Mode,
    counts: &'a mut Counts,
    observer: Option<&'a mut dyn Observer>,
) -> Result<(), Failure> {
    let wanted = interpret(program)?;
    let mut driver = Driver {
        mode,
        counts,
        observer,
        traces: Vec::new(),
        bridges: HashMap::new(),
        exits: HashMap::new(),
    };
    let found = driver.run(program)?;
    let traces = || {
        driver
            .traces
            .iter()
            .map(Trace::to_string)
            .collect::<String>()
    };
    for slot in 0..SLOTS.into() {
        let (a, b) = (describe(&wanted, slot), describe(&found, slot));
        if a != b {
            return Err(Failure::State {
                slot,
                wanted: a,
                found: b,
                traces: traces(),
            });
        }
    }
    // Identity between slots shows in a common numbering of objects.
    let (a, b) = (describe_all(&wanted), describe_all(&found));
    if a != b {
        return Err(Failure::State {
            slot: -1,
            wanted: a,
            found: b,
            traces: traces(),
        });
    }
    driver.counts.programs += 1;
    Ok(())
}

fn interpret(program: &Program) -> Result<Machine, Failure> {
    let mut vm = Vm::new(program).map_err(Failure::Interp)?;
    while vm.step(&mut Functions).map_err(Failure::Interp)? == Flow::Next {
        if vm.steps > STEP_LIMIT {
            return Err(Failure::Endless);
        }
    }
    Ok(vm.machine)
}

struct Driver<'c> {
    mode: Mode,
    counts: &'c mut Counts,
    observer: Option<&'c mut dyn Observer>,
    /// By trace id; the root first.
    traces: Vec<Trace>,
    bridges: HashMap<(TraceId, SnapshotId), TraceId>,
    exits: HashMap<(TraceId, SnapshotId), u32>,
}

impl Driver<'_> {
    fn run(&mut self, program: &Program) -> Result<Machine, Failure> {
        let mut vm = Vm::new(program).map_err(Failure::Interp)?;
        let (mut turns, mut unrolled, mut tries) = (0, 0, 0);
        loop {
            if vm.steps > STEP_LIMIT {
                return Err(Failure::Endless);
            }
            if vm.pc == 0 && vm.base == 0 {
                turns += 1;
                if let Some(mut e) = vm.recorder.take() {
                    e.resume_at(0, 0);
                    let is_root = e.recorded().kind == pyrite_jit_ir::TraceKind::Root;
                    let contradiction = matches!(e.peel(), Err(PeelFailure::Contradiction { .. }));
                    if is_root && contradiction && unrolled < self.mode.unroll {
                        unrolled += 1;
                        vm.recorder = Some(e);
                    } else {
                        self.finish(e)?;
                    }
                } else if !self.traces.is_empty() {
                    self.enter(&mut vm)?;
                    if vm.steps > STEP_LIMIT {
                        return Err(Failure::Endless);
                    }
                } else if turns > HOT && tries < 3 {
                    tries += 1;
                    let mut e = Emitter::root(TraceId(0), self.mode.passes);
                    if !self.mode.frames {
                        e.store_slots_at_once();
                    }
                    vm.recorder = Some(e);
                }
            }
            let flow = vm.step(&mut Functions).map_err(Failure::Interp)?;
            if vm
                .abort
                .take()
                .is_some_and(|abort| abort == Abort::Overflow || vm.recorder.is_some())
            {
                self.counts.aborts += 1;
                vm.recorder = None;
            }
            if let Some(e) = &vm.recorder
                && let Some(problem) = e.problem()
            {
                // An inherited int outside 50 bits is a heap int to the interpreter.
                let inherited = e.recorded().kind != pyrite_jit_ir::TraceKind::Root;
                if !inherited || !matches!(problem, EmitError::Contradiction { .. }) {
                    let recorded = e.recorded().to_string();
                    return Err(Failure::Emit {
                        error: problem.clone(),
                        recorded,
                    });
                }
                self.counts.aborts += 1;
                vm.recorder = None;
            }
            if flow == Flow::Done {
                return Ok(vm.machine);
            }
        }
    }

    fn finish(&mut self, e: Emitter) -> Result<(), Failure> {
        let recorded = e.recorded().to_string();
        let is_root = e.recorded().kind == pyrite_jit_ir::TraceKind::Root;
        let end = if is_root {
            pyrite_jit_opt::End::Loop
        } else {
            pyrite_jit_opt::End::Link(TraceId(0))
        };
        let trace = e
            .finish(end)
            .map_err(|error| Failure::Emit { error, recorded })?;
        self.add(trace)
    }

    fn add(&mut self, trace: Trace) -> Result<(), Failure> {
        let text = trace.to_string();
        verify(&trace).map_err(|error| Failure::Verify {
            error,
            trace: text.clone(),
        })?;
        if parse_one(&text).is_ok_and(|read| read.to_string() != text) {
            return Err(Failure::Text { trace: text });
        }
        self.counts.ops += trace.ops.len() as u64;
        self.counts.virtuals += trace
            .snapshots
            .iter()
            .map(|s| s.virtuals.len() as u64)
            .sum::<u64>();
        match trace.kind {
            pyrite_jit_ir::TraceKind::Root => {
                self.counts.roots += 1;
                self.counts.peeled += u64::from(trace.ops[0].code != OpCode::Loop);
            }
            pyrite_jit_ir::TraceKind::Bridge { parent, exit } => {
                self.counts.bridges += 1;
                self.bridges.insert((parent, exit), trace.id);
            }
        }
        if let Some(observer) = &mut self.observer {
            observer.trace(&trace);
        }
        self.traces.push(trace);
        Ok(())
    }

    /// Runs traces from the loop header until an exit without bridge.
    fn enter(&mut self, vm: &mut Vm<'_>) -> Result<(), Failure> {
        let (mut at, mut params) = (TraceId(0), Vec::new());
        let before = self.observer.as_ref().map(|_| vm.machine.clone());
        loop {
            vm.steps += 100;
            if vm.steps > STEP_LIMIT {
                return Ok(());
            }
            let trace = &self.traces[at.index()];
            let outcome =
                run(trace, &mut vm.machine, &mut Functions, &params, 10_000).map_err(|error| {
                    Failure::Eval {
                        error,
                        trace: trace.to_string(),
                    }
                })?;
            self.counts.jumps += outcome.jumps;
            match outcome.end {
                End::Link(root) => {
                    self.counts.links += 1;
                    (at, params) = (root, Vec::new());
                }
                End::Limit => return Err(Failure::Endless),
                End::Return(_) => unreachable!("these programs have one frame, which never ends"),
                End::Exit(exit) => {
                    self.counts.exits += 1;
                    if let Some(&bridge) = self.bridges.get(&(at, exit.snapshot)) {
                        (at, params) = (bridge, exit.live);
                        continue;
                    }
                    return self.leave(vm, before, at, &exit);
                }
            }
        }
    }

    /// Goes on interpreting, and perhaps recording a bridge.
    fn leave(
        &mut self,
        vm: &mut Vm<'_>,
        before: Option<Machine>,
        at: TraceId,
        exit: &Exit,
    ) -> Result<(), Failure> {
        let trace = &self.traces[at.index()];
        let snapshot = trace.snapshot(exit.snapshot);
        let value = restore(trace, exit, &mut vm.machine).map_err(|error| Failure::Eval {
            error,
            trace: trace.to_string(),
        })?;
        if let (Some(observer), Some(before)) = (&mut self.observer, &before) {
            let run = Run {
                after: &vm.machine,
                left: at,
                snapshot: exit.snapshot,
                value,
            };
            observer
                .run(before, &run)
                .map_err(|difference| Failure::Observer {
                    difference,
                    traces: self.traces.iter().map(Trace::to_string).collect(),
                })?;
        }
        vm.pc = snapshot.pc;
        vm.base = snapshot.base;
        let count = self.exits.entry((at, exit.snapshot)).or_default();
        *count += 1;
        if *count >= HOT_EXIT && self.traces.len() <= MAX_BRIDGES {
            let id = TraceId(self.traces.len() as u32);
            let mut e = Emitter::bridge(id, &Kept::of(trace), exit.snapshot, self.mode.passes);
            if !self.mode.frames {
                e.store_slots_at_once();
            }
            vm.recorder = Some(e);
        }
        if let Resume::Finish { stage, .. } = snapshot.mode {
            self.counts.finish_exits += 1;
            let r = vm.recorder.as_mut().and_then(Emitter::finish_value);
            let word = value.unwrap_or_default();
            vm.finish(stage as u8, word, r.unwrap_or(pyrite_jit_ir::OpRef::NONE));
        }
        Ok(())
    }
}

/// A slot's content as a tree of limited depth, without addresses.
fn describe(machine: &Machine, slot: i32) -> String {
    let mut numbers = HashMap::new();
    let mut out = String::new();
    let word = machine.slots.get(&slot).copied().unwrap_or_default();
    print_word(machine, word, &mut numbers, &mut out);
    out
}

fn describe_all(machine: &Machine) -> String {
    let mut numbers = HashMap::new();
    let mut out = String::new();
    for slot in 0..SLOTS.into() {
        let word = machine.slots.get(&slot).copied().unwrap_or_default();
        print_word(machine, word, &mut numbers, &mut out);
        out.push(' ');
    }
    out
}

/// Prints a value; objects are numbered in order of first visit, ints are shown by value wherever
/// they are stored, all NaNs are one.
fn print_word(machine: &Machine, root: u64, numbers: &mut HashMap<u64, usize>, out: &mut String) {
    use std::fmt::Write;

    enum Todo {
        Word(u64),
        Close,
    }
    let mut work = vec![Todo::Word(root)];
    while let Some(todo) = work.pop() {
        let Todo::Word(word) = todo else {
            out.push(')');
            continue;
        };
        let text = if word::is_int(word) {
            word::unbox_int(word).to_string()
        } else if word::is_flt(word) {
            let f = word::unbox_flt(word);
            if f.is_nan() {
                "nan".to_owned()
            } else {
                format!("{f:?}")
            }
        } else if word == 0 {
            "null".to_owned()
        } else if machine.memory.shape(word) == crate::program::HEAP_INT {
            machine
                .memory
                .object(word)
                .map_or(0, |words| words[1] as i64)
                .to_string()
        } else if let Some(number) = numbers.get(&word) {
            format!("#{number}")
        } else {
            let number = numbers.len();
            numbers.insert(word, number);
            let words = machine.memory.object(word).unwrap_or_default();
            let raw = if machine.memory.shape(word) == crate::program::ARRAY {
                1
            } else {
                3
            };
            work.push(Todo::Close);
            let fields = words.iter().enumerate().skip(1).rev();
            work.extend(
                fields
                    .filter(|&(i, _)| i != raw)
                    .map(|(_, &field)| Todo::Word(field)),
            );
            format!(
                "#{number}:{:x}:{}(",
                machine.memory.shape(word),
                words.get(raw).copied().unwrap_or_default()
            )
        };
        write!(out, " {text}").expect("writing to a String cannot fail");
    }
}
