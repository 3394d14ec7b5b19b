//! Dispatch: threaded handlers that tail-call each other through a table, and a
//! match loop made of the same table for builds where tail calls are not sure.
//!
//! A threaded handler is `extern "C" fn(pc, base, k, vm, ins)`; its last act is a
//! call through the table in tail position, which LLVM turns into a jump from
//! opt-level 1 on. This crate is compiled at such a level in every profile, and a
//! test disassembles the handlers.

use crate::interp::Interp;
use crate::ops;
use crate::slow::{Flow, slow_step};
use pyrite_bytecode::{Ins, Op};
use pyrite_machine::{Ctl, Value};
use pyrite_objects::vm::{R, Raised, Vm};

type Handler = extern "C" fn(*const u64, *mut Value, *mut Value, *mut Vm, u64);

/// Continues with the next instruction.
macro_rules! next {
    ($m:expr) => {{
        let m = $m;
        // SAFETY: code ends in an instruction that does not fall through.
        let (ins, pc) = unsafe { (*m.pc, m.pc.add(1)) };
        TABLE[(ins & 0xFF) as usize](pc, m.base, m.k, m.vm, ins)
    }};
}

macro_rules! fast_ops {
    ($m:ident) => {
        $m! {
            NOP MOVE LOAD_CONST LOAD_INT CHECK_BOUND CLEAR LOAD_CELL STORE_CELL LOAD_GLOBAL LOAD_ATTR STORE_ATTR LOAD_METHOD
            LOAD_SUBSCR STORE_SUBSCR LIST_APPEND ADD SUB MUL TRUEDIV FLOORDIV MOD AND OR XOR ADDK SUBK MULK FLOORDIVK MODK ANDK
            LSHIFTK RSHIFTK NEG NOT LT LE EQ NE GT GE IS JUMP LOOP JT JF JNONE JNOTNONE JLT JLE JEQ JNE JGT JGE JNLT JNLE JNEQ
            JNNE JNGT JNGE JIS JISNOT FOR_ITER CALL CALL_METHOD RETURN
        }
    };
}

macro_rules! threaded {
    ($($name:ident)*) => {
        mod threaded {
            use super::*;
            $(
                #[allow(non_snake_case, reason = "named as the instructions are")]
                pub(super) extern "C" fn $name(pc: *const u64, base: *mut Value, k: *mut Value, vm: *mut Vm, ins: u64) {
                    let mut m = Interp { pc, base, k, vm };
                    match ops::$name(&mut m, Ins(ins)) {
                        Ctl::Next => next!(m),
                        Ctl::Slow => slow(pc, base, k, vm, ins),
                    }
                }
            )*
        }

        static TABLE: [Handler; 256] = {
            let mut t = [slow as Handler; 256];
            $(t[Op::$name as usize] = threaded::$name;)*
            t
        };

        /// Runs the fast handler of one instruction on any machine; `Slow` where
        /// there is none.
        #[inline]
        pub fn fast<M: crate::lang::PyMachine>(m: &mut M, ins: Ins) -> Ctl {
            match ins.op() {
                $(Op::$name => ops::$name(m, ins),)*
                _ => Ctl::Slow,
            }
        }
    };
}

fast_ops!(threaded);

/// Everything a fast handler leaves. No local's address may leave this function,
/// or its last call would be no jump: the work is done by [`slow_work`].
#[cold]
#[inline(never)]
extern "C" fn slow(pc: *const u64, base: *mut Value, k: *mut Value, vm: *mut Vm, ins: u64) {
    if slow_work(pc, base, k, vm, ins) {
        // SAFETY: the VM is live; `slow_work` left the running frame there.
        let (pc, base) = unsafe { ((*vm).pc as *const u64, (*vm).base) };
        next!(Interp {
            pc,
            base,
            k: crate::frames::code_at(base).consts,
            vm
        })
    }
}

/// The generic second try, then the general implementation. The running frame
/// is left in the VM; false: the frame that Rust entered is done.
#[inline(never)]
fn slow_work(pc: *const u64, base: *mut Value, k: *mut Value, vm: *mut Vm, ins: u64) -> bool {
    let mut m = Interp { pc, base, k, vm };
    if ops::medium(&mut m, Ins(ins)) == Ctl::Next {
        // SAFETY: the VM is live.
        unsafe {
            (*vm).pc = m.pc as u64;
            (*vm).base = m.base;
        }
        return true;
    }
    // SAFETY: one thread holds the VM, and the handlers keep no reference to it.
    match slow_step(unsafe { &mut *vm }, pc, base, Ins(ins)) {
        Flow::Next => {
            // SAFETY: as above.
            unsafe {
                (*vm).pc = pc as u64;
                (*vm).base = base;
            }
            true
        }
        Flow::Reload => true,
        Flow::Leave => false,
    }
}

/// Runs from an instruction in a window until the frame that Rust entered
/// returns; its value.
///
/// # Errors
/// When an exception leaves that frame.
pub fn run(vm: &mut Vm, base: *mut Value, pc: *const u64) -> R {
    let k = crate::frames::code_at(base).consts;
    vm.result = Value::NULL;
    vm.base = base;
    vm.pc = pc as u64;
    let p: *mut Vm = vm;
    if cfg!(feature = "match-dispatch") {
        run_match(Interp { pc, base, k, vm: p });
    } else {
        next!(Interp { pc, base, k, vm: p });
    }
    let r = vm.result;
    vm.result = Value::NULL;
    if r.is_null() { Err(Raised) } else { Ok(r) }
}

/// The match loop: same handlers, same slow path.
fn run_match(mut m: Interp) {
    loop {
        // SAFETY: code ends in an instruction that does not fall through.
        let ins = Ins(unsafe { *m.pc });
        // SAFETY: as above.
        m.pc = unsafe { m.pc.add(1) };
        let (pc, base) = (m.pc, m.base);
        if fast(&mut m, ins) == Ctl::Next {
            continue;
        }
        m.pc = pc;
        if ops::medium(&mut m, ins) == Ctl::Next {
            continue;
        }
        // SAFETY: one thread holds the VM.
        match slow_step(unsafe { &mut *m.vm }, pc, base, ins) {
            Flow::Next => m.pc = pc,
            Flow::Reload => {
                // SAFETY: as above.
                (m.pc, m.base) = unsafe { ((*m.vm).pc as *const u64, (*m.vm).base) };
                m.k = crate::frames::code_at(m.base).consts;
            }
            Flow::Leave => return,
        }
    }
}
