//! `sink`: an object that only its own stores and exits know of is never made; exits make it.
//!
//! ```text
//! v1 = new 2, 0x500000000
//! st_val v1, v0, 8, c3
//! is_int v2 @s0{pc 4 base 0 [1: v1]}       ; becomes [1: o0] o0 = new 2, 0x500000000 [8: v0 c3]
//! ```
//!
//! Such an object is *virtual*. Being stored into a virtual object is harmless, too. A phi is virtual
//! if its initial and its next value are: then each field of the object becomes a phi of its own
//! (or an existing one, or an invariant), and a loop that makes an object per iteration and carries
//! it round makes none.
//!
//! First, candidates are thinned out until none is used where an address is needed ([`Escapes`]);
//! then a walk over the trace follows the contents of what is left and finds the field phis
//! ([`Plan`]), sending back to the first step what it cannot carry; then the trace is rebuilt.
//! Snapshots describe objects as they were where the snapshot is first used, which is how they were
//! at its resume point: later stores are effects, after which nothing leaves through it.
//!
//! Left out: objects that are made virtual on one path and real on another, objects of the preamble
//! that the body uses without a phi, nested objects that have no phi themselves (they stay real).
//! The other half of this pass, boxes left to exits, happens when snapshots are taken.

use std::mem::{replace, take};

use rustc_hash::{FxHashMap, FxHashSet};

use pyrite_jit_ir::ops::Place;
use pyrite_jit_ir::{
    AliasClass, Field, Kind, List, Op, OpCode, OpRef, Resume, Snapshot, SnapshotId, Trace, Ty,
    VirtualObject, Width,
};

use crate::plant::{self, Fault};
use crate::spare;

/// How often the search for a consistent set of virtual objects may start again.
const MAX_ROUNDS: usize = 8;

/// The trace without virtual objects.
pub(crate) fn sink(mut trace: Trace) -> Trace {
    if !trace.ops.iter().any(|op| op.code == OpCode::New) {
        return trace;
    }
    let mut real = Vec::new();
    for _ in 0..MAX_ROUNDS {
        let Some(virtuals) = Escapes::new(&trace).run(&real) else {
            break;
        };
        match Plan::make(&trace, &virtuals) {
            Ok(plan) => {
                rebuild(&mut trace, &virtuals, &plan);
                return trace;
            }
            Err(more) => real.extend(more),
        }
    }
    trace
}

/// A set of ops.
struct Virtuals(Vec<bool>);

impl Virtuals {
    #[inline]
    fn contains(&self, r: OpRef) -> bool {
        r.as_op().is_some_and(|i| self.0[i])
    }
}

/// Candidates and what makes them real.
struct Escapes<'t> {
    trace: &'t Trace,
    candidate: Vec<bool>,
    /// Is some word phi fed by a phi?
    chains: bool,
    /// If the first becomes real, so does the second.
    follows: Vec<(OpRef, OpRef)>,
    work: Vec<OpRef>,
}

impl<'t> Escapes<'t> {
    fn new(trace: &'t Trace) -> Escapes<'t> {
        let is_candidate =
            |op: &Op| op.code == OpCode::New || op.code == OpCode::Phi && op.ty == Ty::Val;
        let candidate = trace.ops.iter().map(is_candidate).collect();
        let is_phi = |r: OpRef| {
            trace
                .def(r)
                .is_some_and(|op| op.code == OpCode::Phi && op.ty == Ty::Val)
        };
        let chains = phi_pairs(trace).any(|(_, _, next)| is_phi(next));
        Escapes {
            trace,
            candidate,
            chains,
            follows: Vec::new(),
            work: Vec::new(),
        }
    }

    /// The refs that stay virtual, given some that must be real; `None` if there are none.
    fn run(mut self, real: &[OpRef]) -> Option<Virtuals> {
        self.work.extend(real);
        let loop_index = self.trace.loop_index().unwrap_or(usize::MAX);
        self.phis();
        for (i, op) in self.trace.ops.iter().enumerate() {
            self.op(op);
            if i > loop_index && op.code != OpCode::Phi {
                self.reach_back(op, loop_index);
            }
        }
        self.follows.sort_unstable();
        while let Some(r) = self.work.pop() {
            let Some(i) = r.as_op() else { continue };
            if replace(&mut self.candidate[i], false) {
                let from = self.follows.partition_point(|&(first, _)| first < r);
                let follows = self.follows[from..].iter();
                let follows = follows.take_while(|&&(first, _)| first == r);
                self.work.extend(follows.map(|&(_, second)| second));
            }
        }
        let any = self.candidate.contains(&true);
        any.then_some(Virtuals(self.candidate))
    }

    fn is_candidate(&self, r: OpRef) -> bool {
        r.as_op().is_some_and(|i| self.candidate[i])
    }

    fn tie(&mut self, a: OpRef, b: OpRef) {
        self.follows.extend([(a, b), (b, a)]);
    }

    /// A phi is tied to its two values; each value may feed one phi only, and chains of phis must
    /// end at an allocation, so that different refs are different objects.
    fn phis(&mut self) {
        let first = self.trace.loop_index().map_or(usize::MAX, |i| i + 1);
        let next = self
            .trace
            .ops
            .last()
            .map_or(&[][..], |op| self.trace.list(op.list));
        let next_of = |r: OpRef| {
            let number = r.as_op().and_then(|i| i.checked_sub(first));
            number.and_then(|i| next.get(i).copied())
        };
        let mut seen = FxHashSet::default();
        for (phi, init, next) in phi_pairs(self.trace) {
            if !self.is_candidate(phi) {
                continue;
            }
            let is_new = |r: OpRef| self.trace.def(r).is_some_and(|op| op.code == OpCode::New);
            let mut end = next;
            for _ in 0..8 {
                end = next_of(end).unwrap_or(end);
            }
            if !is_new(init) || !is_new(end) || !self.is_candidate(next) {
                self.work.push(phi);
                self.work.extend([init, next]);
            }
            self.tie(phi, init);
            self.tie(phi, next);
            for value in [init, next] {
                if !seen.insert((value, value == next)) {
                    self.work.push(value);
                }
            }
        }
    }

    fn op(&mut self, op: &Op) {
        match op.code.kind() {
            Kind::Store if store_offset(self.trace, op).is_some() => {
                let base_is_phi = self
                    .trace
                    .def(op.a)
                    .is_some_and(|def| def.code == OpCode::Phi);
                if base_is_phi && self.chains {
                    self.work.push(op.a);
                }
                if let Some(stored) = op.code.stored_operand() {
                    let value = op.operand(stored);
                    if self.is_candidate(op.a) {
                        self.follows.push((op.a, value));
                    } else if !plant::is(Fault::StoredStaysVirtual) {
                        self.work.push(value);
                    }
                }
            }
            Kind::Barrier => {}
            _ if matches!(op.code, OpCode::Phi | OpCode::Jump) => {}
            _ => {
                let trace = self.trace;
                let shown = op.snap.filter(|_| op.code == OpCode::Call);
                let shown = shown
                    .into_iter()
                    .flat_map(|snap| trace.snapshot(snap).refs());
                for r in trace.operands(op).chain(shown) {
                    if self.is_candidate(r) {
                        self.work.push(r);
                    }
                }
            }
        }
    }

    /// Objects of the preamble that the body names itself.
    fn reach_back(&mut self, op: &Op, loop_index: usize) {
        let trace = self.trace;
        let shown = op
            .snap
            .into_iter()
            .flat_map(|snap| trace.snapshot(snap).refs());
        let used = trace
            .operands(op)
            .filter(|_| op.code != OpCode::Jump)
            .chain(shown);
        let preamble = |r: &OpRef| r.as_op().is_some_and(|i| i < loop_index);
        for r in used.filter(preamble) {
            if self.is_candidate(r) {
                self.work.push(r);
            }
        }
    }
}

/// `(phi, initial value, next value)`.
fn phi_pairs(trace: &Trace) -> impl Iterator<Item = (OpRef, OpRef, OpRef)> {
    let first = trace.loop_index().map_or(trace.ops.len(), |i| i + 1);
    let next = trace.ops.last().map_or(&[][..], |op| trace.list(op.list));
    let phis = trace.ops[first..].iter().zip(first..);
    let phis = phis.take_while(|(op, _)| op.code == OpCode::Phi);
    phis.zip(next)
        .map(|((op, i), &next)| (OpRef::op(i), op.a, next))
}

/// The fixed offset a store has from its object.
fn store_offset(trace: &Trace, op: &Op) -> Option<i32> {
    let access = op.code.info().access?;
    match access.place {
        _ if op.code == OpCode::StShape => Some(4),
        Place::Field => Some(op.imm),
        Place::Elem => {
            let index = trace.as_int(op.b)?;
            let offset = index
                .checked_mul(access.width.bytes().into())?
                .checked_add(op.imm.into())?;
            i32::try_from(offset).ok()
        }
        Place::Vm | Place::Slot => None,
    }
}

/// A field's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// A value of the old trace.
    Old(OpRef),
    /// A new phi, index into [`Plan::phis`].
    Phi(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    width: Width,
    class: AliasClass,
    content: Content,
}

/// A virtual object at one point of the trace.
#[derive(Clone, Debug)]
struct Object {
    words: u32,
    header: u64,
    cells: Cells,
}

/// What lies at which offset, offsets ascending.
#[derive(Clone, Debug, Default)]
struct Cells(Vec<(i32, Cell)>);

impl Cells {
    fn get(&self, offset: i32) -> Option<&Cell> {
        let at = self.0.binary_search_by_key(&offset, |&(o, _)| o).ok()?;
        Some(&self.0[at].1)
    }

    /// The last one before an offset.
    fn before(&self, offset: i32) -> Option<&(i32, Cell)> {
        let at = self.0.partition_point(|&(o, _)| o < offset);
        self.0[..at].last()
    }

    fn set(&mut self, offset: i32, cell: Cell) {
        match self.0.binary_search_by_key(&offset, |&(o, _)| o) {
            Ok(at) => self.0[at].1 = cell,
            Err(at) => self.0.insert(at, (offset, cell)),
        }
    }
}

/// Contents of all virtual objects at one point.
#[derive(Clone, Debug, Default)]
struct Contents(FxHashMap<OpRef, Object>);

impl Contents {
    /// Follows one op; an object whose contents cannot be followed is the error.
    fn step(&mut self, trace: &Trace, r: OpRef, op: &Op, virtuals: &Virtuals) -> Result<(), OpRef> {
        if op.code == OpCode::New && virtuals.contains(r) {
            let header = trace.as_int(op.a).unwrap_or_default() as u64;
            self.0.insert(
                r,
                Object {
                    words: op.imm as u32,
                    header,
                    cells: Cells(Vec::with_capacity(op.imm as usize)),
                },
            );
        }
        if op.code.kind() != Kind::Store || !virtuals.contains(op.a) {
            return Ok(());
        }
        let (Some(object), Some(offset)) = (self.0.get_mut(&op.a), store_offset(trace, op)) else {
            return Err(op.a);
        };
        if op.code == OpCode::StShape {
            object.header = object.header & 0xFFFF_FFFF | u64::from(op.shape_id()) << 32;
            return Ok(());
        }
        let width = op
            .code
            .info()
            .access
            .map_or(Width::Val, |access| access.width);
        let stored = op.operand(op.code.stored_operand().ok_or(op.a)?);
        let end = offset + width.bytes();
        let clash = object.cells.before(end).is_some_and(|(o, cell)| {
            o + cell.width.bytes() > offset && (*o, cell.width) != (offset, width)
        });
        if plant::is(Fault::FirstContent) && object.cells.get(offset).is_some() {
            return Ok(());
        }
        if clash || offset < 8 || end > object.words as i32 * 8 {
            return Err(op.a);
        }
        object.cells.set(
            offset,
            Cell {
                width,
                class: op.alias_class(),
                content: Content::Old(stored),
            },
        );
        Ok(())
    }
}

/// A phi that carries a field.
#[derive(Clone, Copy, Debug)]
struct FieldPhi {
    ty: Ty,
    init: OpRef,
    next: Content,
    /// False: an invariant or an existing phi took its place everywhere.
    used: bool,
}

/// The field phis that make a set of virtual objects work.
struct Plan {
    phis: Vec<FieldPhi>,
    /// The allocations whose field each phi carries.
    owners: Vec<[OpRef; 2]>,
    /// Contents of the virtual phis' objects at the loop header.
    at_header: Contents,
}

impl Plan {
    /// Finds the field phis, or objects that must be real.
    fn make(trace: &Trace, virtuals: &Virtuals) -> Result<Plan, Vec<OpRef>> {
        let carried: Vec<_> = phi_pairs(trace)
            .filter(|pair| virtuals.contains(pair.0))
            .collect();
        let mut contents = Contents::default();
        let mut phis: Vec<FieldPhi> = Vec::new();
        let mut owners = Vec::new();
        let mut at_header = Contents::default();
        for (r, op) in trace.iter() {
            contents
                .step(trace, r, op, virtuals)
                .map_err(|object| vec![object])?;
            if op.code == OpCode::Loop {
                for &(phi, init, _) in &carried {
                    let mut object = contents.0.get(&init).ok_or(vec![init])?.clone();
                    for &mut (offset, ref mut cell) in &mut object.cells.0 {
                        let Content::Old(init) = cell.content else {
                            continue;
                        };
                        owners.push((phi, offset));
                        phis.push(FieldPhi {
                            ty: Ty::Val,
                            init,
                            next: Content::Old(init),
                            used: true,
                        });
                        cell.content = Content::Phi(phis.len() - 1);
                    }
                    at_header.0.insert(phi, object);
                }
                contents.0.extend(at_header.0.clone());
            }
        }
        let values: FxHashMap<OpRef, [OpRef; 2]> = carried
            .iter()
            .map(|&(phi, init, next)| (phi, [init, next]))
            .collect();
        for (k, &(phi, offset)) in owners.iter().enumerate() {
            let [init, next] = values[&phi];
            let (start, end) = (&at_header.0[&phi], contents.0.get(&next).ok_or(vec![next])?);
            let like = |cell: &Cell| (cell.width, cell.class);
            let same_layout = start.words == end.words
                && start.header == end.header
                && start.cells.0.len() == end.cells.0.len()
                && end.cells.get(offset).map(like) == start.cells.get(offset).map(like);
            match end.cells.get(offset) {
                Some(cell) if same_layout => phis[k].next = cell.content,
                _ => return Err(vec![init, next]),
            }
        }
        let owners = owners.iter().map(|(phi, _)| values[phi]).collect();
        let plan = Plan {
            phis,
            owners,
            at_header,
        };
        if plan.phis.is_empty() {
            return Ok(plan);
        }
        plan.settle(trace, virtuals)
    }

    /// Replaces field phis that are invariant or exist already, refuses nested objects without phi,
    /// and chooses types.
    fn settle(mut self, trace: &Trace, virtuals: &Virtuals) -> Result<Plan, Vec<OpRef>> {
        let existing: FxHashMap<(OpRef, OpRef), OpRef> = phi_pairs(trace)
            .map(|(phi, init, next)| ((init, next), phi))
            .collect();
        let mut replaced: FxHashMap<usize, OpRef> = FxHashMap::default();
        let mut refused = Vec::new();
        for (k, phi) in self.phis.iter().enumerate() {
            match phi.next {
                Content::Phi(j) if j == k => {
                    replaced.insert(k, phi.init);
                }
                Content::Old(next) => {
                    let raw = (unboxed(trace, phi.init), unboxed(trace, next));
                    if next == phi.init {
                        replaced.insert(k, next);
                    } else if let Some(&old) =
                        existing.get(&(phi.init, next)).or(existing.get(&raw))
                    {
                        replaced.insert(k, old);
                    }
                }
                Content::Phi(_) => {}
            }
            let ends = [
                Some(phi.init),
                if let Content::Old(next) = phi.next {
                    Some(next)
                } else {
                    None
                },
            ];
            if replaced.get(&k).is_none_or(|r| *r == phi.init) {
                refused.extend(ends.into_iter().flatten().filter(|&r| virtuals.contains(r)));
            }
        }
        if !refused.is_empty() {
            return Err(refused);
        }
        let swap = |content: &mut Content| {
            if let Content::Phi(k) = content
                && let Some(&r) = replaced.get(k)
            {
                *content = Content::Old(r);
            }
        };
        for (k, phi) in self.phis.iter_mut().enumerate() {
            swap(&mut phi.next);
            phi.used = !replaced.contains_key(&k);
        }
        let objects = self.at_header.0.values_mut();
        objects
            .flat_map(|object| &mut object.cells.0)
            .for_each(|(_, cell)| swap(&mut cell.content));
        self.choose_types(trace);
        // A boxed phi can only be fed with words.
        for (phi, owners) in self.phis.iter().zip(&self.owners) {
            if phi.used
                && phi.ty == Ty::Val
                && matches!(phi.next, Content::Old(r) if trace.ty(r) != Ty::Val)
            {
                return Err(owners.to_vec());
            }
        }
        Ok(self)
    }

    /// A field phi is unboxed if both its values are boxes of one type.
    fn choose_types(&mut self, trace: &Trace) {
        for phi in &mut self.phis {
            phi.ty = trace.ty(unboxed(trace, phi.init));
        }
        // Boxed meets unboxed: both become boxed. Raw fields have one type only.
        let mut changed = true;
        while std::mem::take(&mut changed) {
            for k in 0..self.phis.len() {
                let (next, fed_by) = match self.phis[k].next {
                    Content::Old(r) => (trace.ty(unboxed(trace, r)), None),
                    Content::Phi(j) => (self.phis[j].ty, Some(j)),
                };
                if next != self.phis[k].ty {
                    for phi in [Some(k), fed_by].into_iter().flatten() {
                        changed |= self.phis[phi].ty != Ty::Val;
                        self.phis[phi].ty = Ty::Val;
                    }
                }
            }
        }
    }
}

/// The value in a box, or the value.
fn unboxed(trace: &Trace, r: OpRef) -> OpRef {
    match trace.def(r) {
        Some(def) if matches!(def.code, OpCode::BoxInt | OpCode::BoxFlt) => def.a,
        _ => r,
    }
}

fn rebuild(trace: &mut Trace, virtuals: &Virtuals, plan: &Plan) {
    let snapshots = take(&mut trace.snapshots);
    let mut other = spare::take(trace.id, trace.kind);
    let mut sinker = Sinker {
        trace,
        virtuals,
        plan,
        ops: take(&mut other.ops),
        lists: take(&mut other.lists),
        snapshots: take(&mut other.snapshots),
        names: vec![OpRef::NONE; trace.ops.len()],
        snapshot_names: vec![None; snapshots.len()],
        old_snapshots: snapshots,
        contents: Contents::default(),
        field_phis: Vec::new(),
    };
    let first_body = trace
        .ops
        .iter()
        .rposition(|op| matches!(op.code, OpCode::Loop | OpCode::Phi));
    for (i, op) in trace.ops.iter().enumerate() {
        sinker.op(i, op);
        if Some(i) == first_body {
            sinker.push_field_phis();
        }
    }
    let (ops, lists, snapshots) = (sinker.ops, sinker.lists, sinker.snapshots);
    other.snapshots = sinker.old_snapshots;
    other.ops = replace(&mut trace.ops, ops);
    other.lists = replace(&mut trace.lists, lists);
    trace.snapshots = snapshots;
    spare::give(other);
}

/// The new trace in the making. Constants and call table stay as they are.
struct Sinker<'t> {
    /// The old trace, without its snapshots.
    trace: &'t Trace,
    /// Those that are not used yet by an op of the new trace.
    old_snapshots: Vec<Snapshot>,
    virtuals: &'t Virtuals,
    plan: &'t Plan,
    ops: Vec<Op>,
    lists: Vec<OpRef>,
    snapshots: Vec<Snapshot>,
    /// What each old op is in the new trace.
    names: Vec<OpRef>,
    snapshot_names: Vec<Option<SnapshotId>>,
    contents: Contents,
    /// The plan's phis in the new trace.
    field_phis: Vec<OpRef>,
}

impl Sinker<'_> {
    fn op(&mut self, i: usize, op: &Op) {
        let r = OpRef::op(i);
        self.contents
            .step(self.trace, r, op, self.virtuals)
            .expect("the plan followed the same stores");
        if op.code == OpCode::Loop {
            self.contents.0.extend(self.plan.at_header.0.clone());
        }
        let is_store = matches!(op.code.kind(), Kind::Store | Kind::Barrier);
        if self.virtuals.contains(r) || is_store && self.virtuals.contains(op.a) {
            return;
        }
        if op.code == OpCode::Jump {
            return self.jump(op);
        }
        let mut copy = *op;
        copy.map_operands(|r| self.resolve(r));
        if op.list.len > 0 {
            let start = self.lists.len() as u32;
            for &r in self.trace.list(op.list) {
                let r = self.resolve(r);
                self.lists.push(r);
            }
            copy.list.start = start;
        }
        copy.snap = op.snap.map(|id| self.snapshot(id));
        self.names[i] = self.push(copy);
    }

    fn push(&mut self, op: Op) -> OpRef {
        self.ops.push(op);
        OpRef::op(self.ops.len() - 1)
    }

    /// The new name of an old ref.
    #[inline]
    fn resolve(&self, r: OpRef) -> OpRef {
        r.renamed(&self.names)
    }

    fn push_field_phis(&mut self) {
        let plan = self.plan;
        for phi in &plan.phis {
            if !phi.used {
                self.field_phis.push(OpRef::NONE);
                continue;
            }
            let init = if phi.ty == Ty::Val {
                phi.init
            } else {
                unboxed(self.trace, phi.init)
            };
            let init = self.resolve(init);
            let phi = self.push(Op {
                ty: phi.ty,
                ..Op::new(OpCode::Phi).with(&[init])
            });
            self.field_phis.push(phi);
        }
    }

    fn jump(&mut self, op: &Op) {
        let start = self.lists.len();
        for (phi, _, value) in phi_pairs(self.trace) {
            if !self.virtuals.contains(phi) {
                let value = self.resolve(value);
                self.lists.push(value);
            }
        }
        for phi in self.plan.phis.iter().filter(|phi| phi.used) {
            let value = match phi.next {
                Content::Phi(k) => self.field_phis[k],
                Content::Old(r) if phi.ty == Ty::Val => self.resolve(r),
                Content::Old(r) => self.resolve(unboxed(self.trace, r)),
            };
            self.lists.push(value);
        }
        let len = (self.lists.len() - start) as u32;
        let start = if len > 0 { start as u32 } else { 0 };
        let list = List { start, len };
        self.push(Op { list, ..*op });
    }

    fn snapshot(&mut self, id: SnapshotId) -> SnapshotId {
        if let Some(done) = self.snapshot_names[id.index()] {
            return done;
        }
        let old = &mut self.old_snapshots[id.index()];
        let mut entries = take(&mut old.entries);
        let (pc, base, mode) = (old.pc, old.base, old.mode);
        let mut made = Described {
            objects: take(&mut old.virtuals),
            sinker: self,
            index: Vec::new(),
        };
        let inherited = made.objects.len();
        for (_, r) in &mut entries {
            *r = made.value(*r);
        }
        let mode = match mode {
            Resume::Finish { stage, val } => Resume::Finish {
                stage,
                val: made.value(val),
            },
            Resume::Reexec => Resume::Reexec,
        };
        for k in 0..inherited {
            for f in 0..made.objects[k].fields.len() {
                let val = made.objects[k].fields[f].val;
                made.objects[k].fields[f].val = made.value(val);
            }
        }
        let virtuals = made.objects;
        self.snapshots.push(Snapshot {
            pc,
            base,
            mode,
            entries,
            virtuals,
        });
        let new = SnapshotId(self.snapshots.len() as u32 - 1);
        self.snapshot_names[id.index()] = Some(new);
        new
    }
}

/// A snapshot in the making: virtual objects are described when first mentioned.
struct Described<'s, 't> {
    sinker: &'s Sinker<'t>,
    /// Where each stands among the objects; those that the old snapshot described are not here.
    index: Vec<(OpRef, usize)>,
    objects: Vec<VirtualObject>,
}

impl Described<'_, '_> {
    #[inline]
    fn value(&mut self, r: OpRef) -> OpRef {
        if self.sinker.virtuals.contains(r) {
            self.object(r)
        } else {
            self.sinker.resolve(r)
        }
    }

    fn object(&mut self, r: OpRef) -> OpRef {
        let again = plant::is(Fault::Doubles) && self.objects.len() < 8;
        let known = self.index.iter().find(|&&(known, _)| known == r);
        if let Some(&(_, index)) = known.filter(|_| !again) {
            return OpRef::virtual_object(index);
        }
        let sinker = self.sinker;
        let object = &sinker.contents.0[&r];
        let index = self.objects.len();
        self.index.push((r, index));
        self.objects.push(VirtualObject {
            words: object.words,
            header: object.header,
            fields: Vec::new(),
        });
        let mut fields = Vec::with_capacity(object.cells.0.len());
        for &(offset, cell) in &object.cells.0 {
            let val = match cell.content {
                Content::Phi(k) => sinker.field_phis[k],
                Content::Old(r) => self.value(unboxed(sinker.trace, r)),
            };
            fields.push(Field {
                offset,
                width: cell.width,
                class: cell.class,
                val,
            });
        }
        self.objects[index].fields = fields;
        OpRef::virtual_object(index)
    }
}
