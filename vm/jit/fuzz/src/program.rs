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
    /// Residual function that changes an object and whose result nobody uses.
    Touch(Reg),
    /// Adds 1 to a number, and then jumps if another register is null: a guard behind a written slot.
    Count(Reg, Reg, u8),
    /// Exchanges two registers, and then jumps if a third is null.
    Swap(Reg, Reg, Reg, u8),
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
        while body.len() < 1 + len {
            match rng.below(100) {
                0..=14 => body.extend(alternation(&mut rng)),
                15..=39 => pattern(&mut rng, &mut body),
                _ => body.push(instruction(&mut rng, SLOTS, true)),
            }
        }
        body.push(Ins::Back);
        let mut callee: Vec<Ins> = (0..1 + rng.below(4))
            .map(|_| instruction(&mut rng, CALLEE_SLOTS, false))
            .collect();
        callee.push(Ins::Return(rng.below(CALLEE_SLOTS.into()) as u8));
        let mut init = Vec::new();
        for slot in 1..SLOTS {
            init.push(match slot {
                1 | 2 => Start::Konst(konst(&mut rng)),
                3..=5 if slot > 3 && rng.chance(40) => Start::Alias(2),
                3..=5 => Start::Object(rng.pick(&SHAPES)),
                6 => Start::Array(1 + rng.below(4) as u8),
                _ => Start::Konst(konst(&mut rng)),
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

/// Registers that usually hold numbers, objects, or (7) anything; 6 usually holds an array. Without
/// such habits most values are soon null and nothing interesting happens.
fn number(rng: &mut Rng) -> Reg {
    if rng.chance(85) {
        rng.below(3) as Reg
    } else {
        rng.below(SLOTS.into()) as Reg
    }
}

fn object(rng: &mut Rng) -> Reg {
    if rng.chance(88) {
        3 + rng.below(3) as Reg
    } else {
        rng.below(SLOTS.into()) as Reg
    }
}

/// A register for a number (slot 0, the counter, is never written).
fn number_dst(rng: &mut Rng) -> Reg {
    rng.pick(&[1, 2, 7])
}

/// Short sequences in which one rule of the optimizer matters: an access, something that may change
/// the place, the access again.
fn pattern(rng: &mut Rng, body: &mut Vec<Ins>) {
    let field = rng.below(2) as u8;
    let (o, p, q) = (object(rng), object(rng), 3 + rng.below(3) as Reg);
    let (d, e) = (number_dst(rng), number_dst(rng));
    match rng.below(11) {
        0 => body.extend([
            Ins::Get(d, o, field),
            Ins::Set(p, field, number(rng)),
            Ins::Get(e, o, field),
        ]),
        1 => {
            let (i, j) = (1, 2);
            body.extend([
                Ins::Divide(false, i, 0, rng.pick(&[2, 3])),
                Ins::Divide(false, j, 0, rng.pick(&[2, 3])),
            ]);
            body.extend([
                Ins::GetElem(7, 6, i),
                Ins::SetElem(6, j, number(rng)),
                Ins::GetElem(d, 6, i),
            ]);
        }
        2 => body.extend([
            Ins::Get(d, o, 0),
            Ins::Residual(rng.pick(&[1, 3]), 7, p),
            Ins::Get(e, o, 0),
        ]),
        3 => {
            body.extend([Ins::New(
                o.clamp(3, 5),
                rng.pick(&SHAPES),
                number(rng),
                number(rng),
            )]);
            body.extend([Ins::Set(p, field, o.clamp(3, 5)), Ins::Get(q, p, field)]);
            body.extend([
                Ins::Set(q, 1 - field, number(rng)),
                Ins::Get(d, o.clamp(3, 5), 1 - field),
            ]);
        }
        4 => {
            let (a, b) = (number(rng), number(rng));
            let orders = [Compare::Lt, Compare::Le, Compare::Eq];
            body.extend([Ins::SkipIf(rng.pick(&orders), a, b, 1), Ins::Count(d, 7, 1)]);
            body.extend([Ins::SkipIf(rng.pick(&orders), b, a, 1), Ins::Count(e, 3, 1)]);
        }
        5 => {
            let fresh = o.clamp(3, 5);
            body.extend([
                Ins::New(fresh, rng.pick(&SHAPES), number(rng), number(rng)),
                Ins::Set(p, 1, fresh),
            ]);
            body.extend([Ins::Residual(3, 7, p), Ins::Get(d, fresh, 0)]);
        }
        6 => {
            // -0.0 + 0.0 is 0.0.
            body.extend([
                Ins::Const(2, Konst::Flt(-0.0)),
                Ins::Arith(Arith::Mul, 7, 0, 2),
            ]);
            body.extend([
                Ins::Const(1, Konst::Flt(0.0)),
                Ins::Arith(Arith::Add, d, 7, 1),
            ]);
        }
        7 => {
            // Infinity, and NaN every few turns.
            body.extend([
                Ins::Const(1, Konst::Flt(f64::INFINITY)),
                Ins::Divide(false, 2, 0, rng.pick(&[2, 3, 4])),
            ]);
            body.extend([
                Ins::Arith(Arith::Mul, 7, 1, 2),
                Ins::SkipIf(Compare::Lt, 7, 1, 0),
            ]);
            body.extend([
                Ins::SkipIf(rng.pick(&[Compare::Le, Compare::Eq]), 1, 7, 1),
                Ins::Const(d, Konst::Int(4)),
            ]);
        }
        8 => {
            // An element that is null every second turn decides behind two written slots.
            body.extend([
                Ins::Const(7, Konst::Null),
                Ins::Const(1, Konst::Int(0)),
                Ins::SetElem(6, 1, 7),
            ]);
            body.extend([
                Ins::Divide(false, 2, 0, 2),
                Ins::GetElem(q, 6, 2),
                Ins::Swap(1, 2, q, 1),
            ]);
        }
        9 => body.extend([
            Ins::Divide(true, d, 0, rng.pick(&[2, 8, -4])),
            Ins::SetRaw(o, d),
        ]),
        _ => body.extend([Ins::Get(d, o, 0), Ins::Touch(p), Ins::Get(e, o, 0)]),
    }
}

fn konst(rng: &mut Rng) -> Konst {
    match rng.below(8) {
        0 => Konst::Null,
        1 | 2 => Konst::Flt(rng.pick(&[
            0.0,
            -0.0,
            1.0,
            1.5,
            -2.25,
            1e300,
            f64::INFINITY,
            f64::NAN,
            f64::NAN,
        ])),
        3 => Konst::Int(rng.pick(&[(1 << 49) - 1, -(1 << 49), 1 << 48, i64::MAX >> 3])),
        _ => Konst::Int(rng.below(9) as i64 - 3),
    }
}

fn instruction(rng: &mut Rng, slots: u8, main: bool) -> Ins {
    let any = |rng: &mut Rng| rng.below(slots.into()) as Reg;
    let num = |rng: &mut Rng| if main { number(rng) } else { any(rng) };
    let obj = |rng: &mut Rng| if main { object(rng) } else { any(rng) };
    let array = |rng: &mut Rng| if main && rng.chance(85) { 6 } else { any(rng) };
    let num_dst = |rng: &mut Rng| if main { number_dst(rng) } else { any(rng) };
    let obj_dst = |rng: &mut Rng| {
        if main {
            3 + rng.below(3) as Reg
        } else {
            any(rng)
        }
    };
    // The loop's slot 0 is never written.
    let dst = |rng: &mut Rng| {
        if main {
            1 + rng.below(usize::from(slots) - 1) as Reg
        } else {
            rng.below(slots.into()) as Reg
        }
    };
    let skip = |rng: &mut Rng| 1 + rng.below(3) as u8;
    let orders = [Compare::Lt, Compare::Le, Compare::Eq];
    let operators = [Arith::Add, Arith::Add, Arith::Sub, Arith::Mul];
    match rng.below(if main { 48 } else { 40 }) {
        0 | 1 => Ins::Const(num_dst(rng), konst(rng)),
        2 => Ins::Const(dst(rng), konst(rng)),
        3 => Ins::Move(dst(rng), any(rng)),
        4 => Ins::Move(num_dst(rng), num(rng)),
        5 => Ins::Move(obj_dst(rng), obj(rng)),
        6..=12 => Ins::Arith(rng.pick(&operators), num_dst(rng), num(rng), num(rng)),
        13 => Ins::Divide(
            rng.chance(50),
            num_dst(rng),
            num(rng),
            rng.pick(&[1, 2, 3, 7, 8, -2, -5, 64]),
        ),
        14 => Ins::Bits(rng.below(4) as u8, num_dst(rng), num(rng), num(rng)),
        15 => Ins::Negate(num_dst(rng), num(rng)),
        16..=18 => Ins::SkipIf(rng.pick(&orders), num(rng), num(rng), skip(rng)),
        19 => Ins::SkipIfNull(any(rng), skip(rng)),
        20 => Ins::SkipIfSame(obj(rng), obj(rng), skip(rng)),
        21 => Ins::SkipIfShape(obj(rng), rng.pick(&SHAPES), skip(rng)),
        22..=25 => Ins::New(obj_dst(rng), rng.pick(&SHAPES), any(rng), num(rng)),
        26..=28 => Ins::Get(num_dst(rng), obj(rng), rng.below(2) as u8),
        29 => Ins::Get(obj_dst(rng), obj(rng), rng.below(2) as u8),
        30 | 31 => Ins::Set(obj(rng), rng.below(2) as u8, num(rng)),
        32 => Ins::Set(obj(rng), rng.below(2) as u8, any(rng)),
        33 => Ins::GetRaw(num_dst(rng), obj(rng)),
        34 => Ins::SetRaw(obj(rng), num(rng)),
        35 => Ins::SetShape(obj(rng), rng.pick(&SHAPES)),
        36 => Ins::NewArray(
            if main { 6 } else { any(rng) },
            1 + rng.below(3) as u8,
            num(rng),
        ),
        37 | 38 => Ins::GetElem(num_dst(rng), array(rng), num(rng)),
        39 => Ins::SetElem(array(rng), num(rng), num(rng)),
        40..=42 => Ins::Call(dst(rng), any(rng)),
        43 | 44 => Ins::Residual(rng.below(4) as u8, num_dst(rng), obj(rng)),
        45 => Ins::Touch(obj(rng)),
        46 => Ins::Count(num_dst(rng), any(rng), skip(rng)),
        _ if rng.chance(30) => Ins::Swap(dst(rng), dst(rng), any(rng), skip(rng)),
        _ if rng.chance(30) => Ins::Flush,
        _ => Ins::Residual(rng.below(4) as u8, dst(rng), any(rng)),
    }
}
