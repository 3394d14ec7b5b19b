//! The data folder: everything Nightjar writes lies in it.
//!
//! ```text
//! nightjar.db             the database
//! lock                    held while a run goes on
//! site/                   the pages
//! runs/<key>/             events.jsonl, junit.xml of each run; the newest 60 are kept
//! mirrors/ builds/ cache/ launchers/ scratch/     can be deleted at any time between runs
//! ```

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use store::{Store, StoreError};

/// Run folders kept.
const KEPT_RUNS: usize = 60;

/// An existing data folder, as an absolute path.
#[derive(Debug, Clone)]
pub(crate) struct Data {
    folder: PathBuf,
}

impl Data {
    /// The folder at `path`, made if need be.
    pub(crate) fn open(path: &Path) -> Result<Data> {
        fs::create_dir_all(path)
            .with_context(|| format!("{}: cannot make the data folder", path.display()))?;
        let folder = path
            .canonicalize()
            .with_context(|| format!("{}", path.display()))?;
        Ok(Data { folder })
    }

    /// The folder at `path`, in which a night has been run.
    pub(crate) fn existing(path: &Path) -> Result<Data> {
        let data = Data {
            folder: path.canonicalize().unwrap_or_else(|_| path.to_owned()),
        };
        if !data.database().is_file() {
            bail!(
                "{}: no nightjar.db there; name the folder with --data, or run `nightjar nightly` first",
                path.display()
            );
        }
        // Whoever only reads cannot bring an older file up to date, so that is done here.
        if let Err(StoreError::Older { found, known, .. }) = Store::open_read_only(&data.database())
        {
            Store::open(&data.database())?;
            eprintln!(
                "nightjar: the database was of schema version {found} and is of {known} now; a copy lies beside it"
            );
        }
        Ok(data)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join("nightjar.db")
    }

    pub(crate) fn site(&self) -> PathBuf {
        self.folder.join("site")
    }

    pub(crate) fn run(&self, key: &str) -> PathBuf {
        self.folder.join("runs").join(key)
    }

    pub(crate) fn mirror(&self, subject: &str) -> PathBuf {
        self.folder.join("mirrors").join(format!("{subject}.git"))
    }

    pub(crate) fn builds(&self) -> PathBuf {
        self.folder.join("builds")
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.join("cache")
    }

    pub(crate) fn launchers(&self) -> PathBuf {
        self.folder.join("launchers")
    }

    pub(crate) fn launcher(&self, side: &str, mode: &str) -> PathBuf {
        self.launchers()
            .join(format!("{}-{mode}", side.replace('/', "_")))
    }

    /// Compiled files of Python programs, by side.
    pub(crate) fn pycache(&self) -> PathBuf {
        self.folder.join("pycache")
    }

    pub(crate) fn scratch(&self) -> PathBuf {
        self.folder.join("scratch")
    }

    /// Removes the folders of all but the newest runs; their names begin with the time.
    pub(crate) fn rotate_runs(&self) -> Result<()> {
        let runs = self.folder.join("runs");
        let Ok(entries) = fs::read_dir(&runs) else {
            return Ok(());
        };
        let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
        names.sort();
        for name in names.iter().rev().skip(KEPT_RUNS) {
            fs::remove_dir_all(runs.join(name))
                .with_context(|| format!("{}", runs.join(name).display()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn old_run_folders_go() {
        let dir = tempfile::tempdir().unwrap();
        let data = Data::open(dir.path()).unwrap();
        for n in 0..KEPT_RUNS + 3 {
            fs::create_dir_all(data.run(&format!("2026-01-01T00-00-00Z-{n:04}"))).unwrap();
        }
        data.rotate_runs().unwrap();
        assert_eq!(
            fs::read_dir(dir.path().join("runs")).unwrap().count(),
            KEPT_RUNS
        );
        assert!(!data.run("2026-01-01T00-00-00Z-0002").exists());
        assert!(data.run("2026-01-01T00-00-00Z-0003").exists());
    }
}
