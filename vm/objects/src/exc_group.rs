//! `BaseExceptionGroup` and `ExceptionGroup`: construction, `split`, `subgroup`.

use crate::exceptions::{exception_class_arg, group, readonly, word};
use crate::layout::{Gc, Layout, PyException};
use crate::native::{GetSetDef, NativeDef, class_def, def, effects, getset, static_def};
use crate::vm::{R, Vm};
use pyrite_machine::Value;

pub(crate) static METHODS: &[NativeDef] = &[
    static_def("__new__", "(type, /, *args, **kwargs)", effects::ANY, new),
    def("__str__", "($self, /)", effects::ANY, str_),
    def("derive", "($self, excs, /)", effects::ANY, derive),
    def("split", "($self, condition, /)", effects::ANY, split),
    def("subgroup", "($self, condition, /)", effects::ANY, subgroup),
    class_def(
        "__class_getitem__",
        "($type, item, /)",
        effects::ANY,
        class_getitem,
    ),
];

pub(crate) static FIELDS: &[GetSetDef] = &[
    getset("message", word::<{ group::MESSAGE }>, readonly),
    getset("exceptions", word::<{ group::EXCEPTIONS }>, readonly),
];

fn class_getitem(vm: &mut Vm, a: &[Value]) -> R {
    crate::misc::generic_alias(vm, a[0], a[1])
}

fn new(vm: &mut Vm, a: &[Value]) -> R {
    let mut class = exception_class_arg(vm, a[0])?;
    let name = "BaseExceptionGroup.__new__()";
    let items = vm.tuple_items(a[1]);
    let &[message, excs] = items else {
        let n = items.len();
        let m = format!("{name} takes exactly 2 arguments ({n} given)");
        return Err(vm.type_error(&m));
    };
    if !vm.is_str(message) {
        let m = format!(
            "{name} argument 1 must be str, not {}",
            vm.class_name(message)
        );
        return Err(vm.type_error(&m));
    }
    let c = vm.class_of(excs);
    let sequence = !vm.is_dict(excs) && vm.lookup(c, vm.names.getitem).is_some();
    if !sequence && !vm.is_list(excs) && vm.as_tuple(excs).is_none() {
        return Err(vm.type_error("second argument (exceptions) must be a sequence"));
    }
    let list = vm.tuple_from_iterable(excs)?;
    if vm.tuple_len(list) == 0 {
        return Err(vm.value_error("second argument (exceptions) must be a non-empty sequence"));
    }
    let mut all_plain = true;
    for (i, &e) in vm.tuple_items(list).iter().enumerate() {
        if !vm.is_exception(e) {
            let m = format!("Item {i} of second argument (exceptions) is not an exception");
            return Err(vm.value_error(&m));
        }
        all_plain &= vm.is_instance(e, vm.types.exception);
    }
    let t = vm.types;
    if class == t.base_exception_group {
        if all_plain {
            class = t.exception_group;
        }
    } else if !all_plain {
        if class == t.exception_group {
            return Err(vm.type_error("Cannot nest BaseExceptions in an ExceptionGroup"));
        }
        if vm.is_subclass(class, t.exception) {
            let m = format!("Cannot nest BaseExceptions in '{}'", vm.type_name(class));
            return Err(vm.type_error(&m));
        }
    }
    let v = vm.new_instance(class);
    Gc::<PyException>::from_value(v).args.set(a[1]);
    vm.store_word(v, group::MESSAGE, message);
    vm.store_word(v, group::EXCEPTIONS, list);
    Ok(v)
}

fn str_(vm: &mut Vm, a: &[Value]) -> R {
    let message = vm.word(a[0], group::MESSAGE);
    let n = vm.tuple_len(vm.word(a[0], group::EXCEPTIONS));
    let s = if n == 1 { "" } else { "s" };
    let m = format!("{} ({n} sub-exception{s})", vm.str_string(message)?);
    Ok(vm.new_str(&m))
}

fn derive(vm: &mut Vm, a: &[Value]) -> R {
    let message = vm.word(a[0], group::MESSAGE);
    vm.call(vm.types.base_exception_group.value(), &[message, a[1]])
}

/// How a condition selects.
fn check_condition(vm: &mut Vm, cond: Value) -> R<()> {
    if vm.is_exception_class(cond) || vm.layout_of(cond) == Layout::Function {
        return Ok(());
    }
    if let Some(t) = vm.as_tuple(cond)
        && vm.tuple_items(t).iter().all(|&c| vm.is_exception_class(c))
    {
        return Ok(());
    }
    Err(vm.type_error("expected a function, exception type or tuple of exception types"))
}

fn matches(vm: &mut Vm, e: Value, cond: Value) -> R<bool> {
    if vm.layout_of(cond) == Layout::Function {
        let r = vm.call(cond, &[e])?;
        return vm.truth(r);
    }
    vm.exc_matches(e, cond)
}

/// A group like `orig` of some of its members (a list); None if there are none.
pub(crate) fn subset(vm: &mut Vm, orig: Value, members: Value) -> R {
    if vm.list_len(members) == 0 {
        return Ok(vm.none);
    }
    let name = vm.intern("derive");
    let new = vm.call_method(orig, name, &[members])?;
    if !vm.is_instance(new, vm.types.base_exception_group) {
        return Err(vm.type_error("derive must return an instance of BaseExceptionGroup"));
    }
    let (from, to) = (
        Gc::<PyException>::from_value(orig),
        Gc::<PyException>::from_value(new),
    );
    to.traceback.set(from.traceback.get());
    to.context.set(from.context.get());
    to.cause.set(from.cause.get());
    to.suppress.set(from.suppress.get());
    vm.write_barrier(new);
    let n = vm.names.notes;
    let notes = vm.getattr_opt(orig, n)?;
    if notes.is_some() && (vm.is_list(notes) || vm.as_tuple(notes).is_some()) {
        let copy = vm.list_from_iterable(notes)?;
        vm.setattr(new, n, copy)?;
    }
    Ok(new)
}

/// The matching part of `e` and, if `rest` is wanted, the others; None for nothing.
fn split_by(vm: &mut Vm, e: Value, cond: Value, rest: bool) -> R<(Value, Value)> {
    let none = vm.none;
    let mut parts = (none, none);
    vm.nested("in exceptiongroup_split_recursive", |vm| {
        parts = split_here(vm, e, cond, rest)?;
        Ok(none)
    })?;
    Ok(parts)
}

fn split_here(vm: &mut Vm, e: Value, cond: Value, rest: bool) -> R<(Value, Value)> {
    let none = vm.none;
    if matches(vm, e, cond)? {
        return Ok((e, none));
    }
    if !vm.is_instance(e, vm.types.base_exception_group) {
        return Ok((none, e));
    }
    let (yes, no) = (vm.new_list(&[]), vm.new_list(&[]));
    let members = vm.word(e, group::EXCEPTIONS);
    for &x in vm.tuple_items(members) {
        let (m, r) = split_by(vm, x, cond, rest)?;
        if m != none {
            vm.list_append(yes, m);
        }
        if rest && r != none {
            vm.list_append(no, r);
        }
    }
    let m = subset(vm, e, yes)?;
    let r = subset(vm, e, no)?;
    Ok((m, r))
}

fn split(vm: &mut Vm, a: &[Value]) -> R {
    check_condition(vm, a[1])?;
    let (m, r) = split_by(vm, a[0], a[1], true)?;
    Ok(vm.new_tuple(&[m, r]))
}

fn subgroup(vm: &mut Vm, a: &[Value]) -> R {
    check_condition(vm, a[1])?;
    Ok(split_by(vm, a[0], a[1], false)?.0)
}
