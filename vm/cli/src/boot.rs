//! Start of a VM and of the program it runs.

use crate::args::{Args, JitMode, Program};
use pyrite_bytecode::{CodeFlags, Const};
use pyrite_compiler::{Mode, Options};
use pyrite_front::{Category, ErrorKind, SyntaxErrorInfo, Warning};
use pyrite_gc::{AllocState, Heap};
use pyrite_machine::Value;
use pyrite_objects::boot::VmRoots;
use pyrite_objects::feed::Loop;
use pyrite_objects::layout::KINDS;
use pyrite_objects::vm::{Hooks, R, Raised, Vm};
use pyrite_stdlib::testinternalcapi::debug_ranges;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Bits of `compile()`'s flags beside those of `__future__`.
mod flag {
    /// A tree is wanted.
    pub(super) const ONLY_AST: u32 = 0x400;
    pub(super) const TOP_LEVEL_AWAIT: u32 = 0x2000;
    pub(super) const FUTURE_ANNOTATIONS: u32 = 0x100_0000;
}

/// The function is compiled as any other; its globals are empty, as it names none.
fn loop_function(vm: &mut Vm, which: Loop) -> Value {
    let unit = pyrite_compiler::compile(
        which.source(),
        "<built-in>",
        Mode::Exec,
        Options::default(),
        &mut Vec::new(),
    );
    let body = unit.map(|u| u.consts).unwrap_or_default();
    let body = body.into_iter().find_map(|c| match c {
        Const::Code(unit) => Some(unit),
        _ => None,
    });
    let Some(mut unit) = body else {
        unreachable!("the text of {which:?} is a function")
    };
    unit.flags.0 |= CodeFlags::HIDDEN;
    let code = vm.load_code(*unit);
    let globals = vm.new_dict();
    vm.new_function(code, globals)
}

fn compile(
    vm: &mut Vm,
    source: Value,
    filename: Value,
    mode: &str,
    flags: u32,
    optimize: i32,
) -> R {
    let file = vm.str_to_string(filename);
    let options = Options {
        optimize: u8::try_from(optimize).unwrap_or(vm.config.optimize.min(2) as u8),
        future_annotations: flags & flag::FUTURE_ANNOTATIONS != 0,
        top_level_await: flags & flag::TOP_LEVEL_AWAIT != 0,
        max_digits: pyrite_objects::number_text::max_str_digits(),
    };
    let text = if let Some(b) = vm.as_bytes(source) {
        let bytes = vm.bytes(b).to_vec();
        match pyrite_front::decode(&bytes, &mut |name, body| by_codec(vm, name, body)) {
            Ok(t) => t,
            Err(e) => return Err(syntax_error(vm, filename, &e)),
        }
    } else if vm.is_str(source) {
        vm.str_to_string(source)
    } else {
        let mut warnings = Vec::new();
        let done = pyrite_ast::code(vm, source, &file, mode, options, &mut warnings)?;
        warn(vm, filename, &warnings)?;
        return match done {
            pyrite_ast::Outcome::Code(unit) => Ok(vm.load_code(*unit)),
            pyrite_ast::Outcome::Refused(e) => Err(syntax_error(vm, filename, &e)),
        };
    };
    let text = one_line_end(text);
    let mode = match mode {
        "eval" => Mode::Eval,
        "single" => Mode::Single,
        _ => Mode::Exec,
    };
    if flags & flag::ONLY_AST != 0 {
        let source = pyrite_front::Source::new(&text);
        return match pyrite_front::parse(&source, mode) {
            Ok(tree) => {
                warn(vm, filename, &pyrite_front::warnings(&source, &tree))?;
                pyrite_ast::tree(vm, &tree, &source, mode)
            }
            Err(e) => Err(syntax_error(vm, filename, &e)),
        };
    }
    let mut warnings = Vec::new();
    let done = pyrite_compiler::compile(&text, &file, mode, options, &mut warnings);
    warn(vm, filename, &warnings)?;
    match done {
        Ok(mut unit) => {
            if !debug_ranges(vm) {
                unit.keep_lines_only();
            }
            Ok(vm.load_code(unit))
        }
        Err(e) => Err(syntax_error(vm, filename, &e)),
    }
}

/// Text whose lines all end with `\n`, as the compiler (and with it what string
/// literals contain) sees it.
fn one_line_end(text: String) -> String {
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text
    }
}

/// Shows what the compiler warned about; where a filter makes an error of it, that
/// is a SyntaxError.
fn warn(vm: &mut Vm, filename: Value, warnings: &[Warning]) -> R<()> {
    for w in warnings {
        let category = match w.category {
            Category::Syntax => vm.types.syntax_warning,
            Category::Deprecation => vm.types.deprecation_warning,
        };
        let line = w.error.line;
        if let Err(e) = pyrite_stdlib::warnings::warn_at(vm, category, &w.error.msg, filename, line)
        {
            if !vm.exc_is(category) {
                return Err(e);
            }
            vm.take_exc();
            return Err(syntax_error(vm, filename, &w.error));
        }
    }
    Ok(())
}

/// Decodes source text by a codec of Python's registry; the error's text if it
/// cannot.
fn by_codec(vm: &mut Vm, name: &str, bytes: &[u8]) -> Result<String, String> {
    let text = pyrite_objects::codecs::decode(vm, bytes, name, "strict");
    text.map(|t| vm.str_to_string(t)).map_err(|_| {
        let e = vm.take_exc();
        match vm.str(e) {
            Ok(s) => vm.str_to_string(s),
            Err(_) => {
                vm.take_exc();
                format!("unknown encoding: {name}")
            }
        }
    })
}

/// The exception for what the compiler refused.
fn syntax_error(vm: &mut Vm, filename: Value, e: &SyntaxErrorInfo) -> Raised {
    let class = match e.kind {
        ErrorKind::Syntax => vm.types.syntax_error,
        ErrorKind::Indentation => vm.types.indentation_error,
        ErrorKind::Tab => vm.types.tab_error,
        ErrorKind::Recursion => return vm.recursion_error(&e.msg),
        ErrorKind::Value => return vm.value_error(&e.msg),
        ErrorKind::Memory => return vm.memory_error(&e.msg),
    };
    let text = match &e.text {
        Some(t) => vm.new_str(t),
        None => vm.none,
    };
    let number = |n: u32| Value::int_unchecked(i64::from(n));
    let none = vm.none;
    // What no line is known for, CPython says of the column before the first.
    let (col, end_line, end_col) = if e.line == 0 {
        (Value::int_unchecked(-1), none, none)
    } else {
        (number(e.col), number(e.end_line), number(e.end_col))
    };
    let place = vm.new_tuple(&[filename, number(e.line), col, text, end_line, end_col]);
    let msg = vm.new_str(&e.msg);
    match vm.call(class.value(), &[msg, place]) {
        Ok(exc) => vm.raise(exc),
        Err(raised) => raised,
    }
}

/// Bytes of the interpreter's native stack.
pub const NATIVE_STACK: usize = 256 << 20;

/// Makes a VM, with everything installed and nothing run. It stays for the life of the process.
///
/// To be called on a thread that has [`NATIVE_STACK`] bytes of stack.
///
/// # Errors
/// The exit code, after a message on standard error.
pub fn start(args: &Args) -> Result<&'static mut Vm, i32> {
    let mut gc = pyrite_gc::Config::default();
    if let Some(limit) = args.heap_limit {
        gc.max_bytes = limit;
    }
    if let Some(s) = &args.gc_stress {
        gc = match gc.with_stress(s) {
            Some(c) => c,
            None => {
                eprintln!("pyrite: --gc-stress: '{s}' is neither a number nor 'move' nor 'exits'");
                return Err(2);
            }
        };
    }
    let heap = match Heap::new(gc, &KINDS) {
        Ok(h) => h,
        Err(e) => {
            eprintln!("pyrite: no heap: {e}");
            return Err(1);
        }
    };
    let hooks = Hooks {
        run_function: pyrite_interp::calls::run_function,
        resume: pyrite_interp::generators::resume,
        run_code: pyrite_interp::calls::run_code,
        compile,
        loop_function,
        invalidate: |_, _| {},
        signals: |_| Ok(()),
        forked: |_| {},
        thread_ended: |_| {},
        character_name: pyrite_stdlib::unicodedata::character_name,
        named_character: pyrite_stdlib::unicodedata::named_character,
    };
    let vm = Vm::new(heap, AllocState::new(), hooks, args.config.clone());
    let vm = Box::leak(vm);
    let raw: *mut Vm = vm;
    // SAFETY: the VM lives as long as the process from here on.
    unsafe {
        heap.attach(&raw mut (*raw).alloc);
        heap.set_roots(Box::leak(Box::new(VmRoots(raw))));
    }
    let here = 0u64;
    // Half a megabyte stays for what checks no limit.
    vm.native_limit = &raw const here as u64 - (NATIVE_STACK as u64 - (1 << 20));
    pyrite_objects::threads::install(vm);
    pyrite_objects::boot::boot(vm);
    pyrite_interp::install(vm);
    if args.jit != JitMode::Off
        && let Err(e) = pyrite_interp::jit::install(vm, {
            let mut params = args.params.clone();
            params.timed = args.stats.is_some();
            params
        })
    {
        eprintln!("pyrite: the JIT is off: {e}");
    }
    if vm.config.lib.is_none() {
        vm.config.lib = pyrite_stdlib::importlib::find_lib(vm.config.ignore_environment);
    }
    pyrite_stdlib::builtins::install(vm);
    pyrite_stdlib::sys::install(vm);
    pyrite_stdlib::time::install(vm);
    pyrite_stdlib::codecs::install(vm);
    pyrite_stdlib::thread::install(vm);
    Ok(vm)
}

/// One arena for all threads, grown in large steps. The interpreter's thread is not the first one, so
/// it would get an arena of its own, which the C library grows page by page, with a system call
/// each; and threads hold the interpreter's lock while they allocate.
pub fn tune_allocator() {
    // SAFETY: settings of the allocator, made before there is a second thread.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_TOP_PAD, 1 << 19);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 4 << 20);
    }
}

/// Runs the interpreter; the exit code.
pub fn run(args: Args) -> i32 {
    let vm = match start(&args) {
        Ok(vm) => vm,
        Err(code) => return code,
    };
    pyrite_stdlib::signal::install(vm);
    let (code, interrupted) = program(vm, &args.program);
    pyrite_stdlib::sys::finish(vm);
    if let Some(path) = &args.stats {
        let text = if vm.jit.is_null() {
            pyrite_interp::jit::Stats::default().json(&vm.heap.stats())
        } else {
            pyrite_interp::jit::jit(vm).stats.json(&vm.heap.stats())
        };
        if let Err(e) = std::fs::write(path, text + "\n") {
            eprintln!("pyrite: --jit-stats: {}: {e}", path.display());
        }
    }
    if interrupted {
        // The shell wants to know that it was Ctrl-C.
        // SAFETY: the program is over; the default action ends the process.
        unsafe {
            libc::signal(libc::SIGINT, libc::SIG_DFL);
            libc::kill(libc::getpid(), libc::SIGINT);
        }
    }
    code
}

/// Runs a program in a VM that has run none; its exit code, and whether Ctrl-C ended it. The
/// standard streams keep what was not flushed.
pub fn program(vm: &mut Vm, p: &Program) -> (i32, bool) {
    search_path(vm);
    if !vm.config.no_site && vm.import_module("site").is_err() {
        eprintln!("Fatal Python error: init_import_site: Failed to import the site module");
        return (uncaught(vm).max(1), false);
    }
    let globals = main_namespace(vm);
    let r = match start_of(vm, p) {
        Ok(Start::Module(name, as_main)) => run_module(vm, &name, as_main),
        Ok(Start::Text(source, name)) => run_text(vm, p, globals, &source, &name),
        Err(code) => return (code, false),
    };
    if r.is_ok() {
        return (0, false);
    }
    let interrupted = vm.exc_is(vm.types.keyboard_interrupt);
    (uncaught(vm), interrupted)
}

/// Makes the module `__main__`; its namespace.
pub fn main_namespace(vm: &mut Vm) -> Value {
    let main = pyrite_stdlib::module(vm, "__main__", "", &[]);
    let globals = pyrite_stdlib::namespace(main);
    let builtins = pyrite_stdlib::builtin_module(vm, "builtins");
    if let Ok(Some(builtins)) = builtins {
        vm.dict_set_str(globals, vm.names.builtins, builtins);
    }
    let none = vm.none;
    vm.dict_set_str(globals, vm.names.package, none);
    let annotations = vm.new_dict();
    let key = vm.intern("__annotations__");
    vm.dict_set_str(globals, key, annotations);
    let loader = pyrite_stdlib::module_attr(vm, "_frozen_importlib", "BuiltinImporter");
    if loader.is_some() {
        vm.dict_set_str(globals, vm.names.loader, loader);
    }
    globals
}

/// What is run, once files were looked at.
enum Start {
    /// A module by name; false: the one called `__main__` in a folder or archive.
    Module(String, bool),
    /// Source text and its file name.
    Text(Vec<u8>, String),
}

/// Reads the program and puts its place in front of `sys.path`; the exit code if
/// there is no program.
fn start_of(vm: &mut Vm, p: &Program) -> Result<Start, i32> {
    let (start, first) = match p {
        Program::Command(c) => (
            Start::Text(
                c.to_string_lossy().into_owned().into_bytes(),
                "<string>".to_owned(),
            ),
            Some(PathBuf::new()),
        ),
        Program::Module(m) => (
            Start::Module(m.to_string_lossy().into_owned(), true),
            std::env::current_dir().ok(),
        ),
        Program::File(f) => {
            if f.is_dir() || is_archive(f) {
                // The place itself is searched for `__main__`, whatever -P says.
                insert_path(vm, f);
                return Ok(Start::Module("__main__".to_owned(), false));
            }
            match std::fs::read(f) {
                Ok(s) => {
                    let full = std::fs::canonicalize(f).unwrap_or_else(|_| f.clone());
                    let folder = full.parent().map(Path::to_path_buf).unwrap_or_default();
                    (Start::Text(s, f.display().to_string()), Some(folder))
                }
                Err(e) => {
                    let n = e.raw_os_error().unwrap_or(0);
                    // SAFETY: strerror returns a string of the C library.
                    let text = unsafe { std::ffi::CStr::from_ptr(libc::strerror(n)) }
                        .to_string_lossy()
                        .into_owned();
                    eprintln!(
                        "{}: can't open file '{}': [Errno {n}] {text}",
                        vm.config.executable,
                        absolute(f)
                    );
                    return Err(2);
                }
            }
        }
        Program::Stdin => {
            let mut s = Vec::new();
            if let Err(e) = std::io::Read::read_to_end(&mut std::io::stdin(), &mut s) {
                eprintln!("pyrite: standard input: {e}");
                return Err(1);
            }
            (Start::Text(s, "<stdin>".to_owned()), Some(PathBuf::new()))
        }
    };
    if let Some(first) = first
        && !vm.config.safe_path
    {
        insert_path(vm, &first);
    }
    Ok(start)
}

/// True for a file that begins as archives of the zip format do.
fn is_archive(f: &Path) -> bool {
    let mut start = [0u8; 4];
    std::fs::File::open(f)
        .and_then(|mut f| std::io::Read::read_exact(&mut f, &mut start))
        .is_ok_and(|()| start == *b"PK\x03\x04")
}

fn insert_path(vm: &mut Vm, folder: &Path) {
    let path = sys_path(vm);
    let s = pyrite_stdlib::fs::decode(vm, folder.as_os_str().as_bytes());
    let (insert, zero) = (vm.intern("insert"), Value::small(0));
    if vm.call_method(path, insert, &[zero, s]).is_err() {
        vm.exc = Value::NULL;
    }
}

fn run_text(vm: &mut Vm, p: &Program, globals: Value, source: &[u8], name: &str) -> R {
    let (s, f) = (vm.new_bytes(source), vm.new_str(name));
    if matches!(p, Program::File(_)) {
        vm.dict_set_str(globals, vm.names.file, f);
        let none = vm.none;
        vm.dict_set_str(globals, vm.names.cached, none);
        let class =
            pyrite_stdlib::module_attr(vm, "_frozen_importlib_external", "SourceFileLoader");
        if class.is_some() {
            let main = vm.intern("__main__");
            let loader = vm.call(class, &[main, f])?;
            vm.dict_set_str(globals, vm.names.loader, loader);
        }
    }
    let optimize = vm.config.optimize as i32;
    let code = (vm.hooks.compile)(vm, s, f, "exec", 0, optimize)?;
    (vm.hooks.run_code)(vm, code, globals, globals, Value::NULL)
}

/// Runs a library module as the program, as `-m` asks.
fn run_module(vm: &mut Vm, name: &str, as_main: bool) -> R {
    let runpy = vm.import_module("runpy")?;
    let f = vm.getattr_str(runpy, "_run_module_as_main")?;
    let (name, as_main) = (vm.new_str(name), vm.bool(as_main));
    vm.call(f, &[name, as_main])
}

fn sys_path(vm: &mut Vm) -> Value {
    let key = vm.intern("path");
    vm.dict_get_str(vm.sys_dict, key)
}

/// Fills `sys.path`: `PYTHONPATH`, the library.
fn search_path(vm: &mut Vm) {
    let path = sys_path(vm);
    let mut folders: Vec<PathBuf> = Vec::new();
    if !vm.config.ignore_environment
        && let Some(list) = std::env::var_os("PYTHONPATH").filter(|l| !l.is_empty())
    {
        folders.extend(std::env::split_paths(&list));
    }
    if let Some(lib) = &vm.config.lib {
        folders.extend(lib.parent().map(|p| p.join("python311.zip")));
        folders.push(lib.clone());
        folders.push(lib.join("lib-dynload"));
    }
    for f in folders {
        let s = pyrite_stdlib::fs::decode(vm, f.as_os_str().as_bytes());
        vm.list_append(path, s);
    }
}

fn absolute(f: &std::path::Path) -> String {
    std::path::absolute(f).map_or_else(|_| f.display().to_string(), |p| p.display().to_string())
}

/// Reports the pending exception; the exit code.
pub fn uncaught(vm: &mut Vm) -> i32 {
    let e = vm.take_exc();
    pyrite_objects::traceback::exit_code(vm, e)
}
