//! Faults to plant in the collector, so that the tests' power can be measured.

/// A mistake that the model test must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The write barrier remembers nothing.
    BarrierIgnored,
    /// Objects hit by ambiguous words may move.
    AmbiguousMoves,
    /// The PIN bit is ignored.
    PinIgnored,
    /// A slot keeps the old address of an object that moved.
    SlotNotUpdated,
    /// An array's cards are cleared before the next array on the same card is scanned.
    CardsClearedEarly,
    /// Weak references are cleared after the finalizable objects were traced.
    WeakrefsClearedLate,
    /// Weak references do not follow a referent that moved.
    WeakrefsNotForwarded,
    /// Blocks of promoted copies are not swept, hence not counted as old.
    CopiesNotCounted,
    /// Holes are handed out as they are.
    HolesNotZeroed,
    /// Remembered objects do not become OLD again.
    OldNotRestored,
    /// Only the first line of an object is marked.
    OnlyFirstLine,
    /// Objects that wait for their finalizer are no roots.
    QueueNotTraced,
    /// Large young objects are not marked when ambiguous words hit their inside.
    LargeInteriorMissed,
}
