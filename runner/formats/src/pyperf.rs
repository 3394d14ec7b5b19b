//! pyperf's JSON, version 1.0.
//!
//! One file is one commit in one mode: `pyperf compare_to` takes the first file as the reference and matches benchmarks by name. Its
//! reader is strict: `version` is the string "1.0", values are above 0, a metadata value is a number or a line of text and not empty, and
//! what describes the machine must be equal in all runs of a benchmark.
//!
//! Iterations before the steady state are written as warm-ups, so that pyperf's means are ours.

use crate::{
    FormatError, Imported, ImportedProcess, Measured, Unit, missing, one_line, positive, time,
};
use serde_json::{Map, Value, json};

/// Writes the benchmarks of one commit in one mode.
///
/// # Errors
/// [`FormatError::Nothing`] without a benchmark, [`FormatError::NotPositive`].
pub fn write(measured: &[Measured]) -> Result<String, FormatError> {
    if measured.is_empty() {
        return Err(FormatError::Nothing(
            "no benchmark is ok at that commit in that mode",
        ));
    }
    let benchmarks = measured
        .iter()
        .map(benchmark)
        .collect::<Result<Vec<_>, _>>()?;
    let file =
        json!({ "version": "1.0", "metadata": metadata(&measured[0]), "benchmarks": benchmarks });
    Ok(format!("{file}\n"))
}

fn metadata(of: &Measured) -> Value {
    let mut map = Map::new();
    let mut put = |name: &str, value: &str| {
        let value = one_line(value);
        if !value.is_empty() {
            map.insert(name.into(), value.into());
        }
    };
    put("unit", "second");
    put("hostname", &of.machine);
    put("cpu_model_name", &of.cpu_model);
    put("platform", &format!("Linux-{}", of.kernel));
    put("python_implementation", &of.subject);
    put("python_version", &of.version);
    put("commit_id", of.sha.as_deref().unwrap_or_default());
    put("commit_date", &time::utc(of.commit_time_s));
    put("nightjar_mode", &of.mode);
    put("nightjar_run", &of.run);
    map.insert("cpu_count".into(), of.cores.into());
    Value::Object(map)
}

fn benchmark(of: &Measured) -> Result<Value, FormatError> {
    let mut runs = Vec::new();
    for process in &of.processes {
        let from = process.steady_from.min(process.walls_s.len());
        for value in &process.walls_s {
            positive(*value, &of.benchmark)?;
        }
        let (warmups, values) = process.walls_s.split_at(from);
        if values.is_empty() {
            continue;
        }
        let mut run = json!({
            "metadata": {
                "date": time::utc(process.started_s),
                "loops": 1,
                "inner_loops": 1,
            },
            "values": values,
        });
        if process.wall_s > 0.0 {
            run["metadata"]["duration"] = process.wall_s.into();
        }
        if process.peak_rss_bytes > 0 {
            run["metadata"]["mem_max_rss"] = process.peak_rss_bytes.into();
        }
        if !warmups.is_empty() {
            run["warmups"] = warmups.iter().map(|value| json!([1, value])).collect();
        }
        runs.push(run);
    }
    if runs.is_empty() {
        return Err(FormatError::Nothing("a benchmark has no steady iteration"));
    }
    Ok(json!({ "metadata": { "name": of.benchmark }, "runs": runs }))
}

/// Reads any file of pyperf or pyperformance. Runs that only calibrate are left out.
///
/// # Errors
/// [`FormatError::Json`], [`FormatError::Missing`], [`FormatError::NotPositive`].
pub fn read(text: &str) -> Result<Vec<Imported>, FormatError> {
    const FORMAT: &str = "pyperf";
    let file: Value = serde_json::from_str(text)?;
    let common = &file["metadata"];
    let benchmarks = file["benchmarks"]
        .as_array()
        .ok_or_else(|| missing(FORMAT, "benchmarks"))?;
    let mut all = Vec::new();
    for (number, benchmark) in benchmarks.iter().enumerate() {
        let runs = benchmark["runs"]
            .as_array()
            .ok_or_else(|| missing(FORMAT, format!("benchmarks[{number}].runs")))?;
        // What all runs of a benchmark, or all benchmarks of a file, have in common stands above them.
        let about = |name: &str| {
            [
                &benchmark["metadata"],
                &runs.first().unwrap_or(&Value::Null)["metadata"],
                common,
            ]
            .into_iter()
            .find_map(|map| map[name].as_str().map(str::to_owned))
        };
        let name = about("name")
            .ok_or_else(|| missing(FORMAT, format!("the name of benchmarks[{number}]")))?;
        let unit = match about("unit").as_deref() {
            None | Some("second") => Unit::Seconds,
            Some("byte") => Unit::Bytes,
            Some("integer") => Unit::Count,
            Some(other) => return Err(missing(FORMAT, format!("a known unit ({other})"))),
        };
        let program = [about("python_implementation"), about("python_version")]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" ");
        let mut processes = Vec::new();
        for run in runs {
            let Some(values) = run["values"].as_array() else {
                continue;
            };
            let warmups = run["warmups"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            let numbers = warmups
                .iter()
                .map(|pair| &pair[1])
                .chain(values)
                .map(|value| {
                    let number = value
                        .as_f64()
                        .ok_or_else(|| missing(FORMAT, format!("a number in {name}")))?;
                    positive(number, &name)
                })
                .collect::<Result<Vec<_>, _>>()?;
            processes.push(ImportedProcess {
                values: numbers,
                warmups: warmups.len(),
            });
        }
        all.push(Imported {
            benchmark: name,
            program,
            processes,
            unit,
        });
    }
    Ok(all)
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let all = crate::test::sample();
        let one: Vec<Measured> = all
            .into_iter()
            .filter(|m| m.seq == 1 && m.mode == "opt")
            .collect();
        let read = read(&write(&one).unwrap()).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].benchmark, "micro/calls");
        assert_eq!(read[0].program, "vm vm 1.0");
        assert_eq!(read[0].processes.len(), 5);
        assert_eq!(read[0].processes[0].warmups, 3);
        assert_eq!(read[0].processes[2].values, one[0].processes[2].walls_s);
    }

    #[test]
    fn nothing_and_impossible_values_are_refused() {
        assert!(matches!(write(&[]), Err(FormatError::Nothing(_))));
        let mut bad = crate::test::sample();
        bad[0].processes[0].walls_s[0] = 0.0;
        assert!(matches!(
            write(&bad[..1]),
            Err(FormatError::NotPositive { .. })
        ));
        assert!(matches!(read("{}"), Err(FormatError::Missing { .. })));
        assert!(matches!(read("["), Err(FormatError::Json(_))));
    }
}
