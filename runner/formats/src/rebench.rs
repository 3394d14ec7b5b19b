//! ReBench's data file: tab-separated measurements below comment lines with JSON.
//!
//! An invocation is a process. Of several criteria only `total`, which every adapter gives, counts as the time.

use crate::{FormatError, Imported, ImportedProcess, Unit, missing, positive};
use std::collections::BTreeMap;

/// Reads the file.
///
/// # Errors
/// [`FormatError::Line`] with the number of the line, [`FormatError::Missing`] without a measurement.
pub fn read(text: &str) -> Result<Vec<Imported>, FormatError> {
    const FORMAT: &str = "ReBench";
    let mut columns: BTreeMap<String, usize> = BTreeMap::new();
    // Benchmark and executor → invocation → (iteration, seconds).
    let mut found: BTreeMap<(String, String), BTreeMap<u64, Vec<(u64, f64)>>> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let wrong = |what: String| FormatError::Line {
            line: number + 1,
            what,
        };
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let fields: Vec<&str> = line.split('\t').collect();
        if fields.first() == Some(&"invocation") {
            columns = fields
                .iter()
                .enumerate()
                .map(|(i, name)| ((*name).to_owned(), i))
                .collect();
            continue;
        }
        if columns.is_empty() {
            return Err(wrong(
                "a measurement before the line with the names of the columns".into(),
            ));
        }
        let field = |name: &str| -> Result<&str, FormatError> {
            let place = columns
                .get(name)
                .ok_or_else(|| missing(FORMAT, format!("column {name}")))?;
            fields
                .get(*place)
                .copied()
                .ok_or_else(|| wrong(format!("{} fields, {name} is not among them", fields.len())))
        };
        if field("criterion")? != "total" {
            continue;
        }
        let scale = match field("unit")? {
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            other => return Err(wrong(format!("unit {other} is no time"))),
        };
        let value: f64 = field("value")?.parse().map_err(|_| {
            wrong(format!(
                "{:?} is no number",
                field("value").unwrap_or_default()
            ))
        })?;
        let whole = |name: &str| -> Result<u64, FormatError> {
            field(name)?
                .parse()
                .map_err(|_| wrong(format!("{name} is no whole number")))
        };
        // What sets two series of one benchmark apart is part of its name.
        let mut benchmark = field("benchmark")?.to_owned();
        for name in ["extraArgs", "cores", "inputSize", "varValue", "tag"] {
            if let Some(value) = columns.get(name).and_then(|place| fields.get(*place))
                && !value.is_empty()
            {
                benchmark += &format!(" {name}={value}");
            }
        }
        let seconds = positive(value * scale, &benchmark)?;
        found
            .entry((benchmark, field("executor")?.to_owned()))
            .or_default()
            .entry(whole("invocation")?)
            .or_default()
            .push((whole("iteration")?, seconds));
    }
    if found.is_empty() {
        return Err(missing(FORMAT, "a measurement of the criterion total"));
    }
    Ok(found
        .into_iter()
        .map(|((benchmark, program), invocations)| Imported {
            benchmark,
            program,
            processes: invocations
                .into_values()
                .map(|mut values| {
                    values.sort_by_key(|(iteration, _)| *iteration);
                    ImportedProcess {
                        values: values.into_iter().map(|(_, seconds)| seconds).collect(),
                        warmups: 0,
                    }
                })
                .collect(),
            unit: Unit::Seconds,
        })
        .collect())
}

#[cfg(test)]
mod test {
    use super::*;

    const FILE: &str = "#!/usr/bin/rebench x\n# {\"a\": 1}\n\
        invocation\titeration\tvalue\tunit\tcriterion\tbenchmark\texecutor\tsuite\textraArgs\tcores\tinputSize\tvarValue\ttag\n\
        1\t2\t12.5\tms\ttotal\tfib\tvm\tmicro\t\t\t10\t\t\n\
        1\t1\t13.5\tms\ttotal\tfib\tvm\tmicro\t\t\t10\t\t\n\
        1\t1\t900\tkbyte\tmem\tfib\tvm\tmicro\t\t\t10\t\t\n\
        2\t1\t14.5\tms\ttotal\tfib\tvm\tmicro\t\t\t10\t\t\n";

    #[test]
    fn invocations_are_processes_and_iterations_are_in_order() {
        let all = read(FILE).unwrap();
        assert_eq!(all.len(), 1);
        assert_eq!(
            (all[0].benchmark.as_str(), all[0].program.as_str()),
            ("fib inputSize=10", "vm")
        );
        assert_eq!(all[0].processes.len(), 2);
        assert!((all[0].processes[0].values[0] - 0.0135).abs() < 1e-12);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let bad = FILE.replace("12.5", "fast");
        assert!(matches!(read(&bad), Err(FormatError::Line { line: 4, .. })));
        assert!(matches!(
            read("1\t1\t2\n"),
            Err(FormatError::Line { line: 1, .. })
        ));
        assert!(matches!(read(""), Err(FormatError::Missing { .. })));
    }
}
