//! The machine that runs programs: one source for interpreting and for recording.
//!
//! Each value is a word together with the trace's ref for it; while nothing is recorded the refs are
//! `NONE`. Run-time truths reach control flow through [`Vm::holds`] alone, which leaves a guard.

use std::borrow::Cow;

use pyrite_jit_eval::{EvalError, Host, Machine};
use pyrite_jit_ir::{AliasClass, CallTarget, ClassSet, Effects, OpCode, OpRef, Ty, Width, word};
use pyrite_jit_opt::Emitter;

use crate::program::*;

const FIELD: [AliasClass; 2] = [AliasClass(3), AliasClass(4)];
const RAW: AliasClass = AliasClass(5);
const ELEM: AliasClass = AliasClass(6);
const LEN: AliasClass = AliasClass(7);
const BIG: AliasClass = AliasClass(8);

const FIELD_OFFSET: [i32; 2] = [8, 16];
const RAW_OFFSET: i32 = 24;
const LEN_OFFSET: i32 = 8;
const ELEM_OFFSET: i32 = 16;

/// What happened to the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Next,
    Done,
}

/// Why a recording cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abort {
    /// Integer overflow was observed; there is no guard for that side.
    Overflow,
    /// The loop ended.
    LeftLoop,
}

#[derive(Clone, Copy, Debug)]
struct Val {
    word: u64,
    r: OpRef,
}

#[derive(Clone, Copy, Debug)]
enum Num {
    Int(i64, OpRef),
    Flt(f64, OpRef),
    Neither,
}

/// A program's state.
#[derive(Debug)]
pub struct Vm<'p> {
    pub program: &'p Program,
    pub machine: Machine,
    pub pc: u64,
    pub base: i32,
    pub recorder: Option<Emitter>,
    pub abort: Option<Abort>,
    /// Instructions executed, for the step limit.
    pub steps: u64,
}

/// Shape id and low half of a header.
fn header(shape: u32) -> u64 {
    u64::from(shape) << 32 | 0x200
}

impl<'p> Vm<'p> {
    /// The program's state before its first instruction.
    ///
    /// # Errors
    /// Never for programs of the generator.
    pub fn new(program: &'p Program) -> Result<Vm<'p>, EvalError> {
        let machine = Machine {
            heap_int_header: header(HEAP_INT),
            ..Machine::default()
        };
        let mut vm = Vm {
            program,
            machine,
            pc: 0,
            base: 0,
            recorder: None,
            abort: None,
            steps: 0,
        };
        let turns = vm.machine.box_int(program.turns)?;
        vm.machine.slots.insert(0, turns);
        for n in SLOTS.into()..CALLEE_BASE + i32::from(CALLEE_SLOTS) {
            vm.machine.slots.insert(n, 0);
        }
        for (i, start) in program.init.iter().enumerate() {
            let word = match *start {
                Start::Konst(k) => vm.konst_word(k)?,
                Start::Object(shape) => {
                    let object = vm.machine.memory.alloc(4, header(shape));
                    let five = vm.machine.box_int(5)?;
                    vm.machine.memory.write(object + 8, Width::Val, five)?;
                    vm.machine.memory.write(object + 16, Width::Val, 0)?;
                    vm.machine.memory.write(object + 24, Width::I64, 1)?;
                    object
                }
                Start::Array(len) => {
                    let array = vm.machine.memory.alloc(2 + u32::from(len), header(ARRAY));
                    vm.machine.memory.write(array + 8, Width::I64, len.into())?;
                    for k in 0..u64::from(len) {
                        let word = vm.machine.box_int(k as i64)?;
                        vm.machine
                            .memory
                            .write(array + 16 + 8 * k, Width::Val, word)?;
                    }
                    array
                }
                Start::Alias(j) => vm.machine.slots[&(j as i32 + 1)],
            };
            vm.machine.slots.insert(i as i32 + 1, word);
        }
        Ok(vm)
    }

    /// Executes (and records) one instruction.
    ///
    /// # Errors
    /// A defect of this machine.
    pub fn step(&mut self, host: &mut dyn Host) -> Result<Flow, EvalError> {
        self.steps += 1;
        let ins = self.program.at(self.pc);
        if let Some(e) = &mut self.recorder {
            e.resume_at(self.pc, self.base);
        }
        self.execute(ins, host)
    }

    fn execute(&mut self, ins: Ins, host: &mut dyn Host) -> Result<Flow, EvalError> {
        let mut next = self.pc + 1;
        match ins {
            Ins::Header => {
                let counter = self.read(0);
                let Num::Int(n, r) = self.number(counter)? else {
                    return Ok(Flow::Done);
                };
                let zero = self.int(0);
                if self.holds(OpCode::ILe, &[r, zero], n <= 0) {
                    self.abort = Some(Abort::LeftLoop);
                    return Ok(Flow::Done);
                }
                let one = self.int(1);
                let r = self.op(OpCode::ISubOvf, &[r, one]);
                let boxed = self.box_int(n - 1, r)?;
                self.write(0, boxed);
            }
            Ins::Const(d, k) => {
                let word = self.konst_word(k)?;
                let val = Val {
                    word,
                    r: self.word(word),
                };
                self.write(d, val);
            }
            Ins::Move(d, a) => {
                let val = self.read(a);
                self.write(d, val);
            }
            Ins::Arith(op, d, a, b) => {
                let (a, b) = (self.read(a), self.read(b));
                let val = self.arith(op, a, b)?;
                self.write(d, val);
            }
            Ins::Divide(quotient, d, a, by) => {
                let a = self.read(a);
                let val = match self.number(a)? {
                    Num::Int(i, r) => {
                        let code = if quotient { OpCode::IDiv } else { OpCode::IMod };
                        let k = self.int(by);
                        let r = self.op(code, &[r, k]);
                        let rest = i.rem_euclid(by);
                        let rest = if rest != 0 && by < 0 { rest + by } else { rest };
                        self.box_int(if quotient { (i - rest) / by } else { rest }, r)?
                    }
                    _ => self.null(),
                };
                self.write(d, val);
            }
            Ins::Bits(which, d, a, b) => {
                let (a, b) = (self.read(a), self.read(b));
                let val = match (self.number(a)?, self.number(b)?) {
                    (Num::Int(i, r), Num::Int(j, s)) => {
                        let (code, result) = match which {
                            0 => (OpCode::IAnd, i & j),
                            1 => (OpCode::IOr, i | j),
                            2 => (OpCode::IXor, i ^ j),
                            _ => (OpCode::IShr, i >> (j & 63)),
                        };
                        let r = self.op(code, &[r, s]);
                        self.box_int(result, r)?
                    }
                    _ => self.null(),
                };
                self.write(d, val);
            }
            Ins::Negate(d, a) => {
                let a = self.read(a);
                let val = match self.number(a)? {
                    Num::Int(i, r) => {
                        let zero = self.int(0);
                        self.int_arith(Arith::Sub, (0, zero), (i, r))?
                    }
                    Num::Flt(f, r) => {
                        let r = self.op(OpCode::FNeg, &[r]);
                        self.box_flt(-f, r)
                    }
                    Num::Neither => a,
                };
                self.write(d, val);
            }
            Ins::SkipIf(compare, a, b, count) => {
                let (a, b) = (self.read(a), self.read(b));
                if self.compare(compare, a, b)? {
                    next = self.program.skip(self.pc, count);
                }
            }
            Ins::SkipIfNull(a, count) => {
                let a = self.read(a);
                if !self.holds(OpCode::NonNull, &[a.r], a.word != 0) {
                    next = self.program.skip(self.pc, count);
                }
            }
            Ins::SkipIfSame(a, b, count) => {
                let (a, b) = (self.read(a), self.read(b));
                if self.same(a, b)? {
                    next = self.program.skip(self.pc, count);
                }
            }
            Ins::SkipIfShape(a, shape, count) => {
                let a = self.read(a);
                if self.has_shape(a, shape) {
                    next = self.program.skip(self.pc, count);
                }
            }
            Ins::New(d, shape, x, y) => {
                let (x, y) = (self.read(x), self.read(y));
                let object = self.alloc(4, header(shape));
                self.store_val(object, FIELD_OFFSET[0], FIELD[0], x)?;
                self.store_val(object, FIELD_OFFSET[1], FIELD[1], y)?;
                let one = self.int(1);
                self.store_raw(object, RAW_OFFSET, RAW, 1, one)?;
                self.write(d, object);
            }
            Ins::Get(d, a, f) => {
                let a = self.read(a);
                let val = if self.is_object(a) {
                    self.load_val(a, FIELD_OFFSET[usize::from(f)], FIELD[usize::from(f)])?
                } else {
                    self.null()
                };
                self.write(d, val);
            }
            Ins::Set(a, f, b) => {
                let (a, b) = (self.read(a), self.read(b));
                if self.is_object(a) {
                    self.store_val(a, FIELD_OFFSET[usize::from(f)], FIELD[usize::from(f)], b)?;
                    self.barrier(a, b);
                }
            }
            Ins::GetRaw(d, a) => {
                let a = self.read(a);
                let val = if self.is_object(a) {
                    let raw = self
                        .machine
                        .memory
                        .read(a.word + RAW_OFFSET as u64, Width::I64)?
                        as i64;
                    let r = self.emit(|e| e.load(OpCode::LdI64, &[a.r], RAW_OFFSET, RAW));
                    self.box_int(raw, r)?
                } else {
                    self.null()
                };
                self.write(d, val);
            }
            Ins::SetRaw(a, b) => {
                let (a, b) = (self.read(a), self.read(b));
                if self.is_object(a)
                    && let Num::Int(i, r) = self.number(b)?
                {
                    self.store_raw(a, RAW_OFFSET, RAW, i, r)?;
                }
            }
            Ins::SetShape(a, shape) => {
                let a = self.read(a);
                if self.is_object(a) {
                    self.machine
                        .memory
                        .write(a.word + 4, Width::U32, shape.into())?;
                    let op = pyrite_jit_ir::Op::new(OpCode::StShape)
                        .with(&[a.r])
                        .imm(shape as i32);
                    self.emit(|e| e.emit(op));
                }
            }
            Ins::NewArray(d, len, fill) => {
                let fill = self.read(fill);
                let array = self.alloc(2 + u32::from(len), header(ARRAY));
                let r = self.int(len.into());
                self.store_raw(array, LEN_OFFSET, LEN, len.into(), r)?;
                for k in 0..i64::from(len) {
                    self.store_elem(array, (k, None), fill)?;
                }
                self.write(d, array);
            }
            Ins::GetElem(d, a, i) => {
                let (a, i) = (self.read(a), self.read(i));
                let val = match self.element(a, i)? {
                    Some((k, r)) => {
                        let word = self
                            .machine
                            .memory
                            .read(a.word + ELEM_OFFSET as u64 + 8 * k as u64, Width::Val)?;
                        let r = self.emit(|e| e.load(OpCode::LdElem, &[a.r, r], ELEM_OFFSET, ELEM));
                        Val { word, r }
                    }
                    None => self.null(),
                };
                self.write(d, val);
            }
            Ins::SetElem(a, i, b) => {
                let (a, i, b) = (self.read(a), self.read(i), self.read(b));
                if let Some((k, r)) = self.element(a, i)? {
                    self.store_elem(a, (k, Some(r)), b)?;
                    self.barrier(a, b);
                }
            }
            Ins::Call(d, arg) => {
                let word = self.machine.box_int(next as i64 * 16 + i64::from(d))?;
                let back = Val {
                    word,
                    r: self.word(word),
                };
                self.write_slot(CALLEE_BASE - 1, back);
                // Reading behind a write: an inherited int may be boxed here, which may leave.
                let arg = self.read(arg);
                self.base = CALLEE_BASE;
                let null = self.null();
                for n in 0..CALLEE_SLOTS {
                    self.write(n, if n == 0 { arg } else { null });
                }
                next = CALLEE_PC;
            }
            Ins::Return(a) => {
                let val = self.read(a);
                let back = self.read_slot(CALLEE_BASE - 1);
                // The return address is a constant inside a trace that has the call.
                let known = self.word(back.word);
                self.holds(OpCode::Same, &[back.r, known], true);
                let back = word::unbox_int(back.word);
                self.base = 0;
                self.emit(|e| {
                    e.drop_slots_from(CALLEE_BASE - 1);
                    OpRef::NONE
                });
                self.write((back % 16) as Reg, val);
                next = (back / 16) as u64;
            }
            Ins::Residual(f, d, a) => {
                let a = self.read(a);
                let val = self.residual(f, a, host)?;
                self.pc = next;
                self.emit_resume_finish(d, val);
                self.finish(d, val.word, val.r);
            }
            Ins::Touch(a) => {
                let a = self.read(a);
                self.residual(4, a, host)?;
            }
            Ins::Count(d, a, count) => {
                let (n, a) = (self.read(d), self.read(a));
                let one = Val {
                    word: word::box_int(1).unwrap_or_default(),
                    r: OpRef::NONE,
                };
                let one = Val {
                    r: self.word(one.word),
                    ..one
                };
                let sum = self.arith(Arith::Add, n, one)?;
                let early = self.test_if_slots_are_stored(a);
                self.write(d, sum);
                if !early.unwrap_or_else(|| self.holds(OpCode::NonNull, &[a.r], a.word != 0)) {
                    next = self.program.skip(self.pc, count);
                }
            }
            Ins::Swap(d, e, a, count) => {
                let (x, y, a) = (self.read(d), self.read(e), self.read(a));
                let early = self.test_if_slots_are_stored(a);
                self.write(d, y);
                self.write(e, x);
                if !early.unwrap_or_else(|| self.holds(OpCode::NonNull, &[a.r], a.word != 0)) {
                    next = self.program.skip(self.pc, count);
                }
            }
            Ins::Flush => {
                self.emit(|e| {
                    e.flush_slots();
                    OpRef::NONE
                });
            }
            Ins::Back => next = 0,
        }
        self.pc = next;
        Ok(Flow::Next)
    }

    /// The second half of a residual call.
    pub fn finish(&mut self, d: Reg, word: u64, r: OpRef) {
        let val = Val { word, r };
        if self.holds(OpCode::NonNull, &[r], word != 0) {
            self.write(d, val);
        } else {
            let word = word::box_int(13).unwrap_or_default();
            let val = Val {
                word,
                r: self.word(word),
            };
            self.write(d, val);
        }
    }

    fn emit_resume_finish(&mut self, d: Reg, val: Val) {
        let (pc, base) = (self.pc, self.base);
        if let Some(e) = &mut self.recorder {
            e.resume_finish(pc, base, d.into(), val.r);
        }
    }

    fn residual(&mut self, f: u8, a: Val, host: &mut dyn Host) -> Result<Val, EvalError> {
        let target = residual_target(f);
        let word = host.call(&target, &[a.word], &mut self.machine)?;
        let r = self.emit(|e| e.call(target, &[a.r]));
        Ok(Val { word, r })
    }

    fn konst_word(&mut self, k: Konst) -> Result<u64, EvalError> {
        match k {
            Konst::Null => Ok(0),
            Konst::Int(i) => match word::box_int(i) {
                Some(word) => Ok(word),
                None => Ok(word::box_int(i >> 20).unwrap_or_default()),
            },
            Konst::Flt(f) => Ok(word::box_flt(f)),
        }
    }

    // Slots.

    fn read(&mut self, n: Reg) -> Val {
        self.read_slot(self.base + i32::from(n))
    }

    fn read_slot(&mut self, slot: i32) -> Val {
        let word = self.machine.slots.get(&slot).copied().unwrap_or_default();
        Val {
            word,
            r: self.emit(|e| e.read_slot(slot)),
        }
    }

    fn write(&mut self, n: Reg, val: Val) {
        self.write_slot(self.base + i32::from(n), val);
    }

    fn write_slot(&mut self, slot: i32, val: Val) {
        self.machine.slots.insert(slot, val.word);
        self.emit(|e| {
            e.write_slot(slot, val.r);
            OpRef::NONE
        });
    }

    // Recording.

    fn emit(&mut self, record: impl FnOnce(&mut Emitter) -> OpRef) -> OpRef {
        self.recorder.as_mut().map_or(OpRef::NONE, record)
    }

    fn op(&mut self, code: OpCode, operands: &[OpRef]) -> OpRef {
        self.emit(|e| e.op(code, operands))
    }

    fn int(&mut self, i: i64) -> OpRef {
        self.emit(|e| e.int(i))
    }

    fn word(&mut self, word: u64) -> OpRef {
        self.emit(|e| e.word(word))
    }

    fn null(&mut self) -> Val {
        Val {
            word: 0,
            r: self.word(0),
        }
    }

    /// The only way from a run-time truth to control flow.
    fn holds(&mut self, code: OpCode, operands: &[OpRef], truth: bool) -> bool {
        self.emit(|e| {
            e.guard(code, operands, truth);
            OpRef::NONE
        });
        truth
    }

    /// The null test of an instruction that tests behind its writes, done before them where written
    /// slots are stores.
    fn test_if_slots_are_stored(&mut self, a: Val) -> Option<bool> {
        let stored = self
            .recorder
            .as_ref()
            .is_some_and(Emitter::stores_slots_at_once);
        stored.then(|| self.holds(OpCode::NonNull, &[a.r], a.word != 0))
    }

    // Kinds.

    fn has_shape(&mut self, a: Val, shape: u32) -> bool {
        if !self.holds(OpCode::IsPtr, &[a.r], word::is_ptr(a.word)) {
            return false;
        }
        let truth = self.machine.memory.shape(a.word) == shape;
        self.emit(|e| {
            e.guard_shape(a.r, shape, truth);
            OpRef::NONE
        });
        truth
    }

    fn is_object(&mut self, a: Val) -> bool {
        self.has_shape(a, SHAPES[0]) || self.has_shape(a, SHAPES[1])
    }

    fn number(&mut self, a: Val) -> Result<Num, EvalError> {
        if self.holds(OpCode::IsInt, &[a.r], word::is_int(a.word)) {
            let r = self.op(OpCode::UnboxInt, &[a.r]);
            return Ok(Num::Int(word::unbox_int(a.word), r));
        }
        if self.holds(OpCode::IsFlt, &[a.r], word::is_flt(a.word)) {
            let r = self.op(OpCode::UnboxFlt, &[a.r]);
            return Ok(Num::Flt(word::unbox_flt(a.word), r));
        }
        if self.has_shape(a, HEAP_INT) {
            let i = self.machine.memory.read(a.word + 8, Width::I64)? as i64;
            let r = self.emit(|e| e.load(OpCode::LdI64, &[a.r], 8, BIG));
            return Ok(Num::Int(i, r));
        }
        Ok(Num::Neither)
    }

    fn box_int(&mut self, i: i64, r: OpRef) -> Result<Val, EvalError> {
        let word = self.machine.box_int(i)?;
        let r = if word::fits_small(i) {
            self.op(OpCode::BoxInt, &[r])
        } else {
            self.emit(|e| e.call(box_target(), &[r]))
        };
        Ok(Val { word, r })
    }

    fn box_flt(&mut self, f: f64, r: OpRef) -> Val {
        Val {
            word: word::box_flt(f),
            r: self.op(OpCode::BoxFlt, &[r]),
        }
    }

    // Arithmetic.

    fn arith(&mut self, op: Arith, a: Val, b: Val) -> Result<Val, EvalError> {
        match (self.number(a)?, self.number(b)?) {
            (Num::Int(i, r), Num::Int(j, s)) => self.int_arith(op, (i, r), (j, s)),
            (Num::Neither, _) | (_, Num::Neither) => Ok(a),
            (x, y) => {
                let ((x, r), (y, s)) = (self.float(x), self.float(y));
                let (code, result) = match op {
                    Arith::Add => (OpCode::FAdd, x + y),
                    Arith::Sub => (OpCode::FSub, x - y),
                    Arith::Mul => (OpCode::FMul, x * y),
                };
                let r = self.op(code, &[r, s]);
                Ok(self.box_flt(result, r))
            }
        }
    }

    fn int_arith(
        &mut self,
        op: Arith,
        (i, r): (i64, OpRef),
        (j, s): (i64, OpRef),
    ) -> Result<Val, EvalError> {
        let (code, result) = match op {
            Arith::Add => (OpCode::IAddOvf, i.checked_add(j)),
            Arith::Sub => (OpCode::ISubOvf, i.checked_sub(j)),
            Arith::Mul => (OpCode::IMulOvf, i.checked_mul(j)),
        };
        let Some(result) = result else {
            self.abort = Some(Abort::Overflow);
            self.recorder = None;
            return Ok(self.null());
        };
        let r = self.op(code, &[r, s]);
        self.box_int(result, r)
    }

    fn float(&mut self, n: Num) -> (f64, OpRef) {
        match n {
            Num::Int(i, r) => (i as f64, self.op(OpCode::I2F, &[r])),
            Num::Flt(f, r) => (f, r),
            Num::Neither => (0.0, OpRef::NONE),
        }
    }

    fn compare(&mut self, compare: Compare, a: Val, b: Val) -> Result<bool, EvalError> {
        Ok(match (self.number(a)?, self.number(b)?) {
            (Num::Int(i, r), Num::Int(j, s)) => {
                let (code, truth) = match compare {
                    Compare::Lt => (OpCode::ILt, i < j),
                    Compare::Le => (OpCode::ILe, i <= j),
                    Compare::Eq => (OpCode::IEq, i == j),
                };
                self.holds(code, &[r, s], truth)
            }
            (Num::Neither, _) | (_, Num::Neither) => false,
            (x, y) => {
                let ((x, r), (y, s)) = (self.float(x), self.float(y));
                let (code, truth) = match compare {
                    Compare::Lt => (OpCode::FLt, x < y),
                    Compare::Le => (OpCode::FLe, x <= y),
                    Compare::Eq => (OpCode::FEq, x == y),
                };
                self.holds(code, &[r, s], truth)
            }
        })
    }

    /// Identity of objects; ints are the same if equal, floats never.
    fn same(&mut self, a: Val, b: Val) -> Result<bool, EvalError> {
        Ok(match (self.number(a)?, self.number(b)?) {
            (Num::Int(i, r), Num::Int(j, s)) => self.holds(OpCode::IEq, &[r, s], i == j),
            (Num::Neither, Num::Neither) => self.holds(OpCode::Same, &[a.r, b.r], a.word == b.word),
            _ => false,
        })
    }

    // Memory.

    fn alloc(&mut self, words: u32, header: u64) -> Val {
        let word = self.machine.memory.alloc(words, header);
        Val {
            word,
            r: self.emit(|e| e.new_object(words, header)),
        }
    }

    fn load_val(&mut self, a: Val, offset: i32, class: AliasClass) -> Result<Val, EvalError> {
        let word = self
            .machine
            .memory
            .read(a.word + offset as u64, Width::Val)?;
        Ok(Val {
            word,
            r: self.emit(|e| e.load(OpCode::LdVal, &[a.r], offset, class)),
        })
    }

    fn store_val(
        &mut self,
        a: Val,
        offset: i32,
        class: AliasClass,
        b: Val,
    ) -> Result<(), EvalError> {
        self.machine
            .memory
            .write(a.word + offset as u64, Width::Val, b.word)?;
        self.emit(|e| {
            e.store(OpCode::StVal, &[a.r, b.r], offset, class);
            OpRef::NONE
        });
        Ok(())
    }

    fn store_raw(
        &mut self,
        a: Val,
        offset: i32,
        class: AliasClass,
        i: i64,
        r: OpRef,
    ) -> Result<(), EvalError> {
        self.machine
            .memory
            .write(a.word + offset as u64, Width::I64, i as u64)?;
        self.emit(|e| {
            e.store(OpCode::StI64, &[a.r, r], offset, class);
            OpRef::NONE
        });
        Ok(())
    }

    fn store_elem(
        &mut self,
        a: Val,
        (k, r): (i64, Option<OpRef>),
        b: Val,
    ) -> Result<(), EvalError> {
        self.machine.memory.write(
            a.word + ELEM_OFFSET as u64 + 8 * k as u64,
            Width::Val,
            b.word,
        )?;
        let r = r.unwrap_or_else(|| self.int(k));
        self.emit(|e| {
            e.store(OpCode::StElem, &[a.r, r, b.r], ELEM_OFFSET, ELEM);
            OpRef::NONE
        });
        Ok(())
    }

    fn barrier(&mut self, a: Val, b: Val) {
        self.emit(|e| e.op(OpCode::Barrier, &[a.r, b.r]));
    }

    /// Index of an element that exists.
    fn element(&mut self, a: Val, i: Val) -> Result<Option<(i64, OpRef)>, EvalError> {
        if !self.has_shape(a, ARRAY) {
            return Ok(None);
        }
        let Num::Int(i, r) = self.number(i)? else {
            return Ok(None);
        };
        let len = self
            .machine
            .memory
            .read(a.word + LEN_OFFSET as u64, Width::I64)?;
        let len_r = self.emit(|e| e.load(OpCode::LdI64, &[a.r], LEN_OFFSET, LEN));
        let inside = (i as u64) < len;
        Ok(self
            .holds(OpCode::ULt, &[r, len_r], inside)
            .then_some((i, r)))
    }
}

fn target(name: &'static str, addr: usize, param: Ty, effects: Effects) -> CallTarget {
    CallTarget {
        name: Cow::Borrowed(name),
        addr,
        effects,
        params: vec![param],
        ret: Ty::Val,
    }
}

fn box_target() -> CallTarget {
    target(
        "box",
        0x100,
        Ty::Int,
        Effects {
            may_collect: true,
            ..Effects::default()
        },
    )
}

/// The residual functions: `pure` (elidable), `poke` (writes a field), `wrap` (allocates), `any` (may
/// do anything, and pokes).
#[must_use]
pub fn residual_target(f: u8) -> CallTarget {
    match f {
        0 => target("pure", 0x200, Ty::Val, Effects::default()),
        1 => {
            let classes = ClassSet::of(&[FIELD[0], AliasClass::SHAPE]);
            let reads = ClassSet::of(&[FIELD[0], AliasClass::SHAPE]);
            target(
                "poke",
                0x300,
                Ty::Val,
                Effects {
                    reads,
                    writes: classes,
                    ..Effects::default()
                },
            )
        }
        2 => target(
            "wrap",
            0x400,
            Ty::Val,
            Effects {
                may_collect: true,
                ..Effects::default()
            },
        ),
        _ => target("any", 0x500, Ty::Val, Effects::ANY),
    }
}

/// The residual functions' host.
#[derive(Clone, Copy, Debug, Default)]
pub struct Functions;

impl Host for Functions {
    fn call(
        &mut self,
        target: &CallTarget,
        args: &[u64],
        machine: &mut Machine,
    ) -> Result<u64, EvalError> {
        let arg = args[0];
        let shape = if word::is_ptr(arg) {
            machine.memory.shape(arg)
        } else {
            0
        };
        let object = SHAPES.contains(&shape);
        let number = match shape {
            HEAP_INT => Some(machine.memory.read(arg + 8, Width::I64)? as i64),
            _ => word::is_int(arg).then(|| word::unbox_int(arg)),
        };
        let odd = number.is_some_and(|i| i & 1 != 0);
        let nothing = word::box_int(0).unwrap_or_default();
        match &*target.name {
            "box" => machine.box_int(arg as i64),
            // Depends on the number in its argument and on nothing else.
            "pure" => Ok(if odd {
                0
            } else {
                word::box_int(7).unwrap_or_default()
            }),
            "touch" => {
                if object {
                    let word = word::box_int(78).unwrap_or_default();
                    machine.memory.write(arg + 8, Width::Val, word)?;
                }
                Ok(nothing)
            }
            "poke" | "any" if object => {
                let inner = machine.memory.read(arg + 16, Width::Val)?;
                let deep = &*target.name == "any" && word::is_ptr(inner);
                if deep && SHAPES.contains(&machine.memory.shape(inner)) {
                    let word = word::box_int(79).unwrap_or_default();
                    machine.memory.write(inner + 8, Width::Val, word)?;
                }
                let old = machine.memory.read(arg + 8, Width::Val)?;
                let word = word::box_int(77).unwrap_or_default();
                machine.memory.write(arg + 8, Width::Val, word)?;
                machine
                    .memory
                    .write(arg + 4, Width::U32, SHAPES[1].into())?;
                Ok(old)
            }
            "poke" | "any" => Ok(if odd { 0 } else { nothing }),
            "wrap" => {
                let new = machine.memory.alloc(4, header(SHAPES[0]));
                machine.memory.write(new + 8, Width::Val, arg)?;
                machine.memory.write(new + 16, Width::Val, nothing)?;
                machine.memory.write(new + 24, Width::I64, 3)?;
                Ok(new)
            }
            other => Err(EvalError::UnknownCall(other.to_owned())),
        }
    }
}
