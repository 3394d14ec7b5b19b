//! What the kernel accounts to a process: `wait4` for the whole of it, `/proc` while it lives.

use crate::{Bytes, Nanos};
use std::io;
use std::time::Duration;

/// Resources used by a process and the children it waited for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Usage {
    pub user: Nanos,
    pub system: Nanos,
    /// Largest resident set of any single process among them.
    pub peak_rss: Bytes,
    pub minor_faults: u64,
    pub major_faults: u64,
    pub voluntary_switches: u64,
    pub involuntary_switches: u64,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Ended {
    /// By itself, with this status.
    Exit(i32),
    /// By this signal.
    Signal(i32),
}

/// Asks whether the child `pid` has ended; takes it off the process table if so.
///
/// # Errors
/// What `wait4` says, for instance when `pid` is no child of this process.
pub fn try_wait(pid: u32) -> io::Result<Option<(Ended, Usage)>> {
    let pid =
        libc::pid_t::try_from(pid).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut status = 0;
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both pointers are to live locals of the types wait4 writes.
    let waited = unsafe { libc::wait4(pid, &raw mut status, libc::WNOHANG, usage.as_mut_ptr()) };
    if waited < 0 {
        return Err(io::Error::last_os_error());
    }
    if waited == 0 {
        return Ok(None);
    }
    // SAFETY: all-zero bytes are a valid rusage, and wait4 filled it in.
    let usage = unsafe { usage.assume_init() };
    let ended = if libc::WIFSIGNALED(status) {
        Ended::Signal(libc::WTERMSIG(status))
    } else {
        Ended::Exit(libc::WEXITSTATUS(status))
    };
    Ok(Some((ended, Usage::from(&usage))))
}

impl From<&libc::rusage> for Usage {
    fn from(usage: &libc::rusage) -> Usage {
        let time = |t: libc::timeval| {
            Nanos::from(Duration::new(
                t.tv_sec.max(0) as u64,
                (t.tv_usec.max(0) as u32).saturating_mul(1000),
            ))
        };
        Usage {
            user: time(usage.ru_utime),
            system: time(usage.ru_stime),
            // Linux counts in KiB here.
            peak_rss: Bytes(usage.ru_maxrss.max(0) as u64 * 1024),
            minor_faults: usage.ru_minflt.max(0) as u64,
            major_faults: usage.ru_majflt.max(0) as u64,
            voluntary_switches: usage.ru_nvcsw.max(0) as u64,
            involuntary_switches: usage.ru_nivcsw.max(0) as u64,
        }
    }
}

/// Resident set of the process now; `None` once it is gone.
#[must_use]
pub fn resident(pid: u32) -> Option<Bytes> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(Bytes(pages * rustix::param::page_size() as u64))
}

/// Sum of the resident sets of all processes in the group `pgid`.
#[must_use]
pub fn group_resident(pgid: u32) -> Bytes {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Bytes(0);
    };
    let pids = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let sum = pids
        .filter(|pid| group_of(*pid) == Some(pgid))
        .filter_map(resident)
        .map(|bytes| bytes.0)
        .sum();
    Bytes(sum)
}

fn group_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command name may hold spaces and parentheses; fields count from after the last ')'.
    stat.rsplit_once(')')?
        .1
        .split_ascii_whitespace()
        .nth(2)?
        .parse()
        .ok()
}

/// Name of a signal, e.g. `SIGSEGV`.
#[must_use]
pub fn signal_name(signal: i32) -> String {
    let name = match signal {
        libc::SIGHUP => "SIGHUP",
        libc::SIGINT => "SIGINT",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGILL => "SIGILL",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGKILL => "SIGKILL",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGPIPE => "SIGPIPE",
        libc::SIGALRM => "SIGALRM",
        libc::SIGTERM => "SIGTERM",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGXFSZ => "SIGXFSZ",
        libc::SIGSYS => "SIGSYS",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod test {
    use super::*;
    use std::process::Command;

    fn wait(pid: u32) -> (Ended, Usage) {
        loop {
            if let Some(end) = try_wait(pid).unwrap() {
                return end;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    #[expect(
        clippy::zombie_processes,
        reason = "try_wait, the function under test, waits for it"
    )]
    fn exit_status_signal_and_usage_are_told_apart() {
        let child = Command::new("sh").args(["-c", "exit 3"]).spawn().unwrap();
        let (ended, usage) = wait(child.id());
        assert_eq!(ended, Ended::Exit(3));
        assert!(usage.peak_rss > Bytes(100_000), "{usage:?}");
        let child = Command::new("sh")
            .args(["-c", "kill -SEGV $$"])
            .spawn()
            .unwrap();
        assert_eq!(wait(child.id()).0, Ended::Signal(libc::SIGSEGV));
        assert_eq!(signal_name(libc::SIGSEGV), "SIGSEGV");
    }

    #[test]
    fn this_process_is_resident_in_its_group() {
        let own = std::process::id();
        let alone = resident(own).unwrap();
        let group = group_resident(group_of(own).unwrap());
        assert!(
            alone > Bytes(0) && group.0 >= alone.0 / 2,
            "{alone} in {group}"
        );
        assert_eq!(resident(u32::MAX - 1), None);
    }
}
