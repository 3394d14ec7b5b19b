//! The `sys` module.

use crate::{module, namespace, set, sys_import, textfile};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, PyException};
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::number_text;
use pyrite_objects::vm::{R, Vm};

static FUNCTIONS: [NativeDef; 12] = [
    def("exit", "(status=None, /)", effects::ANY, exit),
    def("getrecursionlimit", "()", effects::READS, |vm, _| {
        Ok(Value::int_unchecked(i64::from(vm.depth_limit)))
    }),
    def(
        "setrecursionlimit",
        "(limit, /)",
        effects::WRITES | effects::RAISES,
        set_recursion_limit,
    ),
    def("exc_info", "()", effects::READS, exc_info),
    def("exception", "()", effects::READS, |vm, _| {
        Ok(if vm.handled.is_null() {
            vm.none
        } else {
            vm.handled
        })
    }),
    def(
        "intern",
        "(string, /)",
        effects::ALLOC | effects::RAISES,
        intern,
    ),
    def("getdefaultencoding", "()", effects::PURE, |vm, _| {
        Ok(vm.new_str("utf-8"))
    }),
    def("getfilesystemencoding", "()", effects::PURE, |vm, _| {
        Ok(vm.new_str("utf-8"))
    }),
    def("getfilesystemencodeerrors", "()", effects::PURE, |vm, _| {
        Ok(vm.new_str("surrogateescape"))
    }),
    def("get_int_max_str_digits", "()", effects::READS, |_, _| {
        Ok(Value::int_unchecked(number_text::max_str_digits() as i64))
    }),
    def(
        "set_int_max_str_digits",
        "(maxdigits)",
        effects::WRITES | effects::RAISES,
        |vm, a| {
            let n = vm.index_i64(a[0], false)?;
            if n != 0 && n < number_text::MIN_MAX_STR_DIGITS as i64 {
                return Err(vm.value_error("maxdigits must be 0 or larger than 640"));
            }
            number_text::set_max_str_digits(n as usize);
            Ok(vm.none)
        },
    ),
    def("is_finalizing", "()", effects::READS, |vm, _| {
        Ok(vm.bool(vm.ending))
    }),
];

static OPEN: NativeDef = def(
    "open",
    "(file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None)",
    effects::ANY,
    |vm, a| {
        crate::builtin_module(vm, "_io")?;
        crate::io::open(vm, a)
    },
);

fn exit(vm: &mut Vm, a: &[Value]) -> R {
    let class = vm.types.system_exit;
    let none = vm.none;
    let status = if a[0].is_null() { none } else { a[0] };
    // As the exception is made of its class and one value: a tuple is its arguments.
    let args: &[Value] = if a[0].is_null() {
        &[]
    } else {
        match vm.as_tuple(status) {
            Some(t) => vm.tuple_items(t),
            None => &[status],
        }
    };
    let e = vm.call(class.value(), args)?;
    Err(vm.raise(e))
}

fn set_recursion_limit(vm: &mut Vm, a: &[Value]) -> R {
    let n = vm.index_i64(a[0], false)?;
    if n < 1 {
        return Err(vm.value_error("recursion limit must be greater or equal than 1"));
    }
    // The call of this function counts.
    let depth = vm.call_depth() + 1;
    if depth as i64 >= n {
        let m = format!(
            "cannot set the recursion limit to {n} at the recursion depth {depth}: the limit is too low"
        );
        return Err(vm.recursion_error(&m));
    }
    vm.depth_limit = n.min(i64::from(u32::MAX)) as u32;
    // Frames are counted again at the next call.
    let top = vm.alloc.top as *mut Value;
    let mut p = top;
    let end = vm.stack_used_end();
    while p < end {
        // SAFETY: words of the VM stack above everything in use, which must be
        // unset where no window was made.
        unsafe {
            *p = Value::NULL;
            p = p.add(1);
        }
    }
    vm.stack_high = top;
    vm.stack_beyond = top;
    vm.rearm();
    Ok(vm.none)
}

fn exc_info(vm: &mut Vm, _: &[Value]) -> R {
    let e = vm.handled;
    Ok(exception_info(vm, e))
}

/// Class, instance and traceback of an exception (null: none) in a tuple.
pub(crate) fn exception_info(vm: &mut Vm, e: Value) -> Value {
    let none = vm.none;
    if e.is_null() || e == none {
        return vm.new_tuple(&[none, none, none]);
    }
    let tb = Gc::<PyException>::from_value(e).traceback.get();
    let t = vm.class_of(e).value();
    vm.new_tuple(&[t, e, if tb.is_null() { none } else { tb }])
}

fn intern(vm: &mut Vm, a: &[Value]) -> R {
    match vm.as_str(a[0]) {
        Some(s) if s == a[0] => Ok(vm.intern_value(s)),
        _ => {
            let m = format!("intern() argument must be str, not {}", vm.class_name(a[0]));
            Err(vm.type_error(&m))
        }
    }
}

/// Makes the module and the standard streams.
pub fn install(vm: &mut Vm) {
    let m = module(vm, "sys", "", &FUNCTIONS);
    vm.sys_dict = namespace(m);
    let file_class = textfile::install(vm);
    vm.file_class = file_class;
    for (fd, name, mode) in [(0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")] {
        let label = vm.new_str(&format!("<{name}>"));
        // SAFETY: asks about a number.
        let line = fd == 2 || vm.config.unbuffered || unsafe { libc::isatty(fd) } == 1;
        let f = textfile::make(vm, file_class, fd, label, mode, line);
        set(vm, m, name, f);
        set(vm, m, &format!("__{name}__"), f);
    }
    let open = vm.native_function(&OPEN, Value::NULL, Value::NULL, Value::NULL);
    let key = vm.intern("open");
    vm.dict_set_str(vm.builtins, key, open);
    let modules = vm.modules;
    set(vm, m, "modules", modules);
    let argv = vm.new_list(&[]);
    for i in 0..vm.config.argv.len() {
        let s = vm.config.argv[i].to_string_lossy().into_owned();
        let s = vm.new_str(&s);
        vm.list_append(argv, s);
    }
    set(vm, m, "argv", argv);
    let path = vm.new_list(&[]);
    set(vm, m, "path", path);
    let exe = vm.config.executable.clone();
    let exe = vm.new_str(&exe);
    set(vm, m, "executable", exe);
    for (name, text) in [
        ("platform", "linux"),
        ("byteorder", "little"),
        ("copyright", ""),
        ("float_repr_style", "short"),
    ] {
        let s = vm.new_str(text);
        set(vm, m, name, s);
    }
    let version = vm.new_str(concat!(
        "3.11.2 (Pyrite ",
        env!("CARGO_PKG_VERSION"),
        ") [Rust]"
    ));
    set(vm, m, "version", version);
    set(vm, m, "hexversion", Value::small(0x030B_02F0));
    set(vm, m, "maxunicode", Value::small(0x10_FFFF));
    let max = vm.new_int(i64::MAX);
    set(vm, m, "maxsize", max);
    crate::sys_info::install(vm, m);
    sys_import::install(vm, m);
    crate::sys_hooks::install(vm, m);
}

/// The end of the program: exit functions, then the finalizers of whatever is still
/// there, then the standard streams.
pub fn finish(vm: &mut Vm) {
    shut_down_threads(vm);
    crate::atexit::run(vm);
    flush(vm);
    vm.ending = true;
    vm.heap.collect(true);
    for all in [false, true] {
        if all {
            vm.heap.queue_all_finalizers();
        }
        if pyrite_objects::misc::run_pending(vm).is_err() {
            vm.exc = Value::NULL;
        }
    }
    flush(vm);
}

/// Lets `threading` wait for its threads.
fn shut_down_threads(vm: &mut Vm) {
    let f = crate::module_attr(vm, "threading", "_shutdown");
    if f.is_some() && vm.call(f, &[]).is_err() {
        pyrite_objects::misc::unraisable(vm, f);
    }
}

/// Flushes the standard streams; errors are dropped, there is nobody to tell.
pub fn flush(vm: &mut Vm) {
    for name in ["stdout", "stderr"] {
        let key = vm.intern(name);
        let f = vm.dict_get_str(vm.sys_dict, key);
        if f.is_some() && f != vm.none {
            let flush = vm.names.flush;
            if vm.call_method(f, flush, &[]).is_err() {
                vm.exc = Value::NULL;
            }
        }
    }
}
