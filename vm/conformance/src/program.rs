//! The programs and their headers.

use std::path::{Path, PathBuf};

use crate::ConformanceError;

/// One program and what its header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// File name without `.py`.
    pub name: String,
    /// The program's file.
    pub path: PathBuf,
    /// What it shows, in a sentence.
    pub claim: String,
    /// Whether it imports modules of Python's library; without it a program
    /// needs only builtins and the native modules `sys` and `gc`.
    pub needs_lib: bool,
    /// Whether the last line of stderr is compared.
    pub checks_stderr: bool,
}

impl Program {
    fn load(path: &Path) -> Result<Self, ConformanceError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConformanceError::File {
            path: path.to_path_buf(),
            source,
        })?;
        let mut program = Self {
            name: path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            path: path.to_path_buf(),
            claim: String::new(),
            needs_lib: false,
            checks_stderr: false,
        };
        for (index, line) in text.lines().enumerate() {
            let Some(comment) = line.strip_prefix('#').map(str::trim) else {
                break;
            };
            if index == 0 {
                comment.clone_into(&mut program.claim);
                continue;
            }
            match comment
                .split_once(':')
                .map(|(key, value)| (key.trim(), value.trim()))
            {
                Some(("needs", "lib")) => program.needs_lib = true,
                Some(("check", "stderr")) => program.checks_stderr = true,
                _ => {
                    return Err(ConformanceError::Header {
                        path: path.to_path_buf(),
                        line: index + 1,
                        text: line.to_owned(),
                    });
                }
            }
        }
        if program.claim.is_empty() {
            return Err(ConformanceError::NoClaim {
                path: path.to_path_buf(),
            });
        }
        Ok(program)
    }

    /// The file beside the program with this extension.
    #[must_use]
    pub fn beside(&self, extension: &str) -> PathBuf {
        self.path.with_extension(extension)
    }
}

/// All programs in `folder`, by name.
///
/// # Errors
/// [`ConformanceError::File`], or the fault of a header.
pub fn programs(folder: &Path) -> Result<Vec<Program>, ConformanceError> {
    let fail = |source| ConformanceError::File {
        path: folder.to_path_buf(),
        source,
    };
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.extension().is_some_and(|extension| extension == "py") {
            all.push(Program::load(&path)?);
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}
