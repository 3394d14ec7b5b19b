//! Programs of others that tests run, where they are installed. Tests of other crates take this very file in (`#[path]`).

use std::path::PathBuf;

/// Where `name` lies: in the folder that `NIGHTJAR_TOOLS` names, or on `PATH`. That it is nowhere is said, with what is `unchecked` then.
pub(crate) fn find(name: &str, unchecked: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("NIGHTJAR_TOOLS")
        .into_iter()
        .chain(std::env::var_os("PATH"));
    let found = folders
        .flat_map(|list| std::env::split_paths(&list).collect::<Vec<_>>())
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    if found.is_none() {
        eprintln!("note: {name} is not installed; {unchecked} is not checked here");
    }
    found
}
