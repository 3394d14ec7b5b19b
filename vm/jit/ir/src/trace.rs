//! A trace: ops, constants, snapshots, call table.

use crate::effects::{AliasClass, CallTarget};
use crate::index::{Index, mix};
use crate::ops::{Imm, Kind, OpCode};
use crate::snapshot::Snapshot;
use crate::types::{CallId, Const, List, OpRef, SnapshotId, TraceId, Ty};

/// One operation. Fields that its row of the op table does not mention are at their defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op {
    pub code: OpCode,
    /// Type of the result.
    pub ty: Ty,
    /// Guards: the truth of the condition that lets the trace go on.
    pub expect: bool,
    /// Loads and stores of a chosen class.
    pub class: AliasClass,
    pub a: OpRef,
    pub b: OpRef,
    pub c: OpRef,
    pub imm: i32,
    /// Arguments of `call`, values of `jump`: see [`Trace::list`].
    pub list: List,
    /// Where to go on when the op leaves the trace (and, for calls that may look at frames, what to
    /// show them).
    pub snap: Option<SnapshotId>,
}

fn const_hash(value: Const) -> u32 {
    match value {
        Const::Int(i) => mix(i as u64, 0),
        Const::Flt(bits) => mix(bits, 1),
        Const::Val(word) => mix(word, 2),
    }
}

impl Op {
    /// An op without operands; the result type is the table's (`Unit` where it has none).
    #[must_use]
    #[inline]
    pub fn new(code: OpCode) -> Op {
        Op {
            code,
            ty: code.info().result.unwrap_or(Ty::Unit),
            expect: true,
            class: AliasClass(0),
            a: OpRef::NONE,
            b: OpRef::NONE,
            c: OpRef::NONE,
            imm: 0,
            list: List::default(),
            snap: None,
        }
    }

    /// The op with operands `a`, `b`, `c` set from a slice of at most three.
    #[must_use]
    #[inline]
    pub fn with(mut self, operands: &[OpRef]) -> Op {
        match *operands {
            [] => {}
            [a] => self.a = a,
            [a, b] => (self.a, self.b) = (a, b),
            [a, b, c] => (self.a, self.b, self.c) = (a, b, c),
            _ => panic!("an op has at most three operands"),
        }
        self
    }

    #[must_use]
    #[inline]
    pub fn imm(mut self, imm: i32) -> Op {
        self.imm = imm;
        self
    }

    #[must_use]
    #[inline]
    pub fn class(mut self, class: AliasClass) -> Op {
        self.class = class;
        self
    }

    /// Operand field 0 (`a`), 1 (`b`) or 2 (`c`).
    #[must_use]
    #[inline]
    pub fn operand(&self, i: usize) -> OpRef {
        [self.a, self.b, self.c][i]
    }

    /// Replaces the operands in `a`, `b`, `c` (not those of the list); `map` leaves
    /// [`OpRef::NONE`] as it is.
    #[inline]
    pub fn map_operands(&mut self, mut map: impl FnMut(OpRef) -> OpRef) {
        for operand in [&mut self.a, &mut self.b, &mut self.c] {
            *operand = map(*operand);
        }
    }

    /// The alias class a load or store touches.
    #[must_use]
    #[inline]
    pub fn alias_class(&self) -> AliasClass {
        self.code
            .info()
            .access
            .and_then(|access| access.class)
            .unwrap_or(self.class)
    }

    /// The shape id of `shape` and `st_shape`.
    #[must_use]
    #[inline]
    pub fn shape_id(&self) -> u32 {
        self.imm as u32
    }
}

/// What a trace is entered from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TraceKind {
    /// Entered by the interpreter, by links, and by its own unpeeled jump; all values in VM slots.
    Root,
    /// Entered from an exit of another trace, whose live values are its params.
    Bridge { parent: TraceId, exit: SnapshotId },
}

/// A recorded trace.
#[derive(Clone, Debug)]
pub struct Trace {
    pub id: TraceId,
    pub kind: TraceKind,
    pub ops: Vec<Op>,
    pub consts: Vec<Const>,
    pub snapshots: Vec<Snapshot>,
    pub calls: Vec<CallTarget>,
    /// Backing store of all operand lists.
    pub lists: Vec<OpRef>,
    /// Where equal constants are; behind the pool it means that it is to be made again.
    const_index: Index,
}

/// See [`Trace::operands`]. Fields that an op does not use come last.
struct Operands<'t> {
    fixed: [OpRef; 3],
    at: usize,
    list: std::slice::Iter<'t, OpRef>,
}

impl Iterator for Operands<'_> {
    type Item = OpRef;

    #[inline]
    fn next(&mut self) -> Option<OpRef> {
        if self.at < 3 {
            let r = self.fixed[self.at];
            self.at += 1;
            if !r.is_none() {
                return Some(r);
            }
            self.at = 3;
        }
        self.list.next().copied()
    }

    #[inline]
    fn fold<B, F: FnMut(B, OpRef) -> B>(self, init: B, mut f: F) -> B {
        let mut acc = init;
        for &r in &self.fixed[self.at..] {
            if r.is_none() {
                break;
            }
            acc = f(acc, r);
        }
        for &r in self.list {
            acc = f(acc, r);
        }
        acc
    }
}

impl Trace {
    /// An empty trace.
    #[must_use]
    pub fn new(id: TraceId, kind: TraceKind) -> Trace {
        let mut trace = Trace::with_room(id, kind, 128, 32, 32);
        trace.consts.reserve(32);
        trace
    }

    /// An empty trace with room for so many ops, snapshots and refs in lists.
    #[must_use]
    pub fn with_room(
        id: TraceId,
        kind: TraceKind,
        ops: usize,
        snapshots: usize,
        lists: usize,
    ) -> Trace {
        Trace {
            id,
            kind,
            ops: Vec::with_capacity(ops),
            consts: Vec::new(),
            snapshots: Vec::with_capacity(snapshots),
            calls: Vec::new(),
            lists: Vec::with_capacity(lists),
            const_index: Index::default(),
        }
    }

    /// Makes this an empty trace, in the memory it has.
    pub fn restart(&mut self, id: TraceId, kind: TraceKind) {
        (self.id, self.kind) = (id, kind);
        self.ops.clear();
        self.consts.clear();
        self.snapshots.clear();
        self.calls.clear();
        self.lists.clear();
        self.const_index.clear();
    }

    /// An empty trace with this one's identity, constants and call table.
    #[must_use]
    pub fn like(&self) -> Trace {
        Trace {
            id: self.id,
            kind: self.kind,
            ops: Vec::with_capacity(self.ops.len() + 8),
            consts: self.consts.clone(),
            snapshots: Vec::new(),
            calls: self.calls.clone(),
            lists: Vec::new(),
            const_index: Index::default(),
        }
    }

    /// Appends an op.
    #[inline]
    pub fn push(&mut self, op: Op) -> OpRef {
        self.ops.push(op);
        OpRef::op(self.ops.len() - 1)
    }

    /// The pooled constant; equal constants share one ref.
    #[inline]
    pub fn konst(&mut self, value: Const) -> OpRef {
        if self.const_index.len() != self.consts.len() {
            self.index_consts();
        }
        let consts = &self.consts;
        let (hash, same) = (const_hash(value), |n: u32| consts[n as usize] == value);
        if let Some(n) = self.const_index.find(hash, same) {
            return OpRef::konst(n as usize);
        }
        self.consts.push(value);
        self.index_const(self.consts.len() - 1);
        OpRef::konst(self.consts.len() - 1)
    }

    fn index_const(&mut self, n: usize) {
        let consts = &self.consts;
        let hash_of = |n: u32| const_hash(consts[n as usize]);
        (self.const_index).insert(hash_of(n as u32), n as u32, |_| false, hash_of);
    }

    #[cold]
    fn index_consts(&mut self) {
        self.const_index.clear();
        for n in 0..self.consts.len() {
            self.index_const(n);
        }
    }

    pub fn int(&mut self, value: i64) -> OpRef {
        self.konst(Const::Int(value))
    }

    pub fn flt(&mut self, value: f64) -> OpRef {
        self.konst(Const::Flt(value.to_bits()))
    }

    pub fn word(&mut self, word: u64) -> OpRef {
        self.konst(Const::Val(word))
    }

    /// The constant a ref names, if it names one.
    #[must_use]
    #[inline]
    pub fn as_const(&self, r: OpRef) -> Option<Const> {
        r.as_const().map(|i| self.consts[i])
    }

    #[must_use]
    #[inline]
    pub fn as_int(&self, r: OpRef) -> Option<i64> {
        match self.as_const(r) {
            Some(Const::Int(i)) => Some(i),
            _ => None,
        }
    }

    #[must_use]
    #[inline]
    pub fn as_flt(&self, r: OpRef) -> Option<f64> {
        match self.as_const(r) {
            Some(Const::Flt(bits)) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    #[must_use]
    #[inline]
    pub fn as_word(&self, r: OpRef) -> Option<u64> {
        match self.as_const(r) {
            Some(Const::Val(word)) => Some(word),
            _ => None,
        }
    }

    /// The op that defines `r`; `None` for constants and virtual objects.
    #[must_use]
    #[inline]
    pub fn def(&self, r: OpRef) -> Option<&Op> {
        r.as_op().map(|i| &self.ops[i])
    }

    /// Type of an op's result or of a constant; virtual objects are `Val`.
    #[must_use]
    #[inline]
    pub fn ty(&self, r: OpRef) -> Ty {
        match (r.as_op(), self.as_const(r)) {
            (Some(i), _) => self.ops[i].ty,
            (_, Some(value)) => value.ty(),
            _ => Ty::Val,
        }
    }

    /// Stores an operand list. An empty one has no place, so that it is good in any trace.
    pub fn add_list(&mut self, refs: &[OpRef]) -> List {
        if refs.is_empty() {
            return List::default();
        }
        let start = self.lists.len() as u32;
        self.lists.extend_from_slice(refs);
        List {
            start,
            len: refs.len() as u32,
        }
    }

    #[must_use]
    #[inline]
    pub fn list(&self, list: List) -> &[OpRef] {
        &self.lists[list.start as usize..(list.start + list.len) as usize]
    }

    pub fn add_snapshot(&mut self, snapshot: Snapshot) -> SnapshotId {
        self.snapshots.push(snapshot);
        SnapshotId(self.snapshots.len() as u32 - 1)
    }

    #[must_use]
    #[inline]
    pub fn snapshot(&self, id: SnapshotId) -> &Snapshot {
        &self.snapshots[id.index()]
    }

    /// Adds a row to the call table, or finds the equal one.
    pub fn call_target(&mut self, target: CallTarget) -> CallId {
        let found = self
            .calls
            .iter()
            .position(|t| t.addr == target.addr && *t == target);
        CallId(found.unwrap_or_else(|| {
            self.calls.push(target);
            self.calls.len() - 1
        }) as u32)
    }

    /// The call table row of a `call`.
    #[must_use]
    #[inline]
    pub fn target(&self, op: &Op) -> &CallTarget {
        &self.calls[op.imm as usize]
    }

    /// All values an op uses itself: operands, then list. Snapshots are not included.
    #[inline]
    pub fn operands<'t>(&'t self, op: &Op) -> impl Iterator<Item = OpRef> + use<'t> {
        Operands {
            fixed: [op.a, op.b, op.c],
            at: 0,
            list: self.list(op.list).iter(),
        }
    }

    /// Stores a copy of one of this trace's lists with each ref replaced.
    #[inline]
    pub fn mapped_list(&mut self, list: List, mut map: impl FnMut(OpRef) -> OpRef) -> List {
        if list.len == 0 {
            return list;
        }
        let start = self.lists.len() as u32;
        for i in list.start..list.start + list.len {
            let r = map(self.lists[i as usize]);
            self.lists.push(r);
        }
        List {
            start,
            len: list.len,
        }
    }

    /// Refs with their ops, in program order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = (OpRef, &Op)> {
        self.ops
            .iter()
            .enumerate()
            .map(|(i, op)| (OpRef::op(i), op))
    }

    /// Index of the `loop` op, if there is one.
    #[must_use]
    #[inline]
    pub fn loop_index(&self) -> Option<usize> {
        self.ops.iter().position(|op| op.code == OpCode::Loop)
    }

    /// Does the op change anything that can be seen outside the trace (object contents, VM state,
    /// VM stack), or run code that may? Allocation alone does not.
    #[must_use]
    #[inline]
    pub fn has_effect(&self, op: &Op) -> bool {
        match op.code.kind() {
            Kind::Store | Kind::Barrier => true,
            Kind::Call => !self.target(op).effects.is_droppable(),
            _ => false,
        }
    }

    /// May the op run a collection that moves objects?
    #[must_use]
    #[inline]
    pub fn may_collect(&self, op: &Op) -> bool {
        match op.code.kind() {
            Kind::Alloc => true,
            Kind::Call => self.target(op).effects.may_collect,
            _ => false,
        }
    }

    /// Does the op's row mention this immediate?
    #[must_use]
    pub fn has_imm(op: &Op, imm: Imm) -> bool {
        op.code.info().imms.contains(&imm)
    }
}
