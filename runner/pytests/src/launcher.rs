//! How the VM under test is started, and what it may use.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// A VM in one mode.
#[derive(Debug, Clone)]
pub struct Launcher {
    /// The program, absolute: tests start `sys.executable` from other folders.
    pub program: PathBuf,
    /// Arguments before the driver's path.
    pub args: Vec<OsString>,
    /// Variables beside the clean environment's own.
    pub env: Vec<(OsString, OsString)>,
    /// Folder holding the `test` package, put first on the VM's path; `None`
    /// for the package that the VM finds by itself.
    pub root: Option<PathBuf>,
}

impl Launcher {
    /// `program` with no arguments and no variables of its own.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            root: None,
        }
    }

    /// The same with one more argument before the driver.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// The same with one more environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// The same with `root` holding the `test` package.
    #[must_use]
    pub fn root(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = Some(root.into());
        self
    }

    /// The command so far: clean environment, no input, working folder
    /// `scratch`, which is also where temporary files go.
    ///
    /// The variable with a non-ASCII value is one regrtest sets: tests of
    /// `os.environ` count on some such variable being there.
    pub(crate) fn command(&self, scratch: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
            .env("HOME", scratch)
            .env("TMPDIR", scratch)
            .env("LANG", "C.UTF-8")
            .env("PYTHONNOUSERSITE", "1")
            .env("PYTHONREGRTEST_UNICODE_GUARD", "\u{142}\u{f3}d\u{17a}")
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir(scratch)
            .stdin(Stdio::null());
        command
    }
}

/// What a module may use before it is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Time without any progress (import, case, fixture) that counts as a
    /// hang.
    pub case: Duration,
    /// Time for the module over all its processes.
    pub module: Duration,
    /// Time to end after the last case.
    pub exit: Duration,
    /// Resident bytes of the process, and its children's shares. Watched, not
    /// enforced by the kernel: a VM reserves far more address space than it
    /// uses.
    pub memory_bytes: u64,
    /// Bytes of output.
    pub output_bytes: u64,
    /// Processes after the first one.
    pub restarts: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            case: Duration::from_secs(60),
            module: Duration::from_secs(600),
            exit: Duration::from_secs(10),
            memory_bytes: 2 << 30,
            output_bytes: 64 << 20,
            restarts: 20,
        }
    }
}
