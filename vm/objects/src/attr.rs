//! Attributes: instances' own, and lookup with descriptors.

use crate::layout::{
    Array, Gc, Layout, PyGetSet, PyMember, PyMethod, PyModule, PyNative, PyProperty, PyType,
    PyWrapped,
};
use crate::native::{Binding, GetSetDef};
use crate::shape::{Shape, set_shape, shape_of};
use crate::vm::{R, Vm};
use pyrite_machine::Value;

impl Vm {
    /// The instance's own attribute, or null. `name` is interned.
    #[inline]
    pub fn instance_get(&self, obj: Value, name: Value) -> Value {
        if !obj.is_ptr() {
            return Value::NULL;
        }
        let s = shape_of(obj);
        if s.flags & Shape::NO_DICT != 0 {
            return Value::NULL;
        }
        if s.is_dict() {
            let d = self.word(obj, s.slot_base as usize - 1);
            return self.dict_get_str(d, name);
        }
        match s.slot_of(name) {
            Some(i) => self.slot(obj, s, i),
            None => Value::NULL,
        }
    }

    /// Word `i` of an object.
    #[inline(always)]
    pub fn word(&self, obj: Value, i: usize) -> Value {
        // SAFETY: callers index within the object, as its shape says.
        Value::from_bits(unsafe { *obj.ptr().add(i) })
    }

    /// Content of slot `i`.
    #[inline(always)]
    pub fn slot(&self, obj: Value, s: &Shape, i: u32) -> Value {
        if i < s.inline_cap.into() {
            self.word(obj, s.slot_base as usize + i as usize)
        } else {
            let a = Gc::<Array>::from_value(self.word(obj, s.slot_base as usize - 1));
            a.at(i as usize - s.inline_cap as usize)
        }
    }

    fn slot_store(&mut self, obj: Value, s: &Shape, i: u32, v: Value) {
        if i < s.inline_cap.into() {
            self.store_word(obj, s.slot_base as usize + i as usize, v);
        } else {
            let a = Gc::<Array>::from_value(self.word(obj, s.slot_base as usize - 1));
            a.put(self, i as usize - s.inline_cap as usize, v);
        }
    }

    /// Sets the instance's own attribute. False if instances have none.
    pub fn instance_set(&mut self, obj: Value, name: Value, v: Value) -> bool {
        if !obj.is_ptr() {
            return false;
        }
        let s = shape_of(obj);
        if s.flags & Shape::NO_DICT != 0 {
            return false;
        }
        if s.is_dict() {
            let d = self.word(obj, s.slot_base as usize - 1);
            self.dict_set_str(d, name, v);
            return true;
        }
        if let Some(i) = s.slot_of(name) {
            self.slot_store(obj, s, i, v);
            return true;
        }
        match self.shape_add(s, name) {
            Some(next) => {
                // SAFETY: shapes are never freed.
                let next = unsafe { &mut *next };
                let i = next.slots - 1;
                if i >= next.inline_cap.into() {
                    self.grow_overflow(obj, next, i as usize - next.inline_cap as usize);
                    let d = self.type_data(next.class());
                    // Later instances start with more room.
                    if d.inline_cap < 24 && !(d.root_shape as *const Shape).is_null() {
                        let cap = (d.inline_cap * 2).clamp(2, 24);
                        let cap = cap + (d.slot_base + cap) % 2;
                        if cap > d.inline_cap && next.inline_cap == d.inline_cap {
                            d.inline_cap = cap;
                            d.root_shape = std::ptr::null_mut();
                        }
                    }
                }
                set_shape(obj, next.id());
                self.slot_store(obj, next, i, v);
            }
            None => {
                self.to_dict_mode(obj);
                let d = self.word(obj, shape_of(obj).slot_base as usize - 1);
                self.dict_set_str(d, name, v);
            }
        }
        true
    }

    fn grow_overflow(&mut self, obj: Value, s: &Shape, i: usize) {
        let w = s.slot_base as usize - 1;
        let old = self.word(obj, w);
        let have = if old.is_null() {
            0
        } else {
            Gc::<Array>::from_value(old).cap.get()
        };
        if i < have {
            return;
        }
        let a = self.new_array((have * 2).max(4));
        for j in 0..have {
            let v = Gc::<Array>::from_value(old).at(j);
            a.put(self, j, v);
        }
        self.store_word(obj, w, a.value());
    }

    /// Puts an instance into dictionary mode; its dict.
    pub fn to_dict_mode(&mut self, obj: Value) -> Value {
        let s = shape_of(obj);
        let w = s.slot_base as usize - 1;
        if s.is_dict() {
            return self.word(obj, w);
        }
        let d = self.new_dict();
        for (i, key) in s.keys().into_iter().enumerate() {
            let v = self.slot(obj, s, i as u32);
            if v.is_some() {
                self.dict_set_str(d, Value::from_bits(key), v);
            }
        }
        let new = self.dict_shape(s.class(), s.inline_cap);
        for i in 0..s.inline_cap as usize {
            self.store_word(obj, s.slot_base as usize + i, Value::NULL);
        }
        self.store_word(obj, w, d);
        set_shape(obj, new.id());
        d
    }

    /// Replaces an instance's dict.
    pub fn instance_set_dict(&mut self, obj: Value, d: Value) {
        self.to_dict_mode(obj);
        let w = shape_of(obj).slot_base as usize - 1;
        self.store_word(obj, w, d);
    }

    /// Deletes the instance's own attribute; false if it was not there.
    pub fn instance_del(&mut self, obj: Value, name: Value) -> bool {
        if !obj.is_ptr()
            || shape_of(obj).flags & Shape::NO_DICT != 0
            || self.instance_get(obj, name).is_null()
        {
            return false;
        }
        let d = self.to_dict_mode(obj);
        self.dict_remove_str(d, name).is_some()
    }

    /// True if instances of this object's class have a `__dict__`.
    pub fn has_instance_dict(&self, obj: Value) -> bool {
        obj.is_ptr() && shape_of(obj).flags & Shape::NO_DICT == 0
    }

    /// `obj.name`. `name` is interned.
    pub fn getattr(&mut self, obj: Value, name: Value) -> R {
        let class = self.class_of(obj);
        let memo = self.type_memo(class);
        if memo.object_getattribute {
            match self.generic_getattr(obj, name) {
                Ok(v) if v.is_some() => return Ok(v),
                Ok(_) => {
                    if memo.plain_getattr {
                        return Err(self.no_attribute(obj, name));
                    }
                    self.no_attribute(obj, name);
                }
                Err(e) => {
                    if memo.plain_getattr || !self.exc_is(self.types.attribute_error) {
                        return Err(e);
                    }
                }
            }
        } else {
            let f = self.lookup(class, self.names.getattribute);
            let r = self.call_method_value(f, obj, &[name]);
            match r {
                Ok(v) => return Ok(v),
                Err(e) => {
                    if !self.exc_is(self.types.attribute_error) {
                        return Err(e);
                    }
                    self.name_failed_attribute(obj, name);
                }
            }
        }
        let hook = self.lookup(class, self.names.getattr);
        if hook.is_null() {
            return Err(crate::vm::Raised);
        }
        self.exc = Value::NULL;
        let r = self.call_method_value(hook, obj, &[name]);
        if r.is_err() {
            self.name_failed_attribute(obj, name);
        }
        r
    }

    /// Puts into a pending AttributeError that names no attribute which one was
    /// wanted, for the sake of suggestions.
    fn name_failed_attribute(&mut self, obj: Value, name: Value) {
        use crate::exceptions::name_error as field;
        if !self.exc_is(self.types.attribute_error) {
            return;
        }
        let e = self.exc;
        let unset = |v: Value| v.is_null() || v == self.none;
        if unset(self.word(e, field::NAME)) && unset(self.word(e, field::OBJ)) {
            self.store_word(e, field::NAME, name);
            self.store_word(e, field::OBJ, obj);
        }
    }

    /// As [`Vm::getattr`]; null instead of AttributeError.
    pub fn getattr_opt(&mut self, obj: Value, name: Value) -> R {
        let class = self.class_of(obj);
        if self.type_memo(class).plain_getattr {
            match self.generic_getattr(obj, name) {
                Ok(v) => return Ok(v),
                Err(e) => {
                    return if self.exc_is(self.types.attribute_error) {
                        self.exc = Value::NULL;
                        Ok(Value::NULL)
                    } else {
                        Err(e)
                    };
                }
            }
        }
        let r = self.getattr(obj, name);
        let class = self.types.attribute_error;
        Ok(self.catch(r, class)?.unwrap_or(Value::NULL))
    }

    /// `obj.name` for a name in Rust text.
    pub fn getattr_str(&mut self, obj: Value, name: &str) -> R {
        let n = self.intern(name);
        self.getattr(obj, n)
    }

    /// `object.__getattribute__` (or `type`'s, or a module's); null if there is
    /// no such attribute.
    pub fn generic_getattr(&mut self, obj: Value, name: Value) -> R {
        let layout = self.layout_of(obj);
        match layout {
            Layout::Type => return self.type_getattr(Gc::from_value(obj), name),
            Layout::Module => return self.module_getattr(obj, name),
            Layout::Super => return crate::super_::super_getattr(self, obj, name),
            _ => {}
        }
        let class = self.class_of(obj);
        let attr = self.lookup(class, name);
        if attr.is_null() {
            return Ok(self.instance_get(obj, name));
        }
        match self.layout_of(attr) {
            Layout::Function | Layout::Native if self.is_method(attr) => {
                let own = self.instance_get(obj, name);
                if own.is_some() {
                    return Ok(own);
                }
                Ok(self.bind(attr, obj))
            }
            Layout::Property | Layout::GetSet | Layout::Member => {
                self.descr_get(attr, obj, class.value())
            }
            _ => {
                let ac = self.class_of(attr);
                let memo = self.type_memo(ac);
                if memo.has_set && memo.has_get {
                    return self.descr_get(attr, obj, class.value());
                }
                let own = self.instance_get(obj, name);
                if own.is_some() {
                    return Ok(own);
                }
                if memo.has_get {
                    self.descr_get(attr, obj, class.value())
                } else {
                    Ok(attr)
                }
            }
        }
    }

    fn module_getattr(&mut self, obj: Value, name: Value) -> R {
        let d = Gc::<PyModule>::from_value(obj).dict.get();
        let class = self.class_of(obj);
        let attr = self.lookup(class, name);
        if attr.is_some() {
            let ac = self.class_of(attr);
            if self.type_memo(ac).has_set {
                return self.descr_get(attr, obj, class.value());
            }
        }
        let v = self.dict_get_str(d, name);
        if v.is_some() {
            return Ok(v);
        }
        if attr.is_some() {
            return self.descr_get_any(attr, obj, class.value());
        }
        let hook = self.dict_get_str(d, self.names.getattr);
        if hook.is_some() {
            return self.call(hook, &[name]);
        }
        Ok(Value::NULL)
    }

    /// `type.__getattribute__`; null if there is no such attribute.
    pub fn type_getattr(&mut self, t: Gc<PyType>, name: Value) -> R {
        let meta = self.class_of(t.value());
        let meta_attr = self.lookup(meta, name);
        if meta_attr.is_some() {
            let mc = self.class_of(meta_attr);
            let memo = self.type_memo(mc);
            if memo.has_set && memo.has_get {
                return self.descr_get(meta_attr, t.value(), meta.value());
            }
        }
        let attr = self.lookup(t, name);
        if attr.is_some() {
            return self.descr_get_any(attr, Value::NULL, t.value());
        }
        if meta_attr.is_some() {
            return self.descr_get_any(meta_attr, t.value(), meta.value());
        }
        Ok(Value::NULL)
    }

    /// What `attr`, found on a class, is when read through `obj` (null: through the class).
    pub fn descr_get_any(&mut self, attr: Value, obj: Value, class: Value) -> R {
        let c = self.class_of(attr);
        if self.type_memo(c).has_get {
            self.descr_get(attr, obj, class)
        } else {
            Ok(attr)
        }
    }

    /// `type(attr).__get__(attr, obj, class)`; `obj` null: None.
    pub fn descr_get(&mut self, attr: Value, obj: Value, class: Value) -> R {
        match self.layout_of(attr) {
            Layout::Function => Ok(if obj.is_null() {
                attr
            } else {
                self.bind(attr, obj)
            }),
            Layout::Native => Ok(if obj.is_null() || !self.is_method(attr) {
                attr
            } else {
                self.bind(attr, obj)
            }),
            Layout::StaticMethod if self.class_of(attr) == self.types.staticmethod => {
                Ok(Gc::<PyWrapped>::from_value(attr).func.get())
            }
            Layout::ClassMethod if self.class_of(attr) == self.types.classmethod => {
                let f = Gc::<PyWrapped>::from_value(attr).func.get();
                let fl = self.layout_of(f);
                if matches!(fl, Layout::Function | Layout::Native) {
                    return Ok(self.bind(f, class));
                }
                let fc = self.class_of(f);
                if self.type_memo(fc).has_get {
                    return self.descr_get(f, class, class);
                }
                Ok(self.new_method(f, class))
            }
            Layout::Property if self.class_of(attr) == self.types.property => {
                if obj.is_null() {
                    return Ok(attr);
                }
                let g = Gc::<PyProperty>::from_value(attr).fget.get();
                if g.is_null() || g == self.none {
                    return Err(self.property_error(attr, obj, "getter"));
                }
                self.call(g, &[obj])
            }
            Layout::GetSet => {
                if obj.is_null() {
                    return Ok(attr);
                }
                let g = Gc::<PyGetSet>::from_value(attr);
                self.check_owner(g.owner.get(), g.name.get(), obj)?;
                (g.get.get())(self, obj)
            }
            Layout::Member => {
                if obj.is_null() {
                    return Ok(attr);
                }
                let m = Gc::<PyMember>::from_value(attr);
                self.check_owner(m.owner.get(), m.name.get(), obj)?;
                let v = self.word(obj, m.offset.get());
                if v.is_null() {
                    if m.readonly.get() == PyMember::READONLY_OR_NONE {
                        return Ok(self.none);
                    }
                    return Err(self.no_attribute(obj, m.name.get()));
                }
                Ok(v)
            }
            _ => {
                let c = self.class_of(attr);
                let f = self.lookup(c, self.names.get);
                if f.is_null() {
                    return Ok(attr);
                }
                let none = self.none;
                let o = if obj.is_null() { none } else { obj };
                // Not bound, whatever it is: the descriptor is an argument.
                self.call(f, &[attr, o, class])
            }
        }
    }

    pub(crate) fn property_error(
        &mut self,
        attr: Value,
        obj: Value,
        what: &str,
    ) -> crate::vm::Raised {
        let name = Gc::<PyProperty>::from_value(attr).name.get();
        let cls = self.str_to_string(self.class_of(obj).qualname.get());
        let m = if name.is_some() && name != self.none {
            format!(
                "property {} of '{cls}' object has no {what}",
                self.repr_string(name).unwrap_or_default()
            )
        } else {
            format!("property of '{cls}' object has no {what}")
        };
        self.attribute_error(&m)
    }

    fn check_owner(&mut self, owner: Value, name: Value, obj: Value) -> R<()> {
        if owner.is_some() && !self.is_instance(obj, Gc::from_value(owner)) {
            let m = format!(
                "descriptor '{}' for '{}' objects doesn't apply to a '{}' object",
                self.str_to_string(name),
                self.type_name(Gc::from_value(owner)),
                self.class_name(obj)
            );
            return Err(self.type_error(&m));
        }
        Ok(())
    }

    /// `obj.name = v` (null: `del obj.name`). `name` is interned.
    pub fn setattr(&mut self, obj: Value, name: Value, v: Value) -> R<()> {
        let class = self.class_of(obj);
        if self.type_memo(class).plain_setattr {
            return self.generic_setattr(obj, name, v);
        }
        if v.is_null() {
            let f = self.lookup(class, self.names.delattr);
            self.call_method_value(f, obj, &[name])?;
        } else {
            let f = self.lookup(class, self.names.setattr);
            self.call_method_value(f, obj, &[name, v])?;
        }
        Ok(())
    }

    /// `object.__setattr__` / `__delattr__` (or `type`'s).
    pub fn generic_setattr(&mut self, obj: Value, name: Value, v: Value) -> R<()> {
        let class = self.class_of(obj);
        let attr = self.lookup(class, name);
        if attr.is_some() {
            match self.layout_of(attr) {
                Layout::Function | Layout::Native => {}
                _ => {
                    let ac = self.class_of(attr);
                    if self.type_memo(ac).has_set {
                        return self.descr_set(attr, obj, v);
                    }
                }
            }
        }
        if self.is_type(obj) {
            return self.type_setattr(Gc::from_value(obj), name, v);
        }
        if self.layout_of(obj) == Layout::Module {
            let d = Gc::<PyModule>::from_value(obj).dict.get();
            if v.is_null() {
                if self.dict_remove_str(d, name).is_null() {
                    return Err(self.no_attribute(obj, name));
                }
            } else {
                self.dict_set_str(d, name, v);
            }
            return Ok(());
        }
        let done = if v.is_null() {
            self.instance_del(obj, name)
        } else {
            self.instance_set(obj, name, v)
        };
        if done {
            return Ok(());
        }
        if attr.is_some() && !self.has_instance_dict(obj) {
            let m = format!(
                "'{}' object attribute '{}' is read-only",
                self.class_name(obj),
                self.str_to_string(name)
            );
            return Err(self.attribute_error(&m));
        }
        Err(self.no_attribute(obj, name))
    }

    fn type_setattr(&mut self, t: Gc<PyType>, name: Value, v: Value) -> R<()> {
        if self.type_data(t).immutable {
            let m = format!(
                "cannot set '{}' attribute of immutable type '{}'",
                self.str_to_string(name),
                self.type_name(t)
            );
            return Err(self.type_error(&m));
        }
        let d = t.dict.get();
        if v.is_null() {
            if self.dict_remove_str(d, name).is_null() {
                return Err(self.no_attribute(t.value(), name));
            }
        } else {
            self.dict_set_str(d, name, v);
        }
        if name == self.names.del {
            self.type_data(t).has_finalizer = self.lookup_uncached(t, name).1.is_some();
        }
        self.type_modified(t);
        let n = self.names;
        if [n.get, n.set, n.delete].contains(&name) {
            // Instances may lie in the namespaces of any classes.
            self.type_modified(self.types.object);
        }
        Ok(())
    }

    /// Stores through a data descriptor (null: deletes).
    pub fn descr_set(&mut self, attr: Value, obj: Value, v: Value) -> R<()> {
        match self.layout_of(attr) {
            Layout::Property if self.class_of(attr) == self.types.property => {
                let p = Gc::<PyProperty>::from_value(attr);
                let f = if v.is_null() {
                    p.fdel.get()
                } else {
                    p.fset.get()
                };
                if f.is_null() || f == self.none {
                    let what = if v.is_null() { "deleter" } else { "setter" };
                    return Err(self.property_error(attr, obj, what));
                }
                if v.is_null() {
                    self.call(f, &[obj])?;
                } else {
                    self.call(f, &[obj, v])?;
                }
                Ok(())
            }
            Layout::GetSet => {
                let g = Gc::<PyGetSet>::from_value(attr);
                self.check_owner(g.owner.get(), g.name.get(), obj)?;
                match g.set.get() {
                    Some(f) => f(self, obj, v),
                    None => {
                        let m = format!(
                            "attribute '{}' of '{}' objects is not writable",
                            self.str_to_string(g.name.get()),
                            self.tp_name(Gc::from_value(g.owner.get()))
                        );
                        Err(self.attribute_error(&m))
                    }
                }
            }
            Layout::Member => {
                let m = Gc::<PyMember>::from_value(attr);
                self.check_owner(m.owner.get(), m.name.get(), obj)?;
                if m.readonly.get() != 0 {
                    return Err(self.attribute_error("readonly attribute"));
                }
                if v.is_null() && self.word(obj, m.offset.get()).is_null() {
                    return Err(self.no_attribute(obj, m.name.get()));
                }
                self.store_word(obj, m.offset.get(), v);
                Ok(())
            }
            _ => {
                let c = self.class_of(attr);
                if v.is_null() {
                    let f = self.lookup(c, self.names.delete);
                    if f.is_null() {
                        return Err(self.attribute_error("__delete__"));
                    }
                    self.call_method_value(f, attr, &[obj])?;
                } else {
                    let f = self.lookup(c, self.names.set);
                    if f.is_null() {
                        return Err(self.attribute_error("__set__"));
                    }
                    self.call_method_value(f, attr, &[obj, v])?;
                }
                Ok(())
            }
        }
    }

    /// True for a function that binds its receiver when it is found on a class: every Python function, and those native
    /// ones that are methods of a class. Functions of modules stay as they are, and so do `__new__` and static methods.
    pub fn is_method(&self, f: Value) -> bool {
        match self.layout_of(f) {
            Layout::Function => true,
            Layout::Native => {
                Gc::<PyNative>::from_value(f).owner.get().is_some()
                    && self.class_of(f) != self.types.native
            }
            _ => false,
        }
    }

    /// A bound method of a function or native function.
    pub fn bind(&mut self, f: Value, this: Value) -> Value {
        self.new_method(f, this)
    }

    /// `types.MethodType(func, this)`.
    pub fn new_method(&mut self, func: Value, this: Value) -> Value {
        let native = self.layout_of(func) == Layout::Native;
        let class = if native && self.class_of(func) == self.types.slot_wrapper {
            self.types.method_wrapper
        } else if native {
            self.types.native_method
        } else {
            self.types.method
        };
        let m = self.alloc::<PyMethod>(class);
        m.func.set(func);
        m.this.set(this);
        m.value()
    }

    /// `staticmethod(f)` or `classmethod(f)`.
    pub fn wrap(&mut self, class: Gc<PyType>, f: Value) -> Value {
        let w = self.alloc::<PyWrapped>(class);
        w.func.set(f);
        w.value()
    }

    /// A getter/setter descriptor.
    pub fn new_getset(&mut self, def: &GetSetDef, owner: Gc<PyType>) -> Value {
        let name = self.intern(def.name);
        let doc = if def.doc.is_empty() {
            self.none
        } else {
            self.new_str(def.doc)
        };
        let shape = self.root_shape(self.types.getset);
        let p = self.alloc_words(shape.kind, shape.instance_words(), shape.id());
        // SAFETY: the object was made with this structure's size; function
        // pointers must not be zero when read, so they are written first.
        unsafe {
            let g = p.cast::<PyGetSet>();
            (&raw mut (*g).get)
                .cast::<crate::native::Getter>()
                .write(def.get);
            (&raw mut (*g).set)
                .cast::<Option<crate::native::Setter>>()
                .write(def.set);
        }
        let g: Gc<PyGetSet> = Gc::from_raw(p.cast());
        g.name.set(name);
        g.owner.set(owner.value());
        g.doc.set(doc);
        g.value()
    }

    /// A `__slots__` member or a native structure's field.
    pub fn new_member(
        &mut self,
        name: Value,
        owner: Gc<PyType>,
        offset: usize,
        readonly: bool,
    ) -> Value {
        let m = self.alloc::<PyMember>(self.types.member);
        m.offset.set(offset);
        m.readonly.set(usize::from(readonly));
        m.name.set(name);
        m.owner.set(owner.value());
        m.value()
    }
}

const _: Binding = Binding::Method;
