//! Iteration from Rust.

use crate::layout::{Gc, Layout, PyRangeIter, PySeqIter};
use crate::shape::shape_of;
use crate::vm::{R, Vm};
use pyrite_machine::Value;

impl Vm {
    /// `iter(v)`.
    pub fn get_iter(&mut self, v: Value) -> R {
        if v.is_ptr() {
            let class = shape_of(v).class();
            let t = self.types;
            if class == t.list {
                return Ok(self.new_seq_iter(v, t.list_iter));
            }
            if class == t.tuple {
                return Ok(self.new_seq_iter(v, t.tuple_iter));
            }
            if class == t.generator {
                return Ok(v);
            }
            if class == t.range {
                return Ok(self.range_iter(v));
            }
            if class == t.dict {
                return Ok(crate::dict_views::new_iter(self, v, 0));
            }
        }
        let class = self.class_of(v);
        let f = self.lookup(class, self.names.iter);
        if f.is_some() {
            if f == self.none {
                let m = format!("'{}' object is not iterable", self.class_name(v));
                return Err(self.type_error(&m));
            }
            let it = self.call_method_value(f, v, &[])?;
            let ic = self.class_of(it);
            if self.lookup(ic, self.names.next).is_null() {
                let m = format!(
                    "iter() returned non-iterator of type '{}'",
                    self.class_name(it)
                );
                return Err(self.type_error(&m));
            }
            return Ok(it);
        }
        if self.lookup(class, self.names.getitem).is_some() {
            return Ok(self.new_seq_iter(v, self.types.seq_iter));
        }
        let m = format!("'{}' object is not iterable", self.class_name(v));
        Err(self.type_error(&m))
    }

    /// An iterator by index over a sequence; the class says which.
    pub fn new_seq_iter(&mut self, seq: Value, class: Gc<crate::layout::PyType>) -> Value {
        let it = self.alloc::<PySeqIter>(class);
        it.seq.set(seq);
        it.value()
    }

    /// `next(it)`, or `None` at the end. `it` is an iterator.
    pub fn iter_next(&mut self, it: Value) -> R<Option<Value>> {
        if !it.is_ptr() {
            let m = format!("'{}' object is not an iterator", self.class_name(it));
            return Err(self.type_error(&m));
        }
        let s = shape_of(it);
        match s.layout {
            Layout::ListIter => {
                let i = Gc::<PySeqIter>::from_value(it);
                let seq = i.seq.get();
                if seq.is_null() {
                    return Ok(None);
                }
                let n = i.index.get();
                if n < self.list_len(seq) {
                    i.index.set(n + 1);
                    return Ok(Some(self.list_get(seq, n)));
                }
                i.seq.set(Value::NULL);
                Ok(None)
            }
            Layout::TupleIter => {
                let i = Gc::<PySeqIter>::from_value(it);
                let seq = i.seq.get();
                if seq.is_null() {
                    return Ok(None);
                }
                let n = i.index.get();
                if n < self.tuple_len(seq) {
                    i.index.set(n + 1);
                    return Ok(Some(self.tuple_get(seq, n)));
                }
                i.seq.set(Value::NULL);
                Ok(None)
            }
            Layout::RangeIter => {
                let i = Gc::<PyRangeIter>::from_value(it);
                if i.remaining.get() <= 0 {
                    return Ok(None);
                }
                let v = i.next.get();
                i.remaining.set(i.remaining.get() - 1);
                i.next.set(v.wrapping_add(i.step.get()));
                Ok(Some(self.new_int(v)))
            }
            Layout::StrIter if s.class() == self.types.str_ascii_iter => {
                let i = Gc::<PySeqIter>::from_value(it);
                let seq = i.seq.get();
                if seq.is_null() {
                    return Ok(None);
                }
                let n = i.index.get();
                let text = self.text(self.as_str(seq).unwrap_or(seq));
                if n < text.len() {
                    i.index.set(n + 1);
                    let c = self.latin1[text.raw()[n] as usize];
                    return Ok(Some(c));
                }
                i.seq.set(Value::NULL);
                Ok(None)
            }
            Layout::Generator if s.class() == self.types.generator => self.generator_next(it),
            Layout::StrIter
            | Layout::SeqIter
            | Layout::DictIter
            | Layout::DictReverseIter
            | Layout::SetIter
            | Layout::ListReverseIter
            | Layout::LongRangeIter
            | Layout::CallIter
            | Layout::Enumerate
            | Layout::Zip
            | Layout::Map
            | Layout::Filter
            | Layout::Reversed
                if !self.type_data(s.class()).heap_type =>
            {
                crate::iters::step(self, it)
            }
            _ => self.iter_next_slow(it),
        }
    }

    fn iter_next_slow(&mut self, it: Value) -> R<Option<Value>> {
        let class = self.class_of(it);
        let f = self.lookup(class, self.names.next);
        if f.is_null() {
            let m = format!("'{}' object is not an iterator", self.class_name(it));
            return Err(self.type_error(&m));
        }
        if self.layout_of(f) == Layout::Native {
            let n = Gc::<crate::layout::PyNative>::from_value(f);
            // SAFETY: definitions are statics.
            let step = unsafe { (*n.def.get()).step };
            if let Some(step) = step
                && self.is_subclass(class, Gc::from_value(n.owner.get()))
            {
                self.enter_native()?;
                return step(self, it);
            }
        }
        let r = self.call_method_value(f, it, &[]);
        let stop = self.types.stop_iteration;
        self.catch(r, stop)
    }

    /// Calls `f` with each item of an iterable.
    pub fn for_each(
        &mut self,
        iterable: Value,
        mut f: impl FnMut(&mut Vm, Value) -> R<()>,
    ) -> R<()> {
        let it = self.get_iter(iterable)?;
        while let Some(v) = self.iter_next(it)? {
            f(self, v)?;
            if self.polled() {
                crate::misc::run_pending(self)?;
            }
        }
        Ok(())
    }

    /// `operator.length_hint(v, default)`.
    pub fn length_hint(&mut self, v: Value, default: usize) -> R<usize> {
        let class = self.class_of(v);
        if self.lookup(class, self.names.len).is_some() {
            let r = self.len(v);
            let te = self.types.type_error;
            if let Some(n) = self.catch(r, te)? {
                return Ok(n);
            }
        }
        let f = self.lookup(class, self.names.length_hint);
        if f.is_null() {
            return Ok(default);
        }
        let r = self.call_method_value(f, v, &[]);
        let te = self.types.type_error;
        let Some(r) = self.catch(r, te)? else {
            return Ok(default);
        };
        if r == self.not_implemented {
            return Ok(default);
        }
        let Some(i) = self.as_int(r) else {
            let m = format!(
                "__length_hint__ must be an integer, not {}",
                self.class_name(r)
            );
            return Err(self.type_error(&m));
        };
        match self.int_to_i64(i) {
            Some(n) if n >= 0 => Ok(n as usize),
            _ => Err(self.value_error("__length_hint__() should return >= 0")),
        }
    }
}
