//! `types.GenericAlias` (`list[int]`) and `types.UnionType` (`int | str`).

use crate::layout::Layout;
use crate::native::{GetSetDef, NativeDef, def, effects, getter, static_def};
use crate::vm::{R, Vm};
use pyrite_machine::Value;

/// Words of an alias; see `misc::generic_alias`.
const ORIGIN: usize = 1;
const ARGS: usize = 2;
/// Word of a union: its members, a tuple.
const MEMBERS: usize = 1;

static ALIAS: &[NativeDef] = &[
    static_def(
        "__new__",
        "($type, origin, args, /)",
        effects::ALLOC,
        |vm, a| crate::misc::generic_alias(vm, a[1], a[2]),
    ),
    def("__repr__", "($self, /)", effects::CALLS, |vm, a| {
        let text = alias_text(vm, a[0])?;
        Ok(vm.new_str(&text))
    }),
    def("__getattr__", "($self, name, /)", effects::ANY, |vm, a| {
        let name = vm.attr_name(a[1])?;
        let origin = vm.word(a[0], ORIGIN);
        vm.getattr(origin, name)
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
        let same = vm.eq(vm.word(a[0], ORIGIN), vm.word(a[1], ORIGIN))?
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
    def("__reduce__", "($self, /)", effects::ALLOC, |vm, a| {
        let class = vm.class_of(a[0]).value();
        let args = vm.new_tuple(&[vm.word(a[0], ORIGIN), vm.word(a[0], ARGS)]);
        Ok(vm.new_tuple(&[class, args]))
    }),
];

static ALIAS_GETSET: &[GetSetDef] = &[
    getter("__origin__", |vm, v| Ok(vm.word(v, ORIGIN))),
    getter("__args__", |vm, v| Ok(vm.word(v, ARGS))),
    getter("__parameters__", |vm, v| {
        let args = vm.word(v, ARGS);
        parameters(vm, args)
    }),
    getter("__unpacked__", |vm, _| Ok(vm.false_)),
];

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
            text.push_str(&item_text(vm, m)?);
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

/// A type as aliases and unions show it.
fn item_text(vm: &mut Vm, v: Value) -> R<String> {
    vm.enter_native()?;
    if v == vm.ellipsis {
        return Ok("...".into());
    }
    if v == vm.types.none.value() {
        return Ok("None".into());
    }
    if vm.layout_of(v) == Layout::GenericAlias {
        return alias_text(vm, v);
    }
    if vm.is_type(v) {
        let module = vm.getattr_str(v, "__module__")?;
        let name = vm.getattr_str(v, "__qualname__")?;
        let name = vm.str_string(name)?;
        if vm.is_str(module) && !vm.str_is(module, "builtins") {
            return Ok(format!("{}.{name}", vm.str_to_string(module)));
        }
        return Ok(name);
    }
    vm.repr_string(v)
}

fn alias_text(vm: &mut Vm, v: Value) -> R<String> {
    let (origin, args) = (vm.word(v, ORIGIN), vm.word(v, ARGS));
    let mut text = item_text(vm, origin)?;
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
        if vm.is_list(a) {
            // A list of parameter types, as for Callable.
            text.push('[');
            for j in 0..vm.list_len(a) {
                if j > 0 {
                    text.push_str(", ");
                }
                let x = vm.list_get(a, j);
                text.push_str(&item_text(vm, x)?);
            }
            text.push(']');
        } else {
            text.push_str(&item_text(vm, a)?);
        }
    }
    text.push(']');
    Ok(text)
}

/// Type variables among `args`, each once, in order.
fn parameters(vm: &mut Vm, args: Value) -> R {
    let l = vm.new_list(&[]);
    for i in 0..vm.tuple_len(args) {
        let a = vm.tuple_get(args, i);
        if vm.is_type(a) {
            continue;
        }
        let subst = vm.intern("__typing_subst__");
        if vm.getattr_opt(a, subst)?.is_some() {
            add_once(vm, l, a)?;
            continue;
        }
        let key = vm.intern("__parameters__");
        let inner = vm.getattr_opt(a, key)?;
        if inner.is_some()
            && let Some(t) = vm.as_tuple(inner)
        {
            for j in 0..vm.tuple_len(t) {
                let x = vm.tuple_get(t, j);
                add_once(vm, l, x)?;
            }
        }
    }
    Ok(vm.list_to_tuple(l))
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

/// `args` with the parameters replaced by what `key` gives, as a tuple.
fn substitute(vm: &mut Vm, whole: Value, args: Value, key: Value) -> R {
    let params = parameters(vm, args)?;
    let n = vm.tuple_len(params);
    if n == 0 {
        let m = format!("{} is not a generic class", vm.repr_string(whole)?);
        return Err(vm.type_error(&m));
    }
    let given = match vm.as_tuple(key) {
        Some(t) => t,
        None => vm.new_tuple(&[key]),
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
    let value_of = |vm: &mut Vm, p: Value| -> R {
        for i in 0..n {
            let q = vm.tuple_get(params, i);
            if q == p || vm.eq(q, p)? {
                return Ok(vm.tuple_get(given, i));
            }
        }
        Ok(p)
    };
    let out = vm.new_list(&[]);
    for i in 0..vm.tuple_len(args) {
        let a = vm.tuple_get(args, i);
        let mut new = a;
        if !vm.is_type(a) {
            let subst = vm.intern("__typing_subst__");
            let f = vm.getattr_opt(a, subst)?;
            if f.is_some() {
                let x = value_of(vm, a)?;
                new = vm.call(f, &[x])?;
            } else {
                let name = vm.intern("__parameters__");
                let inner = vm.getattr_opt(a, name)?;
                let inner = if inner.is_some() {
                    vm.as_tuple(inner)
                } else {
                    None
                };
                if let Some(t) = inner.filter(|&t| vm.tuple_len(t) > 0) {
                    let l = vm.new_list(&[]);
                    for j in 0..vm.tuple_len(t) {
                        let p = vm.tuple_get(t, j);
                        let x = value_of(vm, p)?;
                        vm.list_append(l, x);
                    }
                    let t = vm.list_to_tuple(l);
                    new = vm.getitem(a, t)?;
                }
            }
        }
        vm.list_append(out, new);
    }
    Ok(vm.list_to_tuple(out))
}

fn alias_getitem(vm: &mut Vm, a: &[Value]) -> R {
    let args = vm.word(a[0], ARGS);
    let new = substitute(vm, a[0], args, a[1])?;
    crate::misc::generic_alias(vm, vm.word(a[0], ORIGIN), new)
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
