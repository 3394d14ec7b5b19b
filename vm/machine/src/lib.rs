//! What every interpreter built on the JIT shares: the value word, the object
//! header, and the `Machine` traits its bytecode handlers are written over.
//! Nothing here knows Python.

mod core;
mod header;
mod numbers;
pub mod plain;
pub mod plant;
mod value;

pub use core::{Cmp, Core, Ctl, Field};
pub use header::{Header, Kind, header_word};
pub use numbers::{Num, NumOf, compare, double, number};
pub use value::{INT_MAX, INT_MIN, Value};
