//! Leaving a trace: from registers and spill slots back to VM-stack slots.
//!
//! An exit is a snapshot with places. The machine code saves all value registers beside the frame
//! and calls the embedder, which calls [`ExitInfo::restore`]: virtual objects are made first, then
//! every slot is written, boxing what the trace kept unboxed. The saved words stay on the native
//! stack meanwhile, where a conservative scan finds them; so do the new objects' addresses.

use pyrite_jit_ir::{Const, Kept, OpRef, Resume, Snapshot, SnapshotId, TraceId, Ty, Width, word};
use pyrite_jit_regalloc::Loc;

use crate::runtime::ExitState;

/// Virtual objects one exit may make: their addresses are kept in an array on the native stack.
pub const MAX_VIRTUALS: usize = 256;

/// Where an exit finds one value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Source {
    /// The same each time.
    Const(Const),
    /// In a register or spill slot, of this type.
    Place(Ty, Loc),
    /// The n-th virtual object of the exit.
    Virtual(usize),
}

/// A field of a virtual object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VirtualField {
    /// Bytes from the start of the object.
    pub offset: i32,
    /// A `Val` field is boxed, others are stored raw.
    pub width: Width,
    /// The value.
    pub source: Source,
}

/// An object to make.
#[derive(Debug, Clone, PartialEq)]
pub struct Virtual {
    /// Size in 8-byte words, header included.
    pub words: u32,
    /// Its header.
    pub header: u64,
    /// Fields in ascending order; other words are 0.
    pub fields: Vec<VirtualField>,
}

/// How the interpreter goes on; see [`Resume`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Execute the bytecode at the pc from its beginning.
    Reexec,
    /// Run the second half of the bytecode before the pc with this word.
    Finish {
        /// Which second half.
        stage: u16,
        /// The word it waits for; 0: an exception is pending.
        word: u64,
    },
}

/// Where and how the interpreter resumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resumption {
    /// The embedder's encoding of the place.
    pub pc: u64,
    /// Start of the resumed frame's window, in slots from the trace's window base.
    pub base: i32,
    /// What to do there.
    pub mode: Mode,
}

/// What the embedder does for an exit. Each call may collect garbage.
pub trait Materialize {
    /// The word of an integer outside 50 bits.
    fn big_int(&mut self, value: i64) -> u64;

    /// Address of a new object of `words` words with this header, zero otherwise.
    fn new_object(&mut self, words: u32, header: u64) -> u64;

    /// Writes a field of an object made here, with the write barrier where it is needed.
    fn store_field(&mut self, object: u64, offset: i32, width: Width, bits: u64);

    /// Writes a VM-stack slot, counted from the trace's window base.
    fn store_slot(&mut self, slot: i32, word: u64);
}

/// One exit of a compiled trace.
#[derive(Debug, Clone, PartialEq)]
pub struct ExitInfo {
    /// What the machine code calls it.
    pub id: u32,
    /// The trace that is left.
    pub trace: TraceId,
    /// By which of its snapshots.
    pub snapshot: SnapshotId,
    /// Slots to write.
    pub entries: Vec<(i32, Source)>,
    /// Objects to make.
    pub virtuals: Vec<Virtual>,
    pc: u64,
    base: i32,
    mode: Resume,
    finish: Option<Source>,
}

impl ExitInfo {
    pub(crate) fn new(id: u32, trace: &Kept, snapshot: SnapshotId, locs: &[Loc]) -> Self {
        let state: &Snapshot = trace.snapshot(snapshot);
        let source = |r: OpRef| source(trace, locs, r);
        let virtuals = state
            .virtuals
            .iter()
            .map(|object| Virtual {
                words: object.words,
                header: object.header,
                fields: object
                    .fields
                    .iter()
                    .map(|f| VirtualField {
                        offset: f.offset,
                        width: f.width,
                        source: source(f.val),
                    })
                    .collect(),
            })
            .collect();
        Self {
            id,
            trace: trace.id,
            snapshot,
            entries: state
                .entries
                .iter()
                .map(|&(slot, r)| (slot, source(r)))
                .collect(),
            virtuals,
            pc: state.pc,
            base: state.base,
            mode: state.mode,
            finish: match state.mode {
                Resume::Reexec => None,
                Resume::Finish { val, .. } => Some(source(val)),
            },
        }
    }

    /// Types and places of the values a bridge inherits, in the order of its params: that of
    /// [`Snapshot::live_values`]. Values that are alive together have different places.
    #[must_use]
    pub fn live(&self) -> Vec<(Ty, Loc)> {
        let fields = self.virtuals.iter().flat_map(|object| &object.fields);
        let sources = (self.entries.iter().map(|&(_, source)| source))
            .chain(fields.map(|field| field.source))
            .chain(self.finish);
        let mut live = Vec::new();
        let mut seen = rustc_hash::FxHashSet::default();
        for source in sources {
            if let Source::Place(ty, loc) = source
                && seen.insert(loc)
            {
                live.push((ty, loc));
            }
        }
        live
    }

    /// Rebuilds the interpreter's state: makes the virtual objects, writes the slots.
    ///
    /// `state` must come from this exit, or from a call that published it.
    pub fn restore(&self, state: &ExitState, to: &mut impl Materialize) -> Resumption {
        if self.virtuals.is_empty() {
            return self.write_slots(state, &[], to);
        }
        self.restore_with_objects(state, to)
    }

    /// The rarer half of [`ExitInfo::restore`], apart because its array takes time to clear.
    #[inline(never)]
    fn restore_with_objects(&self, state: &ExitState, to: &mut impl Materialize) -> Resumption {
        let mut objects = [0u64; MAX_VIRTUALS];
        for (object, address) in self.virtuals.iter().zip(&mut objects) {
            *address = to.new_object(object.words, object.header);
        }
        for (object, &address) in self.virtuals.iter().zip(&objects) {
            for field in &object.fields {
                let bits = match field.width {
                    Width::Val => boxed(field.source, state, &objects, to),
                    _ => raw(field.source, state, &objects),
                };
                to.store_field(address, field.offset, field.width, bits);
            }
        }
        self.write_slots(state, &objects, to)
    }

    fn write_slots(
        &self,
        state: &ExitState,
        objects: &[u64],
        to: &mut impl Materialize,
    ) -> Resumption {
        for &(slot, source) in &self.entries {
            let word = boxed(source, state, objects, to);
            to.store_slot(slot, word);
        }
        let mode = match (self.mode, self.finish) {
            (Resume::Finish { stage, .. }, Some(source)) => Mode::Finish {
                stage,
                word: boxed(source, state, objects, to),
            },
            _ => Mode::Reexec,
        };
        Resumption {
            pc: self.pc,
            base: self.base,
            mode,
        }
    }
}

fn source(trace: &Kept, locs: &[Loc], r: OpRef) -> Source {
    if let Some(value) = trace.as_const(r) {
        Source::Const(value)
    } else if let Some(n) = r.as_virtual() {
        Source::Virtual(n)
    } else {
        let op = r
            .as_op()
            .expect("a ref is an op, a constant or a virtual object");
        Source::Place(trace.ty(r), locs[op])
    }
}

/// The word of a value.
fn boxed(source: Source, state: &ExitState, objects: &[u64], to: &mut impl Materialize) -> u64 {
    let bits = raw(source, state, objects);
    let ty = match source {
        Source::Const(value) => value.ty(),
        Source::Place(ty, _) => ty,
        Source::Virtual(_) => Ty::Val,
    };
    match ty {
        Ty::Int => word::box_int(bits as i64).unwrap_or_else(|| to.big_int(bits as i64)),
        Ty::Flt => word::box_flt(f64::from_bits(bits)),
        Ty::Val | Ty::Unit => bits,
    }
}

/// The bits of a value as the trace holds it.
fn raw(source: Source, state: &ExitState, objects: &[u64]) -> u64 {
    match source {
        Source::Const(Const::Int(i)) => i as u64,
        Source::Const(Const::Flt(bits) | Const::Val(bits)) => bits,
        Source::Place(_, loc) => state.read(loc),
        Source::Virtual(n) => objects[n],
    }
}
