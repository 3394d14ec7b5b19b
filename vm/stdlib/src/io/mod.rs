//! The `_io` module: files in three layers, and their in-memory kin.
//!
//! A raw file ([`fileio`]) does system calls; a buffered one ([`buffered`]) keeps
//! bytes; a text file ([`text`]) turns bytes into strings. Layers talk through
//! Python methods, so that any of them may be a Python class.
//!
//! Every class here has the same payload of [`WORDS`] words, whose meaning is the
//! class's own but for word 1, set once the file was closed; all may be zero.

mod base;
mod buffered;
mod bytesio;
mod fileio;
mod newline;
mod stringio;
mod text;

use crate::fs::{self, c_int};
use crate::{module, set, slots};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyType, PyValueSub, kind};
use pyrite_objects::native::{GetSetDef, NativeDef, def, effects};
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Raised, Vm};

/// Words of every object of this module, header included.
const WORDS: usize = 14;
/// Set to 1 once closed.
const CLOSED: usize = 1;
/// Bytes read or kept at a time.
const BUFFER: i64 = 8192;
const ANY: u8 = effects::ANY;

static FUNCTIONS: [NativeDef; 3] = [
    def(
        "open",
        "(file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None)",
        ANY,
        open,
    ),
    def("open_code", "(path)", ANY, |vm, a| {
        let mode = vm.intern("rb");
        open(
            vm,
            &[
                a[0],
                mode,
                Value::NULL,
                Value::NULL,
                Value::NULL,
                Value::NULL,
                Value::NULL,
                Value::NULL,
            ],
        )
    }),
    def(
        "text_encoding",
        "(encoding, stacklevel=2, /)",
        effects::READS,
        |vm, a| {
            if a[0] == vm.none {
                Ok(vm.intern("locale"))
            } else {
                Ok(a[0])
            }
        },
    ),
];

/// What a class of this module is made of.
struct Class<'a> {
    name: &'a str,
    slot: usize,
    base: Option<usize>,
    methods: &'a [NativeDef],
    getset: &'a [GetSetDef],
}

fn add_class(vm: &mut Vm, m: Value, c: &Class<'_>) -> Gc<PyType> {
    let base = c.base.map(|b| Gc::from_value(vm.statics[b]));
    let t = vm.native_type(&TypeDef {
        module: "_io",
        base,
        layout: Layout::Library,
        kind: kind::VALUES,
        words: WORDS,
        has_dict: true,
        base_type: true,
        methods: c.methods,
        getset: c.getset,
        ..TypeDef::of::<PyValueSub>(c.name, Layout::Library)
    });
    // Files close themselves when they die: after what a program's own finalizers
    // write, the outer layers first.
    let rank = match c.slot {
        slots::IO_TEXT => Some(1),
        slots::IO_READER | slots::IO_WRITER | slots::IO_RANDOM | slots::IO_PAIR => Some(2),
        slots::IO_FILEIO => Some(3),
        _ => None,
    };
    let d = vm.type_data(t);
    d.has_finalizer = rank.is_some();
    d.finalizer_rank = rank.unwrap_or(0);
    vm.statics[c.slot] = t.value();
    set(vm, m, c.name, t.value());
    t
}

/// The class in a slot.
fn class(vm: &Vm, slot: usize) -> Gc<PyType> {
    Gc::from_value(vm.statics[slot])
}

/// A number among an object's words, 0 when unset.
fn number(vm: &Vm, v: Value, word: usize) -> i64 {
    vm.word(v, word).as_int().unwrap_or(0)
}

fn set_number(vm: &mut Vm, v: Value, word: usize, n: i64) {
    vm.store_word(v, word, Value::int_unchecked(n));
}

fn method(vm: &mut Vm, v: Value, name: &str, args: &[Value]) -> R {
    let n = vm.intern(name);
    vm.call_method(v, n, args)
}

fn attr(vm: &mut Vm, v: Value, name: &str) -> R {
    vm.getattr_str(v, name)
}

/// Raises `io.UnsupportedOperation`.
fn unsupported(vm: &mut Vm, message: &str) -> Raised {
    let c = vm.statics[slots::IO_UNSUPPORTED];
    let m = vm.new_str(message);
    match vm.call(c, &[m]) {
        Ok(e) => vm.raise(e),
        Err(e) => e,
    }
}

/// The bytes of an argument, or TypeError.
fn bytes_arg(vm: &mut Vm, v: Value) -> R<&'static [u8]> {
    match vm.buffer(v) {
        Some(b) => Ok(b),
        None => {
            let m = format!(
                "a bytes-like object is required, not '{}'",
                vm.class_name(v)
            );
            Err(vm.type_error(&m))
        }
    }
}

/// A size argument: `None`, left out and negative mean no limit.
fn size_arg(vm: &mut Vm, v: Value) -> R<Option<usize>> {
    if v.is_null() || v == vm.none {
        return Ok(None);
    }
    if vm.as_float(v).is_some() || !v.is_int() && vm.lookup_on(v, vm.names.index).is_null() {
        let m = format!(
            "argument should be integer or None, not '{}'",
            vm.class_name(v)
        );
        return Err(vm.type_error(&m));
    }
    Ok(usize::try_from(vm.index_i64(v, true)?).ok())
}

fn string_or(vm: &mut Vm, v: Value, default: &str) -> R<String> {
    if v.is_null() || v == vm.none {
        return Ok(default.to_owned());
    }
    match vm.as_str(v) {
        Some(s) => Ok(vm.str_to_string(s)),
        None => {
            let m = format!("argument must be str or None, not {}", vm.class_name(v));
            Err(vm.type_error(&m))
        }
    }
}

fn is_none(vm: &Vm, v: Value) -> bool {
    v.is_null() || v == vm.none
}

/// Tells that a file with a descriptor of its own was never closed.
fn warn_unclosed(vm: &mut Vm, file: Value) {
    let mut raw = file;
    for name in ["buffer", "raw"] {
        let key = vm.intern(name);
        match vm.getattr_opt(raw, key) {
            Ok(v) if v.is_some() => raw = v,
            Ok(_) => {}
            Err(_) => vm.exc = Value::NULL,
        }
    }
    if !vm.is_instance(raw, class(vm, slots::IO_FILEIO)) || !fileio::owns(vm, raw) {
        return;
    }
    let Ok(text) = vm.repr_string(file) else {
        vm.exc = Value::NULL;
        return;
    };
    let category = vm.types.resource_warning;
    if crate::warnings::warn_str(vm, category, &format!("unclosed file {text}"), 1).is_err() {
        pyrite_objects::misc::unraisable(vm, file);
    }
}

/// `open()`.
pub fn open(vm: &mut Vm, a: &[Value]) -> R {
    let file = if vm.is_int(a[0]) {
        a[0]
    } else {
        fs::fspath(vm, a[0])?
    };
    let mode = if a[1].is_null() {
        "r".to_owned()
    } else {
        match vm.as_str(a[1]) {
            Some(s) => vm.str_to_string(s),
            None => {
                let m = format!(
                    "open() argument 'mode' must be str, not {}",
                    vm.class_name(a[1])
                );
                return Err(vm.type_error(&m));
            }
        }
    };
    let has = |c: char| mode.contains(c);
    let known = mode.chars().all(|c| "rwxabt+".contains(c));
    let repeated = mode.chars().any(|c| mode.matches(c).count() > 1);
    if !known || repeated {
        return Err(vm.value_error(&format!("invalid mode: '{mode}'")));
    }
    let kinds = [has('x'), has('r'), has('w'), has('a')]
        .iter()
        .filter(|&&b| b)
        .count();
    let (binary, update) = (has('b'), has('+'));
    if binary && has('t') {
        return Err(vm.value_error("can't have text and binary mode at once"));
    }
    if kinds > 1 {
        return Err(vm.value_error("must have exactly one of create/read/write/append mode"));
    }
    if kinds == 0 {
        return Err(vm.value_error(
            "Must have exactly one of create/read/write/append mode and at most one plus",
        ));
    }
    if binary {
        for (v, what) in [
            (a[3], "an encoding"),
            (a[4], "an errors"),
            (a[5], "a newline"),
        ] {
            if !is_none(vm, v) {
                return Err(vm.value_error(&format!("binary mode doesn't take {what} argument")));
            }
        }
    }
    let mut buffering = if a[2].is_null() {
        -1
    } else {
        c_int(vm, a[2])?.into()
    };
    let raw_mode: String = mode.chars().filter(|c| !"bt".contains(*c)).collect();
    let raw_mode = vm.new_str(&raw_mode);
    let raw = fileio::make(vm, file, raw_mode, a[6], a[7])?;
    let r = wrap(vm, a, raw, &mode, binary, update, &mut buffering);
    if r.is_err() {
        let e = vm.take_exc();
        if method(vm, raw, "close", &[]).is_err() {
            vm.exc = Value::NULL;
        }
        vm.exc = e;
    }
    r
}

fn wrap(
    vm: &mut Vm,
    a: &[Value],
    raw: Value,
    mode: &str,
    binary: bool,
    update: bool,
    buffering: &mut i64,
) -> R {
    let terminal = {
        let t = method(vm, raw, "isatty", &[])?;
        vm.truth(t)?
    };
    let mut line = false;
    if *buffering == 1 && binary {
        let m = "line buffering (buffering=1) isn't supported in binary mode, \
                 the default buffer size will be used";
        let class = vm.types.runtime_warning;
        crate::warnings::warn_str(vm, class, m, 1)?;
        *buffering = -1;
    }
    if *buffering == 1 || *buffering < 0 && terminal {
        *buffering = -1;
        line = true;
    }
    if *buffering < 0 {
        *buffering = fileio::block_size(vm, raw);
    }
    if *buffering == 0 {
        if binary {
            return Ok(raw);
        }
        return Err(vm.value_error("can't have unbuffered text I/O"));
    }
    let slot = if update {
        slots::IO_RANDOM
    } else if mode.contains('r') {
        slots::IO_READER
    } else {
        slots::IO_WRITER
    };
    let c = vm.statics[slot];
    let size = vm.new_int(*buffering);
    let buffer = vm.call(c, &[raw, size])?;
    if binary {
        return Ok(buffer);
    }
    let none = vm.none;
    let or_none = |v: Value| if v.is_null() { none } else { v };
    let c = vm.statics[slots::IO_TEXT];
    let line = vm.bool(line);
    let t = vm.call(
        c,
        &[buffer, or_none(a[3]), or_none(a[4]), or_none(a[5]), line],
    )?;
    let key = vm.intern("mode");
    let mode = vm.new_str(mode);
    vm.instance_set(t, key, mode);
    Ok(t)
}

/// True in the C locale and its UTF-8 forms, whose bytes need not be UTF-8.
fn plain_locale() -> bool {
    let of = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    let locale = of("LC_ALL")
        .or_else(|| of("LC_CTYPE"))
        .or_else(|| of("LANG"));
    locale.is_none_or(|l| ["C", "POSIX", "C.UTF-8", "C.utf8"].contains(&l.as_str()))
}

/// Encoding and error handler that `PYTHONIOENCODING` asks for the standard streams.
fn stream_encoding(vm: &Vm) -> (Option<String>, Option<String>) {
    let given = match std::env::var("PYTHONIOENCODING") {
        Ok(v) if !vm.config.ignore_environment => v,
        _ => return (None, None),
    };
    let (encoding, errors) = given.split_once(':').unwrap_or((&given, ""));
    let named = |s: &str| (!s.is_empty()).then(|| s.to_owned());
    (named(encoding), named(errors))
}

/// Makes `sys.stdin`, `stdout` and `stderr` files of this module, unless the
/// program already put something else there.
pub fn replace_streams(vm: &mut Vm) -> R<()> {
    let plain: Gc<PyType> = Gc::from_value(vm.statics[vm.file_class]);
    let wanted = stream_encoding(vm);
    for (fd, name, mode) in [(0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")] {
        let key = vm.intern(name);
        let old = vm.dict_get_str(vm.sys_dict, key);
        if old.is_null() || !vm.is_instance(old, plain) {
            continue;
        }
        let number = Value::small(fd);
        // SAFETY: asks about a number.
        if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
            continue;
        }
        crate::textfile::flush(vm, old)?;
        let (no, yes, none) = (vm.false_, vm.true_, vm.none);
        let raw_mode = vm.intern(mode);
        let raw = fileio::make(vm, number, raw_mode, no, none)?;
        let label = vm.new_str(&format!("<{name}>"));
        let name_key = vm.names.name_plain;
        vm.instance_set(raw, name_key, label);
        let slot = if fd == 0 {
            slots::IO_READER
        } else {
            slots::IO_WRITER
        };
        let c = vm.statics[slot];
        let buffer = vm.call(c, &[raw])?;
        // SAFETY: asks about a number.
        let terminal = unsafe { libc::isatty(fd) } == 1;
        let line = if terminal || fd == 2 { yes } else { no };
        let through = if vm.config.unbuffered && fd != 0 {
            yes
        } else {
            no
        };
        let (encoding, errors) = &wanted;
        let encoding_given = encoding.is_some();
        let encoding = vm.new_str(encoding.as_deref().unwrap_or("utf-8"));
        let errors = match errors {
            _ if fd == 2 => "backslashreplace",
            Some(e) => e,
            None if encoding_given => "strict",
            None if plain_locale() => "surrogateescape",
            None => "strict",
        };
        let errors = vm.new_str(errors);
        let newline = if fd == 0 { none } else { vm.intern("\n") };
        let c = vm.statics[slots::IO_TEXT];
        let t = vm.call(c, &[buffer, encoding, errors, newline, line, through])?;
        let key_mode = vm.intern("mode");
        vm.instance_set(t, key_mode, raw_mode);
        vm.dict_set_str(vm.sys_dict, key, t);
        let under = vm.intern(&format!("__{name}__"));
        vm.dict_set_str(vm.sys_dict, under, t);
    }
    Ok(())
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let m = module(vm, "_io", "Files.", &FUNCTIONS);
    set(vm, m, "DEFAULT_BUFFER_SIZE", Value::int_unchecked(BUFFER));
    let e = vm.types.blocking_io_error.value();
    set(vm, m, "BlockingIOError", e);
    // class UnsupportedOperation(OSError, ValueError)
    let (os, value) = (vm.types.os_error.value(), vm.types.value_error.value());
    let bases = vm.new_tuple(&[os, value]);
    let (name, ns) = (vm.intern("UnsupportedOperation"), vm.new_dict());
    let io = vm.intern("io");
    vm.dict_set_str(ns, vm.names.module, io);
    let meta = vm.types.type_.value();
    let c = vm.call(meta, &[name, bases, ns])?;
    vm.statics[slots::IO_UNSUPPORTED] = c;
    set(vm, m, "UnsupportedOperation", c);
    base::install(vm, m);
    fileio::install(vm, m);
    buffered::install(vm, m);
    bytesio::install(vm, m);
    newline::install(vm, m);
    stringio::install(vm, m);
    text::install(vm, m);
    Ok(m)
}
