//! What the instructions mean, written once over the machine.

use crate::compile::Op;
use pyrite_gc::KindInfo;
use pyrite_jit_guest::{Careful, Ins, Language, Machine, Shapes};
use pyrite_jit_guest::{INT_KIND, OBJECT, OBJECT_KIND, OBJECT_WORDS};
use pyrite_machine::Num::{Float, Int};
use pyrite_machine::{Cmp, Core, Ctl, NumOf, Value, compare, double, number};

/// The language's state.
#[derive(Debug, Default)]
pub(crate) struct Tiny {
    shapes: Shapes,
    pub(crate) output: String,
}

impl Language for Tiny {
    const KINDS: &'static [KindInfo] = &[INT_KIND, OBJECT_KIND];

    fn step<M: Machine<Language = Tiny>>(m: &mut M, ins: Ins) -> Ctl {
        execute(m, ins).unwrap_or(Ctl::Slow)
    }

    fn rest(m: &mut Careful<Tiny>, ins: Ins) -> Result<(), String> {
        let [a, b, c] = operands(ins);
        let error = match op(ins) {
            Op::Print => {
                let v = m.reg(a);
                let text = match number(m, v) {
                    Some(Int(i)) => format!("{i}\n"),
                    Some(Float(f)) => format!("{f:?}\n"),
                    None if v.is_null() => "None\n".to_owned(),
                    None => "object\n".to_owned(),
                };
                m.lang().output += &text;
                return Ok(());
            }
            Op::Eq => {
                // Not two numbers.
                let same = m.reg(b) == m.reg(c);
                m.set_reg(a, Value::small(same.into()));
                return Ok(());
            }
            Op::New => "out of memory",
            Op::Load => "no such attribute",
            Op::Store => "no room for the attribute",
            Op::Call => "too many calls",
            _ => "no result among numbers of 64 bits",
        };
        Err(error.to_owned())
    }
}

/// Opcode of an instruction.
fn op(ins: Ins) -> Op {
    // SAFETY: the compiler writes opcodes alone.
    unsafe { std::mem::transmute(ins.op()) }
}

fn operands(ins: Ins) -> [isize; 3] {
    [ins.a(), ins.b(), ins.c()].map(|r| r as isize)
}

/// `None`: nothing was changed, and this machine cannot do it.
#[inline(always)]
fn execute<M: Machine<Language = Tiny>>(m: &mut M, ins: Ins) -> Option<Ctl> {
    let [a, b, c] = operands(ins);
    let v = match op(ins) {
        Op::Const => m.konst(ins.b()),
        Op::Move => m.reg(b),
        Op::Neg => {
            let v = m.reg(b);
            if let Int(i) = number(m, v)? {
                let zero = m.int(0);
                let (i, overflow) = m.isub(zero, i);
                unless(m, overflow)?;
                m.box_int(i)
            } else {
                let f = m.unbox_float(v);
                let f = m.fneg(f);
                m.box_float(f)
            }
        }
        Op::Not => {
            let v = m.reg(b);
            let t = !truth(m, v);
            m.value(Value::small(t.into()))
        }
        Op::IsNone => {
            let v = m.reg(b);
            let none = m.is_null(v);
            let t = m.branch(none);
            m.value(Value::small(t.into()))
        }
        Op::Lt => comparison(m, Cmp::Lt, b, c)?,
        Op::Le => comparison(m, Cmp::Le, b, c)?,
        Op::Eq => comparison(m, Cmp::Eq, b, c)?,
        Op::New => m.alloc(OBJECT, OBJECT_WORDS)?,
        Op::Load => {
            let p = m.reg(b);
            let shape = shape(m, p)?;
            let field = m.lang().shapes.find(shape, ins.c())?;
            m.load(p, field)
        }
        Op::Store => {
            let (p, v) = (m.reg(a), m.reg(c));
            let before = shape(m, p)?;
            let (field, after) = m.lang().shapes.find_or_add(before, ins.b())?;
            if m.store_blocked(p) {
                return None;
            }
            m.store(p, field, v);
            if after != before {
                m.store_shape(p, after);
            }
            return Some(Ctl::Next);
        }
        Op::Jump => {
            m.jump(c);
            return Some(Ctl::Next);
        }
        Op::Branch => {
            let v = m.reg(a);
            if truth(m, v) == (b != 0) {
                m.jump(c);
            }
            return Some(Ctl::Next);
        }
        Op::Loop => return Some(m.back_edge(ins.a(), ins.c())),
        Op::Call => return Some(m.call(ins.a(), ins.b())),
        Op::Return => {
            let v = m.reg(a);
            return Some(m.ret(v));
        }
        Op::Print => return None,
        op => {
            let (x, y) = (m.reg(b), m.reg(c));
            match (number(m, x)?, number(m, y)?) {
                (Int(x), Int(y)) if op != Op::Div => {
                    let i = integers(m, op, x, y)?;
                    m.box_int(i)
                }
                (x, y) => {
                    let f = floats(m, op, x, y)?;
                    m.box_float(f)
                }
            }
        }
    };
    m.set_reg(a, v);
    Some(Ctl::Next)
}

/// Goes on if it is not so.
fn unless<M: Core>(m: &mut M, b: M::B) -> Option<()> {
    (!m.branch(b)).then_some(())
}

fn comparison<M: Core>(m: &mut M, how: Cmp, x: isize, y: isize) -> Option<M::V> {
    let (x, y) = (m.reg(x), m.reg(y));
    let (x, y) = (number(m, x)?, number(m, y)?);
    let t = compare(m, how, x, y);
    let t = m.branch(t);
    Some(m.value(Value::small(t.into())))
}

fn truth<M: Core>(m: &mut M, v: M::V) -> bool {
    let Some(n) = number(m, v) else {
        let none = m.is_null(v);
        return !m.branch(none);
    };
    let zero = m.int(0);
    let nonzero = compare(m, Cmp::Ne, n, Int(zero));
    m.branch(nonzero)
}

/// The shape of an object; heap ints may look like one.
fn shape<M: Core>(m: &mut M, p: M::V) -> Option<u32> {
    let object = m.is_ptr(p);
    m.branch(object).then(|| m.shape(p))
}

fn integers<M: Core>(m: &mut M, op: Op, x: M::I, y: M::I) -> Option<M::I> {
    if matches!(op, Op::FloorDiv | Op::Mod) {
        let zero = m.int(0);
        let bad = m.icmp(Cmp::Le, y, zero);
        unless(m, bad)?;
    }
    let (i, overflow) = match op {
        Op::FloorDiv => return Some(m.idiv(x, y)),
        Op::Mod => return Some(m.imod(x, y)),
        Op::And => return Some(m.iand(x, y)),
        Op::Or => return Some(m.ior(x, y)),
        Op::Xor => return Some(m.ixor(x, y)),
        Op::Add => m.iadd(x, y),
        Op::Sub => m.isub(x, y),
        _ => m.imul(x, y),
    };
    unless(m, overflow)?;
    Some(i)
}

fn floats<M: Core>(m: &mut M, op: Op, x: NumOf<M>, y: NumOf<M>) -> Option<M::F> {
    let (x, y) = (double(m, x), double(m, y));
    match op {
        Op::Add => Some(m.fadd(x, y)),
        Op::Sub => Some(m.fsub(x, y)),
        Op::Mul => Some(m.fmul(x, y)),
        Op::Div => {
            let zero = m.int(0);
            let zero = m.int_to_float(zero);
            let bad = m.fcmp(Cmp::Eq, y, zero);
            unless(m, bad)?;
            Some(m.fdiv(x, y))
        }
        _ => None,
    }
}
