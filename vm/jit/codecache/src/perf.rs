//! Names for traces in profilers.
//!
//! `perf` resolves addresses outside any file through `/tmp/perf-PID.map`: one line per piece of
//! code, `start size name`, both numbers hexadecimal without a prefix. Lines are only appended.
//!
//! Source: `tools/perf/Documentation/jit-interface.txt` in the Linux kernel tree.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::CodeSpan;

/// An open map file.
#[derive(Debug)]
pub struct PerfMap {
    file: File,
    path: PathBuf,
}

impl PerfMap {
    /// Opens the map of this process where `perf` looks for it.
    ///
    /// # Errors
    /// Those of opening a file for appending.
    pub fn open() -> io::Result<Self> {
        Self::open_at(format!("/tmp/perf-{}.map", std::process::id()).into())
    }

    /// Opens a map at a path of the caller's choice.
    ///
    /// # Errors
    /// Those of opening a file for appending.
    pub fn open_at(path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        Ok(Self { file, path })
    }

    /// Where the map is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends one name; line breaks in it become blanks.
    ///
    /// # Errors
    /// Those of writing to the file.
    pub fn add(&mut self, span: CodeSpan, name: &str) -> io::Result<()> {
        let line = format!(
            "{:x} {:x} {}\n",
            span.address,
            span.len,
            name.replace(['\n', '\r'], " ")
        );
        self.file.write_all(line.as_bytes())
    }
}
