//! Loops, bridges, links, invalidation: how pieces of code are joined.

mod support;

use pyrite_jit_codecache::CodeCache;
use pyrite_jit_ir::{SnapshotId, TraceId, word};
use pyrite_jit_x64::{Backend, CompileError, Loc, Mode};
use support::arena::Arena;
use support::machine::{Machine, layout};
use support::oracle::Oracle;
use support::{MODES, Program, agree};

fn int(i: i64) -> u64 {
    word::box_int(i).expect("small")
}

/// Counts slot 1 up to slot 2, summing in slot 3; a bridge for every odd count adds it twice.
const SUM: &str = "trace root 0 {
    v0 = slot 1
    is_int v0 @s0{pc 1 base 0 []}
    i1 = unbox_int v0
    v2 = slot 2
    is_int v2 @s0
    i3 = unbox_int v2
    v4 = slot 3
    is_int v4 @s0
    i5 = unbox_int v4
    loop
    i6 = phi i1
    i7 = phi i5
    ilt i6, i3 @s1{pc 2 base 0 [1: i6, 3: i7]}
    i8 = iand i6, 1
    ieq i8, 0 @s2{pc 3 base 0 [1: i6, 3: i7]}
    i9 = iadd_ovf i7, i6 @s3{pc 4 base 0 [1: i6, 3: i7]}
    i10 = iadd_ovf i6, 1 @s4{pc 5 base 0 [1: i6, 3: i9]}
    jump [i10, i9]
}
trace bridge 1 of 0 exit 2 {
    i0 = param 0 int
    i1 = param 1 int
    i2 = iadd_ovf i1, i0 @s0{pc 6 base 0 [1: i0, 3: i1]}
    i3 = iadd_ovf i2, i0 @s1{pc 7 base 0 [1: i0, 3: i2]}
    i4 = iadd_ovf i0, 1 @s2{pc 8 base 0 [1: i0, 3: i3]}
    v5 = box_int i3 @s3{pc 9 base 0 [1: i4, 3: i3]}
    v6 = box_int i4 @s4{pc 10 base 0 [1: i4, 3: i3]}
    st_slot v5, 3
    st_slot v6, 1
    link 0
}";

fn bounds(from: i64, to: i64, sum: i64) -> impl Fn(&mut Arena) {
    move |arena| {
        arena.set_slot(1, int(from));
        arena.set_slot(2, int(to));
        arena.set_slot(3, int(sum));
    }
}

#[test]
fn a_bridge_joins_its_root_again_and_again() {
    let program = Program::parse(SUM);
    let outcome = agree(&program, bounds(0, 100, 0));
    assert_eq!(outcome.exit, (TraceId(0), SnapshotId(1)));
    let sum: i64 = (0..100).map(|i| if i % 2 == 1 { 2 * i } else { i }).sum();
    assert_eq!(outcome.memory[support::arena::WINDOW + 3], int(sum));
    assert_eq!(
        (outcome.resumption.pc, outcome.resumption.mode),
        (2, Mode::Reexec)
    );
}

#[test]
fn sums_that_leave_fifty_bits_are_boxed_at_exits() {
    let program = Program::parse(SUM);
    for sum in [word::SMALL_MAX - 10, word::SMALL_MAX, word::SMALL_MIN] {
        agree(&program, bounds(0, 9, sum));
        agree(&program, bounds(-20, -3, sum));
    }
    // Something else in a slot leaves at once.
    let outcome = agree(&program, |arena| {
        bounds(0, 9, 0)(arena);
        arena.set_slot(3, word::box_flt(1.0));
    });
    assert_eq!(outcome.exit, (TraceId(0), SnapshotId(0)));
}

#[test]
fn an_exit_without_a_bridge_gives_way_when_one_is_attached() {
    let program = Program::parse(SUM);
    for options in MODES {
        let mut arena = Arena::new();
        arena.reset();
        bounds(0, 10, 0)(&mut arena);
        let mut machine = Machine::new(arena);
        let root = machine
            .backend()
            .compile(&mut program.traces[0].clone(), options)
            .expect("compiles");
        machine.compiled.push(root.clone());
        let first = machine.run(TraceId(0));
        assert_eq!(first.exit, (TraceId(0), SnapshotId(2)));
        let exit = machine
            .backend()
            .exit_of(TraceId(0), SnapshotId(2))
            .expect("it is an exit");
        assert!(root.exits.contains(&exit));
        let bridge = machine
            .backend()
            .compile(&mut program.traces[1].clone(), options)
            .expect("compiles");
        assert!(bridge.frame_words >= root.frame_words);
        let again = machine.run(TraceId(0));
        assert_eq!(
            again.exit,
            (TraceId(0), SnapshotId(2)),
            "compiling alone attaches nothing"
        );
        machine
            .backend()
            .attach_bridge(exit, &bridge)
            .expect("exits can be patched");
        let last = machine.run(TraceId(0));
        assert_eq!(last.exit, (TraceId(0), SnapshotId(1)));
    }
}

#[test]
fn a_bridge_with_a_larger_frame_returns_to_its_root() {
    // Thirty values alive at once in the bridge; none in the root.
    let mut text = String::from(
        "trace root 0 {
           v0 = slot 1
           is_int v0 @s0{pc 1 base 0 []}
           i1 = unbox_int v0
           ilt i1, 50 @s1{pc 2 base 0 []}
           i2 = iand i1, 3
           ieq i2, 0 @s2{pc 3 base 0 [4: i1]}
           i3 = iadd i1, 1
           v4 = box_int i3 @s3{pc 4 base 0 []}
           st_slot v4, 1
           exit @s4{pc 5 base 0 []}
         }
         trace bridge 1 of 0 exit 2 {
           i0 = param 0 int\n",
    );
    for i in 1..30 {
        text += &format!("i{i} = imul i{}, {}\n", i - 1, i + 2);
    }
    text += "i30 = iadd i0, 0\n";
    for i in 31..60 {
        text += &format!("i{i} = ixor i{}, i{}\n", i - 1, 60 - i);
    }
    text += "i60 = iand i59, 3
           i61 = iadd i0, i60
           i62 = iadd i61, 1
           v63 = box_int i62 @s0{pc 6 base 0 [4: i0]}
           st_slot v63, 1
           link 0
         }";
    let program = Program::parse(&text);
    for from in 0..8 {
        agree(&program, bounds(from, 0, 0));
    }
    let arena = Arena::new();
    let mut machine = Machine::new(arena);
    machine.load(&program, MODES[0]);
    assert!(machine.compiled[1].frame_words > machine.compiled[0].frame_words);
}

#[test]
fn chains_of_bridges_keep_their_values() {
    let program = Program::parse(
        "trace root 0 {
           v0 = slot 1
           i1 = unbox_int v0
           v2 = slot 2
           f3 = i2f i1
           ilt i1, 0 @s0{pc 1 base 0 [3: f3, 4: i1, 5: v2]}
           exit @s1{pc 2 base 0 []}
         }
         trace bridge 1 of 0 exit 0 {
           f0 = param 0 flt
           i1 = param 1 int
           v2 = param 2 val
           f3 = fadd f0, 0.5
           i4 = iadd i1, 7
           ilt i4, 0 @s0{pc 3 base 0 [3: i1, 4: f3, 5: i4, 6: v2, 7: f0, 8: o0] finish 1 f3 o0 = new 3, 0x9 [8: f3 c3, 16: o0 c3]}
           exit @s1{pc 4 base 0 []}
         }
         trace bridge 2 of 1 exit 0 {
           i0 = param 0 int
           f1 = param 1 flt
           i2 = param 2 int
           v3 = param 3 val
           f4 = param 4 flt
           f5 = fmul f4, f1
           i6 = isub i2, i0
           exit @s0{pc 5 base 1 [1: i2, 2: i0, 3: f4, 4: f1, 5: v3, 6: f5, 7: i6]}
         }",
    );
    for from in [-100, -3, 0, 12345] {
        agree(&program, bounds(from, 77, 0));
    }
}

#[test]
fn an_invalidated_trace_leaves_by_its_valid_guards() {
    let program = Program::parse(
        "trace root 0 {
           v0 = slot 1
           valid @s0{pc 1 base 0 [2: v0]}
           i1 = unbox_int v0
           valid @s1{pc 2 base 0 [2: i1]}
           i2 = iadd i1, 1
           valid @s0
           exit @s2{pc 3 base 0 [2: i2]}
         }",
    );
    for options in MODES {
        let mut arena = Arena::new();
        arena.reset();
        bounds(5, 0, 0)(&mut arena);
        let mut machine = Machine::new(arena);
        machine.load(&program, options);
        assert_eq!(machine.run(TraceId(0)).exit.1, SnapshotId(2));
        machine
            .backend()
            .invalidate(TraceId(0))
            .expect("valid guards can be patched");
        let left = machine.run(TraceId(0));
        assert_eq!((left.exit.1, left.resumption.pc), (SnapshotId(0), 1));
        assert_eq!(machine.arena().slot(2), int(5));
    }
}

#[test]
fn phis_may_swap_rotate_and_take_constants() {
    let program = Program::parse(
        "trace root 0 {
           v0 = slot 1
           i1 = unbox_int v0
           v2 = slot 2
           f3 = i2f i1
           loop
           i4 = phi i1
           i5 = phi 3
           i6 = phi i1
           v7 = phi v2
           v8 = phi v0
           f9 = phi f3
           f10 = phi 0.25
           i11 = phi 0
           i12 = iadd i4, 1
           ilt i12, 40 @s0{pc 1 base 0 [1: i4, 2: i5, 3: i6, 4: v7, 5: v8, 6: f9, 7: f10, 8: i11]}
           f13 = fadd f9, f10
           jump [i12, i6, i5, v8, v7, f10, f13, 9]
         }",
    );
    for from in [-5, 0, 38, 39, 100] {
        agree(&program, bounds(from, 1000, 0));
    }
}

#[test]
fn unknown_partners_and_repeated_numbers_are_errors() {
    let program = Program::parse(SUM);
    let mut backend = Backend::new(layout()).expect("the backend works here");
    let (root, bridge) = (&program.traces[0], &program.traces[1]);
    assert!(matches!(
        backend.compile(&mut bridge.clone(), MODES[0]),
        Err(CompileError::UnknownParent { .. })
    ));
    backend
        .compile(&mut root.clone(), MODES[0])
        .expect("compiles");
    assert!(matches!(
        backend.compile(&mut root.clone(), MODES[0]),
        Err(CompileError::Duplicate(TraceId(0)))
    ));
    let stray = Program::parse("trace root 7 { link 5 }");
    let error = backend
        .compile(&mut stray.traces[0].clone(), MODES[0])
        .expect_err("there is no root 5");
    assert_eq!(
        error.to_string(),
        "trace TraceId(7) links to unknown root 5"
    );
}

#[test]
fn a_full_cache_refuses_a_trace_and_keeps_the_others() {
    let program = Program::parse(SUM);
    let cache = CodeCache::with_capacity(4096).expect("a page can be had");
    let mut backend = Backend::with_cache(layout(), cache).expect("the blobs fit a page");
    let mut compiled = 0;
    for id in 0..100 {
        let mut trace = program.traces[0].clone();
        trace.id = TraceId(id);
        match backend.compile(&mut trace.clone(), MODES[0]) {
            Ok(_) => compiled += 1,
            Err(error) => {
                assert!(matches!(error, CompileError::Code { .. }), "{error}");
                assert!(
                    error.to_string().contains("out of executable memory"),
                    "{error}"
                );
                assert_eq!(backend.exit_of(TraceId(id), SnapshotId(0)), None);
                assert!(compiled > 3);
                return;
            }
        }
    }
    panic!("a page never got full");
}

#[test]
fn roots_are_the_objects_in_code_and_exits() {
    let mut trace = Program::parse("trace root 0 { v0 = slot 1 exit @s0{pc 1 base 0 [2: v0]} }")
        .traces
        .remove(0);
    let (a, b) = (trace.word(0x1000), trace.word(0x2000));
    trace.snapshots[0].entries.push((3, a));
    trace.snapshots[0].entries.push((4, b));
    trace.word(word::box_flt(1.0));
    let mut backend = Backend::new(layout()).expect("the backend works here");
    let compiled = backend
        .compile(&mut trace.clone(), MODES[0])
        .expect("compiles");
    assert_eq!(compiled.roots, [0x1000, 0x2000]);
}

#[test]
fn nothing_is_spilled_while_registers_last_and_everything_without_allocator() {
    let program = Program::parse(SUM);
    let mut backend = Backend::new(layout()).expect("the backend works here");
    let compiled = backend
        .compile(&mut program.traces[0].clone(), MODES[0])
        .expect("compiles");
    assert_eq!((compiled.spilled, compiled.frame_words), (0, 0));
    assert!(
        backend.disassemble(&compiled).contains("jo near"),
        "an overflow guard is one jump"
    );
    let id = backend
        .exit_of(TraceId(0), SnapshotId(2))
        .expect("it is an exit");
    assert!(
        backend
            .exit(id)
            .live()
            .iter()
            .all(|(_, loc)| matches!(loc, Loc::Reg(_)))
    );
    let mut plain = Backend::new(layout()).expect("the backend works here");
    let compiled = plain
        .compile(&mut program.traces[0].clone(), MODES[1])
        .expect("compiles");
    assert!(compiled.frame_words > 0);
    let id = plain
        .exit_of(TraceId(0), SnapshotId(2))
        .expect("it is an exit");
    assert!(
        plain
            .exit(id)
            .live()
            .iter()
            .all(|(_, loc)| matches!(loc, Loc::Spill(_)))
    );
}

#[test]
fn the_oracle_counts_its_steps() {
    let program = Program::parse("trace root 0 { loop jump [] }");
    let endless = std::panic::catch_unwind(|| {
        let mut arena = Arena::new();
        Oracle::new(&program, &mut arena).run(TraceId(0))
    });
    assert!(endless.is_err());
}

/// Returns slot 1 plus one; a bridge for what is no int returns it as it is.
const NEXT: &str = "trace root 0 {
    v0 = slot 1
    is_int v0 @s0{pc 1 base 0 [2: v0]}
    i1 = unbox_int v0
    i2 = iadd_ovf i1, 1 @s0
    v3 = box_int i2 @s0
    ret v3
}
trace bridge 1 of 0 exit 0 {
    v0 = param 0 val
    ret v0
}";

#[test]
fn a_return_hands_its_word_to_whoever_entered() {
    for options in MODES {
        let mut machine = Machine::new(Arena::new());
        machine.load(&Program::parse(NEXT), options);
        for (given, back) in [
            (int(41), int(42)),
            (int(-1), int(0)),
            (word::box_flt(2.5), word::box_flt(2.5)),
        ] {
            machine.arena().set_slot(1, given);
            assert_eq!(machine.run_to_return(TraceId(0)), back);
        }
    }
}
