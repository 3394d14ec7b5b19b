//! Runs build commands and keeps what comes of them.

use crate::binary::hex;
use crate::cache::{Cache, Entry};
use crate::repository::Repository;
use crate::worktree::Worktree;
use crate::{BuildsError, io};
use measure::usage::{signal_name, try_wait};
use measure::{Bytes, Ended, Nanos};
use runner_core::session::{BuildOutcome, BuildReport};
use rustix::process::{Pid, Signal, kill_process_group};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How a subject is built.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// Shell command, run in the worktree with `CARGO_TARGET_DIR` and `NIGHTJAR_TARGET` naming the target folder.
    pub command: String,
    /// Where the program is then; `{target}` stands for the target folder, a relative path for one in the worktree.
    pub binary: String,
    /// Shell command whose first output line names the toolchain; empty = none.
    pub toolchain: String,
    pub time_limit: Nanos,
    /// Free disk space that must be there before.
    pub free_space: Bytes,
}

/// Builds commits of one subject, one after another.
pub struct Builder {
    repository: Repository,
    recipe: Recipe,
    cache: Cache,
    worktree: Worktree,
    target: PathBuf,
    toolchain: String,
}

/// Bytes kept of the end of a build log.
const KEPT_LOG: usize = 256 << 10;

impl Builder {
    /// A builder with its worktree and target folder under `folder`, one pair per toolchain.
    ///
    /// # Errors
    /// [`BuildsError::Toolchain`] when the toolchain cannot name itself, or what the repository and the file system say.
    pub fn new(
        repository: Repository,
        recipe: Recipe,
        cache: Cache,
        subject: &str,
        folder: &Path,
    ) -> Result<Builder, BuildsError> {
        let toolchain = toolchain(&recipe.toolchain)?;
        let tag = hex(&Sha256::digest(&toolchain)[..4]);
        let folder =
            std::path::absolute(folder.join(format!("{subject}-{tag}"))).map_err(io(folder))?;
        fs::create_dir_all(&folder).map_err(io(&folder))?;
        let worktree = Worktree::open(
            &repository,
            &format!("{subject}-{tag}"),
            &folder.join("tree"),
        )?;
        let target = folder.join("target");
        fs::create_dir_all(&target).map_err(io(&target))?;
        Ok(Builder {
            repository,
            recipe,
            cache,
            worktree,
            target,
            toolchain,
        })
    }

    /// The mirror this builder builds from.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// First line of the toolchain's version.
    #[must_use]
    pub fn toolchain(&self) -> &str {
        &self.toolchain
    }

    /// Builds commit `sha`, or finds it in the cache. Returns the report and, if it is ok, the program's path.
    ///
    /// `stop` is asked now and then; when it says true, the build is ended and the report says so.
    pub fn build(&mut self, sha: &str, stop: &dyn Fn() -> bool) -> (BuildReport, Option<PathBuf>) {
        let key = Cache::key(sha, &self.recipe.command, &self.toolchain);
        if let Some((entry, program)) = self.cache.get(&key) {
            return (self.good(&entry, true, String::new()), Some(program));
        }
        match self.build_now(sha, &key, stop) {
            Ok((report, program)) => (report, program),
            Err(error) => (
                self.bad(
                    BuildOutcome::Infrastructure,
                    error.to_string(),
                    Nanos(0),
                    String::new(),
                ),
                None,
            ),
        }
    }

    fn build_now(
        &mut self,
        sha: &str,
        key: &str,
        stop: &dyn Fn() -> bool,
    ) -> Result<(BuildReport, Option<PathBuf>), BuildsError> {
        let free = measure::environment::free_space(&self.target).unwrap_or(Bytes(u64::MAX));
        if free < self.recipe.free_space {
            return Err(BuildsError::NoSpace {
                path: self.target.clone(),
                free,
                needed: self.recipe.free_space,
            });
        }
        self.worktree.checkout(sha)?;
        let binary = self.binary();
        // What the commit before left there must not be taken for this one's.
        if binary.exists() {
            fs::remove_file(&binary).map_err(io(&binary))?;
        }
        let log_path = self.target.with_file_name("build.log");
        let ran = self.run_command(&log_path, stop)?;
        let log = log_end(&log_path)?;
        let bad = |outcome, reason| (self.bad(outcome, reason, ran.wall, log.clone()), None);
        Ok(match ran.end {
            End::Stopped => bad(BuildOutcome::Infrastructure, "stopped".into()),
            End::Timeout => bad(
                BuildOutcome::Timeout,
                format!("no end after {}", self.recipe.time_limit),
            ),
            End::Ended(Ended::Exit(0)) if !binary.exists() => bad(
                BuildOutcome::Fail,
                format!("the command left no {}", self.recipe.binary),
            ),
            End::Ended(Ended::Exit(0)) => {
                let what = (sha, self.recipe.command.as_str(), self.toolchain.as_str());
                let (entry, program) = self.cache.put(key, &binary, what, ran.wall)?;
                (self.good(&entry, false, log), Some(program))
            }
            End::Ended(Ended::Exit(code)) => bad(BuildOutcome::Fail, first_error(&log, code)),
            End::Ended(Ended::Signal(signal)) => bad(
                BuildOutcome::Fail,
                format!("the build ended by {}", signal_name(signal)),
            ),
        })
    }

    fn binary(&self) -> PathBuf {
        let path = self
            .recipe
            .binary
            .replace("{target}", &self.target.to_string_lossy());
        self.worktree.folder().join(path)
    }

    fn run_command(&self, log_path: &Path, stop: &dyn Fn() -> bool) -> Result<Ran, BuildsError> {
        let log = File::create(log_path).map_err(io(log_path))?;
        let errors = log.try_clone().map_err(io(log_path))?;
        let started = Instant::now();
        let child = Command::new("/bin/sh")
            .args(["-c", &self.recipe.command])
            .current_dir(self.worktree.folder())
            .env("CARGO_TARGET_DIR", &self.target)
            .env("NIGHTJAR_TARGET", &self.target)
            // A toolchain picked by the caller's rustup shim would override the commit's own choice.
            .env_remove("RUSTUP_TOOLCHAIN")
            .env_remove("CARGO_MANIFEST_DIR")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(io(Path::new("/bin/sh")))?;
        let pid = child.id();
        let end_group = || {
            i32::try_from(pid)
                .ok()
                .and_then(Pid::from_raw)
                .map(|pid| kill_process_group(pid, Signal::KILL))
        };
        let mut cut = None;
        let end = loop {
            if let Some((ended, _)) = try_wait(pid).map_err(io(Path::new("/bin/sh")))? {
                break cut.unwrap_or(End::Ended(ended));
            }
            if cut.is_none() && stop() {
                cut = Some(End::Stopped);
            } else if cut.is_none() && Nanos::from(started.elapsed()) > self.recipe.time_limit {
                cut = Some(End::Timeout);
            }
            if cut.is_some() {
                end_group();
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let wall = Nanos::from(started.elapsed());
        // Build servers and other stragglers would disturb what is measured next.
        end_group();
        Ok(Ran { end, wall })
    }

    fn good(&self, entry: &Entry, cached: bool, log: String) -> BuildReport {
        BuildReport {
            outcome: BuildOutcome::Ok,
            command: self.recipe.command.clone(),
            toolchain: self.toolchain.clone(),
            binary_sha256: Some(entry.binary_sha256.clone()),
            binary_bytes: Some(entry.binary_bytes),
            text_bytes: entry.text_bytes,
            text_sha256: entry.text_sha256.clone(),
            duration: entry.duration,
            cached,
            log,
            ..BuildReport::default()
        }
    }

    fn bad(
        &self,
        outcome: BuildOutcome,
        reason: String,
        duration: Nanos,
        log: String,
    ) -> BuildReport {
        BuildReport {
            outcome,
            reason,
            command: self.recipe.command.clone(),
            toolchain: self.toolchain.clone(),
            duration,
            log,
            ..BuildReport::default()
        }
    }
}

struct Ran {
    end: End,
    wall: Nanos,
}

enum End {
    Ended(Ended),
    Timeout,
    Stopped,
}

fn toolchain(command: &str) -> Result<String, BuildsError> {
    if command.is_empty() {
        return Ok(String::new());
    }
    let failed = |reason: String| BuildsError::Toolchain {
        command: command.into(),
        reason,
    };
    let output = Command::new("/bin/sh")
        .args(["-c", command])
        .output()
        .map_err(|e| failed(e.to_string()))?;
    if !output.status.success() {
        return Err(failed(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout)
        .lines()
        .next()
        .unwrap_or("")
        .trim()
        .to_owned())
}

fn log_end(path: &Path) -> Result<String, BuildsError> {
    let bytes = fs::read(path).map_err(io(path))?;
    let start = bytes.len().saturating_sub(KEPT_LOG);
    Ok(String::from_utf8_lossy(&bytes[start..]).into_owned())
}

/// The line that says most about a failed build: the first that begins with `error`, else the last one.
fn first_error(log: &str, code: i32) -> String {
    let mut lines = log.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines
        .clone()
        .find(|line| line.to_lowercase().starts_with("error"))
        .or_else(|| lines.next_back());
    match line {
        Some(line) => format!(
            "exit code {code}: {}",
            line.chars().take(160).collect::<String>()
        ),
        None => format!("exit code {code}"),
    }
}
