//! Instructions that become a call of a function of values.
//!
//! The problem: an instruction that a trace calls as a whole ([`super::residual`])
//! finds its operands in the VM stack and may look at frames, so everything is
//! written back before it and forgotten after it. Most of what has no handler of
//! its own does neither: adding strings, comparing them, a native function that
//! declares what it does. Such an instruction is recorded as a call that gets its
//! operands as arguments; slots, shapes and facts about memory survive it.
//!
//! What decides is the kind of the operands, and guards pin that down: a *leaf*
//! value is one whose operators never run Python code. Two kinds of calls:
//!
//! - **operators** on leaf values: nothing but an allocation is seen from outside.
//!   What would raise gives 0; the trace is left and the interpreter executes the
//!   instruction again, and raises. While recording they run before anything is
//!   written down: what raises then takes the general way.
//! - **native functions**: they may write objects (not frames, not the VM's
//!   state). What raises leaves its exception pending; the trace is left behind
//!   the instruction.

use super::items;
use super::machine::{FUNCTION_GLOBALS, PyRecorder};
use crate::lang::field;
use pyrite_bytecode::{CmpOp, FRAME_HEADER, Ins, Op};
use pyrite_jit_ir::{AliasClass, CallTarget, ClassSet, Effects, OpCode, OpRef, Ty};
use pyrite_jit_record::{Abort, Word};
use pyrite_machine::{Core, Field, Value};
use pyrite_objects::layout::{Gc, Layout, PyNative};
use pyrite_objects::native::effects;
use pyrite_objects::ops::BinOp;
use pyrite_objects::shape::shape_of;
use pyrite_objects::vm::{R, Vm};

/// Stage of exits behind a leaf call: slots as in the snapshot, and an exception
/// pending if it raised.
pub(super) const BEHIND: u16 = 0xFE;

/// Most arguments a native function gets this way.
const MAX_ARGS: usize = 4;

/// What a leaf call may write: any object, but neither frames nor the VM's state.
const OBJECTS: ClassSet = ClassSet(!(1 << AliasClass::VM.0) & !(1 << AliasClass::STACK.0));

/// What an operator on leaf values does.
const OPERATOR: u8 = effects::READS | effects::ALLOC | effects::RAISES;

/// The bit of [`effects::CALLS`] that is its own.
const RUNS_PYTHON: u8 = effects::CALLS & !effects::WRITES & !effects::ALLOC & !effects::RAISES;

/// The definition of a native function, which never changes.
const NATIVE_DEF: Field = Field::word(1, crate::lang::class::FUNC);

/// Records the instruction as a leaf call, and executes it. False: nothing
/// happened, it is no leaf.
pub(super) fn record(m: &mut PyRecorder, ins: Ins) -> bool {
    match ins.op() {
        Op::CALL | Op::CALL_METHOD => native(m, ins),
        Op::JT | Op::JF | Op::NOT => truth(m, ins),
        Op::GET_ITER => get_iter(m, ins),
        Op::MAKE_FUNCTION => function(m, ins),
        _ => {
            if let Some((op, constant)) = arithmetic(ins.op()) {
                return binary(m, ins, op, constant);
            }
            if let Some((op, when)) = comparison(ins.op()) {
                return compare(m, ins, op, when);
            }
            items::record(m, ins)
        }
    }
}

/// The operator of an arithmetic instruction, and whether its right operand is a constant.
pub(crate) fn arithmetic(op: Op) -> Option<(BinOp, bool)> {
    Some(match op {
        Op::ADD => (BinOp::Add, false),
        Op::SUB => (BinOp::Sub, false),
        Op::MUL => (BinOp::Mul, false),
        Op::TRUEDIV => (BinOp::TrueDiv, false),
        Op::FLOORDIV => (BinOp::FloorDiv, false),
        Op::MOD => (BinOp::Mod, false),
        Op::POW => (BinOp::Pow, false),
        Op::MATMUL => (BinOp::MatMul, false),
        Op::LSHIFT => (BinOp::LShift, false),
        Op::RSHIFT => (BinOp::RShift, false),
        Op::AND => (BinOp::And, false),
        Op::OR => (BinOp::Or, false),
        Op::XOR => (BinOp::Xor, false),
        Op::ADDK => (BinOp::Add, true),
        Op::SUBK => (BinOp::Sub, true),
        Op::MULK => (BinOp::Mul, true),
        Op::FLOORDIVK => (BinOp::FloorDiv, true),
        Op::MODK => (BinOp::Mod, true),
        Op::ANDK => (BinOp::And, true),
        Op::LSHIFTK => (BinOp::LShift, true),
        Op::RSHIFTK => (BinOp::RShift, true),
        _ => return None,
    })
}

/// The operator of a comparison; for jumps, the truth on which they jump.
pub(crate) fn comparison(op: Op) -> Option<(CmpOp, Option<bool>)> {
    Some(match op {
        Op::LT => (CmpOp::Lt, None),
        Op::LE => (CmpOp::Le, None),
        Op::EQ => (CmpOp::Eq, None),
        Op::NE => (CmpOp::Ne, None),
        Op::GT => (CmpOp::Gt, None),
        Op::GE => (CmpOp::Ge, None),
        Op::JLT => (CmpOp::Lt, Some(true)),
        Op::JLE => (CmpOp::Le, Some(true)),
        Op::JEQ => (CmpOp::Eq, Some(true)),
        Op::JNE => (CmpOp::Ne, Some(true)),
        Op::JGT => (CmpOp::Gt, Some(true)),
        Op::JGE => (CmpOp::Ge, Some(true)),
        Op::JNLT => (CmpOp::Lt, Some(false)),
        Op::JNLE => (CmpOp::Le, Some(false)),
        Op::JNEQ => (CmpOp::Eq, Some(false)),
        Op::JNNE => (CmpOp::Ne, Some(false)),
        Op::JNGT => (CmpOp::Gt, Some(false)),
        Op::JNGE => (CmpOp::Ge, Some(false)),
        _ => return None,
    })
}

/// Is this a value whose operators, hash and truth run no Python code?
pub(super) fn is_leaf(v: Value) -> bool {
    if v.is_null() {
        return false;
    }
    !v.is_ptr()
        || matches!(
            shape_of(v).layout,
            Layout::Int
                | Layout::Bool
                | Layout::Float
                | Layout::Complex
                | Layout::Str
                | Layout::Bytes
                | Layout::NoneType
                | Layout::EllipsisType
        )
}

/// Is this something that functions of dicts and sets take as a key, if they do not
/// refuse it at run time?
pub(super) fn is_key(v: Value) -> bool {
    is_leaf(v) || v.is_ptr() && shape_of(v).layout == Layout::Tuple
}

/// Guards that a value is of the kind it is now.
pub(super) fn pin(m: &mut PyRecorder, v: Word) {
    if v.now.is_int() {
        m.e.guard(OpCode::IsInt, &[v.r], true);
    } else if v.now.is_float() {
        m.e.guard(OpCode::IsFlt, &[v.r], true);
    } else {
        m.e.guard(OpCode::IsPtr, &[v.r], true);
        m.e.guard_shape(v.r, shape_of(v.now).id(), true);
    }
}

/// An integer that is a heap object to the interpreter and a machine word to the
/// trace cannot be handed out without leaving.
pub(super) fn is_wide(m: &PyRecorder, v: Word) -> bool {
    v.now.is_ptr()
        && m.e
            .recorded()
            .def(v.r)
            .is_some_and(|op| op.code == OpCode::BoxInt)
}

pub(super) fn target(
    name: &'static str,
    addr: usize,
    writes: ClassSet,
    params: Vec<Ty>,
    ret: Ty,
) -> CallTarget {
    CallTarget {
        name: name.into(),
        addr,
        effects: Effects {
            reads: ClassSet::ALL,
            writes,
            may_raise: false,
            may_collect: true,
            may_call: false,
        },
        params,
        ret,
    }
}

/// Emits a pure call whose value is `now`, and puts it into a register.
fn pure_to(m: &mut PyRecorder, t: CallTarget, args: &[OpRef], now: Value, to: usize) {
    let r = m.e.call(t, args);
    m.e.guard(OpCode::NonNull, &[r], true);
    m.set_reg(to as isize, Word { now, r });
}

/// The value, or 0 with the exception dropped.
fn quiet(vm: &mut Vm, r: R) -> u64 {
    match r {
        Ok(v) => v.bits(),
        Err(_) => {
            vm.take_exc();
            0
        }
    }
}

fn operands(m: &mut PyRecorder, ins: Ins, constant: bool) -> (Word, Word) {
    let x = m.reg(ins.b() as isize);
    let y = if constant {
        m.konst(ins.c())
    } else {
        m.reg(ins.c() as isize)
    };
    (x, y)
}

fn binary(m: &mut PyRecorder, ins: Ins, op: BinOp, constant: bool) -> bool {
    let (x, y) = operands(m, ins, constant);
    let sequence = |v: Value| {
        v.is_ptr()
            && (shape_of(v).layout == Layout::Tuple
                || shape_of(v).layout == Layout::List && ins.d() == 0)
    };
    let concat = matches!(op, BinOp::Add | BinOp::Mul);
    let fits = |v: Value| is_leaf(v) || concat && sequence(v);
    if !fits(x.now) || !fits(y.now) || is_wide(m, x) || is_wide(m, y) {
        return false;
    }
    let code = op as i64 | i64::from(ins.d() == 1) << 8;
    let (a, b) = (x.now.bits(), y.now.bits());
    let now = m.host.running(|vm| leaf_binary(vm, a, b, code));
    let now = Value::from_bits(now);
    if now.is_null() {
        return false;
    }
    pin(m, x);
    pin(m, y);
    let t = target(
        "binary",
        leaf_binary as *const () as usize,
        ClassSet::NONE,
        vec![Ty::Val, Ty::Val, Ty::Int],
        Ty::Val,
    );
    let code = m.e.int(code);
    pure_to(m, t, &[x.r, y.r, code], now, ins.a());
    true
}

extern "C" fn leaf_binary(vm: &mut Vm, x: u64, y: u64, code: i64) -> u64 {
    let op = BinOp::ALL[(code & 0xFF) as usize];
    vm.promising("an operator of values", OPERATOR, |vm| {
        let r = vm.binary(op, Value::from_bits(x), Value::from_bits(y), code >> 8 != 0);
        quiet(vm, r)
    })
}

fn compare(m: &mut PyRecorder, ins: Ins, op: CmpOp, when: Option<bool>) -> bool {
    let (x, y) = if when.is_some() {
        (m.reg(ins.a() as isize), m.reg(ins.b() as isize))
    } else {
        operands(m, ins, false)
    };
    if !is_leaf(x.now) || !is_leaf(y.now) || is_wide(m, x) || is_wide(m, y) {
        return false;
    }
    let (a, b) = (x.now.bits(), y.now.bits());
    let truth = leaf_compare(m.host.vm(), a, b, op as i64);
    if truth > 1 {
        return false;
    }
    pin(m, x);
    pin(m, y);
    let mut t = target(
        "compare",
        leaf_compare as *const () as usize,
        ClassSet::NONE,
        vec![Ty::Val, Ty::Val, Ty::Int],
        Ty::Int,
    );
    // Leaf values do not change, and nobody sees that they were compared.
    t.effects = Effects::default();
    let code = m.e.int(op as i64);
    let r = m.e.call(t, &[x.r, y.r, code]);
    let now = m.e.int(truth);
    m.e.guard(OpCode::IEq, &[r, now], true);
    branch_or_set(m, ins, when, truth == 1);
    true
}

/// The end of an instruction that came to a truth.
fn branch_or_set(m: &mut PyRecorder, ins: Ins, when: Option<bool>, truth: bool) {
    match when {
        Some(when) => {
            if truth == when {
                m.jump(ins.s16() as isize);
            }
        }
        None => set_truth(m, ins.a(), truth),
    }
}

fn set_truth(m: &mut PyRecorder, to: usize, truth: bool) {
    let now = m.host.vm().bool(truth);
    let v = m.value(now);
    m.set_reg(to as isize, v);
}

/// 0 or 1; 2 when the comparison raised.
extern "C" fn leaf_compare(vm: &mut Vm, x: u64, y: u64, op: i64) -> i64 {
    let op = [
        CmpOp::Lt,
        CmpOp::Le,
        CmpOp::Eq,
        CmpOp::Ne,
        CmpOp::Gt,
        CmpOp::Ge,
    ][op as usize];
    vm.promising("a comparison of values", OPERATOR, |vm| {
        match vm.compare(op, Value::from_bits(x), Value::from_bits(y)) {
            Ok(v) => i64::from(v == vm.true_),
            Err(_) => {
                vm.take_exc();
                2
            }
        }
    })
}

/// Truth of built-in values by a call, of plain objects by their class.
fn truth(m: &mut PyRecorder, ins: Ins) -> bool {
    let from = if ins.op() == Op::NOT {
        ins.b()
    } else {
        ins.a()
    };
    let v = m.reg(from as isize);
    if !v.now.is_ptr() || is_wide(m, v) {
        return false;
    }
    let vm = m.host.vm();
    let s = shape_of(v.now);
    let t = match s.layout {
        Layout::Str | Layout::Bytes | Layout::Tuple | Layout::Int => truth_call(m, v),
        Layout::List if s.class() == vm.types.list => truth_call(m, v),
        Layout::Dict if s.class() == vm.types.dict => truth_call(m, v),
        Layout::Object => {
            let class = s.class();
            let names = vm.names;
            if vm.lookup(class, names.bool_).is_some() || vm.lookup(class, names.len).is_some() {
                return false;
            }
            pin(m, v);
            m.host.watch_class(v.now);
            true
        }
        _ => return false,
    };
    match ins.op() {
        Op::NOT => set_truth(m, ins.a(), !t),
        op => {
            if t == (op == Op::JT) {
                m.jump(ins.off() as isize);
            }
        }
    }
    true
}

fn truth_call(m: &mut PyRecorder, v: Word) -> bool {
    let truth = leaf_truth(m.host.vm(), v.now.bits());
    pin(m, v);
    let t = target(
        "truth",
        leaf_truth as *const () as usize,
        ClassSet::NONE,
        vec![Ty::Val],
        Ty::Int,
    );
    let r = m.e.call(t, &[v.r]);
    let now = m.e.int(truth);
    m.e.guard(OpCode::IEq, &[r, now], true);
    truth == 1
}

extern "C" fn leaf_truth(vm: &mut Vm, v: u64) -> i64 {
    vm.promising("the truth of a value", OPERATOR, |vm| {
        match vm.truth(Value::from_bits(v)) {
            Ok(t) => i64::from(t),
            Err(_) => {
                vm.take_exc();
                2
            }
        }
    })
}

/// Emits the making of an integer object.
pub(super) fn new_int(m: &mut PyRecorder, int: OpRef) -> OpRef {
    let t = target(
        "new_int",
        leaf_new_int as *const () as usize,
        ClassSet::NONE,
        vec![Ty::Int],
        Ty::Val,
    );
    m.e.call(t, &[int])
}

extern "C" fn leaf_new_int(vm: &mut Vm, i: i64) -> u64 {
    vm.new_int(i).bits()
}

/// A function without annotations, which nobody else has yet.
fn function(m: &mut PyRecorder, ins: Ins) -> bool {
    if ins.d() & 4 != 0 {
        return false;
    }
    let code = m.konst(ins.b());
    let this = m.reg(-4);
    let globals = m.load(this, FUNCTION_GLOBALS);
    let now = leaf_function(m.host.vm(), code.now.bits(), globals.now.bits());
    let now = Value::from_bits(now);
    let t = target(
        "function",
        leaf_function as *const () as usize,
        ClassSet::NONE,
        vec![Ty::Val; 2],
        Ty::Val,
    );
    let r = m.e.call(t, &[code.r, globals.r]);
    let f = Word { now, r };
    pin(m, f);
    for (bit, at, to) in [
        (1, 0, field::FUNC_DEFAULTS),
        (2, 1, field::FUNC_KWDEFAULTS),
        (8, 3, field::FUNC_CLOSURE),
    ] {
        if ins.d() & bit != 0 {
            let v = m.reg((ins.c() + at) as isize);
            m.store(f, to, v);
        }
    }
    m.set_reg(ins.a() as isize, f);
    true
}

extern "C" fn leaf_function(vm: &mut Vm, code: u64, globals: u64) -> u64 {
    vm.new_function(Value::from_bits(code), Value::from_bits(globals))
        .bits()
}

fn get_iter(m: &mut PyRecorder, ins: Ins) -> bool {
    let v = m.reg(ins.b() as isize);
    if !v.now.is_ptr() || is_wide(m, v) {
        return false;
    }
    let s = shape_of(v.now);
    let t = m.host.vm().types;
    match s.layout {
        // Its own iterator.
        Layout::Generator
        | Layout::Enumerate
        | Layout::Zip
        | Layout::ListIter
        | Layout::RangeIter
        | Layout::DictIter
        | Layout::ListReverseIter
            if !m.host.vm().type_data(s.class()).heap_type =>
        {
            pin(m, v);
            m.set_reg(ins.a() as isize, v);
            return true;
        }
        Layout::Tuple | Layout::Str | Layout::Range | Layout::DictView => {}
        _ if s.class() == t.set || s.class() == t.frozenset => {}
        Layout::List if s.class() == t.list => {}
        Layout::Dict if s.class() == t.dict => {}
        _ => return false,
    }
    let now = Value::from_bits(leaf_get_iter(m.host.vm(), v.now.bits()));
    if now.is_null() {
        return false;
    }
    pin(m, v);
    let t = target(
        "iter",
        leaf_get_iter as *const () as usize,
        ClassSet::NONE,
        vec![Ty::Val],
        Ty::Val,
    );
    pure_to(m, t, &[v.r], now, ins.a());
    true
}

extern "C" fn leaf_get_iter(vm: &mut Vm, v: u64) -> u64 {
    vm.promising("the iterator of a value", OPERATOR, |vm| {
        let r = vm.get_iter(Value::from_bits(v));
        quiet(vm, r)
    })
}

/// A native function that declares to run no Python code and look at no frames.
fn native(m: &mut PyRecorder, ins: Ins) -> bool {
    let w = ins.a() as isize;
    let header = FRAME_HEADER as isize;
    let f = m.reg(w);
    if !f.now.is_ptr() || shape_of(f.now).layout != Layout::Native {
        return false;
    }
    let (first, n) = if ins.op() == Op::CALL {
        (w + header, ins.b())
    } else {
        let this = m.reg(w + header);
        if this.now.is_null() {
            (w + header + 1, ins.b())
        } else {
            (w + header, ins.b() + 1)
        }
    };
    let native = Gc::<PyNative>::from_value(f.now);
    // SAFETY: definitions are statics.
    let does = unsafe { (*native.def.get()).effects };
    if n > MAX_ARGS || does & effects::FRAMES != 0 {
        return false;
    }
    // SAFETY: as above.
    let which = unsafe { (*native.def.get()).intrinsic };
    if does & RUNS_PYTHON != 0 && !items::knows(which) {
        return false;
    }
    let args: Vec<Word> = (0..n as isize).map(|i| m.reg(first + i)).collect();
    if args.iter().any(|&a| is_wide(m, a) || a.now.is_null()) {
        return false;
    }
    if does & RUNS_PYTHON != 0 {
        return items::method(m, ins, f, which, &args);
    }
    let writes = does & (effects::WRITES & !effects::READS) != 0;
    pin_native(m, ins, f, &args);
    let addr = [
        native0 as *const () as usize,
        native1 as *const () as usize,
        native2 as *const () as usize,
        native3 as *const () as usize,
        native4 as *const () as usize,
    ][n];
    let writes = if writes { OBJECTS } else { ClassSet::NONE };
    let mut t = target("native", addr, writes, vec![Ty::Val; n + 1], Ty::Val);
    t.effects.may_raise = true;
    let refs: Vec<OpRef> = std::iter::once(f.r)
        .chain(args.iter().map(|a| a.r))
        .collect();
    let r = m.e.call(t, &refs);
    let words: Vec<u64> = args.iter().map(|a| a.now.bits()).collect();
    let now = m.host.running(|vm| call(vm, f.now.bits(), &words));
    let now = Value::from_bits(now);
    let (pc, off) = (m.pc as u64, m.off);
    m.e.resume_finish(pc, off, BEHIND, r);
    m.e.guard(OpCode::NonNull, &[r], now.is_some());
    if now.is_some() {
        // A namespace or class may be among what was written.
        put_result(m, ins.c() as isize, Word { now, r });
    } else {
        m.host.vm().pc = pc;
        m.give_up(Abort::Exception);
    }
    true
}

/// The register gets what a call that is done has returned; the trace is left behind
/// the instruction if the call invalidated it, so that the result is not lost.
pub(super) fn put_result(m: &mut PyRecorder, to: isize, result: Word) {
    m.set_reg(to, result);
    let (pc, off) = (m.pc as u64, m.off);
    m.e.resume_at(pc, off);
    m.e.guard(OpCode::Valid, &[], true);
}

/// Guards that the same native function is called the same way.
pub(super) fn pin_native(m: &mut PyRecorder, ins: Ins, f: Word, args: &[Word]) {
    if ins.op() == Op::CALL_METHOD {
        let this = m.reg(ins.a() as isize + FRAME_HEADER as isize);
        let bound = m.is_null(this);
        m.branch(bound);
    }
    if !f.r.is_const() {
        m.e.guard(OpCode::IsPtr, &[f.r], true);
        m.e.guard_shape(f.r, shape_of(f.now).id(), true);
        let def = m.load_int(f, NATIVE_DEF);
        m.promote_int(def);
    }
    for &a in args {
        m.e.guard(OpCode::NonNull, &[a.r], true);
    }
}

/// The result, or 0 with an exception pending.
fn call(vm: &mut Vm, f: u64, args: &[u64]) -> u64 {
    let mut words = [Value::NULL; MAX_ARGS];
    for (to, &a) in words.iter_mut().zip(args) {
        *to = Value::from_bits(a);
    }
    let r = vm.call_native(Value::from_bits(f), &words[..args.len()], Value::NULL);
    r.map_or(0, Value::bits)
}

macro_rules! entries {
    ($($name:ident ($($a:ident),*);)*) => {
        $(
            extern "C" fn $name(vm: &mut Vm, f: u64 $(, $a: u64)*) -> u64 {
                call(vm, f, &[$($a),*])
            }
        )*
    };
}

entries! {
    native0 ();
    native1 (a);
    native2 (a, b);
    native3 (a, b, c);
    native4 (a, b, c, d);
}
