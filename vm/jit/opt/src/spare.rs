//! Memory of traces for those that come next.
//!
//! A trace grows while it is recorded, and again when its second iteration is added; what is kept for
//! as long as the code ([`pyrite_jit_ir::Kept`]) is a small part of it. So recording, passes and
//! backend work in traces that are used again and again: a compiler that touches fresh memory for each
//! trace pays for it with page faults.

use std::cell::RefCell;

use pyrite_jit_ir::{Trace, TraceId, TraceKind};

thread_local! {
    static SPARE: RefCell<Vec<Trace>> = const { RefCell::new(Vec::new()) };
}

/// Traces in store.
const MAX_SPARE: usize = 3;

/// A trace of more ops is not worth its memory.
const MAX_OPS: usize = 16_384;

/// An empty trace with room.
pub(crate) fn take(id: TraceId, kind: TraceKind) -> Trace {
    let spare = SPARE.try_with(|spare| spare.borrow_mut().pop());
    match spare.ok().flatten() {
        Some(mut trace) => {
            trace.restart(id, kind);
            trace
        }
        None => Trace::new(id, kind),
    }
}

/// Keeps the memory of a trace that is done with, for a recording to come.
pub fn give(trace: Trace) {
    // At a thread's end the store may be gone already.
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.len() < MAX_SPARE && trace.ops.capacity() <= MAX_OPS {
            spare.push(trace);
        }
    });
}
