//! Loaded code: a [`CodeUnit`] turned into what the interpreter runs.

use crate::heap::ToBits;
use crate::layout::{Gc, PyCode, kind};
use crate::vm::Vm;
use pyrite_bytecode::{CodeFlags, CodeUnit, Const, ExceptionEntry, Ins, Pos};
use pyrite_gc::Tracer;
use pyrite_machine::Value;

/// An inline cache. What the fields mean depends on `kind`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Ic {
    /// The name looked up (interned).
    pub name: Value,
    /// Tag of the shape it is valid for, or the globals' keys version.
    pub tag: u32,
    /// What was found; [`ic`] has the values.
    pub kind: u16,
    /// Misses so far: a site that keeps missing stops being filled.
    pub misses: u16,
    /// Word of the object, slot of the overflow array, or entry of the dict.
    pub slot: u32,
    /// Builtins' keys version, or the shape after the store.
    pub extra: u32,
    /// Value found on the class, or receiver-independent result.
    pub value: Value,
}

impl Ic {
    /// A cache that fits nothing.
    pub const EMPTY: Ic = Ic {
        name: Value::NULL,
        tag: 0,
        kind: ic::EMPTY,
        misses: 0,
        slot: 0,
        extra: 0,
        value: Value::NULL,
    };
}

/// Values of [`Ic::kind`].
pub mod ic {
    pub const EMPTY: u16 = 0;
    /// Inline slot: word `slot` of the object.
    pub const SLOT: u16 = 1;
    /// Slot `slot` of the overflow array.
    pub const OVERFLOW: u16 = 2;
    /// A class attribute that is no descriptor: `value`.
    pub const VALUE: u16 = 3;
    /// A function on the class: binds the receiver.
    pub const METHOD: u16 = 4;
    /// A property whose getter is the Python function `value`.
    pub const PROPERTY: u16 = 5;
    /// A store that adds an inline slot: shape becomes `extra`.
    pub const ADD_SLOT: u16 = 6;
    /// Entry `slot` of the globals dict.
    pub const GLOBAL: u16 = 7;
    /// Entry `slot` of the builtins dict.
    pub const BUILTIN: u16 = 8;
    /// Attribute of a module: entry `slot` of its dict, keys version in `extra`.
    pub const MODULE: u16 = 9;
    /// Word `slot` of the object, which may be unset: a member of `__slots__`.
    pub const MEMBER: u16 = 10;
    /// A class method of the object's class: the function `value`.
    pub const CLASS_METHOD: u16 = 11;
    /// Attribute of a class of version `extra`: `value`, which binds nothing.
    pub const TYPE_VALUE: u16 = 12;
    /// Class method of a class of version `extra`: the function `value`.
    pub const TYPE_METHOD: u16 = 13;
    /// What `super()` finds behind the class of version `extra`: the function `value`.
    pub const SUPER: u16 = 14;
    /// A store through a property whose setter is the Python function `value`.
    pub const SETTER: u16 = 15;
}

/// A loop's hot counter and compiled code.
#[repr(C)]
pub struct LoopRec {
    /// First instruction of the loop.
    pub header: *const u64,
    /// Counts down to recording.
    pub counter: i32,
    /// 1 + index of the compiled trace, 0: none, `u32::MAX`: blacklisted.
    pub trace: u32,
}

/// The run-time form of a code unit. Lives as long as the process: code objects
/// share it by pointer and compiled traces name its addresses.
#[repr(C)]
pub struct CodeData {
    /// First instruction.
    pub entry: *const u64,
    /// Constant 0. Below it lie, as raw words, `[-1]` the caches and `[-2]` this structure.
    pub consts: *mut Value,
    /// Registers of one window.
    pub frame_size: u32,
    /// Registers to clear at entry: locals, free and cell variables.
    pub locals: u32,
    /// Positional parameters.
    pub arg_count: u32,
    /// Only positional parameters, and a plain function: the fast call applies.
    pub simple: bool,
    pub flags: CodeFlags,
    /// Counts calls down to recording.
    pub calls: std::cell::Cell<i32>,
    /// 1 + index of the compiled trace of the whole function, 0: none, `u32::MAX`: blacklisted.
    pub trace: u32,
    /// Calls itself, directly or through others.
    pub recursive: bool,
    /// Has a loop: traces call it instead of containing it.
    pub dont_inline: bool,
    pub posonly_count: u32,
    pub kwonly_count: u32,
    pub ics: Box<[Ic]>,
    pub loops: Box<[LoopRec]>,
    pub instrs: Box<[u64]>,
    block: Box<[u64]>,
    pub exceptions: Box<[ExceptionEntry]>,
    pub positions: Box<[Pos]>,
    pub first_line: u32,
    pub has_docstring: bool,
    pub attr_hint: u32,
    /// Interned strings and tuples.
    pub name: Value,
    pub qualname: Value,
    pub filename: Value,
    pub varnames: Value,
    pub names: Value,
    /// Names of cell and free variables, and their registers.
    pub cellvars: Value,
    pub freevars: Value,
    pub cell_regs: Box<[u16]>,
    pub free_regs: Box<[u16]>,
    pub unit: Box<CodeUnit>,
    /// Items that its generators gave to loops of built-in functions.
    pub given: std::cell::Cell<u32>,
    /// Serial number: deterministic for a program.
    pub serial: u32,
}

fn is_plain(flags: CodeFlags) -> bool {
    let special = CodeFlags::GENERATOR
        | CodeFlags::COROUTINE
        | CodeFlags::ASYNC_GENERATOR
        | CodeFlags::NAMESPACE;
    flags.0 & special == 0
}

impl CodeData {
    /// Parameters of all kinds: the first registers of a window.
    pub fn param_count(&self) -> usize {
        let star = |flag: u32| usize::from(self.flags.has(flag));
        (self.arg_count + self.kwonly_count) as usize
            + star(CodeFlags::VARARGS)
            + star(CodeFlags::VARKEYWORDS)
    }

    /// A call runs the body at once, on arguments bound to parameters.
    pub fn is_plain(&self) -> bool {
        is_plain(self.flags)
    }

    /// Visits every reference.
    pub fn trace(&mut self, t: &mut Tracer) {
        for i in 0..self.unit.consts.len() {
            // SAFETY: the block holds that many constants from `consts` on.
            unsafe { t.edge(self.consts.add(i)) };
        }
        for ic in &mut self.ics {
            // SAFETY: plain value words that this structure owns.
            unsafe {
                t.edge(&raw mut ic.name);
                t.edge(&raw mut ic.value);
            }
        }
        for v in [
            &mut self.name,
            &mut self.qualname,
            &mut self.filename,
            &mut self.varnames,
            &mut self.names,
            &mut self.cellvars,
            &mut self.freevars,
        ] {
            // SAFETY: as above.
            unsafe { t.edge(v) };
        }
    }

    /// Index of the instruction at `pc`.
    pub fn index_of(&self, pc: *const u64) -> usize {
        (pc as usize - self.entry as usize) / 8
    }

    /// Source position of instruction `index`.
    pub fn pos(&self, index: usize) -> Pos {
        self.positions.get(index).copied().unwrap_or_default()
    }

    /// Line of instruction `index`, or the first line.
    pub fn line(&self, index: usize) -> u32 {
        let l = self.pos(index).line;
        if l == 0 { self.first_line } else { l }
    }

    /// The handler that covers instruction `index`.
    pub fn handler(&self, index: usize) -> Option<&ExceptionEntry> {
        self.exceptions
            .iter()
            .find(|e| (e.start as usize) <= index && index < e.end as usize)
    }
}

impl Vm {
    /// Loads a unit, and the units among its constants.
    pub fn load_code(&mut self, unit: CodeUnit) -> Value {
        let holder = self.new_list(&[]);
        for c in &unit.consts {
            let v = self.load_const(c);
            self.list_append(holder, v);
        }
        self.load_code_with(unit, holder)
    }

    /// Loads a unit whose constants are the items of the list `consts`, as many
    /// as the unit says it has.
    pub fn load_code_with(&mut self, unit: CodeUnit, consts: Value) -> Value {
        let holder = consts;
        let code = self.alloc::<PyCode>(self.types.code);
        // No allocation on the heap between here and the moment the code object
        // owns the block, so the words cannot go stale.
        let consts = self.list_items(holder).to_vec_bits();
        self.finish_code(unit, &consts, code);
        code.value()
    }

    fn finish_code(&mut self, unit: CodeUnit, consts: &[u64], code: Gc<PyCode>) {
        let mut block = vec![0u64; consts.len() + 2].into_boxed_slice();
        block[2..].copy_from_slice(consts);
        let instrs: Box<[u64]> = unit.instrs.iter().map(|i: &Ins| i.0).collect();
        let entry = instrs.as_ptr();
        // SAFETY: every header index lies within the instructions (the compiler's invariant).
        let threshold = self.loop_threshold;
        let loops = unit
            .loops
            .iter()
            .map(|&h| LoopRec {
                // SAFETY: every header lies within the instructions.
                header: unsafe { entry.add(h as usize) },
                counter: threshold,
                trace: 0,
            })
            .collect();
        self.code_serial += 1;
        let ns = unit.flags.has(CodeFlags::NAMESPACE) as u32;
        let stars = CodeFlags::VARARGS | CodeFlags::VARKEYWORDS;
        let mut data = Box::new(CodeData {
            entry,
            // SAFETY: the block has two words in front of the constants.
            consts: unsafe { block.as_mut_ptr().add(2).cast() },
            frame_size: unit.frame_size,
            locals: registers_of_variables(&unit) + ns,
            arg_count: unit.arg_count,
            simple: unit.kwonly_count == 0 && unit.flags.0 & stars == 0 && is_plain(unit.flags),
            flags: unit.flags,
            calls: std::cell::Cell::new(threshold.saturating_mul(3)),
            trace: 0,
            recursive: false,
            dont_inline: false,
            posonly_count: unit.posonly_count,
            kwonly_count: unit.kwonly_count,
            ics: Box::new([]),
            loops,
            instrs,
            block,
            exceptions: unit.exceptions.clone().into_boxed_slice(),
            positions: unit.positions.clone().into_boxed_slice(),
            first_line: unit.first_line,
            has_docstring: unit.has_docstring,
            attr_hint: unit.attr_hint,
            name: Value::NULL,
            qualname: Value::NULL,
            filename: Value::NULL,
            varnames: Value::NULL,
            names: Value::NULL,
            cellvars: Value::NULL,
            freevars: Value::NULL,
            cell_regs: unit.cellvars.iter().map(|c| c.1).collect(),
            free_regs: unit.freevars.iter().map(|c| c.1).collect(),
            unit: Box::default(),
            given: std::cell::Cell::new(0),
            serial: self.code_serial,
        });
        let n_consts = unit.consts.len();
        let raw: *mut CodeData = &raw mut *data;
        data.block[0] = raw as u64;
        data.unit = Box::new(CodeUnit {
            consts: vec![Const::None; n_consts],
            ..unit
        });
        code.data.set(Box::into_raw(data));
        // SAFETY: just leaked; code data is never freed.
        let data = unsafe { &mut *raw };
        data.ics = data.unit.caches.iter().map(|_| Ic::EMPTY).collect();
        data.block[1] = data.ics.as_mut_ptr() as u64;
        for i in 0..data.ics.len() {
            let name = self.intern(&data.unit.caches[i].name);
            data.ics[i].name = name;
        }
        data.name = self.intern(&data.unit.name);
        data.qualname = self.intern(&data.unit.qualname);
        data.filename = self.intern(&data.unit.filename);
        data.varnames = self.intern_tuple(&data.unit.varnames);
        data.names = self.intern_tuple(&data.unit.names);
        let cells: Vec<String> = data.unit.cellvars.iter().map(|c| c.0.clone()).collect();
        data.cellvars = self.intern_tuple(&cells);
        let frees: Vec<String> = data.unit.freevars.iter().map(|c| c.0.clone()).collect();
        data.freevars = self.intern_tuple(&frees);
        self.write_barrier(code.value());
    }

    fn intern_tuple(&mut self, names: &[String]) -> Value {
        let t = self.new_tuple_uninit(names.len());
        for (i, n) in names.iter().enumerate() {
            let v = self.intern(n);
            self.tuple_init(t, i, v);
        }
        t
    }

    fn load_const(&mut self, c: &Const) -> Value {
        match c {
            Const::None => self.none,
            Const::True => self.true_,
            Const::False => self.false_,
            Const::Ellipsis => self.ellipsis,
            Const::Int(i) => self.new_int(*i),
            Const::BigInt(s) => self.int_from_decimal(s),
            Const::Float(f) => Value::float(*f),
            Const::Complex(re, im) => self.new_complex(*re, *im),
            Const::Str(s) => self.intern_code_points(s),
            Const::Bytes(b) => self.new_bytes(b),
            Const::Tuple(t) => {
                let v = self.new_tuple_uninit(t.len());
                for (i, c) in t.iter().enumerate() {
                    let x = self.load_const(c);
                    self.tuple_init(v, i, x);
                }
                v
            }
            Const::FrozenSet(t) => {
                let s = self.new_set(self.types.frozenset);
                for c in t {
                    let x = self.load_const(c);
                    // Constants are hashable and compare without running Python code.
                    let _ = self.set_add(s, x);
                }
                s
            }
            Const::Code(u) => self.load_code((**u).clone()),
        }
    }

    /// The run-time data of a code object.
    pub fn code_data(&self, code: Value) -> &'static mut CodeData {
        // SAFETY: code data is never freed; one thread at a time holds the VM.
        unsafe { &mut *Gc::<PyCode>::from_value(code).data.get() }
    }
}

const _: () = assert!(kind::CODE == 7);

/// Registers that hold variables: parameters and locals, cells of their own, free variables.
fn registers_of_variables(unit: &CodeUnit) -> u32 {
    let ns = u32::from(unit.flags.has(CodeFlags::NAMESPACE));
    let cells = unit.cellvars.iter().chain(&unit.freevars);
    let last = cells.map(|c| u32::from(c.1) + 1 - ns).max().unwrap_or(0);
    last.max((unit.varnames.len() + unit.freevars.len()) as u32)
}
