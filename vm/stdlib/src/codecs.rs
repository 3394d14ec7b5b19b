//! The `_codecs` module: the registry of codecs and error handlers, and the
//! codecs that the VM has itself, each as a pair of functions that also tell how
//! much they consumed.

use crate::module;
use pyrite_machine::Value;
use pyrite_objects::charmap;
use pyrite_objects::codecs::{Codec, Order, decode_with, encode_with, handlers};
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::vm::{R, Vm};

const ANY: u8 = effects::ANY;
const ENCODE: &str = "(str, errors=None, /)";
const DECODE: &str = "(data, errors=None, final=False, /)";

macro_rules! pair {
    ($encode:literal, $decode:literal, $codec:expr) => {
        [
            def($encode, ENCODE, ANY, |vm, a| encode_one(vm, a, $codec)),
            def($decode, DECODE, ANY, |vm, a| decode_one(vm, a, $codec)),
        ]
    };
}

static REGISTRY: [NativeDef; 15] = [
    def("register", "(search_function, /)", ANY, register),
    def("unregister", "(search_function, /)", ANY, unregister),
    def("lookup", "(encoding, /)", ANY, lookup),
    def(
        "register_error",
        "(errors, handler, /)",
        ANY,
        register_error,
    ),
    def("lookup_error", "(name, /)", ANY, lookup_error),
    def(
        "encode",
        "(obj, encoding='utf-8', errors='strict')",
        ANY,
        encode,
    ),
    def(
        "decode",
        "(obj, encoding='utf-8', errors='strict')",
        ANY,
        decode,
    ),
    def("charmap_build", "(map, /)", ANY, charmap_build),
    def(
        "charmap_encode",
        "(str, errors=None, mapping=None, /)",
        ANY,
        charmap_encode,
    ),
    def(
        "charmap_decode",
        "(data, errors=None, mapping=None, /)",
        ANY,
        charmap_decode,
    ),
    def(
        "readbuffer_encode",
        "(data, errors=None, /)",
        ANY,
        |vm, a| {
            let b = data(vm, a[0])?;
            converted_bytes(vm, &b, b.len())
        },
    ),
    def(
        "escape_encode",
        "(data, errors=None, /)",
        ANY,
        escape_encode,
    ),
    def(
        "escape_decode",
        "(data, errors=None, /)",
        ANY,
        escape_decode,
    ),
    def(
        "utf_16_ex_decode",
        "(data, errors=None, byteorder=0, final=False, /)",
        ANY,
        |vm, a| ex_decode(vm, a, 2, Codec::Utf16),
    ),
    def(
        "utf_32_ex_decode",
        "(data, errors=None, byteorder=0, final=False, /)",
        ANY,
        |vm, a| ex_decode(vm, a, 4, Codec::Utf32),
    ),
];

static CODECS: [[NativeDef; 2]; 12] = [
    pair!("utf_8_encode", "utf_8_decode", Codec::Utf8),
    pair!("utf_7_encode", "utf_7_decode", Codec::Utf7),
    pair!("latin_1_encode", "latin_1_decode", Codec::Latin1),
    pair!("ascii_encode", "ascii_decode", Codec::Ascii),
    pair!("utf_16_encode", "utf_16_decode", Codec::Utf16(None)),
    pair!(
        "utf_16_le_encode",
        "utf_16_le_decode",
        Codec::Utf16(Some(Order::Little))
    ),
    pair!(
        "utf_16_be_encode",
        "utf_16_be_decode",
        Codec::Utf16(Some(Order::Big))
    ),
    pair!("utf_32_encode", "utf_32_decode", Codec::Utf32(None)),
    pair!(
        "utf_32_le_encode",
        "utf_32_le_decode",
        Codec::Utf32(Some(Order::Little))
    ),
    pair!(
        "utf_32_be_encode",
        "utf_32_be_decode",
        Codec::Utf32(Some(Order::Big))
    ),
    pair!(
        "unicode_escape_encode",
        "unicode_escape_decode",
        Codec::UnicodeEscape
    ),
    pair!(
        "raw_unicode_escape_encode",
        "raw_unicode_escape_decode",
        Codec::RawUnicodeEscape
    ),
];

/// Makes the module.
pub fn install(vm: &mut Vm) {
    let m = module(vm, "_codecs", "", &REGISTRY);
    for f in CODECS.iter().flatten() {
        let name = vm.intern("_codecs");
        let v = vm.native_function(f, Value::NULL, Value::NULL, name);
        crate::set(vm, m, f.name, v);
    }
    // Search functions and found codecs, out of programs' sight.
    let (list, dict) = (vm.new_list(&[]), vm.new_dict());
    crate::set(vm, m, SEARCH, list);
    crate::set(vm, m, CACHE, dict);
}

const SEARCH: &str = "_search_path";
const CACHE: &str = "_search_cache";

fn state(vm: &mut Vm, name: &str) -> R {
    let (modules, key) = (vm.modules, vm.intern("_codecs"));
    let m = vm.dict_get_str(modules, key);
    let name = vm.intern(name);
    vm.getattr(m, name)
}

fn errors_arg(vm: &Vm, v: Value) -> String {
    if v.is_null() || v == vm.none {
        "strict".into()
    } else {
        vm.str_to_string(v)
    }
}

/// The bytes of an argument: a bytes-like object or, in UTF-8, a string.
fn data(vm: &mut Vm, v: Value) -> R<Vec<u8>> {
    if let Some(s) = vm.as_str(v) {
        return encode_with(vm, s, Codec::Utf8, "strict");
    }
    Ok(crate::args::readable(vm, v)?.to_vec())
}

fn converted_bytes(vm: &mut Vm, b: &[u8], used: usize) -> R {
    let items = [vm.new_bytes(b), vm.new_int(used as i64)];
    Ok(vm.new_tuple(&items))
}

fn str_arg(vm: &mut Vm, v: Value, function: &str) -> R {
    match vm.as_str(v) {
        Some(s) => Ok(s),
        None => {
            let m = format!(
                "{function}() argument 1 must be str, not {}",
                vm.class_name(v)
            );
            Err(vm.type_error(&m))
        }
    }
}

fn charmap_build(vm: &mut Vm, a: &[Value]) -> R {
    let s = str_arg(vm, a[0], "charmap_build")?;
    charmap::build(vm, s)
}

fn charmap_encode(vm: &mut Vm, a: &[Value]) -> R {
    let s = str_arg(vm, a[0], "charmap_encode")?;
    let errors = errors_arg(vm, a[1]);
    let b = charmap::encode(vm, s, &errors, a[2])?;
    let n = vm.text(s).len();
    converted_bytes(vm, &b, n)
}

fn charmap_decode(vm: &mut Vm, a: &[Value]) -> R {
    let b = crate::args::readable(vm, a[0])?.to_vec();
    let errors = errors_arg(vm, a[1]);
    let s = charmap::decode(vm, &b, &errors, a[2])?;
    let n = vm.new_int(b.len() as i64);
    Ok(vm.new_tuple(&[s, n]))
}

/// `bytes` as the inside of a literal.
fn escape_encode(vm: &mut Vm, a: &[Value]) -> R {
    let Some(b) = vm.as_bytes(a[0]) else {
        let m = format!(
            "escape_encode() argument 1 must be bytes, not {}",
            vm.class_name(a[0])
        );
        return Err(vm.type_error(&m));
    };
    let mut out = Vec::new();
    let b = vm.bytes(b);
    for &c in b {
        match c {
            b'\\' | b'\'' => out.extend([b'\\', c]),
            b'\t' => out.extend(b"\\t"),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b' '..=b'~' => out.push(c),
            _ => out.extend(format!("\\x{c:02x}").bytes()),
        }
    }
    converted_bytes(vm, &out, b.len())
}

/// The bytes that the inside of a literal stands for.
fn escape_decode(vm: &mut Vm, a: &[Value]) -> R {
    let b = data(vm, a[0])?;
    let errors = errors_arg(vm, a[1]);
    let mut out = Vec::new();
    let mut unknown = None;
    let mut i = 0;
    while i < b.len() {
        let c = b[i];
        i += 1;
        if c != b'\\' {
            out.push(c);
            continue;
        }
        let Some(&e) = b.get(i) else {
            return Err(vm.value_error("Trailing \\ in string"));
        };
        i += 1;
        match e {
            b'\n' => {}
            b'\\' | b'\'' | b'"' => out.push(e),
            b'a' => out.push(7),
            b'b' => out.push(8),
            b't' => out.push(9),
            b'n' => out.push(10),
            b'v' => out.push(11),
            b'f' => out.push(12),
            b'r' => out.push(13),
            b'0'..=b'7' => {
                let n = b[i..]
                    .iter()
                    .take(2)
                    .take_while(|c| matches!(c, b'0'..=b'7'))
                    .count();
                let v = b[i - 1..i + n]
                    .iter()
                    .fold(0u32, |v, c| v * 8 + u32::from(c - b'0'));
                if v > 0xFF {
                    unknown = unknown.or(Some(String::from_utf8_lossy(&b[i - 1..i + n]).into()));
                }
                out.push(v as u8);
                i += n;
            }
            b'x' => {
                let n = b[i..]
                    .iter()
                    .take(2)
                    .take_while(|c| c.is_ascii_hexdigit())
                    .count();
                if n == 2 {
                    let text = std::str::from_utf8(&b[i..i + 2]).unwrap_or_default();
                    out.push(u8::from_str_radix(text, 16).unwrap_or(0));
                    i += 2;
                    continue;
                }
                match errors.as_str() {
                    "strict" => {
                        let m = format!("invalid \\x escape at position {}", i - 2);
                        return Err(vm.value_error(&m));
                    }
                    "replace" => out.push(b'?'),
                    "ignore" => {}
                    _ => {
                        let m = format!("decoding error; unknown error handling code: {errors}");
                        return Err(vm.value_error(&m));
                    }
                }
                i += n;
            }
            _ => {
                unknown = unknown.or(Some(char::from(e).to_string()));
                out.extend([b'\\', e]);
            }
        }
    }
    if let Some(text) = unknown {
        let what = if text.len() > 1 {
            "octal escape"
        } else {
            "escape"
        };
        let m = format!("invalid {what} sequence '\\{text}'");
        let class = vm.types.deprecation_warning;
        crate::warnings::warn_str(vm, class, &m, 1)?;
    }
    converted_bytes(vm, &out, b.len())
}

/// Decoding that also tells and takes the byte order: -1 little, 1 big, 0 by the mark.
fn ex_decode(vm: &mut Vm, a: &[Value], unit: usize, codec: fn(Option<Order>) -> Codec) -> R {
    let b = crate::args::readable(vm, a[0])?.to_vec();
    let errors = errors_arg(vm, a[1]);
    let mut order = if a[2].is_null() {
        0
    } else {
        vm.index_i64(a[2], false)?.signum()
    };
    let last = a[3].is_some() && vm.truth(a[3])?;
    let mut skip = 0;
    if order == 0 && b.len() >= unit {
        let (little, big): (&[u8], &[u8]) = if unit == 2 {
            (&[0xFF, 0xFE], &[0xFE, 0xFF])
        } else {
            (&[0xFF, 0xFE, 0, 0], &[0, 0, 0xFE, 0xFF])
        };
        if b.starts_with(little) {
            (order, skip) = (-1, unit);
        } else if b.starts_with(big) {
            (order, skip) = (1, unit);
        }
    }
    let known = match order {
        1 => Order::Big,
        _ => Order::Little,
    };
    let (s, used) = decode_with(vm, &b[skip..], codec(Some(known)), &errors, last)?;
    let (used, order) = (vm.new_int((used + skip) as i64), vm.new_int(order));
    Ok(vm.new_tuple(&[s, used, order]))
}

fn encode_one(vm: &mut Vm, a: &[Value], codec: Codec) -> R {
    let Some(s) = vm.as_str(a[0]) else {
        let m = format!(
            "encode() argument 1 must be str, not {}",
            vm.class_name(a[0])
        );
        return Err(vm.type_error(&m));
    };
    let errors = errors_arg(vm, a[1]);
    let b = encode_with(vm, s, codec, &errors)?;
    let n = vm.text(s).len() as i64;
    let items = [vm.new_bytes(&b), vm.new_int(n)];
    Ok(vm.new_tuple(&items))
}

fn decode_one(vm: &mut Vm, a: &[Value], codec: Codec) -> R {
    let Some(b) = vm.buffer(a[0]) else {
        let m = format!(
            "a bytes-like object is required, not '{}'",
            vm.class_name(a[0])
        );
        return Err(vm.type_error(&m));
    };
    let b = b.to_vec();
    let errors = errors_arg(vm, a[1]);
    let last = a[2].is_some() && vm.truth(a[2])?;
    let (s, used) = decode_with(vm, &b, codec, &errors, last)?;
    let used = vm.new_int(used as i64);
    Ok(vm.new_tuple(&[s, used]))
}

fn register(vm: &mut Vm, a: &[Value]) -> R {
    if !crate::args::is_callable(vm, a[0]) {
        return Err(vm.type_error("argument must be callable"));
    }
    let list = state(vm, SEARCH)?;
    vm.list_append(list, a[0]);
    Ok(vm.none)
}

fn unregister(vm: &mut Vm, a: &[Value]) -> R {
    let list = state(vm, SEARCH)?;
    let at = vm.list_items(list).iter().position(|&f| f == a[0]);
    if let Some(i) = at {
        // What it found may not be found again.
        let cache = state(vm, CACHE)?;
        vm.dict_clear(cache);
        vm.list_remove(list, i);
    }
    Ok(vm.none)
}

fn lookup(vm: &mut Vm, a: &[Value]) -> R {
    let name = vm.str_to_string(a[0]).to_lowercase().replace(' ', "-");
    let key = vm.new_str(&name);
    let cache = state(vm, CACHE)?;
    let found = vm.dict_get(cache, key)?;
    if found.is_some() {
        return Ok(found);
    }
    let search = state(vm, SEARCH)?;
    if vm.list_len(search) == 0 {
        vm.import_module("encodings")?;
    }
    let mut i = 0;
    while i < vm.list_len(search) {
        let r = vm.call(vm.list_get(search, i), &[key])?;
        if r != vm.none {
            if vm.as_tuple(r).is_none_or(|t| vm.tuple_len(t) != 4) {
                return Err(vm.type_error("codec search functions must return 4-tuples"));
            }
            vm.dict_set(cache, key, r)?;
            return Ok(r);
        }
        i += 1;
    }
    let class = vm.types.lookup_error;
    let m = format!("unknown encoding: {}", vm.str_to_string(a[0]));
    Err(vm.raise_str(class, &m))
}

fn register_error(vm: &mut Vm, a: &[Value]) -> R {
    let class = vm.class_of(a[1]);
    if vm.lookup(class, vm.names.call).is_null() {
        return Err(vm.type_error("handler must be callable"));
    }
    let d = handlers(vm);
    vm.dict_set(d, a[0], a[1])?;
    Ok(vm.none)
}

fn lookup_error(vm: &mut Vm, a: &[Value]) -> R {
    let d = handlers(vm);
    let f = vm.dict_get(d, a[0])?;
    if f.is_some() {
        return Ok(f);
    }
    let name = vm.str_to_string(a[0]);
    if let Some(def) = crate::codec_errors::named(&name) {
        let module = vm.intern("_codecs");
        return Ok(vm.native_function(def, Value::NULL, Value::NULL, module));
    }
    let class = vm.types.lookup_error;
    Err(vm.raise_str(class, &format!("unknown error handler name '{name}'")))
}

/// Calls part `which` of the codec that the arguments name.
fn through(vm: &mut Vm, a: &[Value], which: usize) -> R {
    let name = if a[1].is_null() {
        vm.intern("utf-8")
    } else {
        a[1]
    };
    let info = lookup(vm, &[name])?;
    let t = vm.as_tuple(info).unwrap_or(info);
    let f = vm.tuple_get(t, which);
    let r = if a[2].is_null() {
        vm.call(f, &[a[0]])?
    } else {
        vm.call(f, &[a[0], a[2]])?
    };
    match vm.as_tuple(r) {
        Some(t) if vm.tuple_len(t) == 2 => Ok(vm.tuple_get(t, 0)),
        _ => {
            let what = if which == 0 { "encoder" } else { "decoder" };
            Err(vm.type_error(&format!("{what} must return a tuple (object, integer)")))
        }
    }
}

fn encode(vm: &mut Vm, a: &[Value]) -> R {
    through(vm, a, 0)
}

fn decode(vm: &mut Vm, a: &[Value]) -> R {
    through(vm, a, 1)
}
