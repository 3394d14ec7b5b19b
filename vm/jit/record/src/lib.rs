//! The trace recorder: the [`Core`] machine that executes and writes down.
//!
//! Each method carries its operation out on the real VM state and hands the same
//! operation to the [`Emitter`]; each [`Core::branch`] leaves a guard. Since the
//! recorder is the only executor while it records, giving a recording up is
//! nothing but dropping the emitter: the interpreter goes on where the recorder
//! stands.
//!
//! What only the VM can do (allocate, pin, the write barrier) goes through
//! [`Host`]; the language's own machine methods are implemented where the
//! language is.

mod abort;
pub mod drive;
mod host;
mod restore;

pub use abort::Abort;
pub use host::Host;
pub use restore::{Maker, Restorer};

use pyrite_jit_ir::{AliasClass, Op, OpCode, OpRef};
use pyrite_jit_opt::Emitter;
use pyrite_machine::plant::{self, Fault};
use pyrite_machine::{Cmp, Core, Field, Header, Value};

/// A value word with its name in the trace.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    pub now: Value,
    pub r: OpRef,
}

/// An integer with its name in the trace.
#[derive(Clone, Copy, Debug)]
pub struct Int {
    pub now: i64,
    pub r: OpRef,
}

/// A double with its name in the trace.
#[derive(Clone, Copy, Debug)]
pub struct Float {
    pub now: f64,
    pub r: OpRef,
}

/// A truth not yet looked at: what it is now, and the guard that would ask again.
#[derive(Clone, Copy, Debug)]
pub struct Truth {
    pub now: bool,
    guard: Option<Guard>,
}

#[derive(Clone, Copy, Debug)]
struct Guard {
    code: OpCode,
    a: OpRef,
    b: OpRef,
    imm: i32,
    /// The truth is the negation of the guard's condition.
    not: bool,
}

impl Truth {
    /// A truth that needs no guard.
    pub fn known(now: bool) -> Truth {
        Truth { now, guard: None }
    }
}

/// See the crate's documentation.
pub struct Recorder<H: Host> {
    pub host: H,
    pub e: Emitter,
    /// Window in which the trace (its root) runs.
    pub trace_base: *mut Value,
    /// The running window, in slots from `trace_base`.
    pub off: i32,
    /// Next instruction.
    pub pc: *const u64,
    /// Constant 0 of the running code.
    pub k: *mut Value,
    /// Frames inlined at present.
    pub depth: u32,
    /// Highest slot any frame of the trace reaches, exclusive.
    pub extent: i32,
    /// Integers may leave 50 bits inside the trace.
    pub wide_ints: bool,
    /// The recording is to be given up.
    pub abort: Option<Abort>,
}

impl<H: Host> Recorder<H> {
    /// The running window.
    pub fn base(&self) -> *mut Value {
        // SAFETY: windows of inlined frames were checked to fit.
        unsafe { self.trace_base.offset(self.off as isize) }
    }

    /// Gives the recording up; the first reason counts.
    pub fn give_up(&mut self, why: Abort) {
        self.abort.get_or_insert(why);
    }

    /// A constant word, kept alive and in place by the host.
    pub fn constant(&mut self, v: Value) -> OpRef {
        if v.is_ptr() && !plant::is(Fault::ConstantsNotKept) {
            self.host.keep(v);
        }
        self.e.word(v.bits())
    }

    fn guarded(now: bool, code: OpCode, a: OpRef, b: OpRef, not: bool) -> Truth {
        Truth {
            now,
            guard: Some(Guard {
                code,
                a,
                b,
                imm: 0,
                not,
            }),
        }
    }

    /// The integer of a word that the trace boxed itself and that left 50 bits:
    /// a heap object to the interpreter, still an integer to the trace.
    fn boxed_big(&self, v: Word) -> Option<i64> {
        let boxed = self
            .e
            .recorded()
            .def(v.r)
            .is_some_and(|op| op.code == OpCode::BoxInt);
        if boxed {
            self.host.big_int_value(v.now)
        } else {
            None
        }
    }

    fn arith(&mut self, code: OpCode, a: Int, b: Int, now: Option<i64>) -> (Int, Truth) {
        // Without folding every result is boxed, and beyond 50 bits that fails.
        let code = match code {
            OpCode::IAddOvf if plant::is(Fault::OverflowNotGuarded) => OpCode::IAdd,
            OpCode::ISubOvf if plant::is(Fault::OverflowNotGuarded) => OpCode::ISub,
            _ => code,
        };
        let now = now.filter(|i| self.wide_ints || Value::try_int(*i).is_some());
        match now {
            Some(now) => (
                Int {
                    now,
                    r: self.e.op(code, &[a.r, b.r]),
                },
                Truth::known(false),
            ),
            None => {
                self.give_up(Abort::IntegerTooLarge);
                (a, Truth::known(true))
            }
        }
    }

    fn word_at(p: Value, f: Field) -> *mut u64 {
        // SAFETY: handlers name fields within objects of the layout they tested.
        unsafe { p.ptr().cast::<u8>().offset(f.offset as isize).cast() }
    }

    fn emit_barrier(&mut self, p: Word, v: Word) {
        if !plant::is(Fault::NoBarrier) {
            self.e.emit(Op::new(OpCode::Barrier).with(&[p.r, v.r]));
        }
    }

    /// Guards that a word is this very one.
    pub fn guard_word(&mut self, v: Word) -> Value {
        if !plant::is(Fault::WordNotGuarded) {
            let c = self.constant(v.now);
            self.e.guard(OpCode::Same, &[v.r, c], true);
        }
        v.now
    }
}

impl<H: Host> Core for Recorder<H> {
    type V = Word;
    type I = Int;
    type F = Float;
    type B = Truth;

    fn reg(&mut self, r: isize) -> Word {
        // SAFETY: the compiler names registers within the window.
        let now = unsafe { *self.base().offset(r) };
        Word {
            now,
            r: self.e.read_slot(self.off + r as i32),
        }
    }
    fn set_reg(&mut self, r: isize, v: Word) {
        // SAFETY: as above.
        unsafe { *self.base().offset(r) = v.now };
        self.e.write_slot(self.off + r as i32, v.r);
    }
    fn konst(&mut self, k: usize) -> Word {
        // SAFETY: the compiler names constants that exist.
        let now = unsafe { *self.k.add(k) };
        Word {
            now,
            r: self.constant(now),
        }
    }
    fn value(&mut self, v: Value) -> Word {
        Word {
            now: v,
            r: self.constant(v),
        }
    }
    fn int(&mut self, i: i64) -> Int {
        Int {
            now: i,
            r: self.e.int(i),
        }
    }
    fn is_int(&mut self, v: Word) -> Truth {
        let now = v.now.is_int() || self.boxed_big(v).is_some();
        Self::guarded(now, OpCode::IsInt, v.r, OpRef::NONE, false)
    }
    fn is_float(&mut self, v: Word) -> Truth {
        Self::guarded(v.now.is_float(), OpCode::IsFlt, v.r, OpRef::NONE, false)
    }
    fn is_ptr(&mut self, v: Word) -> Truth {
        let now = v.now.is_ptr() && self.boxed_big(v).is_none();
        Self::guarded(now, OpCode::IsPtr, v.r, OpRef::NONE, false)
    }
    fn is_null(&mut self, v: Word) -> Truth {
        Self::guarded(v.now.is_null(), OpCode::NonNull, v.r, OpRef::NONE, true)
    }
    fn same(&mut self, a: Word, b: Word) -> Truth {
        if plant::is(Fault::SameNotGuarded) {
            return Truth::known(a.now == b.now);
        }
        Self::guarded(a.now == b.now, OpCode::Same, a.r, b.r, false)
    }
    fn icmp(&mut self, op: Cmp, a: Int, b: Int) -> Truth {
        let (x, y) = (a.now, b.now);
        match op {
            Cmp::Lt => Self::guarded(x < y, OpCode::ILt, a.r, b.r, false),
            Cmp::Le => Self::guarded(x <= y, OpCode::ILe, a.r, b.r, false),
            Cmp::Eq => Self::guarded(x == y, OpCode::IEq, a.r, b.r, false),
            Cmp::Ne => Self::guarded(x != y, OpCode::IEq, a.r, b.r, true),
            Cmp::Gt => Self::guarded(x > y, OpCode::ILt, b.r, a.r, false),
            Cmp::Ge => Self::guarded(x >= y, OpCode::ILe, b.r, a.r, false),
        }
    }
    fn below(&mut self, a: Int, b: Int) -> Truth {
        Self::guarded((a.now as u64) < b.now as u64, OpCode::ULt, a.r, b.r, false)
    }
    fn fcmp(&mut self, op: Cmp, a: Float, b: Float) -> Truth {
        let (x, y) = (a.now, b.now);
        match op {
            Cmp::Lt => Self::guarded(x < y, OpCode::FLt, a.r, b.r, false),
            Cmp::Le => Self::guarded(x <= y, OpCode::FLe, a.r, b.r, false),
            Cmp::Eq => Self::guarded(x == y, OpCode::FEq, a.r, b.r, false),
            Cmp::Ne => Self::guarded(x != y, OpCode::FEq, a.r, b.r, true),
            Cmp::Gt => Self::guarded(x > y, OpCode::FLt, b.r, a.r, false),
            Cmp::Ge => Self::guarded(x >= y, OpCode::FLe, b.r, a.r, false),
        }
    }
    fn has_shape(&mut self, v: Word, shape: u32) -> Truth {
        // SAFETY: handlers tested that `v` is an object.
        let now = Header::shape(unsafe { *v.now.ptr() }) == shape;
        Truth {
            now,
            guard: Some(Guard {
                code: OpCode::Shape,
                a: v.r,
                b: OpRef::NONE,
                imm: shape as i32,
                not: false,
            }),
        }
    }
    fn branch(&mut self, b: Truth) -> bool {
        if let Some(g) = b.guard {
            let op = Op {
                expect: b.now != g.not,
                ..Op::new(g.code).imm(g.imm)
            };
            let op = match (g.a.is_none(), g.b.is_none()) {
                (true, _) => op,
                (false, true) => op.with(&[g.a]),
                (false, false) => op.with(&[g.a, g.b]),
            };
            self.e.emit(op);
        }
        b.now
    }
    fn shape(&mut self, v: Word) -> u32 {
        // SAFETY: handlers tested that `v` is an object.
        let shape = Header::shape(unsafe { *v.now.ptr() });
        if !plant::is(Fault::ShapeNotGuarded) {
            self.e.guard_shape(v.r, shape, true);
        }
        shape
    }
    fn promote(&mut self, v: Word) -> Value {
        self.guard_word(v)
    }
    fn promote_int(&mut self, i: Int) -> i64 {
        if !plant::is(Fault::IntegerNotGuarded) {
            let c = self.e.int(i.now);
            self.e.guard(OpCode::IEq, &[i.r, c], true);
        }
        i.now
    }
    fn unbox_int(&mut self, v: Word) -> Int {
        let now = self.boxed_big(v).unwrap_or(v.now.int_value());
        Int {
            now,
            r: self.e.op(OpCode::UnboxInt, &[v.r]),
        }
    }
    fn unbox_float(&mut self, v: Word) -> Float {
        Float {
            now: v.now.float_value(),
            r: self.e.op(OpCode::UnboxFlt, &[v.r]),
        }
    }
    fn box_int(&mut self, i: Int) -> Word {
        let now = match Value::try_int(i.now) {
            Some(v) => v,
            None => self.host.big_int(i.now),
        };
        Word {
            now,
            r: self.e.op(OpCode::BoxInt, &[i.r]),
        }
    }
    fn box_float(&mut self, f: Float) -> Word {
        Word {
            now: Value::float(f.now),
            r: self.e.op(OpCode::BoxFlt, &[f.r]),
        }
    }
    fn int_to_float(&mut self, i: Int) -> Float {
        Float {
            now: i.now as f64,
            r: self.e.op(OpCode::I2F, &[i.r]),
        }
    }
    fn iadd(&mut self, a: Int, b: Int) -> (Int, Truth) {
        self.arith(OpCode::IAddOvf, a, b, a.now.checked_add(b.now))
    }
    fn isub(&mut self, a: Int, b: Int) -> (Int, Truth) {
        self.arith(OpCode::ISubOvf, a, b, a.now.checked_sub(b.now))
    }
    fn imul(&mut self, a: Int, b: Int) -> (Int, Truth) {
        self.arith(OpCode::IMulOvf, a, b, a.now.checked_mul(b.now))
    }
    fn iadd_wrapping(&mut self, a: Int, b: Int) -> Int {
        Int {
            now: a.now.wrapping_add(b.now),
            r: self.e.op(OpCode::IAdd, &[a.r, b.r]),
        }
    }
    fn isub_wrapping(&mut self, a: Int, b: Int) -> Int {
        Int {
            now: a.now.wrapping_sub(b.now),
            r: self.e.op(OpCode::ISub, &[a.r, b.r]),
        }
    }
    fn idiv(&mut self, a: Int, b: Int) -> Int {
        let q = a.now.wrapping_div(b.now);
        let now = if a.now % b.now != 0 && (a.now < 0) != (b.now < 0) {
            q - 1
        } else {
            q
        };
        Int {
            now,
            r: self.e.op(OpCode::IDiv, &[a.r, b.r]),
        }
    }
    fn imod(&mut self, a: Int, b: Int) -> Int {
        let m = a.now % b.now;
        let now = if m != 0 && (m < 0) != (b.now < 0) {
            m + b.now
        } else {
            m
        };
        Int {
            now,
            r: self.e.op(OpCode::IMod, &[a.r, b.r]),
        }
    }
    fn iand(&mut self, a: Int, b: Int) -> Int {
        Int {
            now: a.now & b.now,
            r: self.e.op(OpCode::IAnd, &[a.r, b.r]),
        }
    }
    fn ior(&mut self, a: Int, b: Int) -> Int {
        Int {
            now: a.now | b.now,
            r: self.e.op(OpCode::IOr, &[a.r, b.r]),
        }
    }
    fn ixor(&mut self, a: Int, b: Int) -> Int {
        Int {
            now: a.now ^ b.now,
            r: self.e.op(OpCode::IXor, &[a.r, b.r]),
        }
    }
    fn ishl(&mut self, a: Int, n: i64) -> (Int, Truth) {
        let now = a.now << n;
        if now >> n != a.now {
            self.give_up(Abort::IntegerTooLarge);
            return (a, Truth::known(true));
        }
        let count = self.e.int(n);
        let r = self.e.op(OpCode::IShl, &[a.r, count]);
        // Nothing was lost if the result shifts back.
        let back = self.e.op(OpCode::IShr, &[r, count]);
        (
            Int { now, r },
            Self::guarded(false, OpCode::IEq, back, a.r, true),
        )
    }
    fn ishr(&mut self, a: Int, n: i64) -> Int {
        let count = self.e.int(n);
        Int {
            now: a.now >> n,
            r: self.e.op(OpCode::IShr, &[a.r, count]),
        }
    }
    fn fadd(&mut self, a: Float, b: Float) -> Float {
        Float {
            now: a.now + b.now,
            r: self.e.op(OpCode::FAdd, &[a.r, b.r]),
        }
    }
    fn fsub(&mut self, a: Float, b: Float) -> Float {
        Float {
            now: a.now - b.now,
            r: self.e.op(OpCode::FSub, &[a.r, b.r]),
        }
    }
    fn fmul(&mut self, a: Float, b: Float) -> Float {
        Float {
            now: a.now * b.now,
            r: self.e.op(OpCode::FMul, &[a.r, b.r]),
        }
    }
    fn fdiv(&mut self, a: Float, b: Float) -> Float {
        Float {
            now: a.now / b.now,
            r: self.e.op(OpCode::FDiv, &[a.r, b.r]),
        }
    }
    fn fneg(&mut self, a: Float) -> Float {
        Float {
            now: -a.now,
            r: self.e.op(OpCode::FNeg, &[a.r]),
        }
    }
    fn load(&mut self, p: Word, f: Field) -> Word {
        // SAFETY: see `word_at`.
        let now = Value::from_bits(unsafe { *Self::word_at(p.now, f) });
        Word {
            now,
            r: self
                .e
                .load(OpCode::LdVal, &[p.r], f.offset, AliasClass(f.class)),
        }
    }
    fn load_int(&mut self, p: Word, f: Field) -> Int {
        // SAFETY: see `word_at`.
        let now = unsafe { *Self::word_at(p.now, f) as i64 };
        Int {
            now,
            r: self
                .e
                .load(OpCode::LdI64, &[p.r], f.offset, AliasClass(f.class)),
        }
    }
    fn load_elem(&mut self, p: Word, f: Field, i: Int) -> Word {
        // SAFETY: handlers tested the index.
        let now = Value::from_bits(unsafe { *Self::word_at(p.now, f).offset(i.now as isize) });
        Word {
            now,
            r: self
                .e
                .load(OpCode::LdElem, &[p.r, i.r], f.offset, AliasClass(f.class)),
        }
    }
    fn store_blocked(&mut self, _p: Word) -> bool {
        false
    }
    fn store(&mut self, p: Word, f: Field, v: Word) {
        // SAFETY: see `word_at`.
        unsafe { *Self::word_at(p.now, f) = v.now.bits() };
        self.host.barrier(p.now);
        self.e
            .store(OpCode::StVal, &[p.r, v.r], f.offset, AliasClass(f.class));
        self.emit_barrier(p, v);
    }
    fn store_int(&mut self, p: Word, f: Field, i: Int) {
        // SAFETY: see `word_at`.
        unsafe { *Self::word_at(p.now, f) = i.now as u64 };
        self.e
            .store(OpCode::StI64, &[p.r, i.r], f.offset, AliasClass(f.class));
    }
    fn store_elem(&mut self, p: Word, f: Field, i: Int, v: Word) {
        // SAFETY: handlers tested the index.
        unsafe { *Self::word_at(p.now, f).offset(i.now as isize) = v.now.bits() };
        self.host.barrier(p.now);
        self.e.store(
            OpCode::StElem,
            &[p.r, i.r, v.r],
            f.offset,
            AliasClass(f.class),
        );
        self.emit_barrier(p, v);
    }
    fn store_shape(&mut self, p: Word, shape: u32) {
        // SAFETY: `p` is a live object; only the upper half of its header changes.
        unsafe {
            *p.now.ptr() = *p.now.ptr() & 0xFFFF_FFFF | u64::from(shape) << Header::SHAPE_SHIFT
        };
        self.e
            .emit(Op::new(OpCode::StShape).with(&[p.r]).imm(shape as i32));
    }
    fn alloc(&mut self, header: u64, words: usize) -> Option<Word> {
        let now = self.host.alloc(header, words)?;
        // The collector hands out zeroed memory, so unset words need no store.
        let r = self.e.new_object(words.next_multiple_of(2) as u32, header);
        Some(Word { now, r })
    }
    fn jump(&mut self, off: isize) {
        // SAFETY: the compiler's offsets stay within the code.
        self.pc = unsafe { self.pc.offset(off) };
    }
    fn poll(&mut self) -> Truth {
        let guard = Guard {
            code: OpCode::Poll,
            a: OpRef::NONE,
            b: OpRef::NONE,
            imm: self.host.poll_offset(),
            not: true,
        };
        Truth {
            now: self.host.poll(),
            guard: Some(guard),
        }
    }
}
