//! Formats of the `struct` module: what `'<2h3s'` says, and how one item of it
//! becomes bytes or comes out of them.
//!
//! CPython packs through two families of functions, which differ in what they
//! say about numbers out of range: the machine's own ("native") for `@` and for
//! little-endian items of native size, and a general one. [`Item::native`] keeps
//! that apart.

use pyrite_machine::Value;
use pyrite_objects::layout::Gc;
use pyrite_objects::vm::{R, Raised, Vm};

/// A run of equal items.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub(super) struct Item {
    pub(super) code: u8,
    pub(super) native: bool,
    pub(super) big: bool,
    /// Bytes of one item; the whole text for `s` and `p`.
    pub(super) size: usize,
    /// Offset of the first.
    pub(super) offset: usize,
    /// How many follow each other.
    pub(super) repeat: usize,
}

/// A format understood.
#[derive(Default, PartialEq, Eq, Debug)]
pub(super) struct Format {
    pub(super) items: Vec<Item>,
    /// Bytes in all.
    pub(super) size: usize,
    /// Values in all.
    pub(super) len: usize,
}

/// Size of an item; the machine aligns it to that size.
fn size_of_code(code: u8, native: bool) -> Option<usize> {
    Some(match code {
        b'x' | b'b' | b'B' | b'c' | b's' | b'p' | b'?' => 1,
        b'h' | b'H' | b'e' => 2,
        b'i' | b'I' | b'f' => 4,
        b'l' | b'L' if !native => 4,
        b'l' | b'L' | b'q' | b'Q' | b'd' => 8,
        b'n' | b'N' | b'P' if native => 8,
        _ => return None,
    })
}

/// Reads a format; the error is what `struct.error` says.
pub(super) fn parse(text: &[u8]) -> Result<Format, &'static str> {
    const TOO_LONG: &str = "total struct size too long";
    let (machine, big, text) = match text.first() {
        Some(b'<' | b'=') => (false, false, &text[1..]),
        Some(b'>' | b'!') => (false, true, &text[1..]),
        Some(b'@') => (true, false, &text[1..]),
        _ => (true, false, text),
    };
    let mut f = Format::default();
    let mut i = 0;
    while i < text.len() {
        let mut c = text[i];
        i += 1;
        if matches!(c, b' ' | b'\t'..=b'\r') {
            continue;
        }
        let mut n = 1usize;
        if c.is_ascii_digit() {
            n = usize::from(c - b'0');
            loop {
                let Some(&d) = text.get(i) else {
                    return Err("repeat count given without format specifier");
                };
                i += 1;
                c = d;
                if !d.is_ascii_digit() {
                    break;
                }
                n = n
                    .checked_mul(10)
                    .and_then(|n| n.checked_add(usize::from(d - b'0')))
                    .filter(|&n| n <= isize::MAX as usize)
                    .ok_or(TOO_LONG)?;
            }
        }
        let one = size_of_code(c, machine).ok_or("bad char in struct format")?;
        if machine && one > 1 {
            f.size = f.size.checked_next_multiple_of(one).ok_or(TOO_LONG)?;
        }
        let all = one.checked_mul(n).ok_or(TOO_LONG)?;
        let (size, repeat) = if matches!(c, b's' | b'p') {
            (n, 1)
        } else {
            (one, n)
        };
        if c != b'x' && repeat > 0 {
            f.len += repeat;
            f.items.push(Item {
                code: c,
                native: machine || !big && c != b'f' && size_of_code(c, true) == Some(one),
                big,
                size,
                offset: f.size,
                repeat,
            });
        }
        f.size = f.size.checked_add(all).ok_or(TOO_LONG)?;
        if f.size > isize::MAX as usize {
            return Err(TOO_LONG);
        }
    }
    Ok(f)
}

/// Raises `struct.error`.
pub(super) fn error(vm: &mut Vm, message: &str) -> Raised {
    let class = Gc::from_value(vm.statics[crate::slots::STRUCT_ERROR]);
    vm.raise_str(class, message)
}

fn signed_range(size: usize) -> (i64, i64) {
    let top = 1i128 << (8 * size - 1);
    ((-top) as i64, (top - 1) as i64)
}

/// The number behind an argument as an exact int.
fn integer(vm: &mut Vm, v: Value) -> R {
    if let Some(i) = vm.as_int(v) {
        return Ok(i);
    }
    let n = vm.names.index;
    if vm.lookup_on(v, n).is_null() {
        return Err(error(vm, "required argument is not an integer"));
    }
    vm.index(v)
}

fn pack_signed(vm: &mut Vm, it: &Item, v: Value) -> R<u64> {
    let i = integer(vm, v)?;
    let Some(n) = vm.int_to_i64(i) else {
        return Err(if !it.native && it.size == 8 {
            error(vm, "int too large to convert")
        } else {
            error(vm, "argument out of range")
        });
    };
    let (lo, hi) = signed_range(it.size);
    if n < lo || n > hi {
        let m = match it.code {
            b'b' => "byte format requires -128 <= number <= 127".to_owned(),
            b'h' if it.native => "short format requires -32768 <= number <= 32767".to_owned(),
            c => format!("'{}' format requires {lo} <= number <= {hi}", c as char),
        };
        return Err(error(vm, &m));
    }
    Ok(n as u64)
}

fn pack_unsigned(vm: &mut Vm, it: &Item, v: Value) -> R<u64> {
    let i = integer(vm, v)?;
    // The two narrowest go through signed numbers.
    let through_signed = it.code == b'B' || it.code == b'H' && it.native;
    let n = if through_signed {
        vm.int_to_i64(i).map(|n| n as u64)
    } else {
        u64::try_from(vm.int_to_big(i)).ok()
    };
    let Some(n) = n else {
        return Err(if !it.native && it.size == 8 {
            error(vm, "int too large to convert")
        } else {
            error(vm, "argument out of range")
        });
    };
    if it.size < 8 && n >> (8 * it.size) != 0 {
        let hi = (1u64 << (8 * it.size)) - 1;
        let m = match it.code {
            b'B' => "ubyte format requires 0 <= number <= 255".to_owned(),
            b'H' if it.native => "ushort format requires 0 <= number <= 65535".to_owned(),
            c => format!("'{}' format requires 0 <= number <= {hi}", c as char),
        };
        return Err(error(vm, &m));
    }
    Ok(n)
}

fn real(vm: &mut Vm, v: Value) -> R<f64> {
    if let Some(f) = vm.as_float(v) {
        return Ok(f);
    }
    match vm.number_to_f64(v) {
        Ok(f) => Ok(f),
        Err(e) => {
            if vm.exc_is(vm.types.overflow_error) && vm.is_int(v) {
                vm.exc = Value::NULL;
                return Err(error(vm, "int too large to convert"));
            }
            if vm.exc_is(vm.types.type_error) {
                vm.exc = Value::NULL;
                return Err(error(vm, "required argument is not a float"));
            }
            Err(e)
        }
    }
}

fn too_large(vm: &mut Vm, code: u8, v: Value) -> Raised {
    if vm.is_int(v) {
        return error(vm, "int too large to convert");
    }
    let m = format!("float too large to pack with {} format", code as char);
    vm.overflow_error(&m)
}

/// Packs one value into `out`, which is as long as the item.
pub(super) fn pack(vm: &mut Vm, it: &Item, v: Value, out: &mut [u8]) -> R<()> {
    let bits = match it.code {
        b'c' => match vm.as_bytes(v).map(|b| vm.bytes(b)) {
            Some([c]) => u64::from(*c),
            _ => {
                return Err(error(vm, "char format requires a bytes object of length 1"));
            }
        },
        b's' | b'p' => {
            let content = match vm.as_bytes(v) {
                Some(b) => vm.bytes(b),
                None if vm.layout_of(v) == pyrite_objects::Layout::ByteArray => vm.bytearray(v),
                None => {
                    let m = format!("argument for '{}' must be a bytes object", it.code as char);
                    return Err(error(vm, &m));
                }
            };
            if it.code == b's' {
                let n = content.len().min(out.len());
                out[..n].copy_from_slice(&content[..n]);
            } else if let Some((first, rest)) = out.split_first_mut() {
                let n = content.len().min(rest.len());
                rest[..n].copy_from_slice(&content[..n]);
                *first = n.min(255) as u8;
            }
            return Ok(());
        }
        b'?' => u64::from(vm.truth(v)?),
        b'b' | b'h' | b'i' | b'l' | b'q' | b'n' => pack_signed(vm, it, v)?,
        b'B' | b'H' | b'I' | b'L' | b'Q' | b'N' => pack_unsigned(vm, it, v)?,
        b'P' => {
            let i = integer(vm, v)?;
            let b = vm.int_to_big(i);
            match (i64::try_from(&b), u64::try_from(&b)) {
                (Ok(i), _) => i as u64,
                (_, Ok(u)) => u,
                _ => return Err(error(vm, "int too large to convert")),
            }
        }
        b'e' => {
            let x = real(vm, v)?;
            match half_from(x) {
                Some(h) => h.into(),
                None => return Err(too_large(vm, it.code, v)),
            }
        }
        b'f' => {
            let x = real(vm, v)?;
            let f = x as f32;
            // The machine's own conversion is not checked.
            if f.is_infinite() && x.is_finite() && !it.native {
                return Err(too_large(vm, it.code, v));
            }
            f.to_bits().into()
        }
        _ => real(vm, v)?.to_bits(),
    };
    let le = bits.to_le_bytes();
    out.copy_from_slice(&le[..it.size]);
    if it.big {
        out.reverse();
    }
    Ok(())
}

/// Reads one value.
pub(super) fn unpack(vm: &mut Vm, it: &Item, b: &[u8]) -> Value {
    match it.code {
        b'c' | b's' => return vm.new_bytes(b),
        b'p' => {
            return match b.split_first() {
                Some((&n, rest)) => vm.new_bytes(&rest[..rest.len().min(n.into())]),
                None => vm.empty_bytes,
            };
        }
        _ => {}
    }
    let mut le = [0; 8];
    le[..b.len()].copy_from_slice(b);
    if it.big {
        le[..b.len()].reverse();
    }
    let bits = u64::from_le_bytes(le);
    match it.code {
        b'?' => vm.bool(bits != 0),
        b'b' | b'h' | b'i' | b'l' | b'q' | b'n' => {
            let spare = 64 - 8 * it.size as u32;
            vm.new_int((bits << spare) as i64 >> spare)
        }
        b'B' | b'H' | b'I' | b'L' | b'Q' | b'N' | b'P' => vm.new_uint(bits),
        b'e' => Value::float(half_to(bits as u16)),
        b'f' => Value::float(f32::from_bits(bits as u32).into()),
        _ => Value::float(f64::from_bits(bits)),
    }
}

/// The nearest half-precision number, ties to even; `None` if too large.
pub fn half_from(x: f64) -> Option<u16> {
    let sign = u16::from(x.is_sign_negative()) << 15;
    if x.is_nan() {
        return Some(sign | 0x7E00);
    }
    if x.is_infinite() {
        return Some(sign | 0x7C00);
    }
    if x == 0.0 {
        return Some(sign);
    }
    let (m, e) = pyrite_objects::numbers::frexp(x.abs());
    // As 1.m * 2**e.
    let (mut m, mut e) = (m * 2.0, e - 1);
    if e >= 16 {
        return None;
    }
    if e < -25 {
        return Some(sign);
    }
    if e < -14 {
        m *= pyrite_objects::int::exp2((14 + e).into());
        e = 0;
    } else {
        e += 15;
        m -= 1.0;
    }
    m *= 1024.0;
    let mut bits = m as u16;
    m -= f64::from(bits);
    if m > 0.5 || m == 0.5 && bits % 2 == 1 {
        bits += 1;
        if bits == 1024 {
            bits = 0;
            e += 1;
            if e == 31 {
                return None;
            }
        }
    }
    Some(sign | (e as u16) << 10 | bits)
}

/// A half-precision number as a double.
pub fn half_to(h: u16) -> f64 {
    let e = i64::from(h >> 10 & 31);
    let m = f64::from(h & 1023);
    let x = match (e, h & 1023) {
        (31, 0) => f64::INFINITY,
        (31, _) => f64::NAN,
        (0, _) => m * pyrite_objects::int::exp2(-24),
        _ => (1.0 + m / 1024.0) * pyrite_objects::int::exp2(e - 15),
    };
    if h >> 15 != 0 { -x } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_formats_are_aligned() {
        let f = parse(b"ibq0l").expect("well formed");
        assert_eq!((f.size, f.len), (16, 3));
        let f = parse(b"<ibq").expect("well formed");
        assert_eq!((f.size, f.items[2].offset), (13, 5));
        assert_eq!(
            parse(b"3"),
            Err("repeat count given without format specifier")
        );
        assert_eq!(parse(b"<n"), Err("bad char in struct format"));
    }

    #[test]
    fn halves_round_to_even() {
        for (x, h) in [
            (1.0, 0x3C00),
            (65519.0, 0x7BFF),
            (2f64.powi(-25), 0),
            (6e-8, 1),
        ] {
            assert_eq!(half_from(x), Some(h), "{x}");
        }
        assert_eq!(half_from(65520.0), None);
        for h in (0..0x7C00).step_by(7) {
            assert_eq!(half_from(half_to(h)), Some(h));
        }
    }
}
