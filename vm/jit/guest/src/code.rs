//! Code of a guest, and where it runs.
//!
//! An [`Ins`] is a word: opcode and three operands, 16 bits each. Code runs in a *window* of
//! registers on the VM stack. Below register 0 lies its header:
//!
//! | register | holds |
//! |---|---|
//! | -1 | the caller's next instruction, null in the outermost window |
//! | -2 | the window's [`Code`] |
//! | -3 | registers between the caller's window and this one; after the return, the result |
//!
//! So a trace that enters a function stores constants, and exits rebuild a frame by stores alone.

use pyrite_machine::Value;

/// Words of a window's header.
pub const HEADER: u16 = 3;

/// An instruction; the operands mean what the language wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ins(pub u64);

impl Ins {
    pub const fn new(op: u16, a: u16, b: u16, c: u16) -> Ins {
        Ins(op as u64 | (a as u64) << 16 | (b as u64) << 32 | (c as u64) << 48)
    }
    pub const fn op(self) -> u16 {
        self.0 as u16
    }
    pub const fn a(self) -> usize {
        (self.0 >> 16) as u16 as usize
    }
    pub const fn b(self) -> usize {
        (self.0 >> 32) as u16 as usize
    }
    pub const fn c(self) -> usize {
        (self.0 >> 48) as usize
    }
    /// The same with another last operand: a jump whose target is known now.
    pub const fn with_c(self, c: u16) -> Ins {
        Ins(self.0 & !(0xFFFF << 48) | (c as u64) << 48)
    }
}

/// A function's code. It ends in an instruction that returns or jumps.
#[derive(Clone, Debug, Default)]
pub struct Code {
    /// Name in errors.
    pub name: String,
    /// Number of arguments: the first registers.
    pub args: u16,
    /// Registers; those that a call's header and arguments need are included.
    pub size: u16,
    /// True if it has back-edges: a trace does not enter it.
    pub loops: bool,
    /// Constants; no references to objects.
    pub consts: Vec<Value>,
    pub instrs: Vec<Ins>,
}

impl Code {
    /// The first instruction, as machines point to it.
    pub(crate) fn start(&self) -> *const u64 {
        self.instrs.as_ptr().cast()
    }

    /// The header of a window of this code, from register -1 downwards.
    pub(crate) fn header(&self, ret: *const u64, distance: usize) -> [Value; HEADER as usize] {
        [
            Value::from_ptr(ret),
            Value::from_ptr(self),
            Value::small(distance as i32),
        ]
    }
}

/// The code that runs in a window.
///
/// # Safety
/// `base` is register 0 of a window of a live VM.
pub(crate) unsafe fn code_at<'a>(base: *mut Value) -> &'a Code {
    // SAFETY: a window's header names its code, which lives as long as the VM.
    unsafe { &*(*base.sub(2)).ptr().cast() }
}
