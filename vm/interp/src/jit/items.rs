//! Leaf calls on containers: the next item of a built-in iterator, and putting an
//! item into a list, set or dict.
//!
//! They change objects, so an exit that follows one cannot start the instruction
//! anew as if nothing had happened. Two ways out:
//!
//! - **the next item** ([`ITEM`]): if there is one, the exit puts it where the
//!   instruction would have and goes on in the loop; if not, that means the end or an
//!   exception, and in both cases the interpreter goes on behind the instruction, with
//!   the exception pending if there is one. A bridge first asks which it was.
//! - **putting**: the function does all or nothing. Nothing, because a key would have
//!   to be compared by Python code, or because compiled code depends on the dict,
//!   means that the interpreter does the instruction again.
//!
//! What an iterator iterates over is pinned down as far as it decides whether Python
//! code would run: `enumerate` and `zip` take part when their own iterators do.

use super::leaf::{BEHIND, is_key, is_wide, pin, pin_native, target};
use super::machine::PyRecorder;
use crate::lang::PyMachine;
use crate::lang::{class, field};
use pyrite_bytecode::{Ins, Op};
use pyrite_jit_ir::{AliasClass, ClassSet, Op as IrOp, OpCode, OpRef, Ty};
use pyrite_jit_record::{Abort, Word};
use pyrite_machine::{Core, Field, Value, header_word};
use pyrite_objects::layout::{Gc, Layout, NativeLayout, PyDict, PySlice};
use pyrite_objects::native::{effects, intrinsic};
use pyrite_objects::shape::shape_of;
use pyrite_objects::vm::Vm;

/// Stage of exits behind [`next`]: the word they wait for is the item, or 0.
pub(super) const ITEM: u16 = 0xFD;

/// What functions of containers do.
const CHANGES: u8 = effects::WRITES | effects::ALLOC | effects::RAISES;

/// Iterators of iterators that are looked into.
const MAX_NESTED: u32 = 3;
/// Iterators one `zip` may have.
const MAX_ZIPPED: usize = 4;
/// Pairs of a dict display, items of a set display.
const MAX_DISPLAY: usize = 16;

/// The iterator of `enumerate`, the tuple of iterators of `zip`.
const INNER: Field = Field::word(1, class::STORE);

fn classes(of: &[u8]) -> ClassSet {
    of.iter().fold(ClassSet::NONE, |set, &c| {
        ClassSet(set.0 | ClassSet::of(&[AliasClass(c)]).0)
    })
}

/// Records the instruction as a leaf call, and executes it. False: nothing happened.
pub(super) fn record(m: &mut PyRecorder, ins: Ins) -> bool {
    match ins.op() {
        Op::FOR_ITER => next(m, ins),
        Op::LIST_APPEND => append(m, ins),
        Op::SET_ADD => {
            let (s, k) = (m.reg(ins.a() as isize), m.reg(ins.b() as isize));
            is_exact(m, s, m.host.vm().types.set.value()) && add(m, s, k)
        }
        Op::MAP_ADD | Op::STORE_SUBSCR => {
            let (d, k) = (m.reg(ins.a() as isize), m.reg(ins.b() as isize));
            let v = m.reg(ins.c() as isize);
            is_exact(m, d, m.host.vm().types.dict.value()) && put(m, d, k, v)
        }
        Op::BUILD_MAP | Op::BUILD_SET => display(m, ins),
        _ => false,
    }
}

fn is_exact(m: &PyRecorder, v: Word, class: Value) -> bool {
    v.now.is_ptr() && !is_wide(m, v) && shape_of(v.now).class().value() == class
}

/// Does the iterator's next step run no Python code, as things are now?
fn steps_quietly(vm: &mut Vm, it: Value, depth: u32) -> bool {
    if !it.is_ptr() {
        return false;
    }
    let s = shape_of(it);
    let known = match s.layout {
        Layout::ListIter
        | Layout::TupleIter
        | Layout::RangeIter
        | Layout::StrIter
        | Layout::DictIter
        | Layout::DictReverseIter
        | Layout::SetIter
        | Layout::ListReverseIter
        | Layout::LongRangeIter => true,
        Layout::Enumerate => {
            let inner = Gc::<PySlice>::from_value(it).start.get();
            depth < MAX_NESTED && steps_quietly(vm, inner, depth + 1)
        }
        Layout::Zip => {
            let its = Gc::<PySlice>::from_value(it).start.get();
            let n = vm.tuple_len(its);
            let mut quiet = depth < MAX_NESTED && n <= MAX_ZIPPED;
            for i in 0..n {
                quiet = quiet && steps_quietly(vm, vm.tuple_get(its, i), depth + 1);
            }
            quiet
        }
        _ => false,
    };
    known && !vm.type_data(s.class()).heap_type
}

/// Guards what [`steps_quietly`] found.
fn pin_iterator(m: &mut PyRecorder, it: Word) {
    pin(m, it);
    match shape_of(it.now).layout {
        Layout::Enumerate => {
            let inner = m.load(it, INNER);
            pin_iterator(m, inner);
        }
        Layout::Zip => {
            let its = m.load(it, INNER);
            pin(m, its);
            let n = m.load_int(its, field::TUPLE_LEN);
            for i in 0..m.promote_int(n) {
                let at = m.int(i);
                let inner = m.load_elem(its, field::TUPLE_ELEMS, at);
                pin_iterator(m, inner);
            }
        }
        _ => {}
    }
}

fn next(m: &mut PyRecorder, ins: Ins) -> bool {
    let it = m.reg(ins.a() as isize);
    if is_wide(m, it) || !steps_quietly(m.host.vm(), it.now, 0) {
        return false;
    }
    pin_iterator(m, it);
    let mut t = target(
        "next",
        leaf_next as *const () as usize,
        classes(&[class::LEN, class::STORE]),
        vec![Ty::Val],
        Ty::Val,
    );
    t.effects.may_raise = true;
    let r = m.e.call(t, &[it.r]);
    let now = m.host.running(|vm| leaf_next(vm, it.now.bits()));
    let now = Value::from_bits(now);
    let (pc, off) = (m.pc as u64, m.off);
    m.e.resume_finish(pc, off, ITEM, r);
    m.e.guard(OpCode::NonNull, &[r], now.is_some());
    if now.is_some() {
        m.set_reg(ins.b() as isize, Word { now, r });
        m.jump(1);
    } else if m.host.vm().exc.is_some() {
        m.host.vm().pc = pc;
        m.give_up(Abort::Exception);
    }
    true
}

/// The next item; 0 at the end, or with an exception pending.
extern "C" fn leaf_next(vm: &mut Vm, it: u64) -> u64 {
    vm.promising("the next item", CHANGES, |vm| {
        match vm.iter_next(Value::from_bits(it)) {
            Ok(Some(v)) => v.bits(),
            Ok(None) | Err(_) => 0,
        }
    })
}

/// A trace was left behind a `FOR_ITER` that gave `item`: the rest of the instruction.
///
/// # Safety
/// `vm.pc` and `vm.base` are those of an exit of [`ITEM`] stage.
pub(super) unsafe fn deliver(vm: &mut Vm, item: Value) {
    let pc = vm.pc as *const u64;
    // SAFETY: the exit lies behind the instruction, and a jump follows it; its
    // registers lie in the window.
    unsafe {
        *vm.base.add(Ins(*pc.sub(1)).b()) = item;
        vm.pc = pc.add(1) as u64;
    }
}

/// A bridge begins at an exit of [`ITEM`] stage, which lies at `pc` and was taken
/// because there was an item after all, or none. False: it cannot begin there.
pub(super) fn begin_bridge(m: &mut PyRecorder, pc: *const u64) -> bool {
    let Some(item) = m.e.finish_value() else {
        return false;
    };
    let came = m.pc != pc;
    m.e.guard(OpCode::NonNull, &[item], came);
    if came {
        // SAFETY: as in `deliver`.
        let to = Ins(unsafe { *pc.sub(1) }).b() as i32;
        m.e.write_slot(m.off + to, item);
        // The instruction is done: what leaves from here on begins at the next one,
        // and where slots are written at once, nothing may leave to the exit any more.
        m.e.resume_at(m.pc as u64, m.off);
    } else {
        no_exception(m);
    }
    true
}

/// The exit a bridge begins at is also taken with an exception pending: not by the
/// bridge.
pub(super) fn no_exception(m: &mut PyRecorder) {
    let exc = IrOp::new(OpCode::LdVm).imm(std::mem::offset_of!(Vm, exc) as i32);
    let exc = m.e.emit(exc);
    m.e.guard(OpCode::NonNull, &[exc], false);
}

fn append(m: &mut PyRecorder, ins: Ins) -> bool {
    let (l, v) = (m.reg(ins.a() as isize), m.reg(ins.b() as isize));
    if !is_exact(m, l, m.host.vm().types.list.value()) || is_wide(m, v) {
        return false;
    }
    pin(m, l);
    let t = target(
        "append",
        leaf_append as *const () as usize,
        classes(&[class::LEN, class::STORE, class::ELEM]),
        vec![Ty::Val, Ty::Val],
        Ty::Int,
    );
    m.e.call(t, &[l.r, v.r]);
    leaf_append(m.host.vm(), l.now.bits(), v.now.bits());
    true
}

extern "C" fn leaf_append(vm: &mut Vm, l: u64, v: u64) -> i64 {
    vm.list_append(Value::from_bits(l), Value::from_bits(v));
    1
}

/// Records a call that does all or nothing, after it did all.
fn put_call(m: &mut PyRecorder, name: &'static str, addr: usize, args: &[OpRef]) {
    let t = target(
        name,
        addr,
        classes(&[class::LEN, class::DICT]),
        vec![Ty::Val; args.len()],
        Ty::Int,
    );
    let done = m.e.call(t, args);
    again_after(m, done);
    let one = m.e.int(1);
    m.e.guard(OpCode::IEq, &[done, one], true);
}

/// What leaves the trace behind the call does the instruction again.
fn again_after(m: &mut PyRecorder, result: OpRef) {
    // SAFETY: `m.pc` is behind an instruction.
    let again = unsafe { m.pc.sub(1) } as u64;
    let off = m.off;
    m.e.resume_finish(again, off, BEHIND, result);
}

fn add(m: &mut PyRecorder, s: Word, k: Word) -> bool {
    if !is_key(k.now) || is_wide(m, k) || leaf_add(m.host.vm(), s.now.bits(), k.now.bits()) == 0 {
        return false;
    }
    pin(m, s);
    pin(m, k);
    put_call(m, "add", leaf_add as *const () as usize, &[s.r, k.r]);
    true
}

extern "C" fn leaf_add(vm: &mut Vm, s: u64, k: u64) -> i64 {
    vm.promising("adding to a set", CHANGES, |vm| {
        let d = vm.set_dict(Value::from_bits(s));
        let none = vm.none;
        i64::from(vm.dict_put_plain(d, Value::from_bits(k), none, false))
    })
}

fn put(m: &mut PyRecorder, d: Word, k: Word, v: Word) -> bool {
    let done = |vm: &mut Vm| leaf_put(vm, d.now.bits(), k.now.bits(), v.now.bits());
    if !is_key(k.now) || is_wide(m, k) || is_wide(m, v) || done(m.host.vm()) == 0 {
        return false;
    }
    pin(m, d);
    pin(m, k);
    put_call(m, "put", leaf_put as *const () as usize, &[d.r, k.r, v.r]);
    true
}

extern "C" fn leaf_put(vm: &mut Vm, d: u64, k: u64, v: u64) -> i64 {
    let [d, k, v] = [d, k, v].map(Value::from_bits);
    vm.promising("putting into a dict", CHANGES, |vm| {
        i64::from(vm.dict_put_plain(d, k, v, true))
    })
}

/// Is this a native function that [`method`] calls as a leaf where it can?
pub(super) fn knows(which: u8) -> bool {
    matches!(
        which,
        intrinsic::SET_ADD | intrinsic::DICT_GET | intrinsic::DICT_SETDEFAULT
    )
}

/// A method of a set or dict that would call Python code for some keys.
pub(super) fn method(m: &mut PyRecorder, ins: Ins, f: Word, which: u8, args: &[Word]) -> bool {
    let &[this, k, ..] = args else {
        return false;
    };
    let vm = m.host.vm();
    let (none, set, dict) = (vm.none, vm.types.set.value(), vm.types.dict.value());
    let add = which == intrinsic::SET_ADD;
    let class = if add { set } else { dict };
    if args.len() > if add { 2 } else { 3 } || !is_exact(m, this, class) || !is_key(k.now) {
        return false;
    }
    let default = match args.get(2) {
        Some(&v) => v,
        None => m.value(none),
    };
    let (this_now, k_now, default_now) = (this.now.bits(), k.now.bits(), default.now.bits());
    let now = match which {
        intrinsic::SET_ADD => leaf_add(m.host.vm(), this_now, k_now) as u64,
        intrinsic::DICT_GET => leaf_get(m.host.vm(), this_now, k_now, default_now),
        _ => leaf_setdefault(m.host.vm(), this_now, k_now, default_now),
    };
    if now == 0 {
        return false;
    }
    pin_native(m, ins, f, args);
    pin(m, this);
    pin(m, k);
    let operands = [this.r, k.r, default.r];
    let result = if add {
        put_call(m, "add", leaf_add as *const () as usize, &operands[..2]);
        m.value(none)
    } else {
        let (name, addr, writes) = if which == intrinsic::DICT_GET {
            ("get", leaf_get as *const () as usize, ClassSet::NONE)
        } else {
            let writes = classes(&[class::LEN, class::DICT]);
            ("setdefault", leaf_setdefault as *const () as usize, writes)
        };
        let r = m.e.call(
            target(name, addr, writes, vec![Ty::Val; 3], Ty::Val),
            &operands,
        );
        if which != intrinsic::DICT_GET {
            again_after(m, r);
        }
        m.e.guard(OpCode::NonNull, &[r], true);
        Word {
            now: Value::from_bits(now),
            r,
        }
    };
    m.set_reg(ins.c() as isize, result);
    true
}

/// The value or the default; 0 if Python code would have to compare the key.
extern "C" fn leaf_get(vm: &mut Vm, d: u64, k: u64, default: u64) -> u64 {
    vm.promising("looking into a dict", effects::READS, |vm| {
        match vm.dict_get_plain(Value::from_bits(d), Value::from_bits(k)) {
            Some(v) if v.is_some() => v.bits(),
            Some(_) => default,
            None => 0,
        }
    })
}

extern "C" fn leaf_setdefault(vm: &mut Vm, d: u64, k: u64, v: u64) -> u64 {
    let (dict, key) = (Value::from_bits(d), Value::from_bits(k));
    vm.promising("putting into a dict", CHANGES, |vm| {
        match vm.dict_get_plain(dict, key) {
            Some(old) if old.is_some() => old.bits(),
            Some(_) if vm.dict_put_plain(dict, key, Value::from_bits(v), true) => v,
            _ => 0,
        }
    })
}

/// `BUILD_MAP` and `BUILD_SET`. Nobody sees the container before it is complete, so the
/// interpreter may begin anew at any point.
fn display(m: &mut PyRecorder, ins: Ins) -> bool {
    let map = ins.op() == Op::BUILD_MAP;
    let (first, n) = (ins.b() as isize, ins.c());
    let step = if map { 2 } else { 1 };
    if n > MAX_DISPLAY {
        return false;
    }
    // Not in a vector: the calls below may collect, and only what the stack names stays.
    let mut items = [Word {
        now: Value::NULL,
        r: OpRef::NONE,
    }; 2 * MAX_DISPLAY];
    let items = &mut items[..n * step];
    for (i, item) in items.iter_mut().enumerate() {
        *item = m.reg(first + i as isize);
    }
    let items = &*std::hint::black_box(items);
    let made = if map {
        dict_of(m, items)
    } else {
        filled(m, leaf_new_set, items, 1)
    };
    let Some(made) = made else {
        return false;
    };
    m.set_reg(ins.a() as isize, made);
    true
}

/// A dict of these keys and values, in turn; `None`: nothing was recorded.
pub(super) fn dict_of(m: &mut PyRecorder, pairs: &[Word]) -> Option<Word> {
    if pairs.is_empty() {
        let header = header_word(PyDict::KIND, PyDict::WORDS, m.known().dict);
        return m.alloc(header, PyDict::WORDS);
    }
    filled(m, leaf_new_dict, pairs, 2)
}

/// A new container with these items, each of `step` words: what makes it, and what
/// puts an item into it, are calls.
fn filled(
    m: &mut PyRecorder,
    make: extern "C" fn(&mut Vm) -> u64,
    items: &[Word],
    step: usize,
) -> Option<Word> {
    let map = step == 2;
    let keys = || items.iter().step_by(step);
    if items.iter().any(|&v| is_wide(m, v)) || !keys().all(|k| is_key(k.now)) {
        return None;
    }
    let vm = m.host.vm();
    let new = Value::from_bits(make(vm));
    for item in items.chunks(step) {
        let k = item[0].now.bits();
        let done = if map {
            leaf_put(vm, new.bits(), k, item[1].now.bits())
        } else {
            leaf_add(vm, new.bits(), k)
        };
        if done == 0 {
            return None;
        }
    }
    keys().for_each(|&k| pin(m, k));
    let t = target(
        "new",
        make as *const () as usize,
        ClassSet::NONE,
        Vec::new(),
        Ty::Val,
    );
    let r = m.e.call(t, &[]);
    for item in items.chunks(step) {
        if map {
            let addr = leaf_put as *const () as usize;
            put_call(m, "put", addr, &[r, item[0].r, item[1].r]);
        } else {
            put_call(m, "add", leaf_add as *const () as usize, &[r, item[0].r]);
        }
    }
    let shape = shape_of(new).id();
    m.e.guard(OpCode::IsPtr, &[r], true);
    m.e.guard_shape(r, shape, true);
    Some(Word { now: new, r })
}

extern "C" fn leaf_new_dict(vm: &mut Vm) -> u64 {
    vm.new_dict().bits()
}

extern "C" fn leaf_new_set(vm: &mut Vm) -> u64 {
    let class = vm.types.set;
    vm.new_set(class).bits()
}
