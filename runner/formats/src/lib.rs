//! What other programs read and write: one file per format.
//!
//! The writers take [`Measured`] values, which the caller reads from the database, and give text; the readers take text and give [`Imported`]
//! values. Nothing here opens a file or knows SQL, so a format is tested by feeding its text to the program that reads it
//! (`tests/programs.rs` does, where those programs are installed).
//!
//! | file | out | in |
//! |---|---|---|
//! | `pyperf` | one commit in one mode | any file of pyperf or pyperformance |
//! | `asv` | a results folder with the modes as a parameter | |
//! | `otava` | a CSV per mode and its configuration | |
//! | `bmf` | Bencher Metric Format | |
//! | `gha` | github-action-benchmark, smaller is better | |
//! | `openmetrics` | gauges of the newest commit | |
//! | `table` | CSV and JSON of all points | |
//! | `junit` | library tests of one commit | |
//! | `criterion` | | estimates of one benchmark, and cargo-criterion's messages |
//! | `hyperfine` | | `--export-json` |
//! | `rebench` | | data files |
//! | `codespeed` | | the form that `pyperformance upload` posts |
//!
//! Invariant: a benchmark that failed is never written as a number.

#![forbid(unsafe_code)]

pub mod asv;
pub mod bmf;
pub mod codespeed;
pub mod criterion;
pub mod gha;
pub mod hyperfine;
pub mod junit;
pub mod openmetrics;
pub mod otava;
pub mod pyperf;
pub mod rebench;
pub mod table;
pub mod time;

use serde::Serialize;

/// One benchmark at one commit (or of one baseline) in one mode, every process of which ended well.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Measured {
    /// `suite/name`.
    pub benchmark: String,
    pub subject: String,
    /// Full id; `None` for a baseline.
    pub sha: Option<String>,
    /// Position on the first-parent line.
    pub seq: i64,
    pub commit_time_s: i64,
    pub title: String,
    pub mode: String,
    /// What the program says of its version.
    pub version: String,
    pub machine: String,
    pub cpu_model: String,
    pub cores: u32,
    pub memory_bytes: u64,
    pub kernel: String,
    /// Name of the run, and when it began.
    pub run: String,
    pub started_s: i64,
    /// Hash of the benchmark's source.
    pub source_sha256: String,
    /// Geometric mean of the process means in seconds, with its 95 % interval where there is one.
    pub seconds: f64,
    pub interval: Option<(f64, f64)>,
    pub processes: Vec<Process>,
}

/// One process.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Process {
    /// Seconds per iteration, oldest first.
    pub walls_s: Vec<f64>,
    /// First steady iteration.
    pub steady_from: usize,
    pub started_s: i64,
    /// Of the whole process.
    pub wall_s: f64,
    pub peak_rss_bytes: u64,
    pub hash_seed: String,
}

impl Process {
    /// Times of the steady iterations.
    #[must_use]
    pub fn steady(&self) -> &[f64] {
        &self.walls_s[self.steady_from.min(self.walls_s.len())..]
    }

    /// Mean of the steady iterations; `None` without one.
    #[must_use]
    pub fn mean_s(&self) -> Option<f64> {
        let steady = self.steady();
        (!steady.is_empty()).then(|| steady.iter().sum::<f64>() / steady.len() as f64)
    }
}

/// A benchmark read from another program's file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Imported {
    pub benchmark: String,
    /// What was measured, as the file says; may be empty.
    pub program: String,
    /// Per process the values in `unit`, oldest first; those that were warm-up come first.
    pub processes: Vec<ImportedProcess>,
    pub unit: Unit,
}

/// Values of one process (or of one invocation, whatever the other program repeats).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ImportedProcess {
    pub values: Vec<f64>,
    /// How many of them are warm-up.
    pub warmups: usize,
}

/// Unit of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    Seconds,
    Bytes,
    Count,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    #[error("no JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("{what} is missing or of another kind: this is no file of {format}")]
    Missing { format: &'static str, what: String },
    #[error("line {line}: {what}")]
    Line { line: usize, what: String },
    #[error("nothing to write: {0}")]
    Nothing(&'static str),
    #[error("{value} is no positive finite number ({what})")]
    NotPositive { value: f64, what: String },
}

pub(crate) fn missing(format: &'static str, what: impl Into<String>) -> FormatError {
    FormatError::Missing {
        format,
        what: what.into(),
    }
}

pub(crate) fn positive(value: f64, what: &str) -> Result<f64, FormatError> {
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        Err(FormatError::NotPositive {
            value,
            what: what.into(),
        })
    }
}

/// A field of CSV: quoted when it has to be.
pub(crate) fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Without line breaks and control characters: what a metadata value may be.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
pub(crate) mod test {
    use super::*;

    /// Two benchmarks at two commits in two modes.
    pub(crate) fn sample() -> Vec<Measured> {
        let mut all = Vec::new();
        for (seq, sha) in [(0, "a".repeat(40)), (1, "b".repeat(40))] {
            for mode in ["off", "opt"] {
                for (benchmark, level) in [("micro/calls", 0.02), ("micro/loops", 0.05)] {
                    let level = if mode == "opt" { level / 3.0 } else { level };
                    let processes: Vec<Process> = (0..5)
                        .map(|i| Process {
                            walls_s: (0..12)
                                .map(|k| {
                                    level
                                        * (1.0
                                            + 0.001 * f64::from(i)
                                            + if k < 3 { 0.5 } else { 0.0 })
                                })
                                .collect(),
                            steady_from: 3,
                            started_s: 1_700_000_000 + i64::from(i),
                            wall_s: 1.0,
                            peak_rss_bytes: 10 << 20,
                            hash_seed: i.to_string(),
                        })
                        .collect();
                    all.push(Measured {
                        benchmark: benchmark.into(),
                        subject: "vm".into(),
                        sha: Some(sha.clone()),
                        seq,
                        commit_time_s: 1_700_000_000 + 86_400 * seq,
                        title: "a commit".into(),
                        mode: mode.into(),
                        version: "vm 1.0".into(),
                        machine: "box".into(),
                        cpu_model: "a processor".into(),
                        cores: 2,
                        memory_bytes: 1 << 34,
                        kernel: "6.1".into(),
                        run: "night".into(),
                        started_s: 1_700_100_000,
                        source_sha256: "0123456789abcdef".into(),
                        seconds: level * 1.002,
                        interval: Some((level, level * 1.004)),
                        processes,
                    });
                }
            }
        }
        all
    }

    #[test]
    fn fields_of_csv_are_quoted_when_they_must_be() {
        assert_eq!(csv_field("plain"), "plain");
        assert_eq!(csv_field("a,\"b\""), "\"a,\"\"b\"\"\"");
    }

    #[test]
    fn steady_means_leave_the_warm_up_out() {
        let process = Process {
            walls_s: vec![9.0, 1.0, 3.0],
            steady_from: 1,
            ..Process::default()
        };
        assert_eq!(process.mean_s(), Some(2.0));
        assert_eq!(Process::default().mean_s(), None);
    }
}
