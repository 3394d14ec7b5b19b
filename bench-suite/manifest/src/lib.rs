//! What a benchmark is, read from its folder.
//!
//! A benchmark is a folder with two files: the program (`bench.py`, which defines
//! `run(inner)`, or `bench.rs`, a part of the VM timed from inside with criterion)
//! and `bench.toml`, which says how often to go round and what must come out. A benchmark that is faster and wrong is wrong, so a manifest
//! without an expected result is refused.
//!
//! ```toml
//! name = "int_loop"                 # the folder's name
//! description = "Integer arithmetic in nested loops"
//! category = "micro"                # "micro", "macro" or "part"
//! inner = 3600                      # argument of run(): work per timed call
//! expected = "'-128/51'"            # repr of what run(inner) returns
//! time_limit_s = 60                 # for one process, all its iterations
//! ```
//!
//! Invariants: a [`Benchmark`] that exists was validated whole; its
//! [`source_hash`](Benchmark::source_hash) covers everything that decides how
//! much work a timed call does, so results with equal hashes are comparable
//! and a new hash starts a new series. Running benchmarks is not done here.

mod error;
mod hash;
mod scripts;
mod suite;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

pub use error::ManifestError;
pub use scripts::scripts;
pub use suite::{find, list};

/// Version of the conversation between runner and `harness.py`; the harness
/// states the same number as `PROTOCOL`, and it is part of every source hash.
pub const HARNESS_PROTOCOL: u32 = 1;

/// Which shelf of the suite a benchmark stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// One mechanism of the VM, 0.1 to 0.2 s a call on CPython.
    Micro,
    /// A program somebody could have written for its result.
    Macro,
    /// A part of the VM, without a Python program around it: `bench.rs`,
    /// compiled into the program of the crate `parts`.
    Part,
    /// A program that others wrote for pyperf; see [`scripts`].
    Script,
}

impl Category {
    /// The word used in `bench.toml`, in the database and as folder name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Micro => "micro",
            Self::Macro => "macro",
            Self::Part => "part",
            Self::Script => "script",
        }
    }

    /// Name of the file beside `bench.toml` that holds the program.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::Micro | Self::Macro => "bench.py",
            Self::Part => "bench.rs",
            Self::Script => "run_benchmark.py",
        }
    }
}

/// A validated benchmark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Benchmark {
    /// Unique in the suite; also the folder's name.
    pub name: String,
    /// One line for people.
    pub description: String,
    /// Shelf of the suite.
    pub category: Category,
    /// Argument of `run()`; at least 1.
    pub inner: u64,
    /// `repr()` of the value every call must return.
    pub expected: String,
    /// Limit for one process execution with all its iterations.
    pub time_limit: Duration,
    /// The program, `<folder>/bench.py` or `<folder>/bench.rs`.
    pub program: PathBuf,
    /// SHA-256 in lower-case hex over the program's bytes, `inner`, `expected`
    /// and [`HARNESS_PROTOCOL`].
    pub source_hash: String,
}

/// `bench.toml` as written. Unknown keys are errors, so a typing mistake in an
/// optional key is not silently a default.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawManifest {
    name: String,
    #[serde(default)]
    description: String,
    category: Category,
    inner: i64,
    expected: String,
    #[serde(default = "default_time_limit_s")]
    time_limit_s: f64,
}

fn default_time_limit_s() -> f64 {
    60.0
}

impl Benchmark {
    /// Read and validate the benchmark in `folder`.
    ///
    /// # Errors
    /// [`ManifestError`] naming the file, and the key where one is at fault.
    pub fn load(folder: &Path) -> Result<Self, ManifestError> {
        let manifest_path = folder.join("bench.toml");
        let text = read(&manifest_path)?;
        let text = String::from_utf8(text).map_err(|_| ManifestError::NotUtf8 {
            path: manifest_path.clone(),
        })?;
        let raw: RawManifest = toml::from_str(&text).map_err(|source| ManifestError::Syntax {
            path: manifest_path.clone(),
            line: source.span().map_or(0, |span| line_of(&text, span.start)),
            problem: source.message().to_owned(),
        })?;
        let program = folder.join(raw.category.program());
        let source = read(&program)?;
        raw.validate(&manifest_path, folder)?;
        let inner = u64::try_from(raw.inner).expect("validate() refuses inner below 1");
        Ok(Self {
            source_hash: hash::source_hash(&source, inner, &raw.expected),
            name: raw.name,
            description: raw.description,
            category: raw.category,
            inner,
            expected: raw.expected,
            time_limit: Duration::from_secs_f64(raw.time_limit_s),
            program,
        })
    }

    /// Whether the text after `result ` that the harness printed is right.
    #[must_use]
    pub fn accepts(&self, printed_repr: &str) -> bool {
        printed_repr.trim_end_matches(['\r', '\n']) == self.expected
    }
}

impl RawManifest {
    fn validate(&self, path: &Path, folder: &Path) -> Result<(), ManifestError> {
        let fault = |key: &'static str, problem: String| ManifestError::BadValue {
            path: path.to_path_buf(),
            key,
            problem,
        };
        let name_ok = self.name.starts_with(|c: char| c.is_ascii_lowercase())
            && self
                .name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !name_ok {
            return Err(fault(
                "name",
                format!("{:?} is not lower-case letters, digits and '_'", self.name),
            ));
        }
        if folder
            .file_name()
            .is_some_and(|name| name != self.name.as_str())
        {
            return Err(fault(
                "name",
                format!("{:?} is not the folder's name", self.name),
            ));
        }
        if self.inner < 1 {
            return Err(fault("inner", format!("{} is below 1", self.inner)));
        }
        if self.expected.trim().is_empty() {
            return Err(fault(
                "expected",
                "a result to check is required".to_owned(),
            ));
        }
        if self.expected.contains('\n') {
            return Err(fault("expected", "must be one line".to_owned()));
        }
        if self.description.contains('\n') {
            return Err(fault("description", "must be one line".to_owned()));
        }
        if !(self.time_limit_s > 0.0 && self.time_limit_s <= 86_400.0) {
            return Err(fault(
                "time_limit_s",
                format!("{} is not between 0 and a day", self.time_limit_s),
            ));
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ManifestError> {
    std::fs::read(path).map_err(|source| ManifestError::Read {
        path: path.to_path_buf(),
        source,
    })
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())]
        .iter()
        .filter(|&&b| b == b'\n')
        .count()
        + 1
}
