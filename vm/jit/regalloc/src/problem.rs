//! What the allocator is told: values, what each instruction does to them, and the loop.

use std::fmt;

/// A value of the trace, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(pub u32);

impl Value {
    #[inline]
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Which kind of register a value needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// General purpose, 64 bits.
    Gpr,
    /// Floating point; only the low double counts.
    Xmm,
}

/// A machine register: 0 to 15 general purpose, 16 to 31 floating point.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reg(u8);

impl Reg {
    /// General purpose register `n` of 16.
    #[must_use]
    #[inline]
    pub const fn gpr(n: u8) -> Self {
        assert!(n < 16, "there are 16 general purpose registers");
        Self(n)
    }

    /// Floating-point register `n` of 16.
    #[must_use]
    #[inline]
    pub const fn xmm(n: u8) -> Self {
        assert!(n < 16, "there are 16 floating-point registers");
        Self(n + 16)
    }

    /// Its number within its class.
    #[must_use]
    #[inline]
    pub const fn number(self) -> u8 {
        self.0 & 15
    }

    /// The register of this number among those of both classes.
    #[inline]
    pub(crate) const fn numbered(n: u32) -> Self {
        Self(n as u8)
    }

    /// Its number among the registers of both classes.
    #[inline]
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }

    /// Its class.
    #[must_use]
    #[inline]
    pub const fn class(self) -> Class {
        if self.0 < 16 { Class::Gpr } else { Class::Xmm }
    }
}

impl fmt::Debug for Reg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.class() {
            Class::Gpr => write!(f, "r{}", self.number()),
            Class::Xmm => write!(f, "x{}", self.number()),
        }
    }
}

/// A set of registers of both classes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct RegSet(u32);

impl RegSet {
    /// No register.
    pub const EMPTY: Self = Self(0);

    /// The registers listed.
    #[must_use]
    #[inline]
    pub const fn of(regs: &[Reg]) -> Self {
        let mut set = 0;
        let mut i = 0;
        while i < regs.len() {
            set |= 1 << regs[i].0;
            i += 1;
        }
        Self(set)
    }

    /// True when `reg` is in it.
    #[must_use]
    #[inline]
    pub const fn contains(self, reg: Reg) -> bool {
        self.0 >> reg.0 & 1 != 0
    }

    /// True when nothing is in it.
    #[must_use]
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Members of either.
    #[must_use]
    #[inline]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Members of both.
    #[must_use]
    #[inline]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Members of this one only.
    #[must_use]
    #[inline]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Adds `reg`.
    #[inline]
    pub fn insert(&mut self, reg: Reg) {
        self.0 |= 1 << reg.0;
    }

    /// Takes `reg` out.
    #[inline]
    pub fn remove(&mut self, reg: Reg) {
        self.0 &= !(1 << reg.0);
    }

    /// Members in ascending order.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = Reg> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let n = left.trailing_zeros() as u8;
            left &= left.checked_sub(1)?;
            Some(Reg(n))
        })
    }

    /// One bit per register: bits 0 to 15 general purpose, 16 to 31 floating point.
    #[must_use]
    #[inline]
    pub const fn bits(self) -> u32 {
        self.0
    }
}

impl fmt::Debug for RegSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// Where a value lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Loc {
    /// Nowhere: nobody reads it.
    None,
    /// In a register.
    Reg(Reg),
    /// In spill slot `n`, 8 bytes each, counted from 0.
    Spill(u32),
}

/// A wish, granted when it costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hint {
    /// None.
    #[default]
    Any,
    /// This register.
    Reg(Reg),
    /// The place of an earlier value.
    Same(Value),
}

/// One mention of a value by an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// The value.
    pub value: Value,
    /// It is still read after the instruction's result was written, or after registers were destroyed.
    pub late: bool,
    /// Only the cold way out reads it, so a slot is as good as a register.
    pub exit: bool,
}

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inst {
    /// Its uses, as a range of [`Problem::uses`].
    pub uses: std::ops::Range<u32>,
    /// The value it defines.
    pub def: Option<Value>,
    /// Registers whose contents it destroys, after early uses and before late ones.
    pub clobbers: RegSet,
}

/// A loop-carried value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phi {
    /// The value as the body sees it.
    pub value: Value,
    /// What it is on entry; `None`: a constant.
    pub entry: Option<Value>,
    /// What it becomes at the back edge; `None`: a constant.
    pub back: Option<Value>,
}

/// The loop at the end of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loop {
    /// Index of the instruction that defines the phis.
    pub head: u32,
    /// Index of the jump back, the last instruction.
    pub back: u32,
    /// Loop-carried values, moved all at once at both edges.
    pub phis: Vec<Phi>,
}

/// A trace as the allocator sees it. SSA: each value has one definition, before its uses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problem {
    /// Class of each value.
    pub classes: Vec<Class>,
    /// Wish of each value.
    pub hints: Vec<Hint>,
    /// Values that exist before the first instruction.
    pub entry: Vec<Value>,
    /// Instructions in order.
    pub insts: Vec<Inst>,
    /// Uses of all instructions.
    pub uses: Vec<Use>,
    /// The loop, if there is one.
    pub looped: Option<Loop>,
}

impl Problem {
    /// Adds a value.
    pub fn value(&mut self, class: Class, hint: Hint) -> Value {
        self.classes.push(class);
        self.hints.push(hint);
        Value(self.classes.len() as u32 - 1)
    }

    /// Adds an instruction and returns its index.
    pub fn inst(&mut self, uses: &[Use], def: Option<Value>, clobbers: RegSet) -> u32 {
        let start = self.uses.len() as u32;
        self.uses.extend_from_slice(uses);
        self.insts.push(Inst {
            uses: start..self.uses.len() as u32,
            def,
            clobbers,
        });
        self.insts.len() as u32 - 1
    }

    /// Uses of one instruction.
    #[must_use]
    pub fn uses_of(&self, inst: &Inst) -> &[Use] {
        &self.uses[inst.uses.start as usize..inst.uses.end as usize]
    }
}
