//! The `_operator` module: operators as functions, and the getters.

use crate::args::ssize;
use crate::{class, module};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout};
use pyrite_objects::native::{NativeDef, def, effects, new_def};
use pyrite_objects::ops::BinOp;
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};
use pyrite_objects::{CmpOp, object_layout};

object_layout! {
    /// `itemgetter`, `attrgetter`: the tuple of arguments; for the latter, each
    /// is a tuple of names in `paths`.
    Getter [Library, VALUES] { items: Value, paths: Value }
}
object_layout! {
    /// `methodcaller`
    Caller [Library, VALUES] { name: Value, args: Value, kwargs: Value }
}

macro_rules! binary {
    ($name:literal, $op:ident) => {
        def($name, "(a, b, /)", effects::ANY, |vm, a| {
            vm.binary(BinOp::$op, a[0], a[1], false)
        })
    };
}
macro_rules! inplace {
    ($name:literal, $op:ident) => {
        def($name, "(a, b, /)", effects::ANY, |vm, a| {
            vm.binary(BinOp::$op, a[0], a[1], true)
        })
    };
}
macro_rules! compare {
    ($name:literal, $op:ident) => {
        def($name, "(a, b, /)", effects::ANY, |vm, a| {
            vm.compare(CmpOp::$op, a[0], a[1])
        })
    };
}
macro_rules! unary {
    ($name:literal, $field:ident, $symbol:literal) => {
        def($name, "(a, /)", effects::ANY, |vm, a| {
            let n = vm.names.$field;
            vm.unary(n, $symbol, a[0])
        })
    };
}

static FUNCTIONS: &[NativeDef] = &[
    binary!("add", Add),
    binary!("sub", Sub),
    binary!("mul", Mul),
    binary!("matmul", MatMul),
    binary!("floordiv", FloorDiv),
    binary!("truediv", TrueDiv),
    binary!("mod", Mod),
    binary!("pow", Pow),
    binary!("lshift", LShift),
    binary!("rshift", RShift),
    binary!("and_", And),
    binary!("xor", Xor),
    binary!("or_", Or),
    inplace!("iadd", Add),
    inplace!("isub", Sub),
    inplace!("imul", Mul),
    inplace!("imatmul", MatMul),
    inplace!("ifloordiv", FloorDiv),
    inplace!("itruediv", TrueDiv),
    inplace!("imod", Mod),
    inplace!("ipow", Pow),
    inplace!("ilshift", LShift),
    inplace!("irshift", RShift),
    inplace!("iand", And),
    inplace!("ixor", Xor),
    inplace!("ior", Or),
    compare!("lt", Lt),
    compare!("le", Le),
    compare!("eq", Eq),
    compare!("ne", Ne),
    compare!("ge", Ge),
    compare!("gt", Gt),
    unary!("neg", neg, "unary -"),
    unary!("pos", pos, "unary +"),
    unary!("inv", invert, "unary ~"),
    unary!("invert", invert, "unary ~"),
    def("abs", "(a, /)", effects::ANY, |vm, a| {
        if let Some(f) = a[0].as_float() {
            return Ok(Value::float(f.abs()));
        }
        let n = vm.names.abs;
        vm.unary(n, "abs()", a[0])
    }),
    def("truth", "(a, /)", effects::ANY, |vm, a| {
        let b = vm.truth(a[0])?;
        Ok(vm.bool(b))
    }),
    def("not_", "(a, /)", effects::ANY, |vm, a| {
        let b = vm.truth(a[0])?;
        Ok(vm.bool(!b))
    }),
    def("is_", "(a, b, /)", effects::PURE, |vm, a| {
        Ok(vm.bool(a[0] == a[1]))
    }),
    def("is_not", "(a, b, /)", effects::PURE, |vm, a| {
        Ok(vm.bool(a[0] != a[1]))
    }),
    def("contains", "(a, b, /)", effects::ANY, |vm, a| {
        let b = vm.contains(a[0], a[1])?;
        Ok(vm.bool(b))
    }),
    def("concat", "(a, b, /)", effects::ANY, |vm, a| {
        concat(vm, a, false)
    }),
    def("iconcat", "(a, b, /)", effects::ANY, |vm, a| {
        concat(vm, a, true)
    }),
    def("countOf", "(a, b, /)", effects::ANY, |vm, a| {
        let (it, mut n) = (search(vm, a[0])?, 0);
        while let Some(v) = vm.iter_next(it)? {
            n += i64::from(vm.eq(v, a[1])?);
        }
        Ok(vm.new_int(n))
    }),
    def("indexOf", "(a, b, /)", effects::ANY, |vm, a| {
        let (it, mut n) = (search(vm, a[0])?, 0);
        while let Some(v) = vm.iter_next(it)? {
            if vm.eq(v, a[1])? {
                return Ok(vm.new_int(n));
            }
            n += 1;
        }
        Err(vm.value_error("sequence.index(x): x not in sequence"))
    }),
    def("getitem", "(a, b, /)", effects::ANY, |vm, a| {
        vm.getitem(a[0], a[1])
    }),
    def("setitem", "(a, b, c, /)", effects::ANY, |vm, a| {
        vm.setitem(a[0], a[1], a[2])?;
        Ok(vm.none)
    }),
    def("delitem", "(a, b, /)", effects::ANY, |vm, a| {
        vm.delitem(a[0], a[1])?;
        Ok(vm.none)
    }),
    def("index", "(a, /)", effects::ANY, |vm, a| vm.index(a[0])),
    def(
        "length_hint",
        "(obj, default=0, /)",
        effects::ANY,
        |vm, a| {
            let mut default = 0;
            if a[1].is_some() {
                if !vm.is_int(a[1]) {
                    let m = format!(
                        "'{}' object cannot be interpreted as an integer",
                        vm.class_name(a[1])
                    );
                    return Err(vm.type_error(&m));
                }
                default = ssize(vm, a[1])?;
            }
            // A negative default comes back as it is.
            let n = vm.length_hint(a[0], default as usize)?;
            Ok(vm.new_int(n as i64))
        },
    ),
    def(
        "call",
        "(obj, /, *args, **kwargs)",
        effects::ANY,
        |vm, a| vm.call_dict(a[0], vm.tuple_items(a[1]), a[2]),
    ),
    def(
        "_compare_digest",
        "(a, b, /)",
        effects::READS,
        compare_digest,
    ),
];

/// An iterator over what is searched.
fn search(vm: &mut Vm, v: Value) -> R {
    match vm.get_iter(v) {
        Ok(it) => Ok(it),
        Err(e) => {
            if vm.exc_is(vm.types.type_error) {
                vm.exc = Value::NULL;
                let m = format!("argument of type '{}' is not iterable", vm.class_name(v));
                return Err(vm.type_error(&m));
            }
            Err(e)
        }
    }
}

fn concat(vm: &mut Vm, a: &[Value], inplace: bool) -> R {
    let name = vm.names.getitem;
    for &v in a {
        if vm.lookup_on(v, name).is_null() || vm.is_dict(v) {
            let m = format!("'{}' object can't be concatenated", vm.class_name(v));
            return Err(vm.type_error(&m));
        }
    }
    vm.binary(BinOp::Add, a[0], a[1], inplace)
}

/// Compares without stopping at the first difference.
fn compare_digest(vm: &mut Vm, a: &[Value]) -> R {
    let (x, y) = match (vm.as_str(a[0]), vm.as_str(a[1])) {
        (Some(x), Some(y)) => {
            let (x, y) = (vm.text(x), vm.text(y));
            if x.iter().chain(y.iter()).any(|c| c > 127) {
                let m = "comparing strings with non-ASCII characters is not supported";
                return Err(vm.type_error(m));
            }
            (x.raw(), y.raw())
        }
        _ => match (vm.buffer(a[0]), vm.buffer(a[1])) {
            (Some(x), Some(y)) => (x, y),
            (None, None) => {
                let m = format!(
                    "unsupported operand types(s) or combination of types: '{}' and '{}'",
                    vm.class_name(a[0]),
                    vm.class_name(a[1])
                );
                return Err(vm.type_error(&m));
            }
            (x, _) => {
                let odd = if x.is_none() { a[0] } else { a[1] };
                let m = format!(
                    "a bytes-like object is required, not '{}'",
                    vm.class_name(odd)
                );
                return Err(vm.type_error(&m));
            }
        },
    };
    let mut difference = u8::from(x.len() != y.len());
    for (i, &c) in y.iter().enumerate() {
        difference |= c ^ x.get(i).copied().unwrap_or(!c);
    }
    Ok(vm.bool(std::hint::black_box(difference) == 0))
}

fn getter(v: Value) -> Gc<Getter> {
    Gc::from_value(v)
}

fn caller(v: Value) -> Gc<Caller> {
    Gc::from_value(v)
}

/// `name(reprs of the items)`
fn getter_repr(vm: &mut Vm, a: &[Value]) -> R {
    let class = vm.class_of(a[0]);
    let open = format!("{}(", vm.type_full_name(class));
    let items = getter(a[0]).items.get();
    vm.repr_items(a[0], &open, ")", &format!("{open}...)"), |vm, i, out| {
        if i >= vm.tuple_len(items) {
            return Ok(false);
        }
        let r = vm.repr(vm.tuple_get(items, i))?;
        vm.list_append(out, r);
        Ok(true)
    })
}

const GETTER_REPR: NativeDef = def("__repr__", "($self, /)", effects::ANY, getter_repr);
const GETTER_REDUCE: NativeDef = def("__reduce__", "($self, /)", effects::ALLOC, |vm, a| {
    let class = vm.class_of(a[0]).value();
    Ok(vm.new_tuple(&[class, getter(a[0]).items.get()]))
});

fn no_kwargs(vm: &mut Vm, kwargs: Value, name: &str) -> R<()> {
    if vm.dict_len(kwargs) == 0 {
        return Ok(());
    }
    Err(vm.type_error(&format!("{name}() takes no keyword arguments")))
}

static ITEMGETTER: [NativeDef; 4] = [
    new_def("($type, /, *items, **kwargs)", effects::ALLOC, |vm, a| {
        no_kwargs(vm, a[2], "itemgetter")?;
        if vm.tuple_len(a[1]) == 0 {
            let m = "itemgetter expected 1 argument, got 0";
            return Err(vm.type_error(m));
        }
        let v = vm.new_instance(Gc::from_value(a[0]));
        getter(v).items.set(a[1]);
        vm.write_barrier(v);
        Ok(v)
    }),
    def("__call__", "($self, obj, /)", effects::ANY, |vm, a| {
        let items = getter(a[0]).items.get();
        let n = vm.tuple_len(items);
        if n == 1 {
            return vm.getitem(a[1], vm.tuple_get(items, 0));
        }
        let out = vm.new_tuple_uninit(n);
        for i in 0..n {
            let v = vm.getitem(a[1], vm.tuple_get(items, i))?;
            vm.tuple_init(out, i, v);
        }
        Ok(out)
    }),
    GETTER_REPR,
    GETTER_REDUCE,
];

static ATTRGETTER: [NativeDef; 4] = [
    new_def(
        "($type, /, *attrs, **kwargs)",
        effects::ALLOC,
        attrgetter_new,
    ),
    def("__call__", "($self, obj, /)", effects::ANY, |vm, a| {
        let paths = getter(a[0]).paths.get();
        let n = vm.tuple_len(paths);
        if n == 1 {
            return follow(vm, a[1], vm.tuple_get(paths, 0));
        }
        let out = vm.new_tuple_uninit(n);
        for i in 0..n {
            let v = follow(vm, a[1], vm.tuple_get(paths, i))?;
            vm.tuple_init(out, i, v);
        }
        Ok(out)
    }),
    GETTER_REPR,
    GETTER_REDUCE,
];

fn attrgetter_new(vm: &mut Vm, a: &[Value]) -> R {
    no_kwargs(vm, a[2], "attrgetter")?;
    let n = vm.tuple_len(a[1]);
    if n == 0 {
        let m = "attrgetter expected 1 argument, got 0";
        return Err(vm.type_error(m));
    }
    let paths = vm.new_tuple_uninit(n);
    for i in 0..n {
        let Some(s) = vm.as_str(vm.tuple_get(a[1], i)) else {
            return Err(vm.type_error("attribute name must be a string"));
        };
        let names = vm.new_list(&[]);
        let text = vm.text(s);
        let mut from = 0;
        for at in 0..=text.len() {
            if at == text.len() || text.at(at) == u32::from('.') {
                let part = vm.new_str_text(text.slice(from..at));
                let part = vm.intern_value(part);
                vm.list_append(names, part);
                from = at + 1;
            }
        }
        let names = vm.list_to_tuple(names);
        vm.tuple_init(paths, i, names);
    }
    let v = vm.new_instance(Gc::from_value(a[0]));
    getter(v).items.set(a[1]);
    getter(v).paths.set(paths);
    vm.write_barrier(v);
    Ok(v)
}

fn follow(vm: &mut Vm, v: Value, path: Value) -> R {
    let mut v = v;
    for &name in vm.tuple_items(path) {
        v = vm.getattr(v, name)?;
    }
    Ok(v)
}

static METHODCALLER: [NativeDef; 4] = [
    new_def("($type, /, *args, **kwargs)", effects::ALLOC, |vm, a| {
        let given = vm.tuple_items(a[1]);
        let Some(&name) = given.first() else {
            let m = "methodcaller needs at least one argument, the method name";
            return Err(vm.type_error(m));
        };
        let Some(name) = vm.as_str(name) else {
            return Err(vm.type_error("method name must be a string"));
        };
        let name = vm.intern_value(name);
        let args = vm.new_tuple(&given[1..]);
        let v = vm.new_instance(Gc::from_value(a[0]));
        let c = caller(v);
        c.name.set(name);
        c.args.set(args);
        c.kwargs.set(a[2]);
        vm.write_barrier(v);
        Ok(v)
    }),
    def("__call__", "($self, obj, /)", effects::ANY, |vm, a| {
        let c = caller(a[0]);
        let (args, kwargs) = (c.args.get(), c.kwargs.get());
        if vm.dict_len(kwargs) == 0 {
            return vm.call_method(a[1], c.name.get(), vm.tuple_items(args));
        }
        let f = vm.getattr(a[1], c.name.get())?;
        vm.call_dict(f, vm.tuple_items(args), kwargs)
    }),
    def("__repr__", "($self, /)", effects::ANY, caller_repr),
    def("__reduce__", "($self, /)", effects::ANY, caller_reduce),
];

fn caller_repr(vm: &mut Vm, a: &[Value]) -> R {
    let c = caller(a[0]);
    let (args, kwargs) = (c.args.get(), c.kwargs.get());
    let class = vm.class_of(a[0]);
    let open = format!("{}(", vm.type_full_name(class));
    let mut pos = 0;
    let positional = 1 + vm.tuple_len(args);
    vm.repr_items(a[0], &open, ")", &format!("{open}...)"), |vm, i, out| {
        if i < positional {
            let v = if i == 0 {
                c.name.get()
            } else {
                vm.tuple_get(args, i - 1)
            };
            let r = vm.repr(v)?;
            vm.list_append(out, r);
            return Ok(true);
        }
        let Some((k, v)) = vm.dict_next(kwargs, &mut pos) else {
            return Ok(false);
        };
        let (k, r) = (vm.str(k)?, vm.repr(v)?);
        let equals = vm.intern("=");
        let text = vm.str_join(&[k, equals, r]);
        vm.list_append(out, text);
        Ok(true)
    })
}

fn caller_reduce(vm: &mut Vm, a: &[Value]) -> R {
    let c = caller(a[0]);
    let class = vm.class_of(a[0]).value();
    if vm.dict_len(c.kwargs.get()) == 0 {
        let all = vm.new_list(&[c.name.get()]);
        vm.list_extend(all, c.args.get())?;
        let all = vm.list_to_tuple(all);
        return Ok(vm.new_tuple(&[class, all]));
    }
    let functools = vm.import_module("functools")?;
    let partial = vm.getattr_str(functools, "partial")?;
    let f = vm.call_dict(partial, &[class, c.name.get()], c.kwargs.get())?;
    Ok(vm.new_tuple(&[f, c.args.get()]))
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let doc = "Operator interface.\n\nThis module exports a set of functions implemented in C corresponding\nto the intrinsic operators of Python.  For example, operator.add(x, y)\nis equivalent to the expression x+y.";
    let m = module(vm, "_operator", doc, FUNCTIONS);
    let getter_def = TypeDef {
        module: "operator",
        ..TypeDef::of::<Getter>("", Layout::Library)
    };
    for (name, methods) in [("itemgetter", &ITEMGETTER), ("attrgetter", &ATTRGETTER)] {
        class(
            vm,
            m,
            &TypeDef {
                name,
                methods,
                ..getter_def
            },
        );
    }
    class(
        vm,
        m,
        &TypeDef {
            module: "operator",
            methods: &METHODCALLER,
            ..TypeDef::of::<Caller>("methodcaller", Layout::Library)
        },
    );
    Ok(m)
}
