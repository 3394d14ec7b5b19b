//! Results of airspeed velocity, version 2.
//!
//! A folder for `asv publish`, `asv compare` and `asv show`: the benchmarks with the mode as their parameter (one graph, a line per mode), the
//! machine, and one file per commit. `asv compare` needs the quartiles wherever there is an interval.

use crate::{FormatError, Measured};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Name of the only environment.
const ENVIRONMENT: &str = "nightjar";

/// Files of an asv project as (relative path, text): `asv.conf.json` and `results/`. `repository` is where the commits are.
///
/// # Errors
/// [`FormatError::Nothing`] without a result of a commit.
pub fn write(
    measured: &[Measured],
    project: &str,
    repository: &str,
) -> Result<Vec<(String, String)>, FormatError> {
    let of_commits: Vec<&Measured> = measured.iter().filter(|m| m.sha.is_some()).collect();
    let Some(first) = of_commits.first() else {
        return Err(FormatError::Nothing("no commit has results"));
    };
    let machine = plain(&first.machine);
    let modes: BTreeSet<&str> = of_commits.iter().map(|m| m.mode.as_str()).collect();
    let modes: Vec<&str> = modes.into_iter().collect();
    let mut files = vec![
        (
            "asv.conf.json".to_owned(),
            text(&json!({
                "version": 1, "project": project, "repo": repository, "branches": ["HEAD"],
                "environment_type": "virtualenv", "results_dir": "results", "html_dir": "html", "benchmark_dir": "benchmarks",
            })),
        ),
        (
            "results/benchmarks.json".to_owned(),
            text(&benchmarks(&of_commits, &modes)),
        ),
        (
            format!("results/{machine}/machine.json"),
            text(&json!({
                "version": 1, "machine": machine, "os": format!("Linux {}", first.kernel), "arch": "x86_64",
                "cpu": first.cpu_model, "num_cpu": first.cores.to_string(), "ram": (first.memory_bytes / 1024).to_string(),
            })),
        ),
    ];
    let mut commits: BTreeMap<&str, Vec<&Measured>> = BTreeMap::new();
    for result in &of_commits {
        commits
            .entry(result.sha.as_deref().unwrap_or_default())
            .or_default()
            .push(result);
    }
    for (sha, results) in commits {
        let path = format!(
            "results/{machine}/{}-{ENVIRONMENT}.json",
            sha.get(..8).unwrap_or(sha)
        );
        files.push((path, text(&commit(sha, &results, &machine, &modes))));
    }
    Ok(files)
}

/// Benchmark names are Python's dotted ones.
fn name(benchmark: &str) -> String {
    let (suite, name) = benchmark.split_once('/').unwrap_or(("suite", benchmark));
    format!("{suite}.time_{name}")
}

fn plain(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "-_.".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect()
}

fn benchmarks(of: &[&Measured], modes: &[&str]) -> Value {
    let reprs: Vec<String> = modes.iter().map(|mode| format!("'{mode}'")).collect();
    let mut map = Map::new();
    for result in of {
        // A later commit's source replaces an earlier one's: asv then leaves the older results out.
        map.insert(
            name(&result.benchmark),
            json!({
                "name": name(&result.benchmark), "code": format!("# source {}", result.source_sha256), "type": "time",
                "unit": "seconds", "params": [reprs], "param_names": ["mode"], "version": result.source_sha256,
                "timeout": 60.0, "number": 0, "repeat": 0, "rounds": 1, "sample_time": 0.01, "warmup_time": -1, "min_run_count": 1,
            }),
        );
    }
    map.insert("version".into(), 2.into());
    Value::Object(map)
}

fn commit(sha: &str, results: &[&Measured], machine: &str, modes: &[&str]) -> Value {
    let mut rows: BTreeMap<String, Vec<Option<&Measured>>> = BTreeMap::new();
    for result in results {
        let row = rows
            .entry(name(&result.benchmark))
            .or_insert_with(|| vec![None; modes.len()]);
        if let Some(place) = modes.iter().position(|mode| *mode == result.mode) {
            row[place] = Some(result);
        }
    }
    let reprs: Vec<String> = modes.iter().map(|mode| format!("'{mode}'")).collect();
    let started = results.iter().map(|r| r.started_s).max().unwrap_or(0) * 1000;
    let mut table = Map::new();
    for (benchmark, row) in rows {
        let column = |value: &dyn Fn(&Measured) -> Option<f64>| -> Value {
            row.iter().map(|cell| json!(cell.and_then(value))).collect()
        };
        let version = row.iter().flatten().next().map(|m| m.source_sha256.clone());
        table.insert(
            benchmark,
            json!([
                column(&|m| Some(m.seconds)),
                [reprs],
                version,
                started,
                row.iter()
                    .flatten()
                    .flat_map(|m| &m.processes)
                    .map(|p| p.wall_s)
                    .sum::<f64>(),
                column(&|m| m.interval.map(|i| i.0)),
                column(&|m| m.interval.map(|i| i.1)),
                column(&|m| quantile(m, 0.25)),
                column(&|m| quantile(m, 0.75)),
                column(&|_| Some(1.0)),
                column(&|m| Some(m.processes.len() as f64)),
            ]),
        );
    }
    json!({
        "version": 2, "commit_hash": sha, "env_name": ENVIRONMENT, "date": results[0].commit_time_s * 1000,
        "params": {
            "machine": machine, "os": format!("Linux {}", results[0].kernel), "arch": "x86_64", "cpu": results[0].cpu_model,
            "num_cpu": results[0].cores.to_string(), "ram": (results[0].memory_bytes / 1024).to_string(), "python": "3.11",
        },
        "python": "3.11", "requirements": {}, "env_vars": {}, "durations": {},
        "result_columns": [
            "result", "params", "version", "started_at", "duration", "stats_ci_99_a", "stats_ci_99_b", "stats_q_25",
            "stats_q_75", "stats_number", "stats_repeat",
        ],
        "results": table,
    })
}

fn quantile(of: &Measured, p: f64) -> Option<f64> {
    let mut means: Vec<f64> = of
        .processes
        .iter()
        .filter_map(crate::Process::mean_s)
        .collect();
    means.sort_by(f64::total_cmp);
    let place = p * (means.len().checked_sub(1)?) as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    Some(means[low] + (means[high] - means[low]) * (place - low as f64))
}

fn text(value: &Value) -> String {
    format!("{value}\n")
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn a_mode_that_was_not_measured_is_null() {
        let mut all = crate::test::sample();
        all.retain(|m| !(m.seq == 1 && m.mode == "off" && m.benchmark == "micro/calls"));
        let files = write(&all, "vm", ".").unwrap();
        let (_, newest) = files
            .iter()
            .find(|(path, _)| path.contains("bbbbbbbb-"))
            .unwrap();
        let value: Value = serde_json::from_str(newest).unwrap();
        assert_eq!(value["results"]["micro.time_calls"][0][0], Value::Null);
        assert!(value["results"]["micro.time_calls"][0][1].is_number());
        assert_eq!(files.len(), 5);
    }

    #[test]
    fn baselines_alone_are_nothing() {
        let mut all = crate::test::sample();
        all.iter_mut().for_each(|m| m.sha = None);
        assert!(matches!(
            write(&all, "vm", "."),
            Err(FormatError::Nothing(_))
        ));
    }
}
