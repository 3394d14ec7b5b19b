//! One program in all its modes.

use crate::mode::Mode;
use crate::server::{End, Loaded, Outcome, Reached, Server};
use crate::shrink;
use crate::tree::{Stmt, source};
use anyhow::Result;
use pyrite_jit_record::Abort;
use std::fmt::{self, Display, Formatter};

/// A run that ended otherwise than the interpreter's.
#[derive(Clone, Debug)]
pub struct Mismatch {
    pub mode: Mode,
    pub expected: Outcome,
    pub got: Outcome,
}

/// How often what was reached.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub programs: u64,
    /// Runs, the interpreter's included.
    pub runs: u64,
    pub compiled: u64,
    pub bridged: u64,
    pub allocated: u64,
    pub invalidated: u64,
    /// Programs that no mode compiled anything of; not among `programs`.
    pub dropped: u64,
    /// Programs the interpreter itself did not end in time; not among `programs`.
    pub endless: u64,
    /// Programs that ended by an exception.
    pub raised: u64,
    pub mismatches: u64,
    pub traces: u64,
    pub bridges: u64,
    pub exits: u64,
    pub aborts: [u64; Abort::ALL.len()],
    /// CPU time of the runs: interpreter alone, compiled, under stress of the collector.
    pub cpu_us: [u64; 3],
}

/// What became of a program.
#[derive(Clone, Debug)]
pub enum Verdict {
    Agrees,
    Differs(Box<Mismatch>),
    /// It says nothing: endless, or nothing of it was compiled.
    Void,
}

/// A program whose runs are under way.
pub struct Started {
    loaded: Loaded,
    /// The interpreter's first.
    modes: Vec<Mode>,
}

/// Runs the program in the interpreter and in `modes`, up to the first difference.
///
/// # Errors
/// When no run can be made.
pub fn compare(
    server: &Server,
    stmts: &[Stmt],
    modes: &[Mode],
    counts: &mut Counts,
) -> Result<Verdict> {
    start(server, stmts, modes)?.finish(counts)
}

/// Begins to run the program in the interpreter and in `modes`.
///
/// # Errors
/// When no run can be made.
pub fn start(server: &Server, stmts: &[Stmt], modes: &[Mode]) -> Result<Started> {
    let modes: Vec<Mode> = std::iter::once(Mode::off())
        .chain(modes.iter().cloned())
        .collect();
    let mut loaded = server.load(&source(stmts), &modes)?;
    for (index, _) in (0..).zip(&modes) {
        loaded.ask(index);
    }
    Ok(Started { loaded, modes })
}

impl Started {
    /// Waits for the runs, up to the first that ends otherwise than the interpreter's.
    ///
    /// # Errors
    /// When a run could not be made.
    pub fn finish(mut self, counts: &mut Counts) -> Result<Verdict> {
        let (expected, reached) = self.loaded.answer()?;
        counts.run(&self.modes[0], &reached);
        match expected.end {
            End::TimeLimit => {
                counts.endless += 1;
                return Ok(Verdict::Void);
            }
            // The interpreter crashed or panicked.
            End::Signal(_) | End::Exit(101..) => {
                counts.programs += 1;
                counts.mismatches += 1;
                let mode = Mode::off();
                return Ok(Verdict::Differs(Box::new(Mismatch {
                    mode,
                    expected: Outcome::default(),
                    got: expected,
                })));
            }
            End::Exit(_) => {}
        }
        let mut sum = Reached::default();
        let mut different = None;
        for mode in &self.modes[1..] {
            let (got, reached) = self.loaded.answer()?;
            counts.run(mode, &reached);
            sum.traces += reached.traces;
            sum.bridges += reached.bridges;
            sum.allocations += reached.allocations;
            sum.invalidated += reached.invalidated;
            counts.exits += reached.exits;
            for (all, one) in counts.aborts.iter_mut().zip(&reached.aborts) {
                *all += one;
            }
            if got != expected {
                different = Some(Box::new(Mismatch {
                    mode: mode.clone(),
                    expected: expected.clone(),
                    got,
                }));
                break;
            }
        }
        if sum.traces == 0 && different.is_none() {
            counts.dropped += 1;
            return Ok(Verdict::Void);
        }
        counts.programs += 1;
        counts.compiled += u64::from(sum.traces > 0);
        counts.bridged += u64::from(sum.bridges > 0);
        counts.allocated += u64::from(sum.allocations > 0);
        counts.invalidated += u64::from(sum.invalidated > 0);
        counts.raised += u64::from(expected.end != End::Exit(0));
        counts.traces += sum.traces;
        counts.bridges += sum.bridges;
        Ok(match different {
            Some(m) => {
                counts.mismatches += 1;
                Verdict::Differs(m)
            }
            None => Verdict::Agrees,
        })
    }
}

/// A smaller program that fails in the same mode, by at most `budget` trials.
pub fn shrink(server: &Server, stmts: &[Stmt], m: &Mismatch, budget: usize) -> Vec<Stmt> {
    // A crash stays a crash, a wrong result a wrong result: else the search
    // wanders from one defect to another.
    let kind = std::mem::discriminant(&m.got.end);
    shrink::shrink(stmts, budget, &mut |candidate| {
        let mut counts = Counts::default();
        let modes = std::slice::from_ref(&m.mode);
        let off = m.mode.params.is_none();
        match compare(
            server,
            candidate,
            if off { &[] } else { modes },
            &mut counts,
        ) {
            Ok(Verdict::Differs(d)) => {
                std::mem::discriminant(&d.got.end) == kind && d.mode.params.is_none() == off
            }
            _ => false,
        }
    })
}

impl Counts {
    /// Counts a run.
    fn run(&mut self, mode: &Mode, reached: &Reached) {
        self.runs += 1;
        let kind = match (mode.gc, &mode.params) {
            (Some(_), _) => 2,
            (None, Some(_)) => 1,
            (None, None) => 0,
        };
        self.cpu_us[kind] += u64::from(reached.cpu_us);
    }

    /// Share of programs in percent.
    fn percent(&self, n: u64) -> f64 {
        n as f64 * 100.0 / self.programs.max(1) as f64
    }
}

impl Display for Counts {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "programs            {:>9}   ({} runs)",
            self.programs, self.runs
        )?;
        for (name, n) in [
            ("compiled a trace", self.compiled),
            ("reached a bridge", self.bridged),
            ("allocated in trace", self.allocated),
            ("invalidated a trace", self.invalidated),
            ("ended by exception", self.raised),
        ] {
            writeln!(f, "{name:<19} {n:>9}   {:5.1} %", self.percent(n))?;
        }
        writeln!(
            f,
            "not counted         {:>9}   compiled nothing",
            self.dropped
        )?;
        writeln!(
            f,
            "                    {:>9}   did not end in time",
            self.endless
        )?;
        writeln!(
            f,
            "traces {}, bridges {}, exits {}",
            self.traces, self.bridges, self.exits
        )?;
        let seconds = self.cpu_us.map(|us| us as f64 / 1e6);
        writeln!(
            f,
            "seconds of CPU: interpreted {:.1}, compiled {:.1}, under stress of the collector {:.1}",
            seconds[0], seconds[1], seconds[2]
        )?;
        write!(f, "recordings given up:")?;
        for (a, n) in Abort::ALL.iter().zip(self.aborts) {
            if n > 0 {
                write!(f, " {} {n}", a.name())?;
            }
        }
        write!(f, "\nmismatches          {:>9}", self.mismatches)
    }
}
