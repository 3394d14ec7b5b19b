//! Random programs, interpreted against compiled: `fuzz [PROGRAMS] [FIRST SEED]`, or
//! `fuzz show SEED`.
//!
//! Prints each program that ends differently, and at the end what all of them reached. The exit
//! code is 1 if one differed, or if they did not reach enough.

#[path = "../tests/random/mod.rs"]
mod random;

use random::Tally;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<Option<u64>> = args.iter().map(|a| a.parse().ok()).collect();
    let (programs, first) = match numbers[..] {
        [] => (1000, 1),
        [Some(programs)] => (programs, 1),
        [Some(programs), Some(first)] => (programs, first),
        [None, Some(seed)] if args[0] == "show" => {
            let (text, gc, params) = random::program(seed);
            println!("{text}\n{params:?}\npasses {}\n{gc:?}", params.passes);
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("usage: fuzz [PROGRAMS] [FIRST SEED] | show SEED");
            return ExitCode::from(2);
        }
    };
    let (mut tally, mut differed) = (Tally::default(), 0);
    for seed in first..first + programs {
        if let Err(text) = tally.add(seed) {
            differed += 1;
            println!("{text}\n");
        }
    }
    println!("{tally}; {differed} differed");
    ExitCode::from(u8::from(differed > 0 || !tally.is_enough()))
}
