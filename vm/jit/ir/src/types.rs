//! Typed indices, types and constants.

/// The type of an op's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ty {
    /// A 64-bit signed integer, unboxed.
    Int,
    /// A double, unboxed.
    Flt,
    /// A NaN-boxed value word; an object reference is its raw address ([`crate::word`]).
    Val,
    /// No result.
    Unit,
}

impl Ty {
    /// The letter that starts the names of values of this type.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Ty::Int => 'i',
            Ty::Flt => 'f',
            Ty::Val => 'v',
            Ty::Unit => '_',
        }
    }

    /// `int`, `flt`, `val`, `unit`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Ty::Int => "int",
            Ty::Flt => "flt",
            Ty::Val => "val",
            Ty::Unit => "unit",
        }
    }
}

/// Names a value: an op of the trace, a constant of its pool, or (only inside a snapshot) one of
/// that snapshot's virtual objects.
///
/// Ordering among op refs is program order; constants come after all ops.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OpRef(u32);

const CONST_BIT: u32 = 1 << 31;
const VIRTUAL_BIT: u32 = 1 << 30;

impl OpRef {
    /// No value; the content of operand fields that an op does not use.
    pub const NONE: OpRef = OpRef(u32::MAX);

    /// A number that no other ref has, for tables of refs.
    #[must_use]
    #[inline]
    pub fn bits(self) -> u32 {
        self.0
    }

    /// What a table by op index has for the op that this names; for all else, itself.
    #[must_use]
    #[inline]
    pub fn renamed(self, names: &[OpRef]) -> OpRef {
        // The numbers of all other refs are beyond every table.
        names.get(self.0 as usize).copied().unwrap_or(self)
    }

    /// The result of the op at `index`.
    #[must_use]
    #[inline]
    pub fn op(index: usize) -> OpRef {
        debug_assert!(index < VIRTUAL_BIT as usize, "op index fits 30 bits");
        OpRef(index as u32)
    }

    /// The constant at `index` of the pool.
    #[must_use]
    #[inline]
    pub fn konst(index: usize) -> OpRef {
        debug_assert!(index < VIRTUAL_BIT as usize, "constant index fits 30 bits");
        OpRef(index as u32 | CONST_BIT)
    }

    /// The virtual object at `index` of the snapshot this ref stands in.
    #[must_use]
    #[inline]
    pub fn virtual_object(index: usize) -> OpRef {
        debug_assert!(index < VIRTUAL_BIT as usize, "virtual index fits 30 bits");
        OpRef(index as u32 | VIRTUAL_BIT)
    }

    #[must_use]
    #[inline]
    pub fn is_none(self) -> bool {
        self == OpRef::NONE
    }

    #[must_use]
    #[inline]
    pub fn is_const(self) -> bool {
        !self.is_none() && self.0 & CONST_BIT != 0
    }

    #[must_use]
    #[inline]
    pub fn is_op(self) -> bool {
        self.0 & (CONST_BIT | VIRTUAL_BIT) == 0
    }

    /// Index of the op, if this names one.
    #[must_use]
    #[inline]
    pub fn as_op(self) -> Option<usize> {
        self.is_op().then_some(self.0 as usize)
    }

    /// Index into the constant pool, if this names a constant.
    #[must_use]
    #[inline]
    pub fn as_const(self) -> Option<usize> {
        self.is_const().then_some((self.0 & !CONST_BIT) as usize)
    }

    /// Index into the snapshot's virtual objects, if this names one.
    #[must_use]
    #[inline]
    pub fn as_virtual(self) -> Option<usize> {
        (!self.is_none() && self.0 & (CONST_BIT | VIRTUAL_BIT) == VIRTUAL_BIT)
            .then_some((self.0 & !VIRTUAL_BIT) as usize)
    }
}

impl std::fmt::Debug for OpRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_none() {
            write!(f, "-")
        } else if let Some(i) = self.as_const() {
            write!(f, "k{i}")
        } else if let Some(i) = self.as_virtual() {
            write!(f, "o{i}")
        } else {
            write!(f, "%{}", self.0)
        }
    }
}

macro_rules! index_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            #[must_use]
            #[inline]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

index_type! {
    /// A snapshot of a trace. Exits are numbered by snapshot.
    SnapshotId
}
index_type! {
    /// A row of a trace's call table.
    CallId
}
index_type! {
    /// A compiled trace, root or bridge; numbered by the embedder in order of recording.
    TraceId
}

/// A range of the trace's operand lists (`call` arguments, `jump` values).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct List {
    pub start: u32,
    pub len: u32,
}

/// A constant of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Const {
    Int(i64),
    /// The bits of a double.
    Flt(u64),
    /// A value word; if it is an address, the object must be kept alive and unmoved by the embedder.
    Val(u64),
}

impl Const {
    #[must_use]
    #[inline]
    pub fn ty(self) -> Ty {
        match self {
            Const::Int(_) => Ty::Int,
            Const::Flt(_) => Ty::Flt,
            Const::Val(_) => Ty::Val,
        }
    }
}
