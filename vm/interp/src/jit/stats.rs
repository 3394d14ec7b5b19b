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
