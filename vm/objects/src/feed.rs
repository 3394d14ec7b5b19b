//! Items of an iterator for the loops of built-in functions (`sum`, `any`, `list`, ...).
//!
//! A loop in Rust resumes a generator from outside at each item, and no trace can
//! hold both. So once a generator's code has given a good many items this way, the
//! rest is left to the same loop written in Python: one function for each kind of
//! loop and each generator's code, so that loop and generator become one trace of
//! their own. The function is flagged hidden: no frame, traceback or event shows it.
//!
//! What the Python loop does with an item must be what the Rust loop does, in the
//! same order. While somebody traces, all loops stay in Rust.

use crate::code::CodeData;
use crate::layout::{Gc, PyFunction, PyGenerator};
use crate::vm::{R, Vm, kept};
use pyrite_machine::Value;

/// Items of one generator's code before its loops move to Python.
const WARM: u32 = 300;

/// A loop over an iterator's items, with what it has so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loop {
    /// The sum so far.
    Sum,
    /// Nothing.
    Any,
    /// Nothing.
    All,
    /// The least so far.
    Min,
    /// The greatest so far.
    Max,
    /// A list.
    Append,
}

impl Loop {
    /// The loop as a Python function of the iterator and what it has so far.
    #[must_use]
    pub fn source(self) -> &'static str {
        match self {
            Loop::Sum => {
                "def sum(it, so_far):\n for x in it: so_far = so_far + x\n return so_far\n"
            }
            Loop::Any => {
                "def any(it, so_far):\n for x in it:\n  if x: return True\n return False\n"
            }
            Loop::All => {
                "def all(it, so_far):\n for x in it:\n  if not x: return False\n return True\n"
            }
            Loop::Min => {
                "def min(it, so_far):\n for x in it:\n  if x < so_far: so_far = x\n return so_far\n"
            }
            Loop::Max => {
                "def max(it, so_far):\n for x in it:\n  if x > so_far: so_far = x\n return so_far\n"
            }
            Loop::Append => {
                "def append(it, so_far):\n for x in it: so_far.append(x)\n return so_far\n"
            }
        }
    }
}

/// What [`Feed::next`] has.
#[derive(Clone, Copy, Debug)]
pub enum Fed {
    Item(Value),
    End,
    /// The loop's result: the rest was done in Python.
    Done(Value),
}

/// The items of an iterator.
pub struct Feed {
    it: Value,
    /// The code of a generator whose items are counted, or null.
    code: *const CodeData,
    kind: Loop,
}

impl Feed {
    /// The items of an iterable for a loop of this kind.
    ///
    /// # Errors
    /// TypeError if it is not iterable, and what its `__iter__` raises.
    pub fn new(vm: &mut Vm, iterable: Value, kind: Loop) -> R<Feed> {
        let it = vm.get_iter(iterable)?;
        let code = if it.is_ptr() && vm.class_of(it) == vm.types.generator {
            let g: Gc<PyGenerator> = Gc::from_value(it);
            Gc::<PyFunction>::from_value(g.func.get()).code_data.get()
        } else {
            std::ptr::null()
        };
        Ok(Feed { it, code, kind })
    }

    /// The next item; `so_far` is what the loop has, as its kind says.
    ///
    /// # Errors
    /// What the iterator raises, and the loop in Python.
    #[inline]
    pub fn next(&mut self, vm: &mut Vm, so_far: Value) -> R<Fed> {
        if !self.code.is_null() {
            // SAFETY: code data is never freed.
            let given = unsafe { &(*self.code).given };
            if given.get() < WARM {
                given.set(given.get() + 1);
            } else if vm.tracing == 0 {
                return vm.loop_in_python(self, so_far).map(Fed::Done);
            }
        }
        self.step(vm)
    }

    /// The next item of a loop that stays in Rust.
    ///
    /// # Errors
    /// What the iterator raises.
    #[inline]
    pub fn step(&mut self, vm: &mut Vm) -> R<Fed> {
        Ok(match vm.iter_next(self.it)? {
            Some(v) => Fed::Item(v),
            None => Fed::End,
        })
    }
}

impl Vm {
    fn loop_in_python(&mut self, feed: &Feed, so_far: Value) -> R {
        let f = self.loop_function(feed);
        let so_far = if so_far.is_null() { self.none } else { so_far };
        self.call(f, &[feed.it, so_far])
    }

    /// The loop's function for this generator's code, made when first asked for.
    fn loop_function(&mut self, feed: &Feed) -> Value {
        if self.statics[kept::LOOPS].is_null() {
            self.statics[kept::LOOPS] = self.new_dict();
        }
        let functions = self.statics[kept::LOOPS];
        // Code data is never freed, and aligned to more than there are kinds.
        let key = self.new_int(feed.code as i64 | feed.kind as i64);
        if let Some(f) = self.dict_get_plain(functions, key)
            && f.is_some()
        {
            return f;
        }
        let f = (self.hooks.loop_function)(self, feed.kind);
        self.dict_put_plain(functions, key, f, true);
        f
    }
}
