//! `format % args` for `str` and `bytes`.
//!
//! A bytes format is handled as a text of code points below U+0100, and so is
//! what it yields.

use crate::float_repr::{Options, format_double};
use crate::format_spec::radix_digits;
use crate::layout::Layout;
use crate::text::Text;
use crate::textbuf::TextBuf;
use crate::vm::{R, Vm};
use pyrite_machine::Value;

struct Args {
    /// The tuple, or null: one value.
    tuple: Value,
    one: Value,
    mapping: bool,
    next: usize,
}

impl Args {
    fn take(&mut self, vm: &mut Vm) -> R {
        let v = if self.tuple.is_some() {
            vm.tuple_items(self.tuple).get(self.next).copied()
        } else {
            (self.next == 0).then_some(self.one)
        };
        self.next += 1;
        v.ok_or_else(|| vm.type_error("not enough arguments for format string"))
    }

    fn all_used(&self, vm: &Vm) -> bool {
        if self.tuple.is_some() {
            self.next >= vm.tuple_len(self.tuple)
        } else {
            self.next > 0 || self.mapping
        }
    }
}

#[derive(Default)]
struct Flags {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zero: bool,
}

/// `fmt % args`; `bytes`: the rules of bytes formats.
pub fn format(vm: &mut Vm, fmt: Text<'_>, args: Value, bytes: bool) -> R<TextBuf> {
    let class = vm.class_of(args);
    let tuple = vm.as_tuple(args);
    let mut arg = Args {
        tuple: tuple.unwrap_or(Value::NULL),
        one: args,
        mapping: tuple.is_none()
            && !matches!(
                vm.layout_of(args),
                Layout::Str | Layout::StrSub | Layout::Bytes | Layout::BytesSub | Layout::ByteArray
            )
            && vm.lookup(class, vm.names.getitem).is_some(),
        next: 0,
    };
    let mut out = TextBuf::new();
    let n = fmt.len();
    let mut i = 0;
    while i < n {
        let start = i;
        while i < n && fmt.at(i) != 0x25 {
            i += 1;
        }
        out.push_text(fmt.slice(start..i));
        if i == n {
            break;
        }
        i += 1;
        one(vm, fmt, &mut i, &mut arg, &mut out, bytes)?;
    }
    if !arg.all_used(vm) {
        let m = if bytes {
            "not all arguments converted during bytes formatting"
        } else {
            "not all arguments converted during string formatting"
        };
        return Err(vm.type_error(m));
    }
    Ok(out)
}

/// A number in the format, or `*`.
fn count(vm: &mut Vm, fmt: Text<'_>, i: &mut usize, arg: &mut Args, what: &str) -> R<Option<i64>> {
    if *i < fmt.len() && fmt.at(*i) == 0x2A {
        *i += 1;
        let v = arg.take(vm)?;
        if !vm.is_int(v) {
            return Err(vm.type_error("* wants int"));
        }
        return match vm.int_to_i64(v) {
            Some(n) if what == "width" || i32::try_from(n).is_ok() => Ok(Some(n)),
            _ => Err(vm.overflow_error("Python int too large to convert to C int")),
        };
    }
    let start = *i;
    let mut n = 0i64;
    while *i < fmt.len() && (0x30..0x3A).contains(&fmt.at(*i)) {
        n = n * 10 + i64::from(fmt.at(*i) - 0x30);
        if n > i64::from(i32::MAX) {
            return Err(vm.value_error(&format!("{what} too big")));
        }
        *i += 1;
    }
    Ok((*i > start).then_some(n))
}

/// One conversion; `i` is behind the percent sign.
fn one(
    vm: &mut Vm,
    fmt: Text<'_>,
    i: &mut usize,
    arg: &mut Args,
    out: &mut TextBuf,
    bytes: bool,
) -> R<()> {
    let n = fmt.len();
    if *i < n && fmt.at(*i) == 0x25 {
        *i += 1;
        out.push(0x25);
        return Ok(());
    }
    let mut value = Value::NULL;
    if *i < n && fmt.at(*i) == 0x28 {
        if !arg.mapping {
            return Err(vm.type_error("format requires a mapping"));
        }
        let start = *i + 1;
        let mut depth = 1;
        *i += 1;
        while *i < n && depth > 0 {
            match fmt.at(*i) {
                0x28 => depth += 1,
                0x29 => depth -= 1,
                _ => {}
            }
            *i += 1;
        }
        if depth > 0 {
            return Err(vm.value_error("incomplete format key"));
        }
        let key = fmt.slice(start..*i - 1);
        let key = match key {
            Text::One(b) if bytes => vm.new_bytes(b),
            k => vm.new_str_text(k),
        };
        value = vm.getitem(arg.one, key)?;
        // From here on the mapping counts as used.
        arg.next = arg.next.max(1);
    }
    let mut f = Flags::default();
    while *i < n {
        match fmt.at(*i) {
            0x2D => f.left = true,
            0x2B => f.plus = true,
            0x20 => f.space = true,
            0x23 => f.alternate = true,
            0x30 => f.zero = true,
            _ => break,
        }
        *i += 1;
    }
    let mut width = count(vm, fmt, i, arg, "width")?.unwrap_or(0);
    if width < 0 {
        f.left = true;
        width = -width;
    }
    let mut precision = None;
    if *i < n && fmt.at(*i) == 0x2E {
        *i += 1;
        precision = Some(count(vm, fmt, i, arg, "precision")?.unwrap_or(0).max(0) as usize);
    }
    if *i < n && matches!(fmt.at(*i), 0x68 | 0x6C | 0x4C) {
        *i += 1;
    }
    if *i == n {
        return Err(vm.value_error("incomplete format"));
    }
    let c = fmt.at(*i);
    *i += 1;
    if value.is_null() {
        value = arg.take(vm)?;
    }
    let v = value;
    let cut = |t: Text<'static>| match precision {
        Some(p) if p < t.len() => t.slice(0..p),
        _ => t,
    };
    let width = width as usize;
    let code = u8::try_from(c).unwrap_or(0);
    match code {
        b's' | b'b' if bytes => {
            let held;
            let b = match vm.buffer(v) {
                Some(b) => b,
                None => {
                    let name = vm.names.bytes;
                    let r = vm.call_special(v, name, &[])?;
                    match r.and_then(|r| vm.as_bytes(r)) {
                        Some(r) => {
                            held = r;
                            vm.bytes(held)
                        }
                        None => {
                            let m = format!(
                                "%b requires a bytes-like object, or an object that implements __bytes__, not '{}'",
                                vm.class_name(v)
                            );
                            return Err(vm.type_error(&m));
                        }
                    }
                }
            };
            pad(out, cut(Text::One(b)), width, &f);
        }
        b's' => {
            let s = vm.str(v)?;
            let s = vm.as_str(s).unwrap_or(s);
            pad(out, cut(vm.text(s)), width, &f);
        }
        b'r' | b'a' => {
            let mut s = vm.repr(v)?;
            if code == b'a' || bytes {
                s = crate::misc::ascii(vm, s);
            }
            pad(out, cut(vm.text(s)), width, &f);
        }
        b'c' => {
            let c = character(vm, v, bytes)?;
            pad(out, Text::Four(&[c]), width, &f);
        }
        b'd' | b'i' | b'u' | b'o' | b'x' | b'X' => {
            let v = integer(vm, v, code)?;
            let (text, prefix) = match code {
                b'o' => (radix_digits(vm, v, 8), "0o"),
                b'x' => (radix_digits(vm, v, 16), "0x"),
                b'X' => (radix_digits(vm, v, 16).to_ascii_uppercase(), "0X"),
                _ => (vm.int_to_text(v)?, ""),
            };
            let digits = text.strip_prefix('-');
            let negative = digits.is_some();
            let digits = digits.unwrap_or(&text);
            let zeros = precision.unwrap_or(0).saturating_sub(digits.len());
            let digits = format!("{}{digits}", "0".repeat(zeros));
            let prefix = if f.alternate { prefix } else { "" };
            number(out, negative, prefix, &digits, width, &f);
        }
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => {
            let x = match vm.as_float(v) {
                Some(x) => x,
                None => {
                    let class = vm.class_of(v);
                    let (p, q) = (vm.names.float, vm.names.index);
                    if !vm.is_int(v)
                        && vm.lookup(class, p).is_null()
                        && vm.lookup(class, q).is_null()
                    {
                        let m = if bytes {
                            format!("float argument required, not {}", vm.type_name(class))
                        } else {
                            format!("must be real number, not {}", vm.type_name(class))
                        };
                        return Err(vm.type_error(&m));
                    }
                    vm.number_to_f64(v)?
                }
            };
            let o = Options {
                alternate: f.alternate,
                ..Options::default()
            };
            let text = format_double(x, code, precision.unwrap_or(6), o);
            let digits = text.strip_prefix('-');
            number(
                out,
                digits.is_some(),
                "",
                digits.unwrap_or(&text),
                width,
                &f,
            );
        }
        _ => {
            let shown = match c {
                0x20..=0x7E => char::from_u32(c).unwrap_or('?'),
                _ => '?',
            };
            let m = format!(
                "unsupported format character '{shown}' (0x{c:x}) at index {}",
                *i - 1
            );
            return Err(vm.value_error(&m));
        }
    }
    Ok(())
}

fn pad(out: &mut TextBuf, t: Text<'_>, width: usize, f: &Flags) {
    let n = width.saturating_sub(t.len());
    if !f.left {
        out.fill(0x20, n);
    }
    out.push_text(t);
    if f.left {
        out.fill(0x20, n);
    }
}

fn number(out: &mut TextBuf, negative: bool, prefix: &str, digits: &str, width: usize, f: &Flags) {
    let sign = match (negative, f.plus, f.space) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    };
    let n = width.saturating_sub(sign.len() + prefix.len() + digits.len());
    let zero = f.zero && !f.left;
    if !zero && !f.left {
        out.fill(0x20, n);
    }
    out.push_str(sign);
    out.push_str(prefix);
    if zero {
        out.fill(0x30, n);
    }
    out.push_str(digits);
    if f.left {
        out.fill(0x20, n);
    }
}

/// The exact int that `%d`, `%x` and the like print.
fn integer(vm: &mut Vm, v: Value, code: u8) -> R {
    if let Some(i) = vm.as_int(v) {
        return Ok(i);
    }
    let class = vm.class_of(v);
    let decimal = matches!(code, b'd' | b'i' | b'u');
    if decimal && (vm.as_float(v).is_some() || vm.lookup(class, vm.names.int).is_some()) {
        let r = crate::int_type::number_to_int(vm, v)?;
        return Ok(vm.as_int(r).unwrap_or(r));
    }
    if vm.lookup(class, vm.names.index).is_some() {
        return vm.index(v);
    }
    let what = if decimal {
        "a real number"
    } else {
        "an integer"
    };
    let m = format!(
        "%{} format: {what} is required, not {}",
        code as char,
        vm.type_name(class)
    );
    Err(vm.type_error(&m))
}

fn character(vm: &mut Vm, v: Value, bytes: bool) -> R<u32> {
    if bytes {
        if let Some(&[c]) = vm.buffer(v) {
            return Ok(c.into());
        }
        if vm.is_int(v) {
            return match vm.int_to_i64(v) {
                Some(c @ 0..=255) => Ok(c as u32),
                _ => Err(vm.overflow_error("%c arg not in range(256)")),
            };
        }
        return Err(vm.type_error("%c requires an integer in range(256) or a single byte"));
    }
    if let Some(s) = vm.as_str(v) {
        let t = vm.text(s);
        if t.len() == 1 {
            return Ok(t.at(0));
        }
        return Err(vm.type_error("%c requires int or char"));
    }
    let class = vm.class_of(v);
    if !vm.is_int(v) && vm.lookup(class, vm.names.index).is_null() {
        return Err(vm.type_error("%c requires int or char"));
    }
    let i = vm.index(v)?;
    match vm.int_to_i64(i) {
        Some(c @ 0..=0x10_FFFF) => Ok(c as u32),
        _ => Err(vm.overflow_error("%c arg not in range(0x110000)")),
    }
}
