//! A language of nine instructions, written by hand: what the VM does for its guests.

use pyrite_gc::{Config, Evacuate, KindInfo, Stress};
use pyrite_jit_guest::{
    Careful, Code, Ended, HEADER, INT_KIND, Ins, Language, Machine, OBJECT, OBJECT_KIND,
    OBJECT_WORDS, Shapes, run,
};
use pyrite_jit_opt::{Pass, PassSet};
use pyrite_jit_record::drive::Params;
use pyrite_machine::Num::Int;
use pyrite_machine::{Cmp, Core, Ctl, Value, number};

const CONST: u16 = 0; // a = constant b
const ADD: u16 = 1; // a = b + c
const UNTIL: u16 = 2; // jump by c if a >= b
const LOOP: u16 = 3; // back by c; registers from a on are dead
const CALL: u16 = 4; // function b in window a
const RETURN: u16 = 5; // a
const PAIR: u16 = 6; // a = object whose attribute 0 is b
const FIRST: u16 = 7; // a = attribute 0 of b
const OUT: u16 = 8; // a

#[derive(Debug, Default)]
struct Nine {
    shapes: Shapes,
    out: Vec<i64>,
}

impl Language for Nine {
    const KINDS: &'static [KindInfo] = &[INT_KIND, OBJECT_KIND];

    fn step<M: Machine<Language = Nine>>(m: &mut M, ins: Ins) -> Ctl {
        step(m, ins).unwrap_or(Ctl::Slow)
    }

    fn rest(m: &mut Careful<Nine>, ins: Ins) -> Result<(), String> {
        let v = m.reg(ins.a() as isize);
        match (ins.op(), number(m, v)) {
            (OUT, Some(Int(i))) => m.lang().out.push(i),
            (op, _) => return Err(format!("instruction {op}")),
        }
        Ok(())
    }
}

fn int<M: Core>(m: &mut M, r: isize) -> Option<M::I> {
    let v = m.reg(r);
    match number(m, v)? {
        Int(i) => Some(i),
        _ => None,
    }
}

fn step<M: Machine<Language = Nine>>(m: &mut M, ins: Ins) -> Option<Ctl> {
    let [a, b, c] = [ins.a(), ins.b(), ins.c()].map(|r| r as isize);
    let v = match ins.op() {
        CONST => m.konst(ins.b()),
        ADD => {
            let (x, y) = (int(m, b)?, int(m, c)?);
            let (sum, overflow) = m.iadd(x, y);
            if m.branch(overflow) {
                return None;
            }
            m.box_int(sum)
        }
        UNTIL => {
            let (x, y) = (int(m, a)?, int(m, b)?);
            let over = m.icmp(Cmp::Ge, x, y);
            if m.branch(over) {
                m.jump(c);
            }
            return Some(Ctl::Next);
        }
        LOOP => return Some(m.back_edge(ins.a(), ins.c())),
        CALL => return Some(m.call(ins.a(), ins.b())),
        RETURN => {
            let v = m.reg(a);
            return Some(m.ret(v));
        }
        PAIR => {
            let v = m.reg(b);
            let p = m.alloc(OBJECT, OBJECT_WORDS)?;
            let empty = pyrite_machine::Header::shape(OBJECT);
            let (field, shape) = m.lang().shapes.find_or_add(empty, 0)?;
            m.store(p, field, v);
            m.store_shape(p, shape);
            p
        }
        FIRST => {
            let p = m.reg(b);
            let object = m.is_ptr(p);
            if !m.branch(object) {
                return None;
            }
            let shape = m.shape(p);
            let field = m.lang().shapes.find(shape, 0)?;
            m.load(p, field)
        }
        _ => return None,
    };
    m.set_reg(a, v);
    Some(Ctl::Next)
}

fn code(name: &str, args: u16, size: u16, instrs: &[(u16, u16, u16, u16)]) -> Code {
    Code {
        name: name.to_owned(),
        args,
        size: size + HEADER,
        loops: instrs.iter().any(|i| i.0 == LOOP),
        consts: [0, 1, 200, (1 << 48) + 7]
            .map(|i| Value::try_int(i).expect("small"))
            .into(),
        instrs: instrs
            .iter()
            .map(|i| Ins::new(i.0, i.1, i.2, i.3))
            .collect(),
    }
}

/// `i = 0; total = 0; while i < 200 { i += 1; BODY }; out total`, with the step in register 3.
fn counting(step: u16, body: &[(u16, u16, u16, u16)]) -> Code {
    let n = body.len() as u16;
    let mut all = vec![
        (CONST, 0, 0, 0),
        (CONST, 1, 0, 0),
        (CONST, 2, 2, 0),
        (CONST, 3, step, 0),
        (CONST, 4, 1, 0),
        (UNTIL, 0, 2, n + 2),
        (ADD, 0, 0, 4),
    ];
    all.extend(body);
    all.extend([(LOOP, 5, 0, n + 3), (OUT, 1, 0, 0), (RETURN, 1, 0, 0)]);
    code("main", 0, 16, &all)
}

fn runs(codes: &[Code]) -> [Ended<Nine>; 3] {
    let config = Config {
        reserve_bytes: 64 << 20,
        low_bytes: 1 << 20,
        ..Config::default()
    };
    let stressed = Config {
        evacuate: Evacuate::Always,
        stress: Stress {
            every: 1,
            full_every: 3,
            tiny_windows: true,
            poison: true,
            verify: true,
            exits: true,
        },
        ..config
    };
    let hot = Params {
        loop_threshold: 5,
        exit_threshold: 2,
        ..Params::default()
    };
    [(config, None), (config, Some(hot)), (stressed, Some(hot))]
        .map(|(gc, jit)| run(Nine::default(), codes.to_vec(), gc, jit).expect("there is memory"))
}

#[test]
fn integers_beyond_a_word_are_the_same_in_all_machines() {
    for ended in runs(&[counting(3, &[(ADD, 1, 1, 3)])]) {
        assert_eq!(ended.error, None);
        assert_eq!(ended.lang.out, [200 * ((1 << 48) + 7)]);
    }
}

#[test]
fn integers_beyond_a_machine_word_are_the_languages_error() {
    let double = [(ADD, 3, 3, 3)];
    for ended in runs(&[counting(1, &double)]) {
        assert_eq!(ended.error.as_deref(), Some("main: instruction 1"));
    }
}

#[test]
fn calls_are_followed_into_windows_and_back() {
    // total = first(pair(total + 1))
    let body = [
        (ADD, 5 + HEADER, 1, 3),
        (CALL, 5 + HEADER, 1, 0),
        (FIRST, 1, 5, 0),
    ];
    let pair = code("pair", 1, 2, &[(PAIR, 1, 0, 0), (RETURN, 1, 0, 0)]);
    let all = runs(&[counting(1, &body), pair]);
    for ended in &all {
        assert_eq!(ended.error, None);
        assert_eq!(ended.lang.out, [200]);
    }
    assert_eq!(all[0].counts.traces, 0);
    assert_eq!(all[1].counts.traces, 1);
    assert_eq!(all[1].counts.allocations, 0, "the pair is only read again");
}

#[test]
fn objects_live_while_registers_hold_them() {
    // An object made in the last turn is read in this one.
    let body = [
        (PAIR, 5, 0, 0),
        (FIRST, 6, 5, 0),
        (ADD, 1, 1, 6),
        (OUT, 6, 0, 0),
    ];
    for ended in runs(&[counting(1, &body)]) {
        assert_eq!(ended.error, None);
        let turns = (1..=200).chain([200 * 201 / 2]);
        assert_eq!(ended.lang.out, turns.collect::<Vec<i64>>());
    }
}

#[test]
fn a_bridge_ends_where_it_cannot_go_on() {
    // total grows by 2; what is above 200 is put out, which no trace can do.
    let body = [
        (ADD, 1, 1, 3),
        (ADD, 1, 1, 3),
        (UNTIL, 2, 1, 1),
        (OUT, 1, 0, 0),
    ];
    let all = runs(&[counting(1, &body)]);
    for ended in &all {
        let out = (101..=200).chain([200]).map(|i| 2 * i);
        assert_eq!(ended.lang.out, out.collect::<Vec<i64>>());
    }
    assert_eq!(all[1].counts.bridges, 1);
}

#[test]
fn a_bridge_covers_the_registers_of_the_frames_it_returns_to() {
    // total += 2, and of what a small function makes of it, in a register far above that
    // function's, a pair that must outlive the next one. From the 100th turn on the function
    // takes its other branch: a bridge begins in there.
    let (from, window) = (17, 5 + HEADER);
    let body = [
        (ADD, 1, 1, 4),
        (ADD, 1, 1, 4),
        (CONST, 6, 0, 0),
        (ADD, window, 1, 6),
        (ADD, window + 1, 2, 6),
        (CALL, window, 1, 0),
        (PAIR, from, 5, 0),
        (PAIR, 6, 4, 0),
        (FIRST, 7, from, 0),
        (ADD, 3, 3, 7),
    ];
    let mut main = counting(1, &body);
    // Ends with both sums.
    let end = main.instrs.len() - 1;
    main.instrs.insert(end, Ins::new(OUT, 3, 0, 0));
    let branchy = code(
        "branchy",
        2,
        2,
        &[
            (UNTIL, 0, 1, 1),
            (RETURN, 0, 0, 0),
            (ADD, 0, 0, 0),
            (RETURN, 0, 0, 0),
        ],
    );
    let all = runs(&[main, branchy]);
    for ended in &all {
        assert_eq!(ended.error, None);
        let totals = (1..=200).map(|i| 2 * i);
        let sum: i64 = totals.map(|t| if t >= 200 { 2 * t } else { t }).sum();
        assert_eq!(ended.lang.out, [400, 1 + sum]);
    }
    assert!(all[2].counts.bridges > 0);
}

#[test]
fn bridges_that_leave_where_they_began_end() {
    // The sum is a constant that fits no word, and without `sink` the trace boxes it.
    let body = [(CONST, 5, 3, 0), (ADD, 5, 5, 5), (ADD, 1, 1, 4)];
    let params = Params {
        loop_threshold: 5,
        exit_threshold: 2,
        passes: PassSet::all().without(Pass::Sink),
        ..Params::default()
    };
    let codes = vec![counting(1, &body)];
    let ended = run(Nine::default(), codes, Config::default(), Some(params));
    let ended = ended.expect("there is memory");
    assert_eq!(ended.lang.out, [200]);
    let bridges = ended.counts.bridges;
    assert!((1..=5).contains(&bridges), "{bridges} bridges");
}

#[test]
fn endless_recursion_is_the_languages_error() {
    let endless = code("endless", 0, 1, &[(CALL, HEADER, 0, 0), (RETURN, 0, 0, 0)]);
    for ended in runs(&[endless]) {
        assert_eq!(ended.error.as_deref(), Some("endless: instruction 4"));
    }
}

#[test]
fn a_program_without_code_is_refused() {
    let nothing = run(Nine::default(), Vec::new(), Config::default(), None);
    assert_eq!(
        nothing.expect_err("no code").to_string(),
        "a program needs code to begin with"
    );
}
