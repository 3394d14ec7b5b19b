//! The `Core` trait: everything a bytecode handler does to run-time data.
//!
//! A handler is `fn op<M: Machine>(m: &mut M, ins) -> Ctl`, written once. Two
//! machines instantiate it: an interpreter, where each method is the plain
//! operation and compiles to nothing around it, and the trace recorder, where
//! each method carries the operation out *and* appends it to a trace.
//!
//! `ADD r0 = r1 + r2` on integers reads: `reg(1)`, `reg(2)`, `is_int` of both,
//! `branch` (guards, in a trace), `unbox_int`, `iadd`, `branch` on the overflow
//! flag, `box_int`, `set_reg(0)`.
//!
//! Rules for a handler (the recorder asserts the second):
//! 1. Run-time truth reaches Rust control flow through [`Core::branch`] only (or
//!    the promoting methods, which guard by themselves).
//! 2. All guards before the first effect. What is needed after one is taken out
//!    first.
//! 3. A fast handler is a leaf: for anything rare it returns [`Ctl::Slow`], having
//!    changed nothing.
//! 4. Value words are compared by [`Core::same`], never by their bits.
//! 5. Loops over run-time data stay out; a loop over a promoted number is fine.

use crate::Value;

/// How a handler ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ctl {
    /// Go on at the machine's instruction pointer.
    Next,
    /// Nothing was changed; the general implementation must do it.
    Slow,
}

/// A field of an object: byte offset from its header, and alias class. Two
/// accesses of different classes never touch the same memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    pub offset: i32,
    pub class: u8,
}

impl Field {
    /// The field in word `i` of an object (the header is word 0).
    pub const fn word(i: usize, class: u8) -> Field {
        Field {
            offset: i as i32 * 8,
            class,
        }
    }
}

/// An integer or float comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cmp {
    Lt,
    Le,
    Eq,
    Ne,
    Gt,
    Ge,
}

/// See the module's documentation.
///
/// `V` is a value word, `I` an integer of 64 bits, `F` a double, `B` a truth not
/// yet looked at.
pub trait Core {
    type V: Copy;
    type I: Copy;
    type F: Copy;
    type B: Copy;

    // Registers and constants.

    /// Register `r` of the window (negative: frame header).
    fn reg(&mut self, r: isize) -> Self::V;
    /// Writes register `r`.
    fn set_reg(&mut self, r: isize, v: Self::V);
    /// Constant `k` of the running code.
    fn konst(&mut self, k: usize) -> Self::V;
    /// A value known to Rust: constant in a trace.
    fn value(&mut self, v: Value) -> Self::V;
    /// An integer known to Rust.
    fn int(&mut self, i: i64) -> Self::I;

    // Tests.

    fn is_int(&mut self, v: Self::V) -> Self::B;
    fn is_float(&mut self, v: Self::V) -> Self::B;
    /// An object reference (null is none).
    fn is_ptr(&mut self, v: Self::V) -> Self::B;
    fn is_null(&mut self, v: Self::V) -> Self::B;
    /// The same word.
    fn same(&mut self, a: Self::V, b: Self::V) -> Self::B;
    /// Compares integers.
    fn icmp(&mut self, op: Cmp, a: Self::I, b: Self::I) -> Self::B;
    /// `0 <= a < b` for `b >= 0`: a bounds check.
    fn below(&mut self, a: Self::I, b: Self::I) -> Self::B;
    /// Compares doubles; every comparison with a NaN but `Ne` is false.
    fn fcmp(&mut self, op: Cmp, a: Self::F, b: Self::F) -> Self::B;
    /// The object has this shape.
    fn has_shape(&mut self, v: Self::V, shape: u32) -> Self::B;
    /// Looks at a truth: the only way to Rust control flow.
    fn branch(&mut self, b: Self::B) -> bool;

    // Promotion: makes a run-time datum known to Rust (constant in a trace, guarded).

    /// Shape of an object (known to be one).
    fn shape(&mut self, v: Self::V) -> u32;
    /// The word itself.
    fn promote(&mut self, v: Self::V) -> Value;
    /// An integer.
    fn promote_int(&mut self, i: Self::I) -> i64;

    // Boxing and arithmetic.

    /// Integer of a word known to hold one.
    fn unbox_int(&mut self, v: Self::V) -> Self::I;
    /// Double of a word known to hold one.
    fn unbox_float(&mut self, v: Self::V) -> Self::F;
    /// Word of an integer that an arithmetic method reported as not overflowing.
    fn box_int(&mut self, i: Self::I) -> Self::V;
    fn box_float(&mut self, f: Self::F) -> Self::V;
    fn int_to_float(&mut self, i: Self::I) -> Self::F;
    /// Sum, and whether it leaves the machine's integers.
    fn iadd(&mut self, a: Self::I, b: Self::I) -> (Self::I, Self::B);
    fn isub(&mut self, a: Self::I, b: Self::I) -> (Self::I, Self::B);
    fn imul(&mut self, a: Self::I, b: Self::I) -> (Self::I, Self::B);
    /// Sum modulo 2**64, where no overflow can happen or matter.
    fn iadd_wrapping(&mut self, a: Self::I, b: Self::I) -> Self::I;
    /// Difference modulo 2**64.
    fn isub_wrapping(&mut self, a: Self::I, b: Self::I) -> Self::I;
    /// Floor division; the divisor was tested to be neither 0 nor -1.
    fn idiv(&mut self, a: Self::I, b: Self::I) -> Self::I;
    /// Floor modulo; as above.
    fn imod(&mut self, a: Self::I, b: Self::I) -> Self::I;
    fn iand(&mut self, a: Self::I, b: Self::I) -> Self::I;
    fn ior(&mut self, a: Self::I, b: Self::I) -> Self::I;
    fn ixor(&mut self, a: Self::I, b: Self::I) -> Self::I;
    /// Shift left by a number tested to be in `0..16`, and whether the result
    /// leaves the machine's integers.
    fn ishl(&mut self, a: Self::I, n: i64) -> (Self::I, Self::B);
    /// Arithmetic shift right by a number in `0..64`.
    fn ishr(&mut self, a: Self::I, n: i64) -> Self::I;
    fn fadd(&mut self, a: Self::F, b: Self::F) -> Self::F;
    fn fsub(&mut self, a: Self::F, b: Self::F) -> Self::F;
    fn fmul(&mut self, a: Self::F, b: Self::F) -> Self::F;
    fn fdiv(&mut self, a: Self::F, b: Self::F) -> Self::F;
    fn fneg(&mut self, a: Self::F) -> Self::F;

    // Memory.

    /// A value word of an object.
    fn load(&mut self, p: Self::V, f: Field) -> Self::V;
    /// A raw word of an object.
    fn load_int(&mut self, p: Self::V, f: Field) -> Self::I;
    /// Element `i` of an array object whose elements start at field `f`.
    fn load_elem(&mut self, p: Self::V, f: Field, i: Self::I) -> Self::V;
    /// True if a store of a reference into the object needs [`Ctl::Slow`] first
    /// (the interpreter's write barrier; a trace has its own).
    fn store_blocked(&mut self, p: Self::V) -> bool;
    /// Stores a value word into an object for which `store_blocked` was false.
    fn store(&mut self, p: Self::V, f: Field, v: Self::V);
    fn store_int(&mut self, p: Self::V, f: Field, i: Self::I);
    fn store_elem(&mut self, p: Self::V, f: Field, i: Self::I, v: Self::V);
    /// Changes the object's shape.
    fn store_shape(&mut self, p: Self::V, shape: u32);
    /// A fresh object of `words` words (header included), the others zero.
    /// `None`: no room, take the slow way.
    fn alloc(&mut self, header: u64, words: usize) -> Option<Self::V>;

    // Control.

    /// Moves the instruction pointer by `off` instructions.
    fn jump(&mut self, off: isize);
    /// True if something (signal, finalizer, other thread) waits to be looked at.
    fn poll(&mut self) -> Self::B;
}
