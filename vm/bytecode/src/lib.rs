//! Pyrite's register bytecode.
//!
//! The problem: interpreter, recorder, compiler, disassembler and every table of
//! effects need one and the same list of instructions. The idea: [`for_each_op!`]
//! is that list; everything else is generated from it.
//!
//! An instruction is one 64-bit word: opcode in bits 0-7, a small immediate `d`
//! in bits 8-15, and three 16-bit operands `a`, `b`, `c`. A jump offset takes the
//! place of `b` and `c` as one signed 32-bit number. A function of more than
//! 65,535 registers, constants or caches is refused by the compiler.
//! `x + 1` in a function whose local 0 is `x` reads `ADDK a=4 b=0 c=2`:
//! register 4 becomes register 0 plus constant 2.
//!
//! Left out on purpose: run-time state. A [`CodeUnit`] is plain data; inline
//! caches and hot counters are made by the VM when it loads the unit.
#![forbid(unsafe_code)]

mod disasm;
mod ops;
mod unit;

pub use disasm::disassemble;
pub use ops::{CmpOp, Ins, Op, OperandKind};
pub use unit::{CodeFlags, CodeUnit, Const, ExceptionEntry, IcInit, Pos, StrConst};

/// Words between the register that holds a callee and its first argument.
///
/// A call's window starts at register `r`: `r` holds the callable (or, while a
/// class is being instantiated, the new instance), `r+1 ..= r+4` are left free
/// for the frame header, arguments start at `r + FRAME_HEADER`.
/// Seen from the callee, whose register 0 is its first argument:
/// `[-5]` callable, `[-4]` function, `[-3]` return address, `[-2]` distance to
/// the caller's window in words, `[-1]` frame object or 0.
pub const FRAME_HEADER: usize = 5;
