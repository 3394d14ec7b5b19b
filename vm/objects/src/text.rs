//! `str` and `bytes` storage: construction, access, hashing, interning.
//!
//! Text is stored one, two or four bytes per code point, whichever the largest
//! one needs, so an index is one load. Lone surrogates are allowed, as in
//! Python.

use crate::layout::{BYTES_WORDS, Gc, Layout, PyBytes, PyStr, STR_WORDS, kind};
use crate::shape::shape_of;
use crate::vm::Vm;
use pyrite_machine::Value;
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// A string's content, by storage width.
#[derive(Clone, Copy)]
pub enum Text<'a> {
    One(&'a [u8]),
    Two(&'a [u16]),
    Four(&'a [u32]),
}

impl<'a> Text<'a> {
    /// Code points.
    #[inline]
    pub fn len(self) -> usize {
        match self {
            Text::One(s) => s.len(),
            Text::Two(s) => s.len(),
            Text::Four(s) => s.len(),
        }
    }

    /// True for the empty text.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Code point `i`.
    #[inline]
    pub fn at(self, i: usize) -> u32 {
        match self {
            Text::One(s) => s[i].into(),
            Text::Two(s) => s[i].into(),
            Text::Four(s) => s[i],
        }
    }

    /// All code points.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = u32> + ExactSizeIterator + Clone + 'a {
        (0..self.len()).map(move |i| self.at(i))
    }

    /// Part of it.
    pub fn slice(self, r: std::ops::Range<usize>) -> Text<'a> {
        match self {
            Text::One(s) => Text::One(&s[r]),
            Text::Two(s) => Text::Two(&s[r]),
            Text::Four(s) => Text::Four(&s[r]),
        }
    }

    /// The bytes as they are stored.
    pub fn raw(self) -> &'a [u8] {
        // SAFETY: plain integers seen as bytes.
        unsafe {
            match self {
                Text::One(s) => s,
                Text::Two(s) => std::slice::from_raw_parts(s.as_ptr().cast(), s.len() * 2),
                Text::Four(s) => std::slice::from_raw_parts(s.as_ptr().cast(), s.len() * 4),
            }
        }
    }

    /// As a Rust string; lone surrogates become U+FFFD.
    pub fn to_string_lossy(self) -> String {
        match self {
            Text::One(s) if s.is_ascii() => String::from_utf8(s.to_vec()).unwrap_or_default(),
            _ => self
                .iter()
                .map(|c| char::from_u32(c).unwrap_or('\u{fffd}'))
                .collect(),
        }
    }
}

/// Order of two texts, code point by code point.
pub fn compare(a: Text<'_>, b: Text<'_>) -> std::cmp::Ordering {
    match (a, b) {
        (Text::One(x), Text::One(y)) => x.cmp(y),
        (Text::Two(x), Text::Two(y)) => x.cmp(y),
        (Text::Four(x), Text::Four(y)) => x.cmp(y),
        _ => a.iter().cmp(b.iter()),
    }
}

impl Vm {
    fn alloc_str(&mut self, len: usize, width: u8) -> Gc<PyStr> {
        let words = STR_WORDS + (len * width as usize).div_ceil(8);
        let shape = self.root_shape(self.types.str_).id();
        let s: Gc<PyStr> = Gc::from_raw(self.alloc_words(kind::STR, words, shape).cast());
        s.len.set(len);
        s.width.set(width);
        s
    }

    /// A string from Rust text.
    pub fn new_str(&mut self, text: &str) -> Value {
        if text.is_ascii() {
            return self.new_str_latin1(text.as_bytes());
        }
        let points: Vec<u32> = text.chars().map(|c| c as u32).collect();
        self.new_str_points(&points)
    }

    /// A string of code points below U+0100.
    pub fn new_str_latin1(&mut self, text: &[u8]) -> Value {
        match text {
            [] if self.empty_str.is_some() => return self.empty_str,
            [c] if self.latin1[*c as usize].is_some() => return self.latin1[*c as usize],
            _ => {}
        }
        let s = self.alloc_str(text.len(), 1);
        // SAFETY: the object was made with room for that many bytes.
        unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), str_data(s), text.len()) };
        s.value()
    }

    /// A string from code points, in the narrowest storage.
    pub fn new_str_points(&mut self, text: &[u32]) -> Value {
        let max = text.iter().copied().max().unwrap_or(0);
        if max < 0x100 {
            let bytes: Vec<u8> = text.iter().map(|&c| c as u8).collect();
            return self.new_str_latin1(&bytes);
        }
        if max < 0x10000 {
            let s = self.alloc_str(text.len(), 2);
            for (i, &c) in text.iter().enumerate() {
                // SAFETY: within the object; the text is 2-aligned.
                unsafe { str_data(s).cast::<u16>().add(i).write(c as u16) };
            }
            return s.value();
        }
        let s = self.alloc_str(text.len(), 4);
        // SAFETY: within the object; the text is 8-aligned.
        unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), str_data(s).cast(), text.len()) };
        s.value()
    }

    /// A string from one code point.
    pub fn new_str_char(&mut self, c: u32) -> Value {
        if c < 0x100 {
            self.new_str_latin1(&[c as u8])
        } else {
            self.new_str_points(&[c])
        }
    }

    /// A copy of part of a text, in the narrowest storage.
    pub fn new_str_text(&mut self, t: Text<'_>) -> Value {
        match t {
            Text::One(s) => self.new_str_latin1(s),
            Text::Two(s) => {
                if s.iter().all(|&c| c < 0x100) {
                    let b: Vec<u8> = s.iter().map(|&c| c as u8).collect();
                    return self.new_str_latin1(&b);
                }
                let n = self.alloc_str(s.len(), 2);
                // SAFETY: within the object just made.
                unsafe { std::ptr::copy_nonoverlapping(s.as_ptr(), str_data(n).cast(), s.len()) };
                n.value()
            }
            Text::Four(s) => self.new_str_points(s),
        }
    }

    /// The string behind a `str` or an instance of a subclass.
    #[inline(always)]
    pub fn as_str(&self, v: Value) -> Option<Value> {
        if !v.is_ptr() {
            return None;
        }
        match shape_of(v).layout {
            Layout::Str => Some(v),
            Layout::StrSub => Some(crate::numbers::inner(v)),
            _ => None,
        }
    }

    /// True for `str` and its subclasses.
    #[inline(always)]
    pub fn is_str(&self, v: Value) -> bool {
        v.is_ptr() && matches!(shape_of(v).layout, Layout::Str | Layout::StrSub)
    }

    /// Content of a string (an exact one; see [`Vm::as_str`]). Stays valid while
    /// the caller holds the value, since that pins it.
    #[inline]
    pub fn text(&self, s: Value) -> Text<'static> {
        let s = Gc::<PyStr>::from_value(s);
        let (p, n) = (str_data(s), s.len.get());
        // SAFETY: `len` code points of `width` bytes follow the header words, and
        // never change.
        unsafe {
            match s.width.get() {
                1 => Text::One(std::slice::from_raw_parts(p, n)),
                2 => Text::Two(std::slice::from_raw_parts(p.cast(), n)),
                _ => Text::Four(std::slice::from_raw_parts(p.cast(), n)),
            }
        }
    }

    /// Content of a `str` as a Rust string (subclasses too; anything else: empty).
    pub fn str_to_string(&self, s: Value) -> String {
        match self.as_str(s) {
            Some(s) => self.text(s).to_string_lossy(),
            None => String::new(),
        }
    }

    /// True if a string's content equals Rust text.
    pub fn str_is(&self, s: Value, text: &str) -> bool {
        match self.as_str(s).map(|s| self.text(s)) {
            Some(Text::One(b)) if text.is_ascii() => b == text.as_bytes(),
            Some(t) => t.iter().eq(text.chars().map(|c| c as u32)),
            None => false,
        }
    }

    /// Equality of two exact strings.
    #[inline]
    pub fn str_eq(&self, a: Value, b: Value) -> bool {
        if a == b {
            return true;
        }
        let (x, y) = (Gc::<PyStr>::from_value(a), Gc::<PyStr>::from_value(b));
        x.len.get() == y.len.get()
            && x.width.get() == y.width.get()
            && self.text(a).raw() == self.text(b).raw()
    }

    /// Character `i` of a string as a string, if it lies below U+0100; else null.
    #[inline]
    pub fn str_char(&self, s: Value, i: i64) -> Value {
        let text = self.text(s);
        let (n, raw) = (text.len(), text.raw());
        let i = if i < 0 { i + n as i64 } else { i };
        if i < 0 || i as usize >= n {
            return Value::NULL;
        }
        let c = if raw.len() == n {
            u32::from(raw[i as usize])
        } else {
            text.at(i as usize)
        };
        self.latin1.get(c as usize).copied().unwrap_or(Value::NULL)
    }

    /// Hash of an exact string; never -1, and 0 only for the empty one.
    #[inline]
    pub fn str_hash(&self, s: Value) -> i64 {
        let p = Gc::<PyStr>::from_value(s);
        if p.hash.get() == 0 {
            p.hash.set(self.hash_bytes(self.text(s).raw()) as u64);
        }
        p.hash.get() as i64
    }

    /// SipHash-1-3 of bytes with the process's key, as CPython hashes them.
    pub fn hash_bytes(&self, b: &[u8]) -> i64 {
        if b.is_empty() {
            return 0;
        }
        let mut h = SipHasher13::new_with_keys(self.hash_key.0, self.hash_key.1);
        h.write(b);
        match h.finish() as i64 {
            -1 => -2,
            0 => 1,
            h => h,
        }
    }

    /// The interned string with this text.
    pub fn intern(&mut self, text: &str) -> Value {
        if let Some(&bits) = self.interned.get(text) {
            return Value::from_bits(bits);
        }
        let s = self.new_str(text);
        self.register_interned(s, text);
        s
    }

    fn register_interned(&mut self, s: Value, text: &str) {
        self.heap_pin(s);
        Gc::<PyStr>::from_value(s).interned.set(true);
        self.interned.insert(text.into(), s.bits());
    }

    /// The interned string with these code points.
    pub fn intern_code_points(&mut self, text: &[u32]) -> Value {
        let as_text: Option<String> = text.iter().map(|&c| char::from_u32(c)).collect();
        match as_text {
            // Long texts are not worth keeping for ever.
            Some(t) if t.len() <= 64 => self.intern(&t),
            Some(t) => self.new_str(&t),
            None => {
                if let Some(&bits) = self.interned_wide.get(text) {
                    return Value::from_bits(bits);
                }
                let s = self.new_str_points(text);
                self.heap_pin(s);
                Gc::<PyStr>::from_value(s).interned.set(true);
                self.interned_wide.insert(text.into(), s.bits());
                s
            }
        }
    }

    /// The interned string equal to `s` (an exact string).
    #[inline]
    pub fn intern_value(&mut self, s: Value) -> Value {
        if Gc::<PyStr>::from_value(s).interned.get() {
            return s;
        }
        let points: Option<String> = self.text(s).iter().map(char::from_u32).collect();
        match points {
            Some(t) => {
                if let Some(&bits) = self.interned.get(t.as_str()) {
                    return Value::from_bits(bits);
                }
                self.register_interned(s, &t);
                s
            }
            None => {
                let points: Vec<u32> = self.text(s).iter().collect();
                self.intern_code_points(&points)
            }
        }
    }

    /// Concatenation of two exact strings.
    pub fn str_concat(&mut self, a: Value, b: Value) -> Value {
        let (x, y) = (self.text(a), self.text(b));
        if x.is_empty() {
            return b;
        }
        if y.is_empty() {
            return a;
        }
        let width = Gc::<PyStr>::from_value(a)
            .width
            .get()
            .max(Gc::<PyStr>::from_value(b).width.get());
        let s = self.alloc_str(x.len() + y.len(), width);
        copy_text(x, str_data(s), width, 0);
        copy_text(y, str_data(s), width, x.len());
        s.value()
    }

    /// Concatenation of many exact strings.
    pub fn str_join(&mut self, parts: &[Value]) -> Value {
        if let [one] = parts {
            return *one;
        }
        let (mut len, mut width) = (0, 1);
        for &p in parts {
            len += self.text(p).len();
            width = width.max(Gc::<PyStr>::from_value(p).width.get());
        }
        if len == 0 {
            return self.empty_str;
        }
        let s = self.alloc_str(len, width);
        let mut at = 0;
        for &p in parts {
            let t = self.text(p);
            copy_text(t, str_data(s), width, at);
            at += t.len();
        }
        s.value()
    }

    /// `bytes` with this content.
    pub fn new_bytes(&mut self, b: &[u8]) -> Value {
        if b.is_empty() && self.empty_bytes.is_some() {
            return self.empty_bytes;
        }
        let words = BYTES_WORDS + b.len().div_ceil(8);
        let shape = self.root_shape(self.types.bytes).id();
        let s: Gc<PyBytes> = Gc::from_raw(self.alloc_words(kind::BYTES, words, shape).cast());
        s.len.set(b.len());
        // SAFETY: the object was made with room for that many bytes.
        unsafe { std::ptr::copy_nonoverlapping(b.as_ptr(), bytes_data(s), b.len()) };
        s.value()
    }

    /// The `bytes` behind a bytes object or an instance of a subclass.
    #[inline]
    pub fn as_bytes(&self, v: Value) -> Option<Value> {
        if !v.is_ptr() {
            return None;
        }
        match shape_of(v).layout {
            Layout::Bytes => Some(v),
            Layout::BytesSub => Some(crate::numbers::inner(v)),
            _ => None,
        }
    }

    /// Content of a `bytes` object (an exact one).
    #[inline]
    pub fn bytes(&self, b: Value) -> &'static [u8] {
        let b = Gc::<PyBytes>::from_value(b);
        // SAFETY: `len` bytes follow and never change while the caller holds `b`.
        unsafe { std::slice::from_raw_parts(bytes_data(b), b.len.get()) }
    }

    /// Keeps an object where it is.
    pub fn heap_pin(&mut self, v: Value) {
        // SAFETY: a pointer value names a live object.
        unsafe { self.heap.pin(v.ptr()) }
    }
}

fn copy_text(t: Text<'_>, to: *mut u8, width: u8, at: usize) {
    // SAFETY: the caller made the target with room for all parts.
    unsafe {
        match (t, width) {
            (Text::One(s), 1) => std::ptr::copy_nonoverlapping(s.as_ptr(), to.add(at), s.len()),
            (Text::Two(s), 2) => {
                std::ptr::copy_nonoverlapping(s.as_ptr(), to.cast::<u16>().add(at), s.len())
            }
            (Text::Four(s), _) => {
                std::ptr::copy_nonoverlapping(s.as_ptr(), to.cast::<u32>().add(at), s.len())
            }
            (t, 2) => {
                for (i, c) in t.iter().enumerate() {
                    to.cast::<u16>().add(at + i).write(c as u16);
                }
            }
            (t, _) => {
                for (i, c) in t.iter().enumerate() {
                    to.cast::<u32>().add(at + i).write(c);
                }
            }
        }
    }
}

#[inline(always)]
fn str_data(s: Gc<PyStr>) -> *mut u8 {
    // SAFETY: the text follows the structure.
    unsafe { s.raw().cast::<u8>().add(STR_WORDS * 8) }
}

#[inline(always)]
fn bytes_data(s: Gc<PyBytes>) -> *mut u8 {
    // SAFETY: the bytes follow the structure.
    unsafe { s.raw().cast::<u8>().add(BYTES_WORDS * 8) }
}
