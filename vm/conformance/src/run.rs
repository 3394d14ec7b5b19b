//! One program on one interpreter.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::{ConformanceError, Mode, Program};

/// An interpreter and how to call it.
#[derive(Debug, Clone)]
pub struct Vm {
    /// Its program.
    pub program: PathBuf,
    /// Arguments before the script.
    pub args: Vec<OsString>,
    /// Variables beside those of the clean environment.
    pub env: Vec<(OsString, OsString)>,
    /// Whether a program runs on both sides of a fork.
    pub forked: bool,
}

/// Limits for one program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Wall-clock time.
    pub time: Duration,
    /// Resident bytes, watched.
    pub memory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(60),
            memory_bytes: 2 << 30,
        }
    }
}

/// How a program ended and what it wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// All of stdout.
    pub stdout: Vec<u8>,
    /// All of stderr.
    pub stderr: Vec<u8>,
    /// Exit status, when it exited.
    pub exit: Option<i32>,
    /// Signal, when one ended it.
    pub signal: Option<i32>,
    /// The limit it passed, when that ended it.
    pub killed: Option<String>,
}

impl Vm {
    /// `program` without arguments.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            forked: false,
        }
    }

    /// The same with one more variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// The same set up for `mode`.
    #[must_use]
    pub fn in_mode(mut self, mode: &Mode) -> Self {
        self.args.extend(mode.args.iter().map(OsString::from));
        self.forked = mode.forked;
        self.env("PYRITE_JIT", mode.words)
    }

    /// Run `program` by its bare file name in its own folder, so that no path
    /// of the machine is in what it prints.
    ///
    /// # Errors
    /// [`ConformanceError::Spawn`]; what the program does is in the ending.
    pub fn run(&self, program: &Program, limits: &Limits) -> Result<Ending, ConformanceError> {
        let fail = |source| ConformanceError::Spawn {
            program: self.program.clone(),
            source,
        };
        let (mut stdout, mut stderr) =
            (unnamed_file().map_err(fail)?, unnamed_file().map_err(fail)?);
        let mut command = Command::new(&self.program);
        command.args(&self.args);
        if self.forked {
            command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/src/forked.py"));
        }
        command
            .arg(program.path.file_name().unwrap_or_default())
            .current_dir(program.path.parent().unwrap_or_else(|| ".".as_ref()))
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            .env("PYTHONHASHSEED", "0")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .envs(std::env::var_os("PYTHONHOME").map(|home| ("PYTHONHOME", home)))
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(stdout.try_clone().map_err(fail)?)
            .stderr(stderr.try_clone().map_err(fail)?)
            .process_group(0);
        let mut child = command.spawn().map_err(fail)?;
        let deadline = Instant::now() + limits.time;
        let mut killed = None;
        let mut pause = Duration::from_millis(1);
        let ended = loop {
            if let Some(status) = child.try_wait().map_err(fail)? {
                break Some(status);
            }
            if Instant::now() > deadline {
                killed = Some(format!("not done after {} s", limits.time.as_secs_f64()));
                break None;
            }
            let resident = resident_bytes(child.id());
            if resident > limits.memory_bytes {
                killed = Some(format!("{} MiB resident", resident >> 20));
                break None;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        };
        if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            // Fails when nobody is left, which is the usual case.
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let status = match ended {
            Some(status) => status,
            None => child.wait().map_err(fail)?,
        };
        Ok(Ending {
            stdout: content(&mut stdout).map_err(fail)?,
            stderr: content(&mut stderr).map_err(fail)?,
            exit: status.code(),
            signal: status.signal(),
            killed,
        })
    }
}

/// A file without a name: no pipe to drain, and nothing to remove.
fn unnamed_file() -> io::Result<File> {
    let path = std::env::temp_dir().join(format!(
        "conformance-{}-{:?}-{}",
        std::process::id(),
        std::thread::current().id(),
        NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    ));
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

fn content(file: &mut File) -> io::Result<Vec<u8>> {
    // The child shared the offset, so reading begins at its end otherwise.
    file.rewind()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn resident_bytes(pid: u32) -> u64 {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|word| word.parse::<u64>().ok())
        .unwrap_or(0);
    pages * rustix::param::page_size() as u64
}
