//! Calling from Rust.

use crate::layout::{Gc, Layout, PyCode, PyFunction, PyMethod, PyNative, PyType, PyWrapped};
use crate::native::{Binding, MAX_PARAMS, NativeDef};
use crate::vm::{R, Vm};
use pyrite_machine::Value;

impl Vm {
    /// Refuses the keyword arguments of a constructor of `base`, unless `class` overrides `other`, the constructor's
    /// second half, and so may want them.
    ///
    /// # Errors
    /// `TypeError: base() takes no keyword arguments`
    pub fn refuse_keywords(
        &mut self,
        class: Gc<PyType>,
        base: Gc<PyType>,
        other: Value,
        kwargs: Value,
    ) -> R<()> {
        if !self.has_keywords(kwargs)
            || class != base && self.lookup(class, other) != self.lookup(base, other)
        {
            return Ok(());
        }
        let name = self.type_name(base);
        Err(self.type_error(&format!("{name}() takes no keyword arguments")))
    }

    /// Are there keyword arguments in the dict (null: none)?
    #[inline]
    pub fn has_keywords(&self, kwargs: Value) -> bool {
        kwargs.is_some() && self.dict_len(kwargs) != 0
    }

    /// The next keyword argument in the dict (null: none).
    #[inline]
    pub fn next_keyword(&self, kwargs: Value, pos: &mut usize) -> Option<(Value, Value)> {
        if kwargs.is_null() {
            return None;
        }
        self.dict_next(kwargs, pos)
    }

    /// `f(*args)`.
    #[inline]
    pub fn call(&mut self, f: Value, args: &[Value]) -> R {
        self.call_kw(f, args, Value::NULL)
    }

    /// `f(...)`: `args` holds the positional arguments, then those named by the
    /// tuple `kwnames` (null: none).
    pub fn call_kw(&mut self, f: Value, args: &[Value], kwnames: Value) -> R {
        self.enter_native()?;
        match self.layout_of(f) {
            Layout::Function => (self.hooks.run_function)(self, f, args, kwnames),
            Layout::Native => self.call_native(f, args, kwnames),
            Layout::Method => {
                let m = Gc::<PyMethod>::from_value(f);
                self.call_with_self(m.func.get(), m.this.get(), args, kwnames)
            }
            Layout::Type => self.call_type(Gc::from_value(f), args, kwnames),
            Layout::StaticMethod => {
                let inner = Gc::<PyWrapped>::from_value(f).func.get();
                self.call_kw(inner, args, kwnames)
            }
            _ => {
                let class = self.class_of(f);
                let m = self.lookup(class, self.names.call);
                if m.is_null() {
                    let m = format!("'{}' object is not callable", self.tp_name(class));
                    return Err(self.type_error(&m));
                }
                if self.is_method(m) {
                    return self.call_with_self(m, f, args, kwnames);
                }
                let bound = self.descr_get_any(m, f, class.value())?;
                self.call_kw(bound, args, kwnames)
            }
        }
    }

    /// `f(*args, **kwargs)` with the keyword arguments in a dict (null: none).
    pub fn call_dict(&mut self, f: Value, args: &[Value], kwargs: Value) -> R {
        if !self.has_keywords(kwargs) {
            return self.call(f, args);
        }
        let (n, k) = (args.len(), self.dict_len(kwargs));
        let all = self.new_tuple_uninit(n + k);
        let names = self.new_tuple_uninit(k);
        for (i, &v) in args.iter().enumerate() {
            self.tuple_init(all, i, v);
        }
        let (mut pos, mut i) = (0, 0);
        while let Some((name, v)) = self.dict_next(kwargs, &mut pos) {
            self.tuple_init(names, i, name);
            self.tuple_init(all, n + i, v);
            i += 1;
        }
        self.call_kw(f, self.tuple_items(all), names)
    }

    /// `f(this, *args)`.
    pub fn call_with_self(&mut self, f: Value, this: Value, args: &[Value], kwnames: Value) -> R {
        let mut small = [Value::NULL; 9];
        if args.len() < small.len() {
            small[0] = this;
            small[1..=args.len()].copy_from_slice(args);
            return self.call_kw(f, &small[..=args.len()], kwnames);
        }
        let all = self.new_tuple_uninit(args.len() + 1);
        self.tuple_init(all, 0, this);
        for (i, &a) in args.iter().enumerate() {
            self.tuple_init(all, i + 1, a);
        }
        self.call_kw(f, self.tuple_items(all), kwnames)
    }

    /// Calls what a class lookup found, as a method of `this`.
    pub fn call_method_value(&mut self, f: Value, this: Value, args: &[Value]) -> R {
        if self.is_method(f) {
            return self.call_with_self(f, this, args, Value::NULL);
        }
        let class = self.class_of(this).value();
        let b = self.descr_get_any(f, this, class)?;
        self.call(b, args)
    }

    /// `obj.name(*args)`.
    pub fn call_method(&mut self, obj: Value, name: Value, args: &[Value]) -> R {
        let class = self.class_of(obj);
        if self.type_memo(class).plain_getattr
            && !matches!(
                self.layout_of(obj),
                Layout::Type | Layout::Module | Layout::Super
            )
        {
            let f = self.lookup(class, name);
            if f.is_some() && self.is_method(f) && self.instance_get(obj, name).is_null() {
                return self.call_with_self(f, obj, args, Value::NULL);
            }
        }
        let f = self.getattr(obj, name)?;
        self.call(f, args)
    }

    /// A special method looked up on the class, called; `None` if there is none.
    pub fn call_special(&mut self, obj: Value, name: Value, args: &[Value]) -> R<Option<Value>> {
        let class = self.class_of(obj);
        let f = self.lookup(class, name);
        if f.is_null() {
            return Ok(None);
        }
        self.call_method_value(f, obj, args).map(Some)
    }

    /// Calls a native function object.
    pub fn call_native(&mut self, f: Value, args: &[Value], kwnames: Value) -> R {
        // SAFETY: definitions are statics.
        let def: &'static NativeDef = unsafe { &*Gc::<PyNative>::from_value(f).def.get() };
        if def.intrinsic == crate::native::intrinsic::COLLECT {
            pyrite_gc::wipe_stack();
        }
        self.call_native_here(f, args, kwnames)
    }

    #[inline(never)]
    fn call_native_here(&mut self, f: Value, args: &[Value], kwnames: Value) -> R {
        let n = Gc::<PyNative>::from_value(f);
        // SAFETY: definitions are statics.
        let def: &'static NativeDef = unsafe { &*n.def.get() };
        let this = n.this.get();
        if this.is_some() {
            let mut small = [Value::NULL; 9];
            if args.len() < small.len() {
                small[0] = this;
                small[1..=args.len()].copy_from_slice(args);
                return self.invoke(def, n, &small[..=args.len()], kwnames);
            }
            let all = self.new_tuple_uninit(args.len() + 1);
            self.tuple_init(all, 0, this);
            for (i, &a) in args.iter().enumerate() {
                self.tuple_init(all, i + 1, a);
            }
            return self.invoke(def, n, self.tuple_items(all), kwnames);
        }
        self.invoke(def, n, args, kwnames)
    }

    #[inline]
    fn invoke(
        &mut self,
        def: &'static NativeDef,
        n: Gc<PyNative>,
        args: &[Value],
        kwnames: Value,
    ) -> R {
        let owner = n.owner.get();
        if owner.is_some() && def.binding == Binding::Method {
            match args.first() {
                Some(&s) if self.is_instance(s, Gc::from_value(owner)) => {}
                Some(&s) => {
                    let m = format!(
                        "descriptor '{}' for '{}' objects doesn't apply to a '{}' object",
                        def.name,
                        self.type_name(Gc::from_value(owner)),
                        self.class_name(s)
                    );
                    return Err(self.type_error(&m));
                }
                None => {
                    let m = format!(
                        "unbound method {}.{}() needs an argument",
                        self.type_name(Gc::from_value(owner)),
                        def.name
                    );
                    return Err(self.type_error(&m));
                }
            }
        }
        if def.binding == Binding::New {
            let class = Gc::from_value(owner);
            let Some(&c) = args.first() else {
                let m = format!("{}.__new__(): not enough arguments", self.tp_name(class));
                return Err(self.type_error(&m));
            };
            if c != owner {
                self.new_class_arg(c, class)?;
            }
        }
        let sig = n.signature();
        let run = |vm: &mut Vm, args: &[Value]| {
            vm.promising(def.name, def.effects, |vm| (def.func)(vm, args))
        };
        if sig.simple && kwnames.is_null() && args.len() == sig.positional {
            return run(self, args);
        }
        if sig.only_positional
            && kwnames.is_null()
            && (sig.required..=sig.positional).contains(&args.len())
            && sig.positional <= 8
        {
            let mut bound = [Value::NULL; 8];
            bound[..args.len()].copy_from_slice(args);
            return run(self, &bound[..sig.positional]);
        }
        let mut bound = [Value::NULL; MAX_PARAMS];
        let owner = if owner.is_some() {
            owner
        } else {
            n.module.get()
        };
        let count = self.bind_native(def, sig, owner, args, kwnames, &mut bound)?;
        run(self, &bound[..count])
    }

    /// `type.__call__`: `__new__`, then `__init__`.
    pub fn call_type(&mut self, t: Gc<PyType>, args: &[Value], kwnames: Value) -> R {
        let meta = self.class_of(t.value());
        if meta != self.types.type_ {
            let c = self.lookup(meta, self.names.call);
            let own = self.lookup(self.types.type_, self.names.call);
            if c != own {
                return self.call_with_self(c, t.value(), args, kwnames);
            }
        }
        self.instantiate(t, args, kwnames)
    }

    /// `type.__call__` itself.
    pub fn instantiate(&mut self, t: Gc<PyType>, args: &[Value], kwnames: Value) -> R {
        if t == self.types.type_ && kwnames.is_null() && args.len() == 1 {
            return Ok(self.shown_class(args[0]).value());
        }
        if t == self.types.type_ {
            let named = if kwnames.is_null() {
                0
            } else {
                self.tuple_len(kwnames)
            };
            if args.len() - named != 3 {
                return Err(self.type_error("type() takes 1 or 3 arguments"));
            }
        }
        let memo = self.type_memo(t);
        let init = self.lookup(t, self.names.init);
        let object_init = self.lookup(self.types.object, self.names.init);
        let obj = if memo.plain_new {
            if self.type_data(t).abstract_ {
                return Err(self.abstract_error(t));
            }
            if init == object_init && !args.is_empty() {
                let m = format!("{}() takes no arguments", self.type_name(t));
                return Err(self.type_error(&m));
            }
            self.new_instance(t)
        } else {
            let new = self.lookup(t, self.names.new);
            let f = self.descr_get_any(new, Value::NULL, t.value())?;
            self.call_with_self(f, t.value(), args, kwnames)?
        };
        if self.is_instance(obj, t) {
            let class = self.class_of(obj);
            let init = if class == t {
                init
            } else {
                self.lookup(class, self.names.init)
            };
            if init != object_init {
                let r = match self.layout_of(init) {
                    Layout::Function | Layout::Native => {
                        self.call_with_self(init, obj, args, kwnames)?
                    }
                    _ => {
                        let b = self.descr_get_any(init, obj, class.value())?;
                        self.call_kw(b, args, kwnames)?
                    }
                };
                if r != self.none {
                    let m = format!(
                        "__init__() should return None, not '{}'",
                        self.class_name(r)
                    );
                    return Err(self.type_error(&m));
                }
            }
        }
        Ok(obj)
    }

    /// The TypeError for instantiating an abstract class.
    pub fn abstract_error(&mut self, t: Gc<PyType>) -> crate::vm::Raised {
        let set = self.dict_get_str(t.dict.get(), self.names.abstractmethods);
        let mut names = Vec::new();
        if set.is_some() {
            if let Ok(l) = self.list_from_iterable(set) {
                names = self
                    .list_items(l)
                    .iter()
                    .map(|&v| self.str_to_string(v))
                    .collect();
            } else {
                self.exc = Value::NULL;
            }
        }
        names.sort();
        let s = if names.len() == 1 { "" } else { "s" };
        let m = format!(
            "Can't instantiate abstract class {} with abstract method{s} {}",
            self.type_name(t),
            names.join(", ")
        );
        self.type_error(&m)
    }

    /// A native function object.
    pub fn native_function(
        &mut self,
        def: &'static NativeDef,
        this: Value,
        owner: Value,
        module: Value,
    ) -> Value {
        let free = matches!(def.binding, Binding::Static | Binding::New);
        let class = if owner.is_null() || free {
            self.types.native
        } else if crate::function::is_slot_name(def.name) {
            self.types.slot_wrapper
        } else {
            self.types.wrapper
        };
        let n = self.alloc::<PyNative>(class);
        n.def.set(def);
        n.this.set(this);
        n.owner.set(owner);
        n.module.set(module);
        n.value()
    }

    /// A Python function of this code.
    pub fn new_function(&mut self, code: Value, globals: Value) -> Value {
        let f = self.alloc::<PyFunction>(self.types.function);
        let data = Gc::<PyCode>::from_value(code).data.get();
        f.code_data.set(data);
        f.code.set(code);
        f.globals.set(globals);
        let d = self.code_data(code);
        f.name.set(d.name);
        f.qualname.set(d.qualname);
        let doc = if d.has_docstring {
            // SAFETY: a docstring is constant 0.
            unsafe { *d.consts }
        } else {
            self.none
        };
        f.doc.set(doc);
        let m = self.dict_get_str(globals, self.names.name);
        f.module.set(if m.is_null() { self.none } else { m });
        f.value()
    }
}
