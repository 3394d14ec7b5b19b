//! Each op family against the oracle, on edge values, with operands in registers, slots and constants.

mod support;

use pyrite_jit_ir::{
    AliasClass, Op, OpCode, OpRef, Resume, Snapshot, Trace, TraceId, TraceKind, Ty, word,
};
use support::arena::{Arena, OBJECTS};
use support::{Program, agree};

const INTS: [i64; 19] = [
    0,
    1,
    -1,
    2,
    -2,
    3,
    7,
    -8,
    10,
    63,
    64,
    1 << 31,
    -(1 << 31) - 1,
    (1 << 49) - 1,
    1 << 49,
    -(1 << 49),
    -(1 << 49) - 1,
    i64::MAX,
    i64::MIN,
];

const FLTS: [f64; 17] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    1.5,
    -2.5,
    0.1,
    1e300,
    -1e300,
    f64::MIN_POSITIVE,
    5e-324,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    9.223_372_036_854_775e18,
    -9.223_372_036_854_776e18,
    1e19,
];

/// Builds the one trace of a test.
struct Build(Trace);

impl Build {
    fn new() -> Self {
        Self(Trace::new(TraceId(0), TraceKind::Root))
    }

    fn op(&mut self, code: OpCode, operands: &[OpRef]) -> OpRef {
        self.0.push(Op::new(code).with(operands))
    }

    fn slot(&mut self, n: i32) -> OpRef {
        self.0.push(Op::new(OpCode::Slot).imm(n))
    }

    /// Raw integer `n` of object 0, which slot 0 names.
    fn raw(&mut self, n: i32) -> OpRef {
        let object = self.slot(0);
        self.0.push(
            Op::new(OpCode::LdI64)
                .with(&[object])
                .imm(8 + 8 * n)
                .class(AliasClass(3)),
        )
    }

    fn guarded(
        &mut self,
        code: OpCode,
        operands: &[OpRef],
        expect: bool,
        slots: &[OpRef],
    ) -> OpRef {
        let snap = self.snapshot(1, slots);
        let op = Op {
            snap: Some(snap),
            expect,
            ..Op::new(code).with(operands)
        };
        self.0.push(op)
    }

    fn snapshot(&mut self, pc: u64, slots: &[OpRef]) -> pyrite_jit_ir::SnapshotId {
        let entries = slots
            .iter()
            .enumerate()
            .map(|(i, &r)| (i as i32 + 1, r))
            .collect();
        self.0.add_snapshot(Snapshot {
            pc,
            base: 0,
            mode: Resume::Reexec,
            entries,
            virtuals: Vec::new(),
        })
    }

    fn exit(mut self, slots: &[OpRef]) -> Program {
        let snap = self.snapshot(2, slots);
        self.0.push(Op {
            snap: Some(snap),
            ..Op::new(OpCode::Exit)
        });
        Program::new(vec![self.0])
    }
}

fn ints(a: i64, b: i64) -> impl Fn(&mut Arena) {
    move |arena| {
        let object = arena.object(0);
        arena.set_slot(0, object);
        arena.set(OBJECTS + 1, a as u64);
        arena.set(OBJECTS + 2, b as u64);
    }
}

/// Operand forms: loaded or constant, for each of two operands.
const FORMS: [(bool, bool); 3] = [(false, false), (false, true), (true, false)];

fn int_operands(b: &mut Build, x: i64, y: i64, form: (bool, bool)) -> (OpRef, OpRef) {
    let left = if form.0 { b.0.int(x) } else { b.raw(0) };
    let right = if form.1 { b.0.int(y) } else { b.raw(1) };
    (left, right)
}

#[test]
fn integer_arithmetic_on_edge_values() {
    use OpCode as C;
    let ops = [
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
        C::IDiv,
        C::IMod,
    ];
    for code in ops {
        for x in INTS {
            for y in INTS {
                if matches!(code, C::IDiv | C::IMod) && (y == 0 || y == -1) {
                    continue;
                }
                for form in FORMS {
                    let mut b = Build::new();
                    let (l, r) = int_operands(&mut b, x, y, form);
                    let result = if code.is_guard() {
                        b.guarded(code, &[l, r], true, &[l, r])
                    } else {
                        b.op(code, &[l, r])
                    };
                    agree(&b.exit(&[result, l, r]), ints(x, y));
                }
            }
        }
    }
}

#[test]
fn a_result_may_take_the_place_of_an_operand_that_dies() {
    use OpCode as C;
    for code in [
        C::ISub,
        C::IAdd,
        C::IMul,
        C::IShl,
        C::IShr,
        C::IMod,
        C::IDiv,
        C::IXor,
    ] {
        for (x, y) in [(100, 7), (-100, 7), (5, 9), (-3, -4)] {
            // Only the result is alive at the end; and one operand twice.
            let mut b = Build::new();
            let (l, r) = int_operands(&mut b, x, y, (false, false));
            let first = b.op(code, &[l, r]);
            if matches!(code, C::IMod | C::IDiv) {
                // As a divisor, `first` could be 0 or -1.
                agree(&b.exit(&[first]), ints(x, y));
                continue;
            }
            let second = b.op(code, &[r, first]);
            let third = b.op(C::ISub, &[second, second]);
            agree(&b.exit(&[second, third]), ints(x, y));
        }
    }
}

#[test]
fn integer_guards_in_both_polarities() {
    for code in [OpCode::ILt, OpCode::ILe, OpCode::IEq, OpCode::ULt] {
        for x in INTS {
            for y in INTS {
                for form in FORMS {
                    for expect in [true, false] {
                        let mut b = Build::new();
                        let (l, r) = int_operands(&mut b, x, y, form);
                        b.guarded(code, &[l, r], expect, &[l]);
                        agree(&b.exit(&[r]), ints(x, y));
                    }
                }
            }
        }
    }
}

fn flts(x: f64, y: f64) -> impl Fn(&mut Arena) {
    move |arena| {
        arena.set_slot(0, word::box_flt(x));
        arena.set_slot(1, word::box_flt(y));
    }
}

fn flt_operands(b: &mut Build, x: f64, y: f64, form: (bool, bool)) -> (OpRef, OpRef) {
    let mut one = |slot, value, constant| {
        if constant {
            return b.0.flt(value);
        }
        let v = b.slot(slot);
        b.op(OpCode::UnboxFlt, &[v])
    };
    (one(0, x, form.0), one(1, y, form.1))
}

#[test]
fn float_arithmetic_on_edge_values() {
    use OpCode as C;
    for code in [C::FAdd, C::FSub, C::FMul, C::FDiv] {
        for x in FLTS {
            for y in FLTS {
                for form in FORMS {
                    let mut b = Build::new();
                    let (l, r) = flt_operands(&mut b, x, y, form);
                    let first = b.op(code, &[l, r]);
                    let second = b.op(code, &[r, first]);
                    agree(&b.exit(&[first, second]), flts(x, y));
                }
            }
        }
    }
}

#[test]
fn float_unary_ops_and_conversions() {
    use OpCode as C;
    for x in FLTS
        .into_iter()
        .chain([2.7, -2.7, 4.0, -9.3e18, 9.3e18, 1e15])
    {
        for constant in [false, true] {
            for code in [C::FNeg, C::FAbs, C::FSqrt, C::FFloor] {
                let mut b = Build::new();
                let (l, _) = flt_operands(&mut b, x, 0.0, (constant, true));
                let result = b.op(code, &[l]);
                agree(&b.exit(&[result, l]), flts(x, 0.0));
            }
            let mut b = Build::new();
            let (l, _) = flt_operands(&mut b, x, 0.0, (constant, true));
            let result = b.guarded(C::F2I, &[l], true, &[l]);
            agree(&b.exit(&[result]), flts(x, 0.0));
        }
    }
    for i in INTS {
        let mut b = Build::new();
        let (l, _) = int_operands(&mut b, i, 0, (false, true));
        let result = b.op(C::I2F, &[l]);
        agree(&b.exit(&[result]), ints(i, 0));
    }
}

#[test]
fn float_guards_treat_nan_as_unordered() {
    for code in [OpCode::FLt, OpCode::FLe, OpCode::FEq] {
        for x in FLTS {
            for y in FLTS {
                for form in FORMS {
                    for expect in [true, false] {
                        let mut b = Build::new();
                        let (l, r) = flt_operands(&mut b, x, y, form);
                        b.guarded(code, &[l, r], expect, &[l]);
                        agree(&b.exit(&[r]), flts(x, y));
                    }
                }
            }
        }
    }
}

#[test]
fn words_are_boxed_unboxed_and_tested() {
    for i in INTS {
        let mut b = Build::new();
        let (l, _) = int_operands(&mut b, i, 0, (false, true));
        let boxed = b.guarded(OpCode::BoxInt, &[l], true, &[l]);
        let back = b.op(OpCode::UnboxInt, &[boxed]);
        agree(&b.exit(&[boxed, back]), ints(i, 0));
    }
    for f in FLTS {
        let mut b = Build::new();
        let (l, _) = flt_operands(&mut b, f, 0.0, (false, true));
        let boxed = b.op(OpCode::BoxFlt, &[l]);
        let negated = b.op(OpCode::FNeg, &[l]);
        let again = b.op(OpCode::BoxFlt, &[negated]);
        agree(&b.exit(&[boxed, again]), flts(f, 0.0));
    }
    let words = [
        0,
        0x1000,
        word::DOUBLE_OFFSET - 1,
        word::DOUBLE_OFFSET,
        word::box_flt(-1.0),
        word::INT_MIN_WORD - 1,
        word::INT_MIN_WORD,
        word::INT_BIAS,
        u64::MAX,
    ];
    for code in [OpCode::IsInt, OpCode::IsFlt, OpCode::IsPtr, OpCode::NonNull] {
        for w in words {
            for expect in [true, false] {
                for constant in [true, false] {
                    let mut b = Build::new();
                    let v = if constant { b.0.word(w) } else { b.slot(0) };
                    b.guarded(code, &[v], expect, &[v]);
                    agree(&b.exit(&[]), |arena| arena.set_slot(0, w));
                }
            }
        }
    }
    for w in words {
        for other in words {
            for expect in [true, false] {
                let mut b = Build::new();
                let (v, k) = (b.slot(0), b.0.word(other));
                b.guarded(OpCode::Same, &[v, k], expect, &[]);
                agree(&b.exit(&[v]), |arena| arena.set_slot(0, w));
            }
        }
    }
}

#[test]
fn memory_of_all_widths_and_addressings() {
    let program = Program::parse(
        "trace root 0 {
           v0 = slot 0
           v1 = slot 1
           i2 = ld_i64 v0, 8, c3
           i3 = ld_u32 v0, 12, c3
           i4 = ld_u8 v0, 15, c3
           v5 = ld_val v1, 16, c3
           i6 = ld_shape v0
           st_val v1, v5, 24, c3
           st_i64 v0, i3, 24, c4
           st_u32 v0, i2, 36, c4
           st_u8 v0, i2, 41, c4
           i7 = unbox_int v5
           i8 = iand i7, 3
           v9 = ld_elem v1, i8, 8, c3
           i10 = ld_elem_i64 v0, i8, 8, c3
           i11 = ld_elem_u32 v0, i8, 8, c3
           i12 = ld_elem_u16 v0, i8, 8, c3
           i13 = ld_elem_u8 v0, i8, 8, c3
           v14 = ld_elem v1, 2, 8, c3
           i15 = ld_elem_u16 v0, 5, 8, c3
           st_elem v1, i8, v14, 16, c3
           st_elem v1, 5, v9, 8, c3
           st_elem_i64 v0, i8, i12, 16, c5
           st_elem_u8 v0, i8, i11, 50, c5
           st_elem_u8 v0, 3, 255, 50, c5
           st_i64 v0, -1, 48, c4
           st_i64 v0, 1311768467463790320, 56, c4
           st_shape v1, 4294967295
           v16 = ld_vm 64
           v17 = ld_vm 72
           st_vm v17, 64
           st_vm v16, 80
           st_slot v16, -3
           st_slot &7, 9
           v18 = slot -3
           exit @s0{pc 3 base 0 [2: i2, 3: i3, 4: i4, 5: v5, 6: i6, 7: v9, 8: i10, 10: i11, 11: i12, 12: i13, 13: i15, 14: v18]}
         }",
    );
    for bits in [0x1122_3344_5566_7788, u64::MAX, 0x80_8081_8283, 0] {
        agree(&program, |arena| {
            let (a, b) = (arena.object(1), arena.object(2));
            arena.set_slot(0, a);
            arena.set_slot(1, b);
            arena.store(a + 8, 8, bits);
            arena.store(a + 16, 8, bits.rotate_left(13));
        });
    }
}

#[test]
fn object_guards_barriers_and_shapes() {
    let program = Program::parse(
        "trace root 0 {
           v0 = slot 0
           shape v0, 2 @s0{pc 1 base 0 [3: v0]}
           v1 = slot 1
           !shape v1, 2 @s1{pc 2 base 0 [3: v1]}
           st_val v0, v1, 8, c3
           barrier v0, v1
           barrier v0, v1
           st_val v1, v0, 8, c3
           barrier v1, v0
           poll 32 @s2{pc 3 base 0 [4: 1]}
           exit @s3{pc 4 base 0 [4: 2]}
         }",
    );
    for (a, b, poll) in [(1, 0, 0), (1, 2, 0), (1, 3, 1), (0, 1, 0), (1, 1, 0)] {
        agree(&program, |arena| {
            let (x, y) = (arena.object(a), arena.object(b));
            arena.set_slot(0, x);
            arena.set_slot(1, y);
            arena.set(support::arena::POLL, poll);
        });
    }
}

#[test]
fn calls_pass_all_kinds_of_arguments_and_keep_live_values() {
    let program = Program::parse(
        r#"trace root 0 {
           fn0 = "add_ints" (int, int) -> int {}
           fn1 = "many" (int, flt, int, flt, int, flt, int, int, int, int, flt, flt, flt, flt, flt, flt, flt) -> int {}
           fn2 = "mul_add" (flt, flt, flt) -> flt {}
           fn3 = "swap_field" (val, val) -> val {reads c3 writes c3}
           v0 = slot 0
           i1 = ld_i64 v0, 8, c4
           i2 = ld_i64 v0, 16, c4
           f3 = i2f i1
           f4 = i2f i2
           i5 = call fn0 [i2, i1]
           f6 = call fn2 [f4, f3, 2.5]
           i7 = call fn1 [i1, f3, 7, f4, i5, f6, i2, i1, 100000000000, i5, 0.5, f3, f4, f6, 1.5, f6, f4]
           v8 = slot 1
           v9 = call fn3 [v0, v8]
           v10 = call fn3 [v0, v9]
           i11 = iadd i1, i7
           f12 = fadd f3, f6
           exit @s0{pc 3 base 0 [2: i1, 3: i2, 4: f3, 5: f4, 6: i5, 7: f6, 8: i7, 9: v10, 10: i11, 11: f12, 12: v8]}
         }"#,
    );
    for (a, b) in [(1, 2), (-5, 1 << 40), (i64::MAX, i64::MIN)] {
        agree(&program, ints(a, b));
    }
}

#[test]
fn a_call_that_looks_sees_the_state_of_its_snapshot() {
    let program = Program::parse(
        r#"trace root 0 {
           fn0 = "look" (int) -> val {call}
           v0 = slot 0
           i1 = ld_i64 v0, 8, c4
           i2 = ld_i64 v0, 16, c4
           f3 = i2f i1
           i4 = iadd i1, i2
           v5 = call fn0 [5] @s0{pc 9 base 2 [1: i1, 2: f3, 3: i4, 4: o0, 5: 12] finish 3 i2 o0 = new 3, 0x500000300 [8: i1 c5, 16: v0 c5]}
           i6 = iadd i4, 1
           v7 = call fn0 [i6] @s1{pc 10 base 0 [1: i6, 3: v5]}
           exit @s2{pc 11 base 0 [1: i6, 2: f3, 3: v5, 4: v7]}
         }"#,
    );
    for (a, b) in [(1, 2), (-5, 1 << 40), (i64::MAX, i64::MIN)] {
        let outcome = agree(&program, ints(a, b));
        assert_eq!(outcome.log[0], 5);
        assert_eq!(outcome.exit.1.0, 2);
    }
}

#[test]
fn allocation_keeps_live_values_over_the_slow_path() {
    let program = Program::parse(
        "trace root 0 {
           v0 = slot 0
           i1 = ld_i64 v0, 8, c4
           f2 = i2f i1
           v3 = new 3, 0x500000200
           st_val v3, v0, 8, c5
           st_i64 v3, i1, 16, c5
           i4 = iadd i1, 1
           v5 = new 6, 0x7
           st_val v5, v3, 8, c5
           st_val v5, v0, 16, c5
           st_val v5, &0, 24, c5
           st_val v5, v3, 32, c5
           st_i64 v5, i4, 40, c5
           f6 = fadd f2, f2
           v7 = new 2, 0x100000100
           st_val v7, v5, 8, c5
           exit @s0{pc 1 base 0 [1: v5, 2: v7, 3: f6, 4: f2, 5: i4, 6: v3]}
         }",
    );
    for extra in [0, 16, 32, 48, 64, 4096] {
        agree(&program, |arena| {
            ints(77, 0)(arena);
            let lim = arena.get(support::arena::LIM);
            arena.set(support::arena::LIM, lim + extra);
        });
    }
}

#[test]
fn types_of_results_match_the_table() {
    // The lowering trusts the table; a row that changes its type must change its lowering.
    assert_eq!(OpCode::BoxInt.info().result, Some(Ty::Val));
    assert_eq!(OpCode::LdShape.info().result, Some(Ty::Int));
    assert_eq!(OpCode::New.info().result, Some(Ty::Val));
}
