//! Why recordings are given up.

/// A reason; counted in `--jit-stats`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum Abort {
    /// The trace grew beyond the limit.
    TraceTooLong,
    /// Another loop that has no trace of its own closed.
    InnerLoop,
    /// An integer left 50 bits.
    IntegerTooLarge,
    /// The first frame of the trace returned or yielded.
    LeftFirstFrame,
    /// An exception was raised.
    Exception,
    /// The instruction cannot be part of a trace.
    Instruction,
    /// The trace contradicts itself.
    Contradiction,
    /// The recorder broke a rule (a defect).
    Rule,
    /// The backend refused it.
    Backend,
    /// Something waited to be looked at.
    Poll,
    /// A watched object changed while the trace was recorded.
    Disturbed,
}

impl Abort {
    /// Every reason.
    pub const ALL: [Abort; 11] = [
        Abort::TraceTooLong,
        Abort::InnerLoop,
        Abort::IntegerTooLarge,
        Abort::LeftFirstFrame,
        Abort::Exception,
        Abort::Instruction,
        Abort::Contradiction,
        Abort::Rule,
        Abort::Backend,
        Abort::Poll,
        Abort::Disturbed,
    ];

    /// Name in logs and statistics.
    pub fn name(self) -> &'static str {
        match self {
            Abort::TraceTooLong => "trace_too_long",
            Abort::InnerLoop => "inner_loop",
            Abort::IntegerTooLarge => "integer_too_large",
            Abort::LeftFirstFrame => "left_first_frame",
            Abort::Exception => "exception",
            Abort::Instruction => "instruction",
            Abort::Contradiction => "contradiction",
            Abort::Rule => "rule",
            Abort::Backend => "backend",
            Abort::Poll => "poll",
            Abort::Disturbed => "disturbed",
        }
    }
}
