//! The rest of the `sys` module: hooks, frames, and the tables that describe
//! the interpreter; `sys.rs` makes the module and the standard streams.

use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyException, PyValueSub};
use pyrite_objects::native::{GetSetDef, Getter, NativeDef, def, effects, getter};
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

static FUNCTIONS: &[NativeDef] = &[
    def("_getframe", "($module, depth=0, /)", effects::ANY, getframe),
    def(
        "getsizeof",
        "($module, object, default=None)",
        effects::ANY,
        getsizeof,
    ),
    def(
        "getrefcount",
        "($module, object, /)",
        effects::PURE,
        |_, _| Ok(Value::small(2)),
    ),
    def(
        "excepthook",
        "($module, exctype, value, traceback, /)",
        effects::ANY,
        excepthook,
    ),
    def(
        "unraisablehook",
        "($module, unraisable, /)",
        effects::ANY,
        unraisablehook,
    ),
    def(
        "displayhook",
        "($module, object, /)",
        effects::ANY,
        displayhook,
    ),
    def(
        "getswitchinterval",
        "($module, /)",
        effects::READS,
        |vm, _| Ok(Value::float(vm.switch_interval().as_secs_f64())),
    ),
    def(
        "setswitchinterval",
        "($module, interval, /)",
        effects::WRITES | effects::RAISES,
        |vm, a| {
            let s = crate::time::seconds_arg(vm, a[1])?;
            if s <= 0.0 {
                return Err(vm.value_error("switch interval must be strictly positive"));
            }
            vm.set_switch_interval(std::time::Duration::try_from_secs_f64(s).unwrap_or_default());
            Ok(vm.none)
        },
    ),
    def("_current_frames", "($module, /)", effects::ANY, |vm, _| {
        let d = vm.new_dict();
        for (ident, base, pc) in vm.thread_frames() {
            // No Python code runs in it.
            if pc == 0 {
                continue;
            }
            let frame = (vm.frame_hooks.of_window)(vm, base);
            vm.dict_set(d, Value::int_unchecked(ident as i64), frame)?;
        }
        Ok(d)
    }),
    def(
        "_clear_type_cache",
        "($module, /)",
        effects::PURE,
        |vm, _| Ok(vm.none),
    ),
    def(
        "getallocatedblocks",
        "($module, /)",
        effects::READS,
        |_, _| Ok(Value::small(0)),
    ),
];

/// Adds to the module that `sys.rs` made.
pub(crate) fn install(vm: &mut Vm, m: Value) {
    let d = vm.sys_dict;
    let none = vm.none;
    let name = vm.names.sys;
    for f in FUNCTIONS {
        let v = vm.native_function(f, m, Value::NULL, name);
        let n = vm.intern(f.name);
        vm.dict_set_str(d, n, v);
    }
    for (alias, of) in [
        ("__excepthook__", "excepthook"),
        ("__unraisablehook__", "unraisablehook"),
        ("__displayhook__", "displayhook"),
    ] {
        let of = vm.intern(of);
        let v = vm.dict_get_str(d, of);
        set(vm, alias, v);
    }
    let config = vm.config.clone();
    // An empty one on the command line undoes the environment's.
    let prefix = match config.pycache_prefix.as_deref() {
        None | Some("") => none,
        Some(path) => vm.new_str(path),
    };
    set(vm, "pycache_prefix", prefix);
    for (n, text) in [
        ("copyright", "Pyrite: see the LICENSE files of its sources."),
        ("platlibdir", "lib"),
        ("_base_executable", config.executable.as_str()),
        ("prefix", "/usr"),
        ("base_prefix", "/usr"),
        ("exec_prefix", "/usr"),
        ("base_exec_prefix", "/usr"),
        ("abiflags", ""),
        ("_framework", ""),
    ] {
        let v = vm.new_str(text);
        set(vm, n, v);
    }
    set(vm, "api_version", Value::small(1013));
    for n in ["path_hooks", "meta_path", "orig_argv", "warnoptions"] {
        let l = vm.new_list(&[]);
        set(vm, n, l);
    }
    for n in ["path_importer_cache", "_xoptions"] {
        let l = vm.new_dict();
        set(vm, n, l);
    }
    strings(vm, "orig_argv", &os_strings(&config.orig_argv));
    strings(vm, "warnoptions", &config.warn_options);
    if let Some(lib) = &config.lib {
        let lib = lib.display().to_string();
        let v = vm.new_str(&lib);
        set(vm, "_stdlib_dir", v);
        strings(vm, "path", &[lib]);
    }
    let v = vm.bool(config.dont_write_bytecode);
    set(vm, "dont_write_bytecode", v);
    let names = vm.new_tuple(&[]);
    set(vm, "builtin_module_names", names);
    tables(vm);
}

fn tables(vm: &mut Vm) {
    let int = |i: i64| Value::int_unchecked(i);
    let (fin, minus) = (vm.intern("final"), vm.intern("siphash13"));
    let version = structure(
        vm,
        "version_info",
        &["major", "minor", "micro", "releaselevel", "serial"],
        &[int(3), int(11), int(2), fin, int(0)],
    );
    set(vm, "version_info", version);
    let c = vm.config.clone();
    let (dev, safe) = (vm.bool(c.dev_mode), vm.bool(c.safe_path));
    let flag = |b: bool| int(i64::from(b));
    let flags = structure(
        vm,
        "flags",
        &[
            "debug",
            "inspect",
            "interactive",
            "optimize",
            "dont_write_bytecode",
            "no_user_site",
            "no_site",
            "ignore_environment",
            "verbose",
            "bytes_warning",
            "quiet",
            "hash_randomization",
            "isolated",
            "dev_mode",
            "utf8_mode",
            "warn_default_encoding",
            "safe_path",
            "int_max_str_digits",
        ],
        &[
            int(0),
            flag(c.inspect),
            flag(c.interactive),
            int(c.optimize.into()),
            flag(c.dont_write_bytecode),
            flag(c.no_user_site),
            flag(c.no_site),
            flag(c.ignore_environment),
            int(c.verbose.into()),
            int(c.bytes_warning.into()),
            flag(c.quiet),
            flag(c.seed != Some(0)),
            flag(c.isolated),
            dev,
            flag(c.utf8_mode),
            int(0),
            safe,
            int(c.int_max_str_digits.map_or(-1, |n| n as i64)),
        ],
    );
    if let Some(n) = c.int_max_str_digits {
        pyrite_objects::number_text::set_max_str_digits(n);
    }
    set(vm, "flags", flags);
    let float_info = structure(
        vm,
        "float_info",
        &[
            "max",
            "max_exp",
            "max_10_exp",
            "min",
            "min_exp",
            "min_10_exp",
            "dig",
            "mant_dig",
            "epsilon",
            "radix",
            "rounds",
        ],
        &[
            Value::float(f64::MAX),
            int(1024),
            int(308),
            Value::float(f64::MIN_POSITIVE),
            int(-1021),
            int(-307),
            int(15),
            int(53),
            Value::float(f64::EPSILON),
            int(2),
            int(1),
        ],
    );
    set(vm, "float_info", float_info);
    let int_info = structure(
        vm,
        "int_info",
        &[
            "bits_per_digit",
            "sizeof_digit",
            "default_max_str_digits",
            "str_digits_check_threshold",
        ],
        &[int(30), int(4), int(4300), int(640)],
    );
    set(vm, "int_info", int_info);
    let modulus = vm.new_int((1 << 61) - 1);
    let hash_info = structure(
        vm,
        "hash_info",
        &[
            "width",
            "modulus",
            "inf",
            "nan",
            "imag",
            "algorithm",
            "hash_bits",
            "seed_bits",
            "cutoff",
        ],
        &[
            int(64),
            modulus,
            int(314_159),
            int(0),
            int(1_000_003),
            minus,
            int(64),
            int(128),
            int(0),
        ],
    );
    set(vm, "hash_info", hash_info);
    let (pthread, semaphore, glibc) = (
        vm.intern("pthread"),
        vm.intern("semaphore"),
        vm.intern("NPTL 2.36"),
    );
    let thread_info = structure(
        vm,
        "thread_info",
        &["name", "lock", "version"],
        &[pthread, semaphore, glibc],
    );
    set(vm, "thread_info", thread_info);
    let none = vm.none;
    let hooks = structure(
        vm,
        "asyncgen_hooks",
        &["firstiter", "finalizer"],
        &[none, none],
    );
    let class = vm.class_of(hooks).value();
    vm.statics[pyrite_objects::vm::kept::ASYNCGEN_HOOKS] = class;
    let ns = vm.new_instance(vm.types.namespace);
    let multiarch = vm.intern("x86_64-linux-gnu");
    let (name, tag) = (vm.intern("pyrite"), vm.intern("pyrite-311"));
    let hex = vm.new_int(0x030B_02F0);
    for (n, v) in [
        ("name", name),
        ("cache_tag", tag),
        ("version", version),
        ("hexversion", hex),
        ("_multiarch", multiarch),
    ] {
        let n = vm.intern(n);
        vm.instance_set(ns, n, v);
    }
    set(vm, "implementation", ns);
}

fn set(vm: &mut Vm, name: &str, v: Value) {
    let n = vm.intern(name);
    let d = vm.sys_dict;
    vm.dict_set_str(d, n, v);
}

/// Fills the list `sys.NAME`.
fn strings(vm: &mut Vm, name: &str, items: &[String]) {
    let n = vm.intern(name);
    let d = vm.sys_dict;
    let l = vm.dict_get_str(d, n);
    for i in items {
        let s = vm.new_str(i);
        vm.list_append(l, s);
    }
}

fn os_strings(items: &[std::ffi::OsString]) -> Vec<String> {
    items
        .iter()
        .map(|s| s.to_string_lossy().into_owned())
        .collect()
}

fn field<const I: usize>(vm: &mut Vm, v: Value) -> R {
    Ok(vm.tuple_get(Gc::<PyValueSub>::from_value(v).inner.get(), I))
}

static GETTERS: [Getter; 18] = [
    field::<0>,
    field::<1>,
    field::<2>,
    field::<3>,
    field::<4>,
    field::<5>,
    field::<6>,
    field::<7>,
    field::<8>,
    field::<9>,
    field::<10>,
    field::<11>,
    field::<12>,
    field::<13>,
    field::<14>,
    field::<15>,
    field::<16>,
    field::<17>,
];

static STRUCTURE: &[NativeDef] = &[def("__repr__", "($self, /)", effects::ANY, |vm, a| {
    let class = vm.class_of(a[0]);
    let fields = vm.intern("__match_args__");
    let fields = vm.dict_get_str(class.dict.get(), fields);
    let items = Gc::<PyValueSub>::from_value(a[0]).inner.get();
    let mut parts = Vec::new();
    for i in 0..vm.tuple_len(items) {
        let v = vm.repr_string(vm.tuple_get(items, i))?;
        parts.push(format!("{}={v}", vm.str_to_string(vm.tuple_get(fields, i))));
    }
    let m = format!("sys.{}({})", vm.type_name(class), parts.join(", "));
    Ok(vm.new_str(&m))
})];

/// A tuple whose items have names, of a class of its own.
fn structure(vm: &mut Vm, name: &str, fields: &[&'static str], values: &[Value]) -> Value {
    let base = vm.types.tuple;
    let class = vm.native_type(&TypeDef {
        module: "sys",
        base: Some(base),
        methods: STRUCTURE,
        ..TypeDef::of::<PyValueSub>(name, Layout::TupleSub)
    });
    let defs: Vec<GetSetDef> = fields
        .iter()
        .zip(GETTERS)
        .map(|(&n, g)| getter(n, g))
        .collect();
    vm.add_getset(class, &defs);
    if matches!(name, "flags" | "version_info") {
        vm.add_methods(class, &crate::structseq::FORBIDDEN);
    }
    let names = vm.new_tuple_uninit(fields.len());
    for (i, n) in fields.iter().enumerate() {
        let s = vm.intern(n);
        vm.tuple_init(names, i, s);
    }
    vm.type_set(class, "__match_args__", names);
    let n = vm.new_int(fields.len() as i64);
    for k in ["n_fields", "n_sequence_fields"] {
        vm.type_set(class, k, n);
    }
    vm.type_set(class, "n_unnamed_fields", Value::small(0));
    let t = vm.new_tuple(values);
    let v = vm.new_instance(class);
    vm.store_word(v, 1, t);
    v
}

fn getframe(vm: &mut Vm, a: &[Value]) -> R {
    let depth = if a[1].is_null() {
        0
    } else {
        vm.index_i64(a[1], true)?.max(0)
    };
    let f = (vm.frame_hooks.at)(vm, depth as usize);
    if f.is_null() {
        return Err(vm.value_error("call stack is not deep enough"));
    }
    Ok(f)
}

fn getsizeof(vm: &mut Vm, a: &[Value]) -> R {
    let name = vm.names.sizeof;
    match vm.call_special(a[1], name, &[]) {
        Ok(Some(n)) => Ok(n),
        Ok(None) => Ok(vm.new_int(pyrite_objects::heap::size_of_object(a[1]) as i64)),
        Err(_) if a[2].is_some() && vm.exc_is(vm.types.type_error) => {
            vm.exc = Value::NULL;
            Ok(a[2])
        }
        Err(e) => Err(e),
    }
}

fn excepthook(vm: &mut Vm, a: &[Value]) -> R {
    if vm.is_exception(a[2]) {
        if a[3] != vm.none && vm.class_of(a[3]) == vm.types.traceback {
            Gc::<PyException>::from_value(a[2]).traceback.set(a[3]);
            vm.write_barrier(a[2]);
        }
        let text = pyrite_objects::traceback::format_exception(vm, a[2]);
        pyrite_objects::traceback::write_stderr(vm, &text);
        return Ok(vm.none);
    }
    let m = format!(
        "TypeError: print_exception(): Exception expected for value, {} found\n",
        vm.class_name(a[2])
    );
    pyrite_objects::traceback::write_stderr(vm, &m);
    Ok(vm.none)
}

fn unraisablehook(vm: &mut Vm, a: &[Value]) -> R {
    let get = |vm: &mut Vm, n: &str| vm.getattr_str(a[1], n);
    let (msg, object, value) = (
        get(vm, "err_msg")?,
        get(vm, "object")?,
        get(vm, "exc_value")?,
    );
    let lead = if msg == vm.none {
        "Exception ignored in".to_string()
    } else {
        vm.str_string(msg)?
    };
    let mut text = if object == vm.none {
        format!("{lead}:\n")
    } else {
        let r = vm
            .repr_string(object)
            .unwrap_or_else(|_| "<object repr() failed>".into());
        vm.exc = Value::NULL;
        format!("{lead}: {r}\n")
    };
    if vm.is_exception(value) {
        text.push_str(&pyrite_objects::traceback::format_exception(vm, value));
    }
    pyrite_objects::traceback::write_stderr(vm, &text);
    Ok(vm.none)
}

fn displayhook(vm: &mut Vm, a: &[Value]) -> R {
    let none = vm.none;
    if a[1] == none {
        return Ok(none);
    }
    let under = vm.names.underscore;
    let b = vm.builtins;
    vm.dict_set_str(b, under, none);
    let r = vm.repr_string(a[1])?;
    let (d, n) = (vm.sys_dict, vm.names.stdout);
    let out = vm.dict_get_str(d, n);
    if out.is_null() {
        return Err(vm.runtime_error("lost sys.stdout"));
    }
    if out != none {
        let s = vm.new_str(&format!("{r}\n"));
        let write = vm.names.write;
        vm.call_method(out, write, &[s])?;
    } else {
        println!("{r}");
    }
    vm.dict_set_str(b, under, a[1]);
    Ok(none)
}
