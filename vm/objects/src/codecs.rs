//! Text encodings that the VM knows itself: UTF-8, Latin-1, ASCII, UTF-16,
//! UTF-32 and the escape codecs, with error handlers.
//!
//! A codec finds the next stretch it cannot convert and hands it to the error
//! handler, which says what stands in for it and where to go on. Handlers
//! registered by Python code are in a dict behind [`handlers`].

use crate::str::push_hex;
use crate::text::Text;
use crate::textbuf::TextBuf;
use crate::vm::{R, Vm};
use pyrite_machine::Value;
use std::sync::OnceLock;

/// The codecs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Codec {
    Utf8,
    Utf8Sig,
    Latin1,
    Ascii,
    /// Little-endian with a mark, or `None`: no mark and this order.
    Utf16(Option<Order>),
    Utf32(Option<Order>),
    UnicodeEscape,
    RawUnicodeEscape,
    Utf7,
    /// By a table; see [`crate::charmap`].
    Charmap,
}

/// Byte orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    Little,
    Big,
}

impl Codec {
    /// The codec of this name, spelled as Python allows.
    pub fn named(name: &str) -> Option<Codec> {
        let n: String = name
            .chars()
            .map(|c| match c {
                '-' | ' ' => '_',
                c => c.to_ascii_lowercase(),
            })
            .collect();
        Some(match n.as_str() {
            "utf_8" | "utf8" | "u8" | "utf" | "utf8_ucs2" | "utf8_ucs4" | "cp65001" => Codec::Utf8,
            "utf_8_sig" => Codec::Utf8Sig,
            "latin_1" | "latin1" | "iso8859_1" | "iso_8859_1" | "8859" | "cp819" | "l1"
            | "latin" | "iso8859" | "iso_8859_1_1987" => Codec::Latin1,
            "ascii" | "us_ascii" | "646" | "ansi_x3.4_1968" => Codec::Ascii,
            "utf_16" | "utf16" | "u16" => Codec::Utf16(None),
            "utf_16_le" | "utf_16le" => Codec::Utf16(Some(Order::Little)),
            "utf_16_be" | "utf_16be" => Codec::Utf16(Some(Order::Big)),
            "utf_32" | "utf32" | "u32" => Codec::Utf32(None),
            "utf_32_le" | "utf_32le" => Codec::Utf32(Some(Order::Little)),
            "utf_32_be" | "utf_32be" => Codec::Utf32(Some(Order::Big)),
            "utf_7" | "utf7" | "u7" | "unicode_1_1_utf_7" => Codec::Utf7,
            "unicode_escape" => Codec::UnicodeEscape,
            "raw_unicode_escape" => Codec::RawUnicodeEscape,
            _ => return None,
        })
    }

    /// As errors name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Codec::Utf8 | Codec::Utf8Sig => "utf-8",
            Codec::Latin1 => "latin-1",
            Codec::Ascii => "ascii",
            Codec::Utf16(None) => "utf-16",
            Codec::Utf16(Some(Order::Little)) => "utf-16-le",
            Codec::Utf16(Some(Order::Big)) => "utf-16-be",
            Codec::Utf32(None) => "utf-32",
            Codec::Utf32(Some(Order::Little)) => "utf-32-le",
            Codec::Utf32(Some(Order::Big)) => "utf-32-be",
            Codec::UnicodeEscape => "unicodeescape",
            Codec::RawUnicodeEscape => "rawunicodeescape",
            Codec::Utf7 => "utf7",
            Codec::Charmap => "charmap",
        }
    }
}

/// The dict of error handlers registered by name.
pub fn handlers(vm: &mut Vm) -> Value {
    static SLOT: OnceLock<usize> = OnceLock::new();
    let i = *SLOT.get_or_init(|| {
        let d = vm.new_dict();
        vm.new_static(d)
    });
    vm.statics[i]
}

/// In development mode an error handler must exist even if it is not needed.
fn check_names(vm: &mut Vm, errors: &str) -> R<()> {
    const BUILT_IN: [&str; 8] = [
        "strict",
        "ignore",
        "replace",
        "backslashreplace",
        "namereplace",
        "xmlcharrefreplace",
        "surrogateescape",
        "surrogatepass",
    ];
    if !vm.config.dev_mode || BUILT_IN.contains(&errors) {
        return Ok(());
    }
    let d = handlers(vm);
    let name = vm.intern(errors);
    if vm.dict_get(d, name)?.is_null() {
        let class = vm.types.lookup_error;
        let m = format!("unknown error handler name '{errors}'");
        return Err(vm.raise_str(class, &m));
    }
    Ok(())
}

/// Encodes an exact string.
pub fn encode(vm: &mut Vm, s: Value, encoding: &str, errors: &str) -> R<Vec<u8>> {
    check_names(vm, errors)?;
    match Codec::named(encoding) {
        Some(c) => encode_with(vm, s, c, errors),
        None => {
            let (e, h) = (vm.new_str(encoding), vm.new_str(errors));
            let r = python_codec(vm, "encode", s, e, h)?;
            match vm.buffer(r) {
                Some(b) => Ok(b.to_vec()),
                None => {
                    let m = format!(
                        "'{encoding}' encoder returned '{}' instead of 'bytes'; use codecs.encode() to encode to arbitrary types",
                        vm.class_name(r)
                    );
                    Err(vm.type_error(&m))
                }
            }
        }
    }
}

/// Decodes bytes.
pub fn decode(vm: &mut Vm, b: &[u8], encoding: &str, errors: &str) -> R {
    check_names(vm, errors)?;
    match Codec::named(encoding) {
        Some(c) => Ok(decode_with(vm, b, c, errors, true)?.0),
        None => {
            let o = vm.new_bytes(b);
            let (e, h) = (vm.new_str(encoding), vm.new_str(errors));
            let r = python_codec(vm, "decode", o, e, h)?;
            if vm.is_str(r) {
                return Ok(r);
            }
            let m = format!(
                "'{encoding}' decoder returned '{}' instead of 'str'; use codecs.decode() to decode to arbitrary types",
                vm.class_name(r)
            );
            Err(vm.type_error(&m))
        }
    }
}

/// `_codecs.encode` or `decode` of a codec written in Python.
fn python_codec(vm: &mut Vm, what: &str, v: Value, encoding: Value, errors: Value) -> R {
    let modules = vm.modules;
    let name = vm.intern("_codecs");
    let module = if modules.is_some() {
        vm.dict_get_str(modules, name)
    } else {
        Value::NULL
    };
    if module.is_null() {
        let class = vm.types.lookup_error;
        let m = format!("unknown encoding: {}", vm.str_to_string(encoding));
        return Err(vm.raise_str(class, &m));
    }
    let what = vm.intern(what);
    vm.call_method(module, what, &[v, encoding, errors])
}

/// What an error handler puts in.
pub(crate) enum Stand {
    Text(Value),
    Bytes(Vec<u8>),
}

pub(crate) fn unicode_error(
    vm: &mut Vm,
    encoding: bool,
    codec: &str,
    object: Value,
    range: std::ops::Range<usize>,
    reason: &str,
) -> R {
    let class = if encoding {
        vm.types.unicode_encode_error
    } else {
        vm.types.unicode_decode_error
    };
    let codec = vm.new_str(codec);
    let reason = vm.new_str(reason);
    let (a, b) = (vm.new_int(range.start as i64), vm.new_int(range.end as i64));
    vm.call(class.value(), &[codec, object, a, b, reason])
}

/// Calls a handler registered by Python code; what it puts in and where to go on.
#[expect(clippy::too_many_arguments, reason = "they describe one error")]
fn custom(
    vm: &mut Vm,
    errors: &str,
    encoding: bool,
    codec: &str,
    object: Value,
    range: std::ops::Range<usize>,
    reason: &str,
    len: usize,
) -> R<(Value, usize)> {
    let d = handlers(vm);
    let name = vm.intern(errors);
    let f = vm.dict_get_str(d, name);
    if f.is_null() {
        let class = vm.types.lookup_error;
        let m = format!("unknown error handler name '{errors}'");
        return Err(vm.raise_str(class, &m));
    }
    let e = unicode_error(vm, encoding, codec, object, range, reason)?;
    let r = vm.call(f, &[e])?;
    let what = if encoding { "encoding" } else { "decoding" };
    let kind = if encoding {
        "(str/bytes, int)"
    } else {
        "(str, int)"
    };
    let parts = vm.as_tuple(r).filter(|&t| vm.tuple_len(t) == 2);
    if let Some(t) = parts {
        let (v, pos) = (vm.tuple_get(t, 0), vm.tuple_get(t, 1));
        let ok = vm.is_str(v) || encoding && vm.as_bytes(v).is_some();
        if ok && vm.is_int(pos) {
            let p = vm.index_i64(pos, true)?;
            let p = if p < 0 {
                p.saturating_add(len as i64)
            } else {
                p
            };
            if p < 0 || p > len as i64 {
                let m = format!("position {p} from error handler out of bounds");
                return Err(vm.index_error(&m));
            }
            return Ok((v, p as usize));
        }
    }
    let m = format!("{what} error handler must return {kind} tuple");
    Err(vm.type_error(&m))
}

pub(crate) fn encode_error(
    vm: &mut Vm,
    codec: Codec,
    errors: &str,
    s: Value,
    range: std::ops::Range<usize>,
    reason: &str,
) -> R<(Stand, usize)> {
    let t = vm.text(s).slice(range.clone());
    let end = range.end;
    let mut out = TextBuf::new();
    match errors {
        "strict" => {
            let e = unicode_error(vm, true, codec.name(), s, range, reason)?;
            return Err(vm.raise(e));
        }
        "ignore" => {}
        "replace" => out.fill(0x3F, t.len()),
        "backslashreplace" => t.iter().for_each(|c| push_hex(&mut out, c)),
        "namereplace" => t.iter().for_each(|c| match (vm.hooks.character_name)(c) {
            Some(name) => out.push_str(&format!("\\N{{{name}}}")),
            None => push_hex(&mut out, c),
        }),
        "xmlcharrefreplace" => t.iter().for_each(|c| out.push_str(&format!("&#{c};"))),
        "surrogateescape"
            if !matches!(codec, Codec::Utf16(_) | Codec::Utf32(_))
                && t.iter().all(|c| (0xDC80..=0xDCFF).contains(&c)) =>
        {
            let b = t.iter().map(|c| c as u8).collect();
            return Ok((Stand::Bytes(b), end));
        }
        "surrogatepass" if t.iter().all(|c| (0xD800..=0xDFFF).contains(&c)) => {
            let mut b = Vec::new();
            for c in t.iter() {
                match codec {
                    Codec::Utf8 | Codec::Utf8Sig => push_utf8(&mut b, c),
                    Codec::Utf16(o) => push_unit16(&mut b, c as u16, o.unwrap_or(Order::Little)),
                    Codec::Utf32(o) => push_unit32(&mut b, c, o.unwrap_or(Order::Little)),
                    _ => {
                        let e = unicode_error(vm, true, codec.name(), s, range, reason)?;
                        return Err(vm.raise(e));
                    }
                }
            }
            return Ok((Stand::Bytes(b), end));
        }
        "surrogateescape" | "surrogatepass" => {
            let e = unicode_error(vm, true, codec.name(), s, range, reason)?;
            return Err(vm.raise(e));
        }
        _ => {
            let len = vm.text(s).len();
            let (v, p) = custom(vm, errors, true, codec.name(), s, range, reason, len)?;
            if let Some(b) = vm.as_bytes(v) {
                return Ok((Stand::Bytes(vm.bytes(b).to_vec()), p));
            }
            return Ok((Stand::Text(vm.as_str(v).unwrap_or(v)), p));
        }
    }
    Ok((Stand::Text(out.finish(vm)), end))
}

/// Appends the UTF-8 form of a code point, surrogates included.
pub fn push_utf8(out: &mut Vec<u8>, c: u32) {
    match c {
        0..=0x7F => out.push(c as u8),
        0x80..=0x7FF => out.extend([0xC0 | (c >> 6) as u8, 0x80 | (c & 63) as u8]),
        0x800..=0xFFFF => out.extend([
            0xE0 | (c >> 12) as u8,
            0x80 | (c >> 6 & 63) as u8,
            0x80 | (c & 63) as u8,
        ]),
        _ => out.extend([
            0xF0 | (c >> 18) as u8,
            0x80 | (c >> 12 & 63) as u8,
            0x80 | (c >> 6 & 63) as u8,
            0x80 | (c & 63) as u8,
        ]),
    }
}

fn push_unit16(out: &mut Vec<u8>, c: u16, o: Order) {
    out.extend(match o {
        Order::Little => c.to_le_bytes(),
        Order::Big => c.to_be_bytes(),
    });
}

fn push_unit32(out: &mut Vec<u8>, c: u32, o: Order) {
    out.extend(match o {
        Order::Little => c.to_le_bytes(),
        Order::Big => c.to_be_bytes(),
    });
}

/// Appends a code point if the codec can express it.
fn push_encoded(out: &mut Vec<u8>, codec: Codec, c: u32) -> bool {
    match codec {
        Codec::Latin1 | Codec::Charmap if c < 0x100 => out.push(c as u8),
        Codec::Ascii if c < 0x80 => out.push(c as u8),
        Codec::Latin1 | Codec::Charmap | Codec::Ascii => return false,
        _ if (0xD800..=0xDFFF).contains(&c) => return false,
        Codec::Utf16(o) => {
            let o = o.unwrap_or(Order::Little);
            if c < 0x10000 {
                push_unit16(out, c as u16, o);
            } else {
                let c = c - 0x10000;
                push_unit16(out, 0xD800 | (c >> 10) as u16, o);
                push_unit16(out, 0xDC00 | (c & 0x3FF) as u16, o);
            }
        }
        Codec::Utf32(o) => push_unit32(out, c, o.unwrap_or(Order::Little)),
        _ => push_utf8(out, c),
    }
    true
}

/// Encodes an exact string by a known codec.
pub fn encode_with(vm: &mut Vm, s: Value, codec: Codec, errors: &str) -> R<Vec<u8>> {
    let t = vm.text(s);
    match (t, codec) {
        (Text::One(b), Codec::Latin1) => return Ok(b.to_vec()),
        (Text::One(b), Codec::Utf8 | Codec::Ascii) if b.is_ascii() => return Ok(b.to_vec()),
        (_, Codec::UnicodeEscape | Codec::RawUnicodeEscape) => {
            return Ok(escape(t, codec == Codec::RawUnicodeEscape));
        }
        (_, Codec::Utf7) => return Ok(crate::utf7::encode(t)),
        _ => {}
    }
    let mut out = Vec::with_capacity(t.len());
    match codec {
        Codec::Utf8Sig => out.extend(b"\xEF\xBB\xBF"),
        Codec::Utf16(None) => out.extend(b"\xFF\xFE"),
        Codec::Utf32(None) => out.extend(b"\xFF\xFE\0\0"),
        _ => {}
    }
    let reason = match codec {
        Codec::Latin1 => "ordinal not in range(256)",
        Codec::Ascii => "ordinal not in range(128)",
        _ => "surrogates not allowed",
    };
    let mut i = 0;
    while i < t.len() {
        if push_encoded(&mut out, codec, t.at(i)) {
            i += 1;
            continue;
        }
        let start = i;
        let mut scratch = Vec::new();
        while i < t.len() && !push_encoded(&mut scratch, codec, t.at(i)) {
            i += 1;
            if matches!(codec, Codec::Utf16(_) | Codec::Utf32(_)) {
                break;
            }
        }
        let (stand, next) = encode_error(vm, codec, errors, s, start..i, reason)?;
        match stand {
            Stand::Bytes(b) => out.extend(b),
            Stand::Text(r) => {
                for c in vm.text(r).iter() {
                    if !push_encoded(&mut out, codec, c) {
                        let e = unicode_error(vm, true, codec.name(), s, start..i, reason)?;
                        return Err(vm.raise(e));
                    }
                }
            }
        }
        i = next;
    }
    Ok(out)
}

fn escape(t: Text<'_>, raw: bool) -> Vec<u8> {
    let mut out = TextBuf::new();
    for c in t.iter() {
        match c {
            _ if raw && c < 0x100 => out.push(c),
            0x5C => out.push_str("\\\\"),
            9 => out.push_str("\\t"),
            10 => out.push_str("\\n"),
            13 => out.push_str("\\r"),
            0x20..=0x7E => out.push(c),
            c => push_hex(&mut out, c),
        }
    }
    out.into_bytes()
}

/// A stretch that cannot be decoded.
pub(crate) struct Bad<'a> {
    pub(crate) all: &'a [u8],
    pub(crate) range: std::ops::Range<usize>,
    pub(crate) reason: &'static str,
}

/// Handles a decoding error; where to go on.
pub(crate) fn decode_error(
    vm: &mut Vm,
    codec: Codec,
    errors: &str,
    bad: Bad<'_>,
    out: &mut TextBuf,
) -> R<usize> {
    let Bad { all, range, reason } = bad;
    let b = &all[range.clone()];
    match errors {
        "ignore" => {}
        "replace" => out.push(0xFFFD),
        "backslashreplace" => b.iter().for_each(|c| out.push_str(&format!("\\x{c:02x}"))),
        "surrogateescape" if b[0] >= 0x80 => {
            // Only what is not ASCII is smuggled through.
            let n = b.iter().take_while(|&&c| c >= 0x80).count();
            b[..n].iter().for_each(|&c| out.push(0xDC00 | u32::from(c)));
            return Ok(range.start + n);
        }
        "surrogatepass" if surrogate_at(codec, all, range.start).is_some() => {
            let (c, n) = surrogate_at(codec, all, range.start).unwrap_or((0xFFFD, 1));
            out.push(c);
            return Ok(range.start + n);
        }
        "strict" | "surrogateescape" | "surrogatepass" => {
            let o = vm.new_bytes(all);
            let e = unicode_error(vm, false, codec.name(), o, range, reason)?;
            return Err(vm.raise(e));
        }
        _ => {
            let o = vm.new_bytes(all);
            let (v, p) = custom(vm, errors, false, codec.name(), o, range, reason, all.len())?;
            out.push_text(vm.text(vm.as_str(v).unwrap_or(v)));
            return Ok(p);
        }
    }
    Ok(range.end)
}

/// A surrogate encoded as if it were a character, and its length.
fn surrogate_at(codec: Codec, b: &[u8], i: usize) -> Option<(u32, usize)> {
    let b = &b[i..];
    let (c, n) = match codec {
        Codec::Utf8 | Codec::Utf8Sig => match *b {
            [0xED, p @ 0xA0..=0xBF, q @ 0x80..=0xBF, ..] => {
                (0xD000 | u32::from(p & 63) << 6 | u32::from(q & 63), 3)
            }
            _ => return None,
        },
        Codec::Utf16(o) => (u32::from(unit16(b, o.unwrap_or(Order::Little))?), 2),
        Codec::Utf32(o) => (unit32(b, o.unwrap_or(Order::Little))?, 4),
        _ => return None,
    };
    (0xD800..=0xDFFF).contains(&c).then_some((c, n))
}

fn unit16(b: &[u8], o: Order) -> Option<u16> {
    let b = [*b.first()?, *b.get(1)?];
    Some(match o {
        Order::Little => u16::from_le_bytes(b),
        Order::Big => u16::from_be_bytes(b),
    })
}

fn unit32(b: &[u8], o: Order) -> Option<u32> {
    let b: [u8; 4] = b.get(..4)?.try_into().ok()?;
    Some(match o {
        Order::Little => u32::from_le_bytes(b),
        Order::Big => u32::from_be_bytes(b),
    })
}

/// Decodes by a known codec: the text and how many bytes it took. Without
/// `last`, a character cut off at the end is left for later.
pub fn decode_with(
    vm: &mut Vm,
    b: &[u8],
    codec: Codec,
    errors: &str,
    last: bool,
) -> R<(Value, usize)> {
    let mut out = TextBuf::new();
    let used = match codec {
        Codec::Latin1 | Codec::Charmap => return Ok((vm.new_str_latin1(b), b.len())),
        Codec::Utf7 => return crate::utf7::decode(vm, b, errors, last),
        Codec::Utf8 | Codec::Ascii if b.is_ascii() => {
            return Ok((vm.new_str_latin1(b), b.len()));
        }
        Codec::Ascii => {
            let mut i = 0;
            while i < b.len() {
                if b[i] < 0x80 {
                    out.push(b[i].into());
                    i += 1;
                    continue;
                }
                let bad = Bad {
                    all: b,
                    range: i..i + 1,
                    reason: "ordinal not in range(128)",
                };
                i = decode_error(vm, codec, errors, bad, &mut out)?;
            }
            i
        }
        Codec::Utf8 => utf8(vm, b, 0, codec, errors, last, &mut out)?,
        Codec::Utf8Sig => {
            let start = if b.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
            utf8(vm, b, start, codec, errors, last, &mut out)?
        }
        Codec::Utf16(_) | Codec::Utf32(_) => wide(vm, b, codec, errors, last, &mut out)?,
        Codec::UnicodeEscape | Codec::RawUnicodeEscape => unescape(vm, b, codec, errors, &mut out)?,
    };
    Ok((out.finish(vm), used))
}

fn utf8(
    vm: &mut Vm,
    b: &[u8],
    mut i: usize,
    codec: Codec,
    errors: &str,
    last: bool,
    out: &mut TextBuf,
) -> R<usize> {
    while i < b.len() {
        match std::str::from_utf8(&b[i..]) {
            Ok(s) => {
                out.push_str(s);
                return Ok(b.len());
            }
            Err(e) => {
                let good = i + e.valid_up_to();
                out.push_str(std::str::from_utf8(&b[i..good]).unwrap_or_default());
                let (end, reason) = match e.error_len() {
                    None if !last => return Ok(good),
                    None => (b.len(), "unexpected end of data"),
                    Some(n) if matches!(b[good], 0xC2..=0xF4) => {
                        (good + n, "invalid continuation byte")
                    }
                    Some(n) => (good + n, "invalid start byte"),
                };
                let bad = Bad {
                    all: b,
                    range: good..end,
                    reason,
                };
                i = decode_error(vm, codec, errors, bad, out)?;
            }
        }
    }
    Ok(i)
}

fn wide(
    vm: &mut Vm,
    b: &[u8],
    codec: Codec,
    errors: &str,
    last: bool,
    out: &mut TextBuf,
) -> R<usize> {
    let unit = if matches!(codec, Codec::Utf16(_)) {
        2
    } else {
        4
    };
    let (given, is16) = match codec {
        Codec::Utf16(o) => (o, true),
        Codec::Utf32(o) => (o, false),
        _ => (None, false),
    };
    let mut i = 0;
    let order = given.unwrap_or_else(|| {
        let mark: &[u8] = if is16 { b"\xFE\xFF" } else { b"\0\0\xFE\xFF" };
        let other: &[u8] = if is16 { b"\xFF\xFE" } else { b"\xFF\xFE\0\0" };
        if b.starts_with(mark) {
            i = unit;
            Order::Big
        } else {
            if b.starts_with(other) {
                i = unit;
            }
            Order::Little
        }
    });
    while i < b.len() {
        let (range, reason) = if b.len() - i < unit {
            if !last {
                return Ok(i);
            }
            (i..b.len(), "truncated data")
        } else if is16 {
            let c = u32::from(unit16(&b[i..], order).unwrap_or(0));
            match c {
                0xD800..=0xDBFF => match unit16(&b[i + 2..], order) {
                    Some(d @ 0xDC00..=0xDFFF) => {
                        out.push(0x10000 + ((c & 0x3FF) << 10 | u32::from(d) & 0x3FF));
                        i += 4;
                        continue;
                    }
                    Some(_) => (i..i + 2, "illegal UTF-16 surrogate"),
                    None if !last => return Ok(i),
                    None => (i..b.len(), "unexpected end of data"),
                },
                0xDC00..=0xDFFF => (i..i + 2, "illegal encoding"),
                c => {
                    out.push(c);
                    i += 2;
                    continue;
                }
            }
        } else {
            match unit32(&b[i..], order).unwrap_or(0) {
                0xD800..=0xDFFF => (
                    i..i + 4,
                    "code point in surrogate code point range(0xd800, 0xe000)",
                ),
                c @ 0..=0x10_FFFF => {
                    out.push(c);
                    i += 4;
                    continue;
                }
                _ => (i..i + 4, "code point not in range(0x110000)"),
            }
        };
        let named = if is16 {
            Codec::Utf16(Some(order))
        } else {
            Codec::Utf32(Some(order))
        };
        let bad = Bad {
            all: b,
            range,
            reason,
        };
        i = decode_error(vm, named, errors, bad, out)?;
    }
    Ok(i)
}

/// The `{name}` behind `\\N` at `i`: where it ends, and its character or what is wrong.
fn named_escape(vm: &Vm, b: &[u8], i: usize) -> (usize, Result<u32, &'static str>) {
    const MALFORMED: &str = "malformed \\N character escape";
    if b.get(i) != Some(&b'{') {
        return (i, Err(MALFORMED));
    }
    let start = i + 1;
    let Some(n) = b[start..].iter().position(|&c| c == b'}') else {
        return (b.len(), Err(MALFORMED));
    };
    if n == 0 {
        return (start, Err(MALFORMED));
    }
    let name = std::str::from_utf8(&b[start..start + n]).ok();
    let found = name.and_then(|n| (vm.hooks.named_character)(n));
    (start + n + 1, found.ok_or("unknown Unicode character name"))
}

fn unescape(vm: &mut Vm, b: &[u8], codec: Codec, errors: &str, out: &mut TextBuf) -> R<usize> {
    let raw = codec == Codec::RawUnicodeEscape;
    let mut i = 0;
    while i < b.len() {
        let start = i;
        let c = b[i];
        i += 1;
        if c != b'\\' {
            out.push(c.into());
            continue;
        }
        let Some(&e) = b.get(i) else {
            if raw {
                out.push(0x5C);
                continue;
            }
            let bad = Bad {
                all: b,
                range: start..i,
                reason: "\\ at end of string",
            };
            i = decode_error(vm, codec, errors, bad, out)?;
            continue;
        };
        i += 1;
        let digits = match e {
            b'u' => 4,
            b'U' => 8,
            _ if raw => {
                // The second of two backslashes escapes nothing.
                out.push(0x5C);
                out.push(e.into());
                continue;
            }
            b'x' => 2,
            b'\n' => continue,
            b'N' => {
                let (end, found) = named_escape(vm, b, i);
                i = end;
                match found {
                    Ok(c) => out.push(c),
                    Err(reason) => {
                        let bad = Bad {
                            all: b,
                            range: start..end,
                            reason,
                        };
                        i = decode_error(vm, codec, errors, bad, out)?;
                    }
                }
                continue;
            }
            b'0'..=b'7' => {
                let mut v = u32::from(e - b'0');
                let mut n = 1;
                while n < 3 && matches!(b.get(i), Some(b'0'..=b'7')) {
                    v = v * 8 + u32::from(b[i] - b'0');
                    i += 1;
                    n += 1;
                }
                out.push(v);
                continue;
            }
            _ => {
                let plain = match e {
                    b'\\' | b'\'' | b'"' => e,
                    b'a' => 7,
                    b'b' => 8,
                    b'f' => 12,
                    b'n' => 10,
                    b'r' => 13,
                    b't' => 9,
                    b'v' => 11,
                    _ => {
                        out.push(0x5C);
                        e
                    }
                };
                out.push(plain.into());
                continue;
            }
        };
        let n = b[i..]
            .iter()
            .take(digits)
            .take_while(|c| c.is_ascii_hexdigit())
            .count();
        let text = std::str::from_utf8(&b[i..i + n]).unwrap_or_default();
        let value = u32::from_str_radix(text, 16).unwrap_or(0);
        i += n;
        let reason = match (digits, n == digits) {
            (_, true) if value <= 0x10_FFFF => {
                out.push(value);
                continue;
            }
            (_, true) if raw => "\\Uxxxxxxxx out of range",
            (_, true) => "illegal Unicode character",
            (2, _) => "truncated \\xXX escape",
            (4, _) => "truncated \\uXXXX escape",
            _ => "truncated \\UXXXXXXXX escape",
        };
        let bad = Bad {
            all: b,
            range: start..i,
            reason,
        };
        i = decode_error(vm, codec, errors, bad, out)?;
    }
    Ok(i)
}
