//! What can be wrong with a benchmark's folder.

use std::path::PathBuf;

/// A benchmark that cannot be used, and where the fault lies.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// A file or folder of the suite could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// What was being read.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The manifest is not UTF-8 text.
    #[error("{} is not UTF-8 text", path.display())]
    NotUtf8 {
        /// The manifest.
        path: PathBuf,
    },
    /// The manifest is not TOML, lacks a key, has an unknown one, or one of
    /// the wrong type.
    #[error("{}:{line}: {problem}", path.display())]
    Syntax {
        /// The manifest.
        path: PathBuf,
        /// Line from 1; 0 when the parser names none.
        line: usize,
        /// The parser's message, which names the key.
        problem: String,
    },
    /// A key's value has the right type and is still not acceptable.
    #[error("{}: {key}: {problem}", path.display())]
    BadValue {
        /// The manifest.
        path: PathBuf,
        /// The key at fault.
        key: &'static str,
        /// Why the value is refused.
        problem: String,
    },
    /// Two folders of the suite carry the same benchmark name.
    #[error("two benchmarks are called {name}: {} and {}", first.display(), second.display())]
    Duplicate {
        /// The name both carry.
        name: String,
        /// One program.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// No benchmark of that name in the suite.
    #[error("no benchmark {name} in {}", suite.display())]
    Unknown {
        /// The name asked for.
        name: String,
        /// The suite's folder.
        suite: PathBuf,
    },
}
