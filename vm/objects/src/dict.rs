//! `dict`: insertion-ordered, compact.
//!
//! `entries` is an array of (hash, key, value) triples in insertion order; a
//! deleted entry has a null key. Beyond eight entries `index` is an
//! open-addressing table of 32-bit numbers into them. A hash is stored as a
//! value word (its low 49 bits), so the collector may scan entries as values.
//!
//! `keys_version` names the set and order of keys: an inline cache that saw it
//! may go straight to an entry. It is forgotten at each insertion and deletion
//! of a key, not when a value changes.

use crate::layout::{Array, Gc, Layout, PyDict, PyStr, PyType, Raw};
use crate::shape::shape_of;
use crate::vm::{R, Vm};
use pyrite_machine::Value;

/// [`PyDict::flags`]: compiled code depends on values of this dict.
pub const WATCHED: u32 = 1;
/// [`PyDict::flags`]: a class's namespace.
pub const CLASS: u32 = 2;

const EMPTY: u32 = u32::MAX;
const DELETED: u32 = u32::MAX - 1;
const LINEAR: usize = 8;

/// A hash as it is stored.
#[inline(always)]
pub fn hash_word(hash: i64) -> Value {
    Value::int_unchecked(hash & ((1 << 49) - 1))
}

impl Gc<PyDict> {
    #[inline(always)]
    fn slots(self) -> *mut Value {
        Gc::<Array>::from_value(self.entries.get()).slots()
    }

    /// Entry `i`: hash word, key (null if deleted), value.
    #[inline(always)]
    pub fn entry(self, i: usize) -> (Value, Value, Value) {
        debug_assert!(i < self.fill.get() as usize);
        // SAFETY: `i` is below `fill`, which the array has room for.
        unsafe {
            let p = self.slots().add(i * 3);
            (*p, *p.add(1), *p.add(2))
        }
    }

    #[inline(always)]
    fn table(self) -> &'static mut [u32] {
        let raw = Gc::<Raw>::from_value(self.index.get());
        // SAFETY: an index table is `mask + 1` words of 32 bits; the borrow ends
        // before the next allocation in every caller.
        unsafe { std::slice::from_raw_parts_mut(raw.bytes().cast(), self.mask.get() as usize + 1) }
    }
}

/// Where a key is.
enum Found {
    Entry(usize),
    /// A key that needs `==` has the same hash.
    Compare(usize),
    No,
}

impl Vm {
    /// A new, empty dict.
    pub fn new_dict(&mut self) -> Value {
        self.alloc::<PyDict>(self.types.dict).value()
    }

    /// Number of items.
    #[inline(always)]
    pub fn dict_len(&self, d: Value) -> usize {
        Gc::<PyDict>::from_value(d).used.get()
    }

    /// Marks a dict as a class's namespace.
    pub fn dict_mark_class(&mut self, d: Value) {
        let d = Gc::<PyDict>::from_value(d);
        d.flags.set(d.flags.get() | CLASS);
    }

    /// The keys version, given out on demand (never 0).
    #[inline]
    pub fn dict_keys_version(&mut self, d: Value) -> u32 {
        let d = Gc::<PyDict>::from_value(d);
        if d.keys_version.get() == 0 {
            self.keys_versions += 1;
            d.keys_version.set(self.keys_versions);
        }
        d.keys_version.get()
    }

    /// Finds an entry by hash and a test; `eq` is asked about keys of equal hash
    /// and must not run Python code.
    #[inline]
    fn find_raw(
        &self,
        d: Gc<PyDict>,
        hw: Value,
        mut from: usize,
        mut eq: impl FnMut(Value) -> Option<bool>,
    ) -> Found {
        if d.index.get().is_null() {
            let n = d.fill.get() as usize;
            while from < n {
                let (h, k, _) = d.entry(from);
                if h == hw && k.is_some() {
                    match eq(k) {
                        Some(true) => return Found::Entry(from),
                        Some(false) => {}
                        None => return Found::Compare(from),
                    }
                }
                from += 1;
            }
            return Found::No;
        }
        let mask = d.mask.get() as usize;
        let table = d.table();
        let mut i = hw.bits() as usize & mask;
        let mut perturb = hw.bits() as usize & 0x1_FFFF_FFFF_FFFF;
        let mut steps = 0;
        loop {
            match table[i] {
                EMPTY => return Found::No,
                DELETED => {}
                e => {
                    if steps >= from {
                        let (h, k, _) = d.entry(e as usize);
                        if h == hw {
                            match eq(k) {
                                Some(true) => return Found::Entry(e as usize),
                                Some(false) => {}
                                None => return Found::Compare(steps << 32 | e as usize),
                            }
                        }
                    }
                }
            }
            steps += 1;
            perturb >>= 5;
            i = (i * 5 + perturb + 1) & mask;
        }
    }

    /// Entry of a key, comparing as Python does.
    fn find(&mut self, d: Gc<PyDict>, key: Value, hash: i64) -> R<Option<usize>> {
        let hw = hash_word(hash);
        let mut from = 0;
        loop {
            let fill = (d.fill.get(), d.entries.get(), d.index.get(), d.used.get());
            match self.find_raw(d, hw, from, |k| self.quick_eq(k, key)) {
                Found::Entry(e) => return Ok(Some(e)),
                Found::No => return Ok(None),
                Found::Compare(at) => {
                    let (e, next) = if d.index.get().is_null() {
                        (at, at + 1)
                    } else {
                        (at & 0xFFFF_FFFF, (at >> 32) + 1)
                    };
                    let k = d.entry(e).1;
                    let same = self.eq(k, key)?;
                    if fill != (d.fill.get(), d.entries.get(), d.index.get(), d.used.get())
                        || d.entry(e).1 != k
                    {
                        // The comparison changed the dict: start over.
                        from = 0;
                        continue;
                    }
                    if same {
                        return Ok(Some(e));
                    }
                    from = next;
                }
            }
        }
    }

    /// Identity, or equality of values that compare without running Python code.
    #[inline]
    pub(crate) fn quick_eq(&self, a: Value, b: Value) -> Option<bool> {
        if a == b {
            return Some(true);
        }
        if a.is_int() && b.is_int() {
            return Some(false);
        }
        if a.is_ptr() && b.is_ptr() {
            let (sa, sb) = (shape_of(a), shape_of(b));
            if sa.layout == Layout::Str && sb.layout == Layout::Str {
                let (x, y) = (Gc::<PyStr>::from_value(a), Gc::<PyStr>::from_value(b));
                if x.interned.get() && y.interned.get() {
                    return Some(false);
                }
                return Some(self.str_eq(a, b));
            }
            if sa.layout == Layout::Tuple && sb.layout == Layout::Tuple {
                return self.quick_eq_tuples(a, b, 0);
            }
        }
        None
    }

    /// The value of `key`, or null. Hashing and comparing may raise.
    pub fn dict_get(&mut self, d: Value, key: Value) -> R {
        let d = Gc::<PyDict>::from_value(d);
        let hash = self.hash(key)?;
        Ok(match self.find(d, key, hash)? {
            Some(e) => d.entry(e).2,
            None => Value::NULL,
        })
    }

    /// The value of an `int` or `str` key, or a tuple of such, or null if it is not there or if that
    /// takes a comparison in Python; neither raises nor allocates.
    #[inline]
    pub fn dict_find(&self, d: Value, key: Value) -> Value {
        let d = Gc::<PyDict>::from_value(d);
        if d.used.get() == 0 {
            return Value::NULL;
        }
        match self.dict_find_entry(d, key) {
            Some(e) => d.entry(e).2,
            None => Value::NULL,
        }
    }

    #[inline]
    fn dict_find_entry(&self, d: Gc<PyDict>, key: Value) -> Option<usize> {
        let hash = self.hash_plain(key)?;
        match self.find_raw(d, hash_word(hash), 0, |k| self.quick_eq(k, key)) {
            Found::Entry(e) => Some(e),
            _ => None,
        }
    }

    /// 1 if the dict has this `int` or `str` key (or a tuple of such), 0 if not, -1 if a comparison in
    /// Python must tell.
    #[inline]
    pub(crate) fn dict_has_plain(&self, d: Value, key: Value) -> i64 {
        let d = Gc::<PyDict>::from_value(d);
        if d.used.get() == 0 {
            return 0;
        }
        let Some(hash) = self.hash_plain(key) else {
            return -1;
        };
        match self.find_raw(d, hash_word(hash), 0, |k| self.quick_eq(k, key)) {
            Found::Entry(_) => 1,
            Found::Compare(_) => -1,
            Found::No => 0,
        }
    }

    /// Entry of an `int` or `str` key whose value may be overwritten without
    /// further ado: -1 if [`Vm::dict_find`] does not find it, or if compiled code
    /// depends on the dict.
    #[inline]
    pub fn dict_place(&self, d: Value, key: Value) -> i64 {
        let d = Gc::<PyDict>::from_value(d);
        if d.flags.get() & WATCHED != 0 || d.used.get() == 0 {
            return -1;
        }
        self.dict_find_entry(d, key).map_or(-1, |e| e as i64)
    }

    /// The hash of a built-in value; `None` of a tuple if Python code would have to tell.
    fn hash_of_key(&mut self, key: Value) -> Option<i64> {
        if key.is_ptr() && shape_of(key).layout == Layout::Tuple {
            return self.hash_plain(key);
        }
        let hash = self.hash(key).ok();
        if hash.is_none() {
            self.take_exc();
        }
        hash
    }

    /// Puts an item whose key is a built-in value of no container, or a tuple, into a dict, overwriting
    /// the value there if asked to. False, and nothing done: Python code would have to compare
    /// the key, or compiled code depends on the dict.
    pub fn dict_put_plain(&mut self, d: Value, key: Value, v: Value, overwrite: bool) -> bool {
        let dd = Gc::<PyDict>::from_value(d);
        if dd.flags.get() & WATCHED != 0 {
            return false;
        }
        let Some(hash) = self.hash_of_key(key) else {
            return false;
        };
        match self.find_raw(dd, hash_word(hash), 0, |k| self.quick_eq(k, key)) {
            Found::Entry(e) if overwrite => self.dict_entry_set(d, e, v),
            Found::Entry(_) => {}
            Found::No => self.dict_insert(dd, hash, key, v),
            Found::Compare(_) => return false,
        }
        true
    }

    /// The value of a key that is a built-in value of no container or a tuple, null if there is none. `None`:
    /// Python code would have to compare the key.
    pub fn dict_get_plain(&mut self, d: Value, key: Value) -> Option<Value> {
        let d = Gc::<PyDict>::from_value(d);
        let hash = self.hash_of_key(key)?;
        match self.find_raw(d, hash_word(hash), 0, |k| self.quick_eq(k, key)) {
            Found::Entry(e) => Some(d.entry(e).2),
            Found::No => Some(Value::NULL),
            Found::Compare(_) => None,
        }
    }

    /// The value of a `str` key, or null; never runs Python code.
    #[inline]
    pub fn dict_get_str(&self, d: Value, key: Value) -> Value {
        match self.dict_entry_str(d, key) {
            Some(e) => Gc::<PyDict>::from_value(d).entry(e).2,
            None => Value::NULL,
        }
    }

    /// The entry number of a `str` key.
    #[inline]
    pub fn dict_entry_str(&self, d: Value, key: Value) -> Option<usize> {
        let dd = Gc::<PyDict>::from_value(d);
        if dd.used.get() == 0 {
            return None;
        }
        let hw = hash_word(self.str_hash(key));
        match self.find_raw(dd, hw, 0, |k| Some(self.quick_eq(k, key) == Some(true))) {
            Found::Entry(e) => Some(e),
            _ => None,
        }
    }

    /// Value of entry `e` (an entry number that is still valid).
    #[inline(always)]
    pub fn dict_entry_value(&self, d: Value, e: usize) -> Value {
        Gc::<PyDict>::from_value(d).entry(e).2
    }

    /// Overwrites the value of entry `e`.
    pub fn dict_entry_set(&mut self, d: Value, e: usize, v: Value) {
        let dd = Gc::<PyDict>::from_value(d);
        // What compiled code takes for constant are functions, classes, modules.
        let old = dd.entry(e).2;
        let stable = old.is_ptr()
            && matches!(
                shape_of(old).layout,
                Layout::Function | Layout::Native | Layout::Type | Layout::Module
            );
        // SAFETY: `e` is an entry of this dict.
        unsafe { *dd.slots().add(e * 3 + 2) = v };
        self.write_barrier(dd.entries.get());
        if stable && dd.flags.get() & WATCHED != 0 {
            self.dict_changed(dd);
        }
    }

    #[cold]
    fn dict_changed(&mut self, d: Gc<PyDict>) {
        d.flags.set(d.flags.get() & !WATCHED);
        (self.hooks.invalidate)(self, d.value());
    }

    /// Sets a `str` key; never runs Python code.
    pub fn dict_set_str(&mut self, d: Value, key: Value, v: Value) {
        match self.dict_entry_str(d, key) {
            Some(e) => self.dict_entry_set(d, e, v),
            None => {
                let hash = self.str_hash(key);
                self.dict_insert(Gc::from_value(d), hash, key, v);
            }
        }
    }

    /// `d[key] = v`.
    pub fn dict_set(&mut self, d: Value, key: Value, v: Value) -> R<()> {
        let hash = self.hash(key)?;
        self.dict_set_hashed(d, key, hash, v)
    }

    /// `d[key] = v` with the key's hash known.
    pub fn dict_set_hashed(&mut self, d: Value, key: Value, hash: i64, v: Value) -> R<()> {
        let dd = Gc::<PyDict>::from_value(d);
        match self.find(dd, key, hash)? {
            Some(e) => self.dict_entry_set(d, e, v),
            None => self.dict_insert(dd, hash, key, v),
        }
        Ok(())
    }

    /// `d.setdefault(key, v)`: the value there already, or `v`.
    pub fn dict_setdefault(&mut self, d: Value, key: Value, v: Value) -> R {
        let dd = Gc::<PyDict>::from_value(d);
        let hash = self.hash(key)?;
        if let Some(e) = self.find(dd, key, hash)? {
            return Ok(dd.entry(e).2);
        }
        self.dict_insert(dd, hash, key, v);
        Ok(v)
    }

    fn dict_insert(&mut self, d: Gc<PyDict>, hash: i64, key: Value, v: Value) {
        let cap = if d.entries.get().is_null() {
            0
        } else {
            Gc::<Array>::from_value(d.entries.get()).cap.get() / 3
        };
        if d.fill.get() as usize == cap {
            self.dict_grow(d);
        }
        if d.flags.get() & WATCHED != 0 {
            self.dict_changed(d);
        }
        d.keys_version.set(0);
        let i = d.fill.get() as usize;
        let hw = hash_word(hash);
        // SAFETY: the array has room for entry `i`.
        unsafe {
            let p = d.slots().add(i * 3);
            *p = hw;
            *p.add(1) = key;
            *p.add(2) = v;
        }
        self.write_barrier(d.entries.get());
        d.fill.set(i as u32 + 1);
        d.used.set(d.used.get() + 1);
        if d.index.get().is_some() {
            index_insert(d, hw, i as u32);
        } else if i >= LINEAR {
            self.dict_rebuild_index(d);
        }
    }

    /// Makes room: compacts when many entries are deleted, else grows.
    fn dict_grow(&mut self, d: Gc<PyDict>) {
        let used = d.used.get();
        let fill = d.fill.get() as usize;
        let cap = if used * 4 < fill * 3 && fill > LINEAR {
            fill
        } else {
            (fill + fill / 2 + 3).max(5)
        };
        self.dict_resize(d, cap);
    }

    fn dict_resize(&mut self, d: Gc<PyDict>, cap: usize) {
        // Storage starts with one length word more than a multiple of 16 bytes
        // would like; the odd word is left unused.
        let new = self.new_array(cap * 3);
        let fill = d.fill.get() as usize;
        let mut n = 0;
        for i in 0..fill {
            let (h, k, v) = d.entry(i);
            if k.is_some() {
                // SAFETY: `n` never exceeds the live entries, which fit.
                unsafe {
                    let p = new.slots().add(n * 3);
                    *p = h;
                    *p.add(1) = k;
                    *p.add(2) = v;
                }
                n += 1;
            }
        }
        if n != fill {
            d.keys_version.set(0);
        }
        d.entries.set(new.value());
        d.fill.set(n as u32);
        self.write_barrier(d.value());
        if n > LINEAR {
            self.dict_rebuild_index(d);
        } else {
            d.index.set(Value::NULL);
        }
    }

    fn dict_rebuild_index(&mut self, d: Gc<PyDict>) {
        let cap = Gc::<Array>::from_value(d.entries.get()).cap.get() / 3;
        let size = (cap * 3 / 2 + 1).next_power_of_two().max(16);
        let raw = self.new_raw(size * 4);
        d.index.set(raw.value());
        d.mask.set(size as u32 - 1);
        self.write_barrier(d.value());
        d.table().fill(EMPTY);
        for i in 0..d.fill.get() as usize {
            let (h, k, _) = d.entry(i);
            if k.is_some() {
                index_insert(d, h, i as u32);
            }
        }
    }

    /// Removes a key; its value, or null if it was not there.
    pub fn dict_remove(&mut self, d: Value, key: Value) -> R {
        let dd = Gc::<PyDict>::from_value(d);
        let hash = self.hash(key)?;
        match self.find(dd, key, hash)? {
            Some(e) => Ok(self.dict_remove_entry(dd, e)),
            None => Ok(Value::NULL),
        }
    }

    /// Removes a `str` key; never runs Python code.
    pub fn dict_remove_str(&mut self, d: Value, key: Value) -> Value {
        match self.dict_entry_str(d, key) {
            Some(e) => self.dict_remove_entry(Gc::from_value(d), e),
            None => Value::NULL,
        }
    }

    /// Removes entry `e`; its value.
    pub fn dict_remove_entry(&mut self, d: Gc<PyDict>, e: usize) -> Value {
        if d.flags.get() & WATCHED != 0 {
            self.dict_changed(d);
        }
        let (h, _, v) = d.entry(e);
        if d.index.get().is_some() {
            let mask = d.mask.get() as usize;
            let table = d.table();
            let mut i = h.bits() as usize & mask;
            let mut perturb = h.bits() as usize & 0x1_FFFF_FFFF_FFFF;
            while table[i] != e as u32 {
                perturb >>= 5;
                i = (i * 5 + perturb + 1) & mask;
            }
            table[i] = DELETED;
        }
        // SAFETY: `e` is an entry of this dict.
        unsafe {
            let p = d.slots().add(e * 3);
            *p.add(1) = Value::NULL;
            *p.add(2) = Value::NULL;
        }
        d.used.set(d.used.get() - 1);
        d.keys_version.set(0);
        v
    }

    /// Removes entry `e` as [`Vm::dict_remove_entry`] does, and the deleted entries
    /// at the end with it, so that popping from the end leaves no growing tail.
    /// A key put in later takes their place, which an iterator would not notice:
    /// this is for `popitem` and the like, not for `del`.
    pub fn dict_pop_entry(&mut self, d: Gc<PyDict>, e: usize) -> Value {
        let v = self.dict_remove_entry(d, e);
        if d.used.get() == 0 {
            d.fill.set(0);
            d.index.set(Value::NULL);
        } else if e as u32 + 1 == d.fill.get() {
            let mut n = e;
            while n > 0 && d.entry(n - 1).1.is_null() {
                n -= 1;
            }
            d.fill.set(n as u32);
        }
        v
    }

    /// Removes everything.
    pub fn dict_clear(&mut self, d: Value) {
        let d = Gc::<PyDict>::from_value(d);
        if d.flags.get() & WATCHED != 0 {
            self.dict_changed(d);
        }
        d.used.set(0);
        d.fill.set(0);
        d.keys_version.set(0);
        d.entries.set(Value::NULL);
        d.index.set(Value::NULL);
    }

    /// The next live entry at or after `*pos`: key and value; `*pos` moves on.
    #[inline]
    pub fn dict_next(&self, d: Value, pos: &mut usize) -> Option<(Value, Value)> {
        let d = Gc::<PyDict>::from_value(d);
        while *pos < d.fill.get() as usize {
            let (_, k, v) = d.entry(*pos);
            *pos += 1;
            if k.is_some() {
                return Some((k, v));
            }
        }
        None
    }

    /// As [`Vm::dict_next`], with the entry's stored hash.
    pub fn dict_next_hashed(&self, d: Value, pos: &mut usize) -> Option<(i64, Value, Value)> {
        let d = Gc::<PyDict>::from_value(d);
        while *pos < d.fill.get() as usize {
            let (h, k, v) = d.entry(*pos);
            *pos += 1;
            if k.is_some() {
                return Some((h.int_value(), k, v));
            }
        }
        None
    }

    /// A copy of a dict.
    pub fn dict_copy(&mut self, d: Value) -> Value {
        let new = self.new_dict();
        self.dict_copy_into(d, new);
        new
    }

    /// Copies every item of `d` into the empty dict `new`.
    pub fn dict_copy_into(&mut self, d: Value, new: Value) {
        let mut pos = 0;
        while let Some((h, k, v)) = self.dict_next_hashed(d, &mut pos) {
            self.dict_insert(Gc::from_value(new), h, k, v);
        }
    }

    /// Updates a dict from another one.
    pub fn dict_update_dict(&mut self, d: Value, other: Value) -> R<()> {
        let mut pos = 0;
        let len = self.dict_len(other);
        while let Some((h, k, v)) = self.dict_next_hashed(other, &mut pos) {
            self.dict_set_hashed(d, k, h, v)?;
            if self.dict_len(other) != len {
                return Err(self.runtime_error("dict mutated during update"));
            }
        }
        Ok(())
    }

    /// True if the value is a dict or an instance of a subclass.
    #[inline(always)]
    pub fn is_dict(&self, v: Value) -> bool {
        v.is_ptr() && shape_of(v).layout == Layout::Dict
    }

    /// True if the value is exactly a dict.
    #[inline(always)]
    pub fn is_exact_dict(&self, v: Value) -> bool {
        v.is_ptr() && shape_of(v).class() == self.types.dict
    }

    /// A new, empty set (or frozenset, or a subclass).
    pub fn new_set(&mut self, class: Gc<PyType>) -> Value {
        let d = self.new_dict();
        let s = Gc::<crate::layout::PySet>::from_value(self.new_instance(class));
        s.dict.set(d);
        self.write_barrier(s.value());
        s.value()
    }

    /// The dict behind a set.
    #[inline(always)]
    pub fn set_dict(&self, s: Value) -> Value {
        Gc::<crate::layout::PySet>::from_value(s).dict.get()
    }

    /// Adds to a set.
    pub fn set_add(&mut self, s: Value, v: Value) -> R<()> {
        let d = self.set_dict(s);
        let hash = self.hash(v)?;
        let dd = Gc::<PyDict>::from_value(d);
        if self.find(dd, v, hash)?.is_none() {
            let none = self.none;
            self.dict_insert(dd, hash, v, none);
        }
        Ok(())
    }

    /// The value of a key with a known hash, or null.
    pub fn dict_get_hashed(&mut self, d: Value, key: Value, hash: i64) -> R {
        let d = Gc::<PyDict>::from_value(d);
        Ok(match self.find(d, key, hash)? {
            Some(e) => d.entry(e).2,
            None => Value::NULL,
        })
    }

    /// True if the dict has the key, whose hash (or its stored part) is known.
    pub fn dict_has_hashed(&mut self, d: Value, key: Value, hash: i64) -> R<bool> {
        Ok(self.find(Gc::from_value(d), key, hash)?.is_some())
    }

    /// Removes a key of known hash; its value, or null if it was not there.
    pub fn dict_remove_hashed(&mut self, d: Value, key: Value, hash: i64) -> R {
        let dd = Gc::<PyDict>::from_value(d);
        match self.find(dd, key, hash)? {
            Some(e) => Ok(self.dict_remove_entry(dd, e)),
            None => Ok(Value::NULL),
        }
    }

    /// True if a set has the value.
    pub fn set_contains(&mut self, s: Value, v: Value) -> R<bool> {
        let d = self.set_dict(s);
        Ok(self.dict_get(d, v)?.is_some())
    }
}

fn index_insert(d: Gc<PyDict>, hw: Value, e: u32) {
    let mask = d.mask.get() as usize;
    let table = d.table();
    let mut i = hw.bits() as usize & mask;
    let mut perturb = hw.bits() as usize & 0x1_FFFF_FFFF_FFFF;
    while table[i] < DELETED {
        perturb >>= 5;
        i = (i * 5 + perturb + 1) & mask;
    }
    table[i] = e;
}
