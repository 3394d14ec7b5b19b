//! The Python part of the machine: what handlers need beyond [`Core`].

use pyrite_bytecode::Ins;
use pyrite_machine::{Core, Field, Value};
use pyrite_objects::code::CodeData;

/// Alias classes of object memory.
pub mod class {
    /// Attribute slots and payload values of plain objects.
    pub const SLOT: u8 = 8;
    /// Lengths and counters.
    pub const LEN: u8 = 9;
    /// Elements of arrays (list storage, generator registers, overflow slots).
    pub const ELEM: u8 = 10;
    /// The storage pointer of a list, dict, iterator, generator.
    pub const STORE: u8 = 11;
    /// Elements of tuples: never change.
    pub const TUPLE: u8 = 12;
    /// Contents of cells.
    pub const CELL: u8 = 13;
    /// Entries of dicts.
    pub const DICT: u8 = 14;
    /// Fields of functions and code.
    pub const FUNC: u8 = 15;
}

/// Fields of objects that handlers touch.
pub mod field {
    use super::class;
    use pyrite_machine::Field;
    pub const RANGE_NEXT: Field = Field::word(1, class::LEN);
    pub const RANGE_REMAINING: Field = Field::word(2, class::LEN);
    pub const RANGE_STEP: Field = Field::word(3, class::LEN);
    pub const SEQ_INDEX: Field = Field::word(1, class::LEN);
    pub const SEQ_SEQ: Field = Field::word(3, class::STORE);
    pub const LIST_LEN: Field = Field::word(1, class::LEN);
    pub const LIST_ITEMS: Field = Field::word(3, class::STORE);
    pub const ARRAY_CAP: Field = Field::word(1, class::LEN);
    pub const ARRAY_ELEMS: Field = Field::word(2, class::ELEM);
    pub const TUPLE_LEN: Field = Field::word(1, class::TUPLE);
    pub const TUPLE_ELEMS: Field = Field::word(2, class::TUPLE);
    pub const CELL: Field = Field::word(1, class::CELL);
    pub const GEN_PC: Field = Field::word(1, class::LEN);
    pub const GEN_STATE: Field = Field::word(2, class::LEN);
    pub const GEN_FUNC: Field = Field::word(3, class::STORE);
    pub const GEN_REGS: Field = Field::word(4, class::STORE);
    pub const GEN_HANDLED: Field = Field::word(7, class::STORE);
}

/// What an attribute lookup found.
#[derive(Clone, Copy, Debug)]
pub enum Attr {
    /// A word of the object.
    Slot(Field),
    /// Slot of the overflow array, which is in this field.
    Overflow(Field, usize),
    /// A value on the class that binds nothing.
    Value(Value),
    /// A function on the class: a method.
    Method(Value),
    Miss,
}

/// What storing an attribute takes.
#[derive(Clone, Copy, Debug)]
pub enum AttrStore {
    /// Overwrite a word of the object.
    Slot(Field),
    /// Write a word of the object, then give it this shape.
    Add(Field, u32),
    Miss,
}

/// What is called.
#[derive(Clone, Copy)]
pub enum Callee {
    /// A Python function.
    Function(&'static CodeData),
    /// A class whose instantiation is: allocate by header and words, run this `__init__`.
    Class {
        header: u64,
        words: usize,
        init: Value,
        code: &'static CodeData,
    },
    Other,
}

/// What a returning frame's caller does with the result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub enum Stage {
    /// A plain call: the value goes to the call's destination.
    Call = 0,
    /// `__init__` of an instance being made: the value must be None.
    Init = 1,
    /// A generator resumed by `FOR_ITER`.
    ForIter = 2,
    /// Left to Rust.
    Root = 3,
    /// A generator resumed by Rust.
    RootGen = 4,
    /// A generator resumed by `SEND`.
    Send = 5,
}

impl Stage {
    /// From the number in a return address.
    pub fn from_bits(n: u64) -> Stage {
        match n & 0xFF {
            0 => Stage::Call,
            1 => Stage::Init,
            2 => Stage::ForIter,
            4 => Stage::RootGen,
            5 => Stage::Send,
            _ => Stage::Root,
        }
    }
}

/// Set in a return address when the frame has a frame object to be detached.
pub const FRAME_OBJECT: u64 = 1 << 63;

/// Shape numbers and singletons that handlers compare with.
#[derive(Clone, Copy)]
pub struct Known {
    pub none: Value,
    pub true_: Value,
    pub false_: Value,
    pub list: u32,
    pub tuple: u32,
    pub range_iter: u32,
    pub list_iter: u32,
    pub tuple_iter: u32,
    pub generator: u32,
    pub cell: u32,
}

/// See the module's documentation.
pub trait PyMachine: Core {
    /// Shapes and singletons.
    fn known(&self) -> &'static Known;
    /// Looks up the attribute that inline cache `ic` names on an object known to
    /// be one. An inline cache is the interpreter's implementation of an elidable
    /// lookup on a promoted shape.
    fn attr(&mut self, ic: usize, v: Self::V) -> Attr;
    /// How to store that attribute.
    fn attr_store(&mut self, ic: usize, v: Self::V) -> AttrStore;
    /// The global or builtin that inline cache `ic` names.
    fn global(&mut self, ic: usize) -> Option<Self::V>;
    /// What an object known to be one is, as a callee; functions only in the
    /// interpreter's fast path (`classes` false).
    fn callee(&mut self, f: Self::V, classes: bool) -> Callee;
    /// True if the VM stack has room for a frame of this size above register `window`.
    fn room(&mut self, window: isize, frame_size: u32) -> bool;
    /// Makes the window at register `window` the running frame of `code`; its
    /// locals from `args` on are unset. The function object is in header slot -4
    /// of the new window already.
    fn push_frame(&mut self, window: isize, code: &'static CodeData, args: u32, stage: Stage);
    /// Enters a frame whose registers are in place, at an instruction.
    fn push_frame_at(
        &mut self,
        window: isize,
        code: &'static CodeData,
        pc: *const u64,
        stage: Stage,
    );
    /// Stage of the running frame, and the instruction that started it; `None`
    /// when that must be left to the slow way (return to Rust, watched frame, or
    /// out of a trace's first frame).
    fn peek_return(&mut self) -> Option<(Stage, Ins)>;
    /// Leaves the running frame: its caller's window and instruction pointer
    /// (behind the calling instruction) are in force.
    fn pop_frame(&mut self);
    /// Handles the back-edge of loop `b` whose registers from `a` on are dead.
    fn loop_edge(&mut self, ins: Ins) -> pyrite_machine::Ctl;
    /// The code of the running frame.
    fn code(&mut self) -> &'static CodeData;
    /// The instruction pointer, promoted.
    fn pc(&mut self) -> *const u64;
    /// Code of a function (known to be one), promoted.
    fn function_code(&mut self, f: Self::V) -> &'static CodeData;
    /// The exception being handled in this thread.
    fn handled(&mut self) -> Self::V;
    fn set_handled(&mut self, v: Self::V);
}

/// Field of an object's word, as attribute class.
pub fn slot_field(word: usize) -> Field {
    Field::word(word, class::SLOT)
}
