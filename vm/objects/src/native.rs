//! Functions and classes written in Rust: how they are declared.
//!
//! A table of [`NativeDef`]s states, for each function, its name, its signature
//! as CPython's `__text_signature__` would show it, its effects and the Rust
//! function. The signature drives argument binding: the Rust function gets one
//! [`Value`] per parameter, null where an optional one was left out (a default
//! in the signature is for people to read), a tuple for `*args` and a dict for
//! `**kwargs`. Spelled `**kwargs=`, the dict is null without keywords; `*_args` and
//! `**_kwargs` are taken and dropped. Effects feed interpreter, recorder and effect
//! table alike.
//!
//! ```ignore
//! pub static METHODS: &[NativeDef] = &[
//!     def("append", "($self, object, /)", effects::WRITES, append),
//! ];
//! fn append(vm: &mut Vm, a: &[Value]) -> R { vm.list_append(a[0], a[1]); Ok(vm.none) }
//! ```

use crate::layout::{Gc, PyNative};
use crate::vm::{R, Vm};
use pyrite_machine::Value;

/// A native function: bound arguments in, value out.
pub type NativeFn = fn(&mut Vm, &[Value]) -> R;
/// `__next__` without a StopIteration object: `None` at the end.
pub type StepFn = fn(&mut Vm, Value) -> R<Option<Value>>;
/// Reads an attribute.
pub type Getter = fn(&mut Vm, Value) -> R;
/// Writes an attribute (null: deletes it).
pub type Setter = fn(&mut Vm, Value, Value) -> R<()>;

/// What a function may do, beyond computing its result from its arguments.
///
/// The default for anything unknown is [`effects::ANY`].
pub mod effects {
    /// Result depends on the arguments' identity and immutable content alone.
    pub const PURE: u8 = 0;
    /// Reads mutable objects.
    pub const READS: u8 = 1;
    /// Writes mutable objects.
    pub const WRITES: u8 = 2 | READS;
    /// Allocates (may collect).
    pub const ALLOC: u8 = 4;
    /// May raise.
    pub const RAISES: u8 = 8;
    /// May run Python code.
    pub const CALLS: u8 = 16 | WRITES | ALLOC | RAISES;
    /// May look at frames.
    pub const FRAMES: u8 = 32;
    /// Everything.
    pub const ANY: u8 = CALLS | FRAMES;
}

/// How a native function in a class's namespace behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Binding {
    /// Module function or plain method: binds its receiver.
    Method,
    Class,
    Static,
    /// `__new__`, whose first argument is checked before the function is called:
    /// a class whose instances the defining class may make.
    New,
}

/// One native function's declaration.
pub struct NativeDef {
    pub name: &'static str,
    /// `($self, object, /)`, `($module, obj, *, key=None)`, `($type, iterable=(), /)`:
    /// the parameter marked with `$` is the receiver.
    pub signature: &'static str,
    pub effects: u8,
    pub func: NativeFn,
    pub binding: Binding,
    /// One of [`intrinsic`], if handlers know what it does.
    pub intrinsic: u8,
    pub doc: &'static str,
    /// For `__next__` (see [`next_def!`](crate::next_def)): what Rust code that
    /// iterates calls instead of `func`.
    pub step: Option<StepFn>,
}

/// Functions that bytecode handlers know: for common arguments the handler does
/// the work itself, so that a trace contains it.
pub mod intrinsic {
    pub const NONE: u8 = 0;
    pub const LEN: u8 = 1;
    pub const ISINSTANCE: u8 = 2;
    pub const LIST_APPEND: u8 = 3;
    pub const ABS: u8 = 4;
    pub const MIN: u8 = 5;
    pub const MAX: u8 = 6;
    /// Looks for dead objects: called on wiped stack, where no words of the calls
    /// before it lie. For handlers it is any other function.
    pub const COLLECT: u8 = 7;
    pub const SET_ADD: u8 = 8;
    pub const DICT_GET: u8 = 9;
    pub const DICT_SETDEFAULT: u8 = 10;
}

/// Declares a function or method.
pub const fn def(
    name: &'static str,
    signature: &'static str,
    effects: u8,
    func: NativeFn,
) -> NativeDef {
    declare(name, signature, effects, func, Binding::Method)
}

const fn declare(
    name: &'static str,
    signature: &'static str,
    effects: u8,
    func: NativeFn,
    binding: Binding,
) -> NativeDef {
    NativeDef {
        name,
        signature,
        effects,
        func,
        binding,
        intrinsic: intrinsic::NONE,
        doc: "",
        step: None,
    }
}

/// Declares `__new__` of a native class that may be subclassed: the function is
/// only called with a class that [`Vm::new_class_arg`] accepts.
pub const fn new_def(signature: &'static str, effects: u8, func: NativeFn) -> NativeDef {
    declare("__new__", signature, effects, func, Binding::New)
}

/// Declares `__next__` from a [`StepFn`].
#[macro_export]
macro_rules! next_def {
    ($step:path) => {
        $crate::native::NativeDef {
            step: Some($step),
            ..$crate::native::def(
                "__next__",
                "($self, /)",
                $crate::native::effects::CALLS,
                |vm, a| match $step(vm, a[0])? {
                    Some(v) => Ok(v),
                    None => Err(vm.stop_iteration($crate::Value::NULL)),
                },
            )
        }
    };
}

/// Declares a class method (`__new__` is declared with [`new_def`] or [`static_def`]).
pub const fn class_def(
    name: &'static str,
    signature: &'static str,
    effects: u8,
    func: NativeFn,
) -> NativeDef {
    declare(name, signature, effects, func, Binding::Class)
}

/// Declares a static method. `__new__` takes the class as its first parameter.
pub const fn static_def(
    name: &'static str,
    signature: &'static str,
    effects: u8,
    func: NativeFn,
) -> NativeDef {
    declare(name, signature, effects, func, Binding::Static)
}

impl NativeDef {
    /// The same, known to handlers as this one of [`intrinsic`].
    pub const fn known(mut self, which: u8) -> NativeDef {
        self.intrinsic = which;
        self
    }

    /// The same with a docstring.
    pub const fn doc(mut self, doc: &'static str) -> NativeDef {
        self.doc = doc;
        self
    }
}

impl Gc<PyNative> {
    /// The parsed signature, kept with the function object once it was asked for.
    #[inline]
    pub fn signature(self) -> &'static Signature {
        if self.parsed.get().is_null() {
            // SAFETY: definitions are statics.
            let text = unsafe { (*self.def.get()).signature };
            self.parsed.set(Box::leak(Box::new(Signature::parse(text))));
        }
        // SAFETY: leaked above.
        unsafe { &*self.parsed.get() }
    }
}

/// Parameters of a native function.
#[derive(Debug)]
pub struct Signature {
    pub params: Vec<Param>,
    /// Positional parameters (receiver included).
    pub positional: usize,
    /// Positional-only ones among them.
    pub posonly: usize,
    /// Positional ones without a default.
    pub required: usize,
    /// Index of the tuple of extra arguments.
    pub varargs: Option<usize>,
    /// Index of the dict of extra keywords.
    pub varkw: Option<usize>,
    /// The tuple of extra arguments is not made: nobody looks at it.
    pub ignores_args: bool,
    /// Without extra keywords no dict of them is made.
    pub lazy_kw: bool,
    /// No dict of extra keywords is made at all.
    pub ignores_kw: bool,
    /// The first parameter is the receiver.
    pub has_self: bool,
    /// Only positional parameters, all required.
    pub simple: bool,
    /// Only positional parameters.
    pub only_positional: bool,
}

/// One parameter.
#[derive(Debug)]
pub struct Param {
    pub name: &'static str,
    pub optional: bool,
    pub kwonly: bool,
    /// `*args` or `**kwargs`.
    pub star: bool,
}

impl Signature {
    /// True if no parameter can be given by name.
    fn positional_only(&self) -> bool {
        self.posonly == self.positional
            && self
                .params
                .iter()
                .all(|p| !p.kwonly || p.optional && p.star)
    }

    fn parse(text: &'static str) -> Signature {
        let inner = text
            .strip_prefix('(')
            .and_then(|t| t.strip_suffix(')'))
            .unwrap_or(text);
        let mut s = Signature {
            params: Vec::new(),
            positional: 0,
            posonly: 0,
            required: 0,
            varargs: None,
            varkw: None,
            ignores_args: false,
            lazy_kw: false,
            ignores_kw: false,
            has_self: false,
            simple: true,
            only_positional: true,
        };
        let mut kwonly = false;
        for part in split_top(inner) {
            let part = part.trim();
            match part {
                "" => {}
                "/" => s.posonly = s.positional,
                "*" => {
                    kwonly = true;
                    s.simple = false;
                }
                _ if part.starts_with("**") => {
                    s.varkw = Some(s.params.len());
                    s.simple = false;
                    let name = &part[2..];
                    s.lazy_kw = name.ends_with('=');
                    s.ignores_kw = name.starts_with('_');
                    s.params.push(Param {
                        name: name.trim_matches(['_', '=']),
                        optional: true,
                        kwonly: true,
                        star: true,
                    });
                }
                _ if part.starts_with('*') => {
                    s.varargs = Some(s.params.len());
                    s.simple = false;
                    kwonly = true;
                    s.ignores_args = part[1..].starts_with('_');
                    s.params.push(Param {
                        name: part[1..].trim_start_matches('_'),
                        optional: true,
                        kwonly: true,
                        star: true,
                    });
                }
                _ => {
                    let (name, optional) = match part.split_once('=') {
                        Some((n, _)) => (n.trim(), true),
                        None => (part, false),
                    };
                    let name = match name.strip_prefix('$') {
                        Some(n) => {
                            s.has_self = true;
                            n
                        }
                        None => name,
                    };
                    if !kwonly {
                        s.positional += 1;
                        if !optional {
                            s.required += 1;
                        } else {
                            s.simple = false;
                        }
                    }
                    s.params.push(Param {
                        name,
                        optional,
                        kwonly,
                        star: false,
                    });
                }
            }
        }
        s.only_positional = s.params.len() == s.positional;
        s
    }
}

/// The signature as `__text_signature__` shows it: without the marks that say how
/// rests are passed.
pub fn shown_signature(text: &str) -> String {
    // What takes all other keywords comes last.
    let text = match text.strip_suffix("=)") {
        Some(open) => format!("{open})"),
        None => text.to_owned(),
    };
    text.replace("*_", "*")
}

/// Splits at commas outside brackets and quotes.
fn split_top(s: &'static str) -> Vec<&'static str> {
    let mut out = Vec::new();
    let (mut depth, mut start, mut quote) = (0, 0, None);
    for (i, c) in s.char_indices() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                out.push(&s[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    out.push(&s[start..]);
    out
}

/// A getter (and setter) in a class's namespace.
pub struct GetSetDef {
    pub name: &'static str,
    pub get: Getter,
    pub set: Option<Setter>,
    pub doc: &'static str,
}

/// Declares a read-only attribute.
pub const fn getter(name: &'static str, get: Getter) -> GetSetDef {
    GetSetDef {
        name,
        get,
        set: None,
        doc: "",
    }
}

/// Declares an attribute that can be written (the setter gets null for `del`).
pub const fn getset(name: &'static str, get: Getter, set: Setter) -> GetSetDef {
    GetSetDef {
        name,
        get,
        set: Some(set),
        doc: "",
    }
}

/// A function as messages name it.
struct Named {
    /// `append`, or the class for `__new__` and `__init__`.
    plain: String,
    /// `list.append`, or as above.
    qualified: String,
}

impl Vm {
    fn name_native(&self, def: &NativeDef, owner: Value) -> Named {
        if !self.is_type(owner) {
            let qualified =
                if owner.is_some() && self.is_str(owner) && !self.str_is(owner, "builtins") {
                    format!("{}.{}", self.str_to_string(owner), def.name)
                } else {
                    def.name.to_owned()
                };
            return Named {
                plain: def.name.to_owned(),
                qualified,
            };
        }
        let class = self.type_name(Gc::from_value(owner));
        if matches!(def.name, "__new__" | "__init__" | "__call__") {
            return Named {
                plain: class.clone(),
                qualified: class,
            };
        }
        Named {
            plain: def.name.to_owned(),
            qualified: format!("{class}.{}", def.name),
        }
    }

    /// Binds `args` (positional, then those named by the tuple `kwnames`) to the
    /// parameters of `def`, into `out`; how many there are. `owner` is the class
    /// that defines it, else its module's name or null: messages name it.
    ///
    /// # Errors
    /// TypeError when the arguments do not fit the signature.
    pub fn bind_native(
        &mut self,
        def: &NativeDef,
        sig: &Signature,
        owner: Value,
        args: &[Value],
        kwnames: Value,
        out: &mut [Value; MAX_PARAMS],
    ) -> R<usize> {
        let nkw = if kwnames.is_some() {
            self.tuple_len(kwnames)
        } else {
            0
        };
        let npos = args.len() - nkw;
        let missing = npos < sig.positional && !sig.positional_only();
        if sig.simple && nkw == 0 && !missing {
            if npos != sig.positional {
                return Err(self.arity_error(def, sig, owner, npos));
            }
            out[..npos].copy_from_slice(args);
            return Ok(npos);
        }
        let n = sig.params.len();
        out[..n].fill(Value::NULL);
        if npos > sig.positional && sig.varargs.is_none() {
            return Err(self.arity_error(def, sig, owner, npos));
        }
        let direct = npos.min(sig.positional);
        out[..direct].copy_from_slice(&args[..direct]);
        if let Some(i) = sig.varargs
            && !sig.ignores_args
        {
            out[i] = self.new_tuple(&args[direct..npos]);
        }
        if let Some(i) = sig.varkw
            && !sig.ignores_kw
            && (nkw != 0 || !sig.lazy_kw)
        {
            out[i] = self.new_dict();
        }
        for k in 0..nkw {
            let name = self.tuple_get(kwnames, k);
            self.bind_keyword(def, sig, owner, name, args[npos + k], out)?;
        }
        for (i, p) in sig.params.iter().enumerate() {
            if !p.optional && out[i].is_null() {
                if i < sig.posonly || sig.positional_only() {
                    return Err(self.arity_error(def, sig, owner, npos));
                }
                let who = self.name_native(def, owner).plain;
                // CPython's `enumerate` parses its arguments by hand.
                let place = if who == "enumerate" {
                    String::new()
                } else {
                    format!(" (pos {})", i + 1 - usize::from(sig.has_self))
                };
                let m = format!("{who}() missing required argument '{}'{place}", p.name);
                return Err(self.type_error(&m));
            }
        }
        Ok(n)
    }

    fn bind_keyword(
        &mut self,
        def: &NativeDef,
        sig: &Signature,
        owner: Value,
        name: Value,
        v: Value,
        out: &mut [Value; MAX_PARAMS],
    ) -> R<()> {
        let slot = sig.params.iter().enumerate().position(|(i, p)| {
            (i >= sig.posonly || p.kwonly)
                && !(i == 0 && sig.has_self)
                && Some(i) != sig.varargs
                && Some(i) != sig.varkw
                && self.str_is(name, p.name)
        });
        if let Some(i) = slot {
            if out[i].is_null() {
                out[i] = v;
                return Ok(());
            }
            let m = format!(
                "argument for {}() given by name ('{}') and position ({})",
                self.name_native(def, owner).plain,
                sig.params[i].name,
                i + 1 - usize::from(sig.has_self)
            );
            return Err(self.type_error(&m));
        }
        if let Some(i) = sig.varkw {
            if !sig.ignores_kw {
                self.dict_set_str(out[i], name, v);
            }
            return Ok(());
        }
        let who = self.name_native(def, owner);
        let m = if sig.positional_only() {
            format!("{}() takes no keyword arguments", who.qualified)
        } else {
            format!(
                "'{}' is an invalid keyword argument for {}()",
                self.str_to_string(name),
                who.plain
            )
        };
        Err(self.type_error(&m))
    }

    fn arity_error(
        &mut self,
        def: &NativeDef,
        sig: &Signature,
        owner: Value,
        given: usize,
    ) -> crate::vm::Raised {
        let s = usize::from(sig.has_self || def.binding == Binding::Class);
        let (min, max, given) = (
            sig.required.saturating_sub(s),
            sig.positional.saturating_sub(s),
            given.saturating_sub(s),
        );
        let who = self.name_native(def, owner);
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        let constructor = matches!(def.name, "__new__" | "__init__" | "__call__");
        let operator = def.name.starts_with("__") && self.is_type(owner) && !constructor;
        let m = if !sig.positional_only() {
            let n = if given < min { min } else { max };
            let how = if min == max {
                "exactly"
            } else if given < min {
                "at least"
            } else {
                "at most"
            };
            let all = sig.params.iter().filter(|p| !p.star).count() - s;
            if given > all && all > 0 {
                format!(
                    "{}() takes at most {all} argument{} ({given} given)",
                    who.plain,
                    plural(all)
                )
            } else if max == 0 {
                format!("{}() takes no positional arguments", who.plain)
            } else {
                format!(
                    "{}() takes {how} {n} positional argument{} ({given} given)",
                    who.plain,
                    plural(n)
                )
            }
        } else if operator && min == max {
            format!("expected {min} argument{}, got {given}", plural(min))
        } else if max == 0 && sig.varargs.is_none() {
            format!("{}() takes no arguments ({given} given)", who.qualified)
        } else if sig.varargs.is_some() {
            format!(
                "{} expected at least {min} argument{}, got {given}",
                who.plain,
                plural(min)
            )
        } else if min == max {
            if min == 1 && !constructor {
                format!(
                    "{}() takes exactly one argument ({given} given)",
                    who.qualified
                )
            } else {
                format!(
                    "{} expected {min} argument{}, got {given}",
                    who.plain,
                    plural(min)
                )
            }
        } else {
            let (how, n) = if given < min {
                ("least", min)
            } else {
                ("most", max)
            };
            format!(
                "{} expected at {how} {n} argument{}, got {given}",
                who.plain,
                plural(n)
            )
        };
        self.type_error(&m)
    }
}

/// Most parameters a native function may have.
pub const MAX_PARAMS: usize = 20;

/// The six comparison methods `lt` ... `ge` as natives over one function
/// `fn(&mut Vm, CmpOp, &[Value]) -> R`.
#[macro_export]
macro_rules! comparisons {
    ($f:ident) => {
        $crate::comparisons!(@one $f, lt Lt, le Le, eq Eq, ne Ne, gt Gt, ge Ge);
    };
    (@one $f:ident, $($name:ident $op:ident),*) => {
        $(fn $name(vm: &mut Vm, a: &[Value]) -> R {
            $f(vm, $crate::CmpOp::$op, a)
        })*
    };
}
pub(crate) use crate::comparisons;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_say_what_may_be_given() {
        let s = Signature::parse("($self, key, default=None, /)");
        assert!(s.has_self && s.positional_only() && !s.simple);
        assert_eq!((s.positional, s.posonly, s.required), (3, 3, 2));
        let s = Signature::parse("($self, /, length=1, byteorder='big', *, signed=False)");
        assert_eq!((s.positional, s.posonly, s.required), (3, 1, 1));
        assert!(!s.positional_only() && s.params[3].kwonly);
        let s = Signature::parse("(sep=', ', *args, **kw)");
        assert_eq!((s.params.len(), s.varargs, s.varkw), (3, Some(1), Some(2)));
        assert!(Signature::parse("(a, b, /)").simple);
        assert!(Signature::parse("()").simple);
    }

    #[test]
    fn marks_of_signatures_are_not_shown() {
        let shown = [
            (
                "($self, iterable=(), /, **kwargs=)",
                "($self, iterable=(), /, **kwargs)",
            ),
            (
                "($type, /, *_args, **_kwargs)",
                "($type, /, *args, **kwargs)",
            ),
            (
                "(function, args, kwargs={}, /)",
                "(function, args, kwargs={}, /)",
            ),
            (
                "(func, args, kwargs=None, /)",
                "(func, args, kwargs=None, /)",
            ),
            ("(a, *, b=1)", "(a, *, b=1)"),
        ];
        for (written, want) in shown {
            assert_eq!(shown_signature(written), want);
        }
    }
}
