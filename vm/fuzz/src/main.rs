//! `pyfuzz`: the command.

use anyhow::{Context as _, Result, bail};
use pyrite_fuzz::compare::{self, Counts, Mismatch, Verdict};
use pyrite_fuzz::server::{End, Outcome, Server, with_server};
use pyrite_fuzz::tree::{self, Stmt, size, source};
use pyrite_fuzz::{Mode, r#gen};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Instant;

const HELP: &str = "\
usage: pyfuzz [option] ...
--seed=N         first seed (1)
--count=N        number of programs (1000)
--jobs=N         programs that run at the same time (1)
--keep-going=N   stop after N mismatches (1)
--shrink=N       trials to make a failing program smaller (400)
--out=DIR        where failing programs are written (the current folder)
--file=FILE      this program instead of generated ones, in the modes of the seeds
--show           print the programs of the seeds instead of running them
--reference=FILE compare the interpreter with this Python instead of with the JIT
--quiet          no line per thousand programs
--faults         plant defects, and count programs until each is found (feature `planted`)
--fault=NAME     this defect only, or in all runs of --file
Exit code 0: no mismatch; 1: mismatches; 2: wrong usage.";

struct Options {
    seed: u64,
    count: u64,
    jobs: usize,
    keep_going: u64,
    shrink: usize,
    out: PathBuf,
    show: bool,
    reference: Option<PathBuf>,
    quiet: bool,
    faults: bool,
    fault: Option<String>,
    file: Option<PathBuf>,
}

fn options() -> Result<Options> {
    let mut o = Options {
        seed: 1,
        count: 1000,
        jobs: 1,
        keep_going: 1,
        shrink: 400,
        out: PathBuf::from("."),
        show: false,
        reference: None,
        quiet: false,
        faults: false,
        fault: None,
        file: None,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let (name, attached) = match arg.split_once('=') {
            Some((n, v)) => (n.to_owned(), Some(v.to_owned())),
            None => (arg, None),
        };
        let mut value = || {
            attached
                .clone()
                .or_else(|| args.next())
                .with_context(|| format!("{name} wants a value"))
        };
        match name.as_str() {
            "--seed" => o.seed = value()?.parse()?,
            "--count" => o.count = value()?.parse()?,
            "--jobs" => o.jobs = value()?.parse()?,
            "--keep-going" => o.keep_going = value()?.parse()?,
            "--shrink" => o.shrink = value()?.parse()?,
            "--out" => o.out = value()?.into(),
            "--show" => o.show = true,
            "--reference" => o.reference = Some(value()?.into()),
            "--quiet" => o.quiet = true,
            "--faults" => o.faults = true,
            "--fault" => o.fault = Some(value()?),
            "--file" => o.file = Some(value()?.into()),
            "--help" | "-h" => {
                println!("{HELP}");
                std::process::exit(0);
            }
            _ => bail!("unknown option {name}\n{HELP}"),
        }
    }
    Ok(o)
}

fn main() {
    let o = match options() {
        Ok(o) => o,
        Err(e) => {
            eprintln!("pyfuzz: {e:#}");
            std::process::exit(2);
        }
    };
    if o.show {
        for seed in o.seed..o.seed + o.count {
            println!("# seed {seed}\n{}", source(&r#gen::program(seed)));
        }
        return;
    }
    let work = with_server(move |server| {
        if o.faults || o.fault.is_some() && o.file.is_none() {
            faults(server, &o)
        } else if let Some(python) = &o.reference {
            against_reference(server, &o, python)
        } else {
            fuzz(server, &o)
        }
    });
    let code = match work {
        Ok(clean) => i32::from(!clean),
        Err(e) => {
            eprintln!("pyfuzz: {e:#}");
            2
        }
    };
    std::process::exit(code);
}

/// True if there was no mismatch.
fn fuzz(server: &Server, o: &Options) -> Result<bool> {
    let (mut counts, started) = (Counts::default(), Instant::now());
    let file = match &o.file {
        Some(f) => {
            let text = std::fs::read_to_string(f).with_context(|| f.display().to_string())?;
            plant(server, o)?;
            Some(vec![tree::line(text)])
        }
        None => None,
    };
    let mut seeds = o.seed..o.seed + o.count;
    let mut running = VecDeque::new();
    let mut done = 0u32;
    loop {
        while running.len() < o.jobs.max(1)
            && let Some(seed) = seeds.next()
        {
            let program = file.clone().unwrap_or_else(|| r#gen::program(seed));
            let runs = compare::start(server, &program, &Mode::of_seed(seed))?;
            running.push_back((seed, program, runs));
        }
        let Some((seed, program, runs)) = running.pop_front() else {
            break;
        };
        if let Verdict::Differs(m) = runs.finish(&mut counts)? {
            let small = compare::shrink(server, &program, &m, o.shrink);
            report(server, o, seed, &small, &m)?;
            if counts.mismatches >= o.keep_going {
                break;
            }
        }
        done += 1;
        if !o.quiet && done.is_multiple_of(1000) {
            let rate = f64::from(done) / started.elapsed().as_secs_f64();
            eprintln!(
                "{done} programs, {} mismatches, {rate:.0}/s",
                counts.mismatches
            );
        }
    }
    let rate = (counts.programs + counts.dropped) as f64 / started.elapsed().as_secs_f64();
    println!("{counts}\n{rate:.0} programs/s");
    Ok(counts.mismatches == 0)
}

/// Writes the failing program to a file that says how to run it.
fn report(server: &Server, o: &Options, seed: u64, small: &[Stmt], m: &Mismatch) -> Result<()> {
    let text = source(small);
    let (expected, got) = if m.mode.params.is_none() {
        (Outcome::default(), server.run(&text, &m.mode)?.0)
    } else {
        (
            server.run(&text, &Mode::off())?.0,
            server.run(&text, &m.mode)?.0,
        )
    };
    let path = o.out.join(format!("pyfuzz-{seed}.py"));
    let head = format!("# seed {seed}: pyrite -S --seed=1 {}\n", m.mode.flags());
    std::fs::write(&path, format!("{head}{text}"))
        .with_context(|| format!("{}", path.display()))?;
    println!(
        "mismatch: seed {seed}, {} statements left, in {}\n{}",
        size(small),
        path.display(),
        m.mode.flags()
    );
    print_difference(&expected, &got);
    Ok(())
}

fn print_difference(expected: &Outcome, got: &Outcome) {
    println!("  ended {:?}, expected {:?}", got.end, expected.end);
    let (mut e, mut g) = (expected.output.lines(), got.output.lines());
    for n in 1.. {
        match (e.next(), g.next()) {
            (None, None) => break,
            (a, b) if a == b => {}
            (a, b) => {
                println!("  line {n}: {}", b.unwrap_or("(none)"));
                println!("  expected {}", a.unwrap_or("(none)"));
                // Of a crash, the backtrace.
                let more = if matches!(got.end, End::Signal(_)) {
                    80
                } else {
                    8
                };
                for l in g.take(more) {
                    println!("         | {l}");
                }
                break;
            }
        }
    }
}

/// Compares the interpreter with another Python; true if they agree.
fn against_reference(server: &Server, o: &Options, python: &std::path::Path) -> Result<bool> {
    let (mut bad, mut done) = (0, 0);
    for seed in o.seed..o.seed + o.count {
        let program = r#gen::program(seed);
        let differs = |stmts: &[Stmt]| -> Result<Option<(Outcome, Outcome)>> {
            let text = source(stmts);
            let got = server.run(&text, &Mode::off())?.0;
            let expected = pyrite_fuzz::server::other(python, &text)?;
            // Shrinking makes programs that are none; their messages are not the matter here.
            let valid = !expected.output.contains("SyntaxError");
            Ok((valid && got != expected).then_some((expected, got)))
        };
        done += 1;
        if differs(&program)?.is_some() {
            bad += 1;
            let small = pyrite_fuzz::shrink::shrink(&program, o.shrink, &mut |s| {
                matches!(differs(s), Ok(Some(_)))
            });
            let path = o.out.join(format!("pyfuzz-{seed}.py"));
            std::fs::write(&path, source(&small))?;
            println!(
                "seed {seed} differs from {}: {}",
                python.display(),
                path.display()
            );
            if let Some((expected, got)) = differs(&small)? {
                print_difference(&expected, &got);
            }
            if bad >= o.keep_going {
                break;
            }
        }
    }
    println!("{done} programs, {bad} differ");
    Ok(bad == 0)
}

/// The defects the options name.
#[cfg(feature = "planted")]
fn chosen(o: &Options) -> Result<Vec<pyrite_fuzz::faults::Planted>> {
    let mut all = pyrite_fuzz::faults::all();
    if let Some(name) = &o.fault {
        all.retain(|f| f.to_string() == *name);
        anyhow::ensure!(!all.is_empty(), "no defect is called {name}");
    }
    Ok(all)
}

/// Plants the defect of `--fault` in the runs to come.
#[cfg(feature = "planted")]
fn plant(server: &Server, o: &Options) -> Result<()> {
    if o.fault.is_some() {
        server.planted.set(chosen(o)?.first().copied());
    }
    Ok(())
}

#[cfg(not(feature = "planted"))]
fn plant(_: &Server, o: &Options) -> Result<()> {
    anyhow::ensure!(
        o.fault.is_none(),
        "--fault needs a build with the feature `planted`"
    );
    Ok(())
}

/// Plants each defect in turn; true if all were found within `--count` programs.
#[cfg(feature = "planted")]
fn faults(server: &Server, o: &Options) -> Result<bool> {
    let mut missed = 0;
    println!("{:<34} programs", "planted defect");
    for &fault in &chosen(o)? {
        let n = pyrite_fuzz::faults::programs_until_found(server, fault, o.seed, o.count)?;
        missed += usize::from(n.is_none());
        let n = n.map_or("not found".to_owned(), |n| n.to_string());
        println!("{:<34} {n:>8}", fault.to_string());
    }
    Ok(missed == 0)
}

#[cfg(not(feature = "planted"))]
fn faults(_: &Server, _: &Options) -> Result<bool> {
    bail!("--faults needs a build with the feature `planted`")
}
