//! `Dialect`: the options of readers and writers.

use super::{Quoting, error};
use crate::{class, slots};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, NativeLayout, PyType};
use pyrite_objects::native::{GetSetDef, NativeDef, def, effects, getter, new_def};
use pyrite_objects::object_layout;
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

object_layout! {
    /// `Dialect`: characters are strings of one character or None, flags bools.
    Dialect [Library, VALUES] {
        delimiter: Value,
        quotechar: Value,
        escapechar: Value,
        lineterminator: Value,
        quoting: Value,
        doublequote: Value,
        skipinitialspace: Value,
        strict: Value,
    }
}

const SIGNATURE: &str = "($type, dialect=None, delimiter=',', doublequote=True, escapechar=None, lineterminator='\\r\\n', quotechar='\"', quoting=0, skipinitialspace=False, strict=False)";

/// The parameters behind `dialect`, in order.
const OPTIONS: [&str; 8] = [
    "delimiter",
    "doublequote",
    "escapechar",
    "lineterminator",
    "quotechar",
    "quoting",
    "skipinitialspace",
    "strict",
];

/// A dialect as Rust code uses it.
pub(super) struct Options {
    pub delimiter: u32,
    pub quotechar: Option<u32>,
    pub escapechar: Option<u32>,
    pub quoting: Quoting,
    pub doublequote: bool,
    pub skipinitialspace: bool,
    pub strict: bool,
}

impl Options {
    pub(super) fn of(vm: &Vm, v: Value) -> Options {
        let d = Gc::<Dialect>::from_value(v);
        let char = |v: Value| vm.as_str(v).map(|s| vm.text(s).at(0));
        Options {
            delimiter: char(d.delimiter.get()).unwrap_or(0x2c),
            quotechar: char(d.quotechar.get()),
            escapechar: char(d.escapechar.get()),
            quoting: match d.quoting.get().as_int() {
                Some(1) => Quoting::All,
                Some(2) => Quoting::Nonnumeric,
                Some(3) => Quoting::None,
                _ => Quoting::Minimal,
            },
            doublequote: d.doublequote.get() == vm.true_,
            skipinitialspace: d.skipinitialspace.get() == vm.true_,
            strict: d.strict.get() == vm.true_,
        }
    }
}

/// The line terminator of a dialect.
pub(super) fn line_terminator(v: Value) -> Value {
    Gc::<Dialect>::from_value(v).lineterminator.get()
}

/// The registered dialect of that name.
pub(super) fn registered(vm: &mut Vm, name: Value) -> R {
    let registry = vm.statics[slots::CSV_DIALECTS];
    let d = vm.dict_get(registry, name)?;
    if d.is_null() {
        return Err(error(vm, "unknown dialect"));
    }
    Ok(d)
}

/// The dialect that the arguments of `reader`, `writer` and `register_dialect` describe.
pub(super) fn from_arguments(vm: &mut Vm, dialect: Value, kwargs: Value) -> R {
    let class = vm.statics[slots::CSV_DIALECT];
    if dialect.is_null() {
        return vm.call_dict(class, &[], kwargs);
    }
    vm.call_dict(class, &[dialect], kwargs)
}

static METHODS: [NativeDef; 3] = [
    new_def(SIGNATURE, effects::ANY, new),
    def("__reduce__", "($self, /)", effects::RAISES, refuse),
    def(
        "__reduce_ex__",
        "($self, protocol, /)",
        effects::RAISES,
        refuse,
    ),
];

fn refuse(vm: &mut Vm, a: &[Value]) -> R {
    let m = format!("cannot pickle '{}' object", vm.class_name(a[0]));
    Err(vm.type_error(&m))
}

fn dialect(v: Value) -> Gc<Dialect> {
    Gc::from_value(v)
}

static GETSET: [GetSetDef; 5] = [
    getter("delimiter", |_, v| Ok(dialect(v).delimiter.get())),
    getter("escapechar", |_, v| Ok(dialect(v).escapechar.get())),
    getter("lineterminator", |_, v| Ok(dialect(v).lineterminator.get())),
    getter("quotechar", |_, v| Ok(dialect(v).quotechar.get())),
    getter("quoting", |_, v| Ok(dialect(v).quoting.get())),
];

/// A character option.
fn character(vm: &mut Vm, name: &str, v: Value, default: &str, optional: bool) -> R {
    if v.is_null() {
        return Ok(if default.is_empty() {
            vm.none
        } else {
            vm.new_str(default)
        });
    }
    if optional && v == vm.none {
        return Ok(v);
    }
    let Some(s) = vm.as_str(v) else {
        let what = if optional { "string or None" } else { "string" };
        let m = format!("\"{name}\" must be {what}, not {}", vm.class_name(v));
        return Err(vm.type_error(&m));
    };
    if vm.text(s).len() != 1 {
        let m = format!("\"{name}\" must be a 1-character string");
        return Err(vm.type_error(&m));
    }
    Ok(s)
}

fn flag(vm: &mut Vm, v: Value, default: bool) -> R {
    let b = if v.is_null() { default } else { vm.truth(v)? };
    Ok(vm.bool(b))
}

fn new(vm: &mut Vm, a: &[Value]) -> R {
    let mut base = a[1];
    if base == vm.none {
        base = Value::NULL;
    }
    if base.is_some() && vm.is_str(base) {
        base = registered(vm, base)?;
    }
    let plain = Gc::<PyType>::from_value(vm.statics[slots::CSV_DIALECT]);
    if base.is_some() && vm.is_instance(base, plain) && a[2..].iter().all(|v| v.is_null()) {
        return Ok(base);
    }
    let mut options = [Value::NULL; 8];
    options.copy_from_slice(&a[2..10]);
    if base.is_some() {
        for (name, v) in OPTIONS.into_iter().zip(&mut options) {
            if v.is_null() {
                let key = vm.intern(name);
                // Whatever goes wrong, the option is not given.
                match vm.getattr_opt(base, key) {
                    Ok(x) => *v = x,
                    Err(_) => vm.exc = Value::NULL,
                }
            }
        }
    }
    let [
        delimiter,
        doublequote,
        escapechar,
        terminator,
        quotechar,
        quoting,
        skip,
        strict,
    ] = options;
    let d = vm.new_instance(Gc::from_value(a[0]));
    let v = character(vm, "delimiter", delimiter, ",", false)?;
    dialect(d).delimiter.set(v);
    let v = flag(vm, doublequote, true)?;
    dialect(d).doublequote.set(v);
    let v = character(vm, "escapechar", escapechar, "", true)?;
    dialect(d).escapechar.set(v);
    let v = match terminator {
        v if v.is_null() => vm.new_str("\r\n"),
        v if v == vm.none => return Err(vm.type_error("lineterminator must be set")),
        v => match vm.as_str(v) {
            Some(s) => s,
            None => {
                return Err(vm.type_error("\"lineterminator\" must be a string"));
            }
        },
    };
    dialect(d).lineterminator.set(v);
    let v = character(vm, "quotechar", quotechar, "\"", true)?;
    dialect(d).quotechar.set(v);
    let number = match quoting {
        q if q.is_null() && quotechar == vm.none => 3,
        q if q.is_null() => 0,
        q if vm.class_of(q) == vm.types.int => vm.int_to_i64(q).unwrap_or(-1),
        _ => return Err(vm.type_error("\"quoting\" must be an integer")),
    };
    if !(0..4).contains(&number) {
        return Err(vm.type_error("bad \"quoting\" value"));
    }
    if number != 3 && dialect(d).quotechar.get() == vm.none {
        return Err(vm.type_error("quotechar must be set if quoting enabled"));
    }
    dialect(d).quoting.set(Value::int_unchecked(number));
    let v = flag(vm, skip, false)?;
    dialect(d).skipinitialspace.set(v);
    let v = flag(vm, strict, false)?;
    dialect(d).strict.set(v);
    vm.write_barrier(d);
    Ok(d)
}

/// Adds the class to the module.
pub(super) fn make(vm: &mut Vm, m: Value) {
    let t = class(
        vm,
        m,
        &TypeDef {
            module: "_csv",
            base_type: true,
            methods: &METHODS,
            getset: &GETSET,
            ..TypeDef::of::<Dialect>("Dialect", Layout::Library)
        },
    );
    let flags = ["doublequote", "skipinitialspace", "strict"];
    for (i, name) in flags.into_iter().enumerate() {
        let key = vm.intern(name);
        let member = vm.new_member(key, t, Dialect::WORDS - 3 + i, true);
        vm.type_set(t, name, member);
    }
    vm.statics[slots::CSV_DIALECT] = t.value();
}
