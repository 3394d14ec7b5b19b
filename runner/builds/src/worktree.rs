//! One persistent worktree, moved from commit to commit.
//!
//! Build tools that compare mtimes must see every file that a checkout changed as newer than anything built before. Git
//! writes a changed file with the current time, which is nearly always enough; we set the time ourselves on each file that differs between the two
//! commits, and so do not depend on what the checkout thought it could skip.

use crate::repository::Repository;
use crate::{BuildsError, io};
use git2::build::CheckoutBuilder;
use git2::{Oid, WorktreeAddOptions};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A checked-out tree whose commit can be changed.
pub struct Worktree {
    git: git2::Repository,
    folder: PathBuf,
}

impl Worktree {
    /// Opens the worktree `name` of the mirror at `folder`, making it when there is none or when it is damaged.
    ///
    /// # Errors
    /// [`BuildsError::Repository`], or what the file system says.
    pub fn open(
        repository: &Repository,
        name: &str,
        folder: &Path,
    ) -> Result<Worktree, BuildsError> {
        if let Ok(git) = git2::Repository::open(folder)
            && git.is_worktree()
            && git.head().is_ok()
        {
            return Ok(Worktree {
                git,
                folder: folder.into(),
            });
        }
        if folder.exists() {
            std::fs::remove_dir_all(folder).map_err(io(folder))?;
        }
        if let Some(parent) = folder.parent() {
            std::fs::create_dir_all(parent).map_err(io(parent))?;
        }
        let error = |e| repository.error(e);
        // Git's own pruning does not know an entry whose making was interrupted.
        let entry = repository.git.path().join("worktrees").join(name);
        if entry.exists() {
            std::fs::remove_dir_all(&entry).map_err(io(&entry))?;
        }
        // A new worktree wants a branch of its own; it is detached from it with the first checkout.
        let head = Oid::from_str(&repository.head())
            .and_then(|id| repository.git.find_commit(id))
            .map_err(error)?;
        let branch = repository
            .git
            .branch(&format!("worktree-{name}"), &head, true)
            .map_err(error)?;
        let mut options = WorktreeAddOptions::new();
        options.reference(Some(branch.get()));
        repository
            .git
            .worktree(name, folder, Some(&options))
            .map_err(error)?;
        let git = git2::Repository::open(folder).map_err(error)?;
        Ok(Worktree {
            git,
            folder: folder.into(),
        })
    }

    /// Where the files lie.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Brings the files to commit `sha`: exactly its files, nothing else, those that differ from the commit before with the current time as mtime.
    ///
    /// # Errors
    /// [`BuildsError::Repository`] when the commit is not in the mirror, or what the file system says.
    pub fn checkout(&mut self, sha: &str) -> Result<(), BuildsError> {
        let changed = self.switch(sha).map_err(|source| BuildsError::Repository {
            path: self.folder.clone(),
            source,
        })?;
        let now = SystemTime::now();
        for path in changed {
            let path = self.folder.join(path);
            // Removed files and symbolic links have no time to set.
            if path.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
                File::options()
                    .append(true)
                    .open(&path)
                    .and_then(|file| file.set_modified(now))
                    .map_err(io(&path))?;
            }
        }
        Ok(())
    }

    fn switch(&self, sha: &str) -> Result<Vec<PathBuf>, git2::Error> {
        let git = &self.git;
        let target = git.find_commit(Oid::from_str(sha)?)?;
        let new = target.tree()?;
        let old = git.head()?.peel_to_commit()?.tree()?;
        let diff = git.diff_tree_to_tree(Some(&old), Some(&new), None)?;
        let changed = diff
            .deltas()
            .filter_map(|delta| delta.new_file().path().map(Path::to_owned))
            .collect();
        let mut how = CheckoutBuilder::new();
        how.force().remove_untracked(true).remove_ignored(true);
        git.checkout_tree(new.as_object(), Some(&mut how))?;
        git.set_head_detached(target.id())?;
        Ok(changed)
    }
}
