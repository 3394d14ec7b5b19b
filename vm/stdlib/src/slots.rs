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
/// The `_thread._local` objects, a list of weak references.
pub const LOCALS: usize = 188;
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
/// `_io`'s classes: unsupported.
pub const IO_UNSUPPORTED: usize = 241;
/// `_io`'s classes: base.
pub const IO_BASE: usize = 240;
/// `_io`'s classes: raw base.
pub const IO_RAW_BASE: usize = 239;
/// `_io`'s classes: buffered base.
pub const IO_BUFFERED_BASE: usize = 238;
/// `_io`'s classes: text base.
pub const IO_TEXT_BASE: usize = 237;
/// `_io`'s classes: fileio.
pub const IO_FILEIO: usize = 236;
/// `_io`'s classes: reader.
pub const IO_READER: usize = 235;
/// `_io`'s classes: writer.
pub const IO_WRITER: usize = 234;
/// `_io`'s classes: random.
pub const IO_RANDOM: usize = 233;
/// `_io`'s classes: pair.
pub const IO_PAIR: usize = 232;
/// `_io`'s classes: bytesio.
pub const IO_BYTESIO: usize = 231;
/// `_io`'s classes: stringio.
pub const IO_STRINGIO: usize = 230;
/// `_io`'s classes: newline.
pub const IO_NEWLINE: usize = 229;
/// `_io`'s classes: text.
pub const IO_TEXT: usize = 228;

// Classes of modules that their own functions test for.

/// `_collections.deque`
pub const DEQUE: usize = 190;
/// `_collections._deque_iterator`
pub const DEQUE_ITER: usize = 189;
/// `_collections._deque_reverse_iterator`
pub const DEQUE_REVERSE_ITER: usize = 188;
/// `_collections.defaultdict`
pub const DEFAULTDICT: usize = 187;
/// `functools.KeyWrapper`
pub const CMP_KEY: usize = 186;
/// `functools.partial`
pub const PARTIAL: usize = 185;
/// `weakref.ProxyType`
pub const WEAK_PROXY: usize = 199;
/// `weakref.CallableProxyType`
pub const WEAK_CALLABLE_PROXY: usize = 198;
/// `gc.callbacks`, a list.
pub const GC_CALLBACKS: usize = 197;
/// `gc.garbage`, a list.
pub const GC_GARBAGE: usize = 196;
/// What `gc.freeze` took out of sight, a count.
pub const GC_SETTINGS: usize = 195;
/// What `atexit` calls, a list of (function, args, kwargs).
pub const ATEXIT: usize = 194;
/// Python's signal handlers by number, a list.
pub const SIGNAL_HANDLERS: usize = 193;
/// `signal.ItimerError`
pub const ITIMER_ERROR: usize = 192;
/// `signal.struct_siginfo`
pub const SIGINFO: usize = 191;
/// `os.register_at_fork`'s three lists.
pub const AT_FORK: usize = 190;
/// `posix.waitid_result`
pub const WAITID_RESULT: usize = 187;
/// `posix.sched_param`
pub const SCHED_PARAM: usize = 186;
/// `resource.struct_rusage`
pub const RUSAGE: usize = 189;
/// Files that `faulthandler` writes to: on fatal signals, after a time, on demand.
pub const FAULT_FILE: usize = 185;
/// See [`FAULT_FILE`].
pub const FAULT_LATER_FILE: usize = 184;
/// See [`FAULT_FILE`].
pub const FAULT_USER_FILES: usize = 183;
