//! The `binascii` module: bytes as text in base64, hexadecimal, uuencoding and
//! quoted-printable, and two checksums.

use crate::{args, fs, module, set, slots};
use pyrite_machine::Value;
use pyrite_objects::layout::Gc;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::vm::{R, Raised, Vm};

const ANY: u8 = effects::ANY;
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static FUNCTIONS: &[NativeDef] = &[
    def("a2b_uu", "(data, /)", ANY, |vm, a| {
        let b = ascii(vm, a[0])?;
        match a2b_uu(&b) {
            Ok(b) => Ok(vm.new_bytes(&b)),
            Err(m) => Err(error(vm, m)),
        }
    })
    .doc("Decode a line of uuencoded data."),
    def("b2a_uu", "(data, /, *, backtick=False)", ANY, |vm, a| {
        let b = args::readable(vm, a[0])?.to_vec();
        let backtick = fs::flag(vm, a[1], false)?;
        if b.len() > 45 {
            return Err(error(vm, "At most 45 bytes at once"));
        }
        let b = b2a_uu(&b, backtick);
        Ok(vm.new_bytes(&b))
    })
    .doc("Uuencode line of data."),
    def(
        "a2b_base64",
        "(data, /, *, strict_mode=False)",
        ANY,
        |vm, a| {
            let b = ascii(vm, a[0])?;
            let strict = fs::flag(vm, a[1], false)?;
            match a2b_base64(&b, strict) {
                Ok(b) => Ok(vm.new_bytes(&b)),
                Err(m) => Err(error(vm, &m)),
            }
        },
    )
    .doc("Decode a line of base64 data."),
    def("b2a_base64", "(data, /, *, newline=True)", ANY, |vm, a| {
        let newline = fs::flag(vm, a[1], true)?;
        let b = b2a_base64(args::readable(vm, a[0])?, newline);
        Ok(vm.new_bytes(&b))
    })
    .doc("Base64-code line of data."),
    def("a2b_hex", "(hexstr, /)", ANY, unhexlify),
    def("unhexlify", "(hexstr, /)", ANY, unhexlify),
    def(
        "b2a_hex",
        "(data, sep=<unrepresentable>, bytes_per_sep=1)",
        ANY,
        hexlify,
    ),
    def(
        "hexlify",
        "(data, sep=<unrepresentable>, bytes_per_sep=1)",
        ANY,
        hexlify,
    ),
    def("a2b_qp", "(data, header=False)", ANY, |vm, a| {
        let b = ascii(vm, a[0])?;
        let header = fs::flag(vm, a[1], false)?;
        let b = a2b_qp(&b, header);
        Ok(vm.new_bytes(&b))
    })
    .doc("Decode a string of qp-encoded data."),
    def(
        "b2a_qp",
        "(data, quotetabs=False, istext=True, header=False)",
        ANY,
        |vm, a| {
            let how = Quoting {
                tabs: fs::flag(vm, a[1], false)?,
                text: fs::flag(vm, a[2], true)?,
                header: fs::flag(vm, a[3], false)?,
            };
            let b = b2a_qp(args::readable(vm, a[0])?, &how);
            Ok(vm.new_bytes(&b))
        },
    )
    .doc("Encode a string using quoted-printable encoding."),
    def("crc_hqx", "(data, crc, /)", ANY, |vm, a| {
        let start = mask(vm, a[1])? as u16;
        let b = args::readable(vm, a[0])?;
        let crc = b.iter().fold(start, |crc, &c| {
            (0..8).fold(crc ^ u16::from(c) << 8, |crc, _| {
                crc << 1 ^ if crc >> 15 != 0 { 0x1021 } else { 0 }
            })
        });
        Ok(Value::int_unchecked(crc.into()))
    })
    .doc("Compute CRC-CCITT incrementally."),
    def("crc32", "(data, crc=0, /)", ANY, crc32).doc("Compute CRC-32 incrementally."),
];

/// `binascii.crc32` and `zlib.crc32`.
pub fn crc32(vm: &mut Vm, a: &[Value]) -> R {
    let start = if a[1].is_null() { 0 } else { mask(vm, a[1])? };
    let b = args::readable(vm, a[0])?;
    let mut h = crc32fast::Hasher::new_with_initial(start);
    h.update(b);
    Ok(Value::int_unchecked(h.finalize().into()))
}

/// An `unsigned int`, whatever its range: what lies beyond is dropped.
///
/// # Errors
/// TypeError if it is no integer.
pub fn mask(vm: &mut Vm, v: Value) -> R<u32> {
    let i = vm.index(v)?;
    if let Some(n) = vm.int_to_i64(i) {
        return Ok(n as u32);
    }
    let low = vm.int_to_big(i) & dashu_int::IBig::from(u32::MAX);
    Ok(u32::try_from(low).unwrap_or(0))
}

fn error(vm: &mut Vm, message: &str) -> Raised {
    let class = Gc::from_value(vm.statics[slots::BINASCII_ERROR]);
    vm.raise_str(class, message)
}

/// The bytes of a bytes-like object or an ASCII string.
fn ascii(vm: &mut Vm, v: Value) -> R<Vec<u8>> {
    if let Some(s) = vm.as_str(v) {
        let t = vm.text(s);
        if t.iter().any(|c| c > 127) {
            return Err(vm.value_error("string argument should contain only ASCII characters"));
        }
        return Ok(t.iter().map(|c| c as u8).collect());
    }
    match vm.buffer(v) {
        Some(b) => Ok(b.to_vec()),
        None => {
            let m = format!(
                "argument should be bytes, buffer or ASCII string, not '{}'",
                vm.class_name(v)
            );
            Err(vm.type_error(&m))
        }
    }
}

fn hexlify(vm: &mut Vm, a: &[Value]) -> R {
    let b = args::readable(vm, a[0])?.to_vec();
    let b = vm.new_bytes(&b);
    let hex = vm.intern("hex");
    let n = a[1..]
        .iter()
        .position(|v| v.is_null())
        .unwrap_or(a.len() - 1);
    let text = vm.call_method(b, hex, &a[1..1 + n])?;
    let text: Vec<u8> = vm.text(text).iter().map(|c| c as u8).collect();
    Ok(vm.new_bytes(&text))
}

fn unhexlify(vm: &mut Vm, a: &[Value]) -> R {
    let b = ascii(vm, a[0])?;
    if b.len() % 2 != 0 {
        return Err(error(vm, "Odd-length string"));
    }
    let mut out = Vec::with_capacity(b.len() / 2);
    for p in b.chunks(2) {
        match (hex_digit(p[0]), hex_digit(p[1])) {
            (Some(h), Some(l)) => out.push(h << 4 | l),
            _ => return Err(error(vm, "Non-hexadecimal digit found")),
        }
    }
    Ok(vm.new_bytes(&out))
}

fn hex_digit(c: u8) -> Option<u8> {
    (c as char).to_digit(16).map(|d| d as u8)
}

fn a2b_uu(b: &[u8]) -> Result<Vec<u8>, &'static str> {
    let len = usize::from(b.first().copied().unwrap_or(0).wrapping_sub(b' ') & 63);
    let mut rest = b.iter().skip(1).copied();
    let mut out = Vec::with_capacity(len);
    let (mut held, mut bits) = (0u32, 0);
    while out.len() < len {
        let six = match rest.next() {
            // Spaces at the end of a line get lost on the way.
            None | Some(b'\n' | b'\r') => 0,
            Some(c @ b' '..=b'`') => u32::from(c - b' ') & 63,
            Some(_) => return Err("Illegal char"),
        };
        held = held << 6 | six;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    if rest.all(|c| matches!(c, b' ' | b'`' | b'\n' | b'\r')) {
        Ok(out)
    } else {
        Err("Trailing garbage")
    }
}

fn b2a_uu(b: &[u8], backtick: bool) -> Vec<u8> {
    let show = |six: u8| {
        if backtick && six == 0 {
            b'`'
        } else {
            b' ' + six
        }
    };
    let mut out = vec![show(b.len() as u8)];
    for three in b.chunks(3) {
        let mut w = [0; 3];
        w[..three.len()].copy_from_slice(three);
        let w = u32::from_be_bytes([0, w[0], w[1], w[2]]);
        out.extend([18, 12, 6, 0].map(|s| show((w >> s & 63) as u8)));
    }
    out.push(b'\n');
    out
}

fn sextet(c: u8) -> Option<u8> {
    Some(match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

fn a2b_base64(b: &[u8], strict: bool) -> Result<Vec<u8>, String> {
    if strict && b.first() == Some(&b'=') {
        return Err("Leading padding not allowed".to_owned());
    }
    let mut out = Vec::with_capacity(b.len() / 4 * 3 + 3);
    let (mut quad, mut left, mut pads, mut padding) = (0, 0u8, 0, false);
    for (i, &c) in b.iter().enumerate() {
        if c == b'=' {
            padding = true;
            if quad >= 2 {
                pads += 1;
                if quad + pads >= 4 {
                    if strict && i + 1 < b.len() {
                        return Err("Excess data after padding".to_owned());
                    }
                    return Ok(out);
                }
            }
            continue;
        }
        let Some(six) = sextet(c) else {
            if strict {
                return Err("Only base64 data is allowed".to_owned());
            }
            continue;
        };
        if strict && padding {
            return Err("Discontinuous padding not allowed".to_owned());
        }
        pads = 0;
        match quad {
            0 => left = six,
            1 => {
                out.push(left << 2 | six >> 4);
                left = six & 15;
            }
            2 => {
                out.push(left << 4 | six >> 2);
                left = six & 3;
            }
            _ => out.push(left << 6 | six),
        }
        quad = (quad + 1) % 4;
    }
    match quad {
        0 => Ok(out),
        1 => Err(format!(
            "Invalid base64-encoded string: number of data characters ({}) cannot be 1 more than a multiple of 4",
            out.len() / 3 * 4 + 1
        )),
        _ => Err("Incorrect padding".to_owned()),
    }
}

fn b2a_base64(b: &[u8], newline: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(b.len().div_ceil(3) * 4 + 1);
    for three in b.chunks(3) {
        let mut w = [0; 3];
        w[..three.len()].copy_from_slice(three);
        let w = u32::from_be_bytes([0, w[0], w[1], w[2]]);
        let mut four = [18, 12, 6, 0].map(|s| BASE64[(w >> s & 63) as usize]);
        four[three.len() + 1..].fill(b'=');
        out.extend(four);
    }
    if newline {
        out.push(b'\n');
    }
    out
}

fn a2b_qp(b: &[u8], header: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(b.len());
    let mut i = 0;
    while i < b.len() {
        let c = b[i];
        i += 1;
        if c == b'_' && header {
            out.push(b' ');
            continue;
        }
        if c != b'=' {
            out.push(c);
            continue;
        }
        match b.get(i) {
            None => break,
            // A soft line break.
            Some(b'\n' | b'\r') => {
                while i < b.len() && b[i] != b'\n' {
                    i += 1;
                }
                i += 1;
            }
            Some(b'=') => {
                out.push(b'=');
                i += 1;
            }
            Some(&h) => match (hex_digit(h), b.get(i + 1).and_then(|&l| hex_digit(l))) {
                (Some(h), Some(l)) => {
                    out.push(h << 4 | l);
                    i += 2;
                }
                _ => out.push(b'='),
            },
        }
    }
    out
}

struct Quoting {
    tabs: bool,
    text: bool,
    header: bool,
}

fn b2a_qp(b: &[u8], how: &Quoting) -> Vec<u8> {
    const MAX_LINE: usize = 76;
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    // All line ends become what the first one is.
    let first = b.iter().position(|&c| c == b'\n');
    let end: &[u8] = match first {
        Some(i) if i > 0 && b[i - 1] == b'\r' => b"\r\n",
        _ => b"\n",
    };
    let quoted = |out: &mut Vec<u8>, c: u8| {
        out.extend([b'=', HEX[usize::from(c >> 4)], HEX[usize::from(c & 15)]]);
    };
    let soft = |out: &mut Vec<u8>| {
        out.push(b'=');
        out.extend_from_slice(end);
    };
    let mut out = Vec::with_capacity(b.len() + b.len() / 8);
    let (mut i, mut line) = (0, 0);
    while i < b.len() {
        let c = b[i];
        let next = b.get(i + 1).copied();
        let quote = c > 126
            || c == b'='
            || how.header && c == b'_'
            || c == b'.' && line == 0 && matches!(next, None | Some(b'\n' | b'\r' | 0))
            || !how.text && matches!(c, b'\r' | b'\n')
            || matches!(c, b'\t' | b' ') && next.is_none()
            || c < 33 && !matches!(c, b'\r' | b'\n') && (how.tabs || !matches!(c, b'\t' | b' '));
        if quote {
            if line + 3 >= MAX_LINE {
                soft(&mut out);
                line = 0;
            }
            quoted(&mut out, c);
            line += 3;
            i += 1;
        } else if how.text && (c == b'\n' || c == b'\r' && next == Some(b'\n')) {
            line = 0;
            // A line must not end in white space.
            if let Some(&w @ (b' ' | b'\t')) = out.last() {
                out.pop();
                quoted(&mut out, w);
            }
            out.extend_from_slice(end);
            i += if c == b'\r' { 2 } else { 1 };
        } else {
            if next.is_some_and(|n| n != b'\n') && line + 1 >= MAX_LINE {
                soft(&mut out);
                line = 0;
            }
            line += 1;
            out.push(if how.header && c == b' ' { b'_' } else { c });
            i += 1;
        }
    }
    out
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let m = module(
        vm,
        "binascii",
        "Conversion between binary data and ASCII",
        FUNCTIONS,
    );
    let value_error = vm.types.value_error.value();
    let e = crate::new_exception(vm, "binascii", "Error", &[value_error]);
    vm.statics[slots::BINASCII_ERROR] = e;
    set(vm, m, "Error", e);
    let e = crate::new_exception(vm, "binascii", "Incomplete", &[]);
    set(vm, m, "Incomplete", e);
    Ok(m)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_there_and_back() {
        for s in ["", "a", "ab", "abc", "abcd"] {
            let b = b2a_base64(s.as_bytes(), true);
            assert_eq!(a2b_base64(&b, false).as_deref(), Ok(s.as_bytes()));
        }
        assert!(a2b_base64(b"ab=c", true).is_err());
        assert!(a2b_base64(b"a", false).is_err_and(|m| m.contains("characters (1)")));
    }

    #[test]
    fn quoted_printable_keeps_lines_short() {
        let how = Quoting {
            tabs: false,
            text: true,
            header: false,
        };
        let b = b2a_qp(&[b'x'; 200], &how);
        assert!(b.split(|&c| c == b'\n').all(|l| l.len() <= 76));
        assert_eq!(a2b_qp(&b, false), [b'x'; 200]);
        assert_eq!(b2a_qp(b"a \r\n=", &how), b"a=20\r\n=3D");
    }
}
