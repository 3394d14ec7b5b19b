//! Writes the expected output of the programs from the reference interpreter.
//!
//! ```text
//! cargo run -p conformance --bin bless [-- PART_OF_A_NAME...]
//! ```
//!
//! Each program runs twice, with two hash seeds; one whose output differs
//! between them proves nothing and is refused.

use std::process::ExitCode;

use anyhow::Context as _;
use conformance::{Expected, Limits, Program, Vm, folder, programs, reference};
use rayon::prelude::*;

fn main() -> ExitCode {
    match bless(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("bless: {problem:#}");
            ExitCode::FAILURE
        }
    }
}

fn bless(parts: &[String]) -> anyhow::Result<()> {
    anyhow::ensure!(
        reference().exists(),
        "{} is not installed; expected output comes from it alone",
        reference().display()
    );
    let chosen: Vec<Program> = programs(&folder())?
        .into_iter()
        .filter(|one| parts.is_empty() || parts.iter().any(|part| one.name.contains(part)))
        .collect();
    let changed: Vec<String> = chosen
        .par_iter()
        .map(|program| one(program).with_context(|| program.name.clone()))
        .filter_map(|result| result.transpose())
        .collect::<anyhow::Result<_>>()?;
    for name in &changed {
        println!("changed {name}");
    }
    println!("{} programs, {} changed", chosen.len(), changed.len());
    Ok(())
}

/// The program's name when its expectation changed.
fn one(program: &Program) -> anyhow::Result<Option<String>> {
    let run = |seed: &str| -> anyhow::Result<Expected> {
        let vm = Vm::new(reference()).env("PYTHONHASHSEED", seed);
        let ending = vm.run(program, &Limits::default())?;
        anyhow::ensure!(
            ending.killed.is_none(),
            "killed: {}",
            ending.killed.unwrap_or_default()
        );
        anyhow::ensure!(ending.exit.is_some(), "ended by signal {:?}", ending.signal);
        let expected = Expected::from_ending(program, &ending);
        anyhow::ensure!(
            expected.exit == 0 || expected.stderr.is_some(),
            "ends with status {} and does not say `# check: stderr`: {}",
            expected.exit,
            String::from_utf8_lossy(&ending.stderr)
        );
        Ok(expected)
    };
    let (first, second) = (run("0")?, run("12345")?);
    anyhow::ensure!(
        first == second,
        "prints different things under two hash seeds"
    );
    Ok(first.store(program)?.then(|| program.name.clone()))
}
