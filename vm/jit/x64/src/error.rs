//! What can go wrong in the backend.

use pyrite_jit_codecache::CodeCacheError;
use pyrite_jit_ir::{SnapshotId, TraceId};

/// The backend cannot work on this machine.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// No executable memory.
    #[error(transparent)]
    Code(#[from] CodeCacheError),
    /// The processor lacks an instruction the lowering uses.
    #[error("the processor has no {0}")]
    Processor(&'static str),
    /// A piece of code could not be put together: a jump out of range.
    #[error("cannot assemble shared code: {0}")]
    Assemble(String),
}

/// One trace cannot be compiled; the backend is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// Executable memory is full.
    #[error("trace {trace:?}: {source}")]
    Code {
        /// The trace.
        trace: TraceId,
        /// What the code cache says.
        #[source]
        source: CodeCacheError,
    },
    /// A bridge names an exit of a trace that was never compiled.
    #[error("bridge {trace:?} starts at unknown exit {exit:?} of trace {parent:?}")]
    UnknownParent {
        /// The bridge.
        trace: TraceId,
        /// What it says it starts from.
        parent: TraceId,
        /// Which exit.
        exit: SnapshotId,
    },
    /// A trace links to a root that was never compiled.
    #[error("trace {trace:?} links to unknown root {root}")]
    UnknownRoot {
        /// The trace.
        trace: TraceId,
        /// Where it wants to go.
        root: i32,
    },
    /// A trace of this number was compiled before.
    #[error("trace {0:?} is compiled already")]
    Duplicate(TraceId),
    /// A snapshot has more virtual objects than an exit can make.
    #[error("snapshot {snapshot:?} of trace {trace:?} has {found} virtual objects")]
    TooManyVirtuals {
        /// The trace.
        trace: TraceId,
        /// The snapshot.
        snapshot: SnapshotId,
        /// How many it has.
        found: usize,
    },
    /// The code could not be put together: a jump out of range.
    #[error("trace {trace:?} cannot be assembled: {reason}")]
    Assemble {
        /// The trace.
        trace: TraceId,
        /// What the assembler says.
        reason: String,
    },
}
