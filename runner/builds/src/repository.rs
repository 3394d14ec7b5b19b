//! A bare mirror of a subject's repository in the data folder, and its first-parent line.

use crate::{BuildsError, io};
use git2::Oid;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Once;

/// The mirror.
pub struct Repository {
    pub(crate) git: git2::Repository,
    source: PathBuf,
    head: Oid,
}

/// A commit on the first-parent line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    pub sha: String,
    pub first_parent: Option<String>,
    /// Position on the line, root = 0.
    pub seq: u64,
    pub author: String,
    pub author_time_s: i64,
    pub commit_time_s: i64,
    pub title: String,
}

/// Name under which the source's HEAD is kept in the mirror.
const HEAD: &str = "refs/heads/nightjar-head";

impl Repository {
    /// Removes the lock files that a killed process left in the mirror at `mirror` and its worktrees; each of them would
    /// stop git for ever. Only for a caller that nobody shares the mirror with: the holder of the data folder's lock.
    ///
    /// # Errors
    /// What the file system says; a mirror that is not there has none.
    pub fn forget_interrupted(mirror: &Path) -> Result<(), BuildsError> {
        let mut folders = vec![mirror.to_path_buf()];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = folder.read_dir() else {
                continue;
            };
            for entry in entries {
                let entry = entry.map_err(io(&folder))?;
                let (path, kind) = (entry.path(), entry.file_type().map_err(io(&folder))?);
                if kind.is_dir() && entry.file_name() != "objects" {
                    folders.push(path);
                } else if kind.is_file() && path.extension().is_some_and(|end| end == "lock") {
                    std::fs::remove_file(&path).map_err(io(&path))?;
                }
            }
        }
        Ok(())
    }

    /// Opens the mirror at `mirror`, making it when there is none, and brings it up to date with the repository at `source`.
    ///
    /// # Errors
    /// [`BuildsError::Repository`] when `source` is no repository, has no commit, or cannot be read.
    pub fn mirror(source: &Path, mirror: &Path) -> Result<Repository, BuildsError> {
        trust_owners();
        let error = |source_error| BuildsError::Repository {
            path: source.into(),
            source: source_error,
        };
        let original = git2::Repository::discover(source).map_err(error)?;
        let head = original
            .head()
            .and_then(|head| head.peel_to_commit())
            .map_err(error)?
            .id();
        let git = match git2::Repository::open_bare(mirror) {
            Ok(git) => git,
            Err(_) => {
                git2::Repository::init_bare(mirror).map_err(|source| BuildsError::Repository {
                    path: mirror.into(),
                    source,
                })?
            }
        };
        let url = original.path().to_string_lossy().into_owned();
        {
            let mut remote = git.remote_anonymous(&url).map_err(error)?;
            let refspecs = [
                format!("+HEAD:{HEAD}"),
                "+refs/heads/*:refs/source/*".to_owned(),
            ];
            let mut options = git2::FetchOptions::new();
            options
                .download_tags(git2::AutotagOption::All)
                .update_fetchhead(false);
            remote
                .fetch(&refspecs, Some(&mut options), None)
                .map_err(error)?;
        }
        Ok(Repository {
            git,
            source: source.into(),
            head,
        })
    }

    /// Full id of the source's HEAD when the mirror was opened.
    #[must_use]
    pub fn head(&self) -> String {
        self.head.to_string()
    }

    /// Full id of what `revision` names: an id, its beginning, a branch, a tag, `HEAD~3`.
    ///
    /// # Errors
    /// [`BuildsError::NoRevision`].
    pub fn resolve(&self, revision: &str) -> Result<String, BuildsError> {
        let none = || BuildsError::NoRevision {
            path: self.source.clone(),
            revision: revision.into(),
        };
        // HEAD of the mirror means nothing; the source's is meant. Branches of the source have a folder of their own.
        let spelled = match revision.strip_prefix("HEAD") {
            Some(rest) if rest.is_empty() || rest.starts_with(['~', '^', '@']) => {
                format!("{}{rest}", self.head)
            }
            _ => revision.to_owned(),
        };
        let object = self
            .git
            .revparse_single(&format!("refs/source/{spelled}"))
            .or_else(|_| self.git.revparse_single(&spelled))
            .map_err(|_| none())?;
        Ok(object
            .peel_to_commit()
            .map_err(|_| none())?
            .id()
            .to_string())
    }

    /// The first-parent line from HEAD to the root, newest first. In a shallow clone it ends where the clone does.
    ///
    /// # Errors
    /// [`BuildsError::Repository`] for a damaged repository.
    pub fn first_parent_line(&self) -> Result<Vec<Commit>, BuildsError> {
        self.line_from(self.head)
    }

    /// The commit `sha` with its place on its own first-parent line.
    ///
    /// # Errors
    /// [`BuildsError::NoRevision`], or what the repository says.
    pub fn commit(&self, sha: &str) -> Result<Commit, BuildsError> {
        let id = Oid::from_str(sha).map_err(|e| self.error(e))?;
        Ok(self.line_from(id)?.swap_remove(0))
    }

    /// The first-parent line from `good` to `bad`, both full ids, oldest first.
    ///
    /// # Errors
    /// [`BuildsError::NotBefore`] when `good` is not on the line of `bad`, or what the repository says.
    pub fn line_between(&self, good: &str, bad: &str) -> Result<Vec<Commit>, BuildsError> {
        let id = Oid::from_str(bad).map_err(|e| self.error(e))?;
        let mut line = self.line_from(id)?;
        let place = line.iter().position(|commit| commit.sha == good);
        let place = place.ok_or_else(|| BuildsError::NotBefore {
            good: good.into(),
            bad: bad.into(),
        })?;
        line.truncate(place + 1);
        line.reverse();
        Ok(line)
    }

    pub(crate) fn line_from(&self, start: Oid) -> Result<Vec<Commit>, BuildsError> {
        let mut line = Vec::new();
        let mut next = Some(start);
        while let Some(id) = next {
            let commit = match self.git.find_commit(id) {
                Ok(commit) => commit,
                Err(_) if !line.is_empty() => break,
                Err(error) => return Err(self.error(error)),
            };
            next = commit.parent_id(0).ok();
            let author = commit.author();
            line.push(Commit {
                sha: id.to_string(),
                first_parent: next.map(|id| id.to_string()),
                seq: 0,
                author: String::from_utf8_lossy(author.name_bytes()).into_owned(),
                author_time_s: author.when().seconds(),
                commit_time_s: commit.time().seconds(),
                title: String::from_utf8_lossy(commit.summary_bytes().unwrap_or_default())
                    .into_owned(),
            });
        }
        let length = line.len() as u64;
        for (commit, index) in line.iter_mut().zip(1..) {
            commit.seq = length - index;
        }
        Ok(line)
    }

    /// Hash over the ids of the trees and files that `paths` name at `sha`; the whole tree when `paths` is empty. Equal
    /// states build the same program.
    ///
    /// # Errors
    /// [`BuildsError::Repository`] when the commit or its tree is not there.
    pub fn state(&self, sha: &str, paths: &[String]) -> Result<String, BuildsError> {
        let commit = Oid::from_str(sha)
            .and_then(|id| self.git.find_commit(id))
            .map_err(|e| self.error(e))?;
        let tree = commit.tree().map_err(|e| self.error(e))?;
        let mut hash = Sha256::new();
        if paths.is_empty() {
            hash.update(tree.id().as_bytes());
        }
        for path in paths {
            hash.update(path.as_bytes());
            match tree.get_path(Path::new(path)) {
                Ok(entry) => hash.update(entry.id().as_bytes()),
                Err(_) => hash.update(b"\0absent"),
            }
        }
        Ok(hash
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect())
    }

    pub(crate) fn error(&self, source: git2::Error) -> BuildsError {
        BuildsError::Repository {
            path: self.source.clone(),
            source,
        }
    }
}

/// A nightly often runs as another user than the one who cloned. We only read the repository and never run its hooks, so the
/// owner check, which guards against exactly those, is switched off once.
fn trust_owners() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: this sets a global of libgit2 that is only read when a repository is opened; `call_once` runs before
        // this crate opens its first one, and no other crate of the runner uses libgit2.
        let set = unsafe { git2::opts::set_verify_owner_validation(false) };
        // Without it, a foreign repository is refused later with libgit2's own message.
        drop(set);
    });
}
