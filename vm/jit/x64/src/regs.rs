//! Register convention and the native frame of a trace.
//!
//! | register | holds |
//! |---|---|
//! | `rbx` | VM-stack window base of the trace's entry frame; slot n is at `[rbx + 8n]` |
//! | `r14` | VM state |
//! | `r15` | bias of boxed integers |
//! | `rsp` | the frame: spill slot k at `[rsp + 8k]`, a multiple of 16 |
//! | `rax rcx rdx xmm14 xmm15` | scratch within one op |
//! | [`GPR`], [`XMM`] | values |
//!
//! When a trace is left, or its slow allocation path is taken, all value registers are saved below
//! the frame: word `-2 - i` of the frame is the i-th of [`GPR`] followed by [`XMM`].

use pyrite_jit_regalloc::{Reg, RegSet, Registers};

pub(crate) const RAX: u8 = 0;
pub(crate) const RCX: u8 = 1;
pub(crate) const RDX: u8 = 2;
pub(crate) const RBX: u8 = 3;
pub(crate) const RSP: u8 = 4;
pub(crate) const RBP: u8 = 5;
pub(crate) const RSI: u8 = 6;
pub(crate) const RDI: u8 = 7;
pub(crate) const R14: u8 = 14;
pub(crate) const R15: u8 = 15;

/// Scratch floating-point registers.
pub(crate) const XMM_TMP: u8 = 15;
pub(crate) const XMM_TMP2: u8 = 14;

/// General purpose registers for values; the last three survive calls.
pub(crate) const GPR: [Reg; 9] = [
    Reg::gpr(RSI),
    Reg::gpr(RDI),
    Reg::gpr(8),
    Reg::gpr(9),
    Reg::gpr(10),
    Reg::gpr(11),
    Reg::gpr(12),
    Reg::gpr(13),
    Reg::gpr(RBP),
];

/// Floating-point registers for values; none survives a call.
pub(crate) const XMM: [Reg; 14] = [
    Reg::xmm(0),
    Reg::xmm(1),
    Reg::xmm(2),
    Reg::xmm(3),
    Reg::xmm(4),
    Reg::xmm(5),
    Reg::xmm(6),
    Reg::xmm(7),
    Reg::xmm(8),
    Reg::xmm(9),
    Reg::xmm(10),
    Reg::xmm(11),
    Reg::xmm(12),
    Reg::xmm(13),
];

pub(crate) const REGISTERS: Registers<'static> = Registers {
    gpr: &GPR,
    xmm: &XMM,
};

/// For code that keeps every value in a slot.
pub(crate) const NO_REGISTERS: Registers<'static> = Registers { gpr: &[], xmm: &[] };

/// Value registers that a called function keeps.
pub(crate) const CALLEE_SAVED: RegSet = RegSet::of(&[GPR[6], GPR[7], GPR[8]]);

/// All value registers.
pub(crate) const ALL: RegSet = RegSet::of(&GPR).union(RegSet::of(&XMM));

/// Integer argument registers behind the first, which carries the VM state.
pub(crate) const INT_ARGS: [Reg; 5] = [
    Reg::gpr(RSI),
    Reg::gpr(RDX),
    Reg::gpr(RCX),
    Reg::gpr(8),
    Reg::gpr(9),
];

/// Floating-point argument registers.
pub(crate) const FLT_ARGS: [Reg; 8] = [
    XMM[0], XMM[1], XMM[2], XMM[3], XMM[4], XMM[5], XMM[6], XMM[7],
];

/// Words of the save area below a frame, the word at -1 included; even, to keep `rsp` aligned.
pub(crate) const SAVE_WORDS: i32 = 1 + 9 + 14;

/// Index, in words from the frame, where `reg` is saved.
pub(crate) fn save_word(reg: Reg) -> i32 {
    let at = GPR
        .iter()
        .chain(&XMM)
        .position(|&r| r == reg)
        .expect("only value registers are saved");
    -2 - at as i32
}

const _: () = assert!(SAVE_WORDS % 2 == 0, "rsp stays a multiple of 16");
