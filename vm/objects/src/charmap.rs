//! Encodings given by a table: what code pages are made of.
//!
//! A table for decoding is a `str` indexed by byte, or any mapping from byte to
//! code point, text or None; one for encoding is a mapping from code point to
//! byte, bytes or None. What a table does not know is handed to the error
//! handler as [`crate::codecs`] does it.

use crate::codecs::{Bad, Codec, Stand, decode_error, encode_error, encode_with, unicode_error};
use crate::textbuf::TextBuf;
use crate::vm::{R, Vm};
use pyrite_machine::Value;

const UNDEFINED: &str = "character maps to <undefined>";
/// Stands for "no character" in tables.
const NONE: u32 = 0xFFFE;

/// `mapping[key]`; `None` where there is nothing or None.
fn entry(vm: &mut Vm, mapping: Value, key: i64) -> R<Option<Value>> {
    let key = vm.new_int(key);
    let r = vm.getitem(mapping, key);
    let class = vm.types.lookup_error;
    let v = vm.catch(r, class)?;
    let none = vm.none;
    Ok(v.filter(|&v| v != none))
}

/// Decodes bytes by a table; null or None: Latin-1.
pub fn decode(vm: &mut Vm, b: &[u8], errors: &str, mapping: Value) -> R {
    if mapping.is_null() || mapping == vm.none {
        return Ok(vm.new_str_latin1(b));
    }
    let table = vm.as_str(mapping);
    let mut out = TextBuf::new();
    let mut i = 0;
    while i < b.len() {
        let known = match table {
            Some(t) => {
                let t = vm.text(t);
                let at = usize::from(b[i]);
                let c = if at < t.len() { t.at(at) } else { NONE };
                if c != NONE {
                    out.push(c);
                }
                c != NONE
            }
            None => match entry(vm, mapping, b[i].into())? {
                None => false,
                Some(v) => push_decoded(vm, v, &mut out)?,
            },
        };
        if known {
            i += 1;
            continue;
        }
        let bad = Bad {
            all: b,
            range: i..i + 1,
            reason: UNDEFINED,
        };
        i = decode_error(vm, Codec::Charmap, errors, bad, &mut out)?;
    }
    Ok(out.finish(vm))
}

/// Adds what a mapping gave for a byte; false if that is no character.
fn push_decoded(vm: &mut Vm, v: Value, out: &mut TextBuf) -> R<bool> {
    if vm.is_int(v) {
        let n = vm.int_to_i64(v).unwrap_or(-1);
        return match u32::try_from(n) {
            Ok(NONE) => Ok(false),
            Ok(c) if c <= 0x10_FFFF => {
                out.push(c);
                Ok(true)
            }
            _ => Err(vm.type_error("character mapping must be in range(0x110000)")),
        };
    }
    let Some(s) = vm.as_str(v) else {
        return Err(vm.type_error("character mapping must return integer, None or str"));
    };
    let t = vm.text(s);
    if t.len() == 1 && t.at(0) == NONE {
        return Ok(false);
    }
    out.push_text(t);
    Ok(true)
}

/// Encodes an exact string by a table; null or None: Latin-1.
pub fn encode(vm: &mut Vm, s: Value, errors: &str, mapping: Value) -> R<Vec<u8>> {
    if mapping.is_null() || mapping == vm.none {
        return encode_with(vm, s, Codec::Latin1, errors);
    }
    let mut out = Vec::new();
    let len = vm.text(s).len();
    let mut i = 0;
    while i < len {
        let c = vm.text(s).at(i);
        if push_encoded(vm, mapping, c, &mut out)? {
            i += 1;
            continue;
        }
        // All that follows and cannot be encoded either is one error.
        let start = i;
        i += 1;
        let mut scratch = Vec::new();
        while i < len {
            let c = vm.text(s).at(i);
            if push_encoded(vm, mapping, c, &mut scratch)? {
                break;
            }
            i += 1;
        }
        let (stand, next) = encode_error(vm, Codec::Charmap, errors, s, start..i, UNDEFINED)?;
        match stand {
            Stand::Bytes(b) => out.extend(b),
            Stand::Text(r) => {
                for j in 0..vm.text(r).len() {
                    let c = vm.text(r).at(j);
                    if !push_encoded(vm, mapping, c, &mut out)? {
                        let name = Codec::Charmap.name();
                        let e = unicode_error(vm, true, name, s, start..i, UNDEFINED)?;
                        return Err(vm.raise(e));
                    }
                }
            }
        }
        i = next;
    }
    Ok(out)
}

/// Adds the bytes for a code point; false if the table has none.
fn push_encoded(vm: &mut Vm, mapping: Value, c: u32, out: &mut Vec<u8>) -> R<bool> {
    let Some(v) = entry(vm, mapping, c.into())? else {
        return Ok(false);
    };
    if vm.is_int(v) {
        let n = vm.int_to_i64(v).unwrap_or(-1);
        let Ok(b) = u8::try_from(n) else {
            return Err(vm.type_error("character mapping must be in range(256)"));
        };
        out.push(b);
        return Ok(true);
    }
    if let Some(b) = vm.as_bytes(v) {
        out.extend_from_slice(vm.bytes(b));
        return Ok(true);
    }
    let m = format!(
        "character mapping must return integer, bytes or None, not {}",
        vm.class_name(v)
    );
    Err(vm.type_error(&m))
}

/// The table for encoding that belongs to one for decoding.
pub fn build(vm: &mut Vm, table: Value) -> R {
    let d = vm.new_dict();
    for i in 0..vm.text(table).len().min(256) {
        let c = vm.text(table).at(i);
        if c != NONE {
            let (key, byte) = (vm.new_int(c.into()), vm.new_int(i as i64));
            vm.dict_set(d, key, byte)?;
        }
    }
    Ok(d)
}
