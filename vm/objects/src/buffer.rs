//! Access to the bytes of whatever has some.

use crate::layout::{Gc, Layout, PyByteArray, Raw};
use crate::shape::shape_of;
use crate::vm::Vm;
use pyrite_machine::Value;

impl Vm {
    /// The bytes of a `bytes` or `bytearray` object; `None` for anything else. A
    /// bytearray's stay good only until it may change.
    pub fn buffer(&self, v: Value) -> Option<&'static [u8]> {
        if !v.is_ptr() {
            return None;
        }
        match shape_of(v).layout {
            Layout::Bytes | Layout::BytesSub => self.as_bytes(v).map(|b| self.bytes(b)),
            Layout::ByteArray => Some(self.bytearray(v)),
            _ => None,
        }
    }

    /// Content of a `bytearray`, good until it may change.
    pub fn bytearray(&self, v: Value) -> &'static [u8] {
        let b = Gc::<PyByteArray>::from_value(v);
        if b.data.get().is_null() {
            return &[];
        }
        let p = Gc::<Raw>::from_value(b.data.get()).bytes();
        // SAFETY: `len` bytes of the storage are in use.
        unsafe { std::slice::from_raw_parts(p, b.len.get()) }
    }

    /// Replaces the content of a `bytearray`.
    pub fn bytearray_set(&mut self, v: Value, content: &[u8]) {
        let cap = self.bytearray_cap(v);
        if content.len() > cap {
            let raw = self.new_raw(content.len() + content.len() / 8 + 8);
            self.store_word(v, 3, raw.value());
        }
        let b = Gc::<PyByteArray>::from_value(v);
        if !content.is_empty() {
            let p = Gc::<Raw>::from_value(b.data.get()).bytes();
            // SAFETY: the storage has room for the content, which may overlap it.
            unsafe { std::ptr::copy(content.as_ptr(), p, content.len()) };
        }
        b.len.set(content.len());
    }

    /// Adds a byte to a `bytearray`.
    pub fn bytearray_push(&mut self, v: Value, c: u8) {
        let b = Gc::<PyByteArray>::from_value(v);
        let n = b.len.get();
        if n == self.bytearray_cap(v) {
            let raw = self.new_raw(n + n / 8 + 16);
            let old = self.bytearray(v);
            // SAFETY: the new storage is larger than the old content.
            unsafe { std::ptr::copy_nonoverlapping(old.as_ptr(), raw.bytes(), n) };
            self.store_word(v, 3, raw.value());
        }
        let p = Gc::<Raw>::from_value(b.data.get()).bytes();
        // SAFETY: there is room for one more.
        unsafe { p.add(n).write(c) };
        b.len.set(n + 1);
    }

    /// Sets byte `i`, which exists.
    pub fn bytearray_put(&mut self, v: Value, i: usize, c: u8) {
        let b = Gc::<PyByteArray>::from_value(v);
        assert!(i < b.len.get(), "the caller checked the index");
        let p = Gc::<Raw>::from_value(b.data.get()).bytes();
        // SAFETY: within the content.
        unsafe { p.add(i).write(c) };
    }

    fn bytearray_cap(&self, v: Value) -> usize {
        let data = Gc::<PyByteArray>::from_value(v).data.get();
        if data.is_null() {
            0
        } else {
            Gc::<Raw>::from_value(data).len.get()
        }
    }
}
