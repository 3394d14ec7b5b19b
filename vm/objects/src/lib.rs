//! Pyrite's object model: layouts, shapes, classes, attribute lookup, operators,
//! and the built-in types, one file each.
//!
//! Rules for everyone who writes a built-in (background: the collector moves
//! young objects and scans native stacks conservatively):
//! a [`Value`](pyrite_machine::Value) may sit in locals, arguments and on-stack
//! arrays, and may be held across allocations; it may never be put into a `Vec`,
//! `Box`, `HashMap`, static or closure box. Use a list object for collections.
//! A reference into an object (`text`, `bytes`, `tuple_items`) stays good while
//! a local holds the object; `list_items` only until the list may change.
//! After storing a value into an object that is not brand new, call the write
//! barrier (`store_word`, `Gc<Array>::put` do).

pub mod anchors;
pub mod async_gen;
pub mod attr;
pub mod boot;
pub mod buffer;
pub mod bytearray;
pub mod bytes;
pub mod call;
pub mod charmap;
pub mod code;
pub mod code_type;
pub mod codecs;
pub mod complex;
pub mod current;
pub mod descriptors;
pub mod dict;
pub mod dict_type;
pub mod dict_views;
pub mod docs;
pub mod exc;
pub mod exc_group;
pub mod exceptions;
pub mod feed;
pub mod float;
pub mod float_repr;
pub mod format_spec;
pub mod function;
pub mod generator;
pub mod generator_type;
pub mod generic;
pub mod heap;
pub mod int;
pub mod int_type;
pub mod iter;
pub mod iters;
pub mod layout;
pub mod linetable;
pub mod list;
pub mod memory;
pub mod memoryview;
pub mod memoryview_item;
pub mod misc;
pub mod names;
pub mod native;
pub mod number_text;
pub mod numbers;
pub mod object;
pub mod ops;
pub mod percent;
pub mod promise;
pub mod range;
pub mod repr;
pub mod seq;
pub mod set;
mod set_order;
pub mod shape;
pub mod singletons;
pub mod slice;
pub mod small;
pub mod sort;
pub mod str;
pub mod str_case;
pub mod str_format;
pub mod stringlib;
pub mod super_;
pub mod text;
pub mod textbuf;
pub mod threads;
pub mod traceback;
pub mod tuple;
pub mod type_;
pub mod types;
pub mod unicode;
mod utf7;
pub mod vm;

pub use layout::{Gc, Layout};
pub use pyrite_bytecode::CmpOp;
pub use pyrite_machine::{Kind, Value};
pub use vm::{R, Raised, Vm};
