//! Runs programs, each in a fresh copy of one booted VM.
//!
//! The VM is booted once, without a JIT. A run forks it: the child installs the
//! JIT with the settings of the mode, runs the program and writes what it printed
//! and its counters into a pipe. So runs share nothing, a crash is an outcome like
//! any other, and start-up is paid once.
//!
//! Left out: memory that a program takes from the machine is limited by time only.

use crate::mode::Mode;
use anyhow::{Context as _, Result, anyhow};
use pyrite::args::{self, Program};
use pyrite::boot;
use pyrite_interp::jit::Stats;
use pyrite_jit_record::Abort;
use pyrite_objects::vm::Vm;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

/// CPU seconds after which a run is ended.
const CPU_S: u64 = 5;
/// Bytes of output that are read.
const OUTPUT: usize = 1 << 20;
/// Separates output and counters in the pipe.
const MARK: &str = "\n\u{1}counters ";

/// A booted VM.
pub struct Server {
    vm: *mut Vm,
    /// What goes wrong in the runs.
    #[cfg(feature = "planted")]
    pub planted: std::cell::Cell<Option<crate::faults::Planted>>,
}

/// What a run showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Both output streams; addresses are blanked.
    pub output: String,
    /// Exit code, or the signal that ended the run.
    pub end: End,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Exit(i32),
    Signal(i32),
    /// Ended for using too much time.
    TimeLimit,
}

impl Default for End {
    fn default() -> End {
        End::Exit(0)
    }
}

/// The JIT's counters of a run.
#[derive(Clone, Debug, Default)]
pub struct Reached {
    pub traces: u64,
    pub bridges: u64,
    pub allocations: u64,
    pub exits: u64,
    pub invalidated: u64,
    pub residuals: u64,
    /// By the order of [`Abort::ALL`].
    pub aborts: Vec<u64>,
}

impl Server {
    /// Boots the VM on the calling thread, whose stack must have
    /// [`boot::NATIVE_STACK`] bytes.
    ///
    /// # Errors
    /// When there can be no VM.
    pub fn boot() -> Result<Server> {
        let argv = ["pyfuzz", "-S", "-I", "--jit=off", "--seed=1", "-c", ""];
        let args = args::parse(argv.iter().map(Into::into).collect())
            .map_err(|_| anyhow!("the VM refused its options"))?;
        let vm = boot::start(&args).map_err(|code| anyhow!("the VM did not start ({code})"))?;
        Ok(Server {
            vm,
            #[cfg(feature = "planted")]
            planted: std::cell::Cell::new(None),
        })
    }

    /// Runs a program.
    ///
    /// # Errors
    /// When there is no process or pipe to be had.
    pub fn run(&self, source: &str, mode: &Mode) -> Result<(Outcome, Reached)> {
        let mut ends = [0; 2];
        // SAFETY: two descriptors are written.
        if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
            return Err(std::io::Error::last_os_error()).context("no pipe for a run");
        }
        // SAFETY: just made, owned by nobody else.
        let (reader, writer) =
            unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) };
        // SAFETY: this thread alone uses the VM and the allocator in the child.
        let pid = unsafe { libc::fork() };
        if pid < 0 {
            return Err(std::io::Error::last_os_error()).context("no process for a run");
        }
        if pid == 0 {
            // SAFETY: the child holds the only copy of the VM; plain system calls.
            unsafe {
                libc::dup2(writer.as_raw_fd(), 1);
                libc::dup2(writer.as_raw_fd(), 2);
                let vm = &mut *self.vm;
                #[cfg(feature = "planted")]
                crate::faults::plant(self.planted.get());
                let run = std::panic::AssertUnwindSafe(|| child(vm, source, mode));
                let code = std::panic::catch_unwind(run).unwrap_or(101);
                libc::_exit(code);
            }
        }
        drop(writer);
        let bytes = read_all(std::fs::File::from(reader));
        let mut status = 0;
        // SAFETY: waits for our own child.
        while unsafe { libc::waitpid(pid, &raw mut status, 0) } < 0 {}
        Ok(outcome(&bytes, status))
    }
}

/// The life of a child; its exit code.
fn child(vm: &mut Vm, source: &str, mode: &Mode) -> i32 {
    // SAFETY: limits of this process.
    unsafe {
        let cpu = libc::rlimit {
            rlim_cur: CPU_S,
            rlim_max: CPU_S + 1,
        };
        libc::setrlimit(libc::RLIMIT_CPU, &raw const cpu);
        let none = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
        // For what waits instead of working.
        libc::alarm(60);
    }
    if mode.gc.is_some() {
        vm.heap.reconfigure(mode.heap());
    }
    if let Some(p) = &mode.params
        && let Err(e) = pyrite_interp::jit::install(vm, p.clone())
    {
        eprintln!("no JIT: {e}");
        return 102;
    }
    let (code, _) = boot::program(vm, &Program::Command(source.into()));
    pyrite_stdlib::sys::finish(vm);
    if !vm.jit.is_null() {
        print!("{MARK}{}", counters(&pyrite_interp::jit::jit(vm).stats));
        let _ = std::io::Write::flush(&mut std::io::stdout());
    }
    code
}

fn counters(s: &Stats) -> String {
    let mut all = vec![
        s.traces,
        s.bridges,
        s.allocations_compiled,
        s.exits,
        s.invalidated,
        s.residual_calls,
    ];
    all.extend(
        Abort::ALL
            .iter()
            .map(|a| s.aborts.get(a).copied().unwrap_or(0)),
    );
    let words: Vec<String> = all.iter().map(u64::to_string).collect();
    words.join(" ")
}

fn read_all(mut f: std::fs::File) -> Vec<u8> {
    use std::io::Read as _;
    let (mut out, mut part) = (Vec::new(), vec![0; 1 << 16]);
    // What exceeds the limit is read, so that the child can end, and dropped.
    while let Ok(n) = f.read(&mut part)
        && n > 0
    {
        let room = OUTPUT.saturating_sub(out.len()).min(n);
        out.extend_from_slice(&part[..room]);
    }
    out
}

fn outcome(bytes: &[u8], status: i32) -> (Outcome, Reached) {
    let text = String::from_utf8_lossy(bytes);
    let (output, counters) = text.split_once(MARK).unwrap_or((&text, ""));
    let numbers: Vec<u64> = counters
        .split_whitespace()
        .filter_map(|w| w.parse().ok())
        .collect();
    let n = |i: usize| numbers.get(i).copied().unwrap_or(0);
    let reached = Reached {
        traces: n(0),
        bridges: n(1),
        allocations: n(2),
        exits: n(3),
        invalidated: n(4),
        residuals: n(5),
        aborts: numbers.get(6..).unwrap_or_default().to_vec(),
    };
    let end = if libc::WIFEXITED(status) {
        End::Exit(libc::WEXITSTATUS(status))
    } else {
        match libc::WTERMSIG(status) {
            libc::SIGXCPU | libc::SIGALRM | libc::SIGKILL => End::TimeLimit,
            signal => End::Signal(signal),
        }
    };
    let output = blank_addresses(output);
    (Outcome { output, end }, reached)
}

/// What another Python makes of the program.
///
/// # Errors
/// When it cannot be run.
pub fn other(python: &std::path::Path, source: &str) -> Result<Outcome> {
    // One stream for both, in the order of writing.
    let out = std::process::Command::new("/bin/sh")
        .args(["-c", "exec \"$0\" -S -c \"$1\" 2>&1"])
        .arg(python)
        .arg(source)
        .env("PYTHONHASHSEED", "1")
        .env("PYTHONIOENCODING", "utf-8")
        .output()
        .with_context(|| format!("{}", python.display()))?;
    let end = out.status.code().map_or(End::TimeLimit, End::Exit);
    let output = blank_addresses(&String::from_utf8_lossy(&out.stdout));
    Ok(Outcome { output, end })
}

/// The text with every `0x...` made `0x_`: where objects lie is no outcome.
fn blank_addresses(text: &str) -> String {
    let mut parts = text.split("0x");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for p in parts {
        let rest = p.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        out += if rest.len() == p.len() { "0x" } else { "0x_" };
        out += rest;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::blank_addresses;

    #[test]
    fn addresses_are_blanked() {
        assert_eq!(
            blank_addresses("<A at 0x7f01> 0x, 0xg and 0x10."),
            "<A at 0x_> 0x, 0xg and 0x_."
        );
    }
}
