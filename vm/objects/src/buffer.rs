//! Access to the bytes of whatever has some.

use crate::layout::{Gc, Layout, PyByteArray, Raw};
use crate::shape::shape_of;
use crate::vm::{R, Vm};
use pyrite_machine::Value;

/// How a class's instances export their bytes; subclasses inherit it.
pub struct BufferDef {
    /// The content now.
    pub export: fn(&Vm, Value) -> Exported,
    /// Told +1 for each view made, -1 for each released.
    pub count: fn(&mut Vm, Value, i64),
}

/// Exported bytes, good until the object may change or move.
#[derive(Clone, Copy, Debug)]
pub struct Exported {
    pub data: *mut u8,
    pub len: usize,
    pub readonly: bool,
    pub itemsize: usize,
    /// What the items are, in the words of the `struct` module.
    pub format: &'static str,
}

impl Vm {
    /// What an object exports; `None` if it is not bytes-like.
    pub fn exported(&self, v: Value) -> Option<Exported> {
        if !v.is_ptr() {
            return None;
        }
        let bytes = |b: &[u8], readonly| Exported {
            data: b.as_ptr().cast_mut(),
            len: b.len(),
            readonly,
            itemsize: 1,
            format: "B",
        };
        match shape_of(v).layout {
            Layout::Bytes | Layout::BytesSub => {
                self.as_bytes(v).map(|b| bytes(self.bytes(b), true))
            }
            Layout::ByteArray => Some(bytes(self.bytearray(v), false)),
            Layout::MemoryView => self.memoryview_exported(v),
            _ => self
                .type_data(self.class_of(v))
                .buffer
                .map(|d| (d.export)(self, v)),
        }
    }

    /// A view of `v` was made (`delta` 1) or released (-1).
    pub(crate) fn count_export(&mut self, v: Value, delta: i64) {
        match shape_of(v).layout {
            Layout::ByteArray => {
                let b = Gc::<PyByteArray>::from_value(v);
                b.exports
                    .set((b.exports.get() as i64 + delta).max(0) as usize);
            }
            Layout::Bytes | Layout::BytesSub => {}
            _ => {
                if let Some(d) = self.type_data(self.class_of(v)).buffer {
                    (d.count)(self, v, delta);
                }
            }
        }
    }

    /// The bytes of a bytes-like object; `None` for anything else, and for a
    /// view whose bytes are not one behind the other. Those of an object that can
    /// be written to stay good only until it may change.
    pub fn buffer(&self, v: Value) -> Option<&'static [u8]> {
        let e = self.exported(v)?;
        // SAFETY: the exporter says so.
        Some(unsafe { std::slice::from_raw_parts(e.data, e.len) })
    }

    /// The bytes of an object that can be written to; `None` for anything else.
    /// Good until the object may change; nothing may allocate on the heap
    /// meanwhile.
    pub fn buffer_mut(&self, v: Value) -> Option<&'static mut [u8]> {
        let e = self.exported(v)?;
        if e.readonly {
            return None;
        }
        // SAFETY: the exporter says so; one thread at a time holds the VM.
        Some(unsafe { std::slice::from_raw_parts_mut(e.data, e.len) })
    }

    /// Fails if views keep a `bytearray` from changing its size.
    ///
    /// # Errors
    /// BufferError.
    pub fn bytearray_resizable(&mut self, v: Value) -> R<()> {
        if self.bytearray_locked(v) {
            return Err(self.buffer_error("Existing exports of data: object cannot be re-sized"));
        }
        Ok(())
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
