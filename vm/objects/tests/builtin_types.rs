//! Built-in classes driven from Rust: a VM without an interpreter, so only
//! native methods run.

use pyrite_gc::{AllocState, Heap};
use pyrite_machine::Value;
use pyrite_objects::boot::{VmRoots, boot};
use pyrite_objects::layout::{Gc, KINDS, PyType};
use pyrite_objects::ops::BinOp;
use pyrite_objects::vm::{Config, Hooks, R, Raised, Vm};

fn no_code(vm: &mut Vm, what: &str) -> Raised {
    vm.system_error(what)
}

fn new_vm() -> &'static mut Vm {
    let heap = Heap::new(pyrite_gc::Config::default(), &KINDS).expect("address space for a heap");
    let hooks = Hooks {
        run_function: |vm, _, _, _| Err(no_code(vm, "no interpreter")),
        loop_function: |vm, _| vm.none,
        resume: |vm, _, _, _| Err(no_code(vm, "no interpreter")),
        run_code: |vm, _, _, _, _| Err(no_code(vm, "no interpreter")),
        compile: |vm, _, _, _, _, _| Err(no_code(vm, "no compiler")),
        invalidate: |_, _| {},
        signals: |_| Ok(()),
        forked: |_| {},
        thread_ended: |_| {},
        character_name: |_| None,
        named_character: |_| None,
    };
    let config = Config {
        seed: Some(1),
        ..Config::default()
    };
    let vm = Box::leak(Vm::new(heap, AllocState::new(), hooks, config));
    let raw: *mut Vm = vm;
    // SAFETY: the VM is leaked, so it outlives its heap.
    unsafe {
        heap.attach(&raw mut (*raw).alloc);
        heap.set_roots(Box::leak(Box::new(VmRoots(raw))));
    }
    boot(vm);
    vm
}

fn call(vm: &mut Vm, obj: Value, name: &str, args: &[Value]) -> R {
    let n = vm.intern(name);
    vm.call_method(obj, n, args)
}

/// The pending exception's class and message.
fn failure(vm: &mut Vm, r: R) -> String {
    assert_eq!(r, Err(Raised));
    let e = vm.take_exc();
    let args = Gc::<pyrite_objects::layout::PyException>::from_value(e)
        .args
        .get();
    let text = match vm.tuple_items(args).first() {
        Some(&a) => vm.str_to_string(a),
        None => String::new(),
    };
    format!("{}: {text}", vm.class_name(e))
}

fn ints(vm: &mut Vm, items: &[i64]) -> Value {
    let l = vm.new_list(&[]);
    for &i in items {
        let v = vm.new_int(i);
        vm.list_append(l, v);
    }
    l
}

fn shown(vm: &mut Vm, v: Value) -> String {
    vm.repr_string(v).expect("a repr of numbers and containers")
}

fn class(vm: &mut Vm, name: &str, bases: &[Value], slots: &[&str]) -> Value {
    let ns = vm.new_dict();
    if !slots.is_empty() {
        let l = vm.new_list(&[]);
        for s in slots {
            let s = vm.intern(s);
            vm.list_append(l, s);
        }
        vm.dict_set_str(ns, vm.names.slots, l);
    }
    let (n, b) = (vm.new_str(name), vm.new_tuple(bases));
    let t = vm.types.type_.value();
    vm.call(t, &[n, b, ns]).expect("a class")
}

#[test]
fn sort_is_stable_and_keeps_items_when_a_comparison_fails() {
    let vm = new_vm();
    let l = ints(vm, &(0..500).map(|i| (i * 7919) % 1009).collect::<Vec<_>>());
    call(vm, l, "sort", &[]).expect("ints sort");
    let sorted = vm
        .list_items(l)
        .windows(2)
        .all(|w| w[0].int_value() <= w[1].int_value());
    assert!(sorted);
    // Tuples take the general way.
    let t = vm.new_list(&[]);
    for i in 0..300 {
        let (a, b) = (Value::small((i * 37) % 10), Value::small(i));
        let p = vm.new_tuple(&[a, b]);
        vm.list_append(t, p);
    }
    call(vm, t, "sort", &[]).expect("tuples sort");
    let key = |v: Value| {
        (
            vm.tuple_get(v, 0).int_value(),
            vm.tuple_get(v, 1).int_value(),
        )
    };
    assert!(vm.list_items(t).windows(2).all(|w| key(w[0]) <= key(w[1])));
    let mixed = ints(vm, &[3, 1, 2]);
    let none = vm.none;
    vm.list_append(mixed, none);
    let r = call(vm, mixed, "sort", &[]);
    assert_eq!(
        failure(vm, r),
        "TypeError: '<' not supported between instances of 'NoneType' and 'int'"
    );
    assert_eq!(vm.list_len(mixed), 4);
    let two = Value::small(2);
    assert_eq!(call(vm, mixed, "count", &[two]), Ok(Value::small(1)));
}

#[test]
fn slices_read_write_and_delete() {
    let vm = new_vm();
    let l = ints(vm, &[0, 1, 2, 3, 4, 5]);
    let none = vm.none;
    let (a, b) = (Value::small(1), Value::small(3));
    let s = vm.new_slice(a, b, none);
    let part = vm.getitem(l, s).expect("a slice");
    assert_eq!(shown(vm, part), "[1, 2]");
    let with = ints(vm, &[7, 8, 9]);
    vm.setitem(l, s, with).expect("a slice assignment");
    assert_eq!(shown(vm, l), "[0, 7, 8, 9, 3, 4, 5]");
    let every_other = vm.new_slice(none, none, Value::small(-2));
    vm.delitem(l, every_other).expect("a slice deletion");
    assert_eq!(shown(vm, l), "[7, 9, 4]");
    let r = vm.setitem(l, every_other, with).map(|()| Value::NULL);
    assert_eq!(
        failure(vm, r),
        "ValueError: attempt to assign sequence of size 3 to extended slice of size 2"
    );
}

#[test]
fn iterators_notice_a_dict_or_set_that_changed_size() {
    let vm = new_vm();
    let d = vm.new_dict();
    let (one, two) = (Value::small(1), Value::small(2));
    vm.dict_set(d, one, one).expect("ints hash");
    let it = vm.get_iter(d).expect("dicts iterate");
    vm.dict_set(d, two, two).expect("ints hash");
    let r = vm.iter_next(it).map(|v| v.unwrap_or(Value::NULL));
    assert_eq!(
        failure(vm, r),
        "RuntimeError: dictionary changed size during iteration"
    );
    let s = vm.new_set(vm.types.set);
    vm.set_add(s, one).expect("ints hash");
    let it = vm.get_iter(s).expect("sets iterate");
    vm.set_add(s, two).expect("ints hash");
    let r = vm.iter_next(it).map(|v| v.unwrap_or(Value::NULL));
    assert_eq!(
        failure(vm, r),
        "RuntimeError: Set changed size during iteration"
    );
}

#[test]
fn ranges_beyond_machine_words() {
    let vm = new_vm();
    let big = vm
        .int_binary(BinOp::LShift, Value::small(1), Value::small(80))
        .expect("1 << 80");
    let stop = vm
        .int_binary(BinOp::Add, big, Value::small(7))
        .expect("a sum");
    let r = vm.new_range(big, stop, Value::small(3)).expect("a range");
    let l = vm.list_from_iterable(r).expect("a range iterates");
    assert_eq!(
        shown(vm, l),
        "[1208925819614629174706176, 1208925819614629174706179, 1208925819614629174706182]"
    );
    let last = vm.getitem(r, Value::small(-1)).expect("an item");
    assert_eq!(vm.contains(r, last), Ok(true));
    assert_eq!(vm.contains(r, Value::small(5)), Ok(false));
}

#[test]
fn classes_get_slots_dicts_and_layouts() {
    let vm = new_vm();
    let point = class(vm, "Point", &[], &["y", "x"]);
    let p = vm.call(point, &[]).expect("an instance");
    let (x, z) = (vm.intern("x"), vm.intern("z"));
    vm.setattr(p, x, Value::small(3)).expect("a slot");
    assert_eq!(vm.getattr(p, x), Ok(Value::small(3)));
    let r = vm.setattr(p, z, Value::small(3)).map(|()| Value::NULL);
    assert_eq!(
        failure(vm, r),
        "AttributeError: 'Point' object has no attribute 'z'"
    );
    // Two subclasses of one value type do not conflict; of two types they do.
    let int = vm.types.int.value();
    let (a, b) = (class(vm, "A", &[int], &[]), class(vm, "B", &[int], &[]));
    let both = class(vm, "C", &[a, b], &[]);
    let seven = vm.call(both, &[Value::small(7)]).expect("an int");
    assert_eq!(
        vm.binary(BinOp::Add, seven, Value::small(1), false),
        Ok(Value::small(8))
    );
    let (n, ns) = (vm.new_str("D"), vm.new_dict());
    let list = vm.types.list.value();
    let bases = vm.new_tuple(&[int, list]);
    let t = vm.types.type_.value();
    let r = vm.call(t, &[n, bases, ns]);
    assert_eq!(
        failure(vm, r),
        "TypeError: multiple bases have instance lay-out conflict"
    );
    assert!(vm.is_subclass(Gc::<PyType>::from_value(both), vm.types.int));
}

#[test]
fn arity_errors_name_the_function() {
    let vm = new_vm();
    let l = vm.new_list(&[]);
    let r = call(vm, l, "append", &[]);
    assert_eq!(
        failure(vm, r),
        "TypeError: list.append() takes exactly one argument (0 given)"
    );
    let one = Value::small(1);
    let r = call(vm, l, "pop", &[one, one]);
    assert_eq!(
        failure(vm, r),
        "TypeError: pop expected at most 1 argument, got 2"
    );
    let list = vm.types.list.value();
    let r = vm.call(list, &[l, l]);
    assert_eq!(
        failure(vm, r),
        "TypeError: list expected at most 1 argument, got 2"
    );
    let r = call(vm, l, "sort", &[one]);
    assert_eq!(
        failure(vm, r),
        "TypeError: sort() takes no positional arguments"
    );
}

#[test]
fn containers_inside_themselves_print_and_compare() {
    let vm = new_vm();
    let l = vm.new_list(&[]);
    vm.list_append(l, l);
    assert_eq!(shown(vm, l), "[[...]]");
    let d = vm.new_dict();
    vm.dict_set(d, Value::small(1), d).expect("ints hash");
    assert_eq!(shown(vm, d), "{1: {...}}");
    let t = vm.new_tuple(&[l]);
    assert_eq!(shown(vm, t), "([[...]],)");
}
