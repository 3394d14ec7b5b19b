//! The `_string` module: replacement fields of format strings taken apart, for
//! `string.Formatter`.
//!
//! `'a{b!r:c}'` is the one item `('a', 'b', 'c', 'r')`; text without a field
//! behind it comes with three `None`s.

use crate::{module, slots};
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyType};
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::text::Text;
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};
use pyrite_objects::{next_def, object_layout};

const ANY: u8 = effects::ANY;
const OPEN: u32 = b'{' as u32;
const CLOSE: u32 = b'}' as u32;

object_layout! {
    /// Either iterator: the string and how far it was read.
    Parts [Library, RAW2] { at: usize, _pad: usize, text: Value }
}

static FUNCTIONS: &[NativeDef] = &[
    def("formatter_parser", "(string, /)", ANY, |vm, a| {
        let s = string(vm, a[0])?;
        let class = Gc::from_value(vm.statics[slots::STRING_FORMATTER]);
        Ok(parts(vm, class, s, 0))
    })
    .doc("parse the argument as a format string"),
    def("formatter_field_name_split", "(string, /)", ANY, |vm, a| {
        let s = string(vm, a[0])?;
        let t = vm.text(s);
        let end = t
            .iter()
            .position(|c| matches!(c, 0x2E | 0x5B))
            .unwrap_or(t.len());
        let first = name(vm, t.slice(0..end))?;
        let class = Gc::from_value(vm.statics[slots::STRING_FIELDS]);
        let rest = parts(vm, class, s, end);
        Ok(vm.new_tuple(&[first, rest]))
    })
    .doc("split the argument as a field name"),
];

static FORMATTER: &[NativeDef] = &[
    def("__iter__", "($self, /)", effects::PURE, |_, a| Ok(a[0])),
    next_def!(next_field),
];

static FIELDS: &[NativeDef] = &[
    def("__iter__", "($self, /)", effects::PURE, |_, a| Ok(a[0])),
    next_def!(next_name),
];

fn string(vm: &mut Vm, v: Value) -> R {
    match vm.as_str(v) {
        Some(s) => Ok(s),
        None => {
            let m = format!("expected str, got {}", vm.class_name(v));
            Err(vm.type_error(&m))
        }
    }
}

fn parts(vm: &mut Vm, class: Gc<PyType>, text: Value, at: usize) -> Value {
    let v = vm.new_instance(class);
    let p = Gc::<Parts>::from_value(v);
    p.at.set(at);
    p.text.set(text);
    vm.write_barrier(v);
    v
}

/// A number if it is one, else the text.
fn name(vm: &mut Vm, t: Text<'_>) -> R {
    let mut n = 0i64;
    for c in t.iter() {
        let Some(d) = pyrite_objects::unicode::decimal(c) else {
            return Ok(vm.new_str_text(t));
        };
        n = match n.checked_mul(10).and_then(|n| n.checked_add(d.into())) {
            Some(n) => n,
            None => return Err(vm.value_error("Too many decimal digits in format string")),
        };
    }
    Ok(if t.is_empty() {
        vm.empty_str
    } else {
        vm.new_int(n)
    })
}

fn next_name(vm: &mut Vm, v: Value) -> R<Option<Value>> {
    let p = Gc::<Parts>::from_value(v);
    let s = p.text.get();
    let t = vm.text(s);
    let mut i = p.at.get();
    if i >= t.len() {
        return Ok(None);
    }
    let c = t.at(i);
    i += 1;
    let from = i;
    let (is_attribute, part) = match c {
        0x2E => {
            while i < t.len() && !matches!(t.at(i), 0x2E | 0x5B) {
                i += 1;
            }
            p.at.set(i);
            (true, t.slice(from..i))
        }
        0x5B => {
            while i < t.len() && t.at(i) != 0x5D {
                i += 1;
            }
            if i == t.len() {
                return Err(vm.value_error("Missing ']' in format string"));
            }
            p.at.set(i + 1);
            (false, t.slice(from..i))
        }
        _ => {
            return Err(vm.value_error("Only '.' or '[' may follow ']' in format field specifier"));
        }
    };
    if part.is_empty() {
        return Err(vm.value_error("Empty attribute in format string"));
    }
    let part = if is_attribute {
        vm.new_str_text(part)
    } else {
        name(vm, part)?
    };
    let flag = vm.bool(is_attribute);
    Ok(Some(vm.new_tuple(&[flag, part])))
}

fn next_field(vm: &mut Vm, v: Value) -> R<Option<Value>> {
    let p = Gc::<Parts>::from_value(v);
    let s = p.text.get();
    let t = vm.text(s);
    let n = t.len();
    let mut i = p.at.get();
    if i >= n {
        return Ok(None);
    }
    let start = i;
    // Literal text, up to a brace; a doubled one is part of it and ends it.
    while i < n && !matches!(t.at(i), OPEN | CLOSE) {
        i += 1;
    }
    let none = vm.none;
    if i == n {
        p.at.set(i);
        let text = vm.new_str_text(t.slice(start..i));
        return Ok(Some(vm.new_tuple(&[text, none, none, none])));
    }
    let c = t.at(i);
    if i + 1 < n && t.at(i + 1) == c {
        p.at.set(i + 2);
        let text = vm.new_str_text(t.slice(start..i + 1));
        return Ok(Some(vm.new_tuple(&[text, none, none, none])));
    }
    if c == CLOSE {
        return Err(vm.value_error("Single '}' encountered in format string"));
    }
    if i + 1 == n {
        return Err(vm.value_error("Single '{' encountered in format string"));
    }
    let literal = t.slice(start..i);
    i += 1;
    let from = i;
    let mut bracket = false;
    while i < n {
        match t.at(i) {
            OPEN => return Err(vm.value_error("unexpected '{' in field name")),
            0x5B => bracket = true,
            0x5D => bracket = false,
            CLOSE | 0x3A | 0x21 if !bracket => break,
            _ => {}
        }
        i += 1;
    }
    if i == n {
        return Err(vm.value_error("expected '}' before end of string"));
    }
    let field = t.slice(from..i);
    let mut conversion = none;
    let mut c = t.at(i);
    i += 1;
    if c == 0x21 {
        if i == n {
            return Err(vm.value_error("end of string while looking for conversion specifier"));
        }
        conversion = vm.new_str_char(t.at(i));
        i += 1;
        if i == n {
            return Err(vm.value_error("unmatched '{' in format spec"));
        }
        c = t.at(i);
        i += 1;
        if c != 0x3A && c != CLOSE {
            return Err(vm.value_error("expected ':' after conversion specifier"));
        }
    }
    let mut spec = t.slice(0..0);
    if c == 0x3A {
        let from = i;
        let mut open = 1;
        loop {
            if i == n {
                return Err(vm.value_error("unmatched '{' in format spec"));
            }
            match t.at(i) {
                OPEN => open += 1,
                CLOSE => open -= 1,
                _ => {}
            }
            if open == 0 {
                break;
            }
            i += 1;
        }
        spec = t.slice(from..i);
        i += 1;
    }
    p.at.set(i);
    let literal = vm.new_str_text(literal);
    let field = vm.new_str_text(field);
    let spec = vm.new_str_text(spec);
    Ok(Some(vm.new_tuple(&[literal, field, spec, conversion])))
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let m = module(vm, "_string", "string helper module", FUNCTIONS);
    for (slot, name, methods) in [
        (slots::STRING_FORMATTER, "formatteriterator", FORMATTER),
        (slots::STRING_FIELDS, "fieldnameiterator", FIELDS),
    ] {
        let t = vm.native_type(&TypeDef {
            module: "_string",
            methods,
            ..TypeDef::of::<Parts>(name, Layout::Library)
        });
        vm.statics[slot] = t.value();
    }
    Ok(m)
}
