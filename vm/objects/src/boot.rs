//! Start of the object world: classes, singletons, names, in an order in which
//! each step needs only what is there.

use crate::layout::*;
use crate::vm::Vm;
use pyrite_gc::{RootSource, Tracer, WeakView};
use pyrite_machine::Value;

/// Words a window may reach beyond the soft limit: its header and rounding.
pub const STACK_SLACK: usize = 64;

/// The VM's roots; a raw pointer, since the VM owns the heap that calls back.
pub struct VmRoots(pub *mut Vm);

impl RootSource for VmRoots {
    fn pinned(&mut self, pins: &mut pyrite_gc::Pins) {
        // SAFETY: as in `exact`.
        let vm = unsafe { &mut *self.0 };
        // Shapes name classes by address; so do saved windows name nothing else.
        vm.for_each_shape(|s| {
            for v in s.roots() {
                pins.value(*v);
            }
        });
        vm.pin_threads(pins);
    }

    fn exact(&mut self, t: &mut Tracer) {
        // SAFETY: the VM outlives its heap; the collector calls this while no
        // Rust code uses VM fields (it runs inside an allocation).
        let vm = unsafe { &mut *self.0 };
        // SAFETY: every slot below is a value word owned by the VM.
        unsafe {
            let top = vm.alloc.top as *mut Value;
            t.range(vm.stack, top);
            // What lies above is dead; zeroed, it can never be mistaken later.
            let high = vm.stack_used_end();
            let mut p = top;
            while p < high {
                *p = Value::NULL;
                p = p.add(1);
            }
            vm.stack_high = vm.stack_high.min(top.add(4096)).min(vm.stack_end);
            vm.stack_beyond = top;
            vm.rearm();
            vm.trace_threads(t);
            for v in [
                &mut vm.result,
                &mut vm.exc,
                &mut vm.handled,
                &mut vm.builtins,
                &mut vm.modules,
                &mut vm.sys_dict,
                &mut vm.repr_stack,
                &mut vm.context,
                &mut vm.frame_list,
                &mut vm.none,
                &mut vm.true_,
                &mut vm.false_,
                &mut vm.ellipsis,
                &mut vm.not_implemented,
                &mut vm.empty_tuple,
                &mut vm.empty_str,
                &mut vm.empty_bytes,
            ] {
                t.edge(v);
            }
            for v in &mut vm.latin1 {
                t.edge(v);
            }
            for v in &mut vm.statics {
                t.edge(v);
            }
            vm.types.for_each(|c| {
                let slot: *mut Gc<PyType> = c;
                t.edge(slot.cast());
            });
            vm.for_each_shape(|s| {
                for v in s.roots() {
                    t.edge(v);
                }
            });
            for v in vm.attr_cache.values() {
                t.edge(v);
            }
            for v in vm.type_cache.values() {
                let slot: *mut u64 = v;
                t.edge(slot.cast());
            }
            for bits in vm
                .interned
                .values_mut()
                .chain(vm.interned_wide.values_mut())
            {
                let slot: *mut u64 = bits;
                t.edge(slot.cast());
            }
        }
    }

    fn after_mark(&mut self, _weak: &WeakView) {}

    fn finished(&mut self, report: &pyrite_gc::Report) {
        if report.pending {
            // SAFETY: as above.
            unsafe { (*self.0).poll_set(crate::vm::poll::FINALIZERS) };
        }
    }
}

macro_rules! early {
    ($vm:ident, $($field:ident: $t:ty [$layout:ident] $base:literal),* $(,)?) => {
        $($vm.types.$field = $vm.early_type(Layout::$layout, <$t as NativeLayout>::KIND, <$t as NativeLayout>::WORDS, $base);)*
    };
}

/// Makes the object world of a fresh VM.
pub fn boot(vm: &mut Vm) {
    vm.boot_types();
    early!(vm,
        str_: PyStr [Str] true, tuple: PyTuple [Tuple] true, dict: PyDict [Dict] true, int: PyBigInt [Int] true,
        bool_: PyValueSub [Bool] false, float: PyValueSub [Float] true, complex: PyComplex [Complex] true, bytes: PyBytes [Bytes] true,
        bytearray: PyByteArray [ByteArray] true, list: PyList [List] true, set: PySet [Set] true, frozenset: PySet [FrozenSet] true,
        function: PyFunction [Function] false, native: PyNative [Native] false, native_method: PyMethod [Method] false,
        method: PyMethod [Method] false, wrapper: PyNative [Native] false, slot_wrapper: PyNative [Native] false, method_wrapper: PyMethod [Method] false, code: PyCode [Code] false, cell: PyCell [Cell] false,
        module: PyModule [Module] true, generator: PyGenerator [Generator] false, coroutine: PyGenerator [Coroutine] false,
        async_generator: PyGenerator [AsyncGenerator] false, frame: PyFrame [Frame] false, traceback: PyTraceback [Traceback] false,
        range: PyRange [Range] false, range_iter: PyRangeIter [RangeIter] false, seq_iter: PySeqIter [SeqIter] false,
        list_iter: PySeqIter [ListIter] false, tuple_iter: PySeqIter [TupleIter] false, str_iter: PySeqIter [StrIter] false, str_ascii_iter: PySeqIter [StrIter] false,
        bytes_iter: PySeqIter [SeqIter] false, dict_key_iter: PyDictIter [DictIter] false, dict_value_iter: PyDictIter [DictIter] false,
        dict_item_iter: PyDictIter [DictIter] false, dict_reverse_key_iter: PyDictIter [DictReverseIter] false,
        dict_reverse_value_iter: PyDictIter [DictReverseIter] false, dict_reverse_item_iter: PyDictIter [DictReverseIter] false,
        list_reverse_iter: PySeqIter [ListReverseIter] false, long_range_iter: PySlice [LongRangeIter] false, dict_keys: PyDictView [DictView] false, dict_values: PyDictView [DictView] false,
        dict_items: PyDictView [DictView] false, set_iter: PyDictIter [SetIter] false, call_iter: PyCallIter [CallIter] false,
        slice: PySlice [Slice] false, property: PyProperty [Property] true, staticmethod: PyWrapped [StaticMethod] true,
        classmethod: PyWrapped [ClassMethod] true, super_: PySuper [Super] true, none: PyValueSub [NoneType] false,
        ellipsis: PyValueSub [EllipsisType] false, not_implemented: PyValueSub [NotImplementedType] false,
        weakref: PyWeakRef [WeakRef] true, getset: PyGetSet [GetSet] false, member: PyMember [Member] false,
        mappingproxy: PyValueSub [MappingProxy] false, namespace: PyValueSub [Namespace] true,
        generic_alias: PySlice [GenericAlias] true, generic_alias_iter: PyValueSub [Library] false, union: PyValueSub [Union] false,
        enumerate: PySlice [Enumerate] true, zip: PySlice [Zip] true, map: PySlice [Map] true, filter: PySlice [Filter] true,
        reversed: PySlice [Reversed] true, memoryview: PyMemoryView [MemoryView] false,
        async_gen_value: PyValueSub [Awaitable] false, async_gen_asend: crate::async_gen::PyAsyncStep [Awaitable] false,
        async_gen_athrow: crate::async_gen::PyAsyncStep [Awaitable] false, anext_awaitable: crate::async_gen::PyAnext [Awaitable] false,
        base_exception: PyException [Exception] true,
    );
    // Singletons.
    let t = vm.types;
    vm.none = vm.new_instance(t.none);
    vm.ellipsis = vm.new_instance(t.ellipsis);
    vm.not_implemented = vm.new_instance(t.not_implemented);
    vm.true_ = vm.new_instance(t.bool_);
    vm.false_ = vm.new_instance(t.bool_);
    for v in [
        vm.none,
        vm.ellipsis,
        vm.not_implemented,
        vm.true_,
        vm.false_,
    ] {
        vm.heap_pin(v);
    }
    vm.store_word(vm.true_, 1, Value::small(1));
    vm.store_word(vm.false_, 1, Value::small(0));
    let empty = vm.new_tuple_uninit(0);
    vm.empty_tuple = empty;
    let empty = vm.new_str_latin1(b"");
    vm.empty_str = empty;
    let empty = vm.new_bytes(b"");
    vm.empty_bytes = empty;
    for c in 0..=255u8 {
        let s = vm.new_str_latin1(&[c]);
        vm.latin1[c as usize] = s;
    }
    for v in [vm.empty_tuple, vm.empty_str, vm.empty_bytes] {
        vm.heap_pin(v);
    }
    for i in 0..256 {
        vm.heap_pin(vm.latin1[i]);
    }
    let names = crate::names::Names::make(vm);
    vm.names = names;
    let stack = vm.new_list(&[]);
    vm.repr_stack = stack;
    vm.boot_types_finish();
    let object = vm.types.object;
    macro_rules! late {
        ($($field:ident $name:literal),* $(,)?) => { $(vm.late_type(t.$field, $name, object);)* };
    }
    late!(
        str_ "str", tuple "tuple", dict "dict", int "int", float "float", complex "complex", bytes "bytes",
        bytearray "bytearray", list "list", set "set", frozenset "frozenset", function "function",
        native "builtin_function_or_method", method "method",
        slot_wrapper "wrapper_descriptor", method_wrapper "method-wrapper", wrapper "method_descriptor", code "code", cell "cell", module "module", generator "generator", coroutine "coroutine",
        async_generator "async_generator", frame "frame", traceback "traceback", range "range", range_iter "range_iterator",
        seq_iter "iterator", list_iter "list_iterator", tuple_iter "tuple_iterator", str_iter "str_iterator", str_ascii_iter "str_ascii_iterator",
        bytes_iter "bytes_iterator", dict_key_iter "dict_keyiterator", dict_value_iter "dict_valueiterator",
        dict_item_iter "dict_itemiterator", dict_reverse_key_iter "dict_reversekeyiterator",
        dict_reverse_value_iter "dict_reversevalueiterator", dict_reverse_item_iter "dict_reverseitemiterator",
        list_reverse_iter "list_reverseiterator", long_range_iter "longrange_iterator", dict_keys "dict_keys", dict_values "dict_values", dict_items "dict_items",
        set_iter "set_iterator", call_iter "callable_iterator", slice "slice", property "property",
        staticmethod "staticmethod", classmethod "classmethod", super_ "super", none "NoneType", ellipsis "ellipsis",
        not_implemented "NotImplementedType", weakref "ReferenceType", getset "getset_descriptor", member "member_descriptor",
        mappingproxy "mappingproxy", namespace "SimpleNamespace", generic_alias "GenericAlias", generic_alias_iter "generic_alias_iterator", union "UnionType",
        enumerate "enumerate", zip "zip", map "map", filter "filter", reversed "reversed", memoryview "memoryview",
        async_gen_value "async_generator_wrapped_value", async_gen_asend "async_generator_asend",
        async_gen_athrow "async_generator_athrow", anext_awaitable "anext_awaitable",
        base_exception "BaseException",
    );
    vm.late_type(t.bool_, "bool", t.int);
    vm.late_type(t.native_method, "builtin_function_or_method", t.native);
    for (c, has_dict) in [
        (t.function, true),
        (t.module, true),
        (t.base_exception, true),
        (t.staticmethod, true),
        (t.classmethod, true),
        (t.namespace, true),
    ] {
        if has_dict {
            vm.give_dict(c);
        }
    }
    // A module's own attributes live in its namespace dict, not in slots.
    let module = vm.type_data(t.module);
    (module.has_dict, module.slot_base) = (false, module.payload_words);
    for (c, seq) in [
        (t.list, true),
        (t.tuple, true),
        (t.range, true),
        (t.memoryview, true),
        (t.dict, false),
        (t.mappingproxy, false),
    ] {
        let d = vm.type_data(c);
        d.pattern_sequence = seq;
        d.pattern_mapping = !seq;
    }
    crate::exceptions::install(vm);
    crate::traceback::install(vm);
    crate::function::install(vm);
    crate::descriptors::install(vm);
    crate::generator_type::install(vm);
    crate::async_gen::install(vm);
    crate::small::install(vm);
    crate::code_type::install(vm);
    crate::object::install(vm);
    crate::type_::install(vm);
    crate::int_type::install(vm);
    crate::float::install(vm);
    crate::complex::install(vm);
    crate::format_spec::install(vm);
    crate::singletons::install(vm);
    crate::str::install(vm);
    crate::bytes::install(vm);
    crate::bytearray::install(vm);
    crate::memoryview::install(vm);
    crate::list::install(vm);
    crate::tuple::install(vm);
    crate::dict_type::install(vm);
    crate::dict_views::install(vm);
    crate::set::install(vm);
    crate::range::install(vm);
    crate::slice::install(vm);
    crate::iters::install(vm);
    crate::generic::install(vm);
    crate::super_::install(vm);
    crate::docs::install(vm);
}

impl Vm {
    /// Instances of this native class get attributes of their own; to be called
    /// before the first instance.
    pub fn give_dict(&mut self, class: Gc<PyType>) {
        let d = self.type_data(class);
        d.has_dict = true;
        d.slot_base = d.payload_words + 1;
        d.inline_cap = 0;
    }
}
