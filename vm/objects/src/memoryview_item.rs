//! Items of a `memoryview`: native numbers of one format character.

use crate::vm::{R, Raised, Vm};
use pyrite_machine::Value;

/// A native format character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Format(u8);

impl Format {
    /// One format character, with an optional `@` before it.
    pub fn parse(s: &str) -> Option<Format> {
        match s.strip_prefix('@').unwrap_or(s).as_bytes() {
            [c] if b"cbB?hHiIlLqQnNfdP".contains(c) => Some(Format(*c)),
            _ => None,
        }
    }

    /// Bytes of an item.
    pub fn size(self) -> usize {
        match self.0 {
            b'c' | b'b' | b'B' | b'?' => 1,
            b'h' | b'H' => 2,
            b'i' | b'I' | b'f' => 4,
            _ => 8,
        }
    }

    /// Items are bytes.
    pub fn is_byte(self) -> bool {
        matches!(self.0, b'c' | b'b' | b'B')
    }

    /// Equal items have equal bytes, and the other way round.
    pub fn bytes_tell(self) -> bool {
        !matches!(self.0, b'f' | b'd' | b'?')
    }
}

/// The item in the first bytes of `b`.
pub fn unpack(vm: &mut Vm, f: Format, b: &[u8; 8]) -> Value {
    let word = u64::from_le_bytes(*b);
    match f.0 {
        b'c' => vm.new_bytes(&b[..1]),
        b'b' => Value::small((b[0] as i8).into()),
        b'B' => Value::small(b[0].into()),
        b'?' => vm.bool(b[0] != 0),
        b'h' => Value::small((word as i16).into()),
        b'H' => Value::small((word as u16).into()),
        b'i' => Value::small(word as i32),
        b'I' => vm.new_int((word as u32).into()),
        b'l' | b'q' | b'n' => vm.new_int(word as i64),
        b'f' => Value::float(f32::from_bits(word as u32).into()),
        b'd' => Value::float(f64::from_bits(word)),
        _ => vm.new_uint(word),
    }
}

fn wrong_type(vm: &mut Vm, f: Format) -> Raised {
    let m = format!("memoryview: invalid type for format '{}'", f.0 as char);
    vm.type_error(&m)
}

fn wrong_value(vm: &mut Vm, f: Format) -> Raised {
    let m = format!("memoryview: invalid value for format '{}'", f.0 as char);
    vm.value_error(&m)
}

/// The bytes of `x` as an item, in the first bytes of the result.
///
/// # Errors
/// TypeError for what is no such item; ValueError for a number out of range.
pub fn pack(vm: &mut Vm, f: Format, x: Value) -> R<[u8; 8]> {
    match f.0 {
        b'c' => {
            let Some(b) = vm.as_bytes(x) else {
                return Err(wrong_type(vm, f));
            };
            match vm.bytes(b) {
                &[c] => Ok(u64::from(c).to_le_bytes()),
                _ => Err(wrong_value(vm, f)),
            }
        }
        b'?' => Ok(u64::from(vm.truth(x)?).to_le_bytes()),
        b'f' | b'd' => {
            let Some(d) = float_of(vm, x)? else {
                return Err(wrong_type(vm, f));
            };
            let bits = if f.0 == b'd' {
                d.to_bits()
            } else {
                let s = d as f32;
                if s.is_infinite() && d.is_finite() {
                    return Err(vm.overflow_error("float too large to pack with f format"));
                }
                s.to_bits().into()
            };
            Ok(bits.to_le_bytes())
        }
        _ => integer(vm, f, x),
    }
}

fn float_of(vm: &mut Vm, x: Value) -> R<Option<f64>> {
    if let Some(d) = vm.as_float(x) {
        return Ok(Some(d));
    }
    if let Some(i) = vm.as_int(x) {
        return vm.int_to_f64(i).map(Some);
    }
    let n = vm.intern("__float__");
    match vm.call_special(x, n, &[])? {
        Some(r) => Ok(vm.as_float(r)),
        None => Ok(None),
    }
}

fn integer(vm: &mut Vm, f: Format, x: Value) -> R<[u8; 8]> {
    let n = vm.names.index;
    if !vm.is_int(x) && vm.lookup_on(x, n).is_null() {
        return Err(wrong_type(vm, f));
    }
    let i = vm.index(x)?;
    let big = vm.int_to_big(i);
    let size = f.size() as u32 * 8;
    let signed = matches!(f.0, b'b' | b'h' | b'i' | b'l' | b'q' | b'n');
    let wide = i128::try_from(&big).unwrap_or(i128::MAX);
    let (low, high) = if signed {
        (-(1i128 << (size - 1)), (1i128 << (size - 1)) - 1)
    } else {
        (0, (1i128 << size) - 1)
    };
    if wide < low || wide > high {
        return Err(wrong_value(vm, f));
    }
    Ok((wide as u64).to_le_bytes())
}
