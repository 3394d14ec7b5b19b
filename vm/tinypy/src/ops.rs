//! What the instructions mean, written once over the machine.

use crate::compile::{Code, Op, cmp};
use pyrite_machine::{Cmp, Core, Ctl, Field, Value, header_word};

/// Kinds and shapes of objects: a heap int, and an object without attributes.
pub const INT: (u8, u32) = (0, 1);
pub const OBJECT: (u8, u32) = (1, 16);
/// Attributes an object can have, and its words.
pub const SLOTS: usize = 5;
pub const WORDS: usize = 1 + SLOTS;

/// The field of a slot. Attributes are one alias class.
pub fn slot(n: usize) -> Field {
    Field::word(1 + n, 8)
}

/// The language's part of the machine.
pub trait Tiny: Core {
    /// The slot of an attribute in a shape, and the shape with it if it is not yet there.
    fn attribute(&mut self, shape: u32, name: usize) -> Option<(usize, Option<u32>)>;
    /// Enters function `n` in the window at register `window`, where its arguments are.
    fn call(&mut self, window: isize, n: usize) -> Ctl;
    /// Leaves the frame; the calling instruction. `None`: there is no caller here.
    fn leave(&mut self) -> Option<u64>;
    /// The back-edge to the instruction `back` words before the next one.
    fn edge(&mut self, live: usize, back: usize) -> Ctl;
}

/// Opcode of an instruction.
pub fn op(ins: u64) -> Op {
    // SAFETY: the compiler writes opcodes alone.
    unsafe { std::mem::transmute(ins as u16) }
}

/// Operands of an instruction.
pub fn operands(ins: u64) -> (usize, usize, usize) {
    let part = |n: u32| (ins >> n & 0xFFFF) as usize;
    (part(16), part(32), part(48))
}

/// Leaves the instruction to the slow way.
macro_rules! need {
    ($m:ident, $b:expr) => {{
        let b = $b;
        if !$m.branch(b) {
            return Ctl::Slow;
        }
    }};
}

fn double<M: Tiny>(m: &mut M, v: M::V) -> Option<M::F> {
    let i = m.is_int(v);
    if m.branch(i) {
        let i = m.unbox_int(v);
        return Some(m.int_to_float(i));
    }
    let f = m.is_float(v);
    m.branch(f).then(|| m.unbox_float(v))
}

/// Truth of a comparison of numbers, not yet looked at.
fn compare<M: Tiny>(m: &mut M, how: Cmp, x: M::V, y: M::V) -> Option<M::B> {
    let (xi, yi) = (m.is_int(x), m.is_int(y));
    if m.branch(xi) && m.branch(yi) {
        let (a, b) = (m.unbox_int(x), m.unbox_int(y));
        return Some(m.icmp(how, a, b));
    }
    let (a, b) = (double(m, x)?, double(m, y)?);
    Some(m.fcmp(how, a, b))
}

/// Executes one instruction; the machine's instruction pointer is behind it.
pub fn step<M: Tiny>(m: &mut M, ins: u64) -> Ctl {
    let (a, b, c) = operands(ins);
    let r = |n: usize| n as isize;
    let o = op(ins);
    match o {
        Op::Const => {
            let v = m.konst(b);
            m.set_reg(r(a), v);
        }
        Op::Move => {
            let v = m.reg(r(b));
            m.set_reg(r(a), v);
        }
        Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Neg => {
            let (x, y) = if o == Op::Neg {
                // -x is 0 - x for ints, and for floats but for the sign of zero.
                (m.value(Value::small(0)), m.reg(r(b)))
            } else {
                (m.reg(r(b)), m.reg(r(c)))
            };
            let (xi, yi) = (m.is_int(x), m.is_int(y));
            let v = if o != Op::Div && m.branch(xi) && m.branch(yi) {
                let (x, y) = (m.unbox_int(x), m.unbox_int(y));
                let (v, overflow) = match o {
                    Op::Add => m.iadd(x, y),
                    Op::Mul => m.imul(x, y),
                    _ => m.isub(x, y),
                };
                if m.branch(overflow) {
                    return Ctl::Slow;
                }
                m.box_int(v)
            } else {
                let (Some(x), Some(y)) = (double(m, x), double(m, y)) else {
                    return Ctl::Slow;
                };
                let v = match o {
                    Op::Add => m.fadd(x, y),
                    Op::Sub => m.fsub(x, y),
                    Op::Mul => m.fmul(x, y),
                    Op::Neg => m.fneg(y),
                    _ => {
                        let zero = m.int(0);
                        let zero = m.int_to_float(zero);
                        let nonzero = m.fcmp(Cmp::Ne, y, zero);
                        need!(m, nonzero);
                        m.fdiv(x, y)
                    }
                };
                m.box_float(v)
            };
            m.set_reg(r(a), v);
        }
        Op::FloorDiv | Op::Mod | Op::And | Op::Or | Op::Xor => {
            let (x, y) = (m.reg(r(b)), m.reg(r(c)));
            need!(m, m.is_int(x));
            need!(m, m.is_int(y));
            let (x, y) = (m.unbox_int(x), m.unbox_int(y));
            if matches!(o, Op::FloorDiv | Op::Mod) {
                let zero = m.int(0);
                need!(m, m.icmp(Cmp::Gt, y, zero));
            }
            let v = match o {
                Op::FloorDiv => m.idiv(x, y),
                Op::Mod => m.imod(x, y),
                Op::And => m.iand(x, y),
                Op::Or => m.ior(x, y),
                _ => m.ixor(x, y),
            };
            let v = m.box_int(v);
            m.set_reg(r(a), v);
        }
        Op::Jump => m.jump(r(c)),
        Op::Lt | Op::Le | Op::Eq => {
            let (x, y) = (m.reg(r(a & 0x7FFF)), m.reg(r(b)));
            let Some(t) = compare(m, cmp(o), x, y) else {
                return Ctl::Slow;
            };
            if m.branch(t) == (a >> 15 != 0) {
                m.jump(r(c));
            }
        }
        Op::IsNone => {
            let v = m.reg(r(a));
            let t = m.is_null(v);
            if m.branch(t) == (b != 0) {
                m.jump(r(c));
            }
        }
        Op::Loop => return m.edge(a, c),
        Op::New => {
            let Some(v) = m.alloc(header_word(OBJECT.0, WORDS, OBJECT.1), WORDS) else {
                return Ctl::Slow;
            };
            m.set_reg(r(a), v);
        }
        Op::Load => {
            let p = m.reg(r(b));
            need!(m, m.is_ptr(p));
            let s = m.shape(p);
            let Some((n, None)) = m.attribute(s, c) else {
                return Ctl::Slow;
            };
            let v = m.load(p, slot(n));
            m.set_reg(r(a), v);
        }
        Op::Store => {
            let p = m.reg(r(a));
            need!(m, m.is_ptr(p));
            let s = m.shape(p);
            let Some((n, add)) = m.attribute(s, b) else {
                return Ctl::Slow;
            };
            if m.store_blocked(p) {
                return Ctl::Slow;
            }
            let v = m.reg(r(c));
            m.store(p, slot(n), v);
            if let Some(shape) = add {
                m.store_shape(p, shape);
            }
        }
        Op::Call => return m.call(r(c), b),
        Op::Return => {
            let v = m.reg(r(a));
            let Some(call) = m.leave() else {
                return Ctl::Slow;
            };
            m.set_reg(r(operands(call).0), v);
        }
        Op::Print => return Ctl::Slow,
    }
    Ctl::Next
}

/// The code that runs in a window.
pub(crate) fn code_at(base: *mut Value) -> &'static Code {
    // SAFETY: the second word below register 0; code is never freed.
    unsafe { &*(*base.sub(2)).ptr().cast::<Code>() }
}
