//! A simplified Python: ints of 64 bits, floats, objects with attributes, functions, `if`,
//! `while`, `print`. It is a test of the JIT from the middle: its instructions are written over the
//! same traits as Pyrite's, and not a line here is about compiling.
//!
//! [`compile`] makes register code of source text, `ops` holds the instructions' meaning, written
//! once; `pyrite-jit-guest` is the VM around them.
//!
//! Differences from Python: integers beyond 64 bits are an error, and so is a divisor that is not
//! above zero in `//` and `%`, or zero in `/`; truths are the ints 1 and 0; all classes are one (an
//! object is what attributes it got); names are locals (`None` at first) or functions.

mod compile;
mod ops;

pub use compile::compile;

use pyrite_gc::Config;
use pyrite_jit_record::drive::{Counts, Params};

/// How a program ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    pub output: String,
    pub error: Option<String>,
}

/// Runs a program, and says what the JIT did; without parameters there is none.
///
/// # Errors
/// What the compiler refuses, or when there is no memory to begin with.
pub fn run(text: &str, gc: Config, jit: Option<Params>) -> Result<(Outcome, Counts), String> {
    let ended = pyrite_jit_guest::run(ops::Tiny::default(), compile(text)?, gc, jit);
    let ended = ended.map_err(|e| e.to_string())?;
    let (output, error) = (ended.lang.output, ended.error);
    Ok((Outcome { output, error }, ended.counts))
}
