//! The backend: compiled traces, their exits, and the patches that join them.

use std::cell::OnceCell;
use std::ffi::c_void;
use std::mem::take;

use pyrite_jit_codecache::{CodeCache, CodeCacheError, CodeSpan};
use pyrite_jit_ir::{Const, Kept, OpCode, OpRef, SnapshotId, Trace, TraceId, TraceKind, word};
use rustc_hash::FxHashMap;

use pyrite_jit_regalloc::{Allocation, LiveSet, Lives, Loc, Move, allocate_lives, check};

use crate::asm::{Asm, Cold, Moves, asm};
use crate::blobs::Blobs;
use crate::code::{Code, Label};
use crate::error::{BackendError, CompileError};
use crate::exits::{ExitInfo, MAX_VIRTUALS};
use crate::layout::Layout;
use crate::lower;
use crate::problem::{Survey, about, lives, problem};
use crate::regs::{NO_REGISTERS, REGISTERS, RSP};
use crate::runtime::{self, ExitState};

/// How to compile one trace.
#[derive(Debug, Clone, Copy)]
pub struct CompileOptions {
    /// Off: every value lives in a stack slot.
    pub regalloc: bool,
    /// Slots from the window base, the trace's deepest frame included, that the collector must see
    /// during calls and allocations. Too many is harmless, too few loses objects.
    pub extent: i32,
}

/// A compiled trace as its owner sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Compiled {
    /// The trace.
    pub id: TraceId,
    /// Where its code is.
    pub span: CodeSpan,
    /// Address to enter a root at; of a bridge, where its parent's exit is led.
    pub entry: usize,
    /// Bytes of code, without the literals behind it.
    pub code_bytes: usize,
    /// Words of its native frame.
    pub frame_words: u32,
    /// Values that wanted a register and got a slot.
    pub spilled: u32,
    /// Ids of its exits, one per snapshot in order.
    pub exits: std::ops::Range<u32>,
    /// Ids of its allocation sites.
    pub sites: std::ops::Range<u32>,
    /// Object addresses in its code and exits: to be kept alive and in place as long as it is.
    pub roots: Vec<u64>,
}

/// An allocation site.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// The trace.
    pub trace: TraceId,
    /// Its `new`.
    pub op: OpRef,
    /// Bytes that must fit the window.
    pub bytes: i32,
    /// Slots from the window base that the collector must see; `top` was set accordingly.
    pub extent: i32,
    /// A snapshot of the op, where it has one.
    pub snapshot: Option<SnapshotId>,
    frame_words: u32,
    live: LiveSet,
}

impl Site {
    /// Clears dead registers and frame words before a conservative scan. Worth it only when a
    /// collection is due.
    pub fn clear_dead(&self, state: &mut ExitState) {
        state.clear_dead(self.frame_words, &|loc| match loc {
            Loc::Reg(reg) => self.live.regs.contains(reg),
            Loc::Spill(slot) => self.live.has_spill(slot),
            Loc::None => false,
        });
    }
}

/// Where a root trace can be joined.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinkTarget {
    pub(crate) body: usize,
    pub(crate) frame_words: u32,
}

/// What the backend keeps of a trace.
#[derive(Debug)]
struct Record {
    kept: Kept,
    /// Place of each value.
    locs: Vec<Loc>,
    /// Address of the first byte of its code.
    start: usize,
    body: usize,
    frame_words: u32,
    first_exit: u32,
    /// Offset of the 4-byte displacement of each stub's jump; 0: no op uses the stub.
    stubs: Box<[u32]>,
    /// Offset of the 4-byte displacement of each guard's jump.
    guards: Box<[(u32, SnapshotId)]>,
    /// Offset of each `valid`.
    valids: Box<[(u32, SnapshotId)]>,
}

impl Record {
    /// Address of the 4-byte displacement of a stub's jump, if the stub is used.
    fn stub(&self, snapshot: SnapshotId) -> Option<usize> {
        match self.stubs[snapshot.index()] {
            0 => None,
            offset => Some(self.start + offset as usize),
        }
    }
}

/// Executable memory and everything that is known of the code in it.
#[derive(Debug)]
pub struct Backend {
    cache: CodeCache,
    layout: Layout,
    blobs: Blobs,
    traces: FxHashMap<TraceId, Record>,
    /// Exits by id, worked out when they are first asked for: most are never taken.
    exits: Vec<OnceCell<Box<ExitInfo>>>,
    /// First exit id of each trace, ascending.
    first_exits: Vec<(u32, TraceId)>,
    sites: Vec<Site>,
    /// Where code is written first.
    code: Code,
    /// What the last trace used.
    scratch: Scratch,
}

/// Tables and lists of the trace before, for their memory.
#[derive(Debug, Default)]
struct Scratch {
    survey: Survey,
    lives: Lives,
    stubs: Vec<u32>,
    guards: Vec<(u32, SnapshotId)>,
    valids: Vec<(u32, SnapshotId)>,
    cold: Vec<Cold>,
    literals: Vec<(u64, Label)>,
    moves: Moves,
}

/// Exit ids start here: 0 says "no exit" in an activation record.
const FIRST_EXIT: u32 = 1;

/// From the place of a stub's jump displacement back to the stub's first byte.
const STUB_HEAD: usize = 6;

impl Backend {
    /// A backend with executable memory of its own.
    ///
    /// # Errors
    /// When there is none, or the processor is too old.
    pub fn new(layout: Layout) -> Result<Self, BackendError> {
        Self::with_cache(layout, CodeCache::new()?)
    }

    /// A backend over the given memory.
    ///
    /// # Errors
    /// When it is too small for the shared code, or the processor is too old.
    pub fn with_cache(layout: Layout, mut cache: CodeCache) -> Result<Self, BackendError> {
        if !std::arch::is_x86_feature_detected!("sse4.1") {
            return Err(BackendError::Processor("SSE 4.1"));
        }
        let blobs = Blobs::new(&mut cache, &layout)?;
        Ok(Self {
            cache,
            layout,
            blobs,
            traces: FxHashMap::default(),
            exits: Vec::new(),
            first_exits: Vec::new(),
            sites: Vec::new(),
            code: Code::default(),
            scratch: Scratch::default(),
        })
    }

    /// Executable memory, for figures and perf maps.
    #[must_use]
    pub fn cache(&self) -> &CodeCache {
        &self.cache
    }

    /// An exit by the id its stub loads.
    ///
    /// # Panics
    /// When no trace has that exit.
    #[must_use]
    pub fn exit(&self, id: u32) -> &ExitInfo {
        self.exits[(id - FIRST_EXIT) as usize].get_or_init(|| Box::new(self.describe(id)))
    }

    fn describe(&self, id: u32) -> ExitInfo {
        let at = self.first_exits.partition_point(|&(first, _)| first <= id);
        let (first, trace) = self.first_exits[at - 1];
        let record = &self.traces[&trace];
        ExitInfo::new(id, &record.kept, SnapshotId(id - first), &record.locs)
    }

    /// What is kept of a compiled trace: bridges begin with it.
    ///
    /// # Panics
    /// When no trace has that id.
    #[must_use]
    pub fn kept(&self, trace: TraceId) -> &Kept {
        &self.traces[&trace].kept
    }

    /// An allocation site by its id.
    ///
    /// # Panics
    /// When no trace has that site.
    #[must_use]
    pub fn site(&self, id: u32) -> &Site {
        &self.sites[id as usize]
    }

    /// Turns a verified trace into machine code, and takes the snapshots out of it, which describe the
    /// exits. A bridge is compiled but not yet attached.
    ///
    /// # Errors
    /// See [`CompileError`]; backend and trace are unchanged then.
    ///
    /// # Panics
    /// On traces that break the verifier's rules, and in debug builds on a wrong allocation.
    pub fn compile(
        &mut self,
        trace: &mut Trace,
        options: CompileOptions,
    ) -> Result<Compiled, CompileError> {
        self.compile_observed(trace, options, &mut |_| {})
    }

    /// Like [`Backend::compile`], telling after each stage that it is over: `regalloc`, `encode`.
    ///
    /// # Errors
    /// As [`Backend::compile`].
    ///
    /// # Panics
    /// As [`Backend::compile`].
    pub fn compile_observed(
        &mut self,
        trace: &mut Trace,
        options: CompileOptions,
        observe: &mut dyn FnMut(&'static str),
    ) -> Result<Compiled, CompileError> {
        self.refuse(trace)?;
        let (parent_locs, parent_words) = self.parent(trace)?;
        let link = self.link_target(trace)?;

        let registers = if options.regalloc {
            REGISTERS
        } else {
            NO_REGISTERS
        };
        let Scratch {
            survey,
            lives: spans,
            ..
        } = &mut self.scratch;
        survey.look(trace);
        lives(trace, survey, spans);
        let mut allocation = allocate_lives(spans, registers, |value| {
            about(trace, &parent_locs, value.0 as usize)
        });
        if cfg!(debug_assertions)
            && let Err(error) = check(&problem(trace, &parent_locs), &allocation.locs)
        {
            panic!("wrong allocation of trace {:?}: {error}", trace.id);
        }
        let outgoing = survey.outgoing_words;
        // The lowest words of the frame are for stack arguments.
        for loc in &mut allocation.locs {
            if let Loc::Spill(slot) = loc {
                *slot += outgoing;
            }
        }
        let frame_words = (allocation.spill_words + outgoing)
            .next_multiple_of(2)
            .max(parent_words);

        observe("regalloc");

        let address = self.cache.next_address(16);
        let first_exit = FIRST_EXIT + self.exits.len() as u32;
        let code = &mut self.code;
        let locs = &allocation.locs;
        let mut a = Asm::new(code, address, trace, &self.layout, &self.blobs, locs);
        a.frame_words = frame_words;
        a.extent = options.extent;
        a.first_exit = first_exit;
        a.first_site = self.sites.len() as u32;
        a.link = link;
        let scratch = &mut self.scratch;
        (a.guards, a.valids) = (take(&mut scratch.guards), take(&mut scratch.valids));
        (a.cold, a.literals) = (take(&mut scratch.cold), take(&mut scratch.literals));
        (a.stubs, a.spare_moves) = (take(&mut scratch.stubs), take(&mut scratch.moves));
        a.stubs.resize(trace.snapshots.len(), 0);
        let body = entry(&mut a, &parent_locs, parent_words);
        for (r, op) in trace.iter() {
            lower::op(&mut a, r, op);
        }
        lower::cold(&mut a);
        stubs(&mut a);
        let code_bytes = a.finish().map_err(|e| CompileError::Assemble {
            trace: trace.id,
            reason: e.to_string(),
        });
        let (guards, valids) = (a.guards.as_slice().into(), a.valids.as_slice().into());
        let stubs = a.stubs.as_slice().into();
        (scratch.guards, scratch.valids) = (a.guards, a.valids);
        (scratch.cold, scratch.literals) = (a.cold, a.literals);
        (scratch.stubs, scratch.moves) = (a.stubs, a.spare_moves);
        scratch.guards.clear();
        scratch.valids.clear();
        scratch.cold.clear();
        scratch.literals.clear();
        scratch.stubs.clear();
        let code_bytes = code_bytes?;
        observe("encode");
        let span =
            self.cache
                .append(16, self.code.bytes())
                .map_err(|source| CompileError::Code {
                    trace: trace.id,
                    source,
                })?;
        debug_assert_eq!(
            span.address, address,
            "code lands where it was assembled for"
        );

        let snapshots = trace.snapshots.len() as u32;
        let exits = self.exits.len() + snapshots as usize;
        self.exits.resize_with(exits, OnceCell::new);
        self.first_exits.push((first_exit, trace.id));
        let first_site = self.sites.len() as u32;
        if self.scratch.survey.allocates {
            self.add_sites(trace, &allocation, frame_words, options.extent);
        }
        self.traces.insert(
            trace.id,
            Record {
                kept: Kept::take(trace),
                locs: allocation.locs,
                start: address,
                body: address + body,
                frame_words,
                first_exit,
                stubs,
                guards,
                valids,
            },
        );
        Ok(Compiled {
            id: trace.id,
            span,
            entry: address,
            code_bytes,
            frame_words,
            spilled: allocation.spilled,
            exits: first_exit..first_exit + snapshots,
            sites: first_site..self.sites.len() as u32,
            roots: roots(trace),
        })
    }

    /// Leads an exit to a bridge, from now on and for runs that are on their way.
    ///
    /// No other thread may run machine code meanwhile.
    ///
    /// # Errors
    /// Those of patching; the exit then still leaves the trace, or already leads to the bridge.
    ///
    /// # Panics
    /// When no trace has that exit.
    pub fn attach_bridge(&mut self, exit: u32, bridge: &Compiled) -> Result<(), CodeCacheError> {
        let info = self.exit(exit);
        let snapshot = info.snapshot;
        let record = &self.traces[&info.trace];
        if let Some(jump) = record.stub(snapshot) {
            self.cache.patch4(jump, displacement(jump, bridge.entry))?;
        }
        for &(offset, _) in record.guards.iter().filter(|(_, s)| *s == snapshot) {
            let jump = record.start + offset as usize;
            let bytes = displacement(jump, bridge.entry).to_le_bytes();
            // A displacement that straddles two words cannot be changed by one store; that guard
            // goes on through its stub.
            if jump % 8 <= 4 {
                self.cache.patch_within8(jump, &bytes)?;
            }
        }
        Ok(())
    }

    /// Makes every `valid` of the trace leave, from now on.
    ///
    /// # Errors
    /// Those of patching.
    ///
    /// # Panics
    /// When there is no such trace.
    pub fn invalidate(&mut self, trace: TraceId) -> Result<(), CodeCacheError> {
        let record = &self.traces[&trace];
        for &(offset, snapshot) in &record.valids {
            let at = record.start + offset as usize;
            let stub = record.stub(snapshot).expect("a valid guard has a stub") - STUB_HEAD;
            let mut jump = [0xE9, 0, 0, 0, 0];
            jump[1..].copy_from_slice(&displacement(at + 1, stub).to_le_bytes());
            self.cache.patch_within8(at, &jump)?;
        }
        Ok(())
    }

    /// The exit a bridge of this kind starts from.
    #[must_use]
    pub fn exit_of(&self, trace: TraceId, snapshot: SnapshotId) -> Option<u32> {
        let record = self.traces.get(&trace)?;
        (snapshot.index() < record.kept.snapshot_count()).then(|| record.first_exit + snapshot.0)
    }

    /// Runs a root trace until it leaves; returns what `on_exit` returned.
    ///
    /// # Safety
    /// `vm` is a VM state as the layout describes, of which no reference is held; `base` is a window
    /// with every slot that the trace, its bridges and what they link to mention, and whose contents
    /// are what the trace was recorded for (its guards check the rest).
    pub unsafe fn enter_at(enter: Entry, vm: *mut c_void, base: *mut u64, code: usize) -> u64 {
        // SAFETY: passed on from the caller; `Entry` has the blobs of a backend that is never dropped
        // while its code runs.
        unsafe { runtime::enter(&enter.0, vm, base, code) }
    }

    /// What [`Backend::enter_at`] needs, so that nobody borrows the backend while code runs.
    #[must_use]
    pub fn entry(&self) -> Entry {
        Entry(self.blobs)
    }

    /// In the child of a `fork`: see [`CodeCache::after_fork`].
    ///
    /// # Errors
    /// Those of the code cache; the child must then run without compiled code.
    pub fn after_fork(&mut self) -> Result<(), CodeCacheError> {
        self.cache.after_fork()
    }

    fn refuse(&self, trace: &Trace) -> Result<(), CompileError> {
        if self.traces.contains_key(&trace.id) {
            return Err(CompileError::Duplicate(trace.id));
        }
        match trace
            .snapshots
            .iter()
            .position(|s| s.virtuals.len() > MAX_VIRTUALS)
        {
            Some(n) => Err(CompileError::TooManyVirtuals {
                trace: trace.id,
                snapshot: SnapshotId(n as u32),
                found: trace.snapshots[n].virtuals.len(),
            }),
            None => Ok(()),
        }
    }

    /// Places of a bridge's inherited values in its parent's frame, and that frame's size.
    fn parent(&self, trace: &Trace) -> Result<(Vec<Loc>, u32), CompileError> {
        let TraceKind::Bridge { parent, exit } = trace.kind else {
            return Ok((Vec::new(), 0));
        };
        let unknown = || CompileError::UnknownParent {
            trace: trace.id,
            parent,
            exit,
        };
        let id = self.exit_of(parent, exit).ok_or_else(unknown)?;
        let locs = self.exit(id).live().iter().map(|&(_, loc)| loc).collect();
        Ok((locs, self.traces[&parent].frame_words))
    }

    fn link_target(&self, trace: &Trace) -> Result<Option<LinkTarget>, CompileError> {
        let Some(op) = trace.ops.last().filter(|op| op.code == OpCode::Link) else {
            return Ok(None);
        };
        let root = TraceId(op.imm as u32);
        let record = self.traces.get(&root).ok_or(CompileError::UnknownRoot {
            trace: trace.id,
            root: op.imm,
        })?;
        Ok(Some(LinkTarget {
            body: record.body,
            frame_words: record.frame_words,
        }))
    }

    fn add_sites(&mut self, trace: &Trace, allocation: &Allocation, frame_words: u32, extent: i32) {
        let news: Vec<u32> = trace
            .iter()
            .filter(|(_, op)| op.code == OpCode::New)
            .filter_map(|(r, _)| r.as_op())
            .map(|i| i as u32)
            .collect();
        for (&index, live) in news
            .iter()
            .zip(allocation.live_across(&self.scratch.lives, &news))
        {
            let op = &trace.ops[index as usize];
            self.sites.push(Site {
                trace: trace.id,
                op: OpRef::op(index as usize),
                bytes: lower::object_bytes(op),
                extent,
                snapshot: op.snap,
                frame_words,
                live,
            });
        }
    }
}

/// The right to run machine code of one backend.
#[derive(Debug, Clone, Copy)]
pub struct Entry(Blobs);

/// Makes the frame and moves inherited values; returns the offset behind the frame's making, where
/// other traces with a frame of this size may join.
fn entry(a: &mut Asm<'_>, parent_locs: &[Loc], parent_words: u32) -> usize {
    let grow = a.frame_words - parent_words;
    if grow != 0 {
        let bytes = 8 * grow as i32;
        asm!(a ; lea rsp, [Rq(RSP) - bytes]);
    }
    let body = a.ops.offset();
    let mut moves = a.moves();
    let params = a.trace.ops.iter().zip(a.locs);
    for (op, &to) in params.take_while(|(op, _)| op.code == OpCode::Param) {
        // The parent's frame is the upper part of this one.
        let from = match parent_locs[op.imm as usize] {
            Loc::Spill(slot) => Loc::Spill(slot + grow),
            loc => loc,
        };
        if to != Loc::None {
            moves.copies.push(Move { from, to });
        }
    }
    a.parallel(moves);
    body
}

/// Emits the exit stubs, and leads all guards to them.
///
/// A stub is `mov eax, id; jmp way out`, aligned so that one 4-byte store leads it to a bridge.
fn stubs(a: &mut Asm<'_>) {
    let tail = a.label();
    for snapshot in 0..a.stubs.len() {
        if a.stubs[snapshot] == 0 {
            continue;
        }
        a.pad(4, STUB_HEAD);
        let id = a.first_exit + snapshot as u32;
        asm!(a ; mov eax, DWORD id as i32 ; jmp =>tail);
        let jump = a.ops.offset() - 4;
        debug_assert!(jump.is_multiple_of(4), "the displacement is aligned");
        a.stubs[snapshot] = jump as u32;
    }
    a.bind(tail);
    let (bytes, blob) = (8 * a.frame_words as i32, a.blobs.exit);
    asm!(a ; mov ecx, DWORD bytes ; jmp extern blob);
    for &(jump, snapshot) in &a.guards {
        let stub = a.stubs[snapshot.index()] - STUB_HEAD as u32;
        a.ops.lead(jump, stub);
    }
}

/// What to write at `at` so that the jump goes to `target`.
fn displacement(at: usize, target: usize) -> u32 {
    target.wrapping_sub(at + 4) as u32
}

/// Object addresses among the constants.
fn roots(trace: &Trace) -> Vec<u64> {
    let words = trace.consts.iter().filter_map(|c| match c {
        Const::Val(bits) if word::is_ptr(*bits) => Some(*bits),
        _ => None,
    });
    words.collect()
}
