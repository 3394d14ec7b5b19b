//! The one way an op gets into a trace: ask the record-time passes, then append and let them learn.
//!
//! Recording ([`crate::Emitter`]) and the second iteration of a peeled loop ([`crate::peel`]) both
//! come through here, which is all there is to loop-invariant code motion.

use std::cell::RefCell;
use std::mem::take;

use pyrite_jit_ir::{AliasClass, Kind, Op, OpCode, OpRef, Trace};

use crate::cse::Cse;
use crate::fold::{Fold, decide, fold};
use crate::guards::{Facts, KindSet};
use crate::heap::Heap;
use crate::passes::{Pass, PassSet};
use crate::plant::{self, Fault};

/// What the passes make of an op.
#[derive(Debug)]
pub(crate) enum Simplified {
    /// Its result is this value; nothing to emit.
    Value(OpRef),
    /// Nothing to emit, and it has no result.
    Gone,
    /// Emit the op as it is now.
    Emit,
    /// It always leaves the trace.
    Fails,
}

/// A growing trace and all that is known at its end.
#[derive(Clone, Debug)]
pub(crate) struct Core {
    pub(crate) trace: Trace,
    pub(crate) passes: PassSet,
    pub(crate) known: Known,
}

/// The tables of the record-time passes. They go back to a small store when they are dropped: most
/// traces are short, and making the tables anew would cost as much as filling them.
#[derive(Debug)]
pub(crate) struct Known {
    cse: Cse,
    facts: Facts,
    heap: Heap,
}

thread_local! {
    static SPARE: RefCell<Vec<(Cse, Facts, Heap)>> = const { RefCell::new(Vec::new()) };
}

/// Tables in store; a recording and its second iteration need two.
const MAX_SPARE: usize = 4;

impl Clone for Known {
    fn clone(&self) -> Known {
        let mut copy = Known::new();
        copy.cse.copy_from(&self.cse);
        copy.facts.copy_from(&self.facts);
        copy.heap.copy_from(&self.heap);
        copy
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        // At a thread's end the store may be gone already.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < MAX_SPARE {
                self.clear();
                spare.push((
                    take(&mut self.cse),
                    take(&mut self.facts),
                    take(&mut self.heap),
                ));
            }
        });
    }
}

impl Known {
    /// Tables that know nothing.
    fn new() -> Known {
        let spare = SPARE.try_with(|spare| spare.borrow_mut().pop());
        let (cse, facts, heap) = spare.ok().flatten().unwrap_or_default();
        Known { cse, facts, heap }
    }

    fn clear(&mut self) {
        self.cse.clear();
        self.facts.clear();
        self.heap.clear();
    }

    /// The number in a word, if it was taken out before.
    pub(crate) fn unboxed(&self, word: OpRef) -> Option<OpRef> {
        self.cse.find_unboxed(word)
    }
}

impl Core {
    pub(crate) fn new(trace: Trace, passes: PassSet) -> Core {
        Core {
            trace,
            passes,
            known: Known::new(),
        }
    }

    /// Applies the record-time passes to an op that has no snapshot yet, which may become another.
    pub(crate) fn simplify(&mut self, op: &mut Op) -> Simplified {
        let kind = op.code.kind();
        let foldable = !matches!(kind, Kind::Load | Kind::Store | Kind::Input | Kind::Call);
        if foldable && self.passes.has(Pass::Fold) {
            // Each rewriting makes the op simpler, so this ends; the bound is a seat belt.
            for _ in 0..8 {
                match fold(&mut self.trace, op) {
                    Fold::Keep => break,
                    Fold::To(r) => return Simplified::Value(r),
                    Fold::Become => {}
                    Fold::Holds => return Simplified::Gone,
                    Fold::Fails => return Simplified::Fails,
                }
            }
        }
        match op.code.kind() {
            Kind::Guard => return self.simplify_guard(op),
            Kind::Pure | Kind::PureGuard | Kind::Call if self.passes.has(Pass::Cse) => {
                if let Some(r) = self.known.cse.find(&self.trace, op) {
                    return Simplified::Value(r);
                }
            }
            Kind::Load | Kind::Input => return self.simplify_load(op),
            Kind::Store
                if self.passes.has(Pass::Heap)
                    && self.known.heap.is_redundant_store(&self.trace, op) =>
            {
                return Simplified::Gone;
            }
            Kind::Barrier => {
                let kinds = self.known.facts.kinds(&self.trace, op.b);
                let no_object = self.passes.has(Pass::Guards) && !kinds.has(KindSet::OBJECT);
                if no_object
                    || self.passes.has(Pass::Heap) && self.known.heap.is_needless_barrier(op)
                {
                    return Simplified::Gone;
                }
            }
            _ => {}
        }
        Simplified::Emit
    }

    /// Appends an op, its snapshot set where it needs one, and lets the passes learn from it.
    #[inline]
    pub(crate) fn append(&mut self, op: &Op) -> OpRef {
        let r = self.trace.push(*op);
        self.learn(op, r);
        r
    }

    /// Takes back all that came after the first ops, lists and snapshots; what is known is deduced
    /// from those that stay once more.
    pub(crate) fn rewind(&mut self, ops: usize, lists: usize, snapshots: usize) {
        self.trace.ops.truncate(ops);
        self.trace.lists.truncate(lists);
        self.trace.snapshots.truncate(snapshots);
        self.known.clear();
        for i in 0..ops {
            let op = self.trace.ops[i];
            self.learn(&op, OpRef::op(i));
        }
    }

    /// Lets the passes learn from an op of the trace.
    fn learn(&mut self, op: &Op, r: OpRef) {
        let Known { cse, facts, heap } = &mut self.known;
        let trace = &self.trace;
        let guards = self.passes.has(Pass::Guards);
        // Aliasing questions of `guards` are answered by the heap's tables, so both learn.
        let memory = guards || self.passes.has(Pass::Heap);
        match op.code.kind() {
            Kind::Pure | Kind::PureGuard => {
                if self.passes.has(Pass::Cse) {
                    cse.learn(trace, op, r);
                }
            }
            Kind::Guard => {
                if guards {
                    facts.learn(trace, op, r);
                }
            }
            Kind::Alloc => {
                if memory {
                    heap.learn(trace, op, r);
                }
                if guards {
                    facts.learn(trace, op, r);
                }
            }
            Kind::Call => {
                if self.passes.has(Pass::Cse) {
                    cse.learn(trace, op, r);
                }
                if memory {
                    heap.learn(trace, op, r);
                }
                if guards {
                    let effects = trace.target(op).effects;
                    if effects.writes.contains(AliasClass::SHAPE)
                        && !plant::is(Fault::ShapesSurviveCalls)
                    {
                        facts.forget_shapes(|object| !heap.is_fresh(object));
                    }
                    if effects.may_call || !effects.writes.is_empty() {
                        facts.invalidate();
                    }
                }
            }
            _ => {
                if memory {
                    heap.learn(trace, op, r);
                }
                if guards && op.code == OpCode::StShape {
                    facts.set_shape(op.a, op.shape_id(), |other| {
                        heap.may_alias(trace, op.a, other)
                    });
                }
            }
        }
    }

    fn simplify_guard(&self, op: &Op) -> Simplified {
        if !self.passes.has(Pass::Guards) {
            return Simplified::Emit;
        }
        let Known { facts, heap, .. } = &self.known;
        let mut truth = facts.truth(&self.trace, op);
        if truth.is_none() && op.code == OpCode::Same && !heap.may_alias(&self.trace, op.a, op.b) {
            truth = Some(false);
        }
        match truth.map(|truth| decide(op, truth)) {
            Some(Fold::Holds) => Simplified::Gone,
            Some(_) => Simplified::Fails,
            None => Simplified::Emit,
        }
    }

    fn simplify_load(&mut self, op: &Op) -> Simplified {
        if op.code == OpCode::LdShape
            && self.passes.has(Pass::Guards)
            && let Some(shape) = self.known.facts.shape(op.a)
        {
            return Simplified::Value(self.trace.int(shape.into()));
        }
        if self.passes.has(Pass::Heap)
            && let Some(value) = self.known.heap.load(&self.trace, op)
        {
            return Simplified::Value(value);
        }
        Simplified::Emit
    }
}
