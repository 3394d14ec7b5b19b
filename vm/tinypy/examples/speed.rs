//! How fast three programs run: interpreted, compiled without passes, with all of them, and with
//! all but one, as speed-ups over the interpreter: `speed [ROUNDS]`.
//!
//! Each round runs every mode of every program once, so what disturbs the machine hits all alike;
//! printed are medians of CPU time, source to end, recording and compiling included. What a row
//! lacks against `opt` is what its pass brings here.

use pyrite_gc::Config;
use pyrite_jit_opt::{Pass, PassSet};
use pyrite_jit_record::drive::Params;
use std::process::ExitCode;
use tinypy::run;

const PROGRAMS: [(&str, &str); 3] = [
    (
        "integers",
        "
def main():
    i = 0
    total = 0
    while i < 2000000:
        if i % 3 == 0:
            total = total + i * 7 % 1009
        else:
            total = total - (i & 15)
        i = i + 1
    print(total)
",
    ),
    (
        "floats",
        "
def iterate(x, y, n):
    u = x
    v = y
    while n > 0 and u * u + v * v < 4.0:
        t = u * u - v * v + x
        v = 2.0 * u * v + y
        u = t
        n = n - 1
    return n
def main():
    total = 0
    row = 0
    while row < 90:
        column = 0
        while column < 90:
            total = total + iterate(column / 45 - 1.5, row / 45 - 1.0, 200)
            column = column + 1
        row = row + 1
    print(total)
",
    ),
    (
        "objects",
        "
def vector(x, y):
    v = Object()
    v.x = x
    v.y = y
    return v
def add(a, b):
    return vector(a.x + b.x, a.y + b.y)
def scale(a, f):
    return vector(a.x * f, a.y * f)
def main():
    position = vector(0.0, 0.0)
    speed = vector(1.0, 0.5)
    kept = None
    i = 0
    while i < 400000:
        position = add(position, scale(speed, 0.001))
        if position.x > 10.0:
            position = vector(0.0, position.y)
            kept = position
        i = i + 1
    print(position.x)
    print(kept.y)
",
    ),
];

/// Name of a row, and how its programs run.
fn modes() -> Vec<(String, Option<Params>)> {
    let with = |passes| {
        Some(Params {
            passes,
            ..Params::default()
        })
    };
    let mut modes = vec![
        ("off".to_owned(), None),
        ("noopt".to_owned(), with(PassSet::NONE)),
        ("opt".to_owned(), with(PassSet::all())),
    ];
    for &pass in Pass::ALL {
        let name = format!("opt,-{}", pass.name());
        modes.push((name, with(PassSet::all().without(pass))));
    }
    modes
}

/// CPU time of this thread so far.
fn cpu_seconds() -> f64 {
    let mut t = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call writes `t`; this clock exists everywhere.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut t) };
    t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9
}

fn median(seconds: &mut [f64]) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

fn main() -> ExitCode {
    let rounds = match std::env::args().nth(1).map(|text| text.parse()) {
        None => 9,
        Some(Ok(n)) if n > 0 => n,
        Some(_) => {
            eprintln!("usage: speed [ROUNDS]");
            return ExitCode::from(2);
        }
    };
    let modes = modes();
    let mut seconds = vec![[const { Vec::new() }; PROGRAMS.len()]; modes.len()];
    let mut output: [Option<String>; PROGRAMS.len()] = Default::default();
    for _ in 0..rounds {
        for ((name, params), row) in modes.iter().zip(&mut seconds) {
            for (n, (program, text)) in PROGRAMS.iter().enumerate() {
                let start = cpu_seconds();
                let ended = run(text, Config::default(), *params);
                row[n].push(cpu_seconds() - start);
                let (outcome, _) = ended.expect("the programs are right");
                let expected = output[n].get_or_insert_with(|| outcome.output.clone());
                if outcome.error.is_some() || outcome.output != *expected {
                    eprintln!("{program} ends differently under {name}: {outcome:?}");
                    return ExitCode::FAILURE;
                }
            }
        }
    }
    let medians: Vec<Vec<f64>> = (seconds.iter_mut())
        .map(|row| row.iter_mut().map(|s| median(s)).collect())
        .collect();
    print!("{:14}", "speed-up");
    PROGRAMS.iter().for_each(|(name, _)| print!("{name:>10}"));
    println!("   (interpreted, ms: {})", {
        let ms = medians[0].iter().map(|s| format!("{:.1}", s * 1e3));
        ms.collect::<Vec<_>>().join(", ")
    });
    for ((name, _), row) in modes.iter().zip(&medians) {
        print!("{name:14}");
        for (s, off) in row.iter().zip(&medians[0]) {
            print!("{:>10.2}", off / s);
        }
        println!();
    }
    ExitCode::SUCCESS
}
