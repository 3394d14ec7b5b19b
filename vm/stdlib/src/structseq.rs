//! Tuples with named fields, such as `os.stat_result` and `sys.flags`.
//!
//! The class is a subclass of `tuple` whose fields are descriptors that know
//! their index. Fields beyond the visible ones (`st_atime` as a float beside
//! the integer at index 7) are ordinary attributes of the instance.

use pyrite_machine::Value;
use pyrite_objects::layout::{Gc, Layout, PyType, PyValueSub, kind};
use pyrite_objects::native::{NativeDef, def, effects, static_def};
use pyrite_objects::types::TypeDef;
use pyrite_objects::vm::{R, Vm};

static GETTER_METHODS: [NativeDef; 3] = [
    static_def(
        "__new__",
        "($type, index, doc, /)",
        effects::ALLOC | effects::RAISES,
        getter_new,
    ),
    def(
        "__get__",
        "($self, instance, owner=None, /)",
        effects::READS | effects::RAISES,
        getter_get,
    ),
    def(
        "__set__",
        "($self, instance, value, /)",
        effects::RAISES,
        |vm, _| Err(vm.attribute_error("can't set attribute")),
    ),
];

/// Words of a getter: header, index, doc.
const GETTER_WORDS: usize = 3;

/// The class of descriptors that read a tuple's item (`_collections._tuplegetter`).
pub fn getter_class(vm: &mut Vm) -> Gc<PyType> {
    let slot = crate::slots::TUPLE_GETTER;
    if vm.statics[slot].is_some() {
        return Gc::from_value(vm.statics[slot]);
    }
    let t = vm.native_type(&TypeDef {
        module: "collections",
        layout: Layout::Library,
        kind: kind::VALUES,
        words: GETTER_WORDS,
        methods: &GETTER_METHODS,
        ..TypeDef::of::<PyValueSub>("_tuplegetter", Layout::Library)
    });
    vm.statics[slot] = t.value();
    let key = vm.intern("__doc__");
    let doc = vm.new_member(key, t, 2, false);
    vm.type_set(t, "__doc__", doc);
    t
}

fn new_getter(vm: &mut Vm, index: usize, doc: Value) -> Value {
    let class = getter_class(vm);
    let g = vm.new_instance(class);
    vm.store_word(g, 1, Value::int_unchecked(index as i64));
    vm.store_word(g, 2, doc);
    g
}

fn getter_new(vm: &mut Vm, a: &[Value]) -> R {
    let i = vm.index_i64(a[1], true)?;
    Ok(new_getter(vm, i.max(0) as usize, a[2]))
}

fn getter_get(vm: &mut Vm, a: &[Value]) -> R {
    if a[1] == vm.none {
        return Ok(a[0]);
    }
    let i = vm.word(a[0], 1).int_value() as usize;
    let Some(t) = vm.as_tuple(a[1]) else {
        let m = format!(
            "descriptor for index '{i}' for tuple subclasses doesn't apply to '{}' object",
            vm.class_name(a[1])
        );
        return Err(vm.type_error(&m));
    };
    if i >= vm.tuple_len(t) {
        return Err(vm.index_error("tuple index out of range"));
    }
    Ok(vm.tuple_get(t, i))
}

/// The constructor of a class whose instances only the VM makes.
pub(crate) static FORBIDDEN: [NativeDef; 1] = [static_def(
    "__new__",
    "($type, /, *args, **kwargs)",
    effects::RAISES,
    forbidden,
)];

/// Makes a class; `fields` are the visible ones, `hidden` those beyond.
pub fn new_class(
    vm: &mut Vm,
    module: &str,
    name: &str,
    fields: &[&str],
    hidden: &[&str],
    instantiable: bool,
) -> Gc<PyType> {
    static NEW: [NativeDef; 1] = [static_def(
        "__new__",
        "($type, sequence, dict={})",
        effects::ANY,
        seq_new,
    )];
    static METHODS: [NativeDef; 2] = [
        def("__repr__", "($self, /)", effects::CALLS, repr),
        def("__reduce__", "($self, /)", effects::ALLOC, reduce),
    ];
    let tuple = vm.types.tuple;
    let t = vm.native_type(&TypeDef {
        module,
        base: Some(tuple),
        layout: Layout::TupleSub,
        kind: kind::VALUES,
        words: 2,
        has_dict: true,
        methods: &METHODS,
        ..TypeDef::of::<PyValueSub>(name, Layout::TupleSub)
    });
    vm.add_methods(t, if instantiable { &NEW } else { &FORBIDDEN });
    let none = vm.none;
    for (i, f) in fields.iter().enumerate() {
        if !f.is_empty() {
            let g = new_getter(vm, i, none);
            vm.type_set(t, f, g);
        }
    }
    let unnamed = fields.iter().filter(|f| f.is_empty()).count();
    let names = vm.new_list(&[]);
    for f in fields.iter().chain(hidden) {
        let f = if f.is_empty() { none } else { vm.intern(f) };
        vm.list_append(names, f);
    }
    let names = vm.list_to_tuple(names);
    vm.type_set(t, "_fields_", names);
    for (k, n) in [
        ("n_sequence_fields", fields.len()),
        ("n_fields", fields.len() + hidden.len()),
        ("n_unnamed_fields", unnamed),
    ] {
        vm.type_set(t, k, Value::int_unchecked(n as i64));
    }
    let shown = vm.new_list(&[]);
    for f in fields.iter().filter(|f| !f.is_empty()) {
        let f = vm.intern(f);
        vm.list_append(shown, f);
    }
    let shown = vm.list_to_tuple(shown);
    vm.type_set(t, "__match_args__", shown);
    t
}

/// An instance: `items` are the visible fields.
pub fn new(vm: &mut Vm, class: Gc<PyType>, items: &[Value]) -> Value {
    let t = vm.new_tuple(items);
    let v = vm.new_instance(class);
    vm.store_word(v, 1, t);
    v
}

fn field_names(vm: &mut Vm, class: Gc<PyType>) -> (Value, usize) {
    let key = vm.intern("_fields_");
    let names = vm.lookup(class, key);
    let key = vm.intern("n_sequence_fields");
    let n = vm.lookup(class, key);
    (names, n.int_value() as usize)
}

fn forbidden(vm: &mut Vm, a: &[Value]) -> R {
    let name = vm.type_full_name(Gc::from_value(a[0]));
    let m = format!("cannot create '{name}' instances");
    Err(vm.type_error(&m))
}

fn seq_new(vm: &mut Vm, a: &[Value]) -> R {
    let class: Gc<PyType> = Gc::from_value(a[0]);
    let (names, visible) = field_names(vm, class);
    let total = vm.tuple_len(names);
    let full_name = vm.type_full_name(class);
    if a[2].is_some() && !vm.is_dict(a[2]) {
        let m = format!("{full_name}() takes a dict as second arg, if any");
        return Err(vm.type_error(&m));
    }
    let items = match vm.tuple_from_iterable(a[1]) {
        Ok(t) => t,
        Err(e) => {
            if vm.exc_is(vm.types.type_error) {
                vm.exc = Value::NULL;
                return Err(vm.type_error("constructor requires a sequence"));
            }
            return Err(e);
        }
    };
    let n = vm.tuple_len(items);
    if n < visible || n > total {
        let (word, limit) = match (visible == total, n < visible) {
            (true, _) => ("a", visible),
            (false, true) => ("an at least", visible),
            (false, false) => ("an at most", total),
        };
        let m = format!("{full_name}() takes {word} {limit}-sequence ({n}-sequence given)");
        return Err(vm.type_error(&m));
    }
    let v = new(vm, class, &vm.tuple_items(items)[..visible]);
    let none = vm.none;
    for i in visible..total {
        let key = vm.tuple_get(names, i);
        let mut x = if i < n {
            vm.tuple_get(items, i)
        } else {
            Value::NULL
        };
        if x.is_null() && a[2].is_some() {
            x = vm.dict_get_str(a[2], key);
        }
        vm.instance_set(v, key, if x.is_null() { none } else { x });
    }
    Ok(v)
}

fn repr(vm: &mut Vm, a: &[Value]) -> R {
    let class = vm.class_of(a[0]);
    let (names, visible) = field_names(vm, class);
    let Some(items) = vm.as_tuple(a[0]) else {
        return Err(vm.type_error("descriptor '__repr__' requires a tuple"));
    };
    let mut out = vm.type_full_name(class);
    out.push('(');
    let mut named = 0;
    for i in 0..visible {
        if i > 0 {
            out.push_str(", ");
        }
        // An unnamed field shows the name of the hidden one that goes with it.
        while vm.tuple_get(names, named) == vm.none {
            named += 1;
        }
        out.push_str(&vm.str_to_string(vm.tuple_get(names, named)));
        out.push('=');
        named += 1;
        out.push_str(&vm.repr_string(vm.tuple_get(items, i))?);
    }
    out.push(')');
    Ok(vm.new_str(&out))
}

fn reduce(vm: &mut Vm, a: &[Value]) -> R {
    let class = vm.class_of(a[0]);
    let (names, visible) = field_names(vm, class);
    let d = vm.new_dict();
    for i in visible..vm.tuple_len(names) {
        let key = vm.tuple_get(names, i);
        let v = vm.instance_get(a[0], key);
        if v.is_some() {
            vm.dict_set_str(d, key, v);
        }
    }
    let items = vm.as_tuple(a[0]).unwrap_or(vm.empty_tuple);
    let args = vm.new_tuple(&[items, d]);
    Ok(vm.new_tuple(&[class.value(), args]))
}
