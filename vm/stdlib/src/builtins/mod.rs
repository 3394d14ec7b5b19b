//! The `builtins` module: functions, constants, classes.

mod attributes;
mod code;
mod io;
mod items;
mod numbers;

use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, PyType};
use pyrite_objects::native::{NativeDef, def, effects, intrinsic};
use pyrite_objects::vm::Vm;

const ANY: u8 = effects::ANY;
const CALLS: u8 = effects::CALLS;

static FUNCTIONS: &[NativeDef] = &[
    def("abs", "(x, /)", CALLS, numbers::abs).known(intrinsic::ABS),
    def("bin", "(number, /)", CALLS, numbers::bin)
        .doc("The digits of an integer in base 2, with their prefix.\n\n>>> bin(10)\n'0b1010'\n"),
    def("divmod", "(x, y, /)", CALLS, numbers::divmod),
    def("hex", "(number, /)", CALLS, numbers::hex).doc(
        "The digits of an integer in base 16, with their prefix.\n\n>>> hex(48879)\n'0xbeef'\n",
    ),
    def(
        "max",
        "(*args, key=None, default=None)",
        CALLS,
        numbers::max,
    )
    .known(intrinsic::MAX),
    def(
        "min",
        "(*args, key=None, default=None)",
        CALLS,
        numbers::min,
    )
    .known(intrinsic::MIN),
    def("oct", "(number, /)", CALLS, numbers::oct)
        .doc("The digits of an integer in base 8, with their prefix.\n\n>>> oct(493)\n'0o755'\n"),
    def("pow", "(base, exp, mod=None)", CALLS, numbers::pow),
    def("round", "(number, ndigits=None)", CALLS, numbers::round),
    def("sum", "(iterable, /, start=0)", CALLS, numbers::sum),
    def("all", "(iterable, /)", CALLS, items::all),
    def("any", "(iterable, /)", CALLS, items::any),
    def(
        "chr",
        "(i, /)",
        effects::ALLOC | effects::RAISES,
        items::chr,
    ),
    def("hash", "(obj, /)", CALLS, items::hash),
    def("iter", "(object, sentinel=None, /)", CALLS, items::iter),
    def("aiter", "(async_iterable, /)", CALLS, items::aiter),
    def(
        "anext",
        "(async_iterator, default=None, /)",
        CALLS,
        |vm, a| pyrite_objects::async_gen::anext(vm, a[0], a[1]),
    ),
    def("len", "(obj, /)", CALLS, items::len).known(intrinsic::LEN),
    def("next", "(iterator, default=None, /)", ANY, items::next),
    def("ord", "(c, /)", effects::RAISES, items::ord),
    def("sorted", "(iterable, /, **kwargs=)", CALLS, items::sorted),
    def("ascii", "(obj, /)", CALLS, items::ascii),
    def("format", "(value, format_spec='', /)", CALLS, items::format),
    def("repr", "(obj, /)", CALLS, items::repr),
    def("callable", "(obj, /)", effects::READS, attributes::callable),
    def("delattr", "(obj, name, /)", CALLS, attributes::delattr),
    def("dir", "(object=None, /)", ANY, attributes::dir),
    def(
        "getattr",
        "(object, name, default=None, /)",
        CALLS,
        attributes::getattr,
    ),
    def("hasattr", "(obj, name, /)", CALLS, attributes::hasattr),
    def("id", "(obj, /)", effects::PURE, attributes::id),
    def(
        "isinstance",
        "(obj, class_or_tuple, /)",
        CALLS,
        attributes::isinstance,
    )
    .known(intrinsic::ISINSTANCE),
    def(
        "issubclass",
        "(cls, class_or_tuple, /)",
        CALLS,
        attributes::issubclass,
    ),
    def(
        "setattr",
        "(obj, name, value, /)",
        CALLS,
        attributes::setattr,
    ),
    def("vars", "(object=None, /)", ANY, attributes::vars),
    def("breakpoint", "(*args, **kws)", ANY, code::breakpoint),
    def(
        "compile",
        "(source, filename, mode, flags=0, dont_inherit=False, optimize=-1, *, _feature_version=-1)",
        ANY,
        code::compile,
    ),
    def(
        "eval",
        "(source, globals=None, locals=None, /)",
        ANY,
        code::eval,
    ),
    def(
        "exec",
        "(source, globals=None, locals=None, /, *, closure=None)",
        ANY,
        code::exec,
    ),
    def("globals", "()", ANY, code::globals),
    def("locals", "()", ANY, code::locals),
    def(
        "__build_class__",
        "(func, name, /, *bases, **kwds)",
        ANY,
        pyrite_objects::type_::build_class,
    ),
    def(
        "__import__",
        "(name, globals=None, locals=None, fromlist=(), level=0)",
        ANY,
        code::import,
    ),
    def("input", "(prompt='', /)", ANY, io::input),
    def(
        "print",
        "(*args, sep=' ', end='\\n', file=None, flush=False)",
        ANY,
        io::print,
    ),
];

/// Makes the module; its namespace becomes [`Vm::builtins`].
pub fn install(vm: &mut Vm) {
    let doc = "Built-in functions, exceptions, and other objects.\n\nNoteworthy: None is the `nil' object; Ellipsis represents `...' in slices.";
    let module = crate::module(vm, "builtins", doc, FUNCTIONS);
    let d = crate::namespace(module);
    vm.builtins = d;
    let debug = vm.bool(vm.config.optimize == 0);
    for (name, v) in [
        ("None", vm.none),
        ("True", vm.true_),
        ("False", vm.false_),
        ("Ellipsis", vm.ellipsis),
        ("NotImplemented", vm.not_implemented),
        ("__debug__", debug),
    ] {
        crate::set(vm, module, name, v);
    }
    let t = vm.types;
    for c in [
        t.object,
        t.type_,
        t.int,
        t.bool_,
        t.float,
        t.complex,
        t.str_,
        t.bytes,
        t.bytearray,
        t.tuple,
        t.list,
        t.dict,
        t.set,
        t.frozenset,
        t.range,
        t.slice,
        t.property,
        t.staticmethod,
        t.classmethod,
        t.super_,
        t.memoryview,
        t.enumerate,
        t.zip,
        t.map,
        t.filter,
        t.reversed,
    ] {
        add_class(vm, module, c);
    }
    let mut types = vm.types;
    types.for_each(|c| {
        // Exceptions that have been made; those still to come add themselves.
        if c.raw().is_null() || !vm.is_subclass(*c, t.base_exception) {
            return;
        }
        add_class(vm, module, *c);
    });
    for alias in ["EnvironmentError", "IOError"] {
        crate::set(vm, module, alias, t.os_error.value());
    }
}

fn add_class(vm: &mut Vm, module: Value, class: Gc<PyType>) {
    vm.dict_set_str(crate::namespace(module), class.name.get(), class.value());
}
