//! `types.GenericAlias` (`list[int]`) and `types.UnionType` (`int | str`).

use crate::layout::Layout;
use crate::native::{GetSetDef, NativeDef, def, effects, getter, static_def};
use crate::next_def;
use crate::vm::{R, Vm};
use pyrite_machine::Value;

/// Words of an alias; see `misc::generic_alias`.
const ORIGIN: usize = 1;
const ARGS: usize = 2;
const STARRED: usize = 3;
/// Word of an alias's iterator: the alias it will unpack, or null.
const PENDING: usize = 1;
/// Word of a union: its members, a tuple.
const MEMBERS: usize = 1;

static ALIAS: &[NativeDef] = &[
    static_def(
        "__new__",
        "($type, origin, args, /)",
        effects::ALLOC,
        alias_new,
    ),
    def("__repr__", "($self, /)", effects::CALLS, |vm, a| {
        let text = alias_text(vm, a[0])?;
        Ok(vm.new_str(&text))
    }),
    def(
        "__getattribute__",
        "($self, name, /)",
        effects::ANY,
        alias_getattribute,
    ),
    def("__dir__", "($self, /)", effects::ANY, alias_dir),
    def("__iter__", "($self, /)", effects::ALLOC, |vm, a| {
        let it = vm.new_instance(vm.types.generic_alias_iter);
        vm.store_word(it, PENDING, a[0]);
        Ok(it)
    }),
    def(
        "__call__",
        "($self, /, *args, **kwargs)",
        effects::ANY,
        |vm, a| {
            let origin = vm.word(a[0], ORIGIN);
            let v = vm.call_dict(origin, vm.tuple_items(a[1]), a[2])?;
            let key = vm.intern("__orig_class__");
            if vm.setattr(v, key, a[0]).is_err() {
                if !vm.exc_is(vm.types.attribute_error) && !vm.exc_is(vm.types.type_error) {
                    return Err(crate::vm::Raised);
                }
                vm.exc = Value::NULL;
            }
            Ok(v)
        },
    ),
    def(
        "__mro_entries__",
        "($self, bases, /)",
        effects::ALLOC,
        |vm, a| {
            let origin = vm.word(a[0], ORIGIN);
            Ok(vm.new_tuple(&[origin]))
        },
    ),
    def(
        "__getitem__",
        "($self, key, /)",
        effects::ANY,
        alias_getitem,
    ),
    def("__eq__", "($self, value, /)", effects::CALLS, |vm, a| {
        if vm.layout_of(a[1]) != Layout::GenericAlias {
            return Ok(vm.not_implemented);
        }
        let same = starred(vm, a[0]) == starred(vm, a[1])
            && vm.eq(vm.word(a[0], ORIGIN), vm.word(a[1], ORIGIN))?
            && vm.eq(vm.word(a[0], ARGS), vm.word(a[1], ARGS))?;
        Ok(vm.bool(same))
    }),
    def("__hash__", "($self, /)", effects::CALLS, |vm, a| {
        let h = vm.hash(vm.word(a[0], ORIGIN))? ^ vm.hash(vm.word(a[0], ARGS))?;
        Ok(vm.new_int(if h == -1 { -2 } else { h }))
    }),
    def(
        "__instancecheck__",
        "($self, instance, /)",
        effects::RAISES,
        |vm, _| Err(vm.type_error("isinstance() argument 2 cannot be a parameterized generic")),
    ),
    def(
        "__subclasscheck__",
        "($self, cls, /)",
        effects::RAISES,
        |vm, _| Err(vm.type_error("issubclass() argument 2 cannot be a parameterized generic")),
    ),
    def("__reduce__", "($self, /)", effects::CALLS, alias_reduce),
];

static ALIAS_GETSET: &[GetSetDef] = &[
    getter("__origin__", |vm, v| Ok(vm.word(v, ORIGIN))),
    getter("__args__", |vm, v| Ok(vm.word(v, ARGS))),
    getter("__parameters__", |vm, v| {
        let args = vm.word(v, ARGS);
        parameters(vm, args)
    }),
    getter("__unpacked__", |vm, v| Ok(vm.bool(starred(vm, v)))),
    getter("__typing_unpacked_tuple_args__", |vm, v| {
        let whole = starred(vm, v) && vm.word(v, ORIGIN) == vm.types.tuple.value();
        Ok(if whole { vm.word(v, ARGS) } else { vm.none })
    }),
];

static ALIAS_ITER: &[NativeDef] = &[
    def("__iter__", "($self, /)", effects::PURE, |_, a| Ok(a[0])),
    next_def!(alias_iter_step),
    def("__reduce__", "($self, /)", effects::ALLOC, |vm, a| {
        let iter = vm.intern("iter");
        let iter = vm.dict_get_str(vm.builtins, iter);
        let rest = vm.word(a[0], PENDING);
        let rest = if rest.is_null() { vm.empty_tuple } else { rest };
        let args = vm.new_tuple(&[rest]);
        Ok(vm.new_tuple(&[iter, args]))
    }),
];

/// Attributes of an alias itself; all others are its origin's.
const OWN: [&str; 11] = [
    "__class__",
    "__origin__",
    "__args__",
    "__unpacked__",
    "__parameters__",
    "__typing_unpacked_tuple_args__",
    "__mro_entries__",
    "__reduce_ex__",
    "__reduce__",
    "__copy__",
    "__deepcopy__",
];

/// True for what stands for `*origin[args]`.
fn starred(vm: &Vm, v: Value) -> bool {
    vm.word(v, STARRED) == Value::small(1)
}

fn alias_new(vm: &mut Vm, a: &[Value]) -> R {
    let class = vm.new_class_arg(a[0], vm.types.generic_alias)?;
    let args = match vm.as_tuple(a[2]) {
        Some(t) => t,
        None => vm.new_tuple(&[a[2]]),
    };
    let v = vm.new_instance(class);
    vm.store_word(v, ORIGIN, a[1]);
    vm.store_word(v, ARGS, args);
    vm.store_word(v, STARRED, vm.none);
    Ok(v)
}

fn alias_getattribute(vm: &mut Vm, a: &[Value]) -> R {
    let name = vm.attr_name(a[1])?;
    if OWN.iter().any(|o| vm.str_is(name, o)) {
        let v = vm.generic_getattr(a[0], name)?;
        if v.is_null() {
            return Err(vm.no_attribute(a[0], name));
        }
        return Ok(v);
    }
    vm.getattr(vm.word(a[0], ORIGIN), name)
}

fn alias_dir(vm: &mut Vm, a: &[Value]) -> R {
    let origin = vm.word(a[0], ORIGIN);
    let dir = vm.intern("dir");
    let dir = vm.dict_get_str(vm.builtins, dir);
    let names = vm.call(dir, &[origin])?;
    let names = vm.list_from_iterable(names)?;
    for own in OWN {
        let key = vm.intern(own);
        if vm.getattr_opt(a[0], key)?.is_some() {
            add_once(vm, names, key)?;
        }
    }
    Ok(names)
}

fn alias_iter_step(vm: &mut Vm, it: Value) -> R<Option<Value>> {
    let alias = vm.word(it, PENDING);
    if alias.is_null() {
        return Ok(None);
    }
    vm.store_word(it, PENDING, Value::NULL);
    let new = crate::misc::generic_alias(vm, vm.word(alias, ORIGIN), vm.word(alias, ARGS))?;
    vm.store_word(new, STARRED, Value::small(1));
    Ok(Some(new))
}

fn alias_reduce(vm: &mut Vm, a: &[Value]) -> R {
    let (origin, args) = (vm.word(a[0], ORIGIN), vm.word(a[0], ARGS));
    if starred(vm, a[0]) {
        let plain = crate::misc::generic_alias(vm, origin, args)?;
        let next = vm.intern("next");
        let next = vm.dict_get_str(vm.builtins, next);
        let it = vm.get_iter(plain)?;
        let args = vm.new_tuple(&[it]);
        return Ok(vm.new_tuple(&[next, args]));
    }
    let class = vm.class_of(a[0]).value();
    let args = vm.new_tuple(&[origin, args]);
    Ok(vm.new_tuple(&[class, args]))
}

static OPERATORS: &[NativeDef] = &[
    def("__or__", "($self, value, /)", effects::CALLS, |vm, a| {
        union(vm, a[0], a[1])
    }),
    def("__ror__", "($self, value, /)", effects::CALLS, |vm, a| {
        union(vm, a[1], a[0])
    }),
];

static UNION: &[NativeDef] = &[
    def("__repr__", "($self, /)", effects::CALLS, |vm, a| {
        let members = vm.word(a[0], MEMBERS);
        let mut text = String::new();
        for i in 0..vm.tuple_len(members) {
            if i > 0 {
                text.push_str(" | ");
            }
            let m = vm.tuple_get(members, i);
            text.push_str(&member_text(vm, m)?);
        }
        Ok(vm.new_str(&text))
    }),
    def("__eq__", "($self, value, /)", effects::CALLS, |vm, a| {
        if vm.layout_of(a[1]) != Layout::Union {
            return Ok(vm.not_implemented);
        }
        let (x, y) = (as_set(vm, a[0])?, as_set(vm, a[1])?);
        let same = vm.eq(x, y)?;
        Ok(vm.bool(same))
    }),
    def("__hash__", "($self, /)", effects::CALLS, |vm, a| {
        let s = as_set(vm, a[0])?;
        let h = vm.hash(s)?;
        Ok(vm.new_int(h))
    }),
    def(
        "__instancecheck__",
        "($self, instance, /)",
        effects::ANY,
        |vm, a| {
            check_members(vm, a[0], "isinstance")?;
            let members = vm.word(a[0], MEMBERS);
            for i in 0..vm.tuple_len(members) {
                if vm.isinstance(a[1], vm.tuple_get(members, i))? {
                    return Ok(vm.true_);
                }
            }
            Ok(vm.false_)
        },
    ),
    def(
        "__subclasscheck__",
        "($self, cls, /)",
        effects::ANY,
        |vm, a| {
            if !vm.is_type(a[1]) {
                return Err(vm.type_error("issubclass() arg 1 must be a class"));
            }
            check_members(vm, a[0], "issubclass")?;
            let members = vm.word(a[0], MEMBERS);
            for i in 0..vm.tuple_len(members) {
                if vm.issubclass(a[1], vm.tuple_get(members, i))? {
                    return Ok(vm.true_);
                }
            }
            Ok(vm.false_)
        },
    ),
    def("__getitem__", "($self, key, /)", effects::ANY, |vm, a| {
        let members = vm.word(a[0], MEMBERS);
        let new = substitute(vm, a[0], members, a[1])?;
        let mut r = vm.tuple_get(new, 0);
        for i in 1..vm.tuple_len(new) {
            r = vm.binary(crate::ops::BinOp::Or, r, vm.tuple_get(new, i), false)?;
        }
        Ok(r)
    }),
];

static UNION_GETSET: &[GetSetDef] = &[
    getter("__args__", |vm, v| Ok(vm.word(v, MEMBERS))),
    getter("__parameters__", |vm, v| {
        let members = vm.word(v, MEMBERS);
        parameters(vm, members)
    }),
];

/// A type as aliases show it.
fn item_text(vm: &mut Vm, v: Value) -> R<String> {
    vm.enter_native()?;
    if v == vm.ellipsis {
        return Ok("...".into());
    }
    let generic =
        attribute(vm, v, "__origin__")?.is_some() && attribute(vm, v, "__args__")?.is_some();
    if !generic {
        let name = attribute(vm, v, "__qualname__")?;
        let module = attribute(vm, v, "__module__")?;
        if name.is_some() && module.is_some() && module != vm.none {
            let name = vm.str_string(name)?;
            let module = vm.str_string(module)?;
            return Ok(if module == "builtins" {
                name
            } else {
                format!("{module}.{name}")
            });
        }
    }
    vm.repr_string(v)
}

/// A member of a union as it shows it.
fn member_text(vm: &mut Vm, v: Value) -> R<String> {
    if v == vm.types.none.value() {
        return Ok("None".into());
    }
    item_text(vm, v)
}

fn alias_text(vm: &mut Vm, v: Value) -> R<String> {
    let (origin, args) = (vm.word(v, ORIGIN), vm.word(v, ARGS));
    let mut text = String::from(if starred(vm, v) { "*" } else { "" });
    text.push_str(&item_text(vm, origin)?);
    text.push('[');
    let n = vm.tuple_len(args);
    if n == 0 {
        text.push_str("()");
    }
    for i in 0..n {
        if i > 0 {
            text.push_str(", ");
        }
        let a = vm.tuple_get(args, i);
        text.push_str(&item_text(vm, a)?);
    }
    text.push(']');
    Ok(text)
}

/// Type variables among `args`, each once, in order.
fn parameters(vm: &mut Vm, args: Value) -> R {
    let l = vm.new_list(&[]);
    for i in 0..vm.tuple_len(args) {
        let a = vm.tuple_get(args, i);
        // A class may have these attributes for its instances.
        if vm.is_type(a) {
            continue;
        }
        if attribute(vm, a, "__typing_subst__")?.is_some() {
            add_same_once(vm, l, a);
            continue;
        }
        let inner = attribute(vm, a, "__parameters__")?;
        if let Some(t) = some_tuple(vm, inner) {
            for j in 0..vm.tuple_len(t) {
                let x = vm.tuple_get(t, j);
                add_same_once(vm, l, x);
            }
        }
    }
    Ok(vm.list_to_tuple(l))
}

/// An attribute, or null.
fn attribute(vm: &mut Vm, v: Value, name: &str) -> R {
    let name = vm.intern(name);
    vm.getattr_opt(v, name)
}

fn some_tuple(vm: &Vm, v: Value) -> Option<Value> {
    if v.is_null() { None } else { vm.as_tuple(v) }
}

fn add_same_once(vm: &mut Vm, l: Value, v: Value) {
    if !vm.list_items(l).contains(&v) {
        vm.list_append(l, v);
    }
}

fn add_once(vm: &mut Vm, l: Value, v: Value) -> R<()> {
    for i in 0..vm.list_len(l) {
        let x = vm.list_get(l, i);
        if x == v || vm.eq(x, v)? {
            return Ok(());
        }
    }
    vm.list_append(l, v);
    Ok(())
}

/// What stands between the brackets as a tuple, with `*tuple[a, b]` written out
/// unless its length is open.
fn unpacked(vm: &mut Vm, key: Value) -> R {
    let given = match vm.as_tuple(key) {
        Some(t) => t,
        None => vm.new_tuple(&[key]),
    };
    let l = vm.new_list(&[]);
    for i in 0..vm.tuple_len(given) {
        let a = vm.tuple_get(given, i);
        if !vm.is_type(a) {
            let inner = attribute(vm, a, "__typing_unpacked_tuple_args__")?;
            if let Some(t) = some_tuple(vm, inner) {
                let n = vm.tuple_len(t);
                if n == 0 || vm.tuple_get(t, n - 1) != vm.ellipsis {
                    for j in 0..n {
                        vm.list_append(l, vm.tuple_get(t, j));
                    }
                    continue;
                }
            }
        }
        vm.list_append(l, a);
    }
    Ok(vm.list_to_tuple(l))
}

/// `args` with the parameters replaced by what `key` gives, as a tuple.
fn substitute(vm: &mut Vm, whole: Value, args: Value, key: Value) -> R {
    let params = parameters(vm, args)?;
    let n = vm.tuple_len(params);
    if n == 0 {
        let m = format!("{} is not a generic class", vm.repr_string(whole)?);
        return Err(vm.type_error(&m));
    }
    let mut given = unpacked(vm, key)?;
    for i in 0..n {
        let p = vm.tuple_get(params, i);
        let prepare = attribute(vm, p, "__typing_prepare_subst__")?;
        if prepare.is_some() && prepare != vm.none {
            let t = match vm.as_tuple(given) {
                Some(t) => t,
                None => vm.new_tuple(&[given]),
            };
            given = vm.call(prepare, &[whole, t])?;
        }
    }
    let given = match vm.as_tuple(given) {
        Some(t) => t,
        None => vm.new_tuple(&[given]),
    };
    let k = vm.tuple_len(given);
    if k != n {
        let word = if k > n { "many" } else { "few" };
        let m = format!(
            "Too {word} arguments for {}; actual {k}, expected {n}",
            vm.repr_string(whole)?
        );
        return Err(vm.type_error(&m));
    }
    let out = vm.new_list(&[]);
    for i in 0..vm.tuple_len(args) {
        let a = vm.tuple_get(args, i);
        if vm.is_type(a) {
            vm.list_append(out, a);
            continue;
        }
        let mark = attribute(vm, a, "__typing_is_unpacked_typevartuple__")?;
        let several = mark.is_some() && vm.truth(mark)?;
        let subst = attribute(vm, a, "__typing_subst__")?;
        let new = if subst.is_some() {
            let at = vm.tuple_items(params).iter().position(|&p| p == a);
            match at {
                Some(j) => vm.call(subst, &[vm.tuple_get(given, j)])?,
                None => a,
            }
        } else {
            substitute_inner(vm, a, params, given)?
        };
        match vm.as_tuple(new) {
            Some(t) if several => {
                for j in 0..vm.tuple_len(t) {
                    vm.list_append(out, vm.tuple_get(t, j));
                }
            }
            _ => vm.list_append(out, new),
        }
    }
    Ok(vm.list_to_tuple(out))
}

/// An argument that is generic itself, with its own parameters replaced.
fn substitute_inner(vm: &mut Vm, arg: Value, params: Value, given: Value) -> R {
    let inner = attribute(vm, arg, "__parameters__")?;
    let Some(inner) = some_tuple(vm, inner).filter(|&t| vm.tuple_len(t) > 0) else {
        return Ok(arg);
    };
    let l = vm.new_list(&[]);
    for j in 0..vm.tuple_len(inner) {
        let p = vm.tuple_get(inner, j);
        let Some(i) = vm.tuple_items(params).iter().position(|&q| q == p) else {
            vm.list_append(l, p);
            continue;
        };
        let v = vm.tuple_get(given, i);
        let iterable = vm.lookup_on(p, vm.names.iter).is_some();
        match vm.as_tuple(v) {
            // A TypeVarTuple takes as many as there are.
            Some(t) if iterable => {
                for k in 0..vm.tuple_len(t) {
                    vm.list_append(l, vm.tuple_get(t, k));
                }
            }
            _ => vm.list_append(l, v),
        }
    }
    let key = vm.list_to_tuple(l);
    vm.getitem(arg, key)
}

fn alias_getitem(vm: &mut Vm, a: &[Value]) -> R {
    let args = vm.word(a[0], ARGS);
    let new = substitute(vm, a[0], args, a[1])?;
    let r = crate::misc::generic_alias(vm, vm.word(a[0], ORIGIN), new)?;
    vm.store_word(r, STARRED, vm.word(a[0], STARRED));
    Ok(r)
}

fn as_set(vm: &mut Vm, v: Value) -> R {
    let s = vm.new_set(vm.types.frozenset);
    let members = vm.word(v, MEMBERS);
    for i in 0..vm.tuple_len(members) {
        vm.set_add(s, vm.tuple_get(members, i))?;
    }
    Ok(s)
}

fn check_members(vm: &mut Vm, v: Value, function: &str) -> R<()> {
    let members = vm.word(v, MEMBERS);
    for i in 0..vm.tuple_len(members) {
        if vm.layout_of(vm.tuple_get(members, i)) == Layout::GenericAlias {
            let m = format!("{function}() argument 2 cannot be a parameterized generic");
            return Err(vm.type_error(&m));
        }
    }
    Ok(())
}

/// `a | b` of two types.
fn union(vm: &mut Vm, a: Value, b: Value) -> R {
    let good = |vm: &Vm, v: Value| {
        v == vm.none
            || vm.is_type(v)
            || matches!(vm.layout_of(v), Layout::GenericAlias | Layout::Union)
    };
    if !good(vm, a) || !good(vm, b) {
        return Ok(vm.not_implemented);
    }
    let l = vm.new_list(&[]);
    for v in [a, b] {
        if vm.layout_of(v) == Layout::Union {
            let members = vm.word(v, MEMBERS);
            for i in 0..vm.tuple_len(members) {
                let x = vm.tuple_get(members, i);
                add_once(vm, l, x)?;
            }
        } else {
            let x = if v == vm.none {
                vm.types.none.value()
            } else {
                v
            };
            add_once(vm, l, x)?;
        }
    }
    if vm.list_len(l) == 1 {
        return Ok(vm.list_get(l, 0));
    }
    let members = vm.list_to_tuple(l);
    let class = vm.types.union;
    let u = vm.new_instance(class);
    vm.store_word(u, MEMBERS, members);
    Ok(u)
}

/// Adds the methods.
pub fn install(vm: &mut Vm) {
    let t = vm.types;
    vm.add_methods(t.generic_alias, ALIAS);
    vm.add_getset(t.generic_alias, ALIAS_GETSET);
    vm.add_methods(t.generic_alias_iter, ALIAS_ITER);
    vm.add_methods(t.union, UNION);
    vm.add_getset(t.union, UNION_GETSET);
    for c in [t.type_, t.generic_alias, t.union] {
        vm.add_methods(c, OPERATORS);
    }
    let module = vm.intern("types");
    for c in [t.generic_alias, t.union] {
        c.module.set(module);
        vm.write_barrier(c.value());
    }
}
