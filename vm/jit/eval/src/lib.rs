//! Runs a trace op by op, the obvious way: the oracle that optimizer and backends are compared with.
//!
//! It shares no code with them: arithmetic is done in 128 bits and checked, memory is a map of
//! objects ([`Memory`]), the VM stack is a map of slots. What a correct trace never does (an address
//! outside objects, a read of an unwritten field, a division whose divisor was not tested) is an
//! [`EvalError`] and not a result.

#![forbid(unsafe_code)]

mod memory;
mod run;

pub use memory::Memory;
pub use run::{End, Exit, Host, Machine, NoCalls, Outcome, restore, run};

use pyrite_jit_ir::OpCode;

/// What a trace must not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    #[error("no object at address {0:#x}")]
    BadAddress(u64),
    #[error("the word at address {0:#x} was never written")]
    Unwritten(u64),
    #[error("slot {0} of the VM stack was never written")]
    BadSlot(i32),
    #[error("field {0} of the VM state was never written")]
    BadVmField(i32),
    #[error("parameter {0} was not given")]
    BadParam(i32),
    #[error("`{op}` divides by {divisor}", op = .op.info().name)]
    BadDivisor { op: OpCode, divisor: i64 },
    #[error("`{op}` of a word of another kind: {word:#x}", op = .op.info().name)]
    WrongKind { op: OpCode, word: u64 },
    #[error("the trace has no end")]
    NoEnd,
    #[error("the host cannot call `{0}`")]
    UnknownCall(String),
}
