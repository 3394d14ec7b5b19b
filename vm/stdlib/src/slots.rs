//! Places in `Vm::statics` for objects that native modules hold for themselves.
//!
//! They count from the table's end; what `Vm::new_static` gives out counts from
//! its start. A slot is null until its module was made. To have another one, name
//! it in the list: the numbers follow from the order.

macro_rules! slots {
    ($($(#[$doc:meta])* $name:ident)*) => {
        #[expect(non_camel_case_types, clippy::upper_case_acronyms, reason = "the names of the constants, used to number them")]
        enum Number { $($name,)* Count }
        const _: () = assert!((Number::Count as usize) < 128, "the first places belong to Vm::new_static");
        $($(#[$doc])* pub const $name: usize = 255 - Number::$name as usize;)*
    };
}

slots! {
    /// `time.struct_time`
    STRUCT_TIME
    /// `array.array`
    ARRAY
    /// `array.arrayiterator`
    ARRAY_ITER
    /// `binascii.Error`
    BINASCII_ERROR
    /// `select.poll`
    POLL
    /// `pwd.struct_passwd`
    STRUCT_PASSWD
    /// `grp.struct_group`
    STRUCT_GROUP
    /// `socket.gaierror`
    GAIERROR
    /// Timeout of new sockets: a float, or null for none.
    SOCKET_TIMEOUT
    /// `zlib.error`
    ZLIB_ERROR
    /// `zlib.Compress`
    ZLIB_COMPRESS
    /// `zlib.Decompress`
    ZLIB_DECOMPRESS
    /// `_struct.Struct`
    STRUCT
    /// `_struct.unpack_iterator`
    STRUCT_ITER
    /// `struct.error`
    STRUCT_ERROR
    /// Structs by format, a dict.
    STRUCT_CACHE
    /// `_abc._abc_data`
    ABC_DATA
    /// Count of registrations with abstract classes, an int.
    ABC_COUNTER
    /// Iterator of `_string.formatter_parser`.
    STRING_FORMATTER
    /// Iterator of `_string.formatter_field_name_split`.
    STRING_FIELDS
    /// `re.Pattern`
    RE_PATTERN
    /// `re.Match`
    RE_MATCH
    /// `_sre.SRE_Scanner`
    RE_SCANNER
    /// Class of tuple field descriptors.
    TUPLE_GETTER
    /// `posix.stat_result`
    STAT_RESULT
    /// `posix.DirEntry`
    DIR_ENTRY
    /// `posix`'s iterator of directory entries.
    SCANDIR
    /// `posix.terminal_size`
    TERMINAL_SIZE
    /// `posix.uname_result`
    UNAME_RESULT
    /// `posix.times_result`
    TIMES_RESULT
    /// `_thread.lock`
    LOCK
    /// `_thread.RLock`
    RLOCK
    /// `_warnings`' filters, a list.
    WARN_FILTERS
    /// `_warnings`' once registry, a dict.
    WARN_ONCE
    /// `_warnings`' filters version, an int.
    WARN_VERSION
    /// `posix.statvfs_result`
    STATVFS_RESULT
    /// Nesting of the import lock, an int.
    IMPORT_LOCK
    /// `_io`'s classes: unsupported.
    IO_UNSUPPORTED
    /// `_io`'s classes: base.
    IO_BASE
    /// `_io`'s classes: raw base.
    IO_RAW_BASE
    /// `_io`'s classes: buffered base.
    IO_BUFFERED_BASE
    /// `_io`'s classes: text base.
    IO_TEXT_BASE
    /// `_io`'s classes: fileio.
    IO_FILEIO
    /// `_io`'s classes: reader.
    IO_READER
    /// `_io`'s classes: writer.
    IO_WRITER
    /// `_io`'s classes: random.
    IO_RANDOM
    /// `_io`'s classes: pair.
    IO_PAIR
    /// `_io`'s classes: bytesio.
    IO_BYTESIO
    /// `_io`'s classes: stringio.
    IO_STRINGIO
    /// `_io`'s classes: newline.
    IO_NEWLINE
    /// `_io`'s classes: text.
    IO_TEXT
    /// The `_thread._local` objects, a list of weak references.
    LOCALS
    /// `_collections.deque`
    DEQUE
    /// `_collections._deque_iterator`
    DEQUE_ITER
    /// `_collections._deque_reverse_iterator`
    DEQUE_REVERSE_ITER
    /// `_collections.defaultdict`
    DEFAULTDICT
    /// `functools.KeyWrapper`
    CMP_KEY
    /// `functools.partial`
    PARTIAL
    /// `weakref.ProxyType`
    WEAK_PROXY
    /// `weakref.CallableProxyType`
    WEAK_CALLABLE_PROXY
    /// `gc.callbacks`, a list.
    GC_CALLBACKS
    /// `gc.garbage`, a list.
    GC_GARBAGE
    /// What `gc.freeze` took out of sight, a count.
    GC_SETTINGS
    /// What `atexit` calls, a list of (function, args, kwargs).
    ATEXIT
    /// Python's signal handlers by number, a list.
    SIGNAL_HANDLERS
    /// `signal.ItimerError`
    ITIMER_ERROR
    /// `signal.struct_siginfo`
    SIGINFO
    /// `os.register_at_fork`'s three lists.
    AT_FORK
    /// `posix.waitid_result`
    WAITID_RESULT
    /// `posix.sched_param`
    SCHED_PARAM
    /// `resource.struct_rusage`
    RUSAGE
    /// Files that `faulthandler` writes to: on fatal signals, after a time, on demand.
    FAULT_FILE
    /// See [`FAULT_FILE`].
    FAULT_LATER_FILE
    /// See [`FAULT_FILE`].
    FAULT_USER_FILES
    /// `_ast`'s instances of classes without fields, a dict.
    AST_SINGLETONS
    /// `_csv.Error`
    CSV_ERROR
    /// `_csv`'s registered dialects, a dict.
    CSV_DIALECTS
    /// `_csv`'s longest field, an int.
    CSV_LIMIT
    /// `_csv.Dialect`
    CSV_DIALECT
    /// `_csv.reader`
    CSV_READER
    /// `_csv.writer`
    CSV_WRITER
    /// `_contextvars.Context`
    CONTEXT
    /// `_contextvars.ContextVar`
    CONTEXT_VAR
    /// `_contextvars.Token`
    CONTEXT_TOKEN
    /// `_contextvars.Token.MISSING`
    CONTEXT_MISSING
    /// `importlib._bootstrap`, whatever programs do to `sys.modules`.
    IMPORTLIB
    /// `_testcapi.MethodDescriptor2`
    TEST_DESCRIPTOR
}
