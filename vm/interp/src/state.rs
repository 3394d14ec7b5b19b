//! What the interpreter keeps beside the VM.

use crate::lang::Known;
use pyrite_bytecode::{Ins, Op};
use pyrite_machine::Value;
use pyrite_objects::layout::{
    NativeLayout, PyCell, PyDict, PyDictIter, PyList, PyMethod, PyRange, PyRangeIter, PySeqIter,
    PySlice, PyTuple,
};
use pyrite_objects::vm::Vm;

/// Where a compiled or recorded loop left the interpreter.
#[derive(Clone, Copy, Debug)]
pub enum Hot {
    /// Go on at [`Vm::pc`] in the window [`Vm::base`].
    Resume,
    /// An exception is pending there.
    Raise,
    /// Nothing happened: take the back-edge, begin the function.
    Nothing,
    /// The window [`Vm::base`] is done: it returns this.
    Return(Value),
}

/// See the module's documentation.
pub struct State {
    pub known: Known,
    /// The code that Rust's calls return to.
    pub halt: Box<[u64; 2]>,
    /// A loop got hot or has compiled code: `vm.pc` is behind its `LOOP`
    /// instruction, `vm.base` its window.
    pub hot_loop: fn(&mut Vm, Ins) -> Hot,
    /// Where the calls of a hot function begin: an `ENTER`.
    pub enter: Box<[u64; 2]>,
    /// A function got hot or has compiled code: `vm.base` is its window, `vm.pc`
    /// its first instruction.
    pub hot_function: fn(&mut Vm) -> Hot,
    /// Value of a nested run that yielded instead of returning.
    pub yielded: bool,
}

/// The interpreter's state.
#[inline(always)]
pub fn state(vm: &Vm) -> &'static mut State {
    // SAFETY: installed at boot, never freed; one thread holds the VM.
    unsafe { &mut *vm.interp.cast::<State>() }
}

/// Without a JIT, the counters start over.
pub fn no_jit(vm: &mut Vm, ins: Ins) -> Hot {
    let code = crate::frames::code_at(vm.base);
    code.loops[ins.b()].counter = vm.loop_threshold;
    Hot::Nothing
}

/// Without a JIT, calls are not counted.
fn no_function_jit(vm: &mut Vm) -> Hot {
    crate::frames::code_at(vm.base).calls.set(i32::MAX);
    Hot::Nothing
}

/// Installs the interpreter in a booted VM.
pub fn install(vm: &mut Vm) {
    let t = vm.types;
    // Handlers allocate these by the size of their structure.
    for (class, words) in [
        (t.list, PyList::WORDS),
        (t.tuple, PyTuple::WORDS),
        (t.dict, PyDict::WORDS),
        (t.range, PyRange::WORDS),
        (t.slice, PySlice::WORDS),
        (t.cell, PyCell::WORDS),
        (t.method, PyMethod::WORDS),
        (t.native_method, PyMethod::WORDS),
        (t.method_wrapper, PyMethod::WORDS),
        (t.list_iter, PySeqIter::WORDS),
        (t.tuple_iter, PySeqIter::WORDS),
        (t.range_iter, PyRangeIter::WORDS),
        (t.dict_key_iter, PyDictIter::WORDS),
    ] {
        let have = vm.root_shape(class).instance_words();
        assert!(
            have == words,
            "a built-in class without attributes is as large as its layout"
        );
    }
    let known = Known {
        none: vm.none,
        true_: vm.true_,
        false_: vm.false_,
        not_implemented: vm.not_implemented,
        empty_tuple: vm.empty_tuple,
        array: vm.storage_shape,
        list: vm.root_shape(t.list).id(),
        tuple: vm.root_shape(t.tuple).id(),
        dict: vm.root_shape(t.dict).id(),
        set: vm.root_shape(t.set).id(),
        bool_: vm.root_shape(t.bool_).id(),
        frozenset: vm.root_shape(t.frozenset).id(),
        str_: vm.root_shape(t.str_).id(),
        bytes: vm.root_shape(t.bytes).id(),
        range: vm.root_shape(t.range).id(),
        slice: vm.root_shape(t.slice).id(),
        range_iter: vm.root_shape(t.range_iter).id(),
        list_iter: vm.root_shape(t.list_iter).id(),
        tuple_iter: vm.root_shape(t.tuple_iter).id(),
        str_ascii_iter: vm.root_shape(t.str_ascii_iter).id(),
        dict_key_iter: vm.root_shape(t.dict_key_iter).id(),
        dict_value_iter: vm.root_shape(t.dict_value_iter).id(),
        dict_item_iter: vm.root_shape(t.dict_item_iter).id(),
        generator: vm.root_shape(t.generator).id(),
        cell: vm.root_shape(t.cell).id(),
        method: vm.root_shape(t.method).id(),
        native_method: vm.root_shape(t.native_method).id(),
        slot_wrapper: vm.root_shape(t.slot_wrapper).id(),
        method_wrapper: vm.root_shape(t.method_wrapper).id(),
    };
    let halt = Box::new([Ins::abc(Op::HALT, 0, 0, 0).0; 2]);
    let s = Box::new(State {
        known,
        halt,
        hot_loop: no_jit,
        enter: Box::new([Ins::abc(Op::ENTER, 0, 0, 0).0; 2]),
        hot_function: no_function_jit,
        yielded: false,
    });
    vm.interp = Box::into_raw(s).cast();
    vm.frame_hooks = crate::inspect::HOOKS;
    vm.stack_high = crate::frames::soft_limit(vm, vm.stack);
    vm.rearm();
    let _ = Value::NULL;
}
