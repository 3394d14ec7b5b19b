//! Instruction totals under valgrind, for machines without hardware counters.
//!
//! Plain totals, no cache simulation: they repeat within hundredths of a percent. `--smc-check=all`, because a JIT patches its own code and
//! valgrind would go on running what was there before. Hash seed fixed, and the benchmark's result is checked as always.

use anyhow::{Context, Result};
use runner_core::process::ProcessSpec;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// How much longer a process may take than without.
const SLOWER: u64 = 100;

/// Where valgrind lies, if it does.
pub(crate) fn valgrind() -> Result<PathBuf> {
    crate::baselines::find(&["/usr/bin/valgrind".to_owned(), "valgrind".to_owned()])
        .context("instructions are counted under valgrind, which is not on this machine")
}

/// The same process under valgrind, which writes its total to `log`.
pub(crate) fn counted(mut spec: ProcessSpec, valgrind: PathBuf, log: &Path) -> ProcessSpec {
    let mut args: Vec<OsString> = [
        "--tool=cachegrind",
        "--cache-sim=no",
        "--smc-check=all",
        "--cachegrind-out-file=/dev/null",
    ]
    .into_iter()
    .map(Into::into)
    .collect();
    let mut log_file = OsString::from("--log-file=");
    log_file.push(log);
    args.push(log_file);
    args.push(spec.program.clone().into());
    args.append(&mut spec.args);
    spec.args = args;
    spec.program = valgrind;
    spec.limits.wall.0 = spec.limits.wall.0.saturating_mul(SLOWER);
    spec.limits.rss.0 = spec.limits.rss.0.saturating_mul(2);
    spec
}

/// The total in valgrind's log: the number behind `I refs:`.
pub(crate) fn total(log: &str) -> Option<f64> {
    let line = log
        .lines()
        .find(|line| line.contains("I refs:") || line.contains("I   refs:"))?;
    let digits: String = line
        .rsplit(':')
        .next()?
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    digits.parse().ok().filter(|total| *total > 0.0)
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn the_total_is_read_from_either_spelling() {
        assert_eq!(
            total("==1== \n==1== I   refs:      1,234,567\n"),
            Some(1_234_567.0)
        );
        assert_eq!(total("==1== I refs:        42\n"), Some(42.0));
        assert_eq!(total("==1== nothing\n"), None);
    }
}
