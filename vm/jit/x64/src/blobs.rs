//! Code shared by all traces: the way in, the way out, the two slow paths.
//!
//! ```text
//! higher addresses   return address, callee-saved registers      pushed by `enter`
//!                    activation record (5 words)                 its address is the list head in the VM state
//!                    frame of the trace: spill slots, arguments  sized by the trace, rsp points to its lowest word
//!                    word -1: return address or frame size       `call` of a slow path; `exit`
//!                    words -2 ..: saved value registers
//! ```
//! The frame's size is no part of the entry: a root trace makes its frame as its first instruction,
//! a bridge enlarges its parent's, and the way out is told the size. So frames are as large as
//! what runs in them needs.

use dynasmrt::x64::X64Relocation;
use dynasmrt::{DynasmApi, DynasmError, VecAssembler};
use pyrite_jit_codecache::CodeCache;
use pyrite_jit_ir::word;
use pyrite_jit_regalloc::{Class, Reg};

use crate::BackendError;
use crate::layout::Layout;
use crate::lower::{ACTIVATION_EXIT, ACTIVATION_FRAME};
use crate::regs::{CALLEE_SAVED, GPR, R14, R15, RSP, SAVE_WORDS, XMM, save_word};

/// Addresses of the shared code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blobs {
    /// `extern "C" fn(vm, window base, code) -> result of on_exit`.
    pub(crate) enter: usize,
    /// Jumped to with the exit id in eax and the frame's bytes in ecx.
    pub(crate) exit: usize,
    /// The way out without an exit.
    pub(crate) leave: usize,
    /// Called with the site id in eax.
    pub(crate) alloc: usize,
    /// Called with the object in rax.
    pub(crate) barrier: usize,
}

/// Bytes of the activation record and the padding that aligns the frame.
const ACTIVATION_BYTES: i32 = 40;
const ACTIVATION_BASE: i32 = 8;

struct Blob {
    ops: VecAssembler<X64Relocation>,
}

macro_rules! asm {
    ($a:expr ; $($t:tt)*) => { ::dynasmrt::dynasm!($a.ops ; .arch x64 ; $($t)*) };
}

impl Blobs {
    pub(crate) fn new(cache: &mut CodeCache, layout: &Layout) -> Result<Self, BackendError> {
        let enter = place(cache, |b| enter(b, layout))?;
        let exit = place(cache, |b| exit(b, layout))?;
        let leave = place(cache, |b| leave(b, layout))?;
        let alloc = place(cache, |b| {
            // site id, frame, window base; then no stale word may stay behind.
            slow_call(b, layout.alloc_slow as usize, true, |b| {
                asm!(b ; mov esi, eax ; lea rdx, [rsp + 8 * SAVE_WORDS] ; mov rcx, rbx);
            });
        })?;
        let barrier = place(cache, |b| {
            slow_call(b, layout.barrier_slow as usize, false, |b| {
                asm!(b ; mov rsi, rax);
            });
        })?;
        Ok(Self {
            enter,
            exit,
            leave,
            alloc,
            barrier,
        })
    }
}

fn place(cache: &mut CodeCache, emit: impl FnOnce(&mut Blob)) -> Result<usize, BackendError> {
    let mut blob = Blob {
        ops: VecAssembler::new(cache.next_address(16)),
    };
    emit(&mut blob);
    let code = blob
        .ops
        .finalize()
        .map_err(|e: DynasmError| BackendError::Assemble(e.to_string()))?;
    Ok(cache.append(16, &code)?.address)
}

fn enter(b: &mut Blob, layout: &Layout) {
    asm!(b
        ; push rbp ; push rbx ; push r12 ; push r13 ; push r14 ; push r15
        ; sub rsp, DWORD ACTIVATION_BYTES
        ; mov rax, [rdi + layout.activation]
        ; mov [rsp], rax
        ; mov [rsp + ACTIVATION_BASE], rsi
        ; mov QWORD [rsp + ACTIVATION_FRAME], DWORD 0
        ; mov QWORD [rsp + ACTIVATION_EXIT], DWORD 0
        ; mov [rdi + layout.activation], rsp
        ; mov rbx, rsi
        ; mov r14, rdi
        ; mov Rq(R15), QWORD word::INT_BIAS as i64
        ; jmp rdx
    );
}

fn exit(b: &mut Blob, layout: &Layout) {
    let bytes = 8 * SAVE_WORDS;
    asm!(b ; sub rsp, DWORD bytes ; mov [rsp + (bytes - 8)], rcx);
    save(b);
    asm!(b
        ; mov rdi, r14
        ; mov esi, eax
        ; lea rdx, [rsp + bytes]
        ; mov rcx, rbx
        ; mov rax, QWORD layout.on_exit as usize as i64
        ; call rax
        ; mov rcx, [rsp + (bytes - 8)]
        ; lea rsp, [rsp + rcx + bytes]
        ; mov rcx, [rsp]
        ; mov [Rq(R14) + layout.activation], rcx
        ; add rsp, DWORD ACTIVATION_BYTES
        ; pop r15 ; pop r14 ; pop r13 ; pop r12 ; pop rbx ; pop rbp
        ; ret
    );
}

/// The way out of `ret`: as behind an exit, with exit number 0. `rcx` has the frame's bytes.
fn leave(b: &mut Blob, layout: &Layout) {
    asm!(b
        ; add rsp, rcx
        ; mov rcx, [rsp]
        ; mov [Rq(R14) + layout.activation], rcx
        ; add rsp, DWORD ACTIVATION_BYTES
        ; xor eax, eax
        ; pop r15 ; pop r14 ; pop r13 ; pop r12 ; pop rbx ; pop rbp
        ; ret
    );
}

/// Saves all value registers, calls `function(vm, ...)`, reloads them and returns.
fn slow_call(b: &mut Blob, function: usize, clean: bool, arguments: impl FnOnce(&mut Blob)) {
    // The return address is the frame's word -1.
    let bytes = 8 * (SAVE_WORDS - 1);
    asm!(b ; sub rsp, DWORD bytes);
    save(b);
    arguments(b);
    asm!(b ; mov rdi, r14);
    if clean {
        // The function would push what these hold, alive or not; it reads the save area instead.
        for reg in CALLEE_SAVED.iter() {
            asm!(b ; xor Rd(reg.number()), Rd(reg.number()));
        }
    }
    asm!(b ; mov rax, QWORD function as i64 ; call rax);
    for reg in GPR.into_iter().chain(XMM) {
        let at = saved_at(reg);
        match reg.class() {
            Class::Gpr => asm!(b ; mov Rq(reg.number()), [Rq(RSP) + at]),
            Class::Xmm => asm!(b ; movsd Rx(reg.number()), [Rq(RSP) + at]),
        }
    }
    if clean {
        asm!(b ; xor eax, eax);
        for reg in GPR {
            asm!(b ; mov [Rq(RSP) + saved_at(reg)], rax);
        }
    }
    asm!(b ; add rsp, DWORD bytes ; ret);
}

/// Offset of a saved register from rsp, when rsp is [`SAVE_WORDS`] below the frame.
fn saved_at(reg: Reg) -> i32 {
    8 * (SAVE_WORDS + save_word(reg))
}

fn save(b: &mut Blob) {
    for reg in GPR.into_iter().chain(XMM) {
        let at = saved_at(reg);
        match reg.class() {
            Class::Gpr => asm!(b ; mov [Rq(RSP) + at], Rq(reg.number())),
            Class::Xmm => asm!(b ; movsd [Rq(RSP) + at], Rx(reg.number())),
        }
    }
}
