//! Expected output: `<name>.out`, and `<name>.end` where there is more to say.
//!
//! ```text
//! exit 1
//! stderr ZeroDivisionError: division by zero
//! ```

use std::fmt;
use std::path::Path;

use crate::run::Ending;
use crate::{ConformanceError, Program};

/// What a program must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// All of stdout.
    pub stdout: Vec<u8>,
    /// The exit status.
    pub exit: i32,
    /// The last line of stderr, where the program says it counts.
    pub stderr: Option<String>,
}

/// How a run differs from what is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch(String);

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Expected {
    /// What a run of `program` showed, as the thing to expect from now on.
    #[must_use]
    pub fn from_ending(program: &Program, ending: &Ending) -> Self {
        Self {
            stdout: ending.stdout.clone(),
            exit: ending.exit.unwrap_or(-1),
            stderr: program.checks_stderr.then(|| last_line(&ending.stderr)),
        }
    }

    /// Read the expectation beside `program`.
    ///
    /// # Errors
    /// [`ConformanceError::File`] when a file is missing or no expectation.
    pub fn load(program: &Program) -> Result<Self, ConformanceError> {
        let stdout = read(&program.beside("out"))?;
        let mut expected = Self {
            stdout,
            exit: 0,
            stderr: None,
        };
        let path = program.beside("end");
        if !path.exists() {
            return Ok(expected);
        }
        for line in String::from_utf8_lossy(&read(&path)?).lines() {
            match line.split_once(' ') {
                Some(("exit", code)) if code.parse::<i32>().is_ok() => {
                    expected.exit = code.parse().expect("parsed just before");
                }
                Some(("stderr", text)) => expected.stderr = Some(text.to_owned()),
                _ if line == "stderr" => expected.stderr = Some(String::new()),
                _ => {
                    let source = std::io::Error::other(format!("not an expectation: {line:?}"));
                    return Err(ConformanceError::File { path, source });
                }
            }
        }
        Ok(expected)
    }

    /// The same for a run on both sides of a fork: the output twice.
    #[must_use]
    pub fn forked(mut self) -> Self {
        self.stdout.extend_from_within(..);
        self
    }

    /// Write the expectation beside `program`; whether a file changed.
    ///
    /// # Errors
    /// [`ConformanceError::File`].
    pub fn store(&self, program: &Program) -> Result<bool, ConformanceError> {
        let mut changed = replace(&program.beside("out"), Some(&self.stdout))?;
        let end = (self.exit != 0 || self.stderr.is_some()).then(|| {
            let stderr = self.stderr.as_ref().map(|line| format!("stderr {line}\n"));
            format!("exit {}\n{}", self.exit, stderr.unwrap_or_default())
        });
        changed |= replace(&program.beside("end"), end.as_deref().map(str::as_bytes))?;
        Ok(changed)
    }

    /// Compare a run with the expectation.
    ///
    /// # Errors
    /// The first difference, with what stderr says where that may explain it.
    pub fn check(&self, ending: &Ending) -> Result<(), Mismatch> {
        let fault = if let Some(why) = &ending.killed {
            format!("killed: {why}")
        } else if self.stdout != ending.stdout {
            first_difference(&self.stdout, &ending.stdout)
        } else if ending.exit != Some(self.exit) {
            let got = match (ending.exit, ending.signal) {
                (Some(code), _) => format!("exit status {code}"),
                (None, signal) => format!("signal {}", signal.unwrap_or(0)),
            };
            format!("expected exit status {}, got {got}", self.exit)
        } else if self
            .stderr
            .as_ref()
            .is_some_and(|line| *line != last_line(&ending.stderr))
        {
            let line = self.stderr.as_deref().unwrap_or_default();
            format!(
                "expected on stderr {line:?}, got {:?}",
                last_line(&ending.stderr)
            )
        } else {
            return Ok(());
        };
        let stderr = String::from_utf8_lossy(&ending.stderr);
        let tail: Vec<&str> = stderr.lines().rev().take(8).collect();
        let tail: String = tail
            .iter()
            .rev()
            .map(|line| format!("\n    {line}"))
            .collect();
        let stderr = if tail.is_empty() {
            String::new()
        } else {
            format!("\n  stderr:{tail}")
        };
        Err(Mismatch(fault + &stderr))
    }
}

fn first_difference(expected: &[u8], got: &[u8]) -> String {
    let (expected, got) = (
        String::from_utf8_lossy(expected),
        String::from_utf8_lossy(got),
    );
    let (mut left, mut right) = (expected.split('\n'), got.split('\n'));
    let mut number = 1;
    loop {
        match (left.next(), right.next()) {
            (Some(a), Some(b)) if a == b => number += 1,
            (a, b) => {
                let show = |line: Option<&str>| line.map_or("<no line>".to_owned(), str::to_owned);
                return format!(
                    "stdout differs in line {number}\n  expected: {}\n  got:      {}",
                    show(a),
                    show(b)
                );
            }
        }
    }
}

fn last_line(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    text.lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default()
        .to_owned()
}

fn read(path: &Path) -> Result<Vec<u8>, ConformanceError> {
    std::fs::read(path).map_err(|source| ConformanceError::File {
        path: path.to_path_buf(),
        source,
    })
}

/// Make the file hold `content`, or not exist; whether that was a change.
fn replace(path: &Path, content: Option<&[u8]>) -> Result<bool, ConformanceError> {
    let fail = |source| ConformanceError::File {
        path: path.to_path_buf(),
        source,
    };
    let before = std::fs::read(path).ok();
    if before.as_deref() == content {
        return Ok(false);
    }
    match content {
        Some(content) => std::fs::write(path, content).map_err(fail)?,
        None => std::fs::remove_file(path).map_err(fail)?,
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(stdout: &str, exit: i32, stderr: &str) -> Ending {
        Ending {
            stdout: stdout.into(),
            stderr: stderr.into(),
            exit: Some(exit),
            signal: None,
            killed: None,
        }
    }

    #[test]
    fn differences_name_their_place() {
        let expected = Expected {
            stdout: b"a\nb\n".to_vec(),
            exit: 1,
            stderr: Some("E: x".to_owned()),
        };
        let fault = |ending| expected.check(&ending).unwrap_err().to_string();
        assert_eq!(
            expected.check(&ending("a\nb\n", 1, "Trace\nE: x\n\n")),
            Ok(())
        );
        assert_eq!(
            fault(ending("a\nc\n", 1, "")),
            "stdout differs in line 2\n  expected: b\n  got:      c"
        );
        assert_eq!(
            fault(ending("a\nb", 1, "oh")),
            "stdout differs in line 3\n  expected: \n  got:      <no line>\n  stderr:\n    oh"
        );
        assert_eq!(
            fault(ending("a\nb\n", 0, "")),
            "expected exit status 1, got exit status 0"
        );
        assert!(fault(ending("a\nb\n", 1, "E: y\n")).starts_with("expected on stderr \"E: x\""));
        let signal = Ending {
            exit: None,
            signal: Some(11),
            ..ending("a\nb\n", 0, "")
        };
        assert_eq!(fault(signal), "expected exit status 1, got signal 11");
    }
}
