//! Generators: state and resumption from Rust.

use crate::layout::{Gc, PyGenerator};
use crate::vm::{R, Vm};
use pyrite_machine::Value;

/// [`PyGenerator::state`] values.
pub mod state {
    /// Not started.
    pub const CREATED: u64 = 0;
    pub const SUSPENDED: u64 = 1;
    pub const RUNNING: u64 = 2;
    pub const FINISHED: u64 = 3;
    /// Mask of the values above; flags of the async kinds lie higher.
    pub const MASK: u64 = 0xFF;
    /// An async generator's `aclose` or `athrow` runs.
    pub const CLOSING: u64 = 0x100;
    /// An async generator's hooks were called.
    pub const HOOKS_INITED: u64 = 0x200;
    /// An async generator's `asend` or `athrow` is in progress.
    pub const RUNNING_ASYNC: u64 = 0x400;
    /// It handles an exception itself, which stays with it while it is suspended.
    pub const HANDLES: u64 = 0x800;
    /// It has a frame object, which each resumption takes over.
    pub const HAS_FRAME: u64 = 0x1000;
}

/// How a resumption ended, if it did not raise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resumed {
    Yielded(Value),
    Returned(Value),
}

impl Vm {
    /// `next(generator)`, or `None` when it returns.
    pub fn generator_next(&mut self, g: Value) -> R<Option<Value>> {
        let none = self.none;
        match (self.hooks.resume)(self, g, none, Value::NULL)? {
            Resumed::Yielded(v) => Ok(Some(v)),
            Resumed::Returned(_) => Ok(None),
        }
    }

    /// `generator.send(v)`; raises StopIteration when it returns.
    pub fn generator_send(&mut self, g: Value, v: Value) -> R {
        match (self.hooks.resume)(self, g, v, Value::NULL)? {
            Resumed::Yielded(v) => Ok(v),
            Resumed::Returned(v) => {
                let v = if v == self.none { Value::NULL } else { v };
                Err(self.stop_iteration(v))
            }
        }
    }

    /// State number of a generator.
    pub fn generator_state(&self, g: Value) -> u64 {
        Gc::<PyGenerator>::from_value(g).state.get() & state::MASK
    }
}
