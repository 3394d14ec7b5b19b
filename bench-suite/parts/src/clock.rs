//! Wall and processor time of one measurement.
//!
//! criterion keeps one number per sample; the runner stores two. So the numbers are kept here on their way through
//! [`Measurement::to_f64`], which criterion calls once for each sample, in order, and never while warming up.

use criterion::Throughput;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Both times of one sample, all its iterations together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
}

/// The measurement; clones share what they saw.
#[derive(Clone, Default)]
pub(crate) struct Clock {
    seen: Rc<RefCell<Vec<Times>>>,
    format: Format,
}

impl Clock {
    /// Times of the samples so far.
    pub(crate) fn seen(&self) -> Vec<Times> {
        self.seen.borrow().clone()
    }
}

impl Measurement for Clock {
    type Intermediate = (Instant, Duration);
    type Value = Times;

    fn start(&self) -> (Instant, Duration) {
        (Instant::now(), cpu_time())
    }

    fn end(&self, (wall, cpu): (Instant, Duration)) -> Times {
        Times {
            wall: wall.elapsed(),
            cpu: cpu_time().saturating_sub(cpu),
        }
    }

    fn add(&self, a: &Times, b: &Times) -> Times {
        Times {
            wall: a.wall + b.wall,
            cpu: a.cpu + b.cpu,
        }
    }

    fn zero(&self) -> Times {
        Times::default()
    }

    fn to_f64(&self, times: &Times) -> f64 {
        self.seen.borrow_mut().push(*times);
        times.wall.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &self.format
    }
}

/// As criterion formats wall time.
#[derive(Clone, Default)]
struct Format;

impl ValueFormatter for Format {
    fn scale_values(&self, typical: f64, values: &mut [f64]) -> &'static str {
        WallTime.formatter().scale_values(typical, values)
    }

    fn scale_throughputs(
        &self,
        typical: f64,
        throughput: &Throughput,
        values: &mut [f64],
    ) -> &'static str {
        WallTime
            .formatter()
            .scale_throughputs(typical, throughput, values)
    }

    fn scale_for_machines(&self, values: &mut [f64]) -> &'static str {
        WallTime.formatter().scale_for_machines(values)
    }
}

/// Processor time of this process.
fn cpu_time() -> Duration {
    let mut t = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: a valid place for the answer; this clock exists on every Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut t) };
    Duration::new(t.tv_sec as u64, t.tv_nsec as u32)
}
