//! The VM's state: one structure, handed to every function that needs it.
//!
//! Compiled code reads the first words through a fixed register, so their
//! offsets are asserted below.

use crate::layout::{Gc, KINDS, PyType};
use crate::shape::Shape;
use crate::types::{AttrCache, TypeCache};
use pyrite_gc::{AllocState, Heap};
use pyrite_machine::Value;
use rustc_hash::FxHashMap;
use std::sync::atomic::{AtomicU32, AtomicU64};

/// "An exception is pending in [`Vm::exc`]."
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Raised;

/// What a function that may raise returns.
pub type R<T = Value> = Result<T, Raised>;

/// Words of the VM stack.
pub const STACK_WORDS: usize = 1 << 20;

/// Bits of [`Vm::poll`].
pub mod poll {
    /// A signal waits for its Python handler.
    pub const SIGNAL: u32 = 1;
    /// Finalizers or weak-reference callbacks wait.
    pub const FINALIZERS: u32 = 2;
    /// The heap grew past its limit: MemoryError is to be raised.
    pub const MEMORY: u32 = 8;
    /// Another thread wants the lock.
    pub const GIL: u32 = 4;
    /// A trace or profile function is set.
    pub const TRACE: u32 = 16;
}

/// See the module's documentation.
#[repr(C)]
pub struct Vm {
    /// Allocation window, read and written by compiled code.
    pub alloc: AllocState,
    /// Bits of [`poll`]; checked at loop edges and calls.
    pub poll: AtomicU32,
    /// Nonzero while a trace or profile function is set.
    pub tracing: u32,
    /// Published by the interpreter before anything that may look at frames:
    /// the instruction being executed and its window.
    pub pc: u64,
    pub base: *mut Value,
    /// Value of a nested run that ended.
    pub result: Value,
    /// Lowest word of the VM stack and first word that may not be used.
    pub stack: *mut Value,
    pub stack_end: *mut Value,
    /// Windows must end below this address; a crossing counts frames (see
    /// `vm/interp`). 0 while something is to be looked at (see `threads.rs`).
    pub stack_soft: AtomicU64,
    /// What [`Vm::stack_soft`] is otherwise: no window was ever made above it but those
    /// that were counted one by one, close to the recursion limit.
    pub stack_high: *mut Value,
    /// Where the highest of those ends: up to here words may be stale.
    pub stack_beyond: *mut Value,
    /// Threads of the program; null until there is a lock to hold.
    pub threads: *mut crate::threads::Threads,
    /// Native stack pointers below this raise RecursionError.
    pub native_limit: u64,
    /// Lowest address of the innermost interpreter loop's native frame, in which the
    /// callee-saved registers of all frames above are stored; 0: unknown.
    pub run_floor: u64,
    /// The same while a call instruction is at work that the loop carries out itself:
    /// no frame below holds a reference of its own.
    pub call_floor: u64,
    /// The same for the function that asks for a collection; see `vm/stdlib`'s `gc`.
    pub collect_floor: u64,
    /// Python calls in progress, and how many are allowed.
    pub depth: u32,
    pub depth_limit: u32,
    /// Finalizers and callbacks of weak references are being run.
    pub finalizing: bool,
    /// The program is over: what runs now are finalizers.
    pub ending: bool,
    /// Comparisons and prints in progress inside each other; see [`Vm::nested`].
    pub nesting: u32,
    /// The pending exception, or null.
    pub exc: Value,
    /// The exception being handled (`sys.exc_info()`), or null.
    pub handled: Value,
    pub heap: Heap,
    pub all_shapes: *mut Shape,
    pub shape_tags: u32,
    /// Shape of storage arrays.
    pub storage_shape: u32,
    /// Code units loaded so far.
    pub code_serial: u32,
    pub type_versions: u32,
    pub keys_versions: u32,
    pub types: Types,
    pub names: crate::names::Names,
    pub none: Value,
    pub true_: Value,
    pub false_: Value,
    pub ellipsis: Value,
    pub not_implemented: Value,
    pub empty_tuple: Value,
    pub empty_str: Value,
    pub empty_bytes: Value,
    /// One-character strings below U+0100.
    pub latin1: [Value; 256],
    /// Interned strings by content; entries pin their strings.
    pub interned: FxHashMap<Box<str>, u64>,
    /// Further interned strings that are no valid UTF-8, by code points.
    pub interned_wide: FxHashMap<Box<[u32]>, u64>,
    pub type_cache: TypeCache,
    pub attr_cache: AttrCache,
    /// `builtins` and `sys.modules` as dicts.
    pub builtins: Value,
    pub modules: Value,
    /// `sys`'s namespace.
    pub sys_dict: Value,
    /// Objects kept alive by native modules, by slot number.
    pub statics: [Value; 256],
    pub statics_used: usize,
    /// Number of the text file class among the statics.
    pub file_class: usize,
    /// Secret keys of string hashing.
    pub hash_key: (u64, u64),
    /// What the interpreter lends to this crate.
    pub hooks: Hooks,
    /// Objects whose repr is in progress, innermost last, as a list object.
    pub repr_stack: Value,
    /// The running thread's `contextvars.Context`, or null.
    pub context: Value,
    /// Command line and environment settings.
    pub config: Config,
    /// What the interpreter tells about frames.
    pub frame_hooks: crate::small::FrameHooks,
    /// Frames watched by someone: see `frame.rs`.
    pub frame_list: Value,
    /// Invalidation callback of the JIT: a watched thing changed.
    pub jit: *mut u8,
    /// Innermost run of machine code (see `vm/jit/x64`).
    pub activation: *mut u8,
    /// The interpreter's own state.
    pub interp: *mut u8,
    /// Iterations of a loop before it is recorded.
    pub loop_threshold: i32,
    /// While traced: the instruction just executed began a frame.
    pub frame_began: bool,
    /// What the native code at work promised; none where anything may happen.
    pub promise: Option<crate::promise::Promise>,
    /// Frames that a coroutine remembers of where it was made.
    pub coroutine_origin_depth: u32,
}

/// Places in [`Vm::statics`] of objects that this crate keeps.
pub mod kept {
    /// Called when an async generator is first stepped, or null.
    pub const ASYNCGEN_FIRST: usize = 120;
    /// Called when an unfinished async generator dies, or null.
    pub const ASYNCGEN_FINALIZER: usize = 121;
    /// The trace and the profile function, or null.
    pub const TRACE: usize = 122;
    pub const PROFILE: usize = 123;
    /// Class of what `sys.get_asyncgen_hooks` returns.
    pub const ASYNCGEN_HOOKS: usize = 124;
    /// Functions that `sys.addaudithook` added, a list or null.
    pub const AUDIT_HOOKS: usize = 125;
    /// Functions for loops over generators, a dict or null: see [`crate::feed`].
    pub const LOOPS: usize = 126;
}

const _: () = assert!(std::mem::offset_of!(Vm, alloc) == 0);

/// Functions of crates above this one.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// Runs a Python function on bound arguments already in a fresh window; see `call.rs`.
    pub run_function: fn(&mut Vm, func: Value, args: &[Value], kwnames: Value) -> R,
    /// Resumes a generator: `value` sent in, or an exception thrown when `exc` is some.
    pub resume:
        fn(&mut Vm, generator: Value, value: Value, exc: Value) -> R<crate::generator::Resumed>,
    /// Runs module-level code in globals and a namespace.
    pub run_code: fn(&mut Vm, code: Value, globals: Value, namespace: Value, closure: Value) -> R,
    /// Compiles source text to a code object: source (str or bytes), file name, mode ("exec", "eval", "single"), flags, optimize.
    pub compile:
        fn(&mut Vm, source: Value, filename: Value, mode: &str, flags: u32, optimize: i32) -> R,
    /// A hidden function that runs a built-in function's loop.
    pub loop_function: fn(&mut Vm, crate::feed::Loop) -> Value,
    /// A watched dict, class or function changed: invalidate what depends on it.
    /// Null: everything, since the program is traced from now on.
    pub invalidate: fn(&mut Vm, object: Value),
    /// Calls the Python handlers of signals that arrived.
    pub signals: fn(&mut Vm) -> R<()>,
    /// This process is the child of a fork: what the JIT shared with its parent
    /// must become its own.
    pub forked: fn(&mut Vm),
    /// The running thread is about to end.
    pub thread_ended: fn(&mut Vm),
    /// The Unicode name of a character.
    pub character_name: fn(u32) -> Option<String>,
    /// The character with a Unicode name or alias, in any case.
    pub named_character: fn(&str) -> Option<u32>,
}

/// Settings from the command line and the environment.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub isolated: bool,
    pub ignore_environment: bool,
    pub no_site: bool,
    pub no_user_site: bool,
    pub dont_write_bytecode: bool,
    /// Where compiled files go instead of beside their sources.
    pub pycache_prefix: Option<String>,
    pub unbuffered: bool,
    pub verbose: u32,
    pub optimize: u32,
    pub quiet: bool,
    pub inspect: bool,
    pub interactive: bool,
    pub bytes_warning: u32,
    pub safe_path: bool,
    pub dev_mode: bool,
    pub utf8_mode: bool,
    /// Limit of int/str conversions if one was given; 0: none.
    pub int_max_str_digits: Option<usize>,
    pub warn_options: Vec<String>,
    pub x_options: Vec<String>,
    pub argv: Vec<std::ffi::OsString>,
    pub orig_argv: Vec<std::ffi::OsString>,
    /// Seed of string hashing and of everything else that is random; `None`: from the system.
    pub seed: Option<u64>,
    /// Seed of the hashes of strings, if it is another (`PYTHONHASHSEED`).
    pub hash_seed: Option<u64>,
    pub executable: String,
    /// The Lib tree in use (`/usr/lib/python3.11`).
    pub lib: Option<std::path::PathBuf>,
}

macro_rules! types {
    ($($name:ident)*) => {
        /// The built-in classes that Rust code names.
        #[derive(Clone, Copy)]
        #[allow(missing_docs, reason = "the fields are named as the classes are")]
        pub struct Types { $(pub $name: Gc<PyType>),* }
        impl Types {
            /// All null, before the classes exist.
            pub const fn empty() -> Types {
                Types { $($name: Gc::from_raw(std::ptr::null_mut())),* }
            }
            /// Calls `f` with each field.
            pub fn for_each(&mut self, mut f: impl FnMut(&mut Gc<PyType>)) {
                $(f(&mut self.$name);)*
            }
        }
    };
}

types! {
    object type_ int bool_ float complex str_ bytes bytearray tuple list dict set frozenset
    function native native_method method wrapper slot_wrapper method_wrapper code cell module generator coroutine async_generator
    async_gen_value async_gen_asend async_gen_athrow anext_awaitable
    frame traceback range range_iter seq_iter list_iter tuple_iter str_iter str_ascii_iter bytes_iter dict_key_iter dict_value_iter
    dict_item_iter dict_reverse_key_iter dict_reverse_value_iter dict_reverse_item_iter list_reverse_iter long_range_iter
    dict_keys dict_values dict_items set_iter call_iter slice property staticmethod classmethod super_
    none ellipsis not_implemented memoryview weakref getset member mappingproxy namespace generic_alias generic_alias_iter union
    enumerate zip map filter reversed
    base_exception exception type_error value_error key_error index_error attribute_error name_error unbound_local_error
    stop_iteration stop_async_iteration generator_exit runtime_error recursion_error not_implemented_error zero_division_error
    overflow_error arithmetic_error floating_point_error lookup_error memory_error assertion_error import_error
    module_not_found_error os_error eof_error syntax_error indentation_error tab_error system_error system_exit keyboard_interrupt
    unicode_error unicode_decode_error unicode_encode_error unicode_translate_error buffer_error reference_error
    base_exception_group exception_group blocking_io_error child_process_error connection_error broken_pipe_error
    connection_aborted_error connection_refused_error connection_reset_error file_exists_error file_not_found_error
    interrupted_error is_a_directory_error not_a_directory_error permission_error process_lookup_error timeout_error
    warning deprecation_warning pending_deprecation_warning runtime_warning syntax_warning user_warning future_warning
    import_warning unicode_warning bytes_warning resource_warning encoding_warning
}

impl Vm {
    /// A VM with a heap and nothing in it; `boot` fills it.
    pub fn new(heap: Heap, alloc: AllocState, hooks: Hooks, config: Config) -> Box<Vm> {
        let stack = crate::heap::map_stack(STACK_WORDS);
        let mut alloc = alloc;
        alloc.top = stack as u64;
        let key = match config.hash_seed.or(config.seed) {
            Some(s) => crate::heap::seeded_key(s),
            None => crate::heap::random_key(),
        };
        let _ = &KINDS;
        Box::new(Vm {
            alloc,
            poll: AtomicU32::new(0),
            tracing: 0,
            pc: 0,
            base: stack,
            result: Value::NULL,
            stack,
            // SAFETY: one past the end of the mapping just made.
            stack_end: unsafe { stack.add(STACK_WORDS - 4096) },
            stack_soft: AtomicU64::new(stack as u64),
            stack_high: stack,
            stack_beyond: stack,
            threads: std::ptr::null_mut(),
            native_limit: 0,
            run_floor: 0,
            call_floor: 0,
            collect_floor: 0,
            depth: 0,
            depth_limit: 1000,
            finalizing: false,
            ending: false,
            nesting: 0,
            exc: Value::NULL,
            handled: Value::NULL,
            heap,
            all_shapes: std::ptr::null_mut(),
            shape_tags: 0,
            storage_shape: 0,
            code_serial: 0,
            type_versions: 0,
            keys_versions: 0,
            types: Types::empty(),
            names: crate::names::Names::empty(),
            none: Value::NULL,
            true_: Value::NULL,
            false_: Value::NULL,
            ellipsis: Value::NULL,
            not_implemented: Value::NULL,
            empty_tuple: Value::NULL,
            empty_str: Value::NULL,
            empty_bytes: Value::NULL,
            latin1: [Value::NULL; 256],
            interned: FxHashMap::default(),
            interned_wide: FxHashMap::default(),
            type_cache: TypeCache::default(),
            attr_cache: AttrCache::default(),
            builtins: Value::NULL,
            modules: Value::NULL,
            sys_dict: Value::NULL,
            statics: [Value::NULL; 256],
            statics_used: 0,
            file_class: 0,
            hash_key: key,
            hooks,
            repr_stack: Value::NULL,
            context: Value::NULL,
            config,
            frame_hooks: crate::small::ENDED_FRAMES,
            frame_list: Value::NULL,
            jit: std::ptr::null_mut(),
            activation: std::ptr::null_mut(),
            interp: std::ptr::null_mut(),
            loop_threshold: i32::MAX,
            frame_began: false,
            promise: None,
            coroutine_origin_depth: 0,
        })
    }

    /// `True` or `False`.
    #[inline(always)]
    pub fn bool(&self, b: bool) -> Value {
        if b { self.true_ } else { self.false_ }
    }

    /// Where the words of this thread's stack end that windows have ever used since
    /// they were last cleared.
    pub fn stack_used_end(&self) -> *mut Value {
        // SAFETY: both lie in the stack, which is longer than its last window's end.
        unsafe {
            let high = self.stack_high.max(self.stack_beyond);
            high.add(crate::boot::STACK_SLACK)
                .min(self.stack.add(STACK_WORDS))
        }
    }

    /// Brings the flags up to date after a trace or profile function was set or
    /// unset.
    pub fn set_tracing(&mut self) {
        let on = |v: Value| u32::from(v.is_some());
        self.tracing = on(self.statics[kept::TRACE]) | on(self.statics[kept::PROFILE]) << 1;
        if self.tracing != 0 {
            self.poll_set(poll::TRACE);
        } else {
            self.poll_clear(poll::TRACE);
            self.rearm();
        }
    }

    /// The hooks that `sys.set_asyncgen_hooks` set: first iteration, finalizer.
    pub fn asyncgen_hooks(&self) -> (Value, Value) {
        (
            self.statics[kept::ASYNCGEN_FIRST],
            self.statics[kept::ASYNCGEN_FINALIZER],
        )
    }

    /// A slot in [`Vm::statics`] for a native module's own object.
    pub fn new_static(&mut self, v: Value) -> usize {
        let i = self.statics_used;
        assert!(
            i < self.statics.len(),
            "the table of statics has room for every native module"
        );
        self.statics[i] = v;
        self.statics_used += 1;
        i
    }
}
