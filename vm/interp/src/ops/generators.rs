//! Generators resumed and suspended by instructions, without Rust in between.

use super::need;
use crate::lang::{PyMachine, Stage, field};
use pyrite_bytecode::Ins;
use pyrite_machine::Ctl;
use pyrite_objects::generator::state;

/// Resumes a suspended generator with `sent` in its waiting register.
#[inline(always)]
pub(super) fn resume<M: PyMachine>(
    m: &mut M,
    g: M::V,
    window: isize,
    stage: Stage,
    sent: M::V,
) -> Ctl {
    let s = m.load_int(g, field::GEN_STATE);
    let s = m.promote_int(s) as u64;
    if s != state::SUSPENDED && s != state::CREATED {
        return Ctl::Slow;
    }
    if s == state::CREATED && stage == Stage::Send {
        // Only None may be sent into one that has not started.
        let none = m.value(m.known().none);
        need!(m, m.same(sent, none));
    }
    let f = m.load(g, field::GEN_FUNC);
    let code = m.function_code(f);
    if !m.room(window, code.frame_size) || !m.may_resume(code) {
        return Ctl::Slow;
    }
    let pc = m.load_int(g, field::GEN_PC);
    let pc = m.promote_int(pc) as u64 as *const u64;
    // SAFETY: a generator's instruction pointer is behind the instruction that
    // suspended it.
    let at = Ins(unsafe { *pc.sub(1) });
    let live = if s == state::CREATED { at.a() } else { at.c() };
    // An exception being handled on either side changes hands the slow way.
    let h = m.load(g, field::GEN_HANDLED);
    need!(m, m.is_null(h));
    let h = m.handled();
    need!(m, m.is_null(h));
    let regs = m.load(g, field::GEN_REGS);
    if m.store_blocked(g) {
        m.unblock(g);
    }
    for i in 0..live {
        let n = m.int(i as i64);
        let v = m.load_elem(regs, field::ARRAY_ELEMS, n);
        m.set_reg(window + i as isize, v);
    }
    if s == state::SUSPENDED {
        m.set_reg(window + at.a() as isize, sent);
    }
    let running = m.int(state::RUNNING as i64);
    m.store_int(g, field::GEN_STATE, running);
    m.set_reg(window - 5, g);
    m.set_reg(window - 4, f);
    m.push_frame_at(window, code, pc, stage);
    Ctl::Next
}

/// `YIELD` to a `FOR_ITER` or `SEND`.
#[inline(always)]
pub(super) fn suspend<M: PyMachine>(m: &mut M, ins: Ins) -> Ctl {
    // An async generator's values are wrapped.
    if ins.d() == 1 {
        return Ctl::Slow;
    }
    let Some((stage @ (Stage::ForIter | Stage::Send), call)) = m.peek_return() else {
        return Ctl::Slow;
    };
    let g = m.reg(-5);
    need!(m, m.has_shape(g, m.known().generator));
    let h = m.handled();
    need!(m, m.is_null(h));
    let regs = m.load(g, field::GEN_REGS);
    if m.store_blocked(regs) {
        m.unblock(regs);
    }
    let v = m.reg(ins.b() as isize);
    for i in 0..ins.c() {
        let x = m.reg(i as isize);
        let n = m.int(i as i64);
        m.store_elem(regs, field::ARRAY_ELEMS, n, x);
    }
    let pc = m.pc() as i64;
    let pc = m.int(pc);
    m.store_int(g, field::GEN_PC, pc);
    let s = m.int(state::SUSPENDED as i64);
    m.store_int(g, field::GEN_STATE, s);
    m.pop_frame();
    if stage == Stage::ForIter {
        m.set_reg(call.b() as isize, v);
    } else {
        m.set_reg(call.a() as isize + 1, v);
    }
    m.jump(1);
    Ctl::Next
}
