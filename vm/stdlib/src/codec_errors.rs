//! The built-in error handlers of codecs, as functions of an exception.
//!
//! The codecs apply these by name, without an exception, where they can; a program
//! gets them from `codecs.lookup_error`, to call them from a handler of its own.
//! Each returns what stands in for the bad part and where to go on, or raises the
//! exception that it was given.

use pyrite_machine::Value;
use pyrite_objects::codecs::{Codec, Order, push_utf8};
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::str::push_hex;
use pyrite_objects::textbuf::TextBuf;
use pyrite_objects::vm::{R, Vm};

const ANY: u8 = effects::ANY;
const SIGNATURE: &str = "(exception, /)";

/// Named as CPython names them; the handler's name is what stands before `_errors`.
static HANDLERS: [NativeDef; 8] = [
    def("strict_errors", SIGNATURE, ANY, |vm, a| {
        if !vm.is_instance(a[0], vm.types.base_exception) {
            return Err(vm.type_error("codec must pass exception instance"));
        }
        Err(vm.raise(a[0]))
    }),
    def("ignore_errors", SIGNATURE, ANY, |vm, a| {
        let bad = Bad::of(vm, a[0], &[Kind::Encode, Kind::Decode, Kind::Translate])?;
        bad.result(vm, TextBuf::new())
    }),
    def("replace_errors", SIGNATURE, ANY, |vm, a| {
        let bad = Bad::of(vm, a[0], &[Kind::Encode, Kind::Decode, Kind::Translate])?;
        let mut out = TextBuf::new();
        match bad.kind {
            Kind::Encode => out.fill(0x3F, bad.units.len()),
            Kind::Decode => out.push(0xFFFD),
            Kind::Translate => out.fill(0xFFFD, bad.units.len()),
        }
        bad.result(vm, out)
    }),
    def("xmlcharrefreplace_errors", SIGNATURE, ANY, |vm, a| {
        let bad = Bad::of(vm, a[0], &[Kind::Encode])?;
        let mut out = TextBuf::new();
        for c in &bad.units {
            out.push_str(&format!("&#{c};"));
        }
        bad.result(vm, out)
    }),
    def("backslashreplace_errors", SIGNATURE, ANY, |vm, a| {
        let bad = Bad::of(vm, a[0], &[Kind::Encode, Kind::Decode, Kind::Translate])?;
        let mut out = TextBuf::new();
        for &c in &bad.units {
            push_hex(&mut out, c);
        }
        bad.result(vm, out)
    }),
    def("namereplace_errors", SIGNATURE, ANY, |vm, a| {
        let bad = Bad::of(vm, a[0], &[Kind::Encode])?;
        let mut out = TextBuf::new();
        for &c in &bad.units {
            match crate::unicodedata::character_name(c) {
                Some(name) => out.push_str(&format!("\\N{{{name}}}")),
                None => push_hex(&mut out, c),
            }
        }
        bad.result(vm, out)
    }),
    def("surrogateescape_errors", SIGNATURE, ANY, surrogateescape),
    def("surrogatepass_errors", SIGNATURE, ANY, surrogatepass),
];

/// The built-in handler of this name.
pub(crate) fn named(name: &str) -> Option<&'static NativeDef> {
    HANDLERS
        .iter()
        .find(|d| d.name.strip_suffix("_errors") == Some(name))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Encode,
    Decode,
    Translate,
}

/// The bad part of what an exception is about.
struct Bad {
    kind: Kind,
    /// Its characters or bytes.
    units: Vec<u32>,
    /// Where it begins and ends in the object.
    start: usize,
    end: usize,
}

impl Bad {
    /// Reads an exception of one of these kinds.
    ///
    /// # Errors
    /// TypeError for anything else.
    fn of(vm: &mut Vm, e: Value, kinds: &[Kind]) -> R<Bad> {
        let t = vm.types;
        let found = [
            (Kind::Encode, t.unicode_encode_error),
            (Kind::Decode, t.unicode_decode_error),
            (Kind::Translate, t.unicode_translate_error),
        ]
        .into_iter()
        .find(|&(k, class)| kinds.contains(&k) && vm.is_instance(e, class));
        let Some((kind, _)) = found else {
            let m = format!(
                "don't know how to handle {} in error callback",
                vm.class_name(e)
            );
            return Err(vm.type_error(&m));
        };
        let n = vm.names;
        let object = vm.getattr(e, n.object)?;
        let (start, end) = (vm.getattr(e, n.start)?, vm.getattr(e, n.end)?);
        let (start, end) = (vm.index_i64(start, true)?, vm.index_i64(end, true)?);
        let all: Vec<u32> = match vm.as_str(object) {
            Some(s) => vm.text(s).iter().collect(),
            None => match vm.buffer(object) {
                Some(b) => b.iter().map(|&b| b.into()).collect(),
                None => Vec::new(),
            },
        };
        // As the exception's own text reads them.
        let len = all.len();
        let start = usize::try_from(start)
            .unwrap_or(0)
            .min(len.saturating_sub(1));
        let end = usize::try_from(end).unwrap_or(0).max(1).min(len);
        let units = all.get(start..end).unwrap_or(&[]).to_vec();
        Ok(Bad {
            kind,
            units,
            start,
            end,
        })
    }

    /// `text` stands in for all of it.
    fn result(&self, vm: &mut Vm, text: TextBuf) -> R {
        let text = text.finish(vm);
        pair(vm, text, self.end)
    }
}

fn pair(vm: &mut Vm, v: Value, next: usize) -> R {
    let next = vm.new_int(next as i64);
    Ok(vm.new_tuple(&[v, next]))
}

/// Bytes from 128 on and the surrogates U+DC80 to U+DCFF stand for each other.
fn surrogateescape(vm: &mut Vm, a: &[Value]) -> R {
    let bad = Bad::of(vm, a[0], &[Kind::Encode, Kind::Decode])?;
    if bad.kind == Kind::Encode {
        if !bad.units.iter().all(|c| (0xDC80..=0xDCFF).contains(c)) {
            return Err(vm.raise(a[0]));
        }
        let bytes: Vec<u8> = bad.units.iter().map(|&c| c as u8).collect();
        let bytes = vm.new_bytes(&bytes);
        return pair(vm, bytes, bad.end);
    }
    let mut out = TextBuf::new();
    // A sequence that a codec refuses is no longer than four bytes.
    let n = bad.units.iter().take(4).take_while(|c| **c >= 0x80).count();
    if n == 0 {
        return Err(vm.raise(a[0]));
    }
    for c in &bad.units[..n] {
        out.push(0xDC00 + c);
    }
    let text = out.finish(vm);
    pair(vm, text, bad.start + n)
}

/// Surrogates are coded like other characters, in the UTF that the exception names.
fn surrogatepass(vm: &mut Vm, a: &[Value]) -> R {
    let bad = Bad::of(vm, a[0], &[Kind::Encode, Kind::Decode])?;
    let n = vm.intern("encoding");
    let encoding = vm.getattr(a[0], n)?;
    let encoding = vm.str_string(encoding)?;
    let width = match Codec::named(&encoding) {
        Some(Codec::Utf8) => (1, Order::Little),
        Some(Codec::Utf16(o)) => (2, o.unwrap_or(Order::Little)),
        Some(Codec::Utf32(o)) => (4, o.unwrap_or(Order::Little)),
        _ => return Err(vm.raise(a[0])),
    };
    if bad.kind == Kind::Encode {
        let mut out = Vec::new();
        for &c in &bad.units {
            if !(0xD800..=0xDFFF).contains(&c) {
                return Err(vm.raise(a[0]));
            }
            match width {
                (1, _) => push_utf8(&mut out, c),
                (2, Order::Little) => out.extend((c as u16).to_le_bytes()),
                (2, Order::Big) => out.extend((c as u16).to_be_bytes()),
                (_, Order::Little) => out.extend(c.to_le_bytes()),
                (_, Order::Big) => out.extend(c.to_be_bytes()),
            }
        }
        let bytes = vm.new_bytes(&out);
        return pair(vm, bytes, bad.end);
    }
    let n = vm.names;
    let object = vm.getattr(a[0], n.object)?;
    let rest = vm
        .buffer(object)
        .and_then(|b| b.get(bad.start..))
        .unwrap_or(&[]);
    let (unit, used) = match (width, rest) {
        ((1, _), &[x, y, z, ..]) if x & 0xF0 == 0xE0 && y & 0xC0 == 0x80 && z & 0xC0 == 0x80 => {
            let c = u32::from(x & 15) << 12 | u32::from(y & 63) << 6 | u32::from(z & 63);
            (c, 3)
        }
        ((2, Order::Little), &[x, y, ..]) => (u16::from_le_bytes([x, y]).into(), 2),
        ((2, Order::Big), &[x, y, ..]) => (u16::from_be_bytes([x, y]).into(), 2),
        ((4, Order::Little), &[x, y, z, w, ..]) => (u32::from_le_bytes([x, y, z, w]), 4),
        ((4, Order::Big), &[x, y, z, w, ..]) => (u32::from_be_bytes([x, y, z, w]), 4),
        _ => (0, 0),
    };
    if !(0xD800..=0xDFFF).contains(&unit) {
        return Err(vm.raise(a[0]));
    }
    let mut out = TextBuf::new();
    out.push(unit);
    let text = out.finish(vm);
    pair(vm, text, bad.start + used)
}
