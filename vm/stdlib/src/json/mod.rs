//! The `_json` module: `json`'s scanner, encoder and string functions.

mod encode;
mod scan;

use crate::module;
use pyrite_machine::Value;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::vm::{R, Raised, Vm};

static FUNCTIONS: [NativeDef; 3] = [
    def(
        "scanstring",
        "(string, end, strict=True, /)",
        effects::CALLS,
        scan::scanstring,
    ),
    def(
        "encode_basestring",
        "(string, /)",
        effects::CALLS,
        |vm, a| encode::quoted(vm, a[0], false),
    ),
    def(
        "encode_basestring_ascii",
        "(string, /)",
        effects::CALLS,
        |vm, a| encode::quoted(vm, a[0], true),
    ),
];

/// `JSONDecodeError(message, text, at)`, raised.
fn decode_error(vm: &mut Vm, message: &str, text: Value, at: usize) -> Raised {
    if let Err(e) = vm.import_module("json.decoder") {
        return e;
    }
    let name = vm.intern("json.decoder");
    let decoder = vm.dict_get_str(vm.modules, name);
    let class = vm.getattr_str(decoder, "JSONDecodeError");
    let Ok(class) = class else { return Raised };
    let (m, at) = (vm.new_str(message), vm.new_int(at as i64));
    match vm.call(class, &[m, text, at]) {
        Ok(e) => vm.raise(e),
        Err(e) => e,
    }
}

/// The text of a `str` argument.
fn text_argument(vm: &mut Vm, v: Value) -> R {
    match vm.as_str(v) {
        Some(s) => Ok(s),
        None => {
            let m = format!("first argument must be a string, not {}", vm.class_name(v));
            Err(vm.type_error(&m))
        }
    }
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let m = module(vm, "_json", "json speedups\n", &FUNCTIONS);
    scan::make(vm, m);
    encode::make(vm, m);
    Ok(m)
}
