//! Counters for `--jit-stats`.

use pyrite_jit_record::Abort;
use std::collections::BTreeMap;
use std::time::Duration;

/// What the JIT has done so far.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    pub traces: u64,
    pub bridges: u64,
    /// Recordings given up, by reason.
    pub aborts: BTreeMap<Abort, u64>,
    /// Times a trace was left.
    pub exits: u64,
    /// Times machine code was entered from the interpreter.
    pub entries: u64,
    /// Ops recorded, and ops left after optimization.
    pub ops_recorded: u64,
    pub ops_compiled: u64,
    pub guards_compiled: u64,
    /// Allocations that stayed real in compiled traces.
    pub allocations_compiled: u64,
    /// Instructions traces call instead of containing them.
    pub residual_calls: u64,
    pub code_bytes: u64,
    pub invalidated: u64,
    pub compile_time: Duration,
    /// Ops the recorder asked for, before the passes that run while it records; those of recordings
    /// that were given up included.
    pub ops_emitted: u64,
    /// CPU time by phase; all zero unless the clock is on.
    pub laps: Laps,
}

/// What a recording's CPU time goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Handlers over the recorder, and the passes that work while it records.
    Record,
    /// The program itself, where the recorder lets it run on: called functions, whole instructions.
    /// No cost of the JIT.
    Program,
    /// Closing the loop: the second iteration.
    Peel,
    Sink,
    Dce,
    Regalloc,
    Encode,
    /// Code memory, exit tables, bookkeeping.
    Install,
}

impl Phase {
    pub const ALL: [Phase; 8] = [
        Phase::Record,
        Phase::Program,
        Phase::Peel,
        Phase::Sink,
        Phase::Dce,
        Phase::Regalloc,
        Phase::Encode,
        Phase::Install,
    ];

    fn name(self) -> &'static str {
        match self {
            Phase::Record => "record",
            Phase::Program => "program",
            Phase::Peel => "peel",
            Phase::Sink => "sink",
            Phase::Dce => "dce",
            Phase::Regalloc => "regalloc",
            Phase::Encode => "encode",
            Phase::Install => "install",
        }
    }
}

/// A stopwatch: each lap ends a phase. One recording runs at a time, so one is enough.
///
/// What counts is CPU time of this thread, whatever else runs on the core. Reading that clock is a
/// system call, so it is read at the ends of a stretch of laps only; the laps in between are measured
/// by the clock on the wall and share the stretch's CPU time in proportion.
#[derive(Clone, Copy, Debug, Default)]
pub struct Laps {
    /// Whether the clocks are read at all.
    on: bool,
    /// CPU time at the start of the stretch.
    cpu: u64,
    /// Time at the end of the last lap.
    last: u64,
    /// Time of the stretch's laps.
    stretch: [u64; Phase::ALL.len()],
    ns: [u64; Phase::ALL.len()],
}

impl Laps {
    /// A stopwatch that reads the clocks, or one that does nothing.
    pub fn new(on: bool) -> Laps {
        Laps {
            on,
            ..Laps::default()
        }
    }

    /// Begins a stretch. What passed before belongs to no phase.
    pub fn start(&mut self) {
        if self.on {
            self.stretch = [0; Phase::ALL.len()];
            self.cpu = clock_ns(libc::CLOCK_THREAD_CPUTIME_ID);
            self.last = clock_ns(libc::CLOCK_MONOTONIC);
        }
    }

    /// The time since the last lap was spent on this.
    pub fn lap(&mut self, phase: Phase) {
        if self.on {
            let now = clock_ns(libc::CLOCK_MONOTONIC);
            self.stretch[phase as usize] += now - self.last;
            self.last = now;
        }
    }

    /// A lap that ends a stretch; another one begins.
    pub fn stop(&mut self, phase: Phase) {
        if !self.on {
            return;
        }
        self.lap(phase);
        let now = clock_ns(libc::CLOCK_THREAD_CPUTIME_ID);
        let cpu = now - self.cpu;
        self.cpu = now;
        let whole: u64 = self.stretch.iter().sum();
        for (ns, part) in self.ns.iter_mut().zip(self.stretch) {
            let share = u128::from(cpu) * u128::from(part) / u128::from(whole.max(1));
            *ns += share as u64;
        }
        self.stretch = [0; Phase::ALL.len()];
        self.last = clock_ns(libc::CLOCK_MONOTONIC);
    }

    /// Nanoseconds of a phase so far.
    pub fn ns(&self, phase: Phase) -> u64 {
        self.ns[phase as usize]
    }

    /// Nanoseconds of all that the JIT costs.
    pub fn total_ns(&self) -> u64 {
        let cost = |p: &&Phase| **p != Phase::Program;
        Phase::ALL.iter().filter(cost).map(|&p| self.ns(p)).sum()
    }
}

fn clock_ns(clock: libc::clockid_t) -> u64 {
    let mut t = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: writes the struct it is given.
    unsafe { libc::clock_gettime(clock, &mut t) };
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

impl Stats {
    /// As a JSON object, with the collector's figures beside.
    pub fn json(&self, gc: &pyrite_gc::Stats) -> String {
        let mut out = String::from("{");
        let mut put = |k: &str, v: String| {
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(&format!("\"{k}\":{v}"));
        };
        for (k, v) in [
            ("traces", self.traces),
            ("bridges", self.bridges),
            ("exits", self.exits),
            ("entries", self.entries),
            ("ops_emitted", self.ops_emitted),
            ("ops_recorded", self.ops_recorded),
            ("ops_compiled", self.ops_compiled),
            ("guards_compiled", self.guards_compiled),
            ("allocations_compiled", self.allocations_compiled),
            ("residual_calls", self.residual_calls),
            ("code_bytes", self.code_bytes),
            ("invalidated", self.invalidated),
        ] {
            put(k, v.to_string());
        }
        put(
            "compile_s",
            format!("{:.9}", self.compile_time.as_secs_f64()),
        );
        let us = |ns: u64| format!("{:.1}", ns as f64 / 1e3);
        put("jit_us", us(self.laps.total_ns()));
        for p in Phase::ALL {
            put(&format!("us_{}", p.name()), us(self.laps.ns(p)));
        }
        put("aborts", self.aborts.values().sum::<u64>().to_string());
        for a in Abort::ALL {
            put(
                &format!("abort_{}", a.name()),
                self.aborts.get(&a).copied().unwrap_or(0).to_string(),
            );
        }
        put("gc_minor", gc.minor_collections.to_string());
        put("gc_full", gc.full_collections.to_string());
        out.push('}');
        out
    }
}
