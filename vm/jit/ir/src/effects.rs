//! What an op may read, write or cause, in terms of alias classes.
//!
//! Memory is split into at most 64 *alias classes*. The recorder chooses a class for each access
//! (attribute slots, list lengths, array elements, ...); accesses of different classes never touch
//! the same byte. Three classes are fixed, the others belong to the embedder.

use std::borrow::Cow;

use crate::types::Ty;

/// A part of memory that accesses of other classes never touch. Numbers 0 to 63.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AliasClass(pub u8);

impl AliasClass {
    /// The shape ids in object headers.
    pub const SHAPE: AliasClass = AliasClass(0);
    /// Fields of the VM state.
    pub const VM: AliasClass = AliasClass(1);
    /// Slots of the VM stack.
    pub const STACK: AliasClass = AliasClass(2);
    /// First class the embedder may name.
    pub const FIRST_FREE: AliasClass = AliasClass(3);
    /// Number of classes.
    pub const COUNT: usize = 64;
}

/// A set of alias classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct ClassSet(pub u64);

impl ClassSet {
    pub const NONE: ClassSet = ClassSet(0);
    pub const ALL: ClassSet = ClassSet(u64::MAX);

    /// The set of the given classes.
    #[must_use]
    pub fn of(classes: &[AliasClass]) -> ClassSet {
        ClassSet(classes.iter().fold(0, |set, class| set | 1 << class.0))
    }

    #[must_use]
    #[inline]
    pub fn contains(self, class: AliasClass) -> bool {
        self.0 >> class.0 & 1 != 0
    }

    #[must_use]
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members, ascending.
    pub fn iter(self) -> impl Iterator<Item = AliasClass> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let class = left.trailing_zeros() as u8;
            left &= left.checked_sub(1)?;
            Some(AliasClass(class))
        })
    }
}

/// What a called function may do. The default is nothing at all: an elidable function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Effects {
    pub reads: ClassSet,
    pub writes: ClassSet,
    /// A result of word 0 means that an exception is pending in the VM.
    pub may_raise: bool,
    /// May allocate, hence collect and move objects.
    pub may_collect: bool,
    /// May run the interpreted language again and look at the frames below. The call must name a
    /// snapshot, from which frames are rebuilt for such a look.
    pub may_call: bool,
}

impl Effects {
    /// Anything may happen.
    pub const ANY: Effects = Effects {
        reads: ClassSet::ALL,
        writes: ClassSet::ALL,
        may_raise: true,
        may_collect: true,
        may_call: true,
    };

    /// Same arguments give the same result, and nobody sees that it ran.
    #[must_use]
    #[inline]
    pub fn is_elidable(self) -> bool {
        self == Effects::default()
    }

    /// May the op be dropped when its result is unused?
    #[must_use]
    #[inline]
    pub fn is_droppable(self) -> bool {
        self.writes.is_empty() && !self.may_raise && !self.may_call
    }
}

/// A function that traces call: one row of [`crate::Trace::calls`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallTarget {
    /// For people; printing shows this and never the address.
    pub name: Cow<'static, str>,
    /// Address of `extern "C" fn(vm, args...) -> result`; integers and words in integer registers,
    /// doubles in floating-point registers.
    pub addr: usize,
    pub effects: Effects,
    pub params: Vec<Ty>,
    pub ret: Ty,
}
