//! What a person calls a side of a comparison: a revision, a revision in a mode, a baseline.
//!
//! ```text
//! HEAD~3        that commit, in every mode it was measured in
//! v1.2:opt      that commit in one mode
//! cpython       a baseline
//! ```

use crate::config::{Config, Subject};
use crate::data::Data;
use crate::wrong::unknown;
use anyhow::{Context, Result};
use builds::Repository;
use store::Store;
use store::read::sides::Who;

/// A side as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Side {
    pub(crate) who: Who,
    /// Only this mode.
    pub(crate) mode: Option<String>,
}

impl Side {
    /// How to show it: `1a2b3c4d5e6f`, `1a2b3c4d5e6f:opt`, `cpython`.
    pub(crate) fn shown(&self) -> String {
        let name = match &self.who.sha {
            Some(sha) => sha.get(..12).unwrap_or(sha),
            None => &self.who.subject,
        };
        match &self.mode {
            Some(mode) => format!("{name}:{mode}"),
            None => name.to_owned(),
        }
    }
}

/// Finds out what `text` means for `subject`.
pub(crate) fn side(
    text: &str,
    subject: &Subject,
    config: &Config,
    data: &Data,
    store: &Store,
) -> Result<Side> {
    if config
        .file
        .baselines
        .iter()
        .any(|baseline| baseline.name == text)
        || store.is_baseline(text)?
    {
        let who = Who {
            subject: text.to_owned(),
            sha: None,
        };
        return Ok(Side { who, mode: None });
    }
    let (revision, mode) = match text.rsplit_once(':') {
        Some((revision, mode)) if subject.modes.iter().any(|known| known.name == mode) => {
            (revision, Some(mode.to_owned()))
        }
        Some((_, mode)) => {
            let known = subject.modes.iter().map(|mode| mode.name.as_str());
            return Err(unknown("mode", mode, known));
        }
        None => (text, None),
    };
    let sha = sha(revision, subject, data, store)?;
    let who = Who {
        subject: subject.name.clone(),
        sha: Some(sha),
    };
    Ok(Side { who, mode })
}

/// The full id of a revision: one of the database's, or what the repository says.
pub(crate) fn sha(revision: &str, subject: &Subject, data: &Data, store: &Store) -> Result<String> {
    if let Some(sha) = store.known_sha(&subject.name, revision)? {
        return Ok(sha);
    }
    let repository = Repository::mirror(&subject.repository, &data.mirror(&subject.name))?;
    repository
        .resolve(revision)
        .with_context(|| format!("subject {}", subject.name))
}

/// The subject called `name`, or the first one.
pub(crate) fn subject<'a>(config: &'a Config, name: Option<&str>) -> Result<&'a Subject> {
    let subjects = &config.file.subjects;
    match name {
        Some(name) => subjects
            .iter()
            .find(|subject| subject.name == name)
            .ok_or_else(|| unknown("subject", name, subjects.iter().map(|s| s.name.as_str()))),
        None => subjects
            .first()
            .context("the configuration names no subject"),
    }
}
