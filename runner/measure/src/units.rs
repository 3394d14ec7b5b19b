//! Numbers that carry their unit.

use std::fmt;
use std::time::Duration;

/// A duration in nanoseconds.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Nanos(pub u64);

/// A size in bytes.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl Nanos {
    /// From whole seconds.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Nanos {
        Nanos(seconds * 1_000_000_000)
    }

    /// As seconds.
    #[must_use]
    pub fn secs(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// As the standard library's type.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_nanos(self.0)
    }
}

impl From<Duration> for Nanos {
    /// Durations over 584 years become the largest value.
    fn from(duration: Duration) -> Nanos {
        Nanos(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Nanos {
    /// Three significant digits and a unit: `8.21 ms`, `1 min 05 s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.secs();
        if seconds >= 60.0 {
            let whole = seconds.round() as u64;
            if whole >= 3600 {
                return write!(f, "{} h {:02} min", whole / 3600, whole % 3600 / 60);
            }
            return write!(f, "{} min {:02} s", whole / 60, whole % 60);
        }
        let (value, unit) = match seconds {
            s if s >= 1.0 => (s, "s"),
            s if s >= 1e-3 => (s * 1e3, "ms"),
            s if s >= 1e-6 => (s * 1e6, "µs"),
            s => (s * 1e9, "ns"),
        };
        let decimals = if unit == "ns" || value >= 100.0 {
            0
        } else if value >= 10.0 {
            1
        } else {
            2
        };
        write!(f, "{value:.decimals$} {unit}")
    }
}

impl Bytes {
    /// From mebibytes.
    #[must_use]
    pub const fn mib(n: u64) -> Bytes {
        Bytes(n << 20)
    }

    /// From gibibytes.
    #[must_use]
    pub const fn gib(n: u64) -> Bytes {
        Bytes(n << 30)
    }
}

impl fmt::Display for Bytes {
    /// Three significant digits and a binary unit: `61.4 MiB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut value = self.0 as f64;
        let mut units = ["B", "KiB", "MiB", "GiB", "TiB"].into_iter();
        let mut unit = units.next().unwrap_or("B");
        while value >= 1024.0 {
            let Some(next) = units.next() else { break };
            value /= 1024.0;
            unit = next;
        }
        let decimals = if unit == "B" || value >= 100.0 {
            0
        } else if value >= 10.0 {
            1
        } else {
            2
        };
        write!(f, "{value:.decimals$} {unit}")
    }
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn durations_read_well() {
        let texts = [
            5,
            8_214,
            8_214_300,
            82_143_000,
            1_500_000_000,
            65_000_000_000,
            3_725_000_000_000,
        ]
        .map(|n| Nanos(n).to_string());
        assert_eq!(
            texts,
            [
                "5 ns",
                "8.21 µs",
                "8.21 ms",
                "82.1 ms",
                "1.50 s",
                "1 min 05 s",
                "1 h 02 min"
            ]
        );
    }

    #[test]
    fn sizes_read_well() {
        assert_eq!(Bytes(512).to_string(), "512 B");
        assert_eq!(Bytes(64_400_000).to_string(), "61.4 MiB");
        assert_eq!(Bytes::gib(3).to_string(), "3.00 GiB");
    }
}
