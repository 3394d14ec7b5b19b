//! One measured process: started in its own group, pinned, watched, its lines read as they come.
//!
//! One thread waits on three things with `poll`: standard output, standard error and the process itself (a pidfd). So there is no
//! polling of the clock except for the memory watch, and the end is noticed when it happens. Memory is limited by watching the
//! resident set, never by an address-space limit: a VM reserves address space freely.
//!
//! The protocol of a benchmark process, one line each on standard output, other lines are kept as text:
//!
//! ```text
//! sample 0 152000000 151000000      index, wall ns, CPU ns, after each iteration
//! result 4613732                    once, at the end
//! ```

use crate::outcome::Outcome;
use crate::session::Flow;
use measure::usage::{group_resident, resident, signal_name, try_wait};
use measure::{Bytes, Ended, Nanos, Usage, affinity};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What a process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub wall: Nanos,
    /// Sum over the process group.
    pub rss: Bytes,
    /// Standard output and error together.
    pub output: Bytes,
}

/// How to start a process and what to expect of it.
#[derive(Debug, Clone)]
pub struct ProcessSpec {
    pub program: PathBuf,
    pub args: Vec<OsString>,
    /// The whole environment; nothing is inherited.
    pub env: BTreeMap<String, String>,
    pub folder: PathBuf,
    /// Processor to pin it to.
    pub cpu: Option<u32>,
    pub limits: Limits,
    /// Number of `sample` lines due.
    pub iterations: u32,
    /// What the `result` line must say.
    pub expected: Option<String>,
    /// Where the program writes its counters as JSON, when it does.
    pub stats: Option<PathBuf>,
}

/// One timed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Iteration {
    pub index: u32,
    pub wall: Nanos,
    pub cpu: Nanos,
}

/// How a process ended and what it used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessReport {
    pub outcome: Outcome,
    /// One line; empty when ok.
    pub reason: String,
    pub exit_code: Option<i32>,
    pub signal: Option<String>,
    pub wall: Nanos,
    pub usage: Usage,
    pub result: Option<String>,
    /// End of standard error, then of the lines that were no samples; at most [`KEPT_OUTPUT`] bytes, only when not ok.
    pub output: String,
    pub counters: BTreeMap<String, f64>,
    /// The runner was asked to stop; the outcome means nothing.
    pub stopped: bool,
}

/// Bytes of output kept of a process that is not ok.
pub const KEPT_OUTPUT: usize = 16 << 10;

/// How often the resident set is looked at.
const WATCH: Duration = Duration::from_millis(50);

impl ProcessReport {
    /// A report of a process that never ran.
    #[must_use]
    pub fn never_ran(outcome: Outcome, reason: String) -> ProcessReport {
        ProcessReport {
            outcome,
            reason,
            exit_code: None,
            signal: None,
            wall: Nanos(0),
            usage: Usage::default(),
            result: None,
            output: String::new(),
            counters: BTreeMap::new(),
            stopped: false,
        }
    }
}

/// Runs one process to its end. `each` gets every iteration as its line arrives; when it says [`Flow::Stop`], or `stop` turns
/// true, the process group is ended and the report says `stopped`.
pub fn run(
    spec: &ProcessSpec,
    stop: &dyn Fn() -> bool,
    each: &mut dyn FnMut(Iteration) -> Flow,
) -> ProcessReport {
    let started = Instant::now();
    let child = match start(spec) {
        Ok(child) => child,
        Err(error) => {
            let reason = format!("cannot start {}: {error}", spec.program.display());
            return ProcessReport::never_ran(Outcome::Infrastructure, reason);
        }
    };
    let pid = child.id();
    let mut watched = Watched {
        spec,
        started,
        child,
        lines: Lines::default(),
        cut: None,
        stopped: false,
    };
    let end = watched.until_end(stop, each);
    // Stragglers of the group would disturb the next process, and hold the pipes open.
    end_group(pid);
    match end {
        Ok((ended, usage, wall)) => watched.judge(ended, usage, wall),
        Err(error) => {
            let mut report = ProcessReport::never_ran(
                Outcome::Infrastructure,
                format!("lost sight of the process: {error}"),
            );
            report.stopped = watched.stopped;
            report
        }
    }
}

fn start(spec: &ProcessSpec) -> std::io::Result<Child> {
    let mut command = Command::new(&spec.program);
    command
        .args(&spec.args)
        .env_clear()
        .envs(&spec.env)
        .current_dir(&spec.folder)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let cpus: Vec<u32> = spec.cpu.into_iter().collect();
    affinity::bound_to(&cpus, || command.spawn())?
}

fn end_group(pid: u32) {
    // An error means that nobody is left in the group.
    let _ = i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .map(|pid| kill_process_group(pid, Signal::KILL));
}

/// Why we ended a process ourselves.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cut {
    Time,
    Memory(Bytes),
    Output,
    Protocol(String),
    Stop,
}

struct Watched<'a> {
    spec: &'a ProcessSpec,
    started: Instant,
    child: Child,
    lines: Lines,
    cut: Option<Cut>,
    stopped: bool,
}

impl Watched<'_> {
    /// Waits for the end, enforcing limits; the wall time is up to the moment the end was noticed.
    fn until_end(
        &mut self,
        stop: &dyn Fn() -> bool,
        each: &mut dyn FnMut(Iteration) -> Flow,
    ) -> std::io::Result<(Ended, Usage, Nanos)> {
        let pid = self.child.id();
        let raw = i32::try_from(pid)
            .ok()
            .and_then(Pid::from_raw)
            .ok_or(std::io::ErrorKind::InvalidInput)?;
        let pidfd = pidfd_open(raw, PidfdFlags::empty())?;
        let mut stdout = self.child.stdout.take();
        let mut stderr = self.child.stderr.take();
        for fd in [
            stdout.as_ref().map(AsFd::as_fd),
            stderr.as_ref().map(AsFd::as_fd),
        ]
        .into_iter()
        .flatten()
        {
            let flags = rustix::fs::fcntl_getfl(fd)?;
            rustix::fs::fcntl_setfl(fd, flags | OFlags::NONBLOCK)?;
        }
        let mut group_watch = 0u32;
        loop {
            {
                let mut fds = vec![PollFd::new(&pidfd, PollFlags::IN)];
                fds.extend(stdout.iter().map(|fd| PollFd::new(fd, PollFlags::IN)));
                fds.extend(stderr.iter().map(|fd| PollFd::new(fd, PollFlags::IN)));
                let wait = Timespec {
                    tv_sec: 0,
                    tv_nsec: i64::from(WATCH.subsec_nanos()),
                };
                match poll(&mut fds, Some(&wait)) {
                    Ok(_) | Err(rustix::io::Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            // The end is asked for before the pipes are read: all that was written before it is then in them.
            let end = try_wait(pid)?;
            let wall = Nanos::from(self.started.elapsed());
            drain(&mut stdout, |bytes| self.lines.out.extend_from_slice(bytes));
            drain(&mut stderr, |bytes| self.lines.take_err(bytes));
            self.read_lines(each);
            if let Some((ended, usage)) = end {
                self.lines.last_line();
                self.read_lines(each);
                return Ok((ended, usage, wall));
            }
            if self.cut.is_none() {
                self.cut = self.over_limit(wall, &mut group_watch);
                if stop() {
                    self.stopped = true;
                    self.cut = Some(Cut::Stop);
                }
            }
            if self.cut.is_some() {
                end_group(pid);
            }
        }
    }

    fn over_limit(&self, wall: Nanos, watch: &mut u32) -> Option<Cut> {
        let limits = &self.spec.limits;
        if wall > limits.wall {
            return Some(Cut::Time);
        }
        if self.lines.bytes > limits.output.0 {
            return Some(Cut::Output);
        }
        // Walking all of /proc is dearer than one read, so the children are counted in every tenth time only.
        *watch += 1;
        let pid = self.child.id();
        let used = if watch.is_multiple_of(10) {
            group_resident(pid)
        } else {
            resident(pid).unwrap_or_default()
        };
        (used > limits.rss).then_some(Cut::Memory(used))
    }

    fn read_lines(&mut self, each: &mut dyn FnMut(Iteration) -> Flow) {
        while self.cut.is_none() {
            match self.lines.next() {
                Some(Ok(iteration)) if iteration.index >= self.spec.iterations => {
                    self.cut = Some(Cut::Protocol(format!(
                        "more than {} samples",
                        self.spec.iterations
                    )));
                }
                Some(Ok(iteration)) => {
                    if each(iteration) == Flow::Stop {
                        self.stopped = true;
                        self.cut = Some(Cut::Stop);
                    }
                }
                Some(Err(problem)) => self.cut = Some(Cut::Protocol(problem)),
                None => return,
            }
        }
    }

    fn judge(mut self, ended: Ended, usage: Usage, wall: Nanos) -> ProcessReport {
        let (outcome, reason) = self.outcome(ended);
        let (exit_code, signal) = match ended {
            Ended::Exit(code) => (Some(code), None),
            Ended::Signal(signal) => (None, Some(signal_name(signal))),
        };
        let counters = self
            .spec
            .stats
            .as_ref()
            .map(|path| read_counters(path))
            .unwrap_or_default();
        let output = if outcome == Outcome::Ok {
            String::new()
        } else {
            self.lines.kept()
        };
        ProcessReport {
            outcome,
            reason,
            exit_code,
            signal,
            wall,
            usage,
            result: self.lines.result.take(),
            output,
            counters,
            stopped: self.stopped,
        }
    }

    fn outcome(&self, ended: Ended) -> (Outcome, String) {
        let limits = &self.spec.limits;
        match &self.cut {
            Some(Cut::Time) => return (Outcome::Timeout, format!("no end after {}", limits.wall)),
            Some(Cut::Memory(used)) => {
                return (
                    Outcome::OutOfMemory,
                    format!("resident set {used} over the limit of {}", limits.rss),
                );
            }
            Some(Cut::Output) => {
                return (
                    Outcome::Fail,
                    format!("more than {} of output", limits.output),
                );
            }
            Some(Cut::Protocol(problem)) => return (Outcome::Fail, problem.clone()),
            Some(Cut::Stop) => return (Outcome::NotRun, "stopped".into()),
            None => {}
        }
        match ended {
            Ended::Signal(signal) => (Outcome::Crash, signal_name(signal)),
            Ended::Exit(0) => self.result_outcome(),
            Ended::Exit(code) => {
                let last = self.lines.last_error();
                let reason = if last.is_empty() {
                    format!("exit code {code}")
                } else {
                    format!("exit code {code}: {last}")
                };
                let unsupported = self.lines.next_index == 0
                    && (code == CANNOT_RUN
                        || code == 2 && says_unknown_option(&self.lines.err_text()));
                let outcome = if unsupported {
                    Outcome::Unsupported
                } else if last.starts_with("MemoryError") {
                    Outcome::OutOfMemory
                } else {
                    Outcome::Fail
                };
                (outcome, reason)
            }
        }
    }

    fn result_outcome(&self) -> (Outcome, String) {
        let got = self.lines.next_index;
        match (&self.lines.result, &self.spec.expected) {
            (None, Some(_)) => (Outcome::Fail, "no result line".into()),
            (Some(result), Some(expected)) if result != expected => (
                Outcome::WrongOutput,
                format!("result {}, expected {}", shorten(result), shorten(expected)),
            ),
            _ if got != self.spec.iterations => (
                Outcome::Fail,
                format!("{got} samples where {} were due", self.spec.iterations),
            ),
            _ => (Outcome::Ok, String::new()),
        }
    }
}

/// Exit status of a program that says it cannot run here at all: what test drivers take for "skipped".
const CANNOT_RUN: i32 = 77;

/// A program that was given a flag it does not know says so and exits with status 2, as Python programs do.
fn says_unknown_option(text: &str) -> bool {
    let text = text.to_lowercase();
    [
        "unknown option",
        "unknown flag",
        "unrecognized",
        "unexpected argument",
        "invalid option",
    ]
    .iter()
    .any(|phrase| text.contains(phrase))
}

/// A line of a program's own words, as long as one line of a report can be.
fn shorten(text: &str) -> String {
    if text.chars().count() <= 160 {
        text.into()
    } else {
        text.chars().take(157).chain("...".chars()).collect()
    }
}

fn drain(pipe: &mut Option<impl Read>, mut take: impl FnMut(&[u8])) {
    let mut buffer = [0; 8192];
    // Bounded, so that a program that never stops writing does not keep us from looking at its limits. A pipe
    // holds 64 KiB, so what an ended process left behind is always read whole.
    for _ in 0..128 {
        let Some(open) = pipe else { return };
        match open.read(&mut buffer) {
            Ok(0) => *pipe = None,
            Ok(n) => take(&buffer[..n]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
            Err(_) => *pipe = None,
        }
    }
}

/// Standard output cut into lines, standard error kept at its end.
#[derive(Debug, Default)]
struct Lines {
    out: Vec<u8>,
    /// Lines that were no part of the protocol.
    text: Vec<u8>,
    err: Vec<u8>,
    bytes: u64,
    next_index: u32,
    result: Option<String>,
}

impl Lines {
    fn take_err(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.err.extend_from_slice(bytes);
        keep_end(&mut self.err);
    }

    /// A last line without its newline is a line all the same.
    fn last_line(&mut self) {
        if !self.out.is_empty() {
            self.out.push(b'\n');
        }
    }

    /// The next iteration among the lines that are complete, or what is wrong with one.
    fn next(&mut self) -> Option<Result<Iteration, String>> {
        while let Some(end) = self.out.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.out.drain(..=end).collect();
            self.bytes += line.len() as u64;
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end();
            if let Some(rest) = line.strip_prefix("sample ") {
                return Some(self.sample(rest));
            }
            if let Some(rest) = line.strip_prefix("result ") {
                self.result = Some(rest.to_owned());
                continue;
            }
            self.text.extend_from_slice(line.as_bytes());
            self.text.push(b'\n');
            keep_end(&mut self.text);
        }
        // A line that never ends counts as output too.
        if self.out.len() > 1 << 20 {
            self.bytes += self.out.len() as u64;
            self.out.clear();
        }
        None
    }

    fn sample(&mut self, rest: &str) -> Result<Iteration, String> {
        let numbers: Option<Vec<u64>> = rest.split(' ').map(|word| word.parse().ok()).collect();
        let Some([index, wall, cpu]) = numbers.as_deref() else {
            return Err(format!("malformed line: sample {}", shorten(rest)));
        };
        if *index != u64::from(self.next_index) {
            return Err(format!("sample {index} where {} was due", self.next_index));
        }
        let iteration = Iteration {
            index: self.next_index,
            wall: Nanos(*wall),
            cpu: Nanos(*cpu),
        };
        self.next_index += 1;
        Ok(iteration)
    }

    fn err_text(&self) -> String {
        String::from_utf8_lossy(&self.err).into_owned()
    }

    fn last_error(&self) -> String {
        let text = self.err_text();
        shorten(
            text.lines()
                .rev()
                .map(str::trim)
                .find(|line| !line.is_empty())
                .unwrap_or(""),
        )
    }

    fn kept(&self) -> String {
        let mut all = self.err.clone();
        all.extend_from_slice(&self.text);
        all.truncate(KEPT_OUTPUT);
        String::from_utf8_lossy(&all).into_owned()
    }
}

fn keep_end(text: &mut Vec<u8>) {
    if text.len() > 2 * KEPT_OUTPUT {
        let surplus = text.len() - KEPT_OUTPUT;
        text.drain(..surplus);
    }
}

/// Reads the VM's counters: numbers anywhere in a JSON object, nested names joined by a dot. A file that is missing or
/// malformed gives none: counters are extra.
#[must_use]
pub fn read_counters(path: &std::path::Path) -> BTreeMap<String, f64> {
    let mut counters = BTreeMap::new();
    if let Ok(value) = std::fs::read(path)
        .map_err(drop)
        .and_then(|text| serde_json::from_slice(&text).map_err(drop))
    {
        collect("", &value, &mut counters);
    }
    counters
}

fn collect(prefix: &str, value: &serde_json::Value, into: &mut BTreeMap<String, f64>) {
    match value {
        serde_json::Value::Number(number) => {
            into.extend(number.as_f64().map(|number| (prefix.to_owned(), number)));
        }
        serde_json::Value::Bool(flag) => {
            into.insert(prefix.to_owned(), f64::from(u8::from(*flag)));
        }
        serde_json::Value::Object(fields) => {
            for (name, field) in fields {
                let name = if prefix.is_empty() {
                    name.clone()
                } else {
                    format!("{prefix}.{name}")
                };
                collect(&name, field, into);
            }
        }
        // Lists (of traces) have a table of their own.
        _ => {}
    }
}
