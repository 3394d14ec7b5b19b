//! The `marshal` module: constants as bytes.
//!
//! Version 4 of CPython's format, without references between objects on
//! writing. Code objects have a record of our own ([`crate::marshal_code`]).

use crate::{module, set};
use pyrite_machine::Value;
use pyrite_objects::layout::Layout;
use pyrite_objects::native::{NativeDef, def, effects};
use pyrite_objects::vm::{R, Vm};

static FUNCTIONS: [NativeDef; 4] = [
    def("dumps", "(value, version=4, /)", effects::CALLS, dumps),
    def("loads", "(bytes, /)", effects::CALLS, loads),
    def(
        "dump",
        "(value, file, version=4, /)",
        effects::ANY,
        |vm, a| {
            let b = dumps(vm, &[a[0], a[2]])?;
            let write = vm.names.write;
            vm.call_method(a[1], write, &[b])
        },
    ),
    def("load", "(file, /)", effects::ANY, |vm, a| {
        let read = vm.names.read;
        let b = vm.call_method(a[0], read, &[])?;
        loads(vm, &[b])
    }),
];

fn size(out: &mut Vec<u8>, n: usize) {
    out.extend_from_slice(&(n as u32).to_le_bytes());
}

fn dumps(vm: &mut Vm, a: &[Value]) -> R {
    let mut out = Vec::new();
    write(vm, a[0], &mut out)?;
    Ok(vm.new_bytes(&out))
}

fn write(vm: &mut Vm, v: Value, out: &mut Vec<u8>) -> R<()> {
    vm.enter_native()?;
    if let Some(f) = v.as_float() {
        out.push(b'g');
        out.extend_from_slice(&f.to_le_bytes());
        return Ok(());
    }
    if let Some(i) = v.as_int() {
        write_int(i, out);
        return Ok(());
    }
    for (c, single) in [
        (b'N', vm.none),
        (b'T', vm.true_),
        (b'F', vm.false_),
        (b'.', vm.ellipsis),
    ] {
        if v == single {
            out.push(c);
            return Ok(());
        }
    }
    if v == vm.types.stop_iteration.value() {
        out.push(b'S');
        return Ok(());
    }
    match vm.layout_of(v) {
        Layout::Int => {
            let neg = pyrite_objects::int::is_negative(vm, v);
            let digits = digits15(v);
            out.push(b'l');
            let n = digits.len() as i32;
            out.extend_from_slice(&(if neg { -n } else { n }).to_le_bytes());
            for d in digits {
                out.extend_from_slice(&d.to_le_bytes());
            }
        }
        Layout::Complex => {
            let (re, im) = vm.as_complex(v).unwrap_or_default();
            out.push(b'y');
            out.extend_from_slice(&re.to_le_bytes());
            out.extend_from_slice(&im.to_le_bytes());
        }
        Layout::Str => {
            let t = vm.text(v);
            let mut bytes = Vec::new();
            for c in t.iter() {
                push_wtf8(&mut bytes, c);
            }
            let ascii = bytes.is_ascii();
            match (ascii, bytes.len()) {
                (true, n @ 0..=255) => {
                    out.push(b'z');
                    out.push(n as u8);
                }
                (true, n) => {
                    out.push(b'a');
                    size(out, n);
                }
                (false, n) => {
                    out.push(b'u');
                    size(out, n);
                }
            }
            out.extend_from_slice(&bytes);
        }
        Layout::Bytes => {
            let b = vm.bytes(v);
            out.push(b's');
            size(out, b.len());
            out.extend_from_slice(b);
        }
        Layout::Tuple => {
            let n = vm.tuple_len(v);
            if n < 256 {
                out.push(b')');
                out.push(n as u8);
            } else {
                out.push(b'(');
                size(out, n);
            }
            for i in 0..n {
                write(vm, vm.tuple_get(v, i), out)?;
            }
        }
        Layout::List if vm.class_of(v) == vm.types.list => {
            let n = vm.list_len(v);
            out.push(b'[');
            size(out, n);
            for i in 0..n {
                write(vm, vm.list_get(v, i), out)?;
            }
        }
        Layout::Dict if vm.is_exact_dict(v) => {
            out.push(b'{');
            let mut pos = 0;
            while let Some((k, x)) = vm.dict_next(v, &mut pos) {
                write(vm, k, out)?;
                write(vm, x, out)?;
            }
            out.push(b'0');
        }
        l @ (Layout::Set | Layout::FrozenSet) => {
            let d = vm.set_dict(v);
            out.push(if l == Layout::Set { b'<' } else { b'>' });
            size(out, vm.dict_len(d));
            let mut pos = 0;
            while let Some((k, _)) = vm.dict_next(d, &mut pos) {
                write(vm, k, out)?;
            }
        }
        Layout::Code => {
            out.push(b'c');
            crate::marshal_code::write(vm, v, out);
            let data = vm.code_data(v);
            for i in 0..data.unit.consts.len() {
                // SAFETY: the code has that many constants.
                write(vm, unsafe { *data.consts.add(i) }, out)?;
            }
        }
        _ => return Err(vm.value_error("unmarshallable object")),
    }
    Ok(())
}

fn write_int(i: i64, out: &mut Vec<u8>) {
    if let Ok(i) = i32::try_from(i) {
        out.push(b'i');
        out.extend_from_slice(&i.to_le_bytes());
        return;
    }
    let mut m = i.unsigned_abs();
    let mut digits = Vec::new();
    while m != 0 {
        digits.push((m & 0x7FFF) as u16);
        m >>= 15;
    }
    out.push(b'l');
    let n = digits.len() as i32;
    out.extend_from_slice(&(if i < 0 { -n } else { n }).to_le_bytes());
    for d in digits {
        out.extend_from_slice(&d.to_le_bytes());
    }
}

/// Digits of 15 bits of a heap int's magnitude, least significant first.
fn digits15(v: Value) -> Vec<u16> {
    let limbs = pyrite_objects::numbers::big_limbs(v);
    let bits = limbs.len() * 64;
    let mut out = Vec::with_capacity(bits / 15 + 1);
    for at in (0..bits).step_by(15) {
        let (l, s) = (at / 64, at % 64);
        let mut d = limbs[l] >> s;
        if s > 49 && l + 1 < limbs.len() {
            d |= limbs[l + 1] << (64 - s);
        }
        out.push((d & 0x7FFF) as u16);
    }
    while out.last() == Some(&0) {
        out.pop();
    }
    out
}

fn push_wtf8(out: &mut Vec<u8>, c: u32) {
    match char::from_u32(c) {
        Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        None => out.extend_from_slice(&[
            0xE0 | (c >> 12) as u8,
            0x80 | (c >> 6 & 0x3F) as u8,
            0x80 | (c & 0x3F) as u8,
        ]),
    }
}

fn wtf8(b: &[u8]) -> Vec<u32> {
    let mut out = Vec::with_capacity(b.len());
    let mut i = 0;
    while i < b.len() {
        let c = b[i];
        let n = match c {
            0..=0x7F => 1,
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            _ => 4,
        };
        let mut x = u32::from(c) & [0x7F, 0x1F, 0xF, 0x7][n - 1];
        for &d in b.iter().skip(i + 1).take(n - 1) {
            x = x << 6 | u32::from(d & 0x3F);
        }
        out.push(x.min(0x10_FFFF));
        i += n;
    }
    out
}

/// Reads from marshalled bytes. `refs` is a list object.
struct Reader<'a> {
    b: &'a [u8],
    at: usize,
    refs: Value,
    /// Inside code: strings are interned, as the compiler's constants are.
    in_code: bool,
}

impl Reader<'_> {
    fn take(&mut self, vm: &mut Vm, n: usize) -> R<&[u8]> {
        if self.b.len() - self.at < n {
            return Err(vm.eof_error("marshal data too short"));
        }
        self.at += n;
        Ok(&self.b[self.at - n..self.at])
    }

    fn byte(&mut self, vm: &mut Vm) -> R<u8> {
        Ok(self.take(vm, 1)?[0])
    }

    fn long(&mut self, vm: &mut Vm) -> R<i32> {
        let b = self.take(vm, 4)?;
        Ok(i32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    }

    fn size(&mut self, vm: &mut Vm) -> R<usize> {
        let n = self.long(vm)?;
        usize::try_from(n).map_err(|_| vm.value_error("bad marshal data (size out of range)"))
    }

    fn double(&mut self, vm: &mut Vm) -> R<f64> {
        let b = self.take(vm, 8)?;
        let mut x = [0; 8];
        x.copy_from_slice(b);
        Ok(f64::from_le_bytes(x))
    }

    /// One object; null for the end mark of a dict.
    fn object(&mut self, vm: &mut Vm) -> R {
        vm.enter_native()?;
        let Ok(code) = self.byte(vm) else {
            vm.exc = Value::NULL;
            return Err(vm.eof_error("EOF read where object expected"));
        };
        let slot = (code & 0x80 != 0).then(|| {
            let none = vm.none;
            vm.list_append(self.refs, none);
            vm.list_len(self.refs) - 1
        });
        let v = match code & 0x7F {
            b'0' => return Ok(Value::NULL),
            b'N' => vm.none,
            b'T' => vm.true_,
            b'F' => vm.false_,
            b'.' => vm.ellipsis,
            b'S' => vm.types.stop_iteration.value(),
            b'i' => Value::small(self.long(vm)?),
            b'l' => self.big(vm)?,
            b'g' => Value::float(self.double(vm)?),
            b'y' => {
                let re = self.double(vm)?;
                let im = self.double(vm)?;
                vm.new_complex(re, im)
            }
            c @ (b'z' | b'Z' | b'a' | b'A' | b'u' | b't') => {
                let n = if matches!(c, b'z' | b'Z') {
                    self.byte(vm)?.into()
                } else {
                    self.size(vm)?
                };
                let b = self.take(vm, n)?.to_vec();
                let points = wtf8(&b);
                let s = vm.new_str_points(&points);
                if self.in_code || matches!(c, b'Z' | b'A' | b't') {
                    vm.intern_value(s)
                } else {
                    s
                }
            }
            b's' => {
                let n = self.size(vm)?;
                let b = self.take(vm, n)?.to_vec();
                vm.new_bytes(&b)
            }
            c @ (b')' | b'(' | b'[' | b'<' | b'>') => {
                let n = if c == b')' {
                    self.byte(vm)?.into()
                } else {
                    self.size(vm)?
                };
                let l = vm.new_list(&[]);
                if let (b'[', Some(i)) = (c, slot) {
                    vm.list_put(self.refs, i, l);
                }
                for _ in 0..n {
                    let x = self.object(vm)?;
                    if x.is_null() {
                        return Err(vm.type_error("NULL object in marshal data for sequence"));
                    }
                    vm.list_append(l, x);
                }
                match c {
                    b'[' => l,
                    b'<' | b'>' => {
                        let class = if c == b'<' {
                            vm.types.set
                        } else {
                            vm.types.frozenset
                        };
                        let s = vm.new_set(class);
                        for i in 0..n {
                            let x = vm.list_get(l, i);
                            vm.set_add(s, x)?;
                        }
                        s
                    }
                    _ => vm.list_to_tuple(l),
                }
            }
            b'{' => {
                let d = vm.new_dict();
                if let Some(i) = slot {
                    vm.list_put(self.refs, i, d);
                }
                loop {
                    let k = self.object(vm)?;
                    if k.is_null() {
                        break;
                    }
                    let x = self.object(vm)?;
                    if x.is_null() {
                        break;
                    }
                    vm.dict_set(d, k, x)?;
                }
                d
            }
            b'r' => {
                let i = self.size(vm)?;
                if i >= vm.list_len(self.refs) {
                    return Err(vm.value_error("bad marshal data (invalid reference)"));
                }
                vm.list_get(self.refs, i)
            }
            b'c' => self.code(vm)?,
            _ => return Err(vm.value_error("bad marshal data (unknown type code)")),
        };
        if let Some(i) = slot {
            vm.list_put(self.refs, i, v);
        }
        Ok(v)
    }

    fn code(&mut self, vm: &mut Vm) -> R {
        let mut input = crate::marshal_code::In::new(self.b, self.at);
        let Some(unit) = input.unit() else {
            return Err(vm.value_error("bad marshal data (code of another implementation)"));
        };
        self.at = input.position();
        let outer = std::mem::replace(&mut self.in_code, true);
        let consts = vm.new_list(&[]);
        for _ in 0..unit.consts.len() {
            let x = self.object(vm)?;
            if x.is_null() {
                return Err(vm.type_error("NULL object in marshal data for code"));
            }
            vm.list_append(consts, x);
        }
        self.in_code = outer;
        Ok(vm.load_code_with(unit, consts))
    }

    fn big(&mut self, vm: &mut Vm) -> R {
        let n = self.long(vm)?;
        let mut hex = String::new();
        let mut bits: Vec<bool> = Vec::new();
        for i in 0..n.unsigned_abs() {
            let b = self.take(vm, 2)?;
            let d = u16::from_le_bytes([b[0], b[1]]);
            if d > 0x7FFF {
                return Err(vm.value_error("bad marshal data (digit out of range in long)"));
            }
            if d == 0 && i + 1 == n.unsigned_abs() {
                return Err(vm.value_error("bad marshal data (unnormalized long data)"));
            }
            bits.extend((0..15).map(|k| d >> k & 1 != 0));
        }
        while !bits.len().is_multiple_of(4) {
            bits.push(false);
        }
        for q in bits.chunks(4).rev() {
            let d = q.iter().rev().fold(0, |d, &b| d << 1 | u32::from(b));
            hex.push(char::from_digit(d, 16).unwrap_or('0'));
        }
        let x = dashu_int::IBig::from_str_radix(if hex.is_empty() { "0" } else { &hex }, 16)
            .unwrap_or_default();
        Ok(vm.new_big(&if n < 0 { -x } else { x }))
    }
}

fn loads(vm: &mut Vm, a: &[Value]) -> R {
    let b = match vm.as_bytes(a[0]) {
        Some(b) => b,
        None => {
            let Some(b) = vm.buffer_copy(a[0])? else {
                let m = format!(
                    "a bytes-like object is required, not '{}'",
                    vm.class_name(a[0])
                );
                return Err(vm.type_error(&m));
            };
            vm.new_bytes(&b)
        }
    };
    let refs = vm.new_list(&[]);
    let mut r = Reader {
        b: vm.bytes(b),
        at: 0,
        refs,
        in_code: false,
    };
    let v = r.object(vm)?;
    if v.is_null() {
        return Err(vm.type_error("NULL object in marshal data for object"));
    }
    Ok(v)
}

/// The object that `bytes` (a bytes object) holds from `at` on.
///
/// # Errors
/// ValueError, TypeError or EOFError for what no writer made.
pub fn load(vm: &mut Vm, bytes: Value, at: usize) -> R {
    let refs = vm.new_list(&[]);
    let mut r = Reader {
        b: vm.bytes(bytes),
        at,
        refs,
        in_code: false,
    };
    r.object(vm)
}

/// Appends an object's bytes.
///
/// # Errors
/// ValueError for what has no such form.
pub fn store(vm: &mut Vm, v: Value, out: &mut Vec<u8>) -> R<()> {
    write(vm, v, out)
}

/// Makes the module.
pub fn make(vm: &mut Vm) -> R {
    let m = module(vm, "marshal", "Constants as bytes.", &FUNCTIONS);
    set(vm, m, "version", Value::small(4));
    Ok(m)
}
