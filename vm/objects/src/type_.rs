//! `type`: making classes, their attributes, and `__build_class__`.

use crate::layout::{Gc, Layout, PyCell, PyFunction, PyType};
use crate::native::{GetSetDef, NativeDef, class_def, def, effects, getset, getter, static_def};
use crate::types::{StackVec, ToStackVec};
use crate::vm::{R, Vm};
use pyrite_machine::Value;

pub static METHODS: &[NativeDef] = &[
    static_def("__new__", "($type, /, *args, **kwargs)", effects::ANY, new),
    def(
        "__init__",
        "($self, /, *args, **kwargs=)",
        effects::RAISES,
        init,
    ),
    def(
        "__call__",
        "($self, /, *args, **kwargs=)",
        effects::ANY,
        call,
    ),
    def("__repr__", "($self, /)", effects::ALLOC, repr),
    def(
        "__getattribute__",
        "($self, name, /)",
        effects::ANY,
        getattribute,
    ),
    def(
        "__setattr__",
        "($self, name, value, /)",
        effects::ANY,
        setattr,
    ),
    def("__delattr__", "($self, name, /)", effects::ANY, delattr),
    def("mro", "($self, /)", effects::ALLOC | effects::RAISES, mro),
    def("__subclasses__", "($self, /)", effects::ALLOC, subclasses),
    def(
        "__instancecheck__",
        "($self, instance, /)",
        effects::ANY,
        instancecheck,
    ),
    def(
        "__subclasscheck__",
        "($self, subclass, /)",
        effects::ANY,
        subclasscheck,
    ),
    class_def(
        "__prepare__",
        "($cls, /, *args, **kwargs)",
        effects::ALLOC,
        prepare,
    ),
    def("__dir__", "($self, /)", effects::ANY, dir),
];

pub static GETSETS: &[GetSetDef] = &[
    getset("__name__", get_name, set_name),
    getset("__qualname__", get_qualname, set_qualname),
    getset("__module__", get_module, set_module),
    getset("__bases__", get_bases, set_bases),
    getset("__doc__", get_doc, set_doc),
    getset("__abstractmethods__", get_abstract, set_abstract),
    getset("__annotations__", get_annotations, set_annotations),
    getter("__mro__", get_mro),
    getter("__dict__", get_dict),
    getter("__base__", get_base),
    getter("__text_signature__", get_text_signature),
    getter("__flags__", get_flags),
    getter("__basicsize__", get_basicsize),
    getter("__itemsize__", get_itemsize),
    getter("__dictoffset__", get_dictoffset),
    getter("__weakrefoffset__", get_weakrefoffset),
];

/// Gives `type` its methods.
pub fn install(vm: &mut Vm) {
    vm.add_methods(vm.types.type_, METHODS);
    vm.add_getset(vm.types.type_, GETSETS);
}

fn as_type(v: Value) -> Gc<PyType> {
    Gc::from_value(v)
}

/// `type.__new__(metaclass, name, bases, namespace, **keywords)`.
fn new(vm: &mut Vm, a: &[Value]) -> R {
    let type_ = vm.types.type_;
    let meta = vm.new_class_arg(a[0], type_)?;
    let n = vm.tuple_len(a[1]);
    if n != 3 {
        let m = format!("type.__new__() takes exactly 3 arguments ({n} given)");
        return Err(vm.type_error(&m));
    }
    let args = vm.tuple_items(a[1]);
    let Some(name) = vm.as_str(args[0]) else {
        return Err(wrong_argument(vm, 1, "str", args[0]));
    };
    let Some(bases) = vm.as_tuple(args[1]) else {
        return Err(wrong_argument(vm, 2, "tuple", args[1]));
    };
    if !vm.is_dict(args[2]) {
        return Err(wrong_argument(vm, 3, "dict", args[2]));
    }
    for &b in vm.tuple_items(bases) {
        let n = vm.names.mro_entries;
        if !vm.is_type(b) && vm.getattr_opt(b, n)?.is_some() {
            return Err(
                vm.type_error("type() doesn't support MRO entry resolution; use types.new_class()")
            );
        }
    }
    let winner = most_derived_metaclass(vm, meta, bases)?;
    if winner != meta {
        let n = vm.names.new;
        let f = vm.lookup(winner, n);
        if f != vm.lookup(type_, n) {
            let f = vm.descr_get_any(f, Value::NULL, winner.value())?;
            let mut all = StackVec::new();
            all.push(winner.value());
            all.extend(&args.to_vec_on_stack());
            return vm.call_dict(f, all.as_slice(), a[2]);
        }
    }
    let bases = if vm.tuple_len(bases) == 0 {
        let object = vm.types.object.value();
        vm.new_tuple(&[object])
    } else {
        bases
    };
    type_new(vm, winner, name, bases, args[2], a[2])
}

fn wrong_argument(vm: &mut Vm, i: usize, want: &str, got: Value) -> crate::vm::Raised {
    let m = format!(
        "type.__new__() argument {i} must be {want}, not {}",
        vm.class_name(got)
    );
    vm.type_error(&m)
}

/// The metaclass that all bases' metaclasses and `meta` are bases of.
fn most_derived_metaclass(vm: &mut Vm, meta: Gc<PyType>, bases: Value) -> R<Gc<PyType>> {
    let mut winner = meta;
    for &b in vm.tuple_items(bases) {
        let m = vm.class_of(b);
        if vm.is_subclass(winner, m) {
            continue;
        }
        if vm.is_subclass(m, winner) {
            winner = m;
            continue;
        }
        return Err(vm.type_error(
            "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the metaclasses of all its bases",
        ));
    }
    Ok(winner)
}

/// What `__slots__` asks for: mangled names in member order, and whether
/// `__dict__` is among them.
struct Slots {
    names: Value,
    dict: bool,
    weakref: bool,
}

fn read_slots(
    vm: &mut Vm,
    class_name: Value,
    base: Gc<PyType>,
    dict: Value,
    slots: Value,
) -> R<Slots> {
    let list = if vm.is_str(slots) {
        vm.new_list(&[slots])
    } else {
        vm.list_from_iterable(slots)?
    };
    let bd = vm.type_data(base);
    let variable = matches!(
        bd.layout,
        Layout::Int
            | Layout::IntSub
            | Layout::Bytes
            | Layout::BytesSub
            | Layout::Tuple
            | Layout::TupleSub
            | Layout::Type
    );
    if vm.list_len(list) > 0 && variable {
        let m = format!(
            "nonempty __slots__ not supported for subtype of '{}'",
            vm.type_name(base)
        );
        return Err(vm.type_error(&m));
    }
    let mut want_dict = false;
    let mut want_weakref = false;
    let names = vm.new_list(&[]);
    for i in 0..vm.list_len(list) {
        let item = vm.list_get(list, i);
        let Some(s) = vm.as_str(item) else {
            let m = format!(
                "__slots__ items must be strings, not '{}'",
                vm.class_name(item)
            );
            return Err(vm.type_error(&m));
        };
        let text = vm.str_to_string(s);
        if !is_identifier(&text) {
            return Err(vm.type_error("__slots__ must be identifiers"));
        }
        if text == "__dict__" {
            if bd.has_dict || want_dict {
                return Err(vm.type_error("__dict__ slot disallowed: we already got one"));
            }
            want_dict = true;
            continue;
        }
        if text == "__weakref__" {
            if want_weakref || bd.weakrefable || has_items(bd.layout) {
                return Err(vm.type_error(
                    "__weakref__ slot disallowed: either we already got one, or __itemsize__ != 0",
                ));
            }
            want_weakref = true;
            continue;
        }
        let mangled = mangle(&vm.str_to_string(class_name), &text);
        let name = vm.intern(&mangled);
        let n = vm.names;
        if name != n.qualname && name != n.classcell && vm.dict_get_str(dict, name).is_some() {
            let m = format!(
                "{} in __slots__ conflicts with class variable",
                vm.repr_string(name)?
            );
            return Err(vm.value_error(&m));
        }
        vm.list_append(names, name);
    }
    // A fixed order makes classes with the same slots alike.
    crate::list::sort(vm, names, Value::NULL, false)?;
    Ok(Slots {
        names,
        dict: want_dict,
        weakref: want_weakref,
    })
}

/// True for instances of variable size, which have no room for weak references.
fn has_items(layout: Layout) -> bool {
    matches!(
        layout,
        Layout::Int
            | Layout::IntSub
            | Layout::Bool
            | Layout::Bytes
            | Layout::BytesSub
            | Layout::Tuple
            | Layout::TupleSub
    )
}

fn is_identifier(s: &str) -> bool {
    let mut c = s.chars();
    c.next().is_some_and(|c| c == '_' || c.is_alphabetic())
        && c.all(|c| c == '_' || c.is_alphanumeric())
}

/// A private name as seen inside class `class`.
pub fn mangle(class: &str, name: &str) -> String {
    let stripped = class.trim_start_matches('_');
    if !name.starts_with("__") || name.ends_with("__") || name.contains('.') || stripped.is_empty()
    {
        return name.to_owned();
    }
    format!("_{stripped}{name}")
}

fn type_new(
    vm: &mut Vm,
    meta: Gc<PyType>,
    name: Value,
    bases: Value,
    namespace: Value,
    kwargs: Value,
) -> R {
    let dict = vm.new_dict();
    crate::dict_type::update(vm, dict, namespace)?;
    let base_items = vm.tuple_items(bases);
    let base = vm.best_base(base_items)?;
    let n = vm.names;
    let slots_value = vm.dict_get_str(dict, n.slots);
    let slots = if slots_value.is_null() {
        None
    } else {
        Some(read_slots(vm, name, base, dict, slots_value)?)
    };
    let bd = vm.type_data(base);
    let can_have_dict = !matches!(bd.layout, Layout::Type | Layout::Module);
    let want_dict = match &slots {
        // Instances of any base that has a `__dict__` have one.
        Some(s) => {
            s.dict
                || base_items
                    .iter()
                    .any(|&b| vm.type_data(as_type(b)).has_dict)
        }
        None => true,
    } && can_have_dict;
    if vm.text(name).iter().any(|c| c == 0) {
        return Err(vm.value_error("type name must not contain null characters"));
    }
    let doc = vm.dict_get_str(dict, n.doc);
    for text in [name, doc] {
        if text.is_some()
            && let Some(s) = vm.as_str(text)
        {
            crate::codecs::encode_with(vm, s, crate::codecs::Codec::Utf8, "strict")?;
        }
    }
    let qualname = vm.dict_get_str(dict, n.qualname);
    if qualname.is_some() && !vm.is_str(qualname) {
        let m = format!(
            "type __qualname__ must be a str, not {}",
            vm.class_name(qualname)
        );
        return Err(vm.type_error(&m));
    }
    // Both may be names of members, which come next.
    vm.dict_remove_str(dict, n.qualname);
    let cell = vm.dict_remove_str(dict, n.classcell);
    if cell.is_some() && vm.layout_of(cell) != Layout::Cell {
        let c = vm.class_of(cell).value();
        let m = format!(
            "__classcell__ must be a nonlocal cell, not {}",
            vm.repr_string(c)?
        );
        return Err(vm.type_error(&m));
    }
    let members = match &slots {
        Some(s) => vm.list_items(s.names).to_vec_on_stack(),
        None => StackVec::new(),
    };
    let gained_dict = want_dict && !bd.has_dict;
    let class = vm.make_class(meta, name, bases, dict, members.as_slice(), want_dict, 0)?;
    let t = as_type(class);
    if qualname.is_some() {
        t.qualname.set(qualname);
        vm.write_barrier(class);
    }
    fill_namespace(vm, t, dict);
    let own_dict = vm.dict_get_str(dict, n.dict).is_some();
    if gained_dict && !own_dict {
        vm.add_getset(t, crate::object::DICT_GETSET);
    }
    // Without `__slots__`, or by one, or from any base.
    let inherited = base_items
        .iter()
        .any(|&b| vm.type_data(as_type(b)).weakrefable);
    let own = slots.as_ref().is_none_or(|s| s.weakref);
    if !bd.weakrefable && !has_items(bd.layout) && (own || inherited) {
        vm.type_data(t).weakrefable = true;
        let name = vm.intern("__weakref__");
        if vm.dict_get_str(dict, name).is_null() {
            vm.add_getset(t, WEAKREF_GETSET);
        }
    }
    if cell.is_some() {
        let c = Gc::<PyCell>::from_value(cell);
        c.content.set(class);
        vm.write_barrier(cell);
    }
    if let Err(e) = renew_mro(vm, t) {
        vm.forget_subclass(t);
        return Err(e);
    }
    // The metaclass's `mro` may have looked names up in the unfinished class.
    vm.type_modified(t);
    let del = n.del;
    let finalizer = vm.lookup_uncached(t, del).1.is_some();
    vm.type_data(t).has_finalizer = finalizer;
    // The shape keeps the class alive, which bases name by address only.
    vm.root_shape(t);
    set_names(vm, t)?;
    run_init_subclass(vm, t, kwargs)?;
    Ok(class)
}

/// What every class's namespace has, whether or not the body set it.
fn fill_namespace(vm: &mut Vm, t: Gc<PyType>, dict: Value) {
    let n = vm.names;
    let module = vm.dict_get_str(dict, n.module);
    if module.is_null() {
        let globals = vm.current_globals();
        if globals.is_some() {
            let m = vm.dict_get_str(globals, n.name);
            if m.is_some() {
                vm.dict_set_str(dict, n.module, m);
                t.module.set(m);
            }
        }
    } else {
        t.module.set(module);
    }
    vm.write_barrier(t.value());
    if vm.dict_get_str(dict, n.doc).is_null() {
        let none = vm.none;
        vm.dict_set_str(dict, n.doc, none);
    }
    let new = vm.dict_get_str(dict, n.new);
    if new.is_some() && vm.layout_of(new) == Layout::Function {
        let w = vm.wrap(vm.types.staticmethod, new);
        vm.dict_set_str(dict, n.new, w);
    }
    for name in [n.init_subclass, n.class_getitem] {
        let f = vm.dict_get_str(dict, name);
        if f.is_some() && vm.layout_of(f) == Layout::Function {
            let w = vm.wrap(vm.types.classmethod, f);
            vm.dict_set_str(dict, name, w);
        }
    }
    if vm.dict_get_str(dict, n.eq).is_some() && vm.dict_get_str(dict, n.hash).is_null() {
        let none = vm.none;
        vm.dict_set_str(dict, n.hash, none);
    }
}

fn set_names(vm: &mut Vm, t: Gc<PyType>) -> R<()> {
    // `__set_name__` may change the namespace: walk over a copy.
    let copy = vm.dict_copy(t.dict.get());
    let mut pos = 0;
    while let Some((key, v)) = vm.dict_next(copy, &mut pos) {
        let n = vm.names.set_name;
        let f = vm.lookup_on(v, n);
        if f.is_null() {
            continue;
        }
        if vm.call_method_value(f, v, &[t.value(), key]).is_err() {
            let cause = vm.take_exc();
            let m = format!(
                "Error calling __set_name__ on '{}' instance {} in '{}'",
                vm.class_name(v),
                vm.repr_string(key)?,
                vm.type_name(t)
            );
            let e = vm.runtime_error(&m);
            let exc = Gc::<crate::layout::PyException>::from_value(vm.exc);
            exc.cause.set(cause);
            exc.context.set(cause);
            exc.suppress.set(Value::small(1));
            vm.write_barrier(vm.exc);
            return Err(e);
        }
    }
    Ok(())
}

fn run_init_subclass(vm: &mut Vm, t: Gc<PyType>, kwargs: Value) -> R<()> {
    let n = vm.names.init_subclass;
    let c = t.value();
    if !vm.tuple_items(t.mro.get()).contains(&c) {
        return Err(vm.type_error("super(type, obj): obj must be an instance or subtype of type"));
    }
    let f = crate::super_::super_lookup(vm, c, c, c, n)?;
    if f.is_some() {
        vm.call_dict(f, &[], kwargs)?;
    }
    Ok(())
}

impl Vm {
    /// Takes a class out of its bases' lists of subclasses.
    fn forget_subclass(&mut self, t: Gc<PyType>) {
        for &b in self.tuple_items(t.bases.get()) {
            let bits = t.value().bits();
            self.type_data(as_type(b)).subclasses.retain(|&s| s != bits);
        }
    }

    /// The MRO of a class, by its metaclass's `mro()` if that is overridden.
    fn invoke_mro(&mut self, t: Gc<PyType>) -> R {
        let meta = self.class_of(t.value());
        let n = self.names.mro_plain;
        let f = self.lookup(meta, n);
        if meta == self.types.type_ || f == self.lookup(self.types.type_, n) {
            let bases = self.tuple_items(t.bases.get());
            return self.compute_mro(t.value(), bases);
        }
        let r = self.call_method_value(f, t.value(), &[])?;
        let mro = self.tuple_from_iterable(r)?;
        // What instances are made of must be what the class says it is.
        let solid = self.solid_base(t);
        for &c in self.tuple_items(mro) {
            if !self.is_type(c) {
                let m = format!("mro() returned a non-class ('{}')", self.class_name(c));
                return Err(self.type_error(&m));
            }
            let base = self.solid_base(as_type(c));
            if !self.has_base(solid, base) {
                let m = format!(
                    "mro() returned base with unsuitable layout ('{}')",
                    self.type_name(as_type(c))
                );
                return Err(self.type_error(&m));
            }
        }
        Ok(mro)
    }

    /// Instances of a class just made start with room for this many attributes.
    pub fn hint_attributes(&mut self, t: Gc<PyType>, hint: u32) {
        let d = self.type_data(t);
        if !d.heap_type || !d.has_dict || hint == 0 {
            return;
        }
        let hint = (hint.min(24) as u16).max(d.inline_cap);
        let cap = hint + (d.slot_base + hint) % 2;
        if cap > d.inline_cap {
            d.inline_cap = cap;
            d.root_shape = std::ptr::null_mut();
            self.root_shape(t);
        }
    }
}

/// `__build_class__(func, name, *bases, metaclass=..., **keywords)`: what a class
/// statement calls.
pub fn build_class(vm: &mut Vm, a: &[Value]) -> R {
    let (func, name, orig_bases, kwargs) = (a[0], a[1], a[2], a[3]);
    if vm.layout_of(func) != Layout::Function {
        return Err(vm.type_error("__build_class__: func must be a function"));
    }
    if !vm.is_str(name) {
        return Err(vm.type_error("__build_class__: name is not a string"));
    }
    let bases = resolve_bases(vm, orig_bases)?;
    let n = vm.names;
    let mut meta = vm.dict_remove_str(kwargs, n.metaclass);
    if meta.is_null() {
        meta = match vm.tuple_items(bases).first() {
            Some(&b) => vm.class_of(b).value(),
            None => vm.types.type_.value(),
        };
    }
    if vm.is_type(meta) {
        meta = most_derived_metaclass(vm, as_type(meta), bases)?.value();
    }
    let ns = if meta == vm.types.type_.value() {
        vm.new_dict()
    } else {
        let prepare = vm.getattr_opt(meta, n.prepare)?;
        if prepare.is_null() {
            vm.new_dict()
        } else {
            let ns = vm.call_dict(prepare, &[name, bases], kwargs)?;
            if !vm.is_dict(ns) && vm.lookup_on(ns, n.getitem).is_null() {
                let who = if vm.is_type(meta) {
                    vm.type_name(as_type(meta))
                } else {
                    "<metaclass>".to_owned()
                };
                let m = format!(
                    "{who}.__prepare__() must return a mapping, not {}",
                    vm.class_name(ns)
                );
                return Err(vm.type_error(&m));
            }
            ns
        }
    };
    let f = Gc::<PyFunction>::from_value(func);
    let cell = (vm.hooks.run_code)(vm, f.code.get(), f.globals.get(), ns, f.closure.get())?;
    if bases != orig_bases {
        let key = vm.intern("__orig_bases__");
        vm.setitem(ns, key, orig_bases)?;
    }
    let class = vm.call_dict(meta, &[name, bases, ns], kwargs)?;
    if vm.is_type(class) {
        let hint = vm.code_data(f.code.get()).attr_hint;
        vm.hint_attributes(as_type(class), hint);
    }
    if vm.is_type(class) && vm.layout_of(cell) == Layout::Cell {
        let content = Gc::<PyCell>::from_value(cell).content.get();
        if content != class {
            let (nr, cr) = (vm.repr_string(name)?, vm.repr_string(class)?);
            if content.is_null() {
                let m = format!(
                    "__class__ not set defining {nr} as {cr}. Was __classcell__ propagated to type.__new__?"
                );
                return Err(vm.runtime_error(&m));
            }
            let m = format!(
                "__class__ set to {} defining {nr} as {cr}",
                vm.repr_string(content)?
            );
            return Err(vm.type_error(&m));
        }
    }
    Ok(class)
}

/// Bases with `__mro_entries__` replaced by what that returns; the same tuple if
/// there is none.
fn resolve_bases(vm: &mut Vm, bases: Value) -> R {
    let n = vm.names.mro_entries;
    let mut out = Value::NULL;
    for (i, &b) in vm.tuple_items(bases).iter().enumerate() {
        let f = if vm.is_type(b) {
            Value::NULL
        } else {
            vm.getattr_opt(b, n)?
        };
        if f.is_null() {
            if out.is_some() {
                vm.list_append(out, b);
            }
            continue;
        }
        let r = vm.call(f, &[bases])?;
        let Some(r) = vm.as_tuple(r) else {
            return Err(vm.type_error("__mro_entries__ must return a tuple"));
        };
        if out.is_null() {
            out = vm.new_list(&vm.tuple_items(bases)[..i]);
        }
        for &x in vm.tuple_items(r) {
            vm.list_append(out, x);
        }
    }
    Ok(if out.is_null() {
        bases
    } else {
        vm.list_to_tuple(out)
    })
}

fn init(vm: &mut Vm, a: &[Value]) -> R {
    let n = vm.tuple_len(a[1]);
    if n == 1 && vm.has_keywords(a[2]) {
        return Err(vm.type_error("type.__init__() takes no keyword arguments"));
    }
    if n != 1 && n != 3 {
        return Err(vm.type_error("type.__init__() takes 1 or 3 arguments"));
    }
    Ok(vm.none)
}

fn call(vm: &mut Vm, a: &[Value]) -> R {
    if !vm.has_keywords(a[2]) {
        return vm.instantiate(as_type(a[0]), vm.tuple_items(a[1]), Value::NULL);
    }
    let (n, k) = (vm.tuple_len(a[1]), vm.dict_len(a[2]));
    let all = vm.new_tuple_uninit(n + k);
    let names = vm.new_tuple_uninit(k);
    for (i, &v) in vm.tuple_items(a[1]).iter().enumerate() {
        vm.tuple_init(all, i, v);
    }
    let (mut pos, mut i) = (0, 0);
    while let Some((name, v)) = vm.dict_next(a[2], &mut pos) {
        vm.tuple_init(names, i, name);
        vm.tuple_init(all, n + i, v);
        i += 1;
    }
    vm.instantiate(as_type(a[0]), vm.tuple_items(all), names)
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let name = vm.type_full_name(as_type(a[0]));
    Ok(vm.new_str(&format!("<class '{name}'>")))
}

fn getattribute(vm: &mut Vm, a: &[Value]) -> R {
    let name = vm.attr_name(a[1])?;
    let v = vm.type_getattr(as_type(a[0]), name)?;
    if v.is_null() {
        return Err(vm.no_attribute(a[0], name));
    }
    Ok(v)
}

fn setattr(vm: &mut Vm, a: &[Value]) -> R {
    let name = vm.attr_name(a[1])?;
    vm.generic_setattr(a[0], name, a[2])?;
    Ok(vm.none)
}

fn delattr(vm: &mut Vm, a: &[Value]) -> R {
    let name = vm.attr_name(a[1])?;
    vm.generic_setattr(a[0], name, Value::NULL)?;
    Ok(vm.none)
}

fn mro(vm: &mut Vm, a: &[Value]) -> R {
    let bases = vm.tuple_items(as_type(a[0]).bases.get());
    let t = vm.compute_mro(a[0], bases)?;
    vm.list_from_iterable(t)
}

fn subclasses(vm: &mut Vm, a: &[Value]) -> R {
    let l = vm.new_list(&[]);
    let subs = &vm.type_data(as_type(a[0])).subclasses;
    for &bits in subs {
        vm.list_append(l, Value::from_bits(bits));
    }
    Ok(l)
}

fn instancecheck(vm: &mut Vm, a: &[Value]) -> R {
    let r = vm.isinstance_plain(a[1], a[0])?;
    Ok(vm.bool(r))
}

fn subclasscheck(vm: &mut Vm, a: &[Value]) -> R {
    let r = vm.issubclass_plain(a[1], a[0])?;
    Ok(vm.bool(r))
}

fn prepare(vm: &mut Vm, _: &[Value]) -> R {
    Ok(vm.new_dict())
}

fn dir(vm: &mut Vm, a: &[Value]) -> R {
    let all = vm.new_dict();
    crate::object::merge_class_dict(vm, all, a[0])?;
    vm.list_from_iterable(all)
}

/// Raises unless the class may be written to and `v` is no deletion.
fn check_set(vm: &mut Vm, t: Gc<PyType>, v: Value, name: &str) -> R<()> {
    if vm.type_data(t).immutable {
        let m = format!(
            "cannot set '{name}' attribute of immutable type '{}'",
            vm.type_name(t)
        );
        return Err(vm.type_error(&m));
    }
    if v.is_null() {
        let m = format!(
            "cannot delete '{name}' attribute of immutable type '{}'",
            vm.type_name(t)
        );
        return Err(vm.type_error(&m));
    }
    Ok(())
}

fn get_name(_: &mut Vm, t: Value) -> R {
    Ok(as_type(t).name.get())
}

fn set_name(vm: &mut Vm, t: Value, v: Value) -> R<()> {
    check_set(vm, as_type(t), v, "__name__")?;
    let Some(s) = vm.as_str(v) else {
        let m = format!(
            "can only assign string to {}.__name__, not '{}'",
            vm.type_name(as_type(t)),
            vm.class_name(v)
        );
        return Err(vm.type_error(&m));
    };
    if vm.text(s).iter().any(|c| c == 0) {
        return Err(vm.value_error("type name must not contain null characters"));
    }
    crate::codecs::encode_with(vm, s, crate::codecs::Codec::Utf8, "strict")?;
    as_type(t).name.set(s);
    vm.write_barrier(t);
    Ok(())
}

fn get_qualname(_: &mut Vm, t: Value) -> R {
    Ok(as_type(t).qualname.get())
}

fn set_qualname(vm: &mut Vm, t: Value, v: Value) -> R<()> {
    check_set(vm, as_type(t), v, "__qualname__")?;
    if !vm.is_str(v) {
        let m = format!(
            "can only assign string to {}.__qualname__, not '{}'",
            vm.type_name(as_type(t)),
            vm.class_name(v)
        );
        return Err(vm.type_error(&m));
    }
    as_type(t).qualname.set(v);
    vm.write_barrier(t);
    Ok(())
}

fn get_module(vm: &mut Vm, t: Value) -> R {
    let m = vm.type_module(as_type(t));
    if m.is_null() {
        return Err(vm.attribute_error("__module__"));
    }
    Ok(m)
}

fn set_module(vm: &mut Vm, t: Value, v: Value) -> R<()> {
    check_set(vm, as_type(t), v, "__module__")?;
    let n = vm.names.module;
    vm.dict_set_str(as_type(t).dict.get(), n, v);
    vm.type_modified(as_type(t));
    Ok(())
}

fn get_mro(vm: &mut Vm, t: Value) -> R {
    let m = as_type(t).mro.get();
    Ok(if m.is_null() { vm.none } else { m })
}

fn get_bases(_: &mut Vm, t: Value) -> R {
    Ok(as_type(t).bases.get())
}

fn get_base(vm: &mut Vm, t: Value) -> R {
    Ok(match vm.base_of(as_type(t)) {
        Some(b) => b.value(),
        None => vm.none,
    })
}

fn set_bases(vm: &mut Vm, t: Value, v: Value) -> R<()> {
    let c = as_type(t);
    check_set(vm, c, v, "__bases__")?;
    let name = vm.type_name(c);
    let Some(bases) = vm.as_tuple(v) else {
        let m = format!(
            "can only assign tuple to {name}.__bases__, not {}",
            vm.class_name(v)
        );
        return Err(vm.type_error(&m));
    };
    if vm.tuple_len(bases) == 0 {
        let m = format!("can only assign non-empty tuple to {name}.__bases__, not ()");
        return Err(vm.type_error(&m));
    }
    for &b in vm.tuple_items(bases) {
        if !vm.is_type(b) {
            let m = format!(
                "{name}.__bases__ must be tuple of classes, not '{}'",
                vm.class_name(b)
            );
            return Err(vm.type_error(&m));
        }
        // The MROs of bases may not be up to date: a metaclass's `mro` may be running.
        let complete = as_type(b).mro.get().is_some();
        if vm.is_subclass(as_type(b), c) || complete && vm.has_base(as_type(b), c) {
            return Err(vm.type_error("a __bases__ item causes an inheritance cycle"));
        }
    }
    let old_bases = c.bases.get();
    let new_base = vm.best_base(vm.tuple_items(bases))?;
    let old_base = vm.best_base_unchecked(vm.tuple_items(old_bases));
    let (a, b) = (vm.type_data(old_base), vm.type_data(new_base));
    let d = vm.type_data(c);
    let fits = a.layout == b.layout
        && a.payload_words == b.payload_words
        && (a.has_dict == b.has_dict || d.has_dict);
    if !fits {
        let m = format!(
            "__bases__ assignment: '{}' object layout differs from '{}'",
            vm.type_name(new_base),
            vm.type_name(old_base)
        );
        return Err(vm.type_error(&m));
    }
    c.bases.set(bases);
    vm.write_barrier(t);
    let undo = vm.new_list(&[]);
    if let Err(e) = recompute_mro(vm, c, undo) {
        for i in (0..vm.list_len(undo)).step_by(3) {
            let class = as_type(vm.list_get(undo, i));
            // Unless it has a newer one.
            if class.mro.get() == vm.list_get(undo, i + 1) {
                class.mro.set(vm.list_get(undo, i + 2));
                vm.write_barrier(class.value());
                vm.type_modified(class);
            }
        }
        if c.bases.get() == bases {
            c.bases.set(old_bases);
            vm.write_barrier(t);
        }
        return Err(e);
    }
    // A metaclass's `mro` may have assigned other bases meanwhile.
    if c.bases.get() == bases {
        for (tuple, add) in [(old_bases, false), (bases, true)] {
            for &b in vm.tuple_items(tuple) {
                let subclasses = &mut vm.type_data(as_type(b)).subclasses;
                subclasses.retain(|&s| s != t.bits());
                if add {
                    subclasses.push(t.bits());
                }
            }
        }
        vm.type_modified(c);
    }
    Ok(())
}

/// Gives a class the MRO that its metaclass says; false if a newer one was set
/// while that was asked.
fn renew_mro(vm: &mut Vm, t: Gc<PyType>) -> R<bool> {
    let old = t.mro.get();
    let new = vm.invoke_mro(t)?;
    if t.mro.get() != old {
        return Ok(false);
    }
    t.mro.set(new);
    vm.write_barrier(t.value());
    vm.type_modified(t);
    Ok(true)
}

/// Gives a class and its subclasses new MROs; `undo` gets classes, their new and
/// their old MROs.
fn recompute_mro(vm: &mut Vm, t: Gc<PyType>, undo: Value) -> R<()> {
    vm.enter_native()?;
    let old = t.mro.get();
    if !renew_mro(vm, t)? {
        return Ok(());
    }
    for v in [t.value(), t.mro.get(), old] {
        vm.list_append(undo, v);
    }
    // The list may change under a metaclass's `mro`; classes are never freed.
    let subclasses = vm.type_data(t).subclasses.clone();
    for s in subclasses {
        recompute_mro(vm, as_type(Value::from_bits(s)), undo)?;
    }
    Ok(())
}

pub(crate) fn get_dict(vm: &mut Vm, t: Value) -> R {
    let p = vm.new_instance(vm.types.mappingproxy);
    vm.store_word(p, 1, as_type(t).dict.get());
    Ok(p)
}

fn get_doc(vm: &mut Vm, t: Value) -> R {
    let n = vm.names.doc;
    let v = vm.dict_get_str(as_type(t).dict.get(), n);
    if v.is_null() {
        return Ok(vm.none);
    }
    let for_instances = matches!(vm.layout_of(v), Layout::GetSet | Layout::Member);
    if for_instances && !vm.type_data(as_type(t)).heap_type {
        return Ok(crate::docs::of(vm, as_type(t)));
    }
    vm.descr_get_any(v, Value::NULL, t)
}

fn set_doc(vm: &mut Vm, t: Value, v: Value) -> R<()> {
    check_set(vm, as_type(t), v, "__doc__")?;
    let n = vm.names.doc;
    vm.dict_set_str(as_type(t).dict.get(), n, v);
    vm.type_modified(as_type(t));
    Ok(())
}

fn get_abstract(vm: &mut Vm, t: Value) -> R {
    let n = vm.names.abstractmethods;
    let v = if t == vm.types.type_.value() {
        Value::NULL
    } else {
        vm.dict_get_str(as_type(t).dict.get(), n)
    };
    if v.is_null() {
        return Err(vm.no_attribute(t, n));
    }
    Ok(v)
}

fn set_abstract(vm: &mut Vm, t: Value, v: Value) -> R<()> {
    let n = vm.names.abstractmethods;
    let d = as_type(t).dict.get();
    let abstract_ = if v.is_null() {
        if vm.dict_remove_str(d, n).is_null() {
            return Err(vm.no_attribute(t, n));
        }
        false
    } else {
        let b = vm.truth(v)?;
        vm.dict_set_str(d, n, v);
        b
    };
    vm.type_data(as_type(t)).abstract_ = abstract_;
    vm.type_modified(as_type(t));
    Ok(())
}

fn get_annotations(vm: &mut Vm, t: Value) -> R {
    let n = vm.names.annotations;
    if !vm.type_data(as_type(t)).heap_type {
        return Err(vm.no_attribute(t, n));
    }
    let d = as_type(t).dict.get();
    let v = vm.dict_get_str(d, n);
    if v.is_some() {
        return vm.descr_get_any(v, Value::NULL, t);
    }
    let v = vm.new_dict();
    vm.dict_set_str(d, n, v);
    vm.type_modified(as_type(t));
    Ok(v)
}

fn set_annotations(vm: &mut Vm, t: Value, v: Value) -> R<()> {
    let n = vm.names.annotations;
    if vm.type_data(as_type(t)).immutable {
        let m = format!(
            "cannot set '__annotations__' attribute of immutable type '{}'",
            vm.type_name(as_type(t))
        );
        return Err(vm.type_error(&m));
    }
    let d = as_type(t).dict.get();
    if v.is_null() {
        if vm.dict_remove_str(d, n).is_null() {
            return Err(vm.attribute_error("__annotations__"));
        }
    } else {
        vm.dict_set_str(d, n, v);
    }
    vm.type_modified(as_type(t));
    Ok(())
}

fn get_text_signature(vm: &mut Vm, _: Value) -> R {
    Ok(vm.none)
}

/// CPython's `tp_flags`, as far as library code reads them.
fn get_flags(vm: &mut Vm, t: Value) -> R {
    let d = vm.type_data(as_type(t));
    let mut f: i64 = 1 << 12;
    for (bit, on) in [
        (5, d.pattern_sequence),
        (6, d.pattern_mapping),
        (8, d.immutable),
        (9, d.heap_type),
        (10, d.base_type),
        (11, d.method_descriptor),
        (17, d.method_descriptor),
        (20, d.abstract_),
        (
            24,
            matches!(d.layout, Layout::Int | Layout::IntSub | Layout::Bool),
        ),
        (25, d.layout == Layout::List),
        (26, matches!(d.layout, Layout::Tuple | Layout::TupleSub)),
        (27, matches!(d.layout, Layout::Bytes | Layout::BytesSub)),
        (28, matches!(d.layout, Layout::Str | Layout::StrSub)),
        (29, d.layout == Layout::Dict),
        (30, d.layout == Layout::Exception),
        (31, d.layout == Layout::Type),
    ] {
        f |= i64::from(on) << bit;
    }
    Ok(vm.new_int(f))
}

fn get_basicsize(vm: &mut Vm, t: Value) -> R {
    let words = vm.type_data(as_type(t)).payload_words;
    Ok(Value::small(i32::from(words) * 8 + 8))
}

fn get_itemsize(vm: &mut Vm, t: Value) -> R {
    Ok(Value::small(match vm.type_data(as_type(t)).layout {
        Layout::Tuple | Layout::TupleSub => 8,
        Layout::Int | Layout::IntSub | Layout::Bool => 4,
        Layout::Bytes | Layout::BytesSub => 1,
        Layout::Type => 40,
        _ => 0,
    }))
}

fn get_dictoffset(vm: &mut Vm, t: Value) -> R {
    let d = vm.type_data(as_type(t));
    Ok(Value::small(if d.has_dict {
        i32::from(d.slot_base) * 8 - 8
    } else {
        0
    }))
}

fn get_weakrefoffset(vm: &mut Vm, t: Value) -> R {
    let d = vm.type_data(as_type(t));
    Ok(Value::small(if d.weakrefable { 8 } else { 0 }))
}

/// The oldest weak reference, for classes made by a class statement.
static WEAKREF_GETSET: &[GetSetDef] = &[getter("__weakref__", |vm, v| {
    let mut first = vm.none;
    // SAFETY: an object; the closure allocates nothing.
    unsafe {
        vm.heap.weakrefs_of(v.ptr(), &mut |w| {
            if first == vm.none {
                first = w;
            }
        });
    }
    Ok(first)
})];
