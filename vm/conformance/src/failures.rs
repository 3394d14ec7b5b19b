//! The list of programs that are known to fail, each with its reason.
//!
//! ```text
//! # comment
//! lib_re: no _sre yet                       fails in every mode
//! frame_settrace_in_hot_loop@opt2: ...      fails in one mode
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use crate::{ConformanceError, MODES, STRESS_MODES};

/// Known failures, by program and mode.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpectedFailures {
    reasons: BTreeMap<(String, &'static str), String>,
}

impl ExpectedFailures {
    /// Read the list at `path`; `known` are the names of the programs.
    ///
    /// # Errors
    /// [`ConformanceError::FailureList`] for a line without a reason, an
    /// unknown program or mode, or a second line about the same thing.
    pub fn load(path: &Path, known: &[&str]) -> Result<Self, ConformanceError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConformanceError::File {
            path: path.to_path_buf(),
            source,
        })?;
        Self::parse(&text, known).map_err(|(line, problem)| ConformanceError::FailureList {
            path: path.to_path_buf(),
            line,
            problem,
        })
    }

    fn parse(text: &str, known: &[&str]) -> Result<Self, (usize, String)> {
        let mut list = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let fault = |problem: String| (index + 1, problem);
            let (what, reason) = line
                .split_once(':')
                .map(|(what, reason)| (what.trim(), reason.trim()))
                .filter(|(_, reason)| !reason.is_empty())
                .ok_or_else(|| fault("a line must read `program[@mode]: reason`".to_owned()))?;
            let (name, mode) = match what.split_once('@') {
                Some((name, mode)) => (name, Some(mode)),
                None => (what, None),
            };
            if !known.contains(&name) {
                return Err(fault(format!("no program is called {name}")));
            }
            let modes: Vec<&'static str> = MODES
                .iter()
                .chain(&STRESS_MODES)
                .map(|one| one.name)
                .filter(|one| mode.is_none_or(|m| m == *one))
                .collect();
            if modes.is_empty() {
                return Err(fault(format!(
                    "no mode is called {}",
                    mode.unwrap_or_default()
                )));
            }
            for mode in modes {
                if list
                    .reasons
                    .insert((name.to_owned(), mode), reason.to_owned())
                    .is_some()
                {
                    return Err(fault(format!("{name} in mode {mode} is listed twice")));
                }
            }
        }
        Ok(list)
    }

    /// Why `program` is known to fail in `mode`, if it is.
    #[must_use]
    pub fn reason(&self, program: &str, mode: &'static str) -> Option<&str> {
        self.reasons
            .get(&(program.to_owned(), mode))
            .map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_cover_one_mode_or_all() {
        let text = "# list\n\na: not yet\nb@opt2: trace too long\n";
        let list = ExpectedFailures::parse(text, &["a", "b"]).unwrap();
        assert_eq!(list.reason("a", "off"), Some("not yet"));
        assert_eq!(list.reason("b", "opt2"), Some("trace too long"));
        assert_eq!(
            (list.reason("b", "opt"), list.reason("c", "off")),
            (None, None)
        );
    }

    #[test]
    fn faults_name_their_line() {
        let fault = |text| ExpectedFailures::parse(text, &["a"]).unwrap_err();
        assert_eq!(fault("a").0, 1);
        assert_eq!(fault("\nz: why"), (2, "no program is called z".to_owned()));
        assert_eq!(
            fault("a@fast: why"),
            (1, "no mode is called fast".to_owned())
        );
        assert_eq!(
            fault("a: x\na@opt: y"),
            (2, "a in mode opt is listed twice".to_owned())
        );
    }
}
