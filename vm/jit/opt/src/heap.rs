//! `heap`: a load of a place whose content is known is not emitted, nor is a store of what is there
//! already.
//!
//! ```text
//! st_val p, v, 8, c3
//! w = ld_val p, 8, c3     ; w is v
//! st_val q, x, 8, c3      ; q may be p: forget p's field
//! ```
//!
//! Two accesses may touch the same place only if their alias classes are equal, their offsets
//! overlap and their objects may be the same. An object made in this trace is *fresh* until its
//! address gets out (stored outside fresh objects, passed to a call, shown to a call that looks at
//! frames). Nothing but its own ref reaches a fresh object, so its contents are known exactly,
//! across calls too. Once out, it still differs from every value that was read before.
//!
//! All rules speak about the relative order of ops, never about the position in the trace, so that
//! what they conclude in the first iteration holds for the same refs one iteration later
//! ([`crate::peel`] relies on it).
//!
//! Write barriers are elided here as well: on the newest object, and repeated ones, until something
//! may collect. Each step costs a bounded amount of work: entry lists are capped.

use rustc_hash::FxHashMap;

use crate::plant::{self, Fault};
use pyrite_jit_ir::ops::Place;
use pyrite_jit_ir::{AliasClass, ClassSet, Effects, Kind, Op, OpCode, OpRef, Trace, Width};

/// Known places per list; older ones are forgotten.
const CAP: usize = 64;

/// Objects that are followed exactly.
const MAX_FRESH: usize = 64;

/// A memory place as far as the trace tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loc {
    Vm(i32),
    Slot(i32),
    Field {
        base: OpRef,
        class: AliasClass,
        offset: i32,
        width: Width,
    },
    /// `base + offset + (root + add) * width bytes`.
    Elem {
        base: OpRef,
        class: AliasClass,
        offset: i32,
        width: Width,
        root: OpRef,
        add: i64,
    },
}

impl Loc {
    /// The place a load or store touches.
    pub(crate) fn of(trace: &Trace, op: &Op) -> Option<Loc> {
        if op.code == OpCode::Slot {
            return Some(Loc::Slot(op.imm));
        }
        let access = op.code.info().access?;
        let class = op.alias_class();
        let (base, width) = (op.a, access.width);
        Some(match access.place {
            Place::Vm => Loc::Vm(op.imm),
            Place::Slot => Loc::Slot(op.imm),
            Place::Field if class == AliasClass::SHAPE => Loc::Field {
                base,
                class,
                offset: 4,
                width,
            },
            Place::Field => Loc::Field {
                base,
                class,
                offset: op.imm,
                width,
            },
            Place::Elem => {
                let (root, add) = split_index(trace, op.b);
                let fixed = add
                    .checked_mul(i64::from(width.bytes()))
                    .and_then(|o| o.checked_add(op.imm.into()));
                match fixed.and_then(|offset| i32::try_from(offset).ok()) {
                    Some(offset) if root.is_none() => Loc::Field {
                        base,
                        class,
                        offset,
                        width,
                    },
                    _ => Loc::Elem {
                        base,
                        class,
                        offset: op.imm,
                        width,
                        root,
                        add,
                    },
                }
            }
        })
    }
}

/// An index as `root + constant`; the root of a constant index is [`OpRef::NONE`].
fn split_index(trace: &Trace, index: OpRef) -> (OpRef, i64) {
    if let Some(i) = trace.as_int(index) {
        return (OpRef::NONE, i);
    }
    match trace.def(index) {
        Some(def) if def.code == OpCode::IAddOvf => match trace.as_int(def.b) {
            Some(add) => (def.a, add),
            None => (index, 0),
        },
        _ => (index, 0),
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    loc: Loc,
    base: OpRef,
    value: OpRef,
}

/// Shared memory of one alias class; the newest entries last.
#[derive(Clone, Debug, Default)]
struct ClassTable {
    fields: Vec<Entry>,
    elems: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    class: AliasClass,
    offset: i32,
    width: Width,
    value: OpRef,
}

/// An object whose address has not got out.
#[derive(Clone, Debug)]
struct Fresh {
    object: OpRef,
    cells: Vec<Cell>,
}

/// What is known about memory at this point of the trace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heap {
    /// Objects whose address has not got out, with their contents by class and offset.
    fresh: Vec<Fresh>,
    /// Objects of this trace whose address got out, and before which op.
    escaped: FxHashMap<OpRef, OpRef>,
    /// By class; those that are not empty are in `used`.
    shared: Vec<ClassTable>,
    used: ClassSet,
    vm: Vec<(i32, OpRef)>,
    slots: SlotTable,
    /// The object allocated last, if nothing since may have collected.
    newest: Option<OpRef>,
    /// Objects the collector was told about since it may have run last.
    told: Vec<OpRef>,
}

impl Heap {
    /// Forgets everything, but keeps its memory for the next trace.
    pub(crate) fn clear(&mut self) {
        self.fresh.clear();
        self.escaped.clear();
        for class in self.used.iter() {
            self.shared[class.0 as usize].fields.clear();
            self.shared[class.0 as usize].elems.clear();
        }
        self.used = ClassSet::NONE;
        self.vm.clear();
        self.slots.clear();
        self.newest = None;
        self.told.clear();
    }

    /// Makes this table equal to another, in the memory it has.
    pub(crate) fn copy_from(&mut self, other: &Heap) {
        self.clear();
        self.fresh.extend_from_slice(&other.fresh);
        self.escaped.clone_from(&other.escaped);
        for class in other.used.iter() {
            let from = &other.shared[class.0 as usize];
            let to = self.class_mut(class);
            to.fields.extend_from_slice(&from.fields);
            to.elems.extend_from_slice(&from.elems);
        }
        self.vm.clone_from(&other.vm);
        self.slots.copy_from(&other.slots);
        self.newest = other.newest;
        self.told.clone_from(&other.told);
    }

    fn fresh(&self, object: OpRef) -> Option<&Fresh> {
        self.fresh.iter().rev().find(|f| f.object == object)
    }

    fn fresh_mut(&mut self, object: OpRef) -> Option<&mut Fresh> {
        self.fresh.iter_mut().rev().find(|f| f.object == object)
    }

    fn class(&self, class: AliasClass) -> Option<&ClassTable> {
        self.used
            .contains(class)
            .then(|| &self.shared[class.0 as usize])
    }

    fn class_mut(&mut self, class: AliasClass) -> &mut ClassTable {
        let n = class.0 as usize;
        if self.shared.len() <= n {
            self.shared.resize_with(n + 1, ClassTable::default);
        }
        self.used.0 |= 1 << n;
        &mut self.shared[n]
    }

    /// What a load would read, if that is known.
    pub(crate) fn load(&self, trace: &Trace, op: &Op) -> Option<OpRef> {
        let loc = Loc::of(trace, op)?;
        let width_of = |r: OpRef| trace.ty(r);
        let value = match loc {
            Loc::Vm(offset) => {
                let known = self.vm.iter().find(|(o, _)| *o == offset);
                known.map(|&(_, value)| value)
            }
            Loc::Slot(n) => self.slots.get(n),
            Loc::Field {
                base,
                class,
                offset,
                width,
            } => match self.fresh(base) {
                Some(fresh) => fresh
                    .cell(class, offset)
                    .filter(|cell| cell.width == width)
                    .map(|cell| cell.value),
                None => newest(&self.class(class)?.fields, loc),
            },
            Loc::Elem { class, .. } => newest(&self.class(class)?.elems, loc),
        }?;
        (width_of(value) == op.ty).then_some(value)
    }

    /// Would the store change nothing?
    pub(crate) fn is_redundant_store(&self, trace: &Trace, op: &Op) -> bool {
        // A slot may have been cleared at a safepoint while its value lived in the trace.
        if op.code == OpCode::StSlot {
            return false;
        }
        let Some(stored) = op.code.stored_operand() else {
            return false;
        };
        let stored = op.operand(stored);
        self.load(
            trace,
            &Op {
                ty: trace.ty(stored),
                ..*op
            },
        ) == Some(stored)
    }

    /// Is a barrier on this object needless?
    pub(crate) fn is_needless_barrier(&self, op: &Op) -> bool {
        self.newest == Some(op.a) || self.told.contains(&op.a)
    }

    /// Takes over what an emitted op does to memory.
    pub(crate) fn learn(&mut self, trace: &Trace, op: &Op, r: OpRef) {
        match op.code.kind() {
            Kind::Input if op.code == OpCode::Slot => {
                self.slots.set(op.imm, r);
            }
            Kind::Load => self.learn_load(trace, op, r),
            Kind::Store => self.learn_store(trace, op, r),
            Kind::Alloc => {
                if self.fresh.len() == MAX_FRESH {
                    // Whoever is forgotten counts as known to everybody.
                    let oldest = self.fresh[0].object;
                    self.escape(oldest, r);
                }
                self.fresh.push(Fresh {
                    object: r,
                    cells: Vec::with_capacity(8),
                });
                self.told.clear();
                self.newest = Some(r);
            }
            Kind::Barrier => {
                forget_some(&mut self.told);
                self.told.push(op.a);
            }
            Kind::Call => self.learn_call(trace, op, r),
            Kind::Control => {
                self.newest = None;
                self.told.clear();
            }
            _ => {}
        }
    }

    /// May the two refs name one object?
    pub(crate) fn may_alias(&self, trace: &Trace, a: OpRef, b: OpRef) -> bool {
        a == b
            || !(a.is_const() && b.is_const() || self.never(trace, a, b) || self.never(trace, b, a))
    }

    /// Has the address of this object stayed inside the trace?
    pub(crate) fn is_fresh(&self, r: OpRef) -> bool {
        self.fresh(r).is_some()
    }

    /// Is `object` made in the trace, such that `other`, a different ref, cannot name it?
    fn never(&self, trace: &Trace, object: OpRef, other: OpRef) -> bool {
        if trace.def(object).is_none_or(|op| op.code != OpCode::New) {
            return false;
        }
        let is_new = trace.def(other).is_some_and(|op| op.code == OpCode::New);
        is_new
            || other.is_const()
            || other < object
            || self.is_fresh(object)
            || self.escaped.get(&object).is_some_and(|&when| other < when)
    }

    fn learn_load(&mut self, trace: &Trace, op: &Op, r: OpRef) {
        let Some(loc) = Loc::of(trace, op) else {
            return;
        };
        match loc {
            Loc::Elem { base, .. } if self.is_fresh(base) => self.blur(base, r),
            Loc::Field {
                base,
                class,
                offset,
                ..
            } if self.is_fresh(base) => {
                // The load was emitted although the content may be known (`heap` may be off): its
                // result is a second name of what was stored.
                let cell = self.fresh(base).and_then(|fresh| fresh.cell(class, offset));
                if let Some(value) = cell.map(|cell| cell.value) {
                    self.escape(value, r);
                }
                self.insert(loc, r);
            }
            _ => self.insert(loc, r),
        }
    }

    fn learn_store(&mut self, trace: &Trace, op: &Op, r: OpRef) {
        let Some(loc) = Loc::of(trace, op) else {
            return;
        };
        let stored = op.code.stored_operand().map(|i| op.operand(i));
        let into_fresh = matches!(loc, Loc::Field { base, .. } if self.is_fresh(base));
        if let Some(value) = stored
            && !into_fresh
            && !plant::is(Fault::NothingEscapes)
        {
            self.escape(value, r);
        }
        match loc {
            Loc::Vm(offset) => self.vm.retain(|(o, _)| *o != offset),
            Loc::Slot(n) => {
                self.slots.set(n, OpRef::NONE);
            }
            Loc::Elem { base, .. } if self.is_fresh(base) => return self.blur(base, r),
            Loc::Field { .. } | Loc::Elem { .. } => self.kill(trace, loc),
        }
        let fits = |value| match loc {
            Loc::Field { width, .. } | Loc::Elem { width, .. } => reads_back(trace, width, value),
            _ => true,
        };
        if let Some(value) = stored.filter(|&value| fits(value)) {
            self.insert(loc, value);
        }
    }

    fn learn_call(&mut self, trace: &Trace, op: &Op, r: OpRef) {
        let effects: Effects = trace.target(op).effects;
        for &arg in trace.list(op.list) {
            self.escape(arg, r);
        }
        if let Some(snap) = op.snap {
            trace
                .snapshot(snap)
                .refs()
                .for_each(|shown| self.escape(shown, r));
        }
        if !plant::is(Fault::CallsWriteNothing) {
            if effects.writes.contains(AliasClass::VM) {
                self.vm.clear();
            }
            if effects.writes.contains(AliasClass::STACK) {
                self.slots.clear();
            }
            let written = ClassSet(effects.writes.0 & self.used.0);
            for class in written.iter() {
                let table = &mut self.shared[class.0 as usize];
                table.fields.clear();
                table.elems.clear();
            }
            self.used.0 &= !written.0;
        }
        if effects.may_collect {
            self.newest = None;
            self.told.clear();
        }
    }

    /// The address gets out at op `when`, and with it all that is reachable from the object.
    fn escape(&mut self, object: OpRef, when: OpRef) {
        let Some(at) = self.fresh.iter().rposition(|f| f.object == object) else {
            return;
        };
        let Fresh { cells, .. } = self.fresh.remove(at);
        self.escaped.insert(object, when);
        for cell in cells {
            self.escape(cell.value, when);
            self.insert(
                Loc::Field {
                    base: object,
                    class: cell.class,
                    offset: cell.offset,
                    width: cell.width,
                },
                cell.value,
            );
        }
    }

    /// A fresh object was accessed at an unknown index: its contents are no longer exact.
    fn blur(&mut self, object: OpRef, when: OpRef) {
        let Some(fresh) = self.fresh_mut(object) else {
            return;
        };
        for cell in std::mem::take(&mut fresh.cells) {
            self.escape(cell.value, when);
        }
    }

    fn insert(&mut self, loc: Loc, value: OpRef) {
        let (entries, base) = match loc {
            Loc::Vm(offset) => {
                self.vm.retain(|(o, _)| *o != offset);
                forget_some(&mut self.vm);
                self.vm.push((offset, value));
                return;
            }
            Loc::Slot(n) => {
                self.slots.set(n, value);
                return;
            }
            Loc::Field {
                base,
                class,
                offset,
                width,
            } => {
                if let Some(fresh) = self.fresh_mut(base) {
                    let cell = Cell {
                        class,
                        offset,
                        width,
                        value,
                    };
                    let same = |c: &&mut Cell| c.class == class && c.offset == offset;
                    match fresh.cells.iter_mut().find(same) {
                        Some(old) => *old = cell,
                        None => fresh.cells.push(cell),
                    }
                    return;
                }
                (&mut self.class_mut(class).fields, base)
            }
            Loc::Elem { base, class, .. } => (&mut self.class_mut(class).elems, base),
        };
        forget_some(entries);
        entries.push(Entry { loc, base, value });
    }

    /// Forgets what a store to `loc` may change.
    fn kill(&mut self, trace: &Trace, loc: Loc) {
        let (Loc::Field { base, class, .. } | Loc::Elem { base, class, .. }) = loc else {
            return;
        };
        if let Loc::Field { offset, width, .. } = loc
            && let Some(fresh) = self.fresh_mut(base)
        {
            fresh
                .cells
                .retain(|c| c.class != class || !overlap(c.offset, c.width, offset, width));
            return;
        }
        if plant::is(Fault::NoAliases) || !self.used.contains(class) {
            return;
        }
        let mut table = std::mem::take(&mut self.shared[class.0 as usize]);
        let survives = |entry: &Entry| {
            !(places_meet(entry.loc, loc) && self.may_alias(trace, entry.base, base))
        };
        table.fields.retain(survives);
        table.elems.retain(survives);
        self.shared[class.0 as usize] = table;
    }
}

impl Fresh {
    fn cell(&self, class: AliasClass, offset: i32) -> Option<&Cell> {
        let same = |c: &&Cell| c.class == class && c.offset == offset;
        self.cells.iter().find(same)
    }
}

/// VM-stack slots by number: a vector for those of the trace's window and its callees', whose numbers
/// are small, and one for the few below it.
#[derive(Clone, Debug, Default)]
struct SlotTable {
    from_0: Vec<OpRef>,
    below_0: Vec<OpRef>,
}

impl SlotTable {
    fn get(&self, slot: i32) -> Option<OpRef> {
        let known = if slot >= 0 {
            self.from_0.get(slot as usize)
        } else {
            self.below_0.get(!slot as usize)
        };
        known.copied().filter(|r| !r.is_none())
    }

    /// Sets what a slot holds; [`OpRef::NONE`] if that is not known.
    fn set(&mut self, slot: i32, value: OpRef) {
        let (table, at) = if slot >= 0 {
            (&mut self.from_0, slot as usize)
        } else {
            (&mut self.below_0, !slot as usize)
        };
        if at >= table.len() {
            if value.is_none() {
                return;
            }
            table.resize(at + 1, OpRef::NONE);
        }
        table[at] = value;
    }

    fn clear(&mut self) {
        self.from_0.clear();
        self.below_0.clear();
    }

    fn copy_from(&mut self, other: &SlotTable) {
        self.from_0.clone_from(&other.from_0);
        self.below_0.clone_from(&other.below_0);
    }
}

/// Makes room in a full list.
fn forget_some<T>(list: &mut Vec<T>) {
    if list.len() >= CAP {
        list.drain(..CAP / 4);
    }
}

/// The value of the place as it was learned last.
fn newest(entries: &[Entry], loc: Loc) -> Option<OpRef> {
    let same = entries.iter().rev().find(|entry| entry.loc == loc);
    same.map(|entry| entry.value)
}

/// Does a load of this width read back exactly the stored value?
fn reads_back(trace: &Trace, width: Width, value: OpRef) -> bool {
    match width {
        Width::Val | Width::I64 => true,
        _ => trace
            .as_int(value)
            .is_some_and(|i| (0..1 << (width.bytes() * 8)).contains(&i)),
    }
}

fn overlap(a: i32, a_width: Width, b: i32, b_width: Width) -> bool {
    a < b + b_width.bytes() && b < a + a_width.bytes()
}

/// May the two places overlap, if their objects are the same?
fn places_meet(a: Loc, b: Loc) -> bool {
    match (a, b) {
        (
            Loc::Field {
                offset: o,
                width: w,
                ..
            },
            Loc::Field {
                offset: p,
                width: x,
                ..
            },
        ) => overlap(o, w, p, x),
        (
            Loc::Elem {
                offset: o,
                width: w,
                root: r,
                add: i,
                ..
            },
            Loc::Elem {
                offset: p,
                width: x,
                root: s,
                add: j,
                ..
            },
        ) => (o, w) != (p, x) || (r != s && !plant::is(Fault::IndicesDiffer)) || (r == s && i == j),
        _ => true,
    }
}
