//! Programs found on the machine: resolved path, version, build flags.

use runner_core::session::{BuildOutcome, BuildReport};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// First candidate that exists, with symbolic links resolved: a name is looked up on `PATH`.
///
/// Version managers put scripts of the program's name on `PATH`; measuring those would measure the script's start, so only a program that can
/// say where its true executable lies, or is one itself, is taken.
pub(crate) fn find(candidates: &[String]) -> Option<PathBuf> {
    candidates.iter().find_map(|name| {
        if name.contains('/') {
            return Path::new(name)
                .canonicalize()
                .ok()
                .filter(|path| path.is_file());
        }
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path)
            .filter_map(|folder| folder.join(name).canonicalize().ok())
            .find(|p| is_elf(p))
    })
}

fn is_elf(path: &Path) -> bool {
    use std::io::Read;
    let mut magic = [0; 4];
    std::fs::File::open(path)
        .and_then(|mut file| file.read_exact(&mut magic))
        .is_ok()
        && magic == *b"\x7fELF"
}

/// Describes the program for the `build` table.
pub(crate) fn describe(program: &Path) -> BuildReport {
    let binary = match builds::describe(program) {
        Ok(binary) => binary,
        Err(error) => {
            let reason = error.to_string();
            return BuildReport {
                outcome: BuildOutcome::Infrastructure,
                reason,
                ..BuildReport::default()
            };
        }
    };
    BuildReport {
        outcome: BuildOutcome::Ok,
        program: program.display().to_string(),
        version: version(program, &["--version".into()]),
        build_flags: first_lines(program, &["-c", BUILD_FLAGS]).unwrap_or_default(),
        binary_sha256: Some(binary.sha256),
        binary_bytes: Some(binary.bytes),
        text_bytes: binary.text.as_ref().map(|text| text.0),
        text_sha256: binary.text.map(|text| text.1),
        ..BuildReport::default()
    }
}

/// CPython tells how it was configured; others answer nothing.
const BUILD_FLAGS: &str = "import sysconfig; print(sysconfig.get_config_var('CONFIG_ARGS') or '')";

/// What the program prints for `args`, on one line; empty when it fails.
pub(crate) fn version(program: &Path, args: &[String]) -> String {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    if args.is_empty() {
        String::new()
    } else {
        first_lines(program, &args).unwrap_or_default()
    }
}

/// Output of a short command, joined to one line of at most 500 characters; `None` when it fails or hangs.
fn first_lines(program: &Path, args: &[&str]) -> Option<String> {
    let mut child = Command::new(program)
        .args(args)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let started = Instant::now();
    while child.try_wait().ok()?.is_none() {
        if started.elapsed() > Duration::from_secs(10) {
            // It is gone or about to be; either way there is no answer.
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().ok()?;
    if !output.status.success() {
        return None;
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(line.chars().take(500).collect())
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn the_first_candidate_that_exists_is_taken_and_scripts_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let script = dir.path().join("prog");
        std::fs::write(&script, "#!/bin/sh\n").unwrap();
        assert!(!is_elf(&script));
        let found = find(&["/no/such/program".into(), "sh".into()]).unwrap();
        assert!(is_elf(&found), "{}", found.display());
        assert_eq!(find(&["certainly-not-a-program".into()]), None);
    }

    #[test]
    fn a_program_that_fails_has_no_version() {
        assert_eq!(
            version(Path::new("/bin/false"), &["--version".into(), "x".into()]),
            ""
        );
        assert_eq!(
            version(Path::new("/bin/echo"), &["vm".into(), "1.0".into()]),
            "vm 1.0"
        );
    }
}
