//! Places in `Vm::statics` for objects that native modules hold for themselves.
//!
//! They count from the table's end; what `Vm::new_static` gives out counts from
//! its start. A slot is null until its module was made.

/// Class of tuple field descriptors.
pub const TUPLE_GETTER: usize = 255;
/// `posix.stat_result`
pub const STAT_RESULT: usize = 254;
/// `posix.DirEntry`
pub const DIR_ENTRY: usize = 253;
/// `posix`'s iterator of directory entries.
pub const SCANDIR: usize = 252;
/// `posix.terminal_size`
pub const TERMINAL_SIZE: usize = 251;
/// `posix.uname_result`
pub const UNAME_RESULT: usize = 250;
/// `posix.times_result`
pub const TIMES_RESULT: usize = 249;
/// `_thread.lock`
pub const LOCK: usize = 248;
/// `_thread.RLock`
pub const RLOCK: usize = 247;
/// `_warnings`' filters, a list.
pub const WARN_FILTERS: usize = 246;
/// `_warnings`' once registry, a dict.
pub const WARN_ONCE: usize = 245;
/// `_warnings`' filters version, an int.
pub const WARN_VERSION: usize = 244;
/// `posix.statvfs_result`
pub const STATVFS_RESULT: usize = 243;
/// Nesting of the import lock, an int.
pub const IMPORT_LOCK: usize = 242;
