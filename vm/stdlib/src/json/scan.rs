//! JSON text to objects.

use super::{decode_error, text_argument};
use crate::args::ssize;
use crate::class;
use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, NativeLayout};
use pyrite_objects::native::{NativeDef, def, effects, new_def};
use pyrite_objects::object_layout;
use pyrite_objects::text::Text;
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

object_layout! {
    /// `Scanner`: the options of a `JSONDecoder`.
    Scanner [Library, VALUES] {
        strict: Value,
        object_hook: Value,
        object_pairs_hook: Value,
        parse_float: Value,
        parse_int: Value,
        parse_constant: Value,
    }
}

const FIELDS: [&str; 6] = [
    "strict",
    "object_hook",
    "object_pairs_hook",
    "parse_float",
    "parse_int",
    "parse_constant",
];

static METHODS: [NativeDef; 2] = [
    new_def("($type, context)", effects::ANY, |vm, a| {
        let v = vm.new_instance(Gc::from_value(a[0]));
        for (i, name) in FIELDS.into_iter().enumerate() {
            let mut x = vm.getattr_str(a[1], name)?;
            if i == 0 {
                let strict = vm.truth(x)?;
                x = vm.bool(strict);
            }
            vm.store_word(v, Scanner::WORDS - FIELDS.len() + i, x);
        }
        Ok(v)
    }),
    def("__call__", "($self, string, idx)", effects::ANY, |vm, a| {
        let s = text_argument(vm, a[1])?;
        let at = ssize(vm, a[2])?;
        if at < 0 {
            return Err(vm.value_error("idx cannot be negative"));
        }
        let memo = vm.new_dict();
        let scan = Scan {
            options: Gc::from_value(a[0]),
            source: s,
            text: vm.text(s),
            memo,
        };
        let (v, end) = scan.value(vm, at as usize)?;
        let end = vm.new_int(end as i64);
        Ok(vm.new_tuple(&[v, end]))
    }),
];

/// One scan. It lives on the native stack, where the collector sees its values.
struct Scan {
    options: Gc<Scanner>,
    source: Value,
    text: Text<'static>,
    /// Keys seen so far: equal ones become one object.
    memo: Value,
}

/// What was read, and the index behind it.
type Read = (Value, usize);

impl Scan {
    fn char(&self, i: usize) -> Option<char> {
        if i < self.text.len() {
            char::from_u32(self.text.at(i))
        } else {
            None
        }
    }

    fn skip_space(&self, mut i: usize) -> usize {
        while matches!(self.char(i), Some(' ' | '\t' | '\n' | '\r')) {
            i += 1;
        }
        i
    }

    fn literal(&self, i: usize, word: &str) -> bool {
        word.chars()
            .enumerate()
            .all(|(k, c)| self.char(i + k) == Some(c))
    }

    fn value(&self, vm: &mut Vm, i: usize) -> R<Read> {
        match self.char(i) {
            Some('"') => {
                let strict = self.options.strict.get() == vm.true_;
                string(vm, self.source, i + 1, strict)
            }
            Some('{') => {
                vm.enter_native()?;
                self.object(vm, i + 1)
            }
            Some('[') => {
                vm.enter_native()?;
                self.array(vm, i + 1)
            }
            Some('n') if self.literal(i, "null") => Ok((vm.none, i + 4)),
            Some('t') if self.literal(i, "true") => Ok((vm.true_, i + 4)),
            Some('f') if self.literal(i, "false") => Ok((vm.false_, i + 5)),
            Some('N') if self.literal(i, "NaN") => self.constant(vm, i, "NaN"),
            Some('I') if self.literal(i, "Infinity") => self.constant(vm, i, "Infinity"),
            Some('-') if self.literal(i, "-Infinity") => self.constant(vm, i, "-Infinity"),
            Some(_) => self.number(vm, i),
            None if i < self.text.len() => self.number(vm, i),
            None => self.nothing(vm, i),
        }
    }

    /// No value begins at `i`.
    fn nothing(&self, vm: &mut Vm, i: usize) -> R<Read> {
        let i = vm.new_int(i as i64);
        Err(vm.stop_iteration(i))
    }

    fn constant(&self, vm: &mut Vm, i: usize, name: &str) -> R<Read> {
        let s = vm.new_str(name);
        let v = vm.call(self.options.parse_constant.get(), &[s])?;
        Ok((v, i + name.len()))
    }

    fn digits(&self, mut i: usize) -> usize {
        while matches!(self.char(i), Some('0'..='9')) {
            i += 1;
        }
        i
    }

    fn number(&self, vm: &mut Vm, start: usize) -> R<Read> {
        let mut i = start;
        if self.char(i) == Some('-') {
            i += 1;
        }
        match self.char(i) {
            Some('0') => i += 1,
            Some('1'..='9') => i = self.digits(i),
            _ => return self.nothing(vm, start),
        }
        let mut float = false;
        if self.char(i) == Some('.') && self.digits(i + 1) > i + 1 {
            i = self.digits(i + 1);
            float = true;
        }
        if matches!(self.char(i), Some('e' | 'E')) {
            let sign = usize::from(matches!(self.char(i + 1), Some('+' | '-')));
            let end = self.digits(i + 1 + sign);
            if end > i + 1 + sign {
                i = end;
                float = true;
            }
        }
        let text: String = (start..i).filter_map(|k| self.char(k)).collect();
        let (f, plain) = if float {
            let f = self.options.parse_float.get();
            (f, f == vm.types.float.value())
        } else {
            let f = self.options.parse_int.get();
            (f, f == vm.types.int.value())
        };
        if plain
            && float
            && let Ok(x) = text.parse::<f64>()
        {
            return Ok((Value::float(x), i));
        }
        if plain
            && !float
            && let Ok(x) = text.parse::<i64>()
        {
            return Ok((vm.new_int(x), i));
        }
        let s = vm.new_str(&text);
        Ok((vm.call(f, &[s])?, i))
    }

    fn array(&self, vm: &mut Vm, i: usize) -> R<Read> {
        let list = vm.new_list(&[]);
        let mut i = self.skip_space(i);
        if self.char(i) == Some(']') {
            return Ok((list, i + 1));
        }
        loop {
            let (v, end) = self.value(vm, i)?;
            vm.list_append(list, v);
            i = self.skip_space(end);
            match self.char(i) {
                Some(']') => return Ok((list, i + 1)),
                Some(',') => i = self.skip_space(i + 1),
                _ => return Err(decode_error(vm, "Expecting ',' delimiter", self.source, i)),
            }
        }
    }

    fn object(&self, vm: &mut Vm, i: usize) -> R<Read> {
        const NAME: &str = "Expecting property name enclosed in double quotes";
        let (hook, pairs_hook) = (
            self.options.object_hook.get(),
            self.options.object_pairs_hook.get(),
        );
        let paired = pairs_hook != vm.none;
        let out = if paired {
            vm.new_list(&[])
        } else {
            vm.new_dict()
        };
        let strict = self.options.strict.get() == vm.true_;
        let mut i = self.skip_space(i);
        if self.char(i) != Some('}') {
            loop {
                if self.char(i) != Some('"') {
                    return Err(decode_error(vm, NAME, self.source, i));
                }
                let (key, end) = string(vm, self.source, i + 1, strict)?;
                let key = vm.dict_setdefault(self.memo, key, key)?;
                i = self.skip_space(end);
                if self.char(i) != Some(':') {
                    let m = "Expecting ':' delimiter";
                    return Err(decode_error(vm, m, self.source, i));
                }
                let (v, end) = self.value(vm, self.skip_space(i + 1))?;
                if paired {
                    let pair = vm.new_tuple(&[key, v]);
                    vm.list_append(out, pair);
                } else {
                    vm.dict_set(out, key, v)?;
                }
                i = self.skip_space(end);
                match self.char(i) {
                    Some('}') => break,
                    Some(',') => i = self.skip_space(i + 1),
                    _ => {
                        let m = "Expecting ',' delimiter";
                        return Err(decode_error(vm, m, self.source, i));
                    }
                }
            }
        }
        let v = if paired {
            vm.call(pairs_hook, &[out])?
        } else if hook != vm.none {
            vm.call(hook, &[out])?
        } else {
            out
        };
        Ok((v, i + 1))
    }
}

/// `scanstring(string, end, strict=True)`
pub(super) fn scanstring(vm: &mut Vm, a: &[Value]) -> R {
    let end = ssize(vm, a[1])?;
    let s = text_argument(vm, a[0])?;
    let strict = a[2].is_null() || vm.truth(a[2])?;
    if end < 0 || end as usize > vm.text(s).len() {
        return Err(vm.value_error("end is out of bounds"));
    }
    let (v, end) = string(vm, s, end as usize, strict)?;
    let end = vm.new_int(end as i64);
    Ok(vm.new_tuple(&[v, end]))
}

/// The four digits of a `\u` escape that begin at `i`.
fn hex4(text: Text<'_>, i: usize) -> Option<u32> {
    if i + 4 > text.len() {
        return None;
    }
    (i..i + 4).try_fold(0, |n, k| {
        Some(n << 4 | char::from_u32(text.at(k))?.to_digit(16)?)
    })
}

/// The string whose opening quote is in front of `start`.
fn string(vm: &mut Vm, source: Value, start: usize, strict: bool) -> R<Read> {
    const UNTERMINATED: &str = "Unterminated string starting at";
    const BAD_HEX: &str = "Invalid \\uXXXX escape";
    let text = vm.text(source);
    let n = text.len();
    let mut out: Vec<u32> = Vec::new();
    let mut i = start;
    loop {
        let from = i;
        while i < n && !matches!(text.at(i), 0x22 | 0x5c) {
            if text.at(i) <= 0x1f && strict {
                return Err(decode_error(vm, "Invalid control character at", source, i));
            }
            i += 1;
        }
        if i >= n {
            return Err(decode_error(vm, UNTERMINATED, source, start - 1));
        }
        if text.at(i) == 0x22 {
            if out.is_empty() {
                return Ok((vm.new_str_text(text.slice(from..i)), i + 1));
            }
            out.extend(text.slice(from..i).iter());
            return Ok((vm.new_str_points(&out), i + 1));
        }
        out.extend(text.slice(from..i).iter());
        i += 1;
        if i >= n {
            return Err(decode_error(vm, UNTERMINATED, source, start - 1));
        }
        let c = match char::from_u32(text.at(i)) {
            Some(c @ ('"' | '\\' | '/')) => c as u32,
            Some('b') => 8,
            Some('f') => 12,
            Some('n') => 10,
            Some('r') => 13,
            Some('t') => 9,
            Some('u') => {
                // The closing quote must still follow the digits.
                let digits = if i + 5 < n { hex4(text, i + 1) } else { None };
                let Some(mut c) = digits else {
                    return Err(decode_error(vm, BAD_HEX, source, i));
                };
                i += 4;
                let pair = i + 7 < n && text.at(i + 1) == 0x5c && text.at(i + 2) == 0x75;
                if (0xd800..0xdc00).contains(&c) && pair {
                    let Some(low) = hex4(text, i + 3) else {
                        return Err(decode_error(vm, BAD_HEX, source, i + 2));
                    };
                    if (0xdc00..0xe000).contains(&low) {
                        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                        i += 6;
                    }
                }
                c
            }
            _ => return Err(decode_error(vm, "Invalid \\escape", source, i - 1)),
        };
        out.push(c);
        i += 1;
    }
}

/// Adds the class to the module.
pub(super) fn make(vm: &mut Vm, m: Value) {
    let t = class(
        vm,
        m,
        &TypeDef {
            module: "_json",
            base_type: true,
            methods: &METHODS,
            ..TypeDef::of::<Scanner>("Scanner", Layout::Library)
        },
    );
    for (i, name) in FIELDS.into_iter().enumerate() {
        let key = vm.intern(name);
        let offset = Scanner::WORDS - FIELDS.len() + i;
        let member = vm.new_member(key, t, offset, true);
        vm.type_set(t, name, member);
    }
    let key = vm.intern("Scanner");
    vm.dict_remove_str(crate::namespace(m), key);
    crate::set(vm, m, "make_scanner", t.value());
}
