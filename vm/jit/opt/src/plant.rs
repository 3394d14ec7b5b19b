//! Deliberate defects, to measure what the fuzzer finds.
//!
//! With the feature `planted`, a test chooses one [`Fault`] for its thread, and the line that asks
//! [`is`] for it goes wrong. Without the feature `is` is constantly false and leaves no code.

macro_rules! faults {
    ($($(#[$doc:meta])* $fault:ident;)*) => {
        /// A defect that can be planted.
        #[cfg_attr(not(feature = "planted"), expect(unreachable_pub, reason = "public with the feature"))]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault { $($(#[$doc])* $fault,)* }

        #[cfg(feature = "planted")]
        impl Fault {
            /// All faults.
            pub const ALL: &'static [Fault] = &[$(Fault::$fault),*];
        }
    };
}

faults! {
    /// `fold`: a quotient by 8 is shifted once too often.
    ShiftTooFar;
    /// `fold`: adding 0.0 counts as neutral.
    PlusZero;
    /// `cse`: the second operand is not compared.
    HalfKey;
    /// `guards`: calls never change shapes.
    ShapesSurviveCalls;
    /// `guards`: not less means greater or equal, for floats too.
    NoNan;
    /// `heap`: a store to another ref changes nothing.
    NoAliases;
    /// `heap`: calls write nothing.
    CallsWriteNothing;
    /// `heap`: an object stored in another stays private.
    NothingEscapes;
    /// `heap`: different index refs are different elements.
    IndicesDiffer;
    /// `peel`: snapshots of the body list only what the body has written.
    BodyForgetsPreamble;
    /// `peel`: values used by exits alone are not carried.
    ExitsNotCarried;
    /// `sink`: fields keep their first content.
    FirstContent;
    /// `sink`: an object stored in a real one stays virtual.
    StoredStaysVirtual;
    /// `sink`: each mention of a virtual object makes another one.
    Doubles;
    /// `dce`: calls without used result are dropped.
    CallsDropped;
    /// `dce`: the next value of a phi is not kept alive.
    PhiStaysInitial;
    /// emitter: snapshots show slots as they were at the first resume point of all, since
    /// what was written is never taken for settled. (That they show slots as they are would
    /// be of no harm to most recorders: their guards come before what they write, which the
    /// `frames` switch asks of them.)
    NeverSettled;
    /// emitter: objects a bridge inherits have lost their fields.
    FieldsLost;
}

#[cfg(feature = "planted")]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Fault>> = const { std::cell::Cell::new(None) };
}

/// Chooses the fault of this thread.
#[cfg(feature = "planted")]
pub fn plant(fault: Option<Fault>) {
    PLANTED.with(|planted| planted.set(fault));
}

/// Is this fault planted here?
#[cfg(feature = "planted")]
pub(crate) fn is(fault: Fault) -> bool {
    PLANTED.with(|planted| planted.get() == Some(fault))
}

/// Is this fault planted here? Never, without the feature.
#[cfg(not(feature = "planted"))]
#[inline(always)]
pub(crate) fn is(_: Fault) -> bool {
    false
}
