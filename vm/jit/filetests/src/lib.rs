//! File tests of the trace IR: a `.trace` file holds what to do, a trace, and what must come out.
//!
//! ```text
//! ; test: opt fold,dce
//! ; A sum of constants is a constant.
//! trace root 1 {
//!   i0 = iadd 2, 3
//!   v1 = box_int i0 @s0{pc 1 base 0 []}
//!   st_slot v1, 0
//!   link 1
//! }
//! ; expect:
//! ;   st_slot &5, 0
//! ;   link 1
//! ```
//!
//! | test line | what comes out |
//! |---|---|
//! | `opt PASSES` | the ops after these passes, or `error: ...` if a guard always fails |
//! | `verify` | `ok`, or the broken rule |
//!
//! The file's name is the claim it makes; its folder is the pass. [`bless`] writes what came out
//! into the file.

#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};

use pyrite_jit_ir::{ParseError, parse_one, verify};
use pyrite_jit_opt::{PassSet, UnknownPass, replay};

const EXPECT: &str = "; expect:";

/// What keeps a file from being a test.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("{path}: {source}")]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}: {source}")]
    Parse { path: PathBuf, source: ParseError },
    #[error("{path}: {source}")]
    Pass { path: PathBuf, source: UnknownPass },
    #[error("{path}: the first line must be `; test: opt PASSES` or `; test: verify`")]
    NoTest { path: PathBuf },
}

/// One file, run.
#[derive(Clone, Debug)]
pub struct Report {
    pub path: PathBuf,
    /// The lines the file expects.
    pub expected: Vec<String>,
    /// The lines that came out.
    pub found: Vec<String>,
}

impl Report {
    #[must_use]
    pub fn passed(&self) -> bool {
        self.expected == self.found
    }
}

/// All `.trace` files below a folder, sorted.
///
/// # Errors
/// The folder cannot be read.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let io = |source| FileError::Io {
        path: folder.to_owned(),
        source,
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.extension().is_some_and(|ext| ext == "trace") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Runs one file.
///
/// # Errors
/// The file is not a test.
pub fn run(path: &Path) -> Result<Report, FileError> {
    let text = fs::read_to_string(path).map_err(|source| FileError::Io {
        path: path.to_owned(),
        source,
    })?;
    let (input, expected) = text.split_once(EXPECT).unwrap_or((&text, ""));
    let strip = |line: &str| line.strip_prefix(';').unwrap_or(line).trim().to_owned();
    let expected = expected
        .lines()
        .map(strip)
        .filter(|line| !line.is_empty())
        .collect();
    let trace = parse_one(input).map_err(|source| FileError::Parse {
        path: path.to_owned(),
        source,
    })?;
    let command = input
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("; test:"))
        .map(str::trim);
    let found = match command.and_then(|command| command.split_once(' ').or(Some((command, "")))) {
        Some(("verify", _)) => match verify(&trace) {
            Ok(()) => vec!["ok".to_owned()],
            Err(error) => vec![error.to_string()],
        },
        Some(("opt", passes)) => {
            let passes: PassSet = passes
                .split_whitespace()
                .next()
                .unwrap_or("none")
                .parse()
                .map_err(|source| FileError::Pass {
                    path: path.to_owned(),
                    source,
                })?;
            match verify(&trace) {
                Err(error) => vec![format!("error: {error}")],
                Ok(()) => optimized(&trace, passes),
            }
        }
        _ => {
            return Err(FileError::NoTest {
                path: path.to_owned(),
            });
        }
    };
    Ok(Report {
        path: path.to_owned(),
        expected,
        found,
    })
}

/// Writes what came out into the file.
///
/// # Errors
/// The file cannot be read or written.
pub fn bless(report: &Report) -> Result<(), FileError> {
    let io = |source| FileError::Io {
        path: report.path.clone(),
        source,
    };
    let text = fs::read_to_string(&report.path).map_err(io)?;
    let input = text.split(EXPECT).next().unwrap_or_default().trim_end();
    let found: String = report
        .found
        .iter()
        .map(|line| format!(";   {line}\n"))
        .collect();
    fs::write(&report.path, format!("{input}\n{EXPECT}\n{found}")).map_err(io)
}

fn optimized(trace: &pyrite_jit_ir::Trace, passes: PassSet) -> Vec<String> {
    let trace = match replay(trace, passes) {
        Ok(trace) => trace,
        Err(error) => return vec![format!("error: {error}")],
    };
    if let Err(error) = verify(&trace) {
        return vec![format!("broken: {error}")];
    }
    let text = trace.to_string();
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.starts_with("trace ") && *line != "}")
        .map(str::to_owned)
        .collect()
}
