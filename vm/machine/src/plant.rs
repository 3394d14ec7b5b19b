//! Deliberate defects of the VM, to measure what the program fuzzer finds.
//!
//! With the feature `planted` a process chooses one [`Fault`], and the line that
//! asks [`is`] for it goes wrong. Without the feature `is` is constantly false and
//! leaves no code. The optimizer has a list of its own (`jit/opt/src/plant.rs`).

macro_rules! faults {
    ($($(#[$doc:meta])* $fault:ident;)*) => {
        /// A defect that can be planted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Fault { $($(#[$doc])* $fault,)* }

        impl Fault {
            /// All faults.
            pub const ALL: &'static [Fault] = &[$(Fault::$fault),*];
        }
    };
}

faults! {
    /// Recorder: a promoted word is not guarded.
    WordNotGuarded;
    /// Recorder: a promoted integer is not guarded.
    IntegerNotGuarded;
    /// Recorder: an attribute's shape is not guarded.
    ShapeNotGuarded;
    /// Recorder: a truth that two values are the same is not guarded.
    SameNotGuarded;
    /// Recorder: sums and differences do not check for overflow.
    OverflowNotGuarded;
    /// Recorder: stores of references leave no barrier.
    NoBarrier;
    /// Recorder: constants of the trace are not kept alive and in place.
    ConstantsNotKept;
    /// Recorder: after a called instruction no register is read anew.
    WrittenNotForgotten;
    /// Recorder: registers are not written back before a called instruction.
    NotFlushed;
    /// Recorder: how a called instruction ended is not guarded.
    EndingNotGuarded;
    /// Recorder: a called instruction is believed to invalidate nothing.
    ValidityNotChecked;
    /// Recorder: classes whose attributes are constants are not watched.
    ClassNotWatched;
    /// Recorder: namespaces whose functions are constants are not watched.
    GlobalsNotWatched;
    /// Recorder: the layout of a namespace's keys is not guarded.
    KeysNotGuarded;
    /// Driver: a watched object that changes invalidates nothing.
    NothingInvalidated;
    /// Driver: changes of watched objects during a recording are overlooked.
    DisturbanceIgnored;
    /// Exits: every fifth slot stays as it was.
    SlotNotRestored;
    /// Exits: the second field of an object made there is left out.
    FieldNotRestored;
    /// Exits: integers outside 50 bits lose their upper half.
    BigIntegerCut;
    /// Runtime: the barrier's slow half remembers nothing.
    BarrierForgets;
    /// Exits: the frames of the trace are no roots while objects are made there.
    FrameSlotsUnrooted;
}

#[cfg(feature = "planted")]
static PLANTED: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(u8::MAX);

/// Chooses the fault of this process.
#[cfg(feature = "planted")]
pub fn plant(fault: Option<Fault>) {
    let n = fault.map_or(u8::MAX, |f| f as u8);
    PLANTED.store(n, std::sync::atomic::Ordering::Relaxed);
}

/// Is this fault planted here?
#[cfg(feature = "planted")]
pub fn is(fault: Fault) -> bool {
    PLANTED.load(std::sync::atomic::Ordering::Relaxed) == fault as u8
}

/// Is this fault planted here? Never, without the feature.
#[cfg(not(feature = "planted"))]
#[inline(always)]
pub fn is(_: Fault) -> bool {
    false
}
