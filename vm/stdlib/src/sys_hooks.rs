//! What `sys` lets programs hook into, and settings that it keeps for them.

use pyrite_machine::Value;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::number_text;
use pyrite_objects::vm::{R, Vm, kept};
use std::sync::atomic::{AtomicI32, Ordering};

const ANY: u8 = effects::ANY;

/// What `sys.getdlopenflags` answers. No binary modules are ever opened.
static DLOPEN_FLAGS: AtomicI32 = AtomicI32::new(libc::RTLD_NOW);

static FUNCTIONS: &[NativeDef] = &[
    def(
        "set_asyncgen_hooks",
        "($module, /, *args, **kwargs)",
        ANY,
        set_asyncgen_hooks,
    ),
    def("get_asyncgen_hooks", "($module, /)", ANY, |vm, _| {
        let class = vm.statics[kept::ASYNCGEN_HOOKS];
        let (first, last) = vm.asyncgen_hooks();
        let none = vm.none;
        let or_none = |v: Value| if v.is_null() { none } else { v };
        let t = vm.new_tuple(&[or_none(first), or_none(last)]);
        let v = vm.new_instance(pyrite_objects::Gc::from_value(class));
        vm.store_word(v, 1, t);
        Ok(v)
    }),
    def(
        "set_coroutine_origin_tracking_depth",
        "($module, depth)",
        ANY,
        |vm, a| {
            let n = vm.index_i64(a[1], false)?;
            if n < 0 {
                return Err(vm.value_error("depth must be >= 0"));
            }
            vm.coroutine_origin_depth = n.min(1 << 20) as u32;
            Ok(vm.none)
        },
    ),
    def(
        "get_coroutine_origin_tracking_depth",
        "($module, /)",
        ANY,
        |vm, _| Ok(vm.new_int(vm.coroutine_origin_depth.into())),
    ),
    def("addaudithook", "($module, hook)", ANY, |vm, a| {
        if vm.statics[kept::AUDIT_HOOKS].is_null() {
            let l = vm.new_list(&[]);
            vm.statics[kept::AUDIT_HOOKS] = l;
        }
        vm.list_append(vm.statics[kept::AUDIT_HOOKS], a[1]);
        Ok(vm.none)
    }),
    def("audit", "($module, event, /, *args)", ANY, |vm, a| {
        if !vm.is_str(a[1]) {
            let m = format!(
                "expected str for argument 'event', not {}",
                vm.class_name(a[1])
            );
            return Err(vm.type_error(&m));
        }
        let hooks = vm.statics[kept::AUDIT_HOOKS];
        if hooks.is_some() {
            for i in 0..vm.list_len(hooks) {
                let h = vm.list_get(hooks, i);
                vm.call(h, &[a[1], a[2]])?;
            }
        }
        Ok(vm.none)
    }),
    def(
        "breakpointhook",
        "($module, /, *args, **kws)",
        ANY,
        breakpointhook,
    ),
    def("call_tracing", "($module, func, args, /)", ANY, |vm, a| {
        let Some(args) = vm.as_tuple(a[2]) else {
            let m = format!(
                "call_tracing() argument 2 must be tuple, not {}",
                vm.class_name(a[2])
            );
            return Err(vm.type_error(&m));
        };
        vm.call(a[1], vm.tuple_items(args))
    }),
    def("getdlopenflags", "($module, /)", ANY, |_, _| {
        Ok(Value::small(DLOPEN_FLAGS.load(Ordering::Relaxed)))
    }),
    def("setdlopenflags", "($module, flags, /)", ANY, |vm, a| {
        let n = vm.index_i64(a[1], false)?;
        match i32::try_from(n) {
            Ok(n) => DLOPEN_FLAGS.store(n, Ordering::Relaxed),
            Err(_) => {
                return Err(vm.overflow_error("Python int too large to convert to C int"));
            }
        }
        Ok(vm.none)
    }),
    def("get_int_max_str_digits", "($module, /)", ANY, |vm, _| {
        Ok(vm.new_int(number_text::max_str_digits() as i64))
    }),
    def(
        "set_int_max_str_digits",
        "($module, maxdigits)",
        ANY,
        |vm, a| {
            let n = vm.index_i64(a[1], false)?;
            if n != 0 && n < 640 {
                return Err(vm.value_error("maxdigits must be 0 or larger than 640"));
            }
            number_text::set_max_str_digits(n as usize);
            Ok(vm.none)
        },
    ),
    def("settrace", "($module, function, /)", ANY, |vm, a| {
        set_function(vm, kept::TRACE, a[1])
    }),
    def("setprofile", "($module, function, /)", ANY, |vm, a| {
        set_function(vm, kept::PROFILE, a[1])
    }),
    def("gettrace", "($module, /)", ANY, |vm, _| {
        let f = vm.statics[kept::TRACE];
        Ok(if f.is_null() { vm.none } else { f })
    }),
    def("getprofile", "($module, /)", ANY, |vm, _| {
        let f = vm.statics[kept::PROFILE];
        Ok(if f.is_null() { vm.none } else { f })
    }),
    def("_current_exceptions", "($module, /)", ANY, |vm, _| {
        let d = vm.new_dict();
        for (ident, e) in vm.thread_exceptions() {
            let v = crate::sys::exception_info(vm, e);
            vm.dict_set(d, Value::int_unchecked(ident as i64), v)?;
        }
        Ok(d)
    }),
];

fn set_function(vm: &mut Vm, slot: usize, f: Value) -> R {
    let before = vm.tracing;
    vm.statics[slot] = if f == vm.none { Value::NULL } else { f };
    vm.set_tracing();
    if before == 0 && vm.tracing != 0 {
        // What runs compiled is left behind the call that came here.
        (vm.hooks.invalidate)(vm, Value::NULL);
    }
    Ok(vm.none)
}

/// Adds to the module.
pub(crate) fn install(vm: &mut Vm, m: Value) {
    let d = vm.sys_dict;
    let name = vm.names.sys;
    for f in FUNCTIONS {
        let v = vm.native_function(f, m, Value::NULL, name);
        let n = vm.intern(f.name);
        vm.dict_set_str(d, n, v);
    }
    let hook = vm.intern("breakpointhook");
    let v = vm.dict_get_str(d, hook);
    let n = vm.intern("__breakpointhook__");
    vm.dict_set_str(d, n, v);
    let l = vm.new_list(&[]);
    for n in STDLIB {
        let n = vm.intern(n);
        vm.list_append(l, n);
    }
    let s = vm.new_set(vm.types.frozenset);
    for i in 0..vm.list_len(l) {
        let n = vm.list_get(l, i);
        // Strings hash without running code.
        let _ = vm.set_add(s, n);
    }
    let n = vm.intern("stdlib_module_names");
    vm.dict_set_str(d, n, s);
}

fn set_asyncgen_hooks(vm: &mut Vm, a: &[Value]) -> R {
    let mut given = [Value::NULL; 2];
    for (i, &v) in vm.tuple_items(a[1]).iter().enumerate() {
        if i >= 2 {
            return Err(vm.type_error("set_asyncgen_hooks() takes at most 2 arguments"));
        }
        given[i] = v;
    }
    let mut pos = 0;
    while let Some((k, v)) = vm.dict_next(a[2], &mut pos) {
        let i = match vm.str_to_string(k).as_str() {
            "firstiter" => 0,
            "finalizer" => 1,
            k => {
                let m = format!("'{k}' is an invalid keyword argument for set_asyncgen_hooks()");
                return Err(vm.type_error(&m));
            }
        };
        given[i] = v;
    }
    let none = vm.none;
    for (v, name) in [(given[1], "finalizer"), (given[0], "firstiter")] {
        if v.is_some() && v != none {
            let call = vm.names.call;
            let callable = !v.is_int() && v.is_ptr() && {
                use pyrite_objects::Layout;
                matches!(
                    vm.layout_of(v),
                    Layout::Function | Layout::Native | Layout::Method | Layout::Type
                ) || vm.lookup_on(v, call).is_some()
            };
            if !callable {
                let m = format!("callable {name} expected, got {}", vm.class_name(v));
                return Err(vm.type_error(&m));
            }
        }
    }
    for (v, slot) in [
        (given[0], kept::ASYNCGEN_FIRST),
        (given[1], kept::ASYNCGEN_FINALIZER),
    ] {
        if v.is_some() {
            vm.statics[slot] = if v == none { Value::NULL } else { v };
        }
    }
    Ok(none)
}

fn breakpointhook(vm: &mut Vm, a: &[Value]) -> R {
    let name = if vm.config.ignore_environment {
        None
    } else {
        std::env::var("PYTHONBREAKPOINT").ok()
    };
    let name = name
        .filter(|n| !n.is_empty())
        .unwrap_or("pdb.set_trace".into());
    if name == "0" {
        return Ok(vm.none);
    }
    let (module, function) = name.rsplit_once('.').unwrap_or(("builtins", name.as_str()));
    let found = vm
        .import_module(module)
        .and_then(|m| vm.getattr_str(m, function));
    match found {
        Ok(f) => vm.call_dict(f, vm.tuple_items(a[1]), a[2]),
        Err(_) => {
            vm.exc = Value::NULL;
            let warnings = vm.import_module("warnings")?;
            let warn = vm.getattr_str(warnings, "warn")?;
            let m = vm.new_str(&format!(
                "Ignoring unimportable $PYTHONBREAKPOINT: \"{name}\""
            ));
            let class = vm.types.runtime_warning.value();
            vm.call(warn, &[m, class])?;
            Ok(vm.none)
        }
    }
}

/// Names of the standard library's modules.
const STDLIB: &[&str] = &[
    "__future__",
    "_abc",
    "_aix_support",
    "_ast",
    "_asyncio",
    "_bisect",
    "_blake2",
    "_bootsubprocess",
    "_bz2",
    "_codecs",
    "_codecs_cn",
    "_codecs_hk",
    "_codecs_iso2022",
    "_codecs_jp",
    "_codecs_kr",
    "_codecs_tw",
    "_collections",
    "_collections_abc",
    "_compat_pickle",
    "_compression",
    "_contextvars",
    "_crypt",
    "_csv",
    "_ctypes",
    "_curses",
    "_curses_panel",
    "_datetime",
    "_dbm",
    "_decimal",
    "_elementtree",
    "_frozen_importlib",
    "_frozen_importlib_external",
    "_functools",
    "_gdbm",
    "_hashlib",
    "_heapq",
    "_imp",
    "_io",
    "_json",
    "_locale",
    "_lsprof",
    "_lzma",
    "_markupbase",
    "_md5",
    "_msi",
    "_multibytecodec",
    "_multiprocessing",
    "_opcode",
    "_operator",
    "_osx_support",
    "_overlapped",
    "_pickle",
    "_posixshmem",
    "_posixsubprocess",
    "_py_abc",
    "_pydecimal",
    "_pyio",
    "_queue",
    "_random",
    "_scproxy",
    "_sha1",
    "_sha256",
    "_sha3",
    "_sha512",
    "_signal",
    "_sitebuiltins",
    "_socket",
    "_sqlite3",
    "_sre",
    "_ssl",
    "_stat",
    "_statistics",
    "_string",
    "_strptime",
    "_struct",
    "_symtable",
    "_thread",
    "_threading_local",
    "_tkinter",
    "_tokenize",
    "_tracemalloc",
    "_typing",
    "_uuid",
    "_warnings",
    "_weakref",
    "_weakrefset",
    "_winapi",
    "_zoneinfo",
    "abc",
    "aifc",
    "antigravity",
    "argparse",
    "array",
    "ast",
    "asynchat",
    "asyncio",
    "asyncore",
    "atexit",
    "audioop",
    "base64",
    "bdb",
    "binascii",
    "bisect",
    "builtins",
    "bz2",
    "cProfile",
    "calendar",
    "cgi",
    "cgitb",
    "chunk",
    "cmath",
    "cmd",
    "code",
    "codecs",
    "codeop",
    "collections",
    "colorsys",
    "compileall",
    "concurrent",
    "configparser",
    "contextlib",
    "contextvars",
    "copy",
    "copyreg",
    "crypt",
    "csv",
    "ctypes",
    "curses",
    "dataclasses",
    "datetime",
    "dbm",
    "decimal",
    "difflib",
    "dis",
    "distutils",
    "doctest",
    "email",
    "encodings",
    "ensurepip",
    "enum",
    "errno",
    "faulthandler",
    "fcntl",
    "filecmp",
    "fileinput",
    "fnmatch",
    "fractions",
    "ftplib",
    "functools",
    "gc",
    "genericpath",
    "getopt",
    "getpass",
    "gettext",
    "glob",
    "graphlib",
    "grp",
    "gzip",
    "hashlib",
    "heapq",
    "hmac",
    "html",
    "http",
    "idlelib",
    "imaplib",
    "imghdr",
    "imp",
    "importlib",
    "inspect",
    "io",
    "ipaddress",
    "itertools",
    "json",
    "keyword",
    "lib2to3",
    "linecache",
    "locale",
    "logging",
    "lzma",
    "mailbox",
    "mailcap",
    "marshal",
    "math",
    "mimetypes",
    "mmap",
    "modulefinder",
    "msilib",
    "msvcrt",
    "multiprocessing",
    "netrc",
    "nis",
    "nntplib",
    "nt",
    "ntpath",
    "nturl2path",
    "numbers",
    "opcode",
    "operator",
    "optparse",
    "os",
    "ossaudiodev",
    "pathlib",
    "pdb",
    "pickle",
    "pickletools",
    "pipes",
    "pkgutil",
    "platform",
    "plistlib",
    "poplib",
    "posix",
    "posixpath",
    "pprint",
    "profile",
    "pstats",
    "pty",
    "pwd",
    "py_compile",
    "pyclbr",
    "pydoc",
    "pydoc_data",
    "pyexpat",
    "queue",
    "quopri",
    "random",
    "re",
    "readline",
    "reprlib",
    "resource",
    "rlcompleter",
    "runpy",
    "sched",
    "secrets",
    "select",
    "selectors",
    "shelve",
    "shlex",
    "shutil",
    "signal",
    "site",
    "smtpd",
    "smtplib",
    "sndhdr",
    "socket",
    "socketserver",
    "spwd",
    "sqlite3",
    "sre_compile",
    "sre_constants",
    "sre_parse",
    "ssl",
    "stat",
    "statistics",
    "string",
    "stringprep",
    "struct",
    "subprocess",
    "sunau",
    "symtable",
    "sys",
    "sysconfig",
    "syslog",
    "tabnanny",
    "tarfile",
    "telnetlib",
    "tempfile",
    "termios",
    "textwrap",
    "this",
    "threading",
    "time",
    "timeit",
    "tkinter",
    "token",
    "tokenize",
    "tomllib",
    "trace",
    "traceback",
    "tracemalloc",
    "tty",
    "turtle",
    "turtledemo",
    "types",
    "typing",
    "unicodedata",
    "unittest",
    "urllib",
    "uu",
    "uuid",
    "venv",
    "warnings",
    "wave",
    "weakref",
    "webbrowser",
    "winreg",
    "winsound",
    "wsgiref",
    "xdrlib",
    "xml",
    "xmlrpc",
    "zipapp",
    "zipfile",
    "zipimport",
    "zlib",
    "zoneinfo",
];
