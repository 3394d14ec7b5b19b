//! `guards`: a guard that earlier guards imply is not emitted; one that they refute means that the
//! path cannot happen.
//!
//! After `is_int v` nothing needs to test `v` again; after `ilt a, b` the guards `!ile b, a` and
//! `!ieq a, b` hold; after `shape p, 7` it holds until something may give `p` another shape. Facts
//! are sets of possibilities (kinds of a word, orders of two numbers), so positive and negative
//! guards meet in one representation: a guard is implied if all that is left agrees with it.
//!
//! `poll` is never implied: its point is that the outside may change the answer. `valid` is, until a
//! call that could invalidate the trace. Ranges of single ints are left to a later pass.

use rustc_hash::FxHashMap;

use crate::plant::{self, Fault};
use pyrite_jit_ir::{Const, Kind, Op, OpCode, OpRef, Trace, word};

/// A set of kinds a value word may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KindSet(u8);

impl KindSet {
    pub(crate) const INT: KindSet = KindSet(1);
    pub(crate) const FLT: KindSet = KindSet(2);
    pub(crate) const NULL: KindSet = KindSet(4);
    pub(crate) const OBJECT: KindSet = KindSet(8);
    pub(crate) const ANY: KindSet = KindSet(15);

    /// What the defining op or constant tells.
    pub(crate) fn of_def(trace: &Trace, r: OpRef) -> KindSet {
        match (trace.as_const(r), trace.def(r).map(|op| op.code)) {
            (Some(Const::Val(0)), _) => KindSet::NULL,
            (Some(Const::Val(w)), _) if word::is_int(w) => KindSet::INT,
            (Some(Const::Val(w)), _) if word::is_flt(w) => KindSet::FLT,
            (Some(Const::Val(_)), _) | (_, Some(OpCode::New)) => KindSet::OBJECT,
            (_, Some(OpCode::BoxInt)) => KindSet::INT,
            (_, Some(OpCode::BoxFlt)) => KindSet::FLT,
            _ => KindSet::ANY,
        }
    }

    /// The kinds for which a test is true.
    fn tested(code: OpCode) -> KindSet {
        match code {
            OpCode::IsInt => KindSet::INT,
            OpCode::IsFlt => KindSet::FLT,
            OpCode::IsPtr => KindSet::OBJECT,
            _ => KindSet(KindSet::ANY.0 & !KindSet::NULL.0),
        }
    }

    /// The truth of a kind test, if all possible kinds agree.
    pub(crate) fn test(self, code: OpCode) -> Option<bool> {
        let yes = self.and(KindSet::tested(code));
        if yes == self {
            Some(true)
        } else if yes.is_empty() {
            Some(false)
        } else {
            None
        }
    }

    pub(crate) fn and(self, other: KindSet) -> KindSet {
        KindSet(self.0 & other.0)
    }

    pub(crate) fn has(self, other: KindSet) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn not(self) -> KindSet {
        KindSet(KindSet::ANY.0 & !self.0)
    }
}

const LESS: u8 = 1;
const EQUAL: u8 = 2;
const GREATER: u8 = 4;
const UNORDERED: u8 = 8;

/// Which orders of `(a, b)` make a comparison true.
fn orders(code: OpCode) -> u8 {
    match code {
        OpCode::ILt | OpCode::FLt => LESS,
        OpCode::ILe | OpCode::FLe => LESS | EQUAL,
        _ => EQUAL,
    }
}

/// The same orders seen from `(b, a)`.
fn mirrored(orders: u8) -> u8 {
    orders & (EQUAL | UNORDERED) | (orders & LESS) << 2 | (orders & GREATER) >> 2
}

/// What guards have established at this point of the trace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// By op; ops beyond its end may be anything.
    kinds: Vec<KindSet>,
    shapes: Vec<(OpRef, u32)>,
    other_shapes: Vec<(OpRef, u32)>,
    /// Possible orders of two numbers, by `(smaller ref, larger ref)`.
    orders: FxHashMap<(OpRef, OpRef), u8>,
    below: FxHashMap<(OpRef, OpRef), bool>,
    same: FxHashMap<(OpRef, OpRef), bool>,
    valid: bool,
}

/// Shapes that are kept in mind, which bounds the cost of each store of a shape.
const MAX_SHAPES: usize = 64;

impl Facts {
    /// Forgets everything, but keeps its memory for the next trace.
    pub(crate) fn clear(&mut self) {
        self.kinds.clear();
        self.shapes.clear();
        self.other_shapes.clear();
        self.orders.clear();
        self.below.clear();
        self.same.clear();
        self.valid = false;
    }

    /// Makes this table equal to another, in the memory it has.
    pub(crate) fn copy_from(&mut self, other: &Facts) {
        self.kinds.clone_from(&other.kinds);
        self.shapes.clone_from(&other.shapes);
        self.other_shapes.clone_from(&other.other_shapes);
        self.orders.clone_from(&other.orders);
        self.below.clone_from(&other.below);
        self.same.clone_from(&other.same);
        self.valid = other.valid;
    }

    /// All kinds a word may have here.
    pub(crate) fn kinds(&self, trace: &Trace, r: OpRef) -> KindSet {
        let known = r.as_op().and_then(|i| self.kinds.get(i).copied());
        known.unwrap_or(KindSet::ANY).and(KindSet::of_def(trace, r))
    }

    /// The shape an object is known to have here.
    pub(crate) fn shape(&self, r: OpRef) -> Option<u32> {
        let known = self.shapes.iter().rev().find(|(object, _)| *object == r);
        known.map(|&(_, shape)| shape)
    }

    fn set(&mut self, object: OpRef, shape: u32) {
        if self.shapes.len() == MAX_SHAPES {
            self.shapes.drain(..MAX_SHAPES / 4);
        }
        self.shapes.push((object, shape));
    }

    /// The truth of a guard's condition, if it is known.
    pub(crate) fn truth(&self, trace: &Trace, op: &Op) -> Option<bool> {
        match op.code {
            OpCode::IsInt | OpCode::IsFlt | OpCode::IsPtr | OpCode::NonNull => {
                self.kinds(trace, op.a).test(op.code)
            }
            OpCode::Shape => match self.shape(op.a) {
                Some(shape) => Some(shape == op.shape_id()),
                None if self.other_shapes.contains(&(op.a, op.shape_id())) => Some(false),
                None => None,
            },
            OpCode::Same => {
                let never = self
                    .kinds(trace, op.a)
                    .and(self.kinds(trace, op.b))
                    .is_empty();
                self.same.get(&pair(op)).copied().or(never.then_some(false))
            }
            OpCode::ULt => self.below.get(&(op.a, op.b)).copied(),
            OpCode::Valid => self.valid.then_some(true),
            _ if is_compare(op.code) => {
                let (key, orders) = self.order_of(op);
                let known = self
                    .orders
                    .get(&key)
                    .copied()
                    .unwrap_or(all_orders(op.code));
                match known & orders {
                    yes if yes == known => Some(true),
                    0 => Some(false),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Takes over what an emitted guard or allocation establishes.
    pub(crate) fn learn(&mut self, trace: &Trace, op: &Op, r: OpRef) {
        match op.code {
            OpCode::IsInt | OpCode::IsFlt | OpCode::IsPtr | OpCode::NonNull => {
                let kinds = KindSet::tested(op.code);
                self.narrow(trace, op.a, if op.expect { kinds } else { kinds.not() });
            }
            OpCode::Shape if op.expect => {
                self.set(op.a, op.shape_id());
                self.narrow(trace, op.a, KindSet::OBJECT);
            }
            OpCode::Shape => {
                if self.other_shapes.len() == MAX_SHAPES {
                    self.other_shapes.clear();
                }
                self.other_shapes.push((op.a, op.shape_id()));
            }
            OpCode::Same => {
                self.same.insert(pair(op), op.expect);
                if op.expect {
                    let both = self.kinds(trace, op.a).and(self.kinds(trace, op.b));
                    self.narrow(trace, op.a, both);
                    self.narrow(trace, op.b, both);
                } else if trace.as_word(op.a).or(trace.as_word(op.b)) == Some(0) {
                    let other = if op.a.is_const() { op.b } else { op.a };
                    self.narrow(trace, other, KindSet::NULL.not());
                }
            }
            OpCode::ULt => {
                self.below.insert((op.a, op.b), op.expect);
            }
            OpCode::Valid => self.valid = true,
            OpCode::New => {
                let header = trace.as_int(op.a).unwrap_or_default() as u64;
                self.set(r, (header >> 32) as u32);
            }
            _ if is_compare(op.code) => {
                let (key, mut orders) = self.order_of(op);
                let all = all_orders(op.code);
                if !op.expect {
                    orders = all & !orders;
                }
                *self.orders.entry(key).or_insert(all) &= orders;
            }
            _ => debug_assert!(
                !matches!(op.code.kind(), Kind::Guard) || op.code == OpCode::Poll,
                "every guard teaches something"
            ),
        }
    }

    /// An object was given a shape; those for which `may_alias` may have got it, too.
    pub(crate) fn set_shape(
        &mut self,
        object: OpRef,
        shape: u32,
        may_alias: impl Fn(OpRef) -> bool,
    ) {
        self.forget_shapes(may_alias);
        self.set(object, shape);
    }

    /// Objects for which `may_change` holds may have got another shape.
    pub(crate) fn forget_shapes(&mut self, may_change: impl Fn(OpRef) -> bool) {
        self.other_shapes.clear();
        self.shapes.retain(|&(r, _)| !may_change(r));
    }

    /// Something ran that may have invalidated the trace.
    pub(crate) fn invalidate(&mut self) {
        self.valid = false;
    }

    fn narrow(&mut self, trace: &Trace, r: OpRef, kinds: KindSet) {
        if let Some(i) = r.as_op() {
            let kinds = self.kinds(trace, r).and(kinds);
            if self.kinds.len() <= i {
                self.kinds
                    .resize((i + 1).next_multiple_of(64), KindSet::ANY);
            }
            self.kinds[i] = kinds;
        }
    }

    /// Key of a comparison's operands, and its orders seen from there.
    fn order_of(&self, op: &Op) -> ((OpRef, OpRef), u8) {
        let orders = orders(op.code);
        if op.a <= op.b {
            ((op.a, op.b), orders)
        } else {
            ((op.b, op.a), mirrored(orders))
        }
    }
}

fn is_compare(code: OpCode) -> bool {
    matches!(
        code,
        OpCode::ILt | OpCode::ILe | OpCode::IEq | OpCode::FLt | OpCode::FLe | OpCode::FEq
    )
}

fn all_orders(code: OpCode) -> u8 {
    let ordered = LESS | EQUAL | GREATER;
    if matches!(code, OpCode::ILt | OpCode::ILe | OpCode::IEq) || plant::is(Fault::NoNan) {
        ordered
    } else {
        ordered | UNORDERED
    }
}

fn pair(op: &Op) -> (OpRef, OpRef) {
    (op.a.min(op.b), op.a.max(op.b))
}
