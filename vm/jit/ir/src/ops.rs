//! The op table: one row per op with its text name, operands, immediates, result and kind.
//!
//! Reading a row: `IAddOvf "iadd_ovf" (Int, Int) [] -> Int PureGuard` is an op of two `Int` operands
//! (`a`, `b` of [`crate::Op`]) without immediates, whose result is an `Int`, and which leaves the
//! trace when there is no result. Immediates live in `imm`, `class`, `list` or the constant operand
//! named by [`Imm`].

use crate::effects::AliasClass;
use crate::snapshot::Width;
use crate::types::Ty;

/// What an op is to the passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A value from outside: VM-stack slot, inherited value, phi.
    Input,
    /// The result depends on the operands only; nothing else happens.
    Pure,
    /// Like `Pure`, but leaves the trace when there is no result (overflow, out of range). The test
    /// protects only the result, so an unused one may be dropped.
    PureGuard,
    /// Leaves the trace unless the tested condition has the expected truth. No result.
    Guard,
    /// Reads memory.
    Load,
    /// Writes memory.
    Store,
    /// Makes an object; its stores must follow before anything can look at it.
    Alloc,
    /// Tells the collector that an object was written.
    Barrier,
    /// Calls a function; effects are in the call table.
    Call,
    /// Loop header, jump, link, exit.
    Control,
}

/// An immediate of an op, in text order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imm {
    /// `imm`: VM-stack slot relative to the trace's window base; negative below it.
    Slot,
    /// `imm`: index into the parent exit's live values; the result's type is printed with it.
    Param,
    /// `imm`: shape id (bits of a u32).
    Shape,
    /// `imm`: byte offset from the object or the VM state.
    Offset,
    /// `class`: alias class.
    Class,
    /// `imm`: object size in words, header included; operand `a`: the header as an `Int` constant.
    Object,
    /// `imm`: row of the call table; `list`: arguments.
    Call,
    /// `list`: the next values of the phis.
    Phis,
    /// `imm`: a root trace.
    Root,
}

/// How a load or store forms its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `a + imm`.
    Field,
    /// `a + imm + b * width`.
    Elem,
    /// `vm state + imm`.
    Vm,
    /// VM-stack slot `imm`.
    Slot,
}

/// A memory access of a load or store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    pub place: Place,
    pub width: Width,
    /// The class, where the op itself fixes it; else the op's `class` field counts.
    pub class: Option<AliasClass>,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct OpInfo {
    pub name: &'static str,
    /// Types of operands `a`, `b`, `c`.
    pub operands: &'static [Ty],
    pub imms: &'static [Imm],
    /// Result type; `None` where each op has its own (`param`, `phi`, `call`).
    pub result: Option<Ty>,
    pub kind: Kind,
    /// For loads and stores.
    pub access: Option<Access>,
    /// May operands `a` and `b` be exchanged?
    pub commutes: bool,
}

macro_rules! result {
    (Any) => {
        None
    };
    ($ty:ident) => {
        Some(Ty::$ty)
    };
}

macro_rules! access {
    () => {
        None
    };
    ($place:ident, $width:ident) => {
        Some(Access {
            place: Place::$place,
            width: Width::$width,
            class: None,
        })
    };
    ($place:ident, $width:ident, $class:ident) => {
        Some(Access {
            place: Place::$place,
            width: Width::$width,
            class: Some(AliasClass::$class),
        })
    };
}

macro_rules! commutes {
    () => {
        false
    };
    (commutes) => {
        true
    };
}

macro_rules! trace_ops {
    ($($(#[$doc:meta])* $op:ident $name:literal ($($operand:ident),*) [$($imm:ident),*] -> $result:ident
        $kind:ident $(($($access:ident),*))? $([$commutes:ident])?;)*) => {
        /// The operations of the trace IR. The row of each is [`OpCode::info`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum OpCode { $($(#[$doc])* $op,)* }

        const TABLE: &[OpInfo] = &[$(OpInfo {
            name: $name,
            operands: &[$(Ty::$operand),*],
            imms: &[$(Imm::$imm),*],
            result: result!($result),
            kind: Kind::$kind,
            access: access!($($($access),*)?),
            commutes: commutes!($($commutes)?),
        }),*];

        /// The column that is read most, apart from the others to stay in the cache.
        const KINDS: &[Kind] = &[$(Kind::$kind),*];

        impl OpCode {
            /// All ops, in table order.
            pub const ALL: &'static [OpCode] = &[$(OpCode::$op),*];
        }
    };
}

trace_ops! {
    // Inputs.
    /// The VM-stack slot `imm`, read where the op stands.
    Slot "slot" () [Slot] -> Val Input;
    /// A value inherited from the parent trace's exit.
    Param "param" () [Param] -> Any Input;
    /// Loop-carried value: operand `a` first, then the matching value of `jump`.
    Phi "phi" () [] -> Any Input;

    // Guards. `Op::expect` is the truth that lets the trace go on.
    IsInt "is_int" (Val) [] -> Unit Guard;
    IsFlt "is_flt" (Val) [] -> Unit Guard;
    /// An object reference; null is none.
    IsPtr "is_ptr" (Val) [] -> Unit Guard;
    /// The word is not 0.
    NonNull "nonnull" (Val) [] -> Unit Guard;
    /// The object (known not to be null) has shape `imm`: the u32 at `a + 4`.
    Shape "shape" (Val) [Shape] -> Unit Guard;
    /// The two words are equal.
    Same "same" (Val, Val) [] -> Unit Guard [commutes];
    ILt "ilt" (Int, Int) [] -> Unit Guard;
    ILe "ile" (Int, Int) [] -> Unit Guard;
    IEq "ieq" (Int, Int) [] -> Unit Guard [commutes];
    /// Unsigned less-than, for bounds checks.
    ULt "ult" (Int, Int) [] -> Unit Guard;
    FLt "flt" (Flt, Flt) [] -> Unit Guard;
    FLe "fle" (Flt, Flt) [] -> Unit Guard;
    FEq "feq" (Flt, Flt) [] -> Unit Guard [commutes];
    /// The byte of the VM state at `imm` is 0. Read anew each time.
    Poll "poll" () [Offset] -> Unit Guard;
    /// What the trace assumes about the world still holds. Never fails until the trace is
    /// invalidated, which patches it.
    Valid "valid" () [] -> Unit Guard;

    // Boxing.
    /// The int of a word known to be a small int.
    UnboxInt "unbox_int" (Val) [] -> Int Pure;
    /// The double of a word known to be one.
    UnboxFlt "unbox_flt" (Val) [] -> Flt Pure;
    /// The word of an int; leaves the trace outside 50 bits.
    BoxInt "box_int" (Int) [] -> Val PureGuard;
    /// The word of a double; a NaN gets the one payload, its sign is kept.
    BoxFlt "box_flt" (Flt) [] -> Val Pure;

    // Arithmetic.
    /// Nearest double.
    I2F "i2f" (Int) [] -> Flt Pure;
    /// Towards zero; leaves the trace for NaN and outside 64 bits.
    F2I "f2i" (Flt) [] -> Int PureGuard;
    IAddOvf "iadd_ovf" (Int, Int) [] -> Int PureGuard [commutes];
    ISubOvf "isub_ovf" (Int, Int) [] -> Int PureGuard;
    IMulOvf "imul_ovf" (Int, Int) [] -> Int PureGuard [commutes];
    /// Wrapping.
    IAdd "iadd" (Int, Int) [] -> Int Pure [commutes];
    /// Wrapping.
    ISub "isub" (Int, Int) [] -> Int Pure;
    /// Wrapping.
    IMul "imul" (Int, Int) [] -> Int Pure [commutes];
    IAnd "iand" (Int, Int) [] -> Int Pure [commutes];
    IOr "ior" (Int, Int) [] -> Int Pure [commutes];
    IXor "ixor" (Int, Int) [] -> Int Pure [commutes];
    /// Shift by the low 6 bits of `b`; bits fall off.
    IShl "ishl" (Int, Int) [] -> Int Pure;
    /// Arithmetic shift by the low 6 bits of `b`.
    IShr "ishr" (Int, Int) [] -> Int Pure;
    /// Floor division. The divisor is known to be neither 0 nor -1.
    IDiv "idiv" (Int, Int) [] -> Int Pure;
    /// Remainder with the divisor's sign. The divisor is known to be neither 0 nor -1.
    IMod "imod" (Int, Int) [] -> Int Pure;
    FAdd "fadd" (Flt, Flt) [] -> Flt Pure [commutes];
    FSub "fsub" (Flt, Flt) [] -> Flt Pure;
    FMul "fmul" (Flt, Flt) [] -> Flt Pure [commutes];
    FDiv "fdiv" (Flt, Flt) [] -> Flt Pure;
    FNeg "fneg" (Flt) [] -> Flt Pure;
    FAbs "fabs" (Flt) [] -> Flt Pure;
    FSqrt "fsqrt" (Flt) [] -> Flt Pure;
    /// Largest integral double not above.
    FFloor "ffloor" (Flt) [] -> Flt Pure;

    // Memory. Accesses are aligned to their width.
    LdVal "ld_val" (Val) [Offset, Class] -> Val Load (Field, Val);
    LdI64 "ld_i64" (Val) [Offset, Class] -> Int Load (Field, I64);
    LdU32 "ld_u32" (Val) [Offset, Class] -> Int Load (Field, U32);
    LdU8 "ld_u8" (Val) [Offset, Class] -> Int Load (Field, U8);
    /// The shape id of an object.
    LdShape "ld_shape" (Val) [] -> Int Load (Field, U32, SHAPE);
    LdElem "ld_elem" (Val, Int) [Offset, Class] -> Val Load (Elem, Val);
    LdElemI64 "ld_elem_i64" (Val, Int) [Offset, Class] -> Int Load (Elem, I64);
    LdElemU32 "ld_elem_u32" (Val, Int) [Offset, Class] -> Int Load (Elem, U32);
    LdElemU16 "ld_elem_u16" (Val, Int) [Offset, Class] -> Int Load (Elem, U16);
    LdElemU8 "ld_elem_u8" (Val, Int) [Offset, Class] -> Int Load (Elem, U8);
    /// A word of the VM state.
    LdVm "ld_vm" () [Offset] -> Val Load (Vm, Val, VM);
    StVal "st_val" (Val, Val) [Offset, Class] -> Unit Store (Field, Val);
    StI64 "st_i64" (Val, Int) [Offset, Class] -> Unit Store (Field, I64);
    StU32 "st_u32" (Val, Int) [Offset, Class] -> Unit Store (Field, U32);
    StU8 "st_u8" (Val, Int) [Offset, Class] -> Unit Store (Field, U8);
    /// Gives the object the shape `imm`, leaving the lower half of its header alone.
    StShape "st_shape" (Val) [Shape] -> Unit Store (Field, U32, SHAPE);
    StElem "st_elem" (Val, Int, Val) [Offset, Class] -> Unit Store (Elem, Val);
    StElemI64 "st_elem_i64" (Val, Int, Int) [Offset, Class] -> Unit Store (Elem, I64);
    StElemU8 "st_elem_u8" (Val, Int, Int) [Offset, Class] -> Unit Store (Elem, U8);
    StVm "st_vm" (Val) [Offset] -> Unit Store (Vm, Val, VM);
    StSlot "st_slot" (Val) [Slot] -> Unit Store (Slot, Val, STACK);
    /// `a` was written; the value written was `b`. The store comes first.
    Barrier "barrier" (Val, Val) [] -> Unit Barrier;
    /// A new object: header constant, size in words. Its other words hold anything until the
    /// stores that follow fill them all.
    New "new" () [Object] -> Val Alloc;

    // Calls and control.
    Call "call" () [Call] -> Any Call;
    /// Loop header; the phis follow it.
    Loop "loop" () [] -> Unit Control;
    /// Back to `loop`.
    Jump "jump" () [Phis] -> Unit Control;
    /// On with the entry of a root trace; the VM-stack slots are up to date.
    Link "link" () [Root] -> Unit Control;
    /// Leaves by its snapshot, always.
    Exit "exit" () [] -> Unit Control;
    /// The frame the trace runs in is done; hands `a` to whoever entered. Nothing is written back.
    Ret "ret" (Val) [] -> Unit Control;
}

impl OpCode {
    /// The op's row in the table.
    #[must_use]
    #[inline]
    pub fn info(self) -> &'static OpInfo {
        &TABLE[self as usize]
    }

    /// The op with this text name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<OpCode> {
        OpCode::ALL
            .iter()
            .copied()
            .find(|op| op.info().name == name)
    }

    /// What the op is to the passes: [`OpInfo::kind`] of its row.
    #[must_use]
    #[inline]
    pub fn kind(self) -> Kind {
        KINDS[self as usize]
    }

    /// Does the op leave the trace when something does not hold, hence needs a snapshot?
    #[must_use]
    #[inline]
    pub fn is_guard(self) -> bool {
        matches!(self.kind(), Kind::Guard | Kind::PureGuard)
    }

    /// Does the op end the trace?
    #[must_use]
    #[inline]
    pub fn is_terminator(self) -> bool {
        matches!(
            self,
            OpCode::Jump | OpCode::Link | OpCode::Exit | OpCode::Ret
        )
    }

    /// Is the result a function of the operands alone (whether or not there always is one)?
    #[must_use]
    #[inline]
    pub fn is_pure(self) -> bool {
        matches!(self.kind(), Kind::Pure | Kind::PureGuard)
    }

    /// Which operand of a store is the stored value: 1 for fields, 2 for elements, 0 without a base.
    #[must_use]
    #[inline]
    pub fn stored_operand(self) -> Option<usize> {
        match (self.kind(), self.info().access?.place) {
            _ if self == OpCode::StShape => None,
            (Kind::Store, Place::Field) => Some(1),
            (Kind::Store, Place::Elem) => Some(2),
            (Kind::Store, Place::Vm | Place::Slot) => Some(0),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for &op in OpCode::ALL {
            assert_eq!(OpCode::from_name(op.info().name), Some(op));
            assert_eq!(OpCode::ALL[op as usize], op);
        }
    }

    #[test]
    fn accesses_belong_to_loads_and_stores() {
        for &op in OpCode::ALL {
            let info = op.info();
            assert_eq!(
                info.access.is_some(),
                matches!(info.kind, Kind::Load | Kind::Store),
                "{}",
                info.name
            );
            assert!(
                !info.commutes || info.operands.len() == 2 && info.operands[0] == info.operands[1]
            );
        }
    }
}
