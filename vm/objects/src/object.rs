//! `object`: what every class inherits.
//!
//! `object.__new__` and `object.__init__` agree on who complains about extra
//! arguments: the one whose partner is overridden keeps silent, since the
//! partner consumed them. `__reduce_ex__` from protocol 2 on is done here, older
//! protocols by the library's `copyreg`.

use crate::layout::{Gc, Layout, PyType};
use crate::native::{GetSetDef, NativeDef, class_def, def, effects, getset, static_def};
use crate::shape::{Shape, set_shape, shape_of};
use crate::vm::{R, Raised, Vm};
use pyrite_machine::Value;

pub static METHODS: &[NativeDef] = &[
    static_def(
        "__new__",
        "($type, *args, **kwargs=)",
        effects::ALLOC | effects::RAISES,
        new,
    ),
    def(
        "__init__",
        "($self, /, *args, **kwargs=)",
        effects::RAISES,
        init,
    ),
    def("__repr__", "($self, /)", effects::ANY, repr),
    def("__str__", "($self, /)", effects::ANY, str_),
    def("__eq__", "($self, value, /)", effects::PURE, eq),
    def("__ne__", "($self, value, /)", effects::ANY, ne),
    def("__lt__", "($self, value, /)", effects::PURE, unordered),
    def("__le__", "($self, value, /)", effects::PURE, unordered),
    def("__gt__", "($self, value, /)", effects::PURE, unordered),
    def("__ge__", "($self, value, /)", effects::PURE, unordered),
    def("__hash__", "($self, /)", effects::PURE, hash),
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
    def("__dir__", "($self, /)", effects::ANY, dir),
    def(
        "__format__",
        "($self, format_spec, /)",
        effects::ANY,
        format,
    ),
    class_def(
        "__init_subclass__",
        "($type, /, *args, **kwargs=)",
        effects::RAISES,
        init_subclass,
    ),
    class_def(
        "__subclasshook__",
        "($type, /, *args)",
        effects::PURE,
        subclasshook,
    ),
    def("__reduce__", "($self, /)", effects::ANY, reduce),
    def(
        "__reduce_ex__",
        "($self, protocol, /)",
        effects::ANY,
        reduce_ex,
    ),
    def("__getstate__", "($self, /)", effects::ANY, getstate),
    def("__sizeof__", "($self, /)", effects::READS, sizeof),
];

pub static GETSETS: &[GetSetDef] = &[getset("__class__", get_class, set_class)];

/// `__dict__` of instances with attributes of their own.
pub static DICT_GETSET: &[GetSetDef] = &[getset("__dict__", get_dict, set_dict)];

/// Gives `object` its methods, and `__dict__` to the native classes whose
/// instances have attributes of their own.
pub fn install(vm: &mut Vm) {
    let t = vm.types;
    vm.add_methods(t.object, METHODS);
    vm.add_getset(t.object, GETSETS);
    for c in [
        t.function,
        t.base_exception,
        t.staticmethod,
        t.classmethod,
        t.namespace,
    ] {
        vm.add_getset(c, DICT_GETSET);
    }
    let doc = vm.new_str("The base class of the class hierarchy.\n\nWhen called, it accepts no arguments and returns a new featureless\ninstance that has no instance attributes and cannot be given any.\n");
    vm.type_set(t.object, "__doc__", doc);
}

impl Vm {
    /// The class argument of a native `__new__`, checked: a subclass of `base`
    /// whose instances `base` may make.
    pub fn new_class_arg(&mut self, class: Value, base: Gc<PyType>) -> R<Gc<PyType>> {
        if !self.is_type(class) {
            let name = self.tp_name(base);
            let m = format!(
                "{name}.__new__(X): X is not a type object ({})",
                self.class_name(class)
            );
            return Err(self.type_error(&m));
        }
        let c = Gc::<PyType>::from_value(class);
        if c == base {
            return Ok(c);
        }
        if !self.is_subclass(c, base) {
            let (name, cn) = (self.tp_name(base), self.tp_name(c));
            let m = format!("{name}.__new__({cn}): {cn} is not a subtype of {name}");
            return Err(self.type_error(&m));
        }
        // The nearest class written in Rust decides who may make instances.
        for &k in self.tuple_items(c.mro.get()) {
            let k = Gc::<PyType>::from_value(k);
            if self.type_data(k).heap_type {
                continue;
            }
            let n = self.names.new;
            if k != base && self.lookup(k, n) != self.lookup(base, n) {
                let (name, kn) = (self.tp_name(base), self.tp_name(k));
                let m = format!(
                    "{name}.__new__({}) is not safe, use {kn}.__new__()",
                    self.tp_name(c)
                );
                return Err(self.type_error(&m));
            }
            if self.type_data(k).layout == self.type_data(c).layout
                || crate::types::base_layout(self.type_data(k).layout) == self.type_data(c).layout
            {
                break;
            }
        }
        Ok(c)
    }

    /// An instance of a subclass of an immutable value type, holding `value`; the
    /// value itself if `class` is the type itself (`exact`).
    pub fn new_value(&mut self, class: Gc<PyType>, exact: Gc<PyType>, value: Value) -> Value {
        if class == exact {
            return value;
        }
        let v = self.new_instance(class);
        self.store_word(v, 1, value);
        v
    }

    /// `id(v)`: never changes while the object lives; pins it.
    pub fn id(&mut self, v: Value) -> u64 {
        if v.is_ptr() {
            self.heap_pin(v);
        }
        v.bits()
    }

    /// An attribute name handed in from Python, interned; TypeError if it is no `str`.
    pub fn attr_name(&mut self, name: Value) -> R {
        match self.as_str(name) {
            Some(s) => Ok(self.intern_value(s)),
            None => {
                let m = format!(
                    "attribute name must be string, not '{}'",
                    self.class_name(name)
                );
                Err(self.type_error(&m))
            }
        }
    }

    /// True if Python code cannot make instances of this class by calling it.
    pub fn not_instantiable(&mut self, t: Gc<PyType>) -> bool {
        let d = self.type_data(t);
        !d.heap_type && !d.base_type && {
            let n = self.names.new;
            self.lookup(t, n) == self.lookup(self.types.object, n)
        }
    }

    /// `module.qualname` of a class, `qualname` alone for built-in ones.
    pub fn type_full_name(&mut self, t: Gc<PyType>) -> String {
        let q = self.str_to_string(t.qualname.get());
        let m = self.type_module(t);
        if self.is_str(m) && !self.str_is(m, "builtins") {
            format!("{}.{q}", self.str_to_string(m))
        } else if m.is_null() || !self.is_str(m) {
            q
        } else {
            self.type_name(t)
        }
    }

    /// What `class.__module__` is, or null.
    pub fn type_module(&mut self, t: Gc<PyType>) -> Value {
        if self.type_data(t).heap_type {
            let n = self.names.module;
            self.dict_get_str(t.dict.get(), n)
        } else {
            t.module.get()
        }
    }

    /// The namespace of an object with attributes of its own, else null.
    pub fn instance_dict(&mut self, obj: Value) -> Value {
        match self.layout_of(obj) {
            Layout::Module => Gc::<crate::layout::PyModule>::from_value(obj).dict.get(),
            Layout::Type => Gc::<PyType>::from_value(obj).dict.get(),
            _ if self.has_instance_dict(obj) => self.to_dict_mode(obj),
            _ => Value::NULL,
        }
    }

    /// Imports a module of the library by its (undotted) name.
    pub fn import_module(&mut self, name: &str) -> R {
        let key = self.intern(name);
        if self.modules.is_some() {
            let m = self.dict_get_str(self.modules, key);
            if m.is_some() && m != self.none {
                return Ok(m);
            }
        }
        let n = self.names.import;
        let f = if self.builtins.is_null() {
            Value::NULL
        } else {
            self.dict_get_str(self.builtins, n)
        };
        if f.is_null() {
            return Err(self.import_error("__import__ not found"));
        }
        self.call(f, &[key])
    }
}

/// True if any argument is left over (`args` a tuple, `kwargs` a dict or null).
fn excess(vm: &Vm, args: Value, kwargs: Value) -> bool {
    vm.tuple_len(args) != 0 || vm.has_keywords(kwargs)
}

fn new(vm: &mut Vm, a: &[Value]) -> R {
    let object = vm.types.object;
    let class = vm.new_class_arg(a[0], object)?;
    if excess(vm, a[1], a[2]) {
        let n = vm.names;
        if vm.lookup(class, n.new) != vm.lookup(object, n.new) {
            return Err(vm.type_error(
                "object.__new__() takes exactly one argument (the type to instantiate)",
            ));
        }
        if vm.lookup(class, n.init) == vm.lookup(object, n.init) {
            let m = format!("{}() takes no arguments", vm.type_name(class));
            return Err(vm.type_error(&m));
        }
    }
    if vm.type_data(class).abstract_ {
        return Err(vm.abstract_error(class));
    }
    if vm.not_instantiable(class) && class != object {
        let m = format!("cannot create '{}' instances", vm.tp_name(class));
        return Err(vm.type_error(&m));
    }
    Ok(vm.new_instance(class))
}

fn init(vm: &mut Vm, a: &[Value]) -> R {
    if excess(vm, a[1], a[2]) {
        let (class, object, n) = (vm.class_of(a[0]), vm.types.object, vm.names);
        if vm.lookup(class, n.init) != vm.lookup(object, n.init) {
            return Err(vm.type_error(
                "object.__init__() takes exactly one argument (the instance to initialize)",
            ));
        }
        if vm.lookup(class, n.new) == vm.lookup(object, n.new) {
            let m = format!(
                "{}.__init__() takes exactly one argument (the instance to initialize)",
                vm.type_name(class)
            );
            return Err(vm.type_error(&m));
        }
    }
    Ok(vm.none)
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let class = vm.class_of(a[0]);
    let name = vm.type_full_name(class);
    let m = format!("<{name} object at {:#x}>", vm.id(a[0]));
    Ok(vm.new_str(&m))
}

fn str_(vm: &mut Vm, a: &[Value]) -> R {
    vm.repr(a[0])
}

fn eq(vm: &mut Vm, a: &[Value]) -> R {
    Ok(if a[0] == a[1] {
        vm.true_
    } else {
        vm.not_implemented
    })
}

fn ne(vm: &mut Vm, a: &[Value]) -> R {
    let (class, name) = (vm.class_of(a[0]), vm.names.eq);
    let f = vm.lookup(class, name);
    if f.is_null() {
        return Ok(vm.not_implemented);
    }
    let r = vm.call_comparison(f, a[0], &[a[1]])?;
    if r == vm.not_implemented {
        return Ok(r);
    }
    let same = vm.truth(r)?;
    Ok(vm.bool(!same))
}

fn unordered(vm: &mut Vm, _: &[Value]) -> R {
    Ok(vm.not_implemented)
}

fn hash(vm: &mut Vm, a: &[Value]) -> R {
    let h = vm.hash_identity(a[0]);
    Ok(vm.new_int(h))
}

fn getattribute(vm: &mut Vm, a: &[Value]) -> R {
    let name = vm.attr_name(a[1])?;
    // Whatever the class overrides, this is the built-in lookup, and for
    // classes, modules and `super` objects the one of instances.
    let v = match vm.layout_of(a[0]) {
        Layout::Type => class_as_instance(vm, a[0], name)?,
        _ => vm.generic_getattr(a[0], name)?,
    };
    if v.is_null() {
        return Err(vm.no_attribute(a[0], name));
    }
    Ok(v)
}

/// Lookup on a class as if it were any other instance of its metaclass.
fn class_as_instance(vm: &mut Vm, obj: Value, name: Value) -> R {
    let meta = vm.class_of(obj);
    let attr = vm.lookup(meta, name);
    if attr.is_some() {
        let ac = vm.class_of(attr);
        if vm.type_memo(ac).has_set {
            return vm.descr_get(attr, obj, meta.value());
        }
    }
    let own = vm.dict_get_str(Gc::<PyType>::from_value(obj).dict.get(), name);
    if own.is_some() || attr.is_null() {
        return Ok(own);
    }
    vm.descr_get_any(attr, obj, meta.value())
}

/// `object.__setattr__` must not reach around a class's own `__setattr__`.
fn check_bypass(vm: &mut Vm, obj: Value, what: &str) -> R<()> {
    if vm.is_type(obj) {
        let m = format!("can't apply this {what} to {} object", vm.class_name(obj));
        return Err(vm.type_error(&m));
    }
    Ok(())
}

fn setattr(vm: &mut Vm, a: &[Value]) -> R {
    check_bypass(vm, a[0], "__setattr__")?;
    let name = vm.attr_name(a[1])?;
    vm.generic_setattr(a[0], name, a[2])?;
    Ok(vm.none)
}

fn delattr(vm: &mut Vm, a: &[Value]) -> R {
    check_bypass(vm, a[0], "__delattr__")?;
    let name = vm.attr_name(a[1])?;
    vm.generic_setattr(a[0], name, Value::NULL)?;
    Ok(vm.none)
}

fn dir(vm: &mut Vm, a: &[Value]) -> R {
    let n = vm.names.dict;
    let own = vm.getattr_opt(a[0], n)?;
    let all = if own.is_some() && vm.is_dict(own) {
        vm.dict_copy(own)
    } else {
        vm.new_dict()
    };
    let n = vm.names.class;
    let class = vm.getattr_opt(a[0], n)?;
    if class.is_some() {
        merge_class_dict(vm, all, class)?;
    }
    vm.list_from_iterable(all)
}

/// Adds the names in a class's namespace and its bases' to the dict `all`.
pub fn merge_class_dict(vm: &mut Vm, all: Value, class: Value) -> R<()> {
    vm.enter_native()?;
    let n = vm.names;
    if vm.is_type(class) {
        let t = Gc::<PyType>::from_value(class);
        vm.dict_update_dict(all, t.dict.get())?;
        for &b in vm.tuple_items(t.bases.get()) {
            merge_class_dict(vm, all, b)?;
        }
        return Ok(());
    }
    let d = vm.getattr_opt(class, n.dict)?;
    if d.is_some() {
        crate::dict_type::update(vm, all, d)?;
    }
    let bases = vm.getattr_opt(class, n.bases)?;
    if bases.is_some()
        && let Some(t) = vm.as_tuple(bases)
    {
        for &b in vm.tuple_items(t) {
            merge_class_dict(vm, all, b)?;
        }
    }
    Ok(())
}

fn format(vm: &mut Vm, a: &[Value]) -> R {
    let Some(spec) = vm.as_str(a[1]) else {
        let m = format!(
            "__format__() argument must be str, not {}",
            vm.class_name(a[1])
        );
        return Err(vm.type_error(&m));
    };
    if !vm.text(spec).is_empty() {
        let m = format!(
            "unsupported format string passed to {}.__format__",
            vm.class_name(a[0])
        );
        return Err(vm.type_error(&m));
    }
    vm.str(a[0])
}

fn init_subclass(vm: &mut Vm, a: &[Value]) -> R {
    let (args, kw) = (vm.tuple_len(a[1]), vm.has_keywords(a[2]));
    if args == 0 && !kw {
        return Ok(vm.none);
    }
    let name = vm.str_to_string(Gc::<PyType>::from_value(a[0]).qualname.get());
    let m = if kw {
        format!("{name}.__init_subclass__() takes no keyword arguments")
    } else {
        format!("{name}.__init_subclass__() takes no arguments ({args} given)")
    };
    Err(vm.type_error(&m))
}

fn subclasshook(vm: &mut Vm, _: &[Value]) -> R {
    Ok(vm.not_implemented)
}

fn sizeof(vm: &mut Vm, a: &[Value]) -> R {
    Ok(vm.new_int(crate::heap::size_of_object(a[0]) as i64))
}

fn reduce(vm: &mut Vm, a: &[Value]) -> R {
    old_reduce(vm, a[0], 0)
}

fn old_reduce(vm: &mut Vm, obj: Value, protocol: i64) -> R {
    let copyreg = vm.import_module("copyreg")?;
    let f = vm.getattr_str(copyreg, "_reduce_ex")?;
    let p = vm.new_int(protocol);
    vm.call(f, &[obj, p])
}

fn reduce_ex(vm: &mut Vm, a: &[Value]) -> R {
    let protocol = vm.index_i64(a[1], true)?;
    let (class, object, n) = (vm.class_of(a[0]), vm.types.object, vm.names.reduce);
    if vm.lookup(class, n) != vm.lookup(object, n) || vm.instance_get(a[0], n).is_some() {
        return vm.call_method(a[0], n, &[]);
    }
    if protocol >= 2 {
        reduce_new_object(vm, a[0])
    } else {
        old_reduce(vm, a[0], protocol)
    }
}

fn cannot_pickle(vm: &mut Vm, obj: Value) -> Raised {
    let m = format!("cannot pickle '{}' object", vm.class_name(obj));
    vm.type_error(&m)
}

/// `(copyreg.__newobj__, (class, *args), state, list items, dict items)`.
fn reduce_new_object(vm: &mut Vm, obj: Value) -> R {
    let class = vm.class_of(obj);
    if vm.not_instantiable(class) {
        return Err(cannot_pickle(vm, obj));
    }
    let (args, kwargs) = new_arguments(vm, obj)?;
    let copyreg = vm.import_module("copyreg")?;
    let no_keywords = kwargs.is_null() || vm.dict_len(kwargs) == 0;
    let (maker, made_from) = if no_keywords {
        let f = vm.getattr_str(copyreg, "__newobj__")?;
        let n = if args.is_null() {
            0
        } else {
            vm.tuple_len(args)
        };
        let t = vm.new_tuple_uninit(n + 1);
        vm.tuple_init(t, 0, class.value());
        for i in 0..n {
            let v = vm.tuple_get(args, i);
            vm.tuple_init(t, i + 1, v);
        }
        (f, t)
    } else {
        let f = vm.getattr_str(copyreg, "__newobj_ex__")?;
        let t = vm.new_tuple(&[class.value(), args, kwargs]);
        (f, t)
    };
    let required = args.is_null() && !vm.is_list(obj) && !vm.is_dict(obj);
    let n = vm.names.getstate;
    let own = vm.lookup(class, n);
    let default = vm.lookup(vm.types.object, n);
    let state = if own == default && vm.instance_get(obj, n).is_null() {
        default_state(vm, obj, required)?
    } else {
        vm.call_method(obj, n, &[])?
    };
    let list_items = if vm.is_list(obj) {
        vm.get_iter(obj)?
    } else {
        vm.none
    };
    let dict_items = if vm.is_dict(obj) {
        let n = vm.names.items;
        let items = vm.call_method(obj, n, &[])?;
        vm.get_iter(items)?
    } else {
        vm.none
    };
    Ok(vm.new_tuple(&[maker, made_from, state, list_items, dict_items]))
}

/// Arguments for `__new__` when unpickling: a tuple and a dict, null if there are none.
fn new_arguments(vm: &mut Vm, obj: Value) -> R<(Value, Value)> {
    let n = vm.names;
    if let Some(r) = vm.call_special(obj, n.getnewargs_ex, &[])? {
        let Some(t) = vm.as_tuple(r) else {
            let m = format!(
                "__getnewargs_ex__ should return a tuple, not '{}'",
                vm.class_name(r)
            );
            return Err(vm.type_error(&m));
        };
        if vm.tuple_len(t) != 2 {
            let m = format!(
                "__getnewargs_ex__ should return a tuple of length 2, not {}",
                vm.tuple_len(t)
            );
            return Err(vm.value_error(&m));
        }
        let (args, kwargs) = (vm.tuple_get(t, 0), vm.tuple_get(t, 1));
        let Some(args) = vm.as_tuple(args) else {
            let m = format!(
                "first item of the tuple returned by __getnewargs_ex__ must be a tuple, not '{}'",
                vm.class_name(args)
            );
            return Err(vm.type_error(&m));
        };
        if !vm.is_dict(kwargs) {
            let m = format!(
                "second item of the tuple returned by __getnewargs_ex__ must be a dict, not '{}'",
                vm.class_name(kwargs)
            );
            return Err(vm.type_error(&m));
        }
        return Ok((args, kwargs));
    }
    if let Some(r) = vm.call_special(obj, n.getnewargs, &[])? {
        let Some(t) = vm.as_tuple(r) else {
            let m = format!(
                "__getnewargs__ should return a tuple, not '{}'",
                vm.class_name(r)
            );
            return Err(vm.type_error(&m));
        };
        return Ok((t, Value::NULL));
    }
    Ok((Value::NULL, Value::NULL))
}

fn getstate(vm: &mut Vm, a: &[Value]) -> R {
    default_state(vm, a[0], false)
}

/// A copy of the instance's namespace (None if empty), with the values of
/// `__slots__` in a second dict if there are any.
fn default_state(vm: &mut Vm, obj: Value, required: bool) -> R {
    let class = vm.class_of(obj);
    if required && vm.type_data(class).layout != Layout::Object {
        return Err(cannot_pickle(vm, obj));
    }
    let n = vm.names.dict;
    let dict = vm.getattr_opt(obj, n)?;
    let state = if dict.is_null() || dict == vm.none {
        vm.none
    } else if vm.is_dict(dict) {
        if vm.dict_len(dict) == 0 {
            vm.none
        } else {
            vm.dict_copy(dict)
        }
    } else {
        dict
    };
    let copyreg = vm.import_module("copyreg")?;
    let f = vm.getattr_str(copyreg, "_slotnames")?;
    let names = vm.call(f, &[class.value()])?;
    if names == vm.none || !vm.is_list(names) || vm.list_len(names) == 0 {
        return Ok(state);
    }
    let slots = vm.new_dict();
    for i in 0..vm.list_len(names) {
        let name = vm.list_get(names, i);
        let name = vm.attr_name(name)?;
        let v = vm.getattr_opt(obj, name)?;
        if v.is_some() {
            vm.dict_set_str(slots, name, v);
        }
    }
    if vm.dict_len(slots) == 0 {
        return Ok(state);
    }
    Ok(vm.new_tuple(&[state, slots]))
}

fn get_class(vm: &mut Vm, obj: Value) -> R {
    Ok(vm.shown_class(obj).value())
}

fn set_class(vm: &mut Vm, obj: Value, class: Value) -> R<()> {
    if class.is_null() {
        return Err(vm.type_error("can't delete __class__ attribute"));
    }
    if !vm.is_type(class) {
        let m = format!(
            "__class__ must be set to a class, not '{}' object",
            vm.class_name(class)
        );
        return Err(vm.type_error(&m));
    }
    let (old, new) = (vm.class_of(obj), Gc::<PyType>::from_value(class));
    if old == new {
        return Ok(());
    }
    let module = vm.types.module;
    let modules = vm.is_subclass(old, module) && vm.is_subclass(new, module);
    let (od, nd) = (vm.type_data(old), vm.type_data(new));
    if !modules && (od.immutable || nd.immutable) {
        return Err(vm.type_error(
            "__class__ assignment only supported for mutable types or ModuleType subclasses",
        ));
    }
    let same = od.layout == nd.layout
        && od.kind == nd.kind
        && od.payload_words == nd.payload_words
        && od.weakrefable == nd.weakrefable
        && (od.has_dict == nd.has_dict && od.slot_base == nd.slot_base || modules)
        && (modules || same_members(vm, old, new));
    if !same || !obj.is_ptr() {
        let m = format!(
            "__class__ assignment: '{}' object layout differs from '{}'",
            vm.type_name(new),
            vm.type_name(old)
        );
        return Err(vm.type_error(&m));
    }
    let s = shape_of(obj);
    let shape = if s.flags & Shape::NO_DICT != 0 {
        if od.slot_base != nd.slot_base {
            let m = format!(
                "__class__ assignment: '{}' object layout differs from '{}'",
                vm.type_name(new),
                vm.type_name(old)
            );
            return Err(vm.type_error(&m));
        }
        vm.root_shape(new).id()
    } else {
        vm.to_dict_mode(obj);
        let cap = shape_of(obj).inline_cap;
        vm.dict_shape(new, cap).id()
    };
    set_shape(obj, shape);
    Ok(())
}

/// True if instances of both classes got the same words from the same classes.
fn same_members(vm: &mut Vm, a: Gc<PyType>, b: Gc<PyType>) -> bool {
    let (a, b) = (member_owner(vm, a), member_owner(vm, b));
    if a == b {
        return true;
    }
    match (vm.base_of(a), vm.base_of(b)) {
        (Some(x), Some(y)) if x == y => same_slots(vm, a, b),
        _ => false,
    }
}

/// The nearest class up the line that adds something to instances.
fn member_owner(vm: &mut Vm, t: Gc<PyType>) -> Gc<PyType> {
    let mut t = t;
    while let Some(base) = vm.base_of(t) {
        let (d, b) = (vm.type_data(t), vm.type_data(base));
        let same = d.layout == b.layout
            && d.payload_words == b.payload_words
            && d.has_dict == b.has_dict
            && d.weakrefable == b.weakrefable;
        if !same {
            break;
        }
        t = base;
    }
    t
}

/// True if both classes name the same `__slots__` in the same words.
fn same_slots(vm: &mut Vm, a: Gc<PyType>, b: Gc<PyType>) -> bool {
    let words = vm.type_data(a).payload_words;
    let layout = vm.type_data(a).layout;
    (0..words as usize).all(|w| {
        let (x, y) = (member_at(vm, a, w), member_at(vm, b, w));
        match (x, y) {
            (None, None) => true,
            (Some(x), Some(y)) => vm.str_eq(x, y),
            _ => layout != Layout::Object,
        }
    })
}

/// Name of the `__slots__` member that lies in word `w` of instances.
fn member_at(vm: &mut Vm, t: Gc<PyType>, w: usize) -> Option<Value> {
    for &c in vm.tuple_items(t.mro.get()) {
        let c = Gc::<PyType>::from_value(c);
        if !vm.type_data(c).heap_type {
            continue;
        }
        let mut pos = 0;
        while let Some((k, v)) = vm.dict_next(c.dict.get(), &mut pos) {
            if vm.layout_of(v) == Layout::Member {
                let m = Gc::<crate::layout::PyMember>::from_value(v);
                if m.offset.get() == w && m.owner.get() == c.value() {
                    return vm.as_str(k);
                }
            }
        }
    }
    None
}

fn get_dict(vm: &mut Vm, obj: Value) -> R {
    if vm.is_type(obj) {
        return crate::type_::get_dict(vm, obj);
    }
    let d = vm.instance_dict(obj);
    if d.is_null() {
        let n = vm.names.dict;
        return Err(vm.no_attribute(obj, n));
    }
    Ok(d)
}

fn set_dict(vm: &mut Vm, obj: Value, d: Value) -> R<()> {
    if d.is_null() {
        let class = vm.class_of(obj);
        let plain = vm.layout_of(obj) != Layout::Exception && vm.type_data(class).heap_type;
        if !plain || !vm.has_instance_dict(obj) {
            return Err(vm.type_error("cannot delete __dict__"));
        }
        let fresh = vm.new_dict();
        vm.instance_set_dict(obj, fresh);
        return Ok(());
    }
    if !vm.is_dict(d) {
        let m = format!(
            "__dict__ must be set to a dictionary, not a '{}'",
            vm.class_name(d)
        );
        return Err(vm.type_error(&m));
    }
    if !vm.has_instance_dict(obj) {
        let n = vm.names.dict;
        return Err(vm.no_attribute(obj, n));
    }
    vm.instance_set_dict(obj, d);
    Ok(())
}
