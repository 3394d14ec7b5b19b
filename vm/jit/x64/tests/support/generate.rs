//! Random verified programs: a root, sometimes with a loop, and bridges from its exits.
//!
//! Objects have eight words: header, value fields at 8 to 32, raw integers at 40 to 56; so a word
//! that passes `is_ptr` is the address of such an object and may be followed.

use pyrite_jit_ir::{
    AliasClass, CallTarget, ClassSet, Effects, Field, Kind, List, Op, OpCode, OpRef, Resume,
    Snapshot, SnapshotId, Trace, TraceId, TraceKind, Ty, VirtualObject, Width, word,
};

use super::arena::{Arena, EXTENT, FIELDS, OBJECT_COUNT, POLL};

/// xorshift64*: small, seeded, good enough.
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        rng.next();
        rng.next();
        rng
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.next() >> 33) as usize) % n
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn int(&mut self) -> i64 {
        match self.below(6) {
            0 => self.pick(&[
                0,
                1,
                -1,
                2,
                8,
                63,
                i64::MAX,
                i64::MIN,
                word::SMALL_MAX,
                word::SMALL_MIN,
            ]),
            1 => self.next() as i64,
            2 => self.next() as i32 as i64,
            _ => self.below(200) as i64 - 60,
        }
    }

    fn flt(&mut self) -> f64 {
        match self.below(6) {
            0 => self.pick(&[
                0.0,
                -0.0,
                f64::NAN,
                f64::INFINITY,
                f64::NEG_INFINITY,
                1e300,
                5e-324,
            ]),
            1 => self.int() as f64,
            _ => (self.below(4000) as f64 - 1500.0) / 8.0,
        }
    }
}

/// Ints in slots 1 to 6, doubles in 7 to 9, objects in 10 to 13, anything above; fields likewise.
pub(crate) fn prepare(rng: &mut Rng, arena: &mut Arena) {
    arena.reset();
    let small = |rng: &mut Rng| word::box_int(rng.int()).unwrap_or(word::INT_BIAS);
    let any = |rng: &mut Rng, arena: &Arena| match rng.below(4) {
        0 => word::box_flt(rng.flt()),
        1 => arena.object(rng.below(OBJECT_COUNT)),
        _ => small(rng),
    };
    for slot in 1..EXTENT {
        let value = match slot {
            1..=6 => small(rng),
            7..=9 => word::box_flt(rng.flt()),
            10..=13 => arena.object(rng.below(OBJECT_COUNT)),
            _ => any(rng, arena),
        };
        arena.set_slot(slot, value);
    }
    for k in 0..OBJECT_COUNT {
        let object = arena.object(k);
        for field in 1..5 {
            let value = any(rng, arena);
            arena.store(object + 8 * field, 8, value);
        }
        for field in 5..8 {
            let value = rng.int() as u64;
            arena.store(object + 8 * field, 8, value);
        }
    }
    arena.set(FIELDS, word::box_int(5).expect("small")); // fuel of links
    if rng.one_in(8) {
        arena.set(POLL, 1);
    }
    if rng.one_in(2) {
        let lim = arena.get(super::arena::LIM);
        arena.set(super::arena::LIM, lim + 16 * rng.below(40) as u64);
    }
}

struct Generator<'a> {
    rng: &'a mut Rng,
    arena: &'a Arena,
    trace: Trace,
    ints: Vec<OpRef>,
    flts: Vec<OpRef>,
    vals: Vec<OpRef>,
    /// Values that are known to be objects.
    ptrs: Vec<OpRef>,
    snapshot: Option<SnapshotId>,
    pc: u64,
}

const VAL: AliasClass = AliasClass(3);
const RAW: AliasClass = AliasClass(4);

/// A root with `size` random ops before its loop or end, and as many after.
pub(crate) fn root(rng: &mut Rng, arena: &Arena, id: u32, size: usize) -> Trace {
    let mut g = Generator::new(rng, arena, Trace::new(TraceId(id), TraceKind::Root));
    for slot in [1, 2, 7, 10] {
        g.slot(slot);
    }
    g.body(size);
    g.end(size, None);
    g.trace
}

/// A bridge from an exit of `parent`; it may go on to `link`.
pub(crate) fn bridge(
    rng: &mut Rng,
    arena: &Arena,
    id: u32,
    parent: &Trace,
    exit: SnapshotId,
    link: Option<TraceId>,
    size: usize,
) -> Trace {
    let kind = TraceKind::Bridge {
        parent: parent.id,
        exit,
    };
    let mut g = Generator::new(rng, arena, Trace::new(TraceId(id), kind));
    for (i, &r) in parent.snapshot(exit).live_values().iter().enumerate() {
        let ty = parent.ty(r);
        let param = g.trace.push(Op {
            ty,
            ..Op::new(OpCode::Param).imm(i as i32)
        });
        g.add(param);
    }
    g.slot(3);
    g.slot(8);
    g.slot(11);
    g.body(size);
    g.end(size, link);
    g.trace
}

impl<'a> Generator<'a> {
    fn new(rng: &'a mut Rng, arena: &'a Arena, trace: Trace) -> Self {
        Self {
            rng,
            arena,
            trace,
            ints: Vec::new(),
            flts: Vec::new(),
            vals: Vec::new(),
            ptrs: Vec::new(),
            snapshot: None,
            pc: 0,
        }
    }

    // --- values ---------------------------------------------------------------------------------

    fn add(&mut self, r: OpRef) {
        match self.trace.ty(r) {
            Ty::Int => self.ints.push(r),
            Ty::Flt => self.flts.push(r),
            Ty::Val => self.vals.push(r),
            Ty::Unit => {}
        }
    }

    fn from(rng: &mut Rng, pool: &[OpRef]) -> Option<OpRef> {
        if pool.is_empty() {
            return None;
        }
        let near = if rng.one_in(3) {
            pool.len()
        } else {
            pool.len().min(5)
        };
        Some(pool[pool.len() - 1 - rng.below(near)])
    }

    fn int(&mut self) -> OpRef {
        match Self::from(self.rng, &self.ints) {
            Some(r) if !self.rng.one_in(6) => r,
            _ => {
                let i = self.rng.int();
                self.trace.int(i)
            }
        }
    }

    fn flt(&mut self) -> OpRef {
        match Self::from(self.rng, &self.flts) {
            Some(r) if !self.rng.one_in(6) => r,
            _ => {
                let f = self.rng.flt();
                self.trace.flt(f)
            }
        }
    }

    fn val(&mut self) -> OpRef {
        match Self::from(self.rng, &self.vals) {
            Some(r) if !self.rng.one_in(6) => r,
            _ => {
                let bits = match self.rng.below(4) {
                    0 => 0,
                    1 => word::box_flt(self.rng.flt()),
                    2 => word::box_int(self.rng.int()).unwrap_or(word::INT_BIAS),
                    _ => self.arena.object(self.rng.below(OBJECT_COUNT)),
                };
                self.trace.word(bits)
            }
        }
    }

    fn ptr(&mut self) -> OpRef {
        match Self::from(self.rng, &self.ptrs) {
            Some(r) if !self.rng.one_in(8) => r,
            _ => {
                let object = self.arena.object(self.rng.below(OBJECT_COUNT));
                self.trace.word(object)
            }
        }
    }

    fn of(&mut self, ty: Ty) -> OpRef {
        match ty {
            Ty::Int => self.int(),
            Ty::Flt => self.flt(),
            _ => self.val(),
        }
    }

    // --- ops ------------------------------------------------------------------------------------

    fn push(&mut self, op: Op) -> OpRef {
        let effect = self.trace.has_effect(&op);
        let r = self.trace.push(op);
        if effect {
            self.snapshot = None;
        }
        self.add(r);
        r
    }

    fn op(&mut self, code: OpCode, operands: &[OpRef]) -> OpRef {
        let mut op = Op::new(code).with(operands);
        if code.is_guard() {
            op.snap = Some(self.snapshot());
            op.expect = code.info().kind != Kind::Guard || !self.rng.one_in(3);
        }
        self.push(op)
    }

    fn slot(&mut self, slot: i32) -> OpRef {
        self.push(Op::new(OpCode::Slot).imm(slot))
    }

    /// A type guard whose truth later ops rely on.
    fn test(&mut self, code: OpCode, value: OpRef) {
        let snap = Some(self.snapshot());
        self.push(Op {
            snap,
            ..Op::new(code).with(&[value])
        });
    }

    fn snapshot(&mut self) -> SnapshotId {
        if let Some(snapshot) = self.snapshot
            && !self.rng.one_in(3)
        {
            return snapshot;
        }
        let snapshot = self.fresh_snapshot();
        self.snapshot = Some(snapshot);
        snapshot
    }

    fn fresh_snapshot(&mut self) -> SnapshotId {
        self.pc += 1;
        let objects = if self.rng.one_in(4) {
            1 + self.rng.below(2)
        } else {
            0
        };
        let any = |g: &mut Self| {
            if objects > 0 && g.rng.one_in(3) {
                return OpRef::virtual_object(g.rng.below(objects));
            }
            match g.rng.below(4) {
                0 => g.flt(),
                1 => g.val(),
                _ => g.int(),
            }
        };
        let mut entries = Vec::new();
        for slot in 14..14 + self.rng.below(8) as i32 {
            if !self.rng.one_in(3) {
                entries.push((slot, any(self)));
            }
        }
        let virtuals = (0..objects)
            .map(|_| {
                let mut fields = Vec::new();
                for n in 1..8 {
                    if self.rng.one_in(2) {
                        continue;
                    }
                    let (width, class, val) = if n < 5 {
                        (Width::Val, VAL, any(self))
                    } else {
                        (Width::I64, RAW, self.int())
                    };
                    fields.push(Field {
                        offset: 8 * n,
                        width,
                        class,
                        val,
                    });
                }
                VirtualObject {
                    words: 8,
                    header: 0x77 << 32,
                    fields,
                }
            })
            .collect();
        let mode = if self.rng.one_in(4) {
            Resume::Finish {
                stage: self.rng.below(5) as u16,
                val: any(self),
            }
        } else {
            Resume::Reexec
        };
        let base = self.rng.below(3) as i32;
        self.trace.add_snapshot(Snapshot {
            pc: self.pc,
            base,
            mode,
            entries,
            virtuals,
        })
    }

    fn body(&mut self, size: usize) {
        for _ in 0..size {
            self.step();
        }
    }

    fn step(&mut self) {
        use OpCode as C;
        match self.rng.below(32) {
            0 => {
                let slot = self.rng.below(20) as i32 + 1;
                self.slot(slot);
            }
            1 => {
                let (slot, value) = (self.rng.below(20) as i32 + 1, self.val());
                self.push(Op::new(C::StSlot).with(&[value]).imm(slot));
            }
            2 | 3 => {
                if let Some(v) = Self::from(self.rng, &self.vals) {
                    self.test(C::IsInt, v);
                    self.op(C::UnboxInt, &[v]);
                }
            }
            4 => {
                if let Some(v) = Self::from(self.rng, &self.vals) {
                    self.test(C::IsFlt, v);
                    self.op(C::UnboxFlt, &[v]);
                }
            }
            5 | 6 => {
                if let Some(v) = Self::from(self.rng, &self.vals) {
                    self.test(C::IsPtr, v);
                    self.ptrs.push(v);
                }
            }
            7..=11 => {
                let code = self.rng.pick(&[
                    C::IAddOvf,
                    C::ISubOvf,
                    C::IMulOvf,
                    C::IAdd,
                    C::ISub,
                    C::IMul,
                    C::IAnd,
                    C::IOr,
                    C::IXor,
                    C::IShl,
                    C::IShr,
                ]);
                let (a, b) = (self.int(), self.int());
                self.op(code, &[a, b]);
            }
            12 => self.divide(),
            13..=15 => {
                let code = self.rng.pick(&[C::FAdd, C::FSub, C::FMul, C::FDiv]);
                let (a, b) = (self.flt(), self.flt());
                self.op(code, &[a, b]);
            }
            16 => {
                let (code, a) = (
                    self.rng
                        .pick(&[C::FNeg, C::FAbs, C::FSqrt, C::FFloor, C::F2I, C::BoxFlt]),
                    self.flt(),
                );
                self.op(code, &[a]);
            }
            17 => {
                let (code, a) = (self.rng.pick(&[C::I2F, C::BoxInt, C::BoxInt]), self.int());
                self.op(code, &[a]);
            }
            18 | 19 => {
                let (code, a, b) = (
                    self.rng.pick(&[C::ILt, C::ILe, C::IEq, C::ULt]),
                    self.int(),
                    self.int(),
                );
                self.op(code, &[a, b]);
            }
            20 => {
                let (code, a, b) = (
                    self.rng.pick(&[C::FLt, C::FLe, C::FEq]),
                    self.flt(),
                    self.flt(),
                );
                self.op(code, &[a, b]);
            }
            21 => {
                let (a, b) = (self.val(), self.val());
                if self.rng.one_in(2) {
                    self.op(C::Same, &[a, b]);
                } else {
                    self.op(C::NonNull, &[a]);
                }
            }
            22 => self.shape(),
            23..=25 => self.load(),
            26 | 27 => self.store(),
            28 => self.new_object(),
            29 | 30 => self.call(),
            _ => self.vm(),
        }
    }

    fn divide(&mut self) {
        let code = self.rng.pick(&[OpCode::IDiv, OpCode::IMod]);
        let dividend = self.int();
        let divisor = match Self::from(self.rng, &self.ints) {
            Some(d) if self.rng.one_in(2) => {
                for forbidden in [0, -1] {
                    let k = self.trace.int(forbidden);
                    let snap = Some(self.snapshot());
                    self.push(Op {
                        snap,
                        expect: false,
                        ..Op::new(OpCode::IEq).with(&[d, k])
                    });
                }
                d
            }
            _ => {
                let d = self.rng.int();
                let d = if d == 0 || d == -1 { 16 } else { d };
                self.trace.int(d)
            }
        };
        self.op(code, &[dividend, divisor]);
    }

    fn shape(&mut self) {
        let p = self.ptr();
        match self.rng.below(3) {
            0 => {
                let shape = self.rng.below(9) as i32;
                let snap = Some(self.snapshot());
                let expect = self.rng.one_in(2);
                self.push(Op {
                    snap,
                    expect,
                    ..Op::new(OpCode::Shape).with(&[p]).imm(shape)
                });
            }
            1 => {
                let shape = self.rng.below(9) as i32;
                self.push(Op::new(OpCode::StShape).with(&[p]).imm(shape));
            }
            _ => {
                self.op(OpCode::LdShape, &[p]);
            }
        }
    }

    /// An index of at most `mask`.
    fn index(&mut self, mask: i64) -> OpRef {
        if self.rng.one_in(4) {
            let i = self.rng.below(mask as usize + 1) as i64;
            return self.trace.int(i);
        }
        let (i, k) = (self.int(), self.trace.int(mask));
        self.op(OpCode::IAnd, &[i, k])
    }

    fn load(&mut self) {
        use OpCode as C;
        let p = self.ptr();
        let val = 8 * (1 + self.rng.below(4) as i32);
        let raw = 8 * (5 + self.rng.below(3) as i32);
        let field = |code, imm, class| Op::new(code).with(&[p]).imm(imm).class(class);
        let op = match self.rng.below(10) {
            0..=2 => field(C::LdVal, val, VAL),
            3 => field(C::LdI64, raw, RAW),
            4 => field(C::LdU32, raw + 4, RAW),
            5 => field(C::LdU8, raw + 3, RAW),
            n => {
                let (code, mask, imm, class) = match n {
                    6 => (C::LdElem, 3, 8, VAL),
                    7 => (C::LdElemI64, 1, 48, RAW),
                    8 => (self.rng.pick(&[C::LdElemU32, C::LdElemU16]), 3, 40, RAW),
                    _ => (C::LdElemU8, 15, 41, RAW),
                };
                let i = self.index(mask);
                Op::new(code).with(&[p, i]).imm(imm).class(class)
            }
        };
        self.push(op);
    }

    fn store(&mut self) {
        use OpCode as C;
        let p = self.ptr();
        let val = 8 * (1 + self.rng.below(4) as i32);
        let raw = 8 * (5 + self.rng.below(3) as i32);
        match self.rng.below(7) {
            0 | 1 => {
                let v = self.val();
                self.push(Op::new(C::StVal).with(&[p, v]).imm(val).class(VAL));
                self.push(Op::new(C::Barrier).with(&[p, v]));
            }
            2 => {
                let (i, v) = (self.index(3), self.val());
                self.push(Op::new(C::StElem).with(&[p, i, v]).imm(8).class(VAL));
                self.push(Op::new(C::Barrier).with(&[p, v]));
            }
            3 => {
                let (i, v) = (self.index(1), self.int());
                self.push(Op::new(C::StElemI64).with(&[p, i, v]).imm(48).class(RAW));
            }
            4 => {
                let (i, v) = (self.index(15), self.int());
                self.push(Op::new(C::StElemU8).with(&[p, i, v]).imm(41).class(RAW));
            }
            n => {
                let v = self.int();
                let (code, at) = match n {
                    5 => (C::StI64, raw),
                    _ => (self.rng.pick(&[C::StU32, C::StU8]), raw + 4),
                };
                self.push(Op::new(code).with(&[p, v]).imm(at).class(RAW));
            }
        }
    }

    fn new_object(&mut self) {
        let header = self.trace.int((1 + self.rng.below(6) as i64) << 32 | 0x300);
        let object = self.push(Op::new(OpCode::New).with(&[header]).imm(8));
        for n in 1..8 {
            let (code, value, class) = if n < 5 {
                (OpCode::StVal, self.val(), VAL)
            } else {
                (OpCode::StI64, self.int(), RAW)
            };
            // The object itself may be a value by now, but must not hold itself half made.
            let value = if value == object {
                self.trace.word(0)
            } else {
                value
            };
            self.push(Op::new(code).with(&[object, value]).imm(8 * n).class(class));
        }
        self.ptrs.push(object);
    }

    fn call(&mut self) {
        let none = Effects::default();
        let writes = Effects {
            reads: ClassSet::of(&[VAL]),
            writes: ClassSet::of(&[VAL]),
            ..none
        };
        let looks = Effects {
            may_call: true,
            ..none
        };
        let (int, flt, val) = (Ty::Int, Ty::Flt, Ty::Val);
        let (name, effects, params, ret) = match self.rng.below(6) {
            0 | 1 => ("add_ints", none, vec![int, int], int),
            2 => ("mul_add", none, vec![flt; 3], flt),
            3 => ("swap_field", writes, vec![val, val], val),
            4 => {
                let mut params = vec![int, flt, int, flt, int, flt, int, int, int, int];
                params.extend([flt; 7]);
                ("many", none, params, int)
            }
            _ => ("look", looks, vec![int], val),
        };
        let mut args: Vec<OpRef> = params.iter().map(|&ty| self.of(ty)).collect();
        if name == "swap_field" {
            args[0] = self.ptr();
        }
        let snap = effects.may_call.then(|| self.fresh_snapshot());
        let target = CallTarget {
            name: name.into(),
            addr: 0,
            effects,
            params,
            ret,
        };
        let id = self.trace.call_target(target);
        let list: List = self.trace.add_list(&args);
        self.push(Op {
            ty: ret,
            snap,
            list,
            ..Op::new(OpCode::Call).imm(id.0 as i32)
        });
    }

    fn vm(&mut self) {
        let at = 8 * (FIELDS + 1 + self.rng.below(6)) as i32;
        match self.rng.below(4) {
            0 => {
                let v = self.val();
                self.push(Op::new(OpCode::StVm).with(&[v]).imm(at));
            }
            1 => {
                let snap = Some(self.snapshot());
                self.push(Op {
                    snap,
                    ..Op::new(OpCode::Poll).imm(8 * POLL as i32)
                });
            }
            2 => {
                let snap = Some(self.snapshot());
                self.push(Op {
                    snap,
                    ..Op::new(OpCode::Valid)
                });
            }
            _ => {
                self.push(Op::new(OpCode::LdVm).imm(at));
            }
        }
    }

    // --- ends -----------------------------------------------------------------------------------

    fn end(&mut self, size: usize, link: Option<TraceId>) {
        match (self.rng.below(4), link) {
            (0 | 1, Some(root)) => self.link(root),
            (0..=2, _) => self.looped(size),
            _ => {
                let snap = Some(self.fresh_snapshot());
                self.push(Op {
                    snap,
                    ..Op::new(OpCode::Exit)
                });
            }
        }
    }

    fn looped(&mut self, size: usize) {
        let n = self.rng.below(9);
        let entries: Vec<OpRef> = (0..n)
            .map(|_| {
                let ty = self.rng.pick(&[Ty::Int, Ty::Int, Ty::Flt, Ty::Val]);
                self.of(ty)
            })
            .collect();
        let zero = self.trace.int(0);
        self.push(Op::new(OpCode::Loop));
        self.snapshot = None;
        let mut phis = Vec::new();
        for entry in std::iter::once(zero).chain(entries) {
            let ty = self.trace.ty(entry);
            phis.push(self.push(Op {
                ty,
                ..Op::new(OpCode::Phi).with(&[entry])
            }));
        }
        let turns = 1 + self.rng.below(12) as i64;
        let turns = self.trace.int(turns);
        let snap = Some(self.snapshot());
        self.push(Op {
            snap,
            ..Op::new(OpCode::ILt).with(&[phis[0], turns])
        });
        self.body(size);
        let one = self.trace.int(1);
        let mut back = vec![self.push(Op::new(OpCode::IAdd).with(&[phis[0], one]))];
        for &phi in &phis[1..] {
            back.push(self.of(self.trace.ty(phi)));
        }
        let list = self.trace.add_list(&back);
        self.push(Op {
            list,
            ..Op::new(OpCode::Jump)
        });
    }

    /// Takes fuel, stores some slots, goes on with a root.
    fn link(&mut self, root: TraceId) {
        let fuel = self.push(Op::new(OpCode::LdVm).imm(8 * FIELDS as i32));
        self.test(OpCode::IsInt, fuel);
        let left = self.op(OpCode::UnboxInt, &[fuel]);
        let (zero, one) = (self.trace.int(0), self.trace.int(1));
        let snap = Some(self.snapshot());
        self.push(Op {
            snap,
            ..Op::new(OpCode::ILt).with(&[zero, left])
        });
        let less = self.push(Op::new(OpCode::ISub).with(&[left, one]));
        let snap = Some(self.snapshot());
        let boxed = self.push(Op {
            snap,
            ..Op::new(OpCode::BoxInt).with(&[less])
        });
        let mut stores = Vec::new();
        for slot in 1..7 {
            if self.rng.one_in(3) {
                let i = self.int();
                stores.push((slot, self.op(OpCode::BoxInt, &[i])));
            }
        }
        for slot in 7..10 {
            if self.rng.one_in(3) {
                let f = self.flt();
                stores.push((slot, self.op(OpCode::BoxFlt, &[f])));
            }
        }
        self.push(Op::new(OpCode::StVm).with(&[boxed]).imm(8 * FIELDS as i32));
        for (slot, value) in stores {
            self.push(Op::new(OpCode::StSlot).with(&[value]).imm(slot));
        }
        self.push(Op::new(OpCode::Link).imm(root.0 as i32));
    }
}

/// May the polarity of this guard be turned without breaking what later ops rely on?
pub(crate) fn may_turn(trace: &Trace, op: &Op) -> bool {
    let types = matches!(
        op.code,
        OpCode::IsInt | OpCode::IsFlt | OpCode::IsPtr | OpCode::Valid | OpCode::Poll
    );
    let divisor =
        op.code == OpCode::IEq && !op.expect && matches!(trace.as_int(op.b), Some(0 | -1));
    // Guards of this form end loops and chains of links.
    let ends = op.code == OpCode::ILt && trace.def(op.a).is_none_or(|a| a.code == OpCode::Phi);
    op.code.info().kind == Kind::Guard && !types && !divisor && !ends
}
