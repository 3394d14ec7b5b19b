//! Dispatch: threaded handlers that tail-call each other through a table, and a
//! match loop made of the same table for builds where tail calls are not sure.
//!
//! A threaded handler is `extern "C" fn(pc, base, k, vm, ins)`; its last act is a
//! call through the table in tail position, which LLVM turns into a jump when it
//! optimizes fully. Builds with assertions, whose handlers have more to clean up
//! than a jump allows, dispatch by match.

use crate::interp::Interp;
use crate::ops;
use crate::slow::direct::{self, direct_ops};
use crate::slow::{Flow, slow_step, whole_step};
use pyrite_bytecode::{Ins, Op};
use pyrite_machine::{Ctl, Value};
use pyrite_objects::vm::{R, Raised, Vm};

/// Whether dispatch is by match: a threaded handler that cannot end in a jump
/// leaves a frame on the native stack each time it runs.
const BY_MATCH: bool = cfg!(any(feature = "match-dispatch", debug_assertions));

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

macro_rules! mid_ops {
    ($m:ident) => {
        $m! {
            LOAD_ATTR STORE_ATTR LOAD_METHOD LOAD_SUPER_METHOD LOAD_CLOSURE MAKE_CELL STORE_CELL LOAD_SUBSCR STORE_SUBSCR
            LIST_APPEND BUILD_TUPLE BUILD_LIST BUILD_MAP BUILD_SLICE UNPACK_SEQUENCE
            ADD SUB MUL TRUEDIV FLOORDIV MOD AND OR XOR ADDK SUBK MULK LT LE EQ NE GT GE
            JLT JLE JEQ JNE JGT JGE JNLT JNLE JNEQ JNNE JNGT JNGE
            NOT JT JF IN GET_ITER FOR_ITER SEND YIELD GET_YIELD_FROM_ITER CALL CALL_METHOD CALL_KW CALL_METHOD_KW RETURN PUSH_EXC POP_EXC
        }
    };
}

/// The handlers of three levels: `fast`, `mid` (see `ops`) and `direct` (see
/// `slow`); each goes on with the next level of its instruction, or with [`slow`].
macro_rules! threaded_fast {
    ($($name:ident)*) => {
        mod threaded {
            use super::*;
            $(
                #[allow(non_snake_case, reason = "named as the instructions are")]
                pub(super) extern "C" fn $name(pc: *const u64, base: *mut Value, k: *mut Value, vm: *mut Vm, ins: u64) {
                    const NEXT_LEVEL: Handler = MID[Op::$name as usize];
                    let mut m = Interp { pc, base, k, vm };
                    match ops::$name(&mut m, Ins(ins)) {
                        Ctl::Next => next!(m),
                        Ctl::Slow => NEXT_LEVEL(pc, base, k, vm, ins),
                    }
                }
            )*
        }

        static TABLE: [Handler; 256] = {
            let mut t = MID;
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

macro_rules! threaded_mid {
    ($($name:ident)*) => {
        mod threaded_mid {
            use super::*;
            $(
                #[allow(non_snake_case, reason = "named as the instructions are")]
                pub(super) extern "C" fn $name(pc: *const u64, base: *mut Value, k: *mut Value, vm: *mut Vm, ins: u64) {
                    const NEXT_LEVEL: Handler = DIRECT[Op::$name as usize];
                    let mut m = Interp { pc, base, k, vm };
                    match ops::mid::$name(&mut m, Ins(ins)) {
                        Ctl::Next => next!(m),
                        Ctl::Slow => NEXT_LEVEL(pc, base, k, vm, ins),
                    }
                }
            )*
        }

        const MID: [Handler; 256] = {
            let mut t = DIRECT;
            $(t[Op::$name as usize] = threaded_mid::$name;)*
            t
        };

        /// Runs the second handler of one instruction on any machine; `Slow` where
        /// there is none.
        pub fn mid<M: crate::lang::PyMachine>(m: &mut M, ins: Ins) -> Ctl {
            match ins.op() {
                $(Op::$name => ops::mid::$name(m, ins),)*
                _ => Ctl::Slow,
            }
        }
    };
}

macro_rules! threaded_direct {
    ($($name:ident)*) => {
        mod threaded_direct {
            use super::*;
            $(
                #[allow(non_snake_case, reason = "named as the instructions are")]
                pub(super) extern "C" fn $name(pc: *const u64, base: *mut Value, k: *mut Value, vm: *mut Vm, ins: u64) {
                    // The work is a call: its locals would keep this function's
                    // last call from being a jump.
                    #[inline(never)]
                    fn work(pc: *const u64, base: *mut Value, vm: *mut Vm, ins: u64) -> Flow {
                        // SAFETY: one thread holds the VM, and the handlers keep no reference to it.
                        let vm = unsafe { &mut *vm };
                        const CALLS: bool = is_call(Op::$name);
                        if CALLS {
                            vm.call_floor = vm.run_floor;
                        }
                        let flow = whole_step(vm, pc, base, Ins(ins), direct::$name);
                        if CALLS {
                            vm.call_floor = 0;
                        }
                        if vm.tracing == 0 { flow } else { traced(vm, flow, pc, base) }
                    }
                    match work(pc, base, vm, ins) {
                        Flow::Next => next!(Interp { pc, base, k, vm }),
                        Flow::Reload => reload(vm),
                        Flow::Leave => {}
                    }
                }
            )*
        }

        const DIRECT: [Handler; 256] = {
            let mut t = [slow as Handler; 256];
            $(t[Op::$name as usize] = threaded_direct::$name;)*
            t
        };
    };
}

fast_ops!(threaded_fast);
mid_ops!(threaded_mid);
direct_ops!(threaded_direct);

/// Goes on where the VM says.
#[inline(always)]
fn reload(vm: *mut Vm) {
    // SAFETY: the VM is live; the general implementation left the running frame there.
    let (pc, base) = unsafe { ((*vm).pc as *const u64, (*vm).base) };
    next!(Interp {
        pc,
        base,
        k: crate::frames::code_at(base).consts,
        vm
    })
}

/// Every other instruction. No local's address may leave this function, or its
/// last call would be no jump: the work is done by [`slow_work`].
#[cold]
#[inline(never)]
extern "C" fn slow(pc: *const u64, base: *mut Value, k: *mut Value, vm: *mut Vm, ins: u64) {
    match slow_work(pc, base, vm, ins) {
        Flow::Next => next!(Interp { pc, base, k, vm }),
        Flow::Reload => reload(vm),
        Flow::Leave => {}
    }
}

/// The general implementation. The running frame is left in the VM unless the
/// next instruction follows in the same window.
#[inline(never)]
fn slow_work(pc: *const u64, base: *mut Value, vm: *mut Vm, ins: u64) -> Flow {
    // SAFETY: one thread holds the VM, and the handlers keep no reference to it.
    let vm = unsafe { &mut *vm };
    let calls = is_call(Ins(ins).op());
    if calls {
        vm.call_floor = vm.run_floor;
    }
    let flow = slow_step(vm, pc, base, Ins(ins));
    if calls {
        vm.call_floor = 0;
    }
    if vm.tracing == 0 {
        flow
    } else {
        traced(vm, flow, pc, base)
    }
}

/// A trace function was set: runs on with events, until it is unset or the frame
/// that Rust entered is done.
#[cold]
#[inline(never)]
fn traced(vm: &mut Vm, flow: Flow, pc: *const u64, base: *mut Value) -> Flow {
    use crate::tracing::{Ended, run_traced};
    match flow {
        Flow::Leave => return Flow::Leave,
        Flow::Next => {
            vm.pc = pc as u64;
            vm.base = base;
        }
        Flow::Reload => {}
    }
    match run_traced(vm, false) {
        Ended::Left => Flow::Leave,
        Ended::Untraced => Flow::Reload,
    }
}

/// Runs from an instruction in a window until the frame that Rust entered
/// returns; its value.
///
/// # Errors
/// When an exception leaves that frame.
#[inline(always)]
pub fn run(vm: &mut Vm, base: *mut Value, pc: *const u64) -> R {
    run_from(vm, base, pc, true)
}

/// As [`run`], in a frame that compiled code may have begun.
///
/// # Errors
/// When an exception leaves that frame.
#[inline(always)]
pub fn go_on(vm: &mut Vm, base: *mut Value, pc: *const u64) -> R {
    let begins = pc == crate::frames::code_at(base).entry;
    run_from(vm, base, pc, begins)
}

#[inline(never)]
fn run_from(vm: &mut Vm, base: *mut Value, pc: *const u64, begins: bool) -> R {
    let mut registers = [0u64; 6];
    let floor = store_registers(&mut registers);
    let outer = std::mem::replace(&mut vm.run_floor, floor);
    let calling = std::mem::replace(&mut vm.call_floor, 0);
    let r = vm.in_python(|vm| run_here(vm, base, pc, begins));
    (vm.run_floor, vm.call_floor) = (outer, calling);
    std::hint::black_box(&registers);
    r
}

/// Stores the callee-saved registers, and so what the callers may hold in them, in
/// the calling frame; that frame's lowest address.
///
/// A register that the frame's own prologue saved lies in the frame anyway.
#[inline(always)]
fn store_registers(to: &mut [u64; 6]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        let floor: u64;
        // SAFETY: six words are written to the array; the stack is left alone.
        unsafe {
            std::arch::asm!(
                "mov [{to}], rbx",
                "mov [{to} + 8], rbp",
                "mov [{to} + 16], r12",
                "mov [{to} + 24], r13",
                "mov [{to} + 32], r14",
                "mov [{to} + 40], r15",
                "mov {floor}, rsp",
                to = in(reg) to.as_mut_ptr(),
                floor = out(reg) floor,
                options(nostack, preserves_flags),
            );
        }
        floor
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = to;
        0
    }
}

/// True for instructions that call and whose native callee the loop calls itself.
const fn is_call(op: Op) -> bool {
    matches!(
        op,
        Op::CALL | Op::CALL_METHOD | Op::CALL_KW | Op::CALL_METHOD_KW
    )
}

#[inline(never)]
fn run_here(vm: &mut Vm, base: *mut Value, pc: *const u64, begins: bool) -> R {
    let k = crate::frames::code_at(base).consts;
    vm.result = Value::NULL;
    vm.base = base;
    vm.pc = pc as u64;
    if vm.tracing != 0 {
        use crate::tracing::{Ended, run_traced};
        if run_traced(vm, begins) == Ended::Left {
            let r = std::mem::replace(&mut vm.result, Value::NULL);
            return if r.is_null() { Err(Raised) } else { Ok(r) };
        }
        // The function was unset: the rest runs untraced.
        let (base, pc) = (vm.base, vm.pc as *const u64);
        return run_here(vm, base, pc, false);
    }
    let p: *mut Vm = vm;
    if BY_MATCH {
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
        if mid(&mut m, ins) == Ctl::Next {
            continue;
        }
        match slow_work(pc, base, m.vm, ins.0) {
            Flow::Next => m.pc = pc,
            Flow::Reload => {
                // SAFETY: one thread holds the VM.
                (m.pc, m.base) = unsafe { ((*m.vm).pc as *const u64, (*m.vm).base) };
                m.k = crate::frames::code_at(m.base).consts;
            }
            Flow::Leave => return,
        }
    }
}
