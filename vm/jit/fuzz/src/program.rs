//! Programs of a tiny register language that exercises the trace IR, and their generator.
//!
//! A program is one loop over a window of slots (slot 0 counts the turns down) and one small function
//! that it may call in a window of its own. Instructions do something defined for every kind of
//! operand, so that any sequence is a program.

use crate::rng::Rng;

/// Slots of the loop's window; slot 0 is the turn counter.
pub const SLOTS: u8 = 8;
/// Slots of the function's window.
pub const CALLEE_SLOTS: u8 = 4;
/// Where the function's window begins.
pub const CALLEE_BASE: i32 = 12;
/// Positions of the function's code.
pub const CALLEE_PC: u64 = 1000;

/// A register of the current window.
pub type Reg = u8;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Konst {
    Null,
    Int(i64),
    Flt(f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arith {
    Add,
    Sub,
    Mul,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    Lt,
    Le,
    Eq,
}

/// One instruction; jumps skip the given number of instructions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ins {
    /// Position 0: leave when slot 0 is not above 0, else count it down.
    Header,
    Const(Reg, Konst),
    Move(Reg, Reg),
    Arith(Arith, Reg, Reg, Reg),
    /// Floor quotient (`true`) or remainder by a constant.
    Divide(bool, Reg, Reg, i64),
    /// and, or, xor, shift right by the low bits.
    Bits(u8, Reg, Reg, Reg),
    Negate(Reg, Reg),
    SkipIf(Compare, Reg, Reg, u8),
    SkipIfNull(Reg, u8),
    SkipIfSame(Reg, Reg, u8),
    SkipIfShape(Reg, u32, u8),
    /// New object of a shape with two value fields.
    New(Reg, u32, Reg, Reg),
    Get(Reg, Reg, u8),
    Set(Reg, u8, Reg),
    /// The object's raw integer field.
    GetRaw(Reg, Reg),
    SetRaw(Reg, Reg),
    SetShape(Reg, u32),
    NewArray(Reg, u8, Reg),
    GetElem(Reg, Reg, Reg),
    SetElem(Reg, Reg, Reg),
    /// Calls the function with one argument.
    Call(Reg, Reg),
    Return(Reg),
    /// Residual function number, destination, argument.
    Residual(u8, Reg, Reg),
    /// Writes all slots to the VM stack.
    Flush,
    /// Back to position 0.
    Back,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    pub turns: i64,
    pub body: Vec<Ins>,
    pub callee: Vec<Ins>,
    /// Starting values of slots 1 and up; objects by kind.
    pub init: Vec<Start>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Start {
    Konst(Konst),
    Object(u32),
    Array(u8),
    /// The same object as an earlier slot.
    Alias(usize),
}

/// Shapes of objects in programs.
pub const SHAPES: [u32; 2] = [0x100, 0x200];
/// Shape of arrays.
pub const ARRAY: u32 = 0x300;
/// Shape of ints outside 50 bits.
pub const HEAP_INT: u32 = 0x400;

impl Program {
    /// The program of a seed.
    #[must_use]
    pub fn random(seed: u64) -> Program {
        let mut rng = Rng::new(seed);
        let len = 3 + rng.below(14);
        let mut body = vec![Ins::Header];
        for _ in 0..len {
            if rng.chance(15) {
                body.extend(alternation(&mut rng));
            }
            body.push(instruction(&mut rng, SLOTS, true));
        }
        body.push(Ins::Back);
        let mut callee: Vec<Ins> = (0..1 + rng.below(4))
            .map(|_| instruction(&mut rng, CALLEE_SLOTS, false))
            .collect();
        callee.push(Ins::Return(rng.below(CALLEE_SLOTS.into()) as u8));
        let mut init = Vec::new();
        for i in 0..usize::from(SLOTS) - 1 {
            init.push(match rng.below(10) {
                0..=3 => Start::Konst(konst(&mut rng)),
                4..=6 => Start::Object(rng.pick(&SHAPES)),
                7 => Start::Array(1 + rng.below(4) as u8),
                _ if i > 0 => Start::Alias(rng.below(i)),
                _ => Start::Konst(Konst::Int(3)),
            });
        }
        Program {
            turns: 8 + rng.below(50) as i64,
            body,
            callee,
            init,
        }
    }

    /// The instruction at a position.
    #[must_use]
    pub fn at(&self, pc: u64) -> Ins {
        let code = if pc >= CALLEE_PC {
            &self.callee
        } else {
            &self.body
        };
        code[(pc % CALLEE_PC) as usize]
    }

    /// How far forward a jump from `pc` may go: to the last instruction of its code.
    #[must_use]
    pub fn skip(&self, pc: u64, count: u8) -> u64 {
        let code = if pc >= CALLEE_PC {
            &self.callee
        } else {
            &self.body
        };
        let last = code.len() as u64 - 1 + pc / CALLEE_PC * CALLEE_PC;
        (pc + 1 + u64::from(count)).min(last)
    }
}

/// A branch that goes another way every few turns; what it jumps over may change types.
fn alternation(rng: &mut Rng) -> [Ins; 4] {
    let (d, s) = (1 + rng.below(3) as u8, 4 + rng.below(4) as u8);
    let every = rng.pick(&[2, 3, 4]);
    [
        Ins::Divide(false, d, 0, every),
        Ins::Const(s, Konst::Int(0)),
        Ins::SkipIf(Compare::Eq, d, s, 1 + rng.below(3) as u8),
        instruction(rng, SLOTS, true),
    ]
}

fn konst(rng: &mut Rng) -> Konst {
    match rng.below(8) {
        0 => Konst::Null,
        1 | 2 => Konst::Flt(rng.pick(&[0.0, -0.0, 1.0, 1.5, -2.25, 1e300, f64::INFINITY])),
        3 => Konst::Int(rng.pick(&[(1 << 49) - 1, -(1 << 49), 1 << 48, i64::MAX >> 3])),
        _ => Konst::Int(rng.below(9) as i64 - 3),
    }
}

fn instruction(rng: &mut Rng, slots: u8, main: bool) -> Ins {
    let any = |rng: &mut Rng| rng.below(slots.into()) as Reg;
    // The loop's slot 0 is never written.
    let dst = |rng: &mut Rng| {
        if main {
            1 + rng.below(usize::from(slots) - 1) as Reg
        } else {
            rng.below(slots.into()) as Reg
        }
    };
    let skip = |rng: &mut Rng| 1 + rng.below(3) as u8;
    match rng.below(if main { 46 } else { 40 }) {
        0..=2 => Ins::Const(dst(rng), konst(rng)),
        3..=5 => Ins::Move(dst(rng), any(rng)),
        6..=12 => Ins::Arith(
            rng.pick(&[Arith::Add, Arith::Add, Arith::Sub, Arith::Mul]),
            dst(rng),
            any(rng),
            any(rng),
        ),
        13 => Ins::Divide(
            rng.chance(50),
            dst(rng),
            any(rng),
            rng.pick(&[1, 2, 3, 7, 8, -2, -5, 64]),
        ),
        14 => Ins::Bits(rng.below(4) as u8, dst(rng), any(rng), any(rng)),
        15 => Ins::Negate(dst(rng), any(rng)),
        16..=18 => Ins::SkipIf(
            rng.pick(&[Compare::Lt, Compare::Le, Compare::Eq]),
            any(rng),
            any(rng),
            skip(rng),
        ),
        19 => Ins::SkipIfNull(any(rng), skip(rng)),
        20 => Ins::SkipIfSame(any(rng), any(rng), skip(rng)),
        21 => Ins::SkipIfShape(any(rng), rng.pick(&SHAPES), skip(rng)),
        22..=25 => Ins::New(dst(rng), rng.pick(&SHAPES), any(rng), any(rng)),
        26..=29 => Ins::Get(dst(rng), any(rng), rng.below(2) as u8),
        30..=32 => Ins::Set(any(rng), rng.below(2) as u8, any(rng)),
        33 => Ins::GetRaw(dst(rng), any(rng)),
        34 => Ins::SetRaw(any(rng), any(rng)),
        35 => Ins::SetShape(any(rng), rng.pick(&SHAPES)),
        36 => Ins::NewArray(dst(rng), 1 + rng.below(3) as u8, any(rng)),
        37 | 38 => Ins::GetElem(dst(rng), any(rng), any(rng)),
        39 => Ins::SetElem(any(rng), any(rng), any(rng)),
        40..=42 => Ins::Call(dst(rng), any(rng)),
        43 | 44 => Ins::Residual(rng.below(4) as u8, dst(rng), any(rng)),
        _ if rng.chance(30) => Ins::Flush,
        _ => Ins::Residual(rng.below(4) as u8, dst(rng), any(rng)),
    }
}
