//! The fuzzer's power: how many random programs find each planted defect, `planted [LIMIT]`.
//!
//! `cargo run --release -p tinypy --features planted --example planted`. Defects that no program of
//! the language can meet (calls from traces, arrays, watched objects, guards behind a written
//! register) are left out. The exit code is 1 if a defect was not found.

#[path = "../tests/random/mod.rs"]
#[expect(dead_code, reason = "what the programs reach is not asked here")]
mod random;

use pyrite_jit_opt::Fault as Opt;
use pyrite_machine::plant::Fault as Vm;
use random::Tally;
use std::io::Write;
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const VM: [Vm; 8] = [
    Vm::ShapeNotGuarded,
    Vm::OverflowNotGuarded,
    Vm::NoBarrier,
    Vm::SlotNotRestored,
    Vm::FieldNotRestored,
    Vm::BigIntegerCut,
    Vm::BarrierForgets,
    Vm::FrameSlotsUnrooted,
];

const OPTIMIZER: [Opt; 13] = [
    Opt::ShiftTooFar,
    Opt::PlusZero,
    Opt::HalfKey,
    Opt::NoNan,
    Opt::NoAliases,
    Opt::NothingEscapes,
    Opt::BodyForgetsPreamble,
    Opt::ExitsNotCarried,
    Opt::FirstContent,
    Opt::StoredStaysVirtual,
    Opt::Doubles,
    Opt::PhiStaysInitial,
    Opt::FieldsLost,
];

/// Names of the defects, in the order of the lists.
fn names() -> Vec<String> {
    let vm = VM.iter().map(|f| format!("{f:?}"));
    let optimizer = OPTIMIZER.iter().map(|f| format!("{f:?}"));
    vm.chain(optimizer).collect()
}

/// Runs programs with a defect, and says before each how many there were. Ends at the first that
/// differs, hangs, or takes the process with it.
fn child(fault: usize, limit: u64) -> ExitCode {
    static DONE: AtomicU64 = AtomicU64::new(0);
    pyrite_machine::plant::plant(VM.get(fault).copied());
    pyrite_jit_opt::plant(fault.checked_sub(VM.len()).map(|n| OPTIMIZER[n]));
    std::thread::spawn(|| {
        loop {
            let before = DONE.load(Ordering::Relaxed);
            std::thread::sleep(Duration::from_secs(10));
            if DONE.load(Ordering::Relaxed) == before {
                std::process::exit(1);
            }
        }
    });
    let mut tally = Tally::default();
    for seed in 1..=limit {
        println!("{seed}");
        if tally.add(seed).is_err() {
            return ExitCode::FAILURE;
        }
        DONE.fetch_add(1, Ordering::Relaxed);
    }
    ExitCode::SUCCESS
}

/// Programs until the defect was found.
fn programs_until_found(fault: usize, limit: u64) -> std::io::Result<Option<u64>> {
    let output = Command::new(std::env::current_exe()?)
        .args(["child", &fault.to_string(), &limit.to_string()])
        .stderr(Stdio::null())
        .output()?;
    let last = String::from_utf8_lossy(&output.stdout);
    let last = last.lines().last().and_then(|text| text.parse().ok());
    Ok(last.filter(|_| !output.status.success()))
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<Option<u64>> = args.iter().map(|a| a.parse().ok()).collect();
    let limit = match numbers[..] {
        [] => 20_000,
        [Some(limit)] => limit,
        [None, Some(fault), Some(limit)] => return child(fault as usize, limit),
        _ => {
            eprintln!("usage: planted [LIMIT]");
            return ExitCode::from(2);
        }
    };
    let mut missed = 0;
    for (n, name) in names().iter().enumerate() {
        match programs_until_found(n, limit) {
            Ok(Some(programs)) => println!("{name:20} {programs:>6}"),
            Ok(None) => {
                missed += 1;
                println!("{name:20} not found in {limit}");
            }
            Err(why) => {
                eprintln!("cannot run myself: {why}");
                return ExitCode::FAILURE;
            }
        }
        // Seen while the others are sought.
        let _ = std::io::stdout().flush();
    }
    ExitCode::from(u8::from(missed > 0))
}
