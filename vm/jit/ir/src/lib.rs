//! The trace IR: what the recorder writes, the passes rewrite and the backends lower.
//!
//! A [`Trace`] is one straight array of typed SSA operations ([`Op`], named by [`OpRef`]) that ends
//! in a [`OpCode::Jump`], [`OpCode::Link`], [`OpCode::Exit`] or [`OpCode::Ret`]. Everything that may leave the trace
//! early names a [`Snapshot`]: the interpreter state to rebuild. The vocabulary is one table,
//! [`ops`]; printer, parser, verifier, passes and backends read its rows.
//!
//! ```text
//! trace root 1 {
//!   v0 = slot 0
//!   is_int v0 @s0{pc 7 base 0 []}
//!   i1 = unbox_int v0
//!   i2 = iadd_ovf i1, 1 @s0
//!   v3 = box_int i2 @s0
//!   ilt i2, 100 @s1{pc 8 base 0 [0: i2]}
//!   loop
//!   i4 = phi i2
//!   ...
//!   jump [i5]
//! }
//! ```
//!
//! Invariants:
//! - the crate knows no Python, no VM and no machine; an address is an opaque number in a constant
//!   or in a [`CallTarget`], and nothing printed depends on it;
//! - an op is defined before it is used, except that `jump` feeds the `phi`s of `loop`;
//! - a guard never follows an effect of its own snapshot's window (see [`verify`](mod@verify)).

#![forbid(unsafe_code)]

pub mod effects;
pub mod index;
mod kept;
pub mod ops;
mod parse;
mod print;
pub mod snapshot;
mod trace;
mod types;
pub mod verify;
pub mod word;

pub use effects::{AliasClass, CallTarget, ClassSet, Effects};
pub use kept::Kept;
pub use ops::{Access, Kind, OpCode, OpInfo};
pub use parse::{ParseError, object_address, parse, parse_one};
pub use snapshot::{Field, Resume, Snapshot, VirtualObject, Width};
pub use trace::{Op, Trace, TraceKind};
pub use types::{CallId, Const, List, OpRef, SnapshotId, TraceId, Ty};
pub use verify::{VerifyError, verify};
