//! Where threads wait for locks: a few words that the kernel knows how to wait on.
//!
//! A waiter reads a word while it holds the VM's lock, sees that its lock is taken,
//! and then waits for the word to change; whoever frees a lock changes the word of
//! that lock's place. Locks that share a place wake each other for nothing.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const PLACES: usize = 64;

struct Place {
    word: AtomicU32,
    waiting: AtomicU32,
}

static ALL: [Place; PLACES] = [const {
    Place {
        word: AtomicU32::new(0),
        waiting: AtomicU32::new(0),
    }
}; PLACES];

/// Why a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Waited {
    /// The word changed, or the time is over.
    Over,
    /// A signal arrived.
    Interrupted,
}

/// The word of a place, to be handed to [`wait`].
pub(super) fn look(place: usize) -> u32 {
    ALL[place % PLACES].word.load(Ordering::SeqCst)
}

/// Waits until the word of a place is no longer `seen`.
pub(super) fn wait(place: usize, seen: u32, time: Option<Duration>) -> Waited {
    let p = &ALL[place % PLACES];
    let spec = time.map(|t| libc::timespec {
        tv_sec: t.as_secs().min(i64::MAX as u64 / 4) as i64,
        tv_nsec: t.subsec_nanos().into(),
    });
    let spec = spec.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    p.waiting.fetch_add(1, Ordering::SeqCst);
    // SAFETY: the word is a static; the kernel only compares it.
    let r = unsafe {
        libc::syscall(
            libc::SYS_futex,
            p.word.as_ptr(),
            libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
            seen,
            spec,
        )
    };
    let e = crate::fs::last_errno();
    p.waiting.fetch_sub(1, Ordering::SeqCst);
    if r != 0 && e == libc::EINTR {
        Waited::Interrupted
    } else {
        Waited::Over
    }
}

/// Changes the word of a place and wakes those who wait there.
pub(super) fn wake(place: usize) {
    let p = &ALL[place % PLACES];
    p.word.fetch_add(1, Ordering::SeqCst);
    if p.waiting.load(Ordering::SeqCst) == 0 {
        return;
    }
    // SAFETY: the word is a static.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            p.word.as_ptr(),
            libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG,
            i32::MAX,
        );
    }
}
