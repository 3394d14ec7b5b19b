//! criterion's results: `estimates.json` of one benchmark, `raw.csv` is not needed, or the messages of cargo-criterion, one JSON a line.
//!
//! criterion measures one process, so an imported benchmark has a single process, whose values are the samples divided by their
//! iterations; a bare `estimates.json` gives the one value it has.

use crate::{FormatError, Imported, ImportedProcess, Unit, missing, positive};
use serde_json::Value;

const FORMAT: &str = "criterion";

/// Reads either; `name` is used where the file does not name the benchmark.
///
/// # Errors
/// [`FormatError::Json`], [`FormatError::Missing`], [`FormatError::NotPositive`].
pub fn read(text: &str, name: &str) -> Result<Vec<Imported>, FormatError> {
    let is_estimates =
        serde_json::from_str::<Value>(text).is_ok_and(|value| value.get("reason").is_none());
    if is_estimates {
        return Ok(vec![estimates(&serde_json::from_str(text)?, name)?]);
    }
    let mut all = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let message: Value = serde_json::from_str(line).map_err(|error| FormatError::Line {
            line: number + 1,
            what: error.to_string(),
        })?;
        if message["reason"] == "benchmark-complete" {
            all.push(complete(&message)?);
        }
    }
    if all.is_empty() {
        return Err(missing(FORMAT, "a benchmark-complete message"));
    }
    Ok(all)
}

fn estimates(value: &Value, name: &str) -> Result<Imported, FormatError> {
    let mean = value["mean"]["point_estimate"]
        .as_f64()
        .ok_or_else(|| missing(FORMAT, "mean.point_estimate"))?;
    Ok(Imported {
        benchmark: name.into(),
        program: String::new(),
        processes: vec![ImportedProcess {
            values: vec![positive(mean, name)? * 1e-9],
            warmups: 0,
        }],
        unit: Unit::Seconds,
    })
}

fn complete(message: &Value) -> Result<Imported, FormatError> {
    let id = message["id"]
        .as_str()
        .ok_or_else(|| missing(FORMAT, "id"))?;
    let numbers = |name: &str| -> Result<Vec<f64>, FormatError> {
        message[name]
            .as_array()
            .ok_or_else(|| missing(FORMAT, name))?
            .iter()
            .map(|value| {
                value
                    .as_f64()
                    .ok_or_else(|| missing(FORMAT, format!("a number in {name}")))
            })
            .collect()
    };
    let scale = match message["unit"].as_str() {
        Some("ns") | None => 1e-9,
        Some("us" | "µs") => 1e-6,
        Some("ms") => 1e-3,
        Some("s") => 1.0,
        Some(other) => return Err(missing(FORMAT, format!("a known unit ({other})"))),
    };
    let values = numbers("measured_values")?
        .into_iter()
        .zip(numbers("iteration_count")?)
        .map(|(total, count)| positive(total / count * scale, id))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Imported {
        benchmark: id.into(),
        program: String::new(),
        processes: vec![ImportedProcess { values, warmups: 0 }],
        unit: Unit::Seconds,
    })
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn messages_of_cargo_criterion() {
        let text = r#"{"reason":"benchmark-complete","id":"norm/a","report_directory":"x","iteration_count":[10,20],"measured_values":[1000.0,2200.0],"unit":"ns","throughput":[],"typical":{"estimate":105.0,"lower_bound":100.0,"upper_bound":110.0,"unit":"ns"}}
{"reason":"group-complete","group_name":"norm","benchmarks":["norm/a"],"report_directory":"x"}"#;
        let all = read(text, "unused").unwrap();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].benchmark, "norm/a");
        let values = &all[0].processes[0].values;
        assert!((values[0] - 1e-7).abs() < 1e-15 && (values[1] - 1.1e-7).abs() < 1e-15);
    }

    #[test]
    fn estimates_of_criterion() {
        let text = r#"{"mean":{"confidence_interval":{"confidence_level":0.95,"lower_bound":1.0,"upper_bound":3.0},"point_estimate":2000.0,"standard_error":0.1},"median":{"point_estimate":2.0}}"#;
        let all = read(text, "mine").unwrap();
        assert_eq!(all[0].benchmark, "mine");
        assert!((all[0].processes[0].values[0] - 2e-6).abs() < 1e-15);
    }

    #[test]
    fn other_files_are_refused() {
        assert!(matches!(read("{}", "x"), Err(FormatError::Missing { .. })));
        assert!(matches!(
            read("not json", "x"),
            Err(FormatError::Line { line: 1, .. })
        ));
        assert!(matches!(read("", "x"), Err(FormatError::Missing { .. })));
    }
}
