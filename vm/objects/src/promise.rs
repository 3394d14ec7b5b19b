//! What native functions declare, checked.
//!
//! Compiled code believes a native function's [`effects`]: around one that declares
//! to run no Python code nothing is written back, around one that declares to look
//! at no frames there are none to be seen, after one that writes nothing all that is
//! known of the heap still holds. A wrong declaration is a wrong result somewhere
//! else, in one mode and not in others.
//!
//! With debug assertions each native function therefore runs under its promise, in
//! every mode, and the places where a promise can be broken ask for it: where Python
//! code begins, where frames are walked, where an old object is written, where the
//! VM's lock is given up. A broken promise is a panic that names the function.
//! Without debug assertions nothing of this is left.
//!
//! Not checked: writes to young objects, and of integers to any, since those have no
//! barrier that could ask; and writes after a collection while the promise holds,
//! since what the function has made itself may be old by then.

use crate::native::effects;
use crate::vm::Vm;
use pyrite_machine::{Header, Value};

/// The promise that native code runs under.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    who: &'static str,
    effects: u8,
    /// Collections before it.
    collections: u64,
}

/// The bits of [`effects::CALLS`] and [`effects::WRITES`] that are their own.
const CALLS: u8 = effects::CALLS & !effects::WRITES & !effects::ALLOC & !effects::RAISES;
const WRITES: u8 = effects::WRITES & !effects::READS;

impl Vm {
    /// Runs `work`, which has at most these effects; what it calls is bound by the
    /// promise as well.
    #[inline(always)]
    pub fn promising<T>(
        &mut self,
        who: &'static str,
        effects: u8,
        work: impl FnOnce(&mut Vm) -> T,
    ) -> T {
        if !cfg!(debug_assertions) {
            return work(self);
        }
        let outer = self.promise;
        self.promise = match outer {
            Some(p) if p.effects & !effects == 0 => outer,
            Some(p) => Some(Promise {
                who,
                effects: p.effects & effects,
                ..p
            }),
            None if effects == effects::ANY => None,
            None => Some(Promise {
                who,
                effects,
                collections: self.collections(),
            }),
        };
        let result = work(self);
        self.promise = outer;
        result
    }

    /// Runs `work`, Python code that nobody promised anything about.
    ///
    /// # Panics
    /// With debug assertions, when native code is at work that promised to run none.
    #[inline(always)]
    pub fn in_python<T>(&mut self, work: impl FnOnce(&mut Vm) -> T) -> T {
        if !cfg!(debug_assertions) {
            return work(self);
        }
        self.held_to(CALLS, "runs Python code");
        let outer = self.promise.take();
        let result = work(self);
        self.promise = outer;
        result
    }

    /// Frames are looked at.
    ///
    /// # Panics
    /// With debug assertions, when native code is at work that promised not to.
    #[inline(always)]
    pub fn looks_at_frames(&self) {
        // Python code may, so whoever may run some may as well.
        self.held_to(effects::FRAMES | CALLS, "looks at frames");
    }

    /// Other threads may run.
    ///
    /// # Panics
    /// With debug assertions, when native code is at work that promised to run no
    /// Python code.
    #[inline(always)]
    pub fn lets_others_run(&self) {
        self.held_to(CALLS, "lets other threads run");
    }

    /// An object is written.
    ///
    /// # Panics
    /// With debug assertions, when it is old and native code is at work that promised
    /// to write nothing.
    #[inline(always)]
    pub(crate) fn writes(&self, object: Value) {
        if !cfg!(debug_assertions) {
            return;
        }
        let meanwhile = self
            .promise
            .is_none_or(|p| p.collections != self.collections());
        // SAFETY: a pointer value names a live object.
        let old = unsafe { *object.ptr() } & Header::OLD != 0;
        if old && !meanwhile {
            self.held_to(WRITES, "writes an object");
        }
    }

    fn collections(&self) -> u64 {
        let s = self.heap.stats();
        s.minor_collections + s.full_collections
    }

    #[inline(always)]
    fn held_to(&self, effect: u8, does: &str) {
        if cfg!(debug_assertions)
            && let Some(p) = self.promise
        {
            assert!(
                p.effects & effect != 0,
                "{} {does}, which it does not declare",
                p.who
            );
        }
    }
}
