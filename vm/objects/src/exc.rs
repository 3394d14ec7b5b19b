//! Raising from Rust.

use crate::layout::{Gc, Layout, PyException, PyType};
use crate::shape::shape_of;
use crate::vm::{R, Raised, Vm};
use pyrite_machine::Value;

macro_rules! raisers {
    ($($name:ident)*) => {
        /// How far an import is.
enum ImportState {
    Done,
    /// The module's code has not run to its end.
    Begun,
    /// A submodule's has not.
    SubmoduleBegun,
}

impl Vm {
            $(/// Raises the exception class of this name with a message.
            #[cold]
            pub fn $name(&mut self, message: &str) -> Raised {
                let class = self.types.$name;
                self.raise_str(class, message)
            })*
        }
    };
}

raisers! {
    type_error value_error index_error attribute_error name_error unbound_local_error runtime_error recursion_error
    not_implemented_error zero_division_error overflow_error assertion_error import_error memory_error system_error
    lookup_error eof_error os_error buffer_error reference_error stop_async_iteration
}

impl Vm {
    /// Raises `class(message)`.
    #[cold]
    pub fn raise_str(&mut self, class: Gc<PyType>, message: &str) -> Raised {
        let m = self.new_str(message);
        self.raise_args(class, &[m])
    }

    /// Raises an instance of a built-in exception class with these arguments,
    /// made without running Python code.
    #[cold]
    pub fn raise_args(&mut self, class: Gc<PyType>, args: &[Value]) -> Raised {
        let e = self.new_exception(class, args);
        self.raise(e)
    }

    /// An exception instance, made without running Python code.
    pub fn new_exception(&mut self, class: Gc<PyType>, args: &[Value]) -> Value {
        let v = self.new_instance(class);
        let e = Gc::<PyException>::from_value(v);
        let t = self.new_tuple(args);
        e.args.set(t);
        self.write_barrier(v);
        if self.type_data(class).payload_words as usize > crate::exceptions::VALUE {
            crate::exceptions::fill(self, v, t);
        }
        v
    }

    /// Raises an exception instance: sets its context, makes it pending.
    #[cold]
    pub fn raise(&mut self, e: Value) -> Raised {
        let handled = self.handled;
        if handled.is_some() && handled != e {
            self.set_context(e, handled);
        }
        self.exc = e;
        Raised
    }

    /// Sets `__context__`, breaking a cycle if there would be one.
    pub fn set_context(&mut self, e: Value, context: Value) {
        let mut o = context;
        let mut steps = 0;
        loop {
            let c = Gc::<PyException>::from_value(o).context.get();
            if c.is_null() || c == self.none {
                break;
            }
            if c == e {
                Gc::<PyException>::from_value(o).context.set(Value::NULL);
                break;
            }
            o = c;
            steps += 1;
            if steps > 100_000 {
                break;
            }
        }
        Gc::<PyException>::from_value(e).context.set(context);
        self.write_barrier(e);
    }

    /// KeyError with the key as its argument.
    #[cold]
    pub fn key_error(&mut self, key: Value) -> Raised {
        let class = self.types.key_error;
        self.raise_args(class, &[key])
    }

    /// StopIteration with a value (null: none).
    #[cold]
    pub fn stop_iteration(&mut self, value: Value) -> Raised {
        let class = self.types.stop_iteration;
        let args: &[Value] = if value.is_null() { &[] } else { &[value] };
        let e = self.new_exception(class, args);
        self.raise(e)
    }

    /// AttributeError as `getattr` raises it, with `name` and `obj` set.
    #[cold]
    pub fn no_attribute(&mut self, obj: Value, name: Value) -> Raised {
        let n = self.str_to_string(name);
        let m = if self.is_type(obj) {
            format!(
                "type object '{}' has no attribute '{n}'",
                self.type_name(Gc::from_value(obj))
            )
        } else if self.layout_of(obj) == Layout::Module {
            let d = Gc::<crate::layout::PyModule>::from_value(obj).dict.get();
            let mn = self.dict_get_str(d, self.names.name);
            if self.is_str(mn) {
                let mn = self.str_to_string(mn);
                let circular = "(most likely due to a circular import)";
                match self.import_state(d, name) {
                    ImportState::Done => format!("module '{mn}' has no attribute '{n}'"),
                    ImportState::Begun => format!(
                        "partially initialized module '{mn}' has no attribute '{n}' {circular}"
                    ),
                    ImportState::SubmoduleBegun => {
                        format!("cannot access submodule '{n}' of module '{mn}' {circular}")
                    }
                }
            } else {
                format!("module has no attribute '{n}'")
            }
        } else {
            format!("'{}' object has no attribute '{n}'", self.class_name(obj))
        };
        let class = self.types.attribute_error;
        let text = self.new_str(&m);
        let e = self.new_exception(class, &[text]);
        self.set_slot(e, self.names.name_plain, name);
        self.set_slot(e, self.names.obj, obj);
        self.raise(e)
    }

    /// How far the import of a module with namespace `ns` (or of its submodule
    /// `name`) is, by what importlib notes in its `__spec__`.
    fn import_state(&mut self, ns: Value, name: Value) -> ImportState {
        let spec = self.dict_get_str(ns, self.names.spec);
        if spec.is_null() || spec == self.none {
            return ImportState::Done;
        }
        let key = self.intern("_uninitialized_submodules");
        let found = (|| {
            let busy = self.getattr_opt(spec, self.names.initializing)?;
            if busy.is_some() && self.truth(busy)? {
                return Ok(ImportState::Begun);
            }
            let submodules = self.getattr_opt(spec, key)?;
            if submodules.is_some() && self.is_list(submodules) {
                for i in 0..self.list_len(submodules) {
                    if self.eq(self.list_get(submodules, i), name)? {
                        return Ok(ImportState::SubmoduleBegun);
                    }
                }
            }
            R::Ok(ImportState::Done)
        })();
        found.unwrap_or_else(|_| {
            self.exc = Value::NULL;
            ImportState::Done
        })
    }

    /// Sets a field of an exception that its class declares in Rust; any other
    /// name in the instance itself.
    pub fn set_slot(&mut self, obj: Value, name: Value, v: Value) {
        let field = self.lookup_on(obj, name);
        if field.is_some() && self.layout_of(field) == Layout::GetSet {
            // The fields' setters store whatever they are given.
            let _ = self.descr_set(field, obj, v);
        } else {
            self.instance_set(obj, name, v);
        }
    }

    /// Takes the pending exception.
    pub fn take_exc(&mut self) -> Value {
        std::mem::replace(&mut self.exc, Value::NULL)
    }

    /// True if the pending exception is an instance of `class`.
    pub fn exc_is(&self, class: Gc<PyType>) -> bool {
        self.exc.is_some() && self.is_instance(self.exc, class)
    }

    /// `r`, or `None` if it raised `class` (which then is forgotten).
    pub fn catch<T>(&mut self, r: R<T>, class: Gc<PyType>) -> R<Option<T>> {
        match r {
            Ok(v) => Ok(Some(v)),
            Err(e) => {
                if self.exc_is(class) {
                    self.exc = Value::NULL;
                    Ok(None)
                } else {
                    Err(e)
                }
            }
        }
    }

    /// True if the value is an exception instance.
    pub fn is_exception(&self, v: Value) -> bool {
        v.is_ptr() && shape_of(v).layout == Layout::Exception
    }

    /// True if the value is an exception class.
    pub fn is_exception_class(&self, v: Value) -> bool {
        self.is_type(v) && self.is_subclass(Gc::from_value(v), self.types.base_exception)
    }

    /// The instance to raise for `raise v`.
    pub fn make_raisable(&mut self, v: Value) -> R {
        if self.is_exception_class(v) {
            let e = self.call(v, &[])?;
            if !self.is_exception(e) {
                let m = format!(
                    "calling {} should have returned an instance of BaseException, not {}",
                    self.repr_string(v)?,
                    self.repr_class(e)?
                );
                return Err(self.type_error(&m));
            }
            return Ok(e);
        }
        if self.is_exception(v) {
            return Ok(v);
        }
        Err(self.type_error("exceptions must derive from BaseException"))
    }

    fn repr_class(&mut self, v: Value) -> R<String> {
        let c = self.class_of(v).value();
        self.repr_string(c)
    }

    /// `except v`: does the exception match the class or tuple of classes?
    pub fn exc_matches(&mut self, e: Value, pattern: Value) -> R<bool> {
        if let Some(t) = self.as_tuple(pattern) {
            for &c in self.tuple_items(t) {
                if !self.is_exception_class(c) {
                    return Err(self.type_error(
                        "catching classes that do not inherit from BaseException is not allowed",
                    ));
                }
            }
            return Ok(self
                .tuple_items(t)
                .iter()
                .any(|&c| self.is_instance(e, Gc::from_value(c))));
        }
        if !self.is_exception_class(pattern) {
            return Err(self.type_error(
                "catching classes that do not inherit from BaseException is not allowed",
            ));
        }
        Ok(self.is_instance(e, Gc::from_value(pattern)))
    }

    /// Runs `f`, which compares or prints something and may come back here for its
    /// parts: as deep as Python calls may go, and no deeper than the native stack.
    ///
    /// # Errors
    /// RecursionError that ends in `doing`; what `f` raises.
    pub fn nested(&mut self, doing: &str, f: impl FnOnce(&mut Vm) -> R) -> R {
        self.enter_native()?;
        if self.nesting >= self.depth_limit {
            let m = format!("maximum recursion depth exceeded {doing}");
            return Err(self.recursion_error(&m));
        }
        self.nesting += 1;
        let r = f(self);
        self.nesting -= 1;
        r
    }

    /// Checks that there is native stack left; RecursionError if not.
    #[inline]
    pub fn enter_native(&mut self) -> R<()> {
        let here = 0u64;
        if (&raw const here as u64) < self.native_limit {
            return Err(self.recursion_error("maximum recursion depth exceeded"));
        }
        Ok(())
    }
}
