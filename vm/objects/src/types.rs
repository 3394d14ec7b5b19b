//! Classes: creation, method resolution order, lookup, mutation.

use crate::code::Ic;
use crate::layout::{Gc, Layout, NativeLayout, PyMember, PyType, kind};
use crate::native::{Binding, GetSetDef, NativeDef};
use crate::shape::{Shape, shape_of};
use crate::vm::{R, Vm};
use pyrite_machine::{Header, Kind, Value};

/// What Rust code keeps about a class, outside the heap. Never freed: shapes
/// keep their class alive.
pub struct TypeData {
    pub layout: Layout,
    pub kind: Kind,
    /// Words of an instance in front of inline slots (header, payload, members of
    /// `__slots__`, and the overflow word if instances have a `__dict__`).
    pub slot_base: u16,
    /// Words of the native payload with the header.
    pub payload_words: u16,
    /// Instances have attributes of their own.
    pub has_dict: bool,
    /// Made by a class statement (or `type()`).
    pub heap_type: bool,
    /// May be subclassed.
    pub base_type: bool,
    /// May be written to from Python.
    pub immutable: bool,
    /// `__del__` is defined.
    pub has_finalizer: bool,
    /// When finalizers run together: the lower rank first.
    pub finalizer_rank: u8,
    /// Instances may have weak references.
    pub weakrefable: bool,
    pub abstract_: bool,
    /// Instances are functions that bind when a class holds them.
    pub method_descriptor: bool,
    /// Matches sequence / mapping patterns.
    pub pattern_sequence: bool,
    pub pattern_mapping: bool,
    /// Unique until the class or a base changes; 0: none given out.
    pub version: u32,
    /// Instances export their bytes.
    pub buffer: Option<&'static crate::buffer::BufferDef>,
    /// Compiled code depends on it.
    pub watched: bool,
    /// Inline slots a fresh instance gets.
    pub inline_cap: u16,
    pub root_shape: *mut Shape,
    pub dict_shape: *mut Shape,
    pub shapes: Vec<*mut Shape>,
    /// Direct subclasses (addresses of pinned classes, in creation order).
    pub subclasses: Vec<u64>,
    /// Memo of lookups that decide the fast paths; see [`TypeData::reset_memo`].
    pub memo: Memo,
}

/// Facts about a class that lookups established, forgotten at each mutation.
#[derive(Clone, Copy, Default)]
pub struct Memo {
    pub valid: bool,
    /// `object.__getattribute__` is in force, and there is no `__getattr__`.
    pub plain_getattr: bool,
    /// `object.__getattribute__` is in force.
    pub object_getattribute: bool,
    /// `object.__setattr__` is in force.
    pub plain_setattr: bool,
    /// Descriptor of its own kind: has `__get__`, `__set__` or `__delete__`.
    pub has_get: bool,
    pub has_set: bool,
    /// `__new__` is `object.__new__`.
    pub plain_new: bool,
    /// `__eq__` and `__hash__` are `object`'s.
    pub identity_eq: bool,
}

/// Lookup cache shared by all classes.
pub struct TypeCache {
    entries: Box<[(u32, u64, u64)]>,
}

impl Default for TypeCache {
    fn default() -> Self {
        TypeCache {
            entries: vec![(0, 0, 0); 2048].into_boxed_slice(),
        }
    }
}

impl TypeCache {
    fn index(version: u32, name: u64) -> usize {
        ((name >> 4) as usize ^ (version as usize).wrapping_mul(97)) & 2047
    }

    /// Visits the cached values, for the collector.
    pub fn values(&mut self) -> impl Iterator<Item = &mut u64> {
        self.entries.iter_mut().map(|e| &mut e.2)
    }
}

/// What inline caches found, for sites that see many shapes.
pub struct AttrCache {
    entries: Box<[(u64, u64, Ic)]>,
}

impl Default for AttrCache {
    fn default() -> Self {
        AttrCache {
            entries: vec![(0, 0, Ic::EMPTY); 1024].into_boxed_slice(),
        }
    }
}

impl AttrCache {
    /// The entry for a key (an interned name's word, marked with the kind of use)
    /// and a tag, whether or not it is filled with them.
    #[inline]
    pub fn entry(&mut self, key: u64, tag: u64) -> &mut (u64, u64, Ic) {
        let tag = (tag ^ tag >> 29) as usize;
        let i = ((key >> 4) as usize ^ key as usize ^ tag.wrapping_mul(61)) & 1023;
        &mut self.entries[i]
    }

    /// Visits the cached values, for the collector.
    pub fn values(&mut self) -> impl Iterator<Item = &mut Value> {
        self.entries.iter_mut().map(|e| &mut e.2.value)
    }
}

/// Declaration of a native class.
pub struct TypeDef<'a> {
    pub name: &'a str,
    /// Module it claims to live in.
    pub module: &'a str,
    pub doc: &'a str,
    pub base: Option<Gc<PyType>>,
    pub layout: Layout,
    pub kind: Kind,
    pub words: usize,
    pub has_dict: bool,
    pub base_type: bool,
    pub methods: &'a [NativeDef],
    pub getset: &'a [GetSetDef],
}

impl<'a> TypeDef<'a> {
    /// A class whose instances are `T`s, without a `__dict__`, that may not be subclassed.
    pub fn of<T: NativeLayout>(name: &'a str, layout: Layout) -> TypeDef<'a> {
        TypeDef {
            name,
            module: "builtins",
            doc: "",
            base: None,
            layout,
            kind: T::KIND,
            words: T::WORDS,
            has_dict: false,
            base_type: false,
            methods: &[],
            getset: &[],
        }
    }
}

/// True if instances of a native class may have weak references.
fn weakrefable(layout: Layout) -> bool {
    matches!(
        layout,
        Layout::Type
            | Layout::Set
            | Layout::FrozenSet
            | Layout::Function
            | Layout::Native
            | Layout::Method
            | Layout::Code
            | Layout::Module
            | Layout::Generator
            | Layout::Coroutine
            | Layout::AsyncGenerator
            | Layout::MemoryView
            | Layout::GenericAlias
            | Layout::Library
    )
}

impl Vm {
    /// The Rust-side data of a class.
    #[inline(always)]
    pub fn type_data(&self, class: Gc<PyType>) -> &'static mut TypeData {
        // SAFETY: set when the class is made, never freed; one thread at a time
        // holds the VM, and callers keep the borrow short.
        unsafe { &mut *class.data.get() }
    }

    /// The class of a value.
    #[inline]
    pub fn class_of(&self, v: Value) -> Gc<PyType> {
        if v.is_ptr() {
            shape_of(v).class()
        } else if v.is_int() {
            self.types.int
        } else {
            self.types.float
        }
    }

    /// The class of a value as programs see it: functions written in Rust have one,
    /// bound or not.
    #[inline]
    pub fn shown_class(&self, v: Value) -> Gc<PyType> {
        let class = self.class_of(v);
        if class == self.types.native_method {
            self.types.native
        } else {
            class
        }
    }

    /// The layout of a value.
    #[inline]
    pub fn layout_of(&self, v: Value) -> Layout {
        if v.is_ptr() {
            shape_of(v).layout
        } else if v.is_int() {
            Layout::Int
        } else {
            Layout::Float
        }
    }

    /// True if `v` is a class.
    #[inline]
    pub fn is_type(&self, v: Value) -> bool {
        v.is_ptr() && shape_of(v).layout == Layout::Type
    }

    /// Root shape of a class's instances.
    #[inline]
    pub fn root_shape(&mut self, class: Gc<PyType>) -> &'static mut Shape {
        let d = self.type_data(class);
        if d.root_shape.is_null() {
            let flags = if d.has_dict { 0 } else { Shape::NO_DICT };
            d.root_shape =
                self.new_root_shape(class, d.layout, d.kind, d.slot_base, d.inline_cap, flags);
        }
        // SAFETY: shapes are never freed.
        unsafe { &mut *d.root_shape }
    }

    /// Shape of a class's instances in dictionary mode that were made with
    /// `inline_cap` inline slots.
    pub fn dict_shape(&mut self, class: Gc<PyType>, inline_cap: u16) -> &'static mut Shape {
        let d = self.type_data(class);
        // SAFETY: shapes are never freed.
        unsafe {
            if d.dict_shape.is_null() || (*d.dict_shape).inline_cap != inline_cap {
                d.dict_shape = self.new_root_shape(
                    class,
                    d.layout,
                    d.kind,
                    d.slot_base,
                    inline_cap,
                    Shape::DICT,
                );
            }
            &mut *d.dict_shape
        }
    }

    /// Makes a class object with this data; its dict and MRO are still to be set.
    fn bare_type(&mut self, metaclass: Gc<PyType>, data: TypeData) -> Gc<PyType> {
        let shape = self.root_shape(metaclass);
        let p = self.alloc_words(shape.kind, shape.instance_words(), shape.id());
        // SAFETY: the object was just allocated.
        unsafe { self.heap.pin(p) };
        let t: Gc<PyType> = Gc::from_raw(p.cast());
        t.data.set(Box::into_raw(Box::new(data)));
        t
    }

    /// Makes `type` and `object`, which need each other.
    pub fn boot_types(&mut self) {
        let data = |layout, kind, words: usize, base: bool| TypeData {
            layout,
            kind,
            slot_base: words as u16,
            payload_words: words as u16,
            has_dict: false,
            heap_type: false,
            base_type: base,
            immutable: true,
            has_finalizer: false,
            finalizer_rank: 0,
            weakrefable: layout == Layout::Type,
            abstract_: false,
            method_descriptor: false,
            pattern_sequence: false,
            pattern_mapping: false,
            version: 0,
            buffer: None,
            watched: false,
            inline_cap: 0,
            root_shape: std::ptr::null_mut(),
            dict_shape: std::ptr::null_mut(),
            shapes: Vec::new(),
            subclasses: Vec::new(),
            memo: Memo::default(),
        };
        // The first class object has no class yet: its shape is put in afterwards.
        let words = PyType::WORDS;
        let p = self.alloc_words(kind::RAW4, words + 1, 0);
        // SAFETY: the object was just allocated.
        unsafe { self.heap.pin(p) };
        let t: Gc<PyType> = Gc::from_raw(p.cast());
        let mut d = data(Layout::Type, kind::RAW4, words, true);
        d.slot_base = words as u16 + 1;
        t.data.set(Box::into_raw(Box::new(d)));
        self.types.type_ = t;
        let shape = self.root_shape(t).id();
        // SAFETY: `p` is the object just made.
        unsafe { *p |= (shape as u64) << Header::SHAPE_SHIFT };
        let object = self.bare_type(t, data(Layout::Object, kind::VALUES, 1, true));
        self.types.object = object;
        self.storage_shape = self.root_shape(object).id();
    }

    /// Fills in name, bases, MRO and dict of a class.
    fn finish_type(&mut self, t: Gc<PyType>, name: &str, module: &str, base: Option<Gc<PyType>>) {
        let n = self.intern(name);
        t.name.set(n);
        t.qualname.set(n);
        let m = self.intern(module);
        t.module.set(m);
        let bases = match base {
            Some(b) => self.new_tuple(&[b.value()]),
            None => self.new_tuple(&[]),
        };
        t.bases.set(bases);
        let mro = match base {
            Some(b) => {
                let rest = self.tuple_items(b.mro.get()).to_vec_on_stack();
                let mut all = vec_on_stack(t.value());
                all.extend(&rest);
                self.new_tuple(all.as_slice())
            }
            None => self.new_tuple(&[t.value()]),
        };
        t.mro.set(mro);
        let dict = self.new_dict();
        self.dict_mark_class(dict);
        t.dict.set(dict);
        self.write_barrier(t.value());
        // A docstring is not inherited.
        let (doc, none) = (self.names.doc, self.none);
        self.dict_set_str(dict, doc, none);
        if let Some(b) = base {
            self.type_data(b).subclasses.push(t.value().bits());
        }
    }

    /// Completes `type` and `object` once strings, tuples and dicts exist.
    pub fn boot_types_finish(&mut self) {
        let (object, type_) = (self.types.object, self.types.type_);
        self.finish_type(object, "object", "builtins", None);
        self.finish_type(type_, "type", "builtins", Some(object));
        self.type_data(type_).has_dict = false;
    }

    /// A class known only by its data, before dicts exist; see [`Vm::late_type`].
    pub fn early_type(
        &mut self,
        layout: Layout,
        kind: Kind,
        words: usize,
        base_type: bool,
    ) -> Gc<PyType> {
        let type_ = self.types.type_;
        self.bare_type(
            type_,
            TypeData {
                layout,
                kind,
                slot_base: words as u16,
                payload_words: words as u16,
                has_dict: false,
                heap_type: false,
                base_type,
                immutable: true,
                has_finalizer: false,
                finalizer_rank: 0,
                weakrefable: weakrefable(layout),
                abstract_: false,
                method_descriptor: false,
                pattern_sequence: false,
                pattern_mapping: false,
                version: 0,
                buffer: None,
                watched: false,
                inline_cap: 0,
                root_shape: std::ptr::null_mut(),
                dict_shape: std::ptr::null_mut(),
                shapes: Vec::new(),
                subclasses: Vec::new(),
                memo: Memo::default(),
            },
        )
    }

    /// Names a class made by [`Vm::early_type`].
    pub fn late_type(&mut self, t: Gc<PyType>, name: &str, base: Gc<PyType>) {
        self.finish_type(t, name, "builtins", Some(base));
    }

    /// Makes a native class with its methods.
    pub fn native_type(&mut self, def: &TypeDef<'_>) -> Gc<PyType> {
        let base = def.base.unwrap_or(self.types.object);
        let t = self.early_type(def.layout, def.kind, def.words, def.base_type);
        let d = self.type_data(t);
        d.has_dict = def.has_dict;
        if def.has_dict {
            d.slot_base = def.words as u16 + 1;
        }
        self.finish_type(t, def.name, def.module, Some(base));
        let bd = self.type_data(base);
        (d.pattern_sequence, d.pattern_mapping) = (bd.pattern_sequence, bd.pattern_mapping);
        self.add_methods(t, def.methods);
        self.add_getset(t, def.getset);
        if def.has_dict && !self.type_data(base).has_dict {
            self.add_getset(t, crate::object::DICT_GETSET);
        }
        if !def.doc.is_empty() {
            let doc = self.new_str(def.doc);
            self.dict_set_str(t.dict.get(), self.names.doc, doc);
        }
        t
    }

    /// Adds native methods to a class's namespace.
    pub fn add_methods(&mut self, t: Gc<PyType>, methods: &[NativeDef]) {
        for m in methods {
            // SAFETY: method tables are statics; the signature's lifetime says so
            // less directly than the type of `native_function` would like.
            let m: &'static NativeDef = unsafe { &*std::ptr::from_ref(m) };
            let f = self.native_function(m, Value::NULL, t.value(), Value::NULL);
            let v = match m.binding {
                Binding::Method => f,
                Binding::Class => self.wrap(self.types.classmethod, f),
                Binding::Static | Binding::New => self.wrap(self.types.staticmethod, f),
            };
            let name = self.intern(m.name);
            self.dict_set_str(t.dict.get(), name, v);
        }
        self.type_modified(t);
    }

    /// Adds native attributes to a class's namespace.
    pub fn add_getset(&mut self, t: Gc<PyType>, defs: &[GetSetDef]) {
        for g in defs {
            let v = self.new_getset(g, t);
            let name = self.intern(g.name);
            self.dict_set_str(t.dict.get(), name, v);
        }
        self.type_modified(t);
    }

    /// Adds a member that programs cannot set: word `offset` of an instance, None
    /// while that is null.
    pub fn add_readonly_member(&mut self, t: Gc<PyType>, name: &str, offset: usize) {
        let name = self.intern(name);
        let m = self.new_member(name, t, offset, true);
        Gc::<PyMember>::from_value(m)
            .readonly
            .set(PyMember::READONLY_OR_NONE);
        self.dict_set_str(t.dict.get(), name, m);
        self.type_modified(t);
    }

    /// Sets a class attribute from Rust.
    pub fn type_set(&mut self, t: Gc<PyType>, name: &str, v: Value) {
        let n = self.intern(name);
        self.dict_set_str(t.dict.get(), n, v);
        self.type_modified(t);
    }

    /// The class's version, given out on demand.
    #[inline]
    pub fn type_version(&mut self, class: Gc<PyType>) -> u32 {
        let d = self.type_data(class);
        if d.version == 0 {
            self.type_versions += 1;
            d.version = self.type_versions;
        }
        d.version
    }

    /// Looks `name` (interned) up along the MRO; null if no class has it.
    #[inline]
    pub fn lookup(&mut self, class: Gc<PyType>, name: Value) -> Value {
        let version = self.type_version(class);
        let i = TypeCache::index(version, name.bits());
        let e = &self.type_cache.entries[i];
        if e.0 == version && e.1 == name.bits() {
            return Value::from_bits(e.2);
        }
        self.lookup_slow(class, name, version, i)
    }

    #[cold]
    fn lookup_slow(&mut self, class: Gc<PyType>, name: Value, version: u32, i: usize) -> Value {
        let found = self.lookup_uncached(class, name).1;
        self.type_cache.entries[i] = (version, name.bits(), found.bits());
        found
    }

    /// The class along the MRO whose namespace has `name`, and what it has there.
    pub fn lookup_uncached(&mut self, class: Gc<PyType>, name: Value) -> (Value, Value) {
        let mro = class.mro.get();
        if mro.is_null() {
            // A class under construction, seen by its metaclass's `mro`.
            return (Value::NULL, Value::NULL);
        }
        for i in 0..self.tuple_len(mro) {
            let c = self.tuple_get(mro, i);
            let v = self.dict_get_str(Gc::<PyType>::from_value(c).dict.get(), name);
            if v.is_some() {
                return (c, v);
            }
        }
        (Value::NULL, Value::NULL)
    }

    /// As [`Vm::lookup`] for the class of `v`.
    #[inline]
    pub fn lookup_on(&mut self, v: Value, name: Value) -> Value {
        let c = self.class_of(v);
        self.lookup(c, name)
    }

    /// To be called after each change of a class: caches, shapes and compiled
    /// code that rest on it are no longer valid.
    pub fn type_modified(&mut self, class: Gc<PyType>) {
        let d = self.type_data(class);
        d.memo.valid = false;
        d.version = 0;
        for i in 0..d.shapes.len() {
            self.shape_tags += 1;
            // SAFETY: shapes are never freed.
            unsafe { (*d.shapes[i]).tag = self.shape_tags };
        }
        if d.watched {
            d.watched = false;
            (self.hooks.invalidate)(self, class.value());
        }
        for i in 0..d.subclasses.len() {
            self.type_modified(Gc::from_value(Value::from_bits(d.subclasses[i])));
        }
    }

    /// Facts about the class; see [`Memo`].
    #[inline]
    pub fn type_memo(&mut self, class: Gc<PyType>) -> Memo {
        let d = self.type_data(class);
        if !d.memo.valid {
            d.memo = self.make_memo(class);
        }
        d.memo
    }

    #[cold]
    fn make_memo(&mut self, class: Gc<PyType>) -> Memo {
        let t = self.types;
        let object = t.object;
        let n = self.names;
        let same = |vm: &mut Vm, name: Value| vm.lookup(class, name) == vm.lookup(object, name);
        // Classes, modules and `super` objects have their own built-in lookup,
        // which `generic_getattr` and `generic_setattr` know.
        let built_in = |vm: &mut Vm, name: Value| {
            let f = vm.lookup(class, name);
            [object, t.type_, t.module, t.super_]
                .iter()
                .any(|&c| vm.lookup(c, name) == f)
        };
        let object_getattribute = built_in(self, n.getattribute);
        // Native descriptors are known by layout, whether or not their classes
        // have the special methods already.
        let layout = self.type_data(class).layout;
        let built_in_set = matches!(layout, Layout::GetSet | Layout::Member | Layout::Property);
        let built_in_get = built_in_set
            || matches!(
                layout,
                Layout::Function | Layout::Native | Layout::StaticMethod | Layout::ClassMethod
            );
        Memo {
            valid: true,
            object_getattribute,
            plain_getattr: object_getattribute && self.lookup(class, n.getattr).is_null(),
            plain_setattr: built_in(self, n.setattr) && built_in(self, n.delattr),
            has_get: built_in_get || self.lookup(class, n.get).is_some(),
            has_set: built_in_set
                || self.lookup(class, n.set).is_some()
                || self.lookup(class, n.delete).is_some(),
            plain_new: same(self, n.new) && !self.not_instantiable(class),
            identity_eq: same(self, n.eq) && same(self, n.hash),
        }
    }

    /// True if `sub` is `base` or derives from it (by MRO).
    #[inline]
    pub fn is_subclass(&self, sub: Gc<PyType>, base: Gc<PyType>) -> bool {
        if sub == base {
            return true;
        }
        let mro = sub.mro.get();
        if mro.is_null() {
            return false;
        }
        self.tuple_items(mro).iter().any(|&c| c == base.value())
    }

    /// True if the value's class is `class` or derives from it.
    #[inline]
    pub fn is_instance(&self, v: Value, class: Gc<PyType>) -> bool {
        self.is_subclass(self.class_of(v), class)
    }

    /// Name of the value's class as messages have it: see [`Vm::tp_name`].
    pub fn class_name(&self, v: Value) -> String {
        self.tp_name(self.class_of(v))
    }

    /// Name of a class as messages about its instances have it: with the module
    /// for classes in Rust that are no builtins.
    pub fn tp_name(&self, t: Gc<PyType>) -> String {
        let name = self.type_name(t);
        if self.type_data(t).heap_type || t.module.get().is_null() || !self.is_str(t.module.get()) {
            return name;
        }
        match self.str_to_string(t.module.get()) {
            m if m == "builtins" => name,
            m => format!("{m}.{name}"),
        }
    }

    /// Name of a class.
    pub fn type_name(&self, t: Gc<PyType>) -> String {
        self.str_to_string(t.name.get())
    }

    /// The C3 linearization of a class with these bases.
    pub fn compute_mro(&mut self, class: Value, bases: &[Value]) -> R {
        // Sequences as plain vectors of addresses: classes are pinned.
        let mut seqs: Vec<Vec<u64>> = Vec::new();
        for &b in bases {
            let mro = Gc::<PyType>::from_value(b).mro.get();
            if mro.is_null() {
                let m = format!(
                    "Cannot extend an incomplete type '{}'",
                    self.type_name(Gc::from_value(b))
                );
                return Err(self.type_error(&m));
            }
            seqs.push(self.tuple_items(mro).iter().map(|v| v.bits()).collect());
        }
        for (i, b) in bases.iter().enumerate() {
            if bases[..i].contains(b) {
                let name = self.type_name(Gc::from_value(*b));
                return Err(self.type_error(&format!("duplicate base class {name}")));
            }
        }
        seqs.push(bases.iter().map(|v| v.bits()).collect());
        let mut out = vec![class.bits()];
        loop {
            seqs.retain(|s| !s.is_empty());
            if seqs.is_empty() {
                break;
            }
            let next = seqs
                .iter()
                .map(|s| s[0])
                .find(|c| !seqs.iter().any(|s| s[1..].contains(c)));
            let Some(c) = next else {
                let mut names: Vec<String> = Vec::new();
                for s in &seqs {
                    let n = self.type_name(Gc::from_value(Value::from_bits(s[0])));
                    if !names.contains(&n) {
                        names.push(n);
                    }
                }
                let m = format!(
                    "Cannot create a consistent method resolution\norder (MRO) for bases {}",
                    names.join(", ")
                );
                return Err(self.type_error(&m));
            };
            out.push(c);
            for s in &mut seqs {
                if s[0] == c {
                    s.remove(0);
                }
            }
        }
        let t = self.new_tuple_uninit(out.len());
        for (i, &c) in out.iter().enumerate() {
            self.tuple_init(t, i, Value::from_bits(c));
        }
        Ok(t)
    }

    /// `best_base` of CPython: the base whose layout the new class extends.
    pub fn best_base(&mut self, bases: &[Value]) -> R<Gc<PyType>> {
        let mut winner: Option<Gc<PyType>> = None;
        for &b in bases {
            if !self.is_type(b) {
                return Err(self.type_error("bases must be types"));
            }
            let t = Gc::<PyType>::from_value(b);
            let d = self.type_data(t);
            if !d.base_type {
                let m = format!(
                    "type '{}' is not an acceptable base type",
                    self.type_name(t)
                );
                return Err(self.type_error(&m));
            }
            winner = match winner {
                None => Some(t),
                Some(w) => {
                    let (a, c) = (self.solid_base(w), self.solid_base(t));
                    if a == c || self.is_subclass(a, c) {
                        Some(w)
                    } else if self.is_subclass(c, a) {
                        Some(t)
                    } else {
                        return Err(
                            self.type_error("multiple bases have instance lay-out conflict")
                        );
                    }
                }
            };
        }
        Ok(winner.unwrap_or(self.types.object))
    }

    /// [`Vm::best_base`] of bases known to be good.
    pub fn best_base_unchecked(&mut self, bases: &[Value]) -> Gc<PyType> {
        let mut winner = Gc::<PyType>::from_value(bases[0]);
        for &b in &bases[1..] {
            let t = Gc::<PyType>::from_value(b);
            let (a, c) = (self.solid_base(winner), self.solid_base(t));
            if a != c && self.is_subclass(c, a) {
                winner = t;
            }
        }
        winner
    }

    /// The nearest class up the line that added words to the payload.
    pub(crate) fn solid_base(&mut self, t: Gc<PyType>) -> Gc<PyType> {
        let mut t = t;
        loop {
            let bases = t.bases.get();
            if self.tuple_len(bases) == 0 {
                return t;
            }
            // The base that gave the layout is the one with the same payload.
            let d = self.type_data(t);
            let mut up = None;
            for i in 0..self.tuple_len(bases) {
                let b = Gc::<PyType>::from_value(self.tuple_get(bases, i));
                let bd = self.type_data(b);
                let (layout, payload) = derived_payload(bd);
                if payload == d.payload_words && layout == d.layout {
                    up = Some(b);
                    break;
                }
            }
            match up {
                Some(b) => t = b,
                None => return t,
            }
        }
    }

    /// True if `base` is `t` or on the line of bases that give `t` its layout,
    /// whatever the MRO says.
    pub fn has_base(&mut self, t: Gc<PyType>, base: Gc<PyType>) -> bool {
        let mut t = t;
        loop {
            if t == base {
                return true;
            }
            match self.base_of(t) {
                Some(b) => t = b,
                None => return false,
            }
        }
    }

    /// The base that gives a class its layout.
    pub fn base_of(&mut self, t: Gc<PyType>) -> Option<Gc<PyType>> {
        let bases = self.tuple_items(t.bases.get());
        (!bases.is_empty()).then(|| self.best_base_unchecked(bases))
    }

    /// Makes the class object for a class statement; `slots` are the mangled
    /// names of `__slots__` to get members, `want_dict` whether instances get a
    /// `__dict__`.
    pub fn make_class(
        &mut self,
        metaclass: Gc<PyType>,
        name: Value,
        bases: Value,
        dict: Value,
        slots: &[Value],
        want_dict: bool,
        attr_hint: u16,
    ) -> R {
        let base_items = self.tuple_items(bases).to_vec_on_stack();
        let base = self.best_base(base_items.as_slice())?;
        let bd = self.type_data(base);
        let (layout, payload) = derived_payload(bd);
        let kind = if layout == bd.layout {
            bd.kind
        } else {
            kind::VALUES
        };
        let has_dict = bd.has_dict || want_dict;
        let payload = payload + slots.len() as u16;
        let type_like = layout == Layout::Type;
        let t = self.bare_type(
            metaclass,
            TypeData {
                layout,
                kind,
                slot_base: payload + u16::from(has_dict || type_like),
                payload_words: payload,
                has_dict: has_dict && !type_like,
                heap_type: true,
                base_type: true,
                immutable: false,
                has_finalizer: bd.has_finalizer,
                finalizer_rank: bd.finalizer_rank,
                weakrefable: bd.weakrefable,
                abstract_: false,
                method_descriptor: false,
                pattern_sequence: false,
                pattern_mapping: false,
                version: 0,
                buffer: bd.buffer,
                watched: false,
                inline_cap: if !has_dict || type_like {
                    0
                } else {
                    let hint = attr_hint.max(bd.inline_cap).clamp(2, 24);
                    // Even sizes: objects are granules of two words.
                    hint + (payload + 1 + hint) % 2
                },
                root_shape: std::ptr::null_mut(),
                dict_shape: std::ptr::null_mut(),
                shapes: Vec::new(),
                subclasses: Vec::new(),
                memo: Memo::default(),
            },
        );
        t.name.set(name);
        t.qualname.set(name);
        t.bases.set(bases);
        t.dict.set(dict);
        self.dict_mark_class(dict);
        self.write_barrier(t.value());
        for &b in base_items.as_slice() {
            let other = self.type_data(Gc::from_value(b));
            let d = self.type_data(t);
            // The first base that is one of them decides which.
            if !d.pattern_sequence && !d.pattern_mapping {
                d.pattern_sequence = other.pattern_sequence;
                d.pattern_mapping = other.pattern_mapping;
            }
            other.subclasses.push(t.value().bits());
        }
        for (i, &s) in slots.iter().enumerate() {
            let offset = (payload as usize) - slots.len() + i;
            let m = self.new_member(s, t, offset, false);
            self.dict_set_str(dict, s, m);
        }
        Ok(t.value())
    }
}

/// Layout and payload words of a subclass that adds nothing. A subclass of an
/// immutable value type holds the value in its one payload word.
fn derived_payload(base: &TypeData) -> (Layout, u16) {
    let layout = base_layout(base.layout);
    let words = if layout == base.layout {
        base.payload_words
    } else {
        2
    };
    (layout, words)
}

/// The layout of a subclass of a class with this layout.
pub fn base_layout(l: Layout) -> Layout {
    match l {
        Layout::Int | Layout::Bool => Layout::IntSub,
        Layout::Float => Layout::FloatSub,
        Layout::Complex => Layout::ComplexSub,
        Layout::Str => Layout::StrSub,
        Layout::Bytes => Layout::BytesSub,
        Layout::Tuple => Layout::TupleSub,
        l => l,
    }
}

/// A small vector of values on the native stack, where the collector sees it.
pub struct StackVec {
    items: [std::mem::MaybeUninit<Value>; StackVec::MAX],
    len: usize,
}

impl StackVec {
    /// Most values it holds.
    pub const MAX: usize = 256;

    /// An empty one.
    pub fn new() -> StackVec {
        StackVec {
            items: [const { std::mem::MaybeUninit::uninit() }; StackVec::MAX],
            len: 0,
        }
    }

    /// Adds a value.
    ///
    /// # Panics
    /// When full; for sequences of unbounded length use a list object.
    pub fn push(&mut self, v: Value) {
        self.items[self.len].write(v);
        self.len += 1;
    }

    /// Adds all values of another.
    pub fn extend(&mut self, other: &StackVec) {
        for &v in other.as_slice() {
            self.push(v);
        }
    }

    /// The values.
    pub fn as_slice(&self) -> &[Value] {
        // SAFETY: the first `len` were written.
        unsafe { std::slice::from_raw_parts(self.items.as_ptr().cast(), self.len) }
    }
}

impl Default for StackVec {
    fn default() -> Self {
        StackVec::new()
    }
}

fn vec_on_stack(first: Value) -> StackVec {
    let mut v = StackVec::new();
    v.push(first);
    v
}

/// Copies a short slice of heap values to the native stack.
pub trait ToStackVec {
    /// The copy.
    fn to_vec_on_stack(&self) -> StackVec;
}

impl ToStackVec for [Value] {
    fn to_vec_on_stack(&self) -> StackVec {
        let mut v = StackVec::new();
        for &x in self {
            v.push(x);
        }
        v
    }
}
