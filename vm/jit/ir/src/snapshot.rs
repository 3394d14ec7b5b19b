//! How to rebuild the interpreter's state where a trace is left.
//!
//! Frame headers are ordinary VM-stack slots, so a state is nothing but slots to write: a guard
//! inside inlined calls needs no frame list. A slot that is not listed already holds its value.
//!
//! Values may be listed unboxed: an `Int` or `Flt` ref is boxed when it is written (an int outside
//! 50 bits becomes a heap int then). Virtual objects, allocations that never happened, are described
//! with their fields and made on the way out.

use std::ops::Range;

use crate::effects::AliasClass;
use crate::types::OpRef;

/// The state at one resume point of the recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Where the interpreter resumes; the embedder's encoding.
    pub pc: u64,
    /// Start of the resumed frame's window, in slots from the trace's window base.
    pub base: i32,
    pub mode: Resume,
    /// `(slot from the trace's window base, value)`, slots ascending.
    pub entries: Vec<(i32, OpRef)>,
    /// Objects named by [`OpRef::virtual_object`] in entries, fields and `mode`. May be cyclic.
    pub virtuals: Vec<VirtualObject>,
}

/// What the interpreter does after the slots are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resume {
    /// Execute the bytecode at `pc` from its beginning.
    Reexec,
    /// Run the second half (`finish`) of the bytecode before `pc` with the value it waits for.
    /// The null constant as `val` means that an exception is pending.
    Finish { stage: u16, val: OpRef },
}

/// An object to be made at the exit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualObject {
    /// Whole size in 8-byte words, header included.
    pub words: u32,
    /// The 8-byte header (shape id in the upper half).
    pub header: u64,
    /// Contents, offsets ascending. Words that are not listed are 0.
    pub fields: Vec<Field>,
}

/// One stored field of a virtual object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Bytes from the start of the object.
    pub offset: i32,
    /// How the value is stored: in a `Val` field an unboxed ref is boxed, elsewhere it is raw.
    pub width: Width,
    /// What later accesses of the field name as their class, should a bridge make the object.
    pub class: AliasClass,
    pub val: OpRef,
}

/// Width and kind of a memory access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Width {
    /// A value word.
    Val,
    /// A raw 64-bit integer.
    I64,
    /// 32 bits, zero-extended when loaded.
    U32,
    /// 16 bits, zero-extended when loaded.
    U16,
    /// 8 bits, zero-extended when loaded.
    U8,
}

impl Width {
    #[must_use]
    pub fn bytes(self) -> i32 {
        match self {
            Width::Val | Width::I64 => 8,
            Width::U32 => 4,
            Width::U16 => 2,
            Width::U8 => 1,
        }
    }
}

impl Snapshot {
    /// Every value the snapshot names, virtual refs included: entries, then fields, then `mode`.
    pub fn refs(&self) -> impl Iterator<Item = OpRef> {
        let entries = self.entries.iter().map(|&(_, val)| val);
        entries.chain(self.other_refs())
    }

    /// The entries that are not at the start or at the end of another snapshot's entries, too.
    /// Snapshots that follow each other share most of theirs.
    #[must_use]
    pub fn changed_from(&self, other: &Snapshot) -> Range<usize> {
        let (a, b) = (&self.entries[..], &other.entries[..]);
        let common = a.len().min(b.len());
        let start = (0..common).find(|&i| a[i] != b[i]).unwrap_or(common);
        let (a, b) = (&a[start..], &b[start..]);
        let both = a.iter().rev().zip(b.iter().rev());
        let end = both.take_while(|(x, y)| x == y).count();
        start..self.entries.len() - end
    }

    /// Every value that is not named by an entry: fields, then `mode`.
    pub fn other_refs(&self) -> impl Iterator<Item = OpRef> {
        let val = match self.mode {
            Resume::Reexec => None,
            Resume::Finish { val, .. } => Some(val),
        };
        let fields = (self.virtuals.iter()).flat_map(|object| &object.fields);
        fields.map(|field| field.val).chain(val)
    }

    /// Replaces every ref, as listed by [`Snapshot::refs`].
    pub fn map_refs(&mut self, mut map: impl FnMut(OpRef) -> OpRef) {
        for (_, val) in &mut self.entries {
            *val = map(*val);
        }
        for field in self
            .virtuals
            .iter_mut()
            .flat_map(|object| &mut object.fields)
        {
            field.val = map(field.val);
        }
        if let Resume::Finish { val, .. } = &mut self.mode {
            *val = map(*val);
        }
    }

    /// The distinct op results the exit needs, in the order of first mention.
    ///
    /// A bridge's `param i` is the i-th of them.
    #[must_use]
    pub fn live_values(&self) -> Vec<OpRef> {
        let mut seen = rustc_hash::FxHashSet::default();
        self.refs()
            .filter(|r| r.is_op() && seen.insert(*r))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_lies_between_what_did_not() {
        let with = |entries: &[(i32, usize)]| Snapshot {
            pc: 0,
            base: 0,
            mode: Resume::Reexec,
            entries: entries.iter().map(|&(n, i)| (n, OpRef::op(i))).collect(),
            virtuals: Vec::new(),
        };
        let old = with(&[(1, 10), (2, 11), (3, 12), (4, 13)]);
        assert!(old.changed_from(&old).is_empty());
        assert_eq!(with(&[]).changed_from(&old), 0..0);
        assert_eq!(old.changed_from(&with(&[])), 0..4);
        let one = with(&[(1, 10), (2, 20), (3, 12), (4, 13)]);
        assert_eq!(one.changed_from(&old), 1..2);
        // A slot that is gone, one that came.
        assert!(with(&[(1, 10), (4, 13)]).changed_from(&old).is_empty());
        assert_eq!(old.changed_from(&with(&[(1, 10), (4, 13)])), 1..3);
    }
}
