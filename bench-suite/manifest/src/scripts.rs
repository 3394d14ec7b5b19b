//! Programs that others wrote for pyperf: a folder of scripts, as they are.
//!
//! There is no manifest: `bm_NAME/run_benchmark.py` (the layout of the package `pyperformance`) and `NAME.py` are benchmarks called NAME on
//! the shelf `script`. They check no result, so all that is expected is that they ran to their end; `scripts.py`, which runs them, says
//! so. The identity of their work is the script's text: files that it reads besides are not seen.

use std::path::Path;
use std::time::Duration;

use crate::{Benchmark, Category, ManifestError, hash};

/// What `scripts.py` prints when a script ran to its end.
const RAN: &str = "'ran'";

/// Limit of one process of a script.
const TIME_LIMIT: Duration = Duration::from_secs(300);

/// All scripts in `folder`, by name. Whether a program can run one is seen when it tries.
///
/// # Errors
/// [`ManifestError::Read`], and [`ManifestError::Duplicate`] when two scripts carry one name.
pub fn scripts(folder: &Path) -> Result<Vec<Benchmark>, ManifestError> {
    let fail = |path: &Path| {
        let path = path.to_path_buf();
        move |source| ManifestError::Read { path, source }
    };
    let mut all: Vec<Benchmark> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail(folder))? {
        let path = entry.map_err(fail(folder))?.path();
        let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else {
            continue;
        };
        if stem.starts_with(['.', '_']) {
            continue;
        }
        let inside = path.join("run_benchmark.py");
        let is_script = path.extension().is_some_and(|extension| extension == "py");
        let (name, program) = if inside.is_file() {
            (stem.strip_prefix("bm_").unwrap_or(stem), inside)
        } else if is_script && path.is_file() {
            (stem, path.clone())
        } else {
            continue;
        };
        let source = std::fs::read(&program).map_err(fail(&program))?;
        all.push(Benchmark {
            name: name
                .chars()
                .map(|c| match c.to_ascii_lowercase() {
                    c if c.is_ascii_alphanumeric() => c,
                    _ => '_',
                })
                .collect(),
            description: String::new(),
            category: Category::Script,
            inner: 1,
            expected: RAN.to_owned(),
            time_limit: TIME_LIMIT,
            source_hash: hash::source_hash(&source, 1, RAN),
            program,
        });
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(pair) = all.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(ManifestError::Duplicate {
            name: pair[0].name.clone(),
            first: pair[0].program.clone(),
            second: pair[1].program.clone(),
        });
    }
    Ok(all)
}
