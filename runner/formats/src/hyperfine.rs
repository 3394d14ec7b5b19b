//! hyperfine's `--export-json`: whole commands, one value per run, each a process of its own.

use crate::{FormatError, Imported, ImportedProcess, Unit, missing, positive};
use serde_json::Value;

/// Reads the file. Runs that ended with an error are refused: a failure is no number.
///
/// # Errors
/// [`FormatError::Json`], [`FormatError::Missing`], [`FormatError::NotPositive`].
pub fn read(text: &str) -> Result<Vec<Imported>, FormatError> {
    const FORMAT: &str = "hyperfine";
    let file: Value = serde_json::from_str(text)?;
    let results = file["results"]
        .as_array()
        .ok_or_else(|| missing(FORMAT, "results"))?;
    results
        .iter()
        .map(|result| {
            let command = result["command"]
                .as_str()
                .ok_or_else(|| missing(FORMAT, "command"))?;
            let codes = result["exit_codes"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            if codes.iter().any(|code| *code != 0) {
                return Err(missing(
                    FORMAT,
                    format!("exit code 0 of every run of {command}"),
                ));
            }
            let times = result["times"].as_array().ok_or_else(|| {
                missing(
                    FORMAT,
                    format!("the times of {command} (written by --export-json)"),
                )
            })?;
            let processes = times
                .iter()
                .map(|time| {
                    let time = time
                        .as_f64()
                        .ok_or_else(|| missing(FORMAT, "a number in times"))?;
                    Ok(ImportedProcess {
                        values: vec![positive(time, command)?],
                        warmups: 0,
                    })
                })
                .collect::<Result<Vec<_>, FormatError>>()?;
            // Parameters are what tells two runs of one command apart.
            let mut benchmark = command.to_owned();
            if let Some(parameters) = result["parameters"].as_object() {
                for (name, value) in parameters {
                    let value = value
                        .as_str()
                        .map_or_else(|| value.to_string(), str::to_owned);
                    benchmark += &format!(" {name}={value}");
                }
            }
            Ok(Imported {
                benchmark,
                program: String::new(),
                processes,
                unit: Unit::Seconds,
            })
        })
        .collect()
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn each_run_is_a_process() {
        let text = r#"{"results":[{"command":"sleep 0.1","mean":0.1,"stddev":0.001,"median":0.1,"user":0.0,"system":0.0,"min":0.1,"max":0.2,"times":[0.1,0.2],"exit_codes":[0,0],"parameters":{"n":"3"}}]}"#;
        let all = read(text).unwrap();
        assert_eq!(all[0].benchmark, "sleep 0.1 n=3");
        assert_eq!(all[0].processes.len(), 2);
    }

    #[test]
    fn a_failed_run_is_no_number() {
        let text = r#"{"results":[{"command":"false","times":[0.1],"exit_codes":[1]}]}"#;
        assert!(matches!(read(text), Err(FormatError::Missing { .. })));
    }
}
