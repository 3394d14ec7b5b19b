//! The recording interface: the recorder says what it executes, the emitter keeps the slots, takes
//! the snapshots and lets the record-time passes look at each op.
//!
//! ```
//! use pyrite_jit_ir::{OpCode, TraceId};
//! use pyrite_jit_opt::{Emitter, End, PassSet};
//!
//! // The loop `while i < 100: i += 1`, with `i` in slot 0 and bytecode positions 10, 11, 12.
//! let mut e = Emitter::root(TraceId(1), PassSet::all());
//! e.resume_at(10, 0);
//! let i = e.read_slot(0);
//! e.guard(OpCode::IsInt, &[i], true);
//! let n = e.op(OpCode::UnboxInt, &[i]);
//! let limit = e.int(100);
//! e.guard(OpCode::ILt, &[n, limit], true);
//! e.resume_at(11, 0);
//! let one = e.int(1);
//! let sum = e.op(OpCode::IAddOvf, &[n, one]);
//! let boxed = e.op(OpCode::BoxInt, &[sum]);
//! e.write_slot(0, boxed);
//! e.resume_at(10, 0);
//! let trace = e.finish(End::Loop)?;
//! assert_eq!(trace.ops.iter().filter(|op| op.code == OpCode::IsInt).count(), 1, "{trace}");
//! # Ok::<(), pyrite_jit_opt::EmitError>(())
//! ```
//!
//! Rules for the recorder, checked as far as possible (a broken one makes [`Emitter::finish`] fail
//! and is visible at once in [`Emitter::problem`]):
//! - [`Emitter::resume_at`] or [`Emitter::resume_finish`] at each bytecode and after each residual
//!   call or return, before the next op that may leave the trace;
//! - between two such resume points all guards come before the first effect (a store, a call that is
//!   more than a read; written slots do not count, they are undone in the snapshot);
//! - all frame contents go through [`Emitter::read_slot`] and [`Emitter::write_slot`]; slots that die
//!   (a returned frame, temporaries at the loop header) are dropped.

use pyrite_jit_ir::{
    AliasClass, CallTarget, Field, Kept, Kind, List, Op, OpCode, OpRef, Resume, Snapshot,
    SnapshotId, Trace, TraceId, TraceKind, Ty, VirtualObject, Width,
};

use crate::core::{Core, Simplified};
use crate::passes::{Pass, PassSet};
use crate::peel::{self, PeelFailure};
use crate::pipeline;
use crate::plant::{self, Fault};
use crate::slots::{SlotState, Slots};
use crate::spare;

/// How a recording ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Back at the trace's own start (roots only).
    Loop,
    /// At the start of another root trace (or, for bridges, of the parent's root).
    Link(TraceId),
    /// Leave at the current resume point.
    Exit,
    /// The trace's first frame returns this word.
    Return(OpRef),
}

/// Why a recording is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmitError {
    /// The facts of the trace say that the recorded path cannot happen. In a bridge an inherited
    /// int outside 50 bits does this (a heap int to the interpreter); give the recording up. In a
    /// root it is a defect of the recorder.
    #[error("op `{op}` at pc {pc} contradicts what the trace knows")]
    Contradiction { op: &'static str, pc: u64 },
    #[error("op `{op}` at pc {pc} may leave the trace after an effect of the same resume point")]
    LateGuard { op: &'static str, pc: u64 },
    #[error("op `{op}` may leave the trace, but no resume point was set")]
    NoResumePoint { op: &'static str },
    #[error("a bridge cannot end in its own loop")]
    LoopInBridge,
}

/// The resume point in force.
#[derive(Clone, Copy, Debug)]
struct ResumePoint {
    pc: u64,
    base: i32,
    mode: Resume,
    /// Taken at the first use.
    snapshot: Option<SnapshotId>,
    /// Set by the first effect, after which nothing may leave the trace.
    effect: bool,
    /// Number of ops when it was set; objects made later are nobody's business.
    start: usize,
}

/// Builds one trace. See the module's text.
#[derive(Debug)]
pub struct Emitter {
    core: Core,
    slots: Slots,
    resume: Option<ResumePoint>,
    /// Slots changed since the resume point, with their states before, oldest first.
    undo: Vec<(i32, Option<SlotState>)>,
    /// Room for the slots of a resume point.
    before: Slots,
    /// Ops asked for, whatever became of them.
    emitted: u64,
    problem: Option<EmitError>,
    /// A finished second iteration, if [`Emitter::peel`] succeeded.
    peeled: Option<Trace>,
    finish_value: Option<OpRef>,
    /// False: each written slot goes to the VM stack at once (the `frames` switch).
    frames: bool,
}

impl Emitter {
    /// Starts a root trace.
    #[must_use]
    pub fn root(id: TraceId, passes: PassSet) -> Emitter {
        Emitter::new(spare::take(id, TraceKind::Root), passes)
    }

    fn new(trace: Trace, passes: PassSet) -> Emitter {
        Emitter {
            core: Core::new(trace, passes),
            slots: Slots::new(),
            resume: None,
            undo: Vec::with_capacity(32),
            before: Slots::new(),
            emitted: 0,
            problem: None,
            peeled: None,
            finish_value: None,
            frames: true,
        }
    }

    /// Starts a bridge at an exit of `parent`, which was kept of the trace as it was compiled.
    ///
    /// Slots, unboxed values and virtual objects are inherited: the emitter's slots are those of the
    /// exit's snapshot, virtual objects are made again (and usually sink again), and the resume
    /// point is the exit's. In `Finish` mode [`Emitter::finish_value`] is the value to go on with.
    #[must_use]
    pub fn bridge(id: TraceId, parent: &Kept, exit: SnapshotId, passes: PassSet) -> Emitter {
        let kind = TraceKind::Bridge {
            parent: parent.id,
            exit,
        };
        let mut e = Emitter::new(spare::take(id, kind), passes);
        let snapshot = parent.snapshot(exit);
        // The params are those of `Snapshot::live_values`, in its order.
        let mut params = vec![OpRef::NONE; parent.op_count()];
        let mut count = 0;
        for r in snapshot.refs() {
            if let Some(i) = r.as_op().filter(|&i| params[i].is_none()) {
                let op = Op::new(OpCode::Param).imm(count);
                params[i] = e.core.append(&Op {
                    ty: parent.ty(r),
                    ..op
                });
                count += 1;
            }
        }
        let mut inherited = snapshot.clone();
        inherited.map_refs(|r| match (r.as_op(), parent.as_const(r)) {
            (Some(i), _) => params[i],
            (_, Some(value)) => e.core.trace.konst(value),
            _ => r,
        });
        let id = e.core.trace.add_snapshot(inherited.clone());
        let (pc, base) = (inherited.pc, inherited.base);
        // Boxes needed to make the objects leave by the parent's exit state, which needs no object.
        e.resume = Some(ResumePoint {
            pc,
            base,
            mode: inherited.mode,
            snapshot: Some(id),
            effect: false,
            start: e.core.trace.ops.len(),
        });
        let objects = e.make_inherited(&inherited.virtuals);
        let real = |r: OpRef| r.as_virtual().map_or(r, |i| objects[i]);
        for &(n, r) in &inherited.entries {
            let state = SlotState {
                value: real(r),
                dirty: true,
            };
            e.slots.set(n, Some(state));
        }
        if let Resume::Finish { val, .. } = inherited.mode {
            e.finish_value = Some(real(val));
        }
        e
    }

    /// Turns the `frames` switch off: written slots go to the VM stack at once.
    pub fn store_slots_at_once(&mut self) {
        self.frames = false;
    }

    /// The interpreter would go on by executing the bytecode at `pc` from its start, in the frame
    /// whose window begins `base` slots from the trace's.
    pub fn resume_at(&mut self, pc: u64, base: i32) {
        self.resume_in(pc, base, Resume::Reexec);
    }

    /// The interpreter would go on with the second half of the bytecode before `pc`, with `val` (the
    /// null constant: an exception is pending).
    pub fn resume_finish(&mut self, pc: u64, base: i32, stage: u16, val: OpRef) {
        self.resume_in(pc, base, Resume::Finish { stage, val });
    }

    fn resume_in(&mut self, pc: u64, base: i32, mode: Resume) {
        let start = self.core.trace.ops.len();
        if !plant::is(Fault::NeverSettled) {
            self.undo.clear();
        }
        self.resume = Some(ResumePoint {
            pc,
            base,
            mode,
            snapshot: None,
            effect: false,
            start,
        });
    }

    /// The value of a VM-stack slot (relative to the trace's window base), loaded when it is first
    /// read.
    pub fn read_slot(&mut self, slot: i32) -> OpRef {
        let known = self.slots.get(slot);
        let value = match known {
            Some(state) => state.value,
            None => self.emit(Op::new(OpCode::Slot).imm(slot)),
        };
        let boxed = self.boxed(value);
        if known.is_none_or(|state| state.value != boxed) {
            let state = SlotState {
                value: boxed,
                dirty: known.is_some_and(|state| state.dirty),
            };
            self.slots.set(slot, Some(state));
        }
        boxed
    }

    /// What the trace knows a slot to hold: a word, or in a bridge an unboxed value.
    #[must_use]
    pub fn slot_value(&self, slot: i32) -> Option<OpRef> {
        self.slots.get(slot).map(|state| state.value)
    }

    /// Gives a slot a value word. With the `frames` switch off this is an effect, else not: what may
    /// leave the trace before the next resume point still finds the slots as they were at this one.
    pub fn write_slot(&mut self, slot: i32, value: OpRef) {
        debug_assert_eq!(self.core.trace.ty(value), Ty::Val, "slots hold words");
        if !self.frames {
            self.emit(Op::new(OpCode::StSlot).with(&[value]).imm(slot));
        }
        if self.peeled.is_some() {
            self.peeled = None;
        }
        let state = SlotState {
            value,
            dirty: self.frames,
        };
        let old = self.slots.set(slot, Some(state));
        self.note_change(slot, old);
    }

    /// What a slot was before, for a snapshot that may still be taken of the resume point.
    #[inline]
    fn note_change(&mut self, slot: i32, old: Option<SlotState>) {
        if self.resume.is_none_or(|resume| resume.snapshot.is_none()) {
            self.undo.push((slot, old));
        }
    }

    /// The slots from `from` on are dead: nothing reads them before they are written again.
    pub fn drop_slots_from(&mut self, from: i32) {
        let undo = &mut self.undo;
        let wanted = self.resume.is_none_or(|resume| resume.snapshot.is_none());
        self.slots.drop_from(from, |n, old| {
            if wanted {
                undo.push((n, Some(old)));
            }
        });
    }

    /// A slot was changed behind the trace's back (a frame object): reads load it again.
    pub fn forget_slot(&mut self, slot: i32) {
        let old = self.slots.set(slot, None);
        self.note_change(slot, old);
    }

    /// Writes each dirty slot to the VM stack, so that it is up to date. An effect; boxes, which may
    /// leave the trace, come before it.
    pub fn flush_slots(&mut self) {
        let dirty = self.slots.dirty();
        self.flush(dirty);
    }

    fn flush(&mut self, mut known: Vec<(i32, OpRef)>) {
        for (_, r) in &mut known {
            *r = self.boxed(*r);
        }
        for (n, value) in known {
            self.emit(Op::new(OpCode::StSlot).with(&[value]).imm(n));
            let state = SlotState {
                value,
                dirty: false,
            };
            self.slots.set(n, Some(state));
        }
    }

    /// Writes those of the named slots that the trace knows to the VM stack: the dirty ones, or
    /// `all`. What is up to date in this iteration may be dirty in a peeled one, so whoever lets
    /// code look at the stack in a loop that may be peeled writes all.
    pub fn flush_known(&mut self, slots: &[i32], all: bool) {
        let known: Vec<(i32, OpRef)> = slots
            .iter()
            .filter_map(|&n| Some((n, self.slots.get(n)?)))
            .filter(|(_, state)| all || state.dirty)
            .map(|(n, state)| (n, state.value))
            .collect();
        self.flush(known);
    }

    /// The value that the bytecode's second half waits for, in a bridge from an exit of that kind.
    pub fn finish_value(&mut self) -> Option<OpRef> {
        let value = self.finish_value?;
        Some(self.boxed(value))
    }

    /// An integer constant.
    pub fn int(&mut self, value: i64) -> OpRef {
        self.core.trace.int(value)
    }

    /// A double constant.
    pub fn flt(&mut self, value: f64) -> OpRef {
        self.core.trace.flt(value)
    }

    /// A value word constant. If it is an address, the embedder keeps the object alive and in place.
    pub fn word(&mut self, word: u64) -> OpRef {
        self.core.trace.word(word)
    }

    /// A pure op, a load-free conversion or a comparison-free arithmetic op: any op that is nothing
    /// but code and operands.
    pub fn op(&mut self, code: OpCode, operands: &[OpRef]) -> OpRef {
        self.emit(Op::new(code).with(operands))
    }

    /// A guard: the condition was observed to be `truth`, and the trace goes on only if it is again.
    pub fn guard(&mut self, code: OpCode, operands: &[OpRef], truth: bool) {
        self.emit(Op {
            expect: truth,
            ..Op::new(code).with(operands)
        });
    }

    /// A guard on an object's shape.
    pub fn guard_shape(&mut self, object: OpRef, shape: u32, truth: bool) {
        self.emit(Op {
            expect: truth,
            ..Op::new(OpCode::Shape).with(&[object]).imm(shape as i32)
        });
    }

    /// A load from `operands` (object, and index for element loads) at a byte offset.
    pub fn load(
        &mut self,
        code: OpCode,
        operands: &[OpRef],
        offset: i32,
        class: AliasClass,
    ) -> OpRef {
        self.emit(Op::new(code).with(operands).imm(offset).class(class))
    }

    /// A store to `operands` (object, index for element stores, value) at a byte offset. An effect.
    pub fn store(&mut self, code: OpCode, operands: &[OpRef], offset: i32, class: AliasClass) {
        self.emit(Op::new(code).with(operands).imm(offset).class(class));
    }

    /// A new object of `words` 8-byte words with this header. Stores to all other words must follow
    /// before anything else may look at it.
    pub fn new_object(&mut self, words: u32, header: u64) -> OpRef {
        let header = self.int(header as i64);
        self.emit(Op::new(OpCode::New).with(&[header]).imm(words as i32))
    }

    /// A residual call. An effect unless the function's declared effects are none; after it, set a
    /// resume point. The result is `NONE` for functions without one.
    pub fn call(&mut self, target: CallTarget, args: &[OpRef]) -> OpRef {
        let ty = target.ret;
        let id = self.core.trace.call_target(target);
        let list = self.core.trace.add_list(args);
        self.emit(Op {
            ty,
            list,
            ..Op::new(OpCode::Call).imm(id.0 as i32)
        })
    }

    /// Emits any op through the record-time passes; returns the value that stands for its result
    /// (`NONE` if there is none).
    pub fn emit(&mut self, mut op: Op) -> OpRef {
        self.emitted += 1;
        if self.peeled.is_some() {
            self.peeled = None;
        }
        match self.core.simplify(&mut op) {
            Simplified::Value(r) => r,
            Simplified::Gone => OpRef::NONE,
            Simplified::Emit => self.append(&mut op),
            Simplified::Fails => {
                let pc = self.resume.map_or(0, |resume| resume.pc);
                self.fail(EmitError::Contradiction {
                    op: op.code.info().name,
                    pc,
                });
                // The recording is lost, but the recorder may go on until it looks.
                self.append(&mut op)
            }
        }
    }

    /// What is wrong with the recording so far, if anything.
    #[must_use]
    pub fn problem(&self) -> Option<&EmitError> {
        self.problem.as_ref()
    }

    /// How many ops were asked for so far, whatever the passes made of them.
    #[must_use]
    pub fn emitted(&self) -> u64 {
        self.emitted
    }

    /// Number of ops in the trace so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.core.trace.ops.len()
    }

    /// Is nothing emitted yet?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.core.trace.ops.is_empty()
    }

    /// The trace as recorded so far, without an end.
    #[must_use]
    pub fn recorded(&self) -> &Trace {
        &self.core.trace
    }

    /// Tries to peel the loop that closes here; [`Emitter::finish`] uses the result. Returns at once
    /// if `peel` is off.
    ///
    /// After a failure the emitter is as before: the recorder may go on for another turn of the loop
    /// ("unroll on contradiction") or finish, which closes the loop unpeeled.
    ///
    /// # Errors
    /// Why the second iteration would not be like the first.
    pub fn peel(&mut self) -> Result<(), PeelFailure> {
        if !self.core.passes.has(Pass::Peel) || self.core.trace.kind != TraceKind::Root {
            return Ok(());
        }
        if self.peeled.is_none() {
            let dirty = self.slots.dirty();
            let peeled = peel::peel(self.core.clone(), dirty);
            self.peeled = Some(peeled.map_err(|(failure, _)| failure)?);
        }
        Ok(())
    }

    /// Ends the recording and runs the remaining passes. Before [`End::Loop`] and [`End::Link`], set
    /// the resume point of the loop header or target.
    ///
    /// # Errors
    /// The recording broke a rule of the module's text.
    pub fn finish(self, end: End) -> Result<Trace, EmitError> {
        self.finish_observed(end, &mut |_, _| {})
    }

    /// Like [`Emitter::finish`], showing the trace after each stage: `record` (without an end yet),
    /// `peel` or `close`, then the names of the passes.
    ///
    /// # Errors
    /// As [`Emitter::finish`].
    pub fn finish_observed(
        mut self,
        end: End,
        observe: &mut dyn FnMut(&'static str, &Trace),
    ) -> Result<Trace, EmitError> {
        if end == End::Loop && self.core.trace.kind != TraceKind::Root {
            return Err(EmitError::LoopInBridge);
        }
        let passes = self.core.passes;
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        observe("record", &self.core.trace);
        let mut peeled = None;
        if end == End::Loop && passes.has(Pass::Peel) {
            peeled = self.peeled.take();
            if peeled.is_none() {
                match peel::peel(self.core, self.slots.dirty()) {
                    Ok(trace) => {
                        observe("peel", &trace);
                        return Ok(pipeline::optimize(trace, passes, observe));
                    }
                    // No error: the loop is closed as it is.
                    Err((_, core)) => self.core = core,
                }
            }
        }
        let trace = match peeled {
            Some(trace) => {
                observe("peel", &trace);
                trace
            }
            None => {
                self.close(end);
                if let Some(problem) = self.problem {
                    return Err(problem);
                }
                let trace = if end == End::Loop {
                    pipeline::loop_at_start(self.core.trace)
                } else {
                    self.core.trace
                };
                observe("close", &trace);
                trace
            }
        };
        Ok(pipeline::optimize(trace, passes, observe))
    }

    fn close(&mut self, end: End) {
        let code = match end {
            End::Loop => OpCode::Jump,
            End::Link(_) => OpCode::Link,
            End::Exit => OpCode::Exit,
            End::Return(value) => {
                self.append(&mut Op::new(OpCode::Ret).with(&[value]));
                return;
            }
        };
        if end != End::Exit {
            self.flush_slots();
        }
        let imm = if let End::Link(root) = end {
            root.0 as i32
        } else {
            0
        };
        self.append(&mut Op {
            list: List::default(),
            ..Op::new(code).imm(imm)
        });
    }

    fn append(&mut self, op: &mut Op) -> OpRef {
        let (leaves, effect) = match op.code.kind() {
            Kind::Guard | Kind::PureGuard => (true, false),
            Kind::Store => (false, !self.is_private_store(op)),
            Kind::Call => {
                let effects = self.core.trace.target(op).effects;
                (effects.may_call, !effects.is_droppable())
            }
            _ => (op.code == OpCode::Exit, false),
        };
        if leaves {
            op.snap = match &self.resume {
                Some(resume) if !resume.effect && resume.snapshot.is_some() => resume.snapshot,
                _ => self.snapshot(op.code),
            };
        }
        if effect {
            self.note_effect();
        }
        self.core.append(op)
    }

    /// A store into an object made since the resume point is seen by nobody who resumes there.
    fn is_private_store(&self, op: &Op) -> bool {
        let start = self.resume.map_or(0, |resume| resume.start);
        let made_since =
            op.a.as_op()
                .is_some_and(|i| i >= start && self.core.trace.ops[i].code == OpCode::New);
        made_since && op.code != OpCode::StSlot && op.code != OpCode::StVm
    }

    fn note_effect(&mut self) {
        if let Some(resume) = &mut self.resume {
            resume.effect = true;
        }
    }

    /// The snapshot of the resume point in force, taken now if it has not been yet.
    fn snapshot(&mut self, code: OpCode) -> Option<SnapshotId> {
        let op = code.info().name;
        let Some(resume) = self.resume else {
            self.fail(EmitError::NoResumePoint { op });
            return None;
        };
        if resume.effect {
            self.fail(EmitError::LateGuard { op, pc: resume.pc });
        }
        if resume.snapshot.is_some() {
            return resume.snapshot;
        }
        let slots = if self.restore_before() {
            &self.before
        } else {
            &self.slots
        };
        let mut entries = Vec::with_capacity(slots.dirty_count());
        slots.each_dirty(|n, r| entries.push((n, unboxed(&self.core, r))));
        let mode = match resume.mode {
            Resume::Finish { stage, val } => Resume::Finish {
                stage,
                val: unboxed(&self.core, val),
            },
            Resume::Reexec => Resume::Reexec,
        };
        let snapshot = Snapshot {
            pc: resume.pc,
            base: resume.base,
            mode,
            entries,
            virtuals: Vec::new(),
        };
        let id = self.core.trace.add_snapshot(snapshot);
        self.resume = Some(ResumePoint {
            snapshot: Some(id),
            ..resume
        });
        Some(id)
    }

    /// Puts the slots as they were at the resume point into `before`, if they differ.
    fn restore_before(&mut self) -> bool {
        if self.undo.is_empty() {
            return false;
        }
        self.before.copy_from(&self.slots);
        for &(n, old) in self.undo.iter().rev() {
            self.before.set(n, old);
        }
        true
    }

    /// The value as a word.
    fn boxed(&mut self, r: OpRef) -> OpRef {
        match self.core.trace.ty(r) {
            Ty::Int => self.emit(Op::new(OpCode::BoxInt).with(&[r])),
            Ty::Flt => self.emit(Op::new(OpCode::BoxFlt).with(&[r])),
            _ => r,
        }
    }

    fn fail(&mut self, error: EmitError) {
        self.problem.get_or_insert(error);
    }

    /// Is the `frames` switch off?
    #[must_use]
    pub fn stores_slots_at_once(&self) -> bool {
        !self.frames
    }

    /// Makes the exit's virtual objects anew. Boxes, which may leave, come before all allocations.
    fn make_inherited(&mut self, virtuals: &[VirtualObject]) -> Vec<OpRef> {
        let mut virtuals = virtuals.to_vec();
        for field in virtuals.iter_mut().flat_map(|object| &mut object.fields) {
            if field.width == Width::Val && field.val.as_virtual().is_none() {
                field.val = self.boxed(field.val);
            }
        }
        let make = |object: &VirtualObject| self.new_object(object.words, object.header);
        let objects: Vec<OpRef> = virtuals.iter().map(make).collect();
        for (object, &r) in virtuals.iter().zip(&objects) {
            let whole = |word: i32| {
                let full = |field: &&Field| field.offset == word * 8 && field.width.bytes() == 8;
                object.fields.iter().any(|field| full(&field))
            };
            // Words that are not listed, or only in parts, are 0.
            let null = self.core.trace.word(0);
            for word in (1..object.words as i32).filter(|&word| !whole(word)) {
                self.store(OpCode::StVal, &[r, null], word * 8, AliasClass::FIRST_FREE);
            }
            for field in &object.fields {
                let val = field.val.as_virtual().map_or(field.val, |i| objects[i]);
                let lost = plant::is(Fault::FieldsLost) && field.width == Width::Val;
                let val = if lost { null } else { val };
                let code = match field.width {
                    Width::Val => OpCode::StVal,
                    Width::I64 => OpCode::StI64,
                    Width::U32 => OpCode::StU32,
                    // No op stores 16 bits, so no virtual object has such a field.
                    Width::U16 | Width::U8 => OpCode::StU8,
                };
                self.store(code, &[r, val], field.offset, field.class);
            }
        }
        objects
    }
}

/// What an exit stores for `r`: with `sink`, boxing is left to the exit, also of a word that was
/// unboxed before (so that a loop need not carry it twice).
pub(crate) fn unboxed(core: &Core, r: OpRef) -> OpRef {
    if !core.passes.has(Pass::Sink) {
        return r;
    }
    match core.trace.def(r) {
        Some(def) if matches!(def.code, OpCode::BoxInt | OpCode::BoxFlt) => def.a,
        _ => core.known.unboxed(r).unwrap_or(r),
    }
}
