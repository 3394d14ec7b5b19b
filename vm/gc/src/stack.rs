//! The native stack: its bounds, and the stub that makes registers visible on it.

use crate::GcError;
use crate::heap::Core;

/// Highest address of the calling thread's stack, exclusive.
pub(crate) fn current_stack_base() -> Result<*const u64, GcError> {
    let check = |code: i32| match code {
        0 => Ok(()),
        _ => Err(GcError::StackBounds(std::io::Error::from_raw_os_error(
            code,
        ))),
    };
    // SAFETY: plain calls on a local attribute object that `pthread_getattr_np` fills.
    unsafe {
        let mut attr = std::mem::zeroed::<libc::pthread_attr_t>();
        check(libc::pthread_getattr_np(libc::pthread_self(), &mut attr))?;
        let mut low = std::ptr::null_mut();
        let mut bytes = 0;
        let code = libc::pthread_attr_getstack(&attr, &mut low, &mut bytes);
        libc::pthread_attr_destroy(&mut attr);
        check(code)?;
        Ok((low as usize + bytes) as *const u64)
    }
}

/// Zeroes the part of the native stack that the next calls will use.
///
/// Frames have words that they never write; what lies there was left by frames of
/// before, the collector's own for instance, and would keep dead objects alive.
#[inline(never)]
pub fn wipe_stack() {
    let mut area = [0u64; 2048];
    std::hint::black_box(&mut area);
}

/// Calls `f(data, sp)` with all callee-saved registers stored at and above `sp`, for a
/// thread that lets others run: what it holds lies in `sp..stack base`.
pub fn with_spilled_registers(
    data: *mut std::ffi::c_void,
    f: extern "C" fn(*mut std::ffi::c_void, *const u64),
) {
    // SAFETY: the stub hands its first argument through, whatever it points to, and
    // a C function may be called with one argument more than it looks at.
    unsafe {
        let f = std::mem::transmute::<
            extern "C" fn(*mut std::ffi::c_void, *const u64),
            unsafe extern "C" fn(*mut Core, *const u64, u64),
        >(f);
        with_registers_on_stack(data.cast(), f, 0);
    }
}

/// Calls `f(core, sp, arg)` with all callee-saved registers stored at and above `sp`.
///
/// So whatever the callers hold lies in `sp..stack base`, and nothing of the collector's
/// own frames does: those may hold words of an earlier collection, and would keep dead
/// objects alive.
///
/// # Safety
/// `f` may be called with these arguments.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn with_registers_on_stack(
    core: *mut Core,
    f: unsafe extern "C" fn(*mut Core, *const u64, u64),
    arg: u64,
) {
    // Seven pushes and the return address: rsp is 16-aligned at the call.
    std::arch::naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "push 0",
        "mov rax, rsi",
        "mov rsi, rsp",
        "call rax",
        "add rsp, 56",
        "ret",
    )
}

/// Calls `f(core, sp, arg)` with all callee-saved registers stored at and above `sp`.
///
/// # Safety
/// `f` may be called with these arguments.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn with_registers_on_stack(
    core: *mut Core,
    f: unsafe extern "C" fn(*mut Core, *const u64, u64),
    arg: u64,
) {
    std::arch::naked_asm!(
        "stp x29, x30, [sp, #-160]!",
        "stp x19, x20, [sp, #16]",
        "stp x21, x22, [sp, #32]",
        "stp x23, x24, [sp, #48]",
        "stp x25, x26, [sp, #64]",
        "stp x27, x28, [sp, #80]",
        "stp d8, d9, [sp, #96]",
        "stp d10, d11, [sp, #112]",
        "stp d12, d13, [sp, #128]",
        "stp d14, d15, [sp, #144]",
        "mov x29, sp",
        "mov x9, x1",
        "mov x1, sp",
        "blr x9",
        "ldp x29, x30, [sp], #160",
        "ret",
    )
}
