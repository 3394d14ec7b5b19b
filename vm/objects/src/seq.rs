//! Tuples and lists: construction and access from Rust.

use crate::feed::{Fed, Feed, Loop};
use crate::layout::{Array, Gc, Layout, PyList, PyTuple, kind};
use crate::shape::shape_of;
use crate::vm::{R, Vm};
use pyrite_machine::Value;

impl Vm {
    /// A tuple of `n` unset items; set each with [`Vm::tuple_init`] before Python sees it.
    pub fn new_tuple_uninit(&mut self, n: usize) -> Value {
        if n == 0 && self.empty_tuple.is_some() {
            return self.empty_tuple;
        }
        let shape = self.root_shape(self.types.tuple).id();
        let t: Gc<PyTuple> = Gc::from_raw(self.alloc_words(kind::ARRAY, 2 + n, shape).cast());
        t.len.set(n);
        t.value()
    }

    /// Sets item `i` of a tuple under construction.
    #[inline(always)]
    pub fn tuple_init(&mut self, t: Value, i: usize, v: Value) {
        // SAFETY: callers index within the tuple they made.
        unsafe { t.ptr().add(2 + i).write(v.bits()) };
        self.write_barrier(t);
    }

    /// A tuple of these items.
    pub fn new_tuple(&mut self, items: &[Value]) -> Value {
        let t = self.new_tuple_uninit(items.len());
        for (i, &v) in items.iter().enumerate() {
            self.tuple_init(t, i, v);
        }
        t
    }

    /// The tuple behind a tuple or an instance of a subclass.
    #[inline(always)]
    pub fn as_tuple(&self, v: Value) -> Option<Value> {
        if !v.is_ptr() {
            return None;
        }
        match shape_of(v).layout {
            Layout::Tuple => Some(v),
            Layout::TupleSub => Some(crate::numbers::inner(v)),
            _ => None,
        }
    }

    /// Items of a tuple (an exact one; see [`Vm::as_tuple`]). The slice stays
    /// valid across allocations, since the caller's `t` pins it.
    #[inline(always)]
    pub fn tuple_items(&self, t: Value) -> &'static [Value] {
        let t = Gc::<PyTuple>::from_value(t);
        // SAFETY: `len` values follow the length word and never change.
        unsafe { std::slice::from_raw_parts(t.raw().cast::<Value>().add(2), t.len.get()) }
    }

    /// Length of a tuple.
    #[inline(always)]
    pub fn tuple_len(&self, t: Value) -> usize {
        Gc::<PyTuple>::from_value(t).len.get()
    }

    /// Item `i` of a tuple.
    #[inline(always)]
    pub fn tuple_get(&self, t: Value, i: usize) -> Value {
        self.tuple_items(t)[i]
    }

    /// A list of these items.
    pub fn new_list(&mut self, items: &[Value]) -> Value {
        let l = self.alloc::<PyList>(self.types.list);
        if !items.is_empty() {
            let a = self.new_array(items.len());
            for (i, &v) in items.iter().enumerate() {
                // SAFETY: within the array just made.
                unsafe { *a.slots().add(i) = v };
            }
            self.write_barrier(a.value());
            l.items.set(a.value());
            l.len.set(items.len());
            self.write_barrier(l.value());
        }
        l.value()
    }

    /// An empty list with room for `cap` items.
    pub fn new_list_with_capacity(&mut self, cap: usize) -> Value {
        let l = self.alloc::<PyList>(self.types.list);
        if cap > 0 {
            let a = self.new_array(cap);
            l.items.set(a.value());
            self.write_barrier(l.value());
        }
        l.value()
    }

    /// True if the value is a list or an instance of a subclass.
    #[inline(always)]
    pub fn is_list(&self, v: Value) -> bool {
        v.is_ptr() && shape_of(v).layout == Layout::List
    }

    /// Items of a list, for a moment: the slice is stale after anything that may
    /// change the list.
    #[inline(always)]
    pub fn list_items(&self, l: Value) -> &'static [Value] {
        let l = Gc::<PyList>::from_value(l);
        if l.len.get() == 0 {
            return &[];
        }
        let a = Gc::<Array>::from_value(l.items.get());
        // SAFETY: the first `len` slots are set; see above for how long.
        unsafe { std::slice::from_raw_parts(a.slots(), l.len.get()) }
    }

    /// Length of a list.
    #[inline(always)]
    pub fn list_len(&self, l: Value) -> usize {
        Gc::<PyList>::from_value(l).len.get()
    }

    /// Item `i` of a list.
    #[inline(always)]
    pub fn list_get(&self, l: Value, i: usize) -> Value {
        self.list_items(l)[i]
    }

    /// Replaces item `i` of a list.
    #[inline]
    pub fn list_put(&mut self, l: Value, i: usize, v: Value) {
        debug_assert!(i < self.list_len(l));
        let a = Gc::<Array>::from_value(Gc::<PyList>::from_value(l).items.get());
        a.put(self, i, v);
    }

    /// Appends to a list.
    pub fn list_append(&mut self, l: Value, v: Value) {
        let n = self.list_len(l);
        self.list_reserve(l, n + 1);
        let l = Gc::<PyList>::from_value(l);
        l.len.set(n + 1);
        Gc::<Array>::from_value(l.items.get()).put(self, n, v);
    }

    /// Makes sure that the storage has room for `cap` items.
    pub fn list_reserve(&mut self, l: Value, cap: usize) {
        let l = Gc::<PyList>::from_value(l);
        let old = l.items.get();
        let have = if old.is_null() {
            0
        } else {
            Gc::<Array>::from_value(old).cap.get()
        };
        if cap <= have {
            return;
        }
        let new_cap = (cap + (cap >> 3) + 6) & !3;
        let a = self.new_array(new_cap);
        if old.is_some() {
            let from = Gc::<Array>::from_value(old);
            // SAFETY: both arrays have at least `len` slots and do not overlap.
            unsafe { std::ptr::copy_nonoverlapping(from.slots(), a.slots(), l.len.get()) };
        }
        self.write_barrier(a.value());
        l.items.set(a.value());
        self.write_barrier(l.value());
    }

    /// Replaces `items[start..end]` by `with` (which must not be the list's own storage).
    pub fn list_splice(&mut self, l: Value, start: usize, end: usize, with: &[Value]) {
        let n = self.list_len(l);
        let new_len = n - (end - start) + with.len();
        self.list_reserve(l, new_len);
        let ll = Gc::<PyList>::from_value(l);
        if ll.items.get().is_null() {
            return;
        }
        let a = Gc::<Array>::from_value(ll.items.get());
        // SAFETY: the array has room for `new_len` items; ranges are within it.
        unsafe {
            let p = a.slots();
            std::ptr::copy(p.add(end), p.add(start + with.len()), n - end);
            for (i, &v) in with.iter().enumerate() {
                *p.add(start + i) = v;
            }
            for i in new_len..n {
                *p.add(i) = Value::NULL;
            }
        }
        ll.len.set(new_len);
        self.write_barrier(a.value());
    }

    /// Removes and returns item `i`.
    pub fn list_remove(&mut self, l: Value, i: usize) -> Value {
        let v = self.list_get(l, i);
        self.list_splice(l, i, i + 1, &[]);
        v
    }

    /// Empties a list.
    pub fn list_clear(&mut self, l: Value) {
        let l = Gc::<PyList>::from_value(l);
        l.len.set(0);
        l.items.set(Value::NULL);
    }

    /// A tuple of a list's items.
    pub fn list_to_tuple(&mut self, l: Value) -> Value {
        let n = self.list_len(l);
        let t = self.new_tuple_uninit(n);
        for i in 0..n {
            let v = self.list_get(l, i);
            self.tuple_init(t, i, v);
        }
        t
    }

    /// Every item of an iterable, as a new list. May run Python code.
    pub fn list_from_iterable(&mut self, it: Value) -> R {
        let l = self.new_list(&[]);
        self.list_extend(l, it)?;
        Ok(l)
    }

    /// Appends every item of an iterable. May run Python code.
    pub fn list_extend(&mut self, l: Value, it: Value) -> R<()> {
        if it.is_ptr() {
            let class = shape_of(it).class();
            if class == self.types.list {
                let n = self.list_len(it);
                self.room_for(n.saturating_mul(8))?;
                self.list_reserve(l, self.list_len(l) + n);
                for i in 0..n {
                    let v = self.list_get(it, i);
                    self.list_append(l, v);
                }
                return Ok(());
            }
            if class == self.types.tuple {
                for &v in self.tuple_items(it) {
                    self.list_append(l, v);
                }
                return Ok(());
            }
        }
        let mut items = Feed::new(self, it, Loop::Append)?;
        let class = self.class_of(it);
        if self.type_data(class).heap_type {
            // Only what it may raise counts.
            self.length_hint(it, 8)?;
        }
        // A subclass has an `append` of its own.
        let exact = self.class_of(l) == self.types.list;
        loop {
            let fed = if exact {
                items.next(self, l)?
            } else {
                items.step(self)?
            };
            let Fed::Item(v) = fed else { break };
            self.list_append(l, v);
            if self.polled() {
                crate::misc::run_pending(self)?;
            }
        }
        Ok(())
    }

    /// Every item of an iterable, as a tuple. May run Python code.
    pub fn tuple_from_iterable(&mut self, it: Value) -> R {
        if it.is_ptr() && shape_of(it).class() == self.types.tuple {
            return Ok(it);
        }
        let l = self.list_from_iterable(it)?;
        Ok(self.list_to_tuple(l))
    }
}
