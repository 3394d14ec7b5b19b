//! Docstrings of built-in classes.
//!
//! They stand in one table by name rather than with each class, since most are
//! one line. A class without an entry has `__doc__ = None` of its own, so that
//! its instances do not show their base's.

use crate::layout::{Gc, PyType};
use crate::vm::Vm;
use pyrite_machine::Value;

static DOCS: &[(&str, &str)] = &[
    (
        "int",
        "int([x]) -> the integer part of a number, 0 without one\nint(text, base=10) -> the integer that a text spells\n\nDigits may be grouped with underscores. Base 0 goes by the prefix.\n>>> int('0x1F', base=0)\n31\n",
    ),
    (
        "float",
        "The floating-point number nearest to a number, or that a text spells.",
    ),
    (
        "complex",
        "A complex number of a real and an imaginary part, or that a text spells.",
    ),
    (
        "bool",
        "True if the argument counts as true, else False. The only instances are these two.",
    ),
    (
        "str",
        "str(object='') -> text of an object\nstr(bytes, encoding='utf-8', errors='strict') -> decoded bytes",
    ),
    (
        "bytes",
        "bytes(iterable_of_ints) -> bytes\nbytes(text, encoding[, errors]) -> encoded text\nbytes(buffer) -> a copy of it\nbytes(n) -> n zeros\n\nAn immutable sequence of small integers.",
    ),
    (
        "bytearray",
        "bytearray(iterable_of_ints) -> bytearray\nbytearray(text, encoding[, errors]) -> encoded text\nbytearray(buffer) -> a copy of it\nbytearray(n) -> n zeros\n\nA mutable sequence of small integers.",
    ),
    (
        "list",
        "A mutable sequence, of the items of an iterable if one is given.",
    ),
    (
        "tuple",
        "An immutable sequence, of the items of an iterable if one is given.",
    ),
    (
        "dict",
        "A mapping: of another mapping, of an iterable of pairs, or of keyword arguments.",
    ),
    ("set", "An unordered collection of unique items."),
    (
        "frozenset",
        "An unordered collection of unique items that cannot be changed.",
    ),
    (
        "range",
        "range(stop) -> the integers from 0 up to stop, exclusive\nrange(start, stop[, step]) -> those from start on, step apart",
    ),
    (
        "slice",
        "slice(stop)\nslice(start, stop[, step])\n\nWhat a subscript with colons makes.",
    ),
    (
        "enumerate",
        "Pairs of a count, from start on, and an item of an iterable.",
    ),
    (
        "zip",
        "zip(*iterables, strict=False) -> tuples of the first items, the second ones, and so on\n\n>>> list(zip('ab', range(5)))\n[('a', 0), ('b', 1)]\n\nThe shortest iterable ends it; with strict, all must be of one length.\n",
    ),
    (
        "map",
        "What a function gives for the items of one or more iterables.",
    ),
    (
        "filter",
        "The items of an iterable for which a function (or, for None, the item) is true.",
    ),
    (
        "reversed",
        "The items of a sequence from its last to its first.",
    ),
    (
        "memoryview",
        "A window on the memory of an object that exports its bytes.",
    ),
    (
        "property",
        "An attribute that functions read, write and delete.\n\nAs a decorator it makes one of its getter; its methods getter, setter and\ndeleter make a copy with another function.",
    ),
    (
        "staticmethod",
        "A function in a class that gets neither the class nor the instance.",
    ),
    (
        "classmethod",
        "A function in a class that gets the class as its first argument.",
    ),
    (
        "super",
        "super() -> what the classes behind this one in the MRO have\nsuper(type, object_or_type) -> the same behind type, bound to the other",
    ),
    (
        "type",
        "type(object) -> its class\ntype(name, bases, namespace, **keywords) -> a new class",
    ),
    (
        "function",
        "A function made by def or lambda, or of a code object and globals.",
    ),
    ("method", "A function bound to an instance."),
    ("BaseException", "Base of all exceptions."),
    (
        "Exception",
        "Base of all exceptions that are no request to exit.",
    ),
];

/// The docstring of a built-in class by name.
pub(crate) fn of(vm: &mut Vm, t: Gc<PyType>) -> Value {
    let name = vm.type_name(t);
    match DOCS.iter().find(|(n, _)| *n == name) {
        Some((_, text)) => vm.new_str(text),
        None => vm.none,
    }
}

/// Gives the classes their docstrings, where they have no attribute of that name
/// for their instances.
pub fn install(vm: &mut Vm) {
    let mut classes = Vec::new();
    vm.types.for_each(|c| classes.push(*c));
    let (name, none) = (vm.names.doc, vm.none);
    for t in classes {
        let dict = t.dict.get();
        if dict.is_null() || vm.dict_get_str(dict, name) != none {
            continue;
        }
        let text = of(vm, t);
        vm.dict_set_str(dict, name, text);
    }
}
