//! Which commits a night measures. Always along the first-parent line, never by date.

use crate::BuildsError;
use crate::repository::{Commit, Repository};
use std::collections::BTreeSet;

/// A choice of commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// HEAD, then the newest commits that introduced another state of the watched paths, this many in all.
    Differing(usize),
    /// The newest ones, whatever they changed.
    Last(usize),
    /// All after this revision.
    Since(String),
    /// Exactly these.
    List(Vec<String>),
}

/// Commits of `selection`, newest first, each with the hash of the watched `paths`.
///
/// # Errors
/// [`BuildsError::NoRevision`] for a revision that does not exist, or what the repository says.
pub fn select(
    repository: &Repository,
    paths: &[String],
    selection: &Selection,
) -> Result<Vec<(Commit, String)>, BuildsError> {
    let line = repository.first_parent_line()?;
    let chosen = match selection {
        Selection::Differing(count) => return differing(repository, paths, line, *count),
        Selection::Last(count) => line.into_iter().take(*count).collect(),
        Selection::Since(revision) => {
            let sha = repository.resolve(revision)?;
            // A revision off the line: what it shares with the line is not new.
            let old: BTreeSet<String> = match line.iter().any(|commit| commit.sha == sha) {
                true => BTreeSet::from([sha]),
                false => shas(&repository.line_from(oid(repository, &sha)?)?),
            };
            line.into_iter()
                .take_while(|commit| !old.contains(&commit.sha))
                .collect()
        }
        Selection::List(revisions) => {
            let mut chosen = Vec::new();
            for revision in revisions {
                let sha = repository.resolve(revision)?;
                let found = match line.iter().find(|commit| commit.sha == sha) {
                    Some(commit) => commit.clone(),
                    // On another branch: its place is that on its own line.
                    None => repository.line_from(oid(repository, &sha)?)?.swap_remove(0),
                };
                if !chosen.contains(&found) {
                    chosen.push(found);
                }
            }
            chosen.sort_by_key(|commit| std::cmp::Reverse(commit.seq));
            chosen
        }
    };
    chosen
        .into_iter()
        .map(|commit| Ok((commit.clone(), repository.state(&commit.sha, paths)?)))
        .collect()
}

/// HEAD stands for its own state; each older state is represented by the commit that introduced it, so that a night after a
/// commit that changed only documentation finds the others already measured.
fn differing(
    repository: &Repository,
    paths: &[String],
    line: Vec<Commit>,
    count: usize,
) -> Result<Vec<(Commit, String)>, BuildsError> {
    let mut chosen: Vec<(Commit, String)> = Vec::new();
    for commit in line {
        let state = repository.state(&commit.sha, paths)?;
        let same = chosen.last().is_some_and(|(_, known)| *known == state);
        match chosen.as_mut_slice() {
            [_] if same => {}
            // An older commit with this state: it may be the one that introduced it.
            [.., last] if same => last.0 = commit,
            all if all.len() == count => break,
            _ => chosen.push((commit, state)),
        }
    }
    Ok(chosen)
}

fn oid(repository: &Repository, sha: &str) -> Result<git2::Oid, BuildsError> {
    git2::Oid::from_str(sha).map_err(|e| repository.error(e))
}

fn shas(line: &[Commit]) -> BTreeSet<String> {
    line.iter().map(|commit| commit.sha.clone()).collect()
}
