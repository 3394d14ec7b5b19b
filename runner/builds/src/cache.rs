//! Finished binaries, kept under (commit, build command, toolchain).
//!
//! An entry is a folder: the program and `entry.json`, written last and by rename, so that an entry cut off by a kill is not one.
//! When the cache grows over its limit, the entries longest unused go first.

use crate::binary::{describe, hex};
use crate::{BuildsError, io};
use measure::{Bytes, Nanos};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The cache folder.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    limit: Bytes,
}

/// A binary in the cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub sha: String,
    pub command: String,
    pub toolchain: String,
    /// File name of the program inside the entry's folder.
    pub program: String,
    pub binary_sha256: String,
    pub binary_bytes: u64,
    pub text_bytes: Option<u64>,
    pub text_sha256: Option<String>,
    /// Wall time the build took.
    pub duration: Nanos,
}

impl Cache {
    /// A cache in `folder`, of at most `limit`.
    #[must_use]
    pub fn new(folder: &Path, limit: Bytes) -> Cache {
        Cache {
            folder: folder.into(),
            limit,
        }
    }

    /// Name of the entry for these three.
    #[must_use]
    pub fn key(sha: &str, command: &str, toolchain: &str) -> String {
        let mut hash = Sha256::new();
        for part in [sha, command, toolchain] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hex(&hash.finalize()[..16])
    }

    /// The entry `key` and its program's path, if it is there and sound; a damaged one is removed.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<(Entry, PathBuf)> {
        let folder = self.folder.join(key);
        let entry: Entry =
            serde_json::from_slice(&fs::read(folder.join("entry.json")).ok()?).ok()?;
        let program = folder.join(&entry.program);
        if describe(&program)
            .ok()
            .map(|binary| binary.sha256)
            .as_deref()
            != Some(entry.binary_sha256.as_str())
        {
            // Best effort: if it cannot be removed, the next build replaces it.
            let _ = fs::remove_dir_all(&folder);
            return None;
        }
        // The mtime of entry.json is the time of last use.
        let _ = File::options()
            .append(true)
            .open(folder.join("entry.json"))
            .and_then(|f| f.set_modified(SystemTime::now()));
        Some((entry, program))
    }

    /// Copies the program at `built` in under `key` and makes room if necessary.
    ///
    /// # Errors
    /// What the file system says.
    pub fn put(
        &self,
        key: &str,
        built: &Path,
        commit: (&str, &str, &str),
        duration: Nanos,
    ) -> Result<(Entry, PathBuf), BuildsError> {
        let folder = self.folder.join(key);
        fs::create_dir_all(&folder).map_err(io(&folder))?;
        let name = built.file_name().map_or_else(
            || "program".into(),
            |name| name.to_string_lossy().into_owned(),
        );
        let program = folder.join(&name);
        // By a new file and a rename: a process may be running the old one.
        let part = folder.join("program.part");
        fs::copy(built, &part)
            .and_then(|_| fs::rename(&part, &program))
            .map_err(io(&program))?;
        let binary = describe(&program)?;
        let (sha, command, toolchain) = commit;
        let entry = Entry {
            sha: sha.into(),
            command: command.into(),
            toolchain: toolchain.into(),
            program: name,
            binary_sha256: binary.sha256,
            binary_bytes: binary.bytes,
            text_bytes: binary.text.as_ref().map(|text| text.0),
            text_sha256: binary.text.map(|text| text.1),
            duration,
        };
        let json = serde_json::to_vec_pretty(&entry).expect("numbers and text are JSON");
        let (part, path) = (folder.join("entry.part"), folder.join("entry.json"));
        fs::write(&part, json)
            .and_then(|()| fs::rename(&part, &path))
            .map_err(io(&path))?;
        self.make_room(key)?;
        Ok((entry, program))
    }

    /// Removes the entries longest unused until the cache fits its limit; `keep` stays.
    fn make_room(&self, keep: &str) -> Result<(), BuildsError> {
        let mut entries: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        for folder in fs::read_dir(&self.folder)
            .map_err(io(&self.folder))?
            .flatten()
        {
            let path = folder.path();
            let used = fs::metadata(path.join("entry.json"))
                .and_then(|meta| meta.modified())
                .unwrap_or(SystemTime::UNIX_EPOCH);
            let files = fs::read_dir(&path).map_err(io(&path))?.flatten();
            let bytes = files
                .filter_map(|file| file.metadata().ok())
                .map(|meta| meta.len())
                .sum();
            entries.push((used, bytes, path));
        }
        entries.sort();
        let mut total: u64 = entries.iter().map(|entry| entry.1).sum();
        for (_, bytes, path) in entries {
            if total <= self.limit.0 {
                break;
            }
            if path.file_name().is_some_and(|name| name != keep) {
                fs::remove_dir_all(&path).map_err(io(&path))?;
                total -= bytes;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod test {
    use super::*;

    fn put(cache: &Cache, dir: &Path, name: &str, bytes: usize) {
        let built = dir.join("vm");
        fs::write(&built, vec![b'x'; bytes]).unwrap();
        cache
            .put(name, &built, (name, "make", "cc 1"), Nanos(5))
            .unwrap();
    }

    #[test]
    fn commit_command_and_toolchain_make_the_key() {
        let key = Cache::key("a", "make", "cc 1");
        assert_eq!(key, Cache::key("a", "make", "cc 1"));
        for other in [
            ("b", "make", "cc 1"),
            ("a", "make -j", "cc 1"),
            ("a", "make", "cc 2"),
            ("am", "ake", "cc 1"),
        ] {
            assert_ne!(key, Cache::key(other.0, other.1, other.2));
        }
    }

    #[test]
    fn a_damaged_entry_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(&dir.path().join("cache"), Bytes::mib(1));
        put(&cache, dir.path(), "one", 100);
        let (entry, program) = cache.get("one").unwrap();
        assert_eq!((entry.binary_bytes, entry.duration), (100, Nanos(5)));
        fs::write(&program, b"cut off").unwrap();
        assert_eq!(cache.get("one"), None);
        assert!(!program.exists());
    }

    #[test]
    fn the_entry_longest_unused_goes_first() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(&dir.path().join("cache"), Bytes(5000));
        let pause = || std::thread::sleep(std::time::Duration::from_millis(15));
        put(&cache, dir.path(), "old", 1500);
        pause();
        put(&cache, dir.path(), "used", 1500);
        pause();
        put(&cache, dir.path(), "newer", 400);
        pause();
        assert!(cache.get("old").is_some(), "and is used by that");
        pause();
        put(&cache, dir.path(), "big", 1500);
        let there = ["old", "used", "newer", "big"].map(|key| cache.get(key).is_some());
        assert_eq!(there, [true, false, true, true]);
    }
}
