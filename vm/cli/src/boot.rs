//! Start of a VM and of the program it runs.

use crate::args::{Args, JitMode, Program};
use pyrite_compiler::{Mode, Options};
use pyrite_front::{ErrorKind, SyntaxErrorInfo};
use pyrite_gc::{AllocState, Heap};
use pyrite_machine::Value;
use pyrite_objects::boot::VmRoots;
use pyrite_objects::layout::KINDS;
use pyrite_objects::vm::{Hooks, R, Raised, Vm};

fn compile(
    vm: &mut Vm,
    source: Value,
    filename: Value,
    mode: &str,
    _flags: u32,
    optimize: i32,
) -> R {
    let text = match vm.as_bytes(source) {
        Some(b) => String::from_utf8_lossy(vm.bytes(b)).into_owned(),
        None => vm.str_to_string(source),
    };
    let file = vm.str_to_string(filename);
    let mode = match mode {
        "eval" => Mode::Eval,
        "single" => Mode::Single,
        _ => Mode::Exec,
    };
    let options = Options {
        optimize: optimize.max(0) as u8,
        ..Options::default()
    };
    match pyrite_compiler::compile(&text, &file, mode, options) {
        Ok(unit) => Ok(vm.load_code(unit)),
        Err(e) => Err(syntax_error(vm, filename, &e)),
    }
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
    let place = vm.new_tuple(&[
        filename,
        number(e.line),
        number(e.col),
        text,
        number(e.end_line),
        number(e.end_col),
    ]);
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
                eprintln!("pyrite: --gc-stress: '{s}' is neither a number nor 'move'");
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
        invalidate: |_, _| {},
        signals: |_| Ok(()),
        forked: |_| {},
        thread_ended: |_| {},
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
        && let Err(e) = pyrite_interp::jit::install(vm, args.params.clone())
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
    search_path(vm, p);
    let (source, name) = match p {
        Program::Command(c) => (
            c.to_string_lossy().into_owned().into_bytes(),
            "<string>".to_owned(),
        ),
        Program::File(f) => match std::fs::read(f) {
            Ok(s) => (s, f.display().to_string()),
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
                return (2, false);
            }
        },
        Program::Stdin => {
            let mut s = Vec::new();
            if let Err(e) = std::io::Read::read_to_end(&mut std::io::stdin(), &mut s) {
                eprintln!("pyrite: standard input: {e}");
                return (1, false);
            }
            (s, "<stdin>".to_owned())
        }
        Program::Module(_) => (Vec::new(), String::new()),
    };
    let main = pyrite_stdlib::module(vm, "__main__", "", &[]);
    let globals = pyrite_stdlib::namespace(main);
    let builtins = vm.builtins;
    vm.dict_set_str(globals, vm.names.builtins, builtins);
    let none = vm.none;
    vm.dict_set_str(globals, vm.names.package, none);
    let r = if let Program::Module(m) = p {
        run_module(vm, &m.to_string_lossy())
    } else {
        let (s, f) = (vm.new_bytes(&source), vm.new_str(&name));
        if matches!(p, Program::File(_)) {
            vm.dict_set_str(globals, vm.names.file, f);
            vm.dict_set_str(globals, vm.names.cached, none);
        }
        let optimize = vm.config.optimize as i32;
        (vm.hooks.compile)(vm, s, f, "exec", 0, optimize)
            .and_then(|code| (vm.hooks.run_code)(vm, code, globals, globals, Value::NULL))
    };
    if r.is_ok() {
        return (0, false);
    }
    let interrupted = vm.exc_is(vm.types.keyboard_interrupt);
    (uncaught(vm), interrupted)
}

/// Runs a library module as the program, as `-m` asks.
fn run_module(vm: &mut Vm, name: &str) -> R {
    let runpy = vm.import_module("runpy")?;
    let f = vm.getattr_str(runpy, "_run_module_as_main")?;
    let name = vm.new_str(name);
    vm.call(f, &[name])
}

/// Fills `sys.path`: the program's folder, `PYTHONPATH`, the library.
fn search_path(vm: &mut Vm, p: &Program) {
    use std::os::unix::ffi::OsStrExt;
    let key = vm.intern("path");
    let path = vm.dict_get_str(vm.sys_dict, key);
    let mut folders: Vec<std::path::PathBuf> = Vec::new();
    if !vm.config.safe_path {
        match p {
            Program::File(f) => {
                let full = std::fs::canonicalize(f).unwrap_or_else(|_| f.clone());
                folders.push(
                    full.parent()
                        .map(std::path::Path::to_path_buf)
                        .unwrap_or_default(),
                );
            }
            Program::Module(_) => folders.push(std::env::current_dir().unwrap_or_default()),
            Program::Command(_) | Program::Stdin => folders.push(std::path::PathBuf::new()),
        }
    }
    if !vm.config.ignore_environment
        && let Some(list) = std::env::var_os("PYTHONPATH").filter(|l| !l.is_empty())
    {
        folders.extend(std::env::split_paths(&list));
    }
    folders.extend(vm.config.lib.clone());
    for f in folders {
        let s = pyrite_stdlib::fs::decode(vm, f.as_os_str().as_bytes());
        vm.list_append(path, s);
    }
}

fn absolute(f: &std::path::Path) -> String {
    std::path::absolute(f).map_or_else(|_| f.display().to_string(), |p| p.display().to_string())
}

/// Reports the pending exception; the exit code.
fn uncaught(vm: &mut Vm) -> i32 {
    let e = vm.take_exc();
    pyrite_objects::traceback::exit_code(vm, e)
}
