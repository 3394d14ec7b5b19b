//! The `_sre` module: the engine below `re`.
//!
//! `Lib/re` parses patterns and compiles them to a list of numbers; this module
//! makes [`pattern`] objects of those, runs them ([`engine`]) and presents what
//! was found ([`matches`]).

mod chars;
mod engine;
mod matches;
mod pattern;
mod program;
mod subject;

use crate::{module, set, slots};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyType, PyValueSub, kind};
use pyrite_objects::native::{GetSetDef, NativeDef, def, effects};
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

const ANY: u8 = effects::ANY;
/// Version of the code lists understood here.
const MAGIC: i32 = 20_220_615;

static FUNCTIONS: [NativeDef; 6] = [
    def(
        "compile",
        "(pattern, flags, code, groups, groupindex, indexgroup)",
        ANY,
        pattern::compile,
    ),
    def("getcodesize", "()", effects::PURE, |_, _| {
        Ok(Value::small(4))
    }),
    def(
        "ascii_iscased",
        "(character, /)",
        effects::RAISES,
        |vm, a| {
            let c = character(vm, a[0])?;
            Ok(vm.bool(c < 128 && (c as u8).is_ascii_alphabetic()))
        },
    ),
    def(
        "unicode_iscased",
        "(character, /)",
        effects::RAISES,
        |vm, a| {
            let c = character(vm, a[0])?;
            Ok(vm.bool(chars::lower(c) != c || chars::upper(c) != c))
        },
    ),
    def(
        "ascii_tolower",
        "(character, /)",
        effects::RAISES,
        |vm, a| {
            let c = character(vm, a[0])?;
            Ok(Value::int_unchecked(chars::ascii_lower(c).into()))
        },
    ),
    def(
        "unicode_tolower",
        "(character, /)",
        effects::RAISES,
        |vm, a| {
            let c = character(vm, a[0])?;
            Ok(Value::int_unchecked(chars::lower(c).into()))
        },
    ),
];

fn character(vm: &mut Vm, v: Value) -> R<u32> {
    Ok(crate::fs::c_int(vm, v)? as u32)
}

/// Makes one of this module's classes: `words` words of values, no instances by calling.
fn new_class(
    vm: &mut Vm,
    module: &str,
    name: &str,
    doc: &str,
    words: usize,
    methods: &'static [NativeDef],
    getset: &'static [GetSetDef],
) -> Gc<PyType> {
    vm.native_type(&TypeDef {
        module,
        doc,
        layout: Layout::Library,
        kind: kind::VALUES,
        words,
        methods,
        getset,
        ..TypeDef::of::<PyValueSub>(name, Layout::Library)
    })
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let m = module(vm, "_sre", "", &FUNCTIONS);
    let c = pattern::class(vm);
    vm.statics[slots::RE_PATTERN] = c.value();
    let c = matches::class(vm);
    vm.statics[slots::RE_MATCH] = c.value();
    let c = pattern::scanner_class(vm);
    vm.statics[slots::RE_SCANNER] = c.value();
    set(vm, m, "MAGIC", Value::small(MAGIC));
    set(vm, m, "CODESIZE", Value::small(4));
    for (name, n) in [
        ("MAXREPEAT", program::MAXREPEAT),
        ("MAXGROUPS", program::MAXGROUPS),
    ] {
        set(vm, m, name, Value::int_unchecked(n.into()));
    }
    let v = vm.new_str(" Pyrite's matcher for SRE 2.2.2 code ");
    set(vm, m, "copyright", v);
    Ok(m)
}
