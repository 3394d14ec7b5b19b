//! Random programs in this build. `PYRITE_FUZZ=N`: N times as many (1: seconds);
//! `PYRITE_FUZZ_SEED=S`: from this seed on.

use pyrite_fuzz::compare::{Counts, Verdict, compare, shrink};
use pyrite_fuzz::server::{End, with_server};
use pyrite_fuzz::tree::source;
use pyrite_fuzz::{Mode, Server, r#gen};
use pyrite_interp::jit::Params;
use pyrite_jit_opt::PassSet;
use pyrite_jit_record::Abort;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// Runs `work` on a booted VM.
fn on_server(work: fn(&Server)) {
    let done = with_server(move |server| {
        work(server);
        Ok(())
    });
    done.expect("a VM starts");
}

#[test]
fn programs_end_alike_in_all_modes() {
    on_server(|server| {
        let (first, times) = (number("PYRITE_FUZZ_SEED", 1), number("PYRITE_FUZZ", 1));
        let mut counts = Counts::default();
        for seed in first..first + 60 * times {
            let program = r#gen::program(seed);
            let verdict = compare(server, &program, &Mode::of_seed(seed), &mut counts);
            if let Verdict::Differs(m) = verdict.expect("programs can be run") {
                let small = source(&shrink(server, &program, &m, 300));
                let (mode, got) = (m.mode.flags(), &m.got);
                panic!(
                    "seed {seed}, {mode}: {got:?}\nexpected {:?}\n{small}",
                    m.expected
                );
            }
        }
        println!("{counts}");
        assert!(counts.programs * 10 > 60 * times * 8, "{counts}");
        assert!(counts.bridged * 10 > counts.programs * 3, "{counts}");
        assert!(counts.allocated * 10 > counts.programs * 2, "{counts}");
        assert_eq!(counts.compiled, counts.programs, "{counts}");
    });
}

/// Recordings given up in a run of the program, by the reason.
fn given_up(server: &Server, program: &str, mode: &Mode, why: Abort) -> u64 {
    let (outcome, reached) = server.run(program, mode).expect("it runs");
    assert_eq!(outcome.end, End::Exit(0), "{}", outcome.output);
    assert!(reached.bridges > 0, "the program is about bridges");
    let at = Abort::ALL.iter().position(|a| *a == why);
    reached.aborts[at.expect("all reasons are listed")]
}

#[test]
fn a_bridge_behind_the_next_item_keeps_the_rules_where_slots_are_written_at_once() {
    on_server(|server| {
        // The inner loop has no item when the outer one is recorded, and has one later.
        let program = "\
def f(sets):
    n = 0
    for i in range(400):
        for x in sets[i // 50 % 2]:
            n += x
    return n
print(f([set(), {3}]))";
        for frames in [true, false] {
            let mut mode = Mode::jit(PassSet::all(), Params::default().switches, 10);
            if let Some(p) = &mut mode.params {
                p.switches.frames = frames;
            }
            assert_eq!(
                given_up(server, program, &mode, Abort::Rule),
                0,
                "frames: {frames}"
            );
        }
    });
}

#[test]
fn without_leaf_calls_instructions_are_called_as_a_whole() {
    on_server(|server| {
        let program = "\
def f():
    s = ''
    for i in range(300):
        s = s[1:] + 'ab' if i % 7 else 'a'
    return s
print(f())";
        let residuals = |leaf| {
            let mut mode = Mode::jit(PassSet::all(), Params::default().switches, 3);
            if let Some(p) = &mut mode.params {
                p.switches.leaf = leaf;
            }
            let (outcome, reached) = server.run(program, &mode).expect("it runs");
            assert_eq!(outcome.end, End::Exit(0), "{}", outcome.output);
            assert!(reached.traces > 0);
            (outcome.output, reached.residuals)
        };
        let (with, without) = (residuals(true), residuals(false));
        assert_eq!(with.0, without.0);
        assert!(with.1 < without.1, "{} and {}", with.1, without.1);
    });
}

#[test]
fn a_program_shows_what_it_printed_and_how_it_ended() {
    on_server(|server| {
        let run = |text: &str| server.run(text, &Mode::off()).expect("it runs").0;
        assert_eq!(run("print(6 * 7)").output, "42\n");
        let end = run("import sys; sys.exit(3)").end;
        assert_eq!(end, End::Exit(3));
        let end = run("while True: pass").end;
        assert_eq!(end, End::TimeLimit);
    });
}
