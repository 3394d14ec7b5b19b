//! Objects to JSON text.

use super::text_argument;
use crate::args::ssize;
use crate::class;
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, NativeLayout, PyNative};
use pyrite_objects::native::{NativeDef, def, effects, new_def};
use pyrite_objects::object_layout;
use pyrite_objects::text::Text;
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

object_layout! {
    /// `Encoder`: the options of a `JSONEncoder`.
    Encoder [Library, VALUES] {
        markers: Value,
        default: Value,
        encoder: Value,
        indent: Value,
        key_separator: Value,
        item_separator: Value,
        sort_keys: Value,
        skipkeys: Value,
        allow_nan: Value,
    }
}

const FIELDS: [&str; 8] = [
    "markers",
    "default",
    "encoder",
    "indent",
    "key_separator",
    "item_separator",
    "sort_keys",
    "skipkeys",
];

/// Appends a string literal.
fn quote(out: &mut Vec<u32>, text: Text<'_>, ascii: bool) {
    let push = |out: &mut Vec<u32>, s: &str| out.extend(s.bytes().map(u32::from));
    out.push(0x22);
    for c in text.iter() {
        match c {
            0x22 => push(out, "\\\""),
            0x5c => push(out, "\\\\"),
            0x0a => push(out, "\\n"),
            0x0d => push(out, "\\r"),
            0x09 => push(out, "\\t"),
            0x0c => push(out, "\\f"),
            0x08 => push(out, "\\b"),
            0..=0x1f => push(out, &format!("\\u{c:04x}")),
            0x7f.. if ascii => {
                if c >= 0x10000 {
                    let v = c - 0x10000;
                    push(out, &format!("\\u{:04x}", 0xd800 + (v >> 10)));
                    push(out, &format!("\\u{:04x}", 0xdc00 + (v & 0x3ff)));
                } else {
                    push(out, &format!("\\u{c:04x}"));
                }
            }
            _ => out.push(c),
        }
    }
    out.push(0x22);
}

/// `encode_basestring` and `encode_basestring_ascii`.
pub(super) fn quoted(vm: &mut Vm, v: Value, ascii: bool) -> R {
    let s = text_argument(vm, v)?;
    let mut out = Vec::new();
    quote(&mut out, vm.text(s), ascii);
    Ok(vm.new_str_points(&out))
}

static METHODS: [NativeDef; 2] = [
    new_def(
        "($type, markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan)",
        effects::ANY,
        new,
    ),
    def(
        "__call__",
        "($self, obj, _current_indent_level)",
        effects::ANY,
        |vm, a| {
            ssize(vm, a[2])?;
            let mut out = Vec::new();
            value(vm, Gc::from_value(a[0]), a[1], &mut out)?;
            let s = vm.new_str_points(&out);
            Ok(vm.new_tuple(&[s]))
        },
    ),
];

fn new(vm: &mut Vm, a: &[Value]) -> R {
    if a[1] != vm.none && !vm.is_dict(a[1]) {
        let m = format!(
            "make_encoder() argument 1 must be dict or None, not {}",
            vm.class_name(a[1])
        );
        return Err(vm.type_error(&m));
    }
    for (v, n) in [(a[5], 5), (a[6], 6)] {
        if !vm.is_str(v) {
            let m = format!(
                "make_encoder() argument {n} must be str, not {}",
                vm.class_name(v)
            );
            return Err(vm.type_error(&m));
        }
    }
    let v = vm.new_instance(Gc::from_value(a[0]));
    let first = Encoder::WORDS - 9;
    for (i, &x) in a[1..].iter().enumerate() {
        let x = if i >= 6 {
            let b = vm.truth(x)?;
            vm.bool(b)
        } else {
            x
        };
        vm.store_word(v, first + i, x);
    }
    Ok(v)
}

fn push_text(vm: &Vm, out: &mut Vec<u32>, s: Value) {
    out.extend(vm.text(vm.as_str(s).unwrap_or(s)).iter());
}

fn push(out: &mut Vec<u32>, s: &str) {
    out.extend(s.chars().map(|c| c as u32));
}

/// Which of this module's functions the encoder is: for ASCII or not.
fn own_function(vm: &Vm, f: Value) -> Option<bool> {
    if vm.layout_of(f) != Layout::Native {
        return None;
    }
    // SAFETY: definitions are statics.
    let def: &NativeDef = unsafe { &*Gc::<PyNative>::from_value(f).def.get() };
    super::FUNCTIONS[1..]
        .iter()
        .position(|d| std::ptr::eq(d, def))
        .map(|i| i == 1)
}

fn string(vm: &mut Vm, e: Gc<Encoder>, v: Value, out: &mut Vec<u32>) -> R<()> {
    if let Some(ascii) = own_function(vm, e.encoder.get()) {
        let s = text_argument(vm, v)?;
        quote(out, vm.text(s), ascii);
        return Ok(());
    }
    let r = vm.call(e.encoder.get(), &[v])?;
    if !vm.is_str(r) {
        let m = format!("encoder() must return a string, not {}", vm.class_name(r));
        return Err(vm.type_error(&m));
    }
    push_text(vm, out, r);
    Ok(())
}

fn float(vm: &mut Vm, e: Gc<Encoder>, f: f64) -> R<String> {
    if f.is_finite() {
        return Ok(pyrite_objects::float::float_text(f));
    }
    if e.allow_nan.get() != vm.true_ {
        let m = "Out of range float values are not JSON compliant";
        return Err(vm.value_error(m));
    }
    Ok(match f {
        f if f.is_nan() => "NaN",
        f if f > 0.0 => "Infinity",
        _ => "-Infinity",
    }
    .to_owned())
}

/// The text of a number or constant, if it is one.
fn scalar(vm: &mut Vm, e: Gc<Encoder>, v: Value) -> R<Option<String>> {
    if v == vm.none {
        return Ok(Some("null".to_owned()));
    }
    if v == vm.true_ || v == vm.false_ {
        let b = v == vm.true_;
        return Ok(Some(b.to_string()));
    }
    if let Some(i) = vm.as_int(v) {
        return vm.repr_string(i).map(Some);
    }
    match vm.as_float(v) {
        Some(f) => float(vm, e, f).map(Some),
        None => Ok(None),
    }
}

fn value(vm: &mut Vm, e: Gc<Encoder>, v: Value, out: &mut Vec<u32>) -> R<()> {
    if vm.is_str(v) {
        return string(vm, e, v, out);
    }
    if let Some(s) = scalar(vm, e, v)? {
        push(out, &s);
        return Ok(());
    }
    vm.enter_native()?;
    if vm.is_list(v) || vm.as_tuple(v).is_some() {
        return list(vm, e, v, out);
    }
    if vm.is_dict(v) {
        return dict(vm, e, v, out);
    }
    let mark = enter(vm, e, v)?;
    let new = vm.call(e.default.get(), &[v])?;
    value(vm, e, new, out)?;
    leave(vm, e, mark)
}

/// Notes that `v` is being encoded.
fn enter(vm: &mut Vm, e: Gc<Encoder>, v: Value) -> R {
    let markers = e.markers.get();
    if markers == vm.none {
        return Ok(Value::NULL);
    }
    let id = vm.id(v);
    let id = vm.new_uint(id);
    if vm.dict_get(markers, id)?.is_some() {
        return Err(vm.value_error("Circular reference detected"));
    }
    vm.dict_set(markers, id, v)?;
    Ok(id)
}

fn leave(vm: &mut Vm, e: Gc<Encoder>, mark: Value) -> R<()> {
    if mark.is_some() {
        vm.dict_remove(e.markers.get(), mark)?;
    }
    Ok(())
}

fn list(vm: &mut Vm, e: Gc<Encoder>, v: Value, out: &mut Vec<u32>) -> R<()> {
    let items = match vm.as_tuple(v) {
        Some(t) => vm.new_list(vm.tuple_items(t)),
        None => v,
    };
    if vm.list_len(items) == 0 {
        push(out, "[]");
        return Ok(());
    }
    let mark = enter(vm, e, v)?;
    out.push('['.into());
    let mut i = 0;
    while i < vm.list_len(items) {
        if i > 0 {
            push_text(vm, out, e.item_separator.get());
        }
        let item = vm.list_get(items, i);
        value(vm, e, item, out)?;
        i += 1;
    }
    out.push(']'.into());
    leave(vm, e, mark)
}

fn dict(vm: &mut Vm, e: Gc<Encoder>, v: Value, out: &mut Vec<u32>) -> R<()> {
    if vm.dict_len(v) == 0 {
        push(out, "{}");
        return Ok(());
    }
    let mark = enter(vm, e, v)?;
    let name = vm.names.items;
    let items = vm.call_method(v, name, &[])?;
    let items = vm.list_from_iterable(items)?;
    if e.sort_keys.get() == vm.true_ {
        pyrite_objects::list::sort(vm, items, Value::NULL, false)?;
    }
    out.push('{'.into());
    let (mut i, mut first) = (0, true);
    while i < vm.list_len(items) {
        let pair = vm.list_get(items, i);
        i += 1;
        let pair = match vm.as_tuple(pair) {
            Some(t) if vm.tuple_len(t) == 2 => t,
            _ => return Err(vm.value_error("items must return 2-tuples")),
        };
        let (k, item) = (vm.tuple_get(pair, 0), vm.tuple_get(pair, 1));
        let key = if vm.is_str(k) {
            k
        } else if let Some(s) = scalar(vm, e, k)? {
            vm.new_str(&s)
        } else if e.skipkeys.get() == vm.true_ {
            continue;
        } else {
            let m = format!(
                "keys must be str, int, float, bool or None, not {}",
                vm.class_name(k)
            );
            return Err(vm.type_error(&m));
        };
        if !first {
            push_text(vm, out, e.item_separator.get());
        }
        first = false;
        string(vm, e, key, out)?;
        push_text(vm, out, e.key_separator.get());
        value(vm, e, item, out)?;
    }
    out.push('}'.into());
    leave(vm, e, mark)
}

/// Adds the class to the module.
pub(super) fn make(vm: &mut Vm, m: Value) {
    let t = class(
        vm,
        m,
        &TypeDef {
            module: "_json",
            base_type: true,
            methods: &METHODS,
            ..TypeDef::of::<Encoder>("Encoder", Layout::Library)
        },
    );
    for (i, name) in FIELDS.into_iter().enumerate() {
        let key = vm.intern(name);
        let member = vm.new_member(key, t, Encoder::WORDS - 9 + i, true);
        vm.type_set(t, name, member);
    }
    let key = vm.intern("Encoder");
    vm.dict_remove_str(crate::namespace(m), key);
    crate::set(vm, m, "make_encoder", t.value());
}
