//! `_testcapi`: what the library's tests ask of it that means something without a C API.
//!
//! Callables of each calling convention that C knows (`meth_*`), as functions of
//! the module and as instance, class and static methods; calls through the ways a
//! C program has; the limits of C's types; packing of floats; and a few errors on
//! demand. What tests C structures or reference counts is absent.

use crate::args::{readable, ssize};
use crate::{class, module, set, slots};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyValueSub};
use pyrite_objects::native::{NativeDef, class_def, def, effects, new_def, static_def};
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

const ANY: u8 = effects::ANY;
const ALL: &str = "($self, /, *args, **kwargs)";

/// What a `meth_*` function takes, as C declares it.
#[derive(Clone, Copy, PartialEq)]
enum Takes {
    Varargs,
    VarargsKeywords,
    One,
    Nothing,
}

/// A `meth_*` function called with this receiver (null: none).
fn meth(vm: &mut Vm, name: &str, takes: Takes, this: Value, args: Value, kwargs: Value) -> R {
    let n = vm.tuple_len(args);
    if takes != Takes::VarargsKeywords && vm.dict_len(kwargs) > 0 {
        return Err(vm.type_error(&format!("{name}() takes no keyword arguments")));
    }
    let this = if this.is_null() { vm.none } else { this };
    let items: &[Value] = match takes {
        Takes::Varargs => &[this, args],
        Takes::VarargsKeywords => &[this, args, kwargs],
        Takes::One if n == 1 => &[this, vm.tuple_get(args, 0)],
        Takes::One => {
            let m = format!("{name}() takes exactly one argument ({n} given)");
            return Err(vm.type_error(&m));
        }
        Takes::Nothing if n == 0 => return Ok(this),
        Takes::Nothing => {
            let m = format!("{name}() takes no arguments ({n} given)");
            return Err(vm.type_error(&m));
        }
    };
    Ok(vm.new_tuple(items))
}

macro_rules! convention {
    ($make:ident, $signature:expr, $this:expr, $at:literal) => {
        [
            $make("meth_varargs", $signature, ANY, |vm, a| {
                meth(
                    vm,
                    "meth_varargs",
                    Takes::Varargs,
                    $this(a),
                    a[$at],
                    a[$at + 1],
                )
            }),
            $make("meth_varargs_keywords", $signature, ANY, |vm, a| {
                let name = "meth_varargs_keywords";
                meth(
                    vm,
                    name,
                    Takes::VarargsKeywords,
                    $this(a),
                    a[$at],
                    a[$at + 1],
                )
            }),
            $make("meth_fastcall", $signature, ANY, |vm, a| {
                meth(
                    vm,
                    "meth_fastcall",
                    Takes::Varargs,
                    $this(a),
                    a[$at],
                    a[$at + 1],
                )
            }),
            $make("meth_fastcall_keywords", $signature, ANY, |vm, a| {
                let name = "meth_fastcall_keywords";
                meth(
                    vm,
                    name,
                    Takes::VarargsKeywords,
                    $this(a),
                    a[$at],
                    a[$at + 1],
                )
            }),
            $make("meth_o", $signature, ANY, |vm, a| {
                meth(vm, "meth_o", Takes::One, $this(a), a[$at], a[$at + 1])
            }),
            $make("meth_noargs", $signature, ANY, |vm, a| {
                meth(
                    vm,
                    "meth_noargs",
                    Takes::Nothing,
                    $this(a),
                    a[$at],
                    a[$at + 1],
                )
            }),
        ]
    };
}

const THIS: fn(&[Value]) -> Value = |a| a[0];
const NO_ONE: fn(&[Value]) -> Value = |_| Value::NULL;

static BOUND: [NativeDef; 6] = convention!(def, ALL, THIS, 1);
static OF_CLASS: [NativeDef; 6] = convention!(class_def, "($type, /, *args, **kwargs)", THIS, 1);
static OF_NO_ONE: [NativeDef; 6] = convention!(static_def, "(*args, **kwargs)", NO_ONE, 0);

static FUNCTIONS: &[NativeDef] = &[
    def("pyobject_fastcall", "(func, args, /)", ANY, |vm, a| {
        call(vm, a[0], a[1], Value::NULL)
    }),
    def(
        "pyobject_fastcalldict",
        "(func, args, kwargs, /)",
        ANY,
        |vm, a| call(vm, a[0], a[1], a[2]),
    ),
    def(
        "pyobject_vectorcall",
        "(func, args, kwnames, /)",
        ANY,
        vectorcall,
    ),
    def(
        "pyvectorcall_call",
        "(func, args, kwargs=None, /)",
        ANY,
        |vm, a| call(vm, a[0], a[1], a[2]),
    ),
    def("sequence_getitem", "(seq, i, /)", ANY, |vm, a| {
        let i = index(vm, a[0], a[1])?;
        vm.getitem(a[0], i)
    }),
    def("sequence_setitem", "(seq, i, v, /)", ANY, |vm, a| {
        let i = index(vm, a[0], a[1])?;
        vm.setitem(a[0], i, a[2])?;
        Ok(vm.none)
    }),
    def("getbuffer_with_null_view", "(obj, /)", ANY, |vm, _| {
        let class = vm.types.buffer_error;
        Err(vm.raise_str(class, "no view to fill in"))
    }),
    def("bad_get", "(self, obj, cls, /)", ANY, |vm, a| {
        vm.call(a[2], &[])?;
        Ok(a[0])
    }),
    def("set_errno", "(new_errno, /)", ANY, |vm, a| {
        let n = ssize(vm, a[0])?;
        // SAFETY: the address of this thread's errno.
        unsafe { *libc::__errno_location() = n as i32 };
        Ok(vm.none)
    }),
    def(
        "raise_exception",
        "(exception, num_args, /)",
        ANY,
        |vm, a| {
            let n = ssize(vm, a[1])?;
            let args: Vec<Value> = (0..n.clamp(0, 1000) as i32).map(Value::small).collect();
            let e = vm.call(a[0], &args)?;
            let e = vm.make_raisable(e)?;
            Err(vm.raise(e))
        },
    ),
    def("raise_memoryerror", "()", ANY, |vm, _| {
        let class = vm.types.memory_error;
        let e = vm.new_exception(class, &[]);
        Err(vm.raise(e))
    }),
    def("float_pack", "(size, d, le, /)", ANY, float_pack),
    def("float_unpack", "(data, le, /)", ANY, float_unpack),
    def(
        "codec_incrementalencoder",
        "(encoding, errors=None, /)",
        ANY,
        |vm, a| codec_part(vm, a, "incrementalencoder"),
    ),
    def(
        "codec_incrementaldecoder",
        "(encoding, errors=None, /)",
        ANY,
        |vm, a| codec_part(vm, a, "incrementaldecoder"),
    ),
    def("pymem_getallocatorsname", "()", ANY, |vm, _| {
        Ok(vm.new_str("malloc"))
    }),
    def("without_gc", "(cls, /)", ANY, |_, a| Ok(a[0])),
];

fn call(vm: &mut Vm, f: Value, args: Value, kwargs: Value) -> R {
    let args = positional(vm, args)?;
    let kwargs = if kwargs == vm.none {
        Value::NULL
    } else {
        kwargs
    };
    vm.call_dict(f, args, kwargs)
}

/// A tuple of arguments; None is none.
fn positional(vm: &mut Vm, args: Value) -> R<&'static [Value]> {
    if args == vm.none {
        return Ok(&[]);
    }
    match vm.as_tuple(args) {
        Some(t) => Ok(vm.tuple_items(t)),
        None => Err(vm.type_error("args must be None or a tuple")),
    }
}

fn vectorcall(vm: &mut Vm, a: &[Value]) -> R {
    let args = positional(vm, a[1])?;
    let names = if a[2] == vm.none {
        Value::NULL
    } else {
        match vm.as_tuple(a[2]) {
            Some(t) if vm.tuple_len(t) == 0 => Value::NULL,
            Some(t) => t,
            None => return Err(vm.type_error("kwnames must be None or a tuple")),
        }
    };
    if names.is_some() && vm.tuple_len(names) > args.len() {
        return Err(vm.value_error("kwnames longer than args"));
    }
    vm.call_kw(a[0], args, names)
}

/// The index of an item as C code passes it: negative ones count from the end
/// once, and only if there is a length.
fn index(vm: &mut Vm, seq: Value, i: Value) -> R {
    let mut i = ssize(vm, i)?;
    if i < 0 {
        i += vm.len(seq)? as i64;
    }
    if i < 0 {
        return Err(vm.index_error("index out of range"));
    }
    Ok(vm.new_int(i))
}

fn float_pack(vm: &mut Vm, a: &[Value]) -> R {
    let mode = if vm.truth(a[2])? { "<" } else { ">" };
    let letter = match ssize(vm, a[0])? {
        2 => "e",
        4 => "f",
        8 => "d",
        _ => return Err(vm.value_error("size must 2, 4 or 8")),
    };
    through_struct(vm, "pack", &format!("{mode}{letter}"), a[1])
}

fn float_unpack(vm: &mut Vm, a: &[Value]) -> R {
    let mode = if vm.truth(a[1])? { "<" } else { ">" };
    let letter = match readable(vm, a[0])?.len() {
        2 => "e",
        4 => "f",
        8 => "d",
        _ => return Err(vm.value_error("data length must 2, 4 or 8 bytes")),
    };
    let t = through_struct(vm, "unpack", &format!("{mode}{letter}"), a[0])?;
    Ok(vm.tuple_get(t, 0))
}

fn through_struct(vm: &mut Vm, function: &str, format: &str, v: Value) -> R {
    let m = vm.import_module("_struct")?;
    let f = vm.getattr_str(m, function)?;
    let format = vm.new_str(format);
    vm.call(f, &[format, v])
}

fn codec_part(vm: &mut Vm, a: &[Value], which: &str) -> R {
    let m = vm.import_module("_codecs")?;
    let lookup = vm.getattr_str(m, "lookup")?;
    let info = vm.call(lookup, &[a[0]])?;
    let part = vm.getattr_str(info, which)?;
    if a[1].is_null() {
        vm.call(part, &[])
    } else {
        vm.call(part, &[a[1]])
    }
}

const OBJECT: NativeDef = new_def("($type, /)", effects::ALLOC, |vm, a| {
    Ok(vm.new_instance(Gc::from_value(a[0])))
});
const GET: &str = "($self, instance, owner=None, /)";

/// An object that binds as functions do; what it answers to a call tells which
/// class of these gave it its way to be called.
static DESCRIPTOR: [NativeDef; 3] = [
    OBJECT,
    def("__call__", ALL, ANY, |vm, a| {
        let class = vm.statics[slots::TEST_DESCRIPTOR];
        let other = vm.is_instance(a[0], Gc::from_value(class));
        Ok(vm.bool(!other))
    }),
    def("__get__", GET, ANY, |vm, a| {
        if a[1] == vm.none {
            return Ok(a[0]);
        }
        Ok(vm.new_method(a[0], a[1]))
    }),
];

static NOP_GET: [NativeDef; 2] = [
    def("__call__", ALL, ANY, |_, a| Ok(a[1])),
    def("__get__", GET, ANY, |_, a| Ok(a[0])),
];

static AWAIT: [NativeDef; 2] = [
    new_def("($type, ob, /)", effects::ALLOC, |vm, a| {
        let v = vm.new_instance(Gc::from_value(a[0]));
        vm.store_word(v, 1, a[1]);
        Ok(v)
    }),
    def("__await__", "($self, /)", ANY, |vm, a| Ok(vm.word(a[0], 1))),
];

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let m = module(vm, "_testcapi", "", FUNCTIONS);
    let name = vm.intern("_testcapi");
    for f in &BOUND {
        let v = vm.native_function(f, m, Value::NULL, name);
        set(vm, m, f.name, v);
    }
    for (name, methods) in [
        ("MethInstance", &BOUND),
        ("MethClass", &OF_CLASS),
        ("MethStatic", &OF_NO_ONE),
    ] {
        let t = class(vm, m, &object_def(name, methods));
        vm.add_methods(t, const { &[OBJECT] });
    }
    let base = class(vm, m, &object_def("MethodDescriptorBase", &DESCRIPTOR));
    for (name, methods) in [
        ("MethodDescriptorDerived", &[] as &[NativeDef]),
        ("MethodDescriptorNopGet", &NOP_GET),
        ("MethodDescriptor2", &[]),
    ] {
        let t = class(
            vm,
            m,
            &TypeDef {
                base: Some(base),
                ..object_def(name, methods)
            },
        );
        vm.type_data(t).method_descriptor = name != "MethodDescriptorNopGet";
        if name == "MethodDescriptor2" {
            vm.statics[slots::TEST_DESCRIPTOR] = t.value();
        }
    }
    vm.type_data(base).method_descriptor = true;
    class(vm, m, &object_def("awaitType", &AWAIT));
    for (name, v) in [
        ("CHAR_MIN", i8::MIN.into()),
        ("CHAR_MAX", i8::MAX.into()),
        ("UCHAR_MAX", u8::MAX.into()),
        ("SHRT_MIN", i16::MIN.into()),
        ("SHRT_MAX", i16::MAX.into()),
        ("USHRT_MAX", u16::MAX.into()),
        ("INT_MIN", i32::MIN.into()),
        ("INT_MAX", i32::MAX.into()),
        ("UINT_MAX", u32::MAX.into()),
        ("LONG_MIN", i64::MIN),
        ("LONG_MAX", i64::MAX),
        ("LLONG_MIN", i64::MIN),
        ("LLONG_MAX", i64::MAX),
        ("PY_SSIZE_T_MIN", i64::MIN),
        ("PY_SSIZE_T_MAX", i64::MAX),
        ("SIZEOF_PYGC_HEAD", 0),
        ("SIZEOF_TIME_T", 8),
        ("WITH_PYMALLOC", 0),
    ] {
        let v = vm.new_int(v);
        set(vm, m, name, v);
    }
    let (one, wide) = (vm.new_int(1), vm.new_int(64));
    let shl = pyrite_objects::ops::BinOp::LShift;
    let past = vm.binary(shl, one, wide, false)?;
    let most = vm.binary(pyrite_objects::ops::BinOp::Sub, past, one, false)?;
    for name in ["ULONG_MAX", "ULLONG_MAX"] {
        set(vm, m, name, most);
    }
    for (name, v) in [
        ("FLT_MIN", f64::from(f32::MIN_POSITIVE)),
        ("FLT_MAX", f64::from(f32::MAX)),
        ("DBL_MIN", f64::MIN_POSITIVE),
        ("DBL_MAX", f64::MAX),
    ] {
        let v = Value::float(v);
        set(vm, m, name, v);
    }
    Ok(m)
}

fn object_def(name: &'static str, methods: &'static [NativeDef]) -> TypeDef<'static> {
    TypeDef {
        module: "_testcapi",
        base_type: true,
        methods,
        ..TypeDef::of::<PyValueSub>(name, Layout::Library)
    }
}
