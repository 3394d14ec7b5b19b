//! One process of one module: started, watched, ended.
//!
//! The watcher reads the side file, the process's state and its memory in
//! turns of a few milliseconds. Whatever happens, the whole process group is
//! gone when this returns.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::PytestsError;
use crate::launcher::{Launcher, Limits};
use crate::sidefile::{Event, SideFile};

/// The driver's text; written beside the side file of each attempt.
const DRIVER: &str = include_str!("driver.py");

/// How a process came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// With this status.
    Exited(ExitStatus),
    /// Killed: no progress for [`Limits::case`].
    Hung,
    /// Killed: the module's time was over.
    ModuleTime,
    /// Killed: it used this many resident bytes.
    Memory(u64),
    /// Killed: it wrote this many bytes.
    Output(u64),
    /// Killed: it did not end after its last case.
    HungAtExit,
}

impl End {
    /// For people and for `detail`: "SIGSEGV", "no progress for 60 s".
    pub(crate) fn reason(&self, limits: &Limits) -> String {
        match self {
            Self::Exited(status) => match status.signal() {
                Some(number) => signal_name(number),
                None => format!("exit status {}", status.code().unwrap_or(-1)),
            },
            Self::Hung => format!("no progress for {} s", limits.case.as_secs_f64()),
            Self::ModuleTime => format!("module limit of {} s", limits.module.as_secs_f64()),
            Self::Memory(bytes) => format!("memory limit: {} MiB resident", bytes >> 20),
            Self::Output(bytes) => format!("output limit: {} MiB written", bytes >> 20),
            Self::HungAtExit => {
                format!(
                    "did not end within {} s of its last case",
                    limits.exit.as_secs_f64()
                )
            }
        }
    }
}

/// Run the driver once in the folder `scratch`, without the cases in `done`
/// (escaped, one a line), and hand each event to `on_event` as it arrives.
///
/// Returns how it ended and the last lines of its output.
pub(crate) fn attempt(
    launcher: &Launcher,
    module: &str,
    scratch: &Path,
    done: &str,
    limits: &Limits,
    module_deadline: Instant,
    on_event: &mut dyn FnMut(Event),
) -> Result<(End, String), PytestsError> {
    let broken = |source| PytestsError::Scratch {
        module: module.to_owned(),
        source,
    };
    let own = scratch.join("driver");
    let work = scratch.join("work");
    for folder in [&own, &work] {
        match std::fs::remove_dir_all(folder) {
            Err(problem) if problem.kind() != io::ErrorKind::NotFound => {
                return Err(broken(problem));
            }
            _ => std::fs::create_dir_all(folder).map_err(broken)?,
        }
    }
    std::fs::write(own.join("driver.py"), DRIVER).map_err(broken)?;
    std::fs::write(own.join("done"), done).map_err(broken)?;
    let mut side = SideFile::create(&own.join("report")).map_err(broken)?;
    let output = File::create_new(own.join("output")).map_err(broken)?;
    let read_output = File::open(own.join("output")).map_err(broken)?;

    let mut command = launcher.command(&work);
    command
        .arg(own.join("driver.py"))
        .arg(own.join("report"))
        .arg(own.join("done"));
    match &launcher.root {
        Some(root) => command.arg(root),
        None => command.arg("-"),
    };
    command.arg(format!("test.{module}"));
    command
        .stderr(output.try_clone().map_err(broken)?)
        .stdout(output)
        .process_group(0);
    let mut child = command.spawn().map_err(|source| PytestsError::Spawn {
        program: launcher.program.display().to_string(),
        module: module.to_owned(),
        source,
    })?;

    let watched = watch(
        &mut child,
        &mut side,
        &read_output,
        limits,
        module_deadline,
        on_event,
    );
    let ended = end_group(&mut child);
    let end = watched.map_err(broken)?;
    ended.map_err(broken)?;
    for event in side.read().map_err(broken)? {
        on_event(event);
    }
    Ok((end, tail(read_output).map_err(broken)?))
}

/// Follow the process until it ends or passes a limit; it may still live then.
fn watch(
    child: &mut Child,
    side: &mut SideFile,
    output: &File,
    limits: &Limits,
    module_deadline: Instant,
    on_event: &mut dyn FnMut(Event),
) -> io::Result<End> {
    let began = Instant::now();
    let mut progress = began;
    let mut over = false;
    let mut turn = 0_u32;
    loop {
        for event in side.read()? {
            progress = Instant::now();
            over |= matches!(event, Event::Done { .. } | Event::Stopped(_));
            on_event(event);
        }
        if let Some(status) = child.try_wait()? {
            return Ok(End::Exited(status));
        }
        let now = Instant::now();
        if over && now - progress > limits.exit {
            return Ok(End::HungAtExit);
        }
        if now - progress > limits.case {
            return Ok(End::Hung);
        }
        if now > module_deadline {
            return Ok(End::ModuleTime);
        }
        if turn % 4 == 3 {
            let resident = resident_bytes(child.id());
            if resident > limits.memory_bytes {
                return Ok(End::Memory(resident));
            }
            let written = output.metadata()?.len();
            if written > limits.output_bytes {
                return Ok(End::Output(written));
            }
        }
        turn = turn.wrapping_add(1);
        let pause = if now - began < Duration::from_millis(400) {
            4
        } else {
            20
        };
        std::thread::sleep(Duration::from_millis(pause));
    }
}

/// Kill what is left of the process group and collect the leader.
fn end_group(child: &mut Child) -> io::Result<()> {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // Fails when nobody is left, which is the usual case.
        let _ = kill_process_group(pid, Signal::KILL);
    }
    child.wait().map(drop)
}

/// Memory of a process, its children and theirs; 0 once it is gone.
///
/// A forked child shares most pages with its parent, so of a child only its
/// proportional share counts: forty idle forks are not forty times the memory.
fn resident_bytes(pid: u32) -> u64 {
    let mut sum = rss_bytes(pid);
    let mut waiting: Vec<(u32, u32)> = children(pid).map(|child| (child, 1)).collect();
    while let Some((pid, depth)) = waiting.pop() {
        sum += pss_bytes(pid).unwrap_or_else(|| rss_bytes(pid));
        if depth < 2 {
            waiting.extend(children(pid).map(|child| (child, depth + 1)));
        }
    }
    sum
}

fn rss_bytes(pid: u32) -> u64 {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|word| word.parse::<u64>().ok());
    pages.unwrap_or(0) * rustix::param::page_size() as u64
}

/// `None` where the kernel does not say.
fn pss_bytes(pid: u32) -> Option<u64> {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.trim()
        .strip_suffix(" kB")?
        .parse::<u64>()
        .ok()
        .map(|kib| kib << 10)
}

/// Children that the process's first thread started.
fn children(pid: u32) -> impl Iterator<Item = u32> {
    let list = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let pids: Vec<u32> = list
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    pids.into_iter()
}

/// The last 2 KiB of the output.
fn tail(mut output: File) -> io::Result<String> {
    let length = output.metadata()?.len();
    output.seek(SeekFrom::Start(length.saturating_sub(2048)))?;
    let mut bytes = Vec::new();
    output.take(2048).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Linux's names on x86-64 and aarch64.
fn signal_name(number: i32) -> String {
    let name = match number {
        2 => "SIGINT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        _ => return format!("signal {number}"),
    };
    name.to_owned()
}
