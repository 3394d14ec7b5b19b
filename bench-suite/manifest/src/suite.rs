//! The suite's folder: `micro/<name>/`, `macro/<name>/` and `part/<name>/`.

use std::path::{Path, PathBuf};

use crate::{Benchmark, Category, ManifestError};

/// All benchmarks of the suite in `suite`, shelf by shelf, each by
/// name. A shelf that does not exist is empty; a folder without `bench.toml`
/// or with a bad one is an error, not a benchmark less.
///
/// # Errors
/// The first [`ManifestError`] met, and [`ManifestError::Duplicate`] when two
/// folders carry one name.
pub fn list(suite: &Path) -> Result<Vec<Benchmark>, ManifestError> {
    let mut all: Vec<Benchmark> = Vec::new();
    for category in [Category::Micro, Category::Macro, Category::Part] {
        for folder in folders(&suite.join(category.as_str()))? {
            let bench = Benchmark::load(&folder)?;
            if bench.category != category {
                return Err(ManifestError::BadValue {
                    path: folder.join("bench.toml"),
                    key: "category",
                    problem: format!(
                        "{:?}, but the folder lies in {}/",
                        bench.category.as_str(),
                        category.as_str()
                    ),
                });
            }
            if let Some(first) = all.iter().find(|other| other.name == bench.name) {
                return Err(ManifestError::Duplicate {
                    name: bench.name,
                    first: first.program.clone(),
                    second: bench.program,
                });
            }
            all.push(bench);
        }
    }
    Ok(all)
}

/// The benchmark called `name` in the suite's folder.
///
/// # Errors
/// [`ManifestError::Unknown`] when there is none, or its own fault.
pub fn find(suite: &Path, name: &str) -> Result<Benchmark, ManifestError> {
    list(suite)?
        .into_iter()
        .find(|bench| bench.name == name)
        .ok_or_else(|| ManifestError::Unknown {
            name: name.to_owned(),
            suite: suite.to_path_buf(),
        })
}

/// Sub-folders of `shelf` in order of their names; none when it is absent.
/// Hidden folders and Python's byte-code caches are not benchmarks.
fn folders(shelf: &Path) -> Result<Vec<PathBuf>, ManifestError> {
    let fail = |source| ManifestError::Read {
        path: shelf.to_path_buf(),
        source,
    };
    let entries = match std::fs::read_dir(shelf) {
        Ok(entries) => entries,
        Err(problem) if problem.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(problem) => return Err(fail(problem)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name();
        let skipped = name.to_string_lossy().starts_with(['.', '_']);
        if !skipped && entry.path().is_dir() {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}
