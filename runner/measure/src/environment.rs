//! The state of the machine at the start of a run, fact by fact, graded.
//!
//! A fact that cannot be read is `unknown`, never `ok`: on a virtual machine there is no governor file, and that says nothing
//! about the governor. The readers take the root of the file tree as a parameter, so that tests give them made-up machines.

use crate::Bytes;
use crate::machine::field;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// How a fact bears on timings. Ordered from best to worst; `Unknown` stands beside `Ok`, since it accuses nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    Unknown,
    Ok,
    Warn,
    Fail,
}

impl Grade {
    /// The word used in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Grade::Unknown => "unknown",
            Grade::Ok => "ok",
            Grade::Warn => "warn",
            Grade::Fail => "fail",
        }
    }
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub name: String,
    /// `unknown` when it cannot be read.
    pub value: String,
    pub grade: Grade,
    /// Why it is not ok, or what to do about it; empty otherwise.
    pub note: String,
}

/// All facts of one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    pub facts: Vec<Fact>,
}

impl Environment {
    /// Reads this machine. `data` is the folder whose free disk space matters.
    #[must_use]
    pub fn capture(data: &Path) -> Environment {
        let mut env = Environment::read(
            Path::new("/"),
            crate::affinity::allowed().map_or(1, |cpus| cpus.len()),
        );
        env.facts.push(disk(data));
        env
    }

    /// The worst grade; `Unknown` only when nothing at all is known.
    #[must_use]
    pub fn grade(&self) -> Grade {
        self.facts
            .iter()
            .map(|fact| fact.grade)
            .max()
            .unwrap_or(Grade::Unknown)
    }

    /// The fact called `name`.
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<&Fact> {
        self.facts.iter().find(|fact| fact.name == name)
    }

    fn read(root: &Path, cores: usize) -> Environment {
        let tree = Tree(root.to_owned());
        let facts = vec![
            processor(&tree),
            cores_fact(cores),
            tree.plain("kernel", "proc/sys/kernel/osrelease"),
            virtualization(&tree),
            tree.graded(
                "governor",
                "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
                |value| match value {
                    "performance" => (Grade::Ok, ""),
                    _ => (
                        Grade::Warn,
                        "the clock follows the load; set the governor to performance",
                    ),
                },
            ),
            turbo(&tree),
            tree.graded(
                "smt",
                "sys/devices/system/cpu/smt/active",
                |value| match value {
                    "0" => (Grade::Ok, ""),
                    _ => (Grade::Warn, "a sibling thread shares the measured core"),
                },
            ),
            tree.graded(
                "address layout",
                "proc/sys/kernel/randomize_va_space",
                |value| match value {
                    "0" => (
                        Grade::Warn,
                        "not randomized: layout luck does not average out over processes",
                    ),
                    _ => (Grade::Ok, ""),
                },
            ),
            load(&tree, cores),
            steal(&tree),
            tree.plain(
                "frequency (kHz)",
                "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq",
            ),
            temperature(&tree),
            swap(&tree),
            tree.graded(
                "clock source",
                "sys/devices/system/clocksource/clocksource0/current_clocksource",
                |value| match value {
                    "tsc" | "kvm-clock" | "arch_sys_counter" => (Grade::Ok, ""),
                    _ => (Grade::Warn, "reading this clock is slow"),
                },
            ),
            tree.graded(
                "transparent huge pages",
                "sys/kernel/mm/transparent_hugepage/enabled",
                |_| (Grade::Ok, ""),
            ),
            tree.graded(
                "hardware counters",
                "proc/sys/kernel/perf_event_paranoid",
                |value| match value.parse::<i32>() {
                    Ok(level) if level <= 2 => (Grade::Ok, ""),
                    _ => (
                        Grade::Warn,
                        "not readable by this user; instruction counts need valgrind",
                    ),
                },
            ),
        ];
        Environment { facts }
    }
}

struct Tree(PathBuf);

impl Tree {
    fn text(&self, path: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.0.join(path)).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn plain(&self, name: &str, path: &str) -> Fact {
        self.graded(name, path, |_| (Grade::Ok, ""))
    }

    fn graded(
        &self,
        name: &str,
        path: &str,
        judge: impl Fn(&str) -> (Grade, &'static str),
    ) -> Fact {
        match self.text(path) {
            Some(value) => {
                let (grade, note) = judge(&value);
                fact(name, value, grade, note)
            }
            None => unknown(name),
        }
    }
}

fn fact(name: &str, value: impl Into<String>, grade: Grade, note: &str) -> Fact {
    Fact {
        name: name.into(),
        value: value.into(),
        grade,
        note: note.into(),
    }
}

fn unknown(name: &str) -> Fact {
    fact(name, "unknown", Grade::Unknown, "")
}

fn processor(tree: &Tree) -> Fact {
    let cpuinfo = tree.text("proc/cpuinfo").unwrap_or_default();
    match field(&cpuinfo, "model name") {
        Some(model) => fact("processor", model, Grade::Ok, ""),
        None => unknown("processor"),
    }
}

fn cores_fact(cores: usize) -> Fact {
    if cores < 2 {
        return fact(
            "processors",
            cores.to_string(),
            Grade::Warn,
            "the measured process shares its processor with the runner",
        );
    }
    fact("processors", cores.to_string(), Grade::Ok, "")
}

fn virtualization(tree: &Tree) -> Fact {
    let cpuinfo = tree.text("proc/cpuinfo").unwrap_or_default();
    match field(&cpuinfo, "flags") {
        Some(flags) if flags.split_whitespace().any(|flag| flag == "hypervisor") => fact(
            "virtual machine",
            "yes",
            Grade::Warn,
            "neighbours on the host may disturb timings",
        ),
        Some(_) => fact("virtual machine", "no", Grade::Ok, ""),
        None => unknown("virtual machine"),
    }
}

fn turbo(tree: &Tree) -> Fact {
    let note = "the clock depends on temperature and on the other cores";
    if let Some(value) = tree.text("sys/devices/system/cpu/intel_pstate/no_turbo") {
        let on = value == "0";
        return fact(
            "turbo",
            if on { "on" } else { "off" },
            if on { Grade::Warn } else { Grade::Ok },
            if on { note } else { "" },
        );
    }
    if let Some(value) = tree.text("sys/devices/system/cpu/cpufreq/boost") {
        let on = value == "1";
        return fact(
            "turbo",
            if on { "on" } else { "off" },
            if on { Grade::Warn } else { Grade::Ok },
            if on { note } else { "" },
        );
    }
    unknown("turbo")
}

fn load(tree: &Tree, cores: usize) -> Fact {
    let text = tree.text("proc/loadavg").unwrap_or_default();
    let Some(load) = text
        .split_whitespace()
        .next()
        .and_then(|word| word.parse::<f64>().ok())
    else {
        return unknown("load");
    };
    let value = format!("{load:.2}");
    // Starting the run itself (a build before it) leaves some load behind; one core's worth of others is another matter.
    match load / cores.max(1) as f64 {
        share if share > 1.0 => fact(
            "load",
            value,
            Grade::Fail,
            "more work than processors: timings will be wrong",
        ),
        share if share > 0.3 => fact("load", value, Grade::Warn, "other programs are running"),
        _ => fact("load", value, Grade::Ok, ""),
    }
}

fn steal(tree: &Tree) -> Fact {
    let text = tree.text("proc/stat").unwrap_or_default();
    let Some(line) = text.lines().find(|line| line.starts_with("cpu ")) else {
        return unknown("stolen time");
    };
    let ticks: Vec<u64> = line
        .split_whitespace()
        .skip(1)
        .filter_map(|word| word.parse().ok())
        .collect();
    let (Some(stolen), total) = (ticks.get(7), ticks.iter().take(8).sum::<u64>()) else {
        return unknown("stolen time");
    };
    let share = 100.0 * *stolen as f64 / total.max(1) as f64;
    let value = format!("{share:.2} % since boot");
    if share > 1.0 {
        return fact(
            "stolen time",
            value,
            Grade::Warn,
            "the host takes processor time away",
        );
    }
    fact("stolen time", value, Grade::Ok, "")
}

fn temperature(tree: &Tree) -> Fact {
    let Some(millis) = tree
        .text("sys/class/thermal/thermal_zone0/temp")
        .and_then(|text| text.parse::<i64>().ok())
    else {
        return unknown("temperature");
    };
    let value = format!("{:.1} °C", millis as f64 / 1000.0);
    if millis > 85_000 {
        return fact(
            "temperature",
            value,
            Grade::Warn,
            "hot: the processor may slow itself down",
        );
    }
    fact("temperature", value, Grade::Ok, "")
}

fn swap(tree: &Tree) -> Fact {
    let meminfo = tree.text("proc/meminfo").unwrap_or_default();
    let kib = |name| {
        field(&meminfo, name).and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok())
    };
    let (Some(total), Some(free)) = (kib("SwapTotal"), kib("SwapFree")) else {
        return unknown("swap in use");
    };
    let used = Bytes(total.saturating_sub(free) * 1024);
    if used > Bytes::mib(64) {
        return fact(
            "swap in use",
            used.to_string(),
            Grade::Warn,
            "memory is short, or was",
        );
    }
    fact("swap in use", used.to_string(), Grade::Ok, "")
}

fn disk(data: &Path) -> Fact {
    let Some(free) = free_space(data) else {
        return unknown("free disk");
    };
    let (grade, note) = match free {
        free if free < Bytes::gib(1) => (Grade::Fail, "less than 1 GiB: builds will fail"),
        free if free < Bytes::gib(5) => (Grade::Warn, "less than 5 GiB"),
        _ => (Grade::Ok, ""),
    };
    // Rounded, so that two runs an hour apart share one record.
    fact("free disk", format!("{} GiB", free.0 >> 30), grade, note)
}

/// Space that a user without privileges may still fill on the disk of `folder`.
#[must_use]
pub fn free_space(folder: &Path) -> Option<Bytes> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(Bytes(stat.f_bavail * stat.f_frsize))
}

#[cfg(test)]
mod test {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        dir
    }

    #[test]
    fn an_absent_file_is_unknown_not_ok() {
        let env = Environment::read(tree(&[]).path(), 2);
        for name in [
            "governor",
            "turbo",
            "smt",
            "temperature",
            "clock source",
            "load",
            "swap in use",
        ] {
            let fact = env.fact(name).unwrap();
            assert_eq!(
                (fact.grade, fact.value.as_str()),
                (Grade::Unknown, "unknown"),
                "{name}"
            );
        }
    }

    #[test]
    fn a_noisy_machine_is_told_what_is_wrong() {
        let dir = tree(&[
            (
                "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
                "powersave\n",
            ),
            ("sys/devices/system/cpu/intel_pstate/no_turbo", "0\n"),
            ("proc/loadavg", "7.10 3.0 1.0 3/200 77\n"),
            ("proc/stat", "cpu  100 0 100 700 0 0 0 100 0 0\n"),
            ("sys/class/thermal/thermal_zone0/temp", "91000\n"),
        ]);
        let env = Environment::read(dir.path(), 2);
        let grades = ["governor", "turbo", "load", "stolen time", "temperature"]
            .map(|n| env.fact(n).unwrap().grade);
        assert_eq!(
            grades,
            [
                Grade::Warn,
                Grade::Warn,
                Grade::Fail,
                Grade::Warn,
                Grade::Warn
            ]
        );
        assert_eq!(env.grade(), Grade::Fail);
        assert_eq!(env.fact("stolen time").unwrap().value, "10.00 % since boot");
    }

    #[test]
    fn a_quiet_machine_is_ok() {
        let dir = tree(&[
            (
                "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
                "performance\n",
            ),
            ("sys/devices/system/cpu/intel_pstate/no_turbo", "1\n"),
            ("proc/loadavg", "0.05 0.0 0.0 1/200 77\n"),
        ]);
        assert_eq!(Environment::read(dir.path(), 4).grade(), Grade::Ok);
    }

    #[test]
    fn capturing_this_machine_names_its_disk() {
        let env = Environment::capture(Path::new("/"));
        assert_ne!(env.fact("free disk").unwrap().grade, Grade::Unknown);
    }
}
