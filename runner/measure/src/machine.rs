//! The machine, named by what makes its results comparable.

use crate::Bytes;
use sha2::{Digest, Sha256};
use std::path::Path;

/// A computer, as far as results depend on it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Machine {
    /// Hash of CPU model, processors, memory in GiB, kernel release and virtualization; 32 hex digits.
    pub fingerprint: String,
    pub host: String,
    pub cpu_model: String,
    /// Processors this program may use.
    pub cores: u32,
    pub memory: Bytes,
    pub kernel: String,
    pub virtualized: bool,
}

impl Machine {
    /// Reads this machine; what cannot be read is `unknown`.
    #[must_use]
    pub fn this() -> Machine {
        let proc = Path::new("/proc");
        let cpuinfo = std::fs::read_to_string(proc.join("cpuinfo")).unwrap_or_default();
        let meminfo = std::fs::read_to_string(proc.join("meminfo")).unwrap_or_default();
        let kernel = std::fs::read_to_string(proc.join("sys/kernel/osrelease")).unwrap_or_default();
        let cores = crate::affinity::allowed().map_or(1, |cpus| cpus.len() as u32);
        let host = rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned();
        Machine::from_texts(&cpuinfo, &meminfo, kernel.trim(), cores, host)
    }

    fn from_texts(cpuinfo: &str, meminfo: &str, kernel: &str, cores: u32, host: String) -> Machine {
        let cpu_model = field(cpuinfo, "model name").unwrap_or("unknown").to_owned();
        let virtualized = field(cpuinfo, "flags")
            .is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "hypervisor"));
        let kib: u64 = field(meminfo, "MemTotal")
            .and_then(|text| text.split_whitespace().next()?.parse().ok())
            .unwrap_or(0);
        let memory = Bytes(kib * 1024);
        let gib = (memory.0 + (1 << 29)) >> 30;
        let kernel = if kernel.is_empty() { "unknown" } else { kernel }.to_owned();
        let identity = format!("{cpu_model}\n{cores}\n{gib}\n{kernel}\n{virtualized}");
        let hash = Sha256::digest(identity.as_bytes());
        let fingerprint = hash
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Machine {
            fingerprint,
            host,
            cpu_model,
            cores,
            memory,
            kernel,
            virtualized,
        }
    }
}

/// Value of the first `name : value` line.
pub(crate) fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim())
    })
}

#[cfg(test)]
mod test {
    use super::*;

    const CPUINFO: &str =
        "processor : 0\nmodel name : Imaginary 9000 @ 3 GHz\nflags : fpu hypervisor sse\n";
    const MEMINFO: &str = "MemTotal:       24680244 kB\nMemFree: 1 kB\n";

    #[test]
    fn the_fingerprint_follows_the_hardware_not_the_name() {
        let read =
            |cores, host: &str| Machine::from_texts(CPUINFO, MEMINFO, "6.1.0", cores, host.into());
        let machine = read(2, "a");
        assert_eq!(
            (machine.cpu_model.as_str(), machine.virtualized),
            ("Imaginary 9000 @ 3 GHz", true)
        );
        assert_eq!(machine.fingerprint.len(), 32);
        assert_eq!(machine.fingerprint, read(2, "b").fingerprint);
        assert_ne!(machine.fingerprint, read(4, "a").fingerprint);
    }

    #[test]
    fn what_cannot_be_read_is_unknown() {
        let machine = Machine::from_texts("", "", "", 1, String::new());
        assert_eq!(
            (machine.cpu_model.as_str(), machine.kernel.as_str()),
            ("unknown", "unknown")
        );
    }
}
