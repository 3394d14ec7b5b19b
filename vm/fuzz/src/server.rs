//! Runs programs, each run in a fresh copy of one booted VM.
//!
//! The VM is booted once, without a JIT. A program is loaded in a fork of it, which
//! compiles the source and waits; a run forks that again: the child installs the JIT
//! with the settings of the mode, runs the code and writes what it printed and its
//! counters into a pipe. So runs share nothing, a crash is an outcome like any other,
//! and start-up is paid once, the compiler once for each program.
//!
//! Left out: memory that a program takes from the machine is limited by time only.

use crate::mode::Mode as Settings;
use anyhow::{Context as _, Result, anyhow};
use pyrite::args;
use pyrite::boot;
use pyrite_bytecode::CodeUnit;
use pyrite_compiler::{Mode, Options};
use pyrite_interp::jit::Stats;
use pyrite_jit_record::Abort;
use pyrite_machine::Value;
use pyrite_objects::vm::Vm;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;

/// CPU seconds after which a run is ended.
const CPU_S: u64 = 5;
/// What programs are told they are.
const FILE: &str = "<string>";
/// Bytes of output that are read.
const OUTPUT: usize = 1 << 20;
/// Separates output and counters in the pipe.
const MARK: &str = "\n\u{1}counters ";

/// A booted VM.
pub struct Server {
    vm: *mut Vm,
    /// The namespace programs run in. The module table keeps it.
    globals: Value,
    /// What goes wrong in the runs.
    #[cfg(feature = "planted")]
    pub planted: std::cell::Cell<Option<crate::faults::Planted>>,
}

/// A program that waits to be run, in a process of its own.
pub struct Loaded {
    pid: libc::pid_t,
    line: UnixStream,
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
    /// CPU time of the run.
    pub cpu_us: u32,
    pub traces: u64,
    pub bridges: u64,
    pub allocations: u64,
    pub exits: u64,
    pub invalidated: u64,
    pub residuals: u64,
    /// By the order of [`Abort::ALL`].
    pub aborts: Vec<u64>,
}

/// Calls `work` with a booted VM, on a thread with the stack a VM wants.
///
/// # Errors
/// When there can be no thread or no VM, and what `work` says.
///
/// # Panics
/// When `work` does.
pub fn with_server<T: Send + 'static>(
    work: impl FnOnce(&Server) -> Result<T> + Send + 'static,
) -> Result<T> {
    // A child lives for milliseconds: it should neither ask for memory in small
    // pieces nor give any back.
    // SAFETY: options of the allocator, before there is a second thread.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_TOP_PAD, 4 << 20);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 1 << 30);
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 30);
    }
    let thread = std::thread::Builder::new()
        .stack_size(boot::NATIVE_STACK)
        .spawn(move || work(&Server::boot()?))
        .context("no thread for the VM")?;
    match thread.join() {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic),
    }
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
        let globals = boot::main_namespace(vm);
        Ok(Server {
            vm,
            globals,
            #[cfg(feature = "planted")]
            planted: std::cell::Cell::new(None),
        })
    }

    /// Loads a program, to be run in `modes`.
    ///
    /// # Errors
    /// When there is no process to be had.
    pub fn load(&self, source: &str, modes: &[Settings]) -> Result<Loaded> {
        let (line, other) = UnixStream::pair().context("no pipe for a program")?;
        // SAFETY: this thread alone uses the VM and the allocator in the child.
        let pid = unsafe { libc::fork() };
        if pid < 0 {
            return Err(std::io::Error::last_os_error()).context("no process for a program");
        }
        if pid == 0 {
            drop(line);
            // SAFETY: the child holds the only copy of the VM; plain system calls.
            unsafe {
                let vm = &mut *self.vm;
                #[cfg(feature = "planted")]
                crate::faults::plant(self.planted.get());
                let globals = self.globals;
                let life = std::panic::AssertUnwindSafe(|| {
                    limit();
                    serve(vm, globals, source, modes, other)
                });
                let code = std::panic::catch_unwind(life).unwrap_or(101);
                libc::_exit(code);
            }
        }
        Ok(Loaded { pid, line })
    }

    /// Runs a program in one mode.
    ///
    /// # Errors
    /// When there is no process or pipe to be had.
    pub fn run(&self, source: &str, mode: &Settings) -> Result<(Outcome, Reached)> {
        let mut loaded = self.load(source, std::slice::from_ref(mode))?;
        loaded.ask(0);
        loaded.answer()
    }
}

impl Loaded {
    /// Asks for a run in the mode of this index.
    pub fn ask(&mut self, mode: u8) {
        // Should the process have ended, there will be no answer either.
        let _ = self.line.write_all(&[mode]);
    }

    /// Waits for the runs asked for, one by one.
    ///
    /// # Errors
    /// When an answer breaks off.
    pub fn answer(&mut self) -> Result<(Outcome, Reached)> {
        let mut head = [0; 12];
        if self.line.read_exact(&mut head).is_err() {
            // The compiler ended the process.
            return Ok(outcome(&[], self.wait(), 0));
        }
        let [status, cpu_us, length] = words(head);
        let mut bytes = vec![0; length as usize];
        self.line
            .read_exact(&mut bytes)
            .context("a run's output ends early")?;
        Ok(outcome(&bytes, status as i32, cpu_us))
    }

    /// Waits for the process; its status.
    fn wait(&mut self) -> i32 {
        let mut status = 0;
        if self.pid != 0 {
            // SAFETY: waits for our own child.
            while unsafe { libc::waitpid(self.pid, &raw mut status, 0) } < 0 {}
            self.pid = 0;
        }
        status
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        // The process ends at the end of its line.
        let _ = self.line.shutdown(std::net::Shutdown::Both);
        self.wait();
    }
}

fn words(bytes: [u8; 12]) -> [u32; 3] {
    let word = |i: usize| u32::from_ne_bytes([0, 1, 2, 3].map(|j| bytes[i * 4 + j]));
    [word(0), word(1), word(2)]
}

/// Limits of this process and its children; it does not outlive its parent.
fn limit() {
    let cpu = libc::rlimit {
        rlim_cur: CPU_S,
        rlim_max: CPU_S + 1,
    };
    let none = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: plain system calls.
    unsafe {
        // Other programs hold copies of the line, so its end would not show.
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::setrlimit(libc::RLIMIT_CPU, &raw const cpu);
        libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
    }
}

/// The life of a process that has loaded a program: runs it in the mode of each
/// index that comes in.
fn serve(
    vm: &mut Vm,
    globals: Value,
    source: &str,
    modes: &[Settings],
    mut line: UnixStream,
) -> i32 {
    // Code objects are made in the run: they differ where there is a JIT.
    let unit = pyrite_compiler::compile(
        source,
        FILE,
        Mode::Exec,
        Options::default(),
        &mut Vec::new(),
    )
    .ok();
    let mut index = [0];
    while line.read_exact(&mut index).is_ok() {
        let Some(mode) = modes.get(usize::from(index[0])) else {
            return 102;
        };
        let Ok((bytes, status, cpu_us)) =
            fork_run(|| child(vm, unit.as_ref(), source, globals, mode))
        else {
            return 102;
        };
        let mut answer = Vec::with_capacity(12 + bytes.len());
        for word in [status as u32, cpu_us, bytes.len() as u32] {
            answer.extend_from_slice(&word.to_ne_bytes());
        }
        answer.extend_from_slice(&bytes);
        if line.write_all(&answer).is_err() {
            break;
        }
    }
    0
}

/// Calls `work`, whose result is an exit code, in a fork: what it printed, its status,
/// and the microseconds of CPU it took.
fn fork_run(work: impl FnOnce() -> i32) -> std::io::Result<(Vec<u8>, i32, u32)> {
    let mut ends = [0; 2];
    // SAFETY: two descriptors are written.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: just made, owned by nobody else.
    let (reader, writer) =
        unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) };
    // SAFETY: this process has one thread that works.
    let pid = unsafe { libc::fork() };
    if pid < 0 {
        return Err(std::io::Error::last_os_error());
    }
    if pid == 0 {
        // SAFETY: plain system calls of the child.
        unsafe {
            libc::dup2(writer.as_raw_fd(), 1);
            libc::dup2(writer.as_raw_fd(), 2);
            // For what waits instead of working.
            libc::alarm(60);
            let code = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            libc::_exit(code.unwrap_or(101));
        }
    }
    drop(writer);
    let bytes = read_all(File::from(reader));
    let mut status = 0;
    // SAFETY: all zeros is a value of this plain data.
    let mut used: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: waits for our own child.
    while unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut used) } < 0 {}
    let us = |t: libc::timeval| t.tv_sec as u32 * 1_000_000 + t.tv_usec as u32;
    Ok((bytes, status, us(used.ru_utime) + us(used.ru_stime)))
}

/// A run of compiled code, or of source that the compiler refused: its exit code.
fn child(
    vm: &mut Vm,
    unit: Option<&CodeUnit>,
    source: &str,
    globals: Value,
    mode: &Settings,
) -> i32 {
    if mode.gc.is_some() {
        vm.heap.reconfigure(mode.heap());
    }
    if let Some(p) = &mode.params
        && let Err(e) = pyrite_interp::jit::install(vm, p.clone())
    {
        eprintln!("no JIT: {e}");
        return 102;
    }
    let code = match unit {
        Some(unit) => Ok(vm.load_code(unit.clone())),
        // The ordinary way raises the exception.
        None => {
            let (text, name) = (vm.new_str(source), vm.new_str(FILE));
            (vm.hooks.compile)(vm, text, name, "exec", 0, 0)
        }
    };
    let r = code.and_then(|code| (vm.hooks.run_code)(vm, code, globals, globals, Value::NULL));
    let exit = if r.is_ok() { 0 } else { boot::uncaught(vm) };
    if mode.gc.is_some() {
        pyrite_stdlib::sys::finish(vm);
    } else {
        // Generated programs leave nothing to be done at the end.
        pyrite_stdlib::sys::flush(vm);
    }
    if !vm.jit.is_null() {
        // Not `print!`, which a test would keep to itself.
        let mut out = std::io::stdout();
        let all = counters(&pyrite_interp::jit::jit(vm).stats);
        let _ = write!(out, "{MARK}{all}").and_then(|()| out.flush());
    }
    exit
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

fn read_all(mut f: File) -> Vec<u8> {
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

fn outcome(bytes: &[u8], status: i32, cpu_us: u32) -> (Outcome, Reached) {
    let text = String::from_utf8_lossy(bytes);
    let (output, counters) = text.split_once(MARK).unwrap_or((&text, ""));
    let numbers: Vec<u64> = counters
        .split_whitespace()
        .filter_map(|w| w.parse().ok())
        .collect();
    let n = |i: usize| numbers.get(i).copied().unwrap_or(0);
    let reached = Reached {
        cpu_us,
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
