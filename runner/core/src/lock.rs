//! One lock per data folder: two nights must not share one.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Longest time from a `fork` to its `exec`, on a busy machine.
const HANDOVER: Duration = Duration::from_millis(500);

/// Why the folder could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("{folder} is in use by {holder}; wait for it, or give another folder with --data")]
    Held { folder: PathBuf, holder: String },
    #[error("lock file {path}: {source}")]
    Io {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

/// Holds the data folder until dropped. The kernel lets go of it when the process dies, however it dies.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

impl DataLock {
    /// Takes the lock of `folder`, which must exist; does not wait for a holder to end.
    ///
    /// A holder that was killed while it started a program has left the lock to the half-started program, which lets
    /// go of it as soon as it is another program: that moment is waited for.
    ///
    /// # Errors
    /// [`LockError::Held`] names who has it.
    pub fn take(folder: &Path) -> Result<DataLock, LockError> {
        let path = folder.join("lock");
        let io = |source| LockError::Io {
            path: path.clone(),
            source,
        };
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(io)?;
        let asked = Instant::now();
        let answer = loop {
            match file.try_lock() {
                Err(TryLockError::WouldBlock) if asked.elapsed() < HANDOVER => {
                    std::thread::sleep(HANDOVER / 20);
                }
                answer => break answer,
            }
        };
        match answer {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(io)?;
                let holder = if holder.trim().is_empty() {
                    "another process".into()
                } else {
                    holder.trim().to_owned()
                };
                return Err(LockError::Held {
                    folder: folder.into(),
                    holder,
                });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(io)?;
        writeln!(file, "process {}", std::process::id()).map_err(io)?;
        Ok(DataLock { _file: file })
    }
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let held = DataLock::take(dir.path()).unwrap();
        let error = DataLock::take(dir.path()).unwrap_err().to_string();
        assert!(
            error.contains(&format!("process {}", std::process::id())),
            "{error}"
        );
        drop(held);
        DataLock::take(dir.path()).unwrap();
    }
}
