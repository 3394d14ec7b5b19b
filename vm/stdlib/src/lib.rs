//! Pyrite's native modules, one file each.

pub mod builtins;
