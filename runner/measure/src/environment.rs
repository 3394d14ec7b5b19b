//! The state of the machine at the start of a run, fact by fact, graded.
//!
//! A fact that cannot be read is `unknown`, never `ok`: on a virtual machine there is no governor file, and that says nothing
//! about the governor. The readers take the root of the file tree as a parameter, so that tests give them made-up machines.
//!
//! What other programs do is measured over a short window in which this one sleeps, not read off the load average: that one remembers for
//! minutes what ran before, and before a night its own platform was built and tested.

use crate::Bytes;
use crate::machine::field;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long the processors are watched before a run. A tick is 10 ms, so on two processors a hundredth of their time is seen.
const WINDOW: Duration = Duration::from_millis(500);

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
    /// Reads this machine, which takes half a second. `data` is the folder whose free disk space matters.
    #[must_use]
    pub fn capture(data: &Path) -> Environment {
        let mut env = Environment::read(
            Path::new("/"),
            crate::affinity::allowed().map_or(1, |cpus| cpus.len()),
            || std::thread::sleep(WINDOW),
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

    /// `window` is called between two looks at the processors' times.
    fn read(root: &Path, cores: usize, window: impl FnOnce()) -> Environment {
        let tree = Tree(root.to_owned());
        let before = Ticks::read(&tree);
        window();
        let others = others(before.as_ref(), Ticks::read(&tree).as_ref());
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
            others,
            load_average(&tree),
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

/// What all processors together did since the machine started, in clock ticks.
struct Ticks {
    total: u64,
    idle: u64,
    stolen: u64,
    /// How many processors there are.
    processors: usize,
}

impl Ticks {
    fn read(tree: &Tree) -> Option<Ticks> {
        let text = tree.text("proc/stat")?;
        let line = text.lines().find(|line| line.starts_with("cpu "))?;
        let ticks: Vec<u64> = line
            .split_whitespace()
            .skip(1)
            .filter_map(|word| word.parse().ok())
            .collect();
        // user nice system idle iowait irq softirq steal; what follows is counted in user and nice already.
        let processors = text
            .lines()
            .filter(|line| line.starts_with("cpu") && !line.starts_with("cpu "))
            .count();
        Some(Ticks {
            total: ticks.iter().take(8).sum(),
            idle: ticks.get(3)? + ticks.get(4).unwrap_or(&0),
            stolen: *ticks.get(7)?,
            processors: processors.max(1),
        })
    }
}

/// What others did with the processors between two looks, while this program slept.
fn others(before: Option<&Ticks>, after: Option<&Ticks>) -> Fact {
    let name = "other programs";
    let (Some(before), Some(after)) = (before, after) else {
        return unknown(name);
    };
    let total = after.total.saturating_sub(before.total);
    if total == 0 {
        return unknown(name);
    }
    let idle = after.idle.saturating_sub(before.idle).min(total);
    let share = (total - idle) as f64 / total as f64;
    let processors = after.processors;
    let value = format!(
        "{:.1} of {processors} processors",
        share * processors as f64
    );
    match share {
        share if share > 0.9 => fact(
            name,
            value,
            Grade::Fail,
            "no processor is free: timings will be wrong",
        ),
        share if share > 0.15 => fact(name, value, Grade::Warn, "other programs are running"),
        _ => fact(name, value, Grade::Ok, ""),
    }
}

/// Told, not judged: it remembers what the night's own platform did before the night.
fn load_average(tree: &Tree) -> Fact {
    match tree.text("proc/loadavg") {
        Some(text) => fact(
            "load average",
            text.split_whitespace().next().unwrap_or_default(),
            Grade::Ok,
            "",
        ),
        None => unknown("load average"),
    }
}

fn steal(tree: &Tree) -> Fact {
    let Some(ticks) = Ticks::read(tree) else {
        return unknown("stolen time");
    };
    let share = 100.0 * ticks.stolen as f64 / ticks.total.max(1) as f64;
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
        let env = Environment::read(tree(&[]).path(), 2, || {});
        for name in [
            "governor",
            "turbo",
            "smt",
            "temperature",
            "clock source",
            "other programs",
            "load average",
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
            ("proc/stat", "cpu  100 0 100 700 0 0 0 100 0 0\n"),
            ("sys/class/thermal/thermal_zone0/temp", "91000\n"),
        ]);
        let env = Environment::read(dir.path(), 2, || {
            let later = "cpu  195 0 100 705 0 0 0 100 0 0\ncpu0 0\ncpu1 0\n";
            std::fs::write(dir.path().join("proc/stat"), later).unwrap();
        });
        let grades = [
            "governor",
            "turbo",
            "other programs",
            "stolen time",
            "temperature",
        ]
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
        assert_eq!(env.fact("stolen time").unwrap().value, "9.09 % since boot");
        assert_eq!(
            env.fact("other programs").unwrap().value,
            "1.9 of 2 processors"
        );
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
        assert_eq!(Environment::read(dir.path(), 4, || {}).grade(), Grade::Ok);
    }

    /// Numbers as on a machine on which the platform was just built and tested.
    #[test]
    fn what_ran_before_the_run_is_no_fault_of_the_machine() {
        let start = "cpu  90000 0 9000 1000 0 0 0 0 0 0\ncpu0 1\ncpu1 1\n";
        let after = |busy: u64| {
            let idle = 1000 + 100 - busy;
            format!(
                "cpu  {} 0 9000 {idle} 0 0 0 0 0 0\ncpu0 1\ncpu1 1\n",
                90000 + busy
            )
        };
        for (busy, grade) in [(2, Grade::Ok), (50, Grade::Warn), (98, Grade::Fail)] {
            let dir = tree(&[
                ("proc/loadavg", "6.30 5.10 4.00 1/200 77\n"),
                ("proc/stat", start),
            ]);
            let env = Environment::read(dir.path(), 2, || {
                std::fs::write(dir.path().join("proc/stat"), after(busy)).unwrap();
            });
            let others = env.fact("other programs").unwrap();
            assert_eq!(others.grade, grade, "{others:?}");
            let load = env.fact("load average").unwrap();
            assert_eq!((load.grade, load.value.as_str()), (Grade::Ok, "6.30"));
        }
    }

    #[test]
    fn capturing_this_machine_names_its_disk() {
        let env = Environment::capture(Path::new("/"));
        assert_ne!(env.fact("free disk").unwrap().grade, Grade::Unknown);
    }
}
