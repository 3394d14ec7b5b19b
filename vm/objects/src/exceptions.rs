//! Exception classes: construction, attributes, `str` and `repr`.
//!
//! Every exception is a [`PyException`]; a class with fields of its own
//! (`StopIteration.value`, `OSError.errno`...) has further payload words behind
//! it, which its getters and setters name by number. A zero word reads as None,
//! so an exception made in Rust without running `__init__` is a valid object.
//! Example: `OSError(2, "x", "f")` has words 7 to 9 = `2, "x", "f"`, its `args`
//! are the first two of them, and `__new__` chose FileNotFoundError by the 2.

use crate::layout::{Gc, Layout, NativeLayout, PyException, PyType};
use crate::native::{GetSetDef, NativeDef, def, effects, getset, static_def};
use crate::vm::{R, Vm};
use pyrite_machine::Value;

/// First payload word behind those every exception has.
const EXTRA: usize = PyException::WORDS;

/// Words of `StopIteration.value`, `SystemExit.code`.
pub const VALUE: usize = EXTRA;
/// Words of ImportError.
pub mod import_error {
    pub const MSG: usize = super::EXTRA;
    pub const NAME: usize = super::EXTRA + 1;
    pub const PATH: usize = super::EXTRA + 2;
}
/// Words of OSError.
pub mod os_error {
    pub const ERRNO: usize = super::EXTRA;
    pub const STRERROR: usize = super::EXTRA + 1;
    pub const FILENAME: usize = super::EXTRA + 2;
    pub const FILENAME2: usize = super::EXTRA + 3;
    pub const WRITTEN: usize = super::EXTRA + 4;
}
/// Words of SyntaxError.
pub mod syntax_error {
    pub const MSG: usize = super::EXTRA;
    pub const FILENAME: usize = super::EXTRA + 1;
    pub const LINENO: usize = super::EXTRA + 2;
    pub const OFFSET: usize = super::EXTRA + 3;
    pub const TEXT: usize = super::EXTRA + 4;
    pub const END_LINENO: usize = super::EXTRA + 5;
    pub const END_OFFSET: usize = super::EXTRA + 6;
    pub const PRINT: usize = super::EXTRA + 7;
}
/// Words of the Unicode errors.
pub mod unicode_error {
    pub const ENCODING: usize = super::EXTRA;
    pub const OBJECT: usize = super::EXTRA + 1;
    pub const START: usize = super::EXTRA + 2;
    pub const END: usize = super::EXTRA + 3;
    pub const REASON: usize = super::EXTRA + 4;
}
/// Words of NameError and AttributeError.
pub mod name_error {
    pub const NAME: usize = super::EXTRA;
    pub const OBJ: usize = super::EXTRA + 1;
}
/// Words of exception groups.
pub mod group {
    pub const MESSAGE: usize = super::EXTRA;
    pub const EXCEPTIONS: usize = super::EXTRA + 1;
}

/// Getter of payload word `W`; an empty one reads as None.
pub(crate) fn word<const W: usize>(vm: &mut Vm, e: Value) -> R {
    let v = vm.word(e, W);
    Ok(if v.is_null() { vm.none } else { v })
}

/// Setter of payload word `W`.
pub(crate) fn set_word<const W: usize>(vm: &mut Vm, e: Value, v: Value) -> R<()> {
    vm.store_word(e, W, v);
    Ok(())
}

/// Setter of what Python code may only read.
pub(crate) fn readonly(vm: &mut Vm, _e: Value, _v: Value) -> R<()> {
    Err(vm.attribute_error("readonly attribute"))
}

macro_rules! field {
    ($name:literal, $w:expr) => {
        getset($name, word::<{ $w }>, set_word::<{ $w }>)
    };
}

const NEW: &str = "(type, /, *args, **kwargs=)";
const INIT: &str = "($self, /, *args, **kwargs=)";

static BASE: &[NativeDef] = &[
    static_def("__new__", NEW, effects::ALLOC, base_new),
    def("__init__", INIT, effects::ANY, base_init),
    def("__repr__", "($self, /)", effects::ANY, base_repr),
    def("__str__", "($self, /)", effects::ANY, base_str),
    def("__reduce__", "($self, /)", effects::ANY, base_reduce),
    def("__setstate__", "($self, state, /)", effects::ANY, setstate),
    def(
        "with_traceback",
        "($self, tb, /)",
        effects::ANY,
        with_traceback,
    ),
    def("add_note", "($self, note, /)", effects::ANY, add_note),
];

static BASE_FIELDS: &[GetSetDef] = &[
    getset("args", get_args, set_args),
    getset("__traceback__", get_traceback, set_traceback),
    getset("__context__", get_context, set_context),
    getset("__cause__", get_cause, set_cause),
    getset("__suppress_context__", get_suppress, set_suppress),
];

static STOP_ITERATION: &[NativeDef] = &[def("__init__", INIT, effects::ANY, value_init)];
static STOP_ITERATION_FIELDS: &[GetSetDef] = &[field!("value", VALUE)];
static SYSTEM_EXIT: &[NativeDef] = &[def("__init__", INIT, effects::ANY, exit_init)];
static SYSTEM_EXIT_FIELDS: &[GetSetDef] = &[field!("code", VALUE)];
static KEY_ERROR: &[NativeDef] = &[def("__str__", "($self, /)", effects::ANY, key_error_str)];

static IMPORT_ERROR: &[NativeDef] = &[
    def("__init__", INIT, effects::ANY, import_init),
    def("__str__", "($self, /)", effects::ANY, import_str),
    def("__reduce__", "($self, /)", effects::ANY, import_reduce),
];
static IMPORT_ERROR_FIELDS: &[GetSetDef] = &[
    field!("msg", import_error::MSG),
    field!("name", import_error::NAME),
    field!("path", import_error::PATH),
];

static NAME_ERROR: &[NativeDef] = &[def("__init__", INIT, effects::ANY, name_init)];
static NAME_ERROR_FIELDS: &[GetSetDef] = &[field!("name", name_error::NAME)];
static ATTRIBUTE_ERROR: &[NativeDef] = &[def("__init__", INIT, effects::ANY, attribute_init)];
static ATTRIBUTE_ERROR_FIELDS: &[GetSetDef] = &[
    field!("name", name_error::NAME),
    field!("obj", name_error::OBJ),
];

static OS_ERROR: &[NativeDef] = &[
    static_def("__new__", NEW, effects::ANY, os_new),
    def("__init__", INIT, effects::ANY, os_init),
    def("__str__", "($self, /)", effects::ANY, os_str),
    def("__reduce__", "($self, /)", effects::ANY, os_reduce),
];
static OS_ERROR_FIELDS: &[GetSetDef] = &[
    field!("errno", os_error::ERRNO),
    field!("strerror", os_error::STRERROR),
    field!("filename", os_error::FILENAME),
    field!("filename2", os_error::FILENAME2),
    getset("characters_written", get_written, set_written),
];

static SYNTAX_ERROR: &[NativeDef] = &[
    def("__init__", INIT, effects::ANY, syntax_init),
    def("__str__", "($self, /)", effects::ANY, syntax_str),
];
static SYNTAX_ERROR_FIELDS: &[GetSetDef] = &[
    field!("msg", syntax_error::MSG),
    field!("filename", syntax_error::FILENAME),
    field!("lineno", syntax_error::LINENO),
    field!("offset", syntax_error::OFFSET),
    field!("text", syntax_error::TEXT),
    field!("end_lineno", syntax_error::END_LINENO),
    field!("end_offset", syntax_error::END_OFFSET),
    field!("print_file_and_line", syntax_error::PRINT),
];

static UNICODE_FIELDS: &[GetSetDef] = &[
    field!("encoding", unicode_error::ENCODING),
    field!("object", unicode_error::OBJECT),
    field!("start", unicode_error::START),
    field!("end", unicode_error::END),
    field!("reason", unicode_error::REASON),
];
static UNICODE_ENCODE: &[NativeDef] = &[
    def("__init__", INIT, effects::ANY, encode_init),
    def("__str__", "($self, /)", effects::ANY, encode_str),
];
static UNICODE_DECODE: &[NativeDef] = &[
    def("__init__", INIT, effects::ANY, decode_init),
    def("__str__", "($self, /)", effects::ANY, decode_str),
];
static UNICODE_TRANSLATE: &[NativeDef] = &[
    def("__init__", INIT, effects::ANY, translate_init),
    def("__str__", "($self, /)", effects::ANY, translate_str),
];

impl Vm {
    /// Makes an exception class with `extra` payload words of its own.
    fn exception_class_with(
        &mut self,
        name: &str,
        base: Gc<PyType>,
        extra: usize,
        methods: &'static [NativeDef],
        fields: &'static [GetSetDef],
    ) -> Gc<PyType> {
        let words = self.type_data(base).payload_words as usize + extra;
        let d = crate::types::TypeDef {
            base: Some(base),
            has_dict: true,
            base_type: true,
            words,
            methods,
            getset: fields,
            ..crate::types::TypeDef::of::<PyException>(name, Layout::Exception)
        };
        self.native_type(&d)
    }

    /// Makes an exception class without fields of its own.
    pub fn exception_class(&mut self, name: &str, base: Gc<PyType>) -> Gc<PyType> {
        self.exception_class_with(name, base, 0, &[], &[])
    }
}

/// Makes the exception classes; `BaseException` exists already.
pub fn install(vm: &mut Vm) {
    vm.add_methods(vm.types.base_exception, BASE);
    vm.add_getset(vm.types.base_exception, BASE_FIELDS);
    macro_rules! make {
        ($($field:ident $name:literal $base:ident $([$extra:literal $methods:ident $fields:ident])?),* $(,)?) => {
            $(vm.types.$field = make!(@one vm $name $base $($extra $methods $fields)?);)*
        };
        (@one $vm:ident $name:literal $base:ident) => { $vm.exception_class($name, $vm.types.$base) };
        (@one $vm:ident $name:literal $base:ident $extra:literal $methods:ident $fields:ident) => {
            $vm.exception_class_with($name, $vm.types.$base, $extra, $methods, $fields)
        };
    }
    const NONE: &[GetSetDef] = &[];
    make!(
        exception "Exception" base_exception, generator_exit "GeneratorExit" base_exception,
        keyboard_interrupt "KeyboardInterrupt" base_exception,
        system_exit "SystemExit" base_exception [1 SYSTEM_EXIT SYSTEM_EXIT_FIELDS],
        type_error "TypeError" exception, value_error "ValueError" exception, lookup_error "LookupError" exception,
        key_error "KeyError" lookup_error [0 KEY_ERROR NONE], index_error "IndexError" lookup_error,
        attribute_error "AttributeError" exception [2 ATTRIBUTE_ERROR ATTRIBUTE_ERROR_FIELDS],
        name_error "NameError" exception [1 NAME_ERROR NAME_ERROR_FIELDS],
        unbound_local_error "UnboundLocalError" name_error,
        stop_iteration "StopIteration" exception [1 STOP_ITERATION STOP_ITERATION_FIELDS],
        stop_async_iteration "StopAsyncIteration" exception,
        runtime_error "RuntimeError" exception, recursion_error "RecursionError" runtime_error,
        not_implemented_error "NotImplementedError" runtime_error, arithmetic_error "ArithmeticError" exception,
        zero_division_error "ZeroDivisionError" arithmetic_error, overflow_error "OverflowError" arithmetic_error,
        floating_point_error "FloatingPointError" arithmetic_error, memory_error "MemoryError" exception,
        assertion_error "AssertionError" exception,
        import_error "ImportError" exception [3 IMPORT_ERROR IMPORT_ERROR_FIELDS],
        module_not_found_error "ModuleNotFoundError" import_error,
        os_error "OSError" exception [5 OS_ERROR OS_ERROR_FIELDS], eof_error "EOFError" exception,
        syntax_error "SyntaxError" exception [8 SYNTAX_ERROR SYNTAX_ERROR_FIELDS],
        indentation_error "IndentationError" syntax_error,
        tab_error "TabError" indentation_error, system_error "SystemError" exception, unicode_error "UnicodeError" value_error,
        unicode_decode_error "UnicodeDecodeError" unicode_error [5 UNICODE_DECODE UNICODE_FIELDS],
        unicode_encode_error "UnicodeEncodeError" unicode_error [5 UNICODE_ENCODE UNICODE_FIELDS],
        unicode_translate_error "UnicodeTranslateError" unicode_error [5 UNICODE_TRANSLATE UNICODE_FIELDS],
        buffer_error "BufferError" exception, reference_error "ReferenceError" exception,
        blocking_io_error "BlockingIOError" os_error, child_process_error "ChildProcessError" os_error,
        connection_error "ConnectionError" os_error, broken_pipe_error "BrokenPipeError" connection_error,
        connection_aborted_error "ConnectionAbortedError" connection_error,
        connection_refused_error "ConnectionRefusedError" connection_error,
        connection_reset_error "ConnectionResetError" connection_error, file_exists_error "FileExistsError" os_error,
        file_not_found_error "FileNotFoundError" os_error, interrupted_error "InterruptedError" os_error,
        is_a_directory_error "IsADirectoryError" os_error, not_a_directory_error "NotADirectoryError" os_error,
        permission_error "PermissionError" os_error, process_lookup_error "ProcessLookupError" os_error,
        timeout_error "TimeoutError" os_error, warning "Warning" exception, deprecation_warning "DeprecationWarning" warning,
        pending_deprecation_warning "PendingDeprecationWarning" warning, runtime_warning "RuntimeWarning" warning,
        syntax_warning "SyntaxWarning" warning, user_warning "UserWarning" warning, future_warning "FutureWarning" warning,
        import_warning "ImportWarning" warning, unicode_warning "UnicodeWarning" warning, bytes_warning "BytesWarning" warning,
        resource_warning "ResourceWarning" warning, encoding_warning "EncodingWarning" warning,
    );
    let base = vm.types.base_exception;
    let group = vm.exception_class_with(
        "BaseExceptionGroup",
        base,
        2,
        crate::exc_group::METHODS,
        crate::exc_group::FIELDS,
    );
    vm.types.base_exception_group = group;
    let eg = vm.exception_class("ExceptionGroup", group);
    let e = vm.types.exception;
    let bases = vm.new_tuple(&[group.value(), e.value()]);
    let object = vm.types.object;
    let mro = vm.new_tuple(&[
        eg.value(),
        group.value(),
        e.value(),
        base.value(),
        object.value(),
    ]);
    eg.bases.set(bases);
    eg.mro.set(mro);
    vm.write_barrier(eg.value());
    vm.type_data(e).subclasses.push(eg.value().bits());
    vm.type_modified(eg);
    vm.types.exception_group = eg;
}

/// Fills the fields of an exception made by Rust code from its arguments, as
/// the class's `__init__` would.
pub(crate) fn fill(vm: &mut Vm, e: Value, args: Value) {
    let t = vm.types;
    let items = vm.tuple_items(args);
    let class = vm.class_of(e);
    if vm.is_subclass(class, t.stop_iteration) || vm.is_subclass(class, t.system_exit) {
        if let Some(&v) = items.first() {
            vm.store_word(e, VALUE, v);
        }
    } else if vm.is_subclass(class, t.import_error) {
        if let [m] = items {
            vm.store_word(e, import_error::MSG, *m);
        }
    } else if vm.is_subclass(class, t.syntax_error) {
        if let Some(&m) = items.first() {
            vm.store_word(e, syntax_error::MSG, m);
        }
    } else if vm.is_subclass(class, t.os_error) {
        let parsed = OsArgs::of(vm, args);
        parsed.store(vm, e, args);
    } else if vm.is_subclass(class, t.unicode_error) && items.len() >= 4 {
        let first = if items.len() == 4 {
            unicode_error::OBJECT
        } else {
            unicode_error::ENCODING
        };
        for (i, &v) in items.iter().enumerate() {
            vm.store_word(e, first + i, v);
        }
    }
}

fn exc(v: Value) -> Gc<PyException> {
    Gc::from_value(v)
}

fn args_of(vm: &Vm, e: Value) -> Value {
    let a = exc(e).args.get();
    if a.is_null() { vm.empty_tuple } else { a }
}

fn base_new(vm: &mut Vm, a: &[Value]) -> R {
    let class = exception_class_arg(vm, a[0])?;
    let v = vm.new_instance(class);
    exc(v).args.set(a[1]);
    vm.write_barrier(v);
    Ok(v)
}

/// The class argument of `__new__`.
pub(crate) fn exception_class_arg(vm: &mut Vm, class: Value) -> R<Gc<PyType>> {
    if vm.is_exception_class(class) {
        return Ok(Gc::from_value(class));
    }
    let m = if vm.is_type(class) {
        let n = vm.type_name(Gc::from_value(class));
        format!("BaseException.__new__({n}): {n} is not a subtype of BaseException")
    } else {
        let n = vm.class_name(class);
        format!("BaseException.__new__(X): X is not a type object ({n})")
    };
    Err(vm.type_error(&m))
}

fn no_keywords(vm: &mut Vm, e: Value, kwargs: Value) -> R<()> {
    if vm.has_keywords(kwargs) {
        let m = format!("{}() takes no keyword arguments", vm.class_name(e));
        return Err(vm.type_error(&m));
    }
    Ok(())
}

fn base_init(vm: &mut Vm, a: &[Value]) -> R {
    no_keywords(vm, a[0], a[2])?;
    exc(a[0]).args.set(a[1]);
    vm.write_barrier(a[0]);
    Ok(vm.none)
}

fn base_repr(vm: &mut Vm, a: &[Value]) -> R {
    let name = vm.class_name(a[0]);
    let args = args_of(vm, a[0]);
    let text = match vm.tuple_items(args) {
        [one] => format!("({})", vm.repr_string(*one)?),
        _ => vm.repr_string(args)?,
    };
    Ok(vm.new_str(&format!("{name}{text}")))
}

fn base_str(vm: &mut Vm, a: &[Value]) -> R {
    let args = args_of(vm, a[0]);
    match vm.tuple_items(args) {
        [] => Ok(vm.empty_str),
        [one] => vm.str(*one),
        _ => vm.str(args),
    }
}

fn key_error_str(vm: &mut Vm, a: &[Value]) -> R {
    let args = args_of(vm, a[0]);
    match vm.tuple_items(args) {
        [one] => vm.repr(*one),
        _ => base_str(vm, a),
    }
}

/// The instance's `__dict__` if it has anything in it, else null.
fn state_dict(vm: &mut Vm, e: Value) -> Value {
    let s = crate::shape::shape_of(e);
    if s.slots == 0 && !s.is_dict() {
        return Value::NULL;
    }
    let d = vm.to_dict_mode(e);
    if vm.dict_len(d) == 0 { Value::NULL } else { d }
}

fn reduced(vm: &mut Vm, e: Value, args: Value, state: Value) -> R {
    let class = vm.class_of(e).value();
    Ok(if state.is_null() {
        vm.new_tuple(&[class, args])
    } else {
        vm.new_tuple(&[class, args, state])
    })
}

fn base_reduce(vm: &mut Vm, a: &[Value]) -> R {
    let (args, d) = (args_of(vm, a[0]), state_dict(vm, a[0]));
    reduced(vm, a[0], args, d)
}

fn setstate(vm: &mut Vm, a: &[Value]) -> R {
    let state = a[1];
    if state != vm.none {
        if !vm.is_dict(state) {
            return Err(vm.type_error("state is not a dictionary"));
        }
        let mut pos = 0;
        while let Some((k, v)) = vm.dict_next(state, &mut pos) {
            let Some(k) = vm.as_str(k) else {
                let m = format!("attribute name must be string, not '{}'", vm.class_name(k));
                return Err(vm.type_error(&m));
            };
            let k = vm.intern_value(k);
            vm.setattr(a[0], k, v)?;
        }
    }
    Ok(vm.none)
}

fn with_traceback(vm: &mut Vm, a: &[Value]) -> R {
    set_traceback(vm, a[0], a[1])?;
    Ok(a[0])
}

fn add_note(vm: &mut Vm, a: &[Value]) -> R {
    if !vm.is_str(a[1]) {
        let m = format!("note must be a str, not '{}'", vm.class_name(a[1]));
        return Err(vm.type_error(&m));
    }
    let name = vm.names.notes;
    let mut notes = vm.getattr_opt(a[0], name)?;
    if notes.is_null() {
        notes = vm.new_list(&[]);
        vm.setattr(a[0], name, notes)?;
    } else if !vm.is_list(notes) {
        return Err(vm.type_error("Cannot add note: __notes__ is not a list"));
    }
    vm.list_append(notes, a[1]);
    Ok(vm.none)
}

fn get_args(vm: &mut Vm, e: Value) -> R {
    Ok(args_of(vm, e))
}

fn set_args(vm: &mut Vm, e: Value, v: Value) -> R<()> {
    if v.is_null() {
        return Err(vm.type_error("args may not be deleted"));
    }
    let t = vm.tuple_from_iterable(v)?;
    exc(e).args.set(t);
    vm.write_barrier(e);
    Ok(())
}

fn or_none(vm: &Vm, v: Value) -> Value {
    if v.is_null() { vm.none } else { v }
}

fn get_traceback(vm: &mut Vm, e: Value) -> R {
    Ok(or_none(vm, exc(e).traceback.get()))
}

fn set_traceback(vm: &mut Vm, e: Value, v: Value) -> R<()> {
    if v.is_null() {
        return Err(vm.type_error("__traceback__ may not be deleted"));
    }
    let v = if v == vm.none {
        Value::NULL
    } else if vm.class_of(v) == vm.types.traceback {
        v
    } else {
        return Err(vm.type_error("__traceback__ must be a traceback or None"));
    };
    exc(e).traceback.set(v);
    vm.write_barrier(e);
    Ok(())
}

fn get_context(vm: &mut Vm, e: Value) -> R {
    Ok(or_none(vm, exc(e).context.get()))
}

/// `v` as the content of a link between exceptions.
fn link(vm: &mut Vm, v: Value, attr: &str, what: &str) -> R {
    if v.is_null() {
        return Err(vm.type_error(&format!("{attr} may not be deleted")));
    }
    if v == vm.none {
        return Ok(Value::NULL);
    }
    if vm.is_exception(v) {
        return Ok(v);
    }
    let m = format!("exception {what} must be None or derive from BaseException");
    Err(vm.type_error(&m))
}

fn set_context(vm: &mut Vm, e: Value, v: Value) -> R<()> {
    let v = link(vm, v, "__context__", "context")?;
    exc(e).context.set(v);
    vm.write_barrier(e);
    Ok(())
}

fn get_cause(vm: &mut Vm, e: Value) -> R {
    Ok(or_none(vm, exc(e).cause.get()))
}

fn set_cause(vm: &mut Vm, e: Value, v: Value) -> R<()> {
    let v = link(vm, v, "__cause__", "cause")?;
    exc(e).cause.set(v);
    exc(e).suppress.set(Value::small(1));
    vm.write_barrier(e);
    Ok(())
}

fn get_suppress(vm: &mut Vm, e: Value) -> R {
    let s = exc(e).suppress.get();
    Ok(vm.bool(s == Value::small(1)))
}

fn set_suppress(vm: &mut Vm, e: Value, v: Value) -> R<()> {
    if v.is_null() {
        return Err(vm.type_error("can't delete numeric/char attribute"));
    }
    if v != vm.true_ && v != vm.false_ {
        return Err(vm.type_error("attribute value type must be bool"));
    }
    exc(e).suppress.set(Value::small(i32::from(v == vm.true_)));
    Ok(())
}

fn value_init(vm: &mut Vm, a: &[Value]) -> R {
    base_init(vm, a)?;
    let v = vm.tuple_items(a[1]).first().copied().unwrap_or(vm.none);
    vm.store_word(a[0], VALUE, v);
    Ok(vm.none)
}

fn exit_init(vm: &mut Vm, a: &[Value]) -> R {
    base_init(vm, a)?;
    let v = match vm.tuple_items(a[1]) {
        [] => vm.none,
        [one] => *one,
        _ => a[1],
    };
    vm.store_word(a[0], VALUE, v);
    Ok(vm.none)
}

/// Stores keyword arguments of `__init__` into payload words; `class` is the
/// name CPython's message has.
fn keyword_fields(
    vm: &mut Vm,
    e: Value,
    kwargs: Value,
    class: &str,
    fields: &[(&str, usize)],
) -> R<()> {
    for &(_, w) in fields {
        vm.store_word(e, w, Value::NULL);
    }
    let mut pos = 0;
    while let Some((k, v)) = vm.next_keyword(kwargs, &mut pos) {
        match fields.iter().find(|f| vm.str_is(k, f.0)) {
            Some(&(_, w)) => vm.store_word(e, w, v),
            None => {
                let m = format!(
                    "'{}' is an invalid keyword argument for {class}()",
                    vm.str_to_string(k)
                );
                return Err(vm.type_error(&m));
            }
        }
    }
    Ok(())
}

fn set_all_args(vm: &mut Vm, e: Value, args: Value) {
    exc(e).args.set(args);
    vm.write_barrier(e);
}

fn import_init(vm: &mut Vm, a: &[Value]) -> R {
    set_all_args(vm, a[0], a[1]);
    let fields = [("name", import_error::NAME), ("path", import_error::PATH)];
    keyword_fields(vm, a[0], a[2], "ImportError", &fields)?;
    let msg = match vm.tuple_items(a[1]) {
        [one] => *one,
        _ => Value::NULL,
    };
    vm.store_word(a[0], import_error::MSG, msg);
    Ok(vm.none)
}

fn import_str(vm: &mut Vm, a: &[Value]) -> R {
    let msg = vm.word(a[0], import_error::MSG);
    if msg.is_some() && vm.class_of(msg) == vm.types.str_ {
        return Ok(msg);
    }
    base_str(vm, a)
}

fn import_reduce(vm: &mut Vm, a: &[Value]) -> R {
    let e = a[0];
    let mut d = state_dict(vm, e);
    for (n, w) in [("name", import_error::NAME), ("path", import_error::PATH)] {
        let v = vm.word(e, w);
        if v.is_some() {
            if d.is_null() {
                d = vm.new_dict();
            } else {
                d = vm.dict_copy(d);
            }
            let n = vm.intern(n);
            vm.dict_set_str(d, n, v);
        }
    }
    let args = args_of(vm, e);
    reduced(vm, e, args, d)
}

fn name_init(vm: &mut Vm, a: &[Value]) -> R {
    set_all_args(vm, a[0], a[1]);
    keyword_fields(vm, a[0], a[2], "NameError", &[("name", name_error::NAME)])?;
    Ok(vm.none)
}

fn attribute_init(vm: &mut Vm, a: &[Value]) -> R {
    set_all_args(vm, a[0], a[1]);
    let fields = [("name", name_error::NAME), ("obj", name_error::OBJ)];
    keyword_fields(vm, a[0], a[2], "AttributeError", &fields)?;
    Ok(vm.none)
}

/// What the positional arguments of an OSError mean.
struct OsArgs {
    errno: Value,
    strerror: Value,
    filename: Value,
    filename2: Value,
}

impl OsArgs {
    fn of(vm: &Vm, args: Value) -> OsArgs {
        let items = vm.tuple_items(args);
        let at = |i: usize| {
            if (2..=5).contains(&items.len()) {
                items.get(i).copied().unwrap_or(Value::NULL)
            } else {
                Value::NULL
            }
        };
        OsArgs {
            errno: at(0),
            strerror: at(1),
            filename: at(2),
            filename2: at(4),
        }
    }

    fn store(&self, vm: &mut Vm, e: Value, args: Value) {
        let mut args = args;
        if self.filename.is_some() && self.filename != vm.none {
            let class = vm.class_of(e);
            let count = vm.as_int(self.filename).and_then(|i| vm.int_to_i64(i));
            match count {
                Some(_) if vm.is_subclass(class, vm.types.blocking_io_error) => {
                    vm.store_word(e, os_error::WRITTEN, self.filename);
                }
                _ => {
                    vm.store_word(e, os_error::FILENAME, self.filename);
                    if self.filename2.is_some() && self.filename2 != vm.none {
                        vm.store_word(e, os_error::FILENAME2, self.filename2);
                    }
                    args = vm.new_tuple(&[self.errno, self.strerror]);
                }
            }
        }
        vm.store_word(e, os_error::ERRNO, self.errno);
        vm.store_word(e, os_error::STRERROR, self.strerror);
        set_all_args(vm, e, args);
    }
}

/// The subclass of OSError for an error number, Linux's numbers.
pub fn os_error_class(vm: &Vm, errno: i64) -> Gc<PyType> {
    let t = &vm.types;
    match errno {
        1 | 13 => t.permission_error,
        2 => t.file_not_found_error,
        3 => t.process_lookup_error,
        4 => t.interrupted_error,
        10 => t.child_process_error,
        11 | 114 | 115 => t.blocking_io_error,
        17 => t.file_exists_error,
        20 => t.not_a_directory_error,
        21 => t.is_a_directory_error,
        32 | 108 => t.broken_pipe_error,
        103 => t.connection_aborted_error,
        104 => t.connection_reset_error,
        110 => t.timeout_error,
        111 => t.connection_refused_error,
        _ => t.os_error,
    }
}

/// True if a class leaves the parsing of arguments to `OSError.__init__`.
fn os_uses_init(vm: &mut Vm, class: Gc<PyType>) -> bool {
    let n = vm.names;
    let base = vm.types.os_error;
    vm.lookup(class, n.init) != vm.lookup(base, n.init)
        && vm.lookup(class, n.new) == vm.lookup(base, n.new)
}

fn os_new(vm: &mut Vm, a: &[Value]) -> R {
    let mut class = exception_class_arg(vm, a[0])?;
    if os_uses_init(vm, class) {
        let v = vm.new_instance(class);
        exc(v).args.set(vm.empty_tuple);
        return Ok(v);
    }
    if vm.has_keywords(a[2]) {
        let m = format!("{}() takes no keyword arguments", vm.type_name(class));
        return Err(vm.type_error(&m));
    }
    let parsed = OsArgs::of(vm, a[1]);
    if class == vm.types.os_error
        && let Some(n) = vm.as_int(parsed.errno).and_then(|i| vm.int_to_i64(i))
    {
        class = os_error_class(vm, n);
    }
    let v = vm.new_instance(class);
    parsed.store(vm, v, a[1]);
    Ok(v)
}

fn os_init(vm: &mut Vm, a: &[Value]) -> R {
    let class = vm.class_of(a[0]);
    if os_uses_init(vm, class) {
        no_keywords(vm, a[0], a[2])?;
        let parsed = OsArgs::of(vm, a[1]);
        parsed.store(vm, a[0], a[1]);
    }
    Ok(vm.none)
}

fn os_str(vm: &mut Vm, a: &[Value]) -> R {
    let e = a[0];
    let get = |vm: &Vm, w: usize| vm.word(e, w);
    let (errno, strerror) = (get(vm, os_error::ERRNO), get(vm, os_error::STRERROR));
    let (f, f2) = (get(vm, os_error::FILENAME), get(vm, os_error::FILENAME2));
    if f.is_null() && (errno.is_null() || strerror.is_null()) {
        return base_str(vm, a);
    }
    let (errno, strerror) = (or_none(vm, errno), or_none(vm, strerror));
    let mut m = format!(
        "[Errno {}] {}",
        vm.str_string(errno)?,
        vm.str_string(strerror)?
    );
    if f.is_some() {
        m.push_str(&format!(": {}", vm.repr_string(f)?));
        if f2.is_some() {
            m.push_str(&format!(" -> {}", vm.repr_string(f2)?));
        }
    }
    Ok(vm.new_str(&m))
}

fn os_reduce(vm: &mut Vm, a: &[Value]) -> R {
    let e = a[0];
    let mut args = args_of(vm, e);
    let f = vm.word(e, os_error::FILENAME);
    if vm.tuple_len(args) == 2 && f.is_some() {
        let (x, y) = (vm.tuple_get(args, 0), vm.tuple_get(args, 1));
        let f2 = vm.word(e, os_error::FILENAME2);
        let none = vm.none;
        args = if f2.is_some() {
            vm.new_tuple(&[x, y, f, none, f2])
        } else {
            vm.new_tuple(&[x, y, f])
        };
    }
    let d = state_dict(vm, e);
    reduced(vm, e, args, d)
}

fn get_written(vm: &mut Vm, e: Value) -> R {
    let v = vm.word(e, os_error::WRITTEN);
    if v.is_null() {
        return Err(vm.attribute_error("characters_written"));
    }
    Ok(v)
}

fn set_written(vm: &mut Vm, e: Value, v: Value) -> R<()> {
    if v.is_null() {
        if vm.word(e, os_error::WRITTEN).is_null() {
            return Err(vm.attribute_error("characters_written"));
        }
    } else {
        vm.index_i64(v, false)?;
    }
    vm.store_word(e, os_error::WRITTEN, v);
    Ok(())
}

fn syntax_init(vm: &mut Vm, a: &[Value]) -> R {
    use syntax_error as s;
    base_init(vm, a)?;
    let items = vm.tuple_items(a[1]);
    if let Some(&m) = items.first() {
        vm.store_word(a[0], s::MSG, m);
    }
    if items.len() == 2 {
        let info = vm.tuple_from_iterable(items[1])?;
        let info = vm.tuple_items(info);
        if info.len() < 4 || info.len() > 6 {
            let (least, n) = if info.len() < 4 {
                ("at least 4", info.len())
            } else {
                ("at most 6", info.len())
            };
            let m = format!("function takes {least} arguments ({n} given)");
            return Err(vm.type_error(&m));
        }
        let words = [
            s::FILENAME,
            s::LINENO,
            s::OFFSET,
            s::TEXT,
            s::END_LINENO,
            s::END_OFFSET,
        ];
        for (&v, w) in info.iter().zip(words) {
            vm.store_word(a[0], w, v);
        }
        if info.len() == 5 {
            return Err(vm.type_error("end_offset must be provided when end_lineno is provided"));
        }
    }
    Ok(vm.none)
}

fn syntax_str(vm: &mut Vm, a: &[Value]) -> R {
    use syntax_error as s;
    let e = a[0];
    let msg = or_none(vm, vm.word(e, s::MSG));
    let file = vm.word(e, s::FILENAME);
    let line = vm.word(e, s::LINENO);
    let line = if line.is_some() && vm.class_of(line) == vm.types.int {
        vm.int_to_i64(line)
    } else {
        None
    };
    let file = if file.is_some() && vm.is_str(file) {
        let f = vm.str_to_string(file);
        Some(f.rsplit('/').next().unwrap_or_default().to_string())
    } else {
        None
    };
    if file.is_none() && line.is_none() {
        return vm.str(msg);
    }
    let msg = vm.str_string(msg)?;
    let m = match (file, line) {
        (Some(f), Some(l)) => format!("{msg} ({f}, line {l})"),
        (Some(f), None) => format!("{msg} ({f})"),
        (None, Some(l)) => format!("{msg} (line {l})"),
        (None, None) => msg,
    };
    Ok(vm.new_str(&m))
}

/// Checks and stores the fields of a Unicode error.
fn unicode_fields(vm: &mut Vm, e: Value, args: Value, what: &str, has_encoding: bool) -> R<()> {
    use unicode_error as u;
    let items = vm.tuple_items(args);
    let n = if has_encoding { 5 } else { 4 };
    if items.len() != n {
        let m = format!(
            "function takes exactly {n} arguments ({} given)",
            items.len()
        );
        return Err(vm.type_error(&m));
    }
    let first = u::OBJECT - usize::from(has_encoding);
    for (i, &v) in items.iter().enumerate() {
        let w = first + i;
        let (ok, wanted) = match w {
            u::ENCODING | u::REASON => (vm.is_str(v), "str"),
            u::OBJECT if what == "decode" => (!vm.is_str(v), "bytes-like object"),
            u::OBJECT => (vm.is_str(v), "str"),
            _ => (vm.as_int(v).is_some(), "int"),
        };
        if !ok {
            let c = vm.class_name(v);
            let m = match wanted {
                "bytes-like object" => format!("a bytes-like object is required, not '{c}'"),
                "int" => format!("'{c}' object cannot be interpreted as an integer"),
                _ => format!("argument {} must be {wanted}, not {c}", i + 1),
            };
            return Err(vm.type_error(&m));
        }
        let v = match vm.buffer(v) {
            Some(b) if w == u::OBJECT && vm.as_bytes(v).is_none() => {
                let b = b.to_vec();
                vm.new_bytes(&b)
            }
            _ => v,
        };
        vm.store_word(e, w, v);
    }
    Ok(())
}

fn encode_init(vm: &mut Vm, a: &[Value]) -> R {
    base_init(vm, a)?;
    unicode_fields(vm, a[0], a[1], "encode", true)?;
    Ok(vm.none)
}

fn decode_init(vm: &mut Vm, a: &[Value]) -> R {
    base_init(vm, a)?;
    unicode_fields(vm, a[0], a[1], "decode", true)?;
    Ok(vm.none)
}

fn translate_init(vm: &mut Vm, a: &[Value]) -> R {
    base_init(vm, a)?;
    unicode_fields(vm, a[0], a[1], "translate", false)?;
    Ok(vm.none)
}

/// The range `start..end` cut to `0..len`.
fn unicode_range(vm: &Vm, e: Value) -> (i64, i64) {
    let get = |w: usize| {
        vm.as_int(vm.word(e, w))
            .and_then(|i| vm.int_to_i64(i))
            .unwrap_or(0)
    };
    (get(unicode_error::START), get(unicode_error::END))
}

fn escape(c: u32) -> String {
    match c {
        0..=0xFF => format!("\\x{c:02x}"),
        0x100..=0xFFFF => format!("\\u{c:04x}"),
        _ => format!("\\U{c:08x}"),
    }
}

fn encode_str(vm: &mut Vm, a: &[Value]) -> R {
    use unicode_error as u;
    let e = a[0];
    let Some(object) = vm.as_str(vm.word(e, u::OBJECT)) else {
        return Ok(vm.empty_str);
    };
    let (reason, encoding) = (vm.word(e, u::REASON), vm.word(e, u::ENCODING));
    let (reason, encoding) = (vm.str_string(reason)?, vm.str_string(encoding)?);
    let text = vm.text(object);
    let (start, end) = unicode_range(vm, e);
    let m = if (0..text.len() as i64).contains(&start) && end == start + 1 {
        let c = escape(text.at(start as usize));
        format!("'{encoding}' codec can't encode character '{c}' in position {start}: {reason}")
    } else {
        format!(
            "'{encoding}' codec can't encode characters in position {start}-{}: {reason}",
            end - 1
        )
    };
    Ok(vm.new_str(&m))
}

fn decode_str(vm: &mut Vm, a: &[Value]) -> R {
    use unicode_error as u;
    let e = a[0];
    let object = vm.word(e, u::OBJECT);
    if object.is_null() {
        return Ok(vm.empty_str);
    }
    let bytes: &[u8] = match vm.as_bytes(object) {
        Some(b) => vm.bytes(b),
        None => &[],
    };
    let (reason, encoding) = (vm.word(e, u::REASON), vm.word(e, u::ENCODING));
    let (reason, encoding) = (vm.str_string(reason)?, vm.str_string(encoding)?);
    let (start, end) = unicode_range(vm, e);
    let m = if (0..bytes.len() as i64).contains(&start) && end == start + 1 {
        let b = bytes[start as usize];
        format!("'{encoding}' codec can't decode byte 0x{b:02x} in position {start}: {reason}")
    } else {
        format!(
            "'{encoding}' codec can't decode bytes in position {start}-{}: {reason}",
            end - 1
        )
    };
    Ok(vm.new_str(&m))
}

fn translate_str(vm: &mut Vm, a: &[Value]) -> R {
    use unicode_error as u;
    let e = a[0];
    let Some(object) = vm.as_str(vm.word(e, u::OBJECT)) else {
        return Ok(vm.empty_str);
    };
    let reason = vm.word(e, u::REASON);
    let reason = vm.str_string(reason)?;
    let text = vm.text(object);
    let (start, end) = unicode_range(vm, e);
    let m = if (0..text.len() as i64).contains(&start) && end == start + 1 {
        let c = escape(text.at(start as usize));
        format!("can't translate character '{c}' in position {start}: {reason}")
    } else {
        format!(
            "can't translate characters in position {start}-{}: {reason}",
            end - 1
        )
    };
    Ok(vm.new_str(&m))
}

/// `StopIteration.value`.
pub fn stop_value(vm: &Vm, stop: Value) -> Value {
    or_none(vm, vm.word(stop, VALUE))
}
