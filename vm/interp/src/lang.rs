//! The Python part of the machine: what handlers need beyond [`Core`].

use pyrite_bytecode::{CmpOp, Ins};
use pyrite_machine::{Core, Field, Value};
use pyrite_objects::code::CodeData;
use pyrite_objects::ops::BinOp;

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
    /// 0 or 1, as a value.
    pub const BOOL_INT: Field = Field::word(1, class::TUPLE);
    /// Code points of a `str`, bytes of a `bytes`.
    pub const TEXT_LEN: Field = Field::word(1, class::TUPLE);
    pub const DICT_USED: Field = Field::word(1, class::LEN);
    /// Entries in use in the lower half, the keys version above.
    pub const DICT_FILL: Field = Field::word(2, class::DICT);
    pub const DICT_ENTRIES: Field = Field::word(4, class::DICT);
    /// Keys and values of the entry array; an entry is three words.
    pub const ENTRY_KEY: Field = Field::word(3, class::DICT);
    pub const ENTRY_VALUE: Field = Field::word(4, class::DICT);
    pub const SET_DICT: Field = Field::word(3, class::STORE);
    pub const DICT_ITER_INDEX: Field = Field::word(1, class::LEN);
    pub const DICT_ITER_LEN: Field = Field::word(2, class::LEN);
    pub const DICT_ITER_WHAT: Field = Field::word(3, class::LEN);
    pub const DICT_ITER_DICT: Field = Field::word(4, class::STORE);
    pub const RANGE_START: Field = Field::word(1, class::TUPLE);
    pub const RANGE_STOP: Field = Field::word(2, class::TUPLE);
    pub const RANGE_BY: Field = Field::word(3, class::TUPLE);
    pub const RANGE_LENGTH: Field = Field::word(4, class::TUPLE);
    pub const SLICE_START: Field = Field::word(1, class::TUPLE);
    pub const SLICE_STOP: Field = Field::word(2, class::TUPLE);
    pub const SLICE_STEP: Field = Field::word(3, class::TUPLE);
    pub const METHOD_FUNC: Field = Field::word(1, class::TUPLE);
    pub const METHOD_THIS: Field = Field::word(2, class::TUPLE);
    pub const FUNC_DEFAULTS: Field = Field::word(5, class::FUNC);
    pub const FUNC_KWDEFAULTS: Field = Field::word(6, class::FUNC);
    pub const FUNC_CLOSURE: Field = Field::word(7, class::FUNC);
    pub const GEN_PC: Field = Field::word(1, class::LEN);
    pub const GEN_STATE: Field = Field::word(2, class::LEN);
    pub const GEN_FUNC: Field = Field::word(3, class::STORE);
    pub const GEN_REGS: Field = Field::word(4, class::STORE);
    pub const GEN_HANDLED: Field = Field::word(7, class::STORE);
}

/// What an attribute lookup found.
#[derive(Clone, Copy, Debug)]
pub enum Attr<V> {
    /// A word of the object.
    Slot(Field),
    /// A word of the object that may be unset: a member of `__slots__`.
    Member(Field),
    /// Slot of the overflow array, which is in this field.
    Overflow(Field, usize),
    /// A value on the class that binds nothing.
    Value(Value),
    /// A value read already, from a module.
    Loaded(V),
    /// A function on the class: a method.
    Method(Value),
    /// A function that binds the class, as a class method does.
    ClassMethod(Value, V),
    /// A property with this Python function as its getter.
    Property(Value),
    Miss,
}

/// What storing an attribute takes.
#[derive(Clone, Copy, Debug)]
pub enum AttrStore {
    /// Overwrite a word of the object.
    Slot(Field),
    /// Overwrite a slot of the overflow array, which is in this field.
    Overflow(Field, usize),
    /// Write a word of the object, then give it this shape.
    Add(Field, u32),
    /// Call this Python function: a property's setter.
    Setter(Value),
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
    /// A native function that handlers know.
    Intrinsic(u8),
    /// The class `range`.
    Range,
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
    /// A Python function run by an instruction with destination `a`: an
    /// attribute's getter, an item's.
    Value = 6,
    /// The same, its result dropped: a setter.
    Drop = 7,
    /// A special method of an arithmetic or comparing instruction; what it does
    /// not implement is left to the other operand.
    Binary = 8,
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
            6 => Stage::Value,
            7 => Stage::Drop,
            8 => Stage::Binary,
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
    pub not_implemented: Value,
    pub empty_tuple: Value,
    /// Storage arrays.
    pub array: u32,
    pub list: u32,
    pub tuple: u32,
    pub dict: u32,
    pub set: u32,
    pub frozenset: u32,
    pub bool_: u32,
    pub str_: u32,
    pub bytes: u32,
    pub range: u32,
    pub slice: u32,
    pub range_iter: u32,
    pub list_iter: u32,
    pub tuple_iter: u32,
    pub str_ascii_iter: u32,
    pub dict_key_iter: u32,
    pub dict_value_iter: u32,
    pub dict_item_iter: u32,
    pub generator: u32,
    pub cell: u32,
    pub method: u32,
    pub native_method: u32,
    pub slot_wrapper: u32,
    pub method_wrapper: u32,
}

/// See the module's documentation.
pub trait PyMachine: Core {
    /// Shapes and singletons.
    fn known(&self) -> &'static Known;
    /// Looks up the attribute that inline cache `ic` names on an object known to
    /// be one. An inline cache is the interpreter's implementation of an elidable
    /// lookup on a promoted shape. Unless `full`, a miss of the cache is a miss.
    fn attr(&mut self, ic: usize, v: Self::V, full: bool) -> Attr<Self::V>;
    /// How to store that attribute.
    fn attr_store(&mut self, ic: usize, v: Self::V, full: bool) -> AttrStore;
    /// The function that `super(class, this)` finds for the name of cache `ic`, if
    /// it is one that binds `this`; both are objects.
    fn super_method(&mut self, ic: usize, class: Self::V, this: Self::V) -> Option<Value>;
    /// The Python function with which `x op y` begins, given as (x, y).
    fn binary_method(&mut self, op: BinOp, inplace: bool, x: Self::V, y: Self::V) -> Option<Value>;
    /// The Python function with which a comparison begins, given as (x, y).
    fn compare_method(&mut self, op: CmpOp, x: Self::V, y: Self::V) -> Option<Value>;
    /// The special method of `x` for items, if it is a Python function.
    fn item_method(&mut self, x: Self::V, store: bool) -> Option<Value>;
    /// True if the class of an object leaves its truth to its being there.
    fn always_true(&mut self, v: Self::V) -> bool;
    /// `isinstance(v, class)`, if the classes alone decide it.
    fn isinstance(&mut self, v: Self::V, class: Self::V) -> Option<bool>;
    /// 1 if two strings are equal, else 0.
    fn str_eq(&mut self, a: Self::V, b: Self::V) -> Self::I;
    /// Character of a string by index (from the end, if negative); null if the
    /// general way must make it.
    fn str_char(&mut self, s: Self::V, i: Self::I) -> Self::V;
    /// `item in c` for a built-in container and an `int` or `str`: 1 or 0, or -1
    /// if the general way must tell.
    fn contains(&mut self, c: Self::V, item: Self::V) -> Self::I;
    /// The value of a dict's `int` or `str` key; null if the general way must look.
    fn dict_find(&mut self, d: Self::V, key: Self::V) -> Self::V;
    /// Entry of such a key in a dict that nothing compiled depends on; -1 if the
    /// general way must store.
    fn dict_place(&mut self, d: Self::V, key: Self::V) -> Self::I;
    /// Overwrites the value in that entry.
    fn dict_put(&mut self, d: Self::V, entry: Self::I, v: Self::V);
    /// Tells the collector of a store to come, for which `store_blocked` was true.
    fn unblock(&mut self, p: Self::V);
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
    /// May a generator of this code be resumed in a window of the running frame?
    /// (A trace contains a few levels of a recursive one.)
    fn may_resume(&mut self, code: &'static CodeData) -> bool;
    /// The exception being handled in this thread.
    fn handled(&mut self) -> Self::V;
    fn set_handled(&mut self, v: Self::V);
}

/// Field of an object's word, as attribute class.
pub fn slot_field(word: usize) -> Field {
    Field::word(word, class::SLOT)
}
