//! Parts of Pyrite, timed from inside.
//!
//! ```text
//! parts allocate --inner 1 --iterations 12      one part, in the protocol of bench-suite/harness.py
//! parts --list                                  the names
//! ```
//!
//! Each part is a folder `bench-suite/part/<name>/` with `bench.rs`, which is a module here, and its manifest. criterion
//! decides how often a part goes round for one sample and measures; a sample line then says the time of `inner`
//! rounds. The part returns a text made of what it computed, the same in each process: that is the `result` line.
//!
//! Parts are compiled from the commit they measure, since they call into it; an older commit that lacks this program
//! has no values here.

#[path = "../../part/allocate/bench.rs"]
mod allocate;
#[path = "../../part/attribute_lookup/bench.rs"]
mod attribute_lookup;
mod clock;
mod embed;
#[path = "../../part/minor_collection/bench.rs"]
mod minor_collection;
mod nodes;
#[path = "../../part/trace/bench.rs"]
mod trace;

use clock::{Clock, Times};
use criterion::{Bencher, Criterion, SamplingMode};
use std::path::Path;
use std::time::Duration;

/// A part made ready: times itself with the bencher, as often as criterion likes, and says what it computed.
type Ready = Box<dyn FnMut(&mut Bencher<'_, Clock>) -> String>;

/// Makes a part ready; called once in a process.
type Part = fn() -> Ready;

const PARTS: &[(&str, Part)] = &[
    ("allocate", allocate::ready),
    ("attribute_lookup", attribute_lookup::ready),
    ("minor_collection", minor_collection::ready),
    ("trace", trace::ready),
];

/// criterion takes no fewer samples.
const FEWEST_SAMPLES: usize = 10;

const USAGE: &str = "usage: parts NAME --inner N --iterations K | parts --list | parts --version";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let code = match words[..] {
        ["--list"] => {
            PARTS.iter().for_each(|(name, _)| println!("{name}"));
            0
        }
        ["--version"] => {
            println!("parts {}", env!("CARGO_PKG_VERSION"));
            0
        }
        // What a VM takes besides is not for us: the mode of this subject has no arguments.
        [name, "--inner", inner, "--iterations", iterations] => {
            match (find(name), positive(inner), positive(iterations)) {
                (Ok(part), Ok(inner), Ok(iterations)) => {
                    on_large_stack(name, part, inner, iterations)
                }
                (Err(e), ..) | (_, Err(e), _) | (.., Err(e)) => usage(&e),
            }
        }
        _ => usage("wrong arguments"),
    };
    std::process::exit(code);
}

fn usage(problem: &str) -> i32 {
    eprintln!("parts: {problem}\n{USAGE}");
    2
}

fn find(name: &str) -> Result<Part, String> {
    let known: Vec<&str> = PARTS.iter().map(|(name, _)| *name).collect();
    PARTS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, part)| *part)
        .ok_or_else(|| format!("no part called {name}; there are: {}", known.join(", ")))
}

fn positive(text: &str) -> Result<u64, String> {
    text.parse()
        .ok()
        .filter(|n| *n > 0)
        .ok_or_else(|| format!("{text:?} is not a whole number above 0"))
}

/// A VM wants the stack that the command gives it.
fn on_large_stack(name: &str, part: Part, inner: u64, iterations: u64) -> i32 {
    let name = name.to_owned();
    let child = std::thread::Builder::new()
        .stack_size(pyrite::boot::NATIVE_STACK)
        .spawn(move || measure(&name, part, inner, iterations as usize));
    match child.map(std::thread::JoinHandle::join) {
        Ok(Ok(Ok(()))) => 0,
        Ok(Ok(Err(problem))) => {
            eprintln!("parts: {problem}");
            1
        }
        // The panic said why.
        Ok(Err(_)) => 1,
        Err(e) => {
            eprintln!("parts: no thread: {e}");
            1
        }
    }
}

/// Runs the part under criterion and prints its samples.
fn measure(name: &str, part: Part, inner: u64, samples: usize) -> Result<(), String> {
    let folder =
        tempfile::tempdir().map_err(|e| format!("no folder for criterion's files: {e}"))?;
    let clock = Clock::default();
    let mut criterion = Criterion::default()
        .with_measurement(clock.clone())
        .without_plots()
        .output_directory(folder.path())
        // Statistics over processes are the runner's; criterion's own resampling would only cost time.
        .nresamples(1001)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(
            50 * samples.max(FEWEST_SAMPLES) as u64,
        ))
        .sample_size(samples.max(FEWEST_SAMPLES));
    let mut result = String::new();
    let mut part = part();
    let mut group = criterion.benchmark_group("part");
    // Flat: every sample goes round equally often, so they can be compared.
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function(name, |bencher| result = part(bencher));
    group.finish();
    let rounds = rounds(
        &folder
            .path()
            .join("part")
            .join(name)
            .join("new/sample.json"),
    )?;
    let times = clock.seen();
    if times.len() != rounds.len() {
        return Err(format!(
            "{} times for {} samples",
            times.len(),
            rounds.len()
        ));
    }
    for (index, (times, rounds)) in times.iter().zip(rounds).take(samples).enumerate() {
        let (wall, cpu) = scaled(*times, inner as f64 / rounds);
        println!("sample {index} {wall} {cpu}");
    }
    println!("result {result}");
    Ok(())
}

fn scaled(times: Times, factor: f64) -> (u64, u64) {
    let scale = |time: Duration| (time.as_nanos() as f64 * factor).round() as u64;
    (scale(times.wall), scale(times.cpu))
}

/// How often each sample went round, from the file that criterion leaves.
fn rounds(file: &Path) -> Result<Vec<f64>, String> {
    let problem = |e: &dyn std::fmt::Display| format!("{}: {e}", file.display());
    let text = std::fs::read_to_string(file).map_err(|e| problem(&e))?;
    let json: serde_json::Value = serde_json::from_str(&text).map_err(|e| problem(&e))?;
    json["iters"]
        .as_array()
        .and_then(|list| list.iter().map(serde_json::Value::as_f64).collect())
        .ok_or_else(|| problem(&"no list `iters`"))
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn the_parts_are_those_of_the_suite() {
        let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let listed: Vec<String> = manifest::list(&suite)
            .unwrap()
            .into_iter()
            .filter(|bench| bench.category == manifest::Category::Part)
            .map(|bench| bench.name)
            .collect();
        let known: Vec<&str> = PARTS.iter().map(|(name, _)| *name).collect();
        assert_eq!(listed, known);
    }

    #[test]
    fn a_sample_is_the_time_of_inner_rounds() {
        let times = Times {
            wall: Duration::from_nanos(1000),
            cpu: Duration::from_nanos(900),
        };
        assert_eq!(scaled(times, 100.0 / 40.0), (2500, 2250));
    }

    #[test]
    fn unknown_parts_and_bad_numbers_are_named() {
        let known =
            "no part called x; there are: allocate, attribute_lookup, minor_collection, trace";
        assert_eq!(find("x").err().as_deref(), Some(known));
        assert_eq!(
            positive("0").unwrap_err(),
            "\"0\" is not a whole number above 0"
        );
    }
}
