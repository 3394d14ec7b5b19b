//! Which processor is kept for the measured process.
//!
//! With more than one processor allowed, the last one is kept for measured processes and the rest for everything else of ours;
//! with one, both share it, and the environment record says so. A child inherits the affinity of the thread that starts it, so
//! that thread is pinned for the moment of the start: nothing has to run between fork and exec.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::io;

/// Processors this thread may run on, ascending.
///
/// # Errors
/// What the kernel says.
pub fn allowed() -> io::Result<Vec<u32>> {
    let set = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU)
        .filter(|cpu| set.is_set(*cpu))
        .map(|cpu| cpu as u32)
        .collect())
}

/// How the processors are shared out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// For the measured process; `None` when there is only one processor.
    pub measured: Option<u32>,
    /// For everything else.
    pub others: Vec<u32>,
}

/// Shares out `allowed`, see the module's text.
#[must_use]
pub fn layout(allowed: &[u32]) -> Layout {
    match allowed {
        [] | [_] => Layout {
            measured: None,
            others: allowed.to_vec(),
        },
        [others @ .., last] => Layout {
            measured: Some(*last),
            others: others.to_vec(),
        },
    }
}

/// Runs `work` with this thread bound to `cpus`, and binds it back after. Empty `cpus` binds nothing.
///
/// # Errors
/// What the kernel says, for instance when none of `cpus` exists.
pub fn bound_to<T>(cpus: &[u32], work: impl FnOnce() -> T) -> io::Result<T> {
    if cpus.is_empty() {
        return Ok(work());
    }
    let before = sched_getaffinity(None)?;
    bind(cpus)?;
    let result = work();
    sched_setaffinity(None, &before)?;
    Ok(result)
}

/// Binds this thread (and what it starts later) to `cpus`.
///
/// # Errors
/// What the kernel says.
pub fn bind(cpus: &[u32]) -> io::Result<()> {
    let mut set = CpuSet::new();
    for cpu in cpus {
        set.set(*cpu as usize);
    }
    Ok(sched_setaffinity(None, &set)?)
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn the_last_processor_is_kept_for_the_measured_process() {
        assert_eq!(
            layout(&[0, 1, 5]),
            Layout {
                measured: Some(5),
                others: vec![0, 1]
            }
        );
        assert_eq!(
            layout(&[3]),
            Layout {
                measured: None,
                others: vec![3]
            }
        );
    }

    #[test]
    fn binding_lasts_as_long_as_the_work() {
        let before = allowed().unwrap();
        let last = *before.last().unwrap();
        let inside = bound_to(&[last], || allowed().unwrap()).unwrap();
        assert_eq!(inside, [last]);
        assert_eq!(allowed().unwrap(), before);
    }
}
