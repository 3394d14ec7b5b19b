//! Random traces are allocated and checked; a damaged allocation is refused.

use pyrite_jit_regalloc::{
    Class, Hint, Lives, Loc, Loop, Move, Phi, Problem, Reg, RegSet, Registers, Step, Use, Value,
    allocate, allocate_stack, check, sequentialize,
};

/// A small generator with a fixed seed (xorshift64*).
struct Rng(u64);

impl Rng {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n
    }
}

const GPR: [Reg; 5] = [
    Reg::gpr(1),
    Reg::gpr(2),
    Reg::gpr(3),
    Reg::gpr(12),
    Reg::gpr(13),
];
const XMM: [Reg; 4] = [Reg::xmm(0), Reg::xmm(1), Reg::xmm(2), Reg::xmm(3)];
const CALL: RegSet = RegSet::of(&[
    Reg::gpr(1),
    Reg::gpr(2),
    Reg::gpr(3),
    XMM[0],
    XMM[1],
    XMM[2],
    XMM[3],
]);
const ALL: RegSet = RegSet::of(&[
    GPR[0], GPR[1], GPR[2], GPR[3], GPR[4], XMM[0], XMM[1], XMM[2], XMM[3],
]);

fn random_problem(rng: &mut Rng) -> Problem {
    let mut p = Problem::default();
    let class = |rng: &mut Rng| {
        if rng.below(3) == 0 {
            Class::Xmm
        } else {
            Class::Gpr
        }
    };
    let mut values: Vec<Value> = Vec::new();
    for _ in 0..1 + rng.below(4) {
        let c = class(rng);
        let hint = if c == Class::Gpr && rng.below(2) == 0 {
            Hint::Reg(GPR[rng.below(5)])
        } else {
            Hint::Any
        };
        let v = p.value(c, hint);
        p.entry.push(v);
        values.push(v);
    }
    let straight = |p: &mut Problem, values: &mut Vec<Value>, rng: &mut Rng, n: usize| {
        for _ in 0..n {
            let mut uses = Vec::new();
            for _ in 0..rng.below(4) {
                // Mostly recent values, sometimes any.
                let back = if rng.below(3) == 0 {
                    rng.below(values.len())
                } else {
                    rng.below(values.len().min(6))
                };
                let late = rng.below(4) == 0;
                uses.push(Use {
                    value: values[values.len() - 1 - back],
                    late,
                    exit: late && rng.below(2) == 0,
                });
            }
            let clobbers = match rng.below(12) {
                0 => CALL,
                1 => ALL,
                _ => RegSet::EMPTY,
            };
            let def = (rng.below(5) != 0).then(|| {
                let c = class(rng);
                p.value(c, Hint::Any)
            });
            p.inst(&uses, def, clobbers);
            values.extend(def);
        }
    };
    let n = rng.below(40);
    straight(&mut p, &mut values, rng, n);
    if rng.below(4) != 0 {
        let mut phis: Vec<Phi> = Vec::new();
        for _ in 0..rng.below(5) {
            let c = class(rng);
            let same: Vec<Value> = values
                .iter()
                .copied()
                .filter(|v| p.classes[v.0 as usize] == c)
                .collect();
            let entry =
                (!same.is_empty() && rng.below(5) != 0).then(|| same[rng.below(same.len())]);
            phis.push(Phi {
                value: p.value(c, entry.map_or(Hint::Any, Hint::Same)),
                entry,
                back: None,
            });
        }
        let head = p.inst(&[], None, RegSet::EMPTY);
        values.extend(phis.iter().map(|phi| phi.value));
        let n = 1 + rng.below(30);
        straight(&mut p, &mut values, rng, n);
        for phi in &mut phis {
            let c = p.classes[phi.value.0 as usize];
            let same: Vec<Value> = values
                .iter()
                .copied()
                .filter(|v| p.classes[v.0 as usize] == c)
                .collect();
            phi.back = (rng.below(6) != 0).then(|| same[rng.below(same.len())]);
        }
        let back = p.inst(&[], None, RegSet::EMPTY);
        p.looped = Some(Loop { head, back, phis });
    }
    p
}

#[test]
fn random_traces_pass_the_checker_with_and_without_registers() {
    let mut rng = Rng(0x1234_5678_9ABC_DEF1);
    let (mut values, mut spilled) = (0, 0);
    for round in 0..20_000 {
        let p = random_problem(&mut rng);
        let a = allocate(
            &p,
            Registers {
                gpr: &GPR,
                xmm: &XMM,
            },
        );
        check(&p, &a.locs).unwrap_or_else(|e| panic!("round {round}: {e}\n{p:?}\n{:?}", a.locs));
        values += p.classes.len() as u32;
        spilled += a.spilled;
        let s = allocate_stack(&p);
        check(&p, &s.locs)
            .unwrap_or_else(|e| panic!("round {round} on the stack: {e}\n{p:?}\n{:?}", s.locs));
        assert!(s.locs.iter().all(|loc| !matches!(loc, Loc::Reg(_))));
    }
    assert!(
        spilled > 0 && spilled < values * 2 / 3,
        "{spilled} of {values} spilled: both ways are exercised"
    );
}

#[test]
fn the_checker_finds_swapped_places() {
    let mut rng = Rng(77);
    let (mut damaged, mut found) = (0, 0);
    for _ in 0..4_000 {
        let p = random_problem(&mut rng);
        let mut locs = allocate(
            &p,
            Registers {
                gpr: &GPR,
                xmm: &XMM,
            },
        )
        .locs;
        let (i, j) = (rng.below(locs.len()), rng.below(locs.len()));
        if p.classes[i] != p.classes[j]
            || locs[i] == locs[j]
            || locs[i] == Loc::None
            || locs[j] == Loc::None
        {
            continue;
        }
        locs[i] = locs[j];
        damaged += 1;
        found += u32::from(check(&p, &locs).is_err());
    }
    // Some damage is none: the two lives may happen not to meet.
    assert!(
        damaged > 500 && found * 4 > damaged,
        "{found} of {damaged} found"
    );
}

#[test]
fn an_overwritten_invariant_is_found_on_the_second_turn() {
    let mut p = Problem::default();
    let (inv, other) = (
        p.value(Class::Gpr, Hint::Any),
        p.value(Class::Gpr, Hint::Any),
    );
    p.entry.push(inv);
    let head = p.inst(&[], None, RegSet::EMPTY);
    p.inst(
        &[Use {
            value: inv,
            late: false,
            exit: false,
        }],
        Some(other),
        RegSet::EMPTY,
    );
    p.inst(
        &[Use {
            value: other,
            late: false,
            exit: false,
        }],
        None,
        RegSet::EMPTY,
    );
    let back = p.inst(&[], None, RegSet::EMPTY);
    p.looped = Some(Loop {
        head,
        back,
        phis: Vec::new(),
    });
    assert!(check(&p, &[Loc::Reg(GPR[0]), Loc::Reg(GPR[0])]).is_err());
    let a = allocate(
        &p,
        Registers {
            gpr: &GPR,
            xmm: &XMM,
        },
    );
    assert_ne!(a.locs[0], a.locs[1]);
}

#[test]
fn a_value_across_a_call_is_in_a_preserved_register() {
    let mut p = Problem::default();
    let (v, r) = (
        p.value(Class::Gpr, Hint::Any),
        p.value(Class::Gpr, Hint::Any),
    );
    p.entry.push(v);
    let call = p.inst(&[], Some(r), CALL);
    p.inst(
        &[
            Use {
                value: v,
                late: false,
                exit: false,
            },
            Use {
                value: r,
                late: false,
                exit: false,
            },
        ],
        None,
        RegSet::EMPTY,
    );
    let a = allocate(
        &p,
        Registers {
            gpr: &GPR,
            xmm: &XMM,
        },
    );
    assert_eq!(a.locs[0], Loc::Reg(Reg::gpr(12)));
    let live = a.live_across(&Lives::of(&p), &[call]);
    assert_eq!(live[0].regs, RegSet::of(&[Reg::gpr(12)]));
    assert!(!live[0].has_spill(0));
}

#[test]
fn values_only_exits_read_are_spilled_before_others() {
    let mut p = Problem::default();
    let values: Vec<Value> = (0..GPR.len() + 1)
        .map(|_| p.value(Class::Gpr, Hint::Any))
        .collect();
    p.entry.clone_from(&values);
    let uses: Vec<Use> = values
        .iter()
        .map(|&value| Use {
            value,
            late: false,
            exit: value == values[2],
        })
        .collect();
    p.inst(&uses, None, RegSet::EMPTY);
    let a = allocate(
        &p,
        Registers {
            gpr: &GPR,
            xmm: &XMM,
        },
    );
    assert_eq!(a.locs[2], Loc::Spill(0));
    assert_eq!((a.spilled, a.spill_words), (1, 1));
}

#[test]
fn sequential_moves_equal_parallel_ones() {
    let mut rng = Rng(5);
    let place = |n: usize| {
        if n < 5 {
            Loc::Reg(GPR[n])
        } else {
            Loc::Spill(n as u32)
        }
    };
    for _ in 0..20_000 {
        let mut targets: Vec<usize> = (0..9).collect();
        for i in (1..targets.len()).rev() {
            targets.swap(i, rng.below(i + 1));
        }
        let moves: Vec<Move> = targets[..rng.below(10)]
            .iter()
            .map(|&to| Move {
                from: place(rng.below(9)),
                to: place(to),
            })
            .collect();
        let index = |loc: Loc| {
            (0..9)
                .find(|&n| place(n) == loc)
                .expect("a place of this test")
        };
        let mut got: Vec<usize> = (0..9).collect();
        let mut aside = None;
        for step in sequentialize(&moves) {
            match step {
                Step::Copy(m) => got[index(m.to)] = got[index(m.from)],
                Step::Save(loc) => aside = Some(got[index(loc)]),
                Step::Restore(loc) => got[index(loc)] = aside.expect("saved before"),
            }
        }
        let mut wanted: Vec<usize> = (0..9).collect();
        for m in &moves {
            wanted[index(m.to)] = index(m.from);
        }
        assert_eq!(got, wanted, "{moves:?}");
    }
}

#[test]
fn allocation_time_grows_with_the_trace_not_its_square() {
    let mut p = Problem::default();
    let first = p.value(Class::Gpr, Hint::Any);
    p.entry.push(first);
    let mut last = first;
    for i in 0..60_000 {
        let v = p.value(Class::Gpr, Hint::Any);
        let clobbers = if i % 10 == 0 { CALL } else { RegSet::EMPTY };
        p.inst(
            &[Use {
                value: last,
                late: true,
                exit: false,
            }],
            Some(v),
            clobbers,
        );
        last = v;
    }
    let start = std::time::Instant::now();
    let a = allocate(
        &p,
        Registers {
            gpr: &GPR,
            xmm: &XMM,
        },
    );
    assert!(
        start.elapsed().as_secs() < 2,
        "ten times the largest trace takes milliseconds"
    );
    check(&p, &a.locs).expect("a chain is allocated correctly");
}
