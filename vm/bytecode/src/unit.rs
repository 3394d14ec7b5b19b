//! A compiled code block as plain data.

use crate::Ins;

/// What the compiler makes of a module, class body, function, lambda,
/// comprehension or generator expression.
///
/// Registers: parameters first in CPython's order (positional-only, positional,
/// keyword-only, `*args`, `**kwargs`), then the other locals, then temporaries.
/// Register `i < varnames.len()` is the local `varnames[i]`; a local that is also
/// a cell variable holds its cell (made by `MAKE_CELL` at the start). Free
/// variables get registers of their own behind the locals, filled from the
/// closure by `LOAD_CLOSURE` at the start. Code that runs in a namespace (module,
/// class body, `exec`, `eval`) finds the namespace in register 0, which then is
/// the hidden local `.ns` and not listed in `varnames`: there, register `i + 1`
/// belongs to `varnames[i]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CodeUnit {
    pub name: String,
    pub qualname: String,
    pub filename: String,
    pub first_line: u32,
    /// Positional parameters, positional-only ones included.
    pub arg_count: u32,
    pub posonly_count: u32,
    pub kwonly_count: u32,
    pub flags: CodeFlags,
    /// Registers of one window, without the header below it.
    pub frame_size: u32,
    pub varnames: Vec<String>,
    /// Names of cell variables and the register that holds each cell.
    pub cellvars: Vec<(String, u16)>,
    /// Names of free variables and the register that holds each cell.
    pub freevars: Vec<(String, u16)>,
    /// Names in `co_names`, for introspection.
    pub names: Vec<String>,
    pub instrs: Vec<Ins>,
    pub consts: Vec<Const>,
    pub caches: Vec<IcInit>,
    /// Instruction index of each loop's header.
    pub loops: Vec<u32>,
    /// Innermost first: the first entry that covers an instruction counts.
    pub exceptions: Vec<ExceptionEntry>,
    /// One position per instruction.
    pub positions: Vec<Pos>,
    /// Docstring is constant 0 (`co_consts[0]`), as in CPython; else that is None.
    pub has_docstring: bool,
    /// For a class body: how many different `self.NAME = ...` targets its
    /// methods assign; instances start with room for so many attributes.
    pub attr_hint: u32,
}

/// CPython's `co_flags` bits (same values), and `NAMESPACE` of our own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodeFlags(pub u32);

impl CodeFlags {
    pub const OPTIMIZED: u32 = 0x1;
    pub const NEWLOCALS: u32 = 0x2;
    pub const VARARGS: u32 = 0x4;
    pub const VARKEYWORDS: u32 = 0x8;
    pub const NESTED: u32 = 0x10;
    pub const GENERATOR: u32 = 0x20;
    pub const COROUTINE: u32 = 0x80;
    pub const ITERABLE_COROUTINE: u32 = 0x100;
    pub const ASYNC_GENERATOR: u32 = 0x200;
    pub const FUTURE_ANNOTATIONS: u32 = 0x100_0000;
    /// No frame object, no traceback and no event shows its frames.
    pub const HIDDEN: u32 = 0x4000_0000;
    /// Register 0 holds a namespace (module, class body, exec, eval).
    pub const NAMESPACE: u32 = 0x8000_0000;

    /// True if every bit of `bits` is set.
    pub fn has(self, bits: u32) -> bool {
        self.0 & bits == bits
    }
}

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Const {
    None,
    True,
    False,
    Ellipsis,
    Int(i64),
    /// Decimal digits with an optional minus sign, for what no `i64` holds.
    BigInt(String),
    Float(f64),
    Complex(f64, f64),
    /// Code points; lone surrogates are allowed.
    Str(StrConst),
    Bytes(Vec<u8>),
    Tuple(Vec<Const>),
    FrozenSet(Vec<Const>),
    Code(Box<CodeUnit>),
}

/// Text as code points; may hold lone surrogates.
pub type StrConst = Vec<u32>;

/// Initial content of an inline cache: the name it looks up.
#[derive(Clone, Debug, PartialEq)]
pub struct IcInit {
    pub name: String,
}

/// An exception in instructions `start .. end` goes to `target` with the
/// exception in register `reg`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExceptionEntry {
    pub start: u32,
    pub end: u32,
    pub target: u32,
    pub reg: u16,
    /// The instruction pointer that a traceback shows stays that of the
    /// re-raised exception (CPython's `lasti` flag: cleanup handlers).
    pub lasti: bool,
}

/// Source range of an instruction. Lines from 1 (0: none), columns in UTF-8
/// bytes from 0 ([`Pos::NO_COLUMN`]: unknown).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pos {
    pub line: u32,
    pub end_line: u32,
    pub col: u16,
    pub end_col: u16,
}

impl Pos {
    /// A column that is unknown, or beyond what the field can hold.
    pub const NO_COLUMN: u16 = u16::MAX;

    /// The first line alone.
    fn line_only(self) -> Pos {
        Pos {
            end_line: self.line,
            col: Pos::NO_COLUMN,
            end_col: Pos::NO_COLUMN,
            ..self
        }
    }
}

impl CodeUnit {
    /// Forgets the columns of this code and of the code among its constants.
    pub fn keep_lines_only(&mut self) {
        for p in &mut self.positions {
            *p = p.line_only();
        }
        for c in &mut self.consts {
            if let Const::Code(u) = c {
                u.keep_lines_only();
            }
        }
    }
}
