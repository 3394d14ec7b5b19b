//! A program together with its mode, in a folder of its own.
//!
//! The mode has to reach child processes: test suites start `sys.executable` with `-E`, `-I` or an empty environment, and none of our flags.
//! So each (program, mode) has a folder with the program and a small configuration file beside it, which the program reads at
//! its start; that copy is what `sys.executable` says.

use crate::{BuildsError, io};
use std::fs;
use std::path::{Path, PathBuf};

/// Makes `folder` hold `program` (hard-linked where possible) and, if `conf` is not empty, the file `conf_name` with that
/// text. Returns the program's path in it.
///
/// # Errors
/// What the file system says.
pub fn launcher(
    folder: &Path,
    program: &Path,
    conf_name: &str,
    conf: &str,
) -> Result<PathBuf, BuildsError> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(io(folder))?;
    }
    fs::create_dir_all(folder).map_err(io(folder))?;
    let name = program.file_name().unwrap_or("program".as_ref());
    let path = folder.join(name);
    // Across file systems there are no hard links. A symbolic link would not do: the program would find its true folder.
    fs::hard_link(program, &path)
        .or_else(|_| fs::copy(program, &path).map(drop))
        .map_err(io(&path))?;
    if !conf.is_empty() {
        let conf_path = folder.join(conf_name);
        fs::write(&conf_path, format!("{conf}\n")).map_err(io(&conf_path))?;
    }
    Ok(path)
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn two_modes_of_one_program_differ_by_their_file_only() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("vm");
        fs::write(&program, b"#!/bin/sh\ncat \"$(dirname \"$0\")/vm.conf\"\n").unwrap();
        let off = launcher(&dir.path().join("off"), &program, "vm.conf", "off").unwrap();
        let opt = launcher(
            &dir.path().join("opt"),
            &program,
            "vm.conf",
            "opt,threshold=2",
        )
        .unwrap();
        let plain = launcher(&dir.path().join("plain"), &program, "vm.conf", "").unwrap();
        assert_eq!(
            fs::read_to_string(off.with_file_name("vm.conf")).unwrap(),
            "off\n"
        );
        assert_eq!(
            fs::read_to_string(opt.with_file_name("vm.conf")).unwrap(),
            "opt,threshold=2\n"
        );
        assert!(!plain.with_file_name("vm.conf").exists());
        assert_eq!(fs::read(off).unwrap(), fs::read(opt).unwrap());
    }
}
