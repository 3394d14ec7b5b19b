//! A VM for a language that brings nothing but its instructions.
//!
//! **Problem.** To be run and compiled, a language needs a stack of windows, roots, heap ints, an
//! interpreter's loop, a host for recordings, and to tell the driver where its frames lie. None of
//! that says anything about the language, and every one with no special wishes would write the same.
//!
//! **Idea.** A [`Language`] is one function over a [`Machine`], which is [`Core`] and four methods:
//! call, return, back-edge, the language's own state. [`run`] interprets its code, and if it is
//! given parameters also records, optimizes and compiles it; the function is the same for all. What
//! the interpreter's machine leaves (a heap window that is used up, a store into an old object, an
//! integer that leaves 50 bits), the same function does on the [`Careful`] one.
//!
//! **Example.** The handler of an instruction `ADD a, b, c`, on integers alone:
//!
//! ```text
//! let (x, y) = (m.reg(b), m.reg(c));
//! let both = ...                       // m.is_int and m.branch of x and of y, or Ctl::Slow
//! let (sum, over) = m.iadd(m.unbox_int(x), m.unbox_int(y));
//! if m.branch(over) { return Ctl::Slow }
//! m.set_reg(a, m.box_int(sum))
//! ```
//!
//! **Invariants.** Code and its constants hold no references to objects, and stay in place while
//! the VM lives. A window is cleared when it is entered. An integer beyond 50 bits is an object of
//! kind [`INT_KIND`].
//!
//! **Left out.** Second halves of instructions, calls from Rust into the language, threads, frames
//! other than windows: Pyrite has a VM of its own for these.

mod careful;
mod code;
mod interp;
mod ints;
mod objects;
mod record;
mod vm;

pub use careful::Careful;
pub use code::{Code, HEADER, Ins};
pub use interp::Interp;
pub use ints::{INT_KIND, INT_SHAPE};
pub use objects::{OBJECT, OBJECT_KIND, OBJECT_WORDS, SLOTS, Shapes};
pub use vm::{Ended, Error, run};

use pyrite_gc::KindInfo;
use pyrite_machine::{Core, Ctl};

/// A language: its objects, what its instructions mean, and its state outside of the heap.
///
/// The state may keep no references to objects. What [`Machine::lang`] is asked while a trace is
/// recorded counts as constant for that question: "the slot of this name in that shape" may be
/// asked, a counter may not.
pub trait Language: Sized + 'static {
    /// Kinds of objects; the first is [`INT_KIND`]. Shape 0 and [`INT_SHAPE`] are taken.
    const KINDS: &'static [KindInfo];

    /// Executes one instruction, behind which the machine's instruction pointer is already.
    /// [`Ctl::Slow`]: nothing was changed. The interpreter then tries again with the [`Careful`]
    /// machine.
    fn step<M: Machine<Language = Self>>(m: &mut M, ins: Ins) -> Ctl;

    /// Does what `step` left even then: output, errors.
    ///
    /// # Errors
    /// The text of the error that the program ends with.
    fn rest(m: &mut Careful<Self>, ins: Ins) -> Result<(), String>;
}

/// The machine of a [`Language`]: [`Core`], and what moves between windows.
pub trait Machine: Core {
    type Language: Language;

    /// The language's state.
    fn lang(&mut self) -> &mut Self::Language;

    /// Enters code number `n` in the window at register `window`, where its arguments lie; the
    /// [`HEADER`] registers before it are overwritten. `Slow`: the stack has no room.
    fn call(&mut self, window: usize, n: usize) -> Ctl;

    /// Leaves the window; the caller finds the result in the first of the header registers. The
    /// outermost window's end is the program's.
    fn ret(&mut self, result: Self::V) -> Ctl;

    /// Goes back `back` instructions, to a loop's head where registers from `live` on are dead.
    fn back_edge(&mut self, live: usize, back: usize) -> Ctl;
}
