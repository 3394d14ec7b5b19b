//! Start of a VM and of the program it runs.

use pyrite_compiler::{Mode, Options};
use pyrite_gc::{AllocState, Heap};
use pyrite_machine::Value;
use pyrite_objects::boot::VmRoots;
use pyrite_objects::layout::KINDS;
use pyrite_objects::vm::{Config, Hooks, R, Vm};

fn compile(
    vm: &mut Vm,
    source: Value,
    filename: Value,
    mode: &str,
    _flags: u32,
    optimize: i32,
) -> R {
    let text = vm.str_to_string(source);
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
        Err(e) => {
            let m = format!("{} ({file}, line {})", e.msg, e.line);
            let class = vm.types.syntax_error;
            Err(vm.raise_str(class, &m))
        }
    }
}

/// Runs the interpreter; the exit code.
pub fn run() -> i32 {
    let heap = match Heap::new(pyrite_gc::Config::default(), &KINDS) {
        Ok(h) => h,
        Err(e) => {
            eprintln!("pyrite: no heap: {e}");
            return 1;
        }
    };
    let hooks = Hooks {
        run_function: pyrite_interp::calls::run_function,
        resume: pyrite_interp::generators::resume,
        run_code: pyrite_interp::calls::run_code,
        compile,
        invalidate: |_, _| {},
    };
    let mut vm = Vm::new(heap, AllocState::new(), hooks, Config::default());
    let raw: *mut Vm = &raw mut *vm;
    // SAFETY: the VM lives as long as the process from here on.
    unsafe {
        heap.attach(&raw mut (*raw).alloc);
        heap.set_roots(Box::leak(Box::new(VmRoots(raw))));
    }
    let vm = Box::leak(vm);
    let here = 0u64;
    vm.native_limit = &raw const here as u64 - (500 << 20);
    pyrite_objects::boot::boot(vm);
    pyrite_interp::install(vm);
    pyrite_stdlib::builtins::install(vm);
    let path = std::env::args().nth(1).unwrap_or_default();
    let source = match std::fs::read_to_string(&path) {
        Ok(s) => s,
        Err(e) => {
            eprintln!("pyrite: can't open file '{path}': {e}");
            return 2;
        }
    };
    let (s, f) = (vm.new_str(&source), vm.new_str(&path));
    let globals = vm.new_dict();
    let main = vm.new_str("__main__");
    vm.dict_set_str(globals, vm.names.name, main);
    let r = (vm.hooks.compile)(vm, s, f, "exec", 0, 0)
        .and_then(|code| (vm.hooks.run_code)(vm, code, globals, globals, Value::NULL));
    if r.is_err() {
        let e = vm.take_exc();
        let args = vm.word(e, 1);
        let text = if vm.tuple_len(args) > 0 {
            vm.str_to_string(vm.tuple_get(args, 0))
        } else {
            String::new()
        };
        eprintln!("{}: {text}", vm.class_name(e));
        return 1;
    }
    0
}
