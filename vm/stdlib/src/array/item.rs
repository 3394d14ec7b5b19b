//! Items of arrays: the codes, and a value's way into its bytes and out of them.

use pyrite_machine::Value;
use pyrite_objects::vm::{R, Vm};

/// A typecode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code {
    pub(super) letter: u8,
    pub(super) size: usize,
    /// What `memoryview.format` says.
    pub(super) format: &'static str,
    /// Number of the format in pickles, see [`machine_format`].
    pub(super) machine: i64,
}

const fn code(letter: u8, size: usize, format: &'static str, machine: i64) -> Code {
    Code {
        letter,
        size,
        format,
        machine,
    }
}

pub(super) static CODES: [Code; 13] = [
    code(b'b', 1, "b", 1),
    code(b'B', 1, "B", 0),
    code(b'u', 4, "w", 20),
    code(b'h', 2, "h", 4),
    code(b'H', 2, "H", 2),
    code(b'i', 4, "i", 8),
    code(b'I', 4, "I", 6),
    code(b'l', 8, "l", 12),
    code(b'L', 8, "L", 10),
    code(b'q', 8, "q", 12),
    code(b'Q', 8, "Q", 10),
    code(b'f', 4, "f", 14),
    code(b'd', 8, "d", 16),
];

/// Items as a pickle from any machine has them: a typecode that reads them (`x`
/// for UTF-16), their size, and whether they are big-endian.
pub(super) fn machine_format(n: i64) -> Option<(u8, usize, bool)> {
    Some(match n {
        0 => (b'B', 1, false),
        1 => (b'b', 1, false),
        2 | 3 => (b'H', 2, n == 3),
        4 | 5 => (b'h', 2, n == 5),
        6 | 7 => (b'I', 4, n == 7),
        8 | 9 => (b'i', 4, n == 9),
        10 | 11 => (b'Q', 8, n == 11),
        12 | 13 => (b'q', 8, n == 13),
        14 | 15 => (b'f', 4, n == 15),
        16 | 17 => (b'd', 8, n == 17),
        18 | 19 => (b'x', 2, n == 19),
        20 | 21 => (b'u', 4, n == 21),
        _ => return None,
    })
}

impl Code {
    /// The code with this letter.
    pub(super) fn named(letter: u32) -> Option<&'static Code> {
        CODES.iter().find(|c| u32::from(c.letter) == letter)
    }

    /// The bytes of a value.
    ///
    /// # Errors
    /// TypeError for what is no such item, OverflowError beyond its range.
    pub(super) fn pack(self, vm: &mut Vm, v: Value) -> R<[u8; 8]> {
        Ok(match self.letter {
            b'u' => {
                let c = vm.as_str(v).map(|s| vm.text(s)).filter(|t| t.len() == 1);
                match c {
                    Some(t) => u64::from(t.at(0)).to_le_bytes(),
                    None => return Err(vm.type_error("array item must be unicode character")),
                }
            }
            b'f' => {
                let x = vm.number_to_f64(v)? as f32;
                u64::from(x.to_bits()).to_le_bytes()
            }
            b'd' => vm.number_to_f64(v)?.to_bits().to_le_bytes(),
            b'I' | b'L' | b'Q' => self.unsigned(vm, v)?.to_le_bytes(),
            _ => self.signed(vm, v)?.to_le_bytes(),
        })
    }

    fn signed(self, vm: &mut Vm, v: Value) -> R<i64> {
        let i = vm.index(v)?;
        let Some(n) = vm.int_to_i64(i) else {
            return Err(vm.overflow_error(if self.letter == b'q' {
                "int too big to convert"
            } else {
                "Python int too large to convert to C long"
            }));
        };
        // Each code goes through the C types that CPython's converters use.
        let steps: &[(&str, i64, i64)] = match self.letter {
            b'b' => &[
                ("signed short integer", -0x8000, 0x7FFF),
                ("signed char", -128, 127),
            ],
            b'B' => &[("unsigned byte integer", 0, 255)],
            b'h' => &[("signed short integer", -0x8000, 0x7FFF)],
            b'H' => &[
                ("signed integer", -0x8000_0000, 0x7FFF_FFFF),
                ("unsigned short", 0, 0xFFFF),
            ],
            b'i' => &[("signed integer", -0x8000_0000, 0x7FFF_FFFF)],
            _ => &[],
        };
        for &(what, lo, hi) in steps {
            if n < lo {
                return Err(vm.overflow_error(&format!("{what} is less than minimum")));
            }
            if n > hi {
                return Err(vm.overflow_error(&format!("{what} is greater than maximum")));
            }
        }
        Ok(n)
    }

    fn unsigned(self, vm: &mut Vm, v: Value) -> R<u64> {
        let i = vm.index(v)?;
        let long_long = self.letter == b'Q';
        if pyrite_objects::int::is_negative(vm, i) {
            return Err(vm.overflow_error(if long_long {
                "can't convert negative int to unsigned"
            } else {
                "can't convert negative value to unsigned int"
            }));
        }
        match u64::try_from(vm.int_to_big(i)) {
            Ok(n) if self.letter == b'I' && n > 0xFFFF_FFFF => {
                Err(vm.overflow_error("unsigned int is greater than maximum"))
            }
            Ok(n) => Ok(n),
            Err(_) => Err(vm.overflow_error(if long_long {
                "int too big to convert"
            } else {
                "Python int too large to convert to C unsigned long"
            })),
        }
    }

    /// The value of an item's bytes.
    pub(super) fn unpack(self, vm: &mut Vm, b: &[u8]) -> Value {
        let mut le = [0; 8];
        le[..b.len()].copy_from_slice(b);
        let bits = u64::from_le_bytes(le);
        match self.letter {
            b'u' => vm.new_str_char(bits as u32),
            b'f' => Value::float(f32::from_bits(bits as u32).into()),
            b'd' => Value::float(f64::from_bits(bits)),
            b'B' | b'H' | b'I' | b'L' | b'Q' => vm.new_uint(bits),
            _ => {
                let spare = 64 - 8 * self.size as u32;
                vm.new_int((bits << spare) as i64 >> spare)
            }
        }
    }
}
